// SPDX-License-Identifier: GPL-3.0-or-later
/* Disks that come, go, grow and are limited while the guest runs, as the guest sees them. */
#include "config.h"

#include "tests/folder.h"
#include "tests/engine/livebox.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The guest is slow where the machine is: it is given all the time that the test has. */
#define PATIENT "\"timeout\": 250"
#define MIB (1 << 20)

static struct livebox *box;
static char *directory;

/* ---- images -------------------------------------------------------------------------------------------- */

static char *image_path(const char *name)
{
	return g_build_filename(directory, name, NULL);
}

static char *make_raw(const char *name, off_t size)
{
	char *path = image_path(name);
	int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
	return path;
}

static char *make_qcow2(const char *name)
{
	char *path = image_path(name);
	g_autofree char *line = g_strdup_printf("qemu-img create -q -f qcow2 '%s' 64M", path);
	int status = -1;

	assert_true(g_spawn_command_line_sync(line, NULL, NULL, &status, NULL));
	assert_int_equal(status, 0);
	return path;
}

static off_t file_size(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* Bytes of the host's disk that it takes. */
static off_t file_use(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_blocks * 512;
}

/* A <disk> as it stands in a request: with single quotes only. */
static char *describe(const char *path, const char *target, const char *driver, const char *more)
{
	return g_strdup_printf("<disk type='file' device='disk'><driver name='qemu' %s/>"
			       "<source file='%s'/><target dev='%s' bus='virtio'/>%s</disk>",
		driver, path, target, more);
}

static void plug(const char *path, const char *target, const char *driver, const char *more)
{
	g_autofree char *xml = describe(path, target, driver, more);
	g_autoptr(JsonObject) answer =
		livebox_get(box, "{\"do\": \"plug-disk\", \"xml\": \"%s\"}", xml);

	assert_string_equal(json_object_get_string_member(answer, "disk"), target);
}

static void plug_kept(const char *path, const char *target, const char *driver, const char *more)
{
	g_autofree char *xml = describe(path, target, driver, more);

	g_free(livebox_plug_kept(box, "disk", xml, -1));
}

static void unplug(const char *target)
{
	livebox_do(box, "{\"do\": \"unplug-disk\", \"disk\": \"%s\", " PATIENT "}", target);
}

/* The guest's name of the disk of this serial number; waits until it has one. */
static char *guest_name(const char *serial)
{
	return livebox_device(box, "/sys/block/vd*/serial", serial);
}

static void wait_gone(const char *name)
{
	g_autofree char *path = g_strconcat("/sys/block/", name, NULL);

	livebox_wait_path_gone(box, path);
}

static void assert_event(const char *name, const char *device)
{
	for (;;) {
		g_autoptr(JsonObject) event = liveclient_event(box->control, name);

		if (strcmp(json_object_get_string_member(event, "device"), device) == 0)
			return;
	}
}

/* ---- fixtures ---------------------------------------------------------------------------------------- */

static int boot(void **state)
{
	g_autofree char *first = NULL, *xml = NULL;
	const char *builddir = g_getenv("top_builddir");
	g_autofree char *poke =
		g_strdup_printf("%s/tests/engine/linux/poke:/bin/poke", builddir ? builddir : ".");

	livebox_add_files("disk", (const char *const[]){ poke, NULL });
	directory = g_dir_make_tmp("lodge-live-disk-XXXXXX", NULL);
	assert_non_null(directory);
	first = make_raw("first", 32 * MIB);
	xml = describe(first, "vda", "type='raw'",
		"<serial>FIRST</serial><iotune><read_bytes_sec>1000000000</read_bytes_sec></iotune>");
	box = livebox_new(&(struct livebox_config){ .name = "live-disk", .vcpus = 2, .devices = xml });
	return 0;
}

static int end(void **state)
{
	livebox_free(box);
	folder_remove(directory);
	return 0;
}

/* ---- tests --------------------------------------------------------------------------------------------- */

static void disks_are_told(void **state)
{
	g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"disks\"}");
	JsonArray *disks = json_object_get_array_member(answer, "disks");
	JsonObject *disk = json_array_get_object_element(disks, 0);
	JsonObject *limits = json_object_get_object_member(disk, "limits");

	assert_int_equal(json_array_get_length(disks), 1);
	assert_string_equal(json_object_get_string_member(disk, "disk"), "vda");
	assert_int_equal(json_object_get_int_member(disk, "size"), 32 * MIB);
	assert_int_equal(json_object_get_int_member(limits, "read_bytes"), 1000000000);
	assert_false(json_object_has_member(limits, "write_bytes"));
}

static void a_disk_comes_and_goes(void **state)
{
	g_autofree char *path = make_raw("second", 8 * MIB), *name = NULL, *sum = NULL, *host = NULL;
	g_autofree char *bytes = NULL;
	gsize length;

	plug(path, "vdb", "type='raw'", "<serial>SECOND</serial>");
	assert_event("device-added", "vdb");
	name = guest_name("SECOND");
	assert_int_equal(livebox_shell_number(box, "cat /sys/block/%s/size", name), 8 * MIB / 512);
	sum = livebox_shell(box,
		"dd if=/dev/urandom of=/dev/%s bs=64k count=64 conv=fsync 2>/dev/null;"
		" echo 3 >/proc/sys/vm/drop_caches; sha256sum /dev/%s | cut -d' ' -f1",
		name, name);
	assert_true(g_file_get_contents(path, &bytes, &length, NULL));
	host = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)bytes, length);
	assert_string_equal(sum, host);
	unplug("vdb");
	assert_event("device-removed", "vdb");
	wait_gone(name);
	/* The image is free again. */
	plug(path, "vdb", "type='raw'", "<serial>THIRD</serial>");
	g_free(guest_name("THIRD"));
	unplug("vdb");
}

static void a_disk_comes_as_a_descriptor(void **state)
{
	g_autofree char *path = make_raw("given", 4 * MIB), *name = NULL, *request = NULL;
	g_autofree char *xml =
		describe("/nowhere/given", "vdb", "type='raw'", "<serial>GIVEN</serial>");
	int fd = open(path, O_RDWR);
	JsonObject *answer;
	unsigned id;

	request = g_strdup_printf("{\"do\": \"plug-disk\", \"xml\": \"%s\"}", xml);
	id = liveclient_ask_fds(box->control, request, &fd, 1);
	close(fd);
	answer = liveclient_answer(box->control, id);
	assert_true(json_object_has_member(answer, "ok"));
	json_object_unref(answer);
	name = guest_name("GIVEN");
	assert_int_equal(livebox_shell_number(box, "cat /sys/block/%s/size", name), 4 * MIB / 512);
	unplug("vdb");
}

static void wrong_requests_are_refused(void **state)
{
	static const struct {
		const char *request;
		const char *answer;
	} cases[] = {
		{ "{\"do\": \"plug-disk\"}", "no text \"xml\"" },
		{ "{\"do\": \"plug-disk\", \"xml\": \"<disk\"}", "not XML" },
		{ "{\"do\": \"plug-disk\", \"xml\": \"<rng model='virtio'/>\"}", "cannot be plugged" },
		{ "{\"do\": \"plug-disk\", \"xml\": \"<interface type='user'>"
		  "<model type='virtio'/></interface>\"}",
			"not of the kind" },
		{ "{\"do\": \"plug-disk\", \"xml\": \"<disk type='file'><source file='/x'/>"
		  "<target dev='sda' bus='sata'/></disk>\"}",
			"write bus='virtio'" },
		{ "{\"do\": \"plug-disk\", \"xml\": \"<disk type='file'><source file='/nowhere/x'/>"
		  "<target dev='vdx'/></disk>\"}",
			"No such file" },
		{ "{\"do\": \"unplug-disk\", \"disk\": \"vdx\"}", "no disk 'vdx'" },
		{ "{\"do\": \"unplug-disk\"}", "no text \"disk\"" },
		{ "{\"do\": \"resize-disk\", \"disk\": \"vda\"}", "\"size\"" },
		{ "{\"do\": \"resize-disk\", \"disk\": \"vda\", \"size\": 1048576}", "smaller" },
		{ "{\"do\": \"resize-disk\", \"disk\": \"vda\", \"size\": 134217729}", "multiple" },
		{ "{\"do\": \"set-disk-limits\", \"disk\": \"vda\", \"read_bytes\": -1}",
			"not a number" },
		{ "{\"do\": \"set-disk-limits\", \"disk\": \"vda\", \"total_iops_max\": 10}",
			"faster than the limit" },
	};
	g_autofree char *twice = image_path("first");
	g_autofree char *xml = describe(twice, "vda", "type='raw'", "");

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *sentence = livebox_refused(box, "%s", cases[i].request);

		if (!strstr(sentence, cases[i].answer))
			fail_msg("%s: %s", cases[i].request, sentence);
	}
	g_free(livebox_refused(box, "{\"do\": \"plug-disk\", \"xml\": \"%s\"}", xml));
}

static void a_disk_grows(void **state)
{
	g_autofree char *path = image_path("first"), *name = guest_name("FIRST"), *line = NULL;

	livebox_do(box, "{\"do\": \"resize-disk\", \"disk\": \"vda\", \"size\": %d}", 48 * MIB);
	assert_int_equal(file_size(path), 48 * MIB);
	line = g_strdup_printf("cat /sys/block/%s/size", name);
	livebox_shell_until(box, line, "98304");
	g_free(livebox_shell(box,
		"echo end | dd of=/dev/%s bs=512 seek=98303 conv=sync,fsync 2>/dev/null", name));
}

/* How long the guest takes for so many MiB from or to the disk, past its cache; ms. */
static long time_reading(const char *name, unsigned mib)
{
	return livebox_shell_number(box,
		"s=$(cut -d' ' -f1 /proc/uptime); dd if=/dev/%s of=/dev/null bs=256k count=%u "
		"iflag=direct 2>/dev/null; e=$(cut -d' ' -f1 /proc/uptime); "
		"echo $s $e | awk '{ printf \"%%d\", ($2 - $1) * 1000 }'",
		name, mib * 4);
}

static void a_disk_is_limited_and_freed(void **state)
{
	g_autofree char *name = guest_name("FIRST");
	g_autoptr(JsonObject) answer = NULL;
	long limited, hurried;

	livebox_do(box, "{\"do\": \"set-disk-limits\", \"disk\": \"vda\", \"read_bytes\": %d}",
		4 * MIB);
	/* 24 MiB at 4 MiB a second, less the first tenth: never faster. */
	limited = time_reading(name, 24);
	assert_true(limited >= 5500);
	livebox_do(box,
		"{\"do\": \"set-disk-limits\", \"disk\": \"vda\", \"read_bytes_max\": %d, "
		"\"read_bytes_max_length\": 10}",
		40 * MIB);
	/* Within the burst it is faster than the limit alone would be. */
	hurried = time_reading(name, 24);
	print_message("24 MiB at 4 MiB/s: %ld ms, in a burst: %ld ms\n", limited, hurried);
	assert_true(hurried < limited);
	livebox_do(box, "{\"do\": \"set-disk-limits\", \"disk\": \"vda\", \"read_bytes\": 0}");
	answer = livebox_get(box, "{\"do\": \"disks\"}");
	assert_int_equal(json_object_get_size(json_object_get_object_member(
				 json_array_get_object_element(
					 json_object_get_array_member(answer, "disks"), 0),
				 "limits")),
		0);
}

static void operations_are_limited(void **state)
{
	g_autofree char *name = guest_name("FIRST");
	long ms;

	livebox_do(box, "{\"do\": \"set-disk-limits\", \"disk\": \"vda\", \"total_iops\": 20}");
	ms = livebox_shell_number(box,
		"s=$(cut -d' ' -f1 /proc/uptime); dd if=/dev/%s of=/dev/null bs=4k count=62 "
		"iflag=direct 2>/dev/null; e=$(cut -d' ' -f1 /proc/uptime); "
		"echo $s $e | awk '{ printf \"%%d\", ($2 - $1) * 1000 }'",
		name);
	/* 60 operations at 20 a second, when 2 have passed at once. */
	assert_true(ms >= 2800);
	livebox_do(box, "{\"do\": \"set-disk-limits\", \"disk\": \"vda\", \"total_iops\": 0}");
}

static void disks_come_and_go_under_load(void **state)
{
	g_autofree char *path = make_raw("loop", 16 * MIB), *first = guest_name("FIRST");

	g_free(livebox_shell(box,
		"(while [ ! -e /tmp/stop ]; do dd if=/dev/%s of=/dev/null bs=64k iflag=direct; done) "
		">/dev/null 2>&1 &",
		first));
	for (unsigned i = 0; i < 6; i++) {
		g_autofree char *more = g_strdup_printf("<serial>LOOP%u</serial>", i);
		g_autofree char *serial = g_strdup_printf("LOOP%u", i), *name = NULL;

		plug(path, "vdb", "type='raw'", more);
		name = guest_name(serial);
		/* It goes while the guest is reading it. */
		g_free(livebox_shell(box,
			"(dd if=/dev/%s of=/dev/null bs=4k iflag=direct) >/dev/null 2>&1 &", name));
		unplug("vdb");
		wait_gone(name);
	}
	g_free(livebox_shell(box, "touch /tmp/stop"));
}

static void a_qcow2_image_comes_grows_and_goes(void **state)
{
	g_autofree char *path = make_qcow2("image.qcow2"), *name = NULL, *sum = NULL, *again = NULL;
	g_autofree char *line = NULL;
	off_t full;

	plug_kept(path, "vdq", "type='qcow2' discard='unmap'", "<serial>QCOW</serial>");
	name = guest_name("QCOW");
	assert_int_equal(livebox_shell_number(box, "cat /sys/block/%s/size", name), 64 * MIB / 512);
	sum = livebox_shell(box,
		"dd if=/dev/urandom of=/dev/%s bs=1M count=4 conv=fsync 2>/dev/null; "
		"echo 3 >/proc/sys/vm/drop_caches; head -c 4194304 /dev/%s | sha256sum",
		name, name);
	livebox_do(box, "{\"do\": \"resize-disk\", \"disk\": \"vdq\", \"size\": %d}", 96 * MIB);
	line = g_strdup_printf("cat /sys/block/%s/size", name);
	livebox_shell_until(box, line, "196608");
	again = livebox_shell(box,
		"echo 3 >/proc/sys/vm/drop_caches; "
		"echo end | dd of=/dev/%s bs=512 seek=196607 conv=sync,fsync 2>/dev/null; "
		"head -c 4194304 /dev/%s | sha256sum",
		name, name);
	assert_string_equal(sum, again);
	full = file_use(path);
	assert_true(full >= 4 * MIB);
	g_free(livebox_shell(box, "blkdiscard -f /dev/%s || blkdiscard /dev/%s", name, name));
	assert_true(file_use(path) < full);
	unplug("vdq");
	wait_gone(name);
	/* The daemon has let the image go. */
	plug_kept(path, "vdq", "type='qcow2'", "<serial>QCOW2</serial>");
	g_free(name);
	name = guest_name("QCOW2");
	assert_int_equal(livebox_shell_number(box, "cat /sys/block/%s/size", name), 96 * MIB / 512);
}

/* The process whose parent is ours and whose command is this. */
static pid_t child_of_box(const char *command)
{
	g_autofree char *line = g_strdup_printf("pgrep -P %d -f %s", box->pid, command);
	g_autofree char *output = NULL;

	assert_true(g_spawn_command_line_sync(line, &output, NULL, NULL, NULL));
	assert_true(atoi(output) > 0);
	return atoi(output);
}

static void the_daemons_death_is_an_error_of_the_disk(void **state)
{
	g_autofree char *name = guest_name("QCOW2");
	g_autoptr(JsonObject) event = NULL;
	int status;

	liveclient_forget_events(box->control);
	kill(child_of_box("qemu-storage-daemon"), SIGKILL);
	event = liveclient_event(box->control, "io-error");
	assert_string_equal(json_object_get_string_member(event, "disk"), "vdq");
	g_autofree char *read = g_strdup_printf(
		"dd if=/dev/%s of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null", name);
	status = livebox_try_shell(box, NULL, read);
	assert_true(status != 0);
	g_free(livebox_refused(
		box, "{\"do\": \"resize-disk\", \"disk\": \"vdq\", \"size\": %d}", 128 * MIB));
	unplug("vdq");
	wait_gone(name);
	assert_int_equal(livebox_shell_number(box, "echo 1"), 1);
}

/* An image that is cut off under the guest cannot be read; the guest stops, and goes on when there
 * is something to read again. */
static void a_guest_stops_for_an_error(void **state)
{
	g_autofree char *path = make_raw("cut", 8 * MIB), *name = NULL;

	plug(path, "vdc", "type='raw' error_policy='stop'", "<serial>CUT</serial>");
	name = guest_name("CUT");
	assert_int_equal(truncate(path, MIB), 0);
	liveclient_forget_events(box->control);
	g_free(livebox_shell(box,
		"(dd if=/dev/%s of=/tmp/read bs=4k skip=1024 count=1 iflag=direct 2>/dev/null; "
		"echo $? >/tmp/status) >/dev/null 2>&1 &",
		name));
	json_object_unref(liveclient_event(box->control, "io-error"));
	json_object_unref(liveclient_event(box->control, "paused"));
	assert_int_equal(truncate(path, 8 * MIB), 0);
	livebox_do(box, "{\"do\": \"resume\"}");
	livebox_shell_until(box, "cat /tmp/status 2>/dev/null", "0");
	unplug("vdc");
}

static void an_error_that_is_ignored_is_not_seen(void **state)
{
	g_autofree char *path = make_raw("ignored", 8 * MIB), *name = NULL;
	g_autoptr(JsonObject) event = NULL;

	plug(path, "vdc", "type='raw' error_policy='report' rerror_policy='ignore'",
		"<serial>IGNORED</serial>");
	name = guest_name("IGNORED");
	assert_int_equal(truncate(path, MIB), 0);
	liveclient_forget_events(box->control);
	g_free(livebox_shell(box,
		"dd if=/dev/%s of=/dev/null bs=4k skip=1024 count=1 iflag=direct 2>/dev/null", name));
	event = liveclient_event(box->control, "io-error");
	assert_string_equal(json_object_get_string_member(event, "disk"), "vdc");
	assert_false(json_object_get_boolean_member(event, "write"));
	unplug("vdc");
}

static void a_client_that_dies_harms_nobody(void **state)
{
	g_autofree char *path = make_raw("orphan", 4 * MIB), *name = NULL;
	struct liveclient *client = livebox_connect(box);

	plug(path, "vdb", "type='raw'", "<serial>ORPHAN</serial>");
	name = guest_name("ORPHAN");
	liveclient_forget_events(box->control);
	liveclient_ask(client, "{\"do\": \"unplug-disk\", \"disk\": \"vdb\", " PATIENT "}");
	liveclient_free(client);
	assert_event("device-removed", "vdb");
	wait_gone(name);
}

/* A guest that stands still lets nothing go. Once it goes on, it does. */
static void a_guest_that_does_not_answer_is_said_so(void **state)
{
	g_autofree char *path = make_raw("held", 4 * MIB), *name = NULL, *sentence = NULL;

	plug(path, "vdb", "type='raw'", "<serial>HELD</serial>");
	name = guest_name("HELD");
	liveclient_forget_events(box->control);
	livebox_do(box, "{\"do\": \"pause\"}");
	sentence = livebox_refused(
		box, "{\"do\": \"unplug-disk\", \"disk\": \"vdb\", \"timeout\": 0.3}");
	assert_non_null(strstr(sentence, "not let 'vdb' go"));
	livebox_do(box, "{\"do\": \"resume\"}");
	assert_event("device-removed", "vdb");
	wait_gone(name);
}

/* A guest that is deaf to hotplug's event lets nothing go while it runs on; it may say no; and when it
 * hears again it follows. */
static void a_guest_that_is_deaf_or_refuses(void **state)
{
	g_autofree char *path = make_raw("deaf", 4 * MIB), *name = NULL, *slot = NULL;
	g_autofree char *sentence = NULL;
	JsonObject *answer;
	unsigned id;

	plug(path, "vdb", "type='raw'", "<serial>DEAF</serial>");
	name = guest_name("DEAF");
	/* /sys/devices/pci0000:00/0000:00:SS.0/virtioN/block/vdX */
	slot = livebox_shell(
		box, "readlink -f /sys/block/%s | sed 's/.*0000:00:\\(..\\)\\.0.*/\\1/'", name);
	g_free(livebox_shell(box, "echo disable >/sys/firmware/acpi/interrupts/gpe01"));
	liveclient_forget_events(box->control);
	g_free(livebox_refused(
		box, "{\"do\": \"unplug-disk\", \"disk\": \"vdb\", \"timeout\": 0.5}"));
	id = liveclient_ask(
		box->control, "{\"do\": \"unplug-disk\", \"disk\": \"vdb\", " PATIENT "}");
	g_free(livebox_shell(box, "poke 0x64c $((1 << 0x%s))", slot));
	assert_event("unplug-refused", "vdb");
	answer = liveclient_answer(box->control, id);
	sentence = g_strdup(json_object_get_string_member(answer, "error"));
	json_object_unref(answer);
	assert_non_null(strstr(sentence, "will not let 'vdb' go"));
	assert_int_equal(livebox_shell_number(box, "cat /sys/block/%s/size", name), 4 * MIB / 512);
	/* What was raised meanwhile is cleared when it is enabled again: one asks anew. */
	g_free(livebox_shell(box, "echo enable >/sys/firmware/acpi/interrupts/gpe01"));
	unplug("vdb");
	wait_gone(name);
}

/* The firmware's part: who was asked to go is gone after a reset, who has come stays. */
static void a_reset_keeps_what_was_plugged(void **state)
{
	g_autofree char *stays = make_raw("stays", 4 * MIB), *goes = make_raw("goes", 4 * MIB);

	plug(stays, "vdb", "type='raw'", "<serial>STAYS</serial>");
	plug(goes, "vdc", "type='raw'", "<serial>GOES</serial>");
	g_free(guest_name("GOES"));
	liveclient_forget_events(box->control);
	livebox_do(box, "{\"do\": \"pause\"}");
	g_free(livebox_refused(
		box, "{\"do\": \"unplug-disk\", \"disk\": \"vdc\", \"timeout\": 0.1}"));
	livebox_do(box, "{\"do\": \"reset\"}");
	assert_event("device-removed", "vdc");
	livebox_do(box, "{\"do\": \"resume\"}");
	livebox_wait_shell(box);
	g_free(guest_name("STAYS"));
	assert_int_equal(
		livebox_shell_number(box, "cat /sys/block/vd*/serial | grep -c GOES; true"), 0);
	unplug("vdb");
}

/* In the sandbox no path can be opened; what is there can be grown, also by the daemon, and what comes
 * comes as a descriptor. */
static void a_sandbox_needs_no_paths(void **state)
{
	g_autofree char *path = make_qcow2("inside.qcow2"), *given = make_raw("handed", 4 * MIB);
	g_autofree char *xml = describe(path, "vda", "type='qcow2'", "<serial>INSIDE</serial>");
	g_autofree char *plugged = describe(given, "vdb", "type='raw'", "<serial>HANDED</serial>");
	g_autofree char *request =
		g_strdup_printf("{\"do\": \"plug-disk\", \"xml\": \"%s\"}", plugged);
	g_autofree char *name = NULL, *line = NULL;
	struct livebox *outside = box;
	JsonObject *answer;
	int fd = open(given, O_RDWR);
	unsigned id;

	box = livebox_new(&(struct livebox_config){
		.name = "live-disk-inside", .devices = xml, .sandbox = true });
	name = guest_name("INSIDE");
	livebox_do(box, "{\"do\": \"resize-disk\", \"disk\": \"vda\", \"size\": %d}", 80 * MIB);
	line = g_strdup_printf("cat /sys/block/%s/size", name);
	livebox_shell_until(box, line, "163840");
	g_free(livebox_shell(box, "dd if=/dev/zero of=/dev/%s bs=64k count=8 conv=fsync", name));
	g_free(livebox_refused(box, "%s", request));
	id = liveclient_ask_fds(box->control, request, &fd, 1);
	close(fd);
	answer = liveclient_answer(box->control, id);
	assert_true(json_object_has_member(answer, "ok"));
	json_object_unref(answer);
	g_free(guest_name("HANDED"));
	livebox_do(box, "{\"do\": \"resize-disk\", \"disk\": \"vdb\", \"size\": %d}", 6 * MIB);
	unplug("vdb");
	unplug("vda");
	wait_gone(name);
	livebox_free(box);
	box = outside;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks_are_told),
		cmocka_unit_test(a_disk_comes_and_goes),
		cmocka_unit_test(a_disk_comes_as_a_descriptor),
		cmocka_unit_test(wrong_requests_are_refused),
		cmocka_unit_test(a_disk_grows),
		cmocka_unit_test(a_disk_is_limited_and_freed),
		cmocka_unit_test(operations_are_limited),
		cmocka_unit_test(disks_come_and_go_under_load),
		cmocka_unit_test(a_qcow2_image_comes_grows_and_goes),
		cmocka_unit_test(the_daemons_death_is_an_error_of_the_disk),
		cmocka_unit_test(a_guest_stops_for_an_error),
		cmocka_unit_test(an_error_that_is_ignored_is_not_seen),
		cmocka_unit_test(a_client_that_dies_harms_nobody),
		cmocka_unit_test(a_guest_that_does_not_answer_is_said_so),
		cmocka_unit_test(a_guest_that_is_deaf_or_refuses),
		cmocka_unit_test(a_reset_keeps_what_was_plugged),
		cmocka_unit_test(a_sandbox_needs_no_paths),
	};

	return cmocka_run_group_tests(tests, boot, end);
}
