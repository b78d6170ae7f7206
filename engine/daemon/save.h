// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Saved guests: files with the definition a guest ran with, and behind it what its monitor has
 * written. A managed one belongs to its guest, whose next start goes on with it. Main thread.
 *
 * Errors are those of fault.h, or of GLib where a file could not be written.
 *
 * A save that a killed daemon leaves behind is whole, or has not been: the monitor holds the guest
 * until the file has its name and is told then to end; without a daemon it lets the guest go on
 * instead, and the next daemon removes the file, which it knows by a note in the run folder.
 *
 * A file: struct save_file_header, numbers little-endian; the XML, filled up with zeroes to room
 * bytes; the monitor's part, which this daemon does not look into.
 */
#pragma once

#include "engine/daemon/parameters.h"
#include "engine/daemon/registry.h"

#define SAVE_FILE_MAGIC "LodgeSav"
#define SAVE_FILE_VERSION 1u

struct save_file_header {
	char magic[8];
	uint32_t version;
	uint32_t running; /* 1: it ran when it was saved; 0: it was paused */
	uint32_t length;  /* of the XML */
	uint32_t room;
};

/* What an open file says. */
struct save_file {
	int fd; /* at the monitor's part */
	bool running;
	char *xml;
};

/* Opens one. settings, here and below: NULL for a managed one, whose place is the daemon's own. The
 * caller clears it. */
bool save_file_open(struct save_file *file, const struct settings *settings, const char *path,
	GError **error);
/* Also of one all zero but for an fd of -1. */
void save_file_clear(struct save_file *file);
/* Puts another definition into the file at path: of the same guest. state is one of libvirt's
 * VIR_DOMAIN_SAVE_RUNNING and _PAUSED, or 0: as it was. */
bool save_file_define(const struct settings *settings, const char *path, const char *xml,
	unsigned state, GError **error);
/* The XML for who reads it. Free with g_free(). */
char *save_file_describe(const struct settings *settings, const char *path, GError **error);

/* Saves the guest and ends it. path NULL: managed. xml: another definition of the same guest, or
 * NULL. state as above. */
void save_begin(struct guest *guest, const char *path, const char *xml, unsigned state,
	guest_done done, void *data);
/* Stops the save that is under way; that one's done is called with an error. */
void save_abort(struct guest *guest, guest_done done, void *data);
/* Starts the guest of a file; *guest is set when it has been found or made. */
void save_restore(struct registry *registry, const char *path, const char *xml, unsigned state,
	struct guest **guest, guest_done done, void *data);

bool save_is_managed(const struct guest *guest);
char *save_managed_path(const struct guest *guest);
bool save_remove_managed(const struct guest *guest, GError **error);

/* How far a save is; bytes and ms. */
struct save_job {
	uint64_t done, total, elapsed;
};
/* False: none is under way. */
bool save_progress(const struct guest *guest, struct save_job *job);
/* Of the last one that has worked; keep: to be asked for again. False: there was none. */
bool save_completed(struct guest *guest, bool keep, struct save_job *job);

/* As libvirt's parameters of a job. */
void save_describe(const struct save_job *job, struct parameters *parameters);

/* For guest.c: the guest of a daemon before this one runs. What that one was saving it to, or had
 * just started it from, is not its state any more, and removed. */
void save_undo(struct guest *guest);
/* The same for a guest whose monitor has ended: was it by that daemon's order, after a save? */
bool save_has_worked(const struct guest *guest);
/* For guest.c: the monitor has told how far it is. */
void save_told(struct guest *guest, uint64_t done, uint64_t total);
struct saving;
/* For guest.c, when the guest is forgotten. */
void save_free(struct saving *saving);
