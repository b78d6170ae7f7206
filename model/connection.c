// SPDX-License-Identifier: GPL-3.0-or-later
// How a connection lives: open, list, read, refresh; lose, wait, open again.
#include "model/bundled.h"
#include "model/clock.h"
#include "model/connection_private.h"
#include "model/guest_private.h"
#include "model/job_private.h"
#include "model/model_private.h"
#include "model/reading.h"

#include <glib/gi18n.h>
#include <malloc.h>
#include <string.h>

// A call that takes longer than this shows as silence; microseconds.
#define PATIENCE (3 * G_USEC_PER_SEC)
// Longest wait between two tries to connect, seconds.
#define RETRY_MOST 60
// How many guests one task reads at most, and for how long (microseconds): a sample waits no
// longer.
#define READ_GUESTS 50
#define READ_TIME 100000
// All flags are looked at again after this long, for drivers whose events leave some out.
#define FLAGS_EVERY (30 * G_USEC_PER_SEC)

static void submit_open(struct connection *connection);
static void submit_read(struct connection *connection);

static void forget_host(struct connection *connection)
{
	connection->host.cpu = connection->host.memory_used = NAN;
	connection->private->host_busy = connection->private->host_idle = SAMPLE_UNKNOWN;
}

// ---- losing and trying again -------------------------------------------------------------------

static gboolean try_again(gpointer data)
{
	struct connection *connection = data;

	connection->private->retry = 0;
	submit_open(connection);
	return G_SOURCE_REMOVE;
}

static void wait_for_retry(struct connection *connection)
{
	guint seconds = MIN(1u << MIN(connection->failures, 6u), RETRY_MOST);

	connection->failures++;
	connection->retry_at = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
	g_clear_handle_id(&connection->private->retry, g_source_remove);
	connection->private->retry = g_timeout_add_seconds(seconds, try_again, connection);
}

static void run_close(struct worker *worker, virConnectPtr handle, struct task *task)
{
	worker_close(worker);
}

static void submit_close(struct connection *connection)
{
	struct task *task = g_new0(struct task, 1);

	task->run = run_close;
	task->free = (void (*)(struct task *))g_free;
	worker_submit(connection->private->worker, task);
}

static void set_lost(struct connection *connection, const char *reason, const char *details)
{
	g_autofree char *text = g_strdup_printf(_("%s: %s"), connection->name, reason);

	if (g_strcmp0(connection->reason, reason) || connection->state == CONNECTION_CONNECTED)
		model_message(connection->model, MESSAGE_ERROR, text, details);
	g_free(connection->reason);
	g_free(connection->details);
	connection->reason = g_strdup(reason);
	connection->details = g_strdup(details);
	connection->state = CONNECTION_LOST;
}

static void lose(struct connection *connection, const char *reason, const char *details)
{
	if (connection->state == CONNECTION_LOST)
		return;
	set_lost(connection, reason, details);
	forget_host(connection);
	submit_close(connection);
	wait_for_retry(connection);
	connection_tell(connection, MODEL_CONNECTION_CHANGED, NULL);
}

static void lose_by_error(struct connection *connection, const GError *error)
{
	g_autofree char *headline = error_headline(error);
	g_autofree char *details = error_details(error);

	lose(connection, headline, details);
}

// ---- reading guests ----------------------------------------------------------------------------

struct read_task {
	struct task task;
	char **uuids; // at most READ_GUESTS
	bool brief;
	GPtrArray *facts; // struct facts *; may be fewer than asked for: the rest is read next
	unsigned next;
};

static void run_read(struct worker *worker, virConnectPtr handle, struct task *task)
{
	struct read_task *read = (struct read_task *)task;
	gint64 until = g_get_monotonic_time() + READ_TIME;

	for (unsigned i = 0; handle && read->uuids[i]; i++) {
		struct facts *facts =
			guest_facts_read(worker, handle, read->uuids[i], read->brief, &task->error);

		if (!facts)
			return;
		g_ptr_array_add(read->facts, facts);
		worker_alive(worker);
		if (g_get_monotonic_time() > until)
			return;
	}
}

static void apply_facts(struct connection *connection, struct facts *facts)
{
	struct guest *guest = g_hash_table_lookup(connection->private->by_uuid, facts->uuid);

	if (facts->gone) {
		if (guest)
			connection_remove_guest(connection, guest);
		return;
	}
	if (!guest) {
		guest = connection_add_guest(connection, facts->uuid, facts->name);
		g_hash_table_remove(connection->private->dirty, facts->uuid);
	}
	if (facts->name && strcmp(facts->name, guest->name))
		connection_rename_guest(connection, guest, facts->name);
	guest_take_facts(guest, facts);
	connection_tell(connection, MODEL_GUEST_CHANGED, guest);
}

// The whole list is known when nothing waits to be read for the first time.
static void check_complete(struct connection *connection)
{
	struct connection_private *private = connection->private;

	if (!private->catching_up || !private->listed || !private->flags_asked ||
		private->reading || g_hash_table_size(private->dirty))
		return;
	connection->complete = true;
	malloc_trim(0); // all definitions were just read
	private->catching_up = false;
	connection_tell(connection, MODEL_CONNECTION_CHANGED, NULL);
	// The first sample came before the devices were known; count from here.
	connection_refresh(connection);
}

static bool done_read(struct connection *connection, struct task *task)
{
	struct read_task *read = (struct read_task *)task;
	gint64 until = g_get_monotonic_time() + 3000;

	while (read->next < read->facts->len) {
		apply_facts(connection, read->facts->pdata[read->next++]);
		if (g_get_monotonic_time() > until)
			return true;
	}
	connection->private->reading = false;
	connection_count_promised(connection);
	for (unsigned i = read->facts->len; read->uuids[i]; i++)
		g_hash_table_add(connection->private->dirty, g_strdup(read->uuids[i]));
	if (task->error)
		lose_by_error(connection, task->error);
	else
		submit_read(connection);
	check_complete(connection);
	return false;
}

static void free_read(struct task *task)
{
	struct read_task *read = (struct read_task *)task;

	g_strfreev(read->uuids);
	g_ptr_array_unref(read->facts);
	g_free(read);
}

// The UUIDs of the next read. They are clean from here on: what changes meanwhile is read again.
static char **take_dirty(struct connection *connection)
{
	GHashTable *dirty = connection->private->dirty;
	GPtrArray *uuids = g_ptr_array_new();
	GHashTableIter iter;
	gpointer uuid;

	g_hash_table_iter_init(&iter, dirty);
	while (uuids->len < READ_GUESTS && g_hash_table_iter_next(&iter, &uuid, NULL)) {
		g_ptr_array_add(uuids, uuid);
		g_hash_table_iter_steal(&iter);
	}
	g_ptr_array_add(uuids, NULL);
	return (char **)g_ptr_array_free(uuids, FALSE);
}

static void submit_read(struct connection *connection)
{
	struct connection_private *private = connection->private;
	struct read_task *read;

	if (private->reading || connection->state != CONNECTION_CONNECTED ||
		!private->flags_asked || !g_hash_table_size(private->dirty))
		return;
	read = g_new0(struct read_task, 1);
	read->task.run = run_read;
	read->task.done = done_read;
	read->task.free = free_read;
	read->uuids = take_dirty(connection);
	read->brief = private->flags_bulk && private->catching_up;
	read->facts = g_ptr_array_new_with_free_func((GDestroyNotify)facts_free);
	private->reading = true;
	worker_submit(private->worker, &read->task);
}

void connection_read_guest(struct connection *connection, const char *uuid)
{
	g_hash_table_add(connection->private->dirty, g_strdup(uuid));
	submit_read(connection);
}

// ---- flags of all guests -----------------------------------------------------------------------

struct flags_task {
	struct task task;
	GHashTable *flags;
};

static void run_flags(struct worker *worker, virConnectPtr handle, struct task *task)
{
	if (handle)
		((struct flags_task *)task)->flags = guest_flags_read(handle);
}

static void apply_flags(struct connection *connection, struct guest *guest, unsigned flags)
{
	bool autostart = flags & GUEST_FLAG_AUTOSTART;
	bool persistent = flags & GUEST_FLAG_PERSISTENT;
	bool managed_save = flags & GUEST_FLAG_MANAGED_SAVE;

	if (guest->autostart == autostart && guest->persistent == persistent &&
		guest->managed_save == managed_save)
		return;
	guest_take_flags(guest, autostart, persistent, managed_save);
	connection_tell(connection, MODEL_GUEST_CHANGED, guest);
}

static bool done_flags(struct connection *connection, struct task *task)
{
	GHashTable *flags = ((struct flags_task *)task)->flags;

	connection->private->flags_asked = true;
	connection->private->flags_bulk = flags != NULL;
	for (unsigned i = 0; flags && i < connection->guests->len; i++) {
		struct guest *guest = connection->guests->pdata[i];

		apply_flags(connection, guest,
			GPOINTER_TO_UINT(g_hash_table_lookup(flags, guest->uuid)));
	}
	submit_read(connection);
	check_complete(connection);
	return false;
}

static void free_flags(struct task *task)
{
	g_clear_pointer(&((struct flags_task *)task)->flags, g_hash_table_unref);
	g_free(task);
}

static void submit_flags(struct connection *connection)
{
	struct flags_task *flags = g_new0(struct flags_task, 1);

	flags->task.run = run_flags;
	flags->task.done = done_flags;
	flags->task.free = free_flags;
	connection->private->flags_at = g_get_monotonic_time();
	worker_submit(connection->private->worker, &flags->task);
}

// ---- samples -----------------------------------------------------------------------------------

struct sample_task {
	struct task task;
	struct sample *sample;
};

static void run_sample(struct worker *worker, virConnectPtr handle, struct task *task)
{
	struct sample_task *sampling = (struct sample_task *)task;

	if (handle)
		sampling->sample = sample_take(handle, worker_limits(worker), &task->error);
}

// The failures are over when a sample came, not when the connection opened.
static void greet(struct connection *connection)
{
	g_autofree char *text = NULL;

	if (!connection->failures)
		return;
	text = g_strdup_printf(_("%s: connected again."), connection->name);
	model_message(connection->model, MESSAGE_INFO, text, NULL);
	connection->failures = 0;
}

static bool done_sample(struct connection *connection, struct task *task)
{
	struct sample *sample = ((struct sample_task *)task)->sample;
	struct connection_private *private = connection->private;

	if (sample && connection_apply(connection, sample))
		return true;
	private->refreshing = false;
	if (task->error)
		lose_by_error(connection, task->error);
	if (!sample)
		return false;
	if (!private->listed || g_get_monotonic_time() - private->flags_at > FLAGS_EVERY)
		submit_flags(connection);
	private->listed = true;
	greet(connection);
	check_complete(connection);
	return false;
}

static void free_sample(struct task *task)
{
	sample_free(((struct sample_task *)task)->sample);
	g_free(task);
}

void connection_refresh(struct connection *connection)
{
	struct sample_task *sampling;

	if (connection->private->refreshing || connection->state != CONNECTION_CONNECTED)
		return;
	sampling = g_new0(struct sample_task, 1);
	sampling->task.run = run_sample;
	sampling->task.done = done_sample;
	sampling->task.free = free_sample;
	connection->private->refreshing = true;
	worker_submit(connection->private->worker, &sampling->task);
}

// ---- opening -----------------------------------------------------------------------------------

struct open_task {
	struct task task;
	struct host_facts host;
};

static void run_open(struct worker *worker, virConnectPtr handle, struct task *task)
{
	if (!worker_open(worker, &task->error))
		return;
	handle = worker_connection(worker);
	worker_alive(worker);
	host_facts_read(handle, &((struct open_task *)task)->host);
	virConnectClose(handle);
}

static void take_host(struct connection *connection, struct host_facts *facts)
{
	struct host *host = &connection->host;

	g_free(host->hostname);
	g_free(host->driver);
	g_free(host->version);
	host->hostname = g_steal_pointer(&facts->hostname);
	// The engine calls itself QEMU, for tools that know no other name.
	host->driver = bundled_is(connection->uri) ? g_strdup("Lodge")
						   : g_steal_pointer(&facts->driver);
	host->version = g_steal_pointer(&facts->version);
	host->cpus = facts->cpus;
	host->memory = facts->memory;
}

static bool done_open(struct connection *connection, struct task *task)
{
	struct connection_private *private = connection->private;

	if (connection->state != CONNECTION_CONNECTING)
		return false;
	if (task->error) {
		lose_by_error(connection, task->error);
		return false;
	}
	take_host(connection, &((struct open_task *)task)->host);
	connection->state = CONNECTION_CONNECTED;
	g_clear_pointer(&connection->reason, g_free);
	g_clear_pointer(&connection->details, g_free);
	private->listed = private->flags_asked = false;
	private->catching_up = true;
	for (unsigned i = 0; i < connection->guests->len; i++)
		g_hash_table_add(private->dirty,
			g_strdup(((struct guest *)connection->guests->pdata[i])->uuid));
	connection_tell(connection, MODEL_CONNECTION_CHANGED, NULL);
	connection_refresh(connection);
	return false;
}

static void free_open(struct task *task)
{
	host_facts_clear(&((struct open_task *)task)->host);
	g_free(task);
}

static void submit_open(struct connection *connection)
{
	struct open_task *open = g_new0(struct open_task, 1);

	open->task.run = run_open;
	open->task.done = done_open;
	open->task.free = free_open;
	connection->state = CONNECTION_CONNECTING;
	connection->retry_at = 0;
	worker_submit(connection->private->worker, &open->task);
	connection_tell(connection, MODEL_CONNECTION_CHANGED, NULL);
}

// ---- what the hypervisor tells by itself -------------------------------------------------------

static void told(struct connection *connection, const struct note *note)
{
	struct guest *guest = g_hash_table_lookup(connection->private->by_uuid, note->uuid);

	switch (note->kind) {
	case NOTE_CLOSED:
		if (connection->state == CONNECTION_CONNECTED)
			lose(connection, _(note->text), NULL);
		return;
	case NOTE_MEMORY:
		if (guest && guest->memory != note->bytes) {
			guest->memory = note->bytes;
			connection_tell(connection, MODEL_GUEST_CHANGED, guest);
		}
		return;
	case NOTE_STARTED:
		if (guest) {
			guest->started = clock_now();
			guest->started_at_least = false;
		}
		break;
	case NOTE_GONE:
	case NOTE_GUEST:
		break;
	}
	connection_read_guest(connection, note->uuid);
}

double connection_silence(const struct connection *connection)
{
	gint64 busy = worker_busy(connection->private->worker);

	return busy > PATIENCE ? (double)busy / G_USEC_PER_SEC : 0;
}

void connection_tick(struct connection *connection)
{
	bool silent = connection_silence(connection) > 0;

	if (silent || connection->private->silent || connection->state == CONNECTION_LOST)
		connection_tell(connection, MODEL_CONNECTION_CHANGED, NULL);
	connection->private->silent = silent;
}

char *connection_status(const struct connection *connection)
{
	double silence = connection_silence(connection);
	gint64 left;

	if (silence > 0)
		return g_strdup_printf(_("no answer for %.0f s"), silence);
	if (connection->state == CONNECTION_CONNECTED)
		return g_strdup(_("connected"));
	if (connection->state == CONNECTION_CONNECTING)
		return g_strdup(_("connecting"));
	left = connection->retry_at - g_get_monotonic_time();
	return g_strdup_printf(
		_("lost, next try in %.0f s"), fmax(0, ceil((double)left / G_USEC_PER_SEC)));
}

// ---- beginning and end -------------------------------------------------------------------------

static void start_worker(struct connection *connection)
{
	struct connection_private *private = connection->private;

	private->worker = worker_new(connection, connection->uri, connection->read_only, told);
	private->lanes = g_thread_pool_new(job_lane, NULL, CONNECTION_LANES, FALSE, NULL);
	private->refreshing = private->reading = false;
	private->listed = private->flags_asked = false;
	submit_open(connection);
}

void connection_retry(struct connection *connection)
{
	if (connection->state == CONNECTION_LOST && connection_silence(connection) <= 0) {
		g_clear_handle_id(&connection->private->retry, g_source_remove);
		submit_open(connection);
	} else if (connection_silence(connection) > 0) {
		g_clear_handle_id(&connection->private->retry, g_source_remove);
		worker_leave(connection->private->worker);
		jobs_give_up(connection);
		g_thread_pool_free(connection->private->lanes, FALSE, FALSE);
		forget_host(connection);
		start_worker(connection);
	}
}

struct connection *connection_new(
	struct model *model, const char *uri, const char *name, bool read_only)
{
	struct connection *connection = g_new0(struct connection, 1);
	struct connection_private *private = g_new0(struct connection_private, 1);

	connection->model = model;
	connection->uri = g_strdup(uri);
	connection->name = g_strdup(name);
	connection->read_only = read_only;
	connection->private = private;
	connection->guests = g_ptr_array_new_with_free_func((GDestroyNotify)guest_unref);
	private->by_uuid = g_hash_table_new(g_str_hash, g_str_equal);
	private->dirty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	forget_host(connection);
	return connection;
}

void connection_start(struct connection *connection)
{
	start_worker(connection);
}

static void drop_guests(struct connection *connection)
{
	for (unsigned i = 0; i < connection->guests->len; i++) {
		struct guest *guest = connection->guests->pdata[i];

		guest->gone = true;
		guest->connection = NULL;
	}
	g_ptr_array_unref(connection->guests);
}

static void free_host(struct host *host)
{
	g_free(host->hostname);
	g_free(host->driver);
	g_free(host->version);
	history_clear(&host->cpu_history);
	history_clear(&host->memory_history);
}

struct worker *connection_free(struct connection *connection)
{
	struct connection_private *private = connection->private;
	struct worker *worker = worker_ref(private->worker);

	g_clear_handle_id(&private->retry, g_source_remove);
	jobs_give_up(connection);
	worker_leave(private->worker);
	g_thread_pool_free(private->lanes, FALSE, FALSE);
	g_hash_table_unref(private->by_uuid);
	g_hash_table_unref(private->dirty);
	drop_guests(connection);
	free_host(&connection->host);
	g_free(connection->uri);
	g_free(connection->name);
	g_free(connection->reason);
	g_free(connection->details);
	g_free(private);
	g_free(connection);
	return worker;
}

struct guest *connection_guest(struct connection *connection, const char *name)
{
	struct guest *guest = g_hash_table_lookup(connection->private->by_uuid, name);

	for (unsigned i = 0; !guest && i < connection->guests->len; i++)
		if (!strcmp(((struct guest *)connection->guests->pdata[i])->name, name))
			guest = connection->guests->pdata[i];
	return guest;
}
