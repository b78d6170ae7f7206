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

/* What one quota is about, and how much of it is left. */
struct account {
	struct config_quota quota;
	bool counting;     /* false: no quota so far */
	gint64 period_end; /* monotonic, microseconds */
	int64_t budget_ns; /* what may still be used in this period */
	gint64 held_since; /* 0: not held */
};

struct throttle {
	struct cpus *cpus;
	void (*begin)(void);
	GThread *thread; /* NULL: no quota so far */
	GMutex mutex;    /* guards what follows */
	GCond changed;
	struct account whole, each[VCPU_MAX];
	bool quit;

	/* The thread's own. */
	uint64_t used[VCPU_MAX], used_at_start[VCPU_MAX];
	gint64 held_until[VCPU_MAX]; /* so far it is in held_ns */
	uint64_t held_ns[VCPU_MAX];  /* stored whole, for throttle_held_ns() */
};

/* More than all of them can use is the same as that. */
static int64_t quota_ns(const struct account *account)
{
	uint64_t most = (uint64_t)account->quota.period_us * VCPU_MAX;

	return (int64_t)MIN(account->quota.quota_us, most) * NS_PER_US;
}

/* Takes what has been used since the last look from the budgets; how many vCPUs have used something. */
static unsigned look(struct throttle *throttle)
{
	unsigned busy = 0;

	for (unsigned id = 0; id < VCPU_MAX; id++) {
		uint64_t now = cpus_run_ns(throttle->cpus, id);

		if (now > throttle->used[id]) {
			int64_t more = (int64_t)(now - throttle->used[id]);

			throttle->whole.budget_ns -= more;
			throttle->each[id].budget_ns -= more;
			busy++;
		}
		throttle->used[id] = now;
	}
	return MAX(busy, 1);
}

/* Both quotas may have held it at the same time: that counts once. */
static void note_held(struct throttle *throttle, unsigned id, gint64 since, gint64 now)
{
	uint64_t *held = &throttle->held_ns[id];

	since = MAX(since, throttle->held_until[id]);
	if (now > since)
		__atomic_store_n(
			held, *held + (uint64_t)(now - since) * NS_PER_US, __ATOMIC_RELAXED);
	throttle->held_until[id] = MAX(now, throttle->held_until[id]);
}

static void release_whole(struct throttle *throttle, gint64 now)
{
	uint64_t idle = throttle->whole.quota.period_us * (uint64_t)NS_PER_US / IDLE_PART;

	for (unsigned id = 0; id < VCPU_MAX; id++)
		if (throttle->used[id] - throttle->used_at_start[id] >= idle)
			note_held(throttle, id, throttle->whole.held_since, now);
	cpus_hold(throttle->cpus, false);
}

/* The vCPU of an account; VCPU_MAX: all of them. */
static unsigned whose(const struct throttle *throttle, const struct account *account)
{
	return account == &throttle->whole ? VCPU_MAX : (unsigned)(account - throttle->each);
}

static void hold(struct throttle *throttle, struct account *account, gint64 now)
{
	unsigned id = whose(throttle, account);

	account->held_since = now;
	if (id == VCPU_MAX)
		cpus_hold(throttle->cpus, true);
	else
		cpus_hold_one(throttle->cpus, id, true);
}

static void release(struct throttle *throttle, struct account *account, gint64 now)
{
	unsigned id = whose(throttle, account);

	if (!account->held_since)
		return;
	if (id == VCPU_MAX) {
		release_whole(throttle, now);
	} else {
		note_held(throttle, id, account->held_since, now);
		cpus_hold_one(throttle->cpus, id, false);
	}
	account->held_since = 0;
}

/* A period, or several, have passed. */
static void next_period(struct throttle *throttle, struct account *account, gint64 now)
{
	int64_t quota = quota_ns(account);
	gint64 period = account->quota.period_us;
	gint64 passed = (now - account->period_end) / period + 1;

	/* What was not wanted is not saved up; what could not be used because we were late, is. */
	account->budget_ns =
		MIN(account->budget_ns + passed * quota, account->held_since ? 2 * quota : quota);
	account->budget_ns = MAX(account->budget_ns, -DEBT_PERIODS * quota);
	account->period_end += passed * period;
	if (account->budget_ns <= 0)
		return;
	release(throttle, account, now);
	if (account == &throttle->whole)
		memcpy(throttle->used_at_start, throttle->used, sizeof(throttle->used));
}

/* Holds or lets go; when to look again. busy: how many use it up. */
static gint64 control(struct throttle *throttle, struct account *account, unsigned busy, gint64 now)
{
	gint64 left;

	if (now >= account->period_end)
		next_period(throttle, account, now);
	if (account->held_since)
		return account->period_end;
	if (account->budget_ns <= 0) {
		hold(throttle, account, now);
		return account->period_end;
	}
	left = account->budget_ns / NS_PER_US / busy;
	return MIN(now + MAX(left, LOOK_US), account->period_end);
}

/* A quota begins: what was used before does not count. */
static void start(struct throttle *throttle, struct account *account, gint64 now)
{
	account->counting = true;
	account->period_end = now + account->quota.period_us;
	account->budget_ns = quota_ns(account);
	if (account == &throttle->whole)
		memcpy(throttle->used_at_start, throttle->used, sizeof(throttle->used));
}

/* When to look at it again. */
static gint64 serve(struct throttle *throttle, struct account *account, unsigned busy, gint64 now)
{
	if (!account->quota.quota_us) {
		release(throttle, account, now);
		account->counting = false;
		return G_MAXINT64;
	}
	if (!account->counting)
		start(throttle, account, now);
	return control(throttle, account, busy, now);
}

static gint64 serve_all(struct throttle *throttle)
{
	gint64 now = g_get_monotonic_time(), next;
	unsigned busy = look(throttle);

	next = serve(throttle, &throttle->whole, busy, now);
	for (unsigned id = 0; id < VCPU_MAX; id++)
		next = MIN(next, serve(throttle, &throttle->each[id], 1, now));
	return next;
}

static void release_all(struct throttle *throttle)
{
	gint64 now = g_get_monotonic_time();

	release(throttle, &throttle->whole, now);
	for (unsigned id = 0; id < VCPU_MAX; id++)
		release(throttle, &throttle->each[id], now);
}

static void *run(void *data)
{
	struct throttle *throttle = data;

	if (throttle->begin)
		throttle->begin();
	g_mutex_lock(&throttle->mutex);
	while (!throttle->quit) {
		gint64 next = serve_all(throttle);

		if (next == G_MAXINT64)
			g_cond_wait(&throttle->changed, &throttle->mutex);
		else
			g_cond_wait_until(&throttle->changed, &throttle->mutex, next);
	}
	release_all(throttle);
	g_mutex_unlock(&throttle->mutex);
	return NULL;
}

struct throttle *throttle_new(struct cpus *cpus, void (*begin)(void))
{
	struct throttle *throttle = g_new0(struct throttle, 1);

	throttle->cpus = cpus;
	throttle->begin = begin;
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

/* Wakes the thread, or makes it for the first quota. */
static void changed(struct throttle *throttle, const struct config_quota *quota)
{
	if (throttle->thread)
		g_cond_signal(&throttle->changed);
	else if (quota->quota_us)
		throttle->thread = g_thread_new("throttle", run, throttle);
}

void throttle_set(struct throttle *throttle, const struct config_quota *whole)
{
	g_mutex_lock(&throttle->mutex);
	throttle->whole.quota = *whole;
	changed(throttle, whole);
	g_mutex_unlock(&throttle->mutex);
}

void throttle_set_vcpus(struct throttle *throttle, const struct config_quota *each)
{
	g_mutex_lock(&throttle->mutex);
	for (unsigned id = 0; id < VCPU_MAX; id++)
		throttle->each[id].quota = *each;
	changed(throttle, each);
	g_mutex_unlock(&throttle->mutex);
}

uint64_t throttle_held_ns(const struct throttle *throttle, unsigned id)
{
	return __atomic_load_n(&throttle->held_ns[id], __ATOMIC_RELAXED);
}
