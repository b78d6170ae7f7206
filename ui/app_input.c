// SPDX-License-Identifier: GPL-3.0-or-later
#include <glib/gi18n.h>

#include "ui/app_private.h"
#include "ui/button.h"
#include "ui/dialog.h"

// ---- help

static void show_help(struct ui_app *app, struct ui_screen *s)
{
	const char *help = s->focus ? widget_help(s->focus) : widget_help(s->body);

	if (!help && s->ops->help)
		help = _(s->ops->help);
	dialog_text(app, _("Help"),
		help ? help
		     : _("Tab and Shift-Tab move between the parts of the screen, F-keys are named "
			 "in "
			 "the bottom line, Shift-F1 lists all keys."));
}

// ---- intents

/// What the framework does with an activation nobody wanted: the usual meaning of the button.
static void default_activation(struct ui_app *app, struct ui_screen *s, struct widget *from)
{
	int fkey = from && widget_is_button(from) ? button_fkey((struct button *)from) : 0;

	if (fkey == 1)
		show_help(app, s);
	else if (fkey == 9)
		ui_app_ask_close(app, s);
	else if (fkey == 10 && s->popup)
		ui_app_close(app, s);
}

void app_deliver(struct ui_app *app, struct ui_screen *s, struct widget *from, enum ui_result what)
{
	for (struct widget *w = from ? from->parent : NULL;
		w && what > UI_HANDLED && what != UI_CLOSE; w = w->parent)
		if (w->ops->event)
			what = w->ops->event(w, from, what);
	if (what == UI_MOVED || what == UI_CHANGED || what == UI_ACTIVATED) {
		enum ui_result meant = what;

		what = s->ops->event ? s->ops->event(s, from, what) : UI_IGNORED;
		if (what == UI_IGNORED && meant == UI_ACTIVATED)
			default_activation(app, s, from);
	}
	if (what == UI_CLOSE)
		ui_app_close_one(app, s);
	ui_app_touch(app);
}

void widget_emit(struct widget *w, enum ui_result what)
{
	struct ui_screen *s = widget_screen(w);
	struct ui_app *app = s ? s->app : NULL;

	if (!app)
		return;
	app->depth++;
	app_deliver(app, s, w, what);
	app->depth--;
}

// ---- keys

static bool press_hotkey(struct ui_app *app, struct ui_screen *s, gunichar ch)
{
	g_autoptr(GArray) entries = app_hotlabels(s->body);

	ch = g_unichar_tolower(ch);
	for (guint i = 0; i < entries->len; i++) {
		struct hot_entry *e = &g_array_index(entries, struct hot_entry, i);

		if (e->label->key != ch)
			continue;
		widget_grab_focus(e->widget);
		if (e->widget->ops->hotkey)
			app_deliver(app, s, e->widget, e->widget->ops->hotkey(e->widget, e->index));
		return true;
	}
	return false;
}

/// The button that an F-key stands for.
static struct widget *fkey_button(struct widget *w, int fkey)
{
	struct widget *child, *found;

	if (w->hidden || w->disabled)
		return NULL;
	if (widget_is_button(w) && button_fkey((struct button *)w) == fkey)
		return w;
	for (size_t i = 0; w->ops->child && (child = w->ops->child(w, i)); i++) {
		found = fkey_button(child, fkey);
		if (found)
			return found;
	}
	return NULL;
}

static void show_hotkeys(struct ui_app *app, struct ui_screen *s)
{
	g_autoptr(GArray) entries = app_hotlabels(s->body);
	g_autoptr(GString) text = g_string_new(NULL);
	struct keybar bar = { 0 };

	app_fill_keybar(app, &bar);
	for (int i = 1; i <= KEYBAR_MAX; i++)
		if (bar.label[i])
			g_string_append_printf(text, "F%-8d %s\n", i, bar.label[i]);
	keybar_clear(&bar);
	for (guint i = 0; i < entries->len; i++) {
		struct ui_hotlabel *l = g_array_index(entries, struct hot_entry, i).label;
		char letter[8] = "";

		if (!l->key)
			continue;
		letter[g_unichar_to_utf8(g_unichar_toupper(l->key), letter)] = '\0';
		g_string_append_printf(text, "Alt-%s     %s\n", letter, l->text);
	}
	g_string_append(
		text, _("Tab       next part, Shift-Tab the one before\n"
			"Esc       closes a popup; Esc letter is Alt-letter, Esc digit an F-key\n"
			"Ctrl-L    draws the screen anew"));
	dialog_text(app, _("Keys"), text->str);
}

/// Keys that work everywhere, before anyone else sees them.
static bool global_key(struct ui_app *app, struct ui_screen *s, uint32_t key)
{
	switch (key) {
	case UIK_CTRL('l'):
		ui_app_repaint(app);
		return true;
	case UIK_SHIFT | UIK_F(1):
	case UIK_ALT | '?':
		show_hotkeys(app, s);
		return true;
	}
	if ((key & UIK_MODS) == UIK_ALT && (key & ~UIK_MODS) < UIK_SPECIAL)
		return press_hotkey(app, s, key & ~UIK_MODS);
	return false;
}

static void move_focus(struct ui_screen *s, bool forward)
{
	struct widget *next = widget_focus_next(s->body, s->focus, forward);

	if (next)
		ui_screen_focus(s, next);
}

/// Keys that neither widgets nor the screen wanted.
static void default_key(struct ui_app *app, struct ui_screen *s, uint32_t key)
{
	switch (key) {
	case UIK_F(1):
		show_help(app, s);
		break;
	case UIK_TAB:
	case UIK_DOWN:
	case UIK_RIGHT:
		move_focus(s, true);
		break;
	case UIK_SHIFT | UIK_TAB:
	case UIK_UP:
	case UIK_LEFT:
		move_focus(s, false);
		break;
	case UIK_ESC:
		if (s->popup)
			ui_app_ask_close(app, s);
		break;
	case UIK_F(9):
	case UIK_CTRL('c'):
		ui_app_ask_close(app, s);
		break;
	default:
		if (s->popup && ui_key_is_text(key))
			press_hotkey(app, s, key);
	}
}

static void handle_key(struct ui_app *app, struct ui_screen *s, uint32_t key)
{
	enum ui_result r = UI_IGNORED;
	struct widget *button;

	if (key & UIK_PASTED) {
		if (!s->focus || !s->focus->ops->takes_text)
			return;
		if (ui_key_is_text(key & ~UIK_PASTED))
			key &= ~UIK_PASTED;
	}
	if (app_too_small(app)) { // nobody presses what cannot be seen
		if (key == UIK_CTRL('c'))
			ui_app_quit(app, 0);
		return;
	}
	if (global_key(app, s, key))
		return;
	for (struct widget *w = s->focus; w; w = w->parent) {
		r = w->ops->key ? w->ops->key(w, key) : UI_IGNORED;
		if (r != UI_IGNORED) {
			app_deliver(app, s, w, r);
			return;
		}
	}
	button = ui_key_f(key) ? fkey_button(s->body, ui_key_f(key)) : NULL;
	if (button) {
		app_deliver(app, s, button, UI_ACTIVATED);
		return;
	}
	if (s->ops->key)
		r = s->ops->key(s, key);
	if (r != UI_IGNORED)
		app_deliver(app, s, NULL, r);
	else
		default_key(app, s, key);
}

// ---- mouse

static bool offer_mouse(
	struct ui_app *app, struct ui_screen *s, struct widget *w, const struct ui_mouse *m)
{
	struct ui_mouse own = *m;
	enum ui_result r;

	if (!w->ops->mouse || w->disabled)
		return false;
	own.x = m->x - w->area.x;
	own.y = m->y - w->area.y;
	r = w->ops->mouse(w, &own);
	if (r == UI_IGNORED)
		return false;
	if (m->kind == UI_MOUSE_PRESS && ui_app_top(app) == s)
		app->grabbed = w;
	app_deliver(app, s, w, r);
	return true;
}

static void press_keybar(struct ui_app *app, int width, int x)
{
	int n = keybar_at(&app->keybar, width, x);

	if (n)
		ui_app_input(app, &(struct ui_input){ .key = UIK_F((uint32_t)n) });
}

static void handle_mouse(struct ui_app *app, struct ui_screen *s, const struct ui_mouse *m)
{
	struct widget *w = widget_at(s->body, m->x, m->y);
	int width, height;

	term_size(app->term, &width, &height);
	if (m->kind == UI_MOUSE_DRAG || m->kind == UI_MOUSE_RELEASE) {
		if (app->grabbed)
			offer_mouse(app, s, app->grabbed, m);
		if (m->kind == UI_MOUSE_RELEASE)
			app->grabbed = NULL;
		return;
	}
	if (m->y == height - 1 && m->kind == UI_MOUSE_PRESS) {
		press_keybar(app, width, m->x);
		return;
	}
	if (m->kind != UI_MOUSE_WHEEL)
		for (struct widget *f = w; f; f = f->parent)
			if (widget_can_focus(f)) {
				ui_screen_focus(s, f);
				break;
			}
	for (; w; w = w->parent)
		if (offer_mouse(app, s, w, m))
			return;
}

void ui_app_input(struct ui_app *app, const struct ui_input *in)
{
	struct ui_screen *s = ui_app_top(app);

	if (!s || app->ending)
		return;
	app->depth++;
	if (in->key != UIK_MOUSE || in->mouse.kind == UI_MOUSE_PRESS)
		app_clear_toast(app);
	app_prepare(app); // typed ahead: the screen may not have been painted yet
	if (in->key == UIK_MOUSE)
		handle_mouse(app, s, &in->mouse);
	else
		handle_key(app, s, in->key);
	ui_app_touch(app);
	app->depth--;
	app_bury(app);
}
