// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The virtio network device (virtio 1.2, section 5.1): one pair of queues, mergeable receive
 * buffers, link status, MTU, checksum offload: the guest may leave checksums to the device, and
 * takes the backend's frames as checked (the backend is this host). No control queue. Frames may
 * be limited in their rate, each way.
 */
#pragma once

#include "engine/common/config.h"
#include "engine/common/stats.h"
#include "engine/vmm/dev/virtio.h"
#include "engine/vmm/net/net.h"

struct virtio_net;

/* mtu: largest packet without the Ethernet header, 68-65521. backend is not owned and may be NULL
 * (no link). */
struct virtio_net *virtio_net_new(const struct virtio_env *env, const uint8_t mac[6], uint16_t mtu,
	struct net_backend *backend);
void virtio_net_free(struct virtio_net *net);
struct virtio_device *virtio_net_device(struct virtio_net *net);

/* Pulls the cable or plugs it in, beside the backend's own link state. Lock held. */
void virtio_net_set_link(struct virtio_net *net, bool up);
bool virtio_net_cable(const struct virtio_net *net);

/* How fast frames go to the guest and from it; what waits for it stays with the sender. Lock
 * held. */
void virtio_net_set_limits(struct virtio_net *net, const struct config_bandwidth *inbound,
	const struct config_bandwidth *outbound);
void virtio_net_get_limits(const struct virtio_net *net, struct config_bandwidth *inbound,
	struct config_bandwidth *outbound);

/* Counts in this record from now on; NULL: in one of its own. Lock held. */
void virtio_net_count(struct virtio_net *net, struct stats_nic *stats);
const struct stats_nic *virtio_net_get_stats(const struct virtio_net *net);
