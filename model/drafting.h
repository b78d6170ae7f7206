// SPDX-License-Identifier: GPL-3.0-or-later
// A draft under way: the saved definition of a guest, and the document that shall replace it. All
// pages of an editor work on one; each change can be taken back, and the whole is kept on disk.
//
// Calls no hypervisor (model/edit.h does). One thread, usually the main one.
#pragma once

#include "model/definition.h"
#include "model/document.h"
#include "model/revision.h"

#include <glib.h>
#include <stdbool.h>

struct drafting {
	struct definition *definition; // as read last; its `saved` is never NULL
	struct document *from;         // the saved definition that the draft began from
	struct document *document;     // the draft
	gint64 began;                  // microseconds since 1970
	GArray *marks;                 // unsigned: edits before each change that can be taken back
	char *last;                    // the value changed last, by its name; or NULL
};

// Begins anew from what is saved. Takes the definition, also on failure: NULL with a sentence where
// the guest is not saved, or its definition cannot be read.
struct drafting *drafting_new(struct definition *definition, GError **error);
void drafting_free(struct drafting *drafting); // takes NULL

// The draft that an earlier session left, or NULL without an error; draft_free it. And goes on
// with it; false with a sentence, and all as it was, where it cannot be read.
struct draft *drafting_left(const struct drafting *drafting, GError **error);
bool drafting_resume(struct drafting *drafting, const struct draft *draft, GError **error);

// Each of these is one change: false with a sentence, and the draft without it. Changes of the same
// value, one after the other, count as one, from the value it had before the first of them.
bool drafting_set(struct drafting *drafting, const char *key, const char *value, GError **error);
// An attribute of the element that an XPath names, or its text where attribute is NULL; an empty
// value removes an attribute.
bool drafting_set_at(struct drafting *drafting, const char *xpath, const char *attribute,
	const char *value, GError **error);
// One element into the one that the XPath names; and the element named removed.
bool drafting_insert(
	struct drafting *drafting, const char *xpath, const char *fragment, GError **error);
bool drafting_remove(struct drafting *drafting, const char *xpath, GError **error);
// The whole text.
bool drafting_replace(struct drafting *drafting, const char *text, GError **error);
// Lodge's own notes in the metadata (model/metadata.h); and what they are, caller frees.
bool drafting_set_notes(struct drafting *drafting, const char *notes, GError **error);
char *drafting_notes(const struct drafting *drafting);

// The next change begins a step of its own, also where it is of the same value.
void drafting_settle(struct drafting *drafting);

// Takes back the newest change; false where there is none.
bool drafting_undo(struct drafting *drafting);

bool drafting_changed(const struct drafting *drafting);

// Keeps the draft on disk, or removes it there where nothing differs from what is saved.
bool drafting_keep(struct drafting *drafting, GError **error);
bool drafting_drop(struct drafting *drafting, GError **error);

// After somebody else's change: takes the definition as it is now (on success), and a text that grew
// from both as the draft. False with a sentence, and all as it was, where the text is not well-formed.
bool drafting_rebase(struct drafting *drafting, struct definition *now, const char *text,
	GError **error);
