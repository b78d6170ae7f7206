// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A machine of the software CPU in the test's own process, with every kind of device that needs
 * nobody else, for what saves and restores it. It never runs. One thread.
 */
#pragma once

#include "engine/vmm/machine.h"
#include "engine/vmm/save/state.h"

#define SAVEBOX_MEMORY (4ull << 20)

struct savebox {
	struct machine_config *config;
	struct machine *machine;
	const struct machine_parts *parts;
};

/* Makes the files that such machines need; the caller removes them by savebox_end(). */
void savebox_begin(void);
void savebox_end(void);

/* Aborts where a machine cannot be made. */
struct savebox *savebox_new(void);
void savebox_free(struct savebox *box);

/* Pokes at ports and registers at random, so that devices have state. */
void savebox_shake(struct savebox *box, GRand *random);
/* Its records; the caller frees. */
struct state_out *savebox_save(struct savebox *box);
/* The records as they come in again; out may be freed then. */
struct state_in *savebox_turn(const struct state_out *out);
