// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/key.h"
#include "model/error.h"
#include "model/format.h"
#include "model/xml.h"

#include <glib/gi18n.h>
#include <string.h>

// ---- names --------------------------------------------------------------------------------------

// "disk.vda.cache" against "disk.*.cache"; the member may itself hold dots only in last place.
static bool name_matches(const char *pattern, const char *name, char **member)
{
	const char *star = strchr(pattern, '*');
	gsize before, after, length = strlen(name);

	if (!star)
		return !strcmp(pattern, name);
	before = (gsize)(star - pattern);
	after = strlen(star + 1);
	if (length <= before + after || memcmp(pattern, name, before) ||
		strcmp(star + 1, name + length - after))
		return false;
	if (memchr(name + before, '.', length - before - after) && after)
		return false;
	*member = g_strndup(name + before, length - before - after);
	return true;
}

const struct key *key_find(const char *name, char **member, GError **error)
{
	*member = NULL;
	for (const struct key *key = keys; key->name; key++)
		if (name_matches(key->name, name, member))
			return key;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
		_("There is no key '%s'; lodge-xml(7) lists them."), name);
	return NULL;
}

// ---- paths --------------------------------------------------------------------------------------

// One step of a key's path: an element's name and an optional filter, its "[...]" filled in.
struct step {
	char *name;
	char *filter; // "[...]" or NULL
	bool required;
};

struct path {
	GArray *steps;   // struct step
	char *attribute; // or NULL
};

static void step_clear(struct step *step)
{
	g_free(step->name);
	g_free(step->filter);
}

static void path_clear(struct path *path)
{
	g_array_unref(path->steps);
	g_free(path->attribute);
}

#define PATH_AUTO __attribute__((cleanup(path_clear)))

// A member's name may hold what would end an XPath string; such a device cannot exist.
static bool check_member(const struct key *key, const char *member, GError **error)
{
	bool number = strstr(key->path, "%n") != NULL;

	if (!member)
		return true;
	for (const char *c = member; *c; c++)
		if (number ? !g_ascii_isdigit(*c) : strchr("'\"[]/@&<", *c) || g_ascii_iscntrl(*c)) {
			g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
				number ? _("'%s' in key '%s' is no number.") :
					 _("'%s' in key '%s' cannot be a name."),
				member, key->name);
			return false;
		}
	return !number || strlen(member) < 6 ||
	       (g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("'%s' in key '%s' is too large."), member, key->name),
		       false);
}

static char *fill_in(const char *text, const char *member)
{
	g_auto(GStrv) parts = NULL;
	g_autofree char *number = NULL;

	if (!member)
		return g_strdup(text);
	if (strstr(text, "%n")) {
		number = g_strdup_printf("%u", (unsigned)g_ascii_strtoull(member, NULL, 10) + 1);
		parts = g_strsplit(text, "%n", -1);
		return g_strjoinv(number, parts);
	}
	parts = g_strsplit(text, "%s", -1);
	return g_strjoinv(member, parts);
}

static struct step make_step(const char *text)
{
	struct step step = {.required = *text == '!'};
	const char *filter;

	text += step.required;
	filter = strchr(text, '[');
	step.name = filter ? g_strndup(text, (gsize)(filter - text)) : g_strdup(text);
	step.filter = g_strdup(filter);
	return step;
}

// The '/' or '@' that ends a step, outside its filter.
static const char *step_end(const char *at)
{
	for (int depth = 0; *at; at++) {
		depth += (*at == '[') - (*at == ']');
		if (!depth && (*at == '/' || *at == '@'))
			break;
	}
	return at;
}

static void path_init(struct path *path, const struct key *key, const char *member)
{
	g_autofree char *whole = fill_in(key->path, member);
	const char *at = whole;

	path->attribute = NULL;
	path->steps = g_array_new(FALSE, FALSE, sizeof(struct step));
	g_array_set_clear_func(path->steps, (GDestroyNotify)step_clear);
	for (;;) {
		const char *end = step_end(at);
		g_autofree char *text = g_strndup(at, (gsize)(end - at));
		struct step step = make_step(text);

		g_array_append_val(path->steps, step);
		if (*end == '@')
			path->attribute = g_strdup(end + 1);
		if (*end != '/')
			return;
		at = end + 1;
	}
}

// The XPath of the first COUNT steps.
static char *path_xpath(const struct path *path, guint count)
{
	GString *xpath = g_string_new("/domain");

	for (guint i = 0; i < count; i++) {
		const struct step *step = &g_array_index(path->steps, struct step, i);

		g_string_append_printf(xpath, "/%s%s", step->name, step->filter ? step->filter : "");
	}
	return g_string_free(xpath, FALSE);
}

// Whether an element has the attribute and value of a filter's "@name='x'" part.
static bool has_value(xmlNode *element, const char *test)
{
	const char *equals = strchr(test, '=');
	g_autofree char *name = g_strndup(test + 1, (gsize)(equals - test) - 1);
	g_autofree char *value = xml_attribute(element, name);
	gsize length = value ? strlen(value) : 0;

	return value && !strncmp(equals + 2, value, length) && !strcmp(equals + 2 + length, "']");
}

// The filters that keys use: [@a='x'], [child/@a='x'] and [N], the N-th of its name.
static bool passes(xmlNode *element, const char *filter, guint place)
{
	const char *slash = strstr(filter, "/@");
	g_autofree char *child = NULL;

	if (g_ascii_isdigit(filter[1]))
		return g_ascii_strtoull(filter + 1, NULL, 10) == place;
	if (!slash)
		return has_value(element, filter + 1);
	child = g_strndup(filter + 1, (gsize)(slash - filter) - 1);
	for (xmlNode *node = xml_child(element, child, NULL); node; node = xml_next(node, child, NULL))
		if (has_value(node, slash + 1))
			return true;
	return false;
}

static xmlNode *step_find(xmlNode *parent, const struct step *step)
{
	guint place = 1;

	for (xmlNode *node = xml_child(parent, step->name, NULL); node;
		node = xml_next(node, step->name, NULL), place++)
		if (!step->filter || passes(node, step->filter, place))
			return node;
	return NULL;
}

// The element of the first COUNT steps. By hand: XPath takes milliseconds on large definitions.
static xmlNode *path_find(const struct document *document, const struct path *path, guint count)
{
	xmlNode *node = document_root(document);

	for (guint i = 0; node && i < count; i++)
		node = step_find(node, &g_array_index(path->steps, struct step, i));
	return node;
}

// ---- making what is missing ---------------------------------------------------------------------

// Children of <domain> in the order in which libvirt writes them; others go to the end.
static const char *const domain_order[] = {
	"name", "uuid", "genid", "title", "description", "metadata", "maxMemory", "memory",
	"currentMemory", "blkiotune", "memtune", "memoryBacking", "vcpu", "vcpus", "iothreads",
	"cputune", "numatune", "resource", "sysinfo", "bootloader", "os", "features", "cpu", "clock",
	"on_poweroff", "on_reboot", "on_crash", "pm", "perf", "devices", "seclabel", NULL,
};

static guint domain_place(const char *name)
{
	guint place = 0;

	while (domain_order[place] && strcmp(domain_order[place], name))
		place++;
	return place;
}

// Before which child of <domain> an element of that name belongs; NULL: at the end.
static xmlNode *successor(xmlNode *parent, const char *name)
{
	guint place = domain_place(name);

	if (xmlDocGetRootElement(parent->doc) != parent)
		return NULL;
	for (xmlNode *child = xmlFirstElementChild(parent); child; child = xmlNextElementSibling(child))
		if (domain_place((const char *)child->name) > place)
			return child;
	return NULL;
}

// "<feature name='x'/>" for a step with the filter [@name='x'], "<os/>" for one without.
static char *step_fragment(const struct step *step)
{
	const char *at = step->filter ? strchr(step->filter, '@') : NULL;

	if (!at)
		return g_strdup_printf("<%s/>", step->name);
	return g_strdup_printf("<%s %.*s/>", step->name, (int)strlen(at + 1) - 1, at + 1);
}

static bool missing_device(const struct path *path, guint index, const char *name, GError **error)
{
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND,
		_("The definition has no <%s> that '%s' could mean."),
		g_array_index(path->steps, struct step, index).name, name);
	return false;
}

// Makes the elements of the path that are not there.
static bool path_make(
	struct document *document, const struct path *path, const char *name, GError **error)
{
	for (guint i = 0; i < path->steps->len; i++) {
		const struct step *step = &g_array_index(path->steps, struct step, i);
		g_autofree char *fragment = NULL;
		xmlNode *parent;

		if (path_find(document, path, i + 1))
			continue;
		if (step->required)
			return missing_device(path, i, name, error);
		fragment = step_fragment(step);
		parent = path_find(document, path, i);
		if (!document_insert(document, parent, successor(parent, step->name), fragment, error))
			return false;
	}
	return true;
}

// Whether the devices that the path names are there; what is only not set yet does not matter.
static bool path_check(
	const struct document *document, const struct path *path, const char *name, GError **error)
{
	for (guint i = 0; i < path->steps->len; i++)
		if (g_array_index(path->steps, struct step, i).required &&
			!path_find(document, path, i + 1))
			return missing_device(path, i, name, error);
	return true;
}

// ---- values -------------------------------------------------------------------------------------

struct unit {
	const char *name;
	guint64 bytes;
};

// What libvirt takes in `unit` attributes.
static const struct unit units[] = {
	{"b", 1}, {"bytes", 1}, {"KB", 1000}, {"k", 1024}, {"KiB", 1024}, {"MB", 1000000},
	{"M", 1 << 20}, {"MiB", 1 << 20}, {"GB", 1000000000}, {"G", 1 << 30}, {"GiB", 1 << 30},
	{"TB", 1000000000000}, {"T", 1ull << 40}, {"TiB", 1ull << 40},
};

static guint64 unit_bytes(const char *name)
{
	for (gsize i = 0; name && i < G_N_ELEMENTS(units); i++)
		if (!strcmp(units[i].name, name))
			return units[i].bytes;
	return 1024; // libvirt's default
}

static char *get_size(xmlNode *element)
{
	g_autofree char *text = xml_text(element);
	g_autofree char *unit = xml_attribute(element, "unit");

	return g_strdup_printf("%s%s", g_strstrip(text), unit ? unit : "KiB");
}

char *key_size_text(xmlNode *element)
{
	static const char *const sized[] = {"memory", "currentMemory", "maxMemory", "hard_limit",
		"soft_limit", "swap_hard_limit", "min_guarantee", NULL};
	g_autofree char *text = NULL;
	g_autofree char *unit = xml_attribute(element, "unit");
	guint64 number;

	if (!g_strv_contains(sized, (const char *)element->name) || xmlFirstElementChild(element))
		return NULL;
	text = xml_text(element);
	if (!g_ascii_string_to_unsigned(
		    g_strstrip(text), 10, 0, G_MAXUINT64 / unit_bytes(unit), &number, NULL))
		return NULL;
	return g_strdup_printf("%" G_GUINT64_FORMAT " bytes", number * unit_bytes(unit));
}

// Keeps the unit that is there where the new size fits it.
static bool set_size(
	struct document *document, const struct path *path, const char *value, GError **error)
{
	guint count = path->steps->len;
	xmlNode *element = path_find(document, path, count);
	g_autofree char *unit = xml_attribute(element, "unit");
	g_autofree char *number = NULL;
	guint64 bytes, step = unit_bytes(unit);

	if (!parse_size(value, 1024, &bytes, error))
		return false;
	if (bytes % step == 0) {
		number = g_strdup_printf("%" G_GUINT64_FORMAT, bytes / step);
		return document_set_text(document, element, number, error);
	}
	number = g_strdup_printf("%" G_GUINT64_FORMAT, (bytes + 1023) / 1024);
	return document_set_text(document, element, number, error) &&
	       document_set_attribute(document, path_find(document, path, count), "unit", "KiB", error);
}

static char *get_vcpus(xmlNode *element)
{
	g_autofree char *most = xml_text(element);
	g_autofree char *now = xml_attribute(element, "current");

	g_strstrip(most);
	return now ? g_strdup_printf("%s/%s", now, most) : g_strdup(most);
}

static bool read_count(const char *text, guint64 least, guint64 most, const char *name,
	guint64 *count, GError **error)
{
	g_autofree char *from = g_strdup_printf("%" G_GUINT64_FORMAT, least);
	g_autofree char *to = g_strdup_printf("%" G_GUINT64_FORMAT, most);

	if (g_ascii_string_to_unsigned(text, 10, least, most ? most : G_MAXINT64, count, NULL))
		return true;
	if (most)
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("'%s' for %s is not a whole number from %s to %s."), text, name, from, to);
	else
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("'%s' for %s is not a whole number of at least %s."), text, name, from);
	return false;
}

// "4/8" or "8".
static bool set_vcpus(
	struct document *document, const struct path *path, const char *value, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(value, "/", 2);
	const char *most_text = parts[1] ? parts[1] : parts[0] ? parts[0] : "";
	guint64 now, most;
	xmlNode *element;

	if (!read_count(most_text, 1, 4096, "vcpus", &most, error) ||
		(parts[1] && !read_count(parts[0], 1, most, "vcpus", &now, error)))
		return false;
	element = path_find(document, path, path->steps->len);
	if (!document_set_text(document, element, most_text, error))
		return false;
	element = path_find(document, path, path->steps->len);
	if (parts[1] && now < most)
		return document_set_attribute(document, element, "current", parts[0], error);
	return document_remove_attribute(document, element, "current", error);
}

// Which attribute of <source> a disk or NIC of a type uses.
static const char *source_attribute(const char *type)
{
	static const char *const table[][2] = {
		{"file", "file"}, {"block", "dev"}, {"dir", "dir"}, {"network", "network"},
		{"bridge", "bridge"}, {"direct", "dev"}, {"internal", "name"}, {NULL},
	};

	for (int i = 0; table[i][0]; i++)
		if (!g_strcmp0(type, table[i][0]))
			return table[i][1];
	return NULL;
}

static const char *device_source(xmlNode *device, const char *name, GError **error)
{
	g_autofree char *type = xml_attribute(device, "type");
	const char *attribute = source_attribute(type);
	bool disk = !strcmp((const char *)device->name, "disk");

	if (attribute && !(disk && !g_strcmp0(type, "network")))
		return attribute;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_UNSUPPORTED,
		_("'%s' is of type '%s', whose source has no single value."), name, type ? type : "");
	return NULL;
}

static bool set_source(struct document *document, const struct path *path, const char *name,
	const char *value, GError **error)
{
	xmlNode *device = path_find(document, path, path->steps->len);
	const char *attribute = device_source(device, name, error);

	if (!attribute)
		return false;
	if (!xml_child(device, "source", NULL)) {
		if (!document_insert(document, device, NULL, "<source/>", error))
			return false;
		device = path_find(document, path, path->steps->len);
	}
	return document_set_attribute(
		document, xml_child(device, "source", NULL), attribute, value, error);
}

static bool is_choice(const struct key *key, const char *value)
{
	g_auto(GStrv) choices = g_strsplit(key->choices, " ", -1);

	return g_strv_contains((const char *const *)choices, value);
}

static bool check_choice(
	const struct key *key, const char *name, const char *value, GError **error)
{
	if (is_choice(key, value))
		return true;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE, _("'%s' for %s is not one of: %s."), value,
		name, key->choices);
	return false;
}

static char *get_list(const struct document *document, const struct path *path)
{
	g_autofree char *xpath = path_xpath(path, path->steps->len);
	g_autoptr(GPtrArray) all = document_find_all(document, xpath);
	GString *list = g_string_new(NULL);

	for (guint i = 0; i < all->len; i++) {
		g_autofree char *item = xml_attribute(all->pdata[i], path->attribute);

		g_string_append_printf(list, "%s%s", i ? "," : "", item ? item : "");
	}
	return g_string_free(list, all->len == 0);
}

// Replaces the elements of a list, in place: those there are changed, then added or removed.
static bool set_list(struct document *document, const struct path *path, const struct key *key,
	const char *name, const char *value, GError **error)
{
	g_auto(GStrv) items = g_strsplit(value, ",", -1);
	g_autofree char *xpath = path_xpath(path, path->steps->len);
	guint wanted = *value ? g_strv_length(items) : 0;

	for (guint i = 0; i < wanted; i++) {
		g_autoptr(GPtrArray) all = document_find_all(document, xpath);
		const struct step *last =
			&g_array_index(path->steps, struct step, path->steps->len - 1);
		g_autofree char *fragment =
			g_strdup_printf("<%s %s='%s'/>", last->name, path->attribute, items[i]);

		if (!check_choice(key, name, items[i], error))
			return false;
		if (i < all->len ? !document_set_attribute(
					   document, all->pdata[i], path->attribute, items[i], error) :
				   !document_insert(document, path_find(document, path, path->steps->len - 1),
					   NULL, fragment, error))
			return false;
	}
	for (;;) {
		g_autoptr(GPtrArray) all = document_find_all(document, xpath);

		if (all->len <= wanted)
			return true;
		if (!document_remove(document, all->pdata[all->len - 1], error))
			return false;
	}
}

// ---- getting and setting ------------------------------------------------------------------------

static char *get_value(const struct document *document, const struct key *key,
	const struct path *path, const char *name, GError **error)
{
	xmlNode *element = path_find(document, path, path->steps->len);
	const char *attribute;

	if (key->kind == KEY_PRESENCE)
		return g_strdup(element ? "yes" : "no");
	if (!element)
		return NULL;
	switch (key->kind) {
	case KEY_SIZE:
		return get_size(element);
	case KEY_VCPUS:
		return get_vcpus(element);
	case KEY_LIST:
		return get_list(document, path);
	case KEY_SOURCE:
		attribute = device_source(element, name, error);
		return attribute ? xml_attribute(xml_child(element, "source", NULL), attribute) : NULL;
	default:
		return path->attribute ? xml_attribute(element, path->attribute) : xml_text(element);
	}
}

static bool is_domain(const struct document *document, GError **error)
{
	if (!strcmp((const char *)document_root(document)->name, "domain"))
		return true;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
		_("The document is a <%s>, not the <domain> of a guest."),
		(const char *)document_root(document)->name);
	return false;
}

char *key_get(const struct document *document, const char *name, GError **error)
{
	g_autofree char *member = NULL;
	const struct key *key = key_find(name, &member, error);
	PATH_AUTO struct path path = {g_array_new(FALSE, FALSE, 1), NULL};

	if (!key || !check_member(key, member, error) || !is_domain(document, error))
		return NULL;
	path_clear(&path);
	path_init(&path, key, member);
	return path_check(document, &path, name, error) ?
		       get_value(document, key, &path, name, error) :
		       NULL;
}

// Removes what the key names; an element with nothing left in it stays.
static bool unset(struct document *document, const struct key *key, const struct path *path,
	const char *name, GError **error)
{
	xmlNode *element = path_find(document, path, path->steps->len);

	if (!element)
		return true;
	if (key->kind == KEY_LIST)
		return set_list(document, path, key, name, "", error);
	if (key->kind == KEY_SOURCE) {
		element = xml_child(element, "source", NULL);
		return !element || document_remove(document, element, error);
	}
	if (path->attribute)
		return document_remove_attribute(document, element, path->attribute, error);
	return document_remove(document, element, error);
}

static bool check_value(const struct key *key, const char *name, const char *value, GError **error)
{
	guint64 number;

	if (key->kind == KEY_CHOICE)
		return check_choice(key, name, value, error);
	if (key->kind == KEY_NUMBER)
		return read_count(value, key->least, key->most, name, &number, error);
	return true;
}

static bool set_value(struct document *document, const struct key *key, const struct path *path,
	const char *name, const char *value, GError **error)
{
	xmlNode *element;

	if (!check_value(key, name, value, error) || !path_check(document, path, name, error))
		return false;
	if (key->kind == KEY_LIST)
		return set_list(document, path, key, name, value, error);
	if (!path_make(document, path, name, error))
		return false;
	element = path_find(document, path, path->steps->len);
	switch (key->kind) {
	case KEY_SIZE:
		return set_size(document, path, value, error);
	case KEY_VCPUS:
		return set_vcpus(document, path, value, error);
	case KEY_SOURCE:
		return set_source(document, path, name, value, error);
	default:
		return path->attribute ?
			       document_set_attribute(document, element, path->attribute, value, error) :
			       document_set_text(document, element, value, error);
	}
}

static bool set_presence(struct document *document, const struct path *path, const char *name,
	const char *value, GError **error)
{
	xmlNode *element = path_find(document, path, path->steps->len);

	if (!strcmp(value, "yes"))
		return path_make(document, path, name, error);
	if (!strcmp(value, "no"))
		return !element || document_remove(document, element, error);
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE, _("'%s' for %s is neither yes nor no."), value,
		name);
	return false;
}

bool key_set(struct document *document, const char *name, const char *value, GError **error)
{
	g_autofree char *member = NULL;
	const struct key *key = key_find(name, &member, error);
	unsigned before = document_edits(document);
	PATH_AUTO struct path path = {g_array_new(FALSE, FALSE, 1), NULL};
	bool done;

	if (!key || !check_member(key, member, error) || !is_domain(document, error))
		return false;
	path_clear(&path);
	path_init(&path, key, member);
	if (key->kind == KEY_PRESENCE && *value)
		done = path_check(document, &path, name, error) &&
		       set_presence(document, &path, name, value, error);
	else if (!*value)
		done = path_check(document, &path, name, error) &&
		       unset(document, key, &path, name, error);
	else
		done = set_value(document, key, &path, name, value, error);
	if (!done)
		document_undo_to(document, before);
	return done;
}

bool key_assign(struct document *document, const char *assignment, GError **error)
{
	const char *equals = strchr(assignment, '=');
	g_autofree char *name = NULL;

	if (!equals) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE, _("'%s' is not of the form KEY=VALUE."),
			assignment);
		return false;
	}
	name = g_strndup(assignment, (gsize)(equals - assignment));
	return key_set(document, name, equals + 1, error);
}

// ---- what there is --------------------------------------------------------------------------------

// Where it can be used: a document from elsewhere may call its members anything.
static void add_name(GPtrArray *names, const struct key *key, const char *member)
{
	g_auto(GStrv) parts = g_strsplit(key->name, "*", 2);
	g_autofree char *name = g_strjoinv(member, parts);
	g_autofree char *found = NULL;

	if (key_find(name, &found, NULL) == key && check_member(key, found, NULL))
		g_ptr_array_add(names, g_steal_pointer(&name));
}

// The members of the keys that begin so: targets of disks, numbers of NICs, of vCPUs…
static void add_members(const struct document *document, const struct key *key, GPtrArray *names)
{
	static const char *const lists[][2] = {
		{"disk.", "/domain/devices/disk/target"}, {"nic.", "/domain/devices/interface"},
		{"cpu.feature.", "/domain/cpu/feature"}, {"tune.vcpupin.", "/domain/cputune/vcpupin"},
	};
	static const char *const attributes[] = {"dev", NULL, "name", "vcpu"};

	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		g_autoptr(GPtrArray) all = NULL;

		if (!g_str_has_prefix(key->name, lists[i][0]))
			continue;
		all = document_find_all(document, lists[i][1]);
		for (guint n = 0; n < all->len; n++) {
			g_autofree char *member = attributes[i] ?
							  xml_attribute(all->pdata[n], attributes[i]) :
							  g_strdup_printf("%u", n);

			if (member)
				add_name(names, key, member);
		}
	}
}

char **key_names(const struct document *document)
{
	GPtrArray *names = g_ptr_array_new();

	for (const struct key *key = keys; key->name; key++) {
		if (strchr(key->name, '*'))
			add_members(document, key, names);
		else
			g_ptr_array_add(names, g_strdup(key->name));
	}
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}
