// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The virtio console (virtio 1.2, section 5.3): one port (hvc0 in Linux) over a host character
 * device, with the terminal's size.
 */
#pragma once

#include "engine/vmm/dev/chardev.h"
#include "engine/vmm/dev/virtio.h"

struct virtio_console;

/* chardev may be NULL; it is not owned. */
struct virtio_console *virtio_console_new(const struct virtio_env *env, struct chardev *chardev);
void virtio_console_free(struct virtio_console *console);
struct virtio_device *virtio_console_device(struct virtio_console *console);
