// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The 8254 timer (Intel 8254 data sheet), ports 0x40-0x43, and port 0x61, by which channel 2 is
 * gated and read. 1.193182 MHz on machine time. Channel 0 drives an interrupt wire in modes 0, 2,
 * 3 and 4 (1 and 5 need a gate, which channel 0 has not).
 *
 * Threads: with the machine lock held.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/clock.h"
#include "engine/vmm/irq.h"
#include "engine/vmm/save/state.h"

#define PIT_HZ 1193182ull

struct pit_channel {
	uint8_t mode;   /* 0-5 */
	uint8_t access; /* 1 low, 2 high, 3 low then high */
	bool bcd;
	bool gate;
	bool write_high, read_high; /* the next byte is the high one */
	uint8_t write_low;          /* low byte held until the high one comes */
	bool count_latched, status_latched;
	uint8_t latched_status;
	uint16_t latched_count;
	uint32_t reload; /* 1-65536 */
	bool armed;      /* a count has been written since the mode was */
	bool due;        /* channel 0: its count is not over, or over and not told yet */
	uint64_t start;  /* machine time when counting began */
	uint64_t paused; /* ticks already counted while the gate is low */
};

struct pit;

/* irq is GSI 0. */
struct pit *pit_new(struct bus *ports, struct machine_clock *clock, struct irq_line irq);
void pit_free(struct pit *pit);
void pit_reset(struct pit *pit);

const struct pit_channel *pit_get_state(const struct pit *pit, unsigned channel);

/* Saving: state.h. */
void pit_save(const struct pit *pit, struct state_out *out);
bool pit_load(struct pit *pit, struct state_in *in, GError **error);
