// SPDX-License-Identifier: GPL-3.0-or-later
// A history chart: several series over the same time, each a strip of its own with its name before
// it and its figures behind it, or a tall plot with a scale.
//
//	CPU  ⣀⣀⣤⣶⣿⣿⣶⣤ 212 %  wait 3 %
//	Mem  ⣤⣤⣤⣤⣤⣦⣶⣶ 2.1 of 4.0 GiB
//
// Plots are braille, blocks or pure ASCII (CHART_AUTO: braille where the terminal has UTF-8 and is
// not the Linux console). In the toolkit's braille mode (for readers, not for drawing) a sentence
// per series stands in for the plot: newest, lowest, highest. The owner fills values before each
// redraw.
#pragma once

#include "ui/plot.h"
#include "ui/widget.h"

enum chart_style { CHART_AUTO, CHART_BRAILLE, CHART_BLOCK, CHART_ASCII };

/// Samples a series holds at most.
#define CHART_SAMPLES 600

struct chart_series {
	const char *label;            // translated, borrowed for good: "CPU"
	enum ui_style style;          // STYLE_CHART_1 …
	double values[CHART_SAMPLES]; // oldest first; NAN a gap
	int count;
	double top;  // value of a full column; 0: the largest value seen, rounded up
	bool binary; // rounds up to a power of two (bytes)
	char *text;  // figures shown behind the plot; owned
	/// Writes a value with its unit for scale and summary: "2.0 GiB". The chart frees.
	char *(*format)(double value);
};

struct chart;

/// A chart with N series, all empty.
struct chart *chart_new(size_t n);
struct chart_series *chart_series(struct chart *ch, size_t i);

/// Sets a series' figures; copied. Redraws only when they differ.
void chart_set_text(struct chart *ch, size_t i, const char *text);
void chart_set_style(struct chart *ch, enum chart_style style);
/// Rows each series' plot wants; the height it gets is shared. 0: by the terminal's height, one for
/// each 20 lines, which it does unless told.
void chart_set_rows(struct chart *ch, int rows);
/// Cells the figures take at the right, less when it is narrow. 0: by the width, which it does
/// unless told.
void chart_set_text_width(struct chart *ch, int cells);
/// Values were filled anew.
void chart_changed(struct chart *ch);

/// "CPU: 212 %, lowest 3 %, highest 240 %" for reading aloud; the figures' text, when there is one,
/// stands for the newest value. The caller frees.
char *chart_summary(const struct chart *ch, size_t i);
