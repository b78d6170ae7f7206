// SPDX-License-Identifier: GPL-3.0-or-later
/* What a running monitor tells of its guest's resources; its life is guest.c's. Main thread. */
#pragma once

#include "engine/daemon/guest.h"

/* False: this is not one of them. */
bool guest_take_event(struct guest *guest, const char *name, JsonObject *event);
