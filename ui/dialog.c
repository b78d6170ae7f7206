// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/dialog.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ui/button.h"
#include "ui/layout.h"
#include "ui/list.h"
#include "ui/reader.h"

/// Lists and details inside a dialog scroll when they are longer.
#define NAMES_MAX 10
#define DETAILS_HEIGHT 8
#define DETAILS_WIDTH 64
#define CHOICES_MAX 16

struct dialog_press {
	struct widget *button;
	int id;
	bool check;
};

struct dialog {
	struct ui_screen screen;
	struct widget *body;
	struct button_row *row;
	GArray *presses; // of struct dialog_press
	bool (*done)(struct dialog *d, int id, void *data);
	void *data;
	GDestroyNotify free_data;
};

/// Asks the owner; checks the forms first where the button wants it.
static enum ui_result dialog_press(struct dialog *d, int id, bool check)
{
	struct widget *bad;

	if (check && !widget_tree_valid(d->body, &bad)) {
		widget_grab_focus(bad);
		term_beep(ui_app_term(d->screen.app));
		return UI_HANDLED;
	}
	return !d->done || d->done(d, id, d->data) ? UI_CLOSE : UI_HANDLED;
}

/// The button that Enter in a field or list means: the one with F10.
static enum ui_result dialog_accept(struct dialog *d)
{
	for (guint i = 0; i < d->presses->len; i++) {
		struct dialog_press *p = &g_array_index(d->presses, struct dialog_press, i);

		if (button_fkey((struct button *)p->button) == 10)
			return dialog_press(d, p->id, p->check);
	}
	return UI_HANDLED;
}

static enum ui_result dialog_event(struct ui_screen *s, struct widget *from, enum ui_result what)
{
	struct dialog *d = (struct dialog *)s;

	if (what != UI_ACTIVATED)
		return UI_HANDLED;
	for (guint i = 0; i < d->presses->len; i++) {
		struct dialog_press *p = &g_array_index(d->presses, struct dialog_press, i);

		if (p->button == from)
			return dialog_press(d, p->id, p->check);
	}
	return dialog_accept(d);
}

static enum ui_result dialog_key(struct ui_screen *s, uint32_t key)
{
	if (key == UIK_ESC || key == UIK_F(9) || key == UIK_CTRL('c'))
		return dialog_press((struct dialog *)s, 0, false);
	return UI_IGNORED;
}

static void dialog_destroy(struct ui_screen *s)
{
	struct dialog *d = (struct dialog *)s;

	if (d->free_data)
		d->free_data(d->data);
	g_array_unref(d->presses);
	g_free(d);
}

static const struct ui_screen_ops dialog_ops = {
	.name = "dialog",
	.event = dialog_event,
	.key = dialog_key,
	.destroy = dialog_destroy,
};

struct dialog *dialog_new(const char *title, struct widget *body)
{
	struct dialog *d = g_new0(struct dialog, 1);
	struct box *column = column_new(1);

	d->body = body;
	d->row = button_row_new();
	d->presses = g_array_new(FALSE, TRUE, sizeof(struct dialog_press));
	box_add(column, body, 0, 1);
	box_add(column, WIDGET(d->row), 1, 0);
	ui_screen_init(&d->screen, &dialog_ops, WIDGET(column));
	d->screen.popup = true;
	d->screen.popup_title = g_strdup(title);
	return d;
}

void dialog_button(struct dialog *d, const char *label, int fkey, int id, bool check)
{
	struct dialog_press p = { WIDGET(button_row_add(d->row, label, fkey, NULL)), id, check };

	g_array_append_val(d->presses, p);
}

void dialog_default(struct dialog *d, int id)
{
	for (guint i = 0; i < d->presses->len; i++) {
		struct dialog_press *p = &g_array_index(d->presses, struct dialog_press, i);

		if (p->id == id)
			ui_screen_focus(&d->screen, p->button);
	}
}

void dialog_open(struct ui_app *app, struct dialog *d,
	bool (*done)(struct dialog *d, int id, void *data), void *data, GDestroyNotify free_data)
{
	d->done = done;
	d->data = data;
	d->free_data = free_data;
	ui_app_push(app, &d->screen);
}

struct ui_screen *dialog_screen(struct dialog *d)
{
	return &d->screen;
}

struct widget *dialog_body(struct dialog *d)
{
	return d->body;
}

// ---- messages and questions

enum { ID_CANCEL = 0, ID_YES = 1, ID_DETAILS = 2 };

struct ask {
	void (*answer)(bool yes, void *data);
	void *data;
	GDestroyNotify free_data;
	struct widget *details;
};

static void ask_free(void *data)
{
	struct ask *a = data;

	if (a->free_data)
		a->free_data(a->data);
	g_free(a);
}

static bool ask_done(struct dialog *d, int id, void *data)
{
	struct ask *a = data;

	if (id == ID_DETAILS) {
		widget_set_hidden(a->details, !a->details->hidden);
		return false;
	}
	ui_app_close(d->screen.app, &d->screen);
	if (a->answer)
		a->answer(id == ID_YES, a->data);
	return false;
}

/// Text, names and folded details, one below the other.
static struct widget *ask_body(struct ask *a, const char *text, enum ui_style style,
	const char *const *names, const char *details)
{
	struct box *column = column_new(1);

	box_add(column, WIDGET(label_new(text, style)), 0, 0);
	if (names && *names) {
		struct list *list = list_new(LIST_STATIC);

		list_set_strv(list, names);
		box_add(column, WIDGET(list), (int)MIN(list_length(list), NAMES_MAX), 0);
	}
	if (details && *details) {
		a->details = WIDGET(reader_new(details));
		box_add(column, a->details,
			CLAMP(widget_want(a->details, DETAILS_WIDTH).h, 1, DETAILS_HEIGHT), 1);
		a->details->hidden = true;
	}
	return WIDGET(column);
}

void dialog_message(
	struct ui_app *app, enum dialog_kind kind, const char *text, const char *details)
{
	static const struct {
		const char *title;
		enum ui_style style;
	} kinds[] = {
		[DIALOG_INFO] = { N_("Message"), STYLE_TEXT },
		[DIALOG_WARNING] = { N_("Warning"), STYLE_EMPHASIS },
		[DIALOG_ERROR] = { N_("Error"), STYLE_EMPHASIS },
	};
	struct ask *a = g_new0(struct ask, 1);
	const char *newline = strchr(text, '\n');
	g_autofree char *first =
		newline ? g_strndup(text, (size_t)(newline - text)) : g_strdup(text);
	struct dialog *d;

	if (!details && newline && newline[1])
		details = newline + 1;
	d = dialog_new(_(kinds[kind].title), ask_body(a, first, kinds[kind].style, NULL, details));
	if (a->details)
		dialog_button(d, _("&Details"), 2, ID_DETAILS, false);
	dialog_button(d, _("&OK"), 10, ID_CANCEL, false);
	dialog_default(d, ID_CANCEL);
	dialog_open(app, d, ask_done, a, ask_free);
}

void dialog_ask(struct ui_app *app, const struct dialog_question *q,
	void (*answer)(bool yes, void *data), void *data, GDestroyNotify free_data)
{
	struct ask *a = g_new0(struct ask, 1);
	struct dialog *d;

	*a = (struct ask){ .answer = answer, .data = data, .free_data = free_data };
	d = dialog_new(q->title ? q->title : _("Question"),
		       ask_body(a, q->text, STYLE_TEXT, q->names, q->details));
	dialog_button(d, q->yes ? q->yes : _("&Yes"), 10, ID_YES, false);
	if (a->details)
		dialog_button(d, _("&Details"), 2, ID_DETAILS, false);
	dialog_button(d, q->no ? q->no : _("&No"), 9, ID_CANCEL, false);
	dialog_default(d, q->default_yes ? ID_YES : ID_CANCEL);
	dialog_open(app, d, ask_done, a, ask_free);
}

static bool just_close(struct dialog *d, int id, void *data)
{
	return true;
}

void dialog_text(struct ui_app *app, const char *title, const char *text)
{
	struct dialog *d = dialog_new(title, WIDGET(reader_new(text)));

	dialog_button(d, _("&OK"), 10, ID_CANCEL, false);
	dialog_default(d, ID_CANCEL);
	dialog_open(app, d, just_close, NULL, NULL);
}

// ---- input and choice

struct input {
	struct field *field;
	struct list *list;
	void (*text_answer)(const char *text, void *data);
	void (*index_answer)(int index, void *data);
	void *data;
	GDestroyNotify free_data;
};

static void input_free(void *data)
{
	struct input *in = data;

	if (in->free_data)
		in->free_data(in->data);
	g_free(in);
}

static bool input_done(struct dialog *d, int id, void *data)
{
	struct input *in = data;

	ui_app_close(d->screen.app, &d->screen);
	if (in->text_answer)
		in->text_answer(id == ID_YES ? field_text(in->field) : NULL, in->data);
	if (in->index_answer)
		in->index_answer(id == ID_YES ? list_cursor(in->list) : -1, in->data);
	return false;
}

static void input_open(struct ui_app *app, struct dialog *d, struct input *in)
{
	dialog_button(d, _("&OK"), 10, ID_YES, true);
	dialog_button(d, _("&Cancel"), 9, ID_CANCEL, false);
	dialog_open(app, d, input_done, in, input_free);
}

void dialog_input(struct ui_app *app, const char *title, const char *label, const char *initial,
	bool (*valid)(const char *text, void *data, GError **error),
	void (*answer)(const char *text, void *data), void *data, GDestroyNotify free_data)
{
	struct input *in = g_new0(struct input, 1);
	struct form *form = form_new();

	in->field = field_text_new(initial, 40);
	in->text_answer = answer;
	in->data = data;
	in->free_data = free_data;
	field_set_validator(in->field, valid, data);
	form_add(form, label, WIDGET(in->field), NULL);
	input_open(app, dialog_new(title, WIDGET(form)), in);
}

void dialog_choose(struct ui_app *app, const char *title, const char *const *items, int current,
		   void (*answer)(int index, void *data), void *data, GDestroyNotify free_data)
{
	struct input *in = g_new0(struct input, 1);
	struct dialog *d;

	in->list = list_new(LIST_PLAIN);
	in->index_answer = answer;
	in->data = data;
	in->free_data = free_data;
	list_set_strv(in->list, items);
	list_set_cursor(in->list, current);
	d = dialog_new(title, WIDGET(in->list));
	d->screen.popup_h = (int)MIN(list_length(in->list), CHOICES_MAX) + 2;
	input_open(app, d, in);
}
