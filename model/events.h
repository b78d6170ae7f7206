// SPDX-License-Identifier: GPL-3.0-or-later
// libvirt's event loop and the events of a connection. The loop runs in a thread of its own, started
// once per process, and also answers the keepalive of remote connections.
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>

struct worker;

#define EVENTS_MOST 12

// Starts the loop the first time; and silences libvirt's own printing of errors. Any thread.
void events_start(void);

// Registers for everything the model follows, told through worker_tell. Drivers that know no events
// are left without. Worker thread.
void events_register(struct worker *worker, virConnectPtr connection, int ids[EVENTS_MOST]);
void events_deregister(virConnectPtr connection, const int ids[EVENTS_MOST]);
