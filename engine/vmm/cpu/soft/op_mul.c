// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * MUL, IMUL, DIV, IDIV; AAA AAS DAA DAS AAM AAD.
 */
#include "engine/vmm/cpu/soft/ops.h"

static uint64_t operand(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	if (!insn->memory)
		return soft_reg(cpu, insn->size, insn->rm);
	return soft_load(cpu, soft_operand(cpu, insn, insn->size, SOFT_READ), insn->size);
}

/* rDX:rAX (AX for bytes) = rAX * source. */
#define DEFINE_WIDE(bits, type, name, mnemonic, accumulator)                                       \
	static void name##bits(struct soft_cpu *cpu, type source)                                  \
	{                                                                                          \
		uint64_t f = cpu->flags;                                                           \
		type low, high, a = cpu->gpr[SOFT_RAX];                                            \
		__asm__(SOFT_FLAGS_IN "mov %3, " accumulator "\n\t" mnemonic                       \
				      " %4\n\tmov " accumulator ", %1" SOFT_FLAGS_OUT              \
			: "+a"(f), "=&r"(low), "=&d"(high)                                         \
			: "r"(a), "r"(source)                                                      \
			: "cc");                                                                   \
		cpu->flags = f;                                                                    \
		soft_put##bits(cpu, SOFT_RAX, low);                                                \
		soft_put##bits(cpu, SOFT_RDX, high);                                               \
	}
#define DEFINE_WIDES(name, mnemonic)                                                               \
	static void name##8(struct soft_cpu * cpu, uint8_t source)                                 \
	{                                                                                          \
		uint64_t f = cpu->flags;                                                           \
		uint16_t product;                                                                  \
		uint8_t a = cpu->gpr[SOFT_RAX];                                                    \
		__asm__(SOFT_FLAGS_IN "mov %2, %%al\n\t" mnemonic                                  \
				      " %3\n\tmov %%ax, %1" SOFT_FLAGS_OUT                         \
			: "+a"(f), "=&r"(product)                                                  \
			: "r"(a), "r"(source)                                                      \
			: "cc");                                                                   \
		cpu->flags = f;                                                                    \
		soft_put16(cpu, SOFT_RAX, product);                                                \
	}                                                                                          \
	DEFINE_WIDE(16, uint16_t, name, mnemonic, "%%ax")                                          \
	DEFINE_WIDE(32, uint32_t, name, mnemonic, "%%eax")                                         \
	DEFINE_WIDE(64, uint64_t, name, mnemonic, "%%rax")                                         \
	static void op_##name(struct soft_cpu *cpu, const struct soft_insn *insn)                  \
	{                                                                                          \
		uint64_t source = operand(cpu, insn);                                              \
		switch (insn->size) {                                                              \
		case 1:                                                                            \
			name##8(cpu, source);                                                      \
			break;                                                                     \
		case 2:                                                                            \
			name##16(cpu, source);                                                     \
			break;                                                                     \
		case 4:                                                                            \
			name##32(cpu, source);                                                     \
			break;                                                                     \
		default:                                                                           \
			name##64(cpu, source);                                                     \
			break;                                                                     \
		}                                                                                  \
	}

DEFINE_WIDES(mul, "mul")
DEFINE_WIDES(imul, "imul")

#define DEFINE_IMUL(bits, type, unused)                                                            \
	static inline __attribute__((always_inline))                                               \
	type product##bits(struct soft_cpu *cpu, type a, type b)                                   \
	{                                                                                          \
		uint32_t f;                                                                        \
		__asm__("xor %1, %1\n\timul %2, %0" SOFT_FLAGS_OUT                                 \
			: "+r"(a), "=&a"(f)                                                        \
			: "r"(b)                                                                   \
			: "cc");                                                                   \
		cpu->flags = f;                                                                    \
		return a;                                                                          \
	}                                                                                          \
	static SOFT_OP(imul_rr_quiet##bits)                                                        \
	{                                                                                          \
		type a = soft_reg##bits(cpu, insn->reg), b = soft_reg##bits(cpu, insn->rm);        \
		soft_put##bits(cpu, insn->reg, (type)(1u * a * b));                                \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(imul_rri_quiet##bits)                                                       \
	{                                                                                          \
		soft_put##bits(cpu, insn->reg,                                                     \
			(type)(1u * soft_reg##bits(cpu, insn->rm) * (type)insn->imm));             \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(imul_rr##bits)                                                              \
	{                                                                                          \
		type a = soft_reg##bits(cpu, insn->reg), b = soft_reg##bits(cpu, insn->rm);        \
		soft_put##bits(cpu, insn->reg, product##bits(cpu, a, b));                          \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(imul_rm##bits)                                                              \
	{                                                                                          \
		cpu->current = insn;                                                               \
		type b = soft_load##bits(cpu, soft_operand(cpu, insn, bits / 8, SOFT_READ));       \
		soft_put##bits(                                                                    \
			cpu, insn->reg, product##bits(cpu, soft_reg##bits(cpu, insn->reg), b));    \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(imul_rri##bits)                                                             \
	{                                                                                          \
		soft_put##bits(cpu, insn->reg,                                                     \
			product##bits(cpu, soft_reg##bits(cpu, insn->rm), insn->imm));             \
		SOFT_NEXT();                                                                       \
	}                                                                                          \
	static SOFT_OP(imul_rmi##bits)                                                             \
	{                                                                                          \
		cpu->current = insn;                                                               \
		type b = soft_load##bits(cpu, soft_operand(cpu, insn, bits / 8, SOFT_READ));       \
		soft_put##bits(cpu, insn->reg, product##bits(cpu, b, insn->imm));                  \
		SOFT_NEXT();                                                                       \
	}
SOFT_WIDE_SIZES(DEFINE_IMUL, unused)

#define WIDE(s)                                                                                    \
	{                                                                                          \
		s##16, s##32, s##64                                                                \
	}
/* Immediate; memory; size. */
static void (*const imuls[2][2][3])(struct soft_cpu *, const struct soft_insn *) = {
	{WIDE(imul_rr), WIDE(imul_rm)},
	{WIDE(imul_rri), WIDE(imul_rmi)},
};

static void (*const quiet_imuls[2][3])(struct soft_cpu *, const struct soft_insn *) = {
	WIDE(imul_rr_quiet),
	WIDE(imul_rri_quiet),
};

static bool pick_imul(struct soft_insn *insn, const struct soft_decode *d)
{
	if (!insn->memory) {
		insn->prefixes |= SOFT_IS_PURE;
		insn->fn = quiet_imuls[d->row->a][soft_size_index(insn->size) - 1];
	}
	insn->run = imuls[d->row->a][insn->memory][soft_size_index(insn->size) - 1];
	return true;
}

/* Division: a quotient that does not fit is #DE, and the host must not see it. */

static void div_store(struct soft_cpu *cpu, unsigned size, uint64_t quotient, uint64_t remainder)
{
	if (size == 1) {
		soft_put16(cpu, SOFT_RAX, (quotient & 0xff) | (remainder & 0xff) << 8);
		return;
	}
	soft_put(cpu, size, SOFT_RAX, quotient);
	soft_put(cpu, size, SOFT_RDX, remainder);
}

/* The dividend of up to 64 bits of an operation of up to 32. */
static uint64_t dividend(const struct soft_cpu *cpu, unsigned size)
{
	uint64_t a = cpu->gpr[SOFT_RAX], d = cpu->gpr[SOFT_RDX];
	switch (size) {
	case 1:
		return (uint16_t)a;
	case 2:
		return (uint16_t)a | (d & 0xffff) << 16;
	default:
		return (uint32_t)a | d << 32;
	}
}

static void div_narrow(struct soft_cpu *cpu, unsigned size, uint64_t divisor)
{
	uint64_t value = dividend(cpu, size);
	if (!divisor || value / divisor >> (8 * size))
		soft_raise(cpu, SOFT_DE);
	div_store(cpu, size, value / divisor, value % divisor);
}

static void div64(struct soft_cpu *cpu, uint64_t divisor)
{
	uint64_t low = cpu->gpr[SOFT_RAX], high = cpu->gpr[SOFT_RDX];
	if (high >= divisor)
		soft_raise(cpu, SOFT_DE);
	__asm__("div %2" : "+a"(low), "+d"(high) : "r"(divisor) : "cc");
	cpu->gpr[SOFT_RAX] = low;
	cpu->gpr[SOFT_RDX] = high;
}

static SOFT_OP(op_div)
{
	cpu->current = insn;
	uint64_t divisor = operand(cpu, insn);
	if (insn->size == 8)
		div64(cpu, divisor);
	else
		div_narrow(cpu, insn->size, divisor);
	SOFT_NEXT();
}

static int64_t sign_extend(uint64_t value, unsigned bytes)
{
	unsigned unused = 64 - 8 * bytes;
	return (int64_t)(value << unused) >> unused;
}

static void idiv_narrow(struct soft_cpu *cpu, unsigned size, int64_t divisor)
{
	int64_t value = sign_extend(dividend(cpu, size), 2 * size);
	if (!divisor || (divisor == -1 && value == INT64_MIN))
		soft_raise(cpu, SOFT_DE);
	int64_t quotient = value / divisor;
	if (quotient != sign_extend(quotient, size))
		soft_raise(cpu, SOFT_DE);
	div_store(cpu, size, quotient, value % divisor);
}

/* By magnitudes: |dividend| must be below |divisor| * 2^64, and the quotient within its sign's
 * range. */
static void idiv64(struct soft_cpu *cpu, int64_t divisor)
{
	unsigned __int128 value = (unsigned __int128)cpu->gpr[SOFT_RDX] << 64 | cpu->gpr[SOFT_RAX];
	bool negative = (int64_t)cpu->gpr[SOFT_RDX] < 0, by_negative = divisor < 0;
	if (negative)
		value = -value;
	uint64_t by = by_negative ? -(uint64_t)divisor : (uint64_t)divisor;
	uint64_t low = value, high = value >> 64;
	if (high >= by)
		soft_raise(cpu, SOFT_DE);
	__asm__("div %2" : "+a"(low), "+d"(high) : "r"(by) : "cc");
	if (low > (uint64_t)INT64_MAX + (negative != by_negative))
		soft_raise(cpu, SOFT_DE);
	cpu->gpr[SOFT_RAX] = negative != by_negative ? -low : low;
	cpu->gpr[SOFT_RDX] = negative ? -high : high;
}

static SOFT_OP(op_idiv)
{
	cpu->current = insn;
	int64_t divisor = sign_extend(operand(cpu, insn), insn->size);
	if (insn->size == 8)
		idiv64(cpu, divisor);
	else
		idiv_narrow(cpu, insn->size, divisor);
	SOFT_NEXT();
}

static bool pick_div(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = d->row->a ? op_idiv : op_div;
	return true;
}

/* Decimal adjustment (SDM volume 2, each instruction's "Operation"). */

static void set_result_flags(struct soft_cpu *cpu, uint8_t al, uint32_t kept)
{
	uint32_t f = kept;
	if (!al)
		f |= SOFT_IMAGE_ZF;
	if (al & 0x80)
		f |= SOFT_IMAGE_SF;
	if (!(__builtin_popcount(al) & 1))
		f |= SOFT_IMAGE_PF;
	cpu->flags = f;
}

static void op_daa_das(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	bool subtract = soft_opcode_at(insn->row)->a;
	uint8_t al = cpu->gpr[SOFT_RAX], by = 0;
	uint32_t f = 0;
	if ((al & 15) > 9 || cpu->flags & SOFT_IMAGE_AF) {
		by = 6;
		f |= SOFT_IMAGE_AF;
		/* DAS also carries where this step borrows. */
		if (subtract ? al < 6 : al > 0xf9)
			f |= SOFT_IMAGE_CF;
	}
	if (al > 0x99 || cpu->flags & SOFT_IMAGE_CF) {
		by += 0x60;
		f |= SOFT_IMAGE_CF;
	}
	al = subtract ? al - by : al + by;
	soft_put8(cpu, 0, al);
	set_result_flags(cpu, al, f);
}

static void op_aaa_aas(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	bool subtract = soft_opcode_at(insn->row)->a;
	uint16_t ax = cpu->gpr[SOFT_RAX];
	uint32_t f = 0;
	if ((ax & 15) > 9 || cpu->flags & SOFT_IMAGE_AF) {
		ax = subtract ? ax - 0x106 : ax + 0x106;
		f = SOFT_IMAGE_AF | SOFT_IMAGE_CF;
	}
	ax &= 0xff0f;
	soft_put16(cpu, SOFT_RAX, ax);
	set_result_flags(cpu, ax, f);
}

static void op_aam(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint8_t al = cpu->gpr[SOFT_RAX], base = insn->imm;
	if (!base)
		soft_raise(cpu, SOFT_DE);
	soft_put16(cpu, SOFT_RAX, (al / base) << 8 | al % base);
	set_result_flags(cpu, al % base, 0);
}

static void op_aad(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	uint16_t ax = cpu->gpr[SOFT_RAX];
	uint8_t al = ax + (ax >> 8) * (uint8_t)insn->imm;
	soft_put16(cpu, SOFT_RAX, al);
	set_result_flags(cpu, al, 0);
}

/* clang-format off */
#define PRODUCT .group = SOFT_G_MULDIV, .writes = SOFT_ARITHMETIC, \
	.undefined = SOFT_SF | SOFT_ZF | SOFT_AF | SOFT_PF
#define ONE(n, text, ...) \
	{ .name = text, .opcode = 0xf6, .modrm = SOFT_M_ANY, .digit = n + 1, .size = SOFT_S_8, \
		__VA_ARGS__ }, \
	{ .name = text, .opcode = 0xf7, .modrm = SOFT_M_ANY, .digit = n + 1, .size = SOFT_S_V, \
		__VA_ARGS__ }
#define DECIMAL(op, text, number, unknown, f) \
	{ .name = text, .opcode = op, .size = SOFT_S_8, .group = SOFT_G_BCD, .flags = SOFT_NO64, \
		.reads = SOFT_AF | SOFT_CF, .writes = SOFT_ARITHMETIC, .undefined = unknown, \
		.fn = f, .a = number }

const struct soft_opcode soft_mul_table[] = {
	ONE(4, "mul", PRODUCT, .flags = SOFT_READS_RM, .fn = op_mul),
	ONE(5, "imul", PRODUCT, .flags = SOFT_READS_RM, .fn = op_imul),
	ONE(6, "div", .group = SOFT_G_MULDIV, .writes = SOFT_ARITHMETIC,
		.undefined = SOFT_ARITHMETIC, .flags = SOFT_READS_RM | SOFT_FAULTS,
		.pick = pick_div),
	ONE(7, "idiv", .group = SOFT_G_MULDIV, .writes = SOFT_ARITHMETIC,
		.undefined = SOFT_ARITHMETIC, .flags = SOFT_READS_RM | SOFT_FAULTS,
		.pick = pick_div, .a = 1),
	{ .name = "imul", .map = SOFT_MAP_0F, .opcode = 0xaf, .modrm = SOFT_M_ANY,
		.size = SOFT_S_V, PRODUCT,
		.flags = SOFT_READS_RM | SOFT_READS_REG | SOFT_WRITES_REG, .pick = pick_imul },
	{ .name = "imul", .opcode = 0x69, .modrm = SOFT_M_ANY, .size = SOFT_S_V, .imm = SOFT_I_Z,
		PRODUCT, .flags = SOFT_READS_RM | SOFT_WRITES_REG, .pick = pick_imul, .a = 1 },
	{ .name = "imul", .opcode = 0x6b, .modrm = SOFT_M_ANY, .size = SOFT_S_V, .imm = SOFT_I_8S,
		PRODUCT, .flags = SOFT_READS_RM | SOFT_WRITES_REG, .pick = pick_imul, .a = 1 },
	DECIMAL(0x27, "daa", 0, SOFT_OF, op_daa_das),
	DECIMAL(0x2f, "das", 1, SOFT_OF, op_daa_das),
	DECIMAL(0x37, "aaa", 0, SOFT_OF | SOFT_SF | SOFT_ZF | SOFT_PF, op_aaa_aas),
	DECIMAL(0x3f, "aas", 1, SOFT_OF | SOFT_SF | SOFT_ZF | SOFT_PF, op_aaa_aas),
	{ .name = "aam", .opcode = 0xd4, .size = SOFT_S_8, .imm = SOFT_I_8, .group = SOFT_G_BCD,
		.flags = SOFT_NO64 | SOFT_FAULTS, .writes = SOFT_ARITHMETIC,
		.undefined = SOFT_OF | SOFT_AF | SOFT_CF, .fn = op_aam },
	{ .name = "aad", .opcode = 0xd5, .size = SOFT_S_8, .imm = SOFT_I_8, .group = SOFT_G_BCD,
		.flags = SOFT_NO64, .writes = SOFT_ARITHMETIC,
		.undefined = SOFT_OF | SOFT_AF | SOFT_CF, .fn = op_aad },
	{ 0 },
};
/* clang-format on */
