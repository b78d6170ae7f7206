// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ui/keybar.h"
#include "ui/table_private.h"

/* Letters typed within this time belong to one search. */
#define TYPEAHEAD_US (1200 * 1000)
#define WHEEL_ROWS 3

/* A column as drawn: its place in a line. */
struct slot {
	int column, x, w;
};

#define MAX_SLOTS 32

static int gutter(const struct table *t)
{
	return t->marking ? 2 : 1;
}

static int page_rows(const struct table *t)
{
	return MAX(1, t->w.area.h - 1);
}

static int full_width(const struct table *t, int column)
{
	int bar = t->columns[column].bar;

	return t->width[column] + (bar ? bar + 1 : 0);
}

/* Cells all columns shown would take. */
static int wanted_width(const struct table *t)
{
	int sum = gutter(t);

	for (int i = 0; i < t->shown; i++)
		sum += full_width(t, t->order[i]) + (i ? 1 : 0);
	return sum;
}

static int room(const struct table *t, int width)
{
	return width - (rows_shown(&t->rows) > page_rows(t) ? 1 : 0);
}

/* Cells of the room left over that fall to a column. */
static int stretch_of(const struct table *t, int column, int spare)
{
	int sum = 0;

	for (int i = 0; i < t->shown; i++)
		sum += t->columns[t->order[i]].stretch;
	return sum && spare > 0 ? spare * t->columns[column].stretch / sum : 0;
}

/* Places the columns into `width` cells; returns their number. */
static int place_columns(const struct table *t, int width, struct slot *slots)
{
	int x = gutter(t), n = 0;
	int right = room(t, width);
	int spare = right - wanted_width(t);

	for (int i = 0; i < t->shown && n < MAX_SLOTS; i++) {
		int column = t->order[i];
		int w = full_width(t, column) + stretch_of(t, column, spare);

		if (i && i <= t->scrolled)
			continue;
		if (x >= right)
			break;
		slots[n++] = (struct slot){column, x, MIN(w, right - x)};
		x += w + 1;
	}
	return n;
}

/* The default columns, and as many of the roomy ones as fit into `width` cells. */
static void fit_columns(struct table *t, int width)
{
	int left;

	if (!t->automatic)
		return;
	t->shown = 0;
	for (int i = 0; i < t->n_columns; i++)
		if (!t->columns[i].hidden)
			t->order[t->shown++] = i;
	left = room(t, width) - wanted_width(t);
	t->shown = 0;
	for (int i = 0; i < t->n_columns; i++) {
		bool extra = t->columns[i].hidden;

		if (extra && (!t->columns[i].roomy || full_width(t, i) + 1 > left))
			continue;
		if (extra)
			left -= full_width(t, i) + 1;
		t->order[t->shown++] = i;
	}
}

static bool is_sorted_by(const struct table *t, int column)
{
	return t->rows.sort_column == column;
}

static void draw_head_cell(struct table *t, const struct canvas *c, const struct slot *slot)
{
	const struct table_column *column = &t->columns[slot->column];
	const struct ui_hotlabel *label = &t->labels[slot->column];
	bool sorted = is_sorted_by(t, slot->column);
	int text = t->width[slot->column];
	int width = MIN(slot->w, MAX(slot->w - (column->bar ? column->bar + 1 : 0),
					 ui_hotlabel_width(label) + (sorted ? 1 : 0)));
	int used = MIN(ui_hotlabel_width(label), width - (sorted ? 1 : 0));
	int x = slot->x;

	if (column->align == TEXT_RIGHT && text >= 0)
		x += MAX(0, width - used - (sorted ? 1 : 0));
	ui_hotlabel_draw(label, c, x, 0, MAX(0, used), STYLE_HEADING,
		t->mode == MODE_SORT ? STYLE_HOTKEY : STYLE_HEADING);
	if (sorted)
		canvas_glyph(
			c, x + used, 0, STYLE_HEADING, t->rows.descending ? GLYPH_DOWN : GLYPH_UP);
}

/* Whether columns lie beyond the right edge. */
static bool more_right(const struct table *t, const struct slot *slots, int n)
{
	const struct slot *last = &slots[n - 1];

	if (!n)
		return false;
	return last->column != t->order[t->shown - 1] || last->w < full_width(t, last->column);
}

static void draw_head(struct table *t, const struct canvas *c, const struct slot *slots, int n)
{
	canvas_fill(c, 0, 0, c->w, 1, STYLE_HEADING, ' ');
	for (int i = 0; i < n; i++)
		draw_head_cell(t, c, &slots[i]);
	if (t->scrolled)
		canvas_glyph(c, 0, 0, STYLE_HEADING, GLYPH_LEFT);
	if (more_right(t, slots, n))
		canvas_glyph(c, c->w - 1, 0, STYLE_HEADING, GLYPH_RIGHT);
}

/* The style of a row as a whole; 0 lets each cell have its own. */
static enum ui_style row_style(struct table *t, int at, bool *fixed)
{
	const struct table_source *source = t->rows.source;

	*fixed = true;
	if (at == t->rows.cursor)
		return widget_shows_focus(&t->w) ? STYLE_SELECTED : STYLE_SELECTED_IDLE;
	if (rows_marked(&t->rows, rows_key_at(&t->rows, at)))
		return STYLE_MARKED;
	*fixed = false;
	return source->style ? (enum ui_style)source->style(t->rows.ctx, rows_at(&t->rows, at))
			     : STYLE_TEXT;
}

/* A bar of `width` cells at most, without its empty part: a column of bars stays readable. */
static void draw_bar(const struct canvas *c, int x, int y, int width, double fraction,
	enum ui_style full, enum ui_style empty)
{
	int eighths = (int)(CLAMP(fraction, 0.0, 1.0) * width * 8 + 0.5);
	int cells = (eighths + 7) / 8;

	if (cells > 0)
		canvas_bar(c, x, y, cells, eighths / 8.0 / cells, full, empty);
}

static void draw_cell(struct table *t, const struct canvas *c, int y, const struct slot *slot,
	const struct table_cell *cell, enum ui_style style, bool fixed)
{
	const struct table_column *column = &t->columns[slot->column];
	enum ui_style own = !fixed && cell->style ? (enum ui_style)cell->style : style;
	int text = column->bar ? MAX(0, slot->w - column->bar - 1) : slot->w;

	/* Words too long for the column may take the room of the bar that is not there. */
	if (column->bar && cell->bar < 0 && text_width(cell->text) > text) {
		canvas_fit(c, slot->x, y, slot->w, TEXT_LEFT, own, cell->text);
		return;
	}
	canvas_fit(c, slot->x, y, text, column->align, own, cell->text);
	if (column->bar && cell->bar >= 0)
		draw_bar(c, slot->x + text + 1, y, column->bar, cell->bar,
			fixed ? style : STYLE_BAR_FULL, style);
}

static void draw_gutter(struct table *t, const struct canvas *c, int y, int at, enum ui_style style)
{
	if (at == t->rows.cursor) {
		if (c->look->braille)
			canvas_char(c, 0, y, style, '>');
		else
			canvas_glyph(c, 0, y, style, GLYPH_CLOSED);
	}
	if (t->marking && rows_marked(&t->rows, rows_key_at(&t->rows, at)))
		canvas_char(c, 1, y, style, '*');
}

static void draw_row(
	struct table *t, const struct canvas *c, int y, int at, const struct slot *slots, int n)
{
	bool fixed;
	enum ui_style style = row_style(t, at, &fixed);
	int row = rows_at(&t->rows, at);

	if (fixed)
		canvas_fill(c, 0, y, room(t, c->w), 1, style, ' ');
	draw_gutter(t, c, y, at, style);
	for (int i = 0; i < n; i++) {
		struct table_cell cell = {.bar = -1};

		t->rows.source->cell(t->rows.ctx, row, slots[i].column, &cell);
		draw_cell(t, c, y, &slots[i], &cell, style, fixed);
	}
}

/* The strip at the right edge that tells which part is seen. */
static void draw_scrollbar(struct table *t, const struct canvas *c)
{
	int page = page_rows(t), all = rows_shown(&t->rows);
	int length, from;

	if (all <= page)
		return;
	length = MAX(1, page * page / all);
	from = (page - length) * t->top / MAX(1, all - page);
	for (int y = 0; y < page; y++)
		canvas_glyph(c, c->w - 1, y + 1, STYLE_FRAME,
			y >= from && y < from + length ? GLYPH_FULL : GLYPH_VLINE);
}

static void keep_cursor_seen(struct table *t)
{
	int page = page_rows(t);

	t->top = CLAMP(t->top, t->rows.cursor - page + 1, t->rows.cursor);
	t->top = CLAMP(t->top, 0, MAX(0, rows_shown(&t->rows) - page));
}

static void draw_empty(struct table *t, const struct canvas *c)
{
	g_auto(GStrv) lines = t->empty ? text_wrap(t->empty, MAX(1, c->w - 2)) : NULL;

	for (int i = 0; lines && lines[i]; i++)
		canvas_text(c, 1, 2 + i, STYLE_DIM, lines[i]);
}

static void table_draw(struct widget *w, const struct canvas *c)
{
	struct table *t = (struct table *)w;
	struct slot slots[MAX_SLOTS];
	int n;

	fit_columns(t, c->w);
	n = place_columns(t, c->w, slots);
	keep_cursor_seen(t);
	draw_head(t, c, slots, n);
	for (int y = 1; y < c->h && t->top + y - 1 < rows_shown(&t->rows); y++)
		draw_row(t, c, y, t->top + y - 1, slots, n);
	draw_scrollbar(t, c);
	if (!rows_shown(&t->rows))
		draw_empty(t, c);
}

static struct ui_size table_want(struct widget *w, int width)
{
	struct table *t = (struct table *)w;

	return (struct ui_size){wanted_width(t), rows_shown(&t->rows) + 1};
}

static bool table_cursor(struct widget *w, int *x, int *y)
{
	struct table *t = (struct table *)w;

	*x = 0;
	*y = rows_shown(&t->rows) ? t->rows.cursor - t->top + 1 : 0;
	return false;
}

static bool table_focusable(const struct widget *w)
{
	return true;
}

/* ---- keys ---- */

static enum ui_result changed(struct table *t)
{
	widget_touch(&t->w);
	return UI_CHANGED;
}

static enum ui_result move_to(struct table *t, int at)
{
	widget_touch(&t->w);
	return rows_move(&t->rows, at) ? UI_MOVED : UI_HANDLED;
}

static enum ui_result mark_and_go_on(struct table *t)
{
	guint64 key = t->rows.cursor_key;

	if (!t->marking || !key)
		return UI_IGNORED;
	rows_mark(&t->rows, key, !rows_marked(&t->rows, key));
	rows_move(&t->rows, t->rows.cursor + 1);
	return changed(t);
}

static enum ui_result mark_all(struct table *t)
{
	if (!t->marking)
		return UI_IGNORED;
	rows_mark_shown(&t->rows);
	return changed(t);
}

static enum ui_result scroll_sideways(struct table *t, int by)
{
	struct slot slots[MAX_SLOTS];
	int n = place_columns(t, t->w.area.w, slots);

	if (by > 0 && (!more_right(t, slots, n) || t->scrolled >= t->shown - 2))
		return UI_IGNORED;
	if (by < 0 && !t->scrolled)
		return UI_IGNORED;
	t->scrolled += by;
	return changed(t);
}

static enum ui_result sort_by(struct table *t, int column)
{
	bool descending =
		is_sorted_by(t, column) ? !t->rows.descending : t->columns[column].largest_first;

	t->rows.held = true;
	rows_sort(&t->rows, column, descending);
	return changed(t);
}

static enum ui_result sort_key(struct table *t, uint32_t key)
{
	t->mode = MODE_PLAIN;
	widget_touch(&t->w);
	for (int i = 0; i < t->n_columns && ui_key_is_text(key); i++)
		if (t->labels[i].key == g_unichar_tolower(key))
			return sort_by(t, i);
	return UI_CHANGED;
}

static enum ui_result filter_char(struct table *t, uint32_t key)
{
	g_autoptr(GString) text = g_string_new(t->rows.filter);

	if (key == UIK_BACKSPACE) {
		const char *last = g_utf8_find_prev_char(text->str, text->str + text->len);

		g_string_truncate(text, last ? (gsize)(last - text->str) : 0);
	} else {
		g_string_append_unichar(text, key & ~UIK_PASTED);
	}
	rows_set_filter(&t->rows, text->str);
	return changed(t);
}

/* A key while the filter is typed; movement keys work as ever. */
static enum ui_result filter_key(struct table *t, uint32_t key, bool *taken)
{
	*taken = true;
	if (key == UIK_ENTER) {
		t->mode = MODE_PLAIN;
		return changed(t);
	}
	if (key == UIK_ESC) {
		t->mode = MODE_PLAIN;
		rows_set_filter(&t->rows, NULL);
		return changed(t);
	}
	if (key == UIK_BACKSPACE || ui_key_is_text(key))
		return filter_char(t, key);
	*taken = false;
	return UI_IGNORED;
}

static enum ui_result type_ahead(struct table *t, uint32_t key)
{
	gint64 now = g_get_monotonic_time();
	bool more = t->typed->len && now - t->typed_at < TYPEAHEAD_US;

	if (!more)
		g_string_truncate(t->typed, 0);
	g_string_append_unichar(t->typed, key);
	t->typed_at = now;
	widget_touch(&t->w);
	return rows_find_prefix(&t->rows, t->order[0], t->typed->str, !more) ? UI_MOVED
									     : UI_HANDLED;
}

static enum ui_result drop_filter_or_marks(struct table *t)
{
	if (table_filter(t))
		rows_set_filter(&t->rows, NULL);
	else if (rows_marks(&t->rows))
		rows_unmark_all(&t->rows);
	else
		return UI_IGNORED;
	return changed(t);
}

/* The column by which the rows are sorted, else the first. */
static enum ui_result size_column(struct table *t, int by)
{
	int column = t->rows.sort_column;

	table_widen(t, t->columns[column >= 0 ? column : t->order[0]].id, by);
	return changed(t);
}

static enum ui_result plain_key(struct table *t, uint32_t key)
{
	switch (key) {
	case ' ':
	case UIK_INSERT:
		return mark_and_go_on(t);
	case UIK_ENTER:
		return t->rows.cursor_key ? UI_ACTIVATED : UI_HANDLED;
	case UIK_LEFT:
		return scroll_sideways(t, -1);
	case UIK_RIGHT:
		return scroll_sideways(t, 1);
	case UIK_ESC:
		return drop_filter_or_marks(t);
	}
	if (t->typeahead && ui_key_is_text(key))
		return type_ahead(t, key);
	switch (key) {
	case '*':
		return mark_all(t);
	case '/':
		table_begin_filter(t);
		return UI_CHANGED;
	case 's':
		table_begin_sort(t);
		return UI_CHANGED;
	case '<':
	case '>':
		return size_column(t, key == '>' ? 1 : -1);
	}
	return UI_IGNORED;
}

static enum ui_result move_key(struct table *t, uint32_t key)
{
	int at = t->rows.cursor, last = rows_shown(&t->rows) - 1;

	switch (key) {
	case UIK_UP:
		return move_to(t, at - 1);
	case UIK_DOWN:
		return move_to(t, at + 1);
	case UIK_PAGE_UP:
		return move_to(t, at - page_rows(t));
	case UIK_PAGE_DOWN:
		return move_to(t, at + page_rows(t));
	case UIK_HOME:
		return move_to(t, 0);
	case UIK_END:
		return move_to(t, last);
	}
	return UI_IGNORED;
}

static enum ui_result table_key(struct widget *w, uint32_t key)
{
	struct table *t = (struct table *)w;
	enum ui_result result;
	bool taken;

	if (t->mode == MODE_SORT)
		return sort_key(t, key);
	if (t->mode == MODE_FILTER) {
		result = filter_key(t, key, &taken);
		if (taken)
			return result;
	}
	result = move_key(t, key);
	return result == UI_IGNORED ? plain_key(t, key) : result;
}

static enum ui_result click_head(struct table *t, int x)
{
	struct slot slots[MAX_SLOTS];
	int n = place_columns(t, t->w.area.w, slots);

	t->mode = MODE_PLAIN;
	for (int i = 0; i < n; i++)
		if (x >= slots[i].x && x <= slots[i].x + slots[i].w)
			return sort_by(t, slots[i].column);
	return UI_HANDLED;
}

static enum ui_result click_row(struct table *t, const struct ui_mouse *m)
{
	int at = t->top + m->y - 1;
	guint64 key = rows_key_at(&t->rows, at);

	if (!key)
		return UI_HANDLED;
	if (m->kind == UI_MOUSE_DOUBLE) {
		rows_move(&t->rows, at);
		return UI_ACTIVATED;
	}
	if (t->marking && m->x < gutter(t)) {
		rows_mark(&t->rows, key, !rows_marked(&t->rows, key));
		return changed(t);
	}
	return move_to(t, at);
}

static enum ui_result table_mouse(struct widget *w, const struct ui_mouse *m)
{
	struct table *t = (struct table *)w;

	if (m->kind == UI_MOUSE_WHEEL)
		return move_to(t, t->rows.cursor + m->wheel * WHEEL_ROWS);
	if (m->button != 1 || (m->kind != UI_MOUSE_PRESS && m->kind != UI_MOUSE_DOUBLE))
		return UI_IGNORED;
	return m->y == 0 ? click_head(t, m->x) : click_row(t, m);
}

static void table_focus(struct widget *w, bool in)
{
	struct table *t = (struct table *)w;

	if (!in)
		t->mode = MODE_PLAIN;
}

static void table_destroy(struct widget *w)
{
	struct table *t = (struct table *)w;

	for (int i = 0; i < t->n_columns; i++)
		ui_hotlabel_clear(&t->labels[i]);
	rows_release(&t->rows);
	g_string_free(t->typed, TRUE);
	g_free(t->labels);
	g_free(t->order);
	g_free(t->width);
	g_free(t->empty);
}

static const struct widget_ops table_ops = {
	.name = "table",
	.draw = table_draw,
	.want = table_want,
	.key = table_key,
	.mouse = table_mouse,
	.focusable = table_focusable,
	.focus = table_focus,
	.cursor = table_cursor,
	.destroy = table_destroy,
};

struct table *table_new(
	const struct table_column *columns, size_t n, const struct table_source *source, void *ctx)
{
	struct table *t = g_new0(struct table, 1);
	g_autofree struct ui_hotlabel **labels = g_new(struct ui_hotlabel *, n);

	widget_init(&t->w, &table_ops);
	t->columns = columns;
	t->n_columns = (int)n;
	t->order = g_new(int, n);
	t->width = g_new(int, n);
	t->labels = g_new0(struct ui_hotlabel, n);
	t->typed = g_string_new(NULL);
	t->marking = true;
	for (size_t i = 0; i < n; i++) {
		ui_hotlabel_set(&t->labels[i], _(columns[i].title));
		labels[i] = &t->labels[i];
	}
	ui_hotlabel_resolve(labels, n);
	rows_init(&t->rows, source, ctx);
	table_set_columns(t, NULL);
	rows_refresh(&t->rows);
	return t;
}

void table_refresh(struct table *t)
{
	rows_refresh(&t->rows);
	widget_touch(&t->w);
}

struct rows *table_rows(struct table *t)
{
	return &t->rows;
}

/* ---- filter and the rest ---- */

void table_set_filter(struct table *t, const char *filter)
{
	rows_set_filter(&t->rows, filter);
	widget_touch(&t->w);
}

const char *table_filter(const struct table *t)
{
	return t->rows.filter && *t->rows.filter ? t->rows.filter : NULL;
}

bool table_filtering(const struct table *t)
{
	return t->mode == MODE_FILTER;
}

bool table_sorting(const struct table *t)
{
	return t->mode == MODE_SORT;
}

void table_begin_filter(struct table *t)
{
	t->mode = MODE_FILTER;
	widget_touch(&t->w);
}

void table_begin_sort(struct table *t)
{
	t->mode = MODE_SORT;
	widget_touch(&t->w);
}

void table_set_empty(struct table *t, const char *text)
{
	g_free(t->empty);
	t->empty = g_strdup(text);
	widget_touch(&t->w);
}

void table_set_typeahead(struct table *t, bool on)
{
	t->typeahead = on;
}

void table_set_marking(struct table *t, bool on)
{
	t->marking = on;
}
