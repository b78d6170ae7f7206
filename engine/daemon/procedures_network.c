// SPDX-License-Identifier: GPL-3.0-or-later
/* Networks: looking at what is there. */
#include "engine/daemon/events.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/network.h"
#include "engine/daemon/procedure.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>

static const struct network *find_name(const GPtrArray *list, const char *name)
{
	for (guint i = 0; i < list->len; i++) {
		const struct network *network = g_ptr_array_index(list, i);

		if (strcmp(network->name, name) == 0)
			return network;
	}
	return NULL;
}

static const struct network *find_uuid(
	const GPtrArray *list, const char *bytes, const char *name, GError **error)
{
	char uuid[37];

	for (guint i = 0; i < list->len; i++) {
		const struct network *network = g_ptr_array_index(list, i);

		if (memcmp(network->uuid_bytes, bytes, sizeof(network->uuid_bytes)) == 0)
			return network;
	}
	uuid_format((const unsigned char *)bytes, uuid);
	if (name)
		fault_set(error, VIR_ERR_NO_NETWORK, "no network with matching uuid '%s' (%s)",
			uuid, name);
	else
		fault_set(error, VIR_ERR_NO_NETWORK, "no network with matching uuid '%s'", uuid);
	return NULL;
}

/* All arguments that name a network begin with it. */
static const struct network *find(const struct call *call, const GPtrArray *list, GError **error)
{
	const struct wire_network *wire = call->args;

	return find_uuid(list, wire->uuid, wire->name, error);
}

static struct wire_network to_wire(const struct network *network)
{
	struct wire_network wire = {.name = g_strdup(network->name)};

	memcpy(wire.uuid, network->uuid_bytes, sizeof(wire.uuid));
	return wire;
}

/* ---- finding --------------------------------------------------------------------------------- */

/* They are active, persistent and come by themselves. */
static bool is_listed(unsigned flags)
{
	static const unsigned pairs[][2] = {
		{VIR_CONNECT_LIST_NETWORKS_ACTIVE, VIR_CONNECT_LIST_NETWORKS_INACTIVE},
		{VIR_CONNECT_LIST_NETWORKS_PERSISTENT, VIR_CONNECT_LIST_NETWORKS_TRANSIENT},
		{VIR_CONNECT_LIST_NETWORKS_AUTOSTART, VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
		if ((flags & pairs[i][1]) && !(flags & pairs[i][0]))
			return false;
	return true;
}

static bool do_list_all(struct call *call, GError **error)
{
	const struct wire_list_args *args = call->args;
	struct wire_networks_ret *ret = call->ret;
	g_autoptr(GPtrArray) list = network_list();

	if (!is_listed(args->flags))
		return true;
	ret->count = list->len;
	ret->networks.networks_val = calloc(list->len + 1, sizeof(*ret->networks.networks_val));
	for (guint i = 0; args->need_results && i < list->len; i++)
		ret->networks.networks_val[ret->networks.networks_len++] =
			to_wire(g_ptr_array_index(list, i));
	return true;
}

static bool do_list(struct call *call, GError **error)
{
	int max = ((const struct wire_int_args *)call->args)->value;
	struct wire_names_ret *ret = call->ret;
	g_autoptr(GPtrArray) list = network_list();

	ret->names.names_val = calloc(list->len + 1, sizeof(char *));
	for (guint i = 0; i < list->len && (int)i < max; i++)
		ret->names.names_val[ret->names.names_len++] =
			g_strdup(((const struct network *)g_ptr_array_index(list, i))->name);
	return true;
}

static bool do_count(struct call *call, GError **error)
{
	g_autoptr(GPtrArray) list = network_list();

	return procedure_return_int(call, (int)list->len);
}

/* Of those that are defined but not there. */
static bool do_none(struct call *call, GError **error)
{
	return true;
}

static bool do_lookup_name(struct call *call, GError **error)
{
	const char *name = ((const struct wire_text_args *)call->args)->text;
	g_autoptr(GPtrArray) list = network_list();
	const struct network *network = find_name(list, name);

	if (!network)
		return fault_set(
			error, VIR_ERR_NO_NETWORK, "no network with matching name '%s'", name);
	((struct wire_network_ret *)call->ret)->network = to_wire(network);
	return true;
}

static bool do_lookup_uuid(struct call *call, GError **error)
{
	const struct wire_uuid_args *args = call->args;
	g_autoptr(GPtrArray) list = network_list();
	const struct network *network = find_uuid(list, args->uuid, NULL, error);

	if (!network)
		return false;
	((struct wire_network_ret *)call->ret)->network = to_wire(network);
	return true;
}

/* ---- facts ----------------------------------------------------------------------------------- */

static bool do_get_xml(struct call *call, GError **error)
{
	g_autoptr(GPtrArray) list = network_list();
	const struct network *network = find(call, list, error);

	if (network)
		((struct wire_text_ret *)call->ret)->text = network_print(network);
	return network != NULL;
}

static bool do_get_bridge(struct call *call, GError **error)
{
	g_autoptr(GPtrArray) list = network_list();
	const struct network *network = find(call, list, error);

	if (!network)
		return false;
	if (!network->bridge)
		return fault_set(error, VIR_ERR_INTERNAL_ERROR,
			"network '%s' does not have a bridge name.", network->name);
	((struct wire_text_ret *)call->ret)->text = g_strdup(network->name);
	return true;
}

static bool do_yes(struct call *call, GError **error)
{
	g_autoptr(GPtrArray) list = network_list();

	return find(call, list, error) && procedure_return_int(call, 1);
}

/* The engine gives no addresses; passt does, without telling. */
static bool do_leases(struct call *call, GError **error)
{
	g_autoptr(GPtrArray) list = network_list();

	return find(call, list, error) != NULL;
}

/* ---- events ---------------------------------------------------------------------------------- */

static bool do_register(struct call *call, GError **error)
{
	const struct wire_network_event_args *args = call->args;
	g_autoptr(GPtrArray) list = network_list();
	const struct network *network = NULL;

	if (args->event != VIR_NETWORK_EVENT_ID_LIFECYCLE)
		return fault_set(
			error, VIR_ERR_INTERNAL_ERROR, "unsupported event ID %d", args->event);
	if (args->network) {
		network = find_uuid(list, args->network->uuid, args->network->name, error);
		if (!network)
			return false;
	}
	return procedure_register(
		call, EVENT_NETWORK, args->event, network ? network->uuid : NULL, error);
}

static bool do_deregister(struct call *call, GError **error)
{
	int number = ((const struct wire_int_args *)call->args)->value;

	return event_remove_callback(call->client, EVENT_NETWORK, number) ||
	       fault_set(error, VIR_ERR_INTERNAL_ERROR, "network event callback %d not registered",
		       number);
}

#define F(name) PACKET_FORMAT(wire_##name)

const struct procedure procedures_network[] = {
	{36, "virConnectListDefinedNetworks", F(int_args), F(names_ret), 0, do_none, NULL},
	{38, "virConnectListNetworks", F(int_args), F(names_ret), 0, do_list, NULL},
	{43, "virNetworkGetXMLDesc", F(network_flags_args), F(text_ret), 0, do_get_xml, NULL},
	{44, "virNetworkGetAutostart", F(network_args), F(int_ret), 0, do_yes, NULL},
	{45, "virNetworkGetBridgeName", F(network_args), F(text_ret), 0, do_get_bridge, NULL},
	{46, "virNetworkLookupByName", F(text_args), F(network_ret), 0, do_lookup_name, NULL},
	{47, "virNetworkLookupByUUID", F(uuid_args), F(network_ret), 0, do_lookup_uuid, NULL},
	{50, "virConnectNumOfDefinedNetworks", NULL, F(int_ret), 0, do_none, NULL},
	{52, "virConnectNumOfNetworks", NULL, F(int_ret), 0, do_count, NULL},
	{152, "virNetworkIsActive", F(network_args), F(int_ret), 0, do_yes, NULL},
	{153, "virNetworkIsPersistent", F(network_args), F(int_ret), 0, do_yes, NULL},
	{283, "virConnectListAllNetworks", F(list_args), F(networks_ret), 0, do_list_all, NULL},
	{313, "virConnectNetworkEventRegisterAny", F(network_event_args), F(int_ret), 0,
		do_register, NULL},
	{314, "virConnectNetworkEventDeregisterAny", F(int_args), NULL, 0, do_deregister, NULL},
	{341, "virNetworkGetDHCPLeases", F(network_leases_args), F(leases_ret), 0, do_leases, NULL},
	{0, NULL, NULL, NULL, 0, NULL, NULL},
};
