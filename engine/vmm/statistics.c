// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/statistics.h"

#include "engine/common/stats.h"
#include "engine/vmm/cpus.h"
#include "engine/vmm/dev/virtio_balloon.h"
#include "engine/vmm/devices.h"
#include "engine/vmm/sandbox.h"
#include "engine/vmm/scheduling.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_US G_USEC_PER_SEC

_Static_assert((int)STATS_EXIT_KINDS == (int)VCPU_CAUSES, "the same kinds in the same order");
_Static_assert((int)STATS_EXIT_OTHER == (int)VCPU_CAUSE_OTHER, "the same kinds in the same order");
_Static_assert((int)STATS_STATE_ENDED == 3, "as machine states are shown below");

/* A vCPU's thread as it was last looked at. */
struct watched {
	int tid, host_tid;
	int schedstat_fd;    /* of that thread; -1: cannot be opened */
	uint64_t wait_ns;    /* that it says */
	uint64_t wait_before; /* of threads that have ended */
	uint64_t present_ns; /* the guest's clock when it became present */
};

struct statistics {
	const struct machine_parts *parts;
	struct stats_page *page;
	GSource *timer;
	atomic_bool resting; /* the timer is not set: no vCPU has run for a period */
	int statm_fd;
	uint64_t resets;
	uint64_t ran; /* by vCPUs until the last sample by the timer */
	struct watched watched[STATS_VCPUS_MAX];
};

/* ---- files of /proc ----------------------------------------------------------------------------------- */

/* The beginning of a small file; false: it cannot be read. */
static bool read_text(int fd, char *text, size_t size)
{
	ssize_t n = fd >= 0 ? pread(fd, text, size - 1, 0) : -1;

	text[MAX(n, 0)] = '\0';
	return n > 0;
}

/* /proc/PID/statm: size and resident, in pages (proc(5)). */
static uint64_t resident(const struct statistics *statistics)
{
	char text[128];
	uint64_t pages;

	if (!read_text(statistics->statm_fd, text, sizeof(text)) ||
		sscanf(text, "%*u %" SCNu64, &pages) != 1)
		return STATS_UNKNOWN;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void watch_thread(struct watched *watched, int tid)
{
	char name[32];

	if (watched->schedstat_fd >= 0)
		close(watched->schedstat_fd);
	watched->wait_before += watched->wait_ns;
	watched->wait_ns = 0;
	watched->tid = tid;
	watched->host_tid = sandbox_host_thread(tid);
	watched->schedstat_fd = -1;
	snprintf(name, sizeof(name), "%d/schedstat", watched->host_tid);
	if (watched->host_tid && sandbox_task_fd() >= 0)
		watched->schedstat_fd = openat(sandbox_task_fd(), name, O_RDONLY | O_CLOEXEC);
}

/* /proc/PID/task/TID/schedstat: on a CPU and waiting for one, in ns (Linux
 * Documentation/scheduler/sched-stats.rst). */
static uint64_t waited(struct watched *watched, int tid)
{
	char text[128];
	uint64_t wait;

	if (tid != watched->tid)
		watch_thread(watched, tid);
	if (read_text(watched->schedstat_fd, text, sizeof(text)) &&
		sscanf(text, "%*u %" SCNu64, &wait) == 1)
		watched->wait_ns = wait;
	else if (tid && watched->schedstat_fd < 0)
		return STATS_UNKNOWN;
	return watched->wait_before + watched->wait_ns;
}

/* ---- samples ---------------------------------------------------------------------------------------------- */

static uint64_t now_ns(clockid_t clock)
{
	struct timespec time = { 0 };

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t timeval_ns(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_usec * 1000u;
}

static void sample_exits(struct stats_vcpu *record, const struct vcpu *vcpu)
{
	for (unsigned i = 0; i < STATS_EXIT_KINDS; i++)
		stats_set(&record->exits[i], stats_get(&vcpu->causes[i]));
}

/* What the guest's time since it has this vCPU was not spent on: the guest had nothing to do. */
static uint64_t halted(const struct stats_vcpu *record, uint64_t present_for)
{
	uint64_t busy = record->run_ns + record->steal_ns;

	return MAX(record->halted_ns, present_for > busy ? present_for - busy : 0);
}

static void sample_vcpu(struct statistics *statistics, unsigned id, uint64_t uptime)
{
	const struct machine_parts *parts = statistics->parts;
	struct stats_vcpu *record = &statistics->page->vcpus[id];
	struct watched *watched = &statistics->watched[id];
	const struct vcpu *vcpu = cpus_get(parts->cpus, id);
	bool present = cpus_present(parts->cpus, id);

	if (present && !record->present)
		watched->present_ns = uptime - MIN(uptime, record->run_ns + record->halted_ns);
	stats_set(&record->present, present);
	stats_set(&record->online, cpus_online(parts->cpus, id));
	stats_set(&record->run_ns, cpus_run_ns(parts->cpus, id));
	stats_set(&record->wait_ns, waited(watched, cpus_tid(parts->cpus, id)));
	stats_set(&record->thread, (uint64_t)watched->host_tid);
	stats_set(&record->held_ns, scheduling_held_ns(parts->scheduling, id));
	stats_set(&record->steal_ns,
		record->held_ns + (record->wait_ns == STATS_UNKNOWN ? 0 : record->wait_ns));
	if (present)
		stats_set(&record->halted_ns, halted(record, uptime - watched->present_ns));
	if (vcpu)
		sample_exits(record, vcpu);
}

static void sample_processor(struct statistics *statistics)
{
	const struct machine_parts *parts = statistics->parts;
	struct stats_guest *guest = &statistics->page->guest;
	uint64_t uptime = machine_uptime(parts->machine), total = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	uint64_t vcpus = 0;
	struct rusage use = { 0 };

	for (unsigned id = 0; id < parts->config->vcpus_max; id++) {
		sample_vcpu(statistics, id, uptime);
		vcpus += statistics->page->vcpus[id].run_ns;
	}
	getrusage(RUSAGE_SELF, &use);
	stats_set(&guest->uptime_ns, uptime);
	stats_set(&guest->cpu_ns, total);
	stats_set(&guest->cpu_user_ns, timeval_ns(&use.ru_utime));
	stats_set(&guest->cpu_system_ns, timeval_ns(&use.ru_stime));
	stats_set(&guest->emulator_ns, MAX(guest->emulator_ns, total > vcpus ? total - vcpus : 0));
	stats_set(&guest->vcpus, cpus_count(parts->cpus));
	stats_set(&guest->cap, scheduling_cap(parts->scheduling));
}

/* What the guest has told; its clock is machine time. */
static void sample_told(struct stats_guest *guest, const struct virtio_balloon_stats *told,
	uint64_t uptime)
{
	uint64_t age = uptime > told->updated_ns ? uptime - told->updated_ns : 0;

	stats_set(&guest->swap_in, told->swap_in);
	stats_set(&guest->swap_out, told->swap_out);
	stats_set(&guest->major_faults, told->major_faults);
	stats_set(&guest->minor_faults, told->minor_faults);
	stats_set(&guest->free, told->free);
	stats_set(&guest->total, told->total);
	stats_set(&guest->available, told->available);
	stats_set(&guest->caches, told->caches);
	stats_set(&guest->told_s,
		told->updated_ns ? (now_ns(CLOCK_REALTIME) - age) / 1000000000u : 0);
}

static void sample_memory(struct statistics *statistics)
{
	const struct machine_parts *parts = statistics->parts;
	struct stats_guest *guest = &statistics->page->guest;
	const struct device_slot *slot = devices_find(parts->devices, DEVICE_BALLOON, "balloon");
	uint64_t actual = parts->config->memory, target = actual;

	g_mutex_lock(&parts->lock->mutex);
	if (slot && slot->device) {
		actual -= (uint64_t)virtio_balloon_actual(slot->device) << MEMORY_PAGE_SHIFT;
		target -= (uint64_t)virtio_balloon_target(slot->device) << MEMORY_PAGE_SHIFT;
		sample_told(guest, virtio_balloon_get_stats(slot->device), guest->uptime_ns);
	}
	g_mutex_unlock(&parts->lock->mutex);
	stats_set(&guest->balloon_actual, actual);
	stats_set(&guest->balloon_target, target);
	stats_set(&guest->memory_now, actual);
	stats_set(&guest->resident, resident(statistics));
}

static uint64_t shown_state(const struct machine *machine)
{
	static const enum stats_state states[] = {
		[MACHINE_PAUSED] = STATS_STATE_PAUSED,
		[MACHINE_RUNNING] = STATS_STATE_RUNNING,
		[MACHINE_PRESERVED] = STATS_STATE_PRESERVED,
		[MACHINE_ENDED] = STATS_STATE_ENDED,
	};
	unsigned state = machine_state(machine);

	return state < G_N_ELEMENTS(states) ? states[state] : STATS_STATE_PAUSED;
}

static void sample(struct statistics *statistics)
{
	struct stats_guest *guest = &statistics->page->guest;

	stats_begin(statistics->page);
	stats_set(&guest->state, shown_state(statistics->parts->machine));
	stats_set(&guest->sampled_ns, now_ns(CLOCK_MONOTONIC));
	stats_set(&guest->resets, statistics->resets);
	sample_processor(statistics);
	sample_memory(statistics);
	stats_end(statistics->page);
}

/* Whole seconds: the host wakes up once for many guests. */
static void set_timer(struct statistics *statistics)
{
	gint64 next = g_get_monotonic_time() / PERIOD_US + 1;

	g_source_set_ready_time(statistics->timer, next * PERIOD_US);
}

void statistics_wake(struct statistics *statistics)
{
	if (atomic_load(&statistics->resting) && atomic_exchange(&statistics->resting, false))
		set_timer(statistics);
}

void statistics_sample(struct statistics *statistics)
{
	sample(statistics);
	statistics_wake(statistics);
}

void statistics_count_reset(struct statistics *statistics)
{
	statistics->resets++;
	statistics_sample(statistics);
}

/* What vCPUs have run, now. */
static uint64_t run_ns(const struct statistics *statistics)
{
	uint64_t sum = 0;

	for (unsigned id = 0; id < statistics->parts->config->vcpus_max; id++)
		sum += cpus_run_ns(statistics->parts->cpus, id);
	return sum;
}

/* No vCPU runs, or will without statistics_wake() being called. */
static bool all_sleep(const struct statistics *statistics)
{
	const struct machine_parts *parts = statistics->parts;

	/* It says so when it goes on. */
	if (machine_state(parts->machine) != MACHINE_RUNNING)
		return true;
	for (unsigned id = 0; id < parts->config->vcpus_max; id++)
		if (cpus_present(parts->cpus, id) && !cpus_asleep(parts->cpus, id))
			return false;
	return true;
}

/* A guest that sleeps is let alone. First the flag, then the look: a vCPU does it the other way
 * round. */
static bool begin_rest(struct statistics *statistics)
{
	atomic_store(&statistics->resting, true);
	return all_sleep(statistics) || !atomic_exchange(&statistics->resting, false);
}

static gboolean sample_due(void *data)
{
	struct statistics *statistics = data;
	uint64_t before = statistics->ran;

	g_source_set_ready_time(statistics->timer, -1);
	sample(statistics);
	statistics->ran = run_ns(statistics);
	if (statistics->ran != before || !begin_rest(statistics))
		set_timer(statistics);
	return G_SOURCE_CONTINUE;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, void *data)
{
	return callback(data);
}

static GSourceFuncs timer_funcs = { .dispatch = dispatch };

/* ---- beginning and end ---------------------------------------------------------------------------------------- */

static void fill_constants(struct statistics *statistics)
{
	const struct machine_config *config = statistics->parts->config;
	struct stats_guest *guest = &statistics->page->guest;

	stats_begin(statistics->page);
	g_strlcpy(guest->name, config->name, sizeof(guest->name));
	g_strlcpy(guest->uuid, config->uuid ? config->uuid : "", sizeof(guest->uuid));
	guest->pid = (uint64_t)sandbox_pid();
	guest->software_cpu = config->cpu == CONFIG_CPU_SOFT;
	guest->started_s = now_ns(CLOCK_REALTIME) / 1000000000u;
	guest->vcpus_max = config->vcpus_max;
	guest->memory_boot = guest->memory_max = config->memory;
	guest->swap_in = guest->swap_out = STATS_UNKNOWN;
	guest->major_faults = guest->minor_faults = STATS_UNKNOWN;
	guest->free = guest->total = guest->available = guest->caches = STATS_UNKNOWN;
	guest->vcpu_records = config->vcpus_max;
	stats_end(statistics->page);
}

struct statistics *statistics_new(const struct machine_parts *parts)
{
	struct statistics *statistics = g_new0(struct statistics, 1);

	statistics->parts = parts;
	statistics->page = parts->stats;
	for (unsigned id = 0; id < STATS_VCPUS_MAX; id++)
		statistics->watched[id].schedstat_fd = -1;
	statistics->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	statistics->timer = g_source_new(&timer_funcs, sizeof(GSource));
	g_source_set_callback(statistics->timer, sample_due, statistics, NULL);
	fill_constants(statistics);
	sample(statistics);
	g_source_attach(statistics->timer, parts->context);
	set_timer(statistics);
	return statistics;
}

void statistics_free(struct statistics *statistics)
{
	if (!statistics)
		return;
	sample(statistics);
	stats_begin(statistics->page);
	stats_set(&statistics->page->guest.state, STATS_STATE_ENDED);
	stats_end(statistics->page);
	g_source_destroy(statistics->timer);
	g_source_unref(statistics->timer);
	for (unsigned id = 0; id < STATS_VCPUS_MAX; id++)
		if (statistics->watched[id].schedstat_fd >= 0)
			close(statistics->watched[id].schedstat_fd);
	if (statistics->statm_fd >= 0)
		close(statistics->statm_fd);
	g_free(statistics);
}
