// SPDX-License-Identifier: GPL-3.0-or-later
/* The virtio disk over a raw file. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine/vmm/block/raw.h"
#include "engine/vmm/dev/virtio_block.h"
#include "tests/engine/devbox.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <linux/virtio_blk.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE (1u << 20)
#define HEADER DRIVER_DATA
#define STATUS (DRIVER_DATA + 0x100)
#define DATA (DRIVER_DATA + 0x1000)

struct fixture {
	struct devbox *box;
	char *path;
	struct block_backend *backend;
	struct virtio_block *block;
	struct virtio_pci *pci;
	struct driver driver;
};

static void plug(struct fixture *f, bool read_only, uint64_t features)
{
	struct block_raw_config config = {.path = f->path, .read_only = read_only, .discard = true};

	f->backend = block_raw_open(&config, NULL);
	assert_non_null(f->backend);
	f->block = virtio_block_new(&f->box->env, f->backend, "serial-0123", NULL);
	f->pci = virtio_pci_new(f->box->pci, 0, virtio_block_device(f->block), NULL);
	driver_start(&f->driver, f->box, virtio_pci_slot(f->pci), features);
}

static void unplug(struct fixture *f)
{
	if (!f->backend)
		return;
	block_drain(f->backend);
	virtio_pci_free(f->pci);
	virtio_block_free(f->block);
	block_free(f->backend);
	f->backend = NULL;
}

static int set_up(void **state)
{
	struct fixture *f = g_new0(struct fixture, 1);
	int fd = g_file_open_tmp("lodge-disk-XXXXXX", &f->path, NULL);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	close(fd);
	f->box = devbox_new();
	plug(f, false, UINT64_MAX);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	unplug(f);
	devbox_free(f->box);
	unlink(f->path);
	g_free(f->path);
	g_free(f);
	return 0;
}

/* One request; data_length bytes at DATA, in or out. Its status byte. */
static uint8_t request(
	struct fixture *f, uint32_t type, uint64_t sector, uint32_t data_length, bool in)
{
	struct virtio_blk_outhdr *header = driver_at(&f->driver, HEADER);
	uint8_t *status = driver_at(&f->driver, STATUS);
	struct buffer buffers[] = {
		{HEADER, sizeof(*header), false},
		{DATA, data_length, in},
		{STATUS, 1, true},
	};

	*header = (struct virtio_blk_outhdr){.type = type, .sector = sector};
	*status = 0xee;
	if (!data_length)
		buffers[1] = buffers[2];
	driver_do(&f->driver, 0, buffers, data_length ? 3 : 2);
	return *status;
}

static uint64_t errors(struct fixture *f)
{
	const struct stats_disk *stats = virtio_block_get_stats(f->block);
	uint64_t count = 0;

	for (unsigned i = 0; i < STATS_OPS; i++)
		count += stats->io[i].errors;
	return count;
}

static void file_bytes(struct fixture *f, uint64_t offset, void *data, size_t length)
{
	int fd = open(f->path, O_RDONLY);

	assert_int_equal(pread(fd, data, length, offset), length);
	close(fd);
}

static void test_read_write(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = driver_at(&f->driver, DATA), copy[4096];

	assert_int_equal(bus_read(f->box->mmio, f->driver.device, 8), SIZE / 512);
	for (unsigned i = 0; i < 4096; i++)
		data[i] = copy[i] = g_random_int();
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 8, 4096, false), VIRTIO_BLK_S_OK);
	assert_int_equal(request(f, VIRTIO_BLK_T_FLUSH, 0, 0, false), VIRTIO_BLK_S_OK);
	memset(data, 0, 4096);
	f->box->memory->code_page[DATA >> 12] = 1;
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 8, 4096, true), VIRTIO_BLK_S_OK);
	assert_memory_equal(data, copy, 4096);
	assert_true(f->box->memory->code_gen[DATA >> 12] > 0);
	memset(data, 0, 4096);
	file_bytes(f, 4096, data, 4096);
	assert_memory_equal(data, copy, 4096);
	assert_int_equal(virtio_block_get_stats(f->block)->io[STATS_WRITE].bytes, 4096);
	assert_int_equal(virtio_block_get_stats(f->block)->io[STATS_READ].requests, 1);
	assert_int_equal(virtio_block_get_stats(f->block)->io[STATS_FLUSH].requests, 1);
}

/* Framing is the driver's business: header and data in one buffer, data in pieces. */
static void test_framing(void **state)
{
	struct fixture *f = *state;
	struct virtio_blk_outhdr *header = driver_at(&f->driver, HEADER);
	uint8_t *status = driver_at(&f->driver, DATA + 512);
	struct buffer out[] = {{HEADER, 16 + 100, false}, {DATA, 412, false}, {STATUS, 1, true}};
	struct buffer in[] = {{HEADER, 10, false}, {HEADER + 10, 6, false}, {DATA, 513, true}};
	uint8_t file[512];

	*header = (struct virtio_blk_outhdr){.type = VIRTIO_BLK_T_OUT, .sector = 1};
	memset(header + 1, 0x11, 100);
	memset(driver_at(&f->driver, DATA), 0x22, 412);
	assert_int_equal(driver_do(&f->driver, 0, out, 3), 1);
	file_bytes(f, 512, file, 512);
	assert_int_equal(file[99], 0x11);
	assert_int_equal(file[100], 0x22);
	assert_int_equal(file[511], 0x22);
	header->type = VIRTIO_BLK_T_IN;
	*status = 0xee;
	assert_int_equal(driver_do(&f->driver, 0, in, 3), 513);
	assert_int_equal(*status, 0);
	assert_memory_equal(driver_at(&f->driver, DATA), file, 512);
}

static void test_bounds(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f, VIRTIO_BLK_T_IN, SIZE / 512 - 1, 512, true), 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, SIZE / 512, 512, true), VIRTIO_BLK_S_IOERR);
	assert_int_equal(
		request(f, VIRTIO_BLK_T_IN, SIZE / 512 - 1, 1024, true), VIRTIO_BLK_S_IOERR);
	assert_int_equal(
		request(f, VIRTIO_BLK_T_OUT, UINT64_MAX / 512, 512, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, UINT64_MAX, 512, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 100, true), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, 77, 0, 512, true), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(errors(f), 5);
	assert_int_equal(request(f, VIRTIO_BLK_T_GET_ID, 0, 20, true), 0);
	assert_string_equal(driver_at(&f->driver, DATA), "serial-0123");
	/* A file that has been cut under us. */
	assert_int_equal(truncate(f->path, SIZE / 2), 0);
	assert_int_equal(
		request(f, VIRTIO_BLK_T_IN, SIZE / 512 - 1, 512, true), VIRTIO_BLK_S_IOERR);
}

static void clear_range(struct fixture *f, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	struct virtio_blk_discard_write_zeroes *range = driver_at(&f->driver, DATA);

	*range = (struct virtio_blk_discard_write_zeroes){sector, sectors, flags};
}

static void test_clear(void **state)
{
	struct fixture *f = *state;
	uint8_t byte;
	struct stat before, after;

	memset(driver_at(&f->driver, DATA), 0x33, 0x40000);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 0x40000, false), 0);
	assert_int_equal(stat(f->path, &before), 0);
	clear_range(f, 8, 8, 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, false), 0);
	file_bytes(f, 4096, &byte, 1);
	assert_int_equal(byte, 0);
	file_bytes(f, 8192, &byte, 1);
	assert_int_equal(byte, 0x33);
	clear_range(f, 128, 128, 1);
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, false), 0);
	clear_range(f, 256, 256, 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16, false), 0);
	assert_int_equal(stat(f->path, &after), 0);
	assert_int_equal(after.st_size, SIZE);
	assert_true(after.st_blocks < before.st_blocks);
	clear_range(f, 0, 8, 2);
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, false), VIRTIO_BLK_S_UNSUPP);
	clear_range(f, 0, 8, 1);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16, false), VIRTIO_BLK_S_UNSUPP);
	clear_range(f, SIZE / 512 - 1, 2, 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 15, false), VIRTIO_BLK_S_IOERR);
}

/* The host has no room: the guest gets an error, the rest of the disk goes on working. */
static void test_host_full(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, limit;

	getrlimit(RLIMIT_FSIZE, &old);
	limit = (struct rlimit){SIZE / 2, old.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, SIZE / 1024, 512, false), VIRTIO_BLK_S_IOERR);
	/* Half of it could be written: an error all the same. */
	assert_int_equal(
		request(f, VIRTIO_BLK_T_OUT, SIZE / 1024 - 8, 8192, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(
		request(f, VIRTIO_BLK_T_OUT, SIZE / 1024 - 8, 4096, false), VIRTIO_BLK_S_OK);
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, SIZE / 1024, 512, false), VIRTIO_BLK_S_OK);
	assert_int_equal(errors(f), 2);
}

static void test_read_only(void **state)
{
	struct fixture *f = *state;

	unplug(f);
	plug(f, true, UINT64_MAX);
	assert_true(driver_offered(&f->driver) & 1 << VIRTIO_BLK_F_RO);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512, false), VIRTIO_BLK_S_IOERR);
	clear_range(f, 0, 8, 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK);
}

static void test_many(void **state)
{
	struct fixture *f = *state;
	struct virtio_blk_outhdr *header = driver_at(&f->driver, HEADER);

	/* Five requests at once, one interrupt or more, all done. */
	for (unsigned i = 0; i < 5; i++) {
		struct buffer buffers[] = {{HEADER + 16 * i, 16, false},
			{DATA + 0x1000 * i, 4096, false}, {STATUS + i, 1, true}};

		header[i] = (struct virtio_blk_outhdr){.type = VIRTIO_BLK_T_OUT, .sector = 8 * i};
		memset(driver_at(&f->driver, DATA + 0x1000 * i), i + 1, 4096);
		driver_add(&f->driver, 0, buffers, 3);
	}
	driver_notify(&f->driver, 0);
	for (unsigned i = 0; i < 5; i++)
		driver_wait(&f->driver, 0);
	for (unsigned i = 0; i < 5; i++) {
		uint8_t byte;

		file_bytes(f, 4096 * i + 4095, &byte, 1);
		assert_int_equal(byte, i + 1);
	}
}

/* A reset is over only when nothing is in flight; then nothing is written any more. */
static void test_reset(void **state)
{
	struct fixture *f = *state;
	struct virtio_blk_outhdr *header = driver_at(&f->driver, HEADER);
	struct buffer buffers[] = {{HEADER, 16, false}, {DATA, 0x80000, true}, {STATUS, 1, true}};

	for (unsigned round = 0; round < 20; round++) {
		*header = (struct virtio_blk_outhdr){.type = VIRTIO_BLK_T_IN};
		driver_add(&f->driver, 0, buffers, 3);
		driver_notify(&f->driver, 0);
		driver_set_status(&f->driver, 0);
		while (driver_status(&f->driver))
			g_thread_yield();
		memset(driver_at(&f->driver, DATA), 0x77, 0x80000);
		assert_int_equal(*(uint8_t *)driver_at(&f->driver, DATA + 0x7ffff), 0x77);
		driver_start(&f->driver, f->box, virtio_pci_slot(f->pci), UINT64_MAX);
	}
}

static void test_misuse(void **state)
{
	struct fixture *f = *state;

	/* No status byte; no header. */
	driver_add(&f->driver, 0, &(struct buffer){HEADER, 16, false}, 1);
	driver_notify(&f->driver, 0);
	assert_int_equal(driver_status(&f->driver), 0x4f);
	driver_start(&f->driver, f->box, virtio_pci_slot(f->pci), UINT64_MAX);
	driver_add(&f->driver, 0, &(struct buffer){STATUS, 1, true}, 1);
	driver_notify(&f->driver, 0);
	assert_int_equal(driver_status(&f->driver), 0x4f);
	driver_start(&f->driver, f->box, virtio_pci_slot(f->pci), UINT64_MAX);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK);
}

static void expect_error(const struct block_raw_config *config, int code, const char *text)
{
	g_autoptr(GError) error = NULL;
	struct block_backend *backend = block_raw_open(config, &error);

	assert_null(backend);
	assert_true(g_error_matches(error, G_IO_ERROR, code));
	assert_non_null(strstr(error->message, text));
}

static void test_open(void **state)
{
	struct fixture *f = *state;
	struct block_raw_config config = {.path = f->path};
	struct block_backend *first, *second;

	expect_error(&config, G_IO_ERROR_BUSY, "in use");
	config.read_only = true;
	expect_error(&config, G_IO_ERROR_BUSY, "in use");
	unplug(f);
	/* Two readers may share it, and <shareable/> asks for no lock. */
	first = block_raw_open(&config, NULL);
	second = block_raw_open(&config, NULL);
	assert_true(first && second);
	config.read_only = false;
	expect_error(&config, G_IO_ERROR_BUSY, "in use");
	block_free(second);
	config.shared = true;
	second = block_raw_open(&config, NULL);
	assert_non_null(second);
	block_free(first);
	block_free(second);
	config.shared = false;
	config.path = "/nonexistent/disk";
	expect_error(&config, G_IO_ERROR_NOT_FOUND, "/nonexistent/disk");
	config.path = "/";
	expect_error(&config, G_IO_ERROR_IS_DIRECTORY, "'/'");
	config.path = "/dev/null";
	expect_error(&config, G_IO_ERROR_NOT_REGULAR_FILE, "/dev/null");
	assert_int_equal(truncate(f->path, 100), 0);
	config.path = f->path;
	expect_error(&config, G_IO_ERROR_INVALID_DATA, "empty");
}

static void test_resize(void **state)
{
	struct fixture *f = *state;
	unsigned messages = f->box->messages;

	assert_int_equal(truncate(f->path, SIZE * 2), 0);
	g_mutex_lock(&f->box->lock.mutex);
	assert_true(f->backend->ops->refresh(f->backend, NULL));
	virtio_block_resized(f->block);
	g_mutex_unlock(&f->box->lock.mutex);
	assert_int_equal(f->box->messages, messages + 1);
	assert_int_equal(bus_read(f->box->mmio, f->driver.device, 8), SIZE / 256);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, SIZE / 512, 512, true), VIRTIO_BLK_S_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read_write),
		TEST(test_framing),
		TEST(test_bounds),
		TEST(test_clear),
		TEST(test_host_full),
		TEST(test_read_only),
		TEST(test_many),
		TEST(test_reset),
		TEST(test_misuse),
		TEST(test_open),
		TEST(test_resize),
	};

	return cmocka_run_group_tests_name("virtio block", tests, NULL, NULL);
}
