// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How many vCPUs a machine has: brings new ones in and asks the guest to let others go (cpus.h has
 * their threads, dev/cpuhp.h what the guest sees).
 *
 * Threads: the main thread, which does not hold the machine lock, but for cpuplug_wake().
 */
#pragma once

#include "engine/vmm/machine.h"

struct cpuplug;

/* Hears of a request's end: the guest has done it (error is NULL), has refused it, or somebody else
 * wants another number now. Takes the error. */
typedef void cpuplug_done_func(void *data, GError *error);

/* parts has all but this already, and outlives it. */
struct cpuplug *cpuplug_new(const struct machine_parts *parts);
/* Requests that wait are never answered. */
void cpuplug_free(struct cpuplug *plug);
/* While the machine stands still, before the guest is loaded again: those that were asked to go are
 * gone, those that had come stay. */
void cpuplug_reset(struct cpuplug *plug);

/* Asks for so many, 1 to the definition's maximum; done() is called when the guest has followed,
 * maybe at once. */
void cpuplug_set(struct cpuplug *plug, unsigned count, cpuplug_done_func *done, void *data);
/* done() is not called for this data any more. What was asked stays asked for. */
void cpuplug_forget(struct cpuplug *plug, void *data);
/* What the guest has not done yet, a sentence; NULL: nothing. The caller frees. */
char *cpuplug_missing(const struct cpuplug *plug);

/* How many the guest has started. */
unsigned cpuplug_online(const struct cpuplug *plug);
/* The present ones: bit n is vCPU n. */
uint64_t cpuplug_present(const struct cpuplug *plug);
/* Carries out what the guest has done already: nothing is under way then, as saving wants it. */
void cpuplug_settle(struct cpuplug *plug);
/* The machine was restored: what is present is what is wanted. */
void cpuplug_restored(struct cpuplug *plug);
/* For saving. */
struct cpuhp *cpuplug_device(struct cpuplug *plug);

/* A vCPU or the device has news. Any thread, with the lock held or not. */
void cpuplug_wake(struct cpuplug *plug);
