// SPDX-License-Identifier: GPL-3.0-or-later
// One sample: the counters of all guests of a connection at one moment, read off the main thread
// from one bulk call into plain arrays, so that the main thread only subtracts and divides.
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

// A counter that the hypervisor did not tell.
#define SAMPLE_UNKNOWN G_MAXUINT64

struct sample_vcpu {
	int state;                 // -1 unknown
	guint64 time, wait, delay; // ns
};

struct sample_disk {
	char *target, *path;                    // path may be NULL
	guint64 counters[4];                    // bytes read, bytes written, reads, writes
	guint64 allocation, capacity, physical; // bytes
};

struct sample_nic {
	char *target;
	guint64 rx, tx; // bytes, as the guest sees them
};

struct sample_guest {
	char uuid[VIR_UUID_STRING_BUFLEN];
	char *name;
	int id;
	int state, reason; // state -1: not told
	guint64 cpu_time;  // ns
	guint64 vcpus, vcpus_max;
	guint64 memory, memory_max;             // bytes
	guint64 available, usable, unused, rss; // bytes
	GArray *vcpu;                           // struct sample_vcpu, NULL for none
	GArray *disks;                          // struct sample_disk, NULL for none
	GArray *nics;                           // struct sample_nic, NULL for none
};

struct sample {
	gint64 taken;                 // clock_monotonic() when the counters were read
	GArray *guests;               // struct sample_guest
	guint64 host_busy, host_idle; // ns of CPU since boot
	guint64 host_memory_used;     // bytes
	guint64 host_memory;          // bytes now: memory is plugged into hosts, too
	unsigned next;                // the main thread's place while it applies the sample
};

// What a driver turned out to be unable to do; kept per connection so that it is asked once.
struct sample_limits {
	bool no_bulk;   // no virConnectGetAllDomainStats: one cheap call per guest instead
	bool no_nowait; // the bulk call refuses the no-wait flag
	bool no_cpu;    // no CPU figures of the host
	bool no_memory; // no memory figures of the host
};

// Takes a sample; NULL with the cause when the connection failed. Worker thread.
struct sample *sample_take(virConnectPtr connection, struct sample_limits *limits, GError **error);

// Reads one record of the bulk call. Names and indices come from the other side: unknown ones are
// skipped and indices bounded.
void sample_read(struct sample_guest *guest, const virTypedParameter *params, int count);

// A guest about which nothing is known.
void sample_guest_init(struct sample_guest *guest);
void sample_guest_clear(struct sample_guest *guest);

void sample_free(struct sample *sample); // takes NULL
