// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/virtio_console.h"

#include <glib.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <string.h>

#define QUEUE_SIZE 64

/* 5.3.2: queues of port 0. */
enum {
	RECEIVE,
	TRANSMIT,
};

struct virtio_console {
	struct virtio_device dev;
	struct chardev *chardev;
	uint16_t columns, rows;
	bool refused; /* the host side waits for buffers */
	bool sending; /* out is being sent, out_done bytes are gone */
	uint64_t out_done;
	struct virtq_chain out;
	struct virtq_chain in;
};

/* ---- from the guest ---- */

/* Hands on what is left of the chain; true when all is gone. */
static bool console_send(struct virtio_console *console)
{
	uint64_t skip = console->out_done;

	for (unsigned i = 0; i < console->out.out_count; i++) {
		const struct iovec *segment = &console->out.segment[i];
		size_t taken;

		if (skip >= segment->iov_len) {
			skip -= segment->iov_len;
			continue;
		}
		taken = chardev_write(console->chardev, (uint8_t *)segment->iov_base + skip,
			segment->iov_len - skip);
		console->out_done += taken;
		if (taken < segment->iov_len - skip)
			return false;
		skip = 0;
	}
	return true;
}

static bool console_next(struct virtio_console *console)
{
	if (console->sending)
		return true;
	console->sending = virtq_pop(&console->dev, TRANSMIT, &console->out);
	console->out_done = 0;
	return console->sending;
}

static void console_transmit(struct virtio_console *console)
{
	struct virtio_device *dev = &console->dev;

	do {
		while (console_next(console)) {
			if (!console_send(console))
				goto out; /* goes on in writable() */
			console->sending = false;
			virtq_push(dev, TRANSMIT, &console->out, 0);
		}
	} while (virtq_want_kicks(dev, TRANSMIT, true));
out:
	virtq_notify(dev, TRANSMIT);
}

static void console_writable(void *device)
{
	console_transmit(device);
}

/* ---- to the guest ---- */

static size_t console_receive(void *device, const void *data, size_t length)
{
	struct virtio_console *console = device;
	struct virtio_device *dev = &console->dev;
	size_t done = 0;

	while (done < length) {
		uint64_t part;

		if (!virtq_pop(dev, RECEIVE, &console->in)) {
			if (virtq_want_kicks(dev, RECEIVE, true))
				continue;
			break;
		}
		part = virtq_chain_write(
			&console->in, 0, (const uint8_t *)data + done, length - done);
		virtq_push(dev, RECEIVE, &console->in, part);
		done += part;
	}
	console->refused = done < length;
	virtq_notify(dev, RECEIVE);
	return done;
}

static void virtio_console_kick(struct virtio_device *dev, unsigned queue)
{
	struct virtio_console *console = (struct virtio_console *)dev;

	if (queue == TRANSMIT) {
		console_transmit(console);
	} else if (console->refused) {
		console->refused = false;
		chardev_resume(console->chardev);
	}
}

static void console_resize(void *device, unsigned columns, unsigned rows)
{
	struct virtio_console *console = device;

	if (console->columns == columns && console->rows == rows)
		return;
	console->columns = columns;
	console->rows = rows;
	virtio_config_changed(&console->dev);
}

static const struct chardev_client console_client = {
	.receive = console_receive,
	.writable = console_writable,
	.resize = console_resize,
};

/* ---- the device ---- */

static void virtio_console_reset(struct virtio_device *dev)
{
	struct virtio_console *console = (struct virtio_console *)dev;

	if (!console->sending)
		return;
	console->sending = false;
	virtq_push(dev, TRANSMIT, &console->out, 0);
}

static void virtio_console_config_read(
	struct virtio_device *dev, unsigned offset, void *data, unsigned size)
{
	const struct virtio_console *console = (struct virtio_console *)dev;
	struct virtio_console_config config = {
		.cols = console->columns, .rows = console->rows, .max_nr_ports = 1};

	memcpy(data, (uint8_t *)&config + offset, size);
}

/* Emergency write (5.3.4): one byte, before there is a driver; lost if it cannot go at once. */
static void virtio_console_config_write(
	struct virtio_device *dev, unsigned offset, const void *data, unsigned size)
{
	struct virtio_console *console = (struct virtio_console *)dev;

	if (offset == offsetof(struct virtio_console_config, emerg_wr))
		chardev_write(console->chardev, data, 1);
}

static const struct virtio_ops virtio_console_ops = {
	.name = "virtio-console",
	.id = VIRTIO_ID_CONSOLE,
	.class_code = 0x078000,
	.config_size = sizeof(struct virtio_console_config),
	.config_read = virtio_console_config_read,
	.config_write = virtio_console_config_write,
	.kick = virtio_console_kick,
	.reset = virtio_console_reset,
};

struct virtio_console *virtio_console_new(const struct virtio_env *env, struct chardev *chardev)
{
	struct virtio_console *console = g_new0(struct virtio_console, 1);

	console->chardev = chardev;
	console->columns = 80;
	console->rows = 25;
	virtio_device_init(&console->dev, &virtio_console_ops, env,
		1ull << VIRTIO_CONSOLE_F_SIZE | 1ull << VIRTIO_CONSOLE_F_EMERG_WRITE);
	virtio_add_queue(&console->dev, QUEUE_SIZE);
	virtio_add_queue(&console->dev, QUEUE_SIZE);
	chardev_connect(chardev, &console_client, console);
	return console;
}

void virtio_console_free(struct virtio_console *console)
{
	if (!console)
		return;
	chardev_connect(console->chardev, NULL, NULL);
	g_free(console);
}

struct virtio_device *virtio_console_device(struct virtio_console *console)
{
	return &console->dev;
}
