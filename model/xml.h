// SPDX-License-Identifier: GPL-3.0-or-later
// XML from outside, read without trust: no network, no files, no entities expanded, bounded size.
// Any thread.
#pragma once

#include <glib.h>
#include <libxml/tree.h>

// The largest document read, in bytes.
#define XML_MOST (16 * 1024 * 1024)

// Parses text; NULL with a sentence that names the line. `what` names the document in it ("the
// definition of 'web'"). Free with xmlFreeDoc.
xmlDoc *xml_parse(const char *text, gssize length, const char *what, GError **error);

// The first child element of that name in that namespace (NULL: in none), or NULL; NULL when node
// is NULL.
xmlNode *xml_child(xmlNode *node, const char *name, const char *ns);

// The next sibling element of that name.
xmlNode *xml_next(xmlNode *node, const char *name, const char *ns);

// An attribute's value, or an element's whole text; NULL when missing. Caller frees with g_free.
char *xml_attribute(xmlNode *node, const char *name);
char *xml_text(xmlNode *node);

// An element as it is written, with all that is in it. Caller frees with g_free.
char *xml_dump(xmlNode *node);

// The 1-based line on which a text stops being well-formed; 0 where it is. libxml2's first error.
unsigned xml_error_line(const char *text);
