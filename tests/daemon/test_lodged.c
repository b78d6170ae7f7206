// SPDX-License-Identifier: GPL-3.0-or-later
/* lodged as a program, with virsh as its client and small guests that run in lodge-vmm. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "tests/daemon/daemon.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the connection and the host ------------------------------------------------------------- */

static void the_host_is_described(void **state)
{
	has("Using API: QEMU 9.0.0", true, "version");
	has("CPU(s):", true, "nodeinfo");
	has("user:", true, "nodecpustats");
	has("total  :", true, "nodememstats");
	has("Total:", true, "freecell");
	says(g_get_host_name(), "hostname");
	says("64", "maxvcpus");
	has("<os_type>hvm</os_type>", true, "capabilities");
	has("<domain>qemu</domain>", true, "domcapabilities --virttype qemu");
}

static void a_known_scheme_works_too(void **state)
{
	g_autofree char *qemu =
		g_strdup_printf("qemu+unix:///system?socket=%s", daemon_under_test.socket);

	g_free(virsh_at(qemu, true, "list --all"));
}

static void what_is_not_there_is_named(void **state)
{
	define("j", "0a", "b", "");
	has("this function is not supported by the connection driver: virConnectNumOfSecrets",
		false, "secret-list");
	has("this function is not supported by the connection driver: virDomainGetHostname", false,
		"domhostname j");
	has("this function is not supported by the connection driver: virDomainQemuMonitorCommand",
		false, "qemu-monitor-command j {}");
	g_free(virsh("undefine j"));
}

static void read_only_changes_nothing(void **state)
{
	define("r", "0b", "b", "");
	g_free(virsh_at(daemon_under_test.uri, true, "-r dominfo r"));
	g_free(virsh_at(daemon_under_test.uri, false, "-r start r"));
	says("shut off", "domstate r");
	g_free(virsh("undefine r"));
}

/* ---- definitions ----------------------------------------------------------------------------- */

static void a_guest_is_defined_and_undefined(void **state)
{
	define("web", "01", "b", "<title>A title</title>");
	says(UUID "01", "domuuid web");
	says("web", "domname " UUID "01");
	says("web", "list --all --name");
	says("", "list --name");
	has("Persistent:     yes", true, "dominfo web");
	has("<memory unit='KiB'>8192</memory>", true, "dumpxml web");
	has("<on_reboot>restart</on_reboot>", true, "dumpxml web");
	has("maximum      config         1", true, "vcpucount web");
	g_free(virsh("undefine web"));
	says("", "list --all --name");
	has("failed to get domain 'web'", false, "domid web");
}

static void wrong_definitions_are_refused(void **state)
{
	g_autofree char *bad = write_guest("bad", "02", "b", "<nonsense/>");
	g_autofree char *command = g_strdup_printf("define %s", bad);

	has("unsupported configuration: (domain_definition):1: element <nonsense>", false, command);
	g_free(write_guest("a/b", "02", "b", ""));
	has("XML error: (domain_definition):1: 'a/b' cannot be a name", false, command);
	define("one", "02", "b", "");
	g_free(write_guest("one", "03", "b", ""));
	has("operation failed: domain 'one' already exists with uuid " UUID "02", false, command);
	g_free(write_guest("two", "02", "b", ""));
	has("domain 'one' is already defined with uuid " UUID "02", false, command);
	g_free(virsh("undefine one"));
}

static void names_marks_and_metadata_stay(void **state)
{
	define("old", "04", "b", "");
	g_free(virsh("domrename old new"));
	g_free(virsh("autostart new"));
	g_free(virsh("desc new --title --config 'The title'"));
	g_free(virsh("metadata new urn:test --key t --set '<e a=\"1\"><f/></e>' --config"));
	daemon_end(SIGKILL);
	daemon_start();
	says("new", "list --all --name --autostart");
	says("The title", "desc new --title");
	has("<e a=\"1\">", true, "metadata new urn:test");
	g_free(virsh("autostart new --disable"));
	says("", "list --all --name --autostart");
	g_free(virsh("undefine new"));
	daemon_end(SIGTERM);
	daemon_start();
	says("", "list --all --name");
}

static void broken_files_harm_nobody(void **state)
{
	g_autofree char *broken =
		g_strdup_printf("%s/etc/guests/" UUID "ff.xml", daemon_under_test.root);
	g_autofree char *binary =
		g_strdup_printf("%s/etc/guests/" UUID "fe.xml", daemon_under_test.root);
	g_autofree char *misplaced =
		g_strdup_printf("%s/run/guests/nobody", daemon_under_test.root);

	define("good", "05", "b", "");
	daemon_end(SIGTERM);
	assert_true(g_file_set_contents(broken, "<domain", -1, NULL));
	assert_true(g_file_set_contents(binary, "a\0b", 3, NULL));
	assert_int_equal(g_mkdir(misplaced, 0700), 0);
	daemon_start();
	says("good", "list --all --name");
	assert_true(g_file_test(broken, G_FILE_TEST_EXISTS));
	g_unlink(broken);
	g_unlink(binary);
	g_rmdir(misplaced);
	g_free(virsh("undefine good"));
}

/* ---- life ------------------------------------------------------------------------------------ */

static void a_guest_lives_and_dies(void **state)
{
	define("a", "06", "b", "");
	has("Requested operation is not valid: domain is not running", false, "destroy a");
	g_free(virsh("start a"));
	says("running (booted)", "domstate a --reason");
	has("Domain is already active", false, "start a");
	says("a", "list --name");
	has("<domain type='qemu' id=", true, "dumpxml a");
	g_free(virsh("suspend a"));
	says("paused (user)", "domstate a --reason");
	says("a", "list --name --state-paused");
	g_free(virsh("resume a"));
	says("running (unpaused)", "domstate a --reason");
	g_free(virsh("reset a"));
	has("rss ", true, "dommemstat a");
	g_free(virsh("destroy a --graceful"));
	says("shut off (destroyed)", "domstate a --reason");
	assert_int_equal(monitor_of("06"), 0);
	g_free(virsh("undefine a"));
}

static void the_power_button_shuts_down_and_reboots(void **state)
{
	g_autofree char *before = NULL;

	define("p", "07", "b", "");
	g_free(virsh("start p"));
	before = virsh("domid p");
	pid_t first = monitor_of("07");
	g_free(virsh("reboot p"));
	for (int i = 0; i < PATIENCE_S * 20 && (monitor_of("07") == first || !monitor_of("07"));
		i++)
		g_usleep(50000);
	assert_int_not_equal(monitor_of("07"), first);
	says(before, "domid p");
	comes_to_say("running (booted)", "domstate p --reason");
	g_free(virsh("shutdown p --mode acpi"));
	comes_to_say("shut off (shutdown)", "domstate p --reason");
	g_free(virsh("undefine p"));
}

static void a_transient_guest_is_forgotten(void **state)
{
	g_autofree char *path = write_guest("t", "08", "b", "");

	g_free(virsh("create %s", path));
	says("t", "list --name --transient");
	has("cannot undefine transient domain", false, "undefine t");
	g_free(virsh("destroy t"));
	says("", "list --all --name");
}

/* Guest "n". */
static void define_with_kernel(const char *kernel)
{
	g_autofree char *path = g_build_filename(daemon_under_test.root, "guest.xml", NULL);
	g_autofree char *text = g_strdup_printf(
		"<domain type='qemu'><name>n</name><memory unit='MiB'>8</memory><os>"
		"<type>hvm</type><kernel>%s</kernel></os></domain>",
		kernel);

	g_assert(g_file_set_contents(path, text, -1, NULL));
	g_free(virsh("define %s", path));
}

static void a_guest_that_cannot_start_says_why(void **state)
{
	g_autofree char *no_kernel = g_build_filename(daemon_under_test.root, "guest.xml", NULL);

	define_with_kernel("/nonexistent");
	has("cannot open '/nonexistent': No such file or directory", false, "start n");
	g_free(virsh("undefine n"));
	define_with_kernel(no_kernel);
	has("process exited while connecting to monitor: Cannot start guest 'n'", false, "start n");
	has("guest.xml", false, "start n");
	says("shut off (failed)", "domstate n --reason");
	g_free(virsh("undefine n"));
}

static void statistics_come_in_bulk(void **state)
{
	define("s1", "10", "b", "");
	define("s2", "11", "b", "");
	g_free(virsh("start s1"));
	has("state.state=1", true, "domstats s1");
	has("balloon.rss=", true, "domstats s1 --balloon");
	has("vcpu.maximum=1", true, "domstats --list-inactive");
	has("Domain: 's2'", true, "domstats --nowait");
	g_free(virsh("destroy s1"));
	g_free(virsh("undefine s1"));
	g_free(virsh("undefine s2"));
}

static void events_are_told(void **state)
{
	g_autofree char *out = g_build_filename(daemon_under_test.root, "events", NULL);
	g_autofree char *line =
		g_strdup_printf("exec virsh -q -c '%s' event --all --loop --timeout 120 >%s",
			daemon_under_test.uri, out);
	char *arguments[] = {"sh", "-c", line, NULL};
	g_autofree char *text = NULL;
	GPid listener;

	define("e", "12", "b", "");
	assert_true(g_spawn_async(NULL, arguments, NULL,
		G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &listener, NULL));
	/* Once it listens, it hears of this. */
	for (int i = 0; i < PATIENCE_S * 10 && (!text || !strstr(text, "Updated")); i++) {
		define("e", "12", "b", "");
		g_usleep(100000);
		g_clear_pointer(&text, g_free);
		g_file_get_contents(out, &text, NULL, NULL);
	}
	g_free(virsh("start e"));
	g_free(virsh("suspend e"));
	g_free(virsh("destroy e"));
	g_free(virsh("undefine e"));
	for (int i = 0; i < PATIENCE_S * 10 && !strstr(text, "Undefined"); i++) {
		g_usleep(100000);
		g_clear_pointer(&text, g_free);
		g_file_get_contents(out, &text, NULL, NULL);
	}
	kill(listener, SIGTERM);
	waitpid(listener, NULL, 0);
	assert_non_null(strstr(text, "Started Booted"));
	assert_non_null(strstr(text, "Suspended Paused"));
	assert_non_null(strstr(text, "Stopped Destroyed"));
	assert_non_null(strstr(text, "Undefined Removed"));
}

/* ---- faults ---------------------------------------------------------------------------------- */

static void the_next_daemon_finds_the_guests(void **state)
{
	g_autofree char *path = NULL, *id = NULL;
	pid_t monitor;

	define("k", "13", "b", "");
	g_free(virsh("start k"));
	g_free(virsh("suspend k"));
	path = write_guest("kt", "14", "b", "");
	g_free(virsh("create %s", path));
	id = virsh("domid kt");
	monitor = monitor_of("13");
	daemon_end(SIGKILL);
	assert_int_equal(kill(monitor, 0), 0);
	daemon_start();
	comes_to_say("paused", "domstate k");
	says(id, "domid kt");
	says("kt", "list --name --transient");
	assert_int_equal(monitor_of("13"), monitor);
	g_free(virsh("resume k"));
	g_free(virsh("shutdown k"));
	comes_to_say("shut off (shutdown)", "domstate k --reason");
	g_free(virsh("destroy kt"));
	says("k", "list --all --name");
	g_free(virsh("undefine k"));
}

static void a_guest_that_died_meanwhile_is_shut_off(void **state)
{
	define("m", "15", "b", "");
	g_free(virsh("start m"));
	daemon_end(SIGKILL);
	kill(monitor_of("15"), SIGKILL);
	while (monitor_of("15"))
		g_usleep(10000);
	daemon_start();
	comes_to_say("shut off", "domstate m");
	g_free(virsh("start m"));
	g_free(virsh("destroy m"));
	g_free(virsh("undefine m"));
}

static void a_killed_monitor_is_noticed(void **state)
{
	define("x", "16", "b", "");
	g_free(virsh("start x"));
	kill(monitor_of("16"), SIGKILL);
	comes_to_say("shut off (crashed)", "domstate x --reason");
	g_free(virsh("start x"));
	says("running", "domstate x");
	g_free(virsh("destroy x"));
	g_free(virsh("undefine x"));
}

static void there_is_one_daemon(void **state)
{
	g_autofree char *program = g_build_filename(daemon_under_test.build, "lodged", NULL),
			*errors = NULL;
	char *arguments[] = {program, "--root", daemon_under_test.root, NULL};
	int status;

	assert_true(g_spawn_sync(
		NULL, arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &errors, &status, NULL));
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_non_null(strstr(errors, "another lodged runs here"));
	says("", "list --all --name");
}

/* Sends these bytes to the daemon, which must end the connection. */
static void is_disconnected(const void *bytes, size_t size)
{
	int fd = connect_raw();
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char byte;

	assert_true(fd >= 0);
	assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
	assert_int_equal(poll(&wait, 1, PATIENCE_S * 1000), 1);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
}

/* virConnectOpen of no name, with no flags. */
static const uint8_t open_call[] = {0, 0, 0, 36, 0x20, 0, 0x80, 0x86, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0,
	0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

/* libvirt's client sends flags of its own where it is not root's: USER and AUTOSTART. */
static void a_users_client_is_let_in(void **state)
{
	uint8_t call[sizeof(open_call)];
	int fd = connect_raw();

	memcpy(call, open_call, sizeof(call));
	call[35] = 6;
	assert_int_equal(send(fd, call, sizeof(call), 0), sizeof(call));
	assert_int_equal(recv(fd, call, 28, MSG_WAITALL), 28);
	assert_int_equal(call[27], 0);
	close(fd);
}

static void a_bad_client_harms_only_itself(void **state)
{
	uint8_t call[sizeof(open_call)];
	int half = connect_raw();

	assert_int_equal(send(half, open_call, 20, 0), 20);
	is_disconnected("GET / HTTP/1.0\r\n\r\n", 18);
	is_disconnected("\0\0\0\3", 4);
	is_disconnected("\377\377\377\377", 4);
	/* A type, a program and arguments that are none. */
	memcpy(call, open_call, sizeof(call));
	call[19] = 9;
	is_disconnected(call, sizeof(call));
	memcpy(call, open_call, sizeof(call));
	call[19] = 1;
	is_disconnected(call, sizeof(call));
	memcpy(call, open_call, sizeof(call));
	call[31] = 1; /* a name, of no length, and then nothing */
	call[32] = 0x7f;
	is_disconnected(call, sizeof(call));
	says("", "list --all --name");
	/* And the patient one may go on. */
	assert_int_equal(send(half, open_call + 20, 16, 0), 16);
	assert_int_equal(recv(half, call, 28, MSG_WAITALL), 28);
	assert_int_equal(call[3], 28);
	assert_int_equal(call[27], 0);
	close(half);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_host_is_described),
		cmocka_unit_test(a_known_scheme_works_too),
		cmocka_unit_test(what_is_not_there_is_named),
		cmocka_unit_test(read_only_changes_nothing),
		cmocka_unit_test(a_guest_is_defined_and_undefined),
		cmocka_unit_test(wrong_definitions_are_refused),
		cmocka_unit_test(names_marks_and_metadata_stay),
		cmocka_unit_test(broken_files_harm_nobody),
		cmocka_unit_test(a_guest_lives_and_dies),
		cmocka_unit_test(the_power_button_shuts_down_and_reboots),
		cmocka_unit_test(a_transient_guest_is_forgotten),
		cmocka_unit_test(a_guest_that_cannot_start_says_why),
		cmocka_unit_test(statistics_come_in_bulk),
		cmocka_unit_test(events_are_told),
		cmocka_unit_test(the_next_daemon_finds_the_guests),
		cmocka_unit_test(a_guest_that_died_meanwhile_is_shut_off),
		cmocka_unit_test(a_killed_monitor_is_noticed),
		cmocka_unit_test(there_is_one_daemon),
		cmocka_unit_test(a_users_client_is_let_in),
		cmocka_unit_test(a_bad_client_harms_only_itself),
	};

	return cmocka_run_group_tests_name("lodged", tests, daemon_prepare, daemon_clean_up);
}
