// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>

#include "screens/columns.h"
#include "ui/dialog.h"

enum { BUTTON_ESC, BUTTON_CANCEL, BUTTON_OK };

struct choosing {
	struct console *console;
	struct table *table;
	const struct table_column *columns;
	size_t n;
	struct field **ticks;
	void (*changed)(struct console *console, void *data);
	void *data;
};

static void choosing_free(void *p)
{
	struct choosing *ch = p;

	g_free(ch->ticks);
	g_free(ch);
}

static bool choose_done(struct dialog *dialog, int id, void *data)
{
	struct choosing *ch = data;

	bool any = false;

	for (size_t i = 0; i < ch->n; i++)
		any = any || field_changed(ch->ticks[i]);
	if (id != BUTTON_OK || !any)
		return true;
	/* Shown ones first: the table never loses its last column on the way. */
	for (size_t i = 0; i < ch->n; i++)
		if (field_check(ch->ticks[i]))
			table_show_column(ch->table, ch->columns[i].id, true);
	for (size_t i = 0; i < ch->n; i++)
		if (!field_check(ch->ticks[i]))
			table_show_column(ch->table, ch->columns[i].id, false);
	ch->changed(ch->console, ch->data);
	return true;
}

/* A column's title without the '&' of its letter. */
static char *plain_title(const struct table_column *column)
{
	g_auto(GStrv) parts = g_strsplit(_(column->title), "&", -1);

	return g_strjoinv("", parts);
}

void columns_ask(struct console *console, struct table *table, const struct table_column *columns,
	size_t n, void (*changed)(struct console *console, void *data), void *data)
{
	struct choosing *ch = g_new0(struct choosing, 1);
	struct form *form = form_new();
	struct dialog *dialog;

	*ch = (struct choosing){
		console, table, columns, n, g_new0(struct field *, n), changed, data};
	for (size_t i = 0; i < n; i++) {
		g_autofree char *title = plain_title(&columns[i]);

		ch->ticks[i] = field_check_new(title, table_column_shown(table, columns[i].id));
		form_add(form, NULL, WIDGET(ch->ticks[i]), NULL);
	}
	widget_set_help(
		WIDGET(form), _("Space ticks a column that is to be shown. Where not all fit, "
				"the arrow keys scroll the table sideways."));
	dialog = dialog_new(_("Columns"), WIDGET(form));
	dialog_button(dialog, _("&Cancel"), 9, BUTTON_CANCEL, false);
	dialog_button(dialog, _("&OK"), 10, BUTTON_OK, false);
	dialog_open(console->app, dialog, choose_done, ch, choosing_free);
}
