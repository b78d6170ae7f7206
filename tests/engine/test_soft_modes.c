// SPDX-License-Identifier: GPL-3.0-or-later
// Modes of the software CPU and the ways between them; segments; far transfers and system calls.
#include "tests/engine/guestbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

extern const uint8_t guest_start[], guest_end[];
extern const uint8_t guest_tour[], guest_v86[], guest_syscall[], guest_sysenter[], guest_gate32[],
	guest_gate64[], guest_segments[], guest_questions[], guest_stack16[];

static int setup(void **state)
{
	*state = guestbox_new(1);
	guestbox_load(*state, guest_start, guest_end);
	return 0;
}

static int teardown(void **state)
{
	guestbox_free(*state);
	return 0;
}

static void run(struct guestbox *box, enum guest_mode mode, const uint8_t *entry)
{
	assert_int_equal(guestbox_run(box, mode, entry), VCPU_EXIT_KICKED);
}

/* An exception in the trace. */
#define FAULT(vector) vector, 0xe0
#define FAULT_CODE(vector, code) vector, code

static void test_tour(void **state)
{
	run(*state, GUEST_REAL, guest_tour);
	guestbox_expect(*state, 0x16, 0x56, 2, 3, 0x77, /* real mode */
		0x32, FAULT(0x80), 0xd01,               /* protected mode, EFER with LMA */
		0x64, 0, FAULT(3),                      /* 64-bit code */
		0x3264, 6, FAULT(3), 0,                 /* compatibility mode, EFER back */
		0x1632, 0x67);                          /* 16-bit segments, real mode */
}

static void test_v86(void **state)
{
	run(*state, GUEST_FLAT32, guest_v86);
	guestbox_expect(*state, FAULT_CODE(13, 0), FAULT_CODE(13, 0), FAULT_CODE(13, 0),
		FAULT_CODE(13, 0), FAULT_CODE(13, 0), FAULT(6), 0xabcd1000, 0x20000, 0, 0x3333,
		0x4444, 0);
}

static void test_syscall(void **state)
{
	run(*state, GUEST_LONG, guest_syscall);
	guestbox_expect(*state, SEL_USER_CODE64, SEL_USER_DATA, SEL_CODE64, SEL_CODE64 + 8, 0x3002,
		0x3402, 1, FAULT_CODE(13, 0));
}

static void test_sysenter(void **state)
{
	run(*state, GUEST_FLAT32, guest_sysenter);
	guestbox_expect(
		*state, SEL_CODE32, SEL_DATA, GUEST_STACK, (SEL_CODE32 + 16) | 3, GUEST_STACK_USER);
}

static void test_gate32(void **state)
{
	run(*state, GUEST_FLAT32, guest_gate32);
	guestbox_expect(*state, SEL_CODE32, SEL_DATA, 0x2222, 0x1111, SEL_USER_DATA,
		SEL_USER_CODE32, GUEST_STACK_USER);
}

static void test_gate64(void **state)
{
	run(*state, GUEST_LONG, guest_gate64);
	guestbox_expect(*state, SEL_CODE64, 0, GUEST_STACK_INNER - 32, SEL_USER_DATA,
		SEL_USER_CODE64, GUEST_STACK_USER);
}

static void test_segments(void **state)
{
	run(*state, GUEST_FLAT32, guest_segments);
	guestbox_expect(*state, FAULT_CODE(13, 0),    /* past the limit */
		FAULT_CODE(13, 0), FAULT_CODE(13, 0), /* below and above one that expands down */
		FAULT_CODE(13, 0),                    /* read only */
		FAULT_CODE(13, SEL_FREE),             /* execute only */
		FAULT_CODE(11, SEL_FREE), FAULT_CODE(12, SEL_FREE), /* not present */
		FAULT_CODE(13, 0), FAULT_CODE(13, 0),               /* null */
		FAULT_CODE(13, GUEST_GDT_SIZE), FAULT_CODE(13, 0x0c),
		FAULT_CODE(13, SEL_USER_DATA & ~3), 0x00409310);
}

static void test_questions(void **state)
{
	run(*state, GUEST_FLAT32, guest_questions);
	guestbox_expect(*state, 0x00809200, 0x01234fff, 1, 0x177, 0x113, FAULT(5));
}

static void test_stack16(void **state)
{
	run(*state, GUEST_FLAT32, guest_stack16);
	guestbox_expect(*state, 0x1234fffe, 0x5678);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tour),
		TEST(test_v86),
		TEST(test_syscall),
		TEST(test_sysenter),
		TEST(test_gate32),
		TEST(test_gate64),
		TEST(test_segments),
		TEST(test_questions),
		TEST(test_stack16),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
