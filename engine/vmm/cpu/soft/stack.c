// SPDX-License-Identifier: GPL-3.0-or-later
// Stacks for gates, returns and tasks: pushed and popped aside, taken over when nothing can fail.

#include "engine/vmm/cpu/soft/system.h"

void soft_stack_make(struct soft_cpu *cpu, struct soft_stack *stack, const struct vcpu_segment *ss,
	uint64_t sp, unsigned cpl, bool flat)
{
	*stack = (struct soft_stack){
		.ss = *ss,
		.sp = sp,
		.mask = flat                           ? UINT64_MAX
			: ss->attributes & SOFT_SEG_DB ? 0xffffffff
						       : 0xffff,
		.set = cpl == 3 ? SOFT_SET_USER : soft_system_set(cpu),
		.flat = flat,
		.protected = cpu->cr0 & SOFT_CR0_PE,
	};
}

void soft_stack_current(struct soft_cpu *cpu, struct soft_stack *stack)
{
	soft_stack_make(cpu, stack, &cpu->seg[SOFT_SS], cpu->gpr[SOFT_RSP], soft_cpl(cpu),
		soft_long64(cpu));
	stack->set = soft_data_set(cpu);
	stack->protected =
		(cpu->mode & (SOFT_MODE_PROTECTED | SOFT_MODE_V86)) == SOFT_MODE_PROTECTED;
}

static uint64_t stack_address(struct soft_cpu *cpu, const struct soft_stack *stack, unsigned size,
	enum soft_access access)
{
	uint64_t linear = stack->sp;
	bool right;

	if (stack->flat)
		right = soft_canonical(linear);
	else
		right = soft_segment_address(&stack->ss, stack->sp & stack->mask, size, access,
			stack->protected, &linear);
	if (!right)
		soft_raise_selector(cpu, SOFT_SS_FAULT, stack->error);
	return linear;
}

static uint64_t move_pointer(const struct soft_stack *stack, int64_t by)
{
	return (stack->sp & ~stack->mask) | ((stack->sp + (uint64_t)by) & stack->mask);
}

void soft_stack_push(struct soft_cpu *cpu, struct soft_stack *stack, uint64_t value, unsigned size)
{
	struct soft_stack next = *stack;
	struct soft_tlb *tlb = &cpu->tlbs[stack->set];
	uint64_t linear;

	next.sp = move_pointer(stack, -(int64_t)size);
	linear = stack_address(cpu, &next, size, SOFT_WRITE);
	if (size == 8)
		soft_store_in64(cpu, tlb, linear, value);
	else if (size == 4)
		soft_store_in32(cpu, tlb, linear, (uint32_t)value);
	else
		soft_store_in16(cpu, tlb, linear, (uint16_t)value);
	stack->sp = next.sp;
}

uint64_t soft_stack_pop(struct soft_cpu *cpu, struct soft_stack *stack, unsigned size)
{
	struct soft_tlb *tlb = &cpu->tlbs[stack->set];
	uint64_t linear = stack_address(cpu, stack, size, SOFT_READ);
	uint64_t value;

	if (size == 8)
		value = soft_load_in64(cpu, tlb, linear);
	else
		value = size == 4 ? soft_load_in32(cpu, tlb, linear)
				  : soft_load_in16(cpu, tlb, linear);
	stack->sp = move_pointer(stack, size);
	return value;
}

void soft_stack_commit(struct soft_cpu *cpu, const struct soft_stack *stack)
{
	uint64_t *rsp = &cpu->gpr[SOFT_RSP];

	if (stack->mask == 0xffff)
		*rsp = (*rsp & ~0xffffull) | (stack->sp & 0xffff);
	else
		*rsp = stack->sp & stack->mask;
}
