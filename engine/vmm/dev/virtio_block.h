// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The virtio block device (virtio 1.2, section 5.2): read, write, flush, discard, write zeroes and
 * identification on one queue, over a block backend that works in a thread of its own. A driver that
 * does not accept the flush feature gets each write made durable before it is acknowledged
 * (5.2.6.2: writethrough).
 *
 * What the backend cannot carry out is the owner's to judge (struct virtio_block_owner); without
 * one the guest gets VIRTIO_BLK_S_IOERR.
 */
#pragma once

#include "engine/common/stats.h"
#include "engine/vmm/block/block.h"
#include "engine/vmm/dev/virtio.h"

struct virtio_block;

enum virtio_block_verdict {
	VIRTIO_BLOCK_REPORT, /* the guest is told */
	VIRTIO_BLOCK_IGNORE, /* the guest is told that it worked */
	VIRTIO_BLOCK_KEEP,   /* it waits for virtio_block_retry() */
};

struct virtio_block_owner {
	/* A request has failed with an errno. In a thread of the backend, lock held. */
	enum virtio_block_verdict (*failed)(void *data, bool write, int error);
	void *data;
};

/* serial: up to 20 characters, or NULL. backend is not owned; it must be drained (block_drain())
 * before the device is freed. owner is copied, or NULL. */
struct virtio_block *virtio_block_new(const struct virtio_env *env, struct block_backend *backend,
	const char *serial, const struct virtio_block_owner *owner);
void virtio_block_free(struct virtio_block *block);
struct virtio_device *virtio_block_device(struct virtio_block *block);

/* The backend's size has changed: tells the guest. Lock held. */
void virtio_block_resized(struct virtio_block *block);
/* Tries again what was kept. Lock held. */
void virtio_block_retry(struct virtio_block *block);
/* How many requests are kept. Lock held. */
unsigned virtio_block_kept(const struct virtio_block *block);

/* Counts in this record from now on; NULL: in one of its own. Times are of the host's clock, from
 * submission to completion. Lock held. */
void virtio_block_count(struct virtio_block *block, struct stats_disk *stats);
const struct stats_disk *virtio_block_get_stats(const struct virtio_block *block);
