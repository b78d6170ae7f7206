// SPDX-License-Identifier: GPL-3.0-or-later
// SYSCALL, SYSRET, SYSENTER, SYSEXIT: to and from level 0 without a descriptor being read.

#include "engine/vmm/cpu/soft/system.h"

/* Attributes of flat segments: present, accessed, 4 GiB; DPL and L or D/B are added. */
#define FLAT_CODE (SOFT_SEG_G | SOFT_SEG_P | SOFT_SEG_S | 0xbu)
#define FLAT_DATA (SOFT_SEG_G | SOFT_SEG_DB | SOFT_SEG_P | SOFT_SEG_S | 0x3u)

static void set_flat(struct vcpu_segment *s, uint16_t selector, uint32_t attributes, unsigned cpl)
{
	*s = (struct vcpu_segment){
		.selector = selector,
		.limit = 0xffffffff,
		.attributes = attributes | cpl << 5,
	};
}

static void set_level(struct soft_cpu *cpu, uint16_t cs, uint16_t ss, unsigned cpl, bool wide)
{
	set_flat(&cpu->seg[SOFT_CS], cs, FLAT_CODE | (wide ? SOFT_SEG_L : SOFT_SEG_DB), cpl);
	set_flat(&cpu->seg[SOFT_SS], ss, FLAT_DATA, cpl);
	soft_update_mode(cpu);
}

static void check_syscall(struct soft_cpu *cpu)
{
	if (!soft_long64(cpu) || !(cpu->efer & SOFT_EFER_SCE))
		soft_raise(cpu, SOFT_UD);
}

void soft_sys_syscall(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint16_t cs = cpu->star >> 32 & 0xfffc;

	(void)insn;
	check_syscall(cpu);
	cpu->gpr[SOFT_RCX] = cpu->rip;
	cpu->gpr[SOFT_R11] = soft_rflags(cpu) & ~(uint64_t)SOFT_RF;
	cpu->rip = cpu->lstar;
	set_level(cpu, cs, cs + 8, 0, true);
	soft_set_rflags(cpu, (cpu->gpr[SOFT_R11] & ~cpu->sfmask) | 2);
	cpu->step_done = (cpu->gpr[SOFT_R11] & ~cpu->rflags) & SOFT_TF;
}

void soft_sys_sysret(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint16_t base = (cpu->star >> 48 & 0xfffc) | 3;
	bool wide = insn->size == 8;

	check_syscall(cpu);
	if (soft_cpl(cpu) != 0 || (wide && !soft_canonical(cpu->gpr[SOFT_RCX])))
		soft_raise_code(cpu, SOFT_GP, 0);
	cpu->rip = wide ? cpu->gpr[SOFT_RCX] : (uint32_t)cpu->gpr[SOFT_RCX];
	set_level(cpu, base + (wide ? 16 : 0), base + 8, 3, wide);
	soft_set_rflags(cpu, (cpu->gpr[SOFT_R11] & 0x3c7fd7) | 2);
}

void soft_sys_sysenter(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint16_t cs = cpu->sysenter_cs & 0xfffc;
	bool wide = cpu->efer & SOFT_EFER_LMA;

	(void)insn;
	if (!(cpu->cr0 & SOFT_CR0_PE) || cs == 0)
		soft_raise_code(cpu, SOFT_GP, 0);
	cpu->gpr[SOFT_RSP] = wide ? cpu->sysenter_esp : (uint32_t)cpu->sysenter_esp;
	cpu->rip = wide ? cpu->sysenter_eip : (uint32_t)cpu->sysenter_eip;
	set_level(cpu, cs, cs + 8, 0, wide);
	soft_set_rflags(cpu, soft_rflags(cpu) & ~(uint64_t)(SOFT_VM | SOFT_IF | SOFT_RF));
}

void soft_sys_sysexit(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint16_t cs = cpu->sysenter_cs & 0xfffc;
	bool wide = insn->size == 8;
	uint64_t rip = cpu->gpr[SOFT_RDX], rsp = cpu->gpr[SOFT_RCX];

	if (!(cpu->cr0 & SOFT_CR0_PE) || cs == 0 || soft_cpl(cpu) != 0)
		soft_raise_code(cpu, SOFT_GP, 0);
	if (wide && (!soft_canonical(rip) || !soft_canonical(rsp)))
		soft_raise_code(cpu, SOFT_GP, 0);
	cpu->rip = wide ? rip : (uint32_t)rip;
	cpu->gpr[SOFT_RSP] = wide ? rsp : (uint32_t)rsp;
	cs |= 3;
	set_level(cpu, cs + (wide ? 32 : 16), cs + (wide ? 40 : 24), 3, wide);
}
