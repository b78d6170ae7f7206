// SPDX-License-Identifier: GPL-3.0-or-later
// The events of a connection, and libvirt made ready for them. They come in the thread of the event
// loop (model/loop.h), which also answers the keepalive of remote connections.
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>

struct worker;

#define EVENTS_MOST 12

// What one open connection is registered for.
struct events {
	struct worker *worker; // set by the owner
	int ids[EVENTS_MOST];
	gint close_held; // atomic: libvirt holds a reference to the worker for the close callback
};

// Starts the loop the first time, and silences libvirt's and libxml2's own printing of errors. Any
// thread.
void events_start(void);

// Registers for everything the model follows, told through worker_tell. Drivers that know no events
// are left without. Worker thread.
void events_register(struct events *events, virConnectPtr connection);
void events_deregister(struct events *events, virConnectPtr connection);
