// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <math.h>

#include "screens/guest_parts.h"

static const struct guest *guest_of(void *ctx)
{
	return *(struct guest **)ctx;
}

static guint64 row_key(void *ctx, int row)
{
	return (guint64)row + 1;
}

static void put(struct table_cell *cell, char *text)
{
	g_strlcpy(cell->text, text ? text : "-", sizeof(cell->text));
	g_free(text);
}

static void put_percent(struct table_cell *cell, double percent)
{
	put(cell, format_percent(percent));
}

/* ---- vCPUs ---- */

static const struct guest_vcpu *vcpu_at(const struct guest *guest, int row)
{
	return g_ptr_array_index(guest->vcpu, (guint)row);
}

static int vcpu_count(void *ctx)
{
	return (int)guest_of(ctx)->vcpu->len;
}

static const char *vcpu_state(int state)
{
	switch (state) {
	case 0:
		return _("offline");
	case 1:
		return _("running");
	case 2:
		return _("waiting");
	}
	return "-";
}

static void vcpu_cell(void *ctx, int row, int column, struct table_cell *cell)
{
	const struct guest_vcpu *vcpu = vcpu_at(guest_of(ctx), row);

	switch (column) {
	case 0:
		put(cell, g_strdup_printf("%d", row));
		break;
	case 1:
		put(cell, g_strdup(vcpu_state(vcpu->state)));
		break;
	case 2:
		put_percent(cell, vcpu->use);
		if (!isnan(vcpu->use))
			cell->bar = vcpu->use / 100;
		break;
	case 3:
		put_percent(cell, vcpu->waiting);
		break;
	case 4:
		put_percent(cell, vcpu->steal);
		break;
	case 5:
		put(cell, format_duration((double)vcpu->time / 1e9));
		break;
	}
}

static const struct history *vcpu_history(const struct guest *guest, int row, int series)
{
	return &vcpu_at(guest, row)->use_history;
}

static double vcpu_now(const struct guest *guest, int row, int series)
{
	return vcpu_at(guest, row)->use;
}

static char *percent_text(double value)
{
	g_autofree char *number = format_percent(value);

	return g_strdup_printf("%s %%", number);
}

// clang-format off
static const struct table_column vcpu_columns[] = {
	{ .id = "vcpu", .title = N_("&vCPU"), .width = 4, .align = TEXT_RIGHT },
	{ .id = "state", .title = N_("&State"), .width = 9 },
	{ .id = "use", .title = N_("&CPU%"), .width = 4, .bar = 10, .align = TEXT_RIGHT },
	{ .id = "wait", .title = N_("&Wait%"), .width = 5, .align = TEXT_RIGHT },
	{ .id = "steal", .title = N_("Stea&l%"), .width = 6, .align = TEXT_RIGHT },
	{ .id = "time", .title = N_("&Time"), .width = 9, .align = TEXT_RIGHT },
};
// clang-format on

static const struct table_source vcpu_source = {
	.count = vcpu_count,
	.key = row_key,
	.cell = vcpu_cell,
};

const struct guest_part guest_part_vcpus = {
	.empty = N_("vCPUs are shown one by one while the guest runs, where the hypervisor tells of them."),
	.columns = vcpu_columns,
	.n_columns = G_N_ELEMENTS(vcpu_columns),
	.source = &vcpu_source,
	.chart_labels = {N_("CPU"), NULL},
	.top = 100,
	.format = percent_text,
	.history = vcpu_history,
	.now = vcpu_now,
};

/* ---- disks ---- */

static const struct guest_disk *disk_at(const struct guest *guest, int row)
{
	return g_ptr_array_index(guest->disks, (guint)row);
}

static int disk_count(void *ctx)
{
	return (int)guest_of(ctx)->disks->len;
}

static char *size_or_dash(guint64 bytes)
{
	return bytes ? format_size((double)bytes) : NULL;
}

static void disk_cell(void *ctx, int row, int column, struct table_cell *cell)
{
	const struct guest_disk *disk = disk_at(guest_of(ctx), row);

	switch (column) {
	case 0:
		put(cell, g_strdup(disk->target));
		break;
	case 1:
		put(cell, format_rate(disk->read_rate));
		break;
	case 2:
		put(cell, format_rate(disk->write_rate));
		break;
	case 3:
		put(cell, format_count(disk->read_ops + disk->write_ops));
		break;
	case 4:
		put(cell, size_or_dash(disk->capacity));
		break;
	case 5:
		put(cell, g_strdup(disk->source ? disk->source : _("(empty)")));
		break;
	case 6:
		put(cell, size_or_dash(disk->allocation));
		break;
	case 7:
		put(cell, g_strdup(disk->device));
		break;
	}
}

static const struct history *disk_history(const struct guest *guest, int row, int series)
{
	const struct guest_disk *disk = disk_at(guest, row);

	return series ? &disk->write_history : &disk->read_history;
}

static double disk_now(const struct guest *guest, int row, int series)
{
	const struct guest_disk *disk = disk_at(guest, row);

	return series ? disk->write_rate : disk->read_rate;
}

// clang-format off
static const struct table_column disk_columns[] = {
	{ .id = "target", .title = N_("&Disk"), .width = 5 },
	{ .id = "read", .title = N_("&Read"), .width = 6, .align = TEXT_RIGHT },
	{ .id = "write", .title = N_("&Write"), .width = 6, .align = TEXT_RIGHT },
	{ .id = "iops", .title = N_("I&OPS"), .width = 5, .align = TEXT_RIGHT },
	{ .id = "size", .title = N_("&Size"), .width = 6, .align = TEXT_RIGHT },
	{ .id = "source", .title = N_("&File"), .width = 19, .stretch = 1 },
	{ .id = "held", .title = N_("On &host"), .width = 8, .align = TEXT_RIGHT },
	{ .id = "kind", .title = N_("&Kind"), .width = 6 },
};
// clang-format on

static const struct table_source disk_source = {
	.count = disk_count,
	.key = row_key,
	.cell = disk_cell,
};

const struct guest_part guest_part_disks = {
	.empty = N_("The guest has no disks."),
	.columns = disk_columns,
	.n_columns = G_N_ELEMENTS(disk_columns),
	.source = &disk_source,
	.chart_labels = {N_("Read"), N_("Write")},
	.format = format_rate_long,
	.history = disk_history,
	.now = disk_now,
};

/* ---- network interfaces ---- */

static const struct guest_nic *nic_at(const struct guest *guest, int row)
{
	return g_ptr_array_index(guest->nics, (guint)row);
}

static int nic_count(void *ctx)
{
	return (int)guest_of(ctx)->nics->len;
}

static void nic_cell(void *ctx, int row, int column, struct table_cell *cell)
{
	const struct guest_nic *nic = nic_at(guest_of(ctx), row);

	switch (column) {
	case 0:
		put(cell, g_strdup(nic->mac));
		break;
	case 1:
		put(cell, format_rate(nic->rx_rate));
		break;
	case 2:
		put(cell, format_rate(nic->tx_rate));
		break;
	case 3:
		put(cell, g_strdup(nic->target));
		break;
	case 4:
		put(cell, nic->source ? g_strdup_printf("%s %s", nic->type, nic->source)
				      : g_strdup(nic->type));
		break;
	case 5:
		put(cell, g_strdup(nic->model));
		break;
	}
}

static const struct history *nic_history(const struct guest *guest, int row, int series)
{
	const struct guest_nic *nic = nic_at(guest, row);

	return series ? &nic->tx_history : &nic->rx_history;
}

static double nic_now(const struct guest *guest, int row, int series)
{
	const struct guest_nic *nic = nic_at(guest, row);

	return series ? nic->tx_rate : nic->rx_rate;
}

// clang-format off
static const struct table_column nic_columns[] = {
	{ .id = "mac", .title = N_("&MAC"), .width = 17 },
	{ .id = "rx", .title = N_("&rx"), .width = 6, .align = TEXT_RIGHT },
	{ .id = "tx", .title = N_("&tx"), .width = 6, .align = TEXT_RIGHT },
	{ .id = "target", .title = N_("&Host side"), .width = 9 },
	{ .id = "source", .title = N_("&Plugged into"), .width = 16, .stretch = 1 },
	{ .id = "model", .title = N_("M&odel"), .width = 8 },
};
// clang-format on

static const struct table_source nic_source = {
	.count = nic_count,
	.key = row_key,
	.cell = nic_cell,
};

const struct guest_part guest_part_nics = {
	.empty = N_("The guest has no network interfaces."),
	.columns = nic_columns,
	.n_columns = G_N_ELEMENTS(nic_columns),
	.source = &nic_source,
	.chart_labels = {N_("rx"), N_("tx")},
	.format = format_rate_long,
	.history = nic_history,
	.now = nic_now,
};

/* ---- charts ---- */

static size_t series_of(const struct guest_part *part)
{
	return part->chart_labels[1] ? 2 : 1;
}

struct chart *guest_part_chart_new(const struct guest_part *part)
{
	struct chart *chart = chart_new(series_of(part));

	for (size_t i = 0; i < series_of(part); i++) {
		struct chart_series *s = chart_series(chart, i);

		s->label = _(part->chart_labels[i]);
		s->format = part->format;
		s->top = part->top;
	}
	chart_set_rows(chart, 2);
	chart_set_text_width(chart, 12);
	return chart;
}

void guest_part_chart_fill(
	const struct guest_part *part, struct chart *chart, const struct guest *guest, int row)
{
	for (size_t i = 0; i < series_of(part); i++) {
		struct chart_series *s = chart_series(chart, i);
		g_autofree char *text = NULL;

		s->count = 0;
		if (row >= 0) {
			s->count = HISTORY_LENGTH;
			history_copy(part->history(guest, row, (int)i), s->values, HISTORY_LENGTH);
			text = part->format(part->now(guest, row, (int)i));
		}
		chart_set_text(chart, i, text);
	}
	chart_changed(chart);
}
