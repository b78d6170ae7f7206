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
	struct virtio_block_stats stats;
};

struct request {
	struct block_request block;
	struct virtio_block *owner;
	struct virtq_chain chain;
	uint8_t *status; /* in guest memory: the last writable byte */
	uint64_t status_address;
	uint32_t type;
	uint64_t start; /* machine time of submission */
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
	if (status == VIRTIO_BLK_S_IOERR)
		block->stats.errors++;
	virtq_push(&block->dev, 0, &request->chain, written + 1);
	virtq_notify(&block->dev, 0);
	g_free(request);
}

static void request_count(struct request *request)
{
	struct virtio_block_stats *stats = &request->owner->stats;
	uint64_t ns = clock_ns(request->owner->dev.env->clock) - request->start;

	if (request->type == VIRTIO_BLK_T_IN) {
		stats->read_requests++;
		stats->read_bytes += request->block.length;
		stats->read_ns += ns;
	} else if (request->type == VIRTIO_BLK_T_OUT) {
		stats->write_requests++;
		stats->write_bytes += request->block.length;
		stats->write_ns += ns;
	} else if (request->type == VIRTIO_BLK_T_FLUSH) {
		stats->flush_requests++;
		stats->flush_ns += ns;
	}
}

/* In the backend's thread. */
static void request_done(struct block_request *block_request, int error)
{
	struct request *request = block_request->opaque;
	struct machine_lock *lock = request->owner->dev.env->lock;
	uint32_t written = request->type == VIRTIO_BLK_T_IN ? request->block.length : 0;

	g_mutex_lock(&lock->mutex);
	if (!error)
		request_count(request);
	request_finish(request, error ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK, error ? 0 : written);
	g_mutex_unlock(&lock->mutex);
}

static void request_submit(struct request *request, enum block_op op)
{
	request->block.op = op;
	request->block.done = request_done;
	request->block.opaque = request;
	request->start = clock_ns(request->owner->dev.env->clock);
	if ((op == BLOCK_READ || op == BLOCK_WRITE) &&
		block_attempt(request->owner->backend, &request->block)) {
		request_count(request);
		request_finish(
			request, VIRTIO_BLK_S_OK, op == BLOCK_READ ? request->block.length : 0);
		return;
	}
	block_submit(request->owner->backend, &request->block);
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
		request_finish(request, VIRTIO_BLK_S_IOERR, 0);
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
		request_finish(request, VIRTIO_BLK_S_IOERR, 0);
		return;
	}
	virtq_chain_read(&request->chain, sizeof(struct virtio_blk_outhdr), &range, sizeof(range));
	if (range.flags & ~(zero ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0u)) {
		request_finish(request, VIRTIO_BLK_S_UNSUPP, 0);
		return;
	}
	if (range.num_sectors > CLEAR_SECTORS ||
		!request_fits(request, range.sector, (uint64_t)range.num_sectors * SECTOR)) {
		request_finish(request, VIRTIO_BLK_S_IOERR, 0);
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

static void virtio_block_kick(struct virtio_device *dev, unsigned queue)
{
	struct virtio_block *block = (struct virtio_block *)dev;
	struct request *request = request_new(block);
	struct virtio_blk_outhdr header;

	do {
		virtq_want_kicks(dev, queue, false);
		while (virtq_pop(dev, queue, &request->chain)) {
			if (virtq_chain_read(&request->chain, 0, &header, sizeof(header)) <
					sizeof(header) ||
				!request->chain.in_length) {
				virtio_misused(dev, "a request without header or status");
				virtq_push(dev, queue, &request->chain, 0);
				break;
			}
			request->block = (struct block_request){0};
			request_take_status(request);
			request_start(request, &header);
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
};

static const struct field block_fields[] = {
	FIELD(struct block_state, size),
	FIELD_BYTES(struct block_state, serial),
	FIELD_END,
};

static void virtio_block_save(struct virtio_device *dev, unsigned index, struct state_out *out)
{
	const struct virtio_block *block = (struct virtio_block *)dev;
	struct block_state s = {.size = block->backend->size};

	memcpy(s.serial, block->serial, sizeof(s.serial));
	state_put(out, "block", index, block_fields, &s);
}

/* Another image in its place would be another disk under a guest that has it mounted. */
static bool virtio_block_load(
	struct virtio_device *dev, unsigned index, struct state_in *in, GError **error)
{
	const struct virtio_block *block = (struct virtio_block *)dev;
	struct block_state s;

	if (!state_get(in, "block", index, block_fields, &s, error))
		return false;
	if (s.size == block->backend->size && !memcmp(s.serial, block->serial, sizeof(s.serial)))
		return true;
	return state_foreign("block", index, error);
}

static const struct virtio_ops virtio_block_ops = {
	.name = "virtio-block",
	.id = VIRTIO_ID_BLOCK,
	.class_code = 0x010000,
	.config_size = offsetof(struct virtio_blk_config, unused1),
	.config_read = virtio_block_config_read,
	.kick = virtio_block_kick,
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

struct virtio_block *virtio_block_new(
	const struct virtio_env *env, struct block_backend *backend, const char *serial)
{
	struct virtio_block *block = g_new0(struct virtio_block, 1);

	block->backend = backend;
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
	virtio_device_release(&block->dev);
	g_free(block);
}

struct virtio_device *virtio_block_device(struct virtio_block *block)
{
	return &block->dev;
}

void virtio_block_resized(struct virtio_block *block)
{
	virtio_config_changed(&block->dev);
}

const struct virtio_block_stats *virtio_block_get_stats(const struct virtio_block *block)
{
	return &block->stats;
}
