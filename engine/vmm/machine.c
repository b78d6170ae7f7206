// SPDX-License-Identifier: GPL-3.0-or-later
#include <config.h>

#include "engine/vmm/machine.h"

#include "engine/vmm/block/raw.h"
#include "engine/vmm/boot/boot.h"
#include "engine/vmm/chardevs.h"
#include "engine/vmm/cpus.h"
#include "engine/vmm/dev/debugexit.h"
#include "engine/vmm/dev/i8042.h"
#include "engine/vmm/dev/pci.h"
#include "engine/vmm/dev/pm.h"
#include "engine/vmm/dev/rtc.h"
#include "engine/vmm/dev/serial.h"
#include "engine/vmm/dev/virtio_balloon.h"
#include "engine/vmm/dev/virtio_block.h"
#include "engine/vmm/dev/virtio_console.h"
#include "engine/vmm/dev/virtio_net.h"
#include "engine/vmm/dev/virtio_pci.h"
#include "engine/vmm/dev/virtio_rng.h"
#include "engine/vmm/layout.h"
#include "engine/vmm/netargs.h"
#include "engine/vmm/net/passt.h"

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

/* One virtio device: its host side, the device, and the PCI function it is. free_device and
 * free_host are called with the right pointers at the end. */
struct slot {
	struct virtio_pci *pci;
	struct virtio_device *virtio;
	void *device;
	void (*free_device)(void *device);
	struct block_backend *disk;
	struct net_backend *net;
	struct host_chardev *consoles[VIRTIO_CONSOLE_PORTS];
};

struct machine {
	const struct machine_config *config;
	struct machine_options options;
	enum machine_state state;
	bool started;
	int exit_status;

	struct machine_lock lock;
	struct machine_clock *clock;
	struct guest_memory *memory;
	struct boot *boot;
	struct bus *ports;
	struct bus *mmio;
	struct vcpu_env env;
	struct vcpu_backend *backend;
	struct cpus *cpus;

	struct debugexit *debugexit;
	struct pm *pm;
	struct rtc *rtc;
	struct i8042 *i8042;
	struct serial *serials[CONFIG_SERIALS_MAX];
	struct host_chardev *serial_hosts[CONFIG_SERIALS_MAX];
	struct pci_bus *pci;
	struct virtio_env virtio_env;
	struct slot slots[CONFIG_DEVICES_MAX];
	unsigned slot_count;
	bool terminal_taken;

	/* From other threads to the main context. */
	atomic_uint requests;
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
	if (machine->options.event)
		machine->options.event(machine->options.event_data, event, detail);
}

/* ---- what vCPUs and devices ask for: any thread -------------------------------------------------- */

static void request(struct machine *machine, unsigned what)
{
	atomic_fetch_or(&machine->requests, what);
	/* The guest is to execute as little as possible after it. */
	if (machine->cpus)
		cpus_ask_stop(machine->cpus);
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
	return (struct irq_line){ machine->backend->router, gsi };
}

/* The guest's wall clock, in seconds since 1970. */
static int64_t wall_clock(const struct machine_config *config)
{
	time_t now = time(NULL);
	struct tm local;

	if (!config->rtc_localtime || !localtime_r(&now, &local))
		return now;
	return now + local.tm_gmtoff;
}

static bool make_host_chardev(struct machine *machine, const struct config_chardev *config,
	struct host_chardev **host, GError **error)
{
	bool terminal = machine->options.terminal && !machine->terminal_taken &&
		(config->kind == CONFIG_CHARDEV_PTY || config->kind == CONFIG_CHARDEV_STDIO);

	if (!terminal) {
		*host = host_chardev_new(config, machine->options.context, &machine->lock, error);
		return *host != NULL;
	}
	*host = host_chardev_new_stdio(machine->options.context, &machine->lock, error);
	if (!*host)
		return false;
	machine->terminal_taken = true;
	if (machine->options.terminal_filter)
		host_chardev_set_filter(*host, machine->options.terminal_filter,
			machine->options.terminal_filter_data);
	return true;
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

	for (unsigned i = 0; i < machine->config->serials->len; i++) {
		if (!make_host_chardev(machine, g_ptr_array_index(machine->config->serials, i),
			    &machine->serial_hosts[i], error))
			return false;
		machine->serials[i] = serial_new(machine->ports, places[i].port,
			line(machine, places[i].gsi),
			host_chardev_base(machine->serial_hosts[i]));
	}
	return true;
}

/* Chips that are there whatever the configuration says. An earlier claim of a port wins. */
static void make_chips(struct machine *machine)
{
	struct bus *ports = machine->ports;

	if (machine->options.debug_exit_port)
		machine->debugexit = debugexit_new(ports, machine->options.debug_exit_port,
			asked_debug_exit, machine);
	machine->pm = pm_new(ports, machine->clock, line(machine, PM_SCI), &pm_ops, machine);
	machine->rtc = rtc_new(ports, machine->clock, line(machine, LAYOUT_GSI_RTC),
		wall_clock(machine->config), machine->memory->low_size,
		machine->memory->high_size);
	machine->i8042 = i8042_new(ports, asked_reset, machine);
	machine->pci = pci_bus_new(ports, machine->mmio, machine->backend->router);
}

/* Plugs the device of a slot whose host side is open. */
static bool plug(struct machine *machine, struct slot *slot, struct virtio_device *virtio,
	void *device, void (*free_device)(void *device), GError **error)
{
	slot->virtio = virtio;
	slot->device = device;
	slot->free_device = free_device;
	slot->pci = virtio_pci_new(machine->pci, 0, virtio, error);
	return slot->pci != NULL;
}

static struct slot *next_slot(struct machine *machine)
{
	g_assert(machine->slot_count < G_N_ELEMENTS(machine->slots));
	return &machine->slots[machine->slot_count++];
}

static void free_disk(void *device)
{
	virtio_block_free(device);
}

static bool add_disk(struct machine *machine, const struct config_disk *config, GError **error)
{
	struct slot *slot = next_slot(machine);
	struct virtio_block *block;

	slot->disk = block_raw_open(
		&(struct block_raw_config){
			.path = config->path,
			.read_only = config->readonly,
			.shared = config->shareable,
			.discard = config->discard,
		},
		error);
	if (!slot->disk)
		return false;
	block = virtio_block_new(&machine->virtio_env, slot->disk, config->serial);
	return plug(machine, slot, virtio_block_device(block), block, free_disk, error);
}

static void free_net(void *device)
{
	virtio_net_free(device);
}

static bool add_net(struct machine *machine, const struct config_net *config, GError **error)
{
	struct slot *slot = next_slot(machine);
	g_auto(GStrv) arguments = netargs_passt(config);
	struct virtio_net *net;

	slot->net = net_passt_new(
		&(struct net_passt_config){
			.arguments = (const char *const *)arguments,
			.mtu = config->mtu,
			.log_path = config->log,
		},
		machine->options.context, &machine->lock, error);
	if (!slot->net)
		return false;
	net = virtio_net_new(&machine->virtio_env, config->mac,
		config->mtu ? config->mtu : NET_PASST_MTU, slot->net);
	return plug(machine, slot, virtio_net_device(net), net, free_net, error);
}

static void free_console(void *device)
{
	virtio_console_free(device);
}

/* The index-th port that has (or has not) a name, or NULL. */
static const struct config_port *find_port(const GPtrArray *ports, bool named, unsigned index)
{
	for (unsigned i = 0; i < ports->len; i++) {
		const struct config_port *port = g_ptr_array_index(ports, i);

		if ((port->name != NULL) == named && index-- == 0)
			return port;
	}
	return NULL;
}

/* The channels of the index-th console: it has room for so many. */
#define CHANNELS (VIRTIO_CONSOLE_PORTS - 1)

static bool add_channels(struct machine *machine, struct slot *slot, unsigned index,
	struct virtio_console *console, GError **error)
{
	for (unsigned i = 0; i < CHANNELS; i++) {
		const struct config_port *port =
			find_port(machine->config->ports, true, index * CHANNELS + i);

		if (!port)
			break;
		slot->consoles[1 + i] = host_chardev_new(
			&port->chardev, machine->options.context, &machine->lock, error);
		if (!slot->consoles[1 + i])
			return false;
		virtio_console_add_channel(
			console, host_chardev_base(slot->consoles[1 + i]), port->name);
	}
	return true;
}

/* The index-th console with its channels; either may be missing, not both. */
static bool add_console(struct machine *machine, unsigned index, GError **error)
{
	const struct config_port *port = find_port(machine->config->ports, false, index);
	struct slot *slot = next_slot(machine);
	struct virtio_console *console;

	if (port && !make_host_chardev(machine, &port->chardev, &slot->consoles[0], error))
		return false;
	console = virtio_console_new(&machine->virtio_env,
		slot->consoles[0] ? host_chardev_base(slot->consoles[0]) : NULL);
	slot->device = console;
	slot->free_device = free_console;
	return add_channels(machine, slot, index, console, error) &&
		plug(machine, slot, virtio_console_device(console), console, free_console, error);
}

static bool add_consoles(struct machine *machine, GError **error)
{
	const GPtrArray *ports = machine->config->ports;

	for (unsigned i = 0; find_port(ports, false, i) || find_port(ports, true, i * CHANNELS); i++)
		if (!add_console(machine, i, error))
			return false;
	return true;
}

static void free_balloon(void *device)
{
	virtio_balloon_free(device);
}

static bool add_balloon(struct machine *machine, GError **error)
{
	const struct machine_config *config = machine->config;
	struct virtio_balloon *balloon = virtio_balloon_new(&machine->virtio_env);

	virtio_balloon_set_target(balloon,
		(uint32_t)((config->memory - config->memory_current) >> MEMORY_PAGE_SHIFT));
	virtio_balloon_set_period(balloon, config->balloon_period * CLOCK_HZ);
	return plug(machine, next_slot(machine), virtio_balloon_device(balloon), balloon,
		free_balloon, error);
}

static void free_rng(void *device)
{
	virtio_rng_free(device);
}

static bool add_rng(struct machine *machine, GError **error)
{
	struct virtio_rng *rng = virtio_rng_new(&machine->virtio_env);

	return plug(machine, next_slot(machine), virtio_rng_device(rng), rng, free_rng, error);
}

static bool make_virtio_devices(struct machine *machine, GError **error)
{
	const struct machine_config *config = machine->config;

	for (unsigned i = 0; i < config->disks->len; i++)
		if (!add_disk(machine, g_ptr_array_index(config->disks, i), error))
			return false;
	for (unsigned i = 0; i < config->nets->len; i++)
		if (!add_net(machine, g_ptr_array_index(config->nets, i), error))
			return false;
	if (!add_consoles(machine, error))
		return false;
	if (config->balloon && !add_balloon(machine, error))
		return false;
	for (unsigned i = 0; i < config->rngs; i++)
		if (!add_rng(machine, error))
			return false;
	return true;
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
	const struct machine_config *config = machine->config;

	machine->clock = clock_new(machine->options.context, &machine->lock, error);
	machine->memory = machine->clock ? memory_new(config->memory, error) : NULL;
	if (!machine->memory)
		return false;
	clock_pause(machine->clock);
	machine->ports = bus_new("ports", &machine->lock);
	machine->mmio = bus_new("memory", &machine->lock);
	machine->env = (struct vcpu_env){
		.memory = machine->memory,
		.ports = machine->ports,
		.mmio = machine->mmio,
		.clock = machine->clock,
		.lock = &machine->lock,
		.count = config->vcpus,
		.count_max = config->vcpus_max,
		.warn = warn,
		.warn_data = machine,
	};
	machine->backend = find_backend(config->cpu)->open(&machine->env, error);
	if (!machine->backend)
		return false;
	machine->virtio_env = (struct virtio_env){
		.memory = machine->memory,
		.lock = &machine->lock,
		.clock = machine->clock,
		.warn = warn,
		.warn_data = machine,
	};
	machine->cpus = cpus_new(machine->backend, &machine->env,
		&(struct cpus_listener){ cpu_stopped, machine }, error);
	return machine->cpus != NULL;
}

/* Loads the guest into memory that is zero. */
static bool load(struct machine *machine, GError **error)
{
	struct vcpu_state state;

	if (!boot_load(machine->boot, machine->memory, &state, error))
		return false;
	cpus_reset(machine->cpus, &state);
	return true;
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
	machine->boot = boot_open(machine->config, error);
	if (!machine->boot || !make_core(machine, error))
		return false;
	make_chips(machine);
	if (!make_serials(machine, error) || !make_virtio_devices(machine, error))
		return false;
	return load(machine, error);
}

struct machine *machine_new(const struct machine_config *config,
	const struct machine_options *options, GError **error)
{
	struct machine *machine = g_new0(struct machine, 1);

	machine->config = config;
	machine->options = *options;
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

static void free_slot(struct machine *machine, struct slot *slot)
{
	if (slot->disk)
		block_drain(slot->disk);
	g_mutex_lock(&machine->lock.mutex);
	if (slot->pci)
		virtio_pci_free(slot->pci);
	if (slot->device)
		slot->free_device(slot->device);
	net_free(slot->net);
	g_mutex_unlock(&machine->lock.mutex);
	block_free(slot->disk);
	for (unsigned i = 0; i < G_N_ELEMENTS(slot->consoles); i++)
		host_chardev_free(slot->consoles[i]);
}

static void free_chips(struct machine *machine)
{
	g_mutex_lock(&machine->lock.mutex);
	for (unsigned i = 0; i < G_N_ELEMENTS(machine->serials); i++)
		if (machine->serials[i])
			serial_free(machine->serials[i]);
	if (machine->pci) {
		pci_bus_free(machine->pci);
		i8042_free(machine->i8042);
		rtc_free(machine->rtc);
		pm_free(machine->pm);
	}
	if (machine->debugexit)
		debugexit_free(machine->debugexit);
	g_mutex_unlock(&machine->lock.mutex);
	for (unsigned i = 0; i < G_N_ELEMENTS(machine->serial_hosts); i++)
		host_chardev_free(machine->serial_hosts[i]);
}

void machine_free(struct machine *machine)
{
	if (!machine)
		return;
	cpus_free(machine->cpus);
	for (unsigned i = 0; i < machine->slot_count; i++)
		free_slot(machine, &machine->slots[i]);
	free_chips(machine);
	if (machine->backend)
		machine->backend->ops->close(machine->backend);
	bus_free(machine->ports);
	bus_free(machine->mmio);
	boot_free(machine->boot);
	clock_free(machine->clock);
	memory_free(machine->memory);
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
	cpus_stop(machine->cpus);
	g_mutex_lock(&machine->lock.mutex);
	clock_pause(machine->clock);
	g_mutex_unlock(&machine->lock.mutex);
}

static void go(struct machine *machine)
{
	machine->state = MACHINE_RUNNING;
	g_mutex_lock(&machine->lock.mutex);
	clock_resume(machine->clock);
	g_mutex_unlock(&machine->lock.mutex);
	cpus_start(machine->cpus);
}

static void end(struct machine *machine)
{
	machine->state = MACHINE_ENDED;
	tell(machine, MACHINE_EVENT_ENDED, NULL);
}

static void reset_devices(struct machine *machine)
{
	/* Requests in flight would write into the next guest's memory. */
	for (unsigned i = 0; i < machine->slot_count; i++)
		if (machine->slots[i].disk)
			block_drain(machine->slots[i].disk);
	g_mutex_lock(&machine->lock.mutex);
	pci_bus_reset(machine->pci);
	pm_reset(machine->pm);
	rtc_reset(machine->rtc);
	i8042_reset(machine->i8042);
	for (unsigned i = 0; i < machine->config->serials->len; i++)
		serial_reset(machine->serials[i]);
	g_mutex_unlock(&machine->lock.mutex);
}

/* Stopped; loads the guest again. false: it cannot be loaded any more. */
static bool reload(struct machine *machine)
{
	g_autoptr(GError) error = NULL;

	reset_devices(machine);
	memory_clear(machine->memory);
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
	tell(machine, MACHINE_EVENT_CRASHED, why);
}

static void carry_out(struct machine *machine, unsigned requests)
{
	stop(machine);
	if (requests & REQUEST_DEBUG_EXIT) {
		end(machine);
	} else if (requests & REQUEST_CRASH) {
		tell_crash(machine);
		act(machine, machine->config->on_crash);
	} else if (requests & REQUEST_POWER_OFF) {
		tell(machine, MACHINE_EVENT_POWERED_OFF, NULL);
		act(machine, machine->config->on_poweroff);
	} else {
		act(machine, machine->config->on_reboot);
	}
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

bool machine_reset(struct machine *machine)
{
	if (machine->state == MACHINE_ENDED)
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
	pm_press_power(machine->pm);
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

const struct machine_config *machine_config(const struct machine *machine)
{
	return machine->config;
}

const char *machine_backend(const struct machine *machine)
{
	return machine->backend->ops->name;
}

uint64_t machine_uptime(const struct machine *machine)
{
	return clock_ns(machine->clock);
}

const char *machine_serial_path(const struct machine *machine, unsigned index)
{
	return index < machine->config->serials->len
		? host_chardev_path(machine->serial_hosts[index])
		: NULL;
}
