// SPDX-License-Identifier: GPL-3.0-or-later
// The audit log: one line for each change made through the console or its command line, in a file
// under the XDG state directory (lodge/audit.log). A line is seven fields between tabs: time
// (ISO 8601, UTC), user ("ann" or "ann from 192.0.2.7" over SSH, "root by ann" with sudo),
// connection URI, target, verb, result ("ok" or the error), virsh command. Tabs, newlines and
// backslashes in a field are written \t, \n, \\.
//
// The file is rotated at its largest size: audit.log becomes audit.log.1. A line that cannot be
// written (full disk) is kept in memory and written before the next one. Main thread.
#pragma once

#include <glib.h>
#include <stdbool.h>

struct audit;

struct audit_record {
	gint64 time; // clock_now()'s microseconds; whole seconds when read from a file
	char *user;
	char *uri;
	char *target;
	char *verb;
	char *result;
	char *command; // may be empty
};

void audit_record_free(struct audit_record *record); // takes NULL

// Lines kept in memory at most while the file cannot be written; the oldest go first.
#define AUDIT_PENDING 10000

// `path` NULL: $XDG_STATE_HOME/lodge/audit.log. The file is opened at each write, so several
// consoles may share it. `most` bytes before rotation, 0 for 1 MiB. Never fails.
struct audit *audit_new(const char *path, guint64 most);
void audit_free(struct audit *audit); // tries to write what is pending; takes NULL

// Adds a line. False with a sentence when the file cannot be written: the line is then kept and
// shown by audit_read all the same.
bool audit_add(struct audit *audit, const char *uri, const char *target, const char *verb,
	const char *result, const char *command, GError **error);

// Tries again to write what waits; false with a sentence as audit_add().
bool audit_flush(struct audit *audit, GError **error);

// The newest `most` records (0 for all held in file, rotated file and memory), oldest first, as
// struct audit_record *. Lines that are none are left out. NULL with a sentence when the file
// exists and cannot be read. Caller unrefs.
GPtrArray *audit_read(struct audit *audit, unsigned most, GError **error);

const char *audit_path(const struct audit *audit);

// Records that wait for the file to be writable.
unsigned audit_pending(const struct audit *audit);

// Who is at the keyboard, as written in the log. Caller frees.
char *audit_user(void);
