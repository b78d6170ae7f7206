// SPDX-License-Identifier: GPL-3.0-or-later
// A step off the main thread: one verb's function for one guest, or for one connection.
#include "model/connection_private.h"
#include "model/error.h"
#include "model/job_private.h"
#include "model/worker.h"

#include <glib/gi18n.h>
#include <libvirt/virterror.h>
#include <string.h>

// Shared between the step, the lane and progress questions; each holds a reference.
struct lane_work {
	gint refs;
	struct worker *worker;
	struct call call;
	char *uuid; // NULL: the verb works on the connection
	GError *error;
	struct job_step *step; // main thread; NULL once nobody waits
};

// call.cancelled while the work is under way and nobody cancelled it.
#define BEGUN 2

static void unref_work(gpointer data)
{
	struct lane_work *work = data;

	if (!g_atomic_int_dec_and_test(&work->refs))
		return;
	worker_unref(work->worker);
	g_hash_table_unref(work->call.values);
	g_free(work->call.target);
	g_free(work->call.output);
	g_free(work->uuid);
	g_clear_error(&work->error);
	g_free(work);
}

static struct lane_work *ref_work(struct lane_work *work)
{
	g_atomic_int_inc(&work->refs);
	return work;
}

void lane_work_leave(struct lane_work *work)
{
	if (!work)
		return;
	work->step = NULL;
	g_atomic_int_set(&work->call.cancelled, 1);
	unref_work(work);
}

bool lane_work_withdraw(struct lane_work *work)
{
	return g_atomic_int_compare_and_exchange(&work->call.cancelled, 0, 1);
}

static gboolean begin(gpointer data)
{
	struct lane_work *work = data;

	if (work->step)
		job_begin_step(work->step);
	return G_SOURCE_REMOVE;
}

static gboolean finish(gpointer data)
{
	struct lane_work *work = data;

	if (work->step)
		job_end_step(work->step, g_steal_pointer(&work->call.output),
			g_steal_pointer(&work->error));
	return G_SOURCE_REMOVE;
}

static void post(GSourceFunc function, struct lane_work *work)
{
	g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, function, ref_work(work), unref_work);
}

static void run_on_guest(struct lane_work *work, virConnectPtr connection)
{
	virDomainPtr domain = virDomainLookupByUUIDString(connection, work->uuid);

	if (!domain) {
		g_autofree char *headline =
			g_strdup_printf(_("Cannot find guest '%s'"), work->call.target);

		error_set_libvirt(&work->error, headline);
		return;
	}
	work->call.verb->on_guest(&work->call, domain, &work->error);
	virDomainFree(domain);
}

static void run(struct lane_work *work)
{
	virConnectPtr connection = worker_connection(work->worker);

	if (!connection) {
		g_set_error(&work->error, MODEL_ERROR, MODEL_ERROR_NOT_CONNECTED,
			_("%s is not connected at the moment."), worker_uri(work->worker));
		return;
	}
	if (work->uuid)
		run_on_guest(work, connection);
	else
		work->call.verb->on_connection(&work->call, connection, &work->error);
	virConnectClose(connection);
}

void job_lane(gpointer data, gpointer pool_data)
{
	struct lane_work *work = data;

	if (g_atomic_int_compare_and_exchange(&work->call.cancelled, 0, BEGUN)) {
		post(begin, work);
		run(work);
		post(finish, work);
	}
	unref_work(work);
}

static GHashTable *copy_values(GHashTable *values)
{
	GHashTable *copy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	GHashTableIter iter;
	gpointer name, value;

	g_hash_table_iter_init(&iter, values);
	while (g_hash_table_iter_next(&iter, &name, &value))
		g_hash_table_insert(copy, g_strdup(name), g_strdup(value));
	return copy;
}

void job_start_step(struct job_step *step, GHashTable *values, bool json)
{
	struct connection_private *private = step->private->connection->private;
	struct lane_work *work = g_new0(struct lane_work, 1);

	work->refs = 2; // the step's and the lane's
	work->worker = worker_ref(private->worker);
	work->step = step;
	work->uuid = step->guest ? g_strdup(step->guest->uuid) : NULL;
	work->call.verb = step->private->job->verb;
	work->call.target = g_strdup(step->guest ? step->guest->name : step->target);
	work->call.values = copy_values(values);
	work->call.json = json;
	step->private->work = work;
	g_thread_pool_push(private->lanes, work, NULL);
}

// ---- progress and abort, on the worker while the lane is in its call ----------------------------

struct lane_question {
	struct task task;
	struct lane_work *work;
	bool abort;
	double progress;
};

static void run_question(struct worker *worker, virConnectPtr connection, struct task *task)
{
	struct lane_question *question = (struct lane_question *)task;
	virDomainPtr domain =
		connection ? virDomainLookupByUUIDString(connection, question->work->uuid) : NULL;
	virDomainJobInfo info;

	if (!domain)
		return;
	if (question->abort)
		virDomainAbortJob(domain);
	else if (virDomainGetJobInfo(domain, &info) == 0 && info.dataTotal)
		question->progress = MIN((double)info.dataProcessed / (double)info.dataTotal, 1);
	virDomainFree(domain);
}

static bool done_question(struct connection *connection, struct task *task)
{
	struct lane_question *question = (struct lane_question *)task;

	if (question->work->step)
		job_set_progress(question->work->step, question->progress);
	return false;
}

static void free_question(struct task *task)
{
	unref_work(((struct lane_question *)task)->work);
	g_free(task);
}

static void ask(struct job_step *step, bool abort)
{
	struct lane_question *question;

	if (!step->private->work || !step->private->work->uuid)
		return;
	step->private->asking = true;
	question = g_new0(struct lane_question, 1);
	question->task.run = run_question;
	question->task.done = done_question;
	question->task.free = free_question;
	question->work = ref_work(step->private->work);
	question->abort = abort;
	question->progress = NAN;
	worker_submit(step->private->work->worker, &question->task);
}

void lane_work_ask(struct job_step *step)
{
	ask(step, false);
}

void lane_work_abort(struct job_step *step)
{
	g_atomic_int_set(&step->private->work->call.cancelled, 1);
	ask(step, true);
}

const char *call_get(const struct call *call, const char *name)
{
	return g_hash_table_lookup(call->values, name);
}

bool call_fail(GError **error, const char *headline, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, headline);
	text = g_strdup_vprintf(headline, arguments);
	va_end(arguments);
	error_set_libvirt(error, text);
	return false;
}
