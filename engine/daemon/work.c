// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/work.h"

struct work {
	bool (*run)(void *data, GError **error);
	void (*done)(void *data, const GError *error);
	void *data;
	GThread *thread;
	GError *error;
};

static gboolean end(void *data)
{
	struct work *work = data;

	g_thread_join(work->thread);
	work->done(work->data, work->error);
	g_clear_error(&work->error);
	g_free(work);
	return G_SOURCE_REMOVE;
}

static void *run(void *data)
{
	struct work *work = data;

	work->run(work->data, &work->error);
	/* No matter how busy clients keep the loop. */
	g_idle_add_full(G_PRIORITY_DEFAULT, end, work, NULL);
	return NULL;
}

void work_begin(bool (*function)(void *data, GError **error),
	void (*done)(void *data, const GError *error), void *data)
{
	struct work *work = g_new0(struct work, 1);

	work->run = function;
	work->done = done;
	work->data = data;
	work->thread = g_thread_new("work", run, work);
}
