// SPDX-License-Identifier: GPL-3.0-or-later
// Every style in every theme: defined, readable, and told without colour where there is none.
#include <glib.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ui/theme.h"

/// xterm's first 16 colours.
static const guint32 ansi[16] = {0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd,
	0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff,
	0xffffff};

static guint32 rgb(int colour)
{
	static const int levels[] = { 0, 95, 135, 175, 215, 255 };
	int grey = 8 + (colour - 232) * 10;

	if (colour < 16)
		return ansi[colour];
	if (colour >= 232)
		return (guint32)(grey << 16 | grey << 8 | grey);
	colour -= 16;
	return (guint32)(levels[colour / 36] << 16 | levels[colour / 6 % 6] << 8 |
			 levels[colour % 6]);
}

/// Relative luminance and contrast as WCAG 2.1 defines them.
static double luminance(guint32 c)
{
	static const double weights[] = { 0.2126, 0.7152, 0.0722 };
	double sum = 0;

	for (int i = 0; i < 3; i++) {
		double v = (c >> (16 - 8 * i) & 0xff) / 255.0;

		sum += weights[i] * (v <= 0.03928 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
	}
	return sum;
}

static double contrast(int fg, int bg)
{
	double a = luminance(rgb(fg)), b = luminance(rgb(bg));

	return (MAX(a, b) + 0.05) / (MIN(a, b) + 0.05);
}

/// Bars and frames are drawing, not reading.
static bool is_drawing(enum ui_style s)
{
	return s == STYLE_BAR_EMPTY || s == STYLE_FRAME;
}

static void check_contrast(const struct theme *t, int colors, double least)
{
	for (int s = 0; s < N_STYLES; s++) {
		struct theme_cell cell = theme_resolve(t, (enum ui_style)s, colors);
		double got;

		if (cell.fg < 0)
			continue;
		assert_in_range(cell.fg, 0, colors - 1);
		assert_in_range(cell.bg, 0, colors - 1);
		if (colors == 8 && cell.attr & ATTR_BOLD && cell.fg == cell.bg)
			fail_msg("%s %s at 8 colours: the same twice", t->name,
				ui_style_name((enum ui_style)s));
		got = contrast(cell.fg, cell.bg);
		if (got < (is_drawing((enum ui_style)s) ? 2 : least))
			fail_msg("%s %s at %d colours: %d on %d has a contrast of %.1f", t->name,
				 ui_style_name((enum ui_style)s), colors, cell.fg, cell.bg, got);
	}
}

static void test_contrast(void **state)
{
	size_t n;
	const struct theme *all = theme_all(&n);

	for (size_t i = 0; i < n; i++) {
		double least = g_str_equal(all[i].name, "highcontrast") ? 7 : 3;

		check_contrast(&all[i], 256, least);
		check_contrast(&all[i], 16, least);
		check_contrast(&all[i], 8, 2.5);
	}
}

static void test_defined(void **state)
{
	size_t n;
	const struct theme *all = theme_all(&n);
	const struct theme_style none = { 0 };

	assert_int_equal(n, 5);
	assert_string_equal(all[0].name, "yast");
	for (size_t i = 0; i < n; i++) {
		assert_ptr_equal(theme_find(all[i].name), &all[i]);
		for (int s = 0; s < N_STYLES; s++) {
			const struct theme_style *style = &all[i].style[s];

			if (style->fg == none.fg && style->bg == none.bg)
				fail_msg("%s lacks %s", all[i].name,
					ui_style_name((enum ui_style)s));
		}
	}
	assert_null(theme_find("pink"));
	for (int s = 0; s < N_STYLES; s++)
		assert_true(*ui_style_name((enum ui_style)s));
}

/// Where the cursor is and what is focused must be seen without colours.
static void test_mono(void **state)
{
	static const enum ui_style pairs[][2] = {
		{ STYLE_TEXT, STYLE_SELECTED },	   { STYLE_SELECTED, STYLE_SELECTED_IDLE },
		{ STYLE_FIELD, STYLE_FIELD_FOCUS }, { STYLE_BUTTON, STYLE_BUTTON_FOCUS },
		{ STYLE_MENU, STYLE_MENU_FOCUS },  { STYLE_FRAME, STYLE_FRAME_FOCUS },
		{ STYLE_LABEL, STYLE_HOTKEY },	   { STYLE_TEXT, STYLE_MARKED },
		{ STYLE_TEXT, STYLE_BAD },	   { STYLE_KEYBAR_KEY, STYLE_KEYBAR_LABEL },
		{ STYLE_TEXT, STYLE_MATCH },	   { STYLE_DIFF_ADD, STYLE_DIFF_DEL },
		{ STYLE_BUTTON_FOCUS, STYLE_HOTKEY_FOCUS },
	};
	size_t n;
	const struct theme *all = theme_all(&n);

	for (size_t t = 0; t < n; t++)
		for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
			assert_true(theme_resolve(&all[t], pairs[i][0], 0).attr !=
				    theme_resolve(&all[t], pairs[i][1], 0).attr);
	assert_int_equal(theme_resolve(theme_find("mono"), STYLE_SELECTED, 256).attr, ATTR_REVERSE);
	assert_int_equal(theme_resolve(theme_find("mono"), STYLE_SELECTED, 256).fg, -1);
}

static void test_eight_colours(void **state)
{
	struct theme_cell cell = theme_resolve(theme_find("yast"), STYLE_HOTKEY, 8);

	assert_int_equal(cell.fg, 3);
	assert_int_equal(cell.bg, 4);
	assert_true(cell.attr & ATTR_BOLD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defined),
		cmocka_unit_test(test_contrast),
		cmocka_unit_test(test_mono),
		cmocka_unit_test(test_eight_colours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
