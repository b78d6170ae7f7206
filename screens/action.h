// SPDX-License-Identifier: GPL-3.0-or-later
// Actions: what a key or a menu entry does on a screen. Each screen has one const table of them;
// its keys can be changed in the settings ("keys.ID"), and its menu and help are made from it.
//
// An action either names a verb, which is run on the guests chosen after one question, or has a
// function of its own.
#pragma once

#include "screens/console.h"

/// What an action acts on. Valid during the call only.
struct place {
	struct console *console;
	struct ui_screen *screen;
	GPtrArray *guests; // struct guest *, the marked ones or the one under the cursor
	struct connection *connection; // the one selected, or of the first guest; may be NULL
};

struct action {
	const char *id;    // "shutdown"
	const char *key;   // "F5", "l"; NULL: menu only
	const char *label; // N_("&Shut down"); NULL: not in the menu; "-": a line
	const char *bar;   // N_("Delete"): the word in the key bar, for an F-key
	const char *verb;  // the verb run, or NULL
	void (*run)(const struct place *place);
	bool needs_guest; // greyed where no guest is chosen; verbs need one anyway
};

/// A table of actions with its keys resolved.
struct action_set {
	const struct action *actions;
	size_t n;
	uint32_t *keys;
	struct menu_item *menu;
	struct place place; // as filled for the menu that is open
};

/// ACTIONS must stay. Keys are read from the settings now.
void action_set_init(
	struct action_set *set, struct console *console, const struct action *actions, size_t n);
void action_set_release(struct action_set *set);
/// Reads the keys from the settings again.
void action_set_reload(struct action_set *set, struct console *console);

/// The action of a key, NULL when there is none.
const struct action *action_of_key(const struct action_set *set, uint32_t key);
/// Writes the labels of F-keys.
void action_keys(const struct action_set *set, struct keybar *bar);
/// Does it: asks, runs, tells.
void action_run(const struct action *action, const struct place *place);
/// Opens the menu of all actions with a label; takes PLACE's guests (a reference of its own).
void action_menu(struct action_set *set, const char *title, const struct place *place);

/// Runs a request, which it takes, after the same question where there is one to be asked.
void action_request(struct console *console, struct request *request);

/// Asks (naming the guests and their number) unless the settings say no, then runs the verb on
/// those guests for which it makes sense. NAME/VALUE is one more argument; NULL none.
void action_verb(const struct place *place, const char *verb, const char *name, const char *value);
