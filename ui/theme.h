// SPDX-License-Identifier: GPL-3.0-or-later
// Styles and themes: what a piece of text means, and how each theme shows that.
//
// Widgets name meanings (enum ui_style), never colours. A theme is one row of numbers per style;
// theme_look() turns it into curses attributes for what the terminal can do. No style is told by
// colour alone: in mono and on terminals without colours attributes stand in, and with look.braille
// widgets also write a mark (see widget.h).
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum ui_style {
	STYLE_TEXT,	   // the page's own text
	STYLE_TITLE,	   // the title line at the top
	STYLE_FRAME,	   // frames and lines
	STYLE_FRAME_TITLE, // the word in a frame's top line
	STYLE_FRAME_FOCUS, // a frame with the focus inside, and its title
	STYLE_LABEL,	   // a field's label
	STYLE_HEADING,	   // column heads, section heads
	STYLE_DIM,	   // greyed: old, disabled, not available
	STYLE_EMPHASIS,	   // worth a second look
	STYLE_FIELD,	   // a field that can be edited
	STYLE_FIELD_FOCUS, // the same with the focus
	STYLE_FIELD_OFF,   // the same, disabled
	STYLE_BUTTON,	   // buttons
	STYLE_BUTTON_FOCUS,
	STYLE_HOTKEY,	    // the hotkey letter in a label or button
	STYLE_HOTKEY_FOCUS, // the same inside something focused
	STYLE_SELECTED,	    // the cursor's row in the focused list, table or tree
	STYLE_SELECTED_IDLE, // the same while the focus is elsewhere
	STYLE_MARKED,	     // a marked row
	STYLE_MENU,	     // menu bar and drop-down
	STYLE_MENU_HOTKEY,   // the hotkey letter in them
	STYLE_MENU_FOCUS,
	STYLE_KEYBAR_KEY,   // "F1" in the key bar
	STYLE_KEYBAR_LABEL, // "Help" in the key bar
	STYLE_STATUS,	    // the status line
	STYLE_BAR_FULL,	    // the filled part of a bar, slider or chart
	STYLE_BAR_EMPTY,    // the rest of it
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_INFO,
	STYLE_MATCH,	// a search hit
	STYLE_SYNTAX_NAME, // syntax colours of the text view: element or key
	STYLE_SYNTAX_ATTR,
	STYLE_SYNTAX_VALUE,
	STYLE_SYNTAX_COMMENT,
	STYLE_DIFF_ADD,
	STYLE_DIFF_DEL,
	STYLE_CHART_1, // series of a chart
	STYLE_CHART_2,
	STYLE_CHART_3,
	STYLE_CHART_4,
	N_STYLES,
};

/// Attributes, independent of curses.
enum ui_attr {
	ATTR_BOLD = 1 << 0,
	ATTR_REVERSE = 1 << 1,
	ATTR_UNDERLINE = 1 << 2,
	ATTR_DIM = 1 << 3,
};

/// One style in one theme. Colours 0–15 are the ANSI ones, -1 the terminal's own; fg256/bg256 are
/// used instead where the terminal has 256 colours, -1 means "as fg/bg".
struct theme_style {
	gint16 fg, bg, fg256, bg256;
	uint8_t attr; // with colours; without them one table serves all themes
};

struct theme {
	const char *name; // as in the settings: "yast"
	const char *title; // N_() for choice lists
	struct theme_style style[N_STYLES];
};

/// All themes, the default first; *N receives their number.
const struct theme *theme_all(size_t *n);
/// By name; NULL when there is none of that name.
const struct theme *theme_find(const char *name);
/// "field-focus" for STYLE_FIELD_FOCUS.
const char *ui_style_name(enum ui_style style);

/// What one style comes down to on a terminal with COLORS colours (0, 8, 16, 256 or more): colour
/// numbers and attributes. On 8 colours a bright foreground becomes bold (black on black never
/// results), a bright background its plain colour.
struct theme_cell {
	int fg, bg;
	unsigned attr;
};
struct theme_cell theme_resolve(const struct theme *t, enum ui_style style, int colors);
