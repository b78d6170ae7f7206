// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/bundled.h"
#include "model/plan_kind.h"
#include "model/format.h"
#include "model/xml.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

// ---- vCPUs --------------------------------------------------------------------------------------

static bool read_vcpus(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 *value)
{
	*value = virDomainGetVcpusFlags(domain, impact);
	return *value >= 0;
}

static bool write_vcpus(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 value)
{
	return virDomainSetVcpusFlags(domain, (unsigned)value, impact) == 0;
}

static void bound_vcpus(virDomainPtr domain, struct plan_step *step)
{
	int most = virDomainGetVcpusFlags(domain, VIR_DOMAIN_VCPU_MAXIMUM | VIR_DOMAIN_AFFECT_CURRENT);

	if (most > 0)
		step->most = most;
}

// The guest's agent counts, where there is one that answers.
static char *guest_says_vcpus(virDomainPtr domain, const struct plan_step *step)
{
	int online = virDomainGetVcpusFlags(domain, VIR_DOMAIN_VCPU_GUEST);

	if (online <= 0)
		return NULL;
	return g_strdup_printf(ngettext(", the guest has %d online", ", the guest has %d online",
				       (unsigned long)online),
		online);
}

static char *refuse_vcpus(const struct plan_step *step)
{
	return g_strdup_printf(
		_("The guest can have %d vCPUs at most: raise the maximum for the next start."),
		(int)step->most);
}

static char *virsh_vcpus(const char *guest, const struct plan_step *step)
{
	return g_strdup_printf("setvcpus %s %d", guest, (int)step->to);
}

// ---- memory -------------------------------------------------------------------------------------

// What the saved definition gives at start; libvirt writes it in KiB.
static bool read_saved_memory(virDomainPtr domain, gint64 *value)
{
	g_autofree char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
	xmlDoc *doc = xml ? xml_parse(xml, -1, "the definition", NULL) : NULL;
	g_autofree char *text = NULL;

	if (!doc)
		return false;
	text = xml_text(xml_child(xmlDocGetRootElement(doc), "currentMemory", NULL));
	xmlFreeDoc(doc);
	return text && g_ascii_string_to_signed(text, 10, 0, G_MAXINT64, value, NULL);
}

static bool read_memory(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 *value)
{
	virDomainInfo info;

	if (impact & VIR_DOMAIN_AFFECT_CONFIG)
		return read_saved_memory(domain, value);
	if (virDomainGetInfo(domain, &info) < 0)
		return false;
	*value = (gint64)info.memory;
	return true;
}

static gint64 plugged_memory(virDomainPtr domain, const char *name);

// What a guest has is counted with what virtio-mem has plugged, but the balloon is told without.
static bool write_memory(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 value)
{
	gint64 beside = impact & VIR_DOMAIN_AFFECT_LIVE ? plugged_memory(domain, "current") : 0;

	if (!beside)
		return virDomainSetMemoryFlags(domain, (unsigned long)value, impact) == 0;
	return virDomainSetMemoryFlags(
		       domain, (unsigned long)MAX(value - beside, 1024), VIR_DOMAIN_AFFECT_LIVE) == 0 &&
	       (!(impact & VIR_DOMAIN_AFFECT_CONFIG) ||
		       virDomainSetMemoryFlags(
			       domain, (unsigned long)value, VIR_DOMAIN_AFFECT_CONFIG) == 0);
}

static void bound_memory(virDomainPtr domain, struct plan_step *step)
{
	virDomainInfo info;

	if (virDomainGetInfo(domain, &info) < 0)
		return;
	step->most = (gint64)info.maxMem;
	step->beside = plugged_memory(domain, "current");
	step->least += step->beside;
	// The rest of those devices is plugged by themselves.
	if (virDomainIsActive(domain) == 1)
		step->most += step->beside - plugged_memory(domain, "size");
}

static char *refuse_memory(const struct plan_step *step)
{
	g_autofree char *most = format_size_long((double)step->most * 1024);

	return g_strdup_printf(
		_("The guest can have %s at most: raise 'memory' for the next start."), most);
}

static char *virsh_memory(const char *guest, const struct plan_step *step)
{
	return g_strdup_printf("setmem %s %" G_GINT64_FORMAT, guest, step->to - step->beside);
}

// ---- scheduler: cap and weight --------------------------------------------------------------------

struct parameters {
	virTypedParameterPtr list;
	int count;
};

static void parameters_clear(struct parameters *parameters)
{
	virTypedParamsFree(parameters->list, parameters->count);
}

#define PARAMETERS_AUTO __attribute__((cleanup(parameters_clear)))

static bool read_scheduler(virDomainPtr domain, unsigned impact, struct parameters *parameters)
{
	g_autofree char *type = virDomainGetSchedulerType(domain, &parameters->count);

	if (!type || parameters->count <= 0)
		return false;
	parameters->list = g_new0(virTypedParameter, parameters->count);
	if (virDomainGetSchedulerParametersFlags(
		    domain, parameters->list, &parameters->count, impact) == 0)
		return true;
	g_clear_pointer(&parameters->list, g_free);
	parameters->count = 0;
	return false;
}

// A number under the first of several names that is there.
static bool find_number(const struct parameters *parameters, const char *const *names, gint64 *value)
{
	for (; *names; names++)
		for (int i = 0; i < parameters->count; i++) {
			const virTypedParameter *p = &parameters->list[i];

			if (strcmp(p->field, *names))
				continue;
			switch (p->type) {
			case VIR_TYPED_PARAM_INT: *value = p->value.i; return true;
			case VIR_TYPED_PARAM_UINT: *value = p->value.ui; return true;
			case VIR_TYPED_PARAM_LLONG: *value = p->value.l; return true;
			case VIR_TYPED_PARAM_ULLONG: *value = (gint64)p->value.ul; return true;
			}
		}
	return false;
}

static const char *const global_quota[] = {VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, NULL};
static const char *const global_period[] = {VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, NULL};
static const char *const xen_cap[] = {VIR_DOMAIN_SCHEDULER_CAP, NULL};
static const char *const weights[] = {
	VIR_DOMAIN_SCHEDULER_CPU_SHARES, VIR_DOMAIN_SCHEDULER_WEIGHT, NULL};

// Per cent of one CPU: a quota over a period, or Xen's own cap.
static bool read_cap(virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 *value)
{
	PARAMETERS_AUTO struct parameters parameters = {0};
	gint64 quota, period;

	if (!read_scheduler(domain, impact, &parameters))
		return false;
	if (find_number(&parameters, xen_cap, value)) {
		if (*value == 0)
			*value = PLAN_NONE;
		return true;
	}
	if (!find_number(&parameters, global_quota, &quota) ||
		!find_number(&parameters, global_period, &period))
		return false;
	*value = quota > 0 && period > 0 ? (quota * 100 + period / 2) / period : PLAN_NONE;
	return true;
}

// libvirt's shortest quota is 1 ms, and its longest period 1 s.
#define CAP_PERIOD 100000

static bool write_cap(virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 value)
{
	PARAMETERS_AUTO struct parameters now = {0};
	PARAMETERS_AUTO struct parameters new = {0};
	int most = 0;
	gint64 cap;

	if (!read_scheduler(domain, impact, &now))
		return false;
	if (find_number(&now, xen_cap, &cap)) {
		virTypedParamsAddUInt(&new.list, &new.count, &most, VIR_DOMAIN_SCHEDULER_CAP,
			value == PLAN_NONE ? 0 : (unsigned)value);
	} else {
		virTypedParamsAddULLong(
			&new.list, &new.count, &most, VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, CAP_PERIOD);
		virTypedParamsAddLLong(&new.list, &new.count, &most, VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA,
			value == PLAN_NONE ? -1 : value * CAP_PERIOD / 100);
	}
	return virDomainSetSchedulerParametersFlags(domain, new.list, new.count, impact) == 0;
}

static char *virsh_cap(const char *guest, const struct plan_step *step)
{
	if (step->to == PLAN_NONE)
		return g_strdup_printf("schedinfo %s --set global_quota=-1", guest);
	return g_strdup_printf("schedinfo %s --set global_period=%d --set global_quota=%" G_GINT64_FORMAT,
		guest, CAP_PERIOD, step->to * CAP_PERIOD / 100);
}

static bool read_weight(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 *value)
{
	PARAMETERS_AUTO struct parameters parameters = {0};

	return read_scheduler(domain, impact, &parameters) && find_number(&parameters, weights, value);
}

static bool write_weight(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 value)
{
	PARAMETERS_AUTO struct parameters now = {0};
	PARAMETERS_AUTO struct parameters new = {0};
	int most = 0;
	gint64 shares;

	if (!read_scheduler(domain, impact, &now))
		return false;
	if (find_number(&now, weights + 1, &shares))
		virTypedParamsAddUInt(
			&new.list, &new.count, &most, VIR_DOMAIN_SCHEDULER_WEIGHT, (unsigned)value);
	else
		virTypedParamsAddULLong(
			&new.list, &new.count, &most, VIR_DOMAIN_SCHEDULER_CPU_SHARES, (guint64)value);
	return virDomainSetSchedulerParametersFlags(domain, new.list, new.count, impact) == 0;
}

static void bound_weight(virDomainPtr domain, struct plan_step *step)
{
	char *uri = virConnectGetURI(virDomainGetConnect(domain));
	bool bundled = uri && bundled_is(uri);

	// The engine's are cgroup v2's on every host. Elsewhere v1's largest stands; where it is v2,
	// libvirt says so.
	step->least = bundled ? 1 : 2;
	step->most = bundled ? 10000 : 262144;
	free(uri);
}

static char *virsh_weight(const char *guest, const struct plan_step *step)
{
	return g_strdup_printf(
		"schedinfo %s --set cpu_shares=%" G_GINT64_FORMAT, guest, step->to);
}

// ---- pinning --------------------------------------------------------------------------------------

#define MAP_BYTES ((PLAN_CPUS + 7) / 8)

static gint64 map_value(const unsigned char *map)
{
	gint64 value = 0;

	for (int cpu = 0; cpu < PLAN_CPUS; cpu++)
		if (VIR_CPU_USED(map, cpu))
			value |= (gint64)1 << cpu;
	return value;
}

static bool read_pin(virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 *value)
{
	unsigned char maps[256][MAP_BYTES] = {{0}};
	guint64 vcpu = g_ascii_strtoull(step->member, NULL, 10);
	int count = virDomainGetVcpuPinInfo(domain, G_N_ELEMENTS(maps), maps[0], MAP_BYTES, impact);

	if (vcpu >= (guint64)MAX(count, 0))
		return false;
	*value = map_value(maps[vcpu]);
	return true;
}

static bool write_pin(virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 value)
{
	unsigned char map[MAP_BYTES] = {0};

	for (int cpu = 0; cpu < PLAN_CPUS; cpu++)
		if (value >> cpu & 1)
			VIR_USE_CPU(map, cpu);
	return virDomainPinVcpuFlags(domain,
		       (unsigned)g_ascii_strtoull(step->member, NULL, 10), map, MAP_BYTES, impact) == 0;
}

static void bound_pin(virDomainPtr domain, struct plan_step *step)
{
	virNodeInfo info;

	if (virNodeGetInfo(virDomainGetConnect(domain), &info) == 0)
		step->most = VIR_NODEINFO_MAXCPUS(info) >= PLAN_CPUS ?
				     ((gint64)1 << PLAN_CPUS) - 1 :
				     ((gint64)1 << VIR_NODEINFO_MAXCPUS(info)) - 1;
}

static char *refuse_pin(const struct plan_step *step)
{
	g_autofree char *all = plan_value_text(step, step->most);

	return g_strdup_printf(_("The host has the CPUs %s only."), all);
}

static char *virsh_pin(const char *guest, const struct plan_step *step)
{
	g_autofree char *set = plan_value_text(step, step->to);

	return g_strdup_printf("vcpupin %s %s %s", guest, step->member, set);
}

// ---- disks ----------------------------------------------------------------------------------------

static bool read_disk_size(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 *value)
{
	virDomainBlockInfo info;

	if (impact & VIR_DOMAIN_AFFECT_CONFIG ||
		virDomainGetBlockInfo(domain, step->member, &info, 0) < 0)
		return false;
	*value = (gint64)info.capacity;
	return true;
}

static bool write_disk_size(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 value)
{
	return virDomainBlockResize(
		       domain, step->member, (guint64)value, VIR_DOMAIN_BLOCK_RESIZE_BYTES) == 0;
}

// The file or block device behind a disk of the running guest; NULL where it is none. Caller frees.
static char *disk_path(virDomainPtr domain, const char *target)
{
	g_autofree char *xml = virDomainGetXMLDesc(domain, 0);
	xmlDoc *doc = xml ? xml_parse(xml, -1, "", NULL) : NULL;
	xmlNode *devices = doc ? xml_child(xmlDocGetRootElement(doc), "devices", NULL) : NULL;
	char *path = NULL;

	for (xmlNode *disk = devices ? xmlFirstElementChild(devices) : NULL; disk && !path;
		disk = xmlNextElementSibling(disk)) {
		g_autofree char *name = xml_attribute(xml_child(disk, "target", NULL), "dev");

		if (!g_strcmp0(name, target))
			path = xml_attribute(xml_child(disk, "source", NULL), "file");
	}
	xmlFreeDoc(doc);
	return path;
}

// Free room where the file lies: as its storage pool tells, else by the file system where the
// hypervisor is this machine's own.
static gint64 room_for(virDomainPtr domain, const char *path)
{
	virConnectPtr connection = virDomainGetConnect(domain);
	virStorageVolPtr volume = virStorageVolLookupByPath(connection, path);
	virStoragePoolPtr pool = volume ? virStoragePoolLookupByVolume(volume) : NULL;
	virStoragePoolInfo info;
	g_autofree char *uri = virConnectGetURI(connection);
	g_autoptr(GUri) parsed = uri ? g_uri_parse(uri, G_URI_FLAGS_NONE, NULL) : NULL;
	const char *host = parsed ? g_uri_get_host(parsed) : "?";
	gint64 room = PLAN_UNKNOWN;
	struct statvfs system;

	if (pool && virStoragePoolGetInfo(pool, &info) == 0)
		room = (gint64)info.available;
	else if ((!host || !*host) && access(path, F_OK) == 0 && statvfs(path, &system) == 0)
		room = (gint64)system.f_bavail * (gint64)system.f_frsize;
	if (pool)
		virStoragePoolFree(pool);
	if (volume)
		virStorageVolFree(volume);
	return room;
}

static void bound_disk_size(virDomainPtr domain, struct plan_step *step)
{
	g_autofree char *path = disk_path(domain, step->member);

	step->least = step->from > 0 ? step->from : 1;
	if (path)
		step->left = room_for(domain, path);
}

static char *refuse_disk_size(const struct plan_step *step)
{
	return g_strdup(_("A disk cannot shrink while its guest runs."));
}

static char *virsh_disk_size(const char *guest, const struct plan_step *step)
{
	return g_strdup_printf("blockresize %s %s %" G_GINT64_FORMAT "B", guest, step->member, step->to);
}

// The name of an I/O limit: what follows the member in the step's name.
static const char *limit_field(const struct plan_step *step)
{
	return strrchr(step->name, '.') + 1;
}

static bool read_limit(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 *value)
{
	const char *const names[] = {limit_field(step), NULL};
	PARAMETERS_AUTO struct parameters parameters = {0};

	if (virDomainGetBlockIoTune(domain, step->member, NULL, &parameters.count, impact) < 0 ||
		parameters.count <= 0)
		return false;
	parameters.list = g_new0(virTypedParameter, parameters.count);
	if (virDomainGetBlockIoTune(
		    domain, step->member, parameters.list, &parameters.count, impact) < 0 ||
		!find_number(&parameters, names, value))
		return false;
	if (*value == 0)
		*value = PLAN_NONE;
	return true;
}

static bool write_limit(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 value)
{
	PARAMETERS_AUTO struct parameters new = {0};
	int most = 0;

	virTypedParamsAddULLong(&new.list, &new.count, &most, limit_field(step),
		value == PLAN_NONE ? 0 : (guint64)value);
	return virDomainSetBlockIoTune(domain, step->member, new.list, new.count, impact) == 0;
}

static char *virsh_limit(const char *guest, const struct plan_step *step)
{
	g_autofree char *option = g_strdelimit(g_strdup(limit_field(step)), "_", '-');

	return g_strdup_printf("blkdeviotune %s %s --%s %" G_GINT64_FORMAT, guest, step->member, option,
		step->to == PLAN_NONE ? 0 : step->to);
}

// ---- NICs -------------------------------------------------------------------------------------------

static const char *average_name(const struct plan_step *step)
{
	return g_str_has_suffix(step->name, ".in") ? VIR_DOMAIN_BANDWIDTH_IN_AVERAGE :
						     VIR_DOMAIN_BANDWIDTH_OUT_AVERAGE;
}

// libvirt counts KiB a second; the plan bytes.
static bool read_bandwidth(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 *value)
{
	const char *const names[] = {average_name(step), NULL};
	PARAMETERS_AUTO struct parameters parameters = {0};

	if (virDomainGetInterfaceParameters(domain, step->member, NULL, &parameters.count, impact) < 0 ||
		parameters.count <= 0)
		return false;
	parameters.list = g_new0(virTypedParameter, parameters.count);
	if (virDomainGetInterfaceParameters(
		    domain, step->member, parameters.list, &parameters.count, impact) < 0 ||
		!find_number(&parameters, names, value))
		return false;
	*value = *value == 0 ? PLAN_NONE : *value * 1024;
	return true;
}

static bool write_bandwidth(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 value)
{
	PARAMETERS_AUTO struct parameters new = {0};
	int most = 0;

	virTypedParamsAddUInt(&new.list, &new.count, &most, average_name(step),
		value == PLAN_NONE ? 0 : (unsigned)MAX(1, value / 1024));
	return virDomainSetInterfaceParameters(domain, step->member, new.list, new.count, impact) == 0;
}

static char *virsh_bandwidth(const char *guest, const struct plan_step *step)
{
	return g_strdup_printf("domiftune %s %s --%s %" G_GINT64_FORMAT, guest, step->member,
		g_str_has_suffix(step->name, ".in") ? "inbound" : "outbound",
		step->to == PLAN_NONE ? 0 : MAX(1, step->to / 1024));
}

// ---- virtio-mem -----------------------------------------------------------------------------------

// The <memory> device of that alias in a running definition, or NULL.
static xmlNode *memory_device(xmlDoc *doc, const char *alias)
{
	xmlNode *devices = doc ? xml_child(xmlDocGetRootElement(doc), "devices", NULL) : NULL;

	for (xmlNode *device = devices ? xmlFirstElementChild(devices) : NULL; device;
		device = xmlNextElementSibling(device)) {
		g_autofree char *name = xml_attribute(xml_child(device, "alias", NULL), "name");

		if (!strcmp((const char *)device->name, "memory") && !g_strcmp0(name, alias))
			return device;
	}
	return NULL;
}

static xmlDoc *running_doc(virDomainPtr domain)
{
	g_autofree char *xml = virDomainGetXMLDesc(domain, 0);

	return xml ? xml_parse(xml, -1, "", NULL) : NULL;
}

// A size below <target>, which libvirt writes in KiB.
static bool target_size(xmlNode *device, const char *name, gint64 *value)
{
	xmlNode *size = xml_child(xml_child(device, "target", NULL), name, NULL);
	g_autofree char *text = size ? xml_text(size) : NULL;

	return text && g_ascii_string_to_signed(g_strstrip(text), 10, 0, G_MAXINT64, value, NULL);
}

// The sum of such sizes of all virtio-mem devices of a running guest, KiB.
static gint64 plugged_memory(virDomainPtr domain, const char *name)
{
	xmlDoc *doc = running_doc(domain);
	xmlNode *devices = doc ? xml_child(xmlDocGetRootElement(doc), "devices", NULL) : NULL;
	gint64 sum = 0;

	for (xmlNode *device = xml_child(devices, "memory", NULL); device;
		device = xml_next(device, "memory", NULL)) {
		g_autofree char *model = xml_attribute(device, "model");
		gint64 size = 0;

		if (!g_strcmp0(model, "virtio-mem") && target_size(device, name, &size))
			sum += size;
	}
	xmlFreeDoc(doc);
	return sum;
}

// What the guest has taken of it so far.
static bool read_virtio_mem(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 *value)
{
	xmlDoc *doc = running_doc(domain);
	xmlNode *device = memory_device(doc, step->member);
	bool read = device && target_size(device, "current", value);

	xmlFreeDoc(doc);
	return read;
}

static bool update_device(virDomainPtr domain, xmlNode *device)
{
	g_autofree char *text = xml_dump(device);

	return virDomainUpdateDeviceFlags(domain, text, VIR_DOMAIN_AFFECT_LIVE) == 0;
}

static bool write_virtio_mem(
	virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 value)
{
	xmlDoc *doc = running_doc(domain);
	xmlNode *target = xml_child(memory_device(doc, step->member), "target", NULL);
	xmlNode *requested = target ? xml_child(target, "requested", NULL) : NULL;
	g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, value);
	bool done = false;

	if (requested) {
		xmlSetProp(requested, (const xmlChar *)"unit", (const xmlChar *)"KiB");
		xmlNodeSetContent(requested, (const xmlChar *)text);
		done = update_device(domain, target->parent);
	}
	xmlFreeDoc(doc);
	return done;
}

static void bound_virtio_mem(virDomainPtr domain, struct plan_step *step)
{
	xmlDoc *doc = running_doc(domain);
	xmlNode *device = memory_device(doc, step->member);

	step->least = 0;
	if (device)
		target_size(device, "size", &step->most);
	xmlFreeDoc(doc);
}

static char *virsh_virtio_mem(const char *guest, const struct plan_step *step)
{
	return g_strdup_printf("update-memory-device %s --alias %s --requested-size %" G_GINT64_FORMAT
			       "KiB --live",
		guest, step->member, step->to);
}

// ---- the table --------------------------------------------------------------------------------------

#define DISK_MEMBERS "/domain/devices/disk[@device='disk' or not(@device)]/target", "dev", false
#define LIMIT(field, text, how)                                                                    \
	{                                                                                          \
		"disk.*." field, text, how, DISK_MEMBERS, read_limit, write_limit,                 \
			.virsh = virsh_limit                                                       \
	}

// Memory is given before vCPUs that may need it; what takes away comes after what gives.
const struct plan_kind plan_kinds[] = {
	{"memory", N_("Memory"), UNIT_KIB, NULL, NULL, false, read_memory, write_memory, bound_memory,
		refuse_memory, .settle = 20, .virsh = virsh_memory},
	{"virtio-mem.*", N_("%s"), UNIT_KIB, "/domain/devices/memory[@model='virtio-mem']", "alias", true,
		read_virtio_mem, write_virtio_mem, bound_virtio_mem, .settle = 20, .live_only = true,
		.virsh = virsh_virtio_mem},
	{"vcpus", N_("vCPUs"), UNIT_COUNT, NULL, NULL, false, read_vcpus, write_vcpus, bound_vcpus,
		refuse_vcpus, .settle = 5, .guest_says = guest_says_vcpus, .virsh = virsh_vcpus},
	{"cap", N_("CPU cap"), UNIT_PERCENT, NULL, NULL, false, read_cap, write_cap, .virsh = virsh_cap},
	{"weight", N_("CPU weight"), UNIT_COUNT, NULL, NULL, false, read_weight, write_weight,
		bound_weight, .virsh = virsh_weight},
	{"pin.*", N_("vCPU %s on host CPUs"), UNIT_CPUS, "", NULL, true, read_pin, write_pin, bound_pin,
		refuse_pin, .virsh = virsh_pin},
	{"disk.*.size", N_("%s, size"), UNIT_BYTES, DISK_MEMBERS, read_disk_size, write_disk_size,
		bound_disk_size, refuse_disk_size, .settle = 2, .live_only = true, .one_way = true,
		.virsh = virsh_disk_size},
	LIMIT("total_bytes_sec", N_("%s, limit"), UNIT_BYTE_RATE),
	LIMIT("read_bytes_sec", N_("%s, read limit"), UNIT_BYTE_RATE),
	LIMIT("write_bytes_sec", N_("%s, write limit"), UNIT_BYTE_RATE),
	LIMIT("total_iops_sec", N_("%s, operations"), UNIT_RATE),
	LIMIT("read_iops_sec", N_("%s, reads"), UNIT_RATE),
	LIMIT("write_iops_sec", N_("%s, writes"), UNIT_RATE),
	{"nic.*.in", N_("%s, to the guest"), UNIT_BYTE_RATE, "/domain/devices/interface", "mac", true,
		read_bandwidth, write_bandwidth, .virsh = virsh_bandwidth},
	{"nic.*.out", N_("%s, from the guest"), UNIT_BYTE_RATE, "/domain/devices/interface", "mac", true,
		read_bandwidth, write_bandwidth, .virsh = virsh_bandwidth},
	{.name = NULL},
};
