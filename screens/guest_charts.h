// SPDX-License-Identifier: GPL-3.0-or-later
// The charts of one guest: CPU, memory, disk and network, each with its newest figures in words.
#pragma once

#include "model/model.h"
#include "ui/chart.h"

struct chart *guest_charts_new(void);
/// Fills them from a guest's history; NULL empties them.
void guest_charts_fill(struct chart *charts, const struct guest *guest);
