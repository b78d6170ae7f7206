// SPDX-License-Identifier: GPL-3.0-or-later
// The definition editor: pages at the left, a form at the right, one draft behind all.
#pragma once

#include "screens/console.h"

/// Opens it for a guest; a draft that an earlier session left is told of first.
void edit_open(struct console *console, struct guest *guest);
