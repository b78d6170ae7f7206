// SPDX-License-Identifier: GPL-3.0-or-later
/* <cputune>: what the rules of config_rules.c call for it. */
#include <config.h>

#include "engine/common/config_reader.h"
#include "engine/common/cpuset.h"

#include <glib/gi18n.h>

/* libvirt's limits of a period, and its usual one. */
#define PERIOD_MIN_US 1000u
#define PERIOD_MAX_US 1000000u
#define PERIOD_US 100000u

bool config_read_shares(struct config_reader *reader, xmlNode *node, GError **error)
{
	uint64_t weight;

	if (!config_number(reader, node, NULL, 1, CONFIG_WEIGHT_MAX, &weight, error))
		return false;
	reader->config->cputune.weight = (unsigned)weight;
	return true;
}

/* Period and quota come in any order. */
static void update_cap(struct config_reader *reader)
{
	struct config_cputune *cputune = &reader->config->cputune;
	uint64_t period = cputune->period_us ? cputune->period_us : PERIOD_US;
	uint64_t cap = reader->quota_us * 100 / period;

	cputune->cap = reader->quota_us ? (unsigned)CLAMP(cap, 1, CONFIG_CAP_MAX) : 0;
}

bool config_read_global_period(struct config_reader *reader, xmlNode *node, GError **error)
{
	uint64_t period;

	if (!config_number(reader, node, NULL, PERIOD_MIN_US, PERIOD_MAX_US, &period, error))
		return false;
	reader->config->cputune.period_us = (unsigned)period;
	update_cap(reader);
	return true;
}

bool config_read_global_quota(struct config_reader *reader, xmlNode *node, GError **error)
{
	g_autofree char *text = config_text(node);

	/* "No limit" is -1 for some tools and 0 for others. */
	if (g_str_equal(text, "-1") || g_str_equal(text, "0"))
		return true;
	if (!config_number(reader, node, NULL, 1000, UINT64_MAX / 1000, &reader->quota_us, error))
		return false;
	update_cap(reader);
	return true;
}

/* The attribute's text, if it is a set of CPUs. */
static char *read_cpuset(struct config_reader *reader, xmlNode *node, GError **error)
{
	g_autofree char *text = config_attribute(node, "cpuset");
	g_autoptr(GError) reason = NULL;
	cpu_set_t set;

	if (cpuset_parse(text ? text : "", &set, &reason))
		return g_steal_pointer(&text);
	config_fail(reader, node, CONFIG_ERROR_INVALID, error, "%s", reason->message);
	return NULL;
}

bool config_read_vcpupin(struct config_reader *reader, xmlNode *node, GError **error)
{
	char **pins = reader->config->cputune.vcpu_pins;
	uint64_t id;

	if (!config_number(reader, node, "vcpu", 0, CONFIG_VCPUS_MAX - 1, &id, error))
		return false;
	g_free(pins[id]);
	pins[id] = read_cpuset(reader, node, error);
	return pins[id] != NULL;
}

bool config_read_emulatorpin(struct config_reader *reader, xmlNode *node, GError **error)
{
	reader->config->cputune.emulator_pin = read_cpuset(reader, node, error);
	return reader->config->cputune.emulator_pin != NULL;
}
