// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One lodged with many guests that run and have nothing to do.
 *
 *	bench_running BUILDDIR COUNT
 *
 * Times are of one client that does one thing after the other. That a bulk call asks no monitor is
 * shown by stopping them all (SIGSTOP): it takes no longer then. Everything lies in a folder in /tmp
 * that is removed at the end, also by SIGINT and SIGTERM.
 */
#include "tests/folder.h"

#include <dirent.h>
#include <errno.h>
#include <glib-unix.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 21
#define IDLE_S 10
#define PATIENCE_S 300

struct bench {
	char *root, *build, *socket, *uri;
	unsigned count;
	GPid pid;
	virConnectPtr connection;
	virDomainPtr *guests;
	GArray *monitors; /* pid_t */
};

static struct bench my;
static volatile sig_atomic_t interrupted;

static double now_ms(void)
{
	return (double)g_get_monotonic_time() / 1000;
}

static void clean_up(void);

static void fail(const char *what)
{
	const virError *error = virGetLastError();

	fprintf(stderr, "bench_running: %s: %s\n", what, error ? error->message : "?");
	clean_up();
	exit(1);
}

static void on_signal(int number)
{
	interrupted = 1;
}

static void go_on(void)
{
	if (interrupted)
		fail("interrupted");
}

static void show(const char *what, double value, const char *unit)
{
	printf("%-44s %10.2f %s\n", what, value, unit);
	fflush(stdout);
}

/* ---- processes --------------------------------------------------------------------------------- */

/* And its child, if it has one. */
static void add_monitor(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", (int)pid, (int)pid);
	g_autofree char *text = NULL;
	pid_t child;

	g_array_append_val(my.monitors, pid);
	if (g_file_get_contents(path, &text, NULL, NULL) && (child = atoi(text)))
		add_monitor(child);
}

/* A monitor's first process is in its guest's folder. */
static void find_monitors(void)
{
	g_autofree char *folder = g_build_filename(my.root, "run", "guests", "", NULL);
	GDir *processes = g_dir_open("/proc", 0, NULL);
	const char *name;

	g_array_set_size(my.monitors, 0);
	while ((name = g_dir_read_name(processes))) {
		g_autofree char *link = g_build_filename("/proc", name, "cwd", NULL);
		g_autofree char *target = g_file_read_link(link, NULL);

		if (target && g_str_has_prefix(target, folder))
			add_monitor(atoi(name));
	}
	g_dir_close(processes);
}

static void signal_monitors(int number)
{
	for (guint i = 0; i < my.monitors->len; i++)
		kill(g_array_index(my.monitors, pid_t, i), number);
}

/* A line of a file in /proc/PID, in KiB. */
static double kib_of(pid_t pid, const char *file, const char *key)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, file), *text = NULL;
	const char *line;

	if (!g_file_get_contents(path, &text, NULL, NULL) || !(line = strstr(text, key)))
		return 0;
	return (double)strtoul(line + strlen(key), NULL, 10);
}

/* Processor time of a process so far: user and system, in clock ticks (proc(5)). */
static double cpu_ms(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid), *text = NULL;
	unsigned long user, kernel;
	const char *rest;

	if (!g_file_get_contents(path, &text, NULL, NULL) || !(rest = strrchr(text, ')')) ||
		sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			&kernel) != 2)
		return 0;
	return (double)(user + kernel) * 1000 / (double)sysconf(_SC_CLK_TCK);
}

static double monitors_cpu_ms(void)
{
	double sum = 0;

	for (guint i = 0; i < my.monitors->len; i++)
		sum += cpu_ms(g_array_index(my.monitors, pid_t, i));
	return sum;
}

static unsigned count_entries(pid_t pid, const char *folder)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, folder);
	DIR *entries = opendir(path);
	unsigned count = 0;

	while (entries && readdir(entries))
		count++;
	if (entries)
		closedir(entries);
	return count > 2 ? count - 2 : 0;
}

/* ---- the daemon -------------------------------------------------------------------------------- */

static void end_with_parent(void *data)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static void start_daemon(void)
{
	g_autofree char *program = g_build_filename(my.build, "lodged", NULL);
	char *arguments[] = {program, "--root", my.root, NULL};
	g_autoptr(GError) error = NULL;
	double begun = now_ms();

	if (!g_spawn_async(NULL, arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, end_with_parent, NULL,
		    &my.pid, &error))
		fail(error->message);
	while (!(my.connection = virConnectOpen(my.uri))) {
		go_on();
		if (now_ms() - begun > PATIENCE_S * 1000)
			fail("lodged does not listen");
		g_usleep(2000);
	}
}

static void kill_daemon(void)
{
	kill(my.pid, SIGKILL);
	waitpid(my.pid, NULL, 0);
	my.pid = 0;
	virConnectClose(g_steal_pointer(&my.connection));
}

static void clean_up(void)
{
	if (my.pid) {
		kill(my.pid, SIGTERM);
		waitpid(my.pid, NULL, 0);
	}
	find_monitors();
	signal_monitors(SIGKILL);
	folder_remove_tree(my.root);
}

/* ---- what is measured -------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median_of(void (*call)(void))
{
	double times[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		double begun = now_ms();

		go_on();
		call();
		times[i] = now_ms() - begun;
	}
	qsort(times, ROUNDS, sizeof(*times), by_value);
	return times[ROUNDS / 2];
}

static double each_of(const char *what, int (*call)(virDomainPtr guest))
{
	double begun = now_ms();

	for (unsigned i = 0; i < my.count; i++) {
		go_on();
		if (call(my.guests[i]) < 0)
			fail(what);
	}
	return now_ms() - begun;
}

static void define_all(void)
{
	for (unsigned i = 0; i < my.count; i++) {
		g_autofree char *xml = g_strdup_printf(
			"<domain type='qemu'><name>bench%u</name>"
			"<uuid>00000000-0000-4000-9000-%012u</uuid><memory unit='MiB'>4</memory>"
			"<os><type arch='x86_64'>hvm</type>"
			"<kernel>%s/tests/engine/boot/actions.elf</kernel><cmdline>h</cmdline></os>"
			"<devices><serial type='null'/><memballoon model='none'/></devices>"
			"</domain>",
			i, i, my.build);

		if (!(my.guests[i] = virDomainDefineXML(my.connection, xml)))
			fail("define");
	}
}

static void bulk(void)
{
	virDomainStatsRecordPtr *records = NULL;
	int count = virConnectGetAllDomainStats(
		my.connection, 0, &records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);

	if (count != (int)my.count)
		fail("domstats");
	virDomainStatsRecordListFree(records);
}

static void list(void)
{
	virDomainPtr *guests = NULL;
	int count = virConnectListAllDomains(
		my.connection, &guests, VIR_CONNECT_LIST_DOMAINS_RUNNING);

	if (count != (int)my.count)
		fail("list");
	for (int i = 0; i < count; i++)
		virDomainFree(guests[i]);
	free(guests);
}

static void look(void)
{
	int state;

	if (virDomainGetState(my.guests[my.count / 2], &state, NULL, 0) < 0)
		fail("state");
}

static void measure_idle(void)
{
	double daemon, monitors, begun;

	g_usleep(5 * G_USEC_PER_SEC);
	daemon = cpu_ms(my.pid);
	monitors = monitors_cpu_ms();
	begun = now_ms();
	g_usleep(IDLE_S * G_USEC_PER_SEC);
	show("idle: lodged's CPU", 100 * (cpu_ms(my.pid) - daemon) / (now_ms() - begun), "%");
	show("idle: CPU of all monitors together",
		100 * (monitors_cpu_ms() - monitors) / (now_ms() - begun), "%");
}

static void measure_memory(void)
{
	double pss = 0, own = 0;
	unsigned looked = 0, threads = 0;

	for (guint i = 0; i < my.monitors->len; i += my.monitors->len / 99 | 1, looked++) {
		pid_t pid = g_array_index(my.monitors, pid_t, i);

		pss += kib_of(pid, "smaps_rollup", "Pss:");
		own += kib_of(pid, "smaps_rollup", "Private_Dirty:");
		threads += count_entries(pid, "task");
	}
	show("memory of lodged", kib_of(my.pid, "status", "VmRSS:") / 1024, "MiB");
	show("descriptors of lodged", count_entries(my.pid, "fd"), "");
	show("memory of a guest's processes (PSS)", pss / looked * my.monitors->len / my.count, "KiB");
	show("  of it not shared", own / looked * my.monitors->len / my.count, "KiB");
	show("threads of a guest's processes", (double)threads / looked * my.monitors->len / my.count,
		"");
}

static void measure_calls(void)
{
	show("domstats, bulk", median_of(bulk), "ms");
	show("list", median_of(list), "ms");
	show("domstate of one", median_of(look), "ms");
	signal_monitors(SIGSTOP);
	show("domstats, bulk, all monitors stopped", median_of(bulk), "ms");
	signal_monitors(SIGCONT);
}

/* Each monitor has said how its guest is. */
static bool all_known(void)
{
	virDomainPtr *guests = NULL;
	bool known = true;
	int count = virConnectListAllDomains(
		my.connection, &guests, VIR_CONNECT_LIST_DOMAINS_RUNNING);

	for (int i = 0; i < count; i++) {
		int state, reason;

		known = known && virDomainGetState(guests[i], &state, &reason, 0) == 0 &&
			reason != VIR_DOMAIN_RUNNING_UNKNOWN;
		virDomainFree(guests[i]);
	}
	free(guests);
	return known && count == (int)my.count;
}

static void measure_adoption(void)
{
	double begun;

	for (unsigned i = 0; i < my.count; i++)
		virDomainFree(my.guests[i]);
	kill_daemon();
	begun = now_ms();
	start_daemon();
	show("kill -9; the next lodged answers after", now_ms() - begun, "ms");
	while (!all_known()) {
		go_on();
		if (now_ms() - begun > PATIENCE_S * 1000)
			fail("the guests are not adopted");
		g_usleep(1000);
	}
	show("  and knows all guests after", now_ms() - begun, "ms");
	for (unsigned i = 0; i < my.count; i++) {
		g_autofree char *name = g_strdup_printf("bench%u", i);

		my.guests[i] = virDomainLookupByName(my.connection, name);
	}
}

static void measure(void)
{
	double begun = now_ms(), all;

	define_all();
	show("define, each", (now_ms() - begun) / my.count, "ms");
	all = each_of("start", virDomainCreate);
	show("start all", all, "ms");
	show("  each", all / my.count, "ms");
	find_monitors();
	measure_idle();
	measure_memory();
	measure_calls();
	measure_adoption();
	all = each_of("destroy", virDomainDestroy);
	show("destroy all", all, "ms");
	find_monitors();
	if (my.monitors->len)
		fail("a monitor is left");
	show("undefine, each", each_of("undefine", virDomainUndefine) / my.count, "ms");
}

static void ignore(void *data, virErrorPtr error)
{
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};

	if (argc != 3 || atoi(argv[2]) < 1) {
		fputs("usage: bench_running BUILDDIR COUNT\n", stderr);
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	virSetErrorFunc(NULL, ignore);
	my.build = g_canonicalize_filename(argv[1], NULL);
	my.root = g_dir_make_tmp("lodge-bench-XXXXXX", NULL);
	my.socket = g_build_filename(my.root, "run", "lodged.sock", NULL);
	my.uri = g_strdup_printf("lodge+unix:///system?socket=%s", my.socket);
	my.count = (unsigned)atoi(argv[2]);
	my.guests = g_new0(virDomainPtr, my.count);
	my.monitors = g_array_new(FALSE, FALSE, sizeof(pid_t));
	start_daemon();
	printf("%u running guests that have nothing to do:\n", my.count);
	measure();
	for (unsigned i = 0; i < my.count; i++)
		virDomainFree(my.guests[i]);
	virConnectClose(my.connection);
	clean_up();
	return 0;
}
