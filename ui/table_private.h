// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of the table share; for them alone.
#pragma once

#include "ui/table.h"

enum table_mode { MODE_PLAIN, MODE_FILTER, MODE_SORT };

struct table {
	struct widget w;
	const struct table_column *columns;
	int n_columns;
	int *order;     // columns shown, from left to right
	int shown;      // their number
	bool automatic; // nobody chose columns: roomy ones come and go
	int *width;     // cells of each column's text, as the user sized it
	struct ui_hotlabel *labels;
	struct rows rows;
	int top;      // place of the first row seen
	int scrolled; // columns skipped after the first
	enum table_mode mode;
	GString *typed; // type-ahead
	gint64 typed_at;
	char *empty;
	bool typeahead;
	bool marking;
};
