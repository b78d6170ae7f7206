// SPDX-License-Identifier: GPL-3.0-or-later
/* A 64-bit ELF program without notes, entered as Linux is: boot_params in RSI. */
#include "guest.inc"

	.text
	.globl _start
	.code64
_start:
	movl $stack_end, %esp
	cmpl $0x53726448, 0x202(%rsi)
	jne bad
	movl $0xc0000080, %ecx
	rdmsr
	testl $0x400, %eax
	jz bad
	cmpb $2, 0x1e8(%rsi)
	jb bad
	movq 0x70(%rsi), %rax
	cmpl $0x20445352, (%rax)
	jne bad
	movl 0x228(%rsi), %esi
	call print
	movl $5, %eax
	jmp finish64
bad:
	movl $9, %eax
finish64:
	movw $DEBUG_EXIT, %dx
	outl %eax, %dx
1:	hlt
	jmp 1b
print:
	movb (%rsi), %al
	testb %al, %al
	jz 2f
	movw $COM1, %dx
	outb %al, %dx
	incq %rsi
	jmp print
2:	ret

	.bss
	.skip 4096
stack_end:
