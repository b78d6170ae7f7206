// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "screens/resize_notes.h"

/* A note as given, and a line as drawn. */
struct note {
	enum ui_style style;
	char *text, *command;
	bool current;
};

struct shown {
	enum ui_style style;
	char *text;
	char *behind; // a command in the same line, right-aligned at `column`
	bool current;
};

struct resize_notes {
	struct widget widget;
	GArray *notes;  // struct note
	GArray *shown;  // struct shown, for the present width
	int width, top;
};

/* Where commands begin when they stand behind their sentences. */
#define COMMAND_COLUMN 58

static void clear_note(void *p)
{
	struct note *note = p;

	g_free(note->text);
	g_free(note->command);
}

static void clear_shown(void *p)
{
	struct shown *shown = p;

	g_free(shown->text);
	g_free(shown->behind);
}

static void show(struct resize_notes *n, const struct note *note, const char *text, char *behind,
	bool dim)
{
	struct shown line = {dim ? STYLE_DIM : note->style, g_strdup(text), behind, note->current};

	g_array_append_val(n->shown, line);
}

static void wrap_note(struct resize_notes *n, const struct note *note)
{
	bool fits = note->command && text_width(note->text) < COMMAND_COLUMN &&
		    COMMAND_COLUMN + text_width(note->command) <= n->width;
	g_auto(GStrv) lines = text_wrap(note->text, MAX(n->width, 1));
	g_autofree char *below = note->command ? g_strconcat("  ", note->command, NULL) : NULL;

	for (char **line = lines; *line; line++)
		show(n, note, *line, fits && line == lines ? g_strdup(note->command) : NULL, false);
	if (below && !fits)
		show(n, note, below, NULL, true);
}

static void wrap(struct resize_notes *n, int width)
{
	n->width = width;
	g_array_set_size(n->shown, 0);
	for (guint i = 0; i < n->notes->len; i++)
		wrap_note(n, &g_array_index(n->notes, struct note, i));
}

/* Scrolls so that the current note is seen. */
static void follow(struct resize_notes *n, int height)
{
	int first = -1, last = -1;

	for (guint i = 0; i < n->shown->len; i++)
		if (g_array_index(n->shown, struct shown, i).current) {
			first = first < 0 ? (int)i : first;
			last = (int)i;
		}
	if (last >= n->top + height)
		n->top = last - height + 1;
	if (first >= 0 && first < n->top)
		n->top = first;
}

static void clamp(struct resize_notes *n)
{
	n->top = CLAMP(n->top, 0, MAX((int)n->shown->len - n->widget.area.h, 0));
}

static void notes_draw(struct widget *w, const struct canvas *c)
{
	struct resize_notes *n = (struct resize_notes *)w;

	wrap(n, c->w - 1);
	if (!widget_has_focus(w))
		follow(n, c->h);
	clamp(n);
	for (int y = 0; y < c->h && n->top + y < (int)n->shown->len; y++) {
		const struct shown *line = &g_array_index(n->shown, struct shown, n->top + y);

		canvas_fit(c, 0, y, c->w - 1, TEXT_LEFT, line->style, line->text);
		if (line->behind)
			canvas_text(c, COMMAND_COLUMN, y, STYLE_DIM, line->behind);
	}
	if (n->top > 0)
		canvas_glyph(c, c->w - 1, 0, STYLE_FRAME, GLYPH_UP);
	if (n->top + c->h < (int)n->shown->len)
		canvas_glyph(c, c->w - 1, c->h - 1, STYLE_FRAME, GLYPH_DOWN);
}

static bool notes_focusable(const struct widget *w)
{
	const struct resize_notes *n = (const struct resize_notes *)w;

	return (int)n->shown->len > w->area.h && w->area.h > 0;
}

static enum ui_result scroll(struct resize_notes *n, int by)
{
	n->top += by;
	clamp(n);
	return UI_HANDLED;
}

static enum ui_result notes_key(struct widget *w, uint32_t key)
{
	struct resize_notes *n = (struct resize_notes *)w;

	switch (key) {
	case UIK_UP:
		return n->top > 0 ? scroll(n, -1) : UI_IGNORED;
	case UIK_DOWN:
		return n->top + w->area.h < (int)n->shown->len ? scroll(n, 1) : UI_IGNORED;
	case UIK_PAGE_UP:
		return scroll(n, -w->area.h);
	case UIK_PAGE_DOWN:
		return scroll(n, w->area.h);
	default:
		return UI_IGNORED;
	}
}

static enum ui_result notes_mouse(struct widget *w, const struct ui_mouse *m)
{
	if (m->kind != UI_MOUSE_WHEEL)
		return UI_IGNORED;
	return scroll((struct resize_notes *)w, m->wheel * 3);
}

static void notes_destroy(struct widget *w)
{
	struct resize_notes *n = (struct resize_notes *)w;

	g_array_unref(n->notes);
	g_array_unref(n->shown);
}

static const struct widget_ops notes_ops = {
	.name = "resize notes",
	.draw = notes_draw,
	.key = notes_key,
	.mouse = notes_mouse,
	.focusable = notes_focusable,
	.destroy = notes_destroy,
};

struct resize_notes *resize_notes_new(void)
{
	struct resize_notes *n = g_new0(struct resize_notes, 1);

	widget_init(&n->widget, &notes_ops);
	n->notes = g_array_new(FALSE, TRUE, sizeof(struct note));
	n->shown = g_array_new(FALSE, TRUE, sizeof(struct shown));
	g_array_set_clear_func(n->notes, clear_note);
	g_array_set_clear_func(n->shown, clear_shown);
	return n;
}

void resize_notes_clear(struct resize_notes *n)
{
	g_array_set_size(n->notes, 0);
	widget_touch(&n->widget);
}

void resize_notes_add(struct resize_notes *n, enum ui_style style, const char *text,
	const char *command, bool current)
{
	struct note note = {style, g_strdup(text), g_strdup(command), current};

	g_array_append_val(n->notes, note);
	widget_touch(&n->widget);
}

char *resize_notes_text(const struct resize_notes *n)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < n->notes->len; i++) {
		const struct note *note = &g_array_index(n->notes, struct note, i);

		g_string_append_printf(text, "%s\n", note->text);
		if (note->command)
			g_string_append_printf(text, "  %s\n", note->command);
	}
	return g_string_free(text, FALSE);
}
