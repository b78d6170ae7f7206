// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The virtio SCSI host (virtio 1.2, section 5.6) with one CD-ROM drive as logical unit 0 of target
 * 0: a control queue, an event queue that nothing is told by (the features that would need it are
 * not offered), and one request queue. The medium's bytes come from a block backend, which works
 * in a thread of its own; all other commands are answered at once.
 *
 * A read that is under way cannot be called back: task management that aborts is answered when the
 * reads have ended, and these end as aborted.
 */
#pragma once

#include "engine/common/stats.h"
#include "engine/vmm/block/block.h"
#include "engine/vmm/dev/cdrom.h"
#include "engine/vmm/dev/virtio.h"

struct virtio_scsi;

struct virtio_scsi_owner {
	/* A read has failed with an errno; the guest is told. In a thread of the backend or of a
	 * vCPU, lock held. NULL: nobody need know. */
	void (*failed)(void *data, int error);
	void *data;
};

/* drive: taken. medium: not owned; it must be drained (block_drain()) before the device is freed,
 * and another may be behind it when a medium has been put into the drive. owner is copied, or NULL. */
struct virtio_scsi *virtio_scsi_new(const struct virtio_env *env, struct cdrom *drive,
	struct block_backend *medium, const struct virtio_scsi_owner *owner);
void virtio_scsi_free(struct virtio_scsi *scsi);
struct virtio_device *virtio_scsi_device(struct virtio_scsi *scsi);
struct cdrom *virtio_scsi_drive(struct virtio_scsi *scsi);

/* Counts reads in this record from now on, and keeps the medium's size there; NULL: in one of its
 * own. Lock held. */
void virtio_scsi_count(struct virtio_scsi *scsi, struct stats_disk *stats);
const struct stats_disk *virtio_scsi_get_stats(const struct virtio_scsi *scsi);
/* The medium behind the backend is another: puts it into the drive, whose tray may be open. Lock
 * held. */
void virtio_scsi_changed(struct virtio_scsi *scsi);
