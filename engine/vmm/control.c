// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/control.h"

#include "engine/common/control.h"
#include "engine/vmm/statistics.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 32u
/* What may wait for a client that does not read. */
#define OUTPUT_MAX (1u << 20)

struct control {
	char *path;
	int fd;
	GMainContext *context;
	GSource *source;
	GPtrArray *clients; /* struct client */
	GPtrArray *calls;   /* struct control_call: those not answered yet */
	const struct control_request *const *tables;
	struct machine *machine;
	struct keeper *keeper;
	void (*left)(struct keeper *keeper, const void *client);
};

struct client {
	struct control *control;
	int fd;
	GSource *in_source, *out_source;
	GString *in, *out;
	int fds[CONTROL_FDS_MAX]; /* those that no request has got yet */
	unsigned fd_count;
	bool broken; /* to be removed */
	void (*left)(struct machine *machine); /* control_watch(); or NULL */
};

static void drop_source(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static void forget_client(struct control *control, const struct client *client);

static void client_free(void *data)
{
	struct client *client = data;

	forget_client(client->control, client);
	if (client->control->left)
		client->control->left(client->control->keeper, client);
	if (client->left && client->control->machine)
		client->left(client->control->machine);
	for (unsigned i = 0; i < client->fd_count; i++)
		close(client->fds[i]);
	drop_source(&client->in_source);
	drop_source(&client->out_source);
	close(client->fd);
	g_string_free(client->in, TRUE);
	g_string_free(client->out, TRUE);
	g_free(client);
}

static GSource *watch(struct client *client, GIOCondition condition, GUnixFDSourceFunc callback)
{
	GSource *source = g_unix_fd_source_new(client->fd, condition);

	g_source_set_callback(source, G_SOURCE_FUNC(callback), client, NULL);
	g_source_attach(source, client->control->context);
	return source;
}

static gboolean output_ready(int fd, GIOCondition condition, void *data);

static void flush(struct client *client)
{
	while (client->out->len && !client->broken) {
		ssize_t n = send(client->fd, client->out->str, client->out->len,
			MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			g_string_erase(client->out, 0, n);
		else if (n < 0 && errno == EAGAIN)
			break;
		else if (n < 0 && errno != EINTR)
			client->broken = true;
	}
	if (client->out->len > OUTPUT_MAX)
		client->broken = true;
	if (client->out->len && !client->out_source)
		client->out_source = watch(client, G_IO_OUT, output_ready);
	else if (!client->out->len)
		drop_source(&client->out_source);
}

static void sweep(struct control *control)
{
	for (unsigned i = control->clients->len; i-- > 0;) {
		struct client *client = g_ptr_array_index(control->clients, i);

		/* No client any more when others are told what its leaving has changed. */
		if (client->broken)
			client_free(g_ptr_array_steal_index(control->clients, i));
	}
}

static gboolean output_ready(int fd, GIOCondition condition, void *data)
{
	struct client *client = data;
	struct control *control = client->control;

	flush(client);
	sweep(control);
	return G_SOURCE_CONTINUE;
}

/* Takes the object and sends it as a line. */
static void send_object(struct client *client, JsonObject *object)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *text = NULL;

	json_node_take_object(node, object);
	text = json_to_string(node, FALSE);
	json_node_unref(node);
	g_string_append(client->out, text);
	g_string_append_c(client->out, '\n');
	flush(client);
}

/* ---- calls ---------------------------------------------------------------------------------------- */

G_DEFINE_QUARK(lodge-control-call-error, control_call_error)

struct control_call {
	struct control *control;
	struct client *client; /* NULL: it has left */
	JsonParser *parser;    /* holds the request */
	JsonObject *request;
	JsonObject *answer;
	int fds[CONTROL_FDS_MAX];
	unsigned fd_count;
	GSource *timer;
	void (*late)(struct control_call *call, void *data);
	void *late_data;
};

static void call_free(struct control_call *call)
{
	g_ptr_array_remove_fast(call->control->calls, call);
	drop_source(&call->timer);
	for (unsigned i = 0; i < call->fd_count; i++)
		close(call->fds[i]);
	g_clear_pointer(&call->answer, json_object_unref);
	g_object_unref(call->parser);
	g_free(call);
}

struct machine *control_machine(const struct control_call *call)
{
	return call->control->machine;
}

struct keeper *control_keeper(const struct control_call *call)
{
	return call->control->keeper;
}

const void *control_client(const struct control_call *call)
{
	return call->client;
}

JsonObject *control_answer(const struct control_call *call)
{
	return call->answer;
}

static void answer_call(struct control_call *call)
{
	if (call->client) {
		if (call->request && json_object_has_member(call->request, CONTROL_ID))
			json_object_set_member(call->answer, CONTROL_ID,
				json_node_copy(json_object_get_member(call->request, CONTROL_ID)));
		send_object(call->client, g_steal_pointer(&call->answer));
	}
	call_free(call);
}

void control_done(struct control_call *call)
{
	json_object_set_boolean_member(call->answer, CONTROL_OK, TRUE);
	answer_call(call);
}

void control_refuse(struct control_call *call, const char *sentence)
{
	json_object_unref(call->answer);
	call->answer = json_object_new();
	json_object_set_string_member(call->answer, CONTROL_ERROR, sentence);
	answer_call(call);
}

void control_fail(struct control_call *call, GError *error)
{
	control_refuse(call, error->message);
	g_error_free(error);
}

void control_watch(struct control_call *call, void (*left)(struct machine *machine))
{
	if (call->client)
		call->client->left = left;
}

bool control_unwatch(struct control_call *call)
{
	bool watched = call->client && call->client->left;

	if (watched)
		call->client->left = NULL;
	return watched;
}

static gboolean time_is_up(void *data)
{
	struct control_call *call = data;

	drop_source(&call->timer);
	call->late(call, call->late_data);
	return G_SOURCE_REMOVE;
}

/* Seconds. */
static double timeout_of(const struct control_call *call)
{
	JsonNode *node = json_object_get_member(call->request, CONTROL_TIMEOUT_MEMBER);

	if (!node || !JSON_NODE_HOLDS_VALUE(node))
		return CONTROL_TIMEOUT;
	return CLAMP(json_node_get_double(node), 0, 3600);
}

void control_wait(struct control_call *call, void (*late)(struct control_call *call, void *data),
	void *data)
{
	drop_source(&call->timer);
	call->late = late;
	call->late_data = data;
	call->timer = g_timeout_source_new((guint)(timeout_of(call) * 1000));
	g_source_set_callback(call->timer, time_is_up, call, NULL);
	g_source_attach(call->timer, call->control->context);
}

bool control_has(const struct control_call *call, const char *member)
{
	return json_object_has_member(call->request, member);
}

JsonObject *control_members(const struct control_call *call)
{
	return call->request;
}

static const char *string_member(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node)
								       : NULL;
}

const char *control_text(const struct control_call *call, const char *member, GError **error)
{
	const char *text = string_member(call->request, member);

	if (!text)
		g_set_error(error, CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_INVALID,
			_("The request has no text \"%s\""), member);
	return text;
}

bool control_number(const struct control_call *call, const char *member, uint64_t min, uint64_t max,
	uint64_t *value, GError **error)
{
	JsonNode *node = json_object_get_member(call->request, member);
	bool valid = node && json_node_get_value_type(node) == G_TYPE_INT64;
	gint64 number = valid ? json_node_get_int(node) : -1;

	if (!valid || number < 0 || (uint64_t)number < min || (uint64_t)number > max) {
		g_autofree char *range = g_strdup_printf(
			"%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, min, max);

		g_set_error(error, CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_INVALID,
			_("The request's \"%s\" must be a number of the range %s"), member, range);
		return false;
	}
	*value = (uint64_t)number;
	return true;
}

bool control_flag(const struct control_call *call, const char *member)
{
	JsonNode *node = json_object_get_member(call->request, member);

	return node && json_node_get_value_type(node) == G_TYPE_BOOLEAN &&
		json_node_get_boolean(node);
}

JsonObject *control_object(const struct control_call *call, const char *member)
{
	JsonNode *node = json_object_get_member(call->request, member);

	return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

int control_take_fd(struct control_call *call)
{
	int fd;

	if (!call->fd_count)
		return -1;
	fd = call->fds[0];
	call->fd_count--;
	memmove(call->fds, call->fds + 1, call->fd_count * sizeof(*call->fds));
	return fd;
}

/* Calls under way go on without their client. */
static void forget_client(struct control *control, const struct client *client)
{
	for (unsigned i = 0; i < control->calls->len; i++) {
		struct control_call *call = g_ptr_array_index(control->calls, i);

		if (call->client == client)
			call->client = NULL;
	}
}

/* ---- requests ------------------------------------------------------------------------------------ */

const struct control_request *const control_machine_tables[] = {
	control_life_requests,
	control_sched_requests,
	control_console_requests,
	control_disk_requests,
	control_net_requests,
	control_cpu_requests,
	control_memory_requests,
	control_save_requests,
	NULL,
};

static const struct control_request *find_request(const struct control *control, const char *name)
{
	for (size_t i = 0; control->tables[i]; i++)
		for (const struct control_request *request = control->tables[i]; request->name;
			request++)
			if (strcmp(name, request->name) == 0)
				return request;
	return NULL;
}

static void run_call(struct control_call *call)
{
	const char *name = string_member(call->request, CONTROL_DO);
	const struct control_request *request = name ? find_request(call->control, name) : NULL;

	/* What it changes is to be seen, also where the guest sleeps on. */
	if (call->control->machine)
		statistics_wake(machine_parts(call->control->machine)->statistics);
	if (!name)
		control_refuse(call, _("A request must say what to \"do\""));
	else if (!request)
		control_refuse(call, _("There is no request of this name"));
	else if (!call->control->machine && !call->control->keeper)
		control_refuse(call, _("The guest is not there yet"));
	else
		request->run(call);
}

/* The descriptors that have come go to the first request after them. */
static void give_fds(struct client *client, struct control_call *call)
{
	call->fd_count = client->fd_count;
	memcpy(call->fds, client->fds, client->fd_count * sizeof(*client->fds));
	client->fd_count = 0;
}

static void answer_line(struct client *client, const char *line)
{
	struct control_call *call = g_new0(struct control_call, 1);
	JsonNode *root = NULL;

	call->control = client->control;
	call->client = client;
	call->parser = json_parser_new_immutable();
	call->answer = json_object_new();
	g_ptr_array_add(client->control->calls, call);
	give_fds(client, call);
	if (json_parser_load_from_data(call->parser, line, -1, NULL))
		root = json_parser_get_root(call->parser);
	if (root && JSON_NODE_HOLDS_OBJECT(root)) {
		call->request = json_node_get_object(root);
		run_call(call);
	} else {
		control_refuse(call, _("This is not a JSON object"));
	}
}
static void answer_lines(struct client *client)
{
	char *end;

	while (!client->broken && (end = memchr(client->in->str, '\n', client->in->len))) {
		g_autofree char *line = g_strndup(client->in->str, (gsize)(end - client->in->str));

		g_string_erase(client->in, 0, end - client->in->str + 1);
		if (*line)
			answer_line(client, line);
	}
	if (client->in->len > CONTROL_LINE_MAX)
		client->broken = true;
}

/* Keeps the descriptors of a message; those that nobody may send are closed. */
static void take_fds(struct client *client, struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fd;

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			memcpy(&fd, CMSG_DATA(part) + i * sizeof(fd), sizeof(fd));
			if (client->fd_count < CONTROL_FDS_MAX)
				client->fds[client->fd_count++] = fd;
			else
				close(fd);
		}
	}
}

static gboolean input_ready(int fd, GIOCondition condition, void *data)
{
	struct client *client = data;
	struct control *control = client->control;
	char bytes[4096];
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
	} ancillary;
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &ancillary,
		.msg_controllen = sizeof(ancillary),
	};
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n >= 0)
		take_fds(client, &message);
	if (n > 0)
		g_string_append_len(client->in, bytes, n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		client->broken = true;
	answer_lines(client);
	sweep(control);
	return G_SOURCE_CONTINUE;
}

static gboolean client_comes(int fd, GIOCondition condition, void *data)
{
	struct control *control = data;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client;

	if (peer < 0)
		return G_SOURCE_CONTINUE;
	if (control->clients->len >= CLIENTS_MAX) {
		close(peer);
		return G_SOURCE_CONTINUE;
	}
	client = g_new0(struct client, 1);
	client->control = control;
	client->fd = peer;
	client->in = g_string_new(NULL);
	client->out = g_string_new(NULL);
	client->in_source = watch(client, G_IO_IN | G_IO_HUP, input_ready);
	g_ptr_array_add(control->clients, client);
	return G_SOURCE_CONTINUE;
}

/* ---- the socket ---------------------------------------------------------------------------------- */

static bool listen_at(struct control *control, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int code = ENAMETOOLONG;
	bool ok = false;

	if (strlen(control->path) < sizeof(address.sun_path)) {
		strcpy(address.sun_path, control->path);
		/* A socket that nobody answers at is what a killed monitor left. */
		if (connect(control->fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
			errno == ECONNREFUSED)
			unlink(control->path);
		mask = umask(0177);
		ok = bind(control->fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
			listen(control->fd, 16) == 0;
		code = errno;
		umask(mask);
	}
	if (!ok)
		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
			code == EADDRINUSE || code == EINVAL || code == EISCONN
				? _("the control socket '%s' is in use by another monitor")
				: _("cannot listen at the control socket '%s': %s"),
			control->path, g_strerror(code));
	return ok;
}

struct control *control_new(const char *path, const struct control_request *const *tables,
	GMainContext *context, GError **error)
{
	struct control *control = g_new0(struct control, 1);

	control->tables = tables;
	control->context = context;
	control->clients = g_ptr_array_new_with_free_func(client_free);
	control->calls = g_ptr_array_new();
	control->path = g_strdup(path);
	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!listen_at(control, error)) {
		g_clear_pointer(&control->path, g_free);
		control_free(control);
		return NULL;
	}
	control->source = g_unix_fd_source_new(control->fd, G_IO_IN);
	g_source_set_callback(control->source, G_SOURCE_FUNC(client_comes), control, NULL);
	g_source_attach(control->source, context);
	return control;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	/* It may be gone already. */
	control->machine = NULL;
	drop_source(&control->source);
	g_ptr_array_free(control->clients, TRUE);
	while (control->calls->len)
		call_free(g_ptr_array_index(control->calls, 0));
	g_ptr_array_free(control->calls, TRUE);
	if (control->fd >= 0)
		close(control->fd);
	if (control->path)
		unlink(control->path);
	g_free(control->path);
	g_free(control);
}

void control_set_machine(struct control *control, struct machine *machine)
{
	control->machine = machine;
}

void control_set_keeper(struct control *control, struct keeper *keeper,
	void (*left)(struct keeper *keeper, const void *client))
{
	control->keeper = keeper;
	control->left = left;
}

void control_event(
	struct control *control, const char *event, const char *detail, JsonObject *fields)
{
	g_autoptr(JsonObject) object = fields ? fields : json_object_new();

	json_object_set_string_member(object, CONTROL_EVENT, event);
	if (detail)
		json_object_set_string_member(object, CONTROL_DETAIL, detail);
	for (unsigned i = 0; i < control->clients->len; i++)
		send_object(g_ptr_array_index(control->clients, i), json_object_ref(object));
}
