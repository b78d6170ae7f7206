// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/menu.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ui/hotkey.h"
#include "ui/list.h"

/// Lists that are longer scroll; menus do only where the screen is too low.
#define POPUP_HEIGHT_MAX 16

// ---- a list that pops up

struct popup {
	struct ui_screen screen;
	void (*picked)(int index, void *data);
	void *data;
	GDestroyNotify free_data;
	struct menubar *bar; // Left and Right open the neighbour; NULL: no bar
};

static enum ui_result popup_end(struct popup *p, int index)
{
	ui_app_close(p->screen.app, &p->screen);
	if (p->picked)
		p->picked(index, p->data);
	return UI_HANDLED;
}

static enum ui_result popup_event(struct ui_screen *s, struct widget *from, enum ui_result what)
{
	return what == UI_ACTIVATED ? popup_end((struct popup *)s, list_cursor((struct list *)from))
				    : UI_HANDLED;
}

static void menubar_step(struct menubar *bar, int step);
static void menubar_closed(struct menubar *bar);

static enum ui_result popup_key(struct ui_screen *s, uint32_t key)
{
	struct popup *p = (struct popup *)s;

	switch (key) {
	case UIK_ESC:
	case UIK_F(9):
	case UIK_CTRL('c'):
		return popup_end(p, -1);
	case UIK_LEFT:
	case UIK_RIGHT:
		if (!p->bar)
			return UI_HANDLED;
		ui_app_close(s->app, s);
		menubar_step(p->bar, key == UIK_LEFT ? -1 : 1);
		return UI_HANDLED;
	default:
		return UI_IGNORED;
	}
}

static void popup_destroy(struct ui_screen *s)
{
	struct popup *p = (struct popup *)s;

	menubar_closed(p->bar);
	if (p->free_data)
		p->free_data(p->data);
	g_free(p);
}

static const struct ui_screen_ops popup_ops = {
	.name = "list popup",
	.event = popup_event,
	.key = popup_key,
	.destroy = popup_destroy,
};

static struct popup *popup_new(const char *title, struct list *list, int x, int y)
{
	struct popup *p = g_new0(struct popup, 1);

	ui_screen_init(&p->screen, &popup_ops, WIDGET(list));
	p->screen.popup = true;
	p->screen.popup_title = g_strdup(title);
	p->screen.popup_at = x >= 0 || y >= 0;
	p->screen.popup_x = x;
	p->screen.popup_y = y;
	p->screen.popup_h = (int)CLAMP(list_length(list), 1, POPUP_HEIGHT_MAX);
	return p;
}

void list_popup(struct ui_app *app, const char *title, struct list *list, int x, int y,
		void (*picked)(int index, void *data), void *data, GDestroyNotify free_data)
{
	struct popup *p = popup_new(title, list, x, y);

	p->picked = picked;
	p->data = data;
	p->free_data = free_data;
	ui_app_push(app, &p->screen);
}

void list_popup_at_focus(struct ui_app *app, struct list *list, int x, int y,
	void (*picked)(int index, void *data), void *data, GDestroyNotify free_data)
{
	struct popup *p = popup_new(NULL, list, x, y);

	p->picked = picked;
	p->data = data;
	p->free_data = free_data;
	p->screen.popup_at = p->screen.popup_at_focus = true;
	ui_app_push(app, &p->screen);
}

// ---- menus

struct picking {
	const struct menu_item *items;
	void (*picked)(int id, void *data);
	void *data;
};

static void menu_picked(int index, void *data)
{
	struct picking *p = data;

	if (index >= 0)
		p->picked(p->items[index].id, p->data);
}

static struct list *menu_list(const struct menu_item *items, void *data)
{
	g_autoptr(GArray) lines = g_array_new(FALSE, TRUE, sizeof(struct list_item));
	struct list *list = list_new(LIST_MENU);

	for (; items->label; items++) {
		struct list_item line = {
			.text = strcmp(items->label, "-") ? _(items->label) : NULL,
			.right = items->key,
			.off = items->enabled && !items->enabled(items->id, data),
		};

		g_array_append_val(lines, line);
	}
	list_set(list, (struct list_item *)(void *)lines->data, lines->len);
	return list;
}

static struct popup *menu_new(const char *title, const struct menu_item *items, int x, int y,
			      void (*picked)(int id, void *data), void *data)
{
	struct popup *p = popup_new(title, menu_list(items, data), x, y);
	struct picking *picking = g_new0(struct picking, 1);

	*picking = (struct picking){ items, picked, data };
	p->screen.popup_menu = true;
	p->screen.popup_h = 0;
	p->picked = menu_picked;
	p->data = picking;
	p->free_data = g_free;
	return p;
}

void menu_popup(struct ui_app *app, const char *title, const struct menu_item *items, int x, int y,
		void (*picked)(int id, void *data), void *data)
{
	ui_app_push(app, &menu_new(title, items, x, y, picked, data)->screen);
}

// ---- the bar

struct menubar {
	struct widget widget;
	const struct menu *menus;
	struct ui_hotlabel *labels;
	size_t n, current;
	int opened; // drop-downs of it on the screen
	void (*picked)(int id, void *data);
	void *data;
};

/// The cell where menu I begins.
static int menu_x(const struct menubar *bar, size_t i)
{
	int x = 1;

	for (size_t k = 0; k < i; k++)
		x += ui_hotlabel_width(&bar->labels[k]) + 2;
	return x;
}

static enum ui_result menubar_open(struct menubar *bar, size_t i)
{
	struct ui_app *app = widget_app(&bar->widget);
	struct popup *p;

	bar->current = i;
	if (!app)
		return UI_HANDLED;
	p = menu_new(NULL, bar->menus[i].items, bar->widget.area.x + menu_x(bar, i) - 1,
		bar->widget.area.y + 1, bar->picked, bar->data);
	p->bar = bar;
	bar->opened++;
	ui_app_push(app, &p->screen);
	return UI_HANDLED;
}

static void menubar_step(struct menubar *bar, int step)
{
	menubar_open(bar, (bar->current + bar->n + (size_t)step) % bar->n);
}

static void menubar_closed(struct menubar *bar)
{
	if (bar)
		bar->opened--;
}

static void menubar_draw(struct widget *w, const struct canvas *c)
{
	struct menubar *bar = (struct menubar *)w;

	canvas_clear(c, STYLE_MENU);
	for (size_t i = 0; i < bar->n; i++) {
		bool here = (w->focused || bar->opened > 0) && i == bar->current;
		int x = menu_x(bar, i), width = ui_hotlabel_width(&bar->labels[i]);

		canvas_fill(c, x, 0, width + 2, 1, here ? STYLE_MENU_FOCUS : STYLE_MENU, ' ');
		if (here && c->look->braille)
			canvas_text(c, x, 0, STYLE_MENU_FOCUS, ">");
		ui_hotlabel_draw(&bar->labels[i], c, x + 1, 0, width,
			here ? STYLE_MENU_FOCUS : STYLE_MENU,
			here ? STYLE_HOTKEY_FOCUS : STYLE_MENU_HOTKEY);
	}
}

static enum ui_result menubar_key(struct widget *w, uint32_t key)
{
	struct menubar *bar = (struct menubar *)w;

	switch (key) {
	case UIK_LEFT:
		bar->current = (bar->current + bar->n - 1) % bar->n;
		return UI_HANDLED;
	case UIK_RIGHT:
		bar->current = (bar->current + 1) % bar->n;
		return UI_HANDLED;
	case UIK_ENTER:
	case UIK_DOWN:
	case ' ':
		return menubar_open(bar, bar->current);
	default:
		return UI_IGNORED;
	}
}

static enum ui_result menubar_mouse(struct widget *w, const struct ui_mouse *m)
{
	struct menubar *bar = (struct menubar *)w;

	if (m->kind != UI_MOUSE_PRESS || m->button != 1)
		return UI_IGNORED;
	for (size_t i = 0; i < bar->n; i++)
		if (m->x >= menu_x(bar, i) &&
			m->x < menu_x(bar, i) + ui_hotlabel_width(&bar->labels[i]) + 2)
			return menubar_open(bar, i);
	return UI_HANDLED;
}

static struct ui_size menubar_want(struct widget *w, int width)
{
	struct menubar *bar = (struct menubar *)w;

	return (struct ui_size){ menu_x(bar, bar->n) + 1, 1 };
}

static bool menubar_focusable(const struct widget *w)
{
	return ((const struct menubar *)w)->n > 0;
}

static bool menubar_cursor(struct widget *w, int *x, int *y)
{
	struct menubar *bar = (struct menubar *)w;

	*x = menu_x(bar, bar->current) + 1;
	*y = 0;
	return false;
}

static struct ui_hotlabel *menubar_hotlabel(struct widget *w, size_t i)
{
	struct menubar *bar = (struct menubar *)w;

	return i < bar->n ? &bar->labels[i] : NULL;
}

static enum ui_result menubar_hotkey(struct widget *w, size_t i)
{
	return menubar_open((struct menubar *)w, i);
}

static void menubar_destroy(struct widget *w)
{
	struct menubar *bar = (struct menubar *)w;

	for (size_t i = 0; i < bar->n; i++)
		ui_hotlabel_clear(&bar->labels[i]);
	g_free(bar->labels);
}

static const struct widget_ops menubar_ops = {
	.name = "menu bar",
	.draw = menubar_draw,
	.want = menubar_want,
	.key = menubar_key,
	.mouse = menubar_mouse,
	.focusable = menubar_focusable,
	.cursor = menubar_cursor,
	.hotlabel = menubar_hotlabel,
	.hotkey = menubar_hotkey,
	.destroy = menubar_destroy,
};

struct menubar *menubar_new(
	const struct menu *menus, size_t n, void (*picked)(int id, void *data), void *data)
{
	struct menubar *bar = g_new0(struct menubar, 1);

	widget_init(&bar->widget, &menubar_ops);
	bar->menus = menus;
	bar->n = n;
	bar->labels = g_new0(struct ui_hotlabel, n);
	bar->picked = picked;
	bar->data = data;
	for (size_t i = 0; i < n; i++)
		ui_hotlabel_set(&bar->labels[i], _(menus[i].label));
	return bar;
}
