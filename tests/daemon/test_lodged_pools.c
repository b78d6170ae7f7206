// SPDX-License-Identifier: GPL-3.0-or-later
/* lodged's storage pools, volumes and networks, by virsh. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "tests/daemon/daemon.h"
#include "tests/folder.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define POOL_UUID "22222222-3333-4444-5555-666666666666"

static char *path_of(const char *name)
{
	return g_build_filename(daemon_under_test.root, name, NULL);
}

static void define_pool(const char *name)
{
	g_autofree char *path = path_of(name);

	done("pool-define-as %s dir --target %s", name, path);
}

/* Defined, built and started. */
static void make_pool(const char *name)
{
	define_pool(name);
	done("pool-build %s", name);
	done("pool-start %s", name);
}

/* Its folder, too, with what is in it. */
static void drop_pool(const char *name)
{
	g_autofree char *path = path_of(name);

	done("pool-destroy %s", name);
	done("pool-undefine %s", name);
	folder_remove_tree(path);
}

static void there_is_a_default_pool(void **state)
{
	g_autofree char *images = path_of("images");

	says("default", "pool-list --name --autostart");
	assert_true(g_file_test(images, G_FILE_TEST_IS_DIR));
	done("vol-create-as default first 1M");
	done("vol-delete first default");
	/* Whoever does not want it has it no more. */
	done("pool-destroy default");
	done("pool-delete default");
	done("pool-undefine default");
	daemon_end(SIGTERM);
	daemon_start();
	says("", "pool-list --all --name");
}

static void a_pool_lives_through_all_its_states(void **state)
{
	define_pool("a");
	has("State:          inactive", true, "pool-info a");
	has("cannot open directory", false, "pool-start a");
	has("storage pool 'a' is not active", false, "vol-list a");
	done("pool-build a");
	done("pool-start a");
	has("storage pool 'a' is already active", false, "pool-start a");
	has("State:          running", true, "pool-info a");
	has("<mode>0711</mode>", true, "pool-dumpxml a");
	done("pool-autostart a");
	says("a", "pool-list --name --autostart --persistent");
	has("storage pool 'a' is still active", false, "pool-undefine a");
	has("storage pool 'a' is still active", false, "pool-delete a");
	done("pool-refresh a");
	done("pool-destroy a");
	says("", "pool-list --name");
	done("pool-delete a");
	done("pool-undefine a");
	has("Storage pool not found: no storage pool with matching name 'a'", false, "pool-info a");
}

static void wrong_pools_are_refused(void **state)
{
	g_autofree char *file = path_of("pool.xml"),
			*command = g_strdup_printf("pool-define %s", file);

	has("only storage pools of type 'dir' are there", false,
		"pool-define-as x logical --source-name v");
	has("missing storage pool target path", false, "pool-define-as x dir");
	define_pool("a");
	has("pool 'a' already exists with uuid", false, "pool-define-as a dir --target /tmp/other");
	g_assert_true(
		g_file_set_contents(file, "<pool type='dir'><name>b/c</name></pool>", -1, NULL));
	has("cannot contain '/'", false, command);
	g_assert_true(g_file_set_contents(file, "<pool type='dir'><name>b", -1, NULL));
	g_free(virsh_at(daemon_under_test.uri, false, command));
	g_autofree char *same =
		g_strdup_printf("pool-define-as b dir --target %s/./a/", daemon_under_test.root);
	has("conflict with pool: 'a'", false, same);
	done("pool-undefine a");
}

static void pools_stay_when_the_daemon_dies(void **state)
{
	make_pool("k");
	define_pool("idle");
	done("vol-create-as k v 1M");
	g_autofree char *path = path_of("t");
	g_mkdir(path, 0700);
	done("pool-create-as t dir --target %s", path);
	daemon_end(SIGKILL);
	daemon_start();
	says("k", "pool-list --name --persistent");
	says("t", "pool-list --name --transient");
	says("idle", "pool-list --name --inactive");
	has("/k/v", true, "vol-list k");
	done("pool-destroy t");
	done("pool-undefine idle");
	drop_pool("k");
	says("", "pool-list --all --name");
	folder_remove_tree(path);
}

static void volumes_are_made_changed_and_removed(void **state)
{
	g_autofree char *file = path_of("v/disk"), *found = NULL;
	struct stat info;

	make_pool("v");
	done("vol-create-as v disk 1M --allocation 0");
	assert_int_equal(stat(file, &info), 0);
	assert_int_equal(info.st_size, 1 << 20);
	assert_int_equal(info.st_mode & 0777, 0600);
	has("storage volume 'disk' exists already", false, "vol-create-as v disk 1M");
	has("only volumes of format 'raw' and 'qcow2' can be made", false,
		"vol-create-as v q 1M --format vmdk");
	has("cannot contain '/'", false, "vol-create-as v ../q 1M");
	found = virsh("vol-path disk v");
	assert_string_equal(found, file);
	done("vol-resize disk 3M v");
	assert_int_equal(stat(file, &info), 0);
	assert_int_equal(info.st_size, 3 << 20);
	done("vol-resize disk 1M v --delta");
	has("Can't shrink capacity below current capacity", false, "vol-resize disk 1M v");
	done("vol-resize disk 2M v --shrink");
	done("vol-resize disk 4M v --allocate");
	assert_int_equal(stat(file, &info), 0);
	assert_int_equal(info.st_size, 4 << 20);
	assert_true(info.st_blocks * 512 >= 4 << 20);
	done("vol-delete disk v");
	assert_int_equal(stat(file, &info), -1);
	drop_pool("v");
}

static void a_link_is_no_volume(void **state)
{
	g_autofree char *link = path_of("l/link");

	make_pool("l");
	assert_int_equal(symlink("/etc/passwd", link), 0);
	says("", "vol-list l");
	has("no storage vol with matching", false, "vol-info link l");
	drop_pool("l");
}

/* Large enough that it does not fit into any buffer on the way. */
static GBytes *make_content(size_t size)
{
	guint8 *bytes = g_malloc(size);
	guint32 value = 12345;

	for (size_t i = 0; i < size; i++) {
		value = value * 1103515245 + 12345;
		bytes[i] = (guint8)(value >> 16);
	}
	return g_bytes_new_take(bytes, size);
}

static void content_goes_in_and_comes_out(void **state)
{
	const size_t size = 20u << 20;
	g_autofree char *from = path_of("content"), *to = path_of("copy");
	g_autoptr(GBytes) content = make_content(size);
	g_autofree char *came = NULL;
	gsize length;

	make_pool("s");
	assert_true(g_file_set_contents(from, g_bytes_get_data(content, NULL), (gssize)size, NULL));
	done("vol-create-as s disk 20M --allocation 0");
	done("vol-upload disk %s s", from);
	done("vol-download disk %s s", to);
	assert_true(g_file_get_contents(to, &came, &length, NULL));
	assert_int_equal(length, size);
	assert_memory_equal(came, g_bytes_get_data(content, NULL), size);
	g_clear_pointer(&came, g_free);
	done("vol-download disk %s s --offset 1000 --length 70000", to);
	assert_true(g_file_get_contents(to, &came, &length, NULL));
	assert_int_equal(length, 70000);
	assert_memory_equal(came, (const guint8 *)g_bytes_get_data(content, NULL) + 1000, 70000);
	g_clear_pointer(&came, g_free);
	/* A copy has the same, and wiping leaves nothing of it. */
	done("vol-clone disk other s");
	done("vol-wipe disk s");
	done("vol-download other %s s", to);
	assert_true(g_file_get_contents(to, &came, &length, NULL));
	assert_memory_equal(came, g_bytes_get_data(content, NULL), size);
	g_clear_pointer(&came, g_free);
	done("vol-download disk %s s", to);
	assert_true(g_file_get_contents(to, &came, &length, NULL));
	for (gsize i = 0; i < length; i++)
		assert_int_equal(came[i], 0);
	has("storage volume name 'other' already in use", false, "vol-clone disk other s");
	drop_pool("s");
}

/* A copy of a volume in a format. */
static void copy_as(const char *from, const char *to, const char *format)
{
	g_autofree char *file = path_of("copy.xml");
	g_autofree char *xml = g_strdup_printf(
		"<volume><name>%s</name><capacity>0</capacity>"
		"<target><format type='%s'/></target></volume>",
		to, format);

	assert_true(g_file_set_contents(file, xml, -1, NULL));
	done("vol-create-from f %s %s", file, from);
}

static void content_survives_other_formats(void **state)
{
	const size_t size = 3u << 20;
	g_autofree char *from = path_of("content"), *to = path_of("copy"), *base = path_of("f/raw");
	g_autofree char *outside = path_of("outside"), *made = path_of("f/bad"), *came = NULL;
	g_autoptr(GBytes) content = make_content(size);
	gsize length;

	make_pool("f");
	assert_true(g_file_set_contents(from, g_bytes_get_data(content, NULL), (gssize)size, NULL));
	done("vol-create-as f raw 3M --allocation 0");
	done("vol-upload raw %s f", from);
	copy_as("raw --inputpool f", "packed", "qcow2");
	has("<format type='qcow2'/>", true, "vol-dumpxml packed f");
	has("Capacity:       3.00 MiB", true, "vol-info packed f");
	/* With nothing of its own it shows what is below it. */
	done("vol-create-as f above 3M --format qcow2 --backing-vol %s --backing-vol-format raw",
		base);
	has("/f/raw</path>", true, "vol-dumpxml above f");
	copy_as("above --inputpool f", "flat", "raw");
	done("vol-download flat %s f", to);
	assert_true(g_file_get_contents(to, &came, &length, NULL));
	assert_int_equal(length, size);
	assert_memory_equal(came, g_bytes_get_data(content, NULL), size);
	g_clear_pointer(&came, g_free);
	copy_as("packed --inputpool f", "unpacked", "raw");
	done("vol-download unpacked %s f", to);
	assert_true(g_file_get_contents(to, &came, &length, NULL));
	assert_int_equal(length, size);
	assert_memory_equal(came, g_bytes_get_data(content, NULL), size);
	/* What is not there is not stood on, and nothing is left of the attempt. */
	g_autofree char *file = path_of("bad.xml");
	g_autofree char *command = g_strdup_printf("vol-create f %s", file);
	g_autofree char *xml = g_strdup_printf(
		"<volume><name>bad</name><capacity>1</capacity><target><format type='qcow2'/></target>"
		"<backingStore><path>%s</path></backingStore></volume>",
		outside);

	assert_true(g_file_set_contents(file, xml, -1, NULL));
	has("inaccessible backing store volume", false, command);
	assert_false(g_file_test(made, G_FILE_TEST_EXISTS));
	drop_pool("f");
}

static void events_of_pools_are_told(void **state)
{
	g_autofree char *out = path_of("events"), *text = NULL;
	g_autofree char *line =
		g_strdup_printf("exec virsh -q -c '%s' pool-event --event lifecycle --loop "
				"--timeout 120 >%s",
			daemon_under_test.uri, out);
	char *arguments[] = {"sh", "-c", line, NULL};
	GPid listener;

	assert_true(g_spawn_async(NULL, arguments, NULL,
		G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &listener, NULL));
	for (int i = 0; i < PATIENCE_S * 10 && (!text || !strstr(text, "Defined")); i++) {
		define_pool("e");
		done("pool-undefine e");
		g_usleep(100000);
		g_clear_pointer(&text, g_free);
		g_file_get_contents(out, &text, NULL, NULL);
	}
	make_pool("e");
	drop_pool("e");
	for (int i = 0; i < PATIENCE_S * 10 && !strstr(text, "Stopped"); i++) {
		g_usleep(100000);
		g_clear_pointer(&text, g_free);
		g_file_get_contents(out, &text, NULL, NULL);
	}
	kill(listener, SIGTERM);
	waitpid(listener, NULL, 0);
	assert_non_null(strstr(text, "Undefined"));
	assert_non_null(strstr(text, "Created"));
	assert_non_null(strstr(text, "Started"));
	assert_non_null(strstr(text, "Stopped"));
}

static void networks_are_shown(void **state)
{
	has("user", true, "net-list --name");
	has("Active:         yes", true, "net-info user");
	has("<name>user</name>", true, "net-dumpxml user");
	has("Network not found: no network with matching name 'none'", false, "net-info none");
	says("", "net-list --inactive");
	has("not supported by the connection driver: virNetworkCreate", false, "net-start user");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_a_default_pool),
		cmocka_unit_test(a_pool_lives_through_all_its_states),
		cmocka_unit_test(wrong_pools_are_refused),
		cmocka_unit_test(pools_stay_when_the_daemon_dies),
		cmocka_unit_test(volumes_are_made_changed_and_removed),
		cmocka_unit_test(a_link_is_no_volume),
		cmocka_unit_test(content_goes_in_and_comes_out),
		cmocka_unit_test(content_survives_other_formats),
		cmocka_unit_test(events_of_pools_are_told),
		cmocka_unit_test(networks_are_shown),
	};

	return cmocka_run_group_tests_name("lodged: pools", tests, daemon_prepare, daemon_clean_up);
}
