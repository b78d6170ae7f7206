// SPDX-License-Identifier: GPL-3.0-or-later
/* Requests for disks. */
#include <config.h>

#include "engine/vmm/control_plug.h"

#include "engine/vmm/block/limit.h"

#include <glib/gi18n.h>
#include <string.h>

#define SECTOR 512u
/* What a virtio disk can count, in bytes that a JSON number holds. */
#define SIZE_MAX_BYTES ((1ull << 62) - SECTOR)

static void do_plug_disk(struct control_call *call)
{
	control_plug(call, DEVICE_DISK, "disk");
}

static void do_unplug_disk(struct control_call *call)
{
	control_unplug(call, DEVICE_DISK, "disk");
}

static void do_resize_disk(struct control_call *call)
{
	struct device_slot *slot = control_device(call, DEVICE_DISK, "disk");
	GError *error = NULL;
	uint64_t size;

	if (!slot)
		return;
	if (!control_number(call, "size", SECTOR, SIZE_MAX_BYTES, &size, &error))
		control_fail(call, error);
	else if (size % SECTOR)
		control_refuse(call, _("A disk's size must be a multiple of 512 bytes"));
	else if (size < slot->disk->size)
		control_refuse(call, _("A disk cannot be made smaller under its guest"));
	else if (slot->disk->read_only && size > slot->disk->size)
		control_refuse(call, _("A disk that is read-only cannot be grown"));
	else if (!devices_resize_disk(slot, size, &error))
		control_fail(call, error);
	else
		control_done(call);
}

/* Changes a limit by the members "NAME", "NAME_max" and "NAME_max_length". A limit that is taken
 * away takes its burst with it. */
static bool change_limit(
	JsonObject *request, const char *name, struct config_rate *rate, GError **error)
{
	g_autofree char *max = g_strconcat(name, "_max", NULL);
	g_autofree char *length = g_strconcat(name, "_max_length", NULL);
	const char *problem;

	if (!control_amount(request, name, CONFIG_RATE_MAX, &rate->rate, error))
		return false;
	if (!rate->rate)
		rate->max = rate->max_length = 0;
	if (!control_amount(request, max, CONFIG_RATE_MAX, &rate->max, error))
		return false;
	if (!rate->max)
		rate->max_length = 0;
	if (!control_amount(request, length, CONFIG_BURST_SECONDS_MAX, &rate->max_length, error))
		return false;
	problem = config_rate_problem(rate);
	if (problem)
		g_set_error(error, CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_INVALID, "%s: %s", name,
			problem);
	return !problem;
}

static void do_set_disk_limits(struct control_call *call)
{
	struct device_slot *slot = control_device(call, DEVICE_DISK, "disk");
	struct config_rate limits[CONFIG_LIMITS];
	GError *error = NULL;

	if (!slot)
		return;
	memcpy(limits, block_limit_get(slot->disk), sizeof(limits));
	for (unsigned i = 0; i < CONFIG_LIMITS; i++)
		if (!change_limit(
			    control_members(call), config_limit_names[i], &limits[i], &error)) {
			control_fail(call, error);
			return;
		}
	block_limit_set(slot->disk, limits);
	control_done(call);
}

static void add_number(JsonObject *object, const char *name, const char *ending, uint64_t value)
{
	g_autofree char *member = g_strconcat(name, ending, NULL);

	if (value)
		json_object_set_int_member(object, member, (gint64)value);
}

static JsonObject *describe_limits(const struct config_rate *limits)
{
	JsonObject *object = json_object_new();

	for (unsigned i = 0; i < CONFIG_LIMITS; i++) {
		add_number(object, config_limit_names[i], "", limits[i].rate);
		add_number(object, config_limit_names[i], "_max", limits[i].max);
		add_number(object, config_limit_names[i], "_max_length", limits[i].max_length);
	}
	return object;
}

static void do_disks(struct control_call *call)
{
	const GPtrArray *slots = devices_list(machine_parts(control_machine(call))->devices);
	JsonArray *disks = json_array_new();

	for (unsigned i = 0; i < slots->len; i++) {
		const struct device_slot *slot = g_ptr_array_index(slots, i);
		JsonObject *disk;

		if (slot->kind != DEVICE_DISK || !slot->pci)
			continue;
		disk = json_object_new();
		json_object_set_string_member(disk, "disk", slot->name);
		json_object_set_int_member(disk, "size", (gint64)slot->disk->size);
		json_object_set_object_member(
			disk, "limits", describe_limits(block_limit_get(slot->disk)));
		json_array_add_object_element(disks, disk);
	}
	json_object_set_array_member(control_answer(call), "disks", disks);
	control_done(call);
}

const struct control_request control_disk_requests[] = {
	{ "plug-disk", do_plug_disk },
	{ "unplug-disk", do_unplug_disk },
	{ "resize-disk", do_resize_disk },
	{ "set-disk-limits", do_set_disk_limits },
	{ "disks", do_disks },
	{ .name = NULL },
};
