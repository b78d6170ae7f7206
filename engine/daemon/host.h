// SPDX-License-Identifier: GPL-3.0-or-later
/* What the host is and has, from /proc and /sys. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct host {
	char model[32];  /* the machine's name, as uname(2) has it */
	uint64_t memory; /* KiB */
	int cpus;        /* online */
	int mhz;
	int sockets, cores, threads; /* sockets × cores × threads ≥ cpus */
};

void host_read(struct host *host);

/* A field of /proc/meminfo in KiB ("MemFree"), 0 when it is not there. */
uint64_t host_memory(const char *field);

/* Nanoseconds of all CPUs (cpu < 0) or of one; false: there is no such CPU. */
struct host_cpu_time {
	uint64_t kernel, user, idle, iowait;
};
bool host_cpu_time(int cpu, struct host_cpu_time *time);

/* CPU time of a process in ns, user and system; its resident memory in KiB. 0 when it is gone. */
struct host_process {
	uint64_t user, system, rss;
};
void host_process(int pid, struct host_process *process);

/* libvirt's <capabilities> and <domainCapabilities>; emulator is lodge-vmm's path. g_free() them.
 */
char *host_capabilities(const char *emulator);
char *host_domain_capabilities(const char *emulator, bool kvm, const char *machine);
bool host_has_kvm(void);
/* libvirt's <sysinfo> of the host's SMBIOS; NULL: it has none. g_free() it. */
char *host_sysinfo(void);
