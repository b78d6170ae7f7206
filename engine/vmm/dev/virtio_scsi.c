// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/virtio_scsi.h"

#include <glib.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_scsi.h>
#include <stddef.h>
#include <string.h>

#define QUEUE_SIZE 128
#define SEGMENTS (QUEUE_SIZE - 2) /* beside request and response */
#define MAX_SECTORS 0xffffu
/* What the driver may set: no command is longer than its CDB's field, no sense than its own. */
#define SIZE_LIMIT 256u
#define READ_LIMIT (1u << 30) /* bytes that one command may read */

enum queue {
	QUEUE_CONTROL,
	QUEUE_EVENT,
	QUEUE_REQUEST,
};

/* The fixed parts of struct virtio_scsi_cmd_req and _resp: the rest is as long as the driver says. */
#define REQUEST_FIXED offsetof(struct virtio_scsi_cmd_req, cdb)
#define RESPONSE_FIXED offsetof(struct virtio_scsi_cmd_resp, sense)

struct virtio_scsi {
	struct virtio_device dev;
	struct cdrom *drive;
	struct block_backend *medium;
	struct virtio_scsi_owner owner;
	uint32_t sense_size, cdb_size; /* set by the driver: 5.6.4 */
	GPtrArray *reading;            /* struct request: in the backend */
	GPtrArray *ending; /* struct virtq_chain: task management that waits for those to end */
	struct stats_disk own_stats;
	struct stats_disk *stats; /* own_stats, or the owner's */
};

struct request {
	struct block_request block;
	struct virtio_scsi *owner;
	struct virtq_chain chain;
	struct iovec data[VIRTQ_SIZE_MAX]; /* of the chain's writable part, what the read fills */
	uint64_t tag;
	uint64_t start;      /* ns, when it was submitted */
	uint32_t sense_size; /* as the driver had set it then */
	uint8_t aborted;     /* a VIRTIO_SCSI_S_ of how it is to end, or 0 */
	struct cdrom_answer answer;
};

static uint64_t now_ns(void)
{
	return (uint64_t)g_get_monotonic_time() * 1000;
}

/* 5.6.6.1: target 0, unit 0; flat or peripheral addressing of it. */
static bool is_drive(const uint8_t lun[8])
{
	return lun[0] == 1 && lun[1] == 0 && (lun[2] == 0 || lun[2] == 0x40) && lun[3] == 0;
}

/* ---- commands ---- */

static uint64_t response_size(const struct request *request)
{
	return RESPONSE_FIXED + request->sense_size;
}

/* How many bytes the guest has room for, beside the response. */
static uint64_t room(const struct request *request)
{
	return request->chain.in_length - response_size(request);
}

/* Gives the chain back. sent counts bytes of data. */
static void request_finish(struct request *request, uint8_t response, uint64_t sent)
{
	struct virtio_scsi *scsi = request->owner;
	const struct cdrom_answer *answer = &request->answer;
	bool ok = response == VIRTIO_SCSI_S_OK;
	bool sense = ok && answer->status == SCSI_CHECK_CONDITION;
	struct virtio_scsi_cmd_resp head = {
		.sense_len = sense ? MIN(CDROM_SENSE_SIZE, request->sense_size) : 0,
		.resid = (uint32_t)MIN(room(request) - sent, UINT32_MAX),
		.status = ok ? answer->status : 0,
		.response = response,
	};

	virtq_chain_write(&request->chain, 0, &head, RESPONSE_FIXED);
	if (sense)
		virtq_chain_write(&request->chain, RESPONSE_FIXED, answer->sense, head.sense_len);
	virtq_push(&scsi->dev, QUEUE_REQUEST, &request->chain,
		(uint32_t)(response_size(request) + sent));
	virtq_notify(&scsi->dev, QUEUE_REQUEST);
	g_free(request);
}

static void request_finish_bytes(struct request *request)
{
	const struct cdrom_answer *answer = &request->answer;

	if (answer->length > room(request)) {
		request_finish(request, VIRTIO_SCSI_S_OVERRUN, 0);
		return;
	}
	virtq_chain_write(&request->chain, response_size(request), answer->bytes,
		answer->length);
	request_finish(request, VIRTIO_SCSI_S_OK, answer->length);
}

static void count_in_flight(struct virtio_scsi *scsi)
{
	stats_set(&scsi->stats->in_flight, scsi->reading->len);
}

/* The read has ended. */
static void request_ended(struct request *request, int error)
{
	struct virtio_scsi *scsi = request->owner;

	stats_io_ended(&scsi->stats->io[STATS_READ], request->block.length,
		now_ns() - request->start, error != 0);
	if (error && scsi->owner.failed)
		scsi->owner.failed(scsi->owner.data, error);
	if (error)
		cdrom_unreadable(&request->answer);
	/* What was read of it is not told, but it is in the guest's memory. */
	if (request->aborted)
		request_finish(request, request->aborted, request->block.length);
	else
		request_finish(request, VIRTIO_SCSI_S_OK, error ? 0 : request->block.length);
}

static void tasks_end(struct virtio_scsi *scsi);

/* In the backend's thread. */
static void request_done(struct block_request *block_request, int error)
{
	struct request *request = block_request->opaque;
	struct virtio_scsi *scsi = request->owner;
	struct machine_lock *lock = scsi->dev.env->lock;

	g_mutex_lock(&lock->mutex);
	g_ptr_array_remove_fast(scsi->reading, request);
	count_in_flight(scsi);
	request_ended(request, error);
	if (!scsi->reading->len)
		tasks_end(scsi);
	g_mutex_unlock(&lock->mutex);
}

/* length bytes of the segments, from offset on; how many entries that takes. */
static unsigned slice(const struct iovec *segment, unsigned count, uint64_t offset, uint64_t length,
	struct iovec *to)
{
	unsigned used = 0;

	for (unsigned i = 0; i < count && length; i++) {
		uint64_t part;

		if (offset >= segment[i].iov_len) {
			offset -= segment[i].iov_len;
			continue;
		}
		part = MIN(segment[i].iov_len - offset, length);
		to[used++] = (struct iovec){(uint8_t *)segment[i].iov_base + offset, part};
		length -= part;
		offset = 0;
	}
	return used;
}

static void request_read(struct request *request)
{
	struct virtio_scsi *scsi = request->owner;
	const struct virtq_chain *chain = &request->chain;
	const struct cdrom_answer *answer = &request->answer;

	if (answer->length > MIN(room(request), READ_LIMIT)) {
		request_finish(request, VIRTIO_SCSI_S_OVERRUN, 0);
		return;
	}
	request->block = (struct block_request){
		.op = BLOCK_READ,
		.offset = answer->offset,
		.length = answer->length,
		.iov = request->data,
		.iov_count = slice(chain->segment + chain->out_count, chain->in_count,
			response_size(request), answer->length, request->data),
		.done = request_done,
		.opaque = request,
	};
	request->start = now_ns();
	if (block_attempt(scsi->medium, &request->block)) {
		request_ended(request, 0);
		return;
	}
	g_ptr_array_add(scsi->reading, request);
	count_in_flight(scsi);
	block_submit(scsi->medium, &request->block);
}

static void request_start(struct request *request)
{
	struct virtio_scsi *scsi = request->owner;
	struct virtio_scsi_cmd_req head;
	uint8_t cdb[CDROM_CDB_MAX] = {0};

	virtq_chain_read(&request->chain, 0, &head, REQUEST_FIXED);
	virtq_chain_read(
		&request->chain, REQUEST_FIXED, cdb, MIN(sizeof(cdb), scsi->cdb_size));
	request->tag = head.tag;
	request->aborted = 0;
	if (!is_drive(head.lun)) {
		request_finish(request, VIRTIO_SCSI_S_BAD_TARGET, 0);
		return;
	}
	cdrom_execute(scsi->drive, cdb, &request->answer);
	if (request->answer.of_medium)
		request_read(request);
	else
		request_finish_bytes(request);
}

static void take_requests(struct virtio_scsi *scsi)
{
	struct virtio_device *dev = &scsi->dev;
	struct request *request = g_new(struct request, 1);

	while (virtq_pop(dev, QUEUE_REQUEST, &request->chain)) {
		if (request->chain.out_length < REQUEST_FIXED + scsi->cdb_size ||
			request->chain.in_length < RESPONSE_FIXED + scsi->sense_size) {
			virtio_misused(dev, "a request that is too short, or without response");
			virtq_push(dev, QUEUE_REQUEST, &request->chain, 0);
			break;
		}
		request->owner = scsi;
		request->sense_size = scsi->sense_size;
		request_start(request);
		request = g_new(struct request, 1);
	}
	g_free(request);
}

/* ---- task management: 5.6.6.2 ---- */

static void task_answer(
	struct virtio_scsi *scsi, const struct virtq_chain *chain, const void *data, uint32_t length)
{
	virtq_chain_write(chain, 0, data, length);
	virtq_push(&scsi->dev, QUEUE_CONTROL, chain, length);
	virtq_notify(&scsi->dev, QUEUE_CONTROL);
}

static void task_respond(
	struct virtio_scsi *scsi, const struct virtq_chain *chain, uint8_t response)
{
	task_answer(scsi, chain, &response, sizeof(response));
}

/* Nothing is being read any more. */
static void tasks_end(struct virtio_scsi *scsi)
{
	for (unsigned i = 0; i < scsi->ending->len; i++)
		task_respond(scsi, g_ptr_array_index(scsi->ending, i), VIRTIO_SCSI_S_OK);
	g_ptr_array_set_size(scsi->ending, 0);
}

/* Has the reads of this tag (NULL: all) end so; how many there are. */
static unsigned mark_reads(struct virtio_scsi *scsi, const uint64_t *tag, uint8_t response)
{
	unsigned count = 0;

	for (unsigned i = 0; i < scsi->reading->len; i++) {
		struct request *request = g_ptr_array_index(scsi->reading, i);

		if (tag && request->tag != *tag)
			continue;
		if (response)
			request->aborted = response;
		count++;
	}
	return count;
}

/* Answers when what was marked has ended. */
static void task_end_reads(struct virtio_scsi *scsi, const struct virtq_chain *chain,
	const uint64_t *tag, uint8_t response)
{
	if (mark_reads(scsi, tag, response))
		g_ptr_array_add(scsi->ending, g_memdup2(chain, sizeof(*chain)));
	else
		task_respond(scsi, chain, VIRTIO_SCSI_S_OK);
}

static void task_carry_out(
	struct virtio_scsi *scsi, const struct virtq_chain *chain, uint32_t subtype, uint64_t tag)
{
	switch (subtype) {
	case VIRTIO_SCSI_T_TMF_ABORT_TASK:
		task_end_reads(scsi, chain, &tag, VIRTIO_SCSI_S_ABORTED);
		break;
	case VIRTIO_SCSI_T_TMF_ABORT_TASK_SET:
	case VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET:
		task_end_reads(scsi, chain, NULL, VIRTIO_SCSI_S_ABORTED);
		break;
	case VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET:
	case VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET:
		cdrom_reset(scsi->drive);
		task_end_reads(scsi, chain, NULL, VIRTIO_SCSI_S_RESET);
		break;
	case VIRTIO_SCSI_T_TMF_QUERY_TASK:
		task_respond(scsi, chain,
			mark_reads(scsi, &tag, 0) ? VIRTIO_SCSI_S_FUNCTION_SUCCEEDED
						  : VIRTIO_SCSI_S_OK);
		break;
	case VIRTIO_SCSI_T_TMF_QUERY_TASK_SET:
		task_respond(scsi, chain,
			scsi->reading->len ? VIRTIO_SCSI_S_FUNCTION_SUCCEEDED : VIRTIO_SCSI_S_OK);
		break;
	default:
		task_respond(scsi, chain, VIRTIO_SCSI_S_FUNCTION_REJECTED);
	}
}

static void task_manage(struct virtio_scsi *scsi, const struct virtq_chain *chain)
{
	struct virtio_scsi_ctrl_tmf_req request;

	if (virtq_chain_read(chain, 0, &request, sizeof(request)) < sizeof(request)) {
		virtio_misused(&scsi->dev, "a task management request that is too short");
		virtq_push(&scsi->dev, QUEUE_CONTROL, chain, 0);
		return;
	}
	if (is_drive(request.lun))
		task_carry_out(scsi, chain, request.subtype, request.tag);
	else
		task_respond(scsi, chain, VIRTIO_SCSI_S_BAD_TARGET);
}

/* Asynchronous notification: there is none. */
static void answer_notification(struct virtio_scsi *scsi, const struct virtq_chain *chain)
{
	const struct virtio_scsi_ctrl_an_resp response = {.response = VIRTIO_SCSI_S_OK};

	task_answer(scsi, chain, &response, sizeof(response));
}

static void take_control(struct virtio_scsi *scsi)
{
	struct virtio_device *dev = &scsi->dev;
	struct virtq_chain chain;

	while (virtq_pop(dev, QUEUE_CONTROL, &chain)) {
		uint32_t type;

		if (virtq_chain_read(&chain, 0, &type, sizeof(type)) < sizeof(type) ||
			chain.in_length < (type == VIRTIO_SCSI_T_TMF
							  ? sizeof(struct virtio_scsi_ctrl_tmf_resp)
							  : sizeof(struct virtio_scsi_ctrl_an_resp))) {
			virtio_misused(dev, "a control request that is too short");
			virtq_push(dev, QUEUE_CONTROL, &chain, 0);
			break;
		}
		if (type == VIRTIO_SCSI_T_TMF)
			task_manage(scsi, &chain);
		else
			answer_notification(scsi, &chain);
	}
}

static void virtio_scsi_kick(struct virtio_device *dev, unsigned queue)
{
	struct virtio_scsi *scsi = (struct virtio_scsi *)dev;

	/* Nothing is told by the event queue: its buffers stay where they are. */
	if (queue == QUEUE_EVENT)
		return;
	do {
		virtq_want_kicks(dev, queue, false);
		if (queue == QUEUE_CONTROL)
			take_control(scsi);
		else
			take_requests(scsi);
	} while (virtq_want_kicks(dev, queue, true));
}

/* ---- configuration: 5.6.4 ---- */

static void set_default_sizes(struct virtio_scsi *scsi)
{
	scsi->sense_size = VIRTIO_SCSI_SENSE_DEFAULT_SIZE;
	scsi->cdb_size = VIRTIO_SCSI_CDB_DEFAULT_SIZE;
}

static struct virtio_scsi_config configuration(const struct virtio_scsi *scsi)
{
	return (struct virtio_scsi_config){
		.num_queues = 1,
		.seg_max = SEGMENTS,
		.max_sectors = MAX_SECTORS,
		.cmd_per_lun = QUEUE_SIZE,
		.event_info_size = sizeof(struct virtio_scsi_event),
		.sense_size = scsi->sense_size,
		.cdb_size = scsi->cdb_size,
	};
}

static void virtio_scsi_config_read(
	struct virtio_device *dev, unsigned offset, void *data, unsigned size)
{
	struct virtio_scsi_config config = configuration((struct virtio_scsi *)dev);

	memcpy(data, (uint8_t *)&config + offset, size);
}

/* The driver sets the two sizes before it uses the queues. */
static void virtio_scsi_config_write(
	struct virtio_device *dev, unsigned offset, const void *data, unsigned size)
{
	struct virtio_scsi *scsi = (struct virtio_scsi *)dev;
	struct virtio_scsi_config config = configuration(scsi);

	memcpy((uint8_t *)&config + offset, data, size);
	if (config.sense_size > SIZE_LIMIT || config.cdb_size > SIZE_LIMIT) {
		virtio_misused(dev, "sizes of sense data or commands that are too large");
		return;
	}
	scsi->sense_size = config.sense_size;
	scsi->cdb_size = config.cdb_size;
}

static void virtio_scsi_reset(struct virtio_device *dev)
{
	struct virtio_scsi *scsi = (struct virtio_scsi *)dev;

	set_default_sizes(scsi);
	cdrom_reset(scsi->drive);
}

/* ---- saving ---- */

struct scsi_state {
	uint32_t sense_size, cdb_size;
};

static const struct field scsi_fields[] = {
	FIELD_RANGE(struct scsi_state, sense_size, 0, SIZE_LIMIT),
	FIELD_RANGE(struct scsi_state, cdb_size, 0, SIZE_LIMIT),
	FIELD_END,
};

static void virtio_scsi_save(struct virtio_device *dev, unsigned index, struct state_out *out)
{
	const struct virtio_scsi *scsi = (struct virtio_scsi *)dev;

	state_put(out, "scsi", index, scsi_fields,
		&(struct scsi_state){scsi->sense_size, scsi->cdb_size});
	cdrom_save(scsi->drive, index, out);
}

static bool virtio_scsi_load(
	struct virtio_device *dev, unsigned index, struct state_in *in, GError **error)
{
	struct virtio_scsi *scsi = (struct virtio_scsi *)dev;
	struct scsi_state s;

	if (!state_get(in, "scsi", index, scsi_fields, &s, error))
		return false;
	scsi->sense_size = s.sense_size;
	scsi->cdb_size = s.cdb_size;
	return cdrom_load(scsi->drive, index, in, error);
}

static const struct virtio_ops virtio_scsi_ops = {
	.name = "virtio-scsi",
	.id = VIRTIO_ID_SCSI,
	.class_code = 0x010000,
	.config_size = sizeof(struct virtio_scsi_config),
	.config_read = virtio_scsi_config_read,
	.config_write = virtio_scsi_config_write,
	.kick = virtio_scsi_kick,
	.reset = virtio_scsi_reset,
	.save = virtio_scsi_save,
	.load = virtio_scsi_load,
};

struct virtio_scsi *virtio_scsi_new(const struct virtio_env *env, struct cdrom *drive,
	struct block_backend *medium, const struct virtio_scsi_owner *owner)
{
	struct virtio_scsi *scsi = g_new0(struct virtio_scsi, 1);

	scsi->drive = drive;
	scsi->medium = medium;
	if (owner)
		scsi->owner = *owner;
	scsi->reading = g_ptr_array_new();
	scsi->ending = g_ptr_array_new_with_free_func(g_free);
	set_default_sizes(scsi);
	virtio_scsi_count(scsi, NULL);
	virtio_device_init(&scsi->dev, &virtio_scsi_ops, env, 0);
	virtio_add_queue(&scsi->dev, QUEUE_SIZE);
	virtio_add_queue(&scsi->dev, QUEUE_SIZE);
	virtio_add_queue(&scsi->dev, QUEUE_SIZE);
	virtio_scsi_changed(scsi);
	return scsi;
}

void virtio_scsi_free(struct virtio_scsi *scsi)
{
	if (!scsi)
		return;
	g_assert(!scsi->reading->len);
	virtio_device_release(&scsi->dev);
	g_ptr_array_free(scsi->reading, TRUE);
	g_ptr_array_free(scsi->ending, TRUE);
	cdrom_free(scsi->drive);
	g_free(scsi);
}

struct virtio_device *virtio_scsi_device(struct virtio_scsi *scsi)
{
	return &scsi->dev;
}

struct cdrom *virtio_scsi_drive(struct virtio_scsi *scsi)
{
	return scsi->drive;
}

void virtio_scsi_changed(struct virtio_scsi *scsi)
{
	stats_set(&scsi->stats->size, scsi->medium->size);
	cdrom_put(scsi->drive, scsi->medium->size);
}

void virtio_scsi_count(struct virtio_scsi *scsi, struct stats_disk *stats)
{
	scsi->stats = stats ? stats : &scsi->own_stats;
	stats_set(&scsi->stats->size, scsi->medium->size);
	stats_set(&scsi->stats->in_flight, scsi->reading->len);
}

const struct stats_disk *virtio_scsi_get_stats(const struct virtio_scsi *scsi)
{
	return scsi->stats;
}
