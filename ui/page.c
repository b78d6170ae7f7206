// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/page.h"

struct page page_new(const char *left_title, struct widget *left, const char *right_title,
	struct widget *right, bool with_buttons)
{
	struct page p = { .right = frame_new(right_title, right) };
	struct widget *body = WIDGET(p.right);

	if (left) {
		p.left = frame_new(left_title, left);
		body = WIDGET(split_new(WIDGET(p.left), body));
	}
	p.box = column_new(0);
	box_add(p.box, body, -1, 1);
	if (with_buttons) {
		struct box *edge = row_new(0); // as far from the edges as the frames' text

		p.buttons = button_row_new();
		box_add(edge, spacer_new(2, 1), 2, 0);
		box_add(edge, WIDGET(p.buttons), -1, 1);
		box_add(edge, spacer_new(2, 1), 2, 0);
		box_add(p.box, WIDGET(edge), 1, 0);
	}
	return p;
}
