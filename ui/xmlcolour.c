// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <string.h>

#include "ui/xmlcolour.h"

/* Reading position in one line. */
struct scan {
	const char *line;
	guint8 *parts;
	size_t at;
	enum xml_state state;
};

/* Gives the next `n` bytes to `part`. */
static void take(struct scan *s, size_t n, enum xml_part part)
{
	memset(s->parts + s->at, part, n);
	s->at += n;
}

/* Takes all up to and with `end`, where the state falls back to `after`; else the whole rest. */
static void take_until(struct scan *s, const char *end, enum xml_part part, enum xml_state after)
{
	const char *here = s->line + s->at;
	const char *found = strstr(here, end);

	if (!found) {
		take(s, strlen(here), part);
		return;
	}
	take(s, (size_t)(found - here) + strlen(end), part);
	s->state = after;
}

static size_t name_length(const char *text)
{
	return strcspn(text, " \t<>/=?\"'");
}

static void scan_text(struct scan *s)
{
	const char *here = s->line + s->at;

	if (*here != '<') {
		take(s, strcspn(here, "<"), XML_PART_TEXT);
	} else if (g_str_has_prefix(here, "<!--")) {
		take(s, 4, XML_PART_COMMENT);
		s->state = XML_STATE_COMMENT;
	} else if (g_str_has_prefix(here, "<![CDATA[")) {
		take(s, 9, XML_PART_COMMENT);
		s->state = XML_STATE_CDATA;
	} else {
		take(s, 1 + strspn(here + 1, "/?!"), XML_PART_MARK);
		take(s, name_length(s->line + s->at), XML_PART_NAME);
		s->state = XML_STATE_TAG;
	}
}

static void scan_tag(struct scan *s)
{
	const char *here = s->line + s->at;
	size_t name = name_length(here);

	if (name) {
		take(s, name, XML_PART_ATTRIBUTE);
		return;
	}
	if (*here == '\'' || *here == '"')
		s->state = *here == '"' ? XML_STATE_DOUBLE : XML_STATE_SINGLE;
	else if (*here == '>')
		s->state = XML_STATE_TEXT;
	else if (*here == '<') {
		/* Not well-formed: a tag that was never closed. */
		s->state = XML_STATE_TEXT;
		return;
	}
	take(s, 1, *here == '\'' || *here == '"' ? XML_PART_VALUE : XML_PART_MARK);
}

enum xml_state xmlcolour_line(const char *line, enum xml_state state, guint8 *parts)
{
	struct scan s = {.line = line, .parts = parts, .state = state};

	while (line[s.at]) {
		switch (s.state) {
		case XML_STATE_TEXT:
			scan_text(&s);
			break;
		case XML_STATE_TAG:
			scan_tag(&s);
			break;
		case XML_STATE_SINGLE:
			take_until(&s, "'", XML_PART_VALUE, XML_STATE_TAG);
			break;
		case XML_STATE_DOUBLE:
			take_until(&s, "\"", XML_PART_VALUE, XML_STATE_TAG);
			break;
		case XML_STATE_COMMENT:
			take_until(&s, "-->", XML_PART_COMMENT, XML_STATE_TEXT);
			break;
		case XML_STATE_CDATA:
			take_until(&s, "]]>", XML_PART_COMMENT, XML_STATE_TEXT);
			break;
		}
	}
	return s.state;
}
