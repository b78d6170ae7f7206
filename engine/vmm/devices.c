// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/devices_private.h"

#include "engine/vmm/block/limit.h"
#include "engine/vmm/dev/pcihp.h"
#include "engine/vmm/dev/virtio_balloon.h"
#include "engine/vmm/dev/virtio_mem.h"
#include "engine/vmm/memplug.h"
#include "engine/vmm/dev/virtio_block.h"
#include "engine/vmm/dev/virtio_net.h"
#include "engine/vmm/dev/virtio_rng.h"

#include <gio/gio.h>
#include <glib/gi18n.h>

/* Between two events "io-error" of a disk. */
#define ERROR_PAUSE_S 1

/* ---- slots ------------------------------------------------------------------------------------------- */

struct device_slot *devices_add(struct devices *devices, enum device_kind kind, char *name)
{
	struct device_slot *slot = g_new0(struct device_slot, 1);

	slot->devices = devices;
	slot->kind = kind;
	slot->name = name;
	g_mutex_lock(&devices->parts->lock->mutex);
	g_ptr_array_add(devices->slots, slot);
	g_mutex_unlock(&devices->parts->lock->mutex);
	return slot;
}

bool devices_plug_slot(struct device_slot *slot, unsigned pci_slot, struct virtio_device *virtio,
	void *device, void (*free_device)(void *device), GError **error)
{
	slot->virtio = virtio;
	slot->device = device;
	slot->free_device = free_device;
	g_mutex_lock(&slot->devices->parts->lock->mutex);
	slot->pci = virtio_pci_new(slot->devices->parts->pci, pci_slot, virtio, error);
	g_mutex_unlock(&slot->devices->parts->lock->mutex);
	return slot->pci != NULL;
}

static void ask_no_more(struct device_slot *slot)
{
	if (slot->unplugged_free)
		slot->unplugged_free(slot->unplugged_data);
	slot->unplugged = NULL;
	slot->unplugged_data = NULL;
	slot->unplugged_free = NULL;
}

static void free_slot(struct device_slot *slot)
{
	struct devices *devices = slot->devices;

	if (slot->disk)
		block_drain(slot->disk);
	g_mutex_lock(&devices->parts->lock->mutex);
	g_ptr_array_remove(devices->slots, slot);
	if (slot->pci)
		virtio_pci_free(slot->pci);
	if (slot->device)
		slot->free_device(slot->device);
	net_free(slot->net);
	g_mutex_unlock(&devices->parts->lock->mutex);
	block_free(slot->disk);
	for (unsigned i = 0; i < G_N_ELEMENTS(slot->consoles); i++)
		host_chardev_free(slot->consoles[i]);
	stats_remove_disk(slot->disk_stats);
	stats_remove_nic(slot->nic_stats);
	ask_no_more(slot);
	if (slot->tray_free)
		slot->tray_free(slot->tray_data);
	config_free(slot->own_config);
	g_free(slot->xml);
	g_free(slot->name);
	g_free(slot);
}

const GPtrArray *devices_list(const struct devices *devices)
{
	return devices->slots;
}

struct device_slot *devices_find(
	const struct devices *devices, enum device_kind kind, const char *name)
{
	for (unsigned i = 0; i < devices->slots->len; i++) {
		struct device_slot *slot = g_ptr_array_index(devices->slots, i);

		if (slot->kind == kind && slot->pci && g_ascii_strcasecmp(slot->name, name) == 0)
			return slot;
	}
	return NULL;
}

/* ---- notices: from other threads to the main one ---------------------------------------------------- */

struct notice {
	struct device_slot *slot;
	enum notice_kind kind;
	bool write;
	char *detail;
};

static void notice_free(void *data)
{
	struct notice *notice = data;

	g_free(notice->detail);
	g_free(notice);
}

void devices_notice(struct device_slot *slot, enum notice_kind kind, bool write, char *detail)
{
	struct notice *notice = g_new(struct notice, 1);

	*notice = (struct notice){ slot, kind, write, detail };
	g_async_queue_push(slot->devices->notices, notice);
	g_source_set_ready_time(slot->devices->wake, 0);
}

static void tell(const struct device_slot *slot, const char *event, const char *detail,
	JsonObject *fields)
{
	machine_notify(slot->devices->parts->machine, event, detail, fields);
}

static void tell_device(const struct device_slot *slot, const char *event)
{
	JsonObject *fields = json_object_new();

	json_object_set_string_member(fields, "device", slot->name);
	tell(slot, event, NULL, fields);
}

/* The guest has let the slot's device go: the rest of it goes too. */
static void remove_slot(struct device_slot *slot)
{
	void (*unplugged)(struct device_slot *slot, bool refused, void *data) = slot->unplugged;

	tell_device(slot, "device-removed");
	slot->unplugged = NULL;
	if (unplugged)
		unplugged(slot, false, slot->unplugged_data);
	if (slot->tray)
		slot->tray(slot, true, slot->tray_data);
	free_slot(slot);
}

static void refuse_slot(struct device_slot *slot)
{
	void (*unplugged)(struct device_slot *slot, bool refused, void *data) = slot->unplugged;

	slot->leaving = false;
	slot->unplugged = NULL;
	tell_device(slot, "unplug-refused");
	if (unplugged)
		unplugged(slot, true, slot->unplugged_data);
	ask_no_more(slot);
}

/* A guest that tries again and again is no reason to tell all of it. */
static void tell_error(struct device_slot *slot, const struct notice *notice)
{
	gint64 now = g_get_monotonic_time();
	JsonObject *fields;

	if (slot->error_told && now - slot->error_told < ERROR_PAUSE_S * G_TIME_SPAN_SECOND)
		return;
	slot->error_told = now;
	fields = json_object_new();
	json_object_set_string_member(fields, "disk", slot->name);
	json_object_set_boolean_member(fields, "write", notice->write);
	tell(slot, "io-error", notice->detail, fields);
}

/* Stands still for requests that are kept; if the guest goes on already, they are under way. */
static void stop_for(const struct device_slot *slot)
{
	struct machine *machine = slot->devices->parts->machine;
	bool kept;

	/* A drive keeps none. */
	if (slot->drive)
		return;
	g_mutex_lock(&slot->devices->parts->lock->mutex);
	kept = virtio_block_kept(slot->device);
	g_mutex_unlock(&slot->devices->parts->lock->mutex);
	if (kept)
		machine_pause(machine);
}

/* A guest may have moved it several times since. */
void devices_tell_tray(struct device_slot *slot)
{
	bool open = devices_tray(slot).open;
	JsonObject *fields;

	if (slot->tray_told == open)
		return;
	slot->tray_told = open;
	fields = json_object_new();
	json_object_set_string_member(fields, "disk", slot->name);
	json_object_set_boolean_member(fields, "open", open);
	tell(slot, "tray", NULL, fields);
}

static void tray_moved(struct device_slot *slot)
{
	devices_tell_tray(slot);
	if (slot->tray)
		slot->tray(slot, false, slot->tray_data);
}

static void see_to(struct devices *devices, const struct notice *notice)
{
	struct device_slot *slot = notice->slot;

	/* It may have gone meanwhile, and another be at its address. */
	if (!g_ptr_array_find(devices->slots, slot, NULL))
		return;
	switch (notice->kind) {
	case NOTICE_EJECTED:
		if (!slot->pci)
			remove_slot(slot);
		break;
	case NOTICE_REFUSED:
		if (slot->pci && slot->leaving)
			refuse_slot(slot);
		break;
	case NOTICE_ERROR:
		if (slot->disk)
			tell_error(slot, notice);
		break;
	case NOTICE_STOP:
		if (slot->disk)
			stop_for(slot);
		break;
	case NOTICE_TRAY:
		if (slot->drive && slot->device)
			tray_moved(slot);
		break;
	}
}

static gboolean notices_due(void *data)
{
	struct devices *devices = data;
	struct notice *notice;

	while ((notice = g_async_queue_try_pop(devices->notices))) {
		see_to(devices, notice);
		notice_free(notice);
	}
	return G_SOURCE_CONTINUE;
}

static gboolean dispatch_wake(GSource *source, GSourceFunc callback, void *data)
{
	g_source_set_ready_time(source, -1);
	return callback(data);
}

static GSourceFuncs wake_funcs = { .dispatch = dispatch_wake };

/* ---- coming and going -------------------------------------------------------------------------------- */

static struct device_slot *slot_at(const struct devices *devices, unsigned pci_slot)
{
	for (unsigned i = 0; i < devices->slots->len; i++) {
		struct device_slot *slot = g_ptr_array_index(devices->slots, i);

		if (slot->pci && virtio_pci_slot(slot->pci) == pci_slot)
			return slot;
	}
	return NULL;
}

/* In a vCPU's thread, lock held. The device can be freed only by the main thread: its requests are
 * waited for. The guest sees it gone at once. */
static void ejected(void *data, unsigned pci_slot)
{
	struct device_slot *slot = slot_at(data, pci_slot);

	/* A guest that lets go of its memory balloon gets none back. */
	if (!slot || (slot->kind != DEVICE_DISK && slot->kind != DEVICE_NIC))
		return;
	virtio_set_status(slot->virtio, 0);
	virtio_pci_free(slot->pci);
	slot->pci = NULL;
	devices_notice(slot, NOTICE_EJECTED, false, NULL);
}

static void refused(void *data, unsigned pci_slot)
{
	struct device_slot *slot = slot_at(data, pci_slot);

	if (slot)
		devices_notice(slot, NOTICE_REFUSED, false, NULL);
}

static const struct pcihp_ops pcihp_ops = {
	.ejected = ejected,
	.refused = refused,
};

static bool make_plugged(struct device_slot *slot, unsigned pci_slot, int fd, GError **error)
{
	const struct machine_config *config = slot->own_config;

	if (slot->kind == DEVICE_DISK)
		return disk_make(slot, g_ptr_array_index(config->disks, 0), pci_slot, fd, error);
	return nic_make(slot, g_ptr_array_index(config->nets, 0), pci_slot, fd, error);
}

struct device_slot *devices_plug(struct devices *devices, struct machine_config *config,
	const char *xml, unsigned pci_slot, int fd, GError **error)
{
	bool disk = config->disks->len;
	enum device_kind kind = disk ? DEVICE_DISK : DEVICE_NIC;
	char *name = disk
		? g_strdup(((struct config_disk *)g_ptr_array_index(config->disks, 0))->target)
		: config_net_name(g_ptr_array_index(config->nets, 0));
	struct device_slot *slot = devices_add(devices, kind, name);

	slot->own_config = config;
	slot->xml = g_strdup(xml);
	if (!make_plugged(slot, pci_slot, fd, error)) {
		free_slot(slot);
		return NULL;
	}
	g_mutex_lock(&devices->parts->lock->mutex);
	if (clock_ns(devices->parts->clock))
		virtio_pci_clear_bars(slot->pci);
	pcihp_plugged(devices->pcihp, virtio_pci_slot(slot->pci));
	g_mutex_unlock(&devices->parts->lock->mutex);
	tell_device(slot, "device-added");
	return slot;
}

void devices_ask(struct device_slot *slot)
{
	slot->leaving = true;
	g_mutex_lock(&slot->devices->parts->lock->mutex);
	if (slot->pci)
		pcihp_ask(slot->devices->pcihp, virtio_pci_slot(slot->pci));
	g_mutex_unlock(&slot->devices->parts->lock->mutex);
}

struct pcihp *devices_hotplug(const struct devices *devices)
{
	return devices->pcihp;
}

void devices_drop(struct device_slot *slot)
{
	free_slot(slot);
}

bool devices_resize_disk(struct device_slot *slot, uint64_t size, GError **error)
{
	GError *problem = NULL;

	if (size > slot->disk->size && !block_resize(slot->disk, size, &problem)) {
		if (problem)
			g_propagate_error(error, problem);
		else
			g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
				_("Disk '%s' cannot be grown"), slot->name);
		return false;
	}
	if (!slot->disk->ops->refresh(slot->disk, error))
		return false;
	g_mutex_lock(&slot->devices->parts->lock->mutex);
	virtio_block_resized(slot->device);
	g_mutex_unlock(&slot->devices->parts->lock->mutex);
	return true;
}

/* ---- the definition's devices ------------------------------------------------------------------------ */

bool devices_open_chardev(struct devices *devices, const struct config_chardev *config,
	struct host_chardev **host, GError **error)
{
	bool terminal = devices->seat.wanted && !devices->seat_taken &&
		(config->kind == CONFIG_CHARDEV_PTY || config->kind == CONFIG_CHARDEV_STDIO);

	if (!terminal) {
		*host = host_chardev_new(config, devices->parts->context, devices->parts->lock, error);
		return *host != NULL;
	}
	*host = host_chardev_new_stdio(config, devices->parts->context, devices->parts->lock, error);
	if (!*host)
		return false;
	devices->seat_taken = true;
	if (devices->seat.filter)
		host_chardev_set_filter(*host, devices->seat.filter,
			devices->seat.data);
	return true;
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

static bool add_channels(struct devices *devices, struct device_slot *slot, unsigned index,
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
	struct device_slot *slot =
		devices_add(devices, DEVICE_CONSOLE, g_strdup_printf("console%u", index));
	struct virtio_console *console;

	if (port && !devices_open_chardev(devices, &port->chardev, &slot->consoles[0], error))
		return false;
	console = virtio_console_new(&devices->env,
		slot->consoles[0] ? host_chardev_base(slot->consoles[0]) : NULL);
	slot->device = console;
	slot->free_device = free_console;
	return add_channels(devices, slot, index, console, error) &&
		devices_plug_slot(slot, 0, virtio_console_device(console), console, free_console,
			error);
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
	struct virtio_balloon *balloon = 
		virtio_balloon_new(&devices->env, config->balloon_deflate_on_oom);
	struct device_slot *slot = devices_add(devices, DEVICE_BALLOON, g_strdup("balloon"));

	virtio_balloon_set_target(balloon,
		(uint32_t)((config->memory - config->memory_current) >> MEMORY_PAGE_SHIFT));
	virtio_balloon_set_period(balloon, config->balloon_period * CLOCK_HZ);
	return devices_plug_slot(
		slot, 0, virtio_balloon_device(balloon), balloon, free_balloon, error);
}

static void free_memory(void *device)
{
	virtio_mem_free(device);
}

static bool add_memory(struct devices *devices, unsigned index, GError **error)
{
	const struct machine_config *config = devices->parts->config;
	const struct config_memory *memory = g_ptr_array_index(config->memories, index);
	const struct virtio_mem_place place = memplug_place(config, index);
	struct virtio_mem *mem = virtio_mem_new(&devices->env, &place);
	struct device_slot *slot = devices_add(devices, DEVICE_MEMORY, g_strdup(memory->alias));

	virtio_mem_request(mem, memory->requested);
	return devices_plug_slot(slot, 0, virtio_mem_device(mem), mem, free_memory, error);
}

static void free_rng(void *device)
{
	virtio_rng_free(device);
}

static bool add_rng(struct devices *devices, unsigned index, GError **error)
{
	struct virtio_rng *rng = virtio_rng_new(&devices->env);
	struct device_slot *slot =
		devices_add(devices, DEVICE_RNG, g_strdup_printf("rng%u", index));

	return devices_plug_slot(slot, 0, virtio_rng_device(rng), rng, free_rng, error);
}

static bool add_disk(struct devices *devices, const struct config_disk *config, GError **error)
{
	struct device_slot *slot = devices_add(devices, DEVICE_DISK, g_strdup(config->target));

	return disk_make(slot, config, 0, -1, error);
}

static bool add_nic(struct devices *devices, const struct config_net *config, GError **error)
{
	struct device_slot *slot = devices_add(devices, DEVICE_NIC, config_net_name(config));

	return nic_make(slot, config, 0, -1, error);
}

bool devices_make(struct devices *devices, GError **error)
{
	const struct machine_config *config = devices->parts->config;

	for (unsigned i = 0; i < config->disks->len; i++)
		if (!add_disk(devices, g_ptr_array_index(config->disks, i), error))
			return false;
	for (unsigned i = 0; i < config->nets->len; i++)
		if (!add_nic(devices, g_ptr_array_index(config->nets, i), error))
			return false;
	if (!add_consoles(devices, error))
		return false;
	if (config->balloon && !add_balloon(devices, error))
		return false;
	for (unsigned i = 0; i < config->rngs; i++)
		if (!add_rng(devices, i, error))
			return false;
	for (unsigned i = 0; i < config->memories->len; i++)
		if (!add_memory(devices, i, error))
			return false;
	return true;
}

/* ---- all of them --------------------------------------------------------------------------------------- */

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
	devices->slots = g_ptr_array_new();
	devices->notices = g_async_queue_new_full(notice_free);
	devices->wake = g_source_new(&wake_funcs, sizeof(GSource));
	g_source_set_callback(devices->wake, notices_due, devices, NULL);
	g_source_attach(devices->wake, parts->context);
	devices->pcihp = pcihp_new(parts->ports, parts->pm, &pcihp_ops, devices);
	return devices;
}

void devices_free(struct devices *devices)
{
	if (!devices)
		return;
	while (devices->slots->len)
		free_slot(g_ptr_array_index(devices->slots, 0));
	pcihp_free(devices->pcihp);
	g_source_destroy(devices->wake);
	g_source_unref(devices->wake);
	g_async_queue_unref(devices->notices);
	g_ptr_array_free(devices->slots, TRUE);
	g_free(devices);
}

void devices_drain(struct devices *devices)
{
	for (unsigned i = 0; i < devices->slots->len; i++) {
		struct device_slot *slot = g_ptr_array_index(devices->slots, i);

		if (slot->disk)
			block_drain(slot->disk);
	}
}

void devices_reset(struct devices *devices)
{
	devices_drain(devices);
	g_mutex_lock(&devices->parts->lock->mutex);
	pcihp_reset(devices->pcihp);
	g_mutex_unlock(&devices->parts->lock->mutex);
	for (unsigned i = devices->slots->len; i-- > 0;) {
		struct device_slot *slot = g_ptr_array_index(devices->slots, i);

		if (slot->leaving)
			remove_slot(slot);
	}
}

void devices_resume(struct devices *devices)
{
	g_mutex_lock(&devices->parts->lock->mutex);
	for (unsigned i = 0; i < devices->slots->len; i++) {
		struct device_slot *slot = g_ptr_array_index(devices->slots, i);

		slot->error_told = 0;
		/* Of a guest that was saved it may not be where the definition has it. */
		if (slot->drive)
			devices_notice(slot, NOTICE_TRAY, false, NULL);
		if (slot->kind == DEVICE_DISK && slot->device && !slot->drive)
			virtio_block_retry(slot->device);
	}
	g_mutex_unlock(&devices->parts->lock->mutex);
}
