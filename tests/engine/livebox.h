// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A guest that lives while a test changes it: lodge-vmm as a program of its own, its control
 * socket, and Debian's kernel inside it with a shell on its serial port that does what the test
 * says. Any number of boxes and of clients at a time.
 *
 * Whatever goes wrong fails the test with a message; the guest's console is kept in
 * tests/engine/linux/NAME.log for a look. Waiting is for a condition and ends after
 * LIVEBOX_DEADLINE_S. When the test program ends, its guests do, too. One thread.
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stddef.h>

#define LIVEBOX_DEADLINE_S 300

struct livebox_config {
	const char *name;    /* of the guest and of its log file: one of its own for each box */
	unsigned vcpus;      /* at boot; 0: 1 */
	unsigned vcpus_max;  /* 0: vcpus */
	unsigned memory;     /* MiB at boot; 0: 192 */
	const char *backend; /* <domain type=…>; NULL: "qemu", the software CPU */
	const char *domain;  /* more elements of <domain>, or NULL */
	const char *devices; /* more elements of <devices>, or NULL; there are serial port,
			      * memballoon and rng already */
	bool bare;           /* leaves out those three: devices has all */
	const char *cmdline; /* more for the kernel, or NULL */
	/* A kernel to boot instead of Linux, or NULL. Nothing below that has to do with its
	 * shell works then. */
	const char *kernel;
	/* More options of lodge-vmm, ended by NULL; or NULL. */
	const char *const *options;
	/* Do not wait for the guest to be up, as with "--paused". */
	bool no_wait;
	/* In the monitor's sandbox, where a request cannot name files. */
	bool sandbox;
};

struct livebox {
	char *name;
	char *directory;       /* of its own, emptied and removed at the end */
	char *socket, *keeper; /* paths: the control socket's, and the keeper's */
	char *xml;             /* the definition's */
	int pid;               /* lodge-vmm's (the keeper's); 0: it has been waited for */
	int machine;           /* of the machine's process, in which the guest runs */
	int status;            /* as waitpid() says it, when it has ended */
	bool ended;            /* its end has been seen while something else was waited for */
	int in, out;           /* its terminal: serial port 0 */
	GString *console;      /* all it has written there */
	size_t read;           /* up to where the console has been looked at */
	GString *errors;       /* what lodge-vmm has said itself, on standard error */
	int error_fd;
	bool sandbox;
	GPtrArray *clients;    /* struct liveclient */
	struct liveclient *control; /* the first of them, made with the box */
};

/* Files of the test's for the guest, "FILE:PATH" each (see tests/guest/make-guest), before the
 * first box. set: a name for guests that have these files, [a-z]+; ended by NULL. */
void livebox_add_files(const char *set, const char *const *files);

/* Starts a guest. Returns when its shell is ready (Linux), or the control socket is. */
struct livebox *livebox_new(const struct livebox_config *config);
/* Ends it by force, if it still runs. */
void livebox_free(struct livebox *box);
/* lodge-vmm again with the same files and options, after livebox_wait_end() or livebox_kill(), and
 * these options more (ended by NULL, or NULL). The console begins anew; nothing is waited for but
 * the control socket. */
void livebox_start(struct livebox *box, const char *const *options);
/* kill -9; returns when nothing of it is left. */
void livebox_kill(struct livebox *box);
/* The same without a signal: it is about to end, by whatever means. The status as waitpid() says. */
int livebox_wait_gone(struct livebox *box);
/* Waits for the end of lodge-vmm by itself; its exit status, or 256 + signal. */
int livebox_wait_end(struct livebox *box);

/* ---- inside the guest ------------------------------------------------------------------------ */

/* Runs a line of shell in the guest. Returns what it has written, without the last newline; the
 * caller frees. It must end with status 0. */
G_GNUC_PRINTF(2, 3)
char *livebox_shell(struct livebox *box, const char *format, ...);
/* The same without what it has written. */
G_GNUC_PRINTF(2, 3)
void livebox_run(struct livebox *box, const char *format, ...);
/* The same for its exit status; *output may be NULL. */
int livebox_try_shell(struct livebox *box, char **output, const char *line);
/* The number that the line writes. */
G_GNUC_PRINTF(2, 3)
long livebox_shell_number(struct livebox *box, const char *format, ...);
/* Runs the line until what it writes is expected; fails the test after the deadline. */
void livebox_shell_until(struct livebox *box, const char *line, const char *expected);
/* The guest's device among whose files, named by a pattern of the shell, one has that line; waits
 * until there is one. Its name, which the caller frees. */
char *livebox_device(struct livebox *box, const char *pattern, const char *line);
/* Waits until the guest has that path no more. */
void livebox_wait_path_gone(struct livebox *box, const char *path);
/* Waits for text on the console after what has been looked at. */
void livebox_wait_console(struct livebox *box, const char *text);
/* Waits for the shell after a boot that livebox_new() has not waited for (a reset). */
void livebox_wait_shell(struct livebox *box);

/* ---- the control socket ---------------------------------------------------------------------- */

struct liveclient {
	struct livebox *box;
	int fd;
	GString *in;
	GPtrArray *answers; /* JsonObject: not asked for yet */
	GPtrArray *events;
	unsigned last_id;
	bool closed; /* by the monitor */
};

/* One client more; it waits until somebody listens. */
struct liveclient *livebox_connect(struct livebox *box);
/* The same at the keeper's socket. */
struct liveclient *livebox_connect_keeper(struct livebox *box);
void liveclient_free(struct liveclient *client);

/* Sends a request, a JSON object without "id"; its id. Descriptors go with it and stay the
 * caller's. */
G_GNUC_PRINTF(2, 3)
unsigned liveclient_ask(struct liveclient *client, const char *format, ...);
unsigned liveclient_ask_fds(struct liveclient *client, const char *request, const int *fds,
	size_t count);
/* Waits for the answer; the caller unrefs. */
JsonObject *liveclient_answer(struct liveclient *client, unsigned id);
bool liveclient_is_answered(struct liveclient *client, unsigned id);

/* Both on box->control: asks, waits, and says that it worked. The caller unrefs the answer. */
G_GNUC_PRINTF(2, 3)
JsonObject *livebox_get(struct livebox *box, const char *format, ...);
/* Plugs a disk ("disk") or network card ("nic") that needs a program: has the keeper open it, with
 * an opened image unless that is -1 (the caller's), then plugs it. Its name, which the caller frees. */
char *livebox_plug_kept(struct livebox *box, const char *kind, const char *xml, int image);
/* The same without looking at the answer. */
G_GNUC_PRINTF(2, 3)
void livebox_do(struct livebox *box, const char *format, ...);
/* Asks, and it must be refused; the sentence, which the caller frees. */
G_GNUC_PRINTF(2, 3)
char *livebox_refused(struct livebox *box, const char *format, ...);

/* The next event of this name that has not been taken yet, in whatever order they came; the caller
 * unrefs. */
JsonObject *liveclient_event(struct liveclient *client, const char *name);
/* The same if it has come already, or NULL. */
JsonObject *liveclient_try_event(struct liveclient *client, const char *name);
/* Forgets those that have come so far. */
void liveclient_forget_events(struct liveclient *client);

/* Reads what has come from guests and monitors, waiting for at most so many milliseconds. For loops
 * of a test's own: also keeps the console from filling up. */
void livebox_pump(struct livebox *box, int milliseconds);
