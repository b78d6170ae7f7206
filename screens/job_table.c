// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include <glib/gi18n.h>
#include <math.h>

#include "screens/job_table.h"

/* Looking at something (a definition, the log) is no operation. */
static bool is_operation(const struct job *job)
{
	return job->verb->flags & VERB_CHANGES;
}

/* The row-th operation from the newest; the model keeps few enough to count. */
static struct job *job_at(void *ctx, int row)
{
	const GPtrArray *jobs = ((struct model *)ctx)->jobs;

	for (guint i = jobs->len; i-- > 0;) {
		struct job *job = g_ptr_array_index(jobs, i);

		if (is_operation(job) && row-- == 0)
			return job;
	}
	g_assert_not_reached();
}

static int job_count_rows(void *ctx)
{
	return (int)job_table_count(ctx);
}

unsigned job_table_count(const struct model *model)
{
	unsigned n = 0;

	for (guint i = 0; i < model->jobs->len; i++)
		if (is_operation(g_ptr_array_index(model->jobs, i)))
			n++;
	return n;
}

static guint64 job_key(void *ctx, int row)
{
	return job_at(ctx, row)->id;
}

static void put(struct table_cell *cell, char *text)
{
	g_strlcpy(cell->text, text, sizeof(cell->text));
	g_free(text);
}

static bool has_progress(const struct job *job)
{
	return !job_finished(job) && !isnan(job_progress(job));
}

static char *state_text(const struct job *job)
{
	const char *word = job_state_word(job->state);

	return has_progress(job) ? g_strdup_printf("%s %.0f%%", word, job_progress(job) * 100)
				 : g_strdup(word);
}

/* Seconds it took, or has taken so far. */
static double duration(const struct job *job)
{
	gint64 end = job_finished(job) ? job->ended : clock_now();

	return (double)(end - job->created) / G_USEC_PER_SEC;
}

static void job_cell(void *ctx, int row, int column, struct table_cell *cell)
{
	static const int styles[] = {
		[JOB_RUNNING] = STYLE_INFO,
		[JOB_DONE] = STYLE_GOOD,
		[JOB_FAILED] = STYLE_BAD,
		[JOB_CANCELLED] = STYLE_WARN,
	};
	const struct job *job = job_at(ctx, row);

	switch (column) {
	case 0:
		put(cell, format_time(job->created));
		break;
	case 1:
		put(cell, g_strdup(job->title));
		break;
	case 2:
		put(cell, state_text(job));
		cell->style = styles[job->state];
		break;
	case 3:
		if (has_progress(job))
			cell->bar = job_progress(job);
		break;
	case 4:
		put(cell, format_duration(duration(job)));
		break;
	}
}

static const struct table_column columns[] = {
	{.id = "time", .title = N_("&Time"), .width = 8},
	{.id = "title", .title = N_("&Operation"), .width = 15, .stretch = 1},
	{.id = "state", .title = N_("&State"), .width = 11},
	{.id = "progress", .title = N_("Done"), .width = 4, .bar = 20, .hidden = true,
		.roomy = true},
	{.id = "took", .title = N_("Took"), .width = 6, .align = TEXT_RIGHT},
};

static const struct table_source source = {
	.count = job_count_rows,
	.key = job_key,
	.cell = job_cell,
};

struct table *job_table_new(struct model *model)
{
	struct table *table = table_new(columns, G_N_ELEMENTS(columns), &source, model);

	table_set_marking(table, false);
	table_set_empty(table, _("Nothing was done yet."));
	return table;
}

struct job *job_table_selected(struct table *table, const struct model *model)
{
	guint64 key = table_rows(table)->cursor_key;

	for (guint i = 0; i < model->jobs->len; i++) {
		struct job *job = g_ptr_array_index(model->jobs, i);

		if (job->id == key)
			return job;
	}
	return NULL;
}

static void tell_step(GString *text, const struct job_step *step)
{
	g_string_append_printf(text, "%s: %s\n", step->target, job_state_word(step->state));
	if (step->error)
		g_string_append_printf(text, "  %s\n", step->error);
	if (step->details)
		g_string_append_printf(text, "  %s\n", step->details);
	if (step->output)
		g_string_append_printf(text, "  %s\n", step->output);
	if (step->command)
		g_string_append_printf(text, "  %s\n", step->command);
}

char *job_tell(const struct job *job)
{
	GString *text = g_string_new(NULL);
	g_autofree char *summary = job_summary(job);

	g_string_append_printf(text, "%s\n\n", summary);
	for (guint i = 0; i < job->steps->len; i++)
		tell_step(text, g_ptr_array_index(job->steps, i));
	return g_string_free(text, FALSE);
}
