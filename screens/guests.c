// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <math.h>

#include "screens/columns.h"
#include "screens/guest.h"
#include "screens/guest_actions.h"
#include "screens/guest_charts.h"
#include "screens/guest_columns.h"
#include "screens/guests.h"
#include "screens/help.h"
#include "screens/host_line.h"
#include "screens/host_tree.h"
#include "screens/jobs.h"
#include "screens/settings.h"
#include "ui/clock.h"
#include "ui/menu.h"
#include "ui/table.h"

struct guests {
	struct ui_screen screen;
	struct console *console;
	struct tree *tree;
	struct table *table;
	struct chart *charts;
	struct frame *table_frame, *chart_frame;
	GPtrArray *list; // struct guest *, held: the rows
	char *columns;   // as the settings say; NULL: the usual ones
	unsigned watch;
	struct later later;
	struct action_set guest_set, tree_set, own_set;
};

/* ---- data ---- */

static struct guest *guest_under_cursor(struct guests *s)
{
	return guest_of_key(table_rows(s->table)->cursor_key);
}

/* Why the table is empty. */
static void refresh_empty(struct guests *s)
{
	struct connection *c = host_tree_connection(s->tree, s->console->model);

	if (rows_shown(table_rows(s->table)))
		return;
	if (!s->console->model->connections->len) {
		table_set_empty(s->table, _("No host is connected. F3 adds a connection."));
	} else if (table_filter(s->table)) {
		table_set_empty(s->table, _("No guest matches the filter. Esc drops it."));
	} else if (c && c->reason) {
		table_set_empty(s->table, c->reason);
	} else {
		table_set_empty(s->table, _("No guest here. F3 adds one from its definition."));
	}
}

static void refresh_rows(struct guests *s)
{
	GPtrArray *former = s->list;

	s->list = host_tree_guests(s->tree, s->console->model);
	table_refresh(s->table);
	/* The former guests lived until now: no key can stand for another guest. */
	g_ptr_array_unref(former);
	refresh_empty(s);
}

static void refresh_charts(struct guests *s)
{
	const struct guest *guest = guest_under_cursor(s);
	g_autofree char *title = NULL;

	guest_charts_fill(s->charts, guest);
	if (guest) {
		unsigned minutes = HISTORY_LENGTH * model_interval(s->console->model) / 60000;

		/* TRANSLATORS: over the charts: the guest's name, and how far back they reach. */
		title = g_strdup_printf(_("%s - %u min"), guest->name, MAX(1, minutes));
	}
	frame_set_title(s->chart_frame, title ? title : _("No guest"));
}

static void refresh_note(struct guests *s)
{
	const char *filter = table_filter(s->table);
	g_autofree char *note = NULL;

	if (filter || table_filtering(s->table))
		note = g_strdup_printf(_("filter: %s"), filter ? filter : "");
	frame_set_note(s->table_frame, note);
}

static void refresh(void *data)
{
	struct guests *s = data;

	host_tree_fill(s->tree, s->console->model);
	refresh_rows(s);
	refresh_charts(s);
	ui_screen_touch(&s->screen);
}

static void model_changed(struct model *model, const struct model_change *change, void *data)
{
	struct guests *s = data;

	if (change->event != MODEL_MESSAGE)
		later_ask(&s->later);
}

/* ---- what an action acts on ---- */

static GPtrArray *chosen_guests(struct guests *s)
{
	GPtrArray *guests = g_ptr_array_new_with_free_func((GDestroyNotify)guest_unref);
	g_autoptr(GArray) keys = rows_chosen(table_rows(s->table));

	for (guint i = 0; i < keys->len; i++)
		g_ptr_array_add(guests, guest_ref(guest_of_key(g_array_index(keys, guint64, i))));
	return guests;
}

/* The selected host, else the one of the guest under the cursor, else the only one. */
static struct connection *chosen_connection(struct guests *s)
{
	struct model *model = s->console->model;
	struct connection *c = host_tree_connection(s->tree, model);
	const struct guest *guest = guest_under_cursor(s);

	if (c)
		return c;
	if (guest && !widget_has_focus(WIDGET(s->tree)))
		return guest->connection;
	return model->connections->len == 1 ? g_ptr_array_index(model->connections, 0) : NULL;
}

static struct place place_now(struct guests *s)
{
	return (struct place){
		.console = s->console,
		.screen = &s->screen,
		.guests = chosen_guests(s),
		.connection = chosen_connection(s),
	};
}

static struct action_set *set_of_focus(struct guests *s)
{
	return widget_has_focus(WIDGET(s->tree)) ? &s->tree_set : &s->guest_set;
}

/* ---- the screen's own actions ---- */

static void open_menu(const struct place *place)
{
	struct guests *s = (struct guests *)place->screen;
	struct action_set *set = set_of_focus(s);

	action_menu(set, set == &s->tree_set ? _("Host") : _("Guest"), place);
}

static void open_more(const struct place *place)
{
	action_menu(&((struct guests *)place->screen)->own_set, _("Lodge"), place);
}

static void sort(const struct place *place)
{
	struct guests *s = (struct guests *)place->screen;

	ui_screen_focus(&s->screen, WIDGET(s->table));
	table_begin_sort(s->table);
}

static void filter(const struct place *place)
{
	struct guests *s = (struct guests *)place->screen;

	ui_screen_focus(&s->screen, WIDGET(s->table));
	table_begin_filter(s->table);
	refresh_note(s);
}

static void save_columns(struct console *console, void *data)
{
	struct guests *s = data;
	g_autofree char *list = table_columns(s->table);
	g_auto(GStrv) words = g_strsplit(list, ",", -1);

	if (settings_set_list(
		    console->settings, "columns.guests", (const char *const *)words, NULL))
		console_save_settings(console);
}

static void choose_columns(const struct place *place)
{
	struct guests *s = (struct guests *)place->screen;

	columns_ask(s->console, s->table, guest_columns, n_guest_columns, save_columns, s);
}

static void open_log(const struct place *place)
{
	ui_app_push(place->console->app, jobs_screen_new(place->console));
}

static void open_settings(const struct place *place)
{
	ui_app_push(place->console->app, settings_screen_new(place->console));
}

static void refresh_now(const struct place *place)
{
	model_refresh(place->console->model);
}

static void open_prompt(const struct place *place)
{
	console_prompt(place->console, g_ptr_array_ref(place->guests));
}

static void quit(const struct place *place)
{
	console_quit(place->console);
}

// clang-format off
static const struct action own_actions[] = {
	{ .id = "menu", .key = "F7", .bar = N_("Actions"), .run = open_menu },
	{ .id = "more", .key = "F12", .bar = N_("More"), .run = open_more },
	{ .id = "filter", .key = "/", .label = N_("&Filter"), .run = filter },
	{ .id = "sort", .key = "s", .label = N_("&Sort"), .run = sort },
	{ .id = "columns", .key = "c", .label = N_("&Columns…"), .run = choose_columns },
	{ .label = "-" },
	{ .id = "add", .key = "F3", .label = N_("&Add a guest from a file…"), .bar = N_("Add"),
		.run = guest_add },
	{ .id = "restore", .label = N_("Restore a &guest from a file…"), .run = guest_restore },
	{ .label = "-" },
	{ .id = "log", .key = "l", .label = N_("Jobs and &log"), .run = open_log },
	{ .id = "settings", .key = "o", .label = N_("S&ettings"), .run = open_settings },
	{ .id = "refresh", .key = "C-r", .label = N_("&Refresh now"), .run = refresh_now },
	{ .id = "prompt", .key = ":", .label = N_("Command &prompt"), .run = open_prompt },
	{ .label = "-" },
	{ .id = "quit", .key = "F9", .label = N_("&Quit"), .bar = N_("Quit"), .run = quit },
};
// clang-format on

const struct action *guests_own_actions(size_t *n)
{
	*n = G_N_ELEMENTS(own_actions);
	return own_actions;
}

/* ---- the screen's ops ---- */

static char *guests_title(struct ui_screen *screen)
{
	struct guests *s = (struct guests *)screen;
	int width, height;

	term_size(ui_app_term(s->console->app), &width, &height);
	return host_line(
		s->console->model, host_tree_connection(s->tree, s->console->model), width);
}

static char *guests_title_right(struct ui_screen *screen)
{
	const struct guests *s = (const struct guests *)screen;
	g_autofree char *time = ui_clock_text(ui_now());

	/* Hours and minutes: a clock with seconds would move each second. */
	time[5] = '\0';
	if (s->console->model->read_only)
		return g_strdup_printf(_("read-only %s"), time);
	return g_steal_pointer(&time);
}

static char *host_status(const struct connection *c)
{
	g_autofree char *status = connection_status(c);

	return g_strdup_printf("%s: %s", c->name, status);
}

/* The newest operation under way, with how far it is; NULL when there is none. */
static char *job_status(const struct model *model)
{
	for (guint i = model->jobs->len; i-- > 0;) {
		const struct job *job = g_ptr_array_index(model->jobs, i);
		double progress = job_progress(job);

		if (job_finished(job) || !(job->verb->flags & VERB_CHANGES))
			continue;
		if (isnan(progress))
			return g_strdup_printf(_("Under way: %s"), job->title);
		return g_strdup_printf(_("Under way: %s, %.0f %%"), job->title, progress * 100);
	}
	return NULL;
}

static char *guests_status(struct ui_screen *screen)
{
	struct guests *s = (struct guests *)screen;
	int marks = rows_marks(table_rows(s->table));
	struct connection *c = host_tree_connection(s->tree, s->console->model);

	if (widget_has_focus(WIDGET(s->tree)) && c)
		return host_status(c);
	if (table_sorting(s->table))
		return g_strdup(_("Sort by which column? Press its highlighted letter."));
	if (table_filtering(s->table))
		return g_strdup(_(
			"Type to filter by name, tag, group or state. Enter keeps, Esc drops it."));
	if (marks)
		return g_strdup_printf(
			ngettext("%d marked: F7 and the keys act on it.",
				"%d marked: F7 and the keys act on all of them.", marks),
			marks);
	return job_status(s->console->model);
}

static void guests_keys(struct ui_screen *screen, struct keybar *bar)
{
	struct guests *s = (struct guests *)screen;
	struct action_set *set = set_of_focus(s);
	const struct guest *guest = guest_under_cursor(s);

	keybar_set(bar, 1, _("Help"));
	action_keys(&s->own_set, bar);
	action_keys(set, bar);
	if (set == &s->guest_set && (!guest || !guest_active(guest)))
		keybar_set(bar, 10, guest ? _("Start") : NULL);
}

static enum ui_result guests_key(struct ui_screen *screen, uint32_t key)
{
	struct guests *s = (struct guests *)screen;
	const struct action *action = action_of_key(set_of_focus(s), key);
	struct place place;

	if (!action)
		action = action_of_key(&s->own_set, key);
	if (!action)
		return UI_IGNORED;
	place = place_now(s);
	action_run(action, &place);
	g_ptr_array_unref(place.guests);
	return UI_HANDLED;
}

static enum ui_result guests_event(
	struct ui_screen *screen, struct widget *from, enum ui_result what)
{
	struct guests *s = (struct guests *)screen;

	if (from == WIDGET(s->tree)) {
		refresh_rows(s);
		if (what == UI_ACTIVATED)
			ui_screen_focus(screen, WIDGET(s->table));
	}
	if (from == WIDGET(s->table) && what == UI_ACTIVATED && guest_under_cursor(s))
		ui_app_push(s->console->app,
			guest_screen_new(s->console, guest_under_cursor(s), GUEST_PAGE_OVERVIEW));
	refresh_empty(s);
	refresh_note(s);
	refresh_charts(s);
	ui_screen_touch(screen);
	return UI_HANDLED;
}

/* What the settings may have changed while another screen was on top. */
static void reload_settings(struct guests *s)
{
	g_auto(GStrv) columns = settings_list(s->console->settings, "columns.guests");
	g_autofree char *wanted = g_strjoinv(";", columns);
	const char *usual = setting_find("columns.guests")->fallback;

	/* Left alone, the table shows more where there is more room. */
	if (g_strcmp0(wanted, usual) == 0)
		g_clear_pointer(&wanted, g_free);
	else
		g_strdelimit(wanted, ";", ',');
	if (g_strcmp0(wanted, s->columns) == 0)
		return;
	table_set_columns(s->table, wanted);
	g_free(s->columns);
	s->columns = g_steal_pointer(&wanted);
}

static void reload_keys(struct guests *s)
{
	action_set_reload(&s->guest_set, s->console);
	action_set_reload(&s->tree_set, s->console);
	action_set_reload(&s->own_set, s->console);
}

static void guests_shown(struct ui_screen *screen)
{
	struct guests *s = (struct guests *)screen;

	reload_settings(s);
	reload_keys(s);
	refresh(s);
}

static void guests_tick(struct ui_screen *screen)
{
	ui_screen_touch(screen);
}

static void guests_destroy(struct ui_screen *screen)
{
	struct guests *s = (struct guests *)screen;

	model_unwatch(s->console->model, s->watch);
	later_cancel(&s->later);
	action_set_release(&s->guest_set);
	action_set_release(&s->tree_set);
	action_set_release(&s->own_set);
	g_ptr_array_unref(s->list);
	g_free(s->columns);
	g_free(s);
}

static const struct ui_screen_ops guests_ops = {
	.name = "guests",
	.title = guests_title,
	.title_right = guests_title_right,
	.status = guests_status,
	.keys = guests_keys,
	.key = guests_key,
	.event = guests_event,
	.tick = guests_tick,
	.shown = guests_shown,
	.destroy = guests_destroy,
	.help = HELP_GUESTS,
};

static void make_table(struct guests *s)
{
	s->table = table_new(guest_columns, n_guest_columns, &guest_source, &s->list);
	table_set_sort(s->table, "name");
	widget_set_help(WIDGET(s->table), _(HELP_GUEST_TABLE));
}

static struct widget *make_body(struct guests *s)
{
	struct box *both = row_new(0);
	struct box *right = column_new(0);

	s->tree = tree_new();
	widget_set_help(WIDGET(s->tree), _(HELP_HOST_TREE));
	make_table(s);
	s->charts = guest_charts_new();
	s->table_frame = frame_new(_("Guests"), WIDGET(s->table));
	s->chart_frame = frame_new("", WIDGET(s->charts));
	box_add(right, WIDGET(s->table_frame), -1, 1);
	box_add(right, WIDGET(s->chart_frame), 0, 0);
	/* 30/70 on a small terminal; on a wide one the table has more use for the room. */
	box_add(both, WIDGET(frame_new(_("Hosts"), WIDGET(s->tree))), 24, 1);
	box_add(both, WIDGET(right), 54, 9);
	return WIDGET(both);
}

struct ui_screen *guests_screen_new(struct console *console)
{
	struct guests *s = g_new0(struct guests, 1);

	s->console = console;
	s->list = g_ptr_array_new_with_free_func((GDestroyNotify)guest_unref);
	s->later = (struct later){.func = refresh, .data = s};
	ui_screen_init(&s->screen, &guests_ops, make_body(s));
	s->screen.focus = WIDGET(s->table);
	action_set_init(&s->guest_set, console, guest_actions, n_guest_actions);
	action_set_init(&s->tree_set, console, connection_actions, n_connection_actions);
	action_set_init(&s->own_set, console, own_actions, G_N_ELEMENTS(own_actions));
	s->watch = model_watch(console->model, model_changed, s);
	return &s->screen;
}
