// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/pool.h"

#include "engine/daemon/fault.h"
#include "engine/daemon/policy.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* As libvirt's: one can go to what is in it, by its name. */
#define MODE 0711

struct pools *pools_new(const struct store *store, const struct settings *settings)
{
	struct pools *pools = g_new0(struct pools, 1);

	pools->store = store;
	pools->settings = settings;
	pools->list = g_ptr_array_new_with_free_func((GDestroyNotify)pool_free);
	return pools;
}

void pools_free(struct pools *pools)
{
	if (!pools)
		return;
	g_ptr_array_unref(pools->list);
	g_free(pools);
}

/* ---- finding --------------------------------------------------------------------------------- */

struct pool *pools_find_name(const struct pools *pools, const char *name)
{
	for (guint i = 0; i < pools->list->len; i++) {
		struct pool *pool = g_ptr_array_index(pools->list, i);

		if (strcmp(pool->name, name) == 0)
			return pool;
	}
	return NULL;
}

static struct pool *find_uuid(const struct pools *pools, const char *uuid)
{
	for (guint i = 0; i < pools->list->len; i++) {
		struct pool *pool = g_ptr_array_index(pools->list, i);

		if (strcmp(pool->uuid, uuid) == 0)
			return pool;
	}
	return NULL;
}

struct pool *pools_find(
	const struct pools *pools, const char *uuid, const char *name, GError **error)
{
	struct pool *pool = find_uuid(pools, uuid);

	if (pool)
		return pool;
	if (name)
		fault_set(error, VIR_ERR_NO_STORAGE_POOL,
			"no storage pool with matching uuid '%s' (%s)", uuid, name);
	else
		fault_set(error, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching uuid '%s'",
			uuid);
	return NULL;
}

struct pool *pools_find_path(const struct pools *pools, const char *path)
{
	g_autofree char *full = g_canonicalize_filename(path, "/");

	for (guint i = 0; i < pools->list->len; i++) {
		struct pool *pool = g_ptr_array_index(pools->list, i);

		if (pool->active && strcmp(pool->path, full) == 0)
			return pool;
	}
	return NULL;
}

bool pool_check_active(const struct pool *pool, GError **error)
{
	return pool->active || fault_set(error, VIR_ERR_OPERATION_INVALID,
				       "storage pool '%s' is not active", pool->name);
}

static bool check_inactive(const struct pool *pool, GError **error)
{
	return !pool->active || fault_set(error, VIR_ERR_OPERATION_INVALID,
					"storage pool '%s' is still active", pool->name);
}

/* ---- defining -------------------------------------------------------------------------------- */

static bool check_conflict(const struct pools *pools, const struct pool *pool, GError **error)
{
	const struct pool *named = pools_find_name(pools, pool->name);
	const struct pool *known = find_uuid(pools, pool->uuid);

	if (named && named != known)
		return fault_set(error, VIR_ERR_OPERATION_FAILED,
			"pool '%s' already exists with uuid %s", pool->name, named->uuid);
	if (known && named != known)
		return fault_set(error, VIR_ERR_OPERATION_FAILED,
			"pool '%s' is already defined with uuid %s", known->name, pool->uuid);
	for (guint i = 0; i < pools->list->len; i++) {
		const struct pool *other = g_ptr_array_index(pools->list, i);

		if (other != known && strcmp(other->path, pool->path) == 0)
			return fault_set(error, VIR_ERR_OPERATION_FAILED,
				"Storage source conflict with pool: '%s'", other->name);
	}
	return true;
}

static struct pool *parse(const struct pools *pools, const char *xml, GError **error)
{
	struct pool *pool = pool_parse(xml, error);

	if (pool && (!policy_check_path(pools->settings, pool->path, error) ||
			    !check_conflict(pools, pool, error)))
		g_clear_pointer(&pool, pool_free);
	return pool;
}

static bool write_pool(const char *folder, const struct pool *pool, GError **error)
{
	g_autofree char *path = store_path(folder, pool->uuid, ".xml");
	g_autofree char *xml = pool_print(pool, true);

	return store_write(path, xml, error);
}

static bool remove_file(
	const char *folder, const struct pool *pool, const char *suffix, GError **error)
{
	g_autofree char *path = store_path(folder, pool->uuid, suffix);

	return store_remove(path, error);
}

/* Takes what is new; the pool stays the same one. */
static void replace(struct pool *known, struct pool *pool)
{
	/* A folder is not changed under those who use it. */
	if (!known->active) {
		g_free(known->path);
		known->path = g_steal_pointer(&pool->path);
	}
	known->mode = pool->mode;
	known->user = pool->user;
	known->group = pool->group;
	known->persistent = true;
	pool_free(pool);
}

struct pool *pools_define(struct pools *pools, const char *xml, GError **error)
{
	struct pool *pool = parse(pools, xml, error), *known;

	if (!pool || !write_pool(pools->store->pools, pool, error)) {
		pool_free(pool);
		return NULL;
	}
	known = find_uuid(pools, pool->uuid);
	if (known) {
		replace(known, pool);
		return known;
	}
	pool->persistent = true;
	g_ptr_array_add(pools->list, pool);
	return pool;
}

struct pool *pools_add_transient(struct pools *pools, const char *xml, GError **error)
{
	struct pool *pool = parse(pools, xml, error), *known;

	if (!pool)
		return NULL;
	known = find_uuid(pools, pool->uuid);
	if (!known) {
		g_ptr_array_add(pools->list, pool);
		return pool;
	}
	pool_free(pool);
	if (!known->active)
		return known;
	fault_set(error, VIR_ERR_OPERATION_FAILED, "pool is already active as '%s'", known->name);
	return NULL;
}

bool pools_undefine(struct pools *pools, struct pool *pool, GError **error)
{
	if (!check_inactive(pool, error) ||
		!remove_file(pools->store->pools, pool, ".autostart", error) ||
		!remove_file(pools->store->pools, pool, ".xml", error))
		return false;
	g_ptr_array_remove(pools->list, pool);
	return true;
}

bool pool_set_autostart(
	const struct pools *pools, struct pool *pool, bool autostart, GError **error)
{
	g_autofree char *mark = store_path(pools->store->pools, pool->uuid, ".autostart");

	if (!pool->persistent)
		return fault_set(error, VIR_ERR_INTERNAL_ERROR, "pool has no config file");
	if (autostart ? !store_write(mark, "", error) : !store_remove(mark, error))
		return false;
	pool->autostart = autostart;
	return true;
}

/* ---- life ------------------------------------------------------------------------------------ */

bool pool_start(const struct pools *pools, struct pool *pool, GError **error)
{
	GDir *folder;

	if (pool->active)
		return fault_set(error, VIR_ERR_OPERATION_INVALID,
			"storage pool '%s' is already active", pool->name);
	if (!policy_check_path(pools->settings, pool->path, error))
		return false;
	folder = g_dir_open(pool->path, 0, NULL);
	if (!folder)
		return fault_set(error, VIR_ERR_SYSTEM_ERROR, "cannot open directory '%s': %s",
			pool->path, g_strerror(errno));
	g_dir_close(folder);
	if (!write_pool(pools->store->running_pools, pool, error))
		return false;
	pool->active = true;
	return true;
}

bool pool_stop(struct pools *pools, struct pool *pool, GError **error)
{
	if (!pool_check_active(pool, error) ||
		!remove_file(pools->store->running_pools, pool, ".xml", error))
		return false;
	pool->active = false;
	if (!pool->persistent)
		g_ptr_array_remove(pools->list, pool);
	return true;
}

bool pool_build(const struct pool *pool, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(pool->path);
	mode_t mode = pool->mode >= 0 ? (mode_t)pool->mode : MODE;

	if (pool->active)
		return fault_set(error, VIR_ERR_OPERATION_INVALID,
			"storage pool '%s' is already active", pool->name);
	if (g_mkdir_with_parents(parent, 0755) < 0 ||
		(g_mkdir(pool->path, mode) < 0 && errno != EEXIST) || chmod(pool->path, mode) < 0)
		return fault_set(error, VIR_ERR_SYSTEM_ERROR, "failed to create directory '%s': %s",
			pool->path, g_strerror(errno));
	if ((pool->user >= 0 || pool->group >= 0) &&
		chown(pool->path, (uid_t)pool->user, (gid_t)pool->group) < 0)
		return fault_set(error, VIR_ERR_SYSTEM_ERROR, "cannot give '%s' its owner: %s",
			pool->path, g_strerror(errno));
	return true;
}

bool pool_delete(const struct pool *pool, GError **error)
{
	return check_inactive(pool, error) &&
	       (g_rmdir(pool->path) == 0 ||
		       fault_set(error, VIR_ERR_SYSTEM_ERROR, "failed to remove pool '%s': %s",
			       pool->path, g_strerror(errno)));
}

void pool_measure(const struct pool *pool, struct pool_space *space)
{
	struct statvfs info;

	memset(space, 0, sizeof(*space));
	if (!pool->active || statvfs(pool->path, &info) < 0)
		return;
	space->capacity = (uint64_t)info.f_blocks * info.f_frsize;
	space->available = (uint64_t)info.f_bfree * info.f_frsize;
	space->allocation = space->capacity - space->available;
}

/* ---- loading --------------------------------------------------------------------------------- */

static struct pool *load_file(
	const char *folder, const char *name, void (*report)(const char *sentence))
{
	g_autofree char *path = store_path(folder, name, "");
	g_autofree char *xml = NULL, *sentence = NULL;
	g_autoptr(GError) error = NULL;
	struct pool *pool = NULL;

	if (g_file_get_contents(path, &xml, NULL, &error))
		pool = pool_parse(xml, &error);
	if (pool && g_str_has_prefix(name, pool->uuid))
		return pool;
	sentence = g_strdup_printf("%s is left out: %s", path,
		error ? error->message : "the file is not named by the pool's UUID");
	report(sentence);
	pool_free(pool);
	return NULL;
}

/* A saved one, or one that runs. */
static void take(struct pools *pools, struct pool *pool, bool active)
{
	struct pool *known = find_uuid(pools, pool->uuid);
	g_autofree char *mark = store_path(pools->store->pools, pool->uuid, ".autostart");

	if (known && active) {
		g_free(known->path);
		known->path = g_steal_pointer(&pool->path);
		known->active = true;
	}
	if (known || check_conflict(pools, pool, NULL) == false) {
		pool_free(pool);
		return;
	}
	pool->active = active;
	pool->persistent = !active;
	pool->autostart = !active && g_file_test(mark, G_FILE_TEST_EXISTS);
	g_ptr_array_add(pools->list, pool);
}

static void load_folder(
	struct pools *pools, const char *path, bool active, void (*report)(const char *sentence))
{
	GDir *folder = g_dir_open(path, 0, NULL);
	const char *name;

	while (folder && (name = g_dir_read_name(folder))) {
		struct pool *pool =
			g_str_has_suffix(name, ".xml") ? load_file(path, name, report) : NULL;

		if (pool)
			take(pools, pool, active);
	}
	g_clear_pointer(&folder, g_dir_close);
}

/* Once: who does not want it takes it away for good. */
static void make_default(struct pools *pools)
{
	g_autofree char *mark = store_path(pools->store->pools, "default", ".made");
	g_autofree char *path = g_markup_escape_text(pools->store->images, -1);
	g_autofree char *xml = g_strdup_printf("<pool type='dir'><name>default</name>"
					       "<target><path>%s</path></target></pool>",
		path);
	struct pool *pool;

	if (g_file_test(mark, G_FILE_TEST_EXISTS) || pools_find_name(pools, "default"))
		return;
	pool = pools_define(pools, xml, NULL);
	if (pool && pool_build(pool, NULL) && pool_set_autostart(pools, pool, true, NULL))
		store_write(mark, "", NULL);
}

void pools_load(struct pools *pools, void (*report)(const char *sentence))
{
	load_folder(pools, pools->store->pools, false, report);
	load_folder(pools, pools->store->running_pools, true, report);
	make_default(pools);
	for (guint i = 0; i < pools->list->len; i++) {
		struct pool *pool = g_ptr_array_index(pools->list, i);
		g_autoptr(GError) error = NULL;
		g_autofree char *sentence = NULL;

		if (!pool->autostart || pool->active || pool_start(pools, pool, &error))
			continue;
		sentence = g_strdup_printf(
			"storage pool '%s' was not started: %s", pool->name, error->message);
		report(sentence);
	}
}
