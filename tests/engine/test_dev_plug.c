// SPDX-License-Identifier: GPL-3.0-or-later
/* Token buckets, limits of disks and network cards, PCI hotplug's registers, TAP devices. */
#include "config.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include "engine/vmm/block/limit.h"
#include "engine/vmm/bucket.h"
#include "engine/vmm/dev/pcihp.h"
#include "engine/vmm/dev/pm.h"
#include "engine/vmm/net/tap.h"
#include "tests/engine/devbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gio/gio.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND 1000000000ull

/* ---- buckets ----------------------------------------------------------------------------------------- */

/* How much passes in so many seconds, in pieces, by a clock that the bucket itself moves on. */
static uint64_t pass(struct bucket *bucket, uint64_t *now, uint64_t piece, uint64_t seconds)
{
	uint64_t end = *now + seconds * SECOND, total = 0;

	for (;;) {
		uint64_t wait = bucket_wait(bucket, *now);

		if (*now + wait >= end)
			break;
		*now += wait;
		bucket_take(bucket, piece, *now);
		total += piece;
	}
	*now = end;
	return total;
}

static void a_bucket_keeps_its_rate(void **state)
{
	struct bucket bucket = { 0 };
	uint64_t now = 5 * SECOND;

	assert_int_equal(bucket_wait(&bucket, now), 0);
	bucket_set(&bucket, 1000, 0, 0, now);
	/* The rate, what passes at once, and one piece that is let through whole. */
	assert_in_range(pass(&bucket, &now, 10, 10), 10000, 10000 + 100 + 10);
	assert_in_range(pass(&bucket, &now, 10, 10), 9980, 10020);
	/* Larger than the bucket: each waits its time, none for ever. */
	assert_in_range(pass(&bucket, &now, 5000, 100), 95000, 105000);
	bucket_set(&bucket, 0, 0, 0, now);
	assert_int_equal(bucket_wait(&bucket, now), 0);
}

static void a_bucket_allows_bursts(void **state)
{
	struct bucket bucket = { 0 };
	uint64_t now = SECOND;

	/* 10 s at 500, then 100. */
	bucket_set(&bucket, 100, 5000, 500, now);
	assert_in_range(pass(&bucket, &now, 10, 10), 5000, 5000 + 60);
	now += 1000 * SECOND;
	assert_in_range(pass(&bucket, &now, 10, 60), 5000 + 6000 - 20, 5000 + 6000 + 60);
	/* Another limit does not make one pay for what was. */
	bucket_set(&bucket, 10, 0, 0, now);
	assert_true(bucket_wait(&bucket, now) <= SECOND);
}

static void a_clock_that_stands_still_is_no_harm(void **state)
{
	struct bucket bucket = { 0 };
	uint64_t wait;

	bucket_set(&bucket, 1, 1, 0, 10 * SECOND);
	bucket_take(&bucket, UINT32_MAX, 10 * SECOND);
	wait = bucket_wait(&bucket, 9 * SECOND);
	assert_true(wait >= (UINT32_MAX - 2ull) * SECOND);
	assert_int_equal(bucket_wait(&bucket, 10 * SECOND), wait);
	assert_true(bucket_wait(&bucket, 20 * SECOND) < wait);
}

/* ---- limits of a disk -------------------------------------------------------------------------------- */

/* A disk that does all at once, and counts. */
struct fast {
	struct block_backend base;
	unsigned reads, writes, flushes, drains;
};

static void fast_submit(struct block_backend *backend, struct block_request *request)
{
	struct fast *fast = (struct fast *)backend;

	fast->reads += request->op == BLOCK_READ;
	fast->writes += request->op == BLOCK_WRITE || request->op == BLOCK_ZERO;
	fast->flushes += request->op == BLOCK_FLUSH;
	request->done(request, 0);
}

static void fast_drain(struct block_backend *backend)
{
	((struct fast *)backend)->drains++;
}

static void fast_free(struct block_backend *backend)
{
}

static const struct block_backend_ops fast_ops = {
	.submit = fast_submit,
	.drain = fast_drain,
	.free = fast_free,
};

static void count_done(struct block_request *request, int error)
{
	assert_int_equal(error, 0);
	(*(unsigned *)request->opaque)++;
}

static void limits_hold_requests_and_let_them_go(void **state)
{
	struct devbox *box = devbox_new();
	struct fast fast = { .base = { .ops = &fast_ops, .size = 1 << 20 } };
	struct block_backend *disk = block_limit_new(&fast.base, box->context);
	struct config_rate limits[CONFIG_LIMITS] = { { 0 } };
	struct block_request requests[40] = { { 0 } };
	uint64_t waited = 0;
	unsigned done = 0;

	limits[CONFIG_LIMIT_READ_IOPS].rate = 50;
	block_limit_set(disk, limits);
	block_limit_count(disk, &waited);
	for (unsigned i = 0; i < 40; i++) {
		requests[i] = (struct block_request){ .op = i < 20 ? BLOCK_READ : BLOCK_WRITE,
			.length = 512, .done = count_done, .opaque = &done };
		block_submit(disk, &requests[i]);
	}
	/* Writes are not limited, nor is a flush. A tenth of a second's reads pass at once. */
	requests[39] = (struct block_request){ .op = BLOCK_FLUSH, .done = count_done,
		.opaque = &done };
	block_submit(disk, &requests[39]);
	assert_int_equal(fast.writes, 20);
	assert_int_equal(fast.flushes, 1);
	assert_true(fast.reads >= 5 && fast.reads < 20);
	assert_true(devbox_wait(box, &done, 41, 120000));
	assert_int_equal(fast.reads, 20);
	assert_true(waited > 0);

	/* Draining waits for no limit, and a limit that is taken away holds nothing. */
	limits[CONFIG_LIMIT_READ_IOPS].rate = 1;
	block_limit_set(disk, limits);
	for (unsigned i = 0; i < 20; i++)
		block_submit(disk, &requests[i]);
	assert_true(done < 61);
	block_drain(disk);
	assert_int_equal(done, 61);
	assert_int_equal(fast.drains, 1);
	for (unsigned i = 0; i < 20; i++)
		block_submit(disk, &requests[i]);
	assert_true(done < 81);
	limits[CONFIG_LIMIT_READ_IOPS].rate = 0;
	block_limit_set(disk, limits);
	assert_int_equal(done, 81);
	block_free(disk);
	devbox_free(box);
}

/* ---- PCI hotplug ----------------------------------------------------------------------------------------- */

struct told {
	uint32_t ejected, refused;
};

static void ejected(void *data, unsigned slot)
{
	((struct told *)data)->ejected |= 1u << slot;
}

static void refused(void *data, unsigned slot)
{
	((struct told *)data)->refused |= 1u << slot;
}

static void hotplug_registers(void **state)
{
	static const struct pcihp_ops ops = { .ejected = ejected, .refused = refused };
	static const struct pm_ops pm_ops = { .power_off = NULL };
	struct devbox *box = devbox_new();
	struct told told = { 0 };
	struct pm *pm = pm_new(
		box->ports, box->clock, (struct irq_line){ &box->router, PM_SCI }, &pm_ops, NULL);
	struct pcihp *pcihp = pcihp_new(box->ports, pm, &ops, &told);

	devbox_out(box, PM_GPE + 4, 1u << PCIHP_GPE, 4);
	assert_false(box->level[PM_SCI]);
	pcihp_plugged(pcihp, 7);
	pcihp_plugged(pcihp, 31);
	assert_true(box->level[PM_SCI]);
	devbox_out(box, PM_GPE, 1u << PCIHP_GPE, 4);
	assert_false(box->level[PM_SCI]);
	assert_int_equal(devbox_in(box, PCIHP_BASE, 4), 1u << 7 | 1u << 31);
	assert_int_equal(devbox_in(box, PCIHP_BASE, 4), 0);

	pcihp_ask(pcihp, 7);
	pcihp_ask(pcihp, 31);
	assert_true(box->level[PM_SCI]);
	assert_int_equal(devbox_in(box, PCIHP_BASE + 4, 4), 1u << 7 | 1u << 31);
	devbox_out(box, PCIHP_BASE + 8, 1u << 7, 4);
	assert_int_equal(told.ejected, 1u << 7);
	devbox_out(box, PCIHP_BASE + 12, 1u << 31, 4);
	assert_int_equal(told.refused, 1u << 31);
	assert_int_equal(devbox_in(box, PCIHP_BASE + 4, 4), 0);

	/* Nonsense: the host bridge, other sizes, registers that are only read. */
	devbox_out(box, PCIHP_BASE + 8, 1, 4);
	devbox_out(box, PCIHP_BASE + 8, 2, 1);
	devbox_out(box, PCIHP_BASE, UINT32_MAX, 4);
	assert_int_equal(told.ejected, 1u << 7);
	assert_int_equal(devbox_in(box, PCIHP_BASE, 1), 0xff);
	assert_int_equal(devbox_in(box, PCIHP_BASE + 8, 4), 0);
	pcihp_ask(pcihp, 3);
	pcihp_reset(pcihp);
	assert_int_equal(devbox_in(box, PCIHP_BASE + 4, 4), 0);
	pcihp_free(pcihp);
	pm_free(pm);
	devbox_free(box);
}

/* ---- TAP devices --------------------------------------------------------------------------------------- */

/* What a network card would be. */
struct card {
	unsigned received, refused;
	bool full;
	size_t length;
	uint8_t last;
};

static bool card_receive(void *device, const void *frame, size_t length)
{
	struct card *card = device;

	if (card->full) {
		card->refused++;
		return false;
	}
	card->received++;
	card->length = length;
	card->last = ((const uint8_t *)frame)[length - 1];
	return true;
}

static void card_nothing(void *device)
{
}

static const struct net_client card_ops = {
	.receive = card_receive,
	.writable = card_nothing,
	.link_changed = card_nothing,
	.received = card_nothing,
};

static void a_socket_is_a_cable(void **state)
{
	struct devbox *box = devbox_new();
	struct card card = { .full = true };
	struct net_backend *net;
	uint8_t frame[100] = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	net = net_tap_new(&(struct net_tap_config){ .fd = pair[1] }, box->context, &box->lock, NULL);
	assert_non_null(net);
	assert_null(net_tap_name(net));
	net_connect(net, &card_ops, &card);
	for (unsigned i = 1; i <= 3; i++) {
		frame[59 + i] = (uint8_t)i;
		assert_int_equal(send(pair[0], frame, 60 + i, 0), 60 + i);
	}
	/* The card has no room: the first waits, and the rest behind it. */
	assert_true(devbox_wait(box, &card.refused, 1, 120000));
	assert_int_equal(card.received, 0);
	card.full = false;
	net->ops->resume(net);
	assert_true(devbox_wait(box, &card.received, 3, 120000));
	assert_int_equal(card.length, 63);
	assert_int_equal(card.last, 3);
	assert_int_equal(net->ops->send(net, &(struct iovec){ frame, 77 }, 1), NET_SENT);
	assert_int_equal(recv(pair[0], frame, sizeof(frame), 0), 77);
	/* Nobody reads: it is said to wait, not lost for ever. */
	for (unsigned i = 0; i < 10000; i++)
		if (net->ops->send(net, &(struct iovec){ frame, 77 }, 1) == NET_BUSY)
			break;
	assert_int_equal(net->ops->send(net, &(struct iovec){ frame, 77 }, 1), NET_BUSY);
	close(pair[0]);
	net_free(net);
	devbox_free(box);
}

static void what_is_no_cable_is_refused(void **state)
{
	struct devbox *box = devbox_new();
	g_autoptr(GError) error = NULL;
	int pair[2];

	assert_int_equal(pipe(pair), 0);
	assert_null(net_tap_new(
		&(struct net_tap_config){ .fd = pair[1] }, box->context, &box->lock, &error));
	assert_non_null(strstr(error->message, "neither"));
	close(pair[0]);
	devbox_free(box);
}

/* A socket that sees all that passes a device. */
static int listen_on(const char *device)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(0x88b5) };
	struct timeval patience = { .tv_sec = 120 };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(0x88b5));
	struct ifreq request = { 0 };

	g_strlcpy(request.ifr_name, device, IFNAMSIZ);
	if (fd < 0 || ioctl(fd, SIOCGIFINDEX, &request))
		return -1;
	address.sll_ifindex = request.ifr_ifindex;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -1 : fd;
}

#define NO_NETWORK 77

/* In a child with a network of its own: a frame goes through a TAP device to the bridge it is in. */
static int try_bridge(void)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };
	struct devbox *box = devbox_new();
	uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 1, 2, 3, 0x88, 0xb5,
		0x77 };
	struct ifreq request = { .ifr_name = "lodgebr" };
	g_autoptr(GError) error = NULL;
	struct net_backend *net;
	int control, fd;

	if ((unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) ||
		access("/dev/net/tun", R_OK | W_OK))
		return NO_NETWORK;
	control = socket(AF_INET, SOCK_DGRAM, 0);
	if (ioctl(control, SIOCBRADDBR, "lodgebr"))
		return NO_NETWORK;
	request.ifr_flags = IFF_UP;
	if (ioctl(control, SIOCSIFFLAGS, &request))
		return 1;
	net = net_tap_new(&(struct net_tap_config){ .fd = -1, .bridge = "nosuchbridge", .mac = mac },
		box->context, &box->lock, &error);
	if (net || !error)
		return 2;
	g_clear_error(&error);
	net = net_tap_new(
		&(struct net_tap_config){ .fd = -1, .bridge = "lodgebr", .mac = mac, .mtu = 1400 },
		box->context, &box->lock, &error);
	if (!net)
		return error->code == G_IO_ERROR_PERMISSION_DENIED ? NO_NETWORK : 3;
	if (!g_str_has_prefix(net_tap_name(net), "vnet"))
		return 4;
	fd = listen_on("lodgebr");
	if (fd < 0)
		return 5;
	if (net->ops->send(net, &(struct iovec){ frame, sizeof(frame) }, 1) != NET_SENT)
		return 6;
	return recv(fd, frame, sizeof(frame), 0) == sizeof(frame) && frame[14] == 0x77 ? 0 : 7;
}

static void a_tap_device_joins_its_bridge(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(try_bridge());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_NETWORK)
		skip(); /* not here */
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_keeps_its_rate),
		cmocka_unit_test(a_bucket_allows_bursts),
		cmocka_unit_test(a_clock_that_stands_still_is_no_harm),
		cmocka_unit_test(limits_hold_requests_and_let_them_go),
		cmocka_unit_test(hotplug_registers),
		cmocka_unit_test(a_socket_is_a_cable),
		cmocka_unit_test(what_is_no_cable_is_refused),
		cmocka_unit_test(a_tap_device_joins_its_bridge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
