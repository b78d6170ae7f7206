// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/save/devlist.h"

#include "engine/vmm/dev/pci.h"
#include "engine/vmm/devices.h"

#include <glib/gi18n.h>
#include <string.h>

/* A device, or one of the definition that has gone (pci_slot is 0). "device-name" and "device-xml"
 * of the same index go with it, and "device-medium": of a CD-ROM drive of the definition "=" and what
 * that has in it, else nothing. */
struct saved_device {
	uint32_t kind;
	uint32_t pci_slot;
};

static const struct field device_fields[] = {
	FIELD_RANGE(struct saved_device, kind, 0, UINT8_MAX),
	FIELD_RANGE(struct saved_device, pci_slot, 0, PCI_SLOTS - 1),
	FIELD_END,
};

struct saved_list {
	uint32_t count;
};

static const struct field list_fields[] = {
	FIELD_RANGE(struct saved_list, count, 0, 4 * PCI_SLOTS),
	FIELD_END,
};

/* ---- out ---- */

/* What the definition has in the drive of this name, as it is saved. */
static char *medium_of(const struct machine_config *config, const char *name)
{
	for (unsigned i = 0; i < config->disks->len; i++) {
		const struct config_disk *disk = g_ptr_array_index(config->disks, i);

		if (disk->cdrom && g_ascii_strcasecmp(disk->target, name) == 0)
			return g_strconcat("=", disk->path, NULL);
	}
	return g_strdup("");
}

static void put_device(const struct machine_config *config, struct state_out *out, unsigned index,
	const struct saved_device *device, const char *name, const char *xml)
{
	g_autofree char *medium = medium_of(config, name);

	state_put(out, "device", index, device_fields, device);
	state_put_bytes(out, "device-name", index, name, strlen(name));
	state_put_bytes(out, "device-xml", index, xml ? xml : "", xml ? strlen(xml) : 0);
	state_put_bytes(out, "device-medium", index, medium, strlen(medium));
}

static void put_present(const struct machine_parts *parts, const struct device_slot *slot,
	struct saved_list *list, struct state_out *out)
{
	struct saved_device device = {.kind = slot->kind};

	/* The guest has let it go already. */
	if (!slot->pci)
		return;
	device.pci_slot = virtio_pci_slot(slot->pci);
	put_device(parts->config, out, list->count++, &device, slot->name, slot->xml);
}

static void put_gone(const struct machine_parts *parts, enum device_kind kind, const char *name,
	struct saved_list *list, struct state_out *out)
{
	if (!devices_find(parts->devices, kind, name))
		put_device(parts->config, out, list->count++, &(struct saved_device){.kind = kind},
			name, NULL);
}

bool save_devices(const struct machine_parts *parts, struct state_out *out, GError **error)
{
	const GPtrArray *slots = devices_list(parts->devices);
	const struct machine_config *config = parts->config;
	struct saved_list list = {0};

	for (unsigned i = 0; i < slots->len; i++)
		put_present(parts, g_ptr_array_index(slots, i), &list, out);
	for (unsigned i = 0; i < config->disks->len; i++)
		put_gone(parts, DEVICE_DISK,
			((struct config_disk *)g_ptr_array_index(config->disks, i))->target, &list,
			out);
	for (unsigned i = 0; i < config->nets->len; i++) {
		g_autofree char *name = config_net_name(g_ptr_array_index(config->nets, i));

		put_gone(parts, DEVICE_NIC, name, &list, out);
	}
	state_put(out, "devices", 0, list_fields, &list);
	return true;
}

/* ---- in ---- */

struct loaded {
	struct saved_device device;
	char *name, *xml, *medium;
};

static void loaded_free(void *data)
{
	struct loaded *loaded = data;

	g_free(loaded->name);
	g_free(loaded->xml);
	g_free(loaded->medium);
	g_free(loaded);
}

static bool get_device(struct state_in *in, unsigned index, GPtrArray *list, GError **error)
{
	struct loaded *loaded = g_new0(struct loaded, 1);

	g_ptr_array_add(list, loaded);
	if (!state_get(in, "device", index, device_fields, &loaded->device, error))
		return false;
	loaded->name = state_get_text(in, "device-name", index, error);
	loaded->xml = loaded->name ? state_get_text(in, "device-xml", index, error) : NULL;
	loaded->medium = loaded->xml ? state_get_text(in, "device-medium", index, error) : NULL;
	return loaded->medium != NULL;
}

static bool get_list(struct state_in *in, GPtrArray *list, GError **error)
{
	struct saved_list saved;
	uint32_t taken = 1;

	if (!state_get(in, "devices", 0, list_fields, &saved, error))
		return false;
	for (unsigned i = 0; i < saved.count; i++) {
		const struct loaded *loaded;

		if (!get_device(in, i, list, error))
			return false;
		loaded = g_ptr_array_index(list, i);
		if (loaded->device.pci_slot && taken >> loaded->device.pci_slot & 1)
			return state_damaged("device", i, "pci_slot", error);
		if (loaded->device.pci_slot)
			taken |= 1u << loaded->device.pci_slot;
	}
	return true;
}

static const struct loaded *find(const GPtrArray *list, const struct device_slot *slot)
{
	for (unsigned i = 0; i < list->len; i++) {
		const struct loaded *loaded = g_ptr_array_index(list, i);

		if (loaded->device.kind == slot->kind &&
			g_ascii_strcasecmp(loaded->name, slot->name) == 0)
			return loaded;
	}
	return NULL;
}

/* Takes all out of their slots; those that had gone, for good. */
static bool clear_slots(const struct machine_parts *parts, const GPtrArray *list, GError **error)
{
	const GPtrArray *slots = devices_list(parts->devices);

	for (unsigned i = slots->len; i-- > 0;) {
		struct device_slot *slot = g_ptr_array_index(slots, i);
		const struct loaded *loaded = find(list, slot);

		if (!loaded) {
			g_set_error(error, STATE_ERROR, STATE_ERROR_FOREIGN,
				_("the guest had no device '%s' when it was saved"), slot->name);
			return false;
		}
		if (!loaded->device.pci_slot) {
			devices_drop(slot);
			continue;
		}
		g_mutex_lock(&parts->lock->mutex);
		virtio_pci_unplug(slot->pci);
		g_mutex_unlock(&parts->lock->mutex);
	}
	return true;
}

static bool plug_anew(
	const struct machine_parts *parts, const struct loaded *loaded, GError **error)
{
	struct machine_config *config;

	if (!*loaded->xml) {
		g_set_error(error, STATE_ERROR, STATE_ERROR_FOREIGN,
			_("the guest had the device '%s' when it was saved, which it has not now"),
			loaded->name);
		return false;
	}
	config = config_read_device(loaded->xml, strlen(loaded->xml), parts->config->name, error);
	return config && devices_plug(parts->devices, config, loaded->xml, loaded->device.pci_slot,
				 -1, error);
}

/* The element's only disk, or NULL. */
static const struct config_disk *only_disk(const struct machine_config *config)
{
	return config && config->disks->len ? g_ptr_array_index(config->disks, 0) : NULL;
}

/* The guest had been given another medium than the definition has. A definition that has changed
 * since says itself which it wants. */
static bool change_medium(const struct machine_parts *parts, const struct loaded *loaded,
	struct device_slot *slot, GError **error)
{
	const char *path = slot->disk_config->path;
	g_autofree char *before = medium_of(parts->config, slot->name);
	struct block_backend *medium = NULL;
	struct machine_config *config;
	const struct config_disk *disk;
	bool right;

	if (!*loaded->xml || strcmp(loaded->medium, before) != 0)
		return true;
	config = config_read_device(
		loaded->xml, strlen(loaded->xml), parts->config->name, error);
	disk = only_disk(config);
	right = disk && g_strcmp0(disk->path, path) == 0;
	if (config && !disk)
		state_damaged("device-xml", 0, "disk", error);
	if (disk && !right)
		medium = devices_open_medium(slot, config, -1, error);
	if (medium)
		devices_change_medium(slot, medium, config, loaded->xml);
	else
		config_free(config);
	return right || medium;
}

/* Its place is free: none other is in it yet. */
static bool put_back(const struct machine_parts *parts, const struct loaded *loaded, GError **error)
{
	struct device_slot *slot =
		devices_find(parts->devices, (enum device_kind)loaded->device.kind, loaded->name);
	bool ok;

	if (!loaded->device.pci_slot)
		return true;
	if (!slot)
		return plug_anew(parts, loaded, error);
	if (slot->drive && !change_medium(parts, loaded, slot, error))
		return false;
	g_mutex_lock(&parts->lock->mutex);
	ok = virtio_pci_plug(slot->pci, parts->pci, loaded->device.pci_slot);
	g_mutex_unlock(&parts->lock->mutex);
	if (!ok)
		state_damaged("devices", 0, "pci_slot", error);
	return ok;
}

bool load_devices(const struct machine_parts *parts, struct state_in *in, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(loaded_free);

	if (!get_list(in, list, error) || !clear_slots(parts, list, error))
		return false;
	for (unsigned i = 0; i < list->len; i++)
		if (!put_back(parts, g_ptr_array_index(list, i), error))
			return false;
	return true;
}

void save_plugged(struct state_in *in, void (*learn)(void *data, const char *xml), void *data)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(loaded_free);

	if (!get_list(in, list, NULL))
		return;
	for (unsigned i = 0; i < list->len; i++) {
		const struct loaded *loaded = g_ptr_array_index(list, i);

		if (loaded->device.pci_slot && *loaded->xml)
			learn(data, loaded->xml);
	}
}
