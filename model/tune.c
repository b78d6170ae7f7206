// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/tune.h"
#include "model/error.h"
#include "model/format.h"

#include <glib/gi18n.h>
#include <string.h>

#define LIVE VIR_DOMAIN_AFFECT_LIVE
#define HOST_CPUS 8192

// A key that is one of libvirt's typed parameters.
struct tune {
	const char *key, *parameter;
	int (*set)(virDomainPtr domain, virTypedParameterPtr all, int n, unsigned flags);
	bool kib;           // a size, in KiB there
	const char *nothing; // what takes the limit away; NULL: it must have a value
};

static const struct tune tunes[] = {
	{"tune.period", VIR_DOMAIN_SCHEDULER_VCPU_PERIOD, virDomainSetSchedulerParametersFlags, false, NULL},
	{"tune.quota", VIR_DOMAIN_SCHEDULER_VCPU_QUOTA, virDomainSetSchedulerParametersFlags, false, "-1"},
	{"tune.global_period", VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, virDomainSetSchedulerParametersFlags,
		false, NULL},
	{"tune.global_quota", VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, virDomainSetSchedulerParametersFlags, false,
		"-1"},
	{"tune.memory.hard_limit", VIR_DOMAIN_MEMORY_HARD_LIMIT, virDomainSetMemoryParameters, true,
		"9007199254740991"},
	{"tune.memory.soft_limit", VIR_DOMAIN_MEMORY_SOFT_LIMIT, virDomainSetMemoryParameters, true,
		"9007199254740991"},
	{"tune.blkio.weight", VIR_DOMAIN_BLKIO_WEIGHT, virDomainSetBlkioParameters, false, NULL},
};

static const struct tune *tune_of(const char *key)
{
	for (gsize i = 0; i < G_N_ELEMENTS(tunes); i++)
		if (!strcmp(tunes[i].key, key))
			return &tunes[i];
	return NULL;
}

bool tune_knows(const char *key)
{
	return tune_of(key) || !strcmp(key, "tune.emulatorpin") || !strcmp(key, "balloon.period");
}

// The type that libvirt wants for each is the one the parameter of that name has.
static bool add_parameter(
	virTypedParameterPtr *all, int *n, int *room, const struct tune *tune, const char *text)
{
	int type = tune->set == virDomainSetBlkioParameters	      ? VIR_TYPED_PARAM_UINT :
		   g_str_has_suffix(tune->parameter, "quota") ? VIR_TYPED_PARAM_LLONG :
								VIR_TYPED_PARAM_ULLONG;

	return virTypedParamsAddFromString(all, n, room, tune->parameter, type, text) == 0;
}

static bool set_parameter(virDomainPtr domain, const struct tune *tune, const char *value)
{
	g_autofree char *kib = NULL;
	virTypedParameterPtr all = NULL;
	guint64 bytes;
	int n = 0, room = 0;
	bool done;

	if (tune->kib && *value && parse_size(value, 1024, &bytes, NULL))
		value = kib = g_strdup_printf("%" G_GUINT64_FORMAT, bytes / 1024);
	done = add_parameter(&all, &n, &room, tune, *value || !tune->nothing ? value : tune->nothing) &&
	       tune->set(domain, all, n, LIVE) == 0;
	virTypedParamsFree(all, n);
	return done;
}

// "0-3,^2,5"
static bool pin_emulator(virDomainPtr domain, const char *value)
{
	g_auto(GStrv) parts = g_strsplit(value, ",", -1);
	unsigned char map[HOST_CPUS / 8] = {0};

	for (char **part = parts; *part; part++) {
		bool out = **part == '^';
		char *end;
		guint64 first = g_ascii_strtoull(*part + out, &end, 10);
		guint64 last = *end == '-' ? g_ascii_strtoull(end + 1, NULL, 10) : first;

		for (guint64 cpu = first; cpu <= last && cpu < HOST_CPUS; cpu++) {
			map[cpu / 8] &= (unsigned char)~(1 << cpu % 8);
			map[cpu / 8] |= (unsigned char)(!out << cpu % 8);
		}
	}
	return virDomainPinEmulator(domain, map, sizeof(map), LIVE) == 0;
}

bool tune_now(virDomainPtr domain, const char *key, const char *value, GError **error)
{
	const struct tune *tune = tune_of(key);
	g_autofree char *headline = NULL;
	bool done;

	if (tune)
		done = set_parameter(domain, tune, value);
	else if (!strcmp(key, "balloon.period"))
		done = virDomainSetMemoryStatsPeriod(
			       domain, (int)g_ascii_strtoll(value, NULL, 10), LIVE) == 0;
	else
		done = pin_emulator(domain, value);
	if (done)
		return true;
	headline = g_strdup_printf(_("Cannot change '%s' in the running guest"), key);
	error_set_libvirt(error, headline);
	return false;
}
