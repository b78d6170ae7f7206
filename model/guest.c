// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/guest_private.h"
#include "model/clock.h"
#include "model/connection.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>

static void forget_figures(struct guest *guest)
{
	guest->cpu = guest->cpu_host = guest->cpu_allocation = NAN;
	guest->wait = guest->steal = NAN;
	guest->memory_used = guest->memory_rss = NAN;
	guest->read_rate = guest->write_rate = guest->read_ops = guest->write_ops = NAN;
	guest->rx_rate = guest->tx_rate = NAN;
}

static void free_vcpu(void *data)
{
	struct guest_vcpu *vcpu = data;

	history_clear(&vcpu->use_history);
	g_free(vcpu);
}

struct guest *guest_new(struct connection *connection, const char *uuid, const char *name)
{
	struct guest *guest = g_new0(struct guest, 1);

	guest->private = g_new0(struct guest_private, 1);
	guest->private->refs = 1;
	guest->private->cpu_time = SAMPLE_UNKNOWN;
	guest->connection = connection;
	guest->uuid = g_strdup(uuid);
	guest_set_name(guest, name);
	guest->id = -1;
	guest->groups = g_new0(char *, 1);
	guest->tags = g_new0(char *, 1);
	guest->disks = g_ptr_array_new_with_free_func((GDestroyNotify)guest_disk_free);
	guest->nics = g_ptr_array_new_with_free_func((GDestroyNotify)guest_nic_free);
	guest->vcpu = g_ptr_array_new_with_free_func(free_vcpu);
	guest->seen = clock_monotonic();
	forget_figures(guest);
	return guest;
}

void guest_set_name(struct guest *guest, const char *name)
{
	g_free(guest->name);
	g_free(guest->private->sort_key);
	guest->name = g_strdup(name);
	guest->private->sort_key = g_utf8_collate_key_for_filename(name, -1);
}

static void clear_histories(struct guest *guest)
{
	history_clear(&guest->cpu_history);
	history_clear(&guest->memory_history);
	history_clear(&guest->read_history);
	history_clear(&guest->write_history);
	history_clear(&guest->rx_history);
	history_clear(&guest->tx_history);
}

struct guest *guest_ref(struct guest *guest)
{
	guest->private->refs++;
	return guest;
}

void guest_unref(struct guest *guest)
{
	if (!guest || --guest->private->refs)
		return;
	clear_histories(guest);
	g_ptr_array_unref(guest->disks);
	g_ptr_array_unref(guest->nics);
	g_ptr_array_unref(guest->vcpu);
	g_strfreev(guest->groups);
	g_strfreev(guest->tags);
	g_free(guest->title);
	g_free(guest->description);
	g_free(guest->type);
	g_free(guest->os_type);
	g_free(guest->notes);
	g_free(guest->name);
	g_free(guest->uuid);
	g_free(guest->private->sort_key);
	g_free(guest->private);
	g_free(guest);
}

// Keeps counters and histories of devices that were there before: what was counted moves over, what
// the definition says is new.
static void keep_disk(struct guest_disk *was, struct guest_disk *disk)
{
	struct guest_disk kept = *was;

	kept.target = disk->target;
	kept.source = disk->source;
	kept.device = disk->device;
	*disk = kept;
	memset(&was->read_history, 0, sizeof(was->read_history));
	memset(&was->write_history, 0, sizeof(was->write_history));
}

static void keep_disks(GPtrArray *old, GPtrArray *fresh)
{
	for (unsigned i = 0; i < fresh->len; i++) {
		struct guest_disk *disk = fresh->pdata[i];

		for (unsigned k = 0; k < old->len; k++) {
			struct guest_disk *was = old->pdata[k];

			if (disk->target && !g_strcmp0(was->target, disk->target)) {
				keep_disk(was, disk);
				break;
			}
		}
	}
}

static void keep_nic(struct guest_nic *was, struct guest_nic *nic)
{
	struct guest_nic kept = *was;

	kept.target = nic->target;
	kept.mac = nic->mac;
	kept.source = nic->source;
	kept.type = nic->type;
	kept.model = nic->model;
	*nic = kept;
	memset(&was->rx_history, 0, sizeof(was->rx_history));
	memset(&was->tx_history, 0, sizeof(was->tx_history));
}

static void keep_nics(GPtrArray *old, GPtrArray *fresh)
{
	for (unsigned i = 0; i < fresh->len; i++) {
		struct guest_nic *nic = fresh->pdata[i];

		for (unsigned k = 0; k < old->len; k++) {
			struct guest_nic *was = old->pdata[k];

			if (nic->mac && !g_strcmp0(was->mac, nic->mac)) {
				keep_nic(was, nic);
				break;
			}
		}
	}
}

#define TAKE(field)                                                                                \
	do {                                                                                       \
		g_free(guest->field);                                                              \
		guest->field = g_steal_pointer(&facts->field);                                     \
	} while (0)

static void take_devices(struct guest *guest, struct facts *facts)
{
	keep_disks(guest->disks, facts->disks);
	keep_nics(guest->nics, facts->nics);
	g_ptr_array_unref(guest->disks);
	g_ptr_array_unref(guest->nics);
	guest->disks = g_steal_pointer(&facts->disks);
	guest->nics = g_steal_pointer(&facts->nics);
	guest->has_console = facts->has_console;
}

static void take_definition(struct guest *guest, struct facts *facts)
{
	TAKE(title);
	TAKE(description);
	TAKE(type);
	TAKE(os_type);
	TAKE(notes);
	g_strfreev(guest->groups);
	g_strfreev(guest->tags);
	guest->groups = g_steal_pointer(&facts->groups);
	guest->tags = g_steal_pointer(&facts->tags);
	guest->vcpus = facts->vcpus;
	guest->vcpus_max = facts->vcpus_max;
	guest->memory = facts->memory;
	guest->memory_max = facts->memory_max;
	take_devices(guest, facts);
	guest->defined = true;
}

void guest_take_flags(struct guest *guest, bool autostart, bool persistent, bool managed_save)
{
	guest->autostart = autostart;
	guest->persistent = persistent;
	guest->managed_save = managed_save;
}

// What was counted belongs to the run that ended.
static void forget_counters(struct guest *guest)
{
	guest->private->cpu_time = SAMPLE_UNKNOWN;
	for (unsigned i = 0; i < guest->disks->len; i++)
		((struct guest_disk *)guest->disks->pdata[i])->counted = false;
	for (unsigned i = 0; i < guest->nics->len; i++)
		((struct guest_nic *)guest->nics->pdata[i])->counted = false;
	g_ptr_array_set_size(guest->vcpu, 0);
}

void guest_take_state(struct guest *guest, int id, int state, int reason)
{
	bool was_active = guest_active(guest);

	guest->id = id;
	guest->state = state >= 0 && state < GUEST_STATES ? (enum guest_state)state : GUEST_NOSTATE;
	guest->reason = reason;
	if (guest_active(guest)) {
		if (!was_active && !guest->started) {
			guest->started = clock_now();
			guest->started_at_least = true;
		}
		return;
	}
	guest->started = 0;
	guest->started_at_least = false;
	forget_figures(guest);
	forget_counters(guest);
}

void guest_take_facts(struct guest *guest, struct facts *facts)
{
	guest->private->facts_at = clock_monotonic();
	guest->seen = guest->private->facts_at;
	guest_take_state(guest, facts->id, facts->state, facts->reason);
	if (facts->started && guest_active(guest)) {
		guest->started = facts->started;
		guest->started_at_least = false;
	}
	if (facts->flags_known)
		guest_take_flags(guest, facts->autostart, facts->persistent, facts->managed_save);
	if (facts->groups)
		take_definition(guest, facts);
}

bool guest_active(const struct guest *guest)
{
	if (guest->id >= 0)
		return true;
	return guest->state != GUEST_OFF && guest->state != GUEST_NOSTATE &&
	       guest->state != GUEST_CRASHED;
}

const char *guest_state_word(const struct guest *guest)
{
	static const char *const words[GUEST_STATES] = {N_("unknown"), N_("running"), N_("running"),
		N_("paused"), N_("stopping"), N_("off"), N_("crashed"), N_("suspended")};

	if (guest->state == GUEST_OFF && guest->managed_save)
		return _("saved");
	return _(words[guest->state]);
}

const char *guest_state_name(const struct guest *guest)
{
	static const char *const names[GUEST_STATES] = {"unknown", "running", "running", "paused",
		"shutdown", "off", "crashed", "suspended"};

	if (guest->state == GUEST_OFF && guest->managed_save)
		return "saved";
	return names[guest->state];
}

double guest_age(const struct guest *guest)
{
	return (double)(clock_monotonic() - guest->seen) / G_USEC_PER_SEC;
}

double guest_uptime(const struct guest *guest)
{
	if (!guest->started || !guest_active(guest))
		return NAN;
	return fmax(0, (double)(clock_now() - guest->started) / G_USEC_PER_SEC);
}

char *guest_full_name(const struct guest *guest)
{
	if (!guest->connection)
		return g_strdup(guest->name);
	return g_strdup_printf("%s/%s", guest->connection->name, guest->name);
}
