// SPDX-License-Identifier: GPL-3.0-or-later
// From terminal bytes to keys, and the names of keys.
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ui/key.h"

/// All keys in BYTES as names, separated by spaces; EXPIRED lets a started sequence run out.
static char *decode(const char *bytes, size_t n, bool expired)
{
	struct ui_decoder *d = ui_decoder_new(false);
	GString *out = g_string_new(NULL);
	struct ui_input in;

	for (size_t i = 0; i < n; i++) // byte by byte, as a slow line brings them
		ui_decoder_feed(d, bytes + i, 1);
	for (int pass = 0; pass < 1 + expired; pass++) {
		if (pass)
			ui_decoder_timeout(d);
		while (ui_decoder_next(d, &in)) {
			if (out->len)
				g_string_append_c(out, ' ');
			if (in.key & UIK_PASTED)
				g_string_append(out, "pasted-");
			g_string_append(out, in.key == UIK_MOUSE ? "Mouse" : ui_key_name(in.key));
		}
	}
	ui_decoder_free(d);
	return g_string_free(out, FALSE);
}

static void keys(const char *bytes, const char *wanted)
{
	g_autofree char *got = decode(bytes, strlen(bytes), true);

	assert_string_equal(got, wanted);
}

static void test_characters(void **state)
{
	keys("aÄ東", "a Ä 東");
	keys("\r\n\t\b\177", "Enter Enter Tab Backspace Backspace");
	keys("\x01\x0c\x1f", "Ctrl-a Ctrl-l Ctrl-_");
}

static void test_xterm(void **state)
{
	keys("\033[A\033[B\033[C\033[D\033[H\033[F", "Up Down Right Left Home End");
	keys("\033OA\033OH\033OP\033OQ\033OR\033OS", "Up Home F1 F2 F3 F4");
	keys("\033[15~\033[17~\033[21~\033[24~", "F5 F6 F10 F12");
	keys("\033[1;2P\033[1;5C\033[1;3A\033[3;5~", "Shift-F1 Ctrl-Right Alt-Up Ctrl-Delete");
	keys("\033[Z\033[2~\033[3~\033[5~\033[6~", "Shift-Tab Insert Delete PageUp PageDown");
	keys("\033[27;5;105~\033[97;5u\033[13;3u", "Ctrl-i Ctrl-a Alt-Enter");
}

static void test_linux_and_vt220(void **state)
{
	keys("\033[[A\033[[E\033[25~", "F1 F5 Shift-F1");
	keys("\033[1~\033[4~\033[17~", "Home End F6");
	keys("\033[11~\033[14~\033[28~", "F1 F4 Shift-F3");
}

static void test_escape(void **state)
{
	keys("\033h\033H\033ö", "Alt-h Alt-H Alt-ö");
	keys("\0331\0339\0330", "F1 F9 F10");
	keys("\033", "Esc");
	keys("\033\033", "Esc");
	keys("\033\033[A", "Alt-Up");
	keys("\033O", "Alt-O");
	keys("\033[", "Alt-[");
}

/// Nothing is decided while the rest may still come.
static void test_waits(void **state)
{
	g_autofree char *esc = decode("\033", 1, false), *torn = decode("x\033[1;", 5, false);
	g_autofree char *utf8 = decode("\xc3", 1, false);

	assert_string_equal(esc, "");
	assert_string_equal(torn, "x");
	assert_string_equal(utf8, "");
}

static void test_mouse(void **state)
{
	struct ui_decoder *d = ui_decoder_new(false);
	struct ui_input in;
	const char *bytes =
		"\033[<0;5;3M\033[<0;5;3m\033[<32;6;3M\033[<65;1;1M\033[<0;5;3M\033[M !!";

	ui_decoder_feed(d, bytes, strlen(bytes));
	assert_true(ui_decoder_next(d, &in));
	assert_int_equal(in.key, UIK_MOUSE);
	assert_int_equal(in.mouse.kind, UI_MOUSE_PRESS);
	assert_int_equal(in.mouse.button, 1);
	assert_int_equal(in.mouse.x, 4);
	assert_int_equal(in.mouse.y, 2);
	assert_true(ui_decoder_next(d, &in));
	assert_int_equal(in.mouse.kind, UI_MOUSE_RELEASE);
	assert_true(ui_decoder_next(d, &in));
	assert_int_equal(in.mouse.kind, UI_MOUSE_DRAG);
	assert_true(ui_decoder_next(d, &in));
	assert_int_equal(in.mouse.kind, UI_MOUSE_WHEEL);
	assert_int_equal(in.mouse.wheel, 1);
	assert_true(ui_decoder_next(d, &in));
	assert_int_equal(in.mouse.kind, UI_MOUSE_DOUBLE);
	assert_true(ui_decoder_next(d, &in)); // the old form without SGR
	assert_int_equal(in.mouse.x, 0);
	assert_false(ui_decoder_next(d, &in));
	ui_decoder_free(d);
}

static void test_paste(void **state)
{
	keys("\033[200~a\rb\033[A\x03\033[201~c", "pasted-a pasted-Enter pasted-b c");
}

/// A paste whose end never comes must not swallow the keyboard for ever.
static void test_paste_without_end(void **state)
{
	struct ui_decoder *d = ui_decoder_new(false);
	struct ui_input in;

	ui_decoder_feed(d, "\033[200~a", 7);
	while (ui_decoder_next(d, &in))
		assert_true(in.key & UIK_PASTED);
	for (int i = 0; i < 100 && ui_decoder_pending(d); i++)
		ui_decoder_timeout(d);
	ui_decoder_feed(d, "b", 1);
	assert_true(ui_decoder_next(d, &in));
	assert_int_equal(in.key, 'b');
	ui_decoder_free(d);
}

/// Whatever comes, the decoder takes it all in.
static void feed(const char *bytes, size_t n)
{
	struct ui_decoder *d = ui_decoder_new(false);
	struct ui_input in;

	ui_decoder_feed(d, bytes, n);
	while (ui_decoder_next(d, &in))
		assert_true(in.key != UIK_NONE);
	ui_decoder_timeout(d);
	while (ui_decoder_next(d, &in))
		assert_true(in.key != UIK_NONE);
	for (int i = 0; i < 10; i++) // a paste may be open
		ui_decoder_timeout(d);
	assert_false(ui_decoder_next(d, &in));
	assert_false(ui_decoder_pending(d));
	ui_decoder_free(d);
}

static void test_garbage(void **state)
{
	GRand *random = g_rand_new_with_seed(7);

	keys("\xff\xfe" "a\xc3(\x80z", "a ( z");
	keys("\033[999999999999999999999~x", "x");
	keys("\033[<1;2Mx\033[?1;2cy", "x y");
	for (int i = 0; i < 20000; i++) {
		char bytes[24];

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] =
				(char)(g_rand_boolean(random)
						? "\033[O<;0123M~m"[g_rand_int_range(random, 0, 12)]
						: g_rand_int_range(random, 0, 256));
		feed(bytes, sizeof(bytes));
	}
	g_rand_free(random);
}

static void test_names(void **state)
{
	static const char *const names[] = {"a", "Space", "Up", "F10", "Shift-F1", "Ctrl-r",
		"Alt-h", "Esc", "PageDown", "Ctrl-Alt-x", "ö"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		assert_string_equal(ui_key_name(ui_key_from_name(names[i])), names[i]);
	assert_int_equal(ui_key_from_name("C-R"), UIK_CTRL('r'));
	assert_int_equal(ui_key_from_name("M-?"), UIK_ALT | '?');
	assert_int_equal(ui_key_from_name("BTab"), UIK_SHIFT | UIK_TAB);
	assert_int_equal(ui_key_from_name("npage"), UIK_PAGE_DOWN);
	assert_int_equal(ui_key_from_name("F25"), UIK_NONE);
	assert_int_equal(ui_key_from_name(""), UIK_NONE);
	assert_int_equal(ui_key_from_name("Hyper-x"), UIK_NONE);
	assert_int_equal(ui_key_f(UIK_F(7)), 7);
	assert_int_equal(ui_key_f(UIK_SHIFT | UIK_F(7)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_xterm),
		cmocka_unit_test(test_linux_and_vt220),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_mouse),
		cmocka_unit_test(test_paste),
		cmocka_unit_test(test_paste_without_end),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
