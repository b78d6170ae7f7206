// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Who looks at a console beside the one it is connected to: any number of stream sockets that get
 * what the guest writes, first the last VIEWERS_RING bytes of what it has written before. One of
 * them may also write: its bytes are input for the guest. What others write is dropped.
 *
 * The guest never waits for a viewer: one that has not read the last VIEWERS_BEHIND bytes is dropped,
 * its connection closed after the last whole piece it was sent. Nothing of others' is lost by that.
 *
 * Threads: viewers_put() any with the machine lock; the others the main thread without it, but for
 * viewers_flush(), which is called there with it.
 */
#pragma once

#include "engine/vmm/bus.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define VIEWERS_RING 65536u
#define VIEWERS_BEHIND (4 * VIEWERS_RING)
/* Most at a time. */
#define VIEWERS_MAX 32u

struct viewers;

struct viewers_ops {
	/* Bytes for the guest from the one who writes; how many were taken. After fewer than length
	 * no more is read until viewers_resume(). Lock held. */
	size_t (*input)(void *data, const char *bytes, size_t length);
	void *data;
};

struct viewers *viewers_new(GMainContext *context, struct machine_lock *lock,
	const struct viewers_ops *ops);
/* What waits is sent as far as nobody has to wait for it. */
void viewers_free(struct viewers *viewers);

/* The guest has written this. true: viewers_flush() is due. */
bool viewers_put(struct viewers *viewers, const void *data, size_t length);
void viewers_flush(struct viewers *viewers);
/* There is room for input again. Lock held. */
void viewers_resume(struct viewers *viewers);

/* fd: taken in any case. write: it also writes; force: instead of who does now, who goes on reading.
 * Errors: G_IO_ERROR, sentences. */
bool viewers_attach(struct viewers *viewers, int fd, bool write, bool force, GError **error);
unsigned viewers_count(const struct viewers *viewers);
bool viewers_has_writer(const struct viewers *viewers);
