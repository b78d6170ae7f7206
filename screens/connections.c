// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <math.h>

#include "screens/connections.h"
#include "ui/dialog.h"

#define SETTING "connections.uris"

/* Adds the URI to the settings, or takes it out. */
static void keep(struct console *console, const char *uri, bool kept)
{
	g_auto(GStrv) former = settings_list(console->settings, SETTING);
	g_autoptr(GPtrArray) now = g_ptr_array_new();

	for (char **at = former; *at; at++)
		if (g_strcmp0(*at, uri))
			g_ptr_array_add(now, *at);
	if (kept)
		g_ptr_array_add(now, (char *)uri);
	g_ptr_array_add(now, NULL);
	if (settings_set_list(console->settings, SETTING, (const char *const *)now->pdata, NULL))
		console_save_settings(console);
}

/* ---- adding ---- */

struct adding {
	struct console *console;
	struct field *uri, *always;
};

enum { BUTTON_ESC, BUTTON_CANCEL, BUTTON_ADD };

static bool uri_is_good(const char *text, void *data, GError **error)
{
	g_autofree char *scheme = g_uri_parse_scheme(text);

	if (scheme)
		return true;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
		_("A URI begins with its scheme, as in qemu+ssh://host/system."));
	return false;
}

static bool add_done(struct dialog *dialog, int id, void *data)
{
	struct adding *adding = data;
	const char *uri = field_text(adding->uri);
	GError *error = NULL;

	if (id != BUTTON_ADD)
		return true;
	if (!model_add(adding->console->model, uri, &error)) {
		g_autofree char *headline = error_headline(error);

		field_set_error(adding->uri, headline);
		g_error_free(error);
		return false;
	}
	if (field_check(adding->always))
		keep(adding->console, uri, true);
	return true;
}

void connection_ask_add(struct console *console)
{
	struct adding *adding = g_new0(struct adding, 1);
	struct form *form = form_new();
	struct dialog *dialog;

	adding->console = console;
	adding->uri = field_text_new("qemu:///system", 40);
	adding->always = field_check_new(_("Open it at &every start"), true);
	field_set_validator(adding->uri, uri_is_good, NULL);
	widget_set_help(WIDGET(adding->uri), _("Any libvirt URI: qemu:///system for this machine, "
					       "qemu+ssh://user@host/system for "
					       "another one, lodge:///system for Lodge's own "
					       "hypervisor, test:///default to try."));
	form_add(form, _("&URI"), WIDGET(adding->uri), NULL);
	form_add(form, NULL, WIDGET(adding->always), NULL);
	dialog = dialog_new(_("Add a connection"), WIDGET(form));
	dialog_button(dialog, _("&Cancel"), 9, BUTTON_CANCEL, false);
	dialog_button(dialog, _("&Add"), 10, BUTTON_ADD, true);
	dialog_open(console->app, dialog, add_done, adding, g_free);
}

/* ---- removing ---- */

struct removing {
	struct console *console;
	char *uri;
};

static void removing_free(void *p)
{
	struct removing *removing = p;

	g_free(removing->uri);
	g_free(removing);
}

static void remove_answered(bool yes, void *p)
{
	struct removing *removing = p;
	struct connection *c = model_connection(removing->console->model, removing->uri);

	if (!yes || !c)
		return;
	model_remove(removing->console->model, c);
	keep(removing->console, removing->uri, false);
}

void connection_ask_remove(struct console *console, struct connection *connection)
{
	struct removing *removing = g_new0(struct removing, 1);
	g_autofree char *text = g_strdup_printf(
		_("Remove the connection '%s'? Its guests run on; Lodge only looks away."),
		connection->name);
	struct dialog_question question = {
		.title = _("Remove a connection"), .text = text, .details = connection->uri};

	removing->console = console;
	removing->uri = g_strdup(connection->uri);
	dialog_ask(console->app, &question, remove_answered, removing, removing_free);
}

/* ---- looking ---- */

static void add_line(GString *text, const char *label, char *value)
{
	int pad = MAX(1, 22 - text_width(label));

	g_string_append_printf(text, "%s%*s%s\n", label, pad, "", value ? value : "-");
	g_free(value);
}

/* 0 is not known. */
static char *number(unsigned n)
{
	return n ? g_strdup_printf("%u", n) : NULL;
}

static char *size(guint64 bytes)
{
	return bytes ? format_size_long((double)bytes) : NULL;
}

static void add_host(GString *text, const struct host *host)
{
	add_line(text, _("Host name"), g_strdup(host->hostname));
	add_line(text, _("Hypervisor"),
		host->driver
			? g_strdup_printf("%s %s", host->driver, host->version ? host->version : "")
			: NULL);
	add_line(text, _("CPUs"), number(host->cpus));
	add_line(text, _("CPUs in use"),
		isnan(host->cpu) ? NULL : g_strdup_printf("%.1f", host->cpu / 100));
	add_line(text, _("vCPUs promised"), number(host->cpus_promised));
	add_line(text, _("Memory"), size(host->memory));
	add_line(text, _("Memory in use"),
		isnan(host->memory_used) ? NULL : format_size_long(host->memory_used));
	add_line(text, _("Memory promised"), size(host->memory_promised));
	add_line(text, _("Guests may grow to"), size(host->memory_most));
}

void connection_show_info(struct console *console, const struct connection *connection)
{
	g_autoptr(GString) text = g_string_new(NULL);

	add_line(text, _("URI"), g_strdup(connection->uri));
	add_line(text, _("State"), connection_status(connection));
	if (connection->reason)
		g_string_append_printf(text, "%s\n", connection->reason);
	add_line(text, _("Guests"), g_strdup_printf("%u", connection->guests->len));
	add_host(text, &connection->host);
	if (connection->details)
		g_string_append_printf(text, "\n%s\n", connection->details);
	dialog_text(console->app, connection->name, text->str);
}
