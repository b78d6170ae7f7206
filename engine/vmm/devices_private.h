// SPDX-License-Identifier: GPL-3.0-or-later
/* What the files that make devices share: devices.c, disks.c, nics.c. Nobody else includes this. */
#pragma once

#include "engine/vmm/devices.h"

struct devices {
	const struct machine_parts *parts;
	struct virtio_env env;
	struct devices_terminal seat;
	bool seat_taken;
	GPtrArray *slots;   /* struct device_slot */
	struct pcihp *pcihp;
	GAsyncQueue *notices; /* struct notice: what other threads have to tell the main one */
	GSource *wake;
};

enum notice_kind {
	NOTICE_EJECTED, /* the slot's device has been unplugged */
	NOTICE_REFUSED,
	NOTICE_ERROR, /* a disk's request has failed */
	NOTICE_STOP,  /* and the guest is to stand still for it */
	NOTICE_TRAY,  /* a drive's tray has moved, or is not locked any more */
};

/* Something that the main thread is to see to. Any thread. detail: taken. */
void devices_notice(struct device_slot *slot, enum notice_kind kind, bool write, char *detail);

/* An empty slot at the end of the list; name: taken. */
struct device_slot *devices_add(struct devices *devices, enum device_kind kind, char *name);
/* Plugs the device of a slot whose host side is open. pci_slot: 0 for the first that is free. */
bool devices_plug_slot(struct device_slot *slot, unsigned pci_slot, struct virtio_device *virtio,
	void *device, void (*free_device)(void *device), GError **error);

/* Tells "tray" where it has moved since that was told last. */
void devices_tell_tray(struct device_slot *slot);

/* Open the host side and plug the device. fd: taken, or -1. */
bool disk_make(struct device_slot *slot, const struct config_disk *config, unsigned pci_slot, int fd,
	GError **error);
bool nic_make(struct device_slot *slot, const struct config_net *config, unsigned pci_slot, int fd,
	GError **error);
