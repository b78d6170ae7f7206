// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A character device of the host, as the serial port and the virtio console see it: a terminal, a
 * socket, a file, or a test. A host side is a struct chardev with its ops; a device is the one
 * client that is connected to it. Bytes are never dropped by either: who cannot take them says how
 * many he took and tells later that there is room.
 *
 * Threads: everything with the machine lock held, in both directions.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct chardev;

/* What a host side does; no op may be NULL. */
struct chardev_ops {
	/* Takes bytes from the guest; how many were taken. After fewer than length the client waits
	 * until its writable() is called. A host side whose peer is gone takes and drops all. */
	size_t (*write)(struct chardev *chardev, const void *data, size_t length);
	/* The client, whose receive() took less than it was given, has room again. */
	void (*resume)(struct chardev *chardev);
};

/* What a device does. */
struct chardev_client {
	/* Bytes for the guest; how many were taken. After fewer the host side keeps the rest until
	 * resume(). */
	size_t (*receive)(void *device, const void *data, size_t length);
	/* write() will take bytes again. */
	void (*writable)(void *device);
	/* The terminal's size changed, in characters. NULL: not interested. */
	void (*resize)(void *device, unsigned columns, unsigned rows);
};

/* The base of a host side; client is NULL until a device connects. */
struct chardev {
	const struct chardev_ops *ops;
	const struct chardev_client *client;
	void *device;
};

/* chardev may be NULL in the following: a device with nothing connected to it. */
static inline void chardev_connect(
	struct chardev *chardev, const struct chardev_client *client, void *device)
{
	if (!chardev)
		return;
	chardev->client = client;
	chardev->device = device;
}

static inline size_t chardev_write(struct chardev *chardev, const void *data, size_t length)
{
	return chardev ? chardev->ops->write(chardev, data, length) : length;
}

static inline void chardev_resume(struct chardev *chardev)
{
	if (chardev)
		chardev->ops->resume(chardev);
}

/* For host sides: hands bytes to the device, if there is one; how many it took. */
static inline size_t chardev_receive(struct chardev *chardev, const void *data, size_t length)
{
	return chardev->client ? chardev->client->receive(chardev->device, data, length) : length;
}

static inline void chardev_writable(struct chardev *chardev)
{
	if (chardev->client)
		chardev->client->writable(chardev->device);
}

static inline void chardev_resize(struct chardev *chardev, unsigned columns, unsigned rows)
{
	if (chardev->client && chardev->client->resize)
		chardev->client->resize(chardev->device, columns, rows);
}
