// SPDX-License-Identifier: GPL-3.0-or-later
/* Says "ready" at COM1, and then what it is told there. '!' powers it off, '*' makes it talk for ever. */
#include "guest.inc"

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
	movl $message_ready, %esi
	call print
next:
	movw $(COM1 + 5), %dx
1:	inb %dx, %al
	testb $0x01, %al
	jz 1b
	movw $COM1, %dx
	inb %dx, %al
	cmpb $'!', %al
	je power_off
	movb %al, byte
	movl $byte, %esi
	call print
	cmpb $'*', byte
	jne next
talk:
	movl $message_talk, %esi
	call print
	jmp talk
power_off:
	movw $PM_CONTROL, %dx
	movw $S5, %ax
	outw %ax, %dx
1:	jmp 1b
	define_print

	.data
message_ready:
	.asciz "ready\n"
message_talk:
	.asciz "the quick brown fox jumps over the lazy dog\n"
byte:
	.byte 0, 0
	.bss
	.skip 4096
stack_end:
