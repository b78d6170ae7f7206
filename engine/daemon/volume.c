// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/daemon/volume.h"

#include "engine/daemon/chain.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/qemu_img.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (1u << 20)
/* The first bytes of QEMU's format, and where it has the version, the size of clusters and that of
 * the disk (docs/interop/qcow2.txt of QEMU). */
#define QCOW2_MAGIC "QFI\xfb"
#define QCOW2_VERSION 7
#define QCOW2_CLUSTER 23
#define QCOW2_SIZE 24

void volume_free(struct volume *volume)
{
	if (!volume)
		return;
	g_free(volume->name);
	g_free(volume->path);
	g_free(volume->backing);
	g_free(volume->backing_format);
	g_free(volume);
}

static bool fail(GError **error, const char *what, const char *path)
{
	return fault_set(error, VIR_ERR_SYSTEM_ERROR, "%s '%s': %s", what, path, g_strerror(errno));
}

/* ---- looking --------------------------------------------------------------------------------- */

/* A format that says how large the guest's disk is; the file may be much smaller. */
static void look_inside(struct volume *volume)
{
	guint8 head[QCOW2_SIZE + 8];
	int fd = open(volume->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	guint64 size;

	if (fd >= 0 && pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
		memcmp(head, QCOW2_MAGIC, 4) == 0) {
		memcpy(&size, head + QCOW2_SIZE, sizeof(size));
		volume->qcow2 = true;
		volume->version = head[QCOW2_VERSION];
		volume->cluster = 1u << (head[QCOW2_CLUSTER] & 31);
		volume->capacity = GUINT64_FROM_BE(size);
		/* Who gives it to a guest says what is wrong with it. */
		chain_next(fd, volume->path, "qcow2", &volume->backing, &volume->backing_format,
			NULL);
	}
	if (fd >= 0)
		close(fd);
}

/* NULL: this is none. */
static struct volume *look(const char *path, const char *name)
{
	g_autofree char *file = g_build_filename(path, name, NULL);
	struct volume *volume;
	struct stat info;

	if (*name == '.' || strchr(name, '/') || lstat(file, &info) < 0 ||
		(!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)))
		return NULL;
	volume = g_new0(struct volume, 1);
	volume->name = g_strdup(name);
	volume->path = g_steal_pointer(&file);
	volume->type = S_ISDIR(info.st_mode) ? VIR_STORAGE_VOL_DIR : VIR_STORAGE_VOL_FILE;
	volume->capacity = volume->physical = (uint64_t)info.st_size;
	volume->allocation = (uint64_t)info.st_blocks * 512;
	volume->mode = info.st_mode & 07777;
	volume->user = info.st_uid;
	volume->group = info.st_gid;
	volume->accessed = info.st_atim;
	volume->modified = info.st_mtim;
	volume->changed = info.st_ctim;
	if (volume->type == VIR_STORAGE_VOL_FILE)
		look_inside(volume);
	return volume;
}

struct volume *volume_find(const char *path, const char *name, GError **error)
{
	struct volume *volume = look(path, name);

	if (!volume)
		fault_set(error, VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching name '%s'",
			name);
	return volume;
}

GPtrArray *volume_list(const char *path)
{
	GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)volume_free);
	GDir *folder = g_dir_open(path, 0, NULL);
	const char *name;

	while (folder && (name = g_dir_read_name(folder))) {
		/* What cannot be said in UTF-8 cannot be asked for by libvirt's tools. */
		struct volume *volume = g_utf8_validate(name, -1, NULL) ? look(path, name) : NULL;

		if (volume)
			g_ptr_array_add(list, volume);
	}
	g_clear_pointer(&folder, g_dir_close);
	return list;
}

static void print_time(GString *xml, const char *name, const struct timespec *time)
{
	g_string_append_printf(xml, "      <%s>%" G_GINT64_FORMAT ".%09ld</%s>\n", name,
		(gint64)time->tv_sec, time->tv_nsec, name);
}

static void print_permissions(GString *xml, mode_t mode, uid_t user, gid_t group)
{
	g_string_append_printf(xml,
		"    <permissions>\n      <mode>0%o</mode>\n      <owner>%u</owner>\n"
		"      <group>%u</group>\n    </permissions>\n    <timestamps>\n",
		mode, user, group);
}

static void print_backing(GString *xml, const struct volume *volume)
{
	g_autofree char *path = NULL;
	struct stat info;

	if (!volume->backing)
		return;
	path = g_markup_escape_text(volume->backing, -1);
	g_string_append_printf(xml,
		"  <backingStore>\n    <path>%s</path>\n    <format type='%s'/>\n", path,
		volume->backing_format ? volume->backing_format : "raw");
	if (stat(volume->backing, &info) == 0) {
		print_permissions(xml, info.st_mode & 07777, info.st_uid, info.st_gid);
		print_time(xml, "atime", &info.st_atim);
		print_time(xml, "mtime", &info.st_mtim);
		print_time(xml, "ctime", &info.st_ctim);
		g_string_append(xml, "    </timestamps>\n");
	}
	g_string_append(xml, "  </backingStore>\n");
}

char *volume_print(const struct volume *volume)
{
	g_autofree char *name = g_markup_escape_text(volume->name, -1);
	g_autofree char *path = g_markup_escape_text(volume->path, -1);
	bool is_dir = volume->type == VIR_STORAGE_VOL_DIR;
	GString *xml = g_string_new(NULL);

	g_string_append_printf(xml,
		"<volume type='%s'>\n  <name>%s</name>\n  <key>%s</key>\n"
		"  <capacity unit='bytes'>%" G_GUINT64_FORMAT "</capacity>\n"
		"  <allocation unit='bytes'>%" G_GUINT64_FORMAT "</allocation>\n"
		"  <physical unit='bytes'>%" G_GUINT64_FORMAT "</physical>\n"
		"  <target>\n    <path>%s</path>\n    <format type='%s'/>\n",
		is_dir ? "dir" : "file", name, path, volume->capacity, volume->allocation,
		volume->physical, path,
		is_dir          ? "dir"
		: volume->qcow2 ? "qcow2"
				: "raw");
	print_permissions(xml, volume->mode, volume->user, volume->group);
	print_time(xml, "atime", &volume->accessed);
	print_time(xml, "mtime", &volume->modified);
	print_time(xml, "ctime", &volume->changed);
	g_string_append(xml, "    </timestamps>\n");
	if (volume->qcow2)
		g_string_append_printf(xml, "%s    <clusterSize unit='B'>%u</clusterSize>\n%s",
			volume->version < 3 ? "" : "    <compat>1.1</compat>\n", volume->cluster,
			volume->version < 3 ? "" : "    <features/>\n");
	g_string_append(xml, "  </target>\n");
	print_backing(xml, volume);
	g_string_append(xml, "</volume>\n");
	return g_string_free(xml, FALSE);
}

int volume_open(const struct volume *volume, int flags, GError **error)
{
	int fd = open(volume->path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		fail(error, "cannot open volume", volume->path);
	return fd;
}

/* ---- changing -------------------------------------------------------------------------------- */

static bool allocate(int fd, uint64_t size, GError **error)
{
	int code = size ? posix_fallocate(fd, 0, (off_t)size) : 0;

	return code == 0 ||
	       fault_set(error, VIR_ERR_SYSTEM_ERROR,
		       "cannot allocate %" G_GUINT64_FORMAT " bytes: %s", size, g_strerror(code));
}

/* The next stretch that is written, at or behind *from; false: there is none. */
static bool next_data(int fd, off_t *from, off_t *to, off_t size)
{
	off_t data = lseek(fd, *from, SEEK_DATA), hole;

	if (data < 0 && errno == EINVAL) /* the file system does not know */
		data = *from;
	if (data < 0 || data >= size)
		return false;
	hole = lseek(fd, data, SEEK_HOLE);
	*from = data;
	*to = hole > data ? MIN(hole, size) : size;
	return true;
}

static bool write_all(int fd, const char *bytes, size_t size, off_t at)
{
	while (size) {
		ssize_t n = pwrite(fd, bytes, size, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
		at += n;
	}
	return true;
}

/* What is not written in one is not written in the other. */
static bool copy(int from, int to, off_t size)
{
	g_autofree char *buffer = g_malloc(CHUNK);
	off_t at = 0, end = 0;

	while (next_data(from, &at, &end, size))
		while (at < end) {
			ssize_t n = pread(from, buffer, MIN(CHUNK, (size_t)(end - at)), at);

			if (n < 0 && errno == EINTR)
				continue;
			if (n == 0)
				return true; /* it has been cut meanwhile */
			if (n < 0 || !write_all(to, buffer, (size_t)n, at))
				return false;
			at += n;
		}
	return true;
}

static bool fill(int fd, const struct volume_wish *wish, const struct volume *source,
	const char *path, GError **error)
{
	uint64_t size = source ? MAX(wish->capacity, source->physical) : wish->capacity;
	int from = source ? volume_open(source, O_RDONLY, error) : -1;
	bool ok = !source || from >= 0;

	if (ok && ftruncate(fd, (off_t)size) < 0)
		ok = fail(error, "cannot extend file", path);
	if (ok)
		ok = allocate(fd, MIN(wish->allocation, size), error);
	if (ok && source && !copy(from, fd, (off_t)source->physical))
		ok = fail(error, "cannot copy to", path);
	if (ok && (fchmod(fd, wish->mode) < 0 || fsync(fd) < 0))
		ok = fail(error, "cannot write", path);
	if (from >= 0)
		close(from);
	return ok;
}

bool volume_create(const char *path, const struct volume_wish *wish, const struct volume *source,
	GError **error)
{
	g_autofree char *file = g_build_filename(path, wish->name, NULL);
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok;

	if (fd < 0 && errno == EEXIST)
		return fault_set(error, VIR_ERR_STORAGE_VOL_EXIST,
			"storage volume '%s' exists already", wish->name);
	if (fd < 0)
		return fail(error, "Failed to create file", file);
	if (wish->qcow2 || wish->source)
		ok = qemu_img_create(file, wish, error) &&
		     ((fchmod(fd, wish->mode) == 0 && fsync(fd) == 0) ||
			     fail(error, "cannot write", file));
	else
		ok = fill(fd, wish, source, file, error);
	close(fd);
	if (!ok)
		g_unlink(file);
	return ok;
}

bool volume_resize(const struct volume *volume, uint64_t capacity, bool all, GError **error)
{
	int fd = volume_open(volume, O_RDWR, error);
	bool ok = fd >= 0;

	if (ok && volume->qcow2) {
		close(fd);
		return qemu_img_resize(volume, capacity, error);
	}
	if (ok && ftruncate(fd, (off_t)capacity) < 0)
		ok = fail(error, "cannot resize", volume->path);
	if (ok && all)
		ok = allocate(fd, capacity, error);
	if (fd >= 0)
		close(fd);
	return ok;
}

bool volume_wipe(const struct volume *volume, GError **error)
{
	g_autofree char *zeros = g_malloc0(CHUNK);
	int fd = volume_open(volume, O_RDWR, error);
	off_t at = 0, end = 0;
	bool ok = true;

	if (fd < 0)
		return false;
	while (ok && next_data(fd, &at, &end, (off_t)volume->physical))
		for (; ok && at < end; at += MIN(CHUNK, end - at))
			ok = write_all(fd, zeros, (size_t)MIN(CHUNK, end - at), at);
	ok = ok && fdatasync(fd) == 0;
	if (!ok)
		fail(error, "cannot wipe", volume->path);
	close(fd);
	return ok;
}

bool volume_delete(const struct volume *volume, GError **error)
{
	int status = volume->type == VIR_STORAGE_VOL_DIR ? g_rmdir(volume->path)
							 : g_unlink(volume->path);

	return status == 0 || fail(error, "cannot unlink file", volume->path);
}
