// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/loop.h"

#include <glib-unix.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

// A handle or a timeout. Freed only by the loop's thread, so that a callback of that thread never
// meets freed memory, whoever removes it.
struct watch {
	int id;
	int fd;     // -1: a timeout
	int wanted; // handle: enum of libvirt's events, 0 none; timeout: milliseconds, -1 none
	bool removed;
	GSource *source; // NULL while nothing is wanted
	virEventHandleCallback on_handle;
	virEventTimeoutCallback on_timeout;
	virFreeCallback free;
	void *data;
};

static struct {
	GMainContext *context;
	GMutex lock;         // guards all below, and the watches
	GHashTable *watches; // id -> struct watch *
	int last;
} loop;

static GIOCondition to_condition(int events)
{
	return (events & VIR_EVENT_HANDLE_READABLE ? G_IO_IN : 0) |
	       (events & VIR_EVENT_HANDLE_WRITABLE ? G_IO_OUT : 0) |
	       (events & VIR_EVENT_HANDLE_ERROR ? G_IO_ERR : 0) |
	       (events & VIR_EVENT_HANDLE_HANGUP ? G_IO_HUP : 0);
}

static int to_events(GIOCondition condition)
{
	return (condition & G_IO_IN ? VIR_EVENT_HANDLE_READABLE : 0) |
	       (condition & G_IO_OUT ? VIR_EVENT_HANDLE_WRITABLE : 0) |
	       (condition & (G_IO_ERR | G_IO_NVAL) ? VIR_EVENT_HANDLE_ERROR : 0) |
	       (condition & G_IO_HUP ? VIR_EVENT_HANDLE_HANGUP : 0);
}

// A copy of the watch when it may still be called.
static bool get_live(struct watch *watch, struct watch *copy)
{
	bool live;

	g_mutex_lock(&loop.lock);
	live = !watch->removed && watch->source == g_main_current_source();
	*copy = *watch;
	g_mutex_unlock(&loop.lock);
	return live;
}

static gboolean handle_ready(int fd, GIOCondition condition, gpointer data)
{
	struct watch copy;

	if (get_live(data, &copy))
		copy.on_handle(copy.id, fd, to_events(condition), copy.data);
	return G_SOURCE_CONTINUE;
}

static gboolean time_passed(gpointer data)
{
	struct watch copy;

	if (get_live(data, &copy))
		copy.on_timeout(copy.id, copy.data);
	return G_SOURCE_CONTINUE;
}

// With the lock held: replaces the source by one for what is wanted now.
static void arm(struct watch *watch)
{
	if (watch->source) {
		g_source_destroy(watch->source);
		g_clear_pointer(&watch->source, g_source_unref);
	}
	if (watch->fd >= 0 ? watch->wanted == 0 : watch->wanted < 0)
		return;
	if (watch->fd >= 0) {
		watch->source = g_unix_fd_source_new(watch->fd, to_condition(watch->wanted));
		g_source_set_callback(watch->source, G_SOURCE_FUNC(handle_ready), watch, NULL);
	} else {
		watch->source = g_timeout_source_new((guint)watch->wanted);
		g_source_set_callback(watch->source, time_passed, watch, NULL);
	}
	g_source_attach(watch->source, loop.context);
}

static int add(const struct watch *model)
{
	struct watch *watch = g_new(struct watch, 1);
	int id;

	*watch = *model;
	g_mutex_lock(&loop.lock);
	id = watch->id = ++loop.last;
	g_hash_table_insert(loop.watches, GINT_TO_POINTER(id), watch);
	arm(watch);
	g_mutex_unlock(&loop.lock);
	return id;
}

static int add_handle(
	int fd, int events, virEventHandleCallback callback, void *data, virFreeCallback free)
{
	return add(&(struct watch){
		.fd = fd, .wanted = events, .on_handle = callback, .free = free, .data = data});
}

static int add_timeout(
	int interval, virEventTimeoutCallback callback, void *data, virFreeCallback free)
{
	return add(&(struct watch){
		.fd = -1, .wanted = interval, .on_timeout = callback, .free = free, .data = data});
}

static void update(int id, int wanted)
{
	struct watch *watch;

	g_mutex_lock(&loop.lock);
	watch = g_hash_table_lookup(loop.watches, GINT_TO_POINTER(id));
	if (watch) {
		watch->wanted = wanted;
		arm(watch);
	}
	g_mutex_unlock(&loop.lock);
}

static gboolean free_watch(gpointer data)
{
	struct watch *watch = data;

	if (watch->free)
		watch->free(watch->data);
	g_free(watch);
	return G_SOURCE_REMOVE;
}

// With the lock held: libvirt may hold locks here that its free function takes, so that is called
// by the loop's thread, later.
static void free_later(struct watch *watch)
{
	GSource *source = g_idle_source_new();

	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, free_watch, watch, NULL);
	g_source_attach(source, loop.context);
	g_source_unref(source);
}

static int remove_watch(int id)
{
	struct watch *watch;

	g_mutex_lock(&loop.lock);
	watch = g_hash_table_lookup(loop.watches, GINT_TO_POINTER(id));
	if (watch) {
		g_hash_table_remove(loop.watches, GINT_TO_POINTER(id));
		watch->removed = true;
		watch->fd = -1;
		watch->wanted = -1;
		arm(watch);
		free_later(watch);
	}
	g_mutex_unlock(&loop.lock);
	return watch ? 0 : -1;
}

static gpointer run(gpointer data)
{
	for (;;)
		g_main_context_iteration(loop.context, TRUE);
	return NULL;
}

void loop_start(void)
{
	loop.context = g_main_context_new();
	loop.watches = g_hash_table_new(NULL, NULL);
	virEventRegisterImpl(add_handle, update, remove_watch, add_timeout, update, remove_watch);
	g_thread_unref(g_thread_new("events", run, NULL));
}
