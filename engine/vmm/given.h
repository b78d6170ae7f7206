// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Files of the guest that whoever starts the monitor has opened for it: lodge-vmm --file FD:PATH.
 *
 * Each stands for one opening of the path in the mode it was opened with; a path that is opened
 * twice (by two disks, say) is given twice. Once any is given, all must be: no other path of the
 * definition is opened, so that what the giver allows is all that there is.
 *
 * Descriptors are a process's, and so is the list of them. Main thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* Takes over the descriptor of an argument of --file; from now on programs that are started do not
 * inherit it. Errors: G_OPTION_ERROR, for text that is not FD:PATH with an open descriptor. */
bool given_add(const char *argument, GError **error);

/* As open(2), whose flags it takes: the descriptor that was given for this path and access mode
 * (O_RDONLY, O_WRONLY, O_RDWR; a socket's is O_RDWR), which is the caller's from then on, or where
 * nothing has been given the file itself. O_APPEND, O_TRUNC and O_NONBLOCK count with both.
 * -1 and errno: what open() says; EACCES for a file that was not given. */
int given_open(const char *path, int flags, mode_t mode);

/* Closes those that given_open() has not handed out: another process has them. */
void given_forget(void);

/* Has any been given? */
bool given_any(void);
/* Is there one that given_open() has not handed out? */
bool given_has(const char *path);
