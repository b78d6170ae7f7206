// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A qemu-storage-daemon(1) that serves one disk of a format other than raw, or of Ceph, by NBD: told
 * what to open by QMP (qmp.h), which only its keeper holds, as it can open whatever the daemon can.
 *
 * An export's size does not change while somebody is connected: growing the image takes a new
 * connection, and ends the one before.
 *
 * One thread, which waits for the daemon (seconds, in the worst case). Errors: G_IO_ERROR,
 * sentences; what the daemon says is part of them.
 */
#pragma once

#include "engine/common/config.h"

#include <sys/types.h>

struct storage;

/* Starts the daemon, which opens the disk. files: the opened image and all that it stands on (the
 * disk's backing), count descriptors, the caller's; or none: the daemon opens what disk says. */
struct storage *storage_new(
	const struct config_disk *disk, const int *files, unsigned count, GError **error);
/* Ends the daemon. */
void storage_free(struct storage *storage);

/* A socket that is connected to a new export, of the name *export_name, which the caller frees; the
 * one before is ended. The image is made to have size bytes before that, unless it is 0; where that
 * does not work there is a connection nevertheless with the next call. -1 on an error. */
int storage_connect(struct storage *storage, uint64_t size, char **export_name, GError **error);
