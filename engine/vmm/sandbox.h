// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the machine's process gives up once the guest is set up, so that a guest that breaks out of it
 * finds nothing: users and groups, capabilities, other processes, mount, network and IPC namespaces
 * with an empty root, new privileges, and all system calls that its threads do not need (another one
 * kills the process).
 *
 * It is entered by the main thread while there is no other: threads made later inherit all of it
 * and narrow the filter to what their kind needs by sandbox_thread(). A process has one sandbox.
 *
 * Inside, no path can be opened, no socket made, no program started; what is needed later comes as
 * descriptors over the control socket, or from the keeper (keeper.h), the process outside that
 * started this one. Who would need a path looks at sandbox_is_entered() first.
 *
 * Ids: in a process namespace of its own a process has the id 1 and its threads small ids. All calls
 * take those; /proc, which is the host's, and whoever is told of them has the host's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum sandbox_kind {
	SANDBOX_MAIN,
	SANDBOX_VCPU_KVM,
	SANDBOX_VCPU_SOFT,
	SANDBOX_BLOCK,  /* workers of disks */
	SANDBOX_HELPER, /* that compute and wait */
	SANDBOX_KINDS,
};

struct sandbox_options {
	/* The names (or numbers) of the user and group to become, or NULL. */
	const char *user;
	const char *group;
};

/* In a process that is about to fork the machine's, without other threads: that one will be the
 * first of a process namespace of its own (and for who is not root, of a user namespace). Where that
 * cannot be it is a problem that the child knows of. */
void sandbox_own_processes(void);

/* Early in the process, before other threads: opens what is needed inside. */
void sandbox_prepare(void);

/* Main thread, the only one. What cannot be given up here is left, and said by sandbox_problems(): an
 * unprivileged process can do less. Errors: only where the options cannot be fulfilled. */
bool sandbox_enter(const struct sandbox_options *options, GError **error);
/* For the keeper, which has to start programs: gives up what these do not need, and becomes the user.
 * Errors: as above. */
bool sandbox_keep(const struct sandbox_options *options, GError **error);
/* What could not be given up and why, char *; that there is no sandbox is one, too. Main thread. */
const GPtrArray *sandbox_problems(void);

/* First in a thread that is made later; does nothing where the sandbox was not entered. */
void sandbox_thread(enum sandbox_kind kind);

bool sandbox_is_entered(void);
/* For sandbox_enter(). */
void sandbox_set_entered(void);
/* An error G_IO_ERROR_PERMISSION_DENIED with a sentence if it is entered, for who would have to open
 * a path; true: it is not. */
bool sandbox_allows_paths(GError **error);

/* The host's id of this process, once it is prepared. */
int sandbox_pid(void);
/* The ids of all threads of this process, as calls take them; free with g_free(). */
int *sandbox_threads(unsigned *count);
/* The host's id of such a thread; 0: there is none. Main thread. */
int sandbox_host_thread(int tid);
/* The open /proc/self/task, for looking at threads; -1 without sandbox_prepare(). */
int sandbox_task_fd(void);

/* Makes the filter of a kind effective for the calling thread (SANDBOX_MAIN: for all that are there),
 * whatever else is the case. For sandbox_thread(), and tests. */
bool sandbox_filter(enum sandbox_kind kind, GError **error);
