// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/cpu/soft/block.h"
#include "engine/vmm/cpu/soft/soft.h"
#include "engine/vmm/cpu/soft/stub.h"
#include "engine/vmm/cpu/soft/system.h"

#include <string.h>

struct soft_machine *soft_machine_new(const struct vcpu_env *env)
{
	struct soft_machine *machine = g_new0(struct soft_machine, 1);
	machine->env = env;
	g_mutex_init(&machine->world_lock);
	g_cond_init(&machine->world_cond);
	return machine;
}

void soft_machine_free(struct soft_machine *machine)
{
	if (!machine)
		return;
	g_mutex_clear(&machine->world_lock);
	g_cond_clear(&machine->world_cond);
	g_free(machine);
}

/* The structure holds the TLBs: over half a megabyte, best aligned for them. */
struct soft_cpu *soft_cpu_new(struct soft_machine *machine, unsigned id, GError **error)
{
	struct soft_stubs *stubs = soft_stubs_new(error);
	if (!stubs)
		return NULL;
	g_assert(id < VCPU_MAX && !machine->cpu[id] && machine->env->memory->code_gen);
	struct soft_cpu *cpu = g_aligned_alloc0(1, sizeof *cpu, 64);
	cpu->id = id;
	cpu->machine = machine;
	cpu->env = machine->env;
	cpu->memory = machine->env->memory;
	cpu->fp.stubs = stubs;
	cpu->blocks = soft_blocks_new();
	g_mutex_init(&cpu->protect_lock);
	cpu->protect_pages = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	cpu->tlb = &cpu->tlbs[SOFT_SET_SYSTEM];
	/* Zeroed entries would answer for page 0: let the first flush reach all of them. */
	for (unsigned set = 0; set < SOFT_SETS; set++)
		cpu->tlbs[set].logged = SOFT_TLB_LOG;
	soft_cpu_reset(cpu);
	soft_cpu_publish(cpu);
	return cpu;
}

void soft_cpu_publish(struct soft_cpu *cpu)
{
	if (!atomic_exchange(&cpu->machine->cpu[cpu->id], cpu))
		atomic_fetch_add(&cpu->machine->cpus, 1);
}

void soft_cpu_withdraw(struct soft_cpu *cpu)
{
	if (atomic_exchange(&cpu->machine->cpu[cpu->id], NULL))
		atomic_fetch_sub(&cpu->machine->cpus, 1);
}

void soft_cpu_free(struct soft_cpu *cpu)
{
	if (!cpu)
		return;
	soft_cpu_withdraw(cpu);
	soft_mmu_free(cpu);
	soft_fp_park(&cpu->fp);
	soft_stubs_free(cpu->fp.stubs);
	soft_blocks_free(cpu->blocks);
	g_array_unref(cpu->protect_pages);
	g_mutex_clear(&cpu->protect_lock);
	g_aligned_free(cpu);
}

/* What RESET and INIT have in common (SDM volume 3, table 10-1). */
static void reset_core(struct soft_cpu *cpu)
{
	memset(cpu->gpr, 0, sizeof cpu->gpr);
	cpu->gpr[SOFT_RDX] = 0x00000600; /* family 6, as CPUID tells */
	cpu->flags = 0;
	cpu->rflags = 2;
	cpu->rip = 0xfff0;
	for (unsigned i = 0; i < SOFT_SEGMENTS; i++)
		cpu->seg[i] = (struct vcpu_segment){.limit = 0xffff, .attributes = 0x93};
	cpu->seg[SOFT_CS] = (struct vcpu_segment){
		.base = 0xffff0000, .limit = 0xffff, .selector = 0xf000, .attributes = 0x9b};
	cpu->ldtr = (struct vcpu_segment){.limit = 0xffff, .attributes = 0x82};
	cpu->tr = (struct vcpu_segment){.limit = 0xffff, .attributes = 0x8b};
	cpu->gdtr = cpu->idtr = (struct vcpu_table){.limit = 0xffff};
	cpu->cr2 = cpu->cr3 = cpu->cr4 = cpu->efer = 0;
	memset(cpu->dr, 0, sizeof cpu->dr);
	cpu->dr[6] = 0xffff0ff0;
	cpu->dr[7] = 0x400;
	cpu->delivering = 0;
	cpu->shadow = cpu->nmi_blocked = false;
	cpu->debug_hits = 0;
	cpu->current = NULL;
	cpu->link_from = NULL;
	soft_tlb_flush(cpu);
	soft_update_mode(cpu);
}

void soft_cpu_reset(struct soft_cpu *cpu)
{
	cpu->cr0 = SOFT_CR0_CD | SOFT_CR0_NW | SOFT_CR0_ET;
	cpu->xcr0 = 1;
	cpu->star = cpu->lstar = cpu->cstar = cpu->sfmask = cpu->kernel_gs_base = 0;
	cpu->sysenter_cs = cpu->sysenter_esp = cpu->sysenter_eip = 0;
	cpu->tsc_offset = cpu->tsc_aux = cpu->tsc_adjust = 0;
	cpu->pat = 0x0007040600070406;
	cpu->misc_enable = 1;
	cpu->mtrr_def_type = 0;
	memset(cpu->mtrr_fixed, 0, sizeof cpu->mtrr_fixed);
	memset(cpu->mtrr_variable, 0, sizeof cpu->mtrr_variable);
	cpu->pv_system_time = cpu->pv_wall_clock = 0;
	soft_fp_reset(&cpu->fp);
	reset_core(cpu);
}

void soft_cpu_init_signal(struct soft_cpu *cpu)
{
	cpu->cr0 = (cpu->cr0 & (SOFT_CR0_CD | SOFT_CR0_NW)) | SOFT_CR0_ET;
	reset_core(cpu);
}

/* Data or stack segment that reaches all 4 GiB, readable and writable. */
static bool is_flat_data(const struct vcpu_segment *seg)
{
	return seg->base == 0 && seg->limit == 0xffffffff &&
	       (seg->attributes & (SOFT_SEG_UNUSABLE | SOFT_SEG_P | SOFT_SEG_S | 0xe)) ==
		       (SOFT_SEG_P | SOFT_SEG_S | 0x2);
}

static uint32_t protected_mode(const struct soft_cpu *cpu)
{
	const struct vcpu_segment *cs = &cpu->seg[SOFT_CS], *ss = &cpu->seg[SOFT_SS];
	uint32_t mode = SOFT_MODE_PROTECTED | SOFT_SEG_DPL(ss->attributes);
	if (cpu->efer & SOFT_EFER_LMA)
		mode |= SOFT_MODE_LONG;
	if (cpu->efer & SOFT_EFER_LMA && cs->attributes & SOFT_SEG_L)
		return mode | SOFT_MODE_CODE64 | SOFT_MODE_STACK32;
	if (cs->attributes & SOFT_SEG_DB)
		mode |= SOFT_MODE_CODE32;
	if (ss->attributes & SOFT_SEG_DB)
		mode |= SOFT_MODE_STACK32;
	if (cs->base == 0 && cs->limit == 0xffffffff && is_flat_data(ss) &&
		is_flat_data(&cpu->seg[SOFT_DS]) && is_flat_data(&cpu->seg[SOFT_ES]))
		mode |= SOFT_MODE_FLAT;
	return mode;
}

/* Real mode keeps the sizes of segments loaded in protected mode until they are loaded anew. */
static uint32_t real_mode(const struct soft_cpu *cpu)
{
	uint32_t mode = 0;
	if (cpu->seg[SOFT_CS].attributes & SOFT_SEG_DB)
		mode |= SOFT_MODE_CODE32;
	if (cpu->seg[SOFT_SS].attributes & SOFT_SEG_DB)
		mode |= SOFT_MODE_STACK32;
	return mode;
}

static enum soft_tlb_set data_set(const struct soft_cpu *cpu, uint32_t mode)
{
	if ((mode & SOFT_MODE_CPL) == 3)
		return SOFT_SET_USER;
	return cpu->cr4 & SOFT_CR4_SMAP && !(cpu->rflags & SOFT_AC) ? SOFT_SET_SMAP
								    : SOFT_SET_SYSTEM;
}

void soft_update_mode(struct soft_cpu *cpu)
{
	uint32_t mode;
	if (!(cpu->cr0 & SOFT_CR0_PE))
		mode = real_mode(cpu);
	else if (cpu->rflags & SOFT_VM)
		mode = SOFT_MODE_PROTECTED | SOFT_MODE_V86 | 3;
	else
		mode = protected_mode(cpu);
	if (cpu->rflags & SOFT_TF)
		mode |= SOFT_MODE_STEP;
	if (cpu->dr[7] & 0xff)
		mode |= SOFT_MODE_BREAK;
	enum soft_tlb_set set = data_set(cpu, mode);
	cpu->mode = mode | set << SOFT_MODE_SET_SHIFT;
	cpu->tlb = &cpu->tlbs[set];
	for (unsigned half = 0; half < 2; half++)
		cpu->jump_key[half] = cpu->flushes[half] << 20 | cpu->mode;
	cpu->gpr[SOFT_FS_BASE] = cpu->seg[SOFT_FS].base;
	cpu->gpr[SOFT_GS_BASE] = cpu->seg[SOFT_GS].base;
}

void soft_set_rflags(struct soft_cpu *cpu, uint64_t rflags)
{
	uint64_t old = cpu->rflags;
	cpu->flags = soft_flags_to_image(rflags);
	cpu->rflags = (rflags & ~(uint64_t)SOFT_ARITHMETIC) | 2;
	uint64_t changed = old ^ cpu->rflags;
	if (changed & (SOFT_TF | SOFT_VM | SOFT_AC))
		soft_update_mode(cpu);
	if (changed & cpu->rflags & SOFT_IF)
		soft_update_interrupt(cpu);
}
