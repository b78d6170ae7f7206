// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/engine/bare.h"

#include <string.h>

#define PML4 0x1000ull
#define PDPT 0x2000ull
#define DIRECTORY 0x3000ull

static void exit_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct bare *bare = device;
	unsigned cpu = offset;
	bare->result[cpu] = value;
	soft_post(bare->cpu[cpu], SOFT_PENDING_KICK);
}

static const struct bus_ops exit_ops = {.write = exit_write};

static void make_tables(struct bare *bare)
{
	uint64_t entry = PDPT | 3;
	memory_write(bare->env.memory, PML4, &entry, 8);
	entry = DIRECTORY | 3;
	memory_write(bare->env.memory, PDPT, &entry, 8);
	for (unsigned i = 0; i < 512; i++) {
		entry = (uint64_t)i << 21 | 0x83;
		memory_write(bare->env.memory, DIRECTORY + 8 * i, &entry, 8);
	}
}

struct bare *bare_new(uint64_t memory, unsigned cpus)
{
	struct bare *bare = g_new0(struct bare, 1);
	g_mutex_init(&bare->lock.mutex);
	bare->context = g_main_context_new();
	bare->env = (struct vcpu_env){
		.memory = memory_new(memory, NULL),
		.ports = bus_new("ports", &bare->lock),
		.mmio = bus_new("mmio", &bare->lock),
		.clock = clock_new(bare->context, &bare->lock, NULL),
		.lock = &bare->lock,
		.count = cpus,
		.count_max = cpus,
	};
	g_assert(memory_track_code(bare->env.memory, NULL));
	bus_claim(bare->env.ports, BARE_EXIT_PORT, 4, &exit_ops, bare);
	bare->machine = soft_machine_new(&bare->env);
	bare->cpus = cpus;
	for (unsigned i = 0; i < cpus; i++)
		bare->cpu[i] = soft_cpu_new(bare->machine, i, NULL);
	make_tables(bare);
	return bare;
}

void bare_free(struct bare *bare)
{
	for (unsigned i = 0; i < bare->cpus; i++)
		soft_cpu_free(bare->cpu[i]);
	soft_machine_free(bare->machine);
	clock_free(bare->env.clock);
	bus_free(bare->env.ports);
	bus_free(bare->env.mmio);
	memory_free(bare->env.memory);
	g_main_context_unref(bare->context);
	g_mutex_clear(&bare->lock.mutex);
	g_free(bare);
}

void bare_load(struct bare *bare, uint64_t gpa, const void *code, size_t length)
{
	g_assert(memory_write(bare->env.memory, gpa, code, length));
}

static void flat_segments(struct soft_cpu *cpu, uint32_t code)
{
	for (unsigned i = 0; i < SOFT_SEGMENTS; i++)
		cpu->seg[i] = (struct vcpu_segment){
			.limit = 0xffffffff, .selector = 0x10, .attributes = 0xc093};
	cpu->seg[SOFT_CS].selector = 8;
	cpu->seg[SOFT_CS].attributes = code;
}

void bare_enter(struct bare *bare, unsigned number, enum bare_mode mode, uint64_t rip)
{
	struct soft_cpu *cpu = bare->cpu[number];
	soft_cpu_reset(cpu);
	cpu->seg[SOFT_CS].base = cpu->seg[SOFT_CS].selector = 0;
	cpu->gpr[SOFT_RDX] = 0;
	if (mode != BARE_REAL) {
		cpu->cr0 = SOFT_CR0_PE | SOFT_CR0_ET | SOFT_CR0_NE;
		flat_segments(cpu, mode == BARE_LONG ? 0xa09b : 0xc09b);
	}
	if (mode == BARE_LONG) {
		cpu->cr0 |= SOFT_CR0_PG;
		cpu->cr3 = PML4;
		cpu->cr4 = SOFT_CR4_PAE | SOFT_CR4_OSFXSR;
		cpu->efer = SOFT_EFER_LME | SOFT_EFER_LMA;
	}
	cpu->gpr[SOFT_RSP] = mode == BARE_REAL ? 0x8000 : BARE_STACK;
	cpu->rip = rip;
	soft_tlb_flush(cpu);
	soft_update_mode(cpu);
}

uint8_t bare_run(struct bare *bare, unsigned number)
{
	enum vcpu_exit exit = soft_cpu_run(bare->cpu[number]);
	if (exit != VCPU_EXIT_KICKED)
		g_error("the guest stopped with exit %d at rip %" G_GINT64_MODIFIER "x", exit,
			bare->cpu[number]->rip);
	return bare->result[number];
}
