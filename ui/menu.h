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

struct list;
/// A popup with one list, its corner near X, Y of the screen (-1, -1: centred). PICKED gets the
/// item's index, or -1 when it was closed, after the popup has closed. Takes LIST. FREE_DATA may be
/// NULL.
void list_popup(struct ui_app *app, const char *title, struct list *list, int x, int y,
		void (*picked)(int index, void *data), void *data, GDestroyNotify free_data);

/// The same without title, X and Y counted from the widget that has the focus now.
void list_popup_at_focus(struct ui_app *app, struct list *list, int x, int y,
	void (*picked)(int index, void *data), void *data, GDestroyNotify free_data);

/// A menu on its own, its corner near X, Y of the screen (-1: centred).
void menu_popup(struct ui_app *app, const char *title, const struct menu_item *items, int x, int y,
		void (*picked)(int id, void *data), void *data);
