// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A control group of the monitor's own for processor time, below the group it was started in:
 * cgroup version 2 (Linux Documentation/admin-guide/cgroup-v2.rst: cpu.max, cpu.weight, threaded
 * groups) or version 1 (Documentation/scheduler/sched-bwc.rst: cpu.cfs_quota_us; cpu.shares), where
 * the host lets us make one; and in it one for each vCPU's thread and one for all others (the
 * emulator's), where it lets us have those. Everything is opened when it is made, so that it works
 * in the sandbox, too; the process and its threads join when a group is first used.
 *
 * Main thread, but for cgroup_begin_vcpu().
 */
#pragma once

#include "engine/common/config.h"

struct cgroup;

/* vcpus: the most that there will be. NULL: there is none to be had here. Also removes groups that
 * monitors before have left. */
struct cgroup *cgroup_new(unsigned vcpus);
/* Leaves and removes it, as far as the process still may. */
void cgroup_free(struct cgroup *cgroup);

/* Of the whole process. false: the host refuses. */
bool cgroup_set_quota(struct cgroup *cgroup, const struct config_quota *whole);
/* 1 to 10000, 100 is usual. */
bool cgroup_set_weight(struct cgroup *cgroup, unsigned weight);

/* Of each vCPU, or of the emulator. false: there are no such groups, or the host refuses; then
 * nobody is held by them. A new quota holds only those that have joined. */
bool cgroup_set_vcpu_quota(struct cgroup *cgroup, const struct config_quota *each);
bool cgroup_set_emulator_quota(struct cgroup *cgroup, const struct config_quota *quota);
/* Threads go to their groups; false: the host refuses. */
bool cgroup_join_vcpu(struct cgroup *cgroup, unsigned id, int tid);
bool cgroup_join_emulator(struct cgroup *cgroup, int tid);
/* First in a vCPU's thread: goes to its group if quotas of vCPUs are in use. Nothing else may use
 * the cgroup meanwhile. */
void cgroup_begin_vcpu(struct cgroup *cgroup, unsigned id);
