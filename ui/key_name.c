// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/key.h"

#include <string.h>

static const struct {
	const char *name;
	uint32_t key;
} names[] = { // the first name of a key is the one shown
	{ "Up", UIK_UP },	      { "Down", UIK_DOWN },	      { "Left", UIK_LEFT },
	{ "Right", UIK_RIGHT },	      { "Home", UIK_HOME },	      { "End", UIK_END },
	{ "PageUp", UIK_PAGE_UP },    { "PageDown", UIK_PAGE_DOWN },  { "Insert", UIK_INSERT },
	{ "Delete", UIK_DELETE },     { "Backspace", UIK_BACKSPACE }, { "Tab", UIK_TAB },
	{ "Enter", UIK_ENTER },	      { "Esc", UIK_ESC },	      { "Space", ' ' },
	{ "PPage", UIK_PAGE_UP },     { "NPage", UIK_PAGE_DOWN },     { "IC", UIK_INSERT },
	{ "DC", UIK_DELETE },	      { "BSpace", UIK_BACKSPACE },    { "Escape", UIK_ESC },
	{ "BTab", UIK_SHIFT | UIK_TAB },
};

static const struct {
	const char *prefix;
	uint32_t mod;
} mods[] = {
	{ "Ctrl-", UIK_CTRL_BIT }, { "Alt-", UIK_ALT }, { "Shift-", UIK_SHIFT },
	{ "C-", UIK_CTRL_BIT },	   { "M-", UIK_ALT },	{ "S-", UIK_SHIFT },
};

bool ui_key_is_text(uint32_t key)
{
	return key >= ' ' && key != 0x7f && key < UIK_SPECIAL && g_unichar_validate(key) &&
	       !g_unichar_iscntrl(key);
}

int ui_key_f(uint32_t key)
{
	return key > UIK_F0 && key <= UIK_F24 ? (int)(key - UIK_F0) : 0;
}

const char *ui_key_name(uint32_t key)
{
	g_autoptr(GString) out = g_string_new(NULL);
	uint32_t base = key & ~UIK_MODS;

	for (size_t i = 0; i < 3; i++)
		if (key & mods[i].mod)
			g_string_append(out, mods[i].prefix);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (names[i].key == base) {
			g_string_append(out, names[i].name);
			return g_intern_string(out->str);
		}
	if (ui_key_f(base))
		g_string_append_printf(out, "F%d", ui_key_f(base));
	else if (ui_key_is_text(base))
		g_string_append_unichar(out, base);
	return g_intern_string(out->str);
}

static uint32_t base_from_name(const char *name)
{
	guint64 f;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!g_ascii_strcasecmp(names[i].name, name))
			return names[i].key;
	if (g_ascii_toupper(name[0]) == 'F' &&
		g_ascii_string_to_unsigned(name + 1, 10, 1, 24, &f, NULL))
		return UIK_F((uint32_t)f);
	if (*name && g_utf8_validate(name, -1, NULL) && g_utf8_strlen(name, -1) == 1)
		return g_utf8_get_char(name);
	return UIK_NONE;
}

uint32_t ui_key_from_name(const char *name)
{
	uint32_t found = 0, base;
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < G_N_ELEMENTS(mods) && !again; i++) {
			size_t n = strlen(mods[i].prefix);

			if (g_ascii_strncasecmp(name, mods[i].prefix, n) || !name[n])
				continue;
			found |= mods[i].mod;
			name += n;
			again = true;
		}
	}
	base = base_from_name(name);
	if (base == UIK_NONE)
		return UIK_NONE;
	if ((found & UIK_CTRL_BIT) && base < 0x80)
		base = g_ascii_tolower((char)base);
	return found | base;
}
