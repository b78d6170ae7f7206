// SPDX-License-Identifier: GPL-3.0-or-later
// The model's own door to its parts. Main thread only.
#pragma once

#include "model/model.h"

// Tells all watchers.
void model_tell(struct model *model, const struct model_change *change);

// Adds a job (its reference is taken) and tells the watchers; old finished ones go.
void model_add_job(struct model *model, struct job *job);

// Writes the audit line; a log that cannot be written becomes one message, not one per line.
void model_audit(struct model *model, const struct job *job, const struct job_step *step);
