// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/daemon/client.h"

#include "engine/daemon/events.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/procedure.h"
#include "engine/daemon/stream.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 1000u
/* Beyond these a client is not read from until it has taken its answers. */
#define CALLS_MAX 64u
#define OUTPUT_HIGH (4u << 20)
/* Beyond this its streams wait. */
#define OUTPUT_LOW (1u << 20)
/* Beyond this a client that does not read is disconnected. */
#define OUTPUT_MAX (64u << 20)
#define READ_SIZE 65536u

struct client {
	struct server *server;
	int fd;
	GSource *in_source, *out_source;
	GByteArray *in, *out;
	guint out_done; /* bytes of out that are sent */
	GPtrArray *calls;
	GPtrArray *callbacks;
	GPtrArray *streams;
	char *uri; /* NULL: not opened */
	bool readonly, broken;
	bool taking; /* in take_packets() */
};

static void drop_source(GSource **source)
{
	if (*source)
		g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static void client_free(void *data)
{
	struct client *client = data;

	for (guint i = 0; i < client->calls->len; i++)
		((struct call *)g_ptr_array_index(client->calls, i))->client = NULL;
	drop_source(&client->in_source);
	drop_source(&client->out_source);
	close(client->fd);
	g_byte_array_unref(client->in);
	g_byte_array_unref(client->out);
	g_ptr_array_unref(client->calls);
	g_ptr_array_unref(client->callbacks);
	g_ptr_array_unref(client->streams);
	g_free(client->uri);
	g_free(client);
}

static void sweep(struct server *server)
{
	for (guint i = server->clients->len; i-- > 0;)
		if (((struct client *)g_ptr_array_index(server->clients, i))->broken)
			g_ptr_array_remove_index(server->clients, i);
}

static GSource *watch(struct client *client, GIOCondition condition, GUnixFDSourceFunc callback)
{
	GSource *source = g_unix_fd_source_new(client->fd, condition);

	g_source_set_callback(source, G_SOURCE_FUNC(callback), client, NULL);
	g_source_attach(source, NULL);
	return source;
}

/* ---- out ------------------------------------------------------------------------------------- */

static gboolean output_ready(int fd, GIOCondition condition, void *data);
static gboolean input_ready(int fd, GIOCondition condition, void *data);

static guint waiting_output(const struct client *client)
{
	return client->out->len - client->out_done;
}

/* Reads only what can be answered. */
static void balance(struct client *client)
{
	bool full = client->calls->len >= CALLS_MAX || waiting_output(client) > OUTPUT_HIGH ||
		    streams_are_full(client->streams);

	/* One that is broken is swept when its socket is read. */
	if (full && !client->broken)
		drop_source(&client->in_source);
	else if (!client->in_source)
		client->in_source = watch(client, G_IO_IN | G_IO_HUP, input_ready);
}

static void flush(struct client *client)
{
	while (waiting_output(client) && !client->broken) {
		ssize_t n = send(client->fd, client->out->data + client->out_done,
			waiting_output(client), MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			client->out_done += (guint)n;
		else if (n < 0 && errno == EAGAIN)
			break;
		else if (n < 0 && errno != EINTR)
			client->broken = true;
	}
	if (!waiting_output(client)) {
		g_byte_array_set_size(client->out, 0);
		client->out_done = 0;
		drop_source(&client->out_source);
	} else if (!client->out_source) {
		client->out_source = watch(client, G_IO_OUT, output_ready);
	}
	if (waiting_output(client) > OUTPUT_MAX)
		client->broken = true;
	if (client->broken) {
		/* Its socket says so, and then it is swept. */
		shutdown(client->fd, SHUT_RDWR);
		if (!client->in_source)
			client->in_source = watch(client, G_IO_IN | G_IO_HUP, input_ready);
	}
	streams_balance(client->streams);
}

static void take_packets(struct client *client);

static gboolean output_ready(int fd, GIOCondition condition, void *data)
{
	struct client *client = data;
	struct server *server = client->server;

	flush(client);
	take_packets(client);
	balance(client);
	sweep(server);
	return G_SOURCE_CONTINUE;
}

static void reply_error(struct client *client, struct wire_header *header, const GError *error)
{
	struct wire_error wire;

	header->status = WIRE_ERROR;
	fault_to_wire(error, &wire);
	packet_append(client->out, header, PACKET_FORMAT(wire_error), &wire);
	packet_clear_value(PACKET_FORMAT(wire_error), &wire);
}

static void reply(struct client *client, const struct wire_header *call,
	const struct packet_format *format, const void *ret, const GError *error)
{
	struct wire_header header = *call;
	g_autoptr(GError) too_large = NULL;

	header.type = WIRE_REPLY;
	header.status = WIRE_OK;
	if (!error && packet_append(client->out, &header, format, ret)) {
		flush(client);
		return;
	}
	fault_set(&too_large, VIR_ERR_RPC, "the answer is larger than the protocol allows");
	reply_error(client, &header, error ? error : too_large);
	flush(client);
}

static void call_free(struct call *call)
{
	packet_free_value(call->procedure->args, call->args);
	packet_free_value(call->procedure->ret, call->ret);
	g_free(call);
}

void call_done(void *data, const GError *error)
{
	struct call *call = data;
	struct client *client = call->client;

	if (client) {
		if (!error && call->complete)
			call->complete(call, call->server);
		g_ptr_array_remove_fast(client->calls, call);
		reply(client, &call->header, call->procedure->ret, call->ret, error);
		if (!client->taking)
			take_packets(client);
		balance(client);
	}
	call_free(call);
}

/* ---- in -------------------------------------------------------------------------------------- */

static bool check_allowed(
	const struct client *client, const struct procedure *procedure, GError **error)
{
	if (!client->uri && !(procedure->flags & PROCEDURE_EARLY))
		return fault_set(error, VIR_ERR_INTERNAL_ERROR, "connection not open");
	if (client->readonly && (procedure->flags & PROCEDURE_WRITES))
		return fault_set(error, VIR_ERR_OPERATION_DENIED, "read only access prevents %s",
			procedure->name);
	return true;
}

static void run_call(struct client *client, const struct procedure *procedure,
	const struct packet *packet, void *args)
{
	struct call *call = g_new0(struct call, 1);
	g_autoptr(GError) error = NULL;
	bool ok;

	call->client = client;
	call->server = client->server;
	call->procedure = procedure;
	call->header = packet->header;
	call->args = args;
	call->ret = procedure->ret ? g_malloc0(procedure->ret->size) : NULL;
	g_ptr_array_add(client->calls, call);
	ok = check_allowed(client, procedure, &error);
	if (ok && procedure->begin) {
		procedure->begin(call);
		return;
	}
	ok = ok && procedure->run(call, &error);
	g_assert(ok == !error);
	call_done(call, error);
}

static void refuse_unknown(struct client *client, const struct packet *packet)
{
	const char *name = procedure_name(packet->header.procedure);
	g_autofree char *number = g_strdup_printf("procedure %d", packet->header.procedure);
	g_autoptr(GError) error = NULL;

	fault_set(&error, VIR_ERR_NO_SUPPORT, "%s", name ? name : number);
	reply(client, &packet->header, NULL, NULL, error);
}

static bool take_remote(struct client *client, const struct packet *packet, GError **error)
{
	const struct procedure *procedure;
	void *args;

	if (packet->header.type == WIRE_STREAM) {
		stream_take(client, packet);
		return true;
	}
	if (packet->header.type != WIRE_CALL || packet->header.status != WIRE_OK ||
		packet->header.vers != WIRE_VERSION) {
		g_set_error(error, PACKET_ERROR, PACKET_ERROR_HEADER, "this is not a call");
		return false;
	}
	procedure = procedure_find(packet->header.procedure);
	if (!procedure) {
		refuse_unknown(client, packet);
		return true;
	}
	if (!packet_read_value(packet, procedure->args, &args, error))
		return false;
	run_call(client, procedure, packet, args);
	return true;
}

static void take_keepalive(struct client *client, const struct packet *packet)
{
	struct wire_header header = packet->header;

	if (header.procedure != WIRE_KEEPALIVE_PING)
		return;
	header.procedure = WIRE_KEEPALIVE_PONG;
	header.type = WIRE_MESSAGE;
	packet_append(client->out, &header, NULL, NULL);
	flush(client);
}

static bool take_packet(struct client *client, const struct packet *packet, GError **error)
{
	switch (packet->header.prog) {
	case WIRE_REMOTE_PROGRAM:
		return take_remote(client, packet, error);
	case WIRE_KEEPALIVE_PROGRAM:
		take_keepalive(client, packet);
		return true;
	default:
		/* libvirt's special programs (of QEMU, LXC, administration) are not here. */
		if (packet->header.type == WIRE_CALL)
			refuse_unknown(client, packet);
		return packet->header.type == WIRE_CALL;
	}
}

static void take_packets(struct client *client)
{
	guint from = 0;

	client->taking = true;
	while (!client->broken && client->calls->len < CALLS_MAX &&
		waiting_output(client) <= OUTPUT_HIGH && !streams_are_full(client->streams)) {
		struct packet packet;
		size_t used;

		if (!packet_find(client->in->data + from, client->in->len - from, &packet, &used,
			    NULL) ||
			(used && !take_packet(client, &packet, NULL)))
			client->broken = true;
		if (!used)
			break;
		from += (guint)used;
	}
	client->taking = false;
	if (from)
		g_byte_array_remove_range(client->in, 0, from);
}

static gboolean input_ready(int fd, GIOCondition condition, void *data)
{
	struct client *client = data;
	struct server *server = client->server;
	guint before = client->in->len;
	ssize_t n;

	g_byte_array_set_size(client->in, before + READ_SIZE);
	n = recv(fd, client->in->data + before, READ_SIZE, MSG_DONTWAIT);
	g_byte_array_set_size(client->in, before + (n > 0 ? (guint)n : 0));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		client->broken = true;
	take_packets(client);
	balance(client);
	sweep(server);
	return G_SOURCE_CONTINUE;
}

/* ---- what procedures ask --------------------------------------------------------------------- */

bool client_open(struct client *client, const char *uri, bool readonly, GError **error)
{
	if (client->uri)
		return fault_set(error, VIR_ERR_INTERNAL_ERROR, "connection already open");
	client->uri = g_strdup(uri);
	client->readonly = readonly;
	return true;
}

const char *client_uri(const struct client *client)
{
	return client->uri;
}

struct server *client_server(const struct client *client)
{
	return client->server;
}

GPtrArray *client_callbacks(struct client *client)
{
	return client->callbacks;
}

bool client_send(struct client *client, const struct wire_header *header,
	const struct packet_format *format, const void *value)
{
	bool ok = packet_append(client->out, header, format, value);

	flush(client);
	return ok;
}

bool client_send_bytes(
	struct client *client, const struct wire_header *header, const void *bytes, size_t size)
{
	bool ok = packet_append_bytes(client->out, header, bytes, size);

	flush(client);
	return ok;
}

bool client_takes(const struct client *client)
{
	return !client->broken && waiting_output(client) <= OUTPUT_LOW;
}

void client_go_on(struct client *client)
{
	if (!client->taking)
		take_packets(client);
	balance(client);
}

GPtrArray *client_streams(struct client *client)
{
	return client->streams;
}

/* ---- the socket ------------------------------------------------------------------------------ */

static bool is_welcome(int fd)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static gboolean client_comes(int fd, GIOCondition condition, void *data)
{
	struct server *server = data;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client;

	if (peer < 0)
		return G_SOURCE_CONTINUE;
	if (server->clients->len >= CLIENTS_MAX || !is_welcome(peer)) {
		close(peer);
		return G_SOURCE_CONTINUE;
	}
	client = g_new0(struct client, 1);
	client->server = server;
	client->fd = peer;
	client->in = g_byte_array_new();
	client->out = g_byte_array_new();
	client->calls = g_ptr_array_new();
	client->callbacks = g_ptr_array_new_with_free_func(callback_free);
	client->streams = g_ptr_array_new_with_free_func((GDestroyNotify)stream_free);
	balance(client);
	g_ptr_array_add(server->clients, client);
	return G_SOURCE_CONTINUE;
}

static bool bind_socket(struct server *server, GError **error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int code = ENAMETOOLONG;
	mode_t mask = umask(0177);
	bool ok = false;

	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd >= 0 && strlen(server->path) < sizeof(address.sun_path)) {
		strcpy(address.sun_path, server->path);
		/* Who has the lock is the only daemon: what is there was left by a killed one. */
		g_unlink(server->path);
		ok = bind(server->fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		     listen(server->fd, 128) == 0;
		code = errno;
	}
	umask(mask);
	if (!ok)
		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
			"cannot listen at '%s': %s", server->path, g_strerror(code));
	return ok;
}

bool server_listen(struct server *server, const char *path, GError **error)
{
	server->clients = g_ptr_array_new_with_free_func(client_free);
	server->consoles = g_ptr_array_new();
	server->path = g_strdup(path);
	if (!bind_socket(server, error))
		return false;
	server->source = g_unix_fd_source_new(server->fd, G_IO_IN);
	g_source_set_callback(server->source, G_SOURCE_FUNC(client_comes), server, NULL);
	g_source_attach(server->source, NULL);
	return true;
}

void server_close(struct server *server)
{
	drop_source(&server->source);
	g_clear_pointer(&server->clients, g_ptr_array_unref);
	g_clear_pointer(&server->consoles, g_ptr_array_unref);
	if (server->fd >= 0)
		close(server->fd);
	if (server->path)
		g_unlink(server->path);
	g_clear_pointer(&server->path, g_free);
}
