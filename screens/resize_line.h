// SPDX-License-Identifier: GPL-3.0-or-later
// One line of the resize screen: a value that one or more guests have, what is said about it, and
// the field in which another is typed.
#pragma once

#include "model/guest.h"
#include "model/plan.h"
#include "ui/field.h"

#include <glib.h>
#include <stdbool.h>

struct resize_line {
	char *name;  // as in model/plan.h: "disk.vda.size"
	char *label; // owned, as are the texts below
	enum plan_unit unit;
	struct number_kind number; // of the field, in the step's unit times `scale`
	gint64 scale;
	gint64 from, most; // of all guests; PLAN_UNKNOWN where they differ
	gint64 room;       // bytes the host has free for a disk; PLAN_UNKNOWN
	gint64 full;       // what fills the bar; 0: there is no bar
	bool differs;      // the guests have different values: an empty field leaves them so
	bool rare;         // shown on demand only
	char *order;       // sorts lines as they stand on the screen; owned
	struct field *field; // the grid's, once the line was added to one
	char *use, *now, *limit, *left;
	double past[HISTORY_LENGTH]; // the use so far, oldest first; NAN where it is not known
	double past_top;             // what a full column of it is; 0: nothing is known
};

/// A line for steps of the same name (struct plan_step *), one for each guest, with its field, which
/// a grid must take (resize_grid.h).
struct resize_line *resize_line_new(const GPtrArray *steps);
void resize_line_free(struct resize_line *line); // not the field; takes NULL

/// The guests were looked up again: what they have now is where the field begins; what was typed since
/// it was accepted last stays.
void resize_line_update(struct resize_line *line, const GPtrArray *steps);

/// Live figures; GUEST is NULL where there are several.
void resize_line_figures(struct resize_line *line, const struct guest *guest);

/// Whether something else than now is typed.
bool resize_line_changed(const struct resize_line *line);

/// Makes what is typed the wish of a step of that name. False with a sentence where it is no value.
bool resize_line_wish(struct resize_line *line, struct plan *plan, struct plan_step *step,
	GError **error);

/// How much of the bar is full, by what is typed; NAN where there is no bar.
double resize_line_fraction(const struct resize_line *line);
/// Types the value that fills so much of the bar.
void resize_line_slide(struct resize_line *line, double fraction);

/// A step up or down for so much memory at most (bytes): what + and - do.
gint64 resize_memory_step(gint64 most);
