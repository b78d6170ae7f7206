// SPDX-License-Identifier: GPL-3.0-or-later
// Time and interrupts of the software CPU: APIC timer, 8254, NMI, shadows, sleeping in HLT, clocks,
// starting a second processor.
#include "tests/engine/guestbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

extern const uint8_t guest_start[], guest_end[];
extern const uint8_t guest_deadline[], guest_idle[], guest_periodic[], guest_busy[], guest_shadow[],
	guest_nmi[], guest_pit[], guest_clock[], guest_smp[];

/* How late a thread may be on a host that has much else to do. */
#define LATE_NS (60 * CLOCK_HZ)

static int setup(void **state)
{
	*state = guestbox_new(1);
	guestbox_load(*state, guest_start, guest_end);
	return 0;
}

static int setup_two(void **state)
{
	*state = guestbox_new(2);
	guestbox_load(*state, guest_start, guest_end);
	return 0;
}

static int teardown(void **state)
{
	guestbox_free(*state);
	return 0;
}

static void run(struct guestbox *box, const uint8_t *entry)
{
	assert_int_equal(guestbox_run(box, GUEST_LONG, entry), VCPU_EXIT_KICKED);
}

static void test_deadline(void **state)
{
	run(*state, guest_deadline);
	guestbox_expect(*state, 1, 1, 0);
}

static int64_t cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC +
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void test_idle(void **state)
{
	int64_t cpu = cpu_us(), wall = g_get_monotonic_time();

	run(*state, guest_idle);
	cpu = cpu_us() - cpu;
	wall = g_get_monotonic_time() - wall;
	assert_true(wall >= 500 * 1000);
	/* Mostly the fixture's own ticks. */
	assert_true(cpu < wall / 4);
}

static void test_periodic(void **state)
{
	run(*state, guest_periodic);
	guestbox_expect(*state, 1);
}

static void test_busy(void **state)
{
	run(*state, guest_busy);
	guestbox_expect(*state, 0x1111);
}

static void test_shadow(void **state)
{
	run(*state, guest_shadow);
	guestbox_expect(*state, 2, 0, 1, 3);
}

static void test_nmi(void **state)
{
	run(*state, guest_nmi);
	guestbox_expect(*state, 1, 2);
}

static void test_pit(void **state)
{
	run(*state, guest_pit);
	guestbox_expect(*state, 0x1111);
}

/* The PV clock's structures (Linux' Documentation/virt/kvm/x86/msr.rst). */
struct pv_time {
	uint32_t version, pad;
	uint64_t tsc, ns;
	uint32_t multiplier;
	int8_t shift;
	uint8_t flags, pad2[2];
};

static void test_clock(void **state)
{
	struct pv_time time;
	uint32_t wall[3];
	uint64_t tsc, ns;
	int64_t boot;

	run(*state, guest_clock);
	guestbox_expect(*state, 1, 1);
	memcpy(&time, guestbox_memory(*state, GUEST_FREE), sizeof(time));
	memcpy(&wall, guestbox_memory(*state, GUEST_FREE + 0x100), sizeof(wall));
	memcpy(&tsc, guestbox_memory(*state, GUEST_FREE + 0x200), sizeof(tsc));
	assert_int_equal(time.version & 1, 0);
	assert_int_equal(time.flags, 1);
	/* A second of the TSC is a second of time. */
	ns = (CLOCK_HZ << time.shift) * (unsigned __int128)time.multiplier >> 32;
	assert_int_equal(ns, CLOCK_HZ);
	/* Read before TSC_ADJUST moved the TSC by 2^32; the structure has followed that. */
	assert_true(time.tsc - tsc - ((uint64_t)1 << 32) < LATE_NS);
	assert_true(time.ns <= clock_ns(guestbox_env(*state)->clock));
	assert_true(clock_ns(guestbox_env(*state)->clock) - time.ns < LATE_NS);
	boot = (int64_t)(g_get_real_time() / 1000 -
			 (int64_t)clock_ns(guestbox_env(*state)->clock) / 1000000);
	assert_true(ABS(wall[1] * 1000ll + wall[2] / 1000000 - boot) < 10000);
}

static void test_smp(void **state)
{
	run(*state, guest_smp);
	guestbox_expect(*state, 100000, 0x2222);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_deadline),
		TEST(test_idle),
		TEST(test_periodic),
		TEST(test_busy),
		TEST(test_shadow),
		TEST(test_nmi),
		TEST(test_pit),
		TEST(test_clock),
		cmocka_unit_test_setup_teardown(test_smp, setup_two, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
