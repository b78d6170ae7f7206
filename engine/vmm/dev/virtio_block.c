// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/virtio_block.h"

#include <glib.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <stddef.h>
#include <string.h>

#define SECTOR 512u
#define QUEUE_SIZE 256
#define SEGMENTS (QUEUE_SIZE - 2) /* beside header and status */
#define CLEAR_SECTORS (1u << 22)  /* most sectors of one discard or write-zeroes: 2 GiB */

struct virtio_block {
	struct virtio_device dev;
	struct block_backend *backend;
	char serial[VIRTIO_BLK_ID_BYTES];
	struct virtio_block_owner owner;
	struct request *kept; /* newest first */
	uint64_t in_flight;
	struct stats_disk own_stats;
	struct stats_disk *stats; /* own_stats, or the owner's */
};

struct request {
	struct block_request block;
	struct virtio_block *owner;
	struct virtq_chain chain;
	uint8_t *status; /* in guest memory: the last writable byte */
	uint64_t status_address;
	uint32_t type;
	uint64_t start; /* ns, when it was submitted */
	struct request *next_kept;
};

/* ---- requests ---- */

static struct request *request_new(struct virtio_block *block)
{
	struct request *request = g_new(struct request, 1);

	request->owner = block;
	return request;
}

/* Gives the chain back with a status. written counts bytes before the status byte. */
static void request_finish(struct request *request, uint8_t status, uint32_t written)
{
	struct virtio_block *block = request->owner;

	*request->status = status;
	memory_dirty(block->dev.env->memory, request->status_address, 1);
	virtq_push(&block->dev, 0, &request->chain, written + 1);
	virtq_notify(&block->dev, 0);
	g_free(request);
}

/* The device itself says no. */
static void request_refuse(struct request *request)
{
	enum stats_op op = request->type == VIRTIO_BLK_T_IN ? STATS_READ
		: request->type == VIRTIO_BLK_T_OUT         ? STATS_WRITE
							    : STATS_DISCARD;

	stats_io_ended(&request->owner->stats->io[op], 0, 0, true);
	request_finish(request, VIRTIO_BLK_S_IOERR, 0);
}

static uint64_t now_ns(void)
{
	return (uint64_t)g_get_monotonic_time() * 1000;
}

static void count_in_flight(struct virtio_block *block, int change)
{
	block->in_flight += (uint64_t)change;
	stats_set(&block->stats->in_flight, block->in_flight);
}

/* The request has come back from the backend. */
static void request_count(struct request *request, bool failed)
{
	static const enum stats_op ops[] = {
		[BLOCK_READ] = STATS_READ,
		[BLOCK_WRITE] = STATS_WRITE,
		[BLOCK_FLUSH] = STATS_FLUSH,
		[BLOCK_DISCARD] = STATS_DISCARD,
		[BLOCK_ZERO] = STATS_DISCARD,
	};

	count_in_flight(request->owner, -1);
	stats_io_ended(&request->owner->stats->io[ops[request->block.op]], request->block.length,
		now_ns() - request->start, failed);
}

static void request_keep(struct request *request)
{
	request->next_kept = request->owner->kept;
	request->owner->kept = request;
}

/* The backend could not. */
static void request_failed(struct request *request, int error)
{
	const struct virtio_block_owner *owner = &request->owner->owner;
	bool write = request->block.op != BLOCK_READ;

	switch (owner->failed ? owner->failed(owner->data, write, error) : VIRTIO_BLOCK_REPORT) {
	case VIRTIO_BLOCK_KEEP:
		request_keep(request);
		break;
	case VIRTIO_BLOCK_IGNORE:
		request_finish(request, VIRTIO_BLK_S_OK, 0);
		break;
	case VIRTIO_BLOCK_REPORT:
		request_finish(request, VIRTIO_BLK_S_IOERR, 0);
		break;
	}
}

/* In the backend's thread. */
static void request_done(struct block_request *block_request, int error)
{
	struct request *request = block_request->opaque;
	struct machine_lock *lock = request->owner->dev.env->lock;
	uint32_t written = request->type == VIRTIO_BLK_T_IN ? request->block.length : 0;

	g_mutex_lock(&lock->mutex);
	request_count(request, error != 0);
	if (error)
		request_failed(request, error);
	else
		request_finish(request, VIRTIO_BLK_S_OK, written);
	g_mutex_unlock(&lock->mutex);
}

static void request_send(struct request *request)
{
	request->start = now_ns();
	count_in_flight(request->owner, 1);
	block_submit(request->owner->backend, &request->block);
}

static void request_submit(struct request *request, enum block_op op)
{
	uint64_t start = now_ns();

	request->block.op = op;
	request->block.done = request_done;
	request->block.opaque = request;
	/* One that was kept when the guest was saved. */
	if (request->owner->dev.frozen) {
		request_keep(request);
		return;
	}
	if ((op == BLOCK_READ || op == BLOCK_WRITE) &&
		block_attempt(request->owner->backend, &request->block)) {
		request->start = start;
		count_in_flight(request->owner, 1);
		request_count(request, false);
		request_finish(
			request, VIRTIO_BLK_S_OK, op == BLOCK_READ ? request->block.length : 0);
		return;
	}
	request_send(request);
}

void virtio_block_retry(struct virtio_block *block)
{
	struct request *request = block->kept, *oldest_first = NULL;

	block->kept = NULL;
	while (request) {
		struct request *next = request->next_kept;

		request->next_kept = oldest_first;
		oldest_first = request;
		request = next;
	}
	while (oldest_first) {
		request = oldest_first;
		oldest_first = request->next_kept;
		request_send(request);
	}
}

unsigned virtio_block_kept(const struct virtio_block *block)
{
	unsigned count = 0;

	for (const struct request *request = block->kept; request; request = request->next_kept)
		count++;
	return count;
}

/* The driver waits for none of them any more. */
static void virtio_block_reset(struct virtio_device *dev)
{
	struct virtio_block *block = (struct virtio_block *)dev;
	struct request *request;

	while ((request = block->kept)) {
		block->kept = request->next_kept;
		request_finish(request, VIRTIO_BLK_S_IOERR, 0);
	}
}

/* Whether [sector, sector + length) lies on the disk. */
static bool request_fits(struct request *request, uint64_t sector, uint64_t length)
{
	uint64_t size = request->owner->backend->size;

	if (sector > size / SECTOR || length % SECTOR || length > size - sector * SECTOR)
		return false;
	request->block.offset = sector * SECTOR;
	request->block.length = length;
	return true;
}

/* Cuts length bytes off the start of segments (the header). */
static void cut_front(struct iovec *segment, unsigned count, uint64_t length)
{
	for (unsigned i = 0; i < count && length; i++) {
		uint64_t part = MIN(segment[i].iov_len, length);

		segment[i].iov_base = (uint8_t *)segment[i].iov_base + part;
		segment[i].iov_len -= part;
		length -= part;
	}
}

static void request_transfer(struct request *request, uint64_t sector)
{
	struct virtq_chain *chain = &request->chain;
	bool in = request->type == VIRTIO_BLK_T_IN;
	uint64_t length =
		in ? chain->in_length - 1 : chain->out_length - sizeof(struct virtio_blk_outhdr);

	if (!request_fits(request, sector, length) || (!in && request->owner->backend->read_only)) {
		request_refuse(request);
		return;
	}
	request->block.iov = chain->segment + (in ? chain->out_count : 0);
	request->block.iov_count = in ? chain->in_count : chain->out_count;
	request->block.durable =
		!in && !virtio_has(&request->owner->dev, 1ull << VIRTIO_BLK_F_FLUSH);
	if (!in)
		cut_front(chain->segment, chain->out_count, sizeof(struct virtio_blk_outhdr));
	request_submit(request, in ? BLOCK_READ : BLOCK_WRITE);
}

/* Discard and write zeroes (5.2.6): one range, as the configuration says. */
static void request_clear(struct request *request)
{
	struct virtio_blk_discard_write_zeroes range;
	bool zero = request->type == VIRTIO_BLK_T_WRITE_ZEROES;
	uint64_t data = request->chain.out_length - sizeof(struct virtio_blk_outhdr);

	if (data != sizeof(range) || request->owner->backend->read_only) {
		request_refuse(request);
		return;
	}
	virtq_chain_read(&request->chain, sizeof(struct virtio_blk_outhdr), &range, sizeof(range));
	if (range.flags & ~(zero ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0u)) {
		request_finish(request, VIRTIO_BLK_S_UNSUPP, 0);
		return;
	}
	if (range.num_sectors > CLEAR_SECTORS ||
		!request_fits(request, range.sector, (uint64_t)range.num_sectors * SECTOR)) {
		request_refuse(request);
		return;
	}
	request->block.unmap = range.flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	request->block.durable =
		zero && !virtio_has(&request->owner->dev, 1ull << VIRTIO_BLK_F_FLUSH);
	request_submit(request, zero ? BLOCK_ZERO : BLOCK_DISCARD);
}

static void request_identify(struct request *request)
{
	uint64_t written = virtq_chain_write(&request->chain, 0, request->owner->serial,
		MIN(sizeof(request->owner->serial), request->chain.in_length - 1));

	request_finish(request, VIRTIO_BLK_S_OK, written);
}

static void request_start(struct request *request, const struct virtio_blk_outhdr *header)
{
	request->type = header->type;
	switch (header->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		request_transfer(request, header->sector);
		break;
	case VIRTIO_BLK_T_FLUSH:
		request_submit(request, BLOCK_FLUSH);
		break;
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		request_clear(request);
		break;
	case VIRTIO_BLK_T_GET_ID:
		request_identify(request);
		break;
	default:
		request_finish(request, VIRTIO_BLK_S_UNSUPP, 0);
	}
}

/* Takes the status byte, the last writable one, off the chain's data. */
static void request_take_status(struct request *request)
{
	struct virtq_chain *chain = &request->chain;
	unsigned last = chain->out_count + chain->in_count - 1;
	struct iovec *segment = &chain->segment[last];

	segment->iov_len--;
	request->status = (uint8_t *)segment->iov_base + segment->iov_len;
	request->status_address = chain->address[last] + segment->iov_len;
}

/* Begins the request whose chain has been taken; false: it has no header or no status. */
static bool request_begin(struct request *request)
{
	struct virtio_blk_outhdr header;

	if (virtq_chain_read(&request->chain, 0, &header, sizeof(header)) < sizeof(header) ||
		!request->chain.in_length)
		return false;
	request->block = (struct block_request){0};
	request_take_status(request);
	request_start(request, &header);
	return true;
}

static void virtio_block_kick(struct virtio_device *dev, unsigned queue)
{
	struct virtio_block *block = (struct virtio_block *)dev;
	struct request *request = request_new(block);

	do {
		virtq_want_kicks(dev, queue, false);
		while (virtq_pop(dev, queue, &request->chain)) {
			if (!request_begin(request)) {
				virtio_misused(dev, "a request without header or status");
				virtq_push(dev, queue, &request->chain, 0);
				break;
			}
			request = request_new(block);
		}
	} while (virtq_want_kicks(dev, queue, true));
	g_free(request);
}

/* ---- configuration: 5.2.4 ---- */

static void virtio_block_config_read(
	struct virtio_device *dev, unsigned offset, void *data, unsigned size)
{
	const struct virtio_block *block = (struct virtio_block *)dev;
	struct virtio_blk_config config = {
		.capacity = block->backend->size / SECTOR,
		.seg_max = SEGMENTS,
		.blk_size = SECTOR,
		.physical_block_exp = g_bit_nth_msf(block->backend->block_size / SECTOR, -1),
		.min_io_size = block->backend->block_size / SECTOR,
		.num_queues = 1,
		.max_discard_sectors = CLEAR_SECTORS,
		.max_discard_seg = 1,
		.discard_sector_alignment = block->backend->block_size / SECTOR,
		.max_write_zeroes_sectors = CLEAR_SECTORS,
		.max_write_zeroes_seg = 1,
		.write_zeroes_may_unmap = block->backend->can_discard,
	};

	memcpy(data, (uint8_t *)&config + offset, size);
}

/* ---- saving ---- */

struct block_state {
	uint64_t size;
	char serial[VIRTIO_BLK_ID_BYTES];
	/* The chains of the requests that are kept, oldest first. */
	uint32_t kept;
	uint16_t heads[QUEUE_SIZE];
};

static const struct field block_fields[] = {
	FIELD(struct block_state, size),
	FIELD_BYTES(struct block_state, serial),
	FIELD_RANGE(struct block_state, kept, 0, QUEUE_SIZE),
	FIELD_ARRAY(struct block_state, heads),
	FIELD_END,
};

static void virtio_block_save(struct virtio_device *dev, unsigned index, struct state_out *out)
{
	const struct virtio_block *block = (struct virtio_block *)dev;
	struct block_state s = {
		.size = block->backend->size,
		.kept = virtio_block_kept(block),
	};
	unsigned i = s.kept;

	memcpy(s.serial, block->serial, sizeof(s.serial));
	for (const struct request *request = block->kept; request; request = request->next_kept)
		s.heads[--i] = request->chain.head;
	state_put(out, "block", index, block_fields, &s);
}

/* What was kept is kept again: the device is frozen. */
static bool load_kept(struct virtio_block *block, uint16_t head)
{
	struct request *request = request_new(block);

	if (virtq_retake(&block->dev, 0, head, &request->chain) && request_begin(request))
		return true;
	g_free(request);
	return false;
}

/* Another image in its place would be another disk under a guest that has it mounted. */
static bool virtio_block_load(
	struct virtio_device *dev, unsigned index, struct state_in *in, GError **error)
{
	struct virtio_block *block = (struct virtio_block *)dev;
	struct block_state s;

	if (!state_get(in, "block", index, block_fields, &s, error))
		return false;
	if (s.size != block->backend->size || memcmp(s.serial, block->serial, sizeof(s.serial)))
		return state_foreign("block", index, error);
	for (unsigned i = 0; i < s.kept; i++)
		if (!load_kept(block, s.heads[i]))
			return state_damaged("block", index, "heads", error);
	return true;
}

static const struct virtio_ops virtio_block_ops = {
	.name = "virtio-block",
	.id = VIRTIO_ID_BLOCK,
	.class_code = 0x010000,
	.config_size = offsetof(struct virtio_blk_config, unused1),
	.config_read = virtio_block_config_read,
	.kick = virtio_block_kick,
	.reset = virtio_block_reset,
	.save = virtio_block_save,
	.load = virtio_block_load,
};

static uint64_t virtio_block_features(const struct block_backend *backend)
{
	uint64_t features = 1ull << VIRTIO_BLK_F_SEG_MAX | 1ull << VIRTIO_BLK_F_BLK_SIZE |
			    1ull << VIRTIO_BLK_F_TOPOLOGY | 1ull << VIRTIO_BLK_F_FLUSH;

	if (backend->read_only)
		return features | 1ull << VIRTIO_BLK_F_RO;
	if (backend->can_discard)
		features |= 1ull << VIRTIO_BLK_F_DISCARD;
	return features | 1ull << VIRTIO_BLK_F_WRITE_ZEROES;
}

struct virtio_block *virtio_block_new(const struct virtio_env *env, struct block_backend *backend,
	const char *serial, const struct virtio_block_owner *owner)
{
	struct virtio_block *block = g_new0(struct virtio_block, 1);

	block->backend = backend;
	if (owner)
		block->owner = *owner;
	virtio_block_count(block, NULL);
	if (serial)
		memcpy(block->serial, serial, MIN(strlen(serial), sizeof(block->serial)));
	virtio_device_init(&block->dev, &virtio_block_ops, env, virtio_block_features(backend));
	virtio_add_queue(&block->dev, QUEUE_SIZE);
	return block;
}

void virtio_block_free(struct virtio_block *block)
{
	if (!block)
		return;
	virtio_block_reset(&block->dev);
	virtio_device_release(&block->dev);
	g_free(block);
}

struct virtio_device *virtio_block_device(struct virtio_block *block)
{
	return &block->dev;
}

void virtio_block_resized(struct virtio_block *block)
{
	stats_set(&block->stats->size, block->backend->size);
	virtio_config_changed(&block->dev);
}

void virtio_block_count(struct virtio_block *block, struct stats_disk *stats)
{
	block->stats = stats ? stats : &block->own_stats;
	stats_set(&block->stats->size, block->backend ? block->backend->size : 0);
	stats_set(&block->stats->in_flight, block->in_flight);
}

const struct stats_disk *virtio_block_get_stats(const struct virtio_block *block)
{
	return block->stats;
}
