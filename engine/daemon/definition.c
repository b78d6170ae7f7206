// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/definition.h"

#include "engine/daemon/fault.h"

#include <libvirt/libvirt.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

#define TEXT(string) ((const xmlChar *)(string))

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

/* ---- the tree -------------------------------------------------------------------------------- */

static xmlDoc *parse(const char *text)
{
	return xmlReadMemory(text, (int)strlen(text), NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS);
}

/* As libvirt prints it: indented, without a declaration. */
static char *print(xmlDoc *document, xmlNode *node)
{
	xmlBuffer *buffer = xmlBufferCreate();
	char *text;

	g_assert(buffer);
	xmlNodeDump(buffer, document, node, 0, 1);
	text = g_strconcat((const char *)xmlBufferContent(buffer), "\n", NULL);
	xmlBufferFree(buffer);
	return text;
}

static bool is_named(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && !node->ns &&
	       strcmp((const char *)node->name, name) == 0;
}

static xmlNode *child(xmlNode *node, const char *name)
{
	for (xmlNode *at = node ? node->children : NULL; at; at = at->next)
		if (is_named(at, name))
			return at;
	return NULL;
}

static void set_text(xmlNode *node, const char *text)
{
	xmlNodeSetContent(node, NULL);
	xmlNodeAddContent(node, TEXT(text));
}

/* The child of this name; where it is missing, a new one behind the last of those named, which are
 * ended by NULL. */
static xmlNode *ensure(xmlNode *parent, const char *name, const char *const behind[])
{
	xmlNode *node = child(parent, name), *place = NULL;

	if (node)
		return node;
	for (; *behind && !place; behind++)
		place = child(parent, *behind);
	node = xmlNewDocNode(parent->doc, NULL, TEXT(name), NULL);
	return place ? xmlAddNextSibling(place, node) : xmlAddChild(parent, node);
}

static void put_number(xmlNode *parent, const char *name, uint64_t kib, const char *behind)
{
	xmlNode *node = ensure(parent, name, (const char *const[]){behind, NULL});
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, kib);

	xmlSetProp(node, TEXT("unit"), TEXT("KiB"));
	set_text(node, text);
}

static void put_action(xmlNode *root, const char *name, const char *otherwise, const char *behind)
{
	xmlNode *node = ensure(
		root, name, (const char *const[]){behind, "clock", "cpu", "features", "os", NULL});

	if (!node->children)
		set_text(node, otherwise);
}

static void put_vcpus(xmlNode *root, const struct machine_config *config)
{
	xmlNode *node = ensure(root, "vcpu", (const char *const[]){"currentMemory", NULL});
	g_autofree char *text = g_strdup_printf("%u", config->vcpus_max);
	g_autofree char *current = g_strdup_printf("%u", config->vcpus);

	xmlSetProp(node, TEXT("placement"), TEXT("static"));
	if (config->vcpus != config->vcpus_max)
		xmlSetProp(node, TEXT("current"), TEXT(current));
	else
		xmlUnsetProp(node, TEXT("current"));
	set_text(node, text);
}

static void put_machine(xmlNode *root)
{
	xmlNode *type = child(child(root, "os"), "type");

	if (!type)
		return;
	if (!xmlHasProp(type, TEXT("arch")))
		xmlSetProp(type, TEXT("arch"), TEXT("x86_64"));
	if (!xmlHasProp(type, TEXT("machine")))
		xmlSetProp(type, TEXT("machine"), TEXT("lodge"));
}

/* What libvirt writes out though the author may leave it out. */
static void complete(xmlNode *root, const struct machine_config *config, const char *uuid)
{
	xmlNode *clock;

	xmlUnsetProp(root, TEXT("id"));
	set_text(ensure(root, "uuid", (const char *const[]){"name", NULL}), uuid);
	put_number(root, "memory", config->memory >> 10, "uuid");
	put_number(root, "currentMemory", config->memory_current >> 10, "memory");
	put_vcpus(root, config);
	put_machine(root);
	clock = ensure(root, "clock", (const char *const[]){"cpu", "features", "os", NULL});
	if (!xmlHasProp(clock, TEXT("offset")))
		xmlSetProp(clock, TEXT("offset"), TEXT("utc"));
	put_action(root, "on_poweroff", "destroy", "clock");
	put_action(root, "on_reboot", "restart", "on_poweroff");
	put_action(root, "on_crash", "destroy", "on_reboot");
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

static bool translate(const GError *cause, GError **error)
{
	bool unsupported = g_error_matches(cause, CONFIG_ERROR, CONFIG_ERROR_UNSUPPORTED);

	return fault_set(error, unsupported ? VIR_ERR_CONFIG_UNSUPPORTED : VIR_ERR_XML_ERROR, "%s",
		cause->message);
}

static int read_id(xmlNode *root)
{
	xmlChar *text = xmlGetProp(root, TEXT("id"));
	guint64 id = 0;
	bool ok =
		text && g_ascii_string_to_unsigned((const char *)text, 10, 1, G_MAXINT, &id, NULL);

	xmlFree(text);
	return ok ? (int)id : -1;
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
	document = parse(text);
	g_assert(document);
	root = xmlDocGetRootElement(document);
	definition = g_new0(struct definition, 1);
	definition->config = config;
	definition->id = read_id(root);
	set_uuid(definition);
	complete(root, config, definition->uuid);
	definition->xml = print(document, root);
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

static void put_alias(xmlNode *device, const char *name, unsigned index)
{
	g_autofree char *text = g_strdup_printf("%s%u", name, index);
	xmlNode *alias = child(device, "alias");

	if (!alias)
		alias = xmlNewChild(device, NULL, TEXT("alias"), NULL);
	if (!xmlHasProp(alias, TEXT("name")))
		xmlSetProp(alias, TEXT("name"), TEXT(text));
}

/* Element and how libvirt's QEMU driver names such a device. */
static const struct {
	const char *element;
	const char *alias;
} devices[] = {
	{"disk", "virtio-disk"},
	{"interface", "net"},
	{"serial", "serial"},
	{"console", "console"},
	{"channel", "channel"},
	{"memballoon", "balloon"},
	{"rng", "rng"},
};

char *definition_live_xml(const struct definition *definition, int id)
{
	g_autoptr(xmlDoc) document = parse(definition->xml);
	xmlNode *root = xmlDocGetRootElement(document), *list = child(root, "devices");
	g_autofree char *text = g_strdup_printf("%d", id);
	unsigned counts[G_N_ELEMENTS(devices)] = {0};

	xmlSetProp(root, TEXT("id"), TEXT(text));
	for (xmlNode *at = list ? list->children : NULL; at; at = at->next)
		for (size_t i = 0; i < G_N_ELEMENTS(devices); i++)
			if (is_named(at, devices[i].element))
				put_alias(at, devices[i].alias, counts[i]++);
	return print(document, root);
}

static bool is_terminal(xmlNode *node)
{
	xmlChar *type;
	bool ok;

	if (!is_named(node, "serial") && !is_named(node, "console") && !is_named(node, "channel"))
		return false;
	type = xmlGetProp(node, TEXT("type"));
	ok = type && (strcmp((char *)type, "pty") == 0 || strcmp((char *)type, "stdio") == 0);
	xmlFree(type);
	return ok;
}

/* The monitor makes a socket in its own folder instead: that is there again for the next daemon. */
static void to_socket(xmlNode *node, unsigned index)
{
	g_autofree char *path = g_strdup_printf("char%u", index);
	xmlNode *source = child(node, "source");

	if (source) {
		xmlUnlinkNode(source);
		xmlFreeNode(source);
	}
	xmlUnsetProp(node, TEXT("tty"));
	xmlSetProp(node, TEXT("type"), TEXT("unix"));
	source = xmlNewChild(node, NULL, TEXT("source"), NULL);
	xmlSetProp(source, TEXT("mode"), TEXT("bind"));
	xmlSetProp(source, TEXT("path"), TEXT(path));
}

static unsigned change_terminals(xmlDoc *document, bool change)
{
	xmlNode *list = child(xmlDocGetRootElement(document), "devices");
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
	g_autoptr(xmlDoc) document = parse(definition->xml);

	change_terminals(document, true);
	return print(document, xmlDocGetRootElement(document));
}

unsigned definition_terminals(const struct definition *definition)
{
	g_autoptr(xmlDoc) document = parse(definition->xml);

	return change_terminals(document, false);
}

static bool is_virtio(xmlNode *node)
{
	xmlNode *target = child(node, "target");
	xmlChar *type = target ? xmlGetProp(target, TEXT("type")) : NULL;
	bool is = is_named(node, "channel") || (type && strcmp((char *)type, "virtio") == 0);

	xmlFree(type);
	return is;
}

static bool has_attribute(xmlNode *node, const char *element, const char *name, const char *value)
{
	xmlNode *at = child(node, element);
	xmlChar *text = at ? xmlGetProp(at, TEXT(name)) : NULL;
	bool has = text && strcmp((char *)text, value) == 0;

	xmlFree(text);
	return has;
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
	unsigned index = is_named(node, "serial")    ? search->serials
			 : is_named(node, "console") ? search->consoles
						     : search->channels;
	g_autofree char *usual = g_strdup_printf("%s%u", name, index);

	if (is_named(node, "channel") != channel)
		return false;
	if (!alias)
		return index == 0;
	return strcmp(alias, usual) == 0 || has_attribute(node, "alias", "name", alias) ||
	       (channel && has_attribute(node, "target", "name", alias));
}

static void pass_console(xmlNode *node, struct console_search *search)
{
	if (is_named(node, "serial") && search->serials++ == 0 && is_terminal(node))
		search->first = search->terminals;
	search->consoles += is_named(node, "console");
	search->channels += is_named(node, "channel");
	search->ports += is_virtio(node);
	search->terminals += is_terminal(node);
}

char *definition_console(
	const struct definition *definition, const char *alias, bool channel, int *terminal)
{
	g_autoptr(xmlDoc) document = parse(definition->xml);
	xmlNode *list = child(xmlDocGetRootElement(document), "devices");
	struct console_search search = {.first = -1};

	for (xmlNode *at = list ? list->children : NULL; at; at = at->next) {
		if (!is_named(at, "serial") && !is_named(at, "console") && !is_named(at, "channel"))
			continue;
		if (!is_console(at, &search, alias, channel)) {
			pass_console(at, &search);
			continue;
		}
		*terminal = is_terminal(at) ? search.terminals : -1;
		if (is_virtio(at))
			return g_strdup_printf("virtio%u", search.ports);
		/* A <console> stands beside the first serial port, or for it. */
		if (is_named(at, "console") && search.serials)
			*terminal = search.first;
		return g_strdup_printf("serial%u", is_named(at, "serial") ? search.serials : 0);
	}
	return NULL;
}

struct definition *definition_with_name(
	const struct definition *definition, const char *name, GError **error)
{
	g_autoptr(xmlDoc) document = parse(definition->xml);
	g_autofree char *text = NULL;

	if (!check_name(name, error))
		return NULL;
	set_text(child(xmlDocGetRootElement(document), "name"), name);
	text = print(document, xmlDocGetRootElement(document));
	return definition_read(text, error);
}

/* ---- metadata -------------------------------------------------------------------------------- */

static xmlNode *find_element(xmlNode *root, const char *uri)
{
	xmlNode *metadata = child(root, "metadata");

	for (xmlNode *at = metadata ? metadata->children : NULL; at; at = at->next)
		if (at->type == XML_ELEMENT_NODE && at->ns && uri &&
			g_strcmp0((const char *)at->ns->href, uri) == 0)
			return at;
	return NULL;
}

static xmlNode *find_metadata(xmlNode *root, int type, const char *uri)
{
	switch (type) {
	case VIR_DOMAIN_METADATA_TITLE:
		return child(root, "title");
	case VIR_DOMAIN_METADATA_DESCRIPTION:
		return child(root, "description");
	default:
		return find_element(root, uri);
	}
}

static void leave_namespace(xmlNode *node, const xmlNs *namespace)
{
	if (node->type != XML_ELEMENT_NODE)
		return;
	if (node->ns == namespace)
		node->ns = NULL;
	for (xmlNode *at = node->children; at; at = at->next)
		leave_namespace(at, namespace);
}

/* An element stands alone as what the client gave: without the prefix and the namespace of key. */
static char *print_element(xmlDoc *document, xmlNode *node)
{
	xmlNs *own = node->ns, **at = &node->nsDef;
	char *text;

	leave_namespace(node, own);
	while (*at && *at != own)
		at = &(*at)->next;
	if (*at) {
		*at = own->next;
		own->next = NULL;
		xmlFreeNs(own);
	}
	text = print(document, node);
	return g_strchomp(text);
}

char *definition_get_metadata(
	const struct definition *definition, int type, const char *uri, GError **error)
{
	g_autoptr(xmlDoc) document = parse(definition->xml);
	xmlNode *node = find_metadata(xmlDocGetRootElement(document), type, uri);
	xmlChar *content;
	char *text;

	if (!node) {
		fault_set(error, VIR_ERR_NO_DOMAIN_METADATA, "%s",
			type == VIR_DOMAIN_METADATA_ELEMENT
				? "Requested metadata element is not present"
				: "Requested metadata is not present");
		return NULL;
	}
	if (type == VIR_DOMAIN_METADATA_ELEMENT)
		return print_element(document, node);
	content = xmlNodeGetContent(node);
	text = g_strdup((const char *)content);
	xmlFree(content);
	return text;
}

static bool add_element(
	xmlNode *root, const char *text, const char *key, const char *uri, GError **error)
{
	g_autoptr(xmlDoc) element = parse(text);
	xmlNode *node, *metadata;

	if (!element || !key || !uri)
		return fault_set(
			error, VIR_ERR_XML_ERROR, "(metadata_xml): this is not an XML element");
	node = xmlDocCopyNode(xmlDocGetRootElement(element), root->doc, 1);
	xmlSetNs(node, xmlNewNs(node, TEXT(uri), TEXT(key)));
	metadata = ensure(root, "metadata",
		(const char *const[]){"description", "title", "genid", "uuid", NULL});
	xmlAddChild(metadata, node);
	return true;
}

static bool put_metadata(
	xmlNode *root, int type, const char *text, const char *key, const char *uri, GError **error)
{
	xmlNode *old = find_metadata(root, type, uri);

	if (old) {
		xmlUnlinkNode(old);
		xmlFreeNode(old);
	}
	if (!text || (type != VIR_DOMAIN_METADATA_ELEMENT && !*text))
		return true;
	if (type == VIR_DOMAIN_METADATA_ELEMENT)
		return add_element(root, text, key, uri, error);
	set_text(ensure(root, type == VIR_DOMAIN_METADATA_TITLE ? "title" : "description",
			 (const char *const[]){"title", "uuid", NULL}),
		text);
	return true;
}

struct definition *definition_with_metadata(const struct definition *definition, int type,
	const char *text, const char *key, const char *uri, GError **error)
{
	g_autoptr(xmlDoc) document = parse(definition->xml);
	xmlNode *root = xmlDocGetRootElement(document);
	g_autofree char *changed = NULL;

	if (type == VIR_DOMAIN_METADATA_TITLE && text && strchr(text, '\n')) {
		fault_set(error, VIR_ERR_INVALID_ARG, "%s", "Domain title can't contain newlines");
		return NULL;
	}
	if (!put_metadata(root, type, text, key, uri, error))
		return NULL;
	changed = print(document, root);
	return definition_read(changed, error);
}
