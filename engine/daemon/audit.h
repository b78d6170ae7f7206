// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The audit log: who has connected, and what they have changed or tried to. A line each, with the
 * time, the peer's user, group and process as the kernel knows them. Main thread.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

struct audit;

struct audit_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
};

/* Appends to the file. Errors: G_FILE_ERROR. */
struct audit *audit_open(const char *path, GError **error);
void audit_close(struct audit *audit);

/* A line TIME uid=0 gid=0 pid=1 WHAT "SUBJECT": PROBLEM; both may be NULL. audit may be
 * NULL. A line that cannot be written is reported once, on standard error. */
void audit_write(struct audit *audit, const struct audit_peer *peer, const char *what,
	const char *subject, const char *problem);
