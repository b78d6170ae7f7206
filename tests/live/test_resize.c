// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Resize on the spot, by keystrokes on a real guest, under QEMU or of the bundled engine: each change is seen from inside the
 * guest, on its serial line.
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

/* A name of its own: guests of several libvirtds share the control group of their name and number, and
 * this one is capped. */
static const char definition[] = LIVE_DEFINITION(
	"  <name>resized</name>\n"
	"  <maxMemory slots='1' unit='MiB'>1024</maxMemory>\n"
	"  <memory unit='MiB'>512</memory>\n"
	"  <currentMemory unit='MiB'>192</currentMemory>\n"
	"  <vcpu current='1'>2</vcpu>\n"
	"  <cpu><numa><cell id='0' cpus='0-1' memory='256' unit='MiB'/></numa></cpu>\n",
	"    <disk type='file' device='disk'>\n"
	"      <driver name='qemu' type='raw'/>\n"
	"      <source file='@DIR@/@NAME@.img'/>\n"
	"      <target dev='vda' bus='virtio'/>\n"
	"    </disk>\n"
	"    <interface type='user'>\n"
	"      <mac address='52:54:00:00:00:01'/>\n"
	"      <model type='virtio'/>\n"
	"    </interface>\n"
	"    <memory model='virtio-mem'>\n"
	"      <target>\n"
	"        <size unit='MiB'>256</size>\n"
	"        <node>0</node>\n"
	"        <block unit='MiB'>2</block>\n"
	"        <requested unit='MiB'>0</requested>\n"
	"      </target>\n"
	"    </memory>\n");

#define DISK_BYTES ((gint64)256 << 20)

static struct live *live;
static struct live_guest *guest;
static struct harness *console;

// ---- the screen -------------------------------------------------------------------------------------------

static void expect(const char *text)
{
	live_expect(console, text);
}

/* The line of the screen that the cursor is in. Caller frees. */
static char *cursor_line(void)
{
	g_autofree char *screen = harness_screen(console);
	g_auto(GStrv) lines = g_strsplit(screen, "\n", -1);
	int x, y;

	harness_cursor(console, &x, &y);
	return g_strdup(y < (int)g_strv_length(lines) ? lines[y] : "");
}

/* Goes to the line of a value in the resize screen. */
static void go_to(const char *label)
{
	for (int i = 0; i < 40; i++) {
		g_autofree char *line = cursor_line();

		if (strstr(line, label))
			return;
		/* From the last line on to the first. */
		harness_keys(console, i < 20 ? "Down" : "Up");
		harness_quiet(console, 200);
	}
	fail_msg("there is no line for %s", label);
}

/* Types a value in the line of that label, applies it, and waits for its result. */
static void apply(const char *label, const char *value, const char *result)
{
	g_autofree char *keys = *value ? g_strdup_printf("End C-u '%s' F10", value)
				       : g_strdup("End C-u F10");

	go_to(label);
	harness_keys(console, keys);
	expect(result);
}

// ---- inside the guest -----------------------------------------------------------------------------------

static double ask_number(const char *command)
{
	return live_guest_number(guest, command);
}

static void wait_between(const char *command, double least, double most)
{
	live_guest_wait_between(guest, command, least, most);
}

static const char memory_mib[] = "awk '/MemTotal/ { print $2 / 1024 }' /proc/meminfo";

/* Seconds by the guest's clock that a command takes. */
static double seconds_for(const char *command)
{
	g_autofree char *timed = g_strdup_printf(
		"a=`cut -d' ' -f1 /proc/uptime`; %s; b=`cut -d' ' -f1 /proc/uptime`; "
		"echo $a $b | awk '{ print $2 - $1 }'",
		command);

	return ask_number(timed);
}

static const char busy[] = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done";

// ---- the story, in order ----------------------------------------------------------------------------------

static void a_guest_starts(void **state)
{
	live_console_starts(console, live, "resized");
	assert_int_equal(ask_number("nproc"), 1);
	harness_keys(console, "F6");
	harness_expect(console, "Resize resized - running");
	harness_expect(console, "vCPUs");
}

static void a_vcpu_is_added(void **state)
{
	apply("vCPUs", "2", "✓ vCPUs 2");
	wait_between("nproc", 2, 2);
}

static void what_cannot_be_says_why(void **state)
{
	go_to("vCPUs");
	harness_keys(console, "End C-u '3'");
	harness_expect(console, "at most: raise the maximum for the next start");
	harness_keys(console, "F4");
	harness_expect(console, "1/2 -> 1/3, at next start.");
	harness_keys(console, "C-u '2'");
	harness_expect_gone(console, "at most: raise");
	assert_int_equal(ask_number("nproc"), 2);
}

static void memory_grows_and_shrinks(void **state)
{
	double before = ask_number(memory_mib);

	apply("Memory", "240MiB", "✓ Memory 24");
	wait_between(memory_mib, before + 40, before + 56);
	apply("Memory", "160MiB", "✓ Memory 160");
	wait_between(memory_mib, before - 40, before - 24);
}

/* Memory that is plugged in, where the balloon takes away and gives back what is there. */
static void virtio_mem_is_plugged_and_unplugged(void **state)
{
	double before = ask_number(memory_mib);

	apply("virtiomem0", "128MiB", "✓ virtiomem0 128.0 MiB");
	wait_between(memory_mib, before + 110, before + 130);
	harness_keys(console, "End C-u '999MiB'");
	harness_expect(console, "It must be from");
	/* Not all of it: a page that the kernel cannot move holds a block. */
	apply("virtiomem0", "64MiB", "✓ virtiomem0 64.0 MiB");
	wait_between(memory_mib, before + 46, before + 66);
}

/* A busy machine slows the loop as well: what counts is that it gets much faster than capped at all. */
static void the_cpu_is_capped(void **state)
{
	gint64 until = g_get_monotonic_time() + LIVE_PATIENCE * G_USEC_PER_SEC;
	double capped, again;

	apply("CPU cap", "10", "✓ CPU cap 10 %");
	capped = seconds_for(busy);
	apply("CPU cap", "", "✓ CPU cap none");
	do
		again = seconds_for(busy);
	while (again > capped / 2 && g_get_monotonic_time() < until);
	print_message("busy loop: %.2f s capped, %.2f s free\n", capped, again);
	assert_true(again <= capped / 2);
}

static void a_disk_is_limited_and_put_back(void **state)
{
	double limited, again;

	apply("vda, limit", "2MiB/s", "✓ vda, limit");
	limited = seconds_for("dd if=/dev/vda of=/dev/null bs=64k count=256 2>/dev/null");
	harness_keys(console, "F5");
	harness_expect(console, "Put back what was changed last?");
	harness_keys(console, "M-p");
	expect("Put back: vda, limit none");
	again = seconds_for("dd if=/dev/vda of=/dev/null bs=64k count=256 skip=1024 2>/dev/null");
	print_message("16 MiB: %.2f s limited to 2 MiB/s, %.2f s not\n", limited, again);
	assert_true(limited > 6);
	assert_true(again < limited / 2);
}

static void a_disk_grows(void **state)
{
	apply("vda, size", "320MiB", "✓ vda, size 320.0 MiB");
	wait_between("cat /sys/block/vda/size", 320 * 2048, 320 * 2048);
}

static void keys_do_it_in_place(void **state)
{
	harness_keys(console, "F8");
	harness_expect(console, "F12More");
	harness_keys(console, "'}'");
	expect("resized: Memory 256.0 MiB");
}

static void a_cable_is_taken_out(void **state)
{
	wait_between("cat /sys/class/net/eth0/carrier", 1, 1);
	harness_keys(console, ": 'set resized nic.0.link=down --now' Enter");
	wait_between("cat /sys/class/net/eth0/carrier", 0, 0);
	harness_keys(console, ": 'set resized nic.0.link=up --now' Enter");
	expect("nic.0.link=up takes effect now.");
	wait_between("cat /sys/class/net/eth0/carrier", 1, 1);
}

/* Shares of the host that are no line of the screen. */
static void what_is_tuned_holds_now(void **state)
{
	static const char *const changes[][2] = {{"tune.global_quota=50000", "<global_quota>50000<"},
		{"tune.quota=30000", "<quota>30000<"}, {"tune.period=90000", "<period>90000<"},
		{"tune.emulatorpin=0", "<emulatorpin cpuset='0'/>"},
		{"balloon.period=3", "<stats period='3'/>"}};

	for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
		g_autofree char *keys = g_strdup_printf(": 'set resized %s --now' Enter", changes[i][0]);
		g_autofree char *told = g_strdup_printf("%s takes effect now.", changes[i][0]);
		g_autofree char *xml = NULL;

		harness_keys(console, keys);
		expect(told);
		xml = live_virsh(live, "dumpxml resized");
		assert_non_null(strstr(xml, changes[i][1]));
	}
}

static void every_change_is_in_the_audit_log(void **state)
{
	static const char *const commands[] = {"setvcpus resized 2 --live", "setmem resized 245760 --live",
		"schedinfo resized --set global_period", "blkdeviotune resized vda --total-bytes-sec 2097152",
		"blockresize resized vda"};
	g_autofree char *log = live_audit_log(live);

	for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
		if (!strstr(log, commands[i]))
			fail_msg("no '%s' in the audit log:\n%s", commands[i], log);
}

static void the_console_quits(void **state)
{
	live_console_quits(console);
}

// ---- around it --------------------------------------------------------------------------------------------

static int setup(void **state)
{
	live_start(&live, definition);
	guest = &live->guest[0];
	g_free(live_disk(live, "alpha.img", DISK_BYTES));
	console = live_console(live, 120, 40, NULL);
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
		cmocka_unit_test(a_vcpu_is_added),
		cmocka_unit_test(what_cannot_be_says_why),
		cmocka_unit_test(memory_grows_and_shrinks),
		cmocka_unit_test(virtio_mem_is_plugged_and_unplugged),
		cmocka_unit_test(the_cpu_is_capped),
		cmocka_unit_test(a_disk_is_limited_and_put_back),
		cmocka_unit_test(a_disk_grows),
		cmocka_unit_test(keys_do_it_in_place),
		cmocka_unit_test(a_cable_is_taken_out),
		cmocka_unit_test(what_is_tuned_holds_now),
		cmocka_unit_test(every_change_is_in_the_audit_log),
		cmocka_unit_test(the_console_quits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
