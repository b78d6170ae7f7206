// SPDX-License-Identifier: GPL-3.0-or-later
/* Requests for network cards. */
#include <config.h>

#include "engine/vmm/control_plug.h"

#include "engine/vmm/dev/virtio_net.h"

#include <glib/gi18n.h>

static void do_plug_nic(struct control_call *call)
{
	control_plug(call, DEVICE_NIC, "nic");
}

static void do_unplug_nic(struct control_call *call)
{
	control_unplug(call, DEVICE_NIC, "nic");
}

static struct machine_lock *lock_of(const struct control_call *call)
{
	return machine_parts(control_machine(call))->lock;
}

static void do_set_link(struct control_call *call)
{
	struct device_slot *slot = control_device(call, DEVICE_NIC, "nic");

	if (!slot)
		return;
	if (!control_has(call, "up")) {
		control_refuse(call, _("The request has no \"up\""));
		return;
	}
	g_mutex_lock(&lock_of(call)->mutex);
	virtio_net_set_link(slot->device, control_flag(call, "up"));
	g_mutex_unlock(&lock_of(call)->mutex);
	control_done(call);
}

/* A direction's limits, as a whole, where the request has them. */
static bool read_bandwidth(const struct control_call *call, const char *name,
	struct config_bandwidth *bandwidth, GError **error)
{
	JsonObject *object = control_object(call, name);
	const char *problem;

	if (!control_has(call, name))
		return true;
	*bandwidth = (struct config_bandwidth){ 0 };
	if (object &&
		(!control_amount(object, "average", CONFIG_BANDWIDTH_MAX, &bandwidth->average,
			 error) ||
			!control_amount(object, "peak", CONFIG_BANDWIDTH_MAX, &bandwidth->peak,
				error) ||
			!control_amount(object, "burst", CONFIG_BANDWIDTH_MAX, &bandwidth->burst,
				error)))
		return false;
	problem = object ? config_bandwidth_problem(bandwidth) : _("this must be an object");
	if (problem)
		g_set_error(error, CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_INVALID, "%s: %s", name,
			problem);
	return !problem;
}

static void do_set_nic_limits(struct control_call *call)
{
	struct device_slot *slot = control_device(call, DEVICE_NIC, "nic");
	struct config_bandwidth inbound, outbound;
	GError *error = NULL;

	if (!slot)
		return;
	virtio_net_get_limits(slot->device, &inbound, &outbound);
	if (!read_bandwidth(call, "inbound", &inbound, &error) ||
		!read_bandwidth(call, "outbound", &outbound, &error)) {
		control_fail(call, error);
		return;
	}
	g_mutex_lock(&lock_of(call)->mutex);
	virtio_net_set_limits(slot->device, &inbound, &outbound);
	g_mutex_unlock(&lock_of(call)->mutex);
	control_done(call);
}

static void describe_bandwidth(
	JsonObject *limits, const char *name, const struct config_bandwidth *bandwidth)
{
	JsonObject *object = json_object_new();

	json_object_set_int_member(object, "average", (gint64)bandwidth->average);
	json_object_set_int_member(object, "peak", (gint64)bandwidth->peak);
	json_object_set_int_member(object, "burst", (gint64)bandwidth->burst);
	json_object_set_object_member(limits, name, object);
}

static JsonObject *describe(const struct device_slot *slot)
{
	JsonObject *nic = json_object_new(), *limits = json_object_new();
	struct config_bandwidth inbound, outbound;

	virtio_net_get_limits(slot->device, &inbound, &outbound);
	json_object_set_string_member(nic, "nic", slot->name);
	json_object_set_boolean_member(nic, "up", virtio_net_cable(slot->device));
	describe_bandwidth(limits, "inbound", &inbound);
	describe_bandwidth(limits, "outbound", &outbound);
	json_object_set_object_member(nic, "limits", limits);
	return nic;
}

static void do_nics(struct control_call *call)
{
	const GPtrArray *slots = devices_list(machine_parts(control_machine(call))->devices);
	JsonArray *nics = json_array_new();

	for (unsigned i = 0; i < slots->len; i++) {
		const struct device_slot *slot = g_ptr_array_index(slots, i);

		if (slot->kind == DEVICE_NIC && slot->pci)
			json_array_add_object_element(nics, describe(slot));
	}
	json_object_set_array_member(control_answer(call), "nics", nics);
	control_done(call);
}

const struct control_request control_net_requests[] = {
	{ "plug-nic", do_plug_nic },
	{ "unplug-nic", do_unplug_nic },
	{ "set-link", do_set_link },
	{ "set-nic-limits", do_set_nic_limits },
	{ "nics", do_nics },
	{ .name = NULL },
};
