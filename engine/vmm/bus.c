// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/bus.h"

#include <string.h>

struct claim {
	uint64_t base;
	uint64_t length;
	const struct bus_ops *ops;
	void *device;
};

/* A piece of the address space that one claim answers for; pieces never overlap. */
struct piece {
	uint64_t base;
	uint64_t last;
	const struct claim *claim;
};

struct bus {
	const char *name;
	struct machine_lock *lock;
	GPtrArray *claims; /* struct claim, in order of claiming */
	GArray *pieces;    /* struct piece, by address; made anew after each change of claims */
};

struct bus *bus_new(const char *name, struct machine_lock *lock)
{
	struct bus *bus = g_new0(struct bus, 1);

	bus->name = name;
	bus->lock = lock;
	bus->claims = g_ptr_array_new_with_free_func(g_free);
	bus->pieces = g_array_new(FALSE, FALSE, sizeof(struct piece));
	return bus;
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	g_array_free(bus->pieces, TRUE);
	g_ptr_array_free(bus->claims, TRUE);
	g_free(bus);
}

/* The index of the first piece that ends at or after address. */
static unsigned bus_search(const struct bus *bus, uint64_t address)
{
	unsigned low = 0, high = bus->pieces->len;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (g_array_index(bus->pieces, struct piece, middle).last < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Fills the gaps that earlier claims have left in [base, last]. */
static void bus_add_pieces(struct bus *bus, const struct claim *claim)
{
	uint64_t base = claim->base, last = claim->base + (claim->length - 1);
	unsigned at = bus_search(bus, base);

	for (;;) {
		struct piece gap = {base, last, claim};
		struct piece *next = NULL;

		if (at < bus->pieces->len)
			next = &g_array_index(bus->pieces, struct piece, at);
		if (!next || next->base > last) {
			g_array_insert_val(bus->pieces, at, gap);
			return;
		}
		if (next->base > base) {
			gap.last = next->base - 1;
			g_array_insert_val(bus->pieces, at, gap);
			at++;
			next = &g_array_index(bus->pieces, struct piece, at);
		}
		if (next->last >= last)
			return;
		base = next->last + 1;
		at++;
	}
}

void bus_claim(
	struct bus *bus, uint64_t base, uint64_t length, const struct bus_ops *ops, void *device)
{
	struct claim *claim;

	if (!length || length - 1 > UINT64_MAX - base)
		return;
	claim = g_new(struct claim, 1);
	*claim = (struct claim){base, length, ops, device};
	g_ptr_array_add(bus->claims, claim);
	bus_add_pieces(bus, claim);
}

void bus_release(struct bus *bus, uint64_t base, void *device)
{
	for (unsigned i = 0; i < bus->claims->len; i++) {
		const struct claim *claim = bus->claims->pdata[i];

		if (claim->base != base || claim->device != device)
			continue;
		g_ptr_array_remove_index(bus->claims, i);
		g_array_set_size(bus->pieces, 0);
		for (unsigned j = 0; j < bus->claims->len; j++)
			bus_add_pieces(bus, bus->claims->pdata[j]);
		return;
	}
}

/* The claim that answers for address; NULL where none does or the access passes its end. */
static const struct claim *bus_find(const struct bus *bus, uint64_t address, unsigned size)
{
	unsigned at = bus_search(bus, address);
	const struct piece *piece;
	uint64_t offset;

	if (at >= bus->pieces->len)
		return NULL;
	piece = &g_array_index(bus->pieces, struct piece, at);
	if (address < piece->base)
		return NULL;
	offset = address - piece->claim->base;
	if (size > piece->claim->length - offset)
		return NULL;
	return piece->claim;
}

static uint64_t size_mask(unsigned size)
{
	return size >= 8 ? UINT64_MAX : (1ull << (size * 8)) - 1;
}

uint64_t bus_read_locked(struct bus *bus, uint64_t address, unsigned size)
{
	const struct claim *claim = bus_find(bus, address, size);

	if (!claim || !claim->ops->read)
		return size_mask(size);
	return claim->ops->read(claim->device, address - claim->base, size) & size_mask(size);
}

void bus_write_locked(struct bus *bus, uint64_t address, uint64_t value, unsigned size)
{
	const struct claim *claim = bus_find(bus, address, size);

	if (claim && claim->ops->write)
		claim->ops->write(
			claim->device, address - claim->base, value & size_mask(size), size);
}

uint64_t bus_read(struct bus *bus, uint64_t address, unsigned size)
{
	uint64_t value;

	g_mutex_lock(&bus->lock->mutex);
	value = bus_read_locked(bus, address, size);
	g_mutex_unlock(&bus->lock->mutex);
	return value;
}

void bus_write(struct bus *bus, uint64_t address, uint64_t value, unsigned size)
{
	g_mutex_lock(&bus->lock->mutex);
	bus_write_locked(bus, address, value, size);
	g_mutex_unlock(&bus->lock->mutex);
}
