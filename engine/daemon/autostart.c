// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/autostart.h"

#include <libvirt/libvirt.h>
#include <libxml/parser.h>
#include <string.h>

#define NAMESPACE "urn:lodge:autostart:1"
#define DELAY_MAX 3600

struct wish {
	int order;
	unsigned delay; /* seconds */
};

static void read_number(xmlNode *node, const char *name, int most, int *number)
{
	xmlChar *text = xmlGetProp(node, (const xmlChar *)name);
	gint64 value;

	if (text && g_ascii_string_to_signed((const char *)text, 10, -most, most, &value, NULL))
		*number = (int)value;
	xmlFree(text);
}

static void read_wish(const struct definition *definition, unsigned delay, struct wish *wish)
{
	g_autofree char *text =
		definition_get_metadata(definition, VIR_DOMAIN_METADATA_ELEMENT, NAMESPACE, NULL);
	xmlDoc *document = text ? xmlReadMemory(text, (int)strlen(text), NULL, NULL,
					  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)
				: NULL;
	int seconds = (int)delay;

	wish->order = 0;
	if (document) {
		read_number(xmlDocGetRootElement(document), "order", 1000000, &wish->order);
		read_number(xmlDocGetRootElement(document), "delay", DELAY_MAX, &seconds);
	}
	xmlFreeDoc(document);
	wish->delay = (unsigned)MAX(seconds, 0);
}

/* The next guest to be started, and when. */
struct autostart {
	struct registry *registry;
	GPtrArray *uuids; /* texts: guests may come and go meanwhile */
	guint next;
	guint timer;
};

void autostart_free(struct autostart *autostart)
{
	if (autostart->timer)
		g_source_remove(autostart->timer);
	g_ptr_array_unref(autostart->uuids);
	g_free(autostart);
}

static void autostarted(void *data, const GError *error)
{
	if (error)
		g_printerr("lodged: a guest marked for it was not started: %s\n", error->message);
}

static struct guest *next_guest(const struct autostart *autostart)
{
	return autostart->next < autostart->uuids->len
		       ? g_hash_table_lookup(autostart->registry->by_uuid,
				 g_ptr_array_index(autostart->uuids, autostart->next))
		       : NULL;
}

/* Those between two delays are started at once. */
static gboolean start_some(void *data)
{
	struct autostart *autostart = data;
	struct registry *registry = autostart->registry;
	struct wish wish;

	autostart->timer = 0;
	while (autostart->next < autostart->uuids->len) {
		struct guest *guest = next_guest(autostart);

		if (guest && guest->saved && !guest_is_active(guest))
			guest_start(guest, autostarted, NULL);
		autostart->next++;
		guest = next_guest(autostart);
		if (!guest || !guest->saved)
			continue;
		read_wish(guest->saved, registry->settings->autostart_delay, &wish);
		if (!wish.delay)
			continue;
		autostart->timer = g_timeout_add_seconds(wish.delay, start_some, autostart);
		return G_SOURCE_REMOVE;
	}
	g_clear_pointer(&registry->autostart, autostart_free);
	return G_SOURCE_REMOVE;
}

static int compare_order(const void *a, const void *b)
{
	struct wish first, second;

	read_wish((*(struct guest *const *)a)->saved, 0, &first);
	read_wish((*(struct guest *const *)b)->saved, 0, &second);
	if (first.order != second.order)
		return first.order < second.order ? -1 : 1;
	return strcmp(guest_name(*(struct guest *const *)a), guest_name(*(struct guest *const *)b));
}

void autostart_begin(struct registry *registry)
{
	struct autostart *autostart = g_new0(struct autostart, 1);
	g_autoptr(GPtrArray) marked = g_ptr_array_new();

	for (guint i = 0; i < registry->guests->len; i++) {
		struct guest *guest = g_ptr_array_index(registry->guests, i);

		if (guest->autostart && !guest_is_active(guest))
			g_ptr_array_add(marked, guest);
	}
	g_ptr_array_sort(marked, compare_order);
	autostart->registry = registry;
	autostart->uuids = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < marked->len; i++)
		g_ptr_array_add(autostart->uuids,
			g_strdup(guest_definition(g_ptr_array_index(marked, i))->uuid));
	registry->autostart = autostart;
	start_some(autostart);
}
