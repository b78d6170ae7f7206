// SPDX-License-Identifier: GPL-3.0-or-later
// The dialog that chooses a table's columns.
#pragma once

#include "screens/console.h"
#include "ui/table.h"

/// CHANGED (with DATA) is called after the columns were changed.
void columns_ask(struct console *console, struct table *table, const struct table_column *columns,
	size_t n, void (*changed)(struct console *console, void *data), void *data);
