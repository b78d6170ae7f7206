// SPDX-License-Identifier: GPL-3.0-or-later
// What all screens of the console share: the app, the model, the settings, and the ways from an
// intent to a verb: ask, run, tell how it ended.
#pragma once

#include "model/model.h"
#include "ui/app.h"

struct console {
	struct ui_app *app;
	struct model *model;
	struct settings *settings;
	unsigned watch;        // the console's own, for toasts
	struct prompt *prompt; // the `:` prompt while it is open, else NULL
	GHashTable *waiting;   // struct job * -> struct waiting *: whom to tell when it ends
};

/// The app must be set up; takes nothing. Opens the first screen.
void console_begin(struct console *console);
void console_end(struct console *console);

/// Runs a request that the caller fills no further, and frees it. How it ends is told by a toast,
/// an error by a dialog with its details.
void console_run(struct console *console, struct request *request);

/// The same, but DONE gets the finished job (also a failed one) instead. DATA goes to FREE_DATA
/// afterwards, or when the console ends before.
void console_run_then(struct console *console, struct request *request,
	void (*done)(struct console *console, struct job *job, void *data), void *data,
	GDestroyNotify free_data);

/// Nobody is told any more: DATA's owner is going away.
void console_forget(struct console *console, void *data);

/// A dialog with the error's headline and details; frees the error.
void console_error(struct console *console, GError *error);

/// Saves the settings; an error becomes a dialog, and false.
bool console_save_settings(struct console *console);

/// Applies what the settings say about theme, characters, braille and refresh.
void console_apply_settings(struct console *console);

/// Leaves the console, asking first while operations run.
void console_quit(struct console *console);

/// The `:` prompt. SELECTED (struct guest *, taken) stand in where a verb names no guest.
void console_prompt(struct console *console, GPtrArray *selected);

/// The prompt's history from the state directory, and at the console's end back to it.
void console_load_history(struct console *console);
void console_end_prompt(struct console *console);

/// Calls FUNC with DATA once, soon (a thirtieth of a second), however often it is asked meanwhile.
/// Redrawing after a storm of changes costs one redraw.
struct later {
	guint source;
	void (*func)(void *data);
	void *data;
};
void later_ask(struct later *later);
void later_cancel(struct later *later);
