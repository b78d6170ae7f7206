// SPDX-License-Identifier: GPL-3.0-or-later
// Containers, forms, fields and focus order, drawn without a terminal.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/paint.h"
#include "ui/app.h"
#include "ui/button.h"
#include "ui/form.h"
#include "ui/keybar.h"
#include "ui/list.h"
#include "ui/page.h"

/// A screen that is on no app: focus and hotkeys work, nothing is painted.
static struct ui_screen *loose_screen(struct widget *body)
{
	static const struct ui_screen_ops ops = { .name = "loose" };
	struct ui_screen *s = g_new0(struct ui_screen, 1);

	ui_screen_init(s, &ops, body);
	return s;
}

static void screen_gone(struct ui_screen *s)
{
	widget_free(s->body);
	g_free(s);
}

static enum ui_result press(void *w, const char *keys)
{
	g_auto(GStrv) names = g_strsplit(keys, " ", -1);
	enum ui_result r = UI_IGNORED;

	for (char **name = names; *name; name++)
		r = WIDGET(w)->ops->key(WIDGET(w), ui_key_from_name(*name));
	return r;
}

// ---- containers

static void test_row_and_column(void **state)
{
	struct box *column = column_new(0), *row = row_new(1);

	box_add(row, WIDGET(label_new("ab", STYLE_TEXT)), 0, 0);
	box_add(row, WIDGET(label_new("cd", STYLE_TEXT)), 10, 0);
	box_add(row, WIDGET(label_new("ef", STYLE_TEXT)), -1, 1);
	box_add(column, WIDGET(row), 1, 0);
	box_add(column, spacer_new(1, 1), -1, 1);
	box_add(column, WIDGET(label_new("last", STYLE_DIM)), 0, 0);
	paint(WIDGET(column), 40, 5);
	assert_line(0, "ab cd         ef");
	assert_line(3, "");
	assert_line(4, "last");
	assert_int_equal(painted_style(0, 4), STYLE_DIM);
	assert_int_equal(widget_want(WIDGET(row), G_MAXINT).w, 2 + 1 + 10 + 1 + 2);
	widget_free(WIDGET(column));
}

static void test_hidden_takes_no_room(void **state)
{
	struct box *row = row_new(1);
	struct label *middle = label_new("mid", STYLE_TEXT);

	box_add(row, WIDGET(label_new("a", STYLE_TEXT)), 0, 0);
	box_add(row, WIDGET(middle), 0, 0);
	box_add(row, WIDGET(label_new("b", STYLE_TEXT)), 0, 0);
	paint(WIDGET(row), 20, 1);
	assert_line(0, "a mid b");
	widget_set_hidden(WIDGET(middle), true);
	paint(WIDGET(row), 20, 1);
	assert_line(0, "a b");
	widget_free(WIDGET(row));
}

static void test_page(void **state)
{
	struct page p = page_new("Hosts", spacer_new(1, 1), "Guests, of which there are many",
		spacer_new(1, 1), true);

	button_row_add(p.buttons, "&Help", 1, "help");
	button_row_add(p.buttons, "&Back", 8, "back");
	button_row_add(p.buttons, "&Next", 10, "next");
	frame_set_note(p.right, "filter: web");
	paint(WIDGET(p.box), 80, 4);
	assert_line(0,
		"┌Hosts─────────────────┐┌Guests, of which there are many───────── filter: web ─┐");
	assert_line(2,
		"└──────────────────────┘└──────────────────────────────────────────────────────┘");
	assert_line(3,
		"  [ Help ]                          [ Back ]                          [ Next ]");
	assert_int_equal(WIDGET(p.left)->area.w, 24); // 30 %
	assert_ptr_equal(
		widget_find(WIDGET(p.box), "back")->ops, widget_at(WIDGET(p.box), 38, 3)->ops);
	assert_string_equal(widget_at(WIDGET(p.box), 38, 3)->name, "back");
	widget_free(WIDGET(p.box));
}

static void test_nowhere_to_draw(void **state)
{
	struct page p =
		page_new("Hosts", WIDGET(list_new(LIST_PLAIN)), "Guests", WIDGET(form_new()), true);

	for (int w = 0; w < 30; w++)
		paint(WIDGET(p.box), w, w % 5);
	widget_free(WIDGET(p.box));
}

// ---- focus

static void test_focus_order(void **state)
{
	struct page p = page_new(NULL, NULL, "Page", spacer_new(1, 1), true);
	struct widget *a = WIDGET(button_row_add(p.buttons, "a", 0, "a"));
	struct widget *b = WIDGET(button_row_add(p.buttons, "b", 0, "b"));
	struct widget *c = WIDGET(button_row_add(p.buttons, "c", 0, "c"));
	struct ui_screen *s = loose_screen(WIDGET(p.box));

	assert_ptr_equal(widget_focus_first(s->body), a);
	assert_ptr_equal(widget_focus_next(s->body, a, true), b);
	assert_ptr_equal(widget_focus_next(s->body, a, false), c);
	widget_grab_focus(b);
	assert_true(b->focused);
	widget_set_disabled(b, true); // the focus does not stay on what cannot be used
	assert_ptr_equal(s->focus, c);
	assert_false(b->focused);
	assert_ptr_equal(widget_focus_next(s->body, a, true), c);
	widget_set_hidden(a, true);
	assert_ptr_equal(widget_focus_next(s->body, c, true), c);
	assert_true(widget_has_focus(WIDGET(p.box)));
	screen_gone(s);
}

static void test_focus_follows_the_page(void **state)
{
	struct stack *stack = stack_new();
	struct form *one = form_new(), *two = form_new();
	struct field *f1 = field_text_new("", 5), *f2 = field_text_new("", 5);
	struct ui_screen *s;

	form_add(one, "a", WIDGET(f1), NULL);
	form_add(two, "b", WIDGET(f2), NULL);
	stack_add(stack, WIDGET(one));
	stack_add(stack, WIDGET(two));
	s = loose_screen(WIDGET(stack));
	widget_grab_focus(WIDGET(stack));
	assert_ptr_equal(s->focus, f1);
	stack_show(stack, 1);
	assert_ptr_equal(s->focus, f2);
	form_clear(two);
	assert_null(s->focus);
	screen_gone(s);
}

// ---- fields

static void test_text_field(void **state)
{
	struct field *f = field_text_new("web1", 8);

	assert_int_equal(press(f, "Home x End y"), UI_CHANGED);
	assert_string_equal(field_text(f), "xweb1y");
	assert_true(field_changed(f));
	press(f, "BSpace BSpace Left DC");
	assert_string_equal(field_text(f), "xwe");
	press(f, "C-u ö 東 Left BSpace");
	assert_string_equal(field_text(f), "東");
	press(f, "Home C-k o n e Space t w o C-w");
	assert_string_equal(field_text(f), "one ");
	assert_int_equal(press(f, "Enter"), UI_ACTIVATED);
	assert_int_equal(press(f, "Down"), UI_IGNORED);
	field_set_text(f, "a long text that does not fit");
	press(f, "End");
	paint(WIDGET(f), 10, 1);
	assert_line(0, "[a long t]"); // nobody types in it: how it begins
	WIDGET(f)->focused = true;
	paint(WIDGET(f), 10, 1);
	assert_line(0, "[not fit ]");
	field_accept(f);
	assert_false(field_changed(f));
	field_set_secret(f, true);
	press(f, "C-u a b c");
	paint(WIDGET(f), 10, 1);
	assert_line(0, "[***     ]");
	widget_free(WIDGET(f));
}

static void test_number_field(void **state)
{
	struct field *f =
		field_number_new(&NUMBER_BYTES, (gint64)1 << 30, 96 << 20, (gint64)2 << 30);

	assert_string_equal(field_text(f), "1 GiB");
	assert_null(field_error(f));
	press(f, "+");
	assert_string_equal(field_text(f), "1.25 GiB");
	press(f, "- -");
	assert_string_equal(field_text(f), "768 MiB");
	press(f, "C-u 3 g");
	assert_int_equal(field_number(f), (gint64)3 << 30);
	assert_string_equal(field_error(f), "At most 2 GiB is possible.");
	press(f, "C-u 1");
	assert_string_equal(field_error(f), "At least 96 MiB is needed.");
	press(f, "C-u");
	assert_string_equal(field_error(f), "A number is needed here.");
	assert_int_equal(field_number(f), -1);
	field_set_optional(f, true);
	assert_null(field_error(f));
	field_set_range(f, 0, (gint64)8 << 30);
	press(f, "9 9 9 g");
	assert_string_equal(field_error(f), "At most 8 GiB is possible.");
	field_set_error(f, "The host has no more."); // from elsewhere, until the next change
	assert_string_equal(field_error(f), "The host has no more.");
	press(f, "C-u 1");
	assert_null(field_error(f));
	widget_free(WIDGET(f));
}

static void test_slider(void **state)
{
	struct field *f = field_slider_new(&NUMBER_COUNT, 4, 1, 8, 1, 10);

	press(f, "Right");
	assert_int_equal(field_number(f), 5);
	press(f, "PPage");
	assert_int_equal(field_number(f), 8);
	paint(WIDGET(f), 23, 1);
	assert_line(0, "▕██████████▏ 8");
	press(f, "Home Left");
	assert_int_equal(field_number(f), 1);
	WIDGET(f)->ops->mouse(
		WIDGET(f), &(struct ui_mouse){.kind = UI_MOUSE_PRESS, .button = 1, .x = 10});
	assert_int_equal(field_number(f), 8);
	field_set_range(f, 1, 6);
	assert_int_equal(field_number(f), 6);
	widget_free(WIDGET(f));
}

static void test_choice_and_check(void **state)
{
	struct field *choice =
		field_choice_new((const char *const[]){"red", "green", "blue", NULL}, 1);
	struct field *check = field_check_new("&Keep", false);

	press(choice, "Right Right");
	assert_int_equal(field_choice(choice), 2);
	press(choice, "r");
	assert_string_equal(field_text(choice), "red");
	field_set_items(choice, (const char *const[]){ NULL }, 0);
	assert_int_equal(field_choice(choice), -1);
	assert_int_equal(press(choice, "Left"), UI_HANDLED);
	assert_int_equal(press(check, "Space"), UI_CHANGED);
	assert_true(field_check(check));
	paint(WIDGET(check), 10, 1);
	assert_line(0, "[x] Keep");
	widget_free(WIDGET(choice));
	widget_free(WIDGET(check));
}

static void test_multi(void **state)
{
	struct field *f = field_multi_new("one\ntwo", 10, 3);

	press(f, "x Down End y Enter z");
	assert_string_equal(field_text(f), "xone\ntwoy\nz");
	press(f, "Up End Up Up");
	assert_int_equal(press(f, "Up"), UI_IGNORED);
	press(f, "Home DC");
	assert_string_equal(field_text(f), "one\ntwoy\nz");
	press(f, "End DC");
	assert_string_equal(field_text(f), "onetwoy\nz");
	widget_free(WIDGET(f));
}

// ---- form

static void test_form(void **state)
{
	struct form *f = form_new();
	struct field *name = field_text_new("web1", 6),
		     *size = field_number_new(&NUMBER_COUNT, 2, 1, 4);
	struct widget *bad;

	form_add(f, "&Name", WIDGET(name), "hint");
	form_add(f, "Virtual &CPUs", WIDGET(size), NULL);
	form_add(f, NULL, WIDGET(field_check_new("Keep", false)), NULL);
	paint(WIDGET(f), 60, 5);
	assert_line(0, "Name         [web1  ]  hint");
	assert_line(1, "Virtual CPUs [2           ]");
	assert_line(2, "             [ ] Keep");
	assert_true(form_valid(f, NULL));
	assert_false(form_changed(f));
	press(size, "C-u 9");
	paint(WIDGET(f), 60, 5);
	assert_line(1, "Virtual CPUs [9           ]  At most 4 is possible.");
	assert_int_equal(painted_style(29, 1), STYLE_BAD);
	assert_false(form_valid(f, &bad));
	assert_ptr_equal(bad, size);
	assert_true(form_changed(f));
	paint(WIDGET(f), 40, 5); // no room beside it
	assert_line(2, "             At most 4 is possible.");
	widget_set_disabled(WIDGET(size), true); // what cannot be changed is not wrong
	assert_true(form_valid(f, &bad));
	widget_free(WIDGET(f));
}

static void test_form_scrolls(void **state)
{
	struct form *f = form_new();
	struct widget *fields[12];
	struct ui_screen *s = loose_screen(WIDGET(f));

	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		g_autofree char *label = g_strdup_printf("f%d", (int)i);

		fields[i] = WIDGET(field_text_new("", 4));
		form_add(f, label, fields[i], NULL);
	}
	widget_grab_focus(fields[11]);
	paint(WIDGET(f), 30, 5);
	assert_line(4, "f11 [    ]");
	assert_line(0, "f7  [    ]                   ▲");
	widget_grab_focus(fields[0]);
	paint(WIDGET(f), 30, 5);
	assert_line(0, "f0  [    ]");
	screen_gone(s);
}

// ---- lists and the key bar

static void test_list(void **state)
{
	static const struct list_item items[] = {
		{"alpha", NULL, true},
		{"beta", "F3", false},
		{NULL, NULL, false},
		{"gamma", NULL, false},
		{"beat", NULL, false},
	};
	struct list *l = list_new(LIST_PLAIN);

	assert_int_equal(list_cursor(l), -1);
	assert_int_equal(press(l, "Down"), UI_IGNORED);
	list_set(l, items, G_N_ELEMENTS(items));
	assert_int_equal(list_cursor(l), 1); // not on a greyed one
	assert_int_equal(press(l, "Down"), UI_MOVED);
	assert_int_equal(list_cursor(l), 3); // nor on a line
	press(l, "b e a");
	assert_int_equal(list_cursor(l), 4);
	assert_int_equal(press(l, "Enter"), UI_ACTIVATED);
	press(l, "Home");
	paint(WIDGET(l), 14, 5);
	assert_line(0, "-alpha");
	assert_line(1, " beta      F3");
	assert_line(2, "──────────────");
	widget_free(WIDGET(l));
}

static void test_keybar(void **state)
{
	struct canvas c = {
		.win = stdscr, .look = &paint_look, .w = 30, .h = 1, .clip = {0, 0, 30, 1}};
	struct keybar bar = { 0 };

	keybar_set(&bar, 1, "Help");
	keybar_set(&bar, 9, "Cancel");
	keybar_set(&bar, 10, "Finish everything");
	erase();
	keybar_draw(&bar, &c);
	assert_line(0, " F1Help F9Cancel F10Finish ev…");
	assert_int_equal(keybar_at(&bar, 30, 0), 1);
	assert_int_equal(keybar_at(&bar, 30, 8), 9);
	assert_int_equal(keybar_at(&bar, 30, 29), 10);
	keybar_set(&bar, 9, NULL);
	assert_int_equal(keybar_at(&bar, 30, 8), 10);
	keybar_clear(&bar);
	assert_int_equal(keybar_at(&bar, 30, 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_row_and_column),
		cmocka_unit_test(test_hidden_takes_no_room),
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_nowhere_to_draw),
		cmocka_unit_test(test_focus_order),
		cmocka_unit_test(test_focus_follows_the_page),
		cmocka_unit_test(test_text_field),
		cmocka_unit_test(test_number_field),
		cmocka_unit_test(test_slider),
		cmocka_unit_test(test_choice_and_check),
		cmocka_unit_test(test_multi),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_form_scrolls),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_keybar),
	};

	return paint_run(tests);
}
