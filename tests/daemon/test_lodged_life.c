// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The lives of guests as a client is told them: which events come, in which order and with which
 * detail, compared with what libvirt's QEMU driver sends; and what becomes of a guest that powers
 * off, boots anew, crashes or is killed.
 */
#include <config.h>

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "tests/daemon/daemon.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIGITS "41"

/* ---- who listens ------------------------------------------------------ */

static GPid listener;
static char *events_path;
static size_t taken;   /* of what has been told: already looked at */
static unsigned marks; /* made so far */

static char *all_told(void)
{
	char *text = NULL;

	return g_file_get_contents(events_path, &text, NULL, NULL) ? text : g_strdup("");
}

/* A change of another guest: what is told before it has happened before it. */
static bool mark_is_told(unsigned number, unsigned patience)
{
	for (unsigned i = 0; i < patience; i++) {
		g_autofree char *text = all_told();
		g_auto(GStrv) parts = g_strsplit(text, "for domain 'mark': ", -1);

		if (g_strv_length(parts) > number)
			return true;
		g_usleep(10000);
	}
	return false;
}

static void make_mark(void)
{
	done("desc mark --config --title 'number %u'", ++marks);
}

static void listen_to(void)
{
	g_autofree char *line = NULL;
	char *arguments[] = {"sh", "-c", NULL, NULL};
	unsigned seen = 0;

	g_file_set_contents(events_path, "", 0, NULL);
	taken = 0;
	line = g_strdup_printf("exec virsh -q -c '%s' event --all --loop --timeout 900 >%s",
		daemon_under_test.uri, events_path);
	arguments[2] = line;
	assert_true(g_spawn_async(NULL, arguments, NULL,
		G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &listener, NULL));
	/* It hears from now on, whenever that is. */
	do
		make_mark();
	while (!mark_is_told(1, 30) && ++seen < PATIENCE_S * 3);
	marks = 1;
	g_usleep(300000);
	{
		g_autofree char *text = all_told();

		taken = strlen(text);
		marks = 0;
		for (const char *at = text; (at = strstr(at, "for domain 'mark'")); at++)
			marks++;
	}
}

static int prepare(void **state)
{
	daemon_prepare(state);
	events_path = g_build_filename(daemon_under_test.root, "told", NULL);
	define("mark", "40", "b", "");
	listen_to();
	return 0;
}

static int clean_up(void **state)
{
	kill(listener, SIGTERM);
	waitpid(listener, NULL, 0);
	g_free(events_path);
	return daemon_clean_up(state);
}

/* What has been told of the guest since the last time, "; " between: without what is the same in
 * each line. */
static char *news(void)
{
	GString *news = g_string_new(NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	make_mark();
	assert_true(mark_is_told(marks, PATIENCE_S * 100));
	text = all_told();
	lines = g_strsplit(text + taken, "\n", -1);
	taken = strlen(text);
	for (char **line = lines; *line; line++) {
		char event[40], name[40], rest[200] = "";

		if (sscanf(*line, "event '%39[^']' for domain '%39[^']': %199[^\n]", event, name,
			    rest) < 2 ||
			strcmp(name, "life") != 0 || strcmp(event, "job-completed") == 0)
			continue;
		g_string_append_printf(news, "%s%s", news->len ? "; " : "",
			strcmp(event, "lifecycle") == 0 ? rest : event);
	}
	return g_string_free(news, FALSE);
}

static void told(const char *expected)
{
	g_autofree char *is = news();

	assert_string_equal(is, expected);
}

/* ---- the guest -------------------------------------------------------- */

/* With a device that tells of its panic. */
static void define_life(const char *action, const char *more)
{
	g_autofree char *path = write_guest("life", DIGITS, action, more), *text = NULL;
	g_auto(GStrv) parts = NULL;
	g_autofree char *whole = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	parts = g_strsplit(text, "<devices>", 2);
	whole = g_strjoinv("<devices><panic model='isa'/>", parts);
	assert_true(g_file_set_contents(path, whole, -1, NULL));
	g_free(virsh("define %s", path));
}

/* It is shut off, defined anew and started. */
static void start_anew(const char *action, const char *more)
{
	define_life(action, more);
	told("Defined Updated");
	done("start life");
}

static int have_guest(void **state)
{
	define_life("h", "");
	told("Defined Added");
	return 0;
}

static int forget_guest(void **state)
{
	done("undefine life");
	told("Undefined Removed");
	return 0;
}

/* All that is told until it has booted anew. */
static char *await_reboot(void)
{
	GString *all = g_string_new(NULL);
	gint64 end = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;

	while (!strstr(all->str, "reboot")) {
		g_autofree char *more = news();

		g_string_append_printf(all, "%s%s", all->len && *more ? "; " : "", more);
		if (g_get_monotonic_time() > end)
			fail_msg("no reboot: %s", all->str);
	}
	return g_string_free(all, FALSE);
}

/* ---- tests ------------------------------------------------------------- */

static void starting_and_stopping(void **state)
{
	done("start life");
	told("Resumed Unpaused; Started Booted");
	done("suspend life");
	told("Suspended Paused");
	done("resume life");
	told("Resumed Unpaused");
	done("reset life");
	told("reboot");
	done("destroy life");
	told("Stopped Destroyed");
	done("start life --paused");
	told("Started Booted; Suspended Paused");
	done("resume life");
	told("Resumed Unpaused");
	done("destroy life");
	told("Stopped Destroyed");
}

static void saving_and_restoring(void **state)
{
	g_autofree char *file = g_build_filename(daemon_under_test.root, "life.save", NULL);

	done("start life");
	told("Resumed Unpaused; Started Booted");
	done("save life %s", file);
	told("Suspended Paused; Stopped Saved");
	comes_to_say("shut off (saved)", "domstate life --reason");
	done("restore %s", file);
	told("Started Restored; Resumed Unpaused");
	says("running (restored)", "domstate life --reason");
	done("managedsave life");
	told("Suspended Paused; Stopped Saved");
	done("start life --paused");
	told("Started Restored; Suspended Restored");
	done("destroy life");
	told("Stopped Destroyed");
	g_unlink(file);
}

static void renaming(void **state)
{
	done("domrename life other");
	told("Undefined Renamed");
	done("domrename other life");
	told("Defined Renamed");
}

static void the_guest_powers_off(void **state)
{
	start_anew("b", "");
	told("Resumed Unpaused; Started Booted");
	done("shutdown life");
	comes_to_say("shut off (shutdown)", "domstate life --reason");
	told("Shutdown Finished after guest request; Stopped Shutdown");
	start_anew("b", "<on_poweroff>preserve</on_poweroff>");
	done("shutdown life");
	comes_to_say("paused (shutting down)", "domstate life --reason");
	told("Resumed Unpaused; Started Booted; Shutdown Finished after guest request");
	done("destroy life");
	told("Stopped Destroyed");
	start_anew("b", "<on_poweroff>restart</on_poweroff>");
	done("shutdown life");
	g_free(await_reboot());
	says("running", "domstate life");
	done("destroy life");
	told("Stopped Destroyed");
}

static void the_guest_boots_anew(void **state)
{
	start_anew("w", "<on_reboot>destroy</on_reboot>");
	done("shutdown life");
	comes_to_say("shut off (shutdown)", "domstate life --reason");
	told("Resumed Unpaused; Started Booted; Shutdown Finished after guest request; "
	     "Stopped Shutdown");
	start_anew("w", "<on_reboot>preserve</on_reboot>");
	done("shutdown life");
	comes_to_say("paused", "domstate life");
	told("Resumed Unpaused; Started Booted; Suspended Paused");
	done("destroy life");
	told("Stopped Destroyed");
}

static void the_guest_crashes(void **state)
{
	start_anew("c", "<on_crash>destroy</on_crash>");
	done("shutdown life");
	comes_to_say("shut off (crashed)", "domstate life --reason");
	told("Resumed Unpaused; Started Booted; Crashed Panicked; Stopped Crashed");
	has("its kernel says that it has crashed", true, "dominfo life");
	start_anew("c", "<on_crash>preserve</on_crash>");
	done("shutdown life");
	comes_to_say("crashed (panicked)", "domstate life --reason");
	told("Resumed Unpaused; Started Booted; Crashed Panicked");
	done("destroy life");
	told("Stopped Destroyed");
}

/* The second boot goes well. */
static void the_guest_crashes_and_restarts(void **state)
{
	g_autofree char *is = NULL;

	start_anew("c", "<on_crash>restart</on_crash>");
	done("shutdown life");
	is = await_reboot();
	assert_string_equal(is, "Resumed Unpaused; Started Booted; Crashed Panicked; reboot");
	says("running", "domstate life");
	done("destroy life");
	told("Stopped Destroyed");
}

static void the_monitor_is_killed(void **state)
{
	start_anew("h", "");
	told("Resumed Unpaused; Started Booted");
	assert_true(monitor_of(DIGITS) > 0);
	kill(monitor_of(DIGITS), SIGKILL);
	comes_to_say("shut off (crashed)", "domstate life --reason");
	told("Stopped Failed");
	has("the monitor has ended without a word", true, "dominfo life");
}

/* One that dies in its first seconds is not: so it gets a few more. */
static void a_killed_monitor_is_started_again(void **state)
{
	g_autofree char *is = NULL;
	pid_t was;

	start_anew("h", "<on_crash>restart</on_crash>");
	was = monitor_of(DIGITS);
	assert_true(was > 0);
	g_usleep(6 * G_USEC_PER_SEC);
	kill(was, SIGKILL);
	is = await_reboot();
	assert_string_equal(is, "Resumed Unpaused; Started Booted; Crashed Panicked; reboot");
	says("running", "domstate life");
	assert_int_not_equal(monitor_of(DIGITS), was);
	done("destroy life");
	told("Stopped Destroyed");
}

static void other_actions_are_refused(void **state)
{
	static const char *const actions[] = {
		"rename-restart", "coredump-destroy", "coredump-restart"};

	for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
		g_autofree char *more =
			g_strdup_printf("<on_crash>%s</on_crash>", actions[i]);
		g_autofree char *path = write_guest("life", DIGITS, "h", more);
		g_autofree char *command = g_strdup_printf("define %s", path);

		has("as <on_crash> is not supported: only destroy, restart and preserve are", false,
			command);
	}
}

/* After a boot of the host it goes on from where it was saved. */
static void a_saved_guest_is_started_by_itself(void **state)
{
	g_autofree char *mark = g_build_filename(daemon_under_test.root, "run/autostarted", NULL);

	start_anew("h", "");
	done("autostart life");
	done("managedsave life");
	says("life", "list --all --name --with-managed-save");
	kill(listener, SIGTERM);
	waitpid(listener, NULL, 0);
	daemon_end(SIGTERM);
	g_unlink(mark);
	daemon_start();
	comes_to_say("running (restored)", "domstate life --reason");
	comes_to_say("", "list --all --name --with-managed-save");
	done("autostart life --disable");
	done("destroy life");
	listen_to();
}

int main(void)
{
#define LIFE(test) cmocka_unit_test_setup_teardown(test, have_guest, forget_guest)
	const struct CMUnitTest tests[] = {
		LIFE(starting_and_stopping),
		LIFE(saving_and_restoring),
		LIFE(renaming),
		LIFE(the_guest_powers_off),
		LIFE(the_guest_boots_anew),
		LIFE(the_guest_crashes),
		LIFE(the_guest_crashes_and_restarts),
		LIFE(the_monitor_is_killed),
		LIFE(a_killed_monitor_is_started_again),
		LIFE(other_actions_are_refused),
		LIFE(a_saved_guest_is_started_by_itself),
	};

	/* One test alone: LODGE_TEST='renaming'. */
	if (g_getenv("LODGE_TEST"))
		cmocka_set_test_filter(g_getenv("LODGE_TEST"));
	return cmocka_run_group_tests_name("lodged: lives", tests, prepare, clean_up);
}
