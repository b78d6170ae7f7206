// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "engine/vmm/block/qsd.h"

#include "engine/vmm/block/nbd.h"
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
#define CONNECTIONS (QSD_GROWTHS_MAX + 1)
/* What Ceph's library takes from the environment: it would try for five minutes to reach a cluster
 * that is not there, and with it the guest's monitor. */
#define CEPH_VARIABLE "CEPH_ARGS"
#define CEPH_PATIENCE "--client-mount-timeout=10"
/* The child's descriptors. */
#define CHILD_QMP 3
#define CHILD_NBD 4
#define CHILD_IMAGE 5

struct qsd {
	struct block_backend base;
	GPid pid;
	struct qmp *qmp;
	int log;                      /* what it says on standard error */
	int connections[CONNECTIONS]; /* those not used yet; -1 */
	unsigned exports;             /* made so far */
	bool read_only, discard;
	char *name;
	void (*begin)(void);
	void (*lost)(void *data, const char *why);
	void *lost_data;

	GMutex mutex; /* guards what follows */
	struct block_backend *nbd;
	bool changing;                      /* requests wait, until there is a new one */
	struct block_request *first, *last; /* they */
};

/* ---- starting ------------------------------------------------------------------------------------------ */

/* A listening socket with all connections to it that there will ever be. */
static int make_connections(struct qsd *qsd, GError **error)
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
		listen(listener, CONNECTIONS) == 0;
	for (unsigned i = 0; ok && i < CONNECTIONS; i++) {
		qsd->connections[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ok = connect(qsd->connections[i], (struct sockaddr *)&address, sizeof(address)) == 0;
	}
	saved = errno;
	g_unlink(address.sun_path);
	g_rmdir(directory);
	if (ok)
		return listener;
	close(listener);
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
		_("Cannot make a socket for %s: %s"), PROGRAM, g_strerror(saved));
	return -1;
}

/* It does not outlive us. */
static void set_up_child(void *data)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static bool start(struct qsd *qsd, int qmp, int listener, int image, GError **error)
{
	static const char *const arguments[] = { PROGRAM, "--chardev",
		"socket,id=qmp,fd=" G_STRINGIFY(CHILD_QMP), "--monitor", "chardev=qmp",
		"--nbd-server", "addr.type=fd,addr.str=" G_STRINGIFY(CHILD_NBD) ",max-connections=1",
		NULL };
	const int sources[] = { qmp, listener, image };
	const int targets[] = { CHILD_QMP, CHILD_NBD, CHILD_IMAGE };
	g_auto(GStrv) environment =
		g_environ_setenv(g_get_environ(), CEPH_VARIABLE, CEPH_PATIENCE, FALSE);
	g_autoptr(GError) cause = NULL;

	if (g_spawn_async_with_pipes_and_fds(NULL, arguments, (const char *const *)environment,
		    G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, set_up_child, NULL, -1, qsd->log,
		    qsd->log, sources, targets, image >= 0 ? 3 : 2, &qsd->pid, NULL, NULL, NULL,
		    &cause))
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
		_("Cannot start %s, which disks of this format need (is the package "
		  "'qemu-system-common' installed?): %s"),
		PROGRAM, cause->message);
	return false;
}

static bool launch(struct qsd *qsd, int image, GError **error)
{
	int listener = make_connections(qsd, error), pair[2];
	bool ok;

	if (listener < 0)
		return false;
	g_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	qsd->log = memfd_create("lodge-qsd", MFD_CLOEXEC);
	ok = start(qsd, pair[1], listener, image, error);
	close(pair[1]);
	close(listener);
	qsd->qmp = qmp_new(pair[0]);
	return ok;
}

/* ---- what it is told ----------------------------------------------------------------------------------- */

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

/* Where the bytes are. */
static JsonObject *describe_source(const struct config_disk *disk, bool opened)
{
	JsonObject *node = json_object_new();

	set_common(node, disk);
	if (disk->rbd) {
		describe_rbd(node, disk);
		return node;
	}
	json_object_set_string_member(node, "driver", disk->block ? "host_device" : "file");
	json_object_set_string_member(node, "filename",
		opened ? "/proc/self/fd/" G_STRINGIFY(CHILD_IMAGE) : disk->path);
	if (disk->shareable)
		json_object_set_string_member(node, "locking", "off");
	return node;
}

static JsonObject *describe(const struct config_disk *disk, bool opened)
{
	JsonObject *node = json_object_new();

	set_common(node, disk);
	json_object_set_string_member(node, "node-name", "disk");
	json_object_set_string_member(node, "driver", disk->format ? disk->format : "raw");
	json_object_set_object_member(node, "file", describe_source(disk, opened));
	return node;
}

/* A new export, and the next connection to it. */
static bool export(struct qsd *qsd, GError **error)
{
	g_autofree char *name = g_strdup_printf("disk%u", qsd->exports);
	JsonObject *arguments = json_object_new();
	struct block_nbd_config config = {
		.export_name = name,
		.read_only = qsd->read_only,
		.discard = qsd->discard,
		.begin = qsd->begin,
		.lost = qsd->lost,
		.lost_data = qsd->lost_data,
	};

	json_object_set_string_member(arguments, "type", "nbd");
	json_object_set_string_member(arguments, "id", name);
	json_object_set_string_member(arguments, "node-name", "disk");
	json_object_set_string_member(arguments, "name", name);
	json_object_set_boolean_member(arguments, "writable", !qsd->read_only);
	if (!qmp_do(qsd->qmp, "block-export-add", arguments, error))
		return false;
	config.fd = qsd->connections[qsd->exports];
	qsd->connections[qsd->exports++] = -1;
	qsd->nbd = block_nbd_new(&config, error);
	return qsd->nbd != NULL;
}

static bool unexport(struct qsd *qsd, GError **error)
{
	g_autofree char *name = g_strdup_printf("disk%u", qsd->exports - 1);
	JsonObject *arguments = json_object_new();

	json_object_set_string_member(arguments, "id", name);
	json_object_set_string_member(arguments, "mode", "hard");
	return qmp_do(qsd->qmp, "block-export-del", arguments, error) &&
		qmp_wait(qsd->qmp, "BLOCK_EXPORT_DELETED", error);
}

/* What the daemon has said, where that is more than we know. */
static void add_log(struct qsd *qsd, GError **error)
{
	char text[512];
	ssize_t n = pread(qsd->log, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	g_prefix_error(error, "%s: ", text);
}

/* ---- the backend ------------------------------------------------------------------------------------- */

static void qsd_submit(struct block_backend *backend, struct block_request *request)
{
	struct qsd *qsd = (struct qsd *)backend;

	g_mutex_lock(&qsd->mutex);
	if (!qsd->changing) {
		block_submit(qsd->nbd, request);
	} else {
		request->next = NULL;
		if (qsd->last)
			qsd->last->next = request;
		else
			qsd->first = request;
		qsd->last = request;
	}
	g_mutex_unlock(&qsd->mutex);
}

static void qsd_drain(struct block_backend *backend)
{
	block_drain(((struct qsd *)backend)->nbd);
}

static bool qsd_refresh(struct block_backend *backend, GError **error)
{
	backend->size = ((struct qsd *)backend)->nbd->size;
	return true;
}

static void hold_requests(struct qsd *qsd)
{
	g_mutex_lock(&qsd->mutex);
	qsd->changing = true;
	g_mutex_unlock(&qsd->mutex);
	block_drain(qsd->nbd);
}

static void let_requests_go(struct qsd *qsd)
{
	g_mutex_lock(&qsd->mutex);
	qsd->changing = false;
	while (qsd->first) {
		struct block_request *request = qsd->first;

		qsd->first = request->next;
		block_submit(qsd->nbd, request);
	}
	qsd->last = NULL;
	g_mutex_unlock(&qsd->mutex);
}

static bool resize_node(struct qsd *qsd, uint64_t size, GError **error)
{
	JsonObject *arguments = json_object_new();

	json_object_set_string_member(arguments, "node-name", "disk");
	json_object_set_int_member(arguments, "size", (gint64)size);
	return qmp_do(qsd->qmp, "block_resize", arguments, error);
}

/* The export goes, the image grows, and whether it has or not there is a new export. Where that
 * cannot be, the old connection, which is dead, stays and gives errors. */
static bool qsd_resize(struct block_backend *backend, uint64_t size, GError **error)
{
	struct qsd *qsd = (struct qsd *)backend;
	struct block_backend *old = qsd->nbd;
	GError *problem = NULL, *second = NULL;

	if (qsd->exports == CONNECTIONS) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
			_("The disk has been grown %u times since the guest was started: start it "
			  "anew first."),
			QSD_GROWTHS_MAX);
		return false;
	}
	hold_requests(qsd);
	block_nbd_forget(old);
	if (unexport(qsd, &problem))
		resize_node(qsd, size, &problem);
	if (export(qsd, problem ? &second : &problem))
		block_free(old);
	else
		qsd->nbd = old;
	g_clear_error(&second);
	let_requests_go(qsd);
	if (problem)
		g_propagate_prefixed_error(error, problem, _("The disk cannot be made larger: "));
	return !problem;
}

static void end_daemon(struct qsd *qsd)
{
	/* One that hangs ends with us. */
	if (qsd->pid && qmp_end(qsd->qmp))
		waitpid(qsd->pid, NULL, 0);
}

static void qsd_free(struct block_backend *backend)
{
	struct qsd *qsd = (struct qsd *)backend;

	block_free(qsd->nbd);
	end_daemon(qsd);
	qmp_free(qsd->qmp);
	for (unsigned i = 0; i < CONNECTIONS; i++)
		if (qsd->connections[i] >= 0)
			close(qsd->connections[i]);
	if (qsd->log >= 0)
		close(qsd->log);
	g_mutex_clear(&qsd->mutex);
	g_free(qsd->name);
	g_free(qsd);
}

static const struct block_backend_ops qsd_ops = {
	.submit = qsd_submit,
	.drain = qsd_drain,
	.refresh = qsd_refresh,
	.resize = qsd_resize,
	.free = qsd_free,
};

static bool open_disk(struct qsd *qsd, const struct block_qsd_config *config, GError **error)
{
	if (!launch(qsd, config->fd, error))
		return false;
	if (!qmp_begin(qsd->qmp, error)) {
		add_log(qsd, error);
		return false;
	}
	return qmp_do(qsd->qmp, "blockdev-add", describe(config->disk, config->fd >= 0), error) &&
		export(qsd, error);
}

struct block_backend *block_qsd_open(const struct block_qsd_config *config, GError **error)
{
	struct qsd *qsd = g_new0(struct qsd, 1);
	bool ok;

	qsd->base.ops = &qsd_ops;
	qsd->log = -1;
	memset(qsd->connections, -1, sizeof(qsd->connections));
	qsd->read_only = config->disk->readonly;
	qsd->discard = config->disk->discard;
	qsd->name = g_strdup(config->disk->rbd ? config->disk->rbd : config->disk->path);
	qsd->begin = config->begin;
	qsd->lost = config->lost;
	qsd->lost_data = config->lost_data;
	g_mutex_init(&qsd->mutex);
	ok = open_disk(qsd, config, error);
	if (config->fd >= 0)
		close(config->fd);
	if (!ok) {
		g_prefix_error(error, _("Cannot open the disk '%s': "), qsd->name);
		qsd_free(&qsd->base);
		return NULL;
	}
	qsd->base.size = qsd->nbd->size;
	qsd->base.read_only = qsd->nbd->read_only;
	qsd->base.can_discard = qsd->nbd->can_discard;
	qsd->base.block_size = qsd->nbd->block_size;
	return &qsd->base;
}

GPid block_qsd_pid(const struct block_backend *backend)
{
	return ((const struct qsd *)backend)->pid;
}
