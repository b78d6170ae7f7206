// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/number.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

G_DEFINE_QUARK(lodge-number-error, number_error)

#define KI ((gint64)1024)

static const struct number_unit count_units[] = { { "", "", 1, true }, { 0 } };
static const struct number_unit percent_units[] = { { "%", "%", 1, true }, { 0 } };

static const struct number_unit byte_units[] = {
	{ "B", "b byte bytes", 1, true },
	{ "kB", "kb", 1000, false },
	{ "KiB", "k kib", KI, true },
	{ "MB", "mb", 1000 * 1000, false },
	{ "MiB", "m mib", KI * KI, true },
	{ "GB", "gb", 1000 * 1000 * 1000, false },
	{ "GiB", "g gib", KI * KI * KI, true },
	{ "TB", "tb", G_GINT64_CONSTANT(1000000000000), false },
	{ "TiB", "t tib", KI * KI * KI * KI, true },
	{ 0 },
};

static const struct number_unit rate_units[] = {
	{ "B/s", "b b/s", 1, true },
	{ "kB/s", "kb kb/s", 1000, false },
	{ "KiB/s", "k k/s kib kib/s", KI, true },
	{ "MB/s", "mb mb/s", 1000 * 1000, false },
	{ "MiB/s", "m m/s mib mib/s", KI * KI, true },
	{ "GB/s", "gb gb/s", 1000 * 1000 * 1000, false },
	{ "GiB/s", "g g/s gib gib/s", KI * KI * KI, true },
	{ 0 },
};

static const struct number_unit second_units[] = {
	{ "s", "s sec", 1, true },
	{ "min", "m min", 60, true },
	{ "h", "h", 3600, true },
	{ 0 },
};

const struct number_kind NUMBER_COUNT = { count_units, "", 1 };
const struct number_kind NUMBER_PERCENT = { percent_units, "%", 5 };
const struct number_kind NUMBER_BYTES = { byte_units, "MiB", 256 * KI * KI };
const struct number_kind NUMBER_RATE = { rate_units, "MiB/s", KI * KI };
const struct number_kind NUMBER_SECONDS = { second_units, "s", 1 };

static bool has_alias(const struct number_unit *u, const char *name)
{
	g_auto(GStrv) aliases = g_strsplit(u->aliases, " ", -1);

	return g_strv_contains((const char *const *)aliases, name);
}

static const struct number_unit *find_unit(const struct number_kind *k, const char *name)
{
	g_autofree char *low = g_ascii_strdown(*name ? name : k->fallback, -1);

	for (const struct number_unit *u = k->units; u->name; u++)
		if (has_alias(u, low) || (!*low && !*u->name))
			return u;
	return NULL;
}

/// "KiB, MiB, GiB".
static char *unit_names(const struct number_kind *k)
{
	GString *out = g_string_new(NULL);

	for (const struct number_unit *u = k->units; u->name; u++)
		if (u->shown)
			g_string_append_printf(out, "%s%s", out->len ? ", " : "", u->name);
	return g_string_free(out, FALSE);
}

/// Digits with at most one decimal point; *FRACTION is in 10^-DIGITS. Returns where they end.
static const char *read_digits(
	const char *s, gint64 *whole, gint64 *fraction, gint64 *scale, bool *overflow)
{
	bool point = false;

	*whole = *fraction = 0;
	*scale = 1;
	*overflow = false;
	for (; g_ascii_isdigit(*s) || (!point && (*s == '.' || *s == ',')); s++) {
		if (*s == '.' || *s == ',')
			point = true;
		else if (!point)
			*overflow |= __builtin_mul_overflow(*whole, 10, whole) ||
				     __builtin_add_overflow(*whole, *s - '0', whole);
		else if (*scale < 1000000) { // more digits than that no unit needs
			*fraction = *fraction * 10 + (*s - '0');
			*scale *= 10;
		}
	}
	return s;
}

static bool wrong_unit(const struct number_kind *k, const char *name, GError **error)
{
	g_autofree char *known = unit_names(k);

	if (*known)
		g_set_error(error, NUMBER_ERROR, NUMBER_ERROR_UNIT,
			    _("The unit '%s' is not known here; it can be %s."), name, known);
	else
		g_set_error(error, NUMBER_ERROR, NUMBER_ERROR_UNIT,
			_("'%s' is not a whole number."), name);
	return false;
}

bool number_parse(const struct number_kind *k, const char *text, gint64 *value, GError **error)
{
	g_autofree char *clean = g_strstrip(g_strdup(text ? text : ""));
	gint64 whole, fraction, scale, sum;
	const struct number_unit *unit;
	const char *rest;
	bool overflow;

	if (!*clean) {
		g_set_error(error, NUMBER_ERROR, NUMBER_ERROR_EMPTY, _("A number is needed here."));
		return false;
	}
	rest = read_digits(clean, &whole, &fraction, &scale, &overflow);
	if (!g_ascii_isdigit(clean[0]) && !(rest > clean + 1)) {
		g_set_error(error, NUMBER_ERROR, NUMBER_ERROR_SYNTAX, _("'%s' is not a number."),
			clean);
		return false;
	}
	while (*rest == ' ')
		rest++;
	unit = find_unit(k, rest);
	if (!unit)
		return wrong_unit(k, rest, error);
	if (fraction && unit->factor == 1) {
		g_set_error(error, NUMBER_ERROR, NUMBER_ERROR_SYNTAX,
			_("'%s' is not a whole number."), clean);
		return false;
	}
	if (overflow || __builtin_mul_overflow(whole, unit->factor, &sum) ||
		__builtin_add_overflow(sum,
			(gint64)((double)fraction * (double)unit->factor / (double)scale + 0.5),
			&sum)) {
		g_set_error(error, NUMBER_ERROR, NUMBER_ERROR_RANGE, _("%s is too large."), clean);
		return false;
	}
	*value = sum;
	return true;
}

/// With at most two decimals.
static char *with_unit(gint64 value, const struct number_unit *u)
{
	const char *space = *u->name ? " " : "";
	gint64 whole = value / u->factor,
	       hundredths = (gint64)((double)(value % u->factor) * 100 / (double)u->factor);

	if (hundredths == 0)
		return g_strdup_printf("%" G_GINT64_FORMAT "%s%s", whole, space, u->name);
	if (hundredths % 10 == 0)
		return g_strdup_printf(
			"%" G_GINT64_FORMAT ".%d%s%s", whole, (int)hundredths / 10, space, u->name);
	return g_strdup_printf(
		"%" G_GINT64_FORMAT ".%02d%s%s", whole, (int)hundredths, space, u->name);
}

char *number_format(const struct number_kind *k, gint64 value)
{
	const struct number_unit *best = k->units;

	if (value == 0)
		return with_unit(0, find_unit(k, ""));
	for (const struct number_unit *u = k->units; u->name; u++) {
		g_autofree char *text = NULL;
		gint64 back;

		if (!u->shown || value < u->factor)
			continue;
		text = with_unit(value, u);
		if (number_parse(k, text, &back, NULL) && back == value)
			best = u;
	}
	return with_unit(value, best);
}

char *number_short(double value, bool binary)
{
	static const char suffixes[] = " kMGTPE";
	double base = binary ? 1024 : 1000;
	size_t i = 0;

	if (!isfinite(value))
		return g_strdup("-");
	while (fabs(value) >= 999.5 && i + 2 < sizeof(suffixes)) {
		value /= base;
		i++;
	}
	if (i == 0)
		return g_strdup_printf("%.0f", value);
	return g_strdup_printf(fabs(value) < 9.95 ? "%.1f%c" : "%.0f%c", value, suffixes[i]);
}
