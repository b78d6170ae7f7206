// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "engine/vmm/block/storage.h"

#include "engine/vmm/block/qmp.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "qemu-storage-daemon"
#define BACKLOG 4
/* What Ceph's library takes from the environment: it would try for five minutes to reach a cluster
 * that is not there, and with it the guest's monitor. */
#define CEPH_VARIABLE "CEPH_ARGS"
#define CEPH_PATIENCE "--client-mount-timeout=10"
/* The child's descriptors. */
#define CHILD_QMP 3
#define CHILD_NBD 4
#define CHILD_IMAGE 5 /* and what it stands on: those that follow */
#define FILES_MAX (1 + CONFIG_BACKING_MAX)

struct storage {
	GPid pid;
	struct qmp *qmp;
	int log;          /* what it says on standard error */
	int address;      /* of the listening socket: its file, which has no name any more */
	unsigned exports; /* made so far; the last of them is there if exported */
	bool exported;
	bool read_only;
};

/* ---- starting ------------------------------------------------------------------------------------------ */

static void fail(int code, GError **error)
{
	g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(code),
		_("Cannot make a socket for %s: %s"), PROGRAM, g_strerror(code));
}

/* A listening socket that nobody else can reach: its name is gone, what is left of it is a descriptor
 * (unix(7) connects to the file, by whatever path). */
static int make_listener(struct storage *storage, GError **error)
{
	g_autofree char *directory = g_dir_make_tmp("lodge-nbd-XXXXXX", error);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener, saved;
	bool ok;

	if (!directory)
		return -1;
	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/nbd", directory);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ok = bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		listen(listener, BACKLOG) == 0;
	if (ok)
		storage->address = open(address.sun_path, O_PATH | O_CLOEXEC);
	saved = errno;
	g_unlink(address.sun_path);
	g_rmdir(directory);
	if (ok && storage->address >= 0)
		return listener;
	close(listener);
	fail(saved, error);
	return -1;
}

/* It does not outlive us. */
static void set_up_child(void *data)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static bool start(struct storage *storage, int qmp, int listener, const int *files, unsigned count,
	GError **error)
{
	static const char *const arguments[] = { PROGRAM, "--chardev",
		"socket,id=qmp,fd=" G_STRINGIFY(CHILD_QMP), "--monitor", "chardev=qmp",
		"--nbd-server", "addr.type=fd,addr.str=" G_STRINGIFY(CHILD_NBD) ",max-connections=1",
		NULL };
	int sources[2 + FILES_MAX] = { qmp, listener };
	int targets[2 + FILES_MAX] = { CHILD_QMP, CHILD_NBD };
	g_auto(GStrv) environment =
		g_environ_setenv(g_get_environ(), CEPH_VARIABLE, CEPH_PATIENCE, FALSE);
	g_autoptr(GError) cause = NULL;

	for (unsigned i = 0; i < count; i++) {
		sources[2 + i] = files[i];
		targets[2 + i] = CHILD_IMAGE + (int)i;
	}
	if (g_spawn_async_with_pipes_and_fds(NULL, arguments, (const char *const *)environment,
		    G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, set_up_child, NULL, -1,
		    storage->log, storage->log, sources, targets, 2 + count, &storage->pid, NULL,
		    NULL, NULL, &cause))
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
		_("Cannot start %s, which disks of this format need (is the package "
		  "'qemu-system-common' installed?): %s"),
		PROGRAM, cause->message);
	return false;
}

static bool launch(struct storage *storage, const int *files, unsigned count, GError **error)
{
	int listener = make_listener(storage, error), pair[2];
	bool ok;

	if (listener < 0)
		return false;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		fail(errno, error);
		close(listener);
		return false;
	}
	storage->log = memfd_create("lodge-qsd", MFD_CLOEXEC);
	ok = start(storage, pair[1], listener, files, count, error);
	close(pair[1]);
	close(listener);
	storage->qmp = qmp_new(pair[0]);
	return ok;
}

/* ---- what it opens ------------------------------------------------------------------------------------- */

static void set_common(JsonObject *node, const struct config_disk *disk)
{
	json_object_set_boolean_member(node, "read-only", disk->readonly);
	json_object_set_string_member(node, "discard", disk->discard ? "unmap" : "ignore");
}

static JsonArray *rbd_servers(const GPtrArray *hosts)
{
	JsonArray *servers = json_array_new();

	for (unsigned i = 0; i < hosts->len; i++) {
		const char *text = g_ptr_array_index(hosts, i), *colon = strrchr(text, ':');
		g_autofree char *name = g_strndup(text, colon ? (size_t)(colon - text) : strlen(text));
		JsonObject *server = json_object_new();

		json_object_set_string_member(server, "host", name);
		json_object_set_string_member(server, "port", colon ? colon + 1 : "6789");
		json_array_add_object_element(servers, server);
	}
	return servers;
}

static void describe_rbd(JsonObject *node, const struct config_disk *disk)
{
	const char *slash = strchr(disk->rbd, '/');
	g_autofree char *pool = g_strndup(disk->rbd, (size_t)(slash - disk->rbd));

	json_object_set_string_member(node, "driver", "rbd");
	json_object_set_string_member(node, "pool", pool);
	json_object_set_string_member(node, "image", slash + 1);
	if (disk->rbd_user)
		json_object_set_string_member(node, "user", disk->rbd_user);
	if (disk->rbd_conf)
		json_object_set_string_member(node, "conf", disk->rbd_conf);
	if (disk->rbd_hosts)
		json_object_set_array_member(node, "server", rbd_servers(disk->rbd_hosts));
}

/* Where the bytes of an image are. opened: its descriptor's number in the child, or -1. */
static JsonObject *describe_file(const char *path, bool block, int opened)
{
	g_autofree char *given = g_strdup_printf("/proc/self/fd/%d", opened);
	JsonObject *node = json_object_new();

	json_object_set_string_member(node, "driver", block ? "host_device" : "file");
	json_object_set_string_member(node, "filename", opened >= 0 ? given : path);
	return node;
}

static JsonObject *describe_source(const struct config_disk *disk, bool opened)
{
	JsonObject *node;

	if (disk->rbd) {
		node = json_object_new();
		describe_rbd(node, disk);
	} else {
		node = describe_file(disk->path, disk->block, opened ? CHILD_IMAGE : -1);
		if (disk->shareable)
			json_object_set_string_member(node, "locking", "off");
	}
	set_common(node, disk);
	return node;
}

/* Only these formats can stand on others; to say that they do not is an error with the rest. */
static bool can_have_backing(const char *format)
{
	static const char *const formats[] = { "qcow2", "qed", "vmdk", NULL };

	return format && g_strv_contains(formats, format);
}

/* What an image stands on is the index-th of the disk's backing; where nothing is said of that at
 * all, the image's header counts. */
static void describe_backing(JsonObject *node, const char *format, const struct config_disk *disk,
	unsigned index, bool opened)
{
	const struct config_backing *backing;
	JsonObject *below, *file;

	if (!disk->backing || !can_have_backing(format))
		return;
	if (index == disk->backing->len) {
		json_object_set_null_member(node, "backing");
		return;
	}
	backing = g_ptr_array_index(disk->backing, index);
	below = json_object_new();
	file = describe_file(
		backing->path, backing->block, opened ? CHILD_IMAGE + 1 + (int)index : -1);
	json_object_set_boolean_member(file, "read-only", TRUE);
	json_object_set_string_member(
		below, "driver", backing->format ? backing->format : "raw");
	json_object_set_boolean_member(below, "read-only", TRUE);
	json_object_set_object_member(below, "file", file);
	describe_backing(below, backing->format, disk, index + 1, opened);
	json_object_set_object_member(node, "backing", below);
}

static JsonObject *describe(const struct config_disk *disk, bool opened)
{
	JsonObject *node = json_object_new();

	set_common(node, disk);
	json_object_set_string_member(node, "node-name", "disk");
	json_object_set_string_member(node, "driver", disk->format ? disk->format : "raw");
	json_object_set_object_member(node, "file", describe_source(disk, opened));
	describe_backing(node, disk->format, disk, 0, opened);
	return node;
}

/* ---- what it is told ----------------------------------------------------------------------------------- */

static bool export_add(struct storage *storage, const char *name, GError **error)
{
	JsonObject *arguments = json_object_new();

	json_object_set_string_member(arguments, "type", "nbd");
	json_object_set_string_member(arguments, "id", name);
	json_object_set_string_member(arguments, "node-name", "disk");
	json_object_set_string_member(arguments, "name", name);
	json_object_set_boolean_member(arguments, "writable", !storage->read_only);
	storage->exported = qmp_do(storage->qmp, "block-export-add", arguments, error);
	return storage->exported;
}

static char *export_name(const struct storage *storage)
{
	return g_strdup_printf("disk%u", storage->exports);
}

/* The last one, and who is connected to it. */
static bool unexport(struct storage *storage, GError **error)
{
	g_autofree char *name = export_name(storage);
	JsonObject *arguments = json_object_new();

	if (!storage->exported)
		return true;
	json_object_set_string_member(arguments, "id", name);
	json_object_set_string_member(arguments, "mode", "hard");
	if (!qmp_do(storage->qmp, "block-export-del", arguments, error) ||
		!qmp_wait(storage->qmp, "BLOCK_EXPORT_DELETED", error))
		return false;
	storage->exported = false;
	return true;
}

static bool resize_node(struct storage *storage, uint64_t size, GError **error)
{
	JsonObject *arguments = json_object_new();

	json_object_set_string_member(arguments, "node-name", "disk");
	json_object_set_int_member(arguments, "size", (gint64)size);
	return qmp_do(storage->qmp, "block_resize", arguments, error);
}

static int connect_to(const struct storage *storage, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", storage->address);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	fail(errno, error);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The export goes, the image grows, and there is a new export. */
int storage_connect(struct storage *storage, uint64_t size, char **export, GError **error)
{
	g_autofree char *name = NULL;
	int fd;

	if (!unexport(storage, error) || (size && !resize_node(storage, size, error)))
		return -1;
	storage->exports++;
	name = export_name(storage);
	if (!export_add(storage, name, error))
		return -1;
	fd = connect_to(storage, error);
	if (fd >= 0)
		*export = g_steal_pointer(&name);
	return fd;
}

/* What the daemon has said, where that is more than we know. */
static void add_log(const struct storage *storage, GError **error)
{
	char text[512];
	ssize_t n = pread(storage->log, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	g_prefix_error(error, "%s: ", text);
}

/* ---- life ------------------------------------------------------------------------------------------------ */

static bool open_disk(struct storage *storage, const struct config_disk *disk, const int *files,
	unsigned count, GError **error)
{
	if (!launch(storage, files, count, error))
		return false;
	if (qmp_begin(storage->qmp, error))
		return qmp_do(storage->qmp, "blockdev-add", describe(disk, count), error);
	add_log(storage, error);
	return false;
}

struct storage *storage_new(
	const struct config_disk *disk, const int *files, unsigned count, GError **error)
{
	struct storage *storage = g_new0(struct storage, 1);

	storage->log = storage->address = -1;
	storage->read_only = disk->readonly;
	if (open_disk(storage, disk, files, count, error))
		return storage;
	storage_free(storage);
	return NULL;
}

void storage_free(struct storage *storage)
{
	if (!storage)
		return;
	/* One that hangs gets no more time. */
	if (storage->pid && !qmp_end(storage->qmp))
		kill(storage->pid, SIGKILL);
	if (storage->pid)
		waitpid(storage->pid, NULL, 0);
	qmp_free(storage->qmp);
	if (storage->log >= 0)
		close(storage->log);
	if (storage->address >= 0)
		close(storage->address);
	g_free(storage);
}
