// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/given.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct given {
	char *path;
	int fd; /* -1: handed out */
};

/* Of the process; NULL until the first. */
static GPtrArray *files;

bool given_add(const char *argument, GError **error)
{
	const char *colon = strchr(argument, ':');
	g_autofree char *number = g_strndup(argument, colon ? (size_t)(colon - argument) : 0);
	struct given *given;
	guint64 fd;

	/* Standard input, output and errors are not files of the guest. */
	if (!colon || !colon[1] ||
		!g_ascii_string_to_unsigned(number, 10, 3, G_MAXINT32, &fd, NULL) ||
		fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			_("'%s' is not an open descriptor, a colon and a path"), argument);
		return false;
	}
	given = g_new0(struct given, 1);
	given->path = g_strdup(colon + 1);
	given->fd = (int)fd;
	if (!files)
		files = g_ptr_array_new();
	g_ptr_array_add(files, given);
	return true;
}

static struct given *find(const char *path, int access)
{
	for (guint i = 0; files && i < files->len; i++) {
		struct given *given = g_ptr_array_index(files, i);

		if (given->fd < 0 || strcmp(given->path, path) != 0)
			continue;
		if (access < 0 || (fcntl(given->fd, F_GETFL) & O_ACCMODE) == access)
			return given;
	}
	return NULL;
}

/* What open() would have made of the flags. */
static bool prepare(int fd, int flags)
{
	int kept = fcntl(fd, F_GETFL) & ~(O_APPEND | O_NONBLOCK);
	struct stat status;

	if (fcntl(fd, F_SETFL, kept | (flags & (O_APPEND | O_NONBLOCK))) < 0)
		return false;
	if (!(flags & O_TRUNC) || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return true;
	return ftruncate(fd, 0) == 0;
}

int given_open(const char *path, int flags, mode_t mode)
{
	struct given *given = find(path, flags & O_ACCMODE);
	int fd;

	if (!files)
		return open(path, flags, mode);
	if (!given) {
		errno = EACCES;
		return -1;
	}
	if (!prepare(given->fd, flags))
		return -1;
	fd = given->fd;
	given->fd = -1;
	return fd;
}

bool given_has(const char *path)
{
	return find(path, -1) != NULL;
}

void given_forget(void)
{
	for (guint i = 0; files && i < files->len; i++) {
		struct given *given = g_ptr_array_index(files, i);

		if (given->fd >= 0)
			close(given->fd);
		given->fd = -1;
	}
}

bool given_any(void)
{
	return files != NULL;
}
