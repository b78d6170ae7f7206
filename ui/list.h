// SPDX-License-Identifier: GPL-3.0-or-later
// A plain list of lines with a cursor: for menus, choices, names and steps. What has columns, marks
// or live figures is a table (table.h).
#pragma once

#include "ui/hotkey.h"
#include "ui/widget.h"

struct list_item {
	const char *text;  // NULL: a line
	const char *right; // at the right edge; NULL none
	bool off;	   // greyed; the cursor passes over it
};

enum list_flags {
	LIST_PLAIN = 0,
	LIST_MENU = 1 << 0,   // menu colours, '&' hotkeys in the texts, one click activates
	LIST_STATIC = 1 << 1, // only to read: scrolls, but has no cursor
};

/// Up, Down, PageUp, PageDown, Home, End move (UI_MOVED), Enter or a double click gives
/// UI_ACTIVATED; letters jump to the next line that begins so (not in menus).
struct list;
struct list *list_new(enum list_flags flags);
/// Items are copied.
void list_set(struct list *l, const struct list_item *items, size_t n);
void list_set_strv(struct list *l, const char *const *texts);
int list_cursor(const struct list *l); // -1: there is none
void list_set_cursor(struct list *l, int index);
size_t list_length(const struct list *l);
