// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/connection_private.h"
#include "model/guest_private.h"
#include "model/job_private.h"
#include "model/model_private.h"

#include <glib/gi18n.h>
#include <string.h>

#define MESSAGES_MOST 1000
#define JOBS_MOST 200
// Time between two questions after the progress of running jobs, milliseconds.
#define PROGRESS_EVERY 400

struct watch {
	unsigned id;
	// NULL once removed
	void (*func)(struct model *model, const struct model_change *change, void *data);
	void *data;
};

struct model_private {
	GArray *watches; // struct watch; removed ones stay until no telling is under way
	unsigned telling;
	unsigned next_watch;
	unsigned interval; // ms
	guint refresh_timer, tick_timer, progress_timer;
	bool audit_failing; // the audit log could not be written last time
};

// ---- watchers ----------------------------------------------------------------------------------

void model_tell(struct model *model, const struct model_change *change)
{
	GArray *watches = model->private->watches;

	model->private->telling++;
	// By index: a watcher may add watchers.
	for (unsigned i = 0; i < watches->len; i++) {
		struct watch watch = g_array_index(watches, struct watch, i);

		if (watch.func)
			watch.func(model, change, watch.data);
	}
	if (--model->private->telling)
		return;
	for (unsigned i = watches->len; i > 0; i--)
		if (!g_array_index(watches, struct watch, i - 1).func)
			g_array_remove_index(watches, i - 1);
}

unsigned model_watch(struct model *model,
	void (*func)(struct model *model, const struct model_change *change, void *data),
	void *data)
{
	struct watch watch = {++model->private->next_watch, func, data};

	g_array_append_val(model->private->watches, watch);
	return watch.id;
}

void model_unwatch(struct model *model, unsigned watch)
{
	GArray *watches = model->private->watches;

	for (unsigned i = 0; i < watches->len; i++) {
		struct watch *entry = &g_array_index(watches, struct watch, i);

		if (entry->id == watch)
			entry->func = NULL;
	}
}

// ---- messages, jobs, audit ---------------------------------------------------------------------

static void free_message(void *data)
{
	struct message *message = data;

	g_free(message->text);
	g_free(message->details);
	g_free(message);
}

void model_message(
	struct model *model, enum message_kind kind, const char *text, const char *details)
{
	struct model_change change = {.event = MODEL_MESSAGE};
	struct message *message = g_new0(struct message, 1);

	message->time = clock_now();
	message->kind = kind;
	message->text = g_strdup(text);
	message->details = g_strdup(details);
	g_ptr_array_add(model->messages, message);
	if (model->messages->len > MESSAGES_MOST)
		g_ptr_array_remove_index(model->messages, 0);
	model_tell(model, &change);
}

static void drop_old_job(struct model *model)
{
	for (unsigned i = 0; i < model->jobs->len; i++) {
		if (job_finished(model->jobs->pdata[i])) {
			g_ptr_array_remove_index(model->jobs, i);
			return;
		}
	}
}

void model_add_job(struct model *model, struct job *job)
{
	struct model_change change = {.event = MODEL_JOB, .job = job};

	g_ptr_array_add(model->jobs, job);
	if (model->jobs->len > JOBS_MOST)
		drop_old_job(model);
	model_tell(model, &change);
}

static void tell_step(struct model *model, const struct job_step *step)
{
	if (step->state == JOB_FAILED)
		model_message(model, MESSAGE_ERROR, step->error, step->details);
	else if (step->output)
		model_message(model, MESSAGE_INFO, step->output, step->command);
}

void model_audit(struct model *model, const struct job *job, const struct job_step *step)
{
	g_autoptr(GError) error = NULL;
	const char *result = step->error ? step->error : "ok";

	if (!(job->verb->flags & VERB_CHANGES))
		return;
	tell_step(model, step);
	if (audit_add(model->audit, step->uri, step->target, job->verb->name, result, step->command,
		    &error)) {
		model->private->audit_failing = false;
		return;
	}
	if (!model->private->audit_failing)
		model_message(model, MESSAGE_WARNING, error->message, NULL);
	model->private->audit_failing = true;
}

// ---- time --------------------------------------------------------------------------------------

void model_refresh(struct model *model)
{
	for (unsigned i = 0; i < model->connections->len; i++)
		connection_refresh(model->connections->pdata[i]);
}

static gboolean refresh_due(gpointer data)
{
	model_refresh(data);
	return G_SOURCE_CONTINUE;
}

// What the audit log could not take is written as soon as it can be.
static void retry_audit(struct model *model)
{
	if (!audit_pending(model->audit) || !audit_flush(model->audit, NULL))
		return;
	model->private->audit_failing = false;
	model_message(model, MESSAGE_INFO, _("The audit log is written again."), NULL);
}

static gboolean second_passed(gpointer data)
{
	struct model *model = data;

	for (unsigned i = 0; i < model->connections->len; i++)
		connection_tick(model->connections->pdata[i]);
	retry_audit(model);
	return G_SOURCE_CONTINUE;
}

static gboolean progress_due(gpointer data)
{
	jobs_tick(data);
	return G_SOURCE_CONTINUE;
}

void model_set_interval(struct model *model, unsigned milliseconds)
{
	struct model_private *private = model->private;

	private->interval = CLAMP(milliseconds, 100, 3600000);
	g_clear_handle_id(&private->refresh_timer, g_source_remove);
	private->refresh_timer = g_timeout_add(private->interval, refresh_due, model);
}

unsigned model_interval(const struct model *model)
{
	return model->private->interval;
}

// ---- beginning and end -------------------------------------------------------------------------

struct model *model_new(struct settings *settings, unsigned flags)
{
	struct model *model = g_new0(struct model, 1);
	const char *log = settings_text(settings, "model.audit");

	model->private = g_new0(struct model_private, 1);
	model->private->watches = g_array_new(FALSE, TRUE, sizeof(struct watch));
	model->connections = g_ptr_array_new();
	model->jobs = g_ptr_array_new_with_free_func((GDestroyNotify)job_unref);
	model->messages = g_ptr_array_new_with_free_func(free_message);
	model->settings = settings;
	model->read_only = flags & MODEL_READ_ONLY;
	model->audit = audit_new(
		*log ? log : NULL, (guint64)settings_number(settings, "model.audit-size"));
	model_set_interval(model, (unsigned)(settings_number(settings, "model.refresh") * 1000));
	model->private->tick_timer = g_timeout_add_seconds(1, second_passed, model);
	model->private->progress_timer = g_timeout_add(PROGRESS_EVERY, progress_due, model);
	return model;
}

// Workers that do not hang end within milliseconds; none is waited for longer than this.
static void wait_for_workers(GPtrArray *workers)
{
	gint64 until = g_get_monotonic_time() + G_USEC_PER_SEC / 4;

	for (unsigned i = 0; i < workers->len; i++) {
		while (!worker_ended(workers->pdata[i]) && g_get_monotonic_time() < until)
			g_usleep(1000);
		worker_unref(workers->pdata[i]);
	}
}

void model_free(struct model *model)
{
	g_autoptr(GPtrArray) workers = g_ptr_array_new();

	if (!model)
		return;
	g_array_set_size(model->private->watches, 0);
	g_source_remove(model->private->refresh_timer);
	g_source_remove(model->private->tick_timer);
	g_source_remove(model->private->progress_timer);
	for (unsigned i = 0; i < model->connections->len; i++)
		g_ptr_array_add(workers, connection_free(model->connections->pdata[i]));
	wait_for_workers(workers);
	for (unsigned i = 0; i < model->jobs->len; i++)
		job_orphan(model->jobs->pdata[i]);
	g_ptr_array_unref(model->connections);
	g_ptr_array_unref(model->jobs);
	g_ptr_array_unref(model->messages);
	audit_free(model->audit);
	g_array_unref(model->private->watches);
	g_free(model->private);
	g_free(model);
}

// ---- connections -------------------------------------------------------------------------------

// What to call a host before it told its name: the URI's server, this machine, or the driver for
// libvirt's own test driver, whose guests are nowhere.
static char *base_name(const char *uri)
{
	g_autoptr(GUri) parsed = g_uri_parse(uri, G_URI_FLAGS_PARSE_RELAXED, NULL);
	const char *server = parsed ? g_uri_get_host(parsed) : NULL;
	const char *scheme = parsed ? g_uri_get_scheme(parsed) : NULL;

	if (!parsed)
		return g_strdup(uri); // an alias from libvirt.conf
	if (server && *server && !g_hostname_is_ip_address(server))
		return g_strndup(server, strcspn(server, "."));
	if (server && *server)
		return g_strdup(server);
	if (!strcmp(scheme, "test") || g_str_has_prefix(scheme, "test+"))
		return g_strdup("test");
	return g_strndup(g_get_host_name(), strcspn(g_get_host_name(), "."));
}

struct connection *model_connection(struct model *model, const char *name)
{
	for (unsigned i = 0; i < model->connections->len; i++) {
		struct connection *connection = model->connections->pdata[i];

		if (!strcmp(connection->name, name) || !strcmp(connection->uri, name))
			return connection;
	}
	return NULL;
}

static char *unique_name(struct model *model, const char *uri)
{
	g_autofree char *base = base_name(uri);
	g_autofree char *scheme = g_strndup(uri, strcspn(uri, ":+"));
	char *name = g_strdup(base);

	// A second hypervisor of the same host is told by its driver, a third one by a number.
	if (model_connection(model, name) && strcmp(scheme, base)) {
		g_free(name);
		name = g_strdup_printf("%s-%s", base, scheme);
	}
	for (unsigned i = 2; model_connection(model, name); i++) {
		g_free(name);
		name = g_strdup_printf("%s-%u", base, i);
	}
	return name;
}

static bool check_uri(struct model *model, const char *uri, GError **error)
{
	bool bad = !*uri || !g_utf8_validate(uri, -1, NULL);

	for (const char *c = uri; *c && !bad; c++)
		bad = g_ascii_isspace(*c) || g_ascii_iscntrl(*c);
	if (bad) {
		g_autofree char *shown = g_utf8_make_valid(uri, -1);

		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("'%s' is no connection: write a libvirt URI such as qemu:///system."),
			shown);
		return false;
	}
	if (model_connection(model, uri)) {
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_USAGE,
			_("The connection '%s' is open already."), uri);
		return false;
	}
	return true;
}

struct connection *model_add(struct model *model, const char *uri, GError **error)
{
	g_autofree char *name = NULL;
	struct connection *connection;

	if (!check_uri(model, uri, error))
		return NULL;
	name = unique_name(model, uri);
	connection = connection_new(model, uri, name, model->read_only);
	g_ptr_array_add(model->connections, connection);
	connection_tell(connection, MODEL_CONNECTION_ADDED, NULL);
	connection_start(connection);
	return connection;
}

void model_remove(struct model *model, struct connection *connection)
{
	g_ptr_array_remove(model->connections, connection);
	connection_tell(connection, MODEL_CONNECTION_REMOVED, NULL);
	worker_unref(connection_free(connection));
}

static char **wanted_uris(struct model *model, const char *const *uris)
{
	char **list;

	if (uris && uris[0])
		return g_strdupv((char **)uris);
	list = settings_list(model->settings, "connections.uris");
	if (list[0])
		return list;
	g_strfreev(list);
	return model_local_uris();
}

bool model_open(struct model *model, const char *const *uris, GError **error)
{
	g_auto(GStrv) wanted = wanted_uris(model, uris);
	g_autoptr(GError) first = NULL;

	for (unsigned i = 0; wanted[i]; i++)
		model_add(model, wanted[i], first ? NULL : &first);
	if (model->connections->len)
		return true;
	if (first)
		g_propagate_error(error, g_steal_pointer(&first));
	else
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_CONNECTED,
			_("No hypervisor answers on this machine.\n"
			  "Name one with --uri, or start libvirtd; --uri test:///default is "
			  "libvirt's own "
			  "test driver."));
	return false;
}

// ---- looking for a guest -----------------------------------------------------------------------

static struct guest *guest_not_found(const char *name, const struct guest *other, GError **error)
{
	if (other)
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND,
			_("There is more than one guest '%s': name its host too, as in '%s/%s'."),
			name, other->connection->name, name);
	else
		g_set_error(error, MODEL_ERROR, MODEL_ERROR_NOT_FOUND, _("There is no guest '%s'."),
			name);
	return NULL;
}

struct guest *model_find_guest(struct model *model, const char *name, GError **error)
{
	const char *slash = strrchr(name, '/');
	struct guest *found = NULL;

	if (slash) {
		g_autofree char *host = g_strndup(name, (gsize)(slash - name));
		struct connection *connection = model_connection(model, host);

		found = connection ? connection_guest(connection, slash + 1) : NULL;
		return found ? found : guest_not_found(name, NULL, error);
	}
	for (unsigned i = 0; i < model->connections->len; i++) {
		struct guest *guest = connection_guest(model->connections->pdata[i], name);

		if (guest && found)
			return guest_not_found(name, found, error);
		found = guest ? guest : found;
	}
	return found ? found : guest_not_found(name, NULL, error);
}

// ---- waiting -----------------------------------------------------------------------------------

static gboolean time_over(gpointer data)
{
	*(bool *)data = true;
	return G_SOURCE_CONTINUE;
}

bool model_wait(struct model *model, unsigned milliseconds)
{
	bool over = false;
	guint timer = g_timeout_add(milliseconds, time_over, &over);
	bool connected = false;

	for (bool waiting = true; waiting && !over;) {
		waiting = false;
		connected = false;
		for (unsigned i = 0; i < model->connections->len; i++) {
			const struct connection *connection = model->connections->pdata[i];

			connected = connected || connection->complete;
			waiting = waiting || !(connection->complete || connection->failures);
		}
		if (waiting)
			g_main_context_iteration(NULL, TRUE);
	}
	g_source_remove(timer);
	return connected;
}
