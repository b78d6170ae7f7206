// SPDX-License-Identifier: GPL-3.0-or-later
/* The statistics pages of running guests (engine/common/stats.h). Main thread. */
#pragma once

#include "engine/common/stats.h"
#include "engine/daemon/guest.h"

/* The file in the run folder. */
#define STATISTICS_FILE "statistics"

/* What the monitor's page says now, without asking the monitor; valid until the next call. NULL:
 * the guest does not run, or there is no page (yet). */
const struct stats_page *statistics_read(struct guest *guest);
/* The page's file is, or will be, another one. */
void statistics_forget(struct guest *guest);

/* By the control protocol's names; NULL: the page has none. */
const struct stats_disk *statistics_disk(const struct stats_page *page, const char *name);
const struct stats_nic *statistics_nic(const struct stats_page *page, const char *name);

/* KiB that the balloon leaves of the memory at boot; page is the guest's page or NULL, as below. */
uint64_t statistics_balloon(const struct guest *guest, const struct stats_page *page);
/* KiB that the guest has now, with what was plugged. */
uint64_t statistics_memory(const struct guest *guest, const struct stats_page *page);
/* Processor time of the guest, in ns; what is not known is 0. */
struct statistics_cpu {
	uint64_t total, user, system;
	uint64_t resident; /* KiB */
};
void statistics_cpu(
	const struct guest *guest, const struct stats_page *page, struct statistics_cpu *cpu);
