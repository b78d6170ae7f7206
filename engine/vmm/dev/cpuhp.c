// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/cpuhp.h"

#include <glib.h>

#define REG_SELECT 0x0u
#define REG_STATUS 0x4u
#define REG_NEXT 0x5u
#define REG_OST_EVENT 0x8u
#define REG_OST_STATUS 0xcu

/* ACPI 6.4, 6.3.5: source events and status codes, those of Linux's own failures among them. */
#define OST_BUS_CHECK 0u
#define OST_DEVICE_CHECK 1u
#define OST_EJECT_REQUEST 3u
#define OST_OS_EJECT 0x103u
#define OST_SUCCESS 0u
#define OST_INSERT_IN_PROGRESS 0x80u
#define OST_EJECT_PENDING 0x84u
#define OST_EJECT_IN_PROGRESS 0x85u

struct cpuhp {
	struct cpuhp_state s;
	struct bus *ports;
	struct pm *pm;
	unsigned count_max;
	void (*changed)(void *data);
	void *data;
};

/* The selected processor's bit; 0 where it cannot be. */
static uint64_t selected(const struct cpuhp *cpuhp)
{
	return cpuhp->s.selected < cpuhp->count_max ? 1ull << cpuhp->s.selected : 0;
}

static uint64_t status_of(const struct cpuhp *cpuhp)
{
	uint64_t bit = selected(cpuhp);

	return (cpuhp->s.present & bit ? CPUHP_PRESENT : 0) |
	       (cpuhp->s.insert & bit ? CPUHP_INSERT : 0) |
	       (cpuhp->s.remove & bit ? CPUHP_REMOVE : 0);
}

static uint64_t next_of(const struct cpuhp *cpuhp)
{
	uint64_t events = cpuhp->s.insert | cpuhp->s.remove;

	return events ? (unsigned)__builtin_ctzll(events) : CPUHP_NONE;
}

static uint64_t cpuhp_read(void *device, uint64_t offset, unsigned size)
{
	const struct cpuhp *cpuhp = device;

	switch (offset) {
	case REG_SELECT:
		return cpuhp->s.selected;
	case REG_STATUS:
		return status_of(cpuhp);
	case REG_NEXT:
		return next_of(cpuhp);
	default:
		return 0;
	}
}

static void eject(struct cpuhp *cpuhp, uint64_t bit)
{
	if (!(cpuhp->s.present & bit) || bit == 1)
		return;
	cpuhp->s.present &= ~bit;
	cpuhp->s.insert &= ~bit;
	cpuhp->s.remove &= ~bit;
	cpuhp->s.ejected |= bit;
	cpuhp->changed(cpuhp->data);
}

static void write_status(struct cpuhp *cpuhp, uint64_t value)
{
	uint64_t bit = selected(cpuhp);

	if (value & CPUHP_INSERT)
		cpuhp->s.insert &= ~bit;
	if (value & CPUHP_REMOVE)
		cpuhp->s.remove &= ~bit;
	if (value & CPUHP_EJECT)
		eject(cpuhp, bit);
}

static bool is_refusal(uint32_t event, uint32_t status)
{
	switch (event) {
	case OST_BUS_CHECK:
	case OST_DEVICE_CHECK:
		return status != OST_SUCCESS && status != OST_INSERT_IN_PROGRESS;
	case OST_EJECT_REQUEST:
	case OST_OS_EJECT:
		return status != OST_SUCCESS && status != OST_EJECT_PENDING &&
		       status != OST_EJECT_IN_PROGRESS;
	default:
		return false;
	}
}

static void cpuhp_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct cpuhp *cpuhp = device;

	switch (offset) {
	case REG_SELECT:
		cpuhp->s.selected = (uint32_t)value;
		break;
	case REG_STATUS:
		write_status(cpuhp, value);
		break;
	case REG_OST_EVENT:
		cpuhp->s.event = (uint32_t)value;
		break;
	case REG_OST_STATUS:
		if (selected(cpuhp) && is_refusal(cpuhp->s.event, (uint32_t)value)) {
			cpuhp->s.refused |= selected(cpuhp);
			cpuhp->changed(cpuhp->data);
		}
		break;
	}
}

void cpuhp_insert(struct cpuhp *cpuhp, unsigned id)
{
	uint64_t bit = 1ull << id;

	g_assert(id < cpuhp->count_max);
	cpuhp->s.present |= bit;
	cpuhp->s.insert |= bit;
	cpuhp->s.remove &= ~bit;
	cpuhp->s.refused &= ~bit;
	pm_raise_gpe(cpuhp->pm, CPUHP_GPE);
}

void cpuhp_ask(struct cpuhp *cpuhp, unsigned id)
{
	uint64_t bit = 1ull << id;

	g_assert(id < cpuhp->count_max && cpuhp->s.present & bit);
	cpuhp->s.remove |= bit;
	cpuhp->s.refused &= ~bit;
	pm_raise_gpe(cpuhp->pm, CPUHP_GPE);
}

void cpuhp_unask(struct cpuhp *cpuhp, unsigned id)
{
	cpuhp->s.remove &= ~(1ull << id);
}

void cpuhp_remind(struct cpuhp *cpuhp)
{
	if (cpuhp->s.insert | cpuhp->s.remove)
		pm_raise_gpe(cpuhp->pm, CPUHP_GPE);
}

uint64_t cpuhp_take_ejected(struct cpuhp *cpuhp)
{
	uint64_t ejected = cpuhp->s.ejected;

	cpuhp->s.ejected = 0;
	return ejected;
}

uint64_t cpuhp_take_refused(struct cpuhp *cpuhp)
{
	uint64_t refused = cpuhp->s.refused;

	cpuhp->s.refused = 0;
	return refused;
}

struct cpuhp_state *cpuhp_get_state(struct cpuhp *cpuhp)
{
	return &cpuhp->s;
}

void cpuhp_reset(struct cpuhp *cpuhp)
{
	cpuhp->s = (struct cpuhp_state){
		.present = cpuhp->s.present,
		.ejected = cpuhp->s.ejected,
	};
}

static const struct bus_ops cpuhp_ops = {cpuhp_read, cpuhp_write};

struct cpuhp *cpuhp_new(struct bus *ports, struct pm *pm, unsigned count_max, uint64_t present,
	void (*changed)(void *data), void *data)
{
	struct cpuhp *cpuhp = g_new0(struct cpuhp, 1);

	cpuhp->s.present = present;
	cpuhp->ports = ports;
	cpuhp->pm = pm;
	cpuhp->count_max = count_max;
	cpuhp->changed = changed;
	cpuhp->data = data;
	bus_claim(ports, CPUHP_BASE, CPUHP_SIZE, &cpuhp_ops, cpuhp);
	return cpuhp;
}

void cpuhp_free(struct cpuhp *cpuhp)
{
	if (!cpuhp)
		return;
	bus_release(cpuhp->ports, CPUHP_BASE, cpuhp);
	g_free(cpuhp);
}
