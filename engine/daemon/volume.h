// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Volumes: the files in a pool's folder. Links are not followed, hidden files are none. They are
 * raw, or of QEMU's format qcow2 (which qemu-img makes: qemu_img.h). Any thread.
 * Errors are those of fault.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pool;

struct volume {
	char *name;
	char *path; /* which is its key, too */
	int type;   /* a virStorageVolType */
	bool qcow2;
	/* Of such, from its header: 2 or 3, bytes, and the image it stands on or NULL. */
	unsigned version;
	uint32_t cluster;
	char *backing, *backing_format;
	uint64_t capacity, allocation, physical; /* bytes */
	mode_t mode;
	uid_t user;
	gid_t group;
	struct timespec accessed, modified, changed;
};

void volume_free(struct volume *volume);
/* Looks for it. path is the pool's folder; NULL sets the error. */
struct volume *volume_find(const char *path, const char *name, GError **error);
/* All, in no order; struct volume. */
GPtrArray *volume_list(const char *path);
/* libvirt's XML. Free with g_free(). */
char *volume_print(const struct volume *volume);
/* Opens it for O_RDONLY or O_RDWR; -1 sets the error. */
int volume_open(const struct volume *volume, int flags, GError **error);

/* What a new one shall be, read from libvirt's XML. */
struct volume_wish {
	char *name;
	uint64_t capacity, allocation;
	mode_t mode;
	bool qcow2, preallocate;
	unsigned version; /* of qcow2: 2 or 3 */
	char *backing, *backing_format; /* or NULL */
	/* For the caller to set when qemu-img is to copy: qemu_img_source(), or NULL. */
	char *source;
	uint64_t source_capacity;
};
bool volume_parse(const char *xml, struct volume_wish *wish, GError **error);
void volume_wish_clear(struct volume_wish *wish);

/* These may take long. Makes it whole or not at all; source is NULL, or what is to be copied. */
bool volume_create(const char *path, const struct volume_wish *wish, const struct volume *source,
	GError **error);
/* allocate: the host gives it all its space now. */
bool volume_resize(const struct volume *volume, uint64_t capacity, bool allocate, GError **error);
/* Writes zeros over all that is written. */
bool volume_wipe(const struct volume *volume, GError **error);
bool volume_delete(const struct volume *volume, GError **error);
