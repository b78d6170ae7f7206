// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where lodged keeps things, and files that are whole or not there.
 *
 * Under one folder (--root DIR), or the system's in /etc/lodge, /run/lodge, /var/lib/lodge and
 * /var/log/lodge, or a session's in the user's XDG folders. Main thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct store {
	bool system;         /* the host's own, not a user's */
	char *settings;      /* lodged.conf */
	char *definitions;   /* UUID.xml of each guest */
	char *autostart;     /* an empty file UUID for each guest to be started with the daemon */
	char *pools;         /* UUID.xml of each storage pool, and UUID.autostart */
	char *running_pools; /* UUID.xml of those that run */
	char *networks;      /* the same of each network */
	char *images;        /* the default pool's folder; made when the pool is built */
	char *saves;         /* UUID.save of each guest with a managed saved state; as images */
	char *run;           /* a folder UUID for each running guest */
	char *log;           /* NAME.log of each guest's monitor */
	char *own_log;       /* lodged.log and audit.log */
	char *socket;        /* where clients connect */
	char *read_only_socket;
	int lock; /* held for as long as the store is open */
};

enum store_place {
	STORE_USUAL, /* the system's for root, otherwise the session's */
	STORE_SYSTEM,
	STORE_SESSION,
};

/* Makes the folders and takes the lock. Where root is not NULL, everything lies in it, and place
 * says only what kind of instance it is. Errors: G_FILE_ERROR; G_FILE_ERROR_AGAIN when another
 * daemon has the lock: *socket then is where that one listens, or will soon; to be freed. */
struct store *store_open(const char *root, enum store_place place, char **socket, GError **error);
void store_close(struct store *store);

/* "FOLDER/NAME" + suffix. Free with g_free(). */
char *store_path(const char *folder, const char *name, const char *suffix);

/* Writes a file so that after any crash it has the old or the new text: a new file, fsync(2),
 * rename(2). That the new one is on the disk under its name is known by sync.h: an answer to who has
 * asked for the change waits for it. Errors: G_FILE_ERROR. */
bool store_write(const char *path, const char *text, GError **error);
/* The same for what does not outlive the host's run: it is whole or not there when this process
 * dies, and the disk is not waited for. */
bool store_write_volatile(const char *path, const char *text, GError **error);
/* Removes a file; one that is not there is no error. For good it is as store_write() says. */
bool store_remove(const char *path, GError **error);
/* Removes a folder with the files in it. */
void store_remove_folder(const char *path);
