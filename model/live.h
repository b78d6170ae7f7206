// SPDX-License-Identifier: GPL-3.0-or-later
// What of a saved change a running guest can take on at once, as single steps that each run as a
// job: values by `set --now`, disks and NICs plugged and unplugged. Pure; any thread, but
// live_request belongs to the main one.
#pragma once

#include "model/document.h"
#include "model/verb.h"

#include <glib.h>
#include <stdbool.h>

enum live_kind { LIVE_UNPLUG, LIVE_SET, LIVE_PLUG };

struct live_step {
	enum live_kind kind;
	char *what;    // LIVE_SET: the key; else the device's path in the documents ("devices/disk[2]")
	char *payload; // LIVE_SET: "KEY=VALUE"; else the device's XML
	char *words;   // "vcpus: 2 -> 4", "plug in disk vdb"; translated
};

// The steps from one saved definition to another, for a guest that runs with a third: first what
// is unplugged, then values, then what is plugged in. Free with g_ptr_array_unref.
GPtrArray *live_steps(const struct document *from, const struct document *to,
	const struct document *running);

// Whether a change by that name (model/devices.h) is done by one of the steps.
bool live_covers(const GPtrArray *steps, const char *name);

// The request that does a step; the caller's, for request_run.
struct request *live_request(
	const struct live_step *step, struct model *model, struct guest *guest);
