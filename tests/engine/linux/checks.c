// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What an ordinary program uses of processor and kernel, each with a result in one line. The test
 * runs it on the host as well: both must write the same. Linked statically, without libm (whose
 * functions differ with the processor).
 */
#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash ^= value;
	hash *= 0x100000001b3ull;
	return hash ^ hash >> 29;
}

static uint64_t mix_double(uint64_t hash, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return mix(hash, bits);
}

static uint64_t mix_long_double(uint64_t hash, long double value)
{
	uint64_t bits[2] = { 0, 0 };

	memcpy(bits, &value, 10);
	return mix(mix(hash, bits[0]), bits[1]);
}

static uint64_t random_state = 88172645463325252ull;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* ---- processes ------------------------------------------------------------------------------- */

static void check_forks(void)
{
	unsigned sum = 0;

	for (int i = 0; i < 100; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			_exit(i * 2 & 0xff);
		if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
			sum += (unsigned)WEXITSTATUS(status);
	}
	printf("forks %u\n", sum);
}

/* Bytes go to a child and come back, changed. */
static void check_pipes(void)
{
	int there[2], back[2];
	uint8_t block[4096];
	uint64_t hash = 1;
	pid_t pid;

	if (pipe(there) || pipe(back))
		return;
	pid = fork();
	if (pid == 0) {
		close(there[1]);
		for (ssize_t n; (n = read(there[0], block, sizeof(block))) > 0;) {
			for (ssize_t i = 0; i < n; i++)
				block[i] ^= 0x5a;
			if (write(back[1], block, (size_t)n) != n)
				break;
		}
		_exit(0);
	}
	close(there[0]);
	for (int round = 0; round < 500; round++) {
		size_t length = 1 + next_random() % sizeof(block);

		for (size_t i = 0; i < length; i++)
			block[i] = (uint8_t)next_random();
		if (write(there[1], block, length) != (ssize_t)length)
			return;
		for (size_t at = 0; at < length;) {
			ssize_t n = read(back[0], block + at, length - at);

			if (n <= 0)
				return;
			at += (size_t)n;
		}
		for (size_t i = 0; i < length; i++)
			hash = mix(hash, block[i]);
	}
	close(there[1]);
	waitpid(pid, NULL, 0);
	printf("pipes %016lx\n", hash);
}

/* ---- signals --------------------------------------------------------------------------------- */

static volatile sig_atomic_t alarms;
static sigjmp_buf jump;
static volatile uintptr_t fault_address;
static volatile int fault_code;

static void on_alarm(int number)
{
	alarms++;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	fault_address = (uintptr_t)info->si_addr;
	fault_code = info->si_code;
	siglongjmp(jump, number);
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigaction(number, &action, NULL);
}

static void check_signals(void)
{
	struct timespec interval = { 0, 2000000 };
	struct itimerspec when = { interval, interval };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	uint8_t *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile int zero = 0;
	timer_t timer;
	int number;

	signal(SIGALRM, on_alarm);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &when, NULL);
	while (alarms < 20)
		pause();
	timer_delete(timer);
	printf("alarms come\n");

	handle(SIGSEGV, on_fault);
	handle(SIGFPE, on_fault);
	handle(SIGILL, on_fault);
	handle(SIGTRAP, on_fault);
	number = sigsetjmp(jump, 1);
	if (!number)
		*(volatile uint8_t *)(page + 5000) = 1;
	printf("fault %d at %ld code %d\n", number, (long)(fault_address - (uintptr_t)page),
		fault_code);
	number = sigsetjmp(jump, 1);
	if (!number)
		printf("%d\n", 5 / zero);
	printf("division %d code %d\n", number, fault_code);
	number = sigsetjmp(jump, 1);
	if (!number)
		__asm__ volatile("ud2");
	printf("illegal %d\n", number);
	number = sigsetjmp(jump, 1);
	if (!number)
		__asm__ volatile("int3");
	printf("trap %d\n", number);
	number = sigsetjmp(jump, 1);
	if (!number)
		__asm__ volatile("hlt");
	printf("privileged %d\n", number);
	feclearexcept(FE_ALL_EXCEPT);
	feenableexcept(FE_DIVBYZERO);
	number = sigsetjmp(jump, 1);
	if (!number) {
		volatile double one = 1, nothing = 0;

		printf("%f\n", one / nothing);
	}
	fedisableexcept(FE_ALL_EXCEPT);
	feclearexcept(FE_ALL_EXCEPT);
	printf("float division %d code %d\n", number, fault_code);
}

/* ---- threads --------------------------------------------------------------------------------- */

#define THREADS 8
#define ROUNDS 20000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;
static uint64_t guarded;
static atomic_ulong counter;
static __thread uint64_t own;

static void *count(void *data)
{
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		guarded++;
		pthread_mutex_unlock(&mutex);
		atomic_fetch_add(&counter, 3);
		own++;
	}
	return (void *)(uintptr_t)own;
}

static void check_threads(void)
{
	pthread_t threads[THREADS];
	uintptr_t owns = 0;

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, count, NULL);
	for (int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		owns += (uintptr_t)result;
	}
	printf("threads %lu %lu %lu\n", guarded, atomic_load(&counter), owns);
}

/* ---- memory and code --------------------------------------------------------------------------- */

static void check_code(void)
{
	uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int (*run)(void) = (int (*)(void))code;
	uint64_t hash = 1;

	memcpy(code, "\xb8\0\0\0\0\xc3", 6); /* mov $0, %eax; ret */
	for (uint32_t i = 0; i < 2000; i++) {
		memcpy(code + 1, &i, 4);
		hash = mix(hash, (uint64_t)run());
	}
	printf("code %016lx\n", hash);
}

static void check_memory(void)
{
	size_t size = 16 << 20;
	uint8_t *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t hash = 1;

	for (size_t i = 0; i < size; i += 8) {
		uint64_t value = next_random();

		memcpy(at + i, &value, 8);
	}
	memmove(at + 4097, at, size / 2);
	memset(at + 12345, 7, 54321);
	for (size_t i = 0; i < size; i += 64) {
		uint64_t value;

		memcpy(&value, at + i, 8);
		hash = mix(hash, value);
	}
	munmap(at, size);
	printf("memory %016lx\n", hash);
}

/* ---- floating point ---------------------------------------------------------------------------- */

static double random_double(void)
{
	return (double)(int64_t)next_random() / (double)((next_random() & 0xffffff) + 1);
}

static void check_sse(void)
{
	static const int modes[] = { FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO };
	uint64_t hash = 1;

	for (int i = 0; i < 100000; i++) {
		volatile double a = random_double(), b = random_double();
		volatile float f = (float)a, g = (float)b;
		double root;

		fesetround(modes[i & 3]);
		hash = mix_double(hash, a + b);
		hash = mix_double(hash, a * b - a);
		hash = mix_double(hash, a / b);
		__asm__("sqrtsd %1, %0" : "=x"(root) : "x"(a < 0 ? -a : a));
		hash = mix_double(hash, root);
		hash = mix_double(hash, (double)(f * g + f / g));
		hash = mix(hash, (uint64_t)(int64_t)(a / 1e6));
		hash = mix(hash, (uint64_t)(a < b) | (uint64_t)(f >= g) << 1);
	}
	hash = mix(hash, (uint64_t)fetestexcept(FE_ALL_EXCEPT));
	fesetround(FE_TONEAREST);
	printf("sse %016lx\n", hash);
}

static long double x87_function(int which, long double x)
{
	long double y;

	switch (which) {
	case 0:
		__asm__("fsin" : "=t"(y) : "0"(x));
		return y;
	case 1:
		__asm__("fcos" : "=t"(y) : "0"(x));
		return y;
	case 2:
		__asm__("fsqrt" : "=t"(y) : "0"(x));
		return y;
	case 3:
		__asm__("frndint" : "=t"(y) : "0"(x));
		return y;
	case 4:
		__asm__("fpatan" : "=t"(y) : "0"(x), "u"(1.25L) : "st(1)");
		return y;
	default:
		__asm__("fyl2x" : "=t"(y) : "0"(x + 1), "u"(2.5L) : "st(1)");
		return y;
	}
}

static void check_x87(void)
{
	uint64_t hash = 1;

	for (int i = 0; i < 30000; i++) {
		volatile long double a = (long double)random_double(), b = random_double();
		long double x = (long double)(next_random() & 0xffffffffff) / 0x1000000000p0L;

		hash = mix_long_double(hash, a + b);
		hash = mix_long_double(hash, a * b);
		hash = mix_long_double(hash, a / b - b);
		hash = mix_long_double(hash, x87_function(i % 6, x));
		hash = mix_double(hash, (double)a);
		hash = mix(hash, (uint64_t)(int64_t)(a / 1e6L));
	}
	printf("x87 %016lx\n", hash);
}

static void check_vectors(void)
{
	typedef int32_t v4 __attribute__((vector_size(16)));
	typedef uint8_t v16 __attribute__((vector_size(16)));
	typedef float f4 __attribute__((vector_size(16)));
	v4 a = { 1, 2, 3, 4 }, b = { 5, -6, 7, -8 };
	v16 bytes = { 0 };
	f4 f = { 1, 2, 3, 4 };
	uint64_t hash = 1, words[2];

	for (int i = 0; i < 50000; i++) {
		a = a * b + (a >> 3) - (v4){ i, i, i, i };
		b ^= a;
		b = (v4){ b[3], b[0], b[1], b[2] };
		bytes += (v16)a;
		bytes ^= bytes << 1;
		f = f * 0.75f + (f4){ 1, i, 3, 4 };
	}
	memcpy(words, &bytes, 16);
	hash = mix(mix(hash, words[0]), words[1]);
	memcpy(words, &f, 16);
	hash = mix(mix(hash, words[0]), words[1]);
	printf("vectors %016lx\n", hash);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	check_forks();
	check_pipes();
	check_signals();
	check_threads();
	check_code();
	check_memory();
	check_sse();
	check_x87();
	check_vectors();
	return 0;
}
