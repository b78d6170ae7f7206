// SPDX-License-Identifier: GPL-3.0-or-later
// The settings: one page per group, made from the model's table of settings.
#pragma once

#include "screens/console.h"

struct ui_screen *settings_screen_new(struct console *console);
