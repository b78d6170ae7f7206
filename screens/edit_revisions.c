// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "model/difference.h"
#include "screens/edit_private.h"

static char *line_of(const struct revision *revision)
{
	g_autofree char *date = format_date(revision->time);
	g_autofree char *day = g_strndup(date, 16);

	return g_strdup_printf("%3u  %s  %s  %s", revision->number, day, revision->user,
		revision->reason);
}

void edit_revisions_fill(struct edit *edit)
{
	const struct definition *definition = edit->draft->definition;
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

	g_clear_pointer(&edit->revision_list, g_ptr_array_unref);
	edit->revision_list = revision_list(definition->uri, definition->uuid);
	for (guint i = 0; i < edit->revision_list->len; i++)
		g_ptr_array_add(lines, line_of(g_ptr_array_index(edit->revision_list, i)));
	if (!lines->len)
		g_ptr_array_add(lines, g_strdup(_("There are none yet: Apply keeps the first.")));
	g_ptr_array_add(lines, NULL);
	list_set_strv(edit->revisions, (const char *const *)lines->pdata);
	list_set_cursor(edit->revisions, (int)lines->len - 2);
}

static const struct revision *chosen(const struct edit *edit)
{
	int at = list_cursor(edit->revisions);

	if (!edit->revision_list || at < 0 || at >= (int)edit->revision_list->len)
		return NULL;
	return g_ptr_array_index(edit->revision_list, at);
}

static void show_text(struct edit *edit, const struct revision *revision, const char *text)
{
	g_autofree char *title =
		g_strdup_printf(_("Revision %u of %s"), revision->number, edit->guest->name);

	edit_view(edit->console, title, TEXTVIEW_XML, text);
}

static void show_lines(struct edit *edit, const struct revision *revision, const char *text)
{
	GError *error = NULL;
	g_autofree char *label = g_strdup_printf(_("revision %u"), revision->number);
	g_autofree char *lines = difference_lines(
		text, label, edit->draft->definition->saved, _("saved"), &error);
	g_autofree char *title = g_strdup_printf(_("Revision %u of %s and what is saved"),
		revision->number, edit->guest->name);

	if (!lines)
		console_error(edit->console, error);
	else if (!*lines)
		ui_app_toast(edit->console->app, UI_TOAST_INFO,
			_("Revision %u is what is saved now."), revision->number);
	else
		edit_view(edit->console, title, TEXTVIEW_DIFF, lines);
}

static void restore(struct edit *edit, const struct revision *revision, const char *text)
{
	GError *error = NULL;
	unsigned number = revision->number; /* the list is read anew below */

	if (!drafting_replace(edit->draft, text, &error)) {
		console_error(edit->console, error);
		return;
	}
	edit_renew(edit);
	ui_app_toast(edit->console->app, UI_TOAST_INFO,
		_("The draft is revision %u now: F10 reviews it, F6 takes that back."),
		number);
}

bool edit_revisions_key(struct edit *edit, uint32_t key)
{
	static const struct {
		uint32_t key;
		void (*act)(struct edit *edit, const struct revision *revision, const char *text);
	} table[] = { { UIK_ENTER, show_text }, { UIK_F(2), show_text },
		{ UIK_F(5), restore }, { UIK_F(7), show_lines } };
	const struct revision *revision = chosen(edit);
	GError *error = NULL;
	g_autofree char *text = NULL;

	if (edit->shown->page->kind != EDIT_REVISIONS || !revision)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if (table[i].key != key)
			continue;
		text = revision_read(edit->draft->definition->uri, edit->draft->definition->uuid,
			revision->number, &error);
		if (text)
			table[i].act(edit, revision, text);
		else
			console_error(edit->console, error);
		return true;
	}
	return false;
}
