// SPDX-License-Identifier: GPL-3.0-or-later
// The toolkit through its real door: the gallery in a pty, keys in, screens out.
#include <glib.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/screens/harness.h"

#define QUIET_MS 250

static struct harness *start(const struct harness_options *base, const char *const *args)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autofree char *program = harness_program("tests/ui_gallery");
	struct harness_options o = base ? *base : (struct harness_options){ 0 };

	g_ptr_array_add(argv, program);
	for (; args && *args; args++)
		g_ptr_array_add(argv, (char *)*args);
	g_ptr_array_add(argv, NULL);
	o.argv = (const char *const *)argv->pdata;
	return harness_start(&o);
}

static struct harness *gallery(void)
{
	struct harness *h = start(NULL, NULL);

	harness_expect(h, "F9Quit");
	return h;
}

static void quit(struct harness *h)
{
	harness_keys(h, "F9");
	assert_int_equal(harness_exit(h), 0);
	harness_stop(h);
}

static void test_main(void **state)
{
	struct harness *h = gallery();

	harness_golden(h, "gallery-main-80x24");
	harness_resize(h, 120, 40);
	harness_golden(h, "gallery-main-120x40");
	quit(h);
}

static void test_ascii(void **state)
{
	struct harness *h = start(&(struct harness_options){.locale = "C", .term = "vt220"}, NULL);

	harness_golden_sizes(h, "gallery-ascii");
	harness_keys(h, "M-d");
	harness_golden_sizes(h, "gallery-ascii-menu");
	harness_keys(h, "Esc");
	quit(h);
}

static void test_braille(void **state)
{
	struct harness *h = start(NULL, (const char *const[]){ "--braille", "--ascii", NULL });

	harness_expect(h, "F9Quit");
	harness_keys(h, "M-k");
	harness_expect(h, "[ ]<Keep");
	harness_expect_cursor(h, 34, 14); // always there, on the focused item
	harness_keys(h, "Tab BTab M-e");
	harness_expect(h, "[>OK<]");
	harness_expect_cursor(h, 66, 13);
	harness_keys(h, "Enter");
	quit(h);
}

static void test_form(void **state)
{
	struct harness *h = start(NULL, (const char *const[]){ "form", NULL });

	harness_golden_sizes(h, "gallery-form");
	harness_keys(h, "C-u '4 apples'");
	harness_expect(h, "A name has no spaces and is not empty.");
	harness_keys(h, "F10"); // not right: stays, focus on the bad field
	harness_expect(h, "Edit web1");
	harness_keys(h, "C-u 'web9' M-m C-u '9g'");
	harness_expect(h, "At most 8 GiB is possible.");
	harness_keys(h, "C-u '4,5g' +");
	harness_expect(h, "[4.75 GiB    ]");
	harness_golden_sizes(h, "gallery-form-edited");
	harness_keys(h, "F10");
	harness_expect(h, "Applied.");
	quit(h);
}

static void test_choice(void **state)
{
	struct harness *h = start(NULL, (const char *const[]){ "form", NULL });

	harness_expect(h, "[green");
	harness_keys(h, "M-c Enter");
	harness_expect(h, "┌─");
	harness_golden_sizes(h, "gallery-choice");
	harness_keys(h, "End Enter");
	harness_expect(h, "[blue, which is the longest");
	harness_keys(h, "r");
	harness_expect(h, "[red ");
	harness_keys(h, "M-v Right Right");
	harness_expect(h, "▏ 6");
	harness_keys(h, "M-k");
	harness_expect(h, "[ ] Keep");
	harness_keys(h, "Esc");
	harness_expect_gone(h, "Edit web1");
	quit(h);
}

static void test_wizard(void **state)
{
	struct harness *h = start(NULL, (const char *const[]){ "wizard", NULL });

	harness_golden_sizes(h, "gallery-wizard");
	harness_keys(h, "'2' F10");
	harness_expect(h, "step 2 of 4");
	harness_keys(h, "F9");
	harness_expect(h, "Really abort? All changes will be lost.");
	harness_golden_sizes(h, "gallery-abort");
	harness_keys(h, "Enter"); // the focus is on No
	harness_expect_gone(h, "Really abort?");
	harness_keys(h, "F8");
	harness_expect(h, "step 1 of 4");
	harness_keys(h, "BSpace F9"); // as it was: nothing is lost
	harness_expect(h, "Gallery");
	harness_keys(h, "M-w F10 F10 F10");
	harness_expect(h, "[ Finish ]");
	harness_keys(h, "F10");
	harness_expect(h, "The wizard has finished.");
	quit(h);
}

static void test_dialogs(void **state)
{
	struct harness *h = gallery();

	harness_keys(h, "M-d e");
	harness_golden_sizes(h, "gallery-error");
	harness_keys(h, "d");
	harness_expect(h, "libvirt: error code 38");
	harness_keys(h, "Esc M-d q");
	harness_golden_sizes(h, "gallery-question");
	harness_keys(h, "Enter");
	harness_expect(h, "The answer is no.");
	harness_keys(h, "M-d q F10");
	harness_expect(h, "The answer is yes.");
	harness_keys(h, "M-d i C-u ' ' F10");
	harness_expect(h, "A name has no spaces");
	harness_keys(h, "BSpace 'new' Enter");
	harness_expect(h, "You typed: new");
	harness_keys(h, "M-d c 'pro' Enter");
	harness_expect(h, "You chose: proxy");
	harness_keys(h, "M-d p");
	harness_expect(h, "30 %");
	harness_golden_sizes(h, "gallery-progress");
	harness_keys(h, "c");
	harness_expect(h, "Not copied: cancelled.");
	quit(h);
}

static void test_help_and_hotkeys(void **state)
{
	struct harness *h = gallery();

	harness_keys(h, "F1");
	harness_expect(h, "This is the gallery.");
	harness_keys(h, "Enter M-n F1");
	harness_expect(h, "The guest's name, as virsh shows it.");
	harness_keys(h, "Esc S-F1");
	harness_expect(h, "Alt-N     Name");
	harness_keys(h, "Esc M-h"); // a Help button is F1
	harness_expect(h, "This is the gallery.");
	harness_keys(h, "Enter");
	quit(h);
}

static void test_prompt(void **state)
{
	struct harness *h = gallery();

	harness_keys(h, ": 'we' Tab");
	harness_expect(h, "web1  web2  web3");
	harness_golden_sizes(h, "gallery-prompt");
	harness_expect_cursor(h, 4, 22);
	harness_keys(h, "'2 Jörg' Home 'x ' Enter");
	harness_expect(h, "Command: x web2 Jörg");
	harness_keys(h, ": Up");
	harness_expect(h, ":x web2 Jörg");
	harness_keys(h, "C-u 'ld' Tab Enter");
	harness_expect(h, "Command: ldap");
	harness_keys(h, ": Esc");
	harness_expect(h, "Focus: ");
	quit(h);
}

static void test_mouse(void **state)
{
	struct harness *h = gallery();

	harness_click(h, 12, 1); // the menu "Dialogs"
	harness_expect(h, "Message");
	harness_click(h, 13, 3);
	harness_expect(h, "All guests are well.");
	harness_keys(h, "Enter");
	harness_click(h, 25, 21); // the button "Error"
	harness_expect(h, "Cannot start guest");
	harness_click(h, 8, 23); // F10 in the key bar, which now reads F1 F2 F10
	harness_expect_gone(h, "Help text");
	harness_keys(h, "Esc Esc");
	harness_click(h, 15, 23); // "F9Quit"
	assert_int_equal(harness_exit(h), 0);
	harness_stop(h);
}

/// A refresh in which nothing shown changed writes nothing.
static void test_no_bytes(void **state)
{
	struct harness *h = gallery();
	guint64 before;

	harness_quiet(h, QUIET_MS);
	before = harness_written(h);
	harness_keys(h, "Home Home Home"); // repaints, but the cursor stays where it is
	harness_quiet(h, QUIET_MS);
	assert_int_equal(harness_written(h), before);
	harness_keys(h, "Down");
	harness_quiet(h, QUIET_MS);
	assert_in_range(harness_written(h) - before, 1, 400);
	harness_keys(h, "C-l"); // anew
	harness_quiet(h, QUIET_MS);
	assert_true(harness_written(h) - before > 1500);
	quit(h);
}

static void test_sizes(void **state)
{
	static const int sizes[][2] = {{1, 1}, {2, 3}, {79, 24}, {80, 1}, {300, 100}, {10, 200}};
	struct harness *h = start(NULL, (const char *const[]){ "form", NULL });

	harness_expect(h, "Edit web1");
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		harness_resize(h, sizes[i][0], sizes[i][1]);
		harness_keys(h, "Tab Up Down");
		harness_quiet(h, QUIET_MS);
	}
	harness_resize(h, 60, 10);
	harness_expect(h, "Terminal too small: 80×24 needed.");
	harness_resize(h, 80, 24);
	harness_expect(h, "Edit web1");
	harness_keys(h, "Esc");
	quit(h);
}

static void test_garbage(void **state)
{
	static const char *const lumps[] = {"\033[<999;999;999M", "\033]0;title\a", "\xff\xfe\xfd",
		"\033[?62;c", "\033[200~rm -rf /\rF10\t\x03\033[201~", "\033P1$r\033\\",
		"\033[1;1R"};
	struct harness *h = gallery();
	GRand *random = g_rand_new_with_seed(3);
	char bytes[512];

	for (size_t i = 0; i < G_N_ELEMENTS(lumps); i++)
		harness_bytes(h, lumps[i], strlen(lumps[i]));
	for (size_t i = 0; i < sizeof(bytes);
		i++) // no control bytes and no letters that mean something here
		bytes[i] = (char)g_rand_int_range(random, 0x80, 0x100);
	harness_bytes(h, bytes, sizeof(bytes));
	harness_keys(h, "C-l Esc Esc");
	harness_expect(h, "F9Quit");
	g_rand_free(random);
	quit(h);
}

static void test_signals(void **state)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGINT };

	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
		struct harness *h = gallery();
		int x, y;

		harness_signal(h, signals[i]);
		assert_int_equal(harness_exit(h), 128 + signals[i]);
		assert_true(harness_cursor(h, &x, &y)); // restored
		assert_false(harness_wait(h, "Gallery", 0));
		harness_stop(h);
	}
}

static void test_crash_restores(void **state)
{
	struct harness *h = gallery();
	int x, y;

	harness_signal(h, SIGABRT); // the others belong to the sanitizers where there are any
	assert_int_equal(harness_exit(h), 128 + SIGABRT);
	assert_true(harness_cursor(h, &x, &y));
	assert_false(harness_wait(h, "Gallery", 0));
	harness_stop(h);
}

/// Another program has the terminal for a while, with line editing as usual.
static void test_suspend(void **state)
{
	struct harness *h = gallery();
	int x, y;

	harness_keys(h, "!");
	harness_expect(h, "Press Enter to come back.");
	assert_true(harness_cursor(h, &x, &y));
	harness_keys(h, "'wrong' C-u 'typed'");
	harness_expect(h, "typed");
	harness_keys(h, "Enter");
	harness_golden(h, "gallery-main-80x24");
	harness_resize(h, 120, 40);
	harness_golden(h, "gallery-main-120x40");
	quit(h);
}

static void test_terminals(void **state)
{
	static const char *const terms[] = {"linux", "xterm-256color", "xterm", "screen", "tmux",
		"tmux-256color", "vt220", "vt100"};

	for (size_t i = 0; i < G_N_ELEMENTS(terms); i++) {
		struct harness *h = start(&(struct harness_options){ .term = terms[i] }, NULL);

		// The Linux console's font has no braille: its charts are of other characters.
		harness_golden(h, i == 0 ? "gallery-main-linux" : "gallery-main-80x24");
		harness_keys(h, "F4"); // by each terminal's own sequence
		harness_expect(h, "Edit web1");
		harness_keys(h, "Esc F1");
		harness_expect(h, "This is the gallery.");
		harness_keys(h, "Enter");
		quit(h);
	}
}

static void test_unknown_terminal(void **state)
{
	struct harness *h = start(&(struct harness_options){ .term = "no-such-terminal" }, NULL);

	assert_int_equal(harness_exit(h), 1);
	harness_expect(h, "The terminal type 'no-such-terminal' is not known here.");
	harness_stop(h);
	h = start(&(struct harness_options){.term = "dumb"}, NULL);
	assert_int_equal(harness_exit(h), 1);
	harness_expect(h, "The terminal type 'dumb' cannot place the cursor.");
	harness_stop(h);
}

static void test_themes(void **state)
{
	static const struct {
		const char *theme, *colors, *title, *text;
	} looks[] = {
		{"yast", "256", "0/6", "7/4"},
		{"yast", "8", "0/6", "7/4"},
		{"dark", "256", "255/24", "252/234"},
		{"light", "256", "231/25", "235/231"},
		{"highcontrast", "256", "16/231", "231/16"},
		{"mono", "256", "r -/-", "-/-"},
		{"yast", "1", "r -/-", "-/-"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(looks); i++) {
		struct harness *h = start(NULL, (const char *const[]){"--theme", looks[i].theme,
							"--colors", looks[i].colors, NULL});
		g_autofree char *title = NULL, *text = NULL;

		harness_golden(h, "gallery-main-80x24");
		title = harness_cell(h, 2, 0);
		text = harness_cell(h, 30, 3);
		assert_string_equal(title, looks[i].title);
		assert_string_equal(text, looks[i].text);
		quit(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_main),
		cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_braille),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_wizard),
		cmocka_unit_test(test_dialogs),
		cmocka_unit_test(test_help_and_hotkeys),
		cmocka_unit_test(test_prompt),
		cmocka_unit_test(test_mouse),
		cmocka_unit_test(test_no_bytes),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_crash_restores),
		cmocka_unit_test(test_suspend),
		cmocka_unit_test(test_terminals),
		cmocka_unit_test(test_unknown_terminal),
		cmocka_unit_test(test_themes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
