// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The virtio console (virtio 1.2, section 5.3): port 0 is a console (hvc0 in Linux) over a host
 * character device, with the terminal's size; further ports are channels with a name
 * (/dev/virtio-ports/NAME in Linux), for a guest agent and the like. With channels the device
 * offers the multiport feature; a driver that does not take it has the console alone.
 *
 * A channel takes no bytes from the host before the guest has opened it.
 */
#pragma once

#include "engine/vmm/dev/chardev.h"
#include "engine/vmm/dev/virtio.h"

#define VIRTIO_CONSOLE_PORTS 3 /* the console and two channels: two queues each, and two more */

struct virtio_console;

/* chardev may be NULL; it is not owned. */
struct virtio_console *virtio_console_new(const struct virtio_env *env, struct chardev *chardev);
void virtio_console_free(struct virtio_console *console);
struct virtio_device *virtio_console_device(struct virtio_console *console);

/* Adds a channel, before the device is plugged. chardev is not owned, name is copied. false where
 * all ports are taken. */
bool virtio_console_add_channel(
	struct virtio_console *console, struct chardev *chardev, const char *name);
