// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/console.h"

#include "engine/daemon/fault.h"
#include "engine/daemon/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client at a guest's console. */
struct console {
	struct server *server;
	struct call *call; /* until it is answered */
	struct stream *stream;
	int fd;
	char *name; /* the guest's UUID, and the console's name */
};

static void console_free(void *data)
{
	struct console *console = data;

	g_ptr_array_remove_fast(console->server->consoles, console);
	g_free(console->name);
	g_free(console);
}

static const struct stream_ops stream_ops = {
	.reads = true,
	.writes = true,
	.free = console_free,
};

static struct console *find(const struct server *server, const char *name)
{
	for (guint i = 0; i < server->consoles->len; i++) {
		struct console *console = g_ptr_array_index(server->consoles, i);

		if (strcmp(console->name, name) == 0)
			return console;
	}
	return NULL;
}

/* False: somebody else has it and keeps it. */
static bool take_over(const struct server *server, const char *name, bool force, GError **error)
{
	struct console *other = find(server, name);
	g_autoptr(GError) taken = NULL;

	if (!other)
		return true;
	if (!force || !other->stream)
		return fault_set(error, VIR_ERR_OPERATION_FAILED,
			"Active console session exists for this domain");
	fault_set(&taken, VIR_ERR_OPERATION_FAILED, "another client has taken the console");
	stream_fail(other->stream, taken);
	return true;
}

static void attached(void *data, JsonObject *answer, const GError *error)
{
	struct console *console = data;
	struct call *call = console->call;
	g_autoptr(GError) left = NULL;

	console->call = NULL;
	if (error && console->fd >= 0)
		close(console->fd);
	if (!error)
		console->stream = stream_new(call, console->fd, &stream_ops, console);
	if (!console->stream) {
		fault_set(&left, VIR_ERR_OPERATION_FAILED, "too many streams are open");
		console_free(console);
	}
	call_done(call, error ? error : left);
}

/* The monitor gets one end of a pair of sockets, the stream the other. Who may have the console has
 * been decided; that the one before has left, the monitor may not have noticed yet. */
static void attach(struct console *console, struct guest *guest, const char *name)
{
	JsonObject *members = json_object_new();
	int ends[2] = {-1, -1};

	json_object_set_string_member(members, "console", name);
	json_object_set_boolean_member(members, "write", TRUE);
	json_object_set_boolean_member(members, "force", TRUE);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		ends[0] = ends[1] = -1;
	console->fd = ends[0];
	guest_ask(guest, "attach-console", members, ends[1], attached, console);
}

/* One that nobody else has, or has any more; NULL: the call has been answered. */
static struct console *begin(struct call *call, struct guest *guest, const char *name, bool force)
{
	g_autofree char *full = g_strconcat(guest->running->uuid, "/", name, NULL);
	g_autoptr(GError) error = NULL;
	struct console *console;

	if (!take_over(call->server, full, force, &error)) {
		call_done(call, error);
		return NULL;
	}
	console = g_new0(struct console, 1);
	console->server = call->server;
	console->call = call;
	console->name = g_steal_pointer(&full);
	g_ptr_array_add(call->server->consoles, console);
	return console;
}

static void refuse(struct call *call, const char *kind, const char *alias)
{
	g_autoptr(GError) error = NULL;

	fault_set(&error, VIR_ERR_INTERNAL_ERROR, "cannot find %s device %s", kind,
		alias ? alias : "(null)");
	call_done(call, error);
}

void console_open(struct call *call, struct guest *guest, const char *alias, bool force)
{
	g_autofree char *name = definition_console(guest->running, alias);
	struct console *console;

	if (!name) {
		refuse(call, "console", alias);
		return;
	}
	console = begin(call, guest, name, force);
	if (console)
		attach(console, guest, name);
}

void console_open_channel(struct call *call, struct guest *guest, const char *alias, bool force)
{
	g_autofree char *name = definition_channel(guest->running, alias);
	g_autoptr(GError) error = NULL;
	struct console *console;

	if (!name) {
		refuse(call, "channel", alias);
		return;
	}
	console = begin(call, guest, name, force);
	if (!console)
		return;
	console->fd = monitor_connect(guest->monitor, name);
	if (console->fd < 0)
		fault_set(&error, VIR_ERR_SYSTEM_ERROR, "cannot connect to the channel: %s",
			g_strerror(errno));
	attached(console, NULL, error);
}
