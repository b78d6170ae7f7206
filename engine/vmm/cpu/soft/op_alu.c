// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ADD OR ADC SBB AND SUB XOR CMP TEST, INC DEC NOT NEG; and CMP and TEST fused with Jcc.
 */
#include "engine/vmm/cpu/soft/fuse.h"
#include "engine/vmm/cpu/soft/ops.h"

#include <string.h>

/* Each operation on two values: op##bits(cpu, a, b), flags set, result returned. */

#define DEFINE_PLAIN(bits, type, name, mnemonic)                                                   \
	static inline __attribute__((always_inline))                                               \
	type name##bits(struct soft_cpu *cpu, type a, type b)                                      \
	{                                                                                          \
		uint16_t f;                                                                        \
		__asm__(mnemonic " %2, %0" SOFT_FLAGS_OUT : "+r"(a), "=a"(f) : "r"(b) : "cc");     \
		cpu->flags = f;                                                                    \
		return a;                                                                          \
	}

#define DEFINE_CARRYING(bits, type, name, mnemonic)                                                \
	static inline __attribute__((always_inline))                                               \
	type name##bits(struct soft_cpu *cpu, type a, type b)                                      \
	{                                                                                          \
		uint16_t f = cpu->flags;                                                           \
		__asm__("bt $8, %k1\n\t" mnemonic " %2, %0" SOFT_FLAGS_OUT                         \
			: "+r"(a), "+a"(f)                                                         \
			: "r"(b)                                                                   \
			: "cc");                                                                   \
		cpu->flags = f;                                                                    \
		return a;                                                                          \
	}

SOFT_SIZES(DEFINE_PLAIN, add, "add")
SOFT_SIZES(DEFINE_PLAIN, or, "or")
SOFT_SIZES(DEFINE_CARRYING, adc, "adc")
SOFT_SIZES(DEFINE_CARRYING, sbb, "sbb")
SOFT_SIZES(DEFINE_PLAIN, and, "and")
SOFT_SIZES(DEFINE_PLAIN, sub, "sub")
SOFT_SIZES(DEFINE_PLAIN, xor, "xor")

/* One operand: op##bits(cpu, a). INC and DEC leave CF as it is. */
#define DEFINE_ONE(bits, type, name, mnemonic, kept)                                               \
	static inline __attribute__((always_inline)) type name##bits(struct soft_cpu *cpu, type a) \
	{                                                                                          \
		uint16_t f;                                                                        \
		__asm__(mnemonic " %0" SOFT_FLAGS_OUT : "+r"(a), "=a"(f) : : "cc");                \
		cpu->flags = (f & ~(kept)) | (cpu->flags & (kept));                                \
		return a;                                                                          \
	}

SOFT_SIZES(DEFINE_ONE, inc, "inc", SOFT_IMAGE_CF)
SOFT_SIZES(DEFINE_ONE, dec, "dec", SOFT_IMAGE_CF)
SOFT_SIZES(DEFINE_ONE, neg, "neg", 0)

#define DEFINE_NOT(bits, type, name)                                                               \
	static inline type name##bits(struct soft_cpu *cpu, type a)                                \
	{                                                                                          \
		return ~a;                                                                         \
	}
SOFT_SIZES(DEFINE_NOT, not )

/* Handlers with a destination that is written. The forms: rr ri rm mr mi; lr and li are mr and mi
 * under LOCK, which try again until nobody came in between. */
#define DEFINE_WRITING(bits, type, name)                                                           \
	static SOFT_OP(name##_rr##bits)                                                            \
	{                                                                                          \
		type a = soft_reg##bits(cpu, insn->rm), b = soft_reg##bits(cpu, insn->reg);        \
		soft_put##bits(cpu, insn->rm, name##bits(cpu, a, b));                              \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(name##_ri##bits)                                                            \
	{                                                                                          \
		type a = soft_reg##bits(cpu, insn->rm);                                            \
		soft_put##bits(cpu, insn->rm, name##bits(cpu, a, insn->imm));                      \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(name##_rm##bits)                                                            \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_READ);                    \
		type b = soft_load##bits(cpu, linear), a = soft_reg##bits(cpu, insn->reg);         \
		soft_put##bits(cpu, insn->reg, name##bits(cpu, a, b));                             \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	DEFINE_MEMORY(bits, type, name, mr, soft_reg##bits(cpu, insn->reg))                        \
	DEFINE_MEMORY(bits, type, name, mi, insn->imm)                                             \
	DEFINE_LOCKED(bits, type, name, lr, soft_reg##bits(cpu, insn->reg))                        \
	DEFINE_LOCKED(bits, type, name, li, insn->imm)

#define DEFINE_MEMORY(bits, type, name, form, source)                                              \
	static SOFT_OP(name##_##form##bits)                                                        \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_WRITE);                   \
		void *at = soft_rmw(cpu, linear, bits / 8, false);                                 \
		SOFT_HOST##bits(at) = name##bits(cpu, SOFT_HOST##bits(at), source);                \
		soft_rmw_done(cpu);                                                                \
		SOFT_NEXT();                                                                       \
	}

#define DEFINE_LOCKED(bits, type, name, form, source)                                              \
	static SOFT_OP(name##_##form##bits)                                                        \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_WRITE);                   \
		void *at = soft_rmw(cpu, linear, bits / 8, true);                                  \
		uint16_t before = cpu->flags;                                                      \
		type old, new;                                                                     \
		do {                                                                               \
			cpu->flags = before;                                                       \
			old = SOFT_HOST##bits(at);                                                 \
			new = name##bits(cpu, old, source);                                        \
		} while (!soft_exchange_if##bits(at, old, new));                                   \
		soft_rmw_done(cpu);                                                                \
		SOFT_NEXT();                                                                       \
	}

SOFT_SIZES(DEFINE_WRITING, add)
SOFT_SIZES(DEFINE_WRITING, or)
SOFT_SIZES(DEFINE_WRITING, adc)
SOFT_SIZES(DEFINE_WRITING, sbb)
SOFT_SIZES(DEFINE_WRITING, and)
SOFT_SIZES(DEFINE_WRITING, sub)
SOFT_SIZES(DEFINE_WRITING, xor)

/* CMP and TEST write nothing. */
#define DEFINE_COMPARING(bits, type, name, by)                                                     \
	static SOFT_OP(name##_rr##bits)                                                            \
	{                                                                                          \
		by##bits(cpu, soft_reg##bits(cpu, insn->rm), soft_reg##bits(cpu, insn->reg));      \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(name##_ri##bits)                                                            \
	{                                                                                          \
		by##bits(cpu, soft_reg##bits(cpu, insn->rm), insn->imm);                           \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(name##_rm##bits)                                                            \
	{                                                                                          \
		cpu->current = insn;                                                               \
		type b = soft_load##bits(cpu, soft_operand(cpu, insn, bits / 8, SOFT_READ));       \
		by##bits(cpu, soft_reg##bits(cpu, insn->reg), b);                                  \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(name##_mr##bits)                                                            \
	{                                                                                          \
		cpu->current = insn;                                                               \
		type a = soft_load##bits(cpu, soft_operand(cpu, insn, bits / 8, SOFT_READ));       \
		by##bits(cpu, a, soft_reg##bits(cpu, insn->reg));                                  \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(name##_mi##bits)                                                            \
	{                                                                                          \
		cpu->current = insn;                                                               \
		type a = soft_load##bits(cpu, soft_operand(cpu, insn, bits / 8, SOFT_READ));       \
		by##bits(cpu, a, insn->imm);                                                       \
		SOFT_NEXT();                                                                       \
	}

SOFT_SIZES(DEFINE_COMPARING, cmp, sub)
SOFT_SIZES(DEFINE_COMPARING, test, and)

/* One operand: in a register, in memory, in memory under LOCK. */
#define DEFINE_UNARY(bits, type, name)                                                             \
	static SOFT_OP(name##_r##bits)                                                             \
	{                                                                                          \
		soft_put##bits(cpu, insn->rm, name##bits(cpu, soft_reg##bits(cpu, insn->rm)));     \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(name##_m##bits)                                                             \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_WRITE);                   \
		void *at = soft_rmw(cpu, linear, bits / 8, false);                                 \
		SOFT_HOST##bits(at) = name##bits(cpu, SOFT_HOST##bits(at));                        \
		soft_rmw_done(cpu);                                                                \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(name##_l##bits)                                                             \
	{                                                                                          \
		cpu->current = insn;                                                               \
		uint64_t linear = soft_operand(cpu, insn, bits / 8, SOFT_WRITE);                   \
		void *at = soft_rmw(cpu, linear, bits / 8, true);                                  \
		uint16_t before = cpu->flags;                                                      \
		type old, new;                                                                     \
		do {                                                                               \
			cpu->flags = before;                                                       \
			old = SOFT_HOST##bits(at);                                                 \
			new = name##bits(cpu, old);                                                \
		} while (!soft_exchange_if##bits(at, old, new));                                   \
		soft_rmw_done(cpu);                                                                \
		SOFT_NEXT();                                                                       \
	}

SOFT_SIZES(DEFINE_UNARY, inc)
SOFT_SIZES(DEFINE_UNARY, dec)
SOFT_SIZES(DEFINE_UNARY, neg)
SOFT_SIZES(DEFINE_UNARY, not )

/* The same in registers, where nobody looks at the flags. */
#define DEFINE_QUIET(bits, type, name, operator)                                                   \
	static SOFT_OP(name##_rr_quiet##bits)                                                      \
	{                                                                                          \
		type a = soft_reg##bits(cpu, insn->rm);                                            \
		soft_put##bits(cpu, insn->rm, a operator soft_reg##bits(cpu, insn->reg));          \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(name##_ri_quiet##bits)                                                      \
	{                                                                                          \
		type a = soft_reg##bits(cpu, insn->rm);                                            \
		soft_put##bits(cpu, insn->rm, a operator(type) insn->imm);                         \
		SOFT_NEXT();                                                                       \
	}
#define DEFINE_QUIETS(name, operator)                                                              \
	DEFINE_QUIET(32, uint32_t, name, operator)                                                 \
	DEFINE_QUIET(64, uint64_t, name, operator)
DEFINE_QUIETS(add, +)
DEFINE_QUIETS(or, |)
DEFINE_QUIETS(and, &)
DEFINE_QUIETS(sub, -)
DEFINE_QUIETS(xor, ^)

#define DEFINE_QUIET_ONE(bits, type, name, expression)                                             \
	static SOFT_OP(name##_r_quiet##bits)                                                       \
	{                                                                                          \
		type a = soft_reg##bits(cpu, insn->rm);                                            \
		soft_put##bits(cpu, insn->rm, expression);                                         \
		SOFT_NEXT();                                                                       \
	}
#define DEFINE_QUIET_ONES(name, expression)                                                        \
	DEFINE_QUIET_ONE(32, uint32_t, name, expression)                                           \
	DEFINE_QUIET_ONE(64, uint64_t, name, expression)
DEFINE_QUIET_ONES(inc, a + 1)
DEFINE_QUIET_ONES(dec, a - 1)
DEFINE_QUIET_ONES(neg, -a)

/* The handlers by operation, form and size. */

enum form { RR, RI, RM, MR, MI, LR, LI, FORMS };
enum operation { ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, OPERATIONS };

#define ALL_SIZES(stem)                                                                            \
	{                                                                                          \
		stem##8, stem##16, stem##32, stem##64                                              \
	}
#define WRITING(name)                                                                              \
	{                                                                                          \
		ALL_SIZES(name##_rr), ALL_SIZES(name##_ri), ALL_SIZES(name##_rm),                  \
			ALL_SIZES(name##_mr), ALL_SIZES(name##_mi), ALL_SIZES(name##_lr),          \
			ALL_SIZES(name##_li)                                                       \
	}
#define COMPARING(name)                                                                            \
	{                                                                                          \
		ALL_SIZES(name##_rr), ALL_SIZES(name##_ri), ALL_SIZES(name##_rm),                  \
			ALL_SIZES(name##_mr), ALL_SIZES(name##_mi), {0},                           \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

static void (*const handlers[OPERATIONS][FORMS][4])(struct soft_cpu *, const struct soft_insn *) = {
	[ADD] = WRITING(add),
	[OR] = WRITING(or),
	[ADC] = WRITING(adc),
	[SBB] = WRITING(sbb),
	[AND] = WRITING(and),
	[SUB] = WRITING(sub),
	[XOR] = WRITING(xor),
	[CMP] = COMPARING(cmp),
	[TEST] = COMPARING(test),
};

enum { INC, DEC, NOT, NEG, UNARIES };
static void (*const unary_handlers[UNARIES][3][4])(struct soft_cpu *, const struct soft_insn *) = {
	[INC] = {ALL_SIZES(inc_r), ALL_SIZES(inc_m), ALL_SIZES(inc_l)},
	[DEC] = {ALL_SIZES(dec_r), ALL_SIZES(dec_m), ALL_SIZES(dec_l)},
	[NOT] = {ALL_SIZES(not_r), ALL_SIZES(not_m), ALL_SIZES(not_l)},
	[NEG] = {ALL_SIZES(neg_r), ALL_SIZES(neg_m), ALL_SIZES(neg_l)},
};

#define QUIET(name)                                                                                \
	{                                                                                          \
		{name##_rr_quiet32, name##_rr_quiet64},                                            \
		{                                                                                  \
			name##_ri_quiet32, name##_ri_quiet64                                       \
		}                                                                                  \
	}
static void (*const quiet[OPERATIONS][2][2])(struct soft_cpu *, const struct soft_insn *) = {
	[ADD] = QUIET(add),
	[OR] = QUIET(or),
	[AND] = QUIET(and),
	[SUB] = QUIET(sub),
	[XOR] = QUIET(xor),
};

static void (*const quiet_unary[UNARIES][2])(struct soft_cpu *, const struct soft_insn *) = {
	[INC] = {inc_r_quiet32, inc_r_quiet64},
	[DEC] = {dec_r_quiet32, dec_r_quiet64},
	[NEG] = {neg_r_quiet32, neg_r_quiet64},
};

static bool set_handler(struct soft_insn *insn, enum operation operation, enum form form)
{
	if (form == RR || form == RI) {
		insn->prefixes |= SOFT_IS_PURE;
		insn->fn = insn->size >= 4 ? quiet[operation][form][insn->size == 8] : NULL;
	}
	if (insn->prefixes & SOFT_HAS_LOCK)
		form = form == MR ? LR : LI;
	insn->run = handlers[operation][form][soft_size_index(insn->size)];
	return insn->run;
}

/* E,G */
static bool pick_rm_reg(struct soft_insn *insn, const struct soft_decode *d)
{
	return set_handler(insn, d->row->a, insn->memory ? MR : RR);
}

/* G,E: with two registers the same as E,G the other way round. */
static bool pick_reg_rm(struct soft_insn *insn, const struct soft_decode *d)
{
	if (insn->memory)
		return set_handler(insn, d->row->a, RM);
	uint8_t destination = insn->reg;
	insn->reg = insn->rm;
	insn->rm = destination;
	return set_handler(insn, d->row->a, RR);
}

/* E,I */
static bool pick_immediate(struct soft_insn *insn, const struct soft_decode *d)
{
	return set_handler(insn, d->row->a, insn->memory ? MI : RI);
}

/* AL or rAX, I */
static bool pick_accumulator(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->rm = SOFT_RAX;
	return set_handler(insn, d->row->a, RI);
}

static bool pick_unary(struct soft_insn *insn, const struct soft_decode *d)
{
	unsigned form = !insn->memory ? 0 : insn->prefixes & SOFT_HAS_LOCK ? 2 : 1;
	if (form == 0) {
		insn->prefixes |= SOFT_IS_PURE;
		insn->fn = insn->size >= 4 ? quiet_unary[d->row->a][insn->size == 8] : NULL;
	}
	insn->run = unary_handlers[d->row->a][form][soft_size_index(insn->size)];
	return true;
}

/* clang-format off */
#define RW_RM (SOFT_READS_RM | SOFT_WRITES_RM)
#define RW_REG (SOFT_READS_REG | SOFT_WRITES_REG)

/* The eight classic operations: opcodes base to base + 5, and digits of 80, 81, 82 and 83. */
#define ROW(op, m, s, i, number, text, r, w, u, f) \
	.name = text, .map = SOFT_MAP_1, .opcode = op, .modrm = m, .size = s, .imm = i, \
	.group = SOFT_G_ALU, .a = number, .reads = r, .writes = w, .undefined = u, .flags = f

#define CLASSIC(base, n, number, text, r, u, lock, write_rm, write_reg) \
	{ ROW(base, SOFT_M_ANY, SOFT_S_8, SOFT_I_NONE, number, text, r, SOFT_ARITHMETIC, u, \
		  lock | write_rm | SOFT_READS_RM | SOFT_READS_REG), .pick = pick_rm_reg }, \
	{ ROW(base + 1, SOFT_M_ANY, SOFT_S_V, SOFT_I_NONE, number, text, r, SOFT_ARITHMETIC, u, \
		  lock | write_rm | SOFT_READS_RM | SOFT_READS_REG), .pick = pick_rm_reg }, \
	{ ROW(base + 2, SOFT_M_ANY, SOFT_S_8, SOFT_I_NONE, number, text, r, SOFT_ARITHMETIC, u, \
		  write_reg | SOFT_READS_RM | SOFT_READS_REG), .pick = pick_reg_rm }, \
	{ ROW(base + 3, SOFT_M_ANY, SOFT_S_V, SOFT_I_NONE, number, text, r, SOFT_ARITHMETIC, u, \
		  write_reg | SOFT_READS_RM | SOFT_READS_REG), .pick = pick_reg_rm }, \
	{ ROW(base + 4, SOFT_M_NONE, SOFT_S_8, SOFT_I_8, number, text, r, SOFT_ARITHMETIC, u, 0), \
		.pick = pick_accumulator }, \
	{ ROW(base + 5, SOFT_M_NONE, SOFT_S_V, SOFT_I_Z, number, text, r, SOFT_ARITHMETIC, u, 0), \
		.pick = pick_accumulator }, \
	{ ROW(0x80, SOFT_M_ANY, SOFT_S_8, SOFT_I_8, number, text, r, SOFT_ARITHMETIC, u, \
		  lock | write_rm | SOFT_READS_RM), .digit = n + 1, .pick = pick_immediate }, \
	{ ROW(0x81, SOFT_M_ANY, SOFT_S_V, SOFT_I_Z, number, text, r, SOFT_ARITHMETIC, u, \
		  lock | write_rm | SOFT_READS_RM), .digit = n + 1, .pick = pick_immediate }, \
	{ ROW(0x82, SOFT_M_ANY, SOFT_S_8, SOFT_I_8, number, text, r, SOFT_ARITHMETIC, u, \
		lock | write_rm | SOFT_READS_RM | SOFT_NO64), .digit = n + 1, \
		.pick = pick_immediate }, \
	{ ROW(0x83, SOFT_M_ANY, SOFT_S_V, SOFT_I_8S, number, text, r, SOFT_ARITHMETIC, u, \
		  lock | write_rm | SOFT_READS_RM), .digit = n + 1, .pick = pick_immediate }
#define WRITES(base, n, number, text, r, u) \
	CLASSIC(base, n, number, text, r, u, SOFT_LOCK, SOFT_WRITES_RM, SOFT_WRITES_REG)

#define INCDEC (SOFT_ARITHMETIC & ~SOFT_CF)
#define UNARY(op, n, s, number, text, w, g) \
	{ .name = text, .map = SOFT_MAP_1, .opcode = op, .modrm = SOFT_M_ANY, .digit = n + 1, \
		.size = s, \
		.group = g, .a = number, .writes = w, .flags = RW_RM | SOFT_LOCK, \
		.pick = pick_unary }

const struct soft_opcode soft_alu_table[] = {
	WRITES(0x00, 0, ADD, "add", 0, 0),
	WRITES(0x08, 1, OR, "or", 0, SOFT_AF),
	WRITES(0x10, 2, ADC, "adc", SOFT_CF, 0),
	WRITES(0x18, 3, SBB, "sbb", SOFT_CF, 0),
	WRITES(0x20, 4, AND, "and", 0, SOFT_AF),
	WRITES(0x28, 5, SUB, "sub", 0, 0),
	WRITES(0x30, 6, XOR, "xor", 0, SOFT_AF),
	CLASSIC(0x38, 7, CMP, "cmp", 0, 0, 0, 0, 0),
	{ ROW(0x84, SOFT_M_ANY, SOFT_S_8, SOFT_I_NONE, TEST, "test", 0, SOFT_ARITHMETIC, SOFT_AF,
		SOFT_READS_RM | SOFT_READS_REG), .pick = pick_rm_reg },
	{ ROW(0x85, SOFT_M_ANY, SOFT_S_V, SOFT_I_NONE, TEST, "test", 0, SOFT_ARITHMETIC, SOFT_AF,
		SOFT_READS_RM | SOFT_READS_REG), .pick = pick_rm_reg },
	{ ROW(0xa8, SOFT_M_NONE, SOFT_S_8, SOFT_I_8, TEST, "test", 0, SOFT_ARITHMETIC, SOFT_AF,
		0), .pick = pick_accumulator },
	{ ROW(0xa9, SOFT_M_NONE, SOFT_S_V, SOFT_I_Z, TEST, "test", 0, SOFT_ARITHMETIC, SOFT_AF,
		0), .pick = pick_accumulator },
	{ ROW(0xf6, SOFT_M_ANY, SOFT_S_8, SOFT_I_8, TEST, "test", 0, SOFT_ARITHMETIC, SOFT_AF,
		SOFT_READS_RM), .digit = 1, .pick = pick_immediate },
	{ ROW(0xf6, SOFT_M_ANY, SOFT_S_8, SOFT_I_8, TEST, "test", 0, SOFT_ARITHMETIC, SOFT_AF,
		SOFT_READS_RM), .digit = 2, .pick = pick_immediate },
	{ ROW(0xf7, SOFT_M_ANY, SOFT_S_V, SOFT_I_Z, TEST, "test", 0, SOFT_ARITHMETIC, SOFT_AF,
		SOFT_READS_RM), .digit = 1, .pick = pick_immediate },
	{ ROW(0xf7, SOFT_M_ANY, SOFT_S_V, SOFT_I_Z, TEST, "test", 0, SOFT_ARITHMETIC, SOFT_AF,
		SOFT_READS_RM), .digit = 2, .pick = pick_immediate },
	UNARY(0xfe, 0, SOFT_S_8, INC, "inc", INCDEC, SOFT_G_INCDEC),
	UNARY(0xfe, 1, SOFT_S_8, DEC, "dec", INCDEC, SOFT_G_INCDEC),
	UNARY(0xff, 0, SOFT_S_V, INC, "inc", INCDEC, SOFT_G_INCDEC),
	UNARY(0xff, 1, SOFT_S_V, DEC, "dec", INCDEC, SOFT_G_INCDEC),
	UNARY(0xf6, 2, SOFT_S_8, NOT, "not", 0, SOFT_G_ALU),
	UNARY(0xf7, 2, SOFT_S_V, NOT, "not", 0, SOFT_G_ALU),
	UNARY(0xf6, 3, SOFT_S_8, NEG, "neg", SOFT_ARITHMETIC, SOFT_G_ALU),
	UNARY(0xf7, 3, SOFT_S_V, NEG, "neg", SOFT_ARITHMETIC, SOFT_G_ALU),
	{ .name = "inc", .opcode = 0x40, .size = SOFT_S_V, .group = SOFT_G_INCDEC,
		.writes = INCDEC, .flags = SOFT_REG_IN_OPCODE | SOFT_NO64 | RW_RM,
		.pick = pick_unary, .a = INC },
	{ .name = "dec", .opcode = 0x48, .size = SOFT_S_V, .group = SOFT_G_INCDEC,
		.writes = INCDEC, .flags = SOFT_REG_IN_OPCODE | SOFT_NO64 | RW_RM,
		.pick = pick_unary, .a = DEC },
	{ 0 },
};
/* clang-format on */

/* CMP or TEST, and the conditional jump after it. */

#define DEFINE_FUSED(bits, type, name, by, form, a, b, cc_name, cc)                                \
	static SOFT_OP(name##_##form##bits##_j##cc_name)                                           \
	{                                                                                          \
		by##bits(cpu, a, b);                                                               \
		if (soft_condition(cpu->flags, cc))                                                \
			SOFT_GO(insn + 1);                                                         \
		SOFT_GO(insn + 2);                                                                 \
	}

#define OPERAND_RR(bits) soft_reg##bits(cpu, insn->rm)
#define OPERAND_LOAD(bits)                                                                         \
	(cpu->current = insn, soft_load##bits(cpu, soft_operand(cpu, insn, bits / 8, SOFT_READ)))

#define FUSED_SIZE(bits, type, cc_name, cc)                                                        \
	DEFINE_FUSED(bits, type, cmp, sub, rr, OPERAND_RR(bits), soft_reg##bits(cpu, insn->reg),   \
		cc_name, cc)                                                                       \
	DEFINE_FUSED(bits, type, cmp, sub, ri, OPERAND_RR(bits), insn->imm, cc_name, cc)           \
	DEFINE_FUSED(bits, type, cmp, sub, rm, soft_reg##bits(cpu, insn->reg), OPERAND_LOAD(bits), \
		cc_name, cc)                                                                       \
	DEFINE_FUSED(bits, type, cmp, sub, mr, OPERAND_LOAD(bits), soft_reg##bits(cpu, insn->reg), \
		cc_name, cc)                                                                       \
	DEFINE_FUSED(bits, type, cmp, sub, mi, OPERAND_LOAD(bits), insn->imm, cc_name, cc)         \
	DEFINE_FUSED(bits, type, test, and, rr, OPERAND_RR(bits), soft_reg##bits(cpu, insn->reg),  \
		cc_name, cc)                                                                       \
	DEFINE_FUSED(bits, type, test, and, ri, OPERAND_RR(bits), insn->imm, cc_name, cc)          \
	DEFINE_FUSED(bits, type, test, and, mr, OPERAND_LOAD(bits),                                \
		soft_reg##bits(cpu, insn->reg), cc_name, cc)                                       \
	DEFINE_FUSED(bits, type, test, and, mi, OPERAND_LOAD(bits), insn->imm, cc_name, cc)
#define FUSED(cc_name, cc)                                                                         \
	FUSED_SIZE(8, uint8_t, cc_name, cc)                                                        \
	FUSED_SIZE(32, uint32_t, cc_name, cc)                                                      \
	FUSED_SIZE(64, uint64_t, cc_name, cc)

SOFT_CONDITIONS(FUSED)

/* From a plain handler to the fused one of each condition. */
struct fusion {
	void (*plain)(struct soft_cpu *cpu, const struct soft_insn *insn);
	void (*fused[16])(struct soft_cpu *cpu, const struct soft_insn *insn);
};

#define BY_CONDITION(s)                                                                            \
	{                                                                                          \
		s##_jo, s##_jno, s##_jb, s##_jnb, s##_jz, s##_jnz, s##_jbe, s##_jnbe, s##_js,      \
			s##_jns, s##_jp, s##_jnp, s##_jl, s##_jnl, s##_jle, s##_jnle               \
	}
#define FUSION(s)                                                                                  \
	{                                                                                          \
		s, BY_CONDITION(s)                                                                 \
	}
#define FUSIONS(bits)                                                                              \
	FUSION(cmp_rr##bits), FUSION(cmp_ri##bits), FUSION(cmp_rm##bits), FUSION(cmp_mr##bits),    \
		FUSION(cmp_mi##bits), FUSION(test_rr##bits), FUSION(test_ri##bits),                \
		FUSION(test_mr##bits), FUSION(test_mi##bits)

static const struct fusion fusions[] = {FUSIONS(8), FUSIONS(32), FUSIONS(64)};

static const struct fusion *find_fusion(const struct soft_insn *insn)
{
	unsigned operation = soft_opcode_at(insn->row)->a;
	if (soft_opcode_at(insn->row)->group != SOFT_G_ALU || operation < CMP)
		return NULL;
	for (unsigned i = 0; i < G_N_ELEMENTS(fusions); i++)
		if (fusions[i].plain == insn->run)
			return &fusions[i];
	return NULL;
}

void soft_fuse(struct soft_insn *insns, unsigned count)
{
	if (count < 3 || !soft_is_jcc(&insns[count - 2]))
		return;
	struct soft_insn *first = &insns[count - 3];
	const struct fusion *fusion = find_fusion(first);
	if (fusion)
		first->run = fusion->fused[soft_jcc_condition(&insns[count - 2])];
}
