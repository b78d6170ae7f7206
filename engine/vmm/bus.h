// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A bus: what answers at which port or physical address.
 *
 * A machine has two, one of I/O ports and one of memory-mapped registers (RAM is not on it: see
 * memory.h). Devices claim ranges when they are made, or move them later (PCI BARs).
 *
 * Threads: one lock per machine, struct machine_lock below, guards every device, both buses and
 * all timers' callbacks. bus_read() and bus_write() are called by vCPU threads without the lock
 * and take it around the device; bus_claim() and bus_release() are called with it held (or before
 * any vCPU runs). A device that does long work hands it to its own thread or the main loop.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The one lock of a machine's devices. Recursive use is a bug. */
struct machine_lock {
	GMutex mutex;
};

struct bus_ops {
	/* size is 1, 2, 4 or 8 (8 on the memory bus only); offset is from the range's start and
	 * offset + size never passes its end. A device that does not know the register returns
	 * all ones; it never fails. NULL: reads give all ones. */
	uint64_t (*read)(void *device, uint64_t offset, unsigned size);
	/* NULL: writes are dropped. */
	void (*write)(void *device, uint64_t offset, uint64_t value, unsigned size);
};

struct bus;

struct bus *bus_new(const char *name, struct machine_lock *lock);
void bus_free(struct bus *bus);

/* Claims [base, base + length) for a device; device is handed to the ops. A later claim that
 * overlaps an earlier one loses where they overlap (a guest may program BARs so). */
void bus_claim(struct bus *bus, uint64_t base, uint64_t length, const struct bus_ops *ops,
	void *device);
/* Undoes the claim made with the same base and device; does nothing where there is none. */
void bus_release(struct bus *bus, uint64_t base, void *device);

/* From vCPU threads, without the lock. An address nobody claims, or an access that passes a
 * range's end, reads all ones of its size and drops writes. */
uint64_t bus_read(struct bus *bus, uint64_t address, unsigned size);
void bus_write(struct bus *bus, uint64_t address, uint64_t value, unsigned size);

/* The same for who holds the lock already. */
uint64_t bus_read_locked(struct bus *bus, uint64_t address, unsigned size);
void bus_write_locked(struct bus *bus, uint64_t address, uint64_t value, unsigned size);
