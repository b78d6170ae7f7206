// SPDX-License-Identifier: GPL-3.0-or-later
// The lines of the resize screen under each other: in use, now, a bar, the field, most, and what the
// host has left. Up and Down go from field to field; a click on a bar types its value. Scrolls when
// there are more lines than room.
#pragma once

#include "screens/resize_line.h"
#include "ui/widget.h"

struct resize_grid;
struct resize_grid *resize_grid_new(void);
/// Adds a line, which is the caller's and outlives the grid's use of it; the grid owns its field.
void resize_grid_add(struct resize_grid *grid, struct resize_line *line);
/// Shows the rare lines too, or only those of them in which something else was typed.
void resize_grid_show_rare(struct resize_grid *grid, bool rare);
/// Frees the fields.
void resize_grid_clear(struct resize_grid *grid);
/// The line that has the focus, or had it last; NULL: none.
struct resize_line *resize_grid_current(const struct resize_grid *grid);
