// SPDX-License-Identifier: GPL-3.0-or-later
/* The virtio network card: over a backend of the test's own, and over passt, which must answer DHCP
 * for root and for a user without privileges. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine/vmm/dev/virtio_net.h"
#include "engine/vmm/net/passt.h"
#include "engine/vmm/net/passt_program.h"
#include "tests/engine/devbox.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEADER 12u
#define RX DRIVER_DATA
#define TX (DRIVER_DATA + 0x80000)
#define NOBODY 65534

/* A cable that ends in the test. */
struct cable {
	struct net_backend base;
	bool busy;
	unsigned frames, resumed;
	size_t length;
	uint8_t frame[NET_FRAME_MAX];
};

static enum net_sent cable_send(
	struct net_backend *backend, const struct iovec *iov, unsigned iov_count)
{
	struct cable *cable = (struct cable *)backend;

	if (cable->busy)
		return NET_BUSY;
	cable->frames++;
	cable->length = 0;
	for (unsigned i = 0; i < iov_count; i++) {
		memcpy(cable->frame + cable->length, iov[i].iov_base, iov[i].iov_len);
		cable->length += iov[i].iov_len;
	}
	return NET_SENT;
}

static void cable_resume(struct net_backend *backend)
{
	((struct cable *)backend)->resumed++;
}

static const struct net_backend_ops cable_ops = {.send = cable_send, .resume = cable_resume};

static const uint8_t mac[6] = {0x52, 0x54, 0, 1, 2, 3};

struct fixture {
	struct devbox *box;
	struct cable cable;
	struct virtio_net *net;
	struct virtio_pci *pci;
	struct driver driver;
};

static void plug(struct fixture *f, struct net_backend *backend, uint64_t features)
{
	f->net = virtio_net_new(&f->box->env, mac, NET_PASST_MTU, backend);
	f->pci = virtio_pci_new(f->box->pci, 0, virtio_net_device(f->net), NULL);
	driver_start(&f->driver, f->box, virtio_pci_slot(f->pci), features);
}

static void unplug(struct fixture *f)
{
	virtio_pci_free(f->pci);
	virtio_net_free(f->net);
	f->pci = NULL;
	f->net = NULL;
}

static int set_up(void **state)
{
	struct fixture *f = g_new0(struct fixture, 1);

	f->box = devbox_new();
	f->cable.base.ops = &cable_ops;
	f->cable.base.link_up = true;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	unplug(f);
	devbox_free(f->box);
	g_free(f);
	return 0;
}

/* Sends a frame of length bytes at TX + HEADER, in two pieces. */
static void transmit(struct fixture *f, size_t length)
{
	struct buffer buffers[] = {
		{TX, HEADER + 10, false}, {TX + HEADER + 10, length - 10, false}};

	driver_add(&f->driver, 1, buffers, 2);
	driver_notify(&f->driver, 1);
}

static void offer_buffers(struct fixture *f, unsigned count, uint32_t length)
{
	for (unsigned i = 0; i < count; i++)
		driver_add(&f->driver, 0, &(struct buffer){RX + i * 0x4000, length, true}, 1);
	driver_notify(&f->driver, 0);
}

static bool receive(struct fixture *f, const void *frame, size_t length)
{
	bool taken = f->cable.base.client->receive(f->cable.base.device, frame, length);

	f->cable.base.client->received(f->cable.base.device);
	return taken;
}

static void test_config(void **state)
{
	struct fixture *f = *state;

	plug(f, &f->cable.base, UINT64_MAX);
	assert_int_equal(bus_read(f->box->mmio, f->driver.device + 4, 2), mac[4] | mac[5] << 8);
	assert_int_equal(bus_read(f->box->mmio, f->driver.device + 6, 2), 1);
	assert_int_equal(bus_read(f->box->mmio, f->driver.device + 10, 2), NET_PASST_MTU);
	virtio_net_set_link(f->net, false);
	assert_int_equal(f->box->messages, 1);
	assert_int_equal(bus_read(f->box->mmio, f->driver.device + 6, 2), 0);
	/* Frames of a card without link are taken and dropped. */
	transmit(f, 60);
	driver_wait(&f->driver, 1);
	assert_int_equal(f->cable.frames, 0);
	assert_int_equal(virtio_net_get_stats(f->net)->tx_drops, 1);
	virtio_net_set_link(f->net, true);
	assert_int_equal(bus_read(f->box->mmio, f->driver.device + 6, 2), 1);
}

static void test_transmit(void **state)
{
	struct fixture *f = *state;
	uint8_t *frame;

	plug(f, &f->cable.base, UINT64_MAX);
	frame = driver_at(&f->driver, TX + HEADER);
	for (unsigned i = 0; i < 1000; i++)
		frame[i] = i * 7;
	transmit(f, 1000);
	driver_wait(&f->driver, 1);
	assert_int_equal(f->cable.length, 1000);
	assert_memory_equal(f->cable.frame, frame, 1000);
	/* Busy: nothing is lost, and it goes on when there is room. */
	f->cable.busy = true;
	transmit(f, 100);
	transmit(f, 200);
	assert_false(driver_has_used(&f->driver, 1));
	f->cable.busy = false;
	f->cable.base.client->writable(f->cable.base.device);
	driver_wait(&f->driver, 1);
	driver_wait(&f->driver, 1);
	assert_int_equal(f->cable.frames, 3);
	assert_int_equal(f->cable.length, 200);
	assert_int_equal(virtio_net_get_stats(f->net)->tx_bytes, 1300);
	/* Too short for a frame; too short for a header. */
	transmit(f, 12);
	driver_wait(&f->driver, 1);
	assert_int_equal(f->cable.frames, 3);
	driver_add(&f->driver, 1, &(struct buffer){TX, 11, false}, 1);
	driver_notify(&f->driver, 1);
	assert_int_equal(driver_status(&f->driver), 0x4f);
}

static uint16_t sum_of(const uint8_t *data, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += i & 1 ? data[i] : data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void test_checksum(void **state)
{
	struct fixture *f = *state;
	struct virtio_net_hdr_v1 *header;
	uint8_t *frame;

	plug(f, &f->cable.base, UINT64_MAX);
	header = driver_at(&f->driver, TX);
	frame = driver_at(&f->driver, TX + HEADER);
	for (unsigned length = 60; length < 70; length++) {
		uint8_t before[70];

		for (unsigned i = 0; i < length; i++)
			frame[i] = g_random_int();
		memcpy(before, frame, length);
		header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		header->csum_start = 34;
		header->csum_offset = 16;
		transmit(f, length);
		driver_wait(&f->driver, 1);
		/* The field held the pseudo header's sum; together they are all ones, or zero. */
		assert_int_equal(f->cable.length, length);
		assert_int_equal(
			(sum_of(f->cable.frame + 34, length - 34) + sum_of(before + 50, 2)) %
				0xffff,
			0);
		assert_memory_equal(f->cable.frame, before, 50);
		assert_memory_equal(f->cable.frame + 52, before + 52, length - 52);
	}
	/* Outside of the frame. */
	header->csum_start = 65000;
	f->cable.frames = 0;
	transmit(f, 60);
	driver_wait(&f->driver, 1);
	header->csum_start = 34;
	header->csum_offset = 25;
	transmit(f, 60);
	driver_wait(&f->driver, 1);
	assert_int_equal(f->cable.frames, 0);
}

static void test_receive(void **state)
{
	struct fixture *f = *state;
	struct virtio_net_hdr_v1 *header;
	uint8_t *frame = g_malloc(40000);

	for (unsigned i = 0; i < 40000; i++)
		frame[i] = i * 13;
	plug(f, &f->cable.base, UINT64_MAX);
	header = driver_at(&f->driver, RX);
	/* No buffers: it waits; a kick asks for it again. */
	assert_false(receive(f, frame, 60));
	offer_buffers(f, 1, 2000);
	assert_int_equal(f->cable.resumed, 1);
	assert_true(receive(f, frame, 60));
	assert_int_equal(driver_wait(&f->driver, 0), 72);
	assert_int_equal(header->num_buffers, 1);
	assert_int_equal(header->flags, VIRTIO_NET_HDR_F_DATA_VALID);
	assert_memory_equal(driver_at(&f->driver, RX + HEADER), frame, 60);
	/* Three buffers for one frame; two are not enough and stay. */
	offer_buffers(f, 2, 0x4000);
	assert_false(receive(f, frame, 40000));
	assert_false(driver_has_used(&f->driver, 0));
	driver_add(&f->driver, 0, &(struct buffer){RX + 0x8000, 0x4000, true}, 1);
	driver_notify(&f->driver, 0);
	assert_true(receive(f, frame, 40000));
	assert_int_equal(driver_wait(&f->driver, 0), 0x4000);
	assert_int_equal(driver_wait(&f->driver, 0), 0x4000);
	assert_int_equal(driver_wait(&f->driver, 0), 40000 + HEADER - 0x8000);
	assert_int_equal(header->num_buffers, 3);
	assert_memory_equal(driver_at(&f->driver, RX + HEADER), frame, 0x4000 - HEADER);
	assert_memory_equal(driver_at(&f->driver, RX + 0x4000), frame + 0x4000 - HEADER, 0x4000);
	assert_memory_equal(driver_at(&f->driver, RX + 0x8000), frame + 0x8000 - HEADER,
		40000 + HEADER - 0x8000);
	assert_int_equal(virtio_net_get_stats(f->net)->rx_bytes, 40060);
	g_free(frame);
}

static void test_receive_plain(void **state)
{
	struct fixture *f = *state;
	uint8_t frame[200] = {1};

	/* Without mergeable buffers a frame that does not fit is lost, its buffer is not. */
	plug(f, &f->cable.base, 0);
	offer_buffers(f, 1, 100);
	assert_true(receive(f, frame, 200));
	assert_false(driver_has_used(&f->driver, 0));
	assert_int_equal(virtio_net_get_stats(f->net)->rx_drops, 1);
	assert_true(receive(f, frame, 88));
	assert_int_equal(driver_wait(&f->driver, 0), 100);
	assert_int_equal(*(uint8_t *)driver_at(&f->driver, RX), 0);
	/* A buffer that cannot even hold the header. */
	offer_buffers(f, 1, 12);
	assert_true(receive(f, frame, 60));
	assert_int_equal(driver_status(&f->driver), 0x4f);
	driver_set_status(&f->driver, 0);
	assert_int_equal(driver_status(&f->driver), 0);
	/* A stopped device takes and drops. */
	assert_true(receive(f, frame, 60));
}

/* ---- passt ---- */

static bool have_passt(void)
{
	g_autofree char *path = g_find_program_in_path("passt");

	if (!path)
		print_message("skipped: passt is not installed\n");
	return path;
}

/* A DHCPDISCOVER as an Ethernet frame; its length. RFC 2131. */
static size_t make_discover(uint8_t *frame)
{
	static const uint8_t options[] = {99, 130, 83, 99, 53, 1, 1, 55, 2, 1, 3, 255};
	size_t udp = 8 + 236 + sizeof(options), ip = 20 + udp;
	uint16_t sum;

	memset(frame, 0, 14 + ip);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6);
	frame[12] = 0x08;
	frame[14] = 0x45;
	frame[16] = ip >> 8;
	frame[17] = ip & 0xff;
	frame[22] = 64;
	frame[23] = 17;
	memset(frame + 30, 0xff, 4);
	sum = ~sum_of(frame + 14, 20);
	frame[24] = sum >> 8;
	frame[25] = sum & 0xff;
	frame[35] = 68;
	frame[37] = 67;
	frame[38] = udp >> 8;
	frame[39] = udp & 0xff;
	frame[42] = frame[43] = 1;
	frame[44] = 6;
	frame[46] = 0x12;
	memcpy(frame + 70, mac, 6);
	memcpy(frame + 42 + 236, options, sizeof(options));
	return 14 + ip;
}

/* Sends DHCPDISCOVER until an offer comes; whether it did. */
static bool get_offer(struct fixture *f)
{
	memset(driver_at(&f->driver, TX), 0, HEADER);
	for (unsigned attempt = 0; attempt < 300; attempt++) {
		transmit(f, make_discover(driver_at(&f->driver, TX + HEADER)));
		driver_wait(&f->driver, 1);
		for (unsigned i = 0; i < 200 && !driver_has_used(&f->driver, 0); i++)
			devbox_run(f->box, 1);
		while (driver_has_used(&f->driver, 0)) {
			struct vring_used *used = driver_used(&f->driver, 0);
			uint16_t id = used->ring[f->driver.used_seen[0] % DRIVER_QUEUE].id;
			const uint8_t *frame = driver_at(
				&f->driver, driver_descriptors(&f->driver, 0)[id].addr + HEADER);

			driver_wait(&f->driver, 0);
			if (frame[23] == 17 && frame[37] == 68 && frame[42] == 2)
				return true;
		}
	}
	return false;
}

/* The other end of the cable. */
struct user_cable {
	struct fixture *f;
	struct passt_program_config config;
	struct passt_program *passt;
};

static void end_passt(void *data)
{
	struct user_cable *cable = data;

	g_clear_pointer(&cable->passt, passt_program_free);
}

static int start_passt(void *data, GError **error)
{
	struct user_cable *cable = data;
	int fd;

	end_passt(data);
	cable->passt = passt_program_new(&cable->config, &fd, error);
	return cable->passt ? fd : -1;
}

static void warn(void *data, const char *message)
{
	struct devbox *box = ((struct user_cable *)data)->f->box;

	box->env.warn(box, message);
}

static struct net_backend *open_cable(struct user_cable *cable, GError **error)
{
	const struct net_passt_config config = {
		.open = start_passt,
		.close = end_passt,
		.warn = warn,
		.data = cable,
	};

	return net_passt_new(&config, cable->f->box->context, &cable->f->box->lock, error);
}

static void run_passt(struct fixture *f)
{
	struct user_cable cable = {.f = f};
	struct net_backend *backend = open_cable(&cable, NULL);

	assert_non_null(backend);
	assert_true(passt_program_pid(cable.passt) > 0);
	plug(f, backend, UINT64_MAX);
	offer_buffers(f, DRIVER_QUEUE, 0x4000);
	assert_true(get_offer(f));
	unplug(f);
	net_free(backend);
}

static void test_passt(void **state)
{
	if (!have_passt())
		skip();
	run_passt(*state);
}

/* The same in a child process that has given up root. */
static void test_passt_unprivileged(void **state)
{
	int status;
	pid_t child;

	if (!have_passt())
		skip();
	if (geteuid())
		skip(); /* that is what the test before does */
	child = fork();
	if (!child) {
		if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
			_exit(2);
		g_chdir("/");
		run_passt(*state);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_passt_dies(void **state)
{
	struct fixture *f = *state;
	struct user_cable cable = {.f = f};
	struct net_backend *backend;

	if (!have_passt())
		skip();
	backend = open_cable(&cable, NULL);
	plug(f, backend, UINT64_MAX);
	kill(passt_program_pid(cable.passt), SIGKILL);
	for (unsigned i = 0; i < 120000 && backend->link_up; i++)
		devbox_run(f->box, 1);
	assert_false(backend->link_up);
	assert_int_equal(f->box->warnings, 1);
	assert_int_equal(bus_read(f->box->mmio, f->driver.device + 6, 2), 0);
	transmit(f, 60);
	driver_wait(&f->driver, 1);
	assert_int_equal(virtio_net_get_stats(f->net)->tx_drops, 1);
	/* A second later there is a new one, and it works. */
	for (unsigned i = 0; i < 120000 && !backend->link_up; i++)
		devbox_run(f->box, 1);
	assert_true(backend->link_up);
	offer_buffers(f, DRIVER_QUEUE, 0x4000);
	assert_true(get_offer(f));
	unplug(f);
	net_free(backend);
}

static void test_passt_missing(void **state)
{
	struct user_cable cable = {.f = *state, .config = {.program = "/nonexistent/passt", .log = -1}};
	g_autoptr(GError) error = NULL;

	assert_null(open_cable(&cable, &error));
	assert_non_null(strstr(error->message, "/nonexistent/passt"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_config),
		TEST(test_transmit),
		TEST(test_checksum),
		TEST(test_receive),
		TEST(test_receive_plain),
		TEST(test_passt),
		TEST(test_passt_unprivileged),
		TEST(test_passt_dies),
		TEST(test_passt_missing),
	};

	return cmocka_run_group_tests_name("virtio net", tests, NULL, NULL);
}
