// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/daemon/client.h"

#include "engine/daemon/audit.h"
#include "engine/daemon/events.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/listen.h"
#include "engine/daemon/procedure.h"
#include "engine/daemon/stream.h"
#include "engine/daemon/sync.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <sys/socket.h>
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
	struct audit_peer peer;
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

/* See PROCEDURE_WRITES. */
static const char *find_subject(const struct call *call, bool worked)
{
	bool is_xml = strstr(call->procedure->name, "XML") != NULL;
	const struct packet_format *format = is_xml ? call->procedure->ret : call->procedure->args;
	const void *value = is_xml ? call->ret : call->args;

	if (!format || !value || (is_xml && !worked) ||
		(call->procedure->flags & PROCEDURE_UNNAMED))
		return NULL;
	return *(const char *const *)value;
}

static void audit_call(const struct call *call, const GError *error)
{
	if (call->procedure->flags & PROCEDURE_WRITES)
		audit_write(call->server->audit, &call->peer, call->procedure->name,
			find_subject(call, !error), error ? error->message : NULL);
}

static void answer(struct call *call, const GError *error)
{
	struct client *client = call->client;

	if (client && !error && call->complete)
		call->complete(call, call->server);
	audit_call(call, error);
	if (client) {
		g_ptr_array_remove_fast(client->calls, call);
		reply(client, &call->header, call->procedure->ret, call->ret, error);
		if (!client->taking)
			take_packets(client);
		balance(client);
	}
	call->answered = true;
	if (!call->beginning)
		call_free(call);
}

static void call_on_disk(void *call, const GError *error)
{
	answer(call, error);
}

/* What it has changed is there after any crash once it is answered. */
void call_done(void *data, const GError *error)
{
	struct call *call = data;

	if (!error && (call->procedure->flags & PROCEDURE_WRITES) && call->noted != sync_noted())
		sync_wait(call_on_disk, call);
	else
		answer(call, error);
}

void call_answered(void *call, JsonObject *answer, const GError *error)
{
	call_done(call, error);
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
	call->peer = client->peer;
	call->noted = sync_noted();
	call->args = args;
	call->ret = procedure->ret ? g_malloc0(procedure->ret->size) : NULL;
	g_ptr_array_add(client->calls, call);
	ok = check_allowed(client, procedure, &error);
	if (ok && procedure->begin) {
		call->beginning = true;
		procedure->begin(call);
		call->beginning = false;
		if (call->answered)
			call_free(call);
		return;
	}
	ok = ok && procedure->run(call, &error);
	g_assert(ok == !error);
	call_done(call, error);
}

static void refuse_unknown(struct client *client, const struct packet *packet)
{
	const char *name = procedure_name(packet->header.prog, packet->header.procedure);
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
	client->readonly |= readonly;
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

/* ---- coming and going ------------------------------------------------------------------------ */

/* Where the modes let nobody else in, the kernel's word is asked for, too: root may hand over a
 * connection, or the folder be moved. */
static bool is_welcome(const struct client *client)
{
	const struct settings *settings = client->server->registry->settings;
	mode_t mode = client->readonly ? settings->read_only_mode : settings->mode;

	return (mode & 0077) || client->peer.uid == 0 || client->peer.uid == geteuid();
}

static bool know_peer(struct client *client)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);

	if (getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	client->peer = (struct audit_peer){peer.uid, peer.gid, peer.pid};
	return true;
}

static void client_comes(void *data, int fd, bool read_only)
{
	struct server *server = data;
	struct client *client = g_new0(struct client, 1);
	const char *problem = NULL;

	client->server = server;
	client->fd = fd;
	client->readonly = read_only;
	client->in = g_byte_array_new();
	client->out = g_byte_array_new();
	client->calls = g_ptr_array_new();
	client->callbacks = g_ptr_array_new_with_free_func(callback_free);
	client->streams = g_ptr_array_new_with_free_func((GDestroyNotify)stream_free);
	if (!know_peer(client) || !is_welcome(client))
		problem = "not allowed";
	else if (server->clients->len >= CLIENTS_MAX)
		problem = "too many clients";
	audit_write(server->audit, &client->peer, read_only ? "connects to read only" : "connects",
		NULL, problem);
	if (problem) {
		client_free(client);
		return;
	}
	balance(client);
	g_ptr_array_add(server->clients, client);
}

bool server_listen(struct server *server, GError **error)
{
	const struct store *store = server->registry->store;
	const struct settings *settings = server->registry->settings;
	struct listener_config config = {
		.path = store->socket,
		.mode = settings->mode,
		.group = settings->group,
		.comes = client_comes,
		.data = server,
	};
	g_autofree char *folder = g_path_get_dirname(store->socket);

	server->clients = g_ptr_array_new_with_free_func(client_free);
	server->consoles = g_ptr_array_new();
	/* Whom the sockets let in must come as far as to them; systemd sees to that by itself. */
	if (!listener_is_activated())
		g_chmod(folder, (settings->mode | settings->read_only_mode) & 0077 ? 0711 : 0700);
	server->listener = listener_new(&config, error);
	if (!server->listener)
		return false;
	config.path = store->read_only_socket;
	config.mode = settings->read_only_mode;
	config.read_only = true;
	server->read_only_listener = listener_new(&config, error);
	return server->read_only_listener != NULL;
}

bool server_is_wanted(const struct server *server)
{
	return server->clients->len || listener_is_wanted(server->listener) ||
	       listener_is_wanted(server->read_only_listener);
}

void server_close(struct server *server)
{
	/* These calls are still answered. */
	sync_finish();
	g_clear_pointer(&server->clients, g_ptr_array_unref);
	g_clear_pointer(&server->consoles, g_ptr_array_unref);
	g_clear_pointer(&server->listener, listener_free);
	g_clear_pointer(&server->read_only_listener, listener_free);
}
