// SPDX-License-Identifier: GPL-3.0-or-later
// Guests, jobs and log records as JSON, for `--json`. Names are fixed; unknown figures are null;
// sizes are bytes, rates bytes a second, percents of one CPU, times ISO 8601 in UTC. Main thread.
#pragma once

#include "model/model.h"

#include <json-glib/json-glib.h>

// Identity, state and sizes; and everything, with figures, devices and notes.
void json_guest_brief(JsonBuilder *json, const struct guest *guest);
void json_guest(JsonBuilder *json, const struct guest *guest);

// The figures of one sample, for top.
void json_guest_figures(JsonBuilder *json, const struct guest *guest);

void json_audit_record(JsonBuilder *json, const struct audit_record *record);

// The whole job: verb, state, and a result for each guest.
void json_job(JsonBuilder *json, const struct job *job);

// The document as text, ended by a newline; on one line when `compact`. Caller frees.
char *json_text(JsonBuilder *json, bool compact);

// A time as text; null for 0.
void json_add_time(JsonBuilder *json, const char *name, gint64 when);
