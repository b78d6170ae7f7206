// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/format.h"
#include "model/error.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

// Scales value by `step` until it is below 1000 (so that three digits do); returns the power.
static unsigned scale(double *value, double step, unsigned powers)
{
	unsigned power = 0;

	while (fabs(*value) >= 999.5 && power < powers) {
		*value /= step;
		power++;
	}
	return power;
}

// "4.0G", "12T", "512M": one decimal below ten, none above; whole numbers of the first unit.
static char *short_number(double value, double step, const char *units)
{
	unsigned power;

	if (isnan(value))
		return g_strdup("-");
	power = scale(&value, step, (unsigned)strlen(units));
	if (power == 0)
		return g_strdup_printf("%.0f", value);
	return g_strdup_printf(fabs(value) < 9.95 ? "%.1f%c" : "%.0f%c", value, units[power - 1]);
}

char *format_size(double bytes)
{
	return short_number(bytes, 1024, "KMGTPE");
}

char *format_rate(double bytes_per_second)
{
	return short_number(bytes_per_second, 1000, "kMGTPE");
}

char *format_count(double value)
{
	return short_number(value, 1000, "kMGTPE");
}

char *format_size_long(double bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = bytes;
	unsigned power;

	if (isnan(bytes))
		return g_strdup("-");
	power = scale(&value, 1024, G_N_ELEMENTS(units));
	if (power == 0)
		return g_strdup_printf(
			g_dngettext(NULL, "%.0f byte", "%.0f bytes", (gulong)value), value);
	return g_strdup_printf("%.1f %s", value, units[power - 1]);
}

char *format_rate_long(double bytes_per_second)
{
	static const char *const units[] = {"B/s", "kB/s", "MB/s", "GB/s", "TB/s"};
	double value = bytes_per_second;
	unsigned power;

	if (isnan(value))
		return g_strdup("-");
	power = scale(&value, 1000, G_N_ELEMENTS(units) - 1);
	return g_strdup_printf(power && value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[power]);
}

char *format_size_pair(double used, double whole)
{
	g_autofree char *right = format_size(whole);
	double divisor = 1;
	double scaled = whole;

	if (isnan(used))
		return g_strdup_printf("-/%s", right);
	for (unsigned power = isnan(whole) ? 0 : scale(&scaled, 1024, 6); power > 0; power--)
		divisor *= 1024;
	used /= divisor;
	return g_strdup_printf(
		divisor > 1 && used < 9.95 && used > 0 ? "%.1f/%s" : "%.0f/%s", used, right);
}

char *format_percent(double percent)
{
	return isnan(percent) ? g_strdup("-") : g_strdup_printf("%.0f", fabs(percent));
}

char *format_duration(double seconds)
{
	guint64 s;

	if (isnan(seconds) || seconds < 0)
		return g_strdup("-");
	s = (guint64)seconds;
	if (s < 60)
		return g_strdup_printf(_("%u s"), (unsigned)s);
	if (s < 3600)
		return g_strdup_printf(_("%u min %u s"), (unsigned)(s / 60), (unsigned)(s % 60));
	if (s < 86400)
		return g_strdup_printf(
			_("%u h %u min"), (unsigned)(s / 3600), (unsigned)(s / 60 % 60));
	return g_strdup_printf(
		_("%u d %u h"), (unsigned)(s / 86400), (unsigned)(s / 3600 % 24));
}

char *format_duration_short(double seconds)
{
	guint64 s;

	if (isnan(seconds) || seconds < 0)
		return g_strdup("-");
	s = (guint64)seconds;
	if (s < 3600)
		return g_strdup_printf("%u:%02u", (unsigned)(s / 60), (unsigned)(s % 60));
	if (s < 86400)
		return g_strdup_printf("%u:%02u:%02u", (unsigned)(s / 3600),
			(unsigned)(s / 60 % 60), (unsigned)(s % 60));
	return g_strdup_printf("%" G_GUINT64_FORMAT "d%02uh", s / 86400, (unsigned)(s / 3600 % 24));
}

static char *format_local(gint64 when, const char *format)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(when / G_USEC_PER_SEC);

	return time ? g_date_time_format(time, format) : g_strdup("-");
}

char *format_time(gint64 when)
{
	return format_local(when, "%H:%M:%S");
}

char *format_date(gint64 when)
{
	return format_local(when, "%Y-%m-%d %H:%M:%S");
}

// The bytes that a unit's letters stand for; 0 for no unit known.
static double unit_bytes(const char *letters, guint64 plain)
{
	static const char powers[] = "kmgtpe";
	const char *power;
	const char *rest = letters + 1;

	if (!*letters)
		return (double)plain;
	if (!g_ascii_strcasecmp(letters, "b") || !g_ascii_strcasecmp(letters, "bytes"))
		return 1;
	power = strchr(powers, g_ascii_tolower(*letters));
	if (!power)
		return 0;
	if (!*rest || !g_ascii_strcasecmp(rest, "ib"))
		return pow(1024, (double)(power - powers + 1));
	return g_ascii_strcasecmp(rest, "b") ? 0 : pow(1000, (double)(power - powers + 1));
}

bool parse_size(const char *text, guint64 unit, guint64 *bytes, GError **error)
{
	g_autofree char *clean = g_strstrip(g_strdup(text));
	char *letters;
	double number, factor;

	number = g_ascii_strtod(clean, &letters);
	if (!g_ascii_isdigit(*clean) || letters == clean || strpbrk(clean, "xXpP") == clean + 1) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("'%s' is no size: write a number and a unit, such as 512M or 2GiB."),
			text);
		return false;
	}
	factor = unit_bytes(g_strchug(letters), unit);
	if (factor == 0) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("'%s' is no unit of size: K, M, G, T, KiB, MiB, GiB, TiB, kB, MB, GB and "
			  "TB are."),
			letters);
		return false;
	}
	if (!(number * factor < 9223372036854775808.0)) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE, _("'%s' is too large a size."),
			text);
		return false;
	}
	*bytes = (guint64)(number * factor + 0.5);
	return true;
}
