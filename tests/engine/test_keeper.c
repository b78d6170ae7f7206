// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The keeper: guests in the sandbox have what takes a program, from the start and later; and whichever
 * process dies, nothing is left.
 */
#include "config.h"

#include "tests/engine/livebox.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a build with sanitizers cannot give up. */
#ifdef LODGE_SANITIZED
#define SANITIZED true
#else
#define SANITIZED false
#endif

#define MIB (1 << 20)
/* MiB. Linux keeps 64 of it for itself where memory may come above 4 GiB. */
#define BOOT 256
#define FIRST_MAC "52:54:00:cc:00:01"
#define MAC "52:54:00:cc:00:02"
#define PATIENT "\"timeout\": 250"
#define PASST "passt"
#define DAEMON "qemu-storage-da" /* as the kernel cuts it off */
#define GROWTHS 20

static char *directory;
static struct livebox *box;

/* ---- processes ------------------------------------------------------------------------------- */

struct process {
	int parent;
	char state;
	char command[32];
};

/* Of /proc/PID/stat (proc(5)). */
static bool read_process(int pid, struct process *process)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid), *text = NULL;
	char *open, *close;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return false;
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close || sscanf(close + 1, " %c %d", &process->state, &process->parent) != 2)
		return false;
	*close = '\0';
	g_strlcpy(process->command, open + 1, sizeof(process->command));
	return true;
}

static bool lives(int pid)
{
	struct process process;

	return read_process(pid, &process) && process.state != 'Z' && process.state != 'X';
}

/* The keeper's living children of this name but not except, their number; *last is one of them. */
static unsigned children(const char *command, int except, int *last)
{
	g_autoptr(GDir) processes = g_dir_open("/proc", 0, NULL);
	const char *name;
	unsigned count = 0;

	while ((name = g_dir_read_name(processes))) {
		int pid = atoi(name);
		struct process process;

		if (!pid || pid == except || !read_process(pid, &process) || !lives(pid) ||
			process.parent != box->pid || !g_str_has_prefix(process.command, command))
			continue;
		*last = pid;
		count++;
	}
	return count;
}

static gint64 deadline(void)
{
	return g_get_monotonic_time() + LIVEBOX_DEADLINE_S * G_USEC_PER_SEC;
}

/* Waits until there are so many; one of them. */
static int wait_children(const char *command, int except, unsigned expected)
{
	gint64 end = deadline();
	int pid = 0;

	while (children(command, except, &pid) != expected) {
		if (g_get_monotonic_time() > end || !lives(box->pid))
			fail_msg("there are not %u of %s: %s", expected, command, box->errors->str);
		livebox_pump(box, 50);
	}
	return pid;
}

static void wait_dead(int pid)
{
	gint64 end = deadline();

	while (lives(pid)) {
		if (g_get_monotonic_time() > end)
			fail_msg("process %d does not end", pid);
		g_usleep(20000);
	}
}

/* ---- fixtures -------------------------------------------------------------------------------- */

static char *in_directory(const char *name)
{
	return g_build_filename(directory, name, NULL);
}

G_GNUC_PRINTF(1, 2)
static void run(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *line = g_strdup_vprintf(format, args);
	va_end(args);
	int status = -1;

	assert_true(g_spawn_command_line_sync(line, NULL, NULL, &status, NULL));
	assert_int_equal(status, 0);
}

/* An image of 8 MiB that stands on another, whose first bytes are "below NAME". */
static char *make_image(const char *name)
{
	g_autofree char *below_name = g_strconcat(name, "-below", NULL);
	char *path = in_directory(name);
	g_autofree char *below = in_directory(below_name);
	g_autofree char *text = g_strdup_printf("below %s\n", name);

	assert_true(g_file_set_contents(below, text, -1, NULL));
	assert_int_equal(truncate(below, 8 * MIB), 0);
	/* By a relative name, as people do it. */
	run("qemu-img create -q -f qcow2 -F raw -b %s '%s'", below_name, path);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(chmod(below, 0644), 0);
	return path;
}

/* With single quotes only, as it stands in a request. */
static char *describe(const char *path, const char *target, const char *backing)
{
	return g_strdup_printf("<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
			       "<source file='%s'/>%s<target dev='%s' bus='virtio'/>"
			       "<serial>%s</serial></disk>",
		path, backing, target, target);
}

static void make_directory(void)
{
	directory = g_dir_make_tmp("lodge-keeper-XXXXXX", NULL);
	g_chmod(directory, 0755);
}

static void remove_directory(void)
{
	GDir *dir = g_dir_open(directory, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = in_directory(name);

		g_unlink(path);
	}
	g_dir_close(dir);
	g_rmdir(directory);
	g_free(directory);
}

static struct livebox *open_box(const char *name, const char *image, const char *const *options,
	bool no_wait)
{
	g_autofree char *disk = describe(image, "vda", "");
	g_autofree char *devices = g_strconcat(disk,
		"<interface type='user'><mac address='" FIRST_MAC "'/><model type='virtio'/>"
		"</interface>"
		"<memory model='virtio-mem'><target><size unit='MiB'>128</size><node>0</node>"
		"<block unit='MiB'>2</block><requested unit='KiB'>0</requested></target>"
		"<alias name='more'/></memory>",
		NULL);

	return livebox_new(&(struct livebox_config){
		.sandbox = true,
		.name = name,
		.vcpus = 1,
		.vcpus_max = 2,
		.memory = BOOT + 128,
		.domain = "<maxMemory slots='1' unit='GiB'>1</maxMemory>",
		.devices = devices,
		.cmdline = "memhp_default_state=online_movable",
		.options = options,
		.no_wait = no_wait,
	});
}

/* ---- what the guest has ---------------------------------------------------------------------- */

static char *guest_card(const char *mac)
{
	return livebox_device(box, "/sys/class/net/*/address", mac);
}

static void assert_network_works(const char *mac)
{
	g_autofree char *card = guest_card(mac);
	g_autofree char *carrier = g_strdup_printf("cat /sys/class/net/%s/carrier", card);

	livebox_run(box, "ip link set %s up", card);
	livebox_shell_until(box, carrier, "1");
	livebox_run(box, "udhcpc -i %s -n -q -t 30 >/dev/null 2>&1", card);
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* A line of /proc/PID/status, without its name. */
static char *status_of(int pid, const char *name)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", pid), *text = NULL;
	const char *line;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	line = strstr(text, name);
	assert_non_null(line);
	line += strlen(name);
	return g_strndup(line, strcspn(line, "\n"));
}

static bool same_namespace(int a, int b)
{
	g_autofree char *one = g_strdup_printf("/proc/%d/ns/pid", a);
	g_autofree char *other = g_strdup_printf("/proc/%d/ns/pid", b);
	g_autofree char *first = g_file_read_link(one, NULL), *second = g_file_read_link(other, NULL);

	assert_true(first && second);
	return strcmp(first, second) == 0;
}

static void the_guests_process_is_alone(void **state)
{
	g_autofree char *ids = status_of(box->machine, "NSpid:");
	g_autoptr(JsonObject) status = livebox_get(box, "{\"do\": \"status\"}");
	g_autoptr(JsonObject) vcpus = livebox_get(box, "{\"do\": \"vcpus\"}");
	JsonObject *vcpu = json_array_get_object_element(
		json_object_get_array_member(vcpus, "vcpus"), 0);
	g_autofree char *thread = g_strdup_printf("/proc/%d/task/%d", box->machine,
		(int)json_object_get_int_member(vcpu, "thread"));

	/* Who is outside is told the host's ids. */
	assert_int_equal(json_object_get_int_member(status, "pid"), box->machine);
	assert_true(g_file_test(thread, G_FILE_TEST_IS_DIR));
	assert_int_not_equal(box->machine, box->pid);
	if (SANITIZED)
		return;
	assert_true(g_str_has_suffix(ids, "\t1"));
	assert_false(same_namespace(box->machine, box->pid));
	assert_false(same_namespace(box->machine, wait_children(DAEMON, 0, 1)));
}

static void the_definitions_devices_work(void **state)
{
	g_autofree char *text = livebox_shell(box, "head -n 1 /dev/vda");

	assert_true(g_str_has_prefix(text, "below "));
	livebox_run(box, "echo written | dd of=/dev/vda bs=512 conv=sync,fsync 2>/dev/null");
	assert_network_works(FIRST_MAC);
}

static void passt_is_started_again(void **state)
{
	int first = wait_children(PASST, 0, 1), second;

	kill(first, SIGKILL);
	second = wait_children(PASST, first, 1);
	wait_dead(first);
	assert_network_works(FIRST_MAC);
	assert_true(lives(second));
}

/* The added card, and its program with it. */
static void unplug_card(int program)
{
	g_autofree char *card = guest_card(MAC);
	g_autofree char *path = g_strconcat("/sys/class/net/", card, NULL);

	livebox_do(box, "{\"do\": \"unplug-nic\", \"nic\": \"" MAC "\", " PATIENT "}");
	livebox_wait_path_gone(box, path);
	wait_dead(program);
}

static void a_card_comes_and_goes(void **state)
{
	int first = wait_children(PASST, 0, 1), second;

	g_free(livebox_plug_kept(box, "nic",
		"<interface type='user'><mac address='" MAC "'/><model type='virtio'/></interface>",
		-1));
	assert_network_works(MAC);
	second = wait_children(PASST, first, 1);
	unplug_card(second);
	assert_true(lives(first));
}

/* A request to the keeper with descriptors; what it is answered. */
static JsonObject *ask_keeper(
	struct liveclient *keeper, const char *verb, const char *xml, const int *fds, size_t count)
{
	g_autofree char *request = g_strdup_printf("{\"do\": \"%s\", \"xml\": \"%s\"}", verb, xml);

	return liveclient_answer(keeper, liveclient_ask_fds(keeper, request, fds, count));
}

static void assert_refused(JsonObject *answer, const char *why)
{
	const char *sentence =
		json_object_get_string_member_with_default(answer, "error", "it worked");

	if (!strstr(sentence, why))
		fail_msg("not for '%s' but: %s", why, sentence);
	json_object_unref(answer);
}

static void assert_opened(JsonObject *answer)
{
	if (!json_object_has_member(answer, "ok"))
		fail_msg("%s", json_object_get_string_member_with_default(answer, "error", "?"));
	json_object_unref(answer);
}

/* Its image and the one below come as descriptors; where they are does not matter. */
static void a_disk_comes_grows_often_and_goes(void **state)
{
	g_autofree char *path = make_image("plugged"), *below = in_directory("plugged-below");
	g_autofree char *backing = g_strdup_printf(
		"<backingStore type='file'><format type='raw'/><source file='%s'/><backingStore/>"
		"</backingStore>", "/nonexistent/below");
	g_autofree char *xml = describe("/nonexistent/plugged", "vdb", backing);
	g_autofree char *plug = g_strdup_printf("{\"do\": \"plug-disk\", \"xml\": \"%s\"}", xml);
	int first = wait_children(DAEMON, 0, 1), second;
	int fds[] = { open(path, O_RDWR | O_CLOEXEC), open(below, O_RDONLY | O_CLOEXEC) };
	struct liveclient *keeper = livebox_connect_keeper(box);
	g_autofree char *text = NULL;

	assert_refused(ask_keeper(keeper, "open-disk", xml, fds, 1), "descriptors");
	assert_opened(ask_keeper(keeper, "open-disk", xml, fds, 2));
	close(fds[0]);
	close(fds[1]);
	livebox_do(box, "%s", plug);
	liveclient_free(keeper);
	second = wait_children(DAEMON, first, 1);
	livebox_shell_until(box, "cat /sys/block/vdb/size", "16384");
	text = livebox_shell(box, "head -n 1 /dev/vdb");
	assert_string_equal(text, "below plugged");
	for (int i = 1; i <= GROWTHS; i++) {
		g_autofree char *size = g_strdup_printf("%d", 16384 + i * 2048);

		livebox_do(box, "{\"do\": \"resize-disk\", \"disk\": \"vdb\", \"size\": %d}",
			(8 + i) * MIB);
		livebox_shell_until(box, "cat /sys/block/vdb/size", size);
	}
	livebox_run(box, "dd if=/dev/zero of=/dev/vdb bs=64k count=8 conv=fsync 2>/dev/null");
	livebox_do(box, "{\"do\": \"unplug-disk\", \"disk\": \"vdb\", " PATIENT "}");
	livebox_wait_path_gone(box, "/sys/block/vdb");
	wait_dead(second);
}

static void only_what_was_opened_is_plugged(void **state)
{
	g_autofree char *path = make_image("opened"), *used = describe(path, "vda", "");
	g_autofree char *xml = describe(path, "vdb", "");
	g_autofree char *plug = g_strdup_printf("{\"do\": \"plug-disk\", \"xml\": \"%s\"}", xml);
	int first = wait_children(DAEMON, 0, 1), second, third;
	struct liveclient *keeper = livebox_connect_keeper(box);
	g_autofree char *sentence = livebox_refused(box, "%s", plug);

	assert_non_null(strstr(sentence, "keeper"));
	assert_refused(ask_keeper(keeper, "open-disk", used, NULL, 0), "already");
	assert_refused(ask_keeper(keeper, "open-nic", xml, NULL, 0), "kind");
	assert_refused(ask_keeper(keeper, "open-disk",
			       "<disk type='file' device='disk'><source file='/dev/null'/>"
			       "<target dev='vdc'/></disk>",
			       NULL, 0),
		"no program");
	assert_refused(ask_keeper(keeper, "open-nic",
			       "<interface type='user'><model type='virtio'/></interface>", NULL, 0),
		"address");
	assert_refused(ask_keeper(keeper, "status", "", NULL, 0), "no request");
	/* What is opened again, or not used, does not stay. */
	assert_opened(ask_keeper(keeper, "open-disk", xml, NULL, 0));
	second = wait_children(DAEMON, first, 1);
	assert_opened(ask_keeper(keeper, "open-disk", xml, NULL, 0));
	wait_dead(second);
	third = wait_children(DAEMON, first, 1);
	liveclient_free(keeper);
	wait_dead(third);
	assert_true(lives(first));
}

/* ---- all at once ----------------------------------------------------------------------------- */

/* The guest's memory has come to be so many MiB more than at first. */
static void wait_memory(long first, int more)
{
	g_autofree char *line = g_strdup_printf(
		"awk '/MemTotal/ { d = $2 / 1024 - %ld; print (d > -8 && d < 8) }' /proc/meminfo",
		first + more);

	livebox_shell_until(box, line, "1");
}

static void set_vcpus(unsigned count)
{
	g_autofree char *expected = g_strdup_printf("%u", count);

	livebox_do(box, "{\"do\": \"set-vcpus\", \"count\": %u, " PATIENT "}", count);
	livebox_shell_until(box, "nproc", expected);
}

/* A new processor's thread filters its calls as the first one's does. */
static void assert_vcpus_filtered(void)
{
	g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"vcpus\"}");
	JsonArray *vcpus = json_object_get_array_member(answer, "vcpus");

	assert_int_equal(json_array_get_length(vcpus), 2);
	for (unsigned i = 0; i < 2; i++) {
		JsonObject *vcpu = json_array_get_object_element(vcpus, i);
		int thread = (int)json_object_get_int_member(vcpu, "thread");
		g_autofree char *filter = status_of(thread, "Seccomp:");
		g_autofree char *rights = status_of(thread, "CapEff:");

		assert_true(SANITIZED || strcmp(filter, "\t2") == 0);
		assert_string_equal(rights, "\t0000000000000000");
	}
}

static void ask_memory(int mib)
{
	livebox_do(box, "{\"do\": \"set-virtio-mem\", \"alias\": \"more\", \"requested\": %d}",
		mib * MIB);
}

/* A guest that finds memory in use tries again after a minute, or at once when it is asked anew. */
static void request_memory(int mib)
{
	gint64 end = deadline(), again = 0, plugged = -1;

	liveclient_forget_events(box->control);
	while (plugged != mib * MIB) {
		JsonObject *event;

		if (g_get_monotonic_time() > end)
			fail_msg("%lld bytes are plugged, not %d MiB", (long long)plugged, mib);
		if (g_get_monotonic_time() > again) {
			ask_memory(mib + 2);
			ask_memory(mib);
			again = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
		}
		livebox_pump(box, 20);
		while ((event = liveclient_try_event(box->control, "virtio-mem"))) {
			plugged = json_object_get_int_member(event, "plugged");
			json_object_unref(event);
		}
	}
}

static void set_balloon(int mib)
{
	gint64 actual = -1;

	liveclient_forget_events(box->control);
	livebox_do(box, "{\"do\": \"set-memory\", \"size\": %d}", mib * MIB);
	while (actual != mib * MIB) {
		g_autoptr(JsonObject) event = liveclient_event(box->control, "balloon");

		actual = json_object_get_int_member(event, "actual");
	}
}

/* A plain image comes as a descriptor, and nobody needs a path for it. */
static void plug_given(const char *path)
{
	g_autofree char *request = g_strdup(
		"{\"do\": \"plug-disk\", \"xml\": \"<disk type='file' device='disk'>"
		"<source file='/nonexistent/given'/><target dev='vdb' bus='virtio'/></disk>\"}");
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_opened(liveclient_answer(
		box->control, liveclient_ask_fds(box->control, request, &fd, 1)));
	close(fd);
	livebox_shell_until(box, "cat /sys/block/vdb/size", "8192");
}

/* What has been added works: what the guest writes arrives, and work is done on the processor. */
static void assert_added_work(const char *path)
{
	g_autofree char *text = NULL;

	livebox_run(box, "taskset 2 sh -c 'echo from within | dd of=/dev/vdb bs=512 "
			 "conv=sync,fsync' 2>/dev/null");
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_true(g_str_has_prefix(text, "from within\n"));
	assert_network_works(MAC);
	assert_vcpus_filtered();
}

static void a_guest_grows_in_every_way_and_shrinks_again(void **state)
{
	g_autofree char *path = in_directory("given");
	int first = wait_children(PASST, 0, 1), second;
	long memory = livebox_shell_number(
		box, "awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo");

	assert_true(g_file_set_contents(path, "", 0, NULL));
	assert_int_equal(truncate(path, 4 * MIB), 0);
	set_balloon(BOOT - 32);
	wait_memory(memory, -32);
	set_balloon(BOOT);
	request_memory(64);
	wait_memory(memory, 64);
	set_vcpus(2);
	plug_given(path);
	g_free(livebox_plug_kept(box, "nic",
		"<interface type='user'><mac address='" MAC "'/><model type='virtio'/></interface>",
		-1));
	assert_added_work(path);
	second = wait_children(PASST, first, 1);
	unplug_card(second);
	livebox_do(box, "{\"do\": \"unplug-disk\", \"disk\": \"vdb\", " PATIENT "}");
	livebox_wait_path_gone(box, "/sys/block/vdb");
	set_vcpus(1);
	request_memory(0);
	wait_memory(memory, 0);
	/* It is the same guest, with what it had. */
	assert_true(lives(first));
	livebox_run(box, "head -c 4096 /dev/vda >/dev/null");
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void a_signal_ends_the_guest(void **state)
{
	int passt = wait_children(PASST, 0, 1), daemon = wait_children(DAEMON, 0, 1);

	kill(box->pid, SIGTERM);
	assert_int_equal(livebox_wait_end(box), 0);
	wait_dead(passt);
	wait_dead(daemon);
}

/* Whoever of the two is killed; the status that the keeper ends with. */
static int kill_one(bool keeper)
{
	int passt = wait_children(PASST, 0, 1), daemon = wait_children(DAEMON, 0, 1);
	int machine = box->machine, status;

	kill(keeper ? box->pid : machine, SIGKILL);
	status = livebox_wait_gone(box);
	assert_false(lives(machine));
	wait_dead(passt);
	wait_dead(daemon);
	return status;
}

static void nothing_is_left_of_one_that_is_killed(void **state)
{
	int status;

	livebox_start(box, (const char *const[]){ "--paused", NULL });
	status = kill_one(true);
	assert_true(WIFSIGNALED(status));
	livebox_start(box, (const char *const[]){ "--paused", NULL });
	status = kill_one(false);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGKILL);
}

/* ---- who has it ------------------------------------------------------------------------------ */

static int open_own(void **state)
{
	g_autofree char *image = make_image("own");

	box = open_box("keeper-own", image, NULL, false);
	return 0;
}

/* Programs too are another user's: images must be, too. */
static int open_as_nobody(void **state)
{
	static const char *const options[] = { "--user", "nobody", "--group", "nogroup", NULL };
	g_autofree char *image = make_image("nobody");

	box = open_box("keeper-nobody", image, getuid() == 0 ? options : NULL, false);
	return 0;
}

static int close_box(void **state)
{
	livebox_free(box);
	return 0;
}

static void programs_are_of_the_user(void **state)
{
	int daemon = wait_children(DAEMON, 0, 1);
	g_autofree char *uids = status_of(daemon, "Uid:"), *keeper = status_of(box->pid, "Uid:");
	g_autofree char *privileges = status_of(daemon, "NoNewPrivs:");

	if (getuid() != 0)
		skip();
	assert_string_equal(uids, "\t65534\t65534\t65534\t65534");
	assert_string_equal(keeper, "\t65534\t65534\t65534\t65534");
	assert_string_equal(privileges, "\t1");
}

int main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(the_guests_process_is_alone),
		cmocka_unit_test(the_definitions_devices_work),
		cmocka_unit_test(passt_is_started_again),
		cmocka_unit_test(a_card_comes_and_goes),
		cmocka_unit_test(a_disk_comes_grows_often_and_goes),
		cmocka_unit_test(only_what_was_opened_is_plugged),
		cmocka_unit_test(a_guest_grows_in_every_way_and_shrinks_again),
		cmocka_unit_test(a_signal_ends_the_guest),
		cmocka_unit_test(nothing_is_left_of_one_that_is_killed),
	};
	const struct CMUnitTest nobody[] = {
		cmocka_unit_test(the_guests_process_is_alone),
		cmocka_unit_test(programs_are_of_the_user),
		cmocka_unit_test(the_definitions_devices_work),
		cmocka_unit_test(passt_is_started_again),
		cmocka_unit_test(a_disk_comes_grows_often_and_goes),
	};
	int status;

	make_directory();
	status = cmocka_run_group_tests(own, open_own, close_box);
	status += cmocka_run_group_tests(nobody, open_as_nobody, close_box);
	remove_directory();
	return status;
}
