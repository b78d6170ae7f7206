// SPDX-License-Identifier: GPL-3.0-or-later
// A popup that shows how far an operation is, with [Cancel].
#pragma once

#include "ui/app.h"

struct progress;

/// Opens it. CANCEL (NULL: cannot be cancelled) is called once when Cancel is pressed; the popup
/// stays
/// ("Cancelling…") until progress_close(). Esc and [Background] hide it; the operation goes on.
struct progress *progress_open(
	struct ui_app *app, const char *title, void (*cancel)(void *data), void *data);
/// FRACTION 0…1, negative: unknown. TEXT is the line above the bar; NULL keeps it.
void progress_set(struct progress *p, double fraction, const char *text);
/// The operation ended: closes the popup if still open and frees P.
void progress_close(struct progress *p);
