// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The control socket of a machine; the protocol is documented in engine/common/control.h.
 * Main thread.
 */
#pragma once

#include "engine/vmm/machine.h"

struct control;

/* Listens at path (made with mode 0600, removed when freed). Errors: G_FILE_ERROR, in use by
 * another monitor among them. */
struct control *control_new(const char *path, GMainContext *context, GError **error);
void control_free(struct control *control);

/* The machine that requests are for. Until then they are answered with an error. */
void control_set_machine(struct control *control, struct machine *machine);
/* Tells all clients. */
void control_event(struct control *control, enum machine_event event, const char *detail);
