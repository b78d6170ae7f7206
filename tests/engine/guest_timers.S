/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs of test_soft_timers.c: interrupts from outside, HLT, clocks, other processors. */
#include "tests/engine/guest_common.h"
#include "tests/engine/guest_handlers.S"

#define COUNT (GUEST_VARIABLES + 0x10)
#define SEEN (GUEST_VARIABLES + 0x18)
#define TRAMPOLINE 0xf000

#define X2APIC_EOI 0x80b
#define X2APIC_SVR 0x80f
#define X2APIC_ICR 0x830
#define X2APIC_TIMER 0x832
#define X2APIC_INITIAL 0x838
#define X2APIC_CURRENT 0x839
#define X2APIC_DIVIDE 0x83e
#define TSC_DEADLINE 0x6e0

	.code64
.macro APIC_ON
	GATE64 0x30, apic_handler, 0x8e00
	mov $0x1b, %ecx
	rdmsr
	or $0xc00, %eax
	wrmsr
	SET_MSR X2APIC_SVR, 0x1ff
.endm

apic_handler:
	push %rax
	push %rcx
	push %rdx
	mov %ebx, SEEN
	SET_MSR X2APIC_EOI, 0
	incl COUNT
	pop %rdx
	pop %rcx
	pop %rax
	iretq

/* ---- TSC deadline: HLT sleeps until then ---- */
.macro DEADLINE_IN ns
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	add $\ns, %rax
	mov %rax, %r12
	mov %rax, %rdx
	shr $32, %rdx
	mov $TSC_DEADLINE, %ecx
	wrmsr
.endm

ENTRY guest_deadline
	APIC_ON
	SET_MSR X2APIC_TIMER, 0x40030
	DEADLINE_IN 2000000
	sti
	hlt
	cli
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	cmp %r12, %rax
	setae %al
	movzbl %al, %eax
	TRACE_EAX
	mov COUNT, %eax
	TRACE_EAX
	/* The MSR says that it has fired. */
	mov $TSC_DEADLINE, %ecx
	rdmsr
	TRACE_EAX
	FINISH

/* The same once more, long enough to see whether the host rests. */
ENTRY guest_idle
	APIC_ON
	SET_MSR X2APIC_TIMER, 0x40030
	DEADLINE_IN 500000000
	sti
	hlt
	FINISH

/* ---- the periodic timer, and its counter ---- */
ENTRY guest_periodic
	APIC_ON
	SET_MSR X2APIC_TIMER, 0x20030
	SET_MSR X2APIC_DIVIDE, 0xb
	SET_MSR X2APIC_INITIAL, 1000000
	sti
1:	hlt
	cmpl $5, COUNT
	jb 1b
	cli
	mov $X2APIC_CURRENT, %ecx
	rdmsr
	cmp $1000001, %eax
	setb %al
	movzbl %al, %eax
	TRACE_EAX
	FINISH

/* ---- a busy loop is interrupted, too ---- */
ENTRY guest_busy
	APIC_ON
	SET_MSR X2APIC_TIMER, 0x40030
	DEADLINE_IN 1000000
	sti
1:	cmpl $0, COUNT
	je 1b
	TRACE 0x1111
	FINISH

/* ---- shadows of STI and MOV SS ---- */
.macro SELF_IPI
	SET_MSR X2APIC_ICR, 0x40030
.endm

ENTRY guest_shadow
	APIC_ON
	xor %ebx, %ebx
	SELF_IPI
	inc %ebx
	sti
	inc %ebx        /* before the interrupt */
	inc %ebx        /* after it */
	mov SEEN, %eax
	TRACE_EAX
	/* STI while IF is set has no shadow. */
	cli
	xor %ebx, %ebx
	SELF_IPI
	pushq $0x202
	popfq           /* no shadow */
	inc %ebx
	mov SEEN, %eax
	TRACE_EAX
	cli
	xor %ebx, %ebx
	SELF_IPI
	mov %ss, %eax
	sti
	mov %eax, %ss   /* the shadow of STI ends, that of MOV SS begins */
	inc %ebx
	inc %ebx
	mov SEEN, %eax
	TRACE_EAX
	mov COUNT, %eax
	TRACE_EAX
	FINISH

/* ---- NMI: not held off by IF, not nested ---- */
ENTRY guest_nmi
	GATE64 2, nmi_handler, 0x8e00
	APIC_ON
	xor %ebx, %ebx
	SET_MSR X2APIC_ICR, 0x400
	nop
	mov %ebx, %eax
	TRACE_EAX
	FINISH
nmi_handler:
	inc %ebx
	cmp $2, %ebx
	je 1f
	push %rax
	push %rcx
	push %rdx
	/* Another one waits for IRET. */
	SET_MSR X2APIC_ICR, 0x400
	nop
	mov %ebx, %eax
	TRACE_EAX
	pop %rdx
	pop %rcx
	pop %rax
1:	iretq

/* ---- the 8254 by the 8259 ---- */
ENTRY guest_pit
	GATE64 0x38, pit_handler, 0x8e00
	mov $0x11, %al
	out %al, $0x20
	mov $0x38, %al
	out %al, $0x21
	mov $4, %al
	out %al, $0x21
	mov $1, %al
	out %al, $0x21
	mov $0xfe, %al
	out %al, $0x21
	mov $0x34, %al
	out %al, $0x43
	mov $0x00, %al
	out %al, $0x40
	mov $0x08, %al
	out %al, $0x40
	sti
1:	hlt
	cmpl $3, COUNT
	jb 1b
	cli
	TRACE 0x1111
	FINISH
pit_handler:
	push %rax
	mov $0x20, %al
	out %al, $0x20
	incl COUNT
	pop %rax
	iretq

/* ---- clocks ---- */
ENTRY guest_clock
	SET_MSR 0x4b564d01, (GUEST_FREE | 1)
	SET_MSR 0x4b564d00, (GUEST_FREE + 0x100)
	rdtsc
	mov %eax, GUEST_FREE + 0x200
	mov %edx, GUEST_FREE + 0x204
	rdtscp
	sub GUEST_FREE + 0x200, %eax
	cmp $4000000000, %eax
	setb %al
	movzbl %al, %eax
	TRACE_EAX
	/* TSC_ADJUST moves the TSC. */
	SET_MSR 0x3b, 0, 1
	rdtsc
	sub GUEST_FREE + 0x204, %edx
	mov %edx, %eax
	TRACE_EAX
	FINISH

/* ---- a second processor ---- */
ENTRY guest_smp
	APIC_ON
	mov $AT(trampoline), %esi
	mov $TRAMPOLINE, %edi
	mov $trampoline_end - trampoline, %ecx
	rep movsb
	SET_MSR X2APIC_ICR, 0x4500, 1
	SET_MSR X2APIC_ICR, 0x4600 | TRAMPOLINE >> 12, 1
	SET_MSR X2APIC_ICR, 0x4600 | TRAMPOLINE >> 12, 1
	mov $50000, %ecx
1:	lock incl COUNT
	loop 1b
2:	pause
	cmpl $0, SEEN
	je 2b
	mov COUNT, %eax
	TRACE_EAX
	/* It runs a changed loop as soon as it is told: code that changes under another processor. */
	movb $0x5b, TRAMPOLINE + (patched - trampoline) + 1
3:	pause
	cmpb $0x5b, SEEN + 1
	jne 3b
	TRACE 0x2222
	FINISH

	.code16
trampoline:
	xor %ax, %ax
	mov %ax, %ds
	mov $50000, %cx
1:	lock incl COUNT
	loop 1b
	movb $1, SEEN
patched:
	mov $0x5a, %al
	mov %al, SEEN + 1
	jmp patched
trampoline_end:

BLOB_END
