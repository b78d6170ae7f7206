// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Storage pools of type dir: folders whose files are volumes. A pool's definition is saved as
 * libvirt's XML, one that runs has a file in the run folder, so that it goes on with the next
 * daemon. What a pool holds is never remembered: the folder is looked at (volume.h). Main thread.
 * Errors are those of fault.h, or of GLib where a file could not be written.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "engine/daemon/registry.h"

struct pool {
	char *name;
	char *path;
	unsigned char uuid_bytes[16];
	char uuid[37];
	int mode;        /* of the folder, when it is made; -1: the usual one */
	int user, group; /* the same; -1: the daemon's */
	bool active, persistent, autostart;
};

struct pools {
	const struct store *store;
	const struct settings *settings;
	GPtrArray *list; /* struct pool, in the order they came */
};

struct pools *pools_new(const struct store *store, const struct settings *settings);
/* Takes NULL. */
void pools_free(struct pools *pools);
/* Reads what is on disk, starts those marked for autostart, and the very first time defines the
 * default pool. Files that cannot be used are left alone and reported. */
void pools_load(struct pools *pools, void (*report)(const char *sentence));

struct pool *pools_find_name(const struct pools *pools, const char *name);
/* NULL sets the error; text is only for its sentence. */
struct pool *pools_find(
	const struct pools *pools, const char *uuid, const char *name, GError **error);
/* The active one with this folder; NULL: there is none. */
struct pool *pools_find_path(const struct pools *pools, const char *path);

/* From XML: saved, or for now only. */
struct pool *pools_define(struct pools *pools, const char *xml, GError **error);
struct pool *pools_add_transient(struct pools *pools, const char *xml, GError **error);
bool pools_undefine(struct pools *pools, struct pool *pool, GError **error);
bool pool_start(const struct pools *pools, struct pool *pool, GError **error);
/* Frees one that is not saved. */
bool pool_stop(struct pools *pools, struct pool *pool, GError **error);
/* Makes its folder, or removes it when it is empty. */
bool pool_build(const struct pool *pool, GError **error);
bool pool_delete(const struct pool *pool, GError **error);
bool pool_set_autostart(
	const struct pools *pools, struct pool *pool, bool autostart, GError **error);
/* Sets the error unless it runs. */
bool pool_check_active(const struct pool *pool, GError **error);

/* Bytes of the file system it is in; all 0 when it does not run. */
struct pool_space {
	uint64_t capacity, allocation, available;
};
void pool_measure(const struct pool *pool, struct pool_space *space);

/* Reads libvirt's XML; a missing UUID is made up. What is not known is refused. */
struct pool *pool_parse(const char *xml, GError **error);
void pool_free(struct pool *pool);
/* Free with g_free(). */
char *pool_print(const struct pool *pool, bool saved);
