// SPDX-License-Identifier: GPL-3.0-or-later
/* <cputune>: what the rules of config_rules.c call for it. */
#include <config.h>

#include "engine/common/config_reader.h"
#include "engine/common/cpuset.h"

#include <glib/gi18n.h>

bool config_read_shares(struct config_reader *reader, xmlNode *node, GError **error)
{
	uint64_t weight;

	if (!config_number(reader, node, NULL, 1, CONFIG_WEIGHT_MAX, &weight, error))
		return false;
	reader->config->cputune.weight = (unsigned)weight;
	return true;
}

/* Whose period or quota an element is: of each vCPU without more said. */
static struct config_quota *quota_of(struct config_reader *reader, const xmlNode *node)
{
	struct config_cputune *cputune = &reader->config->cputune;
	const char *name = (const char *)node->name;

	if (g_str_has_prefix(name, "global_"))
		return &cputune->whole;
	return g_str_has_prefix(name, "emulator_") ? &cputune->emulator : &cputune->vcpu;
}

bool config_read_period(struct config_reader *reader, xmlNode *node, GError **error)
{
	uint64_t period;

	if (!config_number(reader, node, NULL, CONFIG_PERIOD_MIN_US, CONFIG_PERIOD_MAX_US, &period,
		    error))
		return false;
	quota_of(reader, node)->period_us = (unsigned)period;
	return true;
}

bool config_read_quota(struct config_reader *reader, xmlNode *node, GError **error)
{
	g_autofree char *text = config_text(node);

	/* "No limit" is -1 for some tools and 0 for others. */
	if (g_str_equal(text, "-1") || g_str_equal(text, "0"))
		return true;
	return config_number(reader, node, NULL, CONFIG_QUOTA_MIN_US, CONFIG_QUOTA_MAX_US,
		&quota_of(reader, node)->quota_us, error);
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
