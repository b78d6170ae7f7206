// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ROL ROR RCL RCR SHL SHR SAR, SHLD SHRD: by the host's own, so that the flags of any count are
 * its.
 */
#include "engine/vmm/cpu/soft/ops.h"

#define DEFINE_SHIFT(bits, type, name, mnemonic)                                                   \
	static inline __attribute__((always_inline))                                               \
	type name##bits(struct soft_cpu *cpu, type a, uint8_t count)                               \
	{                                                                                          \
		uint16_t f = cpu->flags;                                                           \
		__asm__(SOFT_FLAGS_IN mnemonic " %%cl, %0" SOFT_FLAGS_OUT                          \
			: "+r"(a), "+a"(f)                                                         \
			: "c"(count)                                                               \
			: "cc");                                                                   \
		cpu->flags = f;                                                                    \
		return a;                                                                          \
	}                                                                                          \
	DEFINE_FORMS(bits, type, name, i, insn->imm)                                               \
	DEFINE_FORMS(bits, type, name, c, cpu->gpr[SOFT_RCX])

/* In a register and in memory, by an immediate count and by CL. */
#define DEFINE_FORMS(bits, type, name, by, count)                                                  \
	static SOFT_OP(name##_r##by##bits)                                                         \
	{                                                                                          \
		soft_put##bits(                                                                    \
			cpu, insn->rm, name##bits(cpu, soft_reg##bits(cpu, insn->rm), count));     \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(name##_m##by##bits)                                                         \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_WRITE);                   \
		void *at = soft_rmw(cpu, linear, bits / 8, false);                                 \
		SOFT_HOST##bits(at) = name##bits(cpu, SOFT_HOST##bits(at), count);                 \
		soft_rmw_done(cpu);                                                                \
		SOFT_NEXT();                                                                       \
	}

SOFT_SIZES(DEFINE_SHIFT, rol, "rol")
SOFT_SIZES(DEFINE_SHIFT, ror, "ror")
SOFT_SIZES(DEFINE_SHIFT, rcl, "rcl")
SOFT_SIZES(DEFINE_SHIFT, rcr, "rcr")
SOFT_SIZES(DEFINE_SHIFT, shl, "shl")
SOFT_SIZES(DEFINE_SHIFT, shr, "shr")
SOFT_SIZES(DEFINE_SHIFT, sar, "sar")

/* Registers by a count that is known not to be 0. The plain shifts then write all flags (which
 * saves waiting for the old ones); the quiet ones are for where nobody looks at them. */
#define DEFINE_KNOWN(bits, type, name)                                                             \
	static SOFT_OP(name##_rk##bits)                                                            \
	{                                                                                          \
		type a = soft_reg##bits(cpu, insn->rm);                                            \
		uint32_t f;                                                                        \
		__asm__("xor %1, %1\n\t" #name " %%cl, %0" SOFT_FLAGS_OUT                          \
			: "+r"(a), "=&a"(f)                                                        \
			: "c"((uint8_t)insn->imm)                                                  \
			: "cc");                                                                   \
		cpu->flags = f;                                                                    \
		soft_put##bits(cpu, insn->rm, a);                                                  \
		SOFT_NEXT();                                                                       \
	}
#define DEFINE_QUIET(bits, type, name, expression)                                                 \
	static SOFT_OP(name##_r_quiet##bits)                                                       \
	{                                                                                          \
		type a = soft_reg##bits(cpu, insn->rm);                                            \
		unsigned count = insn->imm & (bits - 1);                                           \
		soft_put##bits(cpu, insn->rm, expression);                                         \
		SOFT_NEXT();                                                                       \
	}
#define DEFINE_BOTH(name, expression)                                                              \
	DEFINE_QUIET(32, uint32_t, name, expression)                                               \
	DEFINE_QUIET(64, uint64_t, name, expression)
#define WIDTH(a) (8 * sizeof(a))
DEFINE_BOTH(shl, a << count)
DEFINE_BOTH(shr, a >> count)
DEFINE_BOTH(rol, a << count | a >> (WIDTH(a) - count) % WIDTH(a))
DEFINE_BOTH(ror, a >> count | a << (WIDTH(a) - count) % WIDTH(a))
DEFINE_QUIET(32, uint32_t, sar, (int32_t)a >> count)
DEFINE_QUIET(64, uint64_t, sar, (int64_t)a >> count)
DEFINE_KNOWN(32, uint32_t, shl)
DEFINE_KNOWN(64, uint64_t, shl)
DEFINE_KNOWN(32, uint32_t, shr)
DEFINE_KNOWN(64, uint64_t, shr)
DEFINE_KNOWN(32, uint32_t, sar)
DEFINE_KNOWN(64, uint64_t, sar)

#define DEFINE_DOUBLE(bits, type, name, mnemonic)                                                  \
	static inline __attribute__((always_inline))                                               \
	type name##bits(struct soft_cpu *cpu, type a, type b, uint8_t count)                       \
	{                                                                                          \
		uint16_t f = cpu->flags;                                                           \
		__asm__(SOFT_FLAGS_IN mnemonic " %%cl, %3, %0" SOFT_FLAGS_OUT                      \
			: "+r"(a), "+a"(f)                                                         \
			: "c"(count), "r"(b)                                                       \
			: "cc");                                                                   \
		cpu->flags = f;                                                                    \
		return a;                                                                          \
	}                                                                                          \
	DEFINE_DOUBLE_FORMS(bits, type, name, i, insn->imm)                                        \
	DEFINE_DOUBLE_FORMS(bits, type, name, c, cpu->gpr[SOFT_RCX])

#define DEFINE_DOUBLE_FORMS(bits, type, name, by, count)                                           \
	static SOFT_OP(name##_r##by##bits)                                                         \
	{                                                                                          \
		type a = soft_reg##bits(cpu, insn->rm), b = soft_reg##bits(cpu, insn->reg);        \
		soft_put##bits(cpu, insn->rm, name##bits(cpu, a, b, count));                       \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(name##_m##by##bits)                                                         \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_WRITE);                   \
		void *at = soft_rmw(cpu, linear, bits / 8, false);                                 \
		type b = soft_reg##bits(cpu, insn->reg);                                           \
		SOFT_HOST##bits(at) = name##bits(cpu, SOFT_HOST##bits(at), b, count);              \
		soft_rmw_done(cpu);                                                                \
		SOFT_NEXT();                                                                       \
	}

SOFT_WIDE_SIZES(DEFINE_DOUBLE, shld, "shld")
SOFT_WIDE_SIZES(DEFINE_DOUBLE, shrd, "shrd")

#define SIZES(s)                                                                                   \
	{                                                                                          \
		s##8, s##16, s##32, s##64                                                          \
	}
#define WIDE(s)                                                                                    \
	{                                                                                          \
		NULL, s##16, s##32, s##64                                                          \
	}
#define SHIFT(name)                                                                                \
	{                                                                                          \
		{SIZES(name##_ri), SIZES(name##_rc)},                                              \
		{                                                                                  \
			SIZES(name##_mi), SIZES(name##_mc)                                         \
		}                                                                                  \
	}
#define DOUBLE(name)                                                                               \
	{                                                                                          \
		{WIDE(name##_ri), WIDE(name##_rc)},                                                \
		{                                                                                  \
			WIDE(name##_mi), WIDE(name##_mc)                                           \
		}                                                                                  \
	}

/* By digit of the group (6 is SHL too), then SHLD and SHRD; memory; CL; size. */
enum { ROL, ROR, RCL, RCR, SHL, SHR, SHL_TOO, SAR, SHLD, SHRD, SHIFTS };
static void (*const handlers[SHIFTS][2][2][4])(struct soft_cpu *, const struct soft_insn *) = {
	[ROL] = SHIFT(rol),
	[ROR] = SHIFT(ror),
	[RCL] = SHIFT(rcl),
	[RCR] = SHIFT(rcr),
	[SHL] = SHIFT(shl),
	[SHR] = SHIFT(shr),
	[SHL_TOO] = SHIFT(shl),
	[SAR] = SHIFT(sar),
	[SHLD] = DOUBLE(shld),
	[SHRD] = DOUBLE(shrd),
};

/* Row field b; SOFT_BY_CL is told to fuse.c, too. */
enum { BY_IMMEDIATE, BY_CL = SOFT_BY_CL, BY_ONE };

static void (*const known[SHIFTS][2])(struct soft_cpu *, const struct soft_insn *) = {
	[SHL] = {shl_rk32, shl_rk64},
	[SHR] = {shr_rk32, shr_rk64},
	[SHL_TOO] = {shl_rk32, shl_rk64},
	[SAR] = {sar_rk32, sar_rk64},
};
static void (*const quiet[SHIFTS][2])(struct soft_cpu *, const struct soft_insn *) = {
	[ROL] = {rol_r_quiet32, rol_r_quiet64},
	[ROR] = {ror_r_quiet32, ror_r_quiet64},
	[SHL] = {shl_r_quiet32, shl_r_quiet64},
	[SHR] = {shr_r_quiet32, shr_r_quiet64},
	[SHL_TOO] = {shl_r_quiet32, shl_r_quiet64},
	[SAR] = {sar_r_quiet32, sar_r_quiet64},
};

static bool pick(struct soft_insn *insn, const struct soft_decode *d)
{
	if (d->row->b == BY_ONE)
		insn->imm = 1;
	unsigned size = soft_size_index(insn->size);
	insn->run = handlers[d->row->a][insn->memory][d->row->b == BY_CL][size];
	if (insn->memory)
		return true;
	insn->prefixes |= SOFT_IS_PURE;
	insn->fn = NULL;
	if (d->row->b == BY_CL || insn->size < 4 || !(insn->imm & (insn->size * 8 - 1)))
		return true;
	insn->fn = quiet[d->row->a][insn->size == 8];
	if (known[d->row->a][insn->size == 8])
		insn->run = known[d->row->a][insn->size == 8];
	return true;
}

/* clang-format off */
#define ROTATED (SOFT_CF | SOFT_OF)
#define ROW(op, s, i, by, n, text, r, w, u) \
	{ .name = text, .opcode = op, .modrm = SOFT_M_ANY, .digit = n + 1, .size = s, .imm = i, \
		.group = SOFT_G_SHIFT, .reads = r, .writes = w, .undefined = u, \
		.flags = SOFT_READS_RM | SOFT_WRITES_RM, .pick = pick, .a = n, .b = by }
#define ROWS(n, text, r, w, u) \
	ROW(0xc0, SOFT_S_8, SOFT_I_8, BY_IMMEDIATE, n, text, r, w, u), \
	ROW(0xc1, SOFT_S_V, SOFT_I_8, BY_IMMEDIATE, n, text, r, w, u), \
	ROW(0xd0, SOFT_S_8, SOFT_I_NONE, BY_ONE, n, text, r, w, (u) & SOFT_AF), \
	ROW(0xd1, SOFT_S_V, SOFT_I_NONE, BY_ONE, n, text, r, w, (u) & SOFT_AF), \
	ROW(0xd2, SOFT_S_8, SOFT_I_NONE, BY_CL, n, text, r, w, u), \
	ROW(0xd3, SOFT_S_V, SOFT_I_NONE, BY_CL, n, text, r, w, u)
#define DOUBLE_ROW(op, n, text, i, by) \
	{ .name = text, .map = SOFT_MAP_0F, .opcode = op, .modrm = SOFT_M_ANY, .size = SOFT_S_V, \
		.imm = i, \
		.group = SOFT_G_DOUBLE_SHIFT, .writes = SOFT_ARITHMETIC, \
		.undefined = SOFT_AF | SOFT_OF, \
		.flags = SOFT_READS_RM | SOFT_WRITES_RM | SOFT_READS_REG, .pick = pick, .a = n, \
		.b = by }

const struct soft_opcode soft_shift_table[] = {
	ROWS(ROL, "rol", 0, ROTATED, SOFT_OF),
	ROWS(ROR, "ror", 0, ROTATED, SOFT_OF),
	ROWS(RCL, "rcl", SOFT_CF, ROTATED, SOFT_OF),
	ROWS(RCR, "rcr", SOFT_CF, ROTATED, SOFT_OF),
	ROWS(SHL, "shl", 0, SOFT_ARITHMETIC, SOFT_AF | SOFT_OF | SOFT_CF),
	ROWS(SHR, "shr", 0, SOFT_ARITHMETIC, SOFT_AF | SOFT_OF | SOFT_CF),
	ROWS(SHL_TOO, "sal", 0, SOFT_ARITHMETIC, SOFT_AF | SOFT_OF | SOFT_CF),
	ROWS(SAR, "sar", 0, SOFT_ARITHMETIC, SOFT_AF | SOFT_OF),
	DOUBLE_ROW(0xa4, SHLD, "shld", SOFT_I_8, BY_IMMEDIATE),
	DOUBLE_ROW(0xa5, SHLD, "shld", SOFT_I_NONE, BY_CL),
	DOUBLE_ROW(0xac, SHRD, "shrd", SOFT_I_8, BY_IMMEDIATE),
	DOUBLE_ROW(0xad, SHRD, "shrd", SOFT_I_NONE, BY_CL),
	{ 0 },
};
/* clang-format on */
