// SPDX-License-Identifier: GPL-3.0-or-later
// The audit log as a table, newest first.
#pragma once

#include "model/model.h"
#include "ui/table.h"

/// ctx: RECORDS, a pointer to a GPtrArray of struct audit_record *, which may be exchanged.
struct table *audit_table_new(GPtrArray **records);
/// The record under the cursor, told whole; NULL when there is none. The caller frees.
char *audit_table_tell(struct table *table, GPtrArray *records);
