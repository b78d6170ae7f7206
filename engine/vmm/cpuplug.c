// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/cpuplug.h"

#include "engine/vmm/control.h"
#include "engine/vmm/cpus.h"
#include "engine/vmm/dev/cpuhp.h"

#include <glib/gi18n.h>

/* How often a guest that has not looked is told again: it may not have been up. */
#define REMIND_MS 1000

struct waiter {
	cpuplug_done_func *done;
	void *data;
};

struct cpuplug {
	const struct machine_parts *parts;
	struct cpuhp *device;
	uint64_t wanted;    /* bit n: vCPU n is to be there */
	unsigned told;      /* how many were on line at the last event */
	GPtrArray *waiters; /* struct waiter */
	GSource *wake;
	GSource *remind; /* while something is asked for */
};

static uint64_t bit(unsigned id)
{
	return 1ull << id;
}

static void lock(const struct cpuplug *plug)
{
	g_mutex_lock(&plug->parts->lock->mutex);
}

static void unlock(const struct cpuplug *plug)
{
	g_mutex_unlock(&plug->parts->lock->mutex);
}

uint64_t cpuplug_present(const struct cpuplug *plug)
{
	uint64_t present = 0;

	for (unsigned id = 0; id < VCPU_MAX; id++)
		if (cpus_present(plug->parts->cpus, id))
			present |= bit(id);
	return present;
}

static uint64_t online(const struct cpuplug *plug)
{
	uint64_t set = 0;

	for (unsigned id = 0; id < VCPU_MAX; id++)
		if (cpus_online(plug->parts->cpus, id))
			set |= bit(id);
	return set;
}

unsigned cpuplug_online(const struct cpuplug *plug)
{
	return (unsigned)__builtin_popcountll(online(plug));
}

struct cpuhp *cpuplug_device(struct cpuplug *plug)
{
	return plug->device;
}

/* ---- what is under way ----------------------------------------------------------------------- */

static bool is_done(const struct cpuplug *plug)
{
	return cpuplug_present(plug) == plug->wanted && online(plug) == plug->wanted;
}

static char *list(uint64_t set)
{
	GString *text = g_string_new(NULL);

	for (unsigned id = 0; id < VCPU_MAX; id++)
		if (set & bit(id))
			g_string_append_printf(text, "%s%u", text->len ? ", " : "", id);
	return g_string_free(text, FALSE);
}

char *cpuplug_missing(const struct cpuplug *plug)
{
	uint64_t coming = plug->wanted & ~online(plug);
	uint64_t going = cpuplug_present(plug) & ~plug->wanted;
	g_autofree char *in = list(coming), *out = list(going);

	if (coming && going)
		return g_strdup_printf(
			_("The guest has not taken vCPUs %s on line, and has not let vCPUs %s go"),
			in, out);
	if (coming)
		return g_strdup_printf(_("The guest has not taken these vCPUs on line: %s"), in);
	if (going)
		return g_strdup_printf(_("The guest has not let these vCPUs go: %s"), out);
	return NULL;
}

/* Ends all that wait, each with a copy of the error. */
static void end_waiters(struct cpuplug *plug, const GError *error)
{
	g_autoptr(GPtrArray) waiters = plug->waiters;

	plug->waiters = g_ptr_array_new_with_free_func(g_free);
	for (unsigned i = 0; i < waiters->len; i++) {
		const struct waiter *waiter = g_ptr_array_index(waiters, i);

		waiter->done(waiter->data, error ? g_error_copy(error) : NULL);
	}
}

static void tell_refused(struct cpuplug *plug, uint64_t refused)
{
	g_autofree char *ids = list(refused);
	g_autoptr(GError) error = g_error_new(CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_REFUSED,
		_("The guest refuses to take or to let go these vCPUs: %s"), ids);

	end_waiters(plug, error);
}

static void tell_online(struct cpuplug *plug)
{
	unsigned now = cpuplug_online(plug);
	JsonObject *fields;

	if (now == plug->told)
		return;
	plug->told = now;
	fields = json_object_new();
	json_object_set_int_member(fields, "vcpus", now);
	machine_notify(plug->parts->machine, "vcpus", NULL, fields);
}

/* Takes out those that the guest has let go, asked or not. */
static void take_ejected(struct cpuplug *plug)
{
	uint64_t ejected;

	lock(plug);
	ejected = cpuhp_take_ejected(plug->device);
	unlock(plug);
	for (unsigned id = 1; id < VCPU_MAX; id++)
		if (ejected & bit(id) && cpus_present(plug->parts->cpus, id))
			cpus_remove(plug->parts->cpus, id);
}

static uint64_t take_refused(struct cpuplug *plug)
{
	uint64_t refused;

	lock(plug);
	refused = cpuhp_take_refused(plug->device);
	unlock(plug);
	return refused;
}

static void stop_reminding(struct cpuplug *plug)
{
	if (!plug->remind)
		return;
	g_source_destroy(plug->remind);
	g_clear_pointer(&plug->remind, g_source_unref);
}

static bool bring_in(struct cpuplug *plug, GError **error)
{
	uint64_t missing = plug->wanted & ~cpuplug_present(plug);

	for (unsigned id = 0; id < VCPU_MAX; id++) {
		if (!(missing & bit(id)))
			continue;
		if (!cpus_add(plug->parts->cpus, id, error))
			return false;
		lock(plug);
		cpuhp_insert(plug->device, id);
		unlock(plug);
	}
	return true;
}

/* The guest has let go what is to stay: it comes back for who waits for it. */
static void bring_back(struct cpuplug *plug)
{
	g_autoptr(GError) error = NULL;

	if (!plug->waiters->len)
		plug->wanted &= cpuplug_present(plug);
	else if (!bring_in(plug, &error))
		end_waiters(plug, error);
}

void cpuplug_settle(struct cpuplug *plug)
{
	uint64_t refused;

	take_ejected(plug);
	bring_back(plug);
	refused = take_refused(plug);
	tell_online(plug);
	if (is_done(plug)) {
		stop_reminding(plug);
		end_waiters(plug, NULL);
	} else if (refused) {
		tell_refused(plug, refused);
	}
}

static gboolean remind(void *data)
{
	struct cpuplug *plug = data;

	lock(plug);
	cpuhp_remind(plug->device);
	unlock(plug);
	return G_SOURCE_CONTINUE;
}

static void start_reminding(struct cpuplug *plug)
{
	if (plug->remind)
		return;
	plug->remind = g_timeout_source_new(REMIND_MS);
	g_source_set_callback(plug->remind, remind, plug, NULL);
	g_source_attach(plug->remind, plug->parts->context);
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Which are to be there when it is count: the lowest present ones, then the lowest others. */
static uint64_t choose(const struct cpuplug *plug, unsigned count)
{
	uint64_t present = cpuplug_present(plug), wanted = 0;

	for (unsigned id = 0; id < VCPU_MAX && count; id++)
		if (present & bit(id)) {
			wanted |= bit(id);
			count--;
		}
	for (unsigned id = 0; id < VCPU_MAX && count; id++)
		if (!(present & bit(id))) {
			wanted |= bit(id);
			count--;
		}
	return wanted;
}

static void ask_to_go(struct cpuplug *plug)
{
	uint64_t present = cpuplug_present(plug);

	lock(plug);
	for (unsigned id = 0; id < VCPU_MAX; id++) {
		if (present & ~plug->wanted & bit(id))
			cpuhp_ask(plug->device, id);
		else
			cpuhp_unask(plug->device, id);
	}
	unlock(plug);
}

/* Who waits for another number waits in vain. */
static void end_others(struct cpuplug *plug, uint64_t wanted, unsigned count)
{
	g_autoptr(GError) error = NULL;

	if (wanted == plug->wanted)
		return;
	error = g_error_new(CONTROL_CALL_ERROR, CONTROL_CALL_ERROR_REFUSED,
		_("The number of vCPUs has been set to %u meanwhile"), count);
	end_waiters(plug, error);
}

void cpuplug_set(struct cpuplug *plug, unsigned count, cpuplug_done_func *done, void *data)
{
	struct waiter *waiter = g_new(struct waiter, 1);
	g_autoptr(GError) error = NULL;
	uint64_t wanted;

	*waiter = (struct waiter){done, data};
	/* What has been let go cannot be chosen to stay. */
	cpuplug_settle(plug);
	wanted = choose(plug, count);
	end_others(plug, wanted, count);
	plug->wanted = wanted;
	g_ptr_array_add(plug->waiters, waiter);
	if (!bring_in(plug, &error)) {
		plug->wanted = cpuplug_present(plug);
		end_waiters(plug, error);
		return;
	}
	ask_to_go(plug);
	start_reminding(plug);
	cpuplug_settle(plug);
}

void cpuplug_restored(struct cpuplug *plug)
{
	plug->wanted = cpuplug_present(plug);
}

void cpuplug_forget(struct cpuplug *plug, void *data)
{
	for (unsigned i = plug->waiters->len; i-- > 0;) {
		const struct waiter *waiter = g_ptr_array_index(plug->waiters, i);

		if (waiter->data == data)
			g_ptr_array_remove_index(plug->waiters, i);
	}
}

/* ---- life ------------------------------------------------------------------------------------ */

void cpuplug_reset(struct cpuplug *plug)
{
	uint64_t going;

	take_ejected(plug);
	going = cpuplug_present(plug) & ~plug->wanted;
	for (unsigned id = 1; id < VCPU_MAX; id++)
		if (going & bit(id))
			cpus_remove(plug->parts->cpus, id);
	lock(plug);
	cpuhp_reset(plug->device);
	cpuhp_get_state(plug->device)->present = cpuplug_present(plug);
	unlock(plug);
	cpuplug_wake(plug);
}

void cpuplug_wake(struct cpuplug *plug)
{
	g_source_set_ready_time(plug->wake, 0);
}

static void device_changed(void *data)
{
	cpuplug_wake(data);
}

static gboolean woken(GSource *source, GSourceFunc callback, void *data)
{
	g_source_set_ready_time(source, -1);
	return callback(data);
}

static GSourceFuncs wake_funcs = {.dispatch = woken};

static gboolean settle(void *data)
{
	cpuplug_settle(data);
	return G_SOURCE_CONTINUE;
}

struct cpuplug *cpuplug_new(const struct machine_parts *parts)
{
	struct cpuplug *plug = g_new0(struct cpuplug, 1);

	plug->parts = parts;
	plug->wanted = cpuplug_present(plug);
	plug->told = cpuplug_online(plug);
	plug->waiters = g_ptr_array_new_with_free_func(g_free);
	plug->device = cpuhp_new(parts->ports, parts->pm, parts->config->vcpus_max, plug->wanted,
		device_changed, plug);
	plug->wake = g_source_new(&wake_funcs, sizeof(GSource));
	g_source_set_callback(plug->wake, settle, plug, NULL);
	g_source_attach(plug->wake, parts->context);
	return plug;
}

void cpuplug_free(struct cpuplug *plug)
{
	if (!plug)
		return;
	stop_reminding(plug);
	g_source_destroy(plug->wake);
	g_source_unref(plug->wake);
	lock(plug);
	cpuhp_free(plug->device);
	unlock(plug);
	g_ptr_array_free(plug->waiters, TRUE);
	g_free(plug);
}
