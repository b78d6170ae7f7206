// SPDX-License-Identifier: GPL-3.0-or-later
/* Memory that is taken from a running guest and given to it, as the guest sees it. */
#include "tests/engine/livebox.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <stdio.h>
#include <string.h>

#define MIB (1ll << 20)
#define BOOT 256ll
#define DEVICE 1024ll
/* More than the guest has had at boot. */
#define FILL 160u
/* Of it, at its end, what is looked at. */
#define TAIL 4u

static struct livebox *box;

static int boot(void **state)
{
	box = livebox_new(&(struct livebox_config){
		.name = "live-memory",
		.memory = BOOT + DEVICE,
		.bare = true,
		.domain = "<maxMemory slots='2' unit='GiB'>8</maxMemory>",
		.devices =
			"<serial type='pty'/>"
			"<memballoon model='virtio'/>"
			"<memory model='virtio-mem'><target><size unit='GiB'>1</size><node>0</node>"
			"<block unit='MiB'>2</block><requested unit='KiB'>0</requested></target>"
			"<alias name='more'/></memory>",
		.cmdline = "memhp_default_state=online_movable",
	});
	return 0;
}

static int end(void **state)
{
	livebox_free(box);
	return 0;
}

/* MiB, by /proc/meminfo. */
static long guest_total(void)
{
	return livebox_shell_number(box, "awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo");
}

/* Memory that has been plugged counts when the guest has taken it on line, a moment later. */
static void wait_total(long least, long most)
{
	gint64 end = g_get_monotonic_time() + LIVEBOX_DEADLINE_S * G_USEC_PER_SEC;
	long total;

	do
		total = guest_total();
	while ((total < least || total > most) && g_get_monotonic_time() < end);
	assert_in_range(total, least, most);
}

/* MiB of host memory that the process has. */
static long host_resident(void)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/statm", box->machine);
	g_autofree char *text = NULL;
	long resident = 0;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_int_equal(sscanf(text, "%*d %ld", &resident), 1);
	return resident / 256;
}

static void wait_resident_below(long mib)
{
	gint64 end = g_get_monotonic_time() + LIVEBOX_DEADLINE_S * G_USEC_PER_SEC;

	while (host_resident() >= mib && g_get_monotonic_time() < end)
		livebox_pump(box, 100);
	assert_true(host_resident() < mib);
}

static gint64 ask(const char *member)
{
	g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"memory\"}");

	return json_object_get_int_member(answer, member) / MIB;
}

static gint64 device(const char *member)
{
	g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"memory\"}");
	JsonArray *devices = json_object_get_array_member(answer, "devices");
	JsonObject *first = json_array_get_object_element(devices, 0);

	assert_int_equal(json_array_get_length(devices), 1);
	assert_string_equal(json_object_get_string_member(first, "alias"), "more");
	return json_object_get_int_member(first, member) / MIB;
}

/* What the next event of the name says, in MiB. */
static gint64 event_number(struct livebox *of, const char *event, const char *member)
{
	g_autoptr(JsonObject) object = liveclient_event(of->control, event);

	return json_object_get_int_member(object, member) / MIB;
}

/* Waits for the event that says so. */
static void wait_event(const char *event, const char *member, gint64 mib)
{
	while (event_number(box, event, member) != mib)
		continue;
}

static void set_memory(gint64 mib)
{
	liveclient_forget_events(box->control);
	livebox_do(box, "{\"do\": \"set-memory\", \"size\": %lld}", mib * MIB);
	assert_int_equal(ask("target"), mib);
	wait_event("balloon", "actual", mib);
	assert_int_equal(ask("actual"), mib);
}

static void request(gint64 mib)
{
	livebox_do(box, "{\"do\": \"set-virtio-mem\", \"alias\": \"more\", \"requested\": %lld}",
		mib * MIB);
}

/* A guest that finds memory in use tries again after a minute, or at once when it is asked anew. */
static void plug(gint64 mib)
{
	gint64 end = g_get_monotonic_time() + LIVEBOX_DEADLINE_S * G_USEC_PER_SEC;
	gint64 again = 0;

	liveclient_forget_events(box->control);
	while (device("plugged") != mib && g_get_monotonic_time() < end) {
		if (g_get_monotonic_time() > again) {
			request(mib + 2);
			request(mib);
			again = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
		}
		livebox_pump(box, 20);
	}
	assert_int_equal(device("requested"), mib);
	assert_int_equal(device("plugged"), mib);
	wait_event("virtio-mem", "plugged", mib);
}

/* ---- the balloon ----------------------------------------------------------------------------- */

static void the_balloon_takes_and_gives(void **state)
{
	long before = guest_total(), resident;

	assert_int_equal(ask("boot"), BOOT);
	assert_int_equal(ask("actual"), BOOT);
	/* What the guest has touched is the host's again. Looked at while it is in use: free pages are
	 * reported by the guest, sooner or later. */
	livebox_run(box, "dd if=/dev/zero of=/tmp/fill bs=1M count=60 2>/dev/null");
	resident = host_resident();
	livebox_run(box, "rm /tmp/fill");
	set_memory(BOOT - 100);
	wait_total(before - 101, before - 99);
	wait_resident_below(resident - 30);
	set_memory(BOOT);
	wait_total(before, before);
}

static void it_follows_under_load(void **state)
{
	livebox_run(box, "(while :; do md5sum /bin/busybox; done) >/dev/null & echo $! >/tmp/busy");
	for (unsigned i = 0; i < 5; i++) {
		set_memory(BOOT - 40 - i * 16);
		set_memory(BOOT - i * 8);
	}
	set_memory(BOOT);
	livebox_run(box, "kill $(cat /tmp/busy)");
}

static void the_guest_tells_of_its_memory(void **state)
{
	livebox_do(box, "{\"do\": \"set-balloon-period\", \"seconds\": 1}");
	for (gint64 total = 0, updated = 0; !updated;) {
		g_autoptr(JsonObject) answer = livebox_get(box, "{\"do\": \"memory\"}");
		JsonObject *statistics = json_object_get_object_member(answer, "statistics");

		updated = json_object_get_int_member_with_default(statistics, "last_update", 0);
		total = json_object_get_int_member_with_default(statistics, "total", 0);
		if (total && updated + 5 > g_get_real_time() / G_USEC_PER_SEC) {
			assert_int_equal(total / MIB, guest_total());
			assert_true(json_object_get_int_member(statistics, "free") < total);
			assert_true(json_object_get_int_member(statistics, "available") < total);
			assert_true(json_object_has_member(statistics, "minor_faults"));
			break;
		}
		updated = 0;
		livebox_pump(box, 100);
	}
	livebox_do(box, "{\"do\": \"set-balloon-period\", \"seconds\": 0}");
}

/* A guest that runs out of memory takes some back, and lives. */
static void it_deflates_when_memory_is_out(void **state)
{
	struct livebox *poor = livebox_new(&(struct livebox_config){
		.name = "live-oom",
		.memory = BOOT,
		.bare = true,
		.devices = "<serial type='pty'/><memballoon model='virtio' autodeflate='on'/>",
	});
	gint64 actual = 0;

	livebox_do(poor, "{\"do\": \"set-memory\", \"size\": %lld}", (BOOT - 64) * MIB);
	while (actual != BOOT - 64)
		actual = event_number(poor, "balloon", "actual");
	/* tmpfs is memory that cannot be dropped: more than there is left. */
	livebox_run(poor, "free=$(awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo); "
			  "mount -t tmpfs -o size=90%% none /mnt; "
			  "dd if=/dev/zero of=/mnt/fill bs=1M count=$((free + 24))");
	while (actual <= BOOT - 64)
		actual = event_number(poor, "balloon", "actual");
	livebox_free(poor);
}

/* ---- virtio-mem ------------------------------------------------------------------------------ */

static void memory_is_plugged_and_unplugged(void **state)
{
	g_autofree uint8_t *zeroes = g_malloc0(TAIL * MIB);
	g_autofree char *expected = g_compute_checksum_for_data(G_CHECKSUM_MD5, zeroes, TAIL * MIB);
	g_autofree char *sum = NULL;
	long before = guest_total(), resident;

	assert_int_equal(device("plugged"), 0);
	assert_int_equal(device("size"), DEVICE);
	plug(512);
	wait_total(before + 480, before + 512);
	/* It is memory: more than the guest has had at boot is filled, and right. */
	livebox_run(box,
		"mount -t tmpfs -o size=90%% none /mnt; "
		"dd if=/dev/zero of=/mnt/fill bs=1M count=%u 2>/dev/null",
		FILL);
	sum = livebox_shell(box, "dd if=/mnt/fill bs=1M skip=%u 2>/dev/null | md5sum", FILL - TAIL);
	assert_true(g_str_has_prefix(sum, expected));
	resident = host_resident();
	assert_true(resident > FILL);
	livebox_run(box, "rm /mnt/fill; umount /mnt");
	plug(0);
	wait_total(before, before);
	assert_true(host_resident() < resident - 50);
}

static void blocks_come_and_go_under_load(void **state)
{
	livebox_run(box, "(while :; do ls /bin | md5sum; done) >/dev/null & echo $! >/tmp/busy");
	for (unsigned i = 0; i < 3; i++) {
		plug(256);
		plug(128 + i * 32);
	}
	plug(DEVICE - 2);
	plug(0);
	livebox_run(box, "kill $(cat /tmp/busy); dmesg | grep -q 'Call Trace\\|BUG:' && exit 1; "
			 "true");
}

static void what_cannot_be_is_refused(void **state)
{
	static const char *const requests[] = {
		"{\"do\": \"set-memory\", \"size\": 0}",
		"{\"do\": \"set-memory\", \"size\": 999999999999}",
		"{\"do\": \"set-memory\"}",
		"{\"do\": \"set-balloon-period\", \"seconds\": -1}",
		"{\"do\": \"set-virtio-mem\", \"alias\": \"less\", \"requested\": 0}",
		"{\"do\": \"set-virtio-mem\", \"alias\": \"more\", \"requested\": 4096}",
		"{\"do\": \"set-virtio-mem\", \"alias\": \"more\", \"requested\": 2147483648}",
		"{\"do\": \"set-virtio-mem\", \"requested\": 0}",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
		g_autofree char *sentence = livebox_refused(box, "%s", requests[i]);

		assert_true(strlen(sentence) > 10);
	}
}

/* A reset takes nothing from what was asked for: balloon and device are filled again. */
static void a_reset_begins_anew(void **state)
{
	long before = guest_total();

	plug(256);
	set_memory(BOOT - 32);
	liveclient_forget_events(box->control);
	livebox_do(box, "{\"do\": \"reset\"}");
	livebox_wait_shell(box);
	wait_event("virtio-mem", "plugged", 256);
	wait_total(before + 256 - 32 - 24, before + 256 - 32 + 8);
	plug(0);
	set_memory(BOOT);
	wait_total(before - 8, before + 8);
}

/* ---- a guest without drivers ----------------------------------------------------------------- */

static void a_guest_that_ignores_it_all(void **state)
{
	g_autofree char *kernel =
		g_build_filename(g_getenv("top_builddir") ? g_getenv("top_builddir") : ".",
			"tests/engine/boot/actions.elf", NULL);
	struct livebox *deaf = livebox_new(&(struct livebox_config){
		.name = "live-deaf",
		.kernel = kernel,
		.cmdline = "h",
		.vcpus = 2,
		.vcpus_max = 4,
		.memory = 64,
	});
	g_autofree char *more =
		livebox_refused(deaf, "{\"do\": \"set-vcpus\", \"count\": 4, \"timeout\": 0.2}");
	g_autofree char *fewer =
		livebox_refused(deaf, "{\"do\": \"set-vcpus\", \"count\": 1, \"timeout\": 0.2}");
	g_autoptr(JsonObject) memory = NULL;

	assert_non_null(strstr(more, "1, 2, 3"));
	assert_non_null(strstr(fewer, "1, 2, 3"));
	livebox_do(deaf, "{\"do\": \"set-memory\", \"size\": %lld}", 32 * MIB);
	memory = livebox_get(deaf, "{\"do\": \"memory\"}");
	assert_int_equal(json_object_get_int_member(memory, "target"), 32 * MIB);
	assert_int_equal(json_object_get_int_member(memory, "actual"), 64 * MIB);
	livebox_free(deaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_balloon_takes_and_gives),
		cmocka_unit_test(it_follows_under_load),
		cmocka_unit_test(it_deflates_when_memory_is_out),
		cmocka_unit_test(the_guest_tells_of_its_memory),
		cmocka_unit_test(memory_is_plugged_and_unplugged),
		cmocka_unit_test(blocks_come_and_go_under_load),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(a_reset_begins_anew),
		cmocka_unit_test(a_guest_that_ignores_it_all),
	};

	return cmocka_run_group_tests(tests, boot, end);
}
