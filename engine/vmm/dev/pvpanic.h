// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The port by which a guest's kernel says that it has crashed (pvpanic; Linux,
 * drivers/misc/pvpanic, and QEMU's docs/specs/pvpanic; ACPI id QEMU0001).
 *
 * PVPANIC_PORT, 8 bits: read, the events that are understood; write, what has happened:
 * PVPANIC_PANICKED, or PVPANIC_CRASH_LOADED (a crash kernel takes over).
 *
 * Threads: with the machine lock held. No state.
 */
#pragma once

#include "engine/vmm/bus.h"

#define PVPANIC_PORT 0x505u
#define PVPANIC_PANICKED 0x01u
#define PVPANIC_CRASH_LOADED 0x02u

struct pvpanic;

/* panicked: in the vCPU's thread; crash_loaded tells the second event from the first. */
struct pvpanic *pvpanic_new(
	struct bus *ports, void (*panicked)(void *machine, bool crash_loaded), void *machine);
void pvpanic_free(struct pvpanic *pvpanic);
