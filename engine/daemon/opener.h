// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The keeper of a running monitor, asked to open a device that needs a program, before the guest's
 * machine is asked to plug it (engine/common/control.h, "The keeper").
 *
 * Main thread, default main context.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

struct opener;

/* Asks at socket (taken; -1: as errno says) for "open-disk" or "open-nic" with these members
 * (taken) and descriptors (struct file, files.h). problem is NULL where it is open. answered is
 * called from the main loop, once, unless it is freed before. NULL sets the error (G_FILE_ERROR). */
struct opener *opener_new(int socket, const char *request, JsonObject *members, const GPtrArray *files,
	void (*answered)(void *data, const char *problem), void *data, GError **error);
/* What has not been plugged until then is closed again. NULL: nothing. */
void opener_free(struct opener *opener);
