// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A save that takes its time, on a real guest: QEMU, or the bundled engine, writes into a pipe that
 * this test empties as slowly as it likes. The console shows how far it is and cancels it, and
 * nothing else waits for it. Nor does anything wait for a host that hangs.
 */
#include "tests/live/guest.h"
#include "tests/screens/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOWLY_BYTES (256 * 1024)
#define SLOWLY_MS 40

static struct live *live;
static struct harness *console;
static char *pipe_path; // where the guest is saved to
static int pipe_fd = -1;

// ---- the slow disk ------------------------------------------------------------------------------

/* An end for reading that never waits, so that the one for writing opens at once. */
static void open_slow_disk(void)
{
	pipe_fd = open(pipe_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(pipe_fd >= 0);
}

/* Takes at most SLOWLY_BYTES of what is written. */
static void take_some(void)
{
	char buffer[SLOWLY_BYTES];
	struct pollfd poll_fd = {.fd = pipe_fd, .events = POLLIN};

	for (gsize taken = 0; taken < sizeof(buffer) && poll(&poll_fd, 1, 0) > 0;) {
		ssize_t n = read(pipe_fd, buffer, sizeof(buffer) - taken);

		if (n <= 0)
			break;
		taken += (gsize)n;
	}
}

static void close_slow_disk(void)
{
	if (pipe_fd >= 0)
		close(pipe_fd);
	pipe_fd = -1;
}

// ---- the console --------------------------------------------------------------------------------

/* The screen's line with that text; NULL while there is none. Caller frees. */
static char *line_with(const char *text)
{
	g_autofree char *screen = harness_screen(console);
	g_auto(GStrv) lines = g_strsplit(screen, "\n", -1);

	for (char **line = lines; *line; line++)
		if (strstr(*line, text))
			return g_strdup(*line);
	return NULL;
}

/* How far the save is as the jobs' table tells: the number before its '%'; -1 where it tells none. */
static int percent_shown(void)
{
	g_autofree char *line = line_with("Save alpha");
	const char *end = line ? strchr(line, '%') : NULL;
	const char *at = end;

	while (at && at > line && g_ascii_isdigit(at[-1]))
		at--;
	return at && at < end ? atoi(at) : -1;
}

/* Lets the save go on, slowly, until more than that much is shown. */
static int save_until_beyond(int percent)
{
	gint64 until = g_get_monotonic_time() + LIVE_PATIENCE * G_USEC_PER_SEC;
	int shown;

	while ((shown = percent_shown()) <= percent) {
		if (g_get_monotonic_time() > until) {
			g_autofree char *screen = harness_screen(console);

			fail_msg("not beyond %d %% within %d s\n%s", percent, LIVE_PATIENCE, screen);
		}
		take_some();
		harness_wait(console, "\x01", SLOWLY_MS); /* lets the screen's bytes in */
	}
	return shown;
}

/* Waits for a text while the disk takes what comes, as slowly as before. */
static void expect_and_take(const char *text)
{
	gint64 until = g_get_monotonic_time() + LIVE_PATIENCE * G_USEC_PER_SEC;

	while (!harness_wait(console, text, SLOWLY_MS) && g_get_monotonic_time() < until)
		take_some();
	harness_expect(console, text);
}

static void select_alpha(void)
{
	harness_keys(console, "Home");
	harness_expect(console, "▸ alpha");
}

static void start_saving(void)
{
	g_autofree char *keys = g_strdup_printf(": 'save alpha --to %s' Enter", pipe_path);

	open_slow_disk();
	select_alpha();
	harness_keys(console, keys);
	harness_expect(console, "Save alpha?");
	harness_keys(console, "y l");
	harness_expect(console, "jobs and log");
	harness_expect(console, "Save alpha");
}

// ---- the story, in order ------------------------------------------------------------------------

/* A running save tells how far it is, and the other guest's figures stay young. */
static void a_save_tells_how_far_it_is(void **state)
{
	int first, second;

	start_saving();
	first = save_until_beyond(0);
	second = save_until_beyond(first);
	assert_in_range(second, first + 1, 99);
	harness_keys(console, "F8");
	harness_expect(console, "F10Open");
	harness_expect(console, "alpha");
	g_free(live_guest_ask(&live->guest[1], "echo beta goes on"));
}

static void f5_cancels_it(void **state)
{
	harness_keys(console, "l");
	harness_expect(console, "F5Cancel");
	assert_true(percent_shown() > 0);
	harness_keys(console, "F5");
	expect_and_take("cancelled");
	close_slow_disk();
	harness_keys(console, "F8");
	harness_expect(console, "alpha");
}

/* As if nothing had been. */
static void the_guest_goes_on(void **state)
{
	g_autofree char *answer = live_guest_ask(&live->guest[0], "echo $((kept + 1))");

	assert_string_equal(answer, "42");
}

/* The command line's Ctrl-C cancels as F5 does, and its exit code says so. */
static void control_c_cancels_it(void **state)
{
	g_autofree char *program = harness_program("lodge");
	const char *argv[] = {
		program, "--uri", live->uri, "save", "alpha", "--to", pipe_path, NULL};
	struct harness *cli;

	open_slow_disk();
	cli = harness_start(&(struct harness_options){.argv = argv});
	harness_keys(console, "l");
	harness_expect(console, "jobs and log");
	harness_keys(console, "F8");
	/* Something came, so it runs. */
	assert_int_equal(poll(&(struct pollfd){.fd = pipe_fd, .events = POLLIN}, 1,
				 LIVE_PATIENCE * 1000),
		1);
	harness_keys(cli, "C-c");
	while (!harness_wait(cli, "Cannot save guest 'alpha'", SLOWLY_MS))
		take_some();
	assert_int_equal(harness_exit(cli), 8);
	harness_stop(cli);
	close_slow_disk();
	the_guest_goes_on(state);
}

/* To its own place and back. */
static void a_save_comes_to_its_end(void **state)
{
	select_alpha();
	harness_keys(console, "F7");
	harness_expect(console, "Save and stop");
	harness_keys(console, "v");
	harness_expect(console, "Save alpha?");
	harness_keys(console, "y");
	harness_expect(console, "alpha is saved.");
	harness_expect(console, "F10Start");
	harness_expect(console, "alpha      saved");
	harness_keys(console, "F10");
	harness_expect(console, "alpha      running");
	live_guest_ready(&live->guest[0], LIVE_PATIENCE); /* by a new serial line */
	the_guest_goes_on(state);
}

// ---- a host that hangs --------------------------------------------------------------------------

/* Its guests grow old; another host's, and all keys, do not. */
static void a_host_that_hangs_ages_only_its_own(void **state)
{
	harness_keys(console, "BTab F3");
	harness_expect(console, "every start");
	harness_keys(console, "C-u 'test:///default' F10");
	harness_expect(console, "test 1");
	assert_int_equal(kill(live_libvirtd_pid(live), SIGSTOP), 0);
	harness_expect(console, "(silent for");
	harness_keys(console, "Home Tab End");
	harness_expect(console, "▸ test ");
	harness_keys(console, "F7 p");
	harness_expect(console, "test       paused");
	harness_keys(console, "Enter");
	harness_expect(console, "test/test - paused");
	harness_keys(console, "F8");
	harness_expect(console, " ago");
	assert_int_equal(kill(live_libvirtd_pid(live), SIGCONT), 0);
	harness_expect_gone(console, " ago");
	harness_expect(console, "alpha      running");
}

// ---- around it ----------------------------------------------------------------------------------

/* Runs a verb of the command line. */
static void run_verb(const char *verb, const char *argument)
{
	g_autofree char *program = harness_program("lodge");
	const char *argv[] = {program, "--uri", live->uri, verb, argument, NULL};
	struct harness *h = harness_start(&(struct harness_options){.argv = argv});

	assert_int_equal(harness_exit(h), 0);
	harness_stop(h);
}

static int setup(void **state)
{
	live_start(&live, NULL);
	g_setenv("XDG_STATE_HOME", live->dir, TRUE);
	g_setenv("XDG_CONFIG_HOME", live->dir, TRUE);
	pipe_path = g_build_filename(live->dir, "slow", NULL);
	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	console = live_console(live, 80, 24, NULL);
	for (int i = 0; i < 2; i++) {
		run_verb("define", live->guest[i].file);
		run_verb("start", live->guest[i].name);
	}
	harness_expect(console, live_bundled() ? "lodge 2" : "qemu 2");
	for (int i = 0; i < 2; i++)
		live_guest_ready(&live->guest[i], LIVE_PATIENCE);
	live_guest_say(&live->guest[0], "kept=41");
	/* Memory that is not zero takes its time; QEMU writes one byte for a page that is. */
	g_free(live_guest_ask(
		&live->guest[0], "dd if=/dev/urandom of=/tmp/much bs=1M count=70 2>/dev/null; echo full"));
	return 0;
}

static void the_console_quits(void **state)
{
	live_console_quits(console);
}

static int teardown(void **state)
{
	kill(live_libvirtd_pid(live), SIGCONT);
	close_slow_disk();
	harness_stop(console);
	g_free(pipe_path);
	live_free(live);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_save_tells_how_far_it_is),
		cmocka_unit_test(f5_cancels_it),
		cmocka_unit_test(the_guest_goes_on),
		cmocka_unit_test(control_c_cancels_it),
		cmocka_unit_test(a_save_comes_to_its_end),
		cmocka_unit_test(a_host_that_hangs_ages_only_its_own),
		cmocka_unit_test(the_console_quits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
