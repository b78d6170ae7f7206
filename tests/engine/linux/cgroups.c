// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The control groups of a monitor and of lodged on a Linux whose cgroup version 2 is at
 * /sys/fs/cgroup: run in a guest, as root.
 *
 *	cgroups alone|delegated|user|refused|weight|killed
 *
 * Ends with status 0, or says what is wrong and ends with 1. Processor time is this kernel's own
 * account of it; how it is held to a quota is measured several times, as the guest's host may be
 * busy.
 */
#include "engine/daemon/cgroup.h"
#include "engine/vmm/cgroup.h"
#include "engine/vmm/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"
#define SERVICE ROOT "/service"
#define GUEST "11111111-2222-3333-4444-555555555555"
#define USER 1000
#define VCPUS 2
#define PERIOD_US 100000
#define MEASURE_MS 1000
#define TRIES 15
/* Per cent of a CPU. */
#define TOLERANCE 8

/* There is no sandbox here. */
int sandbox_pid(void)
{
	return getpid();
}

G_NORETURN G_GNUC_PRINTF(1, 2)
static void fail(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);

	printf("wrong: %s\n", text);
	fflush(stdout);
	_exit(1);
}

static void expect(bool condition, const char *what)
{
	if (!condition)
		fail("%s (%s)", what, g_strerror(errno));
}

/* ---- files ------------------------------------------------------------------------------------- */

static char *contents(const char *folder, const char *file)
{
	g_autofree char *path = g_build_filename(folder, file, NULL);
	char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) ? g_strchomp(text)
							    : g_strdup("not there");
}

static void expect_text(const char *folder, const char *file, const char *expected)
{
	g_autofree char *text = contents(folder, file);

	if (!g_str_equal(text, expected))
		fail("%s/%s is '%s', not '%s'", folder, file, text, expected);
}

static bool write_text(const char *folder, const char *file, const char *text)
{
	g_autofree char *path = g_build_filename(folder, file, NULL);
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* The group of this process, as a folder. */
static char *own_group(void)
{
	g_autofree char *text = contents("/proc/self", "cgroup");
	const char *path = strstr(text, "0::");

	expect(path != NULL, "this process is in no group of version 2");
	return g_strconcat(ROOT, path + 3, NULL);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* ---- processor time ---------------------------------------------------------------------------- */

/* Once is enough. */
static bool measuring = true;
static atomic_bool stop;
static pid_t tids[VCPUS];
static atomic_uint ready;

static void *burn(void *data)
{
	*(pid_t *)data = gettid();
	atomic_fetch_add(&ready, 1);
	while (!atomic_load(&stop))
		;
	return NULL;
}

static void begin_threads(pthread_t threads[VCPUS])
{
	for (unsigned i = 0; i < VCPUS; i++)
		expect(pthread_create(&threads[i], NULL, burn, &tids[i]) == 0, "no thread");
	while (atomic_load(&ready) < VCPUS)
		sched_yield();
}

static void end_threads(pthread_t threads[VCPUS])
{
	atomic_store(&stop, true);
	for (unsigned i = 0; i < VCPUS; i++)
		pthread_join(threads[i], NULL);
	/* They leave their groups a moment later. */
	for (unsigned i = 0; i < VCPUS; i++)
		while (tgkill(getpid(), tids[i], 0) == 0)
			g_usleep(1000);
}

static double now_ms(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* Per cent of a CPU that a clock of processor time has run. */
static double use_of(clockid_t clock)
{
	double begun = now_ms(CLOCK_MONOTONIC), used = now_ms(clock);

	g_usleep(MEASURE_MS * 1000);
	used = now_ms(clock) - used;
	return 100 * used / (now_ms(CLOCK_MONOTONIC) - begun);
}

/* Time is given out in pieces, and threads run on a little: sometimes it is more, never for long. */
static void expect_use(const char *what, clockid_t clock, double expected)
{
	double use = 0;

	if (!measuring)
		return;
	for (unsigned i = 0; i < TRIES; i++) {
		use = use_of(clock);
		if (use > expected - TOLERANCE && use < expected + TOLERANCE) {
			printf("%s: %.1f of %.0f %%\n", what, use, expected);
			return;
		}
	}
	fail("%s uses %.1f %%, not %.0f", what, use, expected);
}

static clockid_t clock_of(pthread_t thread)
{
	clockid_t clock;

	pthread_getcpuclockid(thread, &clock);
	return clock;
}

/* ---- the monitor's ----------------------------------------------------------------------------- */

static const struct config_quota half = {PERIOD_US / 2, PERIOD_US};
static const struct config_quota quarter = {PERIOD_US / 4, PERIOD_US};
static const struct config_quota none = {0, PERIOD_US};

static void check_whole(struct cgroup *cgroup, const char *group)
{
	expect(cgroup_set_quota(cgroup, &half), "no quota");
	expect_text(group, "cpu.max", "50000 100000");
	expect_use("the whole", CLOCK_PROCESS_CPUTIME_ID, 50);
	expect(cgroup_set_quota(cgroup, &none), "the quota stays");
	expect_text(group, "cpu.max", "max 100000");
	expect(cgroup_set_weight(cgroup, 250), "no weight");
	expect_text(group, "cpu.weight", "250");
}

/* A thread's group of its own, and its quota there. */
static void check_parts(struct cgroup *cgroup, const char *group, pthread_t threads[VCPUS])
{
	g_autofree char *vcpu1 = g_build_filename(group, "vcpu1", NULL);
	g_autofree char *emulator = g_build_filename(group, "emulator", NULL);
	g_autofree char *tid1 = g_strdup_printf("%d", tids[1]);

	expect_text(vcpu1, "cgroup.type", "threaded");
	expect(cgroup_set_vcpu_quota(cgroup, &quarter), "no quota of vCPUs");
	for (unsigned i = 0; i < VCPUS; i++)
		expect(cgroup_join_vcpu(cgroup, i, tids[i]), "a thread cannot join");
	expect_text(vcpu1, "cgroup.threads", tid1);
	expect_text(vcpu1, "cpu.max", "25000 100000");
	expect_use("vCPU 0", clock_of(threads[0]), 25);
	expect_use("vCPU 1", clock_of(threads[1]), 25);
	expect(cgroup_set_vcpu_quota(cgroup, &none), "the vCPUs' quota stays");
	expect_text(vcpu1, "cpu.max", "max 100000");

	expect(cgroup_join_emulator(cgroup, tids[1]), "the emulator's thread cannot join");
	expect(cgroup_set_emulator_quota(cgroup, &quarter), "no quota of the emulator");
	expect_text(emulator, "cpu.max", "25000 100000");
	expect_use("the emulator", clock_of(threads[1]), 25);
	/* The smaller one of both holds. */
	expect(cgroup_set_quota(cgroup, &half), "no quota beside those of parts");
	expect_use("both", CLOCK_PROCESS_CPUTIME_ID, 50);
	expect(cgroup_set_emulator_quota(cgroup, &none), "the emulator's quota stays");
}

static void be_monitor(void)
{
	g_autofree char *before = own_group(), *group = NULL;
	struct cgroup *cgroup = cgroup_new(VCPUS);
	pthread_t threads[VCPUS];

	expect(cgroup != NULL, "there is no group to be had");
	begin_threads(threads);
	check_whole(cgroup, group = g_strdup_printf("%s/lodge-vmm-%d", before, getpid()));
	check_parts(cgroup, group, threads);
	end_threads(threads);
	cgroup_free(cgroup);
	expect(!is_there(group), "its group is left");
}

/* ---- lodged's ---------------------------------------------------------------------------------- */

/* A child goes to a group and does something; what it ends with. */
static pid_t begin_in(const char *group, uid_t uid, void (*run)(void))
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	expect(write_text(group, "cgroup.procs", "0"), "the group cannot be entered");
	expect(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0, "no such user");
	run();
	_exit(0);
}

static void run_in(const char *group, uid_t uid, void (*run)(void))
{
	int status;

	expect(waitpid(begin_in(group, uid, run), &status, 0) > 0, "no child");
	if (status != 0)
		_exit(1);
}

static pid_t begin_guest(struct cgroup *cgroup, void (*run)(void))
{
	int fd = cgroup_make(cgroup, GUEST);
	pid_t pid;

	expect(fd >= 0, "no group for a guest");
	pid = fork();
	if (pid == 0) {
		expect(write(fd, "0", 1) == 1, "the guest cannot enter its group");
		run();
		_exit(0);
	}
	close(fd);
	return pid;
}

static struct cgroup *open_daemon(void)
{
	struct cgroup *cgroup = cgroup_open("lodge-test");

	expect(cgroup != NULL, "nothing is delegated");
	expect_text(SERVICE, "cgroup.subtree_control", "cpu");
	return cgroup;
}

static void close_daemon(struct cgroup *cgroup)
{
	cgroup_remove(cgroup, GUEST);
	expect(!is_there(SERVICE "/lodge-test/" GUEST), "the guest's group is left");
	cgroup_close(cgroup);
	expect(!is_there(SERVICE "/lodge-test"), "the guests' group is left");
}

/* The monitor's first process stays in the guest's group, as its programs do. */
static void be_keeper(void)
{
	pid_t machine = fork();
	int status;

	if (machine == 0) {
		be_monitor();
		_exit(0);
	}
	expect(waitpid(machine, &status, 0) > 0, "no child");
	if (status != 0)
		_exit(1);
}

static void be_daemon(void)
{
	struct cgroup *cgroup = open_daemon();
	int status;

	expect(waitpid(begin_guest(cgroup, be_keeper), &status, 0) > 0, "no child");
	if (status != 0)
		_exit(1);
	close_daemon(cgroup);
}

static void be_monitor_for_ever(void)
{
	struct cgroup *cgroup = cgroup_new(VCPUS);
	pthread_t threads[VCPUS];

	expect(cgroup && cgroup_set_vcpu_quota(cgroup, &quarter), "no quota of vCPUs");
	begin_threads(threads);
	for (unsigned i = 0; i < VCPUS; i++)
		cgroup_join_vcpu(cgroup, i, tids[i]);
	pause();
}

/* The group of the monitor that a daemon finds; only its name tells its process. */
static pid_t find_monitor(void)
{
	for (int i = 0; i < 300; i++) {
		g_autoptr(GDir) dir = g_dir_open(SERVICE "/lodge-test/" GUEST, 0, NULL);
		const char *name;

		while (dir && (name = g_dir_read_name(dir)))
			if (g_str_has_prefix(name, "lodge-vmm-"))
				return atoi(name + strlen("lodge-vmm-"));
		g_usleep(100000);
	}
	fail("the guest's monitor has no group");
}

static void be_daemon_for_ever(void)
{
	begin_guest(open_daemon(), be_monitor_for_ever);
	pause();
}

/* The one before was killed, and its guest runs. */
static void be_next_daemon(void)
{
	pid_t pid = find_monitor();
	g_autofree char *left =
		g_strdup_printf(SERVICE "/lodge-test/" GUEST "/lodge-vmm-%d/vcpu1", pid);
	struct cgroup *cgroup = open_daemon();

	expect(is_there(left), "the group of a running guest is gone");
	kill(pid, SIGKILL);
	while (kill(pid, 0) == 0)
		g_usleep(100000);
	close_daemon(cgroup);
}

static void expect_nothing(void)
{
	expect(cgroup_open("lodge-test") == NULL, "lodged takes what is not delegated");
	expect(cgroup_new(VCPUS) == NULL, "a monitor takes what is not delegated");
	/* What nobody has is no error. */
	expect(cgroup_make(NULL, GUEST) == -1, "a group in nothing");
	cgroup_remove(NULL, GUEST);
	cgroup_close(NULL);
	cgroup_free(NULL);
}

static void make_service(uid_t uid)
{
	expect(mkdir(SERVICE, 0755) == 0, "no service");
	expect(write_text(ROOT, "cgroup.subtree_control", "+cpu"), "no controller");
	/* As systemd does it with Delegate= and User=. */
	expect(chown(SERVICE, uid, uid) == 0 &&
			chown(SERVICE "/cgroup.procs", uid, uid) == 0 &&
			chown(SERVICE "/cgroup.threads", uid, uid) == 0 &&
			chown(SERVICE "/cgroup.subtree_control", uid, uid) == 0,
		"the service cannot be given away");
}

static void remove_service(void)
{
	rmdir(SERVICE "/daemon");
	expect(rmdir(SERVICE) == 0, "something is left in the service");
}

/* ---- what is tried ----------------------------------------------------------------------------- */

static void alone(void)
{
	run_in(ROOT, 0, be_monitor);
}

static void delegated(void)
{
	make_service(0);
	run_in(SERVICE, 0, be_daemon);
	remove_service();
}

static void user(void)
{
	measuring = false;
	make_service(USER);
	run_in(SERVICE, USER, be_daemon);
	remove_service();
}

static void killed(void)
{
	pid_t daemon;

	make_service(0);
	daemon = begin_in(SERVICE, 0, be_daemon_for_ever);
	find_monitor();
	kill(daemon, SIGKILL);
	waitpid(daemon, NULL, 0);
	/* systemd starts the next one where the first one was. */
	run_in(SERVICE, 0, be_next_daemon);
	remove_service();
}

static void refused(void)
{
	make_service(0);
	run_in(SERVICE, USER, expect_nothing);
	/* The root's controllers are not handed on. */
	expect(write_text(ROOT, "cgroup.subtree_control", "-cpu"), "the controller stays");
	run_in(SERVICE, 0, expect_nothing);
	remove_service();
}

/* ---- two guests on a CPU ----------------------------------------------------------------------- */

static void burn_with_weight(unsigned weight)
{
	struct cgroup *cgroup = cgroup_new(VCPUS);

	expect(cgroup && cgroup_set_weight(cgroup, weight), "no weight");
	for (;;)
		;
}

static void heavy(void)
{
	burn_with_weight(300);
}

static void light(void)
{
	burn_with_weight(100);
}

static double used_by(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) == 0 ? now_ms(clock) : 0;
}

static void expect_share(pid_t one, pid_t other, double expected)
{
	double share = 0;

	for (unsigned i = 0; i < TRIES; i++) {
		double before = used_by(one), others = used_by(other);

		g_usleep(2 * MEASURE_MS * 1000);
		before = used_by(one) - before;
		others = used_by(other) - others;
		share = 100 * before / (before + others);
		if (share > expected - TOLERANCE && share < expected + TOLERANCE) {
			printf("share: %.1f of %.0f %%\n", share, expected);
			return;
		}
	}
	fail("the heavier one gets %.1f %%, not %.0f", share, expected);
}

static void weight(void)
{
	cpu_set_t first;
	pid_t one, other;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	make_service(0);
	expect(sched_setaffinity(0, sizeof(first), &first) == 0, "no CPU 0");
	one = begin_in(ROOT, 0, heavy);
	other = begin_in(ROOT, 0, light);
	expect_share(one, other, 75);
	kill(one, SIGKILL);
	kill(other, SIGKILL);
	waitpid(one, NULL, 0);
	waitpid(other, NULL, 0);
	/* The next monitor here clears up behind them. */
	cgroup_free(cgroup_new(VCPUS));
	g_autofree char *left = g_strdup_printf(ROOT "/lodge-vmm-%d", one);
	expect(!is_there(left), "the group of one that was killed is left");
	remove_service();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} all[] = {
		{"alone", alone},
		{"delegated", delegated},
		{"user", user},
		{"killed", killed},
		{"refused", refused},
		{"weight", weight},
	};

	setlinebuf(stdout);
	for (size_t i = 0; argc == 2 && i < G_N_ELEMENTS(all); i++) {
		if (!g_str_equal(argv[1], all[i].name))
			continue;
		all[i].run();
		return 0;
	}
	fail("cgroups alone|delegated|user|refused|weight|killed");
}
