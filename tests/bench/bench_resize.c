// SPDX-License-Identifier: GPL-3.0-or-later
// Resizing on the spot, on a real guest under QEMU with software emulation: from the key in the table of
// guests until the console tells that libvirt's call returned and the value was read back.
#include "tests/live/guest.h"
#include "tests/screens/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST 16

static const char definition[] = LIVE_DEFINITION("  <name>@NAME@</name>\n"
						 "  <memory unit='MiB'>1024</memory>\n"
						 "  <vcpu current='1'>16</vcpu>\n",
	"");

static struct live *live;
static struct harness *console;

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double press(const char *key, const char *told)
{
	gint64 begin = g_get_monotonic_time();

	harness_keys(console, key);
	harness_expect(console, told);
	return (double)(g_get_monotonic_time() - begin) / 1000;
}

static void report(const char *what, double *took, int n)
{
	qsort(took, (size_t)n, sizeof(*took), compare);
	printf("%s: %.0f ms (median of %d; %.0f to %.0f)\n", what, took[n / 2], n, took[0], took[n - 1]);
}

static void vcpus(void **state)
{
	double took[MOST - 1];

	for (int i = 0; i < MOST - 1; i++) {
		g_autofree char *told = g_strdup_printf("alpha: vCPUs %d (", i + 2);

		took[i] = press("+", told);
	}
	report("key to the call's return, a vCPU more", took, MOST - 1);
}

// The guest takes pages as they are asked for: what is measured is libvirt and QEMU, and how soon the
// balloon has arrived.
static void balloon(void **state)
{
	double took[MOST];

	for (int i = 0; i < MOST; i++)
		took[i] = press(i % 2 ? "'}'" : "'{'",
			i % 2 ? "alpha: Memory 1.0 GiB (" : "alpha: Memory 960.0 MiB (");
	report("key until the balloon has arrived", took, MOST);
}

static int setup(void **state)
{
	live_start(&live, definition);
	console = live_console(live, 120, 30, NULL);
	live_console_starts(console, live, "alpha");
	return 0;
}

static int teardown(void **state)
{
	harness_stop(console);
	live_free(live);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(vcpus), cmocka_unit_test(balloon)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
