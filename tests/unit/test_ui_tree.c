// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/paint.h"
#include "ui/tree.h"

static void add(struct tree *t, const char *id, int depth, const char *label, const char *badge)
{
	tree_add(t, &(struct tree_node){.id = id, .depth = depth, .label = label, .badge = badge});
}

/* host7 (shop (db)), host9 with a note, lab */
static struct tree *hosts(void)
{
	struct tree *t = tree_new();

	tree_begin(t);
	add(t, "host7", 0, "host7", "4");
	add(t, "shop", 1, "shop", "3");
	add(t, "db", 2, "db", "1");
	add(t, "host9", 0, "host9", NULL);
	tree_add(t,
		&(struct tree_node){.id = "n", .depth = 1, .label = "(no answer)", .note = true});
	add(t, "lab", 0, "lab", NULL);
	tree_end(t);
	return t;
}

static enum ui_result key(struct tree *t, uint32_t k)
{
	return WIDGET(t)->ops->key(WIDGET(t), k);
}

static void draws_branches_and_badges(void **state)
{
	struct tree *t = hosts();

	paint(WIDGET(t), 20, 8);
	assert_line(0, "▾ host7           4");
	assert_line(1, "  ▾ shop          3");
	assert_line(2, "      db          1");
	assert_line(3, "▾ host9");
	assert_line(4, "  (no answer)");
	assert_line(5, "  lab");
	assert_int_equal(painted_style(5, 0), STYLE_SELECTED_IDLE);
	widget_free(WIDGET(t));
}

static void closes_and_opens(void **state)
{
	struct tree *t = hosts();

	assert_int_equal(key(t, UIK_LEFT), UI_CHANGED);
	assert_false(tree_is_open(t, "host7"));
	paint(WIDGET(t), 20, 8);
	assert_line(0, "▸ host7           4");
	assert_line(1, "▾ host9");
	assert_int_equal(key(t, UIK_RIGHT), UI_CHANGED);
	assert_int_equal(key(t, UIK_RIGHT), UI_MOVED);
	assert_string_equal(tree_selected(t), "shop");
	assert_int_equal(key(t, UIK_LEFT), UI_CHANGED);
	assert_int_equal(key(t, UIK_LEFT), UI_MOVED);
	assert_string_equal(tree_selected(t), "host7");
	widget_free(WIDGET(t));
}

static void passes_over_notes(void **state)
{
	struct tree *t = hosts();

	tree_select(t, "host9");
	assert_int_equal(key(t, UIK_DOWN), UI_MOVED);
	assert_string_equal(tree_selected(t), "lab");
	assert_int_equal(key(t, UIK_UP), UI_MOVED);
	assert_string_equal(tree_selected(t), "host9");
	assert_int_equal(key(t, UIK_HOME), UI_MOVED);
	assert_int_equal(key(t, UIK_UP), UI_HANDLED);
	widget_free(WIDGET(t));
}

static void cursor_and_openness_survive_new_nodes(void **state)
{
	struct tree *t = hosts();

	tree_open(t, "shop", false);
	tree_select(t, "lab");
	tree_begin(t);
	add(t, "alpha", 0, "alpha", NULL);
	add(t, "host7", 0, "host7", "5");
	add(t, "shop", 1, "shop", "3");
	add(t, "db", 2, "db", "1");
	add(t, "lab", 0, "lab", NULL);
	tree_end(t);
	assert_string_equal(tree_selected(t), "lab");
	assert_false(tree_is_open(t, "shop"));
	tree_begin(t);
	add(t, "alpha", 0, "alpha", NULL);
	tree_end(t);
	assert_string_equal(tree_selected(t), "alpha");
	tree_begin(t);
	tree_end(t);
	assert_null(tree_selected(t));
	assert_int_equal(key(t, UIK_DOWN), UI_HANDLED);
	assert_int_equal(key(t, UIK_LEFT), UI_IGNORED);
	paint(WIDGET(t), 20, 8);
	widget_free(WIDGET(t));
}

static void selecting_opens_what_is_around(void **state)
{
	struct tree *t = hosts();

	tree_open(t, "host7", false);
	assert_true(tree_select(t, "db"));
	assert_true(tree_is_open(t, "host7"));
	assert_string_equal(tree_selected(t), "db");
	assert_false(tree_select(t, "nowhere"));
	widget_free(WIDGET(t));
}

static void the_mouse_moves_and_opens(void **state)
{
	struct tree *t = hosts();
	struct ui_mouse click = {.kind = UI_MOUSE_PRESS, .button = 1, .x = 6, .y = 2};

	paint(WIDGET(t), 20, 8);
	assert_int_equal(WIDGET(t)->ops->mouse(WIDGET(t), &click), UI_MOVED);
	assert_string_equal(tree_selected(t), "db");
	click.x = 0;
	click.y = 0;
	assert_int_equal(WIDGET(t)->ops->mouse(WIDGET(t), &click), UI_CHANGED);
	assert_false(tree_is_open(t, "host7"));
	widget_free(WIDGET(t));
}

static void scrolls_to_the_cursor(void **state)
{
	struct tree *t = hosts();

	key(t, UIK_END);
	paint(WIDGET(t), 20, 2);
	assert_line(1, "  lab");
	widget_free(WIDGET(t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draws_branches_and_badges),
		cmocka_unit_test(closes_and_opens),
		cmocka_unit_test(passes_over_notes),
		cmocka_unit_test(cursor_and_openness_survive_new_nodes),
		cmocka_unit_test(selecting_opens_what_is_around),
		cmocka_unit_test(the_mouse_moves_and_opens),
		cmocka_unit_test(scrolls_to_the_cursor),
	};

	return paint_run(tests);
}
