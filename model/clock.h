// SPDX-License-Identifier: GPL-3.0-or-later
// Time as the console sees it. Everything that shows or stores a time asks here, so that screens
// and logs of a test are the same on every run.
#pragma once

#include <glib.h>
#include <stdbool.h>

// Time of day, microseconds since 1970. With LODGE_CLOCK=SECONDS in the environment (read once)
// it stands still at that second. Any thread.
gint64 clock_now(void);

// Microseconds that only grow, for ages and rates; stands still with LODGE_CLOCK. Any thread.
gint64 clock_monotonic(void);

// True when LODGE_CLOCK holds the time still: rates are then unknown (NAN) and ages 0.
bool clock_frozen(void);
