// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The host sides of serial ports and virtio consoles: a terminal, a new pseudo terminal, a file,
 * a UNIX socket, or nothing. All of them are file descriptors served by the machine's main loop;
 * what a guest writes is collected and written in larger pieces.
 *
 * Nothing a reader on the host does (stops, goes away) holds up the guest longer than its own
 * device's flow control does. Who is not there gets nothing: bytes are dropped, as on a serial
 * line without a cable.
 */
#pragma once

#include "engine/common/config.h"
#include "engine/vmm/bus.h"
#include "engine/vmm/dev/chardev.h"

#include <glib.h>
#include <stdbool.h>

struct host_chardev;

/* Makes the host side that config describes. Errors are sentences with the path. */
struct host_chardev *host_chardev_new(const struct config_chardev *config, GMainContext *context,
	struct machine_lock *lock, GError **error);

/* The terminal, or whatever standard input and output are. Output is flushed when freed. Of config only
 * the log counts. */
struct host_chardev *host_chardev_new_stdio(const struct config_chardev *config,
	GMainContext *context, struct machine_lock *lock, GError **error);

/* One more who looks, beside the one that config says: see viewers.h. */
bool host_chardev_attach(struct host_chardev *host, int fd, bool write, bool force,
	GError **error);
unsigned host_chardev_readers(const struct host_chardev *host);
bool host_chardev_has_writer(const struct host_chardev *host);

/* Looks at input before the device gets it: returns how many of the bytes at data stay, after it
 * has taken out what is not meant for the guest. Lock not held. */
void host_chardev_set_filter(struct host_chardev *host,
	size_t (*filter)(void *data, char *bytes, size_t length), void *data);

/* For devices. */
struct chardev *host_chardev_base(struct host_chardev *host);

/* Where somebody can listen: the pseudo terminal's name or the path; NULL where nowhere. */
const char *host_chardev_path(const struct host_chardev *host);

/* Lock not held. */
void host_chardev_free(struct host_chardev *host);
