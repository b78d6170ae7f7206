// SPDX-License-Identifier: GPL-3.0-or-later
/* Disks and CD-ROM drives: the image on the host, its limits, the virtio device, and what becomes of
 * errors. */
#include <config.h>

#include "engine/vmm/devices_private.h"

#include "engine/vmm/block/empty.h"
#include "engine/vmm/block/limit.h"
#include "engine/vmm/block/qsd.h"
#include "engine/vmm/block/raw.h"
#include "engine/vmm/dev/virtio_block.h"
#include "engine/vmm/dev/virtio_scsi.h"
#include "engine/vmm/sandbox.h"

#include <errno.h>
#include <gio/gio.h>
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

/* The keeper has the image of what only a program can read. */
static struct block_backend *open_kept(
	struct device_slot *slot, const struct config_disk *config, int fd, GError **error)
{
	if (fd >= 0) {
		close(fd);
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
			_("An image of this format must be given to the keeper"));
		return NULL;
	}
	return block_qsd_open(
		&(struct block_qsd_config){
			.disk = config,
			.kept = slot->devices->parts->kept,
			.begin = begin_worker,
			.lost = daemon_lost,
			.lost_data = slot,
		},
		error);
}

static struct block_backend *open_image(
	struct device_slot *slot, const struct config_disk *config, int fd, GError **error)
{
	if (config->cdrom && !config->path && fd < 0)
		return block_empty_new();
	if (config->format || config->rbd)
		return open_kept(slot, config, fd, error);
	if (fd < 0 && !sandbox_allows_paths(error))
		return NULL;
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

/* The image with its limits, and where it is counted. */
static bool open_disk(
	struct device_slot *slot, const struct config_disk *config, int fd, GError **error)
{
	struct devices *devices = slot->devices;
	struct block_backend *image = open_image(slot, config, fd, error);

	if (!image)
		return false;
	slot->disk_config = config;
	slot->disk = block_limit_new(image, devices->parts->context);
	block_limit_set(slot->disk, config->limits);
	slot->disk_stats = stats_add_disk(devices->parts->stats, slot->name);
	if (slot->disk_stats)
		block_limit_count(slot->disk, &slot->disk_stats->waited_ns);
	return true;
}

static bool make_block(struct device_slot *slot, unsigned pci_slot, GError **error)
{
	struct virtio_block *block;

	block = virtio_block_new(&slot->devices->env, slot->disk, slot->disk_config->serial,
		&(struct virtio_block_owner){ .failed = failed, .data = slot });
	virtio_block_count(block, slot->disk_stats);
	return devices_plug_slot(
		slot, pci_slot, virtio_block_device(block), block, free_disk, error);
}

/* ---- CD-ROM drives ----------------------------------------------------------------------------------- */

static void free_drive(void *device)
{
	virtio_scsi_free(device);
}

/* In a thread of the backend or of a vCPU, lock held. */
static void unreadable(void *data, int error)
{
	failed(data, false, error);
}

/* Lock held, in any thread. */
static void tray_moved(void *data)
{
	devices_notice(data, NOTICE_TRAY, false, NULL);
}

static const struct cdrom_ops drive_ops = { .tray = tray_moved };

static bool make_drive(struct device_slot *slot, unsigned pci_slot, GError **error)
{
	const struct config_disk *config = slot->disk_config;
	struct cdrom *drive = cdrom_new(slot->name, config->serial, &drive_ops, slot);
	struct virtio_scsi *scsi = virtio_scsi_new(&slot->devices->env, drive, slot->disk,
		&(struct virtio_scsi_owner){ .failed = unreadable, .data = slot });

	slot->drive = drive;
	slot->tray_told = config->tray_open;
	if (config->tray_open)
		cdrom_open(drive, true);
	virtio_scsi_count(scsi, slot->disk_stats);
	return devices_plug_slot(
		slot, pci_slot, virtio_scsi_device(scsi), scsi, free_drive, error);
}

struct devices_tray devices_tray(const struct device_slot *slot)
{
	struct devices_tray tray;

	g_mutex_lock(&slot->devices->parts->lock->mutex);
	tray.open = cdrom_is_open(slot->drive);
	tray.locked = cdrom_is_locked(slot->drive);
	g_mutex_unlock(&slot->devices->parts->lock->mutex);
	return tray;
}

bool devices_open_tray(struct device_slot *slot, bool force)
{
	bool open;

	g_mutex_lock(&slot->devices->parts->lock->mutex);
	open = cdrom_open(slot->drive, force);
	g_mutex_unlock(&slot->devices->parts->lock->mutex);
	devices_tell_tray(slot);
	return open;
}

void devices_close_tray(struct device_slot *slot)
{
	g_mutex_lock(&slot->devices->parts->lock->mutex);
	cdrom_ask_no_more(slot->drive);
	cdrom_close(slot->drive);
	g_mutex_unlock(&slot->devices->parts->lock->mutex);
	devices_tell_tray(slot);
}

struct block_backend *devices_open_medium(
	struct device_slot *slot, const struct machine_config *config, int fd, GError **error)
{
	return open_image(slot, g_ptr_array_index(config->disks, 0), fd, error);
}

void devices_change_medium(struct device_slot *slot, struct block_backend *medium,
	struct machine_config *config, const char *xml)
{
	GMutex *mutex = &slot->devices->parts->lock->mutex;

	g_mutex_lock(mutex);
	cdrom_put(slot->drive, 0);
	g_mutex_unlock(mutex);
	/* The guest can begin no read now; what it has begun is waited for. */
	block_limit_replace(slot->disk, medium);
	g_mutex_lock(mutex);
	slot->disk_config = g_ptr_array_index(config->disks, 0);
	virtio_scsi_changed(slot->device);
	g_mutex_unlock(mutex);
	config_free(slot->own_config);
	slot->own_config = config;
	g_free(slot->xml);
	slot->xml = g_strdup(xml);
}

bool disk_make(struct device_slot *slot, const struct config_disk *config, unsigned pci_slot, int fd,
	GError **error)
{
	if (!open_disk(slot, config, fd, error))
		return false;
	return config->cdrom ? make_drive(slot, pci_slot, error)
			     : make_block(slot, pci_slot, error);
}
