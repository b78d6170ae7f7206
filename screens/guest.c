// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>

#include "screens/guest.h"
#include "screens/guest_actions.h"
#include "screens/guest_charts.h"
#include "screens/guest_columns.h"
#include "screens/guest_facts.h"
#include "screens/guest_parts.h"
#include "screens/help.h"
#include "ui/textview.h"
#include "ui/tree.h"

#define N_PARTS 3

/* A page made of a table of parts and a chart. */
struct part_page {
	const struct guest_part *part;
	struct table *table;
	struct chart *chart;
};

struct guest_screen {
	struct ui_screen screen;
	struct console *console;
	struct guest *guest; // held
	struct tree *tree;
	struct stack *stack;
	struct frame *frame;
	struct facts *facts;
	struct chart *charts;
	struct part_page parts[N_PARTS]; // GUEST_PAGE_VCPUS …
	struct textview *notes, *xml;
	bool xml_asked; // the definition is read once it is looked at, and after each change
	unsigned watch;
	struct later later;
	struct action_set actions, own;
};

static const char *const page_ids[GUEST_PAGES] = {
	"overview", "vcpus", "disks", "nics", "notes", "xml"};
static const char *const page_titles[GUEST_PAGES] = {
	N_("Overview"), N_("vCPUs"), N_("Disks"), N_("Network"), N_("Notes"), N_("XML")};

static enum guest_page page_shown(const struct guest_screen *s)
{
	return (enum guest_page)stack_shown(s->stack);
}

/* ---- XML ---- */

static void xml_came(struct console *console, struct job *job, void *data)
{
	struct guest_screen *s = data;
	const struct job_step *step = g_ptr_array_index(job->steps, 0);

	textview_set_text(s->xml, step->output  ? step->output
				  : step->error ? step->error
						: _("The definition cannot be read."));
}

static void ask_xml(struct guest_screen *s)
{
	struct request *request;

	if (s->xml_asked || s->guest->gone)
		return;
	s->xml_asked = true;
	request = request_new(s->console->model, verb_find("dump"));
	request_add_guest(request, s->guest);
	console_run_then(s->console, request, xml_came, s, NULL);
}

/* ---- data ---- */

static guint part_length(const struct guest *guest, int part)
{
	const GPtrArray *lists[N_PARTS] = {guest->vcpu, guest->disks, guest->nics};

	/* Not every hypervisor tells about single vCPUs, and none about those of a guest that is off. */
	return part == 0 && !lists[0]->len ? guest->vcpus : lists[part]->len;
}

static void fill_tree(struct guest_screen *s)
{
	tree_begin(s->tree);
	for (int page = 0; page < GUEST_PAGES; page++) {
		int part = page - GUEST_PAGE_VCPUS;
		g_autofree char *badge = NULL;

		if (part >= 0 && part < N_PARTS)
			badge = g_strdup_printf("%u", part_length(s->guest, part));
		tree_add(s->tree, &(struct tree_node){.id = page_ids[page],
					  .label = _(page_titles[page]),
					  .badge = badge});
	}
	tree_end(s->tree);
}

static void refresh_part(struct guest_screen *s, struct part_page *page)
{
	struct rows *rows = table_rows(page->table);

	table_refresh(page->table);
	guest_part_chart_fill(page->part, page->chart, s->guest,
		rows->cursor_key ? (int)rows->cursor_key - 1 : -1);
}

static void refresh(void *data)
{
	struct guest_screen *s = data;
	enum guest_page page = page_shown(s);

	fill_tree(s);
	frame_set_title(s->frame, _(page_titles[page]));
	switch (page) {
	case GUEST_PAGE_OVERVIEW:
		guest_facts_fill(s->facts, s->guest);
		guest_charts_fill(s->charts, s->guest);
		break;
	case GUEST_PAGE_VCPUS:
	case GUEST_PAGE_DISKS:
	case GUEST_PAGE_NICS:
		refresh_part(s, &s->parts[page - GUEST_PAGE_VCPUS]);
		break;
	case GUEST_PAGE_NOTES:
		textview_set_text(s->notes, s->guest->notes         ? s->guest->notes
					    : s->guest->description ? s->guest->description
								    : _("There are no notes."));
		break;
	case GUEST_PAGE_XML:
		ask_xml(s);
		break;
	case GUEST_PAGES:
		break;
	}
	ui_screen_touch(&s->screen);
}

static void model_changed(struct model *model, const struct model_change *change, void *data)
{
	struct guest_screen *s = data;

	if (change->guest == s->guest && change->event == MODEL_GUEST_CHANGED)
		s->xml_asked = false;
	if (change->guest == s->guest || change->connection == s->guest->connection)
		later_ask(&s->later);
}

static void show_page(struct guest_screen *s, enum guest_page page)
{
	stack_show(s->stack, page);
	refresh(s);
}

/* ---- actions ---- */

static void open_menu(const struct place *place)
{
	action_menu(&((struct guest_screen *)place->screen)->actions, _("Guest"), place);
}

static void go_back(const struct place *place)
{
	ui_app_close(place->console->app, place->screen);
}

static const struct action own_actions[] = {
	{.id = "menu", .key = "F7", .bar = N_("Actions"), .run = open_menu},
	{.id = "back", .key = "F8", .bar = N_("Back"), .run = go_back},
	{.id = "close", .key = "F9", .bar = N_("Close"), .run = go_back},
};

static struct place place_now(struct guest_screen *s)
{
	GPtrArray *guests = g_ptr_array_new_with_free_func((GDestroyNotify)guest_unref);

	if (!s->guest->gone)
		g_ptr_array_add(guests, guest_ref(s->guest));
	return (struct place){s->console, &s->screen, guests, s->guest->connection};
}

/* What would only open this screen once more is no action here. */
static bool has_sense_here(const struct action *action)
{
	return g_strcmp0(action->id, "open") && g_strcmp0(action->id, "info") &&
	       g_strcmp0(action->id, "xml");
}

static void ask_prompt(struct guest_screen *s)
{
	struct place place = place_now(s);

	console_prompt(s->console, place.guests);
}

static enum ui_result guest_key(struct ui_screen *screen, uint32_t key)
{
	struct guest_screen *s = (struct guest_screen *)screen;
	const struct action *action = action_of_key(&s->own, key);
	struct place place;

	if (!action)
		action = action_of_key(&s->actions, key);
	if (key == ':') {
		ask_prompt(s);
		return UI_HANDLED;
	}
	if (key == UIK_ESC)
		return UI_CLOSE;
	if (action && action->run && g_strcmp0(action->id, "xml") == 0) {
		tree_select(s->tree, page_ids[GUEST_PAGE_XML]);
		show_page(s, GUEST_PAGE_XML);
		return UI_HANDLED;
	}
	if (!action || !has_sense_here(action))
		return UI_IGNORED;
	place = place_now(s);
	action_run(action, &place);
	g_ptr_array_unref(place.guests);
	return UI_HANDLED;
}

/* ---- the screen's ops ---- */

static char *guest_title(struct ui_screen *screen)
{
	struct guest_screen *s = (struct guest_screen *)screen;
	g_autofree char *name = guest_full_name(s->guest);

	if (s->guest->gone)
		return g_strdup_printf(_("%s - gone from its host"), name);
	if (guest_stale(s->guest) >= 1) {
		g_autofree char *age = format_duration(guest_age(s->guest));

		return g_strdup_printf(
			_("%s - %s, as it was %s ago"), name, guest_state_word(s->guest), age);
	}
	return g_strdup_printf("%s - %s", name, guest_state_word(s->guest));
}

static void guest_keys(struct ui_screen *screen, struct keybar *bar)
{
	struct guest_screen *s = (struct guest_screen *)screen;

	keybar_set(bar, 1, _("Help"));
	keybar_set(bar, 4, _("Edit"));
	keybar_set(bar, 5, _("Delete"));
	keybar_set(bar, 6, _("Resize"));
	action_keys(&s->own, bar);
}

/* The page that the tree's cursor names. */
static int page_selected(const struct guest_screen *s)
{
	for (int page = 0; page < GUEST_PAGES; page++)
		if (g_strcmp0(tree_selected(s->tree), page_ids[page]) == 0)
			return page;
	return GUEST_PAGE_OVERVIEW;
}

static enum ui_result guest_event(
	struct ui_screen *screen, struct widget *from, enum ui_result what)
{
	struct guest_screen *s = (struct guest_screen *)screen;

	if (from == WIDGET(s->tree)) {
		show_page(s, (enum guest_page)page_selected(s));
		if (what == UI_ACTIVATED)
			widget_grab_focus(WIDGET(s->stack));
	} else {
		refresh(s);
	}
	return UI_HANDLED;
}

static void guest_shown(struct ui_screen *screen)
{
	refresh(screen);
}

static void guest_destroy(struct ui_screen *screen)
{
	struct guest_screen *s = (struct guest_screen *)screen;

	console_forget(s->console, s);
	model_unwatch(s->console->model, s->watch);
	later_cancel(&s->later);
	action_set_release(&s->actions);
	action_set_release(&s->own);
	guest_unref(s->guest);
	g_free(s);
}

static const struct ui_screen_ops guest_ops = {
	.name = "guest",
	.title = guest_title,
	.keys = guest_keys,
	.key = guest_key,
	.event = guest_event,
	.shown = guest_shown,
	.destroy = guest_destroy,
	.help = HELP_GUEST,
};

/* ---- making ---- */

static struct widget *make_overview(struct guest_screen *s)
{
	struct box *box = column_new(1);

	s->facts = guest_facts_new();
	s->charts = guest_charts_new();
	box_add(box, WIDGET(s->facts), 0, 0);
	box_add(box, WIDGET(s->charts), 4, 1);
	return WIDGET(box);
}

static struct widget *make_part(struct guest_screen *s, int i, const struct guest_part *part)
{
	struct part_page *page = &s->parts[i];
	struct box *box = column_new(1);

	page->part = part;
	page->table = table_new(part->columns, part->n_columns, part->source, &s->guest);
	table_set_marking(page->table, false);
	table_set_empty(page->table, _(part->empty));
	page->chart = guest_part_chart_new(part);
	box_add(box, WIDGET(page->table), -1, 2);
	box_add(box, WIDGET(page->chart), 4, 0);
	return WIDGET(box);
}

static struct widget *make_body(struct guest_screen *s)
{
	s->tree = tree_new();
	s->stack = stack_new();
	s->notes = textview_new(TEXTVIEW_PLAIN);
	s->xml = textview_new(TEXTVIEW_XML);
	stack_add(s->stack, make_overview(s));
	stack_add(s->stack, make_part(s, 0, &guest_part_vcpus));
	stack_add(s->stack, make_part(s, 1, &guest_part_disks));
	stack_add(s->stack, make_part(s, 2, &guest_part_nics));
	stack_add(s->stack, WIDGET(s->notes));
	stack_add(s->stack, WIDGET(s->xml));
	widget_set_help(WIDGET(s->tree), _(HELP_GUEST_TREE));
	widget_set_help(WIDGET(s->xml), _(HELP_XML));
	s->frame = frame_new("", WIDGET(s->stack));
	return WIDGET(split_new(WIDGET(frame_new(_("Pages"), WIDGET(s->tree))), WIDGET(s->frame)));
}

struct ui_screen *guest_screen_new(
	struct console *console, struct guest *guest, enum guest_page page)
{
	struct guest_screen *s = g_new0(struct guest_screen, 1);

	s->console = console;
	s->guest = guest_ref(guest);
	s->later = (struct later){.func = refresh, .data = s};
	ui_screen_init(&s->screen, &guest_ops, make_body(s));
	action_set_init(&s->actions, console, guest_actions, n_guest_actions);
	action_set_init(&s->own, console, own_actions, G_N_ELEMENTS(own_actions));
	fill_tree(s);
	tree_select(s->tree, page_ids[page]);
	stack_show(s->stack, page);
	s->screen.focus = page == GUEST_PAGE_XML ? WIDGET(s->xml) : WIDGET(s->tree);
	s->watch = model_watch(console->model, model_changed, s);
	return &s->screen;
}
