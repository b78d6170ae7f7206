// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"
#include "model/resize.h"
#include "model/connection_private.h"
#include "model/editing.h"
#include "model/error.h"
#include "model/plan_kind.h"
#include "model/worker.h"

#include <glib/gi18n.h>
#include <string.h>

// ---- looking up -------------------------------------------------------------------------------------

struct survey_task {
	struct task task;
	unsigned number;
	char *uuid, *name;
	void (*done)(struct plan *plan, const GError *error, void *data); // NULL once told
	void *data;
	struct plan *plan;
	GError *error;
};

// Those under way. Main thread.
static GPtrArray *under_way;
static unsigned last_number;

static void run_survey(struct worker *worker, virConnectPtr connection, struct task *task)
{
	struct survey_task *survey = (struct survey_task *)task;
	virDomainPtr domain = NULL;

	if (connection)
		domain = virDomainLookupByUUIDString(connection, survey->uuid);
	if (domain) {
		survey->plan = plan_survey(domain, &survey->error);
		virDomainFree(domain);
	} else if (connection) {
		g_autofree char *headline =
			g_strdup_printf(_("Cannot find guest '%s'"), survey->name);

		error_set_libvirt(&survey->error, headline);
	} else {
		g_set_error(&survey->error, MODEL_ERROR, MODEL_ERROR_NOT_CONNECTED,
			_("%s is not connected at the moment."), worker_uri(worker));
	}
}

static void tell(struct survey_task *survey)
{
	void (*done)(struct plan *plan, const GError *error, void *data) = survey->done;

	survey->done = NULL;
	if (done)
		done(g_steal_pointer(&survey->plan), survey->error, survey->data);
}

static bool done_survey(struct connection *connection, struct task *task)
{
	tell((struct survey_task *)task);
	return false;
}

// Also when the worker was left behind: then nobody was told yet.
static void free_survey(struct task *task)
{
	struct survey_task *survey = (struct survey_task *)task;

	if (survey->done) {
		g_clear_pointer(&survey->plan, plan_free);
		g_clear_error(&survey->error);
		g_set_error(&survey->error, MODEL_ERROR, MODEL_ERROR_NOT_CONNECTED,
			_("The connection to the host of '%s' was given up."), survey->name);
		tell(survey);
	}
	g_ptr_array_remove_fast(under_way, survey);
	plan_free(survey->plan);
	g_clear_error(&survey->error);
	g_free(survey->uuid);
	g_free(survey->name);
	g_free(survey);
}

static gboolean refuse(gpointer data)
{
	free_survey(data);
	return G_SOURCE_REMOVE;
}

unsigned resize_survey(struct guest *guest,
	void (*done)(struct plan *plan, const GError *error, void *data), void *data)
{
	struct survey_task *survey = g_new0(struct survey_task, 1);

	if (!under_way)
		under_way = g_ptr_array_new();
	g_ptr_array_add(under_way, survey);
	survey->task.run = run_survey;
	survey->task.done = done_survey;
	survey->task.free = free_survey;
	survey->number = ++last_number;
	survey->uuid = g_strdup(guest->uuid);
	survey->name = g_strdup(guest->name);
	survey->done = done;
	survey->data = data;
	if (guest->connection)
		worker_submit(guest->connection->private->worker, &survey->task);
	else
		g_idle_add(refuse, survey);
	return survey->number;
}

void resize_forget(unsigned number)
{
	for (guint i = 0; number && under_way && i < under_way->len; i++) {
		struct survey_task *survey = under_way->pdata[i];

		if (survey->number == number)
			survey->done = NULL;
	}
}

// ---- one value --------------------------------------------------------------------------------------

static char *virsh_step(const struct request *request, const struct guest *guest)
{
	return g_strdup(request_get(request, "COMMAND"));
}

// As the verb of the table, for one value whose command is known.
static const struct verb resize_value = {
	.name = "resize",
	.label = N_("Resize…"),
	.title_one = N_("Resize %s"),
	.flags = VERB_CHANGES,
	.arguments = {{.name = "GUEST", .kind = ARGUMENT_GUEST, .help = ""},
		{.name = "KEY=VALUE", .kind = ARGUMENT_TEXT, .help = ""},
		{.name = "COMMAND", .kind = ARGUMENT_TEXT, .help = ""},
		{.name = "--both", .kind = ARGUMENT_FLAG, .optional = true, .help = ""},
		{.name = "--next-boot", .kind = ARGUMENT_FLAG, .optional = true, .help = ""}},
	.on_guest = action_resize,
	.virsh = virsh_step,
};

struct request *resize_request(struct model *model, struct guest *guest, const struct plan *plan,
	const struct plan_step *step, gint64 value, unsigned when)
{
	struct plan_step wish = *step;
	struct plan timed = *plan;
	struct request *request = request_new(model, &resize_value);
	g_autofree char *text = plan_wish_text(step, value);
	g_autofree char *assignment = g_strdup_printf("%s=%s", step->name, text);
	g_autofree char *command = NULL;

	wish.to = value;
	timed.when = when;
	command = plan_step_virsh(&timed, &wish);
	request_add_guest(request, guest);
	request_set(request, "KEY=VALUE", assignment);
	request_set(request, "COMMAND", command);
	if (when == (PLAN_NOW | PLAN_NEXT_START))
		request_set(request, "--both", "");
	else if (when == PLAN_NEXT_START)
		request_set(request, "--next-boot", "");
	return request;
}

struct request *resize_request_by_name(
	struct model *model, struct guest *guest, const char *name, gint64 value)
{
	unsigned when = guest_active(guest) ? PLAN_NOW : PLAN_NEXT_START;
	struct plan plan = {.guest = guest->name, .when = when};
	struct plan_step step = {.name = (char *)name};

	for (const struct plan_kind *kind = plan_kinds; kind->name; kind++)
		if (!strcmp(kind->name, name) && !kind->members)
			step.kind = kind;
	return step.kind ? resize_request(model, guest, &plan, &step, value, when) : NULL;
}

struct request *resize_raise_request(
	struct model *model, struct guest *guest, const struct plan_step *step)
{
	struct request *request;
	g_autofree char *assignment = NULL;

	if (step->most == PLAN_NONE || step->to <= step->most)
		return NULL;
	if (!strcmp(step->name, "vcpus"))
		assignment = g_strdup_printf("vcpus=%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
			step->saved > 0 ? step->saved : step->from, step->to);
	else if (!strcmp(step->name, "memory"))
		assignment = g_strdup_printf("memory=%" G_GINT64_FORMAT "KiB", step->to);
	else
		return NULL;
	request = request_new(model, verb_find("set"));
	request_add_guest(request, guest);
	request_set(request, "KEY=VALUE", assignment);
	request_set(request, "--next-boot", "");
	return request;
}
