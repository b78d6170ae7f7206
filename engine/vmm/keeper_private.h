// SPDX-License-Identifier: GPL-3.0-or-later
/* What the files of the keeper share: keeper.c, keeper_control.c. Nobody else includes this. */
#pragma once

#include "engine/vmm/control.h"
#include "engine/vmm/keeper.h"
#include "engine/vmm/keeper_devices.h"

struct keeper {
	char *guest; /* its name */
	struct keeper_devices *devices;
	struct control *control; /* for trusted clients; or NULL */
	pid_t machine;
	int pidfd; /* of it */
	int fd;    /* the machine's process asks here; -1: not any more */
	GMainLoop *loop;
};

/* Reads the element of a device for this guest. */
struct machine_config *keeper_read(
	const struct keeper *keeper, const char *xml, GError **error);

/* Ended by NULL. */
extern const struct control_request *const keeper_tables[];
void keeper_client_left(struct keeper *keeper, const void *client);
