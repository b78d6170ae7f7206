// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "engine/vmm/block/raw.h"

#include "engine/vmm/given.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SECTOR 512u
#define IOV_LIMIT 64
#define ATTEMPT_MAX 65536u /* more is copied by the worker while the guest runs on */
#define ZERO_CHUNK 65536u

struct block_raw {
	struct block_backend base;
	int fd;
	bool is_device;
	void (*begin)(void);
	GThread *thread;
	_Atomic bool must_wait[BLOCK_WRITE + 1]; /* the file system knows no RWF_NOWAIT for it */

	GMutex mutex; /* guards what follows */
	GCond work;   /* a request has come, or stop */
	GCond idle;   /* pending has become 0 */
	struct block_request *first, *last;
	unsigned pending; /* submitted and not done */
	bool stop;
};

/* ---- carrying out, in the worker thread ---- */

/* A part of a request's iov, for one call: at most IOV_LIMIT entries from done bytes on. */
static unsigned iov_part(const struct block_request *request, uint64_t done, struct iovec *part)
{
	unsigned count = 0;

	for (unsigned i = 0; i < request->iov_count && count < IOV_LIMIT; i++) {
		const struct iovec *from = &request->iov[i];

		if (done >= from->iov_len) {
			done -= from->iov_len;
			continue;
		}
		part[count++] =
			(struct iovec){(uint8_t *)from->iov_base + done, from->iov_len - done};
		done = 0;
	}
	return count;
}

/* Reads or writes all of it; a file that ends early (somebody has cut it) is an I/O error. */
static int raw_transfer(struct block_raw *raw, const struct block_request *request)
{
	int flags = request->durable ? RWF_DSYNC : 0;
	uint64_t done = 0;

	while (done < request->length) {
		struct iovec part[IOV_LIMIT];
		unsigned count = iov_part(request, done, part);
		ssize_t n;

		if (request->op == BLOCK_READ)
			n = preadv2(raw->fd, part, count, request->offset + done, 0);
		else
			n = pwritev2(raw->fd, part, count, request->offset + done, flags);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO;
		done += n;
	}
	return 0;
}

static int raw_allocate(struct block_raw *raw, const struct block_request *request, int mode)
{
	if (!fallocate(raw->fd, mode | FALLOC_FL_KEEP_SIZE, request->offset, request->length))
		return 0;
	return errno;
}

static int raw_discard(struct block_raw *raw, const struct block_request *request)
{
	int error;

	if (!raw->base.can_discard)
		return 0;
	error = raw_allocate(raw, request, FALLOC_FL_PUNCH_HOLE);
	/* A file system that cannot: a discard is only a hint. */
	return error == EOPNOTSUPP || error == ENOSYS ? 0 : error;
}

static int raw_write_zeroes(struct block_raw *raw, const struct block_request *request)
{
	static const uint8_t zeroes[ZERO_CHUNK];
	uint64_t done = 0;

	while (done < request->length) {
		uint64_t part = MIN(request->length - done, ZERO_CHUNK);
		ssize_t n = pwrite(raw->fd, zeroes, part, request->offset + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO;
		done += n;
	}
	return 0;
}

static int raw_zero(struct block_raw *raw, const struct block_request *request)
{
	int error = EOPNOTSUPP;

	if (request->unmap && raw->base.can_discard)
		error = raw_allocate(raw, request, FALLOC_FL_PUNCH_HOLE);
	if (error == EOPNOTSUPP)
		error = raw_allocate(raw, request, FALLOC_FL_ZERO_RANGE);
	if (error == EOPNOTSUPP)
		error = raw_write_zeroes(raw, request);
	if (!error && request->durable && fdatasync(raw->fd))
		error = errno;
	return error;
}

static int raw_carry_out(struct block_raw *raw, const struct block_request *request)
{
	switch (request->op) {
	case BLOCK_READ:
	case BLOCK_WRITE:
		return raw_transfer(raw, request);
	case BLOCK_FLUSH:
		return fdatasync(raw->fd) ? errno : 0;
	case BLOCK_DISCARD:
		return raw_discard(raw, request);
	case BLOCK_ZERO:
		return raw_zero(raw, request);
	}
	return ENOTSUP;
}

/* The next request; NULL at the end. */
static struct block_request *raw_next(struct block_raw *raw)
{
	struct block_request *request;

	g_mutex_lock(&raw->mutex);
	while (!raw->first && !raw->stop)
		g_cond_wait(&raw->work, &raw->mutex);
	request = raw->first;
	if (request) {
		raw->first = request->next;
		if (!raw->first)
			raw->last = NULL;
	}
	g_mutex_unlock(&raw->mutex);
	return request;
}

static void *raw_thread(void *data)
{
	struct block_raw *raw = data;
	struct block_request *request;

	if (raw->begin)
		raw->begin();
	while ((request = raw_next(raw))) {
		request->done(request, raw_carry_out(raw, request));
		g_mutex_lock(&raw->mutex);
		if (!--raw->pending)
			g_cond_broadcast(&raw->idle);
		g_mutex_unlock(&raw->mutex);
	}
	return NULL;
}

/* ---- the backend ---- */

static void raw_submit(struct block_backend *backend, struct block_request *request)
{
	struct block_raw *raw = (struct block_raw *)backend;

	request->next = NULL;
	g_mutex_lock(&raw->mutex);
	if (raw->last)
		raw->last->next = request;
	else
		raw->first = request;
	raw->last = request;
	raw->pending++;
	if (!raw->thread)
		raw->thread = g_thread_new("block", raw_thread, raw);
	g_cond_signal(&raw->work);
	g_mutex_unlock(&raw->mutex);
}

/* A part that was written is written again with the whole: no harm. */
static bool raw_attempt(struct block_backend *backend, const struct block_request *request)
{
	struct block_raw *raw = (struct block_raw *)backend;
	struct iovec part[IOV_LIMIT];
	unsigned count;
	ssize_t n;

	if (request->length > ATTEMPT_MAX || request->iov_count > IOV_LIMIT || request->durable ||
		raw->must_wait[request->op])
		return false;
	count = iov_part(request, 0, part);
	if (request->op == BLOCK_READ)
		n = preadv2(raw->fd, part, count, request->offset, RWF_NOWAIT);
	else
		n = pwritev2(raw->fd, part, count, request->offset, RWF_NOWAIT);
	if (n < 0 && errno == EOPNOTSUPP)
		raw->must_wait[request->op] = true;
	return n >= 0 && (uint64_t)n == request->length;
}

static void raw_drain(struct block_backend *backend)
{
	struct block_raw *raw = (struct block_raw *)backend;

	g_mutex_lock(&raw->mutex);
	while (raw->pending)
		g_cond_wait(&raw->idle, &raw->mutex);
	g_mutex_unlock(&raw->mutex);
}

static bool raw_measure(struct block_raw *raw, GError **error)
{
	uint64_t size = 0;
	struct stat st;
	int failed = fstat(raw->fd, &st);

	if (!failed && raw->is_device)
		failed = ioctl(raw->fd, BLKGETSIZE64, &size);
	else if (!failed)
		size = st.st_size;
	if (failed) {
		int saved = errno;

		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
			_("Cannot find out the size of the disk: %s"), g_strerror(saved));
		return false;
	}
	raw->base.size = size & ~(uint64_t)(SECTOR - 1);
	return true;
}

static bool raw_refresh(struct block_backend *backend, GError **error)
{
	return raw_measure((struct block_raw *)backend, error);
}

static bool raw_resize(struct block_backend *backend, uint64_t size, GError **error)
{
	struct block_raw *raw = (struct block_raw *)backend;
	int saved;

	if (raw->is_device) {
		/* It has been grown by other means, or not. */
		if (!raw_measure(raw, error))
			return false;
		if (raw->base.size >= size)
			return true;
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			_("The disk is a block device of the host, which is not that large."));
		return false;
	}
	if (!ftruncate(raw->fd, (off_t)size))
		return true;
	saved = errno;
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
		_("The disk cannot be made larger: %s"), g_strerror(saved));
	return false;
}

static void raw_free(struct block_backend *backend)
{
	struct block_raw *raw = (struct block_raw *)backend;

	if (raw->thread) {
		raw_drain(backend);
		g_mutex_lock(&raw->mutex);
		raw->stop = true;
		g_cond_signal(&raw->work);
		g_mutex_unlock(&raw->mutex);
		g_thread_join(raw->thread);
	}
	close(raw->fd);
	g_mutex_clear(&raw->mutex);
	g_cond_clear(&raw->work);
	g_cond_clear(&raw->idle);
	g_free(raw);
}

static const struct block_backend_ops raw_ops = {
	.submit = raw_submit,
	.attempt = raw_attempt,
	.drain = raw_drain,
	.refresh = raw_refresh,
	.resize = raw_resize,
	.free = raw_free,
};

/* ---- opening ---- */

static bool raw_open_file(
	struct block_raw *raw, const struct block_raw_config *config, GError **error)
{
	int flags;

	if (config->opened) {
		raw->fd = config->fd;
		return true;
	}
	flags = (config->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

	raw->fd = given_open(config->path, flags, 0);
	if (raw->fd < 0) {
		int saved = errno;

		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
			_("Cannot open the disk '%s': %s"), config->path, g_strerror(saved));
		return false;
	}
	return true;
}

static bool raw_check_kind(
	struct block_raw *raw, const struct block_raw_config *config, GError **error)
{
	struct stat st;

	if (fstat(raw->fd, &st) || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
			_("'%s' cannot be a disk: it is neither a file nor a block device."),
			config->path);
		return false;
	}
	raw->is_device = S_ISBLK(st.st_mode);
	raw->base.block_size = CLAMP(raw->is_device ? SECTOR : st.st_blksize, SECTOR, 4096);
	return true;
}

static bool raw_lock(struct block_raw *raw, const struct block_raw_config *config, GError **error)
{
	struct flock lock = {
		.l_type = config->read_only ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};
	int saved;

	if (config->shared || !fcntl(raw->fd, F_OFD_SETLK, &lock))
		return true;
	saved = errno;
	if (saved == EAGAIN || saved == EACCES)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
			_("The disk '%s' is in use by another program."), config->path);
	else
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
			_("Cannot lock the disk '%s': %s"), config->path, g_strerror(saved));
	return false;
}

static bool raw_prepare(
	struct block_raw *raw, const struct block_raw_config *config, GError **error)
{
	if (!raw_check_kind(raw, config, error) || !raw_lock(raw, config, error))
		return false;
	if (!raw_measure(raw, error))
		return false;
	if (raw->base.size)
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
		_("The disk '%s' is empty: it must hold at least 512 bytes."), config->path);
	return false;
}

struct block_backend *block_raw_open(const struct block_raw_config *config, GError **error)
{
	struct block_raw *raw = g_new0(struct block_raw, 1);

	raw->base.ops = &raw_ops;
	raw->begin = config->begin;
	raw->base.read_only = config->read_only;
	raw->base.can_discard = config->discard && !config->read_only;
	g_mutex_init(&raw->mutex);
	g_cond_init(&raw->work);
	g_cond_init(&raw->idle);
	if (!raw_open_file(raw, config, error)) {
		g_free(raw);
		return NULL;
	}
	if (!raw_prepare(raw, config, error)) {
		raw_free(&raw->base);
		return NULL;
	}
	return &raw->base;
}
