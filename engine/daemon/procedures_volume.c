// SPDX-License-Identifier: GPL-3.0-or-later
/* Volumes of storage pools. What may take long is done by a thread. */
#include "engine/daemon/fault.h"
#include "engine/daemon/files.h"
#include "engine/daemon/policy.h"
#include "engine/daemon/procedure.h"
#include "engine/daemon/procedures_pool.h"
#include "engine/daemon/qemu_img.h"
#include "engine/daemon/transfer.h"
#include "engine/daemon/volume.h"
#include "engine/daemon/work.h"

#include <errno.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct pool *active_pool(const struct call *call, GError **error)
{
	struct pool *pool = procedure_pool(call, error);

	return pool && pool_check_active(pool, error) ? pool : NULL;
}

/* The volume that a client means, and its pool. */
static struct volume *find(const struct call *call, const struct wire_volume *wire,
	struct pool **found, GError **error)
{
	struct pool *pool = pools_find_name(call->server->pools, wire->pool);

	if (!pool)
		fault_set(error, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching name '%s'",
			wire->pool);
	if (!pool || !pool_check_active(pool, error))
		return NULL;
	if (found)
		*found = pool;
	return volume_find(pool->path, wire->name, error);
}

/* All arguments that name a volume first begin with it. */
static struct volume *find_arg(const struct call *call, struct pool **pool, GError **error)
{
	return find(call, call->args, pool, error);
}

static struct wire_volume to_wire(const struct pool *pool, const char *name)
{
	return (struct wire_volume){
		.pool = g_strdup(pool->name),
		.name = g_strdup(name),
		.key = g_build_filename(pool->path, name, NULL),
	};
}

static bool return_volume(struct call *call, const struct pool *pool, const char *name)
{
	((struct wire_volume_ret *)call->ret)->volume = to_wire(pool, name);
	return true;
}

/* ---- finding --------------------------------------------------------------------------------- */

static bool do_count(struct call *call, GError **error)
{
	const struct pool *pool = active_pool(call, error);
	g_autoptr(GPtrArray) list = pool ? volume_list(pool->path) : NULL;

	if (!pool)
		return false;
	((struct wire_int_ret *)call->ret)->value = (int)list->len;
	return true;
}

static bool do_list(struct call *call, GError **error)
{
	const struct wire_pool_int_args *args = call->args;
	struct wire_names_ret *ret = call->ret;
	const struct pool *pool = active_pool(call, error);
	g_autoptr(GPtrArray) list = pool ? volume_list(pool->path) : NULL;

	if (!pool)
		return false;
	ret->names.names_val = calloc(list->len + 1, sizeof(char *));
	for (guint i = 0; i < list->len && (int)ret->names.names_len < args->value; i++) {
		const struct volume *volume = g_ptr_array_index(list, i);

		ret->names.names_val[ret->names.names_len++] = g_strdup(volume->name);
	}
	return true;
}

static bool do_list_all(struct call *call, GError **error)
{
	const struct wire_pool_list_args *args = call->args;
	struct wire_volumes_ret *ret = call->ret;
	const struct pool *pool = active_pool(call, error);
	g_autoptr(GPtrArray) list = pool ? volume_list(pool->path) : NULL;

	if (!pool || !procedure_check_flags(args->flags, 0, error))
		return false;
	ret->volumes.volumes_val = calloc(list->len + 1, sizeof(*ret->volumes.volumes_val));
	ret->count = list->len;
	for (guint i = 0; args->need_results && i < list->len; i++)
		ret->volumes.volumes_val[ret->volumes.volumes_len++] =
			to_wire(pool, ((const struct volume *)g_ptr_array_index(list, i))->name);
	return true;
}

static bool do_lookup_name(struct call *call, GError **error)
{
	const char *name = ((const struct wire_pool_text_args *)call->args)->text;
	const struct pool *pool = active_pool(call, error);
	struct volume *volume = pool ? volume_find(pool->path, name, error) : NULL;

	if (!volume)
		return false;
	volume_free(volume);
	return return_volume(call, pool, name);
}

static bool lookup_path(struct call *call, const char *what, GError **error)
{
	const char *path = ((const struct wire_text_args *)call->args)->text;
	g_autofree char *folder = g_path_get_dirname(path), *name = g_path_get_basename(path);
	const struct pool *pool = pools_find_path(call->server->pools, folder);
	struct volume *volume = pool ? volume_find(pool->path, name, NULL) : NULL;

	if (!volume || *path != '/') {
		volume_free(volume);
		return fault_set(error, VIR_ERR_NO_STORAGE_VOL,
			"no storage vol with matching %s '%s'", what, path);
	}
	volume_free(volume);
	return return_volume(call, pool, name);
}

static bool do_lookup_key(struct call *call, GError **error)
{
	return lookup_path(call, "key", error);
}

static bool do_lookup_path(struct call *call, GError **error)
{
	return lookup_path(call, "path", error);
}

/* ---- facts ----------------------------------------------------------------------------------- */

static bool return_info(struct call *call, unsigned flags, GError **error)
{
	struct wire_volume_info_ret *ret = call->ret;
	struct volume *volume = find_arg(call, NULL, error);

	if (!volume)
		return false;
	ret->type = (char)volume->type;
	ret->capacity = volume->capacity;
	ret->allocation =
		flags & VIR_STORAGE_VOL_GET_PHYSICAL ? volume->physical : volume->allocation;
	volume_free(volume);
	return true;
}

static bool do_get_info(struct call *call, GError **error)
{
	return return_info(call, 0, error);
}

static bool do_get_info_flags(struct call *call, GError **error)
{
	unsigned flags = ((const struct wire_volume_flags_args *)call->args)->flags;

	return procedure_check_flags(flags, VIR_STORAGE_VOL_GET_PHYSICAL, error) &&
	       return_info(call, flags, error);
}

static bool do_get_xml(struct call *call, GError **error)
{
	const struct wire_volume_flags_args *args = call->args;
	struct volume *volume = find_arg(call, NULL, error);
	bool ok = volume && procedure_check_flags(args->flags, 0, error) &&
		  procedure_return_text(call, volume_print(volume));

	volume_free(volume);
	return ok;
}

static bool do_get_path(struct call *call, GError **error)
{
	struct volume *volume = find_arg(call, NULL, error);
	bool ok = volume && procedure_return_text(call, g_strdup(volume->path));

	volume_free(volume);
	return ok;
}

/* ---- what takes long ------------------------------------------------------------------------- */

/* A call that a thread works at, with all that it needs. */
struct job {
	struct call *call;
	struct server *server;
	char *uuid; /* of the pool, which may go meanwhile */
	char *path; /* its folder */
	struct volume_wish wish;
	struct volume *volume; /* the source of a copy, or what is changed */
	uint64_t capacity;
	bool allocate;
};

static struct job *job_new(struct call *call, const struct pool *pool)
{
	struct job *job = g_new0(struct job, 1);

	job->call = call;
	job->server = call->server;
	job->uuid = g_strdup(pool->uuid);
	job->path = g_strdup(pool->path);
	return job;
}

static void job_free(struct job *job)
{
	volume_wish_clear(&job->wish);
	volume_free(job->volume);
	g_free(job->uuid);
	g_free(job->path);
	g_free(job);
}

static void refresh(struct server *server, const char *uuid)
{
	const struct pool *pool = pools_find(server->pools, uuid, NULL, NULL);

	if (pool && pool->active)
		procedure_tell_refresh(server, pool);
}

static void job_done(void *data, const GError *error)
{
	struct job *job = data;

	if (!error)
		refresh(job->server, job->uuid);
	call_done(job->call, error);
	job_free(job);
}

static bool run_create(void *data, GError **error)
{
	const struct job *job = data;

	return volume_create(job->path, &job->wish, job->volume, error);
}

static bool run_resize(void *data, GError **error)
{
	const struct job *job = data;

	return volume_resize(job->volume, job->capacity, job->allocate, error);
}

static bool run_wipe(void *data, GError **error)
{
	return volume_wipe(((const struct job *)data)->volume, error);
}

/* For a copy, libvirt has other words. */
static bool check_free_name(const struct job *job, GError **error)
{
	struct volume *other = volume_find(job->path, job->wish.name, NULL);

	volume_free(other);
	return !other || fault_set(error, VIR_ERR_INTERNAL_ERROR,
				 "storage volume name '%s' already in use.", job->wish.name);
}

/* The chain that a source stands on is judged here, and no other is followed. */
static bool find_source(struct job *job, GError **error)
{
	const struct volume *source = job->volume;
	struct config_disk disk = {
		.path = source->path,
		.format = source->qcow2 ? "qcow2" : NULL,
		.readonly = true,
	};
	g_autoptr(GPtrArray) files = files_new();
	bool ok = files_add_disk(files, job->server->pools->settings, &disk, error);

	if (ok)
		job->wish.source = qemu_img_source(&disk);
	job->wish.source_capacity = source->capacity;
	g_clear_pointer(&disk.backing, g_ptr_array_unref);
	return ok;
}

static bool complete_wish(struct job *job, unsigned flags, GError **error)
{
	const struct settings *settings = job->server->pools->settings;
	struct volume_wish *wish = &job->wish;

	/* A copy stands on nothing. */
	if (job->volume)
		g_clear_pointer(&wish->backing, g_free);
	wish->preallocate = flags & VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA;
	if (wish->preallocate && !wish->qcow2)
		return fault_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
			"metadata preallocation is not supported for raw volumes");
	if (wish->backing && !policy_check_path(settings, wish->backing, error))
		return false;
	if (wish->backing && access(wish->backing, R_OK) < 0)
		return fault_set(error, VIR_ERR_SYSTEM_ERROR,
			"inaccessible backing store volume %s: %s", wish->backing,
			g_strerror(errno));
	return !job->volume || (!wish->qcow2 && !job->volume->qcow2) || find_source(job, error);
}

/* Takes volume, which may be NULL. */
static void create(struct call *call, const struct pool *pool, const char *xml, unsigned flags,
	struct volume *volume)
{
	g_autoptr(GError) error = NULL;
	struct job *job = job_new(call, pool);

	job->volume = volume;
	if (!procedure_check_flags(flags,
		    VIR_STORAGE_VOL_CREATE_VALIDATE | VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA,
		    &error) ||
		!volume_parse(xml, &job->wish, &error) ||
		(volume && !check_free_name(job, &error)) ||
		!complete_wish(job, flags, &error)) {
		call_done(call, error);
		job_free(job);
		return;
	}
	return_volume(call, pool, job->wish.name);
	work_begin(run_create, job_done, job);
}

static void do_create(struct call *call)
{
	const struct wire_pool_text_flags_args *args = call->args;
	g_autoptr(GError) error = NULL;
	const struct pool *pool = active_pool(call, &error);

	if (pool)
		create(call, pool, args->text, args->flags, NULL);
	else
		call_done(call, error);
}

static void do_create_from(struct call *call)
{
	const struct wire_clone_args *args = call->args;
	g_autoptr(GError) error = NULL;
	const struct pool *pool = active_pool(call, &error);
	struct volume *source = pool ? find(call, &args->volume, NULL, &error) : NULL;

	if (source && source->type != VIR_STORAGE_VOL_FILE)
		fault_set(&error, VIR_ERR_OPERATION_UNSUPPORTED, "volume '%s' is not a file",
			source->name);
	if (!error) {
		create(call, pool, args->text, args->flags, source);
		return;
	}
	volume_free(source);
	call_done(call, error);
}

/* As libvirt counts: what is asked for is the new size, or the difference. */
static bool find_capacity(const struct volume *volume, uint64_t asked, unsigned flags,
	uint64_t *capacity, GError **error)
{
	bool shrink = flags & VIR_STORAGE_VOL_RESIZE_SHRINK;

	*capacity = asked;
	if (volume->type != VIR_STORAGE_VOL_FILE)
		return fault_set(error, VIR_ERR_OPERATION_UNSUPPORTED, "only files can be resized");
	if (volume->qcow2 && flags & VIR_STORAGE_VOL_RESIZE_ALLOCATE)
		return fault_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
			"preallocate is only supported for raw type volume");
	if (flags & VIR_STORAGE_VOL_RESIZE_DELTA) {
		if (shrink ? asked > volume->capacity : asked > G_MAXINT64 - volume->capacity)
			return fault_set(error, VIR_ERR_INVALID_ARG, "the new capacity cannot be");
		*capacity = shrink ? volume->capacity - asked : volume->capacity + asked;
	}
	if (*capacity > G_MAXINT64)
		return fault_set(error, VIR_ERR_INVALID_ARG, "the new capacity cannot be");
	if (*capacity < volume->allocation)
		return fault_set(error, VIR_ERR_INVALID_ARG,
			"can't shrink capacity below existing allocation");
	if (*capacity < volume->capacity && !shrink)
		return fault_set(error, VIR_ERR_INVALID_ARG,
			"Can't shrink capacity below current capacity unless shrink flag "
			"explicitly specified");
	return true;
}

static void do_resize(struct call *call)
{
	const struct wire_volume_number_flags_args *args = call->args;
	g_autoptr(GError) error = NULL;
	struct pool *pool;
	struct volume *volume = find_arg(call, &pool, &error);
	uint64_t capacity;
	struct job *job;

	if (!volume ||
		!procedure_check_flags(args->flags,
			VIR_STORAGE_VOL_RESIZE_ALLOCATE | VIR_STORAGE_VOL_RESIZE_DELTA |
				VIR_STORAGE_VOL_RESIZE_SHRINK,
			&error) ||
		!find_capacity(volume, args->value, args->flags, &capacity, &error)) {
		volume_free(volume);
		call_done(call, error);
		return;
	}
	job = job_new(call, pool);
	job->volume = volume;
	job->capacity = capacity;
	job->allocate = args->flags & VIR_STORAGE_VOL_RESIZE_ALLOCATE;
	work_begin(run_resize, job_done, job);
}

static void wipe(struct call *call, unsigned algorithm, unsigned flags)
{
	g_autoptr(GError) error = NULL;
	struct pool *pool;
	struct volume *volume = find_arg(call, &pool, &error);
	struct job *job;

	if (algorithm != VIR_STORAGE_VOL_WIPE_ALG_ZERO && !error)
		fault_set(&error, VIR_ERR_OPERATION_UNSUPPORTED,
			"a volume can only be wiped with zeros");
	if (error || !procedure_check_flags(flags, 0, &error)) {
		volume_free(volume);
		call_done(call, error);
		return;
	}
	job = job_new(call, pool);
	job->volume = volume;
	work_begin(run_wipe, job_done, job);
}

static void do_wipe(struct call *call)
{
	wipe(call, VIR_STORAGE_VOL_WIPE_ALG_ZERO,
		((const struct wire_volume_flags_args *)call->args)->flags);
}

static void do_wipe_pattern(struct call *call)
{
	const struct wire_volume_count_flags_args *args = call->args;

	wipe(call, args->count, args->flags);
}

static bool do_delete(struct call *call, GError **error)
{
	const struct wire_volume_flags_args *args = call->args;
	struct pool *pool;
	struct volume *volume = find_arg(call, &pool, error);
	bool ok = volume && procedure_check_flags(args->flags, 0, error) &&
		  volume_delete(volume, error);

	volume_free(volume);
	if (ok)
		procedure_tell_refresh(call->server, pool);
	return ok;
}

/* ---- streams --------------------------------------------------------------------------------- */

struct upload {
	struct server *server;
	char *uuid; /* of the pool */
};

static void upload_free(void *data)
{
	struct upload *upload = data;

	g_free(upload->uuid);
	g_free(upload);
}

static void upload_done(void *data)
{
	const struct upload *upload = data;

	refresh(upload->server, upload->uuid);
}

static void transfer(struct call *call, bool is_upload)
{
	const struct wire_transfer_args *args = call->args;
	g_autoptr(GError) error = NULL;
	struct pool *pool;
	struct volume *volume = find_arg(call, &pool, &error);
	struct upload *upload;
	int fd = -1;

	if (volume && procedure_check_flags(args->flags, 0, &error) &&
		(args->offset > G_MAXINT64 || args->length > G_MAXINT64))
		fault_set(&error, VIR_ERR_INVALID_ARG, "offset or length cannot be");
	if (volume && !error)
		fd = volume_open(volume, is_upload ? O_RDWR : O_RDONLY, &error);
	volume_free(volume);
	if (!error) {
		upload = g_new0(struct upload, 1);
		upload->server = call->server;
		upload->uuid = g_strdup(pool->uuid);
		if (!transfer_begin(call, fd, args->offset, args->length, is_upload,
			    is_upload ? upload_done : NULL, upload, upload_free))
			fault_set(&error, VIR_ERR_OPERATION_FAILED, "too many streams are open");
	}
	call_done(call, error);
}

static void do_upload(struct call *call)
{
	transfer(call, true);
}

static void do_download(struct call *call)
{
	transfer(call, false);
}

#define F(name) PACKET_FORMAT(wire_##name)
#define WRITES PROCEDURE_WRITES

const struct procedure procedures_volume[] = {
	{91, "virStoragePoolNumOfVolumes", F(pool_args), F(int_ret), 0, do_count, NULL},
	{92, "virStoragePoolListVolumes", F(pool_int_args), F(names_ret), 0, do_list, NULL},
	{93, "virStorageVolCreateXML", F(pool_text_flags_args), F(volume_ret), WRITES, NULL,
		do_create},
	{94, "virStorageVolDelete", F(volume_flags_args), NULL, WRITES, do_delete, NULL},
	{95, "virStorageVolLookupByName", F(pool_text_args), F(volume_ret), 0, do_lookup_name,
		NULL},
	{96, "virStorageVolLookupByKey", F(text_args), F(volume_ret), 0, do_lookup_key, NULL},
	{97, "virStorageVolLookupByPath", F(text_args), F(volume_ret), 0, do_lookup_path, NULL},
	{98, "virStorageVolGetInfo", F(volume_args), F(volume_info_ret), 0, do_get_info, NULL},
	{99, "virStorageVolGetXMLDesc", F(volume_flags_args), F(text_ret), 0, do_get_xml, NULL},
	{100, "virStorageVolGetPath", F(volume_args), F(text_ret), 0, do_get_path, NULL},
	{125, "virStorageVolCreateXMLFrom", F(clone_args), F(volume_ret), WRITES, NULL,
		do_create_from},
	{165, "virStorageVolWipe", F(volume_flags_args), NULL, WRITES, NULL, do_wipe},
	{208, "virStorageVolUpload", F(transfer_args), NULL, WRITES, NULL, do_upload},
	{209, "virStorageVolDownload", F(transfer_args), NULL, WRITES, NULL, do_download},
	{259, "virStorageVolWipePattern", F(volume_count_flags_args), NULL, WRITES, NULL,
		do_wipe_pattern},
	{260, "virStorageVolResize", F(volume_number_flags_args), NULL, WRITES, NULL, do_resize},
	{282, "virStoragePoolListAllVolumes", F(pool_list_args), F(volumes_ret), 0, do_list_all,
		NULL},
	{378, "virStorageVolGetInfoFlags", F(volume_flags_args), F(volume_info_ret), 0,
		do_get_info_flags, NULL},
	{0, NULL, NULL, NULL, 0, NULL, NULL},
};
