// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/hotkey.h"

#include <string.h>

void ui_hotlabel_clear(struct ui_hotlabel *l)
{
	g_clear_pointer(&l->text, g_free);
	*l = (struct ui_hotlabel){ .pos = -1 };
}

void ui_hotlabel_set(struct ui_hotlabel *l, const char *text)
{
	g_autoptr(GString) plain = g_string_new(NULL);

	ui_hotlabel_clear(l);
	for (; text && *text; text = g_utf8_next_char(text)) {
		if (*text == '&' && text[1]) {
			text++;
			if (*text != '&' && !l->wish) {
				l->wish = g_unichar_tolower(g_utf8_get_char(text));
				l->wish_pos = (int)g_utf8_strlen(plain->str, -1);
			}
		}
		g_string_append_unichar(plain, g_utf8_get_char(text));
	}
	l->text = g_string_free(g_steal_pointer(&plain), FALSE);
	l->key = l->wish;
	l->pos = l->wish ? l->wish_pos : -1;
}

static bool taken(struct ui_hotlabel **labels, size_t n, gunichar key)
{
	for (size_t i = 0; i < n; i++)
		if (labels[i]->key == key)
			return true;
	return false;
}

/// Takes the first free letter of the label; with HEADS only those that begin a word.
static bool take_free(struct ui_hotlabel *l, struct ui_hotlabel **labels, size_t n, bool heads)
{
	bool head = true;
	int pos = 0;

	for (const char *s = l->text; s && *s; s = g_utf8_next_char(s), pos++) {
		gunichar ch = g_unichar_tolower(g_utf8_get_char(s));
		bool good = g_unichar_isalnum(ch) && !g_unichar_isdigit(ch);

		if (good && (head || !heads) && !taken(labels, n, ch)) {
			l->key = ch;
			l->pos = pos;
			return true;
		}
		head = !g_unichar_isalnum(ch);
	}
	return false;
}

void ui_hotlabel_resolve(struct ui_hotlabel **labels, size_t n)
{
	for (size_t i = 0; i < n; i++)
		labels[i]->key = 0;
	for (size_t i = 0; i < n; i++) {
		struct ui_hotlabel *l = labels[i];

		if (!l->wish || taken(labels, n, l->wish))
			continue;
		l->key = l->wish;
		l->pos = l->wish_pos;
	}
	for (int heads = 1; heads >= 0; heads--)
		for (size_t i = 0; i < n; i++)
			if (!labels[i]->key && !take_free(labels[i], labels, n, heads))
				labels[i]->pos = -1;
}

int ui_hotlabel_width(const struct ui_hotlabel *l)
{
	return text_width(l->text);
}

int ui_hotlabel_draw(const struct ui_hotlabel *l, const struct canvas *c, int x, int y, int max,
		     enum ui_style style, enum ui_style hot)
{
	g_autofree char *cut = text_ellipsis(l->text, max);
	int width = canvas_text(c, x, y, style, cut);

	if (l->key && l->pos >= 0 && l->pos < g_utf8_strlen(cut, -1)) {
		const char *letter = g_utf8_offset_to_pointer(cut, l->pos);
		g_autofree char *before = g_strndup(cut, (size_t)(letter - cut));
		int at = text_width(before);

		if (g_unichar_tolower(g_utf8_get_char(letter)) == l->key)
			canvas_restyle(c, x + at, y, text_char_width(g_utf8_get_char(letter)), hot);
	}
	return width;
}
