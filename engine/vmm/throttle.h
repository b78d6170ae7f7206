// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Quotas by the monitor itself, where no cgroup can be had: of all vCPUs together, and of each. In
 * each period they run until it is used up; then they are held for the rest of it. Of the quota of
 * all, all are held then, whoever has used how much: like a cgroup's, an idle vCPU leaves its part
 * to a busy one. What was used too much in one period is missing in the next ones, so that the
 * average is right however late the host wakes us.
 *
 * Main thread, but for throttle_held_ns(). It works in a thread of its own, which is there from the
 * first quota on.
 */
#pragma once

#include "engine/common/config.h"
#include "engine/vmm/cpus.h"

struct throttle;

/* cpus outlives it. begin: called first in its thread, or NULL. */
struct throttle *throttle_new(struct cpus *cpus, void (*begin)(void));
/* Lets the vCPUs go. */
void throttle_free(struct throttle *throttle);

void throttle_set(struct throttle *throttle, const struct config_quota *whole);
void throttle_set_vcpus(struct throttle *throttle, const struct config_quota *each);

/* How long a vCPU that wanted to run has been held. Any thread. */
uint64_t throttle_held_ns(const struct throttle *throttle, unsigned id);
