// SPDX-License-Identifier: GPL-3.0-or-later
// Connections as the admin handles them: add one, take one away, look at its host.
#pragma once

#include "screens/console.h"

/// Asks for a URI and whether it is to be opened at every start.
void connection_ask_add(struct console *console);
/// Asks, then disconnects; guests run on. Also leaves the settings.
void connection_ask_remove(struct console *console, struct connection *connection);
/// A dialog with all that is known about the host.
void connection_show_info(struct console *console, const struct connection *connection);
