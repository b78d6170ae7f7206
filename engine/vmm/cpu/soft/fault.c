// SPDX-License-Identifier: GPL-3.0-or-later
// Delivery of exceptions and interrupts in every mode (SDM volume 3, chapter 6).

#include "engine/vmm/cpu/soft/system.h"

/* Error codes that name a vector instead of a selector. */
#define ERROR_EXT 1u
#define ERROR_IDT 2u

/* What a handler's frame is pushed for: the state at the time of the event. */
struct frame {
	const struct soft_interrupt *in;
	bool trap_gate; /* leaves IF alone */
	unsigned size;  /* bytes of an item */
	uint16_t selector;
	uint64_t target;
};

static bool is_external(const struct soft_interrupt *in)
{
	return in->event != SOFT_EVENT_SOFTWARE;
}

static _Noreturn void raise_gate(
	struct soft_cpu *cpu, unsigned vector, const struct soft_interrupt *in)
{
	soft_raise_code(
		cpu, vector, in->vector * 8u | ERROR_IDT | (is_external(in) ? ERROR_EXT : 0));
}

/* ---- real mode ---- */

static void interrupt_real(struct soft_cpu *cpu, const struct soft_interrupt *in)
{
	unsigned offset = in->vector * 4u;
	struct soft_stack stack;
	uint32_t target;

	if (offset + 3 > cpu->idtr.limit)
		raise_gate(cpu, SOFT_GP, in);
	target = soft_load_sys32(cpu, cpu->idtr.base + offset);
	soft_stack_current(cpu, &stack);
	soft_stack_push(cpu, &stack, in->rflags, 2);
	soft_stack_push(cpu, &stack, cpu->seg[SOFT_CS].selector, 2);
	soft_stack_push(cpu, &stack, cpu->rip, 2);
	soft_stack_commit(cpu, &stack);
	soft_segment_real(&cpu->seg[SOFT_CS], target >> 16);
	cpu->rip = target & 0xffff;
	cpu->rflags &= ~(uint64_t)(SOFT_IF | SOFT_TF | SOFT_RF | SOFT_AC);
	soft_update_mode(cpu);
}

/* ---- what protected and long mode share ---- */

static void check_gate(struct soft_cpu *cpu, const struct soft_interrupt *in, uint64_t gate)
{
	unsigned dpl = gate >> 45 & 3;

	if (in->event == SOFT_EVENT_SOFTWARE && dpl < soft_cpl(cpu))
		raise_gate(cpu, SOFT_GP, in);
	if (!(gate >> 47 & 1))
		raise_gate(cpu, SOFT_NP, in);
}

/* Reads the handler's code segment; returns the privilege level it runs at. */
static unsigned handler_segment(struct soft_cpu *cpu, uint16_t selector, struct soft_descriptor *d)
{
	unsigned dpl;

	if (!(selector & ~3u))
		soft_raise_selector(cpu, SOFT_GP, 0);
	soft_descriptor_get(cpu, selector, SOFT_GP, d);
	dpl = SOFT_SEG_DPL(d->segment.attributes);
	if (!soft_segment_is_code(&d->segment) || dpl > soft_cpl(cpu))
		soft_raise_selector(cpu, SOFT_GP, selector);
	if (!(d->segment.attributes & SOFT_SEG_P))
		soft_raise_selector(cpu, SOFT_NP, selector);
	return soft_segment_is_conforming(&d->segment) ? soft_cpl(cpu) : dpl;
}

static void enter_handler(
	struct soft_cpu *cpu, const struct frame *f, struct soft_descriptor *code, unsigned cpl)
{
	code->segment.selector = (uint16_t)((f->selector & ~3u) | cpl);
	cpu->seg[SOFT_CS] = code->segment;
	cpu->rip = f->target;
	cpu->rflags &= ~(uint64_t)(SOFT_TF | SOFT_VM | SOFT_RF | SOFT_NT);
	if (!f->trap_gate)
		cpu->rflags &= ~(uint64_t)SOFT_IF;
	soft_update_mode(cpu);
}

/* ---- protected mode ---- */

static void push_return(struct soft_cpu *cpu, struct soft_stack *stack, const struct frame *f)
{
	soft_stack_push(cpu, stack, f->in->rflags, f->size);
	soft_stack_push(cpu, stack, cpu->seg[SOFT_CS].selector, f->size);
	soft_stack_push(cpu, stack, cpu->rip, f->size);
	if (f->in->has_error)
		soft_stack_push(cpu, stack, f->in->error, f->size);
}

/* To an inner level: a stack from the task, the old one's address on it. */
static void interrupt_inner(
	struct soft_cpu *cpu, const struct frame *f, struct soft_descriptor *code, unsigned cpl)
{
	static const uint8_t data[] = {SOFT_GS, SOFT_FS, SOFT_DS, SOFT_ES};
	bool v86 = cpu->mode & SOFT_MODE_V86;
	struct soft_descriptor ss;
	struct soft_stack stack;
	uint16_t selector;
	uint64_t esp;

	if (v86 && cpl != 0)
		soft_raise_selector(cpu, SOFT_GP, f->selector);
	soft_task_stack(cpu, cpl, &esp, &selector);
	soft_stack_segment(cpu, selector, cpl, SOFT_TS, &ss);
	soft_descriptor_accessed(cpu, &ss);
	soft_stack_make(cpu, &stack, &ss.segment, esp, cpl, false);
	stack.error = selector;
	for (unsigned i = 0; v86 && i < G_N_ELEMENTS(data); i++)
		soft_stack_push(cpu, &stack, cpu->seg[data[i]].selector, f->size);
	soft_stack_push(cpu, &stack, cpu->seg[SOFT_SS].selector, f->size);
	soft_stack_push(cpu, &stack, cpu->gpr[SOFT_RSP], f->size);
	push_return(cpu, &stack, f);
	if (f->target > code->segment.limit)
		soft_raise_selector(cpu, SOFT_GP, 0);
	for (unsigned i = 0; v86 && i < G_N_ELEMENTS(data); i++)
		soft_segment_null(&cpu->seg[data[i]], 0, 0);
	cpu->seg[SOFT_SS] = ss.segment;
	soft_stack_commit(cpu, &stack);
	enter_handler(cpu, f, code, cpl);
}

static void interrupt_same(
	struct soft_cpu *cpu, const struct frame *f, struct soft_descriptor *code)
{
	struct soft_stack stack;

	if (cpu->mode & SOFT_MODE_V86)
		soft_raise_selector(cpu, SOFT_GP, f->selector);
	soft_stack_current(cpu, &stack);
	push_return(cpu, &stack, f);
	if (f->target > code->segment.limit)
		soft_raise_selector(cpu, SOFT_GP, 0);
	soft_stack_commit(cpu, &stack);
	enter_handler(cpu, f, code, soft_cpl(cpu));
}

static void interrupt_task(struct soft_cpu *cpu, const struct soft_interrupt *in, uint64_t gate)
{
	struct soft_stack stack;

	soft_task_gate(cpu, gate >> 16 & 0xffff, SOFT_TASK_GATE);
	if (!in->has_error)
		return;
	soft_stack_current(cpu, &stack);
	soft_stack_push(cpu, &stack, in->error, cpu->tr.attributes & 8 ? 4 : 2);
	soft_stack_commit(cpu, &stack);
}

static void interrupt_protected(struct soft_cpu *cpu, const struct soft_interrupt *in)
{
	unsigned offset = in->vector * 8u;
	struct soft_descriptor code;
	uint64_t gate;
	unsigned type, cpl;

	if (offset + 7 > cpu->idtr.limit)
		raise_gate(cpu, SOFT_GP, in);
	gate = soft_load_sys64(cpu, cpu->idtr.base + offset);
	type = gate >> 40 & 0x1f;
	if (type != SOFT_TYPE_TASK_GATE && (type & ~9u) != SOFT_TYPE_INTERRUPT16)
		raise_gate(cpu, SOFT_GP, in);
	check_gate(cpu, in, gate);
	if (type == SOFT_TYPE_TASK_GATE) {
		interrupt_task(cpu, in, gate);
		return;
	}
	struct frame f = {
		.in = in,
		.trap_gate = type & 1,
		.size = type & 8 ? 4 : 2,
		.selector = gate >> 16 & 0xffff,
		.target = (gate & 0xffff) | (type & 8 ? gate >> 32 & 0xffff0000 : 0),
	};
	cpl = handler_segment(cpu, f.selector, &code);
	if (cpl < soft_cpl(cpu))
		interrupt_inner(cpu, &f, &code, cpl);
	else
		interrupt_same(cpu, &f, &code);
}

/* ---- long mode ---- */

static uint64_t long_stack(struct soft_cpu *cpu, unsigned ist, unsigned cpl)
{
	uint64_t rsp = cpu->gpr[SOFT_RSP];

	if (ist != 0)
		rsp = soft_task_ist(cpu, ist);
	else if (cpl < soft_cpl(cpu))
		rsp = soft_task_rsp(cpu, cpl);
	if (!soft_canonical(rsp))
		soft_raise_selector(cpu, SOFT_SS_FAULT, 0);
	return rsp & ~15ull;
}

static void push_long(struct soft_cpu *cpu, const struct frame *f, uint64_t rsp, unsigned cpl)
{
	uint64_t item[] = {
		f->in->error,
		cpu->rip,
		cpu->seg[SOFT_CS].selector,
		f->in->rflags,
		cpu->gpr[SOFT_RSP],
		cpu->seg[SOFT_SS].selector,
	};
	unsigned first = f->in->has_error ? 0 : 1;
	unsigned length = sizeof(item) - first * 8;

	if (!soft_canonical(rsp - length))
		soft_raise_selector(cpu, SOFT_SS_FAULT, 0);
	if (cpl == 3)
		soft_store_bytes(cpu, rsp - length, item + first, length);
	else
		soft_store_bytes_sys(cpu, rsp - length, item + first, length);
	cpu->gpr[SOFT_RSP] = rsp - length;
}

static void interrupt_long(struct soft_cpu *cpu, const struct soft_interrupt *in)
{
	unsigned offset = in->vector * 16u;
	struct soft_descriptor code;
	uint64_t gate, rsp;
	unsigned cpl, type;

	if (offset + 15 > cpu->idtr.limit)
		raise_gate(cpu, SOFT_GP, in);
	gate = soft_load_sys64(cpu, cpu->idtr.base + offset);
	type = gate >> 40 & 0x1f;
	if ((type & ~1u) != SOFT_TYPE_INTERRUPT)
		raise_gate(cpu, SOFT_GP, in);
	check_gate(cpu, in, gate);
	struct frame f = {
		.in = in,
		.trap_gate = type & 1,
		.selector = gate >> 16 & 0xffff,
		.target = (gate & 0xffff) | (gate >> 32 & 0xffff0000) |
			  soft_load_sys64(cpu, cpu->idtr.base + offset + 8) << 32,
	};
	cpl = handler_segment(cpu, f.selector, &code);
	if ((code.segment.attributes & (SOFT_SEG_L | SOFT_SEG_DB)) != SOFT_SEG_L)
		soft_raise_selector(cpu, SOFT_GP, f.selector);
	rsp = long_stack(cpu, gate >> 32 & 7, cpl);
	if (!soft_canonical(f.target))
		soft_raise_selector(cpu, SOFT_GP, 0);
	push_long(cpu, &f, rsp, cpl);
	if (cpl < soft_cpl(cpu))
		soft_segment_null(&cpu->seg[SOFT_SS], (uint16_t)cpl, cpl);
	enter_handler(cpu, &f, &code, cpl);
}

void soft_interrupt(struct soft_cpu *cpu, const struct soft_interrupt *in)
{
	if (!(cpu->cr0 & SOFT_CR0_PE))
		interrupt_real(cpu, in);
	else if (cpu->efer & SOFT_EFER_LMA)
		interrupt_long(cpu, in);
	else
		interrupt_protected(cpu, in);
}

/* ---- where they come from ---- */

static enum soft_event exception_class(unsigned vector)
{
	switch (vector) {
	case SOFT_DE:
	case SOFT_TS:
	case SOFT_NP:
	case SOFT_SS_FAULT:
	case SOFT_GP:
		return SOFT_EVENT_CONTRIBUTORY;
	case SOFT_PF_FAULT:
		return SOFT_EVENT_PAGE;
	case SOFT_DF_FAULT:
		return SOFT_EVENT_DOUBLE;
	default:
		return SOFT_EVENT_BENIGN;
	}
}

/* SDM volume 3, table 6-5. */
static bool makes_double_fault(enum soft_event first, enum soft_event second)
{
	if (first == SOFT_EVENT_CONTRIBUTORY)
		return second == SOFT_EVENT_CONTRIBUTORY;
	return first == SOFT_EVENT_PAGE &&
	       (second == SOFT_EVENT_PAGE || second == SOFT_EVENT_CONTRIBUTORY);
}

void soft_deliver_fault(struct soft_cpu *cpu)
{
	struct soft_fault fault = cpu->fault;
	enum soft_event event = exception_class(fault.vector);

	if (cpu->delivering == SOFT_EVENT_DOUBLE) {
		cpu->delivering = SOFT_EVENT_NONE;
		soft_post(cpu, SOFT_PENDING_SHUTDOWN);
		return;
	}
	if (makes_double_fault(cpu->delivering, event)) {
		fault = (struct soft_fault){.vector = SOFT_DF_FAULT, .has_error = true};
		event = SOFT_EVENT_DOUBLE;
	}
	cpu->delivering = (uint8_t)event;
	cpu->delivering_vector = fault.vector;
	struct soft_interrupt in = {
		.vector = fault.vector,
		.event = event,
		/* Real mode has no error codes. */
		.has_error = fault.has_error && (cpu->cr0 & SOFT_CR0_PE),
		.error = fault.error,
		/* A fault's instruction is not to hit its breakpoint again. */
		.rflags = soft_rflags(cpu) | (fault.vector == SOFT_DB ? 0 : SOFT_RF),
	};
	soft_interrupt(cpu, &in);
	cpu->delivering = SOFT_EVENT_NONE;
}

static void interrupt_between(struct soft_cpu *cpu, unsigned vector, enum soft_event event)
{
	struct soft_interrupt in = {
		.vector = (uint8_t)vector,
		.event = event,
		.rflags = soft_rflags(cpu),
	};

	cpu->delivering = (uint8_t)event;
	cpu->delivering_vector = (uint8_t)vector;
	soft_interrupt(cpu, &in);
	cpu->delivering = SOFT_EVENT_NONE;
}

void soft_interrupt_external(struct soft_cpu *cpu, unsigned vector)
{
	interrupt_between(cpu, vector, SOFT_EVENT_EXTERNAL);
}

void soft_interrupt_debug(struct soft_cpu *cpu)
{
	interrupt_between(cpu, SOFT_DB, SOFT_EVENT_BENIGN);
}

void soft_software_interrupt(struct soft_cpu *cpu, unsigned vector)
{
	struct soft_interrupt in = {
		.vector = (uint8_t)vector,
		.event = SOFT_EVENT_SOFTWARE,
		.rflags = soft_rflags(cpu),
	};

	soft_interrupt(cpu, &in);
	/* TF is gone now; the instruction's own trap with it. */
	cpu->step_done = in.rflags & SOFT_TF;
}

/* ---- instructions ---- */

void soft_sys_int3(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)insn;
	soft_software_interrupt(cpu, SOFT_BP);
}

void soft_sys_int1(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct soft_interrupt in = {
		.vector = SOFT_DB,
		.event = SOFT_EVENT_BENIGN,
		.rflags = soft_rflags(cpu),
	};

	(void)insn;
	soft_interrupt(cpu, &in);
	/* TF is gone now; the instruction's own trap with it. */
	cpu->step_done = in.rflags & SOFT_TF;
}

void soft_sys_int_n(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	if ((cpu->mode & SOFT_MODE_V86) && (cpu->rflags & SOFT_IOPL) != SOFT_IOPL)
		soft_raise_code(cpu, SOFT_GP, 0);
	soft_software_interrupt(cpu, (uint8_t)insn->imm);
}

void soft_sys_into(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	(void)insn;
	if (soft_rflags(cpu) & SOFT_OF)
		soft_software_interrupt(cpu, SOFT_OV);
}
