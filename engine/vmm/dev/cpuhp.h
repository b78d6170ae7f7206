// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * vCPU hotplug by ACPI: the registers behind the methods of boot/dsdt_cpu.asl, which tell the guest
 * that a processor has come or is asked to go, and us that the guest has let one go (ACPI 6.4,
 * sections 5.6.6, 6.3.3 _EJ0, 6.3.5 _OST, 8.4 processors).
 *
 * Ports, from CPUHP_BASE:
 *	0x0  32 bits  the selected processor, by APIC id; the registers below are its own. One
 *	              that cannot be reads as zeros and takes no writes.
 *	0x4   8 bits  read: CPUHP_PRESENT, CPUHP_INSERT (has come, not yet looked at), CPUHP_REMOVE
 *(is asked to go, not yet looked at). Write: ones clear INSERT and REMOVE; CPUHP_EJECT lets it go.
 *The boot processor stays. 0x5   8 bits  read: the lowest processor with INSERT or REMOVE,
 *CPUHP_NONE if there is none, whatever is selected 0x8  32 bits  write: the event that the guest
 *has dealt with (the first argument of _OST) 0xc  32 bits  write: what came of it (its second
 *argument), which ends the report PM event CPUHP_GPE says that there is something to look at.
 *
 * Threads: with the machine lock held.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/dev/pm.h"

#define CPUHP_BASE 0x660u
#define CPUHP_SIZE 0x10u
#define CPUHP_GPE 2u

#define CPUHP_PRESENT 0x01u
#define CPUHP_INSERT 0x02u
#define CPUHP_REMOVE 0x04u
#define CPUHP_EJECT 0x08u
#define CPUHP_NONE 0xffu

/* Sets of processors: bit n is APIC id n. */
struct cpuhp_state {
	uint64_t present, insert, remove;
	uint32_t selected;
	uint32_t event;   /* of _OST, until its status comes */
	uint64_t ejected; /* let go by the guest, and not yet taken by the host */
	uint64_t refused; /* the guest will not let them go, or take them */
};

struct cpuhp;

/* present: those that are there. changed: ejected or refused has got something; called in the
 * vCPU's thread. */
struct cpuhp *cpuhp_new(struct bus *ports, struct pm *pm, unsigned count_max, uint64_t present,
	void (*changed)(void *data), void *data);
void cpuhp_free(struct cpuhp *cpuhp);
/* Forgets what was asked: a guest that boots finds what is there. */
void cpuhp_reset(struct cpuhp *cpuhp);

/* A processor has come: tells the guest. */
void cpuhp_insert(struct cpuhp *cpuhp, unsigned id);
/* Asks the guest to let one go, again where it was asked before. */
void cpuhp_ask(struct cpuhp *cpuhp, unsigned id);
/* Takes the question back, as far as the guest has not looked at it. */
void cpuhp_unask(struct cpuhp *cpuhp, unsigned id);
/* Tells the guest again of what it has not looked at. */
void cpuhp_remind(struct cpuhp *cpuhp);
/* What the guest has let go, or has refused, since it was asked last. */
uint64_t cpuhp_take_ejected(struct cpuhp *cpuhp);
uint64_t cpuhp_take_refused(struct cpuhp *cpuhp);

/* To look at, to save and to restore. */
struct cpuhp_state *cpuhp_get_state(struct cpuhp *cpuhp);
