// SPDX-License-Identifier: GPL-3.0-or-later
// The columns of a table of guests: what each cell says, and by what it sorts.
#pragma once

#include "model/model.h"
#include "ui/table.h"

/// Rows are the struct guest * of a GPtrArray; the table's ctx is a pointer to that pointer, so the
/// array may be exchanged between two refreshes. A row's key is its guest's address: whoever
/// exchanges the array keeps the former one alive until the table has been refreshed.
extern const struct table_source guest_source;
extern const struct table_column guest_columns[];
extern const size_t n_guest_columns;

/// The guest of a key.
struct guest *guest_of_key(guint64 key);

/// Seconds since the data of a guest whose host does not answer; 0 while it answers.
double guest_stale(const struct guest *guest);
