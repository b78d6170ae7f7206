// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/save/parts.h"

#include "engine/vmm/cpuplug.h"
#include "engine/vmm/cpus.h"
#include "engine/vmm/dev/cpuhp.h"
#include "engine/vmm/dev/i8042.h"
#include "engine/vmm/dev/pci.h"
#include "engine/vmm/dev/pcihp.h"
#include "engine/vmm/dev/pm.h"
#include "engine/vmm/dev/rtc.h"
#include "engine/vmm/dev/serial.h"
#include "engine/vmm/devices.h"
#include "engine/vmm/save/devlist.h"
#include "engine/vmm/save/format.h"
#include "engine/vmm/save/settings.h"

#include <glib/gi18n.h>
#include <string.h>

/* ---- what tells the guest ---- */

static const struct field identity_fields[] = {
	FIELD_BYTES(struct save_identity, backend),
	FIELD(struct save_identity, memory),
	FIELD(struct save_identity, vcpus_max),
	FIELD(struct save_identity, serials),
	FIELD_END,
};

static const char *backend_name(const struct machine_config *config)
{
	return config->cpu == CONFIG_CPU_KVM ? "kvm" : "soft";
}

static struct save_identity identity_of(const struct machine_config *config)
{
	struct save_identity identity = {
		.memory = config->memory,
		.vcpus_max = config->vcpus_max,
		.serials = config->serials->len,
	};

	g_strlcpy(identity.backend, backend_name(config), sizeof(identity.backend));
	return identity;
}

static void put_text(struct state_out *out, const char *name, const char *text)
{
	state_put_bytes(out, name, 0, text ? text : "", text ? strlen(text) : 0);
}

static void put_identity(const struct machine_config *config, struct state_out *out)
{
	struct save_identity identity = identity_of(config);

	state_put(out, "identity", 0, identity_fields, &identity);
	put_text(out, "name", config->name);
	put_text(out, "uuid", config->uuid);
	put_text(out, "definition", config->text);
}

static bool differs(GError **error, const char *sentence)
{
	g_set_error_literal(error, STATE_ERROR, STATE_ERROR_FOREIGN, sentence);
	return false;
}

/* A guest may have got another name meanwhile, but no other UUID. */
static bool check_guest(struct state_in *in, const struct machine_config *config, GError **error)
{
	g_autofree char *name = state_get_text(in, "name", 0, error);
	g_autofree char *uuid = name ? state_get_text(in, "uuid", 0, error) : NULL;
	bool same;

	if (!uuid)
		return false;
	if (*uuid && config->uuid)
		same = g_str_equal(uuid, config->uuid);
	else
		same = g_str_equal(name, config->name);
	if (!same)
		g_set_error(error, STATE_ERROR, STATE_ERROR_FOREIGN,
			_("it is the guest '%s' that was saved"), name);
	return same;
}

bool save_check(struct state_in *in, const struct machine_config *config, GError **error)
{
	struct save_identity is, wanted = identity_of(config);

	if (!state_get(in, "identity", 0, identity_fields, &is, error))
		return false;
	if (strncmp(is.backend, wanted.backend, sizeof(is.backend)) != 0)
		return differs(error, config->cpu == CONFIG_CPU_KVM
					      ? _("the guest was saved on the software CPU, and "
						  "cannot go on under KVM")
					      : _("the guest was saved under KVM, and cannot go on "
						  "on the software CPU"));
	if (!check_guest(in, config, error))
		return false;
	if (is.memory != wanted.memory)
		return differs(
			error, _("the guest had another amount of memory when it was saved"));
	if (is.vcpus_max != wanted.vcpus_max)
		return differs(
			error, _("the guest had another number of processors when it was saved"));
	if (is.serials != wanted.serials)
		return differs(
			error, _("the guest had another number of serial ports when it was saved"));
	return true;
}

char *save_definition(struct state_in *in, GError **error)
{
	return state_get_text(in, "definition", 0, error);
}

/* ---- memory that comes and goes ---- */

static uint64_t block_count(const struct guest_memory *memory)
{
	return memory->region ? memory->region_size >> MEMORY_BLOCK_SHIFT : 0;
}

static void put_blocks(const struct guest_memory *memory, struct state_out *out)
{
	state_put_bytes(out, "blocks", 0, memory->plugged, block_count(memory));
}

bool load_blocks(const struct machine_parts *parts, struct state_in *in, GError **error)
{
	struct guest_memory *memory = parts->memory;
	g_autoptr(GBytes) bytes = state_get_bytes(in, "blocks", 0, error);
	const uint8_t *plugged;
	size_t count;

	if (!bytes)
		return false;
	plugged = g_bytes_get_data(bytes, &count);
	if (count != block_count(memory))
		return differs(error, _("the guest had other memory devices when it was saved"));
	g_mutex_lock(&parts->lock->mutex);
	for (uint64_t i = 0; i < count; i++)
		if (plugged[i])
			memory_plug(memory, memory->region_start + (i << MEMORY_BLOCK_SHIFT),
				MEMORY_BLOCK_SIZE, true);
	g_mutex_unlock(&parts->lock->mutex);
	return true;
}

/* ---- the clock ---- */

struct saved_clock {
	uint64_t ns;
};

/* A machine that had run for longer than a hundred years would make sums of times wrap. */
static const struct field clock_fields[] = {
	FIELD_RANGE(struct saved_clock, ns, 0, 1ull << 62),
	FIELD_END,
};

static bool out_clock(const struct machine_parts *parts, struct state_out *out, GError **error)
{
	state_put(out, "clock", 0, clock_fields, &(struct saved_clock){clock_ns(parts->clock)});
	return true;
}

static bool in_clock(const struct machine_parts *parts, struct state_in *in, GError **error)
{
	struct saved_clock saved;

	if (!state_get(in, "clock", 0, clock_fields, &saved, error))
		return false;
	clock_set(parts->clock, saved.ns);
	return true;
}

/* ---- processors ---- */

static bool out_backend(const struct machine_parts *parts, struct state_out *out, GError **error)
{
	return parts->backend->ops->save(parts->backend, out, error);
}

static bool in_backend(const struct machine_parts *parts, struct state_in *in, GError **error)
{
	return parts->backend->ops->load(parts->backend, in, error);
}

static const struct field cpuhp_fields[] = {
	FIELD(struct cpuhp_state, present),
	FIELD(struct cpuhp_state, insert),
	FIELD(struct cpuhp_state, remove),
	FIELD(struct cpuhp_state, selected),
	FIELD(struct cpuhp_state, event),
	FIELD_RANGE(struct cpuhp_state, ejected, 0, 0),
	FIELD(struct cpuhp_state, refused),
	FIELD_END,
};

/* Those that have come or gone since it was started. */
static bool out_presence(const struct machine_parts *parts, struct state_out *out, GError **error)
{
	cpuplug_settle(parts->cpuplug);
	g_mutex_lock(&parts->lock->mutex);
	state_put(out, "cpuhp", 0, cpuhp_fields, cpuhp_get_state(cpuplug_device(parts->cpuplug)));
	g_mutex_unlock(&parts->lock->mutex);
	return true;
}

static bool in_presence(const struct machine_parts *parts, struct state_in *in, GError **error)
{
	unsigned most = parts->config->vcpus_max;
	struct cpuhp_state saved;

	if (!state_get(in, "cpuhp", 0, cpuhp_fields, &saved, error))
		return false;
	if (!(saved.present & 1) || (most < 64 && saved.present >> most))
		return state_damaged("cpuhp", 0, "present", error);
	for (unsigned id = 1; id < most; id++) {
		bool is = cpus_present(parts->cpus, id), was = saved.present >> id & 1;

		if (is && !was)
			cpus_remove(parts->cpus, id);
		else if (was && !is && !cpus_add(parts->cpus, id, error))
			return false;
	}
	g_mutex_lock(&parts->lock->mutex);
	*cpuhp_get_state(cpuplug_device(parts->cpuplug)) = saved;
	g_mutex_unlock(&parts->lock->mutex);
	cpuplug_restored(parts->cpuplug);
	return true;
}

static bool out_cpus(const struct machine_parts *parts, struct state_out *out, GError **error)
{
	for (unsigned id = 0; id < parts->config->vcpus_max; id++) {
		struct vcpu *cpu = cpus_present(parts->cpus, id) ? cpus_get(parts->cpus, id) : NULL;

		if (cpu && !cpu->ops->save(cpu, out, error))
			return false;
	}
	return true;
}

static bool in_cpus(const struct machine_parts *parts, struct state_in *in, GError **error)
{
	for (unsigned id = 0; id < parts->config->vcpus_max; id++) {
		struct vcpu *cpu = cpus_present(parts->cpus, id) ? cpus_get(parts->cpus, id) : NULL;

		if (cpu && !cpu->ops->load(cpu, in, error))
			return false;
	}
	return true;
}

/* ---- chips and devices ---- */

static bool out_chips(const struct machine_parts *parts, struct state_out *out, GError **error)
{
	pm_save(parts->pm, out);
	rtc_save(parts->rtc, machine_wall_clock(parts->config), out);
	i8042_save(parts->i8042, out);
	for (unsigned i = 0; i < parts->config->serials->len; i++)
		serial_save(parts->serials[i], i, out);
	return true;
}

static bool in_chips(const struct machine_parts *parts, struct state_in *in, GError **error)
{
	if (!pm_load(parts->pm, in, error) ||
		!rtc_load(parts->rtc, machine_wall_clock(parts->config), in, error) ||
		!i8042_load(parts->i8042, in, error))
		return false;
	for (unsigned i = 0; i < parts->config->serials->len; i++)
		if (!serial_load(parts->serials[i], i, in, error))
			return false;
	return true;
}

static const struct field pcihp_fields[] = {
	FIELD(struct pcihp_state, up),
	FIELD(struct pcihp_state, down),
	FIELD_END,
};

static bool out_pci(const struct machine_parts *parts, struct state_out *out, GError **error)
{
	state_put(out, "pcihp", 0, pcihp_fields, pcihp_get_state(devices_hotplug(parts->devices)));
	pci_bus_save(parts->pci, out);
	return true;
}

static bool in_pci(const struct machine_parts *parts, struct state_in *in, GError **error)
{
	return state_get(in, "pcihp", 0, pcihp_fields,
		       pcihp_get_state(devices_hotplug(parts->devices)), error) &&
	       pci_bus_load(parts->pci, in, error);
}

/* All there is, in the order of loading: what else is there, what counts time, what takes
 * interrupts, what makes them, what has been set on them. */
static const struct part {
	bool (*out)(const struct machine_parts *parts, struct state_out *out, GError **error);
	bool (*in)(const struct machine_parts *parts, struct state_in *in, GError **error);
	bool locks; /* by itself; the others are called with the machine lock held */
} parts_table[] = {
	{out_presence, in_presence, .locks = true},
	{save_devices, load_devices, .locks = true},
	{out_clock, in_clock, .locks = false},
	{out_backend, in_backend, .locks = false},
	{out_cpus, in_cpus, .locks = false},
	{out_chips, in_chips, .locks = false},
	{out_pci, in_pci, .locks = false},
	{save_settings, load_settings, .locks = true},
};

static void set_lock(const struct machine_parts *parts, const struct part *part, bool held)
{
	if (!part->locks && held)
		g_mutex_lock(&parts->lock->mutex);
	else if (!part->locks)
		g_mutex_unlock(&parts->lock->mutex);
}

bool save_parts(const struct machine_parts *parts, struct state_out *out, GError **error)
{
	bool ok = true;

	put_identity(parts->config, out);
	put_blocks(parts->memory, out);
	for (size_t i = 0; ok && i < G_N_ELEMENTS(parts_table); i++) {
		set_lock(parts, &parts_table[i], true);
		ok = parts_table[i].out(parts, out, error);
		set_lock(parts, &parts_table[i], false);
	}
	return ok;
}

bool load_parts(const struct machine_parts *parts, struct state_in *in, GError **error)
{
	bool ok = true;

	for (size_t i = 0; ok && i < G_N_ELEMENTS(parts_table); i++) {
		set_lock(parts, &parts_table[i], true);
		ok = parts_table[i].in(parts, in, error);
		set_lock(parts, &parts_table[i], false);
	}
	return ok && state_in_finish(in, error);
}
