// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/worker.h"

#include "model/bundled.h"
#include "model/error.h"
#include "model/events.h"

#include <glib/gi18n.h>
#include <string.h>

// Seconds between two keepalive questions, and how many may stay without answer.
//
// One second is the least: a libvirt client (9.0's rpc/virnetclient.c) may forget to send a thread's
// call while another thread's long one (a save, in a lane) is under way, until anything else comes
// along. A keepalive message is such a thing, so that figures and a cancel wait a second at most.
#define KEEPALIVE_SECONDS 1
#define KEEPALIVE_COUNT 25

struct worker {
	gint refs;
	char *uri;
	bool read_only;
	GAsyncQueue *queue; // struct task *; the queue itself as its end mark
	GMutex lock;        // guards connection, busy_since, ended
	virConnectPtr connection;
	gint64 busy_since;
	bool ended;
	struct events events;        // worker thread
	struct sample_limits limits; // worker thread
	struct connection *owner;    // main thread; NULL once left
	void (*told)(struct connection *owner, const struct note *note);
};

struct worker *worker_ref(struct worker *worker)
{
	g_atomic_int_inc(&worker->refs);
	return worker;
}

void worker_unref(struct worker *worker)
{
	if (!g_atomic_int_dec_and_test(&worker->refs))
		return;
	g_async_queue_unref(worker->queue);
	g_mutex_clear(&worker->lock);
	g_free(worker->uri);
	g_free(worker);
}

static void free_task(gpointer data)
{
	struct task *task = data;
	struct worker *worker = task->worker;

	g_clear_error(&task->error);
	task->free(task);
	worker_unref(worker);
}

// Back in the main thread.
static gboolean finish_task(gpointer data)
{
	struct task *task = data;

	if (task->worker->owner && task->done && task->done(task->worker->owner, task))
		return G_SOURCE_CONTINUE;
	return G_SOURCE_REMOVE;
}

static void set_busy(struct worker *worker, gint64 since)
{
	g_mutex_lock(&worker->lock);
	worker->busy_since = since;
	g_mutex_unlock(&worker->lock);
}

void worker_alive(struct worker *worker)
{
	set_busy(worker, g_get_monotonic_time());
}

gint64 worker_busy(struct worker *worker)
{
	gint64 busy;

	g_mutex_lock(&worker->lock);
	busy = worker->busy_since ? g_get_monotonic_time() - worker->busy_since : 0;
	g_mutex_unlock(&worker->lock);
	return busy;
}

static gpointer work(gpointer data)
{
	struct worker *worker = data;
	gpointer next;

	while ((next = g_async_queue_pop(worker->queue)) != worker->queue) {
		struct task *task = next;

		worker_alive(worker);
		task->run(worker, worker->connection, task);
		set_busy(worker, 0);
		g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, finish_task, task, free_task);
	}
	worker_close(worker);
	g_mutex_lock(&worker->lock);
	worker->ended = true;
	g_mutex_unlock(&worker->lock);
	worker_unref(worker);
	return NULL;
}

struct worker *worker_new(struct connection *owner, const char *uri, bool read_only,
	void (*told)(struct connection *owner, const struct note *note))
{
	struct worker *worker = g_new0(struct worker, 1);

	events_start();
	worker->refs = 2; // the owner's and the thread's
	worker->uri = g_strdup(uri);
	worker->read_only = read_only;
	worker->queue = g_async_queue_new();
	g_mutex_init(&worker->lock);
	worker->events.worker = worker;
	worker->owner = owner;
	worker->told = told;
	g_thread_unref(g_thread_new("worker", work, worker));
	return worker;
}

void worker_submit(struct worker *worker, struct task *task)
{
	task->worker = worker_ref(worker);
	g_async_queue_push(worker->queue, task);
}

// Tasks that wait are dropped at once: nobody asks for them any more.
static void drop_waiting(struct worker *worker)
{
	gpointer next;

	while ((next = g_async_queue_try_pop(worker->queue)))
		free_task(next);
}

void worker_leave(struct worker *worker)
{
	worker->owner = NULL;
	drop_waiting(worker);
	g_async_queue_push(worker->queue, worker->queue);
	worker_unref(worker);
}

bool worker_ended(struct worker *worker)
{
	bool ended;

	g_mutex_lock(&worker->lock);
	ended = worker->ended;
	g_mutex_unlock(&worker->lock);
	return ended;
}

virConnectPtr worker_connection(struct worker *worker)
{
	virConnectPtr connection;

	g_mutex_lock(&worker->lock);
	connection = worker->connection;
	if (connection)
		virConnectRef(connection);
	g_mutex_unlock(&worker->lock);
	return connection;
}

// ssh must never ask on the terminal that the console draws on.
static char *quiet_uri(const char *uri)
{
	const char *colon = strchr(uri, ':');
	g_autofree char *scheme = colon ? g_strndup(uri, (gsize)(colon - uri)) : g_strdup("");

	if (!g_str_has_suffix(scheme, "+ssh") || strstr(uri, "no_tty="))
		return g_strdup(uri);
	return g_strconcat(uri, strchr(uri, '?') ? "&" : "?", "no_tty=1", NULL);
}

bool worker_open(struct worker *worker, GError **error)
{
	g_autofree char *expanded = bundled_expand(worker->uri, worker->read_only);
	g_autofree char *uri = quiet_uri(expanded);
	virConnectPtr connection;

	worker_close(worker);
	if (!bundled_start(worker->uri, error))
		return false;
	connection = worker->read_only ? virConnectOpenReadOnly(uri) : virConnectOpen(uri);
	if (!connection) {
		g_autofree char *headline = g_strdup_printf(_("Cannot connect to %s"), worker->uri);

		error_set_libvirt(error, headline);
		return false;
	}
	memset(&worker->limits, 0, sizeof(worker->limits));
	virConnectSetKeepAlive(connection, KEEPALIVE_SECONDS, KEEPALIVE_COUNT);
	events_register(&worker->events, connection);
	g_mutex_lock(&worker->lock);
	worker->connection = connection;
	g_mutex_unlock(&worker->lock);
	return true;
}

void worker_close(struct worker *worker)
{
	virConnectPtr connection;

	g_mutex_lock(&worker->lock);
	connection = g_steal_pointer(&worker->connection);
	g_mutex_unlock(&worker->lock);
	if (!connection)
		return;
	events_deregister(&worker->events, connection);
	virConnectClose(connection);
}

const char *worker_uri(const struct worker *worker)
{
	return worker->uri;
}

bool worker_read_only(const struct worker *worker)
{
	return worker->read_only;
}

struct sample_limits *worker_limits(struct worker *worker)
{
	return &worker->limits;
}

struct telling {
	struct worker *worker;
	struct note note;
};

static gboolean deliver(gpointer data)
{
	struct telling *telling = data;

	if (telling->worker->owner)
		telling->worker->told(telling->worker->owner, &telling->note);
	return G_SOURCE_REMOVE;
}

static void free_telling(gpointer data)
{
	worker_unref(((struct telling *)data)->worker);
	g_free(data);
}

void worker_tell(struct worker *worker, const struct note *note)
{
	struct telling *telling = g_new(struct telling, 1);

	telling->worker = worker_ref(worker);
	telling->note = *note;
	g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, deliver, telling, free_telling);
}
