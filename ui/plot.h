// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <glib.h>

// Turns a run of numbers into glyphs: the arithmetic behind chart.h, without a screen.
//
// A plot is filled from the bottom up (an area, not a line), its newest sample at the right edge.
// NAN is a sample that is not there and leaves a gap. A value that is not nothing always shows at
// least the smallest mark, so that "a little" and "none" differ.

/// How the cells are drawn.
enum plot_style {
	PLOT_BRAILLE, // U+2800 patterns: two samples and four steps a cell
	PLOT_BLOCK,   // U+2581..2588: one sample and eight steps a cell
	PLOT_ASCII,   // '.', ':', '#': one sample and three steps a cell
};

/// How many samples fit in `width` cells.
int plot_samples(enum plot_style style, int width);

/// Writes width * height code points to `cells`, row by row from the top; a space is an empty cell.
/// `values` holds `count` samples, oldest first; the newest plot_samples() of them are shown.
/// `top` is the value of a full column (> 0); what exceeds it is cut.
void plot_area(enum plot_style style, const double *values, int count, double top, int width,
	int height, gunichar *cells);

/// A round number at or above `value` for the top of a scale: 1, 2 or 5 times a power of ten.
double plot_round_up(double value);

/// The same for bytes: 1, 2, 4 … times a power of two, so that the label reads "2.0 GiB".
double plot_round_up_binary(double value);
