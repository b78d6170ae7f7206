// SPDX-License-Identifier: GPL-3.0-or-later
// The model's side of a connection. Main thread only.
#pragma once

#include "model/connection.h"
#include "model/worker.h"

// Verbs that run at once on one connection: libvirtd answers five calls of a client at once, and
// one of them is the sample's.
#define CONNECTION_LANES 4

struct connection_private {
	struct worker *worker;
	GThreadPool *lanes;       // runs job steps; see model/job.c
	GHashTable *by_uuid;      // borrowed key -> struct guest *, one reference held by `guests`
	GHashTable *dirty;        // UUIDs (char *) to be read
	bool refreshing, reading; // a task of that kind is under way
	bool listed;              // the first sample since opening was applied
	bool catching_up;         // all guests are being read, since opening
	bool flags_asked;         // all flags were asked for since the connection was opened
	bool flags_bulk;          // …and the driver could tell, so that reading may be brief
	bool silent;              // was silent when the watchers were last told
	unsigned mark;            // number of the newest sample
	guint retry;              // timer of the next try; 0 none
	guint64 host_busy, host_idle; // the last sample's
	gint64 flags_at;              // machine's monotonic time of the last look at all flags
};

struct connection *connection_new(
	struct model *model, const char *uri, const char *name, bool read_only);

// Begins to connect.
void connection_start(struct connection *connection);

// Leaves the worker behind, drops the guests. The worker is returned with a reference so that the
// caller may wait for its end a little; worker_unref it.
struct worker *connection_free(struct connection *connection);

// Once a second: tells the watchers while the connection is silent or lost.
void connection_tick(struct connection *connection);

// Has the guest read again soon.
void connection_read_guest(struct connection *connection, const char *uuid);

// Tells the watchers. guest may be NULL.
struct model_change;
void connection_tell(struct connection *connection, int event, struct guest *guest);

// Applying a sample, in slices (model/apply.c): true while there is more to do.
bool connection_apply(struct connection *connection, struct sample *sample);

struct guest *connection_add_guest(
	struct connection *connection, const char *uuid, const char *name);
void connection_rename_guest(struct connection *connection, struct guest *guest, const char *name);
void connection_remove_guest(struct connection *connection, struct guest *guest);

// Sums up what active guests were promised.
void connection_count_promised(struct connection *connection);
