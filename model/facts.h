// SPDX-License-Identifier: GPL-3.0-or-later
// What a guest's definition and its flags say, read off the main thread and then given to the guest
// whole. Changes with events only; figures are in model/sample.h.
#pragma once

#include "model/guest.h"

#include <glib.h>
#include <stdbool.h>

struct facts {
	char *uuid;    // always set
	bool gone;     // the guest is no longer there: nothing else is set
	GError *error; // the definition could not be read: only name, id and state are set

	char *name;
	int id;
	int state, reason;
	gint64 started;   // clock_now() of the start, 0 unknown
	bool flags_known; // the three below were read
	bool autostart, persistent, managed_save;

	char *title, *description, *type, *os_type;
	char **groups, **tags; // NULL until the definition was read
	char *notes;
	unsigned vcpus, vcpus_max;
	guint64 memory, memory_max; // bytes
	GPtrArray *disks, *nics;    // struct guest_disk *, struct guest_nic *; NULL until read
	bool has_console;
	bool balloon_quiet; // it has a virtio balloon that is not asked for statistics
};

// Reads a domain's XML into facts; false with facts->error set when it cannot be read.
bool facts_read_xml(struct facts *facts, const char *xml);

void facts_free(struct facts *facts);

void guest_disk_free(struct guest_disk *disk);
void guest_nic_free(struct guest_nic *nic);
