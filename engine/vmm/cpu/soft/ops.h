// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Threaded dispatch: how an integer handler is written.
 *
 * A handler is a function that does one instruction and ends with SOFT_NEXT(): a jump to the next
 * handler where the compiler makes tail calls, else a return to the run loop with the next
 * instruction in cpu->resume (unoptimised and sanitised builds). Handlers must not take the address
 * of their own variables, or the jump becomes a call.
 */
#pragma once

#include "engine/vmm/cpu/soft/access.h"
#include "engine/vmm/cpu/soft/block.h"
#include "engine/vmm/cpu/soft/decode.h"
#include "engine/vmm/cpu/soft/soft.h"

#if defined(__clang__) && !defined(SOFT_LOOPED)
#define SOFT_TAIL __attribute__((musttail))
#else
#define SOFT_TAIL
#endif

#define SOFT_OP(name) void name(struct soft_cpu *cpu, const struct soft_insn *insn)

#ifdef SOFT_LOOPED
#define SOFT_JUMP_TO(to) \
	do { \
		cpu->resume = (to); \
		return; \
	} while (0)
#else
#define SOFT_JUMP_TO(to) \
	do { \
		const struct soft_insn *next_insn = (to); \
		SOFT_TAIL return next_insn->run(cpu, next_insn); \
	} while (0)
#endif

#define SOFT_NEXT() SOFT_JUMP_TO(insn + 1)

/* May the block be entered without asking the run loop? */
static inline __attribute__((always_inline)) bool soft_block_ready(const struct soft_cpu *cpu,
	const struct soft_block *block)
{
	return block->decoded == __atomic_load_n(block->generation, __ATOMIC_ACQUIRE) &&
		!atomic_load_explicit(&cpu->pending, memory_order_relaxed);
}

/* Follows a branch with a known target: `from` has it in imm, and a link once it was taken. */
SOFT_OP(soft_branch_slow); /* insn is `from`: by the jump cache or the run loop */

#define SOFT_GO(from) \
	do { \
		const struct soft_insn *go = (from); \
		struct soft_block *to = go->link; \
		if (SOFT_LIKELY(to && soft_block_ready(cpu, to))) { \
			cpu->gpr[SOFT_ORIGIN] += go->imm; \
			SOFT_JUMP_TO(to->insn); \
		} \
		SOFT_TAIL return soft_branch_slow(cpu, go); \
	} while (0)

static inline struct soft_jump *soft_jump_entry(struct soft_cpu *cpu, uint64_t rip)
{
	return &cpu->jump[(rip ^ rip >> SOFT_JUMP_BITS) & (SOFT_JUMP_ENTRIES - 1)];
}

/* Follows a branch to a computed address, already masked and checked. */
#define SOFT_GO_TO(target) \
	do { \
		uint64_t go_rip = (target); \
		const struct soft_jump *jump = soft_jump_entry(cpu, go_rip); \
		if (SOFT_LIKELY(jump->rip == go_rip && jump->key == cpu->jump_key[go_rip >> 63] && \
			    soft_block_ready(cpu, jump->block))) { \
			cpu->gpr[SOFT_ORIGIN] = go_rip; \
			SOFT_JUMP_TO(jump->block->insn); \
		} \
		cpu->rip = go_rip; \
		cpu->current = NULL; \
		return; \
	} while (0)

/* Is it a Jcc, and of which condition? (op_flow.c) */
bool soft_is_jcc(const struct soft_insn *insn);
unsigned soft_jcc_condition(const struct soft_insn *insn);

/* The last instruction of a block that runs on into the next one. */
SOFT_OP(soft_op_continue);
/* Leaves the block before this instruction. */
SOFT_OP(soft_op_leave);
/* What cannot be decoded: #UD, and #GP(0) for what is too long. */
SOFT_OP(soft_op_invalid);
SOFT_OP(soft_op_too_long);

/* Raises #GP(0) where a near branch may not go to rip. */
void soft_check_target_slow(struct soft_cpu *cpu, uint64_t rip);

static inline void soft_check_target(struct soft_cpu *cpu, uint64_t rip)
{
	bool long64 = cpu->mode & SOFT_MODE_CODE64;
	if (SOFT_LIKELY(long64 ? soft_canonical(rip) : cpu->mode & SOFT_MODE_FLAT))
		return;
	soft_check_target_slow(cpu, rip);
}

/* Register operands by size. Bytes are addressed by their offset in gpr[] (see decode.h). Narrow
 * writes replace the whole slot, as a load of more than was stored is slow on the host. */
static inline uint8_t soft_reg8(const struct soft_cpu *cpu, unsigned reg)
{
	return ((const uint8_t *)cpu->gpr)[reg];
}

static inline uint16_t soft_reg16(const struct soft_cpu *cpu, unsigned reg)
{
	return cpu->gpr[reg];
}

static inline uint32_t soft_reg32(const struct soft_cpu *cpu, unsigned reg)
{
	return cpu->gpr[reg];
}

static inline uint64_t soft_reg64(const struct soft_cpu *cpu, unsigned reg)
{
	return cpu->gpr[reg];
}

static inline void soft_put8(struct soft_cpu *cpu, unsigned reg, uint8_t value)
{
	unsigned shift = (reg & 1) * 8;
	cpu->gpr[reg >> 3] = (cpu->gpr[reg >> 3] & ~(0xffull << shift)) | (uint64_t)value << shift;
}

static inline void soft_put16(struct soft_cpu *cpu, unsigned reg, uint16_t value)
{
	cpu->gpr[reg] = (cpu->gpr[reg] & ~0xffffull) | value;
}

static inline void soft_put32(struct soft_cpu *cpu, unsigned reg, uint32_t value)
{
	cpu->gpr[reg] = value;
}

static inline void soft_put64(struct soft_cpu *cpu, unsigned reg, uint64_t value)
{
	cpu->gpr[reg] = value;
}

static inline void soft_put(struct soft_cpu *cpu, unsigned size, unsigned reg, uint64_t value)
{
	switch (size) {
	case 1: soft_put8(cpu, reg, value); break;
	case 2: soft_put16(cpu, reg, value); break;
	case 4: soft_put32(cpu, reg, value); break;
	default: soft_put64(cpu, reg, value); break;
	}
}

static inline uint64_t soft_reg(const struct soft_cpu *cpu, unsigned size, unsigned reg)
{
	switch (size) {
	case 1: return soft_reg8(cpu, reg);
	case 2: return soft_reg16(cpu, reg);
	case 4: return soft_reg32(cpu, reg);
	default: return soft_reg64(cpu, reg);
	}
}

static inline uint64_t soft_load(struct soft_cpu *cpu, uint64_t linear, unsigned size)
{
	switch (size) {
	case 1: return soft_load8(cpu, linear);
	case 2: return soft_load16(cpu, linear);
	case 4: return soft_load32(cpu, linear);
	default: return soft_load64(cpu, linear);
	}
}

static inline void soft_store(struct soft_cpu *cpu, uint64_t linear, uint64_t value, unsigned size)
{
	switch (size) {
	case 1: soft_store8(cpu, linear, value); break;
	case 2: soft_store16(cpu, linear, value); break;
	case 4: soft_store32(cpu, linear, value); break;
	default: soft_store64(cpu, linear, value); break;
	}
}

/* Replaces *at (any alignment) by new where it is still old. */
#define SOFT_DEFINE_EXCHANGE(bits, type) \
	static inline bool soft_exchange_if##bits(void *at, type old, type new) \
	{ \
		bool done; \
		__asm__ volatile("lock cmpxchg %3, %1" \
			: "=@ccz"(done), "+m"(SOFT_HOST##bits(at)), "+a"(old) \
			: "r"(new) : "memory"); \
		return done; \
	}
SOFT_DEFINE_EXCHANGE(8, uint8_t)
SOFT_DEFINE_EXCHANGE(16, uint16_t)
SOFT_DEFINE_EXCHANGE(32, uint32_t)
SOFT_DEFINE_EXCHANGE(64, uint64_t)

/* A condition code (0 O, 1 NO, 2 B … 15 G) of a flags image. Meant for a constant cc. */
static inline __attribute__((always_inline)) bool soft_condition(uint32_t f, unsigned cc)
{
	bool holds;
	switch (cc >> 1) {
	case 0: holds = f & SOFT_IMAGE_OF; break;
	case 1: holds = f & SOFT_IMAGE_CF; break;
	case 2: holds = f & SOFT_IMAGE_ZF; break;
	case 3: holds = f & (SOFT_IMAGE_CF | SOFT_IMAGE_ZF); break;
	case 4: holds = f & SOFT_IMAGE_SF; break;
	case 5: holds = f & SOFT_IMAGE_PF; break;
	case 6: holds = (f >> 15 ^ f) & 1; break;
	default: holds = ((f >> 15 ^ f) & 1) | (f & SOFT_IMAGE_ZF); break;
	}
	return holds != (cc & 1);
}

/* Inline assembly around one host instruction: flags image in AX in and out. */
#define SOFT_FLAGS_IN "addb $127, %%al\n\tsahf\n\t"
#define SOFT_FLAGS_OUT "\n\tlahf\n\tseto %%al"

/* X(bits, type, argument...) for each operand size. */
#define SOFT_SIZES(X, ...) \
	X(8, uint8_t, __VA_ARGS__) X(16, uint16_t, __VA_ARGS__) X(32, uint32_t, __VA_ARGS__) \
	X(64, uint64_t, __VA_ARGS__)
#define SOFT_WIDE_SIZES(X, ...) \
	X(16, uint16_t, __VA_ARGS__) X(32, uint32_t, __VA_ARGS__) X(64, uint64_t, __VA_ARGS__)

/* X(name, condition code) for each condition. */
#define SOFT_CONDITIONS(X) \
	X(o, 0) X(no, 1) X(b, 2) X(nb, 3) X(z, 4) X(nz, 5) X(be, 6) X(nbe, 7) X(s, 8) X(ns, 9) \
	X(p, 10) X(np, 11) X(l, 12) X(nl, 13) X(le, 14) X(nle, 15)

/* 0 to 3 for sizes 1, 2, 4, 8: how tables of handlers are indexed. */
static inline unsigned soft_size_index(unsigned size)
{
	return __builtin_ctz(size);
}

/* The stack, at its width: 64, 32 or 16 bits. */
static inline uint64_t soft_stack_mask(const struct soft_cpu *cpu)
{
	if (cpu->mode & SOFT_MODE_CODE64)
		return ~0ull;
	return cpu->mode & SOFT_MODE_STACK32 ? 0xffffffffull : 0xffffull;
}

static inline uint64_t soft_stack_linear(struct soft_cpu *cpu, uint64_t pointer, unsigned size,
	enum soft_access access)
{
	if (SOFT_LIKELY(cpu->mode & SOFT_MODE_CODE64))
		return pointer;
	pointer &= soft_stack_mask(cpu);
	if (cpu->mode & SOFT_MODE_FLAT && cpu->mode & SOFT_MODE_STACK32)
		return pointer;
	return soft_segment_linear(cpu, SOFT_SS, pointer, size, access);
}

/* Adds to the stack pointer, at the stack's width. */
static inline void soft_stack_move(struct soft_cpu *cpu, int64_t by)
{
	if (SOFT_LIKELY(cpu->mode & SOFT_MODE_CODE64)) {
		cpu->gpr[SOFT_RSP] += by;
		return;
	}
	uint64_t mask = soft_stack_mask(cpu);
	cpu->gpr[SOFT_RSP] = (cpu->gpr[SOFT_RSP] & ~mask) | ((cpu->gpr[SOFT_RSP] + by) & mask);
}

static inline void soft_push(struct soft_cpu *cpu, uint64_t value, unsigned size)
{
	uint64_t linear = soft_stack_linear(cpu, cpu->gpr[SOFT_RSP] - size, size, SOFT_WRITE);
	soft_store(cpu, linear, value, size);
	soft_stack_move(cpu, -(int64_t)size);
}

/* The top of the stack, not yet popped: commit with soft_stack_move(cpu, size). */
static inline uint64_t soft_top(struct soft_cpu *cpu, unsigned size)
{
	return soft_load(cpu, soft_stack_linear(cpu, cpu->gpr[SOFT_RSP], size, SOFT_READ), size);
}
