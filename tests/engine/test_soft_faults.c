// SPDX-License-Identifier: GPL-3.0-or-later
// Exceptions of the software CPU: error codes, frames, double and triple faults; debug events;
// flags and ports.
#include "tests/engine/guestbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

extern const uint8_t guest_start[], guest_end[];
extern const uint8_t guest_exceptions_prepare[], guest_frame[], guest_double[], guest_double_page[],
	guest_step[], guest_breakpoints[], guest_flags[], guest_ports[];

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

#define FAULT(vector) vector, 0xe0
#define FAULT_CODE(vector, code) vector, code
#define GP FAULT_CODE(13, 0)
/* An error code that names a vector. */
#define IDT(vector) ((vector)*8 | 2)

static void test_exceptions(void **state)
{
	assert_int_equal(
		guestbox_run(*state, GUEST_LONG, guest_exceptions_prepare), VCPU_EXIT_KICKED);
	guestbox_expect(*state, FAULT(0), FAULT(6), GP, FAULT_CODE(12, 0), FAULT(3), FAULT(0x80),
		FAULT_CODE(13, IDT(0x80)), FAULT_CODE(11, IDT(0x81)), FAULT_CODE(13, SEL_DATA), GP,
		GP, GP, GP, /* CR4, EFER, RDMSR, PAE */
		GP, GP, GP, GP, FAULT_CODE(13, IDT(0x40)), GP, GP, GP, GP, /* level 3 */
		2);
}

static void test_frame(void **state)
{
	assert_int_equal(guestbox_run(*state, GUEST_LONG, guest_frame), VCPU_EXIT_KICKED);
	guestbox_expect(*state, GUEST_STACK - 16 - 40, GUEST_STACK - 3, GUEST_STACK_IST - 40,
		SEL_DATA, GUEST_STACK_INNER - 40, SEL_USER_CODE64, SEL_USER_DATA, 0, SEL_CODE64,
		0x3002);
}

static void test_double(void **state)
{
	assert_int_equal(guestbox_run(*state, GUEST_LONG, guest_double), VCPU_EXIT_SHUTDOWN);
	guestbox_expect(*state, FAULT_CODE(11, IDT(6) | 1), FAULT_CODE(8, 0), 0x3333);
}

static void test_double_page(void **state)
{
	assert_int_equal(guestbox_run(*state, GUEST_LONG, guest_double_page), VCPU_EXIT_KICKED);
	guestbox_expect(*state, FAULT_CODE(8, 0), 0x7ffff);
}

static void test_step(void **state)
{
	assert_int_equal(guestbox_run(*state, GUEST_LONG, guest_step), VCPU_EXIT_KICKED);
	guestbox_expect(*state, FAULT(0x80), 7, 0xffff4ff0);
}

static void test_breakpoints(void **state)
{
	assert_int_equal(guestbox_run(*state, GUEST_LONG, guest_breakpoints), VCPU_EXIT_KICKED);
	guestbox_expect(*state, 0xffff0ff2, 0xffff0ff4, 0xffff0ff1, /* write, access, execution */
		0xffff0ff0, 0xffff2ff0, 0x4444);                    /* INT1, DR7.GD */
}

static void test_flags(void **state)
{
	assert_int_equal(guestbox_run(*state, GUEST_LONG, guest_flags), VCPU_EXIT_KICKED);
	guestbox_expect(*state, 2, 0x240cd7, 2);
}

static void test_ports(void **state)
{
	assert_int_equal(guestbox_run(*state, GUEST_LONG, guest_ports), VCPU_EXIT_KICKED);
	guestbox_expect(*state, 0x1111, GP, GP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_exceptions),
		TEST(test_frame),
		TEST(test_double),
		TEST(test_double_page),
		TEST(test_step),
		TEST(test_breakpoints),
		TEST(test_flags),
		TEST(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
