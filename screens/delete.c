// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>

#include "screens/delete.h"
#include "ui/dialog.h"
#include "ui/layout.h"

enum { BUTTON_ESC, BUTTON_NO, BUTTON_DELETE };

/* The dialog for one guest, with a tick per disk. */
struct deleting {
	struct console *console;
	struct guest *guest;
	GPtrArray *ticks;   // struct field *, owned by the form
	GPtrArray *targets; // char *: the disk of each tick
};

static void deleting_free(void *p)
{
	struct deleting *d = p;

	guest_unref(d->guest);
	g_ptr_array_unref(d->ticks);
	g_ptr_array_unref(d->targets);
	g_free(d);
}

/* "vda,vdb": what is ticked; empty when nothing is. */
static char *ticked(const struct deleting *d)
{
	GString *list = g_string_new(NULL);

	for (guint i = 0; i < d->ticks->len; i++)
		if (field_check(g_ptr_array_index(d->ticks, i)))
			g_string_append_printf(list, "%s%s", list->len ? "," : "",
				(char *)g_ptr_array_index(d->targets, i));
	return g_string_free(list, FALSE);
}

static bool delete_done(struct dialog *dialog, int id, void *data)
{
	struct deleting *d = data;
	struct request *request;
	g_autofree char *disks = NULL;

	if (id != BUTTON_DELETE)
		return true;
	disks = ticked(d);
	request = request_new(d->console->model, verb_find("delete"));
	request_add_guest(request, d->guest);
	if (*disks)
		request_set(request, "--storage", disks);
	console_run(d->console, request);
	return true;
}

static void add_disks(struct deleting *d, struct form *form)
{
	for (guint i = 0; i < d->guest->disks->len; i++) {
		const struct guest_disk *disk = g_ptr_array_index(d->guest->disks, i);
		g_autofree char *label = NULL;
		struct field *tick;

		if (!disk->source || g_strcmp0(disk->device, "disk"))
			continue;
		/* TRANSLATORS: a tick beside a disk: target and file. */
		label = g_strdup_printf(_("also delete %s: %s"), disk->target, disk->source);
		tick = field_check_new(label, false);
		form_add(form, NULL, WIDGET(tick), NULL);
		g_ptr_array_add(d->ticks, tick);
		g_ptr_array_add(d->targets, g_strdup(disk->target));
	}
}

static void ask_one(struct console *console, struct guest *guest)
{
	struct deleting *d = g_new0(struct deleting, 1);
	struct form *form = form_new();
	struct dialog *dialog;
	g_autofree char *title = g_strdup_printf(_("Delete '%s'?"), guest->name);
	const char *text =
		_("Its definition and a saved state are lost. Disks stay unless ticked.");

	d->console = console;
	d->guest = guest_ref(guest);
	d->ticks = g_ptr_array_new();
	d->targets = g_ptr_array_new_with_free_func(g_free);
	form_add(form, NULL, WIDGET(label_new(text, STYLE_TEXT)), NULL);
	form_heading(form, NULL);
	add_disks(d, form);
	dialog = dialog_new(title, WIDGET(form));
	dialog_button(dialog, _("&No"), 9, BUTTON_NO, false);
	dialog_button(dialog, _("&Delete"), 10, BUTTON_DELETE, false);
	dialog_default(dialog, BUTTON_NO);
	dialog_open(console->app, dialog, delete_done, d, deleting_free);
}

void delete_ask(const struct place *place)
{
	struct guest *first = g_ptr_array_index(place->guests, 0);

	/* Of several, and of one that runs, action_verb() knows what to say. */
	if (place->guests->len == 1 && !guest_active(first))
		ask_one(place->console, first);
	else
		action_verb(place, "delete", NULL, NULL);
}
