// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/app.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <signal.h>

#include "ui/app_private.h"
#include "ui/clock.h"
#include "ui/dialog.h"

#define TOAST_SECONDS 8
#define FRAME_US (G_USEC_PER_SEC / 30)

// ---- screens

void ui_screen_init(struct ui_screen *s, const struct ui_screen_ops *ops, struct widget *body)
{
	s->ops = ops;
	s->body = body;
	body->screen = s;
}

void ui_screen_touch(struct ui_screen *s)
{
	if (s->app)
		ui_app_touch(s->app);
}

void ui_screen_relayout(struct ui_screen *s)
{
	s->laid_out = false;
	ui_screen_touch(s);
}

void ui_screen_focus(struct ui_screen *s, struct widget *w)
{
	struct widget *old = s->focus;

	if (old == w)
		return;
	s->focus = w;
	if (old) {
		old->focused = false;
		if (old->ops->focus)
			old->ops->focus(old, false);
	}
	if (w) {
		w->focused = true;
		if (w->ops->focus)
			w->ops->focus(w, true);
	}
	ui_screen_touch(s);
}

static void screen_free(void *data)
{
	struct ui_screen *s = data;

	s->focus = NULL;
	s->app = NULL;
	widget_free(s->body);
	g_free(s->popup_title);
	if (s->ops->destroy)
		s->ops->destroy(s);
	else
		g_free(s);
}

// ---- the stack

struct ui_screen *ui_app_top(const struct ui_app *app)
{
	return app->screens->len ? app->screens->pdata[app->screens->len - 1] : NULL;
}

struct ui_screen *ui_app_screen(const struct ui_app *app, size_t i)
{
	return i < app->screens->len ? app->screens->pdata[i] : NULL;
}

void ui_app_push(struct ui_app *app, struct ui_screen *s)
{
	s->app = app;
	s->laid_out = false;
	app->grabbed = NULL;
	g_ptr_array_add(app->screens, s);
	if (!s->focus)
		ui_screen_focus(s, widget_focus_first(s->body));
	if (s->ops->shown)
		s->ops->shown(s);
	ui_app_touch(app);
}

void app_bury(struct ui_app *app)
{
	if (app->depth > 0)
		return;
	while (app->dead->len)
		screen_free(g_ptr_array_steal_index(app->dead, 0));
}

void app_forget(struct ui_app *app, struct widget *w)
{
	if (app->grabbed && widget_inside(app->grabbed, w))
		app->grabbed = NULL;
}

static gboolean bury_later(void *data)
{
	struct ui_app *app = data;

	app->bury_source = 0;
	app_bury(app);
	return G_SOURCE_REMOVE;
}

/// Takes the screens FROM … TO off the stack and tells the new top.
static void take_off(struct ui_app *app, guint from, guint to)
{
	struct ui_screen *was = ui_app_top(app), *top;

	app->grabbed = NULL;
	for (guint i = to + 1; i-- > from;)
		g_ptr_array_add(app->dead, g_ptr_array_steal_index(app->screens, i));
	if (!app->bury_source)
		app->bury_source = g_idle_add(bury_later, app);
	top = ui_app_top(app);
	if (!top)
		ui_app_quit(app, 0);
	else if (top != was && top->ops->shown)
		top->ops->shown(top);
	ui_app_touch(app);
}

void ui_app_close(struct ui_app *app, struct ui_screen *s)
{
	guint at;

	if (g_ptr_array_find(app->screens, s, &at))
		take_off(app, at, app->screens->len - 1);
}

void ui_app_close_one(struct ui_app *app, struct ui_screen *s)
{
	guint at;

	if (g_ptr_array_find(app->screens, s, &at))
		take_off(app, at, at);
}

static void close_answer(bool yes, void *data)
{
	struct ui_screen *s = data;

	if (yes && s->app)
		ui_app_close(s->app, s);
}

void ui_app_ask_close(struct ui_app *app, struct ui_screen *s)
{
	const struct dialog_question q = {
		.text = _("Really abort? All changes will be lost."),
	};

	if (s->ops->dirty && s->ops->dirty(s))
		dialog_ask(app, &q, close_answer, s, NULL);
	else
		ui_app_close(app, s);
}

// ---- redraws

static gboolean paint_due(void *data)
{
	struct ui_app *app = data;

	app->paint_source = 0;
	ui_app_paint(app);
	return G_SOURCE_REMOVE;
}

void ui_app_touch(struct ui_app *app)
{
	gint64 wait = app->painted_us + FRAME_US - g_get_monotonic_time();

	app->dirty = true;
	if (app->paint_source || app->ending)
		return;
	if (wait > 0)
		app->paint_source = g_timeout_add((guint)(wait / 1000 + 1), paint_due, app);
	else
		app->paint_source = g_idle_add_full(G_PRIORITY_HIGH_IDLE, paint_due, app, NULL);
}

void ui_app_paint(struct ui_app *app)
{
	if (!app->dirty || app->ending || app->lent)
		return;
	app->dirty = false;
	app->frames++;
	app_paint_now(app);
	app->painted_us = g_get_monotonic_time();
}

void ui_app_repaint(struct ui_app *app)
{
	term_repaint(app->term);
	ui_app_touch(app);
}

guint64 ui_app_frames(const struct ui_app *app)
{
	return app->frames;
}

struct ui_term *ui_app_term(const struct ui_app *app)
{
	return app->term;
}

const struct ui_look *ui_app_look(const struct ui_app *app)
{
	return term_look(app->term);
}

// ---- toast

void app_clear_toast(struct ui_app *app)
{
	if (!app->toast)
		return;
	g_clear_pointer(&app->toast, g_free);
	g_clear_handle_id(&app->toast_source, g_source_remove);
	ui_app_touch(app);
}

static gboolean toast_over(void *data)
{
	struct ui_app *app = data;

	app->toast_source = 0;
	app_clear_toast(app);
	return G_SOURCE_REMOVE;
}

void ui_app_toast(struct ui_app *app, enum ui_toast kind, const char *format, ...)
{
	va_list args;

	app_clear_toast(app);
	va_start(args, format);
	app->toast = g_strdup_vprintf(format, args);
	va_end(args);
	app->toast_kind = kind;
	if (!ui_clock_frozen())
		app->toast_source = g_timeout_add_seconds(TOAST_SECONDS, toast_over, app);
	ui_app_touch(app);
}

// ---- the loop

static gboolean esc_over(void *data)
{
	struct ui_app *app = data;

	app->esc_source = 0;
	ui_decoder_timeout(app->decoder);
	app_drain(app);
	return G_SOURCE_REMOVE;
}

void app_drain(struct ui_app *app)
{
	struct ui_input in;

	while (!app->ending && ui_decoder_next(app->decoder, &in))
		ui_app_input(app, &in);
	g_clear_handle_id(&app->esc_source, g_source_remove);
	if (!app->ending && ui_decoder_pending(app->decoder))
		app->esc_source = g_timeout_add(UI_ESC_MS, esc_over, app);
}

static gboolean input_ready(int fd, GIOCondition condition, void *data)
{
	struct ui_app *app = data;

	if (!term_read(app->term, app->decoder)) { // the terminal is gone
		ui_app_quit(app, 128 + SIGHUP);
		return G_SOURCE_REMOVE;
	}
	app_drain(app);
	return G_SOURCE_CONTINUE;
}

static void watch_input(struct ui_app *app, bool yes)
{
	if (app->in_source) {
		g_source_destroy(app->in_source);
		g_clear_pointer(&app->in_source, g_source_unref);
	}
	if (!yes)
		return;
	app->in_source = g_unix_fd_source_new(term_fd(app->term), G_IO_IN | G_IO_HUP | G_IO_ERR);
	g_source_set_callback(app->in_source, G_SOURCE_FUNC(input_ready), app, NULL);
	g_source_attach(app->in_source, NULL);
}

static gboolean on_resize(void *data)
{
	struct ui_app *app = data;

	if (!app->lent)
		term_resized(app->term);
	for (guint i = 0; i < app->screens->len; i++)
		((struct ui_screen *)app->screens->pdata[i])->laid_out = false;
	ui_app_repaint(app);
	return G_SOURCE_CONTINUE;
}

static gboolean on_sigterm(void *data)
{
	ui_app_quit(data, 128 + SIGTERM);
	return G_SOURCE_CONTINUE;
}

static gboolean on_sighup(void *data)
{
	ui_app_quit(data, 128 + SIGHUP);
	return G_SOURCE_CONTINUE;
}

static gboolean on_sigint(void *data)
{
	if (!((struct ui_app *)data)->lent)
		ui_app_quit(data, 128 + SIGINT);
	return G_SOURCE_CONTINUE;
}

static gboolean on_tick(void *data)
{
	struct ui_app *app = data;

	for (guint i = 0; i < app->screens->len; i++) {
		struct ui_screen *s = app->screens->pdata[i];

		if (s->ops->tick)
			s->ops->tick(s);
	}
	return G_SOURCE_CONTINUE;
}

// ---- the terminal is lent

struct borrower {
	bool ended;
	int status;
};

static void borrower_ended(GPid pid, gint status, gpointer data)
{
	*(struct borrower *)data = (struct borrower){ true, status };
	g_spawn_close_pid(pid);
}

/// Until it ends, or the app does: then the terminal hangs up on the other program, too.
static bool wait_for_borrower(struct ui_app *app, GPid pid, GError **error)
{
	struct borrower borrower = { .ended = false };
	guint watch = g_child_watch_add(pid, borrower_ended, &borrower);

	while (!borrower.ended && !app->ending)
		g_main_context_iteration(NULL, TRUE);
	if (borrower.ended)
		return g_spawn_check_wait_status(borrower.status, error);
	g_source_remove(watch);
	g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, _("The console ends."));
	return false;
}

bool ui_app_lend(struct ui_app *app, const char *const *argv, GError **error)
{
	GPid pid;
	bool done;

	app->lent = true;
	watch_input(app, false);
	term_suspend(app->term);
	done = g_spawn_async(NULL, (char **)argv, NULL,
		       G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN | G_SPAWN_DO_NOT_REAP_CHILD,
		       NULL, NULL, &pid, error) &&
		wait_for_borrower(app, pid, error);
	term_resume(app->term);
	watch_input(app, true);
	app->lent = false;
	on_resize(app); // perhaps meanwhile
	return done;
}

struct ui_app *ui_app_new(struct ui_term *term)
{
	struct ui_app *app = g_new0(struct ui_app, 1);

	app->term = term;
	app->decoder = ui_decoder_new(true);
	app->loop = g_main_loop_new(NULL, FALSE);
	app->screens = g_ptr_array_new();
	app->dead = g_ptr_array_new();
	watch_input(app, true);
	app->signal_source[0] = g_unix_signal_add(SIGWINCH, on_resize, app);
	app->signal_source[1] = g_unix_signal_add(SIGTERM, on_sigterm, app);
	app->signal_source[2] = g_unix_signal_add(SIGHUP, on_sighup, app);
	app->signal_source[3] = g_unix_signal_add(SIGINT, on_sigint, app);
	if (!ui_clock_frozen())
		app->tick_source = g_timeout_add_seconds(1, on_tick, app);
	return app;
}

void ui_app_free(struct ui_app *app)
{
	if (!app)
		return;
	app->ending = true;
	app->depth = 0;
	while (app->screens->len)
		g_ptr_array_add(
			app->dead, g_ptr_array_steal_index(app->screens, app->screens->len - 1));
	app_bury(app);
	app_clear_toast(app);
	g_clear_handle_id(&app->toast_source, g_source_remove);
	g_clear_handle_id(&app->paint_source, g_source_remove);
	g_clear_handle_id(&app->esc_source, g_source_remove);
	g_clear_handle_id(&app->tick_source, g_source_remove);
	g_clear_handle_id(&app->bury_source, g_source_remove);
	for (size_t i = 0; i < G_N_ELEMENTS(app->signal_source); i++)
		g_clear_handle_id(&app->signal_source[i], g_source_remove);
	watch_input(app, false);
	term_close(app->term);
	ui_decoder_free(app->decoder);
	keybar_clear(&app->keybar);
	g_ptr_array_unref(app->screens);
	g_ptr_array_unref(app->dead);
	g_main_loop_unref(app->loop);
	g_free(app);
}

int ui_app_run(struct ui_app *app)
{
	if (!app->ending)
		g_main_loop_run(app->loop);
	return app->code;
}

void ui_app_quit(struct ui_app *app, int code)
{
	if (app->ending)
		return;
	app->ending = true;
	app->code = code;
	if (app->end)
		app->end(app->end_data);
	g_main_loop_quit(app->loop);
}

void ui_app_on_end(struct ui_app *app, void (*end)(void *data), void *data)
{
	app->end = end;
	app->end_data = data;
}
