// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widget.h"

#include "ui/app.h"
#include "ui/app_private.h"

void widget_init(struct widget *w, const struct widget_ops *ops)
{
	w->ops = ops;
}

void widget_free(struct widget *w)
{
	struct ui_screen *s = widget_screen(w);

	if (!w)
		return;
	if (s && s->focus && widget_inside(s->focus, w))
		s->focus = NULL;
	if (s && s->app)
		app_forget(s->app, w);
	if (w->ops->destroy)
		w->ops->destroy(w);
	g_free(w->name);
	g_free(w->help);
	g_free(w);
}

void widget_set_name(struct widget *w, const char *name)
{
	g_free(w->name);
	w->name = g_strdup(name);
}

void widget_set_help(struct widget *w, const char *help)
{
	g_free(w->help);
	w->help = g_strdup(help);
}

/// Moves the focus away from something that no longer takes it.
static void leave_if_focused(struct widget *w)
{
	struct ui_screen *s = widget_screen(w);

	if (s && s->focus && widget_inside(s->focus, w))
		ui_screen_focus(s, widget_focus_next(s->body, s->focus, true));
}

void widget_set_hidden(struct widget *w, bool hidden)
{
	if (w->hidden == hidden)
		return;
	w->hidden = hidden;
	leave_if_focused(w);
	widget_relayout(w);
}

void widget_set_disabled(struct widget *w, bool disabled)
{
	if (w->disabled == disabled)
		return;
	w->disabled = disabled;
	leave_if_focused(w);
	widget_touch(w);
}

struct ui_screen *widget_screen(const struct widget *w)
{
	while (w && w->parent)
		w = w->parent;
	return w ? w->screen : NULL;
}

struct ui_app *widget_app(const struct widget *w)
{
	struct ui_screen *s = widget_screen(w);

	return s ? s->app : NULL;
}

void widget_touch(struct widget *w)
{
	struct ui_screen *s = widget_screen(w);

	if (s)
		ui_screen_touch(s);
}

void widget_relayout(struct widget *w)
{
	struct ui_screen *s = widget_screen(w);

	if (s)
		ui_screen_relayout(s);
}

void widget_place(struct widget *w, struct ui_rect area)
{
	w->area = area;
	w->area.w = MAX(area.w, 0);
	w->area.h = MAX(area.h, 0);
	if (w->ops->layout)
		w->ops->layout(w);
}

struct ui_size widget_want(struct widget *w, int width)
{
	if (w->hidden)
		return (struct ui_size){ 0, 0 };
	return w->ops->want ? w->ops->want(w, width) : (struct ui_size){ 1, 1 };
}

void widget_draw(struct widget *w, const struct canvas *c)
{
	struct canvas own;

	if (w->hidden || w->area.w <= 0 || w->area.h <= 0)
		return;
	own = canvas_sub(c, w->area.x - c->x, w->area.y - c->y, w->area.w, w->area.h);
	if (own.clip.w <= 0 || own.clip.h <= 0)
		return;
	canvas_clear(&own, STYLE_TEXT);
	if (w->ops->draw)
		w->ops->draw(w, &own);
}

static bool takes_focus(const struct widget *w)
{
	return !w->hidden && !w->disabled && w->ops->focusable && w->ops->focusable(w);
}

bool widget_can_focus(const struct widget *w)
{
	if (!takes_focus(w))
		return false;
	for (const struct widget *p = w->parent; p; p = p->parent)
		if (p->hidden || p->disabled)
			return false;
	return true;
}

/// All widgets that take the focus, and ANYWAY whether it does or not, in focus order.
static void collect(struct widget *w, struct widget *anyway, GPtrArray *out)
{
	struct widget *child;

	if (w == anyway || takes_focus(w))
		g_ptr_array_add(out, w);
	if ((w->hidden || w->disabled) && !(anyway && widget_inside(anyway, w)))
		return;
	for (size_t i = 0; w->ops->child && (child = w->ops->child(w, i)); i++)
		collect(child, anyway, out);
}

struct widget *widget_focus_first(struct widget *root)
{
	g_autoptr(GPtrArray) order = g_ptr_array_new();

	collect(root, NULL, order);
	return order->len ? order->pdata[0] : NULL;
}

struct widget *widget_focus_last(struct widget *root)
{
	g_autoptr(GPtrArray) order = g_ptr_array_new();

	collect(root, NULL, order);
	return order->len ? order->pdata[order->len - 1] : NULL;
}

struct widget *widget_focus_next(struct widget *root, struct widget *from, bool forward)
{
	g_autoptr(GPtrArray) order = g_ptr_array_new();
	guint at;

	if (!from)
		return forward ? widget_focus_first(root) : widget_focus_last(root);
	collect(root, from, order);
	if (!g_ptr_array_find(order, from, &at))
		return widget_focus_first(root);
	for (guint i = 0; i < order->len; i++) {
		at = (at + (forward ? 1 : order->len - 1)) % order->len;
		if (widget_can_focus(order->pdata[at]))
			return order->pdata[at];
	}
	return NULL;
}

bool widget_inside(const struct widget *w, const struct widget *root)
{
	for (; w; w = w->parent)
		if (w == root)
			return true;
	return false;
}

bool widget_has_focus(const struct widget *w)
{
	const struct ui_screen *s = widget_screen(w);

	return s && s->focus && widget_inside(s->focus, w);
}

bool widget_shows_focus(const struct widget *w)
{
	const struct ui_screen *s = widget_screen(w);

	return widget_has_focus(w) && (!s->app || ui_app_top(s->app) == s);
}

struct widget *widget_at(struct widget *root, int x, int y)
{
	const struct ui_rect *a = &root->area;
	struct widget *child, *found;

	if (root->hidden || x < a->x || y < a->y || x >= a->x + a->w || y >= a->y + a->h)
		return NULL;
	for (size_t i = 0; root->ops->child && (child = root->ops->child(root, i)); i++) {
		found = widget_at(child, x, y);
		if (found)
			return found;
	}
	return root;
}

struct widget *widget_find(struct widget *root, const char *name)
{
	struct widget *child, *found;

	if (g_strcmp0(root->name, name) == 0)
		return root;
	for (size_t i = 0; root->ops->child && (child = root->ops->child(root, i)); i++) {
		found = widget_find(child, name);
		if (found)
			return found;
	}
	return NULL;
}

void widget_grab_focus(struct widget *w)
{
	struct ui_screen *s = widget_screen(w);
	struct widget *target = widget_can_focus(w) ? w : widget_focus_first(w);

	if (s && target)
		ui_screen_focus(s, target);
}

const char *widget_help(const struct widget *w)
{
	for (; w; w = w->parent)
		if (w->help)
			return w->help;
	return NULL;
}
