// SPDX-License-Identifier: GPL-3.0-or-later
// Readline edits, we draw: it reads its bytes from a queue that keys are put into, and its
// redisplay function does nothing but mark the line for the next paint.
#include "ui/prompt.h"

#include <curses.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <readline/history.h>
#include <readline/readline.h>
#include <string.h>
#include <term.h>

#define HISTORY_MAX 500
/// Lines of completion candidates above the prompt.
#define CANDIDATE_LINES 6

struct prompt {
	struct ui_screen screen;
	struct widget *line;
	char *sign;
	const struct prompt_ops *ops;
	void *data;
	char *accepted; // the line, once Enter was pressed
	bool closed;
};

/// Readline itself is one per process; so is what belongs to it.
static struct {
	struct prompt *active;
	GByteArray *queue;	// bytes for readline
	char **candidates;	// to show, NULL: none
	GHashTable *histories;	// sign → GPtrArray of lines, oldest first
	bool ready;
} rl;

// ---- history

static GPtrArray *history_of(const char *sign)
{
	GPtrArray *past;

	if (!rl.histories)
		rl.histories = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						     (GDestroyNotify)g_ptr_array_unref);
	past = g_hash_table_lookup(rl.histories, sign);
	if (!past) {
		past = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(rl.histories, g_strdup(sign), past);
	}
	return past;
}

static void remember(const char *sign, const char *line)
{
	GPtrArray *past = history_of(sign);

	if (past->len && !strcmp(past->pdata[past->len - 1], line))
		return;
	g_ptr_array_add(past, g_strdup(line));
	if (past->len > HISTORY_MAX)
		g_ptr_array_remove_index(past, 0);
}

bool prompt_history_load(const char *sign, const char *path, GError **error)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) past = NULL;
	g_autoptr(GError) problem = NULL;

	if (!g_file_get_contents(path, &text, NULL, &problem)) {
		if (g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
			return true;
		g_propagate_error(error, g_steal_pointer(&problem));
		return false;
	}
	past = g_strsplit(text, "\n", -1);
	for (char **line = past; *line; line++)
		if (**line && g_utf8_validate(*line, -1, NULL))
			remember(sign, *line);
	return true;
}

bool prompt_history_save(const char *sign, const char *path, GError **error)
{
	GPtrArray *past = history_of(sign);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < past->len; i++)
		g_string_append_printf(text, "%s\n", (char *)past->pdata[i]);
	return g_file_set_contents_full(
		path, text->str, (gssize)text->len, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

// ---- readline's hooks

static int queue_getc(FILE *stream)
{
	int byte;

	if (rl.queue->len == 0)
		return EOF;
	byte = rl.queue->data[0];
	g_byte_array_remove_index(rl.queue, 0);
	return byte;
}

static int queue_available(void)
{
	return rl.queue->len > 0;
}

static void no_redisplay(void)
{
}

static void no_prep(int meta)
{
}

static void line_done(char *line)
{
	rl_callback_handler_remove();
	if (rl.active)
		rl.active->accepted = g_strdup(line ? line : "");
	free(line); // readline's own allocation
}

static char **offered; // the words the generator walks through

static char *next_offer(const char *text, int state)
{
	static size_t at;

	if (state == 0)
		at = 0;
	return offered && offered[at] ? strdup(offered[at++]) : NULL;
}

static char **attempt(const char *text, int start, int end)
{
	struct prompt *p = rl.active;
	char **matches;

	rl_attempted_completion_over = 1;
	if (!p || !p->ops->complete)
		return NULL;
	offered = p->ops->complete(rl_line_buffer, start, end, p->data);
	matches = offered ? rl_completion_matches(text, next_offer) : NULL;
	g_clear_pointer(&offered, g_strfreev);
	return matches;
}

static void show_candidates(char **matches, int n, int longest)
{
	GStrvBuilder *words = g_strv_builder_new();

	for (int i = 1; i <= n; i++)
		g_strv_builder_add(words, matches[i]);
	g_strfreev(rl.candidates);
	rl.candidates = g_strv_builder_end(words);
	g_strv_builder_unref(words);
}

static void setup_once(void)
{
	if (rl.ready)
		return;
	rl.ready = true;
	rl.queue = g_byte_array_new();
	rl_readline_name = "lodge";
	rl_terminal_name = "dumb";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;
	rl_instream = g_fopen("/dev/null", "re");
	rl_outstream = g_fopen("/dev/null", "we");
	rl_getc_function = queue_getc;
	rl_input_available_hook = queue_available;
	rl_redisplay_function = no_redisplay;
	rl_prep_term_function = no_prep;
	rl_deprep_term_function = NULL;
	rl_attempted_completion_function = attempt;
	rl_completion_display_matches_hook = show_candidates;
	rl_completer_word_break_characters = " ";
	rl_completion_query_items = -1;
	rl_initialize();
	rl_variable_bind("show-all-if-ambiguous", "on");
	rl_variable_bind("page-completions", "off");
	rl_variable_bind("bell-style", "none");
	rl_variable_bind("enable-bracketed-paste", "off");
	rl_bind_keyseq("\\e[3~", rl_delete);
	rl_bind_keyseq("\\e[1;5C", rl_forward_word);
	rl_bind_keyseq("\\e[1;5D", rl_backward_word);
}

/// Starts reading a line. Readline loads its own terminal description: curses gets its own back.
static void start_line(const char *sign, const char *initial)
{
	TERMINAL *curses_term = cur_term;
	GPtrArray *past = history_of(sign);

	setup_once();
	clear_history();
	for (guint i = 0; i < past->len; i++)
		add_history(past->pdata[i]);
	rl_callback_handler_install("", line_done);
	set_curterm(curses_term);
	if (initial)
		rl_insert_text(initial);
}

// ---- keys to bytes

static const struct {
	uint32_t key;
	const char *bytes;
} sequences[] = {
	{ UIK_UP, "\033[A" },	    { UIK_DOWN, "\033[B" },	   { UIK_RIGHT, "\033[C" },
	{ UIK_LEFT, "\033[D" },	    { UIK_HOME, "\001" },	   { UIK_END, "\005" },
	{ UIK_DELETE, "\033[3~" },  { UIK_BACKSPACE, "\177" },	   { UIK_TAB, "\t" },
	{ UIK_ENTER, "\r" },	    { UIK_CTRL_BIT | UIK_RIGHT, "\033[1;5C" },
	{ UIK_CTRL_BIT | UIK_LEFT, "\033[1;5D" },
};

/// Puts a key into the queue; false when readline has no use for it.
static bool queue_key(uint32_t key)
{
	uint32_t base = key & ~UIK_MODS;
	char bytes[8] = "";
	int n = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(sequences); i++)
		if (sequences[i].key == key) {
			g_byte_array_append(rl.queue, (const guint8 *)sequences[i].bytes,
					    (guint)strlen(sequences[i].bytes));
			return true;
		}
	if ((key & UIK_MODS) == UIK_CTRL_BIT && base >= 'a' && base <= 'z') {
		bytes[n++] = (char)(base & 0x1f);
	} else if ((key & UIK_MODS) == UIK_ALT && base < 0x80 && ui_key_is_text(base)) {
		bytes[n++] = '\033';
		bytes[n++] = (char)base;
	} else if (ui_key_is_text(key)) {
		n = g_unichar_to_utf8(key, bytes);
	}
	g_byte_array_append(rl.queue, (const guint8 *)bytes, (guint)n);
	return n > 0;
}

// ---- the line

static int candidate_lines(void)
{
	return rl.candidates ? CANDIDATE_LINES : 0;
}

/// Candidates in columns, the last cell tells how many did not fit.
static void draw_candidates(const struct canvas *c)
{
	int longest = 1, x = 1, y = 0, left = (int)g_strv_length(rl.candidates);

	for (char **word = rl.candidates; *word; word++)
		longest = MAX(longest, text_width(*word));
	longest = MIN(longest, c->w - 3);
	for (char **word = rl.candidates; *word && y < CANDIDATE_LINES; word++, left--) {
		canvas_fit(c, x, y, longest, TEXT_LEFT, STYLE_TEXT, *word);
		x += longest + 2;
		if (x + longest > c->w) {
			x = 1;
			y++;
		}
	}
	if (left > 0)
		canvas_printf(c, c->w - 12, CANDIDATE_LINES - 1, STYLE_DIM, _("+%d more"), left);
}

static int before_cursor(const struct prompt *p)
{
	g_autofree char *before = g_strndup(rl_line_buffer, (size_t)rl_point);

	return text_width(p->sign) + text_width(before);
}

static int scrolled(const struct prompt *p, int width)
{
	return MAX(before_cursor(p) - width + 2, 0);
}

static void line_draw(struct widget *w, const struct canvas *c)
{
	struct prompt *p = rl.active;
	int y = candidate_lines();
	g_autofree char *text = NULL;

	if (!p || p->line != w || p->closed)
		return;
	canvas_clear(c, STYLE_STATUS);
	if (rl.candidates)
		draw_candidates(c);
	text = g_strconcat(p->sign, rl_line_buffer, NULL);
	canvas_text(c, -scrolled(p, c->w), y, STYLE_STATUS, text);
}

static bool line_cursor(struct widget *w, int *x, int *y)
{
	struct prompt *p = rl.active;

	if (p && !p->closed) {
		*x = before_cursor(p) - scrolled(p, w->area.w);
		*y = candidate_lines();
	}
	return true;
}

static struct ui_size line_want(struct widget *w, int width)
{
	return (struct ui_size){ 1, 1 + candidate_lines() };
}

static bool line_focusable(const struct widget *w)
{
	return true;
}

static enum ui_result finish(struct prompt *p, const char *line)
{
	const struct prompt_ops *ops = p->ops;
	g_autofree char *text = g_strdup(line);
	g_autofree char *sign = g_strdup(p->sign);
	void *data = p->data;

	p->closed = true;
	ui_app_close(p->screen.app, &p->screen);
	if (text && *g_strstrip(text)) {
		remember(sign, text);
		ops->accept(text, data);
	} else if (ops->cancel) {
		ops->cancel(data);
	}
	return UI_HANDLED;
}

static enum ui_result line_key(struct widget *w, uint32_t key)
{
	struct prompt *p = rl.active;
	g_autofree char *was = NULL;

	if (!p || p->closed)
		return UI_HANDLED;
	if (key == UIK_ESC || key == UIK_F(9) || key == UIK_CTRL('c') || key == UIK_CTRL('g') ||
	    (key == UIK_BACKSPACE && rl_end == 0))
		return finish(p, NULL);
	if (!queue_key(key == UIK_F(10) ? UIK_ENTER : key))
		return UI_IGNORED;
	was = g_strdup(rl_line_buffer);
	g_clear_pointer(&rl.candidates, g_strfreev);
	while (rl.queue->len > 0 && !p->accepted)
		rl_callback_read_char();
	widget_relayout(w);
	if (p->accepted)
		return finish(p, p->accepted);
	if (p->ops->changed && strcmp(was, rl_line_buffer))
		p->ops->changed(rl_line_buffer, p->data);
	return UI_HANDLED;
}

static const struct widget_ops line_ops = {
	.name = "prompt",
	.draw = line_draw,
	.want = line_want,
	.key = line_key,
	.focusable = line_focusable,
	.cursor = line_cursor,
	.takes_text = true,
};

static void prompt_keys(struct ui_screen *s, struct keybar *bar)
{
	keybar_set(bar, 9, _("Cancel"));
	keybar_set(bar, 10, _("OK"));
}

static void prompt_destroy(struct ui_screen *s)
{
	struct prompt *p = (struct prompt *)s;

	if (rl.active == p) {
		if (!p->accepted)
			rl_callback_handler_remove();
		rl.active = NULL;
		g_byte_array_set_size(rl.queue, 0);
		g_clear_pointer(&rl.candidates, g_strfreev);
	}
	g_free(p->sign);
	g_free(p->accepted);
	g_free(p);
}

static const struct ui_screen_ops prompt_screen_ops = {
	.name = "prompt",
	.keys = prompt_keys,
	.destroy = prompt_destroy,
	.help = N_("Type a line and press Enter. Tab completes, Up and Down bring back former "
		   "past, Esc leaves."),
};

void prompt_open(struct ui_app *app, const char *sign, const char *initial,
	const struct prompt_ops *ops, void *data)
{
	struct prompt *p;

	if (rl.active && !rl.active->closed)
		return;
	if (rl.active) { // closed, but not freed yet
		if (!rl.active->accepted)
			rl_callback_handler_remove();
		rl.active = NULL;
	}
	p = g_new0(struct prompt, 1);
	p->sign = g_strdup(sign);
	p->ops = ops;
	p->data = data;
	p->line = g_new0(struct widget, 1);
	widget_init(p->line, &line_ops);
	rl.active = p;
	start_line(sign, initial);
	ui_screen_init(&p->screen, &prompt_screen_ops, p->line);
	p->screen.popup = true;
	p->screen.line = true;
	ui_app_push(app, &p->screen);
}
