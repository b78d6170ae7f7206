// SPDX-License-Identifier: GPL-3.0-or-later
/* lodge-vmm as a program: its options, its terminal, its control socket. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "tests/folder.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* For a host that does many other things. */
#define PATIENCE_MS 240000

static char *directory, *program, *build;

static int prepare(void **state)
{
	build = g_strdup(g_getenv("top_builddir") ? g_getenv("top_builddir") : ".");
	program = g_build_filename(build, "lodge-vmm", NULL);
	directory = g_dir_make_tmp("lodge-monitor-XXXXXX", NULL);
	signal(SIGPIPE, SIG_IGN);
	return directory ? 0 : -1;
}

static int remove_directory(void **state)
{
	folder_remove(directory);
	g_free(program);
	g_free(build);
	return 0;
}

/* A definition of the guest that does what action says; its path. */
static char *define(const char *action, const char *devices)
{
	char *path = g_build_filename(directory, "guest.xml", NULL);
	g_autofree char *text = g_strdup_printf(
		"<domain type='qemu'><name>actions</name><memory unit='MiB'>8</memory><os>"
		"<type>hvm</type><kernel>%s/tests/engine/boot/actions.elf</kernel>"
		"<cmdline>%s</cmdline></os><devices>%s<memballoon model='none'/></devices></domain>",
		build, action, devices);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

/* Runs it to its end, with all descriptors that may be inherited; the exit status. */
static int run(char **output, char **errors, const char *first, ...)
{
	g_autoptr(GPtrArray) arguments = g_ptr_array_new();
	int status;
	va_list args;

	g_ptr_array_add(arguments, program);
	va_start(args, first);
	for (const char *argument = first; argument; argument = va_arg(args, const char *))
		g_ptr_array_add(arguments, (char *)argument);
	va_end(args);
	g_ptr_array_add(arguments, NULL);
	assert_true(g_spawn_sync(NULL, (char **)arguments->pdata, NULL,
		G_SPAWN_LEAVE_DESCRIPTORS_OPEN, NULL, NULL, output, errors, &status, NULL));
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* ---- options ------------------------------------------------------------------------------------ */

static void the_version_is_shown(void **state)
{
	g_autofree char *output = NULL, *errors = NULL;

	assert_int_equal(run(&output, &errors, "--version", NULL), 0);
	assert_true(g_str_has_prefix(output, "lodge-vmm "));
}

static void wrong_options_are_said(void **state)
{
	g_autofree char *errors = NULL, *output = NULL;

	assert_int_equal(run(&output, &errors, NULL), 2);
	assert_non_null(strstr(errors, "definition"));
	g_clear_pointer(&errors, g_free);
	g_clear_pointer(&output, g_free);
	assert_int_equal(run(&output, &errors, "--nonsense", NULL), 2);
	assert_non_null(strstr(errors, "--nonsense"));
	g_clear_pointer(&errors, g_free);
	g_clear_pointer(&output, g_free);
	assert_int_equal(run(&output, &errors, "--debug-exit", "70000", "x.xml", NULL), 2);
}

static void check_reads_and_stops(void **state)
{
	g_autofree char *good = define("d", "");
	g_autofree char *output = NULL, *errors = NULL;

	assert_int_equal(run(&output, &errors, "--check", good, NULL), 0);
	assert_string_equal(errors, "");
	g_clear_pointer(&errors, g_free);
	g_clear_pointer(&output, g_free);
	g_free(g_steal_pointer(&good));
	good = define("d", "\n<sound model='ac97'/>");
	assert_int_equal(run(&output, &errors, "--check", good, NULL), 1);
	assert_non_null(strstr(errors, "guest.xml:2: element <sound> in <devices>"));
}

static void a_guest_that_cannot_start_is_one_sentence(void **state)
{
	g_autofree char *path = define("d",
		"<disk type='file' device='disk'><source file='/nonexistent'/>"
		"<target dev='vda'/></disk>");
	g_autofree char *output = NULL, *errors = NULL;

	assert_int_equal(run(&output, &errors, path, NULL), 1);
	assert_true(g_str_has_prefix(errors, "Cannot start guest 'actions': "));
	assert_int_equal(strcspn(errors, "\n"), strlen(errors) - 1);
}

static void the_debug_port_gives_the_status(void **state)
{
	g_autofree char *path = define("?", "<serial type='stdio'/>");
	g_autofree char *output = NULL, *errors = NULL;

	assert_int_equal(run(&output, &errors, "--debug-exit", "0xf4", path, NULL), 9 << 1 | 1);
}

static void power_off_gives_0(void **state)
{
	g_autofree char *path = define("p", "<serial type='stdio'/>");
	g_autofree char *output = NULL, *errors = NULL;

	assert_int_equal(run(&output, &errors, path, NULL), 0);
	assert_string_equal(errors, "");
}

static void probe_measures_both(void **state)
{
	g_autofree char *output = NULL, *errors = NULL;
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *root, *soft, *kvm;

	assert_int_equal(run(&output, &errors, "--probe", NULL), 0);
	assert_true(json_parser_load_from_data(parser, output, -1, NULL));
	root = json_node_get_object(json_parser_get_root(parser));
	soft = json_object_get_object_member(root, "soft");
	kvm = json_object_get_object_member(root, "kvm");
	assert_true(json_object_get_boolean_member(soft, "works"));
	assert_true(json_object_get_int_member(soft, "instructions_per_second") > 1000000);
	assert_true(json_object_get_int_member(soft, "exits_per_second") > 10000);
	assert_true(json_object_get_boolean_member(kvm, "works") ||
		json_object_has_member(kvm, "error"));
}

/* ---- files that are open already ------------------------------------------------------------------ */

/* A definition of which no file can be opened by its path. */
static char *define_elsewhere(void)
{
	char *path = g_build_filename(directory, "guest.xml", NULL);

	assert_true(g_file_set_contents(path,
		"<domain type='qemu'><name>given</name><memory unit='MiB'>8</memory><os>"
		"<type>hvm</type><kernel>/nowhere/kernel</kernel><cmdline>t</cmdline></os><devices>"
		"<disk type='file' device='disk'><source file='/nowhere/image'/>"
		"<target dev='vda'/></disk>"
		"<serial type='file'><source path='/nowhere/log'/></serial>"
		"<memballoon model='none'/></devices></domain>",
		-1, NULL));
	return path;
}

/* In its argument's form; the descriptor is inherited. */
static char *give(int *fd, const char *real, int flags, const char *path)
{
	*fd = open(real, flags, 0600);
	assert_true(*fd >= 0);
	return g_strdup_printf("%d:%s", *fd, path);
}

static void given_files_need_no_path(void **state)
{
	g_autofree char *xml = define_elsewhere();
	g_autofree char *real_kernel =
		g_build_filename(build, "tests/engine/boot/actions.elf", NULL);
	g_autofree char *real_image = g_build_filename(directory, "image", NULL);
	g_autofree char *real_log = g_build_filename(directory, "log", NULL);
	g_autofree char *output = NULL, *errors = NULL, *log = NULL;
	g_autofree char *kernel = NULL, *image = NULL, *file = NULL;
	int fds[3];

	assert_true(g_file_set_contents(real_image, "0123456789", 10, NULL));
	assert_int_equal(truncate(real_image, 4096), 0);
	assert_true(g_file_set_contents(real_log, "of a run before", -1, NULL));
	kernel = give(&fds[0], real_kernel, O_RDONLY, "/nowhere/kernel");
	image = give(&fds[1], real_image, O_RDWR, "/nowhere/image");
	file = give(&fds[2], real_log, O_WRONLY, "/nowhere/log");
	/* The second boot reads the kernel again. */
	assert_int_equal(run(&output, &errors, "--debug-exit", "0xf4", "--file", kernel, "--file",
				 image, "--file", file, xml, NULL),
		5 << 1 | 1);
	assert_string_equal(errors, "");
	assert_true(g_file_get_contents(real_log, &log, NULL, NULL));
	assert_non_null(strstr(log, "again"));
	assert_null(strstr(log, "before"));
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
}

/* How a start is refused with these arguments; a sentence. */
static char *refused(const char *kernel, const char *image, const char *log)
{
	g_autofree char *xml = define_elsewhere(), *output = NULL;
	char *errors = NULL;

	assert_int_equal(run(&output, &errors, "--file", kernel, "--file", image, "--file", log,
				 xml, NULL),
		1);
	return errors;
}

static void with_given_files_no_other_is_opened(void **state)
{
	g_autofree char *real_kernel =
		g_build_filename(build, "tests/engine/boot/actions.elf", NULL);
	g_autofree char *real_image = g_build_filename(directory, "image", NULL);
	g_autofree char *kernel = NULL, *image = NULL, *log = NULL, *xml = NULL;
	g_autofree char *errors = NULL, *output = NULL;
	int fds[3];

	assert_true(g_file_set_contents(real_image, "0123456789", 10, NULL));
	kernel = give(&fds[0], real_kernel, O_RDONLY, "/nowhere/kernel");
	/* Not for writing. */
	image = give(&fds[1], real_image, O_RDONLY, "/nowhere/image");
	log = give(&fds[2], "/dev/null", O_WRONLY, "/nowhere/log");
	errors = refused(kernel, image, log);
	assert_non_null(strstr(errors, "Cannot open the disk '/nowhere/image': Permission denied"));
	/* One that is there is not opened all the same. */
	g_free(g_steal_pointer(&errors));
	xml = define("d", "");
	assert_int_equal(run(&output, &errors, "--file", image, xml, NULL), 1);
	assert_non_null(strstr(errors, "actions.elf': Permission denied"));
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
}

static void what_is_no_given_file_is_said(void **state)
{
	static const char *const wrong[] = { "", "3", "x:/path", "7:", ":/path", "2:/path",
		"4294967299:/path", "999:/path", "-1:/path" };

	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *output = NULL, *errors = NULL;

		assert_int_equal(run(&output, &errors, "--file", wrong[i], "x.xml", NULL), 2);
		assert_non_null(strstr(errors, "is not an open descriptor"));
	}
}

/* ---- the terminal --------------------------------------------------------------------------------- */

struct terminal {
	int master;
	pid_t pid;
};

static void wait_for_output(const struct terminal *terminal)
{
	struct pollfd poll_fd = { .fd = terminal->master, .events = POLLIN };
	char bytes[4096];

	assert_int_equal(poll(&poll_fd, 1, PATIENCE_MS), 1);
	assert_true(read(terminal->master, bytes, sizeof(bytes)) > 0);
}

static bool is_raw(const struct terminal *terminal)
{
	struct termios now;

	assert_int_equal(tcgetattr(terminal->master, &now), 0);
	return !(now.c_lflag & (ICANON | ECHO | ISIG));
}

static struct terminal start_on_terminal(void)
{
	g_autofree char *path = define("d", "<serial type='pty'/>");
	struct terminal terminal;

	terminal.pid = forkpty(&terminal.master, NULL, NULL, NULL);
	assert_true(terminal.pid >= 0);
	if (terminal.pid == 0) {
		execl(program, program, path, NULL);
		_exit(127);
	}
	wait_for_output(&terminal);
	assert_true(is_raw(&terminal));
	return terminal;
}

/* Reads until the other side is closed, so that it can end; its wait status. */
static int wait_for_end(const struct terminal *terminal)
{
	int status;

	while (waitpid(terminal->pid, &status, WNOHANG) == 0) {
		struct pollfd poll_fd = { .fd = terminal->master, .events = POLLIN };
		char bytes[4096];

		if (poll(&poll_fd, 1, 10) > 0 && read(terminal->master, bytes, sizeof(bytes)) < 0)
			g_usleep(1000);
	}
	return status;
}

static void the_escape_key_ends_the_guest(void **state)
{
	struct terminal terminal = start_on_terminal();
	int slave = open(ptsname(terminal.master), O_RDWR | O_NOCTTY);

	/* The guest reads nothing of this: that must not be in the way. */
	assert_int_equal(write(terminal.master, "abc", 3), 3);
	g_usleep(100000);
	assert_int_equal(write(terminal.master, "def\x1d", 4), 4);
	g_usleep(100000);
	assert_int_equal(write(terminal.master, "q", 1), 1);
	assert_int_equal(wait_for_end(&terminal), 0);
	assert_false(is_raw(&terminal));
	close(slave);
	close(terminal.master);
}

static void the_terminal_is_restored_whatever_happens(void **state)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGSEGV, SIGABRT, SIGQUIT };

	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		struct terminal terminal = start_on_terminal();
		/* Keeps the terminal's settings alive when the monitor is gone. */
		int slave = open(ptsname(terminal.master), O_RDWR | O_NOCTTY);
		int status;

		kill(terminal.pid, numbers[i]);
		status = wait_for_end(&terminal);
		assert_false(is_raw(&terminal));
		if (i < 3)
			assert_int_equal(status, 0);
		else
			assert_true(WIFSIGNALED(status) || WEXITSTATUS(status));
		close(slave);
		close(terminal.master);
	}
}

/* ---- the control socket ------------------------------------------------------------------------------ */

struct client {
	int fd;
	GString *in;
};

static struct client client_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct client client = { .in = g_string_new(NULL) };

	strcpy(address.sun_path, path);
	for (int i = 0; i < PATIENCE_MS / 20; i++) {
		client.fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(client.fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return client;
		close(client.fd);
		g_usleep(20000);
	}
	fail_msg("nobody listens at %s", path);
	return client;
}

static void client_clear(struct client *client)
{
	close(client->fd);
	g_string_free(client->in, TRUE);
}

/* The next line as an object; the caller unrefs. NULL at the end. */
static JsonObject *client_read(struct client *client)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	char *end;

	while (!(end = strchr(client->in->str, '\n'))) {
		struct pollfd poll_fd = { .fd = client->fd, .events = POLLIN };
		char bytes[4096];
		ssize_t n;

		assert_int_equal(poll(&poll_fd, 1, PATIENCE_MS), 1);
		n = read(client->fd, bytes, sizeof(bytes));
		if (n <= 0)
			return NULL;
		g_string_append_len(client->in, bytes, n);
	}
	*end = '\0';
	assert_true(json_parser_load_from_data(parser, client->in->str, -1, NULL));
	g_string_erase(client->in, 0, end - client->in->str + 1);
	return json_object_ref(json_node_get_object(json_parser_get_root(parser)));
}

/* Sends a line and gives its answer, past events. */
static JsonObject *client_ask(struct client *client, const char *line)
{
	assert_int_equal(send(client->fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
	assert_int_equal(send(client->fd, "\n", 1, MSG_NOSIGNAL), 1);
	for (;;) {
		JsonObject *answer = client_read(client);

		if (!answer || !json_object_has_member(answer, "event"))
			return answer;
		json_object_unref(answer);
	}
}

static void assert_ok(struct client *client, const char *line)
{
	JsonObject *answer = client_ask(client, line);

	assert_true(json_object_get_boolean_member(answer, "ok"));
	json_object_unref(answer);
}

static void assert_error(struct client *client, const char *line)
{
	JsonObject *answer = client_ask(client, line);

	assert_true(json_object_has_member(answer, "error"));
	json_object_unref(answer);
}

static void assert_state(struct client *client, const char *expected)
{
	JsonObject *answer = client_ask(client, "{\"do\": \"status\", \"id\": [7]}");

	assert_string_equal(json_object_get_string_member(answer, "state"), expected);
	assert_string_equal(json_object_get_string_member(answer, "name"), "actions");
	assert_string_equal(json_object_get_string_member(answer, "backend"), "soft");
	assert_int_equal(json_object_get_int_member(answer, "memory"), 8 << 20);
	assert_int_equal(
		json_array_get_int_element(json_object_get_array_member(answer, "id"), 0), 7);
	json_object_unref(answer);
}

static void assert_event(struct client *client, const char *expected)
{
	JsonObject *event = client_read(client);

	assert_non_null(event);
	assert_string_equal(json_object_get_string_member(event, "event"), expected);
	json_object_unref(event);
}

static GPid start_controlled(const char *action, char **socket_path)
{
	g_autofree char *path = define(action, "<serial type='null'/>");
	/* In the sandbox it could not remove its socket at the end. */
	char *arguments[] = { program, "--control", NULL, "--no-sandbox", path, NULL };
	GPid pid;

	g_free(*socket_path);
	*socket_path = g_build_filename(directory, "control", NULL);
	arguments[2] = *socket_path;
	assert_true(g_spawn_async(NULL, arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
		NULL));
	return pid;
}

static void the_control_socket_obeys(void **state)
{
	g_autofree char *path = NULL;
	GPid pid = start_controlled("d", &path);
	struct client client = client_connect(path), other = client_connect(path);
	int status;

	assert_state(&client, "running");
	assert_state(&other, "running");
	assert_ok(&client, "{\"do\": \"pause\"}");
	assert_state(&client, "paused");
	assert_error(&client, "{\"do\": \"pause\"}");
	assert_ok(&client, "{\"do\": \"resume\"}");
	assert_ok(&client, "{\"do\": \"reset\"}");
	assert_ok(&client, "{\"do\": \"powerdown\"}");
	assert_error(&client, "{\"do\": \"dance\"}");
	assert_error(&client, "{\"do\": 5}");
	assert_error(&client, "[1]");
	assert_error(&client, "rubbish");
	assert_state(&client, "running");
	assert_event(&other, "paused");
	assert_event(&other, "resumed");
	assert_event(&other, "reset");
	assert_int_equal(send(client.fd, "{\"do\":\"quit\"}\n", 14, 0), 14);
	assert_event(&other, "ended");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
	client_clear(&client);
	client_clear(&other);
}

static void a_control_socket_has_one_monitor(void **state)
{
	g_autofree char *path = NULL, *output = NULL, *errors = NULL;
	GPid pid = start_controlled("d", &path);
	struct client client = client_connect(path);
	g_autofree char *xml = g_build_filename(directory, "guest.xml", NULL);
	JsonObject *event;
	int status;

	assert_state(&client, "running");
	assert_int_equal(run(&output, &errors, "--control", path, xml, NULL), 1);
	assert_non_null(strstr(errors, "in use by another monitor"));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	/* The guest's process, which listens, is gone a moment later. */
	while ((event = client_read(&client)))
		json_object_unref(event);
	client_clear(&client);

	/* What a killed one leaves behind is no hindrance. */
	pid = start_controlled("d", &path);
	client = client_connect(path);
	assert_state(&client, "running");
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	client_clear(&client);
}

static void misbehaving_clients_are_alone(void **state)
{
	g_autofree char *path = NULL, *flood = g_strnfill(200000, 'x');
	GPid pid = start_controlled("d", &path);
	struct client rude = client_connect(path), client = client_connect(path);
	JsonObject *end;
	int status;

	assert_true(send(rude.fd, flood, 200000, MSG_NOSIGNAL) > 0);
	end = client_read(&rude);
	assert_null(end);
	client_clear(&rude);
	rude = client_connect(path);
	assert_int_equal(send(rude.fd, "{\"do\"", 5, 0), 5);
	client_clear(&rude);
	assert_state(&client, "running");
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	client_clear(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_version_is_shown),
		cmocka_unit_test(wrong_options_are_said),
		cmocka_unit_test(check_reads_and_stops),
		cmocka_unit_test(a_guest_that_cannot_start_is_one_sentence),
		cmocka_unit_test(the_debug_port_gives_the_status),
		cmocka_unit_test(power_off_gives_0),
		cmocka_unit_test(probe_measures_both),
		cmocka_unit_test(given_files_need_no_path),
		cmocka_unit_test(with_given_files_no_other_is_opened),
		cmocka_unit_test(what_is_no_given_file_is_said),
		cmocka_unit_test(the_escape_key_ends_the_guest),
		cmocka_unit_test(the_terminal_is_restored_whatever_happens),
		cmocka_unit_test(the_control_socket_obeys),
		cmocka_unit_test(a_control_socket_has_one_monitor),
		cmocka_unit_test(misbehaving_clients_are_alone),
	};

	return cmocka_run_group_tests(tests, prepare, remove_directory);
}
