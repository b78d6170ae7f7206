// SPDX-License-Identifier: GPL-3.0-or-later
// Containers: rows and columns, frames, stacks of pages, split of tree and page.
//
// A box hands its children their wished size, then shares what is left by stretch, or takes what is
// missing first from stretching children, then from the last ones.
#pragma once

#include "ui/hotkey.h"
#include "ui/widget.h"

struct box;
/// Children side by side, or one below the other, GAP cells apart.
struct box *row_new(int gap);
struct box *column_new(int gap);
/// Adds at the end; the box owns CHILD. BASIS cells along the box (0: what it wants; with STRETCH
/// > 0 and BASIS < 0: nothing) plus STRETCH shares of the rest.
void box_add(struct box *b, struct widget *child, int basis, int stretch);
/// Frees all children.
void box_clear(struct box *b);
/// Shares lengths as box does; for widgets that arrange their own parts (table columns).
/// LEN[i] receives the lengths, never negative, their sum at most TOTAL.
void box_share(const int *want, const int *stretch, int *len, size_t n, int total);

/// A frame with a title around one child; drawn in STYLE_FRAME_FOCUS while the focus is inside.
struct frame;
struct frame *frame_new(const char *title, struct widget *child);
void frame_set_title(struct frame *f, const char *title);
/// A word at the right end of the top line ("filter: web"); NULL none.
void frame_set_note(struct frame *f, const char *note);
struct widget *frame_child(struct frame *f);
/// Replaces the child; the former one is returned, the caller frees it.
struct widget *frame_swap(struct frame *f, struct widget *child);

/// Several children, one shown.
struct stack;
struct stack *stack_new(void);
void stack_add(struct stack *s, struct widget *child);
void stack_show(struct stack *s, size_t index);
size_t stack_shown(const struct stack *s);

/// 30/70: LEFT takes 30 % of the width (20 to 36 cells, or none below 50), RIGHT the rest.
struct box *split_new(struct widget *left, struct widget *right);

/// Text that wraps; '&' has no meaning. STYLE is usually STYLE_TEXT.
struct label;
struct label *label_new(const char *text, enum ui_style style);
void label_set(struct label *l, const char *text, enum ui_style style);

/// Empty room of at least W×H.
struct widget *spacer_new(int w, int h);
