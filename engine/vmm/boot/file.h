// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A file a machine is booted from. Kept open, so that a reset boots the same bytes again even
 * where the path leads elsewhere by then.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct boot_file {
	char *path;
	int fd;
	uint64_t size;
};

/* Errors: G_FILE_ERROR, whole sentences. path must be a regular file with something in it. */
struct boot_file *boot_file_open(const char *path, GError **error);
void boot_file_free(struct boot_file *file);

/* Reads exactly length bytes from offset on; fewer is an error ("is truncated"). */
bool boot_file_read(const struct boot_file *file, uint64_t offset, void *data, uint64_t length,
	GError **error);
