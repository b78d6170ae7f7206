// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/pci.h"

#include <glib.h>
#include <linux/pci_regs.h>
#include <string.h>

#define CONFIG_PORT 0xcf8
#define CONFIG_ENABLE 0x80000000u
#define MSIX_BAR_SIZE 0x1000
#define MSIX_PENDING 0x800 /* offset of the pending bit array in the BAR */
#define MSIX_MASKED 1u

struct pci_bus {
	uint32_t address; /* CONFIG_ADDRESS */
	uint64_t window;  /* where the next BAR goes */
	uint32_t levels;  /* INTA# by slot */
	struct pci_device *slots[PCI_SLOTS];
	struct pci_device host;
	struct bus *ports, *mmio;
	struct irq_router *router;
};

static uint16_t get16(const uint8_t *at)
{
	return at[0] | at[1] << 8;
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = value;
	at[1] = value >> 8;
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) | (uint32_t)get16(at + 2) << 16;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value);
	put16(at + 2, value >> 16);
}

static uint16_t pci_command(const struct pci_device *dev)
{
	return get16(dev->config + PCI_COMMAND);
}

/* ---- INTx ---- */

static void pci_update_intx(struct pci_device *dev)
{
	struct pci_bus *bus = dev->bus;
	bool level = dev->intx && !(pci_command(dev) & PCI_COMMAND_INTX_DISABLE) &&
		     !pci_msix_enabled(dev);
	unsigned gsi = pci_intx_gsi(dev->slot), isa = pci_intx_isa(dev->slot);
	bool shared_gsi = false, shared_isa = false;

	if (level == (bus->levels >> dev->slot & 1))
		return;
	bus->levels ^= 1u << dev->slot;
	for (unsigned i = 0; i < PCI_SLOTS; i++) {
		bool high = bus->levels >> i & 1;

		shared_gsi |= high && pci_intx_gsi(i) == gsi;
		shared_isa |= high && pci_intx_isa(i) == isa;
	}
	irq_set(&(struct irq_line){bus->router, gsi}, shared_gsi);
	irq_set(&(struct irq_line){bus->router, isa}, shared_isa);
}

void pci_set_intx(struct pci_device *dev, bool level)
{
	dev->intx = level;
	if (level)
		dev->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
	else
		dev->config[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT;
	if (dev->bus)
		pci_update_intx(dev);
}

/* ---- MSI-X: PCI Local Bus 3.0, section 6.8.2 ---- */

static uint16_t msix_control(const struct pci_device *dev)
{
	return dev->msix.vectors ? get16(dev->config + dev->msix.capability + PCI_MSIX_FLAGS) : 0;
}

bool pci_msix_enabled(const struct pci_device *dev)
{
	return msix_control(dev) & PCI_MSIX_FLAGS_ENABLE;
}

static bool msix_masked(const struct pci_device *dev, unsigned vector)
{
	return msix_control(dev) & PCI_MSIX_FLAGS_MASKALL ||
	       dev->msix.table[vector].control & MSIX_MASKED;
}

void pci_msix_send(struct pci_device *dev, unsigned vector)
{
	const struct pci_msix_entry *entry = &dev->msix.table[vector];

	if (vector >= dev->msix.vectors || !pci_msix_enabled(dev))
		return;
	if (msix_masked(dev, vector))
		dev->msix.pending |= 1ull << vector;
	else
		irq_message(dev->bus->router, entry->address, entry->data);
}

/* Sends what has been unmasked. */
static void msix_send_pending(struct pci_device *dev)
{
	uint64_t pending = dev->msix.pending;

	if (!pci_msix_enabled(dev))
		return;
	for (unsigned vector = 0; pending; vector++, pending >>= 1) {
		if (!(pending & 1) || msix_masked(dev, vector))
			continue;
		dev->msix.pending &= ~(1ull << vector);
		pci_msix_send(dev, vector);
	}
}

static uint32_t msix_read_word(const struct pci_device *dev, unsigned offset)
{
	const struct pci_msix_entry *entry =
		&dev->msix.table[offset / PCI_MSIX_ENTRY_SIZE % PCI_MSIX_MAX];

	if (offset >= MSIX_PENDING)
		return offset < MSIX_PENDING + 8 ? dev->msix.pending >> (offset & 4) * 8 : 0;
	if (offset / PCI_MSIX_ENTRY_SIZE >= dev->msix.vectors)
		return 0;
	switch (offset % PCI_MSIX_ENTRY_SIZE) {
	case PCI_MSIX_ENTRY_LOWER_ADDR:
		return entry->address;
	case PCI_MSIX_ENTRY_UPPER_ADDR:
		return entry->address >> 32;
	case PCI_MSIX_ENTRY_DATA:
		return entry->data;
	default:
		return entry->control;
	}
}

static void msix_write_word(struct pci_device *dev, unsigned offset, uint32_t value)
{
	unsigned vector = offset / PCI_MSIX_ENTRY_SIZE;
	struct pci_msix_entry *entry;

	if (vector >= dev->msix.vectors)
		return;
	entry = &dev->msix.table[vector];
	switch (offset % PCI_MSIX_ENTRY_SIZE) {
	case PCI_MSIX_ENTRY_LOWER_ADDR:
		entry->address = (entry->address & ~0xffffffffull) | (value & ~3u);
		break;
	case PCI_MSIX_ENTRY_UPPER_ADDR:
		entry->address = (entry->address & 0xffffffffull) | (uint64_t)value << 32;
		break;
	case PCI_MSIX_ENTRY_DATA:
		entry->data = value;
		break;
	default:
		entry->control = value & MSIX_MASKED;
		msix_send_pending(dev);
	}
}

static uint64_t msix_read(void *device, uint64_t offset, unsigned size)
{
	uint64_t value = msix_read_word(device, offset & ~3ull);

	if (size == 8)
		value |= (uint64_t)msix_read_word(device, (offset & ~3ull) + 4) << 32;
	return value >> (offset & 3) * 8;
}

/* Only aligned words and double words are defined (6.8.2). */
static void msix_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	if (size < 4 || offset & 3)
		return;
	msix_write_word(device, offset, value);
	if (size == 8)
		msix_write_word(device, offset + 4, value >> 32);
}

static const struct bus_ops msix_ops = {
	.read = msix_read,
	.write = msix_write,
};

void pci_add_msix(struct pci_device *dev, unsigned bar, unsigned vectors)
{
	uint8_t data[10] = {0};

	g_assert(vectors >= 1 && vectors <= PCI_MSIX_MAX);
	put16(data, vectors - 1);
	put32(data + 2, bar);
	put32(data + 6, MSIX_PENDING | bar);
	dev->msix.vectors = vectors;
	dev->msix.capability = pci_add_capability(dev, PCI_CAP_ID_MSIX, data, sizeof(data));
	put16(dev->writable + dev->msix.capability + PCI_MSIX_FLAGS,
		PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	pci_add_bar(dev, bar, MSIX_BAR_SIZE, false, &msix_ops, dev);
}

/* ---- BARs ---- */

static uint64_t bar_address(const struct pci_device *dev, unsigned bar)
{
	const uint8_t *at = dev->config + PCI_BASE_ADDRESS_0 + 4 * bar;
	uint64_t address = get32(at) & ~15u;

	if (dev->bars[bar].wide)
		address |= (uint64_t)get32(at + 4) << 32;
	return address;
}

static void bar_set_address(struct pci_device *dev, unsigned bar, uint64_t address)
{
	uint8_t *at = dev->config + PCI_BASE_ADDRESS_0 + 4 * bar;

	put32(at, address | (dev->bars[bar].wide ? PCI_BASE_ADDRESS_MEM_TYPE_64 : 0));
	if (dev->bars[bar].wide)
		put32(at + 4, address >> 32);
}

/* Moves the claims to where the registers say. A BAR at 0, or one that passes the end of the
 * address space (the guest asks for its size), answers nowhere. */
static void pci_update_bars(struct pci_device *dev)
{
	bool decode = dev->bus && pci_command(dev) & PCI_COMMAND_MEMORY;

	for (unsigned i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &dev->bars[i];
		uint64_t address = bar->size ? bar_address(dev, i) : 0;
		uint64_t end = bar->wide ? UINT64_MAX : UINT32_MAX;
		bool claim = decode && address && address < end - bar->size;

		if (claim == bar->claimed && address == bar->address)
			continue;
		if (bar->claimed)
			bus_release(dev->bus->mmio, bar->address, bar->opaque);
		bar->address = address;
		bar->claimed = claim;
		if (claim)
			bus_claim(dev->bus->mmio, address, bar->size, bar->ops, bar->opaque);
	}
}

void pci_add_bar(struct pci_device *dev, unsigned bar, uint64_t size, bool wide,
	const struct bus_ops *ops, void *opaque)
{
	uint8_t *writable = dev->writable + PCI_BASE_ADDRESS_0 + 4 * bar;

	g_assert(bar + wide < PCI_BARS && size >= 16 && !(size & (size - 1)) &&
		 !dev->bars[bar].size);
	dev->bars[bar] = (struct pci_bar){.size = size, .wide = wide, .ops = ops, .opaque = opaque};
	put32(writable, ~(size - 1));
	if (wide)
		put32(writable + 4, ~(size - 1) >> 32);
	bar_set_address(dev, bar, 0);
}

static void pci_assign_bars(struct pci_bus *bus, struct pci_device *dev)
{
	for (unsigned i = 0; i < PCI_BARS; i++) {
		uint64_t size = dev->bars[i].size;
		uint64_t address = (bus->window + size - 1) & ~(size - 1);

		if (!size || address + size > PCI_WINDOW_END)
			continue;
		bar_set_address(dev, i, address);
		bus->window = address + size;
	}
}

/* ---- configuration ---- */

void pci_device_init(struct pci_device *dev, const char *name, const struct pci_identity *identity)
{
	uint8_t *config = dev->config;

	dev->name = name;
	put16(config + PCI_VENDOR_ID, identity->vendor);
	put16(config + PCI_DEVICE_ID, identity->device);
	put32(config + PCI_CLASS_REVISION, identity->class_code << 8 | identity->revision);
	put16(config + PCI_SUBSYSTEM_VENDOR_ID, identity->subsystem_vendor);
	put16(config + PCI_SUBSYSTEM_ID, identity->subsystem);
	put16(dev->writable + PCI_COMMAND,
		PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	dev->writable[PCI_INTERRUPT_LINE] = 0xff;
	dev->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	dev->capability_next = PCI_STD_HEADER_SIZEOF;
}

uint8_t pci_add_capability(struct pci_device *dev, uint8_t id, const void *data, unsigned length)
{
	uint8_t at = dev->capability_next;

	g_assert(at + 2 + length <= PCI_CONFIG_SIZE);
	dev->config[at] = id;
	memcpy(dev->config + at + 2, data, length);
	dev->config[dev->capability_last ? dev->capability_last + 1 : PCI_CAPABILITY_LIST] = at;
	dev->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	dev->capability_last = at;
	dev->capability_next = (at + 2 + length + 3) & ~3u;
	return at;
}

static uint32_t config_read(struct pci_bus *bus, unsigned slot, unsigned reg, unsigned size)
{
	struct pci_device *dev = bus->slots[slot];
	uint32_t value = 0;

	if (!dev)
		return UINT32_MAX;
	/* No extended capabilities: reads of zero, as PCI Express asks. */
	if (reg + size > PCI_CONFIG_SIZE)
		return 0;
	if (dev->config_read)
		dev->config_read(dev, reg, size);
	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)dev->config[reg + i] << 8 * i;
	return value;
}

static void config_write(
	struct pci_bus *bus, unsigned slot, unsigned reg, uint32_t value, unsigned size)
{
	struct pci_device *dev = bus->slots[slot];

	if (!dev || reg + size > PCI_CONFIG_SIZE)
		return;
	for (unsigned i = 0; i < size; i++) {
		uint8_t mask = dev->writable[reg + i];

		dev->config[reg + i] = (dev->config[reg + i] & ~mask) | (value >> 8 * i & mask);
	}
	if (reg < PCI_BASE_ADDRESS_0 + 4 * PCI_BARS)
		pci_update_bars(dev);
	pci_update_intx(dev);
	msix_send_pending(dev);
	if (dev->config_written)
		dev->config_written(dev, reg, size);
}

/* Configuration mechanism #1: PCI Local Bus 3.0, section 3.2.2.3.2. True where the address names
 * a register of this bus. */
static bool port_target(const struct pci_bus *bus, uint64_t offset, unsigned *slot, unsigned *reg)
{
	uint32_t address = bus->address;

	*slot = address >> 11 & 31;
	*reg = (address & 0xfc) + (offset - 4);
	return offset >= 4 && address & CONFIG_ENABLE && !(address & 0x00ff0700);
}

static uint64_t port_read(void *device, uint64_t offset, unsigned size)
{
	struct pci_bus *bus = device;
	unsigned slot, reg;

	if (offset == 0 && size == 4)
		return bus->address;
	return port_target(bus, offset, &slot, &reg) ? config_read(bus, slot, reg, size)
						     : UINT32_MAX;
}

static void port_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct pci_bus *bus = device;
	unsigned slot, reg;

	if (offset == 0 && size == 4)
		bus->address = value & 0x80fffffcu;
	else if (port_target(bus, offset, &slot, &reg))
		config_write(bus, slot, reg, value, size);
}

static const struct bus_ops port_ops = {
	.read = port_read,
	.write = port_write,
};

/* ECAM: slot in bits 15-19, function in 12-14, register below. */
static uint64_t ecam_read(void *device, uint64_t offset, unsigned size)
{
	if (size > 4 || offset & 0x7000)
		return UINT64_MAX;
	return config_read(device, offset >> 15, offset & 0xfff, size);
}

static void ecam_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	if (size <= 4 && !(offset & 0x7000))
		config_write(device, offset >> 15, offset & 0xfff, value, size);
}

static const struct bus_ops ecam_ops = {
	.read = ecam_read,
	.write = ecam_write,
};

/* ---- plugging ---- */

static void pci_power_on(struct pci_bus *bus, struct pci_device *dev)
{
	for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++)
		dev->config[i] &= ~dev->writable[i];
	dev->config[PCI_INTERRUPT_LINE] = pci_intx_isa(dev->slot);
	dev->config[PCI_INTERRUPT_PIN] = dev == &bus->host ? 0 : 1;
	put16(dev->config + PCI_COMMAND, PCI_COMMAND_MEMORY & get16(dev->writable + PCI_COMMAND));
	dev->msix.pending = 0;
	for (unsigned i = 0; i < PCI_MSIX_MAX; i++)
		dev->msix.table[i] = (struct pci_msix_entry){.control = MSIX_MASKED};
	pci_set_intx(dev, false);
	pci_assign_bars(bus, dev);
	pci_update_bars(dev);
	if (dev->reset)
		dev->reset(dev);
}

bool pci_plug(struct pci_bus *bus, struct pci_device *dev, unsigned slot)
{
	g_assert(!dev->bus && slot < PCI_SLOTS);
	for (unsigned i = slot ? slot : 1; i < (slot ? slot + 1 : PCI_SLOTS); i++) {
		if (bus->slots[i])
			continue;
		bus->slots[i] = dev;
		dev->bus = bus;
		dev->slot = i;
		pci_power_on(bus, dev);
		return true;
	}
	return false;
}

void pci_unplug(struct pci_device *dev)
{
	struct pci_bus *bus = dev->bus;

	if (!bus)
		return;
	pci_set_intx(dev, false);
	put16(dev->config + PCI_COMMAND, 0);
	pci_update_bars(dev);
	bus->slots[dev->slot] = NULL;
	dev->bus = NULL;
}

void pci_clear_bars(struct pci_device *dev)
{
	put16(dev->config + PCI_COMMAND, 0);
	for (unsigned i = 0; i < PCI_BARS; i++)
		if (dev->bars[i].size)
			bar_set_address(dev, i, 0);
	pci_update_bars(dev);
}

void pci_bus_reset(struct pci_bus *bus)
{
	bus->address = 0;
	bus->window = PCI_WINDOW_BASE;
	/* All let go of their ranges first, so that none meets one that is to move. */
	for (unsigned i = 0; i < PCI_SLOTS; i++) {
		if (!bus->slots[i])
			continue;
		put16(bus->slots[i]->config + PCI_COMMAND, 0);
		pci_update_bars(bus->slots[i]);
	}
	for (unsigned i = 0; i < PCI_SLOTS; i++) {
		if (bus->slots[i])
			pci_power_on(bus, bus->slots[i]);
	}
}

struct pci_bus *pci_bus_new(struct bus *ports, struct bus *mmio, struct irq_router *router)
{
	/* Red Hat's generic host bridge. */
	static const struct pci_identity identity = {
		.vendor = 0x1b36, .device = 0x0008, .class_code = 0x060000};
	struct pci_bus *bus = g_new0(struct pci_bus, 1);

	bus->ports = ports;
	bus->mmio = mmio;
	bus->router = router;
	bus->window = PCI_WINDOW_BASE;
	pci_device_init(&bus->host, "host-bridge", &identity);
	bus->slots[0] = &bus->host;
	bus->host.bus = bus;
	pci_power_on(bus, &bus->host);
	bus_claim(ports, CONFIG_PORT, 8, &port_ops, bus);
	bus_claim(mmio, PCI_ECAM_BASE, PCI_ECAM_SIZE, &ecam_ops, bus);
	return bus;
}

void pci_bus_free(struct pci_bus *bus)
{
	if (!bus)
		return;
	bus_release(bus->ports, CONFIG_PORT, bus);
	bus_release(bus->mmio, PCI_ECAM_BASE, bus);
	for (unsigned i = 1; i < PCI_SLOTS; i++) {
		if (bus->slots[i])
			pci_unplug(bus->slots[i]);
	}
	g_free(bus);
}

/* ---- saving ---- */

void pci_bus_freeze(struct pci_bus *bus, bool frozen)
{
	for (unsigned i = 0; i < PCI_SLOTS; i++)
		if (bus->slots[i] && bus->slots[i]->freeze)
			bus->slots[i]->freeze(bus->slots[i], frozen);
}

static const struct field msix_entry_fields[] = {
	FIELD(struct pci_msix_entry, address),
	FIELD(struct pci_msix_entry, data),
	FIELD_RANGE(struct pci_msix_entry, control, 0, MSIX_MASKED),
	FIELD_END,
};

static const struct field msix_fields[] = {
	FIELD(struct pci_msix, pending),
	FIELD_STRUCTS(struct pci_msix, table, msix_entry_fields),
	FIELD_END,
};

static const struct field device_fields[] = {
	FIELD_BYTES(struct pci_device, config),
	FIELD_STRUCT(struct pci_device, msix, msix_fields),
	FIELD_FLAG(struct pci_device, intx),
	FIELD_END,
};

static const struct field bus_fields[] = {
	FIELD(struct pci_bus, address),
	FIELD_RANGE(struct pci_bus, window, PCI_WINDOW_BASE, PCI_WINDOW_END),
	FIELD(struct pci_bus, levels),
	FIELD_END,
};

void pci_bus_save(const struct pci_bus *bus, struct state_out *out)
{
	state_put(out, "pci", 0, bus_fields, bus);
	for (unsigned i = 0; i < PCI_SLOTS; i++) {
		if (!bus->slots[i])
			continue;
		state_put(out, "slot", i, device_fields, bus->slots[i]);
		if (bus->slots[i]->save)
			bus->slots[i]->save(bus->slots[i], out);
	}
}

/* What the guest cannot change tells one device from another. */
static bool same_device(const struct pci_device *a, const struct pci_device *b)
{
	for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++) {
		uint8_t fixed = ~a->writable[i];

		if (i == PCI_STATUS)
			fixed &= ~PCI_STATUS_INTERRUPT;
		if ((a->config[i] ^ b->config[i]) & fixed)
			return false;
	}
	return true;
}

static bool load_device(
	struct pci_device *dev, unsigned slot, struct state_in *in, GError **error)
{
	struct pci_device loaded = *dev;

	if (!state_get(in, "slot", slot, device_fields, &loaded, error))
		return false;
	if (!same_device(dev, &loaded))
		return state_foreign("slot", slot, error);
	put16(dev->config + PCI_COMMAND, 0);
	pci_update_bars(dev);
	memcpy(dev->config, loaded.config, sizeof(dev->config));
	dev->msix.pending = loaded.msix.pending;
	memcpy(dev->msix.table, loaded.msix.table, sizeof(dev->msix.table));
	dev->intx = loaded.intx;
	return !dev->load || dev->load(dev, in, error);
}

bool pci_bus_load(struct pci_bus *bus, struct state_in *in, GError **error)
{
	if (!state_get(in, "pci", 0, bus_fields, bus, error))
		return false;
	for (unsigned i = 0; i < PCI_SLOTS; i++)
		if (bus->slots[i] && !load_device(bus->slots[i], i, in, error))
			return false;
	/* All have let go of their ranges: now each takes its own. */
	for (unsigned i = 0; i < PCI_SLOTS; i++)
		if (bus->slots[i])
			pci_update_bars(bus->slots[i]);
	/* The wires, for a router that does not keep their levels. */
	for (unsigned i = 0; i < PCI_SLOTS; i++) {
		if (!(bus->levels >> i & 1))
			continue;
		irq_set(&(struct irq_line){bus->router, pci_intx_gsi(i)}, true);
		irq_set(&(struct irq_line){bus->router, pci_intx_isa(i)}, true);
	}
	return true;
}
