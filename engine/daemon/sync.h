// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Names in folders reach the disk: fsync(2) of the folder after a file in it was renamed or removed
 * (the file's own fsync does not promise its name). It is done in a thread, once for all that has
 * happened in one turn of the main loop, and meanwhile for the next: who has changed many things at
 * a time waits for one, and who has changed nothing waits for none.
 *
 * There is one for the process. Main thread.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* A name in the folder of this file has changed. */
void sync_note(const char *path);
/* How often that was, so far: who sees the same number again has changed nothing. */
uint64_t sync_noted(void);
/* Calls done when all that was noted so far is on the disk (at once where it is), or cannot be brought
 * there: G_FILE_ERROR, which is said on standard error, too. */
void sync_wait(void (*done)(void *data, const GError *error), void *data);
/* Returns when all is on the disk, and who waits has been told. */
void sync_finish(void);
