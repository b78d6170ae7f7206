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

bool procedure_return_int(struct call *call, int value)
{
	((struct wire_int_ret *)call->ret)->value = value;
	return true;
}

bool procedure_return_text(struct call *call, char *text)
{
	((struct wire_text_ret *)call->ret)->text = text;
	return true;
}

bool procedure_check_flags(unsigned flags, unsigned known, GError **error)
{
	return !(flags & ~known) ||
	       fault_set(error, VIR_ERR_INVALID_ARG, "unsupported flags (0x%x)", flags & ~known);
}

bool procedure_register(struct call *call, enum event_about about, int event, const char *uuid,
	GError **error)
{
	int number = event_add_callback(call->client, about, event, uuid, false);

	return number >= 0 ? procedure_return_int(call, number)
			   : fault_set(error, VIR_ERR_OPERATION_FAILED,
				     "too many event callbacks are registered");
}

struct guest *procedure_guest(
	const struct call *call, unsigned flags, unsigned known, GError **error)
{
	struct guest *guest = registry_find(call->server->registry, call->args, error);

	return guest && procedure_check_flags(flags, known, error) ? guest : NULL;
}

struct guest *procedure_guest_or_answer(struct call *call, unsigned flags, unsigned known)
{
	g_autoptr(GError) error = NULL;
	struct guest *guest = procedure_guest(call, flags, known, &error);

	if (!guest)
		call_done(call, error);
	return guest;
}
