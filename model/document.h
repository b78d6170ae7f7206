// SPDX-License-Identifier: GPL-3.0-or-later
// An XML document edited in place: every byte that an edit does not name stays as it was, comments,
// quoting, order of attributes, white space and line ends included.
//
// The text is the document; a libxml2 tree over it says what is where. An edit replaces the
// bytes of one value, attribute or element, and the tree is made anew, so that xmlNode pointers
// are good until the next edit only. Edits that would not leave well-formed XML are refused and
// change nothing. Each edit can be undone to the same bytes.
//
// Any one thread at a time.
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

struct document;

// Takes a copy of the text, UTF-8. `what` names it in errors ("the definition of 'web'"). NULL with
// a sentence that names the line: not XML, a document type declaration (no entities are ever
// expanded), another encoding than UTF-8, larger than XML_MOST.
struct document *document_new(const char *text, gssize length, const char *what, GError **error);
void document_free(struct document *document); // takes NULL
static inline void document_freep(struct document **document)
{
	document_free(*document);
}
// Frees it at the end of the scope: `DOCUMENT_AUTO struct document *document = …;`
#define DOCUMENT_AUTO __attribute__((cleanup(document_freep)))

// The text now; borrowed until the next edit, followed by a NUL. length may be NULL.
const char *document_text(const struct document *document, gsize *length);

// The root element; borrowed until the next edit.
xmlNode *document_root(const struct document *document);

// The first element that an XPath names, or NULL; and all of them. Names without a prefix are
// in no namespace. Paths are ours, not the user's: a wrong one is a bug.
xmlNode *document_find(const struct document *document, const char *xpath);
GPtrArray *document_find_all(const struct document *document, const char *xpath); // of xmlNode *

// The 1-based line on which an element begins.
unsigned document_line(const struct document *document, const xmlNode *element);

// Sets an attribute, adding it after the others where it is new. The value is plain text.
bool document_set_attribute(struct document *document, xmlNode *element, const char *name,
	const char *value, GError **error);
// Does nothing where there is no such attribute.
bool document_remove_attribute(
	struct document *document, xmlNode *element, const char *name, GError **error);

// Replaces an element's content by text.
bool document_set_text(
	struct document *document, xmlNode *element, const char *value, GError **error);

// Removes an element, with its line where nothing else stands on it.
bool document_remove(struct document *document, xmlNode *element, GError **error);

// Puts an XML fragment (one element; its lines are indented to fit) into a parent: before
// the child `before`, or after its last element where that is NULL.
bool document_insert(struct document *document, xmlNode *parent, xmlNode *before,
	const char *fragment, GError **error);

// Replaces the whole text, as one edit.
bool document_replace(struct document *document, const char *text, gssize length, GError **error);

// Takes back the newest edit; false where there is none. `document_edits` counts those that can be
// taken back; document_undo_to goes back to an earlier count, for several edits that belong
// together and of which one failed.
bool document_undo(struct document *document);
unsigned document_edits(const struct document *document);
void document_undo_to(struct document *document, unsigned edits);
