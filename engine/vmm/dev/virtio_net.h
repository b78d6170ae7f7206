// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The virtio network device (virtio 1.2, section 5.1): one pair of queues, mergeable receive
 * buffers, link status, MTU, checksum offload: the guest may leave checksums to the device, and
 * takes the backend's frames as checked (the backend is this host). No control queue.
 */
#pragma once

#include "engine/vmm/dev/virtio.h"
#include "engine/vmm/net/net.h"

struct virtio_net;

/* Counters since the start. */
struct virtio_net_stats {
	uint64_t rx_bytes, rx_packets, rx_dropped;
	uint64_t tx_bytes, tx_packets, tx_dropped, tx_errors;
};

/* mtu: largest packet without the Ethernet header, 68-65521. backend is not owned and may be NULL
 * (no link). */
struct virtio_net *virtio_net_new(const struct virtio_env *env, const uint8_t mac[6], uint16_t mtu,
	struct net_backend *backend);
void virtio_net_free(struct virtio_net *net);
struct virtio_device *virtio_net_device(struct virtio_net *net);

/* Pulls the cable or plugs it in, beside the backend's own link state. Lock held. */
void virtio_net_set_link(struct virtio_net *net, bool up);
const struct virtio_net_stats *virtio_net_get_stats(const struct virtio_net *net);
