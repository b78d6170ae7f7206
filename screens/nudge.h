// SPDX-License-Identifier: GPL-3.0-or-later
// The everyday changes in place: one vCPU or one step of memory more or less for the guests chosen,
// without a screen. The status line says what was done, or why it cannot be.
#pragma once

#include "screens/action.h"

void nudge_vcpus_up(const struct place *place);
void nudge_vcpus_down(const struct place *place);
void nudge_memory_up(const struct place *place);
void nudge_memory_down(const struct place *place);
