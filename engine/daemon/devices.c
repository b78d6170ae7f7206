// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/devices.h"

#include "engine/daemon/definition.h"
#include "engine/daemon/drives.h"

#include <stdlib.h>
#include <string.h>

xmlNode *devices_list(const xmlNode *root)
{
	return tree_child(root, "devices");
}

char *devices_image(const xmlNode *disk)
{
	char *file = tree_child_attribute(disk, "source", "file");

	return file ? file : tree_child_attribute(disk, "source", "dev");
}

char *devices_alias(const xmlNode *device)
{
	return tree_child_attribute(device, "alias", "name");
}

static bool is_at(const xmlNode *device, const char *element, const char *name, const char *value)
{
	return tree_attribute_is(tree_child(device, element), name, value);
}

/* The first device of this kind that the callback takes. */
static xmlNode *find(const xmlNode *root, const char *kind,
	bool (*is)(const xmlNode *device, const char *name), const char *name)
{
	xmlNode *list = devices_list(root);

	for (xmlNode *at = tree_child(list, kind); at; at = tree_next(at, kind))
		if (is(at, name))
			return at;
	return NULL;
}

static bool has_target(const xmlNode *disk, const char *name)
{
	return is_at(disk, "target", "dev", name);
}

static bool has_image(const xmlNode *disk, const char *path)
{
	return is_at(disk, "source", "file", path) || is_at(disk, "source", "dev", path);
}

xmlNode *devices_find_disk(const xmlNode *root, const char *name)
{
	xmlNode *disk = find(root, "disk", has_target, name);

	return disk ? disk : find(root, "disk", has_image, name);
}

static bool is_nic(const xmlNode *nic, const char *name)
{
	g_autofree char *mac = tree_child_attribute(nic, "mac", "address");

	return (mac && g_ascii_strcasecmp(mac, name) == 0) || is_at(nic, "target", "dev", name) ||
	       is_at(nic, "alias", "name", name);
}

xmlNode *devices_find_nic(const xmlNode *root, const char *name)
{
	return find(root, "interface", is_nic, name);
}

static bool has_alias(const xmlNode *device, const char *name)
{
	return is_at(device, "alias", "name", name);
}

xmlNode *devices_find_memory(const xmlNode *root, const char *alias)
{
	return find(root, "memory", has_alias, alias);
}

xmlNode *devices_find_alias(const xmlNode *root, const char *alias)
{
	xmlNode *list = devices_list(root);

	for (xmlNode *at = list ? list->children : NULL; at; at = at->next)
		if (at->type == XML_ELEMENT_NODE && has_alias(at, alias))
			return at;
	return NULL;
}

char *devices_control_name(const xmlNode *device)
{
	char *mac;

	if (tree_is(device, "disk"))
		return tree_child_attribute(device, "target", "dev");
	if (tree_is(device, "memory"))
		return devices_alias(device);
	if (!tree_is(device, "interface"))
		return NULL;
	mac = tree_child_attribute(device, "mac", "address");
	for (char *at = mac; at && *at; at++)
		*at = g_ascii_tolower(*at);
	return mac;
}

xmlNode *devices_insert(xmlNode *root, const xmlNode *device)
{
	const char *kind = (const char *)device->name;
	xmlNode *list = devices_list(root), *copy, *last = NULL;

	for (xmlNode *at = tree_child(list, kind); at; at = tree_next(at, kind))
		last = at;
	copy = xmlDocCopyNode((xmlNode *)device, root->doc, 1);
	return last ? xmlAddNextSibling(last, copy) : xmlAddChild(list, copy);
}

/* ---- aliases --------------------------------------------------------------------------------- */

/* Element and how libvirt's QEMU driver names such a device. */
static const struct kind {
	const char *element;
	const char *alias;
} kinds[] = {
	{"disk", "virtio-disk"},
	{"interface", "net"},
	{"serial", "serial"},
	{"console", "console"},
	{"channel", "channel"},
	{"memory", "virtiomem"},
	{"memballoon", "balloon"},
	{"rng", "rng"},
	{"watchdog", "watchdog"},
	{"panic", "panic"},
};

/* One more than the highest of these names. */
static unsigned next_index(const xmlNode *list, const struct kind *kind)
{
	unsigned next = 0;

	for (xmlNode *at = tree_child(list, kind->element); at; at = tree_next(at, kind->element)) {
		g_autofree char *alias = devices_alias(at);
		unsigned long index;

		if (!alias || !g_str_has_prefix(alias, kind->alias))
			continue;
		index = strtoul(alias + strlen(kind->alias), NULL, 10);
		next = index < 10000 ? MAX(next, (unsigned)index + 1) : next;
	}
	return next;
}

/* "vda" and "sda" are 0, "vdaa" is 26. */
static unsigned disk_index(const xmlNode *disk, unsigned otherwise)
{
	g_autofree char *target = tree_child_attribute(disk, "target", "dev");
	unsigned index = 0;

	if (!target || target[0] == '\0' || target[1] != 'd' || strlen(target) > 4)
		return otherwise;
	for (const char *at = target + 2; *at; at++) {
		if (!g_ascii_islower(*at))
			return otherwise;
		index = index * 26 + (unsigned)(*at - 'a') + 1;
	}
	return index ? index - 1 : otherwise;
}

static void put_alias(const xmlNode *list, xmlNode *device, const struct kind *kind)
{
	unsigned index = next_index(list, kind);
	xmlNode *alias = tree_child(device, "alias");
	g_autofree char *text = NULL;

	if (alias)
		return;
	if (tree_is(device, "disk"))
		index = disk_index(device, index);
	text = g_strdup_printf("%s%u", drive_is(device) ? "scsi0-0-0-" : kind->alias, index);
	tree_set(tree_add(device, "alias"), "name", text);
}

void definition_put_aliases(xmlNode *root)
{
	xmlNode *list = devices_list(root);

	for (xmlNode *at = list ? list->children : NULL; at; at = at->next)
		for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
			if (tree_is(at, kinds[i].element))
				put_alias(list, at, &kinds[i]);
}
