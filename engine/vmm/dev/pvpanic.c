// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/pvpanic.h"

#include <glib.h>

struct pvpanic {
	struct bus *ports;
	void (*panicked)(void *machine, bool crash_loaded);
	void *machine;
};

static uint64_t pvpanic_read(void *device, uint64_t offset, unsigned size)
{
	return PVPANIC_PANICKED | PVPANIC_CRASH_LOADED;
}

static void pvpanic_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct pvpanic *pvpanic = device;

	if (value & (PVPANIC_PANICKED | PVPANIC_CRASH_LOADED))
		pvpanic->panicked(pvpanic->machine, !(value & PVPANIC_PANICKED));
}

static const struct bus_ops pvpanic_ops = {pvpanic_read, pvpanic_write};

struct pvpanic *pvpanic_new(
	struct bus *ports, void (*panicked)(void *machine, bool crash_loaded), void *machine)
{
	struct pvpanic *pvpanic = g_new0(struct pvpanic, 1);

	pvpanic->ports = ports;
	pvpanic->panicked = panicked;
	pvpanic->machine = machine;
	bus_claim(ports, PVPANIC_PORT, 1, &pvpanic_ops, pvpanic);
	return pvpanic;
}

void pvpanic_free(struct pvpanic *pvpanic)
{
	if (!pvpanic)
		return;
	bus_release(pvpanic->ports, PVPANIC_PORT, pvpanic);
	g_free(pvpanic);
}
