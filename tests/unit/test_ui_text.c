// SPDX-License-Identifier: GPL-3.0-or-later
// Widths, ellipsis, wrapping, cleaning; numbers with units; hotkeys; shares of room.
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ui/clock.h"
#include "ui/hotkey.h"
#include "ui/layout.h"
#include "ui/number.h"
#include "ui/text.h"

#define assert_text(call, wanted)                            \
	do {                                                 \
		g_autofree char *text_ = (call);             \
		assert_string_equal(text_, wanted);          \
	} while (0)

static void test_width(void **state)
{
	assert_int_equal(text_width("web1"), 4);
	assert_int_equal(text_width("Jörg"), 4);
	assert_int_equal(text_width("東京都"), 6);
	assert_int_equal(text_width("e\u0301"), 1); // combining acute
	assert_int_equal(text_width("a\xff\xfe"), 3); // a bad byte is a cell
	assert_int_equal(text_width(NULL), 0);
}

static void test_prefix(void **state)
{
	int used;

	assert_int_equal(text_prefix("東京都", 3, &used), 3);
	assert_int_equal(used, 2);
	assert_int_equal(text_prefix("e\u0301x", 1, &used), 3); // the mark stays with its letter
	assert_int_equal(text_prefix("abc", 0, &used), 0);
	assert_int_equal(text_prefix("abc", 9, &used), 3);
}

static void test_fit(void **state)
{
	assert_text(text_ellipsis("storage", 7), "storage");
	assert_text(text_ellipsis("storage", 5), "stor…");
	assert_text(text_ellipsis("東京都", 5), "東京…");
	assert_text(text_ellipsis("東京都", 4), "東…");
	assert_text(text_ellipsis("abc", 0), "");
	assert_text(text_fit("ab", 5, TEXT_RIGHT), "   ab");
	assert_text(text_fit("ab", 5, TEXT_CENTRE), " ab  ");
	assert_text(text_fit("東京都", 4, TEXT_LEFT), "東… ");
	assert_text(text_fit(NULL, 2, TEXT_LEFT), "  ");
}

static void test_clean(void **state)
{
	assert_text(text_clean("a\x1b[31mb", false), "a?[31mb");
	assert_text(text_clean("a\tb", false), "a       b");
	assert_text(text_clean("a\nb\r", true), "a\nb?");
	assert_text(text_clean("\xc3\x28", false), "?(");
	assert_text(text_clean("a\u202eb\u200bc", false), "abc"); // no bidi tricks
	assert_text(text_clean(NULL, false), "");
}

/// ASCII mode may never change a layout.
static void test_fold_keeps_width(void **state)
{
	assert_int_equal(text_fold(0x00e4), 'a');
	assert_int_equal(text_fold(0x2026), '~');
	assert_int_equal(text_fold(0x25b8), '>');
	assert_int_equal(text_fold(0x6771), '?');
	for (gunichar ch = 0x20; ch < 0x3000; ch++)
		assert_in_range(text_fold(ch), 0x20, 0x7e);
}

static void test_wrap(void **state)
{
	g_auto(GStrv) lines = text_wrap("one two  three\n\nfour abcdefghij", 7);

	assert_text(g_strjoinv("|", lines), "one two|three||four|abcdefg|hij");
}

// ---- numbers

static void good(const struct number_kind *k, const char *text, gint64 wanted)
{
	g_autoptr(GError) error = NULL;
	gint64 value = -1;

	if (!number_parse(k, text, &value, &error))
		fail_msg("'%s': %s", text, error->message);
	assert_int_equal(value, wanted);
}

static void bad(const struct number_kind *k, const char *text, enum number_error code)
{
	g_autoptr(GError) error = NULL;
	gint64 value = 77;

	assert_false(number_parse(k, text, &value, &error));
	assert_int_equal(value, 77);
	assert_true(g_error_matches(error, NUMBER_ERROR, code));
	assert_true(g_str_has_suffix(error->message, "."));
}

static void test_number_parse(void **state)
{
	good(&NUMBER_BYTES, "4 GiB", (gint64)4 << 30);
	good(&NUMBER_BYTES, "4.5g", (gint64)9 << 29);
	good(&NUMBER_BYTES, " 4,5 GIB ", (gint64)9 << 29);
	good(&NUMBER_BYTES, "512", (gint64)512 << 20); // MiB are meant
	good(&NUMBER_BYTES, "1 KB", 1000);
	good(&NUMBER_BYTES, "1 k", 1024);
	good(&NUMBER_BYTES, "7b", 7);
	good(&NUMBER_BYTES, ".5 KiB", 512);
	good(&NUMBER_PERCENT, "50", 50);
	good(&NUMBER_PERCENT, "50%", 50);
	good(&NUMBER_RATE, "2 MiB/s", 2 << 20);
	good(&NUMBER_SECONDS, "2 min", 120);
}

static void test_number_wrong(void **state)
{
	bad(&NUMBER_BYTES, "", NUMBER_ERROR_EMPTY);
	bad(&NUMBER_BYTES, "   ", NUMBER_ERROR_EMPTY);
	bad(&NUMBER_BYTES, NULL, NUMBER_ERROR_EMPTY);
	bad(&NUMBER_BYTES, "much", NUMBER_ERROR_SYNTAX);
	bad(&NUMBER_BYTES, "-4 GiB", NUMBER_ERROR_SYNTAX);
	bad(&NUMBER_BYTES, ".", NUMBER_ERROR_SYNTAX);
	bad(&NUMBER_BYTES, "4 apples", NUMBER_ERROR_UNIT);
	bad(&NUMBER_BYTES, "4.4.4", NUMBER_ERROR_UNIT);
	bad(&NUMBER_BYTES, "99999999999999999999", NUMBER_ERROR_RANGE);
	bad(&NUMBER_BYTES, "9999999999 TiB", NUMBER_ERROR_RANGE);
	bad(&NUMBER_COUNT, "1.5", NUMBER_ERROR_SYNTAX);
	bad(&NUMBER_COUNT, "4 GiB", NUMBER_ERROR_UNIT);
}

static void test_number_format(void **state)
{
	assert_text(number_format(&NUMBER_BYTES, (gint64)4 << 30), "4 GiB");
	assert_text(number_format(&NUMBER_BYTES, (gint64)9 << 29), "4.5 GiB");
	assert_text(number_format(&NUMBER_BYTES, ((gint64)4 << 30) + 1024), "4194305 KiB");
	assert_text(number_format(&NUMBER_BYTES, (gint64)19 << 28), "4.75 GiB");
	assert_text(number_format(&NUMBER_BYTES, 1001), "1001 B");
	assert_text(number_format(&NUMBER_BYTES, 0), "0 MiB");
	assert_text(number_format(&NUMBER_PERCENT, 50), "50 %");
	assert_text(number_format(&NUMBER_COUNT, 8), "8");
	assert_text(number_format(&NUMBER_SECONDS, 90), "1.5 min");
	assert_text(number_format(&NUMBER_RATE, 1 << 20), "1 MiB/s");
}

/// What is shown is what is meant, whatever the number.
static void test_number_round_trip(void **state)
{
	static const struct number_kind *const kinds[] = {
		&NUMBER_BYTES, &NUMBER_RATE, &NUMBER_PERCENT, &NUMBER_COUNT, &NUMBER_SECONDS};
	GRand *random = g_rand_new_with_seed(1);

	for (int i = 0; i < 20000; i++) {
		gint64 value =
			((gint64)g_rand_int(random) << 16) >> g_rand_int_range(random, 0, 48);

		value <<= g_rand_int_range(random, 0, 2) ? 0 : 10;
		for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
			g_autofree char *text = number_format(kinds[k], value);

			good(kinds[k], text, value);
		}
	}
	g_rand_free(random);
}

static void test_number_short(void **state)
{
	assert_text(number_short(0, false), "0");
	assert_text(number_short(212, false), "212");
	assert_text(number_short(3100000, false), "3.1M");
	assert_text(number_short(40000, false), "40k");
	assert_text(number_short(4.0 * (1 << 30), true), "4.0G");
	assert_text(number_short(999.6, false), "1.0k");
	assert_text(number_short(0.0 / 0.0, false), "-");
}

// ---- hotkeys

static void resolve(const char *const *texts, size_t n, const char *wanted)
{
	struct ui_hotlabel labels[8] = { 0 };
	struct ui_hotlabel *pointers[8];
	g_autoptr(GString) got = g_string_new(NULL);

	for (size_t i = 0; i < n; i++) {
		ui_hotlabel_set(&labels[i], texts[i]);
		pointers[i] = &labels[i];
	}
	for (int twice = 0; twice < 2; twice++) { // resolving again must change nothing
		g_string_truncate(got, 0);
		ui_hotlabel_resolve(pointers, n);
		for (size_t i = 0; i < n; i++) {
			g_string_append_unichar(got, labels[i].key ? labels[i].key : '-');
			if (labels[i].key) {
				const char *letter =
					g_utf8_offset_to_pointer(labels[i].text, labels[i].pos);

				assert_int_equal(
					g_unichar_tolower(g_utf8_get_char(letter)), labels[i].key);
			}
		}
	}
	assert_string_equal(got->str, wanted);
	for (size_t i = 0; i < n; i++)
		ui_hotlabel_clear(&labels[i]);
}

static void test_hotkey_label(void **state)
{
	struct ui_hotlabel l = { 0 };

	ui_hotlabel_set(&l, "Save && &quit");
	assert_string_equal(l.text, "Save & quit");
	assert_int_equal(l.key, 'q');
	assert_int_equal(l.pos, 7);
	assert_int_equal(ui_hotlabel_width(&l), 11);
	ui_hotlabel_set(&l, "Plain&");
	assert_string_equal(l.text, "Plain&");
	assert_int_equal(l.key, 0);
	ui_hotlabel_clear(&l);
}

static void test_hotkey_duplicates(void **state)
{
	resolve((const char *const[]){"&Start", "&Stop", "&Save", "Add"}, 4,
		"stva"); // wishes come first
	resolve((const char *const[]){ "&Start", "&Stop now", "&Stop" }, 3, "snt");
	resolve((const char *const[]){ "&A", "&A", "&Ä" }, 3, "a-ä");
	resolve((const char *const[]){ "", "12", "東" }, 3, "--東");
}

// ---- shares

static void share(size_t n, const int *want, const int *stretch, int total, const int *wanted)
{
	int len[8];

	box_share(want, stretch, len, n, total);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(len[i], wanted[i]);
}

static void test_share(void **state)
{
	share(2, (int[]){ 10, 20 }, (int[]){ 0, 0 }, 50, (int[]){ 10, 20 });
	share(2, (int[]){ 0, 0 }, (int[]){ 30, 70 }, 80, (int[]){ 24, 56 });
	share(3, (int[]){ 5, 0, 5 }, (int[]){ 0, 1, 0 }, 40, (int[]){ 5, 30, 5 });
	share(3, (int[]){5, 20, 5}, (int[]){0, 1, 0}, 15,
		(int[]){5, 5, 5}); // the stretching one gives
	share(3, (int[]){ 5, 20, 5 }, (int[]){ 0, 1, 0 }, 7, (int[]){ 5, 0, 2 }); // then the last
	share(2, (int[]){ 5, 5 }, (int[]){ 0, 1 }, 0, (int[]){ 0, 0 });
	share(3, (int[]){ -1, -1, -1 }, (int[]){ 1, 1, 1 }, 10, (int[]){ 3, 3, 4 });
}

static void test_clock(void **state)
{
	g_setenv("LODGE_CLOCK", "1700000000", TRUE);
	g_setenv("TZ", "UTC0", TRUE);
	assert_true(ui_clock_frozen());
	assert_int_equal(ui_now(), 1700000000);
	assert_int_equal(ui_now_us() % G_USEC_PER_SEC, 0);
	assert_text(ui_clock_text(ui_now()), "22:13:20");
	g_setenv("LODGE_CLOCK", "soon", TRUE);
	assert_false(ui_clock_frozen());
	g_unsetenv("LODGE_CLOCK");
	assert_true(ui_now() > 1700000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_fold_keeps_width),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_number_parse),
		cmocka_unit_test(test_number_wrong),
		cmocka_unit_test(test_number_format),
		cmocka_unit_test(test_number_round_trip),
		cmocka_unit_test(test_number_short),
		cmocka_unit_test(test_hotkey_label),
		cmocka_unit_test(test_hotkey_duplicates),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
