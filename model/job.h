// SPDX-License-Identifier: GPL-3.0-or-later
// A job is one verb on its way: a step per guest (or per file), run off the main thread, several at
// once. The main thread alone reads and writes this structure; each change of it is told to the
// model's watchers as MODEL_JOB. The model keeps the newest 200 finished jobs.
#pragma once

#include "model/guest.h"

#include <glib.h>
#include <stdbool.h>

struct model;
struct verb;

enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_CANCELLED };

struct job_step {
	struct guest
		*guest; // held; NULL for what concerns no known guest (define, restore of a file)
	char *target;   // "host7/web1", or the file
	char *uri;      // the connection's URI
	char *command;  // the equivalent virsh command; NULL for a verb that changes nothing
	enum job_state state;
	char *output;          // what it has to say when done ("web1 started"); may be NULL
	char *error;           // whole sentence when failed: "Cannot start guest 'web': …"
	char *details;         // libvirt's own words and a way out, several lines; may be NULL
	double progress;       // 0 to 1; NAN when the hypervisor does not tell
	gint64 started, ended; // clock_now(), 0 before
	struct step_private *private;
};

struct job {
	unsigned id; // 1, 2, 3…
	const struct verb *verb;
	char *title;           // "Start web1", "Shut down 3 guests"; translated
	GPtrArray *steps;      // struct job_step *
	enum job_state state;  // RUNNING while any step is; then FAILED if any failed, else DONE…
	gint64 created, ended; // clock_now()
	struct job_private *private;
};

struct job *job_ref(struct job *job);
void job_unref(struct job *job); // takes NULL

// True when no step is queued or running.
bool job_finished(const struct job *job);

// Cancels: queued steps do not begin; a running one is told to stop where libvirt can (save, dump
// of memory), and otherwise ends by itself. Nothing happens to a finished job.
void job_cancel(struct job *job);

// True when cancelling would do anything.
bool job_can_cancel(const struct job *job);

// Mean progress of all steps, 0 to 1; NAN when no step tells.
double job_progress(const struct job *job);

// How many steps are in that state.
unsigned job_count(const struct job *job, enum job_state state);

// One translated line: "3 guests shut down.", "1 of 3 failed: Cannot …", "running, 2 of 3 done".
// Caller frees.
char *job_summary(const struct job *job);

// The state as a translated word.
const char *job_state_word(enum job_state state);
