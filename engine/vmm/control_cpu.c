// SPDX-License-Identifier: GPL-3.0-or-later
/* Requests about how many processors the guest has. */
#include <config.h>

#include "engine/vmm/control.h"

#include "engine/common/cpuset.h"
#include "engine/vmm/cpuplug.h"
#include "engine/vmm/cpus.h"
#include "engine/vmm/sandbox.h"

#include <glib/gi18n.h>
#include <sched.h>
#include <unistd.h>

static struct cpuplug *plug_of(const struct control_call *call)
{
	return machine_parts(control_machine(call))->cpuplug;
}

static void guest_has_followed(void *data, GError *error)
{
	struct control_call *call = data;

	if (error) {
		control_fail(call, error);
		return;
	}
	json_object_set_int_member(control_answer(call), "vcpus", cpuplug_online(plug_of(call)));
	control_done(call);
}

static void guest_is_late(struct control_call *call, void *data)
{
	char *missing = cpuplug_missing(plug_of(call));

	cpuplug_forget(plug_of(call), call);
	control_fail(call, g_error_new(CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_TIMEOUT, "%s",
				   missing ? missing : _("The guest has not answered")));
	g_free(missing);
}

static void do_set_vcpus(struct control_call *call)
{
	const struct machine_config *config = machine_config(control_machine(call));
	GError *error = NULL;
	uint64_t count;

	if (!control_number(call, "count", 1, config->vcpus_max, &count, &error)) {
		control_fail(call, error);
		return;
	}
	control_wait(call, guest_is_late, NULL);
	cpuplug_set(plug_of(call), (unsigned)count, guest_has_followed, call);
}

/* The host CPUs a thread may use, "0-1,3". */
static char *affinity(int tid)
{
	cpu_set_t set;

	if (sched_getaffinity(tid, sizeof(set), &set) < 0)
		CPU_ZERO(&set);
	return cpuset_format(&set);
}

/* A thread that is not there has what it would get: the main thread's. */
static JsonObject *describe(const struct cpus *cpus, unsigned id)
{
	JsonObject *object = json_object_new();
	int tid = cpus_tid(cpus, id);
	g_autofree char *host = affinity(tid ? tid : getpid());

	json_object_set_int_member(object, "id", id);
	json_object_set_boolean_member(object, "present", cpus_present(cpus, id));
	json_object_set_boolean_member(object, "online", cpus_online(cpus, id));
	json_object_set_int_member(object, "thread", sandbox_host_thread(tid));
	json_object_set_string_member(object, "cpus", host);
	return object;
}

static void do_vcpus(struct control_call *call)
{
	const struct machine_parts *parts = machine_parts(control_machine(call));
	g_autofree char *emulator = affinity(getpid());
	JsonArray *array = json_array_new();

	for (unsigned id = 0; id < parts->config->vcpus_max; id++)
		json_array_add_object_element(array, describe(parts->cpus, id));
	json_object_set_array_member(control_answer(call), "vcpus", array);
	json_object_set_string_member(control_answer(call), "emulator", emulator);
	control_describe_scheduling(control_answer(call), parts->scheduling);
	control_done(call);
}

const struct control_request control_cpu_requests[] = {
	{"set-vcpus", do_set_vcpus},
	{"vcpus", do_vcpus},
	{.name = NULL},
};
