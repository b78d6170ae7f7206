// SPDX-License-Identifier: GPL-3.0-or-later
// The model's side of a guest: made, changed and counted here. Main thread only.
#pragma once

#include "model/facts.h"
#include "model/guest.h"
#include "model/sample.h"

struct guest_private {
	unsigned refs;
	char *sort_key;
	gint64 added_at;  // clock_monotonic() when it came to the model
	gint64 facts_at;  // clock_monotonic() of the newest facts: an older sample's state is stale
	unsigned mark;    // number of the last sample it was in
	gint64 taken;     // when cpu_time was counted
	guint64 cpu_time; // ns, SAMPLE_UNKNOWN
};

// A guest with one reference, about which nothing but its names is known.
struct guest *guest_new(struct connection *connection, const char *uuid, const char *name);
void guest_set_name(struct guest *guest, const char *name);

// Takes over what was read; facts are left to be freed.
void guest_take_facts(struct guest *guest, struct facts *facts);
void guest_take_flags(struct guest *guest, bool autostart, bool persistent, bool managed_save);
void guest_take_state(struct guest *guest, int id, int state, int reason);

// Turns the counters of a sample into figures and history. `cpus` of the host, 0 unknown.
void guest_take_sample(
	struct guest *guest, const struct sample_guest *sample, gint64 taken, unsigned cpus);
