// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/throttle.h"

#include <time.h>

#define NS_PER_US 1000
/* No closer look at what has been used than this: each costs a few microseconds. */
#define LOOK_US 1000
/* Of what was used too much, so many periods are remembered: a guest is not punished for ever for
 * one long stop of the host. */
#define DEBT_PERIODS 20
/* A vCPU that has used less than this part of a period is idle, and loses nothing by being held. */
#define IDLE_PART 200

struct throttle {
	struct cpus *cpus;
	void (*begin)(void);
	GThread *thread; /* NULL: no cap so far */
	GMutex mutex;    /* guards what follows */
	GCond changed;
	unsigned percent;
	unsigned period_us;
	bool quit;

	/* The thread's own. */
	gint64 period_end; /* monotonic, microseconds */
	int64_t budget_ns; /* what may still be used in this period */
	uint64_t used[VCPU_MAX], used_at_start[VCPU_MAX];
	gint64 held_since;            /* 0: not held */
	uint64_t held_ns[VCPU_MAX]; /* stored whole, for throttle_held_ns() */
};

static int64_t quota_ns(const struct throttle *throttle)
{
	return (int64_t)throttle->period_us * NS_PER_US * throttle->percent / 100;
}

/* Takes what has been used since the last look from the budget; how many vCPUs have used something. */
static unsigned look(struct throttle *throttle)
{
	unsigned busy = 0;

	for (unsigned id = 0; id < VCPU_MAX; id++) {
		uint64_t now = cpus_run_ns(throttle->cpus, id);

		if (now > throttle->used[id]) {
			throttle->budget_ns -= (int64_t)(now - throttle->used[id]);
			busy++;
		}
		throttle->used[id] = now;
	}
	return MAX(busy, 1);
}

static void note_held(struct throttle *throttle, gint64 us)
{
	uint64_t idle = (uint64_t)throttle->period_us * NS_PER_US / IDLE_PART;

	for (unsigned id = 0; id < VCPU_MAX; id++) {
		uint64_t *held = &throttle->held_ns[id];

		if (throttle->used[id] - throttle->used_at_start[id] >= idle)
			__atomic_store_n(held, *held + (uint64_t)us * NS_PER_US, __ATOMIC_RELAXED);
	}
}

static void hold(struct throttle *throttle, gint64 now)
{
	throttle->held_since = now;
	cpus_hold(throttle->cpus, true);
}

static void release(struct throttle *throttle, gint64 now)
{
	if (!throttle->held_since)
		return;
	note_held(throttle, now - throttle->held_since);
	throttle->held_since = 0;
	cpus_hold(throttle->cpus, false);
}

/* A period, or several, have passed. */
static void next_period(struct throttle *throttle, gint64 now)
{
	int64_t quota = quota_ns(throttle);
	gint64 passed = (now - throttle->period_end) / throttle->period_us + 1;

	/* What was not wanted is not saved up; what could not be used because we were late, is. */
	if (throttle->held_since)
		throttle->budget_ns = MIN(throttle->budget_ns + passed * quota, 2 * quota);
	else
		throttle->budget_ns = MIN(throttle->budget_ns + passed * quota, quota);
	throttle->budget_ns = MAX(throttle->budget_ns, -DEBT_PERIODS * quota);
	throttle->period_end += passed * throttle->period_us;
	if (throttle->budget_ns <= 0)
		return;
	release(throttle, now);
	memcpy(throttle->used_at_start, throttle->used, sizeof(throttle->used));
}

/* Looks, holds or lets go; when to look again. */
static gint64 control(struct throttle *throttle, gint64 now)
{
	unsigned busy = look(throttle);
	gint64 left;

	if (now >= throttle->period_end)
		next_period(throttle, now);
	if (throttle->held_since)
		return throttle->period_end;
	if (throttle->budget_ns <= 0) {
		hold(throttle, now);
		return throttle->period_end;
	}
	left = throttle->budget_ns / NS_PER_US / busy;
	return MIN(now + MAX(left, LOOK_US), throttle->period_end);
}

/* A cap begins: what was used before does not count. */
static void start(struct throttle *throttle)
{
	throttle->period_end = g_get_monotonic_time() + throttle->period_us;
	look(throttle);
	memcpy(throttle->used_at_start, throttle->used, sizeof(throttle->used));
	throttle->budget_ns = quota_ns(throttle);
}

static void *run(void *data)
{
	struct throttle *throttle = data;
	bool capped = false;

	if (throttle->begin)
		throttle->begin();
	g_mutex_lock(&throttle->mutex);
	while (!throttle->quit) {
		if (!throttle->percent) {
			release(throttle, g_get_monotonic_time());
			capped = false;
			g_cond_wait(&throttle->changed, &throttle->mutex);
			continue;
		}
		if (!capped)
			start(throttle);
		capped = true;
		g_cond_wait_until(&throttle->changed, &throttle->mutex,
			control(throttle, g_get_monotonic_time()));
	}
	release(throttle, g_get_monotonic_time());
	g_mutex_unlock(&throttle->mutex);
	return NULL;
}

struct throttle *throttle_new(struct cpus *cpus, void (*begin)(void))
{
	struct throttle *throttle = g_new0(struct throttle, 1);

	throttle->cpus = cpus;
	throttle->begin = begin;
	throttle->period_us = THROTTLE_PERIOD_US;
	g_mutex_init(&throttle->mutex);
	g_cond_init(&throttle->changed);
	return throttle;
}

void throttle_free(struct throttle *throttle)
{
	if (!throttle)
		return;
	g_mutex_lock(&throttle->mutex);
	throttle->quit = true;
	g_cond_signal(&throttle->changed);
	g_mutex_unlock(&throttle->mutex);
	if (throttle->thread)
		g_thread_join(throttle->thread);
	g_mutex_clear(&throttle->mutex);
	g_cond_clear(&throttle->changed);
	g_free(throttle);
}

void throttle_set(struct throttle *throttle, unsigned percent, unsigned period_us)
{
	g_mutex_lock(&throttle->mutex);
	throttle->percent = percent;
	throttle->period_us = period_us;
	g_cond_signal(&throttle->changed);
	g_mutex_unlock(&throttle->mutex);
	if (percent && !throttle->thread)
		throttle->thread = g_thread_new("throttle", run, throttle);
}

uint64_t throttle_held_ns(const struct throttle *throttle, unsigned id)
{
	return __atomic_load_n(&throttle->held_ns[id], __ATOMIC_RELAXED);
}
