// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/app.h"
#include "ui/field_private.h"
#include "ui/list.h"
#include "ui/menu.h"

/// Between the field and its open list: either may go first.
struct choice_link {
	struct choice *choice;
};

struct choice {
	struct field field;
	char **items;
	char **off; // why an item cannot be chosen, NULL: it can; as many as items
	int current; // -1: there are no items
	struct choice_link *link;
};

static void set_current(struct choice *ch, int index)
{
	int n = (int)g_strv_length(ch->items);

	ch->current = n ? CLAMP(index, 0, n - 1) : -1;
}

static const char *current_text(const struct choice *ch)
{
	return ch->current >= 0 ? ch->items[ch->current] : "";
}

static void choice_taken(struct field *f)
{
	struct choice *ch = (struct choice *)f;

	for (int i = 0; ch->items[i]; i++)
		if (g_strcmp0(ch->items[i], f->text) == 0)
			ch->current = i;
}

static const struct field_kind choice_kind = { .taken = choice_taken };

/// One that can be chosen, from INDEX on in that direction; the current one where there is none.
static int next_on(const struct choice *ch, int index, int step)
{
	int n = (int)g_strv_length(ch->items);

	while (index >= 0 && index < n && ch->off[index])
		index += step;
	return index >= 0 && index < n ? index : ch->current;
}

static enum ui_result choose(struct choice *ch, int index)
{
	set_current(ch, index);
	return field_update(&ch->field, current_text(ch));
}

static struct ui_size choice_want(struct widget *w, int width)
{
	int most = 4;

	for (char **item = ((struct choice *)w)->items; *item; item++)
		most = MAX(most, text_width(*item));
	return (struct ui_size){ most + 4, 1 };
}

static void choice_draw(struct widget *w, const struct canvas *c)
{
	struct choice *ch = (struct choice *)w;
	enum ui_style style = field_style(&ch->field), edge = w->disabled ? STYLE_DIM : STYLE_LABEL;

	canvas_text(c, 0, 0, edge, w->disabled ? "(" : "[");
	canvas_fit(c, 1, 0, c->w - 4, TEXT_LEFT, style, current_text(ch));
	canvas_text(c, c->w - 3, 0, style, " ");
	canvas_glyph(c, c->w - 2, 0, style, GLYPH_DOWN);
	canvas_text(c, c->w - 1, 0, edge, w->disabled ? ")" : "]");
}

static void picked(int index, void *data)
{
	struct choice *ch = ((struct choice_link *)data)->choice;

	if (ch && index >= 0)
		widget_emit(&ch->field.widget, choose(ch, index));
}

static void link_gone(void *data)
{
	struct choice_link *link = data;

	if (link->choice)
		link->choice->link = NULL;
	g_free(link);
}

static void fill_list(const struct choice *ch, struct list *list)
{
	guint n = g_strv_length(ch->items);
	g_autofree struct list_item *items = g_new0(struct list_item, n);

	for (guint i = 0; i < n; i++)
		items[i] = (struct list_item){
			.text = ch->items[i], .right = ch->off[i], .off = ch->off[i] != NULL };
	list_set(list, items, n);
}

static enum ui_result open_list(struct choice *ch)
{
	struct ui_app *app = widget_app(&ch->field.widget);
	struct list *list;

	if (!app || ch->link || !*ch->items)
		return UI_HANDLED;
	ch->link = g_new0(struct choice_link, 1);
	ch->link->choice = ch;
	list = list_new(LIST_PLAIN);
	fill_list(ch, list);
	list_set_cursor(list, ch->current);
	list_popup_at_focus(app, list, -2, 1, picked, ch->link, link_gone);
	return UI_HANDLED;
}

/// The next item that begins with the letter.
static enum ui_result jump(struct choice *ch, uint32_t key)
{
	int n = (int)g_strv_length(ch->items);

	for (int i = 1; i <= n; i++) {
		int at = (ch->current + i) % n;

		if (!ch->off[at] &&
			g_unichar_tolower(g_utf8_get_char(ch->items[at])) == g_unichar_tolower(key))
			return choose(ch, at);
	}
	return UI_HANDLED;
}

static enum ui_result choice_key(struct widget *w, uint32_t key)
{
	struct choice *ch = (struct choice *)w;

	switch (key) {
	case UIK_ENTER:
	case ' ':
		return open_list(ch);
	case UIK_LEFT:
		return choose(ch, next_on(ch, ch->current - 1, -1));
	case UIK_RIGHT:
		return choose(ch, next_on(ch, ch->current + 1, 1));
	}
	return ui_key_is_text(key) ? jump(ch, key) : UI_IGNORED;
}

static enum ui_result choice_mouse(struct widget *w, const struct ui_mouse *m)
{
	struct choice *ch = (struct choice *)w;

	if (m->kind == UI_MOUSE_WHEEL)
		return w->focused ? choose(ch, next_on(ch, ch->current + m->wheel, m->wheel)) :
				    UI_IGNORED;
	return m->kind == UI_MOUSE_PRESS && m->button == 1 ? open_list(ch) : UI_IGNORED;
}

static bool choice_focusable(const struct widget *w)
{
	return true;
}

static bool choice_cursor(struct widget *w, int *x, int *y)
{
	*x = 1;
	*y = 0;
	return false;
}

static void set_items(struct choice *ch, const char *const *items)
{
	ch->items = g_strdupv((char **)items);
	ch->off = g_new0(char *, g_strv_length(ch->items) + 1);
}

static void clear_items(struct choice *ch)
{
	for (guint i = 0; ch->items[i]; i++)
		g_free(ch->off[i]);
	g_free(ch->off);
	g_strfreev(ch->items);
}

static void choice_destroy(struct widget *w)
{
	struct choice *ch = (struct choice *)w;

	if (ch->link)
		ch->link->choice = NULL;
	clear_items(ch);
	field_destroy(w);
}

static const struct widget_ops choice_ops = {
	.name = "field choice",
	.draw = choice_draw,
	.want = choice_want,
	.key = choice_key,
	.mouse = choice_mouse,
	.focusable = choice_focusable,
	.cursor = choice_cursor,
	.destroy = choice_destroy,
};

struct field *field_choice_new(const char *const *items, int current)
{
	struct choice *ch = g_new0(struct choice, 1);

	set_items(ch, items);
	set_current(ch, current);
	field_init(&ch->field, &choice_ops, &choice_kind, current_text(ch));
	return &ch->field;
}

int field_choice(const struct field *f)
{
	return ((const struct choice *)f)->current;
}

void field_choice_off(struct field *f, int index, const char *why)
{
	struct choice *ch = (struct choice *)f;

	g_free(ch->off[index]);
	ch->off[index] = g_strdup(why);
}

void field_set_choice(struct field *f, int index)
{
	struct choice *ch = (struct choice *)f;

	set_current(ch, index);
	field_set_text(f, current_text(ch));
}

void field_set_items(struct field *f, const char *const *items, int current)
{
	struct choice *ch = (struct choice *)f;

	clear_items(ch);
	set_items(ch, items);
	field_set_choice(f, current);
	widget_relayout(&f->widget);
}
