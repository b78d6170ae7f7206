// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>

#include "ui/logview.h"

#define WHEEL_ROWS 3

struct entry {
	char *time, *text, *details;
	enum logview_kind kind;
};

struct logview {
	struct widget w;
	GPtrArray *entries; // struct entry *
	char *empty;
	int cursor, top;
};

static void entry_free(void *data)
{
	struct entry *e = data;

	g_free(e->time);
	g_free(e->text);
	g_free(e->details);
	g_free(e);
}

int logview_count(const struct logview *lv)
{
	return (int)lv->entries->len;
}

bool logview_follows(const struct logview *lv)
{
	return lv->cursor >= logview_count(lv) - 1;
}

static const struct entry *entry_at(const struct logview *lv, int at)
{
	if (at < 0 || at >= logview_count(lv))
		return NULL;
	return g_ptr_array_index(lv->entries, (guint)at);
}

static void drop_oldest(struct logview *lv)
{
	g_ptr_array_remove_index(lv->entries, 0);
	lv->cursor = MAX(0, lv->cursor - 1);
	lv->top = MAX(0, lv->top - 1);
}

void logview_add(struct logview *lv, const char *time, enum logview_kind kind, const char *text,
	const char *details)
{
	bool follows = logview_follows(lv);
	struct entry *e = g_new0(struct entry, 1);

	e->time = g_strdup(time);
	e->text = text_clean(text, false);
	e->details = g_strdup(details);
	e->kind = kind;
	g_ptr_array_add(lv->entries, e);
	if (logview_count(lv) > LOGVIEW_MOST)
		drop_oldest(lv);
	if (follows)
		lv->cursor = logview_count(lv) - 1;
	widget_touch(&lv->w);
}

void logview_clear(struct logview *lv)
{
	if (!lv->entries->len)
		return;
	g_ptr_array_set_size(lv->entries, 0);
	lv->cursor = lv->top = 0;
	widget_touch(&lv->w);
}

const char *logview_text(const struct logview *lv)
{
	const struct entry *e = entry_at(lv, lv->cursor);

	return e ? e->text : NULL;
}

const char *logview_details(const struct logview *lv)
{
	const struct entry *e = entry_at(lv, lv->cursor);

	return e ? e->details : NULL;
}

/* ---- drawing ---- */

static const char *kind_word(enum logview_kind kind)
{
	switch (kind) {
	case LOGVIEW_INFO:
		return _("info");
	case LOGVIEW_GOOD:
		return _("done");
	case LOGVIEW_WARNING:
		return _("warning");
	case LOGVIEW_ERROR:
		break;
	}
	return _("error");
}

static int kind_width(void)
{
	int widest = 0;

	for (enum logview_kind kind = LOGVIEW_INFO; kind <= LOGVIEW_ERROR; kind++)
		widest = MAX(widest, text_width(kind_word(kind)));
	return widest;
}

static enum ui_style kind_style(enum logview_kind kind)
{
	static const enum ui_style styles[] = {
		[LOGVIEW_INFO] = STYLE_TEXT,
		[LOGVIEW_GOOD] = STYLE_GOOD,
		[LOGVIEW_WARNING] = STYLE_WARN,
		[LOGVIEW_ERROR] = STYLE_BAD,
	};

	return styles[kind];
}

static void draw_entry(struct logview *lv, const struct canvas *c, int y, int at)
{
	const struct entry *e = entry_at(lv, at);
	bool here = at == lv->cursor;
	enum ui_style row = !here                        ? STYLE_TEXT
			    : widget_shows_focus(&lv->w) ? STYLE_SELECTED
							 : STYLE_SELECTED_IDLE;
	int word = kind_width();
	int x = 2;

	if (here) {
		canvas_fill(c, 0, y, c->w, 1, row, ' ');
		if (c->look->braille)
			canvas_char(c, 0, y, row, '>');
		else
			canvas_glyph(c, 0, y, row, GLYPH_CLOSED);
	}
	x += canvas_text(c, x, y, here ? row : STYLE_DIM, e->time) + 1;
	canvas_fit(c, x, y, word, TEXT_LEFT, here ? row : kind_style(e->kind), kind_word(e->kind));
	x += word + 1;
	canvas_fit(c, x, y, MAX(0, c->w - x - 2), TEXT_LEFT, row, e->text);
	if (e->details && *e->details)
		canvas_glyph(c, c->w - 2, y, row, GLYPH_ELLIPSIS);
}

static void logview_draw(struct widget *w, const struct canvas *c)
{
	struct logview *lv = (struct logview *)w;
	int page = MAX(1, c->h);

	lv->top = CLAMP(lv->top, lv->cursor - page + 1, lv->cursor);
	lv->top = CLAMP(lv->top, 0, MAX(0, logview_count(lv) - page));
	for (int y = 0; y < c->h && lv->top + y < logview_count(lv); y++)
		draw_entry(lv, c, y, lv->top + y);
	if (lv->top > 0)
		canvas_glyph(c, c->w - 1, 0, STYLE_FRAME, GLYPH_UP);
	if (lv->top + c->h < logview_count(lv))
		canvas_glyph(c, c->w - 1, c->h - 1, STYLE_FRAME, GLYPH_DOWN);
	if (!logview_count(lv) && lv->empty)
		canvas_fit(c, 1, 0, MAX(0, c->w - 1), TEXT_LEFT, STYLE_DIM, lv->empty);
}

static struct ui_size logview_want(struct widget *w, int width)
{
	return (struct ui_size){MIN(width, 76), logview_count((struct logview *)w)};
}

static bool logview_cursor(struct widget *w, int *x, int *y)
{
	struct logview *lv = (struct logview *)w;

	*x = 0;
	*y = lv->cursor - lv->top;
	return false;
}

static bool logview_focusable(const struct widget *w)
{
	return true;
}

/* ---- keys ---- */

static enum ui_result move_to(struct logview *lv, int at)
{
	int before = lv->cursor;

	lv->cursor = CLAMP(at, 0, MAX(0, logview_count(lv) - 1));
	widget_touch(&lv->w);
	return lv->cursor != before ? UI_MOVED : UI_HANDLED;
}

static enum ui_result logview_key(struct widget *w, uint32_t key)
{
	struct logview *lv = (struct logview *)w;
	int page = MAX(1, w->area.h - 1);

	switch (key) {
	case UIK_UP:
		return move_to(lv, lv->cursor - 1);
	case UIK_DOWN:
		return move_to(lv, lv->cursor + 1);
	case UIK_PAGE_UP:
		return move_to(lv, lv->cursor - page);
	case UIK_PAGE_DOWN:
		return move_to(lv, lv->cursor + page);
	case UIK_HOME:
		return move_to(lv, 0);
	case UIK_END:
		return move_to(lv, logview_count(lv) - 1);
	case UIK_ENTER:
		return logview_count(lv) ? UI_ACTIVATED : UI_HANDLED;
	}
	return UI_IGNORED;
}

static enum ui_result logview_mouse(struct widget *w, const struct ui_mouse *m)
{
	struct logview *lv = (struct logview *)w;

	if (m->kind == UI_MOUSE_WHEEL)
		return move_to(lv, lv->cursor + m->wheel * WHEEL_ROWS);
	if (m->button != 1 || !entry_at(lv, lv->top + m->y))
		return UI_IGNORED;
	if (m->kind == UI_MOUSE_PRESS)
		return move_to(lv, lv->top + m->y);
	return m->kind == UI_MOUSE_DOUBLE ? UI_ACTIVATED : UI_IGNORED;
}

static void logview_destroy(struct widget *w)
{
	struct logview *lv = (struct logview *)w;

	g_ptr_array_unref(lv->entries);
	g_free(lv->empty);
}

static const struct widget_ops logview_ops = {
	.name = "logview",
	.draw = logview_draw,
	.want = logview_want,
	.key = logview_key,
	.mouse = logview_mouse,
	.focusable = logview_focusable,
	.cursor = logview_cursor,
	.destroy = logview_destroy,
};

struct logview *logview_new(const char *empty)
{
	struct logview *lv = g_new0(struct logview, 1);

	widget_init(&lv->w, &logview_ops);
	lv->entries = g_ptr_array_new_with_free_func(entry_free);
	lv->empty = g_strdup(empty);
	return lv;
}
