// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib.h>
#include <glib/gi18n.h>

#include "screens/edit_pages.h"

static const struct edit_row overview[] = {
	{ .key = "name", .label = N_("Name") },
	{ .key = "title", .label = N_("Title") },
	{ .key = "vcpus", .label = N_("vCPUs at start"), .look = LOOK_VCPUS_NOW },
	{ .key = "vcpus", .label = N_("vCPUs at most"), .look = LOOK_VCPUS_MOST },
	{ .key = "currentMemory", .label = N_("Memory at start") },
	{ .key = "memory", .label = N_("Memory at most") },
	{ .key = "clock.offset", .label = N_("Clock") },
	{ .label = N_("What follows when it") },
	{ .key = "on_poweroff", .label = N_("powers off") },
	{ .key = "on_reboot", .label = N_("reboots") },
	{ .key = "on_crash", .label = N_("crashes") },
	{ .key = NULL },
};

static const struct edit_row cpus[] = {
	{ .key = "vcpus", .label = N_("At start"), .look = LOOK_VCPUS_NOW },
	{ .key = "vcpus", .label = N_("At most"), .look = LOOK_VCPUS_MOST, .hint = N_("room to grow later") },
	{ .key = "vcpus.cpuset", .label = N_("On host CPUs") },
	{ .label = N_("Model") },
	{ .key = "cpu.mode", .label = N_("From") },
	{ .key = "cpu.model", .label = N_("Model") },
	{ .key = "cpu.check", .label = N_("Check") },
	{ .key = "cpu.migratable", .label = N_("Migratable") },
	{ .label = N_("Topology") },
	{ .key = "cpu.topology.sockets", .label = N_("Sockets") },
	{ .key = "cpu.topology.cores", .label = N_("Cores") },
	{ .key = "cpu.topology.threads", .label = N_("Threads") },
	{ .label = N_("Features and pinning (F3 adds one)") },
	{ .key = "cpu.feature.*", .look = LOOK_EACH },
	{ .key = "tune.vcpupin.*", .look = LOOK_EACH },
	{ .key = "tune.emulatorpin", .label = N_("Other threads") },
	{ .key = NULL },
};

static const struct edit_row memory[] = {
	{ .key = "currentMemory", .label = N_("At start") },
	{ .key = "memory", .label = N_("At most"), .hint = N_("room to grow later") },
	{ .key = "maxMemory", .label = N_("With memory devices") },
	{ .key = "maxMemory.slots", .label = N_("Slots for them") },
	{ .label = N_("Backing") },
	{ .key = "memory.hugepages", .label = N_("huge pages") },
	{ .key = "memory.locked", .label = N_("never swapped out by the host") },
	{ .key = "memory.nosharepages", .label = N_("equal pages are not merged") },
	{ .key = "memory.source", .label = N_("Source") },
	{ .key = "memory.access", .label = N_("Access") },
	{ .key = "balloon.free_page_reporting", .label = N_("Free pages go back") },
	{ .label = N_("NUMA") },
	{ .key = "tune.numa.mode", .label = N_("Mode") },
	{ .key = "tune.numa.nodeset", .label = N_("Host nodes") },
	{ .key = NULL },
};

static const struct edit_row boot[] = {
	{ .key = "boot.order", .label = N_("Order"), .hint = N_("hd,cdrom,network,fd") },
	{ .key = "boot.menu", .label = N_("Boot menu") },
	{ .key = "boot.menu.timeout", .label = N_("It waits (ms)") },
	{ .label = N_("Firmware and machine") },
	{ .key = "boot.firmware", .label = N_("Firmware") },
	{ .key = "boot.machine", .label = N_("Machine") },
	{ .key = "boot.loader", .label = N_("Loader") },
	{ .key = "boot.nvram", .label = N_("Its variables") },
	{ .key = "features.acpi", .label = N_("ACPI") },
	{ .key = "features.apic", .label = N_("APIC") },
	{ .key = "features.pae", .label = N_("PAE") },
	{ .label = N_("A kernel booted directly") },
	{ .key = "boot.kernel", .label = N_("Kernel") },
	{ .key = "boot.initrd", .label = N_("Initial RAM disk") },
	{ .key = "boot.cmdline", .label = N_("Command line") },
	{ .key = NULL },
};

static const struct edit_row disk[] = {
	{ .key = "disk.*.source", .label = N_("Source") },
	{ .key = "disk.*.device", .label = N_("Device") },
	{ .key = "disk.*.bus", .label = N_("Bus") },
	{ .key = "disk.*.format", .label = N_("Format") },
	{ .key = "disk.*.cache", .label = N_("Cache") },
	{ .key = "disk.*.io", .label = N_("I/O") },
	{ .key = "disk.*.discard", .label = N_("Discard") },
	{ .key = "disk.*.detect_zeroes", .label = N_("Zeroes") },
	{ .key = "disk.*.readonly", .label = N_("read only") },
	{ .key = "disk.*.shareable", .label = N_("shared with other guests") },
	{ .key = "disk.*.serial", .label = N_("Serial number") },
	{ .key = "disk.*.boot", .label = N_("Boot place") },
	{ .label = N_("At most, a second") },
	{ .key = "disk.*.iotune.total_bytes_sec", .label = N_("Bytes") },
	{ .key = "disk.*.iotune.read_bytes_sec", .label = N_("Bytes read") },
	{ .key = "disk.*.iotune.write_bytes_sec", .label = N_("Bytes written") },
	{ .key = "disk.*.iotune.total_iops_sec", .label = N_("Operations") },
	{ .key = "disk.*.iotune.read_iops_sec", .label = N_("Reads") },
	{ .key = "disk.*.iotune.write_iops_sec", .label = N_("Writes") },
	{ .key = NULL },
};

static const struct edit_row nic[] = {
	{ .key = "nic.*.type", .label = N_("Type") },
	{ .key = "nic.*.source", .label = N_("Source") },
	{ .key = "nic.*.model", .label = N_("Model") },
	{ .key = "nic.*.mac", .label = N_("Address (MAC)") },
	{ .key = "nic.*.link", .label = N_("Link") },
	{ .key = "nic.*.mtu", .label = N_("Largest packet") },
	{ .key = "nic.*.boot", .label = N_("Boot place") },
	{ .label = N_("Into the guest, KiB a second") },
	{ .key = "nic.*.in.average", .label = N_("Average") },
	{ .key = "nic.*.in.peak", .label = N_("Peak") },
	{ .key = "nic.*.in.burst", .label = N_("Burst (KiB)") },
	{ .label = N_("Out of the guest, KiB a second") },
	{ .key = "nic.*.out.average", .label = N_("Average") },
	{ .key = "nic.*.out.peak", .label = N_("Peak") },
	{ .key = "nic.*.out.burst", .label = N_("Burst (KiB)") },
	{ .key = NULL },
};

static const struct edit_row graphics[] = {
	{ .key = "graphics.type", .label = N_("Type") },
	{ .key = "graphics.port", .label = N_("Port") },
	{ .key = "graphics.listen", .label = N_("Listens at") },
	{ .key = NULL },
};

static const struct edit_row video[] = {
	{ .key = "video.model", .label = N_("Card") },
	{ .key = NULL },
};

static const struct edit_row balloon[] = {
	{ .key = "balloon.model", .label = N_("Model") },
	{ .key = "balloon.period", .label = N_("Figures every (s)") },
	{ .key = "balloon.free_page_reporting", .label = N_("Free pages go back") },
	{ .key = "balloon.autodeflate", .label = N_("Gives way") },
	{ .key = NULL },
};

static const struct edit_row rng[] = {
	{ .key = "rng.source", .label = N_("Source") },
	{ .key = NULL },
};

static const struct edit_row watchdog[] = {
	{ .key = "watchdog.model", .label = N_("Model") },
	{ .key = "watchdog.action", .label = N_("When it barks") },
	{ .key = NULL },
};

static const struct edit_row tpm[] = {
	{ .key = "tpm.model", .label = N_("Model") },
	{ .key = "tpm.version", .label = N_("Version") },
	{ .key = NULL },
};

static const struct edit_row tuning[] = {
	{ .key = "tune.shares", .label = N_("CPU weight") },
	{ .key = "tune.period", .label = N_("Period (µs)") },
	{ .key = "tune.quota", .label = N_("Quota (µs)"), .hint = N_("of each vCPU") },
	{ .key = "tune.global_period", .label = N_("Whole period (µs)") },
	{ .key = "tune.global_quota", .label = N_("Whole quota (µs)") },
	{ .label = N_("Memory of the guest's process") },
	{ .key = "tune.memory.hard_limit", .label = N_("At most") },
	{ .key = "tune.memory.soft_limit", .label = N_("When short") },
	{ .label = N_("Disks") },
	{ .key = "tune.blkio.weight", .label = N_("Disk weight") },
	{ .key = NULL },
};

static const struct edit_row notes[] = {
	{ .key = "title", .label = N_("Title") },
	{ .key = "description", .label = N_("Description"), .look = LOOK_LINES },
	{ .key = "notes", .label = N_("Notes"), .look = LOOK_NOTES },
	{ .key = NULL },
};

const struct edit_page edit_pages[] = {
	{ "overview", N_("Overview"), EDIT_FORM, overview, NULL, "name uuid clock on_",
		N_("The guest at a glance. All pages work on one draft, which is kept on disk; nothing "
		   "happens to the guest before F10, Review, and Apply there.") },
	{ "cpus", N_("CPUs"), EDIT_FORM, cpus, NULL, "vcpu cpu tune.vcpupin tune.emulatorpin cputune/vcpupin",
		N_("How many processors the guest has, and what they look like to it. F3 adds a CPU "
		   "feature or pins a vCPU; an empty field takes it away.") },
	{ "memory", N_("Memory"), EDIT_FORM, memory, NULL,
		"memory currentMemory maxMemory memoryBacking tune.numa numatune",
		N_("A size has a unit, such as 512 MiB or 4 GiB. What the guest has at start can be changed "
		   "while it runs, up to the most.") },
	{ "boot", N_("Boot"), EDIT_FORM, boot, NULL, "boot features os",
		N_("What the guest starts from. An empty field means the host's own choice.") },
	{ "disks", N_("Disks"), EDIT_BRANCH, NULL, " disk ", "disk.",
		N_("The guest's disks. F3 adds one, F5 removes the one shown; its file stays.") },
	{ "nics", N_("Network"), EDIT_BRANCH, NULL, " interface ", "nic.",
		N_("The guest's network cards. F3 adds one, F5 removes the one shown.") },
	{ "consoles", N_("Consoles"), EDIT_BRANCH, NULL,
		" serial parallel console channel graphics ", "graphics.",
		N_("Serial lines, consoles, channels and graphics. F3 adds one, F5 removes the one "
		   "shown.") },
	{ "devices", N_("Other devices"), EDIT_BRANCH, NULL, NULL,
		"video. balloon. rng. watchdog. tpm. devices/",
		N_("All other devices: TPM, watchdog, random numbers, video, balloon, devices of the host "
		   "and more. F3 adds one, F5 removes the one shown.") },
	{ "tuning", N_("Tuning"), EDIT_FORM, tuning, NULL, "tune. cputune memtune blkiotune",
		N_("The guest's share of its host. An empty field means no limit.") },
	{ "notes", N_("Notes"), EDIT_FORM, notes, NULL, "title description metadata",
		N_("Texts about the guest; they are kept in its definition.") },
	{ "xml", N_("XML"), EDIT_XML, NULL, NULL, NULL,
		N_("The whole draft. '/' searches, n goes on. F4 edits it here, F7 in your editor "
		   "($VISUAL or $EDITOR).") },
	{ "revisions", N_("Revisions"), EDIT_REVISIONS, NULL, NULL, NULL,
		N_("Every definition that was saved here, newest last. Enter shows one, F7 what differs "
		   "from the saved one, F5 makes it the draft.") },
};
const size_t n_edit_pages = G_N_ELEMENTS(edit_pages);

const struct edit_row *edit_device_rows(const char *element)
{
	static const struct {
		const char *element;
		const struct edit_row *rows;
	} table[] = { { "disk", disk }, { "interface", nic }, { "graphics", graphics },
		{ "video", video }, { "memballoon", balloon }, { "rng", rng },
		{ "watchdog", watchdog }, { "tpm", tpm } };

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		if (g_strcmp0(table[i].element, element) == 0)
			return table[i].rows;
	return NULL;
}

const struct edit_addition edit_additions[] = {
	{ N_("Disk"), "disk",
		{ { N_("File"), "", NULL, true, NULL }, { N_("Target"), "DISK", NULL, true, NULL },
			{ N_("Bus"), "virtio", "virtio scsi sata ide usb xen", false, "disk.vda.bus" },
			{ N_("Format"), "qcow2", "qcow2 raw", false, NULL } },
		.fragment = "<disk type='file' device='disk'>\n  <driver name='qemu' type='%3'/>\n"
		"  <source file='%0'/>\n  <target dev='%1' bus='%2'/>\n</disk>" },
	{ N_("CD drive"), "disk",
		{ { N_("Image"), "", NULL, true, NULL }, { N_("Target"), "DRIVE", NULL, true, NULL },
			{ N_("Bus"), "sata", "sata ide scsi usb", false, "disk.vda.bus" } },
		.fragment = "<disk type='file' device='cdrom'>\n  <source file='%0'/>\n"
		"  <target dev='%1' bus='%2'/>\n  <readonly/>\n</disk>" },
	{ N_("NIC in a network"), "interface",
		{ { N_("Network"), "default", NULL, true, NULL }, { N_("Address (MAC)"), "MAC", NULL, true, NULL },
			{ N_("Model"), "virtio", NULL, true, NULL } },
		.fragment = "<interface type='network'>\n  <mac address='%1'/>\n  <source network='%0'/>\n"
		"  <model type='%2'/>\n</interface>" },
	{ N_("NIC on a bridge"), "interface",
		{ { N_("Bridge"), "br0", NULL, true, NULL }, { N_("Address (MAC)"), "MAC", NULL, true, NULL },
			{ N_("Model"), "virtio", NULL, true, NULL } },
		.fragment = "<interface type='bridge'>\n  <mac address='%1'/>\n  <source bridge='%0'/>\n"
		"  <model type='%2'/>\n</interface>" },
	{ N_("NIC of the user's own network"), "interface",
		{ { N_("Address (MAC)"), "MAC", NULL, true, NULL }, { N_("Model"), "virtio", NULL, true, NULL } },
		.fragment = "<interface type='user'>\n  <mac address='%0'/>\n  <model type='%1'/>\n</interface>" },
	{ N_("Serial console"), "serial", { { .label = NULL } },
		.fragment = "<serial type='pty'/>" },
	{ N_("Channel of the guest agent"), "channel", { { .label = NULL } },
		.fragment = "<channel type='unix'>\n  <target type='virtio' name='org.qemu.guest_agent.0'/>\n"
		"</channel>" },
	{ N_("Graphics"), "graphics",
		{ { N_("Type"), "vnc", "vnc spice", true, "graphics.type" },
			{ N_("Listens at"), "127.0.0.1", NULL, true, NULL } },
		.fragment = "<graphics type='%0' autoport='yes' listen='%1'/>" },
	{ N_("Video card"), "video",
		{ { N_("Card"), "virtio", "virtio vga qxl cirrus bochs", true, "video.model" } },
		.fragment = "<video>\n  <model type='%0'/>\n</video>" },
	{ N_("Random numbers (RNG)"), "rng",
		{ { N_("Source"), "/dev/urandom", NULL, true, NULL } },
		.fragment = "<rng model='virtio'>\n  <backend model='random'>%0</backend>\n</rng>" },
	{ N_("Watchdog"), "watchdog",
		{ { N_("Model"), "i6300esb", "i6300esb ib700 diag288 itco", true, NULL },
			{ N_("When it barks"), "reset",
				"reset shutdown poweroff pause none dump inject-nmi", true, NULL } },
		.fragment = "<watchdog model='%0' action='%1'/>" },
	{ N_("TPM"), "tpm",
		{ { N_("Model"), "tpm-crb", "tpm-crb tpm-tis", true, "tpm.model" },
			{ N_("Version"), "2.0", "2.0 1.2", true, "tpm.version" } },
		.fragment = "<tpm model='%0'>\n  <backend type='emulator' version='%1'/>\n</tpm>" },
	{ N_("PCI device of the host"), "hostdev",
		{ { N_("Bus"), "0x00", NULL, true, NULL }, { N_("Slot"), "0x00", NULL, true, NULL },
			{ N_("Function"), "0x0", NULL, true, NULL } },
		.fragment = "<hostdev mode='subsystem' type='pci' managed='yes'>\n  <source>\n"
		"    <address domain='0x0000' bus='%0' slot='%1' function='%2'/>\n  </source>\n"
		"</hostdev>" },
	{ N_("USB device of the host"), "hostdev",
		{ { N_("Vendor"), "0x0000", NULL, true, NULL }, { N_("Product"), "0x0000", NULL, true, NULL } },
		.fragment = "<hostdev mode='subsystem' type='usb'>\n  <source>\n    <vendor id='%0'/>\n"
		"    <product id='%1'/>\n  </source>\n</hostdev>" },
	{ N_("CPU feature"), NULL,
		{ { N_("Name"), "", NULL, true, NULL },
			{ N_("Policy"), "require", "force require optional disable forbid", true, NULL } },
		.key = "cpu.feature.%0" },
	{ N_("vCPU pinned to host CPUs"), NULL,
		{ { N_("vCPU"), "0", NULL, true, NULL }, { N_("Host CPUs"), "", NULL, true, NULL } },
		.key = "tune.vcpupin.%0" },
};
const size_t n_edit_additions = G_N_ELEMENTS(edit_additions);
