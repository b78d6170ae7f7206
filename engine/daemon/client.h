// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The daemon's end of client connections: packets in, calls to their procedures, replies and events
 * out. A client that breaks the protocol, or does not read what it asked for, is disconnected;
 * nobody else notices. Main thread, default main context.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/daemon/audit.h"
#include "engine/daemon/packet.h"
#include "engine/daemon/registry.h"

/* What all clients share. */
struct server {
	struct registry *registry;
	struct pools *pools;
	GPtrArray *clients;  /* struct client */
	GPtrArray *consoles; /* struct console, for console.c */
	struct audit *audit; /* or NULL */
	struct listener *listener, *read_only_listener;
	int last_callback;
};

struct client;

/* One call that has not been answered yet. */
struct call {
	struct client *client; /* NULL when it has left */
	const struct procedure *procedure;
	struct wire_header header;
	struct audit_peer peer;
	void *args;
	void *ret;
	char uuid[37];            /* of the guest it is about, for complete() */
	uint64_t noted;           /* sync_noted() when it came */
	bool beginning, answered; /* begin() may look at args though it has answered */
	/* Fills ret in when the call has worked; may be NULL. */
	void (*complete)(struct call *call, struct server *server);
	struct server *server;
};

/* Listens where the registry's store and settings say. Errors: G_FILE_ERROR. */
bool server_listen(struct server *server, GError **error);
/* Is anybody here, or about to come? */
bool server_is_wanted(const struct server *server);
void server_close(struct server *server);

/* Answers and frees the call, once begin() has returned and what it has changed is on the disk. A
 * guest_done. */
void call_done(void *call, const GError *error);
/* The same as a guest_answer, for a call that wants nothing of the answer. */
void call_answered(void *call, JsonObject *answer, const GError *error);

/* For procedures: what the client is. */
bool client_open(struct client *client, const char *uri, bool readonly, GError **error);
const char *client_uri(const struct client *client);
struct server *client_server(const struct client *client);
/* Sends a packet that is no answer to a call; false when it is larger than a packet can be. A
 * client that is gone, or does not read, is swept later. */
bool client_send(struct client *client, const struct wire_header *header,
	const struct packet_format *format, const void *value);
bool client_send_bytes(
	struct client *client, const struct wire_header *header, const void *bytes, size_t size);
/* Does it take what it is sent? More than a little should not be sent to one that does not. */
bool client_takes(const struct client *client);
/* To be called when a stream can take what the client sends again. */
void client_go_on(struct client *client);

/* For events.c: struct callback. */
GPtrArray *client_callbacks(struct client *client);
/* For stream.c: struct stream. */
GPtrArray *client_streams(struct client *client);
