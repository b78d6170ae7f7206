// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A control group for each monitor, so that the guest's share of the host's CPUs can be set: of
 * version 2 where the daemon has been given a part of the tree (systemd's Delegate=), of version
 * 1's cpu controller where the daemon may write there, or none: then the monitor limits itself.
 * Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroup;

/* Looks for the tree; name is the instance's, unique on this host. Returns NULL where there is none
 * that can be used. */
struct cgroup *cgroup_open(const char *name);
void cgroup_close(struct cgroup *cgroup);

/* Makes the group of a guest; returns what a process writes "0" to in order to go there, to be
 * closed, or -1. cgroup may be NULL. */
int cgroup_make(const struct cgroup *cgroup, const char *uuid);
/* Has the host count a process's time on each of its CPUs, where it can (version 1's cpuacct). */
void cgroup_account(const struct cgroup *cgroup, const char *uuid, pid_t pid);
/* These times in ns, of at most so many CPUs; how many: 0, they are not counted. */
unsigned cgroup_times(
	const struct cgroup *cgroup, const char *uuid, uint64_t *times, unsigned count);
/* Removes it, and what the monitor has made in it, when nobody is in it. */
void cgroup_remove(const struct cgroup *cgroup, const char *uuid);
