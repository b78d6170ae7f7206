// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where lodged keeps things, and files that are whole or not there.
 *
 * Under one folder (--root DIR), or for root in /etc/lodge, /run/lodge and /var/log/lodge, or for
 * any other user in the XDG folders. Main thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct store {
	char *definitions; /* UUID.xml of each guest */
	char *autostart;   /* an empty file UUID for each guest to be started with the daemon */
	char *run;         /* a folder UUID for each running guest */
	char *log;         /* NAME.log of each guest's monitor */
	char *socket;      /* where clients connect */
	int lock;          /* held for as long as the store is open */
};

/* Makes the folders and takes the lock; root is NULL for the user's own. Errors: G_FILE_ERROR;
 * G_FILE_ERROR_AGAIN when another daemon has the lock. */
struct store *store_open(const char *root, GError **error);
void store_close(struct store *store);

/* "FOLDER/NAME" + suffix. Free with g_free(). */
char *store_path(const char *folder, const char *name, const char *suffix);

/* Writes a file so that after any crash it has the old or the new text. Errors: G_FILE_ERROR. */
bool store_write(const char *path, const char *text, GError **error);
/* Removes a file, for good when this returns; one that is not there is no error. */
bool store_remove(const char *path, GError **error);
/* Removes a folder with the files in it. */
void store_remove_folder(const char *path);
