// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/transfer.h"

#include "engine/daemon/fault.h"
#include "engine/daemon/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK (256u << 10)

struct transfer {
	struct stream *stream; /* NULL: the client has left */
	int file, socket;
	uint64_t offset, left; /* bytes */
	bool upload;
	transfer_done done;
	void *data;
	GDestroyNotify free_data;
	/* Of the thread until it has ended. */
	GThread *thread;
	GError *error;
	bool ended, finishing;
};

/* ---- the thread ------------------------------------------------------------------------------ */

static bool fail(GError **error, const char *what)
{
	return fault_set(error, VIR_ERR_SYSTEM_ERROR, "cannot %s: %s", what, g_strerror(errno));
}

static bool write_file(struct transfer *transfer, const char *bytes, size_t size, GError **error)
{
	while (size) {
		ssize_t n = pwrite(transfer->file, bytes, size, (off_t)transfer->offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(error, "write to the volume");
		bytes += n;
		size -= (size_t)n;
		transfer->offset += (uint64_t)n;
	}
	return true;
}

static bool receive_all(struct transfer *transfer, char *buffer, GError **error)
{
	for (;;) {
		ssize_t n = recv(transfer->socket, buffer, CHUNK, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(error, "read from the client");
		if (n == 0)
			return fdatasync(transfer->file) == 0 || errno == EINVAL ||
			       fail(error, "write to the volume");
		if ((uint64_t)n > transfer->left)
			return fault_set(error, VIR_ERR_OPERATION_FAILED,
				"more bytes came than were announced");
		transfer->left -= (uint64_t)n;
		if (!write_file(transfer, buffer, (size_t)n, error))
			return false;
	}
}

static bool send_all(struct transfer *transfer, char *buffer, GError **error)
{
	while (transfer->left) {
		ssize_t n = pread(transfer->file, buffer, MIN(CHUNK, transfer->left),
			(off_t)transfer->offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(error, "read the volume");
		if (n == 0)
			return true;
		transfer->offset += (uint64_t)n;
		transfer->left -= (uint64_t)n;
		for (ssize_t sent = 0, m; sent < n; sent += m) {
			m = send(transfer->socket, buffer + sent, (size_t)(n - sent), MSG_NOSIGNAL);
			if (m < 0 && errno != EINTR)
				return true; /* the client does not want more */
			m = MAX(m, 0);
		}
	}
	return true;
}

static gboolean thread_ended(void *data);

static void *run(void *data)
{
	struct transfer *transfer = data;
	g_autofree char *buffer = g_malloc(CHUNK);

	if (transfer->upload)
		receive_all(transfer, buffer, &transfer->error);
	else
		send_all(transfer, buffer, &transfer->error);
	/* With an error unsaid, the client must not take the end for a good one. */
	if (!transfer->error)
		shutdown(transfer->socket, SHUT_RDWR);
	g_idle_add(thread_ended, transfer);
	return NULL;
}

/* ---- the main loop --------------------------------------------------------------------------- */

static void transfer_free(struct transfer *transfer)
{
	g_thread_join(transfer->thread);
	close(transfer->file);
	close(transfer->socket);
	g_clear_error(&transfer->error);
	if (transfer->free_data)
		transfer->free_data(transfer->data);
	g_free(transfer);
}

static gboolean thread_ended(void *data)
{
	struct transfer *transfer = data;

	transfer->ended = true;
	if (!transfer->error && transfer->done)
		transfer->done(transfer->data);
	if (!transfer->stream)
		transfer_free(transfer);
	else if (transfer->error)
		stream_fail(transfer->stream, transfer->error);
	else if (transfer->finishing)
		stream_finished(transfer->stream);
	return G_SOURCE_REMOVE;
}

static void finish(void *data)
{
	struct transfer *transfer = data;

	transfer->finishing = true;
	if (transfer->ended)
		stream_finished(transfer->stream);
}

/* The thread sees the end of its socket, and ends. */
static void forget(void *data)
{
	struct transfer *transfer = data;

	transfer->stream = NULL;
	shutdown(transfer->socket, SHUT_RDWR);
	if (transfer->ended)
		transfer_free(transfer);
}

static const struct stream_ops uploading = {.writes = true, .finish = finish, .free = forget};
static const struct stream_ops downloading = {.reads = true, .finish = finish, .free = forget};

bool transfer_begin(struct call *call, int file, uint64_t offset, uint64_t length, bool upload,
	transfer_done done, void *data, GDestroyNotify free_data)
{
	struct transfer *transfer = g_new0(struct transfer, 1);
	int ends[2];
	bool ok = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0;

	if (ok) {
		transfer->stream =
			stream_new(call, ends[0], upload ? &uploading : &downloading, transfer);
		ok = transfer->stream != NULL;
		if (!ok)
			close(ends[1]);
	}
	if (!ok) {
		close(file);
		if (free_data)
			free_data(data);
		g_free(transfer);
		return false;
	}
	transfer->file = file;
	transfer->socket = ends[1];
	transfer->offset = offset;
	transfer->left = length ? length : UINT64_MAX;
	transfer->upload = upload;
	transfer->done = done;
	transfer->data = data;
	transfer->free_data = free_data;
	transfer->thread = g_thread_new("transfer", run, transfer);
	return true;
}
