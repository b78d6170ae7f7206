// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Trees of definitions: reading, looking into and changing libxml2's nodes, and writing them as
 * libvirt does. Only elements without a namespace are seen by names. Any thread, one at a time for
 * one tree.
 */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>
#include <stdint.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/* NULL: this is not XML. Nothing outside of the text is looked at. */
xmlDoc *tree_parse(const char *text);
/* As libvirt writes it: indented by two, single quotes, without comments; what stands in <metadata>
 * is left as it is. Ends by a line feed. Free with g_free(). */
char *tree_print(xmlNode *node);

bool tree_is(const xmlNode *node, const char *name);
/* The first child of this name, and the next sibling; NULL: none. NULL has no children. */
xmlNode *tree_child(const xmlNode *node, const char *name);
xmlNode *tree_next(const xmlNode *node, const char *name);
/* The child of this name; where it is missing, a new one behind the first of those named that is
 * there, or at the end. behind is ended by NULL. */
xmlNode *tree_ensure(xmlNode *parent, const char *name, const char *const behind[]);
/* A new last child. */
xmlNode *tree_add(xmlNode *parent, const char *name);
/* Takes it out and frees it; NULL: nothing. */
void tree_remove(xmlNode *node);
/* Replaces the child by a copy of the other node's, or by none where that has none; it comes before
 * the child of the name before, or to the end. */
void tree_take_child(xmlNode *node, const xmlNode *other, const char *name, const char *before);
/* Are both the same but for the children and attributes of these names (ended by NULL)? */
bool tree_same_without(const xmlNode *a, const xmlNode *b, const char *const names[]);

/* Free with g_free(); NULL where it is missing. */
char *tree_attribute(const xmlNode *node, const char *name);
char *tree_text(const xmlNode *node);
/* The attribute of the node's child. */
char *tree_child_attribute(const xmlNode *node, const char *element, const char *name);
bool tree_attribute_is(const xmlNode *node, const char *name, const char *value);
/* A decimal number, without a sign; missing or wrong: otherwise. */
uint64_t tree_number(const xmlNode *node, const char *name, uint64_t otherwise);
uint64_t tree_text_number(const xmlNode *node, uint64_t otherwise);

/* value NULL: takes the attribute away. */
void tree_set(xmlNode *node, const char *name, const char *value);
void tree_set_number(xmlNode *node, const char *name, uint64_t value);
void tree_set_text(xmlNode *node, const char *text);
void tree_set_text_number(xmlNode *node, uint64_t value);
