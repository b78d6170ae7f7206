// SPDX-License-Identifier: GPL-3.0-or-later
// The kinds of values that a plan can change: one entry each in plan_kinds[]. For model/plan.c.
#pragma once

#include "model/plan.h"

#include <libxml/tree.h>

// A value that a host CPU set has: bit N is CPU N; guests are pinned on hosts with up to 62 CPUs here.
#define PLAN_CPUS 62

struct plan_kind {
	const char *name;  // "memory", "disk.*.size"; "*" is the member
	const char *label; // N_("Memory"), N_("Disk %s")
	enum plan_unit unit;
	// Members in a definition: an XPath of elements and the attribute that names them on the command
	// line of virsh ("mac", "alias": of the child of that name); NULL: the whole guest. `by_number`:
	// named nic.0, nic.1… by the user.
	const char *members, *member_attribute;
	bool by_number;
	// Reads the value that holds for LIVE or CONFIG (virDomainModificationImpact). False where
	// the hypervisor does not have it.
	bool (*read)(virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 *value);
	bool (*write)(virDomainPtr domain, const struct plan_step *step, unsigned impact, gint64 value);
	// Fills in least, most and left. NULL: least 1, no most, left unknown.
	void (*bounds)(virDomainPtr domain, struct plan_step *step);
	// Why a value outside the bounds cannot be, translated, with the way out. NULL: a plain sentence.
	char *(*refuse)(const struct plan_step *step);
	// How long the value may take to arrive, seconds; 0: at once.
	unsigned settle;
	bool live_only; // there is nothing to keep for the next start
	bool one_way;   // never put back: a disk that shrinks loses data
	// What the guest itself says of the new value, behind it: ", the guest has 4 online"; NULL where
	// it does not tell. Caller frees. NULL: no guest tells.
	char *(*guest_says)(virDomainPtr domain, const struct plan_step *step);
	// The virsh words before the flags: "setvcpus %s 6". Caller frees.
	char *(*virsh)(const char *guest, const struct plan_step *step);
};

// NULL-named at its end; in the order in which a plan runs them.
extern const struct plan_kind plan_kinds[];
