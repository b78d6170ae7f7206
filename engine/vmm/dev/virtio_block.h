// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The virtio block device (virtio 1.2, section 5.2): read, write, flush, discard, write zeroes and
 * identification on one queue, over a block backend that works in a thread of its own. Errors of
 * the backend reach the guest as VIRTIO_BLK_S_IOERR. A driver that does not accept the flush
 * feature gets each write made durable before it is acknowledged (5.2.6.2: writethrough).
 */
#pragma once

#include "engine/vmm/block/block.h"
#include "engine/vmm/dev/virtio.h"

struct virtio_block;

/* Counters since the start, in libvirt's terms; times in ns from submission to completion. */
struct virtio_block_stats {
	uint64_t read_requests, read_bytes, read_ns;
	uint64_t write_requests, write_bytes, write_ns;
	uint64_t flush_requests, flush_ns;
	uint64_t errors;
};

/* serial: up to 20 characters, or NULL. backend is not owned; it must be drained (block_drain())
 * before the device is freed. */
struct virtio_block *virtio_block_new(
	const struct virtio_env *env, struct block_backend *backend, const char *serial);
void virtio_block_free(struct virtio_block *block);
struct virtio_device *virtio_block_device(struct virtio_block *block);

/* The backend's size has changed: tells the guest. Lock held. */
void virtio_block_resized(struct virtio_block *block);
/* Lock held. */
const struct virtio_block_stats *virtio_block_get_stats(const struct virtio_block *block);
