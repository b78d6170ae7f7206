// SPDX-License-Identifier: GPL-3.0-or-later
// A form: rows of label, field and hint, the field's error in place of the hint. Scrolls when
// taller than its room, so that the focused field and its error are always seen.
#pragma once

#include "ui/field.h"
#include "ui/hotkey.h"

struct form;
struct form *form_new(void);
/// A row. LABEL with '&' stands before the field (NULL: none, the field begins at the left edge).
/// HINT (may be NULL) stands behind it, or below when there is no room. Any widget may be a field.
void form_add(struct form *f, const char *label, struct widget *field, const char *hint);
void form_set_hint(struct form *f, struct widget *field, const char *hint);
/// A section head; a blank line when NULL.
void form_heading(struct form *f, const char *text);
void form_clear(struct form *f);
/// Whether any field differs from what it began with.
bool form_changed(const struct form *f);
void form_accept(struct form *f);
/// Whether all fields are right; *BAD (may be NULL) receives the first that is not.
bool form_valid(struct form *f, struct widget **bad);
bool widget_is_form(const struct widget *w);
/// The same for all forms and fields inside ROOT.
bool widget_tree_changed(struct widget *root);
bool widget_tree_valid(struct widget *root, struct widget **bad);
