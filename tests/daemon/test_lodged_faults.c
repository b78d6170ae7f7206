// SPDX-License-Identifier: GPL-3.0-or-later
/* lodged when things go wrong: killed at any moment, disks that are full, clients that send
 * rubbish. */
#include <config.h>

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "tests/daemon/daemon.h"
#include "tests/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLS 25
#define NOISE "something to upload"
#define RANDOM_CLIENTS 300
#define CLIENTS 200

static char *path_of(const char *name)
{
	return g_build_filename(daemon_under_test.root, name, NULL);
}

static unsigned count_files(const char *name)
{
	g_autofree char *path = path_of(name);
	GDir *folder = g_dir_open(path, 0, NULL);
	const char *file;
	unsigned count = 0;

	while ((file = g_dir_read_name(folder))) {
		print_message("%s/%s\n", name, file);
		count++;
	}
	g_dir_close(folder);
	return count;
}

static GRand *make_random(void)
{
	const char *given = g_getenv("LODGE_SEED");
	guint32 seed = given ? (guint32)g_ascii_strtoull(given, NULL, 0) : g_random_int();

	print_message("LODGE_SEED=%u\n", seed);
	return g_rand_new_with_seed(seed);
}

/* ---- killed ---------------------------------------------------------------------------------- */

/* One after the other, all that changes something; what fails while nobody listens does not matter.
 */
static GPid begin_changes(void)
{
	g_autofree char *first = write_guest("kill", "01", "b", ""), *text = NULL;
	g_autofree char *file = path_of("kill.xml"), *script = NULL, *log = path_of("changes.log");
	g_autofree char *image = path_of("kill.img");
	char *arguments[] = {"sh", "-c", NULL, NULL};
	GPid pid;

	assert_true(g_file_get_contents(first, &text, NULL, NULL));
	assert_true(g_file_set_contents(file, text, -1, NULL));
	assert_true(g_file_set_contents(image, NOISE, sizeof(NOISE) - 1, NULL));
	assert_int_equal(truncate(image, 1 << 20), 0);
	script = g_strdup_printf(
		"exec >>'%s' 2>&1 </dev/null; v='virsh -q -c %s'; "
		"printf '%%s\\n' 'define %s' 'autostart kill' 'desc kill --config --title a' "
		"'setvcpus kill 1 --config' 'setmem kill 8192 --config' "
		"'attach-disk kill %s vdb --config' 'detach-disk kill vdb --config' "
		"'start kill' 'attach-disk kill %s vdc --live' "
		"'blkdeviotune kill vdc --total-iops-sec 100 --live' "
		"'managedsave kill' 'managedsave-remove kill' 'start kill' "
		"'suspend kill' 'resume kill' 'desc kill --live --title b' 'reset kill' 'destroy "
		"kill' "
		"'domrename kill other' 'domrename other kill' 'autostart kill --disable' "
		"'undefine kill' "
		"'create %s' 'destroy kill' "
		"'pool-define-as kp dir --target %s/kp' 'pool-build kp' 'pool-start kp' "
		"'pool-autostart kp' "
		"'vol-create-as kp v 1M' 'vol-upload v %s kp' 'vol-clone v w --pool kp' 'vol-resize v 2M kp' "
		"'vol-delete v kp' "
		"'vol-delete w kp' 'pool-destroy kp' 'pool-delete kp' 'pool-undefine kp' | $v",
		log, daemon_under_test.uri, file, image, image, file, daemon_under_test.root,
		image);
	arguments[2] = script;
	assert_true(g_spawn_async(NULL, arguments, NULL,
		G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL));
	return pid;
}

/* Whatever was cut off: what is there now is whole, and can be used and removed. */
static void all_is_whole(void)
{
	g_autofree char *names = virsh("list --all --name"),
			*pools = virsh("pool-list --all --name");
	g_auto(GStrv) guests = g_strsplit(names, "\n", -1);
	g_auto(GStrv) all_pools = g_strsplit(pools, "\n", -1);

	for (char **name = guests; *name; name++) {
		g_autofree char *state = *g_strstrip(*name) ? virsh("domstate %s", *name) : NULL;

		if (!state)
			continue;
		assert_true(strcmp(*name, "kill") == 0 || strcmp(*name, "other") == 0);
		g_free(virsh("dumpxml %s", *name));
		if (strcmp(state, "shut off") != 0)
			done("destroy %s", *name);
		g_autofree char *left = virsh("list --all --name");
		if (*left)
			done("undefine %s --managed-save", *name);
	}
	for (char **name = all_pools; *name; name++) {
		g_autofree char *info = *g_strstrip(*name) ? virsh("pool-info %s", *name) : NULL;

		if (!info || strcmp(*name, "default") == 0)
			continue;
		if (strstr(info, "running"))
			done("pool-destroy %s", *name);
		done("pool-undefine %s", *name);
	}
	says("", "list --all --name");
	assert_int_equal(monitor_of("01"), 0);
	assert_int_equal(count_files("run/guests"), 0);
	assert_int_equal(count_files("etc/autostart"), 0);
}

static void a_daemon_may_die_at_any_moment(void **state)
{
	g_autoptr(GRand) random = make_random();
	g_autofree char *pool = path_of("kp");

	for (int i = 0; i < KILLS; i++) {
		GPid changes = begin_changes();
		int status;

		g_usleep((gulong)g_rand_int_range(random, 0, 900000));
		daemon_end(SIGKILL);
		waitpid(changes, &status, 0);
		daemon_start();
		all_is_whole();
		folder_remove_tree(pool);
	}
}

/* ---- killed while it saves ------------------------------------------------------------------- */

/* Of each way to save, at each moment. */
#define SAVE_ROUNDS 3

enum moment {
	BEGUN,   /* the file is there */
	WRITING, /* and has more than its head */
	RENAMED, /* it has its name */
	ANY,
	MOMENTS,
};

static GPid begin_virsh(const char *command)
{
	g_autofree char *line = g_strdup_printf("exec virsh -q -c '%s' %s >/dev/null 2>&1",
		daemon_under_test.uri, command);
	char *arguments[] = {"sh", "-c", line, NULL};
	GPid pid;

	assert_true(g_spawn_async(NULL, arguments, NULL,
		G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL));
	return pid;
}

static bool has_come(enum moment moment, const char *file, const char *part)
{
	GStatBuf info;

	if (moment == RENAMED)
		return g_stat(file, &info) == 0;
	/* Or it is over already. */
	return g_stat(file, &info) == 0 ||
	       (g_stat(part, &info) == 0 && (moment == BEGUN || info.st_size > 65536));
}

static void await_moment(enum moment moment, const char *file, GRand *random)
{
	g_autofree char *part = g_strconcat(file, ".part", NULL);
	gint64 end = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;

	if (moment == ANY) {
		g_usleep((gulong)g_rand_int_range(random, 0, 100000));
		return;
	}
	while (!has_come(moment, file, part)) {
		assert_true(g_get_monotonic_time() < end);
		g_usleep(50);
	}
}

/* Until it is known what has become of it: a monitor that has been told to quit may be about to,
 * and one that has not goes on when it sees that nobody is there. True: the guest runs, and nothing
 * is left of the save. */
static bool goes_on(const char *file)
{
	g_autofree char *part = g_strconcat(file, ".part", NULL);
	gint64 end = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;

	for (;;) {
		bool left = g_file_test(file, G_FILE_TEST_EXISTS) ||
			    g_file_test(part, G_FILE_TEST_EXISTS);
		g_autofree char *state = virsh("domstate keep");

		if (strcmp(state, "shut off") == 0) {
			assert_false(g_file_test(part, G_FILE_TEST_EXISTS));
			return false;
		}
		if (strcmp(state, "running") == 0 && !left)
			return true;
		if (g_get_monotonic_time() > end)
			fail_msg("%s, and there is a file: %d", state, left);
	}
}

/* Refused for as long as it is held. */
static void takes_orders(void)
{
	gint64 end = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
	int status;

	do {
		waitpid(begin_virsh("reset keep"), &status, 0);
		assert_true(g_get_monotonic_time() < end);
	} while (status != 0);
}

/* It goes on as the same process, or it is in its file. */
static void is_not_lost(const char *file, const char *restore, pid_t was)
{
	bool runs = goes_on(file);

	print_message("%s\n", runs ? "goes on" : "is saved");
	if (runs) {
		assert_int_equal(monitor_of("04"), was);
		takes_orders();
		return;
	}
	assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
	done("%s", restore);
	comes_to_say("running (restored)", "domstate keep --reason");
	g_unlink(file);
}

static void kill_while_saving(enum moment moment, const char *command, const char *file,
	const char *restore, GRand *random)
{
	pid_t was = monitor_of("04");
	GPid client = begin_virsh(command);
	int status;

	await_moment(moment, file, random);
	daemon_end(SIGKILL);
	waitpid(client, &status, 0);
	daemon_start();
	is_not_lost(file, restore, was);
}

static void a_guest_that_is_being_saved_is_never_lost(void **state)
{
	g_autoptr(GRand) random = make_random();
	g_autofree char *managed = path_of("save/" UUID "04.save");
	g_autofree char *file = path_of("keep.save");
	g_autofree char *save = g_strdup_printf("save keep %s", file);
	g_autofree char *restore = g_strdup_printf("restore %s", file);

	define("keep", "04", "h", "");
	done("start keep");
	for (int i = 0; i < SAVE_ROUNDS; i++)
		for (enum moment moment = BEGUN; moment < MOMENTS; moment++) {
			kill_while_saving(moment, "managedsave keep", managed, "start keep", random);
			kill_while_saving(moment, save, file, restore, random);
		}
	done("destroy keep");
	done("undefine keep");
}

/* ---- full ------------------------------------------------------------------------------------ */

static char *describe(size_t size)
{
	g_autofree char *text = g_malloc(size + 1);

	memset(text, 'x', size);
	text[size] = '\0';
	return g_strdup_printf("<description>%s</description>", text);
}

/* A guest that cannot be saved goes on, and nothing is left of the file. */
static void a_save_without_room_harms_nothing(const char *folder)
{
	g_autofree char *command = g_strdup_printf("save full %s/guest", folder);

	done("start full");
	has("No space left on device", false, command);
	says("running", "domstate full");
	assert_int_equal(count_files("small"), 0);
	done("suspend full");
	has("No space left on device", false, command);
	says("paused", "domstate full");
	assert_int_equal(count_files("small"), 0);
	done("destroy full");
}

static void a_full_disk_harms_nothing(void **state)
{
	g_autofree char *folder = path_of("etc/guests"), *small = describe(100),
			*large = describe(200000);
	g_autofree char *path = NULL, *command = NULL, *place = path_of("small");

	daemon_end(SIGTERM);
	assert_int_equal(g_mkdir(place, 0700), 0);
	/* In a view of the file system of this test's own. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("none", folder, "tmpfs", 0, "size=64k,mode=700") < 0 ||
		mount("none", place, "tmpfs", 0, "size=48k,mode=700") < 0) {
		daemon_start();
		print_message("no right to mount: %s\n", g_strerror(errno));
		skip();
	}
	daemon_start();
	define("full", "02", "b", small);
	path = write_guest("full", "02", "b", large);
	command = g_strdup_printf("define %s", path);
	has("No space left on device", false, command);
	g_free(write_guest("fuller", "03", "b", large));
	has("No space left on device", false, command);
	has("xxx</description>", true, "dumpxml full");
	assert_int_equal(count_files("etc/guests"), 1);
	a_save_without_room_harms_nothing(place);
	daemon_end(SIGKILL);
	daemon_start();
	says("full", "list --all --name");
	has("xxx</description>", true, "dumpxml full");
	done("undefine full");
	daemon_end(SIGTERM);
	assert_int_equal(umount(folder), 0);
	assert_int_equal(umount(place), 0);
	daemon_start();
}

/* ---- rubbish --------------------------------------------------------------------------------- */

#define HEADER 28

/* A call's packet with this payload. */
static size_t make_call(guint8 *packet, int procedure, const void *payload, size_t size)
{
	const guint32 words[] = {GUINT32_TO_BE((guint32)(HEADER + size)), GUINT32_TO_BE(0x20008086),
		GUINT32_TO_BE(1), GUINT32_TO_BE(procedure), 0, GUINT32_TO_BE(1), 0};

	memcpy(packet, words, sizeof(words));
	memcpy(packet + HEADER, payload, size);
	return HEADER + size;
}

static const guint8 open_arguments[8] = {0}; /* no name, no flags */

/* Reads one packet; the status in its header. */
static int read_status(int fd)
{
	guint8 packet[65536];
	guint32 size;

	assert_int_equal(recv(fd, packet, 4, MSG_WAITALL), 4);
	memcpy(&size, packet, 4);
	size = GUINT32_FROM_BE(size);
	assert_true(size >= HEADER && size <= sizeof(packet));
	assert_int_equal(recv(fd, packet + 4, size - 4, MSG_WAITALL), size - 4);
	return packet[HEADER - 1];
}

static int connect_opened(void)
{
	guint8 packet[64];
	size_t size = make_call(packet, 1, open_arguments, sizeof(open_arguments));
	int fd = connect_raw();

	assert_true(fd >= 0);
	assert_int_equal(send(fd, packet, size, MSG_NOSIGNAL), size);
	assert_int_equal(read_status(fd), 0);
	return fd;
}

static void a_slow_client_is_waited_for(void **state)
{
	guint8 packet[64];
	size_t size = make_call(packet, 1, open_arguments, sizeof(open_arguments));
	int fd = connect_raw();

	for (size_t i = 0; i < size; i++) {
		assert_int_equal(send(fd, packet + i, 1, MSG_NOSIGNAL), 1);
		if (i % 9 == 0)
			says("", "list --all --name");
	}
	assert_int_equal(read_status(fd), 0);
	close(fd);
}

/* The daemon must say goodbye, without having taken that much memory. */
static void is_too_much(int procedure, const void *payload, size_t size)
{
	guint8 packet[256];
	int fd = connect_opened();
	size_t length = make_call(packet, procedure, payload, size);
	char byte;

	assert_int_equal(send(fd, packet, length, MSG_NOSIGNAL), length);
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&wait, 1, PATIENCE_S * 1000), 1);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
}

static void counts_are_checked(void **state)
{
	const guint32 huge[] = {0xffffffff, 0, 0, 0, 0};
	const guint32 large[] = {GUINT32_TO_BE(0x7ffffff), 0, 0, 0, 0};
	const guint32 missing[] = {GUINT32_TO_BE(16000), 0, 0, 0, 0};

	/* The text of a definition, and the list of guests for statistics. */
	is_too_much(11, huge, sizeof(huge));
	is_too_much(11, large, sizeof(large));
	is_too_much(11, missing, sizeof(missing));
	is_too_much(344, huge, sizeof(huge));
	is_too_much(344, large, sizeof(large));
	is_too_much(344, missing, sizeof(missing));
	says("", "list --all --name");
}

/* Any bytes, and any arguments for any procedure. */
static void random_clients_harm_nobody(void **state)
{
	g_autoptr(GRand) random = make_random();

	for (int i = 0; i < RANDOM_CLIENTS; i++) {
		guint8 bytes[600], packet[700];
		size_t size = (size_t)g_rand_int_range(random, 1, sizeof(bytes)), length;
		int fd = i % 4 ? connect_opened() : connect_raw();

		for (size_t j = 0; j < size; j++)
			bytes[j] = g_rand_int(random) % 3 ? 0 : (guint8)g_rand_int(random);
		length = make_call(packet, g_rand_int_range(random, 1, 450), bytes, size & ~3u);
		if (i % 4)
			send(fd, packet, length, MSG_NOSIGNAL);
		else
			send(fd, bytes, size, MSG_NOSIGNAL);
		/* Some leave before the answer. */
		if (i % 3 == 0)
			shutdown(fd, SHUT_WR);
		close(fd);
	}
	says("", "list --all --name");
}

/* It asks and asks, and takes no answer; others have theirs. */
static void a_client_that_does_not_read_is_not_answered_for_ever(void **state)
{
	guint8 packet[64];
	size_t size = make_call(packet, 7, "", 0);
	int fd = connect_opened();
	struct pollfd wait = {.fd = fd, .events = POLLOUT};

	while (poll(&wait, 1, 500) == 1 && send(fd, packet, size, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		;
	says("", "list --all --name");
	close(fd);
	says("", "list --all --name");
}

static void receives(int fd, int status)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&wait, 1, PATIENCE_S * 1000), 1);
	assert_int_equal(read_status(fd), status);
}

/* All have asked for something, every other one has got only half of it out; meanwhile another is
 * served, and each has its answer in the end. */
static void many_clients_are_served_at_once(void **state)
{
	guint8 packet[64];
	/* The host's name, and one that there is not. */
	const int procedures[] = {59, 449};
	size_t size = HEADER;
	int fds[CLIENTS];

	for (size_t i = 0; i < CLIENTS; i++)
		fds[i] = connect_opened();
	for (size_t i = 0; i < CLIENTS; i++) {
		size_t part = i % 2 ? size / 2 : size;

		make_call(packet, procedures[i % 4 == 3], "", 0);
		assert_int_equal(send(fds[i], packet, part, MSG_NOSIGNAL), part);
	}
	says("", "list --all --name");
	for (size_t i = 1; i < CLIENTS; i += 2) {
		size_t rest = size - size / 2;

		make_call(packet, procedures[i % 4 == 3], "", 0);
		assert_int_equal(send(fds[i], packet + size / 2, rest, MSG_NOSIGNAL), rest);
	}
	/* The last first. */
	for (size_t i = CLIENTS; i-- > 0;)
		receives(fds[i], i % 4 == 3);
	/* All are still there, and one more has room. */
	for (size_t i = 0; i < CLIENTS; i++) {
		make_call(packet, procedures[0], "", 0);
		assert_int_equal(send(fds[i], packet, size, MSG_NOSIGNAL), size);
	}
	says("", "list --all --name");
	for (size_t i = 0; i < CLIENTS; i++) {
		receives(fds[i], 0);
		close(fds[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_client_is_waited_for),
		cmocka_unit_test(counts_are_checked),
		cmocka_unit_test(random_clients_harm_nobody),
		cmocka_unit_test(a_client_that_does_not_read_is_not_answered_for_ever),
		cmocka_unit_test(many_clients_are_served_at_once),
		cmocka_unit_test(a_daemon_may_die_at_any_moment),
		cmocka_unit_test(a_guest_that_is_being_saved_is_never_lost),
		cmocka_unit_test(a_full_disk_harms_nothing),
	};

	/* One test alone: LODGE_TEST='a_full*'. */
	if (g_getenv("LODGE_TEST"))
		cmocka_set_test_filter(g_getenv("LODGE_TEST"));
	return cmocka_run_group_tests_name(
		"lodged: faults", tests, daemon_prepare, daemon_clean_up);
}
