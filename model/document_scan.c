// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/document_scan.h"

#include <string.h>

struct scan {
	const char *text;
	gsize length, at;
	struct spans *spans;
	GArray *open; // guint: indexes of elements whose end tag is still to come
};

static gboolean is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static gboolean starts(const struct scan *s, const char *with)
{
	gsize n = strlen(with);

	return s->length - s->at >= n && memcmp(s->text + s->at, with, n) == 0;
}

static void skip_past(struct scan *s, const char *end)
{
	const char *found = memmem(s->text + s->at, s->length - s->at, end, strlen(end));

	s->at = found ? (gsize)(found - s->text) + strlen(end) : s->length;
}

static void skip_name(struct scan *s)
{
	while (s->at < s->length && !is_space(s->text[s->at]) && !strchr("=/>", s->text[s->at]))
		s->at++;
}

static void skip_space(struct scan *s)
{
	while (s->at < s->length && is_space(s->text[s->at]))
		s->at++;
}

static gboolean scan_attribute(struct scan *s)
{
	struct span_attribute a = {.space = s->at};
	char quote;

	skip_space(s);
	if (s->at >= s->length || s->text[s->at] == '>' || s->text[s->at] == '/')
		return FALSE;
	a.name = s->at;
	skip_name(s);
	a.name_end = s->at;
	skip_space(s);
	s->at++; // '='
	skip_space(s);
	if (s->at >= s->length)
		return FALSE;
	quote = s->text[s->at++];
	a.value = s->at;
	while (s->at < s->length && s->text[s->at] != quote)
		s->at++;
	a.value_end = s->at;
	s->at = MIN(s->at + 1, s->length);
	g_array_append_val(s->spans->attributes, a);
	return TRUE;
}

static void scan_start_tag(struct scan *s)
{
	struct span_element e = {.open = s->at, .first_attribute = s->spans->attributes->len};
	guint index = s->spans->elements->len;

	s->at++;
	skip_name(s);
	e.name_end = s->at;
	while (scan_attribute(s))
		e.attributes++;
	e.self_closing = s->at < s->length && s->text[s->at] == '/';
	skip_past(s, ">");
	e.open_end = e.close = e.close_end = s->at;
	g_array_append_val(s->spans->elements, e);
	if (!e.self_closing)
		g_array_append_val(s->open, index);
}

static void scan_end_tag(struct scan *s)
{
	gsize close = s->at;
	struct span_element *e;

	skip_past(s, ">");
	if (s->open->len == 0)
		return;
	e = &g_array_index(s->spans->elements, struct span_element,
		g_array_index(s->open, guint, s->open->len - 1));
	e->close = close;
	e->close_end = s->at;
	g_array_set_size(s->open, s->open->len - 1);
}

static void scan_markup(struct scan *s)
{
	if (starts(s, "<!--"))
		skip_past(s, "-->");
	else if (starts(s, "<![CDATA["))
		skip_past(s, "]]>");
	else if (starts(s, "<?"))
		skip_past(s, "?>");
	else if (starts(s, "</"))
		scan_end_tag(s);
	else
		scan_start_tag(s);
}

void spans_scan(struct spans *spans, const char *text, gsize length)
{
	struct scan s = {.text = text, .length = length, .spans = spans};

	spans->elements = g_array_new(FALSE, FALSE, sizeof(struct span_element));
	spans->attributes = g_array_new(FALSE, FALSE, sizeof(struct span_attribute));
	s.open = g_array_new(FALSE, FALSE, sizeof(guint));
	while (s.at < length) {
		const char *next = memchr(text + s.at, '<', length - s.at);

		if (!next)
			break;
		s.at = (gsize)(next - text);
		scan_markup(&s);
	}
	g_array_unref(s.open);
}

void spans_clear(struct spans *spans)
{
	g_clear_pointer(&spans->elements, g_array_unref);
	g_clear_pointer(&spans->attributes, g_array_unref);
}
