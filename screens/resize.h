// SPDX-License-Identifier: GPL-3.0-or-later
// Resize on the spot: what running guests have, and what they shall have, each change told before
// it is made and read back after it.
#pragma once

#include "screens/action.h"

/// The screen for these guests (struct guest *), which it holds; for the values that all of them
/// have. Guests that are off are changed for their next start.
struct ui_screen *resize_screen_new(struct console *console, const GPtrArray *guests);

/// The action on guests that opens it.
void resize_open(const struct place *place);
