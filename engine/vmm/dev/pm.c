// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/pm.h"

#include <glib.h>
#include <string.h>

/* ACPI 6.4, tables 4.14 to 4.16. */
#define STATUS_TIMER 0x0001u
#define STATUS_POWER_BUTTON 0x0100u
#define STATUS_BITS 0x8731u
#define ENABLE_BITS 0x0721u
#define CONTROL_SCI 0x0001u
#define CONTROL_BITS 0x1c02u
#define CONTROL_SLEEP 0x2000u
#define RESET_TRIGGER 0x04u

struct pm {
	struct pm_state s;
	struct bus *ports;
	struct machine_clock *clock;
	struct irq_line sci;
	struct clock_timer *timer; /* the next change of the timer's top bit, while wanted */
	const struct pm_ops *ops;
	void *machine;
};

static uint64_t pm_ticks(const struct pm *pm)
{
	return (unsigned __int128)clock_ns(pm->clock) * PM_TIMER_HZ / CLOCK_HZ;
}

static void pm_update(struct pm *pm)
{
	uint64_t carry = pm_ticks(pm) >> 31;

	if (carry != pm->s.carry)
		pm->s.status |= STATUS_TIMER;
	pm->s.carry = carry;
	if (pm->s.enable & STATUS_TIMER && !(pm->s.status & STATUS_TIMER))
		timer_set(pm->timer,
			((unsigned __int128)(carry + 1) << 31) * CLOCK_HZ / PM_TIMER_HZ + 1);
	irq_set(&pm->sci, pm->s.status & pm->s.enable || pm->s.gpe_status & pm->s.gpe_enable);
}

static void pm_timer_carried(void *data)
{
	pm_update(data);
}

void pm_press_power(struct pm *pm)
{
	pm->s.status |= STATUS_POWER_BUTTON;
	pm_update(pm);
}

void pm_raise_gpe(struct pm *pm, unsigned event)
{
	g_assert(event < 32);
	pm->s.gpe_status |= 1u << event;
	pm_update(pm);
}

/* Replaces size bytes at offset of a register that is read as old. */
static uint64_t merge(uint64_t old, uint64_t offset, uint64_t value, unsigned size)
{
	uint64_t mask = (size >= 8 ? UINT64_MAX : (1ull << 8 * size) - 1) << 8 * offset;

	return (old & ~mask) | (value << 8 * offset & mask);
}

static uint64_t event_read(void *device, uint64_t offset, unsigned size)
{
	struct pm *pm = device;

	pm_update(pm);
	return (pm->s.status | (uint32_t)pm->s.enable << 16) >> 8 * offset;
}

static void event_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct pm *pm = device;
	uint32_t cleared = merge(0, offset, value, size) & 0xffff;
	uint32_t both = merge((uint32_t)pm->s.enable << 16, offset, value, size);

	pm->s.status &= ~(cleared & STATUS_BITS);
	pm->s.enable = both >> 16 & ENABLE_BITS;
	pm_update(pm);
}

static uint64_t control_read(void *device, uint64_t offset, unsigned size)
{
	struct pm *pm = device;

	return (pm->s.control | CONTROL_SCI) >> 8 * offset;
}

static void control_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct pm *pm = device;
	uint32_t control = merge(pm->s.control, offset, value, size);

	pm->s.control = control & CONTROL_BITS;
	if (control & CONTROL_SLEEP && (control >> 10 & 7) == PM_S5_TYPE)
		pm->ops->power_off(pm->machine);
}

static uint64_t timer_read(void *device, uint64_t offset, unsigned size)
{
	return (uint32_t)pm_ticks(device) >> 8 * offset;
}

static uint64_t gpe_read(void *device, uint64_t offset, unsigned size)
{
	struct pm *pm = device;

	return (pm->s.gpe_status | (uint64_t)pm->s.gpe_enable << 32) >> 8 * offset;
}

static void gpe_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct pm *pm = device;

	pm->s.gpe_status &= ~(uint32_t)merge(0, offset, value, size);
	pm->s.gpe_enable = merge((uint64_t)pm->s.gpe_enable << 32, offset, value, size) >> 32;
	pm_update(pm);
}

static uint64_t reset_read(void *device, uint64_t offset, unsigned size)
{
	struct pm *pm = device;

	return pm->s.reset;
}

/* ICH9 data sheet, 13.7.5: a reset starts when bit 2 goes from 0 to 1. */
static void reset_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct pm *pm = device;
	bool triggered = value & ~pm->s.reset & RESET_TRIGGER;

	pm->s.reset = value & 0x0e;
	if (triggered)
		pm->ops->reset(pm->machine);
}

static const struct pm_range {
	uint16_t port;
	uint16_t length;
	struct bus_ops ops;
} pm_ranges[] = {
	{PM_EVENT, 4, {event_read, event_write}},
	{PM_CONTROL, 2, {control_read, control_write}},
	{PM_TIMER, 4, {timer_read, NULL}},
	{PM_GPE, 8, {gpe_read, gpe_write}},
	{PM_RESET, 1, {reset_read, reset_write}},
};

void pm_reset(struct pm *pm)
{
	memset(&pm->s, 0, sizeof(pm->s));
	pm->s.carry = pm_ticks(pm) >> 31;
	timer_cancel(pm->timer);
	irq_set(&pm->sci, false);
}

struct pm *pm_new(struct bus *ports, struct machine_clock *clock, struct irq_line sci,
	const struct pm_ops *ops, void *machine)
{
	struct pm *pm = g_new0(struct pm, 1);

	pm->ports = ports;
	pm->clock = clock;
	pm->sci = sci;
	pm->ops = ops;
	pm->machine = machine;
	pm->timer = timer_new(clock, pm_timer_carried, pm);
	for (unsigned i = 0; i < G_N_ELEMENTS(pm_ranges); i++)
		bus_claim(ports, pm_ranges[i].port, pm_ranges[i].length, &pm_ranges[i].ops, pm);
	return pm;
}

void pm_free(struct pm *pm)
{
	if (!pm)
		return;
	for (unsigned i = 0; i < G_N_ELEMENTS(pm_ranges); i++)
		bus_release(pm->ports, pm_ranges[i].port, pm);
	timer_free(pm->timer);
	g_free(pm);
}

const struct pm_state *pm_get_state(const struct pm *pm)
{
	return &pm->s;
}

/* ---- saving ---- */

static const struct field pm_state_fields[] = {
	FIELD(struct pm_state, status),
	FIELD(struct pm_state, enable),
	FIELD(struct pm_state, control),
	FIELD(struct pm_state, gpe_status),
	FIELD(struct pm_state, gpe_enable),
	FIELD(struct pm_state, carry),
	FIELD(struct pm_state, reset),
	FIELD_END,
};

void pm_save(const struct pm *pm, struct state_out *out)
{
	state_put(out, "pm", 0, pm_state_fields, &pm->s);
}

bool pm_load(struct pm *pm, struct state_in *in, GError **error)
{
	if (!state_get(in, "pm", 0, pm_state_fields, &pm->s, error))
		return false;
	pm_update(pm);
	return true;
}
