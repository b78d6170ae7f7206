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
	if (slot->drive)
		control_refuse(call, _("The medium of a CD-ROM drive cannot be resized"));
	else if (!control_number(call, "size", SECTOR, SIZE_MAX_BYTES, &size, &error))
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

/* ---- media ---------------------------------------------------------------------------------------------- */

/* A medium on its way into a drive. */
struct change {
	struct control_call *call;
	struct machine_config *config;
	char *xml;
	struct block_backend *medium;
};

static void free_change(void *data)
{
	struct change *change = data;

	block_free(change->medium);
	config_free(change->config);
	g_free(change->xml);
	g_free(change);
}

/* Nobody waits for the guest any more. */
static struct change *take_change(struct device_slot *slot)
{
	struct change *change = slot->tray_data;

	slot->tray = NULL;
	slot->tray_data = NULL;
	slot->tray_free = NULL;
	return change;
}

/* The tray is open. */
static void carry_out(struct device_slot *slot, struct change *change)
{
	devices_change_medium(slot, g_steal_pointer(&change->medium),
		g_steal_pointer(&change->config), change->xml);
	devices_close_tray(slot);
	control_done(change->call);
	free_change(change);
}

static void tray_moved(struct device_slot *slot, bool gone, void *data)
{
	if (gone) {
		struct change *change = take_change(slot);

		control_refuse(change->call, _("The guest has let the drive go"));
		free_change(change);
	} else if (!devices_tray(slot).locked && devices_open_tray(slot, false)) {
		carry_out(slot, take_change(slot));
	}
}

/* The guest has had its time. */
static void still_locked(struct control_call *call, void *data)
{
	struct device_slot *slot = data;
	struct change *change = take_change(slot);
	g_autofree char *sentence = NULL;

	if (devices_tray(slot).open) {
		carry_out(slot, change);
		return;
	}
	devices_close_tray(slot);
	sentence = g_strdup_printf(_("The guest has locked the tray of '%s'"), slot->name);
	control_refuse(call, sentence);
	free_change(change);
}

static bool read_medium(struct control_call *call, struct device_slot *slot,
	struct change *change, GError **error)
{
	const char *xml = control_text(call, "xml", error);
	const struct config_disk *disk = NULL;

	if (!xml)
		return false;
	change->xml = g_strdup(xml);
	change->config = config_read_device(xml, strlen(xml),
		machine_config(control_machine(call))->name, error);
	if (!change->config)
		return false;
	if (change->config->disks->len)
		disk = g_ptr_array_index(change->config->disks, 0);
	if (!disk || !disk->cdrom || g_ascii_strcasecmp(disk->target, slot->name) != 0) {
		g_set_error(error, CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_INVALID,
			_("The element is not that of the CD-ROM drive '%s'"), slot->name);
		return false;
	}
	change->medium =
		devices_open_medium(slot, change->config, control_take_fd(call), error);
	return change->medium != NULL;
}

static void begin_change(struct control_call *call, struct device_slot *slot)
{
	struct change *change = g_new0(struct change, 1);
	GError *error = NULL;

	change->call = call;
	if (!read_medium(call, slot, change, &error)) {
		free_change(change);
		control_fail(call, error);
	} else if (devices_open_tray(slot, control_flag(call, "force"))) {
		carry_out(slot, change);
	} else {
		slot->tray = tray_moved;
		slot->tray_data = change;
		slot->tray_free = free_change;
		control_wait(call, still_locked, slot);
	}
}

static void do_change_medium(struct control_call *call)
{
	struct device_slot *slot = control_device(call, DEVICE_DISK, "disk");

	if (!slot)
		return;
	if (!slot->drive)
		control_refuse(call, _("Only a CD-ROM drive has a medium that can be changed"));
	else if (slot->tray)
		control_refuse(call, _("Another change waits for the guest to open the tray"));
	else
		begin_change(call, slot);
}

/* ---- limits --------------------------------------------------------------------------------------------- */

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

static JsonObject *describe_drive(const struct device_slot *slot)
{
	struct devices_tray tray = devices_tray(slot);
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "medium", slot->disk_config->path);
	json_object_set_boolean_member(object, "open", tray.open);
	json_object_set_boolean_member(object, "locked", tray.locked);
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
		if (slot->drive)
			json_object_set_object_member(disk, "drive", describe_drive(slot));
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
	{ "change-medium", do_change_medium },
	{ "disks", do_disks },
	{ .name = NULL },
};
