// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/debugexit.h"

#include <glib.h>

struct debugexit {
	struct bus *ports;
	uint16_t port;
	void (*done)(void *machine, int status);
	void *machine;
};

static void debugexit_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct debugexit *debugexit = device;

	debugexit->done(debugexit->machine, (value << 1 | 1) & 0xff);
}

static const struct bus_ops debugexit_bus_ops = {
	.write = debugexit_write,
};

struct debugexit *debugexit_new(
	struct bus *ports, uint16_t port, void (*done)(void *machine, int status), void *machine)
{
	struct debugexit *debugexit = g_new0(struct debugexit, 1);

	debugexit->ports = ports;
	debugexit->port = port;
	debugexit->done = done;
	debugexit->machine = machine;
	/* Four ports, so that a write of any size counts. */
	bus_claim(ports, port, 4, &debugexit_bus_ops, debugexit);
	return debugexit;
}

void debugexit_free(struct debugexit *debugexit)
{
	if (!debugexit)
		return;
	bus_release(debugexit->ports, debugexit->port, debugexit);
	g_free(debugexit);
}
