// SPDX-License-Identifier: GPL-3.0-or-later
// Sequences: ECMA-48 section 5.4 for their form; "XTerm Control Sequences" (PC-style function keys,
// mouse tracking, bracketed paste, modifyOtherKeys), console_codes(4) and the DEC VT220 manual for
// their meaning.
#include "ui/key.h"

#include <curses.h>
#include <string.h>
#include <term.h>

/// No real key sends a longer sequence.
#define SEQUENCE_MAX 64
/// Quiet periods of UI_ESC_MS after which a paste without end is over.
#define PASTE_PATIENCE 6
#define DOUBLE_CLICK_US (400 * 1000)

struct cap_key {
	char *bytes;
	uint32_t key;
};

struct ui_decoder {
	GByteArray *buf;
	GArray *caps; // of struct cap_key
	bool expired; // what is in buf will not be continued
	bool pasting;
	int paste_quiet;
	gint64 press_us;
	int press_x, press_y, press_button;
};

/// What looking at the head of the buffer found.
enum parse { PARSE_MORE, PARSE_KEY, PARSE_SKIP };

struct parsed {
	enum parse what;
	size_t used;
};

static const struct {
	const char *cap;
	uint32_t key;
} cap_names[] = {
	{ "kcuu1", UIK_UP },	   { "kcud1", UIK_DOWN },      { "kcub1", UIK_LEFT },
	{ "kcuf1", UIK_RIGHT },	   { "khome", UIK_HOME },      { "kend", UIK_END },
	{ "kpp", UIK_PAGE_UP },	   { "knp", UIK_PAGE_DOWN },   { "kich1", UIK_INSERT },
	{ "kdch1", UIK_DELETE },   { "kcbt", UIK_SHIFT | UIK_TAB }, { "kent", UIK_ENTER },
};

/// F13–F24 are what terminals without modifiers send for Shift-F1 and on.
static uint32_t function_key(int n)
{
	return n > 12 ? UIK_SHIFT | UIK_F(n - 12) : (uint32_t)UIK_F(n);
}

static void add_cap(struct ui_decoder *d, const char *cap, uint32_t key)
{
	g_autofree char *name = g_strdup(cap); // tigetstr wants it writable on some systems
	const char *bytes = tigetstr(name);
	struct cap_key entry;

	if (!bytes || bytes == (char *)-1 || bytes[0] != '\033' || strlen(bytes) < 3)
		return;
	entry = (struct cap_key){ .bytes = g_strdup(bytes), .key = key };
	g_array_append_val(d->caps, entry);
}

static void clear_cap(void *p)
{
	g_free(((struct cap_key *)p)->bytes);
}

struct ui_decoder *ui_decoder_new(bool terminfo)
{
	struct ui_decoder *d = g_new0(struct ui_decoder, 1);

	d->buf = g_byte_array_new();
	d->caps = g_array_new(FALSE, FALSE, sizeof(struct cap_key));
	g_array_set_clear_func(d->caps, clear_cap);
	d->press_x = -1;
	if (!terminfo)
		return d;
	for (size_t i = 0; i < G_N_ELEMENTS(cap_names); i++)
		add_cap(d, cap_names[i].cap, cap_names[i].key);
	for (int f = 1; f <= 24; f++) {
		g_autofree char *cap = g_strdup_printf("kf%d", f);

		add_cap(d, cap, function_key(f));
	}
	return d;
}

void ui_decoder_free(struct ui_decoder *d)
{
	if (!d)
		return;
	g_byte_array_unref(d->buf);
	g_array_unref(d->caps);
	g_free(d);
}

void ui_decoder_feed(struct ui_decoder *d, const void *bytes, size_t n)
{
	g_byte_array_append(d->buf, bytes, n);
	d->expired = false;
	d->paste_quiet = 0;
}

bool ui_decoder_pending(const struct ui_decoder *d)
{
	return d->buf->len > 0 || d->pasting;
}

void ui_decoder_timeout(struct ui_decoder *d)
{
	d->expired = true;
	if (d->pasting && ++d->paste_quiet >= PASTE_PATIENCE)
		d->pasting = false;
}

static struct parsed key_found(struct ui_input *in, uint32_t key, size_t used)
{
	in->key = key;
	return (struct parsed){ key ? PARSE_KEY : PARSE_SKIP, used };
}

static const struct parsed more = { PARSE_MORE, 0 };

/// One UTF-8 character or control byte.
static struct parsed parse_char(const uint8_t *b, size_t n, bool expired, struct ui_input *in)
{
	gunichar ch;

	switch (b[0]) {
	case 0:
		return key_found(in, UIK_CTRL(' '), 1);
	case '\t':
		return key_found(in, UIK_TAB, 1);
	case '\r':
	case '\n':
		return key_found(in, UIK_ENTER, 1);
	case '\b':
	case 0x7f:
		return key_found(in, UIK_BACKSPACE, 1);
	}
	if (b[0] < ' ')
		return key_found(in, UIK_CTRL((uint32_t)g_ascii_tolower((char)(b[0] + '@'))), 1);
	ch = g_utf8_get_char_validated((const char *)b, (gssize)n);
	if (ch == (gunichar)-2 && !expired)
		return more;
	if (ch >= (gunichar)-2 || !ui_key_is_text(ch))
		return (struct parsed){ PARSE_SKIP, ch >= (gunichar)-2 ? 1 : g_utf8_skip[b[0]] };
	return key_found(in, ch, g_utf8_skip[b[0]]);
}

/// Numbered keys "CSI N ~".
static uint32_t tilde_key(int n)
{
	static const uint8_t f[] = { // from 11 on; 0: none
		1, 2, 3, 4, 5, 0, 6, 7, 8, 9, 10, 0, 11, 12, 13, 14, 0, 15, 16, 0, 17, 18, 19, 20,
	};
	static const uint32_t named[] = { 0, UIK_HOME, UIK_INSERT, UIK_DELETE, UIK_END,
					  UIK_PAGE_UP, UIK_PAGE_DOWN, UIK_HOME, UIK_END };

	if (n >= 0 && n < (int)G_N_ELEMENTS(named))
		return named[n];
	n -= 11;
	return n >= 0 && n < (int)G_N_ELEMENTS(f) && f[n] ? function_key(f[n]) : UIK_NONE;
}

static uint32_t letter_key(uint8_t final)
{
	switch (final) {
	case 'A': return UIK_UP;
	case 'B': return UIK_DOWN;
	case 'C': return UIK_RIGHT;
	case 'D': return UIK_LEFT;
	case 'F': return UIK_END;
	case 'H': return UIK_HOME;
	case 'M': return UIK_ENTER;
	case 'P': return UIK_F(1);
	case 'Q': return UIK_F(2);
	case 'R': return UIK_F(3);
	case 'S': return UIK_F(4);
	case 'Z': return UIK_SHIFT | UIK_TAB;
	default:  return UIK_NONE;
	}
}

/// The modifier parameter: 1 plus bits for Shift, Alt, Ctrl.
static uint32_t modifiers(int param)
{
	int bits = param > 1 ? param - 1 : 0;

	return (bits & 1 ? UIK_SHIFT : 0) | (bits & 2 ? UIK_ALT : 0) |
	       (bits & 4 ? UIK_CTRL_BIT : 0);
}

/// A plain code with modifiers (CSI u, modifyOtherKeys) as the key it is on a plain terminal.
static uint32_t coded_key(int code, int mods)
{
	uint32_t m = modifiers(mods);

	switch (code) {
	case 9:	  return m | UIK_TAB;
	case 13:  return m | UIK_ENTER;
	case 27:  return m | UIK_ESC;
	case 8:
	case 127: return m | UIK_BACKSPACE;
	}
	if (!ui_key_is_text((uint32_t)code))
		return UIK_NONE;
	if (m & UIK_SHIFT)
		code = (int)g_unichar_toupper((gunichar)code);
	else if (m & UIK_CTRL_BIT)
		code = (int)g_unichar_tolower((gunichar)code);
	return (m & ~UIK_SHIFT) | (uint32_t)code;
}

/// The bits of xterm's button byte, for press, release, drag and wheel.
static bool set_mouse(
	struct ui_decoder *d, struct ui_input *in, int code, int x, int y, bool release)
{
	struct ui_mouse *m = &in->mouse;
	gint64 now = g_get_monotonic_time();

	*m = (struct ui_mouse){ .x = x - 1, .y = y - 1, .button = (code & 3) + 1 };
	m->mods = (code & 4 ? UIK_SHIFT : 0) | (code & 8 ? UIK_ALT : 0) |
		  (code & 16 ? UIK_CTRL_BIT : 0);
	if (x < 1 || y < 1 || code >= 128 || (code & 64 && (code & 3) > 1))
		return false;
	if (code & 64) {
		m->kind = UI_MOUSE_WHEEL;
		m->wheel = code & 1 ? 1 : -1;
		m->button = 0;
	} else if (release || (code & 3) == 3) {
		m->kind = UI_MOUSE_RELEASE;
	} else if (code & 32) {
		m->kind = UI_MOUSE_DRAG;
	} else {
		bool twice = m->x == d->press_x && m->y == d->press_y &&
			     m->button == d->press_button && now - d->press_us < DOUBLE_CLICK_US;

		m->kind = twice ? UI_MOUSE_DOUBLE : UI_MOUSE_PRESS;
		d->press_x = twice ? -1 : m->x;
		d->press_y = m->y;
		d->press_button = m->button;
		d->press_us = now;
	}
	in->key = UIK_MOUSE;
	return true;
}

static int params(const char *text, int *p, int max)
{
	int n = 0;

	while (n < max) {
		char *end;
		unsigned long value = strtoul(text, &end, 10);

		p[n++] = (int)MIN(value, 0x10ffff);
		while (*end && *end != ';')
			end++; // sub-parameters
		if (!*end)
			break;
		text = end + 1;
	}
	return n;
}

/// A whole control sequence: BODY between CSI and FINAL.
static uint32_t control_sequence(
	struct ui_decoder *d, struct ui_input *in, const char *body, uint8_t final)
{
	int p[4] = { 0 };
	int n = params(body + (*body == '<'), p, G_N_ELEMENTS(p));
	uint32_t key;

	if (*body == '<')
		return (final == 'M' || final == 'm') && n == 3 &&
				       set_mouse(d, in, p[0], p[1], p[2], final == 'm') ?
			       UIK_MOUSE : UIK_NONE;
	if (*body && !strchr("0123456789;:", *body))
		return UIK_NONE;
	if (final == 'u')
		return coded_key(p[0], p[1]);
	if (final == '~' && p[0] == 27 && n == 3)
		return coded_key(p[2], p[1]);
	if (final == '~' && (p[0] == 200 || p[0] == 201)) {
		d->pasting = p[0] == 200;
		return UIK_NONE;
	}
	key = final == '~' ? tilde_key(p[0]) : letter_key(final);
	return key ? key | modifiers(p[1]) : UIK_NONE;
}

static uint32_t linux_key(uint8_t letter)
{
	return letter >= 'A' && letter <= 'E' ? (uint32_t)UIK_F(letter - 'A' + 1) : UIK_NONE;
}

/// After "ESC [".
static struct parsed parse_csi(
	struct ui_decoder *d, const uint8_t *b, size_t n, struct ui_input *in)
{
	char body[SEQUENCE_MAX + 1];
	size_t i = 2;

	if (n > 2 && b[2] == '[') // the Linux console's F1–F5
		return n < 4 ? more : key_found(in, linux_key(b[3]), 4);
	if (n > 2 && b[2] == 'M') { // X10 mouse bytes
		if (n < 6)
			return more;
		return set_mouse(d, in, b[3] - 32, b[4] - 32, b[5] - 32, false) ?
			       key_found(in, UIK_MOUSE, 6) : (struct parsed){ PARSE_SKIP, 6 };
	}
	while (i < n && b[i] >= 0x20 && b[i] <= 0x3f && i < SEQUENCE_MAX)
		i++;
	if (i == n)
		return more;
	if (b[i] < 0x40 || b[i] > 0x7e) // broken off, or too long
		return (struct parsed){ PARSE_SKIP, i };
	memcpy(body, b + 2, i - 2);
	body[i - 2] = '\0';
	return key_found(in, control_sequence(d, in, body, b[i]), i + 1);
}

/// After "ESC O": application keypad and F1–F4; old xterms put a modifier digit in between.
static struct parsed parse_ss3(const uint8_t *b, size_t n, struct ui_input *in)
{
	size_t i = 2;
	uint32_t key;

	while (i < n && g_ascii_isdigit(b[i]) && i < 4)
		i++;
	if (i == n)
		return more;
	key = letter_key(b[i]);
	if (key && i > 2)
		key |= modifiers(b[i - 1] - '0');
	if (!key && i == 2 && g_ascii_isalpha(b[i])) // keypad: 'j' '*' … 'y' '9'
		key = b[i] >= 'j' && b[i] <= 'y' ? (uint32_t)(b[i] - 'j' + '*') : UIK_NONE;
	return key_found(in, key, i + 1);
}

static struct parsed parse_cap(
	const struct ui_decoder *d, const uint8_t *b, size_t n, struct ui_input *in)
{
	for (guint i = 0; i < d->caps->len; i++) {
		const struct cap_key *c = &g_array_index(d->caps, struct cap_key, i);
		size_t len = strlen(c->bytes);

		if (n >= len && !memcmp(b, c->bytes, len))
			return key_found(in, c->key, len);
	}
	return more;
}

/// "ESC x": Alt-x, or an F-key for digits.
static struct parsed parse_alt(const uint8_t *b, size_t n, bool expired, struct ui_input *in)
{
	struct parsed p = parse_char(b + 1, n - 1, expired, in);

	if (p.what == PARSE_KEY && g_ascii_isdigit(b[1]))
		in->key = UIK_F(b[1] == '0' ? 10 : b[1] - '0');
	else if (p.what == PARSE_KEY)
		in->key |= UIK_ALT;
	if (p.what != PARSE_MORE)
		p.used++;
	return p;
}

static struct parsed parse_escape(
	struct ui_decoder *d, const uint8_t *b, size_t n, struct ui_input *in)
{
	struct parsed p = parse_cap(d, b, n, in);

	if (p.what == PARSE_KEY)
		return p;
	if (n == 1)
		return d->expired ? key_found(in, UIK_ESC, 1) : more;
	if (b[1] == '\033') {
		if (n == 2 || (b[2] != '[' && b[2] != 'O'))
			return key_found(in, UIK_ESC, 2);
		p = b[2] == '[' ? parse_csi(d, b + 1, n - 1, in) : parse_ss3(b + 1, n - 1, in);
		in->key |= p.what == PARSE_KEY ? UIK_ALT : 0;
		p.used += p.what != PARSE_MORE;
	} else if (b[1] == '[') {
		p = parse_csi(d, b, n, in);
	} else if (b[1] == 'O') {
		p = parse_ss3(b, n, in);
	} else {
		p = parse_alt(b, n, d->expired, in);
	}
	if (p.what == PARSE_MORE && d->expired) // Alt-O and Alt-[ by hand, or a torn sequence
		return n == 2 ? key_found(in, UIK_ALT | b[1], 2) : (struct parsed){ PARSE_SKIP, n };
	return p;
}

static struct parsed parse(struct ui_decoder *d, struct ui_input *in)
{
	const uint8_t *b = d->buf->data;
	size_t n = d->buf->len;
	struct parsed p;

	if (n == 0)
		return more;
	if (b[0] == '\033')
		return parse_escape(d, b, n, in);
	p = parse_char(b, n, d->expired, in);
	if (p.what == PARSE_KEY && d->pasting) {
		if (in->key & UIK_CTRL_BIT || in->key == UIK_BACKSPACE)
			p.what = PARSE_SKIP;
		in->key |= UIK_PASTED;
	}
	return p;
}

bool ui_decoder_next(struct ui_decoder *d, struct ui_input *in)
{
	struct parsed p;

	do {
		bool pasting = d->pasting;

		p = parse(d, in);
		if (p.used)
			g_byte_array_remove_range(d->buf, 0, (guint)MIN(p.used, d->buf->len));
		if (p.what == PARSE_KEY && pasting && !(in->key & UIK_PASTED))
			p.what = PARSE_SKIP; // no keys but characters come out of a paste
	} while (p.what == PARSE_SKIP);
	return p.what == PARSE_KEY;
}
