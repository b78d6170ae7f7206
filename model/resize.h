// SPDX-License-Identifier: GPL-3.0-or-later
// Resizing from a screen: what a guest has is looked up off the main thread, wishes are made and
// judged in the main thread (model/plan.h), and each value is then brought there as a job of its
// own, with its own virsh command in the audit log. Main thread.
#pragma once

#include "model/plan.h"
#include "model/verb.h"

#include <glib.h>
#include <stdbool.h>

struct guest;
struct model;

// Looks up all that can be resized and calls `done` once, later, with a plan of the callee's, or
// NULL and one sentence, which is freed afterwards. The number is for resize_forget, after which
// nothing is called any more.
unsigned resize_survey(struct guest *guest,
	void (*done)(struct plan *plan, const GError *error, void *data), void *data);
void resize_forget(unsigned number); // takes 0, and one that was answered

// The request that brings a step of a plan to a value and reads it back; when is PLAN_NOW,
// PLAN_NEXT_START or both. The caller's, for request_run. Its job's output is "vCPUs 6 (0.14 s)".
struct request *resize_request(struct model *model, struct guest *guest, const struct plan *plan,
	const struct plan_step *step, gint64 value, unsigned when);

// The same for the vCPUs ("vcpus") or the memory ("memory", KiB) of a guest that runs, or at its
// next start where it is off, without having looked anything up. NULL for another name.
struct request *resize_request_by_name(
	struct model *model, struct guest *guest, const char *name, gint64 value);

// The request that raises what a guest can have at most, from its next start on, so that the wish
// of a step is possible. NULL where the step knows no such maximum.
struct request *resize_raise_request(
	struct model *model, struct guest *guest, const struct plan_step *step);
