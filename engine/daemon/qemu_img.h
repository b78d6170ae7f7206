// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Images of QEMU's format qcow2, made and changed by qemu-img(1). It is never told to follow what
 * an image's header names: each image that it may open is named in what it is given. Any
 * thread; these may take long. Errors are those of fault.h.
 */
#pragma once

#include "engine/daemon/volume.h"

struct config_disk;

/* How qemu-img is to read an image: a raw one, or one with the chain that files_add_disk() has
 * found (disk->backing). Free with g_free(). */
char *qemu_img_source(const struct config_disk *disk);

/* Makes the image in a file that is there: empty, or (source not NULL) a copy. */
bool qemu_img_create(const char *file, const struct volume_wish *wish, GError **error);
bool qemu_img_resize(const struct volume *volume, uint64_t capacity, GError **error);
