// SPDX-License-Identifier: GPL-3.0-or-later
/* The PC's small chips: 8254, clock, ACPI, serial port, keyboard controller, exit port. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine/vmm/dev/debugexit.h"
#include "engine/vmm/dev/i8042.h"
#include "engine/vmm/dev/pit.h"
#include "engine/vmm/dev/pm.h"
#include "engine/vmm/dev/pvpanic.h"
#include "engine/vmm/dev/rtc.h"
#include "engine/vmm/dev/serial.h"
#include "engine/vmm/save/state.h"
#include "tests/engine/devbox.h"

#include <string.h>

#define PATIENCE 120000 /* ms, on a host that is busy with other things */

/* A host side that takes as many bytes as it is allowed to, and remembers them. */
struct sink {
	struct chardev base;
	size_t room;
	unsigned resumed;
	GString *text;
};

static size_t sink_write(struct chardev *chardev, const void *data, size_t length)
{
	struct sink *sink = (struct sink *)chardev;
	size_t taken = MIN(sink->room, length);

	g_string_append_len(sink->text, data, taken);
	sink->room -= taken;
	return taken;
}

static void sink_resume(struct chardev *chardev)
{
	((struct sink *)chardev)->resumed++;
}

static const struct chardev_ops sink_ops = {.write = sink_write, .resume = sink_resume};

struct fixture {
	struct devbox *box;
	struct sink sink;
	unsigned power_offs, resets, exits;
	int status;
};

static int set_up(void **state)
{
	struct fixture *f = g_new0(struct fixture, 1);

	f->box = devbox_new();
	f->sink.base.ops = &sink_ops;
	f->sink.room = 1000;
	f->sink.text = g_string_new(NULL);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	devbox_free(f->box);
	g_string_free(f->sink.text, TRUE);
	g_free(f);
	return 0;
}

static uint8_t in(struct fixture *f, uint16_t port)
{
	return devbox_in(f->box, port, 1);
}

static void out(struct fixture *f, uint16_t port, uint8_t value)
{
	devbox_out(f->box, port, value, 1);
}

static struct irq_line wire(struct fixture *f, unsigned gsi)
{
	return (struct irq_line){&f->box->router, gsi};
}

/* ---- 8254 ---- */

static uint16_t pit_count(struct fixture *f, unsigned channel)
{
	uint16_t low;

	out(f, 0x43, channel << 6);
	low = in(f, 0x40 + channel);
	return low | in(f, 0x40 + channel) << 8;
}

static void test_pit_periodic(void **state)
{
	struct fixture *f = *state;
	struct pit *pit = pit_new(f->box->ports, f->box->clock, wire(f, 0));
	uint64_t start = clock_ns(f->box->clock), ns;

	out(f, 0x43, 0x34);
	out(f, 0x40, 11932 & 0xff);
	out(f, 0x40, 11932 >> 8);
	assert_true(devbox_wait(f->box, &f->box->rises[0], 1, PATIENCE));
	f->box->rises[0] = 0;
	assert_true(devbox_wait(f->box, &f->box->rises[0], 10, PATIENCE));
	ns = clock_ns(f->box->clock) - start;
	assert_true(ns >= 110000000 - 100000); /* 11 periods of 10 ms */
	assert_in_range(pit_count(f, 0), 1, 11932);
	pit_free(pit);
}

static void test_pit_one_shot(void **state)
{
	struct fixture *f = *state;
	struct pit *pit = pit_new(f->box->ports, f->box->clock, wire(f, 0));
	uint16_t first;

	out(f, 0x43, 0x30);
	out(f, 0x40, 0xff);
	out(f, 0x40, 0x2f);
	assert_false(f->box->level[0]);
	first = pit_count(f, 0);
	devbox_run(f->box, 2);
	assert_true(pit_count(f, 0) != first);
	assert_true(devbox_wait(f->box, &f->box->rises[0], 1, PATIENCE));
	devbox_run(f->box, 20);
	assert_int_equal(f->box->rises[0], 1);
	/* Status by read-back: output high, count loaded, both bytes, mode 0. */
	out(f, 0x43, 0xe2);
	assert_int_equal(in(f, 0x40), 0xb0);
	pit_free(pit);
}

/* The same chip in another process. */
static struct pit *pit_move(struct fixture *f, struct pit *pit)
{
	struct state_out *out_state = state_out_new();
	struct state_in *in_state = state_in_new();
	const uint8_t *data;
	const char *name;
	size_t length;

	pit_save(pit, out_state);
	pit_free(pit);
	for (unsigned i = 0; (name = state_out_record(out_state, i, &data, &length)); i++)
		assert_true(state_in_add(in_state, name, g_bytes_new(data, length), NULL));
	pit = pit_new(f->box->ports, f->box->clock, wire(f, 0));
	assert_true(pit_load(pit, in_state, NULL));
	state_out_free(out_state);
	state_in_free(in_state);
	return pit;
}

/* A count that is over before anybody has looked, as on a busy host: its end is told, once. */
static void test_pit_late_end(void **state)
{
	struct fixture *f = *state;
	struct pit *pit = pit_new(f->box->ports, f->box->clock, wire(f, 0));

	out(f, 0x43, 0x38);
	out(f, 0x40, 3);
	out(f, 0x40, 0);
	g_usleep(1000);
	pit = pit_move(f, pit);
	assert_true(devbox_wait(f->box, &f->box->rises[0], 1, PATIENCE));
	pit = pit_move(f, pit);
	devbox_run(f->box, 20);
	assert_int_equal(f->box->rises[0], 1);
	pit_free(pit);
}

/* How kernels measure the TSC: channel 2 in mode 0, gated by port 0x61, output read there. */
static void test_pit_gate(void **state)
{
	struct fixture *f = *state;
	struct pit *pit = pit_new(f->box->ports, f->box->clock, wire(f, 0));
	uint64_t start;

	out(f, 0x61, 0);
	out(f, 0x43, 0xb0);
	out(f, 0x42, 0x9b);
	out(f, 0x42, 0x2e); /* 11931: 10 ms */
	devbox_run(f->box, 15);
	assert_false(in(f, 0x61) & 0x20); /* the gate holds it */
	start = clock_ns(f->box->clock);
	out(f, 0x61, 1);
	while (!(in(f, 0x61) & 0x20))
		assert_true(clock_ns(f->box->clock) - start < PATIENCE * 1000000ull);
	assert_true(clock_ns(f->box->clock) - start >= 9990000);
	pit_free(pit);
}

static void test_pit_bcd(void **state)
{
	struct fixture *f = *state;
	uint64_t start;
	struct pit *pit = pit_new(f->box->ports, f->box->clock, wire(f, 0));

	out(f, 0x43, 0x35);
	out(f, 0x40, 0x00);
	out(f, 0x40, 0x50);
	assert_int_equal(pit_get_state(pit, 0)->reload, 5000);
	for (unsigned i = 0; i < 20; i++) {
		uint16_t count = pit_count(f, 0);

		assert_true((count & 15) < 10 && count <= 0x5000);
	}
	/* The shortest period does not keep the loop busy. */
	out(f, 0x43, 0x14);
	out(f, 0x40, 1);
	f->box->rises[0] = 0;
	start = clock_ns(f->box->clock);
	assert_true(devbox_wait(f->box, &f->box->rises[0], 20, PATIENCE));
	assert_true(clock_ns(f->box->clock) - start >= 19 * 40000);
	pit_free(pit);
}

/* ---- MC146818 ---- */

static uint8_t cmos(struct fixture *f, uint8_t index)
{
	out(f, 0x70, index);
	return in(f, 0x71);
}

static void set_cmos(struct fixture *f, uint8_t index, uint8_t value)
{
	out(f, 0x70, index);
	out(f, 0x71, value);
}

static void test_rtc_time(void **state)
{
	struct fixture *f = *state;
	/* 2027-03-14 15:09:26 UTC, a Sunday. */
	struct rtc *rtc = rtc_new(
		f->box->ports, f->box->clock, wire(f, 8), 1805036966, 512ull << 20, 1ull << 30);

	assert_in_range(cmos(f, 0), 0x26, 0x59);
	assert_int_equal(cmos(f, 2), 0x09);
	assert_int_equal(cmos(f, 4), 0x15);
	assert_int_equal(cmos(f, 6), 0x01);
	assert_int_equal(cmos(f, 7), 0x14);
	assert_int_equal(cmos(f, 8), 0x03);
	assert_int_equal(cmos(f, 9), 0x27);
	assert_int_equal(cmos(f, 0x32), 0x20);
	assert_int_equal(cmos(f, 0x0d), 0x80);
	assert_int_equal(cmos(f, 0x34) | cmos(f, 0x35) << 8, (512 - 16) * 16);
	assert_int_equal(cmos(f, 0x5b) | cmos(f, 0x5c) << 8, 1 << 14);
	/* Binary, 12 hours. */
	set_cmos(f, 0x0b, 0x04);
	assert_int_equal(cmos(f, 4), 0x83);
	assert_int_equal(cmos(f, 9), 27);
	/* Setting: 1999-12-31 23:59:58, then over the turn of the century. */
	set_cmos(f, 0x0b, 0x86);
	set_cmos(f, 0, 57);
	set_cmos(f, 2, 59);
	set_cmos(f, 4, 23);
	set_cmos(f, 7, 31);
	set_cmos(f, 8, 12);
	set_cmos(f, 9, 99);
	set_cmos(f, 0x32, 19);
	assert_int_equal(cmos(f, 0), 57);
	set_cmos(f, 0x0b, 0x06);
	for (unsigned i = 0; cmos(f, 9) == 99 && i < PATIENCE / 10; i++)
		devbox_run(f->box, 10);
	assert_int_equal(cmos(f, 9), 0);
	assert_int_equal(cmos(f, 0x32), 20);
	assert_int_equal(cmos(f, 8), 1);
	rtc_free(rtc);
}

static void test_rtc_interrupts(void **state)
{
	struct fixture *f = *state;
	struct rtc *rtc = rtc_new(f->box->ports, f->box->clock, wire(f, 8), 1000000000, 0, 0);

	set_cmos(f, 0x0a, 0x2a); /* 64 Hz */
	set_cmos(f, 0x0b, 0x42);
	for (unsigned i = 1; i <= 3; i++) {
		assert_true(devbox_wait(f->box, &f->box->rises[8], i, PATIENCE));
		assert_int_equal(cmos(f, 0x0c) & 0xc0, 0xc0);
		assert_false(f->box->level[8]);
	}
	/* Nothing more until register C is read. */
	assert_true(devbox_wait(f->box, &f->box->rises[8], 4, PATIENCE));
	devbox_run(f->box, 50);
	assert_int_equal(f->box->rises[8], 4);
	set_cmos(f, 0x0b, 0x12);
	cmos(f, 0x0c);
	assert_true(devbox_wait(f->box, &f->box->rises[8], 5, PATIENCE));
	assert_int_equal(cmos(f, 0x0c) & 0x90, 0x90);
	/* An alarm that matches every second. */
	set_cmos(f, 1, 0xff);
	set_cmos(f, 3, 0xff);
	set_cmos(f, 5, 0xff);
	set_cmos(f, 0x0b, 0x22);
	cmos(f, 0x0c);
	assert_true(devbox_wait(f->box, &f->box->rises[8], 6, PATIENCE));
	assert_int_equal(cmos(f, 0x0c) & 0xa0, 0xa0);
	rtc_free(rtc);
}

/* ---- ACPI ---- */

static void pm_off(void *machine)
{
	((struct fixture *)machine)->power_offs++;
}

static void pm_reset_machine(void *machine)
{
	((struct fixture *)machine)->resets++;
}

static const struct pm_ops pm_test_ops = {.power_off = pm_off, .reset = pm_reset_machine};

static void test_pm(void **state)
{
	struct fixture *f = *state;
	struct devbox *box = f->box;
	uint64_t start = clock_ns(box->clock);
	uint32_t first, passed;
	struct pm *pm;

	/* Port 0xcf9 lies within PCI's: who comes first has it. */
	pci_bus_free(box->pci);
	pm = pm_new(box->ports, box->clock, wire(f, PM_SCI), &pm_test_ops, f);
	box->pci = pci_bus_new(box->ports, box->mmio, &box->router);
	first = devbox_in(box, PM_TIMER, 4);
	devbox_run(box, 20);
	passed = (uint32_t)devbox_in(box, PM_TIMER, 4) - first;
	assert_true(passed >= 3579545 / 50);
	assert_true(passed <= (clock_ns(box->clock) - start) * 3.58e-3 + 2);
	assert_int_equal(devbox_in(box, PM_CONTROL, 2), 1);

	/* The power button, when enabled and not. */
	pm_press_power(pm);
	assert_false(box->level[PM_SCI]);
	devbox_out(box, PM_EVENT + 2, 0x100, 2);
	assert_true(box->level[PM_SCI]);
	assert_int_equal(devbox_in(box, PM_EVENT, 4), 0x01000100);
	devbox_out(box, PM_EVENT, 0x100, 2);
	assert_false(box->level[PM_SCI]);
	assert_int_equal(devbox_in(box, PM_EVENT + 2, 2), 0x100);

	devbox_out(box, PM_GPE + 4, 0x80, 1);
	pm_raise_gpe(pm, 7);
	assert_true(box->level[PM_SCI]);
	assert_int_equal(devbox_in(box, PM_GPE, 1), 0x80);
	devbox_out(box, PM_GPE, 0x80, 1);
	assert_false(box->level[PM_SCI]);

	devbox_out(box, PM_CONTROL, 0x2000 | 1 << 10, 2); /* S1 is not there */
	assert_int_equal(f->power_offs, 0);
	devbox_out(box, PM_CONTROL, 0x2000 | PM_S5_TYPE << 10, 2);
	assert_int_equal(f->power_offs, 1);
	devbox_out(box, PM_RESET, 0x02, 1);
	assert_int_equal(f->resets, 0);
	devbox_out(box, PM_RESET, PM_RESET_VALUE, 1);
	assert_int_equal(f->resets, 1);
	pm_free(pm);
}

/* ---- serial port ---- */

static void test_serial_send(void **state)
{
	struct fixture *f = *state;
	struct serial *serial = serial_new(f->box->ports, 0x3f8, wire(f, 4), &f->sink.base);

	for (const char *c = "hello"; *c; c++) {
		assert_int_equal(in(f, 0x3fd) & 0x60, 0x60);
		out(f, 0x3f8, *c);
	}
	assert_string_equal(f->sink.text->str, "hello");
	/* Transmitter-empty interrupts: at enabling, after each byte; reading IIR ends them. */
	out(f, 0x3f9, 0x02);
	assert_true(f->box->level[4]);
	assert_int_equal(in(f, 0x3fa), 0x02);
	assert_false(f->box->level[4]);
	assert_int_equal(in(f, 0x3fa), 0x01);
	out(f, 0x3f8, '!');
	assert_true(f->box->level[4]);
	serial_free(serial);
}

static void test_serial_backpressure(void **state)
{
	struct fixture *f = *state;
	struct serial *serial = serial_new(f->box->ports, 0x3f8, wire(f, 4), &f->sink.base);

	out(f, 0x3fa, 0x01);
	out(f, 0x3f9, 0x02);
	in(f, 0x3fa);
	f->sink.room = 2;
	for (unsigned i = 0; i < 8; i++)
		out(f, 0x3f8, 'a' + i);
	assert_int_equal(in(f, 0x3fd) & 0x60, 0);
	assert_string_equal(f->sink.text->str, "ab");
	assert_false(f->box->level[4] && in(f, 0x3fa) == 0xc2);
	f->sink.room = 3;
	chardev_writable(&f->sink.base);
	assert_string_equal(f->sink.text->str, "abcde");
	assert_int_equal(in(f, 0x3fd) & 0x20, 0);
	f->sink.room = 100;
	chardev_writable(&f->sink.base);
	assert_string_equal(f->sink.text->str, "abcdefgh");
	assert_int_equal(in(f, 0x3fd) & 0x60, 0x60);
	assert_true(f->box->level[4]);
	serial_free(serial);
}

static void test_serial_receive(void **state)
{
	struct fixture *f = *state;
	struct serial *serial = serial_new(f->box->ports, 0x3f8, wire(f, 4), &f->sink.base);

	/* Without FIFO one byte at a time. */
	out(f, 0x3f9, 0x01);
	assert_int_equal(chardev_receive(&f->sink.base, "xy", 2), 1);
	assert_true(f->box->level[4]);
	assert_int_equal(in(f, 0x3fa), 0x04);
	assert_int_equal(in(f, 0x3fd) & 1, 1);
	assert_int_equal(in(f, 0x3f8), 'x');
	assert_int_equal(f->sink.resumed, 1);
	assert_false(f->box->level[4]);
	/* With it, 16; the trigger level makes the difference between received and timeout. */
	out(f, 0x3fa, 0xc7);
	assert_int_equal(chardev_receive(&f->sink.base, "0123456789abcdefgh", 18), 16);
	assert_int_equal(in(f, 0x3fa), 0xc4);
	for (unsigned i = 0; i < 16; i++) {
		assert_int_equal(f->sink.resumed, 1);
		assert_int_equal(in(f, 0x3f8), "0123456789abcdef"[i]);
		if (i == 3)
			assert_int_equal(in(f, 0x3fa), 0xcc);
	}
	assert_int_equal(f->sink.resumed, 2);
	assert_int_equal(in(f, 0x3fa), 0xc1);
	assert_int_equal(in(f, 0x3f8), 0);
	serial_free(serial);
}

static void test_serial_probe(void **state)
{
	struct fixture *f = *state;
	struct serial *serial = serial_new(f->box->ports, 0x2f8, wire(f, 3), NULL);

	/* What drivers look at to tell the chip: scratch, divisor, FIFO bits, loopback. */
	out(f, 0x2ff, 0x5a);
	assert_int_equal(in(f, 0x2ff), 0x5a);
	out(f, 0x2fb, 0x83);
	out(f, 0x2f8, 0x34);
	out(f, 0x2f9, 0x12);
	assert_int_equal(devbox_in(f->box, 0x2f8, 2), 0x1234);
	out(f, 0x2fb, 0x03);
	assert_int_equal(in(f, 0x2f9), 0);
	out(f, 0x2fa, 1);
	assert_int_equal(in(f, 0x2fa) & 0xc0, 0xc0);
	out(f, 0x2fc, 0x1a);
	assert_int_equal(in(f, 0x2fe) & 0xf0, 0x90);
	out(f, 0x2f8, 'L');
	assert_int_equal(in(f, 0x2f8), 'L');
	for (unsigned i = 0; i < 17; i++)
		out(f, 0x2f8, i);
	assert_int_equal(in(f, 0x2fd) & 3, 3);
	assert_int_equal(in(f, 0x2fd) & 3, 1);
	out(f, 0x2fc, 0);
	assert_int_equal(in(f, 0x2fe) & 0xf0, 0xb0);
	out(f, 0x2f8, 'x'); /* to nobody */
	assert_int_equal(in(f, 0x2fd) & 0x60, 0x60);
	serial_free(serial);
}

/* ---- keyboard controller and exit ---- */

static void test_i8042(void **state)
{
	struct fixture *f = *state;
	struct i8042 *i8042 = i8042_new(f->box->ports, pm_reset_machine, f);

	assert_int_equal(in(f, 0x64) & 3, 0);
	out(f, 0x64, 0xaa);
	assert_int_equal(in(f, 0x64) & 3, 1);
	assert_int_equal(in(f, 0x60), 0x55);
	assert_int_equal(in(f, 0x64) & 3, 0);
	out(f, 0x64, 0x60);
	out(f, 0x60, 0x47);
	out(f, 0x64, 0x20);
	assert_int_equal(in(f, 0x60), 0x47);
	out(f, 0x64, 0xd3);
	out(f, 0x60, 0xa5);
	assert_int_equal(in(f, 0x64) & 0x21, 0x21);
	assert_int_equal(in(f, 0x60), 0xa5);
	out(f, 0x60, 0xff); /* reset the keyboard: nobody there */
	assert_int_equal(in(f, 0x60), 0xfe);
	out(f, 0x64, 0xff); /* pulses no line */
	assert_int_equal(f->resets, 0);
	out(f, 0x64, 0xfe);
	assert_int_equal(f->resets, 1);
	out(f, 0x64, 0xd1);
	out(f, 0x60, 0x02);
	assert_int_equal(f->resets, 2);
	i8042_free(i8042);
}

static void exited(void *machine, int status)
{
	struct fixture *f = machine;

	f->exits++;
	f->status = status;
}

static void test_debugexit(void **state)
{
	struct fixture *f = *state;
	struct debugexit *debugexit = debugexit_new(f->box->ports, 0xf4, exited, f);

	out(f, 0xf4, 0);
	assert_int_equal(f->status, 1);
	devbox_out(f->box, 0xf4, 0x10, 4);
	assert_int_equal(f->status, 0x21);
	assert_int_equal(in(f, 0xf4), 0xff);
	assert_int_equal(f->exits, 2);
	debugexit_free(debugexit);
	out(f, 0xf4, 0);
	assert_int_equal(f->exits, 2);
}

static void note_panic(void *fixture, bool crash_loaded)
{
	((struct fixture *)fixture)->status = crash_loaded ? 2 : 1;
}

static void test_pvpanic(void **state)
{
	struct fixture *f = *state;
	struct pvpanic *pvpanic = pvpanic_new(f->box->ports, note_panic, f);

	assert_int_equal(in(f, PVPANIC_PORT), 3);
	out(f, PVPANIC_PORT, 0xfc);
	assert_int_equal(f->status, 0);
	out(f, PVPANIC_PORT, PVPANIC_CRASH_LOADED);
	assert_int_equal(f->status, 2);
	out(f, PVPANIC_PORT, PVPANIC_PANICKED);
	assert_int_equal(f->status, 1);
	pvpanic_free(pvpanic);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pit_periodic),
		TEST(test_pit_one_shot),
		TEST(test_pit_late_end),
		TEST(test_pit_gate),
		TEST(test_pit_bcd),
		TEST(test_rtc_time),
		TEST(test_rtc_interrupts),
		TEST(test_pm),
		TEST(test_serial_send),
		TEST(test_serial_backpressure),
		TEST(test_serial_receive),
		TEST(test_serial_probe),
		TEST(test_i8042),
		TEST(test_debugexit),
		TEST(test_pvpanic),
	};

	return cmocka_run_group_tests_name("PC chips", tests, NULL, NULL);
}
