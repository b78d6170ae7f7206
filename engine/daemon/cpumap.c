// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/cpumap.h"

#include <stdlib.h>
#include <string.h>

static bool is_set(const uint8_t *map, size_t length, size_t cpu)
{
	return cpu / 8 < length && (map[cpu / 8] >> cpu % 8 & 1);
}

char *cpumap_format(const uint8_t *map, size_t length)
{
	GString *text = g_string_new(NULL);

	for (size_t cpu = 0; cpu < length * 8; cpu++) {
		size_t last = cpu;

		if (!is_set(map, length, cpu))
			continue;
		while (is_set(map, length, last + 1))
			last++;
		g_string_append_printf(text, "%s%zu", text->len ? "," : "", cpu);
		if (last > cpu)
			g_string_append_printf(text, "-%zu", last);
		cpu = last;
	}
	return g_string_free(text, FALSE);
}

static void set_range(
	uint8_t *map, size_t length, unsigned long first, unsigned long last, bool value)
{
	for (size_t cpu = first; cpu <= last && cpu / 8 < length; cpu++) {
		if (value)
			map[cpu / 8] |= (uint8_t)(1u << cpu % 8);
		else
			map[cpu / 8] &= (uint8_t)~(1u << cpu % 8);
	}
}

/* "3", "0-1" or libvirt's "^2". */
static bool parse_range(const char *text, uint8_t *map, size_t length)
{
	bool without = *text == '^';
	unsigned long first, last;
	char *end;

	text += without;
	if (!g_ascii_isdigit(*text))
		return false;
	first = last = strtoul(text, &end, 10);
	if (*end == '-' && g_ascii_isdigit(end[1]))
		last = strtoul(end + 1, &end, 10);
	if (*end || last < first)
		return false;
	set_range(map, length, first, last, !without);
	return true;
}

bool cpumap_parse(const char *text, unsigned cpus, uint8_t *map, size_t length)
{
	g_auto(GStrv) ranges = g_strsplit(text ? text : "", ",", -1);

	memset(map, 0, length);
	if (!text && cpus)
		set_range(map, length, 0, cpus - 1, true);
	for (char **range = ranges; *range; range++)
		if (!parse_range(g_strstrip(*range), map, length))
			return false;
	return true;
}
