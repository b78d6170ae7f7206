// SPDX-License-Identifier: GPL-3.0-or-later
/* Which files guests get: those in the folders that lodged.conf allows, whatever leads out of them. */
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/daemon/daemon.h"

/* Two folders of the test's: guests may have what is in the first. */
static char *inside, *outside;

#define NOT_ALLOWED "is not in a folder that lodged.conf allows"

static int prepare(void **state)
{
	g_autofree char *settings = NULL;

	daemon_prepare(state);
	inside = g_build_filename(daemon_under_test.root, "inside", NULL);
	outside = g_build_filename(daemon_under_test.root, "outside", NULL);
	g_mkdir(inside, 0700);
	g_mkdir(outside, 0700);
	settings = g_strdup_printf("[paths]\nallowed=%s:%s/tests/engine/boot\n", inside,
		daemon_under_test.build);
	daemon_restart_with(settings);
	return 0;
}

static int clean_up(void **state)
{
	g_free(inside);
	g_free(outside);
	return daemon_clean_up(state);
}

static char *in(const char *folder, const char *name)
{
	return g_build_filename(folder, name, NULL);
}

/* A file of 64 KiB. */
static char *image(const char *folder, const char *name)
{
	char *path = in(folder, name);

	assert_true(g_file_set_contents(path, name, -1, NULL));
	assert_int_equal(truncate(path, 65536), 0);
	return path;
}

G_GNUC_PRINTF(2, 3)
static void define_devices(const char *name, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *devices = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *path = in(daemon_under_test.root, "guest.xml");
	g_autofree char *text = g_strdup_printf(
		"<domain type='qemu'><name>%s</name><memory unit='MiB'>8</memory><os>"
		"<type>hvm</type><kernel>%s/tests/engine/boot/actions.elf</kernel>"
		"<cmdline>b</cmdline></os><devices>%s<memballoon model='none'/></devices></domain>",
		name, daemon_under_test.build, devices);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	done("define %s", path);
}

#define DISK "<disk type='file' device='disk'><source file='%s'/><target dev='vda'/></disk>"

/* A guest with such a device is not started, and why. */
G_GNUC_PRINTF(2, 3)
static void cannot_start(const char *why, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *devices = g_strdup_vprintf(format, args);
	va_end(args);

	define_devices("refused", "%s", devices);
	has(why, false, "start refused");
	done("undefine refused");
}

/* ---- links ----------------------------------------------------------------------------------- */

static void a_link_that_leads_elsewhere_later_is_noticed(void **state)
{
	g_autofree char *good = image(inside, "good.img"), *bad = image(outside, "bad.img");
	g_autofree char *link = in(inside, "link.img");

	assert_int_equal(symlink(good, link), 0);
	define_devices("swapped", DISK, link);
	done("start swapped");
	done("destroy swapped");
	g_unlink(link);
	assert_int_equal(symlink(bad, link), 0);
	has(NOT_ALLOWED, false, "start swapped");
	done("undefine swapped");
	g_unlink(link);
}

static void a_folder_that_is_a_link_is_where_it_leads(void **state)
{
	g_autofree char *bad = image(outside, "bad.img"), *link = in(inside, "folder");
	g_autofree char *path = in(link, "bad.img"), *fresh = in(link, "fresh.log");
	g_autofree char *made = in(outside, "fresh.log");

	assert_int_equal(symlink(outside, link), 0);
	assert_true(g_file_test(bad, G_FILE_TEST_EXISTS));
	cannot_start(NOT_ALLOWED, DISK, path);
	cannot_start(NOT_ALLOWED, "<serial type='file'><source path='%s'/></serial>", fresh);
	assert_false(g_file_test(made, G_FILE_TEST_EXISTS));
	g_unlink(link);
}

/* Swaps two links as fast as it can. */
struct swapper {
	char *one, *other;
	int stop;
};

static void *swap(void *data)
{
	struct swapper *swapper = data;

	while (!g_atomic_int_get(&swapper->stop))
		renameat2(AT_FDCWD, swapper->one, AT_FDCWD, swapper->other, RENAME_EXCHANGE);
	return NULL;
}

/* Is one of the guest's descriptors, or of its programs', a file of that folder? */
static bool has_opened(const char *folder)
{
	g_autofree char *command = g_strdup_printf("find /proc/[0-9]*/fd -lname '%s/*'", folder);
	const char *arguments[] = {"sh", "-c", command, NULL};
	g_autofree char *found = NULL;

	assert_true(g_spawn_sync(NULL, (char **)arguments, NULL,
		G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &found, NULL, NULL,
		NULL));
	return *found != '\0';
}

/* The line of /proc/PID/status with this name, of each process that has the file open. */
static char *status_of_openers(const char *path, const char *name)
{
	g_autofree char *command = g_strdup_printf(
		"for f in $(find /proc/[0-9]*/fd -lname '%s'); do "
		"sed -n 's/^%s:[ \t]*//p' ${f%%/fd/*}/status; done | sort -u",
		path, name);
	const char *arguments[] = {"sh", "-c", command, NULL};
	char *found = NULL;

	assert_true(g_spawn_sync(NULL, (char **)arguments, NULL,
		G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &found, NULL, NULL,
		NULL));
	return g_strstrip(found);
}

static void no_link_is_fast_enough(void **state)
{
	g_autofree char *good = image(inside, "good.img"), *bad = image(outside, "bad.img");
	struct swapper swapper = {in(inside, "one.img"), in(inside, "other.img"), 0};
	unsigned starts = 0;
	GThread *thread;

	assert_int_equal(symlink(good, swapper.one), 0);
	assert_int_equal(symlink(bad, swapper.other), 0);
	define_devices("race", DISK, swapper.one);
	thread = g_thread_new("swap", swap, &swapper);
	for (unsigned i = 0; i < 20; i++) {
		g_autofree char *said = virsh("start race 2>&1 || true");

		if (strstr(said, NOT_ALLOWED))
			continue;
		starts++;
		assert_false(has_opened(outside));
		done("destroy race");
	}
	g_atomic_int_set(&swapper.stop, 1);
	g_thread_join(thread);
	print_message("%u of 20 starts had the right file\n", starts);
	done("undefine race");
	g_unlink(swapper.one);
	g_unlink(swapper.other);
	g_free(swapper.one);
	g_free(swapper.other);
}

/* ---- kinds of files ---------------------------------------------------------------------------- */

static void each_file_is_looked_at(void **state)
{
	g_autofree char *missing = in(inside, "missing.img"), *fifo = in(inside, "fifo");
	g_autofree char *text = g_strdup_printf("'%s': No such file or directory", missing);
	g_autofree char *file = image(inside, "file"), *below = in(file, "disk.img");
	g_autofree char *log = in(outside, "guest.log");

	assert_int_equal(mkfifo(fifo, 0600), 0);
	cannot_start(text, DISK, missing);
	cannot_start("Not a directory", DISK, below);
	cannot_start("neither a file nor a block device", DISK, inside);
	cannot_start("neither a file nor a block device", DISK, fifo);
	cannot_start(NOT_ALLOWED, DISK, "/dev/null");
	cannot_start(NOT_ALLOWED, "<serial type='null'><log file='%s'/></serial>", log);
	cannot_start(NOT_ALLOWED,
		"<console type='file'><source path='%s'/><target type='virtio'/></console>", log);
	assert_false(g_file_test(log, G_FILE_TEST_EXISTS));
	g_unlink(fifo);
}

static void what_may_not_be_read_is_said(void **state)
{
	g_autofree char *secret = image(inside, "secret.img");

	g_chmod(secret, 0);
	if (geteuid() == 0) {
		/* Nobody keeps root from it. */
		define_devices("root", DISK, secret);
		done("start root");
		done("destroy root");
		done("undefine root");
	} else {
		cannot_start("Permission denied", DISK, secret);
	}
	g_chmod(secret, 0400);
	define_devices("reader",
		"<disk type='file' device='disk'><source file='%s'/><target dev='vda'/>"
		"<readonly/></disk>",
		secret);
	done("start reader");
	done("destroy reader");
	done("undefine reader");
}

static void a_disk_is_taken_by_one_guest(void **state)
{
	g_autofree char *path = image(inside, "taken.img");

	define_devices("first", DISK, path);
	define_devices("second", DISK, path);
	done("start first");
	has("in use by another program", false, "start second");
	done("destroy first");
	done("start second");
	done("destroy second");
	done("undefine first");
	done("undefine second");
	cannot_start("in use by another program",
		DISK "<disk type='file' device='disk'><source file='%s'/><target dev='vdb'/></disk>",
		path, path);
}

/* ---- what is made ------------------------------------------------------------------------------ */

static void logs_are_made_where_they_may_be(void **state)
{
	g_autofree char *log = in(inside, "guest.log"), *other = in(outside, "other.log");
	g_autofree char *dangling = in(inside, "dangling.log"), *text = NULL;
	GStatBuf status;

	assert_int_equal(symlink(other, dangling), 0);
	cannot_start("File exists", "<serial type='file'><source path='%s'/></serial>", dangling);
	assert_false(g_file_test(other, G_FILE_TEST_EXISTS));
	define_devices("logger", "<serial type='file'><source path='%s'/></serial>", log);
	done("start logger");
	done("destroy logger");
	assert_int_equal(g_stat(log, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	/* What was in it goes with the next start. */
	assert_true(g_file_set_contents(log, "old", -1, NULL));
	done("start logger");
	done("destroy logger");
	assert_true(g_file_get_contents(log, &text, NULL, NULL));
	assert_null(strstr(text, "old"));
	done("undefine logger");
	g_unlink(dangling);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

#define SOCKET "<serial type='unix'><source mode='%s' path='%s'/></serial>"

static void sockets_are_made_where_they_may_be(void **state)
{
	g_autofree char *path = in(inside, "console"), *away = in(outside, "console");

	cannot_start(NOT_ALLOWED, SOCKET, "bind", away);
	define_devices("listens", SOCKET, "bind", path);
	/* The second finds what the first has left. */
	for (int i = 0; i < 2; i++) {
		done("start listens");
		close(connect_to(path));
		done("destroy listens");
	}
	done("undefine listens");
}

static void sockets_of_others_are_connected_to(void **state)
{
	g_autofree char *path = in(inside, "listener"), *away = in(outside, "listener");
	g_autofree char *link = in(inside, "to-listener"), *out = in(inside, "out-listener");
	int listener = listen_at(path), other = listen_at(away);

	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(symlink(away, out), 0);
	cannot_start(NOT_ALLOWED, SOCKET, "connect", away);
	cannot_start(NOT_ALLOWED, SOCKET, "connect", out);
	define_devices("connects", SOCKET, "connect", link);
	done("start connects");
	close(accept(listener, NULL, NULL));
	done("destroy connects");
	done("undefine connects");
	close(other);
	close(listener);
}

/* ---- what images stand on ------------------------------------------------------------------------ */

#define QCOW2                                                                                      \
	"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"                       \
	"<source file='%s'/><target dev='vda'/></disk>"

G_GNUC_PRINTF(1, 2)
static void shell(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *line = g_strdup_vprintf(format, args);
	va_end(args);

	assert_int_equal(system(line), 0);
}

/* A qcow2 image in the first folder, over one that need not be there. */
static char *overlay(const char *name, const char *format, const char *backing)
{
	char *path = in(inside, name);

	shell("qemu-img create -q -f qcow2 -u -F %s -b '%s' '%s' 1M", format, backing, path);
	return path;
}

static void a_chain_is_followed(void **state)
{
	g_autofree char *base = image(inside, "base.img");
	g_autofree char *middle = overlay("middle.qcow2", "raw", base);
	g_autofree char *top = overlay("top.qcow2", "qcow2", "middle.qcow2");
	g_autofree char *live = NULL, *saved = NULL, *wanted = NULL;

	define_devices("chain", QCOW2, top);
	done("start chain");
	live = virsh("dumpxml chain");
	wanted = g_strdup_printf("<backingStore type='file'>\n"
				 "        <format type='qcow2'/>\n"
				 "        <source file='%s'/>\n"
				 "        <backingStore type='file'>\n"
				 "          <format type='raw'/>\n"
				 "          <source file='%s'/>\n"
				 "          <backingStore/>\n",
		middle, base);
	assert_non_null(strstr(live, wanted));
	saved = virsh("dumpxml chain --inactive");
	assert_null(strstr(saved, "backingStore"));
	done("destroy chain");
	done("undefine chain");
}

static void a_chain_does_not_lead_out(void **state)
{
	g_autofree char *bad = image(outside, "bad.img"), *link = in(inside, "base-link");
	g_autofree char *top = overlay("out.qcow2", "raw", bad);
	g_autofree char *relative = overlay("relative.qcow2", "raw", "../outside/bad.img");
	g_autofree char *through = overlay("through.qcow2", "raw", "base-link");
	g_autofree char *deep = overlay("deep.qcow2", "qcow2", "through.qcow2");
	g_autofree char *passwords = overlay("passwords.qcow2", "raw", "/etc/shadow");
	g_autofree char *command =
		g_strdup_printf("attach-disk plug %s vdb --subdriver qcow2", passwords);

	assert_int_equal(symlink(bad, link), 0);
	cannot_start("bad.img' " NOT_ALLOWED, QCOW2, top);
	cannot_start(NOT_ALLOWED, QCOW2, relative);
	cannot_start("base-link' " NOT_ALLOWED, QCOW2, through);
	cannot_start("base-link' " NOT_ALLOWED, QCOW2, deep);
	cannot_start("'/etc/shadow' " NOT_ALLOWED, QCOW2, passwords);
	define_devices("plug", "<serial type='pty'/>");
	done("start plug");
	has(NOT_ALLOWED, false, command);
	done("destroy plug");
	done("undefine plug");
}

/* Its program has nothing but what it is given: so it is after a restore, too. */
static void a_chain_is_plugged_and_restored(void **state)
{
	g_autofree char *base = image(inside, "plug-base.img"), *saved = in(inside, "saved-chain");
	g_autofree char *middle = overlay("plug-middle.qcow2", "raw", "plug-base.img");
	g_autofree char *top = overlay("plug-top.qcow2", "qcow2", middle);
	g_autofree char *users = NULL, *restore = g_strdup_printf("restore %s", saved);

	define_devices("plugged", "<serial type='pty'/>");
	done("start plugged");
	done("attach-disk plugged %s vdb --subdriver qcow2", top);
	has(base, true, "dumpxml plugged");
	users = status_of_openers(base, "Name");
	assert_non_null(strstr(users, "qemu-storage-"));
	done("save plugged %s", saved);
	done("restore %s", saved);
	g_free(g_steal_pointer(&users));
	users = status_of_openers(base, "Name");
	assert_non_null(strstr(users, "qemu-storage-"));
	has(base, true, "dumpxml plugged");
	done("destroy plugged");
	done("undefine plugged");
	/* The image stands on another one meanwhile. */
	shell("qemu-img rebase -q -u -F raw -b /etc/shadow '%s'", middle);
	has("'/etc/shadow' " NOT_ALLOWED, false, restore);
}

/* Changes the first bytes of a file that are these. */
static void patch(const char *path, const char *from, const char *to, size_t size)
{
	g_autofree char *bytes = NULL;
	gsize length;
	char *at;

	assert_true(g_file_get_contents(path, &bytes, &length, NULL));
	at = memmem(bytes, length, from, size);
	assert_non_null(at);
	memcpy(at, to, size);
	assert_true(g_file_set_contents(path, bytes, (gssize)length, NULL));
}

static void what_is_no_chain_is_said(void **state)
{
	g_autofree char *base = image(inside, "base.img");
	g_autofree char *protocol = overlay("nbd.qcow2", "raw", "nbd://localhost/x");
	g_autofree char *json = overlay("json.qcow2", "raw",
		"json:{\"driver\":\"file\",\"filename\":\"/etc/shadow\"}");
	g_autofree char *self = overlay("self.qcow2", "qcow2", "self.qcow2");
	g_autofree char *missing = overlay("no.qcow2", "raw", "not-there.img");
	g_autofree char *guess = overlay("guess.qcow2", "raw", base);
	g_autofree char *strange = overlay("strange.qcow2", "raw", base);
	g_autofree char *data = in(inside, "data.qcow2"), *vmdk = in(inside, "flat.vmdk");

	patch(guess, "\xe2\x79\x2a\xca", "\x11\x11\x11\x11", 4);
	patch(strange, "\xe2\x79\x2a\xca\0\0\0\3raw", "\xe2\x79\x2a\xca\0\0\0\3zip", 11);
	shell("qemu-img create -q -f qcow2 -o data_file='%s/data.raw' '%s' 1M", outside, data);
	shell("qemu-img create -q -f vmdk -o subformat=monolithicFlat '%s' 1M", vmdk);
	cannot_start("is not a file of this host", QCOW2, protocol);
	cannot_start("is not a file of this host", QCOW2, json);
	cannot_start("stands on more than 16 others", QCOW2, self);
	cannot_start("not-there.img': No such file or directory", QCOW2, missing);
	cannot_start("was not specified in the image metadata", QCOW2, guess);
	cannot_start("has an unknown format", QCOW2, strange);
	cannot_start("has data in other files", QCOW2, data);
	cannot_start("is not one of its format", QCOW2, base);
	cannot_start("has data in other files",
		"<disk type='file' device='disk'><driver name='qemu' type='vmdk'/>"
		"<source file='%s'/><target dev='vda'/></disk>",
		vmdk);
}

/* ---- while it runs, and its saved states --------------------------------------------------------- */

static void plugged_disks_are_judged_too(void **state)
{
	g_autofree char *bad = image(outside, "bad.img"), *link = in(inside, "plug.img");
	g_autofree char *command = g_strdup_printf("attach-disk plug %s vdb", link);
	g_autofree char *insert = g_strdup_printf("change-media plug sda --insert %s --live", link);

	assert_int_equal(symlink(bad, link), 0);
	define_devices("plug", "<serial type='pty'/><disk type='file' device='cdrom'>"
			       "<target dev='sda' bus='scsi'/></disk>");
	done("start plug");
	has(NOT_ALLOWED, false, command);
	has(NOT_ALLOWED, false, insert);
	done("destroy plug");
	done("undefine plug");
	g_unlink(link);
}

static void saved_guests_stay_in_the_folders(void **state)
{
	g_autofree char *good = in(inside, "saved"), *bad = in(outside, "saved");
	g_autofree char *link = in(inside, "folder"), *through = in(link, "saved");
	g_autofree char *save = g_strdup_printf("save saver %s", through);
	g_autofree char *restore = g_strdup_printf("restore %s", through);
	g_autofree char *describe = g_strdup_printf("save-image-dumpxml %s", through);
	g_autofree char *copy = g_strdup_printf("cp '%s' '%s'", good, bad);

	assert_int_equal(symlink(outside, link), 0);
	define_devices("saver", "<serial type='pty'/>");
	done("start saver");
	has(NOT_ALLOWED, false, save);
	done("save saver %s", good);
	assert_int_equal(system(copy), 0);
	has(NOT_ALLOWED, false, restore);
	has(NOT_ALLOWED, false, describe);
	done("restore %s", good);
	done("destroy saver");
	/* The daemon's own place is its own affair. */
	done("start saver");
	done("managedsave saver");
	done("start saver");
	done("destroy saver");
	done("undefine saver");
	g_unlink(link);
}

/* ---- another user -------------------------------------------------------------------------------- */

static void is_nobodys(const char *path)
{
	g_autofree char *users = status_of_openers(path, "Uid");
	g_autofree char *groups = status_of_openers(path, "Gid");

	assert_string_equal(users, "65534\t65534\t65534\t65534");
	assert_string_equal(groups, "65534\t65534\t65534\t65534");
}

static void guests_may_be_of_another_user(void **state)
{
	g_autofree char *disk = image(inside, "roots.img"), *more = image(inside, "more.img");
	g_autofree char *saved = in(inside, "saved-nobody"), *log = in(inside, "nobody.log");
	g_autofree char *settings = NULL;

	if (geteuid() != 0)
		skip();
	settings = g_strdup_printf("[paths]\nallowed=%s:%s/tests/engine/boot\n"
				   "[guests]\nuser=nobody\ngroup=65534\n",
		inside, daemon_under_test.build);
	daemon_restart_with(settings);
	g_chmod(disk, 0600);
	g_chmod(more, 0600);
	define_devices("nobodys", DISK "<serial type='pty'><log file='%s'/></serial>", disk, log);
	done("start nobodys");
	is_nobodys(disk);
	says("running", "domstate nobodys");
	done("attach-disk nobodys %s vdb", more);
	is_nobodys(more);
	done("schedinfo nobodys --set cpu_shares=200");
	done("suspend nobodys");
	done("resume nobodys");
	done("save nobodys %s", saved);
	done("restore %s", saved);
	is_nobodys(disk);
	is_nobodys(more);
	/* The next daemon finds it. */
	daemon_restart_with(settings);
	comes_to_say("running", "domstate nobodys");
	done("destroy nobodys");
	done("undefine nobodys");
}

/* qemu-storage-daemon and passt, which need more than an open file. */
static void programs_of_guests_are_of_that_user(void **state)
{
	g_autofree char *base = image(inside, "nobodys-base.img");
	g_autofree char *top = overlay("nobodys.qcow2", "raw", base);
	g_autofree char *log = in(inside, "passt.log");
	GStatBuf status;

	if (geteuid() != 0)
		skip();
	define_devices("programs",
		QCOW2 "<interface type='user'><mac address='52:54:00:00:00:42'/>"
		      "<model type='virtio'/>"
		      "<backend type='passt' logFile='%s'/></interface>",
		top, log);
	has("Permission denied", false, "start programs");
	assert_int_equal(chown(top, 65534, 65534), 0);
	g_chmod(base, 0644);
	done("start programs");
	is_nobodys(top);
	is_nobodys(base);
	is_nobodys(log);
	assert_int_equal(g_stat(log, &status), 0);
	assert_int_equal(status.st_uid, 65534);
	done("destroy programs");
	done("undefine programs");
}

static void whom_guests_become_must_be_there(void **state)
{
	g_autofree char *path = g_build_filename(daemon_under_test.root, "etc", "lodged.conf", NULL);
	g_autofree char *command = g_strdup_printf("%s/lodged --root %s/other --config %s 2>&1",
		daemon_under_test.build, daemon_under_test.root, path);
	const char *arguments[] = {"sh", "-c", command, NULL};
	g_autofree char *said = NULL;

	assert_true(g_file_set_contents(path, "[guests]\nuser=no such user\n", -1, NULL));
	assert_true(g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
		&said, NULL, NULL, NULL));
	assert_non_null(strstr(said, "[guests] user: 'no such user' is not a user of this host"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_that_leads_elsewhere_later_is_noticed),
		cmocka_unit_test(a_folder_that_is_a_link_is_where_it_leads),
		cmocka_unit_test(no_link_is_fast_enough),
		cmocka_unit_test(each_file_is_looked_at),
		cmocka_unit_test(what_may_not_be_read_is_said),
		cmocka_unit_test(a_disk_is_taken_by_one_guest),
		cmocka_unit_test(logs_are_made_where_they_may_be),
		cmocka_unit_test(sockets_are_made_where_they_may_be),
		cmocka_unit_test(sockets_of_others_are_connected_to),
		cmocka_unit_test(a_chain_is_followed),
		cmocka_unit_test(a_chain_does_not_lead_out),
		cmocka_unit_test(a_chain_is_plugged_and_restored),
		cmocka_unit_test(what_is_no_chain_is_said),
		cmocka_unit_test(plugged_disks_are_judged_too),
		cmocka_unit_test(saved_guests_stay_in_the_folders),
		cmocka_unit_test(guests_may_be_of_another_user),
		cmocka_unit_test(programs_of_guests_are_of_that_user),
		cmocka_unit_test(whom_guests_become_must_be_there),
	};

	return cmocka_run_group_tests_name("files of guests", tests, prepare, clean_up);
}
