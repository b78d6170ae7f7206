// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/devices.h"

#include "engine/vmm/block/raw.h"
#include "engine/vmm/dev/virtio_balloon.h"
#include "engine/vmm/dev/virtio_block.h"
#include "engine/vmm/dev/virtio_console.h"
#include "engine/vmm/dev/virtio_net.h"
#include "engine/vmm/dev/virtio_pci.h"
#include "engine/vmm/dev/virtio_rng.h"
#include "engine/vmm/net/passt.h"
#include "engine/vmm/netargs.h"

/* One virtio device: its host side, the device, and the PCI function it is. free_device and
 * free_host are called with the right pointers at the end. */
struct slot {
	struct virtio_pci *pci;
	struct virtio_device *virtio;
	void *device;
	void (*free_device)(void *device);
	struct block_backend *disk;
	struct net_backend *net;
	struct host_chardev *consoles[VIRTIO_CONSOLE_PORTS];
};

struct devices {
	const struct machine_parts *parts;
	struct virtio_env env;
	struct devices_terminal seat;
	bool seat_taken;
	struct slot slots[CONFIG_DEVICES_MAX];
	unsigned slot_count;
};

bool devices_open_chardev(struct devices *devices, const struct config_chardev *config,
	struct host_chardev **host, GError **error)
{
	bool terminal = devices->seat.wanted && !devices->seat_taken &&
		(config->kind == CONFIG_CHARDEV_PTY || config->kind == CONFIG_CHARDEV_STDIO);

	if (!terminal) {
		*host = host_chardev_new(config, devices->parts->context, devices->parts->lock, error);
		return *host != NULL;
	}
	*host = host_chardev_new_stdio(devices->parts->context, devices->parts->lock, error);
	if (!*host)
		return false;
	devices->seat_taken = true;
	if (devices->seat.filter)
		host_chardev_set_filter(*host, devices->seat.filter,
			devices->seat.data);
	return true;
}

/* Plugs the device of a slot whose host side is open. */
static bool plug(struct devices *devices, struct slot *slot, struct virtio_device *virtio,
	void *device, void (*free_device)(void *device), GError **error)
{
	slot->virtio = virtio;
	slot->device = device;
	slot->free_device = free_device;
	slot->pci = virtio_pci_new(devices->parts->pci, 0, virtio, error);
	return slot->pci != NULL;
}

static struct slot *next_slot(struct devices *devices)
{
	g_assert(devices->slot_count < G_N_ELEMENTS(devices->slots));
	return &devices->slots[devices->slot_count++];
}

static void free_disk(void *device)
{
	virtio_block_free(device);
}

static bool add_disk(struct devices *devices, const struct config_disk *config, GError **error)
{
	struct slot *slot = next_slot(devices);
	struct virtio_block *block;

	slot->disk = block_raw_open(
		&(struct block_raw_config){
			.path = config->path,
			.read_only = config->readonly,
			.shared = config->shareable,
			.discard = config->discard,
		},
		error);
	if (!slot->disk)
		return false;
	block = virtio_block_new(&devices->env, slot->disk, config->serial);
	return plug(devices, slot, virtio_block_device(block), block, free_disk, error);
}

static void free_net(void *device)
{
	virtio_net_free(device);
}

static bool add_net(struct devices *devices, const struct config_net *config, GError **error)
{
	struct slot *slot = next_slot(devices);
	g_auto(GStrv) arguments = netargs_passt(config);
	struct virtio_net *net;

	slot->net = net_passt_new(
		&(struct net_passt_config){
			.arguments = (const char *const *)arguments,
			.mtu = config->mtu,
			.log_path = config->log,
		},
		devices->parts->context, devices->parts->lock, error);
	if (!slot->net)
		return false;
	net = virtio_net_new(&devices->env, config->mac,
		config->mtu ? config->mtu : NET_PASST_MTU, slot->net);
	return plug(devices, slot, virtio_net_device(net), net, free_net, error);
}

static void free_console(void *device)
{
	virtio_console_free(device);
}

/* The index-th port that has (or has not) a name, or NULL. */
static const struct config_port *find_port(const GPtrArray *ports, bool named, unsigned index)
{
	for (unsigned i = 0; i < ports->len; i++) {
		const struct config_port *port = g_ptr_array_index(ports, i);

		if ((port->name != NULL) == named && index-- == 0)
			return port;
	}
	return NULL;
}

/* The channels of the index-th console: it has room for so many. */
#define CHANNELS (VIRTIO_CONSOLE_PORTS - 1)

static bool add_channels(struct devices *devices, struct slot *slot, unsigned index,
	struct virtio_console *console, GError **error)
{
	for (unsigned i = 0; i < CHANNELS; i++) {
		const struct config_port *port =
			find_port(devices->parts->config->ports, true, index * CHANNELS + i);

		if (!port)
			break;
		slot->consoles[1 + i] = host_chardev_new(
			&port->chardev, devices->parts->context, devices->parts->lock, error);
		if (!slot->consoles[1 + i])
			return false;
		virtio_console_add_channel(
			console, host_chardev_base(slot->consoles[1 + i]), port->name);
	}
	return true;
}

/* The index-th console with its channels; either may be missing, not both. */
static bool add_console(struct devices *devices, unsigned index, GError **error)
{
	const struct config_port *port = find_port(devices->parts->config->ports, false, index);
	struct slot *slot = next_slot(devices);
	struct virtio_console *console;

	if (port && !devices_open_chardev(devices, &port->chardev, &slot->consoles[0], error))
		return false;
	console = virtio_console_new(&devices->env,
		slot->consoles[0] ? host_chardev_base(slot->consoles[0]) : NULL);
	slot->device = console;
	slot->free_device = free_console;
	return add_channels(devices, slot, index, console, error) &&
		plug(devices, slot, virtio_console_device(console), console, free_console, error);
}

static bool add_consoles(struct devices *devices, GError **error)
{
	const GPtrArray *ports = devices->parts->config->ports;

	for (unsigned i = 0; find_port(ports, false, i) || find_port(ports, true, i * CHANNELS); i++)
		if (!add_console(devices, i, error))
			return false;
	return true;
}

static void free_balloon(void *device)
{
	virtio_balloon_free(device);
}

static bool add_balloon(struct devices *devices, GError **error)
{
	const struct machine_config *config = devices->parts->config;
	struct virtio_balloon *balloon = virtio_balloon_new(&devices->env);

	virtio_balloon_set_target(balloon,
		(uint32_t)((config->memory - config->memory_current) >> MEMORY_PAGE_SHIFT));
	virtio_balloon_set_period(balloon, config->balloon_period * CLOCK_HZ);
	return plug(devices, next_slot(devices), virtio_balloon_device(balloon), balloon,
		free_balloon, error);
}

static void free_rng(void *device)
{
	virtio_rng_free(device);
}

static bool add_rng(struct devices *devices, GError **error)
{
	struct virtio_rng *rng = virtio_rng_new(&devices->env);

	return plug(devices, next_slot(devices), virtio_rng_device(rng), rng, free_rng, error);
}

bool devices_make(struct devices *devices, GError **error)
{
	const struct machine_config *config = devices->parts->config;

	for (unsigned i = 0; i < config->disks->len; i++)
		if (!add_disk(devices, g_ptr_array_index(config->disks, i), error))
			return false;
	for (unsigned i = 0; i < config->nets->len; i++)
		if (!add_net(devices, g_ptr_array_index(config->nets, i), error))
			return false;
	if (!add_consoles(devices, error))
		return false;
	if (config->balloon && !add_balloon(devices, error))
		return false;
	for (unsigned i = 0; i < config->rngs; i++)
		if (!add_rng(devices, error))
			return false;
	return true;
}

static void free_slot(struct devices *devices, struct slot *slot)
{
	if (slot->disk)
		block_drain(slot->disk);
	g_mutex_lock(&devices->parts->lock->mutex);
	if (slot->pci)
		virtio_pci_free(slot->pci);
	if (slot->device)
		slot->free_device(slot->device);
	net_free(slot->net);
	g_mutex_unlock(&devices->parts->lock->mutex);
	block_free(slot->disk);
	for (unsigned i = 0; i < G_N_ELEMENTS(slot->consoles); i++)
		host_chardev_free(slot->consoles[i]);
}


struct devices *devices_new(const struct machine_parts *parts,
	const struct devices_terminal *terminal, void (*warn)(void *data, const char *message),
	void *warn_data)
{
	struct devices *devices = g_new0(struct devices, 1);

	devices->parts = parts;
	devices->seat = *terminal;
	devices->env = (struct virtio_env){
		.memory = parts->memory,
		.lock = parts->lock,
		.clock = parts->clock,
		.warn = warn,
		.warn_data = warn_data,
	};
	return devices;
}

void devices_free(struct devices *devices)
{
	if (!devices)
		return;
	for (unsigned i = 0; i < devices->slot_count; i++)
		free_slot(devices, &devices->slots[i]);
	g_free(devices);
}

void devices_drain(struct devices *devices)
{
	for (unsigned i = 0; i < devices->slot_count; i++)
		if (devices->slots[i].disk)
			block_drain(devices->slots[i].disk);
}
