// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <glib.h>

// Tells the parts of XML apart for colouring, a line at a time. It is no parser: any bytes are
// taken, and what is not well-formed is coloured as far as it makes sense.

enum xml_part {
	XML_PART_TEXT,
	XML_PART_MARK,      // < > / = ? and the quotes' surroundings
	XML_PART_NAME,      // an element's name
	XML_PART_ATTRIBUTE, // an attribute's name
	XML_PART_VALUE,     // a quoted value with its quotes
	XML_PART_COMMENT,   // a comment or CDATA section
};

/// Where the previous line ended. Start with XML_STATE_TEXT.
enum xml_state {
	XML_STATE_TEXT,
	XML_STATE_TAG,
	XML_STATE_SINGLE,  // in a 'value'
	XML_STATE_DOUBLE,  // in a "value"
	XML_STATE_COMMENT, // in <!-- -->
	XML_STATE_CDATA,
};

/// Writes one enum xml_part for each of the strlen(line) bytes of `line` to `parts`, and returns
/// the state at its end, to be given with the next line.
enum xml_state xmlcolour_line(const char *line, enum xml_state state, guint8 *parts);
