// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * MOVS STOS LODS CMPS SCAS, with REP.
 *
 * Registers are brought up to date after each element, or after each piece of a page that was
 * copied in one go, so that a fault or an interrupt in the middle finds them right.
 */
#include "engine/vmm/cpu/soft/ops.h"

#include <string.h>

/* Elements between two looks at what is pending. */
#define PATIENCE 256

struct string {
	unsigned size; /* of an element */
	int64_t step;
	uint64_t mask; /* of addresses and count */
};

static struct string string_of(const struct soft_cpu *cpu, const struct soft_insn *insn)
{
	return (struct string){
		.size = insn->size,
		.step = cpu->rflags & SOFT_DF ? -(int64_t)insn->size : insn->size,
		.mask = insn->asize == 8   ? ~0ull
			: insn->asize == 4 ? 0xffffffff
					   : 0xffff,
	};
}

/* Is the segment's offset the linear address, with nothing to check? */
static bool is_flat(const struct soft_cpu *cpu, unsigned seg)
{
	if (cpu->mode & SOFT_MODE_CODE64)
		return seg < SOFT_FS;
	return cpu->mode & SOFT_MODE_FLAT && seg < SOFT_FS && seg != SOFT_CS;
}

static uint64_t source(struct soft_cpu *cpu, const struct soft_insn *insn, const struct string *s)
{
	uint64_t offset = cpu->gpr[SOFT_RSI] & s->mask;
	return is_flat(cpu, insn->seg)
		       ? offset
		       : soft_segment_linear(cpu, insn->seg, offset, s->size, SOFT_READ);
}

static uint64_t destination(struct soft_cpu *cpu, const struct string *s, enum soft_access access)
{
	uint64_t offset = cpu->gpr[SOFT_RDI] & s->mask;
	return is_flat(cpu, SOFT_ES) ? offset
				     : soft_segment_linear(cpu, SOFT_ES, offset, s->size, access);
}

static void advance(struct soft_cpu *cpu, const struct soft_insn *insn, unsigned reg, int64_t by)
{
	soft_put(cpu, insn->asize, reg, cpu->gpr[reg] + by);
}

/* One element of each. */

static void movs_one(struct soft_cpu *cpu, const struct soft_insn *insn, const struct string *s)
{
	uint64_t value = soft_load(cpu, source(cpu, insn, s), s->size);
	soft_store(cpu, destination(cpu, s, SOFT_WRITE), value, s->size);
	advance(cpu, insn, SOFT_RSI, s->step);
	advance(cpu, insn, SOFT_RDI, s->step);
}

static void stos_one(struct soft_cpu *cpu, const struct soft_insn *insn, const struct string *s)
{
	soft_store(cpu, destination(cpu, s, SOFT_WRITE), cpu->gpr[SOFT_RAX], s->size);
	advance(cpu, insn, SOFT_RDI, s->step);
}

static void lods_one(struct soft_cpu *cpu, const struct soft_insn *insn, const struct string *s)
{
	uint64_t value = soft_load(cpu, source(cpu, insn, s), s->size);
	soft_put(cpu, s->size, 0, value);
	advance(cpu, insn, SOFT_RSI, s->step);
}

/* Flags of a - b. */
static void compare(struct soft_cpu *cpu, unsigned size, uint64_t a, uint64_t b)
{
	unsigned unused = 64 - 8 * size;
	uint16_t f;
	/* AF is that of the lowest digit: not of the shifted ones. */
	uint32_t low = ((a ^ b ^ (a - b)) & 0x10) ? SOFT_IMAGE_AF : 0;
	uint8_t difference = a - b;
	a <<= unused;
	b <<= unused;
	__asm__("cmp %2, %1" SOFT_FLAGS_OUT : "=a"(f) : "r"(a), "r"(b) : "cc");
	f &= ~(SOFT_IMAGE_AF | SOFT_IMAGE_PF);
	cpu->flags = f | low | (__builtin_popcount(difference) & 1 ? 0 : SOFT_IMAGE_PF);
}

static void cmps_one(struct soft_cpu *cpu, const struct soft_insn *insn, const struct string *s)
{
	uint64_t a = soft_load(cpu, source(cpu, insn, s), s->size);
	uint64_t b = soft_load(cpu, destination(cpu, s, SOFT_READ), s->size);
	compare(cpu, s->size, a, b);
	advance(cpu, insn, SOFT_RSI, s->step);
	advance(cpu, insn, SOFT_RDI, s->step);
}

static void scas_one(struct soft_cpu *cpu, const struct soft_insn *insn, const struct string *s)
{
	uint64_t b = soft_load(cpu, destination(cpu, s, SOFT_READ), s->size);
	compare(cpu, s->size, soft_reg(cpu, s->size, 0), b);
	advance(cpu, insn, SOFT_RDI, s->step);
}

/* How many whole elements fit from an address to the end of its page. */
static uint64_t in_page(uint64_t linear, unsigned size)
{
	return (MEMORY_PAGE_SIZE - (linear & ~SOFT_PAGE_MASK)) / size;
}

static void fill(uint8_t *to, uint64_t value, unsigned size, uint64_t count)
{
	if (size == 1) {
		memset(to, value, count);
		return;
	}
	for (uint64_t i = 0; i < count; i++)
		memcpy(to + i * size, &value, size);
}

/* Forward, element by element: what a copy onto itself repeats. */
static void copy_forward(uint8_t *to, const uint8_t *from, unsigned size, uint64_t count)
{
	if (to <= from || to >= from + size * count) {
		memmove(to, from, size * count);
		return;
	}
	for (uint64_t i = 0; i < count; i++)
		memmove(to + i * size, from + i * size, size);
}

/* A piece of REP MOVS or STOS that lies in one page on each side, in one go; how many elements, 0
 * where that cannot be done. */
static uint64_t movs_piece(
	struct soft_cpu *cpu, const struct soft_insn *insn, const struct string *s, uint64_t count)
{
	if (s->step < 0 || !is_flat(cpu, insn->seg) || !is_flat(cpu, SOFT_ES))
		return 0;
	uint64_t from = cpu->gpr[SOFT_RSI] & s->mask, to = cpu->gpr[SOFT_RDI] & s->mask;
	count = MIN(count, MIN(in_page(from, s->size), in_page(to, s->size)));
	if (count < 2)
		return 0;
	const uint8_t *a = soft_page_pointer(cpu, from, s->size, SOFT_READ);
	uint8_t *b = a ? soft_page_pointer(cpu, to, s->size, SOFT_WRITE) : NULL;
	if (!b)
		return 0;
	copy_forward(b, a, s->size, count);
	advance(cpu, insn, SOFT_RSI, count * s->size);
	advance(cpu, insn, SOFT_RDI, count * s->size);
	return count;
}

static uint64_t stos_piece(
	struct soft_cpu *cpu, const struct soft_insn *insn, const struct string *s, uint64_t count)
{
	if (s->step < 0 || !is_flat(cpu, SOFT_ES))
		return 0;
	uint64_t to = cpu->gpr[SOFT_RDI] & s->mask;
	count = MIN(count, in_page(to, s->size));
	uint8_t *b = count < 2 ? NULL : soft_page_pointer(cpu, to, s->size, SOFT_WRITE);
	if (!b)
		return 0;
	fill(b, cpu->gpr[SOFT_RAX], s->size, count);
	advance(cpu, insn, SOFT_RDI, count * s->size);
	return count;
}

/* By row field a. */
enum { MOVS, STOS, LODS, CMPS, SCAS };
static const struct {
	void (*one)(struct soft_cpu *cpu, const struct soft_insn *insn, const struct string *s);
	uint64_t (*piece)(struct soft_cpu *cpu, const struct soft_insn *insn,
		const struct string *s, uint64_t count);
	bool compares;
} kinds[] = {
	[MOVS] = {.one = movs_one, .piece = movs_piece},
	[STOS] = {.one = stos_one, .piece = stos_piece},
	[LODS] = {.one = lods_one},
	[CMPS] = {.one = cmps_one, .compares = true},
	[SCAS] = {.one = scas_one, .compares = true},
};

/* REPE goes on while ZF is set, REPNE while it is clear. */
static bool comparison_ends(const struct soft_cpu *cpu, const struct soft_insn *insn)
{
	bool equal = cpu->flags & SOFT_IMAGE_ZF;
	return equal != !(insn->prefixes & SOFT_HAS_REPNE);
}

/* Does what is left; false when it stopped to let something in. */
static bool repeat(
	struct soft_cpu *cpu, const struct soft_insn *insn, const struct string *s, unsigned kind)
{
	bool single = cpu->mode & (SOFT_MODE_STEP | SOFT_MODE_BREAK);
	for (unsigned patience = PATIENCE;; patience--) {
		uint64_t count = cpu->gpr[SOFT_RCX] & s->mask;
		if (!count)
			return true;
		uint64_t done = 0;
		if (kinds[kind].piece && !single)
			done = kinds[kind].piece(cpu, insn, s, count);
		if (!done) {
			kinds[kind].one(cpu, insn, s);
			done = 1;
		}
		advance(cpu, insn, SOFT_RCX, -(int64_t)done);
		if (kinds[kind].compares && comparison_ends(cpu, insn))
			return true;
		if (count == done)
			return true;
		bool pending = atomic_load_explicit(&cpu->pending, memory_order_relaxed);
		if (single || ((done > 1 || !patience) && pending))
			return false;
		if (!patience)
			patience = PATIENCE;
	}
}

/* The handlers themselves have no variable whose address is taken: see ops.h. */
static __attribute__((noinline)) bool run_repeated(
	struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct string s = string_of(cpu, insn);
	return repeat(cpu, insn, &s, insn->reg);
}

static __attribute__((noinline)) void run_once(struct soft_cpu *cpu, const struct soft_insn *insn)
{
	struct string s = string_of(cpu, insn);
	kinds[insn->reg].one(cpu, insn, &s);
}

static SOFT_OP(string_rep)
{
	cpu->current = insn;
	if (!run_repeated(cpu, insn)) {
		cpu->rip = soft_insn_rip(cpu, insn);
		cpu->current = NULL;
		return;
	}
	SOFT_NEXT();
}

static SOFT_OP(string_once)
{
	cpu->current = insn;
	run_once(cpu, insn);
	SOFT_NEXT();
}

static bool pick(struct soft_insn *insn, const struct soft_decode *d)
{
	insn->run = d->prefixes & (SOFT_HAS_REP | SOFT_HAS_REPNE) ? string_rep : string_once;
	insn->reg = d->row->a;
	return true;
}

/* clang-format off */
#define STRING(op, text, number, w) \
	{ .name = text, .opcode = op, .size = SOFT_S_8, .group = SOFT_G_STRING, .writes = w, \
		.flags = SOFT_STRING, .pick = pick, .a = number }, \
	{ .name = text, .opcode = op + 1, .size = SOFT_S_V, .group = SOFT_G_STRING, .writes = w, \
		.flags = SOFT_STRING, .pick = pick, .a = number }

const struct soft_opcode soft_string_table[] = {
	STRING(0xa4, "movs", MOVS, 0),
	STRING(0xa6, "cmps", CMPS, SOFT_ARITHMETIC),
	STRING(0xaa, "stos", STOS, 0),
	STRING(0xac, "lods", LODS, 0),
	STRING(0xae, "scas", SCAS, SOFT_ARITHMETIC),
	{ 0 },
};
/* clang-format on */
