// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where clients connect: a UNIX socket that is made here, or one that systemd has made and hands
 * over (sd_listen_fds(3)), known by its path. Main thread, default main context.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct listener;

struct listener_config {
	const char *path;
	mode_t mode;
	gid_t group; /* -1: the process's own */
	/* A client has come; takes the connection, which does not block. */
	void (*comes)(void *data, int fd, bool read_only);
	void *data;
	bool read_only; /* handed on */
};

/* Whoever calls this holds the instance's lock: a socket that is there was left by a killed daemon.
 * Errors: G_FILE_ERROR. */
struct listener *listener_new(const struct listener_config *config, GError **error);
/* Is somebody waiting to be let in? */
bool listener_is_wanted(const struct listener *listener);
/* Takes NULL. A socket made here is removed. */
void listener_free(struct listener *listener);

/* Did systemd hand over any socket? */
bool listener_is_activated(void);
