// SPDX-License-Identifier: GPL-3.0-or-later
// The guests of a resize screen: what each of them has, the changes under way, and what became of
// them. The guests go on side by side; each takes one value after the other and stops at the first
// that fails. Main thread.
#pragma once

#include "model/plan.h"
#include "screens/console.h"

/// What became of one change.
struct resize_result {
	char *name; // of the value
	char *text; // whole: "vCPUs 6 (0.14 s)", or why not
	bool good;
};

struct resize_target {
	struct resize_run *run;
	struct guest *guest;  // held
	struct plan *plan;    // NULL until looked up
	char *error;          // why it could not be
	GPtrArray *results;   // struct resize_result *, oldest first
	GPtrArray *done;      // what can be put back; see resize_run_can_put_back()
	const char *under_way; // the name of the value being changed; NULL
	gint64 goal;           // and where it goes to
	struct resize_target_private *private;
};

struct resize_run {
	struct console *console;
	GPtrArray *targets; // struct resize_target *
	void (*looked_up)(void *data); // all were: plans are there, or errors
	void (*moved_on)(void *data);  // a change began or ended
	void (*ended)(bool failed, void *data); // all did
	void *data;
	bool failed;
};

/// GUESTS: struct guest *. Looks nothing up yet.
struct resize_run *resize_run_new(struct console *console, const GPtrArray *guests);
/// Nothing is told any more; a change under way ends by itself, those after it do not begin.
void resize_run_free(struct resize_run *run);

void resize_run_look_up(struct resize_run *run);
/// Whether plans are still to come, so that those there may be of the past.
bool resize_run_looking_up(const struct resize_run *run);

/// Begins to run what the plans wish. False when they wish nothing.
bool resize_run_apply(struct resize_run *run, unsigned when);

/// The same for the way back of all that the newest run has done.
bool resize_run_can_put_back(const struct resize_run *run);
void resize_run_put_back(struct resize_run *run);

bool resize_run_busy(const struct resize_run *run);
/// Those not begun do not begin.
void resize_run_stop(struct resize_run *run);
