// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Disks of formats other than raw, and of Ceph: qemu-storage-daemon(1) knows them. The keeper
 * (kept.h) starts one for each such disk and connects it to us, by NBD (nbd.h); growing the image
 * takes a new connection.
 *
 * When the daemon dies, its disk's requests fail with EIO.
 *
 * Threads: opening, resizing and freeing in the main one, which waits for the daemon (seconds, in
 * the worst case); the rest as block.h says.
 */
#pragma once

#include "engine/common/config.h"
#include "engine/vmm/block/block.h"
#include "engine/vmm/kept.h"

struct block_qsd_config {
	const struct config_disk *disk;
	struct kept *kept;   /* outlives it */
	void (*begin)(void); /* as in nbd.h */
	/* The daemon is gone. In a thread of the backend, no lock held. NULL: nobody. */
	void (*lost)(void *data, const char *why);
	void *lost_data;
};

/* Errors: G_IO_ERROR, sentences; what the daemon says is part of them. */
struct block_backend *block_qsd_open(const struct block_qsd_config *config, GError **error);
