// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The virtio devices of a machine: each with its host side (an image, a network, a terminal) and
 * the PCI function that it is. Disks and network cards come and go while the guest runs.
 *
 * Threads: the main thread, which does not hold the machine lock.
 */
#pragma once

#include "engine/common/stats.h"
#include "engine/vmm/chardevs.h"
#include "engine/vmm/dev/virtio_console.h"
#include "engine/vmm/dev/virtio_pci.h"
#include "engine/vmm/machine.h"

struct devices;

enum device_kind {
	DEVICE_DISK,
	DEVICE_NIC,
	DEVICE_CONSOLE,
	DEVICE_BALLOON,
	DEVICE_RNG,
	DEVICE_MEMORY,
};

/* One device. The list's order is that of plugging. */
struct device_slot {
	struct devices *devices;
	enum device_kind kind;
	char *name; /* "vda", "52:54:00:00:00:01", "console0", "balloon", "rng0", "virtiomem0" */
	char *xml;  /* the element it was plugged with, or its medium was; NULL: it is as the
		     * definition has it */

	/* virtio's, of the kind (struct virtio_block, …), and the PCI function: for its slot's number
	 * virtio_pci_slot(). pci is NULL when the guest has let it go and it is being freed. */
	struct virtio_device *virtio;
	struct virtio_pci *pci;
	void *device;
	void (*free_device)(void *device);

	/* The host side, by kind. */
	struct block_backend *disk; /* what limits it (block/limit.h), the image behind */
	struct net_backend *net;
	struct host_chardev *consoles[VIRTIO_CONSOLE_PORTS];
	const struct config_disk *disk_config;
	struct cdrom *drive; /* of a DISK that is a CD-ROM drive, else NULL */
	const struct config_net *net_config;
	struct machine_config *own_config; /* holds those, where it was plugged */
	struct stats_disk *disk_stats;     /* or NULL */
	struct stats_nic *nic_stats;       /* or NULL */
	gint64 error_told;                 /* when "io-error" was told last: monotonic time, or 0 */

	bool leaving; /* the guest was asked to let it go */
	bool tray_told; /* what "tray" has told of it: it is open */
	/* The guest may have opened the tray of a drive or unlocked it, or let the drive go (lock not
	 * held). NULL: nobody waits for it. data is the caller's. */
	void (*tray)(struct device_slot *slot, bool gone, void *data);
	void *tray_data;
	GDestroyNotify tray_free; /* of data, or NULL */
	/* The guest has let it go (the device is gone; lock not held) or will not. NULL: nobody asks.
	 * data is the caller's. */
	void (*unplugged)(struct device_slot *slot, bool refused, void *data);
	void *unplugged_data;
	GDestroyNotify unplugged_free; /* of data, or NULL */
};

/* The process's terminal, for the first serial port or console of type pty or stdio. */
struct devices_terminal {
	bool wanted;
	/* Input is filtered by this (host_chardev_set_filter()), or NULL. */
	size_t (*filter)(void *data, char *bytes, size_t length);
	void *data;
};

/* No device yet. parts and what data points to outlive it. warn: see struct virtio_env. */
struct devices *devices_new(const struct machine_parts *parts,
	const struct devices_terminal *terminal, void (*warn)(void *data, const char *message),
	void *warn_data);
/* Unplugs and frees all. The guest stands still. */
void devices_free(struct devices *devices);

/* Makes and plugs those of the configuration, in its order. Errors are sentences. */
bool devices_make(struct devices *devices, GError **error);
/* Waits for the requests in flight of all disks. */
void devices_drain(struct devices *devices);
/* The guest stands still and is about to boot anew: drains, and frees what it was asked to let go. */
void devices_reset(struct devices *devices);
/* The guest goes on: tries again what was kept for it (config_on_error). */
void devices_resume(struct devices *devices);

/* struct device_slot. */
const GPtrArray *devices_list(const struct devices *devices);
/* NULL: there is none of the name. */
struct device_slot *devices_find(
	const struct devices *devices, enum device_kind kind, const char *name);

/*
 * Plugs the disk or network card that config, which is taken, consists of. xml: what it was read
 * from. pci_slot: 1-31, or 0 for the first that is free. fd: the opened image or TAP device,
 * taken, or -1. The guest is told; tells "device-added". Errors are sentences.
 */
struct device_slot *devices_plug(struct devices *devices, struct machine_config *config,
	const char *xml, unsigned pci_slot, int fd, GError **error);
/* Asks the guest to let it go; see struct device_slot. Tells "device-removed" when it has, which may
 * be at any time, or "unplug-refused". */
void devices_ask(struct device_slot *slot);

/* Which of them come and go, as the guest sees it; for saving. */
struct pcihp *devices_hotplug(const struct devices *devices);
/* Takes a device away from a machine that has not run yet. */
void devices_drop(struct device_slot *slot);

/* CD-ROM drives: those with a drive. */
struct devices_tray {
	bool open, locked;
};
struct devices_tray devices_tray(const struct device_slot *slot);
/* Opens the tray, and tells "tray". False: the guest has locked it and is asked to open it; by
 * force it is opened all the same. */
bool devices_open_tray(struct device_slot *slot, bool force);
/* Closes it, or takes back that the guest was asked to open it. */
void devices_close_tray(struct device_slot *slot);
/* Opens the medium that the element of config has; an empty drive's, where it has none. fd as for
 * devices_plug(). NULL: the error is a sentence. Free with block_free(). */
struct block_backend *devices_open_medium(
	struct device_slot *slot, const struct machine_config *config, int fd, GError **error);
/* Puts it into the drive in place of the old one, whose reads under way are waited for. Takes
 * medium and config; xml is what that was read from. */
void devices_change_medium(struct device_slot *slot, struct block_backend *medium,
	struct machine_config *config, const char *xml);

/* An image that is smaller is grown, and the guest told its size. */
bool devices_resize_disk(struct device_slot *slot, uint64_t size, GError **error);

/* The host side of a serial port or console; the terminal for the first that may have it. */
bool devices_open_chardev(struct devices *devices, const struct config_chardev *config,
	struct host_chardev **host, GError **error);
