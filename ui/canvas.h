// SPDX-License-Identifier: GPL-3.0-or-later
// A clipped drawing area on the curses screen.
//
// A canvas has its own coordinates, (0,0) top left; whatever falls outside it is cut off, so a
// widget may draw without checking. Text is UTF-8 of any origin: it is cleaned and, in ASCII mode,
// folded (text.h) on the way. A wide character cut in half becomes a space. Canvases are values:
// copy them, never free them. They live as long as one call of a draw op.
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "ui/term.h"
#include "ui/text.h"
#include "ui/theme.h"

struct ui_rect {
	int x, y, w, h;
};

struct canvas {
	struct _win_st *win; // curses' WINDOW
	const struct ui_look *look;
	int x, y, w, h;	     // where on the screen, and how large
	struct ui_rect clip; // on the screen; lies within x, y, w, h
};

/// Drawing signs that have a UTF-8 and an ASCII form.
enum ui_glyph {
	GLYPH_HLINE,
	GLYPH_VLINE,
	GLYPH_TOP_LEFT,
	GLYPH_TOP_RIGHT,
	GLYPH_BOTTOM_LEFT,
	GLYPH_BOTTOM_RIGHT,
	GLYPH_TEE_LEFT,  // ├
	GLYPH_TEE_RIGHT, // ┤
	GLYPH_TEE_TOP,
	GLYPH_TEE_BOTTOM,
	GLYPH_CROSS,
	GLYPH_OPEN,   // ▾ an open branch        v
	GLYPH_CLOSED, // ▸ a closed branch       >
	GLYPH_UP,     // ▲ sorted upwards, more above  ^
	GLYPH_DOWN,   // ▼                       v
	GLYPH_LEFT,
	GLYPH_RIGHT,
	GLYPH_FULL,      // █ filled part of a bar  #
	GLYPH_SHADE,     // ░ empty part            .
	GLYPH_BAR_BEGIN, // ▕                       [
	GLYPH_BAR_END,   // ▏                       ]
	GLYPH_CHECK,     // ✓                       x
	GLYPH_CROSSED,   // ✗                       !
	GLYPH_BULLET,    // •                       *
	GLYPH_ELLIPSIS,  // …                       ~
	N_GLYPHS,
};

/// The sign as a character for this look.
gunichar ui_glyph_char(const struct ui_look *look, enum ui_glyph g);

/// A part of a canvas with its own origin; what lies outside C stays cut off.
struct canvas canvas_sub(const struct canvas *c, int x, int y, int w, int h);

/// Writes text at X, Y and returns the cells it takes (also those cut off). Newlines are shown as
/// '?'.
int canvas_text(const struct canvas *c, int x, int y, enum ui_style style, const char *text);
int canvas_printf(const struct canvas *c, int x, int y, enum ui_style style, const char *format,
	...) G_GNUC_PRINTF(5, 6);
/// Writes text into exactly WIDTH cells: ellipsis when too long, padded with spaces as ALIGN says.
void canvas_fit(const struct canvas *c, int x, int y, int width, enum text_align align,
		enum ui_style style, const char *text);
/// One character; returns its cells.
int canvas_char(const struct canvas *c, int x, int y, enum ui_style style, gunichar ch);
void canvas_glyph(const struct canvas *c, int x, int y, enum ui_style style, enum ui_glyph g);
/// Spaces of a style all over the canvas, or over a part of it.
void canvas_clear(const struct canvas *c, enum ui_style style);
void canvas_fill(
	const struct canvas *c, int x, int y, int w, int h, enum ui_style style, gunichar ch);
void canvas_hline(const struct canvas *c, int x, int y, int w, enum ui_style style);
void canvas_vline(const struct canvas *c, int x, int y, int h, enum ui_style style);
/// A box along the edge of the part; TITLE (may be NULL) stands in the top line.
void canvas_box(const struct canvas *c, int x, int y, int w, int h, enum ui_style style,
		const char *title, enum ui_style title_style);
/// A horizontal bar of W cells, FRACTION (0…1, clamped) of it filled, in eighths of a cell where
/// the terminal can.
void canvas_bar(const struct canvas *c, int x, int y, int w, double fraction, enum ui_style full,
		enum ui_style empty);
/// Restyles cells already drawn.
void canvas_restyle(const struct canvas *c, int x, int y, int w, enum ui_style style);
