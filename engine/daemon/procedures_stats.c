// SPDX-License-Identifier: GPL-3.0-or-later
/* Statistics. They are the monitor process's, as the host sees it. */
#include "engine/daemon/fault.h"
#include "engine/daemon/host.h"
#include "engine/daemon/procedure.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>

#define PARAMETERS_MAX 32u

struct parameters {
	struct wire_parameter *at;
	unsigned count;
};

static struct wire_parameter *add(struct parameters *parameters, const char *field, int type)
{
	struct wire_parameter *parameter = &parameters->at[parameters->count];

	g_assert(parameters->count < PARAMETERS_MAX);
	parameters->count++;
	parameter->field = g_strdup(field);
	parameter->value.type = type;
	return parameter;
}

static void add_int(struct parameters *parameters, const char *field, int value)
{
	add(parameters, field, VIR_TYPED_PARAM_INT)->value.wire_value_u.i = value;
}

static void add_uint(struct parameters *parameters, const char *field, unsigned value)
{
	add(parameters, field, VIR_TYPED_PARAM_UINT)->value.wire_value_u.ui = value;
}

static void add_number(struct parameters *parameters, const char *field, uint64_t value)
{
	add(parameters, field, VIR_TYPED_PARAM_ULLONG)->value.wire_value_u.ul = value;
}

static void put_state(const struct guest *guest, struct parameters *parameters)
{
	add_int(parameters, "state.state", guest->state);
	add_int(parameters, "state.reason", guest->reason);
}

static void put_cpu(const struct guest *guest, struct parameters *parameters)
{
	struct host_process process;

	if (!guest->monitor || !monitor_pid(guest->monitor))
		return;
	host_process(monitor_pid(guest->monitor), &process);
	add_number(parameters, "cpu.time", process.user + process.system);
	add_number(parameters, "cpu.user", process.user);
	add_number(parameters, "cpu.system", process.system);
}

static void put_balloon(const struct guest *guest, struct parameters *parameters)
{
	const struct machine_config *config = guest_definition(guest)->config;
	struct host_process process;

	if (guest_is_active(guest))
		add_number(parameters, "balloon.current", config->memory_current >> 10);
	add_number(parameters, "balloon.maximum", config->memory >> 10);
	if (!guest->monitor || !monitor_pid(guest->monitor))
		return;
	host_process(monitor_pid(guest->monitor), &process);
	add_number(parameters, "balloon.rss", process.rss);
}

static void put_vcpu(const struct guest *guest, struct parameters *parameters)
{
	const struct machine_config *config = guest_definition(guest)->config;

	add_uint(parameters, "vcpu.current", config->vcpus);
	add_uint(parameters, "vcpu.maximum", config->vcpus_max);
}

static const struct {
	unsigned flag;
	void (*put)(const struct guest *guest, struct parameters *parameters);
} groups[] = {
	{VIR_DOMAIN_STATS_STATE, put_state},
	{VIR_DOMAIN_STATS_CPU_TOTAL, put_cpu},
	{VIR_DOMAIN_STATS_BALLOON, put_balloon},
	{VIR_DOMAIN_STATS_VCPU, put_vcpu},
};

static void put_record(struct wire_stats_record *record, const struct guest *guest, unsigned stats)
{
	struct parameters parameters = {
		.at = calloc(PARAMETERS_MAX, sizeof(struct wire_parameter)),
	};

	record->domain = guest_wire(guest);
	record->domain.name = g_strdup(record->domain.name);
	for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
		if (!stats || (stats & groups[i].flag))
			groups[i].put(guest, &parameters);
	record->parameters.parameters_val = parameters.at;
	record->parameters.parameters_len = parameters.count;
}

static bool is_wanted(const struct guest *guest, unsigned flags)
{
	const unsigned activity = VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE |
				  VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE;
	const unsigned kind = VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT |
			      VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT;
	const unsigned states = VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING |
				VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED |
				VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF |
				VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER;
	unsigned is = guest_is_active(guest) ? VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
					     : VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE;

	is |= guest->saved ? VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT
			   : VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT;
	is |= guest->state == VIR_DOMAIN_RUNNING   ? VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING
	      : guest->state == VIR_DOMAIN_PAUSED  ? VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED
	      : guest->state == VIR_DOMAIN_SHUTOFF ? VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF
						   : VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER;
	return (!(flags & activity) || (flags & activity & is)) &&
	       (!(flags & kind) || (flags & kind & is)) &&
	       (!(flags & states) || (flags & states & is));
}

static bool check_stats(const struct wire_all_stats_args *args, GError **error)
{
	unsigned known = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
		known |= groups[i].flag;
	return !(args->flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS) ||
	       !(args->stats & ~known) ||
	       fault_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
		       "Stats types bits 0x%x are not supported by this daemon",
		       args->stats & ~known);
}

static void append(struct wire_all_stats_ret *ret, const struct guest *guest,
	const struct wire_all_stats_args *args)
{
	if (is_wanted(guest, args->flags))
		put_record(
			&ret->records.records_val[ret->records.records_len++], guest, args->stats);
}

static bool do_all_stats(struct call *call, GError **error)
{
	const struct wire_all_stats_args *args = call->args;
	struct wire_all_stats_ret *ret = call->ret;
	struct registry *registry = call->server->registry;
	guint count = args->domains.domains_len ? args->domains.domains_len : registry->guests->len;

	if (!check_stats(args, error))
		return false;
	ret->records.records_val = calloc(count + 1, sizeof(*ret->records.records_val));
	for (guint i = 0; i < count; i++) {
		struct guest *guest;

		if (args->domains.domains_len)
			guest = registry_find(registry, &args->domains.domains_val[i], NULL);
		else
			guest = g_ptr_array_index(registry->guests, i);
		if (guest)
			append(ret, guest, args);
	}
	return true;
}

static bool do_memory_stats(struct call *call, GError **error)
{
	const struct wire_domain_count_flags_args *args = call->args;
	struct wire_memory_stats_ret *ret = call->ret;
	struct guest *guest = registry_find(call->server->registry, &args->domain, error);
	struct host_process process;

	if (!guest || !guest_check_active(guest, error))
		return false;
	host_process(monitor_pid(guest->monitor), &process);
	ret->stats.stats_val = calloc(2, sizeof(*ret->stats.stats_val));
	ret->stats.stats_val[0].tag = VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON;
	ret->stats.stats_val[0].value = guest->running->config->memory_current >> 10;
	ret->stats.stats_val[1].tag = VIR_DOMAIN_MEMORY_STAT_RSS;
	ret->stats.stats_val[1].value = process.rss;
	ret->stats.stats_len = MIN(args->count, 2);
	return true;
}

#define F(name) PACKET_FORMAT(wire_##name)

const struct procedure procedures_stats[] = {
	{159, "virDomainMemoryStats", F(domain_count_flags_args), F(memory_stats_ret), 0,
		do_memory_stats, NULL},
	{344, "virConnectGetAllDomainStats", F(all_stats_args), F(all_stats_ret), 0, do_all_stats,
		NULL},
	{0, NULL, NULL, NULL, 0, NULL, NULL},
};
