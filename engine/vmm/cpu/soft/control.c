// SPDX-License-Identifier: GPL-3.0-or-later
// Control registers, and the small privileged instructions around them.

#include "engine/vmm/cpu/soft/system.h"
#include "engine/vmm/dev/lapic.h"

#include <sched.h>
#include <stdarg.h>
#include <sys/random.h>

#define CR0_DEFINED                                                                                \
	(SOFT_CR0_PE | SOFT_CR0_MP | SOFT_CR0_EM | SOFT_CR0_TS | SOFT_CR0_ET | SOFT_CR0_NE |       \
		SOFT_CR0_WP | SOFT_CR0_AM | SOFT_CR0_NW | SOFT_CR0_CD | SOFT_CR0_PG)
/* What CPUID tells of, and no more. */
#define CR4_DEFINED                                                                                \
	(SOFT_CR4_TSD | SOFT_CR4_DE | SOFT_CR4_PSE | SOFT_CR4_PAE | SOFT_CR4_MCE | SOFT_CR4_PGE |  \
		SOFT_CR4_PCE | SOFT_CR4_OSFXSR | SOFT_CR4_OSXMMEXCPT | SOFT_CR4_UMIP |             \
		SOFT_CR4_FSGSBASE | SOFT_CR4_SMEP | SOFT_CR4_SMAP)

void soft_warn(struct soft_cpu *cpu, const char *format, ...)
{
	g_autofree char *message = NULL;
	va_list args;

	if (cpu->env->warn == NULL)
		return;
	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	cpu->env->warn(cpu->env->warn_data, message);
}

static _Noreturn void refuse(struct soft_cpu *cpu)
{
	soft_raise_code(cpu, SOFT_GP, 0);
}

/* ---- CR0, CR3, CR4 ---- */

/* Turning paging on enters long mode where EFER.LME asks for it; returns the new EFER. */
static uint64_t efer_after(struct soft_cpu *cpu, uint64_t cr0)
{
	bool on = !(cpu->cr0 & SOFT_CR0_PG) && (cr0 & SOFT_CR0_PG);
	bool off = (cpu->cr0 & SOFT_CR0_PG) && !(cr0 & SOFT_CR0_PG);

	if (on && (cpu->efer & SOFT_EFER_LME)) {
		bool tss16 = !(cpu->tr.attributes & (8 | SOFT_SEG_UNUSABLE));
		if (!(cpu->cr4 & SOFT_CR4_PAE) || (cpu->seg[SOFT_CS].attributes & SOFT_SEG_L) ||
			tss16)
			refuse(cpu);
		return cpu->efer | SOFT_EFER_LMA;
	}
	if (off && (cpu->efer & SOFT_EFER_LMA)) {
		if (soft_long64(cpu))
			refuse(cpu);
		return cpu->efer & ~(uint64_t)SOFT_EFER_LMA;
	}
	return cpu->efer;
}

static bool uses_pdptes(uint64_t cr0, uint64_t cr4, uint64_t efer)
{
	return (cr0 & SOFT_CR0_PG) && (cr4 & SOFT_CR4_PAE) && !(efer & SOFT_EFER_LMA);
}

void soft_cr0_write(struct soft_cpu *cpu, uint64_t value)
{
	const uint32_t paging = SOFT_CR0_PG | SOFT_CR0_PE | SOFT_CR0_WP;
	const uint32_t reload = SOFT_CR0_PG | SOFT_CR0_CD | SOFT_CR0_NW;
	uint64_t efer, changed;

	if (value >> 32 || ((value & SOFT_CR0_PG) && !(value & SOFT_CR0_PE)) ||
		((value & SOFT_CR0_NW) && !(value & SOFT_CR0_CD)))
		refuse(cpu);
	value = (value & CR0_DEFINED) | SOFT_CR0_ET;
	changed = cpu->cr0 ^ value;
	efer = efer_after(cpu, value);
	if ((changed & reload) && uses_pdptes(value, cpu->cr4, efer) &&
		!soft_pdpte_load(cpu, cpu->cr3))
		refuse(cpu);
	cpu->cr0 = value;
	cpu->efer = efer;
	if (changed & paging)
		soft_tlb_flush(cpu);
	soft_update_mode(cpu);
}

void soft_cr3_write(struct soft_cpu *cpu, uint64_t value)
{
	if (!(cpu->efer & SOFT_EFER_LMA))
		value = (uint32_t)value;
	else if (value >> SOFT_PHYSICAL_BITS)
		refuse(cpu);
	if (uses_pdptes(cpu->cr0, cpu->cr4, cpu->efer) && !soft_pdpte_load(cpu, value))
		refuse(cpu);
	cpu->cr3 = value;
	soft_tlb_flush_nonglobal(cpu);
}

void soft_cr4_write(struct soft_cpu *cpu, uint64_t value)
{
	const uint32_t paging = SOFT_CR4_PSE | SOFT_CR4_PAE | SOFT_CR4_PGE | SOFT_CR4_SMEP;
	uint64_t changed = cpu->cr4 ^ value;

	if (value & ~(uint64_t)CR4_DEFINED)
		refuse(cpu);
	if ((cpu->efer & SOFT_EFER_LMA) && !(value & SOFT_CR4_PAE))
		refuse(cpu);
	if ((changed & paging) && uses_pdptes(cpu->cr0, value, cpu->efer) &&
		!soft_pdpte_load(cpu, cpu->cr3))
		refuse(cpu);
	cpu->cr4 = value;
	if (changed & (paging | SOFT_CR4_SMAP))
		soft_tlb_flush(cpu);
	soft_update_mode(cpu);
}

void soft_sys_mov_from_cr(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t value;

	switch (insn->reg) {
	case 0:
		value = cpu->cr0;
		break;
	case 2:
		value = cpu->cr2;
		break;
	case 3:
		value = cpu->cr3;
		break;
	case 4:
		value = cpu->cr4;
		break;
	case 8:
		value = cpu->lapic != NULL ? lapic_cr8(cpu->lapic) : 0;
		break;
	default:
		soft_raise(cpu, SOFT_UD);
	}
	cpu->gpr[insn->rm] = insn->size == 8 ? value : (uint32_t)value;
}

static void write_cr8(struct soft_cpu *cpu, uint64_t value)
{
	if (value > 15)
		refuse(cpu);
	soft_fp_park(&cpu->fp);
	if (cpu->lapic != NULL)
		lapic_set_cr8(cpu->lapic, (unsigned)value);
}

void soft_sys_mov_to_cr(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t value = insn->size == 8 ? cpu->gpr[insn->rm] : (uint32_t)cpu->gpr[insn->rm];

	switch (insn->reg) {
	case 0:
		soft_cr0_write(cpu, value);
		break;
	case 2:
		cpu->cr2 = value;
		break;
	case 3:
		soft_cr3_write(cpu, value);
		break;
	case 4:
		soft_cr4_write(cpu, value);
		break;
	case 8:
		write_cr8(cpu, value);
		break;
	default:
		soft_raise(cpu, SOFT_UD);
	}
}

void soft_sys_clts(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)insn;
	cpu->cr0 &= ~(uint64_t)SOFT_CR0_TS;
}

void soft_sys_smsw(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	if ((cpu->cr4 & SOFT_CR4_UMIP) && soft_cpl(cpu) != 0)
		refuse(cpu);
	if (insn->memory)
		soft_store16(cpu, soft_operand(cpu, insn, 2, SOFT_WRITE), (uint16_t)cpu->cr0);
	else if (insn->size == 2)
		cpu->gpr[insn->rm] = (cpu->gpr[insn->rm] & ~0xffffull) | (cpu->cr0 & 0xffff);
	else
		cpu->gpr[insn->rm] = cpu->cr0;
}

/* LMSW sets PE but does not clear it. */
void soft_sys_lmsw(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	const uint32_t mask = SOFT_CR0_PE | SOFT_CR0_MP | SOFT_CR0_EM | SOFT_CR0_TS;
	uint64_t value;

	if (insn->memory)
		value = soft_load16(cpu, soft_operand(cpu, insn, 2, SOFT_READ));
	else
		value = cpu->gpr[insn->rm];
	value = (value & mask) | (cpu->cr0 & SOFT_CR0_PE);
	soft_cr0_write(cpu, (cpu->cr0 & ~(uint64_t)mask) | value);
}

void soft_sys_xgetbv(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)insn;
	if (!(cpu->cr4 & SOFT_CR4_OSXSAVE))
		soft_raise(cpu, SOFT_UD);
	if ((uint32_t)cpu->gpr[SOFT_RCX] != 0)
		refuse(cpu);
	cpu->gpr[SOFT_RAX] = (uint32_t)cpu->xcr0;
	cpu->gpr[SOFT_RDX] = cpu->xcr0 >> 32;
}

void soft_sys_xsetbv(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t value = (cpu->gpr[SOFT_RDX] << 32) | (uint32_t)cpu->gpr[SOFT_RAX];

	(void)insn;
	if (!(cpu->cr4 & SOFT_CR4_OSXSAVE))
		soft_raise(cpu, SOFT_UD);
	if ((uint32_t)cpu->gpr[SOFT_RCX] != 0 || (value & ~3ull) || !(value & 1))
		refuse(cpu);
	cpu->xcr0 = value;
}

/* ---- caches, halting, time, random numbers ---- */

void soft_sys_invlpg(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t linear = soft_effective(cpu, insn);

	/* In 64-bit mode the sum has the bases of FS and GS in it. */
	if (!soft_long64(cpu))
		linear += cpu->seg[insn->seg].base;
	else if (insn->address == SOFT_ADDRESS_SEGMENT && insn->seg >= SOFT_FS)
		linear += cpu->seg[insn->seg].base;
	soft_tlb_flush_page(cpu, linear);
}

void soft_sys_invd(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)cpu;
	(void)insn;
}

void soft_sys_hlt(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)insn;
	soft_post(cpu, SOFT_PENDING_HALT);
}

/* What spins waits for another processor, which may be waiting for this host one: after some turns
 * it gets it. Alone, there is nobody to wait for. */
#define PAUSES_TO_YIELD 32

void soft_sys_pause(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)insn;
	if (++cpu->pauses % PAUSES_TO_YIELD == 0 && cpu->machine->cpus > 1)
		sched_yield();
}

uint64_t soft_tsc(const struct soft_cpu *cpu)
{
	return clock_ns(cpu->env->clock) + cpu->tsc_offset;
}

static void read_tsc(struct soft_cpu *cpu)
{
	uint64_t tsc;

	if ((cpu->cr4 & SOFT_CR4_TSD) && soft_cpl(cpu) != 0)
		refuse(cpu);
	tsc = soft_tsc(cpu);
	cpu->gpr[SOFT_RAX] = (uint32_t)tsc;
	cpu->gpr[SOFT_RDX] = tsc >> 32;
}

void soft_sys_rdtsc(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)insn;
	read_tsc(cpu);
}

void soft_sys_rdtscp(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)insn;
	read_tsc(cpu);
	cpu->gpr[SOFT_RCX] = (uint32_t)cpu->tsc_aux;
}

void soft_sys_rdpid(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	cpu->gpr[insn->rm] = (uint32_t)cpu->tsc_aux;
}

/* There are no performance counters. */
void soft_sys_rdpmc(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)insn;
	refuse(cpu);
}

void soft_sys_rdrand(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t value = 0;
	bool done = getrandom(&value, insn->size, GRND_NONBLOCK) == (ssize_t)insn->size;

	if (insn->size == 2)
		value |= cpu->gpr[insn->rm] & ~0xffffull;
	cpu->gpr[insn->rm] = value;
	cpu->flags = done ? SOFT_IMAGE_CF : 0;
}

/* A hypercall: none is known, as KVM's CPUID leaves promise none (KVM_ENOSYS). */
void soft_sys_vmcall(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)insn;
	cpu->gpr[SOFT_RAX] = soft_long64(cpu) ? (uint64_t)-1000 : (uint32_t)-1000;
}
