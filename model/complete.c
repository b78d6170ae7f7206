// SPDX-License-Identifier: GPL-3.0-or-later
// Completion: which words can stand where the cursor is.
#include "model/model.h"

#include <string.h>

struct completion {
	struct model *model;
	const char *prefix; // the unfinished word
	GPtrArray *found;   // char *
};

static void offer(struct completion *completion, const char *word)
{
	if (g_str_has_prefix(word, completion->prefix))
		g_ptr_array_add(completion->found, g_strdup(word));
}

static void offer_guests(struct completion *completion)
{
	GPtrArray *connections = completion->model->connections;

	for (unsigned i = 0; i < connections->len; i++) {
		const struct connection *connection = connections->pdata[i];

		for (unsigned k = 0; k < connection->guests->len; k++) {
			const struct guest *guest = connection->guests->pdata[k];
			g_autofree char *full = guest_full_name(guest);
			// The short name, unless another host has it too.
			bool unique =
				model_find_guest(completion->model, guest->name, NULL) == guest;

			offer(completion,
				unique && !strchr(completion->prefix, '/') ? guest->name : full);
		}
	}
}

static void offer_hosts(struct completion *completion)
{
	GPtrArray *connections = completion->model->connections;

	for (unsigned i = 0; i < connections->len; i++)
		offer(completion, ((struct connection *)connections->pdata[i])->name);
}

static void offer_files(struct completion *completion)
{
	const char *slash = strrchr(completion->prefix, '/');
	g_autofree char *typed =
		slash ? g_strndup(completion->prefix, (gsize)(slash + 1 - completion->prefix))
		      : g_strdup("");
	g_autoptr(GDir) folder = g_dir_open(*typed ? typed : ".", 0, NULL);
	const char *name;

	while (folder && (name = g_dir_read_name(folder))) {
		g_autofree char *path = g_strconcat(typed, name, NULL);
		g_autofree char *as_folder = g_strconcat(path, "/", NULL);

		if (*name != '.' && g_utf8_validate(name, -1, NULL))
			offer(completion, g_file_test(path, G_FILE_TEST_IS_DIR) ? as_folder : path);
	}
}

// Disks of the guests named so far; after a comma the next one.
static void offer_disks(struct completion *completion, char **words)
{
	const char *comma = strrchr(completion->prefix, ',');
	g_autofree char *typed =
		comma ? g_strndup(completion->prefix, (gsize)(comma + 1 - completion->prefix))
		      : g_strdup("");

	for (unsigned i = 1; words[0] && words[i]; i++) {
		struct guest *guest = model_find_guest(completion->model, words[i], NULL);

		for (unsigned k = 0; guest && k < guest->disks->len; k++) {
			const struct guest_disk *disk = guest->disks->pdata[k];
			g_autofree char *word = g_strconcat(typed, disk->target, NULL);

			if (!strcmp(disk->device, "disk"))
				offer(completion, word);
		}
	}
}

static void offer_choices(struct completion *completion, const char *const *choices)
{
	for (unsigned i = 0; choices[i]; i++)
		offer(completion, choices[i]);
}

static void offer_value(
	struct completion *completion, const struct argument *argument, char **words)
{
	switch (argument->kind) {
	case ARGUMENT_GUESTS:
	case ARGUMENT_GUEST:
		offer_guests(completion);
		break;
	case ARGUMENT_HOST:
		offer_hosts(completion);
		break;
	case ARGUMENT_FILE:
		offer_files(completion);
		break;
	case ARGUMENT_DISKS:
		offer_disks(completion, words);
		break;
	case ARGUMENT_CHOICE:
		offer_choices(completion, argument->choices);
		break;
	case ARGUMENT_TEXT:
	case ARGUMENT_ASSIGNMENTS:
	case ARGUMENT_NUMBER:
	case ARGUMENT_FLAG:
		break;
	}
}

static const struct argument *option_of(const struct verb *verb, const char *word)
{
	for (const struct argument *argument = verb->arguments; argument->name; argument++)
		if (g_str_has_prefix(argument->name, "--") && !strcmp(argument->name, word))
			return argument;
	return NULL;
}

// The positional argument that the next plain word is.
static const struct argument *positional(const struct verb *verb, char **words)
{
	const struct argument *argument = verb->arguments;

	for (unsigned i = 1; words[i]; i++) {
		const struct argument *option = option_of(verb, words[i]);

		if (option && option->kind != ARGUMENT_FLAG && words[i + 1])
			i++;
		else if (!option && argument->name && argument->kind != ARGUMENT_GUESTS)
			argument++;
	}
	return argument->name && !g_str_has_prefix(argument->name, "--") ? argument : NULL;
}

static void complete_argument(struct completion *completion, const struct verb *verb, char **words)
{
	unsigned count = g_strv_length(words);
	const struct argument *option = option_of(verb, words[count - 1]);
	const struct argument *argument;

	if (option && option->kind != ARGUMENT_FLAG) {
		offer_value(completion, option, words);
		return;
	}
	argument = positional(verb, words);
	if (argument && !g_str_has_prefix(completion->prefix, "-"))
		offer_value(completion, argument, words);
	for (argument = verb->arguments; argument->name; argument++)
		if (g_str_has_prefix(argument->name, "--") &&
			(*completion->prefix || !positional(verb, words)))
			offer(completion, argument->name);
}

static int compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **verb_complete(struct model *model, const char *line)
{
	const char *space = strrchr(line, ' ');
	g_autofree char *before = g_strndup(line, space ? (gsize)(space - line) : 0);
	g_auto(GStrv) words = NULL;
	struct completion completion = {model, space ? space + 1 : line, g_ptr_array_new()};

	if (!g_shell_parse_argv(before, NULL, &words, NULL)) {
		for (const struct verb *verb = verbs; verb->name && !strchr(before, '\''); verb++)
			offer(&completion, verb->name);
	} else if (verb_find(words[0])) {
		complete_argument(&completion, verb_find(words[0]), words);
	}
	g_ptr_array_sort(completion.found, compare);
	g_ptr_array_add(completion.found, NULL);
	return (char **)g_ptr_array_free(completion.found, FALSE);
}
