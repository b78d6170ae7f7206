// SPDX-License-Identifier: GPL-3.0-or-later
// From words to a request, and from a request to a job.
#include "model/bundled.h"
#include "model/job_private.h"
#include "model/model_private.h"

#include <glib/gi18n.h>
#include <string.h>

struct request *request_new(struct model *model, const struct verb *verb)
{
	struct request *request = g_new0(struct request, 1);

	request->model = model;
	request->verb = verb;
	request->guests = g_ptr_array_new_with_free_func((GDestroyNotify)guest_unref);
	request->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return request;
}

void request_add_guest(struct request *request, struct guest *guest)
{
	if (!g_ptr_array_find(request->guests, guest, NULL))
		g_ptr_array_add(request->guests, guest_ref(guest));
}

void request_set(struct request *request, const char *name, const char *value)
{
	g_hash_table_replace(request->values, g_strdup(name), g_strdup(value));
}

const char *request_get(const struct request *request, const char *name)
{
	return g_hash_table_lookup(request->values, name);
}

void request_free(struct request *request)
{
	if (!request)
		return;
	g_ptr_array_unref(request->guests);
	g_hash_table_unref(request->values);
	g_free(request);
}

// ---- parsing -----------------------------------------------------------------------------------

struct parse {
	struct model *model;
	struct request *request;
	const char *const *words; // the next word
	unsigned positional;      // place in the verb's arguments
	GError **error;
};

static bool usage_error(struct parse *parse, const char *sentence, const char *word)
{
	g_autofree char *usage = verb_usage(parse->request->verb);
	g_autoptr(GString) text = g_string_new(NULL);

	g_string_printf(text, sentence, word);
	g_set_error(parse->error, MODEL_ERROR, MODEL_ERROR_USAGE, "%s\n%s: %s", text->str,
		_("Usage"), usage);
	return false;
}

static const struct argument *find_option(const struct verb *verb, const char *name)
{
	for (const struct argument *argument = verb->arguments; argument->name; argument++)
		if (!strcmp(argument->name, name))
			return argument;
	return NULL;
}

static bool parse_option(struct parse *parse, const char *word)
{
	const char *equals = strchr(word, '=');
	g_autofree char *name = equals ? g_strndup(word, (gsize)(equals - word)) : g_strdup(word);
	const struct argument *option = find_option(parse->request->verb, name);

	if (!strcmp(word, "--json")) {
		parse->request->json = true;
		return true;
	}
	if (!option)
		return usage_error(parse, _("There is no option '%s' here."), name);
	if (option->kind == ARGUMENT_FLAG) {
		if (equals)
			return usage_error(parse, _("The option '%s' takes no value."), name);
		request_set(parse->request, name, "");
		return true;
	}
	if (!equals && !parse->words[0])
		return usage_error(parse, _("The option '%s' wants a value."), name);
	request_set(parse->request, name, equals ? equals + 1 : *parse->words++);
	return true;
}

static const struct argument *next_positional(struct parse *parse)
{
	const struct argument *argument = &parse->request->verb->arguments[parse->positional];

	while (argument->name && g_str_has_prefix(argument->name, "--")) {
		argument++;
		parse->positional++;
	}
	return argument->name ? argument : NULL;
}

static const struct argument *assignments_argument(const struct verb *verb)
{
	for (const struct argument *argument = verb->arguments; argument->name; argument++)
		if (argument->kind == ARGUMENT_ASSIGNMENTS)
			return argument;
	return NULL;
}

// KEY=VALUE words are told from guests by their '=', and may stand anywhere.
static bool add_assignment(struct parse *parse, const char *word)
{
	const char *name = assignments_argument(parse->request->verb)->name;
	const char *before = request_get(parse->request, name);
	g_autofree char *all = before ? g_strconcat(before, "\n", word, NULL) : g_strdup(word);

	if (strchr(word, '\n'))
		return usage_error(parse, _("'%s' holds a line break."), word);
	request_set(parse->request, name, all);
	return true;
}

static bool parse_positional(struct parse *parse, const char *word)
{
	const struct argument *argument = next_positional(parse);
	struct guest *guest;

	if (strchr(word, '=') && assignments_argument(parse->request->verb))
		return add_assignment(parse, word);
	if (!argument)
		return usage_error(parse, _("'%s' is one word too many."), word);
	if (argument->kind != ARGUMENT_GUESTS)
		parse->positional++;
	if (argument->kind != ARGUMENT_GUESTS && argument->kind != ARGUMENT_GUEST) {
		request_set(parse->request, argument->name, word);
		return true;
	}
	guest = model_find_guest(parse->model, word, parse->error);
	if (guest)
		request_add_guest(parse->request, guest);
	return guest != NULL;
}

static bool parse_words(struct parse *parse)
{
	bool options = true;

	while (*parse->words) {
		const char *word = *parse->words++;
		bool fine;

		if (options && !strcmp(word, "--")) {
			options = false;
			continue;
		}
		fine = options && g_str_has_prefix(word, "--") ? parse_option(parse, word)
							       : parse_positional(parse, word);
		if (!fine)
			return false;
	}
	return true;
}

// Whether the verb takes guests at all, so that the selected ones may stand in.
static const struct argument *guest_argument(const struct verb *verb)
{
	for (const struct argument *argument = verb->arguments; argument->name; argument++)
		if (argument->kind == ARGUMENT_GUESTS || argument->kind == ARGUMENT_GUEST)
			return argument;
	return NULL;
}

// In `rename NEW` at a prompt with a guest selected, the first word is not a guest: positional
// words are then counted from the end.
static void begin_after_guest(struct parse *parse, GPtrArray *selected)
{
	const struct argument *first = parse->request->verb->arguments;
	unsigned words = 0, wanted = 0;

	if (!selected || !selected->len || !first->name || first->kind != ARGUMENT_GUEST)
		return;
	for (const struct argument *argument = first; argument->name; argument++)
		wanted += !g_str_has_prefix(argument->name, "--") && !argument->optional;
	for (const char *const *word = parse->words; *word; word++)
		words += !g_str_has_prefix(*word, "--");
	if (words < wanted)
		parse->positional = 1;
}

static void use_selected(struct request *request, GPtrArray *selected)
{
	const struct argument *argument = guest_argument(request->verb);

	if (!argument || request->guests->len || !selected)
		return;
	for (unsigned i = 0; i < selected->len; i++)
		request_add_guest(request, selected->pdata[i]);
}

static bool is_guest_kind(const struct argument *argument)
{
	return argument->kind == ARGUMENT_GUESTS || argument->kind == ARGUMENT_GUEST;
}

static bool check_value(struct parse *parse, const struct argument *argument, const char *value)
{
	char *end;

	if (argument->kind == ARGUMENT_CHOICE && !g_strv_contains(argument->choices, value)) {
		g_autofree char *choices = g_strjoinv(", ", (char **)argument->choices);
		g_autofree char *text =
			g_strdup_printf(_("%s is one of %s, not '%%s'."), argument->name, choices);

		return usage_error(parse, text, value);
	}
	if (argument->kind == ARGUMENT_NUMBER &&
		(g_ascii_strtod(value, &end) < 0 || end == value || *end))
		return usage_error(parse, _("'%s' is no number."), value);
	return true;
}

// What is given must be right, also for a verb that is never run (top, none times).
static bool check_values(struct parse *parse)
{
	for (const struct argument *argument = parse->request->verb->arguments; argument->name;
		argument++) {
		const char *value = request_get(parse->request, argument->name);

		if (value && !is_guest_kind(argument) && !check_value(parse, argument, value))
			return false;
	}
	return true;
}

struct request *request_parse(
	struct model *model, const char *const *words, GPtrArray *selected, GError **error)
{
	const struct verb *verb = words[0] ? verb_find(words[0]) : NULL;
	struct parse parse = {.model = model, .words = words + 1, .error = error};

	if (!verb) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("There is no command '%s'; 'help' lists them."),
			words[0] ? words[0] : "");
		return NULL;
	}
	parse.request = request_new(model, verb);
	begin_after_guest(&parse, selected);
	if (!parse_words(&parse) || !check_values(&parse)) {
		request_free(parse.request);
		return NULL;
	}
	use_selected(parse.request, selected);
	return parse.request;
}

struct request *request_parse_line(
	struct model *model, const char *line, GPtrArray *selected, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_auto(GStrv) words = NULL;
	static const char *const nothing[] = {NULL};

	if (!g_shell_parse_argv(line, NULL, &words, &cause) &&
		!g_error_matches(cause, G_SHELL_ERROR, G_SHELL_ERROR_EMPTY_STRING)) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("Cannot read the line: a quotation mark is missing."));
		return NULL;
	}
	return request_parse(model, words ? (const char *const *)words : nothing, selected, error);
}

// ---- checking ----------------------------------------------------------------------------------

static bool check_guests(struct parse *parse, const struct argument *argument)
{
	unsigned count = parse->request->guests->len;

	if (!count && !argument->optional)
		return usage_error(
			parse, _("Name the guest for '%s'."), parse->request->verb->name);
	if (count > 1 && argument->kind == ARGUMENT_GUEST)
		return usage_error(
			parse, _("'%s' works on one guest at a time."), parse->request->verb->name);
	return true;
}

static bool check_arguments(struct parse *parse)
{
	for (const struct argument *argument = parse->request->verb->arguments; argument->name;
		argument++) {
		const char *value = request_get(parse->request, argument->name);

		if (is_guest_kind(argument)) {
			if (!check_guests(parse, argument))
				return false;
		} else if (!value && !argument->optional) {
			return usage_error(parse, _("%s is missing."), argument->name);
		}
	}
	return check_values(parse);
}

// The connection for a verb that works on one: the named, else the first guest's, else the only
// one.
static struct connection *choose_connection(const struct request *request, GError **error)
{
	struct model *model = request->model;
	const char *name = request_get(request, "--host");
	struct connection *connection = request->connection;

	if (name)
		connection = model_connection(model, name);
	else if (!connection && model->connections->len == 1)
		connection = model->connections->pdata[0];
	if (connection)
		return connection;
	if (name)
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND,
			_("There is no connection '%s'."), name);
	else
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("Several hosts are connected: name the one for '%s' with --host."),
			request->verb->name);
	return NULL;
}

static bool check(const struct request *request, GError **error)
{
	struct parse parse = {.request = (struct request *)request, .error = error};

	if (request->model->read_only && (request->verb->flags & VERB_CHANGES)) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_REFUSED,
			_("'%s' would change something, and this console was started with "
			  "--readonly."),
			request->verb->name);
		return false;
	}
	return check_arguments(&parse);
}

// ---- running -----------------------------------------------------------------------------------

static char *quoted_uri(const char *uri)
{
	return strpbrk(uri, "?&*'\" $") ? g_shell_quote(uri) : g_strdup(uri);
}

char *request_virsh(const struct request *request, const struct guest *guest)
{
	g_autofree char *words = request->verb->virsh ? request->verb->virsh(request, guest) : NULL;
	g_autofree char *expanded = NULL;
	g_autofree char *uri = NULL;
	struct connection *connection = guest ? guest->connection : request->connection;

	if (!words || !connection)
		return NULL;
	expanded = bundled_expand(connection->uri, false);
	uri = quoted_uri(expanded);
	return g_strdup_printf("virsh -c %s %s", uri, words);
}

char *request_title(const struct request *request)
{
	const struct verb *verb = request->verb;
	g_autoptr(GString) title = g_string_new(NULL);
	const struct guest *first = request->guests->len ? request->guests->pdata[0] : NULL;
	const char *target = request_get(request, "FILE");

	if (!target)
		target = request_get(request, "--from");
	if (request->guests->len > 1 && verb->title_many)
		g_string_printf(title, _(verb->title_many), request->guests->len);
	else
		g_string_printf(title, _(verb->title_one),
			first    ? first->name
			: target ? target
				 : "");
	return g_strchomp(g_string_free(g_steal_pointer(&title), FALSE));
}

static void start_guest_steps(const struct request *request, struct job *job)
{
	for (unsigned i = 0; i < request->guests->len; i++) {
		struct guest *guest = request->guests->pdata[i];

		job_add_step(job, guest->connection, guest, guest_full_name(guest),
			request_virsh(request, guest));
	}
}

static bool start_connection_step(const struct request *request, struct job *job, GError **error)
{
	struct connection *connection = choose_connection(request, error);
	struct request with = *request;
	const char *file = request_get(request, "FILE");

	if (!connection)
		return false;
	with.connection = connection;
	job_add_step(job, connection, NULL, g_strdup(file ? file : request_get(request, "--from")),
		request_virsh(&with, NULL));
	return true;
}

static bool check_connected(const struct job *job, GError **error)
{
	for (unsigned i = 0; i < job->steps->len; i++) {
		const struct job_step *step = job->steps->pdata[i];
		const struct connection *connection = step->private->connection;

		if (connection && connection->state == CONNECTION_CONNECTED)
			continue;
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_CONNECTED,
			_("%s: the host is not connected at the moment."), job->title);
		return false;
	}
	return true;
}

static struct job *run_steps(const struct request *request, struct job *job, GError **error)
{
	bool fine = true;

	if (request->verb->on_guest && (request->guests->len || !request->verb->on_connection))
		start_guest_steps(request, job);
	else
		fine = start_connection_step(request, job, error);
	if (!fine || !check_connected(job, error)) {
		job_unref(job);
		return NULL;
	}
	model_add_job(request->model, job);
	for (unsigned i = 0; i < job->steps->len; i++)
		job_start_step(job->steps->pdata[i], request->values, request->json);
	return job;
}

static struct job *run_report(const struct request *request, struct job *job, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct job_step *step;

	if (!request->verb->report(request, text, error)) {
		job_unref(job);
		return NULL;
	}
	step = job_add_step(job, NULL, NULL, g_strdup(""), NULL);
	model_add_job(request->model, job);
	job_end_step(step, g_strdup(text->str), NULL);
	return job;
}

struct job *request_run(const struct request *request, GError **error)
{
	g_autofree char *title = NULL;
	struct job *job;

	if (!check(request, error))
		return NULL;
	title = request_title(request);
	job = job_new(request->model, request->verb, title);
	return request->verb->report ? run_report(request, job, error)
				     : run_steps(request, job, error);
}
