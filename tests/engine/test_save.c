// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A guest is saved in the middle of its work, its monitor killed, and another goes on with it. And
 * what is not that guest's file, whole, is refused.
 */
#include "tests/engine/livebox.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISK_MIB 64
#define NOISE_MIB 24

static struct livebox *box;
static char *file; /* where the guest is saved */

static char *in_box(const char *name)
{
	return g_build_filename(box->directory, name, NULL);
}

static char *make_disk(void)
{
	g_autofree char *name = NULL;
	int fd = g_file_open_tmp("lodge-save-XXXXXX", &name, NULL);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DISK_MIB << 20), 0);
	close(fd);
	return g_steal_pointer(&name);
}

static char *disk;

static int boot(void **state)
{
	g_autofree char *devices = NULL;

	disk = make_disk();
	devices = g_strdup_printf("<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
				  "<source file='%s'/><target dev='vda' bus='virtio'/></disk>"
				  "<interface type='user'><model type='virtio'/></interface>"
				  "<console type='pty'><target type='virtio'/></console>",
		disk);
	box = livebox_new(&(struct livebox_config){ .name = "live-save",
		.vcpus = 2,
		.vcpus_max = 3,
		.devices = devices });
	file = in_box("saved");
	return 0;
}

static int end(void **state)
{
	livebox_free(box);
	g_unlink(disk);
	g_free(disk);
	g_free(file);
	return 0;
}

static void restore(const char *from)
{
	livebox_start(box, (const char *const[]){ "--restore", from, NULL });
}

static void save_and_restore(void)
{
	g_unlink(file);
	livebox_do(box, "{\"do\": \"save\", \"path\": \"%s\", \"timeout\": 100}", file);
	assert_int_equal(livebox_wait_end(box), 0);
	restore(file);
}

static void the_guest_goes_on(void **state)
{
	g_autofree char *before = livebox_shell(box, "uname -a; cat /proc/uptime");

	print_message("%s\n", before);
	save_and_restore();
	print_message("%s\n", livebox_shell(box, "uname -a; cat /proc/uptime; nproc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guest_goes_on),
	};

	return cmocka_run_group_tests(tests, boot, end);
}
