// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/virtio_console.h"

#include <glib.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <string.h>

#define QUEUE_SIZE 64
#define CONTROL_PENDING_MAX 64 /* messages that wait for a driver that takes none */

/* 5.3.2: port 0 has queues 0 and 1, control 2 and 3, port n from 1 on 2n + 2 and 2n + 3. */
enum {
	CONTROL_RECEIVE = 2,
	CONTROL_TRANSMIT = 3,
};

struct port {
	struct virtio_console *console;
	unsigned id;
	char *name; /* NULL: the console */
	struct chardev *chardev;
	bool open;    /* the guest has it open; the console always is */
	bool refused; /* the host side waits */
	bool sending; /* out is being sent, out_done bytes are gone */
	uint64_t out_done;
	uint64_t out_skip; /* after a load: so many bytes of the next are gone already */
	struct virtq_chain out;
};

struct virtio_console {
	struct virtio_device dev;
	unsigned port_count;
	struct port ports[VIRTIO_CONSOLE_PORTS];
	uint16_t columns, rows;
	GQueue control; /* GBytes for the driver, the oldest first */
	struct virtq_chain chain;
};

static unsigned port_receive_queue(const struct port *port)
{
	return port->id ? 2 * port->id + 2 : 0;
}

static unsigned port_transmit_queue(const struct port *port)
{
	return port_receive_queue(port) + 1;
}

static bool console_multiport(const struct virtio_console *console)
{
	return virtio_has(&console->dev, 1ull << VIRTIO_CONSOLE_F_MULTIPORT);
}

/* ---- from the guest ---- */

/* Hands on what is left of the chain; true when all is gone. */
static bool port_send(struct port *port)
{
	uint64_t skip = port->out_done;

	for (unsigned i = 0; i < port->out.out_count; i++) {
		const struct iovec *segment = &port->out.segment[i];
		size_t length = segment->iov_len - MIN(skip, segment->iov_len), taken;

		if (!length) {
			skip -= segment->iov_len;
			continue;
		}
		taken = chardev_write(port->chardev, (uint8_t *)segment->iov_base + skip, length);
		port->out_done += taken;
		if (taken < length)
			return false;
		skip = 0;
	}
	return true;
}

static bool port_next(struct port *port)
{
	if (port->sending)
		return true;
	port->sending = virtq_pop(&port->console->dev, port_transmit_queue(port), &port->out);
	port->out_done = port->sending ? port->out_skip : 0;
	if (port->sending)
		port->out_skip = 0;
	return port->sending;
}

static void port_transmit(struct port *port)
{
	struct virtio_device *dev = &port->console->dev;
	unsigned queue = port_transmit_queue(port);

	do {
		while (port_next(port)) {
			if (!port_send(port))
				goto out; /* goes on in writable() */
			port->sending = false;
			virtq_push(dev, queue, &port->out, 0);
		}
	} while (virtq_want_kicks(dev, queue, true));
out:
	virtq_notify(dev, queue);
}

static void port_writable(void *device)
{
	port_transmit(device);
}

/* ---- to the guest ---- */

static size_t port_receive(void *device, const void *data, size_t length)
{
	struct port *port = device;
	struct virtio_device *dev = &port->console->dev;
	struct virtq_chain *chain = &port->console->chain;
	unsigned queue = port_receive_queue(port);
	size_t done = 0;

	while (port->open && done < length) {
		uint64_t part;

		if (!virtq_pop(dev, queue, chain)) {
			if (virtq_want_kicks(dev, queue, true))
				continue;
			break;
		}
		part = virtq_chain_write(chain, 0, (const uint8_t *)data + done, length - done);
		virtq_push(dev, queue, chain, part);
		done += part;
	}
	port->refused = done < length;
	virtq_notify(dev, queue);
	return done;
}

static void port_resume(struct port *port)
{
	if (!port->refused || !port->open)
		return;
	port->refused = false;
	chardev_resume(port->chardev);
}

/* ---- control: 5.3.6.2 ---- */

/* Gives the driver the messages that wait, as far as it has buffers. */
static void control_flush(struct virtio_console *console)
{
	struct virtio_device *dev = &console->dev;

	while (!g_queue_is_empty(&console->control)) {
		g_autoptr(GBytes) message = NULL;
		uint64_t written;

		if (!virtq_pop(dev, CONTROL_RECEIVE, &console->chain)) {
			if (virtq_want_kicks(dev, CONTROL_RECEIVE, true))
				continue;
			break;
		}
		message = g_queue_pop_head(&console->control);
		written = virtq_chain_write(&console->chain, 0, g_bytes_get_data(message, NULL),
			g_bytes_get_size(message));
		virtq_push(dev, CONTROL_RECEIVE, &console->chain, written);
	}
	virtq_notify(dev, CONTROL_RECEIVE);
}

static void control_send(struct virtio_console *console, unsigned port, uint16_t event,
	uint16_t value, const void *extra, size_t length)
{
	struct virtio_console_control head = {.id = port, .event = event, .value = value};
	GByteArray *message = g_byte_array_new();

	g_byte_array_append(message, (const uint8_t *)&head, sizeof(head));
	g_byte_array_append(message, extra, length);
	if (console->control.length >= CONTROL_PENDING_MAX)
		g_bytes_unref(g_queue_pop_head(&console->control));
	g_queue_push_tail(&console->control, g_byte_array_free_to_bytes(message));
	control_flush(console);
}

static void control_send_size(struct virtio_console *console)
{
	/* Linux took them the other way round before 6.15 and its stable kernels of that time. */
	const uint16_t size[] = {console->columns, console->rows};

	control_send(console, 0, VIRTIO_CONSOLE_RESIZE, 0, size, sizeof(size));
}

static void control_port_ready(struct port *port)
{
	struct virtio_console *console = port->console;

	if (port->name) {
		control_send(console, port->id, VIRTIO_CONSOLE_PORT_NAME, 1, port->name,
			strlen(port->name));
	} else {
		control_send(console, port->id, VIRTIO_CONSOLE_CONSOLE_PORT, 1, NULL, 0);
		control_send_size(console);
	}
	control_send(console, port->id, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL, 0);
}

static void control_handle(
	struct virtio_console *console, const struct virtio_console_control *message)
{
	struct port *port = message->id < console->port_count ? &console->ports[message->id] : NULL;

	if (message->event == VIRTIO_CONSOLE_DEVICE_READY && message->value) {
		for (unsigned i = 0; i < console->port_count; i++)
			control_send(console, i, VIRTIO_CONSOLE_PORT_ADD, 1, NULL, 0);
	} else if (port && message->event == VIRTIO_CONSOLE_PORT_READY && message->value) {
		control_port_ready(port);
	} else if (port && message->event == VIRTIO_CONSOLE_PORT_OPEN) {
		port->open = message->value || !port->name;
		port_resume(port);
	}
}

static void control_transmit(struct virtio_console *console)
{
	struct virtio_device *dev = &console->dev;

	do {
		while (virtq_pop(dev, CONTROL_TRANSMIT, &console->chain)) {
			struct virtio_console_control message;
			uint64_t got =
				virtq_chain_read(&console->chain, 0, &message, sizeof(message));

			virtq_push(dev, CONTROL_TRANSMIT, &console->chain, 0);
			if (got == sizeof(message))
				control_handle(console, &message);
		}
	} while (virtq_want_kicks(dev, CONTROL_TRANSMIT, true));
	virtq_notify(dev, CONTROL_TRANSMIT);
}

/* ---- the device ---- */

static void virtio_console_kick(struct virtio_device *dev, unsigned queue)
{
	struct virtio_console *console = (struct virtio_console *)dev;
	unsigned id = queue < CONTROL_RECEIVE ? 0 : queue / 2 - 1;

	if (queue == CONTROL_RECEIVE)
		control_flush(console);
	else if (queue == CONTROL_TRANSMIT)
		control_transmit(console);
	else if (id >= console->port_count)
		return;
	else if (queue % 2)
		port_transmit(&console->ports[id]);
	else
		port_resume(&console->ports[id]);
}

static void port_resize(void *device, unsigned columns, unsigned rows)
{
	struct port *port = device;
	struct virtio_console *console = port->console;

	if (port->name || (console->columns == columns && console->rows == rows))
		return;
	console->columns = columns;
	console->rows = rows;
	virtio_config_changed(&console->dev);
	if (console_multiport(console))
		control_send_size(console);
}

static const struct chardev_client port_client = {
	.receive = port_receive,
	.writable = port_writable,
	.resize = port_resize,
};

static void control_forget(struct virtio_console *console)
{
	g_queue_clear_full(&console->control, (GDestroyNotify)g_bytes_unref);
}

static void virtio_console_reset(struct virtio_device *dev)
{
	struct virtio_console *console = (struct virtio_console *)dev;

	control_forget(console);
	for (unsigned i = 0; i < console->port_count; i++) {
		struct port *port = &console->ports[i];

		port->open = !port->name;
		port->out_skip = 0;
		if (!port->sending)
			continue;
		port->sending = false;
		virtq_push(dev, port_transmit_queue(port), &port->out, 0);
	}
}

static void virtio_console_config_read(
	struct virtio_device *dev, unsigned offset, void *data, unsigned size)
{
	const struct virtio_console *console = (struct virtio_console *)dev;
	struct virtio_console_config config = {
		.cols = console->columns,
		.rows = console->rows,
		.max_nr_ports = console->port_count,
	};

	memcpy(data, (uint8_t *)&config + offset, size);
}

/* Emergency write (5.3.4): one byte, before there is a driver; lost if it cannot go at once. */
static void virtio_console_config_write(
	struct virtio_device *dev, unsigned offset, const void *data, unsigned size)
{
	struct virtio_console *console = (struct virtio_console *)dev;

	if (offset == offsetof(struct virtio_console_config, emerg_wr))
		chardev_write(console->ports[0].chardev, data, 1);
}

/* ---- saving ---- */

struct console_state {
	uint32_t port_count;
	uint16_t columns, rows;
	uint32_t messages; /* that wait: records of their own */
	bool open[VIRTIO_CONSOLE_PORTS];
	uint64_t sent[VIRTIO_CONSOLE_PORTS]; /* bytes of a chain that is under way */
};

static const struct field console_fields[] = {
	FIELD(struct console_state, port_count),
	FIELD(struct console_state, columns),
	FIELD(struct console_state, rows),
	FIELD_RANGE(struct console_state, messages, 0, CONTROL_PENDING_MAX),
	FIELD_FLAGS(struct console_state, open),
	FIELD_ARRAY(struct console_state, sent),
	FIELD_END,
};

/* Messages of all consoles are numbered through. */
static unsigned message_index(unsigned index, unsigned message)
{
	return index * CONTROL_PENDING_MAX + message;
}

static void virtio_console_save(struct virtio_device *dev, unsigned index, struct state_out *out)
{
	struct virtio_console *console = (struct virtio_console *)dev;
	struct console_state s = {
		.port_count = console->port_count,
		.columns = console->columns,
		.rows = console->rows,
		.messages = console->control.length,
	};

	for (unsigned i = 0; i < console->port_count; i++) {
		const struct port *port = &console->ports[i];

		s.open[i] = port->open;
		s.sent[i] = port->sending ? port->out_done : port->out_skip;
	}
	state_put(out, "console", index, console_fields, &s);
	for (unsigned i = 0; i < s.messages; i++) {
		GBytes *message = g_queue_peek_nth(&console->control, i);

		state_put_bytes(out, "console-message", message_index(index, i),
			g_bytes_get_data(message, NULL), g_bytes_get_size(message));
	}
}

static bool virtio_console_load(
	struct virtio_device *dev, unsigned index, struct state_in *in, GError **error)
{
	struct virtio_console *console = (struct virtio_console *)dev;
	struct console_state s;

	if (!state_get(in, "console", index, console_fields, &s, error))
		return false;
	if (s.port_count != console->port_count)
		return state_foreign("console", index, error);
	console->columns = s.columns;
	console->rows = s.rows;
	for (unsigned i = 0; i < console->port_count; i++) {
		console->ports[i].open = s.open[i];
		console->ports[i].out_skip = s.sent[i];
	}
	control_forget(console);
	for (unsigned i = 0; i < s.messages; i++) {
		GBytes *message =
			state_get_bytes(in, "console-message", message_index(index, i), error);

		if (!message)
			return false;
		g_queue_push_tail(&console->control, message);
	}
	return true;
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
	.save = virtio_console_save,
	.load = virtio_console_load,
};

static void console_add_port(
	struct virtio_console *console, struct chardev *chardev, const char *name)
{
	struct port *port = &console->ports[console->port_count];

	*port = (struct port){
		.console = console,
		.id = console->port_count++,
		.name = g_strdup(name),
		.chardev = chardev,
		.open = !name,
	};
	virtio_add_queue(&console->dev, QUEUE_SIZE);
	virtio_add_queue(&console->dev, QUEUE_SIZE);
	chardev_connect(chardev, &port_client, port);
}

struct virtio_console *virtio_console_new(const struct virtio_env *env, struct chardev *chardev)
{
	struct virtio_console *console = g_new0(struct virtio_console, 1);

	console->columns = 80;
	console->rows = 25;
	g_queue_init(&console->control);
	virtio_device_init(&console->dev, &virtio_console_ops, env,
		1ull << VIRTIO_CONSOLE_F_SIZE | 1ull << VIRTIO_CONSOLE_F_EMERG_WRITE);
	console_add_port(console, chardev, NULL);
	return console;
}

bool virtio_console_add_channel(
	struct virtio_console *console, struct chardev *chardev, const char *name)
{
	if (console->port_count == VIRTIO_CONSOLE_PORTS)
		return false;
	if (console->port_count == 1) {
		console->dev.offered |= 1ull << VIRTIO_CONSOLE_F_MULTIPORT;
		virtio_add_queue(&console->dev, QUEUE_SIZE);
		virtio_add_queue(&console->dev, QUEUE_SIZE);
	}
	console_add_port(console, chardev, name);
	return true;
}

void virtio_console_free(struct virtio_console *console)
{
	if (!console)
		return;
	for (unsigned i = 0; i < console->port_count; i++) {
		chardev_connect(console->ports[i].chardev, NULL, NULL);
		g_free(console->ports[i].name);
	}
	control_forget(console);
	virtio_device_release(&console->dev);
	g_free(console);
}

struct virtio_device *virtio_console_device(struct virtio_console *console)
{
	return &console->dev;
}
