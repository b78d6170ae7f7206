// SPDX-License-Identifier: GPL-3.0-or-later
/* Processors, memory and saved states of a running guest, changed by virsh, seen by the guest. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "tests/daemon/linux.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void shows(const char *command, const char *part)
{
	has(part, true, command);
}

static void fails(const char *command, const char *part)
{
	has(part, false, command);
}

static void comes_to_show(const char *command, const char *part)
{
	for (int i = 0;; i++) {
		g_autofree char *output = virsh("%s", command);

		if (strstr(output, part))
			return;
		if (i == PATIENCE_S * 10)
			fail_msg("%s does not come to show '%s': %s", command, part, output);
		g_usleep(100000);
	}
}

/* ---- processors ------------------------------------------------------------------------------ */

static void vcpus_come_and_go(void **state)
{
	done("setvcpus " LINUX_GUEST " 3");
	linux_comes_to_say("cpus 3 ");
	says("3", "vcpucount " LINUX_GUEST " --current --live");
	says("3", "vcpucount " LINUX_GUEST " --guest");
	shows("guestvcpus " LINUX_GUEST, "vcpus          : 0-2");
	shows("guestvcpus " LINUX_GUEST, "online         : 0-2");
	shows("guestvcpus " LINUX_GUEST, "offlinable     : 1-2");
	says("1", "vcpucount " LINUX_GUEST " --current --config");
	shows("dumpxml " LINUX_GUEST, "<vcpu placement='static'>3</vcpu>");
	shows("dumpxml --inactive " LINUX_GUEST, "<vcpu placement='static' current='1'>3</vcpu>");
	shows("vcpuinfo " LINUX_GUEST, "VCPU:           2");
	done("setvcpus " LINUX_GUEST " 2 --live --config");
	linux_comes_to_say("cpus 2 ");
	says("2", "vcpucount " LINUX_GUEST " --current --config");
	fails("setvcpus " LINUX_GUEST " 4",
		"requested vcpus is greater than max allowable vcpus for the live domain: 4 > 3");
	fails("setvcpus " LINUX_GUEST " 4 --config",
		"requested vcpus is greater than max allowable vcpus for the persistent domain: "
		"4 > 3");
	done("setvcpus " LINUX_GUEST " 4 --maximum --config");
	says("4", "vcpucount " LINUX_GUEST " --maximum --config");
	says("3", "vcpucount " LINUX_GUEST " --maximum --live");
}

/* The host CPUs that a thread of the guest's monitor may use, as the kernel has it. */
static bool any_thread_on(const char *cpus)
{
	g_autofree char *folder = g_strdup_printf("/proc/%d/task", (int)machine_of(LINUX_DIGITS));
	g_autofree char *wanted = g_strdup_printf("Cpus_allowed_list:\t%s\n", cpus);
	GDir *threads = g_dir_open(folder, 0, NULL);
	const char *thread;
	bool found = false;

	while (threads && (thread = g_dir_read_name(threads))) {
		g_autofree char *path = g_build_filename(folder, thread, "status", NULL);
		g_autofree char *text = NULL;

		found |= g_file_get_contents(path, &text, NULL, NULL) && strstr(text, wanted);
	}
	g_clear_pointer(&threads, g_dir_close);
	return found;
}

static void threads_stay_where_they_are_put(void **state)
{
	done("vcpupin " LINUX_GUEST " 0 0 --live --config");
	assert_true(any_thread_on("0"));
	shows("vcpupin " LINUX_GUEST, "0   0\n 1   ");
	shows("vcpuinfo " LINUX_GUEST, "CPU Affinity:   y");
	shows("dumpxml " LINUX_GUEST, "<vcpupin vcpu='0' cpuset='0'/>");
	shows("dumpxml --inactive " LINUX_GUEST, "<vcpupin vcpu='0' cpuset='0'/>");
	done("emulatorpin " LINUX_GUEST " 0");
	shows("emulatorpin " LINUX_GUEST, "0");
	shows("dumpxml " LINUX_GUEST, "<emulatorpin cpuset='0'/>");
	fails("vcpupin " LINUX_GUEST " 9 0", "vcpu 9 is out of range");
}

static void shares_and_limits_reach_the_guest(void **state)
{
	shows("schedinfo " LINUX_GUEST, "cpu_shares     : 100");
	shows("schedinfo " LINUX_GUEST, "global_quota   : -1");
	done("schedinfo " LINUX_GUEST " --live --config --set cpu_shares=200 global_quota=50000");
	shows("schedinfo " LINUX_GUEST, "cpu_shares     : 200");
	shows("schedinfo " LINUX_GUEST " --config", "global_quota   : 50000");
	shows("dumpxml " LINUX_GUEST, "<global_quota>50000</global_quota>");
	fails("schedinfo " LINUX_GUEST " --set cpu_shares=20000", "must be in range [1, 10000]");
	fails("schedinfo " LINUX_GUEST " --set nothing=5000", "invalid scheduler option");
	done("schedinfo " LINUX_GUEST " --live --config --set global_quota=-1");
	shows("schedinfo " LINUX_GUEST, "global_quota   : -1");
}

/* As libvirt's QEMU driver has them. */
static void quotas_reach_the_guest(void **state)
{
	shows("schedinfo " LINUX_GUEST, "vcpu_period    : 100000\nvcpu_quota     : -1\n"
					"emulator_period: 100000\nemulator_quota : -1\n");
	shows("schedinfo " LINUX_GUEST " --config", "vcpu_period    : 0\nvcpu_quota     : 0\n");
	done("schedinfo " LINUX_GUEST " --live --set vcpu_quota=90000 vcpu_period=200000");
	shows("schedinfo " LINUX_GUEST, "vcpu_period    : 200000\nvcpu_quota     : 90000\n");
	shows("schedinfo " LINUX_GUEST " --config", "vcpu_quota     : 0\n");
	shows("dumpxml " LINUX_GUEST, "    <period>200000</period>\n    <quota>90000</quota>\n");
	done("schedinfo " LINUX_GUEST " --config --set vcpu_quota=80000");
	shows("schedinfo " LINUX_GUEST " --config", "vcpu_quota     : 80000\n");
	shows("dumpxml --inactive " LINUX_GUEST, "<quota>80000</quota>");
	fails("schedinfo " LINUX_GUEST " --set vcpu_quota=5",
		"value of 'vcpu_quota' is out of range [1000, 17592186044415]");
	fails("schedinfo " LINUX_GUEST " --set iothread_quota=5000",
		"parameter 'iothread_quota' not supported");
	/* 0 leaves the running guest's, and takes the saved one out. */
	done("schedinfo " LINUX_GUEST " --live --config --set vcpu_quota=0");
	shows("schedinfo " LINUX_GUEST, "vcpu_quota     : 90000\n");
	shows("schedinfo " LINUX_GUEST " --config", "vcpu_quota     : 0\n");
	done("schedinfo " LINUX_GUEST " --set vcpu_quota=-1");
	shows("schedinfo " LINUX_GUEST, "vcpu_quota     : -1\n");
	shows("dumpxml " LINUX_GUEST, "<quota>-1</quota>");
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void the_balloon_takes_and_gives(void **state)
{
	done("setmem " LINUX_GUEST " 192M");
	comes_to_show("dominfo " LINUX_GUEST, "Used memory:    196608 KiB");
	comes_to_show("domstats --balloon " LINUX_GUEST, "balloon.current=196608");
	shows("dumpxml " LINUX_GUEST, "<currentMemory unit='KiB'>196608</currentMemory>");
	shows("dumpxml --inactive " LINUX_GUEST,
		"<currentMemory unit='KiB'>262144</currentMemory>");
	done("setmem " LINUX_GUEST " 256M");
	comes_to_show("dominfo " LINUX_GUEST, "Used memory:    262144 KiB");
	fails("setmem " LINUX_GUEST " 400M", "cannot set memory higher than max memory");
	fails("setmaxmem " LINUX_GUEST " 400M --live",
		"cannot resize the maximum memory on an active domain");
	done("setmaxmem " LINUX_GUEST " 400M --config");
	shows("dumpxml --inactive " LINUX_GUEST, "<memory unit='KiB'>409600</memory>");
	done("setmaxmem " LINUX_GUEST " 384M --config");
}

static void a_memory_device_fills_and_empties(void **state)
{
	done("update-memory-device " LINUX_GUEST
	     " --alias virtiomem0 --requested-size 64MiB --live");
	comes_to_show("dumpxml " LINUX_GUEST, "<current unit='KiB'>65536</current>");
	shows("dumpxml " LINUX_GUEST, "<requested unit='KiB'>65536</requested>");
	shows("dumpxml --inactive " LINUX_GUEST, "<requested unit='KiB'>0</requested>");
	comes_to_show("dominfo " LINUX_GUEST, "Used memory:    327680 KiB");
	shows("dominfo " LINUX_GUEST, "Max memory:     393216 KiB");
	done("update-memory-device " LINUX_GUEST
	     " --alias virtiomem0 --requested-size 0MiB --live");
	comes_to_show("dumpxml " LINUX_GUEST, "<current unit='KiB'>0</current>");
}

static void the_guest_tells_of_its_memory(void **state)
{
	shows("dommemstat " LINUX_GUEST, "rss ");
	done("dommemstat " LINUX_GUEST " --period 1 --live --config");
	shows("dumpxml --inactive " LINUX_GUEST, "<stats period='1'/>");
	comes_to_show("dommemstat " LINUX_GUEST, "unused ");
	shows("dommemstat " LINUX_GUEST, "available ");
	comes_to_show("domstats --balloon " LINUX_GUEST, "balloon.usable=");
}

static unsigned count_text(const char *file, const char *part)
{
	g_autofree char *text = NULL;
	unsigned count = 0;

	assert_true(g_file_get_contents(file, &text, NULL, NULL));
	for (const char *at = text; (at = strstr(at, part)); at++)
		count++;
	return count;
}

/* What libvirt's clients hear of it; of the saved definition they hear nothing. */
static void listeners_hear_of_changed_resources(void **state)
{
	g_autofree char *events = g_build_filename(daemon_under_test.root, "events", NULL);
	GPid listener = linux_listen(events);

	done("setmem " LINUX_GUEST " 208M");
	await_text(events, "'balloon-change' for domain '" LINUX_GUEST "': 212992KiB\n");
	done("setmem " LINUX_GUEST " 256M");
	await_text(events, "'balloon-change' for domain '" LINUX_GUEST "': 262144KiB\n");
	done("schedinfo " LINUX_GUEST " --config --set cpu_shares=250");
	done("schedinfo " LINUX_GUEST " --live --set cpu_shares=300 vcpu_quota=70000");
	await_text(events, "'tunable' for domain '" LINUX_GUEST "':\n"
			   "\tcputune.cpu_shares: 300\n\tcputune.vcpu_quota: 70000\n");
	done("schedinfo " LINUX_GUEST " --live --set emulator_period=50000 global_quota=80000");
	await_text(events, "'tunable' for domain '" LINUX_GUEST "':\n"
			   "\tcputune.emulator_period: 50000\n\tcputune.global_quota: 80000\n");
	done("vcpupin " LINUX_GUEST " 1 0 --live");
	await_text(events, "'tunable' for domain '" LINUX_GUEST "':\n\tcputune.vcpupin1: 0\n");
	assert_int_equal(count_text(events, "'tunable'"), 3);
	linux_listen_end(listener);
	done("schedinfo " LINUX_GUEST
	     " --live --set vcpu_quota=-1 global_quota=-1 cpu_shares=100");
}

static void statistics_need_no_monitor(void **state)
{
	pid_t monitor = machine_of(LINUX_DIGITS);

	/* One that stands still is not asked: its page is looked at. */
	comes_to_show("domstats " LINUX_GUEST, "vcpu.0.time=");
	kill(monitor, SIGSTOP);
	shows("domstats " LINUX_GUEST, "vcpu.0.time=");
	shows("domstats " LINUX_GUEST, "net.0.name=" LINUX_MAC);
	shows("domstats " LINUX_GUEST " --nowait", "block.0.rd.reqs=");
	shows("domstats " LINUX_GUEST " --enforce --perf --iothread", "Domain: '" LINUX_GUEST "'");
	shows("dominfo " LINUX_GUEST, "CPU time:");
	shows("dommemstat " LINUX_GUEST, "actual ");
	shows("cpu-stats " LINUX_GUEST " --total", "\tuser_time ");
	kill(monitor, SIGCONT);
}

/* The host counts the time on each of its CPUs only where it has the control groups for it. */
static void the_time_on_each_cpu_is_told(void **state)
{
	g_autofree char *text = virsh_at(daemon_under_test.uri, true,
		"cpu-stats " LINUX_GUEST " --start 0 --count 1 || true");

	print_message("%s\n", text);
	if (!strstr(text, "without the control groups of cpuacct"))
		shows("cpu-stats " LINUX_GUEST, "CPU0:\n\tcpu_time ");
}

/* ---- saved states ---------------------------------------------------------------------------- */

static void a_guest_waits_to_be_let_go(void **state)
{
	g_autofree char *path = write_guest("waits", "78", "b", "");

	done("define %s", path);
	done("start waits --paused");
	says("paused (user)", "domstate waits --reason");
	done("resume waits");
	says("running (unpaused)", "domstate waits --reason");
	done("destroy waits");
	done("undefine waits");
}

static void a_guest_is_saved_to_a_file_and_goes_on(void **state)
{
	g_autofree char *file = g_build_filename(daemon_under_test.root, "linux.save", NULL);
	g_autofree char *image = linux_disk("vdb.img", 8), *other = NULL, *path = NULL;
	g_autofree char *command = g_strdup_printf("save-image-dumpxml %s", file);

	/* What has been plugged is there again. */
	done("attach-disk " LINUX_GUEST " %s vdb", image);
	linux_comes_to_say("vdb:8 ");
	done("save " LINUX_GUEST " %s", file);
	says("shut off (saved)", "domstate " LINUX_GUEST " --reason");
	shows(command, "<name>" LINUX_GUEST "</name>");
	shows(command, "vdb.img");
	other = virsh("%s", command);
	path = g_build_filename(daemon_under_test.root, "other.xml", NULL);
	assert_true(g_file_set_contents(path, other, -1, NULL));
	done("save-image-define %s %s --paused", file, path);
	done("restore %s", file);
	says("paused (user)", "domstate " LINUX_GUEST " --reason");
	done("resume " LINUX_GUEST);
	linux_comes_to_say("vdb:8 ");
	done("detach-disk " LINUX_GUEST " vdb");
	linux_comes_to_say("disks vda:16 nics");
	g_clear_pointer(&command, g_free);
	command = g_strdup_printf("restore %s", path);
	fails(command, "image magic is incorrect");
}

/* A shell's command, beside us. */
static GPid run_beside(const char *command)
{
	char *arguments[] = {"sh", "-c", (char *)command, NULL};
	GPid pid;

	assert_true(g_spawn_async(NULL, arguments, NULL,
		G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL));
	return pid;
}

/* A save into a FIFO that nobody empties lasts as long as we like. */
static GPid begin_saving(const char *fifo, const char *out)
{
	g_autofree char *command =
		g_strdup_printf("exec virsh -c '%s' save " LINUX_GUEST " %s --verbose >%s 2>&1",
			daemon_under_test.uri, fifo, out);
	GPid saver = run_beside(command);

	comes_to_show("domjobinfo " LINUX_GUEST, "Operation:        Save");
	return saver;
}

static void a_save_can_be_called_off(void **state)
{
	g_autofree char *fifo = g_build_filename(daemon_under_test.root, "fifo", NULL);
	g_autofree char *out = g_build_filename(daemon_under_test.root, "saver", NULL);
	int status, reader;
	GPid saver;

	assert_int_equal(mkfifo(fifo, 0600), 0);
	reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	shows("domjobinfo " LINUX_GUEST, "Job type:         None");
	saver = begin_saving(fifo, out);
	shows("domjobinfo " LINUX_GUEST, "Job type:         Unbounded");
	shows("domjobinfo " LINUX_GUEST, "Data remaining:");
	comes_to_say("paused (saving)", "domstate " LINUX_GUEST " --reason");
	fails("managedsave " LINUX_GUEST, "cannot acquire state change lock");
	done("domjobabort " LINUX_GUEST);
	waitpid(saver, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
	await_text(out, "canceled by client");
	close(reader);
	shows("domjobinfo " LINUX_GUEST, "Job type:         None");
	shows("domjobinfo " LINUX_GUEST " --completed", "Job type:         None");
	linux_comes_to_say("cpus 2 ");
}

static void a_save_tells_of_itself_when_it_is_done(void **state)
{
	g_autofree char *fifo = g_build_filename(daemon_under_test.root, "fifo", NULL);
	g_autofree char *file = g_build_filename(daemon_under_test.root, "piped", NULL);
	g_autofree char *out = g_build_filename(daemon_under_test.root, "saver", NULL);
	g_autofree char *events = g_build_filename(daemon_under_test.root, "events", NULL);
	g_autofree char *drain = g_strdup_printf("exec cat %s >%s", fifo, file);
	GPid listener = linux_listen(events), saver, drainer;
	int status, reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	saver = begin_saving(fifo, out);
	drainer = run_beside(drain);
	waitpid(saver, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(reader);
	waitpid(drainer, NULL, 0);
	await_text(out, "Save: [");
	await_text(events, "'job-completed' for domain '" LINUX_GUEST "'");
	linux_listen_end(listener);
	shows("domjobinfo " LINUX_GUEST " --completed --keep-completed",
		"Job type:         Completed");
	shows("domjobinfo " LINUX_GUEST " --completed", "Data total:");
	shows("domjobinfo " LINUX_GUEST " --completed", "Job type:         None");
	/* What has come out of it is the guest. */
	done("restore %s", file);
	linux_comes_to_say("cpus 2 ");
}

static void a_start_goes_on_where_it_was_saved(void **state)
{
	done("managedsave " LINUX_GUEST);
	says("shut off (saved)", "domstate " LINUX_GUEST " --reason");
	shows("dominfo " LINUX_GUEST, "Managed save:   yes");
	says(LINUX_GUEST, "list --all --name --with-managed-save");
	fails("undefine " LINUX_GUEST,
		"Refusing to undefine while domain managed save image exists");
	shows("managedsave-dumpxml " LINUX_GUEST, "<name>" LINUX_GUEST "</name>");
	done("start " LINUX_GUEST);
	says("running (restored)", "domstate " LINUX_GUEST " --reason");
	says("", "list --all --name --with-managed-save");
	linux_comes_to_say("cpus 2 ");
}

static void a_saved_state_can_be_given_up(void **state)
{
	done("suspend " LINUX_GUEST);
	done("managedsave " LINUX_GUEST);
	done("start " LINUX_GUEST);
	says("paused (user)", "domstate " LINUX_GUEST " --reason");
	done("managedsave " LINUX_GUEST " --running");
	done("managedsave-remove " LINUX_GUEST);
	shows("dominfo " LINUX_GUEST, "Managed save:   no");
	fails("domjobabort " LINUX_GUEST, "domain is not running");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vcpus_come_and_go),
		cmocka_unit_test(threads_stay_where_they_are_put),
		cmocka_unit_test(shares_and_limits_reach_the_guest),
		cmocka_unit_test(quotas_reach_the_guest),
		cmocka_unit_test(the_balloon_takes_and_gives),
		cmocka_unit_test(a_memory_device_fills_and_empties),
		cmocka_unit_test(the_guest_tells_of_its_memory),
		cmocka_unit_test(listeners_hear_of_changed_resources),
		cmocka_unit_test(statistics_need_no_monitor),
		cmocka_unit_test(the_time_on_each_cpu_is_told),
		cmocka_unit_test(a_guest_waits_to_be_let_go),
		cmocka_unit_test(a_guest_is_saved_to_a_file_and_goes_on),
		cmocka_unit_test(a_save_can_be_called_off),
		cmocka_unit_test(a_save_tells_of_itself_when_it_is_done),
		cmocka_unit_test(a_start_goes_on_where_it_was_saved),
		cmocka_unit_test(a_saved_state_can_be_given_up),
	};

	return cmocka_run_group_tests_name(
		"resources of running guests", tests, linux_prepare, linux_clean_up);
}
