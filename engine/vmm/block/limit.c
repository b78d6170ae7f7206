// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/block/limit.h"

#include "engine/common/stats.h"
#include "engine/vmm/bucket.h"

#include <string.h>

enum direction {
	READS,
	WRITES,
	DIRECTIONS,
};

struct block_limit {
	struct block_backend base;
	struct block_backend *inner;
	GMainContext *context;
	GSource *source; /* lets go of what waits */

	GMutex mutex; /* guards what follows */
	struct config_rate limits[CONFIG_LIMITS];
	struct bucket buckets[CONFIG_LIMITS];
	bool limited;
	struct block_request *first[DIRECTIONS], *last[DIRECTIONS];
	unsigned waiting;
	uint64_t waiting_since; /* when waited was right */
	uint64_t *waited;
};

static uint64_t now_ns(void)
{
	return (uint64_t)g_get_monotonic_time() * 1000;
}

static enum direction direction_of(const struct block_request *request)
{
	return request->op == BLOCK_READ ? READS : WRITES;
}

/* Whether a limit counts requests of this direction, and whether it counts bytes. */
static bool counts(enum config_limit limit, enum direction direction)
{
	unsigned kind = limit % 3;

	return kind == 0 || (kind == 1) == (direction == READS);
}

static bool counts_bytes(enum config_limit limit)
{
	return limit <= CONFIG_LIMIT_WRITE_BYTES;
}

/* ---- with the mutex held ---- */

static uint64_t limit_wait(struct block_limit *limit, enum direction direction, uint64_t now)
{
	uint64_t wait = 0;

	for (unsigned i = 0; i < CONFIG_LIMITS; i++)
		if (counts(i, direction))
			wait = MAX(wait, bucket_wait(&limit->buckets[i], now));
	return wait;
}

static void limit_take(
	struct block_limit *limit, const struct block_request *request, uint64_t now)
{
	bool data = request->op == BLOCK_READ || request->op == BLOCK_WRITE;

	for (unsigned i = 0; i < CONFIG_LIMITS; i++)
		if (counts(i, direction_of(request)))
			bucket_take(&limit->buckets[i],
				!counts_bytes(i) ? 1 : data ? request->length : 0, now);
}

static void count_waiting(struct block_limit *limit, uint64_t now)
{
	if (limit->waited && now > limit->waiting_since)
		stats_add(limit->waited, limit->waiting * (now - limit->waiting_since));
	limit->waiting_since = now;
}

static void put_waiting(struct block_limit *limit, struct block_request *request, uint64_t now)
{
	enum direction direction = direction_of(request);

	count_waiting(limit, now);
	request->next = NULL;
	if (limit->last[direction])
		limit->last[direction]->next = request;
	else
		limit->first[direction] = request;
	limit->last[direction] = request;
	limit->waiting++;
}

static struct block_request *take_waiting(
	struct block_limit *limit, enum direction direction, uint64_t now)
{
	struct block_request *request = limit->first[direction];

	if (!request)
		return NULL;
	count_waiting(limit, now);
	limit->first[direction] = request->next;
	if (!limit->first[direction])
		limit->last[direction] = NULL;
	limit->waiting--;
	return request;
}

/* When to look again. */
static void set_alarm(struct block_limit *limit, uint64_t now)
{
	uint64_t wait = UINT64_MAX;

	for (unsigned i = 0; i < DIRECTIONS; i++)
		if (limit->first[i])
			wait = MIN(wait, limit_wait(limit, i, now));
	g_source_set_ready_time(
		limit->source, wait == UINT64_MAX ? -1 : (gint64)((now + wait) / 1000 + 1));
}

/* The next that may pass of a direction; all may where hurry is set. */
static struct block_request *next_free(
	struct block_limit *limit, enum direction direction, bool hurry, uint64_t now)
{
	struct block_request *request;

	if (!hurry && limit->first[direction] && limit_wait(limit, direction, now))
		return NULL;
	request = take_waiting(limit, direction, now);
	if (request)
		limit_take(limit, request, now);
	return request;
}

/* ---- without ---- */

/* Passes on what may pass. The inner backend may call done at once: no mutex then. */
static void let_go(struct block_limit *limit, bool hurry)
{
	for (unsigned i = 0; i < DIRECTIONS; i++) {
		struct block_request *request;

		for (;;) {
			g_mutex_lock(&limit->mutex);
			request = next_free(limit, i, hurry, now_ns());
			g_mutex_unlock(&limit->mutex);
			if (!request)
				break;
			block_submit(limit->inner, request);
		}
	}
	g_mutex_lock(&limit->mutex);
	set_alarm(limit, now_ns());
	g_mutex_unlock(&limit->mutex);
}

static gboolean alarm_rings(void *data)
{
	let_go(data, false);
	return G_SOURCE_CONTINUE;
}

static void limit_submit(struct block_backend *backend, struct block_request *request)
{
	struct block_limit *limit = (struct block_limit *)backend;
	enum direction direction = direction_of(request);
	bool pass = true;

	g_mutex_lock(&limit->mutex);
	if (limit->limited && request->op != BLOCK_FLUSH) {
		uint64_t now = now_ns();

		pass = !limit->first[direction] && !limit_wait(limit, direction, now);
		if (pass) {
			limit_take(limit, request, now);
		} else {
			put_waiting(limit, request, now);
			set_alarm(limit, now);
		}
	}
	g_mutex_unlock(&limit->mutex);
	if (pass)
		block_submit(limit->inner, request);
}

static bool limit_attempt(struct block_backend *backend, const struct block_request *request)
{
	struct block_limit *limit = (struct block_limit *)backend;
	bool free;

	g_mutex_lock(&limit->mutex);
	free = !limit->limited && !limit->waiting;
	g_mutex_unlock(&limit->mutex);
	return free && block_attempt(limit->inner, request);
}

static void limit_drain(struct block_backend *backend)
{
	struct block_limit *limit = (struct block_limit *)backend;

	let_go(limit, true);
	block_drain(limit->inner);
}

static bool limit_refresh(struct block_backend *backend, GError **error)
{
	struct block_limit *limit = (struct block_limit *)backend;

	if (!limit->inner->ops->refresh(limit->inner, error))
		return false;
	backend->size = limit->inner->size;
	return true;
}

static bool limit_resize(struct block_backend *backend, uint64_t size, GError **error)
{
	struct block_limit *limit = (struct block_limit *)backend;

	return block_resize(limit->inner, size, error);
}

static void limit_free(struct block_backend *backend)
{
	struct block_limit *limit = (struct block_limit *)backend;

	limit_drain(backend);
	g_source_destroy(limit->source);
	g_source_unref(limit->source);
	block_free(limit->inner);
	g_mutex_clear(&limit->mutex);
	g_free(limit);
}

static const struct block_backend_ops limit_ops = {
	.submit = limit_submit,
	.attempt = limit_attempt,
	.drain = limit_drain,
	.refresh = limit_refresh,
	.resize = limit_resize,
	.free = limit_free,
};

static gboolean dispatch(GSource *source, GSourceFunc callback, void *data)
{
	return callback(data);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

struct block_backend *block_limit_new(struct block_backend *inner, GMainContext *context)
{
	struct block_limit *limit = g_new0(struct block_limit, 1);

	limit->base = *inner;
	limit->base.ops = &limit_ops;
	limit->inner = inner;
	g_mutex_init(&limit->mutex);
	limit->source = g_source_new(&source_funcs, sizeof(GSource));
	g_source_set_callback(limit->source, alarm_rings, limit, NULL);
	g_source_attach(limit->source, context);
	return &limit->base;
}

struct block_backend *block_limit_inner(struct block_backend *backend)
{
	return ((struct block_limit *)backend)->inner;
}

void block_limit_replace(struct block_backend *backend, struct block_backend *inner)
{
	struct block_limit *limit = (struct block_limit *)backend;

	limit_drain(backend);
	block_free(limit->inner);
	limit->inner = inner;
	limit->base = *inner;
	limit->base.ops = &limit_ops;
}

void block_limit_set(struct block_backend *backend, const struct config_rate *limits)
{
	struct block_limit *limit = (struct block_limit *)backend;

	g_mutex_lock(&limit->mutex);
	limit->limited = false;
	for (unsigned i = 0; i < CONFIG_LIMITS; i++) {
		const struct config_rate *rate = &limits[i];
		uint64_t length = MAX(rate->max_length, 1);

		limit->limits[i] = *rate;
		limit->limited |= rate->rate != 0;
		bucket_set(&limit->buckets[i], rate->rate, rate->max * length,
			length > 1 ? rate->max : 0, now_ns());
	}
	g_mutex_unlock(&limit->mutex);
	let_go(limit, false);
}

const struct config_rate *block_limit_get(const struct block_backend *backend)
{
	return ((const struct block_limit *)backend)->limits;
}

void block_limit_count(struct block_backend *backend, uint64_t *waited_ns)
{
	struct block_limit *limit = (struct block_limit *)backend;

	g_mutex_lock(&limit->mutex);
	limit->waited = waited_ns;
	g_mutex_unlock(&limit->mutex);
}
