// SPDX-License-Identifier: GPL-3.0-or-later
// Keys and mouse as the toolkit knows them, and the decoder from terminal bytes.
//
// A key is one uint32_t: a Unicode character or one of enum ui_key_code, with modifier bits or'ed
// in. It is meant for switch: case 'a': case UIK_UP: case UIK_F(3): case UIK_CTRL('r'):
// case UIK_ALT | 'h': case UIK_SHIFT | UIK_F(1):.
// Letters typed with Shift arrive as capital letters without UIK_SHIFT. Ctrl with a letter is
// UIK_CTRL('a'), lower case, except those that are keys of their own: Ctrl-I is UIK_TAB, Ctrl-M and
// Ctrl-J are UIK_ENTER, Ctrl-H and DEL are UIK_BACKSPACE, Ctrl-[ is UIK_ESC.
// Esc followed within UI_ESC_MS by a letter is Alt+letter, by a digit an F-key (Esc 0 is F10),
// as on terminals that have neither.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum ui_key_code {
	UIK_NONE = 0,
	UIK_SPECIAL = 0x200000, // above all of Unicode
	UIK_UP,
	UIK_DOWN,
	UIK_LEFT,
	UIK_RIGHT,
	UIK_HOME,
	UIK_END,
	UIK_PAGE_UP,
	UIK_PAGE_DOWN,
	UIK_INSERT,
	UIK_DELETE,
	UIK_BACKSPACE,
	UIK_TAB, // Shift-Tab is UIK_SHIFT | UIK_TAB
	UIK_ENTER,
	UIK_ESC,
	UIK_MOUSE, // see struct ui_mouse
	UIK_F0,	   // UIK_F(1) … UIK_F(24) follow
	UIK_F24 = UIK_F0 + 24,
};
#define UIK_F(n) (UIK_F0 + (n))

#define UIK_SHIFT 0x01000000u
#define UIK_ALT 0x02000000u
#define UIK_CTRL_BIT 0x04000000u
#define UIK_PASTED 0x08000000u // inside a bracketed paste; the app strips it (see widget.h)
#define UIK_MODS 0x0f000000u
#define UIK_CTRL(ch) (UIK_CTRL_BIT | (ch))

/// How long an Esc waits for the rest of a sequence, milliseconds.
#define UI_ESC_MS 400

/// Whether the key is a character that can be typed into a text (no control, no special, no
/// Alt or Ctrl).
bool ui_key_is_text(uint32_t key);

/// Number of the F-key (1–24) when KEY is one without modifiers, else 0.
int ui_key_f(uint32_t key);

/// "F1", "Shift-F1", "Alt-h", "Ctrl-r", "Up", "Esc", "a": for help and tests; static or interned.
const char *ui_key_name(uint32_t key);

/// The inverse of ui_key_name(), without regard to case in the names; UIK_NONE when unknown.
/// Tmux-like spellings are known too: "C-r", "M-h", "S-F1", "BTab", "PPage", "NPage", "Space".
uint32_t ui_key_from_name(const char *name);

enum ui_mouse_kind {
	UI_MOUSE_PRESS,
	UI_MOUSE_DOUBLE,
	UI_MOUSE_DRAG,
	UI_MOUSE_RELEASE,
	UI_MOUSE_WHEEL
};

struct ui_mouse {
	enum ui_mouse_kind kind;
	int button;	// 1 left, 2 middle, 3 right; for wheels 0
	int wheel;	// -1 up, +1 down; else 0
	int x, y;	// cells, 0-based; relative to the canvas in widget ops, else to the screen
	uint32_t mods;	// UIK_SHIFT | UIK_ALT | UIK_CTRL_BIT
};

struct ui_input {
	uint32_t key;		// UIK_MOUSE: look at mouse
	struct ui_mouse mouse;
};

/// Decoder from bytes (UTF-8, ECMA-48 and xterm sequences, linux console, vt220, SGR mouse 1006,
/// bracketed paste) to keys. Unknown sequences and bad UTF-8 are swallowed silently.
struct ui_decoder;

/// The decoder knows the built-in sequences; with TERMINFO set it also asks the terminfo entry
/// that curses loaded (after term_open()). The caller frees.
struct ui_decoder *ui_decoder_new(bool terminfo);
void ui_decoder_free(struct ui_decoder *d);
void ui_decoder_feed(struct ui_decoder *d, const void *bytes, size_t n);
/// The next key; false when the bytes so far hold no further complete key.
bool ui_decoder_next(struct ui_decoder *d, struct ui_input *in);
/// Whether an unfinished sequence waits; after UI_ESC_MS without bytes call
/// ui_decoder_timeout() and read the keys again.
bool ui_decoder_pending(const struct ui_decoder *d);
void ui_decoder_timeout(struct ui_decoder *d);
