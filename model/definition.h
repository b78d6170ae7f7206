// SPDX-License-Identifier: GPL-3.0-or-later
// A guest's definitions at its hypervisor: the running one and the saved one, and how a changed
// one is saved without trampling on anybody. Everything here calls libvirt: worker threads only.
#pragma once

#include "model/document.h"

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

// As libvirt tells them, passwords included where the connection may see them.
struct definition {
	char *uri;     // the connection
	char *uuid;
	char *name;
	char *saved;   // what starts next time; NULL for a transient guest
	char *running; // NULL while it is off
};

// NULL with a sentence. Free with definition_free (takes NULL).
struct definition *definition_read(virDomainPtr domain, GError **error);
void definition_free(struct definition *definition);

static inline void definition_freep(struct definition **definition)
{
	definition_free(*definition);
}
#define DEFINITION_AUTO __attribute__((cleanup(definition_freep)))

// What is wrong with a definition by libvirt's schema, a sentence a line; NULL when it holds, or
// where the schema is not installed. Caller frees. Any thread.
char *definition_problems(const struct document *document);

// Saves a new definition of the guest, if its saved one is still `base`: else fails with
// MODEL_ERROR_CONFLICT, to be merged. Checks the schema first, lets libvirt validate where it can,
// and keeps the old and the new definition as revisions. A revision that cannot be kept does not
// undo the save: *warning gets the sentence (caller frees; NULL when all is well).
bool definition_save(virDomainPtr domain, const char *base, const char *xml, const char *reason,
	char **warning, GError **error);
