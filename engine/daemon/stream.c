// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/stream.h"

#include "engine/daemon/fault.h"
#include "engine/daemon/procedure.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAMS_MAX 64u
/* What the socket has not taken yet. */
#define WAITING_MAX (256u << 10)
/* libvirt's clients take at most 256 KiB in one packet of a stream. */
#define CHUNK 65536u

struct stream {
	struct client *client;
	struct wire_header header;
	int fd;
	const struct stream_ops *ops;
	void *data;
	GByteArray *waiting; /* from the client, for the socket */
	GSource *in, *out;
	bool ended;     /* the socket has said all */
	bool finishing; /* the client has said all */
};

static void drop_source(GSource **source)
{
	if (*source)
		g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

void stream_free(struct stream *stream)
{
	drop_source(&stream->in);
	drop_source(&stream->out);
	close(stream->fd);
	if (stream->ops->free)
		stream->ops->free(stream->data);
	g_byte_array_unref(stream->waiting);
	g_free(stream);
}

static void leave(struct stream *stream)
{
	struct client *client = stream->client;

	g_ptr_array_remove_fast(client_streams(client), stream);
	client_go_on(client);
}

/* ---- to the client --------------------------------------------------------------------------- */

static struct wire_header make_header(const struct stream *stream, wire_status status)
{
	struct wire_header header = stream->header;

	header.type = WIRE_STREAM;
	header.status = status;
	return header;
}

void stream_finished(struct stream *stream)
{
	const struct wire_header header = make_header(stream, WIRE_OK);

	client_send(stream->client, &header, NULL, NULL);
	leave(stream);
}

void stream_fail(struct stream *stream, const GError *error)
{
	const struct wire_header header = make_header(stream, WIRE_ERROR);
	struct wire_error wire;

	fault_to_wire(error, &wire);
	client_send(stream->client, &header, PACKET_FORMAT(wire_error), &wire);
	packet_clear_value(PACKET_FORMAT(wire_error), &wire);
	leave(stream);
}

static gboolean socket_says(int fd, GIOCondition condition, void *data)
{
	struct stream *stream = data;
	const struct wire_header header = make_header(stream, WIRE_CONTINUE);
	guint8 bytes[CHUNK];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	stream->ended = n <= 0;
	/* An empty packet is the end. Sending balances the stream. */
	client_send_bytes(stream->client, &header, bytes, n > 0 ? (size_t)n : 0);
	return G_SOURCE_CONTINUE;
}

/* ---- to the socket --------------------------------------------------------------------------- */

static void finish(struct stream *stream)
{
	shutdown(stream->fd, SHUT_WR);
	if (stream->ops->finish)
		stream->ops->finish(stream->data);
	else
		stream_finished(stream);
}

static gboolean socket_takes(int fd, GIOCondition condition, void *data);

static void balance(struct stream *stream)
{
	bool in = stream->ops->reads && !stream->ended && client_takes(stream->client);

	if (!in)
		drop_source(&stream->in);
	else if (!stream->in) {
		stream->in = g_unix_fd_source_new(stream->fd, G_IO_IN | G_IO_HUP);
		g_source_set_callback(stream->in, G_SOURCE_FUNC(socket_says), stream, NULL);
		g_source_attach(stream->in, NULL);
	}
	if (!stream->waiting->len)
		drop_source(&stream->out);
	else if (!stream->out) {
		stream->out = g_unix_fd_source_new(stream->fd, G_IO_OUT);
		g_source_set_callback(stream->out, G_SOURCE_FUNC(socket_takes), stream, NULL);
		g_source_attach(stream->out, NULL);
	}
}

/* What the socket does not want any more is dropped: why is told by its owner, or by its end. */
static gboolean socket_takes(int fd, GIOCondition condition, void *data)
{
	struct stream *stream = data;
	struct client *client = stream->client;
	ssize_t n =
		send(fd, stream->waiting->data, stream->waiting->len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	g_byte_array_remove_range(stream->waiting, 0, n >= 0 ? (guint)n : stream->waiting->len);
	balance(stream);
	if (!stream->waiting->len && stream->finishing)
		finish(stream);
	client_go_on(client);
	return G_SOURCE_CONTINUE;
}

static struct stream *find(struct client *client, const struct wire_header *header)
{
	const GPtrArray *streams = client_streams(client);

	for (guint i = 0; i < streams->len; i++) {
		struct stream *stream = g_ptr_array_index(streams, i);

		if (stream->header.serial == header->serial &&
			stream->header.procedure == header->procedure)
			return stream;
	}
	return NULL;
}

static void take_data(struct stream *stream, const struct packet *packet)
{
	g_autoptr(GError) error = NULL;

	if (!stream->ops->writes) {
		fault_set(&error, VIR_ERR_OPERATION_DENIED, "this stream cannot be written to");
		stream_fail(stream, error);
		return;
	}
	g_byte_array_append(stream->waiting, packet->payload, (guint)packet->payload_size);
	balance(stream);
}

void stream_take(struct client *client, const struct packet *packet)
{
	struct stream *stream = find(client, &packet->header);

	/* What a client still sends for a stream that was refused, or has failed. */
	if (!stream || stream->finishing)
		return;
	switch (packet->header.status) {
	case WIRE_CONTINUE:
		take_data(stream, packet);
		break;
	case WIRE_OK:
		stream->finishing = true;
		if (!stream->waiting->len)
			finish(stream);
		break;
	default:
		stream_finished(stream);
		break;
	}
}

bool streams_are_full(const GPtrArray *streams)
{
	for (guint i = 0; i < streams->len; i++)
		if (((const struct stream *)g_ptr_array_index(streams, i))->waiting->len >=
			WAITING_MAX)
			return true;
	return false;
}

void streams_balance(const GPtrArray *streams)
{
	for (guint i = 0; i < streams->len; i++)
		balance(g_ptr_array_index(streams, i));
}

struct stream *stream_new(struct call *call, int fd, const struct stream_ops *ops, void *data)
{
	struct stream *stream;

	if (!call->client || client_streams(call->client)->len >= STREAMS_MAX) {
		close(fd);
		return NULL;
	}
	stream = g_new0(struct stream, 1);
	stream->client = call->client;
	stream->header = call->header;
	stream->fd = fd;
	stream->ops = ops;
	stream->data = data;
	stream->waiting = g_byte_array_new();
	g_ptr_array_add(client_streams(call->client), stream);
	balance(stream);
	return stream;
}
