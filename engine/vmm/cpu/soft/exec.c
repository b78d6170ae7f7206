// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/cpu/soft/block.h"
#include "engine/vmm/cpu/soft/ops.h"

/* What setjmp() returns in the run loop. */
enum { UNWIND_FAULT = 1, UNWIND_LEAVE };

void soft_post(struct soft_cpu *cpu, uint32_t pending)
{
	atomic_fetch_or(&cpu->pending, pending);
}

void soft_unpost(struct soft_cpu *cpu, uint32_t pending)
{
	atomic_fetch_and(&cpu->pending, ~pending);
}

static _Noreturn void unwind(struct soft_cpu *cpu, int how)
{
	cpu->current = NULL;
	cpu->link_from = NULL;
	cpu->rmw = 0;
	soft_rmw_release(cpu);
	longjmp(cpu->faulted, how);
}

static _Noreturn void raise_fault(struct soft_cpu *cpu, struct soft_fault fault)
{
	cpu->fault = fault;
	if (cpu->current)
		cpu->rip = soft_insn_rip(cpu, cpu->current);
	unwind(cpu, UNWIND_FAULT);
}

_Noreturn void soft_raise(struct soft_cpu *cpu, unsigned vector)
{
	raise_fault(cpu, (struct soft_fault){.vector = vector});
}

_Noreturn void soft_raise_code(struct soft_cpu *cpu, unsigned vector, uint32_t error)
{
	raise_fault(cpu, (struct soft_fault){.vector = vector, .has_error = true, .error = error});
}

_Noreturn void soft_raise_page(struct soft_cpu *cpu, uint64_t linear, uint32_t error)
{
	cpu->cr2 = linear;
	soft_raise_code(cpu, SOFT_PF_FAULT, error);
}

_Noreturn void soft_leave(struct soft_cpu *cpu)
{
	unwind(cpu, UNWIND_LEAVE);
}

/* The generic handlers. */

SOFT_OP(soft_op_call)
{
	cpu->current = insn;
	insn->fn(cpu, insn);
	SOFT_NEXT();
}

SOFT_OP(soft_op_system)
{
	cpu->current = insn;
	if (soft_opcode_at(insn->row)->flags & SOFT_CPL0 && soft_cpl(cpu))
		soft_raise_code(cpu, SOFT_GP, 0);
	cpu->rip = soft_insn_next(cpu, insn);
	insn->fn(cpu, insn);
	cpu->current = NULL;
}

SOFT_OP(soft_op_continue)
{
	SOFT_GO(insn);
}

SOFT_OP(soft_op_leave)
{
	cpu->rip = soft_insn_rip(cpu, insn);
	cpu->current = NULL;
}

SOFT_OP(soft_op_invalid)
{
	cpu->current = insn;
	soft_raise(cpu, SOFT_UD);
}

SOFT_OP(soft_op_too_long)
{
	cpu->current = insn;
	soft_raise_code(cpu, SOFT_GP, 0);
}

SOFT_OP(soft_branch_slow)
{
	uint64_t target = soft_mask_rip(cpu, cpu->gpr[SOFT_ORIGIN] + insn->imm);
	const struct soft_jump *jump = soft_jump_entry(cpu, target);
	bool in_page = !((target ^ cpu->gpr[SOFT_ORIGIN]) & SOFT_PAGE_MASK);
	if (!in_page && jump->rip == target && jump->key == cpu->jump_key[target >> 63] &&
		soft_block_ready(cpu, jump->block)) {
		cpu->gpr[SOFT_ORIGIN] = target;
		SOFT_JUMP_TO(jump->block->insn);
	}
	cpu->rip = target;
	cpu->link_from = insn;
	cpu->current = NULL;
}

void soft_check_target_slow(struct soft_cpu *cpu, uint64_t rip)
{
	if (soft_long64(cpu) || rip > cpu->seg[SOFT_CS].limit)
		soft_raise_code(cpu, SOFT_GP, 0);
}

/* The run loop. */

static void run_block(struct soft_cpu *cpu, struct soft_block *block)
{
	cpu->gpr[SOFT_ORIGIN] = cpu->rip;
#ifdef SOFT_LOOPED
	for (const struct soft_insn *insn = block->insn; insn; insn = cpu->resume) {
		cpu->resume = NULL;
		insn->run(cpu, insn);
	}
#else
	block->insn->run(cpu, block->insn);
#endif
}

static void run_next(struct soft_cpu *cpu)
{
	const struct soft_jump *jump = soft_jump_entry(cpu, cpu->rip);
	if (!cpu->link_from && jump->rip == cpu->rip &&
		jump->key == cpu->jump_key[cpu->rip >> 63] &&
		jump->block->decoded == __atomic_load_n(jump->block->generation, __ATOMIC_ACQUIRE))
		run_block(cpu, jump->block);
	else
		run_block(cpu, soft_block_at(cpu, false));
}

/* One instruction by itself: after STI or MOV SS, with TF set, or with breakpoints enabled. */
static void run_single(struct soft_cpu *cpu)
{
	bool stepped = cpu->mode & SOFT_MODE_STEP;
	bool resumed = cpu->rflags & SOFT_RF;
	cpu->link_from = NULL;
	if (cpu->mode & SOFT_MODE_BREAK)
		soft_debug_fetch(cpu);
	cpu->shadow = false; /* unless this instruction casts one itself */
	cpu->instructions++;
	/* It runs on into no other block: either something is pending, or the jump cache has no
	 * entries of this mode. */
	run_block(cpu, soft_block_at(cpu, true));
	if (resumed)
		cpu->rflags &= ~(uint64_t)SOFT_RF;
	if (stepped || cpu->debug_hits)
		soft_debug_trap(cpu, stepped);
}

static bool run_once(struct soft_cpu *cpu, enum vcpu_exit *exit)
{
	bool pending = atomic_load_explicit(&cpu->pending, memory_order_relaxed);
	if (pending && !cpu->shadow)
		return soft_serve(cpu, exit);
	if (cpu->mode & (SOFT_MODE_STEP | SOFT_MODE_BREAK) || (pending && cpu->shadow)) {
		run_single(cpu);
		return true;
	}
	/* Nothing wants in: the shadow's one instruction is the first of the block. */
	cpu->shadow = false;
	cpu->rflags &= ~(uint64_t)SOFT_RF;
	run_next(cpu);
	return true;
}

static enum vcpu_exit run_loop(struct soft_cpu *cpu)
{
	enum vcpu_exit exit = VCPU_EXIT_KICKED;
	if (setjmp(cpu->faulted) == UNWIND_FAULT) {
		/* Delivery ends it, or code that only faults would keep requests out for ever. */
		cpu->shadow = false;
		soft_deliver_fault(cpu);
	}
	while (run_once(cpu, &exit))
		;
	return exit;
}

enum vcpu_exit soft_cpu_run(struct soft_cpu *cpu)
{
	cpu->current = NULL;
	soft_world_enter(cpu);
	enum vcpu_exit exit = run_loop(cpu);
	soft_fp_park(&cpu->fp);
	soft_world_leave(cpu);
	return exit;
}
