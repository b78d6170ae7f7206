// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The inside of a local APIC, for its two files alone: lapic.c and lapic_timer.c.
 */
#pragma once

#include "engine/vmm/dev/lapic.h"

#include <glib.h>

#define LAPIC_LVT_MASKED (1u << 16)

struct lapic {
	struct lapic_state s;
	unsigned id;
	const struct lapic_set *set;
	const struct lapic_chip_ops *chip_ops;
	void *chip;
	const struct lapic_ops *ops;
	void *cpu;
	struct machine_clock *clock;
	struct machine_lock *lock;
	_Atomic bool lint0;

	/*
	 * The timer. timer_mutex guards s.initial, divide, timer_start, tsc_deadline and tsc_offset
	 * together with s.deadline; it is taken after the machine lock, never before it.
	 * The clock's timer may be set to an earlier time than s.deadline, never to a later one:
	 * armed says when it will fire (0: not set), so that moving the deadline away costs
	 * nothing.
	 */
	GMutex timer_mutex;
	struct clock_timer *timer;
	_Atomic uint64_t armed;
};

/* Delivers what a local vector table entry says. Any thread. */
void lapic_deliver_lvt(struct lapic *lapic, enum lapic_lvt which);

/* vCPU: the timer's registers. */
void lapic_timer_set_initial(struct lapic *lapic, uint32_t initial);
uint32_t lapic_timer_current(struct lapic *lapic);
void lapic_timer_set_divide(struct lapic *lapic, uint32_t divide);
void lapic_timer_set_lvt(struct lapic *lapic, uint32_t value);
void lapic_timer_set_tsc_deadline(struct lapic *lapic, uint64_t value);
/* After the state was loaded: sets the clock's timer. Machine lock held. */
void lapic_timer_loaded(struct lapic *lapic);
/* The clock's callback: data is the APIC. Machine lock held. */
void lapic_timer_fired(void *data);
