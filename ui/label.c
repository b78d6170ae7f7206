// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/layout.h"

struct label {
	struct widget widget;
	char *text;
	enum ui_style style;
};

/// Wider than this a label that may choose breaks its lines.
#define LABEL_WIDE 64

static struct ui_size label_want(struct widget *w, int width)
{
	struct label *l = (struct label *)w;
	g_auto(GStrv) lines = text_wrap(l->text, width == G_MAXINT ? LABEL_WIDE : width);
	struct ui_size size = { 0, 0 };

	for (char **line = lines; *line; line++, size.h++)
		size.w = MAX(size.w, text_width(*line));
	return size;
}

static void label_draw(struct widget *w, const struct canvas *c)
{
	struct label *l = (struct label *)w;
	g_auto(GStrv) lines = text_wrap(l->text, c->w);
	int y = 0;

	for (char **line = lines; *line && y < c->h; line++)
		canvas_text(c, 0, y++, w->disabled ? STYLE_DIM : l->style, *line);
}

static void label_destroy(struct widget *w)
{
	g_free(((struct label *)w)->text);
}

static const struct widget_ops label_ops = {
	.name = "label",
	.draw = label_draw,
	.want = label_want,
	.destroy = label_destroy,
};

struct label *label_new(const char *text, enum ui_style style)
{
	struct label *l = g_new0(struct label, 1);

	widget_init(&l->widget, &label_ops);
	l->text = g_strdup(text ? text : "");
	l->style = style;
	return l;
}

void label_set(struct label *l, const char *text, enum ui_style style)
{
	if (g_strcmp0(l->text, text) == 0 && l->style == style)
		return;
	g_free(l->text);
	l->text = g_strdup(text ? text : "");
	l->style = style;
	widget_relayout(&l->widget);
}

struct spacer {
	struct widget widget;
	int w, h;
};

static struct ui_size spacer_want(struct widget *w, int width)
{
	struct spacer *s = (struct spacer *)w;

	return (struct ui_size){ s->w, s->h };
}

static const struct widget_ops spacer_ops = {
	.name = "spacer",
	.want = spacer_want,
};

struct widget *spacer_new(int w, int h)
{
	struct spacer *s = g_new0(struct spacer, 1);

	widget_init(&s->widget, &spacer_ops);
	s->w = w;
	s->h = h;
	return &s->widget;
}
