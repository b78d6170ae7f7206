// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Flags (CLC STC CMC CLD STD LAHF SAHF SALC) and what does nothing (NOP, hints, prefetches).
 */
#include "engine/vmm/cpu/soft/ops.h"

static SOFT_OP(nop)
{
	SOFT_NEXT();
}

static SOFT_OP(clc)
{
	cpu->flags &= ~SOFT_IMAGE_CF;
	SOFT_NEXT();
}

static SOFT_OP(stc)
{
	cpu->flags |= SOFT_IMAGE_CF;
	SOFT_NEXT();
}

static SOFT_OP(cmc)
{
	cpu->flags ^= SOFT_IMAGE_CF;
	SOFT_NEXT();
}

static SOFT_OP(cld)
{
	cpu->rflags &= ~(uint64_t)SOFT_DF;
	SOFT_NEXT();
}

static SOFT_OP(std)
{
	cpu->rflags |= SOFT_DF;
	SOFT_NEXT();
}

/* AH, without OF and with bit 1 set. */
static SOFT_OP(lahf)
{
	soft_put8(cpu, 1, (soft_flags_from_image(cpu->flags) & 0xff) | 2);
	SOFT_NEXT();
}

static SOFT_OP(sahf)
{
	cpu->flags = (soft_reg8(cpu, 1) & 0xd5) << 8 | (cpu->flags & SOFT_IMAGE_OF);
	SOFT_NEXT();
}

static SOFT_OP(salc)
{
	soft_put8(cpu, 0, cpu->flags & SOFT_IMAGE_CF ? 0xff : 0);
	SOFT_NEXT();
}

enum { NOP, CLC, STC, CMC, CLD, STD, LAHF, SAHF, SALC };
static void (*const handlers[])(struct soft_cpu *, const struct soft_insn *) = {
	[NOP] = nop,
	[CLC] = clc,
	[STC] = stc,
	[CMC] = cmc,
	[CLD] = cld,
	[STD] = std,
	[LAHF] = lahf,
	[SAHF] = sahf,
	[SALC] = salc,
};

static bool pick(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = handlers[d->row->a];
	return true;
}

/* clang-format off */
#define FLAG(op, text, number, r, w, f) \
	{ .name = text, .opcode = op, .size = SOFT_S_8, .group = SOFT_G_FLAG, .reads = r, \
		.writes = w, \
		.flags = f, .pick = pick, .a = number }
/* The operand is not touched. */
#define HINT(op, text) \
	{ .name = text, .map = SOFT_MAP_0F, .opcode = op, .modrm = SOFT_M_ANY, .size = SOFT_S_V, \
		.group = SOFT_G_NOP, .pick = pick, .a = NOP }

const struct soft_opcode soft_misc_table[] = {
	FLAG(0xf8, "clc", CLC, 0, SOFT_CF, 0),
	FLAG(0xf9, "stc", STC, 0, SOFT_CF, 0),
	FLAG(0xf5, "cmc", CMC, SOFT_CF, SOFT_CF, 0),
	FLAG(0xfc, "cld", CLD, 0, 0, 0),
	FLAG(0xfd, "std", STD, 0, 0, 0),
	FLAG(0x9f, "lahf", LAHF, SOFT_ARITHMETIC & ~SOFT_OF, 0, 0),
	FLAG(0x9e, "sahf", SAHF, 0, SOFT_ARITHMETIC & ~SOFT_OF, 0),
	FLAG(0xd6, "salc", SALC, SOFT_CF, 0, SOFT_NO64),
	HINT(0x0d, "prefetchw"),
	HINT(0x18, "prefetch"),
	HINT(0x19, "nop"),
	HINT(0x1a, "nop"),
	HINT(0x1b, "nop"),
	HINT(0x1c, "nop"),
	HINT(0x1d, "nop"),
	HINT(0x1e, "nop"), /* ENDBR32 and ENDBR64 among them */
	HINT(0x1f, "nop"),
	{ 0 },
};
/* clang-format on */
