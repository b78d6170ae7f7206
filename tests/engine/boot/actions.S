// SPDX-License-Identifier: GPL-3.0-or-later
/* Does what the first letter of its command line says. A byte of CMOS memory counts the boots. */
#include "guest.inc"

#define CMOS_BOOTS 0x7e
#define PM_EVENT 0x600
#define PM_CONTROL 0x604
#define S5 ((5 << 10) | (1 << 13))

	.section .note.Xen, "a", @note
	.long 4, 4, 18
	.asciz "Xen"
	.long _start

	.text
	.globl _start
_start:
	movl $stack_end, %esp
	movl 24(%ebx), %esi
	movb (%esi), %cl
	movb $CMOS_BOOTS, %al
	outb %al, $0x70
	inb $0x71, %al
	movb %al, %ch
	incb %al
	outb %al, $0x71

	cmpb $'t', %cl
	je triple_fault
	cmpb $'p', %cl
	je power_off
	cmpb $'b', %cl
	je wait_for_button
	cmpb $'r', %cl
	je reset_port
	cmpb $'k', %cl
	je reset_keyboard
	cmpb $'m', %cl
	je misuse
	cmpb $'d', %cl
	je dots
	cmpb $'h', %cl
	je sleep
	cmpb $'c', %cl
	je panic
	cmpb $'w', %cl
	je reset_by_button
	finish 9

/* The second boot ends. */
again:
	movl $message_again, %esi
	call print
	finish 5

triple_fault:
	testb %ch, %ch
	jnz again
	lidt no_idt
	ud2
power_off:
	movw $PM_CONTROL, %dx
	movw $S5, %ax
	outw %ax, %dx
1:	jmp 1b
wait_for_button:
	movl $message_waiting, %esi
	call print
	movw $PM_EVENT, %dx
1:	inw %dx, %ax
	testw $0x100, %ax
	jz 1b
	movw %ax, %cx
	outw %ax, %dx
	inw %dx, %ax
	testw $0x100, %ax
	jnz bad
	jmp power_off
reset_port:
	testb %ch, %ch
	jnz again
	movw $0xcf9, %dx
	movb $0x06, %al
	outb %al, %dx
1:	jmp 1b
reset_keyboard:
	testb %ch, %ch
	jnz again
	movb $0xfe, %al
	outb %al, $0x64
1:	jmp 1b
/* Writes every port but those that end the machine, and reads them all. */
misuse:
	xorl %edx, %edx
1:	cmpw $0x604, %dx
	je 2f
	cmpw $0x605, %dx
	je 2f
	cmpw $0xcf9, %dx
	je 2f
	cmpw $0x64, %dx
	je 2f
	cmpw $0x60, %dx
	je 2f
	cmpw $0x92, %dx
	je 2f
	movl %edx, %eax
	andl $0xfffc, %eax
	cmpl $DEBUG_EXIT, %eax
	je 2f
	movl $0xa5, %eax
	outb %al, %dx
	inb %dx, %al
	inw %dx, %ax
2:	incw %dx
	jnz 1b
	finish 5
dots:
	movl $message_dot, %esi
	call print
	movl $20000, %ecx
1:	loop 1b
	jmp dots
reset_by_button:
	call button
	jmp reset_port
/* At the button it says that it has crashed (pvpanic); the second boot sleeps. */
panic:
	testb %ch, %ch
	jnz sleep
	call button
	movw $0x505, %dx
	movb $1, %al
	outb %al, %dx
/* Nothing wakes it. */
sleep:
	movl $message_asleep, %esi
	call print
1:	hlt
	jmp 1b
/* Waits for the power button. */
button:
	movw $PM_EVENT, %dx
1:	inw %dx, %ax
	testw $0x100, %ax
	jz 1b
	ret
bad:
	finish 9
	define_print

	.data
message_again:
	.asciz "again"
message_waiting:
	.asciz "waiting"
message_asleep:
	.asciz "asleep"
message_dot:
	.asciz "."
	.balign 4
no_idt:
	.word 0
	.long 0
	.bss
	.skip 4096
stack_end:
