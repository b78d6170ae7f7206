// SPDX-License-Identifier: GPL-3.0-or-later
/* From the request until the guest has it: a disk and a network card, plugged and unplugged. */
#include "config.h"

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
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS 9

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(const char *what, double *ms)
{
	qsort(ms, ROUNDS, sizeof(*ms), compare);
	printf("%-44s %8.1f ms (%.1f to %.1f)\n", what, ms[ROUNDS / 2], ms[0], ms[ROUNDS - 1]);
}

/* ms from the request until the guest says that the path is there (or no more). */
static double time_until(
	struct livebox *box, const char *request, int fd, const char *test, const char *path)
{
	g_autoptr(JsonObject) answer = NULL;
	gint64 start;
	unsigned id;

	g_free(livebox_shell(box,
		"(until [ %s %s ]; do usleep 200; done; echo it is so >/dev/ttyS0) >/dev/null 2>&1 &",
		test, path));
	livebox_pump(box, 100);
	start = g_get_monotonic_time();
	id = liveclient_ask_fds(box->control, request, &fd, fd >= 0);
	livebox_wait_console(box, "it is so");
	double ms = (double)(g_get_monotonic_time() - start) / 1000;
	answer = liveclient_answer(box->control, id);
	assert_true(json_object_has_member(answer, "ok"));
	return ms;
}

static void bench(void **state)
{
	struct livebox *box = livebox_new(&(struct livebox_config){ .name = "bench-plug" });
	double disk_in[ROUNDS], disk_out[ROUNDS], nic_in[ROUNDS], nic_out[ROUNDS];
	g_autofree char *image = NULL, *plug = NULL;
	int fd = g_file_open_tmp("lodge-bench-XXXXXX", &image, NULL);

	assert_int_equal(ftruncate(fd, 64 << 20), 0);
	close(fd);
	plug = g_strdup_printf("{\"do\": \"plug-disk\", \"xml\": \"<disk type='file'><source "
			       "file='%s'/><target dev='vdb'/></disk>\"}",
		image);
	for (unsigned i = 0; i < ROUNDS; i++) {
		int pair[2];

		disk_in[i] = time_until(box, plug, -1, "-e", "/sys/block/vda");
		disk_out[i] = time_until(box,
			"{\"do\": \"unplug-disk\", \"disk\": \"vdb\", \"timeout\": 100}", -1, "! -e",
			"/sys/block/vda");
		assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
		nic_in[i] = time_until(box,
			"{\"do\": \"plug-nic\", \"xml\": \"<interface type='ethernet'><mac "
			"address='52:54:00:00:00:07'/><model type='virtio'/></interface>\"}",
			pair[1], "-e", "/sys/class/net/eth0");
		nic_out[i] = time_until(box,
			"{\"do\": \"unplug-nic\", \"nic\": \"52:54:00:00:00:07\", \"timeout\": 100}",
			-1, "! -e", "/sys/class/net/eth0");
		close(pair[0]);
		close(pair[1]);
	}
	print("plug-disk until the guest has it", disk_in);
	print("unplug-disk until the guest has it no more", disk_out);
	print("plug-nic until the guest has it", nic_in);
	print("unplug-nic until the guest has it no more", nic_out);
	g_unlink(image);
	livebox_free(box);
}

int main(void)
{
	const struct CMUnitTest benches[] = { cmocka_unit_test(bench) };

	return cmocka_run_group_tests(benches, NULL, NULL);
}
