// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Fills a machine's statistics page (engine/common/stats.h) with what is sampled: once a second
 * while the guest does something, and when something has happened. A guest all of whose vCPUs sleep
 * costs the host nothing. Disks and network cards fill in theirs themselves.
 *
 * Main thread, machine lock not held, unless said.
 */
#pragma once

#include "engine/vmm/machine.h"

struct statistics;

/* parts, whose members are there, outlive it. */
struct statistics *statistics_new(const struct machine_parts *parts);
/* Writes the last sample. */
void statistics_free(struct statistics *statistics);
/* Now. */
void statistics_sample(struct statistics *statistics);
/* It is to be sampled again each second, if it was not: a vCPU that slept goes on, or something was
 * asked for. Any thread. */
void statistics_wake(struct statistics *statistics);
/* The guest has been reset. */
void statistics_count_reset(struct statistics *statistics);
