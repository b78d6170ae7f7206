// SPDX-License-Identifier: GPL-3.0-or-later
// Every widget on screens that can be looked at and tested: tests/ui_gallery [OPTIONS] [SCREEN].
// Screens: main (default), form, wizard, progress.
#include <glib/gi18n.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ui/app.h"
#include "ui/button.h"
#include "ui/chart.h"
#include "ui/clock.h"
#include "ui/dialog.h"
#include "ui/list.h"
#include "ui/menu.h"
#include "ui/page.h"
#include "ui/progress.h"
#include "ui/prompt.h"
#include "ui/tree.h"
#include "ui/wizard.h"

static struct ui_app *app;

// ---- what is shown

enum {
	ID_FORM = 1,
	ID_WIZARD,
	ID_MESSAGE,
	ID_ERROR,
	ID_ASK,
	ID_INPUT,
	ID_CHOOSE,
	ID_PROGRESS,
	ID_PROMPT,
	ID_TOAST,
	ID_QUIT
};

static const char *const colours[] = { "red", "green", "blue, which is the longest", NULL };
static const char *const names[] = {"web1", "web2", "web3", "db", "mail", "proxy", "dns", "ldap",
	"build", "test", "old-web", "old-db", NULL};

static bool is_name(const char *text, void *data, GError **error)
{
	if (*text && !strchr(text, ' '))
		return true;
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
		"A name has no spaces and is not empty.");
	return false;
}

static struct form *example_form(void)
{
	struct form *f = form_new();
	struct field *name = field_text_new("web1", 20), *off = field_text_new("host7", 20);

	field_set_validator(name, is_name, NULL);
	widget_set_help(WIDGET(name), "The guest's name, as virsh shows it.");
	widget_set_disabled(WIDGET(off), true);
	form_heading(f, "General");
	form_add(f, "&Name", WIDGET(name), "as virsh shows it");
	form_add(f, "&Host", WIDGET(off), "greyed: it runs there");
	form_add(f, "&Memory",
		WIDGET(field_number_new(&NUMBER_BYTES, (gint64)4 << 30, 96 << 20, (gint64)8 << 30)),
		"most 8 GiB");
	form_add(f, "C&PU cap", WIDGET(field_number_new(&NUMBER_PERCENT, 50, 1, 800)), NULL);
	form_add(f, "&Colour", WIDGET(field_choice_new(colours, 1)), NULL);
	form_heading(f, "Details");
	form_add(f, "&vCPUs", WIDGET(field_slider_new(&NUMBER_COUNT, 4, 1, 16, 1, 24)), NULL);
	form_add(f, NULL, WIDGET(field_check_new("&Keep for next start", true)), NULL);
	form_add(f, NULL, WIDGET(field_check_new("Huge pa&ges", false)), "host7 has none reserved");
	form_add(f, "N&otes",
		WIDGET(field_multi_new("Runs the shop.\nAsk Jörg before stopping it: 東京", 36, 4)),
		NULL);
	return f;
}

static bool form_done(struct dialog *d, int id, void *data)
{
	if (id == 1)
		ui_app_toast(app, UI_TOAST_GOOD, "Applied.");
	return true;
}

static void open_form(void)
{
	struct dialog *d = dialog_new("Edit web1", WIDGET(example_form()));

	dialog_button(d, "&Help", 1, 7, false);
	dialog_button(d, "C&ancel", 9, 0, false);
	dialog_button(d, "&OK", 10, 1, true);
	dialog_open(app, d, form_done, NULL, NULL);
}

// ---- wizard

static bool wizard_finish(struct wizard *w, void *data)
{
	ui_app_toast(app, UI_TOAST_GOOD, "The wizard has finished.");
	return true;
}

static const struct wizard_ops wizard_ops = { .finish = wizard_finish };

static void open_wizard(void)
{
	struct wizard *w = wizard_new("New guest", &wizard_ops, NULL);

	wizard_add(w, "Name", WIDGET(example_form()), "What it is called and how large it is.");
	wizard_add(w, "Disks", WIDGET(label_new("Disks come later.", STYLE_TEXT)), NULL);
	wizard_add(w, "Network", WIDGET(label_new("So do networks.", STYLE_TEXT)), NULL);
	wizard_add(w, "Summary", WIDGET(label_new("All set.", STYLE_TEXT)), NULL);
	wizard_open(app, w);
}

// ---- progress

static struct progress *running;
static guint running_source;
static double done;

static gboolean advance(void *data)
{
	done += 0.02;
	if (done >= 1) {
		progress_close(g_steal_pointer(&running));
		ui_app_toast(app, UI_TOAST_GOOD, "Copied.");
		running_source = 0;
		return G_SOURCE_REMOVE;
	}
	progress_set(running, done, NULL);
	return G_SOURCE_CONTINUE;
}

static void cancelled(void *data)
{
	g_clear_handle_id(&running_source, g_source_remove);
	progress_close(g_steal_pointer(&running));
	ui_app_toast(app, UI_TOAST_WARN, "Not copied: cancelled.");
}

static void open_progress(void)
{
	if (running)
		return;
	running = progress_open(app, "Copying", cancelled, NULL);
	done = 0.3;
	progress_set(running, done, "vda of web1 to host9");
	if (!ui_clock_frozen())
		running_source = g_timeout_add(100, advance, NULL);
}

// ---- answers

static void told(const char *text, void *data)
{
	ui_app_toast(app, UI_TOAST_INFO, "You typed: %s", text ? text : "nothing");
}

static void chosen(int index, void *data)
{
	ui_app_toast(app, UI_TOAST_INFO, "You chose: %s", index < 0 ? "nothing" : names[index]);
}

static void answered(bool yes, void *data)
{
	ui_app_toast(
		app, yes ? UI_TOAST_BAD : UI_TOAST_INFO, "The answer is %s.", yes ? "yes" : "no");
}

static void typed(const char *line, void *data)
{
	ui_app_toast(app, UI_TOAST_INFO, "Command: %s", line);
}

static char **complete(const char *line, int start, int end, void *data)
{
	g_autofree char *word = g_strndup(line + start, (size_t)(end - start));
	GStrvBuilder *found = g_strv_builder_new();
	char **result;

	for (const char *const *name = names; *name; name++)
		if (g_str_has_prefix(*name, word))
			g_strv_builder_add(found, *name);
	result = g_strv_builder_end(found);
	g_strv_builder_unref(found);
	return result;
}

static const struct prompt_ops prompt_ops = { .complete = complete, .accept = typed };

static void ask(void)
{
	const struct dialog_question q = {
		.text = "Delete these 12 guests? Their definitions are lost, their storage stays.",
		.names = names,
		.yes = "&Delete",
	};

	dialog_ask(app, &q, answered, NULL, NULL);
}

static void picked(int id, void *data)
{
	switch (id) {
	case ID_FORM: open_form(); break;
	case ID_WIZARD: open_wizard(); break;
	case ID_MESSAGE: dialog_message(app, DIALOG_INFO, "All guests are well.", NULL); break;
	case ID_ERROR:
		dialog_message(app, DIALOG_ERROR,
			"Cannot start guest 'web1': cannot open disk '/srv/web1.img': Permission "
			"denied\n"
			"libvirt: error code 38\nvirsh start web1",
			NULL);
		break;
	case ID_ASK: ask(); break;
	case ID_INPUT:
		dialog_input(app, "Rename web1", "&New name", "web1", is_name, told, NULL, NULL);
		break;
	case ID_CHOOSE: dialog_choose(app, "Move to", names, 3, chosen, NULL, NULL); break;
	case ID_PROGRESS: open_progress(); break;
	case ID_PROMPT: prompt_open(app, ":", NULL, &prompt_ops, NULL); break;
	case ID_TOAST:
		ui_app_toast(app, UI_TOAST_WARN, "The guest did not give the memory back.");
		break;
	case ID_QUIT: ui_app_quit(app, 0); break;
	}
}

static bool never(int id, void *data)
{
	return false;
}

static const struct menu_item file_items[] = {
	{ "&Form", "F4", ID_FORM, NULL },
	{ "&Wizard", NULL, ID_WIZARD, NULL },
	{ "-", NULL, 0, NULL },
	{ "&Nothing", NULL, 0, never },
	{ "&Quit", "F9", ID_QUIT, NULL },
	{ 0 },
};

static const struct menu_item dialog_items[] = {
	{ "&Message", NULL, ID_MESSAGE, NULL }, { "&Error", NULL, ID_ERROR, NULL },
	{ "&Question", NULL, ID_ASK, NULL },	{ "&Input", NULL, ID_INPUT, NULL },
	{ "&Choice", NULL, ID_CHOOSE, NULL },	{ "&Progress", NULL, ID_PROGRESS, NULL },
	{ "P&rompt", ":", ID_PROMPT, NULL },	{ "&Toast", NULL, ID_TOAST, NULL },
	{ 0 },
};

static const struct menu menus[] = { { "&Screens", file_items }, { "&Dialogs", dialog_items } };

// ---- the main screen

static struct tree *example_tree(void)
{
	static const struct tree_node nodes[] = {
		{ "h7", 0, "host7", "lodge  4", STYLE_TEXT, false, false },
		{ "shop", 1, "shop", "3", STYLE_TEXT, false, false },
		{ "db", 2, "db", "1", STYLE_TEXT, false, false },
		{ "h9", 0, "host9", "qemu  2", STYLE_DIM, false, false },
		{ "note", 1, "no answer for 8 s", NULL, STYLE_DIM, false, true },
		{ "lab", 0, "lab", "xen", STYLE_TEXT, true, false },
	};
	struct tree *t = tree_new();

	tree_begin(t);
	for (size_t i = 0; i < G_N_ELEMENTS(nodes); i++)
		tree_add(t, &nodes[i]);
	tree_end(t);
	return t;
}

static struct chart *example_chart(void)
{
	struct chart *ch = chart_new(2);

	for (size_t s = 0; s < 2; s++) {
		struct chart_series *series = chart_series(ch, s);

		series->label = s ? "Mem" : "CPU";
		series->style = s ? STYLE_CHART_2 : STYLE_CHART_1;
		series->count = 300;
		for (int i = 0; i < series->count; i++)
			series->values[i] = 100 + 90 * sin(i / (s ? 40.0 : 9.0));
		chart_set_text(ch, s, s ? "2.1 of 4.0 GiB" : "212 %");
	}
	chart_changed(ch);
	return ch;
}

static char *title(struct ui_screen *s)
{
	return g_strdup("Gallery - every widget of the toolkit");
}

static char *title_right(struct ui_screen *s)
{
	return ui_clock_text(ui_now());
}

static char *status(struct ui_screen *s)
{
	return g_strdup_printf("Focus: %s", s->focus ? s->focus->ops->name : "nowhere");
}

static void keys(struct ui_screen *s, struct keybar *bar)
{
	keybar_set(bar, 4, "Form");
	keybar_set(bar, 9, "Quit");
}

static enum ui_result key(struct ui_screen *s, uint32_t k)
{
	switch (k) {
	case UIK_F(4):
		open_form();
		return UI_HANDLED;
	case ':':
		picked(ID_PROMPT, NULL);
		return UI_HANDLED;
	case '!':
		term_suspend(ui_app_term(app));
		if (system("echo 'Press Enter to come back.'; read answer") != 0)
			ui_app_toast(app, UI_TOAST_BAD, "The shell failed.");
		term_resume(ui_app_term(app));
		return UI_HANDLED;
	case 't': {
		size_t n;
		const struct theme *all = theme_all(&n), *now = ui_app_look(app)->theme;

		term_set_theme(ui_app_term(app), all[(size_t)(now - all + 1) % n].name);
		return UI_HANDLED;
	}
	default:
		return UI_IGNORED;
	}
}

static void tick(struct ui_screen *s)
{
	ui_screen_touch(s);
}

static enum ui_result event(struct ui_screen *s, struct widget *from, enum ui_result what)
{
	if (what == UI_ACTIVATED && g_strcmp0(from->name, "error") == 0)
		picked(ID_ERROR, NULL);
	else if (what == UI_ACTIVATED && g_strcmp0(from->name, "wizard") == 0)
		open_wizard();
	else
		return UI_IGNORED;
	return UI_HANDLED;
}

static const struct ui_screen_ops main_ops = {
	.name = "gallery",
	.title = title,
	.title_right = title_right,
	.status = status,
	.keys = keys,
	.key = key,
	.tick = tick,
	.event = event,
	.help = "This is the gallery. It shows every widget of the toolkit.",
};

static struct ui_screen *main_screen(void)
{
	struct ui_screen *s = g_new0(struct ui_screen, 1);
	struct box *right = column_new(0), *all = column_new(0);
	struct page page;

	box_add(right,
		WIDGET(label_new("Wide text: 東京都 and ümläuts, cut with an ellipsis where it "
				 "does not fit. "
				 "Bytes from outside are cleaned: \x01\xff.",
			STYLE_TEXT)),
		0, 0);
	box_add(right, WIDGET(example_form()), -1, 1);
	box_add(right, WIDGET(example_chart()), 4, 0);
	page = page_new("Hosts", WIDGET(example_tree()), "Widgets", WIDGET(right), true);
	frame_set_note(page.right, "filter: web");
	button_row_add(page.buttons, "&Help", 1, "help");
	button_row_add(page.buttons, "&Error", 0, "error");
	button_row_add(page.buttons, "&Wizard", 0, "wizard");
	button_row_add(page.buttons, "&Quit", 9, "quit");
	box_add(all, WIDGET(menubar_new(menus, G_N_ELEMENTS(menus), picked, NULL)), 1, 0);
	box_add(all, WIDGET(page.box), -1, 1);
	ui_screen_init(s, &main_ops, WIDGET(all));
	widget_grab_focus(WIDGET(page.left));
	return s;
}

int main(int argc, char **argv)
{
	static gboolean ascii, braille, no_mouse;
	static char *theme;
	static gint colors;
	const GOptionEntry entries[] = {
		{ "ascii", 0, 0, G_OPTION_ARG_NONE, &ascii, "Pure ASCII", NULL },
		{ "braille", 0, 0, G_OPTION_ARG_NONE, &braille, "For braille lines", NULL },
		{ "no-mouse", 0, 0, G_OPTION_ARG_NONE, &no_mouse, "No mouse", NULL },
		{ "theme", 0, 0, G_OPTION_ARG_STRING, &theme, "Theme", "NAME" },
		{ "colors", 0, 0, G_OPTION_ARG_INT, &colors, "At most so many colours", "N" },
		{ 0 },
	};
	g_autoptr(GOptionContext) context = g_option_context_new("[SCREEN]");
	g_autoptr(GError) error = NULL;
	struct term_options options;
	struct ui_term *term;
	int code;

	setlocale(LC_ALL, "");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_printerr("%s\n", error->message);
		return 2;
	}
	options = (struct term_options){.theme = theme,
		.colors = colors,
		.braille = braille,
		.no_mouse = no_mouse,
		.chars = ascii ? TERM_CHARS_ASCII : TERM_CHARS_AUTO};
	term = term_open(&options, &error);
	if (!term) {
		g_printerr("%s\n", error->message);
		return 1;
	}
	app = ui_app_new(term);
	ui_app_push(app, main_screen());
	if (argc > 1 && !strcmp(argv[1], "form"))
		open_form();
	else if (argc > 1 && !strcmp(argv[1], "wizard"))
		open_wizard();
	else if (argc > 1 && !strcmp(argv[1], "progress"))
		open_progress();
	code = ui_app_run(app);
	g_clear_handle_id(&running_source, g_source_remove);
	ui_app_free(app);
	if (running)
		progress_close(running);
	return code;
}
