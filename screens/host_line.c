// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <math.h>

#include "screens/host_line.h"

#define WIDE 100

/* What one host does not tell is left out of the sum. */
static void add_known(double *sum, double value)
{
	if (!isnan(value))
		*sum = isnan(*sum) ? value : *sum + value;
}

static void add_host(struct host *sum, const struct host *host)
{
	sum->cpus += host->cpus;
	sum->memory += host->memory;
	sum->cpus_promised += host->cpus_promised;
	sum->memory_promised += host->memory_promised;
	add_known(&sum->cpu, host->cpu);
	add_known(&sum->memory_used, host->memory_used);
}

static char *figure_or_dash(double value)
{
	return isnan(value) ? g_strdup("-") : g_strdup_printf("%.1f", value);
}

/* Bytes in GiB, small ones with a decimal. */
static char *gib(double bytes)
{
	double value = bytes / (1 << 30);

	if (isnan(value))
		return g_strdup("-");
	return g_strdup_printf(value > 0 && value < 10 ? "%.1f" : "%.0f", value);
}

static char *figures(const struct host *host, int width)
{
	g_autofree char *cpu = figure_or_dash(host->cpu / 100);
	g_autofree char *used = gib(host->memory_used);
	g_autofree char *whole = gib((double)host->memory);
	g_autofree char *promised = gib((double)host->memory_promised);

	if (width < WIDE)
		return g_strdup_printf(_("%s of %u CPUs  %s of %s GiB, promised %s"), cpu,
			host->cpus, used, whole, promised);
	return g_strdup_printf(
		_("%s of %u CPUs in use, %u promised    %s of %s GiB in use, %s promised"), cpu,
		host->cpus, host->cpus_promised, used, whole, promised);
}

char *host_line(const struct model *model, const struct connection *connection, int width)
{
	struct host sum = {.cpu = NAN, .memory_used = NAN};
	g_autofree char *text = NULL;
	g_autofree char *name = NULL;
	unsigned n = model->connections->len;

	for (guint i = 0; i < n && !connection; i++)
		add_host(&sum,
			&((struct connection *)g_ptr_array_index(model->connections, i))->host);
	if (connection)
		name = g_strdup(connection->name);
	else
		name = g_strdup_printf(ngettext("%u host", "%u hosts", n), n);
	if (connection && connection->state == CONNECTION_LOST)
		return g_strdup_printf(_("Lodge - %s    not connected"), name);
	text = figures(connection ? &connection->host : &sum, width);
	return g_strdup_printf("Lodge - %s    %s", name, text);
}
