// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Memory that the guest gives and takes while it runs: where the memory devices of a definition
 * lie, and telling the clients when balloon and devices have changed (engine/common/control.h).
 *
 * Threads: the main thread, which does not hold the machine lock.
 */
#pragma once

#include "engine/vmm/dev/virtio_mem.h"
#include "engine/vmm/machine.h"

/* The place of the index-th memory device of the definition: beyond boot memory. */
struct virtio_mem_place memplug_place(const struct machine_config *config, unsigned index);
/* Adds the region that holds them all to memory; nothing where there are none. */
bool memplug_add_region(
	const struct machine_config *config, struct guest_memory *memory, GError **error);

struct memplug;

/* Listens to balloon and memory devices, which parts->devices has already. At most ten events of
 * a kind a second. */
struct memplug *memplug_new(const struct machine_parts *parts);
/* Before the devices. */
void memplug_free(struct memplug *plug);
