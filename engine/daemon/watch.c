// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/watch.h"

#include <glib-unix.h>
#include <sys/epoll.h>
#include <unistd.h>

/* So many are served in one turn of the main loop. */
#define TURN_MAX 32

struct watch {
	int fd;
	void (*something)(void *data);
	void *data;
};

/* The one of this process, made with the first watch and closed with the last. */
static struct {
	int fd;
	guint source;
	unsigned watches;
} set;

static gboolean set_ready(int fd, GIOCondition condition, void *data)
{
	/* One by one: what is called may remove the next one. */
	for (unsigned i = 0; i < TURN_MAX && set.watches; i++) {
		struct epoll_event event;
		const struct watch *watch;

		if (epoll_wait(set.fd, &event, 1, 0) != 1)
			break;
		watch = event.data.ptr;
		watch->something(watch->data);
	}
	return G_SOURCE_CONTINUE;
}

static void close_set(void)
{
	if (set.watches)
		return;
	g_source_remove(set.source);
	close(set.fd);
}

struct watch *watch_add(int fd, uint32_t events, void (*something)(void *data), void *data)
{
	struct watch *watch = g_new0(struct watch, 1);
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (!set.watches) {
		set.fd = epoll_create1(EPOLL_CLOEXEC);
		set.source = g_unix_fd_add(set.fd, G_IO_IN, set_ready, NULL);
	}
	watch->fd = fd;
	watch->something = something;
	watch->data = data;
	if (epoll_ctl(set.fd, EPOLL_CTL_ADD, fd, &event) == 0) {
		set.watches++;
		return watch;
	}
	g_free(watch);
	close_set();
	return NULL;
}

void watch_remove(struct watch *watch)
{
	if (!watch)
		return;
	epoll_ctl(set.fd, EPOLL_CTL_DEL, watch->fd, NULL);
	g_free(watch);
	set.watches--;
	close_set();
}
