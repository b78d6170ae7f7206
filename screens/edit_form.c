// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

#include "model/key.h"
#include "model/xml.h"
#include "screens/edit_private.h"
#include "ui/number.h"

#define TEXT_WIDTH 28
#define NUMBER_WIDTH 12
#define LINES_HEIGHT 5

/* A row of the form on the screen. */
struct edit_row_shown {
	enum edit_look look;
	char *key;		 // NULL: an attribute
	const struct key *entry; // of the key; NULL: an attribute, or the notes
	char *xpath, *attribute; // of an attribute; attribute NULL: the element's text
	struct field *field;	 // the form's
	char **values;		 // of a choice: "" and what may be chosen; else NULL
};

void edit_row_shown_free(struct edit_row_shown *row)
{
	g_free(row->key);
	g_free(row->xpath);
	g_free(row->attribute);
	g_strfreev(row->values);
	g_free(row);
}

/* ---- values as people read them ---- */

static char *size_words(const char *value)
{
	guint64 bytes;

	if (!parse_size(value, 1024, &bytes, NULL) || bytes > G_MAXINT64)
		return g_strdup(value);
	return number_format(&NUMBER_BYTES, (gint64)bytes);
}

static char *vcpus_part(const char *value, enum edit_look look)
{
	const char *slash = strchr(value, '/');

	if (!slash)
		return g_strdup(value);
	return look == LOOK_VCPUS_NOW ? g_strndup(value, (gsize)(slash - value)) :
					g_strdup(slash + 1);
}

static char *attribute_value(const struct edit *edit, const struct edit_row_shown *row)
{
	xmlNode *element = document_find(edit->draft->document, row->xpath);

	if (!element)
		return NULL;
	return row->attribute ? xml_attribute(element, row->attribute) : xml_text(element);
}

/* What the draft says, as the field shows it; never NULL. */
static char *row_value(const struct edit *edit, const struct edit_row_shown *row)
{
	g_autofree char *value = NULL;

	if (row->look == LOOK_NOTES)
		value = drafting_notes(edit->draft);
	else if (row->entry)
		value = key_get(edit->draft->document, row->key, NULL);
	else
		value = attribute_value(edit, row);
	if (!value)
		return g_strdup("");
	if (row->look == LOOK_VCPUS_NOW || row->look == LOOK_VCPUS_MOST)
		return vcpus_part(value, row->look);
	if (row->entry && row->entry->kind == KEY_SIZE)
		return size_words(value);
	return g_steal_pointer(&value);
}

/* The other half of "vcpus" stays. */
static char *join_vcpus(const struct edit *edit, const struct edit_row_shown *row, const char *text)
{
	g_autofree char *value = key_get(edit->draft->document, row->key, NULL);
	g_autofree char *now = vcpus_part(value ? value : "1", LOOK_VCPUS_NOW);
	g_autofree char *most = vcpus_part(value ? value : "1", LOOK_VCPUS_MOST);

	if (row->look == LOOK_VCPUS_NOW)
		return g_strdup_printf("%s/%s", text, most);
	/* A guest cannot start with more than it may have. */
	return g_strdup_printf("%s/%s", atoi(now) > atoi(text) ? text : now, text);
}

/* Sizes without a unit are MiB, as the fields of sizes have it everywhere. What is none goes to the
 * key as it is, which says what is wrong. */
static char *size_value(const char *text)
{
	gint64 bytes;

	if (!*text || !number_parse(&NUMBER_BYTES, text, &bytes, NULL))
		return g_strdup(text);
	return bytes % 1024 ? g_strdup_printf("%" G_GINT64_FORMAT " b", bytes) :
			      g_strdup_printf("%" G_GINT64_FORMAT "KiB", bytes / 1024);
}

static char *field_value(const struct edit *edit, const struct edit_row_shown *row)
{
	const char *text = field_text(row->field);

	if (row->values)
		return g_strdup(row->values[MAX(field_choice(row->field), 0)]);
	if (row->entry && row->entry->kind == KEY_PRESENCE)
		return g_strdup(field_check(row->field) ? "yes" : "no");
	if (row->look == LOOK_VCPUS_NOW || row->look == LOOK_VCPUS_MOST)
		return join_vcpus(edit, row, text);
	if (row->entry && row->entry->kind == KEY_SIZE)
		return size_value(text);
	return g_strdup(text);
}

static bool apply_row(struct edit *edit, struct edit_row_shown *row, GError **error)
{
	g_autofree char *value = field_value(edit, row);

	if (row->look == LOOK_NOTES)
		return drafting_set_notes(edit->draft, value, error);
	if (row->entry)
		return drafting_set(edit->draft, row->key, value, error);
	return drafting_set_at(edit->draft, row->xpath, row->attribute, value, error);
}

/* ---- fields ---- */

/* What may be chosen, with what is chosen now whatever it is. */
static char **choice_values(const struct edit_row_shown *row, const char *now)
{
	g_auto(GStrv) all = g_strsplit(row->entry->choices, " ", -1);
	GPtrArray *values = g_ptr_array_new();

	g_ptr_array_add(values, g_strdup(""));
	for (char **value = all; *value; value++)
		g_ptr_array_add(values, g_strdup(*value));
	if (*now && !g_strv_contains((const char *const *)all, now))
		g_ptr_array_add(values, g_strdup(now));
	g_ptr_array_add(values, NULL);
	return (char **)g_ptr_array_free(values, FALSE);
}

static int index_of(char **values, const char *value)
{
	for (int i = 0; values[i]; i++)
		if (strcmp(values[i], value) == 0)
			return i;
	return 0;
}

static struct field *choice_field(const struct edit *edit, struct edit_row_shown *row,
	const char *value)
{
	g_autofree const char **items = NULL;
	struct field *field;
	guint n;

	row->values = choice_values(row, value);
	n = g_strv_length(row->values);
	items = g_new0(const char *, n + 1);
	for (guint i = 0; i < n; i++)
		items[i] = *row->values[i] ? row->values[i] : _("not set");
	field = field_choice_new(items, index_of(row->values, value));
	for (guint i = 1; i < n; i++)
		if (strcmp(row->values[i], value) != 0 &&
			!capability_allows(edit->capability, row->key, row->values[i]))
			field_choice_off(field, (int)i, _("not on this host"));
	return field;
}

static struct field *make_field(const struct edit *edit, struct edit_row_shown *row,
	const char *label, const char *value)
{
	enum key_kind kind = row->entry ? row->entry->kind : KEY_TEXT;

	if (row->look == LOOK_LINES || row->look == LOOK_NOTES)
		return field_multi_new(value, TEXT_WIDTH + 6, LINES_HEIGHT);
	switch (kind) {
	case KEY_CHOICE:
		return choice_field(edit, row, value);
	case KEY_PRESENCE:
		return field_check_new(label, strcmp(value, "yes") == 0);
	case KEY_NUMBER:
	case KEY_SIZE:
	case KEY_VCPUS:
		return field_text_new(value, NUMBER_WIDTH);
	default:
		return field_text_new(value, TEXT_WIDTH);
	}
}

/* Why a row cannot be changed here, or NULL. What is set can always be taken away. */
static char *why_not(const struct edit *edit, const struct edit_row_shown *row, const char *value)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *now = NULL;

	if (!row->entry)
		return NULL;
	now = key_get(edit->draft->document, row->key, &error);
	if (error)
		return row->entry->kind == KEY_SOURCE ? g_strdup(_("See the XML page.")) :
							g_strdup(_("none: F3 adds one"));
	return *value && strcmp(value, "no") ? NULL : capability_missing(edit->capability, row->key);
}

static void add_row(struct edit *edit, struct edit_row_shown *row, const char *label,
	const char *hint)
{
	g_autofree char *value = row_value(edit, row);
	g_autofree char *reason = why_not(edit, row, value);
	bool check = row->entry && row->entry->kind == KEY_PRESENCE;

	row->field = make_field(edit, row, label, value);
	widget_set_name(WIDGET(row->field), row->key ? row->key : row->attribute);
	if (row->entry)
		widget_set_help(WIDGET(row->field), _(row->entry->help));
	widget_set_disabled(WIDGET(row->field), reason != NULL);
	form_add(edit->form, check ? NULL : label, WIDGET(row->field), reason ? reason : hint);
	g_ptr_array_add(edit->rows, row);
}

/* ---- rows of keys ---- */

/* TAKES key. */
static struct edit_row_shown *key_row(char *key, enum edit_look look)
{
	struct edit_row_shown *row = g_new0(struct edit_row_shown, 1);
	g_autofree char *member = NULL;

	row->key = key;
	row->look = look;
	row->entry = look == LOOK_NOTES ? NULL : key_find(key, &member, NULL);
	return row;
}

static char *with_member(const char *key, const char *member)
{
	g_auto(GStrv) parts = g_strsplit(key, "*", 2);

	return parts[0] && parts[1] ? g_strdup_printf("%s%s%s", parts[0], member, parts[1]) :
				      g_strdup(key);
}

static void add_each(struct edit *edit, const struct edit_row *row)
{
	g_auto(GStrv) names = key_names(edit->draft->document);
	g_autofree char *start = g_strndup(row->key, strlen(row->key) - 1);
	bool pin = strstr(row->key, "vcpupin") != NULL;

	for (char **name = names; *name; name++) {
		const char *member = *name + strlen(start);
		g_autofree char *label = NULL;

		if (!g_str_has_prefix(*name, start))
			continue;
		/* TRANSLATORS: a vCPU's number, before the host CPUs it may run on. */
		label = pin ? g_strdup_printf(_("vCPU %s on"), member) : g_strdup(member);
		add_row(edit, key_row(g_strdup(*name), LOOK_PLAIN), label, NULL);
	}
}

static void add_key_rows(struct edit *edit, const struct edit_node *node, const struct edit_row *row)
{
	for (; row->key || row->label; row++) {
		if (row->look == LOOK_EACH)
			add_each(edit, row);
		else if (!row->key)
			form_heading(edit->form, _(row->label));
		else
			add_row(edit,
				key_row(node->member ? with_member(row->key, node->member) :
						       g_strdup(row->key),
					row->look),
				_(row->label), row->hint ? _(row->hint) : NULL);
	}
}

/* ---- rows of attributes ---- */

static void add_attribute(struct edit *edit, const char *xpath, const char *label,
	const char *attribute)
{
	struct edit_row_shown *row = g_new0(struct edit_row_shown, 1);

	row->xpath = g_strdup(xpath);
	row->attribute = g_strdup(attribute);
	add_row(edit, row, label, NULL);
}

/* An element's attributes, its text, then its children's: "source path". */
static void add_element(struct edit *edit, xmlNode *element, const char *xpath, const char *name)
{
	unsigned number = 0;

	for (const xmlAttr *a = element->properties; a; a = a->next) {
		g_autofree char *label = g_strdup_printf("%s%s%s", name, *name ? " " : "", a->name);

		/* Names of another namespace have no plain path. */
		if (!a->ns)
			add_attribute(edit, xpath, label, (const char *)a->name);
	}
	if (*name && !xmlFirstElementChild(element) && !element->properties && element->children)
		add_attribute(edit, xpath, name, NULL);
	for (xmlNode *n = xmlFirstElementChild(element); n; n = xmlNextElementSibling(n)) {
		g_autofree char *below = g_strdup_printf("%s/*[%u]", xpath, ++number);
		g_autofree char *label =
			g_strdup_printf("%s%s%s", name, *name ? " " : "", n->name);

		add_element(edit, n, below, label);
	}
}

void edit_form_fill(struct edit *edit, const struct edit_node *node)
{
	const struct edit_row *rows =
		!node->element ? node->page->rows :
		node->keyed    ? edit_device_rows(node->element) :
				 NULL;

	g_ptr_array_set_size(edit->rows, 0);
	form_clear(edit->form);
	if (rows)
		add_key_rows(edit, node, rows);
	else
		add_element(edit, document_find(edit->draft->document, node->xpath), node->xpath, "");
}

/* ---- while it is shown ---- */

static struct edit_row_shown *row_of(const struct edit *edit, const struct widget *w)
{
	for (guint i = 0; i < edit->rows->len; i++) {
		struct edit_row_shown *row = g_ptr_array_index(edit->rows, i);

		if (WIDGET(row->field) == w)
			return row;
	}
	return NULL;
}

bool edit_form_changed(struct edit *edit, struct widget *from)
{
	struct edit_row_shown *row = row_of(edit, from);
	g_autoptr(GError) error = NULL;
	g_autofree char *sentence = NULL;

	if (!row)
		return false;
	if (!apply_row(edit, row, &error)) {
		sentence = error_headline(error);
		field_set_error(row->field, sentence);
	}
	edit_touched(edit);
	return true;
}

static void show_value(const struct edit *edit, struct edit_row_shown *row)
{
	g_autofree char *value = row_value(edit, row);

	if (row->values)
		field_set_choice(row->field, index_of(row->values, value));
	else if (row->entry && row->entry->kind == KEY_PRESENCE)
		field_set_check(row->field, strcmp(value, "yes") == 0);
	else if (strcmp(value, field_text(row->field)) != 0)
		field_set_text(row->field, value);
}

void edit_form_refresh(struct edit *edit)
{
	for (guint i = 0; i < edit->rows->len; i++) {
		struct edit_row_shown *row = g_ptr_array_index(edit->rows, i);

		/* Something wrong stays as it was typed, with what is wrong about it. */
		if (!WIDGET(row->field)->focused && !field_error(row->field))
			show_value(edit, row);
	}
}

const char *edit_form_help(const struct edit *edit)
{
	const struct edit_row_shown *row = row_of(edit, edit->screen.focus);

	return row && row->entry ? _(row->entry->help) : NULL;
}
