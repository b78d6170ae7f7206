// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A port for test kernels: a write of v ends the monitor with status v << 1 | 1 (the convention of
 * isa-debug-exit). Reads give all ones.
 */
#pragma once

#include "engine/vmm/bus.h"

struct debugexit;

/* done is called with the lock held; status is 0-255. */
struct debugexit *debugexit_new(
	struct bus *ports, uint16_t port, void (*done)(void *machine, int status), void *machine);
void debugexit_free(struct debugexit *debugexit);
