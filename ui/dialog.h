// SPDX-License-Identifier: GPL-3.0-or-later
// Dialogs: messages, questions, inputs, choices, and any form with buttons.
//
// All return at once; the answer comes through the callback, after the dialog has closed (so it may
// push the next one). FREE_DATA (may be NULL) is called with DATA once the dialog is gone, answered
// or not. Texts are copied.
#pragma once

#include "ui/app.h"
#include "ui/form.h"

enum dialog_kind { DIALOG_INFO, DIALOG_WARNING, DIALOG_ERROR };

/// A sentence with [OK]; DETAILS (NULL: none) unfold with [Details]. For a GError of several lines
/// pass all of it as text: line one is the headline, the rest Details.
void dialog_message(
	struct ui_app *app, enum dialog_kind kind, const char *text, const char *details);

struct dialog_question {
	const char *title;   // NULL: "Question"
	const char *text;    // whole sentences; names what is lost
	const char *details; // NULL, or text behind [Details]
	const char *const *names; // NULL, or what it is about, one a line (scrolls)
	const char *yes, *no;	  // button labels with '&'; NULL: "&Yes", "&No"
	bool default_yes;	  // else the focus starts on No
};
void dialog_ask(struct ui_app *app, const struct dialog_question *q,
		void (*answer)(bool yes, void *data), void *data, GDestroyNotify free_data);

/// One line of text. VALID may be NULL. ANSWER gets NULL when cancelled.
void dialog_input(struct ui_app *app, const char *title, const char *label, const char *initial,
	bool (*valid)(const char *text, void *data, GError **error),
	void (*answer)(const char *text, void *data), void *data, GDestroyNotify free_data);

/// One of a list (NULL-terminated); ANSWER gets its index, or -1 when cancelled. Typing jumps.
void dialog_choose(struct ui_app *app, const char *title, const char *const *items, int current,
		   void (*answer)(int index, void *data), void *data, GDestroyNotify free_data);

/// A text to read that scrolls, with [OK].
void dialog_text(struct ui_app *app, const char *title, const char *text);

/// A dialog of any content. Add buttons, then open. A press calls DONE with the button's id; it
/// returns true to close. Esc is the id 0. On a button with CHECK the forms inside must be valid
/// first: else the first bad field is focused and nothing is called.
struct dialog;
struct dialog *dialog_new(const char *title, struct widget *body);
void dialog_button(struct dialog *d, const char *label, int fkey, int id, bool check);
void dialog_open(struct ui_app *app, struct dialog *d,
	bool (*done)(struct dialog *d, int id, void *data), void *data, GDestroyNotify free_data);
struct ui_screen *dialog_screen(struct dialog *d);
struct widget *dialog_body(struct dialog *d);
/// The button focused first (default: the first thing in the body).
void dialog_default(struct dialog *d, int id);
