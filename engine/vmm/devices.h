// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The virtio devices of a machine: each with its host side (an image, a network, a terminal) and
 * the PCI function that it is.
 *
 * Threads: the main thread, which does not hold the machine lock.
 */
#pragma once

#include "engine/vmm/chardevs.h"
#include "engine/vmm/machine.h"

struct devices;

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

/* The host side of a serial port or console; the terminal for the first that may have it. */
bool devices_open_chardev(struct devices *devices, const struct config_chardev *config,
	struct host_chardev **host, GError **error);
