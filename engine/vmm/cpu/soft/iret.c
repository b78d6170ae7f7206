// SPDX-License-Identifier: GPL-3.0-or-later
// IRET, PUSHF and POPF, and what else moves the system flags.

#include "engine/vmm/cpu/soft/system.h"

#define FLAGS_ALWAYS (SOFT_ARITHMETIC | SOFT_TF | SOFT_DF | SOFT_NT)

uint64_t soft_flags_popped(const struct soft_cpu *cpu, uint64_t value, unsigned size)
{
	uint64_t old = soft_rflags(cpu);
	unsigned iopl = (old & SOFT_IOPL) >> 12;
	uint64_t mask = FLAGS_ALWAYS;

	if (size != 2)
		mask |= SOFT_AC | SOFT_ID;
	if (soft_cpl(cpu) <= iopl)
		mask |= SOFT_IF;
	if (soft_cpl(cpu) == 0)
		mask |= SOFT_IOPL;
	return (old & ~(mask | SOFT_RF)) | (value & mask);
}

static void check_v86(struct soft_cpu *cpu)
{
	if ((cpu->mode & SOFT_MODE_V86) && (cpu->rflags & SOFT_IOPL) != SOFT_IOPL)
		soft_raise_code(cpu, SOFT_GP, 0);
}

void soft_sys_pushf(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct soft_stack stack;

	check_v86(cpu);
	soft_stack_current(cpu, &stack);
	soft_stack_push(cpu, &stack, soft_rflags(cpu) & ~(uint64_t)(SOFT_RF | SOFT_VM), insn->size);
	soft_stack_commit(cpu, &stack);
}

void soft_sys_popf(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct soft_stack stack;
	uint64_t value;

	check_v86(cpu);
	soft_stack_current(cpu, &stack);
	value = soft_stack_pop(cpu, &stack, insn->size);
	soft_stack_commit(cpu, &stack);
	soft_set_rflags(cpu, soft_flags_popped(cpu, value, insn->size));
}

static void check_iopl(struct soft_cpu *cpu)
{
	if (soft_cpl(cpu) > (cpu->rflags & SOFT_IOPL) >> 12)
		soft_raise_code(cpu, SOFT_GP, 0);
}

void soft_sys_cli(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)insn;
	check_iopl(cpu);
	cpu->rflags &= ~(uint64_t)SOFT_IF;
}

void soft_sys_sti(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)insn;
	check_iopl(cpu);
	if (cpu->rflags & SOFT_IF)
		return;
	cpu->rflags |= SOFT_IF;
	cpu->shadow = true;
	soft_update_interrupt(cpu);
}

static void check_smap(struct soft_cpu *cpu)
{
	if (soft_cpl(cpu) != 0)
		soft_raise(cpu, SOFT_UD);
}

void soft_sys_clac(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)insn;
	check_smap(cpu);
	cpu->rflags &= ~(uint64_t)SOFT_AC;
	soft_update_mode(cpu);
}

void soft_sys_stac(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)insn;
	check_smap(cpu);
	cpu->rflags |= SOFT_AC;
	soft_update_mode(cpu);
}

/* ---- IRET ---- */

static void iret_real(struct soft_cpu *cpu, struct soft_stack *stack, unsigned size)
{
	uint64_t rip = soft_stack_pop(cpu, stack, size);
	uint16_t cs = (uint16_t)soft_stack_pop(cpu, stack, size);
	uint64_t rflags = soft_stack_pop(cpu, stack, size);

	soft_jump_real(cpu, cs, rip);
	soft_stack_commit(cpu, stack);
	if (size != 2 && (rflags & SOFT_RF))
		soft_set_rflags(cpu, soft_flags_popped(cpu, rflags, size) | SOFT_RF);
	else
		soft_set_rflags(cpu, soft_flags_popped(cpu, rflags, size));
}

static void iret_to_v86(
	struct soft_cpu *cpu, struct soft_stack *stack, uint64_t rip, uint16_t cs, uint64_t rflags)
{
	static const uint8_t order[] = {SOFT_SS, SOFT_ES, SOFT_DS, SOFT_FS, SOFT_GS, SOFT_CS};
	uint64_t esp = soft_stack_pop(cpu, stack, 4);
	uint16_t selector[G_N_ELEMENTS(order)];

	for (unsigned i = 0; i < G_N_ELEMENTS(order) - 1; i++)
		selector[i] = (uint16_t)soft_stack_pop(cpu, stack, 4);
	selector[G_N_ELEMENTS(order) - 1] = cs;
	for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
		cpu->seg[order[i]] = (struct vcpu_segment){.limit = 0xffff, .attributes = 0xf3};
		soft_segment_real(&cpu->seg[order[i]], selector[i]);
	}
	cpu->rip = rip & 0xffff;
	cpu->gpr[SOFT_RSP] = esp;
	soft_set_rflags(cpu, (rflags & (FLAGS_ALWAYS | SOFT_IF | SOFT_IOPL | SOFT_RF | SOFT_VM |
					       SOFT_AC | SOFT_VIF | SOFT_VIP | SOFT_ID)) |
				     2);
}

static void iret_protected(struct soft_cpu *cpu, struct soft_stack *stack, unsigned size)
{
	struct soft_return r = {.size = size, .iret = true};
	uint64_t rflags;

	r.rip = soft_stack_pop(cpu, stack, size);
	r.cs = (uint16_t)soft_stack_pop(cpu, stack, size);
	rflags = soft_stack_pop(cpu, stack, size);
	if (size == 4 && (rflags & SOFT_VM) && soft_cpl(cpu) == 0 && !(cpu->efer & SOFT_EFER_LMA)) {
		iret_to_v86(cpu, stack, r.rip, r.cs, rflags);
		return;
	}
	r.rflags = soft_flags_popped(cpu, rflags, size);
	if (size != 2)
		r.rflags |= rflags & SOFT_RF;
	soft_return(cpu, stack, &r);
}

void soft_sys_iret(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct soft_stack stack;

	cpu->nmi_blocked = false;
	if (cpu->nmi_latched) {
		cpu->nmi_latched = false;
		soft_post(cpu, SOFT_PENDING_NMI);
	}
	check_v86(cpu);
	soft_stack_current(cpu, &stack);
	if (!(cpu->mode & SOFT_MODE_PROTECTED) || (cpu->mode & SOFT_MODE_V86)) {
		iret_real(cpu, &stack, insn->size);
	} else if (cpu->rflags & SOFT_NT) {
		if (cpu->efer & SOFT_EFER_LMA)
			soft_raise_code(cpu, SOFT_GP, 0);
		soft_task_return(cpu);
	} else {
		iret_protected(cpu, &stack, insn->size);
	}
}
