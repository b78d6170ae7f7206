// SPDX-License-Identifier: GPL-3.0-or-later
/* What it costs to read a thousand guests' statistics pages, and to keep one. */
#include "engine/common/stats.h"

#include <glib/gstdio.h>
#include <stdio.h>

#define GUESTS 1000
#define ROUNDS 50
#define REQUESTS 10000000

static struct stats_page *pages[GUESTS];
static struct stats_reader *readers[GUESTS];
static struct stats_page seen;

static void make(const char *directory, unsigned i)
{
	g_autofree char *path = g_strdup_printf("%s/%u", directory, i);
	g_autoptr(GError) error = NULL;

	pages[i] = stats_page_new(path, &error);
	readers[i] = pages[i] ? stats_reader_open(path, &error) : NULL;
	if (!readers[i])
		g_error("%s", error->message);
	g_unlink(path);
	pages[i]->guest.vcpu_records = 2;
	stats_add_disk(pages[i], "vda");
	stats_add_nic(pages[i], "52:54:00:00:00:01");
}

static void bench_reading(void)
{
	gint64 best = G_MAXINT64;

	for (int round = 0; round < ROUNDS; round++) {
		gint64 start = g_get_monotonic_time();

		for (unsigned i = 0; i < GUESTS; i++)
			if (!stats_reader_read(readers[i], &seen))
				g_error("a page cannot be read");
		best = MIN(best, g_get_monotonic_time() - start);
	}
	printf("reading %d guests: %.2f ms\n", GUESTS, (double)best / 1000);
}

static void bench_counting(void)
{
	gint64 start = g_get_monotonic_time();

	for (int i = 0; i < REQUESTS; i++)
		stats_io_ended(&pages[0]->disks[0].io[STATS_READ], 4096, 10000, false);
	printf("counting a request: %.2f ns\n",
		(double)(g_get_monotonic_time() - start) * 1000 / REQUESTS);
}

int main(void)
{
	g_autofree char *directory = g_strdup("/dev/shm/lodge-bench-XXXXXX");

	if (!g_mkdtemp(directory))
		g_error("%s cannot be made", directory);
	for (unsigned i = 0; i < GUESTS; i++)
		make(directory, i);
	bench_reading();
	bench_counting();
	for (unsigned i = 0; i < GUESTS; i++) {
		stats_reader_free(readers[i]);
		stats_page_free(pages[i]);
	}
	g_rmdir(directory);
	return 0;
}
