// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "screens/guest_columns.h"

/* How a column's cell is filled and sorted. */
struct figure {
	void (*cell)(const struct guest *guest, struct table_cell *cell);
	double (*number)(const struct guest *guest); // NULL: sorted by the cell's text
};

struct guest *guest_of_key(guint64 key)
{
	return (struct guest *)(guintptr)key;
}

double guest_stale(const struct guest *guest)
{
	const struct connection *c = guest->connection;

	if (c && c->state == CONNECTION_CONNECTED && connection_silence(c) <= 0)
		return 0;
	return MAX(guest_age(guest), 0.001);
}

/* Takes a new string into the cell. */
static void put(struct table_cell *cell, char *text)
{
	g_strlcpy(cell->text, text, sizeof(cell->text));
	g_free(text);
}

static double read_and_written(const struct guest *guest)
{
	return guest->read_rate + guest->write_rate;
}

static double received_and_sent(const struct guest *guest)
{
	return guest->rx_rate + guest->tx_rate;
}

static double operations(const struct guest *guest)
{
	return guest->read_ops + guest->write_ops;
}

static double cpu_of(const struct guest *guest)
{
	return guest->cpu;
}

static double wait_of(const struct guest *guest)
{
	return guest->wait;
}

static double steal_of(const struct guest *guest)
{
	return guest->steal;
}

static double memory_of(const struct guest *guest)
{
	return guest_active(guest) ? (double)guest->memory : -1;
}

static double vcpus_of(const struct guest *guest)
{
	return guest_active(guest) ? (double)guest->vcpus : -1;
}

static double state_of(const struct guest *guest)
{
	return guest->state;
}

static double id_of(const struct guest *guest)
{
	return guest->id;
}

static void name_cell(const struct guest *guest, struct table_cell *cell)
{
	g_strlcpy(cell->text, guest->name, sizeof(cell->text));
}

static void title_cell(const struct guest *guest, struct table_cell *cell)
{
	g_strlcpy(cell->text, guest->title ? guest->title : "", sizeof(cell->text));
}

static void host_cell(const struct guest *guest, struct table_cell *cell)
{
	g_strlcpy(
		cell->text, guest->connection ? guest->connection->name : "-", sizeof(cell->text));
}

static void state_cell(const struct guest *guest, struct table_cell *cell)
{
	static const int styles[GUEST_STATES] = {
		[GUEST_RUNNING] = STYLE_GOOD,
		[GUEST_PAUSED] = STYLE_WARN,
		[GUEST_CRASHED] = STYLE_BAD,
	};

	g_strlcpy(cell->text, guest_state_word(guest), sizeof(cell->text));
	cell->style = styles[guest->state];
}

static void vcpus_cell(const struct guest *guest, struct table_cell *cell)
{
	if (guest_active(guest))
		put(cell, g_strdup_printf("%u/%u", guest->vcpus, guest->vcpus_max));
	else
		put(cell, g_strdup_printf("-/%u", guest->vcpus_max));
}

static void cpu_cell(const struct guest *guest, struct table_cell *cell)
{
	double stale = guest_stale(guest);

	if (stale >= 1) {
		g_autofree char *age = format_duration(stale);

		put(cell, g_strdup_printf(_("%s ago"), age));
		return;
	}
	put(cell, format_percent(guest_active(guest) ? guest->cpu : NAN));
	if (guest_active(guest) && !isnan(guest->cpu_allocation))
		cell->bar = guest->cpu_allocation / 100;
}

static void memory_cell(const struct guest *guest, struct table_cell *cell)
{
	double used = guest_active(guest) ? guest->memory_used : NAN;

	put(cell, format_size_pair(used, (double)guest->memory));
}

static void memory_max_cell(const struct guest *guest, struct table_cell *cell)
{
	put(cell, format_size((double)guest->memory_max));
}

static double memory_max_of(const struct guest *guest)
{
	return (double)guest->memory_max;
}

/* A figure that only an active guest has. */
static double while_active(const struct guest *guest, double value)
{
	return guest_active(guest) ? value : NAN;
}

static void disk_cell(const struct guest *guest, struct table_cell *cell)
{
	put(cell, format_rate(while_active(guest, read_and_written(guest))));
}

static void net_cell(const struct guest *guest, struct table_cell *cell)
{
	put(cell, format_rate(while_active(guest, received_and_sent(guest))));
}

static void iops_cell(const struct guest *guest, struct table_cell *cell)
{
	put(cell, format_count(while_active(guest, operations(guest))));
}

static void wait_cell(const struct guest *guest, struct table_cell *cell)
{
	put(cell, format_percent(while_active(guest, guest->wait)));
}

static void steal_cell(const struct guest *guest, struct table_cell *cell)
{
	put(cell, format_percent(while_active(guest, guest->steal)));
}

static void uptime_cell(const struct guest *guest, struct table_cell *cell)
{
	put(cell, format_duration_short(guest_uptime(guest)));
}

static void autostart_cell(const struct guest *guest, struct table_cell *cell)
{
	g_strlcpy(cell->text, guest->autostart ? _("yes") : _("no"), sizeof(cell->text));
}

static void groups_cell(const struct guest *guest, struct table_cell *cell)
{
	if (guest->groups)
		put(cell, g_strjoinv(" ", guest->groups));
}

static void tags_cell(const struct guest *guest, struct table_cell *cell)
{
	if (guest->tags)
		put(cell, g_strjoinv(" ", guest->tags));
}

static void id_cell(const struct guest *guest, struct table_cell *cell)
{
	put(cell, guest->id >= 0 ? g_strdup_printf("%d", guest->id) : g_strdup("-"));
}

static void age_cell(const struct guest *guest, struct table_cell *cell)
{
	put(cell, format_duration(guest_age(guest)));
}

static double age_of(const struct guest *guest)
{
	return guest_age(guest);
}

/* The two tables below have the same order. */
// clang-format off
const struct table_column guest_columns[] = {
	{ .id = "name", .title = N_("&Name"), .width = 9, .stretch = 3 },
	{ .id = "title", .title = N_("T&itle"), .width = 16, .stretch = 2, .hidden = true },
	{ .id = "host", .title = N_("&Host"), .width = 10, .stretch = 1, .hidden = true },
	{ .id = "state", .title = N_("&State"), .width = 8 },
	{ .id = "vcpus", .title = N_("&vCPU"), .width = 5, .align = TEXT_RIGHT,
		.largest_first = true },
	{ .id = "cpu", .title = N_("&CPU%"), .width = 4, .bar = 5, .align = TEXT_RIGHT,
		.largest_first = true },
	{ .id = "wait", .title = N_("&Wait%"), .width = 5, .align = TEXT_RIGHT, .hidden = true,
		.roomy = true,
		.largest_first = true },
	{ .id = "steal", .title = N_("Stea&l%"), .width = 6, .align = TEXT_RIGHT, .hidden = true,
		.roomy = true,
		.largest_first = true },
	{ .id = "memory", .title = N_("&Memory"), .width = 9, .align = TEXT_RIGHT,
		.largest_first = true },
	{ .id = "most", .title = N_("M&ost"), .width = 5, .align = TEXT_RIGHT, .hidden = true,
		.roomy = true,
		.largest_first = true },
	{ .id = "disk", .title = N_("&Disk"), .width = 5, .align = TEXT_RIGHT,
		.largest_first = true },
	{ .id = "iops", .title = N_("IO&PS"), .width = 5, .align = TEXT_RIGHT, .hidden = true,
		.roomy = true,
		.largest_first = true },
	{ .id = "net", .title = N_("N&et"), .width = 5, .align = TEXT_RIGHT, .hidden = true,
		.roomy = true,
		.largest_first = true },
	{ .id = "uptime", .title = N_("&Uptime"), .width = 8, .align = TEXT_RIGHT, .hidden = true,
		.largest_first = true },
	{ .id = "autostart", .title = N_("&Autostart"), .width = 9, .hidden = true },
	{ .id = "groups", .title = N_("&Groups"), .width = 12, .stretch = 1, .hidden = true,
		.roomy = true },
	{ .id = "tags", .title = N_("&Tags"), .width = 12, .stretch = 1, .hidden = true,
		.roomy = true },
	{ .id = "id", .title = N_("I&D"), .width = 4, .align = TEXT_RIGHT, .hidden = true },
	{ .id = "age", .title = N_("Age"), .width = 8, .align = TEXT_RIGHT, .hidden = true,
		.largest_first = true },
};
// clang-format on
const size_t n_guest_columns = G_N_ELEMENTS(guest_columns);

static const struct figure figures[] = {
	{name_cell, NULL},
	{title_cell, NULL},
	{host_cell, NULL},
	{state_cell, state_of},
	{vcpus_cell, vcpus_of},
	{cpu_cell, cpu_of},
	{wait_cell, wait_of},
	{steal_cell, steal_of},
	{memory_cell, memory_of},
	{memory_max_cell, memory_max_of},
	{disk_cell, read_and_written},
	{iops_cell, operations},
	{net_cell, received_and_sent},
	{uptime_cell, guest_uptime},
	{autostart_cell, NULL},
	{groups_cell, NULL},
	{tags_cell, NULL},
	{id_cell, id_of},
	{age_cell, age_of},
};
G_STATIC_ASSERT(G_N_ELEMENTS(figures) == G_N_ELEMENTS(guest_columns));

/* ---- the source ---- */

static GPtrArray *guests_of(void *ctx)
{
	return *(GPtrArray **)ctx;
}

static struct guest *guest_at(void *ctx, int row)
{
	return g_ptr_array_index(guests_of(ctx), (guint)row);
}

static int source_count(void *ctx)
{
	return (int)guests_of(ctx)->len;
}

static guint64 source_key(void *ctx, int row)
{
	return (guint64)(guintptr)guest_at(ctx, row);
}

static void source_cell(void *ctx, int row, int column, struct table_cell *cell)
{
	figures[column].cell(guest_at(ctx, row), cell);
}

static int source_style(void *ctx, int row)
{
	return guest_stale(guest_at(ctx, row)) > 0 ? STYLE_DIM : STYLE_TEXT;
}

static int compare_numbers(double a, double b)
{
	if (isnan(a) || isnan(b))
		return (isnan(a) ? 0 : 1) - (isnan(b) ? 0 : 1);
	return (a > b) - (a < b);
}

static int source_compare(void *ctx, int column, int a, int b)
{
	const struct guest *left = guest_at(ctx, a), *right = guest_at(ctx, b);
	struct table_cell x = {.bar = -1}, y = {.bar = -1};

	if (figures[column].number)
		return compare_numbers(figures[column].number(left), figures[column].number(right));
	figures[column].cell(left, &x);
	figures[column].cell(right, &y);
	/* Knows numbers in names: web2 before web10. */
	return strverscmp(x.text, y.text);
}

static bool holds(const char *text, const char *folded)
{
	g_autofree char *own = text ? g_utf8_casefold(text, -1) : NULL;

	return own && strstr(own, folded);
}

static bool any_holds(char **texts, const char *folded)
{
	for (; texts && *texts; texts++)
		if (holds(*texts, folded))
			return true;
	return false;
}

static bool source_match(void *ctx, int row, const char *filter)
{
	const struct guest *guest = guest_at(ctx, row);
	g_autofree char *folded = g_utf8_casefold(filter, -1);

	return holds(guest->name, folded) || holds(guest->title, folded) ||
	       any_holds(guest->tags, folded) || any_holds(guest->groups, folded) ||
	       holds(guest_state_word(guest), folded);
}

const struct table_source guest_source = {
	.count = source_count,
	.key = source_key,
	.cell = source_cell,
	.style = source_style,
	.compare = source_compare,
	.match = source_match,
};
