// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/field_private.h"
#include "ui/hotkey.h"

struct check {
	struct field field;
	struct ui_hotlabel label;
};

#define ON "yes"
#define OFF "no"

static const struct field_kind check_kind = { 0 };

bool field_check(const struct field *f)
{
	return g_strcmp0(f->text, ON) == 0;
}

static enum ui_result toggle(struct check *ch)
{
	return field_update(&ch->field, field_check(&ch->field) ? OFF : ON);
}

static struct ui_size check_want(struct widget *w, int width)
{
	return (struct ui_size){ ui_hotlabel_width(&((struct check *)w)->label) + 4, 1 };
}

static void check_draw(struct widget *w, const struct canvas *c)
{
	struct check *ch = (struct check *)w;
	bool on = field_check(&ch->field);
	enum ui_style style = w->disabled ? STYLE_DIM : STYLE_LABEL;
	enum ui_style box = w->focused ? STYLE_FIELD_FOCUS : style;

	canvas_text(c, 0, 0, box, w->disabled ? (on ? "(x)" : "( )") : on ? "[x]" : "[ ]");
	canvas_text(c, 3, 0, style, w->focused && c->look->braille ? "<" : " ");
	ui_hotlabel_draw(
		&ch->label, c, 4, 0, c->w - 4, style, w->disabled ? STYLE_DIM : STYLE_HOTKEY);
}

static enum ui_result check_key(struct widget *w, uint32_t key)
{
	if (key == ' ')
		return toggle((struct check *)w);
	return key == UIK_ENTER ? UI_ACTIVATED : UI_IGNORED;
}

static enum ui_result check_mouse(struct widget *w, const struct ui_mouse *m)
{
	bool press = m->kind == UI_MOUSE_PRESS || m->kind == UI_MOUSE_DOUBLE;

	return press && m->button == 1 ? toggle((struct check *)w) : UI_IGNORED;
}

static bool check_focusable(const struct widget *w)
{
	return true;
}

static bool check_cursor(struct widget *w, int *x, int *y)
{
	*x = 1;
	*y = 0;
	return false;
}

static struct ui_hotlabel *check_hotlabel(struct widget *w, size_t i)
{
	return i == 0 ? &((struct check *)w)->label : NULL;
}

static enum ui_result check_hotkey(struct widget *w, size_t i)
{
	return toggle((struct check *)w);
}

static void check_destroy(struct widget *w)
{
	ui_hotlabel_clear(&((struct check *)w)->label);
	field_destroy(w);
}

static const struct widget_ops check_ops = {
	.name = "field check",
	.draw = check_draw,
	.want = check_want,
	.key = check_key,
	.mouse = check_mouse,
	.focusable = check_focusable,
	.cursor = check_cursor,
	.hotlabel = check_hotlabel,
	.hotkey = check_hotkey,
	.destroy = check_destroy,
};

struct field *field_check_new(const char *label, bool on)
{
	struct check *ch = g_new0(struct check, 1);

	ui_hotlabel_set(&ch->label, label);
	field_init(&ch->field, &check_ops, &check_kind, on ? ON : OFF);
	return &ch->field;
}

void field_set_check(struct field *f, bool on)
{
	field_set_text(f, on ? ON : OFF);
}
