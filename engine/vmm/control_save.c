// SPDX-License-Identifier: GPL-3.0-or-later
/* Requests that save the guest. */
#include <config.h>

#include "engine/vmm/control.h"
#include "engine/vmm/save/save.h"

#include <glib/gi18n.h>

static void ended(void *data, GError *error)
{
	struct control_call *call = data;
	struct machine *machine = control_machine(call);
	bool hold = control_flag(call, "hold");
	bool keep = error || control_flag(call, "keep") || (hold && !control_client(call));

	if (keep)
		control_unwatch(call);
	if (error)
		control_fail(call, error);
	else
		control_done(call);
	if (keep)
		machine_release(machine);
	else if (!hold)
		machine_quit(machine);
}

/* Nobody will put the file where it belongs. */
static void client_left(struct machine *machine)
{
	if (!save_cancel(machine))
		machine_release(machine);
}

static void do_save(struct control_call *call)
{
	int fd = control_take_fd(call);
	const char *path = NULL;
	GError *error = NULL;

	if (fd < 0) {
		path = control_text(call, "path", &error);
		if (!path) {
			control_fail(call, error);
			return;
		}
	}
	if (!save_start(control_machine(call), path, fd, ended, call, &error))
		control_fail(call, error);
	else if (control_flag(call, "hold"))
		control_watch(call, client_left);
}

static void do_cancel(struct control_call *call)
{
	struct machine *machine = control_machine(call);
	bool cancelled = save_cancel(machine);

	if (!cancelled && control_unwatch(call)) {
		machine_release(machine);
		cancelled = true;
	}
	if (cancelled)
		control_done(call);
	else
		control_refuse(call, _("The guest is not being saved"));
}

const struct control_request control_save_requests[] = {
	{ "save", do_save },
	{ "save-cancel", do_cancel },
	{ .name = NULL },
};
