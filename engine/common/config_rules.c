// SPDX-License-Identifier: GPL-3.0-or-later
/* The elements of a domain XML that the engine understands: the table is at the end. */
#include "engine/common/config_reader.h"

#include <glib/gi18n.h>
#include <string.h>

static bool read_type(struct config_reader *reader, xmlNode *node, GError **error)
{
	g_autofree char *type = config_attribute(node, "type");

	if (!type)
		return config_fail(reader, node, CONFIG_ERROR_MISSING, error,
			_("<domain> has no type: it must be 'kvm' or 'qemu'"));
	reader->config->cpu = strcmp(type, "kvm") == 0 ? CONFIG_CPU_KVM : CONFIG_CPU_SOFT;
	return true;
}

static bool read_name(struct config_reader *reader, xmlNode *node, GError **error)
{
	g_autofree char *name = config_text(node);

	if (!*name || strpbrk(name, "/\n"))
		return config_fail(reader, node, CONFIG_ERROR_INVALID, error,
			_("'%s' cannot be a name"), name);
	reader->config->name = g_steal_pointer(&name);
	return true;
}

static bool read_uuid(struct config_reader *reader, xmlNode *node, GError **error)
{
	g_autofree char *uuid = config_text(node);

	if (!g_uuid_string_is_valid(uuid))
		return config_fail(reader, node, CONFIG_ERROR_INVALID, error,
			_("'%s' is not a UUID"), uuid);
	reader->config->uuid = g_ascii_strdown(uuid, -1);
	return true;
}

static bool read_vcpu(struct config_reader *reader, xmlNode *node, GError **error)
{
	g_autofree char *current = config_attribute(node, "current");
	uint64_t maximum, now;

	if (!config_number(reader, node, NULL, 1, CONFIG_VCPUS_MAX, &maximum, error))
		return false;
	now = maximum;
	if (current && !config_number(reader, node, "current", 1, maximum, &now, error))
		return false;
	reader->config->vcpus_max = (unsigned)maximum;
	reader->config->vcpus = (unsigned)now;
	return true;
}

/* The engine shows every vCPU as a socket of its own. */
static bool read_topology(struct config_reader *reader, xmlNode *node, GError **error)
{
	uint64_t sockets;

	return config_number(reader, node, "sockets", reader->config->vcpus_max,
		reader->config->vcpus_max, &sockets, error);
}

static bool read_path(struct config_reader *reader, xmlNode *node, char **path, GError **error)
{
	*path = config_text(node);
	if (!**path)
		return config_fail(reader, node, CONFIG_ERROR_INVALID, error, _("<%s> is empty"),
			(const char *)node->name);
	return true;
}

static bool read_os_type(struct config_reader *reader, xmlNode *node, GError **error)
{
	g_autofree char *type = config_text(node);

	return strcmp(type, "hvm") == 0 ||
		config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
			_("'%s' as <type> is not supported: only hvm is"), type);
}

static bool read_kernel(struct config_reader *reader, xmlNode *node, GError **error)
{
	return read_path(reader, node, &reader->config->kernel, error);
}

static bool read_initrd(struct config_reader *reader, xmlNode *node, GError **error)
{
	return read_path(reader, node, &reader->config->initrd, error);
}

static bool read_cmdline(struct config_reader *reader, xmlNode *node, GError **error)
{
	reader->config->cmdline = config_text(node);
	return true;
}

static bool read_action(struct config_reader *reader, xmlNode *node, enum config_action *action,
	GError **error)
{
	g_autofree char *text = config_text(node);

	if (strcmp(text, "destroy") == 0)
		*action = CONFIG_ACTION_DESTROY;
	else if (strcmp(text, "restart") == 0)
		*action = CONFIG_ACTION_RESTART;
	else if (strcmp(text, "preserve") == 0)
		*action = CONFIG_ACTION_PRESERVE;
	else
		return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
			_("'%s' as <%s> is not supported: only destroy, restart and preserve are"),
			text, (const char *)node->name);
	return true;
}

static bool read_on_poweroff(struct config_reader *reader, xmlNode *node, GError **error)
{
	return read_action(reader, node, &reader->config->on_poweroff, error);
}

static bool read_on_reboot(struct config_reader *reader, xmlNode *node, GError **error)
{
	return read_action(reader, node, &reader->config->on_reboot, error);
}

static bool read_on_crash(struct config_reader *reader, xmlNode *node, GError **error)
{
	return read_action(reader, node, &reader->config->on_crash, error);
}

static bool read_clock(struct config_reader *reader, xmlNode *node, GError **error)
{
	reader->config->rtc_localtime = config_attribute_is(node, "offset", "localtime");
	return true;
}

/* A chip the engine has cannot be left out, and one it has not cannot be asked for. */
static bool read_timer(struct config_reader *reader, xmlNode *node, GError **error)
{
	bool hpet = config_attribute_is(node, "name", "hpet");
	const char *wanted = hpet ? "no" : "yes";
	g_autofree char *present = config_attribute(node, "present");

	if (hpet ? g_strcmp0(present, "no") != 0 : present && strcmp(present, wanted) != 0)
		return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
			hpet ? _("the engine has no HPET: write present='no'")
			     : _("this timer cannot be left out"));
	return true;
}

/* The last of a list: the device whose children are being read. */
static void *last_of(GPtrArray *list)
{
	return g_ptr_array_index(list, list->len - 1);
}

static void read_chardev(struct config_reader *reader, xmlNode *node,
	struct config_chardev *chardev)
{
	static const char *const names[] = { "pty", "stdio", "file", "unix", "null" };
	g_autofree char *type = config_attribute(node, "type");

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_strcmp0(type, names[i]) == 0)
			chardev->kind = (enum config_chardev_kind)i;
	reader->chardev = chardev;
}

/* FILE and UNIX need a <source> that says where. */
static bool check_source(struct config_reader *reader, xmlNode *node, GError **error)
{
	if (reader->chardev->kind != CONFIG_CHARDEV_FILE &&
		reader->chardev->kind != CONFIG_CHARDEV_UNIX)
		return true;
	for (xmlNode *child = node->children; child; child = child->next)
		if (child->type == XML_ELEMENT_NODE && xmlStrEqual(child->name, BAD_CAST "source"))
			return true;
	return config_fail(reader, node, CONFIG_ERROR_MISSING, error, _("<%s> has no <source>"),
		(const char *)node->name);
}

static bool read_serial(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_chardev *chardev;

	if (reader->config->serials->len == CONFIG_SERIALS_MAX)
		return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
			_("there are more than %d serial ports"), CONFIG_SERIALS_MAX);
	chardev = g_new0(struct config_chardev, 1);
	g_ptr_array_add(reader->config->serials, chardev);
	read_chardev(reader, node, chardev);
	return check_source(reader, node, error);
}

static bool read_port(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_port *port = g_new0(struct config_port, 1);

	g_ptr_array_add(reader->config->ports, port);
	read_chardev(reader, node, &port->chardev);
	return true;
}

static xmlNode *child_named(xmlNode *node, const char *name)
{
	for (xmlNode *child = node->children; child; child = child->next)
		if (child->type == XML_ELEMENT_NODE && xmlStrEqual(child->name, BAD_CAST name))
			return child;
	return NULL;
}

/*
 * libvirt's rule: the first <console> without a virtio target is the first serial port, which
 * it makes where there is none; it stands beside that port's own <serial>.
 */
static bool read_console(struct config_reader *reader, xmlNode *node, GError **error)
{
	xmlNode *target = child_named(node, "target");

	if (target && config_attribute_is(target, "type", "virtio"))
		return read_port(reader, node, error) && check_source(reader, node, error);
	if (reader->console_seen)
		return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
			_("a second <console> must have a target of type 'virtio'"));
	reader->console_seen = true;
	reader->chardev = NULL;
	if (child_named(node->parent, "serial"))
		return true;
	return read_serial(reader, node, error);
}

static bool read_channel(struct config_reader *reader, xmlNode *node, GError **error)
{
	return read_port(reader, node, error);
}

static bool read_channel_target(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_port *port = last_of(reader->config->ports);

	port->name = config_attribute(node, "name");
	if (!port->name || !*port->name)
		return config_fail(reader, node, CONFIG_ERROR_MISSING, error,
			_("<target> of a <channel> has no 'name'"));
	return true;
}

static bool read_source(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_chardev *chardev = reader->chardev;

	if (!chardev)
		return true;
	chardev->path = config_attribute(node, "path");
	chardev->append = config_attribute_is(node, "append", "on");
	chardev->listen = !config_attribute_is(node, "mode", "connect");
	if (chardev->kind == CONFIG_CHARDEV_FILE && !chardev->path)
		return config_fail(reader, node, CONFIG_ERROR_MISSING, error,
			_("<source> has no 'path'"));
	return true;
}

static bool read_log(struct config_reader *reader, xmlNode *node, GError **error)
{
	struct config_chardev *chardev = reader->chardev;

	if (!chardev)
		return true;
	chardev->log = config_attribute(node, "file");
	chardev->log_append = config_attribute_is(node, "append", "on");
	return chardev->log ||
		config_fail(reader, node, CONFIG_ERROR_MISSING, error, _("<log> has no 'file'"));
}

static bool read_balloon(struct config_reader *reader, xmlNode *node, GError **error)
{
	reader->config->balloon = !config_attribute_is(node, "model", "none");
	reader->config->balloon_deflate_on_oom = config_attribute_is(node, "autodeflate", "on");
	reader->config->balloon_reporting = config_attribute_is(node, "freePageReporting", "on");
	return true;
}

static bool read_balloon_stats(struct config_reader *reader, xmlNode *node, GError **error)
{
	uint64_t period;

	if (!config_number(reader, node, "period", 0, 86400, &period, error))
		return false;
	reader->config->balloon_period = (unsigned)period;
	return true;
}

static bool read_rng(struct config_reader *reader, xmlNode *node, GError **error)
{
	reader->config->rngs++;
	return true;
}

static bool read_panic(struct config_reader *reader, xmlNode *node, GError **error)
{
	reader->config->panic = true;
	return true;
}

/* Both files are the same source, which needs no file. */
static bool read_rng_backend(struct config_reader *reader, xmlNode *node, GError **error)
{
	g_autofree char *path = config_text(node);

	if (!*path || strcmp(path, "/dev/urandom") == 0 || strcmp(path, "/dev/random") == 0)
		return true;
	return config_fail(reader, node, CONFIG_ERROR_UNSUPPORTED, error,
		_("'%s' as a source of random numbers is not supported: only /dev/urandom is"), path);
}

#define CHARDEV "type=pty|stdio|file|unix|null tty"
#define MANY CONFIG_RULE_MANY
#define TEXT CONFIG_RULE_TEXT
#define TREE CONFIG_RULE_TREE
#define NESTED CONFIG_RULE_NESTED
#define IMAGE_TYPES "type=raw|qcow2|qed|vdi|vhdx|vmdk|vpc "
#define DEVICES "domain/devices"

/* What every device may carry: the engine finds its own names and places. */
#define PLACE(device) \
	{ DEVICES "/" device "/alias", "name", 0, NULL }, \
	{ DEVICES "/" device "/address", \
		"type domain bus slot function multifunction controller port target unit iobase irq", \
		0, NULL }

/* A limit of <iotune> with its bursts; all are read with the parent. */
#define IOTUNE(name) \
	{ DEVICES "/disk/iotune/" name, NULL, TEXT, NULL }, \
	{ DEVICES "/disk/iotune/" name "_max", NULL, TEXT, NULL }, \
	{ DEVICES "/disk/iotune/" name "_max_length", NULL, TEXT, NULL }

const struct config_rule config_rules[] = {
	{ "domain", "type=kvm|qemu id", 0, read_type },
	{ "domain/name", NULL, TEXT, read_name },
	{ "domain/uuid", NULL, TEXT, read_uuid },
	{ "domain/title", NULL, TEXT, NULL },
	{ "domain/description", NULL, TEXT, NULL },
	{ "domain/metadata", NULL, TREE, NULL },
	{ "domain/maxMemory", "slots unit", TEXT, config_read_max_memory },
	{ "domain/memory", "unit dumpCore=on|off", TEXT, config_read_boot_memory },
	{ "domain/currentMemory", "unit", TEXT, config_read_current_memory },
	{ "domain/vcpu", "placement=static current", TEXT, read_vcpu },
	{ "domain/cputune", NULL, 0, NULL },
	{ "domain/cputune/shares", NULL, TEXT, config_read_shares },
	{ "domain/cputune/period", NULL, TEXT, config_read_period },
	{ "domain/cputune/quota", NULL, TEXT, config_read_quota },
	{ "domain/cputune/global_period", NULL, TEXT, config_read_period },
	{ "domain/cputune/global_quota", NULL, TEXT, config_read_quota },
	{ "domain/cputune/emulator_period", NULL, TEXT, config_read_period },
	{ "domain/cputune/emulator_quota", NULL, TEXT, config_read_quota },
	{ "domain/cputune/vcpupin", "vcpu cpuset", MANY, config_read_vcpupin },
	{ "domain/cputune/emulatorpin", "cpuset", 0, config_read_emulatorpin },
	{ "domain/resource", NULL, 0, NULL },
	{ "domain/resource/partition", NULL, TEXT, NULL },
	{ "domain/seclabel", "type=none|dynamic model relabel", TREE | MANY, NULL },

	{ "domain/os", NULL, 0, NULL },
	{ "domain/os/type", "arch=x86_64|i686 machine=pc*|q35|microvm|lodge*", TEXT, read_os_type },
	{ "domain/os/kernel", NULL, TEXT, read_kernel },
	{ "domain/os/initrd", NULL, TEXT, read_initrd },
	{ "domain/os/cmdline", NULL, TEXT, read_cmdline },
	{ "domain/os/boot", "dev=hd|cdrom", MANY, NULL },

	{ "domain/features", NULL, 0, NULL },
	{ "domain/features/acpi", NULL, 0, NULL },
	{ "domain/features/apic", NULL, 0, NULL },
	{ "domain/features/pae", NULL, 0, NULL },
	{ "domain/features/vmport", "state=off", 0, NULL },

	{ "domain/cpu", "mode=host-passthrough|host-model|maximum check migratable=on|off", 0, NULL },
	/* One node has it all, which is what there is without saying so. */
	{ "domain/cpu/numa", NULL, 0, NULL },
	{ "domain/cpu/numa/cell", "id=0 cpus memory unit memAccess discard", 0, NULL },
	{ "domain/cpu/topology", "sockets dies=1 cores=1 threads=1", 0, read_topology },

	{ "domain/clock", "offset=utc|localtime", 0, read_clock },
	{ "domain/clock/timer", "name=rtc|pit|hpet|kvmclock|tsc tickpolicy present=yes|no", MANY,
		read_timer },
	{ "domain/on_poweroff", NULL, TEXT, read_on_poweroff },
	{ "domain/on_reboot", NULL, TEXT, read_on_reboot },
	{ "domain/on_crash", NULL, TEXT, read_on_crash },
	{ "domain/pm", NULL, 0, NULL },
	{ "domain/pm/suspend-to-mem", "enabled=no", 0, NULL },
	{ "domain/pm/suspend-to-disk", "enabled=no", 0, NULL },

	{ DEVICES, NULL, 0, NULL },
	{ DEVICES "/emulator", NULL, TEXT, NULL },

	{ DEVICES "/disk", "type=file|block|network device=disk|cdrom", MANY, config_read_disk },
	{ DEVICES "/disk/driver",
		"name=qemu " IMAGE_TYPES
		"cache=default|none|writeback|unsafe discard=unmap|ignore io=threads|native|io_uring "
		"error_policy=stop|report|ignore|enospace rerror_policy=stop|report|ignore",
		0, config_read_disk_driver },
	{ DEVICES "/disk/source",
		"file dev index startupPolicy=mandatory protocol=rbd name", 0,
		config_read_disk_source },
	{ DEVICES "/disk/source/host", "name port", MANY, config_read_disk_host },
	{ DEVICES "/disk/source/config", "file", 0, config_read_disk_config },
	{ DEVICES "/disk/source/auth", "username", 0, config_read_disk_auth },
	{ DEVICES "/disk/auth", "username", 0, config_read_disk_auth },
	{ DEVICES "/disk/backingStore", "type=file|block index", NESTED, config_read_disk_backing },
	{ DEVICES "/disk/backingStore/format", IMAGE_TYPES, 0, NULL },
	{ DEVICES "/disk/backingStore/source", "file dev index", 0, NULL },
	{ DEVICES "/disk/target", "dev bus tray=open|closed", 0, config_read_disk_target },
	{ DEVICES "/disk/serial", NULL, TEXT, config_read_disk_serial },
	{ DEVICES "/disk/readonly", NULL, 0, config_read_disk_readonly },
	{ DEVICES "/disk/shareable", NULL, 0, config_read_disk_shareable },
	{ DEVICES "/disk/boot", "order", 0, NULL },
	{ DEVICES "/disk/iotune", NULL, 0, config_read_iotune },
	IOTUNE("total_bytes_sec"),
	IOTUNE("read_bytes_sec"),
	IOTUNE("write_bytes_sec"),
	IOTUNE("total_iops_sec"),
	IOTUNE("read_iops_sec"),
	IOTUNE("write_iops_sec"),
	PLACE("disk"),

	{ DEVICES "/interface", "type=user|bridge|ethernet", MANY, config_read_interface },
	{ DEVICES "/interface/mac", "address type", 0, config_read_mac },
	{ DEVICES "/interface/model", "type=virtio", 0, NULL },
	{ DEVICES "/interface/source", "dev bridge", 0, config_read_interface_source },
	{ DEVICES "/interface/target", "dev", 0, config_read_interface_target },
	{ DEVICES "/interface/backend", "type=passt logFile", 0, config_read_interface_backend },
	{ DEVICES "/interface/mtu", "size", 0, config_read_interface_mtu },
	{ DEVICES "/interface/link", "state=up|down", 0, config_read_interface_link },
	{ DEVICES "/interface/bandwidth", NULL, 0, NULL },
	{ DEVICES "/interface/bandwidth/inbound", "average peak burst", 0, config_read_bandwidth },
	{ DEVICES "/interface/bandwidth/outbound", "average peak burst", 0, config_read_bandwidth },
	{ DEVICES "/interface/ip", "family=ipv4 address prefix", 0, config_read_interface_ip },
	{ DEVICES "/interface/portForward", "proto=tcp|udp address dev", MANY, NULL },
	{ DEVICES "/interface/portForward/range", "start end to exclude=yes|no", MANY,
		config_read_range },
	PLACE("interface"),

	{ DEVICES "/serial", CHARDEV, MANY, read_serial },
	{ DEVICES "/serial/source", "path append=on|off mode=bind|connect", 0, read_source },
	{ DEVICES "/serial/log", "file append=on|off", 0, read_log },
	{ DEVICES "/serial/target", "type=isa-serial port", 0, NULL },
	{ DEVICES "/serial/target/model", "name=isa-serial", 0, NULL },
	PLACE("serial"),
	{ DEVICES "/console", CHARDEV, MANY, read_console },
	{ DEVICES "/console/source", "path append=on|off mode=bind|connect", 0, read_source },
	{ DEVICES "/console/log", "file append=on|off", 0, read_log },
	{ DEVICES "/console/target", "type=serial|virtio port", 0, NULL },
	PLACE("console"),
	{ DEVICES "/channel", "type=pty|file|unix|null", MANY, read_channel },
	{ DEVICES "/channel/source", "path append=on|off mode=bind|connect", 0, read_source },
	{ DEVICES "/channel/log", "file append=on|off", 0, read_log },
	{ DEVICES "/channel/target", "type=virtio name state", 0, read_channel_target },
	PLACE("channel"),

	{ DEVICES "/memballoon",
		"model=virtio|virtio-transitional|virtio-non-transitional|none autodeflate=on|off "
		"freePageReporting=on|off",
		0, read_balloon },
	{ DEVICES "/memballoon/stats", "period", 0, read_balloon_stats },
	PLACE("memballoon"),
	{ DEVICES "/memory", "model=virtio-mem access discard", MANY, config_read_memory_device },
	{ DEVICES "/memory/target", NULL, 0, config_read_memory_target },
	{ DEVICES "/memory/target/size", "unit", TEXT, config_read_memory_size },
	{ DEVICES "/memory/target/node", NULL, TEXT, config_read_memory_node },
	{ DEVICES "/memory/target/block", "unit", TEXT, config_read_memory_block },
	{ DEVICES "/memory/target/requested", "unit", TEXT, config_read_memory_requested },
	{ DEVICES "/memory/target/current", "unit", TEXT, NULL },
	{ DEVICES "/memory/alias", "name", 0, config_read_memory_alias },
	{ DEVICES "/memory/address",
		"type domain bus slot function multifunction", 0, NULL },
	{ DEVICES "/rng", "model=virtio|virtio-non-transitional", MANY, read_rng },
	{ DEVICES "/rng/backend", "model=random|builtin", TEXT, read_rng_backend },
	PLACE("rng"),
	{ DEVICES "/panic", "model=isa", 0, read_panic },
	PLACE("panic"),

	/* Written by every tool, with nothing behind them here: there are no USB, IDE or SATA
	 * devices, no screen and no keyboard that could hang on them. */
	{ DEVICES "/controller",
		"type=usb|pci|virtio-serial|ide|sata|fdc|scsi index model ports vectors", MANY, NULL },
	{ DEVICES "/controller/master", "startport", 0, NULL },
	{ DEVICES "/controller/model", "name", 0, NULL },
	{ DEVICES "/controller/target", "chassis port chassisNr busNr hotplug", 0, NULL },
	PLACE("controller"),
	{ DEVICES "/input", "type=mouse|keyboard|tablet bus=ps2|usb", MANY, NULL },
	PLACE("input"),
	{ DEVICES "/audio", "id type=none", 0, NULL },
	{ DEVICES "/video", NULL, 0, NULL },
	{ DEVICES "/video/model", "type=none", 0, NULL },
	PLACE("video"),
	{ NULL, NULL, 0, NULL },
};
