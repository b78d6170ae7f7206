// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The I/O APIC: 24 pins, version 0x20 with the EOI register (Intel 82093AA data sheet; ICH9 data
 * sheet 13.5 for the EOI register), registers by MMIO at IOAPIC_BASE.
 *
 * Threads: with the machine lock held.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/dev/lapic.h"
#include "engine/vmm/save/state.h"

#define IOAPIC_BASE 0xfec00000ull
#define IOAPIC_SIZE 0x1000u
#define IOAPIC_PINS 24

struct ioapic_state {
	uint32_t select; /* IOREGSEL */
	uint32_t id;
	uint64_t
		redirect[IOAPIC_PINS]; /* as the guest reads them: remote IRR and status included */
	uint32_t levels;               /* the wires */
};

struct ioapic;

/* Claims its page on mmio. Sends to the APICs of set. */
struct ioapic *ioapic_new(struct bus *mmio, const struct lapic_set *set);
void ioapic_free(struct ioapic *ioapic);
void ioapic_reset(struct ioapic *ioapic);

/* The level of the wire at pin. */
void ioapic_set(struct ioapic *ioapic, unsigned pin, bool level);
/* A local APIC ended a level-triggered interrupt: pins with that vector whose wire is still high
 * send it again. */
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector);

const struct ioapic_state *ioapic_get_state(const struct ioapic *ioapic);

/* Saving: state.h. */
void ioapic_save(const struct ioapic *ioapic, struct state_out *out);
bool ioapic_load(struct ioapic *ioapic, struct state_in *in, GError **error);
