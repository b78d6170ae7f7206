// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/xml.h"
#include "model/error.h"

#include <glib/gi18n.h>
#include <libxml/parser.h>
#include <string.h>

// libxml2's first error: the later ones follow from it.
struct first_error {
	int line;
	char *message;
};

static void keep_first(void *data, xmlError *error)
{
	struct first_error *first = data;

	if (first->message || error->level < XML_ERR_ERROR)
		return;
	first->line = MAX(error->line, 1);
	first->message = g_strchomp(g_strdup(error->message ? error->message : ""));
}

static xmlDoc *read_text(const char *text, gsize size, struct first_error *first)
{
	xmlParserCtxt *context = xmlNewParserCtxt();
	xmlDoc *doc;

	g_assert(context);
	xmlSetStructuredErrorFunc(first, keep_first); // this thread's alone
	doc = xmlCtxtReadMemory(context, text, (int)size, NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_COMPACT | XML_PARSE_NOWARNING);
	xmlSetStructuredErrorFunc(NULL, NULL);
	xmlFreeParserCtxt(context);
	return doc;
}

unsigned xml_error_line(const char *text)
{
	struct first_error first = {.line = 0};

	xmlFreeDoc(read_text(text, MIN(strlen(text), XML_MOST), &first));
	g_free(first.message);
	return (unsigned)first.line;
}

// A document type is where entities come from, and no libvirt document has one.
static bool refuse_doctype(xmlDoc *doc, const char *what, GError **error)
{
	if (!doc->intSubset)
		return true;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
		_("Cannot read %s: it has a document type declaration, which is refused."), what);
	return false;
}

xmlDoc *xml_parse(const char *text, gssize length, const char *what, GError **error)
{
	gsize size = length < 0 ? strlen(text) : (gsize)length;
	struct first_error first = {.line = 0};
	xmlDoc *doc;

	if (size > XML_MOST) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("Cannot read %s: it is larger than 16 MiB."), what);
		return NULL;
	}
	doc = read_text(text, size, &first);
	if (!doc)
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE, _("Cannot read %s: line %d: %s"), what,
			first.line, first.message ? first.message : "");
	g_free(first.message);
	if (doc && !refuse_doctype(doc, what, error)) {
		xmlFreeDoc(doc);
		return NULL;
	}
	return doc;
}

static bool matches(const xmlNode *node, const char *name, const char *ns)
{
	if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, name))
		return false;
	return g_strcmp0(node->ns ? (const char *)node->ns->href : NULL, ns) == 0;
}

xmlNode *xml_child(xmlNode *node, const char *name, const char *ns)
{
	if (!node)
		return NULL;
	for (xmlNode *child = node->children; child; child = child->next)
		if (matches(child, name, ns))
			return child;
	return NULL;
}

xmlNode *xml_next(xmlNode *node, const char *name, const char *ns)
{
	for (node = node->next; node; node = node->next)
		if (matches(node, name, ns))
			return node;
	return NULL;
}

char *xml_attribute(xmlNode *node, const char *name)
{
	xmlChar *value = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
	char *copy = g_strdup((const char *)value);

	xmlFree(value);
	return copy;
}

char *xml_text(xmlNode *node)
{
	xmlChar *value = node ? xmlNodeGetContent(node) : NULL;
	char *copy = g_strdup((const char *)value);

	xmlFree(value);
	return copy;
}

char *xml_dump(xmlNode *node)
{
	xmlBuffer *buffer = xmlBufferCreate();
	char *text;

	xmlNodeDump(buffer, node->doc, node, 0, 0);
	text = g_strdup((const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	return text;
}
