// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The MC146818 real-time clock and its 128 bytes of CMOS memory (Motorola MC146818 data sheet),
 * ports 0x70-0x71; alarm, periodic and update-ended interrupts on GSI 8. Register 0x32 is the
 * century, as the FADT says.
 *
 * Threads: with the machine lock held.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/clock.h"
#include "engine/vmm/irq.h"
#include "engine/vmm/save/state.h"

#define RTC_PORT 0x70u
#define RTC_CENTURY 0x32u

struct rtc_state {
	uint8_t index;
	uint8_t cmos[128]; /* time registers are filled in when read */
	int64_t offset;    /* guest's seconds since 1970 - machine time in seconds */
	uint64_t second;   /* machine second up to which updates and alarms were seen */
	uint64_t period;   /* number of the period up to which periodic interrupts were given */
};

struct rtc;

/* start: the guest's wall-clock time now, in seconds since 1970 (UTC, or local time for a guest
 * that wants it). low and high: bytes of RAM below and above 4 GiB, reported in CMOS 0x34-0x35 and
 * 0x5b-0x5d as firmware does. */
struct rtc *rtc_new(struct bus *ports, struct machine_clock *clock, struct irq_line irq,
	int64_t start, uint64_t low, uint64_t high);
void rtc_free(struct rtc *rtc);
/* Time and memory survive a reset; interrupt enables do not. */
void rtc_reset(struct rtc *rtc);

const struct rtc_state *rtc_get_state(const struct rtc *rtc);

/* Saving: state.h. The clock shows, when it is loaded, the time of day that start would have, and
 * by as much more or less as the guest had set it. */
void rtc_save(const struct rtc *rtc, int64_t start, struct state_out *out);
bool rtc_load(struct rtc *rtc, int64_t start, struct state_in *in, GError **error);
