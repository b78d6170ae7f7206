// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * All parts of a machine out to records (state.h) and in again, in one visible table of what there
 * is. The main thread, without the machine lock; the machine stands still.
 */
#pragma once

#include "engine/vmm/machine.h"
#include "engine/vmm/save/state.h"

/* Adds a record for each part, and those that tell the guest. */
bool save_parts(const struct machine_parts *parts, struct state_out *out, GError **error);

/* Whether the records are those of this guest, on the same backend, made of the same parts. Looks
 * at what tells the guest alone; takes nothing out. Errors: STATE_ERROR. */
bool save_check(struct state_in *in, const struct machine_config *config, GError **error);
/* Makes those blocks RAM that were (memory.h): before memory is filled. */
bool load_blocks(const struct machine_parts *parts, struct state_in *in, GError **error);
/* Fills a machine just made, whose memory is filled already. After an error it is of no use. */
bool load_parts(const struct machine_parts *parts, struct state_in *in, GError **error);

/* The definition that the guest was started with; the caller frees. */
char *save_definition(struct state_in *in, GError **error);
