// SPDX-License-Identifier: GPL-3.0-or-later
// FXSAVE, FXRSTOR, LDMXCSR, STMXCSR and the fences.
#include "config.h"

#include "engine/vmm/cpu/soft/simd.h"

#include <stddef.h>
#include <string.h>

// What FXSAVE writes: up to and with XMM7, or XMM15 in 64-bit mode (SDM volume 1, section 10.5.1).
static unsigned image_length(const struct soft_cpu *cpu)
{
	return offsetof(struct soft_fx_image, xmm) + 16 * (soft_long64(cpu) ? 16 : 8);
}

static bool wide_pointers(const struct soft_cpu *cpu, const struct soft_insn *insn)
{
	return soft_long64(cpu) && (insn->prefixes & SOFT_HAS_REX_W);
}

// A stack address that is not canonical comes first, unlike with vector operands.
static _Noreturn void raise_misaligned(struct soft_cpu *cpu, const struct soft_insn *insn,
	uint64_t linear)
{
	bool stack = soft_long64(cpu) && insn->seg == SOFT_SS && !soft_canonical(linear);

	soft_raise_code(cpu, stack ? SOFT_SS_FAULT : SOFT_GP, 0);
}

static uint64_t image_linear(struct soft_cpu *cpu, const struct soft_insn *insn,
	enum soft_access access)
{
	uint64_t linear;

	if (cpu->cr0 & (SOFT_CR0_EM | SOFT_CR0_TS))
		soft_raise(cpu, SOFT_NM);
	linear = soft_operand(cpu, insn, sizeof(struct soft_fx_image), access);
	if (linear & 15)
		raise_misaligned(cpu, insn, linear);
	return linear;
}

void soft_op_fxsave(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t linear = image_linear(cpu, insn, SOFT_WRITE);
	struct soft_fx_image image;

	soft_fp_get(&cpu->fp, &image);
	if (!wide_pointers(cpu, insn)) {
		image.fip = (uint32_t)image.fip | (uint64_t)cpu->fp.fcs << 32;
		image.fdp = (uint32_t)image.fdp | (uint64_t)cpu->fp.fds << 32;
	}
	soft_probe_write(cpu, linear, sizeof(image));
	soft_store_bytes(cpu, linear, &image, image_length(cpu));
}

void soft_op_fxrstor(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t linear = image_linear(cpu, insn, SOFT_READ);
	struct soft_fx_image image;
	unsigned length = image_length(cpu);
	uint16_t fcs = 0, fds = 0;

	soft_load_bytes(cpu, linear, &image, sizeof(image));
	if (image.mxcsr & ~SOFT_MXCSR_MASK)
		soft_raise_code(cpu, SOFT_GP, 0);
	if (!wide_pointers(cpu, insn)) {
		fcs = image.fip >> 32;
		fds = image.fdp >> 32;
		image.fip = (uint32_t)image.fip;
		image.fdp = (uint32_t)image.fdp;
	}
	memcpy((uint8_t *)&image + length, (uint8_t *)cpu->fp.xmm + length - 160,
		sizeof(image.xmm) + 160 - length);
	soft_fp_set(&cpu->fp, &image);
	cpu->fp.fcs = fcs;
	cpu->fp.fds = fds;
}

void soft_op_ldmxcsr(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint32_t value;

	soft_sse_check(cpu);
	value = soft_load32(cpu, soft_operand(cpu, insn, 4, SOFT_READ));
	if (value & ~SOFT_MXCSR_MASK)
		soft_raise_code(cpu, SOFT_GP, 0);
	cpu->fp.mxcsr = value;
	cpu->fp.live &= ~SOFT_FP_MXCSR;
	soft_fp_use_mxcsr(&cpu->fp);
}

void soft_op_stmxcsr(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint32_t value = cpu->fp.mxcsr;

	soft_sse_check(cpu);
	if (cpu->fp.live & SOFT_FP_MXCSR)
		__asm__ volatile("stmxcsr %0" : "=m"(value));
	soft_store32(cpu, soft_operand(cpu, insn, 4, SOFT_WRITE), value);
}

// LFENCE, MFENCE, SFENCE: the host orders the guest's accesses as it orders its own.
void soft_op_fence(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	__asm__ volatile("mfence" : : : "memory");
}

// Caches are the host's; only the faults of a read of one byte remain.
void soft_op_clflush(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	soft_probe_read(cpu, soft_operand(cpu, insn, 1, SOFT_READ), 1);
}
