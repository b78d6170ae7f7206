// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/volume.h"

#include "engine/daemon/fault.h"
#include "engine/daemon/tree.h"

#include <string.h>

#define MODE 0600

/* libvirt's units: K, KiB and so on are powers of 1024; KB and so on of 1000. */
static bool find_unit(const char *unit, uint64_t *factor)
{
	static const char prefixes[] = "kmgtpe";
	const char *at;
	unsigned base;

	*factor = 1;
	if (!unit || g_ascii_strcasecmp(unit, "b") == 0 || g_ascii_strcasecmp(unit, "bytes") == 0)
		return true;
	at = *unit ? strchr(prefixes, g_ascii_tolower(*unit)) : NULL;
	if (!at)
		return false;
	if (!unit[1] || g_ascii_strcasecmp(unit + 1, "ib") == 0)
		base = 1024;
	else if (g_ascii_strcasecmp(unit + 1, "b") == 0)
		base = 1000;
	else
		return false;
	for (; at >= prefixes; at--)
		*factor *= base;
	return true;
}

static bool read_size(xmlNode *root, const char *name, uint64_t *size, GError **error)
{
	xmlNode *node = tree_child(root, name);
	g_autofree char *text = tree_text(node), *unit = tree_attribute(node, "unit");
	uint64_t factor;
	guint64 value;

	if (!text || !g_ascii_string_to_unsigned(g_strstrip(text), 10, 0, G_MAXINT64, &value, NULL))
		return fault_set(error, VIR_ERR_XML_ERROR, "malformed %s element", name);
	if (!find_unit(unit, &factor))
		return fault_set(error, VIR_ERR_INVALID_ARG, "unknown suffix '%s'", unit);
	if (value > (guint64)G_MAXINT64 / factor)
		return fault_set(error, VIR_ERR_XML_ERROR, "the %s is too large", name);
	*size = value * factor;
	return true;
}

static bool read_sizes(xmlNode *root, struct volume_wish *wish, GError **error)
{
	if (!tree_child(root, "capacity"))
		return fault_set(error, VIR_ERR_XML_ERROR, "missing capacity element");
	if (!read_size(root, "capacity", &wish->capacity, error))
		return false;
	wish->allocation = wish->capacity;
	return !tree_child(root, "allocation") ||
	       read_size(root, "allocation", &wish->allocation, error);
}

static bool check_name(const char *name, GError **error)
{
	if (!name || !*name)
		return fault_set(error, VIR_ERR_XML_ERROR, "missing volume name element");
	if (strchr(name, '/'))
		return fault_set(error, VIR_ERR_XML_ERROR, "name %s cannot contain '/'", name);
	if (*name == '.' || strlen(name) > 250)
		return fault_set(error, VIR_ERR_XML_ERROR, "name %s cannot be a volume's", name);
	return true;
}

static bool read_version(const xmlNode *target, struct volume_wish *wish, GError **error)
{
	g_autofree char *compat = tree_text(tree_child(target, "compat"));

	/* libvirt's tools expect the older one where they do not say. */
	wish->version = g_strcmp0(compat, "1.1") == 0 ? 3 : 2;
	return !compat || wish->version == 3 || strcmp(compat, "0.10") == 0 ||
	       fault_set(error, VIR_ERR_XML_ERROR, "forbidden characters in 'compat' attribute");
}

/* qemu-img has to take the format as one word. */
static bool read_backing(const xmlNode *root, struct volume_wish *wish, GError **error)
{
	const xmlNode *backing = tree_child(root, "backingStore");
	g_autofree char *path = tree_text(tree_child(backing, "path"));

	if (!path || !*path)
		return true;
	if (!wish->qcow2)
		return fault_set(error, VIR_ERR_INTERNAL_ERROR,
			"backing storage not supported for raw volumes");
	if (*path != '/')
		return fault_set(error, VIR_ERR_XML_ERROR,
			"the path '%s' of a backing store is relative", path);
	wish->backing = g_steal_pointer(&path);
	wish->backing_format = tree_child_attribute(backing, "format", "type");
	if (!wish->backing_format)
		wish->backing_format = g_strdup("raw");
	return strcmp(wish->backing_format, "raw") == 0 ||
	       strcmp(wish->backing_format, "qcow2") == 0 ||
	       fault_set(error, VIR_ERR_INTERNAL_ERROR, "unknown storage vol backing store type %s",
		       wish->backing_format);
}

static bool read_target(xmlNode *root, struct volume_wish *wish, GError **error)
{
	xmlNode *target = tree_child(root, "target");
	g_autofree char *format = tree_child_attribute(target, "format", "type");
	g_autofree char *mode = tree_text(tree_child(tree_child(target, "permissions"), "mode"));
	guint64 value;

	wish->qcow2 = g_strcmp0(format, "qcow2") == 0;
	if (format && strcmp(format, "raw") != 0 && !wish->qcow2)
		return fault_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
			"only volumes of format 'raw' and 'qcow2' can be made, not '%s'", format);
	if (tree_child(target, "encryption"))
		return fault_set(
			error, VIR_ERR_CONFIG_UNSUPPORTED, "a volume cannot have an encryption");
	if (!read_version(target, wish, error) || !read_backing(root, wish, error))
		return false;
	if (!mode)
		return true;
	if (!g_ascii_string_to_unsigned(mode, 8, 0, 0777, &value, NULL))
		return fault_set(error, VIR_ERR_XML_ERROR, "malformed octal mode");
	wish->mode = (mode_t)value;
	return true;
}

bool volume_parse(const char *xml, struct volume_wish *wish, GError **error)
{
	g_autoptr(xmlDoc) document = tree_parse(xml);
	xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;

	memset(wish, 0, sizeof(*wish));
	if (!root || !tree_is(root, "volume"))
		return fault_set(error, VIR_ERR_XML_ERROR, "this is not a volume's definition");
	wish->name = tree_text(tree_child(root, "name"));
	wish->mode = MODE;
	if (check_name(wish->name, error) && read_sizes(root, wish, error) &&
		read_target(root, wish, error))
		return true;
	volume_wish_clear(wish);
	return false;
}

void volume_wish_clear(struct volume_wish *wish)
{
	g_clear_pointer(&wish->name, g_free);
	g_clear_pointer(&wish->backing, g_free);
	g_clear_pointer(&wish->backing_format, g_free);
	g_clear_pointer(&wish->source, g_free);
}
