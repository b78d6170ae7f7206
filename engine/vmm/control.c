// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/control.h"

#include "engine/common/control.h"

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
	struct machine *machine;
};

struct client {
	struct control *control;
	int fd;
	GSource *in_source, *out_source;
	GString *in, *out;
	bool broken; /* to be removed */
};

static void drop_source(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static void client_free(void *data)
{
	struct client *client = data;

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

		if (client->broken)
			g_ptr_array_remove_index(control->clients, i);
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

/* ---- requests: each fills in the answer, or returns why not --------------------------------------- */

static const char *do_status(struct machine *machine, JsonObject *answer)
{
	static const char *const states[] = {
		[MACHINE_PAUSED] = "paused",
		[MACHINE_RUNNING] = "running",
		[MACHINE_PRESERVED] = "preserved",
		[MACHINE_ENDED] = "ended",
	};
	const struct machine_config *config = machine_config(machine);
	JsonArray *serials = json_array_new();

	json_object_set_string_member(answer, "state", states[machine_state(machine)]);
	json_object_set_string_member(answer, "name", config->name);
	json_object_set_string_member(answer, "uuid", config->uuid);
	json_object_set_string_member(answer, "backend", machine_backend(machine));
	json_object_set_int_member(answer, "vcpus", config->vcpus);
	json_object_set_int_member(answer, "memory", (gint64)config->memory);
	json_object_set_int_member(answer, "pid", getpid());
	json_object_set_int_member(answer, "uptime", (gint64)machine_uptime(machine));
	for (unsigned i = 0; i < config->serials->len; i++) {
		const char *path = machine_serial_path(machine, i);

		if (path)
			json_array_add_string_element(serials, path);
		else
			json_array_add_null_element(serials);
	}
	json_object_set_array_member(answer, "serials", serials);
	return NULL;
}

static const char *do_pause(struct machine *machine, JsonObject *answer)
{
	return machine_pause(machine) ? NULL : _("The guest is not running");
}

static const char *do_resume(struct machine *machine, JsonObject *answer)
{
	return machine_resume(machine) ? NULL : _("The guest is not paused");
}

static const char *do_reset(struct machine *machine, JsonObject *answer)
{
	return machine_reset(machine) ? NULL : _("The guest could not be loaded again");
}

static const char *do_powerdown(struct machine *machine, JsonObject *answer)
{
	return machine_press_power(machine) ? NULL : _("The guest is not running");
}

static const char *do_quit(struct machine *machine, JsonObject *answer)
{
	machine_quit(machine);
	return NULL;
}

static const struct {
	const char *name;
	const char *(*run)(struct machine *machine, JsonObject *answer);
} requests[] = {
	{ "status", do_status },
	{ "pause", do_pause },
	{ "resume", do_resume },
	{ "reset", do_reset },
	{ "powerdown", do_powerdown },
	{ "quit", do_quit },
};

/* The member's text, or NULL where it is no string. */
static const char *string_member(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node)
								       : NULL;
}

static const char *run_request(struct control *control, JsonObject *request, JsonObject *answer)
{
	const char *name = string_member(request, CONTROL_DO);

	if (!name)
		return _("A request must say what to \"do\"");
	if (!control->machine)
		return _("The guest is not there yet");
	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++)
		if (strcmp(name, requests[i].name) == 0)
			return requests[i].run(control->machine, answer);
	return _("There is no request of this name");
}

static void answer_line(struct client *client, const char *line)
{
	g_autoptr(JsonParser) parser = json_parser_new_immutable();
	JsonObject *answer = json_object_new();
	const char *problem = _("This is not a JSON object");
	JsonNode *root = NULL;

	if (json_parser_load_from_data(parser, line, -1, NULL))
		root = json_parser_get_root(parser);
	if (root && JSON_NODE_HOLDS_OBJECT(root)) {
		JsonObject *request = json_node_get_object(root);

		if (json_object_has_member(request, CONTROL_ID))
			json_object_set_member(answer, CONTROL_ID,
				json_node_copy(json_object_get_member(request, CONTROL_ID)));
		problem = run_request(client->control, request, answer);
	}
	if (problem)
		json_object_set_string_member(answer, CONTROL_ERROR, problem);
	else
		json_object_set_boolean_member(answer, CONTROL_OK, TRUE);
	send_object(client, answer);
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

static gboolean input_ready(int fd, GIOCondition condition, void *data)
{
	struct client *client = data;
	struct control *control = client->control;
	char bytes[4096];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

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

struct control *control_new(const char *path, GMainContext *context, GError **error)
{
	struct control *control = g_new0(struct control, 1);

	control->context = context;
	control->clients = g_ptr_array_new_with_free_func(client_free);
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
	drop_source(&control->source);
	g_ptr_array_free(control->clients, TRUE);
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

void control_event(struct control *control, enum machine_event event, const char *detail)
{
	static const char *const names[] = {
		[MACHINE_EVENT_STARTED] = "started",
		[MACHINE_EVENT_PAUSED] = "paused",
		[MACHINE_EVENT_RESUMED] = "resumed",
		[MACHINE_EVENT_RESET] = "reset",
		[MACHINE_EVENT_POWERED_OFF] = "powered-off",
		[MACHINE_EVENT_CRASHED] = "crashed",
		[MACHINE_EVENT_WARNING] = "warning",
		[MACHINE_EVENT_ENDED] = "ended",
	};

	for (unsigned i = 0; i < control->clients->len; i++) {
		JsonObject *object = json_object_new();

		json_object_set_string_member(object, CONTROL_EVENT, names[event]);
		if (detail)
			json_object_set_string_member(object, CONTROL_DETAIL, detail);
		send_object(g_ptr_array_index(control->clients, i), object);
	}
}
