// SPDX-License-Identifier: GPL-3.0-or-later
// Far jumps, calls and returns: through segments, call gates, task gates and TSSs.
// SDM volume 2, JMP, CALL and RET; volume 3, section 5.8.

#include "engine/vmm/cpu/soft/system.h"

/* A far transfer asked for by an instruction. */
struct far {
	bool call;
	unsigned size; /* of what CALL pushes: operand size */
	uint16_t selector;
	uint64_t target;
};

static void check_target(struct soft_cpu *cpu, const struct soft_descriptor *code, uint64_t target)
{
	bool long_code = (cpu->efer & SOFT_EFER_LMA) && (code->segment.attributes & SOFT_SEG_L);

	if (long_code ? !soft_canonical(target) : target > code->segment.limit)
		soft_raise_code(cpu, SOFT_GP, 0);
}

/* The default size of a code segment must be one there is. */
static void check_long(struct soft_cpu *cpu, const struct soft_descriptor *code)
{
	const uint32_t both = SOFT_SEG_L | SOFT_SEG_DB;

	if ((cpu->efer & SOFT_EFER_LMA) && (code->segment.attributes & both) == both)
		soft_raise_selector(cpu, SOFT_GP, code->segment.selector);
}

static void set_code(
	struct soft_cpu *cpu, struct soft_descriptor *code, unsigned cpl, uint64_t target)
{
	code->segment.selector = (uint16_t)((code->segment.selector & ~3u) | cpl);
	cpu->seg[SOFT_CS] = code->segment;
	cpu->rip = target;
	soft_update_mode(cpu);
}

static void push_far(struct soft_cpu *cpu, struct soft_stack *stack, unsigned size)
{
	soft_stack_push(cpu, stack, cpu->seg[SOFT_CS].selector, size);
	soft_stack_push(cpu, stack, cpu->rip, size);
}

/* ---- real and virtual-8086 mode ---- */

void soft_jump_real(struct soft_cpu *cpu, uint16_t selector, uint64_t target)
{
	if (target > cpu->seg[SOFT_CS].limit)
		soft_raise_code(cpu, SOFT_GP, 0);
	soft_segment_real(&cpu->seg[SOFT_CS], selector);
	cpu->rip = target;
	soft_update_mode(cpu);
}

static void far_real(struct soft_cpu *cpu, const struct far *f)
{
	struct soft_stack stack;

	soft_stack_current(cpu, &stack);
	if (f->call)
		push_far(cpu, &stack, f->size);
	soft_jump_real(cpu, f->selector, f->target);
	if (f->call)
		soft_stack_commit(cpu, &stack);
}

/* ---- to a code segment ---- */

static void far_code(struct soft_cpu *cpu, const struct far *f, struct soft_descriptor *code)
{
	unsigned dpl = SOFT_SEG_DPL(code->segment.attributes);
	unsigned cpl = soft_cpl(cpu);
	struct soft_stack stack;

	if (soft_segment_is_conforming(&code->segment) ? dpl > cpl
						       : (f->selector & 3u) > cpl || dpl != cpl)
		soft_raise_selector(cpu, SOFT_GP, f->selector);
	if (!(code->segment.attributes & SOFT_SEG_P))
		soft_raise_selector(cpu, SOFT_NP, f->selector);
	check_long(cpu, code);
	if (f->call) {
		soft_stack_current(cpu, &stack);
		push_far(cpu, &stack, f->size);
	}
	check_target(cpu, code, f->target);
	soft_descriptor_accessed(cpu, code);
	if (f->call)
		soft_stack_commit(cpu, &stack);
	set_code(cpu, code, cpl, f->target);
}

/* ---- through a call gate ---- */

struct gate {
	uint16_t selector;
	uint64_t target;
	unsigned parameters; /* items to copy */
	unsigned size;       /* of an item */
};

/* Copies the parameters and the old stack's address to the new stack. */
static void push_parameters(struct soft_cpu *cpu, struct soft_stack *stack, const struct gate *g)
{
	struct soft_stack old;
	uint32_t value[31];

	soft_stack_current(cpu, &old);
	for (unsigned i = 0; i < g->parameters; i++)
		value[i] = (uint32_t)soft_stack_pop(cpu, &old, g->size);
	soft_stack_push(cpu, stack, cpu->seg[SOFT_SS].selector, g->size);
	soft_stack_push(cpu, stack, cpu->gpr[SOFT_RSP], g->size);
	for (unsigned i = g->parameters; i > 0; i--)
		soft_stack_push(cpu, stack, value[i - 1], g->size);
}

static void gate_inner_protected(
	struct soft_cpu *cpu, const struct gate *g, struct soft_descriptor *code, unsigned cpl)
{
	struct soft_descriptor ss;
	struct soft_stack stack;
	uint16_t selector;
	uint64_t esp;

	soft_task_stack(cpu, cpl, &esp, &selector);
	soft_stack_segment(cpu, selector, cpl, SOFT_TS, &ss);
	soft_descriptor_accessed(cpu, &ss);
	soft_stack_make(cpu, &stack, &ss.segment, esp, cpl, false);
	stack.error = selector;
	push_parameters(cpu, &stack, g);
	push_far(cpu, &stack, g->size);
	check_target(cpu, code, g->target);
	cpu->seg[SOFT_SS] = ss.segment;
	soft_stack_commit(cpu, &stack);
	set_code(cpu, code, cpl, g->target);
}

static void gate_inner_long(
	struct soft_cpu *cpu, const struct gate *g, struct soft_descriptor *code, unsigned cpl)
{
	struct soft_stack stack;
	struct vcpu_segment ss;

	soft_segment_null(&ss, (uint16_t)cpl, cpl);
	soft_stack_make(cpu, &stack, &ss, soft_task_rsp(cpu, cpl), cpl, true);
	push_parameters(cpu, &stack, g);
	push_far(cpu, &stack, g->size);
	check_target(cpu, code, g->target);
	cpu->seg[SOFT_SS] = ss;
	cpu->gpr[SOFT_RSP] = stack.sp;
	set_code(cpu, code, cpl, g->target);
}

static void gate_same(struct soft_cpu *cpu, const struct far *f, const struct gate *g,
	struct soft_descriptor *code)
{
	struct soft_stack stack;

	soft_stack_current(cpu, &stack);
	if (f->call)
		push_far(cpu, &stack, g->size);
	check_target(cpu, code, g->target);
	if (f->call)
		soft_stack_commit(cpu, &stack);
	set_code(cpu, code, soft_cpl(cpu), g->target);
}

static void gate_code(struct soft_cpu *cpu, const struct gate *g, struct soft_descriptor *code)
{
	if (!(g->selector & ~3u))
		soft_raise_code(cpu, SOFT_GP, 0);
	soft_descriptor_get(cpu, g->selector, SOFT_GP, code);
	if (!soft_segment_is_code(&code->segment) ||
		SOFT_SEG_DPL(code->segment.attributes) > soft_cpl(cpu))
		soft_raise_selector(cpu, SOFT_GP, g->selector);
	if ((cpu->efer & SOFT_EFER_LMA) &&
		(code->segment.attributes & (SOFT_SEG_L | SOFT_SEG_DB)) != SOFT_SEG_L)
		soft_raise_selector(cpu, SOFT_GP, g->selector);
	if (!(code->segment.attributes & SOFT_SEG_P))
		soft_raise_selector(cpu, SOFT_NP, g->selector);
}

static void far_gate(struct soft_cpu *cpu, const struct far *f, const struct soft_descriptor *d)
{
	bool wide = soft_descriptor_type(d) == SOFT_TYPE_CALL;
	bool long_mode = cpu->efer & SOFT_EFER_LMA;
	struct soft_descriptor code;
	struct gate g = {
		.selector = d->raw >> 16 & 0xffff,
		.target = (d->raw & 0xffff) | (wide ? d->raw >> 32 & 0xffff0000 : 0),
		.parameters = long_mode ? 0 : d->raw >> 32 & 31,
		.size = long_mode ? 8
			: wide    ? 4
				  : 2,
	};
	unsigned dpl;

	/* The type field of the upper half must be 0. */
	if (d->high >> 40 & 0x1f)
		soft_raise_selector(cpu, SOFT_GP, f->selector);
	g.target |= d->high << 32;
	gate_code(cpu, &g, &code);
	dpl = SOFT_SEG_DPL(code.segment.attributes);
	if (!f->call && !soft_segment_is_conforming(&code.segment) && dpl != soft_cpl(cpu))
		soft_raise_selector(cpu, SOFT_GP, g.selector);
	soft_descriptor_accessed(cpu, &code);
	if (soft_segment_is_conforming(&code.segment) || dpl == soft_cpl(cpu))
		gate_same(cpu, f, &g, &code);
	else if (long_mode)
		gate_inner_long(cpu, &g, &code, dpl);
	else
		gate_inner_protected(cpu, &g, &code, dpl);
}

/* ---- to a system descriptor ---- */

static void far_system(struct soft_cpu *cpu, const struct far *f, struct soft_descriptor *d)
{
	unsigned type = soft_descriptor_type(d);
	unsigned dpl = SOFT_SEG_DPL(d->segment.attributes);
	bool long_mode = cpu->efer & SOFT_EFER_LMA;
	bool gate = type == SOFT_TYPE_CALL || (type == SOFT_TYPE_CALL16 && !long_mode);
	bool task = !long_mode && (type == SOFT_TYPE_TASK_GATE || type == SOFT_TYPE_TSS ||
					  type == SOFT_TYPE_TSS16);

	if ((!gate && !task) || dpl < soft_cpl(cpu) || dpl < (f->selector & 3u))
		soft_raise_selector(cpu, SOFT_GP, f->selector);
	if (!(d->segment.attributes & SOFT_SEG_P))
		soft_raise_selector(cpu, SOFT_NP, f->selector);
	if (gate)
		far_gate(cpu, f, d);
	else if (type == SOFT_TYPE_TASK_GATE)
		soft_task_gate(
			cpu, d->raw >> 16 & 0xffff, f->call ? SOFT_TASK_CALL : SOFT_TASK_JUMP);
	else
		soft_task_switch(cpu, d, f->call ? SOFT_TASK_CALL : SOFT_TASK_JUMP);
}

static void far_transfer(struct soft_cpu *cpu, const struct far *f)
{
	struct soft_descriptor d;

	if ((cpu->mode & (SOFT_MODE_PROTECTED | SOFT_MODE_V86)) != SOFT_MODE_PROTECTED) {
		far_real(cpu, f);
		return;
	}
	if (!(f->selector & ~3u))
		soft_raise_code(cpu, SOFT_GP, 0);
	soft_descriptor_get(cpu, f->selector, SOFT_GP, &d);
	if (soft_segment_is_code(&d.segment))
		far_code(cpu, f, &d);
	else
		far_system(cpu, f, &d);
}

/* The row's first number: a call. */
void soft_sys_far_immediate(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct far f = {
		.call = soft_opcode_at(insn->row)->a,
		.size = insn->size,
		.selector = (uint64_t)insn->imm >> 32 & 0xffff,
		.target = (uint32_t)insn->imm,
	};

	far_transfer(cpu, &f);
}

void soft_sys_far_memory(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t linear = soft_operand(cpu, insn, insn->size + 2u, SOFT_READ);
	struct far f = {
		.call = soft_opcode_at(insn->row)->a,
		.size = insn->size,
	};

	if (insn->size == 8)
		f.target = soft_load64(cpu, linear);
	else
		f.target = insn->size == 4 ? soft_load32(cpu, linear) : soft_load16(cpu, linear);
	f.selector = soft_load16(cpu, linear + insn->size);
	far_transfer(cpu, &f);
}

/* ---- returns ---- */

static void return_code(
	struct soft_cpu *cpu, const struct soft_return *r, struct soft_descriptor *code)
{
	unsigned rpl = r->cs & 3u, dpl;

	if (!(r->cs & ~3u))
		soft_raise_code(cpu, SOFT_GP, 0);
	soft_descriptor_get(cpu, r->cs, SOFT_GP, code);
	dpl = SOFT_SEG_DPL(code->segment.attributes);
	if (!soft_segment_is_code(&code->segment) || rpl < soft_cpl(cpu) ||
		(soft_segment_is_conforming(&code->segment) ? dpl > rpl : dpl != rpl))
		soft_raise_selector(cpu, SOFT_GP, r->cs);
	if (!(code->segment.attributes & SOFT_SEG_P))
		soft_raise_selector(cpu, SOFT_NP, r->cs);
	check_long(cpu, code);
}

/* The outer stack's segment: null will do below level 3 when going to 64-bit code. */
static void return_stack(struct soft_cpu *cpu, uint16_t selector, const struct soft_return *r,
	const struct soft_descriptor *code, struct soft_descriptor *ss)
{
	unsigned rpl = r->cs & 3u;
	bool to_long = (cpu->efer & SOFT_EFER_LMA) && (code->segment.attributes & SOFT_SEG_L);

	if (!(selector & ~3u) && to_long && rpl != 3 && (selector & 3u) == rpl) {
		soft_segment_null(&ss->segment, selector, rpl);
		return;
	}
	soft_stack_segment(cpu, selector, rpl, SOFT_GP, ss);
	soft_descriptor_accessed(cpu, ss);
}

void soft_return(struct soft_cpu *cpu, struct soft_stack *stack, const struct soft_return *r)
{
	struct soft_descriptor code, ss;
	unsigned rpl = r->cs & 3u;
	bool with_stack;
	uint64_t rsp;

	return_code(cpu, r, &code);
	with_stack = rpl > soft_cpl(cpu) || (r->iret && soft_long64(cpu));
	stack->sp += r->release;
	if (with_stack) {
		bool outer = rpl > soft_cpl(cpu);
		rsp = soft_stack_pop(cpu, stack, r->size) + r->release;
		return_stack(cpu, (uint16_t)soft_stack_pop(cpu, stack, r->size), r, &code, &ss);
		check_target(cpu, &code, r->rip);
		soft_descriptor_accessed(cpu, &code);
		cpu->seg[SOFT_SS] = ss.segment;
		soft_stack_make(cpu, stack, &ss.segment, rsp, rpl,
			(cpu->efer & SOFT_EFER_LMA) && (code.segment.attributes & SOFT_SEG_L));
		soft_stack_commit(cpu, stack);
		if (outer)
			soft_segments_drop(cpu, rpl);
	} else {
		check_target(cpu, &code, r->rip);
		soft_descriptor_accessed(cpu, &code);
		soft_stack_commit(cpu, stack);
	}
	set_code(cpu, &code, rpl, r->rip);
	if (r->iret)
		soft_set_rflags(cpu, r->rflags);
}

void soft_sys_far_return(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct soft_return r = {.size = insn->size};
	struct soft_stack stack;

	if (soft_opcode_at(insn->row)->imm != SOFT_I_NONE)
		r.release = (uint16_t)insn->imm;
	soft_stack_current(cpu, &stack);
	r.rip = soft_stack_pop(cpu, &stack, r.size);
	r.cs = (uint16_t)soft_stack_pop(cpu, &stack, r.size);
	if ((cpu->mode & (SOFT_MODE_PROTECTED | SOFT_MODE_V86)) == SOFT_MODE_PROTECTED) {
		soft_return(cpu, &stack, &r);
		return;
	}
	soft_jump_real(cpu, r.cs, r.rip);
	stack.sp += r.release;
	soft_stack_commit(cpu, &stack);
}
