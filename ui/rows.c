// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <string.h>

#include "ui/rows.h"

void rows_init(struct rows *rows, const struct table_source *source, void *ctx)
{
	*rows = (struct rows){
		.source = source,
		.ctx = ctx,
		.order = g_array_new(FALSE, FALSE, sizeof(int)),
		.marks = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
		.sort_column = -1,
	};
}

void rows_release(struct rows *rows)
{
	g_clear_pointer(&rows->order, g_array_unref);
	g_clear_pointer(&rows->marks, g_hash_table_unref);
	g_clear_pointer(&rows->filter, g_free);
}

int rows_shown(const struct rows *rows)
{
	return (int)rows->order->len;
}

int rows_at(const struct rows *rows, int at)
{
	if (at < 0 || at >= rows_shown(rows))
		return -1;
	return g_array_index(rows->order, int, at);
}

guint64 rows_key_at(const struct rows *rows, int at)
{
	int row = rows_at(rows, at);

	return row < 0 ? 0 : rows->source->key(rows->ctx, row);
}

static void cell_of(const struct rows *rows, int row, int column, struct table_cell *cell)
{
	cell->text[0] = '\0';
	cell->bar = -1;
	cell->style = 0;
	rows->source->cell(rows->ctx, row, column, cell);
}

/* Whether `text` contains `part`, in any case of letters. */
static bool contains_folded(const char *text, const char *part)
{
	g_autofree char *a = g_utf8_casefold(text, -1);
	g_autofree char *b = g_utf8_casefold(part, -1);

	return strstr(a, b) != NULL;
}

static bool passes(const struct rows *rows, int row)
{
	struct table_cell cell;

	if (!rows->filter || !*rows->filter)
		return true;
	if (rows->source->match)
		return rows->source->match(rows->ctx, row, rows->filter);
	cell_of(rows, row, 0, &cell);
	return contains_folded(cell.text, rows->filter);
}

static int compare_rows(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct rows *rows = data;
	int left = *(const int *)a, right = *(const int *)b;
	int by;

	if (rows->source->compare) {
		by = rows->source->compare(rows->ctx, rows->sort_column, left, right);
	} else {
		struct table_cell x, y;

		cell_of(rows, left, rows->sort_column, &x);
		cell_of(rows, right, rows->sort_column, &y);
		by = g_utf8_collate(x.text, y.text);
	}
	return rows->descending ? -by : by;
}

/* Fills `order` with the rows that pass the filter, sorted. */
static void collect(struct rows *rows)
{
	int count = rows->source->count(rows->ctx);

	g_array_set_size(rows->order, 0);
	for (int row = 0; row < count; row++)
		if (passes(rows, row))
			g_array_append_val(rows->order, row);
	/* g_array_sort_with_data() is stable: equal rows keep the source's order. */
	if (rows->sort_column >= 0)
		g_array_sort_with_data(rows->order, compare_rows, rows);
}

static gboolean mark_is_gone(gpointer key, gpointer value, gpointer data)
{
	return !g_hash_table_contains(data, key);
}

/* Drops the marks of rows that no longer exist; those a filter hides stay. */
static void drop_lost_marks(struct rows *rows)
{
	g_autoptr(GHashTable) alive = NULL;
	int count;

	if (!g_hash_table_size(rows->marks))
		return;
	alive = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	count = rows->source->count(rows->ctx);
	for (int row = 0; row < count; row++) {
		guint64 key = rows->source->key(rows->ctx, row);

		g_hash_table_add(alive, g_memdup2(&key, sizeof(key)));
	}
	g_hash_table_foreach_remove(rows->marks, mark_is_gone, alive);
}

/* The place of a row, the cursor's own first; -1 when it is not shown. */
static int place_of_key(const struct rows *rows, guint64 key)
{
	int shown = rows_shown(rows);

	if (rows_key_at(rows, rows->cursor) == key)
		return rows->cursor;
	for (int at = 0; at < shown; at++)
		if (rows_key_at(rows, at) == key)
			return at;
	return -1;
}

static void set_cursor(struct rows *rows, int at)
{
	rows->cursor = CLAMP(at, 0, MAX(0, rows_shown(rows) - 1));
	rows->cursor_key = rows_key_at(rows, rows->cursor);
}

/* Puts the cursor back on its row; where that is gone it stays at its place on the screen. */
static void replace_cursor(struct rows *rows)
{
	int at = rows->held && rows->cursor_key ? place_of_key(rows, rows->cursor_key) : -1;

	set_cursor(rows, at >= 0 ? at : rows->held ? rows->cursor : 0);
}

void rows_refresh(struct rows *rows)
{
	collect(rows);
	drop_lost_marks(rows);
	replace_cursor(rows);
}

void rows_sort(struct rows *rows, int column, bool descending)
{
	rows->sort_column = column;
	rows->descending = descending;
	rows_refresh(rows);
}

void rows_set_filter(struct rows *rows, const char *filter)
{
	g_free(rows->filter);
	rows->filter = g_strdup(filter);
	rows_refresh(rows);
}

bool rows_move(struct rows *rows, int at)
{
	int before = rows->cursor;

	rows->held = true;
	set_cursor(rows, at);
	return rows->cursor != before;
}

bool rows_move_to_key(struct rows *rows, guint64 key)
{
	int at = place_of_key(rows, key);

	if (at < 0)
		return false;
	rows_move(rows, at);
	return true;
}

static bool begins_folded(const char *text, const char *prefix)
{
	g_autofree char *a = g_utf8_casefold(text, -1);
	g_autofree char *b = g_utf8_casefold(prefix, -1);

	return g_str_has_prefix(a, b);
}

bool rows_find_prefix(struct rows *rows, int column, const char *prefix, bool from_next)
{
	int shown = rows_shown(rows);

	for (int step = from_next ? 1 : 0; step < shown + (from_next ? 1 : 0); step++) {
		int at = (rows->cursor + step) % shown;
		struct table_cell cell;

		cell_of(rows, rows_at(rows, at), column, &cell);
		if (begins_folded(cell.text, prefix)) {
			rows_move(rows, at);
			return true;
		}
	}
	return false;
}

bool rows_marked(const struct rows *rows, guint64 key)
{
	return g_hash_table_contains(rows->marks, &key);
}

void rows_mark(struct rows *rows, guint64 key, bool marked)
{
	rows->held = true;
	if (marked && key)
		g_hash_table_add(rows->marks, g_memdup2(&key, sizeof(key)));
	else
		g_hash_table_remove(rows->marks, &key);
}

void rows_unmark_all(struct rows *rows)
{
	g_hash_table_remove_all(rows->marks);
}

void rows_mark_shown(struct rows *rows)
{
	int shown = rows_shown(rows);
	bool all = true;

	for (int at = 0; at < shown && all; at++)
		all = rows_marked(rows, rows_key_at(rows, at));
	for (int at = 0; at < shown; at++)
		rows_mark(rows, rows_key_at(rows, at), !all);
}

int rows_marks(const struct rows *rows)
{
	return (int)g_hash_table_size(rows->marks);
}

/* Appends the marked rows that the filter hides, in the source's order. */
static void add_hidden_marks(const struct rows *rows, GArray *chosen)
{
	int count = rows->source->count(rows->ctx);

	for (int row = 0; row < count; row++) {
		guint64 key = rows->source->key(rows->ctx, row);

		if (rows_marked(rows, key) && !passes(rows, row))
			g_array_append_val(chosen, key);
	}
}

GArray *rows_chosen(const struct rows *rows)
{
	GArray *chosen = g_array_new(FALSE, FALSE, sizeof(guint64));
	int shown = rows_shown(rows);

	if (!rows_marks(rows)) {
		if (rows->cursor_key)
			g_array_append_val(chosen, rows->cursor_key);
		return chosen;
	}
	for (int at = 0; at < shown; at++) {
		guint64 key = rows_key_at(rows, at);

		if (rows_marked(rows, key))
			g_array_append_val(chosen, key);
	}
	add_hidden_marks(rows, chosen);
	return chosen;
}
