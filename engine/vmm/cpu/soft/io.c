// SPDX-License-Identifier: GPL-3.0-or-later
// IN, OUT, INS, OUTS, and who may use which port (SDM volume 1, chapter "Input/Output").

#include "engine/vmm/cpu/soft/system.h"

#define TSS_IO_MAP 0x66

/* Iterations of a repeated instruction before the run loop may look at what is pending. */
#define REPEAT_BATCH 64

static bool map_allows(struct soft_cpu *cpu, unsigned port, unsigned size)
{
	unsigned mask = (1u << size) - 1, offset;

	if ((cpu->tr.attributes & SOFT_SEG_UNUSABLE) || !(cpu->tr.attributes & 8) ||
		cpu->tr.limit < TSS_IO_MAP + 1)
		return false;
	offset = soft_load_sys16(cpu, cpu->tr.base + TSS_IO_MAP) + port / 8;
	if (offset + 1 > cpu->tr.limit)
		return false;
	return !(soft_load_sys16(cpu, cpu->tr.base + offset) >> port % 8 & mask);
}

static void check_port(struct soft_cpu *cpu, unsigned port, unsigned size)
{
	bool checked =
		(cpu->mode & SOFT_MODE_V86) || soft_cpl(cpu) > (cpu->rflags & SOFT_IOPL) >> 12;

	if (checked && !map_allows(cpu, port, size))
		soft_raise_code(cpu, SOFT_GP, 0);
	if (cpu->mode & SOFT_MODE_BREAK)
		soft_debug_io(cpu, port, size);
}

static uint32_t port_read(struct soft_cpu *cpu, unsigned port, unsigned size)
{
	soft_fp_park(&cpu->fp);
	soft_count(cpu, VCPU_CAUSE_PORT);
	return (uint32_t)bus_read(cpu->env->ports, port, size);
}

static void port_write(struct soft_cpu *cpu, unsigned port, uint32_t value, unsigned size)
{
	soft_fp_park(&cpu->fp);
	soft_count(cpu, VCPU_CAUSE_PORT);
	bus_write(cpu->env->ports, port, value, size);
}

static unsigned item_size(const struct soft_insn *insn)
{
	return MIN(insn->size, 4);
}

static unsigned port_of(const struct soft_cpu *cpu, const struct soft_insn *insn)
{
	bool immediate = soft_opcode_at(insn->row)->imm != SOFT_I_NONE;

	return immediate ? insn->imm & 0xff : cpu->gpr[SOFT_RDX] & 0xffff;
}

void soft_sys_in(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	unsigned port = port_of(cpu, insn), size = item_size(insn);
	uint64_t *rax = &cpu->gpr[SOFT_RAX];
	uint32_t value;

	check_port(cpu, port, size);
	value = port_read(cpu, port, size);
	if (size == 4)
		*rax = value;
	else if (size == 2)
		*rax = (*rax & ~0xffffull) | (value & 0xffff);
	else
		*rax = (*rax & ~0xffull) | (value & 0xff);
}

void soft_sys_out(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	unsigned port = port_of(cpu, insn), size = item_size(insn);
	uint32_t value = (uint32_t)cpu->gpr[SOFT_RAX];

	if (size < 4)
		value &= (1u << 8 * size) - 1;
	check_port(cpu, port, size);
	port_write(cpu, port, value, size);
}

/* ---- the string forms ---- */

static uint64_t address_mask(const struct soft_insn *insn)
{
	return insn->asize == 8 ? UINT64_MAX : insn->asize == 4 ? 0xffffffff : 0xffff;
}

static void add_to(struct soft_cpu *cpu, const struct soft_insn *insn, unsigned reg, int64_t by)
{
	uint64_t mask = address_mask(insn);
	uint64_t value = (cpu->gpr[reg] + (uint64_t)by) & mask;

	if (mask == 0xffff)
		value |= cpu->gpr[reg] & ~mask;
	cpu->gpr[reg] = value;
}

static void store_item(struct soft_cpu *cpu, uint64_t linear, uint32_t value, unsigned size)
{
	if (size == 4)
		soft_store32(cpu, linear, value);
	else if (size == 2)
		soft_store16(cpu, linear, (uint16_t)value);
	else
		soft_store8(cpu, linear, (uint8_t)value);
}

static uint32_t load_item(struct soft_cpu *cpu, uint64_t linear, unsigned size)
{
	if (size == 4)
		return soft_load32(cpu, linear);
	return size == 2 ? soft_load16(cpu, linear) : soft_load8(cpu, linear);
}

static void ins_once(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	unsigned size = item_size(insn), port = cpu->gpr[SOFT_RDX] & 0xffff;
	uint64_t linear = soft_segment_linear(
		cpu, SOFT_ES, cpu->gpr[SOFT_RDI] & address_mask(insn), size, SOFT_WRITE);

	/* What is read from a device cannot be read again after a fault. */
	soft_probe_write(cpu, linear, size);
	store_item(cpu, linear, port_read(cpu, port, size), size);
	add_to(cpu, insn, SOFT_RDI, cpu->rflags & SOFT_DF ? -(int64_t)size : size);
}

static void outs_once(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	unsigned size = item_size(insn), port = cpu->gpr[SOFT_RDX] & 0xffff;
	uint64_t linear = soft_segment_linear(
		cpu, insn->seg, cpu->gpr[SOFT_RSI] & address_mask(insn), size, SOFT_READ);

	port_write(cpu, port, load_item(cpu, linear, size), size);
	add_to(cpu, insn, SOFT_RSI, cpu->rflags & SOFT_DF ? -(int64_t)size : size);
}

static void repeat(struct soft_cpu *cpu, const struct soft_insn *insn,
	void (*once)(struct soft_cpu *cpu, const struct soft_insn *insn))
{
	unsigned batch = cpu->mode & SOFT_MODE_STEP ? 1 : REPEAT_BATCH;

	check_port(cpu, cpu->gpr[SOFT_RDX] & 0xffff, item_size(insn));
	if (!(insn->prefixes & (SOFT_HAS_REP | SOFT_HAS_REPNE))) {
		once(cpu, insn);
		return;
	}
	for (unsigned i = 0; i < batch; i++) {
		if ((cpu->gpr[SOFT_RCX] & address_mask(insn)) == 0)
			return;
		once(cpu, insn);
		add_to(cpu, insn, SOFT_RCX, -1);
	}
	if ((cpu->gpr[SOFT_RCX] & address_mask(insn)) != 0)
		cpu->rip = soft_insn_rip(cpu, insn);
}

void soft_sys_ins(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	repeat(cpu, insn, ins_once);
}

void soft_sys_outs(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	repeat(cpu, insn, outs_once);
}
