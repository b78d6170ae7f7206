// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>

#include "screens/connections.h"
#include "screens/guest_actions.h"

static bool has_connection(const struct place *place)
{
	if (place->connection)
		return true;
	ui_app_toast(place->console->app, UI_TOAST_INFO, _("Choose one host in the list first."));
	return false;
}

static void show_info(const struct place *place)
{
	if (has_connection(place))
		connection_show_info(place->console, place->connection);
}

static void add(const struct place *place)
{
	connection_ask_add(place->console);
}

static void disconnect(const struct place *place)
{
	if (has_connection(place))
		connection_ask_remove(place->console, place->connection);
}

static void retry(const struct place *place)
{
	if (has_connection(place))
		connection_retry(place->connection);
}

// clang-format off
const struct action connection_actions[] = {
	{ .id = "host-info", .key = "F2", .label = N_("&Info about the host"), .bar = N_("Info"),
		.run = show_info },
	{ .id = "host-add", .key = "F3", .label = N_("&Add a connection…"), .bar = N_("Add"),
		.run = add },
	{ .id = "host-remove", .key = "F5", .label = N_("&Remove the connection…"),
		.bar = N_("Remove"), .run = disconnect },
	{ .id = "host-retry", .key = "r", .label = N_("&Try again now"), .run = retry },
};
// clang-format on
const size_t n_connection_actions = G_N_ELEMENTS(connection_actions);
