// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/list.h"

#include <string.h>

#include "ui/app.h"

/// Letters typed within this time make one word to jump to.
#define JUMP_US (G_USEC_PER_SEC)

struct entry {
	struct ui_hotlabel label;
	char *right;
	bool off, line;
};

struct list {
	struct widget widget;
	enum list_flags flags;
	GArray *entries; // of struct entry
	int cursor;	 // -1 while there is no item to stand on
	int top;
	char *jump;
	gint64 jump_us;
};

static struct entry *entry(const struct list *l, int i)
{
	return &g_array_index(l->entries, struct entry, i);
}

static int length(const struct list *l)
{
	return (int)l->entries->len;
}

static bool standable(const struct list *l, int i)
{
	return i >= 0 && i < length(l) && !entry(l, i)->off && !entry(l, i)->line;
}

/// The nearest item to stand on from I on, first in the direction of STEP, else the other way.
static int nearest(const struct list *l, int i, int step)
{
	int start = CLAMP(i, 0, MAX(length(l) - 1, 0));

	for (i = start; i >= 0 && i < length(l); i += step)
		if (standable(l, i))
			return i;
	for (i = start; i >= 0 && i < length(l); i -= step)
		if (standable(l, i))
			return i;
	return -1;
}

static void scroll_to_cursor(struct list *l)
{
	int h = l->widget.area.h;

	if (h <= 0)
		return; // not laid out yet
	if (l->cursor >= 0 && l->cursor < l->top)
		l->top = l->cursor;
	if (l->cursor >= l->top + h)
		l->top = l->cursor - h + 1;
	l->top = CLAMP(l->top, 0, MAX(length(l) - h, 0));
}

static enum ui_result move_to(struct list *l, int i, int step)
{
	int was = l->cursor;

	if (l->flags & LIST_STATIC) {
		l->top = CLAMP(i, 0, MAX(length(l) - l->widget.area.h, 0));
		return UI_HANDLED;
	}
	l->cursor = nearest(l, i, step);
	scroll_to_cursor(l);
	return l->cursor == was ? UI_HANDLED : UI_MOVED;
}

static struct ui_size list_want(struct widget *w, int width)
{
	struct list *l = (struct list *)w;
	int most = 4;

	for (int i = 0; i < length(l); i++) {
		int right = text_width(entry(l, i)->right);

		most = MAX(
			most, ui_hotlabel_width(&entry(l, i)->label) + 2 + (right ? right + 2 : 0));
	}
	return (struct ui_size){ most, MAX(length(l), 1) };
}

static void draw_entry(struct list *l, const struct canvas *c, int i, int y)
{
	struct entry *e = entry(l, i);
	bool menu = l->flags & LIST_MENU;
	bool here = i == l->cursor && !(l->flags & LIST_STATIC);
	enum ui_style style = menu ? STYLE_MENU : STYLE_TEXT,
		      hot = menu ? STYLE_MENU_HOTKEY : STYLE_HOTKEY;

	if (here && l->widget.focused) {
		style = menu ? STYLE_MENU_FOCUS : STYLE_SELECTED;
		hot = STYLE_HOTKEY_FOCUS;
	} else if (here) {
		style = STYLE_SELECTED_IDLE;
	} else if (e->off || l->widget.disabled) {
		style = menu ? STYLE_MENU : STYLE_DIM;
	}
	canvas_fill(c, 0, y, c->w, 1, style, ' ');
	if (e->line) {
		canvas_hline(c, 0, y, c->w, style);
		return;
	}
	if (here && c->look->braille)
		canvas_text(c, 0, y, style, ">");
	if (e->off)
		canvas_text(c, 0, y, style, "-"); // greyed, but not by colour alone
	ui_hotlabel_draw(&e->label, c, 1, y, c->w - 2, style, menu && !e->off ? hot : style);
	if (e->right)
		canvas_text(c, c->w - 1 - text_width(e->right), y, style, e->right);
}

static void list_draw(struct widget *w, const struct canvas *c)
{
	struct list *l = (struct list *)w;

	if (l->flags & LIST_MENU)
		canvas_clear(c, STYLE_MENU);
	scroll_to_cursor(l);
	for (int y = 0; y < c->h && l->top + y < length(l); y++)
		draw_entry(l, c, l->top + y, y);
	if (l->top > 0)
		canvas_glyph(c, c->w - 1, 0, STYLE_TEXT, GLYPH_UP);
	if (l->top + c->h < length(l))
		canvas_glyph(c, c->w - 1, c->h - 1, STYLE_TEXT, GLYPH_DOWN);
}

/// Jumps to the next line that begins with what was typed in quick succession.
static enum ui_result jump(struct list *l, uint32_t key)
{
	gint64 now = g_get_monotonic_time();
	char letter[8] = "";
	g_autofree char *sought = NULL, *joined = NULL;
	int start = MAX(l->cursor, 0);

	letter[g_unichar_to_utf8(key, letter)] = '\0';
	joined = g_strconcat(now - l->jump_us < JUMP_US && l->jump ? l->jump : "", letter, NULL);
	if (joined && g_utf8_strlen(joined, -1) == 1)
		start++;
	l->jump_us = now;
	g_free(l->jump);
	l->jump = g_strdup(joined);
	sought = g_utf8_casefold(joined, -1);
	for (int n = 0; n < length(l); n++) {
		int i = (start + n) % length(l);
		g_autofree char *text =
			g_utf8_casefold(entry(l, i)->label.text ? entry(l, i)->label.text : "", -1);

		if (standable(l, i) && g_str_has_prefix(text, sought))
			return move_to(l, i, 1);
	}
	return UI_HANDLED;
}

static enum ui_result list_key(struct widget *w, uint32_t key)
{
	struct list *l = (struct list *)w;
	bool fixed = l->flags & LIST_STATIC;
	int at = fixed ? l->top : l->cursor, page = MAX(w->area.h - 1, 1);

	switch (key) {
	case UIK_UP:
		return at <= 0 && !(l->flags & LIST_MENU) ? UI_IGNORED : move_to(l, at - 1, -1);
	case UIK_DOWN:
		return at >= length(l) - (fixed ? w->area.h : 1) && !(l->flags & LIST_MENU) ?
			       UI_IGNORED : move_to(l, at + 1, 1);
	case UIK_PAGE_UP:
		return move_to(l, at - page, -1);
	case UIK_PAGE_DOWN:
		return move_to(l, at + page, 1);
	case UIK_HOME:
		return move_to(l, 0, 1);
	case UIK_END:
		return move_to(l, length(l) - 1, -1);
	case UIK_ENTER:
		return !fixed && l->cursor >= 0 ? UI_ACTIVATED : UI_IGNORED;
	}
	if (ui_key_is_text(key) && l->flags == LIST_PLAIN && length(l) > 0)
		return jump(l, key);
	return UI_IGNORED;
}

static enum ui_result list_mouse(struct widget *w, const struct ui_mouse *m)
{
	struct list *l = (struct list *)w;
	int i = l->top + m->y;
	enum ui_result r;

	if (m->kind == UI_MOUSE_WHEEL)
		return move_to(
			l, (l->flags & LIST_STATIC ? l->top : l->cursor) + m->wheel, m->wheel);
	if (m->button != 1 || (l->flags & LIST_STATIC) || !standable(l, i))
		return UI_HANDLED;
	if (m->kind == UI_MOUSE_RELEASE)
		return l->flags & LIST_MENU && m->x >= 0 && m->x < w->area.w ? UI_ACTIVATED
									     : UI_HANDLED;
	r = move_to(l, i, 1);
	return m->kind == UI_MOUSE_DOUBLE ? UI_ACTIVATED : r;
}

static bool list_focusable(const struct widget *w)
{
	const struct list *l = (const struct list *)w;

	return l->flags & LIST_STATIC ? length(l) > w->area.h : l->cursor >= 0;
}

static bool list_cursor_at(struct widget *w, int *x, int *y)
{
	struct list *l = (struct list *)w;

	*x = 0;
	*y = l->flags & LIST_STATIC ? 0 : l->cursor - l->top;
	return false;
}

static struct ui_hotlabel *list_hotlabel(struct widget *w, size_t i)
{
	struct list *l = (struct list *)w;

	return l->flags & LIST_MENU && i < l->entries->len ? &entry(l, (int)i)->label : NULL;
}

static enum ui_result list_hotkey(struct widget *w, size_t i)
{
	struct list *l = (struct list *)w;

	if (!standable(l, (int)i))
		return UI_HANDLED;
	l->cursor = (int)i;
	return UI_ACTIVATED;
}

static void clear_entry(void *p)
{
	struct entry *e = p;

	ui_hotlabel_clear(&e->label);
	g_free(e->right);
}

static void list_destroy(struct widget *w)
{
	struct list *l = (struct list *)w;

	g_array_unref(l->entries);
	g_free(l->jump);
}

static const struct widget_ops list_ops = {
	.name = "list",
	.draw = list_draw,
	.want = list_want,
	.key = list_key,
	.mouse = list_mouse,
	.focusable = list_focusable,
	.cursor = list_cursor_at,
	.hotlabel = list_hotlabel,
	.hotkey = list_hotkey,
	.destroy = list_destroy,
};

struct list *list_new(enum list_flags flags)
{
	struct list *l = g_new0(struct list, 1);

	widget_init(&l->widget, &list_ops);
	l->flags = flags;
	l->cursor = -1;
	l->entries = g_array_new(FALSE, TRUE, sizeof(struct entry));
	g_array_set_clear_func(l->entries, clear_entry);
	return l;
}

void list_set(struct list *l, const struct list_item *items, size_t n)
{
	g_array_set_size(l->entries, 0);
	for (size_t i = 0; i < n; i++) {
		struct entry e = {.right = g_strdup(items[i].right),
			.off = items[i].off,
			.line = !items[i].text};

		e.label.pos = -1;
		if (l->flags & LIST_MENU)
			ui_hotlabel_set(&e.label, items[i].text);
		else
			e.label.text = g_strdup(items[i].text);
		g_array_append_val(l->entries, e);
	}
	l->cursor = nearest(l, MAX(l->cursor, 0), 1);
	scroll_to_cursor(l);
	widget_relayout(&l->widget);
}

void list_set_strv(struct list *l, const char *const *texts)
{
	g_autoptr(GArray) items = g_array_new(FALSE, TRUE, sizeof(struct list_item));

	for (; texts && *texts; texts++) {
		struct list_item item = { .text = *texts };

		g_array_append_val(items, item);
	}
	list_set(l, (struct list_item *)(void *)items->data, items->len);
}

int list_cursor(const struct list *l)
{
	return l->cursor;
}

void list_set_cursor(struct list *l, int index)
{
	l->cursor = nearest(l, index, 1);
	widget_touch(&l->widget);
}

size_t list_length(const struct list *l)
{
	return l->entries->len;
}
