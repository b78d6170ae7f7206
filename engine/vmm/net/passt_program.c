// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "engine/vmm/net/passt_program.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEND_BUFFER (8 << 20) /* bytes on their way from passt */
/* The child's descriptors: its end of the socket pair, the log. */
#define CHILD_FD 3
#define CHILD_LOG 4

struct passt_program {
	GPid pid;
};

static char **make_arguments(const struct passt_program_config *config)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autofree char *mtu = g_strdup_printf("%u", config->mtu);

	g_strv_builder_add_many(builder, config->program ? config->program : "passt",
		"--foreground", "--fd", G_STRINGIFY(CHILD_FD), NULL);
	if (config->mtu)
		g_strv_builder_add_many(builder, "--mtu", mtu, NULL);
	if (config->log_path && config->log >= 0)
		g_strv_builder_add_many(
			builder, "--log-file", "/proc/self/fd/" G_STRINGIFY(CHILD_LOG), NULL);
	else if (config->log_path)
		g_strv_builder_add_many(builder, "--log-file", config->log_path, NULL);
	else
		g_strv_builder_add(builder, "--quiet");
	if (config->arguments)
		g_strv_builder_addv(builder, (const char **)config->arguments);
	return g_strv_builder_end(builder);
}

/*
 * passt sends what a connection has as one burst, up to the guest's window, and drops what the
 * socket does not take; it finds out by a timeout of seconds. So its end gets a large buffer: as
 * large as wanted with the privilege to, else as the host's wmem_max allows.
 */
static void widen(int fd)
{
	const int size = SEND_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static bool start(struct passt_program *passt, const struct passt_program_config *config, int fd,
	GError **error)
{
	GSpawnFlags flags = G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
			    G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL;
	g_auto(GStrv) arguments = make_arguments(config);
	g_autoptr(GError) cause = NULL;
	const int sources[] = { fd, config->log }, targets[] = { CHILD_FD, CHILD_LOG };

	if (g_spawn_async_with_pipes_and_fds(NULL, (const char *const *)arguments, NULL, flags,
		    NULL, NULL, -1, -1, -1, sources, targets,
		    config->log_path && config->log >= 0 ? 2 : 1, &passt->pid, NULL, NULL, NULL, &cause))
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
		_("Cannot start passt for the user network (is the package 'passt' installed?): "
		  "%s"),
		cause->message);
	return false;
}

struct passt_program *passt_program_new(
	const struct passt_program_config *config, int *fd, GError **error)
{
	struct passt_program *passt = g_new0(struct passt_program, 1);
	int pair[2];
	bool ok;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
			_("Cannot make a socket for passt: %s"), g_strerror(errno));
		g_free(passt);
		return NULL;
	}
	widen(pair[1]);
	ok = start(passt, config, pair[1], error);
	close(pair[1]);
	*fd = pair[0];
	if (ok)
		return passt;
	close(pair[0]);
	g_free(passt);
	return NULL;
}

void passt_program_free(struct passt_program *passt)
{
	if (!passt)
		return;
	kill(passt->pid, SIGTERM);
	waitpid(passt->pid, NULL, 0);
	g_free(passt);
}

GPid passt_program_pid(const struct passt_program *passt)
{
	return passt->pid;
}
