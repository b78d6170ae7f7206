// SPDX-License-Identifier: GPL-3.0-or-later
// A wizard: a screen of steps. The steps are listed at the left, the page stands at the right,
// below them [Help] … [Back] [Abort] [Next]; the last step's Next is [Finish].
//
// Next wants the page's forms valid. Abort asks "Really abort? All changes will be lost." only when
// a field was changed.
#pragma once

#include "ui/app.h"

struct wizard;

struct wizard_ops {
	/// The step is about to be shown (forward or back): fill it. NULL: nothing.
	void (*enter)(struct wizard *w, int step, void *data);
	/// Next was pressed and the fields are right; false stays (say why with a dialog or
	/// field_set_error). NULL: goes on.
	bool (*leave)(struct wizard *w, int step, void *data);
	/// Finish was pressed on the last step; true closes the wizard.
	bool (*finish)(struct wizard *w, void *data);
	/// The wizard is gone, finished or not. NULL: nothing.
	void (*gone)(void *data);
	/// An intent from a page. NULL: nothing.
	void (*event)(struct wizard *w, struct widget *from, enum ui_result what, void *data);
};

struct wizard *wizard_new(const char *title, const struct wizard_ops *ops, void *data);
/// Adds a step; PAGE is owned. HELP may be NULL.
void wizard_add(struct wizard *w, const char *title, struct widget *page, const char *help);
void wizard_open(struct ui_app *app, struct wizard *w);
int wizard_step(const struct wizard *w);
/// A step that is skipped for now (greyed in the list).
void wizard_skip(struct wizard *w, int step, bool skip);
struct widget *wizard_page(struct wizard *w, int step);
struct ui_screen *wizard_screen(struct wizard *w);
/// The last button's label instead of "&Finish".
void wizard_set_finish(struct wizard *w, const char *label);
