// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "ui/field_private.h"

struct multi {
	struct field field;
	int width, height;
	size_t at;     // cursor, bytes into the text
	int goal;      // the column up and down aim for; -1: where the cursor is
	int top, left; // scrolled by so many lines and cells
};

static void multi_taken(struct field *f)
{
	struct multi *m = (struct multi *)f;

	m->at = MIN(m->at, strlen(f->text));
	while (m->at > 0 && (f->text[m->at] & 0xc0) == 0x80)
		m->at--;
}

static const struct field_kind multi_kind = { .taken = multi_taken };

static size_t line_start(const char *text, size_t at)
{
	while (at > 0 && text[at - 1] != '\n')
		at--;
	return at;
}

static size_t line_end(const char *text, size_t at)
{
	return at + strcspn(text + at, "\n");
}

/// Line and cell of the cursor.
static void position(const struct multi *m, int *line, int *cell)
{
	const char *text = m->field.text;
	size_t start = line_start(text, m->at);
	g_autofree char *before = g_strndup(text + start, m->at - start);

	*line = 0;
	for (size_t i = 0; i < start; i++)
		*line += text[i] == '\n';
	*cell = text_width(before);
}

static void scroll_to_cursor(struct multi *m)
{
	int w = MAX(m->field.widget.area.w, 1), h = MAX(m->field.widget.area.h, 1), line, cell;

	position(m, &line, &cell);
	m->top = CLAMP(m->top, MAX(line - h + 1, 0), line);
	// Some of the line before the cursor is always seen.
	m->left = CLAMP(m->left, MAX(cell - w + 1, 0), MAX(cell - w / 2, 0));
}

static struct ui_size multi_want(struct widget *w, int width)
{
	struct multi *m = (struct multi *)w;

	return (struct ui_size){ m->width, m->height };
}

static void multi_draw(struct widget *w, const struct canvas *c)
{
	struct multi *m = (struct multi *)w;
	g_auto(GStrv) lines = g_strsplit(m->field.text, "\n", -1);
	int n = (int)g_strv_length(lines);
	enum ui_style style = field_style(&m->field);

	scroll_to_cursor(m);
	canvas_clear(c, style);
	for (int y = 0; y < c->h && m->top + y < n; y++)
		canvas_text(c, -m->left, y, style, lines[m->top + y]);
}

static bool multi_cursor(struct widget *w, int *x, int *y)
{
	struct multi *m = (struct multi *)w;

	scroll_to_cursor(m);
	position(m, y, x);
	*x -= m->left;
	*y -= m->top;
	return true;
}

static enum ui_result edit(struct multi *m, size_t from, size_t to, const char *with)
{
	g_autofree char *text =
		g_strdup_printf("%.*s%s%s", (int)from, m->field.text, with, m->field.text + to);

	m->at = from + strlen(with);
	return field_update(&m->field, text);
}

static enum ui_result go(struct multi *m, size_t at)
{
	m->at = at;
	return UI_HANDLED;
}

/// Up or down by one line, in the column the user came from.
static bool step_line(struct multi *m, int direction)
{
	const char *text = m->field.text;
	size_t start = line_start(text, m->at), end = line_end(text, m->at);
	g_autofree char *line = NULL;
	int number, cell;

	if (direction < 0 ? start == 0 : !text[end])
		return false;
	position(m, &number, &cell);
	if (m->goal < 0)
		m->goal = cell;
	start = direction < 0 ? line_start(text, start - 1) : end + 1;
	line = g_strndup(text + start, line_end(text, start) - start);
	m->at = start + text_prefix(line, m->goal, NULL);
	return true;
}

static enum ui_result line_keys(struct multi *m, uint32_t key)
{
	int page = MAX(m->field.widget.area.h - 1, 1);

	switch (key) {
	case UIK_UP:
		return step_line(m, -1) ? UI_HANDLED : UI_IGNORED;
	case UIK_DOWN:
		return step_line(m, 1) ? UI_HANDLED : UI_IGNORED;
	case UIK_PAGE_UP:
	case UIK_PAGE_DOWN:
		while (page-- > 0 && step_line(m, key == UIK_PAGE_UP ? -1 : 1))
			;
		return UI_HANDLED;
	default:
		return UI_IGNORED;
	}
}

static enum ui_result move_keys(struct multi *m, uint32_t key)
{
	const char *text = m->field.text;

	switch (key) {
	case UIK_LEFT:
		return go(m, m->at > 0 ? (size_t)(g_utf8_prev_char(text + m->at) - text) : 0);
	case UIK_RIGHT:
		return go(m, text[m->at] ? (size_t)(g_utf8_next_char(text + m->at) - text) : m->at);
	case UIK_HOME:
	case UIK_CTRL('a'):
		return go(m, line_start(text, m->at));
	case UIK_END:
	case UIK_CTRL('e'):
		return go(m, line_end(text, m->at));
	default:
		return UI_IGNORED;
	}
}

static enum ui_result edit_keys(struct multi *m, uint32_t key)
{
	const char *text = m->field.text;
	size_t end = line_end(text, m->at);
	char letter[8] = "";

	switch (key) {
	case UIK_ENTER:
	case UIK_PASTED | UIK_ENTER:
		return edit(m, m->at, m->at, "\n");
	case UIK_BACKSPACE:
		return m->at ? edit(m, (size_t)(g_utf8_prev_char(text + m->at) - text), m->at, "")
			     : UI_HANDLED;
	case UIK_DELETE:
		return text[m->at]
			       ? edit(m, m->at, (size_t)(g_utf8_next_char(text + m->at) - text), "")
			       : UI_HANDLED;
	case UIK_CTRL('k'):
		return edit(m, m->at, end > m->at || !text[end] ? end : end + 1, "");
	}
	if (!ui_key_is_text(key))
		return UI_IGNORED;
	letter[g_unichar_to_utf8(key, letter)] = '\0';
	return edit(m, m->at, m->at, letter);
}

static enum ui_result multi_key(struct widget *w, uint32_t key)
{
	struct multi *m = (struct multi *)w;
	enum ui_result r = line_keys(m, key);

	if (r != UI_IGNORED || key == UIK_UP || key == UIK_DOWN)
		return r;
	m->goal = -1;
	r = move_keys(m, key);
	return r != UI_IGNORED ? r : edit_keys(m, key);
}

static enum ui_result multi_mouse(struct widget *w, const struct ui_mouse *mouse)
{
	struct multi *m = (struct multi *)w;
	size_t start = 0;
	g_autofree char *line = NULL;

	if (mouse->kind != UI_MOUSE_PRESS)
		return UI_IGNORED;
	for (int i = 0; i < m->top + mouse->y; i++) {
		size_t end = line_end(m->field.text, start);

		if (!m->field.text[end])
			break;
		start = end + 1;
	}
	line = g_strndup(m->field.text + start, line_end(m->field.text, start) - start);
	m->goal = -1;
	return go(m, start + text_prefix(line, m->left + mouse->x, NULL));
}

static bool multi_focusable(const struct widget *w)
{
	return true;
}

static const struct widget_ops multi_ops = {
	.name = "field multi",
	.draw = multi_draw,
	.want = multi_want,
	.key = multi_key,
	.mouse = multi_mouse,
	.focusable = multi_focusable,
	.cursor = multi_cursor,
	.destroy = field_destroy,
	.takes_text = true,
};

struct field *field_multi_new(const char *value, int width, int height)
{
	struct multi *m = g_new0(struct multi, 1);
	g_autofree char *clean = text_clean(value, true);

	field_init(&m->field, &multi_ops, &multi_kind, clean);
	m->width = width;
	m->height = height;
	m->goal = -1;
	return &m->field;
}

void field_multi_go(struct field *f, unsigned line)
{
	struct multi *m = (struct multi *)f;

	for (m->at = 0; line > 1 && f->text[line_end(f->text, m->at)]; line--)
		m->at = line_end(f->text, m->at) + 1;
	m->goal = -1;
	widget_touch(&f->widget);
}
