// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "tests/engine/livebox.h"

#include "tests/folder.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the guest's shell writes when it is ready, and after each line with its status. */
#define READY "lodge-shell: ready"
#define STATUS "lodge-shell: status "

static char *guest_set;
static char **guest_files;

static const char *top(const char *name)
{
	return g_getenv(name) ? g_getenv(name) : ".";
}

static gint64 deadline(void)
{
	return g_get_monotonic_time() + LIVEBOX_DEADLINE_S * G_USEC_PER_SEC;
}

/* ---- the guest's files ----------------------------------------------------------------------- */

void livebox_add_files(const char *set, const char *const *files)
{
	g_free(guest_set);
	g_strfreev(guest_files);
	guest_set = g_strdup(set);
	guest_files = g_strdupv((char **)files);
}

static char *guest_directory(void)
{
	return g_strdup_printf("%s/tests/engine/linux/live-%s", top("top_builddir"),
		guest_set ? guest_set : "plain");
}

static void make_guest(void)
{
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;
	g_autofree char *cache = g_build_filename(top("top_builddir"), "guest", NULL);
	g_autofree char *errors = NULL;
	int status;

	g_setenv("LODGE_GUEST_CACHE", cache, FALSE);
	g_ptr_array_add(arguments,
		g_build_filename(top("top_srcdir"), "tests/guest/make-guest", NULL));
	g_ptr_array_add(arguments, guest_directory());
	g_ptr_array_add(arguments,
		g_strdup_printf("%s/tests/engine/linux/shell:/etc/lodge-run", top("top_srcdir")));
	for (char **file = guest_files; file && *file; file++)
		g_ptr_array_add(arguments, g_strdup(*file));
	g_ptr_array_add(arguments, NULL);
	if (!g_spawn_sync(NULL, (char **)arguments->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
		    &errors, &status, &error))
		fail_msg("%s", error->message);
	if (status)
		fail_msg("%s", errors);
}

static char *vcpu_element(const struct livebox_config *config)
{
	unsigned vcpus = MAX(config->vcpus, 1);

	if (config->vcpus_max <= vcpus)
		return g_strdup_printf("<vcpu>%u</vcpu>", vcpus);
	return g_strdup_printf("<vcpu current='%u'>%u</vcpu>", vcpus, config->vcpus_max);
}

static char *os_element(const struct livebox_config *config)
{
	g_autofree char *directory = NULL;

	if (config->kernel)
		return g_strdup_printf("<os><type arch='x86_64'>hvm</type><kernel>%s</kernel>"
				       "<cmdline>%s</cmdline></os>",
			config->kernel, config->cmdline ? config->cmdline : "");
	make_guest();
	directory = guest_directory();
	return g_strdup_printf("<os><type arch='x86_64'>hvm</type><kernel>%s/vmlinuz</kernel>"
			       "<initrd>%s/initrd</initrd><cmdline>console=ttyS0 panic=-1 %s"
			       "</cmdline></os>",
		directory, directory, config->cmdline ? config->cmdline : "");
}

static char *define(const struct livebox_config *config)
{
	static const char usual[] =
		"<serial type='pty'/><memballoon model='virtio'/>"
		"<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>";
	g_autofree char *vcpu = vcpu_element(config), *os = os_element(config);

	return g_strdup_printf("<domain type='%s'><name>%s</name><memory unit='MiB'>%u</memory>%s%s"
			       "<features><acpi/></features>%s<devices>%s%s</devices></domain>",
		config->backend ? config->backend : "qemu", config->name,
		config->memory ? config->memory : 192, vcpu, os,
		config->domain ? config->domain : "", config->bare ? "" : usual,
		config->devices ? config->devices : "");
}

/* ---- the monitor's process ------------------------------------------------------------------- */

static void die_with_the_test(void *data)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void spawn(struct livebox *box, const char *const *options)
{
	g_autoptr(GPtrArray) arguments = g_ptr_array_new();
	g_autofree char *program = g_build_filename(top("top_builddir"), "lodge-vmm", NULL);
	g_autoptr(GError) error = NULL;

	g_ptr_array_add(arguments, program);
	g_ptr_array_add(arguments, (char *)"--control");
	g_ptr_array_add(arguments, box->socket);
	g_ptr_array_add(arguments, (char *)"--keeper");
	g_ptr_array_add(arguments, box->keeper);
	if (!box->sandbox)
		g_ptr_array_add(arguments, (char *)"--no-sandbox");
	for (; options && *options; options++)
		g_ptr_array_add(arguments, (char *)*options);
	g_ptr_array_add(arguments, box->xml);
	g_ptr_array_add(arguments, NULL);
	if (!g_spawn_async_with_pipes(NULL, (char **)arguments->pdata, NULL,
		    G_SPAWN_DO_NOT_REAP_CHILD, die_with_the_test, NULL, &box->pid, &box->in,
		    &box->out, &box->error_fd, &error))
		fail_msg("%s", error->message);
	g_unix_set_fd_nonblocking(box->in, TRUE, NULL);
}

/* Appends what is there; false at the end. */
static bool read_some(int fd, GString *text)
{
	char bytes[16384];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n > 0)
		g_string_append_len(text, bytes, n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* For a look at it afterwards. */
static void keep_console(const struct livebox *box)
{
	g_autofree char *name =
		g_strdup_printf("%s/tests/engine/linux/%s.log", top("top_builddir"), box->name);

	g_file_set_contents(name, box->console->str, (gssize)box->console->len, NULL);
}

/* The process that listens there. */
static int peer_of(const struct liveclient *client)
{
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);

	assert_int_equal(getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size), 0);
	return peer.pid;
}

void livebox_start(struct livebox *box, const char *const *options)
{
	assert_int_equal(box->pid, 0);
	g_string_truncate(box->console, 0);
	g_string_truncate(box->errors, 0);
	box->read = 0;
	box->ended = false;
	spawn(box, options);
	box->control = livebox_connect(box);
	box->machine = peer_of(box->control);
}

struct livebox *livebox_new(const struct livebox_config *config)
{
	struct livebox *box = g_new0(struct livebox, 1);
	g_autofree char *xml = NULL;

	signal(SIGPIPE, SIG_IGN);
	xml = define(config);
	box->name = g_strdup(config->name);
	box->directory = g_dir_make_tmp("lodge-live-XXXXXX", NULL);
	box->socket = g_build_filename(box->directory, "control", NULL);
	box->keeper = g_build_filename(box->directory, "keeper", NULL);
	box->xml = g_build_filename(box->directory, "guest.xml", NULL);
	box->console = g_string_new(NULL);
	box->errors = g_string_new(NULL);
	box->sandbox = config->sandbox;
	box->clients = g_ptr_array_new();
	assert_true(g_file_set_contents(box->xml, xml, -1, NULL));
	livebox_start(box, config->options);
	if (!config->no_wait && !config->kernel)
		livebox_wait_shell(box);
	return box;
}

/* After its end: what it had open. */
static void close_box(struct livebox *box)
{
	while (box->clients->len)
		liveclient_free(g_ptr_array_index(box->clients, 0));
	box->control = NULL;
	close(box->in);
	close(box->out);
	close(box->error_fd);
	keep_console(box);
}

void livebox_kill(struct livebox *box)
{
	if (!box->pid)
		return;
	kill(box->pid, SIGKILL);
	livebox_wait_gone(box);
}

/* Each process of it holds the other end of its standard output. */
int livebox_wait_gone(struct livebox *box)
{
	gint64 end = deadline();

	while (read_some(box->out, box->console)) {
		struct pollfd fd = { .fd = box->out, .events = POLLIN };

		if (poll(&fd, 1, 1000) == 0 && g_get_monotonic_time() > end)
			fail_msg("the processes of lodge-vmm do not end");
	}
	waitpid(box->pid, &box->status, 0);
	box->pid = 0;
	close_box(box);
	return box->status;
}

int livebox_wait_end(struct livebox *box)
{
	gint64 end = deadline();

	while (waitpid(box->pid, &box->status, WNOHANG) == 0) {
		if (g_get_monotonic_time() > end)
			fail_msg("lodge-vmm does not end");
		livebox_pump(box, 50);
	}
	livebox_pump(box, 0);
	box->pid = 0;
	close_box(box);
	return WIFEXITED(box->status) ? WEXITSTATUS(box->status) : 256 + WTERMSIG(box->status);
}

void livebox_free(struct livebox *box)
{
	if (!box)
		return;
	livebox_kill(box);
	folder_remove(box->directory);
	g_ptr_array_free(box->clients, TRUE);
	g_string_free(box->console, TRUE);
	g_string_free(box->errors, TRUE);
	g_free(box->name);
	g_free(box->socket);
	g_free(box->keeper);
	g_free(box->xml);
	g_free(box);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void take_line(struct liveclient *client, const char *line)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *object;

	if (!json_parser_load_from_data(parser, line, -1, NULL))
		fail_msg("the monitor has written what is not JSON: %s", line);
	object = json_object_ref(json_node_get_object(json_parser_get_root(parser)));
	g_ptr_array_add(
		json_object_has_member(object, "event") ? client->events : client->answers, object);
}

static void read_client(struct liveclient *client)
{
	char *end;

	client->closed = !read_some(client->fd, client->in);
	while ((end = memchr(client->in->str, '\n', client->in->len))) {
		*end = '\0';
		take_line(client, client->in->str);
		g_string_erase(client->in, 0, end - client->in->str + 1);
	}
}

void livebox_pump(struct livebox *box, int milliseconds)
{
	struct pollfd fds[2 + 64] = {
		{ .fd = box->out, .events = POLLIN },
		{ .fd = box->error_fd, .events = POLLIN },
	};
	unsigned count = MIN(box->clients->len, 64);

	for (unsigned i = 0; i < count; i++) {
		const struct liveclient *client = g_ptr_array_index(box->clients, i);

		fds[2 + i] = (struct pollfd){ .fd = client->closed ? -1 : client->fd,
			.events = POLLIN };
	}
	if (poll(fds, 2 + count, milliseconds) <= 0)
		return;
	if (fds[0].revents && !read_some(box->out, box->console))
		g_usleep(10000);
	if (fds[1].revents && !read_some(box->error_fd, box->errors))
		g_usleep(10000);
	for (unsigned i = 0; i < count; i++)
		if (fds[2 + i].revents)
			read_client(g_ptr_array_index(box->clients, i));
}

/* Fails the test where the guest is gone or too slow. */
static void wait_more(struct livebox *box, gint64 end, const char *what)
{
	siginfo_t info = { 0 };

	livebox_pump(box, 200);
	waitid(P_PID, (id_t)box->pid, &info, WEXITED | WNOHANG | WNOWAIT);
	if (g_get_monotonic_time() < end && !info.si_pid)
		return;
	/* What it has said last is still to be looked at, once. */
	livebox_pump(box, 0);
	if (info.si_pid && !box->ended) {
		box->ended = true;
		return;
	}
	keep_console(box);
	fprintf(stderr, "%s\n%s\n", box->console->str, box->errors->str);
	fail_msg("guest '%s' has ended, or %u s were not enough: %s", box->name, LIVEBOX_DEADLINE_S,
		what);
}

/* ---- inside the guest ------------------------------------------------------------------------ */

/* The place after text in what has not been looked at. */
static size_t wait_for(struct livebox *box, const char *text)
{
	gint64 end = deadline();
	char *at;

	while (!(at = strstr(box->console->str + box->read, text)))
		wait_more(box, end, text);
	return (size_t)(at - box->console->str) + strlen(text);
}

void livebox_wait_console(struct livebox *box, const char *text)
{
	box->read = wait_for(box, text);
}

void livebox_wait_shell(struct livebox *box)
{
	livebox_wait_console(box, READY "\n");
}

static void write_line(struct livebox *box, const char *line)
{
	g_autofree char *text = g_strdup_printf("%s\n", line);
	gint64 end = deadline();

	g_assert(!strchr(line, '\n'));
	for (const char *at = text; *at;) {
		ssize_t n = write(box->in, at, strlen(at));

		if (n > 0)
			at += n;
		else
			wait_more(box, end, line);
	}
}

int livebox_try_shell(struct livebox *box, char **output, const char *line)
{
	size_t begin = box->read, end;
	gint64 limit = deadline();
	int status;

	write_line(box, line);
	livebox_wait_console(box, STATUS);
	end = box->read - strlen(STATUS);
	while (!strchr(box->console->str + box->read, '\n'))
		wait_more(box, limit, line);
	status = atoi(box->console->str + box->read);
	livebox_wait_console(box, "\n");
	if (output)
		*output = g_strchomp(g_strndup(box->console->str + begin, end - begin));
	return status;
}

static char *shell(struct livebox *box, const char *line)
{
	char *output;
	int status = livebox_try_shell(box, &output, line);

	if (status)
		fail_msg("'%s' in guest '%s' ended with %d: %s", line, box->name, status, output);
	return output;
}

char *livebox_shell(struct livebox *box, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *line = g_strdup_vprintf(format, args);
	va_end(args);

	return shell(box, line);
}

void livebox_run(struct livebox *box, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *line = g_strdup_vprintf(format, args);
	va_end(args);

	g_free(shell(box, line));
}

long livebox_shell_number(struct livebox *box, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *line = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *text = shell(box, line);
	char *end;
	long number = strtol(text, &end, 10);

	if (end == text || *end)
		fail_msg("'%s' wrote no number but '%s'", line, text);
	return number;
}

void livebox_shell_until(struct livebox *box, const char *line, const char *expected)
{
	gint64 end = deadline();

	for (;;) {
		g_autofree char *output = NULL;

		livebox_try_shell(box, &output, line);
		if (g_str_equal(output, expected))
			return;
		if (g_get_monotonic_time() > end)
			fail_msg("'%s' writes '%s', not '%s'", line, output, expected);
		livebox_pump(box, 100);
	}
}

char *livebox_device(struct livebox *box, const char *pattern, const char *line)
{
	g_autofree char *find = g_strdup_printf(
		"grep -lx %s %s >/tmp/found 2>/dev/null; wc -l </tmp/found", line, pattern);
	g_autofree char *path = NULL, *folder = NULL;

	livebox_shell_until(box, find, "1");
	path = livebox_shell(box, "cat /tmp/found");
	folder = g_path_get_dirname(path);
	return g_path_get_basename(folder);
}

void livebox_wait_path_gone(struct livebox *box, const char *path)
{
	g_autofree char *line = g_strdup_printf("test -e %s; echo $?", path);

	livebox_shell_until(box, line, "1");
}

/* ---- the control socket ---------------------------------------------------------------------- */

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert(strlen(path) < sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static struct liveclient *connect_client(struct livebox *box, const char *path)
{
	struct liveclient *client = g_new0(struct liveclient, 1);
	gint64 end = deadline();

	client->box = box;
	client->in = g_string_new(NULL);
	client->answers = g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);
	client->events = g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);
	while ((client->fd = connect_to(path)) < 0) {
		wait_more(box, end, "its control socket");
		g_usleep(10000);
	}
	g_ptr_array_add(box->clients, client);
	return client;
}

struct liveclient *livebox_connect(struct livebox *box)
{
	return connect_client(box, box->socket);
}

struct liveclient *livebox_connect_keeper(struct livebox *box)
{
	return connect_client(box, box->keeper);
}

void liveclient_free(struct liveclient *client)
{
	if (!client)
		return;
	g_ptr_array_remove(client->box->clients, client);
	close(client->fd);
	g_string_free(client->in, TRUE);
	g_ptr_array_free(client->answers, TRUE);
	g_ptr_array_free(client->events, TRUE);
	g_free(client);
}

unsigned liveclient_ask_fds(struct liveclient *client, const char *request, const int *fds,
	size_t count)
{
	unsigned id = ++client->last_id;
	g_autofree char *line = g_strdup_printf("{\"id\": %u, %s\n", id, strchr(request, '{') + 1);
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} ancillary = { 0 };
	struct iovec iov = { line, strlen(line) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	g_assert(count <= 8);
	if (count) {
		ancillary.header.cmsg_level = SOL_SOCKET;
		ancillary.header.cmsg_type = SCM_RIGHTS;
		ancillary.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&ancillary.header), fds, count * sizeof(int));
		message.msg_control = &ancillary;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	assert_int_equal(sendmsg(client->fd, &message, MSG_NOSIGNAL), strlen(line));
	return id;
}

unsigned liveclient_ask(struct liveclient *client, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *request = g_strdup_vprintf(format, args);
	va_end(args);

	return liveclient_ask_fds(client, request, NULL, 0);
}

static JsonObject *take_answer(struct liveclient *client, unsigned id)
{
	for (unsigned i = 0; i < client->answers->len; i++) {
		JsonObject *answer = g_ptr_array_index(client->answers, i);

		if (json_object_get_int_member_with_default(answer, "id", -1) == id)
			return g_ptr_array_steal_index(client->answers, i);
	}
	return NULL;
}

JsonObject *liveclient_answer(struct liveclient *client, unsigned id)
{
	gint64 end = deadline();
	JsonObject *answer;

	while (!(answer = take_answer(client, id)))
		wait_more(client->box, end, "an answer");
	return answer;
}

bool liveclient_is_answered(struct liveclient *client, unsigned id)
{
	JsonObject *answer;

	livebox_pump(client->box, 0);
	answer = take_answer(client, id);
	if (answer)
		g_ptr_array_add(client->answers, answer);
	return answer != NULL;
}

/* The answer, which must have the member. */
static JsonObject *ask(struct livebox *box, const char *request, const char *member)
{
	JsonObject *answer =
		liveclient_answer(box->control, liveclient_ask_fds(box->control, request, NULL, 0));

	if (!json_object_has_member(answer, member))
		fail_msg("'%s' of guest '%s': %s", request, box->name,
			json_object_get_string_member_with_default(answer, "error", "it worked"));
	return answer;
}

JsonObject *livebox_get(struct livebox *box, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *request = g_strdup_vprintf(format, args);
	va_end(args);

	return ask(box, request, "ok");
}

void livebox_do(struct livebox *box, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *request = g_strdup_vprintf(format, args);
	va_end(args);

	json_object_unref(ask(box, request, "ok"));
}

/* Asks by a client, and it must work; the name that the answer has. */
static char *ask_name(struct liveclient *client, const char *request, const char *member, int fd)
{
	unsigned id = liveclient_ask_fds(client, request, &fd, fd >= 0);
	g_autoptr(JsonObject) answer = liveclient_answer(client, id);

	if (!json_object_has_member(answer, "ok"))
		fail_msg("%s: %s", request,
			json_object_get_string_member_with_default(answer, "error", "?"));
	return g_strdup(json_object_get_string_member(answer, member));
}

char *livebox_plug_kept(struct livebox *box, const char *kind, const char *xml, int image)
{
	g_autofree char *open = g_strdup_printf("{\"do\": \"open-%s\", \"xml\": \"%s\"}", kind, xml);
	g_autofree char *plug = g_strdup_printf("{\"do\": \"plug-%s\", \"xml\": \"%s\"}", kind, xml);
	struct liveclient *keeper = livebox_connect_keeper(box);
	g_autofree char *opened = ask_name(keeper, open, kind, image);
	char *plugged = ask_name(box->control, plug, kind, -1);

	assert_string_equal(opened, plugged);
	liveclient_free(keeper);
	return plugged;
}

char *livebox_refused(struct livebox *box, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *request = g_strdup_vprintf(format, args);
	va_end(args);
	g_autoptr(JsonObject) answer = ask(box, request, "error");

	return g_strdup(json_object_get_string_member(answer, "error"));
}

JsonObject *liveclient_try_event(struct liveclient *client, const char *name)
{
	livebox_pump(client->box, 0);
	for (unsigned i = 0; i < client->events->len; i++) {
		JsonObject *event = g_ptr_array_index(client->events, i);

		if (g_str_equal(json_object_get_string_member(event, "event"), name))
			return g_ptr_array_steal_index(client->events, i);
	}
	return NULL;
}

JsonObject *liveclient_event(struct liveclient *client, const char *name)
{
	gint64 end = deadline();
	JsonObject *event;

	while (!(event = liveclient_try_event(client, name)))
		wait_more(client->box, end, name);
	return event;
}

void liveclient_forget_events(struct liveclient *client)
{
	livebox_pump(client->box, 0);
	g_ptr_array_set_size(client->events, 0);
}
