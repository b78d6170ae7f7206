// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Guests' consoles on clients' streams. One client at a time has a console, as with libvirt;
 * another one may take it away by force. Main thread.
 */
#pragma once

#include "engine/daemon/client.h"
#include "engine/daemon/guest.h"

/* Answer the call, which opens the console of this alias (NULL: the usual one), or the channel of
 * this alias or name. */
void console_open(struct call *call, struct guest *guest, const char *alias, bool force);
void console_open_channel(struct call *call, struct guest *guest, const char *alias, bool force);
