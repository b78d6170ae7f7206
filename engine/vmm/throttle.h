// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The cap by the monitor itself, where no cgroup can be had: all vCPUs together get so many per
 * cent of one host CPU. In each period they run until their share is used up; then all of them are
 * held for the rest of it, whoever has used how much: like a cgroup's quota, an idle vCPU leaves its
 * part to a busy one. What was used too much in one period is missing in the next ones, so that the
 * average is right however late the host wakes us.
 *
 * Main thread, but for throttle_held_ns(). It works in a thread of its own, which is there from the
 * first cap on.
 */
#pragma once

#include "engine/vmm/cpus.h"

/* As cgroups have it. */
#define THROTTLE_PERIOD_US 100000u

struct throttle;

/* cpus outlives it. begin: called first in its thread, or NULL. */
struct throttle *throttle_new(struct cpus *cpus, void (*begin)(void));
/* Lets the vCPUs go. */
void throttle_free(struct throttle *throttle);

/* percent 0: no cap. period_us: 1000 to 1000000. */
void throttle_set(struct throttle *throttle, unsigned percent, unsigned period_us);

/* How long a vCPU that wanted to run has been held. Any thread. */
uint64_t throttle_held_ns(const struct throttle *throttle, unsigned id);
