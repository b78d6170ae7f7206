// SPDX-License-Identifier: GPL-3.0-or-later
// Integer programs on bare processors: what needs more than one instruction to show, and what the
// comparison with the host (test_soft_native) cannot run natively.

#include "tests/engine/bare.h"
#include "tests/engine/guestcode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATA 0x200000ull

static struct bare *one(enum bare_mode mode, const uint8_t *code, const uint8_t *end, uint64_t at)
{
	struct bare *bare = bare_new(8 << 20, 1);
	bare_load(bare, at, code, end - code);
	bare_enter(bare, 0, mode, at);
	return bare;
}
#define ONE(mode, name) one(mode, name, name##_end, BARE_CODE)

static uint64_t peek(struct bare *bare, uint64_t gpa)
{
	uint64_t value;
	assert_true(memory_read(bare->env.memory, gpa, &value, sizeof value));
	return value;
}

GUEST(fibonacci, "	mov $90, %ecx\n"
		 "	xor %eax, %eax\n"
		 "	mov $1, %edx\n"
		 "1:	xadd %rax, %rdx\n"
		 "	dec %ecx\n"
		 "	jnz 1b\n"
		 "	mov %rdx, %rbx\n" GUEST_EXIT);

static void test_loop(void **state)
{
	struct bare *bare = ONE(BARE_LONG, fibonacci);
	bare_run(bare, 0);
	/* RDX runs through 1 1 2 3 5: after 90 steps it is F(91). */
	assert_true(bare->cpu[0]->gpr[SOFT_RBX] == 4660046610375530309ull);
	bare_free(bare);
}

/* Recursion: calls, returns and the stack. */
GUEST(ackermann, "	mov $2, %edi\n"
		 "	mov $3, %esi\n"
		 "	call 1f\n" GUEST_EXIT "1:	test %edi, %edi\n"
		 "	jnz 2f\n"
		 "	lea 1(%rsi), %eax\n"
		 "	ret\n"
		 "2:	test %esi, %esi\n"
		 "	jnz 3f\n"
		 "	dec %edi\n"
		 "	mov $1, %esi\n"
		 "	jmp 1b\n"
		 "3:	push %rdi\n"
		 "	dec %esi\n"
		 "	call 1b\n"
		 "	pop %rdi\n"
		 "	dec %edi\n"
		 "	mov %eax, %esi\n"
		 "	jmp 1b\n");

static void test_recursion(void **state)
{
	struct bare *bare = ONE(BARE_LONG, ackermann);
	assert_int_equal(bare_run(bare, 0), 9);
	assert_int_equal(bare->cpu[0]->gpr[SOFT_RSP], BARE_STACK);
	bare_free(bare);
}

/* The same instructions, wherever a page ends within them. */
GUEST(crossing, "	mov $0x1122334455667788, %rax\n"
		"	addq $0x12345678, 0x200ff9\n"
		"	movw $0x4142, 0x200fff\n"
		"	bswap %rax\n"
		"	mov %rax, 0x200ffc\n"
		"	lock incl 0x201ffe\n" GUEST_EXIT);

static void test_page_crossing(void **state)
{
	for (unsigned back = 0; back < 48; back++) {
		uint64_t at = BARE_CODE + 0x1000 - back;
		struct bare *bare = one(BARE_LONG, crossing, crossing_end, at);
		uint32_t before = 0xffffffff;
		bare_load(bare, 0x201ffe, &before, 4);
		bare_run(bare, 0);
		assert_true(peek(bare, 0x200ffc) == 0x8877665544332211ull);
		assert_int_equal(peek(bare, 0x200ff8) & 0xffffffff, 0x34567800);
		assert_int_equal(peek(bare, 0x201ffe) & 0xffffffff, 0);
		bare_free(bare);
	}
}

/* REP MOVS onto itself repeats a pattern; backwards it does not; pieces cross pages. */
GUEST(strings, "	movl $0x64636261, 0x200f00\n"
	       "	mov $0x200f00, %esi\n"
	       "	mov $0x200f04, %edi\n"
	       "	mov $0x1ffc, %ecx\n"
	       "	rep movsb\n"
	       "	mov $0x202eff, %esi\n"
	       "	mov $0x203000, %edi\n"
	       "	mov $0x300, %ecx\n"
	       "	std\n"
	       "	rep movsb\n"
	       "	cld\n"
	       "	mov $0x204000, %edi\n"
	       "	mov $0xfedcba9876543210, %rax\n"
	       "	mov $0x300, %ecx\n"
	       "	rep stosq\n"
	       "	mov $0x204000, %edi\n"
	       "	mov $0x98, %al\n"
	       "	mov $-1, %rcx\n"
	       "	repne scasb\n"
	       "	mov %rdi, %r8\n"
	       "	mov $0x200f00, %esi\n"
	       "	mov $0x201f00, %edi\n"
	       "	mov $0x2000, %ecx\n"
	       "	repe cmpsb\n" GUEST_EXIT);

static void test_strings(void **state)
{
	struct bare *bare = ONE(BARE_LONG, strings);
	bare_run(bare, 0);
	for (uint64_t at = 0x200f00; at < 0x202d00; at += 4)
		assert_int_equal(peek(bare, at) & 0xffffffff, 0x64636261);
	assert_int_equal(peek(bare, 0x202ffc) & 0xffffffff, 0x63626164);
	assert_true(peek(bare, 0x2057f8) == 0xfedcba9876543210ull);
	assert_int_equal(peek(bare, 0x205800), 0);
	assert_int_equal(bare->cpu[0]->gpr[SOFT_R8], 0x204005);
	/* The pattern ends at 0x202f00, where the two differ in what follows. */
	assert_int_equal(bare->cpu[0]->gpr[SOFT_RDI] - bare->cpu[0]->gpr[SOFT_RSI], 0x1000);
	assert_true(bare->cpu[0]->gpr[SOFT_RCX] < 0x2000);
	bare_free(bare);
}

/* 16-bit code: segments, 16-bit addressing and wrapping registers. */
GUEST(real, ".code16\n"
	    "	mov $0x2000, %ax\n"
	    "	mov %ax, %ds\n"
	    "	movw $0x1234, 5\n"
	    "	mov $0xffff, %si\n"
	    "	mov $6, %bx\n"
	    "	mov (%bx,%si), %dx\n"
	    "	mov $3, %cx\n"
	    "1:	add $2, %al\n"
	    "	loop 1b\n"
	    "	push %ax\n"
	    "	pop %bp\n"
	    "	mov $0x0f, %al\n"
	    "	add $0x03, %al\n"
	    "	daa\n"
	    "	mov %al, %bl\n"
	    "	mov $0x45, %al\n"
	    "	aam\n" GUEST_EXIT);

static void test_real_mode(void **state)
{
	struct bare *bare = one(BARE_REAL, real, real_end, 0x7000);
	assert_int_equal(bare_run(bare, 0), 9);
	struct soft_cpu *cpu = bare->cpu[0];
	assert_int_equal(peek(bare, 0x20005) & 0xffff, 0x1234);
	assert_int_equal(cpu->gpr[SOFT_RDX], 0x1234);
	assert_int_equal(cpu->gpr[SOFT_RBP], 0x2006);
	assert_int_equal(cpu->gpr[SOFT_RBX], 0x18);
	assert_int_equal(cpu->gpr[SOFT_RAX], 0x609);
	bare_free(bare);
}

/* 32-bit code: ENTER with levels, LEAVE, PUSHA, POPA, decimal adjustment. */
GUEST(flat32, ".code32\n"
	      "	mov $0x80000, %ebp\n"
	      "	movl $0xaaaa, 0x7fffc\n"
	      "	enter $16, $2\n"
	      "	mov %esp, %ebx\n"
	      "	mov (%ebp), %esi\n"
	      "	mov -4(%ebp), %edi\n"
	      "	mov -8(%ebp), %edx\n"
	      "	leave\n"
	      "	mov $7, %eax\n"
	      "	pusha\n"
	      "	xor %eax, %eax\n"
	      "	popa\n"
	      "	sub $9, %al\n"
	      "	das\n" GUEST_EXIT);

static void test_protected_mode(void **state)
{
	struct bare *bare = ONE(BARE_FLAT32, flat32);
	assert_int_equal(bare_run(bare, 0), 0x98);
	struct soft_cpu *cpu = bare->cpu[0];
	assert_int_equal(cpu->gpr[SOFT_RSP], BARE_STACK);
	assert_int_equal(cpu->gpr[SOFT_RBP], 0x80000);
	assert_int_equal(cpu->gpr[SOFT_RBX], BARE_STACK - 12 - 16);
	assert_int_equal(cpu->gpr[SOFT_RSI], 0x80000);
	assert_int_equal(cpu->gpr[SOFT_RDI], 0xaaaa);
	assert_int_equal(cpu->gpr[SOFT_RDX], BARE_STACK - 4);
	bare_free(bare);
}

/* Several processors on one counter, within a page and across two. */
GUEST(counting, "	mov $20000, %ecx\n"
		"1:	lock incl (%rbx)\n"
		"	mov $1, %edx\n"
		"	lock xadd %edx, 8(%rbx)\n"
		"2:	mov 16(%rbx), %rax\n"
		"	lea 3(%rax), %rdx\n"
		"	lock cmpxchg %rdx, 16(%rbx)\n"
		"	jnz 2b\n"
		"	dec %ecx\n"
		"	jnz 1b\n"
		"	mov %r15d, %edx\n"
		"	out %al, %dx\n");

struct runner {
	struct bare *bare;
	unsigned cpu;
};

static void *run_one(void *data)
{
	struct runner *runner = data;
	bare_run(runner->bare, runner->cpu);
	return NULL;
}

static void count_at(uint64_t where, unsigned turns)
{
	struct bare *bare = bare_new(8 << 20, 3);
	struct runner runner[3];
	GThread *thread[3];
	bare_load(bare, BARE_CODE, counting, counting_end - counting);
	bare_load(bare, BARE_CODE + 1, &turns, 4);
	for (unsigned i = 0; i < 3; i++) {
		bare_enter(bare, i, BARE_LONG, BARE_CODE);
		bare->cpu[i]->gpr[SOFT_RBX] = where;
		bare->cpu[i]->gpr[SOFT_R15] = BARE_EXIT_PORT + i;
		runner[i] = (struct runner){ bare, i };
		thread[i] = g_thread_new("vcpu", run_one, &runner[i]);
	}
	for (unsigned i = 0; i < 3; i++)
		g_thread_join(thread[i]);
	assert_int_equal(peek(bare, where) & 0xffffffff, 3 * turns);
	assert_int_equal(peek(bare, where + 8) & 0xffffffff, 3 * turns);
	assert_int_equal(peek(bare, where + 16), 9 * turns);
	bare_free(bare);
}

static void test_locked(void **state)
{
	count_at(DATA, 20000);
	count_at(DATA + 3, 20000);
}

static void test_locked_across_pages(void **state)
{
	count_at(DATA + 0x1000 - 2, 1000);
	count_at(DATA + 0x1000 - 10, 1000);
	count_at(DATA + 0x1000 - 19, 1000);
}

/* A random run of register instructions gives the same registers and flags as a block, where
 * much is left out, and one instruction at a time. */
static unsigned random_insn(GRand *rand, uint8_t *code)
{
	static const uint8_t plain[] = { 0x01, 0x09, 0x11, 0x19, 0x21, 0x29, 0x31, 0x39, 0x85, 0x89,
		0x03, 0x2b };
	static const uint8_t after_0f[] = { 0xaf, 0xb6, 0xbf, 0x42, 0x4f, 0x94, 0x9c, 0xa3, 0xbc };
	unsigned at = 0, kind = g_rand_int_range(rand, 0, 7);
	uint8_t modrm = 0xc0 | g_rand_int_range(rand, 0, 64);
	if ((modrm & 7) == 4 || (modrm & 0x38) == 0x20)
		modrm &= ~0x24; /* not RSP */
	if (g_rand_boolean(rand))
		code[at++] = 0x48;
	else if (g_rand_int_range(rand, 0, 4) == 0)
		code[at++] = 0x66;
	switch (kind) {
	case 0: case 1: /* two registers */
		code[at++] = plain[g_rand_int_range(rand, 0, sizeof plain)];
		code[at++] = modrm;
		break;
	case 2:
		code[at++] = 0x0f;
		code[at++] = after_0f[g_rand_int_range(rand, 0, sizeof after_0f)];
		code[at++] = modrm;
		break;
	case 3: /* an immediate */
		code[at++] = 0x83;
		code[at++] = 0xc0 | (modrm & 0x38) | (modrm & 3);
		code[at++] = g_rand_int(rand);
		break;
	case 4: /* shifts by immediate, 1 and CL */
		code[at++] = "\xc1\xd1\xd3"[g_rand_int_range(rand, 0, 3)];
		code[at++] = 0xc0 | (g_rand_int_range(rand, 0, 8) << 3) | (modrm & 3);
		if (code[at - 2] == 0xc1)
			code[at++] = g_rand_int_range(rand, 0, 70);
		break;
	case 5: /* INC DEC; NOT NEG */
		code[at++] = g_rand_boolean(rand) ? 0xff : 0xf7;
		code[at] = 0xc0 | (g_rand_boolean(rand) << 3) | (modrm & 3);
		code[at] |= code[at - 1] == 0xf7 ? 0x10 : 0;
		at++;
		break;
	default: /* IMUL by an immediate */
		code[at++] = 0x6b;
		code[at++] = modrm;
		code[at++] = g_rand_int(rand);
	}
	return at;
}

static void run_random(struct bare *bare, const uint64_t gpr[16], bool single)
{
	struct soft_cpu *cpu = bare->cpu[0];
	bare_enter(bare, 0, BARE_LONG, BARE_CODE);
	memcpy(cpu->gpr, gpr, 16 * sizeof *gpr);
	cpu->gpr[SOFT_RSP] = BARE_STACK;
	soft_set_rflags(cpu, gpr[0] & SOFT_ARITHMETIC);
	if (single)
		cpu->dr[7] |= 1; /* a breakpoint at address 0: never met */
	soft_update_mode(cpu);
	bare_run(bare, 0);
}

static void test_blocks_and_singles(void **state)
{
	const char *given = g_getenv("LODGE_SEED");
	guint32 seed = given ? strtoul(given, NULL, 0) : g_random_int();
	GRand *rand = g_rand_new_with_seed(seed);
	struct bare *bare = bare_new(8 << 20, 1);
	struct soft_cpu *cpu = bare->cpu[0];
	print_message("seed %u\n", seed);
	for (unsigned turn = 0; turn < 5000; turn++) {
		uint8_t code[200];
		unsigned at = 0;
		uint64_t gpr[16], result[16];
		for (unsigned i = 0; i < 20; i++)
			at += random_insn(rand, code + at);
		memcpy(code + at, "\xe6\xf4", 2);
		bare_load(bare, BARE_CODE, code, at + 2);
		for (unsigned i = 0; i < 16; i++)
			gpr[i] = (uint64_t)g_rand_int(rand) << (g_rand_int(rand) & 32) |
				g_rand_int(rand);
		run_random(bare, gpr, false);
		memcpy(result, cpu->gpr, sizeof result);
		uint64_t rflags = soft_rflags(cpu);
		run_random(bare, gpr, true);
		if (memcmp(result, cpu->gpr, sizeof result) != 0 || rflags != soft_rflags(cpu))
			fail_msg("turn %u: a block and single instructions differ", turn);
	}
	bare_free(bare);
	g_rand_free(rand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_recursion),
		cmocka_unit_test(test_page_crossing),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_real_mode),
		cmocka_unit_test(test_protected_mode),
		cmocka_unit_test(test_blocks_and_singles),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_locked_across_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
