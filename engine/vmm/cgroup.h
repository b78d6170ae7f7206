// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A control group of the monitor's own for processor time, below the group it was started in:
 * cgroup version 2 (Linux Documentation/admin-guide/cgroup-v2.rst: cpu.max, cpu.weight) or version
 * 1 (Documentation/scheduler/sched-bwc.rst: cpu.cfs_quota_us; cpu.shares), where the host lets us
 * make one. Everything is opened when it is made, so that it works in the sandbox, too; the process
 * joins it when it is first used.
 *
 * Main thread.
 */
#pragma once

#include <stdbool.h>

struct cgroup;

/* NULL: there is none to be had here. Also removes groups that monitors before have left. */
struct cgroup *cgroup_new(void);
/* Leaves and removes it, as far as the process still may. */
void cgroup_free(struct cgroup *cgroup);

/* Per cent of one host CPU for the whole process, 0: no cap; period as the kernel wants it, 1000 to
 * 1000000. false: the host refuses. */
bool cgroup_set_cap(struct cgroup *cgroup, unsigned percent, unsigned period_us);
/* 1 to 10000, 100 is usual. */
bool cgroup_set_weight(struct cgroup *cgroup, unsigned weight);
