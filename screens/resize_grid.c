// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <math.h>

#include "screens/resize_grid.h"
#include "ui/app.h"
#include "ui/plot.h"

struct resize_grid {
	struct widget widget;
	GPtrArray *all;   // struct resize_line *, borrowed
	GPtrArray *lines; // those shown
	bool rare;
	int top;          // the first line shown
	int current;
};

/* Rows of the screen that are not the grid's: what the rest needs on a small terminal. */
#define OTHER_ROWS 15

/* From this width on the past is shown too. */
#define WIDE 110

enum { LABEL, USE, PAST, NOW, BAR, FIELD, MOST, LEFT, COLUMNS };

static const struct {
	const char *title;
	int least, most; // cells
	enum text_align align;
} columns[COLUMNS] = {
	[LABEL] = {"", 15, 28, TEXT_LEFT},
	[USE] = {N_("in use"), 9, 12, TEXT_RIGHT},
	/* Only where there is room; see share(). */
	[PAST] = {N_("history"), 0, 0, TEXT_RIGHT},
	[NOW] = {N_("has now"), 9, 12, TEXT_RIGHT},
	[BAR] = {"", 9, 42, TEXT_LEFT},
	[FIELD] = {"", 11, 16, TEXT_LEFT},
	[MOST] = {N_("most"), 9, 12, TEXT_RIGHT},
	[LEFT] = {N_("host left"), 9, 14, TEXT_RIGHT},
};

static struct resize_line *line_at(const struct resize_grid *g, int i)
{
	return g_ptr_array_index(g->lines, i);
}

/* Cells of each column, one apart, and where the first begins. */
static void share(int width, int *x, int *w)
{
	int left = width - (COLUMNS - 2);

	for (int i = 0; i < COLUMNS; i++)
		left -= w[i] = columns[i].least;
	if (width >= WIDE) {
		w[PAST] = MIN((width - WIDE) / 2 + 16, 60);
		left -= w[PAST] + 1;
	}
	for (bool grew = true; grew && left > 0;) {
		grew = false;
		for (int i = 0; i < COLUMNS && left > 0; i++)
			if (w[i] < columns[i].most) {
				w[i]++;
				left--;
				grew = true;
			}
	}
	x[0] = 0;
	for (int i = 1; i < COLUMNS; i++)
		x[i] = x[i - 1] + w[i - 1] + (w[i - 1] > 0);
}

static struct ui_size grid_want(struct widget *w, int width)
{
	struct resize_grid *g = (struct resize_grid *)w;
	int rows = (int)g->lines->len + 1, most = 9, height, all;

	if (widget_app(w)) {
		term_size(ui_app_term(widget_app(w)), &all, &height);
		most = MAX(height - OTHER_ROWS, 4);
	}
	return (struct ui_size){78, MIN(rows, most)};
}

static void grid_layout(struct widget *w)
{
	struct resize_grid *g = (struct resize_grid *)w;
	int rows = MAX(w->area.h - 1, 0), x[COLUMNS], wide[COLUMNS];

	share(w->area.w, x, wide);
	g->top = CLAMP(g->top, MAX(g->current - rows + 1, 0), MAX(g->current, 0));
	g->top = CLAMP(g->top, 0, MAX((int)g->lines->len - rows, 0));
	for (int i = 0; i < (int)g->lines->len; i++) {
		bool seen = i >= g->top && i < g->top + rows;

		widget_place(WIDGET(line_at(g, i)->field),
			(struct ui_rect){w->area.x + x[FIELD], w->area.y + 1 + i - g->top,
				wide[FIELD], seen ? 1 : 0});
	}
}

static void draw_bar(const struct canvas *c, int y, int x, int w, double fraction)
{
	if (isnan(fraction) || w < 4)
		return;
	canvas_glyph(c, x, y, STYLE_LABEL, GLYPH_BAR_BEGIN);
	canvas_bar(c, x + 1, y, w - 2, CLAMP(fraction, 0, 1), STYLE_BAR_FULL, STYLE_BAR_EMPTY);
	canvas_glyph(c, x + w - 1, y, STYLE_LABEL, GLYPH_BAR_END);
}

/* The newest at the right. */
static void draw_past(const struct canvas *c, int y, int x, int w, const struct resize_line *line)
{
	g_autofree gunichar *cells = g_new(gunichar, (gsize)MAX(w, 1));
	bool blocks = c->look->utf8 && g_strcmp0(g_getenv("TERM"), "linux");

	if (!w || !(line->past_top > 0))
		return;
	plot_area(blocks ? PLOT_BLOCK : PLOT_ASCII, line->past, HISTORY_LENGTH, line->past_top, w, 1,
		cells);
	for (int i = 0; i < w; i++)
		canvas_char(c, x + i, y, STYLE_CHART_1, cells[i]);
}

static void draw_line(struct resize_grid *g, const struct canvas *c, int i, const int *x,
	const int *w)
{
	const struct resize_line *line = line_at(g, i);
	const char *const texts[COLUMNS] = {[LABEL] = line->label,
		[USE] = line->use,
		[NOW] = line->now,
		[MOST] = line->limit,
		[LEFT] = line->left};
	bool here = widget_shows_focus(WIDGET(line->field));
	int y = 1 + i - g->top;

	for (int k = 0; k < COLUMNS; k++)
		if (texts[k])
			canvas_fit(c, x[k], y, w[k], columns[k].align,
				k != LABEL ? STYLE_TEXT
				: here     ? STYLE_EMPHASIS
					   : STYLE_LABEL,
				texts[k]);
	draw_past(c, y, x[PAST], w[PAST], line);
	draw_bar(c, y, x[BAR], w[BAR], resize_line_fraction(line));
	widget_draw(WIDGET(line->field), c);
	if (resize_line_changed(line))
		canvas_text(c, x[FIELD] + w[FIELD], y, STYLE_EMPHASIS, "*");
	if (here && c->look->braille)
		canvas_text(c, x[FIELD] - 1, y, STYLE_LABEL, ">");
}

static void grid_draw(struct widget *w, const struct canvas *c)
{
	struct resize_grid *g = (struct resize_grid *)w;
	int x[COLUMNS], wide[COLUMNS];

	for (int i = 0; i < (int)g->lines->len; i++)
		if (widget_has_focus(WIDGET(line_at(g, i)->field)))
			g->current = i;
	grid_layout(w);
	share(c->w, x, wide);
	for (int k = 0; k < COLUMNS; k++)
		if (wide[k])
			canvas_fit(c, x[k], 0, wide[k], columns[k].align, STYLE_HEADING,
				*columns[k].title ? _(columns[k].title) : "");
	for (int i = g->top; i < (int)g->lines->len && i - g->top < c->h - 1; i++)
		draw_line(g, c, i, x, wide);
	if (g->top > 0)
		canvas_glyph(c, c->w - 1, 0, STYLE_FRAME, GLYPH_UP);
	if (g->top + c->h - 1 < (int)g->lines->len)
		canvas_glyph(c, c->w - 1, c->h - 1, STYLE_FRAME, GLYPH_DOWN);
}

static enum ui_result grid_key(struct widget *w, uint32_t key)
{
	struct resize_grid *g = (struct resize_grid *)w;
	int to = g->current;

	for (int i = 0; i < (int)g->lines->len; i++)
		if (widget_has_focus(WIDGET(line_at(g, i)->field)))
			g->current = to = i;
	switch (key) {
	case UIK_UP:
		to--;
		break;
	case UIK_DOWN:
		to++;
		break;
	case UIK_PAGE_UP:
		to -= 8;
		break;
	case UIK_PAGE_DOWN:
		to += 8;
		break;
	default:
		return UI_IGNORED;
	}
	if (!g->lines->len)
		return UI_HANDLED;
	g->current = CLAMP(to, 0, (int)g->lines->len - 1);
	widget_grab_focus(WIDGET(line_at(g, g->current)->field));
	return UI_MOVED;
}

static enum ui_result grid_mouse(struct widget *w, const struct ui_mouse *m)
{
	struct resize_grid *g = (struct resize_grid *)w;
	int x[COLUMNS], wide[COLUMNS], i = g->top + m->y - 1;

	if (m->kind != UI_MOUSE_PRESS || m->y < 1 || i >= (int)g->lines->len)
		return UI_IGNORED;
	share(w->area.w, x, wide);
	widget_grab_focus(WIDGET(line_at(g, i)->field));
	if (m->x < x[BAR] || m->x >= x[BAR] + wide[BAR] || !line_at(g, i)->full)
		return UI_MOVED;
	resize_line_slide(line_at(g, i), (double)(m->x - x[BAR]) / MAX(wide[BAR] - 2, 1));
	return UI_CHANGED;
}

static struct widget *grid_child(struct widget *w, size_t i)
{
	struct resize_grid *g = (struct resize_grid *)w;

	return i < g->all->len ? WIDGET(((struct resize_line *)g->all->pdata[i])->field) : NULL;
}

static void free_fields(struct resize_grid *g)
{
	for (guint i = 0; i < g->all->len; i++) {
		struct resize_line *line = g_ptr_array_index(g->all, i);

		widget_free(WIDGET(g_steal_pointer(&line->field)));
	}
	g_ptr_array_set_size(g->all, 0);
	g_ptr_array_set_size(g->lines, 0);
}

void resize_grid_clear(struct resize_grid *g)
{
	free_fields(g);
	g->top = g->current = 0;
	widget_relayout(&g->widget);
}

static void show(struct resize_grid *g, struct resize_line *line)
{
	bool shown = !line->rare || g->rare || resize_line_changed(line);

	WIDGET(line->field)->hidden = !shown;
	if (shown)
		g_ptr_array_add(g->lines, line);
}

void resize_grid_show_rare(struct resize_grid *g, bool rare)
{
	const struct resize_line *current = resize_grid_current(g);
	guint at;

	g->rare = rare;
	g_ptr_array_set_size(g->lines, 0);
	for (guint i = 0; i < g->all->len; i++)
		show(g, g_ptr_array_index(g->all, i));
	g->current = g_ptr_array_find(g->lines, current, &at) ? (int)at : 0;
	if (g->lines->len)
		widget_grab_focus(WIDGET(line_at(g, g->current)->field));
	widget_relayout(&g->widget);
}

static void grid_destroy(struct widget *w)
{
	struct resize_grid *g = (struct resize_grid *)w;

	free_fields(g);
	g_ptr_array_unref(g->all);
	g_ptr_array_unref(g->lines);
}

static const struct widget_ops grid_ops = {
	.name = "resize grid",
	.draw = grid_draw,
	.want = grid_want,
	.layout = grid_layout,
	.key = grid_key,
	.mouse = grid_mouse,
	.child = grid_child,
	.destroy = grid_destroy,
};

struct resize_grid *resize_grid_new(void)
{
	struct resize_grid *g = g_new0(struct resize_grid, 1);

	widget_init(&g->widget, &grid_ops);
	g->all = g_ptr_array_new();
	g->lines = g_ptr_array_new();
	return g;
}

void resize_grid_add(struct resize_grid *g, struct resize_line *line)
{
	WIDGET(line->field)->parent = &g->widget;
	g_ptr_array_add(g->all, line);
	show(g, line);
	widget_relayout(&g->widget);
}

struct resize_line *resize_grid_current(const struct resize_grid *g)
{
	for (int i = 0; i < (int)g->lines->len; i++)
		if (widget_has_focus(WIDGET(line_at(g, i)->field)))
			return line_at(g, i);
	return g->current < (int)g->lines->len ? line_at(g, g->current) : NULL;
}
