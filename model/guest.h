// SPDX-License-Identifier: GPL-3.0-or-later
// A guest as the console knows it: plain data, written by the model and read by screens, both in
// the main thread, so without locks. All figures are those of `seen`; NAN means unknown.
//
// A guest that leaves its host, or whose connection is removed, is taken from the model's list and
// gets `gone` set; whoever holds a reference keeps valid memory.
#pragma once

#include "model/history.h"

#include <glib.h>
#include <math.h>
#include <stdbool.h>

struct connection;

// libvirt's virDomainState, same numbers.
enum guest_state {
	GUEST_NOSTATE,
	GUEST_RUNNING,
	GUEST_BLOCKED,
	GUEST_PAUSED,
	GUEST_SHUTDOWN, // on its way down
	GUEST_OFF,
	GUEST_CRASHED,
	GUEST_SUSPENDED, // by its own power management
	GUEST_STATES
};

struct guest_vcpu {
	int state;      // libvirt's virVcpuState: 0 offline, 1 running, 2 blocked; -1 unknown
	guint64 time;   // ns of CPU used since start, as last counted
	guint64 wait;   // ns
	guint64 delay;  // ns
	double use;     // percent of one CPU
	double waiting; // percent of the time spent waiting for I/O
	double steal;   // percent of the time runnable but not run by the host
	struct history use_history;
};

struct guest_disk {
	char *target;                 // "vda"
	char *source;                 // path, volume or URL; NULL when empty
	char *device;                 // "disk", "cdrom", "floppy", "lun"
	guint64 capacity;             // bytes the guest sees; 0 unknown
	guint64 allocation;           // bytes in use on the host; 0 unknown
	guint64 physical;             // bytes the image has on the host; 0 unknown
	guint64 counters[4];          // bytes read, bytes written, reads, writes, as last counted
	bool counted;                 // counters hold a count
	double read_rate, write_rate; // bytes a second
	double read_ops, write_ops;   // operations a second
	struct history read_history, write_history; // bytes a second
};

struct guest_nic {
	char *target; // host side, "vnet3"; NULL while the guest is off
	char *mac;
	char *source;        // network, bridge or device it is plugged into; NULL for none
	char *type;          // "network", "bridge", "user"…
	char *model;         // "virtio"; NULL for the hypervisor's own choice
	guint64 counters[2]; // bytes received, bytes sent
	bool counted;
	double rx_rate, tx_rate; // bytes a second, as the guest sees them
	struct history rx_history, tx_history;
};

struct guest {
	// Who. Never changes but for the name (rename).
	struct connection *connection; // NULL once it is gone
	char *uuid;                    // canonical text
	char *name;
	int id; // the hypervisor's number while active, else -1
	bool gone;

	// From the definition, read when an event says it changed.
	bool defined; // false until the definition was read the first time; the rest is then unset
	char *title;  // NULL for none
	char *description; // NULL for none
	char *type;        // domain type: "kvm", "qemu", "xen", "test"…
	char *os_type;     // "hvm", "exe"…
	char **groups;     // NULL-terminated, never NULL; from our metadata, as are:
	char **tags;
	char *notes; // NULL for none
	bool autostart;
	bool persistent;
	bool managed_save;  // starts from a saved state
	unsigned vcpus;     // online now, or at next start while off; 0 unknown
	unsigned vcpus_max; // 0 unknown
	guint64 memory;     // bytes given now, or at next start while off; 0 unknown
	guint64 memory_max; // bytes; 0 unknown
	GPtrArray *disks;   // struct guest_disk *, definition's order, never NULL
	GPtrArray *nics;    // struct guest_nic *
	bool has_console;   // a serial or paravirtual console to connect to

	// Now.
	enum guest_state state;
	int reason;            // libvirt's reason number for that state
	gint64 seen;           // clock_monotonic() of the newest data
	gint64 started;        // clock_now() when it started; 0 unknown or not active
	bool started_at_least; // it ran already when we first saw it: the uptime is at least that

	// Figures of an active guest. Percents of one CPU: two busy CPUs are 200.
	double cpu;                   // percent of one CPU, all vCPUs together
	double cpu_host;              // percent of the whole host
	double cpu_allocation;        // percent of the vCPUs it has now
	double wait;                  // percent of one CPU, all vCPUs together
	double steal;                 // percent of one CPU, all vCPUs together
	double memory_used;           // bytes in use inside, when the balloon tells
	double memory_rss;            // bytes the host spends on it
	double read_rate, write_rate; // all disks, bytes a second
	double read_ops, write_ops;   // all disks, operations a second
	double rx_rate, tx_rate;      // all NICs, bytes a second
	GPtrArray *vcpu;              // struct guest_vcpu *, index is the vCPU's number; never NULL

	struct history cpu_history;                 // percent of one CPU
	struct history memory_history;              // bytes: used, else given
	struct history read_history, write_history; // bytes a second
	struct history rx_history, tx_history;      // bytes a second

	struct guest_private *private; // the model's own
};

struct guest *guest_ref(struct guest *guest);
void guest_unref(struct guest *guest); // takes NULL

// True while the hypervisor holds the guest in memory: running, blocked, paused, going down,
// crashed and kept, suspended.
bool guest_active(const struct guest *guest);

// The state in one plain, translated word: "running", "paused", "off", "saved", "crashed"…
const char *guest_state_word(const struct guest *guest);

// The state's name in English, fixed, for JSON and scripts ("running", "paused", "off", "saved",
// "shutdown", "crashed", "suspended", "unknown").
const char *guest_state_name(const struct guest *guest);

// Why it is in that state, translated ("started by the administrator", "saved"…), or NULL when the
// hypervisor does not say.
const char *guest_reason_words(const struct guest *guest);

// Seconds since the newest data; 0 with a frozen clock.
double guest_age(const struct guest *guest);

// Seconds since it started; NAN when off or unknown.
double guest_uptime(const struct guest *guest);

// "host7/web1": names a guest across hosts. Caller frees.
char *guest_full_name(const struct guest *guest);
