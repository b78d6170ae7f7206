// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Starting the guests that are marked for it, in the order and with the pauses that their metadata
 * ask for:
 *
 *	<lodge:autostart xmlns:lodge='urn:lodge:autostart:1' order='10' delay='5'/>
 *
 * order is 0 where it is missing, guests of one order go by name; delay is the pause before the
 *guest is started, in seconds, lodged.conf's where it is missing. Main thread.
 */
#pragma once

#include "engine/daemon/registry.h"

struct autostart;

/* Begins; registry->autostart is set until all are started. */
void autostart_begin(struct registry *registry);
/* Takes NULL. */
void autostart_free(struct autostart *autostart);
