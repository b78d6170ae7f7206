// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/cpus.h"

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

struct cpu_thread {
	struct cpus *cpus;
	struct vcpu *vcpu;
	GThread *thread; /* NULL: not made yet */
	atomic_int tid;  /* 0: it has not begun */
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
	unsigned count;
	struct cpu_thread threads[VCPU_MAX];
};

static bool must_wait(const struct cpu_thread *self)
{
	return atomic_load(&self->cpus->hold) || atomic_load(&self->cpus->capped) || self->broken;
}

static void wait_for_go(struct cpu_thread *self)
{
	struct cpus *cpus = self->cpus;

	g_mutex_lock(&cpus->mutex);
	cpus->running--;
	g_cond_broadcast(&cpus->changed);
	while (must_wait(self) && !atomic_load(&cpus->quit))
		g_cond_wait(&cpus->changed, &cpus->mutex);
	cpus->running++;
	g_mutex_unlock(&cpus->mutex);
}

static void *run_thread(void *data)
{
	struct cpu_thread *self = data;
	struct cpus *cpus = self->cpus;

	atomic_store(&self->tid, gettid());
	if (cpus->listener.begin)
		cpus->listener.begin(cpus->listener.data, self->vcpu->id);
	while (!atomic_load(&cpus->quit)) {
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
	return NULL;
}

static bool make_vcpus(struct cpus *cpus, struct vcpu_backend *backend, unsigned count,
	GError **error)
{
	for (unsigned id = 0; id < count; id++) {
		struct vcpu *vcpu = backend->ops->vcpu_new(backend, id, error);

		if (!vcpu)
			return false;
		cpus->threads[id] = (struct cpu_thread){ .cpus = cpus, .vcpu = vcpu };
		cpus->count++;
	}
	return true;
}

struct cpus *cpus_new(struct vcpu_backend *backend, const struct vcpu_env *env,
	const struct cpus_listener *listener, GError **error)
{
	struct cpus *cpus = g_new0(struct cpus, 1);

	g_assert(env->count <= VCPU_MAX);
	cpus->listener = *listener;
	g_mutex_init(&cpus->mutex);
	g_cond_init(&cpus->changed);
	atomic_store(&cpus->hold, true);
	if (!make_vcpus(cpus, backend, env->count, error)) {
		cpus_free(cpus);
		return NULL;
	}
	return cpus;
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
	for (unsigned id = 0; id < cpus->count; id++)
		if (cpus->threads[id].thread)
			g_thread_join(cpus->threads[id].thread);
	for (unsigned id = 0; id < cpus->count; id++)
		cpus->threads[id].vcpu->ops->free(cpus->threads[id].vcpu);
	g_mutex_clear(&cpus->mutex);
	g_cond_clear(&cpus->changed);
	g_free(cpus);
}

/* With the mutex held. */
static void make_threads(struct cpus *cpus)
{
	for (unsigned id = 0; id < cpus->count; id++) {
		g_autofree char *name = g_strdup_printf("vcpu%u", id);

		if (cpus->threads[id].thread)
			continue;
		cpus->running++;
		cpus->threads[id].thread = g_thread_new(name, run_thread, &cpus->threads[id]);
	}
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
	for (unsigned id = 0; id < cpus->count; id++)
		vcpu_kick(cpus->threads[id].vcpu);
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

int cpus_tid(const struct cpus *cpus, unsigned id)
{
	return id < cpus->count ? atomic_load(&cpus->threads[id].tid) : 0;
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
	struct timespec time;

	if (!tid || clock_gettime(thread_clock(tid), &time) < 0)
		return 0;
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
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
	for (unsigned id = 0; id < cpus->count; id++) {
		struct cpu_thread *self = &cpus->threads[id];

		self->vcpu->ops->reset(self->vcpu);
		self->broken = false;
	}
	cpus->threads[0].vcpu->ops->set_state(cpus->threads[0].vcpu, boot_state);
}

unsigned cpus_count(const struct cpus *cpus)
{
	return cpus->count;
}

struct vcpu *cpus_get(struct cpus *cpus, unsigned id)
{
	return cpus->threads[id].vcpu;
}
