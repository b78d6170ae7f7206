// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers as people read them, the same in screens and on the command line. Every function returns
// a new string (caller frees). An unknown figure (NAN, or 0 where said) is "-".
#pragma once

#include <glib.h>
#include <stdbool.h>

// Bytes, short, for table cells: "0", "512", "40K", "1.2M", "4.0G", "12T". Powers of 1024,
// at most four characters and the letter. NAN: "-".
char *format_size(double bytes);

// Bytes, for sentences: "512 bytes", "40.0 KiB", "4.0 GiB".
char *format_size_long(double bytes);

// Two sizes in one unit: "2.1/4.0G"; an unknown first one: "-/512M". Bytes.
char *format_size_pair(double used, double whole);

// A rate in bytes a second, short ("3.1M", "40k", "0"; powers of 1000) and long ("3.1 MB/s").
char *format_rate(double bytes_per_second);
char *format_rate_long(double bytes_per_second);

// A plain count or rate without unit: "0", "88", "1.2k", "3.4M".
char *format_count(double value);

// Percent without sign: "0", "3", "212". NAN: "-".
char *format_percent(double percent);

// A duration in seconds, two largest units: "8 s", "5 min 3 s", "2 h 1 min", "12 d 4 h"; NAN or
// negative: "-".
char *format_duration(double seconds);

// The same for narrow cells: "0:08", "5:03", "2:01:00", "12d04h".
char *format_duration_short(double seconds);

// Microseconds since 1970 in local time: "12:04:31", and "2026-11-22 12:04:31".
char *format_time(gint64 when);
char *format_date(gint64 when);

// Reads a size as people write it: "512M", "2GiB", "1.5 g", "40000" (in `unit` bytes when it has no
// letter; pass 1 for bytes). Powers of 1024; "MB" and friends are powers of 1000. False with a
// sentence when it is no size, negative, or beyond 2^63.
bool parse_size(const char *text, guint64 unit, guint64 *bytes, GError **error);
