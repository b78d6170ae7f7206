// SPDX-License-Identifier: GPL-3.0-or-later
// A menu bar with drop-down menus, and menus that pop up.
#pragma once

#include "ui/app.h"

/// One entry. Tables of entries end with a label of NULL. A label of "-" is a line.
struct menu_item {
	const char *label; // N_("&Start"): translated by the menu
	const char *key;   // shown at the right: "F10", "Alt-s"; NULL none
	int id;		   // what the callback gets
	bool (*enabled)(int id, void *data); // NULL: always
};

struct menu {
	const char *label; // N_("&Guest")
	const struct menu_item *items;
};

/// The bar, one line high. PICKED is called after the menu has closed. Tables must outlive it.
struct menubar;
struct menubar *menubar_new(const struct menu *menus, size_t n, void (*picked)(int id, void *data),
			    void *data);

/// A menu on its own, its corner near X, Y of the screen (-1: centred).
void menu_popup(struct ui_app *app, const char *title, const struct menu_item *items, int x, int y,
		void (*picked)(int id, void *data), void *data);
