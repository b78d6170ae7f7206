// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The definition editor by keystrokes on a real guest, under QEMU or of the bundled engine: what is reviewed and applied is
 * looked at in libvirt's definitions and, where it happens at once, from inside the guest.
 */
#include "tests/live/guest.h"
#include "tests/screens/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>
#include <string.h>

static const char definition[] = LIVE_DEFINITION("  <name>@NAME@</name>\n"
						 "  <title>The first</title>\n"
						 "  <memory unit='MiB'>224</memory>\n"
						 "  <currentMemory unit='MiB'>192</currentMemory>\n"
						 "  <vcpu current='1'>2</vcpu>\n",
	"    <interface type='user'>\n"
	"      <mac address='52:54:00:00:00:01'/>\n"
	"      <model type='virtio'/>\n"
	"    </interface>\n");

#define DISK_BYTES ((gint64)48 << 20)

static struct live *live;
static struct live_guest *guest;
static struct harness *console;

// ---- the screen -------------------------------------------------------------------------------------

static void expect(const char *text)
{
	live_expect(console, text);
}

static void keys(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void keys(const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	harness_keys(console, text);
}

static void open_editor(void)
{
	keys("F4");
	expect("no changes yet");
}

/* Review, apply, and wait for what was done; then back to the guests. */
static void apply_now(const char *result)
{
	keys("F10");
	expect("Takes effect now and at next start:");
	keys("F10");
	expect(result);
	expect("Review alpha - applied");
	harness_expect_gone(console, "in part");
	keys("F10");
	expect("F12More");
}

// ---- the definitions as virsh shows them -------------------------------------------------------------

static bool in(const char *words, const char *part)
{
	g_autofree char *out = live_virsh(live, words);

	return strstr(out, part) != NULL;
}

#define SAVED "dumpxml alpha --inactive"
#define RUNNING "dumpxml alpha"

static void assert_saved(const char *part, bool wanted)
{
	if (in(SAVED, part) != wanted)
		fail_msg("the saved definition %s: %s", wanted ? "lacks" : "still has", part);
}

static void assert_running(const char *part, bool wanted)
{
	if (in(RUNNING, part) != wanted)
		fail_msg("the running definition %s: %s", wanted ? "lacks" : "still has", part);
}

// ---- inside the guest ------------------------------------------------------------------------------

static void wait_for(const char *command, double number)
{
	live_guest_wait_between(guest, command, number, number);
}

/* How many NICs have that address. */
static char *nics_with(const char *mac)
{
	return g_strdup_printf("grep -il %s /sys/class/net/*/address | wc -l", mac);
}

#define CARRIER(mac) \
	"cat `dirname \\`grep -il " mac " /sys/class/net/*/address\\``/carrier"

// ---- the story, in order -----------------------------------------------------------------------------

static void a_guest_starts(void **state)
{
	live_console_starts(console, live, "alpha");
	assert_int_equal(live_guest_number(guest, "nproc"), 1);
}

static void edited_reviewed_applied(void **state)
{
	open_editor();
	keys("Enter Tab C-u 'The second' Tab C-u '2' Esc F10");
	expect("Takes effect now and at next start:");
	harness_expect(console, "vcpus: 1/2 -> 2");
	harness_expect(console, "Takes effect at next start:");
	harness_expect(console, "title: The first -> The second");
	keys("F10");
	expect("Done now: vcpus: 1/2 -> 2");
	expect("Review alpha - applied");
	keys("F10");
	expect("F12More");
	wait_for("nproc", 2);
	assert_saved("<title>The second</title>", true);
	assert_running("<title>The second</title>", false);
	assert_running("<vcpu placement='static'>2</vcpu>", true);
}

static void undone_by_its_revision(void **state)
{
	open_editor();
	keys("End");
	expect("as it was before");
	keys("Enter Home F5");
	expect("The draft is revision 1 now");
	/* A vCPU cannot be taken from this guest while it runs: it is for the next start alone. */
	keys("F10");
	expect("title: The second -> The first");
	keys("Tab Tab Space F10");
	expect("alpha is saved: 2 changes take effect at next start.");
	assert_saved("<title>The first</title>", true);
	assert_saved("current='1'>2</vcpu>", true);
	wait_for("nproc", 2);
}

static void a_disk_is_plugged_in(void **state)
{
	g_autofree char *path = live_disk(live, "more.img", DISK_BYTES);

	wait_for("ls /sys/block | grep -c vda", 0);
	open_editor();
	keys("F3 Home Enter");
	expect("Format");
	keys("'%s' Tab Tab Tab Right F10", path);
	expect("1 change");
	apply_now("Done now: plug in disk vda");
	wait_for("cat /sys/block/vda/size", DISK_BYTES / 512);
	assert_saved("more.img", true);
	assert_running("more.img", true);
}

static void a_nic_is_plugged_in_and_another_unplugged_from_its_cable(void **state)
{
	g_autofree char *there = nics_with("52:54:00:00:00:02");

	wait_for(there, 0);
	wait_for(CARRIER("52:54:00:00:00:01"), 1);
	open_editor();
	keys("F3 'NIC of' Enter");
	expect("Address (MAC)");
	keys("C-u '52:54:00:00:00:02' F10");
	expect("1 change");
	/* The other NIC, whose page is before the new one's. */
	keys("Up");
	expect("52:54:00:00:00:01");
	keys("Enter Tab Tab Tab 'd'");
	expect("[down ");
	expect("2 changes");
	keys("Esc");
	apply_now("Done now: plug in interface 52:54:00:00:00:02");
	wait_for(there, 1);
	wait_for(CARRIER("52:54:00:00:00:01"), 0);
	assert_running("52:54:00:00:00:02", true);
	assert_saved("<link state='down'/>", true);
}

static void devices_are_unplugged(void **state)
{
	g_autofree char *there = nics_with("52:54:00:00:00:01");

	open_editor();
	keys("Down Down Down Down Down");
	expect("Serial number");
	keys("F5");
	expect("1 change");
	keys("Down Down");
	expect("Largest packet");
	keys("F5");
	expect("2 changes");
	apply_now("Done now: unplug interface 52:54:00:00:00:01");
	wait_for("ls /sys/block | grep -c vda", 0);
	wait_for(there, 0);
	assert_running("more.img", false);
	assert_saved("more.img", false);
	assert_running("52:54:00:00:00:01", false);
	assert_running("52:54:00:00:00:02", true);
}

/* Another admin's `virsh edit`, whose editor is a script. */
static void edit_by_virsh(const char *script)
{
	g_autofree char *editor = g_strdup_printf("sed -i '%s'", script);

	g_unsetenv("VISUAL");
	g_setenv("EDITOR", editor, TRUE);
	g_free(live_virsh(live, "edit alpha"));
}

static void changed_meanwhile_is_refused_and_merged(void **state)
{
	open_editor();
	keys("Enter Tab C-u 'Mine'");
	expect("1 change");
	keys("Esc F10");
	expect("title: The first -> Mine");
	edit_by_virsh("s/<on_crash>destroy/<on_crash>preserve/");
	assert_saved("<on_crash>preserve", true);
	keys("F10");
	expect("somebody else changed what is saved");
	harness_expect(console, "on_crash: destroy -> preserve");
	assert_saved("<title>The first</title>", true);
	keys("F10");
	expect("The draft holds both changes now");
	keys("F10");
	expect("title: The first -> Mine");
	keys("F10");
	expect("alpha is saved: 1 change takes effect at next start.");
	assert_saved("<title>Mine</title>", true);
	assert_saved("<on_crash>preserve", true);
}

static void the_same_line_changed_meanwhile(void **state)
{
	open_editor();
	keys("Enter Tab C-u 'Mine again'");
	expect("1 change");
	edit_by_virsh("s/<title>Mine/<title>Theirs/");
	keys("Esc F10");
	expect("title: Mine -> Mine again");
	keys("F10");
	expect("Both changed the parts between");
	keys("F5 F10");
	expect("The draft holds both changes now");
	keys("F10");
	expect("title: Theirs -> Mine again");
	keys("F10");
	expect("alpha is saved: 1 change takes effect at next start.");
	assert_saved("<title>Mine again</title>", true);
}

static void what_this_host_cannot_do_is_grey(void **state)
{
	open_editor();
	keys("Down");
	expect("Topology");
	/* Without KVM there is no processor to hand through. */
	keys("Enter Tab Tab Tab Enter");
	expect("not on this host");
	keys("Esc Esc F3");
	expect("TPM");
	if (live_bundled())
		harness_expect(console, "TPM                     not on this host");
	else if (!g_find_program_in_path("swtpm"))
		harness_expect(console, "no swtpm on this host");
	keys("Esc");
	harness_expect_gone(console, "Random numbers");
	keys("F8");
	expect("F12More");
}

static void every_change_is_in_the_audit_log(void **state)
{
	static const char *const verbs[] = {"save-definition", "attach-device", "detach-device", "set"};
	g_autofree char *log = live_audit_log(live);

	for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
		g_autofree char *field = g_strdup_printf("\t%s\tok\t", verbs[i]);

		if (!strstr(log, field))
			fail_msg("no '%s' in the audit log:\n%s", verbs[i], log);
	}
}

static void the_console_quits(void **state)
{
	live_console_quits(console);
}

// ---- around it ----------------------------------------------------------------------------------------

static int setup(void **state)
{
	live_start(&live, definition);
	guest = &live->guest[0];
	console = live_console(live, 100, 30, NULL);
	return 0;
}

static int teardown(void **state)
{
	harness_stop(console);
	live_free(live);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_starts),
		cmocka_unit_test(edited_reviewed_applied),
		cmocka_unit_test(undone_by_its_revision),
		cmocka_unit_test(a_disk_is_plugged_in),
		cmocka_unit_test(a_nic_is_plugged_in_and_another_unplugged_from_its_cable),
		cmocka_unit_test(devices_are_unplugged),
		cmocka_unit_test(changed_meanwhile_is_refused_and_merged),
		cmocka_unit_test(the_same_line_changed_meanwhile),
		cmocka_unit_test(what_this_host_cannot_do_is_grey),
		cmocka_unit_test(every_change_is_in_the_audit_log),
		cmocka_unit_test(the_console_quits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
