// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a device lives in, for tests: both buses, memory, the clock with its main loop, an
 * interrupt router that records, and a small virtio driver, which drives devices through the PCI
 * bus as a guest would: real queues in guest memory.
 *
 * One thread: the test's own runs the main loop in devbox_wait().
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/clock.h"
#include "engine/vmm/dev/pci.h"
#include "engine/vmm/dev/virtio.h"
#include "engine/vmm/dev/virtio_pci.h"
#include "engine/vmm/irq.h"
#include "engine/vmm/memory.h"

#define DEVBOX_MEMORY (16ull << 20)
/* The memory's region of blocks that may be plugged: 16 of them. */
#define DEVBOX_REGION 0x140000000ull

struct devbox {
	struct irq_router router; /* first: records into what follows */
	bool level[IRQ_LINES];
	unsigned rises[IRQ_LINES];
	unsigned messages; /* MSIs sent */
	uint64_t last_address;
	uint32_t last_data;

	GMainContext *context;
	struct machine_lock lock;
	struct machine_clock *clock;
	struct bus *ports, *mmio;
	struct guest_memory *memory;
	struct pci_bus *pci;
	struct virtio_env env;
	unsigned warnings;
	char *warning; /* the last one */
};

struct devbox *devbox_new(void);
void devbox_free(struct devbox *box);

uint64_t devbox_in(struct devbox *box, uint16_t port, unsigned size);
void devbox_out(struct devbox *box, uint16_t port, uint64_t value, unsigned size);
/* Configuration space by ECAM. */
uint32_t devbox_config(struct devbox *box, unsigned slot, unsigned reg, unsigned size);
void devbox_set_config(
	struct devbox *box, unsigned slot, unsigned reg, uint32_t value, unsigned size);
/* Runs the main loop until *flag is at least count, at most ms milliseconds; whether it is. */
bool devbox_wait(struct devbox *box, const unsigned *flag, unsigned count, unsigned ms);
/* Runs the main loop for ms milliseconds. */
void devbox_run(struct devbox *box, unsigned ms);

/* ---- a virtio driver ---- */

#define DRIVER_QUEUE 16          /* entries of each queue */
#define DRIVER_RINGS 0x100000ull /* guest address: 64 KiB for each queue */
#define DRIVER_DATA 0x400000ull  /* buffers, the tests' to use */

struct driver {
	struct devbox *box;
	unsigned slot;
	uint64_t common, isr, device, notify; /* bus addresses found in the capabilities */
	uint32_t multiplier;
	uint64_t features;
	unsigned queues;
	uint16_t next_descriptor[VIRTIO_QUEUES_MAX];
	uint16_t used_seen[VIRTIO_QUEUES_MAX];
};

/* A buffer of a request: guest address, length, and whether the device writes it. */
struct buffer {
	uint64_t address;
	uint32_t length;
	bool in;
};

/* Finds the device in slot, resets it, accepts features (of those offered; VERSION_1 is added),
 * sets up all queues with MSI-X vector 1 + queue and address 0xfee00000, data 0x40 + vector, and
 * sets DRIVER_OK. */
void driver_start(struct driver *driver, struct devbox *box, unsigned slot, uint64_t features);
/* Only finds it and resets it. */
void driver_find(struct driver *driver, struct devbox *box, unsigned slot);
void driver_set_up_queues(struct driver *driver);
uint64_t driver_offered(struct driver *driver);

uint64_t driver_read(struct driver *driver, unsigned offset, unsigned size);
void driver_write(struct driver *driver, unsigned offset, uint64_t value, unsigned size);
uint8_t driver_status(struct driver *driver);
void driver_set_status(struct driver *driver, uint8_t status);

/* Raw access to the rings. */
struct vring_desc *driver_descriptors(struct driver *driver, unsigned queue);
struct vring_avail *driver_avail(struct driver *driver, unsigned queue);
struct vring_used *driver_used(struct driver *driver, unsigned queue);

/* Makes a chain available, without notifying; its head. */
uint16_t driver_add(
	struct driver *driver, unsigned queue, const struct buffer *buffers, unsigned count);
void driver_notify(struct driver *driver, unsigned queue);
/* Waits for the next used entry (running the main loop); its length, fails the test after minutes. */
uint32_t driver_wait(struct driver *driver, unsigned queue);
/* Whether a used entry is there. */
bool driver_has_used(struct driver *driver, unsigned queue);
/* add, notify, wait. */
uint32_t driver_do(
	struct driver *driver, unsigned queue, const struct buffer *buffers, unsigned count);
/* Host address of guest memory. */
void *driver_at(struct driver *driver, uint64_t address);
