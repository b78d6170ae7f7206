// SPDX-License-Identifier: GPL-3.0-or-later
// Code that changes: by itself, through an alias, by a device, by another processor.

#include "tests/engine/bare.h"
#include "tests/engine/guestcode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct bare *one(const uint8_t *code, const uint8_t *end, uint64_t at)
{
	struct bare *bare = bare_new(8 << 20, 1);
	bare_load(bare, at, code, end - code);
	bare_enter(bare, 0, BARE_LONG, at);
	return bare;
}
#define ONE(name) one(name, name##_end, BARE_CODE)

/* The store changes the very next instruction's immediate, in the running block. */
GUEST(next_instruction, "	xor %ebx, %ebx\n"
			"	mov $100, %ecx\n"
			"1:	incb 2f + 1(%rip)\n"
			"2:	mov $0, %al\n"
			"	add %al, %bl\n"
			"	dec %ecx\n"
			"	jnz 1b\n"
			"	mov %bl, %al\n" GUEST_EXIT);

static void test_next_instruction(void **state)
{
	struct bare *bare = ONE(next_instruction);
	assert_int_equal(bare_run(bare, 0), 5050 & 0xff);
	bare_free(bare);
}

/* A function is rewritten and called, over and over, with and without LOCK, and by REP STOS. */
GUEST(rewritten, "	xor %ebx, %ebx\n"
		 "	mov $200, %ecx\n"
		 "1:	mov %cl, 9f + 1(%rip)\n"
		 "	call 9f\n"
		 "	lock addl $1, 9f + 1(%rip)\n"
		 "	call 9f\n"
		 "	push %rcx\n"
		 "	lea 9f + 2(%rip), %rdi\n"
		 "	mov $1, %al\n"
		 "	mov $3, %ecx\n"
		 "	rep stosb\n"
		 "	pop %rcx\n"
		 "	call 9f\n"
		 "	dec %ecx\n"
		 "	jnz 1b\n" GUEST_EXIT "9:	mov $0, %eax\n"
		 "	add %eax, %ebx\n"
		 "	ret\n");

static void test_rewritten(void **state)
{
	struct bare *bare = ONE(rewritten);
	uint32_t sum = 0, upper = 0;
	for (uint32_t i = 200; i > 0; i--) {
		uint32_t value = upper | i;
		sum += value;
		value++;
		sum += value;
		upper = 0x01010100;
		sum += upper | (value & 0xff);
	}
	bare_run(bare, 0);
	assert_int_equal((uint32_t)bare->cpu[0]->gpr[SOFT_RBX], sum);
	bare_free(bare);
}

/* The code is changed at another linear address of its page. */
GUEST(aliased, "	xor %ebx, %ebx\n"
	       "	mov $50, %ecx\n"
	       "	mov $0x40100000 + (9f - aliased), %r8\n"
	       "1:	mov %cl, 1(%r8)\n"
	       "	call 9f\n"
	       "	dec %ecx\n"
	       "	jnz 1b\n"
	       "	mov %bl, %al\n" GUEST_EXIT "9:	mov $0, %al\n"
	       "	add %al, %bl\n"
	       "	ret\n");

static void test_alias(void **state)
{
	struct bare *bare = ONE(aliased);
	uint64_t entry;
	/* The second GiB is the first once more. */
	assert_true(memory_read(bare->env.memory, 0x2000, &entry, 8));
	bare_load(bare, 0x2008, &entry, 8);
	assert_int_equal(bare_run(bare, 0), 50 * 51 / 2 & 0xff);
	bare_free(bare);
}

/* What a device writes is run the next time. */
GUEST(loaded, "	mov $5, %al\n" GUEST_EXIT "	jmp loaded\n");

static void test_device(void **state)
{
	struct bare *bare = ONE(loaded);
	for (unsigned i = 5; i < 20; i++) {
		uint8_t value = i;
		bare_load(bare, BARE_CODE + 1, &value, 1);
		assert_int_equal(bare_run(bare, 0), i);
	}
	bare_free(bare);
}

/* Code and data in one page: right, and the code is not lost. */
GUEST(mixed, "	mov $100000, %ecx\n"
	     "1:	incl 8f(%rip)\n"
	     "	dec %ecx\n"
	     "	jnz 1b\n"
	     "	mov 8f(%rip), %ebx\n" GUEST_EXIT "	.balign 64\n"
	     "8:	.long 0\n");

static void test_mixed_page(void **state)
{
	struct bare *bare = ONE(mixed);
	bare_run(bare, 0);
	assert_int_equal(bare->cpu[0]->gpr[SOFT_RBX], 100000);
	bare_free(bare);
}

/* A page that held code once, and is written to, stops being watched. */
GUEST(reused, "	call 9f\n"
	      "	mov $0x300000, %edi\n"
	      "	mov $0x1234, %eax\n"
	      "	mov $512, %ecx\n"
	      "1:	mov %rax, (%rdi)\n"
	      "	add $8, %rdi\n"
	      "	dec %ecx\n"
	      "	jnz 1b\n" GUEST_EXIT "9:	mov $0x300000, %eax\n"
	      "	movb $0xc3, (%rax)\n"
	      "	jmp *%rax\n");

static void test_reused_page(void **state)
{
	struct bare *bare = ONE(reused);
	struct guest_memory *mem = bare->env.memory;
	bare_run(bare, 0);
	assert_int_equal(mem->code_page[memory_page_index(mem, 0x300000)], 0);
	assert_int_not_equal(mem->code_page[memory_page_index(mem, BARE_CODE)], 0);
	bare_free(bare);
}

/* The second half of an instruction that crosses a page changes, and where that page is. */
GUEST(halved, "	xor %ebx, %ebx\n"
	      "	mov $100, %ecx\n"
	      "1:	mov %cl, 0x10a000\n"
	      "	call 0x109ffe - 0x100000 + halved\n"
	      "	dec %ecx\n"
	      "	jnz 1b\n" GUEST_EXIT);
/* mov $0x..01, %eax, with the upper bytes in the second page; add %eax,%ebx; ret */
static const uint8_t half_code[] = { 0xb8, 0x01, 0, 0, 0, 0x01, 0xc3, 0xc3 };

static void test_second_half(void **state)
{
	struct bare *bare = ONE(halved);
	bare_load(bare, 0x109ffe, half_code, sizeof half_code);
	bare_run(bare, 0);
	assert_int_equal(bare->cpu[0]->gpr[SOFT_RBX], 5050 * 256 + 100);
	uint8_t other = 1;
	bare_load(bare, 0x10a000 + 2, &other, 1);
	bare_enter(bare, 0, BARE_LONG, BARE_CODE);
	bare_run(bare, 0);
	assert_int_equal(bare->cpu[0]->gpr[SOFT_RBX], 5050 * 256 + 100 * 0x1000001);
	bare_free(bare);
}

/* More code than there is room for blocks: all is forgotten, and made again. */
GUEST(many, "	xor %ebx, %ebx\n"
	    "	mov $3, %ecx\n"
	    "1:	mov $0x400000, %eax\n"
	    "	call *%rax\n"
	    "	dec %ecx\n"
	    "	jnz 1b\n" GUEST_EXIT);

static void test_many_blocks(void **state)
{
	struct bare *bare = bare_new(32 << 20, 1);
	bare_load(bare, BARE_CODE, many, many_end - many);
	/* inc %ebx; jmp +2 (over two NOPs), half a million times, and RET */
	static const uint8_t piece[6] = { 0xff, 0xc3, 0xeb, 0x02, 0x90, 0x90 };
	static const uint8_t ret = 0xc3;
	unsigned pieces = 500000;
	for (unsigned i = 0; i < pieces; i++)
		bare_load(bare, 0x400000 + i * sizeof piece, piece, sizeof piece);
	bare_load(bare, 0x400000 + pieces * sizeof piece, &ret, 1);
	bare_enter(bare, 0, BARE_LONG, BARE_CODE);
	bare_run(bare, 0);
	assert_int_equal(bare->cpu[0]->gpr[SOFT_RBX], 3 * pieces);
	bare_free(bare);
}

/* One processor calls a function until another has rewritten it to say stop; first it proves
 * that it runs. */
GUEST(caller, "1:	call 0x110000 - 0x100000 + caller\n"
	      "	incq 0x200000\n"
	      "	test %al, %al\n"
	      "	jz 1b\n"
	      "	out %al, $0xf4\n");
GUEST(function, "	mov $0, %al\n"
		"	ret\n");
GUEST(patcher, "1:	cmpq $1000, 0x200000\n"
	       "	jb 1b\n"
	       "	movb $7, 0x110001\n"
	       "	out %al, $0xf5\n");

static void *run_second(void *data)
{
	bare_run(data, 1);
	return NULL;
}

static void test_other_processor(void **state)
{
	for (unsigned turn = 0; turn < 20; turn++) {
		struct bare *bare = bare_new(8 << 20, 2);
		bare_load(bare, BARE_CODE, caller, caller_end - caller);
		bare_load(bare, 0x110000, function, function_end - function);
		bare_load(bare, 0x120000, patcher, patcher_end - patcher);
		bare_enter(bare, 0, BARE_LONG, BARE_CODE);
		bare_enter(bare, 1, BARE_LONG, 0x120000);
		GThread *thread = g_thread_new("vcpu", run_second, bare);
		assert_int_equal(bare_run(bare, 0), 7);
		g_thread_join(thread);
		bare_free(bare);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next_instruction),
		cmocka_unit_test(test_rewritten),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_mixed_page),
		cmocka_unit_test(test_reused_page),
		cmocka_unit_test(test_second_half),
		cmocka_unit_test(test_many_blocks),
		cmocka_unit_test(test_other_processor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
