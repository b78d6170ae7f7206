// SPDX-License-Identifier: GPL-3.0-or-later
/* Requests of trusted clients to the keeper: engine/common/control.h, "The keeper". */
#include <config.h>

#include "engine/vmm/keeper_private.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

static bool is_kind(const struct machine_config *config, bool disk)
{
	return disk ? config->disks->len : config->nets->len;
}

static GArray *take_files(struct control_call *call)
{
	GArray *files = keeper_files_new();

	for (int fd = control_take_fd(call); fd >= 0; fd = control_take_fd(call))
		g_array_append_val(files, fd);
	return files;
}

static const char *add(struct control_call *call, bool disk, GError **error)
{
	struct keeper *keeper = control_keeper(call);
	const char *xml = control_text(call, "xml", error);
	struct machine_config *config = xml ? keeper_read(keeper, xml, error) : NULL;

	if (!config)
		return NULL;
	if (is_kind(config, disk))
		return keeper_devices_add(keeper->devices, config, take_files(call),
			control_client(call), error);
	config_free(config);
	g_set_error_literal(error, CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_INVALID,
		_("The element is not of the kind that the request is for"));
	return NULL;
}

static void answer(struct control_call *call, const char *member, const char *name, GError *error)
{
	if (error) {
		control_fail(call, error);
		return;
	}
	json_object_set_string_member(control_answer(call), member, name);
	control_done(call);
}

static void do_open_disk(struct control_call *call)
{
	GError *error = NULL;
	const char *name = add(call, true, &error);

	if (name)
		keeper_devices_open(control_keeper(call)->devices, name, &error);
	answer(call, "disk", name, error);
}

static void do_open_nic(struct control_call *call)
{
	GError *error = NULL;
	const char *name = add(call, false, &error);

	answer(call, "nic", name, error);
}

void keeper_client_left(struct keeper *keeper, const void *client)
{
	keeper_devices_forget(keeper->devices, client);
}

static const struct control_request requests[] = {
	{ "open-disk", do_open_disk },
	{ "open-nic", do_open_nic },
	{ .name = NULL },
};

const struct control_request *const keeper_tables[] = { requests, NULL };
