// SPDX-License-Identifier: GPL-3.0-or-later
// YaST's page frame: a list or tree at the left (30 %), the page at the right, both framed, below
// them the button row.
#pragma once

#include "ui/button.h"
#include "ui/layout.h"

struct page {
	struct box *box;	     // give WIDGET(page.box) to the screen
	struct frame *left, *right;
	struct button_row *buttons;  // NULL when not asked for
};

/// LEFT may be NULL (the page fills the width). All are owned by page.box.
struct page page_new(const char *left_title, struct widget *left, const char *right_title,
		     struct widget *right, bool with_buttons);
