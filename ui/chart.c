// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/app.h"
#include "ui/chart.h"

#define TEXT_MOST 34
#define LINES_PER_ROW 20
#define LEAST_PLOT 8
/* Room for "1023.9 MiB" and a blank. */
#define SCALE_WIDTH 11

struct chart {
	struct widget w;
	struct chart_series *series;
	size_t n;
	enum chart_style style;
	int rows;
	int text_width;
};

struct chart_series *chart_series(struct chart *ch, size_t i)
{
	g_assert(i < ch->n);
	return &ch->series[i];
}

/* The fonts of the Linux console hold 512 signs: neither braille nor eighths of blocks. */
static bool font_is_small(void)
{
	const char *term = g_getenv("TERM");

	return term && g_str_has_prefix(term, "linux");
}

static enum plot_style plot_style(const struct chart *ch, const struct canvas *c)
{
	if (!c->look->utf8)
		return PLOT_ASCII;
	switch (ch->style) {
	case CHART_BLOCK:
		return PLOT_BLOCK;
	case CHART_ASCII:
		return PLOT_ASCII;
	case CHART_BRAILLE:
		return PLOT_BRAILLE;
	case CHART_AUTO:
		break;
	}
	return font_is_small() ? PLOT_ASCII : PLOT_BRAILLE;
}

static int label_width(const struct chart *ch)
{
	int widest = 0;

	for (size_t i = 0; i < ch->n; i++)
		widest = MAX(widest, text_width(ch->series[i].label));
	return widest;
}

/* The value at the top of a series' scale. */
static double top_of(const struct chart_series *s)
{
	double most = 0;

	if (s->top > 0)
		return s->top;
	for (int i = 0; i < s->count; i++)
		if (s->values[i] > most)
			most = s->values[i];
	return s->binary ? plot_round_up_binary(most) : plot_round_up(most);
}

static char *format_value(const struct chart_series *s, double value)
{
	return s->format ? s->format(value) : g_strdup_printf("%.0f", value);
}

/* Where the parts of a line stand. */
struct parts {
	int label, plot, scale, text; // cells
};

/* Shares a line of `width` cells; a scale is drawn beside plots of two rows and more. */
static struct parts share(const struct chart *ch, int width, int rows)
{
	struct parts p = {.label = label_width(ch), .scale = rows > 1 ? SCALE_WIDTH : 0};

	p.text = ch->text_width ? ch->text_width : MIN(TEXT_MOST, width / 2);
	p.text = MIN(p.text, MAX(0, width - p.label - p.scale - LEAST_PLOT - 2));
	p.plot = MAX(0, width - p.label - 1 - p.scale - (p.text ? p.text + 1 : 0));
	return p;
}

static void draw_plot(const struct chart *ch, const struct chart_series *s, const struct canvas *c,
	int x, int y, int width, int rows)
{
	g_autofree gunichar *cells = g_new(gunichar, (gsize)MAX(1, width * rows));

	plot_area(plot_style(ch, c), s->values, s->count, top_of(s), width, rows, cells);
	for (int row = 0; row < rows; row++)
		for (int i = 0; i < width; i++)
			canvas_char(c, x + i, y + row, s->style, cells[row * width + i]);
}

static void draw_scale(
	const struct chart_series *s, const struct canvas *c, int x, int y, int width, int rows)
{
	g_autofree char *top = format_value(s, top_of(s));
	g_autofree char *zero = format_value(s, 0);

	canvas_fit(c, x, y, width, TEXT_RIGHT, STYLE_DIM, top);
	canvas_fit(c, x, y + rows - 1, width, TEXT_RIGHT, STYLE_DIM, zero);
}

static void draw_strip(const struct chart *ch, size_t i, const struct canvas *c, int y, int rows)
{
	const struct chart_series *s = &ch->series[i];
	struct parts p = share(ch, c->w, rows);
	int x = p.label + 1;

	canvas_text(c, 0, y, STYLE_LABEL, s->label);
	if (p.scale) {
		draw_scale(s, c, x, y, p.scale - 1, rows);
		x += p.scale;
	}
	draw_plot(ch, s, c, x, y, p.plot, rows);
	if (p.text && s->text)
		canvas_fit(c, x + p.plot + 1, y, p.text, TEXT_LEFT, STYLE_TEXT, s->text);
}

static void draw_sentences(const struct chart *ch, const struct canvas *c)
{
	int y = 0;

	for (size_t i = 0; i < ch->n; i++) {
		g_autofree char *text = chart_summary(ch, i);
		g_auto(GStrv) lines = text_wrap(text, MAX(1, c->w));

		for (int k = 0; lines[k]; k++)
			canvas_text(c, 0, y++, STYLE_TEXT, lines[k]);
	}
}

static void chart_draw(struct widget *w, const struct canvas *c)
{
	struct chart *ch = (struct chart *)w;
	int rows = MAX(1, c->h / MAX(1, (int)ch->n));
	int spare = c->h - rows * (int)ch->n;
	int y = 0;

	if (c->look->braille) {
		draw_sentences(ch, c);
		return;
	}
	for (size_t i = 0; i < ch->n && y < c->h; i++) {
		int height = rows + ((int)i < spare ? 1 : 0);

		draw_strip(ch, i, c, y, height);
		y += height;
	}
}

static int wanted_rows(const struct chart *ch)
{
	const struct ui_app *app = widget_app(&ch->w);
	int width, height;

	if (ch->rows || !app)
		return MAX(1, ch->rows);
	term_size(ui_app_term(app), &width, &height);
	return MAX(1, height / LINES_PER_ROW);
}

static struct ui_size chart_want(struct widget *w, int width)
{
	struct chart *ch = (struct chart *)w;

	return (struct ui_size){label_width(ch) + 20 + TEXT_MOST, (int)ch->n * wanted_rows(ch)};
}

static void chart_destroy(struct widget *w)
{
	struct chart *ch = (struct chart *)w;

	for (size_t i = 0; i < ch->n; i++)
		g_free(ch->series[i].text);
	g_free(ch->series);
}

static const struct widget_ops chart_ops = {
	.name = "chart",
	.draw = chart_draw,
	.want = chart_want,
	.destroy = chart_destroy,
};

struct chart *chart_new(size_t n)
{
	struct chart *ch = g_new0(struct chart, 1);

	widget_init(&ch->w, &chart_ops);
	ch->series = g_new0(struct chart_series, n);
	ch->n = n;
	for (size_t i = 0; i < n; i++)
		ch->series[i].style = STYLE_CHART_1 + (int)(i % 4);
	return ch;
}

void chart_set_text(struct chart *ch, size_t i, const char *text)
{
	struct chart_series *s = chart_series(ch, i);

	if (g_strcmp0(s->text, text) == 0)
		return;
	g_free(s->text);
	s->text = g_strdup(text);
	widget_touch(&ch->w);
}

void chart_set_style(struct chart *ch, enum chart_style style)
{
	ch->style = style;
	widget_touch(&ch->w);
}

void chart_set_rows(struct chart *ch, int rows)
{
	ch->rows = rows;
	widget_relayout(&ch->w);
}

void chart_set_text_width(struct chart *ch, int cells)
{
	ch->text_width = cells;
	widget_touch(&ch->w);
}

void chart_changed(struct chart *ch)
{
	widget_touch(&ch->w);
}

/* Lowest, highest and newest known value; false when none is known. */
static bool extremes(const struct chart_series *s, double *low, double *high, double *now)
{
	bool any = false;

	for (int i = 0; i < s->count; i++) {
		double v = s->values[i];

		if (isnan(v))
			continue;
		*low = any ? MIN(*low, v) : v;
		*high = any ? MAX(*high, v) : v;
		*now = v;
		any = true;
	}
	return any;
}

char *chart_summary(const struct chart *ch, size_t i)
{
	const struct chart_series *s = &ch->series[i];
	double low = 0, high = 0, now = 0;
	g_autofree char *low_text = NULL, *high_text = NULL, *now_text = NULL;

	if (!extremes(s, &low, &high, &now))
		return g_strdup_printf(
			"%s: %s", s->label, s->text ? s->text : _("nothing known yet"));
	low_text = format_value(s, low);
	high_text = format_value(s, high);
	now_text = s->text ? g_strdup(s->text) : format_value(s, now);
	/* TRANSLATORS: of a chart, for readers: name, newest, lowest and highest value. */
	return g_strdup_printf(
		_("%s: %s, lowest %s, highest %s"), s->label, now_text, low_text, high_text);
}
