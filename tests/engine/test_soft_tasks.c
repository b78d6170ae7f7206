// SPDX-License-Identifier: GPL-3.0-or-later
// Hardware task switches of the software CPU.
#include "tests/engine/guestbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

extern const uint8_t guest_start[], guest_end[];
extern const uint8_t guest_tasks[], guest_refused[];

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

#define NT 0x4000
/* Descriptor types: the second task's, the first one's. */
#define TYPES(second, first) ((second) << 8 | (first))
#define FREE 0x89
#define BUSY 0x8b

static void test_tasks(void **state)
{
	assert_int_equal(guestbox_run(*state, GUEST_FLAT32, guest_tasks), VCPU_EXIT_KICKED);
	guestbox_expect(*state, 0x1111, SEL_FREE, 0, TYPES(BUSY, FREE), /* jumped to */
		0x2222, 8, SEL_TSS, 0, TYPES(FREE, BUSY),               /* and back */
		SEL_FREE, NT, TYPES(BUSY, BUSY), SEL_TSS,               /* called */
		SEL_TSS, 0, TYPES(FREE, BUSY), SEL_FREE, NT, 0x3333,    /* interrupt */
		0xfff0, 0x4444); /* fault with an error code */
}

static void test_refused(void **state)
{
	assert_int_equal(guestbox_run(*state, GUEST_FLAT32, guest_refused), VCPU_EXIT_KICKED);
	guestbox_expect(*state, 13, SEL_TSS, 11, SEL_FREE, 10, SEL_FREE, 10, SEL_FREE, 13, SEL_TSS,
		10, GUEST_GDT_SIZE, SEL_FREE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tasks),
		TEST(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
