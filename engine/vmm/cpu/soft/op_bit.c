// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * BT BTS BTR BTC, BSF BSR, POPCNT, CRC32.
 */
#include "engine/vmm/cpu/soft/ops.h"

#define DEFINE_BIT(bits, type, name, mnemonic)                                                     \
	static inline __attribute__((always_inline))                                               \
	type name##bits(struct soft_cpu *cpu, type a, type bit)                                    \
	{                                                                                          \
		uint16_t f = cpu->flags;                                                           \
		__asm__(SOFT_FLAGS_IN mnemonic " %2, %0" SOFT_FLAGS_OUT                            \
			: "+r"(a), "+a"(f)                                                         \
			: "r"(bit)                                                                 \
			: "cc");                                                                   \
		cpu->flags = f;                                                                    \
		return a;                                                                          \
	}                                                                                          \
	static SOFT_OP(name##_r##bits)                                                             \
	{                                                                                          \
		type bit =                                                                         \
			insn->reg == SOFT_ZERO ? (type)insn->imm : soft_reg##bits(cpu, insn->reg); \
		soft_put##bits(                                                                    \
			cpu, insn->rm, name##bits(cpu, soft_reg##bits(cpu, insn->rm), bit));       \
		SOFT_NEXT();                                                                       \
	}

SOFT_WIDE_SIZES(DEFINE_BIT, bts, "bts")
SOFT_WIDE_SIZES(DEFINE_BIT, btr, "btr")
SOFT_WIDE_SIZES(DEFINE_BIT, btc, "btc")

/* BT changes nothing. */
#define DEFINE_BT(bits, type, unused)                                                              \
	static inline __attribute__((always_inline))                                               \
	type bt##bits(struct soft_cpu *cpu, type a, type bit)                                      \
	{                                                                                          \
		uint16_t f = cpu->flags;                                                           \
		__asm__(SOFT_FLAGS_IN "bt %2, %1" SOFT_FLAGS_OUT                                   \
			: "+a"(f)                                                                  \
			: "r"(a), "r"(bit)                                                         \
			: "cc");                                                                   \
		cpu->flags = f;                                                                    \
		return a;                                                                          \
	}                                                                                          \
	static SOFT_OP(bt_r##bits)                                                                 \
	{                                                                                          \
		type bit =                                                                         \
			insn->reg == SOFT_ZERO ? (type)insn->imm : soft_reg##bits(cpu, insn->reg); \
		bt##bits(cpu, soft_reg##bits(cpu, insn->rm), bit);                                 \
		SOFT_NEXT();                                                                       \
	}
SOFT_WIDE_SIZES(DEFINE_BT, unused)

/* In memory a register's bit number reaches beyond the operand, either way. */
static uint64_t bit_linear(
	struct soft_cpu *cpu, const struct soft_insn *insn, int64_t bit, enum soft_access access)
{
	int64_t beyond = insn->reg == SOFT_ZERO
				 ? 0
				 : (bit >> (3 + soft_size_index(insn->size))) * insn->size;
	if (insn->address == SOFT_ADDRESS_FLAT)
		return soft_operand(cpu, insn, insn->size, access) + beyond;
	uint64_t offset = soft_effective(cpu, insn) + beyond;
	if (insn->asize < 8)
		offset = insn->asize == 4 ? (uint32_t)offset : (uint16_t)offset;
	return soft_segment_linear(cpu, insn->seg, offset, insn->size, access);
}

#define DEFINE_BIT_MEMORY(bits, type, name)                                                        \
	static SOFT_OP(name##_m##bits)                                                             \
	{                                                                                          \
		cpu->current = insn;                                                               \
		int##bits##_t bit =                                                                \
			insn->reg == SOFT_ZERO ? (type)insn->imm : soft_reg##bits(cpu, insn->reg); \
		void *at = soft_rmw(cpu, bit_linear(cpu, insn, bit, SOFT_WRITE), bits / 8,         \
			insn->prefixes & SOFT_HAS_LOCK);                                           \
		bit &= bits - 1;                                                                   \
		if (insn->prefixes & SOFT_HAS_LOCK) {                                              \
			type old, new;                                                             \
			uint16_t before = cpu->flags;                                              \
			do {                                                                       \
				cpu->flags = before;                                               \
				old = SOFT_HOST##bits(at);                                         \
				new = name##bits(cpu, old, bit);                                   \
			} while (!soft_exchange_if##bits(at, old, new));                           \
		} else {                                                                           \
			SOFT_HOST##bits(at) = name##bits(cpu, SOFT_HOST##bits(at), bit);           \
		}                                                                                  \
		soft_rmw_done(cpu);                                                                \
		SOFT_NEXT();                                                                       \
	}
SOFT_WIDE_SIZES(DEFINE_BIT_MEMORY, bts)
SOFT_WIDE_SIZES(DEFINE_BIT_MEMORY, btr)
SOFT_WIDE_SIZES(DEFINE_BIT_MEMORY, btc)

#define DEFINE_BT_MEMORY(bits, type, unused)                                                       \
	static SOFT_OP(bt_m##bits)                                                                 \
	{                                                                                          \
		cpu->current = insn;                                                               \
		int##bits##_t bit =                                                                \
			insn->reg == SOFT_ZERO ? (type)insn->imm : soft_reg##bits(cpu, insn->reg); \
		bt##bits(cpu, soft_load##bits(cpu, bit_linear(cpu, insn, bit, SOFT_READ)),         \
			bit &(bits - 1));                                                          \
		SOFT_NEXT();                                                                       \
	}
SOFT_WIDE_SIZES(DEFINE_BT_MEMORY, unused)

/* BSF and BSR leave the destination alone when the source is 0; the host shows how much of it. */
#define DEFINE_SCAN(bits, type, name, mnemonic, modifier)                                          \
	static inline __attribute__((always_inline)) void name##bits(                              \
		struct soft_cpu *cpu, unsigned reg, type source)                                   \
	{                                                                                          \
		uint64_t to = cpu->gpr[reg];                                                       \
		uint16_t f = cpu->flags;                                                           \
		__asm__(SOFT_FLAGS_IN mnemonic " %2, %" modifier "0" SOFT_FLAGS_OUT                \
			: "+r"(to), "+a"(f)                                                        \
			: "r"(source)                                                              \
			: "cc");                                                                   \
		cpu->flags = f;                                                                    \
		cpu->gpr[reg] = to;                                                                \
	}                                                                                          \
	static SOFT_OP(name##_r##bits)                                                             \
	{                                                                                          \
		name##bits(cpu, insn->reg, soft_reg##bits(cpu, insn->rm));                         \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(name##_m##bits)                                                             \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_READ);                    \
		name##bits(cpu, insn->reg, soft_load##bits(cpu, linear));                          \
		SOFT_NEXT();                                                                       \
	}
#define DEFINE_SCANS(name)                                                                         \
	DEFINE_SCAN(16, uint16_t, name, #name, "w")                                                \
	DEFINE_SCAN(32, uint32_t, name, #name, "k")                                                \
	DEFINE_SCAN(64, uint64_t, name, #name, "q")
DEFINE_SCANS(bsf)
DEFINE_SCANS(bsr)

static uint64_t operand(struct soft_cpu *cpu, const struct soft_insn *insn, unsigned size)
{
	if (!insn->memory)
		return soft_reg(cpu, size, insn->rm);
	return soft_load(cpu, soft_operand(cpu, insn, size, SOFT_READ), size);
}

static SOFT_OP(op_popcnt)
{
	cpu->current = insn;
	uint64_t source = operand(cpu, insn, insn->size);
	soft_put(cpu, insn->size, insn->reg, __builtin_popcountll(source));
	cpu->flags = source ? 0 : SOFT_IMAGE_ZF;
	SOFT_NEXT();
}

static void op_crc32(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	unsigned size = soft_opcode_at(insn->row)->a      ? 1
			: insn->prefixes & SOFT_HAS_REX_W ? 8
			: insn->prefixes & SOFT_HAS_66    ? 2
							  : 4;
	uint64_t source = operand(cpu, insn, size), crc = (uint32_t)cpu->gpr[insn->reg];
	switch (size) {
	case 1:
		__asm__("crc32b %b1, %q0" : "+r"(crc) : "r"(source));
		break;
	case 2:
		__asm__("crc32w %w1, %k0" : "+r"(crc) : "r"(source));
		break;
	case 4:
		__asm__("crc32l %k1, %k0" : "+r"(crc) : "r"(source));
		break;
	default:
		__asm__("crc32q %q1, %q0" : "+r"(crc) : "r"(source));
		break;
	}
	cpu->gpr[insn->reg] = crc;
}

#define WIDE(s)                                                                                    \
	{                                                                                          \
		s##16, s##32, s##64                                                                \
	}
enum { BT, BTS, BTR, BTC, BSF, BSR };
static void (*const handlers[][2][3])(struct soft_cpu *, const struct soft_insn *) = {
	[BT] = {WIDE(bt_r), WIDE(bt_m)},
	[BTS] = {WIDE(bts_r), WIDE(bts_m)},
	[BTR] = {WIDE(btr_r), WIDE(btr_m)},
	[BTC] = {WIDE(btc_r), WIDE(btc_m)},
	[BSF] = {WIDE(bsf_r), WIDE(bsf_m)},
	[BSR] = {WIDE(bsr_r), WIDE(bsr_m)},
};

static bool pick(struct soft_insn *insn, const struct soft_decode *d)
{
	/* An immediate bit number is taken modulo the operand's size. */
	if (d->row->imm == SOFT_I_8) {
		insn->reg = SOFT_ZERO;
		insn->imm &= insn->size * 8 - 1;
	}
	insn->run = handlers[d->row->a][insn->memory][soft_size_index(insn->size) - 1];
	return true;
}

static bool pick_popcnt(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = op_popcnt;
	return true;
}

static bool pick_crc32(struct soft_insn *insn, const struct soft_decode *d)
{
	return __builtin_cpu_supports("sse4.2");
}

/* clang-format off */
#define UNTOUCHED (SOFT_OF | SOFT_SF | SOFT_AF | SOFT_PF)
#define BIT_ROWS(op, n, number, text, f) \
	{ .name = text, .map = SOFT_MAP_0F, .opcode = op, .modrm = SOFT_M_ANY, .size = SOFT_S_V, \
		.group = SOFT_G_BIT, .writes = SOFT_CF | UNTOUCHED, .undefined = UNTOUCHED, \
		.flags = SOFT_READS_RM | SOFT_READS_REG | f, .pick = pick, .a = number }, \
	{ .name = text, .map = SOFT_MAP_0F, .opcode = 0xba, .modrm = SOFT_M_ANY, .digit = n + 1, \
		.size = SOFT_S_V, .imm = SOFT_I_8, .group = SOFT_G_BIT, \
		.writes = SOFT_CF | UNTOUCHED, \
		.undefined = UNTOUCHED, .flags = SOFT_READS_RM | f, .pick = pick, .a = number }
#define SCAN(op, number, text) \
	{ .name = text, .map = SOFT_MAP_0F, .opcode = op, .modrm = SOFT_M_ANY, .size = SOFT_S_V, \
		.group = SOFT_G_SCAN, .writes = SOFT_ARITHMETIC, \
		.undefined = SOFT_ARITHMETIC & ~SOFT_ZF, \
		.flags = SOFT_READS_RM | SOFT_WRITES_REG, .pick = pick, .a = number }
#define WRITES (SOFT_WRITES_RM | SOFT_LOCK)

const struct soft_opcode soft_bit_table[] = {
	BIT_ROWS(0xa3, 4, BT, "bt", 0),
	BIT_ROWS(0xab, 5, BTS, "bts", WRITES),
	BIT_ROWS(0xb3, 6, BTR, "btr", WRITES),
	BIT_ROWS(0xbb, 7, BTC, "btc", WRITES),
	SCAN(0xbc, BSF, "bsf"),
	SCAN(0xbd, BSR, "bsr"),
	{ .name = "popcnt", .map = SOFT_MAP_0F, .opcode = 0xb8, .prefix = SOFT_P_F3,
		.modrm = SOFT_M_ANY, .size = SOFT_S_V, .group = SOFT_G_SCAN,
		.writes = SOFT_ARITHMETIC, .flags = SOFT_READS_RM | SOFT_WRITES_REG,
		.pick = pick_popcnt },
	{ .name = "crc32", .map = SOFT_MAP_38, .opcode = 0xf0, .prefix = SOFT_P_F2,
		.modrm = SOFT_M_ANY, .size = SOFT_S_D, .group = SOFT_G_CRC,
		.flags = SOFT_READS_RM | SOFT_READS_REG | SOFT_WRITES_REG | SOFT_MODRM_SIZE8_RM,
		.fn = op_crc32, .pick = pick_crc32, .a = 1 },
	{ .name = "crc32", .map = SOFT_MAP_38, .opcode = 0xf1, .prefix = SOFT_P_F2,
		.modrm = SOFT_M_ANY, .size = SOFT_S_D, .group = SOFT_G_CRC,
		.flags = SOFT_READS_RM | SOFT_READS_REG | SOFT_WRITES_REG, .fn = op_crc32,
		.pick = pick_crc32 },
	{ 0 },
};
/* clang-format on */
