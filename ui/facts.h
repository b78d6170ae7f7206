// SPDX-License-Identifier: GPL-3.0-or-later
// Facts: labels with values that change now and then, in as many columns as there is room for.
#pragma once

#include "ui/widget.h"

struct facts;

/// N labels, translated and copied. A NULL label leaves its place empty.
struct facts *facts_new(const char *const *labels, size_t n);
/// Sets the I-th value (copied; NULL or "" shows "-"). Redraws only when it differs.
void facts_set(struct facts *f, size_t i, const char *value);
/// The same; takes the string over.
void facts_take(struct facts *f, size_t i, char *value);
