// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/cpus.h"

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

struct cpu_thread {
	struct cpus *cpus;
	struct vcpu *_Atomic vcpu; /* NULL: never present; kept when it goes */
	bool present;
	atomic_bool leave; /* the thread is to end */
	atomic_bool capped; /* to stay out of run(), by cpus_hold_one() */
	GThread *thread; /* NULL: not made yet, or not present */
	atomic_int tid;  /* 0: it has not begun */
	_Atomic uint64_t ran; /* ns, of threads that have ended */
	bool broken; /* has left run() for good, until a reset */
};

struct cpus {
	struct cpus_listener listener;
	GMutex mutex; /* guards what follows, but for readers of hold and capped */
	GCond changed;
	atomic_bool hold;   /* vCPUs are to stay out of run() */
	atomic_bool capped; /* the same, by cpus_hold() */
	atomic_bool quit;
	unsigned running; /* threads that are not waiting */
	bool begun;       /* threads may be made */
	struct vcpu_backend *backend;
	struct cpu_thread threads[VCPU_MAX];
};

static bool must_wait(const struct cpu_thread *self)
{
	return atomic_load(&self->cpus->hold) || atomic_load(&self->cpus->capped) ||
		atomic_load(&self->capped) || self->broken;
}

static uint64_t ns_of(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

static void wait_for_go(struct cpu_thread *self)
{
	struct cpus *cpus = self->cpus;

	g_mutex_lock(&cpus->mutex);
	cpus->running--;
	g_cond_broadcast(&cpus->changed);
	while (must_wait(self) && !atomic_load(&cpus->quit) && !atomic_load(&self->leave))
		g_cond_wait(&cpus->changed, &cpus->mutex);
	cpus->running++;
	g_mutex_unlock(&cpus->mutex);
}

/* What its clock says is lost with the thread. */
static void end_thread(struct cpu_thread *self)
{
	struct timespec time;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0)
		atomic_fetch_add(&self->ran, ns_of(&time));
	atomic_store(&self->tid, 0);
	g_mutex_lock(&self->cpus->mutex);
	self->cpus->running--;
	g_cond_broadcast(&self->cpus->changed);
	g_mutex_unlock(&self->cpus->mutex);
}

static void *run_thread(void *data)
{
	struct cpu_thread *self = data;
	struct cpus *cpus = self->cpus;

	atomic_store(&self->tid, gettid());
	if (cpus->listener.begin)
		cpus->listener.begin(cpus->listener.data, self->vcpu->id);
	while (!atomic_load(&cpus->quit) && !atomic_load(&self->leave)) {
		enum vcpu_exit why = VCPU_EXIT_KICKED;

		if (must_wait(self)) {
			wait_for_go(self);
			continue;
		}
		why = vcpu_run(self->vcpu);
		if (why == VCPU_EXIT_KICKED)
			continue;
		self->broken = true;
		cpus->listener.stopped(cpus->listener.data, why, self->vcpu->error);
	}
	end_thread(self);
	return NULL;
}

/* With the mutex held. */
static void make_threads(struct cpus *cpus)
{
	cpus->begun = true;
	for (unsigned id = 0; id < VCPU_MAX; id++) {
		struct cpu_thread *self = &cpus->threads[id];
		g_autofree char *name = NULL;

		if (!self->present || self->thread)
			continue;
		name = g_strdup_printf("vcpu%u", id);
		cpus->running++;
		self->thread = g_thread_new(name, run_thread, self);
	}
}

/* Makes it present, its vCPU as after power-on. */
static bool make_present(struct cpus *cpus, unsigned id, GError **error)
{
	struct cpu_thread *self = &cpus->threads[id];

	self->cpus = cpus;
	if (!self->vcpu)
		self->vcpu = cpus->backend->ops->vcpu_new(cpus->backend, id, error);
	else
		self->vcpu->ops->reset(self->vcpu);
	self->present = self->vcpu != NULL;
	self->broken = false;
	return self->present;
}

struct cpus *cpus_new(struct vcpu_backend *backend, const struct vcpu_env *env,
	const struct cpus_listener *listener, GError **error)
{
	struct cpus *cpus = g_new0(struct cpus, 1);
	bool ok = true;

	g_assert(env->count <= VCPU_MAX);
	cpus->backend = backend;
	cpus->listener = *listener;
	g_mutex_init(&cpus->mutex);
	g_cond_init(&cpus->changed);
	atomic_store(&cpus->hold, true);
	for (unsigned id = 0; ok && id < env->count; id++)
		ok = make_present(cpus, id, error);
	if (ok)
		return cpus;
	cpus_free(cpus);
	return NULL;
}

void cpus_free(struct cpus *cpus)
{
	if (!cpus)
		return;
	cpus_ask_stop(cpus);
	g_mutex_lock(&cpus->mutex);
	atomic_store(&cpus->quit, true);
	g_cond_broadcast(&cpus->changed);
	g_mutex_unlock(&cpus->mutex);
	for (unsigned id = 0; id < VCPU_MAX; id++)
		if (cpus->threads[id].thread)
			g_thread_join(cpus->threads[id].thread);
	for (unsigned id = 0; id < VCPU_MAX; id++)
		if (cpus->threads[id].vcpu)
			cpus->threads[id].vcpu->ops->free(cpus->threads[id].vcpu);
	g_mutex_clear(&cpus->mutex);
	g_cond_clear(&cpus->changed);
	g_free(cpus);
}

bool cpus_add(struct cpus *cpus, unsigned id, GError **error)
{
	g_assert(id < VCPU_MAX && !cpus->threads[id].present);
	if (!make_present(cpus, id, error))
		return false;
	g_mutex_lock(&cpus->mutex);
	if (cpus->begun)
		make_threads(cpus);
	g_mutex_unlock(&cpus->mutex);
	return true;
}

void cpus_remove(struct cpus *cpus, unsigned id)
{
	struct cpu_thread *self = &cpus->threads[id];

	g_assert(id && id < VCPU_MAX && self->present);
	self->present = false;
	atomic_store(&self->leave, true);
	vcpu_kick(self->vcpu);
	g_mutex_lock(&cpus->mutex);
	g_cond_broadcast(&cpus->changed);
	g_mutex_unlock(&cpus->mutex);
	if (self->thread)
		g_thread_join(g_steal_pointer(&self->thread));
	atomic_store(&self->leave, false);
	self->vcpu->ops->park(self->vcpu);
}

void cpus_start(struct cpus *cpus)
{
	g_mutex_lock(&cpus->mutex);
	atomic_store(&cpus->hold, false);
	make_threads(cpus);
	g_cond_broadcast(&cpus->changed);
	g_mutex_unlock(&cpus->mutex);
}

static void kick_all(struct cpus *cpus)
{
	for (unsigned id = 0; id < VCPU_MAX; id++) {
		struct vcpu *vcpu = cpus->threads[id].vcpu;

		if (vcpu)
			vcpu_kick(vcpu);
	}
}

void cpus_hold(struct cpus *cpus, bool hold)
{
	g_mutex_lock(&cpus->mutex);
	atomic_store(&cpus->capped, hold);
	if (hold)
		kick_all(cpus);
	else
		g_cond_broadcast(&cpus->changed);
	g_mutex_unlock(&cpus->mutex);
}

void cpus_hold_one(struct cpus *cpus, unsigned id, bool hold)
{
	struct cpu_thread *self = &cpus->threads[id];

	g_mutex_lock(&cpus->mutex);
	atomic_store(&self->capped, hold);
	if (!hold)
		g_cond_broadcast(&cpus->changed);
	else if (self->vcpu)
		vcpu_kick(self->vcpu);
	g_mutex_unlock(&cpus->mutex);
}

int cpus_tid(const struct cpus *cpus, unsigned id)
{
	return id < VCPU_MAX ? atomic_load(&cpus->threads[id].tid) : 0;
}

/* The clock of another thread of this process by its id, as clock_getcpuclockid(3) makes it of a
 * process's: inverted, and bits for "a thread's" and "what the scheduler counts". */
static clockid_t thread_clock(int tid)
{
	return (clockid_t)(~(unsigned)tid << 3 | 4 | 2);
}

uint64_t cpus_run_ns(const struct cpus *cpus, unsigned id)
{
	int tid = cpus_tid(cpus, id);
	uint64_t before = id < VCPU_MAX ? atomic_load(&cpus->threads[id].ran) : 0;
	struct timespec time;

	if (!tid || clock_gettime(thread_clock(tid), &time) < 0)
		return before;
	return before + ns_of(&time);
}

void cpus_ask_stop(struct cpus *cpus)
{
	atomic_store(&cpus->hold, true);
	kick_all(cpus);
}

void cpus_stop(struct cpus *cpus)
{
	cpus_ask_stop(cpus);
	g_mutex_lock(&cpus->mutex);
	while (cpus->running)
		g_cond_wait(&cpus->changed, &cpus->mutex);
	g_mutex_unlock(&cpus->mutex);
}

void cpus_reset(struct cpus *cpus, const struct vcpu_state *boot_state)
{
	for (unsigned id = 0; id < VCPU_MAX; id++) {
		struct cpu_thread *self = &cpus->threads[id];

		if (!self->present)
			continue;
		self->vcpu->ops->reset(self->vcpu);
		self->broken = false;
	}
	cpus->threads[0].vcpu->ops->set_state(cpus->threads[0].vcpu, boot_state);
}

bool cpus_present(const struct cpus *cpus, unsigned id)
{
	return id < VCPU_MAX && cpus->threads[id].present;
}

bool cpus_online(const struct cpus *cpus, unsigned id)
{
	return cpus_present(cpus, id) && atomic_load(&cpus->threads[id].vcpu->started);
}

bool cpus_asleep(const struct cpus *cpus, unsigned id)
{
	return cpus_present(cpus, id) && atomic_load(&cpus->threads[id].vcpu->asleep);
}

unsigned cpus_count(const struct cpus *cpus)
{
	unsigned count = 0;

	for (unsigned id = 0; id < VCPU_MAX; id++)
		count += cpus->threads[id].present;
	return count;
}

struct vcpu *cpus_get(struct cpus *cpus, unsigned id)
{
	return cpus->threads[id].vcpu;
}
