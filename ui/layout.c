// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/layout.h"

#include "ui/app.h"

/// A split's left part is never narrower than this, and never wider: pages want the room.
#define SPLIT_MIN 20
#define SPLIT_MAX 36

struct box_item {
	struct widget *child;
	int basis, stretch;
};

struct box {
	struct widget widget;
	GArray *items; // of struct box_item
	int gap;
	bool column, split;
};

static struct box_item *box_item(struct box *b, size_t i)
{
	return &g_array_index(b->items, struct box_item, i);
}

void box_share(const int *want, const int *stretch, int *len, size_t n, int total)
{
	int rest = total, shares = 0;

	for (size_t i = 0; i < n; i++) {
		len[i] = MAX(want[i], 0);
		rest -= len[i];
		shares += stretch[i];
	}
	for (size_t i = 0; i < n && rest > 0 && shares > 0; i++) {
		int part = (int)((gint64)rest * stretch[i] / shares);

		len[i] += part;
		rest -= part;
		shares -= stretch[i];
	}
	for (int pass = 0; pass < 2; pass++) // too much: stretching ones give first, from the end
		for (size_t i = n; i-- > 0 && rest < 0;) {
			int give = stretch[i] > 0 || pass == 1 ? MIN(len[i], -rest) : 0;

			len[i] -= give;
			rest += give;
		}
}

static struct ui_size box_want(struct widget *w, int width)
{
	struct box *b = (struct box *)w;
	int along = 0, across = 0, shown = 0;

	for (size_t i = 0; i < b->items->len; i++) {
		struct box_item *it = box_item(b, i);
		struct ui_size size = widget_want(it->child, b->column ? width : G_MAXINT);

		if (it->child->hidden)
			continue;
		if (it->basis > 0 && b->column)
			size.h = it->basis;
		else if (it->basis > 0)
			size.w = it->basis;
		along += b->column ? size.h : size.w;
		across = MAX(across, b->column ? size.w : size.h);
		shown++;
	}
	along += MAX(shown - 1, 0) * b->gap;
	return b->column ? (struct ui_size){ across, along } : (struct ui_size){ along, across };
}

/// The wished length of each child; what hidden ones and gaps leave of TOTAL is returned.
static int box_wishes(struct box *b, int *want, int *stretch, int total)
{
	int gaps = -1;

	for (size_t i = 0; i < b->items->len; i++) {
		struct box_item *it = box_item(b, i);
		struct ui_size size =
			widget_want(it->child, b->column ? b->widget.area.w : G_MAXINT);

		stretch[i] = it->child->hidden ? 0 : it->stretch;
		want[i] = it->basis ? it->basis : b->column ? size.h : size.w;
		if (it->child->hidden)
			want[i] = 0;
		else
			gaps++;
	}
	return total - MAX(gaps, 0) * b->gap;
}

static void box_layout(struct widget *w)
{
	struct box *b = (struct box *)w;
	size_t n = b->items->len;
	g_autofree int *want = g_new0(int, n), *stretch = g_new0(int, n), *len = g_new0(int, n);
	struct ui_rect at = w->area;
	int total = b->column ? at.h : at.w;

	total = box_wishes(b, want, stretch, total);
	box_share(want, stretch, len, n, MAX(total, 0));
	if (b->split && n == 2 && !box_item(b, 0)->child->hidden) {
		len[0] = MIN(CLAMP(at.w * 30 / 100, SPLIT_MIN, SPLIT_MAX), at.w);
		len[1] = at.w - len[0];
	}
	for (size_t i = 0; i < n; i++) {
		struct widget *child = box_item(b, i)->child;
		int *pos = b->column ? &at.y : &at.x, *size = b->column ? &at.h : &at.w;

		*size = len[i];
		widget_place(child, at);
		if (!child->hidden)
			*pos += len[i] + b->gap;
	}
}

static void box_draw(struct widget *w, const struct canvas *c)
{
	struct box *b = (struct box *)w;

	for (size_t i = 0; i < b->items->len; i++)
		widget_draw(box_item(b, i)->child, c);
}

static struct widget *box_child(struct widget *w, size_t i)
{
	struct box *b = (struct box *)w;

	return i < b->items->len ? box_item(b, i)->child : NULL;
}

static void box_destroy(struct widget *w)
{
	struct box *b = (struct box *)w;

	box_clear(b);
	g_array_unref(b->items);
}

static const struct widget_ops box_ops = {
	.name = "box",
	.draw = box_draw,
	.want = box_want,
	.layout = box_layout,
	.child = box_child,
	.destroy = box_destroy,
};

static struct box *box_new(bool column, int gap)
{
	struct box *b = g_new0(struct box, 1);

	widget_init(&b->widget, &box_ops);
	b->items = g_array_new(FALSE, FALSE, sizeof(struct box_item));
	b->column = column;
	b->gap = gap;
	return b;
}

struct box *row_new(int gap)
{
	return box_new(false, gap);
}

struct box *column_new(int gap)
{
	return box_new(true, gap);
}

struct box *split_new(struct widget *left, struct widget *right)
{
	struct box *b = box_new(false, 0);

	b->split = true;
	box_add(b, left, -1, 30);
	box_add(b, right, -1, 70);
	return b;
}

void box_add(struct box *b, struct widget *child, int basis, int stretch)
{
	struct box_item item = { child, basis, stretch };

	child->parent = &b->widget;
	g_array_append_val(b->items, item);
	widget_relayout(&b->widget);
}

void box_clear(struct box *b)
{
	for (size_t i = 0; i < b->items->len; i++)
		widget_free(box_item(b, i)->child);
	g_array_set_size(b->items, 0);
	widget_relayout(&b->widget);
}

// ---- frame

struct frame {
	struct widget widget;
	struct widget *child;
	char *title, *note;
};

static struct ui_size frame_want(struct widget *w, int width)
{
	struct frame *f = (struct frame *)w;
	struct ui_size size = widget_want(f->child, width == G_MAXINT ? width : MAX(width - 2, 0));

	return (struct ui_size){ MAX(size.w, text_width(f->title)) + 2, size.h + 2 };
}

static void frame_layout(struct widget *w)
{
	struct frame *f = (struct frame *)w;

	widget_place(f->child,
		(struct ui_rect){w->area.x + 1, w->area.y + 1, w->area.w - 2, w->area.h - 2});
}

static void frame_draw(struct widget *w, const struct canvas *c)
{
	struct frame *f = (struct frame *)w;
	bool focus = widget_shows_focus(w);
	int room = c->w - 4 - text_width(f->title);

	canvas_box(c, 0, 0, c->w, c->h, focus ? STYLE_FRAME_FOCUS : STYLE_FRAME, f->title,
		   focus ? STYLE_FRAME_FOCUS : STYLE_FRAME_TITLE);
	if (f->note && room > 4) {
		g_autofree char *cut = text_ellipsis(f->note, room - 2);

		canvas_printf(c, c->w - 4 - text_width(cut), 0, STYLE_FRAME_TITLE, " %s ", cut);
	}
	widget_draw(f->child, c);
}

static struct widget *frame_kid(struct widget *w, size_t i)
{
	return i == 0 ? ((struct frame *)w)->child : NULL;
}

static void frame_destroy(struct widget *w)
{
	struct frame *f = (struct frame *)w;

	widget_free(f->child);
	g_free(f->title);
	g_free(f->note);
}

static const struct widget_ops frame_ops = {
	.name = "frame",
	.draw = frame_draw,
	.want = frame_want,
	.layout = frame_layout,
	.child = frame_kid,
	.destroy = frame_destroy,
};

struct frame *frame_new(const char *title, struct widget *child)
{
	struct frame *f = g_new0(struct frame, 1);

	widget_init(&f->widget, &frame_ops);
	f->title = g_strdup(title);
	f->child = child;
	child->parent = &f->widget;
	return f;
}

static void set_text(struct widget *w, char **text, const char *to)
{
	if (g_strcmp0(*text, to) == 0)
		return;
	g_free(*text);
	*text = g_strdup(to);
	widget_touch(w);
}

void frame_set_title(struct frame *f, const char *title)
{
	set_text(&f->widget, &f->title, title);
}

void frame_set_note(struct frame *f, const char *note)
{
	set_text(&f->widget, &f->note, note);
}

struct widget *frame_child(struct frame *f)
{
	return f->child;
}

struct widget *frame_swap(struct frame *f, struct widget *child)
{
	struct widget *former = f->child;
	struct ui_screen *s = widget_screen(&f->widget);
	bool focus = widget_has_focus(former);

	if (focus)
		ui_screen_focus(s, NULL);
	former->parent = NULL;
	f->child = child;
	child->parent = &f->widget;
	if (focus)
		widget_grab_focus(child);
	widget_relayout(&f->widget);
	return former;
}

// ---- stack

struct stack {
	struct widget widget;
	GPtrArray *children;
	size_t shown;
};

static struct ui_size stack_want(struct widget *w, int width)
{
	struct stack *s = (struct stack *)w;
	struct ui_size most = { 0, 0 };

	for (size_t i = 0; i < s->children->len; i++) {
		struct widget *child = s->children->pdata[i];
		bool hidden = child->hidden;
		struct ui_size size;

		child->hidden = false; // room for the largest, so that nothing jumps
		size = widget_want(child, width);
		child->hidden = hidden;
		most.w = MAX(most.w, size.w);
		most.h = MAX(most.h, size.h);
	}
	return most;
}

static void stack_layout(struct widget *w)
{
	struct stack *s = (struct stack *)w;

	for (size_t i = 0; i < s->children->len; i++)
		widget_place(s->children->pdata[i], w->area);
}

static void stack_draw(struct widget *w, const struct canvas *c)
{
	struct stack *s = (struct stack *)w;

	if (s->shown < s->children->len)
		widget_draw(s->children->pdata[s->shown], c);
}

static struct widget *stack_child(struct widget *w, size_t i)
{
	struct stack *s = (struct stack *)w;

	return i < s->children->len ? s->children->pdata[i] : NULL;
}

static void stack_destroy(struct widget *w)
{
	g_ptr_array_unref(((struct stack *)w)->children);
}

static const struct widget_ops stack_ops = {
	.name = "stack",
	.draw = stack_draw,
	.want = stack_want,
	.layout = stack_layout,
	.child = stack_child,
	.destroy = stack_destroy,
};

static void free_child(void *w)
{
	widget_free(w);
}

struct stack *stack_new(void)
{
	struct stack *s = g_new0(struct stack, 1);

	widget_init(&s->widget, &stack_ops);
	s->children = g_ptr_array_new_with_free_func(free_child);
	return s;
}

void stack_add(struct stack *s, struct widget *child)
{
	child->parent = &s->widget;
	child->hidden = s->children->len != s->shown;
	g_ptr_array_add(s->children, child);
	widget_relayout(&s->widget);
}

void stack_show(struct stack *s, size_t index)
{
	struct widget *old = s->shown < s->children->len ? s->children->pdata[s->shown] : NULL;
	bool focus = old && widget_has_focus(old);

	if (index == s->shown || index >= s->children->len)
		return;
	s->shown = index;
	for (size_t i = 0; i < s->children->len; i++)
		((struct widget *)s->children->pdata[i])->hidden = i != index;
	if (focus)
		widget_grab_focus(s->children->pdata[index]);
	widget_relayout(&s->widget);
}

size_t stack_shown(const struct stack *s)
{
	return s->shown;
}
