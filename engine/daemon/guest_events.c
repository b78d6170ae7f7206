// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/guest_events.h"

#include "engine/common/control.h"
#include "engine/daemon/devices.h"
#include "engine/daemon/drives.h"
#include "engine/daemon/plug.h"
#include "engine/daemon/registry.h"
#include "engine/daemon/resources.h"
#include "engine/daemon/save.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>

static uint64_t number(JsonObject *event, const char *member)
{
	gint64 value = json_object_get_int_member_with_default(event, member, 0);

	return value > 0 ? (uint64_t)value : 0;
}

static const char *text(JsonObject *event, const char *member)
{
	return json_object_get_string_member_with_default(event, member, "");
}

static void on_balloon(struct guest *guest, JsonObject *event)
{
	const struct guest_event told = {
		.id = VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE,
		.kib = number(event, "actual") >> 10,
	};

	if (guest->balloon == told.kib)
		return;
	guest->balloon = told.kib;
	registry_tell_event(guest->registry, guest, &told);
}

static void on_vcpus(struct guest *guest, JsonObject *event)
{
	resources_vcpus_changed(guest, (unsigned)number(event, "vcpus"));
}

static void on_virtio_mem(struct guest *guest, JsonObject *event)
{
	plug_resized(guest, text(event, "alias"), number(event, "plugged") >> 10);
}

static void on_removed(struct guest *guest, JsonObject *event)
{
	plug_removed(guest, text(event, "device"));
}

static void on_refused(struct guest *guest, JsonObject *event)
{
	plug_refused(guest, text(event, "device"));
}

static void on_tray(struct guest *guest, JsonObject *event)
{
	drive_moved(guest, text(event, "disk"),
		json_object_get_boolean_member_with_default(event, "open", FALSE));
}

static void on_save(struct guest *guest, JsonObject *event)
{
	save_told(guest, number(event, "done"), number(event, "total"));
}

/* What the disk's error policy makes of it. */
static int io_error_action(
	const struct config_disk *disk, bool write, bool no_space)
{
	enum config_on_error policy = write ? disk->on_write_error : disk->on_read_error;

	if (policy == CONFIG_ON_ERROR_STOP || (policy == CONFIG_ON_ERROR_ENOSPC && no_space))
		return VIR_DOMAIN_EVENT_IO_ERROR_PAUSE;
	return policy == CONFIG_ON_ERROR_IGNORE ? VIR_DOMAIN_EVENT_IO_ERROR_NONE
						: VIR_DOMAIN_EVENT_IO_ERROR_REPORT;
}

static const struct config_disk *find_disk(const struct guest *guest, const char *target)
{
	const GPtrArray *disks = guest->running->config->disks;

	for (guint i = 0; i < disks->len; i++) {
		const struct config_disk *disk = g_ptr_array_index(disks, i);

		if (strcmp(disk->target, target) == 0)
			return disk;
	}
	return NULL;
}

static void on_io_error(struct guest *guest, JsonObject *event)
{
	const struct config_disk *disk = find_disk(guest, text(event, "disk"));
	bool no_space = strstr(text(event, CONTROL_DETAIL), g_strerror(ENOSPC));
	g_autoptr(xmlDoc) document = NULL;
	g_autofree char *alias = NULL;
	struct guest_event told = {.id = VIR_DOMAIN_EVENT_ID_IO_ERROR};

	if (!disk)
		return;
	document = tree_parse(guest->running->xml);
	alias = devices_alias(devices_find_disk(xmlDocGetRootElement(document), disk->target));
	told.type = io_error_action(
		disk, json_object_get_boolean_member_with_default(event, "write", FALSE), no_space);
	told.alias = alias ? alias : "";
	told.text = disk->path ? disk->path : "";
	told.reason = no_space ? "enospc" : "";
	if (told.type == VIR_DOMAIN_EVENT_IO_ERROR_PAUSE)
		guest_stopped_by_disk(guest);
	registry_tell_event(guest->registry, guest, &told);
}

bool guest_take_event(struct guest *guest, const char *name, JsonObject *event)
{
	static const struct {
		const char *name;
		void (*take)(struct guest *guest, JsonObject *event);
	} events[] = {
		{"balloon", on_balloon},
		{"vcpus", on_vcpus},
		{"virtio-mem", on_virtio_mem},
		{"device-removed", on_removed},
		{"unplug-refused", on_refused},
		{"io-error", on_io_error},
		{"tray", on_tray},
		{"save", on_save},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
		if (strcmp(name, events[i].name) != 0)
			continue;
		events[i].take(guest, event);
		return true;
	}
	return false;
}
