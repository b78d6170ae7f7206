// SPDX-License-Identifier: GPL-3.0-or-later
/* Serial ports, consoles and channels of a definition. */
#include "engine/daemon/definition.h"
#include "engine/daemon/tree.h"

#include <string.h>

static bool is_virtio(const xmlNode *node)
{
	return tree_attribute_is(tree_child(node, "target"), "type", "virtio");
}

/* An alias stays the last child. Attributes in libvirt's order. */
static xmlNode *put_target(xmlNode *device, const char *type, unsigned port)
{
	xmlNode *target = tree_child(device, "target"), *alias = tree_child(device, "alias");

	if (!target) {
		target = tree_add(device, "target");
		if (alias)
			xmlAddPrevSibling(alias, target);
	}
	tree_set(target, "type", NULL);
	tree_set(target, "port", NULL);
	tree_set(target, "type", type);
	tree_set_number(target, "port", port);
	return target;
}

static void put_serial_target(xmlNode *serial, unsigned port)
{
	xmlNode *target = put_target(serial, "isa-serial", port);

	tree_set(tree_ensure(target, "model", (const char *const[]){NULL}), "name", "isa-serial");
}

/* A copy of the other's, with another name and target. */
static xmlNode *copy_terminal(const xmlNode *node, const char *name)
{
	xmlNode *copy = xmlDocCopyNode((xmlNode *)node, node->doc, 1);

	xmlNodeSetName(copy, (const xmlChar *)name);
	tree_remove(tree_child(copy, "target"));
	tree_remove(tree_child(copy, "address"));
	return copy;
}

/* The <console> that stands for a serial port: its twin, as libvirt shows it. */
static void put_twin(const xmlNode *serial, xmlNode *console)
{
	xmlNode *twin = copy_terminal(serial, "console");
	g_autofree char *path = NULL;

	if (console) {
		xmlReplaceNode(console, twin);
		xmlFreeNode(console);
	} else {
		const xmlNode *last = serial, *next;

		while ((next = tree_next(last, "serial")))
			last = next;
		xmlAddNextSibling((xmlNode *)last, twin);
	}
	put_target(twin, "serial", 0);
	path = tree_child_attribute(twin, "source", "path");
	tree_set(twin, "tty", tree_attribute_is(twin, "type", "pty") ? path : NULL);
}

void definition_put_consoles(xmlNode *list)
{
	xmlNode *serial = tree_child(list, "serial"), *console = tree_child(list, "console");
	unsigned ports = 0;

	while (console && is_virtio(console))
		console = tree_next(console, "console");
	if (!serial && console) {
		serial = copy_terminal(console, "serial");
		tree_set(serial, "tty", NULL);
		xmlAddPrevSibling(console, serial);
	}
	for (xmlNode *at = serial; at; at = tree_next(at, "serial"))
		put_serial_target(at, ports++);
	if (serial)
		put_twin(serial, console);
	ports = 0;
	for (xmlNode *at = tree_child(list, "console"); at; at = tree_next(at, "console"))
		if (is_virtio(at))
			put_target(at, "virtio", ports++);
}

/* What is no console of its own has nobody who could read it but the daemon. */
static bool is_terminal(const xmlNode *node)
{
	bool channel = tree_is(node, "channel");

	return (channel && tree_attribute_is(node, "type", "pty")) ||
	       ((channel || tree_is(node, "serial") || tree_is(node, "console")) &&
		       tree_attribute_is(node, "type", "stdio"));
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
