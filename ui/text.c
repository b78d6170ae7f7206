// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/text.h"

#include <string.h>

int text_char_width(gunichar ch)
{
	if (ch < 0x7f)
		return 1;
	if (g_unichar_iszerowidth(ch))
		return 0;
	return g_unichar_iswide(ch) ? 2 : 1;
}

/// Decodes one character; a bad byte counts as one '?'. Returns the bytes it takes.
static size_t next_char(const char *s, gunichar *ch)
{
	*ch = g_utf8_get_char_validated(s, -1);
	if (*ch == (gunichar)-1 || *ch == (gunichar)-2) {
		*ch = '?';
		return 1;
	}
	return g_utf8_next_char(s) - s;
}

int text_width(const char *s)
{
	int cells = 0;
	gunichar ch;

	while (s && *s) {
		s += next_char(s, &ch);
		cells += text_char_width(ch);
	}
	return cells;
}

size_t text_prefix(const char *s, int cells, int *used)
{
	size_t bytes = 0;
	int width = 0;
	gunichar ch;

	while (s && s[bytes]) {
		size_t n = next_char(s + bytes, &ch);
		int w = text_char_width(ch);

		if (width + w > cells)
			break;
		width += w;
		bytes += n;
	}
	if (used)
		*used = width;
	return bytes;
}

char *text_ellipsis(const char *s, int cells)
{
	if (cells <= 0 || !s)
		return g_strdup("");
	if (text_width(s) <= cells)
		return g_strdup(s);
	return g_strdup_printf("%.*s…", (int)text_prefix(s, cells - 1, NULL), s);
}

char *text_fit(const char *s, int cells, enum text_align align)
{
	g_autofree char *cut = text_ellipsis(s, cells);
	int room = MAX(cells - text_width(cut), 0);
	int before = align == TEXT_RIGHT ? room : align == TEXT_CENTRE ? room / 2 : 0;

	return g_strdup_printf("%*s%s%*s", before, "", cut, room - before, "");
}

char *text_clean(const char *s, bool keep_newlines)
{
	GString *out = g_string_new(NULL);
	int column = 0;
	gunichar ch;

	while (s && *s) {
		s += next_char(s, &ch);
		if (ch == '\n' && keep_newlines) {
			g_string_append_c(out, '\n');
			column = 0;
		} else if (ch == '\t') {
			int n = 8 - column % 8;

			g_string_append_printf(out, "%*s", n, "");
			column += n;
		} else if (g_unichar_type(ch) != G_UNICODE_FORMAT) {
			if (g_unichar_iscntrl(ch) || g_unichar_type(ch) == G_UNICODE_LINE_SEPARATOR)
				ch = '?';
			g_string_append_unichar(out, ch);
			column += text_char_width(ch);
		}
	}
	return g_string_free(out, FALSE);
}

/// Stand-ins of signs; letters come from their decomposition.
static const struct {
	gunichar first, last;
	char ascii;
} folds[] = {
	{ 0x00a0, 0x00a0, ' ' },  { 0x00ab, 0x00ab, '"' },  { 0x00ad, 0x00ad, '-' },
	{ 0x00b0, 0x00b0, 'o' },  { 0x00b5, 0x00b5, 'u' },  { 0x00b7, 0x00b7, '.' },
	{ 0x00bb, 0x00bb, '"' },  { 0x00d7, 0x00d7, 'x' },  { 0x00df, 0x00df, 's' },
	{ 0x00e6, 0x00e6, 'a' },  { 0x00f8, 0x00f8, 'o' },  { 0x03bc, 0x03bc, 'u' },
	{ 0x2010, 0x2015, '-' },  { 0x2018, 0x201a, '\'' }, { 0x201c, 0x201f, '"' },
	{ 0x2022, 0x2022, '*' },  { 0x2026, 0x2026, '~' },  { 0x2039, 0x2039, '<' },
	{ 0x203a, 0x203a, '>' },  { 0x2190, 0x2190, '<' },  { 0x2191, 0x2191, '^' },
	{ 0x2192, 0x2192, '>' },  { 0x2193, 0x2193, 'v' },  { 0x2212, 0x2212, '-' },
	{ 0x2264, 0x2264, '<' },  { 0x2265, 0x2265, '>' },  { 0x2500, 0x2501, '-' },
	{ 0x2502, 0x2503, '|' },  { 0x2504, 0x2505, '-' },  { 0x2506, 0x2507, '|' },
	{ 0x2508, 0x2509, '-' },  { 0x250a, 0x250b, '|' },  { 0x250c, 0x254b, '+' },
	{ 0x2550, 0x2550, '=' },  { 0x2551, 0x2551, '|' },  { 0x2552, 0x256c, '+' },
	{ 0x2581, 0x2583, '_' },  { 0x2584, 0x2588, '#' },  { 0x2589, 0x258c, '#' },
	{ 0x258d, 0x258f, '|' },  { 0x2590, 0x2590, '#' },  { 0x2591, 0x2591, '.' },
	{ 0x2592, 0x2593, ':' },  { 0x2595, 0x2595, '|' },  { 0x25a0, 0x25a0, '#' },
	{ 0x25b2, 0x25b2, '^' },  { 0x25b4, 0x25b4, '^' },  { 0x25b6, 0x25b8, '>' },
	{ 0x25bc, 0x25be, 'v' },  { 0x25c0, 0x25c2, '<' },  { 0x25cf, 0x25cf, '*' },
	{ 0x2713, 0x2714, 'x' },  { 0x2717, 0x2718, '!' },  { 0x2800, 0x2800, ' ' },
	{ 0x2801, 0x28ff, ':' },
};

char text_fold(gunichar ch)
{
	gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];

	if (ch < 0x7f)
		return ch >= ' ' ? (char)ch : '?';
	for (size_t i = 0; i < G_N_ELEMENTS(folds); i++)
		if (ch >= folds[i].first && ch <= folds[i].last)
			return folds[i].ascii;
	if (g_unichar_fully_decompose(ch, TRUE, parts, G_N_ELEMENTS(parts)) > 0 && parts[0] < 0x7f)
		return (char)parts[0];
	return '?';
}

/// Bytes of the first line of at most CELLS cells; *SKIP receives the bytes up to the next line.
static size_t wrap_once(const char *s, int cells, size_t *skip)
{
	size_t fit = text_prefix(s, cells, NULL);
	size_t cut = fit;

	if (!s[fit]) {
		*skip = fit;
		return fit;
	}
	while (cut > 0 && s[cut] != ' ')
		cut--;
	if (cut == 0) { // one long word; a wide character may not fit at all
		*skip = fit ? fit : (size_t)(g_utf8_next_char(s) - s);
		return *skip;
	}
	*skip = cut + strspn(s + cut, " ");
	return cut;
}

char **text_wrap(const char *s, int cells)
{
	g_autofree char *clean = text_clean(s, true);
	g_auto(GStrv) paragraphs = g_strsplit(clean, "\n", -1);
	GStrvBuilder *lines = g_strv_builder_new();
	char **result;

	for (char **p = paragraphs; *p; p++) {
		const char *rest = *p;
		size_t skip;

		do {
			size_t n = wrap_once(rest, MAX(cells, 1), &skip);
			g_autofree char *line = g_strndup(rest, n);

			g_strv_builder_add(lines, g_strchomp(line));
			rest += skip;
		} while (*rest);
	}
	result = g_strv_builder_end(lines);
	g_strv_builder_unref(lines);
	return result;
}
