// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <math.h>

#include "ui/plot.h"

/* Steps of height in one cell. */
static int steps_of(enum plot_style style)
{
	static const int steps[] = {
		[PLOT_BRAILLE] = 4,
		[PLOT_BLOCK] = 8,
		[PLOT_ASCII] = 3,
	};

	return steps[style];
}

int plot_samples(enum plot_style style, int width)
{
	return style == PLOT_BRAILLE ? width * 2 : width;
}

/* The height of one sample in steps, of `full` at most. */
static int level_of(double value, double top, int full)
{
	if (!(value > 0) || !(top > 0))
		return 0;
	if (value >= top)
		return full;
	return MAX(1, (int)lround(value / top * full));
}

/* Dots 7, 3, 2, 1 (left column) and 8, 6, 5, 4 (right column) from the bottom up, Unicode 2800. */
static gunichar braille(int left, int right)
{
	static const guint8 columns[2][5] = {
		{0x00, 0x40, 0x44, 0x46, 0x47},
		{0x00, 0x80, 0xa0, 0xb0, 0xb8},
	};
	int bits = columns[0][left] | columns[1][right];

	return bits ? 0x2800 + (gunichar)bits : ' ';
}

/* The glyph of a cell whose one or two samples reach `left` and `right` steps into it. */
static gunichar glyph(enum plot_style style, int left, int right)
{
	static const char ascii[] = {' ', '.', ':', '#'};

	switch (style) {
	case PLOT_BRAILLE:
		return braille(left, right);
	case PLOT_BLOCK:
		return left ? 0x2580 + (gunichar)left : ' ';
	case PLOT_ASCII:
		break;
	}
	return (gunichar)ascii[left];
}

/* The level of the sample `back` places before the newest; 0 where there is none. */
static int level_back(const double *values, int count, int back, double top, int full)
{
	return back < count ? level_of(values[count - 1 - back], top, full) : 0;
}

void plot_area(enum plot_style style, const double *values, int count, double top, int width,
	int height, gunichar *cells)
{
	int steps = steps_of(style);
	int full = steps * height;
	int each = plot_samples(style, 1);

	for (int x = 0; x < width; x++) {
		int back = (width - 1 - x) * each;
		int right = level_back(values, count, back, top, full);
		int left = each == 2 ? level_back(values, count, back + 1, top, full) : right;

		for (int y = 0; y < height; y++) {
			int floor_level = (height - 1 - y) * steps;

			cells[y * width + x] = glyph(style, CLAMP(left - floor_level, 0, steps),
				CLAMP(right - floor_level, 0, steps));
		}
	}
}

double plot_round_up(double value)
{
	static const double steps[] = {1, 2, 5, 10};
	double power;

	if (!(value > 0) || !isfinite(value))
		return 1;
	power = pow(10, floor(log10(value)));
	for (guint i = 0; i < G_N_ELEMENTS(steps); i++)
		if (steps[i] * power >= value)
			return steps[i] * power;
	return 10 * power;
}

double plot_round_up_binary(double value)
{
	if (!(value > 1) || !isfinite(value))
		return 1;
	return exp2(ceil(log2(value)));
}
