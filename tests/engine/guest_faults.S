/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs of test_soft_faults.c: exceptions, interrupts, debug events, ports. */
#include "tests/engine/guest_common.h"
#include "tests/engine/guest_handlers.S"

	.code64
/* ---- what faults, with which error code ---- */
ENTRY guest_exceptions
	RESUME 1f
	xor %ecx, %ecx
	xor %edx, %edx
	div %ecx
1:	RESUME 1f
	ud2
1:	RESUME 1f
	mov $0x8000000000000000, %rbx
	mov (%rbx), %eax
1:	RESUME 1f
	mov %rsp, %rbp
	mov $0x8000000000000000, %rsp
	pop %rax
1:	mov %rbp, %rsp
	RESUME 1f
	int3
1:	int $0x80
	/* CPL 0 may call any gate; level 3 not: error code names the vector. */
	RESUME 1f
	lidt AT(idt_short)
	int $0x80
1:	lidt AT(idt_whole)
	/* A gate that is not present. */
	andl $~0x8000, GUEST_IDT + 16 * 0x81 + 4
	RESUME 1f
	int $0x81
1:	/* A gate to a segment that is no code. */
	movw $SEL_DATA, GUEST_IDT + 16 * 0x82 + 2
	RESUME 1f
	int $0x82
1:	/* Reserved bits of CR4 and EFER; an unknown MSR. */
	RESUME 1f
	mov %cr4, %rax
	or $0x80000000, %eax
	mov %rax, %cr4
1:	RESUME 1f
	SET_MSR 0xc0000080, 0x80000500
1:	RESUME 1f
	mov $0x12345, %ecx
	rdmsr
1:	/* Leaving PAE in long mode. */
	RESUME 1f
	mov %cr4, %rax
	and $~0x20, %eax
	mov %rax, %cr4
1:	USER64 exceptions_user, 0x2 /* IOPL 0: what user code must not do */
exceptions_user:
	RESUME 1f
	cli
1:	RESUME 1f
	hlt
1:	RESUME 1f
	in $0x80, %al
1:	RESUME 1f
	mov %cr3, %rax
1:	RESUME 1f
	int $0x40
1:	RESUME 1f
	wrmsr
1:	RESUME 1f
	invlpg (%rax)
1:	RESUME 1f
	lgdt AT(idt_whole)
1:	RESUME 1f
	swapgs
1:	/* POPF changes neither IF nor IOPL here, and does not fault. */
	pushq $0x3202
	popfq
	pushfq
	pop %rax
	/* Level 0 again, to end. */
	int $0x90
exceptions_end:
	TRACE_EAX
	FINISH

ENTRY guest_exceptions_prepare
	GATE64 0x90, exceptions_end, 0xee00
	/* #SS on a stack that cannot be used: IST 1. */
	movb $1, GUEST_IDT + 16 * 12 + 4
	jmp guest_exceptions

	.balign 8
idt_short:
	.word 0x80 * 16 - 1
	.quad GUEST_IDT
idt_whole:
	.word 0xfff
	.quad GUEST_IDT

/* ---- the frame of a 64-bit handler ---- */
ENTRY guest_frame
	GATE64 0x30, frame_handler, 0x8e00
	GATE64 0x31, frame_handler_user, 0xee00
	GATE64 0x32, frame_handler_ist, 0x8e00
	movb $1, GUEST_IDT + 16 * 0x32 + 4
	mov $GUEST_STACK - 3, %rsp /* pushes begin at a multiple of 16 */
	int $0x30
	mov $GUEST_STACK, %rsp
	int $0x32
	USER64 frame_user
frame_user:
	int $0x31
frame_handler:
	mov %rsp, %rax
	TRACE_EAX
	mov 24(%rsp), %eax
	TRACE_EAX
	iretq
frame_handler_ist:
	mov %rsp, %rax
	TRACE_EAX
	mov %ss, %eax
	TRACE_EAX
	iretq
frame_handler_user:
	mov %rsp, %rax
	TRACE_EAX
	mov 8(%rsp), %eax
	TRACE_EAX
	mov 32(%rsp), %eax
	TRACE_EAX
	mov %ss, %eax
	TRACE_EAX
	mov %cs, %eax
	TRACE_EAX
	pushfq
	pop %rax
	TRACE_EAX
	FINISH

/* ---- a fault in the delivery of a fault ---- */
ENTRY guest_double
	/* #NP in delivering #UD: no double fault, as #UD is benign. */
	andl $~0x8000, GUEST_IDT + 16 * 6 + 4
	RESUME 1f
	ud2
1:	/* #NP in delivering #GP: a double fault. */
	andl $~0x8000, GUEST_IDT + 16 * 13 + 4
	RESUME 1f
	mov $0x8000000000000000, %rbx
	mov (%rbx), %eax
1:	/* And then one that cannot be delivered either. */
	andl $~0x8000, GUEST_IDT + 16 * 8 + 4
	TRACE 0x3333
	mov (%rbx), %eax
	TRACE 0xbad
	FINISH

/* ---- page fault upon page fault ---- */
ENTRY guest_double_page
	movb $1, GUEST_IDT + 16 * 8 + 4 /* IST for #DF */
	mov $0x80000000, %eax           /* a stack that is not mapped */
	mov %rax, %rsp
	mov $0x40000000, %rbx
	movl $AT(1f), GUEST_RESUME
	mov (%rbx), %eax
1:	mov %cr2, %rax
	shr $12, %rax
	TRACE_EAX
	FINISH

/* ---- single step ---- */
ENTRY guest_step
	GATE64 1, step_handler, 0x8e00
	xor %ebx, %ebx
	pushfq
	orl $0x100, (%rsp)
	popfq
	nop              /* the first that is stepped */
	nop
	mov %ss, %eax
	mov %eax, %ss    /* holds the trap back */
	nop
	int $0x80        /* its handler is not stepped */
	pushfq
	andl $~0x100, (%rsp)
	popfq            /* the last */
	nop
	mov %ebx, %eax
	TRACE_EAX
	mov %dr6, %rax
	TRACE_EAX
	FINISH
step_handler:
	inc %ebx
	iretq

/* ---- breakpoints ---- */
ENTRY guest_breakpoints
	GATE64 1, break_handler, 0x8e00
	/* 0: execution of a place. */
	mov $AT(break_here), %eax
	mov %rax, %dr0
	/* 1: writes of four bytes. 2: any access of two. */
	mov $GUEST_FREE, %eax
	mov %rax, %dr1
	mov $GUEST_FREE + 0x1000, %eax
	mov %rax, %dr2
	mov $0x07d0002a, %eax /* G0 exec, G1 write 4, G2 access 2 */
	mov %rax, %dr7
	mov $GUEST_FREE, %edi
	mov (%rdi), %eax          /* a read of 1: nothing */
	movb $1, 4(%rdi)          /* beside it: nothing */
	movb $1, 3(%rdi)          /* hit 1 */
	mov 0x1001(%rdi), %al     /* hit 2 */
	nop                       /* the handler has set RF for this one */
break_here:
	nop                       /* hit 0, before it */
	xor %eax, %eax
	mov %rax, %dr7
	movb $1, 3(%rdi)
	/* INT1, and a fault by DR7.GD. */
	.byte 0xf1
	mov $0x2400, %eax
	mov %rax, %dr7
	mov %dr0, %rax
	TRACE 0x4444
	FINISH
break_handler:
	push %rax
	mov %dr6, %rax
	TRACE_EAX
	mov $0, %eax
	mov %rax, %dr6
	/* An instruction breakpoint must not hit again. */
	orl $0x10000, 24(%rsp)
	pop %rax
	iretq

/* ---- interrupt shadows and the flags ---- */
ENTRY guest_flags
	pushfq
	pop %rax
	TRACE_EAX
	mov $0x240cd7, %eax /* ID AC OF DF SF ZF AF PF CF */
	push %rax
	popfq
	pushfq
	pop %rax
	TRACE_EAX
	pushq $2
	popfq
	pushfq
	pop %rax
	TRACE_EAX
	FINISH

/* ---- ports by the map of the TSS ---- */
ENTRY guest_ports
	/* Map at 68h, 32 bytes for ports 0 to FFh, and the byte of ones after it. Port E9h is open. */
	movw $0x68, GUEST_TSS + 0x66
	mov $GUEST_TSS + 0x68, %edi
	mov $33, %ecx
	mov $0xff, %al
	rep stosb
	movb $0xe1, GUEST_TSS + 0x68 + 0xe8 / 8  /* E9h to ECh: a doubleword */
	movb $0x0f, GUEST_TSS + 0x68 + 0xf0 / 8  /* F4h */
	DESCRIPTOR SEL_TSS, 0x40000088, 0x00008900
	mov $SEL_TSS, %eax
	ltr %ax
	USER64 ports_user, 2
ports_user:
	TRACE 0x1111
	RESUME 1f
	out %al, $0xe8
1:	RESUME 1f
	out %eax, $0xea /* the last byte, EDh, is closed */
1:	FINISH

BLOB_END
