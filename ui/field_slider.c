// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/field_private.h"

/// Room for the number behind the slider.
#define VALUE_WIDTH 10

struct slider {
	struct field field;
	gint64 step;
	int width;
};

static void slider_taken(struct field *f)
{
	gint64 value = field_number(f);
	gint64 good = CLAMP(value, f->min, MAX(f->min, f->max));

	if (value != good) {
		g_free(f->text);
		f->text = number_format(f->number, good);
	}
}

static const struct field_kind slider_kind = { .taken = slider_taken };

static enum ui_result slide_to(struct slider *s, gint64 value)
{
	struct field *f = &s->field;
	g_autofree char *text = number_format(f->number, CLAMP(value, f->min, MAX(f->min, f->max)));

	return field_update(f, text);
}

static struct ui_size slider_want(struct widget *w, int width)
{
	return (struct ui_size){ ((struct slider *)w)->width + 3 + VALUE_WIDTH, 1 };
}

/// Cells of the bar itself.
static int bar_cells(const struct widget *w)
{
	return MAX(w->area.w - 3 - VALUE_WIDTH, 1);
}

static void slider_draw(struct widget *w, const struct canvas *c)
{
	struct slider *s = (struct slider *)w;
	struct field *f = &s->field;
	int cells = bar_cells(w);
	double span = (double)(f->max - f->min);
	double fraction = span > 0 ? (double)(field_number(f) - f->min) / span : 1;

	canvas_glyph(c, 0, 0, STYLE_LABEL, GLYPH_BAR_BEGIN);
	canvas_bar(c, 1, 0, cells, fraction, w->disabled ? STYLE_DIM : STYLE_BAR_FULL,
		STYLE_BAR_EMPTY);
	canvas_glyph(c, cells + 1, 0, STYLE_LABEL, GLYPH_BAR_END);
	canvas_fit(c, cells + 3, 0, VALUE_WIDTH, TEXT_LEFT, field_style(f), f->text);
}

static enum ui_result slider_key(struct widget *w, uint32_t key)
{
	struct slider *s = (struct slider *)w;
	gint64 value = field_number(&s->field);

	switch (key) {
	case UIK_LEFT:
	case '-':
		return slide_to(s, value - s->step);
	case UIK_RIGHT:
	case '+':
		return slide_to(s, value + s->step);
	case UIK_PAGE_UP:
		return slide_to(s, value + 10 * s->step);
	case UIK_PAGE_DOWN:
		return slide_to(s, value - 10 * s->step);
	case UIK_HOME:
		return slide_to(s, s->field.min);
	case UIK_END:
		return slide_to(s, s->field.max);
	case UIK_ENTER:
		return UI_ACTIVATED;
	default:
		return UI_IGNORED;
	}
}

static enum ui_result slider_mouse(struct widget *w, const struct ui_mouse *m)
{
	struct slider *s = (struct slider *)w;
	struct field *f = &s->field;
	int cells = bar_cells(w);
	gint64 value;

	if (m->kind == UI_MOUSE_WHEEL)
		return w->focused ? slide_to(s, field_number(f) - m->wheel * s->step) : UI_IGNORED;
	if (m->kind == UI_MOUSE_RELEASE || m->x > cells + 1)
		return UI_HANDLED;
	value = f->min + (gint64)((double)(f->max - f->min) * CLAMP(m->x, 0, cells) / cells + 0.5);
	if (value < f->max) // the end itself need not be a step
		value -= (value - f->min) % s->step;
	return slide_to(s, value);
}

static bool slider_focusable(const struct widget *w)
{
	return true;
}

static bool slider_cursor(struct widget *w, int *x, int *y)
{
	*x = bar_cells(w) + 3;
	*y = 0;
	return false;
}

static const struct widget_ops slider_ops = {
	.name = "field slider",
	.draw = slider_draw,
	.want = slider_want,
	.key = slider_key,
	.mouse = slider_mouse,
	.focusable = slider_focusable,
	.cursor = slider_cursor,
	.destroy = field_destroy,
};

struct field *field_slider_new(const struct number_kind *kind, gint64 value, gint64 min, gint64 max,
	gint64 step, int width)
{
	struct slider *s = g_new0(struct slider, 1);
	g_autofree char *text = number_format(kind, CLAMP(value, min, MAX(min, max)));

	field_init(&s->field, &slider_ops, &slider_kind, text);
	s->field.number = kind;
	s->field.min = min;
	s->field.max = max;
	s->step = MAX(step, 1);
	s->width = width;
	return &s->field;
}
