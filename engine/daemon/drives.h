// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * CD-ROM drives of guests: their media, which change while a guest runs, and their trays. A drive
 * is a <disk device='cdrom'>; one without <source> is empty. Main thread.
 */
#pragma once

#include "engine/daemon/change.h"
#include "engine/daemon/tree.h"

/* Whether a <disk> is a drive. */
bool drive_is(const xmlNode *disk);

/* For plug.c. Gives the drive of a running definition the medium of another such element, which may
 * differ from it in nothing else. */
bool drive_update(xmlNode *disk, const xmlNode *wanted, GError **error);
/* The request for the same to the monitor; false: none is needed, or the error is set. */
bool drive_request(struct guest *guest, const xmlNode *disk, const xmlNode *wanted, bool force,
	struct change_request *request, GError **error);

/* The tray of the running guest's drive of this target has moved. Tells it. */
void drive_moved(struct guest *guest, const char *target, bool open);
/* Asks the monitor of a guest that was found running what has become of its drives meanwhile. */
void drives_look(struct guest *guest);
