// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/keybar.h"

void keybar_clear(struct keybar *bar)
{
	for (int i = 0; i <= KEYBAR_MAX; i++)
		g_clear_pointer(&bar->label[i], g_free);
}

void keybar_set(struct keybar *bar, int n, const char *label)
{
	if (n < 1 || n > KEYBAR_MAX)
		return;
	g_free(bar->label[n]);
	bar->label[n] = label && *label ? g_strdup(label) : NULL;
}

/// Cells of "F10" and the space before it.
static int key_cells(int n)
{
	return n >= 10 ? 4 : 3;
}

/// How many cells each label gets in WIDTH: all of them, or the longest cut evenly.
static int label_limit(const struct keybar *bar, int width)
{
	int limit = 20;

	for (; limit > 1; limit--) {
		int sum = 0;

		for (int i = 1; i <= KEYBAR_MAX; i++)
			if (bar->label[i])
				sum += key_cells(i) + MIN(text_width(bar->label[i]), limit);
		if (sum <= width)
			break;
	}
	return limit;
}

void keybar_draw(const struct keybar *bar, const struct canvas *c)
{
	int limit = label_limit(bar, c->w), x = 0;

	for (int i = 1; i <= KEYBAR_MAX; i++) {
		int w = MIN(text_width(bar->label[i]), limit);

		if (!bar->label[i])
			continue;
		canvas_printf(c, x, 0, STYLE_KEYBAR_KEY, " F%d", i);
		x += key_cells(i);
		canvas_fit(c, x, 0, w, TEXT_LEFT, STYLE_KEYBAR_LABEL, bar->label[i]);
		x += w;
	}
}

int keybar_at(const struct keybar *bar, int width, int x)
{
	int limit = label_limit(bar, width), at = 0;

	for (int i = 1; i <= KEYBAR_MAX; i++) {
		if (!bar->label[i])
			continue;
		at += key_cells(i) + MIN(text_width(bar->label[i]), limit);
		if (x < at)
			return i;
	}
	return 0;
}
