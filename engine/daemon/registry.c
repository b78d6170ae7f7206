// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/registry.h"

#include "engine/daemon/autostart.h"
#include "engine/daemon/cgroup.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/save.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define DEFINITION_MAX (1u << 20)

/* Named by what no other instance has. */
static struct cgroup *open_cgroup(const struct store *store)
{
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, store->run, -1);
	g_autofree char *name = g_strdup_printf("lodge-%.12s", sum);

	return cgroup_open(name);
}

struct registry *registry_new(const struct store *store, const struct settings *settings,
	const char *program, const struct registry_events *events, void *data)
{
	struct registry *registry = g_new0(struct registry, 1);

	registry->store = store;
	registry->settings = settings;
	registry->program = program;
	registry->events = events;
	registry->data = data;
	registry->guests = g_ptr_array_new_with_free_func((GDestroyNotify)guest_free);
	registry->by_uuid = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	registry->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	registry->cgroup = open_cgroup(store);
	return registry;
}

void registry_free(struct registry *registry)
{
	if (!registry)
		return;
	g_clear_pointer(&registry->autostart, autostart_free);
	cgroup_close(registry->cgroup);
	g_hash_table_unref(registry->by_uuid);
	g_hash_table_unref(registry->by_name);
	g_ptr_array_unref(registry->guests);
	g_free(registry);
}

int registry_next_id(struct registry *registry)
{
	return ++registry->last_id;
}

void registry_tell_event(
	struct registry *registry, const struct guest *guest, const struct guest_event *event)
{
	registry->events->guest(registry->data, guest, event);
}

void registry_tell(struct registry *registry, const struct guest *guest, int type, int detail)
{
	registry_tell_event(registry, guest,
		&(const struct guest_event){
			.id = VIR_DOMAIN_EVENT_ID_LIFECYCLE, .type = type, .detail = detail});
}

bool registry_is_busy(const struct registry *registry)
{
	for (guint i = 0; i < registry->guests->len; i++)
		if (guest_is_active(g_ptr_array_index(registry->guests, i)))
			return true;
	return registry->autostart != NULL;
}

/* ---- finding --------------------------------------------------------------------------------- */

struct guest *registry_find_uuid(struct registry *registry, const unsigned char uuid[16])
{
	char text[37];

	uuid_format(uuid, text);
	return g_hash_table_lookup(registry->by_uuid, text);
}

struct guest *registry_find_name(struct registry *registry, const char *name)
{
	return g_hash_table_lookup(registry->by_name, name);
}

struct guest *registry_find_id(struct registry *registry, int id)
{
	for (guint i = 0; i < registry->guests->len; i++) {
		struct guest *guest = g_ptr_array_index(registry->guests, i);

		if (guest->id == id && id >= 0)
			return guest;
	}
	return NULL;
}

struct guest *registry_find(
	struct registry *registry, const struct wire_domain *domain, GError **error)
{
	const unsigned char *uuid = (const unsigned char *)domain->uuid;
	struct guest *guest = registry_find_uuid(registry, uuid);
	char text[37];

	if (guest)
		return guest;
	uuid_format(uuid, text);
	fault_set(error, VIR_ERR_NO_DOMAIN, "no domain with matching uuid '%s' (%s)", text,
		domain->name);
	return NULL;
}

static void add(struct registry *registry, struct guest *guest)
{
	g_ptr_array_add(registry->guests, guest);
	g_hash_table_insert(registry->by_uuid, g_strdup(guest_definition(guest)->uuid), guest);
	g_hash_table_insert(registry->by_name, g_strdup(guest_name(guest)), guest);
}

/* Frees it. */
static void forget(struct registry *registry, struct guest *guest)
{
	g_hash_table_remove(registry->by_uuid, guest_definition(guest)->uuid);
	g_hash_table_remove(registry->by_name, guest_name(guest));
	g_ptr_array_remove(registry->guests, guest);
}

void registry_ended(struct registry *registry, struct guest *guest)
{
	if (!guest->saved)
		forget(registry, guest);
}

/* ---- saving ---------------------------------------------------------------------------------- */

static char *definition_path(const struct registry *registry, const char *uuid)
{
	return store_path(registry->store->definitions, uuid, ".xml");
}

bool registry_save(struct registry *registry, struct guest *guest, struct definition *definition,
	GError **error)
{
	g_autofree char *path = definition_path(registry, definition->uuid);

	if (!store_write(path, definition->xml, error)) {
		definition_free(definition);
		return false;
	}
	definition_free(guest->saved);
	guest->saved = definition;
	guest->updated = guest_is_active(guest);
	return true;
}

/* A name belongs to one UUID, and a UUID keeps its name. */
static bool check_conflict(
	struct registry *registry, const struct definition *definition, GError **error)
{
	const char *name = definition->config->name;
	struct guest *named = registry_find_name(registry, name);
	struct guest *known = registry_find_uuid(registry, definition->uuid_bytes);

	if (named && named != known)
		return fault_set(error, VIR_ERR_OPERATION_FAILED,
			"domain '%s' already exists with uuid %s", name,
			guest_definition(named)->uuid);
	if (known && strcmp(guest_name(known), name) != 0)
		return fault_set(error, VIR_ERR_OPERATION_FAILED,
			"domain '%s' is already defined with uuid %s", guest_name(known),
			definition->uuid);
	return true;
}

static struct definition *read_new(struct registry *registry, const char *text, GError **error)
{
	struct definition *definition = definition_read(text, error);
	g_autofree char *dropped = NULL;

	/* Of a guest that ran: its terminals will be others. */
	if (definition && strstr(definition->xml, "/dev/pts/")) {
		dropped = definition_inactive_xml(definition);
		definition_free(definition);
		definition = definition_read(dropped, error);
	}
	if (definition && !check_conflict(registry, definition, error))
		g_clear_pointer(&definition, definition_free);
	return definition;
}

struct guest *registry_define(struct registry *registry, const char *text, GError **error)
{
	struct definition *definition = read_new(registry, text, error);
	g_autofree char *path = NULL;
	struct guest *guest;
	bool is_new;

	if (!definition)
		return NULL;
	guest = registry_find_uuid(registry, definition->uuid_bytes);
	is_new = !guest || !guest->saved;
	if (guest) {
		if (!registry_save(registry, guest, definition, error))
			return NULL;
	} else {
		path = definition_path(registry, definition->uuid);
		if (!store_write(path, definition->xml, error)) {
			definition_free(definition);
			return NULL;
		}
		guest = guest_new(registry, definition, NULL);
		add(registry, guest);
	}
	registry_tell(registry, guest, VIR_DOMAIN_EVENT_DEFINED,
		is_new ? VIR_DOMAIN_EVENT_DEFINED_ADDED : VIR_DOMAIN_EVENT_DEFINED_UPDATED);
	return guest;
}

struct guest *registry_add_transient(struct registry *registry, const char *text, GError **error)
{
	struct definition *definition = read_new(registry, text, error);
	struct guest *guest;

	if (!definition)
		return NULL;
	guest = registry_find_uuid(registry, definition->uuid_bytes);
	if (guest && guest_is_active(guest)) {
		fault_set(error, VIR_ERR_OPERATION_INVALID, "domain '%s' is already active",
			guest_name(guest));
		definition_free(definition);
		return NULL;
	}
	if (guest) {
		guest->running = definition;
		return guest;
	}
	guest = guest_new(registry, NULL, definition);
	add(registry, guest);
	return guest;
}

bool registry_undefine(struct registry *registry, struct guest *guest, GError **error)
{
	g_autofree char *path = NULL, *mark = NULL;

	if (!guest->saved)
		return fault_set(
			error, VIR_ERR_OPERATION_INVALID, "cannot undefine transient domain");
	path = definition_path(registry, guest->saved->uuid);
	mark = store_path(registry->store->autostart, guest->saved->uuid, "");
	if (!store_remove(mark, error) || !store_remove(path, error))
		return false;
	guest->autostart = false;
	registry_tell(
		registry, guest, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_REMOVED);
	if (guest_is_active(guest))
		g_clear_pointer(&guest->saved, definition_free);
	else
		forget(registry, guest);
	return true;
}

bool registry_rename(
	struct registry *registry, struct guest *guest, const char *name, GError **error)
{
	g_autofree char *old = g_strdup(guest_name(guest));
	struct definition *definition;

	if (guest_is_active(guest))
		return fault_set(error, VIR_ERR_OPERATION_INVALID, "cannot rename active domain");
	if (!guest->saved)
		return fault_set(
			error, VIR_ERR_OPERATION_INVALID, "cannot rename a transient domain");
	if (save_is_managed(guest))
		return fault_set(error, VIR_ERR_OPERATION_INVALID,
			"domain with a managed saved state can't be renamed");
	if (strcmp(old, name) == 0)
		return fault_set(
			error, VIR_ERR_OPERATION_INVALID, "Can't rename domain to itself");
	if (registry_find_name(registry, name))
		return fault_set(error, VIR_ERR_OPERATION_INVALID,
			"domain with name '%s' already exists", name);
	definition = definition_with_name(guest->saved, name, error);
	if (!definition || !registry_save(registry, guest, definition, error))
		return false;
	g_hash_table_remove(registry->by_name, old);
	g_hash_table_insert(registry->by_name, g_strdup(name), guest);
	registry_tell_event(registry, guest,
		&(const struct guest_event){.id = VIR_DOMAIN_EVENT_ID_LIFECYCLE,
			.type = VIR_DOMAIN_EVENT_UNDEFINED,
			.detail = VIR_DOMAIN_EVENT_UNDEFINED_RENAMED,
			.text = old});
	registry_tell(registry, guest, VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_RENAMED);
	return true;
}

bool registry_set_autostart(
	struct registry *registry, struct guest *guest, bool autostart, GError **error)
{
	g_autofree char *mark = NULL;

	if (!guest->saved)
		return fault_set(error, VIR_ERR_OPERATION_INVALID,
			"cannot set autostart for transient domain");
	mark = store_path(registry->store->autostart, guest->saved->uuid, "");
	if (autostart ? !store_write(mark, "", error) : !store_remove(mark, error))
		return false;
	guest->autostart = autostart;
	return true;
}

/* ---- loading --------------------------------------------------------------------------------- */

G_GNUC_PRINTF(2, 3)
static void say(void (*report)(const char *sentence), const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *sentence = g_strdup_vprintf(format, args);
	va_end(args);
	report(sentence);
}

static struct definition *read_file(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	gsize length;

	if (!g_file_get_contents(path, &text, &length, error))
		return NULL;
	if (length > DEFINITION_MAX || strlen(text) != length) {
		fault_set(error, VIR_ERR_XML_ERROR, "this is not a definition");
		return NULL;
	}
	return definition_read(text, error);
}

static void load_definition(
	struct registry *registry, const char *name, void (*report)(const char *sentence))
{
	g_autofree char *path = store_path(registry->store->definitions, name, "");
	g_autofree char *mark = NULL;
	g_autoptr(GError) error = NULL;
	struct definition *definition = read_file(path, &error);
	struct guest *guest;

	if (!definition || !check_conflict(registry, definition, &error) ||
		!g_str_has_prefix(name, definition->uuid)) {
		say(report, "%s is left out: %s", path,
			error ? error->message : "the file is not named by the guest's UUID");
		definition_free(definition);
		return;
	}
	guest = guest_new(registry, definition, NULL);
	mark = store_path(registry->store->autostart, definition->uuid, "");
	guest->autostart = g_file_test(mark, G_FILE_TEST_EXISTS);
	add(registry, guest);
}

static void load_running(
	struct registry *registry, const char *name, void (*report)(const char *sentence))
{
	g_autofree char *folder = store_path(registry->store->run, name, "");
	g_autofree char *path = store_path(folder, "definition.xml", "");
	g_autoptr(GError) error = NULL;
	struct definition *definition = read_file(path, &error);
	struct guest *guest =
		definition ? registry_find_uuid(registry, definition->uuid_bytes) : NULL;

	/* A daemon was killed while it made the folder. */
	if (!definition && g_uuid_string_is_valid(name) && !monitor_runs_in(folder)) {
		store_remove_folder(folder);
		return;
	}
	if (!definition || definition->id < 0 || strcmp(name, definition->uuid) != 0) {
		say(report, "%s is left alone: %s", folder,
			error ? error->message : "no guest of ours");
		definition_free(definition);
		return;
	}
	if (guest) {
		guest->running = definition;
	} else {
		guest = guest_new(registry, NULL, definition);
		add(registry, guest);
	}
	registry->last_id = MAX(registry->last_id, definition->id);
	if (guest_adopt(guest))
		return;
	say(report, "guest '%s' has ended while no daemon ran", guest_name(guest));
	store_remove_folder(folder);
	if (guest->saved)
		g_clear_pointer(&guest->running, definition_free);
	else
		forget(registry, guest);
}

static void load_folder(struct registry *registry, const char *path, const char *suffix,
	void (*load)(
		struct registry *registry, const char *name, void (*report)(const char *sentence)),
	void (*report)(const char *sentence))
{
	GDir *folder = g_dir_open(path, 0, NULL);
	const char *name;

	while (folder && (name = g_dir_read_name(folder)))
		if (g_str_has_suffix(name, suffix))
			load(registry, name, report);
	g_clear_pointer(&folder, g_dir_close);
}

/* Once for each boot of the host: a guest that was ended since then stays so. */
static void start_marked(struct registry *registry)
{
	g_autofree char *run = g_path_get_dirname(registry->store->run);
	g_autofree char *path = store_path(run, "autostarted", "");
	g_autofree char *boot = NULL, *done = NULL;

	if (g_file_get_contents("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL) &&
		g_file_get_contents(path, &done, NULL, NULL) && strcmp(boot, done) == 0)
		return;
	if (boot)
		store_write(path, boot, NULL);
	autostart_begin(registry);
}

void registry_load(struct registry *registry, void (*report)(const char *sentence))
{
	load_folder(registry, registry->store->definitions, ".xml", load_definition, report);
	load_folder(registry, registry->store->run, "", load_running, report);
	start_marked(registry);
}
