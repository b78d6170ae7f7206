// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>

#include "screens/audit_table.h"

static const struct audit_record *record_at(void *ctx, int row)
{
	const GPtrArray *records = *(GPtrArray **)ctx;

	return g_ptr_array_index(records, records->len - 1 - (guint)row);
}

static int count(void *ctx)
{
	return (int)(*(GPtrArray **)ctx)->len;
}

/* Counted from the oldest, so that new records leave the keys of the others alone. */
static guint64 key(void *ctx, int row)
{
	return (guint64)(count(ctx) - row);
}

static void cell_of(void *ctx, int row, int column, struct table_cell *cell)
{
	const struct audit_record *r = record_at(ctx, row);
	const char *texts[] = {NULL, r->user, r->verb, r->target, r->result};
	g_autofree char *date = NULL;

	if (column == 0)
		texts[0] = date = format_date(r->time);
	g_strlcpy(cell->text, texts[column] ? texts[column] : "", sizeof(cell->text));
	if (column == 4 && g_strcmp0(r->result, "ok"))
		cell->style = STYLE_BAD;
}

static const struct table_column columns[] = {
	{.id = "time", .title = N_("&Time"), .width = 19},
	{.id = "user", .title = N_("&User"), .width = 8, .stretch = 1},
	{.id = "verb", .title = N_("&What"), .width = 8},
	{.id = "target", .title = N_("&Guest"), .width = 10, .stretch = 1},
	{.id = "result", .title = N_("&Result"), .width = 8, .stretch = 2},
};

static const struct table_source source = {
	.count = count,
	.key = key,
	.cell = cell_of,
};

struct table *audit_table_new(GPtrArray **records)
{
	struct table *table = table_new(columns, G_N_ELEMENTS(columns), &source, records);

	table_set_marking(table, false);
	table_set_empty(table, _("No change was logged yet."));
	return table;
}

char *audit_table_tell(struct table *table, GPtrArray *records)
{
	guint64 at = table_rows(table)->cursor_key;
	const struct audit_record *r;
	g_autofree char *date = NULL;

	if (!at || at > records->len)
		return NULL;
	r = g_ptr_array_index(records, at - 1);
	date = format_date(r->time);
	return g_strdup_printf("%s\n%s\n%s\n%s %s\n%s\n\n%s\n", date, r->user, r->uri, r->verb,
		r->target, r->result, r->command ? r->command : "");
}
