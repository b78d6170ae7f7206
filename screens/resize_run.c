// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>

#include "model/resize.h"
#include "screens/resize_run.h"

/* One value on its way, there or back. */
struct task {
	char *name;
	gint64 value;
	unsigned when;
	bool back;
};

/* What was, before a change. */
struct former {
	char *name;
	gint64 from, saved;
	unsigned when;
};

struct resize_target_private {
	GQueue tasks;
	struct task *now; // under way
	unsigned survey;  // of model/resize.h; 0: none
	bool told;        // the one under way has ended, and was told
	bool leaving;
};

static struct resize_target *target_at(const struct resize_run *run, guint i)
{
	return g_ptr_array_index(run->targets, i);
}

static void task_free(void *p)
{
	struct task *task = p;

	if (task)
		g_free(task->name);
	g_free(task);
}

static void former_free(void *p)
{
	struct former *former = p;

	g_free(former->name);
	g_free(former);
}

static void result_free(void *p)
{
	struct resize_result *result = p;

	g_free(result->name);
	g_free(result->text);
	g_free(result);
}

static void clear_tasks(struct resize_target *target)
{
	g_queue_clear_full(&target->private->tasks, task_free);
}

static void target_free(void *p)
{
	struct resize_target *target = p;

	target->private->leaving = true;
	resize_forget(target->private->survey);
	console_forget(target->run->console, target);
	clear_tasks(target);
	task_free(target->private->now);
	g_free(target->private);
	plan_free(target->plan);
	g_free(target->error);
	g_ptr_array_unref(target->results);
	g_ptr_array_unref(target->done);
	guest_unref(target->guest);
	g_free(target);
}

/* ---- looking up ---- */

bool resize_run_looking_up(const struct resize_run *run)
{
	for (guint i = 0; i < run->targets->len; i++)
		if (target_at(run, i)->private->survey)
			return true;
	return false;
}

static void surveyed(struct plan *plan, const GError *error, void *data)
{
	struct resize_target *target = data;

	target->private->survey = 0;
	plan_free(target->plan);
	target->plan = plan;
	g_free(target->error);
	target->error = error ? error_headline(error) : NULL;
	if (!resize_run_looking_up(target->run))
		target->run->looked_up(target->run->data);
}

void resize_run_look_up(struct resize_run *run)
{
	for (guint i = 0; i < run->targets->len; i++) {
		struct resize_target *target = target_at(run, i);

		resize_forget(target->private->survey);
		target->private->survey = resize_survey(target->guest, surveyed, target);
	}
}

/* ---- changing ---- */

static void add_result(struct resize_target *target, const char *text, bool good)
{
	struct resize_result *result = g_new0(struct resize_result, 1);
	const struct task *task = target->private->now;

	result->name = g_strdup(task->name);
	result->text = good && task->back ? g_strdup_printf(_("Put back: %s"), text)
					  : g_strdup(text);
	result->good = good;
	g_ptr_array_add(target->results, result);
	target->run->failed = target->run->failed || !good;
	if (!good)
		clear_tasks(target);
}

/* It holds: what was before can be put back. */
static void remember(struct resize_target *target)
{
	const struct task *task = target->private->now;
	const struct plan_step *step = plan_find(target->plan, task->name);
	struct former *former;

	if (task->back || !step || plan_step_one_way(step) || step->from == PLAN_UNKNOWN)
		return;
	former = g_new0(struct former, 1);
	*former = (struct former){g_strdup(task->name), step->from, step->saved, task->when};
	g_ptr_array_add(target->done, former);
}

static void task_done(struct console *console, struct job *job, void *data)
{
	struct resize_target *target = data;
	const struct job_step *step = g_ptr_array_index(job->steps, 0);

	target->private->told = true;
	if (step->state == JOB_DONE) {
		remember(target);
		add_result(target, step->output ? step->output : "", true);
	} else {
		add_result(target, step->error ? step->error : _("It was cancelled."), false);
	}
}

static void next(struct resize_target *target);

/* Also where it could not begin: then nobody was told. */
static void task_over(void *data)
{
	struct resize_target *target = data;

	if (target->private->leaving)
		return;
	if (!target->private->told)
		add_result(target, _("This change did not begin."), false);
	g_clear_pointer(&target->private->now, task_free);
	target->under_way = NULL;
	next(target);
}

static struct request *make_request(struct resize_target *target, const struct task *task)
{
	const struct plan_step *step =
		target->plan ? plan_find(target->plan, task->name) : NULL;

	return step ? resize_request(target->run->console->model, target->guest, target->plan,
			      step, task->value, task->when)
		    : NULL;
}

static void next(struct resize_target *target)
{
	struct resize_run *run = target->run;
	struct task *task = g_queue_pop_head(&target->private->tasks);
	struct request *request = task ? make_request(target, task) : NULL;

	if (!request) {
		task_free(task);
		clear_tasks(target);
		if (resize_run_busy(run))
			run->moved_on(run->data);
		else
			run->ended(run->failed, run->data);
		return;
	}
	target->private->now = task;
	target->private->told = false;
	target->under_way = task->name;
	target->goal = task->value;
	run->moved_on(run->data);
	console_run_then(run->console, request, task_done, target, task_over);
}

static void add_task(struct resize_target *target, const char *name, gint64 value, unsigned when,
	bool back)
{
	struct task *task = g_new0(struct task, 1);

	*task = (struct task){g_strdup(name), value, when, back};
	g_queue_push_tail(&target->private->tasks, task);
}

static void add_wishes(struct resize_target *target, unsigned when)
{
	for (guint i = 0; target->plan && i < target->plan->steps->len; i++) {
		const struct plan_step *step = g_ptr_array_index(target->plan->steps, i);

		if (step->to != step->from)
			add_task(target, step->name, step->to,
				target->plan->active ? when : PLAN_NEXT_START, false);
	}
}

static void add_way_back(struct resize_target *target)
{
	for (guint i = target->done->len; i-- > 0;) {
		const struct former *former = g_ptr_array_index(target->done, i);
		bool both = former->when == (PLAN_NOW | PLAN_NEXT_START);
		bool apart = both && former->saved != PLAN_UNKNOWN &&
			     former->saved != former->from;

		/* The next start may have had another value than the running guest. */
		add_task(target, former->name, former->from, apart ? PLAN_NOW : former->when, true);
		if (apart)
			add_task(target, former->name, former->saved, PLAN_NEXT_START, true);
	}
}

static void begin(struct resize_run *run)
{
	run->failed = false;
	for (guint i = 0; i < run->targets->len; i++)
		g_ptr_array_set_size(target_at(run, i)->done, 0);
	for (guint i = 0; i < run->targets->len; i++)
		if (!g_queue_is_empty(&target_at(run, i)->private->tasks))
			next(target_at(run, i));
}

bool resize_run_apply(struct resize_run *run, unsigned when)
{
	bool any = false;

	for (guint i = 0; i < run->targets->len; i++) {
		g_ptr_array_set_size(target_at(run, i)->results, 0);
		add_wishes(target_at(run, i), when);
		any = any || !g_queue_is_empty(&target_at(run, i)->private->tasks);
	}
	if (any)
		begin(run);
	return any;
}

bool resize_run_can_put_back(const struct resize_run *run)
{
	if (resize_run_busy(run))
		return false;
	for (guint i = 0; i < run->targets->len; i++)
		if (target_at(run, i)->done->len)
			return true;
	return false;
}

void resize_run_put_back(struct resize_run *run)
{
	for (guint i = 0; i < run->targets->len; i++)
		add_way_back(target_at(run, i));
	begin(run);
}

bool resize_run_busy(const struct resize_run *run)
{
	for (guint i = 0; i < run->targets->len; i++)
		if (target_at(run, i)->private->now ||
			!g_queue_is_empty(&target_at(run, i)->private->tasks))
			return true;
	return false;
}

void resize_run_stop(struct resize_run *run)
{
	for (guint i = 0; i < run->targets->len; i++)
		clear_tasks(target_at(run, i));
}

/* ---- begin and end ---- */

struct resize_run *resize_run_new(struct console *console, const GPtrArray *guests)
{
	struct resize_run *run = g_new0(struct resize_run, 1);

	run->console = console;
	run->targets = g_ptr_array_new_with_free_func(target_free);
	for (guint i = 0; i < guests->len; i++) {
		struct resize_target *target = g_new0(struct resize_target, 1);

		target->run = run;
		target->guest = guest_ref(g_ptr_array_index(guests, i));
		target->results = g_ptr_array_new_with_free_func(result_free);
		target->done = g_ptr_array_new_with_free_func(former_free);
		target->private = g_new0(struct resize_target_private, 1);
		g_queue_init(&target->private->tasks);
		g_ptr_array_add(run->targets, target);
	}
	return run;
}

void resize_run_free(struct resize_run *run)
{
	if (!run)
		return;
	g_ptr_array_unref(run->targets);
	g_free(run);
}
