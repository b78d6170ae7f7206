// SPDX-License-Identifier: GPL-3.0-or-later
/* Storage pools. */
#include "engine/daemon/events.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/procedure.h"
#include "engine/daemon/procedures_pool.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>

static struct pools *pools_of(const struct call *call)
{
	return call->server->pools;
}

struct pool *procedure_pool(const struct call *call, GError **error)
{
	/* All arguments that name a pool begin with it. */
	const struct wire_pool *wire = call->args;
	char uuid[37];

	uuid_format((const unsigned char *)wire->uuid, uuid);
	return pools_find(pools_of(call), uuid, wire->name, error);
}

struct wire_pool procedure_wire_pool(const struct pool *pool)
{
	struct wire_pool wire = {.name = g_strdup(pool->name)};

	memcpy(wire.uuid, pool->uuid_bytes, sizeof(wire.uuid));
	return wire;
}

static void tell(const struct call *call, const struct pool *pool, int event)
{
	struct wire_pool wire = {.name = pool->name};

	memcpy(wire.uuid, pool->uuid_bytes, sizeof(wire.uuid));
	event_tell_pool(call->server, &wire, pool->uuid, event);
}

void procedure_tell_refresh(struct server *server, const struct pool *pool)
{
	struct wire_pool wire = {.name = pool->name};

	memcpy(wire.uuid, pool->uuid_bytes, sizeof(wire.uuid));
	event_tell_refresh(server, &wire, pool->uuid);
}

static bool return_pool(struct call *call, const struct pool *pool)
{
	((struct wire_pool_ret *)call->ret)->pool = procedure_wire_pool(pool);
	return true;
}

/* What was looked for by what; pool NULL: it is not there. */
static bool return_found(struct call *call, const struct pool *pool, const char *what,
	const char *value, GError **error)
{
	return pool ? return_pool(call, pool)
		    : fault_set(error, VIR_ERR_NO_STORAGE_POOL,
			      "no storage pool with matching %s '%s'", what, value);
}

/* ---- finding --------------------------------------------------------------------------------- */

static bool one_of(unsigned flags, unsigned yes, unsigned no, bool is)
{
	return !(flags & (yes | no)) || (flags & (is ? yes : no));
}

static bool is_listed(const struct pool *pool, unsigned flags)
{
	const unsigned types = VIR_CONNECT_LIST_STORAGE_POOLS_DIR |
			       (~0u << 7); /* the flags of all types: DIR is the first */

	return one_of(flags, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE,
		       VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE, pool->active) &&
	       one_of(flags, VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT,
		       VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT, pool->persistent) &&
	       one_of(flags, VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART,
		       VIR_CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART, pool->autostart) &&
	       (!(flags & types) || (flags & VIR_CONNECT_LIST_STORAGE_POOLS_DIR));
}

static bool do_list_all(struct call *call, GError **error)
{
	const struct wire_list_args *args = call->args;
	struct wire_pools_ret *ret = call->ret;
	const GPtrArray *list = pools_of(call)->list;

	ret->pools.pools_val = calloc(list->len + 1, sizeof(*ret->pools.pools_val));
	for (guint i = 0; i < list->len; i++) {
		const struct pool *pool = g_ptr_array_index(list, i);

		if (!is_listed(pool, args->flags))
			continue;
		ret->count++;
		if (args->need_results)
			ret->pools.pools_val[ret->pools.pools_len++] = procedure_wire_pool(pool);
	}
	return true;
}

static bool list_names(struct call *call, bool active)
{
	int max = ((const struct wire_int_args *)call->args)->value;
	struct wire_names_ret *ret = call->ret;
	const GPtrArray *list = pools_of(call)->list;

	ret->names.names_val = calloc(list->len + 1, sizeof(char *));
	for (guint i = 0; i < list->len && (int)ret->names.names_len < max; i++) {
		const struct pool *pool = g_ptr_array_index(list, i);

		if (pool->active == active)
			ret->names.names_val[ret->names.names_len++] = g_strdup(pool->name);
	}
	return true;
}

static bool do_list(struct call *call, GError **error)
{
	return list_names(call, true);
}

static bool do_list_defined(struct call *call, GError **error)
{
	return list_names(call, false);
}

static int count(const struct call *call, bool active)
{
	const GPtrArray *list = pools_of(call)->list;
	int number = 0;

	for (guint i = 0; i < list->len; i++)
		number += ((const struct pool *)g_ptr_array_index(list, i))->active == active;
	return number;
}

static bool do_count(struct call *call, GError **error)
{
	return procedure_return_int(call, count(call, true));
}

static bool do_count_defined(struct call *call, GError **error)
{
	return procedure_return_int(call, count(call, false));
}

static bool do_lookup_name(struct call *call, GError **error)
{
	const char *name = ((const struct wire_text_args *)call->args)->text;

	return return_found(call, pools_find_name(pools_of(call), name), "name", name, error);
}

static bool do_lookup_uuid(struct call *call, GError **error)
{
	const struct wire_uuid_args *args = call->args;
	const struct pool *pool;
	char uuid[37];

	uuid_format((const unsigned char *)args->uuid, uuid);
	pool = pools_find(pools_of(call), uuid, NULL, error);
	return pool && return_pool(call, pool);
}

static bool do_lookup_volume(struct call *call, GError **error)
{
	const char *name = ((const struct wire_volume_args *)call->args)->volume.pool;

	return return_found(call, pools_find_name(pools_of(call), name), "name", name, error);
}

static bool do_lookup_path(struct call *call, GError **error)
{
	const char *path = ((const struct wire_text_args *)call->args)->text;

	return return_found(call, pools_find_path(pools_of(call), path), "target path", path, error);
}

/* ---- definitions ----------------------------------------------------------------------------- */

static bool do_define(struct call *call, GError **error)
{
	const struct wire_text_flags_args *args = call->args;
	const struct pool *pool;

	if (!procedure_check_flags(args->flags, VIR_STORAGE_POOL_DEFINE_VALIDATE, error))
		return false;
	pool = pools_define(pools_of(call), args->text, error);
	if (!pool)
		return false;
	tell(call, pool, VIR_STORAGE_POOL_EVENT_DEFINED);
	return return_pool(call, pool);
}

static bool do_create_xml(struct call *call, GError **error)
{
	const struct wire_text_flags_args *args = call->args;
	struct pools *pools = pools_of(call);
	struct pool *pool;

	if (!procedure_check_flags(args->flags,
		    VIR_STORAGE_POOL_CREATE_WITH_BUILD |
			    VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE |
			    VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE,
		    error))
		return false;
	pool = pools_add_transient(pools, args->text, error);
	if (!pool)
		return false;
	if ((args->flags && !pool_build(pool, error)) || !pool_start(pools, pool, error)) {
		if (!pool->persistent)
			g_ptr_array_remove(pools->list, pool);
		return false;
	}
	tell(call, pool, VIR_STORAGE_POOL_EVENT_STARTED);
	return return_pool(call, pool);
}

/* Ends it in some way, after which it may be gone: what its listeners are told is kept. */
static bool end_pool(struct call *call,
	bool (*end)(struct pools *pools, struct pool *pool, GError **error), int event,
	GError **error)
{
	struct pool *pool = procedure_pool(call, error);
	struct wire_pool wire;
	char uuid[37];
	bool ok;

	if (!pool)
		return false;
	wire = procedure_wire_pool(pool);
	memcpy(uuid, pool->uuid, sizeof(uuid));
	ok = end(pools_of(call), pool, error);
	if (ok)
		event_tell_pool(call->server, &wire, uuid, event);
	g_free(wire.name);
	return ok;
}

static bool do_undefine(struct call *call, GError **error)
{
	return end_pool(call, pools_undefine, VIR_STORAGE_POOL_EVENT_UNDEFINED, error);
}

static bool do_get_xml(struct call *call, GError **error)
{
	const struct wire_pool_flags_args *args = call->args;
	const struct pool *pool = procedure_pool(call, error);

	if (!pool || !procedure_check_flags(args->flags, VIR_STORAGE_XML_INACTIVE, error))
		return false;
	((struct wire_text_ret *)call->ret)->text =
		pool_print(pool, args->flags & VIR_STORAGE_XML_INACTIVE);
	return true;
}

static bool do_get_autostart(struct call *call, GError **error)
{
	const struct pool *pool = procedure_pool(call, error);

	return pool && procedure_return_int(call, pool->autostart);
}

static bool do_set_autostart(struct call *call, GError **error)
{
	const struct wire_pool_int_args *args = call->args;
	struct pool *pool = procedure_pool(call, error);

	return pool && pool_set_autostart(pools_of(call), pool, args->value != 0, error);
}

/* ---- life ------------------------------------------------------------------------------------ */

static bool do_build(struct call *call, GError **error)
{
	const struct wire_pool_flags_args *args = call->args;
	const struct pool *pool = procedure_pool(call, error);

	if (!pool || !procedure_check_flags(args->flags, 0, error) || !pool_build(pool, error))
		return false;
	tell(call, pool, VIR_STORAGE_POOL_EVENT_CREATED);
	return true;
}

static bool do_start(struct call *call, GError **error)
{
	const struct wire_pool_flags_args *args = call->args;
	struct pool *pool = procedure_pool(call, error);

	if (!pool ||
		!procedure_check_flags(args->flags,
			VIR_STORAGE_POOL_CREATE_WITH_BUILD |
				VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE |
				VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE,
			error) ||
		(args->flags && !pool->active && !pool_build(pool, error)) ||
		!pool_start(pools_of(call), pool, error))
		return false;
	tell(call, pool, VIR_STORAGE_POOL_EVENT_STARTED);
	return true;
}

static bool do_stop(struct call *call, GError **error)
{
	return end_pool(call, pool_stop, VIR_STORAGE_POOL_EVENT_STOPPED, error);
}

static bool do_delete(struct call *call, GError **error)
{
	const struct wire_pool_flags_args *args = call->args;
	const struct pool *pool = procedure_pool(call, error);

	if (!pool || !procedure_check_flags(args->flags, 0, error) || !pool_delete(pool, error))
		return false;
	tell(call, pool, VIR_STORAGE_POOL_EVENT_DELETED);
	return true;
}

static bool do_refresh(struct call *call, GError **error)
{
	const struct wire_pool_flags_args *args = call->args;
	const struct pool *pool = procedure_pool(call, error);

	if (!pool || !procedure_check_flags(args->flags, 0, error) ||
		!pool_check_active(pool, error))
		return false;
	procedure_tell_refresh(call->server, pool);
	return true;
}

/* ---- facts ----------------------------------------------------------------------------------- */

static bool do_get_info(struct call *call, GError **error)
{
	struct wire_pool_info_ret *ret = call->ret;
	const struct pool *pool = procedure_pool(call, error);
	struct pool_space space;

	if (!pool)
		return false;
	pool_measure(pool, &space);
	ret->state = pool->active ? VIR_STORAGE_POOL_RUNNING : VIR_STORAGE_POOL_INACTIVE;
	ret->capacity = space.capacity;
	ret->allocation = space.allocation;
	ret->available = space.available;
	return true;
}

static bool do_is_active(struct call *call, GError **error)
{
	const struct pool *pool = procedure_pool(call, error);

	return pool && procedure_return_int(call, pool->active);
}

static bool do_is_persistent(struct call *call, GError **error)
{
	const struct pool *pool = procedure_pool(call, error);

	return pool && procedure_return_int(call, pool->persistent);
}

static bool do_capabilities(struct call *call, GError **error)
{
	((struct wire_text_ret *)call->ret)->text = g_strdup(
		"<storagepoolCapabilities>\n  <pool type='dir' supported='yes'>\n"
		"    <volOptions>\n      <defaultFormat type='raw'/>\n"
		"      <enum name='targetFormatType'>\n        <value>raw</value>\n"
		"      </enum>\n    </volOptions>\n  </pool>\n</storagepoolCapabilities>\n");
	return true;
}

/* ---- events ---------------------------------------------------------------------------------- */

static bool do_register(struct call *call, GError **error)
{
	const struct wire_pool_event_args *args = call->args;
	const struct pool *pool = NULL;
	char uuid[37];

	if (args->event < 0 || args->event > VIR_STORAGE_POOL_EVENT_ID_REFRESH)
		return fault_set(
			error, VIR_ERR_INTERNAL_ERROR, "unsupported event ID %d", args->event);
	if (args->pool) {
		uuid_format((const unsigned char *)args->pool->uuid, uuid);
		pool = pools_find(pools_of(call), uuid, args->pool->name, error);
		if (!pool)
			return false;
	}
	return procedure_register(call, EVENT_POOL, args->event, pool ? uuid : NULL, error);
}

static bool do_deregister(struct call *call, GError **error)
{
	int number = ((const struct wire_int_args *)call->args)->value;

	return event_remove_callback(call->client, EVENT_POOL, number) ||
	       fault_set(error, VIR_ERR_INTERNAL_ERROR,
		       "storage pool event callback %d not registered", number);
}

#define F(name) PACKET_FORMAT(wire_##name)
#define WRITES PROCEDURE_WRITES

const struct procedure procedures_pool[] = {
	{71, "virConnectNumOfStoragePools", NULL, F(int_ret), 0, do_count, NULL},
	{72, "virConnectListStoragePools", F(int_args), F(names_ret), 0, do_list, NULL},
	{73, "virConnectNumOfDefinedStoragePools", NULL, F(int_ret), 0, do_count_defined, NULL},
	{74, "virConnectListDefinedStoragePools", F(int_args), F(names_ret), 0, do_list_defined,
		NULL},
	{76, "virStoragePoolCreateXML", F(text_flags_args), F(pool_ret), WRITES, do_create_xml,
		NULL},
	{77, "virStoragePoolDefineXML", F(text_flags_args), F(pool_ret), WRITES, do_define, NULL},
	{78, "virStoragePoolCreate", F(pool_flags_args), NULL, WRITES, do_start, NULL},
	{79, "virStoragePoolBuild", F(pool_flags_args), NULL, WRITES, do_build, NULL},
	{80, "virStoragePoolDestroy", F(pool_args), NULL, WRITES, do_stop, NULL},
	{81, "virStoragePoolDelete", F(pool_flags_args), NULL, WRITES, do_delete, NULL},
	{82, "virStoragePoolUndefine", F(pool_args), NULL, WRITES, do_undefine, NULL},
	{83, "virStoragePoolRefresh", F(pool_flags_args), NULL, WRITES, do_refresh, NULL},
	{84, "virStoragePoolLookupByName", F(text_args), F(pool_ret), 0, do_lookup_name, NULL},
	{85, "virStoragePoolLookupByUUID", F(uuid_args), F(pool_ret), 0, do_lookup_uuid, NULL},
	{86, "virStoragePoolLookupByVolume", F(volume_args), F(pool_ret), 0, do_lookup_volume,
		NULL},
	{87, "virStoragePoolGetInfo", F(pool_args), F(pool_info_ret), 0, do_get_info, NULL},
	{88, "virStoragePoolGetXMLDesc", F(pool_flags_args), F(text_ret), 0, do_get_xml, NULL},
	{89, "virStoragePoolGetAutostart", F(pool_args), F(int_ret), 0, do_get_autostart, NULL},
	{90, "virStoragePoolSetAutostart", F(pool_int_args), NULL, WRITES, do_set_autostart, NULL},
	{154, "virStoragePoolIsActive", F(pool_args), F(int_ret), 0, do_is_active, NULL},
	{155, "virStoragePoolIsPersistent", F(pool_args), F(int_ret), 0, do_is_persistent, NULL},
	{281, "virConnectListAllStoragePools", F(list_args), F(pools_ret), 0, do_list_all, NULL},
	{368, "virConnectStoragePoolEventRegisterAny", F(pool_event_args), F(int_ret), 0,
		do_register, NULL},
	{369, "virConnectStoragePoolEventDeregisterAny", F(int_args), NULL, 0, do_deregister, NULL},
	{391, "virStoragePoolLookupByTargetPath", F(text_args), F(pool_ret), 0, do_lookup_path,
		NULL},
	{403, "virConnectGetStoragePoolCapabilities", F(flags_args), F(text_ret), 0,
		do_capabilities, NULL},
	{0, NULL, NULL, NULL, 0, NULL, NULL},
};
