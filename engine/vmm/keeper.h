// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The keeper: lodge-vmm's first process. It forks the machine's process, which is the first of a
 * process namespace of its own and enters the sandbox (sandbox.h) when the guest is set up, and
 * stays outside to do what the machine's may not: it starts passt and qemu-storage-daemon, speaks
 * to them, and hands in sockets of theirs. Without the sandbox all is the same but for the
 * namespace.
 *
 * The machine's process may be the guest's one day, so it can name what it wants and no more
 * (keeper_wire.h): the keeper has what names mean from the definition, and from clients of its
 * own socket, who are trusted (engine/common/control.h, "The keeper").
 *
 * Both end together: the keeper forwards SIGTERM, SIGINT and SIGHUP, waits for the machine's
 * process, ends the programs and takes over its exit status; the machine's process and the
 * programs are killed when the keeper dies.
 *
 * Threads: none but the main one; the default main context, which is not touched before the fork.
 */
#pragma once

#include "engine/common/config.h"
#include "engine/vmm/kept.h"
#include "engine/vmm/sandbox.h"

struct keeper;

struct keeper_options {
	bool sandbox;
	struct sandbox_options identity; /* whom the keeper becomes, if it is sandboxed */
	const char *socket;              /* where trusted clients come to, or NULL */
};

/*
 * Forks. In the machine's process *kept is set and the result is NULL without an error; SIGTERM,
 * SIGINT and SIGHUP are blocked in it until it lets them in (keeper_signals()). In this process the
 * result is the keeper, or NULL with an error, and there is no other process.
 *
 * config stays the caller's; it is read only here and in the keeper.
 */
struct keeper *keeper_fork(const struct machine_config *config, const struct keeper_options *options,
	struct kept **kept, GError **error);
void keeper_free(struct keeper *keeper);

/* Calls handler for SIGTERM, SIGINT and SIGHUP, and lets them in. */
void keeper_signals(void (*handler)(int number));

/* A device of the saved guest that is about to go on, plugged while it ran: a <disk> or <interface>
 * element. What cannot be read, or is in the definition, is left out. */
void keeper_learn(struct keeper *keeper, const char *xml);

/* Until the machine's process has ended; its exit status, or 128 and its signal's number, which is
 * said. */
int keeper_run(struct keeper *keeper);
