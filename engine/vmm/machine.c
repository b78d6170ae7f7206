// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/machine.h"

#include "engine/vmm/boot/boot.h"
#include "engine/vmm/chardevs.h"
#include "engine/vmm/cpuplug.h"
#include "engine/vmm/cpus.h"
#include "engine/vmm/devices.h"
#include "engine/vmm/dev/debugexit.h"
#include "engine/vmm/dev/i8042.h"
#include "engine/vmm/dev/pci.h"
#include "engine/vmm/dev/pm.h"
#include "engine/vmm/dev/pvpanic.h"
#include "engine/vmm/dev/rtc.h"
#include "engine/vmm/dev/serial.h"
#include "engine/vmm/layout.h"
#include "engine/vmm/save/save.h"
#include "engine/vmm/sandbox.h"
#include "engine/vmm/scheduling.h"
#include "engine/vmm/statistics.h"
#include "engine/vmm/memplug.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <stdatomic.h>
#include <time.h>

/* What vCPUs and devices ask of the main thread. */
enum {
	REQUEST_POWER_OFF = 1 << 0,
	REQUEST_RESET = 1 << 1,
	REQUEST_CRASH = 1 << 2,
	REQUEST_DEBUG_EXIT = 1 << 3,
};

enum panic {
	PANIC = 1 << 0,
	PANIC_CRASH_LOADED = 1 << 1,
};

struct machine {
	struct machine_options options;
	enum machine_state state;
	bool started;
	bool held_running; /* MACHINE_HELD: it ran before */
	int exit_status;
	struct save *save;

	struct machine_parts parts;
	struct stats_page *own_stats; /* or NULL */
	struct machine_lock lock;
	struct boot *boot;
	struct vcpu_env env;
	struct debugexit *debugexit;
	struct pvpanic *pvpanic;

	/* From other threads to the main context. */
	atomic_uint requests;
	atomic_uint panics; /* not told yet: bits of enum panic */
	GAsyncQueue *warnings; /* char * */
	GAsyncQueue *crashes;  /* char * */
	GSource *wake;
	GMutex warned_mutex;
	GHashTable *warned; /* char *: what has been said already */
};

/* After so many the log is full of one guest's mischief. */
#define WARNINGS_MAX 100

static void tell(struct machine *machine, enum machine_event event, const char *detail)
{
	if (machine->parts.statistics && event == MACHINE_EVENT_RESET)
		statistics_count_reset(machine->parts.statistics);
	else if (machine->parts.statistics)
		statistics_sample(machine->parts.statistics);
	if (machine->options.event)
		machine->options.event(machine->options.event_data, event, detail);
}

/* ---- what vCPUs and devices ask for: any thread -------------------------------------------------- */

static void request(struct machine *machine, unsigned what)
{
	atomic_fetch_or(&machine->requests, what);
	/* The guest is to execute as little as possible after it. */
	if (machine->parts.cpus)
		cpus_ask_stop(machine->parts.cpus);
	g_source_set_ready_time(machine->wake, 0);
}

static void asked_power_off(void *machine)
{
	request(machine, REQUEST_POWER_OFF);
}

static void asked_reset(void *machine)
{
	request(machine, REQUEST_RESET);
}

static void asked_debug_exit(void *data, int status)
{
	struct machine *machine = data;

	machine->exit_status = status;
	request(machine, REQUEST_DEBUG_EXIT);
}

/* First in each vCPU's thread. */
static void cpu_begins(void *data, unsigned id)
{
	struct machine *machine = data;

	scheduling_begin_vcpu(machine->parts.scheduling, id);
	sandbox_thread(machine->parts.config->cpu == CONFIG_CPU_KVM ? SANDBOX_VCPU_KVM
								     : SANDBOX_VCPU_SOFT);
}

/* The guest goes on, what becomes of it is its own affair; unless it has a <panic> device: then
 * this is its end. */
static void panicked(void *data, bool crash_loaded)
{
	struct machine *machine = data;

	atomic_fetch_or(&machine->panics, crash_loaded ? PANIC_CRASH_LOADED : PANIC);
	if (machine->parts.config->panic && !crash_loaded) {
		request(machine, REQUEST_CRASH);
		return;
	}
	g_source_set_ready_time(machine->wake, 0);
}

static void cpu_stopped(void *data, enum vcpu_exit why, const char *error)
{
	struct machine *machine = data;

	if (why == VCPU_EXIT_SHUTDOWN) {
		request(machine, REQUEST_RESET);
		return;
	}
	g_async_queue_push(machine->crashes, g_strdup(error ? error : ""));
	request(machine, REQUEST_CRASH);
}

static void cpu_started(void *data)
{
	struct machine *machine = data;

	if (machine->parts.cpuplug)
		cpuplug_wake(machine->parts.cpuplug);
}

static void cpu_woke(void *data)
{
	struct machine *machine = data;

	statistics_wake(machine->parts.statistics);
}

/* Each sentence once, however many vCPUs find it. */
static void warn(void *data, const char *message)
{
	struct machine *machine = data;
	bool fresh;

	g_mutex_lock(&machine->warned_mutex);
	fresh = g_hash_table_size(machine->warned) < WARNINGS_MAX &&
		g_hash_table_add(machine->warned, g_strdup(message));
	g_mutex_unlock(&machine->warned_mutex);
	if (!fresh)
		return;
	g_async_queue_push(machine->warnings, g_strdup(message));
	g_source_set_ready_time(machine->wake, 0);
}

/* ---- wiring ------------------------------------------------------------------------------------- */

static const struct pm_ops pm_ops = {
	.power_off = asked_power_off,
	.reset = asked_reset,
};

static struct irq_line line(struct machine *machine, unsigned gsi)
{
	return (struct irq_line){ machine->parts.backend->router, gsi };
}

int64_t machine_wall_clock(const struct machine_config *config)
{
	time_t now = time(NULL);
	struct tm local;

	if (!config->rtc_localtime || !localtime_r(&now, &local))
		return now;
	return now + local.tm_gmtoff;
}

static bool make_serials(struct machine *machine, GError **error)
{
	static const struct {
		uint16_t port;
		unsigned gsi;
	} places[CONFIG_SERIALS_MAX] = {
		{ SERIAL_COM1, LAYOUT_GSI_COM1 },
		{ SERIAL_COM2, LAYOUT_GSI_COM2 },
		{ SERIAL_COM3, LAYOUT_GSI_COM1 },
		{ SERIAL_COM4, LAYOUT_GSI_COM2 },
	};

	for (unsigned i = 0; i < machine->parts.config->serials->len; i++) {
		if (!devices_open_chardev(machine->parts.devices, g_ptr_array_index(machine->parts.config->serials, i),
			    &machine->parts.serial_hosts[i], error))
			return false;
		machine->parts.serials[i] = serial_new(machine->parts.ports, places[i].port,
			line(machine, places[i].gsi),
			host_chardev_base(machine->parts.serial_hosts[i]));
	}
	return true;
}

/* Chips that are there whatever the configuration says. An earlier claim of a port wins. */
static void make_chips(struct machine *machine)
{
	struct bus *ports = machine->parts.ports;

	if (machine->options.debug_exit_port)
		machine->debugexit = debugexit_new(ports, machine->options.debug_exit_port,
			asked_debug_exit, machine);
	machine->parts.pm = pm_new(ports, machine->parts.clock, line(machine, PM_SCI), &pm_ops, machine);
	machine->pvpanic = pvpanic_new(ports, panicked, machine);
	machine->parts.cpuplug = cpuplug_new(&machine->parts);
	machine->parts.rtc = rtc_new(ports, machine->parts.clock, line(machine, LAYOUT_GSI_RTC),
		machine_wall_clock(machine->parts.config), machine->parts.memory->low_size,
		machine->parts.memory->high_size);
	machine->parts.i8042 = i8042_new(ports, asked_reset, machine);
	machine->parts.pci = pci_bus_new(ports, machine->parts.mmio, machine->parts.backend->router);
	machine->parts.devices = devices_new(&machine->parts,
		&(struct devices_terminal){
			.wanted = machine->options.terminal,
			.filter = machine->options.terminal_filter,
			.data = machine->options.terminal_filter_data,
		},
		warn, machine);
}

static const struct vcpu_backend_ops *find_backend(enum config_cpu cpu)
{
	const char *name = cpu == CONFIG_CPU_KVM ? "kvm" : "soft";

	for (const struct vcpu_backend_ops *const *ops = vcpu_backends; *ops; ops++)
		if (g_str_equal((*ops)->name, name))
			return *ops;
	g_assert_not_reached();
}

/* Memory, buses and processors. */
static bool make_core(struct machine *machine, GError **error)
{
	const struct machine_config *config = machine->parts.config;

	machine->parts.clock = clock_new(machine->options.context, &machine->lock, error);
	machine->parts.memory = machine->parts.clock ? memory_new(config->memory, error) : NULL;
	if (!machine->parts.memory ||
		!memplug_add_region(config, machine->parts.memory, error))
		return false;
	clock_pause(machine->parts.clock);
	machine->parts.ports = bus_new("ports", &machine->lock);
	machine->parts.mmio = bus_new("memory", &machine->lock);
	machine->env = (struct vcpu_env){
		.memory = machine->parts.memory,
		.ports = machine->parts.ports,
		.mmio = machine->parts.mmio,
		.clock = machine->parts.clock,
		.lock = &machine->lock,
		.count = config->vcpus,
		.count_max = config->vcpus_max,
		.started = cpu_started,
		.started_data = machine,
		.woke = cpu_woke,
		.woke_data = machine,
		.warn = warn,
		.warn_data = machine,
	};
	machine->parts.backend = find_backend(config->cpu)->open(&machine->env, error);
	if (!machine->parts.backend)
		return false;
	machine->parts.cpus = cpus_new(machine->parts.backend, &machine->env,
		&(struct cpus_listener){ cpu_begins, cpu_stopped, machine }, error);
	return machine->parts.cpus != NULL;
}

/* Loads the guest into memory that is zero. */
static bool load(struct machine *machine, GError **error)
{
	struct vcpu_state state;

	boot_set_present(machine->boot, cpuplug_present(machine->parts.cpuplug));
	if (!boot_load(machine->boot, machine->parts.memory, &state, error))
		return false;
	cpus_reset(machine->parts.cpus, &state);
	return true;
}

/* A guest that stands still is not written to. */
static void freeze(struct machine *machine, bool frozen)
{
	g_mutex_lock(&machine->lock.mutex);
	pci_bus_freeze(machine->parts.pci, frozen);
	g_mutex_unlock(&machine->lock.mutex);
}

static gboolean requests_due(void *data);

static gboolean dispatch_wake(GSource *source, GSourceFunc callback, void *data)
{
	g_source_set_ready_time(source, -1);
	return callback(data);
}

static GSourceFuncs wake_funcs = { .dispatch = dispatch_wake };

static bool make_machine(struct machine *machine, GError **error)
{
	if (!machine->options.stats && !(machine->own_stats = stats_page_new(NULL, error)))
		return false;
	machine->parts.kept = machine->options.kept;
	machine->parts.stats = machine->own_stats ? machine->own_stats : machine->options.stats;
	machine->boot = boot_open(machine->parts.config, error);
	if (!machine->boot || !make_core(machine, error))
		return false;
	/* Before there are programs and threads of devices, which are where this process is. */
	machine->parts.scheduling = scheduling_new(machine->parts.config, machine->parts.cpus,
		!machine->options.no_cgroup, error);
	if (!machine->parts.scheduling)
		return false;
	make_chips(machine);
	if (!make_serials(machine, error) || !devices_make(machine->parts.devices, error))
		return false;
	machine->parts.memplug = memplug_new(&machine->parts);
	freeze(machine, true);
	if (!(machine->options.restore
			    ? save_restore(&machine->parts, machine->options.restore, error)
			    : load(machine, error)))
		return false;
	machine->parts.statistics = statistics_new(&machine->parts);
	return true;
}

struct machine *machine_new(const struct machine_config *config,
	const struct machine_options *options, GError **error)
{
	struct machine *machine = g_new0(struct machine, 1);

	machine->options = *options;
	machine->parts.machine = machine;
	machine->parts.config = config;
	machine->parts.context = options->context;
	machine->parts.lock = &machine->lock;
	g_mutex_init(&machine->lock.mutex);
	g_mutex_init(&machine->warned_mutex);
	machine->warned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	machine->warnings = g_async_queue_new_full(g_free);
	machine->crashes = g_async_queue_new_full(g_free);
	machine->wake = g_source_new(&wake_funcs, sizeof(GSource));
	g_source_set_callback(machine->wake, requests_due, machine, NULL);
	g_source_attach(machine->wake, options->context);
	if (make_machine(machine, error))
		return machine;
	machine_free(machine);
	return NULL;
}

static void free_chips(struct machine *machine)
{
	g_mutex_lock(&machine->lock.mutex);
	for (unsigned i = 0; i < G_N_ELEMENTS(machine->parts.serials); i++)
		if (machine->parts.serials[i])
			serial_free(machine->parts.serials[i]);
	if (machine->parts.pci) {
		pci_bus_free(machine->parts.pci);
		i8042_free(machine->parts.i8042);
		rtc_free(machine->parts.rtc);
		pm_free(machine->parts.pm);
	}
	if (machine->debugexit)
		debugexit_free(machine->debugexit);
	pvpanic_free(machine->pvpanic);
	g_mutex_unlock(&machine->lock.mutex);
	for (unsigned i = 0; i < G_N_ELEMENTS(machine->parts.serial_hosts); i++)
		host_chardev_free(machine->parts.serial_hosts[i]);
}

void machine_free(struct machine *machine)
{
	if (!machine)
		return;
	save_free(machine->save);
	statistics_free(machine->parts.statistics);
	scheduling_free(machine->parts.scheduling);
	cpus_free(machine->parts.cpus);
	cpuplug_free(machine->parts.cpuplug);
	memplug_free(machine->parts.memplug);
	devices_free(machine->parts.devices);
	free_chips(machine);
	if (machine->parts.backend)
		machine->parts.backend->ops->close(machine->parts.backend);
	bus_free(machine->parts.ports);
	bus_free(machine->parts.mmio);
	boot_free(machine->boot);
	clock_free(machine->parts.clock);
	memory_free(machine->parts.memory);
	stats_page_free(machine->own_stats);
	g_source_destroy(machine->wake);
	g_source_unref(machine->wake);
	g_hash_table_unref(machine->warned);
	g_mutex_clear(&machine->warned_mutex);
	g_async_queue_unref(machine->warnings);
	g_async_queue_unref(machine->crashes);
	g_mutex_clear(&machine->lock.mutex);
	g_free(machine);
}

/* ---- life: the main thread ---------------------------------------------------------------------- */

static void stop(struct machine *machine)
{
	cpus_stop(machine->parts.cpus);
	g_mutex_lock(&machine->lock.mutex);
	clock_pause(machine->parts.clock);
	pci_bus_freeze(machine->parts.pci, true);
	g_mutex_unlock(&machine->lock.mutex);
}

static void go(struct machine *machine)
{
	machine->state = MACHINE_RUNNING;
	devices_resume(machine->parts.devices);
	g_mutex_lock(&machine->lock.mutex);
	clock_resume(machine->parts.clock);
	pci_bus_freeze(machine->parts.pci, false);
	g_mutex_unlock(&machine->lock.mutex);
	cpus_start(machine->parts.cpus);
}

static void end(struct machine *machine)
{
	machine->state = MACHINE_ENDED;
	tell(machine, MACHINE_EVENT_ENDED, NULL);
}

static void reset_devices(struct machine *machine)
{
	/* Requests in flight would write into the next guest's memory. */
	devices_reset(machine->parts.devices);
	g_mutex_lock(&machine->lock.mutex);
	pci_bus_reset(machine->parts.pci);
	pm_reset(machine->parts.pm);
	rtc_reset(machine->parts.rtc);
	i8042_reset(machine->parts.i8042);
	for (unsigned i = 0; i < machine->parts.config->serials->len; i++)
		serial_reset(machine->parts.serials[i]);
	g_mutex_unlock(&machine->lock.mutex);
}

/* Stopped; loads the guest again. false: it cannot be loaded any more. */
static bool reload(struct machine *machine)
{
	g_autoptr(GError) error = NULL;

	reset_devices(machine);
	cpuplug_reset(machine->parts.cpuplug);
	memory_clear(machine->parts.memory);
	atomic_store(&machine->requests, 0);
	tell(machine, MACHINE_EVENT_RESET, NULL);
	if (load(machine, &error))
		return true;
	machine->exit_status = 1;
	tell(machine, MACHINE_EVENT_CRASHED, error->message);
	return false;
}

/* What the definition says about this end of the guest; it is stopped. */
static void act(struct machine *machine, enum config_action action)
{
	switch (action) {
	case CONFIG_ACTION_RESTART:
		if (reload(machine))
			go(machine);
		else
			end(machine);
		break;
	case CONFIG_ACTION_PRESERVE:
		machine->state = MACHINE_PRESERVED;
		break;
	case CONFIG_ACTION_DESTROY:
		end(machine);
		break;
	}
}

static void tell_crash(struct machine *machine)
{
	g_autofree char *why = g_async_queue_try_pop(machine->crashes);

	machine->exit_status = 1;
	tell(machine, MACHINE_EVENT_CRASHED, why ? why : _("its kernel says that it has crashed"));
}

static void carry_out(struct machine *machine, unsigned requests)
{
	stop(machine);
	if (requests & REQUEST_DEBUG_EXIT) {
		end(machine);
	} else if (requests & REQUEST_CRASH) {
		tell_crash(machine);
		act(machine, machine->parts.config->on_crash);
	} else if (requests & REQUEST_POWER_OFF) {
		tell(machine, MACHINE_EVENT_POWERED_OFF, NULL);
		act(machine, machine->parts.config->on_poweroff);
	} else {
		/* The other ends are told, whatever comes of them. */
		if (machine->parts.config->on_reboot == CONFIG_ACTION_PRESERVE)
			tell(machine, MACHINE_EVENT_PAUSED, NULL);
		act(machine, machine->parts.config->on_reboot);
	}
}

static void tell_panics(struct machine *machine)
{
	unsigned panics = atomic_exchange(&machine->panics, 0);

	if (panics & PANIC)
		machine_notify(machine, "panic", _("The guest's kernel says that it has crashed"),
			NULL);
	if (panics & PANIC_CRASH_LOADED)
		machine_notify(machine, "panic",
			_("The guest's kernel says that it has crashed, and loads another that saves "
			  "its memory"),
			NULL);
}

static gboolean requests_due(void *data)
{
	struct machine *machine = data;
	unsigned requests;
	char *warning;

	while ((warning = g_async_queue_try_pop(machine->warnings))) {
		tell(machine, MACHINE_EVENT_WARNING, warning);
		g_free(warning);
	}
	tell_panics(machine);
	/* A paused machine hears of it when it goes on. */
	if (machine->state != MACHINE_RUNNING)
		return G_SOURCE_CONTINUE;
	requests = atomic_exchange(&machine->requests, 0);
	if (requests)
		carry_out(machine, requests);
	return G_SOURCE_CONTINUE;
}

bool machine_resume(struct machine *machine)
{
	if (machine->state != MACHINE_PAUSED)
		return false;
	tell(machine, machine->started ? MACHINE_EVENT_RESUMED : MACHINE_EVENT_STARTED, NULL);
	machine->started = true;
	go(machine);
	/* What was asked for while it was being paused. */
	g_source_set_ready_time(machine->wake, 0);
	return true;
}

bool machine_pause(struct machine *machine)
{
	if (machine->state != MACHINE_RUNNING)
		return false;
	stop(machine);
	machine->state = MACHINE_PAUSED;
	tell(machine, MACHINE_EVENT_PAUSED, NULL);
	return true;
}

bool machine_hold(struct machine *machine, GError **error)
{
	bool runs = machine->state == MACHINE_RUNNING;

	if (!runs && machine->state != MACHINE_PAUSED) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_BUSY,
			_("The guest has ended, or is being saved already"));
		return false;
	}
	stop(machine);
	/* A reset or power off that it has asked for would be lost. */
	if (atomic_load(&machine->requests)) {
		if (runs)
			go(machine);
		g_source_set_ready_time(machine->wake, 0);
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_BUSY,
			_("The guest is just about to end or to boot anew"));
		return false;
	}
	machine->held_running = runs;
	machine->state = MACHINE_HELD;
	if (runs)
		tell(machine, MACHINE_EVENT_PAUSED, NULL);
	return true;
}

void machine_release(struct machine *machine)
{
	if (machine->state != MACHINE_HELD)
		return;
	machine->state = MACHINE_PAUSED;
	if (machine->held_running)
		machine_resume(machine);
}

void machine_set_save(struct machine *machine, struct save *save)
{
	machine->save = save;
}

struct save *machine_get_save(const struct machine *machine)
{
	return machine->save;
}

bool machine_reset(struct machine *machine)
{
	if (machine->state == MACHINE_ENDED || machine->state == MACHINE_HELD)
		return false;
	stop(machine);
	if (!reload(machine))
		end(machine);
	else if (machine->state == MACHINE_PRESERVED)
		machine->state = MACHINE_PAUSED;
	else if (machine->state == MACHINE_RUNNING)
		go(machine);
	return machine->state != MACHINE_ENDED;
}

bool machine_press_power(struct machine *machine)
{
	if (machine->state != MACHINE_RUNNING)
		return false;
	g_mutex_lock(&machine->lock.mutex);
	pm_press_power(machine->parts.pm);
	g_mutex_unlock(&machine->lock.mutex);
	return true;
}

void machine_quit(struct machine *machine)
{
	if (machine->state == MACHINE_ENDED)
		return;
	stop(machine);
	machine->exit_status = 0;
	end(machine);
}

enum machine_state machine_state(const struct machine *machine)
{
	return machine->state;
}

int machine_exit_status(const struct machine *machine)
{
	return machine->exit_status;
}

const struct machine_parts *machine_parts(const struct machine *machine)
{
	return &machine->parts;
}

void machine_notify(
	struct machine *machine, const char *event, const char *detail, JsonObject *fields)
{
	if (machine->options.notify)
		machine->options.notify(machine->options.event_data, event, detail, fields);
	else if (fields)
		json_object_unref(fields);
}

const struct machine_config *machine_config(const struct machine *machine)
{
	return machine->parts.config;
}

const char *machine_backend(const struct machine *machine)
{
	return machine->parts.backend->ops->name;
}

uint64_t machine_uptime(const struct machine *machine)
{
	return clock_ns(machine->parts.clock);
}

const char *machine_serial_path(const struct machine *machine, unsigned index)
{
	return index < machine->parts.config->serials->len
		? host_chardev_path(machine->parts.serial_hosts[index])
		: NULL;
}
