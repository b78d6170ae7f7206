// SPDX-License-Identifier: GPL-3.0-or-later
/* Requests about the guest's life as a whole. */
#include <config.h>

#include "engine/vmm/control.h"
#include "engine/vmm/cpus.h"
#include "engine/vmm/devices.h"
#include "engine/vmm/sandbox.h"

#include <glib/gi18n.h>

static void add_sandbox(JsonObject *answer)
{
	const GPtrArray *problems = sandbox_problems();
	JsonArray *list = json_array_new();

	for (unsigned i = 0; i < problems->len; i++)
		json_array_add_string_element(list, g_ptr_array_index(problems, i));
	json_object_set_array_member(answer, "sandbox", list);
}

static void add_path(JsonArray *list, const struct host_chardev *host)
{
	const char *path = host ? host_chardev_path(host) : NULL;

	if (path)
		json_array_add_string_element(list, path);
	else
		json_array_add_null_element(list);
}

static void add_devices(const struct machine *machine, JsonObject *answer)
{
	const GPtrArray *slots = devices_list(machine_parts(machine)->devices);
	JsonArray *list = json_array_new(), *ports = json_array_new();

	for (unsigned i = 0; i < slots->len; i++) {
		const struct device_slot *slot = g_ptr_array_index(slots, i);
		JsonObject *device;

		if (slot->kind == DEVICE_CONSOLE && slot->consoles[0])
			add_path(ports, slot->consoles[0]);
		if (!slot->pci)
			continue;
		device = json_object_new();
		json_object_set_string_member(device, "device", slot->name);
		json_object_set_int_member(device, "slot", virtio_pci_slot(slot->pci));
		json_array_add_object_element(list, device);
	}
	json_object_set_array_member(answer, "devices", list);
	json_object_set_array_member(answer, "ports", ports);
}

static void do_status(struct control_call *call)
{
	const struct machine *machine = control_machine(call);
	JsonObject *answer = control_answer(call);
	static const char *const states[] = {
		[MACHINE_PAUSED] = "paused",
		[MACHINE_RUNNING] = "running",
		[MACHINE_HELD] = "paused",
		[MACHINE_PRESERVED] = "preserved",
		[MACHINE_ENDED] = "ended",
	};
	const struct machine_config *config = machine_config(machine);
	JsonArray *serials = json_array_new();

	json_object_set_string_member(answer, "state", states[machine_state(machine)]);
	json_object_set_string_member(answer, "name", config->name);
	json_object_set_string_member(answer, "uuid", config->uuid);
	json_object_set_string_member(answer, "backend", machine_backend(machine));
	json_object_set_int_member(answer, "vcpus", cpus_count(machine_parts(machine)->cpus));
	json_object_set_int_member(answer, "vcpus_max", config->vcpus_max);
	json_object_set_int_member(answer, "memory", (gint64)config->memory);
	json_object_set_int_member(answer, "pid", sandbox_pid());
	json_object_set_int_member(answer, "uptime", (gint64)machine_uptime(machine));
	for (unsigned i = 0; i < config->serials->len; i++) {
		const char *path = machine_serial_path(machine, i);

		if (path)
			json_array_add_string_element(serials, path);
		else
			json_array_add_null_element(serials);
	}
	json_object_set_array_member(answer, "serials", serials);
	add_devices(machine, answer);
	add_sandbox(answer);
	control_done(call);
}

/* Answers for what either works at once or cannot be done now. */
static void answer(struct control_call *call, bool worked, const char *problem)
{
	if (worked)
		control_done(call);
	else
		control_refuse(call, problem);
}

static void do_pause(struct control_call *call)
{
	answer(call, machine_pause(control_machine(call)), _("The guest is not running"));
}

static void do_resume(struct control_call *call)
{
	answer(call, machine_resume(control_machine(call)), _("The guest is not paused"));
}

static void do_reset(struct control_call *call)
{
	answer(call, machine_reset(control_machine(call)), _("The guest could not be loaded again"));
}

static void do_powerdown(struct control_call *call)
{
	answer(call, machine_press_power(control_machine(call)), _("The guest is not running"));
}

static void do_quit(struct control_call *call)
{
	machine_quit(control_machine(call));
	control_done(call);
}

const struct control_request control_life_requests[] = {
	{ "status", do_status },
	{ "pause", do_pause },
	{ "resume", do_resume },
	{ "reset", do_reset },
	{ "powerdown", do_powerdown },
	{ "quit", do_quit },
	{ .name = NULL },
};
