// SPDX-License-Identifier: GPL-3.0-or-later
/* Serves the registers of CPU hotplug (engine/vmm/dev/cpuhp.h) by hand: starts processors that come,
 * each of which writes an A, and lets go those that are asked for, with an E. */
#include "guest.inc"

#define CPUHP_SELECT 0x660
#define CPUHP_STATUS 0x664
#define CPUHP_NEXT 0x665
#define ICR_LOW 0xfee00300
#define ICR_HIGH 0xfee00310
#define TRAMPOLINE 0x8000

	.section .note.Xen, "a", @note
	.long 4, 4, 18
	.asciz "Xen"
	.long _start

	.text
	.globl _start
_start:
	movl $stack_end, %esp
	movl $trampoline, %esi
	movl $TRAMPOLINE, %edi
	movl $(trampoline_end - trampoline), %ecx
	rep movsb
	movl $message_ready, %esi
	call print

next:
	pause
	movw $CPUHP_NEXT, %dx
	inb %dx, %al
	cmpb $0xff, %al
	je next
	movzbl %al, %eax
	movl %eax, %ebx
	movw $CPUHP_SELECT, %dx
	outl %eax, %dx
	movw $CPUHP_STATUS, %dx
	inb %dx, %al
	movb %al, %cl
	andb $6, %al
	outb %al, %dx
	testb $2, %cl
	jz 1f
	call start_processor
1:	testb $4, %cl
	jz next
	movw $CPUHP_STATUS, %dx
	movb $8, %al
	outb %al, %dx
	movl $message_ejected, %esi
	call print
	jmp next

/* INIT and SIPI to the processor of APIC id EBX. */
start_processor:
	movl %ebx, %eax
	shll $24, %eax
	movl %eax, ICR_HIGH
	movl $0x00004500, ICR_LOW
	movl $100000, %eax
1:	decl %eax
	jnz 1b
	movl $(0x00004600 | TRAMPOLINE >> 12), ICR_LOW
	ret

	define_print

	.code16
trampoline:
	movw $COM1, %dx
	movb $'A', %al
	outb %al, %dx
1:	cli
	hlt
	jmp 1b
trampoline_end:
	.code32

	.data
message_ready:
	.asciz "ready"
message_ejected:
	.asciz "E"
	.bss
	.skip 4096
stack_end:
