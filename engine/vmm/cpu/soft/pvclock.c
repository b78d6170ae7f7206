// SPDX-License-Identifier: GPL-3.0-or-later
// The paravirtual clock, as Linux' Documentation/virt/kvm/x86/msr.rst defines it: MSRs take the
// address of a structure that says how time follows from the TSC. Ours counts nanoseconds, so it
// never changes.

#include "engine/vmm/cpu/soft/system.h"

#include <time.h>

#define ENABLE 1u
#define FLAG_TSC_STABLE 1u

struct pv_system_time {
	uint32_t version; /* odd while it changes */
	uint32_t pad;
	uint64_t tsc; /* TSC at time ns */
	uint64_t ns;
	uint32_t multiplier;
	int8_t shift; /* ns += ((TSC - tsc) << shift) * multiplier >> 32 */
	uint8_t flags;
	uint8_t pad2[2];
};
G_STATIC_ASSERT(sizeof(struct pv_system_time) == 32);

struct pv_wall_clock {
	uint32_t version;
	uint32_t seconds; /* of the wall clock when system time was 0 */
	uint32_t nanoseconds;
};

bool soft_pvclock_system_time(struct soft_cpu *cpu, uint64_t value)
{
	uint64_t now = clock_ns(cpu->env->clock);
	struct pv_system_time time = {
		.version = 2,
		.tsc = now + cpu->tsc_offset,
		.ns = now,
		.multiplier = 0x80000000,
		.shift = 1,
		.flags = FLAG_TSC_STABLE,
	};

	if ((value & ENABLE) &&
		!memory_write(cpu->memory, value & ~(uint64_t)ENABLE, &time, sizeof(time)))
		return false;
	cpu->pv_system_time = value;
	return true;
}

bool soft_pvclock_wall_clock(struct soft_cpu *cpu, uint64_t value)
{
	uint64_t now = clock_ns(cpu->env->clock), start;
	struct timespec wall;
	struct pv_wall_clock clock = {.version = 2};

	clock_gettime(CLOCK_REALTIME, &wall);
	start = (uint64_t)wall.tv_sec * 1000000000 + (uint64_t)wall.tv_nsec - now;
	clock.seconds = (uint32_t)(start / 1000000000);
	clock.nanoseconds = (uint32_t)(start % 1000000000);
	if (!memory_write(cpu->memory, value, &clock, sizeof(clock)))
		return false;
	cpu->pv_wall_clock = value;
	return true;
}
