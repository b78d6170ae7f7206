// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * libvirt's streams: bytes between a client and a socket in the daemon, both ways at once, beside
 * the client's calls. A client that does not read is not sent more; one that sends more than the
 * socket takes is not read from. Main thread.
 *
 * Reference: "Data streams" in docs/kbase/internals/rpc.rst of libvirt. A stream has the procedure
 * and the serial of the call that began it. Either side ends it: the client by finishing or
 * aborting it, both of which are answered; the daemon by an error. Its end of data is an empty
 * packet, after which the client finishes.
 */
#pragma once

#include "engine/daemon/client.h"

struct stream;

struct stream_ops {
	bool reads;  /* the client gets what comes from the socket */
	bool writes; /* the socket gets what the client sends */
	/* The client has sent all, and the socket has it: to be answered by stream_finished() or
	 * stream_fail(), now or later. NULL: it is finished at once. */
	void (*finish)(void *data);
	/* The stream is gone. NULL: nothing to do. */
	void (*free)(void *data);
};

/* Begins a stream in answer to a call, which is answered right after; fd is taken. NULL (and fd is
 * closed): the client has left, or has too many. */
struct stream *stream_new(struct call *call, int fd, const struct stream_ops *ops, void *data);
/* The answer to finish; frees the stream. */
void stream_finished(struct stream *stream);
/* Ends it with an error, and frees it. */
void stream_fail(struct stream *stream, const GError *error);

/* For client.c. */
void stream_free(struct stream *stream);
void stream_take(struct client *client, const struct packet *packet);
bool streams_are_full(const GPtrArray *streams);
/* The client has taken what it was sent. */
void streams_balance(const GPtrArray *streams);
