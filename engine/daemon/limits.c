// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/limits.h"

#include "engine/daemon/change.h"
#include "engine/daemon/devices.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/registry.h"

#include <libvirt/libvirt.h>
#include <string.h>

/* What a client wants to be changed of one device. */
struct limit {
	char *device;
	struct wire_parameter *parameters;
	unsigned count;
};

static void limit_free(void *data)
{
	struct limit *limit = data;

	parameters_free(limit->parameters, limit->count);
	g_free(limit->device);
	g_free(limit);
}

static void begin(struct guest *guest, unsigned affect, const struct change_ops *ops,
	const char *device, const struct wire_parameter *parameters, unsigned count,
	guest_done done, void *data)
{
	struct limit *limit = g_new0(struct limit, 1);

	limit->device = g_strdup(device);
	limit->count = count;
	limit->parameters = parameters_copy(parameters, count);
	change_begin(guest, affect, ops, limit, done, data);
}

/* ---- disks ----------------------------------------------------------------------------------- */

enum kind { RATE, MAX_RATE, MAX_LENGTH, KINDS };
#define RATES 6u

static const char *const rate_names[RATES] = {"total_bytes", "read_bytes", "write_bytes",
	"total_iops", "read_iops", "write_iops"};
static const char *const kind_suffixes[KINDS] = {"", "_max", "_max_length"};

struct iotune {
	uint64_t values[KINDS][RATES];
};

/* libvirt's name, and that of the element: "total_bytes_sec_max". */
static char *rate_name(unsigned rate, enum kind kind)
{
	return g_strdup_printf("%s_sec%s", rate_names[rate], kind_suffixes[kind]);
}

static void read_iotune(const xmlNode *disk, struct iotune *iotune)
{
	const xmlNode *node = tree_child(disk, "iotune");

	for (unsigned i = 0; i < KINDS * RATES; i++) {
		g_autofree char *name = rate_name(i % RATES, i / RATES);

		iotune->values[i / RATES][i % RATES] = tree_text_number(tree_child(node, name), 0);
	}
}

static void write_iotune(xmlNode *disk, const struct iotune *iotune)
{
	static const char *const behind[] = {
		"target", "driver", "source", "backingStore", NULL};
	xmlNode *node;
	bool any = false;

	tree_remove(tree_child(disk, "iotune"));
	node = tree_ensure(disk, "iotune", behind);
	for (unsigned i = 0; i < KINDS * RATES; i++) {
		uint64_t value = iotune->values[i / RATES][i % RATES];
		g_autofree char *name = rate_name(i % RATES, i / RATES);

		if (!value)
			continue;
		tree_set_text_number(tree_add(node, name), value);
		any = true;
	}
	if (!any)
		tree_remove(node);
}

/* libvirt's rule: the three of bytes, and the three of operations, are given together. */
static void merge(const struct limit *limit, struct iotune *iotune)
{
	for (unsigned kind = 0; kind < KINDS; kind++) {
		for (unsigned group = 0; group < RATES; group += 3) {
			const struct wire_parameter *given[3];

			for (unsigned i = 0; i < 3; i++) {
				g_autofree char *name = rate_name(group + i, kind);

				given[i] = parameters_find(limit->parameters, limit->count, name);
			}
			if (!given[0] && !given[1] && !given[2])
				continue;
			for (unsigned i = 0; i < 3; i++)
				iotune->values[kind][group + i] =
					given[i] ? given[i]->value.wire_value_u.ul : 0;
		}
	}
}

static bool check_iotune(const struct iotune *iotune, GError **error)
{
	for (unsigned i = 0; i < 4; i++) {
		static const char *const names[] = {
			"bytes_sec", "iops_sec", "bytes_sec_max", "iops_sec_max"};
		const uint64_t *values = &iotune->values[i / 2][i % 2 * 3];

		if (values[0] && (values[1] || values[2]))
			return fault_set(error, VIR_ERR_INVALID_ARG,
				"total and read/write of %s cannot be set at the same time",
				names[i]);
	}
	for (unsigned i = 0; i < RATES; i++) {
		g_autofree char *name = rate_name(i, RATE), *max = rate_name(i, MAX_RATE);

		if (iotune->values[MAX_RATE][i] && !iotune->values[RATE][i])
			return fault_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
				"cannot reset '%s' when '%s' is set", name, max);
		if (iotune->values[MAX_RATE][i] &&
			iotune->values[MAX_RATE][i] < iotune->values[RATE][i])
			return fault_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
				"value '%s' cannot be smaller than '%s'", max, name);
	}
	return true;
}

static xmlNode *find_disk(const xmlNode *root, const char *name, GError **error)
{
	xmlNode *disk = devices_find_disk(root, name);

	if (!disk)
		fault_set(error, VIR_ERR_INVALID_ARG,
			"disk '%s' was not found in the domain config", name);
	return disk;
}

/* libvirt has other words where it is to be changed. */
static xmlNode *find_disk_to_change(
	const xmlNode *root, const char *name, bool live, GError **error)
{
	xmlNode *disk = devices_find_disk(root, name);

	if (!disk)
		fault_set(error, VIR_ERR_INVALID_ARG,
			live ? "disk '%s' not found in domain"
			     : "missing persistent configuration for disk '%s'",
			name);
	return disk;
}

static bool edit_disk(void *data, xmlNode *root, bool live, GError **error)
{
	const struct limit *limit = data;
	xmlNode *disk = find_disk_to_change(root, limit->device, live, error);
	struct iotune iotune;

	if (!disk)
		return false;
	read_iotune(disk, &iotune);
	merge(limit, &iotune);
	if (!check_iotune(&iotune, error))
		return false;
	write_iotune(disk, &iotune);
	return true;
}

/* All of them: what is not named would stay. */
static void fill_limits(JsonObject *members, const struct iotune *iotune)
{
	for (unsigned i = 0; i < KINDS * RATES; i++) {
		g_autofree char *name = g_strconcat(
			rate_names[i % RATES], kind_suffixes[i / RATES], NULL);

		json_object_set_int_member(
			members, name, (gint64)iotune->values[i / RATES][i % RATES]);
	}
}

static bool request_disk(void *data, struct guest *guest, unsigned step,
	struct change_request *request, GError **error)
{
	const struct limit *limit = data;
	g_autoptr(xmlDoc) document = NULL;
	g_autofree char *name = NULL;
	struct iotune iotune;
	xmlNode *disk;

	if (step)
		return false;
	document = tree_parse(guest->running->xml);
	disk = find_disk(xmlDocGetRootElement(document), limit->device, error);
	if (!disk)
		return false;
	read_iotune(disk, &iotune);
	merge(limit, &iotune);
	name = devices_control_name(disk);
	request->name = "set-disk-limits";
	request->members = json_object_new();
	json_object_set_string_member(request->members, "disk", name);
	fill_limits(request->members, &iotune);
	return true;
}

static void tell_disk(void *data, struct guest *guest)
{
	const struct limit *limit = data;
	struct parameters parameters = {0};
	struct guest_event event = {.id = VIR_DOMAIN_EVENT_ID_TUNABLE};

	parameters_add_text(&parameters, "blkdeviotune.disk", limit->device);
	for (unsigned i = 0; i < limit->count; i++) {
		g_autofree char *name =
			g_strconcat("blkdeviotune.", limit->parameters[i].field, NULL);

		if (limit->parameters[i].value.type == VIR_TYPED_PARAM_ULLONG)
			parameters_add_ullong(&parameters, name,
				limit->parameters[i].value.wire_value_u.ul);
	}
	event.parameters = parameters.at;
	event.parameter_count = parameters.count;
	registry_tell_event(guest->registry, guest, &event);
	parameters_clear(&parameters);
}

static const struct change_ops disk_ops = {
	.edit = edit_disk,
	.request = request_disk,
	.tell = tell_disk,
	.free = limit_free,
};

/* What the engine has not can only be asked to be off. */
static bool check_extras(
	const struct wire_parameter *parameters, unsigned count, GError **error)
{
	const struct wire_parameter *size = parameters_find(parameters, count, "size_iops_sec");
	const struct wire_parameter *group = parameters_find(parameters, count, "group_name");

	if (size && size->value.wire_value_u.ul)
		return fault_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
			"size_iops_sec is not there: a request counts as one of any size");
	if (group && *group->value.wire_value_u.s)
		return fault_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
			"group_name is not there: each disk has its own limits");
	return true;
}

static bool check_disk(const struct wire_parameter *parameters, unsigned count, GError **error)
{
	struct parameter_kind kinds[KINDS * RATES + 3] = {{NULL, 0}};
	g_auto(GStrv) names = g_new0(char *, KINDS * RATES + 1);

	for (unsigned i = 0; i < KINDS * RATES; i++) {
		names[i] = rate_name(i % RATES, i / RATES);
		kinds[i] = (struct parameter_kind){names[i], VIR_TYPED_PARAM_ULLONG};
	}
	kinds[KINDS * RATES] = (struct parameter_kind){"size_iops_sec", VIR_TYPED_PARAM_ULLONG};
	kinds[KINDS * RATES + 1] = (struct parameter_kind){"group_name", VIR_TYPED_PARAM_STRING};
	return parameters_check(parameters, count, kinds, error) &&
	       check_extras(parameters, count, error);
}

void limits_set_disk(struct guest *guest, unsigned affect, const char *disk,
	const struct wire_parameter *parameters, unsigned count, guest_done done, void *data)
{
	g_autoptr(GError) error = NULL;

	if (check_disk(parameters, count, &error))
		begin(guest, affect, &disk_ops, disk, parameters, count, done, data);
	else
		done(data, error);
}

static void add_rates(struct parameters *parameters, const struct iotune *iotune, enum kind kind)
{
	for (unsigned i = 0; i < RATES; i++) {
		g_autofree char *name = rate_name(i, kind);

		parameters_add_ullong(parameters, name, iotune->values[kind][i]);
	}
}

bool limits_get_disk(const struct definition *definition, const char *name,
	struct parameters *parameters, GError **error)
{
	g_autoptr(xmlDoc) document = tree_parse(definition->xml);
	const xmlNode *disk = find_disk(xmlDocGetRootElement(document), name, error);
	struct iotune iotune;

	if (!disk)
		return false;
	read_iotune(disk, &iotune);
	/* In libvirt's order. */
	add_rates(parameters, &iotune, RATE);
	add_rates(parameters, &iotune, MAX_RATE);
	parameters_add_ullong(parameters, "size_iops_sec", 0);
	parameters_add_text(parameters, "group_name", "");
	add_rates(parameters, &iotune, MAX_LENGTH);
	return true;
}

/* ---- network cards --------------------------------------------------------------------------- */

static const char *const directions[] = {"inbound", "outbound"};
static const char *const rates[] = {"average", "peak", "burst"};

static xmlNode *find_nic(const xmlNode *root, const char *name, GError **error)
{
	xmlNode *nic = devices_find_nic(root, name);

	if (!nic)
		fault_set(error, VIR_ERR_INVALID_ARG, "'%s' is not a known interface", name);
	return nic;
}

static const struct wire_parameter *find_rate(
	const struct limit *limit, const char *direction, const char *rate)
{
	g_autofree char *name = g_strdup_printf("%s.%s", direction, rate);

	return parameters_find(limit->parameters, limit->count, name);
}

static void set_direction(xmlNode *bandwidth, const struct limit *limit, const char *direction)
{
	xmlNode *node;

	if (!find_rate(limit, direction, "average"))
		return;
	node = tree_ensure(bandwidth, direction, (const char *const[]){"inbound", NULL});
	for (unsigned i = 0; i < G_N_ELEMENTS(rates); i++) {
		const struct wire_parameter *rate = find_rate(limit, direction, rates[i]);

		tree_set(node, rates[i], NULL);
		if (rate && rate->value.wire_value_u.ui)
			tree_set_number(node, rates[i], rate->value.wire_value_u.ui);
	}
	if (!tree_number(node, "average", 0))
		tree_remove(node);
}

static bool edit_nic(void *data, xmlNode *root, bool live, GError **error)
{
	static const char *const behind[] = {
		"target", "model", "backend", "source", "mac", NULL};
	const struct limit *limit = data;
	xmlNode *nic = find_nic(root, limit->device, error), *bandwidth;

	if (!nic)
		return false;
	bandwidth = tree_ensure(nic, "bandwidth", behind);
	for (unsigned i = 0; i < G_N_ELEMENTS(directions); i++)
		set_direction(bandwidth, limit, directions[i]);
	if (!bandwidth->children)
		tree_remove(bandwidth);
	return true;
}

static JsonObject *direction_object(const struct limit *limit, const char *direction)
{
	JsonObject *object = json_object_new();

	for (unsigned i = 0; i < G_N_ELEMENTS(rates); i++) {
		const struct wire_parameter *rate = find_rate(limit, direction, rates[i]);

		json_object_set_int_member(
			object, rates[i], rate ? rate->value.wire_value_u.ui : 0);
	}
	return object;
}

static bool request_nic(void *data, struct guest *guest, unsigned step,
	struct change_request *request, GError **error)
{
	const struct limit *limit = data;
	g_autoptr(xmlDoc) document = NULL;
	g_autofree char *name = NULL;
	xmlNode *nic;

	if (step)
		return false;
	document = tree_parse(guest->running->xml);
	nic = find_nic(xmlDocGetRootElement(document), limit->device, error);
	if (!nic)
		return false;
	name = devices_control_name(nic);
	request->name = "set-nic-limits";
	request->members = json_object_new();
	json_object_set_string_member(request->members, "nic", name);
	for (unsigned i = 0; i < G_N_ELEMENTS(directions); i++)
		if (find_rate(limit, directions[i], "average"))
			json_object_set_object_member(request->members, directions[i],
				direction_object(limit, directions[i]));
	return true;
}

static const struct change_ops nic_ops = {
	.edit = edit_nic,
	.request = request_nic,
	.free = limit_free,
};

static bool check_nic(const struct wire_parameter *parameters, unsigned count, GError **error)
{
	static const struct parameter_kind kinds[] = {
		{"inbound.average", VIR_TYPED_PARAM_UINT},
		{"inbound.peak", VIR_TYPED_PARAM_UINT},
		{"inbound.burst", VIR_TYPED_PARAM_UINT},
		{"inbound.floor", VIR_TYPED_PARAM_UINT},
		{"outbound.average", VIR_TYPED_PARAM_UINT},
		{"outbound.peak", VIR_TYPED_PARAM_UINT},
		{"outbound.burst", VIR_TYPED_PARAM_UINT},
		{NULL, 0},
	};
	const struct limit limit = {
		.parameters = (struct wire_parameter *)parameters, .count = count};
	const struct wire_parameter *floor = find_rate(&limit, "inbound", "floor");

	if (!parameters_check(parameters, count, kinds, error))
		return false;
	if (floor && floor->value.wire_value_u.ui)
		return fault_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
			"filter requires a network with a bandwidth of its own: there is no floor");
	for (unsigned i = 0; i < G_N_ELEMENTS(directions); i++)
		if (!find_rate(&limit, directions[i], "average") &&
			(find_rate(&limit, directions[i], "peak") ||
				find_rate(&limit, directions[i], "burst")))
			return fault_set(error, VIR_ERR_INVALID_ARG, "%s average is mandatory",
				directions[i]);
	return true;
}

void limits_set_nic(struct guest *guest, unsigned affect, const char *nic,
	const struct wire_parameter *parameters, unsigned count, guest_done done, void *data)
{
	g_autoptr(GError) error = NULL;

	if (check_nic(parameters, count, &error))
		begin(guest, affect, &nic_ops, nic, parameters, count, done, data);
	else
		done(data, error);
}

static void add_direction(
	struct parameters *parameters, const xmlNode *bandwidth, const char *direction)
{
	const xmlNode *node = tree_child(bandwidth, direction);

	for (unsigned i = 0; i < G_N_ELEMENTS(rates); i++) {
		g_autofree char *name = g_strdup_printf("%s.%s", direction, rates[i]);

		parameters_add_uint(parameters, name, (unsigned)tree_number(node, rates[i], 0));
	}
}

bool limits_get_nic(const struct definition *definition, const char *name,
	struct parameters *parameters, GError **error)
{
	g_autoptr(xmlDoc) document = tree_parse(definition->xml);
	const xmlNode *nic = find_nic(xmlDocGetRootElement(document), name, error);
	const xmlNode *bandwidth = tree_child(nic, "bandwidth");

	if (!nic)
		return false;
	add_direction(parameters, bandwidth, directions[0]);
	parameters_add_uint(parameters, "inbound.floor", 0);
	add_direction(parameters, bandwidth, directions[1]);
	return true;
}
