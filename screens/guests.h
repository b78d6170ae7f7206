// SPDX-License-Identifier: GPL-3.0-or-later
// The first screen: hosts and groups at the left, the live table of guests at the right, below it
// the charts of the guest under the cursor.
#pragma once

#include "screens/action.h"

struct ui_screen *guests_screen_new(struct console *console);

/// The screen's own actions beside those on guests and hosts, for the settings of keys.
const struct action *guests_own_actions(size_t *n);
