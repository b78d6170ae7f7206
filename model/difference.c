// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/difference.h"
#include "model/error.h"
#include "model/xml.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

// ---- in words -------------------------------------------------------------------------------------

static void change_free(struct change *change)
{
	g_free(change->name);
	g_free(change->from);
	g_free(change->to);
	g_free(change);
}

static void add_change(GPtrArray *changes, const char *name, const char *from, const char *to,
	enum key_effect possible)
{
	struct change *change = g_new0(struct change, 1);

	change->name = g_strdup(name);
	change->from = g_strdup(from);
	change->to = g_strdup(to);
	change->possible = possible;
	g_ptr_array_add(changes, change);
}

// The keys of both, those of the first in order, then what only the second has.
static GPtrArray *all_names(const struct document *from, const struct document *to)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	g_auto(GStrv) old = key_names(from);
	g_auto(GStrv) new = key_names(to);

	for (int side = 0; side < 2; side++)
		for (char **name = side ? new : old; *name; name++)
			if (!g_hash_table_contains(seen, *name)) {
				char *copy = g_strdup(*name);

				g_ptr_array_add(all, copy);
				g_hash_table_add(seen, copy);
			}
	return all;
}

// A key's value; an element that is not there says "no" of itself, which is nothing to tell.
static char *set_value(const struct document *document, const char *name, const struct key *key)
{
	char *value = key_get(document, name, NULL);

	if (key->kind == KEY_PRESENCE && !g_strcmp0(value, "no"))
		g_clear_pointer(&value, g_free);
	return value;
}

static void compare_keys(const struct document *from, const struct document *to, GPtrArray *changes)
{
	g_autoptr(GPtrArray) names = all_names(from, to);

	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *member = NULL;
		const struct key *key = key_find(name, &member, NULL);
		g_autofree char *old = set_value(from, name, key);
		g_autofree char *new = set_value(to, name, key);

		if (g_strcmp0(old, new))
			add_change(changes, name, old, new, key->effect);
	}
}

// ---- what no key names ------------------------------------------------------------------------------

// The text of an element without what its children hold: name, attributes, own text. Sizes are
// in bytes, whatever their unit.
static char *own_text(xmlNode *element)
{
	GString *text = g_string_new((const char *)element->name);
	xmlNode *child = element->children;
	g_autofree char *size = key_size_text(element);

	if (size) {
		g_string_append_printf(text, " %s", size);
		return g_string_free(text, FALSE);
	}
	for (const xmlAttr *a = element->properties; a; a = a->next) {
		g_autofree char *value = xml_attribute(element, (const char *)a->name);

		g_string_append_printf(text, " %s='%s'", a->name, value ? value : "");
	}
	for (; child; child = child->next)
		if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) {
			g_autofree char *own = g_strdup((const char *)child->content);

			if (*g_strstrip(own))
				g_string_append_printf(text, " %s", own);
		}
	return g_string_free(text, FALSE);
}

// "devices/disk[2]/driver": what names an element in a sentence. The first of several has the name of
// an only one, so that it keeps it when more come.
static char *short_path(xmlNode *element)
{
	xmlChar *path = xmlGetNodePath(element);
	GString *name = g_string_new(g_str_has_prefix((char *)path, "/domain/") ?
					     (char *)path + strlen("/domain/") :
					     (char *)path);

	xmlFree(path);
	g_string_replace(name, "[1]", "", 0);
	return g_string_free(name, FALSE);
}

static GHashTable *elements_by_path(const struct document *document, GPtrArray *order)
{
	GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GPtrArray) all = document_find_all(document, "//*");

	for (guint i = 0; i < all->len; i++) {
		char *path = short_path(all->pdata[i]);

		if (order)
			g_ptr_array_add(order, g_strdup(path));
		g_hash_table_insert(table, path, own_text(all->pdata[i]));
	}
	return table;
}

// Elements that differ and that no changed key already told of.
static void compare_elements(const struct document *from, const struct document *to, GPtrArray *changes)
{
	g_autoptr(GPtrArray) order = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) old = elements_by_path(from, order);
	g_autoptr(GHashTable) new = elements_by_path(to, order);
	g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < order->len; i++) {
		const char *path = order->pdata[i];
		const char *was = g_hash_table_lookup(old, path), *is = g_hash_table_lookup(new, path);

		if (g_strcmp0(was, is) && g_hash_table_add(told, order->pdata[i]))
			add_change(changes, path, was, is, KEY_AT_NEXT_START);
	}
}

// A document with the named keys of another, so that only what no key names is left to compare.
static struct document *with_keys_of(const struct document *document, const struct document *other,
	const GPtrArray *changes)
{
	gsize length;
	const char *text = document_text(document, &length);
	struct document *copy = document_new(text, (gssize)length, "the copy", NULL);

	for (guint i = 0; copy && i < changes->len; i++) {
		const struct change *change = changes->pdata[i];
		g_autofree char *value = key_get(other, change->name, NULL);

		key_set(copy, change->name, value ? value : "", NULL);
	}
	return copy;
}

GPtrArray *difference_changes(const struct document *from, const struct document *to)
{
	GPtrArray *changes = g_ptr_array_new_with_free_func((GDestroyNotify)change_free);
	DOCUMENT_AUTO struct document *rest = NULL;

	compare_keys(from, to, changes);
	rest = with_keys_of(from, to, changes);
	if (rest)
		compare_elements(rest, to, changes);
	return changes;
}

char *change_words(const struct change *change)
{
	if (!change->from)
		return g_strdup_printf(_("%s: set to %s"), change->name, change->to);
	if (!change->to)
		return g_strdup_printf(_("%s: %s removed"), change->name, change->from);
	return g_strdup_printf(_("%s: %s -> %s"), change->name, change->from, change->to);
}

const char *change_effect_words(enum change_effect effect)
{
	switch (effect) {
	case CHANGE_NOW:
		return _("takes effect now");
	case CHANGE_BOTH:
		return _("takes effect now and at next start");
	default:
		return _("takes effect at next start");
	}
}

// ---- in lines -----------------------------------------------------------------------------------------

static char *write_temporary(const char *text, GError **error)
{
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("lodge-XXXXXX", &path, error);

	if (fd < 0)
		return NULL;
	g_close(fd, NULL);
	return g_file_set_contents(path, text, -1, error) ? g_steal_pointer(&path) : NULL;
}

static void unlink_free(char *path)
{
	if (path)
		g_unlink(path);
	g_free(path);
}

// Runs diff or diff3: 0 and 1 are answers, anything else is trouble.
static char *run(const char *const *arguments, int *status, GError **error)
{
	g_autoptr(GSubprocess) process = g_subprocess_newv(
		arguments, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, error);
	char *output = NULL;

	if (!process || !g_subprocess_communicate_utf8(process, NULL, NULL, &output, NULL, error))
		return NULL;
	*status = g_subprocess_get_if_exited(process) ? g_subprocess_get_exit_status(process) : 2;
	if (*status <= 1)
		return output;
	g_free(output);
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED, _("%s cannot compare the texts."), arguments[0]);
	return NULL;
}

char *difference_lines(const char *from, const char *from_label, const char *to,
	const char *to_label, GError **error)
{
	char *a = write_temporary(from, error);
	char *b = a ? write_temporary(to, error) : NULL;
	const char *const arguments[] = {
		"diff", "-u", "--label", from_label, "--label", to_label, "--", a, b, NULL};
	int status;
	char *output = b ? run(arguments, &status, error) : NULL;

	unlink_free(a);
	unlink_free(b);
	return output;
}

char *difference_merge(const char *mine, const char *base, const char *theirs, bool *conflicts,
	GError **error)
{
	char *a = write_temporary(mine, error);
	char *o = a ? write_temporary(base, error) : NULL;
	char *b = o ? write_temporary(theirs, error) : NULL;
	const char *const arguments[] = {"diff3", "-m", "-L", _("yours"), "-L", _("before"), "-L",
		_("theirs"), "--", a, o, b, NULL};
	int status = 2;
	char *output = b ? run(arguments, &status, error) : NULL;

	unlink_free(a);
	unlink_free(o);
	unlink_free(b);
	if (output)
		*conflicts = status == 1;
	return output;
}
