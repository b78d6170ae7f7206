// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What everyday operations cost. Linked statically, so that the same program runs natively, in a
 * guest of ours and in a guest of QEMU.
 *
 *	guest_ops			processor and kernel: "NAME NANOSECONDS" a line
 *	guest_ops disk DEVICE		a disk, past the page cache: "NAME VALUE UNIT" a line
 *	guest_ops net ADDRESS PORT	the network to a `serve` elsewhere, likewise
 *	guest_ops serve PORT		the other end, for one client
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <emmintrin.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A loop does COUNT operations; what it returns keeps the compiler from leaving it out. */
struct loop {
	const char *name;
	uint64_t (*run)(uint64_t count);
};

static uint64_t integer(uint64_t count)
{
	uint64_t a = 0x9e3779b97f4a7c15, b = 1;

	for (uint64_t i = 0; i < count; i++) {
		a ^= a << 13;
		a ^= a >> 7;
		a ^= a << 17;
		b += a * 3 + i;
	}
	return b;
}

static uint64_t branchy(uint64_t count)
{
	static uint8_t composite[1 << 16];
	uint64_t primes = 0, done = 0;

	while (done < count) {
		memset(composite, 0, sizeof(composite));
		for (unsigned i = 2; i < sizeof(composite); i++) {
			if (composite[i])
				continue;
			primes++;
			for (unsigned j = 2 * i; j < sizeof(composite); j += i, done++)
				composite[j] = 1;
		}
	}
	return primes;
}

static uint64_t floating(uint64_t count)
{
	double x = 0.5, v = 0.1, t = 0;

	for (uint64_t i = 0; i < count; i++) {
		double f = -x / (1.0 + x * x);
		v += f * 0.01;
		x += v * 0.01;
		t += sqrt(v * v + 1.0);
	}
	return (uint64_t)t;
}

static uint64_t simd(uint64_t count)
{
	__m128i a = _mm_set_epi32(1, 2, 3, 4), b = _mm_set_epi32(9, 7, 5, 3);

	for (uint64_t i = 0; i < count; i++) {
		a = _mm_add_epi32(a, _mm_madd_epi16(b, a));
		b = _mm_xor_si128(_mm_slli_epi32(b, 1), _mm_unpacklo_epi8(a, b));
	}
	return (uint64_t)_mm_cvtsi128_si64(_mm_add_epi32(a, b));
}

#define COPY (1u << 20)

static uint64_t copy(uint64_t count)
{
	static char from[COPY], to[COPY];

	for (uint64_t i = 0; i < count; i++) {
		memcpy(to, from, COPY);
		from[i % COPY]++;
	}
	return (uint64_t)to[7];
}

static uint64_t rep_movsb(uint64_t count)
{
	static char from[4096], to[4096];

	for (uint64_t i = 0; i < count; i++) {
		void *d = to;
		const void *s = from;
		uint64_t n = sizeof(to);

		__asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
	}
	return (uint64_t)to[7];
}

static uint64_t system_call(uint64_t count)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < count; i++)
		sum += (uint64_t)syscall(SYS_getppid);
	return sum;
}

static uint64_t page_fault(uint64_t count)
{
	enum { PAGES = 1024 };

	for (uint64_t done = 0; done < count; done += PAGES) {
		char *map = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (map == MAP_FAILED)
			exit(1);
		madvise(map, PAGES * 4096, MADV_NOHUGEPAGE);
		for (unsigned i = 0; i < PAGES; i++)
			map[i * 4096] = 1;
		munmap(map, PAGES * 4096);
	}
	return count;
}

static uint64_t pipe_ping_pong(uint64_t count)
{
	int there[2], back[2];
	char byte = 0;
	pid_t child;

	if (pipe(there) < 0 || pipe(back) < 0)
		exit(1);
	child = fork();
	if (child == 0) {
		close(there[1]);
		while (read(there[0], &byte, 1) == 1)
			if (write(back[1], &byte, 1) != 1)
				break;
		_exit(0);
	}
	close(there[0]);
	for (uint64_t i = 0; i < count; i++)
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			exit(1);
	close(there[1]);
	close(back[0]);
	close(back[1]);
	waitpid(child, NULL, 0);
	return count;
}

static uint64_t fork_wait(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		if (child < 0 || waitpid(child, NULL, 0) != child)
			exit(1);
	}
	return count;
}

static const struct loop loops[] = {
	{"integer", integer},
	{"branchy", branchy},
	{"floating-point", floating},
	{"simd", simd},
	{"copy-1MiB", copy},
	{"rep-movsb-4KiB", rep_movsb},
	{"system-call", system_call},
	{"page-fault", page_fault},
	{"pipe-ping-pong", pipe_ping_pong},
	{"fork-wait", fork_wait},
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Doubles the count until a run takes long enough to trust, then takes the median of three. */
static double measure(const struct loop *loop)
{
	double best[3], spent = 0;
	uint64_t count = 16;
	volatile uint64_t sink;

	while (spent < 5e7) {
		double start = now_ns();

		count *= 2;
		sink = loop->run(count);
		spent = now_ns() - start;
	}
	for (int i = 0; i < 3; i++) {
		double start = now_ns(), took;
		int j = i;

		sink = loop->run(count);
		took = (now_ns() - start) / count;
		for (; j > 0 && best[j - 1] > took; j--)
			best[j] = best[j - 1];
		best[j] = took;
	}
	(void)sink;
	return best[1];
}

static void report(const char *name, double value, const char *unit)
{
	printf("%s %.1f %s\n", name, value, unit);
	fflush(stdout);
}

#define SECONDS 2e9 /* how long each of the following goes on, ns */
#define MIB (1u << 20)

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- disk ---------------------------------------------------------------------------------- */

struct disk {
	int fd;
	off_t size;
	char *buffer; /* 1 MiB, aligned */
};

/* One pass of blocks for a while; random ones jump by a large prime. Returns blocks a second. */
static double disk_pass(const struct disk *disk, size_t block, int writing, int jumping)
{
	off_t blocks = disk->size / (off_t)block, at = 0;
	double start = now_ns(), spent;
	unsigned long count = 0;

	do {
		ssize_t n = writing ? pwrite(disk->fd, disk->buffer, block, at * (off_t)block) :
				      pread(disk->fd, disk->buffer, block, at * (off_t)block);

		if (n != (ssize_t)block)
			die("disk");
		at = (at + (jumping ? 7919 : 1)) % blocks;
		count++;
		spent = now_ns() - start;
	} while (spent < SECONDS);
	if (writing && fdatasync(disk->fd) < 0)
		die("fdatasync");
	return count / ((now_ns() - start) / 1e9);
}

static int bench_disk(const char *path)
{
	struct disk disk = {.fd = open(path, O_RDWR | O_DIRECT)};

	if (disk.fd < 0 || posix_memalign((void **)&disk.buffer, 4096, MIB))
		die(path);
	memset(disk.buffer, 0x5a, MIB);
	disk.size = lseek(disk.fd, 0, SEEK_END);
	report("disk-write-1MiB", disk_pass(&disk, MIB, 1, 0) * MIB / 1e6, "MB/s");
	report("disk-read-1MiB", disk_pass(&disk, MIB, 0, 0) * MIB / 1e6, "MB/s");
	report("disk-write-4KiB", disk_pass(&disk, 4096, 1, 1), "op/s");
	report("disk-read-4KiB", disk_pass(&disk, 4096, 0, 1), "op/s");
	return 0;
}

/* ---- network ---------------------------------------------------------------------------------- */

/* What the client asks the server for, one byte ahead. */
enum { ASK_SEND = 's', ASK_RECEIVE = 'r', ASK_ECHO = 'e' };

static int connected(const char *address, const char *port, char ask)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, address, &to.sin_addr);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || write(fd, &ask, 1) != 1)
		die(address);
	return fd;
}

/* Bytes a second through one direction of a connection, by our own clock. */
static double stream(int fd, int sending)
{
	static char buffer[256 << 10];
	double start = now_ns(), spent;
	double bytes = 0;

	do {
		ssize_t n = sending ? write(fd, buffer, sizeof(buffer)) : read(fd, buffer, sizeof(buffer));

		if (n <= 0)
			break;
		bytes += (double)n;
		spent = now_ns() - start;
	} while (spent < SECONDS);
	return bytes / ((now_ns() - start) / 1e9);
}

static int bench_net(const char *address, const char *port)
{
	double start;
	unsigned long count = 0;
	char byte = 0;
	int fd = connected(address, port, ASK_SEND);

	report("net-receive", stream(fd, 0) / 1e6, "MB/s");
	close(fd);
	fd = connected(address, port, ASK_RECEIVE);
	report("net-send", stream(fd, 1) / 1e6, "MB/s");
	close(fd);
	fd = connected(address, port, ASK_ECHO);
	for (start = now_ns(); now_ns() - start < SECONDS; count++)
		if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
			die("echo");
	report("net-round-trip", count / ((now_ns() - start) / 1e9), "op/s");
	close(fd);
	return 0;
}

static void serve_one(int fd)
{
	static char buffer[256 << 10];
	char ask = 0;
	ssize_t n = read(fd, &ask, 1);

	while (n > 0) {
		if (ask == ASK_SEND)
			n = send(fd, buffer, sizeof(buffer), MSG_NOSIGNAL);
		else
			n = read(fd, buffer, sizeof(buffer));
		if (ask == ASK_ECHO && n > 0)
			n = send(fd, buffer, (size_t)n, MSG_NOSIGNAL);
	}
	close(fd);
}

/* For one client's three connections; gives up after a minute without one. */
static int serve(const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
		listen(listener, 4) < 0)
		die("serve");
	alarm(60);
	for (int i = 0; i < 3; i++)
		serve_one(accept(listener, NULL, NULL));
	return 0;
}

static int bench_processor(void)
{
	for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
		printf("%s %.2f\n", loops[i].name, measure(&loops[i]));
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return bench_processor();
	if (argc == 3 && !strcmp(argv[1], "disk"))
		return bench_disk(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "net"))
		return bench_net(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2]);
	fprintf(stderr, "usage: guest_ops [disk DEVICE | net ADDRESS PORT | serve PORT]\n");
	return 2;
}
