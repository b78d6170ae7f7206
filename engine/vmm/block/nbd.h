// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * An NBD client: a disk whose bytes another process keeps, at the other end of a socket (the NBD
 * protocol, https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md: fixed newstyle
 * negotiation by NBD_OPT_GO, simple replies). Many requests are under way at once.
 *
 * Nothing is believed of the server: what breaks the protocol, or hangs up, ends the connection.
 * Then each request fails with EIO, those under way and those to come, and lost is called once.
 *
 * Two threads, which begin with the first request: one sends, one receives.
 */
#pragma once

#include "engine/vmm/block/block.h"

struct block_nbd_config {
	int fd; /* a connected stream socket, taken; blocking */
	const char *export_name;
	bool read_only;
	bool discard;
	void (*begin)(void); /* called first in each of its threads; NULL: nothing */
	/* The connection has ended. In a thread of the backend, no lock held. NULL: nobody. */
	void (*lost)(void *data, const char *why);
	void *lost_data;
};

/* Negotiates; takes at most NBD_PATIENCE_S for each answer. Errors: G_IO_ERROR, sentences. */
struct block_backend *block_nbd_new(const struct block_nbd_config *config, GError **error);

/* The server is about to end the connection: nobody is told of it. */
void block_nbd_forget(struct block_backend *backend);

#define NBD_PATIENCE_S 30
