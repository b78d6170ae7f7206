// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/scheduling.h"

#include "engine/common/cpuset.h"
#include "engine/vmm/cgroup.h"
#include "engine/vmm/sandbox.h"
#include "engine/vmm/throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define USUAL_WEIGHT 100
/* How much more a process gets that is one step less nice (sched(7)). */
#define NICE_STEP 1.25

struct scheduling {
	struct cpus *cpus;
	struct throttle *throttle;
	struct config_quota quotas[SCHEDULING_PARTS];
	unsigned weight;
	int nice_before; /* of the process when it began */
	GMutex mutex;    /* guards what follows: vCPUs that begin look at it */
	struct cgroup *cgroup; /* or NULL */
	int nice;
	cpu_set_t vcpu_sets[CONFIG_VCPUS_MAX];
	cpu_set_t emulator_set;
	bool vcpu_pinned[CONFIG_VCPUS_MAX], emulator_pinned;
};

static bool fail(GError **error, int code, const char *sentence)
{
	g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(code), "%s: %s", sentence,
		g_strerror(code));
	return false;
}

/* ---- pins ---------------------------------------------------------------------------------------- */

static bool pin_thread(int tid, const cpu_set_t *set, GError **error)
{
	g_autofree char *text = NULL;

	/* A thread that has ended meanwhile needs none. */
	if (sched_setaffinity(tid, sizeof(*set), set) == 0 || errno == ESRCH)
		return true;
	text = cpuset_format(set);
	if (errno == EINVAL)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
			_("The host has none of the CPUs %s, or this process may not use them"), text);
	else
		fail(error, errno, _("The threads cannot be pinned"));
	return false;
}

/* Can a thread have it? */
static bool try_set(const cpu_set_t *set, GError **error)
{
	cpu_set_t own;

	if (sched_getaffinity(0, sizeof(own), &own) < 0)
		return true;
	if (!pin_thread(0, set, error))
		return false;
	sched_setaffinity(0, sizeof(own), &own);
	return true;
}

bool scheduling_pin_vcpu(struct scheduling *scheduling, unsigned id, const cpu_set_t *set,
	GError **error)
{
	int tid = cpus_tid(scheduling->cpus, id);

	if (!(tid ? pin_thread(tid, set, error) : try_set(set, error)))
		return false;
	g_mutex_lock(&scheduling->mutex);
	scheduling->vcpu_sets[id] = *set;
	scheduling->vcpu_pinned[id] = true;
	g_mutex_unlock(&scheduling->mutex);
	return true;
}

static bool is_vcpu(const struct scheduling *scheduling, int tid)
{
	for (unsigned id = 0; id < VCPU_MAX; id++)
		if (cpus_tid(scheduling->cpus, id) == tid)
			return true;
	return false;
}

bool scheduling_pin_emulator(struct scheduling *scheduling, const cpu_set_t *set, GError **error)
{
	g_autofree int *tids = NULL;
	unsigned count = 0;

	tids = sandbox_threads(&count);
	for (unsigned i = 0; i < count; i++)
		if (!is_vcpu(scheduling, tids[i]) && !pin_thread(tids[i], set, error))
			return false;
	scheduling->emulator_set = *set;
	scheduling->emulator_pinned = true;
	return true;
}

void scheduling_vcpu_set(const struct scheduling *scheduling, unsigned id, cpu_set_t *set)
{
	*set = scheduling->vcpu_sets[id];
}

void scheduling_emulator_set(const struct scheduling *scheduling, cpu_set_t *set)
{
	*set = scheduling->emulator_set;
}

bool scheduling_vcpu_pin(const struct scheduling *scheduling, unsigned id, cpu_set_t *set)
{
	scheduling_vcpu_set(scheduling, id, set);
	return scheduling->vcpu_pinned[id];
}

bool scheduling_emulator_pin(const struct scheduling *scheduling, cpu_set_t *set)
{
	scheduling_emulator_set(scheduling, set);
	return scheduling->emulator_pinned;
}

static bool pin_as_configured(struct scheduling *scheduling, const struct machine_config *config,
	GError **error)
{
	cpu_set_t set;

	for (unsigned id = 0; id < CONFIG_VCPUS_MAX; id++)
		if (config->cputune.vcpu_pins[id] &&
			(!cpuset_parse(config->cputune.vcpu_pins[id], &set, error) ||
				!scheduling_pin_vcpu(scheduling, id, &set, error)))
			return false;
	if (!config->cputune.emulator_pin)
		return true;
	/* Threads of the emulator inherit it from this one. */
	return cpuset_parse(config->cputune.emulator_pin, &set, error) &&
		scheduling_pin_emulator(scheduling, &set, error);
}

/* ---- quotas and weight ------------------------------------------------------------------------------- */

const char *scheduling_by(const struct scheduling *scheduling)
{
	return scheduling->cgroup ? "cgroup" : "monitor";
}

unsigned scheduling_cap(const struct scheduling *scheduling)
{
	const struct config_quota *quota = &scheduling->quotas[SCHEDULING_WHOLE];

	return quota->quota_us ? (unsigned)CLAMP(quota->quota_us * 100 / quota->period_us, 1,
					 CONFIG_CAP_MAX)
			       : 0;
}

unsigned scheduling_weight(const struct scheduling *scheduling)
{
	return scheduling->weight;
}

const struct config_quota *scheduling_quota(
	const struct scheduling *scheduling, enum scheduling_part part)
{
	return &scheduling->quotas[part];
}

static void lose_cgroup(struct scheduling *scheduling)
{
	g_mutex_lock(&scheduling->mutex);
	g_clear_pointer(&scheduling->cgroup, cgroup_free);
	g_mutex_unlock(&scheduling->mutex);
	throttle_set_vcpus(scheduling->throttle, &scheduling->quotas[SCHEDULING_VCPU]);
}

/* A group that refuses is no group: from then on the monitor does it. */
static bool by_cgroup(struct scheduling *scheduling, bool worked)
{
	if (!worked)
		lose_cgroup(scheduling);
	return worked;
}

static bool set_whole(struct scheduling *scheduling, const struct config_quota *quota,
	GError **error)
{
	if (!scheduling->cgroup ||
		!by_cgroup(scheduling, cgroup_set_quota(scheduling->cgroup, quota)))
		throttle_set(scheduling->throttle, quota);
	return true;
}

/* All that are there; those that come later look for it themselves. With the mutex. */
static bool vcpus_by_cgroup(struct scheduling *scheduling, const struct config_quota *quota)
{
	static const struct config_quota none = { .period_us = CONFIG_PERIOD_US };
	bool ok = scheduling->cgroup && cgroup_set_vcpu_quota(scheduling->cgroup, quota);

	for (unsigned id = 0; ok && id < VCPU_MAX; id++) {
		int tid = cpus_tid(scheduling->cpus, id);

		ok = !tid || cgroup_join_vcpu(scheduling->cgroup, id, tid);
	}
	if (scheduling->cgroup && !ok)
		cgroup_set_vcpu_quota(scheduling->cgroup, &none);
	return ok;
}

static bool set_vcpus(struct scheduling *scheduling, const struct config_quota *quota,
	GError **error)
{
	static const struct config_quota none = { .period_us = CONFIG_PERIOD_US };
	bool ok;

	g_mutex_lock(&scheduling->mutex);
	ok = vcpus_by_cgroup(scheduling, quota);
	g_mutex_unlock(&scheduling->mutex);
	throttle_set_vcpus(scheduling->throttle, ok ? &none : quota);
	return true;
}

static bool set_emulator(struct scheduling *scheduling, const struct config_quota *quota,
	GError **error)
{
	g_autofree int *tids = NULL;
	unsigned count = 0;
	bool ok = scheduling->cgroup && cgroup_set_emulator_quota(scheduling->cgroup, quota);

	/* Threads that these make are where they are. */
	tids = sandbox_threads(&count);
	for (unsigned i = 0; ok && i < count; i++)
		ok = is_vcpu(scheduling, tids[i]) ||
			cgroup_join_emulator(scheduling->cgroup, tids[i]);
	if (ok || !quota->quota_us)
		return true;
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
		_("A quota of the emulator needs a control group, and none can be had here"));
	return false;
}

bool scheduling_set_quota(struct scheduling *scheduling, enum scheduling_part part,
	const struct config_quota *quota, GError **error)
{
	static bool (*const set[SCHEDULING_PARTS])(
		struct scheduling *, const struct config_quota *, GError **) = {
		[SCHEDULING_WHOLE] = set_whole,
		[SCHEDULING_VCPU] = set_vcpus,
		[SCHEDULING_EMULATOR] = set_emulator,
	};

	if (!set[part](scheduling, quota, error))
		return false;
	scheduling->quotas[part] = *quota;
	return true;
}

bool scheduling_set_cap(struct scheduling *scheduling, unsigned percent, GError **error)
{
	struct config_quota quota = scheduling->quotas[SCHEDULING_WHOLE];

	/* Little of a short period is less than the host counts. */
	if (percent && quota.period_us * percent / 100 < CONFIG_QUOTA_MIN_US)
		quota.period_us = CONFIG_PERIOD_US;
	quota.quota_us = (uint64_t)quota.period_us * percent / 100;
	return scheduling_set_quota(scheduling, SCHEDULING_WHOLE, &quota, error);
}

static int nice_of(const struct scheduling *scheduling, unsigned weight)
{
	double steps = log((double)weight / USUAL_WEIGHT) / log(NICE_STEP);

	return CLAMP(scheduling->nice_before - (int)lround(steps), -20, 19);
}

static bool set_nice(struct scheduling *scheduling, int nice)
{
	g_autofree int *tids = NULL;
	unsigned count = 0;

	tids = sandbox_threads(&count);
	for (unsigned i = 0; i < count; i++)
		if (setpriority(PRIO_PROCESS, (id_t)tids[i], nice) < 0 && errno != ESRCH)
			return false;
	return true;
}

bool scheduling_set_weight(struct scheduling *scheduling, unsigned weight, GError **error)
{
	int nice = nice_of(scheduling, weight);

	if (scheduling->cgroup &&
		by_cgroup(scheduling, cgroup_set_weight(scheduling->cgroup, weight))) {
		scheduling->weight = weight;
		return true;
	}
	if (nice != scheduling->nice && !set_nice(scheduling, nice)) {
		int code = errno;

		set_nice(scheduling, scheduling->nice);
		return fail(error, code,
			_("A weight of more than it has can be given only with privileges or a "
			  "control group"));
	}
	g_mutex_lock(&scheduling->mutex);
	scheduling->nice = nice;
	g_mutex_unlock(&scheduling->mutex);
	scheduling->weight = weight;
	return true;
}

uint64_t scheduling_held_ns(const struct scheduling *scheduling, unsigned id)
{
	return throttle_held_ns(scheduling->throttle, id);
}

/* ---- beginning and end -------------------------------------------------------------------------------- */

void scheduling_begin_vcpu(struct scheduling *scheduling, unsigned id)
{
	g_mutex_lock(&scheduling->mutex);
	/* That the host has some of these was seen when they were asked for. */
	sched_setaffinity(0, sizeof(cpu_set_t), &scheduling->vcpu_sets[id]);
	if (scheduling->cgroup)
		cgroup_begin_vcpu(scheduling->cgroup, id);
	g_mutex_unlock(&scheduling->mutex);
}

static void begin_throttle(void)
{
	sandbox_thread(SANDBOX_HELPER);
}

/* What is not limited from the start is left alone. */
static bool limit_as_configured(
	struct scheduling *scheduling, const struct config_cputune *cputune, GError **error)
{
	const struct config_quota *const quotas[SCHEDULING_PARTS] = {
		[SCHEDULING_WHOLE] = &cputune->whole,
		[SCHEDULING_VCPU] = &cputune->vcpu,
		[SCHEDULING_EMULATOR] = &cputune->emulator,
	};

	for (unsigned part = 0; part < SCHEDULING_PARTS; part++) {
		scheduling->quotas[part] = *quotas[part];
		if (quotas[part]->quota_us &&
			!scheduling_set_quota(scheduling, part, quotas[part], error))
			return false;
	}
	return !cputune->weight || scheduling_set_weight(scheduling, cputune->weight, error);
}

struct scheduling *scheduling_new(const struct machine_config *config, struct cpus *cpus,
	bool use_cgroup, GError **error)
{
	struct scheduling *scheduling = g_new0(struct scheduling, 1);
	cpu_set_t set;

	scheduling->cpus = cpus;
	scheduling->throttle = throttle_new(cpus, begin_throttle);
	g_mutex_init(&scheduling->mutex);
	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (unsigned id = 0; id < CONFIG_VCPUS_MAX; id++)
		scheduling->vcpu_sets[id] = set;
	scheduling->emulator_set = set;
	scheduling->nice = scheduling->nice_before = getpriority(PRIO_PROCESS, 0);
	scheduling->weight = USUAL_WEIGHT;
	scheduling->cgroup = use_cgroup ? cgroup_new(config->vcpus_max) : NULL;
	if (pin_as_configured(scheduling, config, error) &&
		limit_as_configured(scheduling, &config->cputune, error))
		return scheduling;
	scheduling_free(scheduling);
	return NULL;
}

void scheduling_free(struct scheduling *scheduling)
{
	if (!scheduling)
		return;
	throttle_free(scheduling->throttle);
	cgroup_free(scheduling->cgroup);
	g_mutex_clear(&scheduling->mutex);
	g_free(scheduling);
}
