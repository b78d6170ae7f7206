// SPDX-License-Identifier: GPL-3.0-or-later
#include <curses.h>
#include <glib/gi18n.h>

#include "ui/app_private.h"
#include "ui/button.h"

/// A popup's frame and the blank column beside it.
#define POPUP_EDGE_W 4
#define POPUP_EDGE_H 2

static void collect_hot(struct widget *w, GArray *out)
{
	struct hot_entry e = { .widget = w };
	struct widget *child;

	if (w->hidden)
		return;
	for (; !w->disabled && w->ops->hotlabel && (e.label = w->ops->hotlabel(w, e.index));
		e.index++)
		g_array_append_val(out, e);
	for (size_t i = 0; w->ops->child && (child = w->ops->child(w, i)); i++)
		collect_hot(child, out);
}

GArray *app_hotlabels(struct widget *root)
{
	GArray *out = g_array_new(FALSE, FALSE, sizeof(struct hot_entry));

	collect_hot(root, out);
	return out;
}

static void resolve_hotkeys(struct ui_screen *s)
{
	g_autoptr(GArray) entries = app_hotlabels(s->body);
	g_autofree struct ui_hotlabel **labels = g_new(struct ui_hotlabel *, entries->len + 1);

	for (guint i = 0; i < entries->len; i++)
		labels[i] = g_array_index(entries, struct hot_entry, i).label;
	ui_hotlabel_resolve(labels, entries->len);
}

/// Where a popup's frame shall be: it stays beside what it belongs to when the terminal is resized.
static void popup_corner(const struct ui_screen *s, int *x, int *y)
{
	const struct ui_screen *below = NULL;

	*x = s->popup_x;
	*y = s->popup_y;
	for (guint i = 0; s->popup_at_focus && i < s->app->screens->len; i++) {
		if (s->app->screens->pdata[i] == s)
			break;
		below = s->app->screens->pdata[i];
	}
	if (below && below->focus) {
		*x += below->focus->area.x;
		*y += below->focus->area.y;
	}
}

static struct ui_rect popup_area(struct ui_screen *s, int w, int h)
{
	int most_w = w - POPUP_EDGE_W - 2, most_h = h - POPUP_EDGE_H - 2;
	struct ui_size size = { s->popup_w, s->popup_h };
	int x, y;

	if (!size.w)
		size.w = MAX(widget_want(s->body, G_MAXINT).w, text_width(s->popup_title) + 2);
	size.w = CLAMP(size.w, 1, most_w);
	if (!size.h)
		size.h = widget_want(s->body, size.w).h;
	size.h = CLAMP(size.h, 1, most_h);
	if (!s->popup_at)
		return (struct ui_rect){
			(w - size.w) / 2, (h - size.h) / 2, size.w, size.h };
	popup_corner(s, &x, &y);
	return (struct ui_rect){
		CLAMP(x, 0, w - size.w - POPUP_EDGE_W) + POPUP_EDGE_W / 2,
		CLAMP(y, 0, h - size.h - POPUP_EDGE_H) + 1, size.w, size.h};
}

static struct ui_rect screen_area(struct ui_screen *s, int w, int h)
{
	int lines;

	if (!s->popup)
		return (struct ui_rect){ 0, 1, w, h - 3 };
	if (!s->line)
		return popup_area(s, w, h);
	lines = CLAMP(widget_want(s->body, w).h, 1, h - 3);
	return (struct ui_rect){ 0, h - 1 - lines, w, lines };
}

static void prepare_screen(struct ui_screen *s, int w, int h)
{
	if (!s->laid_out) {
		s->laid_out = true;
		widget_place(s->body, screen_area(s, w, h));
	}
	if (!s->focus || !widget_can_focus(s->focus))
		ui_screen_focus(s, s->focus ? widget_focus_next(s->body, s->focus, true) :
					      widget_focus_first(s->body));
	if (s->focus)
		s->focus->focused = s == ui_app_top(s->app);
	resolve_hotkeys(s);
}

bool app_too_small(const struct ui_app *app)
{
	int w, h;

	term_size(app->term, &w, &h);
	return w < UI_MIN_WIDTH || h < UI_MIN_HEIGHT;
}

void app_prepare(struct ui_app *app)
{
	int w, h;

	term_size(app->term, &w, &h);
	w = MAX(w, UI_MIN_WIDTH); // what is too small to show is laid out as if it were not
	h = MAX(h, UI_MIN_HEIGHT);
	for (guint i = 0; i < app->screens->len; i++)
		prepare_screen(app->screens->pdata[i], w, h);
}

// ---- the key bar

static void widget_keys(struct widget *w, struct keybar *bar)
{
	if (!w)
		return;
	widget_keys(w->parent, bar);
	if (w->ops->keys)
		w->ops->keys(w, bar);
}

static void button_keys(struct widget *w, struct keybar *bar)
{
	struct widget *child;

	if (w->hidden || w->disabled)
		return;
	if (widget_is_button(w) && button_fkey((struct button *)w))
		keybar_set(bar, button_fkey((struct button *)w), button_text((struct button *)w));
	for (size_t i = 0; w->ops->child && (child = w->ops->child(w, i)); i++)
		button_keys(child, bar);
}

void app_fill_keybar(struct ui_app *app, struct keybar *bar)
{
	struct ui_screen *s = ui_app_top(app);

	keybar_clear(bar);
	if (!s)
		return;
	keybar_set(bar, 1, _("Help"));
	widget_keys(s->focus, bar);
	button_keys(s->body, bar);
	if (s->ops->keys)
		s->ops->keys(s, bar);
}

// ---- drawing

static struct ui_screen *lowest_shown(const struct ui_app *app, guint *index)
{
	for (guint i = app->screens->len; i-- > 0;) {
		struct ui_screen *s = app->screens->pdata[i];

		*index = i;
		if (!s->popup)
			return s;
	}
	*index = 0;
	return NULL;
}

static void draw_title(struct ui_screen *s, const struct canvas *all)
{
	g_autofree char *left = s->ops->title ? s->ops->title(s) : NULL;
	g_autofree char *right = s->ops->title_right ? s->ops->title_right(s) : NULL;
	int taken = text_width(right);

	canvas_fill(all, 0, 0, all->w, 1, STYLE_TITLE, ' ');
	canvas_fit(all, 1, 0, MAX(all->w - taken - 3, 0), TEXT_LEFT, STYLE_TITLE, left);
	canvas_text(all, all->w - taken - 1, 0, STYLE_TITLE, right);
}

/// A toast's word, so that its kind is not told by colour alone.
static const char *toast_mark(const struct ui_app *app, enum ui_style *style)
{
	switch (app->toast_kind) {
	case UI_TOAST_GOOD:
		*style = STYLE_GOOD;
		return "";
	case UI_TOAST_WARN:
		*style = STYLE_WARN;
		return "! ";
	case UI_TOAST_BAD:
		*style = STYLE_BAD;
		return "!! ";
	case UI_TOAST_INFO:
		break;
	}
	*style = STYLE_STATUS;
	return "";
}

static void draw_status(struct ui_app *app, struct ui_screen *s, const struct canvas *all)
{
	g_autofree char *text = NULL;
	enum ui_style style = STYLE_STATUS;
	int y = all->h - 2;

	if (app->toast)
		text = g_strconcat(toast_mark(app, &style), app->toast, NULL);
	else if (s && s->ops->status)
		text = s->ops->status(s);
	canvas_fill(all, 0, y, all->w, 1, STYLE_STATUS, ' ');
	canvas_fit(all, 1, y, all->w - 2, TEXT_LEFT, style, text);
}

static void draw_popup(struct ui_screen *s, const struct canvas *all)
{
	const struct ui_rect *a = &s->body->area;
	struct canvas box =
		canvas_sub(all, a->x - 2, a->y - 1, a->w + POPUP_EDGE_W, a->h + POPUP_EDGE_H);

	canvas_clear(&box, s->popup_menu ? STYLE_MENU : STYLE_TEXT);
	canvas_box(&box, 0, 0, box.w, box.h, s->popup_menu ? STYLE_MENU : STYLE_FRAME_FOCUS,
		s->popup_title, s->popup_menu ? STYLE_MENU : STYLE_FRAME_TITLE);
	widget_draw(s->body, all);
}

static void draw_all(struct ui_app *app, const struct canvas *all)
{
	struct canvas bar = canvas_sub(all, 0, all->h - 1, all->w, 1);
	guint first;
	struct ui_screen *base = lowest_shown(app, &first);

	if (base)
		draw_title(base, all);
	draw_status(app, base, all);
	for (guint i = first; i < app->screens->len; i++) {
		struct ui_screen *s = app->screens->pdata[i];

		if (s->popup && !s->line)
			draw_popup(s, all);
		else
			widget_draw(s->body, all);
	}
	app_fill_keybar(app, &app->keybar);
	keybar_draw(&app->keybar, &bar);
}

/// Where the hardware cursor belongs; whether it is to be seen.
static bool find_cursor(struct ui_app *app, int *x, int *y)
{
	struct ui_screen *s = ui_app_top(app);
	struct widget *w = s ? s->focus : NULL;
	bool text = false;

	*x = *y = 0;
	if (!w)
		return false;
	if (w->ops->cursor)
		text = w->ops->cursor(w, x, y);
	*x = w->area.x + CLAMP(*x, 0, MAX(w->area.w - 1, 0));
	*y = w->area.y + CLAMP(*y, 0, MAX(w->area.h - 1, 0));
	return text || ui_app_look(app)->braille;
}

static void draw_too_small(const struct canvas *all)
{
	g_autofree char *text = g_strdup_printf(
		_("Terminal too small: %d×%d needed."), UI_MIN_WIDTH, UI_MIN_HEIGHT);
	g_auto(GStrv) lines = text_wrap(text, all->w);
	int n = (int)g_strv_length(lines), y = MAX((all->h - n) / 2, 0);

	for (int i = 0; i < n; i++)
		canvas_text(all, MAX((all->w - text_width(lines[i])) / 2, 0), y + i, STYLE_TEXT,
			lines[i]);
}

void app_paint_now(struct ui_app *app)
{
	struct canvas all = { .win = stdscr, .look = ui_app_look(app) };
	bool visible = false;
	int x = 0, y = 0;

	term_size(app->term, &all.w, &all.h);
	all.clip = (struct ui_rect){ 0, 0, all.w, all.h };
	werase(stdscr);
	app_prepare(app);
	if (app_too_small(app)) {
		draw_too_small(&all);
	} else {
		draw_all(app, &all);
		visible = find_cursor(app, &x, &y);
	}
	term_flush(app->term, x, y, visible);
}
