// SPDX-License-Identifier: GPL-3.0-or-later
// Plain text to read in dialogs: wraps to its width and scrolls. What wants search, colours or
// selection is a text view (textview.h).
#pragma once

#include "ui/widget.h"

struct reader;
struct reader *reader_new(const char *text);
void reader_set(struct reader *r, const char *text);
