// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "model/difference.h"
#include "model/xml.h"
#include "screens/edit_private.h"

void edit_node_free(struct edit_node *node)
{
	g_free(node->id);
	g_free(node->label);
	g_free(node->element);
	g_free(node->xpath);
	g_free(node->member);
	g_free(node);
}

/* ---- devices ---- */

static char *child_attribute(xmlNode *node, const char *child, const char *attribute)
{
	xmlNode *found = xml_child(node, child, NULL);

	return found ? xml_attribute(found, attribute) : NULL;
}

/* Which page's devices are of that element. */
static const struct edit_page *page_of(const char *element)
{
	g_autofree char *word = g_strdup_printf(" %s ", element);
	const struct edit_page *rest = NULL;

	for (size_t i = 0; i < n_edit_pages; i++) {
		const struct edit_page *page = &edit_pages[i];

		if (page->kind != EDIT_BRANCH)
			continue;
		if (page->elements && strstr(page->elements, word))
			return page;
		if (!page->elements)
			rest = page;
	}
	return rest;
}

static const struct {
	const char *element, *label;
} device_names[] = { { "serial", N_("Serial line") }, { "parallel", N_("Parallel port") },
	{ "console", N_("Console") }, { "channel", N_("Channel") }, { "graphics", N_("Graphics") },
	{ "video", N_("Video") }, { "memballoon", N_("Balloon") }, { "rng", N_("RNG") },
	{ "watchdog", N_("Watchdog") }, { "tpm", N_("TPM") }, { "hostdev", N_("Host device") },
	{ "controller", N_("Controller") }, { "input", N_("Input") }, { "sound", N_("Sound") },
	{ "memory", N_("Memory device") }, { "filesystem", N_("File system") },
	{ "redirdev", N_("USB redirection") }, { "panic", N_("Panic notifier") },
	{ "vsock", N_("Vsock") }, { "emulator", N_("Emulator") } };

/* "Serial line pty", "Controller usb": what a device is called in the tree. */
static char *common_label(xmlNode *device)
{
	const char *name = (const char *)device->name;
	g_autofree char *type = xml_attribute(device, "type");
	g_autofree char *model = type ? NULL : xml_attribute(device, "model");
	const char *more = type ? type : model;

	for (size_t i = 0; i < G_N_ELEMENTS(device_names); i++)
		if (strcmp(device_names[i].element, name) == 0)
			name = _(device_names[i].label);
	return more ? g_strdup_printf("%s %s", name, more) : g_strdup(name);
}

static char *disk_label(xmlNode *device, const char *target)
{
	g_autofree char *kind = xml_attribute(device, "device");

	if (!kind || strcmp(kind, "disk") == 0)
		return g_strdup(target);
	if (strcmp(kind, "cdrom") == 0)
		/* TRANSLATORS: a CD drive by its target, "sda CD". */
		return g_strdup_printf(_("%s CD"), target);
	return g_strdup_printf("%s %s", target, kind);
}

static struct edit_node *device_node(xmlNode *device, unsigned number)
{
	struct edit_node *node = g_new0(struct edit_node, 1);
	const char *element = (const char *)device->name;

	node->page = page_of(element);
	node->element = g_strdup(element);
	node->id = g_strdup_printf("devices/%s[%u]", element, number);
	node->xpath = g_strdup_printf("/domain/%s", node->id);
	node->keyed = edit_device_rows(element) != NULL;
	if (strcmp(element, "disk") == 0) {
		node->member = child_attribute(device, "target", "dev");
		node->keyed = node->member != NULL;
		node->label = disk_label(device, node->member ? node->member : element);
	} else if (strcmp(element, "interface") == 0) {
		node->member = g_strdup_printf("%u", number - 1);
		node->label = child_attribute(device, "mac", "address");
	} else {
		/* The keys of these name the first one. */
		node->keyed = node->keyed && number == 1;
	}
	if (!node->label)
		node->label = common_label(device);
	return node;
}

static unsigned number_of(xmlNode *device)
{
	unsigned number = 1;

	for (xmlNode *n = xmlPreviousElementSibling(device); n; n = xmlPreviousElementSibling(n))
		number += strcmp((const char *)n->name, (const char *)device->name) == 0;
	return number;
}

static void add_devices(struct edit *edit, const struct edit_page *page)
{
	g_autoptr(GPtrArray) all = document_find_all(edit->draft->document, "/domain/devices/*");

	for (guint i = 0; i < all->len; i++) {
		xmlNode *device = g_ptr_array_index(all, i);

		if (page_of((const char *)device->name) == page)
			g_ptr_array_add(edit->nodes, device_node(device, number_of(device)));
	}
}

void edit_nodes_fill(struct edit *edit)
{
	g_ptr_array_set_size(edit->nodes, 0);
	edit->shown = NULL;
	for (size_t i = 0; i < n_edit_pages; i++) {
		struct edit_node *node = g_new0(struct edit_node, 1);

		node->page = &edit_pages[i];
		node->id = g_strdup(node->page->id);
		node->label = g_strdup(_(node->page->label));
		g_ptr_array_add(edit->nodes, node);
		if (edit->draft && node->page->kind == EDIT_BRANCH)
			add_devices(edit, node->page);
	}
}

const struct edit_node *edit_node_find(const struct edit *edit, const char *id)
{
	for (guint i = 0; i < edit->nodes->len; i++) {
		const struct edit_node *node = g_ptr_array_index(edit->nodes, i);

		if (g_strcmp0(node->id, id) == 0)
			return node;
	}
	return NULL;
}

/* ---- changes ---- */

/* "devices/disk" is the first of several, too. */
static bool is_path_of(const char *name, const struct edit_node *node)
{
	size_t length = strlen(node->id);

	if (strncmp(name, node->id, length) == 0)
		return true;
	if (!g_str_has_suffix(node->id, "[1]") || strncmp(name, node->id, length - 3) != 0)
		return false;
	return !name[length - 3] || name[length - 3] == '/';
}

static bool is_of_device(const char *name, const struct edit_node *node)
{
	static const char *const kinds[][2] = { { "disk", "disk." }, { "interface", "nic." },
		{ "graphics", "graphics." }, { "video", "video." }, { "memballoon", "balloon." },
		{ "rng", "rng." }, { "watchdog", "watchdog." }, { "tpm", "tpm." } };

	if (!node->element)
		return false;
	if (is_path_of(name, node))
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds) && node->keyed; i++) {
		g_autofree char *start = NULL;

		if (strcmp(kinds[i][0], node->element) != 0)
			continue;
		start = g_strdup_printf("%s%s%s", kinds[i][1], node->member ? node->member : "",
			node->member ? "." : "");
		return g_str_has_prefix(name, start);
	}
	return false;
}

/* How much of a change's name a page claims as its own. */
static size_t claim(const struct edit_page *page, const char *name)
{
	g_auto(GStrv) areas = g_strsplit(page->areas ? page->areas : "", " ", -1);
	size_t most = 0;

	for (char **area = areas; *area; area++)
		if (**area && g_str_has_prefix(name, *area))
			most = MAX(most, strlen(*area));
	return most;
}

static struct edit_node *node_of_change(struct edit *edit, const char *name)
{
	struct edit_node *best = NULL;
	size_t most = 0;

	for (guint i = 0; i < edit->nodes->len; i++) {
		struct edit_node *node = g_ptr_array_index(edit->nodes, i);
		size_t claimed = node->element ? 0 : claim(node->page, name);

		if (is_of_device(name, node))
			return node;
		if (claimed > most) {
			best = node;
			most = claimed;
		}
	}
	return best;
}

static struct edit_node *branch_of(struct edit *edit, const char *path)
{
	g_auto(GStrv) parts = g_strsplit_set(path, "/[", 3);
	const struct edit_page *page = page_of(parts[1]);

	for (guint i = 0; i < edit->nodes->len; i++) {
		struct edit_node *node = g_ptr_array_index(edit->nodes, i);

		if (node->page == page && !node->element)
			return node;
	}
	return NULL;
}

static void count_changes(struct edit *edit)
{
	for (guint i = 0; i < edit->nodes->len; i++)
		((struct edit_node *)g_ptr_array_index(edit->nodes, i))->changes = 0;
	for (guint i = 0; edit->changes && i < edit->changes->len; i++) {
		const struct change *change = g_ptr_array_index(edit->changes, i);
		/* What is gone has no node of its own any more. */
		bool gone = !change->to && g_str_has_prefix(change->name, "devices/") &&
			g_str_has_suffix(change->name, "]");
		struct edit_node *node = gone ? branch_of(edit, change->name) :
						node_of_change(edit, change->name);

		if (node)
			node->changes++;
	}
}

static char *badge_of(const struct edit *edit, const struct edit_node *node)
{
	if (node->changes)
		return g_strdup_printf("*%u", node->changes);
	if (node->page->kind == EDIT_REVISIONS && edit->revision_list && edit->revision_list->len)
		return g_strdup_printf("%u", edit->revision_list->len);
	return NULL;
}

void edit_tree_fill(struct edit *edit)
{
	count_changes(edit);
	tree_begin(edit->tree);
	for (guint i = 0; i < edit->nodes->len; i++) {
		const struct edit_node *node = g_ptr_array_index(edit->nodes, i);
		g_autofree char *badge = badge_of(edit, node);

		tree_add(edit->tree, &(struct tree_node){ .id = node->id,
					     .depth = node->element ? 1 : 0,
					     .label = node->label, .badge = badge,
					     .closed = !node->element &&
						     strcmp(node->page->id, "devices") == 0 });
	}
	tree_end(edit->tree);
}

char *edit_change_words(const struct change *change)
{
	bool whole = g_str_has_prefix(change->name, "devices/") && g_str_has_suffix(change->name, "]");

	if (whole && !change->from)
		/* TRANSLATORS: a device, as in "disk vdb is added". */
		return g_strdup_printf(_("%s is added"), change->to);
	if (whole && !change->to)
		return g_strdup_printf(_("%s is removed"), change->from);
	return change_words(change);
}

/* ---- the page of a branch ---- */

static char *device_line(const struct edit *edit, const struct edit_node *node)
{
	static const char *const parts[][2] = { { "source", "file" }, { "source", "dev" },
		{ "source", "network" }, { "source", "bridge" }, { "source", "path" },
		{ "target", "name" }, { "model", "type" }, { "backend", "model" } };
	xmlNode *device = document_find(edit->draft->document, node->xpath);
	g_autofree char *more = NULL;

	for (size_t i = 0; !more && i < G_N_ELEMENTS(parts); i++)
		more = child_attribute(device, parts[i][0], parts[i][1]);
	return g_strdup_printf("%-20s %s\n", node->label, more ? more : "");
}

char *edit_branch_text(const struct edit *edit, const struct edit_node *branch)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < edit->nodes->len; i++) {
		const struct edit_node *node = g_ptr_array_index(edit->nodes, i);

		if (node->element && node->page == branch->page) {
			g_autofree char *line = device_line(edit, node);

			g_string_append(text, line);
		}
	}
	if (!text->len)
		g_string_append_printf(text, "%s\n", _("There are none."));
	g_string_append_printf(text, "\n%s", _("F3 adds one."));
	return g_string_free(text, FALSE);
}
