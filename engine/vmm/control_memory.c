// SPDX-License-Identifier: GPL-3.0-or-later
/* Requests about the guest's memory. */
#include <config.h>

#include "engine/vmm/control.h"

#include "engine/vmm/clock.h"
#include "engine/vmm/dev/virtio_balloon.h"
#include "engine/vmm/dev/virtio_mem.h"
#include "engine/vmm/devices.h"

#include <glib/gi18n.h>

#define STATISTICS_PERIOD_MAX 86400u

static const struct machine_parts *parts_of(const struct control_call *call)
{
	return machine_parts(control_machine(call));
}

static struct virtio_balloon *balloon_of(const struct machine_parts *parts)
{
	const struct device_slot *slot = devices_find(parts->devices, DEVICE_BALLOON, "balloon");

	return slot ? slot->device : NULL;
}

/* Ends the call where there is none. */
static struct virtio_balloon *need_balloon(struct control_call *call)
{
	struct virtio_balloon *balloon = balloon_of(parts_of(call));

	if (!balloon)
		control_refuse(call, _("The guest has no memory balloon"));
	return balloon;
}

/* ---- what there is --------------------------------------------------------------------------- */

static void set_size(JsonObject *object, const char *name, uint64_t size)
{
	json_object_set_int_member(object, name, (gint64)size);
}

/* Boot memory without what the balloon holds. */
static uint64_t less(const struct machine_parts *parts, uint32_t pages)
{
	return parts->config->memory -
	       MIN((uint64_t)pages << MEMORY_PAGE_SHIFT, parts->config->memory);
}

static JsonObject *statistics_of(
	const struct machine_parts *parts, const struct virtio_balloon_stats *stats)
{
	const struct {
		const char *name;
		uint64_t value;
	} members[] = {
		{"swap_in", stats->swap_in},
		{"swap_out", stats->swap_out},
		{"major_faults", stats->major_faults},
		{"minor_faults", stats->minor_faults},
		{"free", stats->free},
		{"total", stats->total},
		{"available", stats->available},
		{"caches", stats->caches},
	};
	JsonObject *object = json_object_new();

	if (!stats->updated_ns)
		return object;
	for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
		if (members[i].value <= INT64_MAX)
			set_size(object, members[i].name, members[i].value);
	set_size(object, "last_update",
		(uint64_t)(g_get_real_time() / G_USEC_PER_SEC) -
			(clock_ns(parts->clock) - stats->updated_ns) / CLOCK_HZ);
	return object;
}

static JsonObject *describe(const struct device_slot *slot)
{
	const struct virtio_mem *mem = slot->device;
	const struct virtio_mem_place *place = virtio_mem_get_place(mem);
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "alias", slot->name);
	set_size(object, "size", place->size);
	set_size(object, "block", place->block);
	set_size(object, "requested", virtio_mem_requested(mem));
	set_size(object, "plugged", virtio_mem_plugged(mem));
	return object;
}

static JsonArray *describe_devices(const struct machine_parts *parts)
{
	const GPtrArray *slots = devices_list(parts->devices);
	JsonArray *array = json_array_new();

	for (unsigned i = 0; i < slots->len; i++) {
		const struct device_slot *slot = g_ptr_array_index(slots, i);

		if (slot->kind == DEVICE_MEMORY)
			json_array_add_object_element(array, describe(slot));
	}
	return array;
}

static void do_memory(struct control_call *call)
{
	const struct machine_parts *parts = parts_of(call);
	const struct virtio_balloon *balloon = balloon_of(parts);
	JsonObject *answer = control_answer(call);

	set_size(answer, "boot", parts->config->memory);
	g_mutex_lock(&parts->lock->mutex);
	set_size(answer, "target", less(parts, balloon ? virtio_balloon_target(balloon) : 0));
	set_size(answer, "actual", less(parts, balloon ? virtio_balloon_actual(balloon) : 0));
	json_object_set_object_member(answer, "statistics",
		balloon ? statistics_of(parts, virtio_balloon_get_stats(balloon))
			: json_object_new());
	if (balloon)
		set_size(answer, "period", virtio_balloon_period(balloon) / CLOCK_HZ);
	json_object_set_array_member(answer, "devices", describe_devices(parts));
	g_mutex_unlock(&parts->lock->mutex);
	control_done(call);
}

/* ---- changing it ----------------------------------------------------------------------------- */

static void do_set_memory(struct control_call *call)
{
	const struct machine_parts *parts = parts_of(call);
	struct virtio_balloon *balloon = need_balloon(call);
	GError *error = NULL;
	uint64_t size;

	if (!balloon)
		return;
	if (!control_number(
		    call, "size", CONFIG_MEMORY_MIN, parts->config->memory, &size, &error)) {
		control_fail(call, error);
		return;
	}
	g_mutex_lock(&parts->lock->mutex);
	virtio_balloon_set_target(
		balloon, (uint32_t)((parts->config->memory - size) >> MEMORY_PAGE_SHIFT));
	g_mutex_unlock(&parts->lock->mutex);
	control_done(call);
}

static void do_set_balloon_period(struct control_call *call)
{
	const struct machine_parts *parts = parts_of(call);
	struct virtio_balloon *balloon = need_balloon(call);
	GError *error = NULL;
	uint64_t seconds;

	if (!balloon)
		return;
	if (!control_number(call, "seconds", 0, STATISTICS_PERIOD_MAX, &seconds, &error)) {
		control_fail(call, error);
		return;
	}
	g_mutex_lock(&parts->lock->mutex);
	virtio_balloon_set_period(balloon, seconds * CLOCK_HZ);
	g_mutex_unlock(&parts->lock->mutex);
	control_done(call);
}

/* The device that the request names, and what it asks of it. */
static bool read_request(
	struct control_call *call, struct virtio_mem **mem, uint64_t *size, GError **error)
{
	const char *alias = control_text(call, "alias", error);
	const struct device_slot *slot =
		alias ? devices_find(parts_of(call)->devices, DEVICE_MEMORY, alias) : NULL;
	const struct virtio_mem_place *place;

	if (!alias)
		return false;
	if (!slot) {
		g_set_error(error, CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_INVALID,
			_("The guest has no memory device '%s'"), alias);
		return false;
	}
	*mem = slot->device;
	place = virtio_mem_get_place(*mem);
	if (!control_number(call, "requested", 0, place->size, size, error))
		return false;
	if (*size % place->block == 0)
		return true;
	g_set_error(error, CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_INVALID,
		_("Memory device '%s' has blocks of %llu KiB: only multiples can be requested"),
		alias, (unsigned long long)(place->block >> 10));
	return false;
}

static void do_set_virtio_mem(struct control_call *call)
{
	const struct machine_parts *parts = parts_of(call);
	struct virtio_mem *mem;
	GError *error = NULL;
	uint64_t size;

	if (!read_request(call, &mem, &size, &error)) {
		control_fail(call, error);
		return;
	}
	g_mutex_lock(&parts->lock->mutex);
	virtio_mem_request(mem, size);
	g_mutex_unlock(&parts->lock->mutex);
	control_done(call);
}

const struct control_request control_memory_requests[] = {
	{"memory", do_memory},
	{"set-memory", do_set_memory},
	{"set-balloon-period", do_set_balloon_period},
	{"set-virtio-mem", do_set_virtio_mem},
	{.name = NULL},
};
