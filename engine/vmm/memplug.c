// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/memplug.h"

#include "engine/vmm/dev/virtio_balloon.h"
#include "engine/vmm/devices.h"

#include <glib/gi18n.h>
#include <stdatomic.h>

/* Linux adds memory in sections of up to so much, which begin at multiples of it. */
#define ALIGNMENT (2ull << 30)
/* Events come no faster. */
#define PAUSE_US 100000

/* ---- places ------------------------------------------------------------------------------------
 */

static uint64_t align(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

static const struct config_memory *memory_of(const struct machine_config *config, unsigned index)
{
	return g_ptr_array_index(config->memories, index);
}

struct virtio_mem_place memplug_place(const struct machine_config *config, unsigned index)
{
	uint64_t boot_high = config->memory - MIN(config->memory, MEMORY_HOLE_START);
	uint64_t address = MEMORY_HIGH_START + boot_high;

	for (unsigned i = 0;; i++) {
		const struct config_memory *memory = memory_of(config, i);

		address = align(address, MAX(ALIGNMENT, memory->block));
		if (i == index)
			return (struct virtio_mem_place){address, memory->size, memory->block};
		address += memory->size;
	}
}

bool memplug_add_region(
	const struct machine_config *config, struct guest_memory *memory, GError **error)
{
	struct virtio_mem_place first, last;

	if (!config->memories->len)
		return true;
	first = memplug_place(config, 0);
	last = memplug_place(config, config->memories->len - 1);
	if (last.address + last.size > PCI_WINDOW64_BASE) {
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_UNSUPPORTED,
			_("Memory and memory devices end beyond 512 GiB, where PCI devices lie"));
		return false;
	}
	return memory_add_region(
		memory, first.address, last.address + last.size - first.address, error);
}

/* ---- events -------------------------------------------------------------------------------------
 */

struct memplug {
	const struct machine_parts *parts;
	GHashTable *told; /* char * (a slot's name) → uint64_t *: what the last event said */
	GSource *wake;
	_Atomic gint64 last; /* when events were sent last */
};

/* Any thread, lock held. */
static void changed(void *data)
{
	struct memplug *plug = data;

	g_source_set_ready_time(
		plug->wake, MAX(g_get_monotonic_time(), atomic_load(&plug->last) + PAUSE_US));
}

/* What is told of a balloon: the memory that it leaves; of a device: what is plugged. */
static uint64_t amount(const struct memplug *plug, const struct device_slot *slot)
{
	uint64_t boot = plug->parts->config->memory, held;

	if (slot->kind == DEVICE_MEMORY)
		return virtio_mem_plugged(slot->device);
	held = (uint64_t)virtio_balloon_actual(slot->device) << MEMORY_PAGE_SHIFT;
	return boot - MIN(held, boot);
}

static void tell_slot(struct memplug *plug, const struct device_slot *slot, uint64_t now)
{
	JsonObject *fields = json_object_new();

	if (slot->kind == DEVICE_BALLOON) {
		json_object_set_int_member(fields, "actual", (gint64)now);
		machine_notify(plug->parts->machine, "balloon", NULL, fields);
		return;
	}
	json_object_set_string_member(fields, "alias", slot->name);
	json_object_set_int_member(fields, "plugged", (gint64)now);
	machine_notify(plug->parts->machine, "virtio-mem", NULL, fields);
}

/* The devices that are there: a guest may let go of its balloon. The i-th of all, or NULL if it is
 * another kind's. */
static const struct device_slot *slot_at(const GPtrArray *list, unsigned i)
{
	const struct device_slot *slot = g_ptr_array_index(list, i);

	return slot->pci && (slot->kind == DEVICE_BALLOON || slot->kind == DEVICE_MEMORY) ? slot
											  : NULL;
}

static gboolean tell(void *data)
{
	struct memplug *plug = data;
	const GPtrArray *list = devices_list(plug->parts->devices);

	atomic_store(&plug->last, g_get_monotonic_time());
	for (unsigned i = 0; i < list->len; i++) {
		const struct device_slot *slot = slot_at(list, i);
		uint64_t *told = slot ? g_hash_table_lookup(plug->told, slot->name) : NULL;
		uint64_t now;

		if (!told)
			continue;
		g_mutex_lock(&plug->parts->lock->mutex);
		now = amount(plug, slot);
		g_mutex_unlock(&plug->parts->lock->mutex);
		if (now != *told)
			tell_slot(plug, slot, now);
		*told = now;
	}
	return G_SOURCE_CONTINUE;
}

static gboolean woken(GSource *source, GSourceFunc callback, void *data)
{
	g_source_set_ready_time(source, -1);
	return callback(data);
}

static GSourceFuncs wake_funcs = {.dispatch = woken};

/* fn: what is called on changes, or NULL. */
static void listen_to_devices(struct memplug *plug, void (*fn)(void *data))
{
	const GPtrArray *list = devices_list(plug->parts->devices);

	g_mutex_lock(&plug->parts->lock->mutex);
	for (unsigned i = 0; i < list->len; i++) {
		const struct device_slot *slot = slot_at(list, i);

		if (slot && slot->kind == DEVICE_BALLOON)
			virtio_balloon_set_listener(slot->device, fn, plug);
		else if (slot)
			virtio_mem_set_listener(slot->device, fn, plug);
		if (slot)
			g_hash_table_insert(plug->told, g_strdup(slot->name),
				g_memdup2(&(uint64_t){amount(plug, slot)}, sizeof(uint64_t)));
	}
	g_mutex_unlock(&plug->parts->lock->mutex);
}

struct memplug *memplug_new(const struct machine_parts *parts)
{
	struct memplug *plug = g_new0(struct memplug, 1);

	plug->parts = parts;
	plug->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	plug->wake = g_source_new(&wake_funcs, sizeof(GSource));
	g_source_set_callback(plug->wake, tell, plug, NULL);
	g_source_attach(plug->wake, parts->context);
	listen_to_devices(plug, changed);
	return plug;
}

void memplug_free(struct memplug *plug)
{
	if (!plug)
		return;
	listen_to_devices(plug, NULL);
	g_source_destroy(plug->wake);
	g_source_unref(plug->wake);
	g_hash_table_unref(plug->told);
	g_free(plug);
}
