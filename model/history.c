// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/history.h"

#include <math.h>

void history_add(struct history *history, double value)
{
	if (!history->values) {
		if (isnan(value))
			return;
		history->values = g_new(float, HISTORY_LENGTH);
	}
	history->values[history->next] = (float)value;
	history->next = (history->next + 1) % HISTORY_LENGTH;
	if (history->count < HISTORY_LENGTH)
		history->count++;
}

double history_at(const struct history *history, unsigned ago)
{
	if (ago >= history->count)
		return NAN;
	return history->values[(history->next + HISTORY_LENGTH - 1 - ago) % HISTORY_LENGTH];
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
