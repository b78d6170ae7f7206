// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/schema.h"
#include "model/error.h"
#include "model/xml.h"

#include <glib/gi18n.h>
#include <libxml/relaxng.h>
#include <string.h>

#define SCHEMA_FILE "/usr/share/libvirt/schemas/domain.rng"
#define MOST_PROBLEMS 20

struct schema {
	xmlRelaxNG *rules;
};

static void drop_message(void *data, xmlError *error)
{
}

struct schema *schema_new(const char *file, GError **error)
{
	const char *from = file ? file : SCHEMA_FILE;
	xmlRelaxNGParserCtxt *context = xmlRelaxNGNewParserCtxt(from);
	xmlRelaxNG *rules = NULL;
	struct schema *schema;

	if (context) {
		xmlRelaxNGSetParserStructuredErrors(context, drop_message, NULL);
		rules = xmlRelaxNGParse(context);
		xmlRelaxNGFreeParserCtxt(context);
	}
	if (!rules) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND,
			_("Cannot read libvirt's schema '%s': install the package libvirt0."), from);
		return NULL;
	}
	schema = g_new(struct schema, 1);
	schema->rules = rules;
	return schema;
}

void schema_free(struct schema *schema)
{
	if (!schema)
		return;
	xmlRelaxNGFree(schema->rules);
	g_free(schema);
}

// What libxml2 makes of a document. Of a child of the root that does not fit it tells the name alone.
struct verdict {
	bool holds;
	char *extra;     // the first child of the root that does not fit
	char *missing;   // a child of the root that is needed and not there
	char *attribute; // an attribute of the root that may not be there
};

static void verdict_clear(struct verdict *verdict)
{
	g_free(verdict->extra);
	g_free(verdict->missing);
	g_free(verdict->attribute);
}

#define VERDICT_AUTO __attribute__((cleanup(verdict_clear)))

static void keep(char **where, const char *what)
{
	if (!*where && what)
		*where = g_strdup(what);
}

static void take_error(void *data, xmlError *error)
{
	struct verdict *verdict = data;

	switch (error->code) {
	case XML_RELAXNG_ERR_INTEREXTRA:
		keep(&verdict->extra, error->str1);
		break;
	case XML_RELAXNG_ERR_NOELEM:
		keep(&verdict->missing, error->str1);
		break;
	case XML_RELAXNG_ERR_INVALIDATTR:
		keep(&verdict->attribute, error->str1);
		break;
	}
}

static struct verdict judge(struct schema *schema, xmlDoc *doc)
{
	xmlRelaxNGValidCtxt *context = xmlRelaxNGNewValidCtxt(schema->rules);
	struct verdict verdict = {0};

	xmlRelaxNGSetValidStructuredErrors(context, take_error, &verdict);
	verdict.holds = xmlRelaxNGValidateDoc(context, doc) == 0;
	xmlRelaxNGFreeValidCtxt(context);
	return verdict;
}

// ---- finding the smallest part at fault -----------------------------------------------------------

struct search {
	struct schema *schema;
	xmlDoc *doc; // a copy, from which parts are taken out
	const char *child; // of the root: the one whose fault is looked for
	GPtrArray *problems;
	const struct document *document;
	char *blamed; // the attribute blamed last
};

// Whether that child of the root does not fit as the copy stands.
static bool faulty(struct search *search)
{
	VERDICT_AUTO struct verdict verdict = judge(search->schema, search->doc);

	return !verdict.holds && !g_strcmp0(verdict.extra, search->child);
}

// Takes an element's children out of the copy, and puts them back in order.
static GPtrArray *take_children(xmlNode *element)
{
	GPtrArray *children = g_ptr_array_new();

	while (element->children) {
		g_ptr_array_add(children, element->children);
		xmlUnlinkNode(element->children);
	}
	return children;
}

static void put_children(xmlNode *element, GPtrArray *children)
{
	while (element->children)
		xmlUnlinkNode(element->children);
	for (guint i = 0; i < children->len; i++)
		xmlAddChild(element, children->pdata[i]);
	g_ptr_array_unref(children);
}

static char *element_path(const xmlNode *element)
{
	GString *path = g_string_new((const char *)element->name);

	for (element = element->parent; element && element->type == XML_ELEMENT_NODE;
		element = element->parent) {
		g_string_prepend_c(path, '/');
		g_string_prepend(path, (const char *)element->name);
	}
	return g_string_free(path, FALSE);
}

static int problem_compare(gconstpointer a, gconstpointer b)
{
	const struct schema_problem *const *x = a, *const *y = b;

	return (*x)->line < (*y)->line ? -1 : (*x)->line > (*y)->line;
}

static void problem_free(struct schema_problem *problem)
{
	g_free(problem->element);
	g_free(problem->sentence);
	g_free(problem);
}

// Takes `what` over: the sentence without its line.
static void add_problem(struct search *search, const xmlNode *element, char *what)
{
	struct schema_problem *problem = g_new0(struct schema_problem, 1);

	// The copy's elements carry the numbers of the document's (see document.h).
	problem->line = document_line(search->document, element);
	problem->element = element_path(element);
	problem->sentence = g_strdup_printf(_("Line %u: %s"), problem->line, what);
	g_free(what);
	g_ptr_array_add(search->problems, problem);
}

// An attribute without which the rest holds.
static bool blame_attribute(struct search *search, xmlNode *element)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	for (const xmlAttr *attribute = element->properties; attribute; attribute = attribute->next)
		if (!attribute->ns)
			g_ptr_array_add(names, g_strdup((const char *)attribute->name));
	for (guint i = 0; i < names->len; i++) {
		const xmlChar *name = names->pdata[i];
		g_autofree char *value = xml_attribute(element, names->pdata[i]);
		bool fault;

		xmlUnsetProp(element, name);
		fault = !faulty(search);
		xmlSetProp(element, name, (const xmlChar *)value);
		if (!fault)
			continue;
		add_problem(search, element,
			g_strdup_printf(_("<%s> cannot have the attribute %s='%s'."), element->name, name,
				value));
		g_free(search->blamed);
		search->blamed = g_strdup((const char *)name);
		return true;
	}
	return false;
}

// "<serial type='ptx'>": the start tag, so that a wrong value is seen.
static char *start_tag(xmlNode *element)
{
	GString *tag = g_string_new("<");

	g_string_append(tag, (const char *)element->name);
	for (const xmlAttr *attribute = element->properties; attribute; attribute = attribute->next) {
		g_autofree char *value = xml_attribute(element, (const char *)attribute->name);

		if (value && tag->len + strlen(value) < 100)
			g_string_append_printf(tag, " %s='%s'", attribute->name, value);
	}
	g_string_append_c(tag, '>');
	return g_string_free(tag, FALSE);
}

// The sentence for an element of which no smaller part is at fault.
static char *element_sentence(xmlNode *element)
{
	g_autofree char *tag = start_tag(element);
	g_autofree char *text = NULL;

	if (!xmlFirstElementChild(element))
		text = xml_text(element);
	if (text && *g_strstrip(text) && strlen(text) <= 60)
		return g_strdup_printf(_("%s is not allowed here, or '%s' is not a value for it."), tag, text);
	return g_strdup_printf(
		_("%s is not allowed here, or something it needs is missing."), tag);
}

static void blame(struct search *search, xmlNode *element);

// Where an element holds without children, if need be without an attribute as well, which then is
// taken out for good: each child that alone spoils it is at fault.
static bool blame_each(struct search *search, xmlNode *element)
{
	GPtrArray *children = take_children(element);
	bool any = false;

	if (faulty(search)) {
		any = blame_attribute(search, element);
		if (!any) {
			put_children(element, children);
			return false;
		}
		xmlUnsetProp(element, (const xmlChar *)search->blamed);
	}
	for (guint i = 0; i < children->len; i++) {
		xmlNode *child = children->pdata[i];

		if (child->type != XML_ELEMENT_NODE || search->problems->len >= MOST_PROBLEMS)
			continue;
		xmlAddChild(element, child);
		if (faulty(search)) {
			blame(search, child);
			any = true;
		}
		xmlUnlinkNode(child);
	}
	put_children(element, children);
	return any;
}

// Where it needs some of them: the one without which it holds.
static bool blame_one(struct search *search, xmlNode *element)
{
	for (xmlNode *child = xmlFirstElementChild(element), *next; child; child = next) {
		bool fault;
		xmlNode *after = child->next;

		xmlUnlinkNode(child);
		fault = !faulty(search);
		if (after)
			xmlAddPrevSibling(after, child);
		else
			xmlAddChild(element, child);
		if (fault) {
			blame(search, child);
			return true;
		}
		next = xmlNextElementSibling(child);
	}
	return false;
}

// Tells the smallest parts at fault in an element of which at least one is.
static void blame(struct search *search, xmlNode *element)
{
	if (xmlFirstElementChild(element) &&
		(blame_each(search, element) || blame_one(search, element)))
		return;
	if (!blame_attribute(search, element))
		add_problem(search, element, element_sentence(element));
}

// What every definition has.
static bool is_basic(const xmlNode *child)
{
	static const char *const names[] = {"name", "memory", "os", NULL};

	return g_strv_contains(names, (const char *)child->name);
}

// Where libxml2 names nothing: the children of the root that alone spoil what every definition has.
// They are taken out; false where there are none.
static bool blame_strangers(struct search *search, xmlNode *root)
{
	g_autoptr(GPtrArray) rest = g_ptr_array_new();
	bool any = false;

	for (xmlNode *child = xmlFirstElementChild(root), *next; child; child = next) {
		next = xmlNextElementSibling(child);
		if (is_basic(child))
			continue;
		g_ptr_array_add(rest, child);
		xmlUnlinkNode(child);
	}
	VERDICT_AUTO struct verdict basics = judge(search->schema, search->doc);

	for (guint i = 0; i < rest->len; i++) {
		xmlNode *child = xmlAddChild(root, rest->pdata[i]);
		VERDICT_AUTO struct verdict verdict = judge(search->schema, search->doc);

		bool fault = basics.holds && !verdict.holds && !verdict.extra;

		if (fault)
			add_problem(search, child, element_sentence(child));
		xmlUnlinkNode(child);
		if (!fault)
			continue;
		rest->pdata[i] = NULL;
		xmlFreeNode(child);
		any = true;
	}
	for (guint i = 0; i < rest->len; i++)
		if (rest->pdata[i])
			xmlAddChild(root, rest->pdata[i]);
	return any;
}

// The root itself: false when there is no going on after that.
static bool blame_root(struct search *search, xmlNode *root, const struct verdict *verdict)
{
	if (verdict->attribute) {
		add_problem(search, root, g_strdup_printf(_("<%s> cannot have the attribute '%s'."),
						  root->name, verdict->attribute));
		return xmlUnsetProp(root, (const xmlChar *)verdict->attribute) == 0;
	}
	if (verdict->missing)
		add_problem(search, root,
			g_strdup_printf(_("<%s> needs an element <%s>."), root->name, verdict->missing));
	else if (blame_strangers(search, root))
		return true;
	else
		add_problem(search, root,
			g_strdup_printf(_("<%s> is not a definition that libvirt knows, or its type is "
					  "missing or unknown."),
				root->name));
	return false;
}

// One child of the root, which then is taken out.
static bool blame_child(struct search *search, xmlNode *root, const char *name)
{
	xmlNode *child = xmlFirstElementChild(root);

	while (child && strcmp((const char *)child->name, name))
		child = xmlNextElementSibling(child);
	if (!child)
		return false;
	search->child = name;
	blame(search, child);
	xmlUnlinkNode(child);
	xmlFreeNode(child);
	return true;
}

// Numbers a copy's elements as the document's own are, so that lines can be told.
static void copy_numbers(xmlNode *to, xmlNode *from)
{
	to->_private = from->_private;
	to = xmlFirstElementChild(to);
	for (from = xmlFirstElementChild(from); from; from = xmlNextElementSibling(from)) {
		copy_numbers(to, from);
		to = xmlNextElementSibling(to);
	}
}

GPtrArray *schema_check(struct schema *schema, const struct document *document)
{
	xmlNode *root = document_root(document);
	struct search search = {.schema = schema, .document = document};

	search.problems = g_ptr_array_new_with_free_func((GDestroyNotify)problem_free);
	search.doc = xmlCopyDoc(root->doc, 1);
	copy_numbers(xmlDocGetRootElement(search.doc), root);
	root = xmlDocGetRootElement(search.doc);
	while (search.problems->len < MOST_PROBLEMS) {
		VERDICT_AUTO struct verdict verdict = judge(schema, search.doc);

		// What was taken out above must not be called missing.
		if (verdict.holds || (search.problems->len && !verdict.extra && !verdict.attribute))
			break;
		if (verdict.extra ? !blame_child(&search, root, verdict.extra) :
				    !blame_root(&search, root, &verdict))
			break;
	}
	xmlFreeDoc(search.doc);
	g_free(search.blamed);
	g_ptr_array_sort(search.problems, problem_compare);
	return search.problems;
}
