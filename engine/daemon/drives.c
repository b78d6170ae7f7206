// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/drives.h"

#include "engine/daemon/devices.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/files.h"
#include "engine/daemon/registry.h"

#include <libvirt/libvirt.h>
#include <string.h>

bool drive_is(const xmlNode *disk)
{
	return tree_is(disk, "disk") && tree_attribute_is(disk, "device", "cdrom");
}

/* ---- media ----------------------------------------------------------------------------------- */

bool drive_update(xmlNode *disk, const xmlNode *wanted, GError **error)
{
	static const char *const changing[] = {"type", "source", "driver", "backingStore", "target",
		"readonly", "boot", "alias", "address", NULL};
	g_autofree char *type = tree_attribute(wanted, "type");

	if (!tree_same_without(disk, wanted, changing))
		return fault_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
			"cannot modify the CD-ROM drive: only its medium can be changed while the "
			"guest runs");
	tree_set(disk, "type", type ? type : "file");
	/* It was the old one's. */
	tree_remove(tree_child(disk, "backingStore"));
	tree_take_child(disk, wanted, "driver", "target");
	tree_take_child(disk, wanted, "source", "target");
	return true;
}

bool drive_request(struct guest *guest, const xmlNode *disk, const xmlNode *wanted, bool force,
	struct change_request *request, GError **error)
{
	g_autofree char *old = devices_image(disk), *path = devices_image(wanted);
	g_autofree char *xml = tree_print((xmlNode *)wanted);
	g_autofree char *target = devices_control_name(disk);

	if (g_strcmp0(old, path) == 0)
		return false;
	if (path) {
		request->fd =
			file_open(guest->registry->settings, path, FILE_IMAGE_READ, error);
		if (request->fd < 0)
			return false;
	}
	request->name = "change-medium";
	request->members = json_object_new();
	json_object_set_string_member(request->members, "disk", target);
	json_object_set_string_member(request->members, "xml", xml);
	json_object_set_boolean_member(request->members, "force", force);
	return true;
}

/* ---- what the monitor tells ------------------------------------------------------------------ */

/* A drive as it is. */
struct drive {
	const char *target;
	bool open;
	bool known;         /* also what is in it: */
	const char *medium; /* or NULL */
};

static xmlNode *find_drive(const xmlNode *root, const char *target)
{
	xmlNode *disk = devices_find_disk(root, target);

	return disk && drive_is(disk) ? disk : NULL;
}

static void put_medium(xmlNode *disk, const char *path)
{
	bool block = tree_attribute_is(disk, "type", "block");
	xmlNode *source;

	tree_remove(tree_child(disk, "source"));
	tree_remove(tree_child(disk, "backingStore"));
	if (!path)
		return;
	source = xmlNewDocNode(disk->doc, NULL, (const xmlChar *)"source", NULL);
	xmlAddPrevSibling(tree_child(disk, "target"), source);
	tree_set(source, block ? "dev" : "file", path);
}

/* False, without an error, where the definition has it so already. */
static bool edit_drive(void *data, xmlNode *root, bool live, GError **error)
{
	const struct drive *drive = data;
	xmlNode *disk = find_drive(root, drive->target);
	xmlNode *target = disk ? tree_child(disk, "target") : NULL;
	g_autofree char *path = disk ? devices_image(disk) : NULL;
	bool open = target && tree_attribute_is(target, "tray", "open");
	bool other = drive->known && g_strcmp0(path, drive->medium) != 0;

	if (!disk || (open == drive->open && !other))
		return false;
	tree_set(target, "tray", drive->open ? "open" : NULL);
	if (other)
		put_medium(disk, drive->medium);
	return true;
}

static bool put_drive(struct guest *guest, struct drive *drive)
{
	struct definition *definition =
		guest->running ? definition_edit(guest->running, edit_drive, drive, true, NULL)
			       : NULL;

	return definition && guest_set_running(guest, definition, NULL);
}

void drive_moved(struct guest *guest, const char *target, bool open)
{
	struct drive drive = {.target = target, .open = open};
	g_autoptr(xmlDoc) document = NULL;
	g_autofree char *alias = NULL;
	xmlNode *disk;

	put_drive(guest, &drive);
	document = guest->running ? tree_parse(guest->running->xml) : NULL;
	disk = document ? find_drive(xmlDocGetRootElement(document), target) : NULL;
	alias = disk ? devices_alias(disk) : NULL;
	if (alias)
		registry_tell_event(guest->registry, guest,
			&(const struct guest_event){
				.id = VIR_DOMAIN_EVENT_ID_TRAY_CHANGE,
				.type = open ? VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN
					     : VIR_DOMAIN_EVENT_TRAY_CHANGE_CLOSE,
				.alias = alias,
			});
}

static void take_drive(struct guest *guest, JsonObject *disk)
{
	JsonObject *object = json_object_has_member(disk, "drive")
				     ? json_object_get_object_member(disk, "drive")
				     : NULL;
	struct drive drive = {
		.target = json_object_get_string_member_with_default(disk, "disk", ""),
		.known = true,
	};

	if (!object)
		return;
	drive.open = json_object_get_boolean_member_with_default(object, "open", FALSE);
	drive.medium = json_object_get_string_member_with_default(object, "medium", NULL);
	put_drive(guest, &drive);
}

static void looked(void *data, JsonObject *answer, const GError *error)
{
	JsonArray *disks = answer && json_object_has_member(answer, "disks")
				   ? json_object_get_array_member(answer, "disks")
				   : NULL;

	for (guint i = 0; disks && i < json_array_get_length(disks); i++)
		take_drive(data, json_array_get_object_element(disks, i));
}

void drives_look(struct guest *guest)
{
	const GPtrArray *disks = guest->running->config->disks;
	bool any = false;

	for (guint i = 0; i < disks->len; i++)
		any = any || ((const struct config_disk *)g_ptr_array_index(disks, i))->cdrom;
	if (any)
		guest_ask(guest, "disks", NULL, -1, looked, guest);
}
