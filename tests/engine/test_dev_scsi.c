// SPDX-License-Identifier: GPL-3.0-or-later
/* The CD-ROM drive on the virtio SCSI host. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine/vmm/block/empty.h"
#include "engine/vmm/block/limit.h"
#include "engine/vmm/block/raw.h"
#include "engine/vmm/dev/virtio_scsi.h"
#include "tests/engine/devbox.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <linux/virtio_scsi.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS 100u
#define REQUEST DRIVER_DATA
#define RESPONSE (DRIVER_DATA + 0x100)
#define DATA (DRIVER_DATA + 0x1000)
#define REQUESTS 2 /* the queue's number */


struct fixture {
	struct devbox *box;
	char *path;
	struct block_backend *medium;
	struct virtio_scsi *scsi;
	struct cdrom *drive;
	struct virtio_pci *pci;
	struct driver driver;
	unsigned moves;  /* of the tray */
	unsigned failed; /* reads */
};

static void tray(void *data)
{
	((struct fixture *)data)->moves++;
}

static const struct cdrom_ops ops = {.tray = tray};

static void failed(void *data, int error)
{
	((struct fixture *)data)->failed++;
}

/* A file in which each block begins with its number, plus first. */
static void fill(const char *path, unsigned blocks, unsigned first)
{
	g_autofree uint32_t *words = g_new0(uint32_t, blocks * CDROM_BLOCK / 4);

	for (unsigned i = 0; i < blocks; i++)
		words[i * CDROM_BLOCK / 4] = first + i;
	assert_true(
		g_file_set_contents(path, (const char *)words, (gssize)blocks * CDROM_BLOCK, NULL));
}

static struct block_backend *open_image(const char *path)
{
	const struct block_raw_config config = {.path = path, .read_only = true};
	struct block_backend *image = block_raw_open(&config, NULL);

	assert_non_null(image);
	return image;
}

/* Another image, or none, behind the drive's backend. */
static void change(struct fixture *f, struct block_backend *image)
{
	block_limit_replace(f->medium, image);
	g_mutex_lock(&f->box->lock.mutex);
	virtio_scsi_changed(f->scsi);
	g_mutex_unlock(&f->box->lock.mutex);
}

static void make_drive(struct fixture *f)
{
	const struct virtio_scsi_owner owner = {failed, f};

	f->drive = cdrom_new("sda", "serial-0123", &ops, f);
	f->scsi = virtio_scsi_new(&f->box->env, f->drive, f->medium, &owner);
	f->pci = virtio_pci_new(f->box->pci, 0, virtio_scsi_device(f->scsi), NULL);
	driver_start(&f->driver, f->box, virtio_pci_slot(f->pci), UINT64_MAX);
}

static int set_up(void **state)
{
	struct fixture *f = g_new0(struct fixture, 1);
	int fd = g_file_open_tmp("lodge-cdrom-XXXXXX", &f->path, NULL);

	assert_true(fd >= 0);
	close(fd);
	fill(f->path, BLOCKS, 0);
	f->box = devbox_new();
	f->medium = block_limit_new(open_image(f->path), f->box->context);
	make_drive(f);
	*state = f;
	return 0;
}

static void free_drive(struct fixture *f)
{
	block_drain(f->medium);
	virtio_pci_free(f->pci);
	virtio_scsi_free(f->scsi);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	free_drive(f);
	block_free(f->medium);
	devbox_free(f->box);
	unlink(f->path);
	g_free(f->path);
	g_free(f);
	return 0;
}

static struct virtio_scsi_cmd_req *put_command(struct fixture *f, const uint8_t *cdb, size_t length)
{
	struct virtio_scsi_cmd_req *request = driver_at(&f->driver, REQUEST);

	memset(request, 0, sizeof(*request));
	request->lun[0] = 1;
	memcpy(request->cdb, cdb, length);
	return request;
}

/* One command with room for so many bytes at DATA; its response. */
static struct virtio_scsi_cmd_resp *send(
	struct fixture *f, const uint8_t *cdb, size_t length, uint32_t room)
{
	struct virtio_scsi_cmd_resp *response = driver_at(&f->driver, RESPONSE);
	struct buffer buffers[] = {
		{REQUEST, sizeof(struct virtio_scsi_cmd_req), false},
		{RESPONSE, sizeof(*response), true},
		{DATA, room, true},
	};

	put_command(f, cdb, length);
	memset(response, 0xee, sizeof(*response));
	memset(driver_at(&f->driver, DATA), 0xdd, 0x1000);
	driver_do(&f->driver, REQUESTS, buffers, room ? 3 : 2);
	return response;
}

#define SEND(f, room, ...)                                                                         \
	send((f), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), (room))

/* The command has ended well, with so many bytes of data. */
#define expect_data(f, room, length, ...)                                                          \
	do {                                                                                       \
		const struct virtio_scsi_cmd_resp *r = SEND(f, room, __VA_ARGS__);                 \
		assert_int_equal(r->response, VIRTIO_SCSI_S_OK);                                   \
		assert_int_equal(r->status, SCSI_GOOD);                                            \
		assert_int_equal(r->sense_len, 0);                                                 \
		assert_int_equal(r->resid, (room) - (length));                                     \
	} while (0)

#define expect_sense(f, code, ...)                                                                 \
	do {                                                                                       \
		const struct virtio_scsi_cmd_resp *r = SEND(f, 256, __VA_ARGS__);                  \
		assert_int_equal(r->response, VIRTIO_SCSI_S_OK);                                   \
		assert_int_equal(r->status, SCSI_CHECK_CONDITION);                                 \
		assert_int_equal(r->sense_len, CDROM_SENSE_SIZE);                                  \
		assert_int_equal(r->resid, 256);                                                   \
		assert_int_equal(r->sense[0], 0x70);                                               \
		assert_int_equal(sense_of(r->sense), (code));                                      \
	} while (0)

static unsigned sense_of(const uint8_t *sense)
{
	return (unsigned)sense[2] << 16 | (unsigned)sense[12] << 8 | sense[13];
}

static const uint8_t *data_of(struct fixture *f)
{
	return driver_at(&f->driver, DATA);
}

/* The unit attention of the start is not what most tests are about. */
static void settle(struct fixture *f)
{
	expect_sense(f, 0x062900, 0x00);
	expect_data(f, 0, 0, 0x00);
}

static void test_inquiry(void **state)
{
	struct fixture *f = *state;
	const uint8_t *data = data_of(f);

	/* All of these are carried out before the unit attention is told. */
	expect_data(f, 255, 36, 0x12, 0, 0, 0, 255, 0);
	assert_int_equal(data[0], 0x05);
	assert_int_equal(data[1], 0x80);
	assert_int_equal(data[4], 31);
	assert_memory_equal(data + 8, "LODGE   CD-ROM          1   ", 28);
	expect_data(f, 255, 5, 0x12, 0, 0, 0, 5, 0);
	expect_data(f, 255, 7, 0x12, 1, 0, 0, 255, 0);
	assert_memory_equal(data + 4, "\x00\x80\x83", 3);
	expect_data(f, 255, 15, 0x12, 1, 0x80, 0, 255, 0);
	assert_memory_equal(data + 4, "serial-0123", 11);
	expect_data(f, 255, 27, 0x12, 1, 0x83, 0, 255, 0);
	assert_memory_equal(data + 8, "LODGE   serial-0123", 19);
	expect_sense(f, 0x052400, 0x12, 1, 0xb0, 0, 255, 0);
	expect_sense(f, 0x052400, 0x12, 0, 0x80, 0, 255, 0);
	expect_data(f, 255, 16, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0);
	assert_memory_equal(data, "\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0", 16);
	expect_sense(f, 0x052400, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0);
	/* An answer longer than there is room for. */
	assert_int_equal(SEND(f, 10, 0x12, 0, 0, 0, 36, 0)->response, VIRTIO_SCSI_S_OVERRUN);
	settle(f);
}

static void test_read(void **state)
{
	struct fixture *f = *state;
	const struct stats_disk *stats = virtio_scsi_get_stats(f->scsi);

	settle(f);
	assert_int_equal(stats->size, BLOCKS * CDROM_BLOCK);
	expect_data(f, 8, 8, 0x25);
	assert_memory_equal(data_of(f), "\0\0\0\x63\0\0\x08\0", 8);
	expect_data(f, 4096, 4096, 0x28, 0, 0, 0, 0, 98, 0, 0, 2);
	assert_int_equal(*(const uint32_t *)data_of(f), 98);
	assert_int_equal(*(const uint32_t *)(data_of(f) + CDROM_BLOCK), 99);
	expect_data(f, 4096, 2048, 0xa8, 0, 0, 0, 0, 7, 0, 0, 0, 1);
	assert_int_equal(*(const uint32_t *)data_of(f), 7);
	/* All at once is more than is read in the vCPU's thread. */
	expect_data(f, BLOCKS * CDROM_BLOCK, BLOCKS * CDROM_BLOCK, 0x28, 0, 0, 0, 0, 0, 0, 0, 100);
	assert_int_equal(*(const uint32_t *)(data_of(f) + 50 * CDROM_BLOCK), 50);
	expect_data(f, 16, 0, 0x28, 0, 0, 0, 0, 100, 0, 0, 0);
	expect_sense(f, 0x052100, 0x28, 0, 0, 0, 0, 99, 0, 0, 2);
	expect_sense(f, 0x052100, 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1);
	expect_sense(f, 0x052100, 0xa8, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff);
	expect_data(f, 0, 0, 0x2b, 0, 0, 0, 0, 99);
	expect_sense(f, 0x052100, 0x2b, 0, 0, 0, 0, 100);
	assert_int_equal(SEND(f, 2047, 0x28, 0, 0, 0, 0, 0, 0, 0, 1)->response,
		VIRTIO_SCSI_S_OVERRUN);
	expect_sense(f, 0x052000, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1);
	assert_int_equal(stats->io[STATS_READ].requests, 3);
	assert_int_equal(stats->io[STATS_READ].bytes, (BLOCKS + 3) * CDROM_BLOCK);
	assert_int_equal(stats->in_flight, 0);
}

/* A file that has been cut under us. */
static void test_unreadable(void **state)
{
	struct fixture *f = *state;

	settle(f);
	assert_int_equal(truncate(f->path, CDROM_BLOCK), 0);
	assert_int_equal(SEND(f, 2048, 0x28, 0, 0, 0, 0, 50, 0, 0, 1)->status,
		SCSI_CHECK_CONDITION);
	assert_int_equal(
		sense_of(((struct virtio_scsi_cmd_resp *)driver_at(&f->driver, RESPONSE))->sense),
		0x031100);
	assert_int_equal(f->failed, 1);
	assert_int_equal(virtio_scsi_get_stats(f->scsi)->io[STATS_READ].errors, 1);
	expect_data(f, 2048, 2048, 0x28, 0, 0, 0, 0, 0, 0, 0, 1);
}

/* What MMC wants to be told. */
static void test_describe(void **state)
{
	struct fixture *f = *state;
	const uint8_t *data = data_of(f);

	settle(f);
	expect_data(f, 255, 26, 0x1a, 0, 0x2a, 0, 255, 0);
	assert_int_equal(data[0], 25);
	assert_int_equal(data[4], 0x2a);
	assert_int_equal(data[5], 20);
	assert_int_equal(data[10], 0x29);
	expect_data(f, 255, 42, 0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 255);
	assert_int_equal(data[1], 40);
	expect_data(f, 255, 30, 0x5a, 0, 0x6a, 0, 0, 0, 0, 0, 255);
	assert_int_equal(data[14], 0);
	expect_sense(f, 0x053900, 0x5a, 0, 0xea, 0, 0, 0, 0, 0, 255);
	expect_sense(f, 0x052400, 0x5a, 0, 0x1c, 0, 0, 0, 0, 0, 255);
	/* The table of contents: track 1 and lead-out, in blocks and in minutes. */
	expect_data(f, 255, 20, 0x43, 0, 0, 0, 0, 0, 0, 0, 255);
	assert_memory_equal(data, "\0\x12\1\1\0\x14\1\0\0\0\0\0\0\x14\xaa\0\0\0\0\x64", 20);
	expect_data(f, 255, 12, 0x43, 2, 0, 0, 0, 0, 0xaa, 0, 255);
	assert_memory_equal(data, "\0\x0a\1\1\0\x14\xaa\0\0\0\3\x19", 12);
	expect_data(f, 255, 12, 0x43, 0, 1, 0, 0, 0, 0, 0, 255);
	expect_sense(f, 0x052400, 0x43, 0, 0, 0, 0, 0, 2, 0, 255);
	expect_sense(f, 0x052400, 0x43, 0, 2, 0, 0, 0, 0, 0, 255);
	/* The features: a CD is in it. */
	expect_data(f, 255, 68, 0x46, 0, 0, 0, 0, 0, 0, 0, 255);
	assert_memory_equal(data, "\0\0\0\x40\0\0\0\x08", 8);
	expect_data(f, 255, 16, 0x46, 2, 0, 3, 0, 0, 0, 0, 255);
	assert_memory_equal(data + 8, "\0\3\3\4\x29\0\0\0", 8);
	expect_sense(f, 0x052400, 0x46, 3, 0, 0, 0, 0, 0, 0, 255);
	expect_data(f, 255, 34, 0x51, 0, 0, 0, 0, 0, 0, 0, 255);
	expect_data(f, 255, 36, 0x52, 1, 0, 0, 0, 1, 0, 0, 255);
	assert_int_equal(data[27], BLOCKS);
	expect_sense(f, 0x052400, 0xad, 0, 0, 0, 0, 0, 0, 0, 0, 255);
	expect_data(f, 8, 8, 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8);
	assert_int_equal(data[1], 0);
	expect_data(f, 0, 0, 0xbb, 0, 0xff, 0xff);
}

/* A medium larger than a CD is a DVD. */
static void test_dvd(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(truncate(f->path, 5ll << 30), 0);
	change(f, open_image(f->path));
	expect_sense(f, 0x062800, 0x00);
	expect_data(f, 255, 8, 0x46, 2, 0xff, 0xff, 0, 0, 0, 0, 255);
	assert_int_equal(data_of(f)[7], 0x10);
	expect_data(f, 2052, 2052, 0xad, 0, 0, 0, 0, 0, 0, 0, 8, 4);
	expect_data(f, 2048, 2048, 0x28, 0, 0, 0x20, 0, 0, 0, 0, 1);
	expect_data(f, 8, 8, 0x25);
	assert_memory_equal(data_of(f), "\0\x27\xff\xff", 4);
}

/* What GET EVENT STATUS NOTIFICATION has to tell: event << 8 | status. */
static unsigned event(struct fixture *f)
{
	expect_data(f, 8, 8, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8);
	assert_memory_equal(data_of(f), "\0\6\4\x10", 4);
	return (unsigned)data_of(f)[4] << 8 | data_of(f)[5];
}

/* The guest moves the tray and locks it. */
static void test_guest_tray(void **state)
{
	struct fixture *f = *state;

	settle(f);
	assert_int_equal(event(f), 0x002);
	expect_data(f, 0, 0, 0x1e, 0, 0, 0, 1);
	assert_true(cdrom_is_locked(f->drive));
	expect_sense(f, 0x055302, 0x1b, 0, 0, 0, 2);
	assert_int_equal(f->moves, 0);
	expect_data(f, 0, 0, 0x1e, 0, 0, 0, 0);
	expect_data(f, 0, 0, 0x1b, 0, 0, 0, 2);
	assert_true(cdrom_is_open(f->drive));
	assert_int_equal(event(f), 0x301);
	expect_sense(f, 0x063a00, 0x00);
	expect_sense(f, 0x023a02, 0x00);
	expect_sense(f, 0x023a02, 0x28, 0, 0, 0, 0, 0, 0, 0, 1);
	expect_sense(f, 0x023a02, 0x25);
	expect_sense(f, 0x023a02, 0x43, 0, 0, 0, 0, 0, 0, 0, 255);
	expect_data(f, 18, 18, 0x03, 0, 0, 0, 18);
	assert_int_equal(sense_of(data_of(f)), 0x023a02);
	expect_data(f, 0, 0, 0x1b, 0, 0, 0, 3);
	assert_int_equal(event(f), 0x202);
	assert_int_equal(event(f), 0x002);
	expect_data(f, 18, 18, 0x03, 0, 0, 0, 18);
	assert_int_equal(sense_of(data_of(f)), 0x062800);
	expect_data(f, 0, 0, 0x00);
	/* Unlocked, opened, closed. */
	assert_int_equal(f->moves, 3);
	expect_sense(f, 0x052400, 0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8);
	expect_data(f, 8, 4, 0x4a, 1, 0, 0, 0x02, 0, 0, 0, 8);
	assert_memory_equal(data_of(f), "\0\2\x80\x10", 4);
}

/* The host takes the medium and puts in another. */
static void test_change(void **state)
{
	struct fixture *f = *state;

	settle(f);
	expect_data(f, 0, 0, 0x1e, 0, 0, 0, 1);
	assert_false(cdrom_open(f->drive, false));
	assert_int_equal(event(f), 0x102);
	assert_false(cdrom_is_open(f->drive));
	expect_data(f, 2048, 2048, 0x28, 0, 0, 0, 0, 5, 0, 0, 1);
	assert_true(cdrom_open(f->drive, true));
	assert_false(cdrom_is_locked(f->drive));
	change(f, block_empty_new());
	cdrom_close(f->drive);
	assert_int_equal(event(f), 0x300);
	expect_sense(f, 0x063a00, 0x00);
	expect_sense(f, 0x023a01, 0x00);
	expect_data(f, 255, 8, 0x46, 1, 0xff, 0xff, 0, 0, 0, 0, 255);
	assert_int_equal(data_of(f)[7], 0);
	fill(f->path, 20, 1000);
	assert_true(cdrom_open(f->drive, false));
	change(f, open_image(f->path));
	expect_sense(f, 0x023a02, 0x00);
	cdrom_close(f->drive);
	assert_int_equal(event(f), 0x202);
	expect_sense(f, 0x062800, 0x28, 0, 0, 0, 0, 5, 0, 0, 1);
	expect_data(f, 2048, 2048, 0x28, 0, 0, 0, 0, 5, 0, 0, 1);
	assert_int_equal(*(const uint32_t *)data_of(f), 1005);
	assert_int_equal(virtio_scsi_get_stats(f->scsi)->size, 20 * CDROM_BLOCK);
}

/* Request and response in pieces, the response and the data in one buffer; a longer sense. */
static void test_framing(void **state)
{
	struct fixture *f = *state;
	struct buffer buffers[] = {
		{REQUEST, 10, false},
		{REQUEST + 10, 41, false},
		{RESPONSE, 5, true},
		{RESPONSE + 5, 103 + 1000, true},
		{DATA, 1048, true},
	};
	const uint8_t read[] = {0x28, 0, 0, 0, 0, 3, 0, 0, 1};

	settle(f);
	put_command(f, read, sizeof(read));
	memset(driver_at(&f->driver, DATA), 0xdd, 2048);
	assert_int_equal(driver_do(&f->driver, REQUESTS, buffers, 5), 108 + 2048);
	assert_int_equal(*(uint32_t *)driver_at(&f->driver, RESPONSE + 108), 3);
	assert_int_equal(data_of(f)[1047], 0);
	assert_int_equal(data_of(f)[1048], 0xdd);
	/* The driver sets the sizes: 5.6.4. */
	bus_write(f->box->mmio, f->driver.device + 20, 18, 4);
	bus_write(f->box->mmio, f->driver.device + 24, 16, 4);
	assert_int_equal(bus_read(f->box->mmio, f->driver.device + 20, 4), 18);
	const struct buffer small[] = {{REQUEST, 35, false}, {RESPONSE, 30, true}};

	put_command(f, (const uint8_t[]){0xff}, 1);
	assert_int_equal(driver_do(&f->driver, REQUESTS, small, 2), 30);
	assert_int_equal(sense_of(driver_at(&f->driver, RESPONSE + 12)), 0x052000);
	bus_write(f->box->mmio, f->driver.device + 24, 1 << 20, 4);
	assert_int_equal(driver_status(&f->driver), 0x4f);
	driver_start(&f->driver, f->box, virtio_pci_slot(f->pci), UINT64_MAX);
	assert_int_equal(bus_read(f->box->mmio, f->driver.device + 24, 4), 32);
}

static uint8_t manage(struct fixture *f, uint32_t subtype, uint8_t target)
{
	struct virtio_scsi_ctrl_tmf_req *request = driver_at(&f->driver, REQUEST);
	uint8_t *response = driver_at(&f->driver, RESPONSE);
	const struct buffer buffers[] = {
		{REQUEST, sizeof(*request), false},
		{RESPONSE, 1, true},
	};

	*request = (struct virtio_scsi_ctrl_tmf_req){.subtype = subtype, .lun = {1, target}};
	*response = 0xee;
	assert_int_equal(driver_do(&f->driver, 0, buffers, 2), 1);
	return *response;
}

static void test_control(void **state)
{
	struct fixture *f = *state;
	struct virtio_scsi_ctrl_an_req *query = driver_at(&f->driver, REQUEST);
	const struct buffer buffers[] = {
		{REQUEST, sizeof(*query), false},
		{RESPONSE, sizeof(struct virtio_scsi_ctrl_an_resp), true},
	};
	struct virtio_scsi_cmd_req *request;

	settle(f);
	expect_data(f, 0, 0, 0x1e, 0, 0, 0, 1);
	assert_int_equal(manage(f, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 0), VIRTIO_SCSI_S_OK);
	assert_int_equal(manage(f, VIRTIO_SCSI_T_TMF_ABORT_TASK, 0), VIRTIO_SCSI_S_OK);
	assert_true(cdrom_is_locked(f->drive));
	assert_int_equal(manage(f, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 0), VIRTIO_SCSI_S_OK);
	assert_false(cdrom_is_locked(f->drive));
	settle(f);
	assert_int_equal(manage(f, VIRTIO_SCSI_T_TMF_CLEAR_ACA, 0),
		VIRTIO_SCSI_S_FUNCTION_REJECTED);
	assert_int_equal(manage(f, VIRTIO_SCSI_T_TMF_ABORT_TASK, 1), VIRTIO_SCSI_S_BAD_TARGET);
	*query = (struct virtio_scsi_ctrl_an_req){.type = VIRTIO_SCSI_T_AN_QUERY, .lun = {1}};
	assert_int_equal(driver_do(&f->driver, 0, buffers, 2), 5);
	/* Another target, another unit. */
	for (unsigned i = 1; i < 4; i += 2) {
		const struct buffer inquiry[] = {
			{REQUEST, sizeof(*request), false},
			{RESPONSE, sizeof(struct virtio_scsi_cmd_resp), true},
		};

		request = put_command(f, (const uint8_t[]){0x12}, 1);
		request->lun[i] = 1;
		driver_do(&f->driver, REQUESTS, inquiry, 2);
		assert_int_equal(((struct virtio_scsi_cmd_resp *)driver_at(&f->driver, RESPONSE))
					 ->response,
			VIRTIO_SCSI_S_BAD_TARGET);
	}
}

/* Reads that wait for a limit: they can be found, and are ended by a reset of the unit. */
static void test_abort(void **state)
{
	struct fixture *f = *state;
	const struct config_rate limits[CONFIG_LIMITS] = {
		[CONFIG_LIMIT_TOTAL_BYTES] = {.rate = 1000},
	};
	struct virtio_scsi_cmd_resp *response = driver_at(&f->driver, RESPONSE + 0x800);
	const struct buffer buffers[] = {
		{REQUEST + 0x800, sizeof(struct virtio_scsi_cmd_req), false},
		{RESPONSE + 0x800, sizeof(*response), true},
		{DATA + 0x1000, 2048, true},
	};
	const struct buffer reset[] = {
		{REQUEST, sizeof(struct virtio_scsi_ctrl_tmf_req), false},
		{RESPONSE, 1, true},
	};
	const uint8_t read[] = {0x28, 0, 0, 0, 0, 3, 0, 0, 1};

	settle(f);
	block_limit_set(f->medium, limits);
	/* The first may pass as a burst. */
	expect_data(f, 2048, 2048, 0x28, 0, 0, 0, 0, 5, 0, 0, 1);
	memcpy(driver_at(&f->driver, REQUEST + 0x800), put_command(f, read, sizeof(read)),
		sizeof(struct virtio_scsi_cmd_req));
	driver_add(&f->driver, REQUESTS, buffers, 3);
	driver_notify(&f->driver, REQUESTS);
	assert_int_equal(manage(f, VIRTIO_SCSI_T_TMF_QUERY_TASK, 0),
		VIRTIO_SCSI_S_FUNCTION_SUCCEEDED);
	assert_int_equal(virtio_scsi_get_stats(f->scsi)->in_flight, 1);
	*(struct virtio_scsi_ctrl_tmf_req *)driver_at(&f->driver, REQUEST) =
		(struct virtio_scsi_ctrl_tmf_req){
			.subtype = VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, .lun = {1}};
	driver_add(&f->driver, 0, reset, 2);
	driver_notify(&f->driver, 0);
	assert_false(driver_has_used(&f->driver, 0));
	block_limit_set(f->medium, (const struct config_rate[CONFIG_LIMITS]){0});
	driver_wait(&f->driver, 0);
	driver_wait(&f->driver, REQUESTS);
	assert_int_equal(response->response, VIRTIO_SCSI_S_RESET);
	assert_int_equal(*(uint8_t *)driver_at(&f->driver, RESPONSE), VIRTIO_SCSI_S_OK);
	settle(f);
}

static void test_misuse(void **state)
{
	struct fixture *f = *state;
	const struct buffer bad[][2] = {
		{{REQUEST, 50, false}, {RESPONSE, 108, true}},
		{{REQUEST, 51, false}, {RESPONSE, 107, true}},
	};

	for (unsigned i = 0; i < 2; i++) {
		driver_add(&f->driver, REQUESTS, bad[i], 2);
		driver_notify(&f->driver, REQUESTS);
		assert_int_equal(driver_status(&f->driver), 0x4f);
		driver_start(&f->driver, f->box, virtio_pci_slot(f->pci), UINT64_MAX);
	}
	for (unsigned queue = 0; queue < 2; queue++) {
		driver_add(&f->driver, queue, &(struct buffer){REQUEST, 3, false}, 1);
		driver_notify(&f->driver, queue);
		/* The event queue's buffers are not looked at. */
		assert_int_equal(driver_status(&f->driver), queue ? 0x0f : 0x4f);
		driver_start(&f->driver, f->box, virtio_pci_slot(f->pci), UINT64_MAX);
	}
	settle(f);
}

/* A drive with a mounted medium goes on where it was; one whose medium is another says so. */
static void test_save(void **state)
{
	struct fixture *f = *state;
	struct state_out *out = state_out_new();
	struct state_in *in = state_in_new();
	const uint8_t *data;
	const char *name;
	size_t length;

	settle(f);
	expect_data(f, 0, 0, 0x1e, 0, 0, 0, 1);
	virtio_save(virtio_scsi_device(f->scsi), 0, out);
	for (unsigned i = 0; (name = state_out_record(out, i, &data, &length)); i++)
		assert_true(state_in_add(in, name, g_bytes_new(data, length), NULL));
	state_out_free(out);
	free_drive(f);
	f->drive = cdrom_new("sda", "serial-0123", &ops, f);
	f->scsi = virtio_scsi_new(&f->box->env, f->drive, f->medium, NULL);
	f->pci = virtio_pci_new(f->box->pci, f->driver.slot, virtio_scsi_device(f->scsi), NULL);
	assert_true(virtio_load(virtio_scsi_device(f->scsi), 0, in, NULL));
	state_in_free(in);
	assert_true(cdrom_is_locked(f->drive));
	virtio_freeze(virtio_scsi_device(f->scsi), false);
	struct cdrom_answer answer;

	cdrom_execute(f->drive, (const uint8_t[CDROM_CDB_MAX]){0}, &answer);
	assert_int_equal(answer.status, SCSI_GOOD);
}

static void test_save_changed(void **state)
{
	struct fixture *f = *state;
	struct state_out *out = state_out_new();
	struct state_in *in = state_in_new();
	struct cdrom *other = cdrom_new("sda", NULL, NULL, NULL);
	struct cdrom_answer answer;
	const uint8_t *data;
	const char *name;
	size_t length;

	settle(f);
	cdrom_save(f->drive, 7, out);
	name = state_out_record(out, 0, &data, &length);
	assert_true(state_in_add(in, name, g_bytes_new(data, length), NULL));
	cdrom_put(other, 3 * CDROM_BLOCK);
	assert_true(cdrom_load(other, 7, in, NULL));
	cdrom_execute(other, (const uint8_t[CDROM_CDB_MAX]){0}, &answer);
	assert_int_equal(answer.status, SCSI_CHECK_CONDITION);
	assert_int_equal(sense_of(answer.sense), 0x062800);
	cdrom_execute(other, (const uint8_t[CDROM_CDB_MAX]){0x25}, &answer);
	assert_int_equal(answer.bytes[3], 2);
	cdrom_free(other);
	state_in_free(in);
	state_out_free(out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_inquiry),
		TEST(test_read),
		TEST(test_unreadable),
		TEST(test_describe),
		TEST(test_dvd),
		TEST(test_guest_tray),
		TEST(test_change),
		TEST(test_framing),
		TEST(test_control),
		TEST(test_abort),
		TEST(test_misuse),
		TEST(test_save),
		TEST(test_save_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
