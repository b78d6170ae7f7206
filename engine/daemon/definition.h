// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A guest's definition: what engine/common/config makes of it, and its XML as libvirt's tools
 * expect to read it back (with a UUID, sizes in KiB, the actions written out). Never changes once
 * it is made: a change makes a new one. Main thread.
 *
 * Errors are those of fault.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/common/config.h"
#include "engine/daemon/tree.h"
#include "engine/daemon/wire.h"

struct definition {
	struct machine_config *config;
	char *xml; /* without an id */
	char uuid[37];
	unsigned char uuid_bytes[16];
	int id; /* the one that stood in the text, or -1 */
};

/* Reads what a client or a file says. A missing UUID is made up. */
struct definition *definition_read(const char *text, GError **error);
void definition_free(struct definition *definition);

/* The definition as a guest runs with it: every device has its <alias>. */
struct definition *definition_live(const struct definition *definition, GError **error);
/* Writes the images that those of the disks stand on, as its config has been given them, into the XML
 * as well. */
struct definition *definition_with_backing(const struct definition *definition, GError **error);
/* The same for one <disk>. */
void definition_put_backing(xmlNode *disk, const struct config_disk *config);
/* Gives each device that has none an <alias>, as libvirt's QEMU driver does. */
void definition_put_aliases(xmlNode *root);
/* The XML of the running guest: with its id; and without what is only for running ones. */
char *definition_live_xml(const struct definition *definition, int id);
char *definition_inactive_xml(const struct definition *definition);

/* Changes the tree, of the running guest's definition or of a saved one. */
typedef bool (*definition_editor)(void *data, xmlNode *root, bool live, GError **error);
/* What the editor makes of it, when that is a definition still. */
struct definition *definition_edit(const struct definition *definition, definition_editor edit,
	void *data, bool live, GError **error);

/* KiB of memory that the guest can have: at boot, and by its memory devices. */
uint64_t definition_memory(const struct machine_config *config);
/* The text of a network card's address. Free with g_free(). */
char *definition_mac(const struct config_net *net);

/* In <devices>: a serial port is a console, too, and the first console a serial port; their
 * targets. */
void definition_put_consoles(xmlNode *list);
/* The XML for lodge-vmm: channels that are terminals become sockets "char0", "char1"… in its own
 * folder. */
char *definition_monitor_xml(const struct definition *definition);

/* The control protocol's name of the <serial> or <console> with this alias (NULL: the usual one). Free
 * with g_free(). NULL: there is none. */
char *definition_console(const struct definition *definition, const char *alias);
/* The socket of the <channel> with this alias or name (NULL: the first one); NULL: there is none, or it
 * leads elsewhere. */
char *definition_channel(const struct definition *definition, const char *name);

struct definition *definition_with_name(
	const struct definition *definition, const char *name, GError **error);

/* <title>, <description> or an element of <metadata>; type is a virDomainMetadataType. */
char *definition_get_metadata(
	const struct definition *definition, int type, const char *uri, GError **error);
/* In a tree: text NULL takes it away. key is the prefix for uri. */
bool definition_put_metadata(xmlNode *root, int type, const char *text, const char *key,
	const char *uri, GError **error);

/* Canonical text of a UUID, and back; the text may be of either case. */
void uuid_format(const unsigned char bytes[16], char text[37]);
bool uuid_parse(const char *text, unsigned char bytes[16]);
