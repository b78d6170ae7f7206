// SPDX-License-Identifier: GPL-3.0-or-later
// Definitions against libvirt's own RelaxNG schema, with errors a person can act on.
//
// libxml2 says of a bad document little more than which child of the root is wrong. What is really
// wrong is found by leaving parts out: the smallest element or attribute without which the rest
// holds is the one to name.
//
// Any one thread at a time.
#pragma once

#include "model/document.h"

#include <glib.h>

struct schema;

// Reads the schema of domains from a file, or from where libvirt's package has it (NULL). NULL with
// a sentence when it is missing or broken. Takes some 15 ms: keep it.
struct schema *schema_new(const char *file, GError **error);
void schema_free(struct schema *schema); // takes NULL

struct schema_problem {
	unsigned line;   // 1-based
	char *element;   // the element's path: "domain/devices/disk"
	char *sentence;  // "Line 12: <driver> cannot have the attribute 'cash'."
};

// The problems of a document, in order of lines; empty when it holds, at most 20. Free with
// g_ptr_array_unref.
GPtrArray *schema_check(struct schema *schema, const struct document *document);
