// SPDX-License-Identifier: GPL-3.0-or-later
// The bottom line of function keys. Filled anew before each paint: first by the focused widget and
// its parents (outermost first), then by buttons that have an F-key, then by the screen, so that
// the screen has the last word. A click on an entry is the key.
//
// The usual meanings: F1 Help, F2 Info, F3 Add, F4 Edit, F5 Delete, F6/F7 the screen's own,
// F8 Back, F9 Abort/Cancel/Quit, F10 OK/Next/Finish.
#pragma once

#include "ui/canvas.h"

#define KEYBAR_MAX 12

struct keybar {
	char *label[KEYBAR_MAX + 1]; // [1] is F1's; NULL: not shown
};

void keybar_clear(struct keybar *bar);
/// Names F-key N (1–12), NULL or "" removes it.
void keybar_set(struct keybar *bar, int n, const char *label);
/// Draws it into one line: labels are shortened evenly when they do not fit.
void keybar_draw(const struct keybar *bar, const struct canvas *c);
/// The F-key drawn at cell X of a line WIDTH wide, 0 when none.
int keybar_at(const struct keybar *bar, int width, int x);
