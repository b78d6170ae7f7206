// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/screens/harness.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vterm.h>

#include <cmocka.h>

/// Longer than the console waits for the rest of an escape sequence.
#define ESC_PAUSE_MS 600
/// A screen this long without output is taken as finished when golden files are written.
#define SETTLED_MS 700
#define STOP_MS 5000
/// libvterm 0.1 writes outside smaller screens. The program is told the true size all the same.
#define VTERM_MIN_WIDTH 8
#define VTERM_MIN_HEIGHT 4

extern char **environ;

struct harness {
	pid_t pid;
	int fd; // the pty's master; -1 once the program has closed its side
	int width, height;
	VTerm *vt;
	VTermScreen *screen;
	bool cursor_visible;
	bool linux_keys;
	guint64 written;
	bool reaped;
	int status;
};

static int on_cursor_prop(VTermProp prop, VTermValue *value, void *user)
{
	if (prop == VTERM_PROP_CURSORVISIBLE)
		((struct harness *)user)->cursor_visible = value->boolean;
	return 1;
}

static void write_all(struct harness *h, const char *bytes, size_t n)
{
	while (n > 0 && h->fd >= 0) {
		ssize_t done = write(h->fd, bytes, n);

		if (done < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (done > 0) {
			bytes += done;
			n -= (size_t)done;
		}
	}
}

/// The terminal's answers to what the program asks it.
static void on_answer(const char *bytes, size_t n, void *user)
{
	write_all(user, bytes, n);
}

static const VTermScreenCallbacks screen_callbacks = { .settermprop = on_cursor_prop };

static char **child_environment(const struct harness_options *o)
{
	char **env = g_get_environ();
	static const char *const removed[] = { "NO_COLOR", "LANGUAGE", "LINES", "COLUMNS", "LANG" };

	for (size_t i = 0; i < G_N_ELEMENTS(removed); i++)
		env = g_environ_unsetenv(env, removed[i]);
	env = g_environ_setenv(env, "TERM", o->term ? o->term : "xterm-256color", TRUE);
	env = g_environ_setenv(env, "LC_ALL", o->locale ? o->locale : "C.UTF-8", TRUE);
	env = g_environ_setenv(env, "TZ", "UTC0", TRUE);
	env = g_environ_setenv(env, "LODGE_CLOCK", HARNESS_CLOCK, TRUE);
	for (size_t i = 0; o->env && o->env[i]; i++) {
		g_auto(GStrv) pair = g_strsplit(o->env[i], "=", 2);

		env = pair[1] ? g_environ_setenv(env, pair[0], pair[1], TRUE)
			      : g_environ_unsetenv(env, pair[0]);
	}
	return env;
}

char *harness_program(const char *leaf)
{
	const char *top = g_getenv("top_builddir");

	return g_build_filename(top ? top : ".", leaf, NULL);
}

static void start_terminal(struct harness *h, int width, int height, bool utf8)
{
	h->width = width;
	h->height = height;
	h->vt = vterm_new(MAX(height, VTERM_MIN_HEIGHT), MAX(width, VTERM_MIN_WIDTH));
	vterm_set_utf8(h->vt, utf8);
	vterm_output_set_callback(h->vt, on_answer, h);
	h->screen = vterm_obtain_screen(h->vt);
	vterm_screen_set_callbacks(h->screen, &screen_callbacks, h);
	vterm_screen_enable_altscreen(h->screen, 1);
	vterm_screen_reset(h->screen, 1);
	h->cursor_visible = true;
}

struct harness *harness_start(const struct harness_options *o)
{
	struct harness *h = g_new0(struct harness, 1);
	int width = o->width ? o->width : 80, height = o->height ? o->height : 24;
	struct winsize size = { .ws_row = (unsigned short)height, .ws_col = (unsigned short)width };
	g_auto(GStrv) env = child_environment(o);
	g_autofree char *program = strchr(o->argv[0], '/')
					   ? g_canonicalize_filename(o->argv[0], NULL)
					   : g_strdup(o->argv[0]);

	start_terminal(h, width, height, !o->locale || strstr(o->locale, "UTF-8"));
	h->linux_keys = o->term && !strcmp(o->term, "linux");
	h->pid = forkpty(&h->fd, NULL, NULL, &size);
	if (h->pid == 0) {
		environ = env;
		if (!o->folder || chdir(o->folder) == 0)
			execvp(program, (char **)o->argv);
		_exit(127);
	}
	assert_true(h->pid > 0);
	return h;
}

static void reap(struct harness *h)
{
	int status;

	if (h->reaped)
		return;
	while (waitpid(h->pid, &status, 0) < 0 && errno == EINTR)
		;
	h->reaped = true;
	h->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Takes in output for at most MS; returns whether there was any.
static bool pump(struct harness *h, int ms)
{
	struct pollfd p = { .fd = h->fd, .events = POLLIN };
	char bytes[4096];
	ssize_t n;

	if (h->fd < 0) {
		g_usleep((gulong)MIN(ms, 10) * 1000);
		return false;
	}
	if (poll(&p, 1, ms) <= 0)
		return false;
	n = read(h->fd, bytes, sizeof(bytes));
	if (n <= 0) {
		close(h->fd);
		h->fd = -1;
		return false;
	}
	h->written += (guint64)n;
	vterm_input_write(h->vt, bytes, (size_t)n);
	vterm_screen_flush_damage(h->screen);
	return true;
}

static int left_ms(gint64 deadline)
{
	return (int)MAX((deadline - g_get_monotonic_time()) / 1000, 0);
}

static gint64 deadline_in(int ms)
{
	return g_get_monotonic_time() + (gint64)ms * 1000;
}

void harness_stop(struct harness *h)
{
	gint64 deadline = deadline_in(STOP_MS);

	if (!h)
		return;
	if (!h->reaped)
		kill(h->pid, SIGHUP);
	while (!h->reaped && h->fd >= 0 && left_ms(deadline) > 0)
		pump(h, 50);
	if (!h->reaped && h->fd >= 0)
		kill(h->pid, SIGKILL);
	reap(h);
	if (h->fd >= 0)
		close(h->fd);
	vterm_free(h->vt);
	g_free(h);
}

// ---- keys

static const struct {
	const char *name, *bytes, *linux_bytes;
} sequences[] = {
	{"Enter", "\r", NULL},
	{"Tab", "\t", NULL},
	{"BTab", "\033[Z", NULL},
	{"Esc", "\033", NULL},
	{"Escape", "\033", NULL},
	{"Space", " ", NULL},
	{"BSpace", "\177", NULL},
	{"Up", "\033[A", NULL},
	{"Down", "\033[B", NULL},
	{"Right", "\033[C", NULL},
	{"Left", "\033[D", NULL},
	{"Home", "\033[H", "\033[1~"},
	{"End", "\033[F", "\033[4~"},
	{"PPage", "\033[5~", NULL},
	{"NPage", "\033[6~", NULL},
	{"IC", "\033[2~", NULL},
	{"DC", "\033[3~", NULL},
	{"F1", "\033OP", "\033[[A"},
	{"F2", "\033OQ", "\033[[B"},
	{"F3", "\033OR", "\033[[C"},
	{"F4", "\033OS", "\033[[D"},
	{"F5", "\033[15~", "\033[[E"},
	{"F6", "\033[17~", NULL},
	{"F7", "\033[18~", NULL},
	{"F8", "\033[19~", NULL},
	{"F9", "\033[20~", NULL},
	{"F10", "\033[21~", NULL},
	{"F11", "\033[23~", NULL},
	{"F12", "\033[24~", NULL},
	{"S-F1", "\033[1;2P", "\033[25~"},
};

static bool press_named(struct harness *h, const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(sequences); i++)
		if (!strcmp(sequences[i].name, name)) {
			const char *bytes = h->linux_keys && sequences[i].linux_bytes
						    ? sequences[i].linux_bytes
						    : sequences[i].bytes;

			write_all(h, bytes, strlen(bytes));
			if (bytes[1] == '\0' && bytes[0] == '\033')
				harness_wait(h, "\x01", ESC_PAUSE_MS); // takes in output meanwhile
			return true;
		}
	return false;
}

static void press(struct harness *h, const char *name)
{
	char control;

	if (press_named(h, name))
		return;
	if (g_str_has_prefix(name, "M-") && name[2]) {
		write_all(h, "\033", 1);
		write_all(h, name + 2, strlen(name + 2));
	} else if (g_str_has_prefix(name, "C-") && name[2] && !name[3]) {
		control = name[2] == ' ' ? '\0' : (char)(g_ascii_toupper(name[2]) & 0x1f);
		write_all(h, &control, 1);
	} else if (*name && !*g_utf8_next_char(name)) {
		write_all(h, name, strlen(name));
	} else {
		fail_msg("harness: the key '%s' is not known", name);
	}
}

void harness_keys(struct harness *h, const char *keys)
{
	while (*keys) {
		g_autofree char *name = NULL;
		bool quoted;
		size_t n;

		if (*keys == ' ') {
			keys++;
			continue;
		}
		quoted = *keys == '\'' && strchr(keys + 1, '\'');
		keys += quoted;
		n = strcspn(keys, quoted ? "'" : " ");
		name = g_strndup(keys, n);
		keys += n + quoted;
		if (quoted)
			write_all(h, name, n);
		else
			press(h, name);
	}
}

void harness_bytes(struct harness *h, const void *bytes, size_t n)
{
	write_all(h, bytes, n);
}

void harness_click(struct harness *h, int x, int y)
{
	g_autofree char *report =
		g_strdup_printf("\033[<0;%d;%dM\033[<0;%d;%dm", x + 1, y + 1, x + 1, y + 1);

	write_all(h, report, strlen(report));
}

void harness_resize(struct harness *h, int width, int height)
{
	struct winsize size = { .ws_row = (unsigned short)height, .ws_col = (unsigned short)width };

	h->width = width;
	h->height = height;
	vterm_set_size(h->vt, MAX(height, VTERM_MIN_HEIGHT), MAX(width, VTERM_MIN_WIDTH));
	vterm_screen_flush_damage(h->screen);
	ioctl(h->fd, TIOCSWINSZ, &size);
}

void harness_signal(struct harness *h, int sig)
{
	kill(h->pid, sig);
}

int harness_pid(const struct harness *h)
{
	return h->pid;
}

// ---- looking

static void append_line(struct harness *h, GString *out, int row, int cols)
{
	size_t end = out->len;

	for (int col = 0; col < cols; col++) {
		VTermScreenCell cell = { 0 };

		vterm_screen_get_cell(h->screen, (VTermPos){ row, col }, &cell);
		if (cell.chars[0] == 0)
			g_string_append_c(out, ' ');
		for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i] &&
				cell.chars[i] != (uint32_t)-1;
			i++)
			g_string_append_unichar(out, cell.chars[i]);
		if (cell.chars[0] && cell.chars[0] != ' ')
			end = out->len;
		if (cell.width > 1)
			col += cell.width - 1;
	}
	g_string_truncate(out, end);
	g_string_append_c(out, '\n');
}

char *harness_screen(struct harness *h)
{
	GString *out = g_string_new(NULL);

	for (int row = 0; row < h->height; row++)
		append_line(h, out, row, h->width);
	return g_string_free(out, FALSE);
}

bool harness_cursor(struct harness *h, int *x, int *y)
{
	VTermPos pos;

	vterm_state_get_cursorpos(vterm_obtain_state(h->vt), &pos);
	*x = pos.col;
	*y = pos.row;
	return h->cursor_visible;
}

static void append_colour(GString *out, const VTermColor *c)
{
	if (VTERM_COLOR_IS_DEFAULT_FG(c) || VTERM_COLOR_IS_DEFAULT_BG(c))
		g_string_append_c(out, '-');
	else if (VTERM_COLOR_IS_INDEXED(c))
		g_string_append_printf(out, "%d", c->indexed.idx);
	else
		g_string_append_printf(out, "#%02x%02x%02x", c->rgb.red, c->rgb.green, c->rgb.blue);
}

char *harness_cell(struct harness *h, int x, int y)
{
	GString *out = g_string_new(NULL);
	VTermScreenCell cell = { 0 };

	vterm_screen_get_cell(h->screen, (VTermPos){ y, x }, &cell);
	g_string_append(out, cell.attrs.reverse ? "r" : "");
	g_string_append(out, cell.attrs.bold ? "b" : "");
	g_string_append(out, cell.attrs.underline ? "u" : "");
	g_string_append(out, out->len ? " " : "");
	append_colour(out, &cell.fg);
	g_string_append_c(out, '/');
	append_colour(out, &cell.bg);
	return g_string_free(out, FALSE);
}

guint64 harness_written(const struct harness *h)
{
	return h->written;
}

// ---- waiting

static bool shown(struct harness *h, const char *text)
{
	g_autofree char *screen = harness_screen(h);

	return strstr(screen, text) != NULL;
}

/// Waits until shown(TEXT) is WANTED.
static bool wait_shown(struct harness *h, const char *text, bool wanted, int ms)
{
	gint64 deadline = deadline_in(ms);

	while (shown(h, text) != wanted) {
		if (left_ms(deadline) == 0)
			return false;
		pump(h, MIN(left_ms(deadline), 100));
	}
	return true;
}

static void fail_with_screen(struct harness *h, const char *format, const char *text)
{
	g_autofree char *screen = harness_screen(h);
	g_autofree char *message = g_strdup_printf(format, text);

	fputs(screen, stderr); // cmocka cuts long messages
	fail_msg("%s%s; the screen is above", message, h->fd < 0 ? " (the program has ended)" : "");
}

bool harness_wait(struct harness *h, const char *text, int ms)
{
	return wait_shown(h, text, true, ms);
}

void harness_expect(struct harness *h, const char *text)
{
	if (!wait_shown(h, text, true, HARNESS_PATIENCE_MS))
		fail_with_screen(h, "'%s' did not appear", text);
}

void harness_expect_gone(struct harness *h, const char *text)
{
	if (!wait_shown(h, text, false, HARNESS_PATIENCE_MS))
		fail_with_screen(h, "'%s' did not go away", text);
}

void harness_expect_cursor(struct harness *h, int x, int y)
{
	gint64 deadline = deadline_in(HARNESS_PATIENCE_MS);
	int is_x, is_y;

	while (!harness_cursor(h, &is_x, &is_y) || is_x != x || is_y != y) {
		if (left_ms(deadline) == 0) {
			g_autofree char *where =
				g_strdup_printf("%d, %d (it is at %d, %d)", x, y, is_x, is_y);

			fail_with_screen(h, "the cursor did not come to %s", where);
		}
		pump(h, MIN(left_ms(deadline), 100));
	}
}

void harness_quiet(struct harness *h, int quiet_ms)
{
	gint64 deadline = deadline_in(HARNESS_PATIENCE_MS);

	while (pump(h, quiet_ms) && left_ms(deadline) > 0)
		;
}

int harness_exit(struct harness *h)
{
	gint64 deadline = deadline_in(HARNESS_PATIENCE_MS);

	while (h->fd >= 0 && left_ms(deadline) > 0)
		pump(h, 100);
	if (h->fd >= 0)
		fail_with_screen(h, "%s", "the program did not end");
	reap(h);
	return h->status;
}

// ---- golden screens

static char *golden_path(const char *name)
{
	const char *top = g_getenv("top_srcdir");
	g_autofree char *leaf = g_strconcat(name, ".txt", NULL);

	return g_build_filename(top ? top : ".", "tests", "screens", "golden", leaf, NULL);
}

static void update_golden(struct harness *h, const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *screen = NULL;
	g_autoptr(GError) error = NULL;

	harness_quiet(h, SETTLED_MS);
	screen = harness_screen(h);
	g_mkdir_with_parents(folder, 0777);
	if (!g_file_set_contents(path, screen, -1, &error))
		fail_msg("%s", error->message);
}

void harness_golden(struct harness *h, const char *name)
{
	g_autofree char *path = golden_path(name);
	g_autofree char *wanted = NULL;
	g_autofree char *screen = NULL;
	g_autoptr(GError) error = NULL;
	gint64 deadline = deadline_in(HARNESS_PATIENCE_MS);

	if (g_getenv("LODGE_GOLDEN_UPDATE")) {
		update_golden(h, path);
		return;
	}
	if (!g_file_get_contents(path, &wanted, NULL, &error))
		fail_msg("%s (LODGE_GOLDEN_UPDATE=1 writes it)", error->message);
	while (screen = harness_screen(h), strcmp(screen, wanted)) {
		if (left_ms(deadline) == 0 || h->fd < 0) {
			fprintf(stderr, "%s\nis wanted:\n%sis there:\n%s", path, wanted, screen);
			fail_msg("the screen differs from %s", path);
		}
		g_clear_pointer(&screen, g_free);
		pump(h, 100);
	}
}

void harness_golden_sizes(struct harness *h, const char *name)
{
	g_autofree char *large = g_strdup_printf("%s-120x40", name);

	harness_golden(h, name);
	harness_resize(h, 120, 40);
	harness_golden(h, large);
	harness_resize(h, 80, 24);
	harness_golden(h, name);
}
