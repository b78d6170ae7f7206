// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/form.h"

#include <string.h>

#include "ui/app.h"

struct form_row {
	struct ui_hotlabel label;
	struct widget *field; // NULL: a heading or a blank line
	char *hint;
	char *heading;
	int y, h;      // in the form, unscrolled
	int message_y; // where hint or error stand: beside the field or below it
	int message_x;
};

struct form {
	struct widget widget;
	GArray *rows; // of struct form_row
	int height;   // of all rows
	int top;      // scrolled by so many lines
};

/// Between label, field and hint.
#define GAP 1
#define HINT_GAP 2
/// A hint that does not fit is shortened beside its field where there is at least this much room.
#define MESSAGE_ROOM 20

static struct form_row *row(const struct form *f, size_t i)
{
	return &g_array_index(f->rows, struct form_row, i);
}

static int label_width(const struct form *f, int width)
{
	int most = 0;

	for (size_t i = 0; i < f->rows->len; i++)
		if (row(f, i)->field && !row(f, i)->field->hidden)
			most = MAX(most, ui_hotlabel_width(&row(f, i)->label));
	return most ? MIN(most, width * 3 / 5) + GAP : 0;
}

/// What stands beside or below the field; NULL: nothing.
static const char *message(const struct form_row *r, bool *wrong)
{
	const char *error =
		widget_is_field(r->field) ? field_error((struct field *)r->field) : NULL;

	*wrong = error != NULL;
	return error ? error : r->hint;
}

static struct ui_size form_want(struct widget *w, int width)
{
	struct form *f = (struct form *)w;
	struct ui_size size = { 0, 0 };
	int label = label_width(f, width == G_MAXINT ? 80 : width);

	for (size_t i = 0; i < f->rows->len; i++) {
		struct form_row *r = row(f, i);
		struct ui_size want = { text_width(r->heading), 1 };

		if (r->field && r->field->hidden)
			continue;
		if (r->field) {
			want = widget_want(r->field, width == G_MAXINT ? width : width - label);
			want.w += label + (r->hint ? HINT_GAP + text_width(r->hint) : 0);
		}
		size.w = MAX(size.w, want.w);
		size.h += MAX(want.h, 1);
	}
	if (width == G_MAXINT)
		size.h++; // where an error may appear
	size.w = MIN(size.w + 1, 76);
	return size;
}

/// Places one row at line Y of the form; returns its height.
static int place_row(struct form *f, struct form_row *r, int y, int label)
{
	const struct ui_rect *a = &f->widget.area;
	int room = MAX(a->w - label - 1, 1), x = label ? label : 0;
	struct ui_size want;
	const char *text;
	bool wrong;

	r->y = y;
	r->h = 1;
	if (!r->field)
		return 1;
	if (r->field->hidden)
		return r->h = 0;
	want = widget_want(r->field, room);
	want.w = MIN(want.w, room);
	want.h = MAX(want.h, 1);
	widget_place(r->field, (struct ui_rect){ a->x + x, a->y + y - f->top, want.w, want.h });
	r->h = want.h;
	text = message(r, &wrong);
	r->message_x = x + want.w + HINT_GAP;
	r->message_y = 0;
	if (text && r->message_x + text_width(text) > a->w - 1 && (wrong || room - want.w < MESSAGE_ROOM)) {
		r->message_x = x;
		r->message_y = r->h;
		r->h++;
	}
	return r->h;
}

static void form_layout(struct widget *w)
{
	struct form *f = (struct form *)w;
	int label = label_width(f, w->area.w), y = 0;

	for (size_t i = 0; i < f->rows->len; i++)
		y += place_row(f, row(f, i), y, label);
	f->height = y;
	if (f->top > MAX(y - w->area.h, 0)) {
		f->top = MAX(y - w->area.h, 0);
		form_layout(w);
	}
}

static struct form_row *focused_row(const struct form *f)
{
	for (size_t i = 0; i < f->rows->len; i++)
		if (row(f, i)->field && widget_has_focus(row(f, i)->field))
			return row(f, i);
	return NULL;
}

/// Scrolls so that the focused row with its message is seen, with the headings just before it.
static void scroll_to_focus(struct form *f)
{
	struct form_row *r = focused_row(f);
	int top = f->top;

	if (!r || f->height <= f->widget.area.h)
		top = 0;
	else
		top = CLAMP(top, r->y + r->h - f->widget.area.h, MAX(r->y - 1, 0));
	top = CLAMP(top, 0, MAX(f->height - f->widget.area.h, 0));
	if (top == f->top)
		return;
	f->top = top;
	form_layout(&f->widget);
}

static void draw_row(struct form *f, struct form_row *r, const struct canvas *c, int label)
{
	int y = r->y - f->top;
	bool wrong, off;
	const char *text;

	if (!r->field) {
		canvas_text(c, 0, y, STYLE_HEADING, r->heading);
		return;
	}
	if (r->field->hidden)
		return;
	off = r->field->disabled;
	if (widget_shows_focus(r->field) && c->look->braille && label > 0)
		canvas_text(c, label - 1, y, STYLE_LABEL, ">");
	ui_hotlabel_draw(&r->label, c, 0, y, label - GAP, off ? STYLE_DIM : STYLE_LABEL,
			 off ? STYLE_DIM : STYLE_HOTKEY);
	widget_draw(r->field, c);
	text = message(r, &wrong);
	if (text)
		canvas_fit(c, r->message_x, y + r->message_y, c->w - r->message_x - 1, TEXT_LEFT,
			   wrong ? STYLE_BAD : STYLE_DIM, text);
}

static void form_draw(struct widget *w, const struct canvas *c)
{
	struct form *f = (struct form *)w;
	int label;

	form_layout(w); // messages come and go with what is typed
	scroll_to_focus(f);
	label = label_width(f, c->w);
	for (size_t i = 0; i < f->rows->len; i++)
		draw_row(f, row(f, i), c, label);
	if (f->top > 0)
		canvas_glyph(c, c->w - 1, 0, STYLE_FRAME, GLYPH_UP);
	if (f->top + c->h < f->height)
		canvas_glyph(c, c->w - 1, c->h - 1, STYLE_FRAME, GLYPH_DOWN);
}

static struct widget *form_child(struct widget *w, size_t i)
{
	struct form *f = (struct form *)w;

	for (size_t k = 0; k < f->rows->len; k++)
		if (row(f, k)->field && i-- == 0)
			return row(f, k)->field;
	return NULL;
}

/// Labels of rows that have one, in order.
static struct form_row *labelled(struct form *f, size_t i)
{
	for (size_t k = 0; k < f->rows->len; k++) {
		struct form_row *r = row(f, k);

		if (r->field && r->label.text && *r->label.text && !r->field->hidden &&
			!r->field->disabled && i-- == 0)
			return r;
	}
	return NULL;
}

static struct ui_hotlabel *form_hotlabel(struct widget *w, size_t i)
{
	struct form_row *r = labelled((struct form *)w, i);

	return r ? &r->label : NULL;
}

static enum ui_result form_hotkey(struct widget *w, size_t i)
{
	struct form_row *r = labelled((struct form *)w, i);

	if (r)
		widget_grab_focus(r->field);
	return UI_HANDLED;
}

static enum ui_result form_mouse(struct widget *w, const struct ui_mouse *m)
{
	struct form *f = (struct form *)w;
	struct ui_screen *s = widget_screen(w);

	if (m->kind != UI_MOUSE_PRESS || !s)
		return UI_IGNORED;
	for (size_t i = 0; i < f->rows->len; i++) { // a click on the label means its field
		struct form_row *r = row(f, i);

		if (r->field && m->y + f->top >= r->y && m->y + f->top < r->y + r->h)
			widget_grab_focus(r->field);
	}
	return UI_HANDLED;
}

static void clear_row(void *p)
{
	struct form_row *r = p;

	ui_hotlabel_clear(&r->label);
	widget_free(r->field);
	g_free(r->hint);
	g_free(r->heading);
}

static void form_destroy(struct widget *w)
{
	g_array_unref(((struct form *)w)->rows);
}

static const struct widget_ops form_ops = {
	.name = "form",
	.draw = form_draw,
	.want = form_want,
	.layout = form_layout,
	.mouse = form_mouse,
	.child = form_child,
	.hotlabel = form_hotlabel,
	.hotkey = form_hotkey,
	.destroy = form_destroy,
};

struct form *form_new(void)
{
	struct form *f = g_new0(struct form, 1);

	widget_init(&f->widget, &form_ops);
	f->rows = g_array_new(FALSE, TRUE, sizeof(struct form_row));
	g_array_set_clear_func(f->rows, clear_row);
	return f;
}

void form_add(struct form *f, const char *label, struct widget *field, const char *hint)
{
	struct form_row r = { .field = field, .hint = g_strdup(hint) };

	ui_hotlabel_set(&r.label, label);
	field->parent = &f->widget;
	g_array_append_val(f->rows, r);
	widget_relayout(&f->widget);
}

void form_set_hint(struct form *f, struct widget *field, const char *hint)
{
	for (size_t i = 0; i < f->rows->len; i++)
		if (row(f, i)->field == field && g_strcmp0(row(f, i)->hint, hint)) {
			g_free(row(f, i)->hint);
			row(f, i)->hint = g_strdup(hint);
			widget_touch(&f->widget);
		}
}

void form_heading(struct form *f, const char *text)
{
	struct form_row r = { .heading = g_strdup(text) };

	r.label.pos = -1;
	g_array_append_val(f->rows, r);
	widget_relayout(&f->widget);
}

void form_clear(struct form *f)
{
	g_array_set_size(f->rows, 0);
	f->top = 0;
	widget_relayout(&f->widget);
}

bool form_changed(const struct form *f)
{
	return widget_tree_changed((struct widget *)f);
}

void form_accept(struct form *f)
{
	for (size_t i = 0; i < f->rows->len; i++)
		if (row(f, i)->field && widget_is_field(row(f, i)->field))
			field_accept((struct field *)row(f, i)->field);
}

bool form_valid(struct form *f, struct widget **bad)
{
	return widget_tree_valid(&f->widget, bad);
}

bool widget_is_form(const struct widget *w)
{
	return w->ops == &form_ops;
}

bool widget_tree_changed(struct widget *root)
{
	struct widget *child;

	if (widget_is_field(root))
		return field_changed((struct field *)root);
	for (size_t i = 0; root->ops->child && (child = root->ops->child(root, i)); i++)
		if (widget_tree_changed(child))
			return true;
	return false;
}

bool widget_tree_valid(struct widget *root, struct widget **bad)
{
	struct widget *child;

	if (root->hidden || root->disabled)
		return true;
	if (widget_is_field(root) && field_error((struct field *)root)) {
		if (bad)
			*bad = root;
		return false;
	}
	for (size_t i = 0; root->ops->child && (child = root->ops->child(root, i)); i++)
		if (!widget_tree_valid(child, bad))
			return false;
	return true;
}
