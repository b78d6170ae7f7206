// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/daemon/monitor.h"

#include "engine/common/control.h"
#include "engine/daemon/files.h"
#include "engine/daemon/opener.h"
#include "engine/daemon/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define RETRY_MS 5
/* The descriptor by which lodge-vmm keeps its lock. */
#define LOCK_FD 3
/* The one of a saved guest. */
#define RESTORE_FD 4
/* And those of the files of its definition, from here on. */
#define FILES_FD 5

struct request {
	gint64 id;
	char *line;
	int fd; /* goes with it, or -1 */
	bool sent;
	monitor_answer answered;
	void *data;
};

struct monitor {
	const struct monitor_events *events;
	void *data;
	int folder;
	int fd; /* of the control socket, or -1 */
	pid_t pid;     /* of its keeper, with which all of it ends */
	pid_t machine; /* of the process in which the guest runs; 0: not known yet */
	bool child;    /* of this daemon */
	int pidfd;
	GSource *retry;
	struct watch *input, *process;
	GByteArray *in;
	GQueue requests; /* struct request, oldest first */
	gint64 next_id;
	bool ready, ended;
};

static void drop_retry(struct monitor *monitor)
{
	if (monitor->retry)
		g_source_destroy(monitor->retry);
	g_clear_pointer(&monitor->retry, g_source_unref);
}

static void drop_watch(struct watch **watch)
{
	watch_remove(*watch);
	*watch = NULL;
}

static void drop_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void request_free(struct request *request)
{
	drop_fd(&request->fd);
	g_free(request->line);
	g_free(request);
}

static bool fail(GError **error, const char *what, const char *path)
{
	int code = errno;

	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code), "%s '%s': %s", what,
		path, g_strerror(code));
	return false;
}

static struct monitor *monitor_new(
	const char *folder, const struct monitor_events *events, void *data)
{
	struct monitor *monitor = g_new0(struct monitor, 1);

	monitor->events = events;
	monitor->data = data;
	monitor->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	monitor->fd = monitor->pidfd = -1;
	monitor->in = g_byte_array_new();
	g_queue_init(&monitor->requests);
	return monitor;
}

void monitor_free(struct monitor *monitor)
{
	struct request *request;

	if (!monitor)
		return;
	drop_retry(monitor);
	drop_watch(&monitor->input);
	drop_watch(&monitor->process);
	drop_fd(&monitor->fd);
	drop_fd(&monitor->pidfd);
	drop_fd(&monitor->folder);
	while ((request = g_queue_pop_head(&monitor->requests)))
		request_free(request);
	g_byte_array_free(monitor->in, TRUE);
	g_free(monitor);
}

pid_t monitor_pid(const struct monitor *monitor)
{
	return monitor->machine;
}

/* ---- what it says ---------------------------------------------------------------------------- */

/* Answers come in any order. */
static struct request *take_request(struct monitor *monitor, gint64 id)
{
	for (GList *at = monitor->requests.head; at; at = at->next) {
		struct request *request = at->data;

		if (!request->sent || request->id != id)
			continue;
		g_queue_delete_link(&monitor->requests, at);
		return request;
	}
	return NULL;
}

static void take_answer(struct monitor *monitor, JsonObject *object)
{
	struct request *request = take_request(
		monitor, json_object_get_int_member_with_default(object, CONTROL_ID, -1));
	const char *problem =
		json_object_get_string_member_with_default(object, CONTROL_ERROR, NULL);

	if (!request)
		return;
	if (request->answered)
		request->answered(request->data, problem ? NULL : object, problem);
	request_free(request);
}

static void take_line(struct monitor *monitor, const char *line, size_t length)
{
	g_autoptr(JsonParser) parser = json_parser_new_immutable();
	const char *event;
	JsonObject *object;
	JsonNode *root;

	if (!json_parser_load_from_data(parser, line, (gssize)length, NULL))
		return;
	root = json_parser_get_root(parser);
	if (!root || !JSON_NODE_HOLDS_OBJECT(root))
		return;
	object = json_node_get_object(root);
	event = json_object_get_string_member_with_default(object, CONTROL_EVENT, NULL);
	if (!event)
		take_answer(monitor, object);
	else if (monitor->ready)
		monitor->events->event(monitor->data, event, object);
}

static void take_lines(struct monitor *monitor)
{
	const guint8 *end;

	while (monitor->in->len && (end = memchr(monitor->in->data, '\n', monitor->in->len))) {
		guint length = (guint)(end - monitor->in->data);
		g_autofree char *line = g_strndup((const char *)monitor->in->data, length);

		g_byte_array_remove_range(monitor->in, 0, length + 1);
		take_line(monitor, line, length);
	}
}

/* False when there is nothing more, for now (*open stays) or for ever. */
static bool read_some(struct monitor *monitor, bool *open)
{
	guint8 bytes[4096];
	ssize_t n = recv(monitor->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		g_byte_array_append(monitor->in, bytes, (guint)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		*open = false;
	take_lines(monitor);
	if (monitor->in->len > CONTROL_LINE_MAX)
		*open = false;
	return n > 0 && *open;
}

/* ---- the connection -------------------------------------------------------------------------- */

static void retry_later(struct monitor *monitor, unsigned ms);

static void fail_requests(struct monitor *monitor, bool sent_only)
{
	for (unsigned n = g_queue_get_length(&monitor->requests); n > 0; n--) {
		struct request *request = g_queue_pop_head(&monitor->requests);

		if (sent_only && !request->sent) {
			g_queue_push_tail(&monitor->requests, request);
			continue;
		}
		if (request->answered)
			request->answered(request->data, NULL, "the monitor has gone away");
		request_free(request);
	}
}

static void disconnect(struct monitor *monitor)
{
	drop_watch(&monitor->input);
	drop_fd(&monitor->fd);
	g_byte_array_set_size(monitor->in, 0);
	fail_requests(monitor, true);
	retry_later(monitor, 100);
}

static void input_ready(void *data)
{
	struct monitor *monitor = data;
	bool open = true;

	read_some(monitor, &open);
	if (!open)
		disconnect(monitor);
}

bool monitor_send_line(int socket, char *line, const int *fds, unsigned count)
{
	union {
		char bytes[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
		struct cmsghdr header;
	} control = {0};
	struct iovec part = {.iov_base = line, .iov_len = strlen(line)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	g_assert(count <= CONTROL_FDS_MAX);
	if (count) {
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)part.iov_len;
}

/* A request is a short line: the socket takes it whole, or the monitor does not read at all. */
static void send_requests(struct monitor *monitor)
{
	for (GList *at = monitor->requests.head; at && monitor->fd >= 0; at = at->next) {
		struct request *request = at->data;

		if (request->sent)
			continue;
		request->sent = true;
		if (!monitor_send_line(
			    monitor->fd, request->line, &request->fd, request->fd >= 0)) {
			shutdown(monitor->fd, SHUT_RDWR);
			return;
		}
		drop_fd(&request->fd);
	}
}

static struct request *request_new(struct monitor *monitor, const char *name, JsonObject *members,
	int fd, monitor_answer answered, void *data)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *text = NULL;
	struct request *request = g_new0(struct request, 1);

	if (!members)
		members = json_object_new();
	json_object_set_string_member(members, CONTROL_DO, name);
	json_object_set_int_member(members, CONTROL_ID, ++monitor->next_id);
	json_node_take_object(node, members);
	text = json_to_string(node, FALSE);
	request->id = monitor->next_id;
	request->line = g_strconcat(text, "\n", NULL);
	request->fd = fd;
	request->answered = answered;
	request->data = data;
	return request;
}

void monitor_ask(struct monitor *monitor, const char *name, JsonObject *members, int fd,
	monitor_answer answered, void *data)
{
	g_queue_push_tail(
		&monitor->requests, request_new(monitor, name, members, fd, answered, data));
	send_requests(monitor);
}

void monitor_request(struct monitor *monitor, const char *name, monitor_answer answered, void *data)
{
	monitor_ask(monitor, name, NULL, -1, answered, data);
}

static void status_known(void *data, JsonObject *answer, const char *problem)
{
	struct monitor *monitor = data;

	if (monitor->ready || !answer)
		return;
	monitor->ready = true;
	monitor->events->ready(monitor->data, answer);
}

static void process_ended(void *data);

static void watch_process(struct monitor *monitor)
{
	monitor->pidfd = pidfd_open(monitor->pid, 0);
	if (monitor->pidfd < 0)
		return;
	monitor->process = watch_add(monitor->pidfd, EPOLLIN, process_ended, monitor);
}

struct opener *monitor_open(struct monitor *monitor, const char *request, JsonObject *members,
	const GPtrArray *files, void (*answered)(void *data, const char *problem), void *data,
	GError **error)
{
	return opener_new(
		monitor_connect(monitor, "keeper"), request, members, files, answered, data, error);
}

int monitor_connect(const struct monitor *monitor, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* However long the folder's path is, this one fits. */
	g_snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s",
		monitor->folder, name);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		drop_fd(&fd);
	return fd;
}

static bool connect_control(struct monitor *monitor)
{
	monitor->fd = monitor_connect(monitor, "control");
	return monitor->fd >= 0;
}

/* Who listens at the other end: the kernel says so, not the process, which a guest may own. */
static pid_t peer_of(int fd)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

/* Of a monitor that was there before this daemon. One of an earlier version has no keeper. */
static pid_t find_keeper(const struct monitor *monitor)
{
	int fd = monitor_connect(monitor, "keeper");
	pid_t pid = fd >= 0 ? peer_of(fd) : monitor->machine;

	drop_fd(&fd);
	return pid;
}

static void connected(struct monitor *monitor)
{
	monitor->machine = peer_of(monitor->fd);
	if (!monitor->pid) {
		monitor->pid = find_keeper(monitor);
		watch_process(monitor);
	}
	monitor->input = watch_add(monitor->fd, EPOLLIN, input_ready, monitor);
	if (!monitor->input) {
		disconnect(monitor);
		return;
	}
	if (!monitor->ready)
		g_queue_push_head(&monitor->requests,
			request_new(monitor, "status", NULL, -1, status_known, monitor));
	send_requests(monitor);
}

/* Does a monitor hold the lock? */
static bool is_alive(int folder)
{
	int fd = openat(folder, "alive", O_RDONLY | O_CLOEXEC);
	bool alive = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;

	if (fd >= 0)
		close(fd);
	return alive;
}

static gboolean try_again(void *data)
{
	struct monitor *monitor = data;

	drop_retry(monitor);
	if (!monitor->ended && connect_control(monitor))
		connected(monitor);
	else if (monitor->pidfd >= 0 || is_alive(monitor->folder))
		retry_later(monitor, RETRY_MS);
	else
		process_ended(monitor);
	return G_SOURCE_REMOVE;
}

static void retry_later(struct monitor *monitor, unsigned ms)
{
	if (monitor->retry)
		return;
	monitor->retry = g_timeout_source_new(ms);
	g_source_set_callback(monitor->retry, try_again, monitor, NULL);
	g_source_attach(monitor->retry, NULL);
}

static void process_ended(void *data)
{
	struct monitor *monitor = data;
	bool open = true;

	monitor->ended = true;
	drop_watch(&monitor->process);
	drop_retry(monitor);
	drop_watch(&monitor->input);
	/* Its last words came before its end. */
	while (monitor->fd >= 0 && read_some(monitor, &open))
		;
	drop_fd(&monitor->fd);
	if (monitor->child)
		waitpid(monitor->pid, NULL, 0);
	monitor->child = false;
	drop_fd(&monitor->pidfd);
	/* The guest's process, which dies with its keeper, may not be dead yet. */
	if (is_alive(monitor->folder)) {
		retry_later(monitor, RETRY_MS);
		return;
	}
	/* Who hears that one has failed may ask the next one. */
	while (!g_queue_is_empty(&monitor->requests))
		fail_requests(monitor, false);
	monitor->events->gone(monitor->data);
}

/* ---- the process ----------------------------------------------------------------------------- */

/* In the child: what it can do is what signal handlers can. Without its group the guest runs, too. */
static void begin_session(void *data)
{
	const int *cgroup = data;

	setsid();
	if (*cgroup >= 0 && write(*cgroup, "0", 1) < 0)
		return;
}

/* What a new monitor is told, and which descriptors it gets as which. */
struct command {
	GPtrArray *arguments;
	GArray *sources, *targets;
};

static void say(struct command *command, const char *argument)
{
	g_ptr_array_add(command->arguments, g_strdup(argument));
}

static void pass(struct command *command, int source, int target)
{
	g_array_append_val(command->sources, source);
	g_array_append_val(command->targets, target);
}

/* An option with its value; NULL: without both. */
static void say_value(struct command *command, const char *option, const char *value)
{
	if (!value)
		return;
	say(command, option);
	say(command, value);
}

static void pass_files(struct command *command, const GPtrArray *files)
{
	for (guint i = 0; i < files->len; i++) {
		const struct file *file = g_ptr_array_index(files, i);
		int target = FILES_FD + (int)i;

		pass(command, file->fd, target);
		say(command, "--file");
		g_ptr_array_add(command->arguments, g_strdup_printf("%d:%s", target, file->path));
	}
}

static struct command command_new(const struct monitor_start *start, int lock)
{
	struct command command = {
		.arguments = g_ptr_array_new_with_free_func(g_free),
		.sources = g_array_new(FALSE, FALSE, sizeof(int)),
		.targets = g_array_new(FALSE, FALSE, sizeof(int)),
	};

	say(&command, start->program);
	say(&command, "--control");
	say(&command, "control");
	say(&command, "--statistics");
	say(&command, "statistics");
	say(&command, "--keeper");
	say(&command, "keeper");
	say(&command, "--no-terminal");
	pass(&command, lock, LOCK_FD);
	if (start->paused)
		say(&command, "--paused");
	if (start->restore >= 0) {
		pass(&command, start->restore, RESTORE_FD);
		say(&command, "--restore-fd");
		say(&command, G_STRINGIFY(RESTORE_FD));
	}
	say_value(&command, "--user", start->user);
	say_value(&command, "--group", start->group);
	pass_files(&command, start->files);
	say(&command, "guest.xml");
	g_ptr_array_add(command.arguments, NULL);
	return command;
}

static void command_clear(struct command *command)
{
	g_ptr_array_free(command->arguments, TRUE);
	g_array_free(command->sources, TRUE);
	g_array_free(command->targets, TRUE);
}

static bool spawn(struct monitor *monitor, const struct monitor_start *start, int log, int lock,
	GError **error)
{
	struct command command = command_new(start, lock);
	bool ok = g_spawn_async_with_pipes_and_fds(start->folder,
		(const char *const *)command.arguments->pdata, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
		begin_session, (void *)&start->cgroup, -1, log, log,
		(const int *)(const void *)command.sources->data,
		(const int *)(const void *)command.targets->data, command.sources->len,
		&monitor->pid, NULL, NULL, NULL, error);

	command_clear(&command);
	if (!ok)
		return false;
	monitor->child = true;
	watch_process(monitor);
	return true;
}

struct monitor *monitor_start(const struct monitor_start *start,
	const struct monitor_events *events, void *data, GError **error)
{
	struct monitor *monitor = monitor_new(start->folder, events, data);
	int log = open(start->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	int lock = openat(monitor->folder, "alive", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool ok = false;

	if (log < 0)
		fail(error, "cannot open", start->log);
	else if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0)
		fail(error, "cannot lock the guest's run folder", start->folder);
	else
		ok = spawn(monitor, start, log, lock, error);
	if (start->cgroup >= 0)
		close(start->cgroup);
	drop_fd(&lock);
	drop_fd(&log);
	if (!ok) {
		monitor_free(monitor);
		return NULL;
	}
	retry_later(monitor, RETRY_MS);
	return monitor;
}

struct monitor *monitor_adopt(const char *folder, const struct monitor_events *events, void *data)
{
	struct monitor *monitor = monitor_new(folder, events, data);

	if (monitor->folder >= 0 && is_alive(monitor->folder)) {
		retry_later(monitor, 0);
		return monitor;
	}
	monitor_free(monitor);
	return NULL;
}

bool monitor_runs_in(const char *path)
{
	int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool runs = folder >= 0 && is_alive(folder);

	if (folder >= 0)
		close(folder);
	return runs;
}

void monitor_terminate(struct monitor *monitor, bool kill)
{
	if (monitor->pidfd >= 0)
		pidfd_send_signal(monitor->pidfd, kill ? SIGKILL : SIGTERM, NULL, 0);
}
