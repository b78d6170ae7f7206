// SPDX-License-Identifier: GPL-3.0-or-later
// UTF-8 text measured in terminal cells.
//
// All strings in ui/ are UTF-8, whatever the terminal can show. Outside bytes (names, logs) pass
// through text_clean() first. Widths are the same in UTF-8 and in ASCII mode: ASCII mode replaces
// each character by as many ASCII characters as it had cells (text_fold), so layout never depends
// on the mode. Everything here is pure and safe in any thread.
#pragma once

#include <glib.h>
#include <stdbool.h>

enum text_align { TEXT_LEFT, TEXT_RIGHT, TEXT_CENTRE };

/// Cells one character takes: 0 (combining), 1 or 2. Control characters count 1 (shown as '?').
int text_char_width(gunichar ch);

/// Cells the string takes; invalid UTF-8 counts 1 per byte. NULL is 0.
int text_width(const char *s);

/// Bytes of the longest prefix that fits into CELLS cells (never splits a character);
/// *USED (may be NULL) receives the cells that prefix takes.
size_t text_prefix(const char *s, int cells, int *used);

/// The string cut to at most CELLS cells; when something was cut the last cell is "…".
/// The caller frees.
char *text_ellipsis(const char *s, int cells);

/// Exactly CELLS cells: cut with an ellipsis or padded with spaces as ALIGN says. The caller frees.
char *text_fit(const char *s, int cells, enum text_align align);

/// Valid UTF-8 without control characters: bad bytes and controls become '?', tabs become spaces
/// up to the next multiple of 8. KEEP_NEWLINES leaves '\n'. The caller frees. NULL gives "".
char *text_clean(const char *s, bool keep_newlines);

/// The ASCII stand-in of a character: 'ä' 'a', '…' '~', '▸' '>', '█' '#', box lines '-', '|', '+';
/// '?' when there is none.
char text_fold(gunichar ch);

/// Paragraphs broken at spaces into lines of at most CELLS cells (words longer than that are
/// broken); '\n' starts a new line. The caller frees with g_strfreev.
char **text_wrap(const char *s, int cells);
