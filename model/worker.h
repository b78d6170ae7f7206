// SPDX-License-Identifier: GPL-3.0-or-later
// A connection's worker: the thread that makes its libvirt calls, one task after the other. Tasks
// are submitted by the main thread and come back to it; a worker whose call hangs can be left
// behind at once, and ends by itself when the call does.
#pragma once

#include "model/sample.h"

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

struct connection;
struct worker;

// One piece of work. Embedded at the start of its own struct.
struct task {
	// Worker thread. `connection` is NULL while there is none; then set error.
	void (*run)(struct worker *worker, virConnectPtr connection, struct task *task);
	// Main thread, at idle priority; true to be called once more (work in slices). Not called
	// when the worker was left behind.
	bool (*done)(struct connection *owner, struct task *task);
	void (*free)(struct task *task); // after done, in the main thread
	GError *error;                   // set by run; freed with the task
	struct worker *worker;           // the worker's own
};

// What the hypervisor told by itself. Main thread.
enum note_kind {
	NOTE_GUEST,   // something about a guest changed: read it again
	NOTE_STARTED, // a guest started now
	NOTE_GONE,    // a guest is no longer defined or running: read it again
	NOTE_MEMORY,  // the balloon of a guest stands at `bytes`
	NOTE_CLOSED,  // the connection broke; `text` says why
};

struct note {
	enum note_kind kind;
	char uuid[VIR_UUID_STRING_BUFLEN];
	guint64 bytes;
	const char *text; // static
};

// Starts the thread; `owner` and `told` are used in the main thread only.
struct worker *worker_new(struct connection *owner, const char *uri, bool read_only,
	void (*told)(struct connection *owner, const struct note *note));

struct worker *worker_ref(struct worker *worker); // any thread
void worker_unref(struct worker *worker);

// Main thread: hands over a task (taken). Nothing more arrives for a task after worker_leave.
void worker_submit(struct worker *worker, struct task *task);

// Main thread: asks the thread to close and end, never waits, and drops the owner's reference.
// worker_ended says whether it has ended; it may outlive everything when a call hangs.
void worker_leave(struct worker *worker);
bool worker_ended(struct worker *worker);

// Any thread: the connection with a reference of the caller's (virConnectClose), or NULL.
virConnectPtr worker_connection(struct worker *worker);

// Any thread: microseconds the call under way has taken so far, by the machine's own monotonic
// clock; 0 when idle.
gint64 worker_busy(struct worker *worker);

// Worker thread, in a task of many calls: one has answered, the next begins.
void worker_alive(struct worker *worker);

// Worker thread: opens or closes the connection. Closing takes the events' callbacks back.
bool worker_open(struct worker *worker, GError **error);
void worker_close(struct worker *worker);

const char *worker_uri(const struct worker *worker);
bool worker_read_only(const struct worker *worker);

// Worker thread: what the driver turned out to be unable to do, forgotten on opening.
struct sample_limits *worker_limits(struct worker *worker);

// Any thread: tells the owner, in the main thread.
void worker_tell(struct worker *worker, const struct note *note);
