// SPDX-License-Identifier: GPL-3.0-or-later
// The decoder: lengths, operands and refusals, and its tables against themselves.

#include "engine/vmm/cpu/soft/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LONG (SOFT_MODE_CODE64 | SOFT_MODE_STACK32 | SOFT_MODE_LONG | SOFT_MODE_PROTECTED)
#define FLAT32 (SOFT_MODE_CODE32 | SOFT_MODE_STACK32 | SOFT_MODE_FLAT | SOFT_MODE_PROTECTED)
#define REAL 0u

struct encoding {
	const char *bytes;
	unsigned length;
	uint32_t mode;
	int result; /* its length, or SOFT_DECODE_INVALID */
	const char *name;
	unsigned size;
};

#define E(b, mode, name, size) { b, sizeof(b) - 1, mode, sizeof(b) - 1, name, size }
#define BAD(b, mode) { b, sizeof(b) - 1, mode, SOFT_DECODE_INVALID, NULL, 0 }

static const struct encoding encodings[] = {
	E("\x90", LONG, "xchg", 4),
	E("\x48\x89\xd8", LONG, "mov", 8),
	E("\x66\x89\xd8", LONG, "mov", 2),
	E("\x66\x48\x89\xd8", LONG, "mov", 8), /* REX.W wins */
	E("\x48\x66\x89\xd8", LONG, "mov", 2), /* REX not last: ignored */
	E("\x89\xd8", REAL, "mov", 2),
	E("\x66\x89\xd8", REAL, "mov", 4),
	E("\x40", FLAT32, "inc", 4),
	E("\x8b\x04\x25\x00\x10\x00\x00", LONG, "mov", 4),
	E("\x8b\x05\x00\x10\x00\x00", LONG, "mov", 4), /* RIP-relative */
	E("\x8b\x05\x00\x10\x00\x00", FLAT32, "mov", 4), /* absolute */
	E("\x8b\x06\x00\x10", REAL, "mov", 2),
	E("\x67\x8b\x06", REAL, "mov", 2),
	E("\x8b\x44\x24\x08", LONG, "mov", 4),
	E("\x8b\x84\x88\x00\x01\x00\x00", LONG, "mov", 4),
	E("\x65\x48\x8b\x04\x25\x28\x00\x00\x00", LONG, "mov", 8),
	E("\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", LONG, "mov", 8),
	E("\x48\xa1\x01\x02\x03\x04\x05\x06\x07\x08", LONG, "mov", 8),
	E("\xa1\x01\x02\x03\x04", FLAT32, "mov", 4),
	E("\xc7\x05\x00\x00\x00\x00\x78\x56\x34\x12", LONG, "mov", 4),
	E("\x66\xc7\x00\x34\x12", LONG, "mov", 2),
	E("\x50", LONG, "push", 8),
	E("\x66\x50", LONG, "push", 2),
	E("\xe8\x00\x00\x00\x00", LONG, "call", 8),
	E("\xe8\x00\x00", REAL, "call", 2),
	E("\x0f\x84\x00\x00\x00\x00", LONG, "j", 8),
	E("\xf3\xa4", LONG, "movs", 1),
	E("\xf0\x48\x0f\xb1\x0f", LONG, "cmpxchg", 8),
	E("\xf0\x48\x0f\xc7\x0f", LONG, "cmpxchg16b", 8),
	E("\xf0\x0f\xc7\x0f", LONG, "cmpxchg8b", 4),
	E("\xc8\x10\x00\x01", LONG, "enter", 8),
	E("\xf3\x48\x0f\xb8\xc1", LONG, "popcnt", 8),
	E("\xf2\x48\x0f\x38\xf1\xc1", LONG, "crc32", 8),
	E("\x0f\x1f\x84\x00\x00\x00\x00\x00", LONG, "nop", 4),
	E("\x63\xc1", LONG, "movsxd", 4),
	BAD("\x06", LONG),                 /* PUSH ES */
	BAD("\x27", LONG),                 /* DAA */
	BAD("\xf0\x01\xd8", LONG),         /* LOCK with a register */
	BAD("\xf0\x8b\x00", LONG),         /* LOCK of a load */
	BAD("\xf0\x39\x00", LONG),         /* LOCK CMP */
	BAD("\x8d\xc0", LONG),             /* LEA of a register */
	BAD("\x0f\x0b", LONG),             /* UD2 */
	BAD("\xc5\xf8\x77", LONG),         /* VEX */
	BAD("\x62\xf1\x7c\x48\x10\x00", LONG), /* EVEX */
	BAD("\x0f\xc7\xc9", LONG),         /* CMPXCHG8B of a register */
};

static void test_encodings(void **state)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(encodings); i++) {
		const struct encoding *e = &encodings[i];
		struct soft_insn insn = { 0 };
		int length = soft_decode(&insn, (const uint8_t *)e->bytes, e->length, e->mode);
		if (length != e->result)
			fail_msg("encoding %u: %d, not %d", i, length, e->result);
		if (length < 0)
			continue;
		assert_string_equal(soft_opcode_at(insn.row)->name, e->name);
		assert_int_equal(insn.size, e->size);
		assert_int_equal(insn.length, e->length);
	}
}

/* Each proper beginning of an instruction asks for more. */
static void test_truncated(void **state)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(encodings); i++) {
		const struct encoding *e = &encodings[i];
		for (int have = 0; have < e->result; have++) {
			struct soft_insn insn = { 0 };
			int length = soft_decode(&insn, (const uint8_t *)e->bytes, have, e->mode);
			if (length != SOFT_DECODE_MORE)
				fail_msg("%d bytes of encoding %u: %d", have, i, length);
		}
	}
}

static void test_too_long(void **state)
{
	uint8_t bytes[20];
	struct soft_insn insn = { 0 };
	memset(bytes, 0x66, sizeof bytes);
	bytes[14] = 0x90;
	assert_int_equal(soft_decode(&insn, bytes, sizeof bytes, LONG), 15);
	memset(bytes, 0x66, sizeof bytes);
	bytes[15] = 0x90;
	assert_int_equal(soft_decode(&insn, bytes, sizeof bytes, LONG), SOFT_DECODE_LONG);
}

static struct soft_insn decode(const char *bytes, unsigned length, uint32_t mode)
{
	struct soft_insn insn = { .offset = 0x20 };
	assert_int_equal(soft_decode(&insn, (const uint8_t *)bytes, length, mode), length);
	return insn;
}
#define DECODE(bytes, mode) decode(bytes, sizeof(bytes) - 1, mode)

static void test_operands(void **state)
{
	/* mov 0x100(%r9,%r10,8),%r8 */
	struct soft_insn insn = DECODE("\x4f\x8b\x84\xd1\x00\x01\x00\x00", LONG);
	assert_int_equal(insn.base, SOFT_R9);
	assert_int_equal(insn.index, SOFT_R10);
	assert_int_equal(insn.scale, 3);
	assert_int_equal(insn.disp, 0x100);
	assert_int_equal(insn.reg, SOFT_R8);
	assert_int_equal(insn.address, SOFT_ADDRESS_FLAT);

	/* RIP-relative: from the block's origin, past this instruction */
	insn = DECODE("\x8b\x05\xf0\xff\xff\xff", LONG);
	assert_int_equal(insn.base, SOFT_ORIGIN);
	assert_int_equal(insn.disp, 0x20 + 6 - 16);

	/* a GS operand without index has the base as its index; with one it goes by the segment */
	insn = DECODE("\x65\x8b\x40\x08", LONG);
	assert_int_equal(insn.index, SOFT_GS_BASE);
	assert_int_equal(insn.address, SOFT_ADDRESS_FLAT);
	insn = DECODE("\x65\x8b\x44\x08\x08", LONG);
	assert_int_equal(insn.address, SOFT_ADDRESS_SEGMENT);
	assert_int_equal(insn.seg, SOFT_GS);

	/* mov %ah,%dl, and with REX mov %spl,%dl */
	insn = DECODE("\x88\xe2", LONG);
	assert_int_equal(insn.reg, 1);
	assert_int_equal(insn.rm, SOFT_RDX * 8);
	insn = DECODE("\x40\x88\xe2", LONG);
	assert_int_equal(insn.reg, SOFT_RSP * 8);

	/* 16-bit: mov 5(%bp,%si),%ax is in SS */
	insn = DECODE("\x8b\x42\x05", REAL);
	assert_int_equal(insn.base, SOFT_RBP);
	assert_int_equal(insn.index, SOFT_RSI);
	assert_int_equal(insn.seg, SOFT_SS);
	assert_int_equal(insn.address, SOFT_ADDRESS_SEGMENT);

	/* a branch's target is relative to the block's origin: back to itself */
	insn = DECODE("\xeb\xfe", LONG);
	assert_int_equal(insn.imm, 0x20);
}

/* Builds an encoding of a row, with a register operand where it may have one. */
static unsigned encode(const struct soft_opcode *row, uint32_t mode, uint8_t *bytes)
{
	static const uint8_t prefixes[] = {
		[SOFT_P_66] = 0x66, [SOFT_P_F3] = 0xf3, [SOFT_P_F2] = 0xf2
	};
	unsigned at = 0;
	if (prefixes[row->prefix])
		bytes[at++] = prefixes[row->prefix];
	if (row->flags & SOFT_REX_W_ONLY)
		bytes[at++] = 0x48;
	if (row->map != SOFT_MAP_1)
		bytes[at++] = 0x0f;
	if (row->map == SOFT_MAP_38)
		bytes[at++] = 0x38;
	if (row->map == SOFT_MAP_3A)
		bytes[at++] = 0x3a;
	bytes[at++] = row->opcode;
	if (row->modrm != SOFT_M_NONE) {
		uint8_t mod = row->modrm == SOFT_M_MEM ? 0 : 0xc0;
		uint8_t reg = row->digit ? row->digit - 1 : 1;
		bytes[at++] = mod | reg << 3 | (row->rm ? row->rm - 1 : 3);
	}
	memset(bytes + at, 1, 15 - at);
	return at;
}

/* Every row can be reached, in the mode it is for. */
static void test_rows(void **state)
{
	unsigned reached = 0;
	for (unsigned number = 0; number < soft_opcodes(); number++) {
		const struct soft_opcode *row = soft_opcode_at(number);
		uint32_t mode = row->flags & SOFT_NO64 || row->size == SOFT_S_16 ? FLAT32 : LONG;
		uint8_t bytes[16];
		struct soft_insn insn = { 0 };
		unsigned head = encode(row, mode, bytes);
		int length = soft_decode(&insn, bytes, 15, mode);
		if (length == SOFT_DECODE_INVALID && row->flags & SOFT_FP)
			continue; /* this processor may lack it */
		if (length < (int)head)
			fail_msg("row %u (%s): %d", number, row->name, length);
		if (insn.row != number && strcmp(soft_opcode_at(insn.row)->name, row->name) != 0)
			fail_msg("row %u (%s) is hidden by %s", number, row->name,
				soft_opcode_at(insn.row)->name);
		reached++;
	}
	assert_true(reached > 300);
}

/* Whatever the bytes: no more than 15 are taken, those are enough, and one less is not. */
static void test_random(void **state)
{
	const char *given = g_getenv("LODGE_SEED");
	guint32 seed = given ? strtoul(given, NULL, 0) : g_random_int();
	GRand *rand = g_rand_new_with_seed(seed);
	print_message("seed %u\n", seed);
	static const uint32_t modes[] = { LONG, FLAT32, REAL, SOFT_MODE_PROTECTED | SOFT_MODE_V86 };
	unsigned decoded = 0;
	for (unsigned i = 0; i < 400000; i++) {
		uint8_t bytes[15];
		struct soft_insn insn = { 0 }, again = { 0 };
		for (unsigned k = 0; k < sizeof bytes; k++)
			bytes[k] = g_rand_int(rand);
		uint32_t mode = modes[i % G_N_ELEMENTS(modes)];
		int length = soft_decode(&insn, bytes, sizeof bytes, mode);
		if (length < 0)
			continue;
		decoded++;
		assert_in_range(length, 1, 15);
		assert_int_equal(soft_decode(&again, bytes, length, mode), length);
		assert_int_equal(insn.row, again.row);
		assert_int_equal(soft_decode(&again, bytes, length - 1, mode), SOFT_DECODE_MORE);
	}
	assert_true(decoded > 100000);
	g_rand_free(rand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
