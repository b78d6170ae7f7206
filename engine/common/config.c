// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/common/config.h"
#include "engine/common/config_reader.h"

#include <glib/gi18n.h>
#include <libxml/parser.h>
#include <string.h>

/* A definition is a few KiB; what is larger is something else. */
#define FILE_SIZE_MAX (1u << 20)
#define DEPTH_MAX (8 + CONFIG_BACKING_MAX)

G_DEFINE_QUARK(lodge-config-error, config_error)

bool config_fail(const struct config_reader *reader, const xmlNode *node, enum config_error code,
	GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *sentence = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, CONFIG_ERROR, (int)code, "%s:%ld: %s", reader->file_name,
		node ? xmlGetLineNo(node) : 1, sentence);
	return false;
}

char *config_attribute(const xmlNode *node, const char *name)
{
	xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
	char *copy = g_strdup((const char *)value);
	xmlFree(value);
	return copy;
}

char *config_text(const xmlNode *node)
{
	xmlChar *value = xmlNodeGetContent(node);
	char *copy = g_strdup(value ? (const char *)value : "");
	xmlFree(value);
	return g_strstrip(copy);
}

bool config_attribute_is(const xmlNode *node, const char *name, const char *value)
{
	g_autofree char *have = config_attribute(node, name);
	return g_strcmp0(have, value) == 0;
}

bool config_number(const struct config_reader *reader, const xmlNode *node, const char *name,
	uint64_t min, uint64_t max, uint64_t *number, GError **error)
{
	g_autofree char *text = name ? config_attribute(node, name) : config_text(node);
	guint64 value;

	if (!text || !g_ascii_string_to_unsigned(text, 10, min, max, &value, NULL))
		return config_fail(reader, node, CONFIG_ERROR_INVALID, error,
			_("'%s' of <%s> is not a number from %llu to %llu"), text ? text : "",
			(const char *)node->name, (unsigned long long)min, (unsigned long long)max);
	*number = value;
	return true;
}

/* Does value match one of "a|b|c*"? choices ends at a blank or NUL. */
static bool value_allowed(const char *choices, const char *value)
{
	for (;;) {
		size_t length = strcspn(choices, "| ");
		bool prefix = length && choices[length - 1] == '*';

		if (prefix ? g_ascii_strncasecmp(choices, value, length - 1) == 0
			   : strlen(value) == length && memcmp(choices, value, length) == 0)
			return true;
		if (choices[length] != '|')
			return false;
		choices += length + 1;
	}
}

/* The entry of a rule's attribute list for name, at what follows the name, or NULL. */
static const char *find_attribute(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = list; at && *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " =");

		if (word == length && memcmp(at, name, length) == 0)
			return at + word;
		at += strcspn(at, " ");
	}
	return NULL;
}

static bool check_attributes(const struct config_reader *reader, const struct config_rule *rule,
	xmlNode *node, GError **error)
{
	for (xmlAttr *attribute = node->properties; attribute; attribute = attribute->next) {
		const char *name = (const char *)attribute->name;
		const char *entry = attribute->ns ? NULL : find_attribute(rule->attributes, name);
		g_autofree char *value = NULL;

		if (!entry)
			return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
				_("attribute '%s' of <%s> is not supported"), name,
				(const char *)node->name);
		value = config_attribute(node, name);
		if (*entry == '=' && !value_allowed(entry + 1, value))
			return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
				_("%s='%s' of <%s> is not supported"), name, value,
				(const char *)node->name);
	}
	return true;
}

static const struct config_rule *find_rule(const char *path)
{
	for (const struct config_rule *rule = config_rules; rule->path; rule++)
		if (strcmp(rule->path, path) == 0)
			return rule;
	return NULL;
}

bool config_knows_machine(const char *machine)
{
	const struct config_rule *rule = find_rule("domain/os/type");

	return value_allowed(find_attribute(rule->attributes, "machine") + 1, machine);
}

static bool is_repeated(const xmlNode *node)
{
	for (const xmlNode *other = node->prev; other; other = other->prev)
		if (other->type == XML_ELEMENT_NODE && xmlStrEqual(other->name, node->name))
			return true;
	return false;
}

static bool walk(struct config_reader *reader, xmlNode *node, const char *parent_path,
	unsigned depth, GError **error);

static bool walk_children(struct config_reader *reader, const struct config_rule *rule,
	xmlNode *node, unsigned depth, GError **error)
{
	for (xmlNode *child = node->children; child; child = child->next) {
		bool ok = true;

		switch (child->type) {
		case XML_ELEMENT_NODE:
			ok = walk(reader, child, rule->path, depth + 1, error);
			break;
		case XML_TEXT_NODE:
		case XML_CDATA_SECTION_NODE:
			if (!(rule->flags & CONFIG_RULE_TEXT) && !xmlIsBlankNode(child))
				ok = config_fail(reader, child, CONFIG_ERROR_INVALID, error,
					_("<%s> must not hold text"), (const char *)node->name);
			break;
		case XML_COMMENT_NODE:
		case XML_PI_NODE:
			break;
		default:
			ok = config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
				_("<%s> holds an entity reference"), (const char *)node->name);
		}
		if (!ok)
			return false;
	}
	return true;
}

/* The last name of a path, or "/" where there is none. */
static const char *path_end(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path ? path : "/";
}

/* The rule for an element of this name in one with that path (NULL: the document). */
static const struct config_rule *find_child_rule(const char *parent_path, const char *name)
{
	g_autofree char *path = parent_path ? g_strconcat(parent_path, "/", name, NULL)
					    : g_strdup(name);
	const struct config_rule *rule = find_rule(path), *parent;

	if (rule || !parent_path || strcmp(path_end(parent_path), name) != 0)
		return rule;
	parent = find_rule(parent_path);
	return parent && parent->flags & CONFIG_RULE_NESTED ? parent : NULL;
}

static bool walk(struct config_reader *reader, xmlNode *node, const char *parent_path,
	unsigned depth, GError **error)
{
	const char *name = (const char *)node->name;
	const struct config_rule *rule = node->ns ? NULL : find_child_rule(parent_path, name);

	if (!rule || depth > DEPTH_MAX)
		return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
			_("element <%s%s%s> in <%s> is not supported"),
			node->ns && node->ns->prefix ? (const char *)node->ns->prefix : "",
			node->ns && node->ns->prefix ? ":" : "", name,
			path_end(parent_path));
	if (rule->flags & CONFIG_RULE_TREE)
		return true;
	if (!(rule->flags & CONFIG_RULE_MANY) && is_repeated(node))
		return config_fail(reader, node, CONFIG_ERROR_INVALID, error,
			_("<%s> stands here a second time"), name);
	return check_attributes(reader, rule, node, error) &&
		(!rule->read || rule->read(reader, node, error)) &&
		walk_children(reader, rule, node, depth, error);
}

static void chardev_clear(struct config_chardev *chardev)
{
	g_free(chardev->path);
	g_free(chardev->log);
}

static void chardev_free(void *data)
{
	chardev_clear(data);
	g_free(data);
}

static void port_free(void *data)
{
	struct config_port *port = data;

	chardev_clear(&port->chardev);
	g_free(port->name);
	g_free(port);
}

static void disk_free(void *data)
{
	struct config_disk *disk = data;

	g_free(disk->path);
	g_free(disk->target);
	g_free(disk->serial);
	g_free(disk->format);
	g_free(disk->rbd);
	g_clear_pointer(&disk->backing, g_ptr_array_unref);
	g_free(disk->rbd_user);
	g_free(disk->rbd_conf);
	g_clear_pointer(&disk->rbd_hosts, g_ptr_array_unref);
	g_free(disk);
}

static void net_free(void *data)
{
	struct config_net *net = data;

	g_free(net->device);
	g_free(net->address);
	g_free(net->log);
	g_free(net->bridge);
	g_free(net->tap_name);
	g_ptr_array_free(net->forwards, TRUE);
	g_free(net);
}

static void memory_free(void *data)
{
	struct config_memory *memory = data;

	g_free(memory->alias);
	g_free(memory);
}

static struct machine_config *config_new(void)
{
	struct machine_config *config = g_new0(struct machine_config, 1);
	struct config_cputune *cputune = &config->cputune;

	cputune->whole.period_us = cputune->vcpu.period_us = cputune->emulator.period_us =
		CONFIG_PERIOD_US;
	config->on_poweroff = CONFIG_ACTION_DESTROY;
	config->on_reboot = CONFIG_ACTION_RESTART;
	config->on_crash = CONFIG_ACTION_DESTROY;
	config->vcpus = config->vcpus_max = 1;
	config->balloon = true; /* as libvirt does it where nothing is said */
	config->memories = g_ptr_array_new_with_free_func(memory_free);
	config->disks = g_ptr_array_new_with_free_func(disk_free);
	config->nets = g_ptr_array_new_with_free_func(net_free);
	config->serials = g_ptr_array_new_with_free_func(chardev_free);
	config->ports = g_ptr_array_new_with_free_func(port_free);
	return config;
}

void config_free(struct machine_config *config)
{
	if (!config)
		return;
	g_free(config->text);
	g_free(config->name);
	g_free(config->uuid);
	for (unsigned id = 0; id < CONFIG_VCPUS_MAX; id++)
		g_free(config->cputune.vcpu_pins[id]);
	g_free(config->cputune.emulator_pin);
	g_free(config->kernel);
	g_free(config->initrd);
	g_free(config->cmdline);
	g_ptr_array_free(config->memories, TRUE);
	g_ptr_array_free(config->disks, TRUE);
	g_ptr_array_free(config->nets, TRUE);
	g_ptr_array_free(config->serials, TRUE);
	g_ptr_array_free(config->ports, TRUE);
	g_free(config);
}

/* Devices are told apart by their names. */
static bool check_names(const struct config_reader *reader, xmlNode *root, GError **error)
{
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const struct machine_config *config = reader->config;

	for (unsigned i = 0; i < config->disks->len; i++) {
		const struct config_disk *disk = g_ptr_array_index(config->disks, i);

		if (!g_hash_table_add(names, g_strdup(disk->target)))
			return config_fail(reader, root, CONFIG_ERROR_INVALID, error,
				_("there are two disks '%s'"), disk->target);
	}
	for (unsigned i = 0; i < config->nets->len; i++) {
		g_autofree char *mac = config_net_name(g_ptr_array_index(config->nets, i));

		if (!g_hash_table_add(names, g_strdup(mac)))
			return config_fail(reader, root, CONFIG_ERROR_INVALID, error,
				_("there are two network cards %s"), mac);
	}
	return true;
}

/* What can be said only of the whole. */
static bool check_whole(const struct config_reader *reader, xmlNode *root, GError **error)
{
	const struct machine_config *config = reader->config;
	unsigned devices = config->disks->len + config->nets->len + config->rngs +
		config->ports->len + config->memories->len + config->balloon;

	if (!config->name)
		return config_fail(reader, root, CONFIG_ERROR_MISSING, error, _("<name> is missing"));
	if (!config->memory)
		return config_fail(reader, root, CONFIG_ERROR_MISSING, error,
			_("<memory> is missing"));
	if (!config->kernel)
		return config_fail(reader, root, CONFIG_ERROR_MISSING, error,
			_("<kernel> is missing in <os>: the engine boots a kernel file directly"));
	if (devices > CONFIG_DEVICES_MAX)
		return config_fail(reader, root, CONFIG_ERROR_UNSUPPORTED, error,
			_("there are %u devices, more than the %d slots of the engine's PCI bus"),
			devices, CONFIG_DEVICES_MAX);
	return config_check_memory(reader, root, error) && check_names(reader, root, error);
}

static bool read_document(struct config_reader *reader, xmlDoc *document, GError **error)
{
	xmlNode *root = xmlDocGetRootElement(document);

	if (!root || root->ns || strcmp((const char *)root->name, "domain") != 0)
		return config_fail(reader, root, CONFIG_ERROR_INVALID, error,
			_("this is not a domain definition: it does not begin with <domain>"));
	if (document->intSubset)
		return config_fail(reader, root, CONFIG_ERROR_UNSUPPORTED, error,
			_("a definition with a document type is not supported"));
	if (!walk(reader, root, NULL, 0, error) || !check_whole(reader, root, error))
		return false;
	if (!reader->memory_current_seen || reader->config->memory_current > reader->config->memory)
		reader->config->memory_current = reader->config->memory;
	return true;
}

/* A device by itself: an element that stands in <devices> otherwise. */
static bool read_lone_device(struct config_reader *reader, xmlDoc *document, GError **error)
{
	xmlNode *root = xmlDocGetRootElement(document);
	const struct machine_config *config = reader->config;

	if (document->intSubset)
		return config_fail(reader, root, CONFIG_ERROR_UNSUPPORTED, error,
			_("a definition with a document type is not supported"));
	if (!root || !walk(reader, root, "domain/devices", 2, error))
		return false;
	return config->disks->len + config->nets->len == 1 ||
		config_fail(reader, root, CONFIG_ERROR_UNSUPPORTED, error,
			_("<%s> cannot be plugged into a running guest"), (const char *)root->name);
}

static bool set_syntax_error(xmlParserCtxt *context, const char *file_name, GError **error)
{
	const xmlError *cause = xmlCtxtGetLastError(context);
	g_autofree char *message = g_strdup(cause && cause->message ? cause->message : "");

	g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SYNTAX, _("%s:%d: this is not XML: %s"),
		file_name, cause ? cause->line : 1, g_strstrip(message));
	return false;
}

static struct machine_config *read_text(const char *text, size_t length, const char *file_name,
	const char *guest, bool (*read)(struct config_reader *reader, xmlDoc *document,
		GError **error), GError **error)
{
	struct config_reader reader = { .file_name = file_name };
	xmlParserCtxt *context = xmlNewParserCtxt();
	xmlDoc *document = NULL;
	bool ok;

	g_assert(context);
	if (length <= FILE_SIZE_MAX)
		document = xmlCtxtReadMemory(context, text, (int)length, NULL, NULL,
			XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
				XML_PARSE_BIG_LINES);
	reader.config = config_new();
	reader.config->name = g_strdup(guest);
	if (length > FILE_SIZE_MAX)
		ok = config_fail(&reader, NULL, CONFIG_ERROR_INVALID, error,
			_("this is too large for a definition"));
	else
		ok = document ? read(&reader, document, error)
			      : set_syntax_error(context, file_name, error);
	xmlFreeDoc(document);
	xmlFreeParserCtxt(context);
	if (ok) {
		reader.config->text = g_strndup(text, length);
		return reader.config;
	}
	config_free(reader.config);
	return NULL;
}

struct machine_config *config_read_memory(const char *text, size_t length, const char *file_name,
	GError **error)
{
	return read_text(text, length, file_name, NULL, read_document, error);
}

struct machine_config *config_read_device(const char *text, size_t length, const char *guest,
	GError **error)
{
	return read_text(text, length, _("device"), guest, read_lone_device, error);
}

struct machine_config *config_read_file(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	gsize length;

	if (!g_file_get_contents(path, &text, &length, error))
		return NULL;
	return config_read_memory(text, length, path, error);
}

char **config_initrd_paths(const struct machine_config *config, char ***items)
{
	const char *initrd = config->initrd ? config->initrd : "";
	/* The path of a single one may hold anything. */
	bool single = !strpbrk(initrd, " ,") || g_file_test(initrd, G_FILE_TEST_EXISTS);
	char **list = single && *initrd ? g_strdupv((char *[]){ (char *)initrd, NULL })
					: g_strsplit(initrd, ",", -1);
	char **paths;

	for (char **item = list; !single && *item; item++)
		g_strstrip(*item);
	paths = g_strdupv(list);
	for (char **path = paths; !single && *path; path++)
		(*path)[strcspn(*path, " ")] = '\0';
	if (items)
		*items = list;
	else
		g_strfreev(list);
	return paths;
}
