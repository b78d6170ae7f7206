// SPDX-License-Identifier: GPL-3.0-or-later
// Errors of the model. The message is one whole translated sentence for line one of a dialog;
// where libvirt or a way out has more to say, it follows after a newline (the Details).
#pragma once

#include <glib.h>

#define MODEL_ERROR (model_error_quark())
GQuark model_error_quark(void);

// The codes are the exit codes of the command line.
enum model_error {
	MODEL_ERROR_FAILED = 1,        // the operation failed
	MODEL_ERROR_USAGE = 2,         // no such verb, missing or wrong argument
	MODEL_ERROR_NOT_CONNECTED = 3, // no hypervisor answers
	MODEL_ERROR_NOT_FOUND = 4,     // no such guest, connection or file; or several of that name
	MODEL_ERROR_REFUSED = 5,       // read-only, or not allowed by the hypervisor
	MODEL_ERROR_UNSUPPORTED = 6,   // this hypervisor cannot do that
	MODEL_ERROR_STATE = 7,         // the guest is not in a state for that
	MODEL_ERROR_CANCELLED = 8,
	MODEL_ERROR_CONFLICT = 9, // somebody else changed it meanwhile
};

// The first line of a message, and what follows it (NULL for nothing). Caller frees.
char *error_headline(const GError *error);
char *error_details(const GError *error);

// Sets error to "HEADLINE: reason" from libvirt's last error in this thread, with the code that
// fits and, where one is known, a way out in the details. Any thread.
void error_set_libvirt(GError **error, const char *headline);
