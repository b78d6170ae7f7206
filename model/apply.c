// SPDX-License-Identifier: GPL-3.0-or-later
// The guests of a connection, and what a sample does to them.
#include "model/clock.h"
#include "model/connection_private.h"
#include "model/guest_private.h"
#include "model/model_private.h"

#include <string.h>

// The main thread leaves a sample for other work after this long, in microseconds.
#define SLICE 3000

void connection_tell(struct connection *connection, int event, struct guest *guest)
{
	struct model_change change = {
		.event = (enum model_event)event, .connection = connection, .guest = guest};

	model_tell(connection->model, &change);
}

static int compare(const struct guest *a, const struct guest *b)
{
	int order = strcmp(a->private->sort_key, b->private->sort_key);

	return order ? order : strcmp(a->uuid, b->uuid);
}

static void insert_sorted(GPtrArray *guests, struct guest *guest)
{
	unsigned low = 0, high = guests->len;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (compare(guests->pdata[middle], guest) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	g_ptr_array_insert(guests, (int)low, guest);
}

struct guest *connection_add_guest(
	struct connection *connection, const char *uuid, const char *name)
{
	struct guest *guest = guest_new(connection, uuid, name);

	guest->private->added_at = clock_monotonic();
	insert_sorted(connection->guests, guest);
	g_hash_table_insert(connection->private->by_uuid, guest->uuid, guest);
	connection_tell(connection, MODEL_GUEST_ADDED, guest);
	connection_read_guest(connection, uuid);
	return guest;
}

void connection_rename_guest(struct connection *connection, struct guest *guest, const char *name)
{
	guest_ref(guest); // the array drops its own
	g_ptr_array_remove(connection->guests, guest);
	guest_set_name(guest, name);
	insert_sorted(connection->guests, guest);
}

void connection_remove_guest(struct connection *connection, struct guest *guest)
{
	g_hash_table_remove(connection->private->by_uuid, guest->uuid);
	g_hash_table_remove(connection->private->dirty, guest->uuid);
	guest->gone = true;
	guest_ref(guest);
	g_ptr_array_remove(connection->guests, guest);
	connection_tell(connection, MODEL_GUEST_REMOVED, guest);
	guest->connection = NULL;
	guest_unref(guest);
}

// The state from a sample; true when it changed what a screen shows of it.
static bool apply_state(struct guest *guest, const struct sample_guest *from, gint64 taken)
{
	enum guest_state state = guest->state;
	int id = guest->id, reason = guest->reason;

	if (from->state < 0 || guest->private->facts_at > taken)
		return false;
	guest_take_state(guest, from->id, from->state, from->reason);
	return guest->state != state || guest->reason != reason || guest->id != id;
}

static void apply_guest(
	struct connection *connection, const struct sample_guest *from, gint64 taken)
{
	struct guest *guest = g_hash_table_lookup(connection->private->by_uuid, from->uuid);
	bool changed = false;

	if (!guest)
		guest = connection_add_guest(connection, from->uuid, from->name);
	guest->private->mark = connection->private->mark;
	if (strcmp(guest->name, from->name) && guest->private->facts_at <= taken) {
		connection_rename_guest(connection, guest, from->name);
		changed = true;
	}
	if (apply_state(guest, from, taken)) {
		connection_read_guest(connection, guest->uuid);
		changed = true;
	}
	guest_take_sample(guest, from, taken, connection->host.cpus);
	if (changed)
		connection_tell(connection, MODEL_GUEST_CHANGED, guest);
}

// Guests that a sample did not list left, unless they came after it was taken.
static void remove_missing(struct connection *connection, gint64 taken)
{
	for (unsigned i = connection->guests->len; i > 0; i--) {
		struct guest *guest = connection->guests->pdata[i - 1];

		if (guest->private->mark != connection->private->mark &&
			guest->private->added_at <= taken)
			connection_remove_guest(connection, guest);
	}
}

void connection_count_promised(struct connection *connection)
{
	struct host *host = &connection->host;

	host->cpus_promised = 0;
	host->memory_promised = host->memory_most = 0;
	for (unsigned i = 0; i < connection->guests->len; i++) {
		const struct guest *guest = connection->guests->pdata[i];

		if (!guest_active(guest))
			continue;
		host->cpus_promised += guest->vcpus;
		host->memory_promised += guest->memory;
		host->memory_most += guest->memory_max;
	}
}

static void apply_host(struct connection *connection, const struct sample *sample)
{
	struct connection_private *private = connection->private;
	struct host *host = &connection->host;

	host->cpu = NAN;
	if (sample->host_busy != SAMPLE_UNKNOWN && private->host_busy != SAMPLE_UNKNOWN &&
		sample->host_busy >= private->host_busy &&
		sample->host_idle >= private->host_idle) {
		double busy = (double)(sample->host_busy - private->host_busy);
		double idle = (double)(sample->host_idle - private->host_idle);

		if (busy + idle > 0 && !clock_frozen())
			host->cpu = 100 * host->cpus * busy / (busy + idle);
	}
	private->host_busy = sample->host_busy;
	private->host_idle = sample->host_idle;
	if (sample->host_memory != SAMPLE_UNKNOWN)
		host->memory = sample->host_memory;
	host->memory_used = sample->host_memory_used == SAMPLE_UNKNOWN || clock_frozen()
				    ? NAN
				    : (double)sample->host_memory_used;
	history_add(&host->cpu_history, host->cpu);
	history_add(&host->memory_history, host->memory_used);
	connection_count_promised(connection);
}

bool connection_apply(struct connection *connection, struct sample *sample)
{
	gint64 until = g_get_monotonic_time() + SLICE;

	if (sample->next == 0)
		connection->private->mark++;
	while (sample->next < sample->guests->len) {
		apply_guest(connection,
			&g_array_index(sample->guests, struct sample_guest, sample->next++),
			sample->taken);
		// The first guest of a slice is always taken, so a slow clock cannot hold us up.
		if (g_get_monotonic_time() >= until && sample->next < sample->guests->len)
			return true;
	}
	remove_missing(connection, sample->taken);
	apply_host(connection, sample);
	connection->refreshed = sample->taken;
	connection_tell(connection, MODEL_REFRESHED, NULL);
	return false;
}
