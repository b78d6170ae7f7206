// SPDX-License-Identifier: GPL-3.0-or-later
// A tree: branches that open and close, each node with a label and a badge at the right edge.
//
// The owner gives all nodes anew whenever something changed: tree_begin(), tree_add() for every
// node in the order shown, tree_end(). Nodes are known by their id, so the cursor and what is open
// stay.
//
// Keys: Up/Down, page, Home/End; Right opens, or goes to the first node inside; Left closes, or
// goes to the node outside; Space opens or closes; Enter activates. Mouse: click moves, click on
// the sign opens or closes, double click activates, the wheel scrolls.
//
// Intents: UI_MOVED, UI_CHANGED (opened or closed), UI_ACTIVATED.
#pragma once

#include "ui/widget.h"

struct tree;

/// A node as given to tree_add(); texts are copied.
struct tree_node {
	const char *id; // unique in the tree
	int depth;      // 0 for roots; at most one more than the node before
	const char *label;
	const char *badge;   // short text at the right edge; NULL none
	enum ui_style style; // STYLE_TEXT as usual, STYLE_DIM for what does not answer
	bool closed;         // when it is seen for the first time: not open
	bool note;           // a line of explanation under a node: the cursor passes it over
};

struct tree *tree_new(void);

/// Begins a new set of nodes; the former stays visible until tree_end().
void tree_begin(struct tree *t);
void tree_add(struct tree *t, const struct tree_node *node);
/// Shows the new nodes. Redraws only when something differs from the former set. A cursor whose
/// node is gone goes to the nearest that is left.
void tree_end(struct tree *t);

/// The id under the cursor; NULL when the tree is empty.
const char *tree_selected(const struct tree *t);
/// Moves the cursor, opening what encloses it; false when there is no such node.
bool tree_select(struct tree *t, const char *id);
bool tree_is_open(const struct tree *t, const char *id);
void tree_open(struct tree *t, const char *id, bool open);
