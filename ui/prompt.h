// SPDX-License-Identifier: GPL-3.0-or-later
// The ':' line: readline's editing, history and completion in the status line.
#pragma once

#include "ui/app.h"

struct prompt_ops {
	/// Words that could stand in place of the one at START…END (bytes) of LINE: a
	/// NULL-terminated vector, which the prompt frees (g_strfreev); NULL: none. May be NULL.
	char **(*complete)(const char *line, int start, int end, void *data);
	/// Enter: the line (not empty). Called after the prompt has closed.
	void (*accept)(const char *line, void *data);
	/// Each change of the text (filter while typing). NULL: not told.
	void (*changed)(const char *line, void *data);
	/// Esc, or Enter on an empty line. NULL: nothing.
	void (*cancel)(void *data);
};

/// Opens it with SIGN before the text (":" or "/") and INITIAL (NULL: empty) in it. Only one is
/// open at a time. Each SIGN has a history of its own.
void prompt_open(struct ui_app *app, const char *sign, const char *initial,
	const struct prompt_ops *ops, void *data);
/// Reads and writes the history of SIGN (at most 500 lines) from and to a file; a missing file is
/// no error when reading.
bool prompt_history_load(const char *sign, const char *path, GError **error);
bool prompt_history_save(const char *sign, const char *path, GError **error);
