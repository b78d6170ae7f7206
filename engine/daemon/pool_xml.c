// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/pool.h"

#include "engine/daemon/fault.h"
#include "engine/daemon/tree.h"

#include <string.h>
#include <sys/stat.h>

static bool read_number(
	xmlNode *parent, const char *name, unsigned base, int *number, GError **error)
{
	g_autofree char *text = tree_text(tree_child(parent, name));
	guint64 value;

	if (!text || strcmp(text, "-1") == 0)
		return true;
	if (!g_ascii_string_to_unsigned(text, base, 0, base == 8 ? 07777 : G_MAXINT, &value, NULL))
		return fault_set(error, VIR_ERR_XML_ERROR, "malformed %s element", name);
	*number = (int)value;
	return true;
}

static bool read_target(struct pool *pool, xmlNode *root, GError **error)
{
	xmlNode *target = tree_child(root, "target");
	xmlNode *permissions = tree_child(target, "permissions");

	pool->path = tree_text(tree_child(target, "path"));
	if (!pool->path || !*pool->path)
		return fault_set(error, VIR_ERR_XML_ERROR, "missing storage pool target path");
	if (!g_path_is_absolute(pool->path))
		return fault_set(
			error, VIR_ERR_XML_ERROR, "target path '%s' is not absolute", pool->path);
	/* Two ways to write one folder must not look like two folders. */
	g_autofree char *given = pool->path;
	pool->path = g_canonicalize_filename(given, "/");
	return read_number(permissions, "mode", 8, &pool->mode, error) &&
	       read_number(permissions, "owner", 10, &pool->user, error) &&
	       read_number(permissions, "group", 10, &pool->group, error);
}

static bool read_name(struct pool *pool, xmlNode *root, GError **error)
{
	g_autofree char *uuid = tree_text(tree_child(root, "uuid"));

	pool->name = tree_text(tree_child(root, "name"));
	if (!pool->name || !*pool->name)
		return fault_set(error, VIR_ERR_XML_ERROR, "missing pool source name element");
	if (strchr(pool->name, '/') || strlen(pool->name) > 200)
		return fault_set(
			error, VIR_ERR_XML_ERROR, "name %s cannot contain '/'", pool->name);
	if (!uuid)
		uuid = g_uuid_string_random();
	if (!uuid_parse(uuid, pool->uuid_bytes))
		return fault_set(error, VIR_ERR_XML_ERROR, "malformed uuid element");
	uuid_format(pool->uuid_bytes, pool->uuid);
	return true;
}

struct pool *pool_parse(const char *xml, GError **error)
{
	g_autoptr(xmlDoc) document = tree_parse(xml);
	xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
	g_autofree char *type = tree_attribute(root, "type");
	struct pool *pool = g_new0(struct pool, 1);
	bool ok;

	pool->mode = pool->user = pool->group = -1;
	if (!root || !tree_is(root, "pool"))
		ok = fault_set(error, VIR_ERR_XML_ERROR, "this is not a storage pool's definition");
	else if (g_strcmp0(type, "dir") != 0)
		ok = fault_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
			"only storage pools of type 'dir' are there, not '%s'", type ? type : "");
	else
		ok = read_name(pool, root, error) && read_target(pool, root, error);
	if (!ok)
		g_clear_pointer(&pool, pool_free);
	return pool;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	g_free(pool->name);
	g_free(pool->path);
	g_free(pool);
}

static void print_permissions(GString *xml, const struct pool *pool, bool saved)
{
	struct stat info;
	int mode = pool->mode, user = pool->user, group = pool->group;

	if (!saved && pool->active && stat(pool->path, &info) == 0) {
		mode = info.st_mode & 07777;
		user = (int)info.st_uid;
		group = (int)info.st_gid;
	}
	if (mode < 0 && user < 0 && group < 0)
		return;
	g_string_append(xml, "    <permissions>\n");
	if (mode >= 0)
		g_string_append_printf(xml, "      <mode>0%o</mode>\n", (unsigned)mode);
	if (user >= 0)
		g_string_append_printf(xml, "      <owner>%d</owner>\n", user);
	if (group >= 0)
		g_string_append_printf(xml, "      <group>%d</group>\n", group);
	g_string_append(xml, "    </permissions>\n");
}

char *pool_print(const struct pool *pool, bool saved)
{
	g_autofree char *name = g_markup_escape_text(pool->name, -1);
	g_autofree char *path = g_markup_escape_text(pool->path, -1);
	GString *xml = g_string_new("<pool type='dir'>\n");
	struct pool_space space = {0};

	if (!saved)
		pool_measure(pool, &space);
	g_string_append_printf(xml,
		"  <name>%s</name>\n  <uuid>%s</uuid>\n"
		"  <capacity unit='bytes'>%" G_GUINT64_FORMAT "</capacity>\n"
		"  <allocation unit='bytes'>%" G_GUINT64_FORMAT "</allocation>\n"
		"  <available unit='bytes'>%" G_GUINT64_FORMAT "</available>\n"
		"  <source>\n  </source>\n  <target>\n    <path>%s</path>\n",
		name, pool->uuid, space.capacity, space.allocation, space.available, path);
	print_permissions(xml, pool, saved);
	g_string_append(xml, "  </target>\n</pool>\n");
	return g_string_free(xml, FALSE);
}
