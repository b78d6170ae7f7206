// SPDX-License-Identifier: GPL-3.0-or-later
// The app: a stack of screens and popups over one terminal, driven by the GLib main loop.
//
// A screen covers the terminal: title line, body, status line, key bar. A popup is a smaller one
// centred above it. Only the topmost gets keys; all are painted. There are no nested main loops:
// a dialog is pushed and tells its end through a callback (dialog.h).
//
// Way of a key: Ctrl-L, Shift-F1 (also Esc ?) and hotkeys; the focused widget, then its parents
// (widget ops.key); buttons with that F-key; the screen's key op; then defaults: F1 help popup,
// Tab/Shift-Tab and arrows move the focus, Esc closes a popup, F9 asks to close the screen.
// Way of an intent: parents' event ops, then the screen's event op; UI_CLOSE closes the screen.
//
// Repainting: widget_touch() marks the screen dirty; at most 30 times a second everything is drawn
// into curses' memory, which sends only the cells that differ: no change seen, no bytes sent.
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "ui/keybar.h"
#include "ui/term.h"
#include "ui/widget.h"

struct ui_screen {
	const struct ui_screen_ops *ops;
	struct widget *body;	// owned
	struct ui_app *app;	// set when pushed
	struct widget *focus;	// where the focus is
	char *popup_title;	// a popup's title in its frame; owned
	bool popup;
	bool line; // a popup without frame in place of the status line, growing upwards
	int popup_w, popup_h;	// wished size without frame; 0: what the body wants
	bool popup_menu;	// in menu colours
	bool popup_at;		// its frame's corner near popup_x, popup_y instead of centred
	bool popup_at_focus;	// these count from what has the focus below it
	int popup_x, popup_y;
	bool laid_out;		// internal
};

struct ui_screen_ops {
	const char *name; // "guests"; for tests and help

	/// The title line, left and right half. The caller frees. NULL op: nothing.
	char *(*title)(struct ui_screen *s);
	char *(*title_right)(struct ui_screen *s);

	/// The status line while there is no toast. The caller frees. NULL op: empty.
	char *(*status)(struct ui_screen *s);

	/// F-key labels that hold here, by the focus if need be. NULL: only what widgets say.
	void (*keys)(struct ui_screen *s, struct keybar *bar);

	/// A key no widget wanted. NULL: ignores all.
	enum ui_result (*key)(struct ui_screen *s, uint32_t key);

	/// UI_MOVED, UI_CHANGED or UI_ACTIVATED of a widget. Result UI_CLOSE closes the screen.
	/// NULL: nothing to do.
	enum ui_result (*event)(struct ui_screen *s, struct widget *from, enum ui_result what);

	/// Once a second (not with a frozen clock). Touch what changed. NULL: nothing.
	void (*tick)(struct ui_screen *s);

	/// Whether closing would lose something: then "Really abort? All changes will be lost." is
	/// asked first. NULL: never.
	bool (*dirty)(struct ui_screen *s);

	/// It is on top (again): after push, or when the one above closed. NULL: nothing.
	void (*shown)(struct ui_screen *s);

	/// Frees what the screen owns beside the body, and S itself. NULL: g_free(S).
	void (*destroy)(struct ui_screen *s);

	const char *help; // N_(): F1 text where no widget has its own
};

/// First thing in a screen's constructor; S zeroed, takes BODY.
void ui_screen_init(struct ui_screen *s, const struct ui_screen_ops *ops, struct widget *body);
/// What it shows changed / must be laid out again.
void ui_screen_touch(struct ui_screen *s);
void ui_screen_relayout(struct ui_screen *s);
void ui_screen_focus(struct ui_screen *s, struct widget *w);

/// Takes the terminal, which the app closes at its end.
struct ui_app *ui_app_new(struct ui_term *term);
/// Frees all screens, restores the terminal.
void ui_app_free(struct ui_app *app);

/// Runs until ui_app_quit(), the last screen closed, SIGTERM, SIGHUP or the terminal is gone.
/// Returns the code given to ui_app_quit(), 0, or 128+signal.
int ui_app_run(struct ui_app *app);
void ui_app_quit(struct ui_app *app, int code);
/// Called once before the loop ends by a signal or quit (save settings). May be NULL.
void ui_app_on_end(struct ui_app *app, void (*end)(void *data), void *data);

/// Puts a screen or popup on top; the app owns it.
void ui_app_push(struct ui_app *app, struct ui_screen *s);
/// Closes it (and all above it) without asking; freed after the current key is done with.
void ui_app_close(struct ui_app *app, struct ui_screen *s);
/// Closes just this one and leaves those above it.
void ui_app_close_one(struct ui_app *app, struct ui_screen *s);
/// Closes it, after the question when its dirty op says so.
void ui_app_ask_close(struct ui_app *app, struct ui_screen *s);
struct ui_screen *ui_app_top(const struct ui_app *app);
/// The lowest screen, and the I-th above it; NULL beyond the top.
struct ui_screen *ui_app_screen(const struct ui_app *app, size_t i);

enum ui_toast { UI_TOAST_INFO, UI_TOAST_GOOD, UI_TOAST_WARN, UI_TOAST_BAD };
/// A sentence in the status line for 8 seconds (frozen clock: until a key).
void ui_app_toast(struct ui_app *app, enum ui_toast kind, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/// A redraw is due / everything is painted anew.
void ui_app_touch(struct ui_app *app);
void ui_app_repaint(struct ui_app *app);
struct ui_term *ui_app_term(const struct ui_app *app);
/// Lends the terminal to another program (its words, the first looked up in PATH) and returns when it
/// has ended. The main loop goes on meanwhile, but nothing is read or drawn; Ctrl-C is the other's.
/// False with a sentence when it cannot be run, or ended otherwise than with 0.
bool ui_app_lend(struct ui_app *app, const char *const *argv, GError **error);
const struct ui_look *ui_app_look(const struct ui_app *app);

/// Feeds one key or mouse event as if it had been typed; for tests, macros and the key bar.
void ui_app_input(struct ui_app *app, const struct ui_input *in);
/// Paints at once if dirty; for tests and benches.
void ui_app_paint(struct ui_app *app);
/// Paints so far.
guint64 ui_app_frames(const struct ui_app *app);
