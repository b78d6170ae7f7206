// SPDX-License-Identifier: GPL-3.0-or-later
// Descriptor table registers, and questions about descriptors: LAR LSL VERR VERW ARPL BOUND.

#include "engine/vmm/cpu/soft/system.h"

/* CR4.UMIP keeps these from user code. */
static void check_umip(struct soft_cpu *cpu)
{
	if ((cpu->cr4 & SOFT_CR4_UMIP) && soft_cpl(cpu) != 0)
		soft_raise_code(cpu, SOFT_GP, 0);
}

/* ---- GDTR and IDTR ---- */

static void store_table(
	struct soft_cpu *cpu, const struct soft_insn *insn, const struct vcpu_table *table)
{
	unsigned length = soft_long64(cpu) ? 8 : 4;
	uint64_t linear = soft_operand(cpu, insn, 2 + length, SOFT_WRITE);
	uint8_t image[10];

	memcpy(image, &table->limit, 2);
	memcpy(image + 2, &table->base, length);
	soft_store_bytes(cpu, linear, image, 2 + length);
}

static void load_table(struct soft_cpu *cpu, const struct soft_insn *insn, struct vcpu_table *table)
{
	unsigned length = soft_long64(cpu) ? 8 : 4;
	uint64_t linear = soft_operand(cpu, insn, 2 + length, SOFT_READ);
	uint16_t limit = soft_load16(cpu, linear);
	uint64_t base;

	if (length == 8)
		base = soft_load64(cpu, linear + 2);
	else
		base = soft_load32(cpu, linear + 2) & (insn->size == 2 ? 0xffffff : 0xffffffff);
	if (!soft_canonical(base) && length == 8)
		soft_raise_code(cpu, SOFT_GP, 0);
	table->limit = limit;
	table->base = base;
}

void soft_sys_sgdt(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	check_umip(cpu);
	store_table(cpu, insn, &cpu->gdtr);
}

void soft_sys_sidt(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	check_umip(cpu);
	store_table(cpu, insn, &cpu->idtr);
}

void soft_sys_lgdt(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	load_table(cpu, insn, &cpu->gdtr);
}

void soft_sys_lidt(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	load_table(cpu, insn, &cpu->idtr);
}

/* ---- LDTR and TR ---- */

static void store_selector(struct soft_cpu *cpu, const struct soft_insn *insn, uint16_t selector)
{
	if (insn->memory)
		soft_store16(cpu, soft_operand(cpu, insn, 2, SOFT_WRITE), selector);
	else if (insn->size == 2)
		cpu->gpr[insn->rm] = (cpu->gpr[insn->rm] & ~0xffffull) | selector;
	else
		cpu->gpr[insn->rm] = selector;
}

static uint16_t load_selector(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	if (insn->memory)
		return soft_load16(cpu, soft_operand(cpu, insn, 2, SOFT_READ));
	return (uint16_t)cpu->gpr[insn->rm];
}

void soft_sys_sldt(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	check_umip(cpu);
	store_selector(cpu, insn, cpu->ldtr.selector);
}

void soft_sys_str(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	check_umip(cpu);
	store_selector(cpu, insn, cpu->tr.selector);
}

void soft_sys_lldt(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint16_t selector = load_selector(cpu, insn);
	struct soft_descriptor d;

	if (!(selector & ~3u)) {
		soft_segment_null(&cpu->ldtr, selector, 0);
		return;
	}
	if (selector & 4)
		soft_raise_selector(cpu, SOFT_GP, selector);
	soft_descriptor_get(cpu, selector, SOFT_GP, &d);
	if (soft_descriptor_type(&d) != SOFT_TYPE_LDT)
		soft_raise_selector(cpu, SOFT_GP, selector);
	if (!(d.segment.attributes & SOFT_SEG_P))
		soft_raise_selector(cpu, SOFT_NP, selector);
	cpu->ldtr = d.segment;
}

void soft_sys_ltr(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint16_t selector = load_selector(cpu, insn);
	struct soft_descriptor d;
	unsigned type;

	if (!(selector & ~3u))
		soft_raise_code(cpu, SOFT_GP, 0);
	if (selector & 4)
		soft_raise_selector(cpu, SOFT_GP, selector);
	soft_descriptor_get(cpu, selector, SOFT_GP, &d);
	type = soft_descriptor_type(&d);
	if (type != SOFT_TYPE_TSS && (type != SOFT_TYPE_TSS16 || (cpu->efer & SOFT_EFER_LMA)))
		soft_raise_selector(cpu, SOFT_GP, selector);
	if (!(d.segment.attributes & SOFT_SEG_P))
		soft_raise_selector(cpu, SOFT_NP, selector);
	soft_descriptor_busy(cpu, &d, true);
	cpu->tr = d.segment;
}

/* ---- questions ---- */

static void set_zf(struct soft_cpu *cpu, bool value)
{
	cpu->flags &= (uint16_t)~SOFT_IMAGE_ZF;
	if (value)
		cpu->flags |= SOFT_IMAGE_ZF;
}

/* Whether the selector names a descriptor that code at this level may know of. */
static bool visible(struct soft_cpu *cpu, uint16_t selector, struct soft_descriptor *d)
{
	unsigned dpl;

	if (!(selector & ~3u) || !soft_descriptor_read(cpu, selector, d))
		return false;
	if (soft_segment_is_code(&d->segment) && soft_segment_is_conforming(&d->segment))
		return true;
	dpl = SOFT_SEG_DPL(d->segment.attributes);
	return dpl >= soft_cpl(cpu) && dpl >= (selector & 3u);
}

/* Bit sets of system types (SDM volume 2, LAR table 3-53 and LSL table 3-58). */
#define LAR_TYPES 0x1a3eu
#define LAR_TYPES_LONG 0x1a04u
#define LSL_TYPES 0x0a0eu
#define LSL_TYPES_LONG 0x0a04u

static bool answers(const struct soft_cpu *cpu, const struct soft_descriptor *d, unsigned types,
	unsigned types_long)
{
	unsigned type = soft_descriptor_type(d);

	if (type & SOFT_SEG_S)
		return true;
	return (cpu->efer & SOFT_EFER_LMA ? types_long : types) >> type & 1;
}

static void put_answer(struct soft_cpu *cpu, const struct soft_insn *insn, uint32_t value)
{
	if (insn->size == 2)
		cpu->gpr[insn->reg] = (cpu->gpr[insn->reg] & ~0xffffull) | (value & 0xffff);
	else
		cpu->gpr[insn->reg] = value;
}

void soft_sys_lar(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct soft_descriptor d;
	bool known = visible(cpu, load_selector(cpu, insn), &d) &&
		     answers(cpu, &d, LAR_TYPES, LAR_TYPES_LONG);

	if (known)
		put_answer(cpu, insn, d.raw >> 32 & 0x00f0ff00);
	set_zf(cpu, known);
}

void soft_sys_lsl(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct soft_descriptor d;
	bool known = visible(cpu, load_selector(cpu, insn), &d) &&
		     answers(cpu, &d, LSL_TYPES, LSL_TYPES_LONG);

	if (known)
		put_answer(cpu, insn, d.segment.limit);
	set_zf(cpu, known);
}

void soft_sys_verr(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct soft_descriptor d;
	bool known =
		visible(cpu, load_selector(cpu, insn), &d) && (d.segment.attributes & SOFT_SEG_S) &&
		(!soft_segment_is_code(&d.segment) || (d.segment.attributes & SOFT_TYPE_READABLE));

	set_zf(cpu, known);
}

void soft_sys_verw(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct soft_descriptor d;
	bool known = visible(cpu, load_selector(cpu, insn), &d) &&
		     (d.segment.attributes & SOFT_SEG_S) && !soft_segment_is_code(&d.segment) &&
		     (d.segment.attributes & SOFT_TYPE_WRITABLE);

	set_zf(cpu, known);
}

void soft_sys_arpl(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint16_t source = (uint16_t)cpu->gpr[insn->reg];
	uint64_t linear = 0;
	uint16_t selector;
	bool raise;

	if (insn->memory) {
		linear = soft_operand(cpu, insn, 2, SOFT_WRITE);
		soft_probe_write(cpu, linear, 2);
		selector = soft_load16(cpu, linear);
	} else {
		selector = (uint16_t)cpu->gpr[insn->rm];
	}
	raise = (selector & 3u) < (source & 3u);
	if (raise) {
		selector = (uint16_t)((selector & ~3u) | (source & 3u));
		if (insn->memory)
			soft_store16(cpu, linear, selector);
		else
			cpu->gpr[insn->rm] = (cpu->gpr[insn->rm] & ~0xffffull) | selector;
	}
	set_zf(cpu, raise);
}

void soft_sys_bound(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t linear = soft_operand(cpu, insn, 2u * insn->size, SOFT_READ);
	int64_t index, low, high;

	if (insn->size == 2) {
		index = (int16_t)cpu->gpr[insn->reg];
		low = (int16_t)soft_load16(cpu, linear);
		high = (int16_t)soft_load16(cpu, linear + 2);
	} else {
		index = (int32_t)cpu->gpr[insn->reg];
		low = (int32_t)soft_load32(cpu, linear);
		high = (int32_t)soft_load32(cpu, linear + 4);
	}
	if (index < low || index > high)
		soft_raise(cpu, SOFT_BR);
}
