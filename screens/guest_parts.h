// SPDX-License-Identifier: GPL-3.0-or-later
// The parts of a guest as tables with a chart below: its vCPUs, disks and network interfaces.
#pragma once

#include "model/model.h"
#include "ui/chart.h"
#include "ui/table.h"

/// One kind of part.
struct guest_part {
	const char *empty; // N_(): said when the guest has none
	const struct table_column *columns;
	size_t n_columns;
	const struct table_source
		*source;             // ctx is a struct guest **; a row's key is its number + 1
	const char *chart_labels[2]; // N_(); the second may be NULL
	double top;                  // of the charts; 0 by the values
	char *(*format)(double value);
	const struct history *(*history)(const struct guest *guest, int row, int series);
	double (*now)(const struct guest *guest, int row, int series);
};

extern const struct guest_part guest_part_vcpus, guest_part_disks, guest_part_nics;

struct chart *guest_part_chart_new(const struct guest_part *part);
/// Fills the chart for a row; -1 empties it.
void guest_part_chart_fill(
	const struct guest_part *part, struct chart *chart, const struct guest *guest, int row);
