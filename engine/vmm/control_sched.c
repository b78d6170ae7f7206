// SPDX-License-Identifier: GPL-3.0-or-later
/* Requests about the host's processors: cap, weight, pins. */
#include <config.h>

#include "engine/vmm/control.h"

#include "engine/common/cpuset.h"
#include "engine/vmm/scheduling.h"

#include <glib/gi18n.h>

static struct scheduling *scheduling_of(const struct control_call *call)
{
	return machine_parts(control_machine(call))->scheduling;
}

/* The highest cap that can mean anything: all vCPUs all the time. */
static uint64_t cap_max(const struct control_call *call)
{
	return machine_config(control_machine(call))->vcpus_max * 100ull;
}

/* A quota and its period; what is not named stays. */
static const struct {
	const char *quota, *period;
} quota_names[SCHEDULING_PARTS] = {
	[SCHEDULING_WHOLE] = { "quota", "period" },
	[SCHEDULING_VCPU] = { "vcpu_quota", "vcpu_period" },
	[SCHEDULING_EMULATOR] = { "emulator_quota", "emulator_period" },
};

static bool has_quota(const struct control_call *call, enum scheduling_part part)
{
	return control_has(call, quota_names[part].quota) ||
		control_has(call, quota_names[part].period);
}

static bool read_quota(struct control_call *call, enum scheduling_part part,
	struct config_quota *quota, GError **error)
{
	uint64_t number;

	if (control_has(call, quota_names[part].period)) {
		if (!control_number(call, quota_names[part].period, CONFIG_PERIOD_MIN_US,
			    CONFIG_PERIOD_MAX_US, &number, error))
			return false;
		quota->period_us = (unsigned)number;
	}
	if (!control_has(call, quota_names[part].quota))
		return true;
	if (!control_number(call, quota_names[part].quota, 0, CONFIG_QUOTA_MAX_US, &number, error))
		return false;
	if (number && number < CONFIG_QUOTA_MIN_US) {
		g_set_error(error, CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_INVALID,
			_("\"%s\" is 0 or at least %u microseconds"), quota_names[part].quota,
			CONFIG_QUOTA_MIN_US);
		return false;
	}
	quota->quota_us = number;
	return true;
}

/* All is looked at before the first is set. */
static bool set_quotas(struct control_call *call, GError **error)
{
	struct scheduling *scheduling = scheduling_of(call);
	struct config_quota quotas[SCHEDULING_PARTS];

	for (unsigned part = 0; part < SCHEDULING_PARTS; part++) {
		quotas[part] = *scheduling_quota(scheduling, part);
		if (!read_quota(call, part, &quotas[part], error))
			return false;
	}
	for (unsigned part = 0; part < SCHEDULING_PARTS; part++)
		if (has_quota(call, part) &&
			!scheduling_set_quota(scheduling, part, &quotas[part], error))
			return false;
	return true;
}

static bool set_cpu(struct control_call *call, GError **error)
{
	struct scheduling *scheduling = scheduling_of(call);
	uint64_t cap = 0, weight = 0;

	if (control_has(call, "cap") &&
		!control_number(call, "cap", 0, CONFIG_CAP_MAX, &cap, error))
		return false;
	if (control_has(call, "weight") &&
		!control_number(call, "weight", 1, CONFIG_WEIGHT_MAX, &weight, error))
		return false;
	/* More than all of it is no cap. */
	if (control_has(call, "cap") &&
		!scheduling_set_cap(scheduling, cap >= cap_max(call) ? 0 : (unsigned)cap, error))
		return false;
	return set_quotas(call, error) &&
		(!weight || scheduling_set_weight(scheduling, (unsigned)weight, error));
}

static void do_set_cpu(struct control_call *call)
{
	g_autoptr(GError) error = NULL;
	bool named = control_has(call, "cap") || control_has(call, "weight");

	for (unsigned part = 0; part < SCHEDULING_PARTS; part++)
		named = named || has_quota(call, part);
	if (!named) {
		control_refuse(call, _("The request has none of \"cap\", \"weight\" and quotas"));
		return;
	}
	if (!set_cpu(call, &error)) {
		control_fail(call, g_steal_pointer(&error));
		return;
	}
	json_object_set_string_member(control_answer(call), "by", scheduling_by(scheduling_of(call)));
	control_done(call);
}

void control_describe_scheduling(JsonObject *answer, const struct scheduling *scheduling)
{
	json_object_set_int_member(answer, "cap", scheduling_cap(scheduling));
	json_object_set_int_member(answer, "weight", scheduling_weight(scheduling));
	for (unsigned part = 0; part < SCHEDULING_PARTS; part++) {
		const struct config_quota *quota = scheduling_quota(scheduling, part);

		json_object_set_int_member(
			answer, quota_names[part].quota, (gint64)quota->quota_us);
		json_object_set_int_member(answer, quota_names[part].period, quota->period_us);
	}
}

static bool pin(struct control_call *call, GError **error)
{
	struct scheduling *scheduling = scheduling_of(call);
	unsigned count = machine_config(control_machine(call))->vcpus_max;
	const char *text = control_text(call, "cpus", error);
	uint64_t id;
	cpu_set_t set;

	if (!text || !cpuset_parse(text, &set, error))
		return false;
	if (control_flag(call, "emulator"))
		return scheduling_pin_emulator(scheduling, &set, error);
	return control_number(call, "vcpu", 0, count - 1, &id, error) &&
		scheduling_pin_vcpu(scheduling, (unsigned)id, &set, error);
}

static void do_pin(struct control_call *call)
{
	g_autoptr(GError) error = NULL;

	if (pin(call, &error))
		control_done(call);
	else
		control_fail(call, g_steal_pointer(&error));
}

const struct control_request control_sched_requests[] = {
	{ "set-cpu", do_set_cpu },
	{ "pin", do_pin },
	{ .name = NULL },
};
