// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Real guests for live tests: a private libvirtd (tests/live/private-libvirtd), definitions of three
 * small Linux guests (tests/guest/make-guest), and their serial lines to talk to them.
 *
 * What fails here fails the test (cmocka), with what the guest last said.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define LIVE_GUESTS 3
/* Seconds that anything may take: software emulation on a busy machine is slow. */
#define LIVE_PATIENCE 240

struct live_guest {
	const char *name;   /* "alpha", "beta", "gamma" */
	char *file;         /* its definition */
	char *socket;       /* of its serial line */
	int fd;             /* connected to it, or -1 */
	GString *said;      /* all it said since it was connected */
	gsize read;         /* how much of that was waited for */
};

struct live {
	char *dir; /* everything lies in here; short, for sockets */
	char *uri;
	struct live_guest guest[LIVE_GUESTS];
};

/* Makes the guest, starts libvirtd, writes the definitions (192 MiB, one vCPU, balloon, off). */
struct live *live_new(void);
/* The same with a definition of one's own, where @NAME@, @KERNEL@ and @INITRD@ (files), @SERIAL@ (the
 * serial line's socket) and @DIR@ (for disks) are filled in. */
struct live *live_new_of(const char *definition);
void live_free(struct live *live); /* ends all of it */

void live_kill_libvirtd(struct live *live); /* as by kill -9; the guests go on */
void live_start_libvirtd(struct live *live);

/* Waits until the guest says a text it has not been waited for yet. Connects where needed. */
void live_guest_expect(struct live_guest *guest, const char *text, int seconds);
/* Waits until the guest's shell answers, whether or not we heard it boot. */
void live_guest_ready(struct live_guest *guest, int seconds);
/* Types a line. */
void live_guest_say(struct live_guest *guest, const char *line);
/* Runs a command and gives the last line it printed. Caller frees. */
char *live_guest_ask(struct live_guest *guest, const char *command);
