// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/resources.h"

#include "engine/daemon/change.h"
#include "engine/daemon/devices.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/parameters.h"
#include "engine/daemon/policy.h"
#include "engine/daemon/registry.h"
#include "engine/daemon/scheduler.h"
#include "engine/daemon/statistics.h"

#include <libvirt/libvirt.h>
#include <string.h>

/* A guest's own programs may have to take new processors on line. */
#define GUEST_TIMEOUT 30.0

/* The request and its members; false, so that a request function can end with it. */
static bool fill(struct change_request *request, const char *name, JsonObject *members)
{
	request->name = name;
	request->members = members;
	return true;
}

/* ---- number of vCPUs ------------------------------------------------------------------------- */

struct vcpus {
	unsigned count;
	bool maximum;
};

static bool edit_vcpus(void *data, xmlNode *root, bool live, GError **error)
{
	const struct vcpus *vcpus = data;
	xmlNode *node = tree_child(root, "vcpu");
	uint64_t most = tree_text_number(node, 1);

	if (vcpus->maximum) {
		tree_set_text_number(node, vcpus->count);
		if (tree_number(node, "current", most) > vcpus->count)
			tree_set_number(node, "current", vcpus->count);
		else if (tree_number(node, "current", 0) == 0)
			tree_set_number(node, "current", MIN(most, vcpus->count));
		return true;
	}
	if (vcpus->count > most)
		return fault_set(error, VIR_ERR_INVALID_ARG,
			"requested vcpus is greater than max allowable vcpus for the %s domain: "
			"%u > %u",
			live ? "live" : "persistent", vcpus->count, (unsigned)most);
	tree_set_number(node, "current", vcpus->count);
	return true;
}

static bool request_vcpus(void *data, struct guest *guest, unsigned step,
	struct change_request *request, GError **error)
{
	const struct vcpus *vcpus = data;
	const struct machine_config *config = guest->running->config;
	g_autofree char *warning = NULL;
	JsonObject *members;

	if (step)
		return false;
	if (vcpus->count > config->vcpus &&
		!policy_admit(
			guest->registry, 0, vcpus->count - config->vcpus, &warning, error))
		return false;
	guest->vcpus_asked = vcpus->count;
	members = json_object_new();
	json_object_set_int_member(members, "count", vcpus->count);
	json_object_set_double_member(members, "timeout", GUEST_TIMEOUT);
	return fill(request, "set-vcpus", members);
}

static const struct change_ops vcpus_ops = {
	.edit = edit_vcpus,
	.request = request_vcpus,
	.free = g_free,
};

void resources_set_vcpus(struct guest *guest, unsigned affect, unsigned count, bool maximum,
	guest_done done, void *data)
{
	struct vcpus *vcpus = g_new0(struct vcpus, 1);

	vcpus->count = count;
	vcpus->maximum = maximum;
	change_begin(guest, affect, &vcpus_ops, vcpus, done, data);
}

void resources_vcpus_changed(struct guest *guest, unsigned count)
{
	struct vcpus vcpus = {.count = count};
	struct definition *definition;

	if (count != guest->vcpus_asked || count == guest->running->config->vcpus)
		return;
	definition = definition_edit(guest->running, edit_vcpus, &vcpus, true, NULL);
	if (definition)
		guest_set_running(guest, definition, NULL);
}

/* ---- memory ---------------------------------------------------------------------------------- */

struct memory {
	uint64_t kib;
	bool maximum;
};

static bool edit_memory(void *data, xmlNode *root, bool live, GError **error)
{
	const struct memory *memory = data;
	xmlNode *most = tree_child(root, "memory"), *now = tree_child(root, "currentMemory");

	if (memory->maximum) {
		if (live)
			return fault_set(error, VIR_ERR_OPERATION_INVALID,
				"cannot resize the maximum memory on an active domain");
		tree_set_text_number(most, memory->kib);
		if (tree_text_number(now, 0) > memory->kib)
			tree_set_text_number(now, memory->kib);
		return true;
	}
	if (memory->kib > tree_text_number(most, 0))
		return fault_set(error, VIR_ERR_INVALID_ARG,
			"cannot set memory higher than max memory");
	if (live && tree_attribute_is(
			    tree_child(devices_list(root), "memballoon"), "model", "none"))
		return fault_set(error, VIR_ERR_OPERATION_INVALID,
			"Unable to change memory of active domain without the balloon device and "
			"guest OS balloon driver");
	/* A running guest's follows as the guest does: by the event. */
	if (!live)
		tree_set_text_number(now, memory->kib);
	return true;
}

static bool request_memory(void *data, struct guest *guest, unsigned step,
	struct change_request *request, GError **error)
{
	const struct memory *memory = data;
	JsonObject *members;

	if (step)
		return false;
	members = json_object_new();
	json_object_set_int_member(members, "size",
		(gint64)MIN(memory->kib << 10, guest->running->config->memory));
	return fill(request, "set-memory", members);
}

static const struct change_ops memory_ops = {
	.edit = edit_memory,
	.request = request_memory,
	.free = g_free,
};

void resources_set_memory(struct guest *guest, unsigned affect, uint64_t kib, bool maximum,
	guest_done done, void *data)
{
	struct memory *memory = g_new0(struct memory, 1);

	memory->kib = MIN(kib, CONFIG_MEMORY_MAX);
	memory->maximum = maximum;
	change_begin(guest, affect, &memory_ops, memory, done, data);
}

static bool edit_current(void *data, xmlNode *root, bool live, GError **error)
{
	tree_set_text_number(tree_child(root, "currentMemory"), *(uint64_t *)data);
	return true;
}

void resources_refresh(struct guest *guest)
{
	uint64_t kib = statistics_balloon(guest, statistics_read(guest));
	struct definition *definition;

	if (kib == guest->running->config->memory_current >> 10)
		return;
	definition = definition_edit(guest->running, edit_current, &kib, true, NULL);
	if (definition)
		guest_set_running(guest, definition, NULL);
}

char *resources_live_xml(const struct guest *guest)
{
	uint64_t kib = (guest->running->config->memory_current >> 10) + guest->added;
	struct definition *shown =
		guest->added ? definition_edit(guest->running, edit_current, &kib, true, NULL) : NULL;
	char *xml = definition_live_xml(shown ? shown : guest->running, guest->id);

	definition_free(shown);
	return xml;
}

/* ---- the balloon's statistics ---------------------------------------------------------------- */

static bool edit_period(void *data, xmlNode *root, bool live, GError **error)
{
	xmlNode *balloon = tree_child(devices_list(root), "memballoon"), *stats;

	if (!balloon || tree_attribute_is(balloon, "model", "none"))
		return fault_set(error, VIR_ERR_OPERATION_INVALID,
			"Memory balloon model must be virtio to set the collection period");
	stats = tree_child(balloon, "stats");
	if (!*(unsigned *)data) {
		tree_remove(stats);
		return true;
	}
	if (!stats)
		stats = balloon->children
				? xmlAddPrevSibling(balloon->children,
					  xmlNewDocNode(root->doc, NULL,
						  (const xmlChar *)"stats", NULL))
				: tree_add(balloon, "stats");
	tree_set_number(stats, "period", *(unsigned *)data);
	return true;
}

static bool request_period(void *data, struct guest *guest, unsigned step,
	struct change_request *request, GError **error)
{
	JsonObject *members;

	if (step)
		return false;
	members = json_object_new();
	json_object_set_int_member(members, "seconds", *(unsigned *)data);
	return fill(request, "set-balloon-period", members);
}

static const struct change_ops period_ops = {
	.edit = edit_period,
	.request = request_period,
	.free = g_free,
};

void resources_set_period(
	struct guest *guest, unsigned affect, unsigned seconds, guest_done done, void *data)
{
	unsigned *period = g_new0(unsigned, 1);

	*period = seconds;
	change_begin(guest, affect, &period_ops, period, done, data);
}

/* ---- pins ----------------------------------------------------------------------------------- */

struct pin {
	int vcpu;
	char *cpus;
};

static xmlNode *find_pin(const xmlNode *cputune, int vcpu)
{
	xmlNode *at;

	if (vcpu == RESOURCES_EMULATOR)
		return tree_child(cputune, "emulatorpin");
	for (at = tree_child(cputune, "vcpupin"); at; at = tree_next(at, "vcpupin"))
		if (tree_number(at, "vcpu", UINT64_MAX) == (uint64_t)vcpu)
			return at;
	return NULL;
}

char *resources_pinning(const struct definition *definition, int vcpu)
{
	g_autoptr(xmlDoc) document = tree_parse(definition->xml);
	const xmlNode *root = xmlDocGetRootElement(document);
	char *cpus = tree_attribute(find_pin(tree_child(root, "cputune"), vcpu), "cpuset");

	return cpus ? cpus : tree_attribute(tree_child(root, "vcpu"), "cpuset");
}

static bool edit_pin(void *data, xmlNode *root, bool live, GError **error)
{
	const struct pin *pin = data;
	const xmlNode *vcpus = tree_child(root, "vcpu");
	uint64_t most = tree_text_number(vcpus, 1);
	xmlNode *cputune, *node;

	if (pin->vcpu >= 0 && (uint64_t)pin->vcpu >= most)
		return fault_set(error, VIR_ERR_INVALID_ARG,
			"vcpu %d is out of range of %s cpu count %u", pin->vcpu,
			live ? "live" : "persistent",
			(unsigned)(live ? most : tree_number(vcpus, "current", most)));
	cputune = scheduler_put_cputune(root);
	node = find_pin(cputune, pin->vcpu);
	if (!node) {
		node = tree_add(cputune, pin->vcpu >= 0 ? "vcpupin" : "emulatorpin");
		if (pin->vcpu >= 0)
			tree_set_number(node, "vcpu", (uint64_t)pin->vcpu);
	}
	tree_set(node, "cpuset", pin->cpus);
	return true;
}

static bool request_pin(void *data, struct guest *guest, unsigned step,
	struct change_request *request, GError **error)
{
	const struct pin *pin = data;
	JsonObject *members;

	if (step)
		return false;
	members = json_object_new();
	json_object_set_string_member(members, "cpus", pin->cpus);
	if (pin->vcpu >= 0)
		json_object_set_int_member(members, "vcpu", pin->vcpu);
	else
		json_object_set_boolean_member(members, "emulator", TRUE);
	return fill(request, "pin", members);
}

static void tell_pin(void *data, struct guest *guest)
{
	const struct pin *pin = data;
	g_autofree char *field = pin->vcpu >= 0
					 ? g_strdup_printf("cputune.vcpupin%d", pin->vcpu)
					 : g_strdup("cputune.emulatorpin");
	struct parameters parameters = {0};

	parameters_add_text(&parameters, field, pin->cpus);
	scheduler_tell(guest, &parameters);
}

static void free_pin(void *data)
{
	struct pin *pin = data;

	g_free(pin->cpus);
	g_free(pin);
}

static const struct change_ops pin_ops = {
	.edit = edit_pin,
	.request = request_pin,
	.tell = tell_pin,
	.free = free_pin,
};

void resources_pin(struct guest *guest, unsigned affect, int vcpu, const char *cpus,
	guest_done done, void *data)
{
	struct pin *pin = g_new0(struct pin, 1);

	pin->vcpu = vcpu;
	pin->cpus = g_strdup(cpus);
	change_begin(guest, affect, &pin_ops, pin, done, data);
}
