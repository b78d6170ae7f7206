// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/rtc.h"

#include <glib.h>
#include <string.h>
#include <time.h>

/* MC146818 data sheet, figure 10 "Address Map"; registers A to D. */
enum {
	SECONDS,
	SECONDS_ALARM,
	MINUTES,
	MINUTES_ALARM,
	HOURS,
	HOURS_ALARM,
	WEEKDAY,
	DAY,
	MONTH,
	YEAR,
	REG_A,
	REG_B,
	REG_C,
	REG_D,
};

#define A_UPDATING 0x80
#define B_SET 0x80
#define B_PERIODIC 0x40
#define B_ALARM 0x20
#define B_UPDATE 0x10
#define B_BINARY 0x04
#define B_24_HOURS 0x02
#define C_PERIODIC 0x40
#define C_ALARM 0x20
#define C_UPDATE 0x10
#define C_IRQ 0x80
#define UPDATE_NS 244000u /* the time before an update in which UIP is set */
#define PM_HOUR 0x80

/* CMOS bytes of memory sizes, as firmware fills them. */
#define CMOS_BASE_KIB 0x15
#define CMOS_EXTENDED_KIB 0x17
#define CMOS_EXTENDED_KIB2 0x30
#define CMOS_ABOVE_16M 0x34 /* in 64 KiB */
#define CMOS_ABOVE_4G 0x5b  /* in 64 KiB */

struct rtc {
	struct rtc_state s;
	struct bus *ports;
	struct machine_clock *clock;
	struct irq_line irq;
	struct clock_timer *timer;
};

static uint8_t encode(const struct rtc *rtc, unsigned value)
{
	if (rtc->s.cmos[REG_B] & B_BINARY)
		return value;
	return value / 10 % 10 << 4 | value % 10;
}

static unsigned decode(const struct rtc *rtc, uint8_t value)
{
	if (rtc->s.cmos[REG_B] & B_BINARY)
		return value;
	return (value >> 4) * 10 + (value & 15);
}

static uint8_t encode_hour(const struct rtc *rtc, unsigned hour)
{
	if (rtc->s.cmos[REG_B] & B_24_HOURS)
		return encode(rtc, hour);
	return encode(rtc, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? PM_HOUR : 0);
}

static unsigned decode_hour(const struct rtc *rtc, uint8_t value)
{
	if (rtc->s.cmos[REG_B] & B_24_HOURS)
		return decode(rtc, value);
	return decode(rtc, value & ~PM_HOUR) % 12 + (value & PM_HOUR ? 12 : 0);
}

/* Fills the time registers from the clock. */
static void rtc_latch(struct rtc *rtc)
{
	time_t now = rtc->s.offset + (int64_t)(clock_ns(rtc->clock) / CLOCK_HZ);
	uint8_t *cmos = rtc->s.cmos;
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		return;
	cmos[SECONDS] = encode(rtc, tm.tm_sec);
	cmos[MINUTES] = encode(rtc, tm.tm_min);
	cmos[HOURS] = encode_hour(rtc, tm.tm_hour);
	cmos[WEEKDAY] = encode(rtc, tm.tm_wday + 1);
	cmos[DAY] = encode(rtc, tm.tm_mday);
	cmos[MONTH] = encode(rtc, tm.tm_mon + 1);
	cmos[YEAR] = encode(rtc, tm.tm_year % 100);
	cmos[RTC_CENTURY] = encode(rtc, (tm.tm_year + 1900) / 100);
}

/* Sets the clock from the time registers; days that do not exist carry over into the next month. */
static void rtc_adopt(struct rtc *rtc)
{
	const uint8_t *cmos = rtc->s.cmos;
	struct tm tm = {
		.tm_sec = decode(rtc, cmos[SECONDS]),
		.tm_min = decode(rtc, cmos[MINUTES]),
		.tm_hour = decode_hour(rtc, cmos[HOURS]),
		.tm_mday = decode(rtc, cmos[DAY]),
		.tm_mon = (int)decode(rtc, cmos[MONTH]) - 1,
		.tm_year = (int)(decode(rtc, cmos[RTC_CENTURY]) * 100 + decode(rtc, cmos[YEAR])) -
			   1900,
	};

	rtc->s.offset = timegm(&tm) - (int64_t)(clock_ns(rtc->clock) / CLOCK_HZ);
}

/* An alarm byte of 0xc0 and above matches anything. */
static bool alarm_matches(const struct rtc *rtc)
{
	const uint8_t *cmos = rtc->s.cmos;

	for (unsigned i = SECONDS; i <= HOURS; i += 2) {
		if (cmos[i + 1] < 0xc0 && cmos[i + 1] != cmos[i])
			return false;
	}
	return true;
}

/* The periodic interrupt's period in 1/32768 s, 0: off. Rates 1 and 2 are 8 and 9 (table 5). */
static uint64_t rtc_period(const struct rtc *rtc)
{
	unsigned rate = rtc->s.cmos[REG_A] & 15;

	if (!rate)
		return 0;
	return 1ull << ((rate <= 2 ? rate + 7 : rate) - 1);
}

static uint64_t crystal_of_ns(uint64_t ns)
{
	return (unsigned __int128)ns * 32768 / CLOCK_HZ;
}

/* Sets the flags of register C for what has happened since the last look. */
static void rtc_catch_up(struct rtc *rtc)
{
	uint64_t now = clock_ns(rtc->clock), period = rtc_period(rtc);
	uint64_t number = period ? crystal_of_ns(now) / period : 0;
	uint8_t *cmos = rtc->s.cmos;

	if (number != rtc->s.period && period)
		cmos[REG_C] |= C_PERIODIC;
	rtc->s.period = number;
	if (now / CLOCK_HZ == rtc->s.second)
		return;
	rtc->s.second = now / CLOCK_HZ;
	if (cmos[REG_B] & B_SET)
		return;
	cmos[REG_C] |= C_UPDATE;
	rtc_latch(rtc);
	if (alarm_matches(rtc))
		cmos[REG_C] |= C_ALARM;
}

static void rtc_update(struct rtc *rtc)
{
	uint8_t enabled = rtc->s.cmos[REG_B] & (B_PERIODIC | B_ALARM | B_UPDATE);
	uint64_t next = UINT64_MAX, period = rtc_period(rtc);

	rtc_catch_up(rtc);
	if (enabled & (B_ALARM | B_UPDATE))
		next = (rtc->s.second + 1) * CLOCK_HZ;
	if (enabled & B_PERIODIC && period)
		next = MIN(next,
			(unsigned __int128)(rtc->s.period + 1) * period * CLOCK_HZ / 32768 + 1);
	if (next == UINT64_MAX || rtc->s.cmos[REG_C] & enabled)
		timer_cancel(rtc->timer); /* nothing new to tell until the guest reads C */
	else
		timer_set(rtc->timer, next);
	irq_set(&rtc->irq, rtc->s.cmos[REG_C] & enabled);
}

static void rtc_fired(void *data)
{
	rtc_update(data);
}

static uint8_t rtc_read_c(struct rtc *rtc)
{
	uint8_t flags, enabled = rtc->s.cmos[REG_B] & (B_PERIODIC | B_ALARM | B_UPDATE);

	rtc_catch_up(rtc);
	flags = rtc->s.cmos[REG_C];
	rtc->s.cmos[REG_C] = 0;
	rtc_update(rtc);
	return flags | (flags & enabled ? C_IRQ : 0);
}

static bool is_time(unsigned index)
{
	return (index <= YEAR && index != SECONDS_ALARM && index != MINUTES_ALARM &&
		       index != HOURS_ALARM) ||
	       index == RTC_CENTURY;
}

static uint8_t rtc_read_index(struct rtc *rtc, unsigned index)
{
	bool updating = clock_ns(rtc->clock) % CLOCK_HZ >= CLOCK_HZ - UPDATE_NS;
	bool set = rtc->s.cmos[REG_B] & B_SET;

	if (index == REG_A)
		return rtc->s.cmos[REG_A] | (updating && !set ? A_UPDATING : 0);
	if (index == REG_C)
		return rtc_read_c(rtc);
	if (is_time(index) && !set)
		rtc_latch(rtc);
	return rtc->s.cmos[index];
}

static void rtc_write_b(struct rtc *rtc, uint8_t value)
{
	uint8_t old = rtc->s.cmos[REG_B];

	if (value & B_SET)
		value &= ~B_UPDATE;
	if (value & ~old & B_SET)
		rtc_latch(rtc);
	rtc->s.cmos[REG_B] = value;
	if (old & ~value & B_SET)
		rtc_adopt(rtc);
	rtc_update(rtc);
}

static void rtc_write_index(struct rtc *rtc, unsigned index, uint8_t value)
{
	bool set = rtc->s.cmos[REG_B] & B_SET;

	if (index == REG_B) {
		rtc_write_b(rtc, value);
	} else if (index == REG_A) {
		rtc->s.cmos[REG_A] = value & 0x7f;
		rtc_update(rtc);
	} else if (index == REG_C || index == REG_D) {
		return;
	} else {
		if (is_time(index) && !set)
			rtc_latch(rtc);
		rtc->s.cmos[index] = value;
		if (is_time(index) && !set)
			rtc_adopt(rtc);
	}
}

static uint64_t rtc_read(void *device, uint64_t offset, unsigned size)
{
	struct rtc *rtc = device;

	return offset == 1 ? rtc_read_index(rtc, rtc->s.index) : 0xff;
}

static void rtc_write(void *device, uint64_t offset, uint64_t value, unsigned size)
{
	struct rtc *rtc = device;

	if (offset == 0)
		rtc->s.index = value & 0x7f; /* bit 7 masks NMI, of which there is none */
	else
		rtc_write_index(rtc, rtc->s.index, value);
}

static const struct bus_ops rtc_bus_ops = {
	.read = rtc_read,
	.write = rtc_write,
};

static void put(uint8_t *cmos, uint64_t value, unsigned length)
{
	for (unsigned i = 0; i < length; i++)
		cmos[i] = value >> 8 * i;
}

static void rtc_fill_sizes(struct rtc *rtc, uint64_t low, uint64_t high)
{
	uint64_t extended = low > 1 << 20 ? (low - (1 << 20)) >> 10 : 0;
	uint64_t above = low > 16 << 20 ? (low - (16 << 20)) >> 16 : 0;
	uint8_t *cmos = rtc->s.cmos;

	put(cmos + CMOS_BASE_KIB, 640, 2);
	put(cmos + CMOS_EXTENDED_KIB, MIN(extended, 65535), 2);
	put(cmos + CMOS_EXTENDED_KIB2, MIN(extended, 65535), 2);
	put(cmos + CMOS_ABOVE_16M, MIN(above, 65535), 2);
	put(cmos + CMOS_ABOVE_4G, high >> 16, 3);
}

void rtc_reset(struct rtc *rtc)
{
	rtc->s.cmos[REG_B] &= ~(B_PERIODIC | B_ALARM | B_UPDATE);
	rtc->s.cmos[REG_C] = 0;
	rtc->s.index = 0;
	rtc_update(rtc);
}

struct rtc *rtc_new(struct bus *ports, struct machine_clock *clock, struct irq_line irq,
	int64_t start, uint64_t low, uint64_t high)
{
	struct rtc *rtc = g_new0(struct rtc, 1);

	rtc->ports = ports;
	rtc->clock = clock;
	rtc->irq = irq;
	rtc->timer = timer_new(clock, rtc_fired, rtc);
	rtc->s.offset = start - (int64_t)(clock_ns(clock) / CLOCK_HZ);
	rtc->s.cmos[REG_A] = 0x26; /* 32.768 kHz, 1024 Hz */
	rtc->s.cmos[REG_B] = B_24_HOURS;
	rtc->s.cmos[REG_D] = 0x80; /* the battery is good */
	rtc_fill_sizes(rtc, low, high);
	rtc_latch(rtc);
	bus_claim(ports, RTC_PORT, 2, &rtc_bus_ops, rtc);
	return rtc;
}

void rtc_free(struct rtc *rtc)
{
	if (!rtc)
		return;
	bus_release(rtc->ports, RTC_PORT, rtc);
	timer_free(rtc->timer);
	g_free(rtc);
}

const struct rtc_state *rtc_get_state(const struct rtc *rtc)
{
	return &rtc->s;
}

/* ---- saving ---- */

static const struct field rtc_state_fields[] = {
	FIELD_RANGE(struct rtc_state, index, 0, 127),
	FIELD_BYTES(struct rtc_state, cmos),
	FIELD(struct rtc_state, offset),
	FIELD(struct rtc_state, second),
	FIELD(struct rtc_state, period),
	FIELD_END,
};

/* The guest's deviation from the host's clock is bounded by what the registers can show. */
#define DEVIATION_MAX (1ll << 40)

/* In a file the offset counts from the host's time of day. */
static int64_t base(const struct rtc *rtc, int64_t start)
{
	return start - (int64_t)(clock_ns(rtc->clock) / CLOCK_HZ);
}

void rtc_save(const struct rtc *rtc, int64_t start, struct state_out *out)
{
	struct rtc_state s = rtc->s;

	s.offset -= base(rtc, start);
	state_put(out, "rtc", 0, rtc_state_fields, &s);
}

bool rtc_load(struct rtc *rtc, int64_t start, struct state_in *in, GError **error)
{
	struct rtc_state s;

	if (!state_get(in, "rtc", 0, rtc_state_fields, &s, error))
		return false;
	if (s.offset < -DEVIATION_MAX || s.offset > DEVIATION_MAX)
		return state_damaged("rtc", 0, "offset", error);
	rtc->s = s;
	rtc->s.offset += base(rtc, start);
	rtc_update(rtc);
	return true;
}
