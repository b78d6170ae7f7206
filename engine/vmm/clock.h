// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The machine's clock and timers.
 *
 * One clock per machine counts nanoseconds of machine time: it starts at 0, runs with the host's
 * CLOCK_MONOTONIC, and stands still while the machine is paused. The software CPU's TSC and local
 * APIC timer count it directly (1 GHz).
 *
 * A timer calls back once, at or after its deadline, in the machine's main loop (a GLib main
 * context) with the machine lock held. Setting and cancelling are cheap, from any thread that
 * holds the machine lock.
 */
#pragma once

#include "engine/vmm/bus.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define CLOCK_HZ 1000000000ull

struct machine_clock;

/* Timers fire in context, under lock. The clock starts running. Errors: G_FILE_ERROR. */
struct machine_clock *clock_new(GMainContext *context, struct machine_lock *lock, GError **error);
void clock_free(struct machine_clock *clock);

/* Nanoseconds of machine time; any thread, no lock, no system call (vDSO). */
uint64_t clock_ns(const struct machine_clock *clock);

/* Stops and resumes machine time; deadlines move along. With the machine lock held. */
void clock_pause(struct machine_clock *clock);
void clock_resume(struct machine_clock *clock);

/* Sets machine time, while paused. With the machine lock held. */
void clock_set(struct machine_clock *clock, uint64_t ns);

struct clock_timer;

/* A timer that is not set. callback must not free its own timer. */
struct clock_timer *timer_new(struct machine_clock *clock, void (*callback)(void *data), void *data);
void timer_free(struct clock_timer *timer);
/* Sets (or moves) the deadline, in machine time; one in the past fires at once, from the loop. */
void timer_set(struct clock_timer *timer, uint64_t deadline_ns);
void timer_cancel(struct clock_timer *timer);
