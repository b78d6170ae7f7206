// SPDX-License-Identifier: GPL-3.0-or-later
// Descriptors, segment registers, and addresses in segments.

#include "engine/vmm/cpu/soft/system.h"

_Noreturn void soft_raise_selector(struct soft_cpu *cpu, unsigned vector, uint16_t selector)
{
	soft_raise_code(cpu, vector, (selector & ~3u) | (cpu->delivering != SOFT_EVENT_NONE));
}

_Noreturn void soft_raise_canonical(struct soft_cpu *cpu)
{
	const struct soft_insn *insn = cpu->current;
	bool stack = false;

	if (insn != NULL)
		stack = insn->memory ? insn->seg == SOFT_SS
				     : (soft_opcode_at(insn->row)->flags & SOFT_STACK) != 0;
	soft_raise_selector(cpu, stack ? SOFT_SS_FAULT : SOFT_GP, 0);
}

/* ---- addresses ---- */

static bool type_allows(const struct vcpu_segment *s, enum soft_access access)
{
	unsigned type = s->attributes & SOFT_SEG_TYPE;

	switch (access) {
	case SOFT_READ:
		return !(type & SOFT_TYPE_CODE) || (type & SOFT_TYPE_READABLE);
	case SOFT_WRITE:
		return !(type & SOFT_TYPE_CODE) && (type & SOFT_TYPE_WRITABLE);
	case SOFT_EXEC:
		return true;
	}
	g_assert_not_reached();
}

static bool expands_down(const struct vcpu_segment *s)
{
	return (s->attributes & (SOFT_TYPE_CODE | SOFT_TYPE_DOWN)) == SOFT_TYPE_DOWN;
}

static bool within_limit(const struct vcpu_segment *s, uint64_t offset, unsigned size)
{
	uint64_t last = offset + size - 1;

	if (!expands_down(s))
		return last <= s->limit;
	return offset > s->limit && last <= (s->attributes & SOFT_SEG_DB ? 0xffffffff : 0xffff);
}

bool soft_segment_address(const struct vcpu_segment *s, uint64_t offset, unsigned size,
	enum soft_access access, bool protected, uint64_t *linear)
{
	if (protected && ((s->attributes & SOFT_SEG_UNUSABLE) || !type_allows(s, access)))
		return false;
	if (!within_limit(s, offset, size))
		return false;
	*linear = (uint32_t)(s->base + offset);
	return true;
}

uint64_t soft_segment_linear(
	struct soft_cpu *cpu, unsigned seg, uint64_t offset, unsigned size, enum soft_access access)
{
	const struct vcpu_segment *s = &cpu->seg[seg];
	bool protected = (cpu->mode & (SOFT_MODE_PROTECTED | SOFT_MODE_V86)) == SOFT_MODE_PROTECTED;
	uint64_t linear;

	if (cpu->mode & SOFT_MODE_CODE64) {
		linear = offset + (seg >= SOFT_FS ? s->base : 0);
		if (soft_canonical(linear) && soft_canonical(linear + size - 1))
			return linear;
	} else if (soft_segment_address(s, offset, size, access, protected, &linear)) {
		return linear;
	}
	soft_raise_code(cpu, seg == SOFT_SS ? SOFT_SS_FAULT : SOFT_GP, 0);
}

/* ---- descriptors ---- */

static void descriptor_unpack(struct soft_descriptor *d, uint16_t selector)
{
	struct vcpu_segment *s = &d->segment;

	s->selector = selector;
	s->attributes = d->raw >> 40 & 0xf0ff;
	s->base = (d->raw >> 16 & 0xffffff) | (d->raw >> 32 & 0xff000000);
	s->limit = (d->raw & 0xffff) | (d->raw >> 32 & 0xf0000);
	if (s->attributes & SOFT_SEG_G)
		s->limit = s->limit << 12 | 0xfff;
	/* Only system descriptors have an upper half. */
	s->base |= d->high << 32;
}

bool soft_descriptor_read(struct soft_cpu *cpu, uint16_t selector, struct soft_descriptor *d)
{
	bool local = selector & 4;
	uint64_t base = local ? cpu->ldtr.base : cpu->gdtr.base;
	uint32_t limit = local ? cpu->ldtr.limit : cpu->gdtr.limit;
	uint32_t offset = selector & ~7u;

	if ((local && (cpu->ldtr.attributes & SOFT_SEG_UNUSABLE)) || offset + 7 > limit)
		return false;
	d->linear = base + offset;
	d->raw = soft_load_sys64(cpu, d->linear);
	d->high = 0;
	if ((cpu->efer & SOFT_EFER_LMA) && !(d->raw >> 44 & 1)) {
		if (offset + 15 > limit)
			return false;
		d->high = soft_load_sys64(cpu, d->linear + 8);
	}
	descriptor_unpack(d, selector);
	return true;
}

void soft_descriptor_get(
	struct soft_cpu *cpu, uint16_t selector, unsigned vector, struct soft_descriptor *d)
{
	if (!soft_descriptor_read(cpu, selector, d))
		soft_raise_selector(cpu, vector, selector);
}

/* The type byte of a descriptor. */
#define TYPE_BYTE 5

void soft_descriptor_accessed(struct soft_cpu *cpu, struct soft_descriptor *d)
{
	if (d->segment.attributes & SOFT_TYPE_ACCESSED)
		return;
	d->segment.attributes |= SOFT_TYPE_ACCESSED;
	soft_store_sys8(cpu, d->linear + TYPE_BYTE, (uint8_t)d->segment.attributes);
}

void soft_descriptor_busy(struct soft_cpu *cpu, struct soft_descriptor *d, bool busy)
{
	if (busy)
		d->segment.attributes |= 2;
	else
		d->segment.attributes &= ~2u;
	soft_store_sys8(cpu, d->linear + TYPE_BYTE, (uint8_t)d->segment.attributes);
}

/* ---- segment registers ---- */

void soft_segment_real(struct vcpu_segment *s, uint16_t selector)
{
	s->selector = selector;
	s->base = (uint32_t)selector << 4;
}

void soft_segment_null(struct vcpu_segment *s, uint16_t selector, unsigned dpl)
{
	*s = (struct vcpu_segment){
		.selector = selector,
		.attributes = SOFT_SEG_UNUSABLE | dpl << 5,
	};
}

void soft_stack_segment(struct soft_cpu *cpu, uint16_t selector, unsigned cpl, unsigned vector,
	struct soft_descriptor *d)
{
	const uint32_t kind = SOFT_SEG_S | SOFT_TYPE_CODE | SOFT_TYPE_WRITABLE;

	if (!(selector & ~3u))
		soft_raise_selector(cpu, vector, 0);
	soft_descriptor_get(cpu, selector, vector, d);
	if ((selector & 3) != cpl || SOFT_SEG_DPL(d->segment.attributes) != cpl ||
		(d->segment.attributes & kind) != (SOFT_SEG_S | SOFT_TYPE_WRITABLE))
		soft_raise_selector(cpu, vector, selector);
	if (!(d->segment.attributes & SOFT_SEG_P))
		soft_raise_selector(cpu, SOFT_SS_FAULT, selector);
}

static void load_stack(struct soft_cpu *cpu, uint16_t selector)
{
	struct soft_descriptor d;

	if (!(selector & ~3u) && soft_long64(cpu) && soft_cpl(cpu) < 3 &&
		(selector & 3) == soft_cpl(cpu)) {
		soft_segment_null(&cpu->seg[SOFT_SS], selector, soft_cpl(cpu));
		return;
	}
	soft_stack_segment(cpu, selector, soft_cpl(cpu), SOFT_GP, &d);
	soft_descriptor_accessed(cpu, &d);
	cpu->seg[SOFT_SS] = d.segment;
}

void soft_segment_data(struct soft_cpu *cpu, unsigned seg, uint16_t selector, unsigned vector)
{
	struct soft_descriptor d;
	unsigned type, dpl;

	if (!(selector & ~3u)) {
		soft_segment_null(&cpu->seg[seg], selector, 0);
		return;
	}
	soft_descriptor_get(cpu, selector, vector, &d);
	type = soft_descriptor_type(&d);
	dpl = SOFT_SEG_DPL(d.segment.attributes);
	if (!(type & SOFT_SEG_S) || !type_allows(&d.segment, SOFT_READ))
		soft_raise_selector(cpu, vector, selector);
	if (!(soft_segment_is_code(&d.segment) && soft_segment_is_conforming(&d.segment)) &&
		((selector & 3u) > dpl || soft_cpl(cpu) > dpl))
		soft_raise_selector(cpu, vector, selector);
	if (!(d.segment.attributes & SOFT_SEG_P))
		soft_raise_selector(cpu, SOFT_NP, selector);
	soft_descriptor_accessed(cpu, &d);
	cpu->seg[seg] = d.segment;
}

void soft_segment_load(struct soft_cpu *cpu, unsigned seg, uint16_t selector)
{
	if ((cpu->mode & (SOFT_MODE_PROTECTED | SOFT_MODE_V86)) != SOFT_MODE_PROTECTED)
		soft_segment_real(&cpu->seg[seg], selector);
	else if (seg == SOFT_SS)
		load_stack(cpu, selector);
	else
		soft_segment_data(cpu, seg, selector, SOFT_GP);
	soft_update_mode(cpu);
}

void soft_segments_drop(struct soft_cpu *cpu, unsigned cpl)
{
	static const uint8_t data[] = {SOFT_ES, SOFT_DS, SOFT_FS, SOFT_GS};

	for (unsigned i = 0; i < G_N_ELEMENTS(data); i++) {
		struct vcpu_segment *s = &cpu->seg[data[i]];
		bool conforming = soft_segment_is_code(s) && soft_segment_is_conforming(s);
		if (!(s->attributes & SOFT_SEG_UNUSABLE) && !conforming &&
			SOFT_SEG_DPL(s->attributes) < cpl)
			soft_segment_null(s, 0, 0);
	}
}

/* ---- instructions ---- */

void soft_sys_mov_to_seg(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint16_t selector;

	if (insn->reg >= SOFT_SEGMENTS || insn->reg == SOFT_CS)
		soft_raise(cpu, SOFT_UD);
	if (insn->memory)
		selector = soft_load16(cpu, soft_operand(cpu, insn, 2, SOFT_READ));
	else
		selector = (uint16_t)cpu->gpr[insn->rm];
	soft_segment_load(cpu, insn->reg, selector);
	if (insn->reg == SOFT_SS)
		cpu->shadow = true;
}

void soft_sys_mov_from_seg(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint16_t selector;

	if (insn->reg >= SOFT_SEGMENTS)
		soft_raise(cpu, SOFT_UD);
	selector = cpu->seg[insn->reg].selector;
	if (insn->memory)
		soft_store16(cpu, soft_operand(cpu, insn, 2, SOFT_WRITE), selector);
	else if (insn->size == 2)
		cpu->gpr[insn->rm] = (cpu->gpr[insn->rm] & ~0xffffull) | selector;
	else
		cpu->gpr[insn->rm] = selector;
}

/* Which segment register PUSH and POP name: bits 3-5 of the opcode, in the row's first number. */
void soft_sys_push_seg(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	unsigned seg = soft_opcode_at(insn->row)->a;
	struct soft_stack stack;

	soft_stack_current(cpu, &stack);
	soft_stack_push(cpu, &stack, cpu->seg[seg].selector, insn->size);
	soft_stack_commit(cpu, &stack);
}

void soft_sys_pop_seg(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	unsigned seg = soft_opcode_at(insn->row)->a;
	struct soft_stack stack;
	uint16_t selector;

	soft_stack_current(cpu, &stack);
	selector = (uint16_t)soft_stack_pop(cpu, &stack, insn->size);
	soft_segment_load(cpu, seg, selector);
	soft_stack_commit(cpu, &stack);
	if (seg == SOFT_SS)
		cpu->shadow = true;
}

void soft_sys_load_far_pointer(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	unsigned seg = soft_opcode_at(insn->row)->a;
	uint64_t linear = soft_operand(cpu, insn, insn->size + 2u, SOFT_READ);
	uint64_t offset;
	uint16_t selector;

	if (insn->size == 8)
		offset = soft_load64(cpu, linear);
	else
		offset = insn->size == 4 ? soft_load32(cpu, linear) : soft_load16(cpu, linear);
	selector = soft_load16(cpu, linear + insn->size);
	soft_segment_load(cpu, seg, selector);
	if (insn->size == 2)
		offset |= cpu->gpr[insn->reg] & ~0xffffull;
	cpu->gpr[insn->reg] = offset;
}

void soft_sys_swapgs(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t base = cpu->seg[SOFT_GS].base;

	(void)insn;
	cpu->seg[SOFT_GS].base = cpu->kernel_gs_base;
	cpu->kernel_gs_base = base;
	soft_update_mode(cpu);
}

/* RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE: the row's first number is the segment. */
static struct vcpu_segment *base_segment(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	if (!(cpu->cr4 & SOFT_CR4_FSGSBASE))
		soft_raise(cpu, SOFT_UD);
	return &cpu->seg[soft_opcode_at(insn->row)->a];
}

void soft_sys_read_base(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t base = base_segment(cpu, insn)->base;

	cpu->gpr[insn->rm] = insn->size == 8 ? base : (uint32_t)base;
}

void soft_sys_write_base(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct vcpu_segment *s = base_segment(cpu, insn);
	uint64_t base = cpu->gpr[insn->rm];

	if (insn->size != 8)
		base = (uint32_t)base;
	if (!soft_canonical(base))
		soft_raise_code(cpu, SOFT_GP, 0);
	s->base = base;
	soft_update_mode(cpu);
}
