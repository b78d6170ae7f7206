// SPDX-License-Identifier: GPL-3.0-or-later
/* The connection itself, the host, and events. */
#include <config.h>

#include "engine/daemon/events.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/host.h"
#include "engine/daemon/procedure.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The version of libvirt whose protocol this is. */
#define LIB_VERSION 9000000

/* The highest virDomainEventID that libvirt 9.0 knows. */
#define EVENT_LAST VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE

/* Of libvirt's drivers, as the client asks for them: see VIR_DRV_FEATURE_* of libvirt's sources. */
enum feature {
	FEATURE_TYPED_PARAM_STRING = 9,
	FEATURE_PROGRAM_KEEPALIVE = 10,
	FEATURE_REMOTE_EVENT_CALLBACK = 14,
};

static bool do_open(struct call *call, GError **error)
{
	const struct wire_open_args *args = call->args;
	const char *name = args->name ? *args->name : "lodge:///system";

	/* The others are the client's own: how it found the socket (a user's: 2, started: 4). */
	return client_open(call->client, name, args->flags & VIR_CONNECT_RO, error);
}

static bool do_nothing(struct call *call, GError **error)
{
	return true;
}

static bool do_auth_list(struct call *call, GError **error)
{
	struct wire_auth_ret *ret = call->ret;

	/* Who may connect is decided by the socket: no authentication (0) is asked for. */
	ret->types.types_len = 1;
	ret->types.types_val = calloc(1, sizeof(int));
	return true;
}

static bool do_supports_feature(struct call *call, GError **error)
{
	int feature = ((const struct wire_int_args *)call->args)->value;

	((struct wire_int_ret *)call->ret)->value = feature == FEATURE_TYPED_PARAM_STRING ||
						    feature == FEATURE_PROGRAM_KEEPALIVE ||
						    feature == FEATURE_REMOTE_EVENT_CALLBACK;
	return true;
}

static bool do_get_type(struct call *call, GError **error)
{
	/* Tools know what a guest's definition may hold by this name. */
	return procedure_return_text(call, g_strdup("QEMU"));
}

static bool do_get_version(struct call *call, GError **error)
{
	unsigned major = 0, minor = 0, micro = 0;

	sscanf(PACKAGE_VERSION, "%u.%u.%u", &major, &minor, &micro);
	((struct wire_number_ret *)call->ret)->value = major * 1000000 + minor * 1000 + micro;
	return true;
}

static bool do_get_lib_version(struct call *call, GError **error)
{
	((struct wire_number_ret *)call->ret)->value = LIB_VERSION;
	return true;
}

static bool do_get_hostname(struct call *call, GError **error)
{
	return procedure_return_text(call, g_strdup(g_get_host_name()));
}

static bool do_get_uri(struct call *call, GError **error)
{
	return procedure_return_text(call, g_strdup(client_uri(call->client)));
}

static bool do_get_max_vcpus(struct call *call, GError **error)
{
	const struct wire_optional_args *args = call->args;
	const char *type = args->text ? *args->text : "qemu";

	if (strcmp(type, "qemu") != 0 && strcmp(type, "kvm") != 0)
		return fault_set(error, VIR_ERR_INVALID_ARG, "unknown type '%s'", type);
	((struct wire_int_ret *)call->ret)->value = CONFIG_VCPUS_MAX;
	return true;
}

static bool do_get_capabilities(struct call *call, GError **error)
{
	return procedure_return_text(call, host_capabilities(call->server->registry->program));
}

static bool do_get_sysinfo(struct call *call, GError **error)
{
	char *xml = host_sysinfo();

	return xml ? procedure_return_text(call, xml)
		   : fault_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
			     "Host SMBIOS information is not available");
}

static bool do_get_domain_capabilities(struct call *call, GError **error)
{
	const struct wire_domain_capabilities_args *args = call->args;
	const char *machine = args->machine ? *args->machine : "lodge";
	const char *program = call->server->registry->program;
	bool kvm = args->virttype ? strcmp(*args->virttype, "kvm") == 0 : host_has_kvm();

	if (args->arch && strcmp(*args->arch, "x86_64") != 0 && strcmp(*args->arch, "i686") != 0)
		return fault_set(
			error, VIR_ERR_INVALID_ARG, "unknown architecture: %s", *args->arch);
	if (args->virttype && !kvm && strcmp(*args->virttype, "qemu") != 0)
		return fault_set(
			error, VIR_ERR_INVALID_ARG, "unknown virttype: %s", *args->virttype);
	if (!config_knows_machine(machine))
		return fault_set(error, VIR_ERR_INVALID_ARG,
			"the machine '%s' is not supported by emulator '%s'", machine, program);
	return procedure_return_text(call, host_domain_capabilities(program, kvm, machine));
}

static bool do_node_info(struct call *call, GError **error)
{
	struct wire_node_info_ret *ret = call->ret;
	struct host host;

	host_read(&host);
	memcpy(ret->model, host.model, sizeof(ret->model));
	ret->memory = host.memory;
	ret->cpus = host.cpus;
	ret->mhz = host.mhz;
	ret->nodes = 1;
	ret->sockets = host.sockets;
	ret->cores = host.cores;
	ret->threads = host.threads;
	return true;
}

static bool do_free_memory(struct call *call, GError **error)
{
	((struct wire_number_ret *)call->ret)->value = host_memory("MemFree") << 10;
	return true;
}

static bool do_cells_free_memory(struct call *call, GError **error)
{
	const struct wire_cells_args *args = call->args;
	struct wire_cells_ret *ret = call->ret;

	if (args->first != 0 || args->max < 1)
		return fault_set(error, VIR_ERR_INTERNAL_ERROR, "start cell %d out of range (0-0)",
			args->first);
	ret->bytes.bytes_len = 1;
	ret->bytes.bytes_val = calloc(1, sizeof(*ret->bytes.bytes_val));
	ret->bytes.bytes_val[0] = host_memory("MemFree") << 10;
	return true;
}

static void put_stats(struct wire_node_stats_ret *ret, int asked, const char *const names[],
	const uint64_t values[], unsigned count)
{
	ret->count = (int)count;
	if (asked < (int)count)
		return;
	ret->stats.stats_len = count;
	ret->stats.stats_val = calloc(count, sizeof(*ret->stats.stats_val));
	for (unsigned i = 0; i < count; i++) {
		ret->stats.stats_val[i].field = g_strdup(names[i]);
		ret->stats.stats_val[i].value = values[i];
	}
}

static bool do_node_cpu_stats(struct call *call, GError **error)
{
	static const char *const names[] = {VIR_NODE_CPU_STATS_KERNEL, VIR_NODE_CPU_STATS_USER,
		VIR_NODE_CPU_STATS_IDLE, VIR_NODE_CPU_STATS_IOWAIT};
	const struct wire_node_cpu_stats_args *args = call->args;
	struct host_cpu_time time = {0};

	/* The question how many there are is answered for any, as with libvirt. */
	if (!host_cpu_time(args->cpu, &time) && args->count > 0)
		return fault_set_argument(error, "Invalid cpuNum in %s", "virHostCPUGetStatsLinux");
	put_stats(call->ret, args->count, names,
		(const uint64_t[]){time.kernel, time.user, time.idle, time.iowait},
		G_N_ELEMENTS(names));
	return true;
}

static bool do_node_memory_stats(struct call *call, GError **error)
{
	static const char *const names[] = {VIR_NODE_MEMORY_STATS_TOTAL, VIR_NODE_MEMORY_STATS_FREE,
		VIR_NODE_MEMORY_STATS_BUFFERS, VIR_NODE_MEMORY_STATS_CACHED};
	const struct wire_node_memory_stats_args *args = call->args;
	/* Of one cell the kernel does not tell more. */
	const unsigned count = args->cell < 0 ? G_N_ELEMENTS(names) : 2;

	if (args->cell > 0)
		return fault_set_argument(error, "cellNum in %s must be less than or equal to %d",
			"virHostMemGetStats", 0);
	put_stats(call->ret, args->count, names,
		(const uint64_t[]){host_memory("MemTotal"), host_memory("MemFree"),
			host_memory("Buffers"), host_memory("Cached")},
		count);
	return true;
}

static bool do_node_cpu_map(struct call *call, GError **error)
{
	const struct wire_cpu_map_args *args = call->args;
	struct wire_cpu_map_ret *ret = call->ret;
	unsigned cpus = (unsigned)MAX(1, sysconf(_SC_NPROCESSORS_CONF));

	ret->count = (int)cpus;
	ret->online = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	if (!args->need_map)
		return true;
	ret->map.map_len = (cpus + 7) / 8;
	ret->map.map_val = calloc(1, ret->map.map_len);
	for (unsigned i = 0; i < ret->online; i++)
		ret->map.map_val[i / 8] = (char)(ret->map.map_val[i / 8] | 1 << i % 8);
	return true;
}

/* ---- events ---------------------------------------------------------------------------------- */

static bool check_event(int event, GError **error)
{
	return (event >= 0 && event <= EVENT_LAST) ||
	       fault_set(error, VIR_ERR_INTERNAL_ERROR, "unsupported event ID %d", event);
}

/* In the form of old, without a number. */
static bool add_old(struct call *call, int event, GError **error)
{
	return event_add_callback(call->client, EVENT_GUEST, event, NULL, true) >= 0 ||
	       fault_set(error, VIR_ERR_OPERATION_FAILED,
		       "too many event callbacks are registered");
}

static bool do_event_register(struct call *call, GError **error)
{
	return add_old(call, VIR_DOMAIN_EVENT_ID_LIFECYCLE, error);
}

static bool do_event_deregister(struct call *call, GError **error)
{
	return event_remove_old(call->client, VIR_DOMAIN_EVENT_ID_LIFECYCLE) ||
	       fault_set(error, VIR_ERR_INTERNAL_ERROR, "domain event %d not registered", 0);
}

static bool do_event_register_any(struct call *call, GError **error)
{
	int event = ((const struct wire_int_args *)call->args)->value;

	return check_event(event, error) && add_old(call, event, error);
}

static bool do_event_deregister_any(struct call *call, GError **error)
{
	int event = ((const struct wire_int_args *)call->args)->value;

	return event_remove_old(call->client, event) ||
	       fault_set(error, VIR_ERR_INTERNAL_ERROR, "domain event %d not registered", event);
}

static bool do_callback_register_any(struct call *call, GError **error)
{
	const struct wire_event_args *args = call->args;
	struct guest *guest = NULL;

	if (!check_event(args->event, error))
		return false;
	if (args->domain) {
		guest = registry_find(call->server->registry, args->domain, error);
		if (!guest)
			return false;
	}
	return procedure_register(call, EVENT_GUEST, args->event,
		guest ? guest_definition(guest)->uuid : NULL, error);
}

static bool do_callback_deregister_any(struct call *call, GError **error)
{
	int number = ((const struct wire_int_args *)call->args)->value;

	return event_remove_callback(call->client, EVENT_GUEST, number) ||
	       fault_set(error, VIR_ERR_INTERNAL_ERROR, "domain event callback %d not registered",
		       number);
}

static bool do_one(struct call *call, GError **error)
{
	((struct wire_int_ret *)call->ret)->value = 1;
	return true;
}

#define F(name) PACKET_FORMAT(wire_##name)

const struct procedure procedures_host[] = {
	{1, "virConnectOpen", F(open_args), NULL, PROCEDURE_EARLY, do_open, NULL},
	{2, "virConnectClose", NULL, NULL, PROCEDURE_EARLY, do_nothing, NULL},
	{3, "virConnectGetType", NULL, F(text_ret), 0, do_get_type, NULL},
	{4, "virConnectGetVersion", NULL, F(number_ret), 0, do_get_version, NULL},
	{5, "virConnectGetMaxVcpus", F(optional_args), F(int_ret), 0, do_get_max_vcpus, NULL},
	{6, "virNodeGetInfo", NULL, F(node_info_ret), 0, do_node_info, NULL},
	{7, "virConnectGetCapabilities", NULL, F(text_ret), 0, do_get_capabilities, NULL},
	{59, "virConnectGetHostname", NULL, F(text_ret), 0, do_get_hostname, NULL},
	{60, "virConnectSupportsFeature", F(int_args), F(int_ret), PROCEDURE_EARLY,
		do_supports_feature, NULL},
	{66, "virConnectAuthList", NULL, F(auth_ret), PROCEDURE_EARLY, do_auth_list, NULL},
	{101, "virNodeGetCellsFreeMemory", F(cells_args), F(cells_ret), 0, do_cells_free_memory,
		NULL},
	{102, "virNodeGetFreeMemory", NULL, F(number_ret), 0, do_free_memory, NULL},
	{105, "virConnectDomainEventRegister", NULL, F(int_ret), 0, do_event_register, NULL},
	{106, "virConnectDomainEventDeregister", NULL, F(int_ret), 0, do_event_deregister, NULL},
	{110, "virConnectGetURI", NULL, F(text_ret), 0, do_get_uri, NULL},
	{149, "virConnectIsSecure", NULL, F(int_ret), 0, do_one, NULL},
	{157, "virConnectGetLibVersion", NULL, F(number_ret), 0, do_get_lib_version, NULL},
	{167, "virConnectDomainEventRegisterAny", F(int_args), NULL, 0, do_event_register_any,
		NULL},
	{168, "virConnectDomainEventDeregisterAny", F(int_args), NULL, 0, do_event_deregister_any,
		NULL},
	{203, "virConnectGetSysinfo", F(flags_args), F(text_ret), 0, do_get_sysinfo, NULL},
	{227, "virNodeGetCPUStats", F(node_cpu_stats_args), F(node_stats_ret), 0, do_node_cpu_stats,
		NULL},
	{228, "virNodeGetMemoryStats", F(node_memory_stats_args), F(node_stats_ret), 0,
		do_node_memory_stats, NULL},
	{293, "virNodeGetCPUMap", F(cpu_map_args), F(cpu_map_ret), 0, do_node_cpu_map, NULL},
	{316, "virConnectDomainEventRegisterAny", F(event_args), F(int_ret), 0,
		do_callback_register_any, NULL},
	{317, "virConnectDomainEventDeregisterAny", F(int_args), NULL, 0,
		do_callback_deregister_any, NULL},
	{342, "virConnectGetDomainCapabilities", F(domain_capabilities_args), F(text_ret), 0,
		do_get_domain_capabilities, NULL},
	{0, NULL, NULL, NULL, 0, NULL, NULL},
};
