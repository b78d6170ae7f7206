// SPDX-License-Identifier: GPL-3.0-or-later
#include "config.h"

#include "engine/vmm/cpu/soft/stub.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define SLOT_SIZE 64u
#define SLOTS 32768u
#define POOL_SIZE ((size_t)SLOT_SIZE * SLOTS)
#define FAULT_SLOT 0u   // where the SIGFPE handler sends a stub
#define SCRATCH_SLOT 1u // rewritten by soft_stub_scratch()
#define FIRST_SLOT 2u
#define BUCKETS (2 * SLOTS)

struct soft_stubs {
	uint8_t *write;         // the pool, writable
	const uint8_t *run;     // the same memory, executable
	unsigned used;          // slots taken
	uint16_t *bucket;       // open-addressed hash of slot contents; 0 = empty
};

struct code {
	uint8_t bytes[SLOT_SIZE]; // padded with INT3
	unsigned length;
};

// The pool whose stubs this thread runs, for the SIGFPE handler.
static _Thread_local struct soft_stubs *entered;

static void stub_on_sigfpe(int signal_number, siginfo_t *info, void *context)
{
	ucontext_t *user = context;
	uintptr_t rip = user->uc_mcontext.gregs[REG_RIP];
	const struct soft_stubs *stubs = entered;

	if (stubs && rip - (uintptr_t)stubs->run < POOL_SIZE)
		user->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)stubs->run;
	else
		signal(SIGFPE, SIG_DFL); // the instruction runs again and ends the process
}

void soft_stubs_handle_sigfpe(void)
{
	struct sigaction action = {
		.sa_sigaction = stub_on_sigfpe,
		.sa_flags = SA_SIGINFO,
	};

	sigaction(SIGFPE, &action, NULL);
}

void soft_stubs_enter(struct soft_stubs *stubs)
{
	entered = stubs;
}

static bool stubs_map(struct soft_stubs *stubs, int fd)
{
	void *write, *run;

	if (ftruncate(fd, POOL_SIZE) != 0)
		return false;
	write = mmap(NULL, POOL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (write == MAP_FAILED)
		return false;
	stubs->write = write;
	run = mmap(NULL, POOL_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	if (run == MAP_FAILED)
		return false;
	stubs->run = run;
	return true;
}

struct soft_stubs *soft_stubs_new(GError **error)
{
	static const uint8_t fault[] = {0x48, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xc3};
	struct soft_stubs *stubs = g_new0(struct soft_stubs, 1);
	int fd = memfd_create("lodge-stubs", MFD_CLOEXEC);
	bool mapped = fd >= 0 && stubs_map(stubs, fd);
	int cause = errno;

	if (fd >= 0)
		close(fd);
	if (!mapped) {
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(cause),
			_("Cannot get executable memory for the software processor: %s"),
			g_strerror(cause));
		soft_stubs_free(stubs);
		return NULL;
	}
	memcpy(stubs->write + FAULT_SLOT * SLOT_SIZE, fault, sizeof(fault));
	stubs->used = FIRST_SLOT;
	stubs->bucket = g_new0(uint16_t, BUCKETS);
	soft_stubs_handle_sigfpe();
	return stubs;
}

void soft_stubs_free(struct soft_stubs *stubs)
{
	if (!stubs)
		return;
	if (entered == stubs)
		entered = NULL;
	if (stubs->write)
		munmap(stubs->write, POOL_SIZE);
	if (stubs->run)
		munmap((void *)stubs->run, POOL_SIZE);
	g_free(stubs->bucket);
	g_free(stubs);
}

static void emit(struct code *code, const char *bytes, unsigned count)
{
	g_assert(code->length + count <= SLOT_SIZE);
	memcpy(code->bytes + code->length, bytes, count);
	code->length += count;
}

// A string literal of machine code, without its terminating zero.
#define EMIT(code, literal) emit(code, literal, sizeof(literal) - 1)

static void emit_byte(struct code *code, uint8_t byte)
{
	emit(code, (const char *)&byte, 1);
}

static void emit_loads(struct code *code, const struct soft_stub_spec *spec)
{
	if (spec->traits & SOFT_STUB_FLAGS_IN)
		EMIT(code, "\x52\x9d"); // push rdx; popfq
	if (spec->traits & SOFT_STUB_XMM0)
		EMIT(code, "\x0f\x10\x01"); // movups xmm0, [rcx]
	if (spec->traits & SOFT_STUB_MASK)
		EMIT(code, "\x49\x89\xca"); // mov r10, rcx
	if (spec->traits & (SOFT_STUB_LENGTHS | SOFT_STUB_INDEX))
		EMIT(code, "\x49\x89\xd1"); // mov r9, rdx
	if (spec->traits & SOFT_STUB_LENGTHS)
		EMIT(code, "\x49\x8b\x01\x49\x8b\x51\x10"); // mov rax, [r9]; mov rdx, [r9+16]
	if (spec->reg == SOFT_STUB_XMM)
		EMIT(code, "\x0f\x10\x0f"); // movups xmm1, [rdi]
	else if (spec->reg == SOFT_STUB_GPR)
		EMIT(code, "\x48\x8b\x07"); // mov rax, [rdi]
	if (spec->rm == SOFT_STUB_XMM)
		EMIT(code, "\x0f\x10\x16"); // movups xmm2, [rsi]
	else if (spec->rm == SOFT_STUB_GPR)
		EMIT(code, "\x48\x8b\x0e"); // mov rcx, [rsi]
}

static uint8_t stub_modrm(const struct soft_stub_spec *spec)
{
	static const uint8_t reg_number[] = {
		[SOFT_STUB_XMM] = 1,
		[SOFT_STUB_GPR] = 0,
	};
	static const uint8_t rm_bits[] = {
		[SOFT_STUB_XMM] = 0xc2,
		[SOFT_STUB_GPR] = 0xc1,
		[SOFT_STUB_MEM] = 0x06, // [rsi]
	};
	bool own_reg = spec->reg == SOFT_STUB_NONE || spec->reg == SOFT_STUB_MMX;
	bool own_rm = spec->rm == SOFT_STUB_NONE || spec->rm == SOFT_STUB_MMX;
	uint8_t reg = own_reg ? spec->modrm & 0x38 : reg_number[spec->reg] << 3;

	return reg | (own_rm ? spec->modrm & 0xc7 : rm_bits[spec->rm]);
}

static void emit_instruction(struct code *code, const struct soft_stub_spec *spec)
{
	if (spec->prefix)
		emit_byte(code, spec->prefix);
	if (spec->rex_w)
		emit_byte(code, 0x48);
	if (spec->map >= 1)
		emit_byte(code, 0x0f);
	if (spec->map >= 2)
		emit_byte(code, spec->map == 2 ? 0x38 : 0x3a);
	emit_byte(code, spec->opcode);
	if (spec->map != 1 || spec->opcode != 0x77) // EMMS has no ModRM
		emit_byte(code, stub_modrm(spec));
	if (spec->has_imm)
		emit_byte(code, spec->imm);
}

static void emit_stores(struct code *code, const struct soft_stub_spec *spec)
{
	bool reg = spec->traits & SOFT_STUB_WRITES_REG, rm = spec->traits & SOFT_STUB_WRITES_RM;

	if (reg && spec->reg == SOFT_STUB_XMM)
		EMIT(code, "\x0f\x11\x0f"); // movups [rdi], xmm1
	else if (reg && spec->reg == SOFT_STUB_GPR)
		EMIT(code, "\x48\x89\x07"); // mov [rdi], rax
	if (rm && spec->rm == SOFT_STUB_XMM)
		EMIT(code, "\x0f\x11\x16"); // movups [rsi], xmm2
	else if (rm && spec->rm == SOFT_STUB_GPR)
		EMIT(code, "\x48\x89\x0e"); // mov [rsi], rcx
	if (spec->traits & SOFT_STUB_INDEX)
		EMIT(code, "\x49\x89\x49\x08"); // mov [r9+8], rcx
	if (spec->traits & SOFT_STUB_MASK)
		EMIT(code, "\x41\x0f\x11\x02"); // movups [r10], xmm0
	if (spec->traits & SOFT_STUB_FLAGS_OUT)
		EMIT(code, "\x0f\x90\xc0\x9f\x0f\xb7\xc0"); // seto al; lahf; movzx eax, ax
	else
		EMIT(code, "\x31\xc0"); // xor eax, eax
	EMIT(code, "\xc3");         // ret
}

static void stub_generate(struct code *code, const struct soft_stub_spec *spec)
{
	memset(code->bytes, 0xcc, sizeof(code->bytes));
	code->length = 0;
	emit_loads(code, spec);
	emit_instruction(code, spec);
	emit_stores(code, spec);
}

static uint32_t code_hash(const struct code *code)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (unsigned i = 0; i < code->length; i++)
		hash = (hash ^ code->bytes[i]) * 0x100000001b3;
	return (uint32_t)(hash ^ hash >> 32);
}

const void *soft_stub_find(struct soft_stubs *stubs, const struct soft_stub_spec *spec)
{
	struct code code;
	uint32_t at;
	unsigned slot;

	stub_generate(&code, spec);
	for (at = code_hash(&code) % BUCKETS; stubs->bucket[at]; at = (at + 1) % BUCKETS) {
		slot = stubs->bucket[at];
		if (memcmp(stubs->write + slot * SLOT_SIZE, code.bytes, SLOT_SIZE) == 0)
			return stubs->run + slot * SLOT_SIZE;
	}
	if (stubs->used == SLOTS)
		return NULL;
	slot = stubs->used++;
	memcpy(stubs->write + slot * SLOT_SIZE, code.bytes, SLOT_SIZE);
	stubs->bucket[at] = slot;
	return stubs->run + slot * SLOT_SIZE;
}

// Code changed through another address is only sure to be seen after a serialising instruction
// (SDM volume 3, "Handling Self- and Cross-Modifying Code"); IRET is one that traps nowhere.
static void serialise(void)
{
	uint64_t sp, scratch;

	__asm__ volatile("mov %%rsp, %0\n\t"
					 "sub $128, %%rsp\n\t" // the red zone
					 "mov %%ss, %k1\n\t"
					 "push %1\n\t"
					 "push %0\n\t"
					 "pushfq\n\t"
					 "mov %%cs, %k1\n\t"
					 "push %1\n\t"
					 "lea 1f(%%rip), %1\n\t"
					 "push %1\n\t"
					 "iretq\n"
					 "1:"
					 : "=&r"(sp), "=&r"(scratch)
					 :
					 : "memory", "cc");
}

const void *soft_stub_scratch(struct soft_stubs *stubs, const struct soft_stub_spec *spec)
{
	struct code code;

	stub_generate(&code, spec);
	memcpy(stubs->write + SCRATCH_SLOT * SLOT_SIZE, code.bytes, SLOT_SIZE);
	serialise();
	return stubs->run + SCRATCH_SLOT * SLOT_SIZE;
}
