// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Networks, which are what guests' cards can be put in on this host: "user", the user-mode network
 * by passt(1) (<interface type='user'>), and the host's bridges (<interface type='bridge'>). They
 * are there or not; nothing of them is defined here. Any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct network {
	char *name;
	bool bridge; /* of this name */
	unsigned char uuid_bytes[16];
	char uuid[37]; /* the same for a name on every host */
};

/* What is there now: struct network. */
GPtrArray *network_list(void);
/* libvirt's XML. Free with g_free(). */
char *network_print(const struct network *network);

/* The IPv4 address that the host's neighbour table (/proc/net/arp) has for a MAC address in lower
 * case, or NULL. Free with g_free(). */
char *network_neighbour(const char *mac);
