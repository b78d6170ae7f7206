// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The keeper (keeper.h) as the machine's process sees it: a process outside of the sandbox that
 * starts programs for devices and hands their sockets in. What it asks for is a name; what the name
 * means was said to the keeper, by the definition or by a trusted client.
 *
 * Each question waits for its answer. Main thread. Errors: G_IO_ERROR, sentences. Where kept is
 * NULL nothing can be had.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct kept;

/* fd: the socket to the keeper, taken. */
struct kept *kept_new(int fd);
void kept_free(struct kept *kept);
/* The socket, whose hang-up is the keeper's end. */
int kept_fd(const struct kept *kept);

/* A connected NBD socket to what serves the disk, and the name of its export, which the caller
 * frees; -1 on an error. The image is made to have size bytes before, unless that is 0; earlier
 * connections are ended for it. */
int kept_disk(struct kept *kept, const char *name, uint64_t size, char **export_name,
	GError **error);
/* A socket to a new passt for the network card; an earlier one is ended. -1 on an error. */
int kept_nic(struct kept *kept, const char *name, GError **error);
/* They have gone from the guest: their programs end. */
void kept_drop_disk(struct kept *kept, const char *name);
void kept_drop_nic(struct kept *kept, const char *name);
