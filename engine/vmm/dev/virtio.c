// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/virtio.h"

#include <glib.h>
#include <linux/virtio_ring.h>
#include <string.h>

#define BUDGET VIRTQ_SIZE_MAX /* chains for one notification */

static void virtio_go_on(void *data);

void virtio_device_init(struct virtio_device *dev, const struct virtio_ops *ops,
	const struct virtio_env *env, uint64_t features)
{
	dev->ops = ops;
	dev->env = env;
	dev->offered = features | VIRTIO_FEATURE_INDIRECT | VIRTIO_FEATURE_EVENT_IDX |
		       VIRTIO_FEATURE_VERSION_1;
	dev->again = timer_new(env->clock, virtio_go_on, dev);
}

void virtio_device_release(struct virtio_device *dev)
{
	timer_free(dev->again);
}

void virtio_add_queue(struct virtio_device *dev, uint16_t size_max)
{
	struct virtq *queue = &dev->queues[dev->queue_count];

	g_assert(dev->queue_count < VIRTIO_QUEUES_MAX && size_max <= VIRTQ_SIZE_MAX);
	queue->index = dev->queue_count++;
	queue->size_max = queue->size = size_max;
}

void virtio_set_transport(
	struct virtio_device *dev, const struct virtio_transport_ops *ops, void *transport)
{
	dev->transport_ops = ops;
	dev->transport = transport;
}

bool virtio_running(const struct virtio_device *dev)
{
	return (dev->status & (VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET)) ==
		       VIRTIO_STATUS_DRIVER_OK &&
	       !dev->resetting;
}

static bool virtq_live(const struct virtio_device *dev, unsigned queue)
{
	return virtio_running(dev) && dev->queues[queue].enabled;
}

void virtio_config_changed(struct virtio_device *dev)
{
	dev->generation++;
	if (dev->status & VIRTIO_STATUS_DRIVER_OK && dev->transport_ops)
		dev->transport_ops->config_changed(dev->transport);
}

void virtio_misused(struct virtio_device *dev, const char *what)
{
	g_autofree char *message = NULL;

	if (dev->status & VIRTIO_STATUS_NEEDS_RESET)
		return;
	dev->status |= VIRTIO_STATUS_NEEDS_RESET;
	message = g_strdup_printf("%s: the guest's driver broke the rules (%s); "
				  "the device waits for a reset",
		dev->ops->name, what);
	if (dev->env->warn)
		dev->env->warn(dev->env->warn_data, message);
	virtio_config_changed(dev);
}

/* ---- status ---- */

static void virtio_reset_finish(struct virtio_device *dev)
{
	for (unsigned i = 0; i < dev->queue_count; i++) {
		uint16_t size_max = dev->queues[i].size_max;

		dev->queues[i] = (struct virtq){.index = i, .size_max = size_max, .size = size_max};
	}
	dev->features = 0;
	dev->status = 0;
	dev->resetting = false;
}

/* Finishes a reset when nothing is in flight any more. */
static void virtio_reset_continue(struct virtio_device *dev)
{
	if (!dev->resetting)
		return;
	for (unsigned i = 0; i < dev->queue_count; i++) {
		if (dev->queues[i].popped)
			return;
	}
	virtio_reset_finish(dev);
}

static void virtio_start(struct virtio_device *dev)
{
	if (dev->ops->start)
		dev->ops->start(dev);
	for (unsigned i = 0; i < dev->queue_count; i++)
		virtio_kick(dev, i);
}

/* Section 2.2.2: the device says no to features it did not offer by not taking FEATURES_OK. */
static bool virtio_features_fit(const struct virtio_device *dev)
{
	return !(dev->features & ~dev->offered) && dev->features & VIRTIO_FEATURE_VERSION_1;
}

void virtio_set_status(struct virtio_device *dev, uint8_t status)
{
	uint8_t old = dev->status;

	if (!status) {
		dev->resetting = true;
		if (dev->ops->reset)
			dev->ops->reset(dev);
		virtio_reset_continue(dev);
		return;
	}
	if (dev->resetting)
		return;
	if (status & ~old & VIRTIO_STATUS_FEATURES_OK && !virtio_features_fit(dev))
		status &= ~VIRTIO_STATUS_FEATURES_OK;
	if (!(status & VIRTIO_STATUS_FEATURES_OK))
		status &= ~VIRTIO_STATUS_DRIVER_OK;
	dev->status = (status & ~VIRTIO_STATUS_NEEDS_RESET) | (old & VIRTIO_STATUS_NEEDS_RESET);
	if (status & ~old & VIRTIO_STATUS_DRIVER_OK)
		virtio_start(dev);
}

void virtio_set_features(struct virtio_device *dev, uint64_t features)
{
	if (!(dev->status & VIRTIO_STATUS_FEATURES_OK) && !dev->resetting)
		dev->features = features;
}

static void *ring_at(struct virtio_device *dev, uint64_t address, uint64_t length, unsigned align)
{
	return address & (align - 1) ? NULL : memory_at(dev->env->memory, address, length);
}

/* Section 2.7: sizes and alignments of the three parts. What is wrong, or NULL. */
static const char *virtq_map(struct virtio_device *dev, struct virtq *q)
{
	if (!q->size || q->size > q->size_max || q->size & (q->size - 1))
		return "the size of a queue is wrong";
	q->table = ring_at(dev, q->desc, 16ull * q->size, 16);
	q->avail = ring_at(dev, q->driver, 6 + 2ull * q->size, 2);
	q->used = ring_at(dev, q->device, 6 + 8ull * q->size, 4);
	if (!q->table || !q->avail || !q->used)
		return "a queue does not lie in memory, or not aligned";
	return NULL;
}

void virtio_enable_queue(struct virtio_device *dev, unsigned queue)
{
	struct virtq *q = &dev->queues[queue];
	const char *wrong;

	g_assert(queue < dev->queue_count);
	if (q->enabled || dev->resetting)
		return;
	wrong = virtq_map(dev, q);
	if (wrong) {
		virtio_misused(dev, wrong);
		return;
	}
	q->next_avail = q->next_used = q->signalled = 0;
	q->enabled = true;
}

void virtio_kick(struct virtio_device *dev, unsigned queue)
{
	if (queue >= dev->queue_count || !virtq_live(dev, queue) || dev->frozen)
		return;
	dev->serving = true;
	dev->budget = BUDGET;
	dev->ops->kick(dev, queue);
	dev->serving = false;
	if (dev->budget)
		return;
	dev->deferred |= 1u << queue;
	timer_set(dev->again, clock_ns(dev->env->clock));
}

static void virtio_go_on(void *data)
{
	struct virtio_device *dev = data;
	uint32_t deferred = dev->deferred;

	dev->deferred = 0;
	for (unsigned i = 0; i < dev->queue_count; i++) {
		if (deferred >> i & 1)
			virtio_kick(dev, i);
	}
}

/* ---- taking ---- */

/* Where a chain is being followed. */
struct walk {
	const uint8_t *table;
	uint32_t entries;
	uint32_t next;
	bool indirect;
};

/* Adds one descriptor's buffer to the chain; what is wrong with it, or NULL. */
static const char *chain_add(
	struct virtio_device *dev, struct virtq_chain *chain, const struct vring_desc *desc)
{
	bool in = desc->flags & VRING_DESC_F_WRITE;
	unsigned at = chain->out_count + chain->in_count;
	void *host;

	if (!in && chain->in_count)
		return "a readable descriptor follows a writable one";
	if (!desc->len)
		return NULL;
	host = memory_at(dev->env->memory, desc->addr, desc->len);
	if (!host)
		return "a descriptor points outside of memory";
	chain->segment[at] = (struct iovec){host, desc->len};
	chain->address[at] = desc->addr;
	if (in) {
		chain->in_count++;
		chain->in_length += desc->len;
	} else {
		chain->out_count++;
		chain->out_length += desc->len;
	}
	return NULL;
}

/* Goes on in the table that an indirect descriptor names (2.7.5.3). */
static const char *walk_indirect(
	struct virtio_device *dev, struct walk *walk, const struct vring_desc *desc)
{
	if (!virtio_has(dev, VIRTIO_FEATURE_INDIRECT))
		return "an indirect descriptor without the feature";
	if (walk->indirect || desc->flags & VRING_DESC_F_NEXT)
		return "an indirect descriptor in the wrong place";
	if (!desc->len || desc->len % sizeof(struct vring_desc))
		return "an indirect table of a wrong length";
	walk->table = memory_at(dev->env->memory, desc->addr, desc->len);
	if (!walk->table)
		return "an indirect table outside of memory";
	walk->entries = desc->len / sizeof(struct vring_desc);
	walk->next = 0;
	walk->indirect = true;
	return NULL;
}

/* Follows a chain from its head. Each descriptor is copied first: the guest may change it. */
static const char *chain_walk(
	struct virtio_device *dev, const struct virtq *q, struct virtq_chain *chain)
{
	struct walk walk = {(const uint8_t *)q->table, q->size, chain->head, false};

	for (unsigned steps = 0; steps < VIRTQ_SIZE_MAX + 1; steps++) {
		struct vring_desc desc;
		const char *wrong;

		if (walk.next >= walk.entries)
			return "a descriptor's number is too high";
		/* Indirect tables need not be aligned. */
		memcpy(&desc, walk.table + sizeof(desc) * walk.next, sizeof(desc));
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			wrong = walk_indirect(dev, &walk, &desc);
			if (wrong)
				return wrong;
			continue;
		}
		if (chain->out_count + chain->in_count == VIRTQ_SIZE_MAX)
			break;
		wrong = chain_add(dev, chain, &desc);
		if (wrong || !(desc.flags & VRING_DESC_F_NEXT))
			return wrong;
		walk.next = desc.next;
	}
	return "a chain is longer than the queue, or a loop";
}

/* The available index, ordered before what it covers is read. */
static uint16_t avail_index(const struct virtq *q)
{
	return __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE);
}

bool virtq_has_work(struct virtio_device *dev, unsigned queue)
{
	const struct virtq *q = &dev->queues[queue];

	return virtq_live(dev, queue) && !dev->frozen && avail_index(q) != q->next_avail;
}

/* Fills the chain that begins at head, which has not been looked at; what is wrong, or NULL. */
static const char *chain_read(
	struct virtio_device *dev, const struct virtq *q, uint16_t head, struct virtq_chain *chain)
{
	chain->head = head;
	chain->out_count = chain->in_count = 0;
	chain->out_length = chain->in_length = 0;
	if (head >= q->size)
		return "an available entry's number is too high";
	if (q->popped >= q->size)
		return "a descriptor is available twice";
	return chain_walk(dev, q, chain);
}

bool virtq_retake(
	struct virtio_device *dev, unsigned queue, uint16_t head, struct virtq_chain *chain)
{
	struct virtq *q = &dev->queues[queue];

	if (!virtq_live(dev, queue) || chain_read(dev, q, head, chain))
		return false;
	q->next_avail++;
	q->popped++;
	return true;
}

bool virtq_pop(struct virtio_device *dev, unsigned queue, struct virtq_chain *chain)
{
	struct virtq *q = &dev->queues[queue];
	const char *wrong;
	uint16_t head;

	if (!virtq_has_work(dev, queue) || (dev->serving && !dev->budget))
		return false;
	head = __atomic_load_n(&q->avail->ring[q->next_avail & (q->size - 1)], __ATOMIC_RELAXED);
	if ((uint16_t)(avail_index(q) - q->next_avail) > q->size)
		wrong = "more is available than the queue holds";
	else
		wrong = chain_read(dev, q, head, chain);
	if (wrong) {
		virtio_misused(dev, wrong);
		return false;
	}
	q->next_avail++;
	q->popped++;
	if (dev->serving)
		dev->budget--;
	return true;
}

void virtq_unpop(struct virtio_device *dev, unsigned queue, unsigned count)
{
	struct virtq *q = &dev->queues[queue];

	g_assert(q->popped >= count);
	q->next_avail -= count;
	q->popped -= count;
}

/* ---- giving back ---- */

static void chain_dirty(struct virtio_device *dev, const struct virtq_chain *chain, uint64_t length)
{
	unsigned at = chain->out_count;

	for (unsigned i = 0; i < chain->in_count && length; i++, at++) {
		uint64_t part = MIN(length, chain->segment[at].iov_len);

		memory_dirty(dev->env->memory, chain->address[at], part);
		length -= part;
	}
}

void virtq_fill(struct virtio_device *dev, unsigned queue, const struct virtq_chain *chain,
	uint32_t length, unsigned ahead)
{
	struct virtq *q = &dev->queues[queue];
	struct vring_used_elem *entry;

	chain_dirty(dev, chain, length);
	if (!virtq_live(dev, queue))
		return;
	entry = &q->used->ring[(uint16_t)(q->next_used + ahead) & (q->size - 1)];
	entry->id = chain->head;
	entry->len = length;
}

void virtq_flush(struct virtio_device *dev, unsigned queue, unsigned count)
{
	struct virtq *q = &dev->queues[queue];

	g_assert(q->popped >= count);
	q->popped -= count;
	if (virtq_live(dev, queue)) {
		q->next_used += count;
		__atomic_store_n(&q->used->idx, q->next_used, __ATOMIC_RELEASE);
		memory_dirty(dev->env->memory, q->device, 6 + 8ull * q->size);
	}
	virtio_reset_continue(dev);
}

void virtq_push(
	struct virtio_device *dev, unsigned queue, const struct virtq_chain *chain, uint32_t length)
{
	virtq_fill(dev, queue, chain, length, 0);
	virtq_flush(dev, queue, 1);
}

/* Section 2.7.7.2: used_event lies behind the available ring, avail_event behind the used one. */
static bool virtq_wants_interrupt(struct virtio_device *dev, struct virtq *q)
{
	uint16_t old = q->signalled, event;

	if (q->next_used == old)
		return false; /* nothing new */
	q->signalled = q->next_used;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!virtio_has(dev, VIRTIO_FEATURE_EVENT_IDX))
		return !(__atomic_load_n(&q->avail->flags, __ATOMIC_RELAXED) &
			 VRING_AVAIL_F_NO_INTERRUPT);
	event = __atomic_load_n(&q->avail->ring[q->size], __ATOMIC_RELAXED);
	return vring_need_event(event, q->next_used, old);
}

void virtq_notify(struct virtio_device *dev, unsigned queue)
{
	struct virtq *q = &dev->queues[queue];

	if (virtq_live(dev, queue) && dev->transport_ops && virtq_wants_interrupt(dev, q))
		dev->transport_ops->used(dev->transport, queue);
}

bool virtq_want_kicks(struct virtio_device *dev, unsigned queue, bool wanted)
{
	struct virtq *q = &dev->queues[queue];

	if (!virtq_live(dev, queue) || dev->frozen)
		return false;
	if (!virtio_has(dev, VIRTIO_FEATURE_EVENT_IDX))
		__atomic_store_n(
			&q->used->flags, wanted ? 0 : VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
	else if (wanted)
		__atomic_store_n(
			(uint16_t *)&q->used->ring[q->size], q->next_avail, __ATOMIC_RELAXED);
	if (!wanted || (dev->serving && !dev->budget))
		return false;
	/* The driver adds, then looks whether to notify; we ask to be notified, then look. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return avail_index(q) != q->next_avail;
}

/* ---- contents ---- */

static uint64_t copy_segments(const struct iovec *segment, unsigned count, uint64_t offset,
	uint8_t *data, uint64_t length, bool to_guest)
{
	uint64_t done = 0;

	for (unsigned i = 0; i < count && done < length; i++) {
		uint64_t part;
		uint8_t *at;

		if (offset >= segment[i].iov_len) {
			offset -= segment[i].iov_len;
			continue;
		}
		part = MIN(segment[i].iov_len - offset, length - done);
		at = (uint8_t *)segment[i].iov_base + offset;
		memcpy(to_guest ? at : data + done, to_guest ? data + done : at, part);
		done += part;
		offset = 0;
	}
	return done;
}

uint64_t virtq_chain_read(
	const struct virtq_chain *chain, uint64_t offset, void *data, uint64_t length)
{
	return copy_segments(chain->segment, chain->out_count, offset, data, length, false);
}

uint64_t virtq_chain_write(
	const struct virtq_chain *chain, uint64_t offset, const void *data, uint64_t length)
{
	return copy_segments(chain->segment + chain->out_count, chain->in_count, offset,
		(uint8_t *)data, length, true);
}

/* ---- configuration space ---- */

void virtio_config_read(struct virtio_device *dev, unsigned offset, void *data, unsigned size)
{
	memset(data, 0, size);
	if (offset >= dev->ops->config_size)
		return;
	dev->ops->config_read(dev, offset, data, MIN(size, dev->ops->config_size - offset));
}

void virtio_config_write(
	struct virtio_device *dev, unsigned offset, const void *data, unsigned size)
{
	if (dev->ops->config_write && offset + size <= dev->ops->config_size)
		dev->ops->config_write(dev, offset, data, size);
}

/* ---- saving ---- */

void virtio_freeze(struct virtio_device *dev, bool frozen)
{
	if (dev->frozen == frozen)
		return;
	dev->frozen = frozen;
	for (unsigned i = 0; !frozen && i < dev->queue_count; i++)
		virtio_kick(dev, i);
}

static const struct field virtq_fields[] = {
	FIELD_RANGE(struct virtq, size, 0, UINT16_MAX),
	FIELD_FLAG(struct virtq, enabled),
	FIELD(struct virtq, desc),
	FIELD(struct virtq, driver),
	FIELD(struct virtq, device),
	FIELD(struct virtq, next_avail),
	FIELD(struct virtq, next_used),
	FIELD(struct virtq, signalled),
	FIELD_END,
};

/* id: the kind of device. */
struct virtio_state {
	uint16_t id;
	uint64_t offered, features;
	uint8_t status;
	uint32_t generation;
	uint32_t queue_count;
	struct virtq queues[VIRTIO_QUEUES_MAX];
};

static const struct field virtio_fields[] = {
	FIELD(struct virtio_state, id),
	FIELD(struct virtio_state, offered),
	FIELD(struct virtio_state, features),
	FIELD(struct virtio_state, status),
	FIELD(struct virtio_state, generation),
	FIELD(struct virtio_state, queue_count),
	FIELD_STRUCTS(struct virtio_state, queues, virtq_fields),
	FIELD_END,
};

void virtio_save(struct virtio_device *dev, unsigned index, struct state_out *out)
{
	struct virtio_state s = {
		.id = dev->ops->id,
		.offered = dev->offered,
		.features = dev->features,
		.status = dev->status,
		.generation = dev->generation,
		.queue_count = dev->queue_count,
	};

	memcpy(s.queues, dev->queues, sizeof(s.queues));
	for (unsigned i = 0; i < dev->queue_count; i++)
		s.queues[i].next_avail -= s.queues[i].popped;
	state_put(out, "virtio", index, virtio_fields, &s);
	if (dev->ops->save)
		dev->ops->save(dev, index, out);
}

static bool load_queue(
	struct virtio_device *dev, struct virtq *q, const struct virtq *loaded)
{
	*q = (struct virtq){
		.index = q->index,
		.size_max = q->size_max,
		.size = loaded->size,
		.enabled = loaded->enabled,
		.desc = loaded->desc,
		.driver = loaded->driver,
		.device = loaded->device,
		.next_avail = loaded->next_avail,
		.next_used = loaded->next_used,
		.signalled = loaded->signalled,
	};
	return !q->enabled || !virtq_map(dev, q);
}

bool virtio_load(struct virtio_device *dev, unsigned index, struct state_in *in, GError **error)
{
	struct virtio_state s = {0};

	if (!state_get(in, "virtio", index, virtio_fields, &s, error))
		return false;
	if (s.id != dev->ops->id || s.offered != dev->offered || s.queue_count != dev->queue_count)
		return state_foreign("virtio", index, error);
	/* A driver may have asked for more than is offered and not got FEATURES_OK. */
	if (s.status & VIRTIO_STATUS_FEATURES_OK && s.features & ~s.offered)
		return state_damaged("virtio", index, "features", error);
	dev->frozen = true;
	dev->features = s.features;
	dev->status = s.status;
	dev->generation = s.generation;
	for (unsigned i = 0; i < dev->queue_count; i++)
		if (!load_queue(dev, &dev->queues[i], &s.queues[i]))
			return state_damaged("virtio", index, "queues", error);
	return !dev->ops->load || dev->ops->load(dev, index, in, error);
}
