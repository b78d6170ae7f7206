// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/virtio_balloon.h"

#include <glib.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_ids.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#define QUEUE_SIZE 128
#define PAGE MEMORY_PAGE_SIZE
#define PFN_CHUNK 256
/* What one request may hold; a driver that sends more keeps the lock from others. */
#define INFLATE_MAX (1u << 20) /* bytes of page numbers: 1 GiB of pages */
#define STATS_MAX 64

/* 5.5.2: the first two are always there; statistics and reporting follow, without gaps, as the
 * driver has accepted them. */
enum {
	INFLATE,
	DEFLATE,
	OPTIONAL,
};

struct virtio_balloon {
	struct virtio_device dev;
	uint32_t target, actual; /* pages */
	struct virtio_balloon_stats stats;
	uint64_t period;
	struct clock_timer *timer;
	bool holds_stats; /* the driver's statistics buffer waits here for the next question */
	struct virtq_chain held;
	struct virtq_chain chain;
	void (*changed)(void *data);
	void *changed_data;
};

static void balloon_changed(struct virtio_balloon *balloon)
{
	if (balloon->changed)
		balloon->changed(balloon->changed_data);
}

static int stats_queue(const struct virtio_device *dev)
{
	return virtio_has(dev, 1ull << VIRTIO_BALLOON_F_STATS_VQ) ? OPTIONAL : -1;
}

static int reporting_queue(const struct virtio_device *dev)
{
	if (!virtio_has(dev, 1ull << VIRTIO_BALLOON_F_REPORTING))
		return -1;
	return stats_queue(dev) < 0 ? OPTIONAL : OPTIONAL + 1;
}

/* ---- giving memory back ---- */

/* Frees whole pages of RAM in the range; what is not RAM is ignored. */
static void balloon_release(struct virtio_balloon *balloon, uint64_t address, uint64_t length)
{
	struct guest_memory *memory = balloon->dev.env->memory;
	uint64_t first = (address + PAGE - 1) & ~(PAGE - 1);
	uint64_t last = (address + length) & ~(PAGE - 1);
	void *host;

	if (first >= last)
		return;
	host = memory_at(memory, first, last - first);
	if (!host || madvise(host, last - first, MADV_DONTNEED))
		return;
	memory_dirty(memory, first, last - first);
}

/* Page numbers come one by one, most often in runs up or down. */
static void balloon_release_pages(
	struct virtio_balloon *balloon, const uint32_t *pages, unsigned count)
{
	uint64_t first = 0, length = 0;

	for (unsigned i = 0; i < count; i++) {
		if (length && pages[i] == first + length) {
			length++;
		} else if (length && pages[i] + 1ull == first) {
			first--;
			length++;
		} else {
			balloon_release(balloon, first * PAGE, length * PAGE);
			first = pages[i];
			length = 1;
		}
	}
	balloon_release(balloon, first * PAGE, length * PAGE);
}

static void balloon_inflate(struct virtio_balloon *balloon, const struct virtq_chain *chain)
{
	uint32_t pages[PFN_CHUNK];
	uint64_t offset = 0, got;

	while (offset < INFLATE_MAX &&
		(got = virtq_chain_read(chain, offset, pages, sizeof(pages))) >= sizeof(pages[0])) {
		balloon_release_pages(balloon, pages, got / sizeof(pages[0]));
		offset += got;
	}
}

static void balloon_report(struct virtio_balloon *balloon, const struct virtq_chain *chain)
{
	for (unsigned i = chain->out_count; i < chain->out_count + chain->in_count; i++)
		balloon_release(balloon, chain->address[i], chain->segment[i].iov_len);
}

/* ---- statistics ---- */

static uint64_t *stats_field(struct virtio_balloon_stats *stats, uint16_t tag)
{
	switch (tag) {
	case VIRTIO_BALLOON_S_SWAP_IN:
		return &stats->swap_in;
	case VIRTIO_BALLOON_S_SWAP_OUT:
		return &stats->swap_out;
	case VIRTIO_BALLOON_S_MAJFLT:
		return &stats->major_faults;
	case VIRTIO_BALLOON_S_MINFLT:
		return &stats->minor_faults;
	case VIRTIO_BALLOON_S_MEMFREE:
		return &stats->free;
	case VIRTIO_BALLOON_S_MEMTOT:
		return &stats->total;
	case VIRTIO_BALLOON_S_AVAIL:
		return &stats->available;
	case VIRTIO_BALLOON_S_CACHES:
		return &stats->caches;
	case VIRTIO_BALLOON_S_HTLB_PGALLOC:
		return &stats->hugetlb_allocations;
	case VIRTIO_BALLOON_S_HTLB_PGFAIL:
		return &stats->hugetlb_failures;
	default:
		return NULL;
	}
}

static void stats_forget(struct virtio_balloon *balloon)
{
	memset(&balloon->stats, 0xff, sizeof(balloon->stats));
	balloon->stats.updated_ns = 0;
}

static void stats_parse(struct virtio_balloon *balloon, const struct virtq_chain *chain)
{
	struct virtio_balloon_stat stat;
	uint64_t offset = 0;

	stats_forget(balloon);
	for (unsigned i = 0; i < STATS_MAX; i++, offset += sizeof(stat)) {
		uint64_t *field;

		if (virtq_chain_read(chain, offset, &stat, sizeof(stat)) < sizeof(stat))
			break;
		field = stats_field(&balloon->stats, stat.tag);
		if (field)
			*field = stat.val;
	}
	balloon->stats.updated_ns = MAX(clock_ns(balloon->dev.env->clock), 1);
	balloon_changed(balloon);
}

/* Gives the statistics buffer back, by which the driver is asked to fill it again. */
static void stats_ask(struct virtio_balloon *balloon)
{
	int queue = stats_queue(&balloon->dev);

	if (!balloon->holds_stats || queue < 0)
		return;
	balloon->holds_stats = false;
	virtq_push(&balloon->dev, queue, &balloon->held, 0);
	virtq_notify(&balloon->dev, queue);
}

static void stats_schedule(struct virtio_balloon *balloon)
{
	if (balloon->period)
		timer_set(balloon->timer, clock_ns(balloon->dev.env->clock) + balloon->period);
	else
		timer_cancel(balloon->timer);
}

static void stats_fired(void *data)
{
	stats_ask(data);
	stats_schedule(data);
}

static void stats_take(struct virtio_balloon *balloon, unsigned queue)
{
	while (virtq_pop(&balloon->dev, queue, &balloon->chain)) {
		/* The driver has one buffer; of more, the last is kept. */
		stats_ask(balloon);
		balloon->held = balloon->chain;
		balloon->holds_stats = true;
		stats_parse(balloon, &balloon->held);
	}
}

/* ---- the device ---- */

static void balloon_take(struct virtio_balloon *balloon, unsigned queue)
{
	struct virtio_device *dev = &balloon->dev;

	while (virtq_pop(dev, queue, &balloon->chain)) {
		if (queue == INFLATE)
			balloon_inflate(balloon, &balloon->chain);
		else if ((int)queue == reporting_queue(dev))
			balloon_report(balloon, &balloon->chain);
		/* Deflated pages come back when they are touched. */
		virtq_push(dev, queue, &balloon->chain, 0);
	}
}

static void virtio_balloon_kick(struct virtio_device *dev, unsigned queue)
{
	struct virtio_balloon *balloon = (struct virtio_balloon *)dev;

	do {
		if ((int)queue == stats_queue(dev))
			stats_take(balloon, queue);
		else
			balloon_take(balloon, queue);
	} while (virtq_want_kicks(dev, queue, true));
	if ((int)queue != stats_queue(dev))
		virtq_notify(dev, queue);
}

static void virtio_balloon_reset(struct virtio_device *dev)
{
	struct virtio_balloon *balloon = (struct virtio_balloon *)dev;

	balloon->actual = 0;
	stats_forget(balloon);
	stats_ask(balloon);
}

static void virtio_balloon_config_read(
	struct virtio_device *dev, unsigned offset, void *data, unsigned size)
{
	const struct virtio_balloon *balloon = (struct virtio_balloon *)dev;
	struct virtio_balloon_config config = {
		.num_pages = balloon->target, .actual = balloon->actual};

	memcpy(data, (uint8_t *)&config + offset, size);
}

static void virtio_balloon_config_write(
	struct virtio_device *dev, unsigned offset, const void *data, unsigned size)
{
	struct virtio_balloon *balloon = (struct virtio_balloon *)dev;

	if (offset != offsetof(struct virtio_balloon_config, actual) || size != 4)
		return;
	memcpy(&balloon->actual, data, 4);
	balloon_changed(balloon);
}

/* ---- saving ---- */

static const struct field balloon_fields[] = {
	FIELD(struct virtio_balloon, target),
	FIELD(struct virtio_balloon, actual),
	FIELD_END,
};

static void virtio_balloon_save(struct virtio_device *dev, unsigned index, struct state_out *out)
{
	state_put(out, "balloon", index, balloon_fields, (struct virtio_balloon *)dev);
}

/* The statistics come with the driver's buffer, which is taken anew. */
static bool virtio_balloon_load(
	struct virtio_device *dev, unsigned index, struct state_in *in, GError **error)
{
	return state_get(in, "balloon", index, balloon_fields, (struct virtio_balloon *)dev, error);
}

static const struct virtio_ops virtio_balloon_ops = {
	.name = "virtio-balloon",
	.id = VIRTIO_ID_BALLOON,
	.class_code = 0x00ff00,
	.config_size = offsetof(struct virtio_balloon_config, poison_val),
	.config_read = virtio_balloon_config_read,
	.config_write = virtio_balloon_config_write,
	.kick = virtio_balloon_kick,
	.reset = virtio_balloon_reset,
	.save = virtio_balloon_save,
	.load = virtio_balloon_load,
};

struct virtio_balloon *virtio_balloon_new(const struct virtio_env *env, bool deflate_on_oom)
{
	struct virtio_balloon *balloon = g_new0(struct virtio_balloon, 1);
	uint64_t features = 1ull << VIRTIO_BALLOON_F_STATS_VQ | 1ull << VIRTIO_BALLOON_F_REPORTING;

	if (deflate_on_oom)
		features |= 1ull << VIRTIO_BALLOON_F_DEFLATE_ON_OOM;
	virtio_device_init(&balloon->dev, &virtio_balloon_ops, env, features);
	for (unsigned i = 0; i < OPTIONAL + 2; i++)
		virtio_add_queue(&balloon->dev, QUEUE_SIZE);
	balloon->timer = timer_new(env->clock, stats_fired, balloon);
	stats_forget(balloon);
	return balloon;
}

void virtio_balloon_free(struct virtio_balloon *balloon)
{
	if (!balloon)
		return;
	timer_free(balloon->timer);
	virtio_device_release(&balloon->dev);
	g_free(balloon);
}

struct virtio_device *virtio_balloon_device(struct virtio_balloon *balloon)
{
	return &balloon->dev;
}

void virtio_balloon_set_target(struct virtio_balloon *balloon, uint32_t pages)
{
	if (balloon->target == pages)
		return;
	balloon->target = pages;
	virtio_config_changed(&balloon->dev);
}

uint32_t virtio_balloon_target(const struct virtio_balloon *balloon)
{
	return balloon->target;
}

uint32_t virtio_balloon_actual(const struct virtio_balloon *balloon)
{
	return balloon->actual;
}

void virtio_balloon_set_period(struct virtio_balloon *balloon, uint64_t period_ns)
{
	balloon->period = period_ns;
	stats_schedule(balloon);
}

uint64_t virtio_balloon_period(const struct virtio_balloon *balloon)
{
	return balloon->period;
}

const struct virtio_balloon_stats *virtio_balloon_get_stats(const struct virtio_balloon *balloon)
{
	return &balloon->stats;
}

void virtio_balloon_set_listener(
	struct virtio_balloon *balloon, void (*changed)(void *data), void *data)
{
	balloon->changed = changed;
	balloon->changed_data = data;
}
