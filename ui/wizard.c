// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/wizard.h"

#include <glib/gi18n.h>

#include "ui/button.h"
#include "ui/form.h"
#include "ui/list.h"
#include "ui/page.h"

struct step {
	char *title;
	struct widget *page;
	bool skip;
};

struct wizard {
	struct ui_screen screen;
	const struct wizard_ops *ops;
	void *data;
	char *title, *finish;
	GArray *steps; // of struct step
	int current;
	struct page page;
	struct list *list;
	struct stack *stack;
	struct button *back, *abort, *next;
};

static struct step *step_at(const struct wizard *w, int i)
{
	return &g_array_index(w->steps, struct step, i);
}

/// The next step that is not skipped; -1: none.
static int neighbour(const struct wizard *w, int from, int direction)
{
	for (int i = from + direction; i >= 0 && i < (int)w->steps->len; i += direction)
		if (!step_at(w, i)->skip)
			return i;
	return -1;
}

/// The list at the left: what is done, where we are, what comes.
static void fill_list(struct wizard *w)
{
	g_autoptr(GArray) items = g_array_new(FALSE, TRUE, sizeof(struct list_item));
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

	for (int i = 0; i < (int)w->steps->len; i++) {
		const char *mark = i == w->current                          ? ">"
				   : i < w->current && !step_at(w, i)->skip ? "+"
									    : " ";
		struct list_item item = { .off = step_at(w, i)->skip };

		g_ptr_array_add(texts, g_strdup_printf("%s %s", mark, step_at(w, i)->title));
		item.text = texts->pdata[i];
		g_array_append_val(items, item);
	}
	list_set(w->list, (struct list_item *)(void *)items->data, items->len);
}

static void show_step(struct wizard *w, int i)
{
	bool last;

	w->current = i;
	if (w->ops->enter)
		w->ops->enter(w, i, w->data);
	last = neighbour(w, i, 1) < 0;
	stack_show(w->stack, (size_t)i);
	frame_set_title(w->page.right, step_at(w, i)->title);
	button_set_label(w->next, last ? (w->finish ? w->finish : _("&Finish")) : _("&Next"));
	widget_set_disabled(WIDGET(w->back), neighbour(w, i, -1) < 0);
	fill_list(w);
	ui_screen_focus(&w->screen, widget_focus_first(step_at(w, i)->page));
	if (!w->screen.focus)
		widget_grab_focus(WIDGET(w->next));
}

static enum ui_result go_next(struct wizard *w)
{
	int next = neighbour(w, w->current, 1);
	struct widget *bad;

	if (!widget_tree_valid(step_at(w, w->current)->page, &bad)) {
		widget_grab_focus(bad);
		term_beep(ui_app_term(w->screen.app));
		return UI_HANDLED;
	}
	if (w->ops->leave && !w->ops->leave(w, w->current, w->data))
		return UI_HANDLED;
	next = neighbour(w, w->current, 1);
	if (next < 0)
		return w->ops->finish(w, w->data) ? UI_CLOSE : UI_HANDLED;
	show_step(w, next);
	return UI_HANDLED;
}

static enum ui_result go_back(struct wizard *w)
{
	int back = neighbour(w, w->current, -1);

	if (back >= 0)
		show_step(w, back);
	return UI_HANDLED;
}

static enum ui_result wizard_event(struct ui_screen *s, struct widget *from, enum ui_result what)
{
	struct wizard *w = (struct wizard *)s;

	if (what == UI_ACTIVATED && from == WIDGET(w->next))
		return go_next(w);
	if (what == UI_ACTIVATED && from == WIDGET(w->back))
		return go_back(w);
	if (what == UI_ACTIVATED && widget_is_button(from) &&
		!widget_inside(from, WIDGET(w->stack)))
		return UI_IGNORED; // Help and Abort as everywhere
	if (w->ops->event)
		w->ops->event(w, from, what, w->data);
	return UI_HANDLED;
}

static bool wizard_dirty(struct ui_screen *s)
{
	return widget_tree_changed(WIDGET(((struct wizard *)s)->stack));
}

static char *wizard_title(struct ui_screen *s)
{
	return g_strdup(((struct wizard *)s)->title);
}

static char *wizard_title_right(struct ui_screen *s)
{
	struct wizard *w = (struct wizard *)s;

	return g_strdup_printf(_("step %d of %d"), w->current + 1, (int)w->steps->len);
}

static void clear_step(void *p)
{
	g_free(((struct step *)p)->title);
}

static void wizard_destroy(struct ui_screen *s)
{
	struct wizard *w = (struct wizard *)s;

	if (w->ops->gone)
		w->ops->gone(w->data);
	g_array_unref(w->steps);
	g_free(w->title);
	g_free(w->finish);
	g_free(w);
}

static const struct ui_screen_ops wizard_screen_ops = {
	.name = "wizard",
	.title = wizard_title,
	.title_right = wizard_title_right,
	.event = wizard_event,
	.dirty = wizard_dirty,
	.destroy = wizard_destroy,
};

struct wizard *wizard_new(const char *title, const struct wizard_ops *ops, void *data)
{
	struct wizard *w = g_new0(struct wizard, 1);

	w->ops = ops;
	w->data = data;
	w->title = g_strdup(title);
	w->steps = g_array_new(FALSE, TRUE, sizeof(struct step));
	g_array_set_clear_func(w->steps, clear_step);
	w->list = list_new(LIST_STATIC);
	w->stack = stack_new();
	w->page = page_new(_("Steps"), WIDGET(w->list), "", WIDGET(w->stack), true);
	button_row_add(w->page.buttons, _("&Help"), 1, "help");
	w->back = button_row_add(w->page.buttons, _("&Back"), 8, "back");
	w->abort = button_row_add(w->page.buttons, _("&Abort"), 9, "abort");
	w->next = button_row_add(w->page.buttons, _("&Next"), 10, "next");
	ui_screen_init(&w->screen, &wizard_screen_ops, WIDGET(w->page.box));
	return w;
}

void wizard_add(struct wizard *w, const char *title, struct widget *page, const char *help)
{
	struct step step = { g_strdup(title), page, false };

	if (help)
		widget_set_help(page, help);
	g_array_append_val(w->steps, step);
	stack_add(w->stack, page);
}

void wizard_open(struct ui_app *app, struct wizard *w)
{
	g_assert(w->steps->len > 0);
	w->screen.app = app;
	show_step(w, neighbour(w, -1, 1));
	ui_app_push(app, &w->screen);
}

int wizard_step(const struct wizard *w)
{
	return w->current;
}

void wizard_skip(struct wizard *w, int step, bool skip)
{
	step_at(w, step)->skip = skip;
	fill_list(w);
	button_set_label(w->next, neighbour(w, w->current, 1) >= 0 ? _("&Next") :
				  w->finish ? w->finish : _("&Finish"));
}

struct widget *wizard_page(struct wizard *w, int step)
{
	return step_at(w, step)->page;
}

struct ui_screen *wizard_screen(struct wizard *w)
{
	return &w->screen;
}

void wizard_set_finish(struct wizard *w, const char *label)
{
	g_free(w->finish);
	w->finish = g_strdup(label);
}
