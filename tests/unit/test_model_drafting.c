// SPDX-License-Identifier: GPL-3.0-or-later
// A draft and what becomes of it: changes and their undoing, devices that come and go, what a running
// guest can take on at once, and what a host cannot do.
#include "model/capability.h"
#include "model/devices.h"
#include "model/difference.h"
#include "model/drafting.h"
#include "model/live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#define NIC(mac, more) "    <interface type='user'><mac address='" mac "'/>" more "</interface>\n"
#define NIC_1 "52:54:00:00:00:01"
#define NIC_2 "52:54:00:00:00:02"
#define NIC_3 "52:54:00:00:00:03"
#define DISK(dev, file) \
	"    <disk type='file' device='disk'><source file='" file "'/><target dev='" dev "'/></disk>\n"
#define GUEST(vcpus, devices) \
	"<domain type='kvm'>\n  <name>web</name>\n  <memory unit='MiB'>512</memory>\n  " vcpus \
	"\n  <os><type>hvm</type></os>\n  <devices>\n" devices "  </devices>\n</domain>\n"

static struct document *make(const char *text)
{
	struct document *document = document_new(text, -1, "the test", NULL);

	assert_non_null(document);
	return document;
}

// ---- drafts -------------------------------------------------------------------------------------------

static const char web[] = GUEST("<vcpu>2</vcpu>", DISK("vda", "/a") NIC(NIC_1, ""));

static struct drafting *draft(void)
{
	struct definition *definition = g_new0(struct definition, 1);
	struct drafting *drafting;

	definition->uri = g_strdup("test:///drafting");
	definition->uuid = g_strdup("6c0d9a20-0000-4000-8000-0000000000d1");
	definition->name = g_strdup("web");
	definition->saved = g_strdup(web);
	drafting = drafting_new(definition, NULL);
	assert_non_null(drafting);
	return drafting;
}

static void assert_text(const struct drafting *drafting, const char *text)
{
	assert_string_equal(document_text(drafting->document, NULL), text);
}

static void one_value_typed_is_one_step_back(void **state)
{
	struct drafting *drafting = draft();

	assert_true(drafting_set(drafting, "title", "a", NULL));
	assert_true(drafting_set(drafting, "title", "ab", NULL));
	assert_true(drafting_set(drafting, "vcpus", "3", NULL));
	assert_true(drafting_changed(drafting));
	assert_true(drafting_undo(drafting));
	assert_non_null(strstr(document_text(drafting->document, NULL), "<title>ab</title>"));
	assert_true(drafting_undo(drafting));
	assert_text(drafting, web);
	assert_false(drafting_undo(drafting));
	drafting_free(drafting);
}

static void settled_values_are_steps_of_their_own(void **state)
{
	struct drafting *drafting = draft();

	assert_true(drafting_set(drafting, "title", "a", NULL));
	drafting_settle(drafting);
	assert_true(drafting_set(drafting, "title", "b", NULL));
	assert_true(drafting_undo(drafting));
	assert_non_null(strstr(document_text(drafting->document, NULL), "<title>a</title>"));
	drafting_free(drafting);
}

static void what_fails_or_says_nothing_leaves_nothing_to_take_back(void **state)
{
	struct drafting *drafting = draft();
	g_autoptr(GError) error = NULL;

	assert_false(drafting_set(drafting, "vcpus", "many", &error));
	assert_non_null(strstr(error->message, "many"));
	g_clear_error(&error);
	assert_false(drafting_insert(drafting, "/domain/nowhere", "<x/>", &error));
	g_clear_error(&error);
	assert_false(drafting_insert(drafting, "/domain/devices", "<x>", &error));
	assert_true(drafting_set(drafting, "vcpus", "2", NULL));
	assert_true(drafting_replace(drafting, web, NULL));
	assert_text(drafting, web);
	assert_false(drafting_undo(drafting));
	drafting_free(drafting);
}

static void devices_and_attributes_are_changes_too(void **state)
{
	struct drafting *drafting = draft();

	assert_true(drafting_insert(drafting, "/domain/devices", "<rng model='virtio'/>", NULL));
	assert_true(drafting_set_at(drafting, "/domain/devices/rng", "model", "virtio-transitional", NULL));
	assert_true(drafting_remove(drafting, "/domain/devices/disk[1]", NULL));
	assert_null(strstr(document_text(drafting->document, NULL), "<disk"));
	for (int i = 0; i < 3; i++)
		assert_true(drafting_undo(drafting));
	assert_text(drafting, web);
	drafting_free(drafting);
}

static void notes_come_and_go_without_a_trace(void **state)
{
	struct drafting *drafting = draft();
	g_autofree char *notes = NULL;

	assert_true(drafting_set_notes(drafting, "Ask <Ann>.", NULL));
	notes = drafting_notes(drafting);
	assert_string_equal(notes, "Ask <Ann>.");
	assert_true(drafting_undo(drafting));
	assert_text(drafting, web);
	drafting_free(drafting);
}

static void it_is_kept_on_disk_and_gone_on_with(void **state)
{
	struct drafting *drafting = draft(), *later = draft();
	struct draft *left;

	assert_true(drafting_set(drafting, "title", "Half done", NULL));
	assert_true(drafting_keep(drafting, NULL));
	left = drafting_left(later, NULL);
	assert_non_null(left);
	assert_true(drafting_resume(later, left, NULL));
	assert_text(later, document_text(drafting->document, NULL));
	assert_true(drafting_undo(later));
	assert_text(later, web);
	/* Nothing differs any more: there is no draft. */
	assert_true(drafting_keep(later, NULL));
	draft_free(left);
	assert_null(drafting_left(later, NULL));
	drafting_free(drafting);
	drafting_free(later);
}

static void a_draft_that_is_no_xml_changes_nothing(void **state)
{
	struct drafting *drafting = draft();
	const struct draft broken = {.xml = (char *)"<domain", .base = (char *)web};
	g_autoptr(GError) error = NULL;

	assert_false(drafting_resume(drafting, &broken, &error));
	assert_non_null(strstr(error->message, "line 1"));
	assert_text(drafting, web);
	drafting_free(drafting);
}

// ---- devices ------------------------------------------------------------------------------------------

static char *moves(const char *from, const char *to)
{
	DOCUMENT_AUTO struct document *a = make(from);
	DOCUMENT_AUTO struct document *b = make(to);
	g_autoptr(GPtrArray) all = device_moves(a, b);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < all->len; i++) {
		const struct device_move *move = all->pdata[i];

		g_string_append_printf(text, "%c%s %s\n", move->added ? '+' : '-', move->path, move->label);
	}
	return g_string_free(text, FALSE);
}

static void devices_are_known_by_what_names_them(void **state)
{
	g_autofree char *said = moves(
		GUEST("", DISK("vda", "/a") DISK("vdb", "/b") NIC(NIC_1, "") "<rng model='virtio'/>\n"),
		GUEST("", NIC(NIC_2, "") DISK("vdb", "/other") DISK("vdc", "/c") "<rng model='x'/>\n"));

	/* The other file, and the other model, are changed values. */
	assert_string_equal(said,
		"-devices/disk[1] disk vda\n"
		"-devices/interface[1] interface " NIC_1 "\n"
		"+devices/interface[1] interface " NIC_2 "\n"
		"+devices/disk[2] disk vdc\n");
}

static void addresses_are_the_same_in_any_case(void **state)
{
	g_autofree char *said = moves(GUEST("", NIC("52:54:00:AA:BB:CC", "")),
		GUEST("", NIC("52:54:00:aa:bb:cc", "")));

	assert_string_equal(said, "");
}

static void what_comes_or_goes_is_one_change(void **state)
{
	DOCUMENT_AUTO struct document *a = make(GUEST("", DISK("vda", "/a")));
	DOCUMENT_AUTO struct document *b = make(GUEST("", DISK("vda", "/z") DISK("vdb", "/b")));
	g_autoptr(GPtrArray) all = device_changes(a, b);
	const struct change *last;

	assert_int_equal(all->len, 2);
	assert_string_equal(((struct change *)all->pdata[0])->name, "disk.vda.source");
	last = all->pdata[1];
	assert_null(last->from);
	assert_string_equal(last->to, "disk vdb");
}

// ---- live ---------------------------------------------------------------------------------------------

static char *steps(const char *from, const char *to, const char *running)
{
	DOCUMENT_AUTO struct document *a = make(from);
	DOCUMENT_AUTO struct document *b = make(to);
	DOCUMENT_AUTO struct document *now = make(running);
	g_autoptr(GPtrArray) all = live_steps(a, b, now);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < all->len; i++) {
		const struct live_step *step = all->pdata[i];

		assert_true(live_covers(all, step->what));
		g_string_append_printf(text, "%s: %s\n", step->what,
			step->kind == LIVE_SET ? step->payload : step->words);
	}
	assert_false(live_covers(all, "title"));
	return g_string_free(text, FALSE);
}

static void values_that_can_are_set_now(void **state)
{
	const char *now = GUEST("<vcpu current='1'>4</vcpu>", DISK("vda", "/a"));
	g_autofree char *said = steps(now,
		GUEST("<vcpu current='3'>4</vcpu><title>t</title>", DISK("vda", "/a")), now);
	g_autofree char *most = steps(now, GUEST("<vcpu current='1'>8</vcpu>", DISK("vda", "/a")), now);

	assert_string_equal(said, "vcpus: vcpus=3/4\n");
	/* More room is for the next start alone. */
	assert_string_equal(most, "");
}

static void out_goes_first_in_comes_last(void **state)
{
	const char *from = GUEST("<vcpu current='1'>2</vcpu>", DISK("vda", "/a") NIC(NIC_1, ""));
	const char *to = GUEST("<vcpu current='2'>2</vcpu>", DISK("vdb", "/b") NIC(NIC_1, ""));
	g_autofree char *said = steps(from, to, from);

	assert_string_equal(said,
		"devices/disk[1]: unplug disk vda\n"
		"vcpus: vcpus=2/2\n"
		"devices/disk[1]: plug in disk vdb\n");
}

static void a_nic_has_the_running_guests_number(void **state)
{
	const char *from = GUEST("", NIC(NIC_1, "") NIC(NIC_2, ""));
	const char *to = GUEST("", NIC(NIC_2, "<link state='down'/>") NIC(NIC_3, ""));
	g_autofree char *same = steps(from, to, from);
	g_autofree char *other = steps(from, to, GUEST("", NIC(NIC_3, "") NIC(NIC_2, "")));
	g_autofree char *gone = steps(from, to, GUEST("", NIC(NIC_1, "")));

	/* Once the first is out, the second is the first. */
	assert_string_equal(same,
		"devices/interface[1]: unplug interface " NIC_1 "\n"
		"nic.0.link: nic.0.link=down\n"
		"devices/interface[2]: plug in interface " NIC_3 "\n");
	assert_string_equal(other, "nic.0.link: nic.1.link=down\n");
	assert_string_equal(gone,
		"devices/interface[1]: unplug interface " NIC_1 "\n"
		"devices/interface[2]: plug in interface " NIC_3 "\n");
}

static void a_disk_that_does_not_run_is_not_changed(void **state)
{
	const char *limit = "<disk type='file' device='disk'><source file='/a'/><target dev='vda'/>"
			    "<iotune><total_bytes_sec>5</total_bytes_sec></iotune></disk>";
	g_autofree char *to = g_strdup_printf(
		"<domain type='kvm'><name>web</name><devices>%s</devices></domain>", limit);
	const char *from = "<domain type='kvm'><name>web</name><devices>" DISK("vda", "/a") "</devices></domain>";
	g_autofree char *runs = steps(from, to, from);
	g_autofree char *not = steps(from, to, GUEST("", DISK("vdb", "/b")));

	assert_string_equal(runs, "disk.vda.iotune.total_bytes_sec: disk.vda.iotune.total_bytes_sec=5\n");
	assert_string_equal(not, "");
}

static void media_are_changed_now(void **state)
{
	const char *drive = "<disk type='file' device='cdrom'><source file='%s'/><target dev='sda'/></disk>";
	g_autofree char *old = g_strdup_printf(drive, "/old.iso"), *new = g_strdup_printf(drive, "/new.iso");
	g_autofree char *from =
		g_strdup_printf("<domain type='kvm'><name>web</name><devices>%s</devices></domain>", old);
	g_autofree char *to =
		g_strdup_printf("<domain type='kvm'><name>web</name><devices>%s</devices></domain>", new);
	const char *empty = "<domain type='kvm'><name>web</name><devices><disk type='file' "
			    "device='cdrom'><target dev='sda'/></disk></devices></domain>";
	g_autofree char *said = steps(from, to, from), *ejected = steps(from, empty, from);
	g_autofree char *inserted = steps(empty, to, empty);

	assert_string_equal(said, "disk.sda.source: disk.sda.source=/new.iso\n");
	assert_string_equal(ejected, "disk.sda.source: disk.sda.source=\n");
	assert_string_equal(inserted, "disk.sda.source: disk.sda.source=/new.iso\n");
}

// ---- capabilities ---------------------------------------------------------------------------------------

static const char capabilities[] =
	"<domainCapabilities><vcpu max='8'/><os supported='yes'><enum name='firmware'/></os>"
	"<cpu><mode name='host-passthrough' supported='no'/><mode name='custom' supported='yes'/></cpu>"
	"<memoryBacking supported='no'/>"
	"<devices><disk supported='yes'><enum name='bus'><value>virtio</value></enum></disk>"
	"<rng supported='no'/><tpm supported='yes'><enum name='backendModel'>"
	"<value>passthrough</value></enum></tpm></devices></domainCapabilities>";

static void what_is_told_counts(void **state)
{
	struct capability *capability = capability_new(capabilities);
	g_autofree char *source = capability_missing(capability, "memory.source");
	g_autofree char *bus = capability_missing(capability, "disk.vda.bus");
	g_autofree char *rng = capability_device_missing(capability, "rng");
	g_autofree char *tpm = capability_device_missing(capability, "tpm");
	g_autofree char *disk = capability_device_missing(capability, "disk");

	assert_non_null(source);
	assert_null(bus);
	assert_true(capability_allows(capability, "disk.vda.bus", "virtio"));
	assert_false(capability_allows(capability, "disk.vda.bus", "ide"));
	assert_true(capability_allows(capability, "cpu.mode", "custom"));
	assert_false(capability_allows(capability, "cpu.mode", "host-passthrough"));
	assert_false(capability_allows(capability, "boot.firmware", "efi"));
	assert_string_equal(rng, "not on this host");
	assert_string_equal(tpm, "no swtpm on this host");
	assert_null(disk);
	assert_int_equal(capability_vcpus(capability), 8);
	capability_free(capability);
}

static void what_is_not_told_is_possible(void **state)
{
	struct capability *none = capability_new(NULL), *broken = capability_new("<x"),
			  *empty = capability_new("<domainCapabilities/>");

	assert_null(none);
	assert_null(broken);
	assert_true(capability_allows(none, "disk.vda.bus", "ide"));
	assert_true(capability_allows(empty, "disk.vda.bus", "ide"));
	assert_true(capability_allows(empty, "title", "anything"));
	assert_null(capability_missing(none, "cpu.mode"));
	assert_null(capability_device_missing(none, "tpm"));
	assert_null(capability_device_missing(empty, "tpm"));
	assert_int_equal(capability_vcpus(empty), 0);
	capability_free(empty);
}

// ---- around it ------------------------------------------------------------------------------------------

static char *home;

static int setup(void **state)
{
	home = g_dir_make_tmp("lodge-drafting-XXXXXX", NULL);
	return home && g_setenv("XDG_STATE_HOME", home, TRUE) && g_setenv("LC_ALL", "C", TRUE) ? 0 : -1;
}

static int teardown(void **state)
{
	g_autofree char *command = g_strdup_printf("rm -rf %s", home);

	g_free(home);
	return g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_value_typed_is_one_step_back),
		cmocka_unit_test(settled_values_are_steps_of_their_own),
		cmocka_unit_test(what_fails_or_says_nothing_leaves_nothing_to_take_back),
		cmocka_unit_test(devices_and_attributes_are_changes_too),
		cmocka_unit_test(notes_come_and_go_without_a_trace),
		cmocka_unit_test(it_is_kept_on_disk_and_gone_on_with),
		cmocka_unit_test(a_draft_that_is_no_xml_changes_nothing),
		cmocka_unit_test(devices_are_known_by_what_names_them),
		cmocka_unit_test(addresses_are_the_same_in_any_case),
		cmocka_unit_test(what_comes_or_goes_is_one_change),
		cmocka_unit_test(values_that_can_are_set_now),
		cmocka_unit_test(out_goes_first_in_comes_last),
		cmocka_unit_test(a_nic_has_the_running_guests_number),
		cmocka_unit_test(a_disk_that_does_not_run_is_not_changed),
		cmocka_unit_test(media_are_changed_now),
		cmocka_unit_test(what_is_told_counts),
		cmocka_unit_test(what_is_not_told_is_possible),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
