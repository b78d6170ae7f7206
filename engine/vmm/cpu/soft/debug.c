// SPDX-License-Identifier: GPL-3.0-or-later
// Debug registers, breakpoints and single step (SDM volume 3, chapter 18).

#include "engine/vmm/cpu/soft/system.h"

#define DR6_FIXED 0xffff0ff0u
#define DR6_WRITABLE 0xe00fu
#define DR6_BD 0x2000u
#define DR6_BS 0x4000u
#define DR7_FIXED 0x400u
#define DR7_WRITABLE 0xffff23ffu
#define DR7_GD 0x2000u

/* DR7's R/W fields. */
enum { BREAK_EXECUTE, BREAK_WRITE, BREAK_IO, BREAK_ACCESS };

struct breakpoint {
	uint64_t first;
	unsigned length;
	unsigned kind;
};

/* Breakpoint i, false where it is not enabled. */
static bool breakpoint_get(const struct soft_cpu *cpu, unsigned i, struct breakpoint *b)
{
	static const uint8_t lengths[] = {1, 2, 8, 4};
	unsigned field = cpu->dr[7] >> (16 + 4 * i) & 15;

	if (!(cpu->dr[7] >> 2 * i & 3))
		return false;
	b->length = lengths[field >> 2];
	b->first = cpu->dr[i] & ~(uint64_t)(b->length - 1);
	b->kind = field & 3;
	return true;
}

/* DR6 bits of the enabled breakpoints of a kind (or of data accesses) that overlap the range. */
static uint64_t hits(const struct soft_cpu *cpu, uint64_t first, unsigned size, unsigned kinds)
{
	struct breakpoint b;
	uint64_t found = 0;

	for (unsigned i = 0; i < 4; i++) {
		if (breakpoint_get(cpu, i, &b) && (kinds >> b.kind & 1) &&
			first < b.first + b.length && b.first < first + size)
			found |= 1u << i;
	}
	return found;
}

#define DATA_KINDS (1u << BREAK_WRITE | 1u << BREAK_ACCESS)

bool soft_debug_watches(const struct soft_cpu *cpu, uint64_t page)
{
	if (!(cpu->dr[7] & 0xff))
		return false;
	return hits(cpu, page & SOFT_PAGE_MASK, MEMORY_PAGE_SIZE, DATA_KINDS) != 0;
}

void soft_debug_data(struct soft_cpu *cpu, uint64_t linear, unsigned size, enum soft_access access)
{
	if (access == SOFT_WRITE)
		cpu->debug_hits |= hits(cpu, linear, size, DATA_KINDS);
	else if (access == SOFT_READ)
		cpu->debug_hits |= hits(cpu, linear, size, 1u << BREAK_ACCESS);
}

void soft_debug_io(struct soft_cpu *cpu, unsigned port, unsigned size)
{
	if (cpu->cr4 & SOFT_CR4_DE)
		cpu->debug_hits |= hits(cpu, port, size, 1u << BREAK_IO);
}

void soft_debug_fetch(struct soft_cpu *cpu)
{
	uint64_t linear = cpu->rip, found;

	if (cpu->rflags & SOFT_RF)
		return;
	if (!soft_long64(cpu))
		linear = (uint32_t)(linear + cpu->seg[SOFT_CS].base);
	found = hits(cpu, linear, 1, 1u << BREAK_EXECUTE);
	if (!found)
		return;
	cpu->dr[6] = (cpu->dr[6] & ~0xfull) | found;
	soft_raise(cpu, SOFT_DB);
}

void soft_debug_trap(struct soft_cpu *cpu, bool stepped)
{
	uint64_t found = cpu->debug_hits;

	if (stepped && !cpu->step_done)
		found |= DR6_BS;
	cpu->step_done = false;
	/* MOV SS and POP SS hold it back for one instruction. */
	if (!found || cpu->shadow)
		return;
	cpu->debug_hits = 0;
	cpu->dr[6] = (cpu->dr[6] & ~0xfull) | found;
	soft_interrupt_debug(cpu);
}

/* ---- the registers ---- */

/* The register that a number means: 4 and 5 are 6 and 7 unless CR4.DE is set. */
static unsigned register_of(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	unsigned number = insn->reg;

	if (number > 7 || ((number == 4 || number == 5) && (cpu->cr4 & SOFT_CR4_DE)))
		soft_raise(cpu, SOFT_UD);
	if (cpu->dr[7] & DR7_GD) {
		cpu->dr[6] |= DR6_BD;
		cpu->dr[7] &= ~(uint64_t)DR7_GD;
		soft_raise(cpu, SOFT_DB);
	}
	return (number & 6) == 4 ? number | 2 : number & 7;
}

void soft_dr_write(struct soft_cpu *cpu, unsigned dr, uint64_t value)
{
	bool watched = cpu->dr[7] & 0xff;

	if (dr >= 6 && value >> 32)
		soft_raise_code(cpu, SOFT_GP, 0);
	if (dr == 6)
		value = (value & DR6_WRITABLE) | DR6_FIXED;
	else if (dr == 7)
		value = (value & DR7_WRITABLE) | DR7_FIXED;
	cpu->dr[dr & 7] = value;
	/* Pages with breakpoints are marked in the TLB. */
	if (dr != 6 && (watched || (cpu->dr[7] & 0xff)))
		soft_tlb_flush(cpu);
	soft_update_mode(cpu);
}

void soft_sys_mov_from_dr(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	unsigned dr = register_of(cpu, insn);

	cpu->gpr[insn->rm] = insn->size == 8 ? cpu->dr[dr] : (uint32_t)cpu->dr[dr];
}

void soft_sys_mov_to_dr(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	unsigned dr = register_of(cpu, insn);

	soft_dr_write(cpu, dr, insn->size == 8 ? cpu->gpr[insn->rm] : (uint32_t)cpu->gpr[insn->rm]);
}
