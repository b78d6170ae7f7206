// SPDX-License-Identifier: GPL-3.0-or-later
// What the overview of a guest tells, as labels and values.
#pragma once

#include "model/model.h"
#include "ui/facts.h"

struct facts *guest_facts_new(void);
void guest_facts_fill(struct facts *facts, const struct guest *guest);
