// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/daemon/plug.h"

#include "engine/daemon/change.h"
#include "engine/daemon/devices.h"
#include "engine/daemon/drives.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/files.h"
#include "engine/daemon/opener.h"
#include "engine/daemon/places.h"
#include "engine/daemon/registry.h"

#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <string.h>

/* Seconds that a guest has to let go of a device. */
#define GUEST_TIMEOUT 30.0

struct plug {
	xmlDoc *document;
	xmlNode *device; /* as the client gave it */
	char *name;      /* the control protocol's, or NULL */
	bool force;      /* VIR_DOMAIN_DEVICE_MODIFY_FORCE */
	bool gone;       /* the guest has let go of it */
	struct opener *opener; /* what the keeper has opened for it, or NULL */
	unsigned slot;   /* where it has come to be; 0: not yet */
};

static void plug_free(void *data)
{
	struct plug *plug = data;

	opener_free(plug->opener);
	xmlFreeDoc(plug->document);
	g_free(plug->name);
	g_free(plug);
}

static bool is_device(const xmlNode *node)
{
	static const char *const names[] = {"disk", "interface", "memory", "serial", "console",
		"channel", "rng", "memballoon", "watchdog", "panic", "controller", "input", "video",
		NULL};

	return node && node->type == XML_ELEMENT_NODE &&
	       g_strv_contains(names, (const char *)node->name);
}

/* In libvirt's own range of addresses. */
static void give_mac(xmlNode *nic)
{
	guint32 random = g_random_int();
	g_autofree char *mac = g_strdup_printf("52:54:00:%02x:%02x:%02x", random & 0xff,
		random >> 8 & 0xff, random >> 16 & 0xff);

	if (!tree_child(nic, "mac"))
		tree_set(tree_add(nic, "mac"), "address", mac);
}

static struct plug *plug_new(const char *xml, GError **error)
{
	struct plug *plug = g_new0(struct plug, 1);

	plug->document = tree_parse(xml);
	plug->device = plug->document ? xmlDocGetRootElement(plug->document) : NULL;
	if (!is_device(plug->device)) {
		fault_set(error, plug->device ? VIR_ERR_CONFIG_UNSUPPORTED : VIR_ERR_XML_ERROR,
			plug->device ? "unknown device type '%s'"
				     : "(device_definition): this is not XML%s",
			plug->device ? (const char *)plug->device->name : "");
		plug_free(plug);
		return NULL;
	}
	return plug;
}

static void begin(struct guest *guest, unsigned affect, const struct change_ops *ops,
	struct plug *plug, const GError *error, guest_done done, void *data)
{
	if (plug)
		change_begin(guest, affect, ops, plug, done, data);
	else
		done(data, error);
}

/* The device of the definition that the client's element means. */
static xmlNode *find_same(const xmlNode *root, const struct plug *plug)
{
	const char *kind = (const char *)plug->device->name;
	g_autofree char *alias = devices_alias(plug->device);

	if (tree_is(plug->device, "disk"))
		return plug->name ? devices_find_disk(root, plug->name) : NULL;
	if (tree_is(plug->device, "interface"))
		return plug->name ? devices_find_nic(root, plug->name) : NULL;
	if (alias && devices_find_alias(root, alias))
		return devices_find_alias(root, alias);
	return tree_child(devices_list(root), kind);
}

static bool missing(const struct plug *plug, bool live, GError **error)
{
	if (tree_is(plug->device, "disk"))
		return fault_set(error, VIR_ERR_DEVICE_MISSING,
			live ? "disk %s not found" : "no target device %s",
			plug->name ? plug->name : "");
	if (tree_is(plug->device, "interface"))
		return fault_set(error, VIR_ERR_DEVICE_MISSING,
			"no device matching MAC address %s found", plug->name ? plug->name : "");
	return fault_set(error, VIR_ERR_DEVICE_MISSING, "no matching %s device was found",
		(const char *)plug->device->name);
}

/* ---- coming ---------------------------------------------------------------------------------- */

static bool fail_twice(const xmlNode *root, const struct plug *plug, GError **error)
{
	g_autofree char *there = devices_image(find_same(root, plug));
	g_autofree char *new = devices_image(plug->device);

	return fault_set(error, VIR_ERR_XML_ERROR,
		"target '%s' duplicated for disk sources '%s' and '%s'", plug->name,
		there ? there : "", new ? new : "");
}

static bool check_new(const xmlNode *root, const struct plug *plug, bool live, GError **error)
{
	if (tree_is(plug->device, "disk") && plug->name && find_same(root, plug))
		return live ? fail_twice(root, plug, error)
			    : fault_set(error, VIR_ERR_OPERATION_INVALID,
				      "target %s already exists", plug->name);
	if (tree_is(plug->device, "interface") && devices_find_nic(root, plug->name))
		return fault_set(error, VIR_ERR_OPERATION_INVALID,
			"network device with MAC address '%s' already exists", plug->name);
	if (live && !tree_is(plug->device, "disk") && !tree_is(plug->device, "interface"))
		return fault_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
			"live attach of device '%s' is not supported",
			(const char *)plug->device->name);
	return true;
}

static bool edit_attach(void *data, xmlNode *root, bool live, GError **error)
{
	const struct plug *plug = data;
	xmlNode *device;

	if (!check_new(root, plug, live, error))
		return false;
	device = devices_insert(root, plug->device);
	if (live)
		definition_put_aliases(root);
	else if (tree_is(plug->device, "disk"))
		tree_remove(tree_child(find_same(root, plug), "backingStore"));
	if (live && plug->slot)
		places_put_slot(device, plug->slot);
	return true;
}

static void answered_attach(void *data, unsigned step, JsonObject *answer)
{
	struct plug *plug = data;
	gint64 slot = json_object_get_int_member_with_default(answer, "slot", 0);

	plug->slot = slot > 0 && slot < 32 ? (unsigned)slot : 0;
}

/* What its elements say. */
static struct machine_config *read_device(
	const struct guest *guest, const struct plug *plug, GError **error)
{
	g_autofree char *xml = tree_print(plug->device);
	g_autoptr(GError) cause = NULL;
	struct machine_config *config =
		config_read_device(xml, strlen(xml), guest_name(guest), &cause);

	if (!config)
		fault_set(error, VIR_ERR_XML_ERROR, "%s", cause->message);
	return config;
}

/* Adds the disk's image and what that stands on, which is in the element then, or the network card's
 * log: the monitor may open none itself. */
static bool open_files(const struct guest *guest, const struct plug *plug,
	const struct machine_config *config, GPtrArray *files, GError **error)
{
	const struct settings *settings = guest->registry->settings;
	struct config_disk *disk = config->disks->len ? g_ptr_array_index(config->disks, 0) : NULL;

	if (!disk)
		return files_add_net(files, settings, g_ptr_array_index(config->nets, 0), error);
	if (!files_add_disk(files, settings, disk, error))
		return false;
	definition_put_backing(plug->device, disk);
	return true;
}

/* Does it take a program that only the monitor's keeper may start? */
static bool needs_keeper(const struct machine_config *config)
{
	const struct config_disk *disk =
		config->disks->len ? g_ptr_array_index(config->disks, 0) : NULL;
	const struct config_net *net = disk ? NULL : g_ptr_array_index(config->nets, 0);

	return disk ? disk->format || disk->rbd : !net->tap;
}

/* The request to the keeper, with all of the files, or the one to the machine, with the image. */
static void request_plug(const struct plug *plug, GPtrArray *files, bool by_keeper,
	struct change_request *request)
{
	bool is_disk = tree_is(plug->device, "disk");
	g_autofree char *xml = tree_print(plug->device);
	const struct file *first = files && files->len ? g_ptr_array_index(files, 0) : NULL;

	if (by_keeper)
		request->name = is_disk ? "open-disk" : "open-nic";
	else
		request->name = is_disk ? "plug-disk" : "plug-nic";
	request->members = json_object_new();
	json_object_set_string_member(request->members, "xml", xml);
	if (by_keeper)
		request->files = g_ptr_array_ref(files);
	else if (first)
		request->fd = fcntl(first->fd, F_DUPFD_CLOEXEC, 0);
}

/* First the keeper opens what needs a program, then the machine plugs it. */
static bool request_attach(void *data, struct guest *guest, unsigned step,
	struct change_request *request, GError **error)
{
	struct plug *plug = data;
	struct machine_config *config = step > 1 ? NULL : read_device(guest, plug, error);
	bool kept = config && needs_keeper(config), more = config && (!step || kept);
	g_autoptr(GPtrArray) files = more && !step ? files_new() : NULL;

	if (files)
		more = open_files(guest, plug, config, files, error);
	if (more)
		request_plug(plug, files, kept && !step, request);
	if (more && kept && !step)
		request->opener = &plug->opener;
	config_free(config);
	return more;
}

static xmlNode *find_named(const xmlNode *root, const char *name)
{
	xmlNode *node = devices_find_disk(root, name);

	node = node ? node : devices_find_nic(root, name);
	return node ? node : devices_find_memory(root, name);
}

/* The alias of a device of the running guest, or NULL. */
static char *alias_of(const struct guest *guest, const char *name)
{
	g_autoptr(xmlDoc) document = tree_parse(guest->running->xml);
	xmlNode *node = find_named(xmlDocGetRootElement(document), name);

	return node ? devices_alias(node) : NULL;
}

static void tell(const struct guest *guest, int id, const char *alias)
{
	if (alias)
		registry_tell_event(guest->registry, guest,
			&(const struct guest_event){.id = id, .alias = alias});
}

static void tell_attached(void *data, struct guest *guest)
{
	const struct plug *plug = data;
	g_autofree char *alias = alias_of(guest, plug->name);

	tell(guest, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, alias);
}

static const struct change_ops attach_ops = {
	.edit = edit_attach,
	.request = request_attach,
	.answered = answered_attach,
	.tell = tell_attached,
	.free = plug_free,
};

/* libvirt's other way to change a medium: a drive that the running guest has is attached again. */
static bool is_medium(const struct guest *guest, unsigned affect, const char *xml)
{
	g_autoptr(xmlDoc) wanted = tree_parse(xml), document = NULL;
	xmlNode *device = wanted ? xmlDocGetRootElement(wanted) : NULL, *disk;
	g_autofree char *name = NULL;

	if (!device || !drive_is(device) || !guest_is_active(guest) ||
		affect & VIR_DOMAIN_AFFECT_CONFIG)
		return false;
	name = devices_control_name(device);
	document = tree_parse(guest->running->xml);
	disk = name ? devices_find_disk(xmlDocGetRootElement(document), name) : NULL;
	return disk && drive_is(disk);
}

void plug_attach(
	struct guest *guest, unsigned affect, const char *xml, guest_done done, void *data)
{
	if (is_medium(guest, affect, xml)) {
		plug_update(guest, affect, xml, done, data);
		return;
	}
	g_autoptr(GError) error = NULL;
	struct plug *plug = plug_new(xml, &error);

	if (plug && tree_is(plug->device, "interface"))
		give_mac(plug->device);
	if (plug)
		plug->name = devices_control_name(plug->device);
	begin(guest, affect, &attach_ops, plug, error, done, data);
}

/* ---- going ----------------------------------------------------------------------------------- */

static bool edit_detach(void *data, xmlNode *root, bool live, GError **error)
{
	const struct plug *plug = data;
	xmlNode *device;

	if (live && plug->gone)
		return true;
	device = find_same(root, plug);
	if (!device)
		return missing(plug, live, error);
	if (live && !tree_is(device, "disk") && !tree_is(device, "interface"))
		return fault_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
			"live detach of device '%s' is not supported", (const char *)device->name);
	tree_remove(device);
	return true;
}

static bool request_detach(void *data, struct guest *guest, unsigned step,
	struct change_request *request, GError **error)
{
	struct plug *plug = data;
	bool is_disk = tree_is(plug->device, "disk");
	g_autoptr(xmlDoc) document = NULL;
	xmlNode *device;

	if (step) {
		plug->gone = true;
		plug_removed(guest, plug->name);
		return false;
	}
	/* The client may have named it otherwise. */
	document = tree_parse(guest->running->xml);
	device = find_same(xmlDocGetRootElement(document), plug);
	g_free(plug->name);
	plug->name = devices_control_name(device);
	request->name = is_disk ? "unplug-disk" : "unplug-nic";
	request->members = json_object_new();
	json_object_set_string_member(request->members, is_disk ? "disk" : "nic", plug->name);
	json_object_set_double_member(request->members, "timeout", GUEST_TIMEOUT);
	return true;
}

static const struct change_ops detach_ops = {
	.edit = edit_detach,
	.request = request_detach,
	.free = plug_free,
};

void plug_detach(
	struct guest *guest, unsigned affect, const char *xml, guest_done done, void *data)
{
	g_autoptr(GError) error = NULL;
	struct plug *plug = plug_new(xml, &error);

	if (plug)
		plug->name = devices_control_name(plug->device);
	begin(guest, affect, &detach_ops, plug, error, done, data);
}

void plug_detach_alias(
	struct guest *guest, unsigned affect, const char *alias, guest_done done, void *data)
{
	g_autoptr(GError) error = NULL;
	const struct definition *definition = change_pick(guest, affect, &error);
	g_autoptr(xmlDoc) document = definition ? tree_parse(definition->xml) : NULL;
	xmlNode *device =
		document ? devices_find_alias(xmlDocGetRootElement(document), alias) : NULL;
	g_autofree char *xml = device ? tree_print(device) : NULL;

	if (xml) {
		plug_detach(guest, affect, xml, done, data);
		return;
	}
	if (!error)
		fault_set(&error, VIR_ERR_INTERNAL_ERROR, "no device found with alias %s", alias);
	done(data, error);
}

static bool edit_removed(void *name, xmlNode *root, bool live, GError **error)
{
	tree_remove(find_named(root, name));
	return true;
}

void plug_removed(struct guest *guest, const char *name)
{
	g_autofree char *alias = guest->running ? alias_of(guest, name) : NULL;
	struct definition *definition;

	if (!alias)
		return;
	definition = definition_edit(guest->running, edit_removed, (char *)name, true, NULL);
	if (!definition)
		return;
	guest_set_running(guest, definition, NULL);
	tell(guest, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, alias);
}

void plug_refused(struct guest *guest, const char *name)
{
	g_autofree char *alias = guest->running ? alias_of(guest, name) : NULL;

	tell(guest, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, alias);
}

/* ---- changing -------------------------------------------------------------------------------- */

static bool update_live_nic(xmlNode *nic, const struct plug *plug, GError **error)
{
	static const char *const changing[] = {
		"link", "bandwidth", "alias", "address", "target", "model", "driver", NULL};

	if (!tree_same_without(nic, plug->device, changing))
		return fault_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
			"cannot modify network device: only its link and bandwidth can be changed "
			"while the guest runs");
	tree_take_child(nic, plug->device, "link", "alias");
	tree_take_child(nic, plug->device, "bandwidth", "alias");
	return true;
}

static bool update_memory(xmlNode *memory, const struct plug *plug, GError **error)
{
	const xmlNode *wanted = tree_child(tree_child(plug->device, "target"), "requested");
	xmlNode *target = tree_child(memory, "target"), *requested;

	requested = tree_child(target, "requested");
	if (!wanted || !requested)
		return fault_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
			"of a memory device only <requested> can be changed");
	xmlReplaceNode(requested, xmlDocCopyNode((xmlNode *)wanted, memory->doc, 1));
	xmlFreeNode(requested);
	return true;
}

static bool edit_update(void *data, xmlNode *root, bool live, GError **error)
{
	const struct plug *plug = data;
	xmlNode *device = find_same(root, plug), *copy;

	if (!device)
		return missing(plug, live, error);
	if (tree_is(device, "memory"))
		return update_memory(device, plug, error);
	if (live && drive_is(device))
		return drive_update(device, plug->device, error);
	if (live)
		return tree_is(device, "interface")
			       ? update_live_nic(device, plug, error)
			       : fault_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
					 "live update of device '%s' is not supported",
					 (const char *)device->name);
	copy = xmlDocCopyNode(plug->device, root->doc, 1);
	xmlReplaceNode(device, copy);
	xmlFreeNode(device);
	/* Where the tray is counts only while the guest runs. */
	if (tree_child(copy, "target"))
		tree_set(tree_child(copy, "target"), "tray", NULL);
	return true;
}

static JsonObject *rates(const xmlNode *direction)
{
	static const char *const names[] = {"average", "peak", "burst"};
	JsonObject *object = json_object_new();

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		json_object_set_int_member(
			object, names[i], (gint64)tree_number(direction, names[i], 0));
	return object;
}

static bool request_nic(
	const struct plug *plug, unsigned step, struct change_request *request)
{
	const xmlNode *bandwidth = tree_child(plug->device, "bandwidth");

	if (step > 1)
		return false;
	request->name = step ? "set-nic-limits" : "set-link";
	request->members = json_object_new();
	json_object_set_string_member(request->members, "nic", plug->name);
	if (step) {
		json_object_set_object_member(
			request->members, "inbound", rates(tree_child(bandwidth, "inbound")));
		json_object_set_object_member(
			request->members, "outbound", rates(tree_child(bandwidth, "outbound")));
	} else {
		json_object_set_boolean_member(request->members, "up",
			!tree_attribute_is(tree_child(plug->device, "link"), "state", "down"));
	}
	return true;
}

/* libvirt's clients give it in what unit they like. */
static uint64_t requested_bytes(const xmlNode *memory)
{
	const xmlNode *requested = tree_child(tree_child(memory, "target"), "requested");
	g_autofree char *unit = tree_attribute(requested, "unit");
	uint64_t number = tree_text_number(requested, 0);

	if (unit && g_ascii_strncasecmp(unit, "G", 1) == 0)
		return number << 30;
	if (unit && g_ascii_strncasecmp(unit, "M", 1) == 0)
		return number << 20;
	return unit && g_ascii_strncasecmp(unit, "b", 1) == 0 ? number : number << 10;
}

static bool request_update(void *data, struct guest *guest, unsigned step,
	struct change_request *request, GError **error)
{
	const struct plug *plug = data;
	g_autoptr(xmlDoc) document = NULL;
	g_autofree char *alias = NULL;
	xmlNode *device;

	if (tree_is(plug->device, "interface"))
		return request_nic(plug, step, request);
	if (step)
		return false;
	document = tree_parse(guest->running->xml);
	device = find_same(xmlDocGetRootElement(document), plug);
	if (drive_is(device))
		return drive_request(guest, device, plug->device, plug->force, request, error);
	alias = devices_alias(device);
	request->name = "set-virtio-mem";
	request->members = json_object_new();
	json_object_set_string_member(request->members, "alias", alias);
	json_object_set_int_member(
		request->members, "requested", (gint64)requested_bytes(plug->device));
	return true;
}

static const struct change_ops update_ops = {
	.edit = edit_update,
	.request = request_update,
	.free = plug_free,
};

void plug_update(
	struct guest *guest, unsigned affect, const char *xml, guest_done done, void *data)
{
	g_autoptr(GError) error = NULL;
	struct plug *plug = plug_new(xml, &error);

	if (plug)
		plug->name = devices_control_name(plug->device);
	if (plug)
		plug->force = affect & VIR_DOMAIN_DEVICE_MODIFY_FORCE;
	begin(guest, affect, &update_ops, plug, error, done, data);
}

struct resized {
	const char *alias;
	uint64_t kib;
};

static bool edit_resized(void *data, xmlNode *root, bool live, GError **error)
{
	const struct resized *resized = data;
	xmlNode *target =
		tree_child(devices_find_memory(root, resized->alias), "target"), *current;

	if (!target)
		return false;
	current = tree_ensure(target, "current", (const char *const[]){"requested", NULL});
	tree_set(current, "unit", "KiB");
	tree_set_text_number(current, resized->kib);
	return true;
}

void plug_count_added(struct guest *guest)
{
	g_autoptr(xmlDoc) document = tree_parse(guest->running->xml);
	xmlNode *list = devices_list(xmlDocGetRootElement(document));

	guest->added = 0;
	for (xmlNode *at = tree_child(list, "memory"); at; at = tree_next(at, "memory"))
		guest->added +=
			tree_text_number(tree_child(tree_child(at, "target"), "current"), 0);
}

void plug_resized(struct guest *guest, const char *alias, uint64_t kib)
{
	struct resized resized = {alias, kib};
	struct definition *definition =
		guest->running ? definition_edit(guest->running, edit_resized, &resized, true, NULL)
			       : NULL;
	const struct guest_event event = {
		.id = VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE,
		.alias = alias,
		.kib = kib,
	};

	if (definition) {
		guest_set_running(guest, definition, NULL);
		plug_count_added(guest);
	}
	registry_tell_event(guest->registry, guest, &event);
}
