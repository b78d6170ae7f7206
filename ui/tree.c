// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <string.h>

#include "ui/tree.h"

#define WHEEL_ROWS 3
#define INDENT 2

/* A node as kept. */
struct node {
	char *id, *label, *badge;
	int depth;
	enum ui_style style;
	bool closed, note;
	bool branch; // has nodes inside
};

struct tree {
	struct widget w;
	GPtrArray *nodes;  // struct node *, all
	GPtrArray *coming; // struct node *, between tree_begin() and tree_end()
	GPtrArray *seen;   // struct node *, borrowed: those whose branches are open
	GHashTable *open;  // id -> GINT_TO_POINTER(1 closed, 2 open), as the user left it
	char *selected;
	int cursor; // in `seen`
	int top;
};

static void node_free(void *data)
{
	struct node *node = data;

	g_free(node->id);
	g_free(node->label);
	g_free(node->badge);
	g_free(node);
}

static struct node *seen_at(const struct tree *t, int at)
{
	if (at < 0 || at >= (int)t->seen->len)
		return NULL;
	return g_ptr_array_index(t->seen, (guint)at);
}

static bool node_is_open(const struct tree *t, const struct node *node)
{
	int kept = GPOINTER_TO_INT(g_hash_table_lookup(t->open, node->id));

	return kept ? kept == 2 : !node->closed;
}

/* Lists the nodes that are not inside a closed branch. */
static void list_seen(struct tree *t)
{
	int hidden_below = G_MAXINT;

	g_ptr_array_set_size(t->seen, 0);
	for (guint i = 0; i < t->nodes->len; i++) {
		struct node *node = g_ptr_array_index(t->nodes, i);

		if (node->depth > hidden_below)
			continue;
		hidden_below = node->branch && !node_is_open(t, node) ? node->depth : G_MAXINT;
		g_ptr_array_add(t->seen, node);
	}
}

static void set_cursor(struct tree *t, int at)
{
	struct node *node;

	t->cursor = CLAMP(at, 0, MAX(0, (int)t->seen->len - 1));
	node = seen_at(t, t->cursor);
	if (node && g_strcmp0(t->selected, node->id) == 0)
		return;
	g_free(t->selected);
	t->selected = node ? g_strdup(node->id) : NULL;
}

/* The nearest place from `at` in direction `step` where the cursor may stand, or -1. */
static int standing_place(const struct tree *t, int at, int step)
{
	for (struct node *node; (node = seen_at(t, at)); at += step)
		if (!node->note)
			return at;
	return -1;
}

static void set_cursor_near(struct tree *t, int at)
{
	int place = standing_place(t, at, -1);

	if (place < 0)
		place = standing_place(t, at, 1);
	set_cursor(t, MAX(place, 0));
}

static int place_of(const struct tree *t, const char *id)
{
	for (guint i = 0; i < t->seen->len; i++)
		if (g_strcmp0(seen_at(t, (int)i)->id, id) == 0)
			return (int)i;
	return -1;
}

static void relist(struct tree *t)
{
	int place;

	list_seen(t);
	place = place_of(t, t->selected);
	if (place >= 0)
		set_cursor(t, place);
	else
		set_cursor_near(t, MIN(t->cursor, (int)t->seen->len - 1));
	widget_touch(&t->w);
}

void tree_begin(struct tree *t)
{
	g_ptr_array_set_size(t->coming, 0);
}

void tree_add(struct tree *t, const struct tree_node *from)
{
	struct node *node = g_new0(struct node, 1);
	struct node *last =
		t->coming->len ? g_ptr_array_index(t->coming, t->coming->len - 1) : NULL;

	node->id = g_strdup(from->id);
	node->label = g_strdup(from->label);
	node->badge = g_strdup(from->badge);
	node->depth = from->depth;
	node->style = from->style;
	node->closed = from->closed;
	node->note = from->note;
	if (last && last->depth < node->depth)
		last->branch = true;
	g_ptr_array_add(t->coming, node);
}

static bool same_node(const struct node *a, const struct node *b)
{
	return a->depth == b->depth && a->style == b->style && a->branch == b->branch &&
	       a->note == b->note && !g_strcmp0(a->id, b->id) && !g_strcmp0(a->label, b->label) &&
	       !g_strcmp0(a->badge, b->badge);
}

static bool same_nodes(const GPtrArray *a, const GPtrArray *b)
{
	if (a->len != b->len)
		return false;
	for (guint i = 0; i < a->len; i++)
		if (!same_node(g_ptr_array_index(a, i), g_ptr_array_index(b, i)))
			return false;
	return true;
}

void tree_end(struct tree *t)
{
	GPtrArray *former = t->nodes;

	if (same_nodes(t->nodes, t->coming)) {
		g_ptr_array_set_size(t->coming, 0);
		return;
	}
	t->nodes = t->coming;
	t->coming = former;
	relist(t);
	g_ptr_array_set_size(t->coming, 0);
}

const char *tree_selected(const struct tree *t)
{
	return t->selected;
}

bool tree_is_open(const struct tree *t, const char *id)
{
	for (guint i = 0; i < t->nodes->len; i++) {
		struct node *node = g_ptr_array_index(t->nodes, i);

		if (g_strcmp0(node->id, id) == 0)
			return node_is_open(t, node);
	}
	return false;
}

void tree_open(struct tree *t, const char *id, bool open)
{
	g_hash_table_insert(t->open, g_strdup(id), GINT_TO_POINTER(open ? 2 : 1));
	relist(t);
}

/* Opens every branch that encloses the node at `at` of all nodes. */
static void open_around(struct tree *t, guint at)
{
	int depth = ((struct node *)g_ptr_array_index(t->nodes, at))->depth;

	while (at-- > 0 && depth > 0) {
		struct node *node = g_ptr_array_index(t->nodes, at);

		if (node->depth < depth) {
			depth = node->depth;
			g_hash_table_insert(t->open, g_strdup(node->id), GINT_TO_POINTER(2));
		}
	}
}

bool tree_select(struct tree *t, const char *id)
{
	for (guint i = 0; i < t->nodes->len; i++) {
		struct node *node = g_ptr_array_index(t->nodes, i);

		if (g_strcmp0(node->id, id))
			continue;
		open_around(t, i);
		list_seen(t);
		set_cursor(t, place_of(t, id));
		widget_touch(&t->w);
		return true;
	}
	return false;
}

/* ---- drawing ---- */

static void keep_cursor_seen(struct tree *t, int page)
{
	t->top = CLAMP(t->top, t->cursor - page + 1, t->cursor);
	t->top = CLAMP(t->top, 0, MAX(0, (int)t->seen->len - page));
}

static enum ui_style style_at(struct tree *t, int at, const struct node *node)
{
	if (at != t->cursor)
		return node->style;
	return widget_shows_focus(&t->w) ? STYLE_SELECTED : STYLE_SELECTED_IDLE;
}

static void draw_node(struct tree *t, const struct canvas *c, int y, int at)
{
	const struct node *node = seen_at(t, at);
	enum ui_style style = style_at(t, at, node);
	int sign = (c->look->braille ? 1 : 0) + node->depth * INDENT;
	int label = sign + (node->note ? 0 : 2);
	int badge = text_width(node->badge);
	int right = c->w - (badge ? badge + 1 : 0);

	if (at == t->cursor)
		canvas_fill(c, 0, y, c->w, 1, style, ' ');
	if (c->look->braille && at == t->cursor)
		canvas_char(c, 0, y, style, '>');
	if (node->branch)
		canvas_glyph(c, sign, y, style, node_is_open(t, node) ? GLYPH_OPEN : GLYPH_CLOSED);
	if (right > label)
		canvas_fit(c, label, y, right - label - (badge ? 1 : 0), TEXT_LEFT, style,
			node->label);
	if (badge)
		canvas_text(c, right, y, style, node->badge);
}

static void tree_draw(struct widget *w, const struct canvas *c)
{
	struct tree *t = (struct tree *)w;

	keep_cursor_seen(t, MAX(1, c->h));
	for (int y = 0; y < c->h && seen_at(t, t->top + y); y++)
		draw_node(t, c, y, t->top + y);
	if (t->top > 0)
		canvas_glyph(c, c->w - 1, 0, STYLE_FRAME, GLYPH_UP);
	if (seen_at(t, t->top + c->h))
		canvas_glyph(c, c->w - 1, c->h - 1, STYLE_FRAME, GLYPH_DOWN);
}

static struct ui_size tree_want(struct widget *w, int width)
{
	struct tree *t = (struct tree *)w;
	int widest = 10;

	for (guint i = 0; i < t->seen->len; i++) {
		const struct node *node = seen_at(t, (int)i);

		widest = MAX(widest, node->depth * INDENT + 3 + text_width(node->label) +
					     text_width(node->badge));
	}
	return (struct ui_size){MIN(widest, width), (int)t->seen->len};
}

static bool tree_cursor(struct widget *w, int *x, int *y)
{
	struct tree *t = (struct tree *)w;

	*x = 0;
	*y = t->cursor - t->top;
	return false;
}

static bool tree_focusable(const struct widget *w)
{
	return true;
}

/* ---- keys ---- */

static enum ui_result move_to(struct tree *t, int at, int step)
{
	char *before = g_strdup(t->selected);
	int place = standing_place(t, CLAMP(at, 0, MAX(0, (int)t->seen->len - 1)), step);
	bool moved;

	if (place >= 0)
		set_cursor(t, place);
	moved = g_strcmp0(before, t->selected) != 0;
	g_free(before);
	widget_touch(&t->w);
	return moved ? UI_MOVED : UI_HANDLED;
}

static enum ui_result set_open(struct tree *t, const struct node *node, bool open)
{
	g_autofree char *id = g_strdup(node->id);

	tree_open(t, id, open);
	return UI_CHANGED;
}

static enum ui_result go_in(struct tree *t)
{
	const struct node *node = seen_at(t, t->cursor);
	const struct node *next = seen_at(t, t->cursor + 1);

	if (!node || !node->branch)
		return UI_IGNORED;
	if (!node_is_open(t, node))
		return set_open(t, node, true);
	return next && next->depth > node->depth ? move_to(t, t->cursor + 1, 1) : UI_HANDLED;
}

static enum ui_result go_out(struct tree *t)
{
	const struct node *node = seen_at(t, t->cursor);
	int at = t->cursor;

	if (!node)
		return UI_IGNORED;
	if (node->branch && node_is_open(t, node))
		return set_open(t, node, false);
	while (at >= 0 && seen_at(t, at)->depth >= node->depth)
		at--;
	return at < 0 ? UI_HANDLED : move_to(t, at, -1);
}

static enum ui_result toggle(struct tree *t)
{
	const struct node *node = seen_at(t, t->cursor);

	if (!node || !node->branch)
		return UI_IGNORED;
	return set_open(t, node, !node_is_open(t, node));
}

static enum ui_result tree_key(struct widget *w, uint32_t key)
{
	struct tree *t = (struct tree *)w;
	int page = MAX(1, w->area.h - 1);

	switch (key) {
	case UIK_UP:
		return move_to(t, t->cursor - 1, -1);
	case UIK_DOWN:
		return move_to(t, t->cursor + 1, 1);
	case UIK_PAGE_UP:
		return move_to(t, t->cursor - page, 1);
	case UIK_PAGE_DOWN:
		return move_to(t, t->cursor + page, -1);
	case UIK_HOME:
		return move_to(t, 0, 1);
	case UIK_END:
		return move_to(t, (int)t->seen->len - 1, -1);
	case UIK_RIGHT:
		return go_in(t);
	case UIK_LEFT:
		return go_out(t);
	case ' ':
		return toggle(t);
	case UIK_ENTER:
		return t->selected ? UI_ACTIVATED : UI_HANDLED;
	}
	return UI_IGNORED;
}

static enum ui_result tree_mouse(struct widget *w, const struct ui_mouse *m)
{
	struct tree *t = (struct tree *)w;
	const struct node *node = seen_at(t, t->top + m->y);

	if (m->kind == UI_MOUSE_WHEEL)
		return move_to(t, t->cursor + m->wheel * WHEEL_ROWS, m->wheel);
	if (m->button != 1 || !node || node->note)
		return UI_IGNORED;
	if (m->kind == UI_MOUSE_PRESS && node->branch && m->x / INDENT == node->depth)
		return set_open(t, node, !node_is_open(t, node));
	if (m->kind == UI_MOUSE_PRESS)
		return move_to(t, t->top + m->y, 1);
	return m->kind == UI_MOUSE_DOUBLE ? UI_ACTIVATED : UI_IGNORED;
}

static void tree_destroy(struct widget *w)
{
	struct tree *t = (struct tree *)w;

	g_ptr_array_unref(t->seen);
	g_ptr_array_unref(t->nodes);
	g_ptr_array_unref(t->coming);
	g_hash_table_unref(t->open);
	g_free(t->selected);
}

static const struct widget_ops tree_ops = {
	.name = "tree",
	.draw = tree_draw,
	.want = tree_want,
	.key = tree_key,
	.mouse = tree_mouse,
	.focusable = tree_focusable,
	.cursor = tree_cursor,
	.destroy = tree_destroy,
};

struct tree *tree_new(void)
{
	struct tree *t = g_new0(struct tree, 1);

	widget_init(&t->w, &tree_ops);
	t->nodes = g_ptr_array_new_with_free_func(node_free);
	t->coming = g_ptr_array_new_with_free_func(node_free);
	t->seen = g_ptr_array_new();
	t->open = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return t;
}
