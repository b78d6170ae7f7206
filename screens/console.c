// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>

#include "screens/console.h"
#include "screens/guests.h"
#include "ui/dialog.h"

#define LATER_MS 33

/* Whom to tell when a job ends. */
struct waiting {
	void (*done)(struct console *console, struct job *job, void *data);
	void *data;
	GDestroyNotify free_data;
};

static void waiting_free(void *p)
{
	struct waiting *waiting = p;

	if (waiting->free_data)
		waiting->free_data(waiting->data);
	g_free(waiting);
}

static gboolean later_now(gpointer p)
{
	struct later *later = p;

	later->source = 0;
	later->func(later->data);
	return G_SOURCE_REMOVE;
}

void later_ask(struct later *later)
{
	if (!later->source)
		later->source = g_timeout_add(LATER_MS, later_now, later);
}

void later_cancel(struct later *later)
{
	g_clear_handle_id(&later->source, g_source_remove);
}

void console_error(struct console *console, GError *error)
{
	g_autofree char *headline = error_headline(error);
	g_autofree char *details = error_details(error);

	dialog_message(console->app, DIALOG_ERROR, headline, details);
	g_error_free(error);
}

/* ---- jobs ---- */

/* What went wrong in each failed step, for the dialog's details. */
static char *job_failures(const struct job *job)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < job->steps->len; i++) {
		const struct job_step *step = g_ptr_array_index(job->steps, i);

		if (step->state != JOB_FAILED)
			continue;
		/* Of one step the summary tells the error already. */
		if (job->steps->len > 1)
			g_string_append_printf(text, "%s%s\n", text->len ? "\n" : "", step->error);
		if (step->details)
			g_string_append_printf(text, "%s\n", step->details);
		if (step->command)
			g_string_append_printf(text, "%s\n", step->command);
	}
	return g_string_free(text, FALSE);
}

/* The command line that does the same, of the first step. */
static const char *job_command(const struct job *job)
{
	const struct job_step *step = job->steps->len ? g_ptr_array_index(job->steps, 0) : NULL;

	return step ? step->command : NULL;
}

static void tell_done(struct console *console, struct job *job)
{
	g_autofree char *summary = job_summary(job);
	const char *command = job_command(job);

	if (command)
		ui_app_toast(console->app, UI_TOAST_GOOD, "%s  %s", summary, command);
	else
		ui_app_toast(console->app, UI_TOAST_GOOD, "%s", summary);
}

static void tell_failed(struct console *console, struct job *job)
{
	g_autofree char *summary = job_summary(job);
	g_autofree char *failures = job_failures(job);

	dialog_message(console->app, DIALOG_ERROR, summary, failures);
}

/* The text of the one step of a verb that only tells. */
static const char *job_text(const struct job *job)
{
	const struct job_step *step = job->steps->len ? g_ptr_array_index(job->steps, 0) : NULL;

	return step ? step->output : NULL;
}

static void tell_end(struct console *console, struct job *job, void *data)
{
	const char *text = job_text(job);

	if (job->state == JOB_FAILED)
		tell_failed(console, job);
	else if (text && !(job->verb->flags & VERB_CHANGES) && job->steps->len == 1)
		dialog_text(console->app, job->title, text);
	else
		tell_done(console, job);
}

static void job_ended(struct console *console, struct job *job)
{
	struct waiting *waiting = NULL;
	gpointer key;

	if (!g_hash_table_steal_extended(console->waiting, job, &key, (gpointer *)&waiting))
		return;
	waiting->done(console, job, waiting->data);
	waiting_free(waiting);
	job_unref(job);
}

static void console_changed(struct model *model, const struct model_change *change, void *data)
{
	struct console *console = data;

	if (change->event == MODEL_JOB && job_finished(change->job))
		job_ended(console, change->job);
}

void console_run_then(struct console *console, struct request *request,
	void (*done)(struct console *console, struct job *job, void *data), void *data,
	GDestroyNotify free_data)
{
	GError *error = NULL;
	struct job *job = request_run(request, &error);
	struct waiting *waiting = g_new0(struct waiting, 1);

	request_free(request);
	*waiting = (struct waiting){done, data, free_data};
	if (!job) {
		console_error(console, error);
		waiting_free(waiting);
		return;
	}
	g_hash_table_insert(console->waiting, job_ref(job), waiting);
	if (job_finished(job))
		job_ended(console, job);
}

static gboolean waits_with(gpointer key, gpointer value, gpointer data)
{
	return ((struct waiting *)value)->data == data;
}

void console_forget(struct console *console, void *data)
{
	g_hash_table_foreach_remove(console->waiting, waits_with, data);
}

void console_run(struct console *console, struct request *request)
{
	console_run_then(console, request, tell_end, NULL, NULL);
}

/* ---- settings ---- */

bool console_save_settings(struct console *console)
{
	GError *error = NULL;

	if (settings_save(console->settings, &error))
		return true;
	console_error(console, error);
	return false;
}

void console_apply_settings(struct console *console)
{
	struct ui_term *term = ui_app_term(console->app);
	const char *ascii = settings_text(console->settings, "ui.ascii");

	term_set_theme(term, settings_text(console->settings, "ui.theme"));
	if (g_strcmp0(ascii, "auto"))
		term_set_chars(term, g_strcmp0(ascii, "no") == 0);
	else
		term_set_chars(term, g_get_charset(NULL));
	term_set_braille(term, settings_bool(console->settings, "ui.braille"));
	model_set_interval(console->model,
		(unsigned)(settings_number(console->settings, "model.refresh") * 1000));
	ui_app_repaint(console->app);
}

/* ---- begin and end ---- */

/* Those that change something: nobody waits for a definition to be read. */
static unsigned running_jobs(const struct console *console)
{
	unsigned n = 0;

	for (guint i = 0; i < console->model->jobs->len; i++) {
		const struct job *job = g_ptr_array_index(console->model->jobs, i);

		if ((job->verb->flags & VERB_CHANGES) && !job_finished(job))
			n++;
	}
	return n;
}

static void quit_answered(bool yes, void *data)
{
	struct console *console = data;

	if (yes)
		ui_app_quit(console->app, 0);
}

void console_quit(struct console *console)
{
	unsigned n = running_jobs(console);
	g_autofree char *text = NULL;
	struct dialog_question question = {.title = _("Quit"), .yes = _("&Quit"), .no = _("&Stay")};

	if (!n) {
		ui_app_quit(console->app, 0);
		return;
	}
	text = g_strdup_printf(
		ngettext("%u operation is still running. Its result will not be told.",
			"%u operations are still running. Their results will not be told.", n),
		n);
	question.text = text;
	dialog_ask(console->app, &question, quit_answered, console, NULL);
}

static void job_key_free(void *p)
{
	job_unref(p);
}

void console_begin(struct console *console)
{
	console->waiting = g_hash_table_new_full(NULL, NULL, job_key_free, waiting_free);
	console->watch = model_watch(console->model, console_changed, console);
	console_load_history(console);
	ui_app_push(console->app, guests_screen_new(console));
}

void console_end(struct console *console)
{
	model_unwatch(console->model, console->watch);
	console_end_prompt(console);
	g_clear_pointer(&console->waiting, g_hash_table_unref);
}
