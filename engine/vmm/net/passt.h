// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The user-mode network: passt(1), which needs no privileges and gives the guest the host's own
 * addresses by DHCP. It speaks Ethernet frames over a UNIX stream socket, each after its length as
 * a 32-bit big-endian number (qemu's stream netdev; passt(1) "--socket").
 *
 * Either passt is started here, as a child with one end of a socket pair, and started again
 * (after a pause) should it end; or it runs already and listens at a path, which is connected to,
 * and again (after a pause) should it hang up. Meanwhile the link is down.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/net/net.h"

#define NET_PASST_MTU 65520u /* what passt tells the guest by default */

struct net_passt_config {
	const char *socket_path;      /* connect there; NULL: start passt */
	const char *program;          /* NULL: "passt" by PATH */
	const char *const *arguments; /* further ones (-t 2222:22 …), NULL-terminated; or NULL */
	uint16_t mtu;                 /* told to the guest; 0: passt's own default */
	const char *log_path;         /* passt's log, or NULL for none */
	/* One line when the other side is gone. NULL: nobody. Lock held. */
	void (*warn)(void *data, const char *message);
	void *warn_data;
	/* Whether passt may be started or connected to (again) now, or why not. NULL: always. */
	bool (*allowed)(GError **error);
};

/* context is the machine's main loop. Errors: passt cannot be started or connected to now; the
 * sentence says what to do. */
struct net_backend *net_passt_new(const struct net_passt_config *config, GMainContext *context,
	struct machine_lock *lock, GError **error);

/* The child's process id, 0 where there is none (now). */
GPid net_passt_pid(const struct net_backend *backend);
