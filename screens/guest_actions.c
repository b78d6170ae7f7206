// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "screens/connections.h"
#include "screens/delete.h"
#include "screens/edit.h"
#include "screens/guest.h"
#include "screens/guest_actions.h"
#include "screens/nudge.h"
#include "screens/resize.h"
#include "ui/dialog.h"

static struct guest *first_guest(const struct place *place)
{
	return g_ptr_array_index(place->guests, 0);
}

static void open_guest(const struct place *place)
{
	ui_app_push(place->console->app,
		guest_screen_new(place->console, first_guest(place), GUEST_PAGE_OVERVIEW));
}

static void edit_guest(const struct place *place)
{
	edit_open(place->console, first_guest(place));
}

static void open_xml(const struct place *place)
{
	ui_app_push(place->console->app,
		guest_screen_new(place->console, first_guest(place), GUEST_PAGE_XML));
}

/* F10: the most likely next step. */
static void start_or_open(const struct place *place)
{
	if (guest_active(first_guest(place)) && place->guests->len == 1)
		open_guest(place);
	else
		action_verb(place, "start", NULL, NULL);
}

static void delete_guests(const struct place *place)
{
	delete_ask(place);
}

static void set_autostart(const struct place *place)
{
	action_verb(place, "autostart", first_guest(place)->autostart ? "--disable" : NULL, "");
}

/* ---- questions for a line of text ---- */

/* A verb that waits for its last argument. */
struct wanting {
	struct console *console;
	struct request *request;
	const char *argument;
};

static void wanting_free(void *p)
{
	struct wanting *wanting = p;

	request_free(wanting->request);
	g_free(wanting);
}

static void wanting_answered(const char *text, void *p)
{
	struct wanting *wanting = p;

	if (!text || !*text)
		return;
	request_set(wanting->request, wanting->argument, text);
	console_run(wanting->console, g_steal_pointer(&wanting->request));
}

static struct wanting *wanting_new(
	const struct place *place, const char *verb, const char *argument)
{
	struct wanting *wanting = g_new0(struct wanting, 1);

	wanting->console = place->console;
	wanting->request = request_new(place->console->model, verb_find(verb));
	wanting->request->connection = place->connection;
	wanting->argument = argument;
	return wanting;
}

static bool name_is_good(const char *text, void *data, GError **error)
{
	if (*text && *text != '.' && !strpbrk(text, "/\n"))
		return true;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
		_("A name is not empty, does not begin with a dot and has no slash."));
	return false;
}

/* Lists and notes may be empty: that takes them away. */
static void list_answered(const char *text, void *p)
{
	struct wanting *wanting = p;

	if (!text)
		return;
	request_set(wanting->request, wanting->argument, text);
	console_run(wanting->console, g_steal_pointer(&wanting->request));
}

static void ask_list(const struct place *place, const char *verb, const char *title,
	char **(*get)(const struct guest *guest))
{
	struct wanting *wanting = wanting_new(place, verb, "--set");
	char **words = get(first_guest(place));
	g_autofree char *text = words ? g_strjoinv(",", words) : g_strdup("");

	for (guint i = 0; i < place->guests->len; i++)
		request_add_guest(wanting->request, g_ptr_array_index(place->guests, i));
	dialog_input(place->console->app, title, _("&Names, with commas"), text, NULL,
		list_answered, wanting, wanting_free);
}

static char **groups_of(const struct guest *guest)
{
	return guest->groups;
}

static char **tags_of(const struct guest *guest)
{
	return guest->tags;
}

static void set_groups(const struct place *place)
{
	ask_list(place, "group", _("Groups of the chosen guests"), groups_of);
}

static void set_tags(const struct place *place)
{
	ask_list(place, "tag", _("Tags of the chosen guests"), tags_of);
}

static bool file_is_there(const char *text, void *data, GError **error)
{
	if (g_file_test(text, G_FILE_TEST_IS_REGULAR))
		return true;
	g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND, _("There is no file of that name."));
	return false;
}

static void rename_guest(const struct place *place)
{
	struct guest *guest = first_guest(place);
	struct wanting *wanting = wanting_new(place, "rename", "NAME");

	request_add_guest(wanting->request, guest);
	dialog_input(place->console->app, _("Rename"), _("New &name"), guest->name, name_is_good,
		wanting_answered, wanting, wanting_free);
}

static void ask_file(
	const struct place *place, const char *verb, const char *argument, const char *title)
{
	if (!place->console->model->connections->len) {
		connection_ask_add(place->console);
		return;
	}
	if (!place->connection) {
		ui_app_toast(place->console->app, UI_TOAST_INFO,
			_("Choose a host in the list at the left first."));
		return;
	}
	dialog_input(place->console->app, title, _("&File on this machine"), NULL, file_is_there,
		wanting_answered, wanting_new(place, verb, argument), wanting_free);
}

void guest_add(const struct place *place)
{
	ask_file(place, "define", "FILE", _("Add a guest from its definition (XML)"));
}

void guest_restore(const struct place *place)
{
	ask_file(place, "restore", "--from", _("Restore a guest from a saved state"));
}

// clang-format off
const struct action guest_actions[] = {
	{ .id = "open", .key = "F10", .bar = N_("Open"), .run = start_or_open,
		.needs_guest = true },
	{ .id = "start", .label = N_("&Start"), .verb = "start" },
	{ .id = "shutdown", .label = N_("Sh&ut down"), .verb = "shutdown" },
	{ .id = "reboot", .label = N_("Re&boot"), .verb = "reboot" },
	{ .id = "pause", .label = N_("&Pause"), .verb = "pause" },
	{ .id = "resume", .label = N_("&Resume"), .verb = "resume" },
	{ .id = "save", .label = N_("Sa&ve and stop"), .verb = "save" },
	{ .id = "reset", .label = N_("Rese&t"), .verb = "reset" },
	{ .id = "destroy", .label = N_("Switch o&ff"), .verb = "destroy" },
	{ .label = "-" },
	{ .id = "resize", .key = "F6", .label = N_("Resi&ze…"), .bar = N_("Resize"),
		.run = resize_open, .needs_guest = true },
	{ .id = "vcpus-up", .key = "+", .bar = N_("One vCPU more"), .run = nudge_vcpus_up,
		.needs_guest = true },
	{ .id = "vcpus-down", .key = "-", .bar = N_("One vCPU less"), .run = nudge_vcpus_down,
		.needs_guest = true },
	{ .id = "memory-up", .key = "}", .bar = N_("More memory"), .run = nudge_memory_up,
		.needs_guest = true },
	{ .id = "memory-down", .key = "{", .bar = N_("Less memory"), .run = nudge_memory_down,
		.needs_guest = true },
	{ .id = "autostart", .label = N_("&Autostart on/off"), .run = set_autostart,
		.needs_guest = true },
	{ .id = "rename", .label = N_("Re&name…"), .run = rename_guest, .needs_guest = true },
	{ .id = "groups", .label = N_("&Groups…"), .run = set_groups, .needs_guest = true },
	{ .id = "tags", .label = N_("Ta&gs…"), .run = set_tags, .needs_guest = true },
	{ .id = "info", .key = "F2", .label = N_("&Info"), .bar = N_("Info"), .run = open_guest,
		.needs_guest = true },
	{ .id = "edit", .key = "F4", .label = N_("&Edit…"), .bar = N_("Edit"), .run = edit_guest,
		.needs_guest = true },
	{ .id = "xml", .key = "x", .label = N_("&XML"), .run = open_xml, .needs_guest = true },
	{ .id = "delete", .key = "F5", .label = N_("&Delete…"), .bar = N_("Delete"),
		.run = delete_guests, .needs_guest = true },
};
// clang-format on
const size_t n_guest_actions = G_N_ELEMENTS(guest_actions);
