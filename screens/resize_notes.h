// SPDX-License-Identifier: GPL-3.0-or-later
// What the resize screen says about each change: a sentence, and the command that does the same
// behind it, or below it where the line is too short. Long sentences wrap; takes the focus for
// scrolling when there is more than fits.
#pragma once

#include "ui/widget.h"

struct resize_notes;
struct resize_notes *resize_notes_new(void);
void resize_notes_clear(struct resize_notes *notes);
/// COMMAND may be NULL; texts are copied. CURRENT: one that should be seen.
void resize_notes_add(struct resize_notes *notes, enum ui_style style, const char *text,
	const char *command, bool current);
/// All of it, a line each. The caller frees.
char *resize_notes_text(const struct resize_notes *notes);
