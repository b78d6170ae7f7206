// SPDX-License-Identifier: GPL-3.0-or-later
// A text to read: scrolled both ways, searched, coloured as XML or as a diff.
//
// Keys: arrows, page, Home/End; '/' begins a search that is shown in the last line while it is
// typed (Enter keeps it, Esc drops it); 'n' and 'N' go to the next and the former hit. Mouse:
// wheel.
//
// Intents: UI_CHANGED when the search changed.
#pragma once

#include "ui/widget.h"

enum textview_syntax { TEXTVIEW_PLAIN, TEXTVIEW_XML, TEXTVIEW_DIFF };

struct textview;

struct textview *textview_new(enum textview_syntax syntax);

/// Text of any bytes (cleaned, copied). The place read stays when it still exists. Redraws only
/// when the text differs.
void textview_set_text(struct textview *tv, const char *text);
/// Appends to the last line; '\n' begins new ones. Follows when the end is to be seen.
void textview_append(struct textview *tv, const char *text);
/// Number of lines, and the first one to be seen.
int textview_lines(const struct textview *tv);
int textview_top(const struct textview *tv);

/// Goes to the first hit from the top line on, without regard to ASCII case, and shows all hits;
/// NULL or "" ends the search. False when there is no hit.
bool textview_search(struct textview *tv, const char *text);
/// The line of the next (or former) hit becomes visible, going round the end. False: no hit.
bool textview_next(struct textview *tv, bool forward);
/// Line of the current hit, -1 when there is none.
int textview_hit(const struct textview *tv);
