// SPDX-License-Identifier: GPL-3.0-or-later
// Paging of the software CPU: every mode's rights, error codes and bits; the TLB; code that
// changes.
#include "tests/engine/guestbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

extern const uint8_t guest_start[], guest_end[];
extern const uint8_t guest_paging32[], guest_pae[], guest_paging64[], guest_supervisor[],
	guest_large[], guest_global[], guest_crossing[], guest_modify[];

#define PAGE GUEST_FREE
/* A page fault in the trace. */
#define PF(error) 14, error

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

static void test_paging32(void **state)
{
	run(*state, GUEST_PAGED32, guest_paging32);
	guestbox_expect(*state, PAGE | 0x27, PAGE | 0x67, PF(0), PF(2), PAGE, PF(3), 2, 2, 0xa7,
		PF(9),         /* 4 MiB pages */
		PF(5), PF(7)); /* level 3 */
}

static void test_pae(void **state)
{
	run(*state, GUEST_PAE, guest_pae);
	guestbox_expect(*state, PF(0x11), 0xc3, PF(9), PF(0), 0x600df00d);
}

static void test_paging64(void **state)
{
	run(*state, GUEST_LONG, guest_paging64);
	guestbox_expect(*state, PF(3), PF(0x11), PF(5), PF(7), PF(0x15));
}

static void test_supervisor(void **state)
{
	run(*state, GUEST_LONG, guest_supervisor);
	guestbox_expect(*state, PF(0x11), 0xc3, PF(1), PF(3), 0x90, PF(1), PAGE + 8);
}

static void test_large(void **state)
{
	run(*state, GUEST_LONG, guest_large);
	guestbox_expect(*state, 0x1a46e, 0xa7, PF(0), PF(0), 0xe7, 0x77, PF(0), PF(9));
}

static void test_global(void **state)
{
	run(*state, GUEST_LONG, guest_global);
	guestbox_expect(*state, 0x11, 0x22, 0x11);
}

static void test_crossing(void **state)
{
	run(*state, GUEST_LONG, guest_crossing);
	guestbox_expect(*state, PF(2), 0, PF(2), 0, PAGE + 0x1000, PF(2), PAGE + 0x1004, PF(2), 84,
		PAGE + 0x1000, 0x5a5a5a5a);
}

static void test_modify(void **state)
{
	run(*state, GUEST_LONG, guest_modify);
	guestbox_expect(*state, 1, 2, 3, 0x77, 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_paging32),
		TEST(test_pae),
		TEST(test_paging64),
		TEST(test_supervisor),
		TEST(test_large),
		TEST(test_global),
		TEST(test_crossing),
		TEST(test_modify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
