// SPDX-License-Identifier: GPL-3.0-or-later
// The actions on guests (F7 and its keys) and on connections, as const tables for action_set_init().
#pragma once

#include "screens/action.h"

extern const struct action guest_actions[];
extern const size_t n_guest_actions;

/// For the tree of hosts.
extern const struct action connection_actions[];
extern const size_t n_connection_actions;
