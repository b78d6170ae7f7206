// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/tree.h"

#include <libxml/parser.h>
#include <string.h>

#define TEXT(string) ((const xmlChar *)(string))

xmlDoc *tree_parse(const char *text)
{
	return xmlReadMemory(text, (int)strlen(text), NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS |
			XML_PARSE_NOCDATA);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put_escaped(GString *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			g_string_append(out, "&amp;");
			break;
		case '<':
			g_string_append(out, "&lt;");
			break;
		case '>':
			g_string_append(out, "&gt;");
			break;
		case '\'':
			g_string_append(out, "&apos;");
			break;
		case '"':
			g_string_append(out, "&quot;");
			break;
		case '\r':
			g_string_append(out, "&#xD;");
			break;
		default:
			g_string_append_c(out, *text);
		}
	}
}

static void put_attributes(GString *out, const xmlNode *node)
{
	for (const xmlAttr *at = node->properties; at; at = at->next) {
		xmlChar *value = xmlNodeListGetString(node->doc, at->children, 1);

		g_string_append_printf(out, " %s='", (const char *)at->name);
		if (value)
			put_escaped(out, (const char *)value);
		g_string_append_c(out, '\'');
		xmlFree(value);
	}
}

static bool has_elements(const xmlNode *node)
{
	for (const xmlNode *at = node->children; at; at = at->next)
		if (at->type == XML_ELEMENT_NODE)
			return true;
	return false;
}

/* What others have put there, and may want back as it was. */
static void put_foreign(GString *out, xmlNode *node, int depth)
{
	xmlBuffer *buffer = xmlBufferCreate();

	g_assert(buffer);
	xmlNodeDump(buffer, node->doc, node, depth, 1);
	g_string_append(out, (const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
}

static void put_node(GString *out, xmlNode *node, int depth);

static void put_children(GString *out, const xmlNode *node, int depth)
{
	g_string_append(out, ">\n");
	for (xmlNode *at = node->children; at; at = at->next)
		if (at->type == XML_ELEMENT_NODE)
			put_node(out, at, depth + 1);
	g_string_append_printf(out, "%*s</%s>\n", depth * 2, "", (const char *)node->name);
}

static void put_node(GString *out, xmlNode *node, int depth)
{
	g_autofree char *text = NULL;

	g_string_append_printf(out, "%*s", depth * 2, "");
	if (node->ns || (node->parent && tree_is(node->parent, "metadata"))) {
		put_foreign(out, node, depth);
		g_string_append_c(out, '\n');
		return;
	}
	g_string_append_printf(out, "<%s", (const char *)node->name);
	put_attributes(out, node);
	if (has_elements(node)) {
		put_children(out, node, depth);
		return;
	}
	text = tree_text(node);
	if (*text) {
		g_string_append_c(out, '>');
		put_escaped(out, text);
		g_string_append_printf(out, "</%s>\n", (const char *)node->name);
	} else {
		g_string_append(out, "/>\n");
	}
}

char *tree_print(xmlNode *node)
{
	GString *out = g_string_sized_new(4096);

	put_node(out, node, 0);
	return g_string_free(out, FALSE);
}

/* ---- looking --------------------------------------------------------------------------------- */

bool tree_is(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && !node->ns &&
	       strcmp((const char *)node->name, name) == 0;
}

xmlNode *tree_child(const xmlNode *node, const char *name)
{
	for (xmlNode *at = node ? node->children : NULL; at; at = at->next)
		if (tree_is(at, name))
			return at;
	return NULL;
}

xmlNode *tree_next(const xmlNode *node, const char *name)
{
	for (xmlNode *at = node->next; at; at = at->next)
		if (tree_is(at, name))
			return at;
	return NULL;
}

char *tree_attribute(const xmlNode *node, const char *name)
{
	xmlChar *value = node ? xmlGetNoNsProp(node, TEXT(name)) : NULL;
	char *copy = g_strdup((const char *)value);

	xmlFree(value);
	return copy;
}

char *tree_text(const xmlNode *node)
{
	xmlChar *value = node ? xmlNodeGetContent(node) : NULL;
	char *copy = node ? g_strdup(value ? (const char *)value : "") : NULL;

	xmlFree(value);
	return copy;
}

char *tree_child_attribute(const xmlNode *node, const char *element, const char *name)
{
	return tree_attribute(tree_child(node, element), name);
}

bool tree_attribute_is(const xmlNode *node, const char *name, const char *value)
{
	g_autofree char *have = tree_attribute(node, name);

	return g_strcmp0(have, value) == 0;
}

static uint64_t to_number(const char *text, uint64_t otherwise)
{
	guint64 value;

	return text && g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &value, NULL)
		       ? value
		       : otherwise;
}

uint64_t tree_number(const xmlNode *node, const char *name, uint64_t otherwise)
{
	g_autofree char *text = tree_attribute(node, name);

	return to_number(text, otherwise);
}

uint64_t tree_text_number(const xmlNode *node, uint64_t otherwise)
{
	g_autofree char *text = tree_text(node);

	return to_number(text ? g_strstrip(text) : NULL, otherwise);
}

/* ---- changing -------------------------------------------------------------------------------- */

xmlNode *tree_add(xmlNode *parent, const char *name)
{
	return xmlAddChild(parent, xmlNewDocNode(parent->doc, NULL, TEXT(name), NULL));
}

xmlNode *tree_ensure(xmlNode *parent, const char *name, const char *const behind[])
{
	xmlNode *node = tree_child(parent, name), *place = NULL;

	if (node)
		return node;
	for (; *behind && !place; behind++)
		place = tree_child(parent, *behind);
	if (!place)
		return tree_add(parent, name);
	return xmlAddNextSibling(place, xmlNewDocNode(parent->doc, NULL, TEXT(name), NULL));
}

void tree_remove(xmlNode *node)
{
	if (!node)
		return;
	xmlUnlinkNode(node);
	xmlFreeNode(node);
}

void tree_take_child(xmlNode *node, const xmlNode *other, const char *name, const char *before)
{
	const xmlNode *child = tree_child(other, name);
	xmlNode *next, *copy;

	tree_remove(tree_child(node, name));
	if (!child)
		return;
	copy = xmlDocCopyNode((xmlNode *)child, node->doc, 1);
	next = tree_child(node, before);
	if (next)
		xmlAddPrevSibling(next, copy);
	else
		xmlAddChild(node, copy);
}

static char *print_without(const xmlNode *node, const char *const names[])
{
	g_autoptr(xmlDoc) document = xmlNewDoc(NULL);
	xmlNode *copy = xmlDocCopyNode((xmlNode *)node, document, 1);

	xmlDocSetRootElement(document, copy);
	for (const char *const *name = names; *name; name++) {
		tree_remove(tree_child(copy, *name));
		tree_set(copy, *name, NULL);
	}
	return tree_print(copy);
}

bool tree_same_without(const xmlNode *a, const xmlNode *b, const char *const names[])
{
	g_autofree char *one = print_without(a, names), *other = print_without(b, names);

	return strcmp(one, other) == 0;
}

void tree_set(xmlNode *node, const char *name, const char *value)
{
	if (value)
		xmlSetProp(node, TEXT(name), TEXT(value));
	else
		xmlUnsetProp(node, TEXT(name));
}

void tree_set_number(xmlNode *node, const char *name, uint64_t value)
{
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

	tree_set(node, name, text);
}

void tree_set_text(xmlNode *node, const char *text)
{
	xmlNodeSetContent(node, NULL);
	xmlNodeAddContent(node, TEXT(text));
}

void tree_set_text_number(xmlNode *node, uint64_t value)
{
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

	tree_set_text(node, text);
}
