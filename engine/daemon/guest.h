// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One guest that the daemon knows: its saved definition, and while it runs the definition it runs
 * with and its monitor. At least one of the two definitions is there. Main thread.
 *
 * Errors are those of fault.h. What must wait for the monitor ends by a guest_done callback, which
 * may come before the function returns; error is NULL when it has worked.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/daemon/definition.h"
#include "engine/daemon/monitor.h"

struct registry;

struct guest {
	struct registry *registry;
	struct definition *saved;   /* NULL: forgotten when it ends */
	struct definition *running; /* NULL: it does not run */
	int id;                     /* -1 when it does not run */
	int state, reason;          /* virDomainState and its reason */
	bool autostart;
	bool updated; /* saved has changed since the start */

	struct monitor *monitor;
	char *folder;      /* the run folder */
	char *message;     /* what clients should know of it, or NULL */
	gint64 launched;   /* when, monotonic; 0: before this daemon's time */
	gint64 log_offset; /* where the log of this run begins */
	GQueue starting;   /* who waits for the start, and for the end: struct waiter */
	GQueue ending;
	GQueue changes; /* for change.c */
	struct stats_reader *statistics; /* for statistics.c */
	uint64_t balloon; /* KiB that the balloon leaves, as the monitor has told; 0: not yet */
	guint kill_timer;
	bool destroying, rebooting, powered_off, crashed, ended;
	struct saving *saving; /* for save.c: the save that is under way, or NULL */
	struct save_job *job_done; /* the last save that has worked, or NULL */
	bool save_cancelled, was_saved, stopped_by_disk;
	uint64_t added;       /* KiB that memory devices have plugged */
	unsigned vcpus_asked; /* for resources.c */
	/* Of the start that is under way. */
	bool start_paused, restored, managed;
	int restore;
};

typedef void (*guest_done)(void *data, const GError *error);

/* Takes both; one may be NULL. */
struct guest *guest_new(
	struct registry *registry, struct definition *saved, struct definition *running);
void guest_free(struct guest *guest);

/* The definition that names the guest: of the running one, if it runs. */
const struct definition *guest_definition(const struct guest *guest);
const char *guest_name(const struct guest *guest);
bool guest_is_active(const struct guest *guest);
/* Sets the error unless it runs. */
bool guest_check_active(const struct guest *guest, GError **error);
/* The wire's idea of it; its name belongs to the guest. */
struct wire_domain guest_wire(const struct guest *guest);

/* How a guest is to be started. */
struct guest_launch {
	bool paused;
	bool fresh;  /* from its beginning: a managed saved state is given up */
	int restore; /* at the monitor's part of a saved guest (taken), or -1 */
};
void guest_start_with(struct guest *guest, const struct guest_launch *launch, guest_done done,
	void *data);
/* Where it was saved, or from its beginning. */
void guest_start(struct guest *guest, guest_done done, void *data);
/* For save.c: it has been saved, and its monitor ends. */
void guest_leave_saved(struct guest *guest, guest_done done, void *data);
/* A disk's error has stopped it, or will. */
void guest_stopped_by_disk(struct guest *guest);
/* Looks for the monitor of a guest whose running definition was found; false: there is none. */
bool guest_adopt(struct guest *guest);
/* Ends it. graceful: a monitor that does not end by itself is left alone, and that is an error. */
void guest_destroy(struct guest *guest, bool graceful, guest_done done, void *data);
/* One of the control protocol's requests. */
void guest_request(struct guest *guest, const char *request, guest_done done, void *data);
/* The same with members of its own (taken; NULL: none) and a descriptor (taken; -1: none). answer is
 * NULL when there is an error. Not called when the guest is forgotten before. */
typedef void (*guest_answer)(void *data, JsonObject *answer, const GError *error);
void guest_ask(struct guest *guest, const char *request, JsonObject *members, int fd,
	guest_answer answer, void *data);
/* Has the keeper of its monitor open a device: see opener.h, also for what the result is. */
struct opener *guest_open(struct guest *guest, const char *request, JsonObject *members,
	const GPtrArray *files, void (*answered)(void *data, const char *problem), void *data,
	GError **error);
/* Takes another definition as the one it runs with, and keeps it in the run folder for the next
 * daemon. Nobody is told. Errors: G_FILE_ERROR. */
bool guest_set_running(struct guest *guest, struct definition *definition, GError **error);
/* Presses the power button; when the guest has powered off, it is started again. */
void guest_reboot(struct guest *guest, guest_done done, void *data);

/* What its monitors have written since the guest was started, at most the last 2 KiB. */
char *guest_log_end(const struct guest *guest);
