// SPDX-License-Identifier: GPL-3.0-or-later
// Settings: $XDG_CONFIG_HOME/lodge/lodge.conf over SYSCONFDIR/lodge/lodge.conf, both of them
// GKeyFile. Every setting is in one table with its kind, default and help; lodge.conf(5) and the
// Settings screen show that table. Saving keeps unknown keys and comments. Main thread.
#pragma once

#include <glib.h>
#include <stdbool.h>

enum setting_kind { SETTING_TEXT, SETTING_LIST, SETTING_NUMBER, SETTING_BOOL, SETTING_CHOICE };

struct setting {
	const char *name; // "group.key": "ui.theme"
	enum setting_kind kind;
	const char *fallback;       // default as text; lists are semicolon-separated
	double least, most;         // range of a number
	const char *const *choices; // NULL-terminated, for a choice
	const char *label;          // N_()
	const char *help;           // one sentence, N_()
};

// The table, NULL-named at its end. Beside it any "keys.ACTION" (key names) and "columns.TABLE"
// (list of column names) may be set, as may "confirm.VERB".
extern const struct setting settings_table[];
const struct setting *setting_find(const char *name);

struct settings;

// Reads both files; `path` NULL for the user's default. Always returns settings: what could not be
// read counts as not there, with `error` telling file and line. A file that could not be read or
// parsed is never written over: settings_save then fails with the same sentence.
struct settings *settings_load(const char *path, GError **error);
void settings_free(struct settings *settings); // takes NULL

const char *settings_path(const struct settings *settings);

// Values: the user's, else the system's, else the table's default. A value out of range or not of
// its kind counts as not set. settings_text returns NULL for an unset name that is not in the
// table; borrowed until the next change. The list is NULL-terminated and never NULL; caller frees.
const char *settings_text(struct settings *settings, const char *name);
char **settings_list(struct settings *settings, const char *name);
double settings_number(struct settings *settings, const char *name);
bool settings_bool(struct settings *settings, const char *name);

// True unless "confirm.VERB" says no: whether to ask before the verb.
bool settings_confirm(struct settings *settings, const char *verb);

// Checks and sets; not saved until settings_save. False with a sentence when the text is not of the
// setting's kind or range. NULL unsets: the default counts again.
bool settings_set(struct settings *settings, const char *name, const char *value, GError **error);
bool settings_set_list(
	struct settings *settings, const char *name, const char *const *values, GError **error);

// True when something was set since loading or saving.
bool settings_changed(const struct settings *settings);

// Writes the user's file whole or not at all (a new file renamed over the old, mode 0600). A full
// disk is a sentence; the old file and the settings in memory stay.
bool settings_save(struct settings *settings, GError **error);
