/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs of test_soft_modes.c: every mode there is, and the ways between them. */
#include "tests/engine/guest_common.h"
#include "tests/engine/guest_handlers.S"

/* ---- from real mode to 64-bit code and back ---- */
	.code16
ENTRY guest_tour
	TRACE 0x16
	/* Interrupt vectors: 0 and 13 below, 80h. */
	xor %ax, %ax
	mov %ax, %es
	movl $((GUEST_BASE << 12) + OFFSET16(real_int)), %es:4*0x80
	movl $((GUEST_BASE << 12) + OFFSET16(real_fault)), %es:0
	movl $((GUEST_BASE << 12) + OFFSET16(real_fault)), %es:4*13
	mov $0x55, %bx
	int $0x80
	movzwl %bx, %eax
	TRACE_EAX
	/* Faults come back to the instruction: the handler steps over its two or three bytes. */
	mov $2, %cx
	xor %dx, %dx
	xor %bx, %bx
	div %bx
	mov $3, %cx
	mov 0xffff, %ax
	/* Offsets wrap at 64 KiB. */
	movb $0x77, OFFSET16(scratch)
	mov $(OFFSET16(scratch) + 1), %si
	movzbl 0xffff(%si), %eax
	TRACE_EAX
	lgdtl OFFSET16(gdt_pointer)
	lidtl OFFSET16(idt32_pointer)
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmpl $SEL_CODE32, $AT(tour32)

real_int:
	inc %bx
	iret
real_fault:
	push %bp
	mov %sp, %bp
	add %cx, 2(%bp)
	movzwl %cx, %eax
	TRACE_EAX
	pop %bp
	iret

	.code32
tour32:
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $GUEST_STACK, %esp
	TRACE 0x32
	int $0x80
	/* Long mode: PAE, tables, LME, paging. */
	mov %cr4, %eax
	or $0x20, %eax
	mov %eax, %cr4
	mov $GUEST_TABLES, %eax
	mov %eax, %cr3
	SET_MSR 0xc0000080, 0x901
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
	mov $0xc0000080, %ecx
	rdmsr
	TRACE_EAX
	lidt AT(idt64_pointer)
	ljmp $SEL_CODE64, $AT(tour64)

	.code64
tour64:
	TRACE 0x64
	lea tour64(%rip), %rax
	sub $AT(tour64), %rax
	TRACE_EAX
	int3
	push $SEL_CODE32
	push $AT(compat)
	lretq

	.code32
compat:
	TRACE 0x3264
	mov $5, %eax
	.byte 0x40 /* inc %eax here, a prefix in 64-bit code */
	TRACE_EAX
	int3
	mov %cr0, %eax
	and $0x7fffffff, %eax
	mov %eax, %cr0
	SET_MSR 0xc0000080, 0
	mov $0xc0000080, %ecx
	rdmsr
	TRACE_EAX
	ljmp $SEL_CODE16, $OFFSET16(protected16)

	.code16
protected16:
	mov $SEL_DATA16, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $0xfff0, %sp
	TRACE 0x1632
	mov %cr0, %eax
	and $0xfe, %al
	mov %eax, %cr0
	ljmp $(GUEST_BASE >> 4), $OFFSET16(real_again)
real_again:
	xor %ax, %ax
	mov %ax, %ss
	mov $GUEST_STACK, %sp
	mov $(GUEST_BASE >> 4), %ax
	mov %ax, %ds
	lidt OFFSET16(real_pointer)
	mov $0x66, %bx
	int $0x80
	movzwl %bx, %eax
	TRACE_EAX
	FINISH

	.balign 8
gdt_pointer:
	.word GUEST_GDT_SIZE - 1
	.long GUEST_GDT
idt32_pointer:
	.word 0x7ff
	.long GUEST_IDT32
idt64_pointer:
	.word 0xfff
	.long GUEST_IDT
real_pointer:
	.word 0x3ff
	.long 0
scratch:
	.long 0

/* ---- virtual-8086 mode ---- */
	.code32
ENTRY guest_v86
	GATE32 3, v86_out, 0xee00
	push $0x4444 /* GS FS DS ES */
	push $0x3333
	push $(GUEST_BASE >> 4)
	push $0
	push $0      /* SS:ESP */
	push $GUEST_STACK_USER
	push $0x20002
	push $(GUEST_BASE >> 4)
	push $OFFSET16(v86_code)
	iret

	.code16
v86_code:
	mov %cs, %ax
	mov %ax, %es:GUEST_VARIABLES
	mov OFFSET16(v86_word), %ax /* DS */
	mov %ax, %es:GUEST_VARIABLES + 2
	movl $OFFSET16(1f), %es:GUEST_RESUME
	pushf
1:	movl $OFFSET16(1f), %es:GUEST_RESUME
	cli
1:	movl $OFFSET16(1f), %es:GUEST_RESUME
	int $0x80
1:	movl $OFFSET16(1f), %es:GUEST_RESUME
	mov %cr0, %eax
1:	movl $OFFSET16(1f), %es:GUEST_RESUME
	out %al, $0x80
1:	movl $OFFSET16(1f), %es:GUEST_RESUME
	sldt %ax
1:	int3
v86_word:
	.word 0xabcd

	.code32
v86_out:
	ss mov GUEST_VARIABLES, %eax
	TRACE_EAX
	mov 8(%esp), %eax /* EFLAGS */
	and $0x20000, %eax
	TRACE_EAX
	mov 16(%esp), %eax /* SS */
	TRACE_EAX
	mov 28(%esp), %eax /* FS */
	TRACE_EAX
	mov 32(%esp), %eax /* GS */
	TRACE_EAX
	mov %ds, %eax
	TRACE_EAX
	FINISH

/* ---- system calls ---- */
	.code64
ENTRY guest_syscall
	SET_MSR 0xc0000081, 0, (SEL_USER_CODE32 << 16 | SEL_CODE64)
	SET_MSR 0xc0000082, AT(syscall_target)
	SET_MSR 0xc0000084, 0x700
	mov $0xc0000080, %ecx
	rdmsr
	or $1, %eax
	wrmsr
	mov $AT(syscall_user), %ecx
	mov $0x3402, %r11d
	sysretq
syscall_user:
	mov %cs, %eax
	TRACE_EAX
	mov %ss, %eax
	TRACE_EAX
	syscall
syscall_back:
	mov %r11d, %eax
	TRACE_EAX
	cmp $AT(syscall_back), %rcx
	sete %al
	movzbl %al, %eax
	TRACE_EAX
	RESUME 1f
	hlt
1:	FINISH
syscall_target:
	mov %cs, %eax
	TRACE_EAX
	mov %ss, %eax
	TRACE_EAX
	pushfq
	pop %rax
	TRACE_EAX
	sysretq

	.code32
ENTRY guest_sysenter
	SET_MSR 0x174, SEL_CODE32
	SET_MSR 0x175, GUEST_STACK
	SET_MSR 0x176, AT(sysenter_target)
	USER32 sysenter_user
sysenter_user:
	mov %esp, %ecx
	mov $AT(sysenter_back), %edx
	sysenter
sysenter_back:
	mov %cs, %eax
	TRACE_EAX
	mov %esp, %eax
	TRACE_EAX
	FINISH
sysenter_target:
	mov %cs, %eax
	TRACE_EAX
	mov %ss, %eax
	TRACE_EAX
	mov %esp, %eax
	TRACE_EAX
	sysexit

/* ---- call gates ---- */
	.code32
ENTRY guest_gate32
	movl $((SEL_CODE32 << 16) + OFFSET16(gate32_target)), GUEST_GDT + SEL_FREE
	movl $((GUEST_BASE & 0xffff0000) | 0xec02), GUEST_GDT + SEL_FREE + 4
	USER32 gate32_user
gate32_user:
	push $0x1111
	push $0x2222
	lcall $SEL_FREE, $0
	mov %cs, %eax
	TRACE_EAX
	mov %esp, %eax
	TRACE_EAX
	FINISH
gate32_target:
	mov %cs, %eax
	TRACE_EAX
	mov %ss, %eax
	TRACE_EAX
	mov 8(%esp), %eax
	TRACE_EAX
	mov 12(%esp), %eax
	TRACE_EAX
	mov 20(%esp), %eax /* the old SS */
	TRACE_EAX
	lret $8

	.code64
ENTRY guest_gate64
	movl $((SEL_CODE64 << 16) + OFFSET16(gate64_target)), GUEST_GDT + SEL_FREE
	movl $((GUEST_BASE & 0xffff0000) | 0xec00), GUEST_GDT + SEL_FREE + 4
	movl $0, GUEST_GDT + SEL_FREE + 8
	movl $0, GUEST_GDT + SEL_FREE + 12
	movl $SEL_FREE, GUEST_VARIABLES + 4
	USER64 gate64_user
gate64_user:
	lcall *GUEST_VARIABLES
	mov %cs, %eax
	TRACE_EAX
	mov %rsp, %rax
	TRACE_EAX
	FINISH
gate64_target:
	mov %cs, %eax
	TRACE_EAX
	mov %ss, %eax
	TRACE_EAX
	mov %rsp, %rax
	TRACE_EAX
	mov 24(%rsp), %eax
	TRACE_EAX
	lretq

/* ---- segments ---- */
	.code32
ENTRY guest_segments
	/* Data, base 1 MiB, limit 15. */
	DESCRIPTOR SEL_FREE, 0x0000000f, 0x00409310
	mov $SEL_FREE, %eax
	mov %eax, %fs
	movb $1, %fs:15
	movl $2, %fs:12
	RESUME 1f
	movl $3, %fs:13
1:	/* Expands down, 16 bits: offsets 1000h to FFFFh. */
	DESCRIPTOR SEL_FREE, 0x00000fff, 0x00009710
	mov $SEL_FREE, %eax
	mov %eax, %fs
	movb $1, %fs:0x1000
	RESUME 1f
	movb $1, %fs:0xfff
1:	RESUME 1f
	movb $1, %fs:0x10000
1:	/* Read only. */
	DESCRIPTOR SEL_FREE, 0x0000ffff, 0x00409110
	mov $SEL_FREE, %eax
	mov %eax, %fs
	mov %fs:0, %ebx
	RESUME 1f
	mov %ebx, %fs:0
1:	/* Execute only. */
	DESCRIPTOR SEL_FREE, 0x0000ffff, 0x00409910
	mov $SEL_FREE, %eax
	RESUME 1f
	mov %eax, %fs
1:	/* Not present. */
	DESCRIPTOR SEL_FREE, 0x0000ffff, 0x00401310
	mov $SEL_FREE, %eax
	RESUME 1f
	mov %eax, %fs
1:	RESUME 1f
	mov %eax, %ss
1:	/* Null selectors. */
	xor %eax, %eax
	mov %eax, %fs
	RESUME 1f
	mov %fs:0, %ebx
1:	xor %eax, %eax
	RESUME 1f
	mov %eax, %ss
1:	/* Past the table; the local table, which there is not. */
	mov $GUEST_GDT_SIZE, %eax
	RESUME 1f
	mov %eax, %fs
1:	mov $0x0c, %eax
	RESUME 1f
	mov %eax, %fs
1:	/* A stack of another level. */
	mov $SEL_USER_DATA, %eax
	RESUME 1f
	mov %eax, %ss
1:	/* The accessed bit. */
	DESCRIPTOR SEL_FREE, 0x0000ffff, 0x00409210
	mov $SEL_FREE, %eax
	mov %eax, %fs
	mov GUEST_GDT + SEL_FREE + 4, %eax
	TRACE_EAX
	FINISH

ENTRY guest_questions
	DESCRIPTOR SEL_FREE, 0x00001234, 0x00809210
	mov $SEL_FREE, %ebx
	lar %ebx, %eax
	TRACE_EAX
	lsl %ebx, %eax
	TRACE_EAX
	mov $SEL_CODE32, %ebx
	xor %eax, %eax
	verr %bx
	setz %al
	verw %bx
	setz %ah
	TRACE_EAX
	mov $0xffff, %ebx /* outside: ZF clear, destination kept */
	mov $0x77, %eax
	lsl %ebx, %eax
	setnz %ah
	TRACE_EAX
	mov $0x10, %ebx
	mov $0x23, %ecx
	arpl %cx, %bx
	setz %ah
	mov %bl, %al
	movzwl %ax, %eax
	TRACE_EAX
	movl $5, GUEST_VARIABLES
	movl $9, GUEST_VARIABLES + 4
	mov $9, %eax
	bound %eax, GUEST_VARIABLES
	mov $10, %eax
	RESUME 1f
	bound %eax, GUEST_VARIABLES
1:	FINISH

/* A 16-bit stack in 32-bit code: SP wraps, the upper half of ESP stays. */
ENTRY guest_stack16
	DESCRIPTOR SEL_FREE, 0x0000ffff, 0x00009310
	mov $SEL_FREE, %eax
	mov %eax, %ss
	mov $0x12340000, %esp
	pushw $0x5678
	mov %esp, %eax
	TRACE_EAX
	mov GUEST_FREE + 0xfffe, %ax
	movzwl %ax, %eax
	TRACE_EAX
	FINISH

BLOB_END
