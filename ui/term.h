// SPDX-License-Identifier: GPL-3.0-or-later
// The terminal: curses for output, our own reading of input, restored whatever happens.
//
// One terminal per process, used from the UI thread only. term_open() saves the terminal's state;
// term_close(), exit() and fatal signals (SEGV, BUS, ABRT, FPE, ILL) bring it back. SIGTERM, SIGHUP
// and SIGWINCH are the app's business (app.h).
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "ui/key.h"
#include "ui/theme.h"

struct term_options {
	int in, out;	     // file descriptors; both 0 means standard input and output
	const char *theme;   // NULL: "yast", or "mono" without colours
	const char *type;    // terminal type; NULL: the environment's TERM
	enum { TERM_CHARS_AUTO, TERM_CHARS_ASCII, TERM_CHARS_UTF8 } chars; // AUTO: by the locale
	int colors;	     // at most so many (256, 16, 8; 1 means mono); 0: all the terminal has
	bool braille;	     // the cursor always stands on the focused item, marks are text
	bool no_mouse;
};

/// What widgets may know of the terminal.
struct ui_look {
	bool utf8;
	bool braille;
	int colors; // 0 is mono
	const struct theme *theme;
	unsigned long attr[N_STYLES]; // curses attributes of each style
	short pair[N_STYLES];	      // and colour pairs
};

struct ui_term;

/// Opens the terminal. Fails when it is none, or its type is unknown. Call setlocale() first.
struct ui_term *term_open(const struct term_options *opts, GError **error);
/// Restores the terminal and frees; NULL is fine.
void term_close(struct ui_term *t);

const struct ui_look *term_look(const struct ui_term *t);
/// Switches theme, characters or braille at once; the caller repaints.
bool term_set_theme(struct ui_term *t, const char *name);
void term_set_chars(struct ui_term *t, bool utf8);
void term_set_braille(struct ui_term *t, bool on);

void term_size(const struct ui_term *t, int *width, int *height);
/// Asks the kernel for the size anew and fits curses to it.
void term_resized(struct ui_term *t);
/// Sends what changed since the last call, with the cursor at X, Y: also where it is not VISIBLE,
/// for screen readers that follow it.
void term_flush(struct ui_term *t, int x, int y, bool visible);
/// The next flush paints everything anew.
void term_repaint(struct ui_term *t);
/// Gives the terminal back for another program (editor, shell) and takes it again.
void term_suspend(struct ui_term *t);
void term_resume(struct ui_term *t);
int term_fd(const struct ui_term *t);
/// Bytes read and decoded: see ui_decoder. Returns false at end of file or when the terminal is
/// gone.
bool term_read(struct ui_term *t, struct ui_decoder *d);
/// Bell, at most one per frame.
void term_beep(struct ui_term *t);

#define TERM_ERROR (term_error_quark())
GQuark term_error_quark(void);
enum term_error { TERM_ERROR_NOT_A_TERMINAL, TERM_ERROR_UNKNOWN_TYPE };
