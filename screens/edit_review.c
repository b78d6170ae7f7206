// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "model/difference.h"
#include "model/live.h"
#include "screens/edit_private.h"
#include "ui/dialog.h"
#include "ui/page.h"
#include "ui/reader.h"

/* How far Apply is. */
enum progress { REVIEWING, APPLYING, APPLIED };

struct review {
	struct ui_screen screen;
	struct edit *edit;
	struct reader *words;
	struct field *now;    // NULL: nothing could take effect now
	struct field *reason;
	struct button *apply;
	GPtrArray *steps;     // struct live_step *; empty where the guest is off
	char *problems;	      // by libvirt's schema; NULL none
	enum progress progress;
	guint step;	      // under way
	GString *results;
	bool failed;
};

/* ---- words ---- */

static void add_heading(GString *text, const char *heading)
{
	g_string_append_printf(text, "%s%s\n", text->len ? "\n" : "", heading);
}

/* The changes that a live step covers, or those that none does. */
static void add_changes(const struct review *r, GString *text, bool live, const char *heading)
{
	bool first = true;

	for (guint i = 0; i < r->edit->changes->len; i++) {
		const struct change *change = g_ptr_array_index(r->edit->changes, i);
		bool now = r->now && field_check(r->now) && live_covers(r->steps, change->name);
		g_autofree char *words = NULL;

		if (now != live)
			continue;
		if (first)
			add_heading(text, heading);
		first = false;
		words = edit_change_words(change);
		g_string_append_printf(text, "  %s\n", words);
	}
}

static void add_problems(const struct review *r, GString *text)
{
	g_auto(GStrv) lines = g_strsplit(r->problems, "\n", -1);

	add_heading(text, _("The definition breaks libvirt's schema; it cannot be saved so:"));
	for (char **line = lines; *line; line++)
		g_string_append_printf(text, "  %s\n", *line);
}

static void show_words(struct review *r)
{
	g_autoptr(GString) text = g_string_new(NULL);

	if (r->problems)
		add_problems(r, text);
	add_changes(r, text, true, _("Takes effect now and at next start:"));
	add_changes(r, text, false, _("Takes effect at next start:"));
	if (!text->len)
		g_string_append(text, _("Only white space or comments differ."));
	reader_set(r->words, text->str);
}

/* ---- applying ---- */

static void finish(struct review *r)
{
	struct edit *edit = r->edit;

	ui_app_close_one(edit->console->app, &r->screen);
	edit_finish(edit);
}

/* Runs a request; false when it could not begin, which was told. */
static bool run(struct review *r, struct request *request,
	void (*done)(struct console *console, struct job *job, void *data))
{
	struct console *console = r->edit->console;
	guint before = g_hash_table_size(console->waiting);

	console_run_then(console, request, done, r, NULL);
	return g_hash_table_size(console->waiting) > before;
}

static void show_results(struct review *r)
{
	reader_set(r->words, r->results->str);
	button_set_label(r->apply, r->progress == APPLIED ? _("&Close") : _("&Apply"));
	ui_screen_touch(&r->screen);
}

/* Why a request could not even begin was told by a dialog. */
static void fail_step(struct review *r, const struct live_step *step, const char *why)
{
	g_autofree char *before = g_strdup(r->results->str);

	r->failed = true;
	g_string_printf(r->results, "%s\n%s",
		_("What was done holds; the rest takes effect at next start."), before);
	g_string_append_printf(r->results, _("Failed: %s"), step->words);
	g_string_append_c(r->results, '\n');
	if (why)
		g_string_append_printf(r->results, "  %s\n", why);
	for (guint i = r->step + 1; i < r->steps->len; i++) {
		const struct live_step *rest = g_ptr_array_index(r->steps, i);

		g_string_append_printf(r->results, _("Not tried: %s"), rest->words);
		g_string_append_c(r->results, '\n');
	}
}

static void next_step(struct review *r);

static void step_done(struct console *console, struct job *job, void *data)
{
	struct review *r = data;
	const struct live_step *step = g_ptr_array_index(r->steps, r->step);
	const struct job_step *result = g_ptr_array_index(job->steps, 0);

	if (job->state != JOB_DONE) {
		fail_step(r, step, result->error);
		r->progress = APPLIED;
		show_results(r);
		return;
	}
	g_string_append_printf(r->results, _("Done now: %s"), step->words);
	g_string_append_c(r->results, '\n');
	if (result->output && *result->output)
		g_string_append_printf(r->results, "  %s\n", result->output);
	r->step++;
	next_step(r);
}

static void next_step(struct review *r)
{
	const struct live_step *step;

	if (r->step == r->steps->len) {
		r->progress = APPLIED;
		show_results(r);
		return;
	}
	step = g_ptr_array_index(r->steps, r->step);
	show_results(r);
	if (!run(r, live_request(step, r->edit->console->model, r->edit->guest), step_done)) {
		fail_step(r, step, NULL);
		r->progress = APPLIED;
		show_results(r);
	}
}

static void tell_saved(struct review *r)
{
	struct edit *edit = r->edit;
	guint n = edit->changes->len;

	if (guest_active(edit->guest))
		ui_app_toast(edit->console->app, UI_TOAST_GOOD,
			ngettext("%s is saved: %u change takes effect at next start.",
				"%s is saved: %u changes take effect at next start.", n),
			edit->guest->name, n);
	else
		ui_app_toast(edit->console->app, UI_TOAST_GOOD,
			ngettext("%s is saved with %u change.", "%s is saved with %u changes.", n),
			edit->guest->name, n);
}

static void save_failed(struct review *r, struct job *job)
{
	struct edit *edit = r->edit;
	const struct job_step *step = g_ptr_array_index(job->steps, 0);

	r->progress = REVIEWING;
	if (edit_conflicted(job)) {
		ui_app_close_one(edit->console->app, &r->screen);
		edit_merge(edit);
	} else {
		dialog_message(edit->console->app, DIALOG_ERROR, step->error, step->details);
	}
}

static void saved(struct console *console, struct job *job, void *data)
{
	struct review *r = data;
	const struct job_step *step = g_ptr_array_index(job->steps, 0);
	GError *error = NULL;

	if (job->state != JOB_DONE) {
		save_failed(r, job);
		return;
	}
	/* From here on there is nothing to go on with. */
	if (!drafting_drop(r->edit->draft, &error))
		console_error(console, error);
	if (r->now && field_check(r->now)) {
		g_string_append_printf(r->results, "%s\n", _("Saved for the next start."));
		if (step->output)
			g_string_append_printf(r->results, "  %s\n", step->output);
		next_step(r);
		return;
	}
	tell_saved(r);
	if (step->output)
		dialog_message(console->app, DIALOG_WARNING, step->output, NULL);
	finish(r);
}

static void apply(struct review *r)
{
	struct edit *edit = r->edit;
	struct request *request;

	if (edit->guest->gone) {
		ui_app_toast(edit->console->app, UI_TOAST_BAD,
			_("%s is gone from its host; the draft is kept."), edit->guest->name);
		return;
	}
	request = request_new(edit->console->model, &edit_save);
	request_add_guest(request, edit->guest);
	request_set(request, "XML", document_text(edit->draft->document, NULL));
	request_set(request, "BASE", document_text(edit->draft->from, NULL));
	request_set(request, "REASON", field_text(r->reason));
	if (run(r, request, saved))
		r->progress = APPLYING;
}

/* ---- the screen's ops ---- */

static void back(struct review *r)
{
	if (r->progress == APPLYING)
		ui_app_toast(r->edit->console->app, UI_TOAST_INFO, _("It is being applied."));
	else if (r->progress == APPLIED)
		finish(r);
	else
		ui_app_close(r->edit->console->app, &r->screen);
}

static enum ui_result review_event(struct ui_screen *screen, struct widget *from, enum ui_result what)
{
	struct review *r = (struct review *)screen;

	if (from && r->now && from == WIDGET(r->now)) {
		show_words(r);
	} else if (from && widget_is_button(from)) {
		if (g_strcmp0(from->name, "apply") == 0 && r->progress == REVIEWING)
			apply(r);
		else
			back(r);
	}
	return UI_HANDLED;
}

static enum ui_result review_key(struct ui_screen *screen, uint32_t key)
{
	if (key != UIK_ESC && key != UIK_F(9))
		return UI_IGNORED;
	back((struct review *)screen);
	return UI_HANDLED;
}

static char *review_title(struct ui_screen *screen)
{
	struct review *r = (struct review *)screen;
	unsigned n = r->edit->changes->len;

	if (r->progress == APPLIED)
		return g_strdup_printf(r->failed ? _("Review %s - applied in part") :
						   _("Review %s - applied"),
			r->edit->guest->name);
	return g_strdup_printf(ngettext("Review %s - %u change", "Review %s - %u changes", n),
		r->edit->guest->name, n);
}

static void review_destroy(struct ui_screen *screen)
{
	struct review *r = (struct review *)screen;

	console_forget(r->edit->console, r);
	g_ptr_array_unref(r->steps);
	g_string_free(r->results, TRUE);
	g_free(r->problems);
	g_free(r);
}

static const struct ui_screen_ops review_ops = {
	.name = "review",
	.title = review_title,
	.key = review_key,
	.event = review_event,
	.destroy = review_destroy,
	.help = N_("What the draft changes: in words, with the time when it takes effect, then line by "
		   "line. F10 saves it as the definition for the next start, and does now what a running "
		   "guest can take on, step by step. The old definition stays among the revisions.\n\n"
		   "Nothing is saved when somebody else changed the definition meanwhile: then both changes "
		   "are merged first."),
};

/* ---- making ---- */

static GPtrArray *find_steps(const struct edit *edit)
{
	const char *running = edit->draft->definition->running;
	DOCUMENT_AUTO struct document *document =
		running && guest_active(edit->guest) ? document_new(running, -1, "", NULL) : NULL;

	if (!document)
		return g_ptr_array_new();
	return live_steps(edit->draft->from, edit->draft->document, document);
}

static struct widget *make_lines(struct edit *edit)
{
	struct textview *lines = textview_new(TEXTVIEW_DIFF);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = difference_lines(document_text(edit->draft->from, NULL), _("saved"),
		document_text(edit->draft->document, NULL), _("draft"), &error);

	textview_set_text(lines, text ? text : error->message);
	return WIDGET(lines);
}

static struct widget *make_form(struct review *r)
{
	struct form *form = form_new();

	r->reason = field_text_new("", 40);
	form_add(form, _("&Reason"), WIDGET(r->reason), _("kept with the revision"));
	if (r->steps->len) {
		r->now = field_check_new(_("also change the &running guest now, where it can be"), true);
		form_add(form, NULL, WIDGET(r->now), NULL);
	}
	return WIDGET(form);
}

static struct widget *make_body(struct review *r, struct widget *lines)
{
	struct box *all = column_new(0);
	struct button_row *buttons = button_row_new();

	r->words = reader_new("");
	box_add(all, WIDGET(frame_new(_("Changes"), WIDGET(r->words))), 8, 2);
	box_add(all, WIDGET(frame_new(_("Line by line"), lines)), 7, 3);
	box_add(all, edit_inset(make_form(r)), 0, 0);
	button_row_add(buttons, _("&Back"), 8, "back");
	r->apply = button_row_add(buttons, _("&Apply"), 10, "apply");
	box_add(all, edit_inset(WIDGET(buttons)), 1, 0);
	return WIDGET(all);
}

static bool saved_differs(const struct edit *edit)
{
	return strcmp(document_text(edit->draft->from, NULL), edit->draft->definition->saved) != 0;
}

void edit_review(struct edit *edit)
{
	struct review *r;
	struct widget *lines;

	edit_renew(edit);
	if (!drafting_changed(edit->draft)) {
		ui_app_toast(edit->console->app, UI_TOAST_INFO, _("The draft changes nothing yet."));
		return;
	}
	if (saved_differs(edit)) {
		edit_merge(edit);
		return;
	}
	r = g_new0(struct review, 1);
	r->edit = edit;
	r->steps = find_steps(edit);
	r->problems = definition_problems(edit->draft->document);
	r->results = g_string_new(NULL);
	lines = make_lines(edit);
	ui_screen_init(&r->screen, &review_ops, make_body(r, lines));
	r->screen.focus = lines;
	show_words(r);
	ui_app_push(edit->console->app, &r->screen);
}
