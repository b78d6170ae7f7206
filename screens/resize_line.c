// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "model/connection.h"
#include "model/error.h"
#include "model/format.h"
#include "screens/resize_line.h"

#define MIB ((gint64)1 << 20)
#define GIB ((gint64)1 << 30)

/* In the order of the screen; what few change is shown on demand. */
static const struct {
	const char *pattern;
	bool rare;
} ranks[] = {
	{"vcpus", false},
	{"pin.*", true},
	{"cap", false},
	{"weight", false},
	{"memory", false},
	{"virtio-mem.*", false},
	{"disk.*.size", false},
	{"disk.*.total_bytes_sec", false},
	{"disk.*.read_bytes_sec", true},
	{"disk.*.write_bytes_sec", true},
	{"disk.*.total_iops_sec", true},
	{"disk.*.read_iops_sec", true},
	{"disk.*.write_iops_sec", true},
	{"nic.*.in", false},
	{"nic.*.out", false},
};

/* What belongs to one device stays together: first its kind, then which, then what of it. */
static void rank(struct resize_line *line)
{
	g_auto(GStrv) parts = g_strsplit(line->name, ".", 3);
	bool device = parts[1] && parts[2];
	int i = 0;

	while (i < (int)G_N_ELEMENTS(ranks) && !g_pattern_match_simple(ranks[i].pattern, line->name))
		i++;
	line->rare = i == G_N_ELEMENTS(ranks) || ranks[i].rare;
	line->order = g_strdup_printf("%s %8s %02d", !device ? "" : parts[0], device ? parts[1] : "", i);
}

gint64 resize_memory_step(gint64 most)
{
	gint64 step = 256 * MIB;

	while (step > MIB && step > most / 16)
		step /= 2;
	while (step < 64 * GIB && step < most / 64)
		step *= 2;
	return step;
}

/* How the value is typed and stepped. */
static void set_number(struct resize_line *line)
{
	line->scale = line->unit == UNIT_KIB ? 1024 : 1;
	switch (line->unit) {
	case UNIT_KIB:
		line->number = NUMBER_BYTES;
		line->number.step = resize_memory_step(MAX(line->most, line->from) * 1024);
		break;
	case UNIT_BYTES:
		line->number = NUMBER_BYTES;
		line->number.step = line->from < 4 * GIB ? 256 * MIB : GIB;
		break;
	case UNIT_BYTE_RATE:
		line->number = NUMBER_RATE;
		break;
	case UNIT_PERCENT:
		line->number = NUMBER_PERCENT;
		line->number.step = 10;
		break;
	default:
		line->number = NUMBER_COUNT;
		line->number.step = !strcmp(line->name, "weight") ? 10
				    : line->unit == UNIT_RATE     ? 100
								  : 1;
	}
	/* "5" beside "4 GiB" means 5 GiB. */
	if (line->number.units == NUMBER_BYTES.units && line->from * line->scale >= GIB)
		line->number.fallback = "GiB";
}

/* No value is a value: "none". */
static bool may_be_none(const struct resize_line *line)
{
	return line->unit == UNIT_PERCENT || line->unit == UNIT_BYTE_RATE ||
	       line->unit == UNIT_RATE;
}

/* Least that makes sense where there can be none: what the first + gives. */
static gint64 least_of(const struct resize_line *line)
{
	switch (line->unit) {
	case UNIT_PERCENT:
		return 5;
	case UNIT_BYTE_RATE:
		return 64 * 1024;
	case UNIT_RATE:
		return 10;
	default:
		return 0;
	}
}

/* Too long to be read in the field, an odd size is rounded: untouched it wishes nothing. */
#define LONG_NUMBER 9

static char *field_words(const struct resize_line *line, const struct plan_step *step)
{
	g_autofree char *exact = NULL;

	if (line->differs || step->from < 0)
		return g_strdup("");
	if (line->unit == UNIT_CPUS)
		return plan_value_text(step, step->from);
	exact = number_format(&line->number, step->from * line->scale);
	if (strlen(exact) > LONG_NUMBER && line->number.units == NUMBER_BYTES.units)
		return format_size_long((double)(step->from * line->scale));
	return g_steal_pointer(&exact);
}

static struct field *make_field(const struct resize_line *line, const char *words)
{
	gint64 value = line->differs || line->from < 0 ? -1 : line->from * line->scale;

	if (line->unit == UNIT_CPUS)
		return field_text_new(words, 9);
	return field_number_new(&line->number, value, least_of(line), G_MAXINT64 / 4);
}

/* A cap is of the CPUs that the guest can have; a weight grows by factors. */
static void set_full(struct resize_line *line)
{
	if (line->unit == UNIT_PERCENT)
		line->full = 400;
	else if (line->unit == UNIT_KIB || line->unit == UNIT_COUNT)
		line->full = line->most > 0 ? line->most * line->scale : 0;
	else
		line->full = 0;
}

static void look_at(struct resize_line *line, const GPtrArray *steps)
{
	const struct plan_step *first = g_ptr_array_index(steps, 0);

	line->unit = plan_step_unit(first);
	line->from = first->from;
	line->most = first->most;
	line->room = line->unit == UNIT_BYTES ? first->left : PLAN_UNKNOWN;
	line->differs = false;
	for (guint i = 1; i < steps->len; i++) {
		const struct plan_step *step = g_ptr_array_index(steps, i);

		line->differs = line->differs || step->from != first->from;
		if (step->most != first->most)
			line->most = PLAN_UNKNOWN;
	}
}

void resize_line_update(struct resize_line *line, const GPtrArray *steps)
{
	const struct plan_step *first = g_ptr_array_index(steps, 0);
	g_autofree char *words = NULL;
	g_autofree char *typed =
		line->field && resize_line_changed(line) ? g_strdup(field_text(line->field)) : NULL;

	look_at(line, steps);
	set_number(line);
	set_full(line);
	g_free(line->now);
	g_free(line->limit);
	line->now = line->differs ? g_strdup(_("differs")) : plan_value_text(first, line->from);
	line->limit = line->most < 0 || line->unit == UNIT_CPUS
			      ? g_strdup("")
			      : plan_value_text(first, line->most);
	words = field_words(line, first);
	if (!line->field)
		line->field = make_field(line, words);
	if (line->unit != UNIT_CPUS)
		field_set_optional(line->field, line->differs || may_be_none(line));
	field_set_text(line->field, words);
	field_accept(line->field);
	if (typed)
		field_set_text(line->field, typed);
}

/* Shorter than the plan's where that begins with an address. */
static char *label_of(const struct resize_line *line, const struct plan_step *step)
{
	g_auto(GStrv) parts = g_strsplit(line->name, ".", 3);

	if (!strcmp(parts[0], "pin"))
		return g_strdup_printf(_("CPUs of vCPU %s"), parts[1]);
	if (strcmp(parts[0], "nic"))
		return plan_step_label(step);
	/* TRANSLATORS: what the guest receives and sends; at most 15 characters. */
	return g_strdup_printf(
		!strcmp(parts[2], "in") ? _("NIC %s, in") : _("NIC %s, out"), parts[1]);
}

struct resize_line *resize_line_new(const GPtrArray *steps)
{
	const struct plan_step *first = g_ptr_array_index(steps, 0);
	struct resize_line *line = g_new0(struct resize_line, 1);

	line->name = g_strdup(first->name);
	line->label = label_of(line, first);
	line->use = g_strdup("");
	line->left = g_strdup("");
	rank(line);
	resize_line_update(line, steps);
	return line;
}

void resize_line_free(struct resize_line *line)
{
	if (!line)
		return;
	g_free(line->name);
	g_free(line->order);
	g_free(line->label);
	g_free(line->use);
	g_free(line->now);
	g_free(line->limit);
	g_free(line->left);
	g_free(line);
}

/* ---- live figures ---- */

static char *rate(double bytes)
{
	return isnan(bytes) ? g_strdup("-") : format_rate_long(bytes);
}

static const struct guest_disk *disk_of(const struct guest *guest, const char *target)
{
	for (guint i = 0; i < guest->disks->len; i++) {
		const struct guest_disk *disk = g_ptr_array_index(guest->disks, i);

		if (!g_strcmp0(disk->target, target))
			return disk;
	}
	return NULL;
}

static char *disk_use(const struct guest *guest, const char *target, const char *field)
{
	const struct guest_disk *disk = disk_of(guest, target);

	if (!disk)
		return g_strdup("-");
	if (!strcmp(field, "size"))
		return disk->allocation ? format_size_long((double)disk->allocation)
					: g_strdup("-");
	if (!strcmp(field, "total_bytes_sec"))
		return rate(disk->read_rate + disk->write_rate);
	if (!strcmp(field, "read_bytes_sec"))
		return rate(disk->read_rate);
	if (!strcmp(field, "write_bytes_sec"))
		return rate(disk->write_rate);
	if (!strcmp(field, "read_iops_sec"))
		return format_count(disk->read_ops);
	if (!strcmp(field, "write_iops_sec"))
		return format_count(disk->write_ops);
	return format_count(disk->read_ops + disk->write_ops);
}

static char *nic_use(const struct guest *guest, const char *number, bool in)
{
	guint64 i = g_ascii_strtoull(number, NULL, 10);
	const struct guest_nic *nic = i < guest->nics->len ? guest->nics->pdata[i] : NULL;

	return nic ? rate(in ? nic->rx_rate : nic->tx_rate) : g_strdup("-");
}

static char *use_of(const struct resize_line *line, const struct guest *guest)
{
	g_auto(GStrv) parts = g_strsplit(line->name, ".", 3);

	if (!strcmp(line->name, "vcpus"))
		return isnan(guest->cpu) ? g_strdup("-") : g_strdup_printf("%.1f", guest->cpu / 100);
	if (!strcmp(line->name, "cap"))
		return isnan(guest->cpu) ? g_strdup("-") : g_strdup_printf("%.0f %%", guest->cpu);
	if (!strcmp(line->name, "memory"))
		return isnan(guest->memory_used) ? g_strdup("-")
						 : format_size_long(guest->memory_used);
	if (!strcmp(parts[0], "disk") && parts[1] && parts[2])
		return disk_use(guest, parts[1], parts[2]);
	if (!strcmp(parts[0], "nic") && parts[1] && parts[2])
		return nic_use(guest, parts[1], !strcmp(parts[2], "in"));
	return g_strdup("");
}

static char *left_of(const struct resize_line *line, const struct guest *guest)
{
	const struct host *host = guest->connection ? &guest->connection->host : NULL;

	if (host && !strcmp(line->name, "vcpus") && host->cpus && !isnan(host->cpu))
		return g_strdup_printf(_("%.1f CPUs"), MAX(host->cpus - host->cpu / 100, 0));
	if (host && !strcmp(line->name, "memory") && host->memory && !isnan(host->memory_used))
		return format_size_long(MAX((double)host->memory - host->memory_used, 0));
	if (line->room >= 0)
		return format_size_long((double)line->room);
	return g_strdup("");
}

/* Up to two counts that make up a line's use: read and written, or one alone. */
static void find_past(
	const struct resize_line *line, const struct guest *guest, const struct history **of)
{
	g_auto(GStrv) parts = g_strsplit(line->name, ".", 3);
	const struct guest_disk *disk = parts[1] ? disk_of(guest, parts[1]) : NULL;
	guint64 i = parts[1] ? g_ascii_strtoull(parts[1], NULL, 10) : 0;
	const struct guest_nic *nic = i < guest->nics->len ? guest->nics->pdata[i] : NULL;

	if (!strcmp(line->name, "vcpus") || !strcmp(line->name, "cap")) {
		of[0] = &guest->cpu_history;
	} else if (!strcmp(line->name, "memory")) {
		of[0] = &guest->memory_history;
	} else if (!strcmp(parts[0], "disk") && disk && !strcmp(parts[2], "total_bytes_sec")) {
		of[0] = &disk->read_history;
		of[1] = &disk->write_history;
	} else if (!strcmp(parts[0], "nic") && nic) {
		of[0] = !strcmp(parts[2], "in") ? &nic->rx_history : &nic->tx_history;
	}
}

/* CPU and memory against what the guest has, the rest against its own most. */
static double top_of(const struct resize_line *line, const struct guest *guest)
{
	double most = 0;

	if (!strcmp(line->name, "vcpus") || !strcmp(line->name, "cap"))
		return 100 * guest->vcpus;
	if (!strcmp(line->name, "memory"))
		return (double)guest->memory;
	for (int i = 0; i < HISTORY_LENGTH; i++)
		most = line->past[i] > most ? line->past[i] : most;
	return most;
}

static void set_past(struct resize_line *line, const struct guest *guest)
{
	const struct history *of[2] = {NULL, NULL};
	double more[HISTORY_LENGTH];

	line->past_top = 0;
	if (guest)
		find_past(line, guest, of);
	if (!of[0])
		return;
	history_copy(of[0], line->past, HISTORY_LENGTH);
	if (of[1]) {
		history_copy(of[1], more, HISTORY_LENGTH);
		for (int i = 0; i < HISTORY_LENGTH; i++)
			line->past[i] += more[i];
	}
	line->past_top = top_of(line, guest);
}

static void replace(char **text, char *by)
{
	g_free(*text);
	*text = by;
}

void resize_line_figures(struct resize_line *line, const struct guest *guest)
{
	replace(&line->use, guest ? use_of(line, guest) : g_strdup(""));
	replace(&line->left, guest ? left_of(line, guest) : g_strdup(""));
	if (guest && !strcmp(line->name, "cap") && guest->vcpus_max)
		line->full = 100 * (gint64)guest->vcpus_max;
	set_past(line, guest);
}

/* ---- wishes ---- */

bool resize_line_changed(const struct resize_line *line)
{
	return field_changed(line->field);
}

bool resize_line_wish(struct resize_line *line, struct plan *plan, struct plan_step *step,
	GError **error)
{
	const char *text = field_text(line->field);
	const char *wrong = field_error(line->field);

	plan_wish_number(plan, step, step->from);
	if (!resize_line_changed(line))
		return true;
	if (wrong) {
		g_set_error_literal(error, MODEL_ERROR, MODEL_ERROR_USAGE, wrong);
		return false;
	}
	if (line->unit == UNIT_CPUS)
		return plan_wish(plan, step, text, error);
	if (*text)
		plan_wish_number(plan, step, field_number(line->field) / line->scale);
	else if (may_be_none(line))
		plan_wish_number(plan, step, PLAN_NONE);
	return true;
}

/* A weight counts by its ratio to others. */
static bool by_ratio(const struct resize_line *line)
{
	return !strcmp(line->name, "weight");
}

double resize_line_fraction(const struct resize_line *line)
{
	gint64 value;

	if (!line->full)
		return NAN;
	value = MAX(field_number(line->field), 0);
	if (by_ratio(line))
		return value > 1 ? log((double)value) / log((double)line->full) : 0;
	return (double)value / (double)line->full;
}

void resize_line_slide(struct resize_line *line, double fraction)
{
	gint64 step = line->number.step, value;
	double wanted = (double)line->full * CLAMP(fraction, 0, 1);
	g_autofree char *text = NULL;

	if (!line->full)
		return;
	if (by_ratio(line))
		wanted = pow((double)line->full, CLAMP(fraction, 0, 1));
	value = (gint64)(wanted + (double)step / 2) / step * step;
	text = number_format(&line->number, CLAMP(value, step, line->full));
	field_set_text(line->field, text);
}
