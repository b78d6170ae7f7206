// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The files that guests name, opened for their monitors as lodged.conf(5) allows.
 *
 * What a path leads to is taken hold of first and judged then, by where it really is, and only then
 * opened: a path may lead elsewhere a moment later, and opening can have effects of its own.
 * Main thread. Errors are those of fault.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/common/config.h"
#include "engine/daemon/settings.h"

/* What a file is to a guest: how it is opened, and what it may be. */
enum file_use {
	FILE_BOOT,       /* kernel, initrd: a regular file, read only */
	FILE_IMAGE,      /* of a disk: a regular file or block device, read and written */
	FILE_IMAGE_READ, /* the same, read only */
	FILE_LOG,        /* written only, and made where it is not there */
	FILE_SAVED,      /* of a saved guest: a regular file, read only */
	FILE_SAVED_EDIT, /* the same, read and written */
	FILE_PIPE,       /* a FIFO that somebody reads: written only */
};

struct file {
	char *path; /* as the definition has it */
	int fd;
};

/* -1 sets the error. settings NULL: the file is one of the daemon's own, wherever it is. */
int file_open(const struct settings *settings, const char *path, enum file_use use, GError **error);
/* The folder that path is in or would be made in, for openat(2) and its kin; -1 sets the error. */
int file_open_folder(const struct settings *settings, const char *path, GError **error);

/* A list of struct file, which closes them. */
GPtrArray *files_new(void);
/* Each adds all that is named there, once for each time that it is named. What a disk's image stands
 * on is read from the image (chain.h), added, and written to the disk's backing. */
bool files_add_guest(GPtrArray *files, const struct settings *settings,
	const struct machine_config *config, GError **error);
bool files_add_disk(GPtrArray *files, const struct settings *settings, struct config_disk *disk,
	GError **error);
bool files_add_net(GPtrArray *files, const struct settings *settings,
	const struct config_net *net, GError **error);
