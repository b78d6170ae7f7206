/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What guest programs and guestbox.c agree on: addresses, selectors, ports. For C and for the
 * assembler, which gets macros as well.
 */
#pragma once

#define GUEST_MEMORY 0x400000
#define GUEST_BASE 0x10000 /* of the blob, at most 64 KiB */

#define GUEST_GDT 0x1000
#define GUEST_IDT 0x2000
#define GUEST_IDT32 0x3000
#define GUEST_TSS 0x4000
#define GUEST_TABLES 0x5000   /* page tables: root first, 0x5000 to 0x8fff */
#define GUEST_RESUME 0x9000   /* where handlers go back to; 0: where they came from. Cleared by them */
#define GUEST_VARIABLES 0x9008
#define GUEST_STACK 0xb000    /* level 0 */
#define GUEST_STACK_IST 0xc000
#define GUEST_STACK_INNER 0xd000 /* level 0 coming from outer ones */
#define GUEST_STACK_USER 0xe000
#define GUEST_FREE 0x100000 /* nothing uses it */

#define GUEST_TRACE_PORT 0xe9
#define GUEST_END_PORT 0xf4

#define SEL_CODE32 0x08
#define SEL_DATA 0x10
#define SEL_CODE64 0x18
#define SEL_USER_CODE32 0x23
#define SEL_USER_DATA 0x2b
#define SEL_USER_CODE64 0x33
#define SEL_CODE16 0x38
#define SEL_DATA16 0x40
#define SEL_TSS 0x48 /* and 0x50 in long mode */
#define SEL_FREE 0x58 /* tests put descriptors here and up to the limit */
#define GUEST_GDT_SIZE 0x100

/* A vector's handler calls the test's own code instead of tracing, if it is this. */
#define VECTOR_QUIET 0x20 /* counts in GUEST_VARIABLES + 0x18, EOI by x2APIC or xAPIC left to the test */

#ifdef __ASSEMBLER__
/* Addresses within the blob, as the guest sees them. */
#define AT(label) ((label) - guest_start + GUEST_BASE)
#define OFFSET16(label) ((label) - guest_start)

.macro TRACE value
	movl $\value, %eax
	outl %eax, $GUEST_TRACE_PORT
.endm

.macro TRACE_EAX
	outl %eax, $GUEST_TRACE_PORT
.endm

.macro FINISH
	outb %al, $GUEST_END_PORT
9:	hlt
	jmp 9b
.endm

/* A descriptor of eight bytes, or an interrupt gate of protected mode. */
.macro DESCRIPTOR selector low high
	movl $\low, GUEST_GDT + (\selector & ~7)
	movl $\high, GUEST_GDT + (\selector & ~7) + 4
.endm

.macro GATE32 vector label type
	movl $((SEL_CODE32 << 16) + OFFSET16(\label)), GUEST_IDT32 + 8 * \vector
	movl $((GUEST_BASE & 0xffff0000) | \type), GUEST_IDT32 + 8 * \vector + 4
.endm

.macro GATE64 vector label high
	movl $((SEL_CODE64 << 16) + OFFSET16(\label)), GUEST_IDT + 16 * \vector
	movl $((GUEST_BASE & 0xffff0000) | \high), GUEST_IDT + 16 * \vector + 4
.endm

/* To level 3, with IOPL 3 so that ports stay open. */
.macro USER32 label rflags=0x3002
	mov $SEL_USER_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	push $SEL_USER_DATA
	push $GUEST_STACK_USER
	push $\rflags
	push $SEL_USER_CODE32
	push $AT(\label)
	iret
.endm

.macro USER64 label rflags=0x3002
	pushq $SEL_USER_DATA
	pushq $GUEST_STACK_USER
	pushq $\rflags
	pushq $SEL_USER_CODE64
	pushq $AT(\label)
	iretq
.endm

.macro SET_MSR msr low high=0
	movl $\msr, %ecx
	movl $\low, %eax
	movl $\high, %edx
	wrmsr
.endm

.macro BLOB_END
	.balign 8
	.quad handlers32 - guest_start
	.quad handlers64 - guest_start
	.globl guest_end
	.hidden guest_end
guest_end:
	.section .note.GNU-stack, "", @progbits
.endm

/* The next fault goes on at label. */
.macro RESUME label
	movl $AT(\label), GUEST_RESUME
.endm

.macro ENTRY name
	.globl \name
	.hidden \name
\name:
.endm

/* Handlers trace vector and error code (0xe0 where there is none) and go on. */
.macro HANDLERS bits
	.balign 16
	.globl handlers\bits
	.hidden handlers\bits
handlers\bits:
	vector = 0
	.rept 256
	.balign 16
	.if vector != 8 && vector != 17 && (vector < 10 || vector > 14)
	push $0xe0
	.endif
	push $vector
	jmp handler\bits
	vector = vector + 1
	.endr
.endm
#endif
