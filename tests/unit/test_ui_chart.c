// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/paint.h"
#include "ui/chart.h"

static char *plot(enum plot_style style, const double *values, int count, double top, int width)
{
	gunichar cells[64];

	plot_area(style, values, count, top, width, 1, cells);
	return g_ucs4_to_utf8(cells, width, NULL, NULL, NULL);
}

static void block_shows_eighths(void **state)
{
	const double values[] = {0, 1, 2, 4, 8};
	g_autofree char *text = plot(PLOT_BLOCK, values, 5, 8, 5);

	assert_string_equal(text, " ▁▂▄█");
}

static void braille_holds_two_samples_a_cell(void **state)
{
	const double values[] = {0, 1, 2, 4};
	g_autofree char *text = plot(PLOT_BRAILLE, values, 4, 4, 2);

	assert_string_equal(text, "⢀⣼");
}

static void ascii_stays_ascii(void **state)
{
	const double values[] = {0, 1, 2, 3};
	g_autofree char *text = plot(PLOT_ASCII, values, 4, 3, 4);

	assert_string_equal(text, " .:#");
}

static void newest_is_at_the_right(void **state)
{
	const double values[] = {8, 8, 8, 0, 8};
	g_autofree char *few = plot(PLOT_BLOCK, values, 5, 8, 2);
	g_autofree char *many = plot(PLOT_BLOCK, values + 4, 1, 8, 4);

	assert_string_equal(few, " █");
	assert_string_equal(many, "   █");
}

static void little_is_not_nothing_and_too_much_is_cut(void **state)
{
	const double values[] = {0.001, NAN, -3, 1e9};
	g_autofree char *text = plot(PLOT_BLOCK, values, 4, 8, 4);

	assert_string_equal(text, "▁  █");
}

static void tall_plots_fill_from_below(void **state)
{
	const double values[] = {1, 2};
	gunichar cells[4];

	plot_area(PLOT_BLOCK, values, 2, 2, 2, 2, cells);
	assert_int_equal(cells[0], ' ');
	assert_int_equal(cells[1], 0x2588);
	assert_int_equal(cells[2], 0x2588);
	assert_int_equal(cells[3], 0x2588);
}

static void scales_are_round(void **state)
{
	assert_true(plot_round_up(0) == 1);
	assert_true(plot_round_up(3) == 5);
	assert_true(plot_round_up(100) == 100);
	assert_true(plot_round_up(101) == 200);
	assert_true(plot_round_up(NAN) == 1);
	assert_true(plot_round_up_binary(1000) == 1024);
	assert_true(plot_round_up_binary(1024) == 1024);
}

static char *percent(double value)
{
	return g_strdup_printf("%.0f %%", value);
}

static struct chart *cpu_chart(void)
{
	struct chart *chart = chart_new(2);
	struct chart_series *cpu = chart_series(chart, 0), *mem = chart_series(chart, 1);

	cpu->label = "CPU";
	cpu->top = 100;
	cpu->format = percent;
	cpu->values[0] = 50;
	cpu->values[1] = 100;
	cpu->count = 2;
	mem->label = "Mem";
	chart_set_text(chart, 0, "100 %");
	chart_set_text_width(chart, 6);
	chart_set_style(chart, CHART_BLOCK);
	return chart;
}

static void a_chart_has_label_plot_and_figures(void **state)
{
	struct chart *chart = cpu_chart();

	paint(WIDGET(chart), 30, 2);
	assert_line(0, "CPU                  ▄█ 100 %");
	assert_line(1, "Mem");
	assert_int_equal(painted_style(22, 0), STYLE_CHART_1);
	widget_free(WIDGET(chart));
}

static void a_tall_chart_has_a_scale(void **state)
{
	struct chart *chart = cpu_chart();

	paint(WIDGET(chart), 30, 6);
	assert_line(0, "CPU      100 %        █ 100 %");
	assert_line(2, "           0 %       ██");
	widget_free(WIDGET(chart));
}

static void braille_mode_tells_sentences(void **state)
{
	struct chart *chart = cpu_chart();
	g_autofree char *summary = chart_summary(chart, 0);

	assert_string_equal(summary, "CPU: 100 %, lowest 50 %, highest 100 %");
	paint_look.braille = true;
	paint(WIDGET(chart), 60, 2);
	paint_look.braille = false;
	assert_line(0, "CPU: 100 %, lowest 50 %, highest 100 %");
	assert_line(1, "Mem: nothing known yet");
	widget_free(WIDGET(chart));
}

static void tiny_charts_do_no_harm(void **state)
{
	struct chart *chart = cpu_chart();

	for (int width = 1; width < 20; width++)
		paint(WIDGET(chart), width, 1);
	assert_line(0, "CPU       ▄█ 100 %");
	widget_free(WIDGET(chart));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(block_shows_eighths),
		cmocka_unit_test(braille_holds_two_samples_a_cell),
		cmocka_unit_test(ascii_stays_ascii),
		cmocka_unit_test(newest_is_at_the_right),
		cmocka_unit_test(little_is_not_nothing_and_too_much_is_cut),
		cmocka_unit_test(tall_plots_fill_from_below),
		cmocka_unit_test(scales_are_round),
		cmocka_unit_test(a_chart_has_label_plot_and_figures),
		cmocka_unit_test(a_tall_chart_has_a_scale),
		cmocka_unit_test(braille_mode_tells_sentences),
		cmocka_unit_test(tiny_charts_do_no_harm),
	};

	return paint_run(tests);
}
