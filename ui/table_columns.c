// SPDX-License-Identifier: GPL-3.0-or-later
// Which columns a table shows, in what order, how wide, and by which it sorts.
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "ui/table_private.h"

static int find_column(const struct table *t, const char *id)
{
	for (int i = 0; i < t->n_columns; i++)
		if (g_strcmp0(t->columns[i].id, id) == 0)
			return i;
	return -1;
}

/* Place of a column among those shown, -1 when it is hidden. */
static int place_of(const struct table *t, int column)
{
	for (int i = 0; i < t->shown; i++)
		if (t->order[i] == column)
			return i;
	return -1;
}

static void default_columns(struct table *t)
{
	t->shown = 0;
	for (int i = 0; i < t->n_columns; i++) {
		t->width[i] = t->columns[i].width;
		if (!t->columns[i].hidden)
			t->order[t->shown++] = i;
	}
}

/* Takes one "name" or "name=width" into the columns shown. */
static void add_named(struct table *t, const char *word)
{
	g_auto(GStrv) parts = g_strsplit(word, "=", 2);
	int column = parts[0] ? find_column(t, g_strstrip(parts[0])) : -1;

	if (column < 0 || place_of(t, column) >= 0)
		return;
	t->order[t->shown++] = column;
	if (parts[1])
		t->width[column] = CLAMP(atoi(parts[1]), 1, 200);
}

void table_set_columns(struct table *t, const char *list)
{
	g_auto(GStrv) words = g_strsplit(list ? list : "", ",", -1);

	default_columns(t);
	t->shown = 0;
	for (int i = 0; words[i]; i++)
		add_named(t, words[i]);
	t->automatic = !t->shown;
	if (t->automatic)
		default_columns(t);
	t->scrolled = 0;
	widget_touch(&t->w);
}

char *table_columns(const struct table *t)
{
	GString *list = g_string_new(NULL);

	for (int i = 0; i < t->shown; i++) {
		int column = t->order[i];

		g_string_append_printf(list, "%s%s", i ? "," : "", t->columns[column].id);
		if (t->width[column] != t->columns[column].width)
			g_string_append_printf(list, "=%d", t->width[column]);
	}
	return g_string_free(list, FALSE);
}

bool table_column_shown(const struct table *t, const char *id)
{
	int column = find_column(t, id);

	return column >= 0 && place_of(t, column) >= 0;
}

/* Where a column that comes back belongs: behind the nearest one shown that stands before it. */
static int place_for(const struct table *t, int column)
{
	for (int before = column - 1; before >= 0; before--)
		if (place_of(t, before) >= 0)
			return place_of(t, before) + 1;
	return 0;
}

void table_show_column(struct table *t, const char *id, bool shown)
{
	int column = find_column(t, id);
	int at = column < 0 ? -1 : place_of(t, column);

	if (column < 0 || shown == (at >= 0) || (!shown && t->shown == 1))
		return;
	t->automatic = false;
	if (shown) {
		at = place_for(t, column);
		memmove(t->order + at + 1, t->order + at, (size_t)(t->shown - at) * sizeof(int));
		t->order[at] = column;
		t->shown++;
	} else {
		memmove(t->order + at, t->order + at + 1,
			(size_t)(t->shown - at - 1) * sizeof(int));
		t->shown--;
	}
	t->scrolled = 0;
	widget_touch(&t->w);
}

void table_widen(struct table *t, const char *id, int by)
{
	int column = find_column(t, id);

	if (column < 0)
		return;
	t->width[column] = CLAMP(t->width[column] + by, 1, 200);
	widget_touch(&t->w);
}

void table_set_sort(struct table *t, const char *sort)
{
	bool descending = sort && *sort == '-';

	rows_sort(&t->rows, sort && *sort ? find_column(t, sort + (descending ? 1 : 0)) : -1,
		descending);
	widget_touch(&t->w);
}

char *table_sort(const struct table *t)
{
	if (t->rows.sort_column < 0)
		return g_strdup("");
	return g_strconcat(t->rows.descending ? "-" : "", t->columns[t->rows.sort_column].id, NULL);
}
