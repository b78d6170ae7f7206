// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "screens/edit_private.h"
#include "ui/dialog.h"
#include "ui/menu.h"

enum { BUTTON_ESC, BUTTON_ADD };

/* ---- what stands in the form of a new device ---- */

/* The first of vda, vdb… (sda, sdb…) that no disk has. */
static char *free_target(const struct edit *edit, const char *bus)
{
	for (char letter = 'a'; letter <= 'z'; letter++) {
		g_autofree char *xpath = g_strdup_printf(
			"/domain/devices/disk/target[@dev='%s%c']", bus, letter);

		if (!document_find(edit->draft->document, xpath))
			return g_strdup_printf("%s%c", bus, letter);
	}
	return g_strdup("");
}

/* In the range that is QEMU's and KVM's. */
static char *new_address(void)
{
	return g_strdup_printf("52:54:00:%02x:%02x:%02x", g_random_int_range(0, 256),
		g_random_int_range(0, 256), g_random_int_range(0, 256));
}

static char *first_value(const struct edit *edit, const struct edit_ask *ask)
{
	if (strcmp(ask->value, "DISK") == 0)
		return free_target(edit, "vd");
	if (strcmp(ask->value, "DRIVE") == 0)
		return free_target(edit, "sd");
	return strcmp(ask->value, "MAC") == 0 ? new_address() : g_strdup(ask->value);
}

/* Whether the host of the guest has this choice. */
static bool has_choice(const struct edit *edit, const struct edit_ask *ask, const char *choice)
{
	return !ask->key || capability_allows(edit->capability, ask->key, choice);
}

/* Where a value stands in a list; another that the host has, where it has not this one. */
static int place_in(
	const struct edit *edit, const struct edit_ask *ask, char **choices, const char *value)
{
	int first = 0;

	for (int i = 0; choices[i]; i++)
		if (strcmp(choices[i], value) == 0)
			first = i;
	if (has_choice(edit, ask, choices[first]))
		return first;
	for (int i = 0; choices[i]; i++)
		if (has_choice(edit, ask, choices[i]))
			return i;
	return first;
}

static struct field *ask_field(const struct edit *edit, const struct edit_ask *ask)
{
	g_autofree char *value = first_value(edit, ask);
	g_auto(GStrv) choices = ask->choices ? g_strsplit(ask->choices, " ", -1) : NULL;
	struct field *field;

	if (!choices)
		return field_text_new(value, 30);
	field = field_choice_new(
		(const char *const *)choices, place_in(edit, ask, choices, value));
	for (int i = 0; choices[i]; i++)
		if (!has_choice(edit, ask, choices[i]))
			field_choice_off(field, i, _("not on this host"));
	return field;
}

/* ---- adding ---- */

struct adding {
	struct edit *edit;
	const struct edit_addition *addition;
	struct field *fields[EDIT_ASKS];
	struct label *trouble;
};

/* %0 … %3 in a text by what was typed, escaped where it is XML. */
static char *fill_in(const struct adding *adding, const char *text, bool xml)
{
	GString *out = g_string_new(NULL);

	for (; *text; text++) {
		g_autofree char *value = NULL;

		if (*text != '%') {
			g_string_append_c(out, *text);
			continue;
		}
		text++;
		value = xml ? g_markup_escape_text(field_text(adding->fields[*text - '0']), -1) :
			      g_strdup(field_text(adding->fields[*text - '0']));
		g_string_append(out, value);
	}
	return g_string_free(out, FALSE);
}

/* The new device, the last of its kind, is what is shown then. */
static void show_added(struct edit *edit, const char *element)
{
	g_autofree char *xpath = g_strdup_printf("/domain/devices/%s", element);
	g_autoptr(GPtrArray) all = document_find_all(edit->draft->document, xpath);
	g_autofree char *id = g_strdup_printf("devices/%s[%u]", element, all->len);

	edit_renew(edit);
	edit_go(edit, id);
}

static bool make_devices(struct edit *edit, GError **error)
{
	if (document_find(edit->draft->document, "/domain/devices"))
		return true;
	return drafting_insert(edit->draft, "/domain", "<devices/>", error);
}

static bool add(const struct adding *adding, GError **error)
{
	const struct edit_addition *addition = adding->addition;
	struct drafting *draft = adding->edit->draft;
	g_autofree char *made = fill_in(adding, addition->key ? addition->key : addition->fragment,
		!addition->key);

	drafting_settle(draft);
	if (addition->key)
		return drafting_set(draft, made, field_text(adding->fields[1]), error);
	return make_devices(adding->edit, error) &&
		drafting_insert(draft, "/domain/devices", made, error);
}

/* The first field that is needed and empty, or NULL. */
static struct field *empty_field(const struct adding *adding)
{
	for (int i = 0; i < EDIT_ASKS && adding->fields[i]; i++)
		if (adding->addition->asks[i].needed && !*field_text(adding->fields[i]))
			return adding->fields[i];
	return NULL;
}

static bool add_done(struct dialog *dialog, int id, void *data)
{
	struct adding *adding = data;
	g_autoptr(GError) error = NULL;
	struct field *empty = empty_field(adding);

	if (id != BUTTON_ADD)
		return true;
	if (empty) {
		label_set(adding->trouble, _("This is needed."), STYLE_BAD);
		widget_grab_focus(WIDGET(empty));
		return false;
	}
	if (!add(adding, &error)) {
		label_set(adding->trouble, error->message, STYLE_BAD);
		return false;
	}
	if (adding->addition->element)
		show_added(adding->edit, adding->addition->element);
	else
		edit_renew(adding->edit);
	return true;
}

static void ask_values(struct edit *edit, const struct edit_addition *addition)
{
	struct adding *adding = g_new0(struct adding, 1);
	struct box *box = column_new(0);
	struct form *form = form_new();
	struct dialog *dialog;

	adding->edit = edit;
	adding->addition = addition;
	for (int i = 0; i < EDIT_ASKS && addition->asks[i].label; i++) {
		adding->fields[i] = ask_field(edit, &addition->asks[i]);
		form_add(form, _(addition->asks[i].label), WIDGET(adding->fields[i]), NULL);
	}
	adding->trouble = label_new("", STYLE_BAD);
	box_add(box, WIDGET(form), 0, 1);
	box_add(box, WIDGET(adding->trouble), 2, 0);
	dialog = dialog_new(_(addition->label), WIDGET(box));
	dialog_button(dialog, _("&Add"), 10, BUTTON_ADD, true);
	dialog_button(dialog, _("&Cancel"), 9, BUTTON_ESC, false);
	dialog_open(edit->console->app, dialog, add_done, adding, g_free);
}

static void add_at_once(struct edit *edit, const struct edit_addition *addition)
{
	const struct adding adding = { .edit = edit, .addition = addition };
	GError *error = NULL;

	if (add(&adding, &error))
		show_added(edit, addition->element);
	else
		console_error(edit->console, error);
}

static void addition_chosen(int index, void *data)
{
	struct edit *edit = data;
	const struct edit_addition *addition = &edit_additions[MAX(index, 0)];

	if (index < 0)
		return;
	if (addition->asks[0].label)
		ask_values(edit, addition);
	else
		add_at_once(edit, addition);
}

/* The first kind that belongs to the page shown. */
static int likely_addition(const struct edit *edit)
{
	for (size_t i = 0; i < n_edit_additions; i++) {
		const char *element = edit_additions[i].element;
		g_autofree char *word = g_strdup_printf(" %s ", element ? element : "");

		if (edit->shown->page->elements && strstr(edit->shown->page->elements, word))
			return (int)i;
		if (strcmp(edit->shown->page->id, "cpus") == 0 && !element)
			return (int)i;
		if (strcmp(edit->shown->page->id, "devices") == 0 &&
			g_strcmp0(element, "video") == 0)
			return (int)i;
	}
	return 0;
}

void edit_add(struct edit *edit)
{
	g_autofree struct list_item *items = g_new0(struct list_item, n_edit_additions);
	g_autoptr(GPtrArray) reasons = g_ptr_array_new_with_free_func(g_free);
	struct list *list = list_new(LIST_PLAIN);

	for (size_t i = 0; i < n_edit_additions; i++) {
		const char *element = edit_additions[i].element;
		char *why = element ? capability_device_missing(edit->capability, element) : NULL;

		g_ptr_array_add(reasons, why);
		items[i] = (struct list_item){
			.text = _(edit_additions[i].label), .right = why, .off = why != NULL };
	}
	list_set(list, items, n_edit_additions);
	list_set_cursor(list, likely_addition(edit));
	list_popup(edit->console->app, _("Add"), list, -1, -1, addition_chosen, edit, NULL);
}

/* ---- removing ---- */

void edit_remove(struct edit *edit)
{
	GError *error = NULL;
	g_autofree char *label = g_strdup(edit->shown->label);
	const char *page = edit->shown->page->id;

	if (!edit->shown->element) {
		ui_app_toast(edit->console->app, UI_TOAST_INFO,
			_("Choose a device in the list at the left first."));
		return;
	}
	if (!drafting_remove(edit->draft, edit->shown->xpath, &error)) {
		console_error(edit->console, error);
		return;
	}
	edit_renew(edit);
	edit_go(edit, page);
	ui_app_toast(edit->console->app, UI_TOAST_INFO,
		_("%s is removed from the draft; F6 takes that back."), label);
}
