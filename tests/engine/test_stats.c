// SPDX-License-Identifier: GPL-3.0-or-later
/* The statistics page: what writers write, readers see; torn, foreign and hostile pages. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "engine/common/stats.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char *directory, *path;

static int prepare(void **state)
{
	directory = g_dir_make_tmp("lodge-stats-XXXXXX", NULL);
	path = g_build_filename(directory, "page", NULL);
	return 0;
}

static int clean(void **state)
{
	g_unlink(path);
	g_rmdir(directory);
	g_free(path);
	g_free(directory);
	return 0;
}

static struct stats_page *make(void)
{
	g_autoptr(GError) error = NULL;
	struct stats_page *page = stats_page_new(path, &error);

	assert_null(error);
	return page;
}

static struct stats_reader *open_reader(void)
{
	g_autoptr(GError) error = NULL;
	struct stats_reader *reader = stats_reader_open(path, &error);

	assert_null(error);
	return reader;
}

static struct stats_page seen;

static void readers_see_what_is_written(void **state)
{
	struct stats_page *page = make();
	struct stats_reader *reader = open_reader();
	struct stats_disk *disk;
	struct stats_nic *nic;
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	stats_begin(page);
	g_strlcpy(page->guest.name, "web", sizeof(page->guest.name));
	page->guest.vcpu_records = 2;
	page->vcpus[1].run_ns = 77;
	stats_end(page);
	disk = stats_add_disk(page, "vda");
	stats_io_ended(&disk->io[STATS_READ], 4096, 3000, false);
	stats_io_ended(&disk->io[STATS_READ], 512, 100, true);
	nic = stats_add_nic(page, "52:54:00:00:00:01");
	stats_add(&nic->rx_bytes, 60);
	assert_true(stats_reader_read(reader, &seen));
	assert_string_equal(seen.guest.name, "web");
	assert_int_equal(seen.vcpus[1].run_ns, 77);
	assert_int_equal(seen.guest.disk_records, 1);
	assert_string_equal(seen.disks[0].record.name, "vda");
	assert_int_equal(seen.disks[0].io[STATS_READ].requests, 2);
	assert_int_equal(seen.disks[0].io[STATS_READ].bytes, 4096);
	assert_int_equal(seen.disks[0].io[STATS_READ].errors, 1);
	assert_int_equal(seen.disks[0].io[STATS_READ].total_ns, 3100);
	assert_int_equal(seen.disks[0].io[STATS_READ].latency[2], 1);
	assert_int_equal(seen.disks[0].io[STATS_READ].latency[0], 1);
	assert_string_equal(seen.nics[0].record.name, "52:54:00:00:00:01");
	assert_int_equal(seen.nics[0].rx_bytes, 60);
	stats_reader_free(reader);
	stats_page_free(page);
}

static void records_are_used_again_and_begin_at_zero(void **state)
{
	struct stats_page *page = make();
	struct stats_reader *reader = open_reader();
	struct stats_disk *disks[STATS_DISKS_MAX];

	for (unsigned i = 0; i < STATS_DISKS_MAX; i++) {
		g_autofree char *name = g_strdup_printf("vd%u", i);

		disks[i] = stats_add_disk(page, name);
		stats_set(&disks[i]->size, 5);
	}
	assert_null(stats_add_disk(page, "one too many"));
	stats_remove_disk(disks[3]);
	stats_remove_disk(NULL);
	assert_true(stats_reader_read(reader, &seen));
	assert_int_equal(seen.guest.disk_records, STATS_DISKS_MAX);
	assert_int_equal(seen.disks[3].record.present, 0);
	assert_ptr_equal(stats_add_disk(page, "vdx"), disks[3]);
	assert_true(stats_reader_read(reader, &seen));
	assert_string_equal(seen.disks[3].record.name, "vdx");
	assert_int_equal(seen.disks[3].size, 0);
	stats_reader_free(reader);
	stats_page_free(page);
}

static void latencies_fall_into_their_places(void **state)
{
	assert_int_equal(stats_latency(0), 0);
	assert_int_equal(stats_latency(1023), 0);
	assert_int_equal(stats_latency(1024), 1);
	assert_int_equal(stats_latency(2047), 1);
	assert_int_equal(stats_latency(2048), 2);
	assert_int_equal(stats_latency(UINT64_MAX), STATS_LATENCIES - 1);
}

/* Both words are always the same, for who looks at the right moments. */
static void *write_pairs(void *data)
{
	struct stats_page *page = data;

	for (uint64_t i = 1; !__atomic_load_n(&page->reserved[0], __ATOMIC_RELAXED); i++) {
		stats_begin(page);
		stats_set(&page->guest.uptime_ns, i);
		stats_set(&page->vcpus[0].run_ns, i);
		stats_end(page);
		if (i % 64 == 0)
			g_usleep(1);
	}
	return NULL;
}

static void readers_see_one_moment(void **state)
{
	struct stats_page *page = make();
	struct stats_reader *reader = open_reader();
	uint64_t last = 0;
	unsigned good = 0;
	GThread *writer;

	page->guest.vcpu_records = 1;
	writer = g_thread_new("writer", write_pairs, page);
	while (good < 2000 || last < 1000) {
		if (!stats_reader_read(reader, &seen))
			continue;
		assert_int_equal(seen.guest.uptime_ns, seen.vcpus[0].run_ns);
		assert_true(seen.guest.uptime_ns >= last);
		last = seen.guest.uptime_ns;
		good++;
	}
	__atomic_store_n(&page->reserved[0], 1, __ATOMIC_RELAXED);
	g_thread_join(writer);
	stats_reader_free(reader);
	stats_page_free(page);
}

/* A writer that was killed in the middle. */
static void a_dead_writer_is_told(void **state)
{
	struct stats_page *page = make();
	struct stats_reader *reader = open_reader();

	stats_begin(page);
	assert_false(stats_reader_read(reader, &seen));
	stats_end(page);
	assert_true(stats_reader_read(reader, &seen));
	stats_reader_free(reader);
	stats_page_free(page);
}

static void hostile_contents_are_tamed(void **state)
{
	struct stats_page *page = make();
	struct stats_reader *reader = open_reader();

	memset(&page->guest, 0xff, sizeof(page->guest));
	memset(page->disks, 0xfe, sizeof(page->disks));
	memset(page->nics, 0xfe, sizeof(page->nics));
	assert_true(stats_reader_read(reader, &seen));
	assert_int_equal(seen.guest.vcpu_records, STATS_VCPUS_MAX);
	assert_int_equal(seen.guest.disk_records, STATS_DISKS_MAX);
	assert_int_equal(seen.guest.nic_records, STATS_NICS_MAX);
	assert_true(strlen(seen.guest.name) < STATS_NAME_MAX);
	assert_true(strlen(seen.guest.uuid) < sizeof(seen.guest.uuid));
	for (unsigned i = 0; i < STATS_DISKS_MAX; i++)
		assert_true(strlen(seen.disks[i].record.name) < STATS_NAME_MAX);
	stats_reader_free(reader);
	stats_page_free(page);
}

static void assert_refused(GQuark domain)
{
	g_autoptr(GError) error = NULL;

	assert_null(stats_reader_open(path, &error));
	assert_int_equal(error->domain, domain);
	assert_non_null(strstr(error->message, path));
}

static void foreign_files_are_refused(void **state)
{
	struct stats_page *page = make();

	page->version++;
	assert_refused(STATS_ERROR);
	page->version--;
	page->size++;
	assert_refused(STATS_ERROR);
	page->size--;
	page->magic = 0;
	assert_refused(STATS_ERROR);
	page->magic = STATS_MAGIC;
	assert_int_equal(truncate(path, sizeof(*page) - 1), 0);
	assert_refused(STATS_ERROR);
	assert_int_equal(truncate(path, 0), 0);
	assert_refused(STATS_ERROR);
	stats_page_free(page);
	g_unlink(path);
	assert_refused(G_FILE_ERROR);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(STATS_ERROR);
	g_unlink(path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_refused(G_FILE_ERROR);
	g_unlink(path);
	assert_int_equal(g_mkdir(path, 0700), 0);
	assert_refused(STATS_ERROR);
	g_rmdir(path);
}

static void a_new_page_leaves_readers_of_the_old_one_alone(void **state)
{
	struct stats_page *old = make(), *page;
	struct stats_reader *reader = open_reader();

	g_strlcpy(old->guest.name, "old", sizeof(old->guest.name));
	page = make();
	g_strlcpy(page->guest.name, "new", sizeof(page->guest.name));
	assert_true(stats_reader_read(reader, &seen));
	assert_string_equal(seen.guest.name, "old");
	stats_reader_free(reader);
	reader = open_reader();
	assert_true(stats_reader_read(reader, &seen));
	assert_string_equal(seen.guest.name, "new");
	stats_reader_free(reader);
	stats_page_free(old);
	stats_page_free(page);
}

static void a_place_that_is_not_there_is_said(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_null(stats_page_new("/nonexistent/page", &error));
	assert_non_null(strstr(error->message, "/nonexistent/page"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_what_is_written),
		cmocka_unit_test(records_are_used_again_and_begin_at_zero),
		cmocka_unit_test(latencies_fall_into_their_places),
		cmocka_unit_test(readers_see_one_moment),
		cmocka_unit_test(a_dead_writer_is_told),
		cmocka_unit_test(hostile_contents_are_tamed),
		cmocka_unit_test(foreign_files_are_refused),
		cmocka_unit_test(a_new_page_leaves_readers_of_the_old_one_alone),
		cmocka_unit_test(a_place_that_is_not_there_is_said),
	};

	return cmocka_run_group_tests(tests, prepare, clean);
}
