// SPDX-License-Identifier: GPL-3.0-or-later
// The program whose processor is asked: see native.h. It is one of its own, built without
// sanitizers, so that nothing but a case's own pages lies where stray addresses may point.
//
// Arguments: the shared memory's, the request pipe's and the answer pipe's file descriptor.
#include "config.h"

#include "tests/engine/native.h"

#include <asm/prctl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define SELECTOR_CODE64 0x33
#define SELECTOR_CODE32 0x23
#define SELECTOR_DATA 0x2b

// The signal handler has nowhere else to find them.
static struct native_shared *shared;
static unsigned running; // index of the case that runs; count before the first
static uint8_t *code_alias;
static sigjmp_buf batch_done;

static const int gregs[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

#define FRAME_SW_BYTES 464u // the kernel's own, at the end of the FXSAVE image

static void child_capture(const ucontext_t *user)
{
	struct native_case *test = &shared->cases[running];
	const greg_t *from = user->uc_mcontext.gregs;

	for (unsigned i = 0; i < 16; i++)
		test->out.gpr[i] = from[gregs[i]];
	test->out.rip = from[REG_RIP];
	test->out.rflags = from[REG_EFL];
	memcpy(&test->out.fx, user->uc_mcontext.fpregs, FRAME_SW_BYTES);
	test->vector = from[REG_TRAPNO];
	test->error = from[REG_ERR];
	test->cr2 = from[REG_CR2];
	memcpy(test->data, (void *)NATIVE_WRITABLE, NATIVE_DATA_SIZE);
}

static void child_restore_data(void)
{
	// The last page is read-only to the case and never changes.
	memcpy((void *)NATIVE_WRITABLE, shared->data, 2 * NATIVE_PAGE);
}

static void child_enter(ucontext_t *user)
{
	const struct native_case *test = &shared->cases[running];
	greg_t *to = user->uc_mcontext.gregs;
	uint8_t *frame = (uint8_t *)user->uc_mcontext.fpregs;
	uint64_t selectors = test->compat ? SELECTOR_CODE32 : SELECTOR_CODE64;

	child_restore_data();
	memset(code_alias, 0xcc, NATIVE_PAGE);
	memcpy(code_alias + test->offset, test->code, test->length);
	for (unsigned i = 0; i < 16; i++)
		to[gregs[i]] = test->in.gpr[i];
	to[REG_RIP] = test->in.rip;
	to[REG_EFL] = test->in.rflags;
	to[REG_CSGSFS] = (to[REG_CSGSFS] & 0x0000ffffffff0000) | selectors | (uint64_t)SELECTOR_DATA << 48;
	memcpy(frame, &test->in.fx, FRAME_SW_BYTES);
	*(uint64_t *)(frame + sizeof(struct soft_fx_image)) |= 3; // XSTATE_BV: x87 and SSE
}

static void child_on_signal(int number, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	if (number == SIGUSR1) {
		running = 0;
	} else {
		child_capture(user);
		running++;
	}
	if (running == shared->count)
		siglongjmp(batch_done, 1);
	child_enter(user);
}

static void child_handlers(void)
{
	static const int numbers[] = {SIGUSR1, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	static uint8_t stack[64 * 1024];
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {
		.sa_sigaction = child_on_signal,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};

	sigaltstack(&alternate, NULL);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}

static bool map_fixed(uint64_t address, size_t length, int protection, int flags, int fd)
{
	void *want = (void *)(uintptr_t)address;

	return mmap(want, length, protection, flags | MAP_FIXED_NOREPLACE, fd, 0) == want;
}

static bool child_map(void)
{
	int fd = memfd_create("native-code", 0);

	if (fd < 0 || ftruncate(fd, NATIVE_PAGE) != 0)
		return false;
	code_alias = mmap(NULL, NATIVE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (code_alias == MAP_FAILED)
		return false;
	if (!map_fixed(NATIVE_CODE, NATIVE_PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd))
		return false;
	if (!map_fixed(NATIVE_WRITABLE, NATIVE_DATA_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1))
		return false;
	memcpy((void *)NATIVE_WRITABLE, shared->data, NATIVE_DATA_SIZE);
	return mprotect((void *)(NATIVE_WRITABLE + 2 * NATIVE_PAGE), NATIVE_PAGE, PROT_READ) == 0;
}

static void child_segments(void)
{
	uint32_t data = SELECTOR_DATA;

	// 32-bit code needs them; 64-bit code does not look.
	__asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(data));
	syscall(SYS_arch_prctl, ARCH_SET_GS, NATIVE_GS_BASE);
}

int main(int argc, char **argv)
{
	int in, out;
	char byte;

	if (argc != 4)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, atoi(argv[1]), 0);
	in = atoi(argv[2]);
	out = atoi(argv[3]);
	if (shared == MAP_FAILED || !child_map())
		return 2;
	child_handlers();
	child_segments();
	while (read(in, &byte, 1) == 1) {
		if (sigsetjmp(batch_done, 0) == 0)
			raise(SIGUSR1);
		child_segments();
		if (write(out, &byte, 1) != 1)
			break;
	}
	return 0;
}
