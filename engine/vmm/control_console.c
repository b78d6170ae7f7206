// SPDX-License-Identifier: GPL-3.0-or-later
/* Requests about consoles: who looks at them, and one who looks more. */
#include <config.h>

#include "engine/vmm/control.h"

#include "engine/vmm/chardevs.h"
#include "engine/vmm/devices.h"

#include <glib/gi18n.h>
#include <unistd.h>

/* Calls for each console by the name that the protocol gives it, until it says false. */
static void each_console(const struct machine *machine,
	bool (*call)(void *data, const char *name, struct host_chardev *host), void *data)
{
	const struct machine_parts *parts = machine_parts(machine);
	const GPtrArray *slots = devices_list(parts->devices);
	unsigned ports = 0;

	for (unsigned i = 0; i < parts->config->serials->len; i++) {
		g_autofree char *name = g_strdup_printf("serial%u", i);

		if (!call(data, name, parts->serial_hosts[i]))
			return;
	}
	for (unsigned i = 0; i < slots->len; i++) {
		const struct device_slot *slot = g_ptr_array_index(slots, i);
		g_autofree char *name = g_strdup_printf("virtio%u", ports);

		if (slot->kind != DEVICE_CONSOLE || !slot->consoles[0])
			continue;
		ports++;
		if (!call(data, name, slot->consoles[0]))
			return;
	}
}

static bool add_console(void *data, const char *name, struct host_chardev *host)
{
	JsonArray *list = data;
	JsonObject *console = json_object_new();

	json_object_set_string_member(console, "console", name);
	json_object_set_int_member(console, "readers", host_chardev_readers(host));
	json_object_set_boolean_member(console, "writer", host_chardev_has_writer(host));
	json_array_add_object_element(list, console);
	return true;
}

static void do_consoles(struct control_call *call)
{
	JsonArray *list = json_array_new();

	each_console(control_machine(call), add_console, list);
	json_object_set_array_member(control_answer(call), "consoles", list);
	control_done(call);
}

struct search {
	const char *name;
	struct host_chardev *found;
};

static bool is_it(void *data, const char *name, struct host_chardev *host)
{
	struct search *search = data;

	if (!g_str_equal(name, search->name))
		return true;
	search->found = host;
	return false;
}

static void do_attach(struct control_call *call)
{
	g_autoptr(GError) error = NULL;
	struct search search = { .name = control_text(call, "console", &error) };
	int fd = control_take_fd(call);

	if (search.name)
		each_console(control_machine(call), is_it, &search);
	if (error || !search.found || fd < 0) {
		if (fd >= 0)
			close(fd);
		if (error)
			control_fail(call, g_steal_pointer(&error));
		else
			control_refuse(call, fd < 0 ? _("The request brings no descriptor")
						    : _("There is no console of this name"));
		return;
	}
	if (host_chardev_attach(search.found, fd, control_flag(call, "write"),
		    control_flag(call, "force"), &error))
		control_done(call);
	else
		control_fail(call, g_steal_pointer(&error));
}

const struct control_request control_console_requests[] = {
	{ "consoles", do_consoles },
	{ "attach-console", do_attach },
	{ .name = NULL },
};
