// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/save/settings.h"

#include "engine/vmm/block/limit.h"
#include "engine/vmm/clock.h"
#include "engine/vmm/dev/virtio_balloon.h"
#include "engine/vmm/dev/virtio_net.h"
#include "engine/vmm/dev/virtio_pci.h"
#include "engine/vmm/devices.h"
#include "engine/vmm/scheduling.h"

#include <string.h>

#define DIGEST_SIZE 32

struct saved_settings {
	uint8_t definition[DIGEST_SIZE]; /* SHA-256 of what the guest was started with */
	struct config_quota quotas[SCHEDULING_PARTS];
	uint32_t weight;
	uint64_t balloon_period; /* ns */
	/* The emulator's is the last. */
	bool pinned[CONFIG_VCPUS_MAX + 1];
	cpu_set_t pins[CONFIG_VCPUS_MAX + 1];
};

static const struct field quota_fields[] = {
	FIELD_RANGE(struct config_quota, quota_us, 0, CONFIG_QUOTA_MAX_US),
	FIELD_RANGE(struct config_quota, period_us, CONFIG_PERIOD_MIN_US, CONFIG_PERIOD_MAX_US),
	FIELD_END,
};

static const struct field settings_fields[] = {
	FIELD_BYTES(struct saved_settings, definition),
	FIELD_STRUCTS(struct saved_settings, quotas, quota_fields),
	FIELD_RANGE(struct saved_settings, weight, 1, CONFIG_WEIGHT_MAX),
	FIELD_RANGE(struct saved_settings, balloon_period, 0, 1ull << 62),
	FIELD_FLAGS(struct saved_settings, pinned),
	FIELD_BYTES(struct saved_settings, pins),
	FIELD_END,
};

static const struct field rate_fields[] = {
	FIELD_RANGE(struct config_rate, rate, 0, CONFIG_RATE_MAX),
	FIELD_RANGE(struct config_rate, max, 0, CONFIG_RATE_MAX),
	FIELD_RANGE(struct config_rate, max_length, 0, CONFIG_BURST_SECONDS_MAX),
	FIELD_END,
};

struct saved_disk {
	struct config_rate limits[CONFIG_LIMITS];
};

static const struct field disk_fields[] = {
	FIELD_STRUCTS(struct saved_disk, limits, rate_fields),
	FIELD_END,
};

static const struct field bandwidth_fields[] = {
	FIELD_RANGE(struct config_bandwidth, average, 0, CONFIG_BANDWIDTH_MAX),
	FIELD_RANGE(struct config_bandwidth, peak, 0, CONFIG_BANDWIDTH_MAX),
	FIELD_RANGE(struct config_bandwidth, burst, 0, CONFIG_BANDWIDTH_MAX),
	FIELD_END,
};

struct saved_nic {
	struct config_bandwidth inbound, outbound;
};

static const struct field nic_fields[] = {
	FIELD_STRUCT(struct saved_nic, inbound, bandwidth_fields),
	FIELD_STRUCT(struct saved_nic, outbound, bandwidth_fields),
	FIELD_END,
};

static void digest(const struct machine_config *config, uint8_t to[DIGEST_SIZE])
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	size_t size = DIGEST_SIZE;

	if (config->text)
		g_checksum_update(checksum, (const guchar *)config->text, -1);
	g_checksum_get_digest(checksum, to, &size);
}

static struct virtio_balloon *balloon_of(const struct machine_parts *parts)
{
	const struct device_slot *slot = devices_find(parts->devices, DEVICE_BALLOON, "balloon");

	return slot ? slot->device : NULL;
}

/* ---- out ---- */

static void get_pins(const struct scheduling *scheduling, struct saved_settings *saved)
{
	for (unsigned id = 0; id < CONFIG_VCPUS_MAX; id++)
		saved->pinned[id] = scheduling_vcpu_pin(scheduling, id, &saved->pins[id]);
	saved->pinned[CONFIG_VCPUS_MAX] =
		scheduling_emulator_pin(scheduling, &saved->pins[CONFIG_VCPUS_MAX]);
}

static void put_slot(const struct device_slot *slot, struct state_out *out)
{
	struct saved_disk disk;
	struct saved_nic nic;

	if (slot->kind == DEVICE_DISK) {
		memcpy(disk.limits, block_limit_get(slot->disk), sizeof(disk.limits));
		state_put(out, "disk-limits", virtio_pci_slot(slot->pci), disk_fields, &disk);
	} else if (slot->kind == DEVICE_NIC) {
		virtio_net_get_limits(slot->device, &nic.inbound, &nic.outbound);
		state_put(out, "nic-limits", virtio_pci_slot(slot->pci), nic_fields, &nic);
	}
}

bool save_settings(const struct machine_parts *parts, struct state_out *out, GError **error)
{
	const GPtrArray *slots = devices_list(parts->devices);
	const struct virtio_balloon *balloon = balloon_of(parts);
	struct saved_settings saved = {
		.weight = scheduling_weight(parts->scheduling),
		.balloon_period = balloon ? virtio_balloon_period(balloon) : 0,
	};

	digest(parts->config, saved.definition);
	for (unsigned part = 0; part < SCHEDULING_PARTS; part++)
		saved.quotas[part] = *scheduling_quota(parts->scheduling, part);
	get_pins(parts->scheduling, &saved);
	state_put(out, "settings", 0, settings_fields, &saved);
	for (unsigned i = 0; i < slots->len; i++) {
		const struct device_slot *slot = g_ptr_array_index(slots, i);

		if (slot->pci)
			put_slot(slot, out);
	}
	return true;
}

/* ---- in ---- */

static bool set_pins(
	struct scheduling *scheduling, const struct saved_settings *saved, GError **error)
{
	for (unsigned id = 0; id < CONFIG_VCPUS_MAX; id++)
		if (saved->pinned[id] &&
			!scheduling_pin_vcpu(scheduling, id, &saved->pins[id], error))
			return false;
	return !saved->pinned[CONFIG_VCPUS_MAX] ||
	       scheduling_pin_emulator(scheduling, &saved->pins[CONFIG_VCPUS_MAX], error);
}

/* Those that are other ones. */
static bool set_quotas(
	struct scheduling *scheduling, const struct saved_settings *saved, GError **error)
{
	for (unsigned part = 0; part < SCHEDULING_PARTS; part++) {
		const struct config_quota *is = scheduling_quota(scheduling, part);
		const struct config_quota *was = &saved->quotas[part];

		if ((is->quota_us != was->quota_us || is->period_us != was->period_us) &&
			!scheduling_set_quota(scheduling, part, was, error))
			return false;
	}
	return true;
}

static bool set_all(
	const struct machine_parts *parts, const struct saved_settings *saved, GError **error)
{
	struct scheduling *scheduling = parts->scheduling;
	struct virtio_balloon *balloon = balloon_of(parts);

	if (balloon) {
		g_mutex_lock(&parts->lock->mutex);
		virtio_balloon_set_period(balloon, saved->balloon_period);
		g_mutex_unlock(&parts->lock->mutex);
	}
	if (!set_quotas(scheduling, saved, error))
		return false;
	if (saved->weight != scheduling_weight(scheduling) &&
		!scheduling_set_weight(scheduling, saved->weight, error))
		return false;
	return set_pins(scheduling, saved, error);
}

static bool get_disk(
	const struct device_slot *slot, struct state_in *in, bool apply, GError **error)
{
	unsigned index = virtio_pci_slot(slot->pci);
	struct saved_disk disk;

	if (!state_get(in, "disk-limits", index, disk_fields, &disk, error))
		return false;
	for (unsigned i = 0; i < CONFIG_LIMITS; i++)
		if (config_rate_problem(&disk.limits[i]))
			return state_damaged("disk-limits", index, config_limit_names[i], error);
	if (apply)
		block_limit_set(slot->disk, disk.limits);
	return true;
}

static bool get_nic(const struct machine_parts *parts, const struct device_slot *slot,
	struct state_in *in, bool apply, GError **error)
{
	unsigned index = virtio_pci_slot(slot->pci);
	struct saved_nic nic;

	if (!state_get(in, "nic-limits", index, nic_fields, &nic, error))
		return false;
	if (config_bandwidth_problem(&nic.inbound) || config_bandwidth_problem(&nic.outbound))
		return state_damaged("nic-limits", index, "average", error);
	if (!apply)
		return true;
	g_mutex_lock(&parts->lock->mutex);
	virtio_net_set_limits(slot->device, &nic.inbound, &nic.outbound);
	g_mutex_unlock(&parts->lock->mutex);
	return true;
}

bool load_settings(const struct machine_parts *parts, struct state_in *in, GError **error)
{
	const GPtrArray *slots = devices_list(parts->devices);
	uint8_t definition[DIGEST_SIZE];
	struct saved_settings saved;
	bool same;

	if (!state_get(in, "settings", 0, settings_fields, &saved, error))
		return false;
	digest(parts->config, definition);
	same = memcmp(definition, saved.definition, DIGEST_SIZE) == 0;
	for (unsigned i = 0; i < slots->len; i++) {
		const struct device_slot *slot = g_ptr_array_index(slots, i);

		if (slot->kind == DEVICE_DISK && !get_disk(slot, in, same || slot->xml, error))
			return false;
		if (slot->kind == DEVICE_NIC && !get_nic(parts, slot, in, same || slot->xml, error))
			return false;
	}
	return !same || set_all(parts, &saved, error);
}
