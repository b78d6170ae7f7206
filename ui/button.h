// SPDX-License-Identifier: GPL-3.0-or-later
// Push buttons and the button row.
#pragma once

#include "ui/hotkey.h"
#include "ui/widget.h"

/// A button "[ Help ]". Enter, Space, a click, its hotkey or its F-key give UI_ACTIVATED from it.
/// FKEY (1–12, 0: none) also puts its text into the key bar.
struct button;
struct button *button_new(const char *label, int fkey);
void button_set_label(struct button *b, const char *label);
int button_fkey(const struct button *b);
const char *button_text(const struct button *b);
bool widget_is_button(const struct widget *w);

/// YaST's row: the first button at the left, the last at the right, the others spread between.
/// Left and Right move along it. Owns its buttons.
struct button_row;
struct button_row *button_row_new(void);
struct button *button_row_add(struct button_row *r, const char *label, int fkey, const char *name);
