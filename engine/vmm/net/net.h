// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Network backends: where a network card's cable goes. Frames are Ethernet frames without
 * checksum (FCS), 14 to NET_FRAME_MAX bytes.
 *
 * Threads: everything with the machine lock held, in both directions; backends do their host side
 * in the machine's main loop.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define NET_FRAME_MAX 65535u

struct net_backend;

enum net_sent {
	NET_SENT,
	NET_BUSY,    /* try again after the client's writable() */
	NET_DROPPED, /* the link is down, or the frame cannot be sent */
};

struct net_backend_ops {
	enum net_sent (*send)(
		struct net_backend *backend, const struct iovec *iov, unsigned iov_count);
	/* The client, whose receive() said false, has room again. */
	void (*resume)(struct net_backend *backend);
	void (*free)(struct net_backend *backend);
};

/* What a network card does. */
struct net_client {
	/* A frame for the guest; false: no room, keep it and stop until resume(). */
	bool (*receive)(void *device, const void *frame, size_t length);
	void (*writable)(void *device);
	/* The backend's link went up or down (backend->link_up has changed). */
	void (*link_changed)(void *device);
	/* End of a batch of receive(): time to interrupt the guest. */
	void (*received)(void *device);
};

/* The base of a backend. */
struct net_backend {
	const struct net_backend_ops *ops;
	const struct net_client *client; /* NULL until a card connects */
	void *device;
	bool link_up;
};

static inline void net_connect(
	struct net_backend *backend, const struct net_client *client, void *device)
{
	if (!backend)
		return;
	backend->client = client;
	backend->device = device;
}

static inline void net_free(struct net_backend *backend)
{
	if (backend)
		backend->ops->free(backend);
}
