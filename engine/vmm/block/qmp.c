// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/block/qmp.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Far more than it says to what we ask. */
#define LINE_MAX_LENGTH (1u << 20)

struct qmp {
	int fd;
	GString *in;
	GPtrArray *events; /* char *: their names, since the last command began */
};

struct qmp *qmp_new(int fd)
{
	struct qmp *qmp = g_new0(struct qmp, 1);
	struct timeval patience = { .tv_sec = QMP_PATIENCE_S };

	qmp->fd = fd;
	qmp->in = g_string_new(NULL);
	qmp->events = g_ptr_array_new_with_free_func(g_free);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return qmp;
}

void qmp_free(struct qmp *qmp)
{
	if (!qmp)
		return;
	close(qmp->fd);
	g_string_free(qmp->in, TRUE);
	g_ptr_array_free(qmp->events, TRUE);
	g_free(qmp);
}

/* The next object; NULL where there is none. */
static JsonObject *receive(struct qmp *qmp, GError **error)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonNode *root = NULL;
	char bytes[4096], *end;

	while (!(end = memchr(qmp->in->str, '\n', qmp->in->len))) {
		ssize_t n = recv(qmp->fd, bytes, sizeof(bytes), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || qmp->in->len > LINE_MAX_LENGTH) {
			g_set_error(error, G_IO_ERROR, G_IO_ERROR_CLOSED,
				n == 0 ? _("qemu-storage-daemon has ended")
				       : _("qemu-storage-daemon does not answer"));
			return NULL;
		}
		g_string_append_len(qmp->in, bytes, n);
	}
	if (json_parser_load_from_data(parser, qmp->in->str, end - qmp->in->str, NULL))
		root = json_parser_get_root(parser);
	g_string_erase(qmp->in, 0, end - qmp->in->str + 1);
	if (root && JSON_NODE_HOLDS_OBJECT(root))
		return json_object_ref(json_node_get_object(root));
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
		_("qemu-storage-daemon says what makes no sense"));
	return NULL;
}

static const char *text_of(JsonObject *object, const char *member)
{
	JsonNode *node = object ? json_object_get_member(object, member) : NULL;

	return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node)
								       : NULL;
}

static bool transmit(struct qmp *qmp, const char *text, GError **error)
{
	size_t length = strlen(text);

	while (length) {
		ssize_t n = send(qmp->fd, text, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			g_set_error(error, G_IO_ERROR, G_IO_ERROR_CLOSED,
				_("qemu-storage-daemon has ended"));
			return false;
		}
		text += n;
		length -= (size_t)n;
	}
	return true;
}

bool qmp_begin(struct qmp *qmp, GError **error)
{
	JsonObject *greeting = receive(qmp, error);

	if (!greeting)
		return false;
	json_object_unref(greeting);
	return qmp_do(qmp, "qmp_capabilities", NULL, error);
}

/* Takes one message: keeps an event. 1: the command has worked, -1: it has not, 0: go on. */
static int take(struct qmp *qmp, JsonObject *message, GError **error)
{
	const char *event = text_of(message, "event");
	JsonNode *problem = json_object_get_member(message, "error");

	if (event)
		g_ptr_array_add(qmp->events, g_strdup(event));
	if (problem) {
		const char *text = JSON_NODE_HOLDS_OBJECT(problem)
			? text_of(json_node_get_object(problem), "desc")
			: NULL;

		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, text ? text : "?");
		return -1;
	}
	return json_object_has_member(message, "return");
}

bool qmp_do(struct qmp *qmp, const char *command, JsonObject *arguments, GError **error)
{
	JsonObject *object = json_object_new();
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *text = NULL, *line = NULL;
	int state = 0;

	json_object_set_string_member(object, "execute", command);
	if (arguments)
		json_object_set_object_member(object, "arguments", arguments);
	json_node_take_object(node, object);
	text = json_to_string(node, FALSE);
	line = g_strconcat(text, "\n", NULL);
	g_ptr_array_set_size(qmp->events, 0);
	if (!transmit(qmp, line, error))
		return false;
	while (!state) {
		JsonObject *message = receive(qmp, error);

		if (!message)
			return false;
		state = take(qmp, message, error);
		json_object_unref(message);
	}
	return state > 0;
}

bool qmp_wait(struct qmp *qmp, const char *event, GError **error)
{
	while (!g_ptr_array_find_with_equal_func(qmp->events, event, g_str_equal, NULL)) {
		JsonObject *message = receive(qmp, error);

		if (!message)
			return false;
		take(qmp, message, NULL);
		json_object_unref(message);
	}
	return true;
}

bool qmp_end(struct qmp *qmp)
{
	char bytes[4096];
	ssize_t n;

	if (!transmit(qmp, "{\"execute\": \"quit\"}\n", NULL))
		return true;
	do {
		n = recv(qmp->fd, bytes, sizeof(bytes), 0);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0 || errno == ECONNRESET;
}
