// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The daemon's end of client connections: packets in, calls to their procedures, replies and events
 * out. A client that breaks the protocol, or does not read what it asked for, is disconnected;
 * nobody else notices. Main thread, default main context.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/daemon/packet.h"
#include "engine/daemon/registry.h"

/* What all clients share. */
struct server {
	struct registry *registry;
	GPtrArray *clients; /* struct client */
	char *path;
	int fd;
	GSource *source;
	int last_callback;
};

struct client;

/* One call that has not been answered yet. */
struct call {
	struct client *client; /* NULL when it has left */
	const struct procedure *procedure;
	struct wire_header header;
	void *args;
	void *ret;
	char uuid[37]; /* of the guest it is about, for complete() */
	/* Fills ret in when the call has worked; may be NULL. */
	void (*complete)(struct call *call, struct server *server);
	struct server *server;
};

/* Listens at path. Errors: G_FILE_ERROR. */
bool server_listen(struct server *server, const char *path, GError **error);
void server_close(struct server *server);
/* The events of the registry go to the clients that asked for them; data is the server. */
extern const struct registry_events server_events;

/* Answers and frees the call. A guest_done. */
void call_done(void *call, const GError *error);

/* For procedures: what the client is. */
bool client_open(struct client *client, const char *uri, bool readonly, GError **error);
const char *client_uri(const struct client *client);
/* Registers for an event (virDomainEventID), of one guest or of all (uuid NULL); old is the form
 * without callback numbers. Returns the callback's number. */
int client_add_callback(struct client *client, int event, const char *uuid, bool old);
bool client_remove_callback(struct client *client, int callback);
/* In the old form: by the event. */
bool client_remove_event(struct client *client, int event);
