// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>

#include "screens/action.h"
#include "screens/audit_table.h"
#include "screens/help.h"
#include "screens/job_table.h"
#include "screens/jobs.h"
#include "ui/dialog.h"
#include "ui/logview.h"
#include "ui/tree.h"

/* Records of the audit log that are shown. */
#define AUDIT_SHOWN 500

enum page { PAGE_JOBS, PAGE_MESSAGES, PAGE_AUDIT, PAGES };

struct jobs {
	struct ui_screen screen;
	struct console *console;
	struct tree *tree;
	struct stack *stack;
	struct frame *frame;
	struct table *jobs, *audit;
	struct logview *messages;
	GPtrArray *records; // struct audit_record *
	unsigned watch;
	struct later later;
	struct action_set own;
};

static const char *const page_ids[PAGES] = {"jobs", "messages", "audit"};
static const char *const page_titles[PAGES] = {N_("Operations"), N_("Messages"), N_("Audit log")};

static enum page page_shown(const struct jobs *s)
{
	return (enum page)stack_shown(s->stack);
}

/* ---- data ---- */

static void add_message(struct jobs *s, const struct message *message)
{
	static const enum logview_kind kinds[] = {
		[MESSAGE_INFO] = LOGVIEW_INFO,
		[MESSAGE_WARNING] = LOGVIEW_WARNING,
		[MESSAGE_ERROR] = LOGVIEW_ERROR,
	};
	g_autofree char *time = format_time(message->time);

	logview_add(s->messages, time, kinds[message->kind], message->text, message->details);
}

static void read_audit(struct jobs *s)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *records = audit_read(s->console->model->audit, AUDIT_SHOWN, &error);

	if (records) {
		g_ptr_array_unref(s->records);
		s->records = records;
	} else {
		table_set_empty(s->audit, error->message);
	}
	table_refresh(s->audit);
}

static void fill_tree(struct jobs *s)
{
	guint counts[PAGES] = {job_table_count(s->console->model), s->console->model->messages->len,
		s->records->len};

	tree_begin(s->tree);
	for (int page = 0; page < PAGES; page++) {
		g_autofree char *badge = g_strdup_printf("%u", counts[page]);

		tree_add(s->tree, &(struct tree_node){.id = page_ids[page],
					  .label = _(page_titles[page]),
					  .badge = badge});
	}
	tree_end(s->tree);
}

static void refresh(void *data)
{
	struct jobs *s = data;

	frame_set_title(s->frame, _(page_titles[page_shown(s)]));
	table_refresh(s->jobs);
	read_audit(s);
	fill_tree(s);
	ui_screen_touch(&s->screen);
}

static void model_changed(struct model *model, const struct model_change *change, void *data)
{
	struct jobs *s = data;

	if (change->event == MODEL_MESSAGE)
		add_message(s, g_ptr_array_index(model->messages, model->messages->len - 1));
	if (change->event == MODEL_JOB || change->event == MODEL_MESSAGE)
		later_ask(&s->later);
}

/* ---- actions ---- */

static void show_details(const struct place *place)
{
	struct jobs *s = (struct jobs *)place->screen;
	struct job *job = job_table_selected(s->jobs, s->console->model);
	const char *title = _(page_titles[page_shown(s)]);
	g_autofree char *text = NULL;

	switch (page_shown(s)) {
	case PAGE_JOBS:
		title = job ? job->title : NULL;
		text = job ? job_tell(job) : NULL;
		break;
	case PAGE_MESSAGES:
		if (logview_text(s->messages))
			text = g_strdup_printf("%s\n\n%s", logview_text(s->messages),
				logview_details(s->messages) ? logview_details(s->messages) : "");
		break;
	case PAGE_AUDIT:
		text = audit_table_tell(s->audit, s->records);
		break;
	case PAGES:
		break;
	}
	if (text)
		dialog_text(s->console->app, title, text);
}

static void cancel_job(const struct place *place)
{
	struct jobs *s = (struct jobs *)place->screen;
	struct job *job = job_table_selected(s->jobs, s->console->model);

	if (page_shown(s) != PAGE_JOBS || !job || job_finished(job))
		ui_app_toast(s->console->app, UI_TOAST_INFO, _("No running operation is chosen."));
	else if (!job_can_cancel(job))
		ui_app_toast(
			s->console->app, UI_TOAST_WARN, _("This operation cannot be cancelled."));
	else
		job_cancel(job);
}

static void go_back(const struct place *place)
{
	ui_app_close(place->console->app, place->screen);
}

static const struct action own_actions[] = {
	{.id = "details", .key = "F2", .bar = N_("Details"), .run = show_details},
	{.id = "cancel", .key = "F5", .bar = N_("Cancel"), .run = cancel_job},
	{.id = "back", .key = "F8", .bar = N_("Back"), .run = go_back},
	{.id = "close", .key = "F9", .bar = N_("Close"), .run = go_back},
};

static enum ui_result run(struct jobs *s, const struct action *action)
{
	struct place place = {s->console, &s->screen, g_ptr_array_new(), NULL};

	action_run(action, &place);
	g_ptr_array_unref(place.guests);
	return UI_HANDLED;
}

/* ---- the screen's ops ---- */

static char *jobs_title(struct ui_screen *screen)
{
	return g_strdup(_("Lodge - jobs and log"));
}

static char *jobs_status(struct ui_screen *screen)
{
	struct jobs *s = (struct jobs *)screen;
	const struct audit *audit = s->console->model->audit;

	if (page_shown(s) != PAGE_AUDIT)
		return NULL;
	if (audit_pending(audit))
		return g_strdup_printf(
			ngettext("%u line waits until it can be written: %s",
				"%u lines wait until they can be written: %s",
				audit_pending(audit)),
			audit_pending(audit), audit_path(audit));
	return g_strdup(audit_path(audit));
}

static void jobs_keys(struct ui_screen *screen, struct keybar *bar)
{
	keybar_set(bar, 1, _("Help"));
	action_keys(&((struct jobs *)screen)->own, bar);
}

static enum ui_result jobs_key(struct ui_screen *screen, uint32_t key)
{
	struct jobs *s = (struct jobs *)screen;
	const struct action *action = action_of_key(&s->own, key);

	if (key == UIK_ESC)
		return UI_CLOSE;
	return action ? run(s, action) : UI_IGNORED;
}

static enum ui_result jobs_event(struct ui_screen *screen, struct widget *from, enum ui_result what)
{
	struct jobs *s = (struct jobs *)screen;

	if (from == WIDGET(s->tree)) {
		for (int page = 0; page < PAGES; page++)
			if (g_strcmp0(tree_selected(s->tree), page_ids[page]) == 0)
				stack_show(s->stack, (size_t)page);
		refresh(s);
		if (what == UI_ACTIVATED)
			widget_grab_focus(WIDGET(s->stack));
	} else if (what == UI_ACTIVATED) {
		run(s, &own_actions[0]);
	}
	return UI_HANDLED;
}

static void jobs_shown(struct ui_screen *screen)
{
	refresh(screen);
}

/* Running operations tell how long they have taken. */
static void jobs_tick(struct ui_screen *screen)
{
	struct jobs *s = (struct jobs *)screen;

	if (page_shown(s) == PAGE_JOBS)
		table_refresh(s->jobs);
}

static void jobs_destroy(struct ui_screen *screen)
{
	struct jobs *s = (struct jobs *)screen;

	model_unwatch(s->console->model, s->watch);
	later_cancel(&s->later);
	action_set_release(&s->own);
	g_ptr_array_unref(s->records);
	g_free(s);
}

static const struct ui_screen_ops jobs_ops = {
	.name = "jobs",
	.title = jobs_title,
	.status = jobs_status,
	.keys = jobs_keys,
	.key = jobs_key,
	.event = jobs_event,
	.shown = jobs_shown,
	.tick = jobs_tick,
	.destroy = jobs_destroy,
	.help = HELP_JOBS,
};

static struct widget *make_body(struct jobs *s)
{
	s->tree = tree_new();
	s->stack = stack_new();
	s->jobs = job_table_new(s->console->model);
	s->messages = logview_new(_("No message yet."));
	s->audit = audit_table_new(&s->records);
	stack_add(s->stack, WIDGET(s->jobs));
	stack_add(s->stack, WIDGET(s->messages));
	stack_add(s->stack, WIDGET(s->audit));
	s->frame = frame_new("", WIDGET(s->stack));
	return WIDGET(split_new(WIDGET(frame_new(_("Pages"), WIDGET(s->tree))), WIDGET(s->frame)));
}

struct ui_screen *jobs_screen_new(struct console *console)
{
	struct jobs *s = g_new0(struct jobs, 1);
	const GPtrArray *messages = console->model->messages;

	s->console = console;
	s->records = g_ptr_array_new();
	s->later = (struct later){.func = refresh, .data = s};
	ui_screen_init(&s->screen, &jobs_ops, make_body(s));
	action_set_init(&s->own, console, own_actions, G_N_ELEMENTS(own_actions));
	for (guint i = 0; i < messages->len; i++)
		add_message(s, g_ptr_array_index(messages, i));
	s->screen.focus = WIDGET(s->jobs);
	s->watch = model_watch(console->model, model_changed, s);
	return &s->screen;
}
