// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of the definition editor share.
#pragma once

#include "model/capability.h"
#include "model/drafting.h"
#include "model/edit.h"
#include "screens/console.h"
#include "screens/edit_pages.h"
#include "ui/form.h"
#include "ui/layout.h"
#include "ui/list.h"
#include "ui/textview.h"
#include "ui/tree.h"

/// A line of the tree: a page, or one device of the draft.
struct edit_node {
	char *id; // the page's, or the device's path: "devices/disk[2]"
	char *label;
	const struct edit_page *page;
	char *element; // NULL: a page
	char *xpath;   // of the device
	char *member;  // what stands for '*' in its keys; NULL: none
	bool keyed;    // its rows are keys; else its attributes one by one
	unsigned changes;
};

struct edit_row_shown;
struct merge;

/// The widget at the right.
enum edit_side { SIDE_TEXT, SIDE_FORM, SIDE_XML, SIDE_REVISIONS };

struct edit {
	struct ui_screen screen;
	struct console *console;
	struct guest *guest; // held
	unsigned reading;    // of the definition; 0 none
	unsigned watch;
	struct drafting *draft; // NULL until read
	struct capability *capability;
	struct tree *tree;
	struct frame *frame;
	struct stack *stack; // enum edit_side
	struct textview *text, *xml;
	struct form *form;
	struct list *revisions;
	GPtrArray *revision_list; // struct revision *
	GPtrArray *nodes;	  // struct edit_node *
	const struct edit_node *shown;
	GPtrArray *rows;	// struct edit_row_shown *, of the form
	GPtrArray *changes;	// struct change *, from what is saved to the draft
	struct later later;
	struct merge *merging; // while its screen is open
	char *trouble; // the draft could not be kept on disk: told once
};

/* edit.c */
/// The draft changed by a field: it is kept, and the rest of the screen follows soon.
void edit_touched(struct edit *edit);
/// The draft changed as a whole: everything is made anew, at once.
void edit_renew(struct edit *edit);
/// Goes to the node of that id.
void edit_go(struct edit *edit, const char *id);
/// Leaves the editor and drops the draft on disk.
void edit_finish(struct edit *edit);
/// Keeps the draft on disk now; false when that failed, which was told.
bool edit_keep(struct edit *edit);

/* edit_nodes.c */
void edit_nodes_fill(struct edit *edit);
void edit_node_free(struct edit_node *node);
const struct edit_node *edit_node_find(const struct edit *edit, const char *id);
/// Counts the changes of each node, and shows the tree.
void edit_tree_fill(struct edit *edit);
/// The devices of a branch, a line each. The caller frees.
char *edit_branch_text(const struct edit *edit, const struct edit_node *branch);

/* edit_form.c */
void edit_form_fill(struct edit *edit, const struct edit_node *node);
void edit_row_shown_free(struct edit_row_shown *row);
/// A field of the form was changed; false when FROM is none.
bool edit_form_changed(struct edit *edit, struct widget *from);
/// Fields that are not being typed in show what the draft says now.
void edit_form_refresh(struct edit *edit);
/// One sentence about the focused field; NULL for none. Borrowed.
const char *edit_form_help(const struct edit *edit);

/// "memory: 2GiB -> 3GiB", "disk vdb is added". The caller frees.
struct change;
char *edit_change_words(const struct change *change);

/* edit_devices.c */
void edit_add(struct edit *edit);
void edit_remove(struct edit *edit);

/* edit_xml.c */
/// A screen to edit TEXT in; TAKEN is called with what was made of it and returns false with an
/// error when it cannot be taken: the text stays on the screen.
void edit_text_here(struct edit *edit, const char *title, const char *text,
	bool (*taken)(struct edit *edit, const char *text, GError **error));
/// The same in the user's own editor; the terminal is lent to it.
void edit_text_elsewhere(struct edit *edit, const char *text,
	bool (*taken)(struct edit *edit, const char *text, GError **error));
/// The draft's XML.
void edit_xml_here(struct edit *edit);
void edit_xml_elsewhere(struct edit *edit);
/// A screen to read a text on.
void edit_view(struct console *console, const char *title, enum textview_syntax syntax,
	const char *text);

/// W as far from the edges as the text in frames. Takes it.
struct widget *edit_inset(struct widget *w);

/* edit_review.c */
void edit_review(struct edit *edit);

/* edit_merge.c */
/// Somebody else changed the saved definition: reads it anew and shows how the two go together.
void edit_merge(struct edit *edit);

/* edit_revisions.c */
void edit_revisions_fill(struct edit *edit);
/// Keys of the page; false for all others.
bool edit_revisions_key(struct edit *edit, uint32_t key);
