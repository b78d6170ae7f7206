// SPDX-License-Identifier: GPL-3.0-or-later
/* Processors that come and go while the guest runs, as the guest sees them. */
#include "tests/engine/livebox.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The guest is slow where the machine is: it is given all the time that the test has. */
#define PATIENT "\"timeout\": 250"

static struct livebox *box;

static int boot(void **state)
{
	box = livebox_new(&(struct livebox_config){.name = "live-cpu", .vcpus = 1, .vcpus_max = 4});
	return 0;
}

static int end(void **state)
{
	livebox_free(box);
	return 0;
}

/* A processor that has been started counts a moment later. */
static void assert_nproc(unsigned count)
{
	g_autofree char *expected = g_strdup_printf("%u", count);

	livebox_shell_until(box, "nproc", expected);
}

static void set_vcpus(unsigned count)
{
	g_autoptr(JsonObject) answer =
		livebox_get(box, "{\"do\": \"set-vcpus\", \"count\": %u, " PATIENT "}", count);

	assert_int_equal(json_object_get_int_member(answer, "vcpus"), count);
}

/* As the monitor sees them; those who are present are on line. */
static unsigned count_present(void)
{
	g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"vcpus\"}");
	JsonArray *vcpus = json_object_get_array_member(answer, "vcpus");
	unsigned count = 0;

	assert_int_equal(json_array_get_length(vcpus), 4);
	assert_true(*json_object_get_string_member(answer, "emulator"));
	for (unsigned i = 0; i < 4; i++) {
		JsonObject *vcpu = json_array_get_object_element(vcpus, i);
		bool present = json_object_get_boolean_member(vcpu, "present");

		assert_int_equal(json_object_get_int_member(vcpu, "id"), i);
		assert_int_equal(json_object_get_boolean_member(vcpu, "online"), present);
		assert_int_equal(json_object_get_int_member(vcpu, "thread") != 0, present);
		assert_true(*json_object_get_string_member(vcpu, "cpus"));
		count += present;
	}
	return count;
}

/* Waits until so many are there, on line or not. */
static void wait_present(unsigned count)
{
	gint64 end = g_get_monotonic_time() + LIVEBOX_DEADLINE_S * G_USEC_PER_SEC;
	unsigned there;

	do {
		g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"status\"}");

		there = (unsigned)json_object_get_int_member(answer, "vcpus");
	} while (there != count && g_get_monotonic_time() < end);
	assert_int_equal(there, count);
}

static long tics_of(unsigned cpu)
{
	return livebox_shell_number(box, "awk '/^cpu%u / { print $2 + $3 + $4 }' /proc/stat", cpu);
}

static void vcpus_come(void **state)
{
	liveclient_forget_events(box->control);
	assert_nproc(1);
	set_vcpus(3);
	assert_nproc(3);
	livebox_shell_until(box, "cat /sys/devices/system/cpu/online", "0-2");
	assert_int_equal(count_present(), 3);
	for (int told = 0; told != 3;) {
		g_autoptr(JsonObject) event = liveclient_event(box->control, "vcpus");

		told = (int)json_object_get_int_member(event, "vcpus");
	}
}

/* Work is done on a new one, and its tics are counted there. */
static void new_vcpus_work(void **state)
{
	long before = tics_of(2);

	livebox_run(box, "taskset 4 sh -c 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done'");
	assert_true(tics_of(2) > before);
}

static void vcpus_go(void **state)
{
	g_autoptr(JsonObject) status = NULL;

	livebox_run(box, "taskset 6 sh -c 'while :; do :; done' & echo $! >/tmp/busy");
	set_vcpus(1);
	assert_nproc(1);
	livebox_shell_until(
		box, "ls -d /sys/devices/system/cpu/cpu[0-9]*", "/sys/devices/system/cpu/cpu0");
	assert_int_equal(count_present(), 1);
	status = livebox_get(box, "{\"do\": \"status\"}");
	assert_int_equal(json_object_get_int_member(status, "vcpus"), 1);
	assert_int_equal(json_object_get_int_member(status, "vcpus_max"), 4);
	livebox_run(box, "kill $(cat /tmp/busy)");
}

/* With work on all of them that moves about, and code that is translated anew. */
static void they_come_and_go_under_load(void **state)
{
	livebox_run(
		box, "for i in 1 2 3; do (while :; do ls /bin | md5sum; done) >/dev/null & done");
	for (unsigned i = 0; i < 4; i++) {
		set_vcpus(4 - i % 2);
		set_vcpus(1 + i % 3);
	}
	set_vcpus(2);
	assert_nproc(2);
	livebox_run(box, "kill $(jobs -p); dmesg | grep -q 'Call Trace\\|BUG:' && exit 1; true");
}

static void what_cannot_be_is_refused(void **state)
{
	g_autofree char *zero = livebox_refused(box, "{\"do\": \"set-vcpus\", \"count\": 0}");
	g_autofree char *many = livebox_refused(box, "{\"do\": \"set-vcpus\", \"count\": 5}");
	g_autofree char *none = livebox_refused(box, "{\"do\": \"set-vcpus\"}");

	assert_non_null(strstr(zero, "count"));
	assert_non_null(strstr(many, "count"));
	assert_non_null(strstr(none, "count"));
}

/* The guest lets one go that nobody has asked for; the number asked for next is right again. */
static void the_guest_ejects_by_itself(void **state)
{
	set_vcpus(3);
	livebox_run(box, "echo 1 >/sys/devices/system/cpu/cpu1/firmware_node/eject");
	assert_nproc(2);
	wait_present(2);
	set_vcpus(3);
	assert_nproc(3);
}

/* Of two clients who want different numbers, the later has its way. */
static void several_clients(void **state)
{
	struct liveclient *other = livebox_connect(box);
	unsigned first, second;
	g_autoptr(JsonObject) refused = NULL, done = NULL;

	livebox_do(box, "{\"do\": \"pause\"}");
	first = liveclient_ask(box->control, "{\"do\": \"set-vcpus\", \"count\": 4, " PATIENT "}");
	second = liveclient_ask(other, "{\"do\": \"set-vcpus\", \"count\": 2, " PATIENT "}");
	refused = liveclient_answer(box->control, first);
	assert_non_null(strstr(json_object_get_string_member(refused, "error"), "2"));
	livebox_do(box, "{\"do\": \"resume\"}");
	done = liveclient_answer(other, second);
	assert_int_equal(json_object_get_int_member(done, "vcpus"), 2);
	assert_nproc(2);
	liveclient_free(other);
}

/* A client of its own process that is killed while its request waits. */
static void a_client_is_killed(void **state)
{
	struct liveclient *client = livebox_connect(box);
	pid_t pid;

	livebox_do(box, "{\"do\": \"pause\"}");
	pid = fork();
	if (pid == 0) {
		liveclient_ask(client, "{\"do\": \"set-vcpus\", \"count\": 4, " PATIENT "}");
		pause();
	}
	liveclient_free(client);
	wait_present(4);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	livebox_do(box, "{\"do\": \"resume\"}");
	assert_nproc(4);
	set_vcpus(2);
}

/* A guest that stands still follows nothing, which is said; what was asked for stays so. */
static void a_late_guest_is_named(void **state)
{
	g_autofree char *sentence = NULL;

	livebox_do(box, "{\"do\": \"pause\"}");
	sentence = livebox_refused(box, "{\"do\": \"set-vcpus\", \"count\": 4, \"timeout\": 0.2}");
	assert_non_null(strstr(sentence, "2, 3"));
	livebox_do(box, "{\"do\": \"resume\"}");
	assert_nproc(4);
}

/* After a reset the guest has what it had, and can be changed as before. */
static void a_reset_keeps_them(void **state)
{
	set_vcpus(3);
	livebox_do(box, "{\"do\": \"reset\"}");
	livebox_wait_shell(box);
	assert_nproc(3);
	assert_int_equal(count_present(), 3);
	set_vcpus(4);
	assert_nproc(4);
	set_vcpus(1);
	assert_nproc(1);
}

/* The kernel itself says that it has crashed, and then resets, as its command line has it. */
static void a_panic_is_told(void **state)
{
	g_autoptr(JsonObject) event = NULL;

	/* Not through the shell, which would wait for its end. */
	livebox_run(box, "(sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &");
	event = liveclient_event(box->control, "panic");
	assert_true(*json_object_get_string_member(event, "detail"));
	livebox_wait_shell(box);
}

/* ---- a bare guest, on both backends ---------------------------------------------------------- */

/* How often it has written the letter. */
static unsigned written(const struct livebox *bare, char letter)
{
	unsigned count = 0;

	for (const char *at = bare->console->str; *at; at++)
		count += *at == letter;
	return count;
}

static void wait_written(struct livebox *bare, char letter, unsigned count)
{
	gint64 end = g_get_monotonic_time() + LIVEBOX_DEADLINE_S * G_USEC_PER_SEC;

	while (written(bare, letter) < count && g_get_monotonic_time() < end)
		livebox_pump(bare, 100);
	assert_int_equal(written(bare, letter), count);
}

static void bare_guest(const char *backend, const char *name)
{
	g_autofree char *kernel =
		g_build_filename(g_getenv("top_builddir") ? g_getenv("top_builddir") : ".",
			"tests/engine/boot/hotplug.elf", NULL);
	struct livebox *bare = livebox_new(&(struct livebox_config){
		.name = name, .backend = backend, .kernel = kernel, .memory = 16, .vcpus_max = 4});

	livebox_wait_console(bare, "ready");
	for (unsigned round = 0; round < 3; round++) {
		livebox_do(bare, "{\"do\": \"set-vcpus\", \"count\": 4, " PATIENT "}");
		wait_written(bare, 'A', 4 * round + 3);
		livebox_do(bare, "{\"do\": \"set-vcpus\", \"count\": 1, " PATIENT "}");
		wait_written(bare, 'E', 4 * round + 3);
		livebox_do(bare, "{\"do\": \"set-vcpus\", \"count\": 2, " PATIENT "}");
		wait_written(bare, 'A', 4 * round + 4);
		livebox_do(bare, "{\"do\": \"pause\"}");
		livebox_do(bare, "{\"do\": \"resume\"}");
		livebox_do(bare, "{\"do\": \"set-vcpus\", \"count\": 1, " PATIENT "}");
		wait_written(bare, 'E', 4 * round + 4);
	}
	livebox_free(bare);
}

static void a_bare_guest_on_soft(void **state)
{
	bare_guest("qemu", "live-bare-soft");
}

static void a_bare_guest_on_kvm(void **state)
{
	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		print_message("KVM is skipped: /dev/kvm cannot be opened\n");
		return;
	}
	bare_guest("kvm", "live-bare-kvm");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vcpus_come),
		cmocka_unit_test(new_vcpus_work),
		cmocka_unit_test(vcpus_go),
		cmocka_unit_test(they_come_and_go_under_load),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(the_guest_ejects_by_itself),
		cmocka_unit_test(several_clients),
		cmocka_unit_test(a_client_is_killed),
		cmocka_unit_test(a_late_guest_is_named),
		cmocka_unit_test(a_reset_keeps_them),
		cmocka_unit_test(a_panic_is_told),
		cmocka_unit_test(a_bare_guest_on_soft),
		cmocka_unit_test(a_bare_guest_on_kvm),
	};

	return cmocka_run_group_tests(tests, boot, end);
}
