// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/reader.h"

#define READER_WIDE 66

struct reader {
	struct widget widget;
	char *text;
	char **lines; // wrapped to area.w
	int n, top;
};

static struct ui_size reader_want(struct widget *w, int width)
{
	struct reader *r = (struct reader *)w;
	g_auto(GStrv) lines =
		text_wrap(r->text, width == G_MAXINT ? READER_WIDE : MAX(width - 1, 1));
	struct ui_size size = { 0, (int)g_strv_length(lines) };

	for (char **line = lines; *line; line++)
		size.w = MAX(size.w, text_width(*line) + 1);
	return size;
}

static void reader_layout(struct widget *w)
{
	struct reader *r = (struct reader *)w;

	g_strfreev(r->lines);
	r->lines = text_wrap(r->text, MAX(w->area.w - 1, 1));
	r->n = (int)g_strv_length(r->lines);
	r->top = CLAMP(r->top, 0, MAX(r->n - w->area.h, 0));
}

static void reader_draw(struct widget *w, const struct canvas *c)
{
	struct reader *r = (struct reader *)w;
	enum ui_style mark = w->focused ? STYLE_FRAME_FOCUS : STYLE_FRAME;

	for (int y = 0; y < c->h && r->top + y < r->n; y++)
		canvas_text(c, 0, y, STYLE_TEXT, r->lines[r->top + y]);
	if (r->top > 0)
		canvas_glyph(c, c->w - 1, 0, mark, GLYPH_UP);
	if (r->top + c->h < r->n)
		canvas_glyph(c, c->w - 1, c->h - 1, mark, GLYPH_DOWN);
}

static enum ui_result scroll_to(struct reader *r, int top)
{
	r->top = CLAMP(top, 0, MAX(r->n - r->widget.area.h, 0));
	return UI_HANDLED;
}

static enum ui_result reader_key(struct widget *w, uint32_t key)
{
	struct reader *r = (struct reader *)w;
	int page = MAX(w->area.h - 1, 1);

	switch (key) {
	case UIK_UP:
		return scroll_to(r, r->top - 1);
	case UIK_DOWN:
		return scroll_to(r, r->top + 1);
	case UIK_PAGE_UP:
		return scroll_to(r, r->top - page);
	case UIK_PAGE_DOWN:
	case ' ':
		return scroll_to(r, r->top + page);
	case UIK_HOME:
		return scroll_to(r, 0);
	case UIK_END:
		return scroll_to(r, r->n);
	default:
		return UI_IGNORED;
	}
}

static enum ui_result reader_mouse(struct widget *w, const struct ui_mouse *m)
{
	struct reader *r = (struct reader *)w;

	return m->kind == UI_MOUSE_WHEEL ? scroll_to(r, r->top + 3 * m->wheel) : UI_IGNORED;
}

/// Only what can be scrolled takes the focus.
static bool reader_focusable(const struct widget *w)
{
	const struct reader *r = (const struct reader *)w;

	return !r->lines || r->n > w->area.h;
}

static void reader_destroy(struct widget *w)
{
	struct reader *r = (struct reader *)w;

	g_free(r->text);
	g_strfreev(r->lines);
}

static const struct widget_ops reader_ops = {
	.name = "text",
	.draw = reader_draw,
	.want = reader_want,
	.layout = reader_layout,
	.key = reader_key,
	.mouse = reader_mouse,
	.focusable = reader_focusable,
	.destroy = reader_destroy,
};

struct reader *reader_new(const char *text)
{
	struct reader *r = g_new0(struct reader, 1);

	widget_init(&r->widget, &reader_ops);
	r->text = g_strdup(text ? text : "");
	return r;
}

void reader_set(struct reader *r, const char *text)
{
	g_free(r->text);
	r->text = g_strdup(text ? text : "");
	r->top = 0;
	widget_relayout(&r->widget);
}
