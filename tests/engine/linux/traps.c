// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What debuggers, emulators and old programs use of the processor: single step, breakpoints,
 * segments of one's own, exceptions with their codes. Each has a result in one line; host and guest
 * must write the same. Linked statically.
 */
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/* ---- exceptions: signal, code, trap number, error code ---- */

static sigjmp_buf jump;
static volatile long caught[4];

static void on_fault(int number, siginfo_t *info, void *data)
{
	ucontext_t *context = data;

	caught[0] = number;
	caught[1] = info->si_code;
	caught[2] = context->uc_mcontext.gregs[REG_TRAPNO];
	caught[3] = context->uc_mcontext.gregs[REG_ERR];
	siglongjmp(jump, 1);
}

static void catch_all(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	static uint8_t memory[65536];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};

	sigaltstack(&stack, NULL);

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &action, NULL);
}

#define TRAP(name, ...)                                                                            \
	do {                                                                                       \
		if (sigsetjmp(jump, 1) == 0) {                                                     \
			__asm__ volatile(__VA_ARGS__);                                             \
			printf("%s: nothing\n", name);                                             \
		} else {                                                                           \
			printf("%s: signal %ld code %ld trap %ld error %lx\n", name, caught[0],    \
				caught[1], caught[2], caught[3]);                                  \
		}                                                                                  \
	} while (0)

static void check_exceptions(void)
{
	uint8_t *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	TRAP("div", "xor %%ecx, %%ecx; div %%ecx" ::: "eax", "ecx", "edx");
	TRAP("ud2", "ud2");
	TRAP("int3", "int3");
	TRAP("int 3", ".byte 0xcd, 3");
	TRAP("int1", ".byte 0xf1");
	TRAP("int 0x50", "int $0x50");
	TRAP("hlt", "hlt");
	TRAP("cli", "cli");
	TRAP("in", "in $0x80, %%al" ::: "eax");
	TRAP("outs", "mov $0x80, %%edx; outsb" ::: "edx", "rsi");
	TRAP("wrmsr", "wrmsr");
	TRAP("rdpmc", "rdpmc" ::: "eax", "edx");
	TRAP("lgdt", "lgdt (%%rsp)" ::: "memory");
	TRAP("ltr", "xor %%eax, %%eax; ltr %%ax" ::: "eax");
	TRAP("swapgs", "swapgs");
	TRAP("sysret", "sysretq");
	TRAP("iret", "pushq $0; pushq $0; pushq $0; pushq $0; pushq $0; iretq" ::: "memory");
	TRAP("null read", "mov 0, %%eax" ::: "eax");
	TRAP("write to read-only", "movl $1, (%0)" ::"r"(page) : "memory");
	TRAP("add to read-only", "addl $1, (%0)" ::"r"(page) : "memory");
	TRAP("execute data", "call *%0" ::"r"(page) : "memory");
	TRAP("kernel address", "mov (%0), %%eax" ::"r"(0xffffffff81000000ull) : "eax");
	TRAP("non-canonical", "mov (%0), %%eax" ::"r"(0x8000000000000000ull) : "eax");
	TRAP("non-canonical stack",
		"mov %%rsp, %%rbx; mov %0, %%rsp; pop %%rax; mov %%rbx, %%rsp" ::"r"(
			0x8000000000000000ull)
		: "rax", "rbx");
	TRAP("non-canonical jump", "jmp *%0" ::"r"(0x8000000000000000ull));
	TRAP("unaligned SSE", "movaps 1(%%rsp), %%xmm0" ::: "xmm0");
	TRAP("bad segment", "mov $0x7b, %%eax; mov %%eax, %%es" ::: "eax");
	TRAP("null stack segment", "xor %%eax, %%eax; mov %%eax, %%ss" ::: "eax");
	TRAP("far jump", ".byte 0x48; ljmp *(%0)" ::"a"(page));
	TRAP("lock on a register", ".byte 0xf0, 0x01, 0xc0");
	munmap(page, 4096);
}

/* ---- TF set by the program itself ---- */

static volatile unsigned steps;

static void on_step(int number, siginfo_t *info, void *data)
{
	steps++;
}

static void check_self_step(void)
{
	struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};

	sigaction(SIGTRAP, &action, NULL);
	__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop; mov $5, %%ecx; 1: loop 1b;"
			 "mov $39, %%eax; syscall; nop; cpuid; rdtsc; pushfq; andl $~0x100, "
			 "(%%rsp); popfq; nop" ::
				 : "rax", "rbx", "rcx", "rdx", "r11", "memory");
	printf("steps of its own: %u\n", steps);
}

/* ---- a traced child ---- */

static void __attribute__((noinline)) body(volatile uint64_t *cell, uint8_t *text)
{
	for (int i = 0; i < 20; i++)
		cell[i & 1] += i;
	/* Not memset: the C library's choice of instructions differs with the processor. */
	for (int i = 0; i < 300; i++)
		((volatile uint8_t *)text)[i] = 'x';
	syscall(SYS_getppid);
	__asm__ volatile("pushfq; pop %%rax; std; cld; lea 1f(%%rip), %%rax; jmp *%%rax; 1: nop" ::
				 : "rax");
}

static uint64_t cells[2];
static uint8_t text[512];

static pid_t start_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		body(cells, text);
		__asm__ volatile("int3");
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return pid;
}

static void end_child(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* A hash of where it goes within this program. */
static void check_step(void)
{
	struct user_regs_struct regs;
	pid_t pid = start_child();
	unsigned count = 0, inside = 0, status = 0;
	uint64_t hash = 0;

	while (count < 100000) {
		int s;
		ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
		waitpid(pid, &s, 0);
		status = (unsigned)s;
		ptrace(PTRACE_GETREGS, pid, 0, &regs);
		count++;
		if (regs.rip - (uintptr_t)body < 400) {
			inside++;
			hash = hash * 31 + (regs.rip - (uintptr_t)body);
		}
		if (ptrace(PTRACE_PEEKTEXT, pid, regs.rip - 1, 0) % 256 == 0xcc && inside > 100)
			break;
	}
	printf("steps in body: %u, way %016lx, status %x\n", inside, hash, status);
	end_child(pid);
}

static void set_debug(pid_t pid, unsigned number, unsigned long value)
{
	if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[number]), value) != 0)
		printf("debug register %u: %s\n", number, strerror(errno));
}

static void check_watch(
	const char *name, unsigned long address, unsigned long control, unsigned most)
{
	struct user_regs_struct regs;
	pid_t pid = start_child();
	unsigned hits = 0;
	uint64_t hash = 0;
	int status;

	set_debug(pid, 0, address);
	set_debug(pid, 7, control);
	while (hits < most) {
		ptrace(PTRACE_CONT, pid, 0, 0);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
			break;
		unsigned long dr6 = (unsigned long)ptrace(
			PTRACE_PEEKUSER, pid, offsetof(struct user, u_debugreg[6]), 0);
		if (!(dr6 & 1))
			break;
		set_debug(pid, 6, 0);
		ptrace(PTRACE_GETREGS, pid, 0, &regs);
		hash = hash * 31 +
		       (regs.rip - (uintptr_t)body < 400 ? regs.rip - (uintptr_t)body : 0);
		hits++;
	}
	printf("%s: %u hits, %016lx, last status %x\n", name, hits, hash, (unsigned)status);
	end_child(pid);
}

/* ---- segments of one's own ---- */

static void check_ldt(void)
{
	static uint8_t memory[4096];
	struct user_desc d = {
		.entry_number = 3,
		.base_addr = 0,
		.limit = 0xfff,
		.seg_32bit = 1,
	};
	uint8_t *low = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	uint32_t value = 0, rights = 0, limit = 0;

	memset(memory, 0, sizeof(memory));
	d.base_addr = 0x10000000;
	low[16] = 0x77;
	if (syscall(SYS_modify_ldt, 1, &d, sizeof(d)) != 0)
		printf("modify_ldt: %s\n", strerror(errno));
	__asm__ volatile("mov %2, %%gs; mov %%gs:16, %0; lar %2, %1"
			 : "=r"(value), "=r"(rights)
			 : "r"(3 * 8 + 7));
	__asm__ volatile("lsl %1, %0" : "=r"(limit) : "r"(3 * 8 + 7));
	printf("ldt: %x rights %x limit %x\n", value, rights & 0xf0ff00, limit);
	__asm__ volatile("mov %0, %%gs" ::"r"(0));
	munmap(low, 4096);
}

static void check_arch(void)
{
	uint64_t base = 0, value;

	syscall(SYS_arch_prctl, ARCH_SET_GS, &base);
	base = 0x1234;
	__asm__ volatile("mov %%gs:0, %0" : "=r"(value));
	printf("gs: %lx\n", value);
	for (unsigned selector = 0; selector < 0x100; selector += 8) {
		uint32_t rights = 0;
		uint8_t known, r, w;
		__asm__ volatile("lar %2, %0; setz %1"
				 : "+r"(rights), "=q"(known)
				 : "r"(selector | 3));
		__asm__ volatile("verr %w1; setz %0" : "=q"(r) : "r"(selector | 3));
		__asm__ volatile("verw %w1; setz %0" : "=q"(w) : "r"(selector | 3));
		/* Not the one that holds the processor's number. */
		if (known && selector != 0x78)
			printf("selector %x: %x %u %u\n", selector, rights & 0xf0ff00, r, w);
	}
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	check_ldt();
	check_arch();
	check_self_step();
	check_step();
	check_watch("writes", (unsigned long)&cells[1], 1 | 0x1 << 16 | 2 << 18, 100);
	check_watch("accesses", (unsigned long)&cells[0], 1 | 0x3 << 16 | 2 << 18, 100);
	check_watch("a byte of a string", (unsigned long)&text[150], 1 | 0x1 << 16 | 0 << 18, 100);
	check_watch("execution", (unsigned long)body, 1, 100);
	catch_all();
	check_exceptions();
	return 0;
}
