// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One running lodge-vmm: its process and its control socket (engine/common/control.h).
 *
 * A monitor lives in a run folder of its own, in a session of its own, and does not notice when the
 * daemon dies. What is in the folder:
 *
 *	definition.xml  the running guest's definition with its id
 *	guest.xml       the same for lodge-vmm
 *	control         lodge-vmm's control socket
 *	keeper          and its keeper's
 *	statistics      the page of its statistics (engine/common/stats.h)
 *	state           the guest's state and reason, for the next daemon
 *	saving          which file it is being saved to (save.h), for the next daemon
 *	char0, char1…   the guest's channels that are terminals, as sockets
 *	alive           locked (flock) by lodge-vmm, from before it begins until it is gone
 *
 * So the folder alone tells the next daemon which guests run: no process id is ever trusted.
 * Main thread, default main context; all callbacks come from the main loop.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct monitor;
struct opener;

struct monitor_events {
	/* It can be spoken to; status is its answer to "status". Once, before any other but gone.
	 */
	void (*ready)(void *data, JsonObject *status);
	/* An event of the control protocol, with all that stands in it. */
	void (*event)(void *data, const char *name, JsonObject *event);
	/* The process has ended. Last of all; the monitor may be freed in it. */
	void (*gone)(void *data);
};

/* How it is started. */
struct monitor_start {
	const char *program; /* lodge-vmm */
	const char *folder;  /* with the guest.xml */
	const char *log;     /* what it writes goes to the end of this file */
	int cgroup;          /* the cgroup.procs of its control group (taken), or -1 */
	bool paused;         /* the guest does not run yet */
	int restore;         /* where the monitor of a saved guest has written, or -1 */
	const char *user, *group; /* that it becomes when it is set up; or NULL */
	const GPtrArray *files; /* struct file: all that the definition names (files.h) */
};

/* Errors: G_FILE_ERROR, G_SPAWN_ERROR. */
struct monitor *monitor_start(const struct monitor_start *start,
	const struct monitor_events *events, void *data, GError **error);
/* Finds the monitor that runs in folder; NULL when there is none. */
struct monitor *monitor_adopt(const char *folder, const struct monitor_events *events, void *data);
/* Does one run there? */
bool monitor_runs_in(const char *folder);
/* Lets go of it; the process goes on. */
void monitor_free(struct monitor *monitor);

/* Gets the answer, or answer NULL and why not. Not called when the monitor is freed before. */
typedef void (*monitor_answer)(void *data, JsonObject *answer, const char *problem);
/* Asks for one of the control protocol's requests, as soon as it can be spoken to. */
void monitor_request(
	struct monitor *monitor, const char *request, monitor_answer answered, void *data);
/* The same for a request with members of its own (taken; NULL: none) and a descriptor (taken; -1:
 * none). */
void monitor_ask(struct monitor *monitor, const char *request, JsonObject *members, int fd,
	monitor_answer answered, void *data);

/* Has its keeper open a device; see opener.h, also for who frees. */
struct opener *monitor_open(struct monitor *monitor, const char *request, JsonObject *members,
	const GPtrArray *files, void (*answered)(void *data, const char *problem), void *data, GError **error);

/* Connects to a socket in its run folder; -1 when that cannot be done, as errno says. */
int monitor_connect(const struct monitor *monitor, const char *name);

/* Ends the process: by a signal that it obeys at once, or by one that none survives. */
void monitor_terminate(struct monitor *monitor, bool kill);

/* The whole line, and these descriptors (CONTROL_FDS_MAX at most), which stay the caller's; false: it
 * cannot be sent at once. */
bool monitor_send_line(int socket, char *line, const int *fds, unsigned count);

/* The process in which the guest runs, whose parent is the keeper; 0 until it is known. */
pid_t monitor_pid(const struct monitor *monitor);
