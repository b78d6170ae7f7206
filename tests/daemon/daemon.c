// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/daemon/daemon.h"
#include "tests/folder.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct daemon daemon_under_test;

static struct daemon *const my = &daemon_under_test;

/* ---- the daemon ------------------------------------------------------------------------------ */

int connect_raw(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, my->socket, sizeof(address.sun_path));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A test that crashes takes its daemon along. */
static void end_with_parent(void *data)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

void daemon_start_with(const char *const *more)
{
	g_autofree char *program = g_build_filename(my->build, "lodged", NULL);
	g_autoptr(GPtrArray) arguments = g_ptr_array_new();
	int fd = -1;

	g_ptr_array_add(arguments, program);
	g_ptr_array_add(arguments, "--root");
	g_ptr_array_add(arguments, my->root);
	for (; more && *more; more++)
		g_ptr_array_add(arguments, (char *)*more);
	g_ptr_array_add(arguments, NULL);
	assert_true(g_spawn_async(NULL, (char **)arguments->pdata, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
		end_with_parent, NULL, &my->pid, NULL));
	for (int i = 0; i < PATIENCE_S * 100 && (fd = connect_raw()) < 0; i++)
		g_usleep(10000);
	assert_true(fd >= 0);
	close(fd);
}

void daemon_start(void)
{
	daemon_start_with(NULL);
}

void daemon_end(int number)
{
	int status;

	kill(my->pid, number);
	assert_int_equal(waitpid(my->pid, &status, 0), my->pid);
	my->pid = 0;
	if (number == SIGTERM)
		assert_int_equal(status, 0);
}

void daemon_restart_with(const char *settings)
{
	g_autofree char *path = g_build_filename(my->root, "etc", "lodged.conf", NULL);

	daemon_end(SIGTERM);
	assert_true(g_file_set_contents(path, settings, -1, NULL));
	daemon_start();
}

int daemon_prepare(void **state)
{
	my->build = g_canonicalize_filename(
		g_getenv("top_builddir") ? g_getenv("top_builddir") : ".", NULL);
	my->root = g_dir_make_tmp("lodged-XXXXXX", NULL);
	my->socket = g_build_filename(my->root, "run", "lodged.sock", NULL);
	my->uri = g_strdup_printf("lodge+unix:///system?socket=%s", my->socket);
	signal(SIGPIPE, SIG_IGN);
	g_setenv("LC_ALL", "C", TRUE);
	daemon_start();
	return 0;
}

/* Guests outlive their daemon: none is left by a test that failed, whether or not a daemon runs. */
static void end_monitors(void)
{
	g_autofree char *folder = g_build_filename(my->root, "run", "guests", "", NULL);
	GDir *processes = g_dir_open("/proc", 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(processes))) {
		g_autofree char *link = g_build_filename("/proc", name, "cwd", NULL);
		g_autofree char *target = g_file_read_link(link, NULL);

		if (target && g_str_has_prefix(target, folder))
			kill(atoi(name), SIGKILL);
	}
	g_dir_close(processes);
}

int daemon_clean_up(void **state)
{
	int status = 0;

	end_monitors();
	if (my->pid) {
		kill(my->pid, SIGTERM);
		waitpid(my->pid, &status, 0);
	}
	end_monitors();
	folder_remove_tree(my->root);
	g_free(my->build);
	g_free(my->root);
	g_free(my->uri);
	g_free(my->socket);
	/* What a sanitizer has found at the end is an error, too. */
	return status;
}

/* ---- virsh ----------------------------------------------------------------------------------- */

char *virsh_at(const char *at, bool works, const char *command)
{
	g_autofree char *line = g_strdup_printf("virsh -q -c '%s' %s 2>&1", at, command);
	const char *arguments[] = {"sh", "-c", line, NULL};
	char *output = NULL;
	int status;

	assert_true(g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
		&output, NULL, &status, NULL));
	if ((status == 0) != works)
		print_message("virsh %s: %s\n", command, output);
	assert_int_equal(status == 0, works);
	return g_strstrip(output);
}

char *virsh(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *command = g_strdup_vprintf(format, args);
	va_end(args);
	return virsh_at(my->uri, true, command);
}

void done(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *command = g_strdup_vprintf(format, args);
	va_end(args);
	g_free(virsh_at(my->uri, true, command));
}

void says(const char *expected, const char *command)
{
	g_autofree char *output = virsh("%s", command);

	assert_string_equal(output, expected);
}

void has(const char *part, bool works, const char *command)
{
	g_autofree char *output = virsh_at(my->uri, works, command);

	if (!strstr(output, part))
		print_message("virsh %s: %s\n", command, output);
	assert_non_null(strstr(output, part));
}

void comes_to_say(const char *expected, const char *command)
{
	for (int i = 0;; i++) {
		g_autofree char *output = virsh("%s", command);

		if (strcmp(output, expected) == 0)
			return;
		if (i == PATIENCE_S * 10)
			assert_string_equal(output, expected);
		g_usleep(100000);
	}
}

char *write_guest(const char *name, const char *digits, const char *action, const char *more)
{
	char *path = g_build_filename(my->root, "guest.xml", NULL);
	g_autofree char *text = g_strdup_printf(
		"<domain type='qemu'><name>%s</name><uuid>" UUID "%s</uuid>"
		"<memory unit='MiB'>8</memory><os><type>hvm</type>"
		"<kernel>%s/tests/engine/boot/actions.elf</kernel><cmdline>%s</cmdline></os>%s"
		"<devices><serial type='pty'/><memballoon model='none'/></devices></domain>",
		name, digits, my->build, action, more);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

void define(const char *name, const char *digits, const char *action, const char *more)
{
	g_autofree char *path = write_guest(name, digits, action, more);

	g_free(virsh("define %s", path));
}

/* Of /proc/PID/stat (proc(5)). False: there is no such process. */
static bool read_process(const char *pid, char *command, size_t size, int *parent, int *session)
{
	g_autofree char *path = g_build_filename("/proc", pid, "stat", NULL), *text = NULL;
	char *open, *close;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return false;
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close || sscanf(close + 1, " %*c %d %*d %d", parent, session) != 2)
		return false;
	*close = '\0';
	g_strlcpy(command, open + 1, size);
	return true;
}

/* It leads a session, and is in the guest's run folder, where programs that it has started may be,
 * too. */
static bool is_monitor(const char *pid, const char *folder)
{
	g_autofree char *link = g_build_filename("/proc", pid, "cwd", NULL);
	g_autofree char *target = g_file_read_link(link, NULL);
	char command[64];
	int parent, session;

	return target && strcmp(target, folder) == 0 &&
	       read_process(pid, command, sizeof(command), &parent, &session) &&
	       session == atoi(pid);
}

pid_t monitor_of(const char *digits)
{
	g_autofree char *folder = g_strdup_printf("%s/run/guests/" UUID "%s", my->root, digits);
	GDir *processes = g_dir_open("/proc", 0, NULL);
	const char *name;
	pid_t found = 0;

	while (!found && (name = g_dir_read_name(processes)))
		if (is_monitor(name, folder))
			found = atoi(name);
	g_dir_close(processes);
	return found;
}

pid_t machine_of(const char *digits)
{
	pid_t monitor = monitor_of(digits), found = 0;
	GDir *processes = g_dir_open("/proc", 0, NULL);
	const char *name;
	char command[64];
	int parent, session;

	while (monitor && !found && (name = g_dir_read_name(processes)))
		if (read_process(name, command, sizeof(command), &parent, &session) &&
			parent == monitor && strcmp(command, "lodge-vmm") == 0)
			found = atoi(name);
	g_dir_close(processes);
	return found;
}
