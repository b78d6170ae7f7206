// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/procedure.h"

#include "engine/daemon/fault.h"

#include <stdlib.h>

static const struct procedure *const tables[] = {
	procedures_host,
	procedures_guest,
	procedures_life,
	procedures_stats,
	procedures_console,
	procedures_pool,
	procedures_volume,
	procedures_network,
	procedures_devices,
	procedures_resources,
	procedures_save,
};

const struct procedure *procedure_find(int number)
{
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
		for (const struct procedure *at = tables[i]; at->name; at++)
			if (at->number == number)
				return at;
	return NULL;
}

struct guest *procedure_guest(
	const struct call *call, unsigned flags, unsigned known, GError **error)
{
	struct guest *guest = registry_find(call->server->registry, call->args, error);

	if (!guest || !(flags & ~known))
		return guest;
	fault_set(error, VIR_ERR_INVALID_ARG, "unsupported flags (0x%x)", flags & ~known);
	return NULL;
}

struct guest *procedure_guest_or_answer(struct call *call, unsigned flags, unsigned known)
{
	g_autoptr(GError) error = NULL;
	struct guest *guest = procedure_guest(call, flags, known, &error);

	if (!guest)
		call_done(call, error);
	return guest;
}
