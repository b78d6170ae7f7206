// SPDX-License-Identifier: GPL-3.0-or-later
// Jobs and log: operations with their progress, messages, and the audit log.
#pragma once

#include "screens/console.h"

struct ui_screen *jobs_screen_new(struct console *console);
