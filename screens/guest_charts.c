// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <math.h>

#include "screens/guest_charts.h"

G_STATIC_ASSERT(HISTORY_LENGTH <= CHART_SAMPLES);

enum { CHART_CPU, CHART_MEMORY, CHART_DISK, CHART_NET, N_CHARTS };

static char *percent_text(double value)
{
	g_autofree char *number = format_percent(value);

	return g_strdup_printf("%s %%", number);
}

/* What is filled from a guest: the values, the scale and the words. */
struct recipe {
	const char *label;
	const struct history *(*first)(const struct guest *guest);
	const struct history *(*second)(const struct guest *guest); // added to the first; or NULL
	double (*top)(const struct guest *guest);                   // NULL: by the values
	char *(*words)(const struct guest *guest);
	char *(*format)(double value);
	bool binary;
};

static const struct history *cpu_history(const struct guest *g)
{
	return &g->cpu_history;
}

static const struct history *memory_history(const struct guest *g)
{
	return &g->memory_history;
}

static const struct history *read_history(const struct guest *g)
{
	return &g->read_history;
}

static const struct history *write_history(const struct guest *g)
{
	return &g->write_history;
}

static const struct history *rx_history(const struct guest *g)
{
	return &g->rx_history;
}

static const struct history *tx_history(const struct guest *g)
{
	return &g->tx_history;
}

static double cpu_top(const struct guest *g)
{
	return MAX(1, g->vcpus) * 100.0;
}

static double memory_top(const struct guest *g)
{
	return (double)MAX(g->memory_max, g->memory);
}

static char *cpu_words(const struct guest *g)
{
	g_autofree char *use = format_percent(g->cpu);
	g_autofree char *wait = format_percent(g->wait);
	g_autofree char *steal = format_percent(g->steal);

	return g_strdup_printf(_("%s %%  wait %s %%  steal %s %%"), use, wait, steal);
}

static char *memory_words(const struct guest *g)
{
	g_autofree char *now = isnan(g->memory_used)
				       ? format_size((double)g->memory)
				       : format_size_pair(g->memory_used, (double)g->memory);
	g_autofree char *most = format_size((double)g->memory_max);

	if (g->memory_max <= g->memory)
		return g_strdup(now);
	return g_strdup_printf(_("%s, most %s"), now, most);
}

static char *disk_words(const struct guest *g)
{
	g_autofree char *read = format_rate(g->read_rate);
	g_autofree char *written = format_rate(g->write_rate);
	g_autofree char *ops = format_count(g->read_ops + g->write_ops);

	return g_strdup_printf(_("r %s  w %s B/s  %s IOPS"), read, written, ops);
}

static char *net_words(const struct guest *g)
{
	g_autofree char *received = format_rate(g->rx_rate);
	g_autofree char *sent = format_rate(g->tx_rate);

	return g_strdup_printf(_("rx %s  tx %s B/s"), received, sent);
}

static const struct recipe recipes[N_CHARTS] = {
	[CHART_CPU] = {N_("CPU"), cpu_history, NULL, cpu_top, cpu_words, percent_text, false},
	[CHART_MEMORY] = {N_("Mem"), memory_history, NULL, memory_top, memory_words,
		format_size_long, true},
	[CHART_DISK] = {N_("Disk"), read_history, write_history, NULL, disk_words, format_rate_long,
		false},
	[CHART_NET] = {N_("Net"), rx_history, tx_history, NULL, net_words, format_rate_long, false},
};

static void fill_values(struct chart_series *s, const struct recipe *r, const struct guest *guest)
{
	double more[HISTORY_LENGTH];

	s->count = HISTORY_LENGTH;
	history_copy(r->first(guest), s->values, HISTORY_LENGTH);
	if (!r->second)
		return;
	history_copy(r->second(guest), more, HISTORY_LENGTH);
	for (int i = 0; i < HISTORY_LENGTH; i++)
		s->values[i] += more[i];
}

void guest_charts_fill(struct chart *charts, const struct guest *guest)
{
	for (size_t i = 0; i < N_CHARTS; i++) {
		struct chart_series *s = chart_series(charts, i);
		g_autofree char *words =
			guest && guest_active(guest) ? recipes[i].words(guest) : NULL;

		s->count = 0;
		if (guest) {
			fill_values(s, &recipes[i], guest);
			s->top = recipes[i].top ? recipes[i].top(guest) : 0;
		}
		chart_set_text(charts, i, words);
	}
	chart_changed(charts);
}

struct chart *guest_charts_new(void)
{
	struct chart *charts = chart_new(N_CHARTS);

	for (size_t i = 0; i < N_CHARTS; i++) {
		struct chart_series *s = chart_series(charts, i);

		s->label = _(recipes[i].label);
		s->format = recipes[i].format;
		s->binary = recipes[i].binary;
	}
	return charts;
}
