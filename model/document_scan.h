// SPDX-License-Identifier: GPL-3.0-or-later
// Where the elements of an XML text lie, to the byte. For model/document.c alone.
#pragma once

#include <glib.h>

// One attribute: offsets of bytes into the text.
struct span_attribute {
	gsize space; // first byte of the white space before the name
	gsize name, name_end;
	gsize value, value_end; // inside the quotes
};

// One element.
struct span_element {
	gsize open, name_end;  // '<', and the end of its name
	gsize open_end;        // after the '>' of the start tag
	gsize close, close_end; // '<' of the end tag, and after its '>'; both open_end where self-closing
	gboolean self_closing;
	guint first_attribute, attributes; // in the array of attributes
};

struct spans {
	GArray *elements;   // struct span_element, in document order
	GArray *attributes; // struct span_attribute, in document order
};

// Scans text that libxml2 has found well-formed, without a document type declaration; the order of
// elements is that of its tree. Free with spans_clear().
void spans_scan(struct spans *spans, const char *text, gsize length);
void spans_clear(struct spans *spans);
