// SPDX-License-Identifier: GPL-3.0-or-later
// The console with 1,000 guests of libvirt's test driver, in a terminal: times, bytes, CPU, memory.
// Figures only.
#include "tests/screens/harness.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GUESTS 1000
#define SECONDS 10
#define KEYS 200

static void write_host(const char *path)
{
	g_autoptr(GString) xml = g_string_new("<node>\n");

	for (unsigned i = 0; i < GUESTS; i++)
		g_string_append_printf(xml,
			"<domain type='test'><name>web%03u</name><memory>4194304</memory>"
			"<currentMemory>2097152</currentMemory><vcpu current='2'>4</vcpu>"
			"<os><type>hvm</type></os><devices><disk type='file' device='disk'>"
			"<source file='/guest/%u.img'/><target dev='vda'/></disk>"
			"<interface type='bridge'><source bridge='br0'/><target dev='vnet0'/>"
			"</interface></devices></domain>\n",
			i, i);
	g_string_append(xml, "</node>\n");
	g_file_set_contents(path, xml->str, -1, NULL);
}

struct process {
	double cpu; // seconds
	double resident, private; // MiB
};

static double status_mib(const char *status, const char *field)
{
	const char *found = strstr(status, field);

	return found ? g_ascii_strtod(found + strlen(field), NULL) / 1024 : 0;
}

static struct process look(int pid)
{
	g_autofree char *stat_path = g_strdup_printf("/proc/%d/stat", pid);
	g_autofree char *status_path = g_strdup_printf("/proc/%d/status", pid);
	g_autofree char *stat = NULL, *status = NULL;
	struct process process = {0};
	unsigned long user = 0, system = 0;
	const char *after;

	g_file_get_contents(stat_path, &stat, NULL, NULL);
	g_file_get_contents(status_path, &status, NULL, NULL);
	after = stat ? strrchr(stat, ')') : NULL;
	if (after)
		sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
	process.cpu = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
	process.resident = status ? status_mib(status, "VmRSS:") : 0;
	process.private = status ? status_mib(status, "RssAnon:") : 0;
	return process;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double ms_since(gint64 start)
{
	return (double)(g_get_monotonic_time() - start) / 1000;
}

/* For a terminal with 40 rows of guests, and the charts. */
#define HEIGHT 54

/* With counters that change at each refresh, or without any. */
static struct harness *start(
	const char *uri, const char *config, const char *clock, bool counting)
{
	g_autofree char *counters = harness_program("tests/bench/changing.so");
	g_autofree char *absolute = g_canonicalize_filename(counters, NULL);
	g_autofree char *preload = g_strdup_printf("LD_PRELOAD=%s", absolute);
	g_autofree char *away = g_strdup_printf("BENCH_AWAY=%s/away", config);
	g_autofree char *program = harness_program("lodge");
	g_autofree char *home = g_strdup_printf("XDG_CONFIG_HOME=%s", config);
	g_autofree char *state = g_strdup_printf("XDG_STATE_HOME=%s", config);

	return harness_start(&(struct harness_options){
		.argv = (const char *const[]){program, "--uri", uri, NULL},
		.env = (const char *const[]){clock, home, state, away,
			counting ? preload : NULL, NULL},
		.width = 120,
		.height = HEIGHT,
	});
}

// Start to the first guests on the screen.
static void bench_start(const char *uri, const char *config)
{
	double took[5];

	for (int i = 0; i < 5; i++) {
		gint64 begin = g_get_monotonic_time();
		struct harness *h = start(uri, config, "LODGE_CLOCK", true);

		harness_expect(h, "F9");
		took[i] = ms_since(begin);
		harness_expect(h, "web000");
		harness_stop(h);
	}
	qsort(took, 5, sizeof(*took), compare);
	printf("first paint, 1,000 guests: %.0f ms (median of 5)\n", took[2]);
}

static int visible_rows(struct harness *h)
{
	g_autofree char *screen = harness_screen(h);
	int n = 0;

	for (const char *at = screen; (at = strstr(at, " running ")); at++)
		n++;
	return n;
}

static void bench_running(const char *uri, const char *config)
{
	struct harness *h = start(uri, config, "LODGE_CLOCK", true);
	struct process before, after;
	guint64 bytes;

	harness_expect(h, "web000");
	harness_wait(h, "\x01", 4000); /* until all is read */
	before = look(harness_pid(h));
	bytes = harness_written(h);
	harness_wait(h, "\x01", SECONDS * 1000);
	after = look(harness_pid(h));
	printf("1 s refresh, %d visible rows all changing: %.1f %% of a core, %.0f bytes a refresh, "
	       "%.1f MiB resident, %.1f MiB of it private\n",
		visible_rows(h), (after.cpu - before.cpu) / SECONDS * 100, (double)(harness_written(h) - bytes) / SECONDS,
		after.resident, after.private);
	harness_stop(h);
}

// With a frozen clock nothing shown changes.
static void bench_still(const char *uri, const char *config)
{
	struct harness *h = start(uri, config, "LODGE_CLOCK=1700000000", false);
	guint64 bytes;

	harness_expect(h, "web000");
	harness_quiet(h, 2500);
	bytes = harness_written(h);
	harness_wait(h, "\x01", SECONDS * 1000);
	printf("nothing changing: %" G_GUINT64_FORMAT " bytes in %d s\n", harness_written(h) - bytes, SECONDS);
	harness_stop(h);
}

/* How long the main thread was away from input while those keys were pressed. */
static void tell_away(const char *config)
{
	g_autofree char *path = g_build_filename(config, "away", NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	g_autoptr(GArray) wall = g_array_new(FALSE, FALSE, sizeof(double));
	g_autoptr(GArray) cpu = g_array_new(FALSE, FALSE, sizeof(double));

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	lines = g_strsplit(g_strchomp(text), "\n", -1);
	for (char **line = lines; *line; line++) {
		char *second;
		double value = g_ascii_strtod(*line, &second) / 1000;

		g_array_append_val(wall, value);
		value = g_ascii_strtod(second, NULL) / 1000;
		g_array_append_val(cpu, value);
	}
	g_array_sort(wall, compare);
	g_array_sort(cpu, compare);
	printf("main thread away from input, %u times: p99 %.1f ms, worst %.1f ms; of its own CPU time p99 "
	       "%.1f ms, worst %.1f ms\n",
		wall->len, g_array_index(wall, double, wall->len * 99 / 100),
		g_array_index(wall, double, wall->len - 1), g_array_index(cpu, double, cpu->len * 99 / 100),
		g_array_index(cpu, double, cpu->len - 1));
}

// A key to the moment its effect reaches the terminal, during refreshes.
static void bench_keys(const char *uri, const char *config)
{
	struct harness *h = start(uri, config, "LODGE_CLOCK", true);
	double took[KEYS];

	harness_expect(h, "web000");
	for (int i = 0; i < KEYS; i++) {
		g_autofree char *name = g_strdup_printf("▸ web%03d", i + 1);
		gint64 begin = g_get_monotonic_time();

		harness_bytes(h, "\x1b[B", 3);
		harness_expect(h, name);
		took[i] = ms_since(begin);
	}
	qsort(took, KEYS, sizeof(*took), compare);
	printf("key to screen: median %.1f ms, p99 %.1f ms, worst %.1f ms of %d\n", took[KEYS / 2],
		took[KEYS * 99 / 100], took[KEYS - 1], KEYS);
	harness_keys(h, "F9");
	assert_int_equal(harness_exit(h), 0);
	harness_stop(h);
	tell_away(config);
}

int main(void)
{
	g_autofree char *dir = g_dir_make_tmp("lodge-bench-XXXXXX", NULL);
	g_autofree char *host = g_build_filename(dir, "host.xml", NULL);
	g_autofree char *uri = g_strdup_printf("test://%s", host);
	char *remove[] = {"rm", "-rf", dir, NULL};

	write_host(host);
	bench_start(uri, dir);
	bench_running(uri, dir);
	bench_still(uri, dir);
	bench_keys(uri, dir);
	g_spawn_sync(NULL, remove, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
	return 0;
}
