// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/guest.h"

#include "engine/daemon/cgroup.h"
#include "engine/common/control.h"
#include "engine/daemon/change.h"
#include "engine/daemon/drives.h"
#include "engine/daemon/fault.h"
#include "engine/daemon/files.h"
#include "engine/daemon/guest_events.h"
#include "engine/daemon/places.h"
#include "engine/daemon/policy.h"
#include "engine/daemon/plug.h"
#include "engine/daemon/registry.h"
#include "engine/daemon/save.h"
#include "engine/daemon/statistics.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <unistd.h>

/* How long a monitor has to end by itself. */
#define END_S 10
#define LOG_END_MAX 2048
/* A monitor that dies sooner after its start is not started again. */
#define RESTART_S 5

struct waiter {
	guest_done done;
	void *data;
};

static void wait_for(GQueue *queue, guest_done done, void *data)
{
	struct waiter *waiter = g_new0(struct waiter, 1);

	waiter->done = done;
	waiter->data = data;
	g_queue_push_tail(queue, waiter);
}

static void finish(GQueue *queue, const GError *error)
{
	struct waiter *waiter;

	while ((waiter = g_queue_pop_head(queue))) {
		if (waiter->done)
			waiter->done(waiter->data, error);
		g_free(waiter);
	}
}

struct guest *guest_new(
	struct registry *registry, struct definition *saved, struct definition *running)
{
	struct guest *guest = g_new0(struct guest, 1);

	guest->registry = registry;
	guest->saved = saved;
	guest->running = running;
	guest->id = -1;
	guest->restore = -1;
	guest->state = VIR_DOMAIN_SHUTOFF;
	guest->reason = VIR_DOMAIN_SHUTOFF_UNKNOWN;
	guest->folder = store_path(registry->store->run, guest_definition(guest)->uuid, "");
	g_queue_init(&guest->starting);
	g_queue_init(&guest->ending);
	g_queue_init(&guest->changes);
	return guest;
}

void guest_free(struct guest *guest)
{
	if (!guest)
		return;
	if (guest->kill_timer)
		g_source_remove(guest->kill_timer);
	change_fail_all(guest);
	g_queue_clear_full(&guest->starting, g_free);
	g_queue_clear_full(&guest->ending, g_free);
	monitor_free(guest->monitor);
	definition_free(guest->saved);
	definition_free(guest->running);
	save_free(guest->saving);
	g_free(guest->job_done);
	statistics_forget(guest);
	g_free(guest->folder);
	g_free(guest->message);
	g_free(guest);
}

const struct definition *guest_definition(const struct guest *guest)
{
	return guest->running ? guest->running : guest->saved;
}

const char *guest_name(const struct guest *guest)
{
	return guest_definition(guest)->config->name;
}

bool guest_is_active(const struct guest *guest)
{
	return guest->id >= 0;
}

bool guest_check_active(const struct guest *guest, GError **error)
{
	return guest_is_active(guest) ||
	       fault_set(error, VIR_ERR_OPERATION_INVALID, "domain is not running");
}

struct wire_domain guest_wire(const struct guest *guest)
{
	struct wire_domain domain = {
		.name = guest_definition(guest)->config->name,
		.id = guest->id,
	};

	memcpy(domain.uuid, guest_definition(guest)->uuid_bytes, sizeof(domain.uuid));
	return domain;
}

static char *log_path(const struct guest *guest)
{
	return store_path(guest->registry->store->log, guest_name(guest), ".log");
}

char *guest_log_end(const struct guest *guest)
{
	g_autofree char *path = log_path(guest), *text = NULL;
	gsize length, from;

	if (!g_file_get_contents(path, &text, &length, NULL) || (gint64)length <= guest->log_offset)
		return g_strdup("");
	from = (gsize)guest->log_offset;
	if (length - from > LOG_END_MAX)
		from = length - LOG_END_MAX;
	return g_strstrip(g_utf8_make_valid(text + from, -1));
}

/* The next daemon finds it there. */
static char *state_path(const struct guest *guest)
{
	return store_path(guest->folder, "state", "");
}

static void set_state(struct guest *guest, int state, int reason)
{
	g_autofree char *path = state_path(guest);
	g_autofree char *text = g_strdup_printf("%d %d\n", state, reason);

	guest->state = state;
	guest->reason = reason;
	if (guest_is_active(guest) && guest->monitor)
		store_write_volatile(path, text, NULL);
}

/* Why it is in this state, where the daemon before has known it. */
static int known_reason(const struct guest *guest, int state)
{
	g_autofree char *path = state_path(guest), *text = NULL;
	int was, reason;

	if (g_file_get_contents(path, &text, NULL, NULL) &&
		sscanf(text, "%d %d", &was, &reason) == 2 && was == state)
		return reason;
	return 0;
}

/* ---- what the monitor says ------------------------------------------------------------------- */

static void tell_rebooted(struct guest *guest)
{
	registry_tell_event(guest->registry, guest,
		&(const struct guest_event){.id = VIR_DOMAIN_EVENT_ID_REBOOT});
}

static void became_running(struct guest *guest)
{
	bool restored = guest->restored;

	set_state(guest, VIR_DOMAIN_RUNNING,
		restored ? VIR_DOMAIN_RUNNING_RESTORED : VIR_DOMAIN_RUNNING_BOOTED);
	/* In the order that libvirt's own driver has. */
	if (restored)
		registry_tell(guest->registry, guest, VIR_DOMAIN_EVENT_STARTED,
			VIR_DOMAIN_EVENT_STARTED_RESTORED);
	registry_tell(guest->registry, guest, VIR_DOMAIN_EVENT_RESUMED,
		VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
	if (!restored)
		registry_tell(guest->registry, guest, VIR_DOMAIN_EVENT_STARTED,
			VIR_DOMAIN_EVENT_STARTED_BOOTED);
}

static void became_paused(struct guest *guest)
{
	bool restored = guest->restored;

	set_state(guest, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
	registry_tell(guest->registry, guest, VIR_DOMAIN_EVENT_STARTED,
		restored ? VIR_DOMAIN_EVENT_STARTED_RESTORED : VIR_DOMAIN_EVENT_STARTED_BOOTED);
	registry_tell(guest->registry, guest, VIR_DOMAIN_EVENT_SUSPENDED,
		restored ? VIR_DOMAIN_EVENT_SUSPENDED_RESTORED : VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
}

/* The guest of a daemon before this one. */
static void became_known(struct guest *guest, int state, JsonObject *status)
{
	const char *said = json_object_get_string_member_with_default(status, "state", "");

	drives_look(guest);
	set_state(guest, state, known_reason(guest, state));
	/* Not of one that the daemon before has ended. */
	if (strcmp(said, "ended") != 0)
		save_undo(guest);
}

static int state_of(JsonObject *status)
{
	const char *state = json_object_get_string_member_with_default(status, "state", "");

	return strcmp(state, "paused") == 0	 ? VIR_DOMAIN_PAUSED
	       : strcmp(state, "preserved") == 0 ? VIR_DOMAIN_CRASHED
						 : VIR_DOMAIN_RUNNING;
}

static void put_places(struct guest *guest, JsonObject *status)
{
	struct definition *placed = places_put(guest->running, status);

	if (placed)
		guest_set_running(guest, placed, NULL);
}

static void on_ready(void *data, JsonObject *status)
{
	struct guest *guest = data;
	int state = state_of(status);

	put_places(guest, status);
	if (guest->rebooting)
		tell_rebooted(guest);
	else if (g_queue_is_empty(&guest->starting))
		became_known(guest, state, status);
	else if (state == VIR_DOMAIN_PAUSED)
		became_paused(guest);
	else
		became_running(guest);
	if (guest->managed)
		save_remove_managed(guest, NULL);
	guest->rebooting = guest->managed = false;
	finish(&guest->starting, NULL);
}

static void on_paused(struct guest *guest, JsonObject *event)
{
	bool by_disk = guest->stopped_by_disk;

	guest->stopped_by_disk = false;
	set_state(guest, VIR_DOMAIN_PAUSED,
		guest->saving ? VIR_DOMAIN_PAUSED_SAVE
		: by_disk     ? VIR_DOMAIN_PAUSED_IOERROR
			      : VIR_DOMAIN_PAUSED_USER);
	registry_tell(guest->registry, guest, VIR_DOMAIN_EVENT_SUSPENDED,
		by_disk ? VIR_DOMAIN_EVENT_SUSPENDED_IOERROR : VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
}

void guest_stopped_by_disk(struct guest *guest)
{
	if (guest->state == VIR_DOMAIN_PAUSED)
		set_state(guest, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR);
	else
		guest->stopped_by_disk = true;
}

static void on_resumed(struct guest *guest, JsonObject *event)
{
	set_state(guest, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
	registry_tell(guest->registry, guest, VIR_DOMAIN_EVENT_RESUMED,
		VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
}

/* One that was started paused. */
static void on_started(struct guest *guest, JsonObject *event)
{
	if (guest->state == VIR_DOMAIN_PAUSED)
		on_resumed(guest, event);
}

static void on_reset(struct guest *guest, JsonObject *event)
{
	tell_rebooted(guest);
}

/* It is always the guest that does it, asked or not. */
static void tell_shutdown(struct guest *guest)
{
	registry_tell(guest->registry, guest, VIR_DOMAIN_EVENT_SHUTDOWN,
		VIR_DOMAIN_EVENT_SHUTDOWN_GUEST);
}

static void on_powered_off(struct guest *guest, JsonObject *event)
{
	guest->powered_off = true;
	if (guest->running->config->on_poweroff == CONFIG_ACTION_PRESERVE)
		set_state(guest, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SHUTTING_DOWN);
	if (!guest->rebooting)
		tell_shutdown(guest);
}

/* For clients and the daemon's own log: what has happened, and the end of the monitor's log. */
static void report(struct guest *guest, const char *what)
{
	g_autofree char *log = guest_log_end(guest);

	g_free(guest->message);
	guest->message = g_strdup_printf("%s%s%s", what, *log ? "; its log ends: " : "", log);
	g_printerr("lodged: guest '%s': %s\n", guest_name(guest), guest->message);
}

static void on_crashed(struct guest *guest, JsonObject *event)
{
	g_autofree char *what = g_strdup_printf("the guest has crashed: %s",
		json_object_get_string_member_with_default(event, CONTROL_DETAIL, ""));

	report(guest, what);
	guest->crashed = guest->running->config->on_crash == CONFIG_ACTION_DESTROY;
	if (guest->running->config->on_crash == CONFIG_ACTION_PRESERVE)
		set_state(guest, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
	registry_tell(guest->registry, guest, VIR_DOMAIN_EVENT_CRASHED,
		VIR_DOMAIN_EVENT_CRASHED_PANICKED);
}

static void on_ended(struct guest *guest, JsonObject *event)
{
	guest->ended = true;
	/* A reboot that <on_reboot> makes an end. */
	if (!guest->powered_off && !guest->crashed && !guest->destroying &&
		!guest->saving && !guest->was_saved)
		tell_shutdown(guest);
}

static void on_event(void *data, const char *name, JsonObject *event)
{
	static const struct {
		const char *name;
		void (*take)(struct guest *guest, JsonObject *event);
	} events[] = {
		{"started", on_started},
		{"paused", on_paused},
		{"resumed", on_resumed},
		{"reset", on_reset},
		{"powered-off", on_powered_off},
		{"crashed", on_crashed},
		{"ended", on_ended},
	};

	if (guest_take_event(data, name, event))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
		if (strcmp(name, events[i].name) == 0)
			events[i].take(data, event);
}

static void tell_stopped(struct guest *guest)
{
	int detail = VIR_DOMAIN_EVENT_STOPPED_FAILED, reason = VIR_DOMAIN_SHUTOFF_CRASHED;

	if (guest->was_saved) {
		detail = VIR_DOMAIN_EVENT_STOPPED_SAVED;
		reason = VIR_DOMAIN_SHUTOFF_SAVED;
	} else if (guest->destroying) {
		detail = VIR_DOMAIN_EVENT_STOPPED_DESTROYED;
		reason = VIR_DOMAIN_SHUTOFF_DESTROYED;
	} else if (guest->crashed) {
		detail = VIR_DOMAIN_EVENT_STOPPED_CRASHED;
	} else if (guest->powered_off || guest->ended) {
		detail = VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN;
		reason = VIR_DOMAIN_SHUTOFF_SHUTDOWN;
	}
	set_state(guest, VIR_DOMAIN_SHUTOFF, reason);
	registry_tell(guest->registry, guest, VIR_DOMAIN_EVENT_STOPPED, detail);
}

static void leave(struct guest *guest)
{
	GQueue ending = guest->ending;

	if (guest->kill_timer)
		g_source_remove(guest->kill_timer);
	guest->kill_timer = 0;
	guest->id = -1;
	guest->managed = false;
	if (guest->restore >= 0)
		close(guest->restore);
	guest->restore = -1;
	statistics_forget(guest);
	store_remove_folder(guest->folder);
	cgroup_remove(guest->registry->cgroup, guest_definition(guest)->uuid);
	g_queue_init(&guest->ending);
	if (guest->saved)
		g_clear_pointer(&guest->running, definition_free);
	registry_ended(guest->registry, guest);
	/* Who is told may have the guest forgotten, if it is not yet. */
	finish(&ending, NULL);
}

static void failed_to_start(struct guest *guest)
{
	g_autofree char *log = guest_log_end(guest);
	g_autoptr(GError) error = NULL;
	GQueue starting = guest->starting;

	set_state(guest, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED);
	fault_set(&error, VIR_ERR_INTERNAL_ERROR, "process exited while connecting to monitor: %s",
		log);
	g_queue_init(&guest->starting);
	leave(guest);
	finish(&starting, error);
}

static bool launch(struct guest *guest, GError **error);

/* The monitor itself has died, which it never should. */
static bool has_died(const struct guest *guest)
{
	return !guest->destroying && !guest->was_saved && !guest->crashed &&
	       !guest->powered_off && !guest->ended &&
	       g_queue_is_empty((GQueue *)&guest->starting);
}

/* As <on_crash> wants it; but not for ever, when it dies at once. */
static bool restart_dead(struct guest *guest)
{
	gint64 ran = g_get_monotonic_time() - guest->launched;

	if (guest->running->config->on_crash != CONFIG_ACTION_RESTART ||
		ran < RESTART_S * G_USEC_PER_SEC)
		return false;
	registry_tell(guest->registry, guest, VIR_DOMAIN_EVENT_CRASHED,
		VIR_DOMAIN_EVENT_CRASHED_PANICKED);
	guest->rebooting = launch(guest, NULL);
	return guest->rebooting;
}

static void on_gone(void *data)
{
	struct guest *guest = data;

	g_clear_pointer(&guest->monitor, monitor_free);
	if (has_died(guest))
		guest->was_saved = save_has_worked(guest);
	if (has_died(guest)) {
		report(guest, "the monitor has ended without a word");
		if (restart_dead(guest))
			return;
	}
	if (guest->rebooting && guest->powered_off && !guest->destroying) {
		guest->powered_off = guest->ended = false;
		if (launch(guest, NULL))
			return;
	}
	guest->rebooting = false;
	if (!g_queue_is_empty(&guest->starting)) {
		failed_to_start(guest);
		return;
	}
	tell_stopped(guest);
	leave(guest);
}

static const struct monitor_events monitor_events = {
	.ready = on_ready,
	.event = on_event,
	.gone = on_gone,
};

/* ---- what is done to it ---------------------------------------------------------------------- */

static bool write_running(const struct guest *guest, GError **error)
{
	g_autofree char *path = store_path(guest->folder, "definition.xml", "");
	g_autofree char *xml = definition_live_xml(guest->running, guest->id);

	return store_write_volatile(path, xml, error);
}

static bool write_folder(struct guest *guest, GError **error)
{
	g_autofree char *monitor = store_path(guest->folder, "guest.xml", "");
	g_autofree char *monitor_xml = definition_monitor_xml(guest->running);

	store_remove_folder(guest->folder);
	g_mkdir(guest->folder, 0700);
	return write_running(guest, error) &&
	       store_write_volatile(monitor, monitor_xml, error);
}

bool guest_set_running(struct guest *guest, struct definition *definition, GError **error)
{
	definition_free(guest->running);
	guest->running = definition;
	return write_running(guest, error);
}

/* All that its definition names; what its images stand on is in the definition then. */
static bool open_files(struct guest *guest, GPtrArray *files, GError **error)
{
	struct definition *definition = NULL;

	if (files_add_guest(files, guest->registry->settings, guest->running->config, error))
		definition = definition_with_backing(guest->running, error);
	if (!definition)
		return false;
	definition_free(guest->running);
	guest->running = definition;
	return true;
}

static bool launch(struct guest *guest, GError **error)
{
	g_autofree char *log = log_path(guest);
	g_autoptr(GPtrArray) files = files_new();
	struct monitor_start start = {
		.program = guest->registry->program,
		.folder = guest->folder,
		.log = log,
		.paused = guest->start_paused,
		.restore = guest->restore,
		.user = guest->registry->settings->guest_user,
		.group = guest->registry->settings->guest_group,
		.files = files,
	};
	GStatBuf info;

	if (!open_files(guest, files, error) || !write_folder(guest, error))
		return false;
	statistics_forget(guest);
	guest->balloon = guest->added = 0;
	guest->vcpus_asked = 0;
	guest->launched = g_get_monotonic_time();
	guest->log_offset = g_stat(log, &info) == 0 ? info.st_size : 0;
	if (guest->restore >= 0)
		plug_count_added(guest);
	start.cgroup = cgroup_make(guest->registry->cgroup, guest->running->uuid);
	guest->monitor = monitor_start(&start, &monitor_events, guest, error);
	if (guest->monitor)
		cgroup_account(guest->registry->cgroup, guest->running->uuid,
			monitor_pid(guest->monitor));
	/* Once: not when it is started again. */
	guest->start_paused = false;
	if (guest->restore >= 0)
		close(guest->restore);
	guest->restore = -1;
	return guest->monitor != NULL;
}

/* What is saved, or what has come for this run only. */
static bool take_definition(struct guest *guest, GError **error)
{
	struct definition *definition =
		definition_live(guest->running ? guest->running : guest->saved, error);

	if (!definition)
		return false;
	definition_free(guest->running);
	guest->running = definition;
	return true;
}

/* It counts as running already. */
static bool admit(struct guest *guest, GError **error)
{
	struct registry *registry = guest->registry;

	g_clear_pointer(&guest->message, g_free);
	return policy_admit(registry, 0, 0, &guest->message, error);
}

/* A managed saved state: where it goes on, or what is given up. */
static bool take_managed(struct guest *guest, bool fresh, GError **error)
{
	g_autofree char *path = save_managed_path(guest);
	struct save_file file = {.fd = -1};

	if (!guest->saved || guest->running || guest->restore >= 0 || !save_is_managed(guest))
		return true;
	if (fresh)
		return save_remove_managed(guest, error);
	if (save_file_open(&file, NULL, path, error))
		guest->running = definition_read(file.xml, error);
	if (guest->running) {
		guest->restore = file.fd;
		guest->start_paused |= !file.running;
		guest->managed = true;
		file.fd = -1;
	}
	save_file_clear(&file);
	return guest->running != NULL;
}

static void begin_start(struct guest *guest, const struct guest_launch *how)
{
	guest->id = registry_next_id(guest->registry);
	guest->destroying = guest->rebooting = guest->powered_off = guest->crashed = false;
	guest->ended = guest->updated = guest->was_saved = guest->managed = false;
	guest->start_paused = how->paused;
	guest->restore = how->restore;
	guest->stopped_by_disk = false;
	set_state(guest, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
}

void guest_start_with(struct guest *guest, const struct guest_launch *how, guest_done done,
	void *data)
{
	g_autoptr(GError) error = NULL;

	if (guest_is_active(guest)) {
		fault_set(&error, VIR_ERR_OPERATION_INVALID, "domain is already running");
		if (how->restore >= 0)
			close(how->restore);
		done(data, error);
		return;
	}
	begin_start(guest, how);
	if (take_managed(guest, how->fresh, &error) && take_definition(guest, &error) &&
		admit(guest, &error)) {
		guest->restored = guest->restore >= 0;
		if (launch(guest, &error)) {
			wait_for(&guest->starting, done, data);
			return;
		}
	}
	set_state(guest, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED);
	leave(guest);
	done(data, error);
}

void guest_start(struct guest *guest, guest_done done, void *data)
{
	const struct guest_launch how = {.restore = -1};

	guest_start_with(guest, &how, done, data);
}

void guest_leave_saved(struct guest *guest, guest_done done, void *data)
{
	guest->was_saved = true;
	wait_for(&guest->ending, done, data);
}

bool guest_adopt(struct guest *guest)
{
	guest->monitor = monitor_adopt(guest->folder, &monitor_events, guest);
	if (!guest->monitor)
		return false;
	guest->id = guest->running->id;
	/* Until it says more; what the daemon before knew is still on disk. */
	guest->state = VIR_DOMAIN_RUNNING;
	guest->reason = VIR_DOMAIN_RUNNING_UNKNOWN;
	plug_count_added(guest);
	return true;
}

static gboolean too_slow(void *data)
{
	struct guest *guest = data;

	guest->kill_timer = 0;
	monitor_terminate(guest->monitor, true);
	return G_SOURCE_REMOVE;
}

static gboolean too_slow_to_be_graceful(void *data)
{
	struct guest *guest = data;
	g_autoptr(GError) error = NULL;

	guest->kill_timer = 0;
	guest->destroying = false;
	fault_set(&error, VIR_ERR_SYSTEM_ERROR, "Failed to terminate process %d with SIGTERM: %s",
		(int)monitor_pid(guest->monitor), g_strerror(EBUSY));
	finish(&guest->ending, error);
	return G_SOURCE_REMOVE;
}

void guest_destroy(struct guest *guest, bool graceful, guest_done done, void *data)
{
	g_autoptr(GError) error = NULL;

	if (!guest_check_active(guest, &error)) {
		done(data, error);
		return;
	}
	guest->destroying = true;
	wait_for(&guest->ending, done, data);
	monitor_terminate(guest->monitor, false);
	if (guest->kill_timer)
		g_source_remove(guest->kill_timer);
	guest->kill_timer =
		g_timeout_add_seconds(END_S, graceful ? too_slow_to_be_graceful : too_slow, guest);
}

struct asked {
	guest_answer answered;
	void *data;
};

static void answered(void *data, JsonObject *answer, const char *problem)
{
	struct asked *asked = data;
	g_autoptr(GError) error = NULL;

	if (problem)
		fault_set(&error, VIR_ERR_OPERATION_FAILED, "%s", problem);
	asked->answered(asked->data, answer, error);
	g_free(asked);
}

void guest_ask(struct guest *guest, const char *request, JsonObject *members, int fd,
	guest_answer answer, void *data)
{
	g_autoptr(GError) error = NULL;
	struct asked *asked;

	if (!guest_check_active(guest, &error)) {
		g_clear_pointer(&members, json_object_unref);
		if (fd >= 0)
			close(fd);
		answer(data, NULL, error);
		return;
	}
	asked = g_new0(struct asked, 1);
	asked->answered = answer;
	asked->data = data;
	monitor_ask(guest->monitor, request, members, fd, answered, asked);
}

struct opener *guest_open(struct guest *guest, const char *request, JsonObject *members,
	const GPtrArray *files, void (*answered)(void *data, const char *problem), void *data,
	GError **error)
{
	if (guest_check_active(guest, error))
		return monitor_open(
			guest->monitor, request, members, files, answered, data, error);
	json_object_unref(members);
	return NULL;
}

static void only_done(void *data, JsonObject *answer, const GError *error)
{
	struct waiter *waiter = data;

	waiter->done(waiter->data, error);
	g_free(waiter);
}

void guest_request(struct guest *guest, const char *request, guest_done done, void *data)
{
	struct waiter *waiter = g_new0(struct waiter, 1);

	waiter->done = done;
	waiter->data = data;
	guest_ask(guest, request, NULL, -1, only_done, waiter);
}

void guest_reboot(struct guest *guest, guest_done done, void *data)
{
	guest->rebooting = guest_is_active(guest) &&
			   guest->running->config->on_poweroff == CONFIG_ACTION_DESTROY;
	guest_request(guest, "powerdown", done, data);
}
