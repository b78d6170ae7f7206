// SPDX-License-Identifier: GPL-3.0-or-later
// What the app's parts share: app.c (stack, loop), app_paint.c (drawing), app_input.c (keys,
// mouse).
#pragma once

#include "ui/app.h"

/// The least there must be; below it only a sentence is shown.
#define UI_MIN_WIDTH 80
#define UI_MIN_HEIGHT 24

struct ui_app {
	struct ui_term *term;
	struct ui_decoder *decoder;
	GMainLoop *loop;
	GPtrArray *screens; // of struct ui_screen, lowest first
	GPtrArray *dead;    // closed, freed when no handler runs
	int depth;	    // handlers running
	int code;
	bool ending;
	bool lent; // the terminal is another program's

	bool dirty;
	guint paint_source;
	gint64 painted_us;
	guint64 frames;

	guint esc_source, tick_source, bury_source;
	GSource *in_source;
	guint signal_source[4];

	struct keybar keybar; // as last painted
	struct widget *grabbed; // gets the mouse until release
	char *toast;
	enum ui_toast toast_kind;
	guint toast_source;

	void (*end)(void *data);
	void *end_data;
};

/// app.c
void app_clear_toast(struct ui_app *app);
void app_bury(struct ui_app *app);
/// W goes: nothing may point into it any more.
void app_forget(struct ui_app *app, struct widget *w);

/// app_paint.c: lays out what needs it, gives the focus to something, resolves hotkeys.
void app_prepare(struct ui_app *app);
void app_fill_keybar(struct ui_app *app, struct keybar *bar);
void app_paint_now(struct ui_app *app);
bool app_too_small(const struct ui_app *app);
/// The hotkey labels of a widget tree in focus order, and (parallel, may be NULL) their widgets and
/// indices.
struct hot_entry {
	struct ui_hotlabel *label;
	struct widget *widget;
	size_t index;
};
GArray *app_hotlabels(struct widget *root);

/// app_input.c: everything the decoder holds.
void app_drain(struct ui_app *app);
void app_deliver(struct ui_app *app, struct ui_screen *s, struct widget *from, enum ui_result what);
