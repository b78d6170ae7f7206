/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs of test_soft_tasks.c: hardware tasks. */
#include "tests/engine/guest_common.h"
#include "tests/engine/guest_handlers.S"

#define OTHER GUEST_FREE /* the second task's TSS, selector SEL_FREE */
#define OTHER_STACK (GUEST_FREE + 0x2000)
#define TYPE(selector) (GUEST_GDT + (selector) + 5)

	.code32
.macro TASK label
	DESCRIPTOR SEL_FREE, 0x00000067, 0x00008910
	mov $OTHER, %edi
	xor %eax, %eax
	mov $0x68 / 4, %ecx
	rep stosl
	movl $AT(\label), OTHER + 0x20
	movl $2, OTHER + 0x24
	movl $0x1111, OTHER + 0x28
	movl $OTHER_STACK, OTHER + 0x38
	movl $SEL_DATA, OTHER + 0x48
	movl $SEL_CODE32, OTHER + 0x4c
	movl $SEL_DATA, OTHER + 0x50
	movl $SEL_DATA, OTHER + 0x54
	movl $0x680000, OTHER + 0x64
.endm

.macro TRACE_TASK
	str %ax
	movzwl %ax, %eax
	TRACE_EAX
	pushf
	pop %eax
	and $0x4000, %eax /* NT */
	TRACE_EAX
.endm

.macro TRACE_TYPES
	mov TYPE(SEL_FREE), %ah
	mov TYPE(SEL_TSS), %al
	movzwl %ax, %eax
	TRACE_EAX
.endm

/* ---- jump, call, interrupt: there and back ---- */
ENTRY guest_tasks
	TASK other
	mov $0x2222, %ebx
	ljmp $SEL_FREE, $0
	/* Back by a jump: registers as they were, TS set, old TSS free again. */
	mov %ebx, %eax
	TRACE_EAX
	mov %cr0, %eax
	and $8, %eax
	TRACE_EAX
	TRACE_TASK
	TRACE_TYPES
	lcall $SEL_FREE, $0
	TRACE_TASK
	TRACE_TYPES
	/* By a gate of the IDT. */
	movl $(SEL_FREE << 16), GUEST_IDT32 + 8 * 0x40
	movl $0x8500, GUEST_IDT32 + 8 * 0x40 + 4
	int $0x40
	TRACE 0x3333
	/* One that faults: its error code is on the new task's stack. */
	movl $(SEL_FREE << 16), GUEST_IDT32 + 8 * 13
	movl $0x8500, GUEST_IDT32 + 8 * 13 + 4
	mov $0xfff0, %eax
	mov %eax, %fs
	TRACE 0x4444
	FINISH
other:
	TRACE_EAX               /* EAX of the TSS */
	TRACE_TASK
	TRACE_TYPES
	ljmp $SEL_TSS, $0
	/* Called: nested, with a link, and both busy. */
	TRACE_TASK
	TRACE_TYPES
	movzwl OTHER, %eax
	TRACE_EAX
	iret
	/* Interrupted into. */
	TRACE_TASK
	iret
	/* Faulted into; the fault's instruction is stepped over in its TSS. */
	pop %eax
	TRACE_EAX
	addl $2, GUEST_TSS + 0x20
	iret

/* ---- what is refused ---- */
ENTRY guest_refused
	TASK other
	/* The present task is busy. */
	RESUME 1f
	ljmp $SEL_TSS, $0
1:	/* Not present, too short. */
	DESCRIPTOR SEL_FREE, 0x00000067, 0x00000910
	RESUME 1f
	ljmp $SEL_FREE, $0
1:	DESCRIPTOR SEL_FREE, 0x00000066, 0x00008910
	RESUME 1f
	ljmp $SEL_FREE, $0
1:	/* A link to a task that is not busy. */
	DESCRIPTOR SEL_FREE, 0x00000067, 0x00008910
	movw $SEL_FREE, GUEST_TSS
	pushf
	orl $0x4000, (%esp)
	popf
	RESUME 1f
	iret
1:	pushf
	andl $~0x4000, (%esp)
	popf
	/* LTR of a busy one. */
	mov $SEL_TSS, %eax
	RESUME 1f
	ltr %ax
1:	/* A bad segment in the new task: its own fault, in its own context. */
	movl $GUEST_GDT_SIZE, OTHER + 0x54 /* DS */
	RESUME refused_end
	ljmp $SEL_FREE, $0
refused_end:
	str %ax
	movzwl %ax, %eax
	TRACE_EAX
	FINISH

BLOB_END
