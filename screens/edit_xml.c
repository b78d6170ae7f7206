// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

#include "model/xml.h"
#include "screens/edit_private.h"
#include "ui/dialog.h"
#include "ui/page.h"

struct widget *edit_inset(struct widget *w)
{
	struct box *row = row_new(0);

	box_add(row, spacer_new(2, 1), 2, 0);
	box_add(row, w, -1, 1);
	box_add(row, spacer_new(2, 1), 2, 0);
	return WIDGET(row);
}

/* ---- to read ---- */

struct view {
	struct ui_screen screen;
	char *title;
};

static char *view_title(struct ui_screen *screen)
{
	return g_strdup(((struct view *)screen)->title);
}

static enum ui_result view_event(struct ui_screen *screen, struct widget *from, enum ui_result what)
{
	return from && widget_is_button(from) ? UI_CLOSE : UI_HANDLED;
}

static enum ui_result view_key(struct ui_screen *screen, uint32_t key)
{
	return key == UIK_ESC ? UI_CLOSE : UI_IGNORED;
}

static void view_destroy(struct ui_screen *screen)
{
	g_free(((struct view *)screen)->title);
	g_free(screen);
}

static const struct ui_screen_ops view_ops = {
	.name = "view",
	.title = view_title,
	.key = view_key,
	.event = view_event,
	.destroy = view_destroy,
	.help = N_("'/' searches, n and N go to the next and the former hit; the arrow keys scroll, also "
		   "sideways. F8 goes back."),
};

void edit_view(struct console *console, const char *title, enum textview_syntax syntax,
	const char *text)
{
	struct view *view = g_new0(struct view, 1);
	struct textview *tv = textview_new(syntax);
	struct page page = page_new(NULL, NULL, "", WIDGET(tv), true);

	view->title = g_strdup(title);
	textview_set_text(tv, text);
	button_row_add(page.buttons, _("&Back"), 8, "back");
	ui_screen_init(&view->screen, &view_ops, WIDGET(page.box));
	view->screen.focus = WIDGET(tv);
	ui_app_push(console->app, &view->screen);
}

/* ---- to edit here ---- */

struct writing {
	struct ui_screen screen;
	struct edit *edit;
	struct field *field;
	struct label *trouble;
	char *title;
	bool (*taken)(struct edit *edit, const char *text, GError **error);
};

static char *writing_title(struct ui_screen *screen)
{
	return g_strdup(((struct writing *)screen)->title);
}

static bool writing_dirty(struct ui_screen *screen)
{
	return field_changed(((struct writing *)screen)->field);
}

static void take(struct writing *w)
{
	g_autoptr(GError) error = NULL;
	struct edit *edit = w->edit;
	unsigned line;

	if (w->taken(edit, field_text(w->field), &error)) {
		ui_app_close_one(edit->console->app, &w->screen);
		return;
	}
	label_set(w->trouble, error->message, STYLE_BAD);
	line = xml_error_line(field_text(w->field));
	if (line)
		field_multi_go(w->field, line);
	ui_screen_focus(&w->screen, WIDGET(w->field));
	ui_screen_relayout(&w->screen);
}

static enum ui_result writing_event(struct ui_screen *screen, struct widget *from,
	enum ui_result what)
{
	struct writing *w = (struct writing *)screen;

	if (!from || !widget_is_button(from))
		return UI_HANDLED;
	if (g_strcmp0(from->name, "take") == 0)
		take(w);
	else
		ui_app_ask_close(w->edit->console->app, screen);
	return UI_HANDLED;
}

static void writing_destroy(struct ui_screen *screen)
{
	g_free(((struct writing *)screen)->title);
	g_free(screen);
}

static const struct ui_screen_ops writing_ops = {
	.name = "write",
	.title = writing_title,
	.event = writing_event,
	.dirty = writing_dirty,
	.destroy = writing_destroy,
	.help = N_("Edit the text as in any editor. F10 takes it into the draft, if it is right; F9 leaves "
		   "the draft as it was."),
};

void edit_text_here(struct edit *edit, const char *title, const char *text,
	bool (*taken)(struct edit *edit, const char *text, GError **error))
{
	struct writing *w = g_new0(struct writing, 1);
	struct box *box = column_new(0);
	struct page page;

	w->edit = edit;
	w->title = g_strdup(title);
	w->taken = taken;
	w->field = field_multi_new(text, 76, 18);
	w->trouble = label_new("", STYLE_BAD);
	box_add(box, WIDGET(w->field), -1, 1);
	box_add(box, WIDGET(w->trouble), 0, 0);
	page = page_new(NULL, NULL, "XML", WIDGET(box), true);
	button_row_add(page.buttons, _("&Cancel"), 9, "cancel");
	button_row_add(page.buttons, _("&Take over"), 10, "take");
	ui_screen_init(&w->screen, &writing_ops, WIDGET(page.box));
	w->screen.focus = WIDGET(w->field);
	ui_app_push(edit->console->app, &w->screen);
}

/* ---- to edit in the user's own editor ---- */

/* The user's words are a command line; the file is its last word. */
static bool run_editor(struct ui_app *app, const char *path, GError **error)
{
	g_autofree char *quoted = g_shell_quote(path);
	g_autofree char *command = g_strdup_printf("%s %s", edit_editor(), quoted);

	return ui_app_lend(app, (const char *const[]){ "/bin/sh", "-c", command, NULL }, error);
}

/* The text after the editor; NULL with a sentence. */
static char *edited(struct edit *edit, const char *path, const char *text, GError **error)
{
	g_autoptr(GError) cause = NULL;
	char *result = NULL;

	if (g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, &cause) &&
		run_editor(edit->console->app, path, &cause) &&
		g_file_get_contents(path, &result, NULL, &cause))
		return result;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED, _("The editor '%s' failed: %s"),
		edit_editor(), cause->message);
	return NULL;
}

struct again {
	struct edit *edit;
	char *text;
	bool (*taken)(struct edit *edit, const char *text, GError **error);
};

static void again_free(void *p)
{
	struct again *again = p;

	g_free(again->text);
	g_free(again);
}

static void again_answered(bool yes, void *data)
{
	struct again *again = data;

	if (yes)
		edit_text_elsewhere(again->edit, again->text, again->taken);
}

/* What was typed is not lost for a slip: back into the editor with it. */
static void ask_again(struct edit *edit, char *text, const char *why,
	bool (*taken)(struct edit *edit, const char *text, GError **error))
{
	struct again *again = g_new0(struct again, 1);
	struct dialog_question question = { .title = _("XML"), .text = why,
		.yes = _("&Edit again"), .no = _("&Drop the text"), .default_yes = true };

	*again = (struct again){ edit, text, taken };
	dialog_ask(edit->console->app, &question, again_answered, again, again_free);
}

void edit_text_elsewhere(struct edit *edit, const char *text,
	bool (*taken)(struct edit *edit, const char *text, GError **error))
{
	GError *error = NULL;
	g_autofree char *dir = g_dir_make_tmp("lodge-XXXXXX", &error);
	g_autofree char *path = dir ? g_build_filename(dir, "guest.xml", NULL) : NULL;
	g_autofree char *result = dir ? edited(edit, path, text, &error) : NULL;

	if (dir) {
		g_unlink(path);
		g_rmdir(dir);
	}
	if (!result) {
		console_error(edit->console, error);
	} else if (!taken(edit, result, &error)) {
		ask_again(edit, g_steal_pointer(&result), error->message, taken);
		g_error_free(error);
	}
}

/* ---- the draft ---- */

static bool draft_taken(struct edit *edit, const char *text, GError **error)
{
	if (!g_utf8_validate(text, -1, NULL)) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE, _("The text is not UTF-8."));
		return false;
	}
	drafting_settle(edit->draft);
	if (!drafting_replace(edit->draft, text, error))
		return false;
	edit_renew(edit);
	return true;
}

static bool shows_xml(struct edit *edit)
{
	if (edit->shown->page->kind != EDIT_XML)
		edit_go(edit, "xml");
	return edit->shown->page->kind == EDIT_XML;
}

void edit_xml_here(struct edit *edit)
{
	g_autofree char *title = g_strdup_printf(_("Edit %s - XML"), edit->guest->name);

	if (shows_xml(edit))
		edit_text_here(edit, title, document_text(edit->draft->document, NULL), draft_taken);
}

void edit_xml_elsewhere(struct edit *edit)
{
	g_autofree char *text = g_strdup(document_text(edit->draft->document, NULL));

	if (shows_xml(edit))
		edit_text_elsewhere(edit, text, draft_taken);
}
