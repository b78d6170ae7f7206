// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What everyday operations cost: printed as "NAME NANOSECONDS" a line. Linked statically, so that
 * the same program runs natively, in a guest of ours and in a guest of QEMU.
 */
#include <emmintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

int main(void)
{
	for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
		printf("%s %.2f\n", loops[i].name, measure(&loops[i]));
		fflush(stdout);
	}
	return 0;
}
