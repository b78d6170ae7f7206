// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/bundled.h"

#include "model/error.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

// lodged(8): its sockets in its run folder.
#define SYSTEM_RUN "/run/lodge"
#define SOCKET "lodged.sock"
#define SOCKET_READ_ONLY "lodged-ro.sock"
#define SCHEME "lodge"

static const char *socket_name(bool read_only)
{
	return read_only ? SOCKET_READ_ONLY : SOCKET;
}

// Caller frees.
static char *socket_path(bool system, bool read_only)
{
	if (system)
		return g_build_filename(SYSTEM_RUN, socket_name(read_only), NULL);
	return g_build_filename(g_get_user_runtime_dir(), "lodge", socket_name(read_only), NULL);
}

static bool is_local(const char *uri)
{
	return !strcmp(uri, BUNDLED_SYSTEM) || !strcmp(uri, BUNDLED_SESSION);
}

// Only root may write to the system's socket, unless its daemon's settings say otherwise; who can
// but look is not refused for that.
static char *expand_local(const char *uri, bool read_only)
{
	bool system = !strcmp(uri, BUNDLED_SYSTEM);
	g_autofree char *writable = socket_path(system, false);
	g_autofree char *readable = socket_path(system, true);
	bool looks = read_only && access(writable, W_OK) != 0 && access(readable, W_OK) == 0;

	return g_strdup_printf("%s+unix://%s?socket=%s", SCHEME, uri + strlen(SCHEME "://"),
		looks ? readable : writable);
}

// The server of another machine is found by what its ssh can run: netcat, since there is no
// program of libvirt's for this driver.
static char *expand_remote(const char *uri, bool read_only)
{
	return g_strdup_printf("%s%csocket=%s/%s&proxy=netcat", uri, strchr(uri, '?') ? '&' : '?',
		SYSTEM_RUN, socket_name(read_only));
}

bool bundled_is(const char *uri)
{
	return g_str_has_prefix(uri, SCHEME ":") || g_str_has_prefix(uri, SCHEME "+");
}

char *bundled_expand(const char *uri, bool read_only)
{
	if (is_local(uri))
		return expand_local(uri, read_only);
	if (g_str_has_prefix(uri, SCHEME "+") && !strstr(uri, "socket="))
		return expand_remote(uri, read_only);
	return g_strdup(uri);
}

// Beside this program, where both are built, or installed. Caller frees.
static char *daemon_program(void)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;
	g_autofree char *beside = folder ? g_build_filename(folder, "lodged", NULL) : NULL;

	if (beside && g_file_test(beside, G_FILE_TEST_IS_EXECUTABLE))
		return g_steal_pointer(&beside);
	if (g_file_test(SBINDIR "/lodged", G_FILE_TEST_IS_EXECUTABLE))
		return g_strdup(SBINDIR "/lodged");
	return NULL;
}

static bool answers(const char *path)
{
	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
	g_autoptr(GSocketConnection) connection =
		g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, NULL);

	return connection != NULL;
}

// lodged --daemon returns when it listens, or says why it cannot.
static bool run_daemon(const char *program, bool system, GError **error)
{
	const char *argv[] = {program, system ? "--system" : "--session", "--daemon", NULL};
	g_autoptr(GError) cause = NULL;
	g_autofree char *said = NULL;
	int status;

	if (g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
		    &said, &status, &cause) &&
		g_spawn_check_wait_status(status, &cause))
		return true;
	if (said)
		g_strstrip(said);
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_CONNECTED,
		_("The bundled engine's daemon cannot be started: %s"),
		said && *said ? said : cause->message);
	return false;
}

bool bundled_start(const char *uri, GError **error)
{
	bool system = !strcmp(uri, BUNDLED_SYSTEM);
	g_autofree char *path = NULL;
	g_autofree char *program = NULL;

	if (!is_local(uri))
		return true;
	path = socket_path(system, false);
	// The system's daemon is root's to start; others are told by libvirt that it is not there.
	if (answers(path) || (system && geteuid() != 0))
		return true;
	program = daemon_program();
	if (program)
		return run_daemon(program, system, error);
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_CONNECTED,
		_("Nobody listens at %s, and lodged is not installed on this machine."), path);
	return false;
}

const char *bundled_default(void)
{
	g_autofree char *program = daemon_program();

	if (!program)
		return NULL;
	return geteuid() == 0 ? BUNDLED_SYSTEM : BUNDLED_SESSION;
}
