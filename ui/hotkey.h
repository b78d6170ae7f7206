// SPDX-License-Identifier: GPL-3.0-or-later
// Labels with hotkeys: "&Name" asks for Alt+N; "&&" is a plain '&'.
//
// Within one screen or popup every label gets a letter of its own: the wished one when free, else
// the first letter of a word in it, else any letter in it, else none. The earlier in focus
// order wins.
#pragma once

#include <glib.h>

#include "ui/canvas.h"

struct ui_hotlabel {
	char *text;	 // without '&'
	gunichar wish;	 // lower case; 0: no wish, but takes one when left over
	int wish_pos;	 // where in text it stands
	gunichar key;	 // as resolved, lower case; 0: none
	int pos;	 // index (in characters) of the letter in text, -1: none
};

/// Sets the label from text with '&'; frees a former one. L starts zeroed.
void ui_hotlabel_set(struct ui_hotlabel *l, const char *text);
void ui_hotlabel_clear(struct ui_hotlabel *l);
/// Gives each of N labels its letter.
void ui_hotlabel_resolve(struct ui_hotlabel **labels, size_t n);
/// Cells of the text.
int ui_hotlabel_width(const struct ui_hotlabel *l);
/// Writes it, the letter in HOT; returns the cells it takes. Cut at MAX cells with an ellipsis.
int ui_hotlabel_draw(const struct ui_hotlabel *l, const struct canvas *c, int x, int y, int max,
		     enum ui_style style, enum ui_style hot);
