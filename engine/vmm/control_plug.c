// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/control_plug.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

static struct devices *devices_of(const struct control_call *call)
{
	return machine_parts(control_machine(call))->devices;
}

struct device_slot *control_device(
	struct control_call *call, enum device_kind kind, const char *member)
{
	GError *error = NULL;
	const char *name = control_text(call, member, &error);
	struct device_slot *slot = name ? devices_find(devices_of(call), kind, name) : NULL;
	g_autofree char *sentence = NULL;

	if (slot)
		return slot;
	if (error) {
		control_fail(call, error);
		return NULL;
	}
	sentence = g_strdup_printf(kind == DEVICE_DISK
			? _("The guest has no disk '%s'")
			: _("The guest has no network card '%s'"),
		name);
	control_refuse(call, sentence);
	return NULL;
}

bool control_amount(
	JsonObject *object, const char *name, uint64_t max, uint64_t *value, GError **error)
{
	JsonNode *node = json_object_get_member(object, name);
	gint64 number;

	if (!node)
		return true;
	number = JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64
		? json_node_get_int(node)
		: -1;
	if (number >= 0 && (uint64_t)number <= max) {
		*value = (uint64_t)number;
		return true;
	}
	g_set_error(error, CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_INVALID,
		_("The request's \"%s\" is not a number from 0 to %llu"), name,
		(unsigned long long)max);
	return false;
}

/* ---- plugging ------------------------------------------------------------------------------------------ */

/* A card without an address gets one that no other has. */
static void choose_mac(struct devices *devices, struct config_net *net)
{
	for (;;) {
		guint32 random = g_random_int();
		g_autofree char *name = NULL;

		net->mac[3] = (uint8_t)(random >> 16);
		net->mac[4] = (uint8_t)(random >> 8);
		net->mac[5] = (uint8_t)random;
		name = config_net_name(net);
		if (!devices_find(devices, DEVICE_NIC, name))
			return;
	}
}

/* The name of the only device of config, or NULL with an error where it is of another kind or the
 * guest has one of the name. */
static char *check_new(struct devices *devices, const struct machine_config *config,
	enum device_kind kind, GError **error)
{
	g_autofree char *name = NULL;

	if (kind == DEVICE_DISK && config->disks->len) {
		name = g_strdup(((struct config_disk *)g_ptr_array_index(config->disks, 0))->target);
	} else if (kind == DEVICE_NIC && config->nets->len) {
		struct config_net *net = g_ptr_array_index(config->nets, 0);

		if (!net->mac_given)
			choose_mac(devices, net);
		name = config_net_name(net);
	} else {
		g_set_error(error, CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_INVALID,
			_("The element is not of the kind that the request is for"));
		return NULL;
	}
	if (!devices_find(devices, kind, name))
		return g_steal_pointer(&name);
	g_set_error(error, CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_REFUSED,
		_("The guest has a device '%s' already"), name);
	return NULL;
}

static struct device_slot *plug(struct control_call *call, enum device_kind kind, GError **error)
{
	struct devices *devices = devices_of(call);
	const char *xml = control_text(call, "xml", error), *guest;
	g_autofree char *name = NULL;
	struct machine_config *config;

	if (!xml)
		return NULL;
	guest = machine_config(control_machine(call))->name;
	config = config_read_device(xml, strlen(xml), guest, error);
	if (!config)
		return NULL;
	name = check_new(devices, config, kind, error);
	if (!name) {
		config_free(config);
		return NULL;
	}
	return devices_plug(devices, config, xml, 0, control_take_fd(call), error);
}

void control_plug(struct control_call *call, enum device_kind kind, const char *member)
{
	GError *error = NULL;
	struct device_slot *slot = plug(call, kind, &error);

	if (!slot) {
		control_fail(call, error);
		return;
	}
	json_object_set_string_member(control_answer(call), member, slot->name);
	json_object_set_int_member(control_answer(call), "slot", virtio_pci_slot(slot->pci));
	control_done(call);
}

/* ---- unplugging ---------------------------------------------------------------------------------------- */

/* A slot's unplugged_data: the calls that wait for it. */
static void end_waiting(struct device_slot *slot, bool refused, void *data)
{
	g_autofree char *sentence = g_strdup_printf(_("The guest will not let '%s' go"), slot->name);
	GPtrArray *calls = data;

	for (unsigned i = 0; i < calls->len; i++) {
		if (refused)
			control_refuse(g_ptr_array_index(calls, i), sentence);
		else
			control_done(g_ptr_array_index(calls, i));
	}
	g_ptr_array_set_size(calls, 0);
}

static void free_waiting(void *data)
{
	g_ptr_array_free(data, TRUE);
}

/* The guest has had its time. It may still let the device go. */
static void late(struct control_call *call, void *data)
{
	struct device_slot *slot = data;
	g_autofree char *sentence =
		g_strdup_printf(_("The guest has not let '%s' go yet; it stays asked to"), slot->name);

	g_ptr_array_remove(slot->unplugged_data, call);
	control_refuse(call, sentence);
}

void control_unplug(struct control_call *call, enum device_kind kind, const char *member)
{
	struct device_slot *slot = control_device(call, kind, member);

	if (!slot)
		return;
	if (!slot->unplugged_data) {
		slot->unplugged_data = g_ptr_array_new();
		slot->unplugged_free = free_waiting;
	}
	slot->unplugged = end_waiting;
	g_ptr_array_add(slot->unplugged_data, call);
	control_wait(call, late, slot);
	devices_ask(slot);
}
