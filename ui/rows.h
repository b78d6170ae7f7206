// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <glib.h>
#include <stdbool.h>

// The rows of a table without their drawing: where the data comes from, which rows are shown in
// what order, which are marked, and where the cursor stands.
//
// A row is known by its key, a number that stays the same while the row lives, whatever its place.
// Marks and the cursor belong to keys, so they survive new data, another order and a filter.

/// Longest text of a cell in bytes, with the closing NUL.
#define TABLE_TEXT_SIZE 160

/// What a cell shows.
struct table_cell {
	char text[TABLE_TEXT_SIZE]; // UTF-8
	double bar;                 // 0..1 draws a bar behind the text's column; < 0 none
	int style;                  // an enum ui_style; 0 is the row's own
};

/// Where rows come from. Row numbers run from 0 to count - 1 and may change their meaning with
/// every call of rows_refresh(); only keys last. Every op gets the `ctx` given to rows_init().
struct table_source {
	/// Number of rows there are.
	int (*count)(void *ctx);
	/// The row's key, not 0, different for every row.
	guint64 (*key)(void *ctx, int row);
	/// Fills `cell`, which comes with an empty text, no bar and the row's own style.
	void (*cell)(void *ctx, int row, int column, struct table_cell *cell);
	/// Compares two rows by a column, < 0 when `a` comes first. NULL: by the cells' text.
	int (*compare)(void *ctx, int column, int a, int b);
	/// An enum ui_style for the whole row, 0 (STYLE_TEXT) as usual. NULL: always that.
	int (*style)(void *ctx, int row);
	/// Whether the row passes the filter (not empty). NULL: column 0's text contains it.
	bool (*match)(void *ctx, int row, const char *filter);
};

struct rows {
	const struct table_source *source;
	void *ctx;
	GArray *order;     // int: row numbers shown, in the order shown
	GHashTable *marks; // guint64 keys of marked rows
	char *filter;      // NULL or "" shows all
	int sort_column;   // -1: the source's own order
	bool descending;
	int cursor;         // place in `order`; 0 when empty
	guint64 cursor_key; // 0 when there is no row
	bool held;          // the cursor was moved: until then it stays at the top while rows come
};

void rows_init(struct rows *rows, const struct table_source *source, void *ctx);
void rows_release(struct rows *rows);

/// Asks the source again: order, marks of rows that are gone, the cursor's place.
void rows_refresh(struct rows *rows);

/// Number of rows shown.
int rows_shown(const struct rows *rows);

/// The source's row number at place `at`, or -1 outside.
int rows_at(const struct rows *rows, int at);

/// The key at place `at`, or 0 outside.
guint64 rows_key_at(const struct rows *rows, int at);

/// Sorts by `column` (-1: the source's order) and refreshes.
void rows_sort(struct rows *rows, int column, bool descending);

/// Shows only rows that match `filter` (NULL or "": all) and refreshes.
void rows_set_filter(struct rows *rows, const char *filter);

/// Moves the cursor to place `at`, cut to what there is. Returns whether it moved.
bool rows_move(struct rows *rows, int at);

/// Moves the cursor to the row with this key; false when it is not shown.
bool rows_move_to_key(struct rows *rows, guint64 key);

/// Moves the cursor to the next row after it whose `column` begins with `prefix`, going round.
bool rows_find_prefix(struct rows *rows, int column, const char *prefix, bool from_next);

bool rows_marked(const struct rows *rows, guint64 key);
void rows_mark(struct rows *rows, guint64 key, bool marked);
void rows_unmark_all(struct rows *rows);
/// Marks every row shown, or unmarks all shown when they all were marked.
void rows_mark_shown(struct rows *rows);
int rows_marks(const struct rows *rows);

/// The keys an operation acts on, in the order shown: the marked rows, or the cursor's alone when
/// none is marked. Marked rows that the filter hides come last: a mark is never silently dropped.
/// The caller frees the GArray of guint64.
GArray *rows_chosen(const struct rows *rows);
