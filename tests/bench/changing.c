// SPDX-License-Identifier: GPL-3.0-or-later
// Loaded before the libraries (LD_PRELOAD) by bench_console, for what cannot be had from outside:
//
// Counters that change. libvirt's test driver counts nothing, so that each guest gets counters here
// which grow at each call, every guest's at another pace.
//
// How long the main thread was away from input: from the return of a poll() to the next. Written at
// the end to the file that BENCH_AWAY names, a line for each time: wall clock and own CPU time, µs.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// ---- counters ----------------------------------------------------------------------------------

static void add(virDomainStatsRecordPtr record, int *room, const char *name, unsigned long long value)
{
	virTypedParamsAddULLong(&record->params, &record->nparams, room, name, value);
}

static void count(virDomainStatsRecordPtr record, unsigned guest, unsigned long long call)
{
	// Moves up and down within 0 to 999, differently for each guest.
	unsigned long long pace = (call * (guest % 97 + 3) * 37) % 1000;
	int room = record->nparams;

	add(record, &room, "cpu.time", call * 1000000000 + pace * 700000);
	add(record, &room, "balloon.current", 2097152);
	add(record, &room, "balloon.maximum", 4194304);
	add(record, &room, "balloon.available", 2000000);
	add(record, &room, "balloon.unused", 1900000 - pace * 1700);
	add(record, &room, "balloon.rss", 1500000 + pace * 100);
	virTypedParamsAddUInt(&record->params, &record->nparams, &room, "block.count", 1);
	virTypedParamsAddString(&record->params, &record->nparams, &room, "block.0.name", "vda");
	add(record, &room, "block.0.rd.bytes", call * 1000000 + pace * pace * 3);
	add(record, &room, "block.0.rd.reqs", call * 100 + pace);
	add(record, &room, "block.0.wr.bytes", call * 3000000 + pace * pace * 7);
	add(record, &room, "block.0.wr.reqs", call * 300 + pace);
	virTypedParamsAddUInt(&record->params, &record->nparams, &room, "net.count", 1);
	virTypedParamsAddString(&record->params, &record->nparams, &room, "net.0.name", "vnet0");
	add(record, &room, "net.0.rx.bytes", call * 2000000 + pace * pace * 2);
	add(record, &room, "net.0.tx.bytes", call * 1000000 + pace * pace);
	add(record, &room, "vcpu.current", 2);
	add(record, &room, "vcpu.maximum", 4);
	add(record, &room, "vcpu.0.time", call * 500000000 + pace * 300000);
	add(record, &room, "vcpu.1.time", call * 500000000 + pace * 400000);
}

int virConnectGetAllDomainStats(virConnectPtr connection, unsigned stats,
	virDomainStatsRecordPtr **records, unsigned flags)
{
	static int (*real)(virConnectPtr, unsigned, virDomainStatsRecordPtr **, unsigned);
	static unsigned long long calls;
	int n;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "virConnectGetAllDomainStats");
	n = real(connection, stats, records, flags);
	calls++;
	for (int i = 0; i < n; i++)
		count((*records)[i], (unsigned)i, calls);
	return n;
}

// ---- away from input ---------------------------------------------------------------------------

#define TIMES 100000

static struct away {
	long wall, cpu;
} times[TIMES];
static unsigned n_times;

static long now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	static int (*real)(struct pollfd *, nfds_t, int);
	static struct away since;
	int result;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "poll");
	if (syscall(SYS_gettid) != getpid())
		return real(fds, n, timeout);
	if (since.wall && n_times < TIMES)
		times[n_times++] = (struct away){
			now(CLOCK_MONOTONIC) - since.wall, now(CLOCK_THREAD_CPUTIME_ID) - since.cpu};
	result = real(fds, n, timeout);
	since = (struct away){now(CLOCK_MONOTONIC), now(CLOCK_THREAD_CPUTIME_ID)};
	return result;
}

__attribute__((destructor)) static void tell(void)
{
	const char *path = getenv("BENCH_AWAY");
	FILE *file = path ? fopen(path, "w") : NULL;

	for (unsigned i = 0; file && i < n_times; i++)
		fprintf(file, "%ld %ld\n", times[i].wall, times[i].cpu);
	if (file)
		fclose(file);
}
