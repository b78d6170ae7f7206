// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One or more software CPUs on a little memory, for tests and benchmarks of guest code of a few
 * instructions. No devices but a port that ends the run.
 */
#pragma once

#include "engine/vmm/cpu/soft/soft.h"

/* OUT to this port plus the number of the processor ends its bare_run(); AL is the result. */
#define BARE_EXIT_PORT 0xf4
/* Page tables and descriptors lie below; code and data of tests from here on. */
#define BARE_CODE 0x100000ull
#define BARE_STACK 0x90000ull

struct bare {
	struct vcpu_env env;
	struct machine_lock lock;
	GMainContext *context;
	struct soft_machine *machine;
	struct soft_cpu *cpu[4];
	unsigned cpus;
	uint8_t result[4]; /* AL of the last run, by processor */
};

enum bare_mode { BARE_REAL, BARE_FLAT32, BARE_LONG };

/* Memory in bytes; up to 4 processors. */
struct bare *bare_new(uint64_t memory, unsigned cpus);
void bare_free(struct bare *bare);

/* Copies code to guest memory, as a loader does. */
void bare_load(struct bare *bare, uint64_t gpa, const void *code, size_t length);
/* Puts a processor into a mode, at rip, with zeroed registers and RSP = BARE_STACK. Paging
 * (long mode) is the identity over the first GiB, by 2 MiB pages, writable, supervisor. */
void bare_enter(struct bare *bare, unsigned cpu, enum bare_mode mode, uint64_t rip);
/* Runs a processor until it writes to the exit port; AL. Any thread, one per processor. */
uint8_t bare_run(struct bare *bare, unsigned cpu);
