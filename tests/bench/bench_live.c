// SPDX-License-Identifier: GPL-3.0-or-later
/* How long a running guest takes to have what it is given: medians, in milliseconds. Linux on the
 * software CPU. */
#include "tests/engine/livebox.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 5
#define MIB (1ll << 20)

static struct livebox *box;

static int by_value(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void say(const char *what, double milliseconds[ROUNDS])
{
	qsort(milliseconds, ROUNDS, sizeof(*milliseconds), by_value);
	print_message("%-44s %8.1f ms\n", what, milliseconds[ROUNDS / 2]);
}

static double since(gint64 start)
{
	return (double)(g_get_monotonic_time() - start) / 1000;
}

static double set_vcpus(unsigned count)
{
	gint64 start = g_get_monotonic_time();

	livebox_do(box, "{\"do\": \"set-vcpus\", \"count\": %u, \"timeout\": 250}", count);
	return since(start);
}

static void vcpus(void **state)
{
	double started[ROUNDS], usable[ROUNDS], gone[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		gint64 start = g_get_monotonic_time();

		started[i] = set_vcpus(2);
		livebox_run(box, "until [ $(nproc) = 2 ]; do :; done");
		usable[i] = since(start);
		gone[i] = set_vcpus(1);
	}
	say("vCPU: request to its start by the guest", started);
	say("vCPU: request to two in the guest's nproc", usable);
	say("vCPU: request to its removal", gone);
}

static double wait_for(const char *event, const char *member, gint64 bytes, gint64 start)
{
	for (gint64 told = -1; told != bytes;) {
		g_autoptr(JsonObject) object = liveclient_event(box->control, event);

		told = json_object_get_int_member(object, member);
	}
	return since(start);
}

static double set_memory(gint64 bytes)
{
	gint64 start = g_get_monotonic_time();

	livebox_do(box, "{\"do\": \"set-memory\", \"size\": %lld}", (long long)bytes);
	return wait_for("balloon", "actual", bytes, start);
}

static double request(gint64 bytes)
{
	gint64 start = g_get_monotonic_time();

	livebox_do(box, "{\"do\": \"set-virtio-mem\", \"alias\": \"more\", \"requested\": %lld}",
		(long long)bytes);
	return wait_for("virtio-mem", "plugged", bytes, start);
}

static void memory(void **state)
{
	double taken[ROUNDS], given[ROUNDS], plugged[ROUNDS], unplugged[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		taken[i] = set_memory(512 * MIB);
		given[i] = set_memory(1536 * MIB);
		plugged[i] = request(1024 * MIB);
		unplugged[i] = request(0);
	}
	say("balloon: 1 GiB taken", taken);
	say("balloon: 1 GiB given back", given);
	say("virtio-mem: 1 GiB plugged", plugged);
	say("virtio-mem: 1 GiB unplugged", unplugged);
}

static int boot(void **state)
{
	box = livebox_new(&(struct livebox_config){
		.name = "bench-live",
		.vcpus_max = 2,
		.memory = 1536 + 1024,
		.domain = "<maxMemory slots='1' unit='GiB'>4</maxMemory>",
		.devices = "<memory model='virtio-mem'><target><size unit='GiB'>1</size></target>"
			   "<alias name='more'/></memory>",
		.cmdline = "memhp_default_state=online_movable",
	});
	return 0;
}

static int end(void **state)
{
	livebox_free(box);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vcpus),
		cmocka_unit_test(memory),
	};

	return cmocka_run_group_tests(tests, boot, end);
}
