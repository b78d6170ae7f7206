// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How much of the host's processors a machine gets, and which: quotas of the whole (the cap), of each
 * vCPU and of all its other threads (the emulator, in libvirt's words), weight, and the host CPUs
 * that vCPUs and emulator may use.
 *
 * Quotas and weight are the host's business where the process may have a control group of its own
 * (cgroup.h), else the monitor's: the vCPUs' quotas by its throttle, the weight by nice values, a
 * step of which is a quarter. The emulator's quota is the host's only.
 *
 * Main thread, but for scheduling_begin_vcpu().
 */
#pragma once

#include "engine/common/config.h"
#include "engine/vmm/cpus.h"

#include <sched.h>

struct scheduling;

/* Does what the configuration says; for the vCPUs when they begin. use_cgroup: if there can be one.
 * Errors are sentences: CPUs that the host does not have. */
struct scheduling *scheduling_new(const struct machine_config *config, struct cpus *cpus,
	bool use_cgroup, GError **error);
/* Before the cpus are freed. */
void scheduling_free(struct scheduling *scheduling);
/* First of all in a vCPU's thread. */
void scheduling_begin_vcpu(struct scheduling *scheduling, unsigned id);

/* "cgroup" or "monitor": who does it. */
const char *scheduling_by(const struct scheduling *scheduling);
unsigned scheduling_weight(const struct scheduling *scheduling);
/* The quota of the whole in per cent of one host CPU, 0: none; and setting it so, in the period that
 * it has. */
unsigned scheduling_cap(const struct scheduling *scheduling);
bool scheduling_set_cap(struct scheduling *scheduling, unsigned percent, GError **error);

enum scheduling_part {
	SCHEDULING_WHOLE,
	SCHEDULING_VCPU,     /* each of them */
	SCHEDULING_EMULATOR, /* all other threads */
	SCHEDULING_PARTS,
};

const struct config_quota *scheduling_quota(
	const struct scheduling *scheduling, enum scheduling_part part);
/* Errors: the emulator's without a control group. */
bool scheduling_set_quota(struct scheduling *scheduling, enum scheduling_part part,
	const struct config_quota *quota, GError **error);
/* 1 to 10000. */
bool scheduling_set_weight(struct scheduling *scheduling, unsigned weight, GError **error);

/* id < CONFIG_VCPUS_MAX, whether it is there now or will be later. */
bool scheduling_pin_vcpu(struct scheduling *scheduling, unsigned id, const cpu_set_t *set,
	GError **error);
bool scheduling_pin_emulator(struct scheduling *scheduling, const cpu_set_t *set, GError **error);
/* Where they may run; *set is written. */
void scheduling_vcpu_set(const struct scheduling *scheduling, unsigned id, cpu_set_t *set);
void scheduling_emulator_set(const struct scheduling *scheduling, cpu_set_t *set);
/* The same; false: nobody has pinned them, they may run where the process may. */
bool scheduling_vcpu_pin(const struct scheduling *scheduling, unsigned id, cpu_set_t *set);
bool scheduling_emulator_pin(const struct scheduling *scheduling, cpu_set_t *set);

/* How long a vCPU that wanted to run was held by the monitor's own cap. Any thread. */
uint64_t scheduling_held_ns(const struct scheduling *scheduling, unsigned id);
