// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/network.h"

#include "engine/daemon/definition.h"

#include <stdio.h>
#include <string.h>

#define USER "user"
#define INTERFACES "/sys/class/net"
#define NEIGHBOURS "/proc/net/arp"

static void network_free(void *data)
{
	struct network *network = data;

	g_free(network->name);
	g_free(network);
}

static void set_uuid(struct network *network)
{
	g_autofree char *text = g_strconcat("urn:lodge:network:", network->name, NULL);
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
	guint8 digest[20];
	gsize size = sizeof(digest);

	g_checksum_update(sum, (const guchar *)text, -1);
	g_checksum_get_digest(sum, digest, &size);
	memcpy(network->uuid_bytes, digest, sizeof(network->uuid_bytes));
	/* Version 5, of RFC 4122's kind. */
	network->uuid_bytes[6] = (guchar)((network->uuid_bytes[6] & 0x0f) | 0x50);
	network->uuid_bytes[8] = (guchar)((network->uuid_bytes[8] & 0x3f) | 0x80);
	uuid_format(network->uuid_bytes, network->uuid);
}

static void add(GPtrArray *list, const char *name, bool bridge)
{
	struct network *network = g_new0(struct network, 1);

	network->name = g_strdup(name);
	network->bridge = bridge;
	set_uuid(network);
	g_ptr_array_add(list, network);
}

GPtrArray *network_list(void)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(network_free);
	GDir *folder = g_dir_open(INTERFACES, 0, NULL);
	const char *name;

	add(list, USER, false);
	while (folder && (name = g_dir_read_name(folder))) {
		g_autofree char *bridge = g_build_filename(INTERFACES, name, "bridge", NULL);

		if (g_file_test(bridge, G_FILE_TEST_IS_DIR) && strcmp(name, USER) != 0)
			add(list, name, true);
	}
	g_clear_pointer(&folder, g_dir_close);
	return list;
}

char *network_print(const struct network *network)
{
	g_autofree char *name = g_markup_escape_text(network->name, -1);

	if (network->bridge)
		return g_strdup_printf(
			"<network>\n  <name>%s</name>\n  <uuid>%s</uuid>\n"
			"  <forward mode='bridge'/>\n  <bridge name='%s'/>\n</network>\n",
			name, network->uuid, name);
	return g_strdup_printf(
		"<network>\n  <name>%s</name>\n  <uuid>%s</uuid>\n  <metadata>\n"
		"    <lodge:network xmlns:lodge=\"urn:lodge:network:1\" backend=\"passt\"/>\n"
		"  </metadata>\n  <forward mode='nat'/>\n</network>\n",
		name, network->uuid);
}

/* A line has: address, type of hardware, flags, MAC address, mask, device. */
char *network_neighbour(const char *mac)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents(NEIGHBOURS, &text, NULL, NULL))
		return NULL;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		char address[64], found[64];

		if (sscanf(*line, "%63s %*s %*s %63s", address, found) == 2 &&
			g_ascii_strcasecmp(found, mac) == 0)
			return g_strdup(address);
	}
	return NULL;
}
