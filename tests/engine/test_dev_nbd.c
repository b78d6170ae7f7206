// SPDX-License-Identifier: GPL-3.0-or-later
/* The NBD client, against a server of the test's own: one that keeps to the protocol, and many that do
 * not. */
#include "config.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include "engine/vmm/block/nbd.h"

#include <errno.h>
#include <gio/gio.h>
#include <linux/nbd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE (40u << 20)
#define FLAGS (1 | 4 | 8 | 32 | 64) /* flush, FUA, trim, write zeroes */

enum evil {
	GOOD,
	BAD_GREETING,
	NO_GREETING,
	BAD_REPLY_MAGIC,
	ENDLESS_REPLIES,
	HUGE_REPLY,
	UNKNOWN_EXPORT,
	EMPTY_EXPORT,
	/* From here on the negotiation works. */
	HANGS_UP,
	WRONG_MAGIC,
	WRONG_HANDLE,
	ANSWERS_TWICE,
	HALF_A_READ,
	SILENT, /* answers when the test says so */
};

struct server {
	int fd;
	enum evil evil;
	uint16_t flags;
	GThread *thread;
	uint8_t *data;
	unsigned requests, flushes, trims, zeroes, fuas;
	uint32_t longest;
	int error; /* answered to all */
	unsigned go; /* SILENT: answers now */
};

static bool get(int fd, void *data, size_t length)
{
	return recv(fd, data, length, MSG_WAITALL) == (ssize_t)length;
}

static bool put(int fd, const void *data, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = send(fd, (const uint8_t *)data + done, length - done, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static void put_be(GByteArray *array, uint64_t value, unsigned size)
{
	while (size-- > 0) {
		uint8_t byte = (uint8_t)(value >> 8 * size);

		g_byte_array_append(array, &byte, 1);
	}
}

static bool put_array(int fd, GByteArray *array)
{
	bool ok = put(fd, array->data, array->len);

	g_byte_array_free(array, TRUE);
	return ok;
}

static bool put_reply(struct server *server, uint32_t type, uint32_t length)
{
	GByteArray *reply = g_byte_array_new();

	put_be(reply, server->evil == BAD_REPLY_MAGIC ? 1 : 0x0003e889045565a9ull, 8);
	put_be(reply, 7, 4);
	put_be(reply, type, 4);
	put_be(reply, length, 4);
	return put_array(server->fd, reply);
}

static bool put_export(struct server *server)
{
	GByteArray *info = g_byte_array_new();

	put_be(info, 0, 2);
	put_be(info, server->evil == EMPTY_EXPORT ? 0 : SIZE, 8);
	put_be(info, server->flags, 2);
	return put_reply(server, 3, 12) && put_array(server->fd, info);
}

static bool negotiate(struct server *server)
{
	GByteArray *hello = g_byte_array_new();
	uint8_t answer[4], option[16], name[100];
	uint32_t length;

	put_be(hello, server->evil == BAD_GREETING ? 5 : 0x4e42444d41474943ull, 8);
	put_be(hello, 0x49484156454f5054ull, 8);
	put_be(hello, 3, 2);
	if (server->evil == NO_GREETING || !put_array(server->fd, hello)) {
		if (server->evil == NO_GREETING)
			g_byte_array_free(hello, TRUE);
		return false;
	}
	if (!get(server->fd, answer, 4) || !get(server->fd, option, 16))
		return false;
	memcpy(&length, option + 12, 4);
	if (!get(server->fd, name, GUINT32_FROM_BE(length)))
		return false;
	while (server->evil == ENDLESS_REPLIES)
		if (!put_export(server))
			return false;
	if (server->evil == HUGE_REPLY)
		return put_reply(server, 3, UINT32_MAX) && false;
	if (server->evil == UNKNOWN_EXPORT)
		return put_reply(server, 0x80000006u, 0) && false;
	return put_export(server) && put_reply(server, 1, 0);
}

/* Carries out a request; false: the server is done. */
static bool obey(struct server *server, const struct nbd_request *request)
{
	uint32_t type = GUINT32_FROM_BE(request->type) & 0xffff;
	uint32_t length = GUINT32_FROM_BE(request->len);
	uint64_t offset = GUINT64_FROM_BE(request->from);

	assert_true(type == NBD_CMD_FLUSH || (offset <= SIZE && length <= SIZE - offset));
	server->requests++;
	server->fuas += GUINT32_FROM_BE(request->type) >> 16 & 1;
	server->flushes += type == NBD_CMD_FLUSH;
	server->trims += type == NBD_CMD_TRIM;
	server->zeroes += type == 6;
	server->longest = MAX(server->longest, length);
	if (type == NBD_CMD_WRITE && !get(server->fd, server->data + offset, length))
		return false;
	if (type == 6)
		memset(server->data + offset, 0, length);
	return server->evil != HANGS_UP;
}

static bool answer(struct server *server, const struct nbd_request *request)
{
	struct nbd_reply reply = { .magic = GUINT32_TO_BE(NBD_REPLY_MAGIC) };
	uint32_t length = GUINT32_FROM_BE(request->len);
	bool data = (GUINT32_FROM_BE(request->type) & 0xffff) == NBD_CMD_READ && !server->error;

	memcpy(reply.handle, request->handle, sizeof(reply.handle));
	reply.error = GUINT32_TO_BE((uint32_t)server->error);
	if (server->evil == WRONG_MAGIC)
		reply.magic = 0;
	if (server->evil == WRONG_HANDLE)
		memset(reply.handle, 0xff, sizeof(reply.handle));
	if (!put(server->fd, &reply, sizeof(reply)))
		return false;
	if (data && server->evil == HALF_A_READ)
		return put(server->fd, server->data, length / 2) && false;
	if (data && !put(server->fd, server->data + GUINT64_FROM_BE(request->from), length))
		return false;
	return server->evil != ANSWERS_TWICE || put(server->fd, &reply, sizeof(reply));
}

static void *serve(void *data)
{
	struct server *server = data;
	struct nbd_request request;

	if (negotiate(server)) {
		while (get(server->fd, &request, sizeof(request)) &&
			GUINT32_FROM_BE(request.type) != NBD_CMD_DISC) {
			if (!obey(server, &request))
				break;
			while (server->evil == SILENT && !g_atomic_int_get(&server->go))
				g_usleep(1000);
			if (!answer(server, &request))
				break;
		}
	}
	shutdown(server->fd, SHUT_RDWR);
	return NULL;
}

struct lost {
	unsigned count;
};

static void lost(void *data, const char *why)
{
	assert_non_null(why);
	g_atomic_int_inc(&((struct lost *)data)->count);
}

/* Starts the server and connects; NULL where it does not come to that. */
static struct block_backend *start(
	struct server *server, enum evil evil, struct lost *listener, GError **error)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	*server = (struct server){ .fd = pair[0], .evil = evil, .data = g_malloc(SIZE),
		.flags = server->flags ? server->flags : FLAGS };
	memset(server->data, 0x5a, SIZE);
	server->thread = g_thread_new("server", serve, server);
	return block_nbd_new(&(struct block_nbd_config){ .fd = pair[1], .export_name = "disk",
				     .discard = true, .lost = lost, .lost_data = listener },
		error);
}

static void stop(struct server *server, struct block_backend *disk)
{
	block_free(disk);
	g_thread_join(server->thread);
	close(server->fd);
	g_free(server->data);
}

/* ---- requests ---------------------------------------------------------------------------------------- */

struct wait {
	GMutex mutex;
	GCond cond;
	unsigned done;
	int error;
};

static void done(struct block_request *request, int error)
{
	struct wait *wait = request->opaque;

	g_mutex_lock(&wait->mutex);
	wait->done++;
	if (error)
		wait->error = error;
	g_cond_signal(&wait->cond);
	g_mutex_unlock(&wait->mutex);
}

static void wait_for(struct wait *wait, unsigned count)
{
	g_mutex_lock(&wait->mutex);
	while (wait->done < count)
		g_cond_wait(&wait->cond, &wait->mutex);
	g_mutex_unlock(&wait->mutex);
}

/* One request, waited for; its error. */
static int request(struct block_backend *disk, enum block_op op, uint64_t offset, void *data,
	uint64_t length, bool durable)
{
	struct wait wait = { 0 };
	struct iovec iov[2] = { { data, length / 2 },
		{ data ? (uint8_t *)data + length / 2 : NULL, length - length / 2 } };
	struct block_request request = { .op = op, .offset = offset, .length = length, .iov = iov,
		.iov_count = data ? 2 : 0, .durable = durable, .done = done, .opaque = &wait };

	block_submit(disk, &request);
	wait_for(&wait, 1);
	return wait.error;
}

static void a_good_server_is_a_disk(void **state)
{
	struct server server = { 0 };
	struct lost listener = { 0 };
	struct block_backend *disk = start(&server, GOOD, &listener, NULL);
	g_autofree uint8_t *data = g_malloc(SIZE);

	assert_non_null(disk);
	assert_int_equal(disk->size, SIZE);
	assert_true(disk->can_discard);
	assert_int_equal(request(disk, BLOCK_READ, 4096, data, 8192, false), 0);
	assert_int_equal(data[8191], 0x5a);
	/* Longer than a server takes at once. */
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (uint8_t)(i * 7 + (i >> 12));
	assert_int_equal(request(disk, BLOCK_WRITE, 0, data, SIZE, true), 0);
	assert_memory_equal(server.data, data, SIZE);
	assert_true(server.longest <= 32u << 20);
	assert_true(server.fuas >= 2);
	memset(data, 0, SIZE);
	assert_int_equal(request(disk, BLOCK_READ, 0, data, SIZE, false), 0);
	assert_memory_equal(server.data, data, SIZE);
	assert_int_equal(request(disk, BLOCK_FLUSH, 0, NULL, 0, false), 0);
	assert_int_equal(request(disk, BLOCK_DISCARD, 0, NULL, SIZE, false), 0);
	assert_int_equal(request(disk, BLOCK_ZERO, 8192, NULL, 1 << 20, false), 0);
	assert_int_equal(server.flushes, 1);
	assert_int_equal(server.trims, 1);
	assert_int_equal(server.zeroes, 1);
	assert_int_equal(server.data[8192], 0);
	server.error = ENOSPC;
	assert_int_equal(request(disk, BLOCK_WRITE, 0, data, 512, false), ENOSPC);
	server.error = 123456;
	assert_int_equal(request(disk, BLOCK_READ, 0, data, 512, false), EIO);
	stop(&server, disk);
	assert_int_equal(listener.count, 0);
}

static void a_simple_server_will_do(void **state)
{
	struct server server = { .flags = 1 | 4 };
	struct lost listener = { 0 };
	struct block_backend *disk = start(&server, GOOD, &listener, NULL);
	uint8_t data[1024] = { 1 };

	assert_false(disk->can_discard);
	/* Durable without FUA: a flush after it. Zeroes by writing them. Discards are dropped. */
	assert_int_equal(request(disk, BLOCK_WRITE, 0, data, sizeof(data), true), 0);
	assert_int_equal(server.flushes, 1);
	assert_int_equal(request(disk, BLOCK_ZERO, 512, NULL, 200000 - 200000 % 512, false), 0);
	assert_int_equal(server.data[0], 1);
	assert_int_equal(server.data[512], 0);
	assert_int_equal(server.data[199000], 0);
	assert_int_equal(request(disk, BLOCK_DISCARD, 0, NULL, 4096, false), 0);
	assert_int_equal(server.trims + server.zeroes, 0);
	stop(&server, disk);
}

static void many_requests_are_under_way(void **state)
{
	enum { COUNT = 300 };
	struct server server = { 0 };
	struct lost listener = { 0 };
	struct block_backend *disk = start(&server, SILENT, &listener, NULL);
	struct block_request *requests = g_new0(struct block_request, COUNT);
	g_autofree uint8_t *data = g_malloc0(COUNT * 512);
	struct iovec iov[COUNT];
	struct wait wait = { 0 };

	for (unsigned i = 0; i < COUNT; i++) {
		memset(server.data + 512 * i, (int)i, 512);
		iov[i] = (struct iovec){ data + 512 * i, 512 };
		requests[i] = (struct block_request){ .op = BLOCK_READ, .offset = 512 * i,
			.length = 512, .iov = &iov[i], .iov_count = 1, .done = done,
			.opaque = &wait };
		block_submit(disk, &requests[i]);
	}
	g_atomic_int_set(&server.go, 1);
	block_drain(disk);
	assert_int_equal(wait.done, COUNT);
	assert_int_equal(wait.error, 0);
	assert_memory_equal(data, server.data, COUNT * 512);
	stop(&server, disk);
	g_free(requests);
}

static void a_wrong_negotiation_is_refused(void **state)
{
	for (enum evil evil = BAD_GREETING; evil <= EMPTY_EXPORT; evil++) {
		struct server server = { 0 };
		struct lost listener = { 0 };
		g_autoptr(GError) error = NULL;

		assert_null(start(&server, evil, &listener, &error));
		assert_non_null(error);
		stop(&server, NULL);
		assert_int_equal(listener.count, 0);
	}
}

static void a_server_that_breaks_the_protocol_is_an_error(void **state)
{
	for (enum evil evil = HANGS_UP; evil <= HALF_A_READ; evil++) {
		struct server server = { 0 };
		struct lost listener = { 0 };
		struct block_backend *disk = start(&server, evil, &listener, NULL);
		uint8_t data[4096];

		assert_non_null(disk);
		/* The first may have been answered well. */
		request(disk, BLOCK_READ, 0, data, sizeof(data), false);
		while (!request(disk, BLOCK_READ, 0, data, sizeof(data), false))
			continue;
		assert_int_equal(request(disk, BLOCK_WRITE, 0, data, sizeof(data), false), EIO);
		assert_int_equal(request(disk, BLOCK_FLUSH, 0, NULL, 0, false), EIO);
		assert_int_equal(g_atomic_int_get(&listener.count), 1);
		stop(&server, disk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_server_is_a_disk),
		cmocka_unit_test(a_simple_server_will_do),
		cmocka_unit_test(many_requests_are_under_way),
		cmocka_unit_test(a_wrong_negotiation_is_refused),
		cmocka_unit_test(a_server_that_breaks_the_protocol_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
