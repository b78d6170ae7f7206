// SPDX-License-Identifier: GPL-3.0-or-later
/* <disk> and <interface>: what the rules of config_rules.c call for them. */
#include "engine/common/config_reader.h"

#include <arpa/inet.h>
#include <glib/gi18n.h>
#include <net/if.h>
#include <string.h>

static void *last_of(GPtrArray *list)
{
	return g_ptr_array_index(list, list->len - 1);
}

/* The one whose children are being read. */
static struct config_disk *last_disk(struct config_reader *reader)
{
	return last_of(reader->config->disks);
}

static struct config_net *last_net(struct config_reader *reader)
{
	return last_of(reader->config->nets);
}

static xmlNode *child_named(const xmlNode *node, const char *name)
{
	for (xmlNode *child = node->children; child; child = child->next)
		if (child->type == XML_ELEMENT_NODE && xmlStrEqual(child->name, BAD_CAST name))
			return child;
	return NULL;
}

/* ---- disks ----------------------------------------------------------------------------------------- */

bool config_read_disk(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_disk *disk = g_new0(struct config_disk, 1);

	disk->block = config_attribute_is(node, "type", "block");
	disk->cdrom = disk->readonly = config_attribute_is(node, "device", "cdrom");
	g_ptr_array_add(reader->config->disks, disk);
	if (disk->cdrom && config_attribute_is(node, "type", "network"))
		return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
			_("the medium of a CD-ROM drive must be a file or a block device"));
	if (!disk->cdrom && !child_named(node, "source"))
		return config_fail(reader, node, CONFIG_ERROR_MISSING, error,
			_("<disk> has no <source>"));
	if (!child_named(node, "target"))
		return config_fail(reader, node, CONFIG_ERROR_MISSING, error,
			_("<disk> has no <target>"));
	return true;
}

static enum config_on_error on_error(const xmlNode *node, const char *name)
{
	if (config_attribute_is(node, name, "stop"))
		return CONFIG_ON_ERROR_STOP;
	if (config_attribute_is(node, name, "ignore"))
		return CONFIG_ON_ERROR_IGNORE;
	return config_attribute_is(node, name, "enospace") ? CONFIG_ON_ERROR_ENOSPC
							   : CONFIG_ON_ERROR_REPORT;
}

/* Where nothing is said of reads, what is said of all errors holds for them too. */
bool config_read_disk_driver(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_disk *disk = last_disk(reader);
	g_autofree char *reads = config_attribute(node, "rerror_policy");
	g_autofree char *format = config_attribute(node, "type");

	disk->discard = config_attribute_is(node, "discard", "unmap");
	disk->on_write_error = on_error(node, "error_policy");
	disk->on_read_error = on_error(node, reads ? "rerror_policy" : "error_policy");
	if (disk->on_read_error == CONFIG_ON_ERROR_ENOSPC)
		disk->on_read_error = CONFIG_ON_ERROR_REPORT;
	if (format && strcmp(format, "raw") != 0)
		disk->format = g_steal_pointer(&format);
	if (disk->cdrom && disk->format)
		return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
			_("the medium of a CD-ROM drive must be a plain image: write type='raw'"));
	if (disk->cdrom && disk->on_read_error != CONFIG_ON_ERROR_REPORT)
		return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
			_("errors of a CD-ROM drive can only be reported to the guest"));
	return true;
}

static bool read_rbd(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_disk *disk = last_disk(reader);

	if (!config_attribute_is(node, "protocol", "rbd"))
		return config_fail(reader, node, CONFIG_ERROR_MISSING, error,
			_("<source> of a network disk has no protocol='rbd'"));
	disk->rbd = config_attribute(node, "name");
	if (!disk->rbd || !strchr(disk->rbd, '/'))
		return config_fail(reader, node, CONFIG_ERROR_INVALID, error,
			_("<source> of this <disk> has no name of the form POOL/IMAGE"));
	return true;
}

bool config_read_disk_source(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_disk *disk = last_disk(reader);
	const char *name = disk->block ? "dev" : "file";

	if (config_attribute_is(node->parent, "type", "network"))
		return read_rbd(reader, node, error);
	disk->path = config_attribute(node, name);
	if (disk->path && *disk->path)
		return true;
	g_clear_pointer(&disk->path, g_free);
	return disk->cdrom ||
		config_fail(reader, node, CONFIG_ERROR_MISSING, error,
			_("<source> of this <disk> has no '%s'"), name);
}

bool config_read_disk_host(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_disk *disk = last_disk(reader);
	g_autofree char *name = config_attribute(node, "name");
	g_autofree char *port = config_attribute(node, "port");
	uint64_t number;

	if (!name || !*name)
		return config_fail(reader, node, CONFIG_ERROR_MISSING, error,
			_("<host> has no 'name'"));
	if (port && !config_number(reader, node, "port", 1, 65535, &number, error))
		return false;
	if (!disk->rbd_hosts)
		disk->rbd_hosts = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(disk->rbd_hosts, g_strconcat(name, port ? ":" : NULL, port, NULL));
	return true;
}

bool config_read_disk_config(struct config_reader *reader, xmlNode *node, GError **error)
{
	last_disk(reader)->rbd_conf = config_attribute(node, "file");
	return true;
}

/* The key itself is in ceph's keyring: this engine keeps no secrets. */
bool config_read_disk_auth(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_disk *disk = last_disk(reader);

	g_free(disk->rbd_user);
	disk->rbd_user = config_attribute(node, "username");
	return true;
}

static void free_backing(void *data)
{
	struct config_backing *backing = data;

	g_free(backing->path);
	g_free(backing->format);
	g_free(backing);
}

GPtrArray *config_backing_list(void)
{
	return g_ptr_array_new_with_free_func(free_backing);
}

struct config_backing *config_backing_new(char *path, char *format, bool block)
{
	struct config_backing *backing = g_new0(struct config_backing, 1);

	backing->path = path;
	backing->format = format;
	backing->block = block;
	return backing;
}

/* An empty one ends the chain. The others are nested, each in what stands on it. */
bool config_read_disk_backing(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_disk *disk = last_disk(reader);
	const xmlNode *source = child_named(node, "source"), *format = child_named(node, "format");
	bool block = config_attribute_is(node, "type", "block");
	char *path = source ? config_attribute(source, block ? "dev" : "file") : NULL;
	g_autofree char *type = format ? config_attribute(format, "type") : NULL;

	if (!disk->backing)
		disk->backing = config_backing_list();
	if (!source && !format && !child_named(node, "backingStore"))
		return true;
	if (!path || !*path || !type || disk->backing->len == CONFIG_BACKING_MAX) {
		g_free(path);
		return config_fail(reader, node, CONFIG_ERROR_INVALID, error,
			_("<backingStore> of this <disk> must have a <source> and a <format>, and "
			  "there may be %u of them"),
			CONFIG_BACKING_MAX);
	}
	if (strcmp(type, "raw") == 0)
		g_clear_pointer(&type, g_free);
	g_ptr_array_add(disk->backing, config_backing_new(path, g_steal_pointer(&type), block));
	return true;
}

/* A drive has its own bus and the names of that. */
static bool check_cdrom_target(
	struct config_reader *reader, xmlNode *node, const char *bus, GError **error)
{
	struct config_disk *disk = last_disk(reader);
	bool named = g_str_has_prefix(disk->target, "sd");

	disk->tray_open = config_attribute_is(node, "tray", "open");
	if (bus ? strcmp(bus, "scsi") != 0 : !named)
		return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
			_("CD-ROM drive '%s' is not on the SCSI bus: write bus='scsi'"),
			disk->target);
	return named || config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
				_("CD-ROM drive '%s' has another bus's name: write dev='sda'"),
				disk->target);
}

static bool check_disk_target(
	struct config_reader *reader, xmlNode *node, const char *bus, GError **error)
{
	g_autofree char *tray = config_attribute(node, "tray");
	const char *target = last_disk(reader)->target;

	if (tray)
		return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
			_("disk '%s' has no tray: only a CD-ROM drive has"), target);
	if (bus ? strcmp(bus, "virtio") != 0 : !g_str_has_prefix(target, "vd"))
		return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
			_("disk '%s' is not on the virtio bus: write bus='virtio'"), target);
	return true;
}

bool config_read_disk_target(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_disk *disk = last_disk(reader);
	g_autofree char *bus = config_attribute(node, "bus");

	disk->target = config_attribute(node, "dev");
	if (!disk->target || !*disk->target)
		return config_fail(reader, node, CONFIG_ERROR_MISSING, error,
			_("<target> has no 'dev'"));
	return disk->cdrom ? check_cdrom_target(reader, node, bus, error)
			   : check_disk_target(reader, node, bus, error);
}

bool config_read_disk_serial(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_disk *disk = last_disk(reader);

	disk->serial = config_text(node);
	if (strlen(disk->serial) > (disk->cdrom ? 36 : 20))
		return config_fail(reader, node, CONFIG_ERROR_INVALID, error,
			disk->cdrom ? _("<serial> has more than 36 characters")
				    : _("<serial> has more than virtio's 20 characters"));
	return true;
}

bool config_read_disk_readonly(struct config_reader *reader, xmlNode *node, GError **error)
{
	last_disk(reader)->readonly = true;
	return true;
}

bool config_read_disk_shareable(struct config_reader *reader, xmlNode *node, GError **error)
{
	last_disk(reader)->shareable = true;
	return true;
}

const char *const config_limit_names[CONFIG_LIMITS] = {
	[CONFIG_LIMIT_TOTAL_BYTES] = "total_bytes",
	[CONFIG_LIMIT_READ_BYTES] = "read_bytes",
	[CONFIG_LIMIT_WRITE_BYTES] = "write_bytes",
	[CONFIG_LIMIT_TOTAL_IOPS] = "total_iops",
	[CONFIG_LIMIT_READ_IOPS] = "read_iops",
	[CONFIG_LIMIT_WRITE_IOPS] = "write_iops",
};

const char *config_rate_problem(const struct config_rate *rate)
{
	if (rate->max && (!rate->rate || rate->max < rate->rate))
		return _("a burst must be faster than the limit that it is a burst of");
	return rate->max_length && !rate->max ? _("a burst's length needs its rate") : NULL;
}

/* Reads the element of this name and ending, where it is there. */
static bool read_tune(struct config_reader *reader, xmlNode *node, const char *name,
	const char *ending, uint64_t max, uint64_t *value, GError **error)
{
	g_autofree char *whole = g_strconcat(name, "_sec", ending, NULL);
	xmlNode *child = child_named(node, whole);

	return !child || config_number(reader, child, NULL, 0, max, value, error);
}

bool config_read_iotune(struct config_reader *reader, xmlNode *node, GError **error)
{
	for (unsigned i = 0; i < CONFIG_LIMITS; i++) {
		struct config_rate *rate = &last_disk(reader)->limits[i];
		const char *name = config_limit_names[i], *problem;

		if (!read_tune(reader, node, name, "", CONFIG_RATE_MAX, &rate->rate, error) ||
			!read_tune(reader, node, name, "_max", CONFIG_RATE_MAX, &rate->max, error) ||
			!read_tune(reader, node, name, "_max_length", CONFIG_BURST_SECONDS_MAX,
				&rate->max_length, error))
			return false;
		problem = config_rate_problem(rate);
		if (problem)
			return config_fail(reader, node, CONFIG_ERROR_INVALID, error, "%s_sec: %s",
				name, problem);
	}
	return true;
}

/* ---- network cards --------------------------------------------------------------------------------- */

static void forward_free(void *data)
{
	struct config_forward *forward = data;

	g_free(forward->address);
	g_free(forward->device);
	g_free(forward);
}

/* An interface without <mac> keeps the same one at each start, made from the guest's name. */
static void default_mac(const struct machine_config *config, uint8_t mac[6])
{
	g_autofree char *seed = g_strdup_printf("%s/%u", config->name ? config->name : "",
		config->nets->len);
	unsigned hash = g_str_hash(seed);

	memcpy(mac, (const uint8_t[]){ 0x52, 0x54, 0x00, hash >> 16, hash >> 8, hash }, 6);
}

char *config_net_name(const struct config_net *net)
{
	const uint8_t *mac = net->mac;

	return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		mac[4], mac[5]);
}

bool config_read_interface(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_net *net = g_new0(struct config_net, 1);

	default_mac(reader->config, net->mac);
	net->tap = !config_attribute_is(node, "type", "user");
	net->forwards = g_ptr_array_new_with_free_func(forward_free);
	g_ptr_array_add(reader->config->nets, net);
	if (!child_named(node, "model"))
		return config_fail(reader, node, CONFIG_ERROR_MISSING, error,
			_("<interface> has no <model type='virtio'/>"));
	if (config_attribute_is(node, "type", "bridge") && !child_named(node, "source"))
		return config_fail(reader, node, CONFIG_ERROR_MISSING, error,
			_("<interface> has no <source bridge=…>"));
	return true;
}

bool config_read_mac(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_net *net = last_net(reader);
	g_autofree char *text = config_attribute(node, "address");
	unsigned byte[6];
	int end = 0;

	if (!text ||
		sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3],
			&byte[4], &byte[5], &end) != 6 ||
		text[end] || end != 17 || byte[0] & 1)
		return config_fail(reader, node, CONFIG_ERROR_INVALID, error,
			_("'%s' is not the hardware address of a network card"), text ? text : "");
	for (int i = 0; i < 6; i++)
		net->mac[i] = (uint8_t)byte[i];
	net->mac_given = true;
	return true;
}

/* The name of an interface of the host. */
static bool read_name(const struct config_reader *reader, xmlNode *node, const char *attribute,
	char **name, GError **error)
{
	*name = config_attribute(node, attribute);
	if (!*name || (**name && strlen(*name) < IFNAMSIZ))
		return true;
	return config_fail(reader, node, CONFIG_ERROR_INVALID, error,
		_("'%s' cannot be the name of a network interface"), *name);
}

bool config_read_interface_source(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_net *net = last_net(reader);

	if (!net->tap)
		return read_name(reader, node, "dev", &net->device, error);
	if (!config_attribute_is(node->parent, "type", "bridge"))
		return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
			_("<source> is not supported here: name the TAP device by <target dev=…>"));
	if (!read_name(reader, node, "bridge", &net->bridge, error))
		return false;
	if (net->bridge)
		return true;
	return config_fail(reader, node, CONFIG_ERROR_MISSING, error,
		_("<interface> has no <source bridge=…>"));
}

bool config_read_interface_target(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_net *net = last_net(reader);

	if (net->tap)
		return read_name(reader, node, "dev", &net->tap_name, error);
	return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
		_("<target> is not supported here: a user network has no device on the host"));
}

/* What only a user network has. */
static bool check_user(struct config_reader *reader, xmlNode *node, GError **error)
{
	return !last_net(reader)->tap ||
		config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
			_("<%s> is not supported here: it is for type='user'"),
			(const char *)node->name);
}

bool config_read_interface_backend(struct config_reader *reader, xmlNode *node, GError **error)
{
	last_net(reader)->log = config_attribute(node, "logFile");
	return check_user(reader, node, error);
}

bool config_read_interface_mtu(struct config_reader *reader, xmlNode *node, GError **error)
{
	uint64_t size;

	if (!config_number(reader, node, "size", 576, 65520, &size, error))
		return false;
	last_net(reader)->mtu = (uint16_t)size;
	return true;
}

bool config_read_interface_link(struct config_reader *reader, xmlNode *node, GError **error)
{
	last_net(reader)->link_down = config_attribute_is(node, "state", "down");
	return true;
}

const char *config_bandwidth_problem(const struct config_bandwidth *bandwidth)
{
	if (!bandwidth->average && (bandwidth->peak || bandwidth->burst))
		return _("peak and burst need an average");
	return bandwidth->peak && bandwidth->peak < bandwidth->average
		? _("the peak must be more than the average")
		: NULL;
}

/* The number of an attribute, where it is there. */
static bool read_amount(struct config_reader *reader, xmlNode *node, const char *name,
	uint64_t *value, GError **error)
{
	g_autofree char *text = config_attribute(node, name);

	return !text || config_number(reader, node, name, 0, CONFIG_BANDWIDTH_MAX, value, error);
}

bool config_read_bandwidth(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_net *net = last_net(reader);
	struct config_bandwidth *bandwidth =
		xmlStrEqual(node->name, BAD_CAST "inbound") ? &net->inbound : &net->outbound;
	const char *problem;

	if (!read_amount(reader, node, "average", &bandwidth->average, error) ||
		!read_amount(reader, node, "peak", &bandwidth->peak, error) ||
		!read_amount(reader, node, "burst", &bandwidth->burst, error))
		return false;
	problem = config_bandwidth_problem(bandwidth);
	return !problem ||
		config_fail(reader, node, CONFIG_ERROR_INVALID, error, "<%s>: %s",
			(const char *)node->name, problem);
}

bool config_read_interface_ip(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_net *net = last_net(reader);
	g_autofree char *prefix = config_attribute(node, "prefix");
	struct in_addr address;
	uint64_t bits = 24;

	net->address = config_attribute(node, "address");
	if (!net->address || inet_pton(AF_INET, net->address, &address) != 1)
		return config_fail(reader, node, CONFIG_ERROR_INVALID, error,
			_("'%s' is not an IPv4 address"), net->address ? net->address : "");
	if (prefix && !config_number(reader, node, "prefix", 1, 32, &bits, error))
		return false;
	net->prefix = (unsigned)bits;
	return check_user(reader, node, error);
}

bool config_read_range(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_net *net = last_net(reader);
	struct config_forward *forward = g_new0(struct config_forward, 1);
	g_autofree char *end_text = config_attribute(node, "end");
	g_autofree char *to_text = config_attribute(node, "to");
	uint64_t start = 0, end = 0, to = 0;

	g_ptr_array_add(net->forwards, forward);
	forward->udp = config_attribute_is(node->parent, "proto", "udp");
	forward->address = config_attribute(node->parent, "address");
	forward->device = config_attribute(node->parent, "dev");
	forward->exclude = config_attribute_is(node, "exclude", "yes");
	if (!config_number(reader, node, "start", 1, 65535, &start, error))
		return false;
	end = to = start;
	if (end_text && !config_number(reader, node, "end", start, 65535, &end, error))
		return false;
	if (to_text && !config_number(reader, node, "to", 1, 65535 - (end - start), &to, error))
		return false;
	forward->start = (uint16_t)start;
	forward->end = (uint16_t)end;
	forward->to = (uint16_t)to;
	return check_user(reader, node->parent, error);
}
