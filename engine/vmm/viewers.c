// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/viewers.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_SIZE 4096u

struct viewer {
	struct viewers *viewers;
	int fd;
	bool writes;
	bool gone; /* to be removed by the main thread */
	GString *out;
	GSource *in_source, *out_source;
	/* What it has written and the guest had no room for. */
	char in[INPUT_SIZE];
	size_t in_length;
};

struct viewers {
	struct viewers_ops ops;
	GMainContext *context;
	struct machine_lock *lock;
	GPtrArray *list; /* struct viewer; changed with the lock held, too */
	uint8_t ring[VIEWERS_RING];
	uint64_t written; /* bytes; the ring holds the last of them, byte n at n % VIEWERS_RING */
};

static void drop_source(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static void viewer_free(void *data)
{
	struct viewer *viewer = data;

	drop_source(&viewer->in_source);
	drop_source(&viewer->out_source);
	close(viewer->fd);
	g_string_free(viewer->out, TRUE);
	g_free(viewer);
}

static GSource *watch(struct viewer *viewer, GIOCondition condition, GUnixFDSourceFunc callback)
{
	GSource *source = g_unix_fd_source_new(viewer->fd, condition);

	g_source_set_callback(source, G_SOURCE_FUNC(callback), viewer, NULL);
	g_source_attach(source, viewer->viewers->context);
	return source;
}

/* ---- to the viewers -------------------------------------------------------------------------------- */

static void keep(struct viewers *viewers, const uint8_t *bytes, size_t length)
{
	size_t at, part;

	if (length > VIEWERS_RING) {
		viewers->written += length - VIEWERS_RING;
		bytes += length - VIEWERS_RING;
		length = VIEWERS_RING;
	}
	at = viewers->written % VIEWERS_RING;
	part = MIN(length, VIEWERS_RING - at);
	memcpy(viewers->ring + at, bytes, part);
	memcpy(viewers->ring, bytes + part, length - part);
	viewers->written += length;
}

bool viewers_put(struct viewers *viewers, const void *data, size_t length)
{
	keep(viewers, data, length);
	for (unsigned i = 0; i < viewers->list->len; i++) {
		struct viewer *viewer = g_ptr_array_index(viewers->list, i);

		if (viewer->out->len + length > VIEWERS_BEHIND + VIEWERS_RING)
			viewer->gone = true;
		if (!viewer->gone)
			g_string_append_len(viewer->out, data, (gssize)length);
	}
	return viewers->list->len > 0;
}

static gboolean output_ready(int fd, GIOCondition condition, void *data);

static void send_waiting(struct viewer *viewer)
{
	while (viewer->out->len && !viewer->gone) {
		ssize_t n = send(viewer->fd, viewer->out->str, viewer->out->len,
			MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			g_string_erase(viewer->out, 0, n);
		else if (n < 0 && errno == EAGAIN)
			break;
		else if (n < 0 && errno != EINTR)
			viewer->gone = true;
	}
	if (viewer->out->len && !viewer->gone && !viewer->out_source)
		viewer->out_source = watch(viewer, G_IO_OUT, output_ready);
	else if (!viewer->out->len)
		drop_source(&viewer->out_source);
}

void viewers_flush(struct viewers *viewers)
{
	for (unsigned i = viewers->list->len; i-- > 0;) {
		struct viewer *viewer = g_ptr_array_index(viewers->list, i);

		send_waiting(viewer);
		if (viewer->gone)
			g_ptr_array_remove_index(viewers->list, i);
	}
}

static gboolean output_ready(int fd, GIOCondition condition, void *data)
{
	struct viewers *viewers = ((struct viewer *)data)->viewers;

	g_mutex_lock(&viewers->lock->mutex);
	viewers_flush(viewers);
	g_mutex_unlock(&viewers->lock->mutex);
	return G_SOURCE_CONTINUE;
}

/* ---- from the one who writes ---------------------------------------------------------------------------- */

static gboolean input_ready(int fd, GIOCondition condition, void *data);

/* Lock held. */
static void deliver(struct viewer *viewer)
{
	struct viewers *viewers = viewer->viewers;
	size_t taken = viewer->writes
		? viewers->ops.input(viewers->ops.data, viewer->in, viewer->in_length)
		: viewer->in_length;

	viewer->in_length -= taken;
	memmove(viewer->in, viewer->in + taken, viewer->in_length);
	if (viewer->in_length)
		drop_source(&viewer->in_source);
	else if (!viewer->in_source)
		viewer->in_source = watch(viewer, G_IO_IN | G_IO_HUP, input_ready);
}

static gboolean input_ready(int fd, GIOCondition condition, void *data)
{
	struct viewer *viewer = data;
	struct viewers *viewers = viewer->viewers;
	ssize_t n = recv(fd, viewer->in, sizeof(viewer->in), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	g_mutex_lock(&viewers->lock->mutex);
	if (n > 0) {
		viewer->in_length = (size_t)n;
		deliver(viewer);
	} else {
		viewer->gone = true;
		viewers_flush(viewers);
	}
	g_mutex_unlock(&viewers->lock->mutex);
	return G_SOURCE_CONTINUE;
}

void viewers_resume(struct viewers *viewers)
{
	for (unsigned i = 0; i < viewers->list->len; i++) {
		struct viewer *viewer = g_ptr_array_index(viewers->list, i);

		if (viewer->in_length)
			deliver(viewer);
	}
}

/* ---- attaching --------------------------------------------------------------------------------------------- */

static struct viewer *find_writer(const struct viewers *viewers)
{
	for (unsigned i = 0; i < viewers->list->len; i++) {
		struct viewer *viewer = g_ptr_array_index(viewers->list, i);

		if (viewer->writes)
			return viewer;
	}
	return NULL;
}

static bool refuse(int fd, GError **error, const char *sentence)
{
	close(fd);
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, sentence);
	return false;
}

static bool is_stream(int fd)
{
	int type;
	socklen_t size = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

/* Lock held. */
static void add(struct viewers *viewers, int fd, bool write)
{
	struct viewer *viewer = g_new0(struct viewer, 1);
	uint64_t first = viewers->written > VIEWERS_RING ? viewers->written - VIEWERS_RING : 0;
	size_t at = first % VIEWERS_RING, length = (size_t)(viewers->written - first);
	size_t part = MIN(length, VIEWERS_RING - at);

	viewer->viewers = viewers;
	viewer->fd = fd;
	viewer->writes = write;
	viewer->out = g_string_new_len((const char *)viewers->ring + at, (gssize)part);
	g_string_append_len(viewer->out, (const char *)viewers->ring, (gssize)(length - part));
	viewer->in_source = watch(viewer, G_IO_IN | G_IO_HUP, input_ready);
	g_ptr_array_add(viewers->list, viewer);
	viewers_flush(viewers);
}

bool viewers_attach(struct viewers *viewers, int fd, bool write, bool force, GError **error)
{
	struct viewer *writer = find_writer(viewers);

	if (!is_stream(fd))
		return refuse(fd, error, _("The descriptor is no stream socket"));
	if (viewers->list->len >= VIEWERS_MAX)
		return refuse(fd, error, _("Too many look at this console already"));
	if (write && writer && !force)
		return refuse(fd, error,
			_("Somebody else writes to this console: it can be read, or taken by force"));
	g_mutex_lock(&viewers->lock->mutex);
	if (write && writer)
		writer->writes = false;
	add(viewers, fd, write);
	g_mutex_unlock(&viewers->lock->mutex);
	return true;
}

unsigned viewers_count(const struct viewers *viewers)
{
	return viewers->list->len;
}

bool viewers_has_writer(const struct viewers *viewers)
{
	return find_writer(viewers) != NULL;
}

/* ---- beginning and end --------------------------------------------------------------------------------------- */

struct viewers *viewers_new(
	GMainContext *context, struct machine_lock *lock, const struct viewers_ops *ops)
{
	struct viewers *viewers = g_new0(struct viewers, 1);

	viewers->context = context;
	viewers->lock = lock;
	viewers->ops = *ops;
	viewers->list = g_ptr_array_new_with_free_func(viewer_free);
	return viewers;
}

void viewers_free(struct viewers *viewers)
{
	if (!viewers)
		return;
	viewers_flush(viewers);
	g_ptr_array_free(viewers->list, TRUE);
	g_free(viewers);
}
