// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "tests/engine/gencode.h"

#include <glib.h>
#include <string.h>

// What the case under construction knows.
struct draft {
	struct gencode *gen;
	struct native_case *test;
	struct gencode_case *info;
	uint32_t mode;
	uint32_t locked; // registers that an address was made of: a bit each
	uint8_t relative_size[GENCODE_MAX]; // of relz immediates
	bool loop;       // the case is a loop counted by r15
	uint64_t early;  // flags read before the loop's body writes anything else
	uint64_t maybe;  // flags whose value may be undefined here
};

// One instruction under construction.
struct draft_insn {
	const struct soft_opcode *row;
	uint8_t bytes[32];
	unsigned length;
	unsigned displacement; // where in bytes it is
	unsigned displacement_size;
	bool relative; // RIP-relative
};

uint64_t gencode_random(struct gencode *gen)
{
	uint64_t z = (gen->state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned below(struct gencode *gen, unsigned limit)
{
	return (gencode_random(gen) >> 32) * limit >> 32;
}

static bool percent(struct gencode *gen, unsigned chance)
{
	return below(gen, 100) < chance;
}

bool gencode_can_test(const struct soft_opcode *row)
{
	// The environment's pointers differ between processors; directed tests see to them. What
	// depends on descriptor tables or could bring in AC or another code segment stays out too.
	static const char *const not_here[] = {
		"fxsave", "fnstenv", "fnsave", "popf", "popfq", "iret", "lar", "lsl", "verr", "verw",
		"sgdt", "sidt", "sldt", "str", "smsw", "clflush", "prefetchw",
	};

	if (row->flags & SOFT_NO_TEST || row->group == SOFT_G_SYSTEM || row->group == SOFT_G_IO)
		return false;
	for (unsigned i = 0; i < G_N_ELEMENTS(not_here); i++)
		if (strcmp(row->name, not_here[i]) == 0)
			return false;
	return true;
}

static uint64_t random_target(struct gencode *gen)
{
	uint64_t boundary = NATIVE_WRITABLE + NATIVE_PAGE;

	switch (below(gen, 20)) {
	case 0 ... 9:
		return NATIVE_WRITABLE + 64 + 16 * below(gen, (2 * NATIVE_PAGE - 256) / 16);
	case 10 ... 14:
		return NATIVE_WRITABLE + 64 + below(gen, 2 * NATIVE_PAGE - 256);
	case 15 ... 16: // across two pages that can be written
		return boundary - 1 - below(gen, 16);
	case 17: // into the read-only page
		return boundary + NATIVE_PAGE + 16 - below(gen, 32);
	case 18: // off the end, or before the beginning
		return percent(gen, 50) ? NATIVE_DATA_END - below(gen, 20) : NATIVE_WRITABLE + 4 - below(gen, 12);
	default:
		return percent(gen, 50) ? gencode_random(gen) : NATIVE_DATA_END - 600 + below(gen, 400);
	}
}

static uint64_t random_register(struct gencode *gen)
{
	static const uint64_t corners[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
		0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, UINT64_MAX};

	switch (below(gen, 10)) {
	case 0 ... 3:
		return NATIVE_WRITABLE + 512 + below(gen, NATIVE_PAGE);
	case 4:
		return corners[below(gen, G_N_ELEMENTS(corners))];
	case 5 ... 6:
		return below(gen, 256);
	case 7:
		return (int64_t)(int32_t)gencode_random(gen);
	default:
		return gencode_random(gen);
	}
}

// An operand for arithmetic: mostly ordinary numbers, often special ones.
static void random_float(struct gencode *gen, uint8_t *bytes, unsigned size)
{
	static const uint32_t singles[] = {0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000,
		0x7fc00000, 0x7fa00001, 0x00000001, 0x807fffff, 0x7f7fffff, 0x4f000000, 0x3f000000};
	static const uint64_t doubles[] = {0, 0x8000000000000000, 0x3ff0000000000000, 0xbfe0000000000000,
		0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0x7ff4000000000001, 1,
		0x800fffffffffffff, 0x7fefffffffffffff, 0x43e0000000000000, 0x41dfffffffc00000};
	uint64_t value = gencode_random(gen);
	unsigned kind = below(gen, 4);

	if (size == 4 && kind == 0)
		value = singles[below(gen, G_N_ELEMENTS(singles))];
	else if (size == 4 && kind < 3) // of middling size
		value = (value & 0x807fffff) | (100 + below(gen, 56)) << 23;
	else if (size == 8 && kind == 0)
		value = doubles[below(gen, G_N_ELEMENTS(doubles))];
	else if (size == 8 && kind < 3)
		value = (value & 0x800fffffffffffff) | (uint64_t)(990 + below(gen, 66)) << 52;
	memcpy(bytes, &value, size);
}

static void random_vector(struct gencode *gen, uint8_t bytes[16])
{
	unsigned kind = below(gen, 4);
	unsigned size = kind == 0 ? 4 : 8;

	for (unsigned i = 0; i < 16; i += size) {
		uint64_t value = gencode_random(gen);

		memcpy(bytes + i, &value, size);
		if (kind < 2)
			random_float(gen, bytes + i, size);
		else if (kind == 2) // small integers, for the string instructions
			for (unsigned j = 0; j < 8; j++)
				bytes[i + j] &= 3;
	}
}

static void random_extended(struct gencode *gen, uint8_t bytes[10])
{
	static const uint16_t exponents[] = {0, 1, 0x3ffe, 0x3fff, 0x4000, 0x7ffe, 0x7fff, 0x403e, 0x401e};
	uint64_t significand = gencode_random(gen);
	uint16_t exponent = 0x3fff - 60 + below(gen, 120);

	if (percent(gen, 25))
		exponent = exponents[below(gen, G_N_ELEMENTS(exponents))];
	if (percent(gen, 25))
		significand <<= below(gen, 64);
	if (exponent && !percent(gen, 5)) // else an unnormal
		significand |= 1ull << 63;
	exponent |= gencode_random(gen) & 0x8000;
	memcpy(bytes, &significand, 8);
	memcpy(bytes + 8, &exponent, 2);
}

static void random_fp(struct gencode *gen, struct soft_fx_image *fx)
{
	memset(fx, 0, sizeof(*fx));
	fx->fcw = 0x37f;
	fx->mxcsr = SOFT_MXCSR_DEFAULT;
	fx->mxcsr_mask = SOFT_MXCSR_MASK;
	if (percent(gen, 40))
		fx->fcw = (gencode_random(gen) & 0xf00) | 0x7f;
	if (percent(gen, 15))
		fx->fcw ^= gencode_random(gen) & 0x3f;
	if (percent(gen, 40))
		fx->mxcsr = (gencode_random(gen) & 0xffff) | 0x1f80;
	if (percent(gen, 15))
		fx->mxcsr &= ~(gencode_random(gen) & 0x1fbf);
	if (percent(gen, 50))
		fx->fsw = gencode_random(gen) & 0x7f00; // TOP and condition codes
	if (percent(gen, 5))
		fx->fsw |= gencode_random(gen) & 0x7f;
	if (percent(gen, 70))
		fx->ftw = gencode_random(gen);
	for (unsigned i = 0; i < 8; i++)
		random_extended(gen, fx->st[i]);
	for (unsigned i = 0; i < 16; i++)
		random_vector(gen, fx->xmm[i]);
}

static void put(struct draft_insn *insn, uint8_t byte)
{
	insn->bytes[insn->length++] = byte;
}

static void put_prefixes(struct draft *draft, struct draft_insn *insn)
{
	static const uint8_t mandatory[] = {[SOFT_P_66] = 0x66, [SOFT_P_F3] = 0xf3, [SOFT_P_F2] = 0xf2};
	static const uint8_t segments[] = {0x26, 0x2e, 0x36, 0x3e};
	const struct soft_opcode *row = insn->row;
	struct gencode *gen = draft->gen;
	bool sized = row->size == SOFT_S_V || row->size == SOFT_S_V64;

	if (row->flags & SOFT_LOCK && percent(gen, 20))
		put(insn, 0xf0);
	if (row->flags & SOFT_STRING && percent(gen, 60))
		put(insn, percent(gen, 50) ? 0xf3 : 0xf2);
	if (percent(gen, 4))
		put(insn, segments[below(gen, 4)]);
	if (!draft->test->compat && percent(gen, 5))
		put(insn, 0x65);
	if (percent(gen, draft->test->compat ? 3 : 6))
		put(insn, 0x67);
	// Near branches and MOVSXD with 66 differ between the makers' processors in 64-bit code.
	if (row->prefix == SOFT_P_ANY && (draft->test->compat || row->size != SOFT_S_F64) &&
		strcmp(row->name, "movsxd") != 0 && percent(gen, sized ? 25 : 3))
		put(insn, 0x66);
	if (row->prefix > SOFT_P_NONE)
		put(insn, mandatory[row->prefix]);
}

static void put_rex(struct draft *draft, struct draft_insn *insn)
{
	const struct soft_opcode *row = insn->row;
	uint8_t rex = 0x40 | below(draft->gen, 16);

	if (draft->test->compat)
		return;
	if (row->flags & SOFT_REX_W_ONLY)
		rex |= 8;
	if (row->flags & SOFT_NO_REX_W)
		rex &= ~8;
	if (rex & 8 || percent(draft->gen, 50))
		put(insn, rex);
}

static void put_opcode(struct draft *draft, struct draft_insn *insn)
{
	const struct soft_opcode *row = insn->row;
	unsigned span = row->flags & SOFT_REG_IN_OPCODE ? 8 : row->flags & SOFT_CC_IN_OPCODE ? 16 : 1;

	if (row->map != SOFT_MAP_1)
		put(insn, 0x0f);
	if (row->map == SOFT_MAP_38 || row->map == SOFT_MAP_3A)
		put(insn, row->map == SOFT_MAP_38 ? 0x38 : 0x3a);
	put(insn, row->opcode + below(draft->gen, span));
}

static void put_modrm(struct draft *draft, struct draft_insn *insn)
{
	const struct soft_opcode *row = insn->row;
	uint8_t modrm = gencode_random(draft->gen);

	if (row->modrm == SOFT_M_NONE)
		return;
	if (row->modrm == SOFT_M_REG)
		modrm |= 0xc0;
	else if (row->modrm == SOFT_M_MEM && modrm >= 0xc0)
		modrm &= 0x7f;
	else if (row->modrm == SOFT_M_ANY && percent(draft->gen, 30))
		modrm |= 0xc0;
	if (row->digit)
		modrm = (modrm & ~0x38) | (row->digit - 1) << 3;
	if (row->rm)
		modrm = (modrm & ~7) | (row->rm - 1);
	put(insn, modrm);
}

// The rest is random; the decoder tells how long it is.
static bool put_rest(struct draft *draft, struct draft_insn *insn, struct soft_insn *decoded)
{
	unsigned known = insn->length;
	int length;

	for (unsigned i = known; i < sizeof(insn->bytes); i++)
		insn->bytes[i] = gencode_random(draft->gen);
	memset(decoded, 0, sizeof(*decoded));
	length = soft_decode(decoded, insn->bytes, 15, draft->mode);
	if (length < 0 || (unsigned)length < known || soft_opcode_at(decoded->row) != insn->row)
		return false;
	insn->length = length;
	return true;
}

static bool is_locked(const struct draft *draft, unsigned reg)
{
	return draft->locked >> reg & 1;
}

static void set_register(struct draft *draft, unsigned reg, uint64_t value)
{
	if (reg < 16 && !is_locked(draft, reg))
		draft->test->in.gpr[reg] = value;
	if (reg < 16)
		draft->locked |= 1u << reg;
}

// Finds a 4 byte displacement that the decoder has read, and changes it by `change`.
static void adjust_displacement(struct draft_insn *insn, const struct soft_insn *decoded,
	int64_t end, int64_t wanted)
{
	int64_t have = decoded->disp - (decoded->base == SOFT_ORIGIN ? end : 0);
	int32_t value = wanted, old = have;

	for (unsigned at = 1; at + 4 <= insn->length; at++) {
		if (memcmp(insn->bytes + at, &old, 4) != 0 || have != old)
			continue;
		memcpy(insn->bytes + at, &value, 4);
		return;
	}
}

// Lets base and index registers, or the displacement, make an address in the data pages.
static void aim_memory(struct draft *draft, struct draft_insn *insn, const struct soft_insn *decoded)
{
	uint64_t target = random_target(draft->gen);
	uint64_t *gpr = draft->test->in.gpr, sum = decoded->disp;

	if (decoded->seg == SOFT_GS)
		target -= NATIVE_GS_BASE;
	if (decoded->base == SOFT_ORIGIN) {
		adjust_displacement(insn, decoded, insn->length,
			target - draft->test->in.rip - draft->test->length - insn->length);
		return;
	}
	if (decoded->base >= 16 && decoded->index >= 16) {
		adjust_displacement(insn, decoded, 0, target);
		return;
	}
	if (decoded->index < 16 && decoded->index != decoded->base) {
		set_register(draft, decoded->index, gpr[decoded->index]);
		sum += gpr[decoded->index] << decoded->scale;
	}
	if (decoded->base < 16)
		set_register(draft, decoded->base, target - sum);
	else if (decoded->base >= 16 && !decoded->disp)
		return;
}

static void aim_implicit(struct draft *draft, const struct soft_opcode *row,
	const struct soft_insn *decoded)
{
	struct gencode *gen = draft->gen;

	if (row->flags & SOFT_STRING) {
		set_register(draft, SOFT_RSI, random_target(gen));
		set_register(draft, SOFT_RDI, random_target(gen));
		set_register(draft, SOFT_RCX, below(gen, percent(gen, 20) ? 5000 : 40));
	}
	if (strcmp(row->name, "enter") == 0) { // the frames it copies must not be its own
		set_register(draft, SOFT_RBP, NATIVE_WRITABLE + 300 + below(gen, 512));
		set_register(draft, SOFT_RSP, NATIVE_WRITABLE + 2048 + below(gen, NATIVE_DATA_SIZE));
	}
	if (row->flags & SOFT_STACK || row->group == SOFT_G_CALL)
		set_register(draft, SOFT_RSP, random_target(gen) & (percent(gen, 80) ? ~7ull : ~0ull));
	if (strcmp(row->name, "leave") == 0)
		set_register(draft, SOFT_RBP, random_target(gen));
	if (strncmp(row->name, "maskmov", 7) == 0) // bytes masked out may fault or not
		set_register(draft, SOFT_RDI, NATIVE_WRITABLE + below(gen, 2 * NATIVE_PAGE - 16));
	if (row->group == SOFT_G_BRANCH && row->modrm != SOFT_M_NONE && !decoded->memory)
		set_register(draft, decoded->rm, GENCODE_LANDING + below(gen, GENCODE_LANDING_SIZE));
}

#define COUNTER SOFT_R15
#define LENGTH_MAX (NATIVE_CODE_MAX - 8) // leaves room for the loop's end

static bool uses_counter(const struct soft_opcode *row, const struct soft_insn *decoded)
{
	// A byte register's number counts bytes; vector registers may have any number.
	bool byte = !(row->flags & SOFT_FP) &&
				(decoded->size == 1 || row->flags & SOFT_MODRM_SIZE8_RM);

	return decoded->base == COUNTER || decoded->index == COUNTER || decoded->reg == COUNTER ||
		   decoded->rm == COUNTER ||
		   (byte && (decoded->reg >> 3 == COUNTER || decoded->rm >> 3 == COUNTER));
}

static bool make_insn(struct draft *draft, struct draft_insn *insn, struct soft_insn *decoded)
{
	insn->length = 0;
	put_prefixes(draft, insn);
	put_rex(draft, insn);
	put_opcode(draft, insn);
	put_modrm(draft, insn);
	if (!put_rest(draft, insn, decoded))
		return false;
	// FS is the C library's, and an undefined flag must not decide anything.
	if (decoded->memory && decoded->seg == SOFT_FS)
		return false;
	if (insn->row->reads & draft->maybe || (draft->loop && uses_counter(insn->row, decoded)))
		return false;
	aim_implicit(draft, insn->row, decoded);
	if (decoded->memory)
		aim_memory(draft, insn, decoded);
	return true;
}

// ENTER after the registers were used otherwise would copy its own frames.
static bool is_clobbered(const struct draft *draft, const struct soft_opcode *row)
{
	uint32_t pointers = 1u << SOFT_RBP | 1u << SOFT_RSP;

	return strcmp(row->name, "enter") == 0 && (draft->info->count || draft->locked & pointers);
}

static bool append(struct draft *draft, unsigned row)
{
	struct draft_insn insn = {.row = soft_opcode_at(row)};
	struct soft_insn decoded;
	struct native_case *test = draft->test;
	struct gencode_case *info = draft->info;

	if (is_clobbered(draft, insn.row) || !make_insn(draft, &insn, &decoded) || test->length + insn.length > LENGTH_MAX)
		return false;
	draft->relative_size[info->count] = decoded.size == 2 ? 2 : 4;
	info->row[info->count] = row;
	info->offset[info->count++] = test->length;
	memcpy(test->code + test->length, insn.bytes, insn.length);
	test->length += insn.length;
	draft->early |= insn.row->reads;
	// A branch may skip what would have defined them again.
	draft->maybe |= insn.row->undefined;
	return true;
}

static void begin(struct draft *draft, struct native_case *test, struct gencode_case *info)
{
	struct gencode *gen = draft->gen;
	bool compat = test->compat;

	memset(test, 0, sizeof(*test));
	memset(info, 0, sizeof(*info));
	test->compat = compat;
	test->offset = below(gen, NATIVE_PAGE - 2 * NATIVE_CODE_MAX);
	test->in.rip = NATIVE_CODE + test->offset;
	test->in.rflags = 0x202 | (gencode_random(gen) & (SOFT_ARITHMETIC | (percent(gen, 30) ? SOFT_DF : 0)));
	for (unsigned i = 0; i < 16; i++)
		test->in.gpr[i] = random_register(gen);
	test->in.gpr[SOFT_RSP] = NATIVE_WRITABLE + 1024 + 8 * below(gen, 500);
	random_fp(gen, &test->in.fx);
	draft->mode = SOFT_MODE_PROTECTED | SOFT_MODE_LONG | 3;
	draft->mode |= compat ? SOFT_MODE_CODE32 | SOFT_MODE_STACK32 | SOFT_MODE_FLAT
						  : SOFT_MODE_CODE64 | SOFT_MODE_STACK32;
}

// Branches go to a later instruction, or to the INT3 behind the last.
static void aim_branches(struct draft *draft)
{
	struct gencode_case *info = draft->info;

	for (unsigned i = 0; i < info->count; i++) {
		unsigned kind = soft_opcode_at(info->row[i])->imm;
		unsigned to = i + 1 + below(draft->gen, info->count - i);
		unsigned end = i + 1 < info->count ? info->offset[i + 1] : draft->test->length;
		int32_t distance = (to < info->count ? info->offset[to] : draft->test->length) - end;

		if (kind == SOFT_I_REL8)
			draft->test->code[end - 1] = distance;
		else if (kind == SOFT_I_RELZ)
			memcpy(draft->test->code + end - draft->relative_size[i], &distance,
				draft->relative_size[i]);
	}
}

// A row to go on with: any; often a condition after flags, as compilers write it.
static unsigned next_row(struct draft *draft)
{
	const struct soft_opcode *last = soft_opcode_at(draft->info->row[draft->info->count - 1]);
	bool condition = last->writes && percent(draft->gen, 40);
	const struct soft_opcode *opcode;
	unsigned row;

	do {
		row = below(draft->gen, soft_opcodes());
		opcode = soft_opcode_at(row);
	} while (!gencode_can_test(opcode) || (condition && !(opcode->flags & SOFT_CC_IN_OPCODE)));
	return row;
}

// dec r15; jnz to the first instruction. What it reads must then be defined at the end, too: CF is
// all that DEC leaves alone.
static bool close_loop(struct draft *draft)
{
	struct native_case *test = draft->test;
	uint8_t tail[] = {0x49, 0xff, 0xcf, 0x75, 0};

	if (draft->early & draft->maybe & SOFT_CF)
		return false;
	tail[4] = -(test->length + sizeof(tail));
	memcpy(test->code + test->length, tail, sizeof(tail));
	test->length += sizeof(tail);
	test->in.gpr[COUNTER] = 2 + below(draft->gen, 20);
	return true;
}

bool gencode_make(struct gencode *gen, unsigned row, unsigned length, struct native_case *test,
	struct gencode_case *info)
{
	struct draft draft = {.gen = gen, .test = test, .info = info};
	bool made = false;

	begin(&draft, test, info);
	draft.loop = !test->compat && length > 1 && percent(gen, 50);
	for (unsigned attempt = 0; attempt < 8 && !made; attempt++)
		made = append(&draft, row);
	while (made && info->count < length)
		append(&draft, next_row(&draft));
	if (test->compat)
		for (unsigned i = 0; i < 16; i++)
			test->in.gpr[i] = i < 8 ? (uint32_t)test->in.gpr[i] : 0;
	aim_branches(&draft);
	if (draft.loop && !close_loop(&draft))
		return false;
	info->undefined = draft.maybe;
	return made;
}
