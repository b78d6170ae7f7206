// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/file_cli.h"
#include "model/difference.h"
#include "model/document.h"
#include "model/error.h"
#include "model/key.h"
#include "model/schema.h"
#include "model/xml.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>

struct streams {
	FILE *out, *err;
};

static int fail(const struct streams *streams, GError *error)
{
	int code = error->domain == MODEL_ERROR ? error->code : MODEL_ERROR_FAILED;

	fprintf(streams->err, "lodge: %s\n", error->message);
	g_error_free(error);
	return code;
}

static int usage(const struct streams *streams)
{
	fputs(_("Usage: lodge xml set FILE [KEY=VALUE...]\n"
		"       lodge xml get FILE [KEY...]\n"
		"       lodge xml check FILE...\n"
		"       lodge xml diff [--words] FILE FILE\n"
		"       lodge xml keys\n"),
		streams->err);
	return MODEL_ERROR_USAGE;
}

// ---- files ------------------------------------------------------------------------------------------

// All of the standard input, up to what a document may hold.
static char *read_input(gsize *length)
{
	GString *text = g_string_new(NULL);
	char buffer[65536];
	size_t n;

	while (text->len <= XML_MOST && (n = fread(buffer, 1, sizeof(buffer), stdin)) > 0)
		g_string_append_len(text, buffer, (gssize)n);
	*length = text->len;
	return g_string_free(text, FALSE);
}

static struct document *open_document(const char *file, GError **error)
{
	GError *cause = NULL;
	g_autofree char *text = NULL;
	gsize length;

	if (!strcmp(file, "-"))
		text = read_input(&length);
	else if (!g_file_get_contents(file, &text, &length, &cause)) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND, _("Cannot read '%s': %s"), file,
			cause->message);
		g_error_free(cause);
		return NULL;
	}
	return document_new(text, (gssize)length, file, error);
}

// ---- the commands -----------------------------------------------------------------------------------

static int set(const struct streams *streams, const char *const *words)
{
	GError *error = NULL;
	DOCUMENT_AUTO struct document *document = words[0] ? open_document(words[0], &error) : NULL;
	const char *text;
	gsize length;

	if (!words[0])
		return usage(streams);
	for (words++; document && *words; words++)
		if (!key_assign(document, *words, &error))
			return fail(streams, error);
	if (!document)
		return fail(streams, error);
	text = document_text(document, &length);
	fwrite(text, 1, length, streams->out);
	return 0;
}

static int get(const struct streams *streams, const char *const *words)
{
	GError *error = NULL;
	DOCUMENT_AUTO struct document *document = words[0] ? open_document(words[0], &error) : NULL;
	g_auto(GStrv) all = NULL;
	bool every = words[0] && !words[1];

	if (!words[0])
		return usage(streams);
	if (!document)
		return fail(streams, error);
	all = key_names(document);
	for (words = every ? (const char *const *)all : words + 1; *words; words++) {
		g_autofree char *value = key_get(document, *words, &error);

		if (error && !every)
			return fail(streams, error);
		g_clear_error(&error);
		if (value && every)
			fprintf(streams->out, "%s=%s\n", *words, value);
		else if (!every)
			fprintf(streams->out, "%s\n", value ? value : "");
	}
	return 0;
}

static int check_one(const struct streams *streams, struct schema *schema, const char *file)
{
	GError *error = NULL;
	DOCUMENT_AUTO struct document *document = open_document(file, &error);
	g_autoptr(GPtrArray) problems = document ? schema_check(schema, document) : NULL;

	if (!document)
		return fail(streams, error);
	for (guint i = 0; i < problems->len; i++)
		fprintf(streams->out, "%s: %s\n", file,
			((struct schema_problem *)problems->pdata[i])->sentence);
	return problems->len ? MODEL_ERROR_FAILED : 0;
}

static int check(const struct streams *streams, const char *const *words)
{
	GError *error = NULL;
	struct schema *schema = words[0] ? schema_new(NULL, &error) : NULL;
	int code = 0;

	if (!words[0])
		return usage(streams);
	if (!schema)
		return fail(streams, error);
	for (; *words; words++) {
		int one = check_one(streams, schema, *words);

		code = code ? code : one;
	}
	schema_free(schema);
	return code;
}

static int diff_words(const struct streams *streams, const struct document *a, const struct document *b)
{
	g_autoptr(GPtrArray) changes = difference_changes(a, b);

	for (guint i = 0; i < changes->len; i++) {
		g_autofree char *line = change_words(changes->pdata[i]);

		fprintf(streams->out, "%s\n", line);
	}
	return changes->len > 0;
}

static int diff(const struct streams *streams, const char *const *words)
{
	bool in_words = words[0] && !strcmp(words[0], "--words");
	GError *error = NULL;
	DOCUMENT_AUTO struct document *a = NULL;
	DOCUMENT_AUTO struct document *b = NULL;
	g_autofree char *lines = NULL;

	words += in_words;
	if (!words[0] || !words[1] || words[2])
		return usage(streams);
	a = open_document(words[0], &error);
	b = a ? open_document(words[1], &error) : NULL;
	if (!b)
		return fail(streams, error);
	if (in_words)
		return diff_words(streams, a, b);
	lines = difference_lines(
		document_text(a, NULL), words[0], document_text(b, NULL), words[1], &error);
	if (!lines)
		return fail(streams, error);
	fputs(lines, streams->out);
	return *lines != '\0';
}

static int list_keys(const struct streams *streams, const char *const *words)
{
	for (const struct key *key = keys; key->name; key++)
		fprintf(streams->out, "%-32s %s\n", key->name, _(key->help));
	return 0;
}

struct command {
	const char *name;
	int (*run)(const struct streams *streams, const char *const *words);
};

static const struct command commands[] = {
	{"set", set}, {"get", get}, {"check", check}, {"diff", diff}, {"keys", list_keys},
};

int file_cli_run(const char *const *words, FILE *out, FILE *err)
{
	struct streams streams = {out, err};
	int code;

	for (gsize i = 0; words[0] && i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(commands[i].name, words[0]))
			continue;
		code = commands[i].run(&streams, words + 1);
		if (!fflush(out) && !ferror(out))
			return code;
		fprintf(err, _("lodge: Cannot write the output: %s\n"), g_strerror(errno));
		return MODEL_ERROR_FAILED;
	}
	return usage(&streams);
}
