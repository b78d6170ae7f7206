// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The statistics page: what a running monitor shows of its guest to who may read a file.
 *
 * lodge-vmm --statistics FILE makes the file (on a tmpfs), of a fixed size, and maps it; a reader
 * maps it too and looks whenever it likes, without a call to the monitor. The file stays until the
 * owner of its folder removes it; a monitor that begins anew makes a new one.
 *
 * Who writes: the monitor's main thread what is sampled (struct stats_guest, and of each vCPU), about
 * once a second, under the page's sequence (a guest that sleeps or is paused is sampled no more until
 * it goes on: all is as it says then, but that its clock, and the time it was halted, go on); disks
 * and network cards their counters, at any moment, with the machine lock held or otherwise one at
 * a time. Counters are 64-bit words that are stored whole (relaxed), so that they cost their
 * writer no more than a plain add. They only grow, but for what is called a state below.
 *
 * What a reader gets is of one moment for the sampled part, and for the names of disks and network
 * cards; their counters may each be of a slightly later one.
 *
 * Amounts are bytes, times nanoseconds, unless said. Reader functions: any thread, one at a time
 * for one reader.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define STATS_MAGIC 0x2e74617473676c2eull
/* Another layout has another number: the daemon of an older release refuses the page of a newer. */
#define STATS_VERSION 1u
#define STATS_VCPUS_MAX 64u
#define STATS_DISKS_MAX 24u
#define STATS_NICS_MAX 24u
#define STATS_NAME_MAX 64u
/* What the guest does not tell, or cannot be measured. */
#define STATS_UNKNOWN UINT64_MAX

enum stats_state {
	STATS_STATE_PAUSED,
	STATS_STATE_RUNNING,
	STATS_STATE_PRESERVED,
	STATS_STATE_ENDED,
};

/* Why a vCPU left guest code. */
enum stats_exit {
	STATS_EXIT_PORT,   /* an I/O port */
	STATS_EXIT_MEMORY, /* a device's registers in memory */
	STATS_EXIT_HALT,   /* HLT; with KVM it stays in the kernel and is not seen */
	STATS_EXIT_KICK,   /* another thread wanted its attention */
	STATS_EXIT_OTHER,
	STATS_EXIT_KINDS,
};

/* The guest as a whole; sampled. */
struct stats_guest {
	char name[STATS_NAME_MAX]; /* cut off where it is longer */
	char uuid[40];             /* "" where it has none */
	uint64_t pid;              /* of the monitor */
	uint64_t state;            /* enum stats_state */
	uint64_t software_cpu;     /* 1: by the software CPU, 0: by KVM */
	uint64_t started_s;        /* seconds since 1970 when the monitor began */
	uint64_t sampled_ns;       /* when this was written: CLOCK_MONOTONIC */
	uint64_t uptime_ns;        /* the guest's clock */
	uint64_t resets;

	/* Processor time of the whole process, and of it outside guest code: the emulator's. */
	uint64_t cpu_ns, cpu_user_ns, cpu_system_ns;
	uint64_t emulator_ns; /* of all threads that are not vCPUs */
	uint64_t vcpus, vcpus_max;
	uint64_t cap; /* per cent of one host CPU, 0: none */

	uint64_t memory_boot;    /* of the definition */
	uint64_t memory_max;     /* with all that virtio-mem could add */
	uint64_t memory_now;     /* what the guest has: balloon_actual and what was added */
	uint64_t balloon_target; /* what the balloon was asked to leave */
	uint64_t balloon_actual; /* what it leaves */
	uint64_t resident;       /* the process's pages that are in the host's memory */

	/* As the guest tells by its balloon; STATS_UNKNOWN where it does not. */
	uint64_t swap_in, swap_out;
	uint64_t major_faults, minor_faults; /* counts */
	uint64_t free, total, available, caches;
	uint64_t told_s; /* seconds since 1970 of these; 0: never */

	/* How many records of each kind below may be in use: the others were never. */
	uint64_t vcpu_records, disk_records, nic_records;
};

/* One vCPU; the index is its id. */
struct stats_vcpu {
	uint64_t present; /* 1: plugged in */
	uint64_t online;  /* 1: the guest has started it */
	uint64_t thread;  /* thread id */
	uint64_t run_ns;  /* on a host CPU */
	uint64_t wait_ns; /* ready, but the host ran something else; STATS_UNKNOWN: not measured */
	uint64_t held_ns; /* kept from running by the cap (the monitor's own; not by a cgroup) */
	uint64_t steal_ns;  /* what the guest wanted and did not get: both */
	uint64_t halted_ns; /* the rest of the guest's time: it had nothing to do */
	uint64_t exits[STATS_EXIT_KINDS];
	uint64_t reserved[3];
};

#define STATS_LATENCIES 24u

/* Requests of one kind to a disk. latency[i] counts those that took less than 2^(10 + i) ns and no
 * less than half of that; the first also all shorter ones, the last all longer ones. */
struct stats_io {
	uint64_t requests; /* that have ended */
	uint64_t bytes;
	uint64_t errors; /* of requests: those that failed */
	uint64_t total_ns;
	uint64_t latency[STATS_LATENCIES];
};

enum stats_op {
	STATS_READ,
	STATS_WRITE,
	STATS_FLUSH,
	STATS_DISCARD, /* and write zeroes */
	STATS_OPS,
};

/* What every device's record begins with. */
struct stats_record {
	uint64_t sequence; /* odd: being taken or given up */
	uint64_t present;  /* 1: this is a device of the guest */
	char name[STATS_NAME_MAX]; /* "vda", "52:54:00:00:00:01" */
};

struct stats_disk {
	struct stats_record record;
	uint64_t size;      /* state */
	uint64_t in_flight; /* state: requests under way now, waiting ones among them */
	uint64_t waited_ns; /* that requests were held for a limit */
	uint64_t reserved[3];
	struct stats_io io[STATS_OPS];
};

/* Directions as the guest sees them. */
struct stats_nic {
	struct stats_record record;
	uint64_t link_up; /* state */
	uint64_t rx_bytes, rx_packets, rx_errors, rx_drops;
	uint64_t tx_bytes, tx_packets, tx_errors, tx_drops;
	uint64_t rx_waiting; /* state: frames that wait for the guest to take them */
	uint64_t waited_ns;  /* that frames were held for a limit */
	uint64_t reserved[3];
};

/* The file, and what a reader gets. */
struct stats_page {
	uint64_t magic;
	uint32_t version;
	uint32_t size;     /* of this struct */
	uint64_t sequence; /* odd: guest and vCPUs are being written */
	uint64_t reserved[5];
	struct stats_guest guest;
	struct stats_vcpu vcpus[STATS_VCPUS_MAX];
	struct stats_disk disks[STATS_DISKS_MAX];
	struct stats_nic nics[STATS_NICS_MAX];
};

/* ---- readers ---------------------------------------------------------------------------------------- */

#define STATS_ERROR stats_error_quark()
GQuark stats_error_quark(void);

enum stats_error {
	STATS_ERROR_FOREIGN, /* no such page, or of another version */
};

struct stats_reader;

/* Maps it read-only. Errors: G_FILE_ERROR, and STATS_ERROR for a file that is no whole page of this
 * version (also one that is not written yet). Who can shrink the file later can kill its reader
 * (SIGBUS): a monitor keeps no descriptor of it and its sandbox opens none. */
struct stats_reader *stats_reader_open(const char *path, GError **error);
void stats_reader_free(struct stats_reader *reader);

/* Copies what is in use: guest, and so many vCPUs, disks and network cards as guest.*_records says
 * (never more than there is room for; entries that are not present are skipped by the caller);
 * texts are ended. false: the writer was at it all the time, or has died at it; page is undefined
 * then. Makes no system call. */
bool stats_reader_read(const struct stats_reader *reader, struct stats_page *page);

/* ---- writers: the monitor ----------------------------------------------------------------------------- */

/* Makes the file anew (mode 0600) and maps it; its descriptor is closed. path NULL: memory of this
 * process only, for the same use without a reader. Errors: G_FILE_ERROR. */
struct stats_page *stats_page_new(const char *path, GError **error);
/* Unmaps it; the file stays. */
void stats_page_free(struct stats_page *page);

/* Around changes of guest and vCPUs; main thread. */
void stats_begin(struct stats_page *page);
void stats_end(struct stats_page *page);

/* An empty record of this name, which is cut off where it is too long; NULL where all are in use.
 * Main thread. */
struct stats_disk *stats_add_disk(struct stats_page *page, const char *name);
struct stats_nic *stats_add_nic(struct stats_page *page, const char *name);
/* The device is gone: nobody writes the record any more. NULL: nothing. */
void stats_remove_disk(struct stats_disk *disk);
void stats_remove_nic(struct stats_nic *nic);

/* Stores a word of the page. */
static inline void stats_set(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline uint64_t stats_get(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* For the one who writes it now: no atomic read-modify-write. */
static inline void stats_add(uint64_t *word, uint64_t amount)
{
	stats_set(word, stats_get(word) + amount);
}

/* The place in latency[] of a request that took so long. */
static inline unsigned stats_latency(uint64_t ns)
{
	unsigned bits = ns >> 10 ? 64u - (unsigned)__builtin_clzll(ns >> 10) : 0;

	return MIN(bits, STATS_LATENCIES - 1);
}

/* A request has ended. */
static inline void stats_io_ended(struct stats_io *io, uint64_t bytes, uint64_t ns, bool failed)
{
	stats_add(&io->requests, 1);
	stats_add(failed ? &io->errors : &io->bytes, failed ? 1 : bytes);
	stats_add(&io->total_ns, ns);
	stats_add(&io->latency[stats_latency(ns)], 1);
}
