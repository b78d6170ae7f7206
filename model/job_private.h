// SPDX-License-Identifier: GPL-3.0-or-later
// How jobs are made and run. Main thread unless said otherwise.
#pragma once

#include "model/job.h"
#include "model/verb.h"

#include <glib.h>

struct connection;
struct lane_work;

struct job_private {
	unsigned refs;
	struct model *model; // NULL once the model is gone
};

struct step_private {
	struct job *job;               // whose step it is
	struct connection *connection; // NULL once it was removed, or for a report
	struct lane_work *work;        // NULL when not queued or running; one reference
	bool cancelled;                // the user asked
	bool asking;                   // a question or an abort is under way
	int error_code;                // enum model_error when failed or cancelled
};

// A job without steps, with one reference.
struct job *job_new(struct model *model, const struct verb *verb, const char *title);

// Adds a step; strings are taken. `guest` may be NULL, `connection` too (report).
struct job_step *job_add_step(struct job *job, struct connection *connection, struct guest *guest,
	char *target, char *command);

// Sends a step to its connection's lanes; values: argument name -> text, copied.
void job_start_step(struct job_step *step, GHashTable *values, bool json);

// Ends a step that was not sent: with an output (taken) or an error (taken).
void job_end_step(struct job_step *step, char *output, GError *error);

// What a lane reports of a step: it begins, and how far it is (0 to 1, NAN unknown).
void job_begin_step(struct job_step *step);
void job_set_progress(struct job_step *step, double progress);

// The step no longer waits for its work: it will not begin, or its result is dropped. Takes NULL.
void lane_work_leave(struct lane_work *work);

// Takes back work that no lane has begun; false when one has.
bool lane_work_withdraw(struct lane_work *work);

// Asks the hypervisor how far a running step is, or to stop it.
void lane_work_ask(struct job_step *step);
void lane_work_abort(struct job_step *step);

// The function of the lanes' thread pool; data is a struct lane_work.
void job_lane(gpointer data, gpointer pool_data);

// Asks after the progress of steps that run for a while.
void jobs_tick(struct model *model);

// Ends the steps that are under way on a connection which is given up.
void jobs_give_up(struct connection *connection);

// The model goes: nothing is told any more.
void job_orphan(struct job *job);
