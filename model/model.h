// SPDX-License-Identifier: GPL-3.0-or-later
// The whole that the console knows: connections with their guests, jobs, messages, the audit log,
// settings. It lives on the default GLib main context: create it, use it and free it in that
// thread, and run a main loop; everything it learns arrives there (at idle priority, so that keys
// go first) and is told to the watchers. Work per loop turn is sliced to a few milliseconds.
//
// A console:   model = model_new(settings, 0); model_open(model, uris, &error);
//              model_watch(model, changed, screen); run the loop; model_free(model).
#pragma once

#include "model/audit.h"
#include "model/clock.h"
#include "model/connection.h"
#include "model/error.h"
#include "model/format.h"
#include "model/guest.h"
#include "model/history.h"
#include "model/job.h"
#include "model/metadata.h"
#include "model/settings.h"
#include "model/verb.h"

#include <glib.h>
#include <stdbool.h>

enum model_flags {
	MODEL_READ_ONLY = 1 << 0, // refuse every verb that changes something
};

enum model_event {
	MODEL_CONNECTION_ADDED,
	MODEL_CONNECTION_REMOVED, // valid during the call, freed after it
	MODEL_CONNECTION_CHANGED, // state, reason, host facts; each second while it is silent or
				  // lost
	MODEL_GUEST_ADDED,
	MODEL_GUEST_REMOVED, // gone is set; the model's reference is dropped after the call
	MODEL_GUEST_CHANGED, // state or definition: anything but the refresh's figures
	MODEL_REFRESHED,     // a connection's figures are new: one call per refresh, for all guests
	MODEL_JOB,           // a job is new, moved on or finished
	MODEL_MESSAGE,       // a message was added; model->messages' last
};

// What changed. Pointers that do not apply are NULL.
struct model_change {
	enum model_event event;
	struct connection *connection;
	struct guest *guest;
	struct job *job;
};

enum message_kind { MESSAGE_INFO, MESSAGE_WARNING, MESSAGE_ERROR };

// One line of the message log, with what there is to say beyond it.
struct message {
	gint64 time; // clock_now()
	enum message_kind kind;
	char *text;    // one sentence
	char *details; // may be NULL
};

struct model {
	GPtrArray *connections;    // struct connection *, in the order they were added
	GPtrArray *jobs;           // struct job *, oldest first
	GPtrArray *messages;       // struct message *, oldest first, at most 1000
	struct settings *settings; // borrowed
	struct audit *audit;
	bool read_only;
	struct model_private *private;
};

// `settings` stays the caller's and must outlive the model; its "model.refresh" and "model.audit"
// count. The audit log is opened here. One model a process.
struct model *model_new(struct settings *settings, unsigned flags);

// Closes everything without waiting for a worker that hangs (at most a quarter of a second for
// those that do not). Takes NULL.
void model_free(struct model *model);

// Adds a connection, which begins to connect at once; NULL with a sentence when the text is no URI
// or already there. Borrowed.
struct connection *model_add(struct model *model, const char *uri, GError **error);
void model_remove(struct model *model, struct connection *connection);

// Adds what `uris` (NULL-terminated, may be NULL or empty) says, else the settings' connections,
// else the local hypervisors found (see model_local_uris). False with a sentence when nothing could
// be added.
bool model_open(struct model *model, const char *const *uris, GError **error);

// URIs of hypervisors on this machine on whose sockets somebody listens and which this user may
// open, found without connecting: no daemon is started, nothing is waited for. NULL-terminated,
// never NULL; caller frees.
char **model_local_uris(void);

// Calls func in the main thread for every change. The number is for model_unwatch.
unsigned model_watch(struct model *model,
	void (*func)(struct model *model, const struct model_change *change, void *data),
	void *data);
void model_unwatch(struct model *model, unsigned watch);

// Takes a sample of every connection now.
void model_refresh(struct model *model);

// Time between samples, milliseconds, from 100 to 3600000.
void model_set_interval(struct model *model, unsigned milliseconds);
unsigned model_interval(const struct model *model);

// The connection of that name or URI, or NULL. Borrowed.
struct connection *model_connection(struct model *model, const char *name);

// The guest that a user means: "host/name", a UUID, or a name that is unique over all connections.
// NULL with a sentence (MODEL_ERROR_NOT_FOUND) when there is none or more than one. Borrowed.
struct guest *model_find_guest(struct model *model, const char *name, GError **error);

// Adds to the message log and tells the watchers. details may be NULL.
void model_message(
	struct model *model, enum message_kind kind, const char *text, const char *details);

// A connected model for the command line: runs the default main context until every connection is
// complete or lost for the first time, or the milliseconds are over. True when one is connected.
bool model_wait(struct model *model, unsigned milliseconds);
