// SPDX-License-Identifier: GPL-3.0-or-later
// Devices that come and go between two definitions, and changes told with them as wholes: "disk vdb
// is added" instead of each of its values. Pure, any thread.
#pragma once

#include "model/document.h"

#include <glib.h>
#include <stdbool.h>

struct device_move {
	bool added;
	char *element; // "disk"
	char *path;    // "devices/disk[2]", in the definition that has it
	char *label;   // "disk vdb", "interface 52:54:00:1b:2e:90", "rng"
	char *xml;
};

// Disks are known by their target, NICs by their address; of others those are the same that are
// alike, or all of them in order where their number is the same. What goes comes first. Free with
// g_ptr_array_unref.
GPtrArray *device_moves(const struct document *from, const struct document *to);

// As difference_changes, with each device that comes or goes as one change, named by its path, with
// its label as the value. Free with g_ptr_array_unref (struct change *).
GPtrArray *device_changes(const struct document *from, const struct document *to);

// A copy of a definition without the devices that moved: of `from` those that went (`added` false), of
// `to` those that came. Numbers of NICs in changes count there. NULL where it cannot be made.
struct document *device_rest(
	const struct document *document, const GPtrArray *moves, bool added);

// What names a disk or NIC, or NULL; caller frees. And the device of the same name elsewhere.
char *device_identity(xmlNode *device);
xmlNode *device_same(const struct document *document, xmlNode *device);
