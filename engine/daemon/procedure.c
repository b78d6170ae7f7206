// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/procedure.h"

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
