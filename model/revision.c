// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/revision.h"
#include "model/error.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP "revision"

// ---- files ----------------------------------------------------------------------------------------

// A URI as a file name: readable, and different for different URIs.
static char *file_name(const char *text)
{
	GString *name = g_string_new(NULL);

	for (; *text; text++)
		if (g_ascii_isalnum(*text) || strchr("-_.+@", *text))
			g_string_append_c(name, *text);
		else
			g_string_append_printf(name, "%%%02x", (unsigned char)*text);
	if (name->len > 200) {
		g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name->str, -1);

		g_string_truncate(name, 120);
		g_string_append_printf(name, "-%.32s", sum);
	}
	if (*name->str == '.')
		g_string_prepend_c(name, '_');
	return g_string_free(name, FALSE);
}

static char *state_path(const char *kind, const char *uri, const char *uuid)
{
	g_autofree char *host = file_name(uri);
	g_autofree char *guest = file_name(uuid);

	return g_build_filename(g_get_user_state_dir(), "lodge", kind, host, guest, NULL);
}

static bool file_failed(GError **error, const char *path, GError *cause)
{
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED, _("Cannot keep '%s': %s"), path,
		cause->message);
	g_error_free(cause);
	return false;
}

// Definitions may hold passwords: for their owner alone.
static bool write_file(const char *path, const char *text, gssize length, GError **error)
{
	GError *cause = NULL;
	g_autofree char *dir = g_path_get_dirname(path);

	if (g_mkdir_with_parents(dir, 0700) < 0) {
		int code = errno;

		g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED, _("Cannot keep '%s': %s"), path,
			g_strerror(code));
		return false;
	}
	return g_file_set_contents_full(path, text, length,
		       G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, &cause) ||
	       file_failed(error, path, cause);
}

static bool write_info(const char *path, GKeyFile *info, GError **error)
{
	gsize length;
	g_autofree char *text = g_key_file_to_data(info, &length, NULL);

	return write_file(path, text, (gssize)length, error);
}

static char *read_file(const char *path, GError **error)
{
	GError *cause = NULL;
	char *text;

	if (g_file_get_contents(path, &text, NULL, &cause))
		return text;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND, _("Cannot read '%s': %s"), path,
		cause->message);
	g_error_free(cause);
	return NULL;
}

// ---- revisions --------------------------------------------------------------------------------------

static char *revision_path(const char *dir, unsigned number, const char *ending)
{
	g_autofree char *name = g_strdup_printf("%04u.%s", number, ending);

	return g_build_filename(dir, name, NULL);
}

void revision_free(struct revision *revision)
{
	if (!revision)
		return;
	g_free(revision->user);
	g_free(revision->reason);
	g_free(revision->uri);
	g_free(revision);
}

static char *info_text(GKeyFile *info, const char *key)
{
	char *text = g_key_file_get_string(info, GROUP, key, NULL);

	return text ? text : g_strdup("");
}

static struct revision *read_revision(const char *dir, unsigned number)
{
	g_autofree char *path = revision_path(dir, number, "info");
	g_autofree char *xml = revision_path(dir, number, "xml");
	g_autoptr(GKeyFile) info = g_key_file_new();
	struct revision *revision;

	if (!g_key_file_load_from_file(info, path, G_KEY_FILE_NONE, NULL) ||
		!g_key_file_has_key(info, GROUP, "time", NULL) ||
		!g_file_test(xml, G_FILE_TEST_IS_REGULAR))
		return NULL;
	revision = g_new0(struct revision, 1);
	revision->number = number;
	revision->time = g_key_file_get_int64(info, GROUP, "time", NULL);
	revision->user = info_text(info, "user");
	revision->reason = info_text(info, "reason");
	revision->uri = info_text(info, "uri");
	return revision;
}

static int compare_numbers(gconstpointer a, gconstpointer b)
{
	const struct revision *const *x = a, *const *y = b;

	return (*x)->number < (*y)->number ? -1 : (*x)->number > (*y)->number;
}

GPtrArray *revision_list(const char *uri, const char *uuid)
{
	GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)revision_free);
	g_autofree char *path = state_path("revisions", uri, uuid);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		char *end;
		unsigned long number = strtoul(name, &end, 10);
		struct revision *revision = NULL;

		if (number > 0 && number < G_MAXUINT && !strcmp(end, ".info"))
			revision = read_revision(path, (unsigned)number);
		if (revision)
			g_ptr_array_add(list, revision);
	}
	g_ptr_array_sort(list, compare_numbers);
	return list;
}

char *revision_read(const char *uri, const char *uuid, unsigned number, GError **error)
{
	g_autofree char *dir = state_path("revisions", uri, uuid);
	g_autofree char *path = revision_path(dir, number, "xml");

	if (g_file_test(path, G_FILE_TEST_EXISTS))
		return read_file(path, error);
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND,
		_("There is no revision %u of this guest; 'lodge revisions' lists them."), number);
	return NULL;
}

unsigned revision_add(const char *uri, const char *uuid, const char *xml, const char *user,
	const char *reason, gint64 when, GError **error)
{
	g_autofree char *dir = state_path("revisions", uri, uuid);
	g_autoptr(GPtrArray) list = revision_list(uri, uuid);
	const struct revision *last = list->len ? list->pdata[list->len - 1] : NULL;
	unsigned number = last ? last->number + 1 : 1;
	g_autofree char *newest = last ? revision_read(uri, uuid, last->number, NULL) : NULL;
	g_autofree char *xml_path = revision_path(dir, number, "xml");
	g_autofree char *info_path = revision_path(dir, number, "info");
	g_autoptr(GKeyFile) info = g_key_file_new();

	if (newest && !strcmp(newest, xml))
		return last->number;
	g_key_file_set_int64(info, GROUP, "time", when);
	g_key_file_set_string(info, GROUP, "user", user);
	g_key_file_set_string(info, GROUP, "reason", reason ? reason : "");
	g_key_file_set_string(info, GROUP, "uri", uri);
	// The definition first: a revision is there once its info is.
	return write_file(xml_path, xml, -1, error) && write_info(info_path, info, error) ? number : 0;
}

// ---- drafts -------------------------------------------------------------------------------------------

static char *draft_path(const char *uri, const char *uuid, const char *ending)
{
	g_autofree char *path = state_path("drafts", uri, uuid);

	return g_strconcat(path, ".", ending, NULL);
}

void draft_free(struct draft *draft)
{
	if (!draft)
		return;
	g_free(draft->xml);
	g_free(draft->base);
	g_free(draft->user);
	g_free(draft);
}

struct draft *draft_read(const char *uri, const char *uuid, GError **error)
{
	g_autofree char *xml = draft_path(uri, uuid, "xml");
	g_autofree char *base = draft_path(uri, uuid, "base");
	g_autofree char *info_path = draft_path(uri, uuid, "info");
	g_autoptr(GKeyFile) info = g_key_file_new();
	struct draft *draft;

	if (!g_file_test(xml, G_FILE_TEST_EXISTS))
		return NULL;
	draft = g_new0(struct draft, 1);
	draft->xml = read_file(xml, error);
	draft->base = draft->xml ? read_file(base, error) : NULL;
	if (!draft->base) {
		draft_free(draft);
		return NULL;
	}
	g_key_file_load_from_file(info, info_path, G_KEY_FILE_NONE, NULL);
	draft->began = g_key_file_get_int64(info, GROUP, "began", NULL);
	draft->changed = g_key_file_get_int64(info, GROUP, "changed", NULL);
	draft->user = info_text(info, "user");
	return draft;
}

bool draft_write(const char *uri, const char *uuid, const struct draft *draft, GError **error)
{
	g_autofree char *xml = draft_path(uri, uuid, "xml");
	g_autofree char *base = draft_path(uri, uuid, "base");
	g_autofree char *info_path = draft_path(uri, uuid, "info");
	g_autoptr(GKeyFile) info = g_key_file_new();

	g_key_file_set_int64(info, GROUP, "began", draft->began);
	g_key_file_set_int64(info, GROUP, "changed", draft->changed);
	g_key_file_set_string(info, GROUP, "user", draft->user ? draft->user : "");
	// The draft itself last: it is there once its base is.
	return write_info(info_path, info, error) && write_file(base, draft->base, -1, error) &&
	       write_file(xml, draft->xml, -1, error);
}

bool draft_drop(const char *uri, const char *uuid, GError **error)
{
	static const char *const endings[] = {"xml", "base", "info"};

	for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
		g_autofree char *path = draft_path(uri, uuid, endings[i]);

		if (g_unlink(path) < 0 && errno != ENOENT) {
			int code = errno;

			g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED, _("Cannot remove '%s': %s"),
				path, g_strerror(code));
			return false;
		}
	}
	return true;
}
