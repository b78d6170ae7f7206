// SPDX-License-Identifier: GPL-3.0-or-later
/* <title>, <description> and <metadata> of a definition. */
#include "engine/daemon/definition.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/tree.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define TEXT(string) ((const xmlChar *)(string))

static xmlNode *find_element(xmlNode *root, const char *uri)
{
	xmlNode *metadata = tree_child(root, "metadata");

	for (xmlNode *at = metadata ? metadata->children : NULL; at; at = at->next)
		if (at->type == XML_ELEMENT_NODE && at->ns && uri &&
			g_strcmp0((const char *)at->ns->href, uri) == 0)
			return at;
	return NULL;
}

static xmlNode *find_metadata(xmlNode *root, int type, const char *uri)
{
	switch (type) {
	case VIR_DOMAIN_METADATA_TITLE:
		return tree_child(root, "title");
	case VIR_DOMAIN_METADATA_DESCRIPTION:
		return tree_child(root, "description");
	default:
		return find_element(root, uri);
	}
}

static void leave_namespace(xmlNode *node, const xmlNs *namespace)
{
	if (node->type != XML_ELEMENT_NODE)
		return;
	if (node->ns == namespace)
		node->ns = NULL;
	for (xmlNode *at = node->children; at; at = at->next)
		leave_namespace(at, namespace);
}

/* An element stands alone as what the client gave: without the prefix and the namespace of key. */
static char *print_element(xmlDoc *document, xmlNode *node)
{
	xmlNs *own = node->ns, **at = &node->nsDef;
	char *text;

	leave_namespace(node, own);
	while (*at && *at != own)
		at = &(*at)->next;
	if (*at) {
		*at = own->next;
		own->next = NULL;
		xmlFreeNs(own);
	}
	text = tree_print(node);
	return g_strchomp(text);
}

char *definition_get_metadata(
	const struct definition *definition, int type, const char *uri, GError **error)
{
	g_autoptr(xmlDoc) document = tree_parse(definition->xml);
	xmlNode *node = find_metadata(xmlDocGetRootElement(document), type, uri);
	xmlChar *content;
	char *text;

	if (!node) {
		fault_set(error, VIR_ERR_NO_DOMAIN_METADATA, "%s",
			type == VIR_DOMAIN_METADATA_ELEMENT
				? "Requested metadata element is not present"
				: "Requested metadata is not present");
		return NULL;
	}
	if (type == VIR_DOMAIN_METADATA_ELEMENT)
		return print_element(document, node);
	content = xmlNodeGetContent(node);
	text = g_strdup((const char *)content);
	xmlFree(content);
	return text;
}

static bool add_element(
	xmlNode *root, const char *text, const char *key, const char *uri, GError **error)
{
	g_autoptr(xmlDoc) element = tree_parse(text);
	xmlNode *node, *metadata;

	if (!element || !key || !uri)
		return fault_set(
			error, VIR_ERR_XML_ERROR, "(metadata_xml): this is not an XML element");
	node = xmlDocCopyNode(xmlDocGetRootElement(element), root->doc, 1);
	xmlSetNs(node, xmlNewNs(node, TEXT(uri), TEXT(key)));
	metadata = tree_ensure(root, "metadata",
		(const char *const[]){"description", "title", "genid", "uuid", NULL});
	xmlAddChild(metadata, node);
	return true;
}

bool definition_put_metadata(xmlNode *root, int type, const char *text, const char *key,
	const char *uri, GError **error)
{
	if (type == VIR_DOMAIN_METADATA_TITLE && text && strchr(text, '\n'))
		return fault_set(
			error, VIR_ERR_INVALID_ARG, "Domain title can't contain newlines");
	tree_remove(find_metadata(root, type, uri));
	if (!text || (type != VIR_DOMAIN_METADATA_ELEMENT && !*text))
		return true;
	if (type == VIR_DOMAIN_METADATA_ELEMENT)
		return add_element(root, text, key, uri, error);
	tree_set_text(tree_ensure(root,
			      type == VIR_DOMAIN_METADATA_TITLE ? "title" : "description",
			      (const char *const[]){"title", "uuid", NULL}),
		text);
	return true;
}
