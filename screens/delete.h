// SPDX-License-Identifier: GPL-3.0-or-later
// The question before guests are deleted: which of their disks go with them is told by name.
#pragma once

#include "screens/action.h"

/// Asks about the guests of PLACE; nothing is ticked to begin with.
void delete_ask(const struct place *place);
