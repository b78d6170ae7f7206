// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What an administrator has set on a guest while it ran, and the guest does not see: quotas, weight,
 * pins, limits of disks and network cards, how often the balloon asks for statistics. (What it
 * does see, the link of a card or the balloon's target, is its devices' state.)
 *
 * A guest that is restored by the very definition it was started with goes on with these. One that
 * is restored by another has what that says: whoever has changed it wanted just this.
 *
 * The main thread, without the machine lock; the machine stands still.
 */
#pragma once

#include "engine/vmm/machine.h"
#include "engine/vmm/save/state.h"

bool save_settings(const struct machine_parts *parts, struct state_out *out, GError **error);
/* When all devices are loaded. Also fails where the host has none of the CPUs of a pin. */
bool load_settings(const struct machine_parts *parts, struct state_in *in, GError **error);
