// SPDX-License-Identifier: GPL-3.0-or-later
/* A CD-ROM drive as Linux sees it: media that come, go and are held. */
#include "config.h"

#include "tests/folder.h"
#include "tests/engine/livebox.h"
#include "tests/iso.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* The guest is slow where the machine is: it is given all the time that the test has. */
#define PATIENT "\"timeout\": 250"

static struct livebox *box;
static char *directory;

static char *path_of(const char *name)
{
	return g_build_filename(directory, name, NULL);
}

/* A <disk> as it stands in a request: with single quotes only. name: of the medium, or NULL. */
static char *describe(const char *target, const char *name)
{
	g_autofree char *path = name ? path_of(name) : NULL;
	g_autofree char *source = path ? g_strdup_printf("<source file='%s'/>", path) : NULL;

	return g_strdup_printf("<disk type='file' device='cdrom'>%s"
			       "<target dev='%s' bus='scsi'/><serial>DRIVE-%s</serial></disk>",
		source ? source : "", target, target);
}

static char *request(const char *target, const char *name, const char *more)
{
	g_autofree char *xml = describe(target, name);

	return g_strdup_printf(
		"{\"do\": \"change-medium\", \"disk\": \"%s\", \"xml\": \"%s\", %s}", target, xml,
		more);
}

static void change(const char *name)
{
	g_autofree char *line = request("sda", name, PATIENT);

	livebox_do(box, "%s", line);
}

/* The next "tray" of the drive. */
static void expect_tray(bool open)
{
	g_autoptr(JsonObject) event = liveclient_event(box->control, "tray");

	assert_string_equal(json_object_get_string_member(event, "disk"), "sda");
	assert_int_equal(json_object_get_boolean_member(event, "open"), open);
}

/* What "disks" says of the drive. */
static void expect_drive(const char *medium, bool open, bool locked)
{
	g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"disks\"}");
	JsonArray *disks = json_object_get_array_member(answer, "disks");
	JsonObject *drive = json_object_get_object_member(
		json_array_get_object_element(disks, 0), "drive");
	g_autofree char *path = medium ? path_of(medium) : NULL;

	assert_int_equal(json_array_get_length(disks), 1);
	if (path)
		assert_string_equal(json_object_get_string_member(drive, "medium"), path);
	else
		assert_true(json_object_get_null_member(drive, "medium"));
	assert_int_equal(json_object_get_boolean_member(drive, "open"), open);
	assert_int_equal(json_object_get_boolean_member(drive, "locked"), locked);
}

static void mount_medium(void)
{
	livebox_run(box, "mount -t iso9660 -o ro /dev/sr0 /mnt");
}

static void expect_content(const char *text)
{
	g_autofree char *content = NULL;

	livebox_run(box, "echo 3 >/proc/sys/vm/drop_caches");
	content = livebox_shell(box, "cat /mnt/hello.txt");
	assert_string_equal(content, text);
}

static int boot(void **state)
{
	g_autofree char *first = NULL, *second = NULL, *xml = NULL;
	const char *builddir = g_getenv("top_builddir");
	g_autofree char *tray =
		g_strdup_printf("%s/tests/engine/linux/tray:/bin/tray", builddir ? builddir : ".");

	livebox_add_files("tray", (const char *const[]){tray, NULL});
	directory = g_dir_make_tmp("lodge-live-cdrom-XXXXXX", NULL);
	assert_non_null(directory);
	first = path_of("first.iso");
	second = path_of("second.iso");
	iso_write(first, "FIRST", "the first\n");
	iso_write(second, "SECOND", "the second\n");
	xml = describe("sda", "first.iso");
	box = livebox_new(&(struct livebox_config){.name = "live-cdrom", .devices = xml});
	livebox_shell_until(box, "ls /dev/sr0 2>/dev/null; true", "/dev/sr0");
	return 0;
}

static int end(void **state)
{
	livebox_free(box);
	folder_remove(directory);
	return 0;
}

static void a_medium_is_read(void **state)
{
	g_autofree char *model = livebox_shell(box, "cat /sys/block/sr0/device/model");

	assert_string_equal(g_strchomp(model), "CD-ROM");
	assert_int_equal(livebox_shell_number(box, "cat /sys/block/sr0/size"), 32 * 4);
	expect_drive("first.iso", false, false);
	mount_medium();
	expect_content("the first");
	expect_drive("first.iso", false, true);
}

/* The guest has it mounted. */
static void a_medium_that_is_held_stays(void **state)
{
	g_autofree char *now = request("sda", "second.iso", "\"timeout\": 0.2"), *sentence = NULL;
	g_autofree char *later = request("sda", "second.iso", PATIENT);
	g_autoptr(JsonObject) answer = NULL;
	unsigned id;

	sentence = livebox_refused(box, "%s", now);
	assert_string_equal(sentence, "The guest has locked the tray of 'sda'");
	expect_content("the first");
	expect_drive("first.iso", false, true);
	/* It waits until the guest lets go. */
	id = liveclient_ask(box->control, "%s", later);
	sentence = (g_free(sentence), livebox_refused(box, "%s", now));
	assert_non_null(strstr(sentence, "Another change"));
	assert_false(liveclient_is_answered(box->control, id));
	livebox_run(box, "umount /mnt");
	answer = liveclient_answer(box->control, id);
	assert_true(json_object_has_member(answer, "ok"));
	expect_tray(true);
	expect_tray(false);
	mount_medium();
	expect_content("the second");
	livebox_run(box, "umount /mnt");
}

static void a_drive_can_be_empty(void **state)
{
	change(NULL);
	expect_tray(true);
	expect_tray(false);
	expect_drive(NULL, false, false);
	assert_int_not_equal(livebox_try_shell(box, NULL, "head -c 1 /dev/sr0"), 0);
	change("first.iso");
	expect_tray(true);
	expect_tray(false);
	mount_medium();
	expect_content("the first");
	livebox_run(box, "umount /mnt");
}

static void the_guest_moves_the_tray(void **state)
{
	livebox_run(box, "tray open /dev/sr0");
	expect_tray(true);
	expect_drive("first.iso", true, false);
	assert_int_not_equal(livebox_try_shell(box, NULL, "head -c 1 <>/dev/sr0"), 0);
	livebox_run(box, "tray close /dev/sr0");
	expect_tray(false);
	mount_medium();
	expect_content("the first");
}

/* What is mounted is pulled out from under the guest, which sees it. */
static void force_is_used(void **state)
{
	g_autofree char *line = request("sda", "second.iso", "\"force\": true");

	livebox_do(box, "%s", line);
	expect_tray(true);
	expect_tray(false);
	expect_drive("second.iso", false, false);
	livebox_run(box, "umount /mnt");
	mount_medium();
	expect_content("the second");
}

/* Saved with a medium that the definition does not have, mounted. */
static void a_drive_is_saved(void **state)
{
	g_autofree char *file = path_of("saved");

	expect_drive("second.iso", false, true);
	livebox_do(box, "{\"do\": \"save\", \"path\": \"%s\"}", file);
	assert_int_equal(livebox_wait_end(box), 0);
	livebox_start(box, (const char *const[]){"--restore", file, NULL});
	expect_content("the second");
	expect_drive("second.iso", false, true);
	livebox_run(box, "umount /mnt");
	livebox_run(box, "tray open /dev/sr0");
	expect_tray(true);
	livebox_do(box, "{\"do\": \"save\", \"path\": \"%s\"}", file);
	assert_int_equal(livebox_wait_end(box), 0);
	livebox_start(box, (const char *const[]){"--restore", file, NULL});
	livebox_run(box, "true");
	expect_drive("second.iso", true, false);
	livebox_run(box, "tray close /dev/sr0");
	change("first.iso");
	mount_medium();
	expect_content("the first");
	livebox_run(box, "umount /mnt");
}

static void wrong_requests_are_refused(void **state)
{
	g_autofree char *other = request("sda", "missing.iso", PATIENT), *sentence = NULL;
	g_autofree char *elsewhere = describe("sdb", "first.iso");

	sentence = livebox_refused(box, "%s", other);
	assert_non_null(strstr(sentence, "missing.iso"));
	sentence = (g_free(sentence), livebox_refused(box,
			    "{\"do\": \"change-medium\", \"disk\": \"sda\", \"xml\": \"%s\"}",
			    elsewhere));
	assert_non_null(strstr(sentence, "sda"));
	sentence = (g_free(sentence), livebox_refused(box,
			    "{\"do\": \"resize-disk\", \"disk\": \"sda\", \"size\": 1048576}"));
	assert_non_null(strstr(sentence, "CD-ROM"));
	expect_drive("first.iso", false, false);
	mount_medium();
	expect_content("the first");
	livebox_run(box, "umount /mnt");
}

/* A drive that is plugged in, empty, gets its medium as a descriptor, and goes. */
static void a_drive_comes_and_goes(void **state)
{
	g_autofree char *xml = describe("sdb", NULL), *path = path_of("second.iso");
	g_autofree char *line = request("sdb", "second.iso", PATIENT);
	g_autoptr(JsonObject) answer = NULL;
	int fd = open(path, O_RDONLY);
	unsigned id;

	assert_true(fd >= 0);
	livebox_do(box, "{\"do\": \"plug-disk\", \"xml\": \"%s\"}", xml);
	livebox_shell_until(box, "ls /dev/sr1 2>/dev/null; true", "/dev/sr1");
	g_unlink(path);
	id = liveclient_ask_fds(box->control, line, &fd, 1);
	close(fd);
	answer = liveclient_answer(box->control, id);
	assert_true(json_object_has_member(answer, "ok"));
	livebox_run(box, "mount -t iso9660 -o ro /dev/sr1 /mnt");
	expect_content("the second");
	livebox_run(box, "umount /mnt");
	livebox_do(box, "{\"do\": \"unplug-disk\", \"disk\": \"sdb\", " PATIENT "}");
	livebox_shell_until(box, "ls /sys/block | grep -c sr1; true", "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_medium_is_read),
		cmocka_unit_test(a_medium_that_is_held_stays),
		cmocka_unit_test(a_drive_can_be_empty),
		cmocka_unit_test(the_guest_moves_the_tray),
		cmocka_unit_test(force_is_used),
		cmocka_unit_test(a_drive_is_saved),
		cmocka_unit_test(wrong_requests_are_refused),
		cmocka_unit_test(a_drive_comes_and_goes),
	};

	return cmocka_run_group_tests(tests, boot, end);
}
