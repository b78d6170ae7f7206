// SPDX-License-Identifier: GPL-3.0-or-later
// What the differential test leaves out of x87 and SSE: saved environments with their pointers, and
// the exceptions that system software asks for by CR0 and CR4.
#include "config.h"

#include "engine/vmm/cpu/soft/simd.h"
#include "tests/engine/native.h"
#include "tests/engine/softbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint8_t data[NATIVE_DATA_SIZE];

#define IMAGE 0x100u // where in the data pages the tests' code saves to
#define OPERAND 0x40u

// Machine code with rbx = the data pages.
#define CODE(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

static void prepare(struct native_case *test, bool compat, const uint8_t *code, unsigned length)
{
	memset(test, 0, sizeof(*test));
	test->compat = compat;
	test->length = length;
	memcpy(test->code, code, length);
	test->in.rip = NATIVE_CODE;
	test->in.rflags = 0x202;
	test->in.gpr[SOFT_RBX] = NATIVE_WRITABLE;
	test->in.gpr[SOFT_RSP] = NATIVE_WRITABLE + NATIVE_PAGE;
	test->in.fx.fcw = 0x37f;
	test->in.fx.mxcsr = SOFT_MXCSR_DEFAULT;
	for (unsigned i = 0; i < 16; i++)
		memset(test->in.fx.xmm[i], 0x11 * i, 16);
}

static void run(struct softbox *box, struct native_case *test, bool compat, const uint8_t *code,
	unsigned length)
{
	soft_stubs_handle_sigfpe();
	prepare(test, compat, code, length);
	softbox_run(box, test);
}

static uint32_t image32(const struct native_case *test, unsigned offset)
{
	uint32_t value;

	memcpy(&value, test->data + IMAGE + offset, 4);
	return value;
}

static uint16_t image16(const struct native_case *test, unsigned offset)
{
	return image32(test, offset);
}

// fld qword [rbx+40h]; fxsave [rbx+100h]
#define LOAD_AND_FXSAVE 0xdd, 0x43, 0x40, 0x0f, 0xae, 0x83, 0x00, 0x01, 0x00, 0x00

static void test_fxsave(void **state)
{
	static struct native_case test;
	struct soft_fx_image image;

	run(*state, &test, false, CODE(LOAD_AND_FXSAVE));
	assert_int_equal(test.vector, SOFT_BP);
	memcpy(&image, test.data + IMAGE, sizeof(image));
	assert_int_equal(image.fcw, 0x37f);
	assert_int_equal(image.fsw, 0x3800);
	assert_int_equal(image.ftw, 0x80);
	assert_int_equal(image.fop, 0x543);
	assert_int_equal((uint32_t)image.fip, NATIVE_CODE);
	assert_int_equal(image.fip >> 32, 0x33);
	assert_int_equal((uint32_t)image.fdp, NATIVE_WRITABLE + OPERAND);
	assert_int_equal(image.mxcsr, SOFT_MXCSR_DEFAULT);
	assert_int_equal(image.mxcsr_mask, SOFT_MXCSR_MASK);
	assert_memory_equal(image.st[0], "\0\0\0\0\0\0\0\xc0\0\x40", 10); // 3.0
	assert_memory_equal(image.xmm, test.in.fx.xmm, sizeof(image.xmm));
	for (unsigned i = 0; i < sizeof(image.rest); i++)
		assert_int_equal(image.rest[i], data[IMAGE + offsetof(struct soft_fx_image, rest) + i]);
}

// In 32-bit code XMM8 to 15 are neither saved nor loaded.
static void test_fxsave_compat(void **state)
{
	static struct native_case test;

	run(*state, &test, true, CODE(LOAD_AND_FXSAVE, 0x0f, 0x57, 0xc0, 0x0f, 0xae, 0x8b, 0, 1, 0, 0));
	assert_int_equal(test.vector, SOFT_BP);
	assert_memory_equal(test.data + IMAGE + 160, test.in.fx.xmm, 8 * 16);
	assert_memory_equal(test.data + IMAGE + 288, data + IMAGE + 288, 8 * 16);
	assert_memory_equal(test.out.fx.xmm, test.in.fx.xmm, sizeof(test.in.fx.xmm));
}

// fld qword [rbx+40h]; fnstenv [rbx+100h]; fnstcw [rbx+180h]
static void test_fnstenv(void **state)
{
	static struct native_case test;

	run(*state, &test, false,
		CODE(0xdd, 0x43, 0x40, 0xd9, 0xb3, 0, 1, 0, 0, 0xd9, 0xbb, 0x80, 1, 0, 0));
	assert_int_equal(test.vector, SOFT_BP);
	assert_int_equal(image32(&test, 0), 0xffff037f);
	assert_int_equal(image32(&test, 4), 0xffff3800);
	assert_int_equal(image32(&test, 8), 0xffff3fff);
	assert_int_equal(image32(&test, 12), NATIVE_CODE);
	assert_int_equal(image32(&test, 16), 0x543u << 16 | 0x33);
	assert_int_equal(image32(&test, 20), NATIVE_WRITABLE + OPERAND);
	assert_int_equal(image16(&test, 0x80), 0x37f);
}

// The 16-bit form, by an operand size prefix.
static void test_fnstenv16(void **state)
{
	static struct native_case test;

	run(*state, &test, false, CODE(0xdd, 0x43, 0x40, 0x66, 0xd9, 0xb3, 0, 1, 0, 0));
	assert_int_equal(test.vector, SOFT_BP);
	assert_int_equal(image16(&test, 0), 0x37f);
	assert_int_equal(image16(&test, 2), 0x3800);
	assert_int_equal(image16(&test, 4), 0x3fff);
	assert_int_equal(image16(&test, 6), NATIVE_CODE & 0xffff);
	assert_int_equal(image16(&test, 8), 0x33);
	assert_int_equal(image16(&test, 10), (NATIVE_WRITABLE + OPERAND) & 0xffff);
	assert_memory_equal(test.data + IMAGE + 14, data + IMAGE + 14, 32);
}

// fld1; fldpi; fnsave [rbx+100h]; fld1; frstor [rbx+100h]
static void test_fnsave(void **state)
{
	static struct native_case test;

	run(*state, &test, false,
		CODE(0xd9, 0xe8, 0xd9, 0xeb, 0xdd, 0xb3, 0, 1, 0, 0, 0xd9, 0xe8, 0xdd, 0xa3, 0, 1, 0, 0));
	assert_int_equal(test.vector, SOFT_BP);
	assert_int_equal(image16(&test, 4), 0x3000);
	assert_int_equal(image32(&test, 12), NATIVE_CODE + 2);
	assert_memory_equal(test.data + IMAGE + 38, "\0\0\0\0\0\0\0\x80\xff\x3f", 10);
	assert_int_equal(test.out.fx.fsw, 0x3000);
	assert_int_equal(test.out.fx.ftw, 0xc0);
	assert_memory_equal(test.out.fx.st[1], "\0\0\0\0\0\0\0\x80\xff\x3f", 10);
	assert_int_equal(test.out.fx.fip, NATIVE_CODE + 2);
}

// An FNSAVE that faults in its second page has changed nothing: fnsave [rbx + 1fd0h].
static void test_fnsave_fault(void **state)
{
	static struct native_case test;

	run(*state, &test, false, CODE(0xd9, 0xe8, 0xdd, 0xb3, 0xd0, 0x1f, 0, 0));
	assert_int_equal(test.vector, SOFT_PF_FAULT);
	assert_int_equal(test.error, 7);
	assert_int_equal(test.cr2, NATIVE_WRITABLE + 2 * NATIVE_PAGE);
	assert_int_equal(test.out.fx.ftw, 0x80);
	assert_memory_equal(test.data, data, sizeof(data));
}

// The vector of one instruction under other control registers.
static unsigned vector_with(struct softbox *box, uint64_t cr0_set, uint64_t cr4_clear,
	const uint8_t *code, unsigned length)
{
	static struct native_case test;
	struct soft_cpu *cpu = softbox_cpu(box);
	uint64_t cr0 = cpu->cr0, cr4 = cpu->cr4;

	cpu->cr0 |= cr0_set;
	cpu->cr4 &= ~cr4_clear;
	run(box, &test, false, code, length);
	cpu->cr0 = cr0;
	cpu->cr4 = cr4;
	return test.vector;
}

static void test_control_registers(void **state)
{
	const uint8_t fld1[] = {0xd9, 0xe8}, fwait[] = {0x9b}, addps[] = {0x0f, 0x58, 0xc1},
				  paddb[] = {0x0f, 0xfc, 0xc1}, fxsave[] = {0x0f, 0xae, 0x83, 0, 1, 0, 0},
				  ldmxcsr[] = {0x0f, 0xae, 0x53, 0x48}, movnti[] = {0x0f, 0xc3, 0x03};
	const struct {
		const uint8_t *code;
		unsigned length, ts, em, no_osfxsr;
	} rows[] = {
		{fld1, sizeof(fld1), SOFT_NM, SOFT_NM, SOFT_BP},
		{fwait, sizeof(fwait), SOFT_NM, SOFT_BP, SOFT_BP},
		{addps, sizeof(addps), SOFT_NM, SOFT_UD, SOFT_UD},
		{paddb, sizeof(paddb), SOFT_NM, SOFT_UD, SOFT_BP},
		{fxsave, sizeof(fxsave), SOFT_NM, SOFT_NM, SOFT_BP},
		{ldmxcsr, sizeof(ldmxcsr), SOFT_NM, SOFT_UD, SOFT_UD},
		{movnti, sizeof(movnti), SOFT_BP, SOFT_BP, SOFT_BP},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		const uint8_t *code = rows[i].code;
		unsigned length = rows[i].length;

		assert_int_equal(vector_with(*state, SOFT_CR0_TS, 0, code, length), rows[i].ts);
		assert_int_equal(vector_with(*state, SOFT_CR0_EM, 0, code, length), rows[i].em);
		assert_int_equal(vector_with(*state, 0, SOFT_CR4_OSFXSR, code, length), rows[i].no_osfxsr);
	}
}

// ldmxcsr [rbx+48h] (nothing masked); divps xmm0, xmm1 with 0 / 0
static void test_simd_exception(void **state)
{
	static const uint8_t code[] = {0x0f, 0x57, 0xc0, 0x0f, 0x57, 0xc9, 0x0f, 0xae, 0x53, 0x48, 0x0f,
		0x5e, 0xc1};
	static struct native_case test;

	run(*state, &test, false, code, sizeof(code));
	assert_int_equal(test.vector, SOFT_XM);
	assert_int_equal(test.out.rip, NATIVE_CODE + 10);
	assert_int_equal(test.out.fx.mxcsr, 1); // invalid operation
	assert_memory_equal(test.out.fx.xmm[0], "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(vector_with(*state, 0, SOFT_CR4_OSXMMEXCPT, code, sizeof(code)), SOFT_UD);
}

// fldcw [rbx+4ch] (nothing masked); fldz; fldz; fdivp stays pending until FWAIT; FNSTSW does not wait
static void test_x87_exception(void **state)
{
	static const uint8_t code[] = {0xd9, 0x6b, 0x4c, 0xd9, 0xee, 0xd9, 0xee, 0xde, 0xf9, 0xdf, 0xe0,
		0x9b};
	static struct native_case test;

	run(*state, &test, false, code, sizeof(code));
	assert_int_equal(test.vector, SOFT_MF);
	assert_int_equal(test.out.rip, NATIVE_CODE + 11);
	assert_int_equal(test.out.gpr[SOFT_RAX] & 0x80ff, 0x8081);
	assert_int_equal(test.out.fx.fip, NATIVE_CODE + 7);
}

// Every form of PSHUFW and PALIGNR between MMX registers fills the pool of stubs.
static void fill_stubs(struct soft_stubs *stubs)
{
	struct soft_stub_spec spec = {
		.map = 1,
		.opcode = 0x70,
		.has_imm = true,
		.reg = SOFT_STUB_MMX,
		.rm = SOFT_STUB_MMX,
	};

	for (unsigned i = 0; i < 2 * 64 * 256; i++) {
		spec.map = i < 64 * 256 ? 1 : 3;
		spec.opcode = spec.map == 1 ? 0x70 : 0x0f;
		spec.modrm = 0xc0 | (i & 63);
		spec.imm = i >> 6;
		soft_stub_find(stubs, &spec);
	}
	spec.map = 2;
	spec.has_imm = false;
	spec.opcode = 0;
	assert_null(soft_stub_find(stubs, &spec));
}

// Without room for more stubs: paddd xmm0, xmm1; paddd xmm0, xmm2; fld1; fld1; faddp;
// fstp qword [rbx+100h]; movdqa xmm3, [rbx]; twice in a row.
static void test_full_pool(void **state)
{
	static const uint8_t code[] = {0x66, 0x0f, 0xfe, 0xc1, 0x66, 0x0f, 0xfe, 0xc2, 0xd9, 0xe8, 0xd9,
		0xe8, 0xde, 0xc1, 0xdd, 0x9b, 0, 1, 0, 0, 0x66, 0x0f, 0x6f, 0x1b};
	const double two = 2;
	struct softbox *box = softbox_new(data);
	static struct native_case test;

	fill_stubs(softbox_cpu(box)->fp.stubs);
	for (unsigned i = 0; i < 2; i++) {
		run(box, &test, false, code, sizeof(code));
		assert_int_equal(test.vector, SOFT_BP);
		assert_int_equal(test.out.fx.xmm[0][0], 0x33);
		assert_memory_equal(test.out.fx.xmm[3], data, 16);
		assert_memory_equal(test.data + IMAGE, &two, sizeof(two));
	}
	softbox_free(box);
}

static int setup(void **state)
{
	const double three = 3;
	const uint32_t mxcsr = 0;
	const uint16_t control = 0x340;

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = i * 37 + i / 256;
	memcpy(data + OPERAND, &three, sizeof(three));
	memcpy(data + OPERAND + 8, &mxcsr, sizeof(mxcsr));
	memcpy(data + OPERAND + 12, &control, sizeof(control));
	*state = softbox_new(data);
	return 0;
}

static int teardown(void **state)
{
	softbox_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fxsave),
		cmocka_unit_test(test_fxsave_compat),
		cmocka_unit_test(test_fnstenv),
		cmocka_unit_test(test_fnstenv16),
		cmocka_unit_test(test_fnsave),
		cmocka_unit_test(test_fnsave_fault),
		cmocka_unit_test(test_control_registers),
		cmocka_unit_test(test_simd_exception),
		cmocka_unit_test(test_x87_exception),
		cmocka_unit_test(test_full_pool),
	};

	return cmocka_run_group_tests_name("x87 and SSE state", tests, setup, teardown);
}
