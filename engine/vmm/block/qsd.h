// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Disks of formats other than raw, and of Ceph: qemu-storage-daemon(1) knows them; one is started
 * for each such disk, told what to open by QMP, and serves us by NBD (nbd.h).
 *
 * Each NBD connection of it is opened before the daemon starts, over a socket that nobody else
 * can reach, so that no path and no privilege is needed later: growing the image takes a new
 * connection, since an export's size does not change while it is connected. QSD_GROWTHS_MAX times.
 *
 * When the daemon dies, its disk's requests fail with EIO.
 *
 * Threads: opening, resizing and freeing in one, which waits for the daemon (seconds, in the worst
 * case); the rest as block.h says.
 */
#pragma once

#include "engine/common/config.h"
#include "engine/vmm/block/block.h"

#define QSD_GROWTHS_MAX 15u

struct block_qsd_config {
	const struct config_disk *disk;
	int fd; /* the opened image, taken; or -1 */
	void (*begin)(void); /* as in nbd.h */
	/* The daemon is gone. In a thread of the backend, no lock held. NULL: nobody. */
	void (*lost)(void *data, const char *why);
	void *lost_data;
};

/* Errors: G_IO_ERROR, sentences; what the daemon says is part of them. */
struct block_backend *block_qsd_open(const struct block_qsd_config *config, GError **error);

/* The daemon's process id. */
GPid block_qsd_pid(const struct block_backend *backend);
