// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "ui/facts.h"

/* Cells a column of labels and values wants at least. */
#define COLUMN_WIDTH 50

struct facts {
	struct widget w;
	char **labels, **values;
	size_t n;
	int label_width;
};

static int columns_in(const struct facts *f, int width)
{
	return CLAMP(width / COLUMN_WIDTH, 1, MAX(1, (int)f->n));
}

static int lines_in(const struct facts *f, int width)
{
	int columns = columns_in(f, width);

	return ((int)f->n + columns - 1) / columns;
}

static void facts_draw(struct widget *w, const struct canvas *c)
{
	struct facts *f = (struct facts *)w;
	int columns = columns_in(f, c->w), lines = lines_in(f, c->w);
	int column_width = c->w / columns;

	for (size_t i = 0; i < f->n; i++) {
		int x = (int)i / lines * column_width, y = (int)i % lines;
		int room = column_width - f->label_width - 2;

		if (!f->labels[i])
			continue;
		canvas_text(c, x, y, STYLE_LABEL, f->labels[i]);
		canvas_fit(c, x + f->label_width + 1, y, MAX(0, room), TEXT_LEFT, STYLE_TEXT,
			f->values[i] && *f->values[i] ? f->values[i] : "-");
	}
}

static struct ui_size facts_want(struct widget *w, int width)
{
	struct facts *f = (struct facts *)w;

	return (struct ui_size){MIN(width, 2 * COLUMN_WIDTH), lines_in(f, width)};
}

static void facts_destroy(struct widget *w)
{
	struct facts *f = (struct facts *)w;

	for (size_t i = 0; i < f->n; i++) {
		g_free(f->labels[i]);
		g_free(f->values[i]);
	}
	g_free(f->labels);
	g_free(f->values);
}

static const struct widget_ops facts_ops = {
	.name = "facts",
	.draw = facts_draw,
	.want = facts_want,
	.destroy = facts_destroy,
};

struct facts *facts_new(const char *const *labels, size_t n)
{
	struct facts *f = g_new0(struct facts, 1);

	widget_init(&f->w, &facts_ops);
	f->n = n;
	f->labels = g_new0(char *, n);
	f->values = g_new0(char *, n);
	for (size_t i = 0; i < n; i++) {
		f->labels[i] = g_strdup(labels[i]);
		f->label_width = MAX(f->label_width, text_width(labels[i]));
	}
	return f;
}

void facts_set(struct facts *f, size_t i, const char *value)
{
	if (i >= f->n || g_strcmp0(f->values[i], value) == 0)
		return;
	g_free(f->values[i]);
	f->values[i] = g_strdup(value);
	widget_touch(&f->w);
}

void facts_take(struct facts *f, size_t i, char *value)
{
	facts_set(f, i, value);
	g_free(value);
}
