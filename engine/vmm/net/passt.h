// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The user-mode network: passt(1), which needs no privileges and gives the guest the host's own
 * addresses by DHCP. It speaks Ethernet frames over a UNIX stream socket, each after its length as
 * a 32-bit big-endian number (qemu's stream netdev; passt(1) "--socket").
 *
 * Who starts it is another's business (passt_program.h, kept.h): here is the stream. Should it end,
 * another is asked for, after a pause. Meanwhile the link is down.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/net/net.h"

#define NET_PASST_MTU 65520u /* what passt tells the guest by default */

struct net_passt_config {
	/* A connected socket to a new passt, taken; the one before is of no use any more. -1 on an
	 * error. Lock not held. */
	int (*open)(void *data, GError **error);
	/* The cable has gone, and passt is not needed any more. Lock held. NULL: nobody cares. */
	void (*close)(void *data);
	/* One line when the other side is gone. NULL: nobody. Lock held. */
	void (*warn)(void *data, const char *message);
	void *data;
};

/* context is the machine's main loop. Errors: those of open. */
struct net_backend *net_passt_new(const struct net_passt_config *config, GMainContext *context,
	struct machine_lock *lock, GError **error);
