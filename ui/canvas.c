// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/canvas.h"

#include <curses.h>
#include <wchar.h>

static const struct {
	gunichar utf8;
	char ascii;
} glyphs[N_GLYPHS] = {
	[GLYPH_HLINE] = { 0x2500, '-' },	[GLYPH_VLINE] = { 0x2502, '|' },
	[GLYPH_TOP_LEFT] = { 0x250c, '+' },	[GLYPH_TOP_RIGHT] = { 0x2510, '+' },
	[GLYPH_BOTTOM_LEFT] = { 0x2514, '+' },	[GLYPH_BOTTOM_RIGHT] = { 0x2518, '+' },
	[GLYPH_TEE_LEFT] = { 0x251c, '+' },	[GLYPH_TEE_RIGHT] = { 0x2524, '+' },
	[GLYPH_TEE_TOP] = { 0x252c, '+' },	[GLYPH_TEE_BOTTOM] = { 0x2534, '+' },
	[GLYPH_CROSS] = { 0x253c, '+' },	[GLYPH_OPEN] = { 0x25be, 'v' },
	[GLYPH_CLOSED] = { 0x25b8, '>' },	[GLYPH_UP] = { 0x25b2, '^' },
	[GLYPH_DOWN] = { 0x25bc, 'v' },		[GLYPH_LEFT] = { 0x25c2, '<' },
	[GLYPH_RIGHT] = { 0x25b8, '>' },	[GLYPH_FULL] = { 0x2588, '#' },
	[GLYPH_SHADE] = { 0x2591, '.' },	[GLYPH_BAR_BEGIN] = { 0x2595, '[' },
	[GLYPH_BAR_END] = { 0x258f, ']' },	[GLYPH_CHECK] = { 0x2713, 'x' },
	[GLYPH_CROSSED] = { 0x2717, '!' },	[GLYPH_BULLET] = { 0x2022, '*' },
	[GLYPH_ELLIPSIS] = { 0x2026, '~' },
};

gunichar ui_glyph_char(const struct ui_look *look, enum ui_glyph g)
{
	return look->utf8 ? glyphs[g].utf8 : (gunichar)glyphs[g].ascii;
}

static struct ui_rect intersect(struct ui_rect a, struct ui_rect b)
{
	int x = MAX(a.x, b.x), y = MAX(a.y, b.y);
	int right = MIN(a.x + a.w, b.x + b.w), bottom = MIN(a.y + a.h, b.y + b.h);

	return (struct ui_rect){ x, y, MAX(right - x, 0), MAX(bottom - y, 0) };
}

struct canvas canvas_sub(const struct canvas *c, int x, int y, int w, int h)
{
	struct canvas sub = *c;

	sub.x = c->x + x;
	sub.y = c->y + y;
	sub.w = MAX(w, 0);
	sub.h = MAX(h, 0);
	sub.clip = intersect(c->clip, (struct ui_rect){ sub.x, sub.y, sub.w, sub.h });
	return sub;
}

/// Whether the cells X … X+W-1 (on the screen) of line Y are inside.
static bool inside(const struct canvas *c, int x, int y, int w)
{
	return y >= c->clip.y && y < c->clip.y + c->clip.h && x >= c->clip.x &&
	       x + w <= c->clip.x + c->clip.w;
}

static void put(const struct canvas *c, int x, int y, enum ui_style style, const wchar_t *text)
{
	cchar_t cell;

	setcchar(&cell, text, (attr_t)c->look->attr[style], c->look->pair[style], NULL);
	mvwadd_wch(c->win, y, x, &cell);
}

/// One character with its combining marks (ended by 0) of WIDTH cells, at screen coordinates.
static void put_char(
	const struct canvas *c, int x, int y, int width, enum ui_style style, const wchar_t *text)
{
	wchar_t plain[2] = { L' ', 0 };
	bool whole = inside(c, x, y, width);

	if (whole && !c->look->utf8)
		plain[0] = (wchar_t)text_fold((gunichar)text[0]);
	else if (whole && wcwidth(text[0]) != width)
		plain[0] = L'?'; // curses and we would disagree about where the next cell is
	else if (whole) {
		put(c, x, y, style, text);
		return;
	}
	for (int i = 0; i < width; i++)
		if (inside(c, x + i, y, 1))
			put(c, x + i, y, style, plain);
}

int canvas_text(const struct canvas *c, int x, int y, enum ui_style style, const char *text)
{
	g_autofree char *clean = NULL;
	int at = c->x + x;
	const char *s;

	if (!text || c->y + y < c->clip.y || c->y + y >= c->clip.y + c->clip.h)
		return text_width(text);
	clean = text_clean(text, false);
	for (s = clean; *s;) {
		wchar_t cell[5] = { (wchar_t)g_utf8_get_char(s), 0 };
		int width = text_char_width((gunichar)cell[0]);
		size_t marks = 0;

		s = g_utf8_next_char(s);
		for (; *s && text_char_width(g_utf8_get_char(s)) == 0; s = g_utf8_next_char(s))
			if (marks < 3)
				cell[++marks] = (wchar_t)g_utf8_get_char(s);
		if (width > 0)
			put_char(c, at, c->y + y, width, style, cell);
		at += width;
	}
	return at - c->x - x;
}

int canvas_printf(
	const struct canvas *c, int x, int y, enum ui_style style, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	return canvas_text(c, x, y, style, text);
}

void canvas_fit(const struct canvas *c, int x, int y, int width, enum text_align align,
	enum ui_style style, const char *text)
{
	g_autofree char *clean = text_clean(text, false);
	g_autofree char *fit = text_fit(clean, width, align);

	canvas_text(c, x, y, style, fit);
}

int canvas_char(const struct canvas *c, int x, int y, enum ui_style style, gunichar ch)
{
	wchar_t cell[2] = { (wchar_t)(g_unichar_isprint(ch) ? ch : '?'), 0 };
	int width = text_char_width((gunichar)cell[0]);

	if (width > 0)
		put_char(c, c->x + x, c->y + y, width, style, cell);
	return width;
}

void canvas_glyph(const struct canvas *c, int x, int y, enum ui_style style, enum ui_glyph g)
{
	canvas_char(c, x, y, style, ui_glyph_char(c->look, g));
}

void canvas_clear(const struct canvas *c, enum ui_style style)
{
	canvas_fill(c, 0, 0, c->w, c->h, style, ' ');
}

void canvas_fill(
	const struct canvas *c, int x, int y, int w, int h, enum ui_style style, gunichar ch)
{
	struct ui_rect r = intersect(c->clip, (struct ui_rect){ c->x + x, c->y + y, w, h });
	wchar_t text[2] = { (wchar_t)ch, 0 };

	for (int row = r.y; row < r.y + r.h; row++)
		for (int col = r.x; col < r.x + r.w; col++)
			put_char(c, col, row, 1, style, text);
}

void canvas_hline(const struct canvas *c, int x, int y, int w, enum ui_style style)
{
	canvas_fill(c, x, y, w, 1, style, ui_glyph_char(c->look, GLYPH_HLINE));
}

void canvas_vline(const struct canvas *c, int x, int y, int h, enum ui_style style)
{
	canvas_fill(c, x, y, 1, h, style, ui_glyph_char(c->look, GLYPH_VLINE));
}

void canvas_box(const struct canvas *c, int x, int y, int w, int h, enum ui_style style,
	const char *title, enum ui_style title_style)
{
	int right = x + w - 1, bottom = y + h - 1;

	if (w < 2 || h < 2)
		return;
	canvas_hline(c, x, y, w, style);
	canvas_hline(c, x, bottom, w, style);
	canvas_vline(c, x, y, h, style);
	canvas_vline(c, right, y, h, style);
	canvas_glyph(c, x, y, style, GLYPH_TOP_LEFT);
	canvas_glyph(c, right, y, style, GLYPH_TOP_RIGHT);
	canvas_glyph(c, x, bottom, style, GLYPH_BOTTOM_LEFT);
	canvas_glyph(c, right, bottom, style, GLYPH_BOTTOM_RIGHT);
	if (title && *title) {
		g_autofree char *cut = text_ellipsis(title, w - 2);

		canvas_text(c, x + 1, y, title_style, cut);
	}
}

void canvas_bar(const struct canvas *c, int x, int y, int w, double fraction, enum ui_style full,
		enum ui_style empty)
{
	int eighths = (int)(CLAMP(fraction, 0.0, 1.0) * w * 8 + 0.5);
	int cells = c->look->utf8 ? eighths / 8 : (eighths + 4) / 8;

	canvas_fill(c, x, y, w, 1, empty, ui_glyph_char(c->look, GLYPH_SHADE));
	canvas_fill(c, x, y, cells, 1, full, ui_glyph_char(c->look, GLYPH_FULL));
	if (c->look->utf8 && eighths % 8) // ▏▎▍▌▋▊▉ are U+258F down to U+2589
		canvas_char(c, x + cells, y, full, 0x2590 - (gunichar)(eighths % 8));
}

void canvas_restyle(const struct canvas *c, int x, int y, int w, enum ui_style style)
{
	struct ui_rect r = intersect(c->clip, (struct ui_rect){ c->x + x, c->y + y, w, 1 });

	if (r.w > 0 && r.h > 0)
		mvwchgat(c->win, r.y, r.x, r.w, (attr_t)c->look->attr[style], c->look->pair[style],
			NULL);
}
