// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/virtio_net.h"

#include "engine/vmm/bucket.h"

#include <glib.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <stddef.h>
#include <string.h>

#define QUEUE_SIZE 256
#define HEADER sizeof(struct virtio_net_hdr_v1)
#define FRAME_MIN 14u

/* 5.1.2 */
enum {
	RECEIVE,
	TRANSMIT,
};

/* What limits one direction, as the guest sees it. */
struct direction {
	struct config_bandwidth bandwidth;
	struct bucket bucket;
	struct clock_timer *timer; /* set while frames are held */
	bool held;
	uint64_t held_since;
};

struct virtio_net {
	struct virtio_device dev;
	struct net_backend *backend;
	uint8_t mac[6];
	uint16_t mtu;
	bool cable;   /* the administrator's side of the link state */
	bool busy;    /* the backend will call writable() */
	bool refused; /* the backend waits for receive buffers */
	struct stats_nic own_stats;
	struct stats_nic *stats; /* own_stats, or the owner's */
	struct direction in, out;
	struct virtq_chain first; /* the receive chain with the header, while a frame is spread */
	struct virtq_chain chain;
	uint8_t frame[NET_FRAME_MAX]; /* a frame whose checksum is completed */
};

static bool net_link_up(const struct virtio_net *net)
{
	return net->cable && net->backend && net->backend->link_up;
}

/* ---- limits ---- */

static uint64_t net_now(const struct virtio_net *net)
{
	return clock_ns(net->dev.env->clock);
}

/* Whether a direction must wait; then its timer is set. */
static bool net_hold(struct virtio_net *net, struct direction *direction)
{
	uint64_t now = net_now(net), wait = bucket_wait(&direction->bucket, now);

	if (!wait)
		return false;
	if (!direction->held)
		direction->held_since = now;
	direction->held = true;
	timer_set(direction->timer, now + wait);
	return true;
}

/* The wait is over. */
static void net_release(struct virtio_net *net, struct direction *direction)
{
	if (!direction->held)
		return;
	direction->held = false;
	stats_add(&net->stats->waited_ns, net_now(net) - direction->held_since);
}

/* ---- from the guest ---- */

static uint16_t checksum(const uint8_t *data, size_t length)
{
	uint64_t sum = 0;

	for (; length >= 4; data += 4, length -= 4) {
		uint32_t word;

		memcpy(&word, data, 4);
		sum += word;
	}
	if (length >= 2) {
		sum += data[0] | data[1] << 8;
		data += 2;
		length -= 2;
	}
	if (length)
		sum += data[0];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Completes a partial checksum (5.1.6.2: from csum_start to the end, stored csum_offset after it)
 * in a copy. False where the header asks for what does not lie in the frame. */
static bool net_complete(
	struct virtio_net *net, const struct virtio_net_hdr_v1 *header, size_t length)
{
	size_t start = header->csum_start, at = start + header->csum_offset;
	uint16_t sum;

	if (length > sizeof(net->frame) || at + sizeof(sum) > length)
		return false;
	virtq_chain_read(&net->chain, HEADER, net->frame, length);
	sum = checksum(net->frame + start, length - start);
	/* For UDP a sum of zero would mean none; for TCP both zeroes are the same. */
	if (!sum)
		sum = 0xffff;
	memcpy(net->frame + at, &sum, sizeof(sum));
	return true;
}

/* Cuts the header off the chain; the segments left in iov. */
static unsigned net_payload(const struct virtq_chain *chain, struct iovec *iov)
{
	uint64_t skip = HEADER;
	unsigned count = 0;

	for (unsigned i = 0; i < chain->out_count; i++) {
		struct iovec segment = chain->segment[i];
		uint64_t part = MIN(skip, segment.iov_len);

		skip -= part;
		if (part == segment.iov_len)
			continue;
		iov[count++] =
			(struct iovec){(uint8_t *)segment.iov_base + part, segment.iov_len - part};
	}
	return count;
}

static enum net_sent net_send(struct virtio_net *net)
{
	size_t length = net->chain.out_length - HEADER;
	struct iovec iov[VIRTQ_SIZE_MAX];
	struct virtio_net_hdr_v1 header;
	unsigned count = 1;

	if (!net_link_up(net))
		return NET_DROPPED;
	virtq_chain_read(&net->chain, 0, &header, sizeof(header));
	if (length < FRAME_MIN || length > NET_FRAME_MAX || header.gso_type)
		return NET_DROPPED;
	if (header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		if (!net_complete(net, &header, length))
			return NET_DROPPED;
		iov[0] = (struct iovec){net->frame, length};
	} else {
		count = net_payload(&net->chain, iov);
	}
	return net->backend->ops->send(net->backend, iov, count);
}

/* Sends the chain popped last. False when the backend is busy: the chain goes back. */
static bool net_transmit_one(struct virtio_net *net)
{
	enum net_sent sent;

	if (net_hold(net, &net->out)) {
		virtq_unpop(&net->dev, TRANSMIT, 1);
		return false;
	}
	sent = net_send(net);

	if (sent == NET_BUSY) {
		net->busy = true;
		virtq_unpop(&net->dev, TRANSMIT, 1);
		return false;
	}
	if (sent == NET_SENT) {
		bucket_take(&net->out.bucket, net->chain.out_length - HEADER, net_now(net));
		stats_add(&net->stats->tx_packets, 1);
		stats_add(&net->stats->tx_bytes, net->chain.out_length - HEADER);
	} else {
		stats_add(&net->stats->tx_drops, 1);
	}
	virtq_push(&net->dev, TRANSMIT, &net->chain, 0);
	return true;
}

static void net_transmit(struct virtio_net *net)
{
	struct virtio_device *dev = &net->dev;

	if (net->busy || net->out.held)
		return;
	do {
		virtq_want_kicks(dev, TRANSMIT, false);
		while (virtq_pop(dev, TRANSMIT, &net->chain)) {
			if (net->chain.out_length < HEADER) {
				virtio_misused(dev, "a frame without header");
				virtq_push(dev, TRANSMIT, &net->chain, 0);
				return;
			}
			if (!net_transmit_one(net))
				goto out;
		}
	} while (virtq_want_kicks(dev, TRANSMIT, true));
out:
	virtq_notify(dev, TRANSMIT);
}

static void net_out_due(void *data)
{
	struct virtio_net *net = data;

	net_release(net, &net->out);
	net_transmit(net);
}

static void net_writable(void *device)
{
	struct virtio_net *net = device;

	net->busy = false;
	net_transmit(net);
}

/* ---- to the guest ---- */

/* Takes the next receive chain; false where there is none, and then asks to be told. */
static bool net_pop_receive(struct virtio_net *net, struct virtq_chain *chain)
{
	while (!virtq_pop(&net->dev, RECEIVE, chain)) {
		if (!virtq_want_kicks(&net->dev, RECEIVE, true))
			return false;
	}
	return true;
}

static void net_write_header(struct virtio_net *net, unsigned chains)
{
	struct virtio_net_hdr_v1 header = {.num_buffers = chains};

	/* What comes from this host has not been on a wire. */
	if (virtio_has(&net->dev, 1ull << VIRTIO_NET_F_GUEST_CSUM))
		header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	virtq_chain_write(&net->first, 0, &header, sizeof(header));
}

/* Puts a frame into as many chains as it needs; how many, 0 where there are not enough (those taken
 * are put back). */
static unsigned net_spread(struct virtio_net *net, const uint8_t *frame, size_t length)
{
	struct virtq_chain *chain = &net->first;
	unsigned chains = 0;
	size_t done = 0;

	do {
		uint64_t skip = chains ? 0 : HEADER, part;

		if (!net_pop_receive(net, chain)) {
			virtq_unpop(&net->dev, RECEIVE, chains);
			return 0;
		}
		part = virtq_chain_write(chain, skip, frame + done, length - done);
		if (chain->in_length <= skip) {
			virtio_misused(&net->dev, "a receive buffer is too small");
			virtq_unpop(&net->dev, RECEIVE, chains + 1);
			return 0;
		}
		virtq_fill(&net->dev, RECEIVE, chain, part + skip, chains++);
		done += part;
		chain = &net->chain;
	} while (done < length && virtio_has(&net->dev, 1ull << VIRTIO_NET_F_MRG_RXBUF));
	if (done < length) {
		/* One buffer that does not hold it: the frame is lost, the buffer is not. */
		virtq_unpop(&net->dev, RECEIVE, chains);
		stats_add(&net->stats->rx_drops, 1);
		return 0;
	}
	return chains;
}

/* Lets the backend wait with its frames, or no more. */
static void net_refuse(struct virtio_net *net, bool refused)
{
	net->refused = refused;
	stats_set(&net->stats->rx_waiting, refused);
}

static bool net_receive(void *device, const void *frame, size_t length)
{
	struct virtio_net *net = device;
	uint64_t dropped = stats_get(&net->stats->rx_drops);
	unsigned chains;

	if (!virtio_running(&net->dev) || !net->cable || length < FRAME_MIN) {
		stats_add(&net->stats->rx_drops, 1);
		return true;
	}
	if (net_hold(net, &net->in)) {
		net_refuse(net, true);
		return false;
	}
	chains = net_spread(net, frame, length);
	if (!chains) {
		net_refuse(net,
			stats_get(&net->stats->rx_drops) == dropped && virtio_running(&net->dev));
		return !net->refused;
	}
	net_write_header(net, chains);
	virtq_flush(&net->dev, RECEIVE, chains);
	stats_add(&net->stats->rx_packets, 1);
	stats_add(&net->stats->rx_bytes, length);
	bucket_take(&net->in.bucket, length, net_now(net));
	return true;
}

static void net_received(void *device)
{
	struct virtio_net *net = device;

	virtq_notify(&net->dev, RECEIVE);
}

static void net_resume(struct virtio_net *net)
{
	if (!net->refused)
		return;
	net_refuse(net, false);
	net->backend->ops->resume(net->backend);
}

static void net_in_due(void *data)
{
	struct virtio_net *net = data;

	net_release(net, &net->in);
	net_resume(net);
}

/* ---- link ---- */

static void net_link_changed(void *device)
{
	struct virtio_net *net = device;

	stats_set(&net->stats->link_up, net_link_up(net));
	virtio_config_changed(&net->dev);
	/* What waited for the backend is sent, or dropped with the link. */
	net->busy = false;
	net_transmit(net);
}

void virtio_net_set_link(struct virtio_net *net, bool up)
{
	if (net->cable == up)
		return;
	net->cable = up;
	net_link_changed(net);
}

static const struct net_client net_client_ops = {
	.receive = net_receive,
	.writable = net_writable,
	.link_changed = net_link_changed,
	.received = net_received,
};

/* ---- the device ---- */

static void virtio_net_kick(struct virtio_device *dev, unsigned queue)
{
	struct virtio_net *net = (struct virtio_net *)dev;

	if (queue == TRANSMIT)
		net_transmit(net);
	else
		net_resume(net);
}

static void virtio_net_reset(struct virtio_device *dev)
{
	struct virtio_net *net = (struct virtio_net *)dev;

	net->busy = false;
	net_resume(net); /* nobody takes frames now: the backend throws away what it kept */
}

static void virtio_net_config_read(
	struct virtio_device *dev, unsigned offset, void *data, unsigned size)
{
	const struct virtio_net *net = (struct virtio_net *)dev;
	struct virtio_net_config config = {
		.status = net_link_up(net) ? VIRTIO_NET_S_LINK_UP : 0,
		.max_virtqueue_pairs = 1,
		.mtu = net->mtu,
	};

	memcpy(config.mac, net->mac, sizeof(config.mac));
	memcpy(data, (uint8_t *)&config + offset, size);
}

/* ---- saving ---- */

static const struct field net_fields[] = {
	FIELD_BYTES(struct virtio_net, mac),
	FIELD(struct virtio_net, mtu),
	FIELD_FLAG(struct virtio_net, cable),
	FIELD_END,
};

static void virtio_net_save(struct virtio_device *dev, unsigned index, struct state_out *out)
{
	state_put(out, "net", index, net_fields, (struct virtio_net *)dev);
}

static bool virtio_net_load(
	struct virtio_device *dev, unsigned index, struct state_in *in, GError **error)
{
	struct virtio_net *net = (struct virtio_net *)dev;
	uint16_t mtu = net->mtu;
	uint8_t mac[6];

	memcpy(mac, net->mac, sizeof(mac));
	if (!state_get(in, "net", index, net_fields, net, error))
		return false;
	return (mtu == net->mtu && !memcmp(mac, net->mac, sizeof(mac))) ||
	       state_foreign("net", index, error);
}

static const struct virtio_ops virtio_net_ops = {
	.name = "virtio-net",
	.id = VIRTIO_ID_NET,
	.class_code = 0x020000,
	.config_size = offsetof(struct virtio_net_config, speed),
	.config_read = virtio_net_config_read,
	.kick = virtio_net_kick,
	.reset = virtio_net_reset,
	.save = virtio_net_save,
	.load = virtio_net_load,
};

struct virtio_net *virtio_net_new(const struct virtio_env *env, const uint8_t mac[6], uint16_t mtu,
	struct net_backend *backend)
{
	struct virtio_net *net = g_new0(struct virtio_net, 1);

	net->backend = backend;
	net->mtu = mtu;
	net->cable = true;
	net->in.timer = timer_new(env->clock, net_in_due, net);
	net->out.timer = timer_new(env->clock, net_out_due, net);
	memcpy(net->mac, mac, sizeof(net->mac));
	virtio_device_init(&net->dev, &virtio_net_ops, env,
		1ull << VIRTIO_NET_F_CSUM | 1ull << VIRTIO_NET_F_GUEST_CSUM |
			1ull << VIRTIO_NET_F_MTU | 1ull << VIRTIO_NET_F_MAC |
			1ull << VIRTIO_NET_F_MRG_RXBUF | 1ull << VIRTIO_NET_F_STATUS);
	virtio_add_queue(&net->dev, QUEUE_SIZE);
	virtio_add_queue(&net->dev, QUEUE_SIZE);
	net_connect(backend, &net_client_ops, net);
	virtio_net_count(net, NULL);
	return net;
}

void virtio_net_free(struct virtio_net *net)
{
	if (!net)
		return;
	net_connect(net->backend, NULL, NULL);
	timer_free(net->in.timer);
	timer_free(net->out.timer);
	virtio_device_release(&net->dev);
	g_free(net);
}

struct virtio_device *virtio_net_device(struct virtio_net *net)
{
	return &net->dev;
}

bool virtio_net_cable(const struct virtio_net *net)
{
	return net->cable;
}

static void net_limit(
	struct virtio_net *net, struct direction *direction, const struct config_bandwidth *bandwidth)
{
	direction->bandwidth = *bandwidth;
	bucket_set(&direction->bucket, bandwidth->average * 1024, bandwidth->burst * 1024,
		bandwidth->peak * 1024, net_now(net));
}

void virtio_net_set_limits(struct virtio_net *net, const struct config_bandwidth *inbound,
	const struct config_bandwidth *outbound)
{
	net_limit(net, &net->in, inbound);
	net_limit(net, &net->out, outbound);
	net_in_due(net);
	net_out_due(net);
}

void virtio_net_get_limits(const struct virtio_net *net, struct config_bandwidth *inbound,
	struct config_bandwidth *outbound)
{
	*inbound = net->in.bandwidth;
	*outbound = net->out.bandwidth;
}

void virtio_net_count(struct virtio_net *net, struct stats_nic *stats)
{
	net->stats = stats ? stats : &net->own_stats;
	stats_set(&net->stats->link_up, net_link_up(net));
}

const struct stats_nic *virtio_net_get_stats(const struct virtio_net *net)
{
	return net->stats;
}
