// SPDX-License-Identifier: GPL-3.0-or-later
// A table: columns that are chosen, sorted and sized; rows that a source supplies (rows.h).
//
// Two cells before the first column tell the cursor ('▸') and the mark ('*'). The first column
// stays when the others are scrolled sideways. Only the rows to be seen are asked for their cells.
//
// Keys: arrows, page and Home/End move; Space or Insert marks and goes on; '*' marks all shown or
// none; '/' filters while typing (Enter keeps the filter, Esc drops it, else the marks); 's' and
// a column's letter sorts (again: the other way round); '<' and '>' size the column sorted by;
// Left/Right scroll columns that do not fit; Enter activates.
// Mouse: click moves, click before the name marks, double click activates, click on a head sorts,
// the wheel scrolls.
//
// Intents: UI_MOVED (cursor), UI_CHANGED (marks, filter, order, columns), UI_ACTIVATED.
#pragma once

#include "ui/layout.h"
#include "ui/rows.h"
#include "ui/widget.h"

/// One column; a const array of them describes a table.
struct table_column {
	const char *id;    // for settings: "cpu"
	const char *title; // N_("&CPU%"): '&' wishes for the letter that sorts by it
	int width;         // cells of the text
	int stretch;       // shares of room left over
	int bar;           // cells of a bar after the text; 0 none
	enum text_align align;
	bool hidden;        // not shown unless chosen
	bool roomy;         // hidden, but shown by itself where all shown so far leave it room
	bool largest_first; // the first sort is descending: numbers
};

struct table;

/// COLUMNS must stay; SOURCE and CTX are those of rows_init().
struct table *table_new(
	const struct table_column *columns, size_t n, const struct table_source *source, void *ctx);

/// Asks the source again and redraws. Call it whenever data may have changed.
void table_refresh(struct table *t);

/// Cursor, marks, order and filter. After changing them call table_refresh().
struct rows *table_rows(struct table *t);

/// Columns shown, in order, as text for settings: "name,state,cpu=12" (=: cells wide).
/// Unknown names are passed over; NULL or a list without a known name gives the default, to which
/// roomy columns come and go with the width.
void table_set_columns(struct table *t, const char *list);
/// The caller frees.
char *table_columns(const struct table *t);
bool table_column_shown(const struct table *t, const char *id);
/// Shows it after the column that stands before it in the const array, or hides it. The last one
/// stays.
void table_show_column(struct table *t, const char *id, bool shown);
/// Makes a column wider or narrower by so many cells.
void table_widen(struct table *t, const char *id, int by);

/// "cpu" or "-cpu" (largest first); NULL or "": the source's order.
void table_set_sort(struct table *t, const char *sort);
/// The caller frees; "" when not sorted.
char *table_sort(const struct table *t);

/// Filters; NULL or "" shows all.
void table_set_filter(struct table *t, const char *filter);
/// NULL when there is none.
const char *table_filter(const struct table *t);
/// Whether the user is typing the filter, or is to say by which column to sort.
bool table_filtering(const struct table *t);
bool table_sorting(const struct table *t);
/// As the keys '/' and 's' do.
void table_begin_filter(struct table *t);
void table_begin_sort(struct table *t);

/// A sentence shown when there is no row; copied.
void table_set_empty(struct table *t, const char *text);
/// Letters move to the row that begins so, instead of being left to the screen.
void table_set_typeahead(struct table *t, bool on);
/// Whether rows can be marked (they can unless told).
void table_set_marking(struct table *t, bool on);
