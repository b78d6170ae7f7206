// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Saving a running guest to a file, and making a machine of one.
 *
 * The guest stands still while it is saved. A thread writes; the main thread goes on with its main
 * loop and tells the progress by the event "save". The file comes to be under its name only when it
 * is whole and on the disk.
 *
 * Threads: the main thread.
 */
#pragma once

#include "engine/vmm/machine.h"
#include "engine/vmm/save/reader.h"

struct save;

/*
 * Stops the guest and begins. path: where to; or NULL and fd, taken. ended is called in the main
 * context, not before this returns: error (taken by it) is NULL where it has worked, and
 * G_IO_ERROR_CANCELLED after save_cancel(). The guest stands still then in either case, until
 * machine_release().
 *
 * Errors (nothing has happened then): STATE_ERROR, G_FILE_ERROR, and G_IO_ERROR_BUSY where the
 * guest cannot be saved now.
 */
bool save_start(struct machine *machine, const char *path, int fd,
	void (*ended)(void *data, GError *error), void *data, GError **error);
/* false: none is under way. */
bool save_cancel(struct machine *machine);
/* Cancels and waits; nobody is told any more. For the end of the machine; NULL is fine. */
void save_free(struct save *save);

/* Fills a machine just made. After an error it is of no use. */
bool save_restore(const struct machine_parts *parts, struct save_reader *reader, GError **error);
