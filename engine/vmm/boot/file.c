// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/boot/file.h"

#include "engine/vmm/given.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <sys/stat.h>
#include <unistd.h>

static struct boot_file *fail(const char *path, int code, GError **error)
{
	g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
		_("cannot open '%s': %s"), path, g_strerror(code));
	return NULL;
}

struct boot_file *boot_file_open(const char *path, GError **error)
{
	/* A FIFO must not hold us up. */
	int fd = given_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	struct boot_file *file;
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0) {
		int code = errno;

		if (fd >= 0)
			close(fd);
		return fail(path, code, error);
	}
	if (!S_ISREG(status.st_mode)) {
		close(fd);
		return fail(path, S_ISDIR(status.st_mode) ? EISDIR : EINVAL, error);
	}
	file = g_new0(struct boot_file, 1);
	file->path = g_strdup(path);
	file->fd = fd;
	file->size = (uint64_t)status.st_size;
	return file;
}

void boot_file_free(struct boot_file *file)
{
	if (!file)
		return;
	close(file->fd);
	g_free(file->path);
	g_free(file);
}

bool boot_file_read(const struct boot_file *file, uint64_t offset, void *data, uint64_t length,
	GError **error)
{
	uint8_t *at = data;

	while (length) {
		ssize_t n = pread(file->fd, at, MIN(length, 1u << 30), (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int code = errno;

			g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
				_("cannot read '%s': %s"), file->path, g_strerror(code));
			return false;
		}
		if (n == 0) {
			g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
				_("'%s' is truncated"), file->path);
			return false;
		}
		at += n;
		offset += (uint64_t)n;
		length -= (uint64_t)n;
	}
	return true;
}
