// SPDX-License-Identifier: GPL-3.0-or-later
/* Statistics: from the monitors' pages, so that nobody is asked. */
#include "engine/daemon/cgroup.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/host.h"
#include "engine/daemon/parameters.h"
#include "engine/daemon/procedure.h"
#include "engine/daemon/statistics.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A guest, and its page or NULL. */
struct source {
	struct guest *guest;
	const struct machine_config *config;
	const struct stats_page *page;
	bool wait; /* files may be looked at, though a server may keep us waiting */
};

static void put_state(const struct source *source, struct parameters *to)
{
	parameters_add_int(to, "state.state", source->guest->state);
	parameters_add_int(to, "state.reason", source->guest->reason);
}

static void put_cpu(const struct source *source, struct parameters *to)
{
	struct statistics_cpu cpu;

	if (!source->guest->monitor)
		return;
	statistics_cpu(source->guest, source->page, &cpu);
	parameters_add_ullong(to, "cpu.time", cpu.total);
	parameters_add_ullong(to, "cpu.user", cpu.user);
	parameters_add_ullong(to, "cpu.system", cpu.system);
}

/* What the guest tells: libvirt's tags, its names in bulk, and ours. */
static const struct told {
	int tag;
	const char *name;
	size_t offset;
	unsigned shift; /* bytes to KiB */
} told[] = {
#define TOLD(tag, name, member, shift)                                                             \
	{                                                                                          \
		VIR_DOMAIN_MEMORY_STAT_##tag, "balloon." name,                                     \
			offsetof(struct stats_guest, member), shift                                \
	}
	TOLD(SWAP_IN, "swap_in", swap_in, 10),
	TOLD(SWAP_OUT, "swap_out", swap_out, 10),
	TOLD(MAJOR_FAULT, "major_fault", major_faults, 0),
	TOLD(MINOR_FAULT, "minor_fault", minor_faults, 0),
	TOLD(UNUSED, "unused", free, 10),
	TOLD(AVAILABLE, "available", total, 10),
	TOLD(USABLE, "usable", available, 10),
	TOLD(LAST_UPDATE, "last-update", told_s, 0),
	TOLD(DISK_CACHES, "disk_caches", caches, 10),
#undef TOLD
};

/* False: the guest has not told it. */
static bool get_told(const struct stats_page *page, const struct told *entry, uint64_t *value)
{
	if (!page || !page->guest.told_s)
		return false;
	memcpy(value, (const char *)&page->guest + entry->offset, sizeof(*value));
	if (*value == STATS_UNKNOWN)
		return false;
	*value >>= entry->shift;
	return true;
}

static void put_balloon(const struct source *source, struct parameters *to)
{
	struct statistics_cpu cpu;
	uint64_t value;

	parameters_add_ullong(to, "balloon.current",
		guest_is_active(source->guest) ? statistics_memory(source->guest, source->page)
					       : source->config->memory_current >> 10);
	parameters_add_ullong(to, "balloon.maximum", definition_memory(source->config));
	for (size_t i = 0; i < G_N_ELEMENTS(told); i++)
		if (get_told(source->page, &told[i], &value))
			parameters_add_ullong(to, told[i].name, value);
	if (!source->guest->monitor)
		return;
	statistics_cpu(source->guest, source->page, &cpu);
	parameters_add_ullong(to, "balloon.rss", cpu.resident);
}

G_GNUC_PRINTF(4, 5)
static void add_indexed(
	struct parameters *to, uint64_t value, bool number, const char *format, ...)
{
	char name[64];
	va_list args;
	va_start(args, format);
	g_vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	if (number)
		parameters_add_ullong(to, name, value);
	else
		parameters_add_int(to, name, (int)value);
}

static void put_one_vcpu(const struct stats_vcpu *vcpu, unsigned id, struct parameters *to)
{
	add_indexed(to, vcpu->online ? VIR_VCPU_RUNNING : VIR_VCPU_OFFLINE, false,
		"vcpu.%u.state", id);
	add_indexed(to, vcpu->run_ns, true, "vcpu.%u.time", id);
	if (vcpu->wait_ns != STATS_UNKNOWN)
		add_indexed(to, vcpu->wait_ns, true, "vcpu.%u.wait", id);
	if (vcpu->steal_ns != STATS_UNKNOWN)
		add_indexed(to, vcpu->steal_ns, true, "vcpu.%u.delay", id);
}

static void put_vcpu(const struct source *source, struct parameters *to)
{
	const struct stats_page *page = source->page;

	parameters_add_uint(to, "vcpu.current", source->config->vcpus);
	parameters_add_uint(to, "vcpu.maximum", source->config->vcpus_max);
	for (unsigned id = 0; page && id < page->guest.vcpu_records; id++)
		if (page->vcpus[id].present)
			put_one_vcpu(&page->vcpus[id], id, to);
}

static void put_one_nic(const struct stats_nic *nic, unsigned index, struct parameters *to)
{
	const struct {
		const char *name;
		uint64_t value;
	} fields[] = {
		{"rx.bytes", nic->rx_bytes},
		{"rx.pkts", nic->rx_packets},
		{"rx.errs", nic->rx_errors},
		{"rx.drop", nic->rx_drops},
		{"tx.bytes", nic->tx_bytes},
		{"tx.pkts", nic->tx_packets},
		{"tx.errs", nic->tx_errors},
		{"tx.drop", nic->tx_drops},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		add_indexed(to, fields[i].value, true, "net.%u.%s", index, fields[i].name);
}

static void put_interface(const struct source *source, struct parameters *to)
{
	const GPtrArray *nets = source->config->nets;

	if (!guest_is_active(source->guest))
		return;
	parameters_add_uint(to, "net.count", nets->len);
	for (unsigned i = 0; i < nets->len; i++) {
		const struct config_net *net = g_ptr_array_index(nets, i);
		g_autofree char *mac = definition_mac(net);
		const struct stats_nic *stats = statistics_nic(source->page, mac);
		char name[32];

		g_snprintf(name, sizeof(name), "net.%u.name", i);
		parameters_add_text(to, name, net->tap_name ? net->tap_name : mac);
		if (stats)
			put_one_nic(stats, i, to);
	}
}

static void put_io(const struct stats_io *io, const char *name, unsigned index, bool bytes,
	struct parameters *to)
{
	add_indexed(to, io->requests, true, "block.%u.%s.reqs", index, name);
	if (bytes)
		add_indexed(to, io->bytes, true, "block.%u.%s.bytes", index, name);
	add_indexed(to, io->total_ns, true, "block.%u.%s.times", index, name);
}

/* Of a guest that does not run, libvirt leaves out what is not there. */
static void put_size(const struct source *source, unsigned index, const struct stats_disk *stats,
	struct parameters *to)
{
	const struct config_disk *disk = g_ptr_array_index(source->config->disks, index);
	struct stat info;

	if (stat(disk->path, &info) < 0)
		return;
	if (info.st_blocks || guest_is_active(source->guest))
		add_indexed(to, (uint64_t)info.st_blocks * 512, true, "block.%u.allocation", index);
	add_indexed(to, stats ? stats->size : (uint64_t)info.st_size, true, "block.%u.capacity",
		index);
	add_indexed(to, (uint64_t)info.st_size, true, "block.%u.physical", index);
}

static void put_one_disk(const struct source *source, unsigned index, struct parameters *to)
{
	const struct config_disk *disk = g_ptr_array_index(source->config->disks, index);
	const struct stats_disk *stats = statistics_disk(source->page, disk->target);
	char name[32];

	g_snprintf(name, sizeof(name), "block.%u.name", index);
	parameters_add_text(to, name, disk->target);
	g_snprintf(name, sizeof(name), "block.%u.path", index);
	if (disk->path)
		parameters_add_text(to, name, disk->path);
	if (stats) {
		put_io(&stats->io[STATS_READ], "rd", index, true, to);
		put_io(&stats->io[STATS_WRITE], "wr", index, true, to);
		put_io(&stats->io[STATS_FLUSH], "fl", index, false, to);
	}
	if (source->wait && disk->path && !disk->block)
		put_size(source, index, stats, to);
	else if (stats && stats->size)
		add_indexed(to, stats->size, true, "block.%u.capacity", index);
}

static void put_block(const struct source *source, struct parameters *to)
{
	parameters_add_uint(to, "block.count", source->config->disks->len);
	for (unsigned i = 0; i < source->config->disks->len; i++)
		put_one_disk(source, i, to);
}

/* There are no such counters, and libvirt has none either for such guests. */
static void put_nothing(const struct source *source, struct parameters *to)
{
}

static const struct {
	unsigned flag;
	void (*put)(const struct source *source, struct parameters *to);
} groups[] = {
	{VIR_DOMAIN_STATS_STATE, put_state},
	{VIR_DOMAIN_STATS_CPU_TOTAL, put_cpu},
	{VIR_DOMAIN_STATS_BALLOON, put_balloon},
	{VIR_DOMAIN_STATS_VCPU, put_vcpu},
	{VIR_DOMAIN_STATS_INTERFACE, put_interface},
	{VIR_DOMAIN_STATS_BLOCK, put_block},
	{VIR_DOMAIN_STATS_PERF, put_nothing},
	{VIR_DOMAIN_STATS_IOTHREAD, put_nothing},
	{VIR_DOMAIN_STATS_MEMORY, put_nothing},
	{VIR_DOMAIN_STATS_DIRTYRATE, put_nothing},
};

static void put_record(struct wire_stats_record *record, struct guest *guest,
	const struct wire_all_stats_args *args)
{
	const struct source source = {
		.guest = guest,
		.config = guest_definition(guest)->config,
		.page = statistics_read(guest),
		.wait = !(args->flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT),
	};
	struct parameters parameters = {0};

	record->domain = guest_wire(guest);
	record->domain.name = g_strdup(record->domain.name);
	for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
		if (!args->stats || (args->stats & groups[i].flag))
			groups[i].put(&source, &parameters);
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

static void append(struct wire_all_stats_ret *ret, struct guest *guest,
	const struct wire_all_stats_args *args)
{
	if (is_wanted(guest, args->flags))
		put_record(&ret->records.records_val[ret->records.records_len++], guest, args);
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

static void add_memory(
	struct wire_memory_stats_ret *ret, unsigned room, int tag, uint64_t value)
{
	if (ret->stats.stats_len >= room)
		return;
	ret->stats.stats_val[ret->stats.stats_len].tag = tag;
	ret->stats.stats_val[ret->stats.stats_len].value = value;
	ret->stats.stats_len++;
}

static bool do_memory_stats(struct call *call, GError **error)
{
	const struct wire_domain_count_flags_args *args = call->args;
	struct wire_memory_stats_ret *ret = call->ret;
	struct guest *guest = registry_find(call->server->registry, &args->domain, error);
	unsigned room = MIN(args->count, (unsigned)VIR_DOMAIN_MEMORY_STAT_NR);
	const struct stats_page *page;
	struct statistics_cpu cpu;
	uint64_t value;

	if (!guest || !guest_check_active(guest, error))
		return false;
	ret->stats.stats_val = calloc(room + 1, sizeof(*ret->stats.stats_val));
	page = statistics_read(guest);
	statistics_cpu(guest, page, &cpu);
	add_memory(ret, room, VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON,
		statistics_memory(guest, page));
	for (size_t i = 0; i < G_N_ELEMENTS(told); i++)
		if (get_told(page, &told[i], &value))
			add_memory(ret, room, told[i].tag, value);
	add_memory(ret, room, VIR_DOMAIN_MEMORY_STAT_RSS, cpu.resident);
	return true;
}

/* ---- of the host's CPUs ---------------------------------------------------------------------- */

#define TOTALS 3

static void return_cpu_stats(
	struct wire_cpu_stats_ret *ret, struct parameters *parameters, unsigned count)
{
	ret->parameters.parameters_val = parameters->at;
	ret->parameters.parameters_len = parameters->count;
	ret->count = (int)count;
}

/* libvirt's ways to ask: room 0 is a question for how many there are. */
static bool do_cpu_total(struct guest *guest, const struct wire_cpu_stats_args *args,
	struct wire_cpu_stats_ret *ret)
{
	struct parameters parameters = {0};
	struct statistics_cpu cpu;

	statistics_cpu(guest, statistics_read(guest), &cpu);
	if (args->room) {
		parameters_add_ullong(&parameters, VIR_DOMAIN_CPU_STATS_CPUTIME, cpu.total);
		parameters_add_ullong(&parameters, VIR_DOMAIN_CPU_STATS_USERTIME, cpu.user);
		parameters_add_ullong(&parameters, VIR_DOMAIN_CPU_STATS_SYSTEMTIME, cpu.system);
		parameters_shorten(&parameters, args->room);
	}
	return_cpu_stats(ret, &parameters, args->room ? parameters.count : TOTALS);
	return true;
}

static bool do_each_cpu(struct guest *guest, const struct wire_cpu_stats_args *args,
	struct wire_cpu_stats_ret *ret, GError **error)
{
	struct parameters parameters = {0};
	uint64_t times[WIRE_CPU_STATS_MAX];
	struct host host;
	unsigned cpus, start = (unsigned)args->start;

	host_read(&host);
	cpus = cgroup_times(guest->registry->cgroup, guest->running->uuid, times,
		MIN((unsigned)host.cpus, WIRE_CPU_STATS_MAX));
	if (!cpus)
		return fault_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
			"there are no times of single CPUs without the control groups of cpuacct");
	if (start >= cpus)
		return fault_set(error, VIR_ERR_INVALID_ARG,
			"start_cpu %u larger than maximum of %u", start, cpus - 1);
	for (unsigned i = start; args->room && i < cpus && i - start < args->cpus; i++)
		parameters_add_ullong(&parameters, VIR_DOMAIN_CPU_STATS_CPUTIME, times[i]);
	return_cpu_stats(ret, &parameters, !args->room && !args->cpus ? cpus : 1);
	return true;
}

static bool do_cpu_stats(struct call *call, GError **error)
{
	const struct wire_cpu_stats_args *args = call->args;
	struct guest *guest = registry_find(call->server->registry, &args->domain, error);

	if (!guest || !guest_check_active(guest, error))
		return false;
	if (args->room > WIRE_CPU_STATS_MAX || args->cpus > WIRE_CPU_STATS_CPUS_MAX ||
		args->start < -1)
		return fault_set(error, VIR_ERR_INVALID_ARG, "there are no such CPUs");
	return args->start == -1 ? do_cpu_total(guest, args, call->ret)
				 : do_each_cpu(guest, args, call->ret, error);
}

#define F(name) PACKET_FORMAT(wire_##name)

const struct procedure procedures_stats[] = {
	{159, "virDomainMemoryStats", F(domain_count_flags_args), F(memory_stats_ret), 0,
		do_memory_stats, NULL},
	{262, "virDomainGetCPUStats", F(cpu_stats_args), F(cpu_stats_ret), 0, do_cpu_stats, NULL},
	{344, "virConnectGetAllDomainStats", F(all_stats_args), F(all_stats_ret), 0, do_all_stats,
		NULL},
	{0, NULL, NULL, NULL, 0, NULL, NULL},
};
