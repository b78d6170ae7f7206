// SPDX-License-Identifier: GPL-3.0-or-later
// Formats, sizes, histories, errors: the model's small parts.
#include "tests/unit/model_helper.h"

static void assert_text(char *text, const char *expected)
{
	assert_string_equal(text, expected);
	g_free(text);
}

static void sizes_fit_four_columns(void **state)
{
	assert_text(format_size(0), "0");
	assert_text(format_size(512), "512");
	assert_text(format_size(40 * 1024), "40K");
	assert_text(format_size(1.2 * 1024 * 1024), "1.2M");
	assert_text(format_size(4.0 * 1024 * 1024 * 1024), "4.0G");
	assert_text(format_size(999.6 * 1024), "1.0M");
	assert_text(format_size(NAN), "-");
	assert_text(format_size_long(40 * 1024), "40.0 KiB");
	assert_text(format_size_long(1), "1 byte");
	assert_text(format_size_long(512), "512 bytes");
	for (double bytes = 1; bytes < 1e18; bytes *= 1.37) {
		char *text = format_size(bytes);

		assert_true(strlen(text) <= 4);
		g_free(text);
	}
}

static void pairs_share_a_unit(void **state)
{
	const double gib = 1024.0 * 1024 * 1024;

	assert_text(format_size_pair(2.1 * gib, 4 * gib), "2.1/4.0G");
	assert_text(format_size_pair(NAN, 512.0 * 1024 * 1024), "-/512M");
	assert_text(format_size_pair(gib / 2, 512.0 * 1024 * 1024), "512/512M");
	assert_text(format_size_pair(NAN, NAN), "-/-");
}

static void rates_and_counts_are_decimal(void **state)
{
	assert_text(format_rate(3100000), "3.1M");
	assert_text(format_rate(40000), "40k");
	assert_text(format_rate_long(3100000), "3.1 MB/s");
	assert_text(format_rate_long(12), "12 B/s");
	assert_text(format_count(88), "88");
	assert_text(format_count(1234), "1.2k");
	assert_text(format_percent(212.4), "212");
	assert_text(format_percent(-0.2), "0");
	assert_text(format_percent(NAN), "-");
}

static void durations_show_two_units(void **state)
{
	assert_text(format_duration(8), "8 s");
	assert_text(format_duration(303), "5 min 3 s");
	assert_text(format_duration(7260), "2 h 1 min");
	assert_text(format_duration(12 * 86400 + 4 * 3600), "12 d 4 h");
	assert_text(format_duration(NAN), "-");
	assert_text(format_duration_short(8), "0:08");
	assert_text(format_duration_short(7260), "2:01:00");
	assert_text(format_duration_short(12 * 86400 + 4 * 3600), "12d04h");
	assert_text(format_date(0), "1970-01-01 00:00:00");
}

static void assert_size(const char *text, guint64 unit, guint64 expected)
{
	guint64 bytes = 0;

	assert_true(parse_size(text, unit, &bytes, NULL));
	assert_int_equal(bytes, expected);
}

static void sizes_are_read_as_written(void **state)
{
	static const char *const bad[] = {
		"", "G", "-1G", "1Q", "nan", "0x10", "1GiBs", "99999999999G", "inf", "1 2", NULL};

	assert_size("512M", 1, 512ull << 20);
	assert_size("2GiB", 1, 2ull << 30);
	assert_size(" 1.5 g ", 1, 3ull << 29);
	assert_size("40000", 1024, 40000ull * 1024);
	assert_size("7b", 1024, 7);
	assert_size("5MB", 1, 5000000);
	for (unsigned i = 0; bad[i]; i++) {
		g_autoptr(GError) error = NULL;
		guint64 bytes = 42;

		assert_false(parse_size(bad[i], 1, &bytes, &error));
		assert_int_equal(error->code, MODEL_ERROR_USAGE);
		assert_int_equal(bytes, 42);
	}
}

static void a_history_is_a_ring(void **state)
{
	struct history history = {0};
	double out[4];

	history_add(&history, NAN);
	assert_null(history.values);
	assert_true(isnan(history_last(&history)));
	for (unsigned i = 0; i < HISTORY_LENGTH + 5; i++)
		history_add(&history, i);
	history_add(&history, NAN);
	assert_int_equal(history.count, HISTORY_LENGTH);
	assert_true(isnan(history_at(&history, 0)));
	assert_true(history_at(&history, 1) == HISTORY_LENGTH + 4);
	assert_true(isnan(history_at(&history, HISTORY_LENGTH)));
	history_copy(&history, out, 4);
	assert_true(out[2] == HISTORY_LENGTH + 4 && out[0] == HISTORY_LENGTH + 2 && isnan(out[3]));
	assert_true(history_max(&history, 3) == HISTORY_LENGTH + 4);
	assert_true(history_mean(&history, 3) == HISTORY_LENGTH + 3.5);
	history_clear(&history);
	assert_true(isnan(history_mean(&history, 3)));
}

static void errors_have_a_headline_and_details(void **state)
{
	g_autoptr(GError) error = g_error_new(MODEL_ERROR, 1, "Cannot do it: why\nmore\nway out");
	g_autoptr(GError) plain = g_error_new(MODEL_ERROR, 1, "Cannot do it.");

	assert_text(error_headline(error), "Cannot do it: why");
	assert_text(error_details(error), "more\nway out");
	assert_text(error_headline(plain), "Cannot do it.");
	assert_null(error_details(plain));
}

static void the_clock_runs(void **state)
{
	gint64 before = clock_monotonic();

	assert_false(clock_frozen());
	g_usleep(2000);
	assert_true(clock_monotonic() > before);
	assert_true(ABS(clock_now() - g_get_real_time()) < G_USEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_fit_four_columns),
		cmocka_unit_test(pairs_share_a_unit),
		cmocka_unit_test(rates_and_counts_are_decimal),
		cmocka_unit_test(durations_show_two_units),
		cmocka_unit_test(sizes_are_read_as_written),
		cmocka_unit_test(a_history_is_a_ring),
		cmocka_unit_test(errors_have_a_headline_and_details),
		cmocka_unit_test(the_clock_runs),
	};

	helper_begin();
	return helper_end(cmocka_run_group_tests(tests, NULL, NULL));
}
