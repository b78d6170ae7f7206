// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/clock.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

struct machine_clock {
	struct machine_lock *lock;
	/* Machine time is host time less offset; while paused it stands at paused_at. */
	uint64_t offset;
	uint64_t paused_at;
	bool paused;

	int fd; /* a timerfd in host time */
	GSource *source;
	uint64_t armed; /* machine time the timerfd is set for; UINT64_MAX: not set */
	GList *queue;   /* set timers, the earliest first */
};

struct clock_timer {
	struct machine_clock *clock;
	void (*callback)(void *data);
	void *data;
	uint64_t deadline;
	GList link; /* in the queue while set */
	bool set;
};

static uint64_t host_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_ns(const struct machine_clock *clock)
{
	if (__atomic_load_n(&clock->paused, __ATOMIC_ACQUIRE))
		return clock->paused_at;
	return host_ns() - __atomic_load_n(&clock->offset, __ATOMIC_RELAXED);
}

/* Sets the timerfd for the earliest timer. A later one than armed needs no call: the expiry
 * finds nothing due and arms again. */
static void arm(struct machine_clock *clock)
{
	const struct clock_timer *first = clock->queue ? clock->queue->data : NULL;
	struct itimerspec when = { 0 };
	uint64_t at;

	if (!first || clock->paused || first->deadline >= clock->armed)
		return;
	/* Zero would disarm, and sums must not wrap for a deadline that never comes. */
	at = first->deadline > INT64_MAX - clock->offset ? INT64_MAX
							 : first->deadline + clock->offset;
	when.it_value.tv_sec = (time_t)(at / NS_PER_S);
	when.it_value.tv_nsec = (long)(at % NS_PER_S);
	if (at == 0)
		when.it_value.tv_nsec = 1;
	clock->armed = first->deadline;
	timerfd_settime(clock->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void unlink_timer(struct clock_timer *timer)
{
	if (!timer->set)
		return;
	timer->clock->queue = g_list_remove_link(timer->clock->queue, &timer->link);
	timer->set = false;
}

static gboolean expired(int fd, GIOCondition condition, void *data)
{
	struct machine_clock *clock = data;
	uint64_t times, now;

	/* Nothing to read is no error: the deadline was moved meanwhile. */
	if (read(fd, &times, sizeof(times)) < 0 && errno != EAGAIN)
		return G_SOURCE_CONTINUE;
	g_mutex_lock(&clock->lock->mutex);
	clock->armed = UINT64_MAX;
	now = clock_ns(clock);
	while (!clock->paused && clock->queue) {
		struct clock_timer *timer = clock->queue->data;

		if (timer->deadline > now)
			break;
		unlink_timer(timer);
		timer->callback(timer->data);
	}
	arm(clock);
	g_mutex_unlock(&clock->lock->mutex);
	return G_SOURCE_CONTINUE;
}

struct machine_clock *clock_new(GMainContext *context, struct machine_lock *lock, GError **error)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	struct machine_clock *clock;

	if (fd < 0) {
		int code = errno;

		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code),
			_("cannot make a timer: %s"), g_strerror(code));
		return NULL;
	}
	clock = g_new0(struct machine_clock, 1);
	clock->lock = lock;
	clock->offset = host_ns();
	clock->fd = fd;
	clock->armed = UINT64_MAX;
	clock->source = g_unix_fd_source_new(fd, G_IO_IN);
	/* Timers go before I/O: they are what a guest measures. */
	g_source_set_priority(clock->source, G_PRIORITY_HIGH);
	g_source_set_callback(clock->source, G_SOURCE_FUNC(expired), clock, NULL);
	g_source_attach(clock->source, context);
	return clock;
}

void clock_free(struct machine_clock *clock)
{
	if (!clock)
		return;
	g_source_destroy(clock->source);
	g_source_unref(clock->source);
	close(clock->fd);
	g_free(clock);
}

void clock_pause(struct machine_clock *clock)
{
	if (clock->paused)
		return;
	clock->paused_at = clock_ns(clock);
	__atomic_store_n(&clock->paused, true, __ATOMIC_RELEASE);
}

void clock_set(struct machine_clock *clock, uint64_t ns)
{
	g_assert(clock->paused);
	clock->paused_at = ns;
}

void clock_resume(struct machine_clock *clock)
{
	if (!clock->paused)
		return;
	__atomic_store_n(&clock->offset, host_ns() - clock->paused_at, __ATOMIC_RELAXED);
	__atomic_store_n(&clock->paused, false, __ATOMIC_RELEASE);
	clock->armed = UINT64_MAX;
	arm(clock);
}

struct clock_timer *timer_new(struct machine_clock *clock, void (*callback)(void *data), void *data)
{
	struct clock_timer *timer = g_new0(struct clock_timer, 1);

	timer->clock = clock;
	timer->callback = callback;
	timer->data = data;
	timer->link.data = timer;
	return timer;
}

void timer_free(struct clock_timer *timer)
{
	if (!timer)
		return;
	unlink_timer(timer);
	g_free(timer);
}

void timer_set(struct clock_timer *timer, uint64_t deadline_ns)
{
	struct machine_clock *clock = timer->clock;
	GList *at;

	unlink_timer(timer);
	timer->deadline = deadline_ns;
	timer->set = true;
	for (at = clock->queue; at; at = at->next)
		if (((struct clock_timer *)at->data)->deadline > deadline_ns)
			break;
	timer->link.next = timer->link.prev = NULL;
	clock->queue = g_list_insert_before_link(clock->queue, at, &timer->link);
	arm(clock);
}

void timer_cancel(struct clock_timer *timer)
{
	unlink_timer(timer);
}
