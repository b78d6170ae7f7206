// SPDX-License-Identifier: GPL-3.0-or-later
// Resize plans: what a running guest has, what it shall have, and the ordered libvirt calls that
// bring it there, each checked by reading the value back.
//
// A plan is made of wishes ("vcpus=4", "memory=3GiB", "cap=150%", "disk.vda.size=30GiB"), looked
// up against what the guest has and could have, and run step by step. A step that fails stops the
// run; what was done before can be put back.
//
// Everything here calls libvirt: worker threads only. A plan belongs to one thread at a time.
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#define PLAN_NONE (-1) // a value that is not set: no cap, no limit
#define PLAN_UNKNOWN (-2)

// For when a change holds.
enum plan_when {
	PLAN_NOW = 1 << 0,        // in the running guest
	PLAN_NEXT_START = 1 << 1, // in the saved definition
};

enum plan_state { PLAN_WAITING, PLAN_IMPOSSIBLE, PLAN_DONE, PLAN_FAILED, PLAN_PUT_BACK };

// What a value counts: things, KiB, per cent of one CPU, bytes, bytes a second, operations a second;
// or a set of host CPUs, bit N being CPU N.
enum plan_unit {
	UNIT_COUNT,
	UNIT_KIB,
	UNIT_PERCENT,
	UNIT_BYTES,
	UNIT_BYTE_RATE,
	UNIT_RATE,
	UNIT_CPUS
};

struct plan_kind;

// One line: a value that can be changed on the spot.
struct plan_step {
	const struct plan_kind *kind;
	char *name;   // as wished: "memory", "disk.vda.size"
	char *member; // "vda", a NIC's host device, a vCPU's number; NULL for the whole guest
	gint64 from;  // now; PLAN_NONE, PLAN_UNKNOWN
	gint64 to;    // wished; equal to from where nothing is wished
	gint64 saved; // what the next start will have; PLAN_UNKNOWN
	gint64 least, most; // what it may be now; most PLAN_NONE: no bound known
	gint64 beside; // of a guest's memory, what virtio-mem has plugged: KiB; else 0
	gint64 left;  // what the host has free for it, in the same unit; PLAN_UNKNOWN
	enum plan_state state;
	char *why;    // IMPOSSIBLE, FAILED: one sentence with the way out; else NULL
	char *result; // DONE, PUT_BACK: one sentence with the value read back; else NULL
	double seconds; // the call's time
};

struct plan {
	char *guest;
	unsigned when; // enum plan_when
	bool active;   // the guest runs; else only the next start can be changed
	GPtrArray *steps; // struct plan_step *, in the order in which they run
};

// Looks up everything of a guest that can be resized, with nothing wished: for the screen.
struct plan *plan_survey(virDomainPtr domain, GError **error);

// Makes a plan of wishes, NULL-terminated "NAME=VALUE" strings. An impossible wish is a step in
// state IMPOSSIBLE with its reason, not an error; NULL with a sentence for a name or value that
// nobody understands, or where libvirt does not answer.
struct plan *plan_new(
	virDomainPtr domain, const char *const *wishes, unsigned when, GError **error);
void plan_free(struct plan *plan); // takes NULL

// Sets the wish of a surveyed step from text ("4", "3GiB", "150%", "none"), and checks it: the
// step's state and why tell. False with a sentence when the text is no value for it.
bool plan_wish(struct plan *plan, struct plan_step *step, const char *value, GError **error);

// The same from the number itself, in the step's own unit; PLAN_NONE takes a limit away.
void plan_wish_number(struct plan *plan, struct plan_step *step, gint64 value);

// Runs the steps that wish something, in order. False with a sentence when one failed: those
// before it hold and say so. `told` (may be NULL) hears of each step as it ends.
typedef void plan_told(const struct plan_step *step, void *data);
bool plan_run(struct plan *plan, virDomainPtr domain, plan_told *told, void *data, GError **error);

// Puts back what the steps of a run have done, newest first; a disk that grew stays as it is.
bool plan_put_back(struct plan *plan, virDomainPtr domain, GError **error);

// A value as plan_wish reads it, exactly. Caller frees.
char *plan_wish_text(const struct plan_step *step, gint64 value);

enum plan_unit plan_step_unit(const struct plan_step *step);
// Whether it cannot be put back: a disk that grew.
bool plan_step_one_way(const struct plan_step *step);
// The step of that name ("disk.vda.size"), or NULL.
struct plan_step *plan_find(const struct plan *plan, const char *name);

// What the step is about: "vCPUs", "vda, size". Caller frees.
char *plan_step_label(const struct plan_step *step);

// "vCPUs 4 -> 6", a value as text, and the equivalent virsh words without "virsh -c URI". Caller
// frees.
char *plan_step_words(const struct plan_step *step);
char *plan_value_text(const struct plan_step *step, gint64 value);
char *plan_step_virsh(const struct plan *plan, const struct plan_step *step);

// The names that can be wished for a guest, NULL-terminated; caller frees.
char **plan_names(const struct plan *plan);
