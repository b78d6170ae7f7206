// SPDX-License-Identifier: GPL-3.0-or-later
// The console and command line `lodge`.
#include "config.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/cli.h"
#include "model/file_cli.h"
#include "screens/console.h"

struct options {
	char **uris;
	gboolean read_only, ascii, braille, no_mouse, json, version;
	char *theme, *config;
	char **words;
};

static struct options options;

static const GOptionEntry entries[] = {
	{"uri", 'c', 0, G_OPTION_ARG_STRING_ARRAY, &options.uris,
		N_("Hypervisor to open, a libvirt URI; may be given several times"), N_("URI")},
	{"readonly", 'r', 0, G_OPTION_ARG_NONE, &options.read_only, N_("Change nothing"), NULL},
	{"config", 0, 0, G_OPTION_ARG_FILENAME, &options.config,
		N_("Settings file instead of the usual one"), N_("FILE")},
	{"theme", 0, 0, G_OPTION_ARG_STRING, &options.theme,
		N_("Colours: yast, dark, light, highcontrast or mono"), N_("NAME")},
	{"ascii", 0, 0, G_OPTION_ARG_NONE, &options.ascii, N_("Draw with ASCII only"), NULL},
	{"braille", 0, 0, G_OPTION_ARG_NONE, &options.braille,
		N_("For braille displays: the cursor stands on the focused item"), NULL},
	{"no-mouse", 0, 0, G_OPTION_ARG_NONE, &options.no_mouse,
		N_("Leave the mouse to the terminal"), NULL},
	{"json", 0, 0, G_OPTION_ARG_NONE, &options.json, N_("Print JSON (with a verb)"), NULL},
	{"version", 0, 0, G_OPTION_ARG_NONE, &options.version, N_("Print the version"), NULL},
	{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.words, NULL, NULL},
	{0},
};

static void set_up_language(void)
{
	const char *folder = g_getenv("LODGE_LOCALEDIR");

	setlocale(LC_ALL, "");
	/* Numbers are written the same in every language: by one hand, see model/format.h. */
	setlocale(LC_NUMERIC, "C");
	bindtextdomain("lodge", folder ? folder : LOCALEDIR);
	bind_textdomain_codeset("lodge", "UTF-8");
	textdomain("lodge");
}

/* Reads the options up to the verb; what follows it is the verb's. */
static bool read_options(int *argc, char ***argv, GError **error)
{
	g_autoptr(GOptionContext) context = g_option_context_new(_("[VERB [ARGUMENT…]]"));
	g_autofree char *verbs_text = cli_verbs();

	g_option_context_add_main_entries(context, entries, "lodge");
	g_option_context_set_strict_posix(context, TRUE);
	g_option_context_set_summary(context,
		_("Without a verb: the console. With one: runs it and prints the result."));
	g_option_context_set_description(context, verbs_text);
	return g_option_context_parse(context, argc, argv, error);
}

static int complain(GError *error, int code)
{
	fprintf(stderr, "lodge: %s\n", error->message);
	g_error_free(error);
	return code;
}

static int run_verb(struct model *model)
{
	struct cli cli = {model, options.json, stdout, stderr};
	GError *error = NULL;

	if (cli_needs_hosts((const char *const *)options.words) &&
		!model_open(model, (const char *const *)options.uris, &error))
		return complain(error, MODEL_ERROR_NOT_CONNECTED);
	return cli_run(&cli, (const char *const *)options.words);
}

/* ---- the console ---- */

static const char *wanted_theme(struct settings *settings)
{
	return options.theme ? options.theme : settings_text(settings, "ui.theme");
}

static struct ui_term *open_terminal(struct settings *settings, GError **error)
{
	struct term_options term = {
		.theme = wanted_theme(settings),
		.braille = options.braille || settings_bool(settings, "ui.braille"),
		.no_mouse = options.no_mouse || !settings_bool(settings, "ui.mouse"),
	};
	const char *ascii = settings_text(settings, "ui.ascii");

	if (options.ascii || g_strcmp0(ascii, "yes") == 0)
		term.chars = TERM_CHARS_ASCII;
	else if (g_strcmp0(ascii, "no") == 0)
		term.chars = TERM_CHARS_UTF8;
	return term_open(&term, error);
}

/* A connection that could not be added, and settings that could not be read, do not keep the
 * console from opening. */
static void tell_troubles(struct console *console, GError *settings_error, GError *open_error)
{
	if (open_error)
		console_error(console, open_error);
	if (settings_error)
		console_error(console, settings_error);
}

static int run_console(struct model *model, struct settings *settings, GError *settings_error)
{
	struct console console = {.model = model, .settings = settings};
	GError *error = NULL;
	struct ui_term *term;
	int code;

	if (options.theme && !theme_find(options.theme)) {
		g_clear_error(&settings_error);
		fprintf(stderr, _("lodge: there is no theme '%s'.\n"), options.theme);
		return MODEL_ERROR_USAGE;
	}
	term = open_terminal(settings, &error);
	if (!term)
		return complain(error, MODEL_ERROR_FAILED);
	console.app = ui_app_new(term);
	model_open(model, (const char *const *)options.uris, &error);
	console_begin(&console);
	tell_troubles(&console, settings_error, error);
	code = ui_app_run(console.app);
	ui_app_free(console.app);
	console_end(&console);
	return code;
}

static int run(struct settings *settings, GError *settings_error)
{
	struct model *model = model_new(settings, options.read_only ? MODEL_READ_ONLY : 0);
	int code;

	if (options.words && options.words[0]) {
		if (settings_error)
			complain(settings_error, 0);
		code = run_verb(model);
	} else {
		code = run_console(model, settings, settings_error);
	}
	model_free(model);
	return code;
}

int main(int argc, char **argv)
{
	GError *error = NULL, *settings_error = NULL;
	struct settings *settings;
	int code;

	/* One heap for all threads: each of its own keeps what a large host's list once needed. */
	mallopt(M_ARENA_MAX, 1);
	set_up_language();
	if (!read_options(&argc, &argv, &error))
		return complain(error, MODEL_ERROR_USAGE);
	if (options.version) {
		printf("lodge %s\n", PACKAGE_VERSION);
		return 0;
	}
	if (options.words && g_strcmp0(options.words[0], "xml") == 0)
		return file_cli_run((const char *const *)options.words + 1, stdout, stderr);
	settings = settings_load(options.config, &settings_error);
	code = run(settings, settings_error);
	settings_free(settings);
	return code;
}
