/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs of test_soft_paging.c: translation, rights, bits and the TLB. */
#include "tests/engine/guest_common.h"
#include "tests/engine/guest_handlers.S"

/* Linear addresses that the programs map themselves. */
#define PAGE 0x100000        /* a page below 2 MiB: its entry is in the last table */
#define LAST_TABLE (GUEST_TABLES + 0x3000)
#define ENTRY64(linear) (LAST_TABLE + 8 * ((linear) >> 12))
#define DIRECTORY (GUEST_TABLES + 0x2000)

.macro SET64 linear low high=0
	movl $\low, ENTRY64(\linear)
	movl $\high, ENTRY64(\linear) + 4
	invlpg \linear
.endm

.macro TRACE_ENTRY linear
	mov ENTRY64(\linear), %eax
	and $0xfff, %eax
	TRACE_EAX
.endm

/* ---- 32-bit paging: rights, error codes, 4 MiB pages ---- */
#define ENTRY32(linear) (GUEST_TABLES + 0x1000 + 4 * ((linear) >> 12))
	.code32
ENTRY guest_paging32
	mov $PAGE, %edi
	/* Accessed and dirty bits appear with use. */
	movl $(PAGE | 7), ENTRY32(PAGE)
	invlpg (%edi)
	mov (%edi), %eax
	mov ENTRY32(PAGE), %eax
	TRACE_EAX
	movl $1, (%edi)
	mov ENTRY32(PAGE), %eax
	TRACE_EAX
	/* Not present: read, write. */
	movl $0, ENTRY32(PAGE)
	invlpg (%edi)
	RESUME 1f
	mov (%edi), %eax
1:	RESUME 1f
	movl $1, (%edi)
1:	mov %cr2, %eax
	TRACE_EAX
	/* Read-only: the kernel writes without WP, not with it. */
	movl $(PAGE | 5), ENTRY32(PAGE)
	movl $2, (%edi)
	mov %cr0, %eax
	or $0x10000, %eax
	mov %eax, %cr0
	RESUME 1f
	movl $3, (%edi)
1:	mov (%edi), %eax
	TRACE_EAX
	/* A 4 MiB page, and the reserved bit in it. */
	mov %cr4, %eax
	or $0x10, %eax
	mov %eax, %cr4
	movl $0x00000087, GUEST_TABLES + 4 /* 4 MiB maps 0 */
	mov 0x400000 + PAGE, %eax
	TRACE_EAX
	mov GUEST_TABLES + 4, %eax
	TRACE_EAX
	movl $0x00200087, GUEST_TABLES + 8
	RESUME 1f
	mov 0x800000, %eax
1:	/* The kernel's page, user code. */
	movl $(PAGE | 3), ENTRY32(PAGE)
	invlpg (%edi)
	USER32 paging32_user
paging32_user:
	mov $PAGE, %edi
	RESUME 1f
	mov (%edi), %eax
1:	RESUME 1f
	movl $1, (%edi)
1:	FINISH

/* ---- PAE: no-execute and reserved bits ---- */
ENTRY guest_pae
	mov $PAGE, %edi
	movb $0xc3, (%edi) /* RET */
	call *%edi
	SET64 PAGE, PAGE|7, 0x80000000
	RESUME 1f
	call *%edi
1:	mov (%edi), %al
	movzbl %al, %eax
	TRACE_EAX
	SET64 PAGE, PAGE|7, 0x00100000 /* bit 52 */
	RESUME 1f
	mov (%edi), %al
1:	/* A new top entry is seen when CR3 is loaded, not before. */
	mov GUEST_TABLES, %eax
	mov %eax, GUEST_TABLES + 8
	RESUME 1f
	mov 0x40000000 + GUEST_BASE, %eax
1:	mov %cr3, %eax
	mov %eax, %cr3
	mov 0x40000000 + AT(pae_word), %eax
	TRACE_EAX
	FINISH
	.balign 4
pae_word:
	.long 0x600df00d

/* ---- 4-level paging: the rights of all levels together ---- */
#define POINTERS (GUEST_TABLES + 0x1000)
	.code64
.macro RELOAD
	mov %cr3, %rax
	mov %rax, %cr3
.endm

ENTRY guest_paging64
	movb $0xc3, PAGE
	/* 1 GiB up: the same directory, read only. */
	movl $(DIRECTORY|5), POINTERS + 8
	movl $0xc3, 0x40000000+PAGE
	mov %cr0, %rax
	or $0x10000, %eax
	mov %rax, %cr0
	RESUME 1f
	movl $1, 0x40000000+PAGE
1:	/* Not to be executed. */
	movl $(DIRECTORY|7), POINTERS + 8
	movl $0x80000000, POINTERS + 12
	RELOAD
	mov $0x40000000+PAGE, %ebx
	RESUME 1f
	call *%rbx
1:	/* The kernel's. */
	movl $(DIRECTORY|3), POINTERS + 8
	movl $0, POINTERS + 12
	RELOAD
	call *%rbx
	USER64 paging64_user
paging64_user:
	RESUME 1f
	mov (%rbx), %al
1:	RESUME 1f
	movb $1, (%rbx)
1:	RESUME 1f
	call *%rbx
1:	FINISH

/* ---- what the supervisor may do with user pages ---- */
ENTRY guest_supervisor
	mov $PAGE, %edi
	movb $0xc3, (%rdi)
	/* SMEP: user pages are not executed. All of the blob is mapped for the user: it moves to the kernel. */
	mov $ENTRY64(0), %esi
	mov $0x100, %ecx
1:	andl $~4, (%rsi)
	add $8, %rsi
	loop 1b
	RELOAD
	call *%rdi
	mov %cr4, %rax
	or $0x100000, %eax
	mov %rax, %cr4
	RESUME 1f
	call *%rdi
1:	mov (%rdi), %al
	movzbl %al, %eax
	TRACE_EAX
	/* SMAP: nor read, but for AC. */
	mov %cr4, %rax
	or $0x200000, %eax
	mov %rax, %cr4
	RESUME 1f
	mov (%rdi), %al
1:	stac
	movb $0x90, (%rdi)
	clac
	RESUME 1f
	movb $0x91, (%rdi)
1:	stac
	mov (%rdi), %al
	clac
	movzbl %al, %eax
	TRACE_EAX
	/* Implicit accesses to user pages fault whatever AC says: a descriptor table there. */
	DESCRIPTOR SEL_FREE, 0x000000ff, 0x00008210
	mov $SEL_FREE, %eax
	lldt %ax
	stac
	RESUME 1f
	mov $0x0c, %eax
	mov %eax, %es
1:	mov %cr2, %rax
	TRACE_EAX
	FINISH

/* ---- pages of 1 GiB and 2 MiB, and what INVLPG makes of them ---- */
ENTRY guest_large
	/* 1 GiB up: a 1 GiB page on 0. */
	movl $0x00000087, POINTERS + 8
	mov 0x40000000 + AT(large_word), %eax
	TRACE_EAX
	mov POINTERS + 8, %eax
	TRACE_EAX
	mov 0x40000000 + PAGE, %eax
	/* It goes away: INVLPG of any address in it reaches all its parts. */
	movl $0, POINTERS + 8
	invlpg 0x40000000 + 0x5000
	RESUME 1f
	mov 0x40000000 + AT(large_word), %eax
1:	RESUME 1f
	mov 0x40000000 + PAGE, %eax
1:	/* The same with 2 MiB, dirty by a write. */
	movl $0x00000087, DIRECTORY + 8
	invlpg 0x200000
	movl $0x77, 0x200000 + GUEST_FREE
	mov DIRECTORY + 8, %eax
	TRACE_EAX
	mov GUEST_FREE, %eax
	TRACE_EAX
	movl $0, DIRECTORY + 8
	invlpg 0x3ff000
	RESUME 1f
	mov 0x200000 + GUEST_FREE, %eax
1:	/* Reserved bits of a large page. */
	movl $0x00002087, DIRECTORY + 8
	RESUME 1f
	mov 0x200000, %eax
1:	FINISH
	.balign 4
large_word:
	.long 0x1a46e

/* ---- global pages ---- */
ENTRY guest_global
	mov $PAGE, %edi
	mov %cr4, %rax
	or $0x80, %eax
	mov %rax, %cr4
	movl $0x11, PAGE
	movl $0x22, PAGE + 0x1000
	SET64 PAGE, PAGE|0x107
	mov PAGE, %eax
	/* The table changes, the TLB does not: stale over CR3, not over INVLPG. */
	movl $((PAGE + 0x1000) | 0x107), ENTRY64(PAGE)
	mov %cr3, %rax
	mov %rax, %cr3
	mov PAGE, %eax
	TRACE_EAX
	invlpg PAGE
	mov PAGE, %eax
	TRACE_EAX
	/* Toggling CR4.PGE drops global entries, too. */
	movl $(PAGE | 0x107), ENTRY64(PAGE)
	mov %cr4, %rax
	xor $0x80, %eax
	mov %rax, %cr4
	mov PAGE, %eax
	TRACE_EAX
	FINISH

/* ---- accesses across pages commit whole or not at all ---- */
ENTRY guest_crossing
	movl $0, PAGE + 0xffc
	movl $0x55667788, PAGE + 0x1000
	SET64 PAGE+0x1000, 0
	mov $0x1122334455667788, %rbx
	RESUME 1f
	mov %rbx, PAGE + 0xffc
1:	mov PAGE + 0xffc, %eax
	TRACE_EAX
	RESUME 1f
	addl $1, PAGE + 0xffe
1:	mov PAGE + 0xffc, %eax
	TRACE_EAX
	mov %cr2, %rax
	TRACE_EAX
	/* PUSH over the edge leaves RSP. */
	mov %rsp, %rbp
	mov $PAGE + 0x1004, %esp
	movb $1, GUEST_IDT + 16 * 14 + 4 /* on the other stack */
	RESUME 1f
	push %rbx
1:	mov %rsp, %rax
	TRACE_EAX
	/* REP STOS stops at the edge with its registers right. */
	mov %rbp, %rsp
	mov $PAGE + 0xff0, %edi
	mov $100, %ecx
	mov $0x5a, %al
	RESUME 1f
	rep stosb
1:	mov %ecx, %eax
	TRACE_EAX
	mov %edi, %eax
	TRACE_EAX
	mov PAGE + 0xffc, %eax
	TRACE_EAX
	FINISH

/* ---- code that changes under its own feet, and through another address ---- */
ENTRY guest_modify
	mov $PAGE, %edi
	movl $0x9001b0, (%rdi)    /* mov $1, %al; nop */
	movb $0xc3, 3(%rdi)
	call *%rdi
	movzbl %al, %eax
	TRACE_EAX
	movb $2, 1(%rdi)
	call *%rdi
	movzbl %al, %eax
	TRACE_EAX
	/* The alias: PAGE + 1000h shows the same page. */
	SET64 PAGE+0x1000, PAGE|7
	movb $3, PAGE + 0x1001
	call *%rdi
	movzbl %al, %eax
	TRACE_EAX
	/* The next instruction, written by the one before it. */
	movb $0x77, AT(1f) + 1
1:	mov $0x11, %al
	movzbl %al, %eax
	TRACE_EAX
	/* A loop that counts in its own code. */
	mov $100, %ecx
2:	incb AT(3f) + 1
3:	mov $0, %al
	loop 2b
	movzbl %al, %eax
	TRACE_EAX
	FINISH

BLOB_END
