// SPDX-License-Identifier: GPL-3.0-or-later
// One line of text, also as a number with unit.
#include <glib/gi18n.h>
#include <string.h>

#include "ui/field_private.h"

struct text_field {
	struct field field;
	int width;
	size_t at;  // cursor, bytes into the text
	int scroll; // cells left of the window
	bool fresh; // a number that has just got the focus: what is typed replaces it
};

static char *number_wrong(struct field *f)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *min = NULL, *max = NULL;
	gint64 value;

	if (f->optional && !*f->text)
		return NULL;
	if (!number_parse(f->number, f->text, &value, &error))
		return g_strdup(error->message);
	if (value >= f->min && value <= f->max)
		return NULL;
	min = number_format(f->number, f->min);
	max = number_format(f->number, f->max);
	if (value < f->min)
		return g_strdup_printf(_("At least %s is needed."), min);
	return g_strdup_printf(_("At most %s is possible."), max);
}

static void text_taken(struct field *f)
{
	struct text_field *t = (struct text_field *)f;

	t->at = MIN(t->at, strlen(f->text));
	while (t->at > 0 && (f->text[t->at] & 0xc0) == 0x80)
		t->at--;
}

static const struct field_kind text_kind = { .taken = text_taken };
static const struct field_kind number_kind = { .wrong = number_wrong, .taken = text_taken };

/// The text as shown: stars for a secret.
static char *shown(const struct text_field *t, size_t bytes)
{
	g_autofree char *part = g_strndup(t->field.text, bytes);

	return t->field.secret ? g_strnfill((gsize)g_utf8_strlen(part, -1), '*')
			       : g_steal_pointer(&part);
}

static int cursor_cell(const struct text_field *t)
{
	g_autofree char *before = shown(t, t->at);

	return text_width(before);
}

static void scroll_to_cursor(struct text_field *t)
{
	int room = MAX(t->field.widget.area.w - 2, 1), cell = cursor_cell(t);
	g_autofree char *all = shown(t, strlen(t->field.text));
	int most = MAX(text_width(all) - room + 1, 0); // no empty room while text is scrolled out

	t->scroll = CLAMP(t->scroll, MAX(cell - room + 1, 0), MIN(cell, most));
}

static struct ui_size text_want(struct widget *w, int width)
{
	return (struct ui_size){ ((struct text_field *)w)->width + 2, 1 };
}

static void text_draw(struct widget *w, const struct canvas *c)
{
	struct text_field *t = (struct text_field *)w;
	struct canvas in = canvas_sub(c, 1, 0, c->w - 2, 1);
	g_autofree char *text = shown(t, strlen(t->field.text));
	enum ui_style style = field_style(&t->field);

	// Who is not typing wants to see how it begins.
	if (w->focused)
		scroll_to_cursor(t);
	else
		t->scroll = 0;
	canvas_text(c, 0, 0, w->disabled ? STYLE_DIM : STYLE_LABEL, w->disabled ? "(" : "[");
	canvas_text(c, c->w - 1, 0, w->disabled ? STYLE_DIM : STYLE_LABEL, w->disabled ? ")" : "]");
	canvas_clear(&in, style);
	canvas_text(&in, -t->scroll, 0, style, text);
}

static bool text_cursor(struct widget *w, int *x, int *y)
{
	struct text_field *t = (struct text_field *)w;

	scroll_to_cursor(t);
	*x = 1 + cursor_cell(t) - t->scroll;
	*y = 0;
	return true;
}

static bool text_focusable(const struct widget *w)
{
	return true;
}

/// Replaces the bytes FROM … TO by WITH; the cursor stands behind that.
static enum ui_result edit(struct text_field *t, size_t from, size_t to, const char *with)
{
	g_autofree char *text =
		g_strdup_printf("%.*s%s%s", (int)from, t->field.text, with, t->field.text + to);

	t->at = from + strlen(with);
	return field_update(&t->field, text);
}

static size_t before(const char *text, size_t at)
{
	do {
		at -= at > 0;
	} while (at > 0 && (text[at] & 0xc0) == 0x80);
	return at;
}

static size_t after(const char *text, size_t at)
{
	return text[at] ? (size_t)(g_utf8_next_char(text + at) - text) : at;
}

static size_t word_before(const char *text, size_t at)
{
	while (at > 0 && text[at - 1] == ' ')
		at--;
	while (at > 0 && text[at - 1] != ' ')
		at--;
	return at;
}

static size_t word_after(const char *text, size_t at)
{
	at += strspn(text + at, " ");
	return at + strcspn(text + at, " ");
}

static enum ui_result step(struct text_field *t, int direction)
{
	struct field *f = &t->field;
	gint64 step = f->number->step, value = field_number(f);
	g_autofree char *text = NULL;

	if (value < 0) // empty: the first step leads to an end of the range
		value = direction > 0 ? f->min : f->max;
	else // to the next multiple of the step
		value = direction > 0 ? value - value % step + step
				      : (value - 1) - (value - 1) % step;
	text = number_format(f->number, CLAMP(value, f->min, f->max));
	t->at = strlen(text);
	return field_update(f, text);
}

static enum ui_result number_keys(struct text_field *t, uint32_t key)
{
	switch (key) {
	case '+':
	case UIK_CTRL_BIT | UIK_UP:
		return step(t, 1);
	case '-':
	case UIK_CTRL_BIT | UIK_DOWN:
		return step(t, -1);
	default:
		return UI_IGNORED;
	}
}

static enum ui_result go(struct text_field *t, size_t at)
{
	t->at = at;
	return UI_HANDLED;
}

static enum ui_result delete_keys(struct text_field *t, uint32_t key)
{
	const char *text = t->field.text;
	size_t end = strlen(text);

	switch (key) {
	case UIK_BACKSPACE:
		return edit(t, before(text, t->at), t->at, "");
	case UIK_DELETE:
	case UIK_CTRL('d'):
		return edit(t, t->at, after(text, t->at), "");
	case UIK_CTRL('k'):
		return edit(t, t->at, end, "");
	case UIK_CTRL('u'):
		return edit(t, 0, t->at, "");
	case UIK_CTRL('w'):
		return edit(t, word_before(text, t->at), t->at, "");
	default:
		return UI_IGNORED;
	}
}

static void text_focus(struct widget *w, bool came)
{
	struct text_field *t = (struct text_field *)w;

	t->fresh = came && t->field.number;
}

static enum ui_result text_key(struct widget *w, uint32_t key)
{
	struct text_field *t = (struct text_field *)w;
	const char *text = t->field.text;
	enum ui_result r = t->field.number ? number_keys(t, key) : UI_IGNORED;
	bool fresh = t->fresh;
	char letter[8] = "";

	t->fresh = false;
	if (r == UI_IGNORED)
		r = delete_keys(t, key);
	if (r != UI_IGNORED)
		return r;
	switch (key) {
	case UIK_LEFT:
		return go(t, before(text, t->at));
	case UIK_RIGHT:
		return go(t, after(text, t->at));
	case UIK_HOME:
	case UIK_CTRL('a'):
		return go(t, 0);
	case UIK_END:
	case UIK_CTRL('e'):
		return go(t, strlen(text));
	case UIK_CTRL_BIT | UIK_LEFT:
		return go(t, word_before(text, t->at));
	case UIK_CTRL_BIT | UIK_RIGHT:
		return go(t, word_after(text, t->at));
	case UIK_ENTER:
		return UI_ACTIVATED;
	}
	if (!ui_key_is_text(key))
		return UI_IGNORED;
	letter[g_unichar_to_utf8(key, letter)] = '\0';
	return fresh ? edit(t, 0, strlen(text), letter) : edit(t, t->at, t->at, letter);
}

static enum ui_result text_mouse(struct widget *w, const struct ui_mouse *m)
{
	struct text_field *t = (struct text_field *)w;

	if (m->kind != UI_MOUSE_PRESS)
		return UI_IGNORED;
	t->fresh = false;
	if (t->field.secret)
		t->at = (size_t)(g_utf8_offset_to_pointer(t->field.text,
							  CLAMP(m->x - 1 + t->scroll, 0,
								g_utf8_strlen(t->field.text, -1))) -
				 t->field.text);
	else
		t->at = text_prefix(t->field.text, m->x - 1 + t->scroll, NULL);
	return UI_HANDLED;
}

static const struct widget_ops text_ops = {
	.name = "field text",
	.draw = text_draw,
	.want = text_want,
	.key = text_key,
	.mouse = text_mouse,
	.focus = text_focus,
	.focusable = text_focusable,
	.cursor = text_cursor,
	.destroy = field_destroy,
	.takes_text = true,
};

struct field *field_text_new(const char *value, int width)
{
	struct text_field *t = g_new0(struct text_field, 1);
	g_autofree char *clean = text_clean(value, false);

	field_init(&t->field, &text_ops, &text_kind, clean);
	t->width = width;
	t->at = strlen(t->field.text);
	return &t->field;
}

#define NUMBER_WIDTH 12

struct field *field_number_new(const struct number_kind *kind, gint64 value, gint64 min, gint64 max)
{
	struct text_field *t = g_new0(struct text_field, 1);
	g_autofree char *text = value < 0 ? g_strdup("") : number_format(kind, value);

	field_init(&t->field, &text_ops, &number_kind, text);
	t->field.number = kind;
	t->field.min = min;
	t->field.max = max;
	t->width = NUMBER_WIDTH;
	t->at = strlen(text);
	return &t->field;
}
