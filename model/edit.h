// SPDX-License-Identifier: GPL-3.0-or-later
// An editor's doors to the hypervisor: a guest's definitions read, a new one saved, devices plugged
// and unplugged, all off the main thread. Main thread.
#pragma once

#include "model/definition.h"
#include "model/verb.h"

#include <glib.h>
#include <stdbool.h>

struct guest;

// What was read. All of it is NULL when that failed, but the error.
struct edit_answer {
	struct definition *definition; // to be taken by the callee, who sets this to NULL
	char *capabilities; // libvirt's domain capabilities (XML) for its machine; NULL: not told
	GError *error;      // one sentence, or NULL
};

// Reads a guest's definitions and calls `done` once, later, with an answer that is freed after it.
// The number is for edit_forget, after which nothing is called any more.
unsigned edit_read(struct guest *guest, void (*done)(struct edit_answer *answer, void *data),
	void *data);
void edit_forget(unsigned number); // takes 0, and one that was answered

// Verbs of the editor, run with request_run on one guest like those of the table (model/verb.h), so
// that they are jobs, audited, and refused with --readonly:
//  - save: the arguments "XML", "BASE" (the saved definition that it must still be) and "REASON";
//    its output is a warning, if anything;
//  - attach, detach: "XML", the device, in the running guest only. Detach ends when the guest has
//    let go of a disk or NIC, and fails when it has not after 20 s.
extern const struct verb edit_save, edit_attach, edit_detach;

// Whether a finished save was refused because somebody else changed the definition meanwhile.
bool edit_conflicted(const struct job *job);

// The user's editor, a command line: VISUAL, EDITOR or vi.
const char *edit_editor(void);
