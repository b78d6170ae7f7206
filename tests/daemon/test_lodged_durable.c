// SPDX-License-Identifier: GPL-3.0-or-later
/* Who is answered that a guest is defined may pull the plug: the file, and its name in its folder,
 * are on the disk. The folder's sync is held up here, to look at who waits for it. */
#include "tests/daemon/daemon.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static struct daemon *const my = &daemon_under_test;

static char *gate;

static int prepare(void **state)
{
	g_autofree char *library = NULL;

	daemon_prepare(state);
	daemon_end(SIGTERM);
	gate = g_build_filename(my->root, "gate", NULL);
	library = g_build_filename(my->build, "tests", "daemon", "gate.so", NULL);
	g_setenv("LD_PRELOAD", library, TRUE);
	g_setenv("LODGE_GATE", gate, TRUE);
	daemon_start();
	g_unsetenv("LD_PRELOAD");
	return 0;
}

static int clean_up(void **state)
{
	int status;

	g_file_set_contents(gate, "", 0, NULL);
	status = daemon_clean_up(state);
	g_free(gate);
	return status;
}

static void close_gate(void)
{
	g_autofree char *log = g_strconcat(gate, ".log", NULL);

	g_unlink(gate);
	g_unlink(log);
}

static void open_gate(void)
{
	assert_true(g_file_set_contents(gate, "", 0, NULL));
}

/* How often the folder was synced. */
static size_t syncs(void)
{
	g_autofree char *log = g_strconcat(gate, ".log", NULL), *text = NULL;

	return g_file_get_contents(log, &text, NULL, NULL) ? strlen(text) : 0;
}

static void wait_syncs(size_t count)
{
	for (int i = 0; syncs() < count && i < PATIENCE_S * 100; i++)
		g_usleep(10000);
	assert_int_equal(syncs(), count);
}

static GPid begin(const char *command)
{
	g_autofree char *line = g_strdup_printf("exec virsh -q -c '%s' %s", my->uri, command);
	char *arguments[] = {"sh", "-c", line, NULL};
	GPid pid;

	assert_true(g_spawn_async(NULL, arguments, NULL,
		G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
		NULL, &pid, NULL));
	return pid;
}

static GPid begin_define(const char *name, const char *digits)
{
	g_autofree char *path = write_guest(name, digits, "h", "");
	g_autofree char *own = g_strdup_printf("%s/%s.xml", my->root, name);
	g_autofree char *command = g_strdup_printf("define %s", own);

	assert_int_equal(g_rename(path, own), 0);
	return begin(command);
}

static void assert_waits(GPid pid)
{
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
}

static void assert_works(GPid pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void answers_wait_for_the_disk(void **state)
{
	GPid define;

	close_gate();
	define = begin_define("a", "01");
	wait_syncs(1);
	/* Others are answered meanwhile. */
	says("a", "list --all --name");
	done("desc a");
	assert_waits(define);
	open_gate();
	assert_works(define);

	close_gate();
	define = begin("undefine a");
	wait_syncs(1);
	says("", "list --all --name");
	assert_waits(define);
	open_gate();
	assert_works(define);
}

static void who_comes_meanwhile_shares_the_next(void **state)
{
	GPid first, others[5];

	close_gate();
	first = begin_define("a", "01");
	wait_syncs(1);
	for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
		g_autofree char *name = g_strdup_printf("b%u", i);
		g_autofree char *digits = g_strdup_printf("1%u", i);

		others[i] = begin_define(name, digits);
	}
	comes_to_say("a\nb0\nb1\nb2\nb3\nb4", "list --all --name");
	assert_waits(first);
	for (unsigned i = 0; i < G_N_ELEMENTS(others); i++)
		assert_waits(others[i]);
	open_gate();
	assert_works(first);
	for (unsigned i = 0; i < G_N_ELEMENTS(others); i++)
		assert_works(others[i]);
	assert_int_equal(syncs(), 2);
}

static void a_daemon_that_ends_waits_for_the_disk(void **state)
{
	GPid define;

	close_gate();
	define = begin_define("c", "21");
	wait_syncs(1);
	kill(my->pid, SIGTERM);
	assert_waits(define);
	open_gate();
	daemon_end(SIGTERM);
	/* Its client may find that there is nobody to say goodbye to. */
	assert_int_equal(waitpid(define, NULL, 0), define);
	daemon_start();
	has("c", true, "list --all --name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_wait_for_the_disk),
		cmocka_unit_test(who_comes_meanwhile_shares_the_next),
		cmocka_unit_test(a_daemon_that_ends_waits_for_the_disk),
	};

	return cmocka_run_group_tests_name("lodged: durable", tests, prepare, clean_up);
}
