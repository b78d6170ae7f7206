// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/daemon/opener.h"

#include "engine/common/control.h"
#include "engine/daemon/files.h"
#include "engine/daemon/monitor.h"
#include "engine/daemon/watch.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct opener {
	int socket;
	struct watch *watch; /* until it has answered */
	GString *in;
	void (*answered)(void *data, const char *problem);
	void *data;
};

/* What the answer says is wrong, or NULL; the caller frees. */
static char *problem_of(const char *line)
{
	g_autoptr(JsonParser) parser = json_parser_new_immutable();
	JsonObject *object = NULL;
	JsonNode *root;

	if (json_parser_load_from_data(parser, line, -1, NULL)) {
		root = json_parser_get_root(parser);
		object = root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
	}
	if (object && json_object_has_member(object, CONTROL_OK))
		return NULL;
	return g_strdup(object ? json_object_get_string_member_with_default(
					 object, CONTROL_ERROR, "?")
			       : "the monitor's keeper says what makes no sense");
}

static void end(struct opener *opener, const char *problem)
{
	watch_remove(g_steal_pointer(&opener->watch));
	opener->answered(opener->data, problem);
}

static void input_ready(void *data)
{
	struct opener *opener = data;
	g_autofree char *problem = NULL;
	char bytes[4096], *newline;
	ssize_t n = recv(opener->socket, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		g_string_append_len(opener->in, bytes, n);
	newline = memchr(opener->in->str, '\n', opener->in->len);
	if (newline) {
		*newline = '\0';
		problem = problem_of(opener->in->str);
		end(opener, problem);
	} else if (n <= 0 || opener->in->len > CONTROL_LINE_MAX) {
		end(opener, "the monitor has gone away");
	}
}

static bool ask(const struct opener *opener, const char *request, JsonObject *members,
	const GPtrArray *files)
{
	int fds[CONTROL_FDS_MAX];
	unsigned count = MIN(files->len, CONTROL_FDS_MAX);

	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *text = NULL, *line = NULL;

	json_object_set_string_member(members, CONTROL_DO, request);
	json_node_take_object(node, members);
	text = json_to_string(node, FALSE);
	line = g_strconcat(text, "\n", NULL);
	for (unsigned i = 0; i < count; i++)
		fds[i] = ((const struct file *)g_ptr_array_index(files, i))->fd;
	return monitor_send_line(opener->socket, line, fds, count);
}

struct opener *opener_new(int socket, const char *request, JsonObject *members, const GPtrArray *files,
	void (*answered)(void *data, const char *problem), void *data, GError **error)
{
	struct opener *opener = g_new0(struct opener, 1);
	bool ok = false;

	opener->socket = socket;
	opener->in = g_string_new(NULL);
	opener->answered = answered;
	opener->data = data;
	if (socket >= 0)
		ok = ask(opener, request, members, files);
	else
		json_object_unref(members);
	if (ok)
		opener->watch = watch_add(socket, EPOLLIN, input_ready, opener);
	if (!opener->watch)
		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno),
			"cannot speak to the monitor's keeper: %s", g_strerror(errno));
	if (opener->watch)
		return opener;
	opener_free(opener);
	return NULL;
}

void opener_free(struct opener *opener)
{
	if (!opener)
		return;
	watch_remove(opener->watch);
	if (opener->socket >= 0)
		close(opener->socket);
	g_string_free(opener->in, TRUE);
	g_free(opener);
}
