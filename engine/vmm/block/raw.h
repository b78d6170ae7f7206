// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The raw backend: a regular file or a block device, byte for byte.
 *
 * It is locked while open (an open file description lock on the whole of it: exclusive, or shared
 * when read-only), so that two monitors cannot write to one disk; QEMU's locks exclude ours, too.
 * Its thread begins with the first request.
 */
#pragma once

#include "engine/vmm/block/block.h"

struct block_raw_config {
	const char *path;
	bool opened; /* fd is the image, opened already, and path what to call it */
	int fd;      /* taken, also on an error */
	bool read_only;
	bool shared;  /* <shareable/>: no lock */
	bool discard; /* pass discards on; else they are acknowledged and dropped */
	void (*begin)(void); /* called first in its thread; NULL: nothing */
};

/* Errors are whole sentences with path and cause: not found, not permitted, in use by another
 * program (G_IO_ERROR_BUSY), not a file or block device, empty. */
struct block_backend *block_raw_open(const struct block_raw_config *config, GError **error);
