// SPDX-License-Identifier: GPL-3.0-or-later
/* Streams of lodged: guests' consoles by libvirt, and clients that do not behave. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "tests/daemon/daemon.h"

#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static virConnectPtr connection;
/* Why it could not be opened. */
static char problem[200];

static void ignore(void *data, virErrorPtr error)
{
}

static int prepare(void **state)
{
	int status = daemon_prepare(state);

	virSetErrorFunc(NULL, ignore);
	connection = virConnectOpen(daemon_under_test.uri);
	return status || !connection;
}

static int clean_up(void **state)
{
	virConnectClose(connection);
	return daemon_clean_up(state);
}

/* A guest that says what it is told, running. */
static virDomainPtr start_echo(const char *name, const char *devices)
{
	g_autofree char *text = g_strdup_printf(
		"<domain type='qemu'><name>%s</name><memory unit='MiB'>8</memory>"
		"<os><type>hvm</type><kernel>%s/tests/daemon/echo.elf</kernel></os><devices>%s"
		"<memballoon model='none'/></devices></domain>",
		name, daemon_under_test.build, devices);
	virDomainPtr guest = virDomainCreateXML(connection, text, 0);

	if (!guest)
		print_message("%s\n", virGetLastErrorMessage());
	assert_non_null(guest);
	return guest;
}

static void end(virDomainPtr guest)
{
	assert_int_equal(virDomainDestroy(guest), 0);
	virDomainFree(guest);
}

static virStreamPtr open_console(virDomainPtr guest, const char *alias, unsigned flags)
{
	virStreamPtr stream = virStreamNew(connection, 0);

	assert_non_null(stream);
	if (virDomainOpenConsole(guest, alias, stream, flags) == 0)
		return stream;
	g_strlcpy(problem, virGetLastErrorMessage(), sizeof(problem));
	virStreamFree(stream);
	return NULL;
}

static void say(virStreamPtr stream, const char *text)
{
	assert_int_equal(virStreamSend(stream, text, strlen(text)), strlen(text));
}

/* Reads until the text has come. */
static void expect(virStreamPtr stream, const char *text)
{
	g_autoptr(GString) said = g_string_new(NULL);

	while (!strstr(said->str, text)) {
		char bytes[100];
		int n = virStreamRecv(stream, bytes, sizeof(bytes));

		if (n <= 0)
			print_message("it said '%s', then %d: %s\n", said->str, n,
				virGetLastErrorMessage());
		assert_true(n > 0);
		g_string_append_len(said, bytes, n);
	}
}

static void finish(virStreamPtr stream)
{
	assert_int_equal(virStreamFinish(stream), 0);
	virStreamFree(stream);
}

static void is_alive(virStreamPtr stream)
{
	say(stream, "hello there\n");
	expect(stream, "hello there\n");
}

static void a_console_speaks_and_listens(void **state)
{
	virDomainPtr guest = start_echo("c1", "<serial type='pty'/>");
	virStreamPtr stream = open_console(guest, NULL, 0);

	assert_non_null(stream);
	/* What was said before anybody listened, too. */
	expect(stream, "ready\n");
	is_alive(stream);
	finish(stream);
	stream = open_console(guest, "serial0", 0);
	expect(stream, "ready\nhello there\n");
	is_alive(stream);
	assert_int_equal(virStreamAbort(stream), 0);
	virStreamFree(stream);
	assert_null(open_console(guest, "serial1", 0));
	end(guest);
}

/* Says it at the terminal, and waits until it comes back. */
static void echoes_at(const char *path, const char *text)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	g_autoptr(GString) said = g_string_new(NULL);
	char bytes[256];

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	while (!strstr(said->str, text)) {
		assert_int_equal(poll(&ready, 1, PATIENCE_S * 1000), 1);
		ssize_t n = read(fd, bytes, sizeof(bytes));
		assert_true(n > 0);
		g_string_append_len(said, bytes, n);
	}
	close(fd);
}

static void a_terminal_speaks_and_listens(void **state)
{
	virDomainPtr guest = start_echo("c6", "<console type='pty'/>");
	virStreamPtr stream = open_console(guest, NULL, 0);
	g_autofree char *path = virsh("ttyconsole c6"), *file = NULL, *saved = NULL;

	assert_true(g_str_has_prefix(path, "/dev/pts/"));
	expect(stream, "ready\n");
	echoes_at(path, "hello terminal\n");
	echoes_at(path, "hello again\n");
	expect(stream, "hello terminal\nhello again\n");
	is_alive(stream);
	finish(stream);
	/* What is read of a running guest can be defined, without what is of this run. */
	file = g_build_filename(daemon_under_test.root, "running.xml", NULL);
	done("dumpxml c6 >%s", file);
	done("define %s", file);
	saved = virsh("dumpxml c6 --inactive");
	assert_null(strstr(saved, "/dev/pts"));
	assert_non_null(strstr(saved, "<console type='pty'>"));
	end(guest);
	done("undefine c6");
}

static void a_console_has_one_client(void **state)
{
	virDomainPtr guest = start_echo("c2", "<serial type='pty'/><console type='pty'/>");
	virStreamPtr first = open_console(guest, NULL, 0), second;
	char byte;

	assert_non_null(first);
	assert_null(open_console(guest, NULL, 0));
	assert_non_null(strstr(problem, "Active console session exists for this domain"));
	/* Under its other name it is the same. */
	assert_null(open_console(guest, "console0", 0));
	second = open_console(guest, NULL, VIR_DOMAIN_CONSOLE_FORCE);
	assert_non_null(second);
	while (virStreamRecv(first, &byte, 1) > 0)
		;
	assert_non_null(strstr(virGetLastErrorMessage(), "another client has taken the console"));
	virStreamFree(first);
	is_alive(second);
	finish(second);
	end(guest);
}

static void the_end_of_the_guest_is_the_end_of_its_console(void **state)
{
	virDomainPtr guest = start_echo("c3", "<serial type='pty'/>");
	virStreamPtr stream = open_console(guest, NULL, 0);
	char bytes[100];
	int n;

	is_alive(stream);
	say(stream, "!");
	while ((n = virStreamRecv(stream, bytes, sizeof(bytes))) > 0)
		;
	assert_int_equal(n, 0);
	finish(stream);
	virDomainFree(guest);
	comes_to_say("", "list --all --name");
}

/* It gets no more than fits on the way, and others get their answers. */
static void a_reader_that_sleeps_holds_up_nobody(void **state)
{
	virDomainPtr guest = start_echo("c4", "<serial type='pty'/>");
	virConnectPtr sleeper = virConnectOpen(daemon_under_test.uri);
	virDomainPtr same = virDomainLookupByName(sleeper, "c4");
	virStreamPtr stream = virStreamNew(sleeper, 0);

	assert_int_equal(virDomainOpenConsole(same, NULL, stream, 0), 0);
	say(stream, "*");
	expect(stream, "the quick brown fox");
	for (int i = 0; i < 20; i++)
		says("running", "domstate c4");
	expect(stream, "the quick brown fox");
	assert_int_equal(virStreamAbort(stream), 0);
	virStreamFree(stream);
	virDomainFree(same);
	virConnectClose(sleeper);
	end(guest);
}

static void a_client_may_leave_its_console_open(void **state)
{
	virDomainPtr guest = start_echo("c5", "<serial type='pty'/>");
	g_autofree char *line = g_strdup_printf("(sleep 0.2; echo from virsh; sleep 0.2) | script "
						"-qec \"virsh -q -c '%s' console c5\" /dev/null",
		daemon_under_test.uri);
	char *arguments[] = {"timeout", "-s", "KILL", "3", "sh", "-c", line, NULL};
	virStreamPtr stream = NULL;

	assert_true(g_spawn_sync(NULL, arguments, NULL,
		G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, NULL, NULL,
		NULL));
	/* Its connection is closed soon. */
	for (int i = 0; i < PATIENCE_S * 10 && !stream; i++) {
		stream = open_console(guest, NULL, 0);
		if (!stream)
			g_usleep(100000);
	}
	assert_non_null(stream);
	is_alive(stream);
	finish(stream);
	end(guest);
}

static void what_has_no_console_says_so(void **state)
{
	virDomainPtr guest = start_echo("c6", "");

	assert_null(open_console(guest, NULL, 0));
	assert_non_null(strstr(problem, "cannot find console device"));
	end(guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_console_speaks_and_listens),
		cmocka_unit_test(a_terminal_speaks_and_listens),
		cmocka_unit_test(a_console_has_one_client),
		cmocka_unit_test(the_end_of_the_guest_is_the_end_of_its_console),
		cmocka_unit_test(a_reader_that_sleeps_holds_up_nobody),
		cmocka_unit_test(a_client_may_leave_its_console_open),
		cmocka_unit_test(what_has_no_console_says_so),
	};

	return cmocka_run_group_tests_name("lodged: streams", tests, prepare, clean_up);
}
