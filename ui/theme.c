// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme.h"

#include <glib/gi18n.h>

#define B ATTR_BOLD
#define R ATTR_REVERSE
#define U ATTR_UNDERLINE
#define D ATTR_DIM

/// A style by its ANSI colours, one with other colours where there are 256, one by attribute alone.
#define C(fg, bg, attr) { fg, bg, -1, -1, attr }
#define X(fg, bg, fg256, bg256, attr) { fg, bg, fg256, bg256, attr }

static const struct theme themes[] = {
{ "yast", N_("YaST: white on blue"), {
	[STYLE_TEXT] = C(7, 4, 0),		[STYLE_TITLE] = C(0, 6, 0),
	[STYLE_FRAME] = C(7, 4, 0),		[STYLE_FRAME_TITLE] = C(15, 4, B),
	[STYLE_FRAME_FOCUS] = C(14, 4, B),	[STYLE_LABEL] = C(7, 4, 0),
	[STYLE_HEADING] = C(14, 4, B),		[STYLE_DIM] = C(6, 4, 0),
	[STYLE_EMPHASIS] = C(15, 4, B),		[STYLE_FIELD] = C(0, 6, 0),
	[STYLE_FIELD_FOCUS] = C(0, 7, 0),	[STYLE_FIELD_OFF] = C(6, 4, 0),
	[STYLE_BUTTON] = C(15, 4, B),		[STYLE_BUTTON_FOCUS] = C(0, 6, 0),
	[STYLE_HOTKEY] = C(11, 4, B),		[STYLE_HOTKEY_FOCUS] = C(4, 6, U),
	[STYLE_SELECTED] = C(0, 6, 0),		[STYLE_SELECTED_IDLE] = C(7, 0, 0),
	[STYLE_MARKED] = C(11, 4, B),		[STYLE_MENU] = C(0, 7, 0),
	[STYLE_MENU_HOTKEY] = C(4, 7, U),	[STYLE_MENU_FOCUS] = C(0, 6, 0),
	[STYLE_KEYBAR_KEY] = C(11, 4, B),	[STYLE_KEYBAR_LABEL] = C(0, 6, 0),
	[STYLE_STATUS] = C(15, 4, B),		[STYLE_BAR_FULL] = C(14, 4, B),
	[STYLE_BAR_EMPTY] = C(6, 4, 0),		[STYLE_GOOD] = C(10, 4, B),
	[STYLE_WARN] = C(11, 4, B),		[STYLE_BAD] = C(15, 1, B),
	[STYLE_INFO] = C(14, 4, B),		[STYLE_MATCH] = C(0, 3, 0),
	[STYLE_SYNTAX_NAME] = C(14, 4, B),	[STYLE_SYNTAX_ATTR] = C(10, 4, B),
	[STYLE_SYNTAX_VALUE] = C(11, 4, B),	[STYLE_SYNTAX_COMMENT] = C(6, 4, 0),
	[STYLE_DIFF_ADD] = C(10, 4, B),		[STYLE_DIFF_DEL] = C(15, 5, B),
	[STYLE_CHART_1] = C(14, 4, B),		[STYLE_CHART_2] = C(10, 4, B),
	[STYLE_CHART_3] = C(11, 4, B),		[STYLE_CHART_4] = C(15, 4, B),
} },
{ "dark", N_("Dark"), {
	[STYLE_TEXT] = X(7, 0, 252, 234, 0),	[STYLE_TITLE] = X(0, 6, 255, 24, 0),
	[STYLE_FRAME] = X(7, 0, 244, 234, 0),	[STYLE_FRAME_TITLE] = X(15, 0, 255, 234, B),
	[STYLE_FRAME_FOCUS] = X(14, 0, 81, 234, B), [STYLE_LABEL] = X(7, 0, 252, 234, 0),
	[STYLE_HEADING] = X(14, 0, 117, 234, B), [STYLE_DIM] = X(6, 0, 244, 234, 0),
	[STYLE_EMPHASIS] = X(15, 0, 231, 234, B), [STYLE_FIELD] = X(0, 7, 255, 238, 0),
	[STYLE_FIELD_FOCUS] = X(0, 6, 16, 81, 0), [STYLE_FIELD_OFF] = X(6, 0, 244, 235, 0),
	[STYLE_BUTTON] = X(15, 0, 255, 234, B),	[STYLE_BUTTON_FOCUS] = X(0, 6, 16, 81, 0),
	[STYLE_HOTKEY] = X(11, 0, 221, 234, B),	[STYLE_HOTKEY_FOCUS] = X(4, 6, 18, 81, U),
	[STYLE_SELECTED] = X(0, 6, 16, 81, 0),	[STYLE_SELECTED_IDLE] = X(0, 7, 255, 239, 0),
	[STYLE_MARKED] = X(11, 0, 221, 234, B),	[STYLE_MENU] = X(0, 7, 252, 237, 0),
	[STYLE_MENU_HOTKEY] = X(4, 7, 221, 237, U), [STYLE_MENU_FOCUS] = X(0, 6, 16, 81, 0),
	[STYLE_KEYBAR_KEY] = X(11, 0, 221, 234, B), [STYLE_KEYBAR_LABEL] = X(0, 6, 255, 24, 0),
	[STYLE_STATUS] = X(15, 0, 231, 234, B),	[STYLE_BAR_FULL] = X(14, 0, 81, 234, 0),
	[STYLE_BAR_EMPTY] = X(6, 0, 242, 234, 0), [STYLE_GOOD] = X(10, 0, 114, 234, 0),
	[STYLE_WARN] = X(11, 0, 221, 234, 0),	[STYLE_BAD] = X(15, 1, 231, 124, B),
	[STYLE_INFO] = X(14, 0, 117, 234, 0),	[STYLE_MATCH] = X(0, 3, 16, 221, 0),
	[STYLE_SYNTAX_NAME] = X(14, 0, 81, 234, 0), [STYLE_SYNTAX_ATTR] = X(10, 0, 114, 234, 0),
	[STYLE_SYNTAX_VALUE] = X(11, 0, 221, 234, 0), [STYLE_SYNTAX_COMMENT] = X(6, 0, 244, 234, 0),
	[STYLE_DIFF_ADD] = X(10, 0, 114, 234, 0), [STYLE_DIFF_DEL] = X(13, 0, 210, 234, 0),
	[STYLE_CHART_1] = X(14, 0, 81, 234, 0),	[STYLE_CHART_2] = X(10, 0, 114, 234, 0),
	[STYLE_CHART_3] = X(11, 0, 221, 234, 0), [STYLE_CHART_4] = X(13, 0, 176, 234, 0),
} },
{ "light", N_("Light"), {
	[STYLE_TEXT] = X(0, 7, 235, 231, 0),	[STYLE_TITLE] = X(15, 4, 231, 25, 0),
	[STYLE_FRAME] = X(0, 7, 243, 231, 0),	[STYLE_FRAME_TITLE] = X(0, 7, 16, 231, B),
	[STYLE_FRAME_FOCUS] = X(4, 7, 25, 231, B), [STYLE_LABEL] = X(0, 7, 235, 231, 0),
	[STYLE_HEADING] = X(4, 7, 25, 231, B),	[STYLE_DIM] = X(8, 7, 243, 231, 0),
	[STYLE_EMPHASIS] = X(0, 7, 16, 231, B),	[STYLE_FIELD] = X(7, 0, 16, 253, 0),
	[STYLE_FIELD_FOCUS] = X(0, 6, 16, 153, 0), [STYLE_FIELD_OFF] = X(8, 7, 243, 255, 0),
	[STYLE_BUTTON] = X(0, 7, 16, 231, B),	[STYLE_BUTTON_FOCUS] = X(15, 4, 231, 25, 0),
	[STYLE_HOTKEY] = X(1, 7, 124, 231, U),	[STYLE_HOTKEY_FOCUS] = X(11, 4, 228, 25, U),
	[STYLE_SELECTED] = X(15, 4, 231, 25, 0), [STYLE_SELECTED_IDLE] = X(7, 0, 16, 252, 0),
	[STYLE_MARKED] = X(1, 7, 124, 231, B),	[STYLE_MENU] = X(0, 6, 16, 254, 0),
	[STYLE_MENU_HOTKEY] = X(4, 6, 124, 254, U), [STYLE_MENU_FOCUS] = X(15, 4, 231, 25, 0),
	[STYLE_KEYBAR_KEY] = X(1, 7, 124, 231, B), [STYLE_KEYBAR_LABEL] = X(15, 4, 231, 25, 0),
	[STYLE_STATUS] = X(0, 7, 16, 231, B),	[STYLE_BAR_FULL] = X(4, 7, 25, 231, 0),
	[STYLE_BAR_EMPTY] = X(8, 7, 245, 231, 0), [STYLE_GOOD] = X(4, 7, 22, 231, 0),
	[STYLE_WARN] = X(1, 7, 94, 231, 0),	[STYLE_BAD] = X(15, 1, 231, 124, B),
	[STYLE_INFO] = X(4, 7, 25, 231, 0),	[STYLE_MATCH] = X(0, 3, 16, 221, 0),
	[STYLE_SYNTAX_NAME] = X(4, 7, 25, 231, 0), [STYLE_SYNTAX_ATTR] = X(1, 7, 22, 231, 0),
	[STYLE_SYNTAX_VALUE] = X(0, 7, 94, 231, 0), [STYLE_SYNTAX_COMMENT] = X(8, 7, 243, 231, 0),
	[STYLE_DIFF_ADD] = X(4, 7, 22, 231, 0),	[STYLE_DIFF_DEL] = X(1, 7, 124, 231, 0),
	[STYLE_CHART_1] = X(4, 7, 25, 231, 0),	[STYLE_CHART_2] = X(1, 7, 124, 231, 0),
	[STYLE_CHART_3] = X(0, 7, 94, 231, 0),	[STYLE_CHART_4] = X(0, 7, 53, 231, 0),
} },
{ "highcontrast", N_("High contrast"), {
	[STYLE_TEXT] = X(15, 0, 231, 16, 0),	[STYLE_TITLE] = X(0, 15, 16, 231, 0),
	[STYLE_FRAME] = X(15, 0, 231, 16, 0),	[STYLE_FRAME_TITLE] = X(15, 0, 231, 16, B),
	[STYLE_FRAME_FOCUS] = X(11, 0, 226, 16, B), [STYLE_LABEL] = X(15, 0, 231, 16, 0),
	[STYLE_HEADING] = X(11, 0, 226, 16, B),	[STYLE_DIM] = X(7, 0, 252, 16, 0),
	[STYLE_EMPHASIS] = X(11, 0, 226, 16, B), [STYLE_FIELD] = X(0, 15, 16, 231, 0),
	[STYLE_FIELD_FOCUS] = X(0, 11, 16, 226, 0), [STYLE_FIELD_OFF] = X(7, 0, 252, 16, 0),
	[STYLE_BUTTON] = X(15, 0, 231, 16, B),	[STYLE_BUTTON_FOCUS] = X(0, 11, 16, 226, 0),
	[STYLE_HOTKEY] = X(11, 0, 226, 16, B | U), [STYLE_HOTKEY_FOCUS] = X(0, 11, 16, 226, U),
	[STYLE_SELECTED] = X(0, 11, 16, 226, 0), [STYLE_SELECTED_IDLE] = X(0, 15, 16, 231, 0),
	[STYLE_MARKED] = X(11, 0, 226, 16, B | U), [STYLE_MENU] = X(0, 15, 16, 231, 0),
	[STYLE_MENU_HOTKEY] = X(0, 15, 16, 231, U), [STYLE_MENU_FOCUS] = X(0, 11, 16, 226, 0),
	[STYLE_KEYBAR_KEY] = X(11, 0, 226, 16, B), [STYLE_KEYBAR_LABEL] = X(0, 15, 16, 231, 0),
	[STYLE_STATUS] = X(15, 0, 231, 16, B),	[STYLE_BAR_FULL] = X(11, 0, 226, 16, 0),
	[STYLE_BAR_EMPTY] = X(7, 0, 252, 16, 0), [STYLE_GOOD] = X(10, 0, 46, 16, B),
	[STYLE_WARN] = X(11, 0, 226, 16, B),	[STYLE_BAD] = X(0, 15, 16, 231, B | U),
	[STYLE_INFO] = X(14, 0, 51, 16, B),	[STYLE_MATCH] = X(0, 14, 16, 51, 0),
	[STYLE_SYNTAX_NAME] = X(14, 0, 51, 16, 0), [STYLE_SYNTAX_ATTR] = X(10, 0, 46, 16, 0),
	[STYLE_SYNTAX_VALUE] = X(11, 0, 226, 16, 0), [STYLE_SYNTAX_COMMENT] = X(7, 0, 252, 16, 0),
	[STYLE_DIFF_ADD] = X(10, 0, 46, 16, B),	[STYLE_DIFF_DEL] = X(15, 0, 231, 16, U),
	[STYLE_CHART_1] = X(11, 0, 226, 16, 0),	[STYLE_CHART_2] = X(14, 0, 51, 16, 0),
	[STYLE_CHART_3] = X(10, 0, 46, 16, 0),	[STYLE_CHART_4] = X(15, 0, 231, 16, 0),
} },
{ "mono", N_("Without colours"), { // the terminal's own colours; the attributes of mono_attr
	[0 ... N_STYLES - 1] = C(-1, -1, 0),
} },
};

/// What stands in for colour.
static const uint8_t mono_attr[N_STYLES] = {
	[STYLE_TITLE] = R,	    [STYLE_FRAME_TITLE] = B,	 [STYLE_FRAME_FOCUS] = B,
	[STYLE_HEADING] = B,	    [STYLE_DIM] = D,		 [STYLE_EMPHASIS] = B,
	[STYLE_FIELD] = U,	    [STYLE_FIELD_FOCUS] = R,	 [STYLE_FIELD_OFF] = D,
	[STYLE_BUTTON_FOCUS] = R,   [STYLE_HOTKEY] = U,		 [STYLE_HOTKEY_FOCUS] = R | U,
	[STYLE_SELECTED] = R,	    [STYLE_SELECTED_IDLE] = B | U, [STYLE_MARKED] = B,
	[STYLE_MENU_HOTKEY] = U,    [STYLE_MENU_FOCUS] = R,	 [STYLE_KEYBAR_KEY] = B,
	[STYLE_KEYBAR_LABEL] = R,   [STYLE_STATUS] = B,		 [STYLE_BAR_FULL] = B,
	[STYLE_WARN] = B,	    [STYLE_BAD] = B | R,	 [STYLE_MATCH] = R,
	[STYLE_SYNTAX_NAME] = B,    [STYLE_SYNTAX_COMMENT] = D,	 [STYLE_DIFF_ADD] = B,
	[STYLE_DIFF_DEL] = U,	    [STYLE_CHART_1] = B,
};

static const char *const style_names[N_STYLES] = {
	[STYLE_TEXT] = "text",
	[STYLE_TITLE] = "title",
	[STYLE_FRAME] = "frame",
	[STYLE_FRAME_TITLE] = "frame-title",
	[STYLE_FRAME_FOCUS] = "frame-focus",
	[STYLE_LABEL] = "label",
	[STYLE_HEADING] = "heading",
	[STYLE_DIM] = "dim",
	[STYLE_EMPHASIS] = "emphasis",
	[STYLE_FIELD] = "field",
	[STYLE_FIELD_FOCUS] = "field-focus",
	[STYLE_FIELD_OFF] = "field-off",
	[STYLE_BUTTON] = "button",
	[STYLE_BUTTON_FOCUS] = "button-focus",
	[STYLE_HOTKEY] = "hotkey",
	[STYLE_HOTKEY_FOCUS] = "hotkey-focus",
	[STYLE_SELECTED] = "selected",
	[STYLE_SELECTED_IDLE] = "selected-idle",
	[STYLE_MARKED] = "marked",
	[STYLE_MENU] = "menu",
	[STYLE_MENU_HOTKEY] = "menu-hotkey",
	[STYLE_MENU_FOCUS] = "menu-focus",
	[STYLE_KEYBAR_KEY] = "keybar-key",
	[STYLE_KEYBAR_LABEL] = "keybar-label",
	[STYLE_STATUS] = "status",
	[STYLE_BAR_FULL] = "bar-full",
	[STYLE_BAR_EMPTY] = "bar-empty",
	[STYLE_GOOD] = "good",
	[STYLE_WARN] = "warn",
	[STYLE_BAD] = "bad",
	[STYLE_INFO] = "info",
	[STYLE_MATCH] = "match",
	[STYLE_SYNTAX_NAME] = "syntax-name",
	[STYLE_SYNTAX_ATTR] = "syntax-attr",
	[STYLE_SYNTAX_VALUE] = "syntax-value",
	[STYLE_SYNTAX_COMMENT] = "syntax-comment",
	[STYLE_DIFF_ADD] = "diff-add",
	[STYLE_DIFF_DEL] = "diff-del",
	[STYLE_CHART_1] = "chart-1",
	[STYLE_CHART_2] = "chart-2",
	[STYLE_CHART_3] = "chart-3",
	[STYLE_CHART_4] = "chart-4",
};

const struct theme *theme_all(size_t *n)
{
	*n = G_N_ELEMENTS(themes);
	return themes;
}

const struct theme *theme_find(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(themes); i++)
		if (g_strcmp0(name, themes[i].name) == 0)
			return &themes[i];
	return NULL;
}

const char *ui_style_name(enum ui_style style)
{
	return style < N_STYLES ? style_names[style] : "";
}

struct theme_cell theme_resolve(const struct theme *t, enum ui_style style, int colors)
{
	const struct theme_style *s = &t->style[style];
	struct theme_cell cell = { s->fg, s->bg, s->attr };

	if (colors < 8 || (s->fg < 0 && s->bg < 0))
		return (struct theme_cell){ -1, -1, mono_attr[style] };
	if (colors >= 256) {
		if (s->fg256 >= 0)
			cell.fg = s->fg256;
		if (s->bg256 >= 0)
			cell.bg = s->bg256;
	} else if (colors < 16) {
		cell.bg &= 7;
		if (cell.fg > 7) {
			cell.fg &= 7;
			cell.attr |= ATTR_BOLD;
		}
	}
	return cell;
}
