// SPDX-License-Identifier: GPL-3.0-or-later
/* Disks: the image on the host, its limits, the virtio device, and what becomes of errors. */
#include <config.h>

#include "engine/vmm/devices_private.h"

#include "engine/vmm/block/limit.h"
#include "engine/vmm/block/qsd.h"
#include "engine/vmm/block/raw.h"
#include "engine/vmm/dev/virtio_block.h"
#include "engine/vmm/sandbox.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <unistd.h>

static void free_disk(void *device)
{
	virtio_block_free(device);
}

/* In a thread of the backend, lock held. */
static enum virtio_block_verdict failed(void *data, bool write, int error)
{
	struct device_slot *slot = data;
	enum config_on_error policy =
		write ? slot->disk_config->on_write_error : slot->disk_config->on_read_error;
	char *detail = g_strdup_printf(
		write ? _("Disk '%s' cannot be written: %s") : _("Disk '%s' cannot be read: %s"),
		slot->name, g_strerror(error));

	if (policy == CONFIG_ON_ERROR_ENOSPC)
		policy = error == ENOSPC ? CONFIG_ON_ERROR_STOP : CONFIG_ON_ERROR_REPORT;
	devices_notice(slot, NOTICE_ERROR, write, detail);
	/* A guest that has let the disk go does not wait for it. */
	if (policy == CONFIG_ON_ERROR_STOP && slot->pci) {
		devices_notice(slot, NOTICE_STOP, write, NULL);
		return VIRTIO_BLOCK_KEEP;
	}
	return policy == CONFIG_ON_ERROR_IGNORE ? VIRTIO_BLOCK_IGNORE : VIRTIO_BLOCK_REPORT;
}

/* In a thread of the backend: each request that fails for it is told by itself. */
static void daemon_lost(void *data, const char *why)
{
	struct device_slot *slot = data;

	devices_notice(slot, NOTICE_ERROR, false,
		g_strdup_printf(_("Disk '%s': qemu-storage-daemon is lost: %s"), slot->name, why));
}

static void begin_worker(void)
{
	sandbox_thread(SANDBOX_BLOCK);
}

static struct block_backend *open_image(
	struct device_slot *slot, const struct config_disk *config, int fd, GError **error)
{
	bool daemon = config->format || config->rbd;

	if ((daemon || fd < 0) && !sandbox_allows_paths(error)) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (daemon)
		return block_qsd_open(
			&(struct block_qsd_config){
				.disk = config,
				.fd = fd,
				.begin = begin_worker,
				.lost = daemon_lost,
				.lost_data = slot,
			},
			error);
	return block_raw_open(
		&(struct block_raw_config){
			.path = config->path,
			.opened = fd >= 0,
			.fd = fd,
			.read_only = config->readonly,
			.shared = config->shareable,
			.discard = config->discard,
			.begin = begin_worker,
		},
		error);
}

bool disk_make(struct device_slot *slot, const struct config_disk *config, unsigned pci_slot, int fd,
	GError **error)
{
	struct devices *devices = slot->devices;
	struct block_backend *image = open_image(slot, config, fd, error);
	struct virtio_block *block;

	if (!image)
		return false;
	slot->disk_config = config;
	slot->disk = block_limit_new(image, devices->parts->context);
	block_limit_set(slot->disk, config->limits);
	block = virtio_block_new(&devices->env, slot->disk, config->serial,
		&(struct virtio_block_owner){ .failed = failed, .data = slot });
	slot->disk_stats = stats_add_disk(devices->parts->stats, slot->name);
	virtio_block_count(block, slot->disk_stats);
	if (slot->disk_stats)
		block_limit_count(slot->disk, &slot->disk_stats->waited_ns);
	return devices_plug_slot(
		slot, pci_slot, virtio_block_device(block), block, free_disk, error);
}
