// SPDX-License-Identifier: GPL-3.0-or-later
// The actions on guests (F7 and its keys) and on connections, as const tables for
// action_set_init().
#pragma once

#include "screens/action.h"

extern const struct action guest_actions[];
extern const size_t n_guest_actions;

/// Ask for a file, and make a guest of it: its definition, or its saved state.
void guest_add(const struct place *place);
void guest_restore(const struct place *place);

/// For the tree of hosts.
extern const struct action connection_actions[];
extern const size_t n_connection_actions;
