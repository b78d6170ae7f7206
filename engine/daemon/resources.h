// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Processors and memory of a guest: changing them in the running guest and in the definitions, by
 * affect as change.h has it, and reading them from a definition. Main thread.
 */
#pragma once

#include "engine/daemon/guest.h"

void resources_set_vcpus(struct guest *guest, unsigned affect, unsigned count, bool maximum,
	guest_done done, void *data);
/* So many are on line in the guest now: it may have followed late. */
void resources_vcpus_changed(struct guest *guest, unsigned count);
void resources_set_memory(struct guest *guest, unsigned affect, uint64_t kib, bool maximum,
	guest_done done, void *data);
/* Seconds between the statistics that the guest tells; 0: none. */
void resources_set_period(
	struct guest *guest, unsigned affect, unsigned seconds, guest_done done, void *data);

/* vcpu is an id, or RESOURCES_EMULATOR for all other threads; cpus as in cpumap.h. */
#define RESOURCES_EMULATOR (-1)
void resources_pin(struct guest *guest, unsigned affect, int vcpu, const char *cpus,
	guest_done done, void *data);
/* The definition's cpuset of it, or NULL: any. Free with g_free(). */
char *resources_pinning(const struct definition *definition, int vcpu);

/* The definition of a running guest says how much memory it has by now. */
void resources_refresh(struct guest *guest);
/* The running definition as clients read it: as with libvirt, the current memory counts what memory
 * devices have plugged. Free with g_free(). */
char *resources_live_xml(const struct guest *guest);
