// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers with units, as people type and read them. Pure.
//
// Values are whole numbers of the kind's smallest unit. Sizes count in 1024 as libvirt does: K,
// KiB, M, MiB… are binary, KB, MB… decimal. Both '.' and ',' are decimal points; spaces and case of
// the unit do not matter.
#pragma once

#include <glib.h>
#include <stdbool.h>

struct number_unit {
	const char *name;	// as shown: "GiB"
	const char *aliases;	// space separated, lower case: "g gib"
	gint64 factor;		// in smallest units
	bool shown;		// used by number_format()
};

struct number_kind {
	const struct number_unit *units; // ends with a NULL name; smallest first
	const char *fallback;		 // unit meant when none is typed
	gint64 step;			 // what + and - do, in smallest units
};

extern const struct number_kind NUMBER_COUNT;	// no unit
extern const struct number_kind NUMBER_PERCENT;	// "%"
extern const struct number_kind NUMBER_BYTES;	// bytes; MiB when no unit is typed
extern const struct number_kind NUMBER_RATE;	// bytes per second; MiB/s when no unit is typed
extern const struct number_kind NUMBER_SECONDS;	// s, min, h

/// The value of TEXT; the error says what is wrong with it in a whole sentence.
bool number_parse(const struct number_kind *k, const char *text, gint64 *value, GError **error);

/// "4.5 GiB": the largest unit that shows the value exactly with at most two decimals, else
/// an exact smaller unit. number_parse() of the result is the value again. The caller frees.
char *number_format(const struct number_kind *k, gint64 value);

/// For live figures: at most WIDTH characters or so, "3.1M", "40k", "212", rounded. The caller
/// frees.
char *number_short(double value, bool binary);

#define NUMBER_ERROR (number_error_quark())
GQuark number_error_quark(void);
enum number_error {
	NUMBER_ERROR_EMPTY,
	NUMBER_ERROR_SYNTAX,
	NUMBER_ERROR_UNIT,
	NUMBER_ERROR_RANGE
};
