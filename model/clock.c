// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/clock.h"

// Microseconds of LODGE_CLOCK, or -1 when time runs.
static gint64 frozen_at(void)
{
	static gsize once;
	static gint64 at = -1;

	if (g_once_init_enter(&once)) {
		const char *text = g_getenv("LODGE_CLOCK");
		gint64 seconds;

		if (text && g_ascii_string_to_signed(
				    text, 10, 0, G_MAXINT64 / G_USEC_PER_SEC, &seconds, NULL))
			at = seconds * G_USEC_PER_SEC;
		g_once_init_leave(&once, 1);
	}
	return at;
}

gint64 clock_now(void)
{
	gint64 at = frozen_at();

	return at >= 0 ? at : g_get_real_time();
}

gint64 clock_monotonic(void)
{
	gint64 at = frozen_at();

	return at >= 0 ? at : g_get_monotonic_time();
}

bool clock_frozen(void)
{
	return frozen_at() >= 0;
}
