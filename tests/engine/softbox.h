// SPDX-License-Identifier: GPL-3.0-or-later
// Runs the cases of native.h on the software CPU, in a small machine that looks to them as a Linux
// process does: the same addresses and selectors, CPL 3 in long or compatibility mode. Exceptions
// go through a real IDT to ring 0 code whose port write ends the run.
#pragma once

#include "engine/vmm/cpu/soft/soft.h"
#include "tests/engine/native.h"

struct softbox;

// data: as for native_new().
struct softbox *softbox_new(const uint8_t data[NATIVE_DATA_SIZE]);
void softbox_free(struct softbox *box);

// Runs one case; fills in its out, vector, error, cr2 and data.
void softbox_run(struct softbox *box, struct native_case *test);

// The processor, for tests that want more than cases; its state is that of the last case's end.
struct soft_cpu *softbox_cpu(struct softbox *box);
