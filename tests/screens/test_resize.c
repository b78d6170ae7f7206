// SPDX-License-Identifier: GPL-3.0-or-later
// Resize on the spot through the console's real door, on libvirt's test driver with a frozen clock.
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/screens/lodge.h"

/* The console on resize.xml, with one more argument or NULL. */
static struct harness *start(int width, int height, const char *argument)
{
	g_autofree char *uri = lodge_host("resize.xml");
	struct harness *h = lodge_start(&(struct lodge_options){
		.uri = uri,
		.words = (const char *const[]){argument, NULL},
		.width = width,
		.height = height,
	});

	harness_expect(h, "test 4");
	/* Figures of the definitions, which are read after the list. */
	harness_expect(h, "2/4");
	return h;
}

/* The resize screen of the guest that a filter leaves. */
static struct harness *resize(const char *name, int width, int height)
{
	struct harness *h = start(width, height, NULL);
	g_autofree char *filter = g_strdup_printf("/ '%s' Enter F6", name);

	harness_keys(h, filter);
	harness_expect(h, "NIC 0, out");
	return h;
}

static void quit(struct harness *h)
{
	harness_keys(h, "F8");
	harness_expect(h, "F12More");
	lodge_quit(h);
}

static char *audit_log(void)
{
	g_autofree char *path = g_build_filename(lodge_home, "state", "lodge", "audit.log", NULL);
	char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

/* ---- one guest ---- */

static void it_opens_small_and_large(void **state)
{
	struct harness *h = resize("shop", 80, 24);

	harness_golden(h, "resize-80x24");
	harness_resize(h, 120, 40);
	harness_golden(h, "resize-120x40");
	harness_keys(h, "F3");
	harness_golden(h, "resize-all-120x40");
	harness_keys(h, "F3");
	harness_expect_gone(h, "CPUs of vCPU 0");
	quit(h);
}

static void it_opens_from_menu_and_guest(void **state)
{
	struct harness *h = start(80, 24, NULL);

	harness_keys(h, "/ 'shop' Enter F7 z");
	harness_expect(h, "NIC 0, out");
	harness_keys(h, "F8");
	harness_expect(h, "F12More");
	harness_keys(h, "Enter");
	harness_expect(h, "Overview");
	harness_keys(h, "F6");
	harness_expect(h, "NIC 0, out");
	harness_keys(h, "F8");
	harness_expect(h, "Overview");
	quit(h);
}

static void a_change_is_told_before_it_is_made(void **state)
{
	struct harness *h = resize("shop", 120, 40);

	harness_keys(h, "+ Down C-u '3' F2");
	harness_expect(h, "virsh setvcpus shop 3 --live");
	harness_expect(h, "virsh setmem shop 3145728 --live");
	harness_keys(h, "Esc");
	harness_expect_gone(h, "[ OK ]");
	harness_golden(h, "resize-wishes");
	harness_keys(h, "M-k");
	harness_expect(h, "virsh setvcpus shop 3 --live --config");
	harness_expect(h, "now and at next start");
	harness_keys(h, "F9");
	harness_expect(h, "All changes will be lost");
	harness_keys(h, "n");
	harness_expect_gone(h, "All changes will be lost");
	harness_keys(h, "F10");
	harness_expect(h, "✓ vCPUs 3 (0.00 s)");
	harness_expect(h, "✓ Memory 3.0 GiB (0.00 s)");
	quit(h);
}

static void what_cannot_be_says_why(void **state)
{
	struct harness *h = resize("shop", 80, 24);

	harness_keys(h, "C-u '9'");
	harness_golden_sizes(h, "resize-impossible");
	harness_keys(h, "F10");
	harness_expect(h, "vCPUs cannot be changed so.");
	harness_keys(h, "F4");
	harness_expect(h, "vcpus: 2/4 -> 2/9, at next start.");
	harness_keys(h, "C-u 'many'");
	harness_expect(h, "many");
	harness_keys(h, "F10");
	harness_expect(h, "vCPUs cannot be changed so.");
	harness_keys(h, "C-u '2' Down C-u '1K'");
	harness_expect(h, "It must be from");
	harness_keys(h, "C-u '2GiB' Down C-u '1'");
	harness_expect(h, "A disk cannot shrink while its guest runs.");
	harness_keys(h, "F9 y");
	harness_expect(h, "F12More");
	lodge_quit(h);
}

/* Until a key says that the old number is to be changed. */
static void what_is_typed_first_replaces_the_number(void **state)
{
	struct harness *h = resize("shop", 80, 24);

	harness_keys(h, "'3'");
	harness_expect(h, "vCPUs 2 -> 3, now");
	harness_keys(h, "'0'");
	harness_expect(h, "vCPUs 2 -> 30");
	harness_keys(h, "Down Up '4'");
	harness_expect(h, "vCPUs 2 -> 4, now");
	harness_keys(h, "Down Up Home '1'");
	harness_expect(h, "vCPUs 2 -> 14");
	harness_keys(h, "F9 y");
	harness_expect(h, "F12More");
	lodge_quit(h);
}

static void it_is_applied_and_put_back(void **state)
{
	struct harness *h = resize("shop", 80, 24);
	g_autofree char *log = NULL;

	harness_keys(h, "+ Down + F10");
	harness_expect(h, "✓ vCPUs 3");
	harness_golden_sizes(h, "resize-applied");
	harness_keys(h, "F5");
	harness_expect(h, "Put back what was changed last?");
	/* Nothing happens by mistake: the focus is on Keep. */
	harness_keys(h, "Enter");
	harness_expect_gone(h, "Put back what was changed last?");
	harness_keys(h, "F5 M-p");
	harness_expect(h, "✓ Put back: vCPUs 2");
	harness_expect(h, "✓ Put back: Memory 2.0 GiB");
	harness_expect_gone(h, "F5PutBack");
	log = audit_log();
	assert_non_null(strstr(log, "setvcpus shop 3 --live"));
	assert_non_null(strstr(log, "setvcpus shop 2 --live"));
	quit(h);
}

/* The test driver refuses a limit without a peak: the third step of three. */
static void a_failure_stops_and_offers_the_way_back(void **state)
{
	struct harness *h = resize("shop", 80, 24);

	harness_keys(h, "+ Down + Down Down '9' F10");
	harness_golden_sizes(h, "resize-failed");
	harness_keys(h, "M-p");
	harness_expect(h, "Put back: Memory 2.0 GiB");
	harness_expect(h, "✗ Cannot set vda, limit to 9.4 MB/s");
	harness_golden_sizes(h, "resize-put-back");
	quit(h);
}

static void read_only_changes_nothing(void **state)
{
	struct harness *h = start(80, 24, "--readonly");

	harness_keys(h, "/ 'shop' Enter +");
	harness_expect(h, "Nothing is changed with --readonly.");
	harness_keys(h, "F6");
	harness_expect(h, "vCPUs");
	harness_keys(h, "+ F10");
	harness_expect(h, "Nothing is changed with --readonly.");
	harness_keys(h, "C-u '2'");
	quit(h);
}

static void one_that_is_off_changes_at_its_next_start(void **state)
{
	struct harness *h = start(80, 24, NULL);

	harness_keys(h, "/ 'depot' Enter F6");
	harness_expect(h, "Resize depot - off");
	harness_expect(h, "vCPUs");
	harness_keys(h, "C-u '3'");
	harness_expect(h, "vCPUs 1 -> 3, at next start");
	harness_keys(h, "F10");
	harness_expect(h, "✓ vCPUs 3");
	quit(h);
}

/* ---- several guests ---- */

static void several_get_the_same(void **state)
{
	struct harness *h = start(120, 40, NULL);

	harness_keys(h, "/ 'stall' Enter Space Space F6");
	harness_expect(h, "Resize 2 guests");
	harness_expect(h, "NIC 0, out");
	harness_golden(h, "resize-several");
	harness_keys(h, "'5' Down C-u '1536MiB'");
	harness_golden(h, "resize-several-wishes");
	harness_keys(h, "Up C-u '4' F10");
	harness_expect(h, "✓ vCPUs 4");
	harness_expect(h, "stall1: ✓ Memory 1.5 GiB");
	harness_expect(h, "stall2: ✓ Memory 1.5 GiB");
	quit(h);
}

/* ---- in place ---- */

static void keys_change_it_in_place(void **state)
{
	struct harness *h = start(80, 24, NULL);

	harness_keys(h, "/ 'shop' Enter +");
	harness_expect(h, "shop: vCPUs 3 (0.00 s)");
	harness_expect(h, "3/4");
	harness_keys(h, "+");
	harness_expect(h, "4/4");
	harness_keys(h, "+");
	harness_expect(h, "shop can have 4 vCPUs at most");
	/* Faster than it can be done: what counts is where they lead. */
	harness_keys(h, "- - -");
	harness_expect(h, "1/4");
	harness_keys(h, "-");
	harness_expect(h, "shop needs one vCPU at least.");
	harness_keys(h, "'}'");
	harness_expect(h, "shop: Memory 2.2 GiB");
	harness_keys(h, "'{{'");
	harness_expect(h, "shop: Memory 1.8 GiB");
	lodge_quit(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_HOME(it_opens_small_and_large),
		IN_A_HOME(it_opens_from_menu_and_guest),
		IN_A_HOME(a_change_is_told_before_it_is_made),
		IN_A_HOME(what_cannot_be_says_why),
		IN_A_HOME(what_is_typed_first_replaces_the_number),
		IN_A_HOME(it_is_applied_and_put_back),
		IN_A_HOME(a_failure_stops_and_offers_the_way_back),
		IN_A_HOME(read_only_changes_nothing),
		IN_A_HOME(one_that_is_off_changes_at_its_next_start),
		IN_A_HOME(several_get_the_same),
		IN_A_HOME(keys_change_it_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
