// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A TAP device of the host as a network card's other end (Linux,
 * Documentation/networking/tuntap.rst): made here, which takes CAP_NET_ADMIN, and put into a bridge
 * where one is named; or opened by somebody else and given as a descriptor. A datagram socket will
 * do in its place: each datagram is a frame.
 *
 * Frames that wait for the guest stay in the host's queue.
 */
#pragma once

#include "engine/vmm/bus.h"
#include "engine/vmm/net/net.h"

struct net_tap_config {
	int fd;             /* the opened device, taken (also on an error); -1: make one */
	const char *name;   /* of the device to make; NULL: the next vnetN that is free */
	const char *bridge; /* of the host, or NULL: the device is only brought up */
	const uint8_t *mac; /* of the guest's card: the host's end gets the like of it */
	uint16_t mtu;       /* 0: leave it */
};

/* context is the machine's main loop. Errors: G_IO_ERROR, sentences. */
struct net_backend *net_tap_new(const struct net_tap_config *config, GMainContext *context,
	struct machine_lock *lock, GError **error);
/* The device's name; NULL for a socket. */
const char *net_tap_name(const struct net_backend *backend);
