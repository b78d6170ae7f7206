// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/edit_cli.h"
#include "model/audit.h"
#include "model/clock.h"
#include "model/devices.h"
#include "model/difference.h"
#include "model/edit.h"
#include "model/error.h"
#include "model/format.h"
#include "model/job_private.h"
#include "model/revision.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct session {
	struct cli *cli;
	struct guest *guest;
	const char *reason;
	struct definition *definition; // as read last
	char *text;                    // what is being edited
	gint64 began;
};

// ---- questions --------------------------------------------------------------------------------------

// The first letter of the answer; 'k', which loses nothing, where nobody can be asked.
static char ask(const struct session *session, const char *question)
{
	char line[80];

	if (!isatty(STDIN_FILENO))
		return 'k';
	fputs(question, session->cli->err);
	fflush(session->cli->err);
	return fgets(line, sizeof(line), stdin) ? g_ascii_tolower(line[0]) : 'k';
}

// ---- definition and draft -----------------------------------------------------------------------------

struct reading {
	struct edit_answer answer;
	bool done;
};

static void read_done(struct edit_answer *answer, void *data)
{
	struct reading *reading = data;

	reading->done = true;
	reading->answer.definition = g_steal_pointer(&answer->definition);
	reading->answer.error = g_steal_pointer(&answer->error);
}

static bool read_definition(struct session *session, GError **error)
{
	struct reading reading = {.done = false};

	edit_read(session->guest, read_done, &reading);
	while (!reading.done)
		g_main_context_iteration(NULL, TRUE);
	if (reading.answer.error) {
		g_propagate_error(error, reading.answer.error);
		return false;
	}
	definition_free(session->definition);
	session->definition = reading.answer.definition;
	if (!session->definition->saved)
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_STATE,
			_("Guest '%s' is not saved: it has no definition for a next start to edit."),
			session->guest->name);
	return session->definition->saved != NULL;
}

static bool keep_draft(const struct session *session, GError **error)
{
	const struct definition *definition = session->definition;
	g_autofree char *user = audit_user();
	const struct draft draft = {.xml = session->text,
		.base = definition->saved,
		.began = session->began,
		.changed = clock_now(),
		.user = user};

	return draft_write(definition->uri, definition->uuid, &draft, error);
}

static bool drop_draft(const struct session *session, GError **error)
{
	return draft_drop(session->definition->uri, session->definition->uuid, error);
}

// A draft that an earlier session left: what began from another definition goes on from that one, so
// that saving notices.
static void take_draft(struct session *session, struct draft *draft)
{
	g_free(session->definition->saved);
	session->definition->saved = g_steal_pointer(&draft->base);
	session->text = g_steal_pointer(&draft->xml);
	session->began = draft->began;
}

// What is edited: the saved definition, or a draft. False where the user wants neither.
static bool begin(struct session *session, GError **error)
{
	const struct definition *definition = session->definition;
	struct draft *draft = draft_read(definition->uri, definition->uuid, error);
	g_autofree char *date = draft ? format_date(draft->changed) : NULL;
	char answer = 'd';

	if (!draft && error && *error)
		return false;
	if (draft) {
		fprintf(session->cli->err, _("lodge: A draft of '%s' is there, last changed %s.\n"),
			session->guest->name, date);
		answer = isatty(STDIN_FILENO) ?
				 ask(session, _("[g]o on with it, [d]rop it, or [q]uit: ")) :
				 'g';
	}
	if (draft && answer == 'g')
		take_draft(session, draft);
	else if (answer == 'd')
		session->text = g_strdup(definition->saved);
	else
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_CANCELLED, _("The draft is kept."));
	draft_free(draft);
	return session->text != NULL;
}

// ---- the editor ---------------------------------------------------------------------------------------

static void own_signals(gpointer data)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
}

static void editor_ended(GObject *process, GAsyncResult *result, gpointer data)
{
	*(GAsyncResult **)data = g_object_ref(result);
}

// The terminal's interrupts are the editor's; connections are served meanwhile.
static bool run_command(const char *command, GError **error)
{
	const char *const argv[] = {"/bin/sh", "-c", command, NULL};
	g_autoptr(GSubprocessLauncher) launcher =
		g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_INHERIT);
	g_autoptr(GSubprocess) process = NULL;
	g_autoptr(GAsyncResult) result = NULL;
	void (*interrupt)(int) = signal(SIGINT, SIG_IGN);
	void (*quit)(int) = signal(SIGQUIT, SIG_IGN);

	g_subprocess_launcher_set_child_setup(launcher, own_signals, NULL, NULL);
	process = g_subprocess_launcher_spawnv(launcher, argv, error);
	if (process)
		g_subprocess_wait_check_async(process, NULL, editor_ended, &result);
	while (process && !result)
		g_main_context_iteration(NULL, TRUE);
	signal(SIGINT, interrupt);
	signal(SIGQUIT, quit);
	return process && g_subprocess_wait_check_finish(process, result, error);
}

static bool edit_file(const char *path, char **text, GError **error)
{
	g_autofree char *quoted = g_shell_quote(path);
	g_autofree char *command = g_strdup_printf("%s %s", edit_editor(), quoted);
	char *edited = NULL;

	if (!g_file_set_contents_full(path, *text, -1, G_FILE_SET_CONTENTS_NONE, 0600, error) ||
		!run_command(command, error) || !g_file_get_contents(path, &edited, NULL, error))
		return false;
	g_free(*text);
	*text = edited;
	return true;
}

static bool run_editor(struct session *session, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *dir = g_dir_make_tmp("lodge-XXXXXX", &cause);
	g_autofree char *path = dir ? g_build_filename(dir, "guest.xml", NULL) : NULL;
	bool done = dir && edit_file(path, &session->text, &cause);

	if (dir) {
		g_unlink(path);
		g_rmdir(dir);
	}
	if (!done)
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED, _("The editor '%s' failed: %s"),
			edit_editor(), cause->message);
	return done;
}

// ---- saving -------------------------------------------------------------------------------------------

static bool finish(struct job *job, char **warning, GError **error)
{
	const struct job_step *step = job->steps->pdata[0];

	while (!job_finished(job))
		g_main_context_iteration(NULL, TRUE);
	if (step->state == JOB_DONE) {
		*warning = g_strdup(step->output);
		return true;
	}
	g_set_error(error, MODEL_ERROR, step->private->error_code, "%s%s%s", step->error,
		step->details ? "\n" : "", step->details ? step->details : "");
	return false;
}

static bool save(const struct session *session, char **warning, GError **error)
{
	struct request *request = request_new(session->cli->model, &edit_save);
	struct job *job;
	bool done;

	request_add_guest(request, session->guest);
	request_set(request, "XML", session->text);
	request_set(request, "BASE", session->definition->saved);
	request_set(request, "REASON", session->reason);
	job = request_run(request, error);
	if (job)
		job_ref(job);
	done = job && finish(job, warning, error);
	job_unref(job);
	request_free(request);
	return done;
}

static void tell_changes(const struct session *session)
{
	DOCUMENT_AUTO struct document *from = document_new(session->definition->saved, -1, "", NULL);
	DOCUMENT_AUTO struct document *to = document_new(session->text, -1, "", NULL);
	g_autoptr(GPtrArray) changes = from && to ? difference_changes(from, to) : NULL;

	for (guint i = 0; changes && i < changes->len; i++) {
		g_autofree char *line = change_words(changes->pdata[i]);

		fprintf(session->cli->out, _("%s, at next start."), line);
		fputc('\n', session->cli->out);
	}
	if (!changes || !changes->len)
		fprintf(session->cli->out, "%s\n", _("Saved: only white space or comments differ."));
}

// Somebody else changed it: both changes together, from what is saved now.
static bool merge(struct session *session, GError **error)
{
	g_autofree char *base = g_strdup(session->definition->saved);
	char *merged;
	bool conflicts;

	if (!read_definition(session, error))
		return false;
	merged = difference_merge(
		session->text, base, session->definition->saved, &conflicts, error);
	if (!merged)
		return false;
	g_free(session->text);
	session->text = merged;
	if (conflicts)
		fprintf(session->cli->err, "%s\n",
			_("Both changed the same lines: they stand between <<< and >>>."));
	return true;
}

// ---- the whole ----------------------------------------------------------------------------------------

// After an error: whether to go on editing. Else *code is what the command ends with.
static bool go_on(struct session *session, const GError *error, int *code)
{
	g_autoptr(GError) trouble = NULL;
	bool conflict = error->domain == MODEL_ERROR && error->code == MODEL_ERROR_CONFLICT;
	char answer;

	*code = cli_complain(session->cli, error);
	if (!keep_draft(session, &trouble))
		cli_complain(session->cli, trouble);
	g_clear_error(&trouble);
	answer = ask(session, conflict ? _("[e]dit both changes merged, [k]eep the draft, or [d]rop it: ") :
					 _("[e]dit again, [k]eep the draft, or [d]rop it: "));
	if (answer == 'e' && (!conflict || merge(session, &trouble)))
		return true;
	if (answer == 'd' && drop_draft(session, &trouble))
		*code = MODEL_ERROR_CANCELLED;
	else
		fprintf(session->cli->err, _("lodge: The draft is kept: 'lodge edit %s' goes on with it.\n"),
			session->guest->name);
	if (trouble)
		cli_complain(session->cli, trouble);
	return false;
}

// One turn of the editor: true when it is over, with nothing left to save.
static bool edit_once(struct session *session, GError **error)
{
	g_autofree char *warning = NULL;

	if (!run_editor(session, error))
		return false;
	if (!strcmp(session->text, session->definition->saved)) {
		fprintf(session->cli->out, "%s\n", _("Nothing was changed."));
		return drop_draft(session, error);
	}
	if (!save(session, &warning, error))
		return false;
	tell_changes(session);
	if (warning)
		fprintf(session->cli->err, "lodge: %s\n", warning);
	return drop_draft(session, error);
}

static int edit_until_done(struct session *session)
{
	int code = 0;

	for (;;) {
		g_autoptr(GError) error = NULL;

		if (edit_once(session, &error))
			return 0;
		// Nothing was typed that could be lost.
		if (!strcmp(session->text, session->definition->saved))
			return cli_complain(session->cli, error);
		if (!go_on(session, error, &code))
			return code;
	}
}

int edit_cli_run(struct cli *cli, const struct request *request)
{
	const char *reason = request_get(request, "--reason");
	struct session session = {
		.cli = cli,
		.guest = request->guests->pdata[0],
		.reason = reason ? reason : "edit",
		.began = clock_now(),
	};
	g_autoptr(GError) error = NULL;
	int code;

	if (cli->model->read_only)
		g_set_error(&error, MODEL_ERROR, MODEL_ERROR_REFUSED,
			_("'%s' would change something, and this console was started with "
			  "--readonly."),
			request->verb->name);
	if (!error && read_definition(&session, &error) && begin(&session, &error))
		code = edit_until_done(&session);
	else
		code = cli_complain(cli, error);
	definition_free(session.definition);
	g_free(session.text);
	return code;
}
