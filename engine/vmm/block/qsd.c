// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "engine/vmm/block/qsd.h"

#include "engine/vmm/block/nbd.h"

#include <glib/gi18n.h>

struct qsd {
	struct block_backend base;
	struct kept *kept;
	char *name; /* of the device */
	bool read_only, discard;
	void (*begin)(void);
	void (*lost)(void *data, const char *why);
	void *lost_data;

	GMutex mutex; /* guards what follows */
	struct block_backend *nbd;
	bool changing;                      /* requests wait, until there is a new one */
	struct block_request *first, *last; /* they */
};

/* A new connection, to an image that was made to have size bytes, unless that is 0. */
static struct block_backend *connect_to(struct qsd *qsd, uint64_t size, GError **error)
{
	g_autofree char *name = NULL;
	const int fd = kept_disk(qsd->kept, qsd->name, size, &name, error);
	const struct block_nbd_config config = {
		.fd = fd,
		.export_name = name,
		.read_only = qsd->read_only,
		.discard = qsd->discard,
		.begin = qsd->begin,
		.lost = qsd->lost,
		.lost_data = qsd->lost_data,
	};

	return fd >= 0 ? block_nbd_new(&config, error) : NULL;
}

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

/* The old connection ends for it, and whether the image has grown or not there is a new one. Where
 * that cannot be, the old one, which is dead, stays and gives errors. */
static bool qsd_resize(struct block_backend *backend, uint64_t size, GError **error)
{
	struct qsd *qsd = (struct qsd *)backend;
	struct block_backend *old = qsd->nbd, *new;
	GError *problem = NULL;

	hold_requests(qsd);
	block_nbd_forget(old);
	new = connect_to(qsd, size, &problem);
	if (!new)
		new = connect_to(qsd, 0, NULL);
	if (new) {
		qsd->nbd = new;
		block_free(old);
	}
	let_requests_go(qsd);
	if (problem)
		g_propagate_prefixed_error(error, problem, _("The disk cannot be made larger: "));
	return !problem;
}

static void qsd_free(struct block_backend *backend)
{
	struct qsd *qsd = (struct qsd *)backend;

	block_free(qsd->nbd);
	kept_drop_disk(qsd->kept, qsd->name);
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

struct block_backend *block_qsd_open(const struct block_qsd_config *config, GError **error)
{
	const struct config_disk *disk = config->disk;
	struct qsd *qsd = g_new0(struct qsd, 1);

	qsd->base.ops = &qsd_ops;
	qsd->kept = config->kept;
	qsd->name = g_strdup(disk->target);
	qsd->read_only = disk->readonly;
	qsd->discard = disk->discard;
	qsd->begin = config->begin;
	qsd->lost = config->lost;
	qsd->lost_data = config->lost_data;
	g_mutex_init(&qsd->mutex);
	qsd->nbd = connect_to(qsd, 0, error);
	if (!qsd->nbd) {
		g_prefix_error(error, _("Cannot open the disk '%s': "),
			disk->rbd ? disk->rbd : disk->path);
		qsd_free(&qsd->base);
		return NULL;
	}
	qsd->base.size = qsd->nbd->size;
	qsd->base.read_only = qsd->nbd->read_only;
	qsd->base.can_discard = qsd->nbd->can_discard;
	qsd->base.block_size = qsd->nbd->block_size;
	return &qsd->base;
}
