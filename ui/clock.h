// SPDX-License-Identifier: GPL-3.0-or-later
// The clock behind every time that is shown.
//
// With the environment variable LODGE_CLOCK=<unix seconds> the clock stands still at that moment,
// toasts stay until a key is pressed and spinners do not turn: screens can be compared as text.
// Measuring durations that are not shown uses g_get_monotonic_time() instead.
#pragma once

#include <glib.h>
#include <stdbool.h>

/// Seconds since 1970, UTC.
gint64 ui_now(void);

/// Microseconds since 1970, UTC; a frozen clock has no fraction.
gint64 ui_now_us(void);

/// Whether LODGE_CLOCK holds the clock.
bool ui_clock_frozen(void);

/// "12:04:31" in local time (TZ). The caller frees.
char *ui_clock_text(gint64 seconds);
