// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "screens/action.h"
#include "screens/edit.h"
#include "screens/jobs.h"
#include "screens/settings.h"
#include "ui/dialog.h"
#include "ui/prompt.h"

/* The prompt while it is open. */
struct prompt {
	struct console *console;
	GPtrArray *selected;
};

static void prompt_free(struct prompt *prompt)
{
	if (!prompt)
		return;
	g_ptr_array_unref(prompt->selected);
	g_free(prompt);
}

/* ---- words that are no verbs ---- */

static void word_log(struct console *console)
{
	ui_app_push(console->app, jobs_screen_new(console));
}

static void word_settings(struct console *console)
{
	ui_app_push(console->app, settings_screen_new(console));
}

static void word_help(struct console *console)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (const struct verb *verb = verbs; verb->name; verb++) {
		g_autofree char *usage = verb_usage(verb);

		g_string_append_printf(text, "%s\n    %s\n", usage, _(verb->help));
	}
	dialog_text(console->app, _("Commands"), text->str);
}

static const struct {
	const char *word;
	void (*run)(struct console *console);
} words[] = {
	{"help", word_help},
	{"jobs", word_log},
	{"quit", console_quit},
	{"q", console_quit},
	{"settings", word_settings},
};

static bool run_word(struct console *console, const char *line)
{
	for (guint i = 0; i < G_N_ELEMENTS(words); i++)
		if (strcmp(words[i].word, line) == 0) {
			words[i].run(console);
			return true;
		}
	return false;
}

/* ---- the prompt's ops ---- */

static char **complete(const char *line, int start, int end, void *data)
{
	struct prompt *prompt = data;
	g_autofree char *head = g_strndup(line, (gsize)end);

	return verb_complete(prompt->console->model, head);
}

static void run_line(struct prompt *prompt, const char *line)
{
	GError *error = NULL;
	struct request *request;

	if (run_word(prompt->console, line))
		return;
	request = request_parse_line(prompt->console->model, line, prompt->selected, &error);
	if (request && request->verb->flags & VERB_INTERACTIVE) {
		edit_open(prompt->console, g_ptr_array_index(request->guests, 0));
		request_free(request);
	} else if (request)
		action_request(prompt->console, request);
	else
		console_error(prompt->console, error);
}

static void accept_line(const char *line, void *data)
{
	struct prompt *prompt = data;
	g_autofree char *stripped = g_strstrip(g_strdup(line));

	prompt->console->prompt = NULL;
	if (*stripped)
		run_line(prompt, stripped);
	prompt_free(prompt);
}

static void cancel(void *data)
{
	struct prompt *prompt = data;

	prompt->console->prompt = NULL;
	prompt_free(prompt);
}

static const struct prompt_ops ops = {
	.complete = complete,
	.accept = accept_line,
	.cancel = cancel,
};

static char *history_path(void)
{
	return g_build_filename(g_get_user_state_dir(), "lodge", "history", NULL);
}

/* A history that cannot be read or kept is no reason to disturb anybody. */
void console_load_history(struct console *console)
{
	g_autofree char *path = history_path();

	prompt_history_load(":", path, NULL);
}

void console_end_prompt(struct console *console)
{
	g_autofree char *path = history_path();
	g_autofree char *folder = g_path_get_dirname(path);

	prompt_free(g_steal_pointer(&console->prompt));
	if (g_mkdir_with_parents(folder, 0700) == 0)
		prompt_history_save(":", path, NULL);
}

void console_prompt(struct console *console, GPtrArray *selected)
{
	struct prompt *prompt = g_new0(struct prompt, 1);

	prompt_free(g_steal_pointer(&console->prompt));
	prompt->console = console;
	prompt->selected = selected;
	console->prompt = prompt;
	prompt_open(console->app, ":", NULL, &ops, prompt);
}
