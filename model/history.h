// SPDX-License-Identifier: GPL-3.0-or-later
// The recent past of one figure: a fixed ring with one value per refresh. It takes no memory until
// the first known value arrives. Main thread only.
//
// Charts are drawn from it, and a host may have thousands of guests: values are not negative and kept
// in 16 bits, to within 0.2 % (whole numbers up to 512 exactly), whatever their size.
#pragma once

#include <glib.h>

// Values a ring holds: five minutes at one refresh a second.
#define HISTORY_LENGTH 300

struct history {
	guint16 *values; // packed; NULL until the first value that is not NAN
	guint16 next;  // where the next value goes
	guint16 count; // values held, at most HISTORY_LENGTH
};

// Adds the newest value; NAN is a gap (unknown at that time).
void history_add(struct history *history, double value);

// The value `ago` refreshes back, 0 the newest; NAN for a gap or beyond what is held.
double history_at(const struct history *history, unsigned ago);

// The newest value, or NAN.
double history_last(const struct history *history);

// Copies the newest `n` values to `out`, oldest first, NAN where nothing is held: a chart's input.
void history_copy(const struct history *history, double *out, unsigned n);

// The largest of the newest `n` values; 0 when there is none.
double history_max(const struct history *history, unsigned n);

// The mean of the newest `n` values, gaps left out; NAN when there is none.
double history_mean(const struct history *history, unsigned n);

// Forgets everything and frees the memory; the ring can be used again.
void history_clear(struct history *history);
