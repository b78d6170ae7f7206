// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Memory that is plugged and unplugged in blocks (virtio 1.2, section 5.15): a part of the region
 * of struct guest_memory, of which the guest takes or gives back blocks until as much is plugged as
 * is requested. A guest that boots anew begins with nothing plugged (memory_clear() sees to that);
 * a driver that resets the device keeps its blocks.
 *
 * Threads: with the machine lock held.
 */
#pragma once

#include "engine/vmm/dev/virtio.h"

struct virtio_mem;

struct virtio_mem_place {
	uint64_t address; /* guest physical, in the region */
	uint64_t size;    /* bytes, the most that can be plugged */
	uint64_t block;   /* bytes, a power of two, of which the others are multiples */
};

struct virtio_mem *virtio_mem_new(
	const struct virtio_env *env, const struct virtio_mem_place *place);
void virtio_mem_free(struct virtio_mem *mem);
struct virtio_device *virtio_mem_device(struct virtio_mem *mem);

const struct virtio_mem_place *virtio_mem_get_place(const struct virtio_mem *mem);
/* How much the guest is to have, bytes: a multiple of the block; it follows as it can. */
void virtio_mem_request(struct virtio_mem *mem, uint64_t size);
uint64_t virtio_mem_requested(const struct virtio_mem *mem);
uint64_t virtio_mem_plugged(const struct virtio_mem *mem);
/* Called with the lock held after blocks were plugged or unplugged. NULL: nobody. */
void virtio_mem_set_listener(struct virtio_mem *mem, void (*changed)(void *data), void *data);
