// SPDX-License-Identifier: GPL-3.0-or-later
/* Processors and memory of guests. */
#include <config.h>

#include "engine/common/cpuset.h"
#include "engine/daemon/change.h"
#include "engine/daemon/cpumap.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/host.h"
#include "engine/daemon/parameters.h"
#include "engine/daemon/procedure.h"
#include "engine/daemon/resources.h"
#include "engine/daemon/scheduler.h"
#include "engine/daemon/statistics.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>

#define AFFECT ((unsigned)(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG))

static void refuse(struct call *call, virErrorNumber code, const char *sentence)
{
	g_autoptr(GError) error = NULL;

	fault_set(&error, code, "%s", sentence);
	call_done(call, error);
}

/* ---- number of vCPUs ------------------------------------------------------------------------- */

static void do_set_vcpus(struct call *call)
{
	const struct wire_domain_int_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, 0, 0);

	if (guest)
		resources_set_vcpus(guest, VIR_DOMAIN_AFFECT_LIVE, (unsigned)args->value, false,
			call_done, call);
}

static void do_set_vcpus_flags(struct call *call)
{
	const struct wire_domain_count_flags_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, args->flags, AFFECT | VIR_DOMAIN_VCPU_MAXIMUM);
	bool maximum = args->flags & VIR_DOMAIN_VCPU_MAXIMUM;

	if (!guest)
		return;
	if (!args->count || args->count > CONFIG_VCPUS_MAX)
		refuse(call, VIR_ERR_INVALID_ARG, "there can be 1 to 64 vCPUs");
	else if (maximum && !(args->flags & VIR_DOMAIN_AFFECT_CONFIG) && guest_is_active(guest))
		refuse(call, VIR_ERR_INVALID_ARG,
			"maximum vcpu count of a live domain can't be modified");
	else if (maximum && (args->flags & VIR_DOMAIN_AFFECT_LIVE))
		refuse(call, VIR_ERR_INVALID_ARG,
			"maximum vcpu count of a live domain can't be modified");
	else
		resources_set_vcpus(guest, args->flags & AFFECT, args->count, maximum, call_done,
			call);
}

/* Those of the monitor's "vcpus" that have this member true. */
static void pick_vcpus(JsonObject *answer, const char *member, cpu_set_t *set)
{
	JsonNode *node = json_object_get_member(answer, "vcpus");
	JsonArray *vcpus = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

	CPU_ZERO(set);
	for (guint id = 0; vcpus && id < MIN(json_array_get_length(vcpus), CONFIG_VCPUS_MAX); id++) {
		JsonNode *vcpu = json_array_get_element(vcpus, id);

		if (JSON_NODE_HOLDS_OBJECT(vcpu) &&
			json_object_get_boolean_member_with_default(
				json_node_get_object(vcpu), member, FALSE))
			CPU_SET(id, set);
	}
}

/* With QEMU the guest's agent counts; here the monitor sees which of them the guest has started. */
static void count_in_guest(void *data, JsonObject *answer, const GError *error)
{
	struct call *call = data;
	const struct wire_domain_flags_args *args = call->args;
	cpu_set_t set;

	if (answer) {
		pick_vcpus(answer,
			args->flags & VIR_DOMAIN_VCPU_MAXIMUM ? "present" : "online", &set);
		((struct wire_int_ret *)call->ret)->value = CPU_COUNT(&set);
	}
	call_done(call, error);
}

static void do_get_vcpus_flags(struct call *call)
{
	const struct wire_domain_flags_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, args->flags,
		AFFECT | VIR_DOMAIN_VCPU_MAXIMUM | VIR_DOMAIN_VCPU_GUEST);
	const struct definition *definition;
	g_autoptr(GError) error = NULL;

	if (!guest)
		return;
	definition = change_pick(guest, args->flags, &error);
	if (definition && (args->flags & VIR_DOMAIN_VCPU_GUEST)) {
		if (definition == guest->running)
			guest_ask(guest, "vcpus", NULL, -1, count_in_guest, call);
		else
			refuse(call, VIR_ERR_INVALID_ARG,
				"vcpu count provided by guest agent can only be requested for "
				"live domains");
		return;
	}
	if (definition)
		((struct wire_int_ret *)call->ret)->value =
			(int)(args->flags & VIR_DOMAIN_VCPU_MAXIMUM ? definition->config->vcpus_max
								    : definition->config->vcpus);
	call_done(call, error);
}

static void add_set(struct parameters *parameters, const char *field, const cpu_set_t *set)
{
	g_autofree char *text = cpuset_format(set);

	parameters_add_text(parameters, field, text);
}

static void return_guest_vcpus(void *data, JsonObject *answer, const GError *error)
{
	struct call *call = data;
	struct wire_parameters_ret *ret = call->ret;
	struct parameters parameters = {0};
	cpu_set_t set;

	if (answer) {
		pick_vcpus(answer, "present", &set);
		add_set(&parameters, "vcpus", &set);
		pick_vcpus(answer, "online", &set);
		add_set(&parameters, "online", &set);
		pick_vcpus(answer, "present", &set);
		CPU_CLR(0, &set); /* the one that boots stays */
		add_set(&parameters, "offlinable", &set);
		ret->parameters.parameters_val = parameters.at;
		ret->parameters.parameters_len = parameters.count;
	}
	call_done(call, error);
}

static void do_get_guest_vcpus(struct call *call)
{
	const struct wire_domain_flags_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, args->flags, 0);

	if (guest)
		guest_ask(guest, "vcpus", NULL, -1, return_guest_vcpus, call);
}

/* ---- where they run -------------------------------------------------------------------------- */

static unsigned host_cpus(void)
{
	struct host host;

	host_read(&host);
	return (unsigned)host.cpus;
}

static void pin(struct call *call, struct guest *guest, unsigned flags, int vcpu,
	const void *map, unsigned length)
{
	g_autofree char *cpus = cpumap_format(map, length);

	if (*cpus)
		resources_pin(guest, flags, vcpu, cpus, call_done, call);
	else
		refuse(call, VIR_ERR_INVALID_ARG, "Empty cpu list for pinning");
}

static void do_pin_vcpu(struct call *call)
{
	const struct wire_pin_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, 0, 0);

	if (guest)
		pin(call, guest, VIR_DOMAIN_AFFECT_LIVE, (int)MIN(args->vcpu, (unsigned)G_MAXINT),
			args->map.map_val, args->map.map_len);
}

static void do_pin_vcpu_flags(struct call *call)
{
	const struct wire_pin_flags_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, args->flags, AFFECT);

	if (guest)
		pin(call, guest, args->flags, (int)MIN(args->vcpu, (unsigned)G_MAXINT),
			args->map.map_val, args->map.map_len);
}

static void do_pin_emulator(struct call *call)
{
	const struct wire_pin_emulator_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, args->flags, AFFECT);

	if (guest)
		pin(call, guest, args->flags, RESOURCES_EMULATOR, args->map.map_val,
			args->map.map_len);
}

/* count maps, one behind the other, of the threads from first on. */
static bool return_pinning(struct call *call, const struct definition *definition, int first,
	int count, int length, GError **error)
{
	struct wire_maps_ret *ret = call->ret;
	unsigned cpus = host_cpus();

	if (count < 0 || length <= 0 || length > WIRE_CPUMAP_MAX)
		return fault_set(error, VIR_ERR_INVALID_ARG, "there are no such CPU maps");
	ret->maps.maps_len = (unsigned)(count * length);
	ret->maps.maps_val = calloc(1, ret->maps.maps_len + 1);
	ret->count = count;
	for (int i = 0; i < count; i++) {
		g_autofree char *text = resources_pinning(definition, first + i);

		cpumap_parse(text, cpus, (uint8_t *)ret->maps.maps_val + i * length,
			(size_t)length);
	}
	return true;
}

static bool do_get_vcpu_pins(struct call *call, GError **error)
{
	const struct wire_pin_info_args *args = call->args;
	struct guest *guest = procedure_guest(call, args->flags, AFFECT, error);
	const struct definition *definition =
		guest ? change_pick(guest, args->flags, error) : NULL;

	return definition && return_pinning(call, definition, 0,
				     MIN(args->count, (int)definition->config->vcpus_max),
				     args->length, error);
}

static bool do_get_emulator_pin(struct call *call, GError **error)
{
	const struct wire_domain_count_flags_args *args = call->args;
	struct guest *guest = procedure_guest(call, args->flags, AFFECT, error);
	const struct definition *definition =
		guest ? change_pick(guest, args->flags, error) : NULL;

	return definition && return_pinning(call, definition, RESOURCES_EMULATOR, 1,
				     (int)MIN(args->count, (unsigned)G_MAXINT), error);
}

/* The host CPU that a thread was on last. */
static int thread_cpu(pid_t process, uint64_t thread)
{
	g_autofree char *path = g_strdup_printf(
		"/proc/%d/task/%" G_GUINT64_FORMAT "/stat", (int)process, thread);
	g_autofree char *text = NULL;
	g_auto(GStrv) fields = NULL;
	const char *after;

	if (!thread || !g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	after = strrchr(text, ')');
	fields = g_strsplit(after ? after + 1 : "", " ", -1);
	/* Field 39 of proc(5); the second has been passed. */
	return g_strv_length(fields) > 37 ? atoi(fields[37]) : 0;
}

/* As the page has it; without a page all that the definition has are there. */
static void fill_vcpu(struct guest *guest, const struct stats_page *page, unsigned id,
	struct wire_vcpu *vcpu)
{
	const struct stats_vcpu *from = &page->vcpus[id];

	vcpu->number = id;
	vcpu->state = from->online ? VIR_VCPU_RUNNING : VIR_VCPU_OFFLINE;
	vcpu->cpu_time = from->run_ns;
	vcpu->cpu = thread_cpu(monitor_pid(guest->monitor), from->thread);
}

static bool do_get_vcpus(struct call *call, GError **error)
{
	const struct wire_vcpus_args *args = call->args;
	struct guest *guest = procedure_guest(call, 0, 0, error);
	struct wire_vcpus_ret *ret = call->ret;
	const struct stats_page *page;
	unsigned cpus, length, most;

	if (!guest)
		return false;
	if (!guest_is_active(guest))
		return fault_set(error, VIR_ERR_OPERATION_INVALID,
			"cannot retrieve vcpu information for inactive domain");
	length = (unsigned)CLAMP(args->length, 0, (int)WIRE_CPUMAP_MAX);
	most = MIN((unsigned)MAX(args->count, 0), guest->running->config->vcpus);
	cpus = host_cpus();
	page = statistics_read(guest);
	ret->vcpus.vcpus_val = calloc(most + 1, sizeof(struct wire_vcpu));
	ret->maps.maps_val = calloc(most + 1, length + 1);
	/* The page may not know yet of those that have just come: they run. */
	for (unsigned id = 0; id < most; id++) {
		g_autofree char *text = resources_pinning(guest->running, (int)id);

		ret->vcpus.vcpus_val[id].number = id;
		ret->vcpus.vcpus_val[id].state = VIR_VCPU_RUNNING;
		if (page && id < page->guest.vcpu_records && page->vcpus[id].present)
			fill_vcpu(guest, page, id, &ret->vcpus.vcpus_val[id]);
		cpumap_parse(text, cpus, (uint8_t *)ret->maps.maps_val + id * length, length);
	}
	ret->vcpus.vcpus_len = most;
	ret->maps.maps_len = ret->vcpus.vcpus_len * length;
	return true;
}

/* ---- share and limit ------------------------------------------------------------------------- */

static bool do_scheduler_type(struct call *call, GError **error)
{
	struct wire_scheduler_ret *ret = call->ret;

	if (!procedure_guest(call, 0, 0, error))
		return false;
	ret->name = g_strdup("posix");
	ret->count = SCHEDULER_PARAMETERS;
	return true;
}

static bool return_scheduler(
	struct call *call, struct guest *guest, const struct definition *definition, int room)
{
	struct wire_parameters_ret *ret = call->ret;
	struct parameters parameters = {0};

	scheduler_read(definition, definition == guest->running, &parameters);
	parameters_shorten(&parameters, (unsigned)MAX(room, 0));
	ret->parameters.parameters_val = parameters.at;
	ret->parameters.parameters_len = parameters.count;
	return true;
}

static bool do_get_scheduler(struct call *call, GError **error)
{
	const struct wire_domain_int_args *args = call->args;
	struct guest *guest = procedure_guest(call, 0, 0, error);

	return guest && return_scheduler(call, guest, guest_definition(guest), args->value);
}

static bool do_get_scheduler_flags(struct call *call, GError **error)
{
	const struct wire_domain_int_flags_args *args = call->args;
	struct guest *guest =
		procedure_guest(call, args->flags, AFFECT | VIR_TYPED_PARAM_STRING_OKAY, error);
	const struct definition *definition =
		guest ? change_pick(guest, args->flags, error) : NULL;

	return definition && return_scheduler(call, guest, definition, args->value);
}

static void do_set_scheduler(struct call *call)
{
	const struct wire_set_parameters_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, 0, 0);

	if (guest)
		scheduler_set(guest, 0, args->parameters.parameters_val,
			args->parameters.parameters_len, call_done, call);
}

static void do_set_scheduler_flags(struct call *call)
{
	const struct wire_set_parameters_flags_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, args->flags, AFFECT);

	if (guest)
		scheduler_set(guest, args->flags, args->parameters.parameters_val,
			args->parameters.parameters_len, call_done, call);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void set_memory(struct call *call, struct guest *guest, unsigned affect, uint64_t kib,
	bool maximum)
{
	if (!kib)
		refuse(call, VIR_ERR_INVALID_ARG, "memory must not be zero");
	else
		resources_set_memory(guest, affect, kib, maximum, call_done, call);
}

static void do_set_max_memory(struct call *call)
{
	const struct wire_domain_number_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, 0, 0);

	if (guest)
		set_memory(call, guest, 0, args->value, true);
}

static void do_set_memory(struct call *call)
{
	const struct wire_domain_number_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, 0, 0);

	if (guest)
		set_memory(call, guest, VIR_DOMAIN_AFFECT_LIVE, args->value, false);
}

static void do_set_memory_flags(struct call *call)
{
	const struct wire_domain_number_flags_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, args->flags, AFFECT | VIR_DOMAIN_MEM_MAXIMUM);

	if (guest)
		set_memory(call, guest, args->flags & AFFECT, args->value,
			args->flags & VIR_DOMAIN_MEM_MAXIMUM);
}

static void do_set_period(struct call *call)
{
	const struct wire_domain_int_flags_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, args->flags, AFFECT);

	if (!guest)
		return;
	if (args->value < 0 || args->value > 86400)
		refuse(call, VIR_ERR_INVALID_ARG, "the period must be from 0 to 86400 seconds");
	else
		resources_set_period(
			guest, args->flags, (unsigned)args->value, call_done, call);
}

#define F(name) PACKET_FORMAT(wire_##name)
#define WRITES PROCEDURE_WRITES

const struct procedure procedures_resources[] = {
	{20, "virDomainGetVcpus", F(vcpus_args), F(vcpus_ret), 0, do_get_vcpus, NULL},
	{26, "virDomainPinVcpu", F(pin_args), NULL, WRITES, NULL, do_pin_vcpu},
	{30, "virDomainSetMaxMemory", F(domain_number_args), NULL, WRITES, NULL,
		do_set_max_memory},
	{31, "virDomainSetMemory", F(domain_number_args), NULL, WRITES, NULL, do_set_memory},
	{32, "virDomainSetVcpus", F(domain_int_args), NULL, WRITES, NULL, do_set_vcpus},
	{56, "virDomainGetSchedulerType", F(domain_args), F(scheduler_ret), 0, do_scheduler_type,
		NULL},
	{57, "virDomainGetSchedulerParameters", F(domain_int_args), F(parameters_ret), 0,
		do_get_scheduler, NULL},
	{58, "virDomainSetSchedulerParameters", F(set_parameters_args), NULL, WRITES, NULL,
		do_set_scheduler},
	{199, "virDomainSetVcpusFlags", F(domain_count_flags_args), NULL, WRITES, NULL,
		do_set_vcpus_flags},
	{200, "virDomainGetVcpusFlags", F(domain_flags_args), F(int_ret), 0, NULL,
		do_get_vcpus_flags},
	{204, "virDomainSetMemoryFlags", F(domain_number_flags_args), NULL, WRITES, NULL,
		do_set_memory_flags},
	{219, "virDomainSetSchedulerParametersFlags", F(set_parameters_flags_args), NULL, WRITES,
		NULL, do_set_scheduler_flags},
	{223, "virDomainGetSchedulerParametersFlags", F(domain_int_flags_args), F(parameters_ret),
		0, do_get_scheduler_flags, NULL},
	{225, "virDomainPinVcpuFlags", F(pin_flags_args), NULL, WRITES, NULL, do_pin_vcpu_flags},
	{230, "virDomainGetVcpuPinInfo", F(pin_info_args), F(maps_ret), 0, do_get_vcpu_pins, NULL},
	{279, "virDomainPinEmulator", F(pin_emulator_args), NULL, WRITES, NULL, do_pin_emulator},
	{280, "virDomainGetEmulatorPinInfo", F(domain_count_flags_args), F(maps_ret), 0,
		do_get_emulator_pin, NULL},
	{308, "virDomainSetMemoryStatsPeriod", F(domain_int_flags_args), NULL, WRITES, NULL,
		do_set_period},
	{371, "virDomainGetGuestVcpus", F(domain_flags_args), F(parameters_ret), 0, NULL,
		do_get_guest_vcpus},
	{0, NULL, NULL, NULL, 0, NULL, NULL},
};
