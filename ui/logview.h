// SPDX-License-Identifier: GPL-3.0-or-later
// A log: lines that only come, each with a time, a word that tells how grave it is, one sentence,
// and details that the owner shows on demand.
//
// While the cursor is on the newest line the log follows; moving up holds it, End follows again.
// Keys: arrows, page, Home/End; Enter activates (details). Mouse: click, double click, wheel.
//
// Intents: UI_MOVED, UI_ACTIVATED.
#pragma once

#include "ui/widget.h"

enum logview_kind { LOGVIEW_INFO, LOGVIEW_GOOD, LOGVIEW_WARNING, LOGVIEW_ERROR };

/// Lines kept; older ones go.
#define LOGVIEW_MOST 2000

struct logview;

/// EMPTY is a sentence shown when there is no line; copied.
struct logview *logview_new(const char *empty);
/// Texts are copied; DETAILS may be NULL.
void logview_add(struct logview *lv, const char *time, enum logview_kind kind, const char *text,
	const char *details);
void logview_clear(struct logview *lv);
/// Lines held.
int logview_count(const struct logview *lv);
/// Whether new lines move the cursor.
bool logview_follows(const struct logview *lv);
/// The line under the cursor: its sentence and details (NULL for none); both NULL when empty.
/// Borrowed until the log changes.
const char *logview_text(const struct logview *lv);
const char *logview_details(const struct logview *lv);
