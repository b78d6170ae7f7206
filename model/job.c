// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/job_private.h"
#include "model/clock.h"
#include "model/connection_private.h"
#include "model/model_private.h"

#include <glib/gi18n.h>

// ---- the object --------------------------------------------------------------------------------

static void tell(const struct job *job)
{
	struct model_change change = {.event = MODEL_JOB, .job = (struct job *)job};

	if (job->private->model)
		model_tell(job->private->model, &change);
}

static void free_step(void *data)
{
	struct job_step *step = data;

	guest_unref(step->guest);
	g_free(step->target);
	g_free(step->uri);
	g_free(step->command);
	g_free(step->output);
	g_free(step->error);
	g_free(step->details);
	lane_work_leave(step->private->work);
	g_free(step->private);
	g_free(step);
}

struct job *job_new(struct model *model, const struct verb *verb, const char *title)
{
	static unsigned last;
	struct job *job = g_new0(struct job, 1);

	job->private = g_new0(struct job_private, 1);
	job->private->refs = 1;
	job->private->model = model;
	job->id = ++last;
	job->verb = verb;
	job->title = g_strdup(title);
	job->steps = g_ptr_array_new_with_free_func(free_step);
	job->created = clock_now();
	return job;
}

struct job *job_ref(struct job *job)
{
	job->private->refs++;
	return job;
}

void job_unref(struct job *job)
{
	if (!job || --job->private->refs)
		return;
	g_ptr_array_unref(job->steps);
	g_free(job->title);
	g_free(job->private);
	g_free(job);
}

void job_orphan(struct job *job)
{
	job->private->model = NULL;
	for (unsigned i = 0; i < job->steps->len; i++) {
		struct job_step *step = job->steps->pdata[i];

		lane_work_leave(g_steal_pointer(&step->private->work));
		step->private->connection = NULL;
	}
}

struct job_step *job_add_step(struct job *job, struct connection *connection, struct guest *guest,
	char *target, char *command)
{
	struct job_step *step = g_new0(struct job_step, 1);

	step->private = g_new0(struct step_private, 1);
	step->private->job = job;
	step->private->connection = connection;
	step->guest = guest ? guest_ref(guest) : NULL;
	step->uri = g_strdup(connection ? connection->uri : "");
	step->target = target;
	step->command = command;
	step->progress = NAN;
	g_ptr_array_add(job->steps, step);
	return step;
}

// ---- states ------------------------------------------------------------------------------------

unsigned job_count(const struct job *job, enum job_state state)
{
	unsigned count = 0;

	for (unsigned i = 0; i < job->steps->len; i++)
		count += ((struct job_step *)job->steps->pdata[i])->state == state;
	return count;
}

bool job_finished(const struct job *job)
{
	return !job_count(job, JOB_QUEUED) && !job_count(job, JOB_RUNNING);
}

static void update_state(struct job *job)
{
	bool begun = job_count(job, JOB_QUEUED) < job->steps->len;

	if (!job_finished(job)) {
		job->state = begun ? JOB_RUNNING : JOB_QUEUED;
		return;
	}
	if (job_count(job, JOB_FAILED))
		job->state = JOB_FAILED;
	else
		job->state = job_count(job, JOB_CANCELLED) ? JOB_CANCELLED : JOB_DONE;
	job->ended = clock_now();
}

double job_progress(const struct job *job)
{
	double sum = 0;
	bool told = false;

	for (unsigned i = 0; i < job->steps->len; i++) {
		const struct job_step *step = job->steps->pdata[i];

		told = told || !isnan(step->progress);
		if (step->state > JOB_RUNNING)
			sum += 1;
		else if (!isnan(step->progress))
			sum += step->progress;
	}
	return told || (job->steps->len > 1 && sum > 0) ? sum / job->steps->len : NAN;
}

const char *job_state_word(enum job_state state)
{
	static const char *const words[] = {
		N_("waiting"), N_("running"), N_("done"), N_("failed"), N_("cancelled")};

	return _(words[state]);
}

static char *summarise_failure(const struct job *job, unsigned failed)
{
	const struct job_step *first = NULL;

	for (unsigned i = 0; i < job->steps->len && !first; i++)
		if (((struct job_step *)job->steps->pdata[i])->state == JOB_FAILED)
			first = job->steps->pdata[i];
	if (job->steps->len == 1)
		return g_strdup(first->error);
	return g_strdup_printf(
		_("%s: %u of %u failed: %s"), job->title, failed, job->steps->len, first->error);
}

char *job_summary(const struct job *job)
{
	unsigned failed = job_count(job, JOB_FAILED);
	unsigned done = job_count(job, JOB_DONE);
	unsigned cancelled = job_count(job, JOB_CANCELLED);

	if (!job_finished(job))
		return g_strdup_printf(_("%s: running, %u of %u done"), job->title,
			done + failed + cancelled, job->steps->len);
	if (failed)
		return summarise_failure(job, failed);
	if (cancelled)
		return g_strdup_printf(
			_("%s: cancelled, %u of %u done"), job->title, done, job->steps->len);
	if (job->steps->len == 1 && ((struct job_step *)job->steps->pdata[0])->output)
		return g_strdup(((struct job_step *)job->steps->pdata[0])->output);
	return g_strdup_printf(_("%s: done"), job->title);
}

// ---- steps -------------------------------------------------------------------------------------

static void set_error(struct job_step *step, GError *error)
{
	step->error = error_headline(error);
	step->details = error_details(error);
	step->private->error_code = error->domain == MODEL_ERROR ? error->code : MODEL_ERROR_FAILED;
	step->state = error->code == MODEL_ERROR_CANCELLED && error->domain == MODEL_ERROR
			      ? JOB_CANCELLED
			      : JOB_FAILED;
}

void job_end_step(struct job_step *step, char *output, GError *error)
{
	struct job *job = step->private->job;

	if (!step->started)
		step->started = clock_now();
	step->ended = clock_now();
	step->state = JOB_DONE;
	step->output = output;
	if (error)
		set_error(step, error);
	g_clear_error(&error);
	lane_work_leave(g_steal_pointer(&step->private->work));
	if (job->private->model)
		model_audit(job->private->model, job, step);
	update_state(job);
	if (step->guest && !step->guest->gone && step->private->connection)
		connection_read_guest(step->private->connection, step->guest->uuid);
	tell(job);
}

void job_begin_step(struct job_step *step)
{
	step->state = JOB_RUNNING;
	step->started = clock_now();
	update_state(step->private->job);
	tell(step->private->job);
}

void job_set_progress(struct job_step *step, double progress)
{
	step->private->asking = false;
	if (isnan(progress))
		return;
	step->progress = progress;
	tell(step->private->job);
}

// ---- cancelling --------------------------------------------------------------------------------

static bool can_cancel(const struct job *job, const struct job_step *step)
{
	if (step->state == JOB_QUEUED)
		return true;
	return step->state == JOB_RUNNING && (job->verb->flags & VERB_PROGRESS) &&
	       !step->private->cancelled;
}

bool job_can_cancel(const struct job *job)
{
	for (unsigned i = 0; i < job->steps->len; i++)
		if (can_cancel(job, job->steps->pdata[i]))
			return true;
	return false;
}

static void cancel_step(struct job *job, struct job_step *step)
{
	step->private->cancelled = true;
	if (step->state == JOB_QUEUED && lane_work_withdraw(step->private->work))
		job_end_step(step, NULL,
			g_error_new(MODEL_ERROR, MODEL_ERROR_CANCELLED,
				_("%s: cancelled before it began."), job->title));
	else
		lane_work_abort(step);
}

void job_cancel(struct job *job)
{
	job_ref(job);
	for (unsigned i = 0; i < job->steps->len; i++)
		if (can_cancel(job, job->steps->pdata[i]))
			cancel_step(job, job->steps->pdata[i]);
	job_unref(job);
}

static void give_up_steps(struct job *job, struct connection *connection)
{
	for (unsigned i = 0; i < job->steps->len; i++) {
		struct job_step *step = job->steps->pdata[i];

		if (step->private->connection != connection)
			continue;
		step->private->connection = NULL;
		if (step->state <= JOB_RUNNING)
			job_end_step(step, NULL,
				g_error_new(MODEL_ERROR, MODEL_ERROR_NOT_CONNECTED,
					_("%s: the connection was given up; what became of it is "
					  "not known."),
					job->title));
	}
}

void jobs_give_up(struct connection *connection)
{
	GPtrArray *jobs = connection->model->jobs;

	for (unsigned i = 0; i < jobs->len; i++)
		give_up_steps(jobs->pdata[i], connection);
}

// A cancelled step that still runs is told again: the hypervisor may not have begun the first time.
static void tick_step(struct job_step *step)
{
	if (step->state != JOB_RUNNING || step->private->asking)
		return;
	if (step->private->cancelled)
		lane_work_abort(step);
	else
		lane_work_ask(step);
}

void jobs_tick(struct model *model)
{
	for (unsigned i = 0; i < model->jobs->len; i++) {
		struct job *job = model->jobs->pdata[i];

		for (unsigned k = 0; (job->verb->flags & VERB_PROGRESS) && k < job->steps->len; k++)
			tick_step(job->steps->pdata[k]);
	}
}
