// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * MOV, MOVZX, MOVSX, MOVSXD, LEA, XCHG, XADD, CMPXCHG, CMPXCHG8B/16B, BSWAP, MOVBE, CMOVcc, SETcc,
 * XLAT, CBW to CQO.
 */
#include "engine/vmm/cpu/soft/ops.h"
#include "engine/vmm/cpu/soft/system.h"

#include <string.h>

#define DEFINE_MOV(bits, type, unused)                                                             \
	static SOFT_OP(mov_rr##bits)                                                               \
	{                                                                                          \
		soft_put##bits(cpu, insn->rm, soft_reg##bits(cpu, insn->reg));                     \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(mov_ri##bits)                                                               \
	{                                                                                          \
		soft_put##bits(cpu, insn->rm, insn->imm);                                          \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(mov_rm##bits)                                                               \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_READ);                    \
		soft_put##bits(cpu, insn->reg, soft_load##bits(cpu, linear));                      \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(mov_mr##bits)                                                               \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_WRITE);                   \
		soft_store##bits(cpu, linear, soft_reg##bits(cpu, insn->reg));                     \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(mov_mi##bits)                                                               \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_WRITE);                   \
		soft_store##bits(cpu, linear, insn->imm);                                          \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(xchg_rr##bits)                                                              \
	{                                                                                          \
		type a = soft_reg##bits(cpu, insn->rm), b = soft_reg##bits(cpu, insn->reg);        \
		soft_put##bits(cpu, insn->rm, b);                                                  \
		soft_put##bits(cpu, insn->reg, a);                                                 \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	/* Locked whether it says so or not. */                                                    \
	static SOFT_OP(xchg_mr##bits)                                                              \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_WRITE);                   \
		void *at = soft_rmw(cpu, linear, bits / 8, true);                                  \
		type value = soft_reg##bits(cpu, insn->reg);                                       \
		__asm__ volatile("xchg %0, %1"                                                     \
				 : "+r"(value), "+m"(SOFT_HOST##bits(at))                          \
				 :                                                                 \
				 : "memory");                                                      \
		soft_put##bits(cpu, insn->reg, value);                                             \
		soft_rmw_done(cpu);                                                                \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(xadd_rr##bits)                                                              \
	{                                                                                          \
		type a = soft_reg##bits(cpu, insn->rm), b = soft_reg##bits(cpu, insn->reg);        \
		uint16_t f;                                                                        \
		__asm__("xadd %2, %0" SOFT_FLAGS_OUT : "+r"(a), "=a"(f), "+r"(b) : : "cc");        \
		cpu->flags = f;                                                                    \
		soft_put##bits(cpu, insn->reg, b);                                                 \
		soft_put##bits(cpu, insn->rm, a);                                                  \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(xadd_mr##bits)                                                              \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_WRITE);                   \
		bool lock = insn->prefixes & SOFT_HAS_LOCK;                                        \
		void *at = soft_rmw(cpu, linear, bits / 8, lock);                                  \
		type value = soft_reg##bits(cpu, insn->reg);                                       \
		uint16_t f;                                                                        \
		if (lock)                                                                          \
			__asm__ volatile("lock xadd %2, %0" SOFT_FLAGS_OUT                         \
					 : "+m"(SOFT_HOST##bits(at)), "=a"(f), "+r"(value)         \
					 :                                                         \
					 : "cc", "memory");                                        \
		else                                                                               \
			__asm__ volatile("xadd %2, %0" SOFT_FLAGS_OUT                              \
					 : "+m"(SOFT_HOST##bits(at)), "=a"(f), "+r"(value)         \
					 :                                                         \
					 : "cc", "memory");                                        \
		cpu->flags = f;                                                                    \
		soft_put##bits(cpu, insn->reg, value);                                             \
		soft_rmw_done(cpu);                                                                \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	/* Where they differ a 32-bit destination is left alone, upper half and all. */            \
	static SOFT_OP(cmpxchg_rr##bits)                                                           \
	{                                                                                          \
		type expected = soft_reg##bits(cpu, 0), old = soft_reg##bits(cpu, insn->rm);       \
		type a = expected;                                                                 \
		uint16_t f;                                                                        \
		__asm__("cmp %2, %0" SOFT_FLAGS_OUT : "+r"(a), "=a"(f) : "r"(old) : "cc");         \
		cpu->flags = f;                                                                    \
		if (old == expected)                                                               \
			soft_put##bits(cpu, insn->rm, soft_reg##bits(cpu, insn->reg));             \
		else                                                                               \
			soft_put##bits(cpu, 0, old);                                               \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(cmpxchg_mr##bits)                                                           \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_WRITE);                   \
		bool lock = insn->prefixes & SOFT_HAS_LOCK;                                        \
		void *at = soft_rmw(cpu, linear, bits / 8, lock);                                  \
		type expected = soft_reg##bits(cpu, 0), old = expected;                            \
		type new = soft_reg##bits(cpu, insn->reg);                                         \
		uint16_t f;                                                                        \
		if (lock)                                                                          \
			__asm__ volatile("lock cmpxchg %2, %0"                                     \
					 : "+m"(SOFT_HOST##bits(at)), "+a"(old)                    \
					 : "r"(new)                                                \
					 : "cc", "memory");                                        \
		else                                                                               \
			__asm__ volatile("cmpxchg %2, %0"                                          \
					 : "+m"(SOFT_HOST##bits(at)), "+a"(old)                    \
					 : "r"(new)                                                \
					 : "cc", "memory");                                        \
		type a = expected;                                                                 \
		__asm__("cmp %2, %0" SOFT_FLAGS_OUT : "+r"(a), "=a"(f) : "r"(old) : "cc");         \
		cpu->flags = f;                                                                    \
		if (old != expected)                                                               \
			soft_put##bits(cpu, 0, old);                                               \
		soft_rmw_done(cpu);                                                                \
		SOFT_NEXT();                                                                       \
	}
SOFT_SIZES(DEFINE_MOV, unused)

/* The most frequent of all: 64-bit addresses without an index. */
#define DEFINE_BASED(bits) \
	static SOFT_OP(mov_rb##bits) \
	{ \
		cpu->current = insn; \
		uint64_t linear = cpu->gpr[insn->base] + insn->disp; \
		soft_put##bits(cpu, insn->reg, soft_load##bits(cpu, linear)); \
		SOFT_NEXT(); \
	} \
	static SOFT_OP(mov_br##bits) \
	{ \
		cpu->current = insn; \
		uint64_t linear = cpu->gpr[insn->base] + insn->disp; \
		soft_store##bits(cpu, linear, soft_reg##bits(cpu, insn->reg)); \
		SOFT_NEXT(); \
	}
DEFINE_BASED(32)
DEFINE_BASED(64)

/* Widening loads: from, its type, to, the value's cast. */
#define DEFINE_EXTEND(name, from, bits, cast)                                                      \
	static SOFT_OP(name##_r##from##_##bits)                                                    \
	{                                                                                          \
		soft_put##bits(cpu, insn->reg, (cast)soft_reg##from(cpu, insn->rm));               \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(name##_m##from##_##bits)                                                    \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, from / 8, SOFT_READ);                    \
		soft_put##bits(cpu, insn->reg, (cast)soft_load##from(cpu, linear));                \
		SOFT_NEXT();                                                                       \
	}
#define DEFINE_EXTENDS(bits, type, unused)                                                         \
	DEFINE_EXTEND(movzx, 8, bits, uint8_t)                                                     \
	DEFINE_EXTEND(movzx, 16, bits, uint16_t)                                                   \
	DEFINE_EXTEND(movsx, 8, bits, int8_t)                                                      \
	DEFINE_EXTEND(movsx, 16, bits, int16_t)                                                    \
	DEFINE_EXTEND(movsx, 32, bits, int32_t)
SOFT_WIDE_SIZES(DEFINE_EXTENDS, unused)

static SOFT_OP(lea16)
{
	soft_put16(cpu, insn->reg, soft_effective(cpu, insn));
	SOFT_NEXT();
}

static SOFT_OP(lea32)
{
	soft_put32(cpu, insn->reg, soft_effective(cpu, insn));
	SOFT_NEXT();
}

static SOFT_OP(lea64)
{
	cpu->gpr[insn->reg] = soft_effective(cpu, insn);
	SOFT_NEXT();
}

/* A 32-bit CMOV clears the upper half also where the condition does not hold. */
#define DEFINE_CMOV_SIZE(bits, cc_name, cc)                                                        \
	static SOFT_OP(cmov_r##bits##_##cc_name)                                                   \
	{                                                                                          \
		bool holds = soft_condition(cpu->flags, cc);                                       \
		soft_put##bits(cpu, insn->reg, soft_reg##bits(cpu, holds ? insn->rm : insn->reg)); \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(cmov_m##bits##_##cc_name)                                                   \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint##bits##_t value =                                                             \
			soft_load##bits(cpu, soft_operand(cpu, insn, bits / 8, SOFT_READ));        \
		bool holds = soft_condition(cpu->flags, cc);                                       \
		soft_put##bits(cpu, insn->reg, holds ? value : soft_reg##bits(cpu, insn->reg));    \
		SOFT_NEXT();                                                                       \
	}
#define DEFINE_CONDITIONAL(cc_name, cc)                                                            \
	DEFINE_CMOV_SIZE(16, cc_name, cc)                                                          \
	DEFINE_CMOV_SIZE(32, cc_name, cc)                                                          \
	DEFINE_CMOV_SIZE(64, cc_name, cc)                                                          \
	static SOFT_OP(set_r_##cc_name)                                                            \
	{                                                                                          \
		soft_put8(cpu, insn->rm, soft_condition(cpu->flags, cc));                          \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(set_m_##cc_name)                                                            \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, 1, SOFT_WRITE);                          \
		soft_store8(cpu, linear, soft_condition(cpu->flags, cc));                          \
		SOFT_NEXT();                                                                       \
	}
SOFT_CONDITIONS(DEFINE_CONDITIONAL)

static SOFT_OP(bswap32)
{
	cpu->gpr[insn->rm] = __builtin_bswap32(cpu->gpr[insn->rm]);
	SOFT_NEXT();
}

static SOFT_OP(bswap64)
{
	cpu->gpr[insn->rm] = __builtin_bswap64(cpu->gpr[insn->rm]);
	SOFT_NEXT();
}

/* Undefined; processors give 0. */
static SOFT_OP(bswap16)
{
	soft_put16(cpu, insn->rm, 0);
	SOFT_NEXT();
}

#define DEFINE_MOVBE(bits, type, unused)                                                           \
	static SOFT_OP(movbe_load##bits)                                                           \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_READ);                    \
		soft_put##bits(                                                                    \
			cpu, insn->reg, __builtin_bswap##bits(soft_load##bits(cpu, linear)));      \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(movbe_store##bits)                                                          \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_WRITE);                   \
		soft_store##bits(                                                                  \
			cpu, linear, __builtin_bswap##bits(soft_reg##bits(cpu, insn->reg)));       \
		SOFT_NEXT();                                                                       \
	}
SOFT_WIDE_SIZES(DEFINE_MOVBE, unused)

/* CBW CWDE CDQE, and CWD CDQ CQO. */
static SOFT_OP(widen_a)
{
	switch (insn->size) {
	case 2:
		soft_put16(cpu, SOFT_RAX, (int8_t)cpu->gpr[SOFT_RAX]);
		break;
	case 4:
		soft_put32(cpu, SOFT_RAX, (int16_t)cpu->gpr[SOFT_RAX]);
		break;
	default:
		cpu->gpr[SOFT_RAX] = (int32_t)cpu->gpr[SOFT_RAX];
		break;
	}
	SOFT_NEXT();
}

static SOFT_OP(widen_d)
{
	switch (insn->size) {
	case 2:
		soft_put16(cpu, SOFT_RDX, (int16_t)cpu->gpr[SOFT_RAX] >> 15);
		break;
	case 4:
		soft_put32(cpu, SOFT_RDX, (int32_t)cpu->gpr[SOFT_RAX] >> 31);
		break;
	default:
		cpu->gpr[SOFT_RDX] = (int64_t)cpu->gpr[SOFT_RAX] >> 63;
		break;
	}
	SOFT_NEXT();
}

static void op_xlat(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t offset = cpu->gpr[SOFT_RBX] + soft_reg8(cpu, 0);
	if (insn->asize < 8)
		offset = insn->asize == 4 ? (uint32_t)offset : (uint16_t)offset;
	uint64_t linear = soft_segment_linear(cpu, insn->seg, offset, 1, SOFT_READ);
	soft_put8(cpu, 0, soft_load8(cpu, linear));
}

static void op_cmpxchg8b(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t linear = soft_operand(cpu, insn, 8, SOFT_WRITE);
	uint64_t expected = (uint32_t)cpu->gpr[SOFT_RAX] | cpu->gpr[SOFT_RDX] << 32;
	uint64_t new = (uint32_t)cpu->gpr[SOFT_RBX] | cpu->gpr[SOFT_RCX] << 32;
	void *at = soft_rmw(cpu, linear, 8, true);
	uint64_t old = expected;
	__asm__ volatile("lock cmpxchg %2, %0"
			 : "+m"(SOFT_HOST64(at)), "+a"(old)
			 : "r"(new)
			 : "cc", "memory");
	cpu->flags = (cpu->flags & ~SOFT_IMAGE_ZF) | (old == expected ? SOFT_IMAGE_ZF : 0);
	if (old != expected) {
		cpu->gpr[SOFT_RAX] = (uint32_t)old;
		cpu->gpr[SOFT_RDX] = old >> 32;
	}
	soft_rmw_done(cpu);
}

static void op_cmpxchg16b(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint64_t linear = soft_operand(cpu, insn, 16, SOFT_WRITE);
	if (linear & 15)
		soft_raise_code(cpu, SOFT_GP, 0);
	uint64_t *at = soft_rmw(cpu, linear, 16, true);
	uint64_t low = cpu->gpr[SOFT_RAX], high = cpu->gpr[SOFT_RDX];
	bool equal;
	__asm__ volatile("lock cmpxchg16b %1"
			 : "=@ccz"(equal), "+m"(*(unsigned __int128 *)at), "+a"(low), "+d"(high)
			 : "b"(cpu->gpr[SOFT_RBX]), "c"(cpu->gpr[SOFT_RCX])
			 : "memory");
	cpu->flags = (cpu->flags & ~SOFT_IMAGE_ZF) | (equal ? SOFT_IMAGE_ZF : 0);
	cpu->gpr[SOFT_RAX] = low;
	cpu->gpr[SOFT_RDX] = high;
	soft_rmw_done(cpu);
}

/* Handlers by size, and which pick takes which. */

#define SIZES(stem)                                                                                \
	{                                                                                          \
		stem##8, stem##16, stem##32, stem##64                                              \
	}
#define WIDE(stem)                                                                                 \
	{                                                                                          \
		NULL, stem##16, stem##32, stem##64                                                 \
	}

enum {
	MOV_RR,
	MOV_RI,
	MOV_RM,
	MOV_MR,
	MOV_MI,
	XCHG_RR,
	XCHG_MR,
	XADD_RR,
	XADD_MR,
	CMPXCHG_RR,
	CMPXCHG_MR,
	LEA,
	MOVBE_LOAD,
	MOVBE_STORE,
	BSWAP,
	HANDLERS
};

static void (*const handlers[HANDLERS][4])(struct soft_cpu *, const struct soft_insn *) = {
	[MOV_RR] = SIZES(mov_rr),
	[MOV_RI] = SIZES(mov_ri),
	[MOV_RM] = SIZES(mov_rm),
	[MOV_MR] = SIZES(mov_mr),
	[MOV_MI] = SIZES(mov_mi),
	[XCHG_RR] = SIZES(xchg_rr),
	[XCHG_MR] = SIZES(xchg_mr),
	[XADD_RR] = SIZES(xadd_rr),
	[XADD_MR] = SIZES(xadd_mr),
	[CMPXCHG_RR] = SIZES(cmpxchg_rr),
	[CMPXCHG_MR] = SIZES(cmpxchg_mr),
	[LEA] = WIDE(lea),
	[MOVBE_LOAD] = WIDE(movbe_load),
	[MOVBE_STORE] = WIDE(movbe_store),
	[BSWAP] = WIDE(bswap),
};

/* In registers alone there is nothing that could go wrong. */
static bool pure(struct soft_insn *insn)
{
	if (!insn->memory) {
		insn->prefixes |= SOFT_IS_PURE;
		insn->fn = NULL;
	}
	return true;
}

static bool set_based(struct soft_insn *insn, unsigned handler)
{
	if (insn->size < 4 || insn->address != SOFT_ADDRESS_FLAT || insn->index != SOFT_ZERO)
		return false;
	if (handler == MOV_RM)
		insn->run = insn->size == 8 ? mov_rb64 : mov_rb32;
	else if (handler == MOV_MR)
		insn->run = insn->size == 8 ? mov_br64 : mov_br32;
	else
		return false;
	return true;
}

static bool set_handler(struct soft_insn *insn, unsigned handler)
{
	if (set_based(insn, handler))
		return true;
	insn->run = handlers[handler][soft_size_index(insn->size)];
	return pure(insn);
}

/* a: the handler for a register, b: the one for memory. */
static bool pick_by_memory(struct soft_insn *insn, const struct soft_decode *d)
{
	return set_handler(insn, insn->memory ? d->row->b : d->row->a);
}

static bool pick_mov_load(struct soft_insn *insn, const struct soft_decode *d)
{
	uint8_t destination = insn->reg;
	if (insn->memory)
		return set_handler(insn, MOV_RM);
	insn->reg = insn->rm;
	insn->rm = destination;
	return set_handler(insn, MOV_RR);
}

static bool pick_moffs(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->reg = SOFT_RAX;
	return set_handler(insn, d->row->a);
}

/* NOP (and PAUSE) is XCHG with itself, but leaves the upper half of RAX alone. */
static SOFT_OP(nop)
{
	SOFT_NEXT();
}

static bool pick_xchg_rax(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->reg = SOFT_RAX;
	if (insn->rm == SOFT_RAX && insn->prefixes & SOFT_HAS_REP) {
		insn->run = soft_op_call;
		insn->fn = soft_sys_pause;
		return true;
	}
	if (insn->rm == SOFT_RAX) {
		insn->run = nop;
		return true;
	}
	return set_handler(insn, XCHG_RR);
}

/* Bytes of registers are addressed by offset where they are in the opcode, too. */
static bool pick_mov_imm(struct soft_insn *insn, const struct soft_decode *d)
{
	return set_handler(insn, MOV_RI);
}

#define EXTEND_ROW(name, from)                                                                     \
	{                                                                                          \
		{name##_r##from##_16, name##_r##from##_32, name##_r##from##_64},                   \
		{                                                                                  \
			name##_m##from##_16, name##_m##from##_32, name##_m##from##_64              \
		}                                                                                  \
	}
enum { ZX8, ZX16, SX8, SX16, SX32 };
static void (*const extends[][2][3])(struct soft_cpu *, const struct soft_insn *) = {
	[ZX8] = EXTEND_ROW(movzx, 8),
	[ZX16] = EXTEND_ROW(movzx, 16),
	[SX8] = EXTEND_ROW(movsx, 8),
	[SX16] = EXTEND_ROW(movsx, 16),
	[SX32] = EXTEND_ROW(movsx, 32),
};

static bool pick_extend(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = extends[d->row->a][insn->memory][soft_size_index(insn->size) - 1];
	return pure(insn);
}

/* MOVSXD without REX.W is MOV; with 16 bits it moves a word. */
static bool pick_movsxd(struct soft_insn *insn, const struct soft_decode *d)
{
	return insn->size == 8 ? pick_extend(insn, d) : pick_mov_load(insn, d);
}

#define CMOV(name, cc)                                                                             \
	{{cmov_r16_##name, cmov_m16_##name}, {cmov_r32_##name, cmov_m32_##name},                   \
		{cmov_r64_##name, cmov_m64_##name}},
#define SET(name, cc) {set_r_##name, set_m_##name},
static void (*const cmovs[16][3][2])(struct soft_cpu *, const struct soft_insn *) = {
	SOFT_CONDITIONS(CMOV)};
static void (*const sets[16][2])(struct soft_cpu *, const struct soft_insn *) = {
	SOFT_CONDITIONS(SET)};

static bool pick_cmov(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = cmovs[d->opcode & 15][soft_size_index(insn->size) - 1][insn->memory];
	return pure(insn);
}

static bool pick_setcc(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = sets[d->opcode & 15][insn->memory];
	return pure(insn);
}

static bool pick_widen(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = d->row->a ? widen_d : widen_a;
	return pure(insn);
}

/* LEA's sum has no segment's base in it. */
static bool pick_lea(struct soft_insn *insn, const struct soft_decode *d)
{
	if (insn->index == SOFT_FS_BASE || insn->index == SOFT_GS_BASE)
		insn->index = SOFT_ZERO;
	set_handler(insn, LEA);
	insn->prefixes |= SOFT_IS_PURE;
	insn->fn = NULL;
	return true;
}

/* clang-format off */
#define W_RM_R_REG (SOFT_WRITES_RM | SOFT_READS_REG)
#define W_REG_R_RM (SOFT_WRITES_REG | SOFT_READS_RM)
#define RW_RM_R_REG (SOFT_WRITES_RM | SOFT_READS_RM | SOFT_READS_REG)
#define RW_BOTH (SOFT_WRITES_RM | SOFT_READS_RM | SOFT_WRITES_REG | SOFT_READS_REG)

#define PAIR(op, text, m, g, f, ...) \
	{ .name = text, .map = m, .opcode = op, .modrm = SOFT_M_ANY, .size = SOFT_S_8, .group = g, \
		.flags = f, __VA_ARGS__ }, \
	{ .name = text, .map = m, .opcode = op + 1, .modrm = SOFT_M_ANY, .size = SOFT_S_V, \
		.group = g, \
		.flags = f, __VA_ARGS__ }

#define EXTEND(op, text, number, f) \
	{ .name = text, .map = SOFT_MAP_0F, .opcode = op, .modrm = SOFT_M_ANY, .size = SOFT_S_V, \
		.group = SOFT_G_EXTEND, .flags = W_REG_R_RM | f, .pick = pick_extend, .a = number }

const struct soft_opcode soft_move_table[] = {
	PAIR(0x88, "mov", SOFT_MAP_1, SOFT_G_MOV, W_RM_R_REG, .pick = pick_by_memory, .a = MOV_RR,
		.b = MOV_MR),
	PAIR(0x8a, "mov", SOFT_MAP_1, SOFT_G_MOV, W_REG_R_RM, .pick = pick_mov_load),
	{ .name = "mov", .opcode = 0xa0, .size = SOFT_S_8, .imm = SOFT_I_MOFFS,
		.group = SOFT_G_MOV, .flags = SOFT_NO_TEST, .pick = pick_moffs, .a = MOV_RM },
	{ .name = "mov", .opcode = 0xa1, .size = SOFT_S_V, .imm = SOFT_I_MOFFS,
		.group = SOFT_G_MOV, .flags = SOFT_NO_TEST, .pick = pick_moffs, .a = MOV_RM },
	{ .name = "mov", .opcode = 0xa2, .size = SOFT_S_8, .imm = SOFT_I_MOFFS,
		.group = SOFT_G_MOV, .flags = SOFT_NO_TEST, .pick = pick_moffs, .a = MOV_MR },
	{ .name = "mov", .opcode = 0xa3, .size = SOFT_S_V, .imm = SOFT_I_MOFFS,
		.group = SOFT_G_MOV, .flags = SOFT_NO_TEST, .pick = pick_moffs, .a = MOV_MR },
	{ .name = "mov", .opcode = 0xb0, .size = SOFT_S_8, .imm = SOFT_I_8, .group = SOFT_G_MOV,
		.flags = SOFT_REG_IN_OPCODE | SOFT_WRITES_RM, .pick = pick_mov_imm },
	{ .name = "mov", .opcode = 0xb8, .size = SOFT_S_V, .imm = SOFT_I_V, .group = SOFT_G_MOV,
		.flags = SOFT_REG_IN_OPCODE | SOFT_WRITES_RM, .pick = pick_mov_imm },
	{ .name = "mov", .opcode = 0xc6, .modrm = SOFT_M_ANY, .digit = 1, .size = SOFT_S_8,
		.imm = SOFT_I_8, .group = SOFT_G_MOV, .flags = SOFT_WRITES_RM,
		.pick = pick_by_memory, .a = MOV_RI, .b = MOV_MI },
	{ .name = "mov", .opcode = 0xc7, .modrm = SOFT_M_ANY, .digit = 1, .size = SOFT_S_V,
		.imm = SOFT_I_Z, .group = SOFT_G_MOV, .flags = SOFT_WRITES_RM,
		.pick = pick_by_memory, .a = MOV_RI, .b = MOV_MI },
	EXTEND(0xb6, "movzx", ZX8, SOFT_MODRM_SIZE8_RM),
	EXTEND(0xb7, "movzx", ZX16, SOFT_MODRM_SIZE16_RM),
	EXTEND(0xbe, "movsx", SX8, SOFT_MODRM_SIZE8_RM),
	EXTEND(0xbf, "movsx", SX16, SOFT_MODRM_SIZE16_RM),
	{ .name = "movsxd", .opcode = 0x63, .modrm = SOFT_M_ANY, .size = SOFT_S_V,
		.group = SOFT_G_EXTEND, .flags = W_REG_R_RM | SOFT_ONLY64 | SOFT_MODRM_SIZE32_RM,
		.pick = pick_movsxd, .a = SX32 },
	{ .name = "lea", .opcode = 0x8d, .modrm = SOFT_M_MEM, .size = SOFT_S_V,
		.group = SOFT_G_LEA, .flags = SOFT_WRITES_REG, .pick = pick_lea },
	PAIR(0x86, "xchg", SOFT_MAP_1, SOFT_G_XCHG, RW_BOTH | SOFT_LOCK, .pick = pick_by_memory,
		.a = XCHG_RR, .b = XCHG_MR),
	{ .name = "xchg", .opcode = 0x90, .size = SOFT_S_V, .group = SOFT_G_XCHG,
		.flags = SOFT_REG_IN_OPCODE | SOFT_WRITES_RM | SOFT_READS_RM,
		.pick = pick_xchg_rax },
	PAIR(0xb0, "cmpxchg", SOFT_MAP_0F, SOFT_G_CMPXCHG, RW_RM_R_REG | SOFT_LOCK,
		.pick = pick_by_memory, .a = CMPXCHG_RR, .b = CMPXCHG_MR,
		.writes = SOFT_ARITHMETIC),
	PAIR(0xc0, "xadd", SOFT_MAP_0F, SOFT_G_XCHG, RW_BOTH | SOFT_LOCK, .pick = pick_by_memory,
		.a = XADD_RR, .b = XADD_MR, .writes = SOFT_ARITHMETIC),
	{ .name = "cmpxchg8b", .map = SOFT_MAP_0F, .opcode = 0xc7, .modrm = SOFT_M_MEM,
		.digit = 2, .size = SOFT_S_32, .group = SOFT_G_CMPXCHG, .writes = SOFT_ZF,
		.flags = SOFT_LOCK | SOFT_READS_RM | SOFT_WRITES_RM | SOFT_NO_REX_W,
		.fn = op_cmpxchg8b },
	{ .name = "cmpxchg16b", .map = SOFT_MAP_0F, .opcode = 0xc7, .modrm = SOFT_M_MEM,
		.digit = 2, .size = SOFT_S_64, .group = SOFT_G_CMPXCHG, .writes = SOFT_ZF,
		.flags = SOFT_LOCK | SOFT_READS_RM | SOFT_WRITES_RM | SOFT_REX_W_ONLY,
		.fn = op_cmpxchg16b },
	{ .name = "bswap", .map = SOFT_MAP_0F, .opcode = 0xc8, .size = SOFT_S_V,
		.group = SOFT_G_MOV, .flags = SOFT_REG_IN_OPCODE | SOFT_WRITES_RM | SOFT_READS_RM,
		.pick = pick_by_memory, .a = BSWAP },
	{ .name = "movbe", .map = SOFT_MAP_38, .opcode = 0xf0, .prefix = SOFT_P_NONE,
		.modrm = SOFT_M_MEM, .size = SOFT_S_V, .group = SOFT_G_MOV, .flags = W_REG_R_RM,
		.pick = pick_by_memory, .b = MOVBE_LOAD },
	{ .name = "movbe", .map = SOFT_MAP_38, .opcode = 0xf0, .prefix = SOFT_P_66,
		.modrm = SOFT_M_MEM, .size = SOFT_S_16, .group = SOFT_G_MOV,
		.flags = W_REG_R_RM | SOFT_NO_REX_W, .pick = pick_by_memory, .b = MOVBE_LOAD },
	{ .name = "movbe", .map = SOFT_MAP_38, .opcode = 0xf0, .prefix = SOFT_P_66,
		.modrm = SOFT_M_MEM, .size = SOFT_S_64, .group = SOFT_G_MOV,
		.flags = W_REG_R_RM | SOFT_REX_W_ONLY, .pick = pick_by_memory, .b = MOVBE_LOAD },
	{ .name = "movbe", .map = SOFT_MAP_38, .opcode = 0xf1, .prefix = SOFT_P_NONE,
		.modrm = SOFT_M_MEM, .size = SOFT_S_V, .group = SOFT_G_MOV, .flags = W_RM_R_REG,
		.pick = pick_by_memory, .b = MOVBE_STORE },
	{ .name = "movbe", .map = SOFT_MAP_38, .opcode = 0xf1, .prefix = SOFT_P_66,
		.modrm = SOFT_M_MEM, .size = SOFT_S_16, .group = SOFT_G_MOV,
		.flags = W_RM_R_REG | SOFT_NO_REX_W, .pick = pick_by_memory, .b = MOVBE_STORE },
	{ .name = "movbe", .map = SOFT_MAP_38, .opcode = 0xf1, .prefix = SOFT_P_66,
		.modrm = SOFT_M_MEM, .size = SOFT_S_64, .group = SOFT_G_MOV,
		.flags = W_RM_R_REG | SOFT_REX_W_ONLY, .pick = pick_by_memory, .b = MOVBE_STORE },
	{ .name = "cmov", .map = SOFT_MAP_0F, .opcode = 0x40, .modrm = SOFT_M_ANY,
		.size = SOFT_S_V, .group = SOFT_G_CMOV, .reads = SOFT_ARITHMETIC,
		.flags = SOFT_CC_IN_OPCODE | W_REG_R_RM | SOFT_READS_REG, .pick = pick_cmov },
	{ .name = "set", .map = SOFT_MAP_0F, .opcode = 0x90, .modrm = SOFT_M_ANY,
		.size = SOFT_S_8, .group = SOFT_G_SETCC, .reads = SOFT_ARITHMETIC,
		.flags = SOFT_CC_IN_OPCODE | SOFT_WRITES_RM, .pick = pick_setcc },
	{ .name = "xlat", .opcode = 0xd7, .size = SOFT_S_8, .group = SOFT_G_MOV,
		.flags = SOFT_NO_TEST, .fn = op_xlat },
	{ .name = "cwde", .opcode = 0x98, .size = SOFT_S_V, .group = SOFT_G_EXTEND,
		.pick = pick_widen },
	{ .name = "cdq", .opcode = 0x99, .size = SOFT_S_V, .group = SOFT_G_EXTEND,
		.pick = pick_widen, .a = 1 },
	{ 0 },
};
/* clang-format on */
