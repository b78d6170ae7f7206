// SPDX-License-Identifier: GPL-3.0-or-later
// The console through its real door, on libvirt's test driver with a frozen clock.
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/screens/lodge.h"

/* What a terminal calls itself, for those that are not the usual one. */
static const char *terminal;

/* Starts the console with ARGS after its own (NULL-terminated, may be NULL). */
static struct harness *start(const char *uri, int width, int height, const char *const *args,
	const char *locale, const char *language)
{
	return lodge_start(&(struct lodge_options){
		.uri = uri,
		.words = args,
		.width = width,
		.height = height,
		.term = terminal,
		.locale = locale,
		.language = language,
	});
}

/* The console on guests.xml, all of them there. */
static struct harness *shop(int width, int height)
{
	g_autofree char *uri = lodge_host("guests.xml");
	struct harness *h = start(uri, width, height, NULL, NULL, NULL);

	harness_expect(h, "test 8");
	/* Groups come with the definitions, which are read after the list. */
	harness_expect(h, "shop            4");
	harness_expect(h, "F12More");
	return h;
}

/* ---- guests ---- */

static void guests_small_and_large(void **state)
{
	struct harness *h = shop(80, 24);

	harness_golden(h, "console-guests-80x24");
	harness_resize(h, 120, 40);
	harness_golden(h, "console-guests-120x40");
	lodge_quit(h);
}

static void guests_in_ascii(void **state)
{
	static const char *const ascii[] = {"--ascii", NULL};
	g_autofree char *uri = lodge_host("guests.xml");
	struct harness *h = start(uri, 80, 24, ascii, NULL, NULL);

	harness_expect(h, "test 8");
	harness_golden_sizes(h, "console-guests-ascii");
	lodge_quit(h);
}

static void guests_in_braille_mode(void **state)
{
	static const char *const braille[] = {"--braille", NULL};
	g_autofree char *uri = lodge_host("guests.xml");
	struct harness *h = start(uri, 80, 24, braille, NULL, NULL);

	harness_expect(h, "test 8");
	harness_keys(h, "Down");
	harness_golden_sizes(h, "console-guests-braille");
	harness_expect_cursor(h, 25, 4);
	lodge_quit(h);
}

static void sorting_and_filtering(void **state)
{
	struct harness *h = shop(80, 24);

	harness_keys(h, "s");
	harness_expect(h, "Sort by which column?");
	harness_keys(h, "m");
	harness_golden_sizes(h, "console-sorted");
	harness_keys(h, "/ 'web'");
	harness_golden_sizes(h, "console-filtering");
	harness_keys(h, "Enter");
	harness_expect(h, "filter: web");
	harness_keys(h, "Esc");
	harness_expect_gone(h, "filter: web");
	harness_expect(h, "mail");
	lodge_quit(h);
}

static void groups_choose_guests(void **state)
{
	struct harness *h = shop(80, 24);

	harness_keys(h, "BTab Down Down");
	harness_golden_sizes(h, "console-group");
	harness_keys(h, "Home F2");
	harness_expect(h, "vCPUs promised");
	harness_expect(h, "128.0 GiB");
	harness_keys(h, "Esc");
	harness_expect_gone(h, "vCPUs promised");
	harness_keys(h, "F3");
	harness_golden_sizes(h, "console-add-connection");
	harness_keys(h, "Esc");
	harness_expect_gone(h, "every start");
	harness_keys(h, "F7");
	harness_golden_sizes(h, "console-host-actions");
	harness_keys(h, "Esc F12");
	harness_golden_sizes(h, "console-more");
	harness_keys(h, "Esc");
	harness_expect_gone(h, "Quit                   F9");
	lodge_quit(h);
}

static void names_and_groups_are_asked_for(void **state)
{
	struct harness *h = shop(80, 24);

	harness_keys(h, "/ 'mail' Enter F7 n");
	harness_golden_sizes(h, "console-rename");
	harness_keys(h, "C-u '../x' F10");
	harness_expect(h, "A name is not empty");
	harness_keys(h, "C-u 'post' F10");
	harness_expect(h, "mail is now called post.");
	harness_keys(h, "Esc / 'web3' Enter F7 g");
	harness_golden_sizes(h, "console-groups");
	harness_keys(h, "C-u 'shop, night' F10");
	harness_expect(h, "night           1");
	harness_keys(h, "Esc l BTab Down");
	harness_golden_sizes(h, "console-messages");
	harness_keys(h, "F8");
	harness_expect(h, "F12More");
	lodge_quit(h);
}

static void marked_guests_are_asked_about_once(void **state)
{
	struct harness *h = shop(80, 24);

	harness_keys(h, "/ 'front' Enter Space Space F7");
	harness_golden_sizes(h, "console-actions");
	harness_keys(h, "p");
	harness_golden_sizes(h, "console-question");
	harness_keys(h, "n");
	harness_expect_gone(h, "Pause 2 guests?");
	harness_expect(h, "2 marked");
	harness_keys(h, "F7 p y");
	harness_expect(h, "Pause 2 guests: done");
	harness_expect(h, "paused");
	harness_keys(h, "Esc");
	harness_keys(h, "l Enter");
	harness_expect(h, "virsh -c");
	harness_keys(h, "Esc");
	harness_expect_gone(h, "virsh -c");
	harness_golden_sizes(h, "console-operations");
	harness_keys(h, "BTab Down Down Tab");
	harness_expect(h, "pause");
	harness_expect(h, "audit.log");
	harness_keys(h, "Enter");
	harness_expect(h, "virsh -c");
	harness_keys(h, "Esc F8");
	lodge_quit(h);
}

static void write_file(const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(lodge_home, name, NULL);
	g_autofree char *folder = g_path_get_dirname(path);

	assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
	assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* A file of which all is known: who, when, and its name, which the page shows. */
static void the_audit_log_is_a_page(void **state)
{
	g_autofree char *uri = lodge_host("guests.xml");
	struct harness *h;

	write_file("config/lodge/lodge.conf", "[model]\naudit=changes.log\n");
	write_file("changes.log",
		"2023-11-13T08:00:00Z\tann\ttest:///default\ttest/web1\tstart\tok\t"
		"virsh -c test:///default start web1\n"
		"not a record\n"
		"2023-11-14T09:30:05Z\tbob from 192.0.2.7\ttest:///default\ttest/web1\tdestroy\t"
		"Cannot switch off 'web1': it is in use\tvirsh -c test:///default destroy web1\n"
		"2023-11-14T22:10:00Z\troot by ann\ttest:///default\ttest/db1\tresize\tok\t"
		"virsh -c test:///default setvcpus db1 4 --live\n");
	h = lodge_start(&(struct lodge_options){.uri = uri, .folder = lodge_home});
	harness_expect(h, "test 8");
	harness_keys(h, "l");
	harness_expect(h, "jobs and log");
	harness_keys(h, "BTab Down Down Tab");
	harness_expect(h, "changes.log");
	harness_golden_sizes(h, "console-audit");
	harness_keys(h, "Down Enter");
	harness_expect(h, "virsh -c test:///default destroy web1");
	harness_golden_sizes(h, "console-audit-record");
	harness_keys(h, "Esc F8");
	lodge_quit(h);
}

static void a_verb_that_does_not_fit_says_so(void **state)
{
	struct harness *h = shop(80, 24);

	harness_keys(h, "/ 'web1' Enter F5");
	harness_expect(h, "web1: not while it is 'running'.");
	harness_keys(h, "Esc / 'mail' Enter F5");
	harness_golden_sizes(h, "console-delete");
	harness_keys(h, "Esc");
	harness_expect_gone(h, "Delete 'mail'?");
	lodge_quit(h);
}

static void the_prompt_runs_verbs_on_what_is_chosen(void **state)
{
	struct harness *h = shop(80, 24);

	harness_keys(h, "/ 'mail' Enter : 'sta' Tab");
	harness_expect(h, ":start");
	harness_keys(h, "Enter");
	harness_expect(h, "running");
	/* What is typed is asked about as what is picked. */
	harness_keys(h, ": 'destroy mail' Enter");
	harness_expect(h, "Switch off mail?");
	harness_keys(h, "n");
	harness_expect_gone(h, "Switch off mail?");
	harness_keys(h, ": Tab");
	harness_golden_sizes(h, "console-prompt");
	harness_keys(h, "'nonsense' Enter");
	harness_golden_sizes(h, "console-no-such-verb");
	harness_keys(h, "Esc");
	harness_expect_gone(h, "[ OK ]");
	lodge_quit(h);
}

static void columns_are_chosen(void **state)
{
	struct harness *h = shop(80, 24);

	harness_keys(h, "c");
	harness_golden_sizes(h, "console-columns");
	harness_keys(h, "Down Space F10");
	harness_expect(h, "Title");
	lodge_quit(h);
	/* They are kept. */
	h = shop(80, 24);
	harness_expect(h, "Title");
	lodge_quit(h);
}

static void help_is_for_what_has_the_focus(void **state)
{
	struct harness *h = shop(80, 24);

	harness_keys(h, "F1");
	harness_golden_sizes(h, "console-help");
	harness_keys(h, "Esc");
	harness_expect_gone(h, "[ OK ]");
	harness_keys(h, "BTab F1");
	harness_expect(h, "The hosts and the groups of their guests");
	harness_keys(h, "Esc");
	harness_expect_gone(h, "[ OK ]");
	lodge_quit(h);
}

/* ---- one guest ---- */

static void every_page_of_a_guest(void **state)
{
	struct harness *h = start("test:///default", 80, 24, NULL, NULL, NULL);

	harness_expect(h, "test 1");
	harness_keys(h, "Enter");
	harness_golden_sizes(h, "console-guest-overview");
	harness_keys(h, "Down");
	harness_golden_sizes(h, "console-guest-vcpus");
	harness_keys(h, "Down");
	harness_golden_sizes(h, "console-guest-disks");
	harness_keys(h, "Down");
	harness_golden_sizes(h, "console-guest-network");
	harness_keys(h, "Down");
	harness_expect(h, "There are no notes.");
	harness_keys(h, "Down Tab");
	harness_expect(h, "<name>test</name>");
	harness_keys(h, "/ 'target'");
	harness_golden_sizes(h, "console-guest-xml");
	harness_keys(h, "Enter F8");
	harness_expect(h, "F12More");
	lodge_quit(h);
}

static void notes_are_shown(void **state)
{
	struct harness *h = shop(80, 24);

	harness_keys(h, "/ 'web1' Enter Enter");
	harness_expect(h, "Overview");
	harness_keys(h, "End Up");
	harness_expect(h, "Front of the shop.");
	harness_keys(h, "F8");
	harness_expect(h, "F12More");
	lodge_quit(h);
}

/* ---- settings ---- */

static void every_page_of_the_settings(void **state)
{
	static const char *const args[] = {"--config", "no-such-lodge.conf", NULL};
	g_autofree char *uri = lodge_host("guests.xml");
	struct harness *h = start(uri, 80, 24, args, NULL, NULL);

	harness_expect(h, "test 8");
	harness_keys(h, "o");
	harness_golden_sizes(h, "console-settings-connections");
	harness_keys(h, "Down");
	harness_golden_sizes(h, "console-settings-display");
	harness_keys(h, "Down");
	harness_golden_sizes(h, "console-settings-refresh");
	harness_keys(h, "Down");
	harness_golden_sizes(h, "console-settings-columns");
	harness_keys(h, "Down");
	harness_golden_sizes(h, "console-settings-keys");
	harness_keys(h, "Down");
	harness_golden_sizes(h, "console-settings-confirmations");
	harness_keys(h, "Tab Space F9");
	harness_golden_sizes(h, "console-settings-lost");
	harness_keys(h, "y");
	harness_expect(h, "F12More");
	lodge_quit(h);
}

static void a_setting_takes_effect_and_is_kept(void **state)
{
	struct harness *h = shop(80, 24);

	harness_keys(h, "o Down Tab Tab Space");
	harness_keys(h, "Down Enter F10");
	harness_expect(h, "+Hosts");
	lodge_quit(h);
	h = shop(80, 24);
	harness_expect(h, "+Hosts");
	lodge_quit(h);
}

/* Nothing is lost when the settings cannot be written: the screen stays, to try again. */
static void settings_that_cannot_be_saved_stay(void **state)
{
	g_autofree char *file = g_build_filename(lodge_home, "file", NULL);
	g_autofree char *path = g_build_filename(file, "lodge.conf", NULL);
	const char *const args[] = {"--config", path, NULL};
	g_autofree char *uri = lodge_host("guests.xml");
	struct harness *h;

	h = start(uri, 80, 24, args, NULL, NULL);
	harness_expect(h, "test 8");
	/* No folder, and no room for one. */
	assert_true(g_file_set_contents(file, "", 0, NULL));
	harness_keys(h, "o Tab 'test:///default' F10");
	harness_expect(h, "Cannot save the settings");
	harness_keys(h, "Esc");
	harness_expect_gone(h, "Cannot save the settings");
	harness_expect(h, "test:///default");
	assert_int_equal(g_remove(file), 0);
	harness_keys(h, "F10");
	harness_expect(h, "F12More");
	assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
	lodge_quit(h);
}

/* ---- in German ---- */

/* guests.xml in German, all of it there. */
static struct harness *laden(int width, int height)
{
	g_autofree char *uri = lodge_host("guests.xml");
	struct harness *h = start(uri, width, height, NULL, NULL, "de");

	harness_expect(h, "test 8");
	harness_expect(h, "shop            4");
	harness_expect(h, "F12Mehr");
	return h;
}

static void german_guests(void **state)
{
	struct harness *h = laden(80, 24);

	harness_golden(h, "german-guests");
	harness_keys(h, "F1");
	harness_golden(h, "german-help");
	harness_keys(h, "Esc F7");
	harness_golden(h, "german-actions");
	harness_keys(h, "Esc F12");
	harness_golden(h, "german-more");
	harness_keys(h, "Esc / 'front' Enter Space Space F7 t");
	harness_golden(h, "german-question");
	harness_keys(h, "j");
	harness_expect(h, "fertig");
	harness_keys(h, "l");
	harness_golden(h, "german-operations");
	harness_keys(h, "F8");
	harness_expect(h, "F12Mehr");
	lodge_quit(h);
}

static void german_guest(void **state)
{
	struct harness *h = start("test:///default", 80, 24, NULL, NULL, "de");

	harness_expect(h, "test 1");
	harness_keys(h, "Enter");
	harness_golden(h, "german-guest-overview");
	harness_keys(h, "Down");
	harness_golden(h, "german-guest-vcpus");
	harness_keys(h, "Down");
	harness_golden(h, "german-guest-disks");
	harness_keys(h, "Down");
	harness_golden(h, "german-guest-network");
	harness_keys(h, "F8");
	harness_expect(h, "F12Mehr");
	lodge_quit(h);
}

static void german_settings(void **state)
{
	static const char *const args[] = {"--config", "no-such-lodge.conf", NULL};
	static const char *const pages[] = {"connections", "display", "refresh", "columns", "keys",
		"confirmations"};
	g_autofree char *uri = lodge_host("guests.xml");
	struct harness *h = start(uri, 80, 24, args, NULL, "de");

	harness_expect(h, "test 8");
	harness_keys(h, "o");
	for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
		g_autofree char *name = g_strconcat("german-settings-", pages[i], NULL);

		harness_golden(h, name);
		harness_keys(h, "Down");
	}
	harness_keys(h, "F9");
	harness_expect(h, "F12Mehr");
	lodge_quit(h);
}

/* ---- faults ---- */

static void read_only_changes_nothing(void **state)
{
	static const char *const args[] = {"--readonly", NULL};
	g_autofree char *uri = lodge_host("guests.xml");
	struct harness *h = start(uri, 80, 24, args, NULL, NULL);

	harness_expect(h, "test 8");
	harness_keys(h, ": 'pause web1' Enter");
	harness_golden_sizes(h, "console-readonly");
	harness_keys(h, "Esc");
	harness_expect_gone(h, "[ OK ]");
	harness_expect_gone(h, "web1       paused");
	lodge_quit(h);
}

static void a_host_that_is_not_there_greys_nothing_else(void **state)
{
	static const char *const args[] = {"--uri", "test:///no/such/file.xml", NULL};
	g_autofree char *uri = lodge_host("guests.xml");
	struct harness *h = start(uri, 80, 24, args, NULL, NULL);

	harness_expect(h, "test 8");
	harness_expect(h, "(not connected)");
	harness_expect(h, "web1");
	harness_keys(h, "BTab End");
	harness_expect(h, "Cannot connect to");
	harness_expect(h, "next try in");
	lodge_quit(h);
}

static void garbage_and_tiny_terminals_do_no_harm(void **state)
{
	struct harness *h = shop(80, 24);
	const char garbage[] =
		"\xff\xfe\x80\x1b[999;999;999Z\x1b]0;x\x07\xc3\x28\x1b[<99;-1;5M\x01\x02";

	harness_bytes(h, garbage, sizeof(garbage) - 1);
	harness_resize(h, 1, 1);
	harness_resize(h, 3, 200);
	harness_resize(h, 200, 2);
	harness_resize(h, 80, 24);
	harness_keys(h, "Esc");
	harness_expect(h, "F12More");
	harness_expect(h, "web1");
	lodge_quit(h);
}

static void signals_end_it_in_order(void **state)
{
	static const int signals[] = {SIGTERM, SIGHUP};

	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
		struct harness *h = shop(80, 24);

		harness_signal(h, signals[i]);
		assert_int_equal(harness_exit(h), 128 + signals[i]);
		harness_stop(h);
	}
}

static void the_mouse_works(void **state)
{
	struct harness *h = shop(80, 24);

	harness_click(h, 3, 3);
	harness_expect(h, "db1");
	harness_expect_gone(h, "mail");
	harness_click(h, 30, 1);
	harness_expect(h, "F12More");
	lodge_quit(h);
}

/* Through the main screens, as one who looks around. */
static void look_around(struct harness *h)
{
	harness_keys(h, "Down Enter");
	harness_expect(h, "Overview");
	harness_keys(h, "Down Down Down Down Down F8");
	harness_expect(h, "F12More");
	harness_keys(h, "l");
	harness_expect(h, "Nothing was done yet.");
	harness_keys(h, "F8");
	harness_expect(h, "F12More");
	harness_keys(h, "o Down");
	harness_expect(h, "Theme");
	harness_keys(h, "F9");
	harness_expect(h, "F12More");
	harness_keys(h, "F7");
	harness_expect(h, "Switch off");
	harness_keys(h, "Esc F1");
	harness_expect(h, "[ OK ]");
	harness_keys(h, "Esc");
	harness_expect(h, "F12More");
}

static void every_usual_terminal_will_do(void **state)
{
	static const char *const terminals[] = {
		"linux", "xterm", "xterm-256color", "screen", "tmux", "tmux-256color", "vt220", "vt100"};

	for (size_t i = 0; i < G_N_ELEMENTS(terminals); i++) {
		struct harness *h;

		terminal = terminals[i];
		h = shop(80, 24);
		look_around(h);
		lodge_quit(h);
	}
	terminal = NULL;
}

/* The cell of the cursor's row, which every theme has to make stand out. */
static void every_theme_shows_where_the_cursor_is(void **state)
{
	static const char *const themes[] = {"yast", "dark", "light", "highcontrast", "mono"};
	g_autofree char *path = g_build_filename(lodge_home, "theme.conf", NULL);
	const char *const args[] = {"--config", path, NULL};
	g_autofree char *uri = lodge_host("guests.xml");
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(themes); i++) {
		g_autofree char *text = g_strdup_printf("[ui]\ntheme=%s\n", themes[i]);
		g_autofree char *here = NULL, *there = NULL;
		struct harness *h;

		assert_true(g_file_set_contents(path, text, -1, NULL));
		h = start(uri, 80, 24, args, NULL, NULL);
		harness_expect(h, "shop            4");
		harness_expect(h, "F12More");
		here = harness_cell(h, 28, 3);
		there = harness_cell(h, 28, 4);
		assert_string_not_equal(here, there);
		g_hash_table_add(seen, g_strconcat(here, " ", there, NULL));
		look_around(h);
		lodge_quit(h);
	}
	assert_int_equal(g_hash_table_size(seen), G_N_ELEMENTS(themes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_HOME(guests_small_and_large),
		IN_A_HOME(guests_in_ascii),
		IN_A_HOME(guests_in_braille_mode),
		IN_A_HOME(sorting_and_filtering),
		IN_A_HOME(groups_choose_guests),
		IN_A_HOME(names_and_groups_are_asked_for),
		IN_A_HOME(marked_guests_are_asked_about_once),
		IN_A_HOME(the_audit_log_is_a_page),
		IN_A_HOME(a_verb_that_does_not_fit_says_so),
		IN_A_HOME(the_prompt_runs_verbs_on_what_is_chosen),
		IN_A_HOME(columns_are_chosen),
		IN_A_HOME(help_is_for_what_has_the_focus),
		IN_A_HOME(every_page_of_a_guest),
		IN_A_HOME(notes_are_shown),
		IN_A_HOME(every_page_of_the_settings),
		IN_A_HOME(a_setting_takes_effect_and_is_kept),
		IN_A_HOME(settings_that_cannot_be_saved_stay),
		IN_A_HOME(german_guests),
		IN_A_HOME(german_guest),
		IN_A_HOME(german_settings),
		IN_A_HOME(read_only_changes_nothing),
		IN_A_HOME(a_host_that_is_not_there_greys_nothing_else),
		IN_A_HOME(garbage_and_tiny_terminals_do_no_harm),
		IN_A_HOME(signals_end_it_in_order),
		IN_A_HOME(the_mouse_works),
		IN_A_HOME(every_usual_terminal_will_do),
		IN_A_HOME(every_theme_shows_where_the_cursor_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
