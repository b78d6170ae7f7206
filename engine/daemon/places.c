// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/places.h"

#include "engine/daemon/devices.h"
#include "engine/daemon/drives.h"

#include <string.h>

/* ---- addresses ------------------------------------------------------------------------------- */

void places_put_slot(xmlNode *device, unsigned slot)
{
	g_autofree char *text = g_strdup_printf("0x%02x", slot);
	xmlNode *address;

	tree_remove(tree_child(device, "address"));
	address = tree_add(device, "address");
	tree_set(address, "type", "pci");
	tree_set(address, "domain", "0x0000");
	tree_set(address, "bus", "0x00");
	tree_set(address, "slot", text);
	tree_set(address, "function", "0x0");
}

/* The index-th child of this name. */
static xmlNode *child_at(const xmlNode *list, const char *name, unsigned index)
{
	xmlNode *at = tree_child(list, name);

	while (at && index--)
		at = tree_next(at, name);
	return at;
}

static bool is_controller(const xmlNode *node, const char *type, unsigned index)
{
	return tree_attribute_is(node, "type", type) &&
	       tree_number(node, "index", UINT64_MAX) == index;
}

static xmlNode *ensure_controller(
	xmlNode *list, const char *type, unsigned index, const char *alias)
{
	g_autofree char *name = g_strdup_printf(alias, index);
	xmlNode *at;

	for (at = tree_child(list, "controller"); at; at = tree_next(at, "controller"))
		if (is_controller(at, type, index))
			break;
	if (!at) {
		xmlNode *first = tree_child(list, "interface");

		at = xmlNewDocNode(list->doc, NULL, (const xmlChar *)"controller", NULL);
		at = first ? xmlAddPrevSibling(first, at) : xmlAddChild(list, at);
		tree_set(at, "type", type);
		tree_set_number(at, "index", index);
	}
	if (!tree_child(at, "alias"))
		tree_set(tree_add(at, "alias"), "name", name);
	return at;
}

/* The number behind a name's prefix. */
static bool has_index(const char *name, const char *prefix, unsigned *index)
{
	guint64 number;

	if (!g_str_has_prefix(name, prefix) ||
		!g_ascii_string_to_unsigned(name + strlen(prefix), 10, 0, 1000, &number, NULL))
		return false;
	*index = (unsigned)number;
	return true;
}

/* By the control protocol's name. */
static xmlNode *find_device(const xmlNode *root, xmlNode *list, const char *name)
{
	xmlNode *device = devices_find_disk(root, name);
	unsigned index;

	/* A drive's address is that on its own SCSI host, which the engine makes for it. */
	if (device && drive_is(device))
		return NULL;
	device = device ? device : devices_find_nic(root, name);
	device = device ? device : devices_find_memory(root, name);
	if (device)
		return device;
	if (strcmp(name, "balloon") == 0)
		return tree_child(list, "memballoon");
	if (has_index(name, "rng", &index))
		return child_at(list, "rng", index);
	return has_index(name, "console", &index)
		       ? ensure_controller(list, "virtio-serial", index, "virtio-serial%u")
		       : NULL;
}

static void put_addresses(const xmlNode *root, xmlNode *list, JsonArray *devices)
{
	xmlNode *bus = ensure_controller(list, "pci", 0, "pcie.%u");

	tree_set(bus, "model", "pcie-root");
	for (guint i = 0; i < json_array_get_length(devices); i++) {
		JsonObject *told = json_array_get_object_element(devices, i);
		const char *name = json_object_get_string_member_with_default(told, "device", "");
		gint64 slot = json_object_get_int_member_with_default(told, "slot", 0);
		xmlNode *device = find_device(root, list, name);

		if (device && slot > 0 && slot < 32)
			places_put_slot(device, (unsigned)slot);
	}
}

/* ---- terminals ------------------------------------------------------------------------------- */

void places_drop_terminal(xmlNode *device)
{
	bool is = tree_is(device, "serial") || tree_is(device, "console");

	if (!is || !tree_attribute_is(device, "type", "pty"))
		return;
	tree_set(device, "tty", NULL);
	tree_remove(tree_child(device, "source"));
}

static void put_terminal(xmlNode *device, JsonArray *paths, unsigned index)
{
	xmlNode *source, *first = device->children;
	const char *path;

	if (!tree_attribute_is(device, "type", "pty") || index >= json_array_get_length(paths) ||
		json_array_get_null_element(paths, index))
		return;
	path = json_array_get_string_element(paths, index);
	places_drop_terminal(device);
	first = device->children;
	source = xmlNewDocNode(device->doc, NULL, (const xmlChar *)"source", NULL);
	if (first)
		xmlAddPrevSibling(first, source);
	else
		xmlAddChild(device, source);
	tree_set(source, "path", path);
	if (tree_is(device, "console"))
		tree_set(device, "tty", path);
}

static void put_terminals(xmlNode *list, JsonArray *serials, JsonArray *ports)
{
	unsigned serial = 0, port = 0;

	for (xmlNode *at = list->children; at; at = at->next) {
		if (tree_is(at, "serial"))
			put_terminal(at, serials, serial++);
		else if (!tree_is(at, "console"))
			continue;
		else if (tree_attribute_is(tree_child(at, "target"), "type", "virtio"))
			put_terminal(at, ports, port++);
		else
			put_terminal(at, serials, 0);
	}
}

/* ---- all of them ----------------------------------------------------------------------------- */

static JsonArray *list_of(JsonObject *status, const char *name)
{
	JsonNode *node = json_object_get_member(status, name);

	return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static bool edit_places(void *data, xmlNode *root, bool live, GError **error)
{
	JsonArray *devices = list_of(data, "devices"), *serials = list_of(data, "serials");
	JsonArray *ports = list_of(data, "ports");
	xmlNode *list = devices_list(root);

	if (!devices || !serials || !ports)
		return false;
	put_addresses(root, list, devices);
	put_terminals(list, serials, ports);
	return true;
}

struct definition *places_put(const struct definition *definition, JsonObject *status)
{
	struct definition *placed = definition_edit(definition, edit_places, status, true, NULL);

	if (placed && strcmp(placed->xml, definition->xml) == 0)
		g_clear_pointer(&placed, definition_free);
	return placed;
}
