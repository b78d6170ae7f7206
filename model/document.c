// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/document.h"
#include "model/document_scan.h"
#include "model/error.h"
#include "model/xml.h"

#include <glib/gi18n.h>
#include <libxml/xpath.h>
#include <string.h>

struct document {
	char *what;
	GString *text;
	xmlDoc *tree; // each element's _private is its index in spans.elements, plus one
	struct spans spans;
	GPtrArray *past; // GBytes *: texts before each edit, oldest first
};

// ---- the tree over the text ---------------------------------------------------------------------

static bool refuse_encoding(const xmlDoc *tree, const char *what, GError **error)
{
	const char *encoding = (const char *)tree->encoding;

	if (!encoding || !g_ascii_strcasecmp(encoding, "UTF-8") ||
		!g_ascii_strcasecmp(encoding, "US-ASCII"))
		return true;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
		_("Cannot read %s: its encoding is %s, and only UTF-8 can be edited."), what, encoding);
	return false;
}

// The element after this one in document order, within the whole tree.
static xmlNode *next_element(xmlNode *node)
{
	xmlNode *next = xmlFirstElementChild(node);

	while (!next && node) {
		next = xmlNextElementSibling(node);
		node = node->parent && node->parent->type == XML_ELEMENT_NODE ? node->parent : NULL;
	}
	return next;
}

// Numbers the elements as the scan numbered them. False where the two differ, which
// would be a bug of the scan: no edit is then safe.
static bool number_elements(xmlDoc *tree, const struct spans *spans)
{
	guint count = 0;

	for (xmlNode *node = xmlDocGetRootElement(tree); node; node = next_element(node))
		node->_private = GUINT_TO_POINTER(++count);
	return count == spans->elements->len;
}

// Makes the tree and the spans of a text; both are written on success only.
static bool read_text(const char *what, const char *text, gsize length, xmlDoc **tree,
	struct spans *spans, GError **error)
{
	xmlDoc *new_tree = xml_parse(text, (gssize)length, what, error);
	struct spans new_spans;

	if (!new_tree)
		return false;
	if (!refuse_encoding(new_tree, what, error)) {
		xmlFreeDoc(new_tree);
		return false;
	}
	spans_scan(&new_spans, text, length);
	if (!number_elements(new_tree, &new_spans)) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_FAILED,
			_("Cannot edit %s: its layout is not understood."), what);
		spans_clear(&new_spans);
		xmlFreeDoc(new_tree);
		return false;
	}
	*tree = new_tree;
	*spans = new_spans;
	return true;
}

static const struct span_element *span_of(const struct document *document, const xmlNode *element)
{
	guint number = GPOINTER_TO_UINT(element->_private);

	g_assert(element->type == XML_ELEMENT_NODE && number > 0);
	return &g_array_index(document->spans.elements, struct span_element, number - 1);
}

static const struct span_attribute *attribute_span(
	const struct document *document, const xmlNode *element, const char *name)
{
	const struct span_element *e = span_of(document, element);
	gsize length = strlen(name);

	for (guint i = 0; i < e->attributes; i++) {
		const struct span_attribute *a = &g_array_index(
			document->spans.attributes, struct span_attribute, e->first_attribute + i);

		if (a->name_end - a->name == length &&
			!memcmp(document->text->str + a->name, name, length))
			return a;
	}
	return NULL;
}

// ---- making and reading -------------------------------------------------------------------------

struct document *document_new(const char *text, gssize length, const char *what, GError **error)
{
	gsize size = length < 0 ? strlen(text) : (gsize)length;
	struct spans spans;
	struct document *document;
	xmlDoc *tree;

	if (!read_text(what, text, size, &tree, &spans, error))
		return NULL;
	document = g_new0(struct document, 1);
	document->what = g_strdup(what);
	document->text = g_string_new_len(text, (gssize)size);
	document->tree = tree;
	document->spans = spans;
	document->past = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	return document;
}

void document_free(struct document *document)
{
	if (!document)
		return;
	g_free(document->what);
	g_string_free(document->text, TRUE);
	xmlFreeDoc(document->tree);
	spans_clear(&document->spans);
	g_ptr_array_unref(document->past);
	g_free(document);
}

const char *document_text(const struct document *document, gsize *length)
{
	if (length)
		*length = document->text->len;
	return document->text->str;
}

xmlNode *document_root(const struct document *document)
{
	return xmlDocGetRootElement(document->tree);
}

static void say_nothing(void *data, xmlError *error)
{
}

GPtrArray *document_find_all(const struct document *document, const char *xpath)
{
	GPtrArray *found = g_ptr_array_new();
	xmlXPathContext *context = xmlXPathNewContext(document->tree);
	xmlXPathObject *result;

	context->error = say_nothing;
	result = xmlXPathEvalExpression((const xmlChar *)xpath, context);
	// A name of the document's own may be none for XPath: "a:b" without a namespace a.
	for (int i = 0; result && result->nodesetval && i < result->nodesetval->nodeNr; i++)
		if (result->nodesetval->nodeTab[i]->type == XML_ELEMENT_NODE)
			g_ptr_array_add(found, result->nodesetval->nodeTab[i]);
	xmlXPathFreeObject(result);
	xmlXPathFreeContext(context);
	return found;
}

xmlNode *document_find(const struct document *document, const char *xpath)
{
	g_autoptr(GPtrArray) found = document_find_all(document, xpath);

	return found->len ? found->pdata[0] : NULL;
}

unsigned document_line(const struct document *document, const xmlNode *element)
{
	const char *at = document->text->str, *end = at + span_of(document, element)->open;
	unsigned line = 1;

	while ((at = memchr(at, '\n', (gsize)(end - at)))) {
		line++;
		at++;
	}
	return line;
}

// ---- edits --------------------------------------------------------------------------------------

static void become(struct document *document, GString *text, xmlDoc *tree, struct spans spans)
{
	g_string_free(document->text, TRUE);
	xmlFreeDoc(document->tree);
	spans_clear(&document->spans);
	document->text = text;
	document->tree = tree;
	document->spans = spans;
}

// Every edit ends here: the new text takes the document over if it is well-formed. Takes `text`.
static bool commit(struct document *document, GString *text, GError **error)
{
	struct spans spans;
	xmlDoc *tree;

	if (!read_text(document->what, text->str, text->len, &tree, &spans, error)) {
		g_string_free(text, TRUE);
		return false;
	}
	g_ptr_array_add(
		document->past, g_bytes_new(document->text->str, document->text->len));
	become(document, text, tree, spans);
	return true;
}

// Replaces the bytes [from, to).
static bool splice(
	struct document *document, gsize from, gsize to, const char *bytes, GError **error)
{
	const GString *old = document->text;
	GString *text = g_string_sized_new(old->len + strlen(bytes) + 1);

	g_string_append_len(text, old->str, (gssize)from);
	g_string_append(text, bytes);
	g_string_append_len(text, old->str + to, (gssize)(old->len - to));
	return commit(document, text, error);
}

// Plain text as it stands between `quote`s, or between tags where that is 0.
static char *escape(const char *value, char quote)
{
	GString *out = g_string_new(NULL);

	for (; *value; value++) {
		if (*value == '&')
			g_string_append(out, "&amp;");
		else if (*value == '<')
			g_string_append(out, "&lt;");
		else if (*value == '>' && !quote)
			g_string_append(out, "&gt;");
		else if (quote && *value == quote)
			g_string_append(out, quote == '"' ? "&quot;" : "&apos;");
		else if (*value == '\r' || (quote && (*value == '\n' || *value == '\t')))
			g_string_append_printf(out, "&#%d;", *value);
		else
			g_string_append_c(out, *value);
	}
	return g_string_free(out, FALSE);
}

// The quote of the element's last attribute, else libvirt's own.
static char quote_of(const struct document *document, const struct span_element *e)
{
	if (!e->attributes)
		return '\'';
	return document->text->str[g_array_index(document->spans.attributes, struct span_attribute,
		e->first_attribute + e->attributes - 1)
			.value_end];
}

// Where a new attribute goes: after the last one, else after the name.
static gsize attributes_end(const struct document *document, const struct span_element *e)
{
	if (!e->attributes)
		return e->name_end;
	return g_array_index(document->spans.attributes, struct span_attribute,
		       e->first_attribute + e->attributes - 1)
		       .value_end +
		1;
}

bool document_set_attribute(struct document *document, xmlNode *element, const char *name,
	const char *value, GError **error)
{
	const struct span_element *e = span_of(document, element);
	const struct span_attribute *a = attribute_span(document, element, name);
	g_autofree char *escaped = NULL, *added = NULL;
	char quote;

	if (a) {
		escaped = escape(value, document->text->str[a->value_end]);
		return splice(document, a->value, a->value_end, escaped, error);
	}
	quote = quote_of(document, e);
	escaped = escape(value, quote);
	added = g_strdup_printf(" %s=%c%s%c", name, quote, escaped, quote);
	return splice(document, attributes_end(document, e), attributes_end(document, e), added, error);
}

bool document_remove_attribute(
	struct document *document, xmlNode *element, const char *name, GError **error)
{
	const struct span_attribute *a = attribute_span(document, element, name);

	if (!a)
		return true;
	return splice(document, a->space, a->value_end + 1, "", error);
}

static char *name_of(const struct document *document, const struct span_element *e)
{
	return g_strndup(document->text->str + e->open + 1, e->name_end - e->open - 1);
}

// Gives an element content, opening `<a/>` into `<a>…</a>`.
static bool set_content(struct document *document, const struct span_element *e,
	const char *content, GError **error)
{
	g_autofree char *name = NULL, *opened = NULL;
	gsize slash;

	if (!e->self_closing)
		return splice(document, e->open_end, e->close, content, error);
	name = name_of(document, e);
	opened = g_strdup_printf(">%s</%s>", content, name);
	slash = e->open_end - 2;
	while (slash > e->name_end && g_ascii_isspace(document->text->str[slash - 1]))
		slash--;
	return splice(document, slash, e->open_end, opened, error);
}

bool document_set_text(
	struct document *document, xmlNode *element, const char *value, GError **error)
{
	g_autofree char *escaped = escape(value, 0);

	return set_content(document, span_of(document, element), escaped, error);
}

// The first byte of the line that an offset is on.
static gsize line_start(const char *text, gsize at)
{
	while (at > 0 && text[at - 1] != '\n')
		at--;
	return at;
}

static bool blank(const char *text, gsize from, gsize to)
{
	for (; from < to; from++)
		if (text[from] != ' ' && text[from] != '\t' && text[from] != '\r')
			return false;
	return true;
}

bool document_remove(struct document *document, xmlNode *element, GError **error)
{
	const struct span_element *e = span_of(document, element);
	const char *text = document->text->str;
	gsize from = line_start(text, e->open), to = e->close_end;
	const char *newline = memchr(text + to, '\n', document->text->len - to);

	if (newline && blank(text, from, e->open) && blank(text, to, (gsize)(newline - text)))
		to = (gsize)(newline - text) + 1;
	else
		from = e->open;
	return splice(document, from, to, "", error);
}

// The white space before an element on its line, or NULL where other things stand there.
static char *indent_of(const struct document *document, const struct span_element *e)
{
	const char *text = document->text->str;
	gsize start = line_start(text, e->open);

	return blank(text, start, e->open) ? g_strndup(text + start, e->open - start) : NULL;
}

// How lines end where an element stands.
static const char *line_end(const struct document *document, const struct span_element *e)
{
	const char *newline = strchr(document->text->str + e->open, '\n');

	return newline && newline[-1] == '\r' ? "\r\n" : "\n";
}

// The fragment's lines, each behind `indent`, each ended.
static char *indented(const char *fragment, const char *indent, const char *end)
{
	g_auto(GStrv) lines = g_strsplit(fragment, "\n", -1);
	GString *out = g_string_new(NULL);

	for (char **line = lines; *line; line++)
		if (**line)
			g_string_append_printf(out, "%s%s%s", indent, *line, end);
	return g_string_free(out, FALSE);
}

// Into a parent without child elements: on lines of its own, two deeper than the parent.
static bool insert_first(struct document *document, const struct span_element *parent,
	const char *fragment, GError **error)
{
	const char *end = line_end(document, parent);
	g_autofree char *outer = indent_of(document, parent);
	g_autofree char *indent = g_strconcat(outer ? outer : "", "  ", NULL);
	g_autofree char *lines = indented(fragment, indent, end);
	g_autofree char *content = g_strconcat(end, lines, outer ? outer : "", NULL);

	return set_content(document, parent, content, error);
}

bool document_insert(struct document *document, xmlNode *parent, xmlNode *before,
	const char *fragment, GError **error)
{
	xmlNode *sibling = before ? before : xmlLastElementChild(parent);
	const struct span_element *e;
	g_autofree char *indent = NULL, *lines = NULL;
	const char *newline;
	gsize at;

	if (!sibling)
		return insert_first(document, span_of(document, parent), fragment, error);
	e = span_of(document, sibling);
	indent = indent_of(document, e);
	at = before ? e->open : e->close_end;
	if (!indent)
		return splice(document, at, at, fragment, error);
	lines = indented(fragment, indent, line_end(document, e));
	if (before)
		return splice(document, line_start(document->text->str, at),
			line_start(document->text->str, at), lines, error);
	newline = memchr(document->text->str + at, '\n', document->text->len - at);
	if (!newline || !blank(document->text->str, at, (gsize)(newline - document->text->str)))
		return splice(document, at, at, fragment, error);
	at = (gsize)(newline - document->text->str) + 1;
	return splice(document, at, at, lines, error);
}

bool document_replace(struct document *document, const char *text, gssize length, GError **error)
{
	return commit(document, g_string_new_len(text, length < 0 ? (gssize)strlen(text) : length), error);
}

// ---- undo ---------------------------------------------------------------------------------------

bool document_undo(struct document *document)
{
	struct spans spans;
	xmlDoc *tree;
	GBytes *last;
	gconstpointer text;
	gsize length;
	bool well_formed;

	if (!document->past->len)
		return false;
	last = g_ptr_array_steal_index(document->past, document->past->len - 1);
	text = g_bytes_get_data(last, &length);
	well_formed = read_text(document->what, text ? text : "", length, &tree, &spans, NULL);
	g_assert(well_formed); // it was the document once
	become(document, g_string_new_len(text, (gssize)length), tree, spans);
	g_bytes_unref(last);
	return true;
}

unsigned document_edits(const struct document *document)
{
	return document->past->len;
}

void document_undo_to(struct document *document, unsigned edits)
{
	while (document->past->len > edits)
		document_undo(document);
}
