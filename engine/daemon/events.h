// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Events: what a client has asked to be told, and telling it. Main thread.
 *
 * A client that turns out to be gone while it is told is swept when its socket says so.
 */
#pragma once

#include "engine/daemon/client.h"

/* What an event is about; the numbers of events are libvirt's of that kind. */
enum event_about {
	EVENT_GUEST,
	EVENT_NETWORK,
	EVENT_POOL,
};

/* Registers a client for an event, of one object or of all (uuid NULL); old is the form without
 * callback numbers. Returns the callback's number, or -1: the client has too many. */
int event_add_callback(
	struct client *client, enum event_about about, int event, const char *uuid, bool old);
bool event_remove_callback(struct client *client, enum event_about about, int callback);
/* In the old form: by the event. */
bool event_remove_old(struct client *client, int event);
/* A GDestroyNotify for client.c. */
void callback_free(void *callback);

/* A virStoragePoolEventLifecycleType, or virNetworkEventLifecycleType. uuid is the object's, as
 * text. */
void event_tell_pool(
	struct server *server, const struct wire_pool *pool, const char *uuid, int event);
void event_tell_network(
	struct server *server, const struct wire_network *network, const char *uuid, int event);
/* The pool's volumes have changed, or may have. */
void event_tell_refresh(struct server *server, const struct wire_pool *pool, const char *uuid);

/* The events of the registry; data is the server. */
extern const struct registry_events server_events;
