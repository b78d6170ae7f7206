// SPDX-License-Identifier: GPL-3.0-or-later
/* Devices of guests: what comes and goes, limits, sizes and counters. */
#include "engine/daemon/change.h"
#include "engine/daemon/devices.h"
#include "engine/daemon/drives.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/files.h"
#include "engine/daemon/limits.h"
#include "engine/daemon/network.h"
#include "engine/daemon/plug.h"
#include "engine/daemon/procedure.h"
#include "engine/daemon/statistics.h"

#include <errno.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define AFFECT ((unsigned)(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG))

/* ---- coming and going ------------------------------------------------------------------------ */

typedef void (*plugger)(
	struct guest *guest, unsigned affect, const char *text, guest_done done, void *data);

static void plug_live(struct call *call, plugger plug)
{
	const struct wire_domain_text_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, 0, 0);

	if (guest)
		plug(guest, VIR_DOMAIN_AFFECT_LIVE, args->text, call_done, call);
}

static void plug_by_flags(struct call *call, plugger plug, unsigned known)
{
	const struct wire_domain_text_flags_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, args->flags, known);

	if (guest)
		plug(guest, args->flags & known, args->text, call_done, call);
}

static void do_attach(struct call *call)
{
	plug_live(call, plug_attach);
}

static void do_detach(struct call *call)
{
	plug_live(call, plug_detach);
}

static void do_attach_flags(struct call *call)
{
	plug_by_flags(call, plug_attach, AFFECT);
}

static void do_detach_flags(struct call *call)
{
	plug_by_flags(call, plug_detach, AFFECT);
}

static void do_detach_alias(struct call *call)
{
	plug_by_flags(call, plug_detach_alias, AFFECT);
}

static void do_update_flags(struct call *call)
{
	plug_by_flags(call, plug_update, AFFECT | VIR_DOMAIN_DEVICE_MODIFY_FORCE);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void do_set_disk_limits(struct call *call)
{
	const struct wire_set_device_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, args->flags, AFFECT);

	if (guest)
		limits_set_disk(guest, args->flags, args->device, args->parameters.parameters_val,
			args->parameters.parameters_len, call_done, call);
}

static void do_set_nic_limits(struct call *call)
{
	const struct wire_set_device_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, args->flags, AFFECT);

	if (guest)
		limits_set_nic(guest, args->flags, args->device, args->parameters.parameters_val,
			args->parameters.parameters_len, call_done, call);
}

/* libvirt's two steps: a client that brings no room asks how much it needs. */
static bool return_counted(struct call *call, struct parameters *parameters, int room)
{
	struct wire_counted_parameters_ret *ret = call->ret;

	ret->count = (int)parameters->count;
	if (room <= 0) {
		parameters_clear(parameters);
		return true;
	}
	if (parameters->count > (unsigned)room)
		parameters_shorten(parameters, (unsigned)room);
	ret->count = (int)parameters->count;
	ret->parameters.parameters_val = parameters->at;
	ret->parameters.parameters_len = parameters->count;
	return true;
}

static bool do_get_disk_limits(struct call *call, GError **error)
{
	const struct wire_get_disk_args *args = call->args;
	struct guest *guest =
		procedure_guest(call, args->flags, AFFECT | VIR_TYPED_PARAM_STRING_OKAY, error);
	const struct definition *definition =
		guest ? change_pick(guest, args->flags, error) : NULL;
	struct parameters parameters = {0};

	if (!definition)
		return false;
	if (!args->device) {
		((struct wire_counted_parameters_ret *)call->ret)->count = LIMITS_DISK_PARAMETERS;
		return true;
	}
	return limits_get_disk(definition, *args->device, &parameters, error) &&
	       return_counted(call, &parameters, args->count);
}

static bool do_get_nic_limits(struct call *call, GError **error)
{
	const struct wire_get_device_args *args = call->args;
	struct guest *guest =
		procedure_guest(call, args->flags, AFFECT | VIR_TYPED_PARAM_STRING_OKAY, error);
	const struct definition *definition =
		guest ? change_pick(guest, args->flags, error) : NULL;
	struct parameters parameters = {0};

	return definition && limits_get_nic(definition, args->device, &parameters, error) &&
	       return_counted(call, &parameters, args->count);
}

/* ---- disks ----------------------------------------------------------------------------------- */

/* In libvirt's words, which are others for each call. */
static void fault_unknown(GError **error, const char *sentence, const char *name)
{
	g_autoptr(GString) text = g_string_new(sentence);

	g_string_replace(text, "%s", name, 1);
	fault_set(error, VIR_ERR_INVALID_ARG, "%s", text->str);
}

/* A disk of the guest; document keeps it. The sentence is for when there is none. */
static xmlNode *find_disk(const struct guest *guest, const char *name, xmlDoc **document,
	const char *sentence, GError **error)
{
	xmlNode *disk;

	*document = tree_parse(guest_definition(guest)->xml);
	disk = devices_find_disk(xmlDocGetRootElement(*document), name);
	if (!disk)
		fault_unknown(error, sentence, name);
	return disk;
}

static void do_resize(struct call *call)
{
	const struct wire_domain_text_number_flags_args *args = call->args;
	struct guest *guest = procedure_guest_or_answer(call, args->flags, VIR_DOMAIN_BLOCK_RESIZE_BYTES);
	g_autoptr(GError) error = NULL;
	g_autoptr(xmlDoc) document = NULL;
	g_autofree char *name = NULL;
	xmlNode *disk = NULL;
	JsonObject *members;
	uint64_t size;

	if (!guest)
		return;
	size = args->value;
	if (!(args->flags & VIR_DOMAIN_BLOCK_RESIZE_BYTES) && size > UINT64_MAX >> 10)
		fault_set(&error, VIR_ERR_OVERFLOW, "size must be less than 2^54 KiB");
	else if (guest_check_active(guest, &error))
		disk = find_disk(guest, args->text, &document,
			"disk '%s' was not found in the domain config", &error);
	if (!disk) {
		call_done(call, error);
		return;
	}
	if (!(args->flags & VIR_DOMAIN_BLOCK_RESIZE_BYTES))
		size <<= 10;
	name = devices_control_name(disk);
	members = json_object_new();
	json_object_set_string_member(members, "disk", name);
	json_object_set_int_member(members, "size", (gint64)MIN(size, (uint64_t)G_MAXINT64));
	guest_ask(guest, "resize-disk", members, -1, call_answered, call);
}

/* fd: taken; -1: there was an error. */
static bool measure(int fd, struct wire_block_info_ret *info)
{
	uint64_t bytes = 0;
	struct stat stat = {0};

	if (fd < 0)
		return false;
	/* It is open: this cannot fail. */
	fstat(fd, &stat);
	info->physical = (uint64_t)stat.st_size;
	info->allocation = (uint64_t)stat.st_blocks * 512;
	if (S_ISBLK(stat.st_mode) && ioctl(fd, BLKGETSIZE64, &bytes) == 0)
		info->physical = info->allocation = bytes;
	info->capacity = info->physical;
	close(fd);
	return true;
}

static bool do_block_info(struct call *call, GError **error)
{
	const struct wire_domain_text_flags_args *args = call->args;
	struct guest *guest = procedure_guest(call, args->flags, 0, error);
	struct wire_block_info_ret *ret = call->ret;
	const struct stats_disk *running;
	g_autoptr(xmlDoc) document = NULL;
	g_autofree char *path = NULL, *name = NULL;
	xmlNode *disk = guest ? find_disk(guest, args->text, &document,
					"invalid path %s not assigned to domain", error)
			      : NULL;

	if (!disk)
		return false;
	path = devices_image(disk);
	name = devices_control_name(disk);
	if (!path && drive_is(disk))
		return fault_set(error, VIR_ERR_INVALID_ARG,
			"disk '%s' does not currently have a source assigned", args->text);
	if (path &&
		!measure(file_open(guest->registry->settings, path, FILE_IMAGE_READ, error), ret))
		return false;
	/* The guest sees as much, whatever the image's format. */
	running = statistics_disk(statistics_read(guest), name);
	if (running && running->size)
		ret->capacity = running->size;
	return true;
}

/* The counters of a disk, or of all for "". */
static bool read_block_stats(
	struct guest *guest, const char *name, struct stats_io sum[STATS_OPS], GError **error)
{
	const struct stats_page *page = statistics_read(guest);
	g_autoptr(xmlDoc) document = NULL;
	g_autofree char *target = NULL;
	xmlNode *disk;

	if (!guest_check_active(guest, error))
		return false;
	if (*name) {
		disk = find_disk(guest, name, &document, "invalid path: %s", error);
		if (!disk)
			return false;
		target = devices_control_name(disk);
	}
	memset(sum, 0, STATS_OPS * sizeof(*sum));
	for (uint64_t i = 0; page && i < page->guest.disk_records; i++) {
		const struct stats_disk *from = &page->disks[i];

		if (!from->record.present || (target && strcmp(target, from->record.name) != 0))
			continue;
		for (unsigned op = 0; op < STATS_OPS; op++) {
			sum[op].requests += from->io[op].requests;
			sum[op].bytes += from->io[op].bytes;
			sum[op].errors += from->io[op].errors;
			sum[op].total_ns += from->io[op].total_ns;
		}
	}
	return true;
}

static bool do_block_stats(struct call *call, GError **error)
{
	const struct wire_domain_text_args *args = call->args;
	struct guest *guest = procedure_guest(call, 0, 0, error);
	struct wire_block_stats_ret *ret = call->ret;
	struct stats_io io[STATS_OPS];

	if (!guest || !read_block_stats(guest, args->text, io, error))
		return false;
	ret->read_requests = (int64_t)io[STATS_READ].requests;
	ret->read_bytes = (int64_t)io[STATS_READ].bytes;
	ret->write_requests = (int64_t)io[STATS_WRITE].requests;
	ret->write_bytes = (int64_t)io[STATS_WRITE].bytes;
	ret->errors = (int64_t)(io[STATS_READ].errors + io[STATS_WRITE].errors);
	return true;
}

static bool do_block_stats_flags(struct call *call, GError **error)
{
	const struct wire_get_device_args *args = call->args;
	struct guest *guest = procedure_guest(call, args->flags, VIR_TYPED_PARAM_STRING_OKAY, error);
	struct parameters parameters = {0};
	struct stats_io io[STATS_OPS];

	if (!guest || !read_block_stats(guest, args->device, io, error))
		return false;
	const struct {
		const char *name;
		uint64_t value;
	} fields[] = {
		{VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES, io[STATS_WRITE].bytes},
		{VIR_DOMAIN_BLOCK_STATS_WRITE_REQ, io[STATS_WRITE].requests},
		{VIR_DOMAIN_BLOCK_STATS_READ_BYTES, io[STATS_READ].bytes},
		{VIR_DOMAIN_BLOCK_STATS_READ_REQ, io[STATS_READ].requests},
		{VIR_DOMAIN_BLOCK_STATS_FLUSH_REQ, io[STATS_FLUSH].requests},
		{VIR_DOMAIN_BLOCK_STATS_WRITE_TOTAL_TIMES, io[STATS_WRITE].total_ns},
		{VIR_DOMAIN_BLOCK_STATS_READ_TOTAL_TIMES, io[STATS_READ].total_ns},
		{VIR_DOMAIN_BLOCK_STATS_FLUSH_TOTAL_TIMES, io[STATS_FLUSH].total_ns},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		parameters_add_llong(&parameters, fields[i].name, (int64_t)fields[i].value);
	return return_counted(call, &parameters, args->count);
}

/* ---- network cards --------------------------------------------------------------------------- */

static bool do_interface_stats(struct call *call, GError **error)
{
	const struct wire_domain_text_args *args = call->args;
	struct guest *guest = procedure_guest(call, 0, 0, error);
	struct wire_interface_stats_ret *ret = call->ret;
	g_autoptr(xmlDoc) document = NULL;
	const struct stats_nic *stats;
	g_autofree char *name = NULL;
	xmlNode *nic;

	if (!guest || !guest_check_active(guest, error))
		return false;
	document = tree_parse(guest->running->xml);
	nic = devices_find_nic(xmlDocGetRootElement(document), args->text);
	if (!nic)
		return fault_set(error, VIR_ERR_INVALID_ARG,
			"'%s' is not a known interface", args->text);
	name = devices_control_name(nic);
	stats = statistics_nic(statistics_read(guest), name);
	if (!stats)
		return true;
	ret->rx_bytes = (int64_t)stats->rx_bytes;
	ret->rx_packets = (int64_t)stats->rx_packets;
	ret->rx_errors = (int64_t)stats->rx_errors;
	ret->rx_drops = (int64_t)stats->rx_drops;
	ret->tx_bytes = (int64_t)stats->tx_bytes;
	ret->tx_packets = (int64_t)stats->tx_packets;
	ret->tx_errors = (int64_t)stats->tx_errors;
	ret->tx_drops = (int64_t)stats->tx_drops;
	return true;
}

/* The address that the host has seen, or that the definition has passt give; the caller's, or NULL. */
static char *find_address(const struct config_net *net, const char *mac, unsigned source)
{
	if (source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP)
		return network_neighbour(mac);
	return net->tap ? NULL : g_strdup(net->address);
}

static void add_address(
	struct wire_interfaces_ret *ret, const struct config_net *net, unsigned source)
{
	g_autofree char *mac = definition_mac(net);
	char *address = find_address(net, mac, source);
	struct wire_interface *interface;

	if (!address)
		return;
	interface = &ret->interfaces.interfaces_val[ret->interfaces.interfaces_len++];
	interface->name = g_strdup(net->tap_name ? net->tap_name : mac);
	interface->mac = g_new(wire_text, 1);
	*interface->mac = g_strdup(mac);
	interface->addresses.addresses_val = calloc(1, sizeof(struct wire_address));
	interface->addresses.addresses_len = 1;
	interface->addresses.addresses_val->type = VIR_IP_ADDR_TYPE_IPV4;
	interface->addresses.addresses_val->address = address;
	/* What is seen has no prefix: as with libvirt. */
	if (source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE)
		interface->addresses.addresses_val->prefix = net->prefix;
}

static bool do_interface_addresses(struct call *call, GError **error)
{
	const struct wire_domain_count_flags_args *args = call->args;
	struct guest *guest = procedure_guest(call, args->flags, 0, error);
	struct wire_interfaces_ret *ret = call->ret;
	const GPtrArray *nets;

	if (!guest || !guest_check_active(guest, error))
		return false;
	if (args->count == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
		return fault_set(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
			"QEMU guest agent is not configured");
	if (args->count > VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP)
		return fault_set(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
			"Unknown IP address data source %u", args->count);
	nets = guest->running->config->nets;
	ret->interfaces.interfaces_val = calloc(nets->len + 1, sizeof(struct wire_interface));
	for (guint i = 0; i < nets->len; i++)
		add_address(ret, g_ptr_array_index(nets, i), args->count);
	return true;
}

#define F(name) PACKET_FORMAT(wire_##name)
#define WRITES PROCEDURE_WRITES

const struct procedure procedures_devices[] = {
	{8, "virDomainAttachDevice", F(domain_text_args), NULL, WRITES, NULL, do_attach},
	{13, "virDomainDetachDevice", F(domain_text_args), NULL, WRITES, NULL, do_detach},
	{64, "virDomainBlockStats", F(domain_text_args), F(block_stats_ret), 0, do_block_stats,
		NULL},
	{65, "virDomainInterfaceStats", F(domain_text_args), F(interface_stats_ret), 0,
		do_interface_stats, NULL},
	{160, "virDomainAttachDeviceFlags", F(domain_text_flags_args), NULL, WRITES, NULL,
		do_attach_flags},
	{161, "virDomainDetachDeviceFlags", F(domain_text_flags_args), NULL, WRITES, NULL,
		do_detach_flags},
	{174, "virDomainUpdateDeviceFlags", F(domain_text_flags_args), NULL, WRITES, NULL,
		do_update_flags},
	{194, "virDomainGetBlockInfo", F(domain_text_flags_args), F(block_info_ret), 0,
		do_block_info, NULL},
	{243, "virDomainBlockStatsFlags", F(get_device_args), F(counted_parameters_ret), 0,
		do_block_stats_flags, NULL},
	{251, "virDomainBlockResize", F(domain_text_number_flags_args), NULL, WRITES, NULL,
		do_resize},
	{252, "virDomainSetBlockIoTune", F(set_device_args), NULL, WRITES, NULL,
		do_set_disk_limits},
	{253, "virDomainGetBlockIoTune", F(get_disk_args), F(counted_parameters_ret), 0,
		do_get_disk_limits, NULL},
	{256, "virDomainSetInterfaceParameters", F(set_device_args), NULL, WRITES, NULL,
		do_set_nic_limits},
	{257, "virDomainGetInterfaceParameters", F(get_device_args), F(counted_parameters_ret), 0,
		do_get_nic_limits, NULL},
	{353, "virDomainInterfaceAddresses", F(domain_count_flags_args), F(interfaces_ret), 0,
		do_interface_addresses, NULL},
	{392, "virDomainDetachDeviceAlias", F(domain_text_flags_args), NULL, WRITES, NULL,
		do_detach_alias},
	{0, NULL, NULL, NULL, 0, NULL, NULL},
};
