// SPDX-License-Identifier: GPL-3.0-or-later
// One connection to a hypervisor: any libvirt URI. Its worker thread makes every libvirt call; what
// it finds comes back to the main thread, which alone writes this structure and may read it without
// locks. A connection looks after itself: it connects, follows the hypervisor's events, takes one
// bulk statistics sample per refresh (never two at once), and after a loss tries again by itself,
// waiting 1, 2, 4… up to 60 seconds between tries.
#pragma once

#include "model/guest.h"

#include <glib.h>
#include <stdbool.h>

struct model;

enum connection_state {
	CONNECTION_CONNECTING,
	CONNECTION_CONNECTED,
	CONNECTION_LOST, // `reason` says why, `retry_at` when it tries again
};

// The machine behind a connection. Zero or NAN is unknown.
struct host {
	char *hostname;     // as the hypervisor tells; NULL until connected
	char *driver;       // the driver: "QEMU", "LXC", "Xen", "TEST", "Lodge"; NULL until connected
	char *version;      // the hypervisor's version, "7.2.0"; NULL until connected
	unsigned cpus;      // CPUs online
	guint64 memory;     // bytes
	double cpu;         // percent of one CPU in use by all: 0 to 100 * cpus
	double memory_used; // bytes in use, buffers and caches not counted where the host tells
	unsigned cpus_promised;  // vCPUs of all active guests
	guint64 memory_promised; // bytes given now to all active guests
	guint64 memory_most;     // bytes all active guests may grow to
	struct history cpu_history, memory_history;
};

struct connection {
	struct model *model;
	char *uri;  // as given
	char *name; // unique in the model: "host7", "host7-2", "test"
	bool read_only;
	enum connection_state state;
	char *reason;      // one sentence when lost; NULL otherwise
	char *details;     // libvirt's own words when lost; may be NULL
	gint64 retry_at;   // g_get_monotonic_time() of the next try while lost; 0 otherwise
	unsigned failures; // tries in a row that failed
	bool complete;     // the first whole list of guests has arrived
	struct host host;
	GPtrArray *guests; // struct guest *, sorted by name; NULL-free, never NULL
	gint64 refreshed;  // clock_monotonic() of the newest sample; 0 before the first
	struct connection_private *private;
};

// Seconds for which the hypervisor has not answered the call under way, when that is longer than
// three seconds; else 0. Counted by the main thread's clock, so it grows while a worker hangs.
double connection_silence(const struct connection *connection);

// How it stands, one short translated line for trees and titles: "connecting", "connected",
// "no answer for 8 s", "lost, next try in 4 s" (`reason` says why). Caller frees.
char *connection_status(const struct connection *connection);

// Tries at once: a lost connection without waiting for `retry_at`; a silent one by leaving its
// stuck thread behind and beginning anew.
void connection_retry(struct connection *connection);

// Takes a sample now instead of at the next refresh; nothing happens while one is under way.
void connection_refresh(struct connection *connection);

// The guest with that UUID or name on this connection, or NULL. Borrowed.
struct guest *connection_guest(struct connection *connection, const char *name);
