// SPDX-License-Identifier: GPL-3.0-or-later
// What all fields have; each kind embeds struct field first.
#pragma once

#include "ui/field.h"

struct field_kind {
	/// What is wrong with the text by itself: a sentence, freed by the caller; NULL is right.
	/// NULL op: everything is right.
	char *(*wrong)(struct field *f);
	/// The text was set from outside: the kind takes it over. NULL: nothing to do.
	void (*taken)(struct field *f);
};

struct field {
	struct widget widget;
	const struct field_kind *kind;
	char *text;  // the value as text
	char *first; // what it began with
	char *error;	     // of the present text, see checked
	char *foreign_error; // from field_set_error
	bool checked;
	bool (*valid)(const char *text, void *data, GError **error);
	void *valid_data;
	const struct number_kind *number; // NULL: no number
	gint64 min, max;
	bool optional, secret;
};

void field_init(struct field *f, const struct widget_ops *ops, const struct field_kind *kind,
	const char *text);
/// The user made it TEXT.
enum ui_result field_update(struct field *f, const char *text);
/// For kinds with more to free.
void field_destroy(struct widget *w);
/// The styles of the value.
enum ui_style field_style(const struct field *f);
