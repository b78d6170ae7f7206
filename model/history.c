// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/history.h"

#include <math.h>
#include <string.h>

// A float without its sign and its last 15 digits.
#define DROPPED 15
#define PACKED_NAN G_MAXUINT16

static guint16 pack(double value)
{
	float number = (float)fmax(value, 0);
	guint32 bits;

	if (isnan(value))
		return PACKED_NAN;
	memcpy(&bits, &number, sizeof(bits));
	return (guint16)((bits + (1u << (DROPPED - 1))) >> DROPPED);
}

static double unpack(guint16 packed)
{
	guint32 bits = (guint32)packed << DROPPED;
	float number;

	if (packed == PACKED_NAN)
		return NAN;
	memcpy(&number, &bits, sizeof(number));
	return number;
}

void history_add(struct history *history, double value)
{
	if (!history->values) {
		if (isnan(value))
			return;
		history->values = g_new(guint16, HISTORY_LENGTH);
	}
	history->values[history->next] = pack(value);
	history->next = (history->next + 1) % HISTORY_LENGTH;
	if (history->count < HISTORY_LENGTH)
		history->count++;
}

double history_at(const struct history *history, unsigned ago)
{
	if (ago >= history->count)
		return NAN;
	return unpack(history->values[(history->next + HISTORY_LENGTH - 1 - ago) % HISTORY_LENGTH]);
}

double history_last(const struct history *history)
{
	return history_at(history, 0);
}

void history_copy(const struct history *history, double *out, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		out[i] = history_at(history, n - 1 - i);
}

double history_max(const struct history *history, unsigned n)
{
	double most = 0;

	for (unsigned i = 0; i < n && i < history->count; i++)
		most = fmax(most, history_at(history, i));
	return most;
}

double history_mean(const struct history *history, unsigned n)
{
	double sum = 0;
	unsigned known = 0;

	for (unsigned i = 0; i < n && i < history->count; i++) {
		double value = history_at(history, i);

		if (!isnan(value)) {
			sum += value;
			known++;
		}
	}
	return known ? sum / known : NAN;
}

void history_clear(struct history *history)
{
	g_clear_pointer(&history->values, g_free);
	history->next = 0;
	history->count = 0;
}
