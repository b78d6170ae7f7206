// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * PCI hotplug by ACPI: the registers behind the methods of boot/dsdt_pci.asl, which tell the guest
 * that a device has come or is asked to go, and us that the guest has let one go (ACPI 6.4,
 * sections 5.6.6, 6.3.3 _EJ0, 6.3.5 _OST). One bit for each of the 32 slots.
 *
 * Ports, 32 bits each, from PCIHP_BASE:
 *	0x0  read   slots that have come since the last read
 *	0x4  read   slots that are asked to go
 *	0x8  write  slots that the guest lets go
 *	0xc  write  slots that the guest will not let go
 * Whether a device is there is what configuration space says.
 *
 * Threads: with the machine lock held.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/dev/pm.h"

#define PCIHP_BASE 0x640u
#define PCIHP_SIZE 0x10u
#define PCIHP_GPE 1u

struct pcihp_state {
	uint32_t up, down;
};

/* Called in the vCPU's thread, for a slot that was asked to go (or not: a guest may let go of what
 * it likes). */
struct pcihp_ops {
	void (*ejected)(void *data, unsigned slot);
	void (*refused)(void *data, unsigned slot);
};

struct pcihp;

struct pcihp *pcihp_new(struct bus *ports, struct pm *pm, const struct pcihp_ops *ops, void *data);
void pcihp_free(struct pcihp *pcihp);
/* Nothing has come, nothing is to go: a guest that boots finds what is there. */
void pcihp_reset(struct pcihp *pcihp);

/* The slot (1-31) has got a device. */
void pcihp_plugged(struct pcihp *pcihp, unsigned slot);
/* Asks the guest to let the slot's device go; again where it was asked before. */
void pcihp_ask(struct pcihp *pcihp, unsigned slot);

/* To save and to restore it. */
struct pcihp_state *pcihp_get_state(struct pcihp *pcihp);
