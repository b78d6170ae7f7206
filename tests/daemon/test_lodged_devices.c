// SPDX-License-Identifier: GPL-3.0-or-later
/* Devices of a running guest, changed by virsh and seen by the guest itself. */
#include <config.h>

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "tests/daemon/linux.h"
#include "tests/iso.h"

#include <errno.h>
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static bool dumps(const char *options, const char *part)
{
	g_autofree char *xml = virsh("dumpxml " LINUX_GUEST " %s", options);

	return strstr(xml, part) != NULL;
}

static void lists(const char *options, const char *command, const char *part, bool is)
{
	g_autofree char *text = virsh("%s " LINUX_GUEST " %s", command, options);

	if ((strstr(text, part) != NULL) != is)
		print_message("%s: %s\n", command, text);
	assert_int_equal(strstr(text, part) != NULL, is);
}

static void fails(const char *part, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *command = g_strdup_vprintf(format, args);
	va_end(args);
	has(part, false, command);
}

static char *write_xml(const char *name, const char *text)
{
	char *path = g_build_filename(daemon_under_test.root, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

/* ---- disks ----------------------------------------------------------------------------------- */

static void disks_come_and_go(void **state)
{
	g_autofree char *image = linux_disk("vdb.img", 8);

	linux_comes_to_say("disks vda:16 nics");
	done("attach-disk " LINUX_GUEST " %s vdb --live --config", image);
	linux_comes_to_say("disks vda:16 vdb:8 nics");
	lists("", "domblklist", "vdb.img", true);
	lists("--inactive", "domblklist", "vdb.img", true);
	assert_true(dumps("", "<alias name='virtio-disk1'/>"));
	assert_false(dumps("--inactive", "<alias"));
	fails("target 'vdb' duplicated for disk sources", "attach-disk " LINUX_GUEST " %s vdb",
		image);
	fails("Requested operation is not valid: target vdb already exists",
		"attach-disk " LINUX_GUEST " %s vdb --config", image);
	done("detach-disk " LINUX_GUEST " vdb");
	linux_comes_to_say("disks vda:16 nics");
	lists("", "domblklist", "vdb.img", false);
	lists("--inactive", "domblklist", "vdb.img", true);
	done("detach-disk " LINUX_GUEST " vdb --config");
	lists("--inactive", "domblklist", "vdb.img", false);
	fails("No disk found", "detach-disk " LINUX_GUEST " vdb");
	fails("Cannot access storage file", "attach-disk " LINUX_GUEST " /nonexistent/x vdc");
	lists("", "domblklist", "vdc", false);
}

static void a_disk_goes_by_its_alias(void **state)
{
	g_autofree char *image = linux_disk("vdd.img", 4);

	done("attach-disk " LINUX_GUEST " %s vdd", image);
	/* Linux counts for itself. */
	linux_comes_to_say(" vdb:4 ");
	fails("no device found with alias nothing", "detach-device-alias " LINUX_GUEST " nothing");
	done("detach-device-alias " LINUX_GUEST " virtio-disk3 --live");
	linux_comes_to_say("disks vda:16 nics");
}

static void a_disk_grows(void **state)
{
	done("blockresize " LINUX_GUEST " vda 24M");
	linux_comes_to_say("vda:24 ");
	lists("vda", "domblkinfo", "25165824", true);
	fails("disk 'vdz' was not found in the domain config", "blockresize " LINUX_GUEST " vdz 24M");
}

static void disks_have_limits(void **state)
{
	done("blkdeviotune " LINUX_GUEST " vda --total-bytes-sec 5000000 --read-iops-sec 100"
	     " --live --config");
	lists("vda", "blkdeviotune", "total_bytes_sec: 5000000", true);
	lists("vda --config", "blkdeviotune", "read_iops_sec  : 100", true);
	assert_true(dumps("", "<total_bytes_sec>5000000</total_bytes_sec>"));
	assert_true(dumps("--inactive", "<read_iops_sec>100</read_iops_sec>"));
	/* The other kind stays, and its own kind goes. */
	done("blkdeviotune " LINUX_GUEST " vda --write-bytes-sec 1000000");
	lists("vda", "blkdeviotune", "total_bytes_sec: 0", true);
	lists("vda", "blkdeviotune", "read_iops_sec  : 100", true);
	fails("total and read/write of bytes_sec cannot be set at the same time",
		"blkdeviotune " LINUX_GUEST " vda --total-bytes-sec 1 --read-bytes-sec 1");
	fails("disk 'vdz' not found in domain",
		"blkdeviotune " LINUX_GUEST " vdz --total-bytes-sec 1");
	fails("size_iops_sec is not there",
		"blkdeviotune " LINUX_GUEST " vda --size-iops-sec 4096");
	done("blkdeviotune " LINUX_GUEST " vda --total-bytes-sec 0 --total-iops-sec 0"
	     " --live --config");
	assert_false(dumps("", "iotune"));
	assert_false(dumps("--inactive", "iotune"));
}

static void disks_are_counted(void **state)
{
	lists("vda", "domblkstat", "vda rd_req ", true);
	lists("", "domblkstat", "rd_bytes", true);
	lists("--block", "domstats", "block.0.name=vda", true);
	lists("--block", "domstats", "block.0.capacity=", true);
	fails("invalid path: vdz", "domblkstat " LINUX_GUEST " vdz");
}

/* ---- CD-ROM drives --------------------------------------------------------------------------- */

#define DRIVE "<disk type='file' device='cdrom'><target dev='sda' bus='scsi'/></disk>"

static char *medium(const char *name, const char *text)
{
	char *path = g_build_filename(daemon_under_test.root, name, NULL);

	iso_write(path, "MEDIUM", text);
	return path;
}

static void media_change(void **state)
{
	g_autofree char *drive = write_xml("drive.xml", DRIVE);
	g_autofree char *first = medium("first.iso", "first\n");
	g_autofree char *second = medium("second.iso", "second\n");

	done("attach-device " LINUX_GUEST " %s --live --config", drive);
	linux_comes_to_say("media none ");
	assert_true(dumps("", "<alias name='scsi0-0-0-0'/>"));
	assert_true(dumps("--inactive", "<target dev='sda' bus='scsi'/>\n      <readonly/>"));
	lists("--details", "domblklist", "cdrom   sda   -", true);
	fails("disk 'sda' does not currently have a source assigned", "domblkinfo " LINUX_GUEST " sda");
	done("change-media " LINUX_GUEST " sda --insert %s --live --config", first);
	linux_comes_to_say("media first ");
	lists("", "domblklist", "first.iso", true);
	lists("--inactive", "domblklist", "first.iso", true);
	lists("sda", "domblkinfo", "Capacity:       65536", true);
	lists("sda", "domblkstat", "sda rd_bytes", true);
	fails("already has media", "change-media " LINUX_GUEST " sda --insert %s", second);
	done("change-media " LINUX_GUEST " sda --update %s", second);
	linux_comes_to_say("media second ");
	lists("", "domblklist", "second.iso", true);
	lists("--inactive", "domblklist", "first.iso", true);
	done("change-media " LINUX_GUEST " sda --eject --config");
	lists("--inactive", "domblklist", "sda   -", true);
	lists("", "domblklist", "second.iso", true);
	fails("Cannot access storage file '/nonexistent/x'",
		"change-media " LINUX_GUEST " sda --update /nonexistent/x");
	fails("No disk found whose source path or target is vda",
		"change-media " LINUX_GUEST " vda --eject");
	linux_comes_to_say("media second ");
	done("change-media " LINUX_GUEST " sda --eject");
	linux_comes_to_say("media none ");
	fails("doesn't have media", "change-media " LINUX_GUEST " sda --eject");
	/* libvirt's older way. */
	done("attach-disk " LINUX_GUEST " %s sda --type cdrom", first);
	linux_comes_to_say("media first ");
}

/* The guest has mounted it. */
static void a_medium_is_held(void **state)
{
	g_autofree char *hold = medium("hold.iso", "hold\n");

	done("change-media " LINUX_GUEST " sda --update %s", hold);
	linux_comes_to_say("media hold ");
	fails("The guest has locked the tray of 'sda'", "change-media " LINUX_GUEST " sda --eject");
	lists("", "domblklist", "hold.iso", true);
	linux_comes_to_say("media hold ");
	done("change-media " LINUX_GUEST " sda --eject --force");
	linux_comes_to_say("media none ");
	lists("", "domblklist", "sda   -", true);
}

/* With what is in it now, and mounted; not with what is for the next start. */
static void a_drive_is_saved(void **state)
{
	g_autofree char *file = g_build_filename(daemon_under_test.root, "saved", NULL);
	g_autofree char *hold = medium("hold.iso", "hold\n");

	done("change-media " LINUX_GUEST " sda --insert %s", hold);
	linux_comes_to_say("media hold ");
	done("save " LINUX_GUEST " %s", file);
	done("restore %s", file);
	linux_comes_to_say("media hold ");
	lists("", "domblklist", "hold.iso", true);
	done("change-media " LINUX_GUEST " sda --eject --force");
	linux_comes_to_say("media none ");
	done("detach-device " LINUX_GUEST " %s/drive.xml --live --config", daemon_under_test.root);
	lists("", "domblklist", "sda", false);
	lists("--inactive", "domblklist", "sda", false);
}

/* ---- network cards --------------------------------------------------------------------------- */

static void network_cards_come_and_go(void **state)
{
	g_autofree char *path = write_xml("nic.xml",
		"<interface type='user'><mac address='52:54:00:AA:BB:CC'/><model type='virtio'/>"
		"</interface>");

	done("attach-device " LINUX_GUEST " %s --live --config", path);
	linux_comes_to_say("nics eth0:1 eth1:1 end");
	lists("", "domiflist", "52:54:00:aa:bb:cc", true);
	lists("--inactive", "domiflist", "52:54:00:aa:bb:cc", true);
	fails("network device with MAC address '52:54:00:aa:bb:cc' already exists",
		"attach-device " LINUX_GUEST " %s", path);
	done("detach-interface " LINUX_GUEST " user --mac 52:54:00:aa:bb:cc --live --config");
	linux_comes_to_say("nics eth0:1 end");
	lists("--inactive", "domiflist", "52:54:00:aa:bb:cc", false);
	fails("device not found: no device matching MAC address 52:54:00:aa:bb:cc found",
		"detach-device " LINUX_GUEST " %s", path);
}

static void a_link_goes_down_and_up(void **state)
{
	done("domif-setlink " LINUX_GUEST " " LINUX_MAC " down");
	linux_comes_to_say("nics eth0:0 end");
	lists(LINUX_MAC, "domif-getlink", "down", true);
	lists(LINUX_MAC " --config", "domif-getlink", "up", true);
	done("domif-setlink " LINUX_GUEST " " LINUX_MAC " up");
	linux_comes_to_say("nics eth0:1 end");
}

static void network_cards_have_limits(void **state)
{
	done("domiftune " LINUX_GUEST " " LINUX_MAC " --inbound 1000,2000,512 --outbound 500"
	     " --live --config");
	lists(LINUX_MAC, "domiftune", "inbound.peak   : 2000", true);
	lists(LINUX_MAC " --config", "domiftune", "outbound.average: 500", true);
	assert_true(dumps("", "<inbound average='1000' peak='2000' burst='512'/>"));
	done("domiftune " LINUX_GUEST " " LINUX_MAC " --inbound 0 --outbound 0 --live --config");
	assert_false(dumps("", "<bandwidth>"));
	fails("'eth9' is not a known interface", "domiftune " LINUX_GUEST " eth9 --inbound 1");
	lists(LINUX_MAC, "domifstat", "tx_bytes", true);
	lists("--interface", "domstats", "net.0.rx.bytes=", true);
}

/* Somebody whom this host knows: its first neighbour, on whatever network. */
static bool find_neighbour(char address[64], char mac[64])
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents("/proc/net/arp", &text, NULL, NULL))
		return false;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++)
		if (sscanf(*line, "%63s %*s 0x2 %63s", address, mac) == 2)
			return true;
	return false;
}

/* What passt is to give is known; what a guest took by itself only as a neighbour. */
static void addresses_are_told(void **state)
{
	char address[64], mac[64];
	g_autofree char *given = write_xml("given.xml",
		"<interface type='user'><mac address='52:54:00:aa:bb:01'/><model type='virtio'/>"
		"<ip family='ipv4' address='10.9.8.7' prefix='24'/></interface>");
	g_autofree char *seen = NULL, *xml = NULL;

	done("attach-device " LINUX_GUEST " %s", given);
	lists("", "domifaddr", "52:54:00:aa:bb:01    ipv4         10.9.8.7/24", true);
	lists("", "domifaddr", LINUX_MAC, false);
	done("detach-device " LINUX_GUEST " %s", given);
	fails("QEMU guest agent is not configured", "domifaddr " LINUX_GUEST " --source agent");
	if (!find_neighbour(address, mac))
		return;
	xml = g_strdup_printf("<interface type='user'><mac address='%s'/><model type='virtio'/>"
			      "</interface>",
		mac);
	seen = write_xml("seen.xml", xml);
	done("attach-device " LINUX_GUEST " %s", seen);
	lists("--source arp", "domifaddr", mac, true);
	lists("--source arp", "domifaddr", address, true);
	done("detach-device " LINUX_GUEST " %s", seen);
}

static void only_so_much_of_a_card_can_change(void **state)
{
	g_autofree char *path = write_xml("other.xml",
		"<interface type='user'><mac address='" LINUX_MAC "'/><model type='virtio'/>"
		"<mtu size='1400'/></interface>");

	fails("cannot modify network device", "update-device " LINUX_GUEST " %s --live", path);
	done("update-device " LINUX_GUEST " %s --config", path);
	assert_true(dumps("--inactive", "<mtu size='1400'/>"));
	assert_false(dumps("", "<mtu size='1400'/>"));
}

static void other_devices_are_for_the_next_start(void **state)
{
	g_autofree char *path = write_xml("rng.xml", "<rng model='virtio'><backend model='random'>"
						     "/dev/urandom</backend></rng>");
	g_autofree char *nonsense = write_xml("nonsense.xml", "<flux/>");

	fails("Operation not supported: live attach of device 'rng' is not supported",
		"attach-device " LINUX_GUEST " %s --live", path);
	done("attach-device " LINUX_GUEST " %s --config", path);
	assert_true(dumps("--inactive", "<rng model='virtio'>"));
	done("detach-device " LINUX_GUEST " %s --config", path);
	assert_false(dumps("--inactive", "<rng "));
	fails("unknown device type 'flux'", "attach-device " LINUX_GUEST " %s", nonsense);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void changes_are_told(void **state)
{
	g_autofree char *out = g_build_filename(daemon_under_test.root, "events", NULL);
	g_autofree char *image = linux_disk("vde.img", 4);
	g_autofree char *drive = write_xml("drive.xml", DRIVE);
	g_autofree char *first = medium("first.iso", "first\n");
	GPid listener = linux_listen(out);

	done("attach-disk " LINUX_GUEST " %s vde", image);
	await_text(out, "'device-added' for domain '" LINUX_GUEST "': virtio-disk4");
	done("detach-disk " LINUX_GUEST " vde");
	await_text(out, "'device-removed' for domain '" LINUX_GUEST "': virtio-disk4");
	done("attach-device " LINUX_GUEST " %s", drive);
	done("change-media " LINUX_GUEST " sda --insert %s", first);
	await_text(out, "'tray-change' for domain '" LINUX_GUEST "' disk scsi0-0-0-0: opened");
	await_text(out, "'tray-change' for domain '" LINUX_GUEST "' disk scsi0-0-0-0: closed");
	done("detach-disk " LINUX_GUEST " sda");
	done("blkdeviotune " LINUX_GUEST " vda --total-iops-sec 500");
	await_text(out, "blkdeviotune.total_iops_sec: 500");
	done("blkdeviotune " LINUX_GUEST " vda --total-iops-sec 0");
	linux_listen_end(listener);
}

/* ---- images that fail ------------------------------------------------------------------------ */

/* A disk that the guest reads or writes again and again (tests/daemon/report). */
static void attach_used(const char *image, const char *target, const char *use)
{
	g_autofree char *text = g_strdup_printf(
		"<disk type='file'><driver name='qemu' type='raw' error_policy='enospace'/>"
		"<source file='%s'/><target dev='%s'/><serial>%s</serial></disk>",
		image, target, use);
	g_autofree char *path = write_xml("used.xml", text);

	done("attach-device " LINUX_GUEST " %s", path);
}

/* An image that is cut off is told to both kinds of listeners, and the guest goes on. */
static void an_image_that_cannot_be_read_is_told(void **state)
{
	g_autofree char *out = g_build_filename(daemon_under_test.root, "events", NULL);
	g_autofree char *image = linux_disk("cut.img", 8);
	g_autofree char *told = g_strdup_printf(
		"'io-error' for domain '" LINUX_GUEST "': %s (virtio-disk6) report", image);
	g_autofree char *why = g_strdup_printf("'io-error-reason' for domain '" LINUX_GUEST
					       "': %s (virtio-disk6) report due to ",
		image);
	GPid listener = linux_listen(out);

	attach_used(image, "vdg", "read");
	linux_comes_to_say("disks vda:24 vdb:8 nics");
	assert_int_equal(truncate(image, 1 << 20), 0);
	await_text(out, told);
	await_text(out, why);
	linux_listen_end(listener);
	linux_comes_to_say("disks vda:24 vdb:8 nics");
	says("running", "domstate " LINUX_GUEST);
	done("detach-disk " LINUX_GUEST " vdg");
	linux_comes_to_say("disks vda:24 nics");
}

/* A small file system that only this test and a new daemon see; false: no right to that. */
static bool mount_small(const char *folder)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("none", folder, "tmpfs", 0, "size=8m,mode=755") < 0) {
		print_message("no right to mount: %s\n", g_strerror(errno));
		return false;
	}
	return true;
}

static char *fill_up(const char *folder, size_t size)
{
	char *path = g_build_filename(folder, "ballast", NULL);
	g_autofree char *bytes = g_malloc0(size);

	assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
	return path;
}

/* The guest is stopped, and goes on where it was when there is room again. */
static void a_guest_stops_where_there_is_no_room(const char *folder, const char *out)
{
	g_autofree char *image = g_build_filename(folder, "thin.img", NULL);
	g_autofree char *ballast = fill_up(folder, 7 << 20);
	g_autofree char *told = g_strdup_printf("'io-error-reason' for domain '" LINUX_GUEST
						"': %s (virtio-disk7) pause due to enospc",
		image);

	assert_true(g_file_set_contents(image, "", 0, NULL));
	assert_int_equal(truncate(image, 6 << 20), 0);
	attach_used(image, "vdh", "write");
	await_text(out, told);
	await_text(out, "'lifecycle' for domain '" LINUX_GUEST "': Suspended");
	comes_to_say("paused (I/O error)", "domstate " LINUX_GUEST " --reason");
	assert_int_equal(unlink(ballast), 0);
	done("resume " LINUX_GUEST);
	linux_comes_to_say("disks vda:24 vdb:6 nics");
	says("running (unpaused)", "domstate " LINUX_GUEST " --reason");
	done("detach-disk " LINUX_GUEST " vdh");
	linux_comes_to_say("disks vda:24 nics");
}

static void a_full_file_system_is_told(void **state)
{
	g_autofree char *out = g_build_filename(daemon_under_test.root, "events", NULL);
	g_autofree char *folder = g_build_filename(daemon_under_test.root, "small", NULL);
	GPid listener;

	assert_int_equal(g_mkdir(folder, 0755), 0);
	if (!mount_small(folder))
		skip();
	daemon_end(SIGKILL);
	daemon_start();
	listener = linux_listen(out);
	a_guest_stops_where_there_is_no_room(folder, out);
	linux_listen_end(listener);
	assert_int_equal(umount2(folder, MNT_DETACH), 0);
}

/* ---- the next daemon ------------------------------------------------------------------------- */

/* The guest's monitor is asked by somebody else; it works. */
static void ask_monitor(const char *line)
{
	g_autofree char *path = g_strdup_printf("%s/run/guests/" UUID LINUX_DIGITS "/control",
		daemon_under_test.root);
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_autoptr(GSocketConnection) connection = g_socket_client_connect(
		client, G_SOCKET_CONNECTABLE(address), NULL, NULL);
	g_autoptr(GDataInputStream) in = NULL;
	g_autofree char *answer = NULL;

	assert_non_null(connection);
	assert_true(g_output_stream_write_all(
		g_io_stream_get_output_stream(G_IO_STREAM(connection)), line, strlen(line), NULL,
		NULL, NULL));
	in = g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
	while (!answer || !strstr(answer, "\"id\"")) {
		g_free(answer);
		answer = g_data_input_stream_read_line(in, NULL, NULL, NULL);
		assert_non_null(answer);
	}
	if (!strstr(answer, "\"ok\":true"))
		fail_msg("%s: %s", line, answer);
}

/* What happens to a drive while no daemon looks. */
static void the_next_daemon_looks_into_drives(void **state)
{
	daemon_end(SIGKILL);
	ask_monitor("{\"do\": \"change-medium\", \"id\": 1, \"disk\": \"sda\", \"force\": true, "
		    "\"xml\": \"" DRIVE "\"}\n");
	daemon_start();
	for (int i = 0;; i++) {
		g_autofree char *disks = virsh("domblklist " LINUX_GUEST);

		if (strstr(disks, "sda   -"))
			break;
		assert_true(i < PATIENCE_S * 10);
		g_usleep(100000);
	}
	linux_comes_to_say("media none ");
	done("detach-disk " LINUX_GUEST " sda");
}

static void the_next_daemon_knows_all_this(void **state)
{
	g_autofree char *image = linux_disk("vdf.img", 4);
	g_autofree char *drive = write_xml("drive.xml", DRIVE);
	g_autofree char *first = medium("first.iso", "first\n");
	g_autofree char *before = NULL, *after = NULL;

	done("attach-disk " LINUX_GUEST " %s vdf", image);
	done("attach-device " LINUX_GUEST " %s", drive);
	done("change-media " LINUX_GUEST " sda --insert %s", first);
	done("suspend " LINUX_GUEST);
	before = virsh("dumpxml " LINUX_GUEST);
	daemon_end(SIGKILL);
	daemon_start();
	comes_to_say("paused (user)", "domstate " LINUX_GUEST " --reason");
	after = virsh("dumpxml " LINUX_GUEST);
	assert_string_equal(before, after);
	done("resume " LINUX_GUEST);
	done("detach-disk " LINUX_GUEST " vdf");
	linux_comes_to_say("media first ");
	linux_comes_to_say("disks vda:24 nics");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks_come_and_go),
		cmocka_unit_test(a_disk_goes_by_its_alias),
		cmocka_unit_test(a_disk_grows),
		cmocka_unit_test(disks_have_limits),
		cmocka_unit_test(disks_are_counted),
		cmocka_unit_test(media_change),
		cmocka_unit_test(a_medium_is_held),
		cmocka_unit_test(a_drive_is_saved),
		cmocka_unit_test(network_cards_come_and_go),
		cmocka_unit_test(a_link_goes_down_and_up),
		cmocka_unit_test(network_cards_have_limits),
		cmocka_unit_test(addresses_are_told),
		cmocka_unit_test(only_so_much_of_a_card_can_change),
		cmocka_unit_test(other_devices_are_for_the_next_start),
		cmocka_unit_test(changes_are_told),
		cmocka_unit_test(an_image_that_cannot_be_read_is_told),
		cmocka_unit_test(a_full_file_system_is_told),
		cmocka_unit_test(the_next_daemon_knows_all_this),
		cmocka_unit_test(the_next_daemon_looks_into_drives),
	};

	return cmocka_run_group_tests_name(
		"devices of running guests", tests, linux_prepare, linux_clean_up);
}
