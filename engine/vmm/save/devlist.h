// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which devices a machine has and in which PCI slots: they have come and gone since it was started,
 * so its definition does not tell. The main thread, without the machine lock; the machine stands
 * still.
 */
#pragma once

#include "engine/vmm/machine.h"
#include "engine/vmm/save/state.h"

bool save_devices(const struct machine_parts *parts, struct state_out *out, GError **error);
/* Makes a machine just made have the same: plugs those that had been plugged, takes away those that
 * had gone, and puts each into its slot. A device of the definition that the guest never had, or
 * had and is neither there nor known how to make, is STATE_ERROR_FOREIGN. */
bool load_devices(const struct machine_parts *parts, struct state_in *in, GError **error);

/* Calls learn for the element of each device that was plugged while the guest ran, and was there when
 * it was saved. What is damaged is left out. Takes those records out. */
void save_plugged(
	struct state_in *in, void (*learn)(void *data, const char *xml), void *data);
