// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What all virtio devices share: status, features and split virtqueues (virtio 1.2, sections 2.1,
 * 2.2, 2.6, 2.7), with indirect descriptors and event indices.
 *
 * A device embeds struct virtio_device first and describes itself by struct virtio_ops. A transport
 * (virtio_pci.h) shows it to the guest.
 *
 * Everything that comes from the driver is checked: ring addresses, indices, descriptor addresses,
 * lengths, order, loops. A driver that breaks the rules gets a device that *needs reset*
 * (DEVICE_NEEDS_RESET, 2.1.2): it takes no more requests, the driver is told, and one line is
 * logged. The machine goes on.
 *
 * Threads: with the machine lock held. A chain that virtq_pop() gave may be read and written by
 * another thread without the lock, until it is pushed.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/clock.h"
#include "engine/vmm/memory.h"
#include "engine/vmm/save/state.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/* The largest queue; also the longest descriptor chain (2.7.5.3.1 forbids chains longer than the
 * queue is). */
#define VIRTQ_SIZE_MAX 256u
#define VIRTIO_QUEUES_MAX 8

/* Device status bits, 2.1. */
#define VIRTIO_STATUS_ACKNOWLEDGE 0x01
#define VIRTIO_STATUS_DRIVER 0x02
#define VIRTIO_STATUS_DRIVER_OK 0x04
#define VIRTIO_STATUS_FEATURES_OK 0x08
#define VIRTIO_STATUS_NEEDS_RESET 0x40
#define VIRTIO_STATUS_FAILED 0x80

/* Feature bits of every device, section 6. */
#define VIRTIO_FEATURE_INDIRECT (1ull << 28)
#define VIRTIO_FEATURE_EVENT_IDX (1ull << 29)
#define VIRTIO_FEATURE_VERSION_1 (1ull << 32)

/* What a device lives in; the same for all of a machine. Outlives them. */
struct virtio_env {
	struct guest_memory *memory;
	struct machine_lock *lock;
	struct machine_clock *clock;
	/* One line about a guest that misuses a device. Lock held. */
	void (*warn)(void *data, const char *message);
	void *warn_data;
};

struct virtio_device;

struct virtq {
	uint16_t index;
	uint16_t size_max; /* 0: no such queue */
	uint16_t size;     /* as the driver set it, a power of two */
	bool enabled;
	uint64_t desc, driver, device; /* guest addresses of table, available and used ring */

	/* While enabled and valid: the rings in host memory. */
	struct vring_desc *table;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t next_avail; /* next available entry to take */
	uint16_t next_used;  /* next used entry to write */
	uint16_t signalled;  /* next_used when it was last thought of interrupting */
	unsigned popped;     /* chains taken and not pushed */
};

/* A request: the buffers of one descriptor chain, those the device reads first. */
struct virtq_chain {
	uint16_t head;
	unsigned out_count;             /* device-readable segments */
	unsigned in_count;              /* device-writable segments, after them */
	uint64_t out_length, in_length; /* bytes */
	struct iovec segment[VIRTQ_SIZE_MAX];
	uint64_t address[VIRTQ_SIZE_MAX]; /* guest addresses of the same */
};

struct virtio_ops {
	const char *name;    /* "virtio-block", for people */
	uint16_t id;         /* virtio device id, section 5 */
	uint32_t class_code; /* PCI class for the transport */

	/* Device configuration space. Offsets and sizes lie within config_size. */
	uint16_t config_size;
	void (*config_read)(struct virtio_device *dev, unsigned offset, void *data, unsigned size);
	/* NULL: read-only. */
	void (*config_write)(
		struct virtio_device *dev, unsigned offset, const void *data, unsigned size);

	/* The driver has set DRIVER_OK. NULL: nothing to do. */
	void (*start)(struct virtio_device *dev);
	/* The driver has notified a queue, or it may have entries after start. */
	void (*kick)(struct virtio_device *dev, unsigned queue);
	/* The driver resets the device. Requests in flight may go on: the device counts as reset
	 * (its status reads 0) when every queue's popped is 0 again. Chains are pushed as ever;
	 * that tells the driver nothing any more. NULL: nothing to do. */
	void (*reset)(struct virtio_device *dev);

	/* Saving (state.h) of what is the device's own. A chain that is held back is not saved: the
	 * device that is loaded takes it anew, unless load() has taken it by virtq_retake(). NULL:
	 * nothing to save. */
	void (*save)(struct virtio_device *dev, unsigned index, struct state_out *out);
	bool (*load)(struct virtio_device *dev, unsigned index, struct state_in *in, GError **error);
};

/* What a transport does for a device. */
struct virtio_transport_ops {
	/* Interrupts for a used buffer in queue. */
	void (*used)(void *transport, unsigned queue);
	/* Interrupts for a change of configuration or status. */
	void (*config_changed)(void *transport);
};

struct virtio_device {
	const struct virtio_ops *ops;
	const struct virtio_env *env;
	const struct virtio_transport_ops *transport_ops;
	void *transport;
	uint64_t offered;    /* features */
	uint64_t features;   /* as the driver accepted them */
	uint8_t status;      /* what the driver reads */
	bool resetting;      /* the driver has asked for a reset, requests are in flight */
	bool frozen;         /* the machine stands still: no request is taken */
	uint32_t generation; /* of the configuration */
	/* How many more chains the notification that is being served may take; what is left then
	 * waits for the main loop, so that a driver that adds without end does not keep the lock.
	 */
	bool serving;
	unsigned budget;
	uint32_t deferred; /* queues that wait */
	struct clock_timer *again;
	unsigned queue_count;
	struct virtq queues[VIRTIO_QUEUES_MAX];
};

/* For devices. features: the device's own; those every device has are added. Queues are sized by
 * virtio_add_queue(), in order. */
void virtio_device_init(struct virtio_device *dev, const struct virtio_ops *ops,
	const struct virtio_env *env, uint64_t features);
void virtio_add_queue(struct virtio_device *dev, uint16_t size_max);
/* What init took; the last thing in a device's free. */
void virtio_device_release(struct virtio_device *dev);

static inline bool virtio_has(const struct virtio_device *dev, uint64_t feature)
{
	return dev->features & feature;
}

/* Whether requests may be taken: DRIVER_OK, not resetting, not misused. */
bool virtio_running(const struct virtio_device *dev);
/* The configuration space has changed: new generation, driver told. */
void virtio_config_changed(struct virtio_device *dev);
/* The driver broke the rules: what is a half sentence, "descriptor 7 points outside memory". */
void virtio_misused(struct virtio_device *dev, const char *what);

/* Takes the next request. false: none there (or enough for now), queue off, or misused (then the
 * device needs reset).
 */
bool virtq_pop(struct virtio_device *dev, unsigned queue, struct virtq_chain *chain);
/* Takes back the last count pops, as if they had not been. */
void virtq_unpop(struct virtio_device *dev, unsigned queue, unsigned count);
/* For load(): takes the chain of this head, one of those that were popped and not given back when
 * the device was saved: all of a queue's, or none. false: there can be no such chain. */
bool virtq_retake(
	struct virtio_device *dev, unsigned queue, uint16_t head, struct virtq_chain *chain);
/* Gives a chain back with length bytes written to its writable part (and tells the code tracking
 * of them). Does not interrupt: that is virtq_notify(), once after a batch. */
void virtq_push(struct virtio_device *dev, unsigned queue, const struct virtq_chain *chain,
	uint32_t length);
/* For drivers that take several chains for one thing (mergeable buffers): fills the used entry
 * ahead places from the next, and makes count entries visible at once. */
void virtq_fill(struct virtio_device *dev, unsigned queue, const struct virtq_chain *chain,
	uint32_t length, unsigned ahead);
void virtq_flush(struct virtio_device *dev, unsigned queue, unsigned count);
/* Interrupts the driver if it wants to know of what has been pushed. */
void virtq_notify(struct virtio_device *dev, unsigned queue);
/* Whether virtq_pop() may find something. */
bool virtq_has_work(struct virtio_device *dev, unsigned queue);
/* Asks the driver not to notify (wanted false), or to notify of the next entry; then, entries may
 * have come already: true if so. */
bool virtq_want_kicks(struct virtio_device *dev, unsigned queue, bool wanted);

/* Copies from the readable or to the writable part of a chain, offset bytes in; how many were
 * copied, less at the end. */
uint64_t virtq_chain_read(
	const struct virtq_chain *chain, uint64_t offset, void *data, uint64_t length);
uint64_t virtq_chain_write(
	const struct virtq_chain *chain, uint64_t offset, const void *data, uint64_t length);

/* For transports. */
void virtio_set_transport(
	struct virtio_device *dev, const struct virtio_transport_ops *ops, void *transport);
/* The driver writes the status; 0 resets. */
void virtio_set_status(struct virtio_device *dev, uint8_t status);
/* The features the driver accepts; ignored after FEATURES_OK. */
void virtio_set_features(struct virtio_device *dev, uint64_t features);
/* Enables a queue with the size and addresses in it; misuse where they are wrong. */
void virtio_enable_queue(struct virtio_device *dev, unsigned queue);
/* The driver notifies. */
void virtio_kick(struct virtio_device *dev, unsigned queue);
/* Configuration access with bounds: what lies outside reads as zero and is not written. */
void virtio_config_read(struct virtio_device *dev, unsigned offset, void *data, unsigned size);
void virtio_config_write(
	struct virtio_device *dev, unsigned offset, const void *data, unsigned size);

/* Stops taking requests, or goes on with those that have come. What is under way ends as ever. */
void virtio_freeze(struct virtio_device *dev, bool frozen);
/* Saving: state.h. A device that is loaded is frozen. */
void virtio_save(struct virtio_device *dev, unsigned index, struct state_out *out);
bool virtio_load(struct virtio_device *dev, unsigned index, struct state_in *in, GError **error);
