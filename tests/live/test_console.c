// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The console on real guests: a private libvirtd with the QEMU driver, Debian's stock kernel under
 * software emulation, and keystrokes. What the screen says is compared with what the guests say on
 * their serial lines.
 */
#include "tests/live/guest.h"
#include "tests/screens/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <string.h>

static struct live *live;
static struct harness *console;

// ---- the guests table, read off the screen ----------------------------------------------------------

/* The line of the table that a guest is on; NULL while it is not there. Caller frees. */
static char *row_of(const char *name)
{
	g_autofree char *screen = harness_screen(console);
	g_auto(GStrv) lines = g_strsplit(screen, "\n", -1);
	g_autofree char *word = g_strdup_printf("%s ", name);

	for (char **line = lines; *line; line++) {
		char *table = strstr(*line, "││");
		char *found = table ? strstr(table, word) : NULL;

		/* Behind the cursor and a mark. */
		if (found && found - table < 12 && strchr(" *", found[-1]))
			return g_strdup(found);
	}
	return NULL;
}

/* A word of the row, counted from the name's, 0. Caller frees. */
static char *cell_of(const char *name, guint column)
{
	g_autofree char *row = row_of(name);
	g_auto(GStrv) words = row ? g_strsplit_set(row, " ", -1) : NULL;
	guint at = 0;

	for (char **word = words; word && *word; word++)
		if (**word && at++ == column)
			return g_strdup(*word);
	return g_strdup("");
}

enum { NAME, STATE, VCPU, CPU };

static bool state_is(const char *name, const void *wanted)
{
	g_autofree char *cell = cell_of(name, STATE);

	return !strcmp(cell, wanted);
}

static bool cpu_above(const char *name, const void *wanted)
{
	g_autofree char *cell = cell_of(name, CPU);

	return g_ascii_strtod(cell, NULL) > *(const double *)wanted;
}

static bool cpu_below(const char *name, const void *wanted)
{
	g_autofree char *cell = cell_of(name, CPU);

	return g_ascii_isdigit(*cell) && g_ascii_strtod(cell, NULL) < *(const double *)wanted;
}

static void wait_until(const char *name, bool (*holds)(const char *, const void *), const void *wanted,
	const char *what)
{
	gint64 until = g_get_monotonic_time() + LIVE_PATIENCE * G_USEC_PER_SEC;

	while (!holds(name, wanted)) {
		if (g_get_monotonic_time() > until) {
			g_autofree char *screen = harness_screen(console);

			fail_msg("%s: not %s within %d s\n%s", name, what, LIVE_PATIENCE, screen);
		}
		harness_wait(console, "\x01", 100); /* lets the screen's bytes in */
	}
}

static void wait_state(const char *name, const char *state)
{
	wait_until(name, state_is, state, state);
}

/* Puts the cursor on a guest: rows are sorted by name, and the first key goes to the top. */
static void select_guest(unsigned row)
{
	harness_keys(console, "Home");
	for (; row; row--)
		harness_keys(console, "Down");
}

/* F7, the verb of that label in the menu, and yes where it asks. */
static void act(const char *letter)
{
	g_autofree char *keys = g_strdup_printf("'%s'", letter);

	harness_keys(console, "F7");
	harness_expect(console, "Pause");
	harness_keys(console, keys);
}

// ---- the story, in order ------------------------------------------------------------------------------

static void guests_are_defined_by_keystrokes(void **state)
{
	for (unsigned i = 0; i < LIVE_GUESTS; i++) {
		g_autofree char *keys = g_strdup_printf("'%s' Enter", live->guest[i].file);
		g_autofree char *defined = g_strdup_printf("%s is defined.", live->guest[i].name);

		harness_keys(console, "F3");
		harness_expect(console, "File on this machine");
		harness_keys(console, keys);
		harness_expect(console, defined);
		wait_state(live->guest[i].name, "off");
	}
}

static void a_guest_starts_and_boots(void **state)
{
	select_guest(0);
	harness_keys(console, "F10");
	wait_state("alpha", "running");
	live_guest_ready(&live->guest[0], LIVE_PATIENCE);
}

static void cpu_rises_under_load_and_falls(void **state)
{
	/* Far enough apart for a machine that has much else to do, too. */
	double idle = 12, busy = 25;

	wait_until("alpha", cpu_below, &idle, "idle");
	live_guest_say(&live->guest[0], "while :; do :; done & load=$!");
	wait_until("alpha", cpu_above, &busy, "busy");
	live_guest_say(&live->guest[0], "kill $load");
	wait_until("alpha", cpu_below, &idle, "idle again");
}

/* The table's "29/192M": the first number is what the guest itself reports as used. */
static bool memory_shown(const char *name, const void *wanted)
{
	g_autofree char *row = row_of(name);
	const char *slash = row ? strstr(row, "/192M") : NULL;
	const char *number = slash;
	double used;

	while (number && number > row && (g_ascii_isdigit(number[-1]) || number[-1] == '.'))
		number--;
	if (!number || number == slash)
		return false;
	used = g_ascii_strtod(number, NULL);
	return ABS(used - *(const double *)wanted) <= 6;
}

static void memory_is_what_the_guest_reports(void **state)
{
	double used = 0;
	g_autofree char *answer = NULL;

	answer = live_guest_ask(&live->guest[0],
		"awk '/MemTotal/ { t = $2 } /MemFree/ { f = $2 } END { print int((t - f) / 1024) }' /proc/meminfo");
	used = g_ascii_strtod(answer, NULL);
	assert_true(used > 5 && used < 192);
	wait_until("alpha", memory_shown, &used, "telling the memory that the guest uses");
	g_free(answer);
	/* 60 MiB more in a file in memory. */
	answer = live_guest_ask(&live->guest[0],
		"dd if=/dev/zero of=/tmp/big bs=1M count=60 2>/dev/null; "
		"awk '/MemTotal/ { t = $2 } /MemFree/ { f = $2 } END { print int((t - f) / 1024) }' /proc/meminfo");
	assert_true(g_ascii_strtod(answer, NULL) > used + 40);
	used = g_ascii_strtod(answer, NULL);
	wait_until("alpha", memory_shown, &used, "telling that memory is used");
	live_guest_say(&live->guest[0], "rm /tmp/big");
}

static void a_guest_pauses_and_resumes(void **state)
{
	act("p");
	wait_state("alpha", "paused");
	act("r");
	wait_state("alpha", "running");
	g_free(live_guest_ask(&live->guest[0], "echo still here"));
}

static void a_guest_shuts_down(void **state)
{
	act("u");
	harness_expect(console, "Yes");
	harness_keys(console, "M-y");
	wait_state("alpha", "off");
}

static void three_marked_guests_start_and_stop_at_once(void **state)
{
	harness_keys(console, "Home Space Space Space");
	harness_expect(console, "3 marked");
	harness_keys(console, "F10");
	harness_expect(console, "Yes");
	harness_keys(console, "M-y");
	for (unsigned i = 0; i < LIVE_GUESTS; i++)
		wait_state(live->guest[i].name, "running");
	for (unsigned i = 0; i < LIVE_GUESTS; i++)
		live_guest_ready(&live->guest[i], LIVE_PATIENCE);
	act("u");
	harness_expect(console, "Yes");
	/* The question names them and their number. */
	harness_expect(console, "3");
	for (unsigned i = 0; i < LIVE_GUESTS; i++)
		harness_expect(console, live->guest[i].name);
	harness_keys(console, "M-y");
	for (unsigned i = 0; i < LIVE_GUESTS; i++)
		wait_state(live->guest[i].name, "off");
}

static void the_console_outlives_libvirtd(void **state)
{
	harness_keys(console, "Home Space Space Space");
	harness_expect_gone(console, "marked");
	select_guest(1);
	harness_keys(console, "F10");
	wait_state("beta", "running");
	live_kill_libvirtd(live);
	harness_expect(console, "(not connected)");
	live_start_libvirtd(live);
	wait_state("beta", "running");
	harness_expect_gone(console, "(not connected)");
	live_guest_ready(&live->guest[1], LIVE_PATIENCE);
}

static void every_change_is_in_the_audit_log(void **state)
{
	g_autofree char *log = live_audit_log(live);
	static const char *const verbs[] = {"define", "start", "pause", "resume", "shutdown"};

	for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
		g_autofree char *field = g_strdup_printf("\t%s\tok\t", verbs[i]);

		if (!strstr(log, field))
			fail_msg("no '%s' in the audit log:\n%s", verbs[i], log);
	}
}

// ---- around it -------------------------------------------------------------------------------------------

static void the_console_quits(void **state)
{
	live_console_quits(console);
}

static int setup(void **state)
{
	live_start(&live, NULL);
	console = live_console(live, 100, 30, NULL);
	return 0;
}

static int teardown(void **state)
{
	harness_stop(console);
	live_free(live);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guests_are_defined_by_keystrokes),
		cmocka_unit_test(a_guest_starts_and_boots),
		cmocka_unit_test(cpu_rises_under_load_and_falls),
		cmocka_unit_test(memory_is_what_the_guest_reports),
		cmocka_unit_test(a_guest_pauses_and_resumes),
		cmocka_unit_test(a_guest_shuts_down),
		cmocka_unit_test(three_marked_guests_start_and_stop_at_once),
		cmocka_unit_test(the_console_outlives_libvirtd),
		cmocka_unit_test(every_change_is_in_the_audit_log),
		cmocka_unit_test(the_console_quits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
