// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "engine/vmm/net/passt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LENGTH_SIZE 4u        /* before each frame */
#define BUFFER (256u * 1024)  /* received and not yet given to the card: at first */
#define BUFFER_MAX (8u << 20) /* and at most, while the card is slow */
#define ROUNDS 4              /* reads of a full buffer before others get their turn */
#define RETRY_MS 1000         /* pause before the other side is tried again */
#define IOV_MAX_FRAME 256

struct passt {
	struct net_backend base;
	struct machine_lock *lock;
	GMainContext *context;

	struct net_passt_config config;

	int fd;          /* -1: not connected */
	GSource *source; /* watches fd */
	void *tag;
	GSource *retry;
	bool stopped; /* the card has no room */

	uint8_t *rx; /* rx_size bytes, of which rx_start to rx_end are to be given */
	size_t rx_size, rx_start, rx_end;
	uint8_t *tx; /* the rest of a frame that was sent in part */
	size_t tx_start, tx_end;
	bool blocked; /* send() has said NET_BUSY */
};

static void passt_lost(struct passt *passt);

static void source_end(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_source_unref(*source);
	*source = NULL;
}

/* What to wait for, by what there is to do. Reading goes on while the card has no room, as long as
 * the buffer has: passt drops what it cannot send at once. */
static void passt_watch(struct passt *passt)
{
	GIOCondition condition = G_IO_HUP | G_IO_ERR;

	if (!passt->source)
		return;
	if (passt->rx_end - passt->rx_start < BUFFER_MAX)
		condition |= G_IO_IN;
	if (passt->tx_start < passt->tx_end)
		condition |= G_IO_OUT;
	g_source_modify_unix_fd(passt->source, passt->tag, condition);
}

/* ---- to the network ---- */

/* Keeps what the socket did not take of the length and the frame. */
static void passt_keep(struct passt *passt, const struct iovec *iov, unsigned count, size_t sent)
{
	passt->tx_start = passt->tx_end = 0;
	for (unsigned i = 0; i < count; i++) {
		size_t skip = MIN(sent, iov[i].iov_len);

		memcpy(passt->tx + passt->tx_end, (uint8_t *)iov[i].iov_base + skip,
			iov[i].iov_len - skip);
		passt->tx_end += iov[i].iov_len - skip;
		sent -= skip;
	}
}

static enum net_sent passt_send(
	struct net_backend *backend, const struct iovec *iov, unsigned iov_count)
{
	struct passt *passt = (struct passt *)backend;
	struct iovec all[IOV_MAX_FRAME + 1];
	struct msghdr message = {.msg_iov = all, .msg_iovlen = iov_count + 1};
	size_t length = 0;
	uint32_t prefix;
	ssize_t n;

	if (passt->fd < 0 || iov_count > IOV_MAX_FRAME)
		return NET_DROPPED;
	if (passt->tx_start < passt->tx_end) {
		passt->blocked = true;
		return NET_BUSY;
	}
	for (unsigned i = 0; i < iov_count; i++) {
		all[i + 1] = iov[i];
		length += iov[i].iov_len;
	}
	if (length > NET_FRAME_MAX)
		return NET_DROPPED;
	prefix = htonl(length);
	all[0] = (struct iovec){&prefix, sizeof(prefix)};
	n = sendmsg(passt->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
		return NET_DROPPED; /* the loop will find the hang-up */
	n = MAX(n, 0);
	if ((size_t)n < length + sizeof(prefix)) {
		passt_keep(passt, all, iov_count + 1, n);
		passt_watch(passt);
	}
	return NET_SENT;
}

/* Sends what was kept; then the card may go on. */
static void passt_flush(struct passt *passt)
{
	ssize_t n = send(passt->fd, passt->tx + passt->tx_start, passt->tx_end - passt->tx_start,
		MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		passt->tx_start += n;
	if (passt->tx_start < passt->tx_end)
		return;
	if (passt->blocked && passt->base.client) {
		passt->blocked = false;
		passt->base.client->writable(passt->base.device);
	}
	passt_watch(passt);
}

/* With the lock held. */
static void passt_set_link(struct passt *passt, bool up)
{
	passt->base.link_up = up;
	if (passt->base.client)
		passt->base.client->link_changed(passt->base.device);
}

/* ---- from the network ---- */

/* The length of the frame at the start of the buffer, 0 where it is not whole yet, -1 where the
 * stream makes no sense. */
static ssize_t passt_frame(const struct passt *passt)
{
	size_t held = passt->rx_end - passt->rx_start;
	uint32_t length;

	if (held < LENGTH_SIZE)
		return 0;
	memcpy(&length, passt->rx + passt->rx_start, sizeof(length));
	length = ntohl(length);
	if (!length || length > NET_FRAME_MAX)
		return -1;
	return held - LENGTH_SIZE >= length ? (ssize_t)length : 0;
}

/* Gives the card what is whole in the buffer. False where the stream makes no sense. */
static bool passt_deliver(struct passt *passt)
{
	const struct net_client *client = passt->base.client;
	ssize_t length = 0;

	while (!passt->stopped && (length = passt_frame(passt)) > 0) {
		const uint8_t *frame = passt->rx + passt->rx_start + LENGTH_SIZE;

		if (client && !client->receive(passt->base.device, frame, length))
			passt->stopped = true;
		else
			passt->rx_start += LENGTH_SIZE + length;
	}
	if (client)
		client->received(passt->base.device);
	return length >= 0;
}

/* Makes room for more at the end of the buffer, which goes back to its first size when empty. */
static void passt_make_room(struct passt *passt)
{
	size_t held = passt->rx_end - passt->rx_start;
	size_t size = held ? passt->rx_size : BUFFER;

	if (passt->rx_start)
		memmove(passt->rx, passt->rx + passt->rx_start, held);
	passt->rx_start = 0;
	passt->rx_end = held;
	if (held > size / 2)
		size = MIN(size * 2, BUFFER_MAX);
	if (size == passt->rx_size)
		return;
	passt->rx = g_realloc(passt->rx, size);
	passt->rx_size = size;
}

/* False at the end of the stream. */
static bool passt_read(struct passt *passt)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t room;
		ssize_t n;

		if (passt->rx_size - passt->rx_end < BUFFER / 2)
			passt_make_room(passt);
		room = passt->rx_size - passt->rx_end;
		if (!room)
			return true;
		n = recv(passt->fd, passt->rx + passt->rx_end, room, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0)
			return false;
		passt->rx_end += n;
		if (!passt_deliver(passt))
			return false;
		if ((size_t)n < room)
			return true;
	}
	return true;
}

static void passt_resume(struct net_backend *backend)
{
	struct passt *passt = (struct passt *)backend;

	passt->stopped = false;
	/* A stream that makes no sense is found again by the next read. */
	passt_deliver(passt);
	passt_watch(passt);
}

static gboolean passt_ready(void *data)
{
	struct passt *passt = data;
	GIOCondition condition;
	bool alive = true;

	g_mutex_lock(&passt->lock->mutex);
	condition = g_source_query_unix_fd(passt->source, passt->tag);
	if (condition & G_IO_OUT)
		passt_flush(passt);
	if (condition & G_IO_IN)
		alive = passt_read(passt);
	else if (condition & (G_IO_HUP | G_IO_ERR))
		alive = false;
	if (alive)
		passt_watch(passt);
	else
		passt_lost(passt);
	g_mutex_unlock(&passt->lock->mutex);
	return alive ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* ---- the other side ---- */

static gboolean passt_dispatch(GSource *source, GSourceFunc callback, void *data)
{
	return callback(data);
}

static GSourceFuncs passt_source_funcs = {
	.dispatch = passt_dispatch,
};

static void passt_use(struct passt *passt, int fd)
{
	passt->fd = fd;
	passt->rx_start = passt->rx_end = 0;
	passt->tx_start = passt->tx_end = 0;
	passt->stopped = passt->blocked = false;
	passt->source = g_source_new(&passt_source_funcs, sizeof(GSource));
	passt->tag = g_source_add_unix_fd(passt->source, fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
	g_source_set_callback(passt->source, passt_ready, passt, NULL);
	g_source_attach(passt->source, passt->context);
}

static gboolean passt_try_again(void *data)
{
	struct passt *passt = data;
	int fd = passt->config.open(passt->config.data, NULL);

	if (fd < 0)
		return G_SOURCE_CONTINUE;
	g_mutex_lock(&passt->lock->mutex);
	source_end(&passt->retry);
	passt_use(passt, fd);
	passt_set_link(passt, true);
	g_mutex_unlock(&passt->lock->mutex);
	return G_SOURCE_REMOVE;
}

/* The other side has hung up, or talks nonsense. */
static void passt_lost(struct passt *passt)
{
	source_end(&passt->source);
	close(passt->fd);
	passt->fd = -1;
	passt->retry = g_timeout_source_new(RETRY_MS);
	g_source_set_callback(passt->retry, passt_try_again, passt, NULL);
	g_source_attach(passt->retry, passt->context);
	passt_set_link(passt, false);
	if (passt->config.warn)
		passt->config.warn(passt->config.data, _("passt has ended; starting it again"));
}

/* ---- life ---- */

static void passt_free(struct net_backend *backend)
{
	struct passt *passt = (struct passt *)backend;

	source_end(&passt->source);
	source_end(&passt->retry);
	if (passt->fd >= 0)
		close(passt->fd);
	if (passt->config.close)
		passt->config.close(passt->config.data);
	g_main_context_unref(passt->context);
	g_free(passt->rx);
	g_free(passt->tx);
	g_free(passt);
}

static const struct net_backend_ops passt_ops = {
	.send = passt_send,
	.resume = passt_resume,
	.free = passt_free,
};

struct net_backend *net_passt_new(const struct net_passt_config *config, GMainContext *context,
	struct machine_lock *lock, GError **error)
{
	int fd = config->open(config->data, error);
	struct passt *passt;

	if (fd < 0)
		return NULL;
	passt = g_new0(struct passt, 1);
	passt->base.ops = &passt_ops;
	passt->lock = lock;
	passt->context = g_main_context_ref(context ? context : g_main_context_default());
	passt->config = *config;
	passt->rx = g_malloc(BUFFER);
	passt->rx_size = BUFFER;
	passt->tx = g_malloc(LENGTH_SIZE + NET_FRAME_MAX);
	passt_use(passt, fd);
	passt->base.link_up = true;
	return &passt->base;
}
