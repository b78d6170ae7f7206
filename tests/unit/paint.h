// SPDX-License-Identifier: GPL-3.0-or-later
// Draws widgets into curses' memory and reads the cells back: a canvas without a terminal.
#pragma once

#include <curses.h>
#include <glib.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "ui/canvas.h"
#include "ui/widget.h"

#define PAINT_WIDTH 80
#define PAINT_HEIGHT 24

static struct ui_look paint_look = {.utf8 = true};

/// Once, before the first paint(). False when there is no terminal description to be had.
static inline bool paint_begin(void)
{
	FILE *null = fopen("/dev/null", "r+");

	setlocale(LC_ALL, "C.UTF-8");
	g_setenv("LINES", G_STRINGIFY(PAINT_HEIGHT), TRUE);
	g_setenv("COLUMNS", G_STRINGIFY(PAINT_WIDTH), TRUE);
	/* A style can be told from the cells: its number is the colour pair. */
	for (short style = 0; style < N_STYLES; style++)
		paint_look.pair[style] = style;
	if (!null || !newterm("xterm-256color", null, null))
		return false;
	start_color();
	for (short style = 1; style < N_STYLES; style++)
		init_pair(style, (short)(style % 8), 0);
	return true;
}

static inline void paint_end(void)
{
	endwin();
}

/// Draws W at the top left, WIDTH×HEIGHT cells.
static inline void paint(struct widget *w, int width, int height)
{
	struct ui_rect area = {0, 0, width, height};
	struct canvas c = {
		.win = stdscr, .look = &paint_look, .w = width, .h = height, .clip = area};

	erase();
	widget_place(w, area);
	widget_draw(w, &c);
}

/// The text of a line, without spaces at its end. The caller frees.
static inline char *painted(int y)
{
	wchar_t text[PAINT_WIDTH + 1];
	char *line;

	mvinnwstr(y, 0, text, PAINT_WIDTH);
	line = g_ucs4_to_utf8((const gunichar *)text, -1, NULL, NULL, NULL);
	return g_strchomp(line);
}

/// The style of a cell.
static inline enum ui_style painted_style(int x, int y)
{
	cchar_t cell;
	wchar_t text[CCHARW_MAX];
	attr_t attributes;
	short pair = -1;

	mvin_wch(y, x, &cell);
	getcchar(&cell, text, &attributes, &pair, NULL);
	return (enum ui_style)pair;
}

#define assert_line(y, wanted)                                                                     \
	do {                                                                                       \
		g_autofree char *line_ = painted(y);                                               \
		assert_string_equal(line_, wanted);                                                \
	} while (0)

/// Runs an array of cmocka's tests between paint_begin() and paint_end(); the program's exit status.
#define paint_run(tests)                                                                           \
	({                                                                                         \
		int failed_ = 77; /* skipped */                                                    \
		if (paint_begin()) {                                                               \
			failed_ = cmocka_run_group_tests(tests, NULL, NULL);                       \
			paint_end();                                                               \
		}                                                                                  \
		failed_;                                                                           \
	})
