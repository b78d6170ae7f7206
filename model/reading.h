// SPDX-License-Identifier: GPL-3.0-or-later
// What a worker reads for the model beside the samples: the machine behind a connection, guests one
// by one after an event, and the flags of all guests at once. Worker thread.
#pragma once

#include "model/facts.h"

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

struct worker;

// The machine; strings are NULL and numbers 0 where the driver does not tell.
struct host_facts {
	char *hostname, *driver, *version;
	unsigned cpus;
	guint64 memory; // bytes
};

void host_facts_read(virConnectPtr connection, struct host_facts *facts);
void host_facts_clear(struct host_facts *facts);

// One guest by its UUID. `brief` leaves out the flags that flags_read tells for all at once.
// NULL with the cause only when the connection failed; a guest that left is facts->gone.
struct facts *guest_facts_read(struct worker *worker, virConnectPtr connection, const char *uuid,
	bool brief, GError **error);

enum guest_flags {
	GUEST_FLAG_AUTOSTART = 1 << 0,
	GUEST_FLAG_PERSISTENT = 1 << 1,
	GUEST_FLAG_MANAGED_SAVE = 1 << 2,
};

// UUID (char *) -> enum guest_flags (GUINT_TO_POINTER) of all guests that have any; three calls in
// all. NULL when the driver cannot list so.
GHashTable *guest_flags_read(virConnectPtr connection);
