// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/netargs.h"

static bool same_place(const struct config_forward *a, const struct config_forward *b)
{
	return a->udp == b->udp && g_strcmp0(a->address, b->address) == 0 &&
		g_strcmp0(a->device, b->device) == 0;
}

/* "22:2022", "8000-8010:9000-9010", "~8005". */
static void add_range(GString *spec, const struct config_forward *forward)
{
	unsigned length = (unsigned)(forward->end - forward->start);

	if (forward->exclude)
		g_string_append_c(spec, '~');
	g_string_append_printf(spec, "%u", forward->start);
	if (length)
		g_string_append_printf(spec, "-%u", forward->end);
	if (forward->exclude)
		return;
	g_string_append_printf(spec, ":%u", forward->to);
	if (length)
		g_string_append_printf(spec, "-%u", forward->to + length);
}

/* Ranges of one <portForward> are one argument: excluding is relative to the others in it. */
static void add_forwards(GPtrArray *arguments, const GPtrArray *forwards)
{
	for (unsigned i = 0; i < forwards->len;) {
		const struct config_forward *first = g_ptr_array_index(forwards, i);
		GString *spec = g_string_new(first->address);

		if (first->device)
			g_string_append_printf(spec, "%%%s", first->device);
		if (spec->len)
			g_string_append_c(spec, '/');
		add_range(spec, first);
		for (i++; i < forwards->len; i++) {
			const struct config_forward *next = g_ptr_array_index(forwards, i);

			if (!same_place(first, next))
				break;
			g_string_append_c(spec, ',');
			add_range(spec, next);
		}
		g_ptr_array_add(arguments, g_strdup(first->udp ? "--udp-ports" : "--tcp-ports"));
		g_ptr_array_add(arguments, g_string_free(spec, FALSE));
	}
}

char **netargs_passt(const struct config_net *config)
{
	GPtrArray *arguments = g_ptr_array_new();

	if (config->address) {
		g_ptr_array_add(arguments, g_strdup("--address"));
		g_ptr_array_add(arguments, g_strdup(config->address));
		g_ptr_array_add(arguments, g_strdup("--netmask"));
		g_ptr_array_add(arguments, g_strdup_printf("%u", config->prefix));
	}
	if (config->device) {
		g_ptr_array_add(arguments, g_strdup("--interface"));
		g_ptr_array_add(arguments, g_strdup(config->device));
	}
	add_forwards(arguments, config->forwards);
	g_ptr_array_add(arguments, NULL);
	return (char **)g_ptr_array_free(arguments, FALSE);
}
