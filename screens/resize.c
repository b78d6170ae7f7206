// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "model/resize.h"
#include "screens/help.h"
#include "screens/resize.h"
#include "screens/resize_grid.h"
#include "screens/resize_notes.h"
#include "screens/resize_run.h"
#include "ui/button.h"
#include "ui/dialog.h"
#include "ui/layout.h"

struct resize_screen {
	struct ui_screen screen;
	struct console *console;
	struct resize_run *run;
	GPtrArray *lines; // struct resize_line *, all of them, in the order of the screen
	struct resize_grid *grid;
	struct resize_notes *notes;
	struct frame *frame;
	struct field *keep;
	struct button *apply;
	bool all; // rare lines too
	bool apply_due; // asked for while things were looked up
	unsigned watch;
	struct later later;
};

static struct resize_target *target_at(const struct resize_screen *s, guint i)
{
	return g_ptr_array_index(s->run->targets, i);
}

static bool is_one(const struct resize_screen *s)
{
	return s->run->targets->len == 1;
}

/* Changes hold now, and at the next start too where that is asked for. */
static unsigned when_of(const struct resize_screen *s, const struct resize_target *target)
{
	if (!target->plan->active)
		return PLAN_NEXT_START;
	return PLAN_NOW | (field_check(s->keep) ? PLAN_NEXT_START : 0);
}

/* ---- lines ---- */

/* The steps of that name of all guests that could be looked up; NULL where one has none. */
static GPtrArray *steps_named(const struct resize_screen *s, const char *name)
{
	GPtrArray *steps = g_ptr_array_new();

	for (guint i = 0; i < s->run->targets->len; i++) {
		const struct resize_target *target = target_at(s, i);
		struct plan_step *step = target->plan ? plan_find(target->plan, name) : NULL;

		if (target->plan && !step) {
			g_ptr_array_unref(steps);
			return NULL;
		}
		if (step)
			g_ptr_array_add(steps, step);
	}
	return steps;
}

static struct resize_line *line_named(const struct resize_screen *s, const char *name)
{
	for (guint i = 0; i < s->lines->len; i++) {
		struct resize_line *line = g_ptr_array_index(s->lines, i);

		if (!strcmp(line->name, name))
			return line;
	}
	return NULL;
}

static gint by_order(gconstpointer a, gconstpointer b)
{
	const struct resize_line *x = *(struct resize_line *const *)a;
	const struct resize_line *y = *(struct resize_line *const *)b;

	return strcmp(x->order, y->order);
}

/* The first guest that was looked up: the values that all have are among its. */
static const struct plan *first_plan(const struct resize_screen *s)
{
	for (guint i = 0; i < s->run->targets->len; i++)
		if (target_at(s, i)->plan)
			return target_at(s, i)->plan;
	return NULL;
}

static void drop_lines(struct resize_screen *s)
{
	ui_screen_focus(&s->screen, WIDGET(s->apply));
	resize_grid_clear(s->grid);
	g_ptr_array_set_size(s->lines, 0);
}

/* Whether the lines are still those of the plans; then they are brought up to date. */
static bool update_lines(struct resize_screen *s, const struct plan *plan)
{
	guint known = 0;

	for (guint i = 0; i < plan->steps->len; i++) {
		const struct plan_step *step = g_ptr_array_index(plan->steps, i);
		g_autoptr(GPtrArray) steps = steps_named(s, step->name);
		struct resize_line *line = line_named(s, step->name);

		if ((steps != NULL) != (line != NULL))
			return false;
		if (!line)
			continue;
		resize_line_update(line, steps);
		known++;
	}
	return known && known == s->lines->len;
}

static void make_lines(struct resize_screen *s, const struct plan *plan)
{
	drop_lines(s);
	for (guint i = 0; i < plan->steps->len; i++) {
		const struct plan_step *step = g_ptr_array_index(plan->steps, i);
		g_autoptr(GPtrArray) steps = steps_named(s, step->name);

		if (steps)
			g_ptr_array_add(s->lines, resize_line_new(steps));
	}
	g_ptr_array_sort(s->lines, by_order);
	for (guint i = 0; i < s->lines->len; i++)
		resize_grid_add(s->grid, g_ptr_array_index(s->lines, i));
	if (s->lines->len)
		widget_grab_focus(WIDGET(s->grid));
}

/* ---- notes ---- */

static void add_note(struct resize_screen *s, const struct resize_target *target,
	enum ui_style style, const char *text, const char *command, bool current)
{
	g_autofree char *named = is_one(s) ? g_strdup(text)
					   : g_strdup_printf("%s: %s", target->guest->name, text);

	resize_notes_add(s->notes, style, named, command, current);
}

static const char *when_words(unsigned when)
{
	switch (when) {
	case PLAN_NOW:
		return _("now");
	case PLAN_NEXT_START:
		return _("at next start");
	default:
		return _("now and at next start");
	}
}

static bool is_current(const struct resize_screen *s, const char *name)
{
	const struct resize_line *line = resize_grid_current(s->grid);

	return line && !strcmp(line->name, name);
}

static bool can_raise(const struct resize_screen *s, const struct resize_target *target,
	const struct plan_step *step)
{
	struct request *request =
		resize_raise_request(s->console->model, target->guest, step);

	request_free(request);
	return request != NULL;
}

static void note_impossible(struct resize_screen *s, const struct resize_target *target,
	const struct plan_step *step)
{
	g_autofree char *words = plan_step_words(step);
	g_autofree char *text = can_raise(s, target, step)
					? g_strdup_printf(_("%s: %s F4 does that."), words, step->why)
					: g_strdup_printf("%s: %s", words, step->why);

	add_note(s, target, STYLE_BAD, text, NULL, is_current(s, step->name));
}

/* What a guest uses and what shall be taken from it. */
static void warn(struct resize_screen *s, const struct resize_target *target,
	const struct plan_step *step)
{
	g_autofree char *used = NULL;
	g_autofree char *text = NULL;

	if (strcmp(step->name, "memory") || !target->plan->active ||
		!(target->guest->memory_used > (double)step->to * 1024))
		return;
	used = format_size_long(target->guest->memory_used);
	text = g_strdup_printf(_("The guest uses %s: it may run out of memory."), used);
	add_note(s, target, STYLE_WARN, text, NULL, false);
}

static void note_step(struct resize_screen *s, const struct resize_target *target,
	const struct plan_step *step)
{
	struct plan timed = *target->plan;
	g_autofree char *words = NULL, *text = NULL, *virsh = NULL, *command = NULL;

	if (step->to == step->from)
		return;
	if (step->state == PLAN_IMPOSSIBLE) {
		note_impossible(s, target, step);
		return;
	}
	timed.when = when_of(s, target);
	words = plan_step_words(step);
	virsh = plan_step_virsh(&timed, step);
	command = g_strconcat("virsh ", virsh, NULL);
	text = g_strdup_printf("%s, %s", words,
		plan_step_one_way(step) ? when_words(PLAN_NOW) : when_words(timed.when));
	add_note(s, target, STYLE_TEXT, text, command, is_current(s, step->name));
	warn(s, target, step);
}

/* The balloon takes its time. */
static void note_under_way(struct resize_screen *s, const struct resize_target *target)
{
	const struct plan_step *step = plan_find(target->plan, target->under_way);
	g_autofree char *goal = plan_value_text(step, target->goal);
	g_autofree char *label = plan_step_label(step);
	g_autofree char *now = NULL, *text = NULL;

	if (!strcmp(step->name, "memory")) {
		now = format_size_long((double)target->guest->memory);
		text = g_strdup_printf(_("%s on its way to %s, now %s…"), label, goal, now);
	} else {
		text = g_strdup_printf(_("%s on its way to %s…"), label, goal);
	}
	add_note(s, target, STYLE_INFO, text, NULL, true);
}

static void note_target(struct resize_screen *s, const struct resize_target *target)
{
	const char *good = ui_app_look(s->console->app)->utf8 ? "✓" : "+";
	const char *bad = ui_app_look(s->console->app)->utf8 ? "✗" : "!";

	if (target->error)
		add_note(s, target, STYLE_BAD, target->error, NULL, false);
	for (guint i = 0; i < target->results->len; i++) {
		const struct resize_result *result = g_ptr_array_index(target->results, i);
		g_autofree char *text =
			g_strdup_printf("%s %s", result->good ? good : bad, result->text);

		add_note(s, target, result->good ? STYLE_GOOD : STYLE_BAD, text, NULL, false);
	}
	if (target->under_way)
		note_under_way(s, target);
	for (guint i = 0; target->plan && !resize_run_busy(s->run) && i < target->plan->steps->len;
		i++)
		note_step(s, target, g_ptr_array_index(target->plan->steps, i));
}

static void note_wrong_texts(struct resize_screen *s)
{
	for (guint i = 0; i < s->lines->len; i++) {
		struct resize_line *line = g_ptr_array_index(s->lines, i);
		const char *wrong = resize_line_changed(line) ? field_error(line->field) : NULL;
		g_autofree char *text = wrong ? g_strdup_printf("%s: %s", line->label, wrong) : NULL;

		if (text)
			resize_notes_add(
				s->notes, STYLE_BAD, text, NULL, is_current(s, line->name));
	}
}

static bool anything_noted(const struct resize_screen *s)
{
	g_autofree char *text = resize_notes_text(s->notes);

	return *text;
}

static void fill_notes(struct resize_screen *s)
{
	resize_notes_clear(s->notes);
	if (!first_plan(s) && !target_at(s, 0)->error)
		resize_notes_add(s->notes, STYLE_DIM, _("Looking up what there is…"), NULL, false);
	note_wrong_texts(s);
	for (guint i = 0; i < s->run->targets->len; i++)
		note_target(s, target_at(s, i));
	if (!anything_noted(s))
		resize_notes_add(s->notes, STYLE_DIM,
			_("Type a number, or + and -. Here stands what it will do; F10 does it."),
			NULL, false);
}

/* ---- what is typed ---- */

/* Brings the plans up to what is typed. */
static void take_wishes(struct resize_screen *s)
{
	for (guint i = 0; i < s->lines->len; i++) {
		struct resize_line *line = g_ptr_array_index(s->lines, i);

		for (guint k = 0; k < s->run->targets->len; k++) {
			struct resize_target *target = target_at(s, k);
			struct plan_step *step =
				target->plan ? plan_find(target->plan, line->name) : NULL;
			g_autoptr(GError) error = NULL;

			if (step && !resize_line_wish(line, target->plan, step, &error))
				field_set_error(line->field, error->message);
		}
	}
}

static void refresh_figures(struct resize_screen *s)
{
	const struct guest *guest = is_one(s) ? target_at(s, 0)->guest : NULL;

	for (guint i = 0; i < s->lines->len; i++)
		resize_line_figures(g_ptr_array_index(s->lines, i), guest);
}

static void refresh(void *data)
{
	struct resize_screen *s = data;

	refresh_figures(s);
	fill_notes(s);
	ui_screen_touch(&s->screen);
}

static void typed(struct resize_screen *s)
{
	/* Former results would stand beside what they are not about. */
	for (guint i = 0; i < s->run->targets->len; i++)
		g_ptr_array_set_size(target_at(s, i)->results, 0);
	take_wishes(s);
	refresh(s);
}

static bool is_changed(const struct resize_screen *s)
{
	for (guint i = 0; i < s->lines->len; i++)
		if (resize_line_changed(g_ptr_array_index(s->lines, i)))
			return true;
	return false;
}

/* ---- the run tells ---- */

static void apply(struct resize_screen *s);

static void looked_up(void *data)
{
	struct resize_screen *s = data;
	const struct plan *plan = first_plan(s);

	if (!plan)
		drop_lines(s);
	else if (!update_lines(s, plan))
		make_lines(s, plan);
	widget_set_disabled(WIDGET(s->keep), plan && !plan->active && is_one(s));
	take_wishes(s);
	refresh(s);
	if (s->apply_due) {
		s->apply_due = false;
		apply(s);
	}
}

static void moved_on(void *data)
{
	refresh(data);
}

static void put_back_answered(bool yes, void *data)
{
	struct resize_screen *s = data;

	if (yes && resize_run_can_put_back(s->run))
		resize_run_put_back(s->run);
}

/* What was wished has become, or not; what is typed from now on stays while it is looked up. */
static void look_again(struct resize_screen *s)
{
	for (guint i = 0; i < s->lines->len; i++)
		field_accept(((struct resize_line *)g_ptr_array_index(s->lines, i))->field);
	resize_run_look_up(s->run);
}

static void failure_answered(bool yes, void *data)
{
	struct resize_screen *s = data;

	put_back_answered(yes, s);
	if (!resize_run_busy(s->run))
		look_again(s);
}

/* What holds and what failed, a line each. */
static char *results_text(const struct resize_screen *s, bool good)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < s->run->targets->len; i++) {
		const struct resize_target *target = target_at(s, i);

		for (guint k = 0; k < target->results->len; k++) {
			const struct resize_result *result = g_ptr_array_index(target->results, k);

			if (result->good != good)
				continue;
			if (text->len)
				g_string_append_c(text, '\n');
			if (!is_one(s))
				g_string_append_printf(text, "%s: ", target->guest->name);
			g_string_append(text, result->text);
		}
	}
	return g_string_free(text, FALSE);
}

static void ask_put_back(struct resize_screen *s)
{
	g_autofree char *holds = results_text(s, true);
	g_autofree char *failed = results_text(s, false);
	g_autofree char *text = g_strdup_printf(
		_("%s\nThis was done before and holds:\n%s\nPut it back?"), failed, holds);
	const struct dialog_question question = {
		.title = _("Resize"), .text = text, .yes = _("&Put back"), .no = _("&Keep")};

	dialog_ask(s->console->app, &question, failure_answered, s, NULL);
}

static void ended(bool failed, void *data)
{
	struct resize_screen *s = data;

	if (failed && resize_run_can_put_back(s->run)) {
		refresh(s);
		ask_put_back(s);
	} else {
		look_again(s);
	}
}

/* ---- what the keys do ---- */

/* The first line that stands in the way; NULL: none. */
static struct resize_line *first_bad(const struct resize_screen *s)
{
	for (guint i = 0; i < s->lines->len; i++) {
		struct resize_line *line = g_ptr_array_index(s->lines, i);

		if (resize_line_changed(line) && field_error(line->field))
			return line;
		for (guint k = 0; k < s->run->targets->len; k++) {
			const struct plan *plan = target_at(s, k)->plan;
			const struct plan_step *step = plan ? plan_find(plan, line->name) : NULL;

			if (step && step->state == PLAN_IMPOSSIBLE)
				return line;
		}
	}
	return NULL;
}

static void apply(struct resize_screen *s)
{
	struct ui_app *app = s->console->app;
	const struct resize_line *bad;
	bool keep = field_check(s->keep);

	if (resize_run_busy(s->run))
		return;
	if (resize_run_looking_up(s->run)) {
		s->apply_due = true;
		return;
	}
	take_wishes(s);
	bad = first_bad(s);
	if (s->console->model->read_only) {
		ui_app_toast(app, UI_TOAST_WARN, _("Nothing is changed with --readonly."));
	} else if (bad) {
		widget_grab_focus(WIDGET(bad->field));
		ui_app_toast(app, UI_TOAST_WARN, _("%s cannot be changed so."), bad->label);
	} else if (!resize_run_apply(s->run, PLAN_NOW | (keep ? PLAN_NEXT_START : 0))) {
		ui_app_toast(app, UI_TOAST_INFO, _("There is nothing to change."));
	}
	refresh(s);
}

/* What the line under the cursor wishes at most, for the next start. */
static void raise_most(struct resize_screen *s)
{
	const struct resize_line *line = resize_grid_current(s->grid);
	bool any = false;

	for (guint i = 0; line && i < s->run->targets->len; i++) {
		const struct resize_target *target = target_at(s, i);
		const struct plan_step *step =
			target->plan ? plan_find(target->plan, line->name) : NULL;
		struct request *request = step ? resize_raise_request(s->console->model,
							 target->guest, step)
					       : NULL;

		any = any || request;
		if (request)
			console_run(s->console, request);
	}
	if (!any)
		ui_app_toast(s->console->app, UI_TOAST_INFO,
			_("Type more than the most there is; this key then raises it for the next "
			  "start."));
}

static void put_back(struct resize_screen *s)
{
	const struct dialog_question question = {.title = _("Resize"),
		.text = _("Put back what was changed last?"),
		.yes = _("&Put back"),
		.no = _("&Keep")};

	if (resize_run_can_put_back(s->run))
		dialog_ask(s->console->app, &question, put_back_answered, s, NULL);
	else
		ui_app_toast(s->console->app, UI_TOAST_INFO, _("There is nothing to put back."));
}

static void toggle_all(struct resize_screen *s)
{
	s->all = !s->all;
	resize_grid_show_rare(s->grid, s->all);
}

static void show_why(struct resize_screen *s)
{
	g_autofree char *text = resize_notes_text(s->notes);

	dialog_text(s->console->app, _("What it does"), text);
}

static void leave(struct resize_screen *s)
{
	if (!resize_run_busy(s->run)) {
		ui_app_ask_close(s->console->app, &s->screen);
		return;
	}
	resize_run_stop(s->run);
	ui_app_toast(s->console->app, UI_TOAST_INFO,
		_("The change under way is finished; those after it are not begun."));
}

/* ---- the screen's ops ---- */

static char *resize_title(struct ui_screen *screen)
{
	const struct resize_screen *s = (struct resize_screen *)screen;
	const struct guest *guest = target_at(s, 0)->guest;

	if (!is_one(s))
		return g_strdup_printf(ngettext("Resize %u guest", "Resize %u guests",
					       s->run->targets->len),
			s->run->targets->len);
	if (!guest->connection)
		return g_strdup_printf(_("Resize %s - gone from its host"), guest->name);
	return g_strdup_printf(_("Resize %s - %s on %s"), guest->name, guest_state_word(guest),
		guest->connection->name);
}

static void resize_keys(struct ui_screen *screen, struct keybar *bar)
{
	struct resize_screen *s = (struct resize_screen *)screen;

	keybar_set(bar, 1, _("Help"));
	keybar_set(bar, 2, _("Why"));
	keybar_set(bar, 3, s->all ? _("Fewer") : _("More"));
	keybar_set(bar, 4, _("Raise"));
	keybar_set(bar, 5, resize_run_can_put_back(s->run) ? _("PutBack") : NULL);
	keybar_set(bar, 8, _("Back"));
	keybar_set(bar, 9, resize_run_busy(s->run) ? _("Stop") : _("Cancel"));
	keybar_set(bar, 10, _("Apply"));
}

static enum ui_result resize_key(struct ui_screen *screen, uint32_t key)
{
	static const struct {
		uint32_t key;
		void (*run)(struct resize_screen *s);
	} keys[] = {{UIK_F(2), show_why}, {UIK_F(3), toggle_all}, {UIK_F(4), raise_most},
		{UIK_F(5), put_back}, {UIK_F(8), leave}, {UIK_F(9), leave}, {UIK_ESC, leave},
		{UIK_F(10), apply}};

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		if (keys[i].key == key) {
			keys[i].run((struct resize_screen *)screen);
			return UI_HANDLED;
		}
	return UI_IGNORED;
}

static enum ui_result resize_event(
	struct ui_screen *screen, struct widget *from, enum ui_result what)
{
	struct resize_screen *s = (struct resize_screen *)screen;

	if (what == UI_ACTIVATED && from == WIDGET(s->apply))
		apply(s);
	else if (what == UI_ACTIVATED && widget_is_button(from))
		leave(s);
	else if (what == UI_CHANGED && !resize_run_busy(s->run))
		typed(s);
	else
		refresh(s);
	return UI_HANDLED;
}

static bool resize_dirty(struct ui_screen *screen)
{
	return is_changed((struct resize_screen *)screen);
}

static void model_changed(struct model *model, const struct model_change *change, void *data)
{
	struct resize_screen *s = data;

	if (change->event != MODEL_MESSAGE && change->event != MODEL_JOB)
		later_ask(&s->later);
}

static void resize_destroy(struct ui_screen *screen)
{
	struct resize_screen *s = (struct resize_screen *)screen;

	model_unwatch(s->console->model, s->watch);
	later_cancel(&s->later);
	resize_run_free(s->run);
	g_ptr_array_unref(s->lines);
	g_free(s);
}

static const struct ui_screen_ops resize_ops = {
	.name = "resize",
	.title = resize_title,
	.keys = resize_keys,
	.key = resize_key,
	.event = resize_event,
	.dirty = resize_dirty,
	.destroy = resize_destroy,
	.help = HELP_RESIZE,
};

static struct widget *make_body(struct resize_screen *s)
{
	struct box *body = column_new(0), *bottom = row_new(2);
	struct button_row *buttons = button_row_new();

	s->grid = resize_grid_new();
	s->notes = resize_notes_new();
	s->keep = field_check_new(_("&Keep for next start"), false);
	button_row_add(buttons, _("Ca&ncel"), 9, "cancel");
	s->apply = button_row_add(buttons, _("&Apply"), 10, "apply");
	s->frame = frame_new(_("Resize"), WIDGET(s->grid));
	box_add(body, WIDGET(s->frame), 0, 0);
	box_add(body, WIDGET(frame_new(_("What it does"), WIDGET(s->notes))), -1, 1);
	box_add(bottom, spacer_new(0, 1), 0, 0);
	box_add(bottom, WIDGET(s->keep), 0, 0);
	box_add(bottom, WIDGET(buttons), -1, 1);
	box_add(bottom, spacer_new(0, 1), 0, 0);
	box_add(body, WIDGET(bottom), 1, 0);
	return WIDGET(body);
}

struct ui_screen *resize_screen_new(struct console *console, const GPtrArray *guests)
{
	struct resize_screen *s = g_new0(struct resize_screen, 1);

	s->console = console;
	s->lines = g_ptr_array_new_with_free_func((GDestroyNotify)resize_line_free);
	s->run = resize_run_new(console, guests);
	s->run->looked_up = looked_up;
	s->run->moved_on = moved_on;
	s->run->ended = ended;
	s->run->data = s;
	s->later = (struct later){.func = refresh, .data = s};
	ui_screen_init(&s->screen, &resize_ops, make_body(s));
	s->screen.focus = WIDGET(s->apply);
	s->watch = model_watch(console->model, model_changed, s);
	fill_notes(s);
	resize_run_look_up(s->run);
	return &s->screen;
}

void resize_open(const struct place *place)
{
	ui_app_push(place->console->app, resize_screen_new(place->console, place->guests));
}
