// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/common/cpuset.h"

#include <glib/gi18n.h>

/* Numbers of one or more digits without sign or blanks. */
static bool read_cpu(const char **at, unsigned *cpu)
{
	char *end;
	guint64 value;

	if (!g_ascii_isdigit(**at))
		return false;
	value = g_ascii_strtoull(*at, &end, 10);
	*at = end;
	*cpu = (unsigned)MIN(value, CPU_SETSIZE);
	return value < CPU_SETSIZE;
}

static bool read_part(const char **at, cpu_set_t *set)
{
	bool out = **at == '^';
	unsigned first, last;

	*at += out;
	if (!read_cpu(at, &first))
		return false;
	last = first;
	if (**at == '-') {
		++*at;
		if (!read_cpu(at, &last) || last < first)
			return false;
	}
	for (unsigned cpu = first; cpu <= last; cpu++) {
		if (out)
			CPU_CLR(cpu, set);
		else
			CPU_SET(cpu, set);
	}
	return true;
}

bool cpuset_parse(const char *text, cpu_set_t *set, GError **error)
{
	const char *at = text;
	cpu_set_t result;

	CPU_ZERO(&result);
	while (read_part(&at, &result)) {
		if (*at == '\0' && CPU_COUNT(&result)) {
			*set = result;
			return true;
		}
		if (*at++ != ',')
			break;
	}
	g_set_error(error, G_CONVERT_ERROR, G_CONVERT_ERROR_ILLEGAL_SEQUENCE,
		_("'%s' is not a set of host CPUs like 0-3,8"), text);
	return false;
}

char *cpuset_format(const cpu_set_t *set)
{
	GString *text = g_string_new(NULL);

	for (unsigned first = 0; first < CPU_SETSIZE; first++) {
		unsigned last = first;

		if (!CPU_ISSET(first, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		g_string_append_printf(text, text->len ? ",%u" : "%u", first);
		if (last > first)
			g_string_append_printf(text, "-%u", last);
		first = last;
	}
	return g_string_free(text, FALSE);
}
