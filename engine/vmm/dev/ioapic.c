// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/ioapic.h"

#include <glib.h>

/* 82093AA, 3.1: registers in the page; 3.2: those behind the window. */
#define IOREGSEL 0x00
#define IOWIN 0x10
#define EOIR 0x40
#define INDEX_ID 0
#define INDEX_VERSION 1
#define INDEX_ARBITRATION 2
#define INDEX_REDIRECT 0x10
#define VERSION ((IOAPIC_PINS - 1) << 16 | 0x20)

#define REDIRECT_REMOTE_IRR (1ull << 14)
#define REDIRECT_LEVEL (1ull << 15)
#define REDIRECT_MASKED (1ull << 16)
#define REDIRECT_WRITABLE 0xff0000000001afffull

struct ioapic {
	struct ioapic_state s;
	struct bus *mmio;
	const struct lapic_set *set;
};

static void ioapic_send(struct ioapic *ioapic, unsigned pin)
{
	uint64_t entry = ioapic->s.redirect[pin];

	lapic_set_send(ioapic->set, entry >> 56, entry >> 11 & 1, entry >> 8 & 7, entry & 0xff,
		entry & REDIRECT_LEVEL);
}

/* Sends a level-triggered pin whose wire is high, unless it is masked or has been sent already. */
static void ioapic_service_level(struct ioapic *ioapic, unsigned pin)
{
	uint64_t *entry = &ioapic->s.redirect[pin];

	if (!(ioapic->s.levels & 1u << pin) || !(*entry & REDIRECT_LEVEL) ||
		*entry & (REDIRECT_MASKED | REDIRECT_REMOTE_IRR))
		return;
	*entry |= REDIRECT_REMOTE_IRR;
	ioapic_send(ioapic, pin);
}

void ioapic_set(struct ioapic *ioapic, unsigned pin, bool level)
{
	uint32_t bit = 1u << pin;
	bool before = ioapic->s.levels & bit;

	g_assert(pin < IOAPIC_PINS);
	if (level == before)
		return;
	ioapic->s.levels ^= bit;
	if (!level)
		return;
	if (ioapic->s.redirect[pin] & REDIRECT_LEVEL)
		ioapic_service_level(ioapic, pin);
	else if (!(ioapic->s.redirect[pin] & REDIRECT_MASKED))
		ioapic_send(ioapic, pin);
}

void ioapic_eoi(struct ioapic *ioapic, uint8_t vector)
{
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t *entry = &ioapic->s.redirect[pin];

		if ((*entry & 0xff) != vector || !(*entry & REDIRECT_REMOTE_IRR))
			continue;
		*entry &= ~REDIRECT_REMOTE_IRR;
		ioapic_service_level(ioapic, pin);
	}
}

static uint32_t ioapic_read_index(struct ioapic *ioapic)
{
	unsigned index = ioapic->s.select, pin = (index - INDEX_REDIRECT) / 2;

	if (index == INDEX_ID || index == INDEX_ARBITRATION)
		return ioapic->s.id;
	if (index == INDEX_VERSION)
		return VERSION;
	if (index < INDEX_REDIRECT || pin >= IOAPIC_PINS)
		return 0;
	return ioapic->s.redirect[pin] >> (index & 1 ? 32 : 0);
}

static void ioapic_write_redirect(struct ioapic *ioapic, unsigned pin, bool high, uint32_t value)
{
	uint64_t *entry = &ioapic->s.redirect[pin];
	uint64_t mask = high ? 0xffffffff00000000ull : 0xffffffffull;
	uint64_t wanted = high ? (uint64_t)value << 32 : value;

	mask &= REDIRECT_WRITABLE;
	*entry = (*entry & ~mask) | (wanted & mask);
	/* An edge-triggered entry has no remote IRR; guests clear a stuck one by this. */
	if (!(*entry & REDIRECT_LEVEL))
		*entry &= ~REDIRECT_REMOTE_IRR;
	ioapic_service_level(ioapic, pin);
}

static void ioapic_write_index(struct ioapic *ioapic, uint32_t value)
{
	unsigned index = ioapic->s.select, pin = (index - INDEX_REDIRECT) / 2;

	if (index == INDEX_ID)
		ioapic->s.id = value & 0x0f000000u;
	else if (index >= INDEX_REDIRECT && pin < IOAPIC_PINS)
		ioapic_write_redirect(ioapic, pin, index & 1, value);
}

static uint64_t ioapic_read(void *device, uint64_t offset, unsigned size)
{
	struct ioapic *ioapic = device;

	if (offset == IOREGSEL)
		return ioapic->s.select;
	if (offset == IOWIN)
		return ioapic_read_index(ioapic);
	return 0;
}

static void ioapic_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct ioapic *ioapic = device;

	if (offset == IOREGSEL)
		ioapic->s.select = value & 0xff;
	else if (offset == IOWIN && size == 4)
		ioapic_write_index(ioapic, value);
	else if (offset == EOIR)
		ioapic_eoi(ioapic, value & 0xff);
}

static const struct bus_ops ioapic_bus_ops = {
	.read = ioapic_read,
	.write = ioapic_write,
};

void ioapic_reset(struct ioapic *ioapic)
{
	ioapic->s.select = ioapic->s.id = 0;
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		ioapic->s.redirect[pin] = REDIRECT_MASKED;
}

struct ioapic *ioapic_new(struct bus *mmio, const struct lapic_set *set)
{
	struct ioapic *ioapic = g_new0(struct ioapic, 1);

	ioapic->mmio = mmio;
	ioapic->set = set;
	ioapic_reset(ioapic);
	bus_claim(mmio, IOAPIC_BASE, IOAPIC_SIZE, &ioapic_bus_ops, ioapic);
	return ioapic;
}

void ioapic_free(struct ioapic *ioapic)
{
	if (!ioapic)
		return;
	bus_release(ioapic->mmio, IOAPIC_BASE, ioapic);
	g_free(ioapic);
}

const struct ioapic_state *ioapic_get_state(const struct ioapic *ioapic)
{
	return &ioapic->s;
}

/* ---- saving ---- */

static const struct field ioapic_state_fields[] = {
	FIELD_RANGE(struct ioapic_state, select, 0, 255),
	FIELD(struct ioapic_state, id),
	FIELD_ARRAY(struct ioapic_state, redirect),
	FIELD_RANGE(struct ioapic_state, levels, 0, (1u << IOAPIC_PINS) - 1),
	FIELD_END,
};

void ioapic_save(const struct ioapic *ioapic, struct state_out *out)
{
	state_put(out, "ioapic", 0, ioapic_state_fields, &ioapic->s);
}

bool ioapic_load(struct ioapic *ioapic, struct state_in *in, GError **error)
{
	return state_get(in, "ioapic", 0, ioapic_state_fields, &ioapic->s, error);
}
