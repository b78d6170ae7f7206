// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "engine/vmm/block/nbd.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <linux/nbd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Negotiation. */
#define MAGIC_SERVER 0x4e42444d41474943ull /* "NBDMAGIC" */
#define MAGIC_OPTION 0x49484156454f5054ull /* "IHAVEOPT" */
#define MAGIC_REPLY 0x0003e889045565a9ull
#define FLAG_FIXED_NEWSTYLE 1u
#define FLAG_NO_ZEROES 2u
#define OPTION_GO 7u
#define REPLY_ACK 1u
#define REPLY_INFO 3u
#define REPLY_IS_ERROR 0x80000000u
#define INFO_EXPORT 0u
#define INFO_BLOCK_SIZE 3u
#define REPLY_MAX 4096u   /* bytes of one reply */
#define REPLIES_MAX 16u   /* before the one that ends it */

/* Transmission; the rest is in <linux/nbd.h>. */
#define CAN_WRITE_ZEROES (1u << 6)
#define COMMAND_WRITE_ZEROES 6u
#define COMMAND_FUA (1u << 16)
#define COMMAND_NO_HOLE (1u << 17)
#define PIECE_MAX (16u << 20) /* of a read or write in one request: servers take 32 MiB */
#define ZEROES_SIZE 65536u
#define FLIGHTS_MAX 64u
#define PARTS_MAX 128

/* A request of ours, which the server gets in one piece or more, perhaps followed by a flush. */
struct job {
	struct block_request *request;
	uint64_t done;   /* bytes */
	uint32_t length; /* bytes of the piece under way */
	bool flushing;   /* the flush after it is under way */
	bool nothing;    /* the server need not hear of it */
	struct job *next;
};

struct nbd {
	struct block_backend base;
	int fd;
	uint16_t flags;
	void (*begin)(void);
	void (*lost)(void *data, const char *why);
	void *lost_data;
	GThread *sender, *receiver;

	GMutex mutex;
	GCond work;              /* for the sender */
	GCond idle;              /* pending has become 0 */
	struct job *first, *last; /* to be sent */
	struct job *flights[FLIGHTS_MAX];
	unsigned flight_count;
	unsigned pending; /* requests submitted and not done */
	bool dead, stop;
};

/* ---- the socket ---------------------------------------------------------------------------------------- */

static bool receive_all(int fd, void *data, size_t length)
{
	uint8_t *at = data;

	while (length) {
		ssize_t n = recv(fd, at, length, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		length -= (size_t)n;
	}
	return true;
}

/* Sends count parts; they are changed. */
static bool send_all(int fd, struct iovec *parts, size_t count)
{
	while (count) {
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };
		ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		for (; count && (size_t)n >= parts->iov_len; parts++, count--)
			n -= (ssize_t)parts->iov_len;
		if (count) {
			parts->iov_base = (uint8_t *)parts->iov_base + n;
			parts->iov_len -= (size_t)n;
		}
	}
	return true;
}

/* ---- negotiation ------------------------------------------------------------------------------------- */

struct option_head {
	uint64_t magic;
	uint32_t option;
	uint32_t length;
} __attribute__((packed));

struct reply_head {
	uint64_t magic;
	uint32_t option;
	uint32_t type;
	uint32_t length;
} __attribute__((packed));

static bool fail(GError **error, const char *sentence)
{
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, sentence);
	return false;
}

static bool greet(struct nbd *nbd, GError **error)
{
	struct {
		uint64_t magic, option_magic;
		uint16_t flags;
	} __attribute__((packed)) hello;
	uint32_t flags;

	if (!receive_all(nbd->fd, &hello, sizeof(hello)))
		return fail(error, _("The NBD server does not answer."));
	if (hello.magic != GUINT64_TO_BE(MAGIC_SERVER) ||
		hello.option_magic != GUINT64_TO_BE(MAGIC_OPTION) ||
		!(GUINT16_FROM_BE(hello.flags) & FLAG_FIXED_NEWSTYLE))
		return fail(error, _("What answers is no NBD server, or too old a one."));
	flags = GUINT32_TO_BE(GUINT16_FROM_BE(hello.flags) & (FLAG_FIXED_NEWSTYLE | FLAG_NO_ZEROES));
	return send_all(nbd->fd, &(struct iovec){ &flags, sizeof(flags) }, 1) ||
		fail(error, _("The NBD server has hung up."));
}

static bool ask_for_export(struct nbd *nbd, const char *name, GError **error)
{
	uint32_t length = (uint32_t)strlen(name);
	struct option_head head = {
		.magic = GUINT64_TO_BE(MAGIC_OPTION),
		.option = GUINT32_TO_BE(OPTION_GO),
		.length = GUINT32_TO_BE(length + 4 + 2 + 2),
	};
	uint32_t wire_length = GUINT32_TO_BE(length);
	uint16_t wants[] = { GUINT16_TO_BE(1), GUINT16_TO_BE(INFO_BLOCK_SIZE) };
	struct iovec parts[] = {
		{ &head, sizeof(head) },
		{ &wire_length, sizeof(wire_length) },
		{ (void *)name, length },
		{ wants, sizeof(wants) },
	};

	return send_all(nbd->fd, parts, G_N_ELEMENTS(parts)) ||
		fail(error, _("The NBD server has hung up."));
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void take_info(struct nbd *nbd, const uint8_t *data, uint32_t length)
{
	unsigned kind = length >= 2 ? (unsigned)(data[0] << 8 | data[1]) : UINT_MAX;

	if (kind == INFO_EXPORT && length >= 12) {
		nbd->base.size = (uint64_t)get32(data + 2) << 32 | get32(data + 6);
		nbd->base.size &= ~511ull;
		nbd->flags = (uint16_t)(data[10] << 8 | data[11]);
	} else if (kind == INFO_BLOCK_SIZE && length >= 14) {
		uint32_t preferred = get32(data + 6);

		if (preferred >= 512 && preferred <= 65536 && !(preferred & (preferred - 1)))
			nbd->base.block_size = MIN(preferred, 4096);
	}
}

/* What the server says of the export, until it has said all. */
static bool take_replies(struct nbd *nbd, GError **error)
{
	for (unsigned i = 0; i < REPLIES_MAX; i++) {
		uint8_t data[REPLY_MAX];
		struct reply_head head;
		uint32_t length, type;

		if (!receive_all(nbd->fd, &head, sizeof(head)))
			return fail(error, _("The NBD server has hung up."));
		length = GUINT32_FROM_BE(head.length);
		type = GUINT32_FROM_BE(head.type);
		if (head.magic != GUINT64_TO_BE(MAGIC_REPLY) || length > sizeof(data) ||
			GUINT32_FROM_BE(head.option) != OPTION_GO)
			break;
		if (!receive_all(nbd->fd, data, length))
			return fail(error, _("The NBD server has hung up."));
		if (type & REPLY_IS_ERROR)
			return fail(error, _("The NBD server does not have the disk."));
		if (type == REPLY_ACK)
			return (nbd->base.size && nbd->flags & NBD_FLAG_HAS_FLAGS &&
				       nbd->base.size <= INT64_MAX) ||
				fail(error, _("The NBD server's disk is empty."));
		if (type == REPLY_INFO)
			take_info(nbd, data, length);
	}
	return fail(error, _("The NBD server breaks the protocol."));
}

static void set_patience(int fd, int seconds)
{
	struct timeval patience = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

static bool negotiate(struct nbd *nbd, const struct block_nbd_config *config, GError **error)
{
	set_patience(nbd->fd, NBD_PATIENCE_S);
	if (!greet(nbd, error) || !ask_for_export(nbd, config->export_name, error) ||
		!take_replies(nbd, error))
		return false;
	if (nbd->flags & NBD_FLAG_READ_ONLY && !config->read_only)
		return fail(error, _("The NBD server's disk is read-only."));
	nbd->base.read_only = config->read_only;
	nbd->base.can_discard = config->discard && nbd->flags & NBD_FLAG_SEND_TRIM;
	/* From now on the server may take its time. */
	set_patience(nbd->fd, 0);
	return true;
}

/* ---- with the mutex held ----------------------------------------------------------------------------- */

static void put_job_locked(struct nbd *nbd, struct job *job)
{
	job->next = NULL;
	if (nbd->last)
		nbd->last->next = job;
	else
		nbd->first = job;
	nbd->last = job;
	g_cond_signal(&nbd->work);
}

/* The place of a job under way, which is its handle; FLIGHTS_MAX where there is none. */
static unsigned take_off(struct nbd *nbd, struct job *job)
{
	for (unsigned i = 0; i < FLIGHTS_MAX; i++) {
		if (nbd->flights[i])
			continue;
		nbd->flights[i] = job;
		nbd->flight_count++;
		return i;
	}
	return FLIGHTS_MAX;
}

/* ---- without ------------------------------------------------------------------------ */

static void put_job(struct nbd *nbd, struct job *job)
{
	g_mutex_lock(&nbd->mutex);
	put_job_locked(nbd, job);
	g_mutex_unlock(&nbd->mutex);
}

static void job_end(struct nbd *nbd, struct job *job, int error)
{
	job->request->done(job->request, error);
	g_free(job);
	g_mutex_lock(&nbd->mutex);
	if (!--nbd->pending)
		g_cond_broadcast(&nbd->idle);
	g_mutex_unlock(&nbd->mutex);
}

/* Nothing is sent or awaited any more: what is under way fails, what is in the queue by the sender.
 * why: NULL where we have ended it ourselves. */
static void die(struct nbd *nbd, const char *why)
{
	void (*lost)(void *data, const char *why);
	struct job *jobs = NULL;

	g_mutex_lock(&nbd->mutex);
	lost = nbd->dead ? NULL : nbd->lost;
	nbd->dead = true;
	shutdown(nbd->fd, SHUT_RDWR);
	for (unsigned i = 0; i < FLIGHTS_MAX; i++) {
		if (!nbd->flights[i])
			continue;
		nbd->flights[i]->next = jobs;
		jobs = g_steal_pointer(&nbd->flights[i]);
	}
	nbd->flight_count = 0;
	g_cond_broadcast(&nbd->work);
	g_mutex_unlock(&nbd->mutex);
	if (why && lost)
		lost(nbd->lost_data, why);
	while (jobs) {
		struct job *job = jobs;

		jobs = job->next;
		job_end(nbd, job, EIO);
	}
}

/* ---- sending ------------------------------------------------------------------------------------------- */

/* A request as it is sent. It says all: its job may end before it is out, by a server that answers
 * too early, or a connection that ends. */
struct packet {
	struct nbd_request head;
	struct iovec parts[PARTS_MAX + 1];
	size_t count;
};

/* The part of a request's bytes from done on, at most length bytes; how many they are. */
static uint32_t iov_part(const struct block_request *request, uint64_t done, uint32_t length,
	struct iovec *parts, size_t *count)
{
	uint32_t left = length;
	size_t room = PARTS_MAX;

	for (unsigned i = 0; i < request->iov_count && left && room; i++) {
		const struct iovec *from = &request->iov[i];
		size_t part;

		if (done >= from->iov_len) {
			done -= from->iov_len;
			continue;
		}
		part = MIN(from->iov_len - done, left);
		parts[(*count)++] = (struct iovec){ (uint8_t *)from->iov_base + done, part };
		left -= (uint32_t)part;
		done = 0;
		room--;
	}
	return length - left;
}

/* Reads and writes, by pieces; zeroes where the server does not know them by themselves. */
static uint32_t pack_data(struct job *job, struct packet *packet)
{
	static uint8_t zeroes[ZEROES_SIZE];
	const struct block_request *request = job->request;
	uint64_t left = request->length - job->done;

	if (request->op == BLOCK_ZERO) {
		job->length = (uint32_t)MIN(left, ZEROES_SIZE);
		packet->parts[packet->count++] = (struct iovec){ zeroes, job->length };
		return NBD_CMD_WRITE;
	}
	job->length = iov_part(request, job->done, (uint32_t)MIN(left, PIECE_MAX), packet->parts,
		&packet->count);
	if (request->op == BLOCK_WRITE)
		return NBD_CMD_WRITE;
	packet->count = 1;
	return NBD_CMD_READ;
}

/* Sets the job's length; the command with its flags. */
static uint32_t pack_job(const struct nbd *nbd, struct job *job, struct packet *packet)
{
	const struct block_request *request = job->request;
	uint32_t fua = request->durable && nbd->flags & NBD_FLAG_SEND_FUA ? COMMAND_FUA : 0;

	if (job->flushing || request->op == BLOCK_FLUSH) {
		job->length = 0;
		return NBD_CMD_FLUSH;
	}
	job->length = (uint32_t)MIN(request->length - job->done, UINT32_MAX & ~511u);
	if (request->op == BLOCK_DISCARD)
		return NBD_CMD_TRIM;
	if (request->op == BLOCK_ZERO && nbd->flags & CAN_WRITE_ZEROES)
		return COMMAND_WRITE_ZEROES | fua | (request->unmap ? 0 : COMMAND_NO_HOLE);
	return pack_data(job, packet) | (request->op == BLOCK_READ ? 0 : fua);
}

static void pack(const struct nbd *nbd, struct job *job, uint64_t handle, struct packet *packet)
{
	packet->count = 1;
	packet->head = (struct nbd_request){ .magic = GUINT32_TO_BE(NBD_REQUEST_MAGIC) };
	packet->head.type = GUINT32_TO_BE(pack_job(nbd, job, packet));
	memcpy(packet->head.handle, &handle, sizeof(packet->head.handle));
	if (job->length)
		packet->head.from = GUINT64_TO_BE(job->request->offset + job->done);
	packet->head.len = GUINT32_TO_BE(job->length);
	packet->parts[0] = (struct iovec){ &packet->head, sizeof(packet->head) };
}

/* Takes the next job, and packs it where it is to be sent (else it is over). NULL at the end. */
static struct job *next_job(struct nbd *nbd, struct packet *packet, bool *over, int *error)
{
	struct job *job = NULL;

	g_mutex_lock(&nbd->mutex);
	while (!nbd->stop &&
		(!nbd->first || (nbd->flight_count == FLIGHTS_MAX && !nbd->dead)))
		g_cond_wait(&nbd->work, &nbd->mutex);
	if (!nbd->stop) {
		job = nbd->first;
		nbd->first = job->next;
		if (!nbd->first)
			nbd->last = NULL;
		*error = nbd->dead ? EIO : 0;
		*over = nbd->dead || job->nothing;
		if (!*over)
			pack(nbd, job, take_off(nbd, job), packet);
	}
	g_mutex_unlock(&nbd->mutex);
	return job;
}

static void *sender_thread(void *data)
{
	struct nbd *nbd = data;
	struct packet packet;
	struct job *job;
	bool over;
	int error;

	if (nbd->begin)
		nbd->begin();
	while ((job = next_job(nbd, &packet, &over, &error))) {
		if (over)
			job_end(nbd, job, error);
		else if (!send_all(nbd->fd, packet.parts, packet.count))
			die(nbd, _("it has hung up"));
	}
	return NULL;
}

/* ---- receiving ------------------------------------------------------------------------------------------ */

/* The protocol's errors are Linux's numbers; others than these are EIO. */
static int error_of(uint32_t number)
{
	static const int known[] = { EPERM, EIO, ENOMEM, EINVAL, ENOSPC, EOVERFLOW, EOPNOTSUPP };

	for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
		if (number == (uint32_t)known[i])
			return known[i];
	return EIO;
}

/* A piece is done: the next, the flush after it, or the end. */
static void job_go_on(struct nbd *nbd, struct job *job)
{
	const struct block_request *request = job->request;
	bool flush = request->durable && !(nbd->flags & NBD_FLAG_SEND_FUA) &&
		nbd->flags & NBD_FLAG_SEND_FLUSH && !job->flushing;

	job->done += job->length;
	if (job->done == request->length && (job->flushing || !flush)) {
		job_end(nbd, job, 0);
		return;
	}
	job->flushing = job->done == request->length;
	put_job(nbd, job);
}

static bool receive_data(struct nbd *nbd, const struct job *job)
{
	struct iovec parts[PARTS_MAX];
	size_t count = 0;

	iov_part(job->request, job->done, job->length, parts, &count);
	for (size_t i = 0; i < count; i++)
		if (!receive_all(nbd->fd, parts[i].iov_base, parts[i].iov_len))
			return false;
	return true;
}

/* The job of a handle, taken from those under way; or NULL. */
static struct job *land(struct nbd *nbd, const struct nbd_reply *reply)
{
	struct job *job = NULL;
	uint64_t handle;

	memcpy(&handle, reply->handle, sizeof(handle));
	g_mutex_lock(&nbd->mutex);
	if (handle < FLIGHTS_MAX && nbd->flights[handle]) {
		job = g_steal_pointer(&nbd->flights[handle]);
		nbd->flight_count--;
		g_cond_signal(&nbd->work);
	}
	g_mutex_unlock(&nbd->mutex);
	return job;
}

/* Takes one reply; what ends the connection, or NULL. */
static const char *receive_reply(struct nbd *nbd)
{
	struct nbd_reply reply;
	struct job *job;

	if (!receive_all(nbd->fd, &reply, sizeof(reply)))
		return _("it has hung up");
	if (reply.magic != GUINT32_TO_BE(NBD_REPLY_MAGIC))
		return _("it breaks the protocol");
	job = land(nbd, &reply);
	if (!job)
		return _("it answers what nobody asked");
	if (reply.error) {
		job_end(nbd, job, error_of(GUINT32_FROM_BE(reply.error)));
		return NULL;
	}
	if (job->request->op == BLOCK_READ && !receive_data(nbd, job)) {
		job_end(nbd, job, EIO);
		return _("it has hung up");
	}
	job_go_on(nbd, job);
	return NULL;
}

static void *receiver_thread(void *data)
{
	struct nbd *nbd = data;
	const char *why = NULL;

	if (nbd->begin)
		nbd->begin();
	while (!why)
		why = receive_reply(nbd);
	die(nbd, nbd->stop ? NULL : why);
	return NULL;
}

/* ---- the backend ------------------------------------------------------------------------------------- */

static void nbd_submit(struct block_backend *backend, struct block_request *request)
{
	struct nbd *nbd = (struct nbd *)backend;
	struct job *job = g_new0(struct job, 1);

	job->request = request;
	job->nothing = (request->op == BLOCK_FLUSH && !(nbd->flags & NBD_FLAG_SEND_FLUSH)) ||
		(request->op == BLOCK_DISCARD && !nbd->base.can_discard) ||
		(request->op != BLOCK_FLUSH && !request->length);
	g_mutex_lock(&nbd->mutex);
	nbd->pending++;
	if (!nbd->sender) {
		nbd->sender = g_thread_new("nbd-send", sender_thread, nbd);
		nbd->receiver = g_thread_new("nbd-receive", receiver_thread, nbd);
	}
	g_mutex_unlock(&nbd->mutex);
	put_job(nbd, job);
}

static void nbd_drain(struct block_backend *backend)
{
	struct nbd *nbd = (struct nbd *)backend;
	gint64 end = g_get_monotonic_time() + NBD_PATIENCE_S * G_TIME_SPAN_SECOND;
	bool late = false;

	g_mutex_lock(&nbd->mutex);
	while (nbd->pending && !late)
		late = !g_cond_wait_until(&nbd->idle, &nbd->mutex, end);
	g_mutex_unlock(&nbd->mutex);
	if (!late)
		return;
	/* The receiver fails what is under way: it may be writing into a buffer just now. */
	shutdown(nbd->fd, SHUT_RDWR);
	g_mutex_lock(&nbd->mutex);
	while (nbd->pending)
		g_cond_wait(&nbd->idle, &nbd->mutex);
	g_mutex_unlock(&nbd->mutex);
}

/* An export's size does not change while it is connected. */
static bool nbd_refresh(struct block_backend *backend, GError **error)
{
	return true;
}

static void nbd_free(struct block_backend *backend)
{
	struct nbd *nbd = (struct nbd *)backend;

	if (nbd->sender) {
		nbd_drain(backend);
		g_mutex_lock(&nbd->mutex);
		nbd->stop = true;
		g_cond_broadcast(&nbd->work);
		g_mutex_unlock(&nbd->mutex);
		shutdown(nbd->fd, SHUT_RDWR);
		g_thread_join(nbd->sender);
		g_thread_join(nbd->receiver);
	}
	close(nbd->fd);
	g_mutex_clear(&nbd->mutex);
	g_cond_clear(&nbd->work);
	g_cond_clear(&nbd->idle);
	g_free(nbd);
}

static const struct block_backend_ops nbd_ops = {
	.submit = nbd_submit,
	.drain = nbd_drain,
	.refresh = nbd_refresh,
	.free = nbd_free,
};

void block_nbd_forget(struct block_backend *backend)
{
	struct nbd *nbd = (struct nbd *)backend;

	g_mutex_lock(&nbd->mutex);
	nbd->lost = NULL;
	g_mutex_unlock(&nbd->mutex);
}

struct block_backend *block_nbd_new(const struct block_nbd_config *config, GError **error)
{
	struct nbd *nbd = g_new0(struct nbd, 1);

	nbd->base.ops = &nbd_ops;
	nbd->base.block_size = 4096;
	nbd->fd = config->fd;
	nbd->begin = config->begin;
	nbd->lost = config->lost;
	nbd->lost_data = config->lost_data;
	g_mutex_init(&nbd->mutex);
	g_cond_init(&nbd->work);
	g_cond_init(&nbd->idle);
	if (negotiate(nbd, config, error))
		return &nbd->base;
	nbd_free(&nbd->base);
	return NULL;
}
