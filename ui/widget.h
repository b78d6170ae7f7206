// SPDX-License-Identifier: GPL-3.0-or-later
// Widgets: what every piece of a screen is and can do.
//
// A widget embeds struct widget FIRST and is described by a const struct widget_ops. Handlers
// return intent (enum ui_result) and never act on the screen themselves: the app bubbles the
// intent up through the parents and to the screen's event op (app.h).
//
// Widgets are made by foo_new() on the heap and belong to their container, and the outermost to
// its screen; widget_free() frees a widget with its children. UI thread only.
//
// Coordinates in ops are the widget's own: (0,0) is its top left cell.
//
// Nothing by colour alone: where look->braille is set a focused or selected item also carries a
// textual mark ('>' before it), and cursor() always names the focused item's cell.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "ui/canvas.h"
#include "ui/key.h"

struct ui_app;
struct ui_screen;
struct keybar;
struct ui_hotlabel;

enum ui_result {
	UI_IGNORED,   // not mine: offer it to my parent
	UI_HANDLED,   // done; nobody else need know (the screen is redrawn)
	UI_MOVED,     // the cursor stands on another row or item
	UI_CHANGED,   // the value or the marks changed
	UI_ACTIVATED, // Enter on a row, a button pressed
	UI_CLOSE,     // close the screen or popup I am in
};

struct ui_size {
	int w, h;
};

struct widget {
	const struct widget_ops *ops;
	struct widget *parent;	  // NULL for a screen's body
	struct ui_screen *screen; // set in the body when pushed; see widget_screen()
	struct ui_rect area;	  // on the screen; set by the container's layout
	char *name;		  // for screens and tests: "name", "ok"; may be NULL; owned
	char *help;		  // F1 text; NULL: the parent's; owned
	bool hidden;		  // takes no room, no focus
	bool disabled;		  // shown dim, no focus
	bool focused;		  // set by the app: it has the focus, and no popup is above
	int tag;		  // the screen's own use
};

struct widget_ops {
	const char *name; // "table"; for the gallery, hotkey list and tests

	/// Draws into the canvas (exactly the widget's area, already cleared with STYLE_TEXT).
	void (*draw)(struct widget *w, const struct canvas *c);

	/// The size it would like, given that it will be WIDTH cells wide (INT_MAX: free choice).
	/// Containers may give less or more. NULL: 1×1.
	struct ui_size (*want)(struct widget *w, int width);

	/// Called after w->area was set: containers place their children here (widget_place).
	/// NULL: nothing to do.
	void (*layout)(struct widget *w);

	/// A key for the focused widget, or one that its focused descendant ignored.
	/// NULL: ignores all.
	enum ui_result (*key)(struct widget *w, uint32_t key);

	/// A mouse event in its area (coordinates relative). The app has focused the widget if it
	/// can. NULL: ignores all.
	enum ui_result (*mouse)(struct widget *w, const struct ui_mouse *m);

	/// Whether it takes the focus now. NULL: never.
	bool (*focusable)(const struct widget *w);

	/// The focus came (true) or went (false). NULL: nothing to do.
	void (*focus)(struct widget *w, bool in);

	/// Where the hardware cursor stands while focused. Returns true when it is always to be
	/// seen (text is typed there), false when only in braille mode. NULL: (0,0), braille only.
	bool (*cursor)(struct widget *w, int *x, int *y);

	/// Fills labels of F-keys that work while the focus is in here. NULL: none.
	void (*keys)(struct widget *w, struct keybar *bar);

	/// The I-th label with a hotkey (hotkey.h), NULL when there are no more. NULL op: none.
	struct ui_hotlabel *(*hotlabel)(struct widget *w, size_t i);
	/// The I-th hotkey was pressed. NULL: the widget (or its first focusable child) is focused.
	enum ui_result (*hotkey)(struct widget *w, size_t i);

	/// The I-th child; NULL when there are no more. NULL op: no children.
	struct widget *(*child)(struct widget *w, size_t i);

	/// A descendant's UI_MOVED, UI_CHANGED or UI_ACTIVATED on its way up; returns the intent to
	/// pass on (usually WHAT; UI_HANDLED swallows it). NULL: passes on.
	enum ui_result (*event)(struct widget *w, struct widget *from, enum ui_result what);

	/// Frees what the widget owns, children too (widget_free), but not W itself. NULL: nothing.
	void (*destroy)(struct widget *w);

	/// Pasted text arrives as typed keys (else a paste is dropped).
	bool takes_text;
};

/// For structs that embed struct widget first (or are opaque widgets).
#define WIDGET(x) ((struct widget *)(x))

/// First thing in every foo_new(): W is zeroed memory (g_new0).
void widget_init(struct widget *w, const struct widget_ops *ops);
/// Frees a widget, its children, and the memory itself; NULL is fine.
void widget_free(struct widget *w);

void widget_set_name(struct widget *w, const char *name);
void widget_set_help(struct widget *w, const char *help);
void widget_set_hidden(struct widget *w, bool hidden);
void widget_set_disabled(struct widget *w, bool disabled);

/// What it shows has changed: a redraw is due (at most 30 a second). Cheap; call it freely, but
/// not when nothing changed. Works for widgets not on any screen (nothing happens).
void widget_touch(struct widget *w);
/// Sizes changed: lay the screen out again, then redraw.
void widget_relayout(struct widget *w);

/// Places W at AREA (screen coordinates) and lets it lay out its children.
void widget_place(struct widget *w, struct ui_rect area);
struct ui_size widget_want(struct widget *w, int width);
/// Draws W into C, the canvas of its *parent's* area: clipping and clearing are done here.
void widget_draw(struct widget *w, const struct canvas *c);

/// Focus order is the order of children, depth first; hidden and disabled ones are skipped.
bool widget_can_focus(const struct widget *w);
struct widget *widget_focus_first(struct widget *root);
struct widget *widget_focus_last(struct widget *root);
/// After FROM inside ROOT, forward or backward, round the end; NULL when nothing takes the focus.
struct widget *widget_focus_next(struct widget *root, struct widget *from, bool forward);
/// Whether W is ROOT or inside it.
bool widget_inside(const struct widget *w, const struct widget *root);
/// Whether its screen's focus is on W or inside it.
bool widget_has_focus(const struct widget *w);
/// Whether it is to be drawn as focused: it has the focus and no popup is above its screen.
bool widget_shows_focus(const struct widget *w);
/// The innermost widget at a cell of the screen.
struct widget *widget_at(struct widget *root, int x, int y);
struct widget *widget_find(struct widget *root, const char *name);
/// The screen (and app) it is on, or NULL.
struct ui_screen *widget_screen(const struct widget *w);
struct ui_app *widget_app(const struct widget *w);
/// Focuses W, or the first thing inside it that takes the focus.
void widget_grab_focus(struct widget *w);
/// An intent that comes not from a key but from elsewhere (a popup's answer): bubbles up as usual.
void widget_emit(struct widget *w, enum ui_result what);
/// Its help, or the nearest parent's; NULL when none.
const char *widget_help(const struct widget *w);
