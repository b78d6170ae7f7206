// SPDX-License-Identifier: GPL-3.0-or-later
/* Serial ports, consoles and channels of a definition. */
#include "engine/daemon/definition.h"
#include "engine/daemon/tree.h"

#include <string.h>

static bool is_terminal(const xmlNode *node)
{
	return (tree_is(node, "serial") || tree_is(node, "console") || tree_is(node, "channel")) &&
	       (tree_attribute_is(node, "type", "pty") || tree_attribute_is(node, "type", "stdio"));
}

/* The monitor makes a socket in its own folder instead: that is there again for the next daemon. */
static void to_socket(xmlNode *node, unsigned index)
{
	g_autofree char *path = g_strdup_printf("char%u", index);
	xmlNode *source;

	tree_remove(tree_child(node, "source"));
	tree_set(node, "tty", NULL);
	tree_set(node, "type", "unix");
	source = tree_add(node, "source");
	tree_set(source, "mode", "bind");
	tree_set(source, "path", path);
}

static unsigned change_terminals(xmlDoc *document, bool change)
{
	xmlNode *list = tree_child(xmlDocGetRootElement(document), "devices");
	unsigned count = 0;

	for (xmlNode *at = list ? list->children : NULL; at; at = at->next) {
		if (!is_terminal(at))
			continue;
		if (change)
			to_socket(at, count);
		count++;
	}
	return count;
}

char *definition_monitor_xml(const struct definition *definition)
{
	g_autoptr(xmlDoc) document = tree_parse(definition->xml);

	change_terminals(document, true);
	return tree_print(xmlDocGetRootElement(document));
}

unsigned definition_terminals(const struct definition *definition)
{
	g_autoptr(xmlDoc) document = tree_parse(definition->xml);

	return change_terminals(document, false);
}

static bool is_virtio(const xmlNode *node)
{
	return tree_is(node, "channel") ||
	       tree_attribute_is(tree_child(node, "target"), "type", "virtio");
}

static bool has_attribute(
	const xmlNode *node, const char *element, const char *name, const char *value)
{
	return tree_attribute_is(tree_child(node, element), name, value);
}

/* What of a list of devices has been passed, until the one that is looked for. */
struct console_search {
	unsigned serials, consoles, channels, ports;
	int terminals, first; /* the socket of the first serial port */
};

static bool is_console(
	xmlNode *node, const struct console_search *search, const char *alias, bool channel)
{
	const char *name = (const char *)node->name;
	unsigned index = tree_is(node, "serial")    ? search->serials
			 : tree_is(node, "console") ? search->consoles
						     : search->channels;
	g_autofree char *usual = g_strdup_printf("%s%u", name, index);

	if (tree_is(node, "channel") != channel)
		return false;
	if (!alias)
		return index == 0;
	return strcmp(alias, usual) == 0 || has_attribute(node, "alias", "name", alias) ||
	       (channel && has_attribute(node, "target", "name", alias));
}

static void pass_console(xmlNode *node, struct console_search *search)
{
	if (tree_is(node, "serial") && search->serials++ == 0 && is_terminal(node))
		search->first = search->terminals;
	search->consoles += tree_is(node, "console");
	search->channels += tree_is(node, "channel");
	search->ports += is_virtio(node);
	search->terminals += is_terminal(node);
}

char *definition_console(
	const struct definition *definition, const char *alias, bool channel, int *terminal)
{
	g_autoptr(xmlDoc) document = tree_parse(definition->xml);
	xmlNode *list = tree_child(xmlDocGetRootElement(document), "devices");
	struct console_search search = {.first = -1};

	for (xmlNode *at = list ? list->children : NULL; at; at = at->next) {
		if (!tree_is(at, "serial") && !tree_is(at, "console") && !tree_is(at, "channel"))
			continue;
		if (!is_console(at, &search, alias, channel)) {
			pass_console(at, &search);
			continue;
		}
		*terminal = is_terminal(at) ? search.terminals : -1;
		if (is_virtio(at))
			return g_strdup_printf("virtio%u", search.ports);
		/* A <console> stands beside the first serial port, or for it. */
		if (tree_is(at, "console") && search.serials)
			*terminal = search.first;
		return g_strdup_printf("serial%u", tree_is(at, "serial") ? search.serials : 0);
	}
	return NULL;
}
