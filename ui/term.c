// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/term.h"

#include <curses.h>
#include <errno.h>
#include <glib/gi18n.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

struct ui_term {
	SCREEN *screen;
	FILE *in_file, *out_file;
	int in, out;
	bool mouse;
	bool beep;
	int cursor_shown; // -1 unknown
	struct ui_look look;
};

G_DEFINE_QUARK(lodge-term-error, term_error)

/// SGR mouse reports of presses, drags and wheels, and bracketed paste: "XTerm Control Sequences".
#define MOUSE_ON "\033[?1002h\033[?1006h\033[?2004h"
#define MOUSE_OFF "\033[?2004l\033[?1006l\033[?1002l"

static const int fatal_signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };

/// All that restoring needs; async-signal-safe to use.
static struct {
	volatile sig_atomic_t armed;
	int fd;
	struct termios saved;
	char bytes[256];
	size_t n;
} rescue;

static void restore_now(void)
{
	if (!rescue.armed)
		return;
	rescue.armed = 0;
	if (write(rescue.fd, rescue.bytes, rescue.n) < 0) {
		// Nothing can be done about a terminal that is gone.
	}
	tcsetattr(rescue.fd, TCSADRAIN, &rescue.saved);
}

static void on_fatal(int sig)
{
	restore_now();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void rescue_add(const char *bytes)
{
	size_t n = bytes && bytes != (char *)-1 ? strlen(bytes) : 0;

	if (n > 0 && rescue.n + n <= sizeof(rescue.bytes)) {
		memcpy(rescue.bytes + rescue.n, bytes, n);
		rescue.n += n;
	}
}

static const char *cap(const char *name)
{
	const char *bytes = tigetstr((char *)(uintptr_t)name);

	return bytes == (char *)-1 ? NULL : bytes;
}

/// Remembers how to bring the terminal back, and takes over fatal signals that nobody else wants.
static void arm_rescue(struct ui_term *t)
{
	static char stack[64 * 1024]; // a crash may be one of the stack itself
	static bool once;
	const stack_t alternative = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction old,
		fatal = {.sa_handler = on_fatal, .sa_flags = SA_ONSTACK | SA_RESETHAND};

	rescue.fd = t->out;
	rescue.n = 0;
	if (t->mouse)
		rescue_add(MOUSE_OFF);
	rescue_add(cap("sgr0"));
	rescue_add(cap("rmcup"));
	rescue_add(cap("cnorm"));
	rescue.armed = 1;
	if (once)
		return;
	once = true;
	atexit(restore_now);
	sigaltstack(&alternative, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(fatal_signals); i++)
		if (!sigaction(fatal_signals[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(fatal_signals[i], &fatal, NULL);
}

static void send_bytes(struct ui_term *t, const char *bytes)
{
	fflush(t->out_file);
	if (write(t->out, bytes, strlen(bytes)) < 0) {
		// The reading side notices a terminal that is gone.
	}
}

static attr_t curses_attr(unsigned attr)
{
	return (attr & ATTR_BOLD ? A_BOLD : 0) | (attr & ATTR_REVERSE ? A_REVERSE : 0) |
	       (attr & ATTR_UNDERLINE ? A_UNDERLINE : 0) | (attr & ATTR_DIM ? A_DIM : 0);
}

/// The pair of two colours, made on first use; *USED counts those in use.
static short color_pair(int fg, int bg, short *used)
{
	if (fg < 0 && bg < 0)
		return 0;
	for (short i = 1; i <= *used; i++) {
		short f, b;

		if (pair_content(i, &f, &b) == OK && f == fg && b == bg)
			return i;
	}
	if (init_pair((short)(*used + 1), (short)fg, (short)bg) == ERR)
		return 0;
	return ++*used;
}

static void load_theme(struct ui_term *t, const struct theme *theme)
{
	short used = 0;

	t->look.theme = theme;
	for (int s = 0; s < N_STYLES; s++) {
		struct theme_cell cell = theme_resolve(theme, (enum ui_style)s, t->look.colors);

		t->look.attr[s] = curses_attr(cell.attr);
		t->look.pair[s] = t->look.colors >= 8 ? color_pair(cell.fg, cell.bg, &used) : 0;
	}
	bkgdset(' ' | t->look.attr[STYLE_TEXT] | (chtype)COLOR_PAIR(t->look.pair[STYLE_TEXT]));
}

bool term_set_theme(struct ui_term *t, const char *name)
{
	const struct theme *theme = theme_find(name);

	if (theme)
		load_theme(t, theme);
	return theme != NULL;
}

static void setup_colors(struct ui_term *t, const struct term_options *o)
{
	int most = o->colors > 0 ? o->colors : G_MAXINT;

	if (most >= 8 && !g_getenv("NO_COLOR") && has_colors() && start_color() == OK) {
		use_default_colors();
		t->look.colors = MIN(COLORS, most) >= 256 ? 256 : MIN(COLORS, most) >= 16 ? 16 : 8;
	}
	if (!o->theme || !term_set_theme(t, o->theme))
		term_set_theme(t, t->look.colors ? "yast" : "mono");
}

static void setup_modes(struct ui_term *t)
{
	raw();
	noecho();
	nonl();
	typeahead(-1);
	meta(stdscr, TRUE);
	idlok(stdscr, TRUE);
	leaveok(stdscr, FALSE);
	scrollok(stdscr, FALSE);
}

static void free_streams(struct ui_term *t)
{
	fclose(t->in_file);
	fclose(t->out_file);
	g_free(t);
}

static struct ui_term *term_start(
	const struct term_options *o, const char *type, int in, int out, GError **error)
{
	struct ui_term *t = g_new0(struct ui_term, 1);

	t->in = in;
	t->out = out;
	t->cursor_shown = -1;
	t->in_file = fdopen(dup(in), "r");
	t->out_file = fdopen(dup(out), "w");
	t->screen = newterm(type, t->out_file, t->in_file);
	if (!t->screen) {
		g_set_error(error, TERM_ERROR, TERM_ERROR_UNKNOWN_TYPE,
			_("The terminal type '%s' is not known here. Set TERM to one that is, such "
			  "as vt100."),
			type ? type : "");
		free_streams(t);
		return NULL;
	}
	if (!cap("cup")) {
		g_set_error(error, TERM_ERROR, TERM_ERROR_UNKNOWN_TYPE,
			_("The terminal type '%s' cannot place the cursor. Set TERM to one that "
			  "can, such as vt100."),
			type);
		endwin();
		delscreen(t->screen);
		free_streams(t);
		return NULL;
	}
	return t;
}

struct ui_term *term_open(const struct term_options *o, GError **error)
{
	int in = o->in, out = o->in == o->out && o->in == STDIN_FILENO ? STDOUT_FILENO : o->out;
	const char *type = o->type ? o->type : g_getenv("TERM");
	struct ui_term *t;

	if (!isatty(in) || !isatty(out) || tcgetattr(out, &rescue.saved)) {
		g_set_error(error, TERM_ERROR, TERM_ERROR_NOT_A_TERMINAL,
			    _("Input and output must be a terminal."));
		return NULL;
	}
	t = term_start(o, type && *type ? type : "vt100", in, out, error);
	if (!t)
		return NULL;
	setup_modes(t);
	t->look.braille = o->braille;
	t->look.utf8 = o->chars == TERM_CHARS_AUTO ? !strcmp(nl_langinfo(CODESET), "UTF-8") :
						     o->chars == TERM_CHARS_UTF8;
	setup_colors(t, o);
	t->mouse = !o->no_mouse && cap("kmous");
	arm_rescue(t);
	term_resized(t);
	if (t->mouse)
		send_bytes(t, MOUSE_ON);
	return t;
}

void term_close(struct ui_term *t)
{
	if (!t)
		return;
	endwin();
	restore_now();
	delscreen(t->screen);
	free_streams(t);
}

const struct ui_look *term_look(const struct ui_term *t)
{
	return &t->look;
}

void term_set_chars(struct ui_term *t, bool utf8)
{
	t->look.utf8 = utf8;
}

void term_set_braille(struct ui_term *t, bool on)
{
	t->look.braille = on;
}

void term_size(const struct ui_term *t, int *width, int *height)
{
	getmaxyx(stdscr, *height, *width);
}

void term_resized(struct ui_term *t)
{
	struct winsize size;

	if (ioctl(t->out, TIOCGWINSZ, &size) || size.ws_row == 0 || size.ws_col == 0)
		return;
	if (size.ws_row != LINES || size.ws_col != COLS)
		resizeterm(size.ws_row, size.ws_col);
}

void term_flush(struct ui_term *t, int x, int y, bool visible)
{
	if (t->cursor_shown != visible) {
		curs_set(visible);
		t->cursor_shown = visible;
	}
	wmove(stdscr, CLAMP(y, 0, LINES - 1), CLAMP(x, 0, COLS - 1));
	wnoutrefresh(stdscr);
	doupdate();
	if (t->beep)
		send_bytes(t, "\a");
	t->beep = false;
}

void term_repaint(struct ui_term *t)
{
	clearok(curscr, TRUE);
}

void term_suspend(struct ui_term *t)
{
	if (t->mouse)
		send_bytes(t, MOUSE_OFF);
	curs_set(1);
	endwin();
	tcsetattr(t->out, TCSADRAIN, &rescue.saved);
	rescue.armed = 0;
}

void term_resume(struct ui_term *t)
{
	rescue.armed = 1;
	reset_prog_mode();
	setup_modes(t);
	if (t->mouse)
		send_bytes(t, MOUSE_ON);
	t->cursor_shown = -1;
	clearok(curscr, TRUE);
	term_resized(t);
}

int term_fd(const struct ui_term *t)
{
	return t->in;
}

bool term_read(struct ui_term *t, struct ui_decoder *d)
{
	char bytes[4096];
	ssize_t n = read(t->in, bytes, sizeof(bytes));

	if (n > 0)
		ui_decoder_feed(d, bytes, (size_t)n);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

void term_beep(struct ui_term *t)
{
	t->beep = true;
}
