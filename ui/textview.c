// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ui/textview.h"
#include "ui/xmlcolour.h"

#define SIDE_STEP 8
#define WHEEL_ROWS 3

struct textview {
	struct widget w;
	enum textview_syntax syntax;
	char *source;     // as given, to see whether it differs
	GPtrArray *lines; // char *, clean
	GArray *states;   // enum xml_state at the beginning of each line; only for XML
	int top, left;
	bool typing; // the search is being typed
	GString *search;
	int hit; // line of the current hit, -1 none
};

static const char *line_at(const struct textview *tv, int at)
{
	return g_ptr_array_index(tv->lines, (guint)at);
}

int textview_lines(const struct textview *tv)
{
	return (int)tv->lines->len;
}

int textview_top(const struct textview *tv)
{
	return tv->top;
}

int textview_hit(const struct textview *tv)
{
	return tv->hit;
}

static int page_rows(const struct textview *tv)
{
	return MAX(1, tv->w.area.h);
}

static void clamp_place(struct textview *tv)
{
	tv->top = CLAMP(tv->top, 0, MAX(0, textview_lines(tv) - page_rows(tv)));
	tv->left = MAX(0, tv->left);
}

/* Notes in which state of XML each line begins. */
static void note_states(struct textview *tv)
{
	enum xml_state state = XML_STATE_TEXT;

	g_array_set_size(tv->states, 0);
	if (tv->syntax != TEXTVIEW_XML)
		return;
	for (int i = 0; i < textview_lines(tv); i++) {
		const char *line = line_at(tv, i);
		g_autofree guint8 *parts = g_malloc(strlen(line) + 1);

		g_array_append_val(tv->states, state);
		state = xmlcolour_line(line, state, parts);
	}
}

static void add_lines(struct textview *tv, const char *text)
{
	g_autofree char *clean = text_clean(text, true);
	g_auto(GStrv) parts = g_strsplit(clean, "\n", -1);

	for (int i = 0; parts[i]; i++)
		g_ptr_array_add(tv->lines, g_strdup(parts[i]));
}

void textview_set_text(struct textview *tv, const char *text)
{
	guint last;

	if (g_strcmp0(tv->source, text) == 0)
		return;
	g_free(tv->source);
	tv->source = g_strdup(text);
	g_ptr_array_set_size(tv->lines, 0);
	add_lines(tv, text);
	last = tv->lines->len - 1;
	/* A newline at the end ends the last line and begins none. */
	if (last > 0 && !*line_at(tv, (int)last))
		g_ptr_array_set_size(tv->lines, (int)last);
	note_states(tv);
	tv->hit = -1;
	if (tv->w.area.h)
		clamp_place(tv);
	widget_touch(&tv->w);
}

void textview_append(struct textview *tv, const char *text)
{
	bool at_end = tv->top + page_rows(tv) >= textview_lines(tv);
	g_autofree char *last = NULL;
	g_autofree char *joined = NULL;

	g_clear_pointer(&tv->source, g_free);
	if (tv->lines->len)
		last = g_ptr_array_steal_index(tv->lines, tv->lines->len - 1);
	joined = g_strconcat(last ? last : "", text, NULL);
	add_lines(tv, joined);
	note_states(tv);
	if (at_end)
		tv->top = MAX(0, textview_lines(tv) - page_rows(tv));
	widget_touch(&tv->w);
}

/* ---- search ---- */

/* The first place of `part` in `text` without regard to ASCII case, or NULL. */
static const char *find_folded(const char *text, const char *part)
{
	size_t n = strlen(part);

	for (; *text; text++)
		if (g_ascii_strncasecmp(text, part, n) == 0)
			return text;
	return NULL;
}

static void show_line(struct textview *tv, int line)
{
	int page = page_rows(tv) - (tv->typing ? 1 : 0);

	if (line < tv->top || line >= tv->top + page)
		tv->top = line - page / 3;
	clamp_place(tv);
}

/* Looks from line `from` on, `step` a time, once round. */
static bool find_from(struct textview *tv, int from, int step)
{
	int n = textview_lines(tv);

	tv->hit = -1;
	widget_touch(&tv->w);
	if (!tv->search->len || !n)
		return false;
	for (int i = 0; i < n; i++) {
		int line = ((from + i * step) % n + n) % n;

		if (find_folded(line_at(tv, line), tv->search->str)) {
			tv->hit = line;
			show_line(tv, line);
			return true;
		}
	}
	return false;
}

bool textview_search(struct textview *tv, const char *text)
{
	g_string_assign(tv->search, text ? text : "");
	return find_from(tv, tv->top, 1);
}

bool textview_next(struct textview *tv, bool forward)
{
	int from = tv->hit < 0 ? tv->top : tv->hit + (forward ? 1 : -1);

	return find_from(tv, from, forward ? 1 : -1);
}

/* ---- drawing ---- */

static enum ui_style style_of_part(guint8 part)
{
	static const enum ui_style styles[] = {
		[XML_PART_TEXT] = STYLE_TEXT,
		[XML_PART_MARK] = STYLE_SYNTAX_NAME,
		[XML_PART_NAME] = STYLE_SYNTAX_NAME,
		[XML_PART_ATTRIBUTE] = STYLE_SYNTAX_ATTR,
		[XML_PART_VALUE] = STYLE_SYNTAX_VALUE,
		[XML_PART_COMMENT] = STYLE_SYNTAX_COMMENT,
	};

	return styles[part];
}

static void draw_xml(const struct textview *tv, const struct canvas *c, int y, int at)
{
	const char *line = line_at(tv, at);
	size_t n = strlen(line);
	g_autofree guint8 *parts = g_malloc(n + 1);
	int x = -tv->left;

	xmlcolour_line(line, g_array_index(tv->states, enum xml_state, at), parts);
	for (size_t i = 0, end; i < n; i = end) {
		g_autofree char *run = NULL;

		for (end = i + 1; end < n && parts[end] == parts[i];)
			end++;
		run = g_strndup(line + i, end - i);
		x += canvas_text(c, x, y, style_of_part(parts[i]), run);
	}
}

static enum ui_style diff_style(const char *line)
{
	switch (*line) {
	case '+':
		return STYLE_DIFF_ADD;
	case '-':
		return STYLE_DIFF_DEL;
	case '@':
		return STYLE_HEADING;
	}
	return STYLE_TEXT;
}

static void draw_hits(const struct textview *tv, const struct canvas *c, int y, int at)
{
	const char *line = line_at(tv, at);
	const char *from = line, *found;

	while (tv->search->len && (found = find_folded(from, tv->search->str))) {
		g_autofree char *before = g_strndup(line, (gsize)(found - line));
		g_autofree char *hit = g_strndup(found, tv->search->len);

		canvas_restyle(c, text_width(before) - tv->left, y, text_width(hit), STYLE_MATCH);
		from = found + tv->search->len;
	}
}

static void draw_line(const struct textview *tv, const struct canvas *c, int y, int at)
{
	const char *line = line_at(tv, at);

	switch (tv->syntax) {
	case TEXTVIEW_XML:
		draw_xml(tv, c, y, at);
		break;
	case TEXTVIEW_DIFF:
		canvas_text(c, -tv->left, y, diff_style(line), line);
		break;
	case TEXTVIEW_PLAIN:
		canvas_text(c, -tv->left, y, STYLE_TEXT, line);
		break;
	}
	draw_hits(tv, c, y, at);
}

/* The last line: the search as it is typed, or where in the text we are. */
static void draw_search(const struct textview *tv, const struct canvas *c)
{
	g_autofree char *text = tv->search->len && tv->hit < 0
					? g_strdup_printf(_("/%s  (not found)"), tv->search->str)
					: g_strdup_printf("/%s", tv->search->str);

	canvas_fit(c, 0, c->h - 1, c->w, TEXT_LEFT, STYLE_FIELD_FOCUS, text);
}

static void textview_draw(struct widget *w, const struct canvas *c)
{
	struct textview *tv = (struct textview *)w;

	clamp_place(tv);
	for (int y = 0; y < c->h && tv->top + y < textview_lines(tv); y++)
		draw_line(tv, c, y, tv->top + y);
	if (tv->top > 0)
		canvas_glyph(c, c->w - 1, 0, STYLE_FRAME, GLYPH_UP);
	if (tv->top + c->h < textview_lines(tv))
		canvas_glyph(c, c->w - 1, c->h - 1, STYLE_FRAME, GLYPH_DOWN);
	if (tv->typing)
		draw_search(tv, c);
}

static struct ui_size textview_want(struct widget *w, int width)
{
	struct textview *tv = (struct textview *)w;
	int widest = 20;

	for (int i = 0; i < textview_lines(tv); i++)
		widest = MAX(widest, text_width(line_at(tv, i)));
	return (struct ui_size){MIN(widest + 1, width), textview_lines(tv)};
}

static bool textview_cursor(struct widget *w, int *x, int *y)
{
	struct textview *tv = (struct textview *)w;

	*x = tv->typing ? 1 + text_width(tv->search->str) : 0;
	*y = tv->typing ? w->area.h - 1 : MAX(0, tv->hit - tv->top);
	if (!tv->typing && *y >= w->area.h)
		*y = 0;
	return tv->typing;
}

static bool textview_focusable(const struct widget *w)
{
	return true;
}

/* ---- keys ---- */

static enum ui_result scroll(struct textview *tv, int rows, int cells)
{
	tv->top += rows;
	tv->left += cells;
	clamp_place(tv);
	widget_touch(&tv->w);
	return UI_HANDLED;
}

static enum ui_result type_search(struct textview *tv, uint32_t key)
{
	const char *last;

	switch (key) {
	case UIK_ENTER:
		tv->typing = false;
		break;
	case UIK_ESC:
		tv->typing = false;
		textview_search(tv, NULL);
		break;
	case UIK_BACKSPACE:
		last = g_utf8_find_prev_char(tv->search->str, tv->search->str + tv->search->len);
		g_string_truncate(tv->search, last ? (gsize)(last - tv->search->str) : 0);
		find_from(tv, tv->top, 1);
		break;
	default:
		if (!ui_key_is_text(key))
			return UI_IGNORED;
		g_string_append_unichar(tv->search, key);
		find_from(tv, tv->top, 1);
	}
	widget_touch(&tv->w);
	return UI_CHANGED;
}

static enum ui_result begin_search(struct textview *tv)
{
	tv->typing = true;
	g_string_truncate(tv->search, 0);
	tv->hit = -1;
	widget_touch(&tv->w);
	return UI_CHANGED;
}

static enum ui_result textview_key(struct widget *w, uint32_t key)
{
	struct textview *tv = (struct textview *)w;

	if (tv->typing)
		return type_search(tv, key);
	switch (key) {
	case UIK_UP:
		return scroll(tv, -1, 0);
	case UIK_DOWN:
		return scroll(tv, 1, 0);
	case UIK_PAGE_UP:
		return scroll(tv, 1 - page_rows(tv), 0);
	case UIK_PAGE_DOWN:
	case ' ':
		return scroll(tv, page_rows(tv) - 1, 0);
	case UIK_HOME:
		return scroll(tv, -tv->top, -tv->left);
	case UIK_END:
		return scroll(tv, textview_lines(tv), 0);
	case UIK_LEFT:
		return tv->left ? scroll(tv, 0, -SIDE_STEP) : UI_IGNORED;
	case UIK_RIGHT:
		return scroll(tv, 0, SIDE_STEP);
	case '/':
		return begin_search(tv);
	case 'n':
	case 'N':
		textview_next(tv, key == 'n');
		return UI_CHANGED;
	}
	return UI_IGNORED;
}

static enum ui_result textview_mouse(struct widget *w, const struct ui_mouse *m)
{
	if (m->kind != UI_MOUSE_WHEEL)
		return UI_IGNORED;
	return scroll((struct textview *)w, m->wheel * WHEEL_ROWS, 0);
}

static void textview_focus(struct widget *w, bool in)
{
	if (!in)
		((struct textview *)w)->typing = false;
}

static void textview_destroy(struct widget *w)
{
	struct textview *tv = (struct textview *)w;

	g_ptr_array_unref(tv->lines);
	g_array_unref(tv->states);
	g_string_free(tv->search, TRUE);
	g_free(tv->source);
}

static const struct widget_ops textview_ops = {
	.name = "textview",
	.draw = textview_draw,
	.want = textview_want,
	.key = textview_key,
	.mouse = textview_mouse,
	.focusable = textview_focusable,
	.focus = textview_focus,
	.cursor = textview_cursor,
	.destroy = textview_destroy,
};

struct textview *textview_new(enum textview_syntax syntax)
{
	struct textview *tv = g_new0(struct textview, 1);

	widget_init(&tv->w, &textview_ops);
	tv->syntax = syntax;
	tv->lines = g_ptr_array_new_with_free_func(g_free);
	tv->states = g_array_new(FALSE, FALSE, sizeof(enum xml_state));
	tv->search = g_string_new(NULL);
	tv->hit = -1;
	return tv;
}
