// SPDX-License-Identifier: GPL-3.0-or-later
// Fields: what values are typed, ticked, picked or slid in. All are widgets (WIDGET(f)); a change
// gives UI_CHANGED, Enter in a one-line field gives UI_ACTIVATED.
//
// A field remembers its first value (field_changed) and its error: what its kind or its validator
// says about the present text, shown beside it by the form.
#pragma once

#include "ui/number.h"
#include "ui/widget.h"

struct field;

/// One line of text, WIDTH cells wide (it scrolls; more may be given). Home, End, Ctrl-A/E/K/U/W,
/// Ctrl-Left/Right work as usual.
struct field *field_text_new(const char *value, int width);
/// Shows '*' for each character.
void field_set_secret(struct field *f, bool secret);

/// A number with unit. MIN and MAX in smallest units. '+' and '-' (and Ctrl-Up/Down) step it. Text
/// typed first after the focus came replaces it; after any other key it is put in at the cursor.
struct field *field_number_new(
	const struct number_kind *kind, gint64 value, gint64 min, gint64 max);
/// Empty is allowed and means "none": field_number() is then -1.
void field_set_optional(struct field *f, bool optional);
/// The number, or -1 when empty or wrong (see field_error).
gint64 field_number(const struct field *f);
void field_set_number(struct field *f, gint64 value);
void field_set_range(struct field *f, gint64 min, gint64 max);

/// One of ITEMS (NULL-terminated, copied); Enter, Space or a click opens the list, letters jump,
/// Left/Right step.
struct field *field_choice_new(const char *const *items, int current);
int field_choice(const struct field *f);
/// One of its items can be seen in the list, with a word why behind it, but not be chosen.
void field_choice_off(struct field *f, int index, const char *why);
void field_set_choice(struct field *f, int index);
void field_set_items(struct field *f, const char *const *items, int current);

/// "[x] label"; '&' in LABEL is the hotkey. Space toggles.
struct field *field_check_new(const char *label, bool on);
bool field_check(const struct field *f);
void field_set_check(struct field *f, bool on);

/// ▕████░░░░▏ MIN … MAX by STEP: Left/Right, Home/End, PageUp/Down (10 steps), click and drag.
/// The number is shown behind it as KIND says.
struct field *field_slider_new(const struct number_kind *kind, gint64 value, gint64 min, gint64 max,
			       gint64 step, int width);
/// Also for sliders: field_number(), field_set_number(), field_set_range().

/// Several lines, WIDTH×HEIGHT cells (more may be given), wraps nothing, scrolls both ways.
struct field *field_multi_new(const char *value, int width, int height);
/// Puts its cursor at the beginning of a line, 1-based; the last one where there are fewer.
void field_multi_go(struct field *f, unsigned line);

/// The text as it stands. Owned by the field, valid until the next change.
const char *field_text(const struct field *f);
void field_set_text(struct field *f, const char *text);

/// Whether it differs from the value it began with; field_accept() makes now the beginning.
bool field_changed(const struct field *f);
void field_accept(struct field *f);

/// A further condition. Called with the text after each change; the error is the sentence shown.
void field_set_validator(
	struct field *f, bool (*valid)(const char *text, void *data, GError **error), void *data);
/// The sentence that says what is wrong, NULL when nothing is. Owned by the field.
const char *field_error(struct field *f);
/// A wrong value from elsewhere (the host refused it), shown until the next change. NULL clears.
void field_set_error(struct field *f, const char *sentence);
bool widget_is_field(const struct widget *w);
