// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A guest is saved in the middle of its work, its monitor ends or is killed, and another goes on
 * with it. And what is not that guest's file, whole, is refused.
 */
#include "tests/folder.h"
#include "tests/engine/livebox.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <arpa/inet.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DISK_MIB 64
#define PAUSE_S 2
#define NIC "52:54:00:11:22:33"

static struct livebox *box;
static char *directory;
static char *disk, *file; /* the disk's image, and where the guest is saved */

/* ---- a server on the host: who connects gets a line ----------------- */

static int server = -1;
static uint16_t port;

static void *serve(void *data)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
	char request[2048];
	int peer;

	while ((peer = accept(server, NULL, NULL)) >= 0) {
		if (recv(peer, request, sizeof(request), 0) > 0)
			send(peer, answer, strlen(answer), MSG_NOSIGNAL);
		close(peer);
	}
	return NULL;
}

static GThread *start_server(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);

	server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server, 4), 0);
	getsockname(server, (struct sockaddr *)&address, &length);
	port = ntohs(address.sin_port);
	return g_thread_new("server", serve, NULL);
}

static GThread *serving;

/* ---- the guest ------------------------------------------------------ */

static char *in_directory(const char *name)
{
	return g_build_filename(directory, name, NULL);
}

static int boot(void **state)
{
	g_autofree char *devices = NULL;

	directory = g_dir_make_tmp("lodge-save-XXXXXX", NULL);
	disk = in_directory("disk");
	file = in_directory("saved");
	assert_true(g_file_set_contents(disk, "", 0, NULL));
	assert_int_equal(truncate(disk, DISK_MIB << 20), 0);
	serving = start_server();
	devices = g_strdup_printf("<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
				  "<source file='%s'/><target dev='vda' bus='virtio'/></disk>"
				  "<interface type='user'><mac address='" NIC "'/><model type='virtio'/></interface>"
				  "<console type='pty'><target type='virtio'/></console>"
				  "<memory model='virtio-mem'><target><size unit='MiB'>512</size>"
				  "<node>0</node><block unit='MiB'>2</block><requested unit='KiB'>0"
				  "</requested></target><alias name='more'/></memory>",
		disk);
	box = livebox_new(&(struct livebox_config){.name = "live-save",
		.vcpus = 2,
		.vcpus_max = 3,
		.domain = "<uuid>6f9a2c0e-3a52-4a0b-9e55-7f1c6d9b2a10</uuid>"
			  "<maxMemory slots='2' unit='GiB'>8</maxMemory>",
		.memory = 192 + 512,
		.cmdline = "memhp_default_state=online_movable",
		.devices = devices});
	return 0;
}

static int end(void **state)
{
	livebox_free(box);
	shutdown(server, SHUT_RDWR);
	g_thread_join(serving);
	close(server);
	folder_remove(directory);
	g_free(disk);
	g_free(file);
	return 0;
}

static void save(void)
{
	livebox_do(box, "{\"do\": \"save\", \"path\": \"%s\"}", file);
	assert_int_equal(livebox_wait_end(box), 0);
}

static void restore(void)
{
	livebox_start(box, (const char *const[]){"--restore", file, NULL});
}

/* What the guest writes anew into each line of its answer is gone: text as it is. */
static void assert_shell(const char *line, const char *expected)
{
	g_autofree char *text = livebox_shell(box, "%s", line);

	assert_string_equal(text, expected);
}

static double uptime(void)
{
	g_autofree char *text = livebox_shell(box, "cut -d' ' -f1 /proc/uptime");

	return g_ascii_strtod(text, NULL);
}

static void write_at(const char *path, off_t at, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, text, strlen(text), at), (ssize_t)strlen(text));
	close(fd);
}

static void assert_network_works(void)
{
	g_autofree char *line = g_strdup_printf(
		"wget -q -O - http://$(ip route | awk '/^default/ { print $3 }'):%u/", port);

	livebox_shell_until(box, line, "hello");
}

/* ---- tests ---------------------------------------------------------- */

/* Work that goes on while the guest is saved: counting on one processor, writing to the disk with
 * checksums on the other, a timer, and memory that must not change. */
static void begin_work(void)
{
	livebox_do(box, "{\"do\": \"status\"}");
	assert_network_works();
	g_free(livebox_shell(box, "dd if=/dev/urandom of=/tmp/noise bs=64k count=320 2>/dev/null"));
	g_free(livebox_shell(box, "sha256sum /tmp/noise >/tmp/noise.sum"));
	g_free(livebox_shell(box,
		"(i=0; while [ ! -e /tmp/stop ]; do i=$((i+1)); echo $i >/tmp/count.new; "
		"mv /tmp/count.new /tmp/count; done) & echo $! >/tmp/counter"));
	g_free(livebox_shell(box,
		"(n=0; while [ ! -e /tmp/stop ]; do "
		"dd if=/dev/urandom of=/tmp/part bs=64k count=2 2>/dev/null; "
		"dd if=/tmp/part of=/dev/vda seek=$((n*2)) bs=64k conv=fsync,notrunc 2>/dev/null; "
		"sha256sum </tmp/part >/tmp/sum.$n; n=$(((n+1)%%64)); echo $n >/tmp/written; "
		"done; echo over >/tmp/over) &"));
	livebox_shell_until(box, "[ -s /tmp/written ] && [ -s /tmp/count ] && echo yes", "yes");
	g_free(livebox_shell(box, "(sleep 3; echo rang >/tmp/rang) &"));
}

static void assert_disk_is_right(void)
{
	livebox_shell_until(box, "touch /tmp/stop; cat /tmp/over", "over");
	g_free(livebox_shell(box, "echo 3 >/proc/sys/vm/drop_caches"));
	assert_shell("for sum in /tmp/sum.*; do n=${sum##*.}; "
		     "dd if=/dev/vda skip=$((n*2)) bs=64k count=2 2>/dev/null | sha256sum | "
		     "cmp -s - $sum || echo $n is wrong; done",
		"");
}

static void work_goes_on_where_it_was(void **state)
{
	long count, later;
	gint64 begin;
	double before, after;

	begin_work();
	before = uptime();
	begin = g_get_monotonic_time();
	count = livebox_shell_number(box, "cat /tmp/count");
	save();
	g_usleep(PAUSE_S * G_USEC_PER_SEC);
	restore();
	after = uptime();
	/* Its clock has not counted the time that it did not run. */
	assert_true(after >= before);
	assert_true(after - before <=
		    (double)(g_get_monotonic_time() - begin) / G_USEC_PER_SEC - PAUSE_S + 0.1);
	assert_shell("sha256sum -c /tmp/noise.sum", "/tmp/noise: OK");
	assert_shell("[ -d /proc/$(cat /tmp/counter) ] && echo there", "there");
	later = livebox_shell_number(box, "cat /tmp/count");
	assert_true(later >= count);
	livebox_shell_until(box, "cat /tmp/rang", "rang");
	assert_disk_is_right();
	assert_int_equal(livebox_shell_number(box, "nproc"), 2);
	assert_network_works();
	assert_shell("echo hello >/dev/hvc0", "");
	assert_shell("dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c", "64");
}

static void the_clock_chip_shows_now(void **state)
{
	time_t now = time(NULL);
	long shown = livebox_shell_number(box, "cat /sys/class/rtc/rtc0/since_epoch");

	assert_in_range(shown, now - 2, time(NULL) + 2);
}

static void it_is_saved_again(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		g_free(livebox_shell(box, "echo %u >/tmp/round", i));
		save();
		restore();
		assert_int_equal(livebox_shell_number(box, "cat /tmp/round"), i);
	}
}

/* Kept running, then killed: what came after the save has not been, as often as it is restored. */
static void after_kill_it_is_as_it_was_saved(void **state)
{
	g_free(livebox_shell(box, "echo before >/tmp/when"));
	livebox_do(box, "{\"do\": \"save\", \"path\": \"%s\", \"keep\": true}", file);
	assert_shell("cat /tmp/when", "before");
	for (unsigned i = 0; i < 2; i++) {
		g_free(livebox_shell(box, "echo after >/tmp/when"));
		livebox_kill(box);
		restore();
		assert_shell("cat /tmp/when", "before");
		assert_shell("sha256sum -c /tmp/noise.sum", "/tmp/noise: OK");
	}
}

static void paused_it_waits(void **state)
{
	g_autoptr(JsonObject) status = NULL;

	livebox_do(box, "{\"do\": \"pause\"}");
	save();
	livebox_start(box, (const char *const[]){"--restore", file, "--paused", NULL});
	status = livebox_get(box, "{\"do\": \"status\"}");
	assert_string_equal(json_object_get_string_member(status, "state"), "paused");
	livebox_do(box, "{\"do\": \"resume\"}");
	assert_shell("echo up", "up");
}

/* Nobody reads the pipe: the monitor answers others meanwhile, and lets itself be stopped. */
static void a_save_can_be_cancelled(void **state)
{
	g_autoptr(JsonObject) status = NULL, event = NULL, answer = NULL;
	unsigned id;
	int fds[2];

	assert_true(g_unix_open_pipe(fds, FD_CLOEXEC, NULL));
	id = liveclient_ask_fds(box->control, "{\"do\": \"save\", \"timeout\": 0}", &fds[1], 1);
	close(fds[1]);
	status = livebox_get(box, "{\"do\": \"status\"}");
	assert_string_equal(json_object_get_string_member(status, "state"), "paused");
	g_free(livebox_refused(box, "{\"do\": \"resume\"}"));
	g_free(livebox_refused(box, "{\"do\": \"save\", \"path\": \"%s\"}", file));
	event = liveclient_event(box->control, "save");
	assert_true(json_object_get_int_member(event, "total") >= 192 << 20);
	assert_false(liveclient_is_answered(box->control, id));
	livebox_do(box, "{\"do\": \"save-cancel\"}");
	answer = liveclient_answer(box->control, id);
	assert_true(json_object_has_member(answer, "error"));
	close(fds[0]);
	assert_shell("echo up", "up");
	g_free(livebox_refused(box, "{\"do\": \"save-cancel\"}"));
}

static void a_place_that_cannot_be_written_is_said(void **state)
{
	g_autofree char *nowhere = livebox_refused(
		box, "{\"do\": \"save\", \"path\": \"%s/no/such/place\"}", directory);
	g_autofree char *nothing = livebox_refused(box, "{\"do\": \"save\"}");

	assert_non_null(strstr(nowhere, "/no/such/place"));
	assert_non_null(strstr(nothing, "path"));
	assert_shell("echo up", "up");
}

/* A processor and a disk that came, and one that went, are so in the next monitor. */
static void what_was_plugged_is_there(void **state)
{
	g_autofree char *image = in_directory("plugged");

	assert_true(g_file_set_contents(image, "", 0, NULL));
	assert_int_equal(truncate(image, 8 << 20), 0);
	livebox_do(box, "{\"do\": \"set-vcpus\", \"count\": 3, \"timeout\": 200}");
	livebox_do(box,
		"{\"do\": \"plug-disk\", \"xml\": \"<disk type='file' device='disk'>"
		"<driver name='qemu' type='raw'/><source file='%s'/>"
		"<target dev='vdb' bus='virtio'/></disk>\"}",
		image);
	livebox_do(box, "{\"do\": \"unplug-disk\", \"disk\": \"vda\", \"timeout\": 200}");
	livebox_shell_until(box, "cat /sys/block/vdb/size", "16384");
	g_free(livebox_shell(box, "echo mark | dd of=/dev/vdb conv=fsync 2>/dev/null"));
	save();
	restore();
	assert_int_equal(livebox_shell_number(box, "nproc"), 3);
	assert_shell("ls -d /sys/block/vd*", "/sys/block/vdb");
	g_free(livebox_shell(box, "echo 3 >/proc/sys/vm/drop_caches"));
	assert_shell("head -n 1 /dev/vdb", "mark");
	livebox_do(box, "{\"do\": \"set-vcpus\", \"count\": 1, \"timeout\": 200}");
	livebox_do(box, "{\"do\": \"unplug-disk\", \"disk\": \"vdb\", \"timeout\": 200}");
	assert_int_equal(livebox_shell_number(box, "nproc"), 1);
	assert_shell("ls -d /sys/block/vd* 2>/dev/null | wc -l", "0");
}

/* Memory that came is there, with what is in it, and can go again. */
static void memory_that_came_is_there(void **state)
{
	static const char total[] = "awk '/MemTotal/ { print int($2 / 1024 / 32) }' /proc/meminfo";
	long before = livebox_shell_number(box, "%s", total);
	g_autofree char *more = g_strdup_printf("%ld", before + 8), *sum = NULL;

	livebox_do(box, "{\"do\": \"set-virtio-mem\", \"alias\": \"more\", \"requested\": %u}",
		256u << 20);
	livebox_shell_until(box, total, more);
	g_free(livebox_shell(box, "mount -o remount,size=200m /tmp"));
	g_free(livebox_shell(box, "yes lodge | head -c 64000000 >/tmp/much"));
	sum = livebox_shell(box, "md5sum </tmp/much");
	save();
	restore();
	assert_shell("md5sum </tmp/much", sum);
	assert_shell(total, more);
	g_free(livebox_shell(box, "rm /tmp/much"));
	livebox_do(box, "{\"do\": \"set-virtio-mem\", \"alias\": \"more\", \"requested\": 0}");
	g_free(g_steal_pointer(&more));
	more = g_strdup_printf("%ld", before);
	livebox_shell_until(box, total, more);
}

/* ---- what was set while it ran ---------------------------------------- */

static void set_all(void)
{
	livebox_do(box, "{\"do\": \"set-disk-limits\", \"disk\": \"vda\", "
			"\"total_bytes\": 5000000, \"total_bytes_max\": 9000000, "
			"\"total_bytes_max_length\": 3, \"read_iops\": 700}");
	livebox_do(box,
		"{\"do\": \"set-nic-limits\", \"nic\": \"" NIC "\", \"inbound\": {\"average\": 300, "
		"\"peak\": 600, \"burst\": 900}, \"outbound\": {\"average\": 200}}");
	livebox_do(box, "{\"do\": \"set-link\", \"nic\": \"" NIC "\", \"up\": false}");
	livebox_do(box, "{\"do\": \"set-cpu\", \"cap\": 190, \"weight\": 50, "
			"\"vcpu_quota\": 80000, \"vcpu_period\": 50000}");
	livebox_do(box, "{\"do\": \"pin\", \"vcpu\": 1, \"cpus\": \"0\"}");
	livebox_do(box, "{\"do\": \"pin\", \"emulator\": true, \"cpus\": \"0\"}");
	livebox_do(box, "{\"do\": \"set-balloon-period\", \"seconds\": 7}");
	livebox_do(box, "{\"do\": \"set-memory\", \"size\": %u}", 184u << 20);
}

static void assert_member(JsonObject *object, const char *name, gint64 expected)
{
	assert_true(json_object_has_member(object, name));
	assert_int_equal(json_object_get_int_member(object, name), expected);
}

/* The only element of a list in the answer to a request. */
static JsonObject *only(JsonObject *answer, const char *list)
{
	JsonArray *array = json_object_get_array_member(answer, list);

	assert_int_equal(json_array_get_length(array), 1);
	return json_array_get_object_element(array, 0);
}

static void assert_disk_limits(bool set)
{
	g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"disks\"}");
	JsonObject *limits = json_object_get_object_member(only(answer, "disks"), "limits");

	if (!set) {
		assert_int_equal(json_object_get_size(limits), 0);
		return;
	}
	assert_member(limits, "total_bytes", 5000000);
	assert_member(limits, "total_bytes_max", 9000000);
	assert_member(limits, "total_bytes_max_length", 3);
	assert_member(limits, "read_iops", 700);
	assert_int_equal(json_object_get_size(limits), 4);
}

static void assert_nic(bool set)
{
	g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"nics\"}");
	JsonObject *nic = only(answer, "nics");
	JsonObject *limits = json_object_get_object_member(nic, "limits");
	JsonObject *inbound = json_object_get_object_member(limits, "inbound");
	JsonObject *outbound = json_object_get_object_member(limits, "outbound");

	assert_false(json_object_get_boolean_member(nic, "up"));
	assert_member(inbound, "average", set ? 300 : 0);
	assert_member(inbound, "peak", set ? 600 : 0);
	assert_member(inbound, "burst", set ? 900 : 0);
	assert_member(outbound, "average", set ? 200 : 0);
}

static void assert_processors(unsigned cap, unsigned weight, bool set)
{
	g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"vcpus\"}");
	JsonArray *vcpus = json_object_get_array_member(answer, "vcpus");
	const char *own = json_object_get_string_member(
		json_array_get_object_element(vcpus, 0), "cpus");
	const char *all = set ? "0" : own;

	assert_member(answer, "cap", cap);
	assert_member(answer, "weight", weight);
	assert_member(answer, "vcpu_quota", set ? 80000 : 0);
	assert_member(answer, "vcpu_period", set ? 50000 : 100000);
	assert_string_equal(json_object_get_string_member(
				    json_array_get_object_element(vcpus, 1), "cpus"),
		all);
	assert_string_equal(json_object_get_string_member(answer, "emulator"), all);
}

static void assert_balloon(unsigned period)
{
	g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"memory\"}");

	assert_member(answer, "period", period);
	assert_member(answer, "target", 184u << 20);
}

static char *altered(const char *old, const char *new);

/* The definition is the one it was started with: it goes on with what was set. Another one: what
 * that says holds, but what the guest itself has seen stays. */
static void what_was_set_while_it_ran_is_kept(void **state)
{
	g_autofree char *own = NULL;

	set_all();
	save();
	restore();
	assert_disk_limits(true);
	assert_nic(true);
	assert_processors(190, 50, true);
	assert_balloon(7);
	livebox_shell_until(box, "cat /sys/class/net/eth0/carrier", "0");
	save();
	own = box->xml;
	box->xml = altered("<devices>",
		"<cputune><global_quota>250000</global_quota></cputune><devices>");
	restore();
	g_free(box->xml);
	box->xml = g_steal_pointer(&own);
	assert_disk_limits(false);
	assert_nic(false);
	assert_processors(250, 100, false);
	assert_balloon(0);
	livebox_do(box, "{\"do\": \"set-link\", \"nic\": \"" NIC "\", \"up\": true}");
	livebox_do(box, "{\"do\": \"set-memory\", \"size\": %u}", 192u << 20);
	livebox_shell_until(box, "cat /sys/class/net/eth0/carrier", "1");
	/* From here on it is started with the first again. */
	save();
	restore();
}

/* ---- a disk that has failed -------------------------------------------- */

/* The guest reads and reads, and stands still for requests that its image, cut off, cannot carry out.
 * It is saved so, and the next monitor tries them again. */
static void requests_that_wait_go_with_it(void **state)
{
	g_autofree char *image = in_directory("cut");
	g_autoptr(JsonObject) status = NULL;

	assert_true(g_file_set_contents(image, "", 0, NULL));
	assert_int_equal(truncate(image, 8 << 20), 0);
	livebox_do(box,
		"{\"do\": \"plug-disk\", \"xml\": \"<disk type='file' device='disk'>"
		"<driver name='qemu' type='raw' error_policy='stop'/><source file='%s'/>"
		"<target dev='vdc' bus='virtio'/><serial>CUT</serial></disk>\"}",
		image);
	livebox_shell_until(box, "cat /sys/block/vdb/serial", "CUT");
	g_free(livebox_shell(box,
		"for i in 1 2 3; do (until grep -q ^found /tmp/cut$i 2>/dev/null; do "
		"dd if=/dev/vdb of=/tmp/cut$i bs=4k skip=$((i*300)) count=1 iflag=direct "
		"2>/dev/null || break; done; grep -c ^found /tmp/cut$i >/tmp/found$i) & "
		"done >/dev/null 2>&1"));
	liveclient_forget_events(box->control);
	assert_int_equal(truncate(image, 1 << 20), 0);
	json_object_unref(liveclient_event(box->control, "io-error"));
	json_object_unref(liveclient_event(box->control, "paused"));
	save();
	/* Something to read is there again. */
	assert_int_equal(truncate(image, 8 << 20), 0);
	for (unsigned i = 1; i <= 3; i++)
		write_at(image, i * 300 * 4096, "found");
	livebox_start(box, (const char *const[]){"--restore", file, "--paused", NULL});
	status = livebox_get(box, "{\"do\": \"status\"}");
	assert_string_equal(json_object_get_string_member(status, "state"), "paused");
	livebox_do(box, "{\"do\": \"resume\"}");
	for (unsigned i = 1; i <= 3; i++) {
		g_autofree char *line = g_strdup_printf("cat /tmp/found%u", i);

		livebox_shell_until(box, line, "1");
	}
	livebox_do(box, "{\"do\": \"unplug-disk\", \"disk\": \"vdc\", \"timeout\": 200}");
}

/* ---- a guest without a system, under KVM too ------------------------ */

/* It waits for the power button. */
static void small_guest_goes_on(const char *backend)
{
	const char *top = g_getenv("top_builddir");
	g_autofree char *kernel =
		g_build_filename(top ? top : ".", "tests/engine/boot/actions.elf", NULL);
	g_autofree char *place = in_directory("saved-small");
	g_autofree char *name = g_strdup_printf("live-save-%s", backend);
	struct livebox *small = livebox_new(&(struct livebox_config){
		.name = name, .backend = backend, .kernel = kernel, .cmdline = "b", .memory = 16});

	livebox_wait_console(small, "waiting");
	livebox_do(small, "{\"do\": \"save\", \"path\": \"%s\"}", place);
	assert_int_equal(livebox_wait_end(small), 0);
	livebox_start(small, (const char *const[]){"--restore", place, NULL});
	livebox_do(small, "{\"do\": \"powerdown\"}");
	assert_int_equal(livebox_wait_end(small), 0);
	livebox_free(small);
}

static void without_a_system_it_goes_on(void **state)
{
	small_guest_goes_on("qemu");
}

static void under_kvm_it_goes_on(void **state)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		print_message("KVM is skipped: /dev/kvm cannot be opened\n");
		skip();
	}
	close(fd);
	small_guest_goes_on("kvm");
}

/* ---- what is refused ------------------------------------------------ */

/* What lodge-vmm says to a file and a definition; it must not start. Frees both. */
static char *refused(char *path, char *xml, bool check)
{
	const char *top = g_getenv("top_builddir");
	g_autofree char *program = g_build_filename(top ? top : ".", "lodge-vmm", NULL);
	char *arguments[] = {program, (char *)"--no-terminal", (char *)"--restore", path, xml,
		check ? (char *)"--check" : NULL, NULL};
	char *errors = NULL;
	g_autoptr(GError) error = NULL;
	int status;

	if (!g_spawn_sync(NULL, arguments, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
		    &errors, &status, &error))
		fail_msg("%s", error->message);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		fail_msg("%s was not refused", path);
	if (!WIFEXITED(status))
		fail_msg("status %x: %s", status, errors);
	g_free(path);
	g_free(xml);
	return errors;
}

/* The definition with a text in it replaced. */
static char *altered(const char *old, const char *new)
{
	g_autofree char *text = NULL, *changed = NULL;
	g_auto(GStrv) parts = NULL;
	char *path = in_directory("altered.xml");

	assert_true(g_file_get_contents(box->xml, &text, NULL, NULL));
	parts = g_strsplit(text, old, -1);
	assert_true(g_strv_length(parts) >= 2);
	changed = g_strjoinv(new, parts);
	assert_true(g_file_set_contents(path, changed, -1, NULL));
	return path;
}

static void assert_refused(const char *old, const char *new, const char *says)
{
	g_autofree char *errors = refused(g_strdup(file), altered(old, new), false);

	if (!strstr(errors, says))
		fail_msg("'%s' is not in: %s", says, errors);
}

static void another_guest_is_refused(void **state)
{
	save();
	assert_refused("type='qemu'>", "type='kvm'>", "software CPU");
	assert_refused("6f9a2c0e-", "6f9a2c0f-", "it is the guest 'live-save'");
	assert_refused("<memory unit='MiB'>704<", "<memory unit='MiB'>768<", "memory");
	assert_refused("<vcpu current='2'>3<", "<vcpu current='2'>4<", "processors");
	assert_refused("<serial type='pty'/>", "<serial type='null'/><serial type='null'/>",
		"serial ports");
	assert_refused("<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>",
		"", "rng0");
}

static char *damaged(const char *contents, size_t length)
{
	char *path = in_directory("damaged");

	assert_true(g_file_set_contents(path, contents, (gssize)length, NULL));
	return path;
}

static void a_damaged_file_is_refused(void **state)
{
	g_autofree char *contents = NULL;
	gsize length;

	assert_true(g_file_get_contents(file, &contents, &length, NULL));
	for (unsigned i = 0; i < 8; i++) {
		size_t at = (size_t)g_random_int_range(0, (gint32)length);
		uint8_t bit = (uint8_t)(1u << g_random_int_range(0, 8));

		contents[at] = (char)(contents[at] ^ bit);
		g_free(refused(damaged(contents, length), g_strdup(box->xml), true));
		if (i < 2)
			g_free(refused(damaged(contents, length), g_strdup(box->xml), false));
		contents[at] = (char)(contents[at] ^ bit);
		g_free(refused(damaged(contents, at), g_strdup(box->xml), i >= 2));
	}
	g_free(refused(damaged("", 0), g_strdup(box->xml), false));
	g_free(refused(g_strdup(disk), g_strdup(box->xml), false));
	/* The file itself is good. */
	restore();
	assert_shell("sha256sum -c /tmp/noise.sum", "/tmp/noise: OK");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_goes_on_where_it_was),
		cmocka_unit_test(the_clock_chip_shows_now),
		cmocka_unit_test(it_is_saved_again),
		cmocka_unit_test(after_kill_it_is_as_it_was_saved),
		cmocka_unit_test(paused_it_waits),
		cmocka_unit_test(a_save_can_be_cancelled),
		cmocka_unit_test(a_place_that_cannot_be_written_is_said),
		cmocka_unit_test(what_was_set_while_it_ran_is_kept),
		cmocka_unit_test(requests_that_wait_go_with_it),
		cmocka_unit_test(another_guest_is_refused),
		cmocka_unit_test(a_damaged_file_is_refused),
		cmocka_unit_test(what_was_plugged_is_there),
		cmocka_unit_test(memory_that_came_is_there),
		cmocka_unit_test(without_a_system_it_goes_on),
		cmocka_unit_test(under_kvm_it_goes_on),
	};

	/* One test alone: LODGE_TEST='what_was_set*'. */
	if (g_getenv("LODGE_TEST"))
		cmocka_set_test_filter(g_getenv("LODGE_TEST"));
	return cmocka_run_group_tests(tests, boot, end);
}
