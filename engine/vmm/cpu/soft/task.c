// SPDX-License-Identifier: GPL-3.0-or-later
// Task state segments and task switches (SDM volume 3, chapter 7).

#include "engine/vmm/cpu/soft/system.h"

/* Figures 7-2 and 7-10: offsets and sizes of what a switch saves and loads. */
struct tss_layout {
	uint8_t item; /* bytes of a register */
	uint8_t rip, rflags, gpr, segments;
	uint8_t segment_count;
	uint8_t segment_step;
	uint8_t ldt;
	uint8_t min_limit;
};

static const struct tss_layout layout_16 = {
	.item = 2,
	.rip = 0x0e,
	.rflags = 0x10,
	.gpr = 0x12,
	.segments = 0x22,
	.segment_count = 4,
	.segment_step = 2,
	.ldt = 0x2a,
	.min_limit = 0x2b,
};
static const struct tss_layout layout_32 = {
	.item = 4,
	.rip = 0x20,
	.rflags = 0x24,
	.gpr = 0x28,
	.segments = 0x48,
	.segment_count = 6,
	.segment_step = 4,
	.ldt = 0x60,
	.min_limit = 0x67,
};

#define TSS_CR3 0x1c
#define TSS_TRAP 0x64
#define TSS_MAX 0x68

/* A TSS in our memory. */
struct tss {
	const struct tss_layout *layout;
	uint8_t bytes[TSS_MAX];
};

static const struct tss_layout *layout_of(const struct vcpu_segment *s)
{
	return s->attributes & 8 ? &layout_32 : &layout_16;
}

static uint32_t tss_get(const struct tss *tss, unsigned offset, unsigned size)
{
	uint32_t value = 0;

	memcpy(&value, tss->bytes + offset, size);
	return value;
}

static void tss_put(struct tss *tss, unsigned offset, uint64_t value, unsigned size)
{
	memcpy(tss->bytes + offset, &value, size);
}

/* ---- stacks of inner levels ---- */

void soft_task_stack(struct soft_cpu *cpu, unsigned cpl, uint64_t *esp, uint16_t *ss)
{
	bool wide = cpu->tr.attributes & 8;
	unsigned offset = wide ? 4 + 8 * cpl : 2 + 4 * cpl;

	if (offset + (wide ? 7 : 3) > cpu->tr.limit)
		soft_raise_selector(cpu, SOFT_TS, cpu->tr.selector);
	if (wide) {
		*esp = soft_load_sys32(cpu, cpu->tr.base + offset);
		*ss = soft_load_sys16(cpu, cpu->tr.base + offset + 4);
	} else {
		*esp = soft_load_sys16(cpu, cpu->tr.base + offset);
		*ss = soft_load_sys16(cpu, cpu->tr.base + offset + 2);
	}
}

static uint64_t load_rsp(struct soft_cpu *cpu, unsigned offset)
{
	if (offset + 7 > cpu->tr.limit)
		soft_raise_selector(cpu, SOFT_TS, cpu->tr.selector);
	return soft_load_sys64(cpu, cpu->tr.base + offset);
}

uint64_t soft_task_rsp(struct soft_cpu *cpu, unsigned cpl)
{
	return load_rsp(cpu, 4 + 8 * cpl);
}

uint64_t soft_task_ist(struct soft_cpu *cpu, unsigned ist)
{
	return load_rsp(cpu, 0x24 + 8 * (ist - 1));
}

/* ---- switching ---- */

static void check_tss(
	struct soft_cpu *cpu, const struct soft_descriptor *d, enum soft_task_switch why)
{
	bool back = why == SOFT_TASK_RETURN;
	unsigned type = soft_descriptor_type(d);
	unsigned wanted = back ? SOFT_TYPE_TSS16_BUSY : SOFT_TYPE_TSS16;

	if ((type & ~8u) != wanted)
		soft_raise_selector(cpu, back ? SOFT_TS : SOFT_GP, d->segment.selector);
	if (!(d->segment.attributes & SOFT_SEG_P))
		soft_raise_selector(cpu, SOFT_NP, d->segment.selector);
	if (d->segment.limit < layout_of(&d->segment)->min_limit)
		soft_raise_selector(cpu, SOFT_TS, d->segment.selector);
}

/* Writes the registers of the present task to its TSS. */
static void save(struct soft_cpu *cpu, bool clear_nt)
{
	struct tss tss = {.layout = layout_of(&cpu->tr)};
	const struct tss_layout *l = tss.layout;
	uint64_t rflags = soft_rflags(cpu);
	unsigned end = l->segments + l->segment_count * l->segment_step;

	if (clear_nt)
		rflags &= ~(uint64_t)SOFT_NT;
	soft_load_bytes_sys(cpu, cpu->tr.base, tss.bytes, l->min_limit + 1u);
	tss_put(&tss, l->rip, cpu->rip, l->item);
	tss_put(&tss, l->rflags, rflags, l->item);
	for (unsigned i = 0; i < 8; i++)
		tss_put(&tss, l->gpr + i * l->item, cpu->gpr[i], l->item);
	for (unsigned i = 0; i < l->segment_count; i++)
		tss_put(&tss, l->segments + i * l->segment_step, cpu->seg[i].selector, 2);
	soft_store_bytes_sys(cpu, cpu->tr.base + l->rip, tss.bytes + l->rip, end - l->rip);
}

static void old_not_busy(struct soft_cpu *cpu)
{
	struct soft_descriptor old;

	if (soft_descriptor_read(cpu, cpu->tr.selector, &old))
		soft_descriptor_busy(cpu, &old, false);
}

static void load_ldt(struct soft_cpu *cpu, uint16_t selector)
{
	struct soft_descriptor d;

	soft_segment_null(&cpu->ldtr, selector, 0);
	if (!(selector & ~3u))
		return;
	if ((selector & 4) || !soft_descriptor_read(cpu, selector, &d) ||
		soft_descriptor_type(&d) != SOFT_TYPE_LDT || !(d.segment.attributes & SOFT_SEG_P))
		soft_raise_selector(cpu, SOFT_TS, selector);
	cpu->ldtr = d.segment;
}

static void load_code(struct soft_cpu *cpu, uint16_t selector)
{
	unsigned rpl = selector & 3u, dpl;
	struct soft_descriptor d;

	if (!(selector & ~3u))
		soft_raise_selector(cpu, SOFT_TS, 0);
	soft_descriptor_get(cpu, selector, SOFT_TS, &d);
	dpl = SOFT_SEG_DPL(d.segment.attributes);
	if (!soft_segment_is_code(&d.segment) ||
		(soft_segment_is_conforming(&d.segment) ? dpl > rpl : dpl != rpl))
		soft_raise_selector(cpu, SOFT_TS, selector);
	if (!(d.segment.attributes & SOFT_SEG_P))
		soft_raise_selector(cpu, SOFT_NP, selector);
	soft_descriptor_accessed(cpu, &d);
	cpu->seg[SOFT_CS] = d.segment;
}

/* The new task's segments; from here faults are the new task's. */
static void load_segments(struct soft_cpu *cpu, const uint16_t selector[SOFT_SEGMENTS])
{
	unsigned cpl = selector[SOFT_CS] & 3u;
	struct soft_descriptor ss;

	for (unsigned i = 0; i < SOFT_SEGMENTS; i++)
		soft_segment_null(&cpu->seg[i], selector[i], cpl);
	soft_update_mode(cpu);
	load_code(cpu, selector[SOFT_CS]);
	soft_stack_segment(cpu, selector[SOFT_SS], cpl, SOFT_TS, &ss);
	soft_descriptor_accessed(cpu, &ss);
	cpu->seg[SOFT_SS] = ss.segment;
	soft_update_mode(cpu);
	for (unsigned i = 0; i < SOFT_SEGMENTS; i++) {
		if (i != SOFT_CS && i != SOFT_SS)
			soft_segment_data(cpu, i, selector[i], SOFT_TS);
	}
	soft_update_mode(cpu);
	if (cpu->rip > cpu->seg[SOFT_CS].limit)
		soft_raise_selector(cpu, SOFT_GP, 0);
}

static void load_segments_v86(struct soft_cpu *cpu, const uint16_t selector[SOFT_SEGMENTS])
{
	for (unsigned i = 0; i < SOFT_SEGMENTS; i++) {
		cpu->seg[i] = (struct vcpu_segment){.limit = 0xffff, .attributes = 0xf3};
		soft_segment_real(&cpu->seg[i], selector[i]);
	}
	soft_update_mode(cpu);
}

static void load_cr3(struct soft_cpu *cpu, const struct tss *tss)
{
	if (tss->layout != &layout_32 || !(cpu->cr0 & SOFT_CR0_PG))
		return;
	if ((cpu->cr4 & SOFT_CR4_PAE) && !soft_pdpte_load(cpu, tss_get(tss, TSS_CR3, 4)))
		soft_raise_selector(cpu, SOFT_TS, cpu->tr.selector);
	cpu->cr3 = tss_get(tss, TSS_CR3, 4);
	soft_tlb_flush_nonglobal(cpu);
}

static void load_registers(struct soft_cpu *cpu, const struct tss *tss, bool nested)
{
	const struct tss_layout *l = tss->layout;
	uint64_t rflags = tss_get(tss, l->rflags, l->item);

	cpu->rip = tss_get(tss, l->rip, l->item);
	for (unsigned i = 0; i < 8; i++)
		cpu->gpr[i] = tss_get(tss, l->gpr + i * l->item, l->item);
	if (nested)
		rflags |= SOFT_NT;
	if (l->item == 2)
		rflags &= 0xffff;
	soft_set_rflags(cpu, (rflags & 0x3f7fd5) | 2);
}

static void load(struct soft_cpu *cpu, const struct tss *tss, bool nested)
{
	const struct tss_layout *l = tss->layout;
	uint16_t selector[SOFT_SEGMENTS] = {0};

	for (unsigned i = 0; i < l->segment_count; i++)
		selector[i] = (uint16_t)tss_get(tss, l->segments + i * l->segment_step, 2);
	load_cr3(cpu, tss);
	load_registers(cpu, tss, nested);
	load_ldt(cpu, (uint16_t)tss_get(tss, l->ldt, 2));
	if (cpu->rflags & SOFT_VM)
		load_segments_v86(cpu, selector);
	else
		load_segments(cpu, selector);
	cpu->dr[7] &= ~0x155ull;
	soft_update_mode(cpu);
	if (l == &layout_32 && (tss_get(tss, TSS_TRAP, 2) & 1))
		cpu->debug_hits |= 0x8000;
}

void soft_task_switch(struct soft_cpu *cpu, struct soft_descriptor *d, enum soft_task_switch why)
{
	bool nested = why == SOFT_TASK_CALL || why == SOFT_TASK_GATE;
	struct tss tss = {.layout = layout_of(&d->segment)};
	uint16_t old = cpu->tr.selector;

	check_tss(cpu, d, why);
	soft_load_bytes_sys(cpu, d->segment.base, tss.bytes, tss.layout->min_limit + 1u);
	if (nested)
		soft_probe_write_sys(cpu, d->segment.base, 2);
	save(cpu, why == SOFT_TASK_RETURN);
	if (nested)
		soft_store_sys16(cpu, d->segment.base, old);
	else
		old_not_busy(cpu);
	if (why != SOFT_TASK_RETURN)
		soft_descriptor_busy(cpu, d, true);
	cpu->tr = d->segment;
	cpu->cr0 |= SOFT_CR0_TS;
	cpu->current = NULL;
	load(cpu, &tss, nested);
}

void soft_task_gate(struct soft_cpu *cpu, uint16_t selector, enum soft_task_switch why)
{
	struct soft_descriptor d;

	if (selector & 4)
		soft_raise_selector(cpu, SOFT_GP, selector);
	soft_descriptor_get(cpu, selector, SOFT_GP, &d);
	soft_task_switch(cpu, &d, why);
}

void soft_task_return(struct soft_cpu *cpu)
{
	uint16_t link = soft_load_sys16(cpu, cpu->tr.base);
	struct soft_descriptor d;

	if (link & 4)
		soft_raise_selector(cpu, SOFT_TS, link);
	soft_descriptor_get(cpu, link, SOFT_TS, &d);
	soft_task_switch(cpu, &d, SOFT_TASK_RETURN);
}
