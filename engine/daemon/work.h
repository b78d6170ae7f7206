// SPDX-License-Identifier: GPL-3.0-or-later
/* What takes long is done in a thread of its own. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* run is called in the thread, with nothing that others change; then done in the main loop, with
 * why it has failed or NULL. Both get data; done frees it. */
void work_begin(bool (*run)(void *data, GError **error),
	void (*done)(void *data, const GError *error), void *data);
