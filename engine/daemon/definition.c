// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/definition.h"

#include "engine/daemon/drives.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/places.h"
#include "engine/daemon/tree.h"

#include <libvirt/virterror.h>
#include <string.h>

void uuid_format(const unsigned char bytes[16], char text[37])
{
	char *to = text;

	for (unsigned i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		*to++ = "0123456789abcdef"[bytes[i] >> 4];
		*to++ = "0123456789abcdef"[bytes[i] & 15];
	}
	*to = '\0';
}

bool uuid_parse(const char *text, unsigned char bytes[16])
{
	unsigned digits = 0;

	if (!g_uuid_string_is_valid(text))
		return false;
	for (; *text; text++) {
		if (*text == '-')
			continue;
		bytes[digits / 2] =
			(unsigned char)(bytes[digits / 2] << 4 | g_ascii_xdigit_value(*text));
		digits++;
	}
	return true;
}

/* ---- what libvirt writes out though the author may leave it out ----------------------------- */

uint64_t definition_memory(const struct machine_config *config)
{
	uint64_t bytes = config->memory;

	for (guint i = 0; i < config->memories->len; i++) {
		const struct config_memory *memory = g_ptr_array_index(config->memories, i);

		bytes += memory->size;
	}
	return bytes >> 10;
}

static void put_number(xmlNode *parent, const char *name, uint64_t kib, const char *behind)
{
	xmlNode *node = tree_ensure(parent, name, (const char *const[]){behind, NULL});

	tree_set(node, "unit", "KiB");
	tree_set_text_number(node, kib);
}

static void put_action(xmlNode *root, const char *name, const char *otherwise, const char *behind)
{
	xmlNode *node = tree_ensure(
		root, name, (const char *const[]){behind, "clock", "cpu", "features", "os", NULL});

	if (!node->children)
		tree_set_text(node, otherwise);
}

static void put_vcpus(xmlNode *root, const struct machine_config *config)
{
	xmlNode *node = tree_ensure(root, "vcpu", (const char *const[]){"currentMemory", NULL});

	/* In libvirt's order. */
	tree_set(node, "current", NULL);
	if (!xmlHasProp(node, (const xmlChar *)"placement"))
		tree_set(node, "placement", "static");
	if (config->vcpus != config->vcpus_max)
		tree_set_number(node, "current", config->vcpus);
	tree_set_text_number(node, config->vcpus_max);
}

static void put_attribute(xmlNode *node, const char *name, const char *otherwise)
{
	if (node && !xmlHasProp(node, (const xmlChar *)name))
		tree_set(node, name, otherwise);
}

static void put_mac(xmlNode *interface, const struct config_net *net)
{
	g_autofree char *address = definition_mac(net);

	if (!tree_child(interface, "mac"))
		xmlAddPrevSibling(interface->children,
			xmlNewDocNode(interface->doc, NULL, (const xmlChar *)"mac", NULL));
	tree_set(tree_child(interface, "mac"), "address", address);
}

/* Clients write numbers of KiB into what they have read. */
static void put_memory_device(xmlNode *device, const struct config_memory *memory)
{
	xmlNode *target = tree_child(device, "target");

	put_number(target, "size", memory->size >> 10, "size");
	put_number(target, "block", memory->block >> 10, "size");
	put_number(target, "requested", memory->requested >> 10, "block");
}

/* What is missing, in libvirt's order of attributes. */
static void put_driver(xmlNode *disk)
{
	xmlNode *driver = tree_child(disk, "driver"), *first = NULL;

	if (!driver) {
		driver = xmlNewDocNode(disk->doc, NULL, (const xmlChar *)"driver", NULL);
		driver = disk->children ? xmlAddPrevSibling(disk->children, driver)
					: xmlAddChild(disk, driver);
	}
	if (xmlHasProp(driver, (const xmlChar *)"name") &&
		xmlHasProp(driver, (const xmlChar *)"type"))
		return;
	first = xmlNewDocNode(disk->doc, NULL, (const xmlChar *)"driver", NULL);
	tree_set(first, "name", "qemu");
	tree_set(first, "type", "raw");
	for (xmlAttr *at = driver->properties; at; at = at->next) {
		g_autofree char *value = tree_attribute(driver, (const char *)at->name);

		tree_set(first, (const char *)at->name, value);
	}
	xmlReplaceNode(driver, first);
	xmlFreeNode(driver);
}

static void put_disk(xmlNode *disk)
{
	put_attribute(disk, "type", "file");
	put_attribute(disk, "device", "disk");
	put_attribute(
		tree_child(disk, "target"), "bus", drive_is(disk) ? "scsi" : "virtio");
	if (drive_is(disk))
		tree_ensure(disk, "readonly", (const char *const[]){"iotune", "target", NULL});
	put_driver(disk);
}

static void put_devices(xmlNode *root, const struct machine_config *config)
{
	xmlNode *list = tree_ensure(root, "devices",
		(const char *const[]){"pm", "on_crash", NULL});
	unsigned nets = 0, memories = 0;

	for (xmlNode *at = list->children; at; at = at->next) {
		if (tree_is(at, "disk")) {
			put_disk(at);
		} else if (tree_is(at, "interface")) {
			put_mac(at, g_ptr_array_index(config->nets, nets++));
		} else if (tree_is(at, "memory")) {
			put_memory_device(at, g_ptr_array_index(config->memories, memories++));
		}
	}
	definition_put_consoles(list);
	if (!tree_child(list, "memballoon"))
		tree_set(tree_add(list, "memballoon"), "model", "virtio");
}

static void complete(xmlNode *root, const struct machine_config *config, const char *uuid)
{
	xmlNode *type = tree_child(tree_child(root, "os"), "type");

	tree_set(root, "id", NULL);
	tree_set_text(tree_ensure(root, "uuid", (const char *const[]){"name", NULL}), uuid);
	put_number(root, "memory", definition_memory(config), "uuid");
	put_number(root, "currentMemory", config->memory_current >> 10, "memory");
	put_vcpus(root, config);
	put_attribute(type, "arch", "x86_64");
	put_attribute(type, "machine", "lodge");
	put_attribute(tree_ensure(root, "clock",
			      (const char *const[]){"cpu", "features", "os", NULL}),
		"offset", "utc");
	put_action(root, "on_poweroff", "destroy", "clock");
	put_action(root, "on_reboot", "restart", "on_poweroff");
	put_action(root, "on_crash", "destroy", "on_reboot");
	put_devices(root, config);
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool check_name(const char *name, GError **error)
{
	if (!*name || strchr(name, '\n'))
		return fault_set(error, VIR_ERR_XML_ERROR,
			"name %s is empty or has more than one line", name);
	if (strchr(name, '/'))
		return fault_set(error, VIR_ERR_XML_ERROR, "name %s cannot contain '/'", name);
	if (strlen(name) > 200)
		return fault_set(error, VIR_ERR_XML_ERROR, "name %s is too long", name);
	return true;
}

char *definition_mac(const struct config_net *net)
{
	const uint8_t *mac = net->mac;

	return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		mac[4], mac[5]);
}

static bool translate(const GError *cause, GError **error)
{
	bool unsupported = g_error_matches(cause, CONFIG_ERROR, CONFIG_ERROR_UNSUPPORTED);

	return fault_set(error, unsupported ? VIR_ERR_CONFIG_UNSUPPORTED : VIR_ERR_XML_ERROR, "%s",
		cause->message);
}

static int read_id(xmlNode *root)
{
	uint64_t id = tree_number(root, "id", 0);

	return id >= 1 && id <= G_MAXINT ? (int)id : -1;
}

static void set_uuid(struct definition *definition)
{
	g_autofree char *random = g_uuid_string_random();
	const char *uuid = definition->config->uuid ? definition->config->uuid : random;

	bool ok = uuid_parse(uuid, definition->uuid_bytes) ||
		  uuid_parse(random, definition->uuid_bytes);

	g_assert(ok);
	uuid_format(definition->uuid_bytes, definition->uuid);
}

struct definition *definition_read(const char *text, GError **error)
{
	g_autoptr(GError) cause = NULL;
	struct machine_config *config =
		config_read_memory(text, strlen(text), "(domain_definition)", &cause);
	struct definition *definition;
	g_autoptr(xmlDoc) document = NULL;
	xmlNode *root;

	if (!config) {
		translate(cause, error);
		return NULL;
	}
	if (!check_name(config->name, error)) {
		config_free(config);
		return NULL;
	}
	document = tree_parse(text);
	g_assert(document);
	root = xmlDocGetRootElement(document);
	definition = g_new0(struct definition, 1);
	definition->config = config;
	definition->id = read_id(root);
	set_uuid(definition);
	complete(root, config, definition->uuid);
	definition->xml = tree_print(root);
	return definition;
}

void definition_free(struct definition *definition)
{
	if (!definition)
		return;
	config_free(definition->config);
	g_free(definition->xml);
	g_free(definition);
}

/* ---- other shapes of it ---------------------------------------------------------------------- */

struct definition *definition_edit(const struct definition *definition, definition_editor edit,
	void *data, bool live, GError **error)
{
	g_autoptr(xmlDoc) document = tree_parse(definition->xml);
	xmlNode *root = xmlDocGetRootElement(document);
	g_autofree char *text = NULL;

	if (!edit(data, root, live, error))
		return NULL;
	text = tree_print(root);
	return definition_read(text, error);
}

static bool edit_name(void *name, xmlNode *root, bool live, GError **error)
{
	tree_set_text(tree_child(root, "name"), name);
	return true;
}

struct definition *definition_with_name(
	const struct definition *definition, const char *name, GError **error)
{
	return check_name(name, error)
		       ? definition_edit(definition, edit_name, (char *)name, false, error)
		       : NULL;
}

/* ---- what the disks' images stand on --------------------------------------------------------- */

static xmlNode *put_backing(xmlNode *parent, const struct config_backing *backing)
{
	xmlNode *source;

	tree_set(parent, "type", backing->block ? "block" : "file");
	tree_set(tree_add(parent, "format"), "type", backing->format ? backing->format : "raw");
	source = tree_add(parent, "source");
	tree_set(source, backing->block ? "dev" : "file", backing->path);
	return tree_add(parent, "backingStore");
}

/* One that is empty ends the chain. */
void definition_put_backing(xmlNode *disk, const struct config_disk *config)
{
	xmlNode *at;

	tree_remove(tree_child(disk, "backingStore"));
	if (!config->backing)
		return;
	at = tree_ensure(disk, "backingStore", (const char *const[]){"source", NULL});
	for (guint i = 0; i < config->backing->len; i++)
		at = put_backing(at, g_ptr_array_index(config->backing, i));
}

static bool edit_backing(void *data, xmlNode *root, bool live, GError **error)
{
	const struct machine_config *config = data;
	xmlNode *at = tree_child(tree_child(root, "devices"), "disk");

	for (guint i = 0; at && i < config->disks->len; i++, at = tree_next(at, "disk"))
		definition_put_backing(at, g_ptr_array_index(config->disks, i));
	return true;
}

struct definition *definition_with_backing(const struct definition *definition, GError **error)
{
	return definition_edit(definition, edit_backing, definition->config, true, error);
}

/* ---- running and not --------------------------------------------------------------------------- */

/* What clients expect to read of a running guest: names for its devices, and what it has plugged. */
static bool edit_live(void *data, xmlNode *root, bool live, GError **error)
{
	xmlNode *devices = tree_child(root, "devices");

	for (xmlNode *at = devices ? devices->children : NULL; at; at = at->next)
		places_drop_terminal(at);
	definition_put_aliases(root);
	for (xmlNode *at = tree_child(devices, "memory"); at; at = tree_next(at, "memory")) {
		xmlNode *target = tree_child(at, "target");

		if (target && !tree_child(target, "current"))
			put_number(target, "current", 0, "requested");
	}
	return true;
}

struct definition *definition_live(const struct definition *definition, GError **error)
{
	return definition_edit(definition, edit_live, NULL, true, error);
}

char *definition_live_xml(const struct definition *definition, int id)
{
	/* It begins with this tag and attribute, as complete() and tree_print() have left it. */
	const char *behind = strchr(definition->xml, '>');
	const char *end = behind && behind[-1] == '/' ? behind - 1 : behind;

	return g_strdup_printf("%.*s id='%d'%s", (int)(end - definition->xml), definition->xml, id,
		end);
}

static void drop_alias(xmlNode *device)
{
	xmlNode *alias = tree_child(device, "alias");
	g_autofree char *name = tree_attribute(alias, "name");

	if (name && !g_str_has_prefix(name, "ua-"))
		tree_remove(alias);
}

char *definition_inactive_xml(const struct definition *definition)
{
	g_autoptr(xmlDoc) document = tree_parse(definition->xml);
	xmlNode *root = xmlDocGetRootElement(document), *list = tree_child(root, "devices");

	for (xmlNode *at = list ? list->children : NULL; at; at = at->next) {
		drop_alias(at);
		/* It is what the images say, when they are opened. */
		tree_remove(tree_child(at, "backingStore"));
		if (tree_is(at, "disk"))
			tree_set(tree_child(at, "target"), "tray", NULL);
		places_drop_terminal(at);
	}
	return tree_print(root);
}
