// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/daemon/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The first descriptor that systemd hands over. */
#define ACTIVATED_FIRST 3

struct listener {
	struct listener_config config;
	char *path;
	int fd;
	bool inherited;
	GSource *source;
};

static int activated_count(void)
{
	const char *pid = g_getenv("LISTEN_PID"), *count = g_getenv("LISTEN_FDS");

	return pid && count && atoi(pid) == (int)getpid() ? CLAMP(atoi(count), 0, 64) : 0;
}

bool listener_is_activated(void)
{
	return activated_count() > 0;
}

/* The descriptor that is bound to this path, or -1. */
static int find_activated(const char *path)
{
	int end = ACTIVATED_FIRST + activated_count();

	for (int fd = ACTIVATED_FIRST; fd < end; fd++) {
		struct sockaddr_un address = {0};
		socklen_t size = sizeof(address) - 1;

		if (getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
			address.sun_family == AF_UNIX && strcmp(address.sun_path, path) == 0)
			return fd;
	}
	return -1;
}

static bool fail(const struct listener *listener, int code, GError **error)
{
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
		"cannot listen at '%s': %s", listener->path, g_strerror(code));
	return false;
}

/* Nobody may connect before group and mode are right. */
static bool set_access(const struct listener *listener, GError **error)
{
	const struct listener_config *config = &listener->config;

	if (config->group != (gid_t)-1 && chown(listener->path, (uid_t)-1, config->group) < 0)
		return fail(listener, errno, error);
	return chmod(listener->path, config->mode) == 0 || fail(listener, errno, error);
}

static bool make_socket(struct listener *listener, GError **error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	bool ok;

	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0 || strlen(listener->path) >= sizeof(address.sun_path))
		return fail(listener, listener->fd < 0 ? errno : ENAMETOOLONG, error);
	strcpy(address.sun_path, listener->path);
	g_unlink(listener->path);
	mask = umask(0177);
	ok = bind(listener->fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	umask(mask);
	if (!ok)
		return fail(listener, errno, error);
	return set_access(listener, error) &&
	       (listen(listener->fd, 128) == 0 || fail(listener, errno, error));
}

static gboolean comes(int fd, GIOCondition condition, void *data)
{
	struct listener *listener = data;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (peer >= 0)
		listener->config.comes(listener->config.data, peer, listener->config.read_only);
	return G_SOURCE_CONTINUE;
}

struct listener *listener_new(const struct listener_config *config, GError **error)
{
	struct listener *listener = g_new0(struct listener, 1);

	listener->config = *config;
	listener->path = g_strdup(config->path);
	listener->fd = find_activated(config->path);
	listener->inherited = listener->fd >= 0;
	if (listener->inherited) {
		fcntl(listener->fd, F_SETFD, FD_CLOEXEC);
		g_unix_set_fd_nonblocking(listener->fd, TRUE, NULL);
	} else if (!make_socket(listener, error)) {
		listener_free(listener);
		return NULL;
	}
	listener->source = g_unix_fd_source_new(listener->fd, G_IO_IN);
	g_source_set_callback(listener->source, G_SOURCE_FUNC(comes), listener, NULL);
	g_source_attach(listener->source, NULL);
	return listener;
}

bool listener_is_wanted(const struct listener *listener)
{
	struct pollfd wait = {.fd = listener->fd, .events = POLLIN};

	return poll(&wait, 1, 0) > 0;
}

void listener_free(struct listener *listener)
{
	if (!listener)
		return;
	if (listener->source) {
		g_source_destroy(listener->source);
		g_source_unref(listener->source);
	}
	if (listener->fd >= 0)
		close(listener->fd);
	/* systemd's stays: it listens there again. */
	if (!listener->inherited && listener->fd >= 0)
		g_unlink(listener->path);
	g_free(listener->path);
	g_free(listener);
}
