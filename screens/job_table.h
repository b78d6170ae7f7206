// SPDX-License-Identifier: GPL-3.0-or-later
// The table of operations, newest first, and what one of them has to tell.
#pragma once

#include "model/model.h"
#include "ui/table.h"

/// ctx is the struct model; a row's key is the job's id.
struct table *job_table_new(struct model *model);
/// How many operations there are.
unsigned job_table_count(const struct model *model);
/// The job under the cursor, NULL when there is none.
struct job *job_table_selected(struct table *table, const struct model *model);
/// Each step with its state, result and command. The caller frees.
char *job_tell(const struct job *job);
