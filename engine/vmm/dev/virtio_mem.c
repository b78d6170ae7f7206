// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/dev/virtio_mem.h"

#include <glib.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_mem.h>
#include <stddef.h>
#include <string.h>

#define QUEUE_SIZE 128

struct virtio_mem {
	struct virtio_device dev;
	struct virtio_mem_place place;
	uint64_t requested;
	void (*changed)(void *data);
	void *changed_data;
};

/* ---- requests: 5.15.6 ---- */

struct range {
	uint64_t address, length;
};

/* What a request is about; false where it is not whole blocks of the device. */
static bool range_of(
	const struct virtio_mem *mem, const struct virtio_mem_req *request, struct range *range)
{
	const struct virtio_mem_place *place = &mem->place;

	range->address = request->u.plug.addr;
	range->length = request->u.plug.nb_blocks * place->block;
	return range->length && range->address % place->block == 0 &&
	       range->address >= place->address && range->length <= place->size &&
	       range->address - place->address <= place->size - range->length;
}

static uint64_t plugged_in(const struct virtio_mem *mem, const struct range *range)
{
	return memory_plugged(mem->dev.env->memory, range->address, range->length);
}

uint64_t virtio_mem_plugged(const struct virtio_mem *mem)
{
	const struct range all = {mem->place.address, mem->place.size};

	return plugged_in(mem, &all);
}

static void set_plugged(struct virtio_mem *mem, const struct range *range, bool plugged)
{
	memory_plug(mem->dev.env->memory, range->address, range->length, plugged);
	if (mem->changed)
		mem->changed(mem->changed_data);
}

static uint16_t plug(struct virtio_mem *mem, const struct range *range)
{
	if (plugged_in(mem, range))
		return VIRTIO_MEM_RESP_ERROR;
	if (virtio_mem_plugged(mem) + range->length > mem->requested)
		return VIRTIO_MEM_RESP_NACK;
	set_plugged(mem, range, true);
	return VIRTIO_MEM_RESP_ACK;
}

static uint16_t unplug(struct virtio_mem *mem, const struct range *range)
{
	if (plugged_in(mem, range) != range->length)
		return VIRTIO_MEM_RESP_ERROR;
	set_plugged(mem, range, false);
	return VIRTIO_MEM_RESP_ACK;
}

static uint16_t state_of(const struct virtio_mem *mem, const struct range *range)
{
	uint64_t plugged = plugged_in(mem, range);

	if (!plugged)
		return VIRTIO_MEM_STATE_UNPLUGGED;
	return plugged == range->length ? VIRTIO_MEM_STATE_PLUGGED : VIRTIO_MEM_STATE_MIXED;
}

static void serve(struct virtio_mem *mem, const struct virtio_mem_req *request,
	struct virtio_mem_resp *response)
{
	struct range range = {mem->place.address, mem->place.size};

	if (request->type == VIRTIO_MEM_REQ_UNPLUG_ALL) {
		set_plugged(mem, &range, false);
		return;
	}
	if (!range_of(mem, request, &range)) {
		response->type = VIRTIO_MEM_RESP_ERROR;
		return;
	}
	switch (request->type) {
	case VIRTIO_MEM_REQ_PLUG:
		response->type = plug(mem, &range);
		break;
	case VIRTIO_MEM_REQ_UNPLUG:
		response->type = unplug(mem, &range);
		break;
	case VIRTIO_MEM_REQ_STATE:
		response->u.state.state = state_of(mem, &range);
		break;
	default:
		response->type = VIRTIO_MEM_RESP_ERROR;
		break;
	}
}

static uint32_t answer(struct virtio_mem *mem, const struct virtq_chain *chain)
{
	struct virtio_mem_req request = {0};
	struct virtio_mem_resp response = {.type = VIRTIO_MEM_RESP_ACK};

	if (virtq_chain_read(chain, 0, &request, sizeof(request)) < sizeof(request))
		response.type = VIRTIO_MEM_RESP_ERROR;
	else
		serve(mem, &request, &response);
	return (uint32_t)virtq_chain_write(chain, 0, &response, sizeof(response));
}

/* ---- the device ---- */

static void virtio_mem_kick(struct virtio_device *dev, unsigned queue)
{
	struct virtq_chain chain;

	do {
		while (virtq_pop(dev, queue, &chain))
			virtq_push(dev, queue, &chain, answer((struct virtio_mem *)dev, &chain));
	} while (virtq_want_kicks(dev, queue, true));
	virtq_notify(dev, queue);
}

static void virtio_mem_config_read(
	struct virtio_device *dev, unsigned offset, void *data, unsigned size)
{
	const struct virtio_mem *mem = (struct virtio_mem *)dev;
	struct virtio_mem_config config = {
		.block_size = mem->place.block,
		.addr = mem->place.address,
		.region_size = mem->place.size,
		.usable_region_size = mem->place.size,
		.plugged_size = virtio_mem_plugged(mem),
		.requested_size = mem->requested,
	};

	memcpy(data, (uint8_t *)&config + offset, size);
}

/* ---- saving: which blocks are plugged goes with the memory ---- */

static const struct field mem_fields[] = {
	FIELD(struct virtio_mem, requested),
	FIELD_END,
};

static void virtio_mem_save(struct virtio_device *dev, unsigned index, struct state_out *out)
{
	state_put(out, "mem", index, mem_fields, (struct virtio_mem *)dev);
}

static bool virtio_mem_load(
	struct virtio_device *dev, unsigned index, struct state_in *in, GError **error)
{
	struct virtio_mem *mem = (struct virtio_mem *)dev;

	if (!state_get(in, "mem", index, mem_fields, mem, error))
		return false;
	if (mem->requested > mem->place.size || mem->requested % mem->place.block)
		return state_damaged("mem", index, "requested", error);
	return true;
}

static const struct virtio_ops virtio_mem_ops = {
	.name = "virtio-mem",
	.id = VIRTIO_ID_MEM,
	.class_code = 0x00ff00,
	.config_size = sizeof(struct virtio_mem_config),
	.config_read = virtio_mem_config_read,
	.kick = virtio_mem_kick,
	.save = virtio_mem_save,
	.load = virtio_mem_load,
};

struct virtio_mem *virtio_mem_new(
	const struct virtio_env *env, const struct virtio_mem_place *place)
{
	struct virtio_mem *mem = g_new0(struct virtio_mem, 1);

	g_assert(place->block >= MEMORY_BLOCK_SIZE && place->address % place->block == 0 &&
		 place->size % place->block == 0);
	mem->place = *place;
	virtio_device_init(
		&mem->dev, &virtio_mem_ops, env, 1ull << VIRTIO_MEM_F_UNPLUGGED_INACCESSIBLE);
	virtio_add_queue(&mem->dev, QUEUE_SIZE);
	return mem;
}

void virtio_mem_free(struct virtio_mem *mem)
{
	if (!mem)
		return;
	virtio_device_release(&mem->dev);
	g_free(mem);
}

struct virtio_device *virtio_mem_device(struct virtio_mem *mem)
{
	return &mem->dev;
}

const struct virtio_mem_place *virtio_mem_get_place(const struct virtio_mem *mem)
{
	return &mem->place;
}

void virtio_mem_request(struct virtio_mem *mem, uint64_t size)
{
	g_assert(size <= mem->place.size && size % mem->place.block == 0);
	if (mem->requested == size)
		return;
	mem->requested = size;
	virtio_config_changed(&mem->dev);
}

uint64_t virtio_mem_requested(const struct virtio_mem *mem)
{
	return mem->requested;
}

void virtio_mem_set_listener(struct virtio_mem *mem, void (*changed)(void *data), void *data)
{
	mem->changed = changed;
	mem->changed_data = data;
}
