// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/devices.h"
#include "model/difference.h"
#include "model/xml.h"

#include <string.h>

static void move_free(struct device_move *move)
{
	g_free(move->element);
	g_free(move->path);
	g_free(move->label);
	g_free(move->xml);
	g_free(move);
}

static bool has_name(xmlNode *device)
{
	return !strcmp((const char *)device->name, "disk") ||
	       !strcmp((const char *)device->name, "interface");
}

char *device_identity(xmlNode *device)
{
	bool disk = !strcmp((const char *)device->name, "disk");
	xmlNode *child =
		has_name(device) ? xml_child(device, disk ? "target" : "mac", NULL) : NULL;

	return child ? xml_attribute(child, disk ? "dev" : "address") : NULL;
}

static GPtrArray *devices_like(const struct document *document, const xmlNode *device)
{
	g_autofree char *xpath = g_strdup_printf("/domain/devices/%s", device->name);

	return document_find_all(document, xpath);
}

xmlNode *device_same(const struct document *document, xmlNode *device)
{
	g_autofree char *wanted = device_identity(device);
	g_autoptr(GPtrArray) all = devices_like(document, device);

	for (guint i = 0; wanted && i < all->len; i++) {
		g_autofree char *here = device_identity(all->pdata[i]);

		if (here && !g_ascii_strcasecmp(here, wanted))
			return all->pdata[i];
	}
	return NULL;
}

static bool alike(const GPtrArray *others, xmlNode *device)
{
	g_autofree char *text = xml_dump(device);

	for (guint i = 0; i < others->len; i++) {
		g_autofree char *other = xml_dump(others->pdata[i]);

		if (!strcmp(text, other))
			return true;
	}
	return false;
}

static bool is_in(const struct document *has, const struct document *other, xmlNode *device)
{
	g_autofree char *name = device_identity(device);
	g_autoptr(GPtrArray) here = devices_like(has, device);
	g_autoptr(GPtrArray) there = devices_like(other, device);

	if (name)
		return device_same(other, device) != NULL;
	return here->len == there->len || alike(there, device);
}

static unsigned number_of(xmlNode *device)
{
	unsigned number = 1;

	for (xmlNode *n = xmlPreviousElementSibling(device); n; n = xmlPreviousElementSibling(n))
		number += !strcmp((const char *)n->name, (const char *)device->name);
	return number;
}

static void add_moves(
	GPtrArray *moves, const struct document *has, const struct document *other, bool added)
{
	g_autoptr(GPtrArray) all = document_find_all(has, "/domain/devices/*");

	for (guint i = 0; i < all->len; i++) {
		xmlNode *device = all->pdata[i];
		g_autofree char *name = device_identity(device);
		struct device_move *move;

		if (is_in(has, other, device))
			continue;
		move = g_new0(struct device_move, 1);
		move->added = added;
		move->element = g_strdup((const char *)device->name);
		move->path = g_strdup_printf("devices/%s[%u]", device->name, number_of(device));
		move->label = name ? g_strdup_printf("%s %s", device->name, name) :
				     g_strdup((const char *)device->name);
		move->xml = xml_dump(device);
		g_ptr_array_add(moves, move);
	}
}

GPtrArray *device_moves(const struct document *from, const struct document *to)
{
	GPtrArray *moves = g_ptr_array_new_with_free_func((GDestroyNotify)move_free);

	add_moves(moves, from, to, false);
	add_moves(moves, to, from, true);
	return moves;
}

struct document *device_rest(
	const struct document *document, const GPtrArray *moves, bool added)
{
	gsize length;
	const char *text = document_text(document, &length);
	struct document *copy = document_new(text, (gssize)length, "the copy", NULL);

	// The last ones first, so that the numbers of the others stay.
	for (guint i = moves->len; copy && i-- > 0;) {
		const struct device_move *move = moves->pdata[i];
		g_autofree char *xpath = g_strdup_printf("/domain/%s", move->path);
		xmlNode *device = move->added == added ? document_find(copy, xpath) : NULL;

		if (device)
			document_remove(copy, device, NULL);
	}
	return copy;
}

GPtrArray *device_changes(const struct document *from, const struct document *to)
{
	g_autoptr(GPtrArray) moves = device_moves(from, to);
	DOCUMENT_AUTO struct document *old = device_rest(from, moves, false);
	DOCUMENT_AUTO struct document *new = device_rest(to, moves, true);
	GPtrArray *changes = difference_changes(old ? old : from, new ? new : to);

	for (guint i = 0; i < moves->len; i++) {
		const struct device_move *move = moves->pdata[i];
		struct change *change = g_new0(struct change, 1);

		change->name = g_strdup(move->path);
		*(move->added ? &change->to : &change->from) = g_strdup(move->label);
		g_ptr_array_add(changes, change);
	}
	return changes;
}
