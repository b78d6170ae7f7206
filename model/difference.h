// SPDX-License-Identifier: GPL-3.0-or-later
// What differs between two definitions: in words, key by key, and in lines.
// Any thread; the documents must not change meanwhile.
#pragma once

#include "model/document.h"
#include "model/key.h"

#include <glib.h>

// When a change of a guest's definition takes effect.
enum change_effect {
	CHANGE_AT_NEXT_START,
	CHANGE_NOW,     // in the running guest alone
	CHANGE_BOTH,    // now and at next start
};

// One value that differs.
struct change {
	char *name;             // the key, or an element's path where no key names it
	char *from, *to;        // NULL: not set; for a path without a key "(2 lines)" or the like
	enum key_effect possible; // whether a running guest could take it
};

// Every change from one definition to another: keys first, in the table's order, then what no key
// names, in document order of the elements. Free with g_ptr_array_unref (struct change *).
GPtrArray *difference_changes(const struct document *from, const struct document *to);

// "memory: 2GiB -> 3GiB". Caller frees.
char *change_words(const struct change *change);

// The effect's words, translated: "takes effect now", "now and at next start", "at next start".
const char *change_effect_words(enum change_effect effect);

// A unified diff of two texts with three lines around each change, without a trailing newline's
// fuss; "" where they are equal. The labels name the sides. By diff(1). NULL with a sentence when
// it cannot be run.
char *difference_lines(const char *from, const char *from_label, const char *to,
	const char *to_label, GError **error);

// Merges two texts that grew from a common base; by diff3(1). *conflicts tells whether
// parts that both changed are left, between "<<<<<<<" and ">>>>>>>" lines that name the sides.
char *difference_merge(const char *mine, const char *base, const char *theirs, bool *conflicts,
	GError **error);
