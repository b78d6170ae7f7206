// SPDX-License-Identifier: GPL-3.0-or-later
/* The local APIC's timer: Intel SDM volume 3, "APIC Timer". */
#include "engine/vmm/dev/lapic_internal.h"

#define TIMER_MODE(lvt) ((lvt) >> 17 & 3)
#define TIMER_PERIODIC 1
#define TIMER_TSC_DEADLINE 2
#define PERIOD_MIN 50000u /* ns */

static uint64_t timer_divisor(const struct lapic *lapic)
{
	unsigned code = (lapic->s.divide & 3) | (lapic->s.divide >> 1 & 4);

	return 1ull << ((code + 1) & 7);
}

static unsigned timer_mode(const struct lapic *lapic)
{
	return TIMER_MODE(lapic->s.lvt[LAPIC_LVT_TIMER]);
}

/* With timer_mutex: s.deadline from the registers. */
static void timer_compute(struct lapic *lapic, uint64_t now)
{
	uint64_t deadline = 0;

	if (timer_mode(lapic) == TIMER_TSC_DEADLINE) {
		uint64_t tsc = now + lapic->s.tsc_offset;

		if (lapic->s.tsc_deadline > tsc)
			deadline = now + MIN(lapic->s.tsc_deadline - tsc, INT64_MAX - now);
		else if (lapic->s.tsc_deadline)
			deadline = MAX(now, 1);
	} else if (lapic->s.initial) {
		deadline = lapic->s.timer_start + lapic->s.initial * timer_divisor(lapic);
	}
	lapic->s.deadline = deadline;
}

/* With timer_mutex, at or after the deadline: what comes after it. */
static void timer_advance(struct lapic *lapic, uint64_t now)
{
	uint64_t period = lapic->s.initial * timer_divisor(lapic);

	if (timer_mode(lapic) == TIMER_PERIODIC && period) {
		/* Periods that nobody could see are skipped, not made up for. */
		lapic->s.timer_start += (now - lapic->s.timer_start) / period * period;
		lapic->s.deadline = lapic->s.timer_start + period;
		return;
	}
	lapic->s.deadline = 0;
	lapic->s.tsc_deadline = 0;
}

void lapic_poll(struct lapic *lapic)
{
	uint64_t deadline = lapic->s.deadline, now;
	bool due;

	if (!deadline)
		return;
	now = clock_ns(lapic->clock);
	if (now < deadline)
		return;
	g_mutex_lock(&lapic->timer_mutex);
	due = lapic->s.deadline && lapic->s.deadline <= now;
	if (due)
		timer_advance(lapic, now);
	g_mutex_unlock(&lapic->timer_mutex);
	if (due)
		lapic_deliver_lvt(lapic, LAPIC_LVT_TIMER);
}

/* With the machine lock: sets the clock's timer, not before earliest. */
static void timer_arm(struct lapic *lapic, uint64_t earliest)
{
	uint64_t deadline = lapic->s.deadline;

	if (deadline)
		deadline = MAX(deadline, earliest);
	lapic->armed = deadline;
	if (deadline)
		timer_set(lapic->timer, deadline);
}

void lapic_timer_loaded(struct lapic *lapic)
{
	timer_cancel(lapic->timer);
	timer_arm(lapic, 0);
}

void lapic_timer_fired(void *data)
{
	struct lapic *lapic = data;

	/* armed goes to 0 before deadline is read, and lapic_timer_moved() reads them the other way
	 * round: one of the two sees what the other wrote. */
	lapic->armed = 0;
	lapic_poll(lapic);
	/* A period of a few nanoseconds must not keep the main loop busy. */
	timer_arm(lapic,
		timer_mode(lapic) == TIMER_PERIODIC ? clock_ns(lapic->clock) + PERIOD_MIN : 0);
}

/* vCPU: after s.deadline has changed. */
static void lapic_timer_moved(struct lapic *lapic)
{
	uint64_t deadline, armed;

	lapic_poll(lapic);
	deadline = lapic->s.deadline;
	armed = lapic->armed;
	if (!deadline || (armed && armed <= deadline))
		return;
	g_mutex_lock(&lapic->lock->mutex);
	timer_arm(lapic, 0);
	g_mutex_unlock(&lapic->lock->mutex);
}

uint64_t lapic_deadline(const struct lapic *lapic)
{
	return lapic->s.deadline;
}

void lapic_timer_set_initial(struct lapic *lapic, uint32_t initial)
{
	uint64_t now = clock_ns(lapic->clock);

	if (timer_mode(lapic) == TIMER_TSC_DEADLINE)
		return;
	g_mutex_lock(&lapic->timer_mutex);
	lapic->s.initial = initial;
	lapic->s.timer_start = now;
	timer_compute(lapic, now);
	g_mutex_unlock(&lapic->timer_mutex);
	lapic_timer_moved(lapic);
}

uint32_t lapic_timer_current(struct lapic *lapic)
{
	uint64_t ticks, initial = lapic->s.initial;

	if (timer_mode(lapic) == TIMER_TSC_DEADLINE || !initial)
		return 0;
	lapic_poll(lapic);
	ticks = (clock_ns(lapic->clock) - lapic->s.timer_start) / timer_divisor(lapic);
	if (timer_mode(lapic) == TIMER_PERIODIC)
		return initial - ticks % initial;
	return ticks < initial ? initial - ticks : 0;
}

void lapic_timer_set_divide(struct lapic *lapic, uint32_t divide)
{
	uint64_t now = clock_ns(lapic->clock);
	uint32_t current = lapic_timer_current(lapic);

	g_mutex_lock(&lapic->timer_mutex);
	lapic->s.divide = divide & 0xb;
	/* What is left of the count runs on at the new rate. */
	if (lapic->s.deadline && current) {
		lapic->s.timer_start = now - (lapic->s.initial - current) * timer_divisor(lapic);
		timer_compute(lapic, now);
	}
	g_mutex_unlock(&lapic->timer_mutex);
	lapic_timer_moved(lapic);
}

void lapic_timer_set_lvt(struct lapic *lapic, uint32_t value)
{
	unsigned old = timer_mode(lapic);

	lapic->s.lvt[LAPIC_LVT_TIMER] = value;
	if ((old == TIMER_TSC_DEADLINE) == (TIMER_MODE(value) == TIMER_TSC_DEADLINE))
		return;
	g_mutex_lock(&lapic->timer_mutex);
	lapic->s.initial = 0;
	lapic->s.tsc_deadline = 0;
	lapic->s.deadline = 0;
	g_mutex_unlock(&lapic->timer_mutex);
}

void lapic_timer_set_tsc_deadline(struct lapic *lapic, uint64_t value)
{
	if (timer_mode(lapic) != TIMER_TSC_DEADLINE)
		return;
	g_mutex_lock(&lapic->timer_mutex);
	lapic->s.tsc_deadline = value;
	timer_compute(lapic, clock_ns(lapic->clock));
	g_mutex_unlock(&lapic->timer_mutex);
	lapic_timer_moved(lapic);
}

void lapic_set_tsc_offset(struct lapic *lapic, uint64_t offset)
{
	g_mutex_lock(&lapic->timer_mutex);
	lapic->s.tsc_offset = offset;
	if (timer_mode(lapic) == TIMER_TSC_DEADLINE)
		timer_compute(lapic, clock_ns(lapic->clock));
	g_mutex_unlock(&lapic->timer_mutex);
	lapic_timer_moved(lapic);
}
