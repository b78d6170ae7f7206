// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A lodged of a test's own under a folder of its own, with virsh as its client, and small guests.
 * What fails here fails the test (cmocka). Texts that are returned are the caller's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* All but the last two digits of the guests' UUIDs. */
#define UUID "11111111-2222-3333-4444-5555555555"
/* How long anything may take: the machine may be busy with other tests. */
#define PATIENCE_S 120

struct daemon {
	char *build; /* the top of the build tree */
	char *root;  /* the folder */
	char *uri;
	char *socket;
	GPid pid;
};

extern struct daemon daemon_under_test;

/* A group's setup and teardown: the daemon runs, and it is ended with all its guests. */
int daemon_prepare(void **state);
int daemon_clean_up(void **state);
/* Starts it, and waits until it listens. */
void daemon_start(void);
/* The same with more arguments and the environment of the test. */
void daemon_start_with(const char *const *more);
void daemon_end(int signal);
/* From here on it has these settings (lodged.conf). */
void daemon_restart_with(const char *settings);
/* A connection to its socket, or -1. */
int connect_raw(void);

/* Runs a command of virsh at a URI; what it says on both outputs. */
char *virsh_at(const char *uri, bool works, const char *command);
G_GNUC_PRINTF(1, 2)
char *virsh(const char *format, ...);
/* A command that has no more to say than that it has worked. */
G_GNUC_PRINTF(1, 2)
void done(const char *format, ...);
/* The command says exactly this. */
void says(const char *expected, const char *command);
/* The command's output, or its error, has this in it. */
void has(const char *part, bool works, const char *command);
void comes_to_say(const char *expected, const char *command);

/* The file of a guest's definition. digits are the last two of its UUID; action is what the guest
 * does (tests/engine/boot/actions.S); more goes before <devices>. */
char *write_guest(const char *name, const char *digits, const char *action, const char *more);
void define(const char *name, const char *digits, const char *action, const char *more);
/* The monitor of a running guest (its keeper, the process that lodged has started), or 0. */
pid_t monitor_of(const char *digits);
/* The process in which the guest runs, or 0. */
pid_t machine_of(const char *digits);
