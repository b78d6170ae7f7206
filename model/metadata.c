// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/metadata.h"
#include "model/xml.h"

#include <string.h>

// The texts of all children of that name, empty ones and repetitions left out.
static char **texts(xmlNode *root, const char *name, const char *ns)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autoptr(GHashTable) met = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (xmlNode *node = xml_child(root, name, ns); node; node = xml_next(node, name, ns)) {
		char *text = g_strstrip(xml_text(node));

		if (*text && !g_hash_table_contains(met, text))
			g_strv_builder_add(builder, text);
		g_hash_table_add(met, text);
	}
	return g_strv_builder_end(builder);
}

void metadata_read(xmlNode *root, struct metadata *metadata)
{
	// virDomainGetMetadata gives the element without its namespace, the definition with it.
	const char *ns = root && root->ns ? (const char *)root->ns->href : NULL;
	g_autofree char *notes = xml_text(xml_child(root, "notes", ns));

	metadata->groups = texts(root, "group", ns);
	metadata->tags = texts(root, "tag", ns);
	metadata->notes = notes && *g_strstrip(notes) ? g_steal_pointer(&notes) : NULL;
}

bool metadata_parse(const char *xml, struct metadata *metadata)
{
	xmlDoc *doc = NULL;

	if (xml && strlen(xml) <= METADATA_MOST)
		doc = xml_parse(xml, -1, "metadata", NULL);
	metadata_read(doc ? xmlDocGetRootElement(doc) : NULL, metadata);
	xmlFreeDoc(doc);
	return doc != NULL;
}

static void append(GString *xml, const char *name, const char *text)
{
	g_autofree char *escaped = g_markup_escape_text(text, -1);

	g_string_append_printf(xml, "<%s>%s</%s>", name, escaped, name);
}

char *metadata_write(const struct metadata *metadata)
{
	GString *xml;

	if (!metadata->groups[0] && !metadata->tags[0] && !metadata->notes)
		return NULL;
	xml = g_string_new("<guest>");
	for (unsigned i = 0; metadata->groups[i]; i++)
		append(xml, "group", metadata->groups[i]);
	for (unsigned i = 0; metadata->tags[i]; i++)
		append(xml, "tag", metadata->tags[i]);
	if (metadata->notes)
		append(xml, "notes", metadata->notes);
	g_string_append(xml, "</guest>");
	return g_string_free(xml, FALSE);
}

void metadata_clear(struct metadata *metadata)
{
	g_clear_pointer(&metadata->groups, g_strfreev);
	g_clear_pointer(&metadata->tags, g_strfreev);
	g_clear_pointer(&metadata->notes, g_free);
}
