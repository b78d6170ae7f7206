// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "tests/engine/native.h"

#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_MS 300000 // other tests and guests may have the machine

struct native {
	struct native_shared *shared;
	pid_t child;
	int to_child, from_child;
	int compat; // -1: not known yet
};

// The child's program lies beside the test's.
static _Noreturn void exec_child(int memory, int in, int out)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *directory = g_path_get_dirname(self);
	g_autofree char *program = g_build_filename(directory, "native_child", NULL);
	char arguments[3][12];

	g_snprintf(arguments[0], sizeof(arguments[0]), "%d", memory);
	g_snprintf(arguments[1], sizeof(arguments[1]), "%d", in);
	g_snprintf(arguments[2], sizeof(arguments[2]), "%d", out);
	execl(program, program, arguments[0], arguments[1], arguments[2], NULL);
	_exit(2);
}

struct native *native_new(const uint8_t data[NATIVE_DATA_SIZE])
{
	struct native *native = g_new0(struct native, 1);
	int memory = memfd_create("native", 0);
	int down[2], up[2];

	g_assert(memory >= 0 && ftruncate(memory, sizeof(*native->shared)) == 0);
	native->shared = mmap(NULL, sizeof(*native->shared), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	g_assert(native->shared != MAP_FAILED);
	memcpy(native->shared->data, data, NATIVE_DATA_SIZE);
	g_assert(pipe(down) == 0 && pipe(up) == 0);
	native->child = fork();
	g_assert(native->child >= 0);
	if (native->child == 0) {
		close(down[1]);
		close(up[0]);
		exec_child(memory, down[0], up[1]);
	}
	close(memory);
	close(down[0]);
	close(up[1]);
	native->to_child = down[1];
	native->from_child = up[0];
	native->compat = -1;
	return native;
}

void native_free(struct native *native)
{
	close(native->to_child);
	close(native->from_child);
	kill(native->child, SIGKILL);
	waitpid(native->child, NULL, 0);
	munmap(native->shared, sizeof(*native->shared));
	g_free(native);
}

struct native_case *native_cases(struct native *native)
{
	return native->shared->cases;
}

void native_run(struct native *native, unsigned count)
{
	struct pollfd answer = {.fd = native->from_child, .events = POLLIN};
	char byte = 0;

	g_assert(count >= 1 && count <= NATIVE_BATCH);
	native->shared->count = count;
	g_assert(write(native->to_child, &byte, 1) == 1);
	if (poll(&answer, 1, TIMEOUT_MS) != 1)
		g_error("The native child hangs.");
	if (read(native->from_child, &byte, 1) != 1)
		g_error("The native child died.");
}

bool native_has_compat(struct native *native)
{
	// 48 b8 ...: DEC EAX, MOV EAX, imm32 there; MOV RAX, imm64 in 64-bit code.
	static const uint8_t code[] = {0x48, 0xb8, 1, 2, 3, 4, 0xcc, 0xcc, 0xcc, 0xcc};
	struct native_case *test = &native->shared->cases[0];

	if (native->compat >= 0)
		return native->compat;
	memset(test, 0, sizeof(*test));
	test->compat = true;
	test->length = sizeof(code);
	memcpy(test->code, code, sizeof(code));
	test->in.rip = NATIVE_CODE;
	test->in.rflags = 0x202;
	test->in.fx.mxcsr = SOFT_MXCSR_DEFAULT;
	test->in.fx.fcw = 0x37f;
	native_run(native, 1);
	native->compat = test->vector == 3 && test->out.rip == NATIVE_CODE + 7;
	return native->compat;
}
