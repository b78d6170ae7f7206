// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How fast the software CPU is: guest loops of known length, timed. Prints millions of guest
 * instructions a second, the median of five runs each.
 */
#include "tests/engine/bare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS 5

struct loop {
	const char *name;
	const char *code; /* of one turn, before DEC RCX; JNZ */
	size_t length;
	unsigned instructions; /* with those two */
};

#define LOOP(name_, count, bytes)                                                                  \
	{                                                                                          \
		.name = name_, .code = bytes, .length = sizeof(bytes) - 1,                         \
		.instructions = count + 2                                                          \
	}

/* The assembly is beside its bytes. */
static const struct loop loops[] = {
	/* nothing but the counter */
	LOOP("empty loop", 0, ""),
	/* add %rbx,%rax; xor %rax,%rdx; lea 3(%rax,%rbx,2),%rsi; shl $3,%rsi; sub %rsi,%rdx; and
	 * $255,%ebx; inc %rbx; mov %rdx,%rdi */
	LOOP("integer", 8,
		"\x48\x01\xd8\x48\x31\xc2\x48\x8d\x74\x58\x03\x48\xc1\xe6\x03\x48\x29\xf2"
		"\x81\xe3\xff\x00\x00\x00\x48\xff\xc3\x48\x89\xd7"),
	/* mov (%r8),%rax; add $1,%rax; mov %rax,(%r8); mov 8(%r8),%edx; add %edx,16(%r8);
	 * cmp $0,24(%r8) */
	LOOP("memory", 6,
		"\x49\x8b\x00\x48\x83\xc0\x01\x49\x89\x00\x41\x8b\x50\x08\x41\x01\x50\x10"
		"\x41\x83\x78\x18\x00"),
	/* test $1,%cl; jz 1f; jmp 2f; 1: jmp 2f; 2: cmp $1000,%rcx; jb 3f; xor $5,%rax; 3: */
	LOOP("branchy", 6,
		"\xf6\xc1\x01\x74\x02\xeb\x02\xeb\x00\x48\x81\xf9\xe8\x03\x00\x00\x72\x04"
		"\x48\x83\xf0\x05"),
	/* call 1f; jmp 2f; 1: push %rax; pop %rdx; ret; 2: */
	LOOP("call and stack", 5, "\xe8\x02\x00\x00\x00\xeb\x03\x50\x5a\xc3"),
	/* imul %rbx,%rax; movzbl %al,%edx; cmp %edx,%eax; cmovb %edx,%eax; sets %dl; bt $3,%eax;
	   adc $0,%rdx */
	LOOP("mixed", 7,
		"\x48\x0f\xaf\xc3\x0f\xb6\xd0\x39\xd0\x0f\x42\xc2\x0f\x98\xc2\x0f\xba\xe0\x03"
		"\x48\x83\xd2\x00"),
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

/* The loop, its counter and the end: dec %rcx; jnz; out %al,$0xf4. */
static void load_loop(struct bare *bare, const struct loop *loop)
{
	uint8_t code[128];
	size_t at = loop->length;
	memcpy(code, loop->code, loop->length);
	memcpy(code + at, "\x48\xff\xc9\x0f\x85", 5);
	int32_t back = -(int32_t)(at + 9);
	memcpy(code + at + 5, &back, 4);
	memcpy(code + at + 9, "\xe6\xf4", 2);
	bare_load(bare, BARE_CODE, code, at + 11);
}

static double run(struct bare *bare, uint64_t turns)
{
	bare_enter(bare, 0, BARE_LONG, BARE_CODE);
	bare->cpu[0]->gpr[SOFT_RCX] = turns;
	bare->cpu[0]->gpr[SOFT_R8] = 0x200000;
	double start = now();
	bare_run(bare, 0);
	return now() - start;
}

static int compare(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;
	return (d > 0) - (d < 0);
}

static double measure(const struct loop *loop)
{
	struct bare *bare = bare_new(16 << 20, 1);
	double times[RUNS];
	uint64_t turns = 20000000 / loop->instructions;
	load_loop(bare, loop);
	run(bare, turns / 10);
	for (unsigned i = 0; i < RUNS; i++)
		times[i] = run(bare, turns);
	qsort(times, RUNS, sizeof *times, compare);
	bare_free(bare);
	return turns * loop->instructions / times[RUNS / 2] / 1e6;
}

int main(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(loops); i++)
		printf("soft: %-16s %7.0f million instructions a second\n", loops[i].name,
			measure(&loops[i]));
	return 0;
}
