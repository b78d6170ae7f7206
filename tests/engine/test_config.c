// SPDX-License-Identifier: GPL-3.0-or-later
/* Guest definitions: what virt-install writes is read, what is not supported is refused by line. */
#include "engine/common/config.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

#define HEAD "<domain type='qemu'>\n<name>g</name>\n<memory unit='MiB'>128</memory>\n"
#define OS "<os><type>hvm</type><kernel>/k</kernel></os>\n"

static struct machine_config *read_text(const char *text, GError **error)
{
	return config_read_memory(text, strlen(text), "g.xml", error);
}

static struct machine_config *read_sample(const char *name)
{
	g_autofree char *path = g_build_filename(g_getenv("top_srcdir"), "tests/engine/config",
		name, NULL);
	g_autoptr(GError) error = NULL;
	struct machine_config *config = config_read_file(path, &error);

	if (!config)
		fail_msg("%s", error->message);
	return config;
}

static void reads_what_virt_install_writes(void **state)
{
	static const char *const names[] = { "virt-install-plain.xml", "virt-install-debian11.xml",
		"virt-install-kvm.xml" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		struct machine_config *config = read_sample(names[i]);
		struct config_disk *disk;

		assert_string_equal(config->name, "g1");
		assert_int_equal(config->memory, 512 << 20);
		assert_int_equal(config->memory_current, 512 << 20);
		assert_int_equal(config->vcpus, 2);
		assert_int_equal(config->vcpus_max, 2);
		assert_string_equal(config->kernel, "/srv/vmlinuz");
		assert_string_equal(config->initrd, "/srv/initrd");
		assert_string_equal(config->cmdline, "console=ttyS0");
		assert_int_equal(config->cpu, i == 2 ? CONFIG_CPU_KVM : CONFIG_CPU_SOFT);
		assert_int_equal(config->disks->len, 1);
		disk = g_ptr_array_index(config->disks, 0);
		assert_string_equal(disk->path, "/srv/g1.img");
		assert_string_equal(disk->target, "vda");
		assert_int_equal(config->nets->len, 1);
		assert_true(config->balloon);
		assert_int_equal(config->rngs, i == 0 ? 0 : 1);
		config_free(config);
	}
}

static void reads_consoles_as_libvirt_means_them(void **state)
{
	struct machine_config *config = read_sample("virt-install-debian11.xml");
	struct config_port *port;

	/* One <console> of type pty makes COM1; the agent's channel is a virtio port. */
	assert_int_equal(config->serials->len, 1);
	assert_int_equal(config->ports->len, 1);
	port = g_ptr_array_index(config->ports, 0);
	assert_string_equal(port->name, "org.qemu.guest_agent.0");
	config_free(config);

	config = read_text(HEAD OS "<devices><serial type='file'><source path='/log'/></serial>"
				   "<console type='pty'><target type='serial'/></console>"
				   "<console type='pty'><target type='virtio'/></console>"
				   "</devices></domain>",
		NULL);
	assert_non_null(config);
	assert_int_equal(config->serials->len, 1);
	assert_string_equal(
		((struct config_chardev *)g_ptr_array_index(config->serials, 0))->path, "/log");
	assert_int_equal(config->ports->len, 1);
	config_free(config);
}

static void reads_details_of_devices(void **state)
{
	g_autoptr(GError) error = NULL;
	struct machine_config *config = read_text(
		HEAD OS
		"<vcpu current='2'>4</vcpu><currentMemory>65536</currentMemory>"
		"<on_reboot>destroy</on_reboot><on_crash>preserve</on_crash>"
		"<devices>"
		"<disk type='block'><driver type='raw' cache='none' discard='unmap'/>"
		"<source dev='/dev/x'/><target dev='vdb'/><serial>S1</serial><readonly/></disk>"
		"<interface type='user'><mac address='52:54:00:01:02:ff'/><model type='virtio'/>"
		"<portForward proto='tcp' address='127.0.0.1'><range start='2022' to='22'/>"
		"<range start='8000' end='8010'/></portForward></interface>"
		"<memballoon model='virtio' freePageReporting='on'><stats period='5'/></memballoon>"
		"</devices></domain>",
		&error);
	struct config_disk *disk;
	struct config_net *net;
	struct config_forward *forward;

	assert_null(error);
	assert_int_equal(config->vcpus, 2);
	assert_int_equal(config->vcpus_max, 4);
	assert_int_equal(config->memory_current, 64 << 20);
	assert_int_equal(config->on_reboot, CONFIG_ACTION_DESTROY);
	assert_int_equal(config->on_crash, CONFIG_ACTION_PRESERVE);
	disk = g_ptr_array_index(config->disks, 0);
	assert_true(disk->block && disk->readonly && disk->discard);
	assert_string_equal(disk->serial, "S1");
	net = g_ptr_array_index(config->nets, 0);
	assert_memory_equal(net->mac, "\x52\x54\x00\x01\x02\xff", 6);
	assert_int_equal(net->forwards->len, 2);
	forward = g_ptr_array_index(net->forwards, 0);
	assert_int_equal(forward->start, 2022);
	assert_int_equal(forward->end, 2022);
	assert_int_equal(forward->to, 22);
	assert_string_equal(forward->address, "127.0.0.1");
	assert_int_equal(config->balloon_period, 5);
	assert_true(config->balloon_reporting);
	config_free(config);
}

static void reads_limits_formats_and_networks(void **state)
{
	g_autoptr(GError) error = NULL;
	struct machine_config *config = read_text(
		HEAD OS "<devices>"
		"<disk type='file'><driver type='qcow2' error_policy='enospace'/><source file='/q'/>"
		"<target dev='vda'/><iotune><read_bytes_sec>1000</read_bytes_sec>"
		"<read_bytes_sec_max>2000</read_bytes_sec_max>"
		"<read_bytes_sec_max_length>30</read_bytes_sec_max_length>"
		"<total_iops_sec>50</total_iops_sec></iotune></disk>"
		"<disk type='network'><driver type='raw' rerror_policy='stop'/>"
		"<source protocol='rbd' name='pool/image'><host name='a' port='3300'/><host name='b'/>"
		"<config file='/etc/ceph.conf'/></source><auth username='me'/><target dev='vdb'/></disk>"
		"<interface type='bridge'><mac address='52:54:00:01:02:03'/><source bridge='br0'/>"
		"<model type='virtio'/><link state='down'/><bandwidth>"
		"<inbound average='100' peak='200' burst='50'/><outbound average='7'/></bandwidth>"
		"</interface>"
		"<interface type='ethernet'><target dev='tap9'/><model type='virtio'/></interface>"
		"</devices></domain>",
		&error);
	const struct config_disk *disk;
	const struct config_net *net;

	assert_null(error);
	disk = g_ptr_array_index(config->disks, 0);
	assert_string_equal(disk->format, "qcow2");
	assert_int_equal(disk->on_write_error, CONFIG_ON_ERROR_ENOSPC);
	assert_int_equal(disk->on_read_error, CONFIG_ON_ERROR_REPORT);
	assert_int_equal(disk->limits[CONFIG_LIMIT_READ_BYTES].rate, 1000);
	assert_int_equal(disk->limits[CONFIG_LIMIT_READ_BYTES].max, 2000);
	assert_int_equal(disk->limits[CONFIG_LIMIT_READ_BYTES].max_length, 30);
	assert_int_equal(disk->limits[CONFIG_LIMIT_TOTAL_IOPS].rate, 50);
	assert_int_equal(disk->limits[CONFIG_LIMIT_WRITE_BYTES].rate, 0);
	disk = g_ptr_array_index(config->disks, 1);
	assert_null(disk->format);
	assert_string_equal(disk->rbd, "pool/image");
	assert_string_equal(disk->rbd_user, "me");
	assert_string_equal(disk->rbd_conf, "/etc/ceph.conf");
	assert_string_equal(g_ptr_array_index(disk->rbd_hosts, 0), "a:3300");
	assert_string_equal(g_ptr_array_index(disk->rbd_hosts, 1), "b");
	assert_int_equal(disk->on_read_error, CONFIG_ON_ERROR_STOP);
	assert_int_equal(disk->on_write_error, CONFIG_ON_ERROR_REPORT);
	net = g_ptr_array_index(config->nets, 0);
	assert_true(net->tap && net->link_down);
	assert_string_equal(net->bridge, "br0");
	assert_int_equal(net->inbound.average, 100);
	assert_int_equal(net->inbound.peak, 200);
	assert_int_equal(net->inbound.burst, 50);
	assert_int_equal(net->outbound.average, 7);
	net = g_ptr_array_index(config->nets, 1);
	assert_true(net->tap && !net->link_down);
	assert_string_equal(net->tap_name, "tap9");
	config_free(config);
}

static void reads_a_device_by_itself(void **state)
{
	static const char disk[] = "<disk type='file'><source file='/d'/><target dev='vdz'/></disk>";
	static const char *const wrong[] = { "", "<disk", "<rng model='virtio'/>", "<domain/>",
		"<disk type='file'><target dev='vdz'/></disk>",
		"<!DOCTYPE disk><disk type='file'><source file='/d'/><target dev='vdz'/></disk>",
		"<disk type='file' x='1'><source file='/d'/><target dev='vdz'/></disk>" };
	struct machine_config *config = config_read_device(disk, strlen(disk), "web", NULL);

	assert_non_null(config);
	assert_int_equal(config->disks->len, 1);
	assert_string_equal(
		((struct config_disk *)g_ptr_array_index(config->disks, 0))->target, "vdz");
	config_free(config);
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(config_read_device(wrong[i], strlen(wrong[i]), "web", &error));
		assert_non_null(error);
	}
}

#define DRIVE(more) "<devices><disk type='file' device='cdrom'>" more "</disk></devices></domain>"

/* With a medium, without one, with the tray out. */
static void reads_drives(void **state)
{
	static const char *const media[] = {"/a.iso", NULL, NULL};
	g_autoptr(GError) error = NULL;
	struct machine_config *config = read_text(HEAD OS "<devices>"
		"<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>"
		"<source file='/a.iso'/><target dev='sda' bus='scsi'/><readonly/>"
		"<address type='drive' controller='0' bus='0' target='0' unit='0'/></disk>"
		"<disk type='file' device='cdrom'><target dev='sdb'/></disk>"
		"<disk type='block' device='cdrom'><source startupPolicy='mandatory'/>"
		"<target dev='sdc' bus='scsi' tray='open'/></disk></devices></domain>", &error);

	assert_null(error);
	assert_int_equal(config->disks->len, 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct config_disk *disk = g_ptr_array_index(config->disks, i);

		assert_true(disk->cdrom && disk->readonly);
		assert_int_equal(disk->tray_open, i == 2);
		assert_int_equal(g_strcmp0(disk->path, media[i]), 0);
	}
	config_free(config);
}

/* What is refused, why, and where that is said to be. */
static const struct {
	const char *text;
	enum config_error code;
	const char *message;
} refusals[] = {
	{ HEAD OS "<devices><disk type='file'><source file='/d'/><target dev='vda'/></disk>"
		  "<disk type='file'><source file='/e'/><target dev='vda'/></disk></devices>"
		  "</domain>",
		CONFIG_ERROR_INVALID, "g.xml:1: there are two disks 'vda'" },
	{ HEAD OS "<devices><disk type='file'><source file='/d'/><target dev='vda'/><iotune>"
		  "<total_iops_sec_max>5</total_iops_sec_max></iotune></disk></devices></domain>",
		CONFIG_ERROR_INVALID, 
		"g.xml:5: total_iops_sec: a burst must be faster than the limit that it is a "
		"burst of" },
	{ HEAD OS "<devices><disk type='network'><source protocol='nbd' name='x'/>"
		  "<target dev='vda'/></disk></devices></domain>",
		CONFIG_ERROR_UNSUPPORTED, 
		"g.xml:5: protocol='nbd' of <source> is not supported" },
	{ HEAD OS "<devices><disk type='network'><source protocol='rbd' name='x'/>"
		  "<target dev='vda'/></disk></devices></domain>",
		CONFIG_ERROR_INVALID, 
		"g.xml:5: <source> of this <disk> has no name of the form POOL/IMAGE" },
	{ HEAD OS "<devices><interface type='bridge'><model type='virtio'/></interface>"
		  "</devices></domain>",
		CONFIG_ERROR_MISSING,
		"g.xml:5: <interface> has no <source bridge=…>" },
	{ HEAD OS "<devices>\n<graphics type='vnc'/>\n</devices></domain>",
		CONFIG_ERROR_UNSUPPORTED,
		"g.xml:6: element <graphics> in <devices> is not supported" },
	{ HEAD OS "<devices><disk type='file'><driver type='cow'/><source file='/d'/>"
		  "<target dev='vda'/></disk></devices></domain>",
		CONFIG_ERROR_UNSUPPORTED,
		"g.xml:5: type='cow' of <driver> is not supported" },
	{ HEAD OS "<devices><disk type='file'><driver cache='writethrough'/>"
		  "<source file='/d'/><target dev='vda'/></disk></devices></domain>",
		CONFIG_ERROR_UNSUPPORTED,
		"g.xml:5: cache='writethrough' of <driver> is not supported" },
	{ HEAD OS DRIVE("<target dev='hda' bus='ide'/>"), CONFIG_ERROR_UNSUPPORTED,
		"g.xml:5: CD-ROM drive 'hda' is not on the SCSI bus: write bus='scsi'" },
	{ HEAD OS DRIVE("<target dev='hda' bus='scsi'/>"), CONFIG_ERROR_UNSUPPORTED,
		"g.xml:5: CD-ROM drive 'hda' has another bus's name: write dev='sda'" },
	{ HEAD OS DRIVE("<driver type='qcow2'/><target dev='sda'/>"), CONFIG_ERROR_UNSUPPORTED,
		"g.xml:5: the medium of a CD-ROM drive must be a plain image: write "
		"type='raw'" },
	{ HEAD OS DRIVE("<driver rerror_policy='stop'/><target dev='sda'/>"), CONFIG_ERROR_UNSUPPORTED,
		"g.xml:5: errors of a CD-ROM drive can only be reported to the guest" },
	{ HEAD OS DRIVE(""), CONFIG_ERROR_MISSING, "g.xml:5: <disk> has no <target>" },
	{ HEAD OS "<devices><disk type='file'><source file='/d'/><target dev='sda' "
		  "bus='scsi'/></disk></devices></domain>",
		CONFIG_ERROR_UNSUPPORTED,
		"g.xml:5: disk 'sda' is not on the virtio bus: write bus='virtio'" },
	{ HEAD OS "<devices><disk type='file'><source file='/d'/><target dev='vda' "
		  "tray='open'/></disk></devices></domain>",
		CONFIG_ERROR_UNSUPPORTED,
		"g.xml:5: disk 'vda' has no tray: only a CD-ROM drive has" },
	{ HEAD OS "<vcpu cpuset='1'>2</vcpu></domain>", CONFIG_ERROR_UNSUPPORTED,
		"g.xml:5: attribute 'cpuset' of <vcpu> is not supported" },
	{ "<domain type='xen'/>", CONFIG_ERROR_UNSUPPORTED,
		"g.xml:1: type='xen' of <domain> is not supported" },
	{ "<domain/>", CONFIG_ERROR_MISSING,
		"g.xml:1: <domain> has no type: it must be 'kvm' or 'qemu'" },
	{ HEAD "</domain>", CONFIG_ERROR_MISSING,
		"g.xml:1: <kernel> is missing in <os>: the engine boots a kernel file "
		"directly" },
	{ HEAD OS "<vcpu>0</vcpu></domain>", CONFIG_ERROR_INVALID,
		"g.xml:5: '0' of <vcpu> is not a number from 1 to 64" },
	{ HEAD OS "<name>again</name></domain>", CONFIG_ERROR_INVALID,
		"g.xml:5: <name> stands here a second time" },
	{ HEAD OS "<clock offset='utc'><timer name='hpet' present='yes'/></clock></domain>",
		CONFIG_ERROR_UNSUPPORTED,
		"g.xml:5: the engine has no HPET: write present='no'" },
	{ HEAD OS "<x:y xmlns:x='urn:z'/></domain>", CONFIG_ERROR_UNSUPPORTED,
		"g.xml:5: element <x:y> in <domain> is not supported" },
	{ HEAD OS "stray</domain>", CONFIG_ERROR_INVALID,
		"g.xml:5: <domain> must not hold text" },
	{ "<domain type='qemu'>\n<memory unit='MiB'>99999999</memory></domain>",
		CONFIG_ERROR_INVALID, "g.xml:2: <memory> must be from 1 MiB to 1 TiB" },
	{ "<network/>", CONFIG_ERROR_INVALID,
		"g.xml:1: this is not a domain definition: it does not begin with <domain>" },
	{ HEAD OS "<devices><interface type='network'><source network='b'/></interface>"
		  "</devices></domain>",
		CONFIG_ERROR_UNSUPPORTED,
		"g.xml:5: type='network' of <interface> is not supported" },
};

static void refuses_by_name_and_line(void **state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(read_text(refusals[i].text, &error));
		assert_string_equal(error->message, refusals[i].message);
		assert_true(g_error_matches(error, CONFIG_ERROR, (int)refusals[i].code));
	}
}

/* ---- memory that is plugged later ---- */

#define MEMORY(model, children) \
	"<devices><memory model='" model "'>" children "</memory></devices></domain>"
#define MAX_MEMORY "<maxMemory slots='1' unit='GiB'>1</maxMemory>\n"
#define SIZE "<size unit='MiB'>64</size><node>0</node>"

static void reads_memory_devices(void **state)
{
	g_autoptr(GError) error = NULL;
	struct machine_config *config = read_text(HEAD OS MAX_MEMORY
		"<cpu><numa><cell id='0' cpus='0' memory='65536' unit='KiB'/></numa></cpu>"
		MEMORY("virtio-mem", "<target>" SIZE "<block unit='MiB'>4</block>"
			"<requested unit='MiB'>8</requested><current unit='KiB'>0</current></target>"
			"<alias name='more'/><address type='pci' slot='0x09'/>"),
		&error);
	const struct config_memory *memory;

	if (!config)
		fail_msg("%s", error->message);
	/* <memory> is boot memory and devices together. */
	assert_int_equal(config->memory, 64 << 20);
	assert_int_equal(config->memory_current, 64 << 20);
	assert_int_equal(config->memory_max, 1 << 30);
	assert_int_equal(config->memories->len, 1);
	memory = g_ptr_array_index(config->memories, 0);
	assert_string_equal(memory->alias, "more");
	assert_int_equal(memory->size, 64 << 20);
	assert_int_equal(memory->block, 4 << 20);
	assert_int_equal(memory->requested, 8 << 20);
	config_free(config);
	config = read_text(
		HEAD OS MAX_MEMORY MEMORY("virtio-mem", "<target>" SIZE "</target>"), NULL);
	memory = g_ptr_array_index(config->memories, 0);
	assert_string_equal(memory->alias, "virtiomem0");
	assert_int_equal(memory->block, 2 << 20);
	assert_int_equal(memory->requested, 0);
	config_free(config);
}

static void refuses_memory_devices_that_cannot_be(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ HEAD OS MAX_MEMORY MEMORY("dimm", "<target>" SIZE "</target>"),
			"g.xml:6: model='dimm' of <memory> is not supported" },
		{ HEAD OS MEMORY("virtio-mem", "<target>" SIZE "</target>"),
			"g.xml:1: there are 1 memory devices, more than the slots of <maxMemory>" },
		{ HEAD OS MAX_MEMORY MEMORY("virtio-mem", "<target/>"),
			"g.xml:6: <size> is missing" },
		{ HEAD OS MAX_MEMORY MEMORY("virtio-mem", ""),
			"g.xml:1: memory device 'virtiomem0' has no <target>" },
		{ HEAD OS MAX_MEMORY
			MEMORY("virtio-mem", "<target>" SIZE "<block unit='MiB'>3</block></target>"),
			"g.xml:6: <block> must be a power of two, 2 MiB or more" },
		{ HEAD OS MAX_MEMORY MEMORY("virtio-mem",
			"<target>" SIZE "<requested unit='MiB'>65</requested></target>"),
			"g.xml:1: memory device 'virtiomem0': sizes must be multiples of its "
			"<block>" },
		{ HEAD OS MAX_MEMORY MEMORY("virtio-mem",
			"<target>" SIZE "<requested unit='MiB'>66</requested></target>"),
			"g.xml:1: memory device 'virtiomem0': more is requested than its size" },
		{ HEAD OS MAX_MEMORY
			MEMORY("virtio-mem", "<target><size unit='MiB'>128</size></target>"),
			"g.xml:1: <memory> must be the memory at boot and the sizes of all memory "
			"devices together" },
		{ HEAD OS "<maxMemory slots='1' unit='MiB'>64</maxMemory></domain>",
			"g.xml:1: <memory> is more than <maxMemory>" },
		{ HEAD OS "<maxMemory unit='MiB'>512</maxMemory></domain>",
			"g.xml:5: <maxMemory> has no 'slots'" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(read_text(cases[i].text, &error));
		assert_string_equal(error->message, cases[i].message);
	}
}

static void refuses_what_is_not_xml(void **state)
{
	static const char *const texts[] = { "", "<domain", "\177ELF", "<a></b>" };

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(read_text(texts[i], &error));
		assert_true(g_error_matches(error, CONFIG_ERROR, CONFIG_ERROR_SYNTAX));
	}
}

/* Neither files of the host nor a bomb of entities get in. */
static void refuses_entities(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_null(read_text("<!DOCTYPE domain [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"
			      "<domain type='qemu'><name>&e;</name></domain>",
		&error));
	assert_true(g_error_matches(error, CONFIG_ERROR, CONFIG_ERROR_UNSUPPORTED));
}

static void a_missing_file_is_said(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_null(config_read_file("/nonexistent/g.xml", &error));
	assert_true(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_virt_install_writes),
		cmocka_unit_test(reads_consoles_as_libvirt_means_them),
		cmocka_unit_test(reads_details_of_devices),
		cmocka_unit_test(reads_limits_formats_and_networks),
		cmocka_unit_test(reads_a_device_by_itself),
		cmocka_unit_test(reads_drives),
		cmocka_unit_test(refuses_by_name_and_line),
		cmocka_unit_test(reads_memory_devices),
		cmocka_unit_test(refuses_memory_devices_that_cannot_be),
		cmocka_unit_test(refuses_what_is_not_xml),
		cmocka_unit_test(refuses_entities),
		cmocka_unit_test(a_missing_file_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
