// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/progress.h"

#include <glib/gi18n.h>

#include "ui/button.h"
#include "ui/layout.h"

#define PROGRESS_WIDTH 56

struct bar {
	struct widget widget;
	double fraction;
};

/// The popup; it may go (hidden by the user) before the operation ends, and the other way round.
struct progress_popup {
	struct ui_screen screen;
	struct progress *progress; // NULL: the operation has ended
	struct label *text;
	struct bar *bar;
	struct button *cancel, *hide;
};

struct progress {
	struct progress_popup *popup; // NULL: hidden
	void (*cancel)(void *data);
	void *data;
};

static struct ui_size bar_want(struct widget *w, int width)
{
	return (struct ui_size){ PROGRESS_WIDTH, 1 };
}

static void bar_draw(struct widget *w, const struct canvas *c)
{
	struct bar *b = (struct bar *)w;
	int cells = MAX(c->w - 8, 1);

	if (b->fraction < 0) {
		canvas_text(c, 0, 0, STYLE_DIM, _("How long it takes is not known."));
		return;
	}
	canvas_glyph(c, 0, 0, STYLE_LABEL, GLYPH_BAR_BEGIN);
	canvas_bar(c, 1, 0, cells, b->fraction, STYLE_BAR_FULL, STYLE_BAR_EMPTY);
	canvas_glyph(c, cells + 1, 0, STYLE_LABEL, GLYPH_BAR_END);
	canvas_printf(c, cells + 2, 0, STYLE_TEXT, "%4d %%", (int)(b->fraction * 100));
}

static const struct widget_ops bar_ops = {
	.name = "progress bar",
	.draw = bar_draw,
	.want = bar_want,
};

static enum ui_result press_cancel(struct progress_popup *p)
{
	struct progress *progress = p->progress;

	if (!progress || !progress->cancel || WIDGET(p->cancel)->disabled)
		return UI_HANDLED;
	widget_set_disabled(WIDGET(p->cancel), true);
	label_set(p->text, _("Cancelling…"), STYLE_EMPHASIS);
	progress->cancel(progress->data);
	return UI_HANDLED;
}

static enum ui_result popup_event(struct ui_screen *s, struct widget *from, enum ui_result what)
{
	struct progress_popup *p = (struct progress_popup *)s;

	if (what != UI_ACTIVATED)
		return UI_HANDLED;
	return from == WIDGET(p->cancel) ? press_cancel(p) : UI_CLOSE;
}

static enum ui_result popup_key(struct ui_screen *s, uint32_t key)
{
	return key == UIK_ESC         ? UI_CLOSE
	       : key == UIK_CTRL('c') ? press_cancel((struct progress_popup *)s)
				      : UI_IGNORED;
}

static void popup_destroy(struct ui_screen *s)
{
	struct progress_popup *p = (struct progress_popup *)s;

	if (p->progress)
		p->progress->popup = NULL;
	g_free(p);
}

static const struct ui_screen_ops popup_ops = {
	.name = "progress",
	.event = popup_event,
	.key = popup_key,
	.destroy = popup_destroy,
};

struct progress *progress_open(
	struct ui_app *app, const char *title, void (*cancel)(void *data), void *data)
{
	struct progress *progress = g_new0(struct progress, 1);
	struct progress_popup *p = g_new0(struct progress_popup, 1);
	struct box *column = column_new(1);
	struct button_row *row = button_row_new();

	*progress = (struct progress){ p, cancel, data };
	p->progress = progress;
	p->text = label_new("", STYLE_TEXT);
	p->bar = g_new0(struct bar, 1);
	widget_init(&p->bar->widget, &bar_ops);
	p->bar->fraction = -1;
	p->hide = button_row_add(row, _("&Background"), 8, NULL);
	p->cancel = button_row_add(row, _("&Cancel"), 9, NULL);
	WIDGET(p->cancel)->disabled = !cancel;
	box_add(column, WIDGET(p->text), 1, 0);
	box_add(column, &p->bar->widget, 1, 0);
	box_add(column, WIDGET(row), 1, 0);
	ui_screen_init(&p->screen, &popup_ops, WIDGET(column));
	p->screen.popup = true;
	p->screen.popup_title = g_strdup(title);
	ui_app_push(app, &p->screen);
	return progress;
}

void progress_set(struct progress *progress, double fraction, const char *text)
{
	struct progress_popup *p = progress->popup;

	if (!p)
		return;
	p->bar->fraction = fraction < 0 ? -1 : MIN(fraction, 1);
	if (text && !(progress->cancel && WIDGET(p->cancel)->disabled))
		label_set(p->text, text, STYLE_TEXT);
	ui_screen_touch(&p->screen);
}

void progress_close(struct progress *progress)
{
	struct progress_popup *p = progress->popup;

	if (p) {
		p->progress = NULL;
		if (p->screen.app)
			ui_app_close_one(p->screen.app, &p->screen);
	}
	g_free(progress);
}
