// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "model/devices.h"
#include "model/difference.h"
#include "screens/edit_private.h"
#include "ui/dialog.h"
#include "ui/page.h"
#include "ui/reader.h"

struct merge {
	struct ui_screen screen;
	struct edit *edit;
	struct definition *now; // what is saved now
	char *merged;
	bool conflicts;
	struct textview *view;
	struct frame *frame;
};

/* ---- the merged text ---- */

/* The text with one side of each part that both changed, between the lines that diff3 writes. */
static char *one_side(const char *merged, bool mine)
{
	g_auto(GStrv) lines = g_strsplit(merged, "\n", -1);
	GString *text = g_string_new(NULL);
	char side = 0; // of the part: y yours, b before, t theirs; 0 outside

	for (char **line = lines; *line; line++) {
		if (g_str_has_prefix(*line, "<<<<<<<"))
			side = 'y';
		else if (side && g_str_has_prefix(*line, "|||||||"))
			side = 'b';
		else if (side && g_str_has_prefix(*line, "======="))
			side = 't';
		else if (side && g_str_has_prefix(*line, ">>>>>>>"))
			side = 0;
		else if (!side || side == (mine ? 'y' : 't'))
			g_string_append_printf(text, "%s%s", *line, line[1] ? "\n" : "");
	}
	return g_string_free(text, FALSE);
}

static void show(struct merge *m)
{
	textview_set_text(m->view, m->merged);
	frame_set_title(m->frame, m->conflicts ? _("Both changed the parts between <<< and >>>") :
						 _("Both together"));
	if (m->conflicts)
		textview_search(m->view, "<<<<<<<");
	ui_screen_relayout(&m->screen);
}

static void choose(struct merge *m, bool mine)
{
	char *text = one_side(m->merged, mine);

	g_free(m->merged);
	m->merged = text;
	m->conflicts = false;
	show(m);
}

static bool merged_taken(struct edit *edit, const char *text, GError **error)
{
	struct merge *m = edit->merging;

	if (!drafting_rebase(edit->draft, m->now, text, error))
		return false;
	m->now = NULL;
	ui_app_close_one(edit->console->app, &m->screen);
	edit_renew(edit);
	ui_app_toast(edit->console->app, UI_TOAST_GOOD,
		_("The draft holds both changes now: F10 reviews it again."));
	return true;
}

static void take(struct merge *m)
{
	struct edit *edit = m->edit;
	GError *error = NULL;

	if (m->conflicts)
		ui_app_toast(edit->console->app, UI_TOAST_WARN,
			_("Both changed the same lines: choose yours or theirs, or edit the text."));
	else if (!merged_taken(edit, m->merged, &error))
		console_error(edit->console, error);
}

/* ---- the screen's ops ---- */

static enum ui_result merge_event(struct ui_screen *screen, struct widget *from, enum ui_result what)
{
	struct merge *m = (struct merge *)screen;
	g_autofree char *title = NULL;

	if (!from || !widget_is_button(from))
		return UI_HANDLED;
	if (g_strcmp0(from->name, "take") == 0) {
		take(m);
	} else if (g_strcmp0(from->name, "edit") == 0) {
		title = g_strdup_printf(_("Merge %s"), m->edit->guest->name);
		edit_text_here(m->edit, title, m->merged, merged_taken);
	} else if (g_strcmp0(from->name, "yours") == 0) {
		choose(m, true);
	} else if (g_strcmp0(from->name, "theirs") == 0) {
		choose(m, false);
	} else {
		return UI_CLOSE;
	}
	return UI_HANDLED;
}

static enum ui_result merge_key(struct ui_screen *screen, uint32_t key)
{
	return key == UIK_ESC || key == UIK_F(8) ? UI_CLOSE : UI_IGNORED;
}

static char *merge_title(struct ui_screen *screen)
{
	return g_strdup_printf(_("Merge %s - somebody else changed what is saved"),
		((struct merge *)screen)->edit->guest->name);
}

static void merge_destroy(struct ui_screen *screen)
{
	struct merge *m = (struct merge *)screen;

	m->edit->merging = NULL;
	definition_free(m->now);
	g_free(m->merged);
	g_free(m);
}

static const struct ui_screen_ops merge_ops = {
	.name = "merge",
	.title = merge_title,
	.key = merge_key,
	.event = merge_event,
	.destroy = merge_destroy,
	.help = N_("While you edited, somebody else saved another definition of this guest. Above stands "
		   "what they changed, below both changes together.\n\n"
		   "Parts that both changed stand twice, between lines of <<< and >>>: F5 takes yours, F6 "
		   "theirs, F4 edits the text. F10 makes the whole the draft, to be reviewed again; nothing "
		   "is saved yet."),
};

/* ---- making ---- */

/* What they changed, in words. */
static char *their_words(const struct merge *m)
{
	DOCUMENT_AUTO struct document *now = document_new(m->now->saved, -1, "", NULL);
	g_autoptr(GPtrArray) changes =
		now ? device_changes(m->edit->draft->from, now) : NULL;
	GString *text = g_string_new(NULL);

	for (guint i = 0; changes && i < changes->len; i++) {
		g_autofree char *words = edit_change_words(g_ptr_array_index(changes, i));

		g_string_append_printf(text, "%s\n", words);
	}
	if (!text->len)
		g_string_append(text, _("Only white space or comments differ."));
	return g_string_free(text, FALSE);
}

static struct widget *make_body(struct merge *m)
{
	struct box *all = column_new(0);
	struct button_row *buttons = button_row_new();
	g_autofree char *words = their_words(m);
	struct reader *theirs = reader_new(words);

	m->view = textview_new(TEXTVIEW_XML);
	m->frame = frame_new("", WIDGET(m->view));
	box_add(all, WIDGET(frame_new(_("They changed"), WIDGET(theirs))), 6, 1);
	box_add(all, WIDGET(m->frame), 10, 3);
	button_row_add(buttons, _("&Cancel"), 9, "cancel");
	if (m->conflicts) {
		button_row_add(buttons, _("&Yours"), 5, "yours");
		button_row_add(buttons, _("T&heirs"), 6, "theirs");
	}
	button_row_add(buttons, _("&Edit"), 4, "edit");
	button_row_add(buttons, _("&Take over"), 10, "take");
	box_add(all, edit_inset(WIDGET(buttons)), 1, 0);
	return WIDGET(all);
}

/* Takes both. */
static void open_screen(struct edit *edit, struct definition *now, char *merged, bool conflicts)
{
	struct merge *m = g_new0(struct merge, 1);

	m->edit = edit;
	m->now = now;
	m->merged = merged;
	m->conflicts = conflicts;
	edit->merging = m;
	ui_screen_init(&m->screen, &merge_ops, make_body(m));
	m->screen.focus = WIDGET(m->view);
	ui_app_push(edit->console->app, &m->screen);
	show(m);
}

static void read_done(struct edit_answer *answer, void *data)
{
	struct edit *edit = data;
	const char *base = document_text(edit->draft->from, NULL);
	const char *mine = document_text(edit->draft->document, NULL);
	GError *error = NULL;
	char *merged;
	bool conflicts;

	edit->reading = 0;
	if (answer->error) {
		console_error(edit->console, g_steal_pointer(&answer->error));
		return;
	}
	if (!answer->definition->saved) {
		ui_app_toast(edit->console->app, UI_TOAST_BAD,
			_("%s is no longer saved on its host; the draft is kept."), edit->guest->name);
		return;
	}
	merged = difference_merge(mine, base, answer->definition->saved, &conflicts, &error);
	if (merged)
		open_screen(edit, g_steal_pointer(&answer->definition), merged, conflicts);
	else
		console_error(edit->console, error);
}

void edit_merge(struct edit *edit)
{
	edit_forget(edit->reading);
	edit->reading = edit_read(edit->guest, read_done, edit);
}
