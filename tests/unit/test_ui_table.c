// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/paint.h"
#include "ui/table.h"

/* Rows of a number each; the key is the number the row was born with. */
struct row {
	guint64 key;
	const char *name;
	int cpu;
};

struct data {
	struct row rows[2000];
	int n;
	int cells; // asked for
};

static int count(void *ctx)
{
	return ((struct data *)ctx)->n;
}

static guint64 key_of(void *ctx, int row)
{
	return ((struct data *)ctx)->rows[row].key;
}

static void cell_of(void *ctx, int row, int column, struct table_cell *cell)
{
	struct data *data = ctx;

	data->cells++;
	if (column == 0)
		g_strlcpy(cell->text, data->rows[row].name, sizeof(cell->text));
	if (column == 1) {
		g_snprintf(cell->text, sizeof(cell->text), "%d", data->rows[row].cpu);
		cell->bar = data->rows[row].cpu / 100.0;
	}
	if (column == 2)
		g_strlcpy(cell->text, "note", sizeof(cell->text));
}

static int compare(void *ctx, int column, int a, int b)
{
	const struct data *data = ctx;

	if (column == 1)
		return data->rows[a].cpu - data->rows[b].cpu;
	return strcmp(data->rows[a].name, data->rows[b].name);
}

static const struct table_source source = {
	.count = count,
	.key = key_of,
	.cell = cell_of,
	.compare = compare,
};

static const struct table_column columns[] = {
	{.id = "name", .title = "&Name", .width = 8, .stretch = 1},
	{.id = "cpu",
		.title = "&CPU%",
		.width = 4,
		.bar = 4,
		.align = TEXT_RIGHT,
		.largest_first = true},
	{.id = "note", .title = "N&ote", .width = 10, .hidden = true},
};

static struct data *three(void)
{
	static struct data data;

	data = (struct data){.rows = {{10, "web1", 50}, {11, "db", 100}, {12, "web2", 1}}, .n = 3};
	return &data;
}

static struct table *make(struct data *data)
{
	return table_new(columns, G_N_ELEMENTS(columns), &source, data);
}

static enum ui_result key(struct table *t, uint32_t k)
{
	return WIDGET(t)->ops->key(WIDGET(t), k);
}

static void type(struct table *t, const char *text)
{
	for (; *text; text++)
		key(t, (uint32_t)*text);
}

static void draws_head_cells_and_bars(void **state)
{
	struct table *t = make(three());

	paint(WIDGET(t), 20, 5);
	assert_line(0, "  Name     CPU%");
	assert_line(1, "▸ web1       50 ██");
	assert_line(2, "  db        100 ████");
	assert_line(3, "  web2        1");
	assert_int_equal(painted_style(3, 0), STYLE_HEADING);
	assert_int_equal(painted_style(3, 1), STYLE_SELECTED_IDLE);
	assert_int_equal(painted_style(16, 2), STYLE_BAR_FULL);
	widget_free(WIDGET(t));
}

static void ascii_has_its_own_signs(void **state)
{
	struct table *t = make(three());

	paint_look.utf8 = false;
	paint(WIDGET(t), 20, 5);
	paint_look.utf8 = true;
	assert_line(1, "> web1       50 ##");
	assert_line(2, "  db        100 ####");
	widget_free(WIDGET(t));
}

static void sorts_by_letter_and_back(void **state)
{
	struct table *t = make(three());
	g_autofree char *sort = NULL;

	assert_int_equal(key(t, 's'), UI_CHANGED);
	assert_true(table_sorting(t));
	assert_int_equal(key(t, 'c'), UI_CHANGED);
	assert_false(table_sorting(t));
	sort = table_sort(t);
	assert_string_equal(sort, "-cpu");
	paint(WIDGET(t), 20, 5);
	assert_line(0, "  Name     CPU%▼");
	assert_line(1, "  db        100 ████");
	assert_line(2, "▸ web1       50 ██");
	type(t, "sc");
	paint(WIDGET(t), 20, 5);
	assert_line(1, "  web2        1");
	type(t, "sz");
	assert_false(table_sorting(t));
	widget_free(WIDGET(t));
}

static void the_cursor_stays_on_its_row(void **state)
{
	struct data *data = three();
	struct table *t = make(data);
	struct row moved;

	table_set_sort(t, "-cpu");
	assert_true(rows_move_to_key(table_rows(t), 10));
	data->rows[0].cpu = 200;
	table_refresh(t);
	assert_int_equal(table_rows(t)->cursor_key, 10);
	assert_int_equal(table_rows(t)->cursor, 0);
	/* The source itself changes its order, and a row before it goes. */
	moved = data->rows[0];
	data->rows[0] = data->rows[2];
	data->rows[1] = moved;
	data->n = 2;
	table_refresh(t);
	assert_int_equal(table_rows(t)->cursor_key, 10);
	/* The row itself goes: the cursor stays where it was on the screen. */
	data->n = 1;
	table_refresh(t);
	assert_int_equal(table_rows(t)->cursor_key, 12);
	data->n = 0;
	table_refresh(t);
	assert_int_equal(table_rows(t)->cursor_key, 0);
	assert_int_equal(key(t, ' '), UI_IGNORED);
	assert_int_equal(key(t, UIK_DOWN), UI_HANDLED);
	widget_free(WIDGET(t));
}

static void marks_belong_to_rows(void **state)
{
	struct data *data = three();
	struct table *t = make(data);
	g_autoptr(GArray) chosen = NULL;

	assert_int_equal(key(t, ' '), UI_CHANGED);
	assert_int_equal(key(t, ' '), UI_CHANGED);
	assert_int_equal(rows_marks(table_rows(t)), 2);
	paint(WIDGET(t), 20, 5);
	assert_line(1, " *web1       50 ██");
	assert_int_equal(painted_style(3, 1), STYLE_MARKED);
	table_set_sort(t, "name");
	chosen = rows_chosen(table_rows(t));
	assert_int_equal(chosen->len, 2);
	assert_int_equal(g_array_index(chosen, guint64, 0), 11);
	assert_int_equal(g_array_index(chosen, guint64, 1), 10);
	data->n = 1;
	table_refresh(t);
	assert_int_equal(rows_marks(table_rows(t)), 1);
	widget_free(WIDGET(t));
}

static void the_cursor_is_chosen_when_nothing_is_marked(void **state)
{
	struct table *t = make(three());
	g_autoptr(GArray) chosen = NULL;

	key(t, UIK_END);
	chosen = rows_chosen(table_rows(t));
	assert_int_equal(chosen->len, 1);
	assert_int_equal(g_array_index(chosen, guint64, 0), 12);
	widget_free(WIDGET(t));
}

static void a_filter_hides_but_never_unmarks(void **state)
{
	struct table *t = make(three());
	g_autoptr(GArray) chosen = NULL;

	rows_mark(table_rows(t), 11, true);
	assert_int_equal(key(t, '/'), UI_CHANGED);
	type(t, "web");
	assert_string_equal(table_filter(t), "web");
	assert_int_equal(rows_shown(table_rows(t)), 2);
	key(t, UIK_BACKSPACE);
	assert_string_equal(table_filter(t), "we");
	type(t, "b2");
	assert_int_equal(rows_shown(table_rows(t)), 1);
	key(t, UIK_ENTER);
	assert_false(table_filtering(t));
	assert_int_equal(key(t, ' '), UI_CHANGED);
	chosen = rows_chosen(table_rows(t));
	assert_int_equal(chosen->len, 2);
	assert_int_equal(g_array_index(chosen, guint64, 1), 11);
	assert_int_equal(key(t, UIK_ESC), UI_CHANGED);
	assert_null(table_filter(t));
	assert_int_equal(rows_marks(table_rows(t)), 2);
	assert_int_equal(key(t, UIK_ESC), UI_CHANGED);
	assert_int_equal(rows_marks(table_rows(t)), 0);
	assert_int_equal(key(t, UIK_ESC), UI_IGNORED);
	widget_free(WIDGET(t));
}

static void all_shown_are_marked_and_unmarked(void **state)
{
	struct table *t = make(three());

	table_set_filter(t, "web");
	key(t, '*');
	assert_int_equal(rows_marks(table_rows(t)), 2);
	assert_false(rows_marked(table_rows(t), 11));
	key(t, '*');
	assert_int_equal(rows_marks(table_rows(t)), 0);
	widget_free(WIDGET(t));
}

static void letters_move_when_asked(void **state)
{
	struct table *t = make(three());

	assert_int_equal(key(t, 'w'), UI_IGNORED);
	table_set_typeahead(t, true);
	assert_int_equal(key(t, 'w'), UI_MOVED);
	assert_int_equal(table_rows(t)->cursor_key, 12);
	assert_int_equal(key(t, 'e'), UI_MOVED);
	assert_int_equal(table_rows(t)->cursor_key, 12);
	widget_free(WIDGET(t));
}

static void columns_are_chosen_and_sized(void **state)
{
	struct table *t = make(three());
	g_autofree char *list = NULL;

	table_set_columns(t, "cpu,nonsense,name=12,cpu");
	list = table_columns(t);
	assert_string_equal(list, "cpu,name=12");
	table_show_column(t, "note", true);
	g_free(list);
	list = table_columns(t);
	assert_string_equal(list, "cpu,note,name=12");
	table_show_column(t, "cpu", false);
	table_show_column(t, "note", false);
	table_show_column(t, "name", false);
	g_free(list);
	list = table_columns(t);
	assert_string_equal(list, "name=12");
	assert_true(table_column_shown(t, "name"));
	assert_false(table_column_shown(t, "cpu"));
	assert_int_equal(key(t, '>'), UI_CHANGED);
	assert_int_equal(key(t, '>'), UI_CHANGED);
	assert_int_equal(key(t, '<'), UI_CHANGED);
	g_free(list);
	list = table_columns(t);
	assert_string_equal(list, "name=13");
	table_set_columns(t, "nothing known");
	g_free(list);
	list = table_columns(t);
	assert_string_equal(list, "name,cpu");
	widget_free(WIDGET(t));
}

static void columns_scroll_sideways_where_they_do_not_fit(void **state)
{
	struct table *t = make(three());

	table_set_columns(t, "name,cpu,note");
	paint(WIDGET(t), 40, 5);
	assert_int_equal(key(t, UIK_RIGHT), UI_IGNORED);
	paint(WIDGET(t), 20, 5);
	assert_int_equal(key(t, UIK_RIGHT), UI_CHANGED);
	paint(WIDGET(t), 20, 5);
	assert_line(1, "▸ web1     note");
	assert_int_equal(key(t, UIK_LEFT), UI_CHANGED);
	assert_int_equal(key(t, UIK_LEFT), UI_IGNORED);
	widget_free(WIDGET(t));
}

static void the_mouse_moves_marks_and_sorts(void **state)
{
	struct table *t = make(three());
	struct ui_mouse m = {.kind = UI_MOUSE_PRESS, .button = 1, .x = 4, .y = 2};

	paint(WIDGET(t), 20, 5);
	assert_int_equal(WIDGET(t)->ops->mouse(WIDGET(t), &m), UI_MOVED);
	assert_int_equal(table_rows(t)->cursor_key, 11);
	m.x = 1;
	assert_int_equal(WIDGET(t)->ops->mouse(WIDGET(t), &m), UI_CHANGED);
	assert_true(rows_marked(table_rows(t), 11));
	m = (struct ui_mouse){.kind = UI_MOUSE_PRESS, .button = 1, .x = 12, .y = 0};
	assert_int_equal(WIDGET(t)->ops->mouse(WIDGET(t), &m), UI_CHANGED);
	assert_int_equal(rows_key_at(table_rows(t), 0), 11);
	m = (struct ui_mouse){.kind = UI_MOUSE_DOUBLE, .button = 1, .x = 4, .y = 3};
	assert_int_equal(WIDGET(t)->ops->mouse(WIDGET(t), &m), UI_ACTIVATED);
	m.y = 4;
	assert_int_equal(WIDGET(t)->ops->mouse(WIDGET(t), &m), UI_HANDLED);
	m = (struct ui_mouse){.kind = UI_MOUSE_WHEEL, .wheel = -1};
	assert_int_equal(WIDGET(t)->ops->mouse(WIDGET(t), &m), UI_MOVED);
	widget_free(WIDGET(t));
}

static void only_rows_seen_are_asked_for(void **state)
{
	static struct data data;
	struct table *t;

	data.n = 2000;
	for (int i = 0; i < data.n; i++)
		data.rows[i] = (struct row){(guint64)i + 1, "guest", i % 97};
	t = make(&data);
	table_set_sort(t, "-cpu");
	key(t, UIK_END);
	data.cells = 0;
	paint(WIDGET(t), 30, 11);
	assert_int_equal(data.cells, 2 * 10);
	assert_line(10, "▸ guest                0     █");
	assert_int_equal(key(t, UIK_PAGE_UP), UI_MOVED);
	assert_int_equal(table_rows(t)->cursor, 1989);
	widget_free(WIDGET(t));
}

static void tiny_tables_do_no_harm(void **state)
{
	struct table *t = make(three());

	for (int width = 1; width < 12; width++)
		for (int height = 1; height < 4; height++)
			paint(WIDGET(t), width, height);
	assert_line(1, "▸ web1    █");
	widget_free(WIDGET(t));
}

static void an_empty_table_says_so(void **state)
{
	struct data *data = three();
	struct table *t = make(data);

	data->n = 0;
	table_set_empty(t, "No guest here.");
	table_refresh(t);
	paint(WIDGET(t), 30, 5);
	assert_line(2, " No guest here.");
	widget_free(WIDGET(t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draws_head_cells_and_bars),
		cmocka_unit_test(ascii_has_its_own_signs),
		cmocka_unit_test(sorts_by_letter_and_back),
		cmocka_unit_test(the_cursor_stays_on_its_row),
		cmocka_unit_test(marks_belong_to_rows),
		cmocka_unit_test(the_cursor_is_chosen_when_nothing_is_marked),
		cmocka_unit_test(a_filter_hides_but_never_unmarks),
		cmocka_unit_test(all_shown_are_marked_and_unmarked),
		cmocka_unit_test(letters_move_when_asked),
		cmocka_unit_test(columns_are_chosen_and_sized),
		cmocka_unit_test(columns_scroll_sideways_where_they_do_not_fit),
		cmocka_unit_test(the_mouse_moves_marks_and_sorts),
		cmocka_unit_test(only_rows_seen_are_asked_for),
		cmocka_unit_test(tiny_tables_do_no_harm),
		cmocka_unit_test(an_empty_table_says_so),
	};

	return paint_run(tests);
}
