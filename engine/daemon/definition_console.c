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

char *definition_monitor_xml(const struct definition *definition)
{
	g_autoptr(xmlDoc) document = tree_parse(definition->xml);
	xmlNode *root = xmlDocGetRootElement(document), *list = tree_child(root, "devices");
	unsigned count = 0;

	for (xmlNode *at = list ? list->children : NULL; at; at = at->next)
		if (is_terminal(at))
			to_socket(at, count++);
	return tree_print(root);
}

static bool has_attribute(
	const xmlNode *node, const char *element, const char *name, const char *value)
{
	return tree_attribute_is(tree_child(node, element), name, value);
}

/* By the alias that it has, or that libvirt would give the index-th of this element. */
static bool has_alias(const xmlNode *node, unsigned index, const char *alias)
{
	g_autofree char *usual = g_strdup_printf("%s%u", (const char *)node->name, index);

	return strcmp(alias, usual) == 0 || has_attribute(node, "alias", "name", alias);
}

char *definition_console(const struct definition *definition, const char *alias)
{
	g_autoptr(xmlDoc) document = tree_parse(definition->xml);
	xmlNode *list = tree_child(xmlDocGetRootElement(document), "devices");
	unsigned serials = 0, consoles = 0, ports = 0;

	for (xmlNode *at = list ? list->children : NULL; at; at = at->next) {
		bool serial = tree_is(at, "serial");
		bool virtio = has_attribute(at, "target", "type", "virtio");

		if (!serial && !tree_is(at, "console"))
			continue;
		if (!alias || has_alias(at, serial ? serials : consoles, alias)) {
			/* A <console> stands beside the first serial port, or for it. */
			if (serial || !virtio)
				return g_strdup_printf("serial%u", serial ? serials : 0);
			return g_strdup_printf("virtio%u", ports);
		}
		serials += serial;
		consoles += !serial;
		ports += virtio;
	}
	return NULL;
}

char *definition_channel(const struct definition *definition, const char *name)
{
	g_autoptr(xmlDoc) document = tree_parse(definition->xml);
	xmlNode *list = tree_child(xmlDocGetRootElement(document), "devices");
	unsigned channels = 0, terminals = 0;

	for (xmlNode *at = list ? list->children : NULL; at; at = at->next) {
		bool found = tree_is(at, "channel") &&
			     (!name || has_alias(at, channels, name) ||
				     has_attribute(at, "target", "name", name));

		if (found && is_terminal(at))
			return g_strdup_printf("char%u", terminals);
		channels += tree_is(at, "channel");
		terminals += is_terminal(at);
	}
	return NULL;
}
