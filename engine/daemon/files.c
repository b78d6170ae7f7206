// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/daemon/files.h"

#include "engine/daemon/chain.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* What is opened here waits for nobody: not for the other end of a FIFO, not for a modem. */
#define FLAGS (O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

#define CANNOT_OPEN "cannot open '%s': %s"
#define NO_DISK "'%s' cannot be a disk: it is neither a file nor a block device"
#define NOT_SAVED "'%s' is not a saved guest"

static const struct use {
	int flags;
	const char *kinds;   /* letters of kind_of() that it may be, and */
	const char *problem; /* why it can be no other */
	const char *failure; /* when it cannot be opened: with its path, and why */
} uses[] = {
	[FILE_BOOT] = {O_RDONLY, "f", "'%s' cannot be booted: it is not a file", CANNOT_OPEN},
	[FILE_IMAGE] = {O_RDWR, "fb", NO_DISK, "Cannot access storage file '%s': %s"},
	[FILE_IMAGE_READ] = {O_RDONLY, "fb", NO_DISK, "Cannot access storage file '%s': %s"},
	[FILE_LOG] = {O_WRONLY | O_CREAT, "fcp", "'%s' cannot be a log", CANNOT_OPEN},
	[FILE_SAVED] = {O_RDONLY, "f", NOT_SAVED, "Failed to open file '%s': %s"},
	[FILE_SAVED_EDIT] = {O_RDWR, "f", NOT_SAVED, "Failed to open file '%s': %s"},
	[FILE_PIPE] = {O_WRONLY, "p", "'%s' is no FIFO", CANNOT_OPEN},
};

G_GNUC_PRINTF(2, 0)
static int fail(GError **error, const char *failure, const char *path)
{
	fault_set(error, VIR_ERR_SYSTEM_ERROR, failure, path, g_strerror(errno));
	return -1;
}

static void drop(int fd)
{
	int code = errno;

	if (fd >= 0)
		close(fd);
	errno = code;
}

static char kind_of(mode_t mode)
{
	return S_ISREG(mode)	? 'f'
	       : S_ISBLK(mode)	? 'b'
	       : S_ISCHR(mode)	? 'c'
	       : S_ISFIFO(mode) ? 'p'
				: '?';
}

static bool judge(int held, const struct settings *settings, const char *path,
	const struct use *use, GError **error)
{
	struct stat status;

	if (!policy_check_opened(settings, held, path, error))
		return false;
	return (fstat(held, &status) == 0 && strchr(use->kinds, kind_of(status.st_mode))) ||
	       fault_set(error, VIR_ERR_CONFIG_UNSUPPORTED, use->problem, path);
}

/* In earnest, what is held by a descriptor of O_PATH. */
static int open_held(int held, int flags)
{
	char link[32];

	g_snprintf(link, sizeof(link), "/proc/self/fd/%d", held);
	return open(link, (flags & O_ACCMODE) | FLAGS);
}

int file_open_folder(const struct settings *settings, const char *path, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail(error, "Failed to create file '%s': %s", path);
	if (policy_check_opened(settings, fd, path, error))
		return fd;
	close(fd);
	return -1;
}

/* One that was not there a moment ago: a link that leads nowhere is there. */
static int make(
	const struct settings *settings, const char *path, const struct use *use, GError **error)
{
	g_autofree char *name = g_path_get_basename(path);
	int folder = file_open_folder(settings, path, error), fd;

	if (folder < 0)
		return -1;
	fd = openat(folder, name, use->flags | O_EXCL | O_NOFOLLOW | FLAGS, 0600);
	drop(folder);
	if (fd < 0)
		return fail(error, use->failure, path);
	/* passt opens its log again; who may not give it away has no other user either. */
	if (settings && settings->guest_uid != (uid_t)-1 &&
		fchown(fd, settings->guest_uid, (gid_t)-1) < 0)
		g_debug("'%s' stays root's: %s", path, g_strerror(errno));
	return fd;
}

int file_open(const struct settings *settings, const char *path, enum file_use use, GError **error)
{
	int held = open(path, O_PATH | O_CLOEXEC), fd = -1;

	if (held < 0 && errno == ENOENT && uses[use].flags & O_CREAT)
		return make(settings, path, &uses[use], error);
	if (held < 0)
		return fail(error, uses[use].failure, path);
	if (judge(held, settings, path, &uses[use], error)) {
		fd = open_held(held, uses[use].flags);
		if (fd < 0)
			fail(error, uses[use].failure, path);
	}
	close(held);
	return fd;
}

/* ---- sockets --------------------------------------------------------------------------------- */

/* Of a name in a folder that is held, however long the folder's path is; false: too long. */
static bool address_in(struct sockaddr_un *address, int folder, const char *name)
{
	int length = g_snprintf(address->sun_path, sizeof(address->sun_path),
		"/proc/self/fd/%d/%s", folder, name);

	address->sun_family = AF_UNIX;
	errno = ENAMETOOLONG;
	return (size_t)length < sizeof(address->sun_path);
}

static bool connect_to(int fd, const struct sockaddr_un *address)
{
	return connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
}

static bool listen_in(int fd, int folder, const char *name)
{
	struct sockaddr_un address;

	if (!address_in(&address, folder, name))
		return false;
	/* What a monitor that is gone has left behind. */
	if (!connect_to(fd, &address) && errno == ECONNREFUSED)
		unlinkat(folder, name, 0);
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0;
}

/* What is held is the socket itself. */
static bool connect_held(int fd, int held)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	g_snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", held);
	return connect_to(fd, &address);
}

static int hold_socket(const struct settings *settings, const char *path, GError **error)
{
	int held = open(path, O_PATH | O_CLOEXEC);

	if (held < 0)
		return fail(error, CANNOT_OPEN, path);
	if (policy_check_opened(settings, held, path, error))
		return held;
	close(held);
	return -1;
}

static int open_socket(const struct settings *settings, const char *path, bool listens,
	GError **error)
{
	g_autofree char *name = g_path_get_basename(path);
	int held = listens ? file_open_folder(settings, path, error)
			   : hold_socket(settings, path, error);
	bool ok;
	int fd;

	if (held < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ok = listens ? listen_in(fd, held, name) : connect_held(fd, held);
	drop(held);
	if (ok)
		return fd;
	drop(fd);
	return fail(error, CANNOT_OPEN, path);
}

/* ---- what a guest has ------------------------------------------------------------------------ */

static void free_file(void *data)
{
	struct file *file = data;

	close(file->fd);
	g_free(file->path);
	g_free(file);
}

GPtrArray *files_new(void)
{
	return g_ptr_array_new_with_free_func(free_file);
}

/* fd: taken; -1: there was an error. */
static bool add_opened(GPtrArray *files, const char *path, int fd)
{
	struct file *file;

	if (fd < 0)
		return false;
	file = g_new0(struct file, 1);
	file->path = g_strdup(path);
	file->fd = fd;
	g_ptr_array_add(files, file);
	return true;
}

/* Nothing, where there is no path. */
static bool add(GPtrArray *files, const struct settings *settings, const char *path,
	enum file_use use, GError **error)
{
	return !path || add_opened(files, path, file_open(settings, path, use, error));
}

static bool is_block(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISBLK(status.st_mode);
}

/* The last file's image, of this format, stands on others: these. */
static bool add_chain(GPtrArray *files, const struct settings *settings, struct config_disk *disk,
	GError **error)
{
	const char *format = disk->format;

	for (;;) {
		const struct file *top = g_ptr_array_index(files, files->len - 1);
		char *path, *its_format;
		int fd;

		if (!chain_next(top->fd, top->path, format, &path, &its_format, error))
			return false;
		if (!path)
			return true;
		fd = disk->backing->len < CONFIG_BACKING_MAX
			     ? file_open(settings, path, FILE_IMAGE_READ, error)
			     : -1;
		format = its_format;
		g_ptr_array_add(
			disk->backing, config_backing_new(path, its_format, is_block(fd)));
		if (disk->backing->len > CONFIG_BACKING_MAX)
			return fault_set(error, VIR_ERR_OPERATION_DENIED,
				"image '%s' stands on more than %u others", disk->path,
				CONFIG_BACKING_MAX);
		if (!add_opened(files, path, fd))
			return false;
	}
}

bool files_add_disk(GPtrArray *files, const struct settings *settings, struct config_disk *disk,
	GError **error)
{
	enum file_use use = disk->readonly ? FILE_IMAGE_READ : FILE_IMAGE;

	/* Ceph's own library opens its configuration, by its path. */
	if (!disk->path)
		return policy_check_path(settings, disk->rbd_conf, error);
	g_clear_pointer(&disk->backing, g_ptr_array_unref);
	if (!add(files, settings, disk->path, use, error))
		return false;
	if (!disk->format)
		return true;
	disk->backing = config_backing_list();
	return add_chain(files, settings, disk, error);
}

bool files_add_net(GPtrArray *files, const struct settings *settings,
	const struct config_net *net, GError **error)
{
	return add(files, settings, net->log, FILE_LOG, error);
}

static bool add_chardev(GPtrArray *files, const struct settings *settings,
	const struct config_chardev *chardev, GError **error)
{
	const char *path = chardev->path;
	bool ok = true;

	if (chardev->kind == CONFIG_CHARDEV_UNIX && path)
		ok = add_opened(
			files, path, open_socket(settings, path, chardev->listen, error));
	else if (chardev->kind == CONFIG_CHARDEV_FILE)
		ok = add(files, settings, path, FILE_LOG, error);
	return ok && add(files, settings, chardev->log, FILE_LOG, error);
}

static bool add_initrds(GPtrArray *files, const struct settings *settings,
	const struct machine_config *config, GError **error)
{
	g_auto(GStrv) paths = config_initrd_paths(config, NULL);

	for (char **path = paths; *path; path++)
		if (!add(files, settings, *path, FILE_BOOT, error))
			return false;
	return true;
}

bool files_add_guest(GPtrArray *files, const struct settings *settings,
	const struct machine_config *config, GError **error)
{
	bool ok = add(files, settings, config->kernel, FILE_BOOT, error) &&
		  add_initrds(files, settings, config, error);

	for (guint i = 0; ok && i < config->disks->len; i++)
		ok = files_add_disk(
			files, settings, g_ptr_array_index(config->disks, i), error);
	for (guint i = 0; ok && i < config->nets->len; i++)
		ok = files_add_net(files, settings, g_ptr_array_index(config->nets, i), error);
	for (guint i = 0; ok && i < config->serials->len; i++)
		ok = add_chardev(
			files, settings, g_ptr_array_index(config->serials, i), error);
	for (guint i = 0; ok && i < config->ports->len; i++) {
		const struct config_port *port = g_ptr_array_index(config->ports, i);

		ok = add_chardev(files, settings, &port->chardev, error);
	}
	return ok;
}
