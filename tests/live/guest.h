// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Real guests for live tests: a private libvirtd (tests/live/private-libvirtd), or lodged where the
 * environment has LODGE_LIVE_SERVER=private-lodged; definitions of three small Linux guests
 * (tests/guest/make-guest), and their serial lines to talk to them.
 *
 * What fails here fails the test (cmocka), with what the guest last said.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define LIVE_GUESTS 3
/* Seconds that anything may take: software emulation on a busy machine is slow. For writing tests,
 * LODGE_LIVE_PATIENCE is another number. */
#define LIVE_PATIENCE live_patience()
int live_patience(void);

/* Whether the guests are the bundled engine's. */
bool live_bundled(void);

/* A definition: what it has before <os>, and devices beside balloon and serial line. @NAME@,
 * @SERIAL@ (the serial line's socket) and @DIR@ (for disks) are filled in by live_start(). */
#define LIVE_DEFINITION(elements, devices) \
	"<domain type='qemu'>\n" elements "  <os>\n" \
	"    <type arch='x86_64' machine='pc'>hvm</type>\n" \
	"    <kernel>@KERNEL@</kernel>\n" \
	"    <initrd>@INITRD@</initrd>\n" \
	"    <cmdline>console=ttyS0 quiet no_timer_check</cmdline>\n" \
	"  </os>\n" \
	"  <features><acpi/></features>\n" \
	"  <devices>\n" devices "    <memballoon model='virtio'><stats period='1'/></memballoon>\n" \
	"    <serial type='unix'><source mode='bind' path='@SERIAL@'/></serial>\n" \
	"  </devices>\n" \
	"</domain>\n"

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

/* Makes the guest, writes the definitions, starts libvirtd. The definition is one of a test's own, by
 * LIVE_DEFINITION; NULL: 192 MiB, one vCPU, nothing more. *live is there from the beginning, so that it can be
 * freed whatever fails on the way. */
void live_start(struct live **live, const char *definition);
/* Ends all of it. Fails no test; takes NULL, and what was only half started. */
void live_free(struct live *live);

/* A file in the directory, full of zeros; for disks. Its path, caller frees. */
char *live_disk(struct live *live, const char *name, gint64 bytes);

struct harness;
/* The console on these guests, at the table of guests; state and settings are in the directory. The
 * environment is as in harness.h, NULL: nothing more. End it with harness_stop, which takes NULL. */
struct harness *live_console(struct live *live, int width, int height, const char *const *env);
/* Waits for a text longer than the harness does: a guest on a busy machine. */
void live_expect(struct harness *console, const char *text);
/* In the table of guests: defines the first guest and starts it; returns when its shell answers. */
void live_console_starts(struct harness *console, struct live *live, const char *name);
/* What virsh says to words of a command line, which it does; caller frees. */
char *live_virsh(struct live *live, const char *words);
/* The console's own end by F9, from the table of guests. A test of its own, the last. */
void live_console_quits(struct harness *console);
/* What was done, as the audit log tells; caller frees. */
char *live_audit_log(struct live *live);

void live_kill_libvirtd(struct live *live); /* as by kill -9; the guests go on */
void live_start_libvirtd(struct live *live);
/* Of libvirtd, or of lodged; 0: it does not run. */
int live_libvirtd_pid(struct live *live);

/* Waits until the guest says a text it has not been waited for yet. Connects where needed. */
void live_guest_expect(struct live_guest *guest, const char *text, int seconds);
/* Waits until the guest's shell answers, whether or not we heard it boot. */
void live_guest_ready(struct live_guest *guest, int seconds);
/* Types a line. */
void live_guest_say(struct live_guest *guest, const char *line);
/* Runs a command and gives the last line it printed. Caller frees. */
char *live_guest_ask(struct live_guest *guest, const char *command);
/* The same as a number; and asks again and again until it lies between two. */
double live_guest_number(struct live_guest *guest, const char *command);
void live_guest_wait_between(
	struct live_guest *guest, const char *command, double least, double most);
