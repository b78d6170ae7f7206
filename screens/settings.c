// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "screens/guest_actions.h"
#include "screens/guest_columns.h"
#include "screens/guests.h"
#include "screens/help.h"
#include "screens/settings.h"
#include "ui/dialog.h"
#include "ui/page.h"
#include "ui/tree.h"

enum settings_page {
	PAGE_CONNECTIONS,
	PAGE_DISPLAY,
	PAGE_MODEL,
	PAGE_COLUMNS,
	PAGE_KEYS,
	PAGE_CONFIRM,
	PAGES
};

/* Which settings a page holds: those whose name begins so. */
static const struct {
	const char *id, *title, *prefix;
} pages[PAGES] = {
	[PAGE_CONNECTIONS] = {"connections", N_("Connections"), "connections."},
	[PAGE_DISPLAY] = {"display", N_("Display"), "ui."},
	[PAGE_MODEL] = {"model", N_("Refresh and log"), "model."},
	[PAGE_COLUMNS] = {"columns", N_("Columns"), "columns."},
	[PAGE_KEYS] = {"keys", N_("Keys"), NULL},
	[PAGE_CONFIRM] = {"confirm", N_("Confirmations"), NULL},
};

/* One field and the setting it stands for. */
struct row {
	char *name;
	const struct setting *setting; // NULL for keys and confirmations
	struct field *field;
};

struct settings_screen {
	struct ui_screen screen;
	struct console *console;
	struct tree *tree;
	struct stack *stack;
	struct frame *frame;
	struct form *forms[PAGES];
	GPtrArray *rows; // struct row *
};

static void row_free(void *p)
{
	struct row *row = p;

	g_free(row->name);
	g_free(row);
}

/* ---- from settings to fields ---- */

static bool number_is_good(const char *text, void *data, GError **error)
{
	const struct setting *setting = data;
	char *end;
	double value = g_ascii_strtod(text, &end);

	if (end != text && !*end && value >= setting->least && value <= setting->most)
		return true;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE, _("A number from %g to %g, please."),
		setting->least, setting->most);
	return false;
}

static bool key_is_good(const char *text, void *data, GError **error)
{
	if (!*text || ui_key_from_name(text) != UIK_NONE)
		return true;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
		_("No such key: try F6, Ctrl-r, Alt-s or a letter."));
	return false;
}

/* A choice's word for people. */
static const char *choice_word(const char *word)
{
	const struct theme *theme = theme_find(word);

	if (theme)
		return _(theme->title);
	if (!strcmp(word, "yes"))
		return _("yes");
	if (!strcmp(word, "no"))
		return _("no");
	return !strcmp(word, "auto") ? _("automatic") : word;
}

static struct field *choice_field(const struct setting *setting, const char *value)
{
	g_autoptr(GPtrArray) items = g_ptr_array_new();
	int current = 0;

	for (int i = 0; setting->choices[i]; i++) {
		g_ptr_array_add(items, (char *)choice_word(setting->choices[i]));
		if (g_strcmp0(setting->choices[i], value) == 0)
			current = i;
	}
	g_ptr_array_add(items, NULL);
	return field_choice_new((const char *const *)items->pdata, current);
}

static struct field *list_field(struct settings *settings, const char *name)
{
	g_auto(GStrv) words = settings_list(settings, name);
	g_autofree char *text = g_strjoinv("\n", words);

	return field_multi_new(text, 36, 8);
}

static struct field *field_of(struct settings *settings, const struct setting *setting)
{
	const char *value = settings_text(settings, setting->name);
	struct field *field;

	switch (setting->kind) {
	case SETTING_BOOL:
		return field_check_new(_(setting->label), settings_bool(settings, setting->name));
	case SETTING_CHOICE:
		return choice_field(setting, value);
	case SETTING_LIST:
		return list_field(settings, setting->name);
	case SETTING_NUMBER:
		field = field_text_new(value, 10);
		field_set_validator(field, number_is_good, (void *)setting);
		return field;
	case SETTING_TEXT:
		break;
	}
	return field_text_new(value, 30);
}

static void add_row(struct settings_screen *s, enum settings_page page, const char *label,
	const char *name, const struct setting *setting, struct field *field, const char *hint)
{
	struct row *row = g_new0(struct row, 1);

	row->name = g_strdup(name);
	row->setting = setting;
	row->field = field;
	g_ptr_array_add(s->rows, row);
	form_add(s->forms[page], label, WIDGET(field), hint);
}

static bool is_column(const char *name)
{
	for (size_t i = 0; i < n_guest_columns; i++)
		if (!strcmp(guest_columns[i].id, name))
			return true;
	return false;
}

static bool columns_are_good(const char *text, void *data, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		if (!*g_strstrip(*line) || is_column(*line))
			continue;
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("There is no column '%s'."), *line);
		return false;
	}
	return true;
}

static void add_column_names(GString *help)
{
	for (size_t i = 0; i < n_guest_columns; i++)
		g_string_append_printf(help, "%s%s", i ? ", " : "\n\n", guest_columns[i].id);
}

/* What stands beside a field: its unit, and what an empty one means. */
static const char *hint_of(const struct setting *setting)
{
	static const struct {
		const char *name, *hint;
	} hints[] = {
		{"connections.uris", N_("one a line; none: what answers here")},
		{"model.refresh", N_("seconds")},
		{"model.audit", N_("empty: the usual place")},
		{"model.audit-size", N_("bytes")},
		{"columns.guests", N_("one a line; F1 lists them")},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(hints); i++)
		if (!strcmp(setting->name, hints[i].name))
			return _(hints[i].hint);
	return NULL;
}

static void add_table_rows(struct settings_screen *s, enum settings_page page)
{
	g_autoptr(GString) help = g_string_new(NULL);

	for (const struct setting *setting = settings_table; setting->name; setting++) {
		struct field *field;

		if (!g_str_has_prefix(setting->name, pages[page].prefix))
			continue;
		field = field_of(s->console->settings, setting);
		g_string_assign(help, _(setting->help));
		if (!strcmp(setting->name, "columns.guests")) {
			add_column_names(help);
			field_set_validator(field, columns_are_good, NULL);
		}
		widget_set_help(WIDGET(field), help->str);
		add_row(s, page, setting->kind == SETTING_BOOL ? NULL : _(setting->label),
			setting->name, setting, field, hint_of(setting));
	}
}

/* The action's words: those of the menu without '&' and dots, else those of the key bar. */
static char *action_title(const struct action *action)
{
	g_auto(GStrv) parts =
		g_strsplit_set(_(action->label ? action->label : action->bar), "&", -1);

	return g_strjoinv("", parts);
}

static void add_keys(struct settings_screen *s, const struct action *actions, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		g_autofree char *name = NULL, *title = NULL;
		const char *own;
		struct field *field;

		if (!actions[i].id)
			continue;
		name = g_strconcat("keys.", actions[i].id, NULL);
		title = action_title(&actions[i]);
		own = settings_text(s->console->settings, name);
		field = field_text_new(own ? own : actions[i].key ? actions[i].key : "", 10);
		field_set_validator(field, key_is_good, NULL);
		widget_set_help(
			WIDGET(field), _("The key for this action: F1 to F12, a letter, Ctrl-r, "
					 "Alt-s. Empty: the usual key."));
		add_row(s, PAGE_KEYS, title, name, NULL, field, NULL);
	}
}

static void add_all_keys(struct settings_screen *s)
{
	size_t n;
	const struct action *own = guests_own_actions(&n);

	form_heading(s->forms[PAGE_KEYS], _("Everywhere"));
	add_keys(s, own, n);
	form_heading(s->forms[PAGE_KEYS], _("Guests"));
	add_keys(s, guest_actions, n_guest_actions);
	form_heading(s->forms[PAGE_KEYS], _("Hosts"));
	add_keys(s, connection_actions, n_connection_actions);
}

/* "Resize…" is a resize once it is more than a menu's line. */
static char *without_dots(const char *label)
{
	const char *dots = strstr(label, "…");
	char *plain = g_strndup(label, dots ? (gsize)(dots - label) : strlen(label));

	return g_strchomp(plain);
}

static void add_confirmations(struct settings_screen *s)
{
	form_heading(s->forms[PAGE_CONFIRM], _("Ask before"));
	for (const struct verb *verb = verbs; verb->name; verb++) {
		g_autofree char *name = NULL, *label = NULL;
		struct field *field;

		if (!(verb->flags & VERB_CHANGES) || !verb->on_guest)
			continue;
		name = g_strconcat("confirm.", verb->name, NULL);
		label = without_dots(_(verb->label));
		field = field_check_new(label, settings_confirm(s->console->settings, verb->name));
		widget_set_help(WIDGET(field), verb->flags & VERB_CONFIRM
			? _("The question names every guest it is about.")
			: _("This is asked about only when several guests are marked."));
		add_row(s, PAGE_CONFIRM, NULL, name, NULL, field, NULL);
	}
}

/* ---- from fields to settings ---- */

static bool put_list(struct settings *settings, const struct row *row, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(field_text(row->field), "\n", -1);
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	for (char **line = lines; *line; line++)
		if (*g_strstrip(*line))
			g_ptr_array_add(words, *line);
	g_ptr_array_add(words, NULL);
	return settings_set_list(settings, row->name, (const char *const *)words->pdata, error);
}

static bool put_row(struct settings *settings, const struct row *row, GError **error)
{
	const char *text = field_text(row->field);

	if (!field_changed(row->field))
		return true;
	if (!row->setting && g_str_has_prefix(row->name, "keys."))
		return settings_set(settings, row->name, *text ? text : NULL, error);
	if (!row->setting || row->setting->kind == SETTING_BOOL)
		return settings_set(
			settings, row->name, field_check(row->field) ? "true" : "false", error);
	switch (row->setting->kind) {
	case SETTING_LIST:
		return put_list(settings, row, error);
	case SETTING_CHOICE:
		return settings_set(settings, row->name,
			row->setting->choices[field_choice(row->field)], error);
	default:
		return settings_set(settings, row->name, text, error);
	}
}

/* Whether every field is right; else shows the page of the first that is not. */
static bool all_valid(struct settings_screen *s)
{
	for (int page = 0; page < PAGES; page++) {
		struct widget *bad = NULL;

		if (form_valid(s->forms[page], &bad))
			continue;
		stack_show(s->stack, (size_t)page);
		tree_select(s->tree, pages[page].id);
		ui_screen_focus(&s->screen, bad);
		return false;
	}
	return true;
}

static enum ui_result save(struct settings_screen *s)
{
	if (!all_valid(s))
		return UI_HANDLED;
	for (guint i = 0; i < s->rows->len; i++) {
		const struct row *row = g_ptr_array_index(s->rows, i);
		GError *error = NULL;

		if (put_row(s->console->settings, row, &error))
			continue;
		console_error(s->console, error);
		ui_screen_focus(&s->screen, WIDGET(row->field));
		return UI_HANDLED;
	}
	console_apply_settings(s->console);
	if (!console_save_settings(s->console))
		return UI_HANDLED;
	for (int page = 0; page < PAGES; page++)
		form_accept(s->forms[page]);
	ui_app_close(s->console->app, &s->screen);
	return UI_HANDLED;
}

/* ---- the screen's ops ---- */

static char *settings_title(struct ui_screen *screen)
{
	return g_strdup(_("Lodge - settings"));
}

static char *settings_status(struct ui_screen *screen)
{
	return g_strdup(settings_path(((struct settings_screen *)screen)->console->settings));
}

static enum ui_result settings_event(
	struct ui_screen *screen, struct widget *from, enum ui_result what)
{
	struct settings_screen *s = (struct settings_screen *)screen;

	if (from == WIDGET(s->tree)) {
		for (int page = 0; page < PAGES; page++)
			if (g_strcmp0(tree_selected(s->tree), pages[page].id) == 0) {
				stack_show(s->stack, (size_t)page);
				frame_set_title(s->frame, _(pages[page].title));
			}
		if (what == UI_ACTIVATED)
			widget_grab_focus(WIDGET(s->stack));
		return UI_HANDLED;
	}
	if (what != UI_ACTIVATED || !widget_is_button(from))
		return UI_HANDLED;
	if (g_strcmp0(from->name, "save") == 0)
		return save(s);
	if (g_strcmp0(from->name, "help") == 0)
		dialog_text(s->console->app, _("Help"), _(HELP_SETTINGS));
	else
		ui_app_ask_close(s->console->app, screen);
	return UI_HANDLED;
}

static enum ui_result settings_key(struct ui_screen *screen, uint32_t key)
{
	struct settings_screen *s = (struct settings_screen *)screen;

	if (key != UIK_ESC && key != UIK_F(8))
		return UI_IGNORED;
	ui_app_ask_close(s->console->app, screen);
	return UI_HANDLED;
}

static bool settings_dirty(struct ui_screen *screen)
{
	return widget_tree_changed(screen->body);
}

static void settings_keys(struct ui_screen *screen, struct keybar *bar)
{
	keybar_set(bar, 1, _("Help"));
}

static void settings_destroy(struct ui_screen *screen)
{
	struct settings_screen *s = (struct settings_screen *)screen;

	g_ptr_array_unref(s->rows);
	g_free(s);
}

static const struct ui_screen_ops settings_ops = {
	.name = "settings",
	.title = settings_title,
	.status = settings_status,
	.key = settings_key,
	.keys = settings_keys,
	.event = settings_event,
	.dirty = settings_dirty,
	.destroy = settings_destroy,
	.help = HELP_SETTINGS,
};

static void fill_tree(struct settings_screen *s)
{
	tree_begin(s->tree);
	for (int page = 0; page < PAGES; page++)
		tree_add(s->tree,
			&(struct tree_node){.id = pages[page].id, .label = _(pages[page].title)});
	tree_end(s->tree);
}

static void fill_forms(struct settings_screen *s)
{
	for (enum settings_page page = 0; page < PAGES; page++) {
		s->forms[page] = form_new();
		stack_add(s->stack, WIDGET(s->forms[page]));
		if (pages[page].prefix)
			add_table_rows(s, page);
	}
	add_all_keys(s);
	add_confirmations(s);
}

static struct widget *make_body(struct settings_screen *s)
{
	struct page page;

	s->tree = tree_new();
	s->stack = stack_new();
	fill_tree(s);
	fill_forms(s);
	page = page_new(_("Pages"), WIDGET(s->tree), _(pages[0].title), WIDGET(s->stack), true);
	s->frame = page.right;
	button_row_add(page.buttons, _("&Help"), 0, "help");
	button_row_add(page.buttons, _("&Cancel"), 9, "cancel");
	button_row_add(page.buttons, _("&Save"), 10, "save");
	return WIDGET(page.box);
}

struct ui_screen *settings_screen_new(struct console *console)
{
	struct settings_screen *s = g_new0(struct settings_screen, 1);

	s->console = console;
	s->rows = g_ptr_array_new_with_free_func(row_free);
	ui_screen_init(&s->screen, &settings_ops, make_body(s));
	return &s->screen;
}
