// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The PCI bus (PCI Local Bus 3.0; PCI Express base specification for ECAM): one bus of 32 slots
 * behind a host bridge in slot 0, configuration by ports 0xcf8/0xcfc and by ECAM at PCI_ECAM_BASE
 * (bus 0 only, 1 MiB).
 *
 * A device fills in a struct pci_device, adds its BARs and capabilities and is plugged into a slot.
 * The bus does the rest: BARs are sized and moved, and claimed on the memory bus while memory
 * decoding is on; INTx is routed; MSI-X vectors are masked, kept pending and sent.
 *
 * BARs get addresses from PCI_WINDOW_BASE on when plugged (there is no firmware to do so), again
 * on reset; memory decoding starts on. The guest may move them, also above 4 GiB.
 *
 * INTx: pin A of slot s raises GSI pci_intx_gsi(s), an I/O APIC input (level, active high: for the
 * MADT's default and the DSDT's _PRT), and for guests without the I/O APIC also the ISA line that
 * the interrupt line register names, pci_intx_isa(s).
 *
 * Threads: with the machine lock held.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/irq.h"
#include "engine/vmm/save/state.h"

#include <stdbool.h>
#include <stdint.h>

#define PCI_SLOTS 32
#define PCI_BARS 6
#define PCI_CONFIG_SIZE 256

/* For the DSDT's _CRS and the MCFG. */
#define PCI_ECAM_BASE 0xe0000000ull
#define PCI_ECAM_SIZE 0x100000ull
#define PCI_WINDOW_BASE 0xe8000000ull
#define PCI_WINDOW_END 0xfe000000ull /* first byte after it */
#define PCI_WINDOW64_BASE 0x8000000000ull
#define PCI_WINDOW64_END 0x9000000000ull

static inline unsigned pci_intx_gsi(unsigned slot)
{
	return 16 + slot % 8;
}

static inline unsigned pci_intx_isa(unsigned slot)
{
	return 10 + slot % 2;
}

struct pci_bus;

struct pci_bar {
	uint64_t size; /* power of two, at least 16; 0: the BAR is absent */
	bool wide;     /* 64 bits: takes the next BAR, too */
	const struct bus_ops *ops;
	void *opaque;     /* handed to ops */
	uint64_t address; /* where the guest has put it */
	bool claimed;     /* answers on the memory bus now */
};

#define PCI_MSIX_MAX 64 /* the most vectors of a device: the pending bits are one word */

struct pci_msix {
	unsigned vectors; /* 0: the device has no MSI-X */
	uint8_t capability;
	uint64_t pending; /* the pending bit array */
	struct pci_msix_entry {
		uint64_t address;
		uint32_t data;
		uint32_t control; /* bit 0: masked */
	} table[PCI_MSIX_MAX];
};

struct pci_device {
	const char *name;
	struct pci_bus *bus; /* set when plugged */
	unsigned slot;
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE]; /* bits the guest may change */
	uint8_t capability_next;           /* where the next capability goes */
	uint8_t capability_last;           /* the last one's offset, or 0 */
	struct pci_bar bars[PCI_BARS];
	struct pci_msix msix;
	bool intx; /* the level the device asks for */

	/* Optional hooks. After the guest wrote [offset, offset + size) of the configuration. */
	void (*config_written)(struct pci_device *dev, unsigned offset, unsigned size);
	/* Before the guest reads it; fills dev->config. */
	void (*config_read)(struct pci_device *dev, unsigned offset, unsigned size);
	/* Power-on state; the bus has reset configuration, BARs and MSI-X already. */
	void (*reset)(struct pci_device *dev);
	/* Saving (state.h) of what is behind the function; the slot is the index. */
	void (*save)(struct pci_device *dev, struct state_out *out);
	bool (*load)(struct pci_device *dev, struct state_in *in, GError **error);
	/* The machine stands still, or goes on: see pci_bus_freeze(). */
	void (*freeze)(struct pci_device *dev, bool frozen);
	void *opaque; /* the owner's */
};

/* Claims 0xcf8-0xcff and ECAM, and puts the host bridge into slot 0. Made after the pm device,
 * whose port 0xcf9 lies within: on a bus the earlier claim wins. */
struct pci_bus *pci_bus_new(struct bus *ports, struct bus *mmio, struct irq_router *router);
/* Devices are not freed: they belong to who plugged them, and go first or just after. */
void pci_bus_free(struct pci_bus *bus);
/* Power-on state of bus and devices. */
void pci_bus_reset(struct pci_bus *bus);

/* Identity: fills in the header of a zeroed device. class_code is 24 bits: class, subclass,
 * interface. */
struct pci_identity {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint32_t class_code;
	uint8_t revision;
};
void pci_device_init(struct pci_device *dev, const char *name, const struct pci_identity *identity);

/* Before plugging. A 64-bit BAR takes bar and bar + 1. */
void pci_add_bar(struct pci_device *dev, unsigned bar, uint64_t size, bool wide,
	const struct bus_ops *ops, void *opaque);
/* Appends a capability; data follows id and next pointer. Its offset. */
uint8_t pci_add_capability(struct pci_device *dev, uint8_t id, const void *data, unsigned length);
/* MSI-X with its table at offset 0 of bar (made here, nothing else may be in it). vectors is
 * 1 to PCI_MSIX_MAX. */
void pci_add_msix(struct pci_device *dev, unsigned bar, unsigned vectors);

/* Plugs into slot 1-31, or with slot 0 into the first that is free; false where all are taken. */
bool pci_plug(struct pci_bus *bus, struct pci_device *dev, unsigned slot);
void pci_unplug(struct pci_device *dev);
/* Takes the BARs' addresses away: a running guest finds room by itself for a device that comes. */
void pci_clear_bars(struct pci_device *dev);

bool pci_msix_enabled(const struct pci_device *dev);
/* Sends vector, or keeps it pending while masked. MSI-X must be enabled; a vector that the device
 * has not is ignored. */
void pci_msix_send(struct pci_device *dev, unsigned vector);
/* The level of INTA#; reaches the wire while INTx is not disabled and MSI-X is off. */
void pci_set_intx(struct pci_device *dev, bool level);

/* While frozen no device touches guest memory by itself; what comes from outside waits. Devices
 * that are not told begin thawed. */
void pci_bus_freeze(struct pci_bus *bus, bool frozen);

/* Saving: state.h. The same devices must be in the same slots when it is loaded. */
void pci_bus_save(const struct pci_bus *bus, struct state_out *out);
bool pci_bus_load(struct pci_bus *bus, struct state_in *in, GError **error);
