// SPDX-License-Identifier: GPL-3.0-or-later
/* 8259s, I/O APIC, local APICs and their timer, driven as a kernel and its vCPUs do. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine/vmm/dev/ioapic.h"
#include "engine/vmm/dev/irqchip.h"
#include "engine/vmm/dev/lapic.h"
#include "tests/engine/devbox.h"

#define CPUS 4

/* What an APIC told its vCPU. */
struct told {
	unsigned interrupts, nmis, inits, startups;
	uint8_t vector;
};

struct fixture {
	struct devbox *box;
	struct irqchip *chip;
	struct irq_router *router;
	struct lapic *lapic[CPUS];
	struct told told[CPUS];
};

static void told_interrupt(void *cpu)
{
	((struct told *)cpu)->interrupts++;
}

static void told_nmi(void *cpu)
{
	((struct told *)cpu)->nmis++;
}

static void told_init(void *cpu)
{
	((struct told *)cpu)->inits++;
}

static void told_startup(void *cpu, uint8_t vector)
{
	((struct told *)cpu)->startups++;
	((struct told *)cpu)->vector = vector;
}

static const struct lapic_ops told_ops = {
	.interrupt = told_interrupt,
	.nmi = told_nmi,
	.init = told_init,
	.startup = told_startup,
};

static int set_up(void **state)
{
	struct fixture *f = g_new0(struct fixture, 1);

	f->box = devbox_new();
	f->chip = irqchip_new(f->box->ports, f->box->mmio, f->box->clock, &f->box->lock, CPUS);
	f->router = irqchip_router(f->chip);
	for (unsigned i = 0; i < CPUS; i++) {
		f->lapic[i] = irqchip_lapic(f->chip, i);
		lapic_connect(f->lapic[i], &told_ops, &f->told[i]);
		lapic_write(f->lapic[i], 0xf0, 0x1ff, 4);
	}
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	irqchip_free(f->chip);
	devbox_free(f->box);
	g_free(f);
	return 0;
}

static void line(struct fixture *f, unsigned gsi, bool level)
{
	g_mutex_lock(&f->box->lock.mutex);
	irq_set(&(struct irq_line){f->router, gsi}, level);
	g_mutex_unlock(&f->box->lock.mutex);
}

static void ioapic_write(struct fixture *f, unsigned index, uint32_t value)
{
	bus_write(f->box->mmio, IOAPIC_BASE, index, 4);
	bus_write(f->box->mmio, IOAPIC_BASE + 0x10, value, 4);
}

static uint32_t ioapic_read(struct fixture *f, unsigned index)
{
	bus_write(f->box->mmio, IOAPIC_BASE, index, 4);
	return bus_read(f->box->mmio, IOAPIC_BASE + 0x10, 4);
}

static void redirect(struct fixture *f, unsigned pin, uint32_t low, uint32_t destination)
{
	ioapic_write(f, 0x11 + 2 * pin, destination << 24);
	ioapic_write(f, 0x10 + 2 * pin, low);
}

/* The usual initialisation: vectors 0x20 and 0x28, all unmasked. */
static void start_pics(struct fixture *f, uint8_t icw4)
{
	static const uint16_t ports[] = {0x20, 0xa0};

	for (unsigned i = 0; i < 2; i++) {
		devbox_out(f->box, ports[i], 0x11, 1);
		devbox_out(f->box, ports[i] + 1, 0x20 + 8 * i, 1);
		devbox_out(f->box, ports[i] + 1, i ? 2 : 4, 1);
		devbox_out(f->box, ports[i] + 1, icw4, 1);
		devbox_out(f->box, ports[i] + 1, 0, 1);
	}
}

static void test_pic(void **state)
{
	struct fixture *f = *state;

	line(f, 4, true);
	assert_false(lapic_pending(f->lapic[0]));
	line(f, 4, false);
	start_pics(f, 1);
	line(f, 4, true);
	assert_true(lapic_pending(f->lapic[0]));
	assert_false(lapic_pending(f->lapic[1]));
	assert_true(f->told[0].interrupts > 0);
	assert_int_equal(lapic_accept(f->lapic[0]), 0x24);
	assert_int_equal(lapic_accept(f->lapic[0]), -1);
	/* In service: a lower one waits, a higher one does not. */
	line(f, 6, true);
	assert_false(lapic_pending(f->lapic[0]));
	line(f, 1, true);
	assert_int_equal(lapic_accept(f->lapic[0]), 0x21);
	devbox_out(f->box, 0x20, 0x0b, 1);
	assert_int_equal(devbox_in(f->box, 0x20, 1), 0x12);
	devbox_out(f->box, 0x20, 0x20, 1);
	devbox_out(f->box, 0x20, 0x20, 1);
	assert_int_equal(lapic_accept(f->lapic[0]), 0x26);
	devbox_out(f->box, 0x20, 0x66, 1);
	assert_int_equal(devbox_in(f->box, 0x20, 1), 0);
}

static void test_pic_cascade(void **state)
{
	struct fixture *f = *state;

	start_pics(f, 1);
	line(f, 8, true);
	line(f, 14, true);
	assert_int_equal(lapic_accept(f->lapic[0]), 0x28);
	devbox_out(f->box, 0xa0, 0x20, 1);
	devbox_out(f->box, 0x20, 0x20, 1);
	assert_int_equal(lapic_accept(f->lapic[0]), 0x2e);
	devbox_out(f->box, 0xa0, 0x20, 1);
	devbox_out(f->box, 0x20, 0x20, 1);
	assert_int_equal(lapic_accept(f->lapic[0]), -1);
	/* Level-triggered by ELCR: comes again until the wire drops. */
	assert_int_equal(devbox_in(f->box, 0x4d0, 2), 0x0e00);
	line(f, 10, true);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(lapic_accept(f->lapic[0]), 0x2a);
		devbox_out(f->box, 0xa0, 0x20, 1);
		devbox_out(f->box, 0x20, 0x20, 1);
	}
	line(f, 10, false);
	assert_int_equal(lapic_accept(f->lapic[0]), -1);
}

static void test_pic_modes(void **state)
{
	struct fixture *f = *state;

	start_pics(f, 3); /* automatic EOI */
	line(f, 5, true);
	assert_int_equal(lapic_accept(f->lapic[0]), 0x25);
	line(f, 7, true);
	assert_int_equal(lapic_accept(f->lapic[0]), 0x27);
	/* Masked while waiting: the request is kept, and polled for. */
	start_pics(f, 1);
	devbox_out(f->box, 0x21, 0x08, 1);
	line(f, 3, true);
	assert_false(lapic_pending(f->lapic[0]));
	devbox_out(f->box, 0x21, 0, 1);
	devbox_out(f->box, 0x20, 0x0c, 1);
	assert_int_equal(devbox_in(f->box, 0x20, 1), 0x83);
	assert_false(lapic_pending(f->lapic[0]));
	/* A request that goes away between INT and acknowledge is spurious. */
	devbox_out(f->box, 0x20, 0x20, 1);
	line(f, 9, true);
	assert_true(lapic_pending(f->lapic[0]));
	g_mutex_lock(&f->box->lock.mutex);
	irq_set(&(struct irq_line){f->router, 9}, false);
	g_mutex_unlock(&f->box->lock.mutex);
	assert_false(lapic_pending(f->lapic[0]));
}

static void test_ioapic(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ioapic_read(f, 1), 0x00170020);
	redirect(f, 4, 0x51, 1);
	line(f, 4, true);
	assert_int_equal(f->told[1].interrupts, 1);
	assert_int_equal(lapic_accept(f->lapic[1]), 0x51);
	/* Edge: nothing more while the wire stays high. */
	lapic_write(f->lapic[1], 0xb0, 0, 4);
	assert_int_equal(lapic_accept(f->lapic[1]), -1);
	/* The timer's wire is pin 2. */
	redirect(f, 2, 0x30, 0);
	line(f, 0, true);
	assert_int_equal(lapic_accept(f->lapic[0]), 0x30);
}

static void test_ioapic_level(void **state)
{
	struct fixture *f = *state;

	redirect(f, 17, 0xa061, 2); /* level, active low: polarity makes no difference */
	line(f, 17, true);
	assert_int_equal(lapic_accept(f->lapic[2]), 0x61);
	assert_true(ioapic_read(f, 0x10 + 34) & 1 << 14);
	/* No second one before EOI, and one more then, as the wire is high. */
	line(f, 17, false);
	line(f, 17, true);
	assert_int_equal(lapic_accept(f->lapic[2]), -1);
	lapic_write(f->lapic[2], 0xb0, 0, 4);
	assert_int_equal(lapic_accept(f->lapic[2]), 0x61);
	line(f, 17, false);
	lapic_write(f->lapic[2], 0xb0, 0, 4);
	assert_int_equal(lapic_accept(f->lapic[2]), -1);
	assert_false(ioapic_read(f, 0x10 + 34) & 1 << 14);
	/* Masked, then unmasked with the wire high. */
	redirect(f, 17, 0x1a061, 2);
	line(f, 17, true);
	assert_int_equal(lapic_accept(f->lapic[2]), -1);
	redirect(f, 17, 0xa061, 2);
	assert_int_equal(lapic_accept(f->lapic[2]), 0x61);
}

static void message(struct fixture *f, uint64_t address, uint32_t data)
{
	g_mutex_lock(&f->box->lock.mutex);
	irq_message(f->router, address, data);
	g_mutex_unlock(&f->box->lock.mutex);
}

static void test_messages(void **state)
{
	struct fixture *f = *state;

	message(f, 0xfee03000, 0x45);
	assert_int_equal(lapic_accept(f->lapic[3]), 0x45);
	message(f, 0xfeeff000, 0x46);
	for (unsigned i = 0; i < CPUS; i++) {
		lapic_write(f->lapic[i], 0xb0, 0, 4);
		assert_int_equal(lapic_accept(f->lapic[i]), 0x46);
		lapic_write(f->lapic[i], 0xb0, 0, 4);
	}
	/* Logical, flat: LDR bits; lowest priority takes one of them. */
	for (unsigned i = 0; i < CPUS; i++)
		lapic_write(f->lapic[i], 0xd0, 1u << (24 + i), 4);
	lapic_write(f->lapic[1], 0x80, 0x20, 4);
	message(f, 0xfee06004, 0x47);
	assert_int_equal(lapic_accept(f->lapic[0]), -1);
	assert_int_equal(lapic_accept(f->lapic[1]), 0x47);
	assert_int_equal(lapic_accept(f->lapic[2]), 0x47);
	lapic_write(f->lapic[1], 0xb0, 0, 4);
	lapic_write(f->lapic[2], 0xb0, 0, 4);
	message(f, 0xfee06004, 0x148);
	assert_int_equal(lapic_accept(f->lapic[1]), -1);
	assert_int_equal(lapic_accept(f->lapic[2]), 0x48);
	/* Not an interrupt address, a reserved vector, NMI. */
	message(f, 0xfed00000, 0x49);
	message(f, 0xfee00000, 0x05);
	assert_int_equal(lapic_accept(f->lapic[0]), -1);
	lapic_write(f->lapic[0], 0x280, 0, 4);
	assert_int_equal(lapic_read(f->lapic[0], 0x280, 4), 0x40);
	message(f, 0xfee00000, 0x400);
	assert_int_equal(f->told[0].nmis, 1);
}

static void test_ipis(void **state)
{
	struct fixture *f = *state;

	lapic_write(f->lapic[0], 0x310, 1u << 24, 4);
	lapic_write(f->lapic[0], 0x300, 0x4500, 4);
	lapic_write(f->lapic[0], 0x300, 0x8500, 4); /* de-assert: nothing */
	lapic_write(f->lapic[0], 0x300, 0x4608, 4);
	assert_int_equal(f->told[1].inits, 1);
	assert_int_equal(f->told[1].startups, 1);
	assert_int_equal(f->told[1].vector, 0x08);
	lapic_write(f->lapic[0], 0x300, 0x000c00f0, 4); /* all but self */
	assert_int_equal(lapic_accept(f->lapic[0]), -1);
	for (unsigned i = 1; i < CPUS; i++)
		assert_int_equal(lapic_accept(f->lapic[i]), 0xf0);
	lapic_write(f->lapic[0], 0x300, 0x000400f1, 4); /* self */
	assert_int_equal(lapic_accept(f->lapic[0]), 0xf1);
	lapic_write(f->lapic[2], 0x300, 0x000804f1, 4); /* NMI to all */
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(f->told[i].nmis, 1);
	lapic_write(f->lapic[0], 0x300, 0x00040003, 4);
	lapic_write(f->lapic[0], 0x280, 0, 4);
	assert_int_equal(lapic_read(f->lapic[0], 0x280, 4), 0x20);
}

static void test_priorities(void **state)
{
	struct fixture *f = *state;
	struct lapic *lapic = f->lapic[0];
	unsigned told;

	lapic_deliver(lapic, LAPIC_FIXED, 0x55, false);
	lapic_deliver(lapic, LAPIC_FIXED, 0x91, false);
	lapic_deliver(lapic, LAPIC_FIXED, 0x95, false);
	assert_int_equal(lapic_accept(lapic), 0x95);
	assert_int_equal(lapic_read(lapic, 0xa0, 4), 0x90);
	assert_int_equal(lapic_accept(lapic), -1); /* same class waits */
	lapic_deliver(lapic, LAPIC_FIXED, 0xa0, false);
	assert_int_equal(lapic_accept(lapic), 0xa0);
	lapic_write(lapic, 0xb0, 0, 4);
	told = f->told[0].interrupts;
	lapic_set_cr8(lapic, 9);
	lapic_write(lapic, 0xb0, 0, 4);
	assert_int_equal(f->told[0].interrupts, told);
	assert_false(lapic_pending(lapic));
	lapic_set_cr8(lapic, 5);
	assert_true(f->told[0].interrupts > told);
	assert_int_equal(lapic_accept(lapic), 0x91);
	lapic_write(lapic, 0xb0, 0, 4);
	assert_int_equal(lapic_accept(lapic), -1);
	assert_int_equal(lapic_cr8(lapic), 5);
	assert_int_equal(lapic_read(lapic, 0x220, 4), 1u << 21);
	lapic_set_cr8(lapic, 0);
	assert_int_equal(lapic_accept(lapic), 0x55);
}

static void test_x2apic(void **state)
{
	struct fixture *f = *state;
	struct lapic *lapic = f->lapic[2];
	uint64_t value;

	assert_int_equal(lapic_page(lapic), LAPIC_DEFAULT_BASE);
	assert_false(lapic_msr_read(lapic, 0x802, &value));
	assert_false(lapic_msr_write(lapic, LAPIC_MSR_BASE, LAPIC_DEFAULT_BASE | 1 << 10));
	assert_true(lapic_msr_write(lapic, LAPIC_MSR_BASE, LAPIC_DEFAULT_BASE | 3 << 10));
	assert_true(lapic_page(lapic) == UINT64_MAX);
	assert_false(lapic_msr_write(lapic, LAPIC_MSR_BASE, LAPIC_DEFAULT_BASE | 1 << 11));
	assert_true(lapic_msr_read(lapic, 0x802, &value));
	assert_int_equal(value, 2);
	assert_true(lapic_msr_read(lapic, 0x80d, &value));
	assert_int_equal(value, 4);
	assert_false(lapic_msr_write(lapic, 0x80d, 1));
	assert_false(lapic_msr_write(lapic, 0x80b, 1));
	assert_false(lapic_msr_read(lapic, 0x831, &value));
	assert_false(lapic_msr_read(lapic, 0x83f, &value));
	assert_true(lapic_msr_write(lapic, 0x83f, 0x77));
	assert_int_equal(lapic_accept(lapic), 0x77);
	assert_true(lapic_msr_write(lapic, 0x80b, 0));
	assert_true(lapic_msr_write(lapic, 0x830, 3ull << 32 | 0x78));
	assert_int_equal(lapic_accept(f->lapic[3]), 0x78);
	/* Logical to itself: cluster 0, bit 2. */
	assert_true(lapic_msr_write(lapic, 0x830, 4ull << 32 | 0x879));
	assert_int_equal(lapic_accept(lapic), 0x79);
	/* Off, and on again as xAPIC. */
	assert_true(lapic_msr_write(lapic, LAPIC_MSR_BASE, LAPIC_DEFAULT_BASE));
	assert_true(lapic_msr_write(lapic, LAPIC_MSR_BASE, 0xfe000000 | 1 << 11));
	assert_int_equal(lapic_page(lapic), 0xfe000000);
}

static void test_timer(void **state)
{
	struct fixture *f = *state;
	struct lapic *lapic = f->lapic[1];
	uint64_t before;

	/* One-shot, divided by 1, 500 ms. */
	lapic_write(lapic, 0x320, 0x40, 4);
	lapic_write(lapic, 0x3e0, 0xb, 4);
	before = clock_ns(f->box->clock);
	lapic_write(lapic, 0x380, 500000000, 4);
	assert_in_range(lapic_read(lapic, 0x390, 4), 1, 500000000);
	assert_true(devbox_wait(f->box, &f->told[1].interrupts, 1, 120000));
	assert_true(clock_ns(f->box->clock) - before >= 500000000);
	assert_int_equal(lapic_accept(lapic), 0x40);
	assert_int_equal(lapic_read(lapic, 0x390, 4), 0);
	lapic_write(lapic, 0xb0, 0, 4);
	assert_int_equal(lapic_deadline(lapic), 0);
	/* Periodic, divided by 16: 16 ms. */
	lapic_write(lapic, 0x320, 0x20041, 4);
	lapic_write(lapic, 0x3e0, 0x3, 4);
	lapic_write(lapic, 0x380, 1000000, 4);
	for (unsigned i = 0; i < 3; i++) {
		unsigned told = f->told[1].interrupts;

		assert_true(devbox_wait(f->box, &f->told[1].interrupts, told + 1, 120000));
		assert_int_equal(lapic_accept(lapic), 0x41);
		lapic_write(lapic, 0xb0, 0, 4);
	}
	lapic_write(lapic, 0x380, 0, 4);
	assert_int_equal(lapic_deadline(lapic), 0);
}

static void test_tsc_deadline(void **state)
{
	struct fixture *f = *state;
	struct lapic *lapic = f->lapic[0];
	uint64_t value, offset = 1ull << 40;

	/* In another mode the MSR does nothing. */
	assert_true(lapic_msr_write(lapic, LAPIC_MSR_TSC_DEADLINE, 1));
	assert_true(lapic_msr_read(lapic, LAPIC_MSR_TSC_DEADLINE, &value));
	assert_int_equal(value, 0);
	lapic_write(lapic, 0x320, 0x40042, 4);
	lapic_set_tsc_offset(lapic, offset);
	value = clock_ns(f->box->clock) + offset + 500000000;
	assert_true(lapic_msr_write(lapic, LAPIC_MSR_TSC_DEADLINE, value));
	assert_true(lapic_deadline(lapic) - clock_ns(f->box->clock) <= 500000000);
	assert_int_equal(f->told[0].interrupts, 0);
	assert_true(devbox_wait(f->box, &f->told[0].interrupts, 1, 120000));
	assert_int_equal(lapic_accept(lapic), 0x42);
	lapic_write(lapic, 0xb0, 0, 4);
	assert_true(lapic_msr_read(lapic, LAPIC_MSR_TSC_DEADLINE, &value));
	assert_int_equal(value, 0);
	/* One that is past fires at once, without the main loop; 0 disarms. */
	assert_true(lapic_msr_write(lapic, LAPIC_MSR_TSC_DEADLINE, 1));
	assert_int_equal(lapic_accept(lapic), 0x42);
	assert_true(lapic_msr_write(lapic, LAPIC_MSR_TSC_DEADLINE, UINT64_MAX));
	assert_true(lapic_deadline(lapic) > clock_ns(f->box->clock) + (1ull << 60));
	assert_true(lapic_msr_write(lapic, LAPIC_MSR_TSC_DEADLINE, 0));
	assert_int_equal(lapic_deadline(lapic), 0);
	/* An early deadline after a late one. */
	lapic_write(lapic, 0xb0, 0, 4);
	value = clock_ns(f->box->clock) + offset;
	lapic_msr_write(lapic, LAPIC_MSR_TSC_DEADLINE, value + 3600000000000);
	lapic_msr_write(lapic, LAPIC_MSR_TSC_DEADLINE, value + 5000000);
	assert_true(devbox_wait(f->box, &f->told[0].interrupts, 3, 120000));
}

static void test_reset(void **state)
{
	struct fixture *f = *state;

	lapic_deliver(f->lapic[0], LAPIC_FIXED, 0x55, false);
	redirect(f, 5, 0x51, 1);
	g_mutex_lock(&f->box->lock.mutex);
	irqchip_reset(f->chip);
	g_mutex_unlock(&f->box->lock.mutex);
	assert_false(lapic_pending(f->lapic[0]));
	assert_int_equal(ioapic_read(f, 0x10 + 10), 0x10000);
	assert_int_equal(lapic_read(f->lapic[0], 0xf0, 4), 0xff);
	/* Disabled by software: takes no interrupts but INIT and SIPI. */
	lapic_deliver(f->lapic[1], LAPIC_FIXED, 0x55, false);
	assert_false(lapic_pending(f->lapic[1]));
	lapic_deliver(f->lapic[1], LAPIC_INIT, 0, false);
	assert_int_equal(f->told[1].inits, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pic),
		TEST(test_pic_cascade),
		TEST(test_pic_modes),
		TEST(test_ioapic),
		TEST(test_ioapic_level),
		TEST(test_messages),
		TEST(test_ipis),
		TEST(test_priorities),
		TEST(test_x2apic),
		TEST(test_timer),
		TEST(test_tsc_deadline),
		TEST(test_reset),
	};

	return cmocka_run_group_tests_name("interrupt controllers", tests, NULL, NULL);
}
