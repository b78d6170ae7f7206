// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/cli.h"
#include "model/edit_cli.h"
#include "model/job_private.h"
#include "model/report.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <string.h>

// How long a host may take to answer before the command line gives it up, milliseconds.
#define PATIENCE 20000

int cli_complain(const struct cli *cli, const GError *error)
{
	g_autofree char *headline = error_headline(error);
	g_autofree char *details = error_details(error);

	fprintf(cli->err, "lodge: %s\n", headline);
	if (details)
		fprintf(cli->err, "%s\n", details);
	return error->domain == MODEL_ERROR ? error->code : MODEL_ERROR_FAILED;
}

// ---- help --------------------------------------------------------------------------------------

char *cli_verbs(void)
{
	GString *text = g_string_new(NULL);

	for (const struct verb *verb = verbs; verb->name; verb++)
		g_string_append_printf(text, "  %-17s %s\n", verb->name, _(verb->help));
	return g_string_free(text, FALSE);
}

static void print_verb(const struct cli *cli, const struct verb *verb)
{
	g_autofree char *usage = verb_usage(verb);

	fprintf(cli->out, "%s: lodge %s\n\n%s\n\n", _("Usage"), usage, _(verb->help));
	for (const struct argument *argument = verb->arguments; argument->name; argument++)
		fprintf(cli->out, "  %-12s %s\n", argument->name, _(argument->help));
	if (verb->loses)
		fprintf(cli->out, "\n%s\n", _(verb->loses));
}

static int print_help(const struct cli *cli, const char *name)
{
	const struct verb *verb = name ? verb_find(name) : NULL;
	g_autofree char *all = cli_verbs();

	if (verb)
		print_verb(cli, verb);
	else if (!name)
		fputs(all, cli->out);
	else
		fprintf(cli->err, _("lodge: There is no command '%s'; 'help' lists them.\n"), name);
	return name && !verb ? MODEL_ERROR_USAGE : 0;
}

// ---- one job -----------------------------------------------------------------------------------

static void print_step(const struct cli *cli, const struct job_step *step)
{
	if (step->state != JOB_DONE) {
		fprintf(cli->err, "lodge: %s\n", step->error);
		if (step->details)
			fprintf(cli->err, "%s\n", step->details);
	} else if (step->output && *step->output) {
		fprintf(cli->out, "%s%s", step->output,
			g_str_has_suffix(step->output, "\n") ? "" : "\n");
	}
}

static int print_job(const struct cli *cli, const struct job *job, bool json)
{
	int code = 0;

	for (unsigned i = 0; i < job->steps->len; i++) {
		const struct job_step *step = job->steps->pdata[i];

		if (!json || job->verb->report)
			print_step(cli, step);
		if (step->state != JOB_DONE && !code)
			code = step->private->error_code;
	}
	if (json && !job->verb->report) {
		g_autoptr(JsonBuilder) builder = json_builder_new();
		g_autofree char *text = NULL;

		json_job(builder, job);
		text = json_text(builder, false);
		fputs(text, cli->out);
	}
	return code;
}

static gboolean interrupt_job(gpointer job)
{
	job_cancel(job);
	return G_SOURCE_CONTINUE;
}

// What the audit log could not take is said, since nobody will look at the messages.
static void print_warnings(const struct cli *cli)
{
	for (unsigned i = 0; i < cli->model->messages->len; i++) {
		const struct message *message = cli->model->messages->pdata[i];

		if (message->kind == MESSAGE_WARNING)
			fprintf(cli->err, "lodge: %s\n", message->text);
	}
}

static int run_once(const struct cli *cli, const struct request *request)
{
	g_autoptr(GError) error = NULL;
	struct job *job = request_run(request, &error);
	guint interrupt;
	int code;

	if (!job)
		return cli_complain(cli, error);
	job_ref(job);
	interrupt = g_unix_signal_add(SIGINT, interrupt_job, job);
	while (!job_finished(job))
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(interrupt);
	code = print_job(cli, job, request->json);
	print_warnings(cli);
	job_unref(job);
	return code;
}

// ---- again and again ---------------------------------------------------------------------------

static void count_refresh(struct model *model, const struct model_change *change, void *data)
{
	if (change->event == MODEL_REFRESHED)
		++*(unsigned *)data;
}

static gboolean set_true(gpointer data)
{
	*(bool *)data = true;
	return G_SOURCE_CONTINUE;
}

// Lets the interval pass, and then until every connection that is there gave a new sample.
static void wait_for_sample(const struct cli *cli, double seconds, const bool *stop)
{
	unsigned refreshed = 0, wanted = 0;
	bool over = false, late = false;
	unsigned watch;
	guint timer = g_timeout_add((guint)(seconds * 1000), set_true, &over);
	guint limit;

	while (!over && !*stop)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(timer);
	for (unsigned i = 0; i < cli->model->connections->len; i++)
		wanted += ((struct connection *)cli->model->connections->pdata[i])->state ==
			  CONNECTION_CONNECTED;
	watch = model_watch(cli->model, count_refresh, &refreshed);
	limit = g_timeout_add(5000, set_true, &late);
	model_refresh(cli->model);
	while (refreshed < wanted && !late && !*stop)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(limit);
	model_unwatch(cli->model, watch);
}

static int repeat(const struct cli *cli, const struct request *request)
{
	const char *count = request_get(request, "--count");
	const char *interval = request_get(request, "--interval");
	double seconds = interval ? CLAMP(g_ascii_strtod(interval, NULL), 0.1, 3600) : 1;
	double left = count ? g_ascii_strtod(count, NULL) : INFINITY;
	bool stop = false;
	guint interrupt = g_unix_signal_add(SIGINT, set_true, &stop);
	int code = 0;

	model_set_interval(cli->model, 3600000);
	for (; left > 0 && !stop && !code; left--) {
		wait_for_sample(cli, seconds, &stop);
		if (!stop)
			code = run_once(cli, request);
		if (left > 1 && !request->json)
			fputc('\n', cli->out);
		if (fflush(cli->out))
			break;
	}
	g_source_remove(interrupt);
	return code;
}

// ---- beginning ---------------------------------------------------------------------------------

// Connections that failed are told, and fail the command when none is left.
static int wait_for_hosts(const struct cli *cli)
{
	bool connected = model_wait(cli->model, PATIENCE);

	for (unsigned i = 0; i < cli->model->connections->len; i++) {
		struct connection *connection = cli->model->connections->pdata[i];
		g_autofree char *status = connection_status(connection);

		if (connection->complete)
			continue;
		fprintf(cli->err, "lodge: %s: %s\n", connection->name,
			connection->reason ? connection->reason : status);
		if (connection->details)
			fprintf(cli->err, "%s\n", connection->details);
	}
	return connected ? 0 : MODEL_ERROR_NOT_CONNECTED;
}

static int finish_output(const struct cli *cli, int code)
{
	if (!fflush(cli->out) && !ferror(cli->out))
		return code;
	fprintf(cli->err, _("lodge: Cannot write the output: %s\n"), g_strerror(errno));
	return MODEL_ERROR_FAILED;
}

// The log is here whether a host answers or not; a wrong word is told before waiting for one.
bool cli_needs_hosts(const char *const *words)
{
	return words[0] && verb_find(words[0]) && strcmp(words[0], "log");
}

int cli_run(struct cli *cli, const char *const *words)
{
	g_autoptr(GError) error = NULL;
	const bool never = false;
	struct request *request;
	int code;

	if (!words[0] || !strcmp(words[0], "help"))
		return finish_output(cli, print_help(cli, words[0] ? words[1] : NULL));
	// The log is here whether a host answers or not; a wrong word is told before waiting for
	// one.
	if (verb_find(words[0]) && strcmp(words[0], "log")) {
		code = wait_for_hosts(cli);
		if (code)
			return code;
	}
	request = request_parse(cli->model, words, NULL, &error);
	if (!request)
		return cli_complain(cli, error);
	request->json = request->json || cli->json;
	if (request->verb->flags & VERB_MEASURES)
		wait_for_sample(cli, 0.5, &never);
	if (request->verb->flags & VERB_INTERACTIVE)
		code = edit_cli_run(cli, request);
	else
		code = request->verb->flags & VERB_REPEATS ? repeat(cli, request) : run_once(cli, request);
	request_free(request);
	return finish_output(cli, code);
}
