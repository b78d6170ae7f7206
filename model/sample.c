// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/sample.h"
#include "model/clock.h"
#include "model/error.h"

#include <glib/gi18n.h>
#include <libvirt/virterror.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// Indices above this are not believed: they come from outside and size our arrays.
#define MOST_DEVICES 4096

// A sample of so many guests is megabytes in small pieces, which are given back at once.
#define MANY_RECORDS 200

#define GROUPS                                                                                     \
	(VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON |          \
		VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK)

// Where a plain counter goes, and what one of it is in our units.
struct slot {
	const char *name;
	size_t offset;
	guint64 unit;
};

#define SLOT(name, field, unit)                                                                    \
	{                                                                                          \
		name, offsetof(struct sample_guest, field), unit                                   \
	}

static const struct slot cpu_slots[] = {SLOT("time", cpu_time, 1), {NULL, 0, 0}};

static const struct slot balloon_slots[] = {
	SLOT("current", memory, 1024),
	SLOT("maximum", memory_max, 1024),
	SLOT("available", available, 1024),
	SLOT("usable", usable, 1024),
	SLOT("unused", unused, 1024),
	SLOT("rss", rss, 1024),
	{NULL, 0, 0},
};

static const struct slot vcpu_slots[] = {
	SLOT("current", vcpus, 1), SLOT("maximum", vcpus_max, 1), {NULL, 0, 0}};

static guint64 value_of(const virTypedParameter *param)
{
	switch (param->type) {
	case VIR_TYPED_PARAM_INT:
		return param->value.i < 0 ? SAMPLE_UNKNOWN : (guint64)param->value.i;
	case VIR_TYPED_PARAM_UINT:
		return param->value.ui;
	case VIR_TYPED_PARAM_LLONG:
		return param->value.l < 0 ? SAMPLE_UNKNOWN : (guint64)param->value.l;
	case VIR_TYPED_PARAM_ULLONG:
		return param->value.ul;
	default:
		return SAMPLE_UNKNOWN;
	}
}

static void store(void *base, const struct slot *slots, const char *name, guint64 value)
{
	for (; slots->name; slots++) {
		if (!strcmp(slots->name, name)) {
			if (value != SAMPLE_UNKNOWN && value <= SAMPLE_UNKNOWN / slots->unit)
				*(guint64 *)((char *)base + slots->offset) = value * slots->unit;
			return;
		}
	}
}

// Reads "12.rest" to 12 and "rest"; false when it is no index we believe.
static bool read_index(const char *name, unsigned *index, const char **rest)
{
	char *end;
	unsigned long value;

	if (!g_ascii_isdigit(*name))
		return false;
	value = strtoul(name, &end, 10);
	if (*end != '.' || value >= MOST_DEVICES)
		return false;
	*index = (unsigned)value;
	*rest = end + 1;
	return true;
}

static void clear_disk(void *disk)
{
	g_free(((struct sample_disk *)disk)->target);
	g_free(((struct sample_disk *)disk)->path);
}

static void clear_nic(void *nic)
{
	g_free(((struct sample_nic *)nic)->target);
}

static struct sample_vcpu *vcpu_at(struct sample_guest *guest, unsigned index)
{
	static const struct sample_vcpu unknown = {
		-1, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN};

	if (!guest->vcpu)
		guest->vcpu = g_array_new(FALSE, TRUE, sizeof(struct sample_vcpu));
	while (guest->vcpu->len <= index)
		g_array_append_val(guest->vcpu, unknown);
	return &g_array_index(guest->vcpu, struct sample_vcpu, index);
}

static struct sample_disk *disk_at(struct sample_guest *guest, unsigned index)
{
	static const struct sample_disk unknown = {NULL, NULL,
		{SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN}, 0, 0, 0};

	if (!guest->disks) {
		guest->disks = g_array_new(FALSE, TRUE, sizeof(struct sample_disk));
		g_array_set_clear_func(guest->disks, clear_disk);
	}
	while (guest->disks->len <= index)
		g_array_append_val(guest->disks, unknown);
	return &g_array_index(guest->disks, struct sample_disk, index);
}

static struct sample_nic *nic_at(struct sample_guest *guest, unsigned index)
{
	static const struct sample_nic unknown = {NULL, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN};

	if (!guest->nics) {
		guest->nics = g_array_new(FALSE, TRUE, sizeof(struct sample_nic));
		g_array_set_clear_func(guest->nics, clear_nic);
	}
	while (guest->nics->len <= index)
		g_array_append_val(guest->nics, unknown);
	return &g_array_index(guest->nics, struct sample_nic, index);
}

static void read_text(char **field, const virTypedParameter *param)
{
	if (param->type != VIR_TYPED_PARAM_STRING || !param->value.s)
		return;
	g_free(*field);
	*field = g_utf8_make_valid(param->value.s, -1);
}

static void read_vcpu(struct sample_guest *guest, const char *name, const virTypedParameter *param)
{
	static const struct slot slots[] = {
		{"time", offsetof(struct sample_vcpu, time), 1},
		{"wait", offsetof(struct sample_vcpu, wait), 1},
		{"delay", offsetof(struct sample_vcpu, delay), 1},
		{NULL, 0, 0},
	};
	const char *rest;
	unsigned index;

	if (!read_index(name, &index, &rest))
		store(guest, vcpu_slots, name, value_of(param));
	else if (!strcmp(rest, "state"))
		vcpu_at(guest, index)->state = (int)MIN(value_of(param), 99);
	else
		store(vcpu_at(guest, index), slots, rest, value_of(param));
}

static void read_disk(struct sample_guest *guest, const char *name, const virTypedParameter *param)
{
	static const struct slot slots[] = {
		{"rd.bytes", offsetof(struct sample_disk, counters[0]), 1},
		{"wr.bytes", offsetof(struct sample_disk, counters[1]), 1},
		{"rd.reqs", offsetof(struct sample_disk, counters[2]), 1},
		{"wr.reqs", offsetof(struct sample_disk, counters[3]), 1},
		{"allocation", offsetof(struct sample_disk, allocation), 1},
		{"capacity", offsetof(struct sample_disk, capacity), 1},
		{"physical", offsetof(struct sample_disk, physical), 1},
		{NULL, 0, 0},
	};
	const char *rest;
	unsigned index;

	if (!read_index(name, &index, &rest))
		return;
	if (!strcmp(rest, "name"))
		read_text(&disk_at(guest, index)->target, param);
	else if (!strcmp(rest, "path"))
		read_text(&disk_at(guest, index)->path, param);
	else
		store(disk_at(guest, index), slots, rest, value_of(param));
}

static void read_nic(struct sample_guest *guest, const char *name, const virTypedParameter *param)
{
	static const struct slot slots[] = {
		{"rx.bytes", offsetof(struct sample_nic, rx), 1},
		{"tx.bytes", offsetof(struct sample_nic, tx), 1},
		{NULL, 0, 0},
	};
	const char *rest;
	unsigned index;

	if (!read_index(name, &index, &rest))
		return;
	if (!strcmp(rest, "name"))
		read_text(&nic_at(guest, index)->target, param);
	else
		store(nic_at(guest, index), slots, rest, value_of(param));
}

static void read_param(struct sample_guest *guest, const virTypedParameter *param)
{
	const char *name = param->field;

	if (g_str_has_prefix(name, "block."))
		read_disk(guest, name + 6, param);
	else if (g_str_has_prefix(name, "vcpu."))
		read_vcpu(guest, name + 5, param);
	else if (g_str_has_prefix(name, "net."))
		read_nic(guest, name + 4, param);
	else if (g_str_has_prefix(name, "balloon."))
		store(guest, balloon_slots, name + 8, value_of(param));
	else if (g_str_has_prefix(name, "cpu."))
		store(guest, cpu_slots, name + 4, value_of(param));
	else if (!strcmp(name, "state.state"))
		guest->state = (int)MIN(value_of(param), 99);
	else if (!strcmp(name, "state.reason"))
		guest->reason = (int)MIN(value_of(param), 99);
}

void sample_read(struct sample_guest *guest, const virTypedParameter *params, int count)
{
	for (int i = 0; i < count; i++)
		read_param(guest, &params[i]);
}

void sample_guest_init(struct sample_guest *guest)
{
	memset(guest, 0, sizeof(*guest));
	guest->id = -1;
	guest->state = -1;
	guest->cpu_time = guest->vcpus = guest->vcpus_max = SAMPLE_UNKNOWN;
	guest->memory = guest->memory_max = SAMPLE_UNKNOWN;
	guest->available = guest->usable = guest->unused = guest->rss = SAMPLE_UNKNOWN;
}

void sample_guest_clear(struct sample_guest *guest)
{
	g_free(guest->name);
	g_clear_pointer(&guest->vcpu, g_array_unref);
	g_clear_pointer(&guest->disks, g_array_unref);
	g_clear_pointer(&guest->nics, g_array_unref);
}

static void clear_guest(void *guest)
{
	sample_guest_clear(guest);
}

static struct sample_guest *add_guest(struct sample *sample, virDomainPtr domain)
{
	struct sample_guest guest;
	unsigned id = virDomainGetID(domain);

	sample_guest_init(&guest);
	if (virDomainGetUUIDString(domain, guest.uuid) < 0)
		return NULL;
	guest.name = g_utf8_make_valid(virDomainGetName(domain), -1);
	guest.id = id == (unsigned)-1 ? -1 : (int)id;
	g_array_append_val(sample->guests, guest);
	return &g_array_index(sample->guests, struct sample_guest, sample->guests->len - 1);
}

// Whether the last error says that the driver cannot do it, rather than that it failed.
static bool unsupported(void)
{
	int code = virGetLastErrorCode();

	return code == VIR_ERR_NO_SUPPORT || code == VIR_ERR_INVALID_ARG ||
	       code == VIR_ERR_ARGUMENT_UNSUPPORTED || code == VIR_ERR_OPERATION_UNSUPPORTED ||
	       code == VIR_ERR_CONFIG_UNSUPPORTED || code == VIR_ERR_OPERATION_DENIED;
}

static int bulk(
	virConnectPtr connection, struct sample_limits *limits, virDomainStatsRecordPtr **records)
{
	int count;

	if (!limits->no_nowait) {
		count = virConnectGetAllDomainStats(
			connection, GROUPS, records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
		if (count >= 0 || !unsupported())
			return count;
		limits->no_nowait = true;
	}
	count = virConnectGetAllDomainStats(connection, GROUPS, records, 0);
	if (count < 0 && unsupported())
		limits->no_bulk = true;
	return count;
}

static bool take_bulk(virConnectPtr connection, struct sample_limits *limits, struct sample *sample)
{
	virDomainStatsRecordPtr *records = NULL;
	int count = bulk(connection, limits, &records);

	sample->taken = clock_monotonic();
	for (int i = 0; i < count; i++) {
		struct sample_guest *guest = add_guest(sample, records[i]->dom);

		if (guest)
			sample_read(guest, records[i]->params, records[i]->nparams);
	}
	if (count >= 0)
		virDomainStatsRecordListFree(records);
	if (count >= MANY_RECORDS)
		malloc_trim(0);
	return count >= 0;
}

static void take_one(struct sample *sample, virDomainPtr domain)
{
	struct sample_guest *guest = add_guest(sample, domain);
	virDomainInfo info;

	if (!guest || virDomainGetInfo(domain, &info) < 0)
		return;
	guest->state = info.state;
	guest->reason = 0;
	guest->cpu_time = guest->id >= 0 ? info.cpuTime : SAMPLE_UNKNOWN;
	guest->vcpus = info.nrVirtCpu;
	guest->memory = (guint64)info.memory * 1024;
	guest->memory_max = (guint64)info.maxMem * 1024;
}

// For drivers without the bulk call (LXC, Xen and others of libvirt's): a list, then the cheapest
// call there is for each guest.
static bool take_each(virConnectPtr connection, struct sample *sample)
{
	virDomainPtr *domains = NULL;
	int count = virConnectListAllDomains(connection, &domains, 0);

	sample->taken = clock_monotonic();
	for (int i = 0; i < count; i++) {
		take_one(sample, domains[i]);
		virDomainFree(domains[i]);
	}
	free(domains);
	return count >= 0;
}

static void take_host_cpu(
	virConnectPtr connection, struct sample_limits *limits, struct sample *sample)
{
	virNodeCPUStats stats[16];
	int count = 0; // libvirt fills it in only then

	sample->host_busy = sample->host_idle = SAMPLE_UNKNOWN;
	if (virNodeGetCPUStats(connection, VIR_NODE_CPU_STATS_ALL_CPUS, NULL, &count, 0) < 0 ||
		count > (int)G_N_ELEMENTS(stats) ||
		virNodeGetCPUStats(connection, VIR_NODE_CPU_STATS_ALL_CPUS, stats, &count, 0) < 0) {
		limits->no_cpu = true;
		return;
	}
	sample->host_busy = sample->host_idle = 0;
	for (int i = 0; i < count; i++) {
		if (!strcmp(stats[i].field, VIR_NODE_CPU_STATS_IDLE) ||
			!strcmp(stats[i].field, VIR_NODE_CPU_STATS_IOWAIT))
			sample->host_idle += stats[i].value;
		else if (strcmp(stats[i].field, VIR_NODE_CPU_STATS_UTILIZATION))
			sample->host_busy += stats[i].value;
	}
}

static void take_host_memory(
	virConnectPtr connection, struct sample_limits *limits, struct sample *sample)
{
	virNodeMemoryStats stats[16];
	int count = 0;
	guint64 total = 0, spare = 0;

	sample->host_memory_used = SAMPLE_UNKNOWN;
	if (virNodeGetMemoryStats(connection, VIR_NODE_MEMORY_STATS_ALL_CELLS, NULL, &count, 0) <
			0 ||
		count > (int)G_N_ELEMENTS(stats) ||
		virNodeGetMemoryStats(
			connection, VIR_NODE_MEMORY_STATS_ALL_CELLS, stats, &count, 0) < 0) {
		limits->no_memory = true;
		return;
	}
	for (int i = 0; i < count; i++) {
		if (!strcmp(stats[i].field, VIR_NODE_MEMORY_STATS_TOTAL))
			total = stats[i].value;
		else
			spare += stats[i].value; // free, buffers, cached
	}
	if (total)
		sample->host_memory = total * 1024;
	if (total >= spare)
		sample->host_memory_used = (total - spare) * 1024;
}

struct sample *sample_take(virConnectPtr connection, struct sample_limits *limits, GError **error)
{
	struct sample *sample = g_new0(struct sample, 1);
	bool taken = false;

	sample->guests = g_array_new(FALSE, TRUE, sizeof(struct sample_guest));
	g_array_set_clear_func(sample->guests, clear_guest);
	sample->host_busy = sample->host_idle = SAMPLE_UNKNOWN;
	sample->host_memory = sample->host_memory_used = SAMPLE_UNKNOWN;
	if (!limits->no_bulk)
		taken = take_bulk(connection, limits, sample);
	if (limits->no_bulk)
		taken = take_each(connection, sample);
	if (!taken) {
		error_set_libvirt(error, _("Cannot read the figures of the guests"));
		sample_free(sample);
		return NULL;
	}
	if (!limits->no_cpu)
		take_host_cpu(connection, limits, sample);
	if (!limits->no_memory)
		take_host_memory(connection, limits, sample);
	return sample;
}

void sample_free(struct sample *sample)
{
	if (!sample)
		return;
	g_array_unref(sample->guests);
	g_free(sample);
}
