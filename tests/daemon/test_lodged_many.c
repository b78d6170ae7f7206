// SPDX-License-Identifier: GPL-3.0-or-later
/* Many running guests on one lodged that may have few descriptors unless it asks for more. They
 * have nothing to do: neither does the host then, and nobody asks their monitors anything. */
#include "engine/common/stats.h"
#include "tests/daemon/daemon.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <signal.h>
#include <unistd.h>
#include <string.h>
#include <sys/resource.h>

#define GUESTS 50u
/* Less than the guests take of it. */
#define DESCRIPTORS 100u

static struct daemon *const my = &daemon_under_test;

static int prepare(void **state)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -1;
	limit.rlim_cur = DESCRIPTORS;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -1;
	return daemon_prepare(state);
}

/* One command of virsh for all of them; %u: the guest's number. */
static char *for_all(const char *verb)
{
	g_autoptr(GString) commands = g_string_new("\"");

	for (unsigned i = 0; i < GUESTS; i++)
		g_string_append_printf(commands, "%s g%02u;", verb, i);
	g_string_append_c(commands, '"');
	return virsh_at(my->uri, true, commands->str);
}

static void define_all(void)
{
	g_autoptr(GString) commands = g_string_new("\"");

	for (unsigned i = 0; i < GUESTS; i++) {
		g_autofree char *path = g_strdup_printf("%s/g%02u.xml", my->root, i);
		g_autofree char *text = g_strdup_printf(
			"<domain type='qemu'><name>g%02u</name><uuid>" UUID "%02u</uuid>"
			"<memory unit='MiB'>4</memory><os><type>hvm</type>"
			"<kernel>%s/tests/engine/boot/actions.elf</kernel><cmdline>h</cmdline></os>"
			"<devices><serial type='null'/><memballoon model='none'/></devices>"
			"</domain>",
			i, i, my->build);

		assert_true(g_file_set_contents(path, text, -1, NULL));
		g_string_append_printf(commands, "define %s;", path);
	}
	g_string_append_c(commands, '"');
	g_free(virsh_at(my->uri, true, commands->str));
}

static unsigned count(const char *text, const char *part)
{
	unsigned found = 0;

	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		found++;
	return found;
}

static void assert_running(unsigned expected)
{
	g_autofree char *names = virsh("list --name");

	assert_int_equal(count(names, "g"), expected);
}

static void many_run(void **state)
{
	define_all();
	g_free(for_all("start"));
	assert_running(GUESTS);
}

static void signal_monitors(int number)
{
	for (unsigned i = 0; i < GUESTS; i++) {
		g_autofree char *digits = g_strdup_printf("%02u", i);
		pid_t pid = machine_of(digits);

		assert_true(pid > 0);
		/* All its processes. */
		assert_int_equal(killpg(getpgid(pid), number), 0);
	}
}

/* One that would have to answer could not. */
static void monitors_are_not_asked_for_statistics(void **state)
{
	g_autofree char *text = NULL;

	signal_monitors(SIGSTOP);
	text = virsh("domstats --nowait");
	signal_monitors(SIGCONT);
	assert_int_equal(count(text, "Domain: "), GUESTS);
	assert_int_equal(count(text, "cpu.time="), GUESTS);
	assert_int_equal(count(text, "vcpu.0.time="), GUESTS);
}

static uint64_t when_sampled(const char *digits)
{
	g_autofree char *path =
		g_strdup_printf("%s/run/guests/" UUID "%s/statistics", my->root, digits);
	struct stats_reader *reader = stats_reader_open(path, NULL);
	struct stats_page page;

	assert_non_null(reader);
	assert_true(stats_reader_read(reader, &page));
	stats_reader_free(reader);
	return page.guest.sampled_ns;
}

/* It is sampled each second until its monitor has found that it sleeps. */
static void comes_to_rest(const char *digits)
{
	for (int i = 0; i < PATIENCE_S; i++) {
		uint64_t before = when_sampled(digits);

		g_usleep(4 * G_USEC_PER_SEC);
		if (when_sampled(digits) == before)
			return;
	}
	fail_msg("it is sampled without end");
}

static void a_guest_that_sleeps_is_let_alone(void **state)
{
	uint64_t before;

	comes_to_rest("07");
	/* What happens to it is seen at once, and once more when it sleeps again. */
	before = when_sampled("07");
	done("suspend g07");
	assert_true(when_sampled("07") > before);
	done("resume g07");
	comes_to_rest("07");
}

static void many_are_adopted(void **state)
{
	daemon_end(SIGKILL);
	daemon_start();
	assert_running(GUESTS);
	for (int i = 0;; i++) {
		g_autofree char *states = for_all("domstate --reason");

		assert_int_equal(count(states, "running ("), GUESTS);
		/* Until its monitor has answered. */
		if (!strstr(states, "(unknown)"))
			return;
		assert_true(i < PATIENCE_S);
		g_usleep(G_USEC_PER_SEC);
	}
}

static void many_end(void **state)
{
	g_free(for_all("destroy"));
	assert_running(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_run),
		cmocka_unit_test(monitors_are_not_asked_for_statistics),
		cmocka_unit_test(a_guest_that_sleeps_is_let_alone),
		cmocka_unit_test(many_are_adopted),
		cmocka_unit_test(many_end),
	};

	return cmocka_run_group_tests(tests, prepare, daemon_clean_up);
}
