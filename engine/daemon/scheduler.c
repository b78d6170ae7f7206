// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/scheduler.h"

#include "engine/daemon/change.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/registry.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define NONE -1
#define SHARES 100

/* One of libvirt's parameters. Quotas (VIR_TYPED_PARAM_LLONG) may be negative: no limit. */
static const struct tunable {
	const char *field;
	const char *element; /* of <cputune> */
	const char *member;  /* of the monitor's request set-cpu, NULL: it cannot be set */
	int type;
	int64_t least, most, usual;
} tunables[SCHEDULER_PARAMETERS] = {
#define PERIOD VIR_TYPED_PARAM_ULLONG, CONFIG_PERIOD_MIN_US, CONFIG_PERIOD_MAX_US, CONFIG_PERIOD_US
#define QUOTA VIR_TYPED_PARAM_LLONG, CONFIG_QUOTA_MIN_US, CONFIG_QUOTA_MAX_US, NONE
	{"cpu_shares", "shares", "weight", VIR_TYPED_PARAM_ULLONG, 1, CONFIG_WEIGHT_MAX, SHARES},
	{"vcpu_period", "period", "vcpu_period", PERIOD},
	{"vcpu_quota", "quota", "vcpu_quota", QUOTA},
	{"emulator_period", "emulator_period", "emulator_period", PERIOD},
	{"emulator_quota", "emulator_quota", "emulator_quota", QUOTA},
	{"global_period", "global_period", "period", PERIOD},
	{"global_quota", "global_quota", "quota", QUOTA},
	{"iothread_period", "iothread_period", NULL, PERIOD},
	{"iothread_quota", "iothread_quota", NULL, QUOTA},
};

/* In the order that libvirt writes them. */
static const char *const elements[] = {"shares", "period", "quota", "global_period", "global_quota",
	"emulator_period", "emulator_quota"};

/* What is wanted of each; 0: nothing. */
struct tune {
	bool given[SCHEDULER_PARAMETERS];
	int64_t wanted[SCHEDULER_PARAMETERS];
};

/* ---- reading --------------------------------------------------------------------------------- */

static void add(struct parameters *parameters, const struct tunable *tunable, const char *prefix,
	int64_t value)
{
	g_autofree char *field = g_strconcat(prefix, tunable->field, NULL);

	if (tunable->type == VIR_TYPED_PARAM_LLONG)
		parameters_add_llong(parameters, field, value);
	else
		parameters_add_ullong(parameters, field, (uint64_t)value);
}

void scheduler_read(const struct definition *definition, bool live, struct parameters *parameters)
{
	g_autoptr(xmlDoc) document = tree_parse(definition->xml);
	const xmlNode *cputune = tree_child(xmlDocGetRootElement(document), "cputune");

	for (unsigned i = 0; i < SCHEDULER_PARAMETERS; i++) {
		g_autofree char *text = tree_text(tree_child(cputune, tunables[i].element));
		int64_t value = text ? g_ascii_strtoll(text, NULL, 10) : 0;

		if (!value && live)
			value = tunables[i].usual;
		add(parameters, &tunables[i], "", value);
	}
}

/* ---- changing -------------------------------------------------------------------------------- */

xmlNode *scheduler_put_cputune(xmlNode *root)
{
	return tree_ensure(root, "cputune", (const char *const[]){"iothreads", "vcpu", NULL});
}

void scheduler_tell(const struct guest *guest, struct parameters *parameters)
{
	const struct guest_event event = {
		.id = VIR_DOMAIN_EVENT_ID_TUNABLE,
		.parameters = parameters->at,
		.parameter_count = parameters->count,
	};

	registry_tell_event(guest->registry, guest, &event);
	parameters_clear(parameters);
}

/* The element; a new one behind those that go before it. */
static xmlNode *put_element(xmlNode *cputune, const char *name)
{
	xmlNode *node = tree_child(cputune, name), *place = NULL;
	gsize i = 0;

	if (node)
		return node;
	node = xmlNewDocNode(cputune->doc, NULL, (const xmlChar *)name, NULL);
	while (!g_str_equal(elements[i], name))
		i++;
	while (!place && i)
		place = tree_child(cputune, elements[--i]);
	if (place)
		return xmlAddNextSibling(place, node);
	return cputune->children ? xmlAddPrevSibling(cputune->children, node)
				 : xmlAddChild(cputune, node);
}

static bool edit_tune(void *data, xmlNode *root, bool live, GError **error)
{
	const struct tune *tune = data;
	xmlNode *cputune = scheduler_put_cputune(root);

	for (unsigned i = 0; i < SCHEDULER_PARAMETERS; i++) {
		const char *element = tunables[i].element;
		g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, tune->wanted[i]);

		if (tune->wanted[i])
			xmlNodeSetContent(put_element(cputune, element), (const xmlChar *)text);
		else if (tune->given[i] && !live)
			tree_remove(tree_child(cputune, element));
	}
	if (!cputune->children)
		tree_remove(cputune);
	return true;
}

static bool request_tune(void *data, struct guest *guest, unsigned step,
	struct change_request *request, GError **error)
{
	const struct tune *tune = data;
	JsonObject *members;
	bool any = false;

	if (step)
		return false;
	members = json_object_new();
	for (unsigned i = 0; i < SCHEDULER_PARAMETERS; i++) {
		if (!tune->wanted[i])
			continue;
		json_object_set_int_member(members, tunables[i].member, MAX(tune->wanted[i], 0));
		any = true;
	}
	if (!any) {
		json_object_unref(members);
		return false;
	}
	request->name = "set-cpu";
	request->members = members;
	return true;
}

static void tell_tune(void *data, struct guest *guest)
{
	const struct tune *tune = data;
	struct parameters parameters = {0};

	for (unsigned i = 0; i < SCHEDULER_PARAMETERS; i++)
		if (tune->wanted[i])
			add(&parameters, &tunables[i], "cputune.", tune->wanted[i]);
	if (parameters.count)
		scheduler_tell(guest, &parameters);
}

static const struct change_ops tune_ops = {
	.edit = edit_tune,
	.request = request_tune,
	.tell = tell_tune,
	.free = g_free,
};

/* libvirt's ranges and words. */
static bool check(const struct tunable *tunable, int64_t value, GError **error)
{
	bool unlimited = tunable->type == VIR_TYPED_PARAM_LLONG && value <= 0;

	if (unlimited || (value >= tunable->least && value <= tunable->most))
		return true;
	if (tunable == tunables)
		return fault_set(error, VIR_ERR_INVALID_ARG,
			"shares '%" G_GINT64_FORMAT "' must be in range [%d, %d]", value,
			(int)tunable->least, (int)tunable->most);
	return !value ||
	       fault_set(error, VIR_ERR_INVALID_ARG,
		       "value of '%s' is out of range [%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT "]",
		       tunable->field, tunable->least, tunable->most);
}

static bool take(struct tune *tune, const struct wire_parameter *parameter, GError **error)
{
	const struct tunable *tunable = tunables;
	int64_t value;

	while (!g_str_equal(tunable->field, parameter->field))
		tunable++;
	value = tunable->type == VIR_TYPED_PARAM_LLONG
			? MAX(parameter->value.wire_value_u.l, NONE)
			: (int64_t)MIN(parameter->value.wire_value_u.ul, (uint64_t)G_MAXINT64);
	tune->given[tunable - tunables] = true;
	tune->wanted[tunable - tunables] = value;
	return check(tunable, value, error);
}

void scheduler_set(struct guest *guest, unsigned affect, const struct wire_parameter *parameters,
	unsigned count, guest_done done, void *data)
{
	struct parameter_kind kinds[SCHEDULER_PARAMETERS + 1] = {0};
	g_autofree struct tune *tune = g_new0(struct tune, 1);
	g_autoptr(GError) error = NULL;
	unsigned settable = 0;
	bool ok;

	for (unsigned i = 0; i < SCHEDULER_PARAMETERS; i++)
		if (tunables[i].member)
			kinds[settable++] = (struct parameter_kind){
				tunables[i].field, tunables[i].type};
	ok = parameters_check(parameters, count, kinds, &error);
	for (unsigned i = 0; ok && i < count; i++)
		ok = take(tune, &parameters[i], &error);
	if (ok)
		change_begin(guest, affect, &tune_ops, g_steal_pointer(&tune), done, data);
	else
		done(data, error);
}
