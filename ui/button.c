// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/button.h"

#include "ui/app.h"

struct button {
	struct widget widget;
	struct ui_hotlabel label;
	int fkey;
};

static struct ui_size button_want(struct widget *w, int width)
{
	return (struct ui_size){ ui_hotlabel_width(&((struct button *)w)->label) + 4, 1 };
}

static void button_draw(struct widget *w, const struct canvas *c)
{
	struct button *b = (struct button *)w;
	enum ui_style style = w->disabled  ? STYLE_DIM
			      : w->focused ? STYLE_BUTTON_FOCUS
					   : STYLE_BUTTON;
	enum ui_style hot = w->disabled  ? STYLE_DIM
			    : w->focused ? STYLE_HOTKEY_FOCUS
					 : STYLE_HOTKEY;
	bool mark = w->focused && c->look->braille;
	int width = ui_hotlabel_width(&b->label);

	canvas_text(c, 0, 0, style, w->disabled ? "( " : mark ? "[>" : "[ ");
	ui_hotlabel_draw(&b->label, c, 2, 0, width, style, hot);
	canvas_text(c, 2 + width, 0, style, w->disabled ? " )" : mark ? "<]" : " ]");
}

static enum ui_result button_key(struct widget *w, uint32_t key)
{
	return key == UIK_ENTER || key == ' ' ? UI_ACTIVATED : UI_IGNORED;
}

static enum ui_result button_mouse(struct widget *w, const struct ui_mouse *m)
{
	bool inside = m->x >= 0 && m->x < w->area.w && m->y == 0;

	if (m->button != 1)
		return UI_IGNORED;
	return m->kind == UI_MOUSE_RELEASE && inside ? UI_ACTIVATED : UI_HANDLED;
}

static bool button_focusable(const struct widget *w)
{
	return true;
}

static bool button_cursor(struct widget *w, int *x, int *y)
{
	*x = 2;
	*y = 0;
	return false;
}

static struct ui_hotlabel *button_hotlabel(struct widget *w, size_t i)
{
	return i == 0 ? &((struct button *)w)->label : NULL;
}

static enum ui_result button_hotkey(struct widget *w, size_t i)
{
	return UI_ACTIVATED;
}

static void button_destroy(struct widget *w)
{
	ui_hotlabel_clear(&((struct button *)w)->label);
}

static const struct widget_ops button_ops = {
	.name = "button",
	.draw = button_draw,
	.want = button_want,
	.key = button_key,
	.mouse = button_mouse,
	.focusable = button_focusable,
	.cursor = button_cursor,
	.hotlabel = button_hotlabel,
	.hotkey = button_hotkey,
	.destroy = button_destroy,
};

struct button *button_new(const char *label, int fkey)
{
	struct button *b = g_new0(struct button, 1);

	widget_init(&b->widget, &button_ops);
	ui_hotlabel_set(&b->label, label);
	b->fkey = fkey;
	return b;
}

void button_set_label(struct button *b, const char *label)
{
	ui_hotlabel_set(&b->label, label);
	widget_relayout(&b->widget);
}

int button_fkey(const struct button *b)
{
	return b->fkey;
}

const char *button_text(const struct button *b)
{
	return b->label.text;
}

bool widget_is_button(const struct widget *w)
{
	return w->ops == &button_ops;
}

// ---- the row

struct button_row {
	struct widget widget;
	GPtrArray *buttons;
};

static struct ui_size row_want(struct widget *w, int width)
{
	struct button_row *r = (struct button_row *)w;
	int sum = 0;

	for (guint i = 0; i < r->buttons->len; i++) {
		struct widget *b = r->buttons->pdata[i];

		sum += b->hidden ? 0 : button_want(b, width).w + (i > 0 ? 2 : 0);
	}
	return (struct ui_size){ sum, 1 };
}

/// Gaps between the shown buttons share what the buttons leave; a single one stands in the middle.
static void row_layout(struct widget *w)
{
	struct button_row *r = (struct button_row *)w;
	int rest = w->area.w, shown = 0, x = w->area.x;

	for (guint i = 0; i < r->buttons->len; i++) {
		struct widget *b = r->buttons->pdata[i];

		rest -= widget_want(b, G_MAXINT).w;
		shown += !b->hidden;
	}
	if (shown == 1)
		x += MAX(rest, 0) / 2;
	for (guint i = 0; i < r->buttons->len; i++) {
		struct widget *b = r->buttons->pdata[i];
		struct ui_size size = widget_want(b, G_MAXINT);
		int gap = shown > 1 ? MAX(rest, 0) / (shown - 1) : 0;

		widget_place(b, (struct ui_rect){ x, w->area.y, size.w, 1 });
		if (b->hidden)
			continue;
		x += size.w + gap;
		rest -= gap;
		shown--;
	}
}

static void row_draw(struct widget *w, const struct canvas *c)
{
	struct button_row *r = (struct button_row *)w;

	for (guint i = 0; i < r->buttons->len; i++)
		widget_draw(r->buttons->pdata[i], c);
}

static enum ui_result row_key(struct widget *w, uint32_t key)
{
	struct ui_screen *s = widget_screen(w);
	struct widget *next;

	if (!s || (key != UIK_LEFT && key != UIK_RIGHT))
		return UI_IGNORED;
	next = widget_focus_next(w, s->focus, key == UIK_RIGHT);
	if (next)
		ui_screen_focus(s, next);
	return UI_HANDLED;
}

static struct widget *row_child(struct widget *w, size_t i)
{
	struct button_row *r = (struct button_row *)w;

	return i < r->buttons->len ? r->buttons->pdata[i] : NULL;
}

static void row_destroy(struct widget *w)
{
	g_ptr_array_unref(((struct button_row *)w)->buttons);
}

static const struct widget_ops row_ops = {
	.name = "button row",
	.draw = row_draw,
	.want = row_want,
	.layout = row_layout,
	.key = row_key,
	.child = row_child,
	.destroy = row_destroy,
};

static void free_button(void *w)
{
	widget_free(w);
}

struct button_row *button_row_new(void)
{
	struct button_row *r = g_new0(struct button_row, 1);

	widget_init(&r->widget, &row_ops);
	r->buttons = g_ptr_array_new_with_free_func(free_button);
	return r;
}

struct button *button_row_add(struct button_row *r, const char *label, int fkey, const char *name)
{
	struct button *b = button_new(label, fkey);

	widget_set_name(&b->widget, name);
	b->widget.parent = &r->widget;
	g_ptr_array_add(r->buttons, b);
	widget_relayout(&r->widget);
	return b;
}
