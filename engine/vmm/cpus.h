// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The vCPU threads of one machine: stopping and starting them all, adding and removing single ones
 * while the others run.
 *
 * Threads: made, started, stopped and freed by the main thread, which must not hold the machine
 * lock then (a vCPU on its way out may need it). cpus_ask_stop() may be called from any thread,
 * with the lock held or not.
 */
#pragma once

#include "engine/vmm/cpu/vcpu.h"

struct cpus;

/* Told in the vCPU's thread when it cannot go on: VCPU_EXIT_SHUTDOWN or VCPU_EXIT_ERROR, with the
 * vCPU's error text. The vCPU is stopped then, the others run. */
struct cpus_listener {
	/* First of all in each vCPU's thread; NULL: nothing. */
	void (*begin)(void *data, unsigned id);
	void (*stopped)(void *data, enum vcpu_exit why, const char *error);
	void *data;
};

/* Makes env->count vCPUs; all are stopped. Their threads are made when they are first started, so that
 * they begin with what the main thread has given up by then. */
struct cpus *cpus_new(struct vcpu_backend *backend, const struct vcpu_env *env,
	const struct cpus_listener *listener, GError **error);
/* Stops and frees all. */
void cpus_free(struct cpus *cpus);

void cpus_start(struct cpus *cpus);
/* Returns when no vCPU is in run() any more. */
void cpus_stop(struct cpus *cpus);
/* Makes all stop as soon as they can, and does not wait. */
void cpus_ask_stop(struct cpus *cpus);

/* Keeps all out of run(), or lets them go on, beside the above: for the cap. Any thread. */
void cpus_hold(struct cpus *cpus, bool hold);
/* The same with one, whether it is there now or comes later. */
void cpus_hold_one(struct cpus *cpus, unsigned id, bool hold);
/* The id of a vCPU's thread; 0: it has not begun. Any thread. */
int cpus_tid(const struct cpus *cpus, unsigned id);
/* Nanoseconds that a vCPU's thread has spent on a host CPU. Any thread. */
uint64_t cpus_run_ns(const struct cpus *cpus, unsigned id);

/* While stopped: power-on state for all, then this for the boot processor. */
void cpus_reset(struct cpus *cpus, const struct vcpu_state *boot_state);

/* Makes one present that is not, as after power-on, waiting for the guest to start it. It runs when
 * the others do. Errors: the backend's. */
bool cpus_add(struct cpus *cpus, unsigned id, GError **error);
/* Takes one out that is present, not the boot processor: its thread ends. The vCPU is parked and
 * used again if it comes back (KVM cannot delete one). */
void cpus_remove(struct cpus *cpus, unsigned id);

/* Main thread. online: the guest has started it. */
bool cpus_present(const struct cpus *cpus, unsigned id);
bool cpus_online(const struct cpus *cpus, unsigned id);
/* Its vCPU waits for an interrupt; see struct vcpu. Any thread that knows it to be present. */
bool cpus_asleep(const struct cpus *cpus, unsigned id);
/* How many are present; not always the lowest ids. Main thread. */
unsigned cpus_count(const struct cpus *cpus);
/* For reports and tests; while stopped. NULL: it never was present. */
struct vcpu *cpus_get(struct cpus *cpus, unsigned id);
