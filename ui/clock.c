// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/clock.h"

/// The frozen second, or -1. The environment is asked each time: it is cheap, and tests change it.
static gint64 frozen(void)
{
	const char *text = g_getenv("LODGE_CLOCK");
	gint64 seconds;

	if (!text ||
		!g_ascii_string_to_signed(text, 10, 0, G_MAXINT64 / G_USEC_PER_SEC, &seconds, NULL))
		return -1;
	return seconds;
}

gint64 ui_now_us(void)
{
	gint64 seconds = frozen();

	return seconds >= 0 ? seconds * G_USEC_PER_SEC : g_get_real_time();
}

gint64 ui_now(void)
{
	return ui_now_us() / G_USEC_PER_SEC;
}

bool ui_clock_frozen(void)
{
	return frozen() >= 0;
}

char *ui_clock_text(gint64 seconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(seconds);

	return time ? g_date_time_format(time, "%H:%M:%S") : g_strdup("");
}
